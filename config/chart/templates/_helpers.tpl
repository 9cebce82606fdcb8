{{/* The name of the application: the chart's. */}}
{{- define "ecsrelease.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* What the names of all that is installed begin with. Short enough for what follows. */}}
{{- define "ecsrelease.fullname" -}}
{{- $name := include "ecsrelease.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* The name of the manager's objects. */}}
{{- define "ecsrelease.manager" -}}
{{- printf "%s-manager" (include "ecsrelease.fullname" .) }}
{{- end }}

{{- define "ecsrelease.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "ecsrelease.manager" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name: which service account is the manager's, if serviceAccount.create is false?" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "ecsrelease.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "ecsrelease.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Labels by which the manager's pods are selected. */}}
{{- define "ecsrelease.selector" -}}
app.kubernetes.io/name: {{ include "ecsrelease.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: manager
{{- end }}

{{- define "ecsrelease.managerLabels" -}}
{{ include "ecsrelease.labels" . }}
app.kubernetes.io/component: manager
{{- end }}

{{/* The manager's image, by digest where there is one. */}}
{{- define "ecsrelease.image" -}}
{{- with .Values.image }}
{{- $tag := default (printf "v%s" $.Chart.AppVersion) .tag }}
{{- if .digest }}
{{- if .tag }}{{ .repository }}:{{ .tag }}@{{ .digest }}{{ else }}{{ .repository }}@{{ .digest }}{{ end }}
{{- else }}{{ .repository }}:{{ $tag }}
{{- end }}
{{- end }}
{{- end }}

{{/*
An object as it is in config/, with the names and labels of this release. What a binding refers to is
part of the release too. Takes a list of the root and the path of a file.
*/}}
{{- define "ecsrelease.object" -}}
{{- $root := index . 0 }}
{{- $prefix := include "ecsrelease.fullname" $root }}
{{- $object := $root.Files.Get (index . 1) | fromYaml }}
{{- $metadata := $object.metadata }}
{{- $labels := merge (include "ecsrelease.labels" $root | fromYaml) (default dict $metadata.labels) }}
{{- if not $root.Values.rbac.aggregate }}
{{- range $key, $_ := $labels }}{{ if hasPrefix "rbac.authorization.k8s.io/" $key }}{{ $_ := unset $labels $key }}{{ end }}{{ end }}
{{- end }}
{{- $_ := set $metadata "labels" $labels }}
{{- $_ := set $metadata "name" (printf "%s-%s" $prefix $metadata.name) }}
{{- if $metadata.namespace }}{{ $_ := set $metadata "namespace" $root.Release.Namespace }}{{ end }}
{{- with $object.roleRef }}{{ $_ := set . "name" (printf "%s-%s" $prefix .name) }}{{ end }}
{{- range $object.subjects }}
{{- $_ := set . "name" (include "ecsrelease.serviceAccount" $root) }}
{{- $_ := set . "namespace" $root.Release.Namespace }}
{{- end }}
{{- if eq $object.kind "ValidatingAdmissionPolicyBinding" }}{{ $_ := set $object.spec "policyName" (printf "%s-%s" $prefix $object.spec.policyName) }}{{ end }}
{{- toYaml $object }}
{{- end }}

// Package argocd is what Argo CD has to know of an EcsRelease and an EcsEndpoint: how healthy one is,
// and what can be done to a release from its user interface. The sources are in resource_customizations, laid out as in
// Argo CD's own repository; the other forms that users need are written from them.
//
// https://argo-cd.readthedocs.io/en/stable/operator-manual/health/ and
// https://argo-cd.readthedocs.io/en/stable/operator-manual/resource_actions/ describe the forms.
package argocd

import (
	"embed"
	"fmt"
	"io/fs"
	"path"

	"sigs.k8s.io/yaml"
)

// Kind is the directory of the customizations of an EcsRelease in [Sources], EndpointKind that of an
// EcsEndpoint, and, with its slash as an underscore, what Argo CD's settings call the kind.
const (
	Kind         = "ecs.heliumai.space/EcsRelease"
	EndpointKind = "ecs.heliumai.space/EcsEndpoint"
)

const (
	settingsKind         = "ecs.heliumai.space_EcsRelease"
	settingsEndpointKind = "ecs.heliumai.space_EcsEndpoint"
)

//go:embed resource_customizations
var sources embed.FS

// Sources are the customizations as Argo CD's own repository keeps them in the directory
// resource_customizations, tests included.
func Sources() fs.FS {
	sub, err := fs.Sub(sources, "resource_customizations")
	if err != nil {
		panic(err) // the directory is compiled in
	}
	return sub
}

// HealthScript is the Lua script by which Argo CD tells how healthy a release is.
func HealthScript() string { return source(Kind, "health.lua") }

// EndpointHealthScript is the one by which it tells how healthy a way in is.
func EndpointHealthScript() string { return source(EndpointKind, "health.lua") }

// source is one of the scripts of a kind.
func source(kind, name string) string {
	content, err := fs.ReadFile(Sources(), path.Join(kind, name))
	if err != nil {
		panic(err) // the files are compiled in
	}
	return string(content)
}

// action is one action as Argo CD's settings hold it.
type action struct {
	Name   string `json:"name"`
	Script string `json:"action.lua"`
}

// actions are all actions of a release as Argo CD's settings hold them.
func actions() (string, error) {
	entries, err := fs.ReadDir(Sources(), path.Join(Kind, "actions"))
	if err != nil {
		return "", fmt.Errorf("listing the actions: %w", err)
	}
	var definitions []action
	for _, entry := range entries {
		if entry.IsDir() && entry.Name() != "testdata" {
			definitions = append(definitions, action{entry.Name(), source(Kind, "actions/"+entry.Name()+"/action.lua")})
		}
	}
	written, err := yaml.Marshal(map[string]any{"discovery.lua": source(Kind, "actions/discovery.lua"), "definitions": definitions})
	if err != nil {
		return "", fmt.Errorf("writing the actions: %w", err)
	}
	return string(written), nil
}

// settings are the entries of the config map argocd-cm.
func settings() (map[string]string, error) {
	actions, err := actions()
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"resource.customizations.health." + settingsKind:         HealthScript(),
		"resource.customizations.actions." + settingsKind:        actions,
		"resource.customizations.health." + settingsEndpointKind: EndpointHealthScript(),
	}, nil
}

// ConfigMap is a patch of the config map argocd-cm, as YAML.
func ConfigMap() ([]byte, error) {
	settings, err := settings()
	if err != nil {
		return nil, err
	}
	return marshal(map[string]any{
		"apiVersion": "v1",
		"kind":       "ConfigMap",
		"metadata":   map[string]string{"name": "argocd-cm", "namespace": "argocd"},
		"data":       settings,
	})
}

// HelmValues are values of the chart argo-cd of https://github.com/argoproj/argo-helm, as YAML.
func HelmValues() ([]byte, error) {
	settings, err := settings()
	if err != nil {
		return nil, err
	}
	return marshal(map[string]any{"configs": map[string]any{"cm": settings}})
}

func marshal(document map[string]any) ([]byte, error) {
	written, err := yaml.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("writing Argo CD's settings: %w", err)
	}
	return append([]byte(header), written...), nil
}

const header = "# Written by `make generate` from resource_customizations.\n"

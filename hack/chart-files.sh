#!/bin/sh
# Copies what the chart installs just as kustomize does from config/ to config/chart/files: a
# chart can read no file outside of it. The chart's templates give it names and labels.
set -eu
cd "$(dirname "$0")/../config"

rm -rf chart/files
# take DIRECTORY FILE...: as DIRECTORY of the chart's files.
take() {
	to=chart/files/$1
	shift
	mkdir -p "$to"
	cp "$@" "$to"
}
take crds crd/bases/*.yaml
take rbac rbac/role.yaml rbac/*_role.yaml rbac/*_binding.yaml
take admission admission/*_policy.yaml admission/*_binding.yaml
take prometheus prometheus/rules.yaml prometheus/service_monitor.yaml
take grafana grafana/dashboard.json

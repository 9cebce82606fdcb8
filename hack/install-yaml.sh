#!/bin/sh
# install-yaml.sh [IMAGE] prints config/default as kustomize renders it, with another image of
# the manager if one is named: repository:tag or repository@sha256:...
set -eu
cd "$(dirname "$0")/.."

kustomize() { "${GO:-go}" tool -modfile=hack/tools/go.mod kustomize "$@"; }

if [ -z "${1-}" ]; then
	kustomize build config/default
	exit
fi

# An overlay beside config/default: kustomize takes no image on its command line, and
# what is committed stays as it is.
overlay=$(mktemp -d config/.image.XXXXXX)
trap 'rm -rf "$overlay"' EXIT
trap 'exit 130' INT TERM
image=$1
last=${image##*/}
case $last in
*@*) name=${image%@*} rest="digest: ${last##*@}" ;;
*:*) name=${image%:*} rest="newTag: ${last##*:}" ;;
*) echo "install-yaml: $image has neither tag nor digest" >&2 && exit 1 ;;
esac
deployed=$(awk '$1 == "newName:" { print $2 }' config/manager/kustomization.yaml)
cat >"$overlay/kustomization.yaml" <<END
resources: [../default]
images:
- name: $deployed
  newName: $name
  $rest
END
kustomize build "$overlay"

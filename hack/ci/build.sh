#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

usage() {
	cat <<'TEXT'
build.sh builds an image with Buildx and pushes it to one registry of ECR, unless it is there
already: ECR is asked first, and a run that is repeated builds nothing twice. A tag that is
there but was built from something else is an error. What is in the registry in the end is
looked at: its platforms and its labels must be those that were asked for.

Usage: build.sh [-- ARGUMENTS OF docker buildx build]

  REGISTRY    the registry to push to, such as 111122223333.dkr.ecr.ap-south-1.amazonaws.com;
              replication brings the image to other regions
  REPOSITORY  the repository in it, such as helium-backend
  TAG         the tag, such as v128; nothing but this run may use it
  BRANCH      the branch; it becomes the label git.branch, by which an EcsEnvironment decides
              what it takes (spec.images.requireLabels)
  REVISION    the full hash of the commit; it becomes the label
              org.opencontainers.image.revision
  PLATFORMS   one or more, separated by commas; linux/arm64
  CONTEXT     the directory to build; .
  DOCKERFILE  the Dockerfile; Dockerfile in the context
  PROVENANCE  the attestation of how the image was built: min, max or false; min. With one,
              the tag names an index, of which ECS pulls the image for its architecture.
              max also tells the values of build arguments.

AWS credentials are found as the aws command finds them. Needs aws, curl, docker with Buildx,
git and jq. Logs out of the registry in the end.

When GITHUB_OUTPUT is set: image=REGISTRY/REPOSITORY:TAG, digest=sha256:..., built=true|false
TEXT
}

case ${1:-} in
-h | --help)
	usage
	exit
	;;
--) shift ;;
'') ;;
*) misused "unknown argument $(printf %q "$1"); arguments of docker buildx build come after --" ;;
esac

need_tools aws curl docker git jq
need_variables REGISTRY REPOSITORY TAG BRANCH REVISION
PLATFORMS=${PLATFORMS:-linux/arm64}
CONTEXT=${CONTEXT:-.}
DOCKERFILE=${DOCKERFILE:-$CONTEXT/Dockerfile}
PROVENANCE=${PROVENANCE:-min}
check_repository
check_tag
check_branch
check_revision
matches REGISTRY '^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$' 'the host of a registry of ECR, such as 111122223333.dkr.ecr.ap-south-1.amazonaws.com'
matches PLATFORMS '^linux/[a-z0-9]+(/v[0-9]+)?(,linux/[a-z0-9]+(/v[0-9]+)?)*$' 'platforms such as linux/arm64,linux/amd64'
matches PROVENANCE '^(min|max|false)$' 'min, max or false'
[[ $CONTEXT != -* && -d $CONTEXT ]] || misused "there is no directory CONTEXT $(printf %q "$CONTEXT")"
[[ -f $DOCKERFILE ]] || misused "there is no DOCKERFILE $(printf %q "$DOCKERFILE")"

account=${REGISTRY%%.*}
region=${REGISTRY#*.dkr.ecr.}
region=${region%%.*}
image=$REGISTRY/$REPOSITORY:$TAG
branch_label=git.branch
revision_label=org.opencontainers.image.revision
readonly account region image branch_label revision_label

# Manifests come as they were pushed only to those who say that they take them.
readonly media_types=(
	application/vnd.oci.image.index.v1+json
	application/vnd.oci.image.manifest.v1+json
	application/vnd.docker.distribution.manifest.list.v2+json
	application/vnd.docker.distribution.manifest.v2+json
)

# ecr OPERATION ARGUMENTS... asks about the repository.
ecr() {
	aws ecr "$1" --region "$region" --registry-id "$account" --repository-name "$REPOSITORY" --output json "${@:2}"
}

# fetch imageTag=...|imageDigest=... sets manifest and digest, empty when there is no such image.
manifest='' digest=''
fetch() {
	local answer failure
	manifest='' digest=''
	answer=$(ecr batch-get-image --image-ids "$1" --accepted-media-types "${media_types[@]}") ||
		die "cannot ask ECR for $REPOSITORY:$TAG in $region; the error of aws is above"
	failure=$(jq -r '.failures[0] // empty | .failureCode + ": " + .failureReason' <<<"$answer")
	case $failure in
	'') ;;
	ImageNotFound:*) return ;;
	*) die "ECR does not give $1 of $REPOSITORY in $region: $failure" ;;
	esac
	manifest=$(jq -r '.images[0].imageManifest' <<<"$answer")
	digest=$(jq -r '.images[0].imageId.imageDigest' <<<"$answer")
}

# config_of MANIFEST prints the image's config: what it is for, and its labels.
config_of() {
	local layer url
	layer=$(jq -r '.config.digest' <<<"$1")
	url=$(ecr get-download-url-for-layer --layer-digest "$layer" | jq -r .downloadUrl) ||
		die "cannot ask ECR where the config of $image is; the error of aws is above"
	# Whoever has the URL can read the layer, so it stays out of the list of processes.
	curl --fail --silent --show-error --location --retry 3 --config - <<<"url = \"$url\"" ||
		die "cannot download the config of $image"
}

# inspect looks at what the tag names and sets found to its digest, empty when there is nothing.
# All images of it must be of this branch and revision, and all platforms must be there.
found=''
inspect() {
	local children child config platform platforms=' ' from_branch from_revision wanted
	fetch "imageTag=$TAG"
	found=$digest
	[[ -n $found ]] || return 0
	# An index with the images, attestations aside, or one image.
	children=$(jq -r '.manifests[]? | select(.annotations["vnd.docker.reference.type"] != "attestation-manifest") | .digest' <<<"$manifest")
	for child in ${children:-"$found"}; do
		[[ $child == "$found" ]] || fetch "imageDigest=$child"
		config=$(config_of "$manifest")
		platform=$(jq -r '.os + "/" + .architecture' <<<"$config")
		from_branch=$(jq -r --arg name "$branch_label" '.config.Labels[$name] // "(no label)"' <<<"$config")
		from_revision=$(jq -r --arg name "$revision_label" '.config.Labels[$name] // "(no label)"' <<<"$config")
		if [[ $from_branch != "$BRANCH" || $from_revision != "$REVISION" ]]; then
			die "$image is in the registry, but not from this commit:
  it was built from revision $from_revision of branch $from_branch,
  this run is of    revision $REVISION of branch $BRANCH.
A tag stands for one build. Give this run another TAG."
		fi
		platforms+="$platform "
	done
	for wanted in ${PLATFORMS//,/ }; do
		# The variant is not looked at: linux/arm64/v8 is linux/arm64.
		[[ $wanted != */*/* ]] || wanted=${wanted%/*}
		[[ $platforms == *" $wanted "* ]] ||
			die "$image is in the registry, but not for $wanted: it has${platforms% }.
A tag stands for one build. Give this run another TAG."
	done
}

inspect
built=false
if [[ -n $found ]]; then
	say "$image is in the registry already, from this commit: nothing to build"
else
	say "building $image for $PLATFORMS from revision $REVISION of branch $BRANCH"
	aws ecr get-login-password --region "$region" | docker login --username AWS --password-stdin "$REGISTRY" ||
		die "cannot log in to $REGISTRY"
	trap 'docker logout "$REGISTRY" >/dev/null || true' EXIT
	provenance=false
	[[ $PROVENANCE == false ]] || provenance=mode=$PROVENANCE
	docker buildx build \
		--platform "$PLATFORMS" \
		--tag "$image" \
		--label "$branch_label=$BRANCH" \
		--label "$revision_label=$REVISION" \
		--provenance="$provenance" \
		--sbom=false \
		--file "$DOCKERFILE" \
		--push \
		"$@" \
		"$CONTEXT" ||
		die "docker could not build or push $image; its error is above"
	built=true
	inspect
	[[ -n $found ]] || die "docker says that it pushed $image, but ECR has no such image"
	say "pushed $image"
fi
say "digest $found"
output image "$image"
output digest "$found"
output built "$built"

#!/usr/bin/env bash
# The push pipeline that people have before they have an operator, as a script: what a
# workflow does that deploys to Amazon ECS with the aws command line. The benchmark times it.
set -euo pipefail

usage() {
	cat <<'TEXT'
pipeline.sh releases an image to services, one region after the other: it takes the newest
task definition of the family, puts the image in, registers that, updates the service and
waits until the service is stable.

Usage: pipeline.sh [--parallel] REPOSITORY:TAG REGION/CLUSTER/SERVICE/FAMILY...

  --parallel  all regions at the same time

The repository is in ECR, in the account of the credentials, in each region. Needs aws and jq.
TEXT
}

# release REGION/CLUSTER/SERVICE/FAMILY
release() {
	local region cluster service family definition revision
	IFS=/ read -r region cluster service family <<<"$1"
	export AWS_REGION=$region AWS_DEFAULT_REGION=$region

	definition=$(aws ecs describe-task-definition --task-definition "$family" \
		--query taskDefinition --output json)
	# register-task-definition refuses what it has written itself.
	definition=$(jq --arg container "$service" --arg image "$registry.dkr.ecr.$region.amazonaws.com/$image" '
		del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities,
			.registeredAt, .registeredBy, .deregisteredAt)
		| (.containerDefinitions[] | select(.name == $container)).image = $image
	' <<<"$definition")
	revision=$(aws ecs register-task-definition --cli-input-json "$definition" \
		--query taskDefinition.taskDefinitionArn --output text)
	aws ecs update-service --cluster "$cluster" --service "$service" \
		--task-definition "$revision" --query service.serviceArn --output text >/dev/null
	# What describe-services shows may lag behind: the world before the update is stable too.
	sleep 5
	aws ecs wait services-stable --cluster "$cluster" --services "$service"
	echo "$region: $service runs $image"
}

parallel=false
case ${1:-} in
-h | --help)
	usage
	exit
	;;
--parallel)
	parallel=true
	shift
	;;
esac
if (($# < 2)); then
	usage >&2
	exit 2
fi
image=$1
shift
registry=$(aws sts get-caller-identity --query Account --output text)

if ! $parallel; then
	for place; do
		release "$place"
	done
	exit
fi
jobs=()
for place; do
	release "$place" &
	jobs+=($!)
done
status=0
for job in "${jobs[@]}"; do
	wait "$job" || status=$?
done
exit "$status"

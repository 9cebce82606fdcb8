#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

usage() {
	cat <<'TEXT'
bump.sh sets the tag of an image in a manifest repository, in the overlays of one or more
environments, in order: a commit for each, and one push for all of them, so that none of them
is there without the others. What somebody else has pushed meanwhile is fetched, and the work
is done again on top of it. An overlay that has the tag already is left alone, and so is one
that has a newer one: the tag v13 is never replaced by v12, whichever run ends last.

Usage: bump.sh [ENVIRONMENT...]

Without arguments, the environments are those of BRANCH in BRANCH_TABLE.

  REPOSITORY            the image's name as the manifests spell it, such as helium-backend
  TAG                   the tag to set, such as v128; tags of the form v<number> are ordered
  BRANCH                the branch that the image was built from, for the commit's message
  REVISION              the commit that it was built from, likewise
  MANIFESTS_REPOSITORY  the URL of the manifest repository
  BRANCH_TABLE          which environments a branch bumps (see environments.sh --help)
  RUN_URL               where to read about this run, for the commit's message; none
  MANIFESTS_BRANCH      its branch; main
  MANIFESTS_TOKEN       a token that may push to it over HTTPS; it is given to git for this
                        URL only, and never written down. Without one, git finds its
                        credentials itself: a deploy key in ssh-agent, a helper
  MANIFESTS_USER        the user name that goes with the token; x-access-token, as GitHub
                        wants it (GitLab: any)
  OVERLAYS              the directory in which each environment has its kustomization; overlays
  FORCE                 true: set the tag even if there is a newer one; false
  ATTEMPTS              how often to try to push; 10
  RETRY_SECONDS         how long to wait in between, at most; 3
  GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL, GIT_COMMITTER_NAME, GIT_COMMITTER_EMAIL
                        who commits; ecsrelease-ci <ecsrelease-ci@users.noreply.invalid>

Needs git and kustomize.

When GITHUB_OUTPUT is set: image=REPOSITORY:TAG, commit=<the commit of the manifest repository
that has it>, changed=true|false
TEXT
}

case ${1:-} in
-h | --help)
	usage
	exit
	;;
-*) misused "unknown option $(printf %q "$1")" ;;
esac

need_tools git kustomize
need_variables REPOSITORY TAG BRANCH REVISION MANIFESTS_REPOSITORY
MANIFESTS_BRANCH=${MANIFESTS_BRANCH:-main}
MANIFESTS_USER=${MANIFESTS_USER:-x-access-token}
OVERLAYS=${OVERLAYS:-overlays}
FORCE=${FORCE:-false}
ATTEMPTS=${ATTEMPTS:-10}
RETRY_SECONDS=${RETRY_SECONDS:-3}
RUN_URL=${RUN_URL:-}
check_repository
check_tag
check_branch
check_revision
git check-ref-format "refs/heads/$MANIFESTS_BRANCH" || misused "MANIFESTS_BRANCH is $(printf %q "$MANIFESTS_BRANCH"), which no Git branch can be called"
[[ $MANIFESTS_REPOSITORY != -* && ! $MANIFESTS_REPOSITORY =~ ://[^/@]*:[^/@]*@ ]] ||
	misused "MANIFESTS_REPOSITORY must be a URL without a password: that belongs into MANIFESTS_TOKEN"
matches OVERLAYS '^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$' 'a directory of the manifest repository'
[[ /$OVERLAYS/ != */../* ]] || misused "OVERLAYS is $OVERLAYS, want a directory of the manifest repository"
matches FORCE '^(true|false)$' 'true or false'
matches ATTEMPTS '^[1-9][0-9]?$' 'a number from 1 to 99'
matches RETRY_SECONDS '^(0|[1-9][0-9]{0,2})$' 'a number from 0 to 999'
matches RUN_URL '^[[:graph:]]*$' 'a URL'

environments=()
if [[ $# -gt 0 ]]; then
	for environment in "$@"; do
		matches environment "$environment_pattern" 'a name such as staging'
	done
	environments=("$@")
else
	need_variables BRANCH_TABLE
	table=$(environments_of "$BRANCH") || exit
	while IFS= read -r environment; do
		environments+=("$environment")
	done <<<"$table"
fi

export GIT_AUTHOR_NAME=${GIT_AUTHOR_NAME:-ecsrelease-ci}
export GIT_AUTHOR_EMAIL=${GIT_AUTHOR_EMAIL:-ecsrelease-ci@users.noreply.invalid}
export GIT_COMMITTER_NAME=${GIT_COMMITTER_NAME:-$GIT_AUTHOR_NAME}
export GIT_COMMITTER_EMAIL=${GIT_COMMITTER_EMAIL:-$GIT_AUTHOR_EMAIL}
# Nobody is there to be asked for a password.
export GIT_TERMINAL_PROMPT=0
if [[ -n ${MANIFESTS_TOKEN:-} ]]; then
	# In git's environment, so that the token is in no file, URL or list of processes.
	export MANIFESTS_TOKEN MANIFESTS_USER
	count=${GIT_CONFIG_COUNT:-0}
	export "GIT_CONFIG_KEY_$count=credential.$MANIFESTS_REPOSITORY.helper" "GIT_CONFIG_VALUE_$count="
	count=$((count + 1))
	# shellcheck disable=SC2016 # git's shell expands it
	export "GIT_CONFIG_KEY_$count=credential.$MANIFESTS_REPOSITORY.helper" \
		"GIT_CONFIG_VALUE_$count="'!f() { test "$1" = get && printf "username=%s\npassword=%s\n" "$MANIFESTS_USER" "$MANIFESTS_TOKEN"; }; f'
	export GIT_CONFIG_COUNT=$((count + 1))
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
git init --quiet .

# number prints the number of a tag v<number>, and nothing of another.
number() {
	if [[ $1 =~ ^v(0|[1-9][0-9]{0,17})$ ]]; then
		printf '%s\n' "${BASH_REMATCH[1]}"
	fi
}

# tags_in DIRECTORY prints the tags, or digests, by which what kustomize renders names the image:
# what the environment will run, wherever it is written down.
tags_in() {
	local rendered reference name tag
	rendered=$(kustomize build "$1") || die "$1 of the manifest repository does not build; the error of kustomize is above"
	while IFS= read -r reference; do
		name=${reference%%@*}
		tag=${name##*:}
		if [[ $name != *:* || $tag == */* ]]; then
			tag=
		else
			name=${name%:*}
		fi
		if [[ $name == "$REPOSITORY" || $name == */"$REPOSITORY" ]]; then
			printf '%s\n' "${tag:-${reference#"$name"}}"
		fi
	done < <(sed -nE "s/^[[:space:]]*(- )?image:[[:space:]]+[\"']?([^\"'[:space:]]+)[\"']?\$/\\2/p" <<<"$rendered")
}

# bump ENVIRONMENT commits the tag to its overlay, unless there is nothing to do.
bump() {
	local directory=$OVERLAYS/$1 tags tag mine theirs
	[[ -d $directory ]] || die "the manifest repository has no directory $directory for environment $1"
	tags=$(tags_in "$directory") || exit
	[[ -n $tags ]] || die "nothing in $directory of the manifest repository runs $REPOSITORY"
	tags=$(sort -u <<<"$tags")
	if [[ $tags == "$TAG" ]]; then
		say "$1: has $REPOSITORY:$TAG already"
		return
	fi
	mine=$(number "$TAG")
	while IFS= read -r tag; do
		theirs=$(number "$tag")
		if [[ -n $mine && -n $theirs && $theirs -gt $mine && $FORCE != true ]]; then
			warn "$1: left at $REPOSITORY:$tag, which is newer than $TAG (FORCE=true sets $TAG all the same)"
			return
		fi
	done <<<"$tags"
	# The asterisk keeps a newName that the overlay may have.
	(cd "$directory" && kustomize edit set image "$REPOSITORY=*:$TAG") ||
		die "cannot set $REPOSITORY:$TAG in $directory; the error of kustomize is above"
	tag=$(tags_in "$directory") || exit
	[[ $(sort -u <<<"$tag") == "$TAG" ]] ||
		die "setting $REPOSITORY:$TAG in $directory changed nothing that is rendered: for spec.image of an EcsRelease, the overlay needs the component of config/kustomizeconfig"
	git commit --quiet --all --cleanup=verbatim --file=- <<-MESSAGE
		Release $REPOSITORY:$TAG to $1

		Image: $REPOSITORY:$TAG
		Branch: $BRANCH
		Revision: $REVISION${RUN_URL:+
		Run: $RUN_URL}
	MESSAGE
	say "$1: $REPOSITORY $(tr '\n' ' ' <<<"$tags")-> $TAG"
}

base=''
for ((attempt = 1; ; attempt++)); do
	if git fetch --quiet --no-tags --depth=1 "$MANIFESTS_REPOSITORY" "refs/heads/$MANIFESTS_BRANCH"; then
		git checkout --quiet --force --detach FETCH_HEAD
		base=$(git rev-parse HEAD)
		for environment in "${environments[@]}"; do
			bump "$environment"
		done
		commit=$(git rev-parse HEAD)
		if [[ $commit == "$base" ]]; then
			say "nothing to commit: $MANIFESTS_BRANCH stays at $base"
			changed=false
			break
		fi
		if git push --quiet "$MANIFESTS_REPOSITORY" "HEAD:refs/heads/$MANIFESTS_BRANCH"; then
			say "pushed $commit to $MANIFESTS_BRANCH"
			changed=true
			break
		fi
		trouble="the push to $MANIFESTS_BRANCH was refused"
	else
		trouble="cannot fetch $MANIFESTS_BRANCH"
	fi
	[[ $attempt -lt $ATTEMPTS ]] || die "$trouble, $ATTEMPTS times in a row; the errors of git are above"
	say "$trouble; trying again ($attempt of $ATTEMPTS)"
	sleep $((RANDOM % (RETRY_SECONDS + 1)))
done
output image "$REPOSITORY:$TAG"
output commit "$commit"
output changed "$changed"

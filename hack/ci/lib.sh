# What the scripts beside this file share. It is sourced, never run.
# shellcheck shell=bash
set -euo pipefail
# A range such as a-z means these letters, whatever the language of the machine.
export LC_ALL=C

program=${0##*/}

# An environment has the name of a directory, and of a namespace.
readonly environment_pattern='^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'

say() { printf '%s\n' "$*"; }

# warn goes on; on GitHub the warning is shown on the page of the run as well.
warn() {
	printf '%s: warning: %s\n' "$program" "$*" >&2
	if [[ ${GITHUB_ACTIONS:-} == true ]]; then
		printf '::warning::%s\n' "$*"
	fi
}

# die is for what went wrong, misused for what cannot have gone right.
die() {
	printf '%s: %s\n' "$program" "$*" >&2
	exit 1
}
misused() {
	printf '%s: %s (%s --help says more)\n' "$program" "$*" "$program" >&2
	exit 2
}

# output hands a value to later steps of a workflow on GitHub.
output() {
	if [[ -n ${GITHUB_OUTPUT:-} ]]; then
		printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
	fi
}

# need_tools NAME... names all that are missing, not the first only.
need_tools() {
	local tool missing=
	for tool in "$@"; do
		command -v "$tool" >/dev/null || missing+=" $tool"
	done
	[[ -z $missing ]] || misused "not on the PATH:$missing"
}

# need_variables NAME... names all that are missing or empty.
need_variables() {
	local name missing=
	for name in "$@"; do
		[[ -n ${!name:-} ]] || missing+=" $name"
	done
	[[ -z $missing ]] || misused "not set:$missing"
}

# matches NAME PATTERN DESCRIPTION: what a variable holds goes into labels, commits and
# outputs, so each is held to its grammar before anything is done with it.
matches() {
	[[ ${!1} =~ $2 ]] || misused "$1 is $(printf %q "${!1}"), want $3"
}

check_branch() {
	git check-ref-format "refs/heads/$BRANCH" || misused "BRANCH is $(printf %q "$BRANCH"), which no Git branch can be called"
}
check_revision() { matches REVISION '^([0-9a-f]{40}|[0-9a-f]{64})$' 'the full hash of a commit'; }
check_tag() { matches TAG '^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$' 'a tag such as v128'; }
check_repository() {
	matches REPOSITORY '^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$' 'the name of a repository, without a registry or a tag'
}

# environments_of BRANCH prints the environments of its row in BRANCH_TABLE, a line each.
environments_of() {
	local line row environment rows=0 found=
	while IFS= read -r line; do
		read -r -a row <<<"$line" || true
		[[ ${#row[@]} -gt 0 && ${row[0]} != \#* && ${row[0]} == "$1" ]] || continue
		rows=$((rows + 1))
		for environment in "${row[@]:1}"; do
			[[ $environment != \#* ]] || break
			[[ $environment =~ $environment_pattern ]] ||
				misused "BRANCH_TABLE has the environment $(printf %q "$environment") for branch $1, want a name such as staging"
			found+=$environment$'\n'
		done
		[[ -n $found ]] || misused "BRANCH_TABLE names no environment for branch $1"
	done <<<"$BRANCH_TABLE"
	[[ $rows -ne 0 ]] || die "branch $(printf %q "$1") is not in BRANCH_TABLE: a push to it releases nothing"
	[[ $rows -eq 1 ]] || misused "BRANCH_TABLE has $rows rows for branch $1, want one"
	printf '%s' "$found"
}

#!/bin/sh
# verify.sh TARGET... makes the targets and fails, naming every file, if that changed,
# created or deleted a file that git would commit. What was already modified before is
# no difference: the state before and after are compared, not the state and the commit.
set -eu

cd "$(dirname "$0")/.."
git rev-parse --git-dir >/dev/null || {
	echo "verify: this is not a git checkout, so there is nothing to compare with" >&2
	exit 1
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# Snapshots are git trees, written with an index and an object directory of their own:
# the repository's index and objects stay as they are.
objects=$(cd "$(git rev-parse --git-path objects)" && pwd)
mkdir "$scratch/objects"
scratch_git() {
	GIT_INDEX_FILE="$scratch/index" GIT_OBJECT_DIRECTORY="$scratch/objects" \
		GIT_ALTERNATE_OBJECT_DIRECTORIES="$objects" git --no-pager "$@"
}
snapshot() {
	scratch_git add --all . && scratch_git write-tree
}

before=$(snapshot)
"${MAKE:-make}" "$@"
after=$(snapshot)

if [ "$before" = "$after" ]; then
	echo "verify: nothing changed"
	exit 0
fi
echo "verify: \`make $*\` changed these files; commit them as they are now:" >&2
scratch_git diff --no-renames --name-status "$before" "$after" >&2
echo >&2
scratch_git diff --no-renames "$before" "$after" | head -n 200 >&2
exit 1

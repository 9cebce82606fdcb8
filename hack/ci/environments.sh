#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

usage() {
	cat <<'TEXT'
environments.sh prints which environments a push to a branch bumps, a line each, in order.
It fails when the branch is in no row of the table.

Usage: environments.sh [BRANCH]

  BRANCH        the branch; the argument goes before the variable
  BRANCH_TABLE  a row for each branch: the branch, then its environments, separated by
                blanks; what follows a # is a comment

Example:

  BRANCH_TABLE='
    kartik-stg      staging
    migrated-demo2  staging production
  ' environments.sh migrated-demo2
TEXT
}

case ${1:-} in
-h | --help)
	usage
	exit
	;;
esac
[[ $# -le 1 ]] || misused "too many arguments"
BRANCH=${1:-${BRANCH:-}}
need_tools git
need_variables BRANCH BRANCH_TABLE
check_branch
environments_of "$BRANCH"

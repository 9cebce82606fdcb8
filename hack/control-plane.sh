#!/usr/bin/env bash
#
# Prints a directory that holds etcd, kube-apiserver and kubectl, fit for
# KUBEBUILDER_ASSETS. If that variable is set, it is that directory, checked;
# else one with hack/kubebox, built here when its sources are new to the cache.
#
#   hack/control-plane.sh [--link PATH]
#
# --link PATH also makes PATH a symbolic link to kubebox.
#
# The cache is ${XDG_CACHE_HOME:-~/.cache}/ecsrelease/kubebox-<hash>; the hash
# is over all that decides what the binary does. It may be deleted at any time.
# Two of these at once are safe: the second waits for the first.
set -euo pipefail

say() { echo "control-plane: $*" >&2; }
die() {
	say "$*"
	exit 1
}
usage() {
	# The comment at the top of this file.
	awk 'NR > 2 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
}
# macOS has shasum instead of sha256sum.
sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c1-16; }

link=""
while [ $# -gt 0 ]; do
	case "$1" in
	--link)
		[ $# -ge 2 ] || die "--link needs a path"
		link=$2
		shift 2
		;;
	-h | --help)
		usage
		exit 0
		;;
	*) die "unknown argument $1 (--help tells more)" ;;
	esac
done

sources=$(cd "$(dirname "${BASH_SOURCE[0]}")/kubebox" && pwd)

# link_to FILE makes the link that was asked for.
link_to() {
	[ -n "$link" ] || return 0
	mkdir -p "$(dirname "$link")"
	ln -sfn "$1" "$link"
}

# check_assets DIR ends the script unless DIR holds the programs.
check_assets() {
	local program missing=""
	for program in etcd kube-apiserver kubectl; do
		[ -x "$1/$program" ] || missing="$missing $program"
	done
	[ -z "$missing" ] || die "KUBEBUILDER_ASSETS=$1 lacks${missing}; install them there or unset the variable to have them built"
}

assets=""
if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
	check_assets "$KUBEBUILDER_ASSETS"
	assets=$(cd "$KUBEBUILDER_ASSETS" && pwd)
	# Done, unless kubebox itself is wanted and is not among them.
	if [ -z "$link" ] || [ -x "$assets/kubebox" ]; then
		say "using KUBEBUILDER_ASSETS=$assets"
		[ -z "$link" ] || link_to "$assets/kubebox"
		echo "$assets"
		exit 0
	fi
	say "using KUBEBUILDER_ASSETS=$assets, which has no kubebox for $link"
fi

command -v go >/dev/null || die "go is not installed; it is what builds kube-apiserver and etcd"
cd "$sources"

# Without these "kubectl version" fails, because a module does not know its own
# version. They are for the linker only: every package compiles as in a plain
# "go build" of the operator, which therefore finds most of its own in the cache.
version=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' go.mod)
ldflags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
	ldflags="$ldflags -X $package.gitVersion=$version -X $package.gitTreeState=clean"
done

hash=$({
	go version
	echo "$ldflags"
	for file in go.mod go.sum *.go; do
		case "$file" in *_test.go) continue ;; esac
		echo "== $file"
		cat "$file"
	done
} | sha256)
cache=${XDG_CACHE_HOME:-${HOME:?neither XDG_CACHE_HOME nor HOME is set}/.cache}/ecsrelease
dir=$cache/kubebox-$hash

build() {
	# Looked for again: another one of us may have built it while we waited.
	if [ -x "$dir/kubebox" ]; then return 0; fi
	say "building etcd, kube-apiserver, kube-controller-manager and kubectl $version from their Go modules into one binary,"
	say "once: about 9 minutes on two cores and 4 GB of Go's caches when they are empty, under a minute when they are full"
	local started=$SECONDS program
	mkdir -p "$dir"
	go build -ldflags="$ldflags" -o "$dir/.kubebox.$$" .
	for program in etcd kube-apiserver kube-controller-manager kubectl; do
		ln -sfn kubebox "$dir/$program"
	done
	# Last, and at once: where there is a kubebox, all is there.
	mv -f "$dir/.kubebox.$$" "$dir/kubebox"
	say "built $dir/kubebox in $((SECONDS - started)) s"
}

if [ ! -x "$dir/kubebox" ]; then
	mkdir -p "$cache"
	trap 'rm -f "$dir/.kubebox.$$"' EXIT
	if command -v flock >/dev/null; then
		exec 9>"$cache/kubebox-$hash.lock"
		if ! flock -n 9; then
			say "another process is building it; waiting"
			flock 9
		fi
		build
		exec 9>&-
	else
		build # twice at worst; the rename makes that harmless
	fi
fi
cd "$OLDPWD"
link_to "$dir/kubebox"
echo "${assets:-$dir}"

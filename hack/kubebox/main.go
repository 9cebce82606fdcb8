// Command kubebox is a Kubernetes control plane in one file: etcd,
// kube-apiserver, kube-controller-manager and kubectl, unmodified, from their
// published Go modules, for demos and tests on machines that have no cluster.
//
// "kubebox up" runs etcd, the API server and a few controllers in one process.
// Called as etcd, kube-apiserver, kube-controller-manager or kubectl (by a
// symbolic link, or with that word as its first argument) it is that program
// with all its flags, so a directory of such links serves as the
// KUBEBUILDER_ASSETS of controller-runtime's envtest.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

const usage = `kubebox is a Kubernetes control plane in one binary, for demos and tests.

Usage:
  kubebox up --data-dir DIR [--port PORT] ...   run a control plane until SIGINT or SIGTERM
  kubebox kubectl ARGS...                       kubectl
  kubebox etcd ARGS...                          etcd alone
  kubebox kube-apiserver ARGS...                kube-apiserver alone
  kubebox kube-controller-manager ARGS...       kube-controller-manager alone
  kubebox version                               print the versions inside

A symbolic link to kubebox named kubectl, etcd, kube-apiserver or
kube-controller-manager is that program, so that a directory of such links can
serve as KUBEBUILDER_ASSETS.

Example:
  kubebox up --data-dir /tmp/box &
  until [ -e /tmp/box/kubeconfig ]; do sleep 0.2; done
  kubebox kubectl --kubeconfig /tmp/box/kubeconfig get namespaces

"kubebox up --help" lists the flags of up.
`

// An applet is one of the programs in the binary. Its args are what follows
// its name; it returns the exit status of the process, if it returns at all.
type applet func(args []string) int

func applets() map[string]applet {
	return map[string]applet{
		"up":                      upMain,
		"etcd":                    etcdMain,
		"kube-apiserver":          apiServerMain,
		"kube-controller-manager": controllerManagerMain,
		"kubectl":                 kubectlMain,
		"version":                 versionMain,
	}
}

// linkable are the applets that the name of the executable may select. The
// others are kubebox's own words and could well be the name of something else.
var linkable = map[string]bool{
	"etcd": true, "kube-apiserver": true, "kube-controller-manager": true, "kubectl": true,
}

func main() {
	os.Exit(dispatch(os.Args, os.Stdout, os.Stderr))
}

// dispatch runs the applet that argv selects: by the base name of argv[0] if
// that is a Kubernetes program, else by argv[1].
func dispatch(argv []string, stdout, stderr io.Writer) int {
	name, args := selectApplet(argv)
	switch name {
	case "":
		fmt.Fprint(stderr, usage)
		return exitUsage
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	run, ok := applets()[name]
	if !ok {
		fmt.Fprintf(stderr, "kubebox: unknown command %q\n\n%s", name, usage)
		return exitUsage
	}
	return run(args)
}

// selectApplet returns the word that names the applet, "" if there is none,
// and the arguments meant for it.
func selectApplet(argv []string) (name string, args []string) {
	if len(argv) == 0 {
		return "", nil
	}
	if base := filepath.Base(argv[0]); linkable[base] {
		return base, argv[1:]
	}
	if len(argv) == 1 {
		return "", nil
	}
	return argv[1], argv[2:]
}

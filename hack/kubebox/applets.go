package main

import (
	"fmt"
	"os"

	etcdversion "go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	"k8s.io/component-base/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	kubeapiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	kubecontrollermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"

	// kubectl's own main does this: authentication plugins register themselves.
	_ "k8s.io/client-go/plugin/pkg/client/auth"
)

// asProgram makes os.Args what the program would see had it been started under
// its own name: etcd and kubectl read them, not only what they are handed.
func asProgram(name string, args []string) {
	os.Args = append([]string{name}, args...)
}

func etcdMain(args []string) int {
	asProgram("etcd", args)
	etcdmain.Main(os.Args)
	return exitOK
}

func apiServerMain(args []string) int {
	asProgram("kube-apiserver", args)
	return cli.Run(kubeapiserver.NewAPIServerCommand())
}

func controllerManagerMain(args []string) int {
	asProgram("kube-controller-manager", args)
	return cli.Run(kubecontrollermanager.NewControllerManagerCommand())
}

func kubectlMain(args []string) int {
	asProgram("kubectl", args)
	// As in kubectl's main: the verbosity has to be known before the command
	// is built, which already logs.
	if _, err := logs.GlogSetter(kubectl.GetLogVerbosity(os.Args)); err != nil {
		fmt.Fprintf(os.Stderr, "kubebox: setting the verbosity of kubectl: %v\n", err)
		return exitUsage
	}
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err) // prints, and exits with kubectl's status
	}
	return exitOK
}

func versionMain([]string) int {
	fmt.Printf("kubernetes %s\netcd %s\n", version.Get().GitVersion, etcdversion.Version)
	return exitOK
}

// Command golangci-lint is golangci-lint with one linter more: kube-api-linter,
// which knows the Kubernetes API conventions and registers itself as the module
// plugin "kubeapilinter".
//
// "golangci-lint custom" would write the same program, but it clones the sources
// of golangci-lint from GitHub to do so. Here both come from the module proxy, at
// the versions and checksums of this module's go.mod and go.sum.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/golangci/golangci-lint/v2/pkg/commands"
	"github.com/golangci/golangci-lint/v2/pkg/exitcodes"
	_ "sigs.k8s.io/kube-api-linter"
)

const (
	linterModule = "github.com/golangci/golangci-lint/v2"
	pluginModule = "sigs.k8s.io/kube-api-linter"
)

func main() {
	if err := commands.Execute(describeBuild()); err != nil {
		fmt.Fprintf(os.Stderr, "golangci-lint: %v\n", err)
		os.Exit(exitcodes.Failure)
	}
}

// describeBuild tells "golangci-lint version" what it is made of. The version is
// that of the golangci-lint module, so that golangci-lint's own checks on it (the
// configuration schema, the cache key) see what they would see in a release.
func describeBuild() commands.BuildInfo {
	build := commands.BuildInfo{GoVersion: "unknown", Version: "unknown", Commit: "unknown", Date: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build
	}
	build.GoVersion = info.GoVersion
	for _, module := range info.Deps {
		switch module.Path {
		case linterModule:
			build.Version = strings.TrimPrefix(module.Version, "v")
		case pluginModule:
			build.Commit = pluginModule + " " + module.Version
		}
	}
	return build
}

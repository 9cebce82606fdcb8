package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// build is what this program was built from.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	API      string `json:"api"`
}

func (p *plugin) versionCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which version of the plugin this is",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := built()
			return p.print(format, b, func() []string {
				return []string{fmt.Sprintf("kubectl-ecsrelease %s (%s, %s, for %s)", b.Version, cmp.Or(b.Revision, "no revision"), b.Go, b.API)}
			})
		},
	}
	outputFlag(cmd, &format)
	return cmd
}

// built is what the go command wrote down of this program.
func built() build {
	b := build{Version: "(devel)", Go: runtime.Version(), API: ecsv1alpha1.GroupVersion.String()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = cmp.Or(info.Main.Version, b.Version)
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			b.Revision = setting.Value
		}
	}
	return b
}

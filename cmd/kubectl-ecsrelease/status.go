package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"heliumai.space/ecsrelease/internal/screen"
)

func (p *plugin) statusCommand() *cobra.Command {
	var follow bool
	var format string
	cmd := &cobra.Command{
		Use:     "status NAME",
		GroupID: groupLook,
		Short:   "Show a release as a tree: waves, targets, services, deployments, what failed, what it waits for",
		Example: `  kubectl ecsrelease status helium-backend -n production
  kubectl ecsrelease status helium-backend -n production -w`,
		Args:              one("release"),
		ValidArgsFunction: p.completeReleases,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.connect()
			if err != nil {
				return err
			}
			if follow {
				if format != "" {
					return fmt.Errorf("-o shows one state of a release, and -w all that come: choose one (kubectl get ecsrelease %s -w -o %s)", args[0], format)
				}
				return releases.live(cmd.Context(), p, c, args[0])
			}
			release, err := releases.get(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			release.ManagedFields = nil // as kubectl does
			return p.print(format, release, func() []string {
				terminal, _ := p.terminal()
				terminal.Height = 0 // it scrolls
				return screen.Status(release, time.Now(), terminal)
			})
		},
	}
	watchFlag(cmd, &follow)
	outputFlag(cmd, &format)
	return cmd
}

package main

import (
	"time"

	"github.com/spf13/cobra"

	"heliumai.space/ecsrelease/internal/screen"
)

func (p *plugin) historyCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:               "history NAME",
		GroupID:           groupLook,
		Short:             "List the last releases, the newest first, with the numbers that hold takes",
		Example:           "  kubectl ecsrelease history helium-backend -n production",
		Args:              one("release"),
		ValidArgsFunction: p.completeReleases,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, release, err := p.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return p.print(format, release.Status.History, func() []string { return screen.History(release, time.Now()) })
		},
	}
	outputFlag(cmd, &format)
	return cmd
}

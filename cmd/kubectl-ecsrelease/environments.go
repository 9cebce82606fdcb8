package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/screen"
)

func (p *plugin) environmentsCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "environments [NAME...]",
		Aliases: []string{"environment", "env"},
		GroupID: groupLook,
		Short:   "List what runs where: the releases of each environment, and the ways in",
		Long: `List what runs where: the releases of each environment, what each asks for, and what of it came to a
good end last; then its endpoints, and whether they lead to their services. It takes reading EcsEnvironments, as the ClusterRole ecsrelease-environment-viewer may.`,
		Example: "  kubectl ecsrelease environments",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.connect()
			if err != nil {
				return err
			}
			var list ecsv1alpha1.EcsEnvironmentList
			if err := c.List(cmd.Context(), &list); err != nil {
				return fmt.Errorf("listing EcsEnvironments: %w", err)
			}
			for _, name := range args {
				if !slices.ContainsFunc(list.Items, func(e ecsv1alpha1.EcsEnvironment) bool { return e.Name == name }) {
					return fmt.Errorf("there is no EcsEnvironment %s", name)
				}
			}
			list.Items = slices.DeleteFunc(list.Items, func(e ecsv1alpha1.EcsEnvironment) bool {
				return len(args) > 0 && !slices.Contains(args, e.Name)
			})
			for i := range list.Items {
				list.Items[i].ManagedFields = nil // as kubectl does
			}
			list.SetGroupVersionKind(ecsv1alpha1.GroupVersion.WithKind("EcsEnvironmentList"))
			return p.print(format, &list, func() []string { return screen.Environments(list.Items) })
		},
	}
	outputFlag(cmd, &format)
	return cmd
}

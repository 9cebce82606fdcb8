package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func (p *plugin) suspendCommand() *cobra.Command {
	return p.suspension("suspend", "Start nothing more in a release, not even a rollback; what is in flight goes on", true)
}

func (p *plugin) resumeCommand() *cobra.Command {
	return p.suspension("resume", "Let a release that was suspended go on", false)
}

// suspension is the command that suspends a release, or resumes it. Resuming takes spec.suspend out, so
// that a manifest which does not have it does not differ.
func (p *plugin) suspension(name, short string, suspend bool) *cobra.Command {
	patch := `{"spec":{"suspend":null}}`
	if suspend {
		patch = `{"spec":{"suspend":true}}`
	}
	return &cobra.Command{
		Use:               name + " NAME",
		GroupID:           groupOrder,
		Short:             short,
		Long:              short + ".\n\nIt changes spec.suspend: where Git has that field too, Argo CD or Flux put back what Git says.",
		Example:           fmt.Sprintf("  kubectl ecsrelease %s helium-backend -n production", name),
		Args:              one("release"),
		ValidArgsFunction: p.completeReleases,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, release, err := p.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if release.Spec.Suspend == suspend {
				p.say(fmt.Sprintf("nothing to do: spec.suspend is %t", suspend))
				return nil
			}
			if err := c.Patch(cmd.Context(), release, client.RawPatch(types.MergePatchType, []byte(patch)), client.FieldOwner(fieldOwner)); err != nil {
				return fmt.Errorf("patching EcsRelease %s/%s: %w", release.Namespace, release.Name, err)
			}
			if suspend {
				p.say("suspended: nothing more is started; to go on:", "  "+p.flags().Command(release, "resume"))
				return nil
			}
			p.say("resumed; to see it go on:", "  "+p.flags().Command(release, "status", "-w"))
			return nil
		},
	}
}

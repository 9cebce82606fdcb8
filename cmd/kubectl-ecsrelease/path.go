package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/screen"
)

func (p *plugin) pathCommand() *cobra.Command {
	var follow bool
	var format string
	cmd := &cobra.Command{
		Use:     "path NAME",
		GroupID: groupLook,
		Short:   "Show the way in to services hop by hop, from a host name to the tasks, and where it breaks",
		Long: `Show the way in of an EcsEndpoint hop by hop, from a host name to the tasks that answer for it, with a
column for each region, and below it what is in the way: what was seen, what was wanted, what to do.

Ends with 0 when every hop leads on, 1 when one does not, or nothing will be known of it until somebody
changes something, 2 when AWS is working on a hop or it is not known yet, 3 when it was never whole and
the next step is yours, 4 when it was used wrongly or the API could not be asked.`,
		Example: `  kubectl ecsrelease path api -n production
  kubectl ecsrelease path api -n production -w`,
		Args:              one("endpoint"),
		ValidArgsFunction: p.completeEndpoints,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.connect()
			if err != nil {
				return err
			}
			if follow {
				if format != "" {
					return fmt.Errorf("-o shows one state of an endpoint, and -w all that come: choose one (kubectl get ecsendpoint %s -w -o %s)", args[0], format)
				}
				return endpoints.live(cmd.Context(), p, c, args[0])
			}
			endpoint, err := endpoints.get(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			endpoint.ManagedFields = nil // as kubectl does
			err = p.print(format, endpoint, func() []string {
				terminal, _ := p.terminal()
				terminal.Height = 0 // it scrolls
				return screen.Path(endpoint, time.Now(), terminal)
			})
			if code := pathExit(endpoint); err == nil && code != rollout.ExitReady {
				return &ending{code: code} // what there is to say was said
			}
			return err
		},
	}
	watchFlag(cmd, &follow)
	outputFlag(cmd, &format)
	return cmd
}

// pathExit is what a look at a way in ends with.
func pathExit(endpoint *ecsv1alpha1.EcsEndpoint) int {
	ready := meta.FindStatusCondition(endpoint.Status.Conditions, ecsv1alpha1.ConditionReady)
	switch {
	case ready == nil, endpoint.Status.ObservedGeneration != endpoint.Generation, ready.ObservedGeneration != endpoint.Generation:
		return rollout.ExitTimeout
	case ready.Status == "True":
		return rollout.ExitReady
	case meta.IsStatusConditionTrue(endpoint.Status.Conditions, ecsv1alpha1.ConditionStalled):
		return rollout.ExitFailed
	case ready.Reason == ecsv1alpha1.ReasonUnwired:
		return rollout.ExitPerson
	default:
		return rollout.ExitTimeout
	}
}

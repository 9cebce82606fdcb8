package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/screen"
)

func (p *plugin) approveCommand() *cobra.Command {
	var timeout time.Duration
	var all bool
	cmd := &cobra.Command{
		Use:     "approve NAME [ID...]",
		GroupID: groupOrder,
		Short:   orderApprove.short,
		Long: `Let a wave open, or a deployment go on that a hook of its has paused, by the ids that status shows.
It takes the verb approve on the release. Nothing can be approved in advance.`,
		Example: `  kubectl ecsrelease approve helium-backend -n production r2-wave-1-xvmp
  kubectl ecsrelease approve helium-backend -n production --all`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: p.completeAwaiting,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, release, err := p.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			ids, err := approvals(release, args[1:], all)
			if err != nil {
				return err
			}
			err = p.give(cmd.Context(), c, release, orderApprove, strings.Join(ids, ","), timeout)
			if apierrors.IsForbidden(err) {
				return fmt.Errorf("%w (bind the ClusterRole ecsrelease-release-approver to whom may approve)", err)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "Approve all that waits now.")
	orderFlags(cmd, &timeout)
	return cmd
}

// approvals are the ids to approve: all that wait, or those named, which then must wait.
func approvals(release *ecsv1alpha1.EcsRelease, named []string, all bool) ([]string, error) {
	const most = 1024 // bytes of the annotation that count
	var waiting []string
	for _, a := range release.Status.Awaiting {
		waiting = append(waiting, a.ID)
	}
	switch {
	case len(waiting) == 0:
		return nil, fmt.Errorf("nothing of EcsRelease %s/%s waits for approval: it is %s", release.Namespace, release.Name, screen.Headline(release))
	case all == (len(named) > 0):
		return nil, fmt.Errorf("name what to approve, or say --all; what waits:\n  %s", strings.Join(waiting, "\n  "))
	case all:
		named = waiting
	}
	for _, id := range named {
		if !slices.Contains(waiting, id) {
			return nil, fmt.Errorf("nothing waits with the id %s; what waits:\n  %s", id, strings.Join(waiting, "\n  "))
		}
	}
	if len(strings.Join(named, ",")) > most {
		return nil, errors.New("these are more ids than fit into one approval: approve some of them first")
	}
	return named, nil
}

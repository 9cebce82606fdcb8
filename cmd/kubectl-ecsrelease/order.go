package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/screen"
)

// order is a command that a release takes as an annotation.
type order struct {
	name string
	// annotation carries it, and handled is its echo in the status.
	annotation string
	handled    func(*ecsv1alpha1.HandledCommands) string
	short      string
}

// The commands of a release. Those of orders need nothing but a token.
var (
	orders = []order{
		{
			"reconcile", ecsv1alpha1.AnnotationReconcile, func(h *ecsv1alpha1.HandledCommands) string { return h.Reconcile },
			"Look at every service now, and at whether tags have moved",
		},
		{
			"retry", ecsv1alpha1.AnnotationRetry, func(h *ecsv1alpha1.HandledCommands) string { return h.Retry },
			"Try what failed once more, with the same image",
		},
		{
			"restart", ecsv1alpha1.AnnotationRestart, func(h *ecsv1alpha1.HandledCommands) string { return h.Restart },
			"Deploy the same revision anew in every service, wave by wave",
		},
		{
			"abort", ecsv1alpha1.AnnotationAbort, func(h *ecsv1alpha1.HandledCommands) string { return h.Abort },
			"Make what is in flight fail; strategy.onFailure says what follows",
		},
		{
			"release-hold", ecsv1alpha1.AnnotationReleaseHold, func(h *ecsv1alpha1.HandledCommands) string { return h.ReleaseHold },
			"End a hold: go to what the spec says",
		},
	}
	orderApprove = order{
		"approve", ecsv1alpha1.AnnotationApprove, func(h *ecsv1alpha1.HandledCommands) string { return h.Approve },
		"Let a wave open, or a paused deployment go on",
	}
	orderHold = order{
		"hold", ecsv1alpha1.AnnotationHold, func(h *ecsv1alpha1.HandledCommands) string { return h.Hold },
		"Go back to a release of history and stay there, whatever the spec says",
	}
)

// fieldOwner is who the API server says has written our annotations.
const fieldOwner = "kubectl-ecsrelease"

// patience is how long the controller is given to take a command, unless --timeout says otherwise.
const patience = 30 * time.Second

// orderCommand is the command for an order that needs nothing but a token.
func (p *plugin) orderCommand(o order) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:               o.name + " NAME",
		GroupID:           groupOrder,
		Short:             o.short,
		Example:           fmt.Sprintf("  kubectl ecsrelease %s helium-backend -n production", o.name),
		Args:              one("release"),
		ValidArgsFunction: p.completeReleases,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, release, err := p.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return p.give(cmd.Context(), c, release, o, token(), timeout)
		},
	}
	orderFlags(cmd, &timeout)
	return cmd
}

func orderFlags(cmd *cobra.Command, timeout *time.Duration) {
	timeoutFlag(cmd, timeout, patience, "How long the controller may take to take it; 0: send it and do not wait.")
}

// token is one that was never used before: when it was made, which people can read, and 50 bits of
// chance, which even a script that gives a thousand orders in one second does not meet twice.
func token() string {
	const chance = 10
	return time.Now().UTC().Format("2006-01-02T15:04:05Z") + "-" + strings.ToLower(rand.Text()[:chance])
}

// give gives an order to a release and says what became of it. It is an ending when the controller
// refused it, or did not take it in time.
func (p *plugin) give(ctx context.Context, c *cluster, release *ecsv1alpha1.EcsRelease, o order, value string, timeout time.Duration) error {
	heard, _ := c.answers(ctx, release, o) // whether they can be read is said where they are needed
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{o.annotation: value}}})
	if err != nil {
		return fmt.Errorf("writing the patch: %w", err)
	}
	sent := release.DeepCopy()
	if err := c.Patch(ctx, sent, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("annotating EcsRelease %s/%s: %w", release.Namespace, release.Name, err)
	}
	if timeout <= 0 {
		p.say(fmt.Sprintf("%s sent (%s=%s)", o.name, o.annotation, value))
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	after, err := c.taken(ctx, release, o, value, p.trouble())
	switch {
	case late(ctx, err):
		return &ending{rollout.ExitTimeout, fmt.Sprintf(
			"%s was sent, and no controller has taken it within %s: is the manager running? It is taken when one does", o.name, timeout)}
	case err != nil:
		return err
	}
	taken := fmt.Sprintf("%s was taken: %s", o.name, screen.Headline(after))
	if o.annotation == ecsv1alpha1.AnnotationReconcile { // which is never refused, and has no event
		p.say(taken)
		return nil
	}
	answer, err := c.answer(ctx, after, o, heard)
	if err != nil {
		p.say(taken)
		fmt.Fprintf(p.problems, "whether the controller could act on it, or refused it, cannot be told: %v\n", err)
		return nil
	}
	if answer.ignored {
		return &ending{rollout.ExitFailed, fmt.Sprintf("%s was refused: %s", o.name, answer.note)}
	}
	p.say(fmt.Sprintf("%s: %s", o.name, answer.note), "To see it go on:", "  "+p.flags().Command(after, "status", "-w"))
	return nil
}

// taken is the release once the controller has taken an order of ours, and has said what that makes of
// the release: the status that first echoes it may be written on the way, with the conditions of
// before. It is content with the echo when the conditions do not follow soon.
func (c *cluster) taken(
	ctx context.Context, before *ecsv1alpha1.EcsRelease, o order, value string, trouble func(error),
) (*ecsv1alpha1.EcsRelease, error) {
	const soon = 10 * time.Second
	var after *ecsv1alpha1.EcsRelease
	reported, cancel := context.WithCancel(ctx)
	defer cancel()
	err := releases.follow(reported, c, before.Name, func(release *ecsv1alpha1.EcsRelease) bool {
		handled := release.Status.Handled
		if handled == nil || o.handled(handled) != value {
			return false
		}
		if after == nil {
			time.AfterFunc(soon, cancel)
		}
		after = release.DeepCopy()
		return screen.Headline(after) != screen.Headline(before) || !announced(after)
	}, trouble)
	if after != nil {
		return after, nil
	}
	return nil, err
}

// announced says that a call of the controller is announced in the status and has no answer there yet.
func announced(release *ecsv1alpha1.EcsRelease) bool {
	for i := range release.Status.Targets {
		for j := range release.Status.Targets[i].Services {
			if release.Status.Targets[i].Services[j].Intent != nil {
				return true
			}
		}
	}
	return false
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/screen"
)

func (p *plugin) waitCommand() *cobra.Command {
	const usual = 30 * time.Minute
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:     "wait NAME",
		GroupID: groupLook,
		Short:   "Wait until a release is ready, failed, or waits for a person",
		Long: `Wait until a release is ready, failed, or waits for a person, and print a line per change meanwhile.

Ends with 0 when it is ready, 1 when it failed or is Stalled, 2 when the time is up, 3 when it waits
for a person (an approval, a paused hook, a hold, a suspend), 4 when it was used wrongly or the API
could not be asked. A change of the spec that comes meanwhile is waited for too.`,
		Example:           "  kubectl ecsrelease wait helium-backend -n production --timeout 45m",
		Args:              one("release"),
		ValidArgsFunction: p.completeReleases,
		RunE: func(cmd *cobra.Command, args []string) error {
			if timeout <= 0 {
				return fmt.Errorf("--timeout is %s: it must be more than 0", timeout)
			}
			c, err := p.connect()
			if err != nil {
				return err
			}
			return p.await(cmd.Context(), c, args[0], timeout)
		},
	}
	timeoutFlag(cmd, &timeout, usual, "How long to wait at most.")
	return cmd
}

// await follows a release until it is in a phase that needs no waiting, and ends as the table of phases
// says.
func (p *plugin) await(ctx context.Context, c *cluster, name string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var last *ecsv1alpha1.EcsRelease
	var wrong error
	trouble := p.trouble()
	err := releases.follow(ctx, c, name, func(release *ecsv1alpha1.EcsRelease) bool {
		p.say(screen.Changes(last, release, time.Now(), p.flags())...)
		last, wrong = release.DeepCopy(), nil
		return !ordered(release) && rollout.PhaseOf(release).Row().Exit != rollout.ExitTimeout
	}, func(err error) {
		wrong = err
		trouble(err)
	})
	switch {
	case late(ctx, err) && (last == nil || wrong != nil):
		return fmt.Errorf("the API server did not answer until %s were over: %w", timeout, errors.Join(wrong, err))
	case late(ctx, err):
		return &ending{rollout.ExitTimeout, fmt.Sprintf("%s were not enough: it is %s", timeout, rollout.PhaseOf(last))}
	case err != nil:
		return err
	}
	code := rollout.PhaseOf(last).Row().Exit
	switch {
	case code == rollout.ExitReady:
		return nil
	case code == rollout.ExitPerson && len(last.Status.Awaiting) > 0:
		return &ending{code: code} // what is to be decided was printed as it came
	}
	p.advise(last)
	return &ending{code: code}
}

// late says that err is because of the deadline of ctx, and not of a request of its own.
func late(ctx context.Context, err error) bool {
	return err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded)
}

// ordered says that a release carries an order that no controller has taken yet: what its status says is
// from before that. Of a release that was never seen it says nothing yet anyway.
func ordered(release *ecsv1alpha1.EcsRelease) bool {
	const echo = 253 // bytes; a token that is longer than 256 is echoed by its beginning, in whole characters
	handled := release.Status.Handled
	if handled == nil {
		handled = &ecsv1alpha1.HandledCommands{}
	}
	for _, o := range append(slices.Clone(orders), orderApprove, orderHold) {
		token, taken := release.Annotations[o.annotation], o.handled(handled)
		echoed := token == taken || len(taken) >= echo && strings.HasPrefix(token, taken)
		if token != "" && !echoed {
			return true
		}
	}
	return false
}

// advise prints what may be done next about a release.
func (p *plugin) advise(release *ecsv1alpha1.EcsRelease) {
	for _, advice := range screen.Next(release, time.Now(), p.flags()) {
		p.say(advice.Says)
		if advice.Command != "" {
			p.say("  " + advice.Command)
		}
	}
}

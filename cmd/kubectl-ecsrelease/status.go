package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
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
		Args:              one,
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
				return p.watchStatus(cmd.Context(), c, args[0])
			}
			release, err := c.release(cmd.Context(), args[0])
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
	cmd.Flags().BoolVarP(&follow, "watch", "w", false, "Go on until interrupted: redraw in a terminal, print a line per change elsewhere.")
	outputFlag(cmd, &format)
	return cmd
}

// watchStatus shows a release as it goes on, until it is deleted or the user has seen enough.
func (p *plugin) watchStatus(ctx context.Context, c *cluster, name string) error {
	if _, ok := p.terminal(); !ok {
		var last *ecsv1alpha1.EcsRelease
		return c.follow(ctx, name, func(release *ecsv1alpha1.EcsRelease) bool {
			p.say(screen.Changes(last, release, time.Now(), p.flags())...)
			last = release.DeepCopy()
			return false
		}, p.trouble())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	states := make(chan *ecsv1alpha1.EcsRelease)
	troubles := make(chan error)
	ended := make(chan error, 1)
	go func() {
		ended <- c.follow(ctx, name, func(release *ecsv1alpha1.EcsRelease) bool {
			select {
			case states <- release.DeepCopy():
			case <-ctx.Done():
			}
			return false
		}, func(err error) {
			select {
			case troubles <- err:
			case <-ctx.Done():
			}
		})
	}()
	return p.draw(states, troubles, ended)
}

// draw draws each state that comes, and every second what time changes of the last one.
func (p *plugin) draw(states <-chan *ecsv1alpha1.EcsRelease, troubles, ended <-chan error) error {
	frame := frame{out: p.out}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var last *ecsv1alpha1.EcsRelease
	var wrong error
	for {
		select {
		case last = <-states:
			wrong = nil
		case wrong = <-troubles:
		case err := <-ended:
			return err
		case <-ticker.C:
		}
		if last == nil {
			continue
		}
		terminal, _ := p.terminal()
		frame.show(liveLines(last, wrong, time.Now(), terminal))
	}
}

// liveLines are a release in a terminal, with what is wrong with the API server meanwhile.
func liveLines(release *ecsv1alpha1.EcsRelease, wrong error, now time.Time, terminal screen.Terminal) []string {
	terminal.Height-- // the cursor is below
	if wrong == nil {
		return screen.Status(release, now, terminal)
	}
	terminal.Height--
	return append(screen.Status(release, now, terminal), screen.Notice("not heard of since, still trying: "+wrong.Error(), terminal))
}

// trouble prints what is wrong with the API server, once in a row.
func (p *plugin) trouble() func(error) {
	var last string
	return func(err error) {
		if said := err.Error(); said != last {
			fmt.Fprintln(p.problems, "still trying:", said)
			last = said
		}
	}
}

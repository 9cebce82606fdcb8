package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"heliumai.space/ecsrelease/internal/screen"
)

// watchFlag lets a command go on.
func watchFlag(cmd *cobra.Command, follow *bool) {
	cmd.Flags().BoolVarP(follow, "watch", "w", false, "Go on until interrupted: redraw in a terminal, print a line per change elsewhere.")
}

// live shows an object as it goes on, until it is deleted or the user has seen enough: drawn in place in
// a terminal, by a line per change elsewhere.
func (k kind[T]) live(ctx context.Context, p *plugin, c *cluster, name string) error {
	if _, ok := p.terminal(); !ok {
		var last T
		return k.follow(ctx, c, name, func(object T) bool {
			p.say(k.changes(last, object, time.Now(), p.flags())...)
			last = k.copy(object)
			return false
		}, p.trouble())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	states := make(chan T)
	troubles := make(chan error)
	ended := make(chan error, 1)
	go func() {
		ended <- k.follow(ctx, c, name, func(object T) bool {
			select {
			case states <- k.copy(object):
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
	return k.draw(p, states, troubles, ended)
}

// copy is an object that nobody else has.
func (k kind[T]) copy(object T) T { return object.DeepCopyObject().(T) }

// draw draws each state that comes, and every second what time changes of the last one.
func (k kind[T]) draw(p *plugin, states <-chan T, troubles, ended <-chan error) error {
	frame := frame{out: p.out}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var last T
	var known bool
	var wrong error
	for {
		select {
		case last = <-states:
			known, wrong = true, nil
		case wrong = <-troubles:
		case err := <-ended:
			return err
		case <-ticker.C:
		}
		if !known {
			continue
		}
		terminal, _ := p.terminal()
		frame.show(k.lines(last, wrong, time.Now(), terminal))
	}
}

// lines are an object in a terminal, with what is wrong with the API server meanwhile.
func (k kind[T]) lines(object T, wrong error, now time.Time, terminal screen.Terminal) []string {
	terminal.Height-- // the cursor is below
	if wrong == nil {
		return k.whole(object, now, terminal)
	}
	terminal.Height--
	return append(k.whole(object, now, terminal), screen.Notice("not heard of since, still trying: "+wrong.Error(), terminal))
}

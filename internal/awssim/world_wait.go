package awssim

import (
	"context"
	"time"
)

// A call may wait for something to happen in the world: it stands in for the clock that this
// package does not have, and looks whenever an event is due.

// glance is how often one that waits looks at most, lest a busy world does nothing else.
const glance = 5 * time.Millisecond

// await gives the lock up until the time has come, the next event is due or somebody calls
// rouse; then everything that is due has happened. It returns the error of a context that ends
// before. The caller holds mu, and holds it again afterwards.
func (w *world) await(ctx context.Context, until time.Time) error {
	if w.waiting == nil {
		w.waiting = make(chan struct{})
	}
	roused := w.waiting
	if len(w.queue) > 0 && w.queue[0].due.Before(until) {
		until = w.queue[0].due
	}
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.advance()
	}()
	timer := time.NewTimer(max(time.Until(until), glance))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-roused:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rouse wakes all who wait. The caller holds mu.
func (w *world) rouse() {
	if w.waiting != nil {
		close(w.waiting)
		w.waiting = nil
	}
}

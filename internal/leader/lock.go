// Package leader knows how long this process still holds the lease, so that no call that
// changes something outlives it.
package leader

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// Lock is a resource lock that remembers when the lease was last written by us. It is the lock
// of a leader election; Gate answers for it.
type Lock struct {
	resourcelock.Interface

	duration time.Duration
	margin   time.Duration
	wait     time.Duration

	mu      sync.Mutex
	others  bool // somebody else held the lease when it was last read
	renewed time.Time
	opens   time.Time
}

// NewLock wraps the lock of an election whose lease lasts duration. margin is what is kept of
// it for clocks that differ and for the way to AWS. wait is how long calls of the
// last holder may go on: for as long as the longest one lasts, after the time between two renewals, within
// which a holder notices that its lease was deleted. Unless the lease was released, the gate stays closed
// that long.
func NewLock(lock resourcelock.Interface, duration, margin, wait time.Duration) *Lock {
	return &Lock{Interface: lock, duration: duration, margin: margin, wait: wait}
}

// Get reads the lease, and takes note of whether somebody else holds it, who shuts the gate.
func (l *Lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	if err == nil {
		l.mu.Lock()
		if l.others = record.HolderIdentity != "" && record.HolderIdentity != l.Identity(); l.others {
			l.renewed = time.Time{}
		}
		l.mu.Unlock()
	}
	return record, raw, err
}

// Create acquires a lease that does not exist. Where it was another's when it was last read it was deleted
// under that one, who goes on until the next renewal fails. One that was never seen is new.
func (l *Lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.write(record, l.takeover(), func() error { return l.Interface.Create(ctx, record) })
}

// Update acquires, renews or releases the lease. A lease that somebody else holds is not released:
// a leader that wakes up after its time reads the lease of its successor, still takes itself for
// the leader, and would give away what is not its own.
func (l *Lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if record.HolderIdentity != l.Identity() && l.lost() {
		return fmt.Errorf("the lease %s is held by another process: there is nothing to release", l.Describe())
	}
	return l.write(record, l.takeover(), func() error { return l.Interface.Update(ctx, record) })
}

// takeover is how long the gate stays closed when the lease is acquired: as long as the calls of one who
// held it last, and did not release it.
func (l *Lock) takeover() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.renewed.IsZero() && l.others {
		return l.wait
	}
	return 0
}

// write counts a lease from before the request was sent: whoever reads it counts from later. The gate is
// closed for a time after it; 0 leaves it as it is.
func (l *Lock) write(record resourcelock.LeaderElectionRecord, closed time.Duration, send func() error) error {
	sent := time.Now()
	if err := send(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if record.HolderIdentity != l.Identity() {
		l.renewed = time.Time{}
		return nil
	}
	if closed > 0 {
		l.opens = time.Now().Add(closed)
	}
	l.renewed = sent
	return nil
}

// lost says whether another process held the lease when it was last read.
func (l *Lock) lost() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.others
}

// Gate is nil while the lease is ours for at least as long as needed, margin included.
func (l *Lock) Gate(needed time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.renewed.IsZero() {
		return fmt.Errorf("this process does not hold the lease %s", l.Describe())
	}
	if closed := time.Until(l.opens); closed > 0 {
		return fmt.Errorf("the lease %s was not released by its last holder, whose calls may be under way for %s", l.Describe(), closed.Round(time.Millisecond))
	}
	return l.left(needed)
}

// Held is nil while the lease is ours, margin included. It is for what cannot be undone by whoever
// takes over, but does no harm beside what the last holder has under way.
func (l *Lock) Held() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.renewed.IsZero() {
		return fmt.Errorf("this process does not hold the lease %s", l.Describe())
	}
	return l.left(0)
}

// left is nil while so much is left of the lease. The caller holds mu.
func (l *Lock) left(needed time.Duration) error {
	left := l.duration - time.Since(l.renewed) - l.margin
	if left < needed {
		return fmt.Errorf("%s are left of the lease %s, a call needs %s", max(left, 0).Round(time.Millisecond), l.Describe(), needed)
	}
	return nil
}

package leader

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// lease is an API server's side of a lock: it takes what it is given, slowly, or fails.
type lease struct {
	resourcelock.Interface
	takes time.Duration
	err   error
	held  string
}

func (l *lease) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	return &resourcelock.LeaderElectionRecord{HolderIdentity: l.held}, nil, nil
}

func (l *lease) Identity() string { return "me" }
func (l *lease) Describe() string { return "system/ecsrelease" }
func (l *lease) Create(context.Context, resourcelock.LeaderElectionRecord) error {
	time.Sleep(l.takes)
	return l.err
}

func (l *lease) Update(context.Context, resourcelock.LeaderElectionRecord) error {
	time.Sleep(l.takes)
	return l.err
}

func TestTheGateIsOpenOnlyWhileTheLeaseOutlastsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &lease{takes: time.Second}
		lock := NewLock(server, 15*time.Second, time.Second, 5*time.Second)
		mine := resourcelock.LeaderElectionRecord{HolderIdentity: "me"}

		open := func(want bool, when string) {
			t.Helper()
			if err := lock.Gate(5 * time.Second); (err == nil) != want {
				t.Errorf("%s: the gate says %v, want open: %t", when, err, want)
			}
		}
		open(false, "before the lease is ours")

		if err := lock.Update(t.Context(), mine); err != nil {
			t.Fatal(err)
		}
		open(true, "after it was acquired")

		// 15 s, less the second the request took, less a second of margin, less 8: 5 are left.
		time.Sleep(8 * time.Second)
		open(true, "while five seconds are left")
		time.Sleep(time.Millisecond)
		open(false, "when less than the call needs is left")

		server.err = errors.New("conflict")
		if err := lock.Update(t.Context(), mine); err == nil {
			t.Fatal("a failed renewal must be told")
		}
		open(false, "after a failed renewal")

		server.err = nil
		if err := lock.Update(t.Context(), mine); err != nil {
			t.Fatal(err)
		}
		open(true, "after a renewal")

		if err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: ""}); err != nil {
			t.Fatal(err)
		}
		open(false, "after the lease was released")
	})
}

func TestALeaseIsHeldUntilItCouldBeTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lock := NewLock(&lease{held: "another"}, 15*time.Second, time.Second, 5*time.Second)
		held := func(want bool, when string) {
			t.Helper()
			if err := lock.Held(); (err == nil) != want {
				t.Errorf("%s: %v, want it held: %t", when, err, want)
			}
		}
		if _, _, err := lock.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		held(false, "while another holds it")
		if err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "me"}); err != nil {
			t.Fatal(err)
		}
		held(true, "at once when it was taken over, though the gate is still shut")
		time.Sleep(14 * time.Second)
		held(true, "up to the margin")
		time.Sleep(time.Millisecond)
		held(false, "after a pause as long as the lease")
	})
}

func TestTheGateStaysClosedForTheLastHoldersCalls(t *testing.T) {
	for held, want := range map[string]time.Duration{"another": 5 * time.Second, "": 0, "me": 0} {
		synctest.Test(t, func(t *testing.T) {
			lock := NewLock(&lease{held: held}, 15*time.Second, time.Second, 5*time.Second)
			if _, _, err := lock.Get(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "me"}); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			for lock.Gate(time.Second) != nil {
				time.Sleep(100 * time.Millisecond)
			}
			if waited := time.Since(began); waited != want {
				t.Errorf("taken from %q: the gate opened after %s, want %s", held, waited, want)
			}
		})
	}
}

// A lease that does not exist was deleted under whoever was seen to hold it, who does not know yet.
func TestTheGateOfALeaseThatWasDeletedStaysClosed(t *testing.T) {
	for held, want := range map[string]time.Duration{"another": 13 * time.Second, "": 0, "me": 0} {
		synctest.Test(t, func(t *testing.T) {
			const wait = 13 * time.Second
			lock := NewLock(&lease{held: held}, time.Minute, time.Second, wait)
			if _, _, err := lock.Get(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := lock.Create(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "me"}); err != nil {
				t.Fatal(err)
			}
			if err := lock.Held(); err != nil {
				t.Errorf("it is ours, and not held: %v", err)
			}
			began := time.Now()
			if err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "me"}); err != nil {
				t.Fatal(err)
			}
			for lock.Gate(time.Second) != nil {
				time.Sleep(100 * time.Millisecond)
			}
			if waited := time.Since(began); waited != want {
				t.Errorf("last held by %q: the gate opened after %s, want %s", held, waited, want)
			}
		})
	}
}

func TestALeaseThatAnotherHoldsIsNotReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &lease{}
		lock := NewLock(server, 15*time.Second, time.Second, 5*time.Second)
		if err := lock.Create(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "me"}); err != nil {
			t.Fatal(err)
		}
		// While this process slept another took over. What client-go does on its way out is to
		// read the lease, and then to empty whichever it has read.
		server.held, server.err = "another", errors.New("the lease of another was written")
		if _, _, err := lock.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		if lock.Gate(time.Second) == nil || lock.Held() == nil {
			t.Error("the lease was seen to be another's, and the gate is open")
		}
		err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{})
		if err == nil || errors.Is(err, server.err) {
			t.Errorf("the release says %v, wanted that it was not even tried", err)
		}
		if lock.Gate(time.Second) == nil {
			t.Error("the gate is open although another holds the lease")
		}

		server.held, server.err = "me", nil
		if _, _, err := lock.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{}); err != nil {
			t.Errorf("our own lease can't be released: %v", err)
		}
	})
}

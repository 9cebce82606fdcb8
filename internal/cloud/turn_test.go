package cloud

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"heliumai.space/ecsrelease/internal/rollout"
)

// budgeted is a fleet that has nothing but its share of the quotas.
func budgeted(t *testing.T, share float64) *Fleet {
	t.Helper()
	m, err := newMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return &Fleet{metrics: m, budget: newBudget(share, m), options: Options{Gate: func(time.Duration) error { return nil }}}
}

// spend takes tokens until none is left, and says how many there were.
func spend(f *Fleet, key bucketKey) int {
	for taken := 0; ; taken++ {
		if _, ok := f.budget.take(key, urgent); !ok {
			return taken
		}
	}
}

func TestAStepWaitsUntilItsQuotaHasATokenAgain(t *testing.T) {
	mumbai := Key{Identity: Identity{AccountID: "111122223333"}, Region: "ap-south-1", Cluster: "c", Service: "s"}
	for name, c := range map[string]struct {
		action rollout.Action
		quota  quota
		burst  int           // half of what AWS publishes
		refill time.Duration // of one token, likewise
	}{
		"a registration": {rollout.ActionRegister, quotaTaskDefModify, 10, 2 * time.Second},
		"an update":      {rollout.ActionUpdate, quotaServiceModify, 25, 400 * time.Millisecond},
		"a restart":      {rollout.ActionRestart, quotaServiceModify, 25, 400 * time.Millisecond},
		"a stop":         {rollout.ActionStop, quotaDeploymentModify, 25, 400 * time.Millisecond},
		"a decision":     {rollout.ActionContinue, quotaDeploymentModify, 25, 400 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := budgeted(t, 0.5)
				key := bucketKey{account: "111122223333", region: "ap-south-1", quota: c.quota}
				if wait := f.Wait(mumbai, c.action); wait != 0 {
					t.Fatalf("with a full bucket the wait is %s, want none", wait)
				}
				if got := spend(f, key); got != c.burst {
					t.Errorf("the burst is %d tokens, want %d", got, c.burst)
				}
				wait := f.Wait(mumbai, c.action)
				if wait < c.refill || wait > c.refill+5*time.Millisecond {
					t.Errorf("with an empty bucket the wait is %s, want %s", wait, c.refill)
				}
				time.Sleep(wait)
				if again := f.Wait(mumbai, c.action); again != 0 {
					t.Errorf("after the wait there are another %s to wait", again)
				}
				if _, ok := f.budget.take(key, urgent); !ok {
					t.Error("after the wait there is no token to take")
				}
			})
		})
	}
}

func TestAskingForATurnTakesNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 1)
		mumbai := Key{Identity: Identity{AccountID: "111122223333"}, Region: "ap-south-1"}
		for range 1000 {
			if wait := f.Wait(mumbai, rollout.ActionRegister); wait != 0 {
				t.Fatalf("asking made a wait of %s", wait)
			}
		}
		if got := spend(f, bucketKey{"111122223333", "ap-south-1", quotaTaskDefModify}); got != 20 {
			t.Errorf("after asking, %d tokens are left, want 20", got)
		}
	})
}

func TestQuotasAreThoseOfAnAccountInARegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.5)
		spend(f, bucketKey{"111122223333", "ap-south-1", quotaServiceModify})
		waits := func(account, region, role string) bool {
			return f.Wait(Key{Identity: Identity{AccountID: account, RoleARN: role}, Region: region}, rollout.ActionUpdate) > 0
		}
		if !waits("111122223333", "ap-south-1", "arn:aws:iam::111122223333:role/another") {
			t.Error("another role of the account has a quota of its own")
		}
		if waits("111122223333", "us-east-1", "") {
			t.Error("another region shares the quota")
		}
		if waits("444455556666", "ap-south-1", "") {
			t.Error("another account shares the quota")
		}
		if f.Wait(Key{Identity: Identity{AccountID: "111122223333"}, Region: "ap-south-1"}, rollout.ActionRegister) > 0 {
			t.Error("registrations share the quota of updates")
		}
	})
}

func TestAThrottleShutsTheTurnOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.5)
		mumbai := Key{Identity: Identity{AccountID: "111122223333"}, Region: "ap-south-1"}
		shut := f.budget.throttled(bucketKey{"111122223333", "ap-south-1", quotaServiceModify})
		if wait := f.Wait(mumbai, rollout.ActionUpdate); wait != shut {
			t.Errorf("after a throttle the wait is %s, want %s", wait, shut)
		}
		time.Sleep(shut)
		if wait := f.Wait(mumbai, rollout.ActionUpdate); wait != 0 {
			t.Errorf("when the quota is open again the wait is %s, want none", wait)
		}
	})
}

func TestDoingNothingNeedsNoTurn(t *testing.T) {
	f := budgeted(t, 0.5)
	if wait := f.Wait(Key{}, rollout.ActionNone); wait != 0 {
		t.Errorf("doing nothing has to wait %s", wait)
	}
	if len(f.budget.buckets) != 0 {
		t.Errorf("doing nothing made %d buckets", len(f.budget.buckets))
	}
}

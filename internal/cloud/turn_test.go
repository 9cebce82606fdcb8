package cloud

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"heliumai.space/ecsrelease/internal/rollout"
)

const anAccount, aRegion = "111122223333", "ap-south-1"

// budgeted is a fleet that has nothing but its share of the quotas.
func budgeted(t *testing.T, share float64) *Fleet {
	t.Helper()
	m, err := newMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return &Fleet{metrics: m, budget: newBudget(share, m), lines: lines{metrics: m}, options: Options{
		Gate: func(string, time.Duration) error { return nil }, Enqueue: func(types.NamespacedName) {},
	}}
}

// spend takes tokens until none is left, and says how many there were.
func spend(f *Fleet, key bucketKey) int {
	for taken := 0; ; taken++ {
		if _, ok := f.budget.take(key, urgent); !ok {
			return taken
		}
	}
}

// turnOf is a step of a release that goes by the name of its service, in an environment.
func turnOf(action rollout.Action, environment, name string) Turn {
	t := Turn{
		Key:    Key{Identity: Identity{AccountID: anAccount}, Region: aRegion, Cluster: "c", Service: name},
		Action: action, Environment: environment, Owner: types.NamespacedName{Namespace: environment, Name: name},
	}
	if action == rollout.ActionRegister {
		t.Family, t.Hash = name, "v1-"+name
	}
	return t
}

// made ends the turn of a step whose call succeeded.
func (f *Fleet) made(t Turn) { f.end(t.Key.Identity.AccountID, t.Key.Region, t.id(), nil) }

func TestAStepWaitsUntilItsQuotaHasATokenAgain(t *testing.T) {
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
				turn := turnOf(c.action, "production", "backend")
				if place := f.Turn(turn); place != (Place{}) {
					t.Fatalf("with a full bucket it has to wait: %+v", place)
				}
				f.made(turn)
				if got := spend(f, bucketKey{anAccount, aRegion, c.quota}); got != c.burst {
					t.Errorf("the burst is %d tokens, want %d", got, c.burst)
				}
				place := f.Turn(turn)
				if place.Wait < c.refill || place.Wait > c.refill+5*time.Millisecond || place.Again != place.Wait || place.Ahead != 0 {
					t.Errorf("with an empty bucket the place is %+v, want a wait of %s", place, c.refill)
				}
				time.Sleep(place.Again)
				if again := f.Turn(turn); again != (Place{}) {
					t.Errorf("after the wait it has to wait: %+v", again)
				}
				if _, ok := f.budget.take(bucketKey{anAccount, aRegion, c.quota}, urgent); !ok {
					t.Error("after the wait there is no token to take")
				}
			})
		})
	}
}

func TestQuotasAreThoseOfAnAccountInARegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.5)
		spend(f, bucketKey{anAccount, aRegion, quotaServiceModify})
		waits := func(account, region, role string) bool {
			turn := turnOf(rollout.ActionUpdate, "production", "backend")
			turn.Key.Identity, turn.Key.Region = Identity{AccountID: account, RoleARN: role}, region
			return f.Turn(turn).Wait > 0
		}
		if !waits(anAccount, aRegion, "arn:aws:iam::111122223333:role/another") {
			t.Error("another role of the account has a quota of its own")
		}
		if waits(anAccount, "us-east-1", "") {
			t.Error("another region shares the quota")
		}
		if waits("444455556666", aRegion, "") {
			t.Error("another account shares the quota")
		}
		if f.Turn(turnOf(rollout.ActionRegister, "production", "backend")).Wait > 0 {
			t.Error("registrations share the quota of updates")
		}
	})
}

func TestAThrottleShutsTheTurnOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.5)
		turn := turnOf(rollout.ActionUpdate, "production", "backend")
		shut := f.budget.throttled(bucketKey{anAccount, aRegion, quotaServiceModify})
		if place := f.Turn(turn); place.Wait < shut || place.Wait > shut+time.Second {
			t.Errorf("after a throttle the wait is %s, want %s", place.Wait, shut)
		}
		time.Sleep(shut)
		if place := f.Turn(turn); place != (Place{}) {
			t.Errorf("when the quota is open again it has to wait: %+v", place)
		}
	})
}

func TestDoingNothingNeedsNoTurn(t *testing.T) {
	f := budgeted(t, 0.5)
	if place := f.Turn(Turn{Action: rollout.ActionNone}); place != (Place{}) {
		t.Errorf("doing nothing has to wait: %+v", place)
	}
	if len(f.budget.buckets) != 0 {
		t.Errorf("doing nothing made %d buckets", len(f.budget.buckets))
	}
}

// A turn that was given counts as taken until it is made, and is kept for the one that has it.
func TestATurnIsGivenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.1) // a burst of two
		one, two, three := turnOf(rollout.ActionRegister, "production", "one"), turnOf(rollout.ActionRegister, "production", "two"), turnOf(rollout.ActionRegister, "production", "three")
		for range 5 {
			for _, turn := range []Turn{one, two} {
				if place := f.Turn(turn); place != (Place{}) {
					t.Fatalf("%s has to wait: %+v", turn.Family, place)
				}
			}
			if place := f.Turn(three); place.Ahead != 2 || place.Wait < 10*time.Second {
				t.Fatalf("the third of two is at %+v", place)
			}
		}
		// One is made, two is not: its turn goes to the next after a while.
		f.budget.take(bucketKey{anAccount, aRegion, quotaTaskDefModify}, urgent)
		f.made(one)
		time.Sleep(lapse + time.Second)
		if place := f.Turn(three); place != (Place{}) {
			t.Errorf("the turn that nobody came for was not given to the next: %+v", place)
		}
	})
}

// What was turned down for a passing reason is the next to be made.
func TestAStepThatIsToBeMadeAgainKeepsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.05) // a burst of one, and one in twenty seconds
		one, two := turnOf(rollout.ActionRegister, "production", "one"), turnOf(rollout.ActionRegister, "production", "two")
		if place := f.Turn(one); place != (Place{}) {
			t.Fatalf("it has to wait: %+v", place)
		}
		f.Turn(two)
		spend(f, bucketKey{anAccount, aRegion, quotaTaskDefModify})
		f.end(anAccount, aRegion, one.id(), &rollout.Problem{Class: rollout.ProblemThrottled})
		time.Sleep(shutTimes[len(shutTimes)-1]) // for as long as a throttle may shut the quota
		spend(f, bucketKey{anAccount, aRegion, quotaTaskDefModify})
		if first, second := f.Turn(one), f.Turn(two); first.Ahead != 0 || second.Ahead != 1 || second.Wait < first.Wait+19*time.Second {
			t.Errorf("the first is at %+v, the second at %+v", first, second)
		}
	})
}

func TestWhatIsUrgentGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.5)
		spend(f, bucketKey{anAccount, aRegion, quotaTaskDefModify})
		for i := range 100 {
			f.Turn(turnOf(rollout.ActionRegister, "production", fmt.Sprint("release-", i)))
		}
		back := turnOf(rollout.ActionRegister, "production", "rollback")
		if place := f.Turn(back); place.Ahead != 100 || place.Wait < 200*time.Second {
			t.Errorf("what is not urgent is at %+v, behind 100", place)
		}
		back.Urgent = true
		if place := f.Turn(back); place.Ahead != 0 || place.Wait > 2*time.Second+10*time.Millisecond {
			t.Errorf("what has become urgent is at %+v", place)
		}
	})
}

// An environment that releases much does not hold up one that releases little.
func TestEnvironmentsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.5)
		key := bucketKey{anAccount, aRegion, quotaTaskDefModify}
		spend(f, key)
		large := make([]Turn, 30)
		for i := range large {
			large[i] = turnOf(rollout.ActionRegister, "large", fmt.Sprint("release-", i))
			f.Turn(large[i])
		}
		for i := range 10 { // some of them are made
			time.Sleep(2*time.Second + time.Millisecond)
			if place := f.Turn(large[i]); place != (Place{}) {
				t.Fatalf("the turn of %d has not come: %+v", i, place)
			}
			f.budget.take(key, urgent)
			f.made(large[i])
			for _, turn := range large[i+1:] {
				f.Turn(turn)
			}
		}
		for i, want := range []int{1, 3, 5} {
			place := f.Turn(turnOf(rollout.ActionRegister, "small", fmt.Sprint("release-", i)))
			if place.Ahead > want {
				t.Errorf("step %d of another environment is behind %d, wanted %d at most", i, place.Ahead, want)
			}
		}
		if place := f.Turn(large[29]); place.Ahead != 19+3 {
			t.Errorf("the last is behind %d, want %d", place.Ahead, 19+3)
		}
	})
}

// Releases that need the same revision of a family have it registered once, and are told when it is.
func TestTheSameContentIsRegisteredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.5)
		told := map[types.NamespacedName]int{}
		f.options.Enqueue = func(owner types.NamespacedName) { told[owner]++ }
		turn := func(i int) Turn {
			shared := turnOf(rollout.ActionRegister, "production", fmt.Sprint("release-", i))
			shared.Family, shared.Hash, shared.Looked = "helium-backend", "v1-same", time.Now()
			return shared
		}
		if place := f.Turn(turn(0)); place != (Place{}) {
			t.Fatalf("the first has to wait: %+v", place)
		}
		for i := 1; i < 100; i++ {
			if place := f.Turn(turn(i)); place.Again == 0 {
				t.Fatalf("release %d has a turn beside the first", i)
			}
		}
		f.made(turn(0))
		if len(told) != 99 {
			t.Errorf("%d releases were told that it is made, wanted 99", len(told))
		}
		if n := len(f.lines.of[bucketKey{anAccount, aRegion, quotaTaskDefModify}].known); n != 0 {
			t.Errorf("%d steps are left in line", n)
		}

		// The one that has the turn is gone: another one gets it.
		if place := f.Turn(turn(1)); place != (Place{}) {
			t.Fatalf("it has to wait: %+v", place)
		}
		place := f.Turn(turn(2))
		time.Sleep(place.Again + time.Millisecond)
		if place = f.Turn(turn(2)); place != (Place{}) {
			t.Errorf("the turn that nobody came for was not given to the other: %+v", place)
		}
	})
}

// A fleet that is bumped at once goes out as fast as the quota lets it, in the order in which it came,
// and nobody asks often: with the calls, and the time they take, counted.
func TestAThousandRegistrationsAtOnce(t *testing.T) {
	const n, share = 1000, 0.5
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, share)
		calls := map[types.NamespacedName]chan struct{}{}
		turns := make([]Turn, n)
		for i := range turns {
			turns[i] = turnOf(rollout.ActionRegister, "production", fmt.Sprintf("release-%03d", i))
			calls[turns[i].Owner] = make(chan struct{}, 1)
		}
		f.options.Enqueue = func(owner types.NamespacedName) {
			select {
			case calls[owner] <- struct{}{}:
			default:
			}
		}
		began := time.Now()
		var mu sync.Mutex
		var order []string
		asked := 0
		var all sync.WaitGroup
		for i, turn := range turns {
			time.Sleep(time.Millisecond)
			all.Go(func() {
				for {
					place := f.Turn(turn)
					mu.Lock()
					asked++
					mu.Unlock()
					if place.Again == 0 {
						break
					}
					if i == n-1 && time.Since(began) < 2*time.Second && place.Ahead < n-11 {
						t.Errorf("the last is behind %d, want %d at least", place.Ahead, n-11)
					}
					select {
					case <-time.After(place.Again):
					case <-calls[turn.Owner]:
					}
					time.Sleep(100 * time.Millisecond) // it looks before it registers
				}
				if _, ok := f.budget.take(bucketKey{anAccount, aRegion, quotaTaskDefModify}, urgent); !ok {
					t.Errorf("%s had its turn, and there is no token", turn.Family)
				}
				mu.Lock()
				order = append(order, turn.Family)
				mu.Unlock()
				time.Sleep(250 * time.Millisecond)
				f.made(turn)
			})
		}
		all.Wait()
		floor := time.Duration((n - 20*share) / share * float64(time.Second))
		if took := time.Since(began); took < floor || took > floor*11/10 {
			t.Errorf("it took %s, wanted %s and no more than a tenth above", took, floor)
		}
		if asked > 16*n {
			t.Errorf("they asked %d times, wanted no more than 16 times each", asked)
		}
		for i, family := range order {
			const near = 25 // some are told of a turn that others are quicker to take
			if came := slices.IndexFunc(turns, func(t Turn) bool { return t.Family == family }); came < i-near || came > i+near {
				t.Errorf("the one that came as number %d was registered as number %d", came, i)
			}
		}
	})
}

// What nobody wants any more holds nobody up, and the message of those behind is true at once.
func TestWhatIsNotWantedAnyMoreLeavesTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.5)
		key := bucketKey{anAccount, aRegion, quotaTaskDefModify}
		spend(f, key)
		told := map[types.NamespacedName]bool{}
		f.options.Enqueue = func(owner types.NamespacedName) { told[owner] = true }
		bad := make([]Turn, 300)
		for i := range bad {
			bad[i] = turnOf(rollout.ActionRegister, "production", fmt.Sprint("release-", i))
			f.Turn(bad[i])
		}
		time.Sleep(time.Minute) // the bucket is full again
		var last Turn
		for i := range bad { // all are bumped to another image
			last = bad[i]
			last.Hash = "v1-good"
			f.Turn(last)
			f.Want(last.Owner, []Turn{last})
		}
		l := f.lines.of[key]
		if len(l.known) != 300 || len(f.lines.places) != 300 {
			t.Errorf("%d steps are in line, of %d owners; wanted 300", len(l.known), len(f.lines.places))
		}
		if place := f.Turn(last); place.Ahead > 299 || place.Wait > 600*time.Second {
			t.Errorf("the last is at %+v", place)
		}
		if l.given == 0 && len(told) == 0 {
			t.Error("there are tokens, and nobody was given a turn or told of one")
		}
		for i := range bad {
			f.Want(bad[i].Owner, nil)
		}
		if len(l.known) != 0 || len(f.lines.places) != 0 || l.given != 0 || len(l.waiting) != 0 {
			t.Errorf("when nobody wants anything, %d steps are in line, and %d turns given", len(l.known), l.given)
		}
		for i, c := range l.classes {
			if len(c.newest) != 0 {
				t.Errorf("class %d remembers %v", i, c.newest)
			}
		}
	})
}

// A token that a call has taken is not counted a second time while it runs: a burst goes out at once.
func TestABurstGoesOutAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.5)
		for i := range 10 {
			turn := turnOf(rollout.ActionRegister, "production", fmt.Sprint("release-", i))
			if place := f.Turn(turn); place != (Place{}) {
				t.Fatalf("number %d of a burst of ten has to wait: %+v", i+1, place)
			}
			f.spend(anAccount, aRegion, turn.id())
			f.budget.take(bucketKey{anAccount, aRegion, quotaTaskDefModify}, urgent)
		}
	})
}

// A content that another environment wants too waits for no longer than what waits longest for it.
func TestWhatTwoEnvironmentsWantComesWithTheQuickerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.5)
		spend(f, bucketKey{anAccount, aRegion, quotaTaskDefModify})
		var last Turn
		for i := range 50 {
			last = turnOf(rollout.ActionRegister, "staging", fmt.Sprint("release-", i))
			f.Turn(last)
		}
		same := last
		same.Environment, same.Owner = "production", types.NamespacedName{Namespace: "production", Name: "release"}
		if place := f.Turn(same); place.Ahead > 1 {
			t.Errorf("it is behind %d that only the other environment wants", place.Ahead)
		}
	})
}

// Who has found another way leaves room for the next, who need not wait for as long as they were told.
func TestThoseBehindMoveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := budgeted(t, 0.5)
		spend(f, bucketKey{anAccount, aRegion, quotaTaskDefModify})
		var told []types.NamespacedName
		f.options.Enqueue = func(owner types.NamespacedName) { told = append(told, owner) }
		for i := range 50 {
			f.Turn(turnOf(rollout.ActionRegister, "production", fmt.Sprint("gone-", i)))
		}
		last := turnOf(rollout.ActionRegister, "production", "last")
		place := f.Turn(last)
		if place.Ahead != 50 || place.Wait < 100*time.Second || place.Again > place.Wait/2+time.Second {
			t.Fatalf("the last is at %+v", place)
		}
		time.Sleep(place.Again)
		f.Turn(last)
		time.Sleep(45 * time.Second)
		f.Turn(turnOf(rollout.ActionRegister, "staging", "another"))
		if !slices.Contains(told, last.Owner) && f.Turn(last) != (Place{}) {
			t.Errorf("nobody is before it, there are tokens, and it was not told")
		}
	})
}

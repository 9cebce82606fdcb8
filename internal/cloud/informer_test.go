package cloud

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/rollout"
)

func TestServicesOfAClusterAreSeenByOneCallSoonAfterTheyAreTracked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		revision := w.service(seed.Service{Name: "backend", Desired: 2})
		w.service(seed.Service{Name: "worker", Desired: 1})
		w.settle()
		w.track("backend", "worker")
		if _, ok := w.fleet.View(w.key("backend"), time.Time{}); ok {
			t.Fatal("there is a view before the first look")
		}
		time.Sleep(50 * time.Millisecond)
		if n := w.news(); n != 1 {
			t.Errorf("the owner was enqueued %d times, wanted once", n)
		}
		v, ok := w.fleet.View(w.key("backend"), time.Time{})
		if !ok || v.Problem != nil {
			t.Fatalf("view is %+v, %v", v, ok)
		}
		if v.Status != "ACTIVE" || v.Controller != "ECS" || v.TaskDefinition != revision || v.Desired != 2 || v.Running != 2 ||
			v.MinimumHealthyPercent != 100 || v.MaximumPercent != 200 || len(v.ServiceRevisions) != 1 {
			t.Errorf("view is %+v", v)
		}
		if p := v.Primary(); p == nil || p.Revision != revision || p.RolloutState != "COMPLETED" {
			t.Errorf("primary deployment is %+v, wanted %s COMPLETED", p, revision)
		}
		if got := spell(w.calls()); got != "AssumeRole 1, DescribeServices 1, GetCallerIdentity 1" {
			t.Errorf("calls were: %s", got)
		}
	})
}

func TestAHundredSettledServicesCostTenCallsASweepAndNobodyIsWoken(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var names []string
		for i := range 100 {
			names = append(names, fmt.Sprintf("service-%03d", i))
			w.service(seed.Service{Name: names[i], Family: "shared", Desired: 1})
		}
		w.settle()
		w.track(names...)
		w.view(w.key(names[99]))
		w.news()
		w.sim.ResetJournal()
		w.setDesired(names[7], 3)                                  // autoscaling
		time.Sleep(w.fleet.options.Slow + w.fleet.options.Slow/10) // one sweep, not two
		synctest.Wait()
		if got := spell(w.calls()); got != "DescribeServices 10" {
			t.Errorf("calls of a sweep were: %s", got)
		}
		if n := w.news(); n != 0 {
			t.Errorf("owners were enqueued %d times, wanted never", n)
		}
		if v, _ := w.fleet.View(w.key(names[7]), time.Time{}); v == nil || v.Desired != 3 {
			t.Errorf("view is %+v, wanted the new count in it all the same", v)
		}
	})
}

func TestAServiceInFlightIsLookedAtAtTheFastCadenceAndItsCountsAreNews(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.fleet.Track(owner, map[Key]bool{w.key("backend"): true})
		w.view(w.key("backend"))
		w.sim.ResetJournal()
		w.news()
		w.setDesired("backend", 3)
		time.Sleep(time.Minute)
		if got := w.calls()["DescribeServices"]; got < 11 || got > 13 {
			t.Errorf("%d looks in a minute, wanted one every 5 s", got)
		}
		if w.news() == 0 {
			t.Error("the owner was not told of new counts")
		}
		w.track("backend")
		w.sim.ResetJournal()
		time.Sleep(time.Minute)
		if got := w.calls()["DescribeServices"]; got > 1 {
			t.Errorf("%d looks in a minute at what has settled", got)
		}
	})
}

func TestAServiceThatIsInFlightAgainIsLookedAtAtTheFastCadenceAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.fleet.Track(owner, map[Key]bool{w.key("backend"): true})
		w.view(w.key("backend"))
		// It settles, and the loop lies down until the next sweep; then, before the fast cadence
		// would have come round, there is something in flight again.
		w.track("backend")
		time.Sleep(time.Second)
		w.fleet.View(w.key("backend"), time.Now())
		time.Sleep(time.Second)
		w.fleet.Track(owner, map[Key]bool{w.key("backend"): true})
		w.sim.ResetJournal()
		time.Sleep(time.Minute)
		if got := w.calls()["DescribeServices"]; got < 11 {
			t.Errorf("%d looks in a minute, wanted one every 5 s", got)
		}
	})
}

func TestADesiredCountOfZeroAndAForeignDeploymentAreNews(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		w.view(w.key("backend"))
		w.news()
		w.setDesired("backend", 0)
		time.Sleep(6 * time.Minute)
		if w.news() == 0 {
			t.Error("the owner was not told that the service was scaled to zero")
		}
		if _, err := w.ecs().UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String(cluster), Service: aws.String("backend"), ForceNewDeployment: true,
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Minute)
		if w.news() == 0 {
			t.Error("the owner was not told of a foreign deployment")
		}
	})
}

func TestALookForTheFutureWaitsUntilThen(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.track("backend")
		w.view(w.key("backend"))
		w.news()
		w.sim.ResetJournal()
		then := time.Now().Add(30 * time.Second)
		for range 3 {
			if _, ok := w.fleet.View(w.key("backend"), then); ok {
				t.Fatal("there is a view of the future")
			}
		}
		time.Sleep(29 * time.Second)
		if got := spell(w.calls()); got != "" {
			t.Errorf("calls before the time were: %s", got)
		}
		time.Sleep(2 * time.Second)
		if got := spell(w.calls()); got != "DescribeServices 1" {
			t.Errorf("calls were: %s", got)
		}
		if v, ok := w.fleet.View(w.key("backend"), then); !ok || v.At.Before(then) {
			t.Errorf("view is %+v, %v, wanted one of %v or later", v, ok, then)
		}
		if n := w.news(); n != 1 {
			t.Errorf("the owner was enqueued %d times, wanted once although nothing changed", n)
		}
	})
}

func TestWhatNobodyTracksIsForgotten(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		other := types.NamespacedName{Namespace: "production", Name: "other"}
		w.fleet.Track(other, map[Key]bool{w.key("backend"): false})
		w.track("backend")
		w.view(w.key("backend"))
		w.fleet.Track(owner, nil)
		if _, ok := w.fleet.View(w.key("backend"), time.Time{}); !ok {
			t.Error("a service that another owner tracks was forgotten")
		}
		w.fleet.Track(other, nil)
		if _, ok := w.fleet.View(w.key("backend"), time.Time{}); ok {
			t.Error("a service that nobody tracks is still seen")
		}
		w.sim.ResetJournal()
		time.Sleep(time.Hour)
		if got := spell(w.calls()); got != "" {
			t.Errorf("calls for nobody were: %s", got)
		}
		w.track("backend")
		if v := w.view(w.key("backend")); v.Problem != nil {
			t.Errorf("tracked again, the view is %+v", v)
		}
	})
}

func TestAMissingServiceIsAFactAboutThatServiceAlone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend", "bakend")
		wantProblem(t, w.view(w.key("bakend")).Problem, rollout.ProblemMissing, ecsv1alpha1.ReasonServiceNotFound, "bakend", cluster, region)
		noProblem(t, w.view(w.key("backend")).Problem)
		w.news()
		time.Sleep(20 * time.Minute)
		if n := w.news(); n != 0 {
			t.Errorf("the owner was enqueued %d times about what it knows", n)
		}
		w.service(seed.Service{Name: "bakend", Desired: 1})
		time.Sleep(6 * time.Minute)
		if w.news() == 0 {
			t.Error("the owner was not told that the service is there now")
		}
	})
}

func TestAMissingClusterIsAFactAboutAllItsServices(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var names []string
		for i := range 15 {
			names = append(names, fmt.Sprint("service-", i))
		}
		w.track(names...)
		time.Sleep(100 * time.Millisecond)
		for _, n := range names {
			v, ok := w.fleet.View(w.key(n), time.Time{})
			if !ok {
				t.Fatalf("there is no view of %s", n)
			}
			wantProblem(t, v.Problem, rollout.ProblemMissing, ecsv1alpha1.ReasonClusterNotFound, cluster, region, account)
		}
		if got := w.calls()["DescribeServices"]; got != 1 {
			t.Errorf("%d calls, wanted one to be enough", got)
		}
	})
}

func TestAServiceWhoseLookIsDeniedLeavesTheOthersVisible(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for _, n := range []string{"backend", "secret", "worker"} {
			w.service(seed.Service{Name: n, Family: "shared", Desired: 1})
		}
		w.settle()
		w.id = w.role("narrow", []json.RawMessage{
			policy("Allow", "ecs:*", "*"),
			policy("Deny", "ecs:DescribeServices", "arn:aws:ecs:*:*:service/*/secret"),
		})
		w.track("backend", "secret", "worker")
		wantProblem(t, w.view(w.key("secret")).Problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied,
			"the role narrow lacks ecs:DescribeServices on arn:aws:ecs:ap-south-1:111122223333:service/helium/secret")
		noProblem(t, w.view(w.key("backend")).Problem)
		noProblem(t, w.view(w.key("worker")).Problem)
		w.sim.ResetJournal()
		time.Sleep(w.fleet.options.Slow + w.fleet.options.Slow/10)
		if got := w.calls()["DescribeServices"]; got != 2 {
			t.Errorf("%d calls a sweep, wanted one for the visible and one for the other", got)
		}
	})
}

func TestARegionThatIsDownIsLookedAtAgainWithGrowingPauses(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		w.view(w.key("backend"))
		w.news()
		w.fault(awssim.Fault{Service: "ecs", Operation: "DescribeServices", Error: &awssim.FaultError{Status: 503, Code: "ServiceUnavailable", Message: "down"}})
		w.sim.ResetJournal()
		wantProblem(t, w.view(w.key("backend")).Problem, rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, cluster)
		time.Sleep(10 * time.Minute)
		if got := w.calls()["DescribeServices"]; got < 30 || got > 100 {
			t.Errorf("%d requests in ten minutes of trouble, wanted three every half minute or so", got)
		}
		if n := w.news(); n > 3 {
			t.Errorf("the owner was enqueued %d times about one and the same trouble", n)
		}
		w.sim.ClearFaults()
		time.Sleep(time.Minute)
		if w.news() == 0 {
			t.Error("the owner was not told that the trouble is over")
		}
		if v, ok := w.fleet.View(w.key("backend"), time.Time{}); !ok || v.Problem != nil {
			t.Errorf("after the trouble the view is %+v", v)
		}
	})
}

func TestAThrottledLookShutsTheBucketForAWhile(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		w.view(w.key("backend"))
		w.fault(awssim.Fault{Service: "ecs", Operation: "DescribeServices", Throttle: true, Times: 1})
		w.sim.ResetJournal()
		problem := w.view(w.key("backend")).Problem
		wantProblem(t, problem, rollout.ProblemThrottled, ecsv1alpha1.ReasonObservationFailed)
		if problem.RetryAfter < 5*time.Second || problem.RetryAfter > 30*time.Second {
			t.Errorf("to be tried again after %v, wanted 5 to 30 s", problem.RetryAfter)
		}
		time.Sleep(4 * time.Second)
		if got := w.calls()["DescribeServices"]; got != 1 {
			t.Errorf("%d requests while the bucket is shut, wanted none but the throttled one", got)
		}
		time.Sleep(30 * time.Second)
		if v, _ := w.fleet.View(w.key("backend"), time.Time{}); v == nil || v.Problem != nil {
			t.Errorf("after the throttle the view is %+v", v)
		}
	})
}

func TestStartReturnsOnlyWhenNoCallIsInFlightAndNoneCanBeginAfterwards(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		revision := w.revise("backend", "docker.io/library/nginx:2")
		w.fault(awssim.Fault{Service: "ecs", Operation: "UpdateService", Latency: 3 * time.Second})
		var updated error
		done := make(chan time.Time, 1)
		go func() {
			_, updated = w.fleet.Update(t.Context(), w.key("backend"), revision)
			done <- time.Now()
		}()
		time.Sleep(time.Second)
		began := time.Now()
		w.stop()
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("stopping took %v, wanted the 2 s that the update had to go", took)
		}
		<-done
		if updated != nil {
			t.Errorf("the update that was in flight ended with %v", updated)
		}
		w.sim.ResetJournal()
		_, problem := w.fleet.TaskDefinition(t.Context(), w.id, region, revision)
		wantProblem(t, problem, rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "shutting down")
		if got := spell(w.calls()); got != "" {
			t.Errorf("calls after the end were: %s", got)
		}
	})
}

func TestSweepsStayWithinTheQuotasOfAWS(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		keys := map[Key]bool{}
		for i := range 600 {
			name := fmt.Sprintf("service-%03d", i)
			w.service(seed.Service{Name: name, Family: "shared", Desired: 1, Cluster: fmt.Sprint("helium-", i%40)})
			k := w.key(name)
			k.Cluster = fmt.Sprint("helium-", i%40)
			keys[k] = i%2 == 0
		}
		w.settle()
		w.sim.SetQuotas(true)
		w.fleet.Track(owner, keys)
		time.Sleep(3 * time.Minute)
		for _, c := range w.sim.Summary().Calls {
			if c.Throttled > 0 {
				t.Errorf("%s was throttled %d times of %d", c.Operation, c.Throttled, c.Calls)
			}
		}
		for k := range keys {
			if v, ok := w.fleet.View(k, time.Time{}); !ok || v.Problem != nil {
				t.Fatalf("view of %s is %+v, %v", k.Location(), v, ok)
			}
		}
	})
}

func TestASweepThatTheQuotaStretchesIsTold(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		follow := func(n int) {
			keys := map[Key]bool{}
			for i := range n {
				k := w.key(fmt.Sprintf("service-%03d", i))
				k.Cluster = fmt.Sprintf("cluster-%03d", i) // each takes a call of its own
				keys[k] = false
			}
			w.fleet.Track(owner, keys)
		}
		for i := range 60 {
			w.service(seed.Service{Name: fmt.Sprintf("service-%03d", i), Family: "shared", Desired: 1, Cluster: fmt.Sprintf("cluster-%03d", i)})
		}
		w.settle()
		follow(10)
		for range 20 {
			time.Sleep(7 * time.Second)
			if late := w.fleet.Stretched(w.id.Environment); late != 0 {
				t.Fatalf("10 services, one call a second each, and the last look at one was %s ago", late)
			}
		}
		follow(60)
		time.Sleep(10 * time.Minute)
		// Nobody is looked at twice before everybody was once, give or take who comes back a little late.
		late := w.fleet.Stretched(w.id.Environment)
		if late < 55*time.Second || late > 80*time.Second {
			t.Errorf("60 services by one call a second: the last look at one was %s ago, wanted a minute", late)
		}
		if other := w.fleet.Stretched("another"); other != 0 {
			t.Errorf("another environment's were looked at %s ago", other)
		}
		follow(10)
		time.Sleep(time.Minute)
		if late := w.fleet.Stretched(w.id.Environment); late != 0 {
			t.Errorf("when there are few again the last look at one was %s ago", late)
		}
	}, func(o *Options) { o.Share, o.Fast, o.Slow = 0.05, 5*time.Second, 20*time.Second })
}

// A fleet that begins, with thousands of services to look at, first looks at those that are in flight.
func TestWhatIsInFlightIsLookedAtFirst(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		keys := map[Key]bool{}
		var flying []Key
		for i := range 300 {
			name := fmt.Sprintf("service-%03d", i)
			w.service(seed.Service{Name: name, Family: "shared", Desired: 1})
			k := w.key(name)
			keys[k] = i >= 290
			if keys[k] {
				flying = append(flying, k)
			}
		}
		w.settle()
		w.fleet.Track(owner, keys)
		time.Sleep(2 * time.Second)
		seen := 0
		for k := range keys {
			if _, ok := w.fleet.View(k, time.Time{}); ok {
				seen++
			}
		}
		for _, k := range flying {
			if _, ok := w.fleet.View(k, time.Time{}); !ok {
				t.Errorf("%s is in flight, and was not among the %d of %d that were looked at first", k.Location(), seen, len(keys))
			}
		}
		if seen > len(keys)/2 {
			t.Fatalf("%d of %d were looked at already: that tells nothing of the order", seen, len(keys))
		}
	}, func(o *Options) { o.Share = 0.05 })
}

// fleetOf makes n settled services in a cluster, and says what they are called.
func (w *world) fleetOf(n int) map[Key]bool {
	w.t.Helper()
	keys := map[Key]bool{}
	for i := range n {
		name := fmt.Sprintf("service-%03d", i)
		w.service(seed.Service{Name: name, Family: "shared", Desired: 1})
		keys[w.key(name)] = false
	}
	return keys
}

// seenOf is how many of the services were looked at.
func (w *world) seenOf(keys map[Key]bool) (n int) {
	for k := range keys {
		if _, ok := w.fleet.View(k, time.Time{}); ok {
			n++
		}
	}
	return n
}

var (
	flying  = types.NamespacedName{Namespace: "production", Name: "flying"}
	applied = types.NamespacedName{Namespace: "production", Name: "applied"}
)

func TestAFleetThatBeginsKeepsLookingAtWhatIsInFlight(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		keys := w.fleetOf(300)
		w.service(seed.Service{Name: "zz-in-flight", Family: "shared", Desired: 1})
		w.settle()
		k := w.key("zz-in-flight")
		w.fleet.Track(flying, map[Key]bool{k: true})
		w.fleet.Track(owner, keys)
		began := time.Now()
		for w.seenOf(keys) < len(keys) {
			time.Sleep(100 * time.Millisecond)
			if v, ok := w.fleet.View(k, time.Time{}); time.Since(began) > 10*time.Second && (!ok || time.Since(v.At) > 10*time.Second) {
				t.Fatalf("%s after the start the one in flight was not looked at for more than 10 s: %+v", time.Since(began), v)
			}
		}
		// Two calls at once, and then four every 10 s: 31 calls of ten.
		if took, calls := time.Since(began), w.calls()["DescribeServices"]; took > 80*time.Second || calls > 32 {
			t.Errorf("all were looked at after %s and %d calls, wanted 31 calls and what those take, 73 s", took, calls)
		}
	}, func(o *Options) { o.Share = 0.02 })
}

func TestNewWorkIsLookedAtBeforeWhatWasNeverSeen(t *testing.T) {
	for name, ask := range map[string]func(w *world, k Key) func() bool{
		"a fresh look at what was seen": func(w *world, k Key) func() bool {
			w.fleet.Track(applied, map[Key]bool{k: false})
			w.view(k)
			began := time.Now()
			return func() bool { _, ok := w.fleet.View(k, began); return ok }
		},
		"the first look": func(w *world, k Key) func() bool {
			w.fleet.Track(applied, map[Key]bool{k: false})
			w.fleet.Hasten(applied)
			return func() bool { _, ok := w.fleet.View(k, time.Time{}); return ok }
		},
		"the first look, hastened late": func(w *world, k Key) func() bool {
			w.fleet.Track(applied, map[Key]bool{k: false})
			time.Sleep(time.Second)
			w.fleet.Hasten(applied)
			return func() bool { _, ok := w.fleet.View(k, time.Time{}); return ok }
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				keys := w.fleetOf(300)
				w.service(seed.Service{Name: "zz-applied", Family: "shared", Desired: 1})
				w.settle()
				w.fleet.Track(owner, keys)
				time.Sleep(6 * time.Second)
				began := time.Now()
				done := ask(w, w.key("zz-applied"))
				for !done() {
					time.Sleep(100 * time.Millisecond)
				}
				if took := time.Since(began); took > 8*time.Second {
					t.Errorf("it came after %s, when %d of %d had been looked at", took, w.seenOf(keys), len(keys))
				}
			}, func(o *Options) { o.Share = 0.02 })
		})
	}
}

func TestEventsOfOthersDoNotKeepLooksFromWhatIsInFlight(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		keys := w.fleetOf(200)
		w.service(seed.Service{Name: "zz-in-flight", Family: "shared", Desired: 1})
		w.settle()
		k := w.key("zz-in-flight")
		w.fleet.Track(flying, map[Key]bool{k: true})
		w.fleet.Track(owner, keys)
		time.Sleep(2 * time.Minute)
		// Each settled service has an event every 20 s, which asks for three looks: six times our share.
		for i := range 300 {
			for j := range 10 {
				w.fleet.follow(hint{account: account, region: region, cluster: cluster, service: fmt.Sprintf("service-%03d", (i*10+j)%200)})
			}
			time.Sleep(time.Second)
			if v, ok := w.fleet.View(k, time.Time{}); !ok || time.Since(v.At) > 10*time.Second {
				t.Fatalf("%d s into the flood the one in flight was not looked at for more than 10 s: %+v", i, v)
			}
		}
	}, func(o *Options) { o.Share = 0.05 })
}

func TestHoweverMuchIsInFlightNewWorkIsLookedAt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		keys := w.fleetOf(80)
		for k := range keys {
			keys[k] = true
		}
		w.service(seed.Service{Name: "zz-applied", Family: "shared", Desired: 1})
		w.settle()
		k := w.key("zz-applied")
		w.fleet.Track(owner, keys) // eight calls every 5 s, of which there are five
		time.Sleep(time.Minute)
		w.fleet.Track(applied, map[Key]bool{k: false})
		for range 5 {
			began := time.Now()
			w.view(k)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("a look that somebody waits for came after %s", took)
			}
		}
		for k := range keys {
			if v, ok := w.fleet.View(k, time.Time{}); !ok || time.Since(v.At) > 12*time.Second {
				t.Errorf("%s was looked at %s ago, wanted 9 s", k.Location(), time.Since(v.At))
			}
		}
	}, func(o *Options) { o.Share = 0.05 })
}

// longest is the longest time that each of the services was not looked at, in a time.
func (w *world) longest(keys map[Key]bool, during time.Duration) map[Key]time.Duration {
	gaps := map[Key]time.Duration{}
	for began := time.Now(); time.Since(began) < during; time.Sleep(time.Second) {
		for k := range keys {
			age := time.Since(began)
			if v, ok := w.fleet.View(k, time.Time{}); ok {
				age = time.Since(v.At)
			}
			gaps[k] = max(gaps[k], age)
		}
	}
	return gaps
}

func TestEnvironmentsLookInTurnAndEachInTheOrderInWhichItsLooksCame(t *testing.T) {
	for name, inFlight := range map[string]bool{"at what is in flight": true, "in a sweep": false} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				many, one := map[Key]bool{}, map[Key]bool{}
				for i := range 41 {
					k := w.key("backend")
					k.Cluster = fmt.Sprintf("cluster-%02d", i) // each takes a call of its own
					w.service(seed.Service{Name: "backend", Cluster: k.Cluster, Family: "shared", Desired: 1})
					if i < 40 {
						many[k] = inFlight
						continue
					}
					k.Identity.Environment = "staging"
					one[k] = inFlight
				}
				w.settle()
				w.fleet.Track(types.NamespacedName{Namespace: "staging", Name: "backend"}, one)
				w.fleet.Track(owner, many)
				time.Sleep(2 * time.Minute)
				for _, gap := range w.longest(one, 10*time.Minute) {
					if gap > 9*time.Second {
						t.Errorf("the only one of its environment was not looked at for %s, wanted 5 s and its turn", gap)
					}
				}
				// One call a second, of which the other environment takes a fifth: 50 s.
				for k, gap := range w.longest(many, 10*time.Minute) {
					if gap > time.Minute {
						t.Errorf("%s was not looked at for %s, wanted less than a minute: the others are no older", k.Location(), gap)
					}
				}
			}, func(o *Options) { o.Share, o.Fast, o.Slow = 0.05, 5*time.Second, 5*time.Second })
		})
	}
}

package cloud

import (
	"fmt"
	"testing"
	"time"

	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// scattered makes services of which each takes a call of its own, and says which n of them are.
func (w *world) scattered(most int) func(n int, inFlight bool) map[Key]bool {
	w.t.Helper()
	key := func(i int) Key {
		k := w.key("backend")
		k.Cluster = fmt.Sprintf("cluster-%02d", i)
		return k
	}
	for i := range most {
		w.service(seed.Service{Name: "backend", Cluster: key(i).Cluster, Family: "shared", Desired: 1})
	}
	w.settle()
	return func(n int, inFlight bool) map[Key]bool {
		keys := map[Key]bool{}
		for i := range n {
			keys[key(i)] = inFlight
		}
		return keys
	}
}

func TestStatusIsToldHowOftenServicesInFlightAreLookedAt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		services := w.scattered(40)
		w.fleet.Track(owner, services(4, true))
		for range 60 {
			time.Sleep(5 * time.Second)
			if late := w.fleet.StretchedInFlight("production", false); late != 0 {
				t.Fatalf("4 services, one call a second each: they are said to be looked at every %s", late)
			}
		}
		w.fleet.Track(owner, services(40, true)) // a call a second: 40 s
		time.Sleep(5 * time.Minute)
		for range 60 {
			time.Sleep(7 * time.Second)
			if late := w.fleet.StretchedInFlight("production", true); late < 36*time.Second || late > 44*time.Second {
				t.Errorf("40 services by one call a second are said to be looked at every %s, wanted 40 s", late)
			}
		}
		if late := w.fleet.StretchedInFlight("staging", false); late != 0 {
			t.Errorf("another environment's are said to be looked at every %s", late)
		}
		// Deployments that end, and others that begin, make no news of it.
		for range 10 {
			w.fleet.Track(owner, services(40, false))
			time.Sleep(30 * time.Second)
			w.fleet.Track(owner, services(40, true))
			time.Sleep(90 * time.Second)
			if late := w.fleet.StretchedInFlight("production", true); late < 36*time.Second || late > 44*time.Second {
				t.Errorf("with pauses they are said to be looked at every %s, wanted 40 s", late)
			}
		}
		w.fleet.Track(owner, services(4, true))
		time.Sleep(11 * time.Minute)
		if late := w.fleet.StretchedInFlight("production", true); late != 0 {
			t.Errorf("when there are few again they are said to be looked at every %s", late)
		}
	}, func(o *Options) { o.Share = 0.05 })
}

// Eight services by a call a second are looked at every 8 s: more than one and a half times as seldom as
// every 5 s, but hardly.
func TestWhatIsHardlyLateIsNotToldNowAndThen(t *testing.T) {
	for _, n := range []int{5, 6, 7, 8} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.fleet.Track(owner, w.scattered(n)(n, true))
				said, news := false, 0
				for range 720 {
					time.Sleep(5 * time.Second)
					if late := w.fleet.StretchedInFlight("production", said) > 0; late != said {
						said, news = late, news+1
					}
				}
				if news > 1 {
					t.Errorf("%d changes of it in an hour, wanted one at most", news)
				}
			}, func(o *Options) { o.Share = 0.05 })
		})
	}
}

// A single service is looked at a few times only while the spans go by.
func TestOneServiceIsEnoughToTell(t *testing.T) {
	for _, o := range []Options{{Fast: 5 * time.Second, Slow: time.Minute}, {Fast: 5 * time.Second, Slow: 5 * time.Minute}, {Fast: 10 * time.Second, Slow: 5 * time.Minute}} {
		late := o.Fast * 8 / 5
		began := time.Now()
		var p pace
		for at := time.Duration(0); at < time.Hour; at += time.Second {
			now := began.Add(at)
			if at%late == 0 {
				p.note(late, o.Slow, now)
			}
			if got := p.average(o.enoughToTell(), o.Slow, now); got != late && at > o.Slow {
				t.Fatalf("%s of %s, after %s: it is said to be looked at every %s, wanted %s", o.Fast, o.Slow, at, got, late)
			}
		}
	}
}

func TestLooksThatFailAreNotTakenForAShortQuota(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.fleet.Track(owner, w.scattered(1)(1, true))
		time.Sleep(5 * time.Minute)
		w.fault(awssim.Fault{Service: "ecs", Operation: "DescribeServices", Error: &awssim.FaultError{Status: 503, Code: "ServiceUnavailable", Message: "down"}})
		time.Sleep(10 * time.Minute)
		w.sim.ClearFaults()
		for range 60 {
			time.Sleep(5 * time.Second)
			if late := w.fleet.StretchedInFlight("production", false); late != 0 {
				t.Fatalf("after a region was down its services are said to be looked at every %s", late)
			}
		}
	})
}

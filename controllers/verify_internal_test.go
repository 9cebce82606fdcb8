package controllers

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/probe"
)

var checkedRelease = types.NamespacedName{Namespace: "apps", Name: "backend"}

// site is a web site that answers every request with its status, and how often it was asked.
type site struct{ status, asked atomic.Int64 }

// dial connects to the site.
func (s *site) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		if _, err := http.ReadRequest(bufio.NewReader(theirs)); err != nil {
			return
		}
		s.asked.Add(1)
		fmt.Fprintf(theirs, "HTTP/1.1 %d said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", s.status.Load())
	}()
	return ours, nil
}

// checking runs a verifier of a site in a bubble of virtual time until the test of it has ended.
func checking(t *testing.T, status int64, test func(t *testing.T, v *verifier, s *site, woken *atomic.Int64)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, woken := &site{}, &atomic.Int64{}
		s.status.Store(status)
		v := &verifier{
			prober: &probe.Prober{Dial: s.dial, Resolve: func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("52.1.1.1")}, nil
			}},
			enqueue: func(owner types.NamespacedName) {
				if owner != checkedRelease {
					t.Errorf("%s was woken", owner)
				}
				woken.Add(1)
			},
			fast: 5 * time.Second, slow: 5 * time.Minute,
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- v.Start(ctx) }()
		synctest.Wait()
		test(t, v, s, woken)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// public is a check of the site: three answers within a minute.
func public(mark string) map[string]assignment {
	successes, within := int32(3), int32(60)
	return map[string]assignment{"mumbai": {mark: mark, since: time.Now(), checks: []ecsv1alpha1.Verification{{HTTP: &ecsv1alpha1.HTTPCheck{
		URL: "http://app.example.com/", Via: ecsv1alpha1.ViaPublic, Successes: &successes, WithinSeconds: &within,
	}}}}}
}

func mumbaiRuns(mark string) func(string) string { return func(string) string { return mark } }

func TestATargetPassesAfterEnoughAnswersInARow(t *testing.T) {
	checking(t, 200, func(t *testing.T, v *verifier, s *site, woken *atomic.Int64) {
		wanted := public("v1")
		v.assign(checkedRelease, wanted)
		time.Sleep(3 * time.Second) // two answers
		synctest.Wait()
		if !v.of(checkedRelease, "mumbai", "v1").passed.IsZero() {
			t.Error("two answers were enough")
		}
		s.status.Store(500)
		time.Sleep(2 * time.Second)
		s.status.Store(200)
		time.Sleep(4 * time.Second)
		v.assign(checkedRelease, wanted) // a pass in between changes nothing
		synctest.Wait()
		if !v.of(checkedRelease, "mumbai", "v1").passed.IsZero() {
			t.Error("three answers passed although a failure was among them")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		now := v.of(checkedRelease, "mumbai", "v1")
		if now.passed.IsZero() || now.late || now.message != "" || woken.Load() == 0 {
			t.Errorf("after three answers in a row: %+v, woken %d times", now, woken.Load())
		}
		if other := v.of(checkedRelease, "mumbai", "v2"); !other.passed.IsZero() {
			t.Error("another content counts as checked")
		}
		asked := s.asked.Load()
		time.Sleep(time.Hour)
		if s.asked.Load() != asked {
			t.Error("it is still asked")
		}
	})
}

func TestAFailureIsLateWhenItsTimeIsUp(t *testing.T) {
	checking(t, 503, func(t *testing.T, v *verifier, s *site, woken *atomic.Int64) {
		v.assign(checkedRelease, public("v1"))
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if now := v.of(checkedRelease, "mumbai", "v1"); now.late || !strings.Contains(now.message, "it answered 503, wanted 200") {
			t.Errorf("before its time is up: %+v", now)
		}
		if n := woken.Load(); n != 1 {
			t.Errorf("the same failure woke the release %d times", n)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		late := v.lateFor(checkedRelease, mumbaiRuns("v1"))
		if !strings.Contains(late["mumbai"], "not passed within 1m0s") {
			t.Errorf("late: %v", late)
		}
		if other := v.lateFor(checkedRelease, mumbaiRuns("v2")); other != nil {
			t.Errorf("another content is late: %v", other)
		}
		asked := s.asked.Load()
		time.Sleep(time.Hour)
		if s.asked.Load() != asked {
			t.Error("what is late is still asked")
		}
		v.assign(checkedRelease, public("v2"))
		s.status.Store(200)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if v.of(checkedRelease, "mumbai", "v2").passed.IsZero() {
			t.Error("what came next was not checked")
		}
	})
}

// A manager that was away for long begins to count when it is back: as long as all answers are
// well, nothing is late.
func TestGoodAnswersAfterTheTimeAreHeard(t *testing.T) {
	checking(t, 200, func(t *testing.T, v *verifier, _ *site, _ *atomic.Int64) {
		wanted := public("v1")
		a := wanted["mumbai"]
		a.since = time.Now().Add(-time.Hour)
		v.assign(checkedRelease, map[string]assignment{"mumbai": a})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if now := v.of(checkedRelease, "mumbai", "v1"); now.passed.IsZero() || now.late {
			t.Errorf("after the manager was away: %+v", now)
		}
	})
}

func TestWhatHasFinishedIsCheckedAndNeverFailed(t *testing.T) {
	checking(t, 503, func(t *testing.T, v *verifier, s *site, _ *atomic.Int64) {
		a := public("v1")["mumbai"]
		a.since, a.finished = time.Now().Add(-time.Hour), true
		v.assign(checkedRelease, map[string]assignment{"mumbai": a})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if late := v.lateFor(checkedRelease, mumbaiRuns("v1")); late != nil {
			t.Errorf("a release that had finished is failed: %v", late)
		}
		if !v.of(checkedRelease, "mumbai", "v1").late {
			t.Error("nobody says that it does not pass")
		}
		s.status.Store(200)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if v.of(checkedRelease, "mumbai", "v1").passed.IsZero() {
			t.Error("it is not checked any more")
		}
	})
}

func TestWhatIsNotAssignedAnyMoreIsNotChecked(t *testing.T) {
	checking(t, 503, func(t *testing.T, v *verifier, s *site, _ *atomic.Int64) {
		v.assign(checkedRelease, public("v1"))
		time.Sleep(3 * time.Second)
		v.assign(checkedRelease, nil)
		synctest.Wait()
		asked := s.asked.Load()
		time.Sleep(time.Hour)
		if s.asked.Load() != asked || len(v.jobs) != 0 {
			t.Errorf("it was asked %d times more, %d releases are remembered", s.asked.Load()-asked, len(v.jobs))
		}
	})
}

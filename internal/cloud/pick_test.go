package cloud

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"heliumai.space/ecsrelease/internal/rollout"
)

// A call has room for ten services, and which ten those are is what decides whether a release waits.
func TestACallIsAboutTheServicesThatGoFirst(t *testing.T) {
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	type some struct {
		prefix string
		n      int
		rank   rank
		ago    time.Duration // of the first of them; each next one was seen a second later
		alone  bool
	}
	for name, c := range map[string]struct {
		services []some
		want     string
	}{
		"nothing is due": {nil, ""},
		"fewer than ten": {[]some{{prefix: "s", n: 2, rank: rankSettled, ago: time.Hour}}, "s0 s1"},
		"in flight first, then what somebody waits for, then the rest, whenever they were seen": {
			[]some{
				{prefix: "s", n: 12, rank: rankSettled, ago: time.Hour},
				{prefix: "a", n: 3, rank: rankAwaited, ago: time.Minute},
				{prefix: "f", n: 4, rank: rankInFlight, ago: 5 * time.Second},
			},
			"f0 f1 f2 f3 a0 a1 a2 s0 s1 s2",
		},
		"of one rank what was seen longest ago": {
			[]some{{prefix: "new", n: 8, rank: rankSettled, ago: time.Minute}, {prefix: "old", n: 8, rank: rankSettled, ago: time.Hour}},
			"old0 old1 old2 old3 old4 old5 old6 old7 new0 new1",
		},
		"however much is in flight, one that somebody waits for": {
			[]some{{prefix: "f", n: 14, rank: rankInFlight, ago: time.Minute}, {prefix: "a", n: 2, rank: rankAwaited, ago: time.Hour}},
			"f0 f1 f2 f3 f4 f5 f6 f7 f8 a0",
		},
		"nobody gives way to what has settled": {
			[]some{{prefix: "f", n: 11, rank: rankInFlight, ago: time.Minute}, {prefix: "s", n: 2, rank: rankSettled, ago: time.Hour}},
			"f0 f1 f2 f3 f4 f5 f6 f7 f8 f9",
		},
		"one that is refused goes alone when it is its turn": {
			[]some{{prefix: "refused", n: 2, rank: rankInFlight, ago: time.Hour, alone: true}, {prefix: "f", n: 3, rank: rankInFlight, ago: time.Minute}},
			"refused0",
		},
		"one that is refused waits for its turn": {
			[]some{{prefix: "refused", n: 2, rank: rankAwaited, ago: time.Hour, alone: true}, {prefix: "f", n: 11, rank: rankInFlight, ago: time.Minute}},
			"f0 f1 f2 f3 f4 f5 f6 f7 f8 f9",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := &reflector{fleet: &Fleet{}, services: map[string]*watched{
				"not-due": {view: &rollout.View{At: now.Add(-24 * time.Hour)}},
			}}
			for _, s := range c.services {
				for i := range s.n {
					w := &watched{due: true, alone: s.alone, view: &rollout.View{At: now.Add(time.Duration(i)*time.Second - s.ago)}}
					w.own(types.NamespacedName{Name: "other"}, false)
					w.own(types.NamespacedName{Name: s.prefix}, s.rank == rankInFlight)
					if s.rank == rankAwaited {
						w.ask(now, now)
					}
					r.services[fmt.Sprintf("%s%d", s.prefix, i)] = w
				}
			}
			if got := strings.Join(r.pick(now), " "); got != c.want {
				t.Errorf("the call is about %q, want %q", got, c.want)
			}
		})
	}
}

// Each of the owners of a service wants to know of it for itself.
func TestAServiceIsInFlightAsLongAsItIsForAnyOfItsOwners(t *testing.T) {
	a, b := types.NamespacedName{Name: "a"}, types.NamespacedName{Name: "b"}
	w := &watched{}
	for i, step := range []struct {
		do   func() bool
		says bool // that it was fast before
		want bool
	}{
		{func() bool { return w.own(a, false) }, false, false},
		{func() bool { return w.own(b, true) }, false, true},
		{func() bool { return w.own(a, true) }, false, true},
		{func() bool { return w.own(b, false) }, true, true},
		{func() bool { w.disown(b); return false }, false, true},
		{func() bool { return w.own(a, true) }, true, true},
		{func() bool { w.disown(a); return false }, false, false},
	} {
		if before := step.do(); before != step.says {
			t.Errorf("step %d: it was fast before: %t, want %t", i, before, step.says)
		}
		if got := w.inFlight(); got != step.want {
			t.Errorf("step %d: in flight: %t, want %t", i, got, step.want)
		}
	}
	if len(w.owners) != 0 {
		t.Errorf("%v are left", w.owners)
	}
}

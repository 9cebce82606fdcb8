package cloud

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"heliumai.space/ecsrelease/internal/rollout"
)

// coalesce is how long a look that was asked for waits for others to share its call.
const coalesce = 10 * time.Millisecond

// watched is a service in the store. The fleet's lock guards it.
type watched struct {
	owners []interest    // few: releases that name the service
	since  time.Time     // when it was last taken to be in flight
	view   *rollout.View // of the newest look; nil before the first
	asks   []ask
	hasty  bool // somebody waits for the first look
	due    bool // the sweep under way has yet to come to it
	alone  bool // its look is refused, and would have others that share the call refused
}

// interest is what an owner wants to know of a service: fast, as long as it is in flight.
type interest struct {
	owner types.NamespacedName
	fast  bool
}

// ask is a look that somebody waits for or, without notBefore, the first one, which comes with the
// sweep unless it is hastened.
type ask struct {
	notBefore time.Time // a look that began earlier is no answer
	from      time.Time // when to begin at the earliest
}

func (w *watched) inFlight() bool {
	for i := range w.owners {
		if w.owners[i].fast {
			return true
		}
	}
	return false
}

// own replaces what owner wants to know, and says whether that was fast before.
func (w *watched) own(owner types.NamespacedName, fast bool) (before bool) {
	for i := range w.owners {
		if known := &w.owners[i]; known.owner == owner {
			before, known.fast = known.fast, fast
			return before
		}
	}
	w.owners = append(w.owners, interest{owner, fast})
	return false
}

// disown ends owner's interest.
func (w *watched) disown(owner types.NamespacedName) {
	w.owners = slices.DeleteFunc(w.owners, func(i interest) bool { return i.owner == owner })
}

// asked says whether there is a look to make that could begin now. Those that still wait for
// company share the call if there is one.
func (w *watched) asked(now time.Time) bool {
	return slices.ContainsFunc(w.asks, func(a ask) bool { return !a.notBefore.After(now) })
}

// wanted says whether a look is due, or asked for and could begin now.
func (w *watched) wanted(now time.Time) bool { return w.due || w.asked(now) }

// rank is what the next look at the service goes before and after.
func (w *watched) rank(now time.Time) rank {
	switch {
	case w.inFlight():
		return rankInFlight
	case w.urgent(now):
		return rankAwaited
	default:
		return rankSettled
	}
}

// urgent says whether there is a look to make that does not wait for the sweep: the service is in
// flight, or somebody waits for it.
func (w *watched) urgent(now time.Time) bool {
	if w.inFlight() && w.due {
		return true
	}
	return slices.ContainsFunc(w.asks, func(a ask) bool {
		return !a.notBefore.After(now) && (w.inFlight() || w.hasty || !a.notBefore.IsZero())
	})
}

// seen is when the newest look began; zero before the first.
func (w *watched) seen() time.Time {
	if w.view == nil {
		return time.Time{}
	}
	return w.view.At
}

// ask adds a look that begins at notBefore or later. Asks for the past are one, and more than
// a few for the future are left to whoever asks again.
func (w *watched) ask(notBefore, now time.Time) {
	const most = 8
	if !notBefore.After(now) {
		for i := range w.asks {
			if past := &w.asks[i]; !past.notBefore.After(now) {
				if past.notBefore.Before(notBefore) {
					past.notBefore = notBefore
				}
				return
			}
		}
		w.asks = append(w.asks, ask{notBefore: notBefore, from: now.Add(coalesce)})
		return
	}
	known := slices.ContainsFunc(w.asks, func(a ask) bool { return a.notBefore.Equal(notBefore) })
	if !known && len(w.asks) < most {
		w.asks = append(w.asks, ask{notBefore: notBefore, from: notBefore})
	}
}

// answer takes a view of a look that began at view.At, and says whether owners have to know.
func (w *watched) answer(view *rollout.View) bool {
	news := changed(w.view, view, w.inFlight())
	before := len(w.asks)
	w.asks = slices.DeleteFunc(w.asks, func(a ask) bool { return !a.notBefore.After(view.At) })
	w.view, w.due, w.hasty = view, false, false
	return news || len(w.asks) < before
}

// Track replaces what owner is interested in: true for a service in flight, which is looked at
// at the fast cadence. nil forgets the owner. A service that nobody is interested in any more
// leaves the store; one that is new is looked at at once if it is in flight, and with the sweep if not.
func (f *Fleet) Track(owner types.NamespacedName, keys map[Key]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	left := map[Identity]bool{}
	for _, k := range f.owners[owner] {
		if _, stays := keys[k]; !stays {
			f.forget(owner, k)
			left[k.Identity] = true
		}
	}
	defer f.leave(left)
	if len(keys) == 0 {
		delete(f.owners, owner)
		return
	}
	f.owners[owner] = slices.AppendSeq(make([]Key, 0, len(keys)), maps.Keys(keys))
	now := time.Now()
	for k, fast := range keys {
		r := f.reflector(k.neighbourhood(), now)
		w, ok := r.services[k.Service]
		if !ok {
			w = &watched{}
			w.ask(time.Time{}, now)
			r.services[k.Service] = w
			r.awake()
		}
		if fast && !w.inFlight() {
			w.since = now
		}
		if before := w.own(owner, fast); fast && !before {
			r.hurry(now)
		}
	}
}

// Hasten has those services of owner that were not looked at yet looked at as what somebody waits for,
// and not with the sweep.
func (f *Fleet) Hasten(owner types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range f.owners[owner] {
		r := f.reflectors[k.neighbourhood()]
		if w := r.services[k.Service]; w.view == nil && !w.hasty {
			w.hasty = true
			r.awake()
		}
	}
}

// View is the newest look at k, if it began at or after notBefore. The caller must not change
// it. When there is none, one is asked for, and the owners of k are enqueued once it is there,
// whether it shows a change or not. Only services that are tracked are looked at.
func (f *Fleet) View(k Key, notBefore time.Time) (*rollout.View, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, ok := f.reflectors[k.neighbourhood()]
	if !ok {
		return nil, false
	}
	w, ok := r.services[k.Service]
	if !ok {
		return nil, false
	}
	if w.view != nil && !w.view.At.Before(notBefore) {
		return w.view, true
	}
	w.ask(notBefore, time.Now())
	r.awake()
	return nil, false
}

// stored is the newest look at k that showed something, whenever that was; nil when there is none.
func (f *Fleet) stored(k Key) *rollout.View {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, ok := f.reflectors[k.neighbourhood()]
	if !ok {
		return nil
	}
	w, ok := r.services[k.Service]
	if !ok || w.view == nil || w.view.Problem != nil {
		return nil
	}
	return w.view
}

// Stretched is how long ago the settled service of an environment was looked at that was looked at longest
// ago, when that is later than the slow cadence makes it: our share of the quota leaves no more. 0: all
// are in time.
func (f *Fleet) Stretched(environment string) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	oldest, now := time.Duration(0), time.Now()
	for at, r := range f.reflectors {
		if at.identity.Environment != environment {
			continue
		}
		for _, w := range r.services {
			if w.view == nil || w.view.Problem != nil || w.inFlight() {
				continue // not looked at yet, or a look that failed: the releases say so
			}
			oldest = max(oldest, now.Sub(w.view.At))
		}
	}
	if oldest <= f.options.Slow+f.options.Slow/2 {
		return 0
	}
	return oldest
}

// forget ends owner's interest in k. The fleet's lock is held.
func (f *Fleet) forget(owner types.NamespacedName, k Key) {
	r, ok := f.reflectors[k.neighbourhood()]
	if !ok {
		return
	}
	w, ok := r.services[k.Service]
	if !ok {
		return
	}
	w.disown(owner)
	if len(w.owners) > 0 {
		return
	}
	delete(r.services, k.Service)
	if len(r.services) == 0 {
		r.gone = true
		delete(f.reflectors, r.at)
		r.awake()
	}
}

// reflector returns the reflector of n, made and started when there is none. The fleet's lock
// is held.
func (f *Fleet) reflector(n neighbourhood, now time.Time) *reflector {
	if found, ok := f.reflectors[n]; ok {
		return found
	}
	r := &reflector{
		fleet:    f,
		at:       n,
		session:  f.session(n.identity, n.region),
		wake:     make(chan struct{}, 1),
		services: map[string]*watched{},
		slowAt:   now.Add(jitter(f.options.Slow)),
	}
	f.reflectors[n] = r
	if f.run != nil && !f.stopped {
		f.loops.Go(r.loop)
	}
	return r
}

// publish puts views into the store and tells owners. Services that left meanwhile are passed
// over.
func (f *Fleet) publish(r *reflector, views map[string]*rollout.View) {
	f.mu.Lock()
	told := map[types.NamespacedName]bool{}
	var since time.Time // of the earliest look after which something happened
	for name, view := range views {
		w, ok := r.services[name]
		if !ok {
			continue
		}
		if deployed(w.view, view) && (since.IsZero() || w.view.At.Before(since)) {
			since = w.view.At
		}
		if interval, ok := w.interval(view); ok {
			r.pace.note(interval, f.options.Slow, view.At)
		}
		if !w.answer(view) {
			continue
		}
		for _, i := range w.owners {
			told[i.owner] = true
		}
	}
	f.mu.Unlock()
	if !since.IsZero() {
		f.noteChange(r.at, since)
	}
	for owner := range told {
		f.options.Enqueue(owner)
	}
}

// deployed says that between two looks at a service something happened of which ECS sends an event: a
// deployment began, or ended.
func deployed(before, after *rollout.View) bool {
	if before == nil || before.Problem != nil || after.Problem != nil {
		return false
	}
	was, is := before.Primary(), after.Primary()
	return was != nil && is != nil && (was.ID != is.ID || was.RolloutState != is.RolloutState)
}

package cloud

import (
	"time"

	"heliumai.space/ecsrelease/internal/rollout"
)

// enoughToTell is how much time between looks it takes to tell how long it is on average: thirty times the fast
// cadence, since the average of the first ten looks is off by a fifth now and then, that of thirty by half as much.
// Of a single service even the shorter of the spans that are averaged holds half of one.
func (o *Options) enoughToTell() time.Duration { return min(30*o.Fast, o.Slow/2) }

// pace is how often the services of a neighbourhood are looked at while they are in flight, on average
// over one to two spans of time.
type pace struct {
	began       time.Time // of the span under way
	now, before tally     // of the span under way, and of the one before
}

// tally is how many looks there were, and how much time between each and the one before.
type tally struct {
	looks int
	time  time.Duration
}

// note counts a look that came so long after the one before.
func (p *pace) note(interval, span time.Duration, now time.Time) {
	p.turn(span, now)
	p.now.looks++
	p.now.time += interval
}

// turn begins another span when the one under way is over.
func (p *pace) turn(span time.Duration, now time.Time) {
	switch over := now.Sub(p.began); {
	case over < span:
		return
	case over < 2*span:
		p.before = p.now
	default:
		p.before = tally{}
	}
	p.began, p.now = now, tally{}
}

// average is the time between two looks; 0 where too little was in flight to tell.
func (p *pace) average(enough, span time.Duration, now time.Time) time.Duration {
	p.turn(span, now)
	looks, sum := p.now.looks+p.before.looks, p.now.time+p.before.time
	if looks == 0 || sum < enough {
		return 0
	}
	return sum / time.Duration(looks)
}

// interval is how long a service in flight had to wait for its next look; false where the view is none
// that tells. Looks that fail have pauses of their own between them.
func (w *watched) interval(next *rollout.View) (time.Duration, bool) {
	if !w.inFlight() || w.view == nil || w.view.Problem != nil || next.Problem != nil || w.view.At.Before(w.since) {
		return 0, false
	}
	return next.At.Sub(w.view.At), true
}

// StretchedInFlight is about how often the services of an environment are looked at while they are in
// flight, where that is well below the fast cadence: our share of the quota leaves no more. 0: they are
// looked at in time, or too little was in flight to tell. What was said is taken back only once they are hardly late
// any more.
func (f *Fleet) StretchedInFlight(environment string, said bool) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	longest := f.options.Fast * 3 / 2
	if said {
		longest = f.options.Fast * 5 / 4
	}
	slowest := time.Duration(0)
	for at, r := range f.reflectors {
		if at.identity.Environment == environment {
			slowest = max(slowest, r.pace.average(f.options.enoughToTell(), f.options.Slow, time.Now()))
		}
	}
	if slowest <= longest {
		return 0
	}
	return slowest
}

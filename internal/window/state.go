package window

import (
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// State is what the windows say at an instant, and when they will say otherwise. Windows are
// named as in `Deny "0 0 24 12 *" (Europe/Berlin)`.
type State struct {
	// Open says that a release may start.
	Open bool
	// By names the window that decides: the Deny window that is open or, when none is, the Allow
	// window that is; of several the one that ends last, or the first of those whose end is not in
	// sight. Empty when no window is open: a release may then start only if none has the effect
	// Allow.
	By string
	// Next is the first instant after now at which Open is the other way, in the time zone of the
	// window that brings it about. Zero when that is not in sight.
	Next time.Time
	// Then is what happens at Next: the name of a window, and that it "opens" or "ends". Empty
	// when Next is zero.
	Then string
}

const (
	// sightDays is how many days ahead At looks at most.
	sightDays = 2 * 365
	// sightRuns is how many runs of firings it looks at, of all windows; it bounds the work.
	sightRuns = 1 << 18
)

// At returns the state of the windows at now. Open is exact, and so is a Next that is not zero. It
// is looked for over two years, but over fewer days where windows open hundreds of times on each
// (eleven days where 32 windows open every other minute). A zero Next is thus no promise: ask
// again from time to time.
func (w Windows) At(now time.Time) State {
	v := w.view(now)
	first := v.at(now.Unix())
	last := first
	for last.until < v.limit {
		next := v.at(last.until)
		if next.open != first.open {
			return State{
				Open: first.open,
				By:   first.name(),
				Next: time.Unix(last.until, 0).In(last.next.zone),
				Then: last.happens(),
			}
		}
		last = next
	}
	return State{Open: first.open, By: first.name()}
}

// Message is a sentence about the state, without a full stop, for whoever waits for it to change:
// which window decides, and what happens when. It does not depend on now, only on the state.
func (s State) Message() string {
	switch {
	case s.Open && s.By == "":
		return "within the environment's windows: no Deny window is open" + s.until()
	case s.Open:
		return "within the environment's windows: " + s.By + " is open" + s.until()
	case s.By == "":
		return "outside of the environment's windows: no Allow window is open" + s.from()
	default:
		return "outside of the environment's windows: " + s.By + " is open" + s.from()
	}
}

func (s State) until() string {
	if s.Next.IsZero() {
		return ""
	}
	return "; a release may start until " + s.Next.Format(time.RFC3339) + ", when " + s.Then
}

func (s State) from() string {
	if s.Next.IsZero() {
		return "; no time at which a release may start is in sight"
	}
	return "; a release may start from " + s.Next.Format(time.RFC3339) + ", when " + s.Then
}

// view is the windows from an instant on, forwards.
type view struct {
	allow, deny []*cursor
	limit       int64
}

func (w Windows) view(now time.Time) view {
	runs := 1
	for i := range w {
		runs += len(w[i].runs)
	}
	limit := now.AddDate(0, 0, min(sightDays, sightRuns/runs))
	v := view{limit: limit.Unix()}
	for i := range w {
		c := w[i].cursor(now, limit)
		if c.effect == ecsv1alpha1.WindowDeny {
			v.deny = append(v.deny, c)
		} else {
			v.allow = append(v.allow, c)
		}
	}
	return v
}

// verdict is whether releases may start, which at least until then stays so.
type verdict struct {
	open  bool
	by    *cursor // nil: no window is open
	until int64
	next  *cursor // opens or ends then; nil: until is never
	opens bool    // says which
}

// name is the name of the window that decides, "" when none is open.
func (v verdict) name() string {
	if v.by == nil {
		return ""
	}
	return v.by.name
}

// happens is what happens at the end of v.
func (v verdict) happens() string {
	if v.opens {
		return v.next.name + " opens"
	}
	return v.next.name + " ends"
}

// at returns the verdict at t, which must not be less than before.
func (v view) at(t int64) verdict {
	denying, nextDeny := look(v.deny, t)
	allowing, nextAllow := look(v.allow, t)
	switch {
	case denying != nil:
		return verdict{by: denying, until: denying.span.end, next: denying}
	case allowing == nil && len(v.allow) > 0:
		return verdict{until: nextAllow.span.start, next: nextAllow, opens: true}
	}
	open := verdict{open: true, by: allowing, until: never}
	if allowing != nil {
		open.until, open.next = allowing.span.end, allowing
	}
	if nextDeny != nil && nextDeny.span.start < open.until {
		open.until, open.next, open.opens = nextDeny.span.start, nextDeny, true
	}
	return open
}

// look returns, of the windows that are open at t, the one that ends last, and of the others the
// one that opens first; the first named of several, nil where there is none.
func look(windows []*cursor, t int64) (*cursor, *cursor) {
	var open, next *cursor
	for _, c := range windows {
		switch s := c.at(t); {
		case s.start <= t && (open == nil || s.end > open.span.end):
			open = c
		case s.start > t && (next == nil || s.start < next.span.start):
			next = c
		}
	}
	return open, next
}

package window

import (
	"math"
	"time"
)

// span is a time in which a window is open, in seconds of Unix time, without its end.
type span struct{ start, end int64 }

// never is later than everything.
const never = math.MaxInt64

// cursor walks over the spans of a window, forwards.
type cursor struct {
	*window

	clock wallClock
	limit int64     // no firing at or after it is read
	past  time.Time // the last second on the wall clock of the day that was read last
	ahead []span    // what that day's firings open and is not in span yet
	span  span      // neither overlaps nor touches what was before and what comes after
}

// cursor returns a cursor that sees the firings before limit, and of those before now at least
// those that matter from now on.
func (w *window) cursor(now, limit time.Time) *cursor {
	// A firing that is as far back as the window is long has ended, and so have all before it.
	back := now.Add(-time.Duration(w.duration) * time.Second).In(w.zone)
	day := time.Date(back.Year(), back.Month(), back.Day(), 0, 0, 0, 0, time.UTC)
	return &cursor{
		window: w,
		clock:  clockOf(w.zone, day, limit),
		limit:  limit.Unix(),
		past:   day.Add(-time.Second),
		span:   span{math.MinInt64, math.MinInt64},
	}
}

// at returns the span that t is in, or else the first after it, or else one that is never. A span
// that does not end before the limit never does. One that began before the cursor's now may have
// begun earlier than it says. It cannot go back: t must not be less than before.
func (c *cursor) at(t int64) span {
	for c.span.end <= t {
		if !c.more() {
			c.span = span{never, never}
			break
		}
		c.span = c.take()
		for c.more() && c.ahead[0].start <= c.span.end {
			c.span.end = c.take().end
		}
		if c.span.end >= c.limit {
			c.span.end = never // as far as is known
		}
	}
	return c.span
}

func (c *cursor) take() span {
	s := c.ahead[0]
	c.ahead = c.ahead[1:]
	return s
}

// more reads days until something is ahead; false when there is nothing before the limit.
func (c *cursor) more() bool {
	for len(c.ahead) == 0 {
		day := c.days.Next(c.past)
		if day.IsZero() { // not within five years
			return false
		}
		if start, _ := c.clock.first(day.Unix()); start >= c.limit {
			return false
		}
		c.past, c.ahead = day.Add(wholeDay-time.Second), c.read(day.Unix())
	}
	return true
}

// read returns what the firings of a day open, in their order.
func (c *cursor) read(day int64) []span {
	spans := make([]span, 0, len(c.runs))
	for _, run := range c.runs {
		start, era := c.clock.first(day + run[0])
		last, sameEra := c.clock.first(day + run[len(run)-1])
		if era == sameEra {
			spans = append(spans, span{start, last + c.duration})
			continue
		}
		// The clock is moved during the run, which may tear it apart.
		for _, firing := range run {
			start, _ := c.clock.first(day + firing)
			spans = append(spans, span{start, start + c.duration})
		}
	}
	return spans
}

package window

import "time"

// wallClock is the clock on the wall of a time zone over some years, as the eras in which it was
// off UTC by the same. All is in seconds; what it shows is written as if it were UTC.
type wallClock []era

type era struct{ start, end, offset int64 }

// farthestEast is more than any wall clock has ever been ahead of UTC (the most was 15:13:42, in
// Alaska until 1867).
const farthestEast = 16 * time.Hour

// clockOf is the wall clock of zone for what it shows from shown on, and until the instant until.
func clockOf(zone *time.Location, shown, until time.Time) wallClock {
	var clock wallClock
	for at := shown.Add(-farthestEast).In(zone); ; {
		_, offset := at.Zone()
		_, end := at.ZoneBounds()
		if end.IsZero() || end.After(until) {
			return append(clock, era{at.Unix(), never, int64(offset)})
		}
		clock = append(clock, era{at.Unix(), end.Unix(), int64(offset)})
		at = end
	}
}

// first returns the first instant at which the clock shows at least that, and the index of its era.
func (c wallClock) first(shown int64) (int64, int) {
	for i, e := range c {
		if at := max(e.start, shown-e.offset); at < e.end {
			return at, i
		}
	}
	return never, len(c)
}

package window

import "time"

// wallClock is the clock on the wall of a time zone over some years, as the eras in which it is
// ahead of UTC by the same. All is in seconds; what it shows is written as if it were UTC.
type wallClock []era

// era ends where the next one starts, which may have the same offset. The last of a clock does not
// end.
type era struct{ start, offset int64 }

// farthestEast is more than any wall clock has ever been ahead of UTC (the most was 15:13:42, in
// Alaska until 1867).
const farthestEast = 16 * time.Hour

const wholeDay = 24 * time.Hour

// clockOf is the wall clock of zone for what it shows from shown on, and until the instant until.
func clockOf(zone *time.Location, shown, until time.Time) wallClock {
	var clock wallClock
	for at := shown.Add(-farthestEast).In(zone); ; {
		_, offset := at.Zone()
		clock = append(clock, era{at.Unix(), int64(offset)})
		_, end := at.ZoneBounds()
		if !end.IsZero() && !end.After(at) {
			// On the last day of a leap year the end may be when that begins: https://go.dev/issue/81583.
			end = at.Truncate(wholeDay).Add(wholeDay)
		}
		if end.IsZero() || end.After(until) {
			return clock
		}
		at = end
	}
}

// first returns the first instant at which the clock shows at least that, and the index of its era.
func (c wallClock) first(shown int64) (int64, int) {
	last := len(c) - 1
	for i, e := range c[:last] {
		if at := max(e.start, shown-e.offset); at < c[i+1].start {
			return at, i
		}
	}
	return max(c[last].start, shown-c[last].offset), last
}

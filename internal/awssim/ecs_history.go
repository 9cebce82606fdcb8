package awssim

import (
	"sort"
	"time"
)

// history is what something looked like and since when, so that a read can be answered as
// the world was a moment ago. Versions are values that nobody changes once recorded.
type history[T any] struct {
	born     time.Time
	versions []version[T]
}

type version[T any] struct {
	since time.Time
	value T
}

// historyKept is how long an old version stays readable, in AWS's time and in ours,
// whichever is longer.
const historyKept = 3 * time.Minute

// record notes what it looks like from now on.
func (h *history[T]) record(now time.Time, value T) {
	if h.born.IsZero() {
		h.born = now
	}
	if n := len(h.versions); n > 0 && h.versions[n-1].since.Equal(now) {
		h.versions[n-1].value = value
		return
	}
	h.versions = append(h.versions, version[T]{now, value})
}

// at returns the version of that moment, the oldest known if that one is forgotten, nil if
// there was none yet.
func (h *history[T]) at(t time.Time) *T {
	i := sort.Search(len(h.versions), func(i int) bool { return h.versions[i].since.After(t) })
	switch {
	case i == 0 && t.Before(h.born), len(h.versions) == 0:
		return nil
	case i == 0:
		return h.first()
	}
	return &h.versions[i-1].value
}

// first is the oldest version that is still known.
func (h *history[T]) first() *T {
	if len(h.versions) == 0 {
		return nil
	}
	return &h.versions[0].value
}

// forget drops the versions that were over before t, and tells whether only one is left.
func (h *history[T]) forget(t time.Time) bool {
	i := sort.Search(len(h.versions), func(i int) bool { return h.versions[i].since.After(t) })
	if i > 1 {
		h.versions = append([]version[T](nil), h.versions[i-1:]...)
	}
	return len(h.versions) <= 1
}

// kept is historyKept on the wall clock.
func (w *world) kept() time.Duration { return max(historyKept, w.scale(historyKept)) }

// afterWall schedules fn for when d has passed on the wall clock.
func (w *world) afterWall(d time.Duration, fn func()) {
	if w.speed > 0 {
		d = time.Duration(float64(d) * w.speed)
	}
	w.after(d, fn)
}

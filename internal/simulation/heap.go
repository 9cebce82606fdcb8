package simulation

import (
	"fmt"
	"runtime"
	"time"
)

// HeapReport is what a manager has in memory of a fleet, before and after a time in which the fleet is
// looked at, and each release of it released to once a day.
type HeapReport struct {
	Releases int
	// Lasted is how much virtual time lies between the two.
	Lasted time.Duration
	// Before and After are live bytes after a collection, without those of AWS and of the API server,
	// which live in the same process.
	Before, After int64
	// Violations are the promises that were broken; none: all were kept.
	Violations []string
}

// Growth is by how much the heap has grown, as a share of what it was.
func (r *HeapReport) Growth() float64 { return float64(r.After)/float64(r.Before) - 1 }

// restTime is how long a manager is left alone before it is weighed: nothing is under way then, and what
// nobody uses any more is forgotten.
const restTime = 2 * time.Hour

// fill is how many releases it takes until all that is remembered of them is full: of the digests that
// ran well in an environment the last 20 are kept for each service, of a release's history less.
const fill = 21

// RunHeap weighs a manager, lets days pass, and weighs it again. It is called in a testing/synctest bubble,
// while nothing else runs in the process.
func RunHeap(setup *Setup, releases, days int) (*HeapReport, error) {
	w, err := bareWorld(setup, 1)
	if err != nil {
		return nil, err
	}
	if err := w.crowd(Bump{Releases: releases}); err != nil {
		return nil, err
	}
	for _, s := range w.subjects {
		s.create()
	}
	w.mustStart("")
	tag := 0
	bump := func() (err error) {
		defer func() {
			if err != nil {
				w.finish()
			}
		}()
		tag++
		if tag > neighbourTags {
			if err := w.images.push(fmt.Sprint("v", tag), good); err != nil {
				return err
			}
		}
		for _, s := range w.subjects {
			s.bump(fmt.Sprint("v", tag))
		}
		if !w.waitReady(w.subjects, 3*time.Hour) {
			return fmt.Errorf("the fleet does not become Ready with v%d: %v", tag, w.story.violations)
		}
		w.ledger.audit() // the journal is short
		return nil
	}
	for range fill {
		if err := bump(); err != nil {
			return nil, err
		}
	}
	// Both managers that are weighed begin with all that is remembered: client-go keeps the buffers in which
	// a watch first came as long as the watch is renewed, and they are as large as the largest object.
	w.dismiss()
	w.mustStart("")
	if err := bump(); err != nil {
		return nil, err
	}
	report := &HeapReport{Releases: releases}
	began := time.Now()
	report.Before = w.weigh()
	w.mustStart("")
	for day := range days {
		if err := bump(); err != nil {
			return nil, err
		}
		w.until(began.Add(time.Duration(day+1) * 24 * time.Hour))
	}
	report.Lasted = time.Since(began)
	report.After = w.weigh()
	w.finish()
	_, report.Violations = w.story.told()
	return report, nil
}

// weigh says what the manager has alive: what there is with it, less what is left when it has ended.
// None goes on in its place.
func (w *world) weigh() int64 {
	w.until(time.Now().Add(restTime))
	for _, p := range w.alive {
		p.border.forget()
	}
	with := live()
	w.dismiss()
	w.until(time.Now().Add(restTime)) // what it had left behind ends as well
	without := live()
	return with - without
}

// dismiss ends the manager, in whose place none goes on.
func (w *world) dismiss() {
	w.closing = true
	for _, p := range w.alive {
		p.cancel()
	}
	for len(w.alive) > 0 {
		w.buried(<-w.ended)
	}
	w.alive = nil // an empty slice still knows who was in it
	w.closing = false
}

// live is what is reachable.
func live() int64 {
	runtime.GC()
	runtime.GC() // what finalizers let go of
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

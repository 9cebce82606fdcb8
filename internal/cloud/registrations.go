package cloud

import (
	"sync"
	"time"
)

const (
	// busyFamily is how soon a family whose registration is under way may be free again.
	busyFamily = 500 * time.Millisecond
	// doubtfulFamily is how long a family rests after a registration whose answer was lost: until
	// then a look that finds nothing proves nothing.
	doubtfulFamily = 30 * time.Second
)

// registrations lets one registration of a family through at a time, and each only if whoever
// wants it has looked for an equal revision since the last one: it may have made what is wanted.
type registrations struct {
	mu        sync.Mutex
	families  map[familyKey]familyTurn
	forgotten time.Time // registrations that ended until then may be remembered no more
}

// familyTurn is where a family stands.
type familyTurn struct {
	busy    bool
	changed time.Time // when the last registration ended
	closed  time.Time // until when there is none
}

// begin says whether it is the turn of one who looked at a time. Otherwise it says how long to
// wait at least before looking again. One that begins must end.
func (r *registrations) begin(key familyKey, looked time.Time) (wait time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	turn := r.turn(key)
	if wait := turn.wait(looked); wait > 0 {
		return wait, false
	}
	if r.families == nil {
		r.families = map[familyKey]familyTurn{}
	}
	turn.busy = true
	r.families[key] = turn
	return 0, true
}

// wait is how long begin would make one wait who looked at a time; 0: it is their turn.
func (r *registrations) wait(key familyKey, looked time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.turn(key).wait(looked)
}

// turn is where a family stands; one that is not remembered stands as one that was forgotten. The
// caller holds mu.
func (r *registrations) turn(key familyKey) familyTurn {
	turn, ok := r.families[key]
	if !ok {
		turn.changed = r.forgotten
	}
	return turn
}

func (t familyTurn) wait(looked time.Time) time.Duration {
	switch closed := time.Until(t.closed); {
	case closed > 0:
		return closed
	case t.busy, !t.changed.IsZero() && !looked.After(t.changed):
		return busyFamily
	default:
		return 0
	}
}

// valid says that what was seen of a family at a time may still be taken for what there is: it is
// not too old, and nothing was registered since, or may have been.
func (r *registrations) valid(key familyKey, at, notBefore time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	turn := r.turn(key)
	return !at.Before(notBefore) && time.Since(at) < searchAge && !turn.busy && at.After(turn.changed)
}

// touch makes whatever was seen of a family until now worth nothing.
func (r *registrations) touch(key familyKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.families == nil {
		r.families = map[familyKey]familyTurn{}
	}
	turn := r.families[key]
	turn.changed = time.Now()
	r.families[key] = turn
}

// end is told how a registration ended: whether it may have changed the family, and whether that
// is in doubt.
func (r *registrations) end(key familyKey, changed, doubtful bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	turn := r.families[key]
	turn.busy = false
	if changed || doubtful {
		turn.changed = time.Now()
	}
	if doubtful {
		turn.closed = time.Now().Add(doubtfulFamily)
	}
	r.families[key] = turn
}

// forget drops families in which nothing was registered since a time.
func (r *registrations) forget(since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := map[familyKey]familyTurn{} // a map never gets smaller
	for key, turn := range r.families {
		if turn.busy || !turn.changed.Before(since) || turn.closed.After(since) {
			kept[key] = turn
		}
	}
	if len(kept) < len(r.families) {
		r.families, r.forgotten = kept, since
	}
}

package cloud

import (
	"cmp"
	"slices"
	"time"
)

// lateness is how much later than it was told somebody may come again for a token and still have its
// place.
const lateness = time.Second

// row is who waits for the tokens of a bucket and comes again until there is one: environments go one
// after the other, and in each whoever came first.
type row struct {
	waiting []looker
	clock   int64 // the tag of the last one that had a token
	number  int64
}

// claimant is who waits for a token: a reflector, or what looks something up for an environment. The zero value
// is somebody who stands in no row.
type claimant struct {
	environment string
	reflector   *reflector // nil: a look-up
	behind      bool       // another look-up of the environment waits already
}

// looker is a claimant in a row.
type looker struct {
	who    claimant
	tag    int64 // environments with equal tags take turns
	number int64 // which of those with equal tags came first
	back   time.Time
}

func (l looker) compare(other looker) int {
	return cmp.Or(cmp.Compare(l.tag, other.tag), cmp.Compare(l.number, other.number))
}

// prune takes out those that did not come again when they were told to.
func (r *row) prune(now time.Time) {
	r.waiting = slices.DeleteFunc(r.waiting, func(l looker) bool { return now.After(l.back.Add(lateness)) })
}

// place is how many go before who, which comes behind all of its environment if it is new.
func (r *row) place(who claimant, now time.Time) int {
	if at := r.find(who); at >= 0 {
		return at
	}
	r.number++
	l := looker{who: who, tag: r.clock, number: r.number, back: now}
	for _, other := range r.waiting {
		if other.who.environment == who.environment {
			l.tag = max(l.tag, other.tag)
		}
	}
	l.tag++
	at, _ := slices.BinarySearchFunc(r.waiting, l, looker.compare)
	r.waiting = slices.Insert(r.waiting, at, l)
	return at
}

// serve takes out who has its token.
func (r *row) serve(who claimant) {
	if at := r.find(who); at >= 0 {
		r.clock = max(r.clock, r.waiting[at].tag)
		r.leave(who)
	}
}

// leave takes out who does not wait any more.
func (r *row) leave(who claimant) {
	r.waiting = slices.DeleteFunc(r.waiting, func(l looker) bool { return l.who == who })
}

// tell notes when who comes again.
func (r *row) tell(who claimant, back time.Time) {
	if at := r.find(who); at >= 0 {
		r.waiting[at].back = back
	}
}

// hold keeps all places until then.
func (r *row) hold(until time.Time) {
	for i := range r.waiting {
		if r.waiting[i].back.Before(until) {
			r.waiting[i].back = until
		}
	}
}

func (r *row) find(who claimant) int {
	return slices.IndexFunc(r.waiting, func(l looker) bool { return l.who == who })
}

package cloud

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"heliumai.space/ecsrelease/internal/rollout"
)

const (
	// lapse is how long a turn that was given is kept for whoever it was given to.
	lapse = 10 * time.Second
	// grace is how much later than it was told to somebody may ask again without losing their place.
	grace = 30 * time.Second
	// nearby is a wait to the end of which somebody simply waits. A longer one is a guess, and is
	// asked about again when half of it is over.
	nearby = 10 * time.Second
)

// stepID is a step that takes a token, whoever wants it. A registration is that of a content in a
// family: releases that need the same one wait in one place, and one of them makes it.
type stepID struct {
	action rollout.Action
	key    Key       // of all but registrations
	family familyKey // of registrations, with hash
	hash   string
}

// waiter is a step in line.
type waiter struct {
	id     stepID
	class  int
	tag    int64 // environments with equal tags take turns
	number int64 // which of those with equal tags came first
	owners map[types.NamespacedName]bool
	// until is when the place is lost, blocked until when the step could not be made anyway, called
	// when its owners were last told to ask again.
	until, blocked, called time.Time
	// holder is the release that was given the turn; zero: none was. It is spent once the call is made:
	// its token is taken then.
	holder      types.NamespacedName
	spent       bool
	environment string // of whoever came first
}

// line is who waits for the tokens of one quota in an account and region: what is urgent first, and
// then the environments one after the other, each in the order in which its steps came. Nobody waits
// here with a worker: a step is told when to ask again, and has its place kept until a while after.
type line struct {
	known   map[stepID]*waiter
	waiting []*waiter // those that were not given a turn yet, in the order in which they go
	given   int       // turns that were given and not spent yet
	number  int64
	classes [2]class
	pruned  time.Time
}

// class is what is equally urgent. Its clock is the tag of the last step that was given a turn, so
// that an environment that comes later begins beside those that have waited, and not behind them.
type class struct {
	clock  int64
	newest map[string]int64 // by environment, the tag of the last one that came
}

// The classes.
const (
	first = iota
	usual
)

// lines are the lines of all quotas.
type lines struct {
	metrics *metrics

	mu sync.Mutex
	of map[bucketKey]*line
	// places are where each owner stands.
	places map[types.NamespacedName]map[stepID]bucketKey
}

// ask has a step of an owner join the line, or come forward when it is its turn: what there is room
// for in the bucket, for steps that are not blocked. The calls are owners to be told to ask again,
// because there is room for theirs too.
func (ls *lines) ask(at bucketKey, b *bucket, t Turn, id stepID, blocked time.Duration, now time.Time) (place Place, calls []types.NamespacedName) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.of == nil {
		ls.of, ls.places = map[bucketKey]*line{}, map[types.NamespacedName]map[stepID]bucketKey{}
	}
	l := ls.of[at]
	if l == nil {
		l = &line{known: map[stepID]*waiter{}}
		ls.of[at] = l
	}
	defer ls.measure(at.quota)
	ls.prune(l, now)
	w := l.join(id, t)
	w.owners[t.Owner] = true
	if ls.places[t.Owner] == nil {
		ls.places[t.Owner] = map[stepID]bucketKey{}
	}
	ls.places[t.Owner][id] = at
	w.blocked = now.Add(blocked)
	if blocked > 0 && w.holder == t.Owner {
		l.takeBack(w, now)
	}
	have, perSecond, shut := b.stand(now)
	have -= float64(l.given)
	ahead := l.ahead(w, now)
	switch {
	case w.holder == t.Owner:
		w.until = now.Add(lapse)
		return Place{}, nil
	case w.holder != types.NamespacedName{}:
		// What another release makes is told to all that wait for it.
		return Place{Wait: lapse, Again: lapse}, nil
	case blocked == 0 && shut == 0 && float64(ahead+1) <= have:
		l.give(w, t.Owner, now)
		return Place{}, l.calls(int(have)-1, now)
	}
	missing := max(0, float64(ahead+1)-have)
	place.Wait = max(shut, blocked, time.Duration(missing/perSecond*float64(time.Second))+time.Millisecond)
	place.Again = place.Wait
	if place.Wait > nearby {
		place.Again = max(nearby, place.Wait/2)
	}
	place.Ahead = ahead + l.given
	w.until = now.Add(place.Again + grace)
	if shut > 0 {
		return place, nil
	}
	return place, l.calls(int(have), now)
}

// done takes a step whose call has ended out of the line, or has it keep its place if the call is to
// be made again. The calls are owners to be told to look: those that waited for the same, and those
// that there is room for now.
func (ls *lines) done(at bucketKey, b *bucket, id stepID, again bool, now time.Time) (calls []types.NamespacedName) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l := ls.of[at]
	if l == nil {
		return nil
	}
	defer ls.measure(at.quota)
	if w := l.known[id]; w != nil {
		holder := w.holder
		switch {
		case !again:
			ls.drop(l, w)
			for owner := range w.owners {
				if owner != holder {
					calls = append(calls, owner)
				}
			}
		case holder != types.NamespacedName{}:
			l.takeBack(w, now)
		}
	}
	if have, _, shut := b.stand(now); shut == 0 {
		calls = append(calls, l.calls(int(have)-l.given, now)...)
	}
	return calls
}

// spend says that the call of a step is being made, if it was given its turn: from now on its token is
// missing in the bucket.
func (ls *lines) spend(at bucketKey, id stepID) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l := ls.of[at]
	if l == nil {
		return
	}
	if w := l.known[id]; w != nil && w.holder != (types.NamespacedName{}) && !w.spent {
		w.spent = true
		l.given--
	}
}

// keep takes an owner out of all lines but where it waits for these steps. The calls are those that
// there is room for now.
func (ls *lines) keep(owner types.NamespacedName, wanted map[stepID]bool, b func(bucketKey) *bucket, now time.Time) (calls []types.NamespacedName) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for id, at := range ls.places[owner] {
		if wanted[id] {
			continue
		}
		l := ls.of[at]
		w := l.known[id]
		delete(w.owners, owner)
		delete(ls.places[owner], id)
		switch {
		case w.spent: // its call ends by itself
		case len(w.owners) == 0:
			ls.drop(l, w)
		case w.holder == owner:
			l.takeBack(w, now)
		}
		if have, _, shut := b(at).stand(now); shut == 0 {
			calls = append(calls, l.calls(int(have)-l.given, now)...)
		}
		ls.measure(at.quota)
	}
	if len(ls.places[owner]) == 0 {
		delete(ls.places, owner)
	}
	return calls
}

// measure tells the metrics how many wait for a quota, in all accounts and regions.
func (ls *lines) measure(q quota) {
	n := 0
	for at, l := range ls.of {
		if at.quota == q {
			n += len(l.waiting)
		}
	}
	ls.metrics.waiting.WithLabelValues(string(q)).Set(float64(n))
}

// join is the step in line; one that is new comes behind all of its environment. It moves up where it has
// become urgent, or another environment that waits for less wants it too.
func (l *line) join(id stepID, t Turn) *waiter {
	w := l.known[id]
	at := usual
	if t.Urgent {
		at = first
	}
	c := &l.classes[at]
	if c.newest == nil {
		c.newest = map[string]int64{}
	}
	tag := max(c.clock, c.newest[t.Environment]) + 1
	switch {
	case w == nil:
		w = &waiter{id: id, owners: map[types.NamespacedName]bool{}}
	case w.holder != (types.NamespacedName{}), at > w.class, at == w.class && tag >= w.tag:
		return w
	default:
		l.forget(w)
	}
	l.number++
	w.class, w.number, w.tag, w.environment = at, l.number, tag, t.Environment
	c.newest[t.Environment] = w.tag
	l.known[id] = w
	l.insert(w)
	return w
}

func (w *waiter) compare(other *waiter) int {
	return cmp.Or(cmp.Compare(w.class, other.class), cmp.Compare(w.tag, other.tag), cmp.Compare(w.number, other.number))
}

func (l *line) insert(w *waiter) {
	at, _ := slices.BinarySearchFunc(l.waiting, w, (*waiter).compare)
	l.waiting = slices.Insert(l.waiting, at, w)
}

func (l *line) leave(w *waiter) {
	if at, found := slices.BinarySearchFunc(l.waiting, w, (*waiter).compare); found {
		l.waiting = slices.Delete(l.waiting, at, at+1)
	}
}

// forget takes a step out of its place, and lets the next one of its environment have that if it was the last.
func (l *line) forget(w *waiter) {
	l.leave(w)
	c := &l.classes[w.class]
	if c.newest[w.environment] != w.tag {
		return
	}
	delete(c.newest, w.environment)
	for _, other := range l.waiting {
		if other.class == w.class && other.environment == w.environment {
			c.newest[w.environment] = max(c.newest[w.environment], other.tag)
		}
	}
}

// ahead is how many go before w, of those that can.
func (l *line) ahead(w *waiter, now time.Time) int {
	n := 0
	for _, other := range l.waiting {
		if other == w {
			break
		}
		if !other.blocked.After(now) {
			n++
		}
	}
	return n
}

// give gives w its turn.
func (l *line) give(w *waiter, to types.NamespacedName, now time.Time) {
	l.leave(w)
	l.given++
	w.holder, w.spent, w.until = to, false, now.Add(lapse)
	c := &l.classes[w.class]
	c.clock = max(c.clock, w.tag)
}

// takeBack takes a turn back that was given: the step waits in its place again, for at least as long as
// a throttle may shut the bucket.
func (l *line) takeBack(w *waiter, now time.Time) {
	if !w.spent {
		l.given--
	}
	w.holder, w.spent = types.NamespacedName{}, false
	w.until = now.Add(shutTimes[len(shutTimes)-1] + grace)
	l.insert(w)
}

// calls are the owners of the next few in line that have not been told lately.
func (l *line) calls(room int, now time.Time) (owners []types.NamespacedName) {
	for _, w := range l.waiting {
		if room <= 0 {
			break
		}
		if w.blocked.After(now) {
			continue
		}
		room--
		if now.Sub(w.called) < lapse {
			continue
		}
		w.called = now
		for owner := range w.owners {
			owners = append(owners, owner)
		}
	}
	return owners
}

// prune takes out those that did not come back, now and then.
func (ls *lines) prune(l *line, now time.Time) {
	if now.Sub(l.pruned) < time.Second {
		return
	}
	l.pruned = now
	for _, w := range l.known {
		if !w.until.Before(now) {
			continue
		}
		delete(w.owners, w.holder)
		delete(ls.places[w.holder], w.id)
		if w.holder == (types.NamespacedName{}) || len(w.owners) == 0 {
			ls.drop(l, w)
			continue
		}
		l.takeBack(w, now) // another release wants the same
	}
	for i := range l.classes {
		c := &l.classes[i]
		for environment, newest := range c.newest {
			if newest <= c.clock {
				delete(c.newest, environment)
			}
		}
	}
}

func (ls *lines) drop(l *line, w *waiter) {
	delete(l.known, w.id)
	for owner := range w.owners {
		delete(ls.places[owner], w.id)
		if len(ls.places[owner]) == 0 {
			delete(ls.places, owner)
		}
	}
	switch {
	case w.holder == types.NamespacedName{}:
		l.forget(w)
	case !w.spent:
		l.given--
	}
}

package simulation

import (
	"math/rand/v2"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// managerLabel says whose an environment is, where several managers divide them.
const managerLabel = "simulation/manager"

// divide has two managers share some of the worlds. The environments of each are its own, until they
// are moved to the other.
func (w *world) divide(r *rand.Rand) {
	if r.IntN(4) == 0 {
		w.managers = []string{"a", "b"}
	}
}

// move has the environment of the first realm moved from one manager to another, and back, now and then:
// at once or by way of nobody, and most often while a release is under way there.
func (w *world) move(s *script, end time.Time, r *rand.Rand) {
	if len(w.managers) == 1 {
		return
	}
	span, home := time.Until(end), w.realms[0]
	for range 3 + r.IntN(6) {
		at := time.Now().Add(time.Duration(r.Int64N(int64(span))))
		if r.IntN(4) > 0 {
			around := time.Duration(r.Int64N(int64(time.Minute))) - 40*time.Second
			s.add(at.Add(around), w.releaseSomething)
		}
		if r.IntN(4) == 0 {
			s.add(at, func() { w.assign(home, "nobody") })
			at = at.Add(time.Duration(r.Int64N(int64(10 * time.Minute))))
		}
		lasts := time.Duration(r.Int64N(int64(leaseDuration)))
		switch r.IntN(3) {
		case 0:
			s.add(at, func() { w.doze(s, lasts) })
		case 1:
			s.add(at, func() {
				w.story.tell("fault", "watches lag by %s while an environment is moved", lasts/10)
				w.kubeFaults.setLag(lasts / 10)
			})
			s.add(at.Add(lasts), func() { w.kubeFaults.setLag(0) })
		}
		s.add(at.Add(time.Duration(r.Int64N(int64(time.Second)))), func() { w.assign(home, w.other(home.manager)) })
	}
}

// releaseSomething has a release of the first realm ask for a new image.
func (w *world) releaseSomething() {
	tag, err := w.images.next(good)
	if err != nil {
		w.story.violate("the script can be played", "pushing an image: %v", err)
		return
	}
	for _, s := range w.subjects {
		if s.realm != w.realms[0] {
			continue
		}
		w.story.tell("user", "asks for %s in %s", tag, s.key)
		s.bump(tag)
		<-time.After(time.Second)
		s.approve()
		return
	}
}

// other is a manager, and not the one that is given.
func (w *world) other(manager string) string {
	if w.managers[0] == manager {
		return w.managers[1]
	}
	return w.managers[0]
}

// doze puts the process that something happens to next to sleep for a while, and nobody in its place. nil:
// there is none.
func (w *world) doze(s *script, lasts time.Duration) *process {
	sleeper := w.actor()
	if sleeper == nil {
		return nil
	}
	w.story.tell("process", "%s falls asleep for %s", sleeper.name, lasts.Round(time.Second))
	sleeper.border.freeze()
	s.add(time.Now().Add(lasts), func() {
		w.story.tell("process", "%s wakes up", sleeper.name)
		sleeper.border.thaw()
	})
	return sleeper
}

// assign gives an environment to a manager.
func (w *world) assign(m *realm, manager string) {
	m.manager = manager
	w.editEnvironment(m.name, func(environment *ecsv1alpha1.EcsEnvironment) {
		environment.Labels = map[string]string{managerLabel: manager}
	})
	w.coverage.count("process", "move")
	w.story.tell("user", "environment %s is manager %s's", m.name, manager)
}

// running is how many processes of a manager there are.
func (w *world) running(manager string) int {
	count := 0
	for _, p := range w.alive {
		if p.manager == manager {
			count++
		}
	}
	return count
}

// actor is the process to which something happens next: one of the manager that owns the first realm,
// if there is one. nil: there is no process at all.
func (w *world) actor() *process {
	for _, p := range w.alive {
		if p.manager == w.realms[0].manager {
			return p
		}
	}
	if len(w.alive) > 0 {
		return w.alive[0]
	}
	return nil
}

package awssim

import (
	"slices"
	"time"
)

// poke makes the scheduler look at the service d from now, in AWS's time, unless it does so
// earlier anyway. A service that nobody pokes costs nothing.
func (s *service) poke(d time.Duration) {
	w := s.state.world
	due := w.now().Add(w.scale(d))
	if !s.wake.IsZero() && !due.Before(s.wake) {
		return
	}
	s.wake = due
	w.after(d, func() {
		if s.wake.Equal(due) {
			s.wake = time.Time{}
			s.reconcile()
		}
	})
}

// reconcile is the service scheduler: it looks at the tasks there are and starts and stops
// some, so that the PRIMARY deployment comes in and the others go out.
func (s *service) reconcile() {
	p := s.primary()
	switch {
	case s.status == "DRAINING":
		s.drain()
	case s.status == "INACTIVE" || p == nil:
		return
	case p.rollout == "FAILED" && p.serviceDeployment.lifecycle.shifts():
		if s.completed != nil && s.completed != p { // production may need it
			s.keep(s.completed, s.wanted())
		}
	case p.rollout == "FAILED":
		s.stop(s.surplus(s.rollout.ceiling(s.wanted())), stopForScaling(p))
	default:
		s.work(p)
	}
	s.dropReplaced()
	s.announceSteadyState()
	s.touch()
}

// work takes a deployment one step further, by its strategy.
func (s *service) work(p *deployment) {
	begun := s.begin(p)
	l := p.serviceDeployment.lifecycle
	switch {
	case p.rollout == "IN_PROGRESS" && p.rollback && l.shifts():
		s.revert(p)
	case p.rollout == "IN_PROGRESS" && !p.rollback && l != nil:
		s.progress(p)
	default:
		s.roll(p)
		if begun { // nothing ends in the instant it begins
			s.poke(s.state.between(2*time.Second, 4*time.Second))
		} else {
			s.complete(p)
		}
	}
}

// begin marks a deployment, or its rollback, as started, and tells whether it was not before.
func (s *service) begin(p *deployment) bool {
	sd := p.serviceDeployment
	now := s.state.world.now()
	if !p.started {
		p.started, p.updatedAt = true, now
	}
	switch {
	case sd.status == "PENDING":
		sd.startedAt = now
		sd.set("IN_PROGRESS", "")
		if sd.lifecycle != nil {
			s.limitAll(p)
		}
		return true
	case sd.status == "ROLLBACK_REQUESTED" && p.rollback:
		sd.set("ROLLBACK_IN_PROGRESS", "")
		return true
	}
	return false
}

func running(t *task) bool { return t.desired == "RUNNING" }

func healthy(t *task) bool { return t.desired == "RUNNING" && t.ready }

// live are the tasks that are not on their way out.
func (s *service) live() []*task {
	return slices.DeleteFunc(slices.Clone(s.tasks), func(t *task) bool { return !running(t) })
}

// surplus are the live tasks beyond n, the oldest first.
func (s *service) surplus(n int) []*task {
	live := s.live()
	return live[:max(0, len(live)-n)]
}

// roll takes one step of a rolling deployment, or of scaling, within minimumHealthyPercent
// (rounded up) and maximumPercent (rounded down) of the desired count as it is now.
func (s *service) roll(p *deployment) {
	desired := s.wanted()
	floor, ceiling := s.rollout.floor(desired), s.rollout.ceiling(desired)
	incoming := s.of(p, running)
	good := len(s.of(p, healthy))

	// Of what is being replaced, tasks that are not healthy serve nobody.
	var replaced, lame []*task
	for _, t := range s.live() {
		switch {
		case t.deployment == p:
		case t.ready:
			replaced = append(replaced, t)
		default:
			lame = append(lame, t)
		}
	}
	s.stop(lame, stopForScaling(p))

	if extra := len(incoming) - desired; extra > 0 { // scaled in; newest and unhealthy ones go first
		s.stop(leastUseful(incoming)[:extra], stopForScaling(p))
		incoming = incoming[extra:]
		good = len(s.of(p, healthy))
	}

	missing := desired - len(incoming)
	room := ceiling - s.occupying()
	expendable := max(0, good+len(replaced)-floor)
	count := good + len(replaced) - desired // whose place is taken
	if missing > room {
		count = max(count, missing-room) // or has to be made
	}
	count = max(0, min(count, expendable, len(replaced)))
	s.stop(replaced[:count], stopForScaling(p))

	switch n := min(missing, room); {
	case n > 0:
		s.launch(p, n)
	case missing > 0 && count == 0 && len(incoming) == good && s.settled():
		s.event("was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.")
	}
}

// leastUseful sorts tasks: the unhealthy ones first, and the newest of them.
func leastUseful(tasks []*task) []*task {
	slices.SortStableFunc(tasks, func(a, b *task) int {
		switch {
		case a.ready == b.ready:
			return b.createdAt.Compare(a.createdAt)
		case a.ready:
			return 1
		default:
			return -1
		}
	})
	return tasks
}

// occupying is how many tasks count against maximumPercent: those that are to run, and those
// that still do.
func (s *service) occupying() int {
	n := 0
	for _, t := range s.tasks {
		if running(t) || t.last == "RUNNING" {
			n++
		}
	}
	return n
}

// settled tells whether no task is on its way out.
func (s *service) settled() bool { return len(s.tasks) == len(s.live()) }

// launchBatch is how many tasks the scheduler starts at a time.
const launchBatch = 20

// launch starts n tasks of a deployment, unless the throttle holds them back or there is no
// place for them.
func (s *service) launch(p *deployment, n int) {
	w := s.state.world
	if now := w.now(); now.Before(s.heldUntil) {
		s.pokeAt(s.heldUntil)
		return
	}
	s.steady = false
	if why := s.unplaceable(p); why != "" {
		s.event("%s", why)
		s.announceAction("ERROR", "SERVICE_TASK_PLACEMENT_FAILURE", s.placementFailure())
		s.failed(p, false)
		s.poke(s.state.between(10*time.Second, 15*time.Second))
		return
	}
	if n > launchBatch {
		n = launchBatch
		s.poke(3 * time.Second)
	}
	var started []*task
	for range n {
		t := newTask(s, p)
		started = append(started, t)
		t.start()
	}
	s.event("has started %d tasks: %s.", n, taskList(started))
}

// pokeAt is poke with a moment on the wall clock.
func (s *service) pokeAt(t time.Time) {
	w := s.state.world
	d := t.Sub(w.now())
	if w.speed > 0 {
		d = time.Duration(float64(d)*w.speed) + time.Millisecond
	}
	s.poke(d)
}

// stop sends tasks away.
func (s *service) stop(tasks []*task, reason string) {
	if len(tasks) == 0 {
		return
	}
	s.steady = false
	var stopped, pending []*task
	for _, t := range tasks {
		if t.last == "RUNNING" {
			stopped = append(stopped, t)
		} else {
			pending = append(pending, t)
		}
		t.beginStop("ServiceSchedulerInitiated", reason)
	}
	if len(pending) > 0 {
		s.event("stopped %d pending tasks.", len(pending))
	}
	if len(stopped) > 0 {
		s.announceDraining(stopped)
		s.event("has stopped %d running tasks: %s.", len(stopped), taskList(stopped))
	}
}

// announceDraining says which targets of tasks that stop are no more.
func (s *service) announceDraining(stopped []*task) {
	var groups []string
	targets := map[string]int{}
	draining := 0
	for _, t := range stopped {
		if len(t.revision.bindings) > 0 {
			draining++
		}
		for _, b := range t.revision.bindings {
			if targets[b.group] == 0 {
				groups = append(groups, b.group)
			}
			targets[b.group]++
		}
	}
	if draining > 0 {
		s.event("has begun draining connections on %d tasks.", draining)
	}
	for _, group := range groups {
		s.event("deregistered %d targets in (target-group %s)", targets[group], group)
	}
}

// stopForScaling is the stoppedReason of tasks that a deployment has no use for.
func stopForScaling(p *deployment) string {
	if p == nil {
		return "Scaling activity initiated by the service scheduler"
	}
	return "Scaling activity initiated by (deployment " + p.id + ")"
}

// complete ends a deployment that has all its tasks healthy, nothing else running, and its
// bake time behind it.
func (s *service) complete(p *deployment) {
	if p.rollout != "IN_PROGRESS" {
		return
	}
	w := s.state.world
	desired := s.wanted()
	others := slices.ContainsFunc(s.tasks, func(t *task) bool { return t.deployment != p })
	if others || len(s.of(p, running)) != desired || len(s.of(p, healthy)) != desired {
		p.healthyAt = time.Time{}
		return
	}
	bake := time.Duration(s.rollout.bakeMinutes) * time.Minute
	if !p.rollback {
		bake = s.rollingBake(p.serviceDeployment)
	}
	if p.healthyAt.IsZero() {
		p.healthyAt = w.now()
	}
	if until := p.healthyAt.Add(w.scale(bake)); bake > 0 && w.now().Before(until) {
		s.pokeAt(until)
		return
	}
	s.finish(p)
}

// finish ends a deployment, or a rollback to it, that has all it needs.
func (s *service) finish(p *deployment) {
	w := s.state.world
	p.rollout, p.reason, p.updatedAt = "COMPLETED", "ECS deployment "+p.id+" completed.", w.now()
	s.completed = p
	s.event("(deployment %s) deployment completed.", p.id)
	p.announce()
	switch sd := p.serviceDeployment; {
	case sd.finished():
	case p.rollback:
		sd.set("ROLLBACK_SUCCESSFUL", "")
	default:
		sd.set("SUCCESSFUL", "")
	}
}

// dropReplaced forgets deployments that have no tasks left. A failed one is shown until the
// one that came after it is through.
func (s *service) dropReplaced() {
	p := s.primary()
	s.deployments = slices.DeleteFunc(s.deployments, func(d *deployment) bool {
		return d != p && len(s.of(d, func(*task) bool { return true })) == 0 &&
			(d.rollout != "FAILED" || p.rollout == "COMPLETED") &&
			(d != s.completed || p.rollout == "COMPLETED" || !p.serviceDeployment.lifecycle.shifts())
	})
}

// announceSteadyState says once that the service has come to rest.
func (s *service) announceSteadyState() {
	p := s.primary()
	if s.steady || s.status != "ACTIVE" || p == nil || p.rollout != "COMPLETED" ||
		len(s.tasks) != s.wanted() || len(s.of(p, healthy)) != s.wanted() {
		return
	}
	s.steady = true
	s.event("has reached a steady state.")
	s.announceAction("INFO", "SERVICE_STEADY_STATE", serviceAction{})
}

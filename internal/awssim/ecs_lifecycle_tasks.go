package awssim

import (
	"slices"
	"time"
)

// staff starts and stops the tasks that the stage asks for. What is in production keeps all of
// its tasks until the clean-up.
func (s *service) staff(p *deployment) {
	l := p.serviceDeployment.lifecycle
	desired := s.wanted()
	blue := s.completed
	switch {
	case !l.shifts() && l.past(stageScaleUp):
		s.roll(p)
		return
	case !l.shifts():
		if missing := desired - len(s.live()); blue != nil && missing > 0 {
			s.launch(blue, missing)
		}
		return
	}
	if l.past(stageScaleUp) {
		s.keep(p, desired)
	}
	if l.past(stageCleanUp) {
		s.stop(s.others(p), stopForScaling(p))
		return
	}
	if blue != nil && blue != p {
		s.keep(blue, desired)
	}
	if l.stage().name == stageReconcile && l.entered {
		s.reunite(p, blue)
	}
}

// reunite sends all traffic to the revision in production again, once that can take it, and
// stops what an earlier deployment left behind.
func (s *service) reunite(p, blue *deployment) {
	if blue != nil {
		if len(s.of(blue, healthy)) < s.wanted() {
			return
		}
		for _, rule := range []func(*advancedSettings) string{productionRule, testRule} {
			s.shift(blue.revision, 100, rule) // what is wrong with a rule is found in the next stage
		}
	}
	s.stop(slices.DeleteFunc(s.others(p), func(t *task) bool { return t.deployment == blue }), stopForScaling(p))
}

// others are the live tasks of all deployments but p.
func (s *service) others(p *deployment) []*task {
	return slices.DeleteFunc(s.live(), func(t *task) bool { return t.deployment == p })
}

// keep brings a deployment to n tasks.
func (s *service) keep(d *deployment, n int) {
	live := s.of(d, running)
	switch {
	case len(live) > n:
		s.stop(leastUseful(live)[:len(live)-n], stopForScaling(s.primary()))
	case len(live) < n:
		s.launch(d, n-len(live))
	}
}

// through tells whether the stage has reached what it is there for.
func (s *service) through(p *deployment) bool {
	l := p.serviceDeployment.lifecycle
	desired := s.wanted()
	complete := len(s.of(p, healthy)) == desired && len(s.of(p, running)) == desired
	only := func(kept *deployment) bool {
		return !slices.ContainsFunc(s.tasks, func(t *task) bool { return t.deployment != p && t.deployment != kept })
	}
	switch name := l.stage().name; {
	case name == stagePreScaleUp:
		return true
	case name == stageReconcile && l.shifts():
		return only(s.completed) && (s.completed == nil || len(s.of(s.completed, healthy)) >= desired)
	case name == stageReconcile:
		return true
	case name == stageCleanUp || !l.shifts():
		return complete && only(nil)
	default:
		return complete
	}
}

// revert is the rollback of a deployment that shifted traffic: the revision that was in
// production gets all of it again as soon as its tasks are there, then the others stop.
func (s *service) revert(p *deployment) {
	w := s.state.world
	l := p.serviceDeployment.lifecycle
	desired := s.wanted()
	s.keep(p, desired)
	switch {
	case l.back == "":
		warm := 0
		for _, t := range s.tasks {
			if healthy(t) && t.revision == p.revision {
				warm++
			}
		}
		if warm < desired {
			return
		}
		l.back, l.production, l.test = stageProduction, 0, 0
		for _, rule := range []func(*advancedSettings) string{productionRule, testRule} {
			if problem := s.shift(p.revision, 100, rule); problem != "" {
				s.event("failed to shift traffic with (error %s)", problem)
			}
		}
		hold := s.state.between(3*time.Second, 6*time.Second)
		l.until = w.now().Add(w.scale(hold))
		s.poke(hold)
	case w.now().Before(l.until):
		s.pokeAt(l.until)
	default:
		l.back = stageCleanUp
		if len(s.of(p, healthy)) < desired {
			return
		}
		s.stop(s.others(p), stopForScaling(p))
		if len(s.tasks) == desired {
			s.finish(p)
		}
	}
}

package controllers

import (
	"cmp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// decide lets rollout say what state each service is in and what it may do next, and how far the
// waves are with that. Of services that may not be looked at what is remembered stays.
func (r *ReleaseReconciler) decide(p *pass) {
	p.campaign = p.enter()
	var visible []*service
	var candidates []rollout.Candidate
	for _, s := range p.services {
		if problem := cmp.Or(p.blind, s.problem); problem != nil {
			s.keep(problem, p.started)
			continue
		}
		s.refused = r.refusals.of(p.release, s)
		visible = append(visible, s)
		candidates = append(candidates, rollout.Candidate{Target: s.target.Name, Wave: s.target.Wave, Input: r.input(p, s)})
	}
	for i, decision := range rollout.Plan(candidates, cmp.Or(p.blocked, p.unseen()), p.campaign) {
		s := visible[i]
		s.decision = decision
		s.memory = decision.Memory
		if decision.Failure != nil {
			failure := *decision.Failure
			failure.Target = s.target.Name
			p.fail(failure)
		}
		if decision.Step.Action != rollout.ActionNone && !p.fresh(s, r.Freshness) {
			// What is stored is too old to act on: look again, then decide again.
			s.decision.Step, s.stale = rollout.Step{}, true
			if s.memory.State == s.was.State && s.memory.Reason == s.was.Reason {
				s.memory.Message = s.was.Message // of where in line it stands there is nothing new
			}
			r.Fleet.View(s.key, p.started)
		}
	}
	r.advance(p)
}

// unseen is why nothing may be started yet: a service that this process has not looked at, on
// which it may depend whether the release can be brought about at all. A look that came to
// nothing is a look, so a region that is down holds up the others for one time-out at most.
func (p *pass) unseen() *rollout.Problem {
	for _, s := range p.services {
		if s.view == nil && s.problem == nil {
			return &rollout.Problem{
				Class: rollout.ProblemTransient, Reason: ecsv1alpha1.ReasonObserving,
				Message: s.name() + " was not looked at yet",
			}
		}
	}
	return nil
}

// keep leaves what is remembered of a service as it is; of one that was never looked at it says
// why not.
func (s *service) keep(problem *rollout.Problem, now time.Time) {
	if s.memory.State == "" {
		s.memory.State = ecsv1alpha1.ServiceUnknown
		s.memory.Since = metav1.NewTime(now)
	}
	if s.memory.State == ecsv1alpha1.ServiceUnknown {
		s.memory.Reason, s.memory.Message = problem.Reason, ""
	}
}

// input is all that the decision about one service depends on.
func (r *ReleaseReconciler) input(p *pass, s *service) rollout.Input {
	return rollout.Input{
		Now:     p.started,
		View:    s.view,
		Want:    s.want,
		Facts:   s.facts,
		Memory:  s.memory,
		Goal:    s.goal,
		Policy:  p.policy(),
		Timing:  r.Timing,
		Barred:  p.barred,
		Refused: s.refused,
	}
}

// fresh says whether the view of a service is young enough to act on.
func (p *pass) fresh(s *service, limit time.Duration) bool {
	return s.view != nil && p.started.Sub(s.view.At) <= limit
}

// policy is what the release's spec says about how.
func (p *pass) policy() rollout.Policy {
	deadline := defaultProgressDeadline
	if strategy := p.release.Spec.Strategy; strategy != nil && strategy.ProgressDeadlineSeconds != nil {
		deadline = seconds(*strategy.ProgressDeadlineSeconds)
	}
	return rollout.Policy{
		Suspended: p.release.Spec.Suspend, ProgressDeadline: deadline,
		Report: p.reports(), Held: p.ledger.Hold != nil,
	}
}

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/log"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/rollout"
)

// act takes at most one step per service. The intents of all steps are written first, by a
// patch that carries the resourceVersion: a conflict means that no call is made. Then the calls
// are made, and their answers go into the services' memory for report to write.
func (r *ReleaseReconciler) act(ctx context.Context, p *pass) error {
	steps := r.turn(p)
	if len(steps) == 0 {
		return nil
	}
	for _, s := range steps {
		s.memory = rollout.Announce(s.memory, s.decision.Step, time.Now())
	}
	if err := r.announce(ctx, p); err != nil {
		return fmt.Errorf("writing intents: %w", err)
	}
	var group errgroup.Group
	group.SetLimit(concurrency)
	for _, s := range steps {
		group.Go(func() error {
			r.step(ctx, p, s)
			return nil
		})
	}
	_ = group.Wait() // the functions return no errors
	return nil
}

// turn is whose turn it is: the services that have a step which the quotas leave room for. Of
// several registrations in one family only the first goes ahead: the others may find that it
// registered what they need.
func (r *ReleaseReconciler) turn(p *pass) []*service {
	type family struct{ account, region, name string }
	var registering []family
	var steps []*service
	for _, s := range p.services {
		step := s.decision.Step
		if step.Action == rollout.ActionNone {
			continue
		}
		if step.Action == rollout.ActionRegister {
			mine := family{s.key.Identity.AccountID, s.key.Region, s.derived.Family}
			if slices.Contains(registering, mine) {
				s.retryAfter = soon
				continue
			}
			registering = append(registering, mine)
		}
		if wait := r.Fleet.Wait(s.key, step.Action); wait > 0 {
			s.retryAfter = wait
			continue
		}
		steps = append(steps, s)
	}
	return steps
}

// step makes the call that was announced and takes down the answer. An answer that was lost
// leaves the intent as it is: looking will tell.
func (r *ReleaseReconciler) step(ctx context.Context, p *pass, s *service) {
	step := s.decision.Step
	var err error
	switch step.Action {
	case rollout.ActionRegister:
		err = r.register(ctx, s)
	case rollout.ActionUpdate:
		err = r.update(ctx, p, s)
	case rollout.ActionNone:
		return
	}
	var problem *rollout.Problem
	switch {
	case err == nil:
		s.retryAfter = soon
	case errors.Is(err, cloud.ErrLost):
		s.retryAfter = soon
	case errors.As(err, &problem) && cloud.IsInactive(problem):
		s.memory = rollout.Withdrawn(s.memory)
		s.retryAfter = soon
	case errors.As(err, &problem):
		s.memory = rollout.NotDone(s.memory)
		s.retryAfter = r.refusals.note(p, s, problem)
	default:
		s.memory = rollout.NotDone(s.memory)
		s.retryAfter = r.Timing.Fast
		log.FromContext(ctx).Error(err, "step failed", "service", s.name(), "action", step.Action)
	}
}

func (r *ReleaseReconciler) register(ctx context.Context, s *service) error {
	revision, _, err := r.Fleet.Register(ctx, s.key.Identity, s.key.Region, s.derived, s.facts.EqualAt)
	if err != nil {
		return err
	}
	s.memory = rollout.Registered(s.memory, s.decision.Step, revision)
	s.occur(ecsv1alpha1.EventRegistered, "registered %s from %s for service %s", revision, s.decision.Step.Base, s.name())
	return nil
}

func (r *ReleaseReconciler) update(ctx context.Context, p *pass, s *service) error {
	from := s.view.TaskDefinition
	updated, err := r.Fleet.Update(ctx, s.key, s.decision.Step.Revision)
	if err != nil {
		return err
	}
	s.memory = rollout.Updated(s.memory, s.decision.Step, updated.Primary, updated.At)
	reason := ecsv1alpha1.EventDeploying
	if p.released() {
		reason = ecsv1alpha1.EventDriftReverted
	}
	s.occur(reason, "service %s goes from %s to %s (deployment %s)", s.name(), from, s.decision.Step.Revision, updated.Primary)
	return nil
}

// released says that the images of the release ran everywhere once: a service that has to be
// updated to them now was changed by somebody else.
func (p *pass) released() bool {
	history := p.before.History
	return len(history) > 0 && p.before.ObservedGeneration == p.release.Generation &&
		(history[0].Outcome == ecsv1alpha1.OutcomeReleased || history[0].Outcome == ecsv1alpha1.OutcomeAdopted)
}

// soon is when a pass is followed by the next because there is more to do.
const soon = 50 * time.Millisecond

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/log"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/taskdef"
)

// act takes at most one step per service. The intents of all steps are written first, by a
// patch that carries the resourceVersion: a conflict means that no call is made. Then the calls
// are made, and their answers go into the services' memory for report to write.
func (r *ReleaseReconciler) act(ctx context.Context, p *pass) error {
	steps := r.turn(p)
	if len(steps) == 0 {
		return nil
	}
	if err := r.stillPermitted(ctx, p); err != nil {
		return err
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

// errPermissionMoved says that the environment of a release is not, or not any more, what the pass
// began with.
var errPermissionMoved = errors.New("the environment has changed under the pass")

// stillPermitted looks once more, past all caches, whether the namespace is in the environment that
// the pass began with, and that says the same: a permission that was withdrawn takes effect before
// the next call, however late the watches are.
func (r *ReleaseReconciler) stillPermitted(ctx context.Context, p *pass) error {
	now, problem, err := r.environment(ctx, r.Reader, p.release.Namespace)
	switch {
	case err != nil:
		return fmt.Errorf("looking whether the release is still permitted: %w", err)
	case problem != nil || now.own.UID != p.environment.UID || now.own.Generation != p.environment.Generation:
		return errPermissionMoved
	default:
		return nil
	}
}

// turn is whose turn it is: the services that have a step which the quotas leave room for. Of
// several registrations in one family only the first goes ahead, and none while the family rests
// after one whose answer was lost: the others may find that it registered what they need, so that
// they wait for as long as it does.
func (r *ReleaseReconciler) turn(p *pass) []*service {
	type family struct{ account, region, name string }
	registering := map[family]time.Duration{}
	var steps []*service
	for _, s := range p.services {
		step := s.decision.Step
		if step.Action == rollout.ActionNone {
			continue
		}
		wait := r.Fleet.Wait(s.key, step.Action)
		if step.Action == rollout.ActionRegister {
			mine := family{s.key.Identity.AccountID, s.key.Region, s.registrable().Family}
			wait = max(wait, r.Fleet.FamilyWait(s.key, mine.name, s.facts.EqualAt))
			if first, taken := registering[mine]; taken {
				wait = max(first, soon)
			} else {
				registering[mine] = wait
			}
		}
		if wait > 0 {
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
	err := r.call(ctx, s, step)
	var problem *rollout.Problem
	switch {
	case err == nil:
		s.retryAfter = soon
	case errors.Is(err, cloud.ErrLost):
		s.retryAfter = soon
	case errors.As(err, &problem) && cloud.IsInactive(problem) && step.Action != rollout.ActionRestart:
		s.memory = rollout.Withdrawn(s.memory)
		s.retryAfter = soon
	case errors.As(err, &problem):
		s.retryAfter = r.refuse(ctx, p, s, problem)
	default:
		s.memory = rollout.NotDone(s.memory)
		s.retryAfter = r.Timing.Fast
		log.FromContext(ctx).Error(err, "step failed", "service", s.name(), "action", step.Action)
	}
}

// refuse takes down that a step was refused, and says when to go on. What is not asked for again
// needs no time to rest.
func (r *ReleaseReconciler) refuse(ctx context.Context, p *pass, s *service, problem *rollout.Problem) time.Duration {
	step := s.decision.Step
	if problem.Delay() {
		s.memory = rollout.NotDone(s.memory)
		return r.refusals.note(p, s, problem)
	}
	s.memory = rollout.Refused(s.memory, step, problem, time.Now())
	log.FromContext(ctx).Info("step refused", "service", s.name(), "action", step.Action, "problem", problem.Message)
	again := step.Action == rollout.ActionRegister || step.Action == rollout.ActionUpdate
	if again && step.Purpose != ecsv1alpha1.PurposeRollback {
		return r.refusals.note(p, s, problem)
	}
	if step.Action == rollout.ActionRestart {
		s.warn(ecsv1alpha1.EventCommandIgnored, "service %s was not restarted: %s", s.name(), problem.Message)
	}
	return soon
}

// call makes the call of a step and takes down what came back.
func (r *ReleaseReconciler) call(ctx context.Context, s *service, step rollout.Step) error {
	switch step.Action {
	case rollout.ActionRegister:
		return r.register(ctx, s, step)
	case rollout.ActionUpdate:
		return r.update(ctx, s, step)
	case rollout.ActionRestart:
		return r.restart(ctx, s, step)
	case rollout.ActionStop:
		return r.stop(ctx, s, step)
	case rollout.ActionContinue:
		return r.goOn(ctx, s, step)
	case rollout.ActionNone:
	}
	return nil
}

// registrable is the task definition that the step registers: what carries the images, or a
// revision to go back to as it stands.
func (s *service) registrable() taskdef.Derived {
	if s.derived.Hash != s.decision.Step.Hash && s.past.Hash == s.decision.Step.Hash {
		return s.past
	}
	return s.derived
}

func (r *ReleaseReconciler) register(ctx context.Context, s *service, step rollout.Step) error {
	revision, _, err := r.Fleet.Register(ctx, s.key.Identity, s.key.Region, s.registrable(), s.facts.EqualAt)
	if err != nil {
		return err
	}
	s.memory = rollout.Registered(s.memory, step, revision)
	s.occur(ecsv1alpha1.EventRegistered, "registered %s from %s for service %s", revision, step.Base, s.name())
	return nil
}

func (r *ReleaseReconciler) update(ctx context.Context, s *service, step rollout.Step) error {
	from := s.view.TaskDefinition
	updated, err := r.Fleet.Update(ctx, s.key, step.Revision)
	if err != nil {
		return err
	}
	s.memory = rollout.Updated(s.memory, step, updated.Primary, updated.At)
	reason := ecsv1alpha1.EventDeploying
	if step.Purpose == ecsv1alpha1.PurposeDrift {
		reason = ecsv1alpha1.EventDriftReverted
	}
	s.occur(reason, "service %s goes from %s to %s (deployment %s)", s.name(), from, step.Revision, updated.Primary)
	return nil
}

func (r *ReleaseReconciler) restart(ctx context.Context, s *service, step rollout.Step) error {
	restarted, err := r.Fleet.Restart(ctx, s.key, step.Revision)
	if err != nil {
		return err
	}
	s.memory = rollout.Restarted(s.memory, step, restarted.Primary, restarted.At)
	s.occur(ecsv1alpha1.EventRestarting, "service %s is deployed anew with %s (deployment %s)", s.name(), step.Revision, restarted.Primary)
	return nil
}

func (r *ReleaseReconciler) stop(ctx context.Context, s *service, step rollout.Step) error {
	at := time.Now()
	if err := r.Fleet.Stop(ctx, s.key, step.ServiceDeployment); err != nil {
		return err
	}
	s.memory = rollout.Stopped(s.memory, step, at)
	return nil
}

func (r *ReleaseReconciler) goOn(ctx context.Context, s *service, step rollout.Step) error {
	if err := r.Fleet.Continue(ctx, s.key, step.ServiceDeployment, step.Hook, step.RollBack); err != nil {
		return err
	}
	s.memory = rollout.Continued(s.memory, step)
	if !step.RollBack {
		s.occur(ecsv1alpha1.EventContinued, "the deployment of service %s goes on from hook %s", s.name(), step.Hook)
	}
	return nil
}

// soon is when a pass is followed by the next because there is more to do.
const soon = 50 * time.Millisecond

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"
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
	now, problem, err := surroundingsOf(ctx, r.Reader, p.release.Namespace)
	switch {
	case err != nil:
		return fmt.Errorf("looking whether the release is still permitted: %w", err)
	case problem != nil || now.own.UID != p.environment.UID || now.own.Generation != p.environment.Generation:
		return errPermissionMoved
	default:
		return nil
	}
}

// turn is whose turn it is: the services that have a step which there is room for. The others stand
// in line. Of several registrations in one family only the first goes ahead: the others may find that
// it registered what they need, so that they wait for as long as it does.
func (r *ReleaseReconciler) turn(p *pass) []*service {
	type family struct{ account, region, name string }
	registering := map[family]cloud.Place{}
	var steps []*service
	var turns []cloud.Turn
	for _, s := range p.services {
		if s.decision.Step.Action == rollout.ActionNone {
			continue
		}
		turn := p.turn(s)
		turns = append(turns, turn)
		mine := family{s.key.Identity.AccountID, s.key.Region, turn.Family}
		place, taken := registering[mine]
		switch {
		case turn.Family == "":
			place = r.Fleet.Turn(turn)
		case taken:
			place.Again = max(place.Again, soon)
		default:
			place = r.Fleet.Turn(turn)
			registering[mine] = place
		}
		if place.Again > 0 {
			s.retryAfter = place.Again
			if place.Again > r.Timing.Fast && !inFlight(s.memory) {
				s.decision.Look, s.decision.InFlight = 0, false // until then there is nothing to see
			}
			s.memory.Message = inLine(s.memory.Message, place, s)
			continue
		}
		steps = append(steps, s)
	}
	if !p.fumbles() {
		r.Fleet.Want(client.ObjectKeyFromObject(p.release), turns)
	}
	return steps
}

// fumbles says that this pass may want less than the next, because something could not be looked at now.
func (p *pass) fumbles() bool {
	return slices.ContainsFunc(p.services, func(s *service) bool {
		delayed := func(problem *rollout.Problem) bool { return problem != nil && problem.Delay() }
		return s.stale || s.view == nil || delayed(s.view.Problem) || delayed(s.facts.Problem) || delayed(s.want.Problem)
	})
}

// turn is the step of a service as one that wants its turn. What brings the service back, or has its
// deployment go on, goes before what begins something.
func (p *pass) turn(s *service) cloud.Turn {
	step := s.decision.Step
	turn := cloud.Turn{
		Key: s.key, Action: step.Action, Owner: client.ObjectKeyFromObject(p.release), Environment: p.environment.Name,
		Urgent: step.Purpose == ecsv1alpha1.PurposeRollback || step.Action == rollout.ActionContinue,
	}
	if step.Action == rollout.ActionRegister {
		d := s.registrable()
		turn.Family, turn.Hash, turn.Looked = d.Family, d.Hash, s.facts.EqualAt
	}
	return turn
}

// inLine adds to a message where in line the step stands, if that takes long enough for people to ask.
func inLine(message string, place cloud.Place, s *service) string {
	const long = 10 * time.Second
	if place.Ahead == 0 || place.Wait < long {
		return message
	}
	what := fmt.Sprintf("%d changes of services", place.Ahead)
	if s.decision.Step.Action == rollout.ActionRegister {
		what = fmt.Sprintf("%d registrations", place.Ahead)
	}
	if place.Ahead == 1 {
		what = "another one"
	}
	return fmt.Sprintf("%s, behind %s in account %s in %s, %s", message, what, s.key.Identity.AccountID, s.key.Region, roughly(place.Wait))
}

// roughly is how long a wait is, as people would say it.
func roughly(wait time.Duration) string {
	minutes := int(wait.Round(time.Minute) / time.Minute)
	switch {
	case minutes < 2:
		return "about a minute"
	case minutes < 120:
		return fmt.Sprintf("about %d minutes", minutes)
	default:
		return fmt.Sprintf("about %d hours", int(wait.Round(time.Hour)/time.Hour))
	}
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

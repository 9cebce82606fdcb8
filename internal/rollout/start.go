package rollout

import (
	"fmt"
	"math"
	"strings"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// wantUnfulfillable: what is asked for cannot be told, or cannot be had.
func wantUnfulfillable(s *situation) *answer {
	p := s.Want.Problem
	if p == nil {
		return nil
	}
	a := &answer{state: ecsv1alpha1.ServiceOutOfSync, reason: p.Reason, message: p.Message, look: p.RetryAfter}
	if p.Reason == ecsv1alpha1.ReasonContainerNotFound {
		a.state = ecsv1alpha1.ServiceMissing
	}
	return a
}

// contentUnknown: what the service runs was not read, or could not be.
func contentUnknown(s *situation) *answer {
	if s.content.known {
		return nil
	}
	return s.unlooked("reading the task definition " + s.primary.Revision)
}

// stepRefused: AWS refused the step when it was last tried, and will until something changes.
func stepRefused(s *situation) *answer {
	if s.Refused == nil || s.Refused.Delay() {
		return nil
	}
	return &answer{state: ecsv1alpha1.ServiceOutOfSync, reason: s.Refused.Reason, message: s.Refused.Message}
}

// cannotProgress: the deployment configuration lets ECS neither start a task before it stops one
// nor stop one before it starts one. Daemons and services without tasks are not bound by it.
func cannotProgress(s *situation) *answer {
	v := s.View
	if v.Daemon || v.Desired <= 0 || v.MinimumHealthyPercent < 0 || v.MaximumPercent < 0 {
		return nil
	}
	desired := int64(v.Desired)
	most := desired * int64(v.MaximumPercent) / 100
	least := int64(math.Ceil(float64(desired) * float64(v.MinimumHealthyPercent) / 100))
	if most > desired || least < desired {
		return nil
	}
	return &answer{
		state:  ecsv1alpha1.ServiceOutOfSync,
		reason: ecsv1alpha1.ReasonCannotProgress,
		message: fmt.Sprintf("with minimumHealthyPercent %d and maximumPercent %d of %s no task can be stopped or started: "+
			"raise maximumPercent or lower minimumHealthyPercent of the service",
			v.MinimumHealthyPercent, v.MaximumPercent, tasks(v.Desired)),
	}
}

// startBlocked: something else about the release forbids to start anything. A failure elsewhere
// does not hold up what failed here itself and got a new content since: that is the remedy.
func startBlocked(s *situation) *answer {
	if s.Blocked == nil {
		return nil
	}
	d := s.memory.Deployment
	if failure(s.Blocked.Reason) && d != nil && d.Outcome == ecsv1alpha1.DeploymentFailed {
		return nil
	}
	return s.waiting("waits: " + s.Blocked.Message)
}

// startSuspended: the release is suspended.
func startSuspended(s *situation) *answer {
	if !s.Policy.Suspended {
		return nil
	}
	a := s.waiting("the release is suspended")
	a.reason = ecsv1alpha1.ReasonSuspended
	return a
}

// rollbackInProgress: ECS is rolling a deployment back. A deployment started meanwhile would
// leave it without one to go back to.
func rollbackInProgress(s *situation) *answer {
	wait := func(why string) *answer {
		return s.looked(ecsv1alpha1.ServiceOutOfSync, ecsv1alpha1.ReasonRollbackInProgress, why)
	}
	if s.viewRollsBack() {
		return wait(clauses(fmt.Sprintf("ECS rolls the service back to %s", s.primary.Revision), s.primary.Reason,
			"starting when it has ended"))
	}
	d := s.memory.Deployment
	if d == nil || d.Outcome != ecsv1alpha1.DeploymentFailed || d.ServiceDeployment == "" {
		return nil
	}
	switch ours, looked := s.ours(d.ServiceDeployment, d.Revision, d.Started.Time); {
	case !looked && s.Facts.Problem != nil:
		return s.problematic(s.Facts.Problem)
	case !looked:
		s.foresee()
		return wait("looking whether ECS still rolls " + d.Revision + " back (service deployment " + d.ServiceDeployment + ")")
	case ours != nil && (ours.Status == "ROLLBACK_REQUESTED" || ours.Status == "ROLLBACK_IN_PROGRESS"):
		return wait("ECS rolls " + d.Revision + " back (service deployment " + d.ServiceDeployment +
			"); starting when it has ended")
	default:
		return nil
	}
}

// viewRollsBack says that the service's deployments look like those of a rollback: the primary
// one says so, or it is in progress beside one that failed.
func (s *situation) viewRollsBack() bool {
	if s.primary.RolloutState != "IN_PROGRESS" {
		return false
	}
	if strings.Contains(s.primary.Reason, "rolling back") {
		return true
	}
	for _, d := range s.View.Deployments {
		if d.Status != "PRIMARY" && d.RolloutState == "FAILED" && d.Revision != s.primary.Revision {
			return true
		}
	}
	return false
}

// start: the step that brings the service closer. A revision that carries the content is updated
// to; where there is none it is registered; where that is not known it is looked for first.
func start(s *situation) *answer {
	revision, looked := s.carrier()
	a := s.looked(ecsv1alpha1.ServiceOutOfSync, ecsv1alpha1.ReasonOutOfSync, "")
	seen := fmt.Sprintf("runs %s, which does not carry the image; ", s.primary.Revision)
	switch {
	case !looked && s.Facts.Problem != nil:
		return s.problematic(s.Facts.Problem)
	case !looked:
		a.message = seen + "looking for a revision that does"
	case revision == "":
		s.memory.Registered = ""
		a.message = seen + "registering one that does"
		a.step = Step{Action: ActionRegister, Hash: s.content.hash, Base: s.Want.Base}
	default:
		s.memory.Registered = revision
		a.message = seen + "updating it to " + revision
		a.step = Step{
			Action: ActionUpdate, Hash: s.content.hash, Revision: revision, PreviousPrimary: s.primary.ID,
		}
	}
	return a
}

// carrier is the revision of ours that carries the content, "" when there is none; false when
// it must be looked for. One that was deployed a while ago may have been deregistered since, so
// it is looked for again.
func (s *situation) carrier() (string, bool) {
	m := s.memory
	d := m.Deployment
	again := d != nil && d.Revision == m.Registered && s.Now.After(d.Started.Add(visible))
	if m.Registered != "" && m.Registered != s.primary.Revision && !again {
		return m.Registered, true
	}
	revision, looked := s.equal(s.content.hash, Family(s.Want.Base))
	if revision == s.primary.Revision {
		// It carries our tags and another content than they say.
		revision = ""
	}
	return revision, looked
}

// foresee notes the need of what the start of a step will depend on, where another look-up has
// to come back first: both can then be made at once.
func (s *situation) foresee() {
	if s.Want.Problem == nil && s.Blocked == nil && !s.Policy.Suspended && !s.content.carried &&
		failed(s.memory, s.content.hash) == nil {
		s.carrier()
	}
}

// waiting is the answer for a service that is to be brought to the content, but not now.
func (s *situation) waiting(why string) *answer {
	return &answer{
		state:   ecsv1alpha1.ServiceOutOfSync,
		reason:  ecsv1alpha1.ReasonOutOfSync,
		message: fmt.Sprintf("runs %s, which does not carry the image; %s", s.primary.Revision, why),
	}
}

// failure says that reason is one of a service that failed.
func failure(reason string) bool {
	switch reason {
	case ecsv1alpha1.ReasonCircuitBreaker, ecsv1alpha1.ReasonDeadline:
		return true
	default:
		return false
	}
}

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

// leftAlone: the release does not bring this service to the content now.
func leftAlone(s *situation) *answer {
	if s.releasing() {
		return nil
	}
	return s.waiting("it is left as it is, since the release failed")
}

// startBlocked: something else about the release forbids to start anything. A failure elsewhere
// does not hold up what failed here itself, with the images that are asked for, and got a new content
// since: that is the remedy.
func startBlocked(s *situation) *answer {
	if s.Barred != nil {
		return s.waiting("waits: " + s.Barred.Message)
	}
	if s.Blocked == nil {
		return nil
	}
	d := s.memory.Deployment
	if failure(s.Blocked.Reason) && d != nil && d.Outcome == ecsv1alpha1.DeploymentFailed &&
		s.Want.Inputs != "" && inputsOf(s.memory, d) == s.Want.Inputs {
		return nil
	}
	a := s.waiting("waits: " + s.Blocked.Message)
	switch r := s.Blocked.Reason; r {
	case ecsv1alpha1.ReasonWaveNotOpen, ecsv1alpha1.ReasonAwaitingApproval,
		ecsv1alpha1.ReasonAwaitingPromotion, ecsv1alpha1.ReasonOutsideWindow:
		a.reason = r
	}
	return a
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
	if d == nil || (d.Outcome != ecsv1alpha1.DeploymentFailed && d.Outcome != "") || d.ServiceDeployment == "" {
		return nil
	}
	switch ours, looked := s.ours(d.ServiceDeployment, d.Revision, d.Started.Time); {
	case !looked && s.Facts.Problem != nil:
		return s.problematic(s.Facts.Problem)
	case !looked:
		s.foresee()
		return wait("looking whether ECS still rolls " + d.Revision + " back (service deployment " + d.ServiceDeployment + ")")
	case goingBack(ours):
		return wait("ECS rolls " + d.Revision + " back (service deployment " + d.ServiceDeployment +
			"); starting when it has ended")
	case s.stopUnderWay(d, ours):
		return wait("ECS was told to roll " + d.Revision + " back (service deployment " + d.ServiceDeployment +
			"); starting when it has ended")
	default:
		return nil
	}
}

// goingBack says that ECS rolls back, or is about to, what sd is the record of; nil is of nothing.
func goingBack(sd *ServiceDeployment) bool {
	return sd != nil && (sd.Status == "ROLLBACK_REQUESTED" || sd.Status == "ROLLBACK_IN_PROGRESS")
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
	if s.memory.Drift != nil && s.memory.Drift.Deployment == s.primary.ID {
		seen = s.drifted() + "; "
	}
	switch {
	case !looked && s.Facts.Problem != nil:
		return s.problematic(s.Facts.Problem)
	case !looked:
		a.message = seen + "looking for a revision that does"
	case revision == "":
		s.memory.Registered, s.memory.Source = "", ""
		a.message = seen + "registering one that does"
		a.step = Step{Action: ActionRegister, Hash: s.content.hash, Base: s.Want.Base, Purpose: s.purpose()}
	default:
		if s.memory.Registered != revision {
			s.memory.Registered, s.memory.Source = revision, ""
		}
		a.message = seen + "updating it to " + revision
		a.step = Step{
			Action: ActionUpdate, Hash: s.content.hash, Revision: revision, PreviousPrimary: s.primary.ID, Purpose: s.purpose(),
		}
	}
	return a
}

// purpose is what a step that brings the content is for.
func (s *situation) purpose() ecsv1alpha1.DeploymentPurpose {
	if d := s.memory.Drift; d != nil && d.Deployment == s.primary.ID {
		return ecsv1alpha1.PurposeDrift
	}
	return ""
}

// carrier is the revision that carries the content, "" when there is none; false when it must be
// looked for: the very one of the past that is asked for, while it is ACTIVE; one of ours; the
// proven one. One of ours that was deployed a while ago may have been deregistered since, so it is
// looked for again.
func (s *situation) carrier() (string, bool) {
	m := s.memory
	if wanted := s.Want.Carrier; wanted != "" && wanted != s.primary.Revision {
		if is, looked := s.carries(wanted); is || !looked {
			return wanted, looked
		}
	}
	d := m.Deployment
	again := d != nil && d.Revision == m.Registered && s.Now.After(d.Started.Add(visible))
	if m.Registered != "" && m.Registered != s.primary.Revision && !again {
		return m.Registered, true
	}
	revision, looked := s.equal(s.content.hash, Family(s.Want.Base))
	if !looked || (revision != "" && revision != s.primary.Revision) {
		return revision, looked
	}
	// Whatever is the primary one does not carry the content, even if its tags say so.
	if p := m.Proven; p != nil && p.Revision != s.primary.Revision && s.Want.Carrier == "" {
		if is, looked := s.carries(p.Revision); is || !looked {
			return p.Revision, looked
		}
	}
	return "", true
}

// carries says that revision is ACTIVE and carries the content; false when it was not looked at,
// which is then noted as a need.
func (s *situation) carries(revision string) (is, looked bool) {
	if !s.lookedAt(revision) {
		return false, false
	}
	return s.Facts.ProvenActive && s.Facts.ProvenHash == s.content.hash, true
}

// lookedAt says that revision was looked at; it is noted as a need where it was not.
func (s *situation) lookedAt(revision string) bool {
	if s.Facts.ProvenAt.IsZero() || s.Facts.ProvenRevision != revision {
		s.need.Proven = revision
		return false
	}
	return true
}

// foresee notes the need of what the start of a step will depend on, where another look-up has
// to come back first: both can then be made at once.
func (s *situation) foresee() {
	open := s.Blocked == nil && s.Barred == nil && !s.Policy.Suspended && s.releasing()
	if open && s.Want.Problem == nil && s.content.known && !s.content.carried && s.failing() == nil {
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
	switch class := ecsv1alpha1.FailureClass(reason); class {
	case ecsv1alpha1.FailureImagePull, ecsv1alpha1.FailureContainerExited, ecsv1alpha1.FailureOutOfMemory,
		ecsv1alpha1.FailureHealthCheck, ecsv1alpha1.FailurePlacement, ecsv1alpha1.FailureResourceInit,
		ecsv1alpha1.FailureCircuitBreaker, ecsv1alpha1.FailureAlarm, ecsv1alpha1.FailureDeadline:
		return true
	default:
		return false
	}
}

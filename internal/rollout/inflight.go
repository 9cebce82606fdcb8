package rollout

import (
	"fmt"
	"slices"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// serviceRecreated: the service was deleted and created again since our deployment, which went
// with the old one: nothing is known of its image.
func serviceRecreated(s *situation) *answer {
	if d := s.flying(); d != nil && s.View.Created.After(d.Started.Add(skew)) {
		d.Outcome = ecsv1alpha1.DeploymentSuperseded
	}
	return nil
}

// deploymentCondemned: our deployment was made to fail by somebody, or by a check. How one ends that goes
// back to what is proven is for ECS alone to say.
func deploymentCondemned(s *situation) *answer {
	if d := s.flying(); d != nil && d.Purpose != ecsv1alpha1.PurposeRollback && condemned(failed(s.memory, d.Hash)) {
		d.Outcome = ecsv1alpha1.DeploymentFailed
	}
	return nil
}

// deploymentTriedAgain: our deployment counted as failed and goes on in ECS, and its content is to be
// tried once more: it is, then, already. Its clock starts anew.
func deploymentTriedAgain(s *situation) *answer {
	d := s.memory.Deployment
	if d == nil || d.Outcome != ecsv1alpha1.DeploymentFailed || !s.releasing() {
		return nil
	}
	if s.content.known && s.content.hash == d.Hash && s.failing() == nil && s.shows(d) &&
		s.primary.RolloutState == "IN_PROGRESS" && !s.viewRollsBack() {
		d.Outcome, d.Progressed = "", seconds(s.Now)
	}
	return nil
}

// deploymentNotLookedUp: our deployment is in flight and its record in ECS was not looked up, or
// could not be. Nothing is concluded without it.
func deploymentNotLookedUp(s *situation) *answer {
	d := s.flying()
	if d == nil {
		return nil
	}
	if _, looked := s.record(d); looked {
		return nil
	}
	if p := s.Facts.Problem; p != nil && !p.Delay() {
		return s.problematic(p)
	}
	if s.outdated(d) {
		s.foresee()
	}
	return s.deploying(d)
}

// deploymentNotRecorded: ECS does not list our deployment. For a minute that means nothing yet.
// Afterwards (a partition without the record, one past its 90 days, an update that changed
// nothing) the service's own deployments must tell how it went.
func deploymentNotRecorded(s *situation) *answer {
	d := s.flying()
	if d == nil {
		return nil
	}
	if ours, _ := s.record(d); ours != nil {
		return nil
	}
	shown := d.Started.Add(visible)
	if s.Facts.OursAt.Before(shown) || s.View.At.Before(shown) {
		return s.deploying(d)
	}
	switch {
	case s.shows(d) && s.primary.RolloutState == "FAILED", s.listedFailed(d):
		return s.fail(d, nil, ecsv1alpha1.FailureCircuitBreaker, "ECS gave the deployment of "+d.Revision+" up")
	case s.shows(d) && s.settled():
		s.succeed(d)
	case s.shows(d):
		return nil
	case s.wentBack(d, nil):
		return s.fail(d, nil, ecsv1alpha1.FailureCircuitBreaker, clauses(
			fmt.Sprintf("ECS rolled the deployment of %s back to %s", d.Revision, s.primary.Revision), s.primary.Reason))
	default:
		d.Outcome = ecsv1alpha1.DeploymentSuperseded
	}
	return nil
}

// deploymentSucceeded: ECS reports our deployment as successful. It counts once a look at the
// service shows our revision as the primary one, with the digests that were asked for.
func deploymentSucceeded(s *situation) *answer {
	d, ours := s.recorded()
	if d == nil || ours.Status != "SUCCESSFUL" {
		return nil
	}
	switch wrong := s.wrongDigest(d, ours); {
	case !s.shows(d) && s.View.At.After(d.Started.Add(visible)):
		d.Outcome = ecsv1alpha1.DeploymentSuperseded
		return nil
	case !s.shows(d):
		return s.looked(ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ReasonProgressing, fmt.Sprintf(
			"ECS reports the deployment of %s as successful; waiting for the service to show it (service deployment %s)",
			d.Revision, ours.ID))
	case wrong != "":
		return &answer{state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonImageMismatch, message: wrong}
	default:
		s.succeed(d)
		return nil
	}
}

// deploymentRolledBack: ECS rolls our deployment back, or has done so. It is a failure however
// well the service runs afterwards.
func deploymentRolledBack(s *situation) *answer {
	d, ours := s.recorded()
	if d == nil {
		return nil
	}
	switch ours.Status {
	case "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED":
		return s.fail(d, ours, ecsv1alpha1.FailureCircuitBreaker, rollbackMessage(d, ours))
	default:
		return nil
	}
}

// deploymentStopped: ECS stopped our deployment: it gave it up without a rollback, or a later
// deployment took its place.
func deploymentStopped(s *situation) *answer {
	d, ours := s.recorded()
	if d == nil {
		return nil
	}
	switch ours.Status {
	case "STOPPED", "STOP_REQUESTED", "STOP_IN_PROGRESS":
	default:
		return nil
	}
	switch {
	case ours.BreakerTriggered, s.shows(d) && s.primary.RolloutState == "FAILED":
		return s.fail(d, ours, ecsv1alpha1.FailureCircuitBreaker, rollbackMessage(d, ours))
	case !s.shows(d) && s.caughtUp(d):
		d.Outcome = ecsv1alpha1.DeploymentSuperseded
	}
	return nil
}

// deploymentLate: our deployment is in progress without having made any for too long. The clock
// stands still while the release is suspended, while ECS bakes and while a hook waits: it then
// starts anew, in steps of a tenth of the deadline. A rollback has a clock of its own.
func deploymentLate(s *situation) *answer {
	d := s.flying()
	if d == nil {
		return nil
	}
	ours, _ := s.record(d)
	s.noteProgress(d)
	s.noteStage(d, ours)
	if s.outdated(d) || s.returning() || d.Purpose == ecsv1alpha1.PurposeRollback {
		return nil
	}
	stood := s.Now.Sub(d.Progressed.Time)
	switch {
	case s.Policy.Suspended, standsStill(ours):
		// Every such step is a status write: a pause may last for days.
		if stood >= max(time.Minute, s.Policy.ProgressDeadline/10) {
			d.Progressed = seconds(s.Now)
		}
	case s.Policy.ProgressDeadline > 0 && stood > s.Policy.ProgressDeadline:
		return s.fail(d, ours, ecsv1alpha1.FailureDeadline, fmt.Sprintf(
			"the deployment of %s made no progress for %s, the progress deadline: %s",
			d.Revision, s.Policy.ProgressDeadline, s.counts(d)))
	}
	return nil
}

// deploymentInProgress: our deployment is in progress, and is what is asked for.
func deploymentInProgress(s *situation) *answer {
	d := s.flying()
	if d == nil || s.outdated(d) {
		return nil
	}
	return s.deploying(d)
}

// deploying is the answer while our deployment is in progress.
func (s *situation) deploying(d *ecsv1alpha1.DeploymentStatus) *answer {
	s.noteProgress(d)
	var problem string
	if s.Want.Problem != nil && !s.sameInputs() {
		problem = "the images asked for since then wait: " + s.Want.Problem.Message
	}
	a := s.looked(ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ReasonProgressing, clauses(d.Revision+": "+s.counts(d), problem))
	switch {
	case d.Purpose == ecsv1alpha1.PurposeRollback, s.returning():
		a.state, a.reason = ecsv1alpha1.ServiceRollingBack, ecsv1alpha1.ReasonRollingBack
	case d.Purpose == ecsv1alpha1.PurposeRestart:
		a.reason = ecsv1alpha1.ReasonRestarting
	}
	return a
}

// record is what ECS records of d, in flight or just over; what it teaches is written to d.
func (s *situation) record(d *ecsv1alpha1.DeploymentStatus) (*ServiceDeployment, bool) {
	ours, looked := s.ours(d.ServiceDeployment, d.Revision, d.Started.Time)
	switch {
	case ours != nil && s.earlier(ours, d):
		ours, d.ServiceDeployment = nil, ""
	case ours != nil:
		d.ServiceDeployment = ours.ID
	}
	if d.Primary == "" && s.shows(d) {
		d.Primary = s.primary.ID
	}
	return ours, looked
}

// earlier says that sd is of an earlier deployment of d's revision: it was stopped, and the service
// shows d's own as the primary one. ECS lists a deployment some seconds late, and until then only
// those before.
func (s *situation) earlier(sd *ServiceDeployment, d *ecsv1alpha1.DeploymentStatus) bool {
	stopped := sd.Status == "STOPPED" || sd.Status == "STOP_REQUESTED" || sd.Status == "STOP_IN_PROGRESS"
	return stopped && !sd.BreakerTriggered && s.shows(d) && s.primary.RolloutState != "FAILED"
}

// recorded is our deployment in flight and what ECS records of it; nil without both.
func (s *situation) recorded() (*ecsv1alpha1.DeploymentStatus, *ServiceDeployment) {
	d := s.flying()
	if d == nil {
		return nil, nil
	}
	ours, _ := s.record(d)
	if ours == nil {
		return nil, nil
	}
	return d, ours
}

// shows says that the view is of a world in which d is the primary deployment.
func (s *situation) shows(d *ecsv1alpha1.DeploymentStatus) bool {
	return s.View.At.After(d.Started.Time) && s.primary.Revision == d.Revision &&
		(d.Primary == "" || d.Primary == s.primary.ID)
}

// caughtUp says that the view is not of the world before d: it shows d, or a primary that came
// after it, or began late enough to show whatever there is.
func (s *situation) caughtUp(d *ecsv1alpha1.DeploymentStatus) bool {
	return s.shows(d) || s.View.At.After(d.Started.Add(visible)) ||
		(s.View.At.After(d.Started.Time) && s.primary.Created.After(d.Started.Time))
}

// outdated says that d, in flight, brings something else than what is asked for by now, so that
// it may be superseded.
func (s *situation) outdated(d *ecsv1alpha1.DeploymentStatus) bool {
	return s.content.known && s.content.hash != d.Hash && s.caughtUp(d)
}

// succeed records the success of d.
func (s *situation) succeed(d *ecsv1alpha1.DeploymentStatus) {
	d.Outcome = ecsv1alpha1.DeploymentSucceeded
	s.succeeded = true
}

// wrongDigest says which container runs another digest than was asked for; "" when none does, as
// far as that is known.
func (s *situation) wrongDigest(d *ecsv1alpha1.DeploymentStatus, ours *ServiceDeployment) string {
	if s.presumed() != d.Hash {
		return ""
	}
	for _, container := range sortedKeys(s.Want.Digests) {
		accepted := s.Want.Digests[container]
		got := ours.Digests[container]
		if got != "" && len(accepted) > 0 && !slices.Contains(accepted, got) {
			return fmt.Sprintf("container %s of %s runs %s, wanted %s: "+
				"the tag moved while ECS deployed it; release a digest, or a tag that does not move",
				container, d.Revision, got, accepted[0])
		}
	}
	return ""
}

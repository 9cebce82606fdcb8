package rollout

import (
	"fmt"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// inSync: the primary deployment brings the content and is completed. What ECS does afterwards
// with that revision (scaling, replacing tasks, deploying it once more for somebody) changes
// nothing, unless it fails. After a restart of ours that failed it is what ECS, or we, went back to:
// that does not undo the failure.
func inSync(s *situation) *answer {
	c, m := s.content, s.memory
	if !c.known || !c.carried || s.primary.RolloutState == "FAILED" || condemned(s.failing()) || restartFailed(*m) {
		return nil
	}
	remembered := m.State == ecsv1alpha1.ServiceInSync && m.Registered == s.primary.Revision
	if !remembered && !s.succeeded && !s.settled() {
		return nil
	}
	m.Registered, m.Source = s.primary.Revision, c.source
	s.recover()
	a := &answer{state: ecsv1alpha1.ServiceInSync, message: "runs " + m.Registered, inFlight: s.flying() != nil}
	if c.source == ecsv1alpha1.SourceAdopted {
		a.message = "ran the image already, with " + m.Registered + ": adopted as it is"
	}
	if s.View.Desired == 0 && !s.View.Daemon {
		a.reason = ecsv1alpha1.ReasonScaledToZero
		a.message = m.Registered + " is in place, but the service wants 0 tasks: nothing is proven by it"
	}
	if s.View.Desired > 0 && s.View.Running == 0 && !s.View.Daemon {
		a.reason = ecsv1alpha1.ReasonNoTasks
		a.message = clauses(a.message, "none of its "+tasks(s.View.Desired)+" run")
	}
	if a.inFlight {
		a.look = s.Timing.Fast
	}
	return s.restart(a)
}

// recover forgets what went wrong with a content that runs well after all.
func (s *situation) recover() {
	m := s.memory
	forget(m, func(f ecsv1alpha1.FailedContent) bool {
		return f.Hash == s.content.hash || (f.Inputs != "" && f.Inputs == s.Want.Inputs)
	})
	m.Rollback = nil
	if m.Drift != nil {
		m.Drift.Standing = false
	}
	d := m.Deployment
	if d != nil && d.Outcome == ecsv1alpha1.DeploymentFailed && d.Revision == m.Registered && d.Purpose != ecsv1alpha1.PurposeRestart {
		d.Outcome = ecsv1alpha1.DeploymentSucceeded
	}
}

// restart is a, for a service that is in sync, with the restart that was asked for. Where that may
// not be started now, it waits.
func (s *situation) restart(a *answer) *answer {
	if !s.memory.Restart || a.inFlight || !s.settled() {
		return a
	}
	if !s.releasing() {
		return a
	}
	if s.Blocked != nil {
		a.message = clauses(a.message, "its restart waits: "+s.Blocked.Message)
		return a
	}
	m := s.memory
	started := s.take(s.looked(ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ReasonRestarting, "restarting "+m.Registered), Step{
		Action: ActionRestart, Hash: m.Hash, Revision: m.Registered, PreviousPrimary: s.primary.ID, Purpose: ecsv1alpha1.PurposeRestart,
	})
	if started.step.Action == ActionNone {
		a.message = clauses(a.message, started.message)
		return a
	}
	return started
}

// failedBefore: this content failed here. It is not tried again by itself, and what somebody
// else deploys meanwhile is left alone.
func failedBefore(s *situation) *answer {
	f := s.failing()
	if f == nil {
		return nil
	}
	if r := s.memory.Rollback; r != nil && r.Finished != nil {
		return s.cameBack()
	}
	a := &answer{
		state:  ecsv1alpha1.ServiceFailed,
		reason: string(f.Class),
		message: clauses(f.Message, fmt.Sprintf("the service now has %s", s.primary.Revision), s.drifted(),
			s.untilWhen()),
	}
	if s.viewRollsBack() || s.flying() != nil {
		a.look, a.inFlight = s.Timing.Fast, true
	}
	return a
}

// untilWhen says what has to happen before what failed is tried again.
func (s *situation) untilWhen() string {
	if s.Want.Family {
		return "not tried again until another image is asked for, or a newer task definition is registered, or a retry"
	}
	return "not tried again until another image is asked for, or a retry"
}

// failedForOthers: somebody else deployed this content, or once more our revision of it, and ECS
// gave that up. Updating to the revision that is the primary one already would change nothing.
func failedForOthers(s *situation) *answer {
	if !s.content.carried || s.primary.RolloutState != "FAILED" {
		return nil
	}
	return &answer{
		state:  ecsv1alpha1.ServiceFailed,
		reason: ecsv1alpha1.ReasonCircuitBreaker,
		message: clauses(fmt.Sprintf("deployment %s of %s, which this release did not start, failed",
			s.primary.ID, s.primary.Revision), s.primary.Reason,
			"waits for it to be deployed again, or for another image"),
	}
}

// deployedByOthers: the primary deployment brings the content, was not started by us, and is not
// completed yet. It may still be rolled back, then for whoever started it. One that takes as long as
// a deployment may go without progress is followed from then on like our own: nobody else may ever
// end it.
func deployedByOthers(s *situation) *answer {
	if !s.content.carried {
		return nil
	}
	if s.overdue() {
		return s.deploying(s.follow())
	}
	return s.looked(ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ReasonProgressing, clauses(
		fmt.Sprintf("deployment %s, which this release did not start, brings %s, which carries the image; "+
			"waiting for ECS to complete it, %d/%s run",
			s.primary.ID, s.primary.Revision, s.primary.Running, tasks(s.View.Desired)), s.primary.Reason))
}

// overdue says that somebody else's deployment of the content is waited for since the progress
// deadline, and that this release may do something about it.
func (s *situation) overdue() bool {
	if s.Barred != nil || s.Blocked != nil || s.Policy.Suspended || s.Policy.ProgressDeadline <= 0 || !s.releasing() {
		return false
	}
	since := s.primary.Created
	if m := s.memory; m.State != ecsv1alpha1.ServiceDeploying || m.Since.IsZero() {
		return false
	} else if m.Since.After(since) {
		since = m.Since.Time
	}
	return s.Now.Sub(since) > s.Policy.ProgressDeadline
}

// follow has the primary deployment be remembered as if it was started by us. Its clock begins now.
func (s *situation) follow() *ecsv1alpha1.DeploymentStatus {
	s.memory.Registered, s.memory.Source = s.primary.Revision, s.content.source
	d := newDeployment(s.primary.Revision, s.content.hash, s.primary.ID, s.primary.Created)
	d.Progressed = seconds(s.Now)
	s.memory.Deployment = d
	return d
}

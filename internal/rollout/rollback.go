package rollout

import (
	"cmp"
	"fmt"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// returning says that the service is, or is about to be, on its way back to its proven revision.
func (s *situation) returning() bool {
	m := s.memory
	if s.Goal != GoalRollback {
		return false
	}
	if m.Rollback != nil {
		return m.Rollback.Finished == nil
	}
	return m.Proven != nil && Touched(*m)
}

// comingBack: the release failed, and the service goes back to its proven revision: by ECS where our
// deployment is still in flight, by an update of ours where it is not, and by nothing where it is
// back already. That happens once; however it ends, nothing more is done.
func comingBack(s *situation) *answer {
	m := s.memory
	if s.Goal != GoalRollback {
		return nil
	}
	if m.Rollback == nil {
		switch f := s.failing(); {
		case m.Proven == nil && (Touched(*m) || (f != nil && !s.content.carried)):
			s.note = "nothing was proven here before, so there is no revision to go back to"
			return nil
		case m.Proven == nil, !Touched(*m) && (f == nil || s.content.carried || s.primary.Revision != m.Proven.Revision || !s.settled()):
			return nil
		}
		m.Rollback = &ecsv1alpha1.RollbackStatus{To: m.Proven.Revision, Since: seconds(s.Now)}
	}
	if m.Rollback.Finished == nil {
		if a := s.bringBack(); a != nil {
			return a
		}
	}
	return s.cameBack()
}

// bringBack is the answer while the service is on its way back; nil when that has ended.
func (s *situation) bringBack() *answer {
	d, r := s.memory.Deployment, s.memory.Rollback
	s.holdClock()
	if d != nil && d.Purpose == ecsv1alpha1.PurposeRollback {
		return s.followBack(d)
	}
	var ours *ServiceDeployment
	if d != nil && (d.Outcome == "" || d.Outcome == ecsv1alpha1.DeploymentFailed) {
		var looked bool
		// What is noted of it, whatever is asked for next waits for.
		if ours, looked = s.record(d); !looked {
			return s.rollingUnseen("looking what became of the deployment of " + d.Revision)
		}
	}
	switch {
	case s.viewRollsBack(), goingBack(ours):
		return s.rolling(clauses(fmt.Sprintf("ECS rolls the service back, it has %s now", s.primary.Revision), s.primary.Reason))
	case stoppable(ours):
		return s.stop(d, ours)
	case d != nil && d.Outcome != ecsv1alpha1.DeploymentSuperseded && !s.shownAfter(d, ours):
		return s.rolling("waiting for the service to show what became of the deployment of " + d.Revision)
	case s.primary.Revision == r.To:
		return s.arriveBack(ours)
	case d == nil || d.Outcome == ecsv1alpha1.DeploymentSuperseded || (s.primary.Revision != d.Revision && !s.wentBack(d, ours)):
		return s.takenOver()
	default:
		return s.goBack()
	}
}

// holdClock lets the clock of the rollback stand still while nothing may be done for it. Where its
// step waits for the release to go on, it starts anew then; else it is put forward from time to time:
// each time is a status write, and that may last for days.
func (s *situation) holdClock() {
	r, limit, waits := s.memory.Rollback, s.Policy.ProgressDeadline, s.memory.Reason == ecsv1alpha1.ReasonSuspended
	switch {
	case !s.held():
		if waits {
			r.Since = seconds(s.Now)
		}
	case !waits && limit > 0 && s.Now.Sub(r.Since.Time) >= max(time.Minute, limit/2):
		r.Since = seconds(s.Now)
	}
}

// held says that nothing at all may be changed now.
func (s *situation) held() bool { return s.Policy.Suspended || s.Barred != nil }

// stoppable says that sd is in flight and does not end by itself.
func stoppable(sd *ServiceDeployment) bool {
	if sd == nil {
		return false
	}
	switch sd.Status {
	case "SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED":
		return false
	default:
		return true
	}
}

// shownAfter says that the view is of a world in which d has ended as ours says. Once ECS has
// recorded that its rollback succeeded, a look since then that shows the proven revision tells
// nothing that the record does not: whether it is of the world after d or before makes no difference.
func (s *situation) shownAfter(d *ecsv1alpha1.DeploymentStatus, ours *ServiceDeployment) bool {
	if ours != nil && ours.Status == "ROLLBACK_SUCCESSFUL" && !ours.Finished.IsZero() &&
		s.primary.Revision == s.memory.Rollback.To && s.View.At.After(ours.Finished) {
		return true
	}
	if ours != nil && ours.Status == "ROLLBACK_SUCCESSFUL" && s.primary.Revision == d.Revision {
		ended := ours.Finished
		if ended.IsZero() {
			ended = s.memory.Rollback.Since.Time
		}
		return s.View.At.After(ended.Add(visible))
	}
	return s.caughtUp(d)
}

// stopUnderWay says that ECS was told to stop d and does not show it yet.
func (s *situation) stopUnderWay(d *ecsv1alpha1.DeploymentStatus, ours *ServiceDeployment) bool {
	r := s.memory.Rollback
	return r != nil && r.Stopped && r.Finished == nil && d.Purpose != ecsv1alpha1.PurposeRollback && stoppable(ours) &&
		s.Facts.OursAt.Before(r.Since.Add(2*visible))
}

// stop has ECS stop d, which is in flight, and roll it back: once. Where that cannot be done, or
// does nothing, the service is updated to the proven revision.
func (s *situation) stop(d *ecsv1alpha1.DeploymentStatus, ours *ServiceDeployment) *answer {
	r := s.memory.Rollback
	if !r.Stopped && (ours.Status == "PENDING" || ours.Status == "IN_PROGRESS") {
		return s.take(s.rolling("stopping the deployment of "+d.Revision+", so that ECS rolls it back"), Step{
			Action: ActionStop, Hash: d.Hash, Revision: d.Revision, ServiceDeployment: ours.ID, Purpose: ecsv1alpha1.PurposeRollback,
		})
	}
	if s.Facts.OursAt.Before(r.Since.Add(2 * visible)) {
		return s.rolling(fmt.Sprintf("waiting for ECS to roll the deployment of %s back (service deployment %s, %s)", d.Revision, ours.ID, ours.Status))
	}
	return s.goBack()
}

// arriveBack is the answer when the proven revision is the primary one again; nil when it has got
// there. A service that wants no tasks is there when the deployment has completed.
func (s *situation) arriveBack(ours *ServiceDeployment) *answer {
	switch {
	case s.primary.RolloutState == "FAILED":
		s.endRollback(clauses("the rollback to "+s.primary.Revision+" failed", s.primary.Reason))
		return nil
	case s.settled():
		s.endRollback("")
		return nil
	case ours != nil && ours.Status == "ROLLBACK_FAILED":
		s.endRollback(clauses("ECS could not roll the service back to "+s.primary.Revision, cmp.Or(ours.RollbackReason, ours.Reason)))
		return nil
	default:
		return s.rolling(fmt.Sprintf("%s is being deployed, %d/%s run", s.primary.Revision, s.primary.Running, tasks(s.View.Desired)))
	}
}

// takenOver ends a rollback because somebody else deployed something meanwhile.
func (s *situation) takenOver() *answer {
	s.noteDrift()
	s.endRollback(fmt.Sprintf("somebody else deployed %s (deployment %s) meanwhile", s.primary.Revision, s.primary.ID))
	return nil
}

// goBack updates the service to the proven revision, or to one with its content where it is not
// ACTIVE any more, or registers that: once.
func (s *situation) goBack() *answer {
	r, f := s.memory.Rollback, s.Facts
	if r.Updated {
		s.endRollback("the service was updated to " + r.To + " and has " + s.primary.Revision)
		return nil
	}
	if s.rollbackLate() {
		return nil
	}
	if !s.lookedAt(r.To) {
		return s.rollingUnseen("looking whether " + r.To + " is ACTIVE")
	}
	revision := r.To
	if !f.ProvenActive {
		if f.ProvenHash == "" {
			s.endRollback(r.To + " is not ACTIVE any more and cannot be read")
			return nil
		}
		equal, looked := s.equal(f.ProvenHash, Family(r.To))
		switch {
		case !looked:
			return s.rollingUnseen(r.To + " is not ACTIVE any more: looking for another revision with its content")
		case equal == "":
			return s.take(s.rolling(r.To+" is not ACTIVE any more: registering it once more"), Step{
				Action: ActionRegister, Hash: f.ProvenHash, Base: r.To, Purpose: ecsv1alpha1.PurposeRollback,
			})
		case equal == s.primary.Revision:
			return s.arriveBack(nil)
		}
		revision = equal
	}
	return s.take(s.rolling(fmt.Sprintf("has %s; updating it to %s", s.primary.Revision, revision)), Step{
		Action: ActionUpdate, Hash: f.ProvenHash, Revision: revision, PreviousPrimary: s.primary.ID, Purpose: ecsv1alpha1.PurposeRollback,
	})
}

// followBack is the answer while d, the update of ours to the proven revision, goes on; nil when it
// has ended.
func (s *situation) followBack(d *ecsv1alpha1.DeploymentStatus) *answer {
	switch {
	case d.Outcome == ecsv1alpha1.DeploymentFailed:
		s.endRollback("the rollback to " + d.Revision + " failed")
		return nil
	case d.Outcome == ecsv1alpha1.DeploymentSucceeded:
		s.endRollback("")
		return nil
	case d.Outcome == ecsv1alpha1.DeploymentSuperseded && s.primary.Revision == d.Revision:
		return s.arriveBack(nil)
	case d.Outcome == ecsv1alpha1.DeploymentSuperseded:
		return s.takenOver()
	}
	ours, _ := s.record(d)
	if standsStill(ours) && s.Now.Sub(s.memory.Rollback.Since.Time) >= time.Minute {
		s.memory.Rollback.Since = seconds(s.Now)
	}
	if s.rollbackLate() {
		d.Outcome = ecsv1alpha1.DeploymentFailed
		return nil
	}
	a := s.rolling(d.Revision + ": " + s.counts(d))
	if ours != nil && ours.Awaits() != nil {
		a.message = s.paused(d, ours, "let it go on with the annotation "+ecsv1alpha1.AnnotationApprove+"="+hookPrefix+ours.Awaits().ID).message
	}
	return a
}

// rollbackLate ends a rollback whose time is up, and says so.
func (s *situation) rollbackLate() bool {
	r, limit := s.memory.Rollback, s.Policy.ProgressDeadline
	if limit <= 0 || s.held() || s.Now.Sub(r.Since.Time) <= limit {
		return false
	}
	s.endRollback(fmt.Sprintf("the service was not back on %s after %s, the progress deadline; it has %s", r.To, limit, s.primary.Revision))
	return true
}

// endRollback writes down how the rollback ended: well when failed is "". The service is then back
// on the proven content, which from now on is proven by the revision that it has.
func (s *situation) endRollback(failed string) {
	m := s.memory
	s.returned = true
	at := seconds(s.Now)
	m.Rollback.Finished, m.Rollback.Failed = &at, shorten(failed, maxFailedMessage)
	if failed != "" {
		return
	}
	m.Rollback.To = s.primary.Revision
	if m.Proven != nil && m.Proven.Revision != s.primary.Revision {
		m.Proven.Revision, m.Proven.Source = s.primary.Revision, ecsv1alpha1.SourceReleased
	}
}

// rolling is the answer while the service is on its way back; nil when that takes too long, and so
// has ended here.
func (s *situation) rolling(what string) *answer {
	if s.rollbackLate() {
		return nil
	}
	return s.onTheWay(what)
}

// rollingUnseen is the answer on the way back when a look-up is missing; nil when that has taken too
// long. One that may not be made is for a person; one that only has to be waited for makes nothing
// late, since nobody knows.
func (s *situation) rollingUnseen(what string) *answer {
	p := s.Facts.Problem
	if p != nil && !p.Delay() && s.rollbackLate() {
		return nil
	}
	a := s.onTheWay(what)
	if p != nil {
		a.message = clauses(a.message, p.Message)
		a.look = max(a.look, p.RetryAfter)
		if !p.Delay() {
			a.reason = p.Reason
		}
	}
	return a
}

func (s *situation) onTheWay(what string) *answer {
	return s.looked(ecsv1alpha1.ServiceRollingBack, ecsv1alpha1.ReasonRollingBack,
		clauses("going back to "+s.memory.Rollback.To, what))
}

// cameBack is the answer when the rollback has ended. What the service should run may be another
// content on what it came back to, which was of no interest on the way: it is looked at once more.
func (s *situation) cameBack() *answer {
	a := s.back()
	if s.returned {
		a.look = s.Timing.Fast
	}
	return a
}

// back is how a service is whose rollback has ended. What somebody else deploys from then on is
// reported. One that did not end well, and got there after all, has come back.
func (s *situation) back() *answer {
	m, r := s.memory, s.memory.Rollback
	there := s.primary.Revision == r.To
	if there && s.settled() {
		r.Failed = ""
	}
	var why string
	f := s.failing()
	if f != nil {
		why = f.Message
	}
	if r.Failed != "" {
		return &answer{
			state: ecsv1alpha1.ServiceRollbackFailed, reason: ecsv1alpha1.ReasonRollbackFailed,
			message: clauses(r.Failed, why, "the service now has "+s.primary.Revision, "nothing more is done by itself: see to it, then retry"),
		}
	}
	d := m.Deployment
	ofOurs := d != nil && d.Revision == s.primary.Revision && s.View.At.Before(r.Finished.Add(visible))
	if !there && !ofOurs {
		s.noteDrift()
	}
	back := "back on " + r.To
	if !there {
		back = "came back to " + r.To
	}
	a := &answer{state: ecsv1alpha1.ServiceRolledBack, message: clauses(back, why, s.drifted())}
	if f != nil {
		a.reason = string(f.Class)
		a.message = clauses(a.message, s.untilWhen())
	}
	return a
}

package rollout

import (
	"fmt"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// inSync: the primary deployment brings the content and is completed. What ECS does afterwards
// with that revision (scaling, replacing tasks, deploying it once more for somebody) changes
// nothing, unless it fails.
func inSync(s *situation) *answer {
	c, m := s.content, s.memory
	if !c.known || !c.carried || s.primary.RolloutState == "FAILED" {
		return nil
	}
	remembered := m.State == ecsv1alpha1.ServiceInSync && m.Registered == s.primary.Revision
	if !remembered && !s.succeeded && !s.settled() {
		return nil
	}
	m.Registered, m.Source = s.primary.Revision, c.source
	forget(m, c.hash)
	if d := m.Deployment; d != nil && d.Outcome == ecsv1alpha1.DeploymentFailed && d.Revision == m.Registered {
		d.Outcome = ecsv1alpha1.DeploymentSucceeded
	}
	a := &answer{state: ecsv1alpha1.ServiceInSync, message: "runs " + m.Registered, inFlight: s.flying() != nil}
	if c.source == ecsv1alpha1.SourceAdopted {
		a.message = "ran the image already, with " + m.Registered + ": adopted as it is"
	}
	if s.View.Desired == 0 && !s.View.Daemon {
		a.reason = ecsv1alpha1.ReasonScaledToZero
		a.message = m.Registered + " is in place, but the service wants 0 tasks: nothing is proven by it"
	}
	if a.inFlight {
		a.look = s.Timing.Fast
	}
	return a
}

// failedBefore: this content failed here. It is not tried again by itself, and what somebody
// else deploys meanwhile is left alone.
func failedBefore(s *situation) *answer {
	hash := s.presumed()
	f := failed(s.memory, hash)
	if hash == "" || f == nil {
		return nil
	}
	a := &answer{
		state:  ecsv1alpha1.ServiceFailed,
		reason: string(f.Class),
		message: clauses(f.Message, fmt.Sprintf("the service now has %s", s.primary.Revision),
			"not tried again until the image or the service's task definition changes"),
	}
	if s.viewRollsBack() {
		a.look, a.inFlight = s.Timing.Fast, true
	}
	return a
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
// completed yet. It may still be rolled back, then for whoever started it.
func deployedByOthers(s *situation) *answer {
	if !s.content.carried {
		return nil
	}
	return s.looked(ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ReasonProgressing, clauses(
		fmt.Sprintf("deployment %s, which this release did not start, brings %s, which carries the image; "+
			"waiting for ECS to complete it, %d/%s run",
			s.primary.ID, s.primary.Revision, s.primary.Running, tasks(s.View.Desired)), s.primary.Reason))
}

package rollout

import (
	"cmp"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// hookDecided: somebody decided about the hook that pauses our deployment. A decision about a hook
// that does not wait any more is void, and so is one to go on where the release goes back.
func hookDecided(s *situation) *answer {
	m := s.memory
	h, d := m.Hook, m.Deployment
	if h == nil {
		return nil
	}
	if d == nil || (d.Outcome != "" && d.Outcome != ecsv1alpha1.DeploymentFailed) ||
		(s.Goal == GoalRollback && !h.RollBack && d.Purpose != ecsv1alpha1.PurposeRollback) {
		m.Hook = nil
		return nil
	}
	ours, looked := s.ours(d.ServiceDeployment, d.Revision, d.Started.Time)
	if !looked {
		return s.undecided(d)
	}
	if ours == nil || ours.Awaits() == nil || ours.Awaits().ID != h.ID || s.viewRollsBack() {
		m.Hook = nil
		return nil
	}
	a := s.paused(d, ours, "somebody approved: letting it go on")
	if h.RollBack {
		a.message = fmt.Sprintf("%s is paused at stage %s; somebody decided to roll it back", d.Revision, ours.Stage)
	}
	if d.Purpose == ecsv1alpha1.PurposeRollback {
		a.state, a.reason = ecsv1alpha1.ServiceRollingBack, ecsv1alpha1.ReasonRollingBack
	}
	s.awaiting = nil
	return s.take(a, Step{
		Action: ActionContinue, Hash: d.Hash, Revision: d.Revision, ServiceDeployment: ours.ID, Hook: h.ID, RollBack: h.RollBack,
	})
}

// undecided is the answer while the record of d, which must be known, was not looked up.
func (s *situation) undecided(d *ecsv1alpha1.DeploymentStatus) *answer {
	if p := s.Facts.Problem; p != nil && !p.Delay() {
		return s.problematic(p)
	}
	return s.deploying(d)
}

// deploymentPaused: a hook has paused our deployment until somebody decides.
func deploymentPaused(s *situation) *answer {
	d, ours := s.recorded()
	if d == nil || ours.Awaits() == nil || s.outdated(d) {
		return nil
	}
	id := hookPrefix + ours.Awaits().ID
	return s.paused(d, ours, fmt.Sprintf("let it go on with the annotation %s=%s, or roll it back with %s",
		ecsv1alpha1.AnnotationApprove, id, ecsv1alpha1.AnnotationAbort))
}

// paused is the answer while a hook pauses d; what waits for a person is noted. what says what
// happens next.
func (s *situation) paused(d *ecsv1alpha1.DeploymentStatus, ours *ServiceDeployment, what string) *answer {
	hook := ours.Awaits()
	var until string
	s.awaiting = &ecsv1alpha1.Awaiting{
		ID: hookPrefix + hook.ID, Service: s.memory.Name, Stage: shorten(ours.Stage, 64), Since: seconds(s.Now),
	}
	if !hook.Expires.IsZero() {
		s.awaiting.Expires = new(metav1.Time)
		*s.awaiting.Expires = seconds(hook.Expires)
		until = fmt.Sprintf("at %s ECS %s by itself", hook.Expires.UTC().Format(time.RFC3339), expiry(hook.Then))
	}
	return s.looked(ecsv1alpha1.ServiceAwaitingAction, ecsv1alpha1.ReasonAwaitingAction, clauses(
		fmt.Sprintf("the deployment of %s waits at stage %s (service deployment %s)", d.Revision, cmp.Or(ours.Stage, "unknown"), ours.ID),
		what, until))
}

// expiry is what ECS does when a hook has waited for too long, for people.
func expiry(then string) string {
	switch then {
	case "ROLLBACK":
		return "rolls it back"
	case "CONTINUE":
		return "lets it go on"
	default:
		return "decides"
	}
}

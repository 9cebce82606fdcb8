package rollout

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// imageAvailable is the condition ImageAvailable of a completed r.
func (r Release) imageAvailable() Condition {
	p := r.ImageProblem
	switch {
	case p == nil && r.ImageChecked:
		return Condition{metav1.ConditionTrue, ecsv1alpha1.ReasonImageAvailable, r.Image + " is in the registry of every target"}
	case p == nil:
		return Condition{metav1.ConditionUnknown, ecsv1alpha1.ReasonImageUnknown, r.Image + " was not looked for yet"}
	case p.Delay(), p.Class == ProblemDenied, !imageReason(p.Reason), p.Reason == ecsv1alpha1.ReasonImageUnknown:
		return Condition{metav1.ConditionUnknown, ecsv1alpha1.ReasonImageUnknown, shorten(p.Message, maxMessage)}
	default:
		return Condition{metav1.ConditionFalse, p.Reason, shorten(p.Message, maxMessage)}
	}
}

// deployed is the condition Deployed: the services alone, whatever else is wrong.
func (r Release) deployed(v Verdict) Condition {
	c := Condition{Status: metav1.ConditionFalse, Message: v.Progress + " run " + r.Image}
	worst := r.worst()
	switch at := r.standing(); {
	case len(r.Services) == 0:
		c.Status, c.Reason = metav1.ConditionUnknown, ecsv1alpha1.ReasonObserving
	case at == standingReady:
		c.Status, c.Reason = metav1.ConditionTrue, r.readyReason()
	case at == standingUnknown:
		c.Status, c.Reason = metav1.ConditionUnknown, cmp.Or(worst.Status.Reason, ecsv1alpha1.ReasonObserving)
	case worst.Status.Reason != "":
		c.Reason = worst.Status.Reason
	default:
		c.Reason = ecsv1alpha1.ReasonOutOfSync
	}
	if at := worst.Status.Name; at != "" {
		c.Message = shorten(c.Message+"; "+worst.String()+": "+describe(worst.Status, true), maxMessage)
	}
	return c
}

// failure is why the release failed, nil when it is in another phase.
func (r Release) failure(phase Phase) *ecsv1alpha1.Failure {
	if phase != PhaseFailed {
		return nil
	}
	worst := r.worst()
	if stand(worst.Status) != standingFailed {
		return &ecsv1alpha1.Failure{
			Class:   ecsv1alpha1.FailureImageMissing,
			Target:  r.ImageTarget,
			Message: shorten(r.ImageProblem.Message, maxMessage),
		}
	}
	class := ecsv1alpha1.FailureCircuitBreaker
	if worst.Status.Reason == ecsv1alpha1.ReasonDeadline {
		class = ecsv1alpha1.FailureDeadline
	}
	return &ecsv1alpha1.Failure{
		Class: class, Target: worst.Target, Service: worst.Status.Name, Message: worst.Status.Message,
	}
}

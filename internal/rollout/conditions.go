package rollout

import (
	"cmp"
	"fmt"
	"strings"
	"time"

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
		c.Message = shorten(c.Message+"; "+worst.String()+": "+describe(worst.Status, true, ""), maxMessage)
	}
	return c
}

// verified is the condition Verified; nil where there are no checks.
func (r Release) verified() *Condition {
	if !r.Campaign.Checked || len(r.Services) == 0 {
		return nil
	}
	var failed, open []string
	for _, target := range targetsOf(r.Services) {
		switch check := r.Checks[target]; {
		case check.Late:
			failed = append(failed, target+": "+check.Message)
		case check.Passed == nil:
			open = append(open, target)
		}
	}
	// What failed its checks does not run any more, and so is not checked either.
	if f := r.Recorded; f != nil && f.Class == ecsv1alpha1.FailureVerification && len(failed) == 0 {
		failed = append(failed, f.Target+": "+f.Message)
	}
	switch {
	case len(failed) > 0:
		return &Condition{metav1.ConditionFalse, ecsv1alpha1.ReasonVerification, shorten(strings.Join(failed, "; "), maxMessage)}
	case len(open) > 0:
		return &Condition{
			metav1.ConditionUnknown, ecsv1alpha1.ReasonVerifying,
			shorten("not verified yet: "+strings.Join(open, ", "), maxMessage),
		}
	default:
		return &Condition{metav1.ConditionTrue, ecsv1alpha1.ReasonVerified, "every target passed its checks"}
	}
}

// held is the condition Held; nil while no release is held.
func (r Release) held() *Condition {
	if r.Hold == nil {
		return nil
	}
	return &Condition{metav1.ConditionTrue, ecsv1alpha1.ReasonHeld, shorten(fmt.Sprintf(
		"release %d (%s) is held since %s against %s: end it with %s, or with another image",
		r.Hold.Number, spelled(r.Hold.Images), r.Hold.Since.UTC().Format(time.RFC3339), spelled(r.Hold.Against),
		ecsv1alpha1.AnnotationReleaseHold), maxMessage)}
}

// drifted is the condition Drifted; nil while everything that somebody else deployed is corrected.
func (r Release) drifted() *Condition {
	var drifted []string
	for _, p := range r.Services {
		if d := p.Status.Drift; d != nil && d.Standing {
			said := fmt.Sprintf("%s: deployment %s brought %s", p, d.Deployment, d.Revision)
			if d.RegisteredBy != "" {
				said += ", registered by " + d.RegisteredBy
			}
			drifted = append(drifted, said)
		}
	}
	if len(drifted) == 0 {
		return nil
	}
	return &Condition{metav1.ConditionTrue, ecsv1alpha1.ReasonDrifted, shorten(strings.Join(drifted, "; "), maxMessage)}
}

// failure is why the release failed, nil when it has not.
func (r Release) failure(phase Phase) *ecsv1alpha1.Failure {
	worst := r.worst()
	switch {
	case stand(worst.Status) == standingFailed && r.Recorded != nil:
		return r.Recorded
	case stand(worst.Status) == standingFailed:
		f := &ecsv1alpha1.Failure{
			Class: classOf(worst.Status), Target: worst.Target, Service: worst.Status.Name,
			Message: worst.Status.Message, At: worst.Status.Since,
		}
		if failed := worst.Status.Failed; len(failed) > 0 {
			f.Message, f.At = failed[0].Message, failed[0].At
		}
		return f
	case phase == PhaseFailed && r.imageReason() != ecsv1alpha1.ReasonImageMissing:
		_, why, _ := r.Campaign.waits(r.Services, r.Checks, r.Now)
		return &ecsv1alpha1.Failure{Class: r.Campaign.Failed, Message: shorten(why, maxMessage)}
	case phase == PhaseFailed:
		return &ecsv1alpha1.Failure{
			Class: ecsv1alpha1.FailureImageMissing, Target: r.ImageTarget,
			Message: shorten(r.ImageProblem.Message, maxMessage), At: seconds(r.ImageMissingSince.Add(r.ImageDeadline)),
		}
	default:
		return nil
	}
}

// classOf is the class of a service's failure as it is remembered.
func classOf(m ecsv1alpha1.ServiceStatus) ecsv1alpha1.FailureClass {
	switch {
	case len(m.Failed) > 0:
		return m.Failed[0].Class
	case m.Reason == ecsv1alpha1.ReasonDeadline:
		return ecsv1alpha1.FailureDeadline
	default:
		return ecsv1alpha1.FailureCircuitBreaker
	}
}

package rollout

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// PhaseOf is the phase that a release's conditions tell of, for those who have no more than the
// object. It is PhaseObserving for a release whose spec no controller has judged yet: one that is
// new, or that was changed since its status was written.
func PhaseOf(release *ecsv1alpha1.EcsRelease) Phase {
	status := &release.Status
	ready := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReady)
	switch {
	case status.ObservedGeneration != release.Generation || ready == nil || ready.ObservedGeneration != release.Generation:
		return PhaseObserving
	case ready.Status == metav1.ConditionTrue:
		return PhaseReady
	case meta.IsStatusConditionTrue(status.Conditions, ecsv1alpha1.ConditionStalled):
		return stalledPhase(ready.Reason, status.Failure)
	case ready.Status == metav1.ConditionFalse && meta.IsStatusConditionTrue(status.Conditions, ecsv1alpha1.ConditionReconciling):
		return reconcilingPhase(ready.Reason)
	default:
		return PhaseObserving
	}
}

// stalledPhase is the phase of a release that is Stalled for a reason. WrongArchitecture is what an
// image is refused for, and what tasks fail of too: the latter leaves a failure of that class.
func stalledPhase(reason string, failure *ecsv1alpha1.Failure) Phase {
	switch reason {
	case ecsv1alpha1.ReasonImageMissing, ecsv1alpha1.ReasonImagePull, ecsv1alpha1.ReasonContainerExited,
		ecsv1alpha1.ReasonOutOfMemory, ecsv1alpha1.ReasonHealthCheck, ecsv1alpha1.ReasonPlacement,
		ecsv1alpha1.ReasonResourceInit, ecsv1alpha1.ReasonCircuitBreaker, ecsv1alpha1.ReasonAlarm,
		ecsv1alpha1.ReasonDeadline, ecsv1alpha1.ReasonVerification, ecsv1alpha1.ReasonAborted,
		ecsv1alpha1.ReasonRollbackFailed:
		return PhaseFailed
	case ecsv1alpha1.ReasonWrongArchitecture:
		if failure != nil && failure.Class == ecsv1alpha1.FailureWrongArchitecture {
			return PhaseFailed
		}
		return PhaseBlocked
	default:
		return PhaseBlocked
	}
}

// reconcilingPhase is the phase of a release that is Reconciling, and whose state is known, for a
// reason.
func reconcilingPhase(reason string) Phase {
	switch reason {
	case ecsv1alpha1.ReasonImageNotFound, ecsv1alpha1.ReasonAwaitingPromotion, ecsv1alpha1.ReasonOutsideWindow:
		return PhaseWaiting
	case ecsv1alpha1.ReasonAwaitingApproval, ecsv1alpha1.ReasonAwaitingAction:
		return PhaseAwaiting
	case ecsv1alpha1.ReasonVerifying:
		return PhaseVerifying
	case ecsv1alpha1.ReasonBaking:
		return PhaseBaking
	case ecsv1alpha1.ReasonRollingBack:
		return PhaseRollingBack
	case ecsv1alpha1.ReasonHeld:
		return PhaseHeld
	case ecsv1alpha1.ReasonSuspended:
		return PhaseSuspended
	default:
		return PhaseProgressing
	}
}

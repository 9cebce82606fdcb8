package simulation

import (
	"slices"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Wanted is what many runs together have to come across, as keys of a [Coverage].
func Wanted() []string {
	var wanted []string
	for _, operation := range slices.Concat(awsReads, awsRareReads, awsWrites, awsRareWrites) {
		for _, kind := range awsKinds {
			if afflicts(kind, operation) {
				wanted = append(wanted, "aws "+kind+":"+operation)
			}
		}
	}
	for _, call := range kubeCalls {
		for _, kind := range kubeKinds {
			if disturbs(kind, call) {
				wanted = append(wanted, "kube "+kubeKey(kind, call))
			}
		}
	}
	wanted = append(wanted, "kube lag:watch", "kube expired:watch", "process crash", "process restart", "process sleep", "process move")
	for _, state := range states {
		wanted = append(wanted, "state "+string(state))
	}
	for _, reason := range reasons {
		wanted = append(wanted, "reason "+reason)
	}
	for _, class := range classes {
		wanted = append(wanted, "class "+string(class))
	}
	return wanted
}

// afflicts says that a fault of a kind can make a difference to an operation. Only reads of ECS and
// of load balancers can show the world of earlier: all else is answered from the present.
func afflicts(kind, operation string) bool {
	if kind != "stale" {
		return true
	}
	return slices.Contains(staleable, operation)
}

// disturbs says that a fault of a kind can befall a call: only writes with a resourceVersion conflict.
func disturbs(kind, call string) bool {
	return kind != "conflict" || call == "patch ecsreleases/status" || call == "update leases" || call == "patch ecsenvironments/status"
}

// states are all states of services.
var states = []ecsv1alpha1.ServiceState{
	ecsv1alpha1.ServiceUnknown, ecsv1alpha1.ServiceMissing, ecsv1alpha1.ServiceUnsupported, ecsv1alpha1.ServiceOutOfSync,
	ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ServiceAwaitingAction, ecsv1alpha1.ServiceInSync, ecsv1alpha1.ServiceFailed,
	ecsv1alpha1.ServiceRollingBack, ecsv1alpha1.ServiceRolledBack, ecsv1alpha1.ServiceRollbackFailed,
}

// classes are all classes of failures, but for CircuitBreaker: it stands for a failure that left no
// evidence at all, and here a stopped task always says something.
var classes = []ecsv1alpha1.FailureClass{
	ecsv1alpha1.FailureImageMissing, ecsv1alpha1.FailureImagePull, ecsv1alpha1.FailureContainerExited,
	ecsv1alpha1.FailureOutOfMemory, ecsv1alpha1.FailureHealthCheck, ecsv1alpha1.FailurePlacement, ecsv1alpha1.FailureResourceInit,
	ecsv1alpha1.FailureAlarm, ecsv1alpha1.FailureDeadline, ecsv1alpha1.FailureVerification, ecsv1alpha1.FailureAborted,
}

// reasons are the reasons that releases and services may give. Not among them are those for which
// the world has no occasion:
//   - IdentityConflict, ContainerAmbiguous, DuplicateService: what tables on pure code cover, and what
//     depends on nothing but the objects as they are written;
//   - InvalidImage: the rules of the CRD refuse what can be seen in a spec;
//   - ServiceNotActive: no service is deleted here;
//   - CircuitBreaker: see classes.
var reasons = []string{
	ecsv1alpha1.ReasonReleased, ecsv1alpha1.ReasonScaledToZero, ecsv1alpha1.ReasonProgressing, ecsv1alpha1.ReasonSuspended,
	ecsv1alpha1.ReasonAwaitingApproval, ecsv1alpha1.ReasonAwaitingAction, ecsv1alpha1.ReasonWaveNotOpen, ecsv1alpha1.ReasonVerifying,
	ecsv1alpha1.ReasonVerified, ecsv1alpha1.ReasonBaking, ecsv1alpha1.ReasonHeld, ecsv1alpha1.ReasonRestarting, ecsv1alpha1.ReasonDrifted,
	ecsv1alpha1.ReasonObserving, ecsv1alpha1.ReasonObservationFailed, ecsv1alpha1.ReasonNoEnvironment, ecsv1alpha1.ReasonAmbiguousEnvironment,
	ecsv1alpha1.ReasonNotPermitted, ecsv1alpha1.ReasonAwaitingPromotion, ecsv1alpha1.ReasonOutsideWindow, ecsv1alpha1.ReasonInvalidEnvironment, ecsv1alpha1.ReasonServiceConflict, ecsv1alpha1.ReasonAccessDenied, ecsv1alpha1.ReasonAccountMismatch,
	ecsv1alpha1.ReasonClusterNotFound, ecsv1alpha1.ReasonServiceNotFound, ecsv1alpha1.ReasonServiceUnsupported, ecsv1alpha1.ReasonCannotProgress,
	ecsv1alpha1.ReasonContainerNotFound, ecsv1alpha1.ReasonContainerUnused, ecsv1alpha1.ReasonRegistryUnsupported,
	ecsv1alpha1.ReasonRepositoryNotFound, ecsv1alpha1.ReasonImageNotFound, ecsv1alpha1.ReasonImageMissing, ecsv1alpha1.ReasonImageMismatch,
	ecsv1alpha1.ReasonWrongArchitecture, ecsv1alpha1.ReasonImageAvailable, ecsv1alpha1.ReasonImageUnknown, ecsv1alpha1.ReasonOutOfSync,
	ecsv1alpha1.ReasonImagePull, ecsv1alpha1.ReasonContainerExited, ecsv1alpha1.ReasonOutOfMemory,
	ecsv1alpha1.ReasonHealthCheck, ecsv1alpha1.ReasonPlacement, ecsv1alpha1.ReasonResourceInit, ecsv1alpha1.ReasonAlarm, ecsv1alpha1.ReasonDeadline,
	ecsv1alpha1.ReasonVerification, ecsv1alpha1.ReasonAborted, ecsv1alpha1.ReasonRollbackInProgress, ecsv1alpha1.ReasonRollingBack,
	ecsv1alpha1.ReasonRollbackFailed,
}

package rollout

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Phase is the one named phase a release is in.
type Phase string

const (
	// PhaseObserving: whether the services run the image cannot be told now.
	PhaseObserving Phase = "Observing"
	// PhaseWaiting: the image is not in every region yet, or the environment lets no release start
	// yet: it goes on by itself.
	PhaseWaiting Phase = "Waiting"
	// PhaseProgressing: services are being brought to the image.
	PhaseProgressing Phase = "Progressing"
	// PhaseAwaiting: somebody has to approve a wave, or to decide about a paused deployment.
	PhaseAwaiting Phase = "Awaiting"
	// PhaseVerifying: a wave runs the image, and its checks have not all passed.
	PhaseVerifying Phase = "Verifying"
	// PhaseBaking: a wave runs the image and is left alone for a while.
	PhaseBaking Phase = "Baking"
	// PhaseRollingBack: what failed, and what the release touched, is brought back.
	PhaseRollingBack Phase = "RollingBack"
	// PhaseHeld: every service runs a release of the past, which is held against the spec.
	PhaseHeld Phase = "Held"
	// PhaseSuspended: the release is suspended before every service ran the image.
	PhaseSuspended Phase = "Suspended"
	// PhaseReady: every service runs the image, successfully.
	PhaseReady Phase = "Ready"
	// PhaseBlocked: nothing will happen until the spec, the environment or AWS changes.
	PhaseBlocked Phase = "Blocked"
	// PhaseFailed: the release failed.
	PhaseFailed Phase = "Failed"
)

// Health is what Argo CD calls a resource's state.
type Health string

// The health states of Argo CD that a release can be in.
const (
	Healthy     Health = "Healthy"
	Progressing Health = "Progressing"
	Suspended   Health = "Suspended"
	Degraded    Health = "Degraded"
)

// The exit codes of a command that waits for a release to become ready.
const (
	// ExitReady: it is ready.
	ExitReady = 0
	// ExitFailed: it failed, or nothing will happen until somebody changes something.
	ExitFailed = 1
	// ExitTimeout: it was neither when the time was up. While a phase has this code, waiting goes on.
	ExitTimeout = 2
	// ExitPerson: it waits for a person.
	ExitPerson = 3
	// ExitUsage: the command was used wrongly, or the API could not be asked.
	ExitUsage = 4
)

// PhaseRow is what a phase means to those who watch a release.
type PhaseRow struct {
	Phase Phase
	// Ready is the status of the condition Ready; Reconciling and Stalled say whether these
	// conditions are there. As kstatus and Flux want it: never both of them, Reconciling only
	// while Ready is not True, Stalled only while it is False, and Ready Unknown only while
	// Reconciling.
	Ready       metav1.ConditionStatus
	Reconciling bool
	Stalled     bool
	// Health is what Argo CD shows.
	Health Health
	// Exit is what a command that waits ends with; ExitTimeout: it goes on waiting.
	Exit int
}

// Phases is the one table of what phases mean: conditions, Argo CD's health, exit code.
var Phases = [...]PhaseRow{
	{PhaseObserving, metav1.ConditionUnknown, true, false, Progressing, ExitTimeout},
	{PhaseWaiting, metav1.ConditionFalse, true, false, Progressing, ExitTimeout},
	{PhaseProgressing, metav1.ConditionFalse, true, false, Progressing, ExitTimeout},
	{PhaseAwaiting, metav1.ConditionFalse, true, false, Suspended, ExitPerson},
	{PhaseVerifying, metav1.ConditionFalse, true, false, Progressing, ExitTimeout},
	{PhaseBaking, metav1.ConditionFalse, true, false, Progressing, ExitTimeout},
	{PhaseRollingBack, metav1.ConditionFalse, true, false, Progressing, ExitTimeout},
	{PhaseHeld, metav1.ConditionFalse, true, false, Suspended, ExitPerson},
	{PhaseSuspended, metav1.ConditionFalse, true, false, Suspended, ExitPerson},
	{PhaseReady, metav1.ConditionTrue, false, false, Healthy, ExitReady},
	{PhaseBlocked, metav1.ConditionFalse, false, true, Degraded, ExitFailed},
	{PhaseFailed, metav1.ConditionFalse, false, true, Degraded, ExitFailed},
}

// Row is the phase's row of the table; one of PhaseObserving's meaning for a phase that is not
// in it.
func (p Phase) Row() PhaseRow {
	for _, row := range Phases {
		if row.Phase == p {
			return row
		}
	}
	return Phases[0]
}

// standing is what a service's state means to its release, the worst last.
type standing int

const (
	standingReady standing = iota
	standingUnknown
	standingProgressing
	standingAwaiting
	standingWaiting
	standingBlocked
	standingFailed
)

// stand says what a service's state means to its release.
func stand(m ecsv1alpha1.ServiceStatus) standing {
	switch m.State {
	case ecsv1alpha1.ServiceInSync:
		if m.Restart {
			return standingProgressing
		}
		return standingReady
	case ecsv1alpha1.ServiceFailed, ecsv1alpha1.ServiceRollingBack, ecsv1alpha1.ServiceRolledBack, ecsv1alpha1.ServiceRollbackFailed:
		return standingFailed
	case ecsv1alpha1.ServiceAwaitingAction:
		return standingAwaiting
	case ecsv1alpha1.ServiceMissing, ecsv1alpha1.ServiceUnsupported:
		return standingBlocked
	case ecsv1alpha1.ServiceDeploying:
		return standingProgressing
	case ecsv1alpha1.ServiceOutOfSync:
		return reasonStanding(m.Reason, standingProgressing)
	default:
		return reasonStanding(m.Reason, standingUnknown)
	}
}

// reasonStanding says what a reason means to a release: otherwise where it is one of a service
// on its way. A reason that it does not know is taken for a definite no, since a refusal that
// nobody hears of is worse than one too many.
func reasonStanding(reason string, otherwise standing) standing {
	switch reason {
	case "", ecsv1alpha1.ReasonOutOfSync, ecsv1alpha1.ReasonProgressing, ecsv1alpha1.ReasonSuspended,
		ecsv1alpha1.ReasonRollbackInProgress, ecsv1alpha1.ReasonObserving, ecsv1alpha1.ReasonObservationFailed,
		ecsv1alpha1.ReasonReleased, ecsv1alpha1.ReasonScaledToZero, ecsv1alpha1.ReasonNoTasks, ecsv1alpha1.ReasonImageAvailable,
		ecsv1alpha1.ReasonImageUnknown, ecsv1alpha1.ReasonWaveNotOpen, ecsv1alpha1.ReasonAwaitingApproval,
		ecsv1alpha1.ReasonAwaitingAction, ecsv1alpha1.ReasonRestarting, ecsv1alpha1.ReasonVerifying,
		ecsv1alpha1.ReasonVerified, ecsv1alpha1.ReasonBaking, ecsv1alpha1.ReasonAwaitingPromotion,
		ecsv1alpha1.ReasonOutsideWindow:
		return otherwise
	case ecsv1alpha1.ReasonImageNotFound:
		return standingWaiting
	default:
		return standingBlocked
	}
}

// imageReason says that reason is about the image.
func imageReason(reason string) bool {
	switch reason {
	case ecsv1alpha1.ReasonInvalidImage, ecsv1alpha1.ReasonRegistryUnsupported, ecsv1alpha1.ReasonRepositoryNotFound,
		ecsv1alpha1.ReasonImageNotFound, ecsv1alpha1.ReasonImageMissing, ecsv1alpha1.ReasonImageMismatch,
		ecsv1alpha1.ReasonWrongArchitecture, ecsv1alpha1.ReasonImageUnknown:
		return true
	default:
		return false
	}
}

package screen

import (
	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// mark is how something is, at a glance. All of them are one column wide.
type mark struct {
	sign string
	ink  ink
}

// The marks.
var (
	markWell    = mark{"✔", good}
	markMoving  = mark{"↻", moving}
	markBack    = mark{"↶", waiting}
	markPerson  = mark{"‖", waiting}
	markLater   = mark{"○", faint}
	markFailed  = mark{"✖", bad}
	markWarning = mark{"!", waiting}
	markUnknown = mark{"?", faint}
	markAside   = mark{"·", faint}
)

// phaseMark is the mark of a release.
func phaseMark(phase rollout.Phase) mark {
	switch phase {
	case rollout.PhaseReady:
		return markWell
	case rollout.PhaseObserving:
		return markUnknown
	case rollout.PhaseRollingBack:
		return markBack
	}
	switch phase.Row().Exit {
	case rollout.ExitFailed:
		return markFailed
	case rollout.ExitPerson:
		return markPerson
	default:
		return markMoving
	}
}

// hopMark is the mark of a hop of a way in. What is missing where that was never whole has yet to be made.
func hopMark(state ecsv1alpha1.HopState, wired bool) mark {
	switch state {
	case ecsv1alpha1.HopWell:
		return markWell
	case ecsv1alpha1.HopWarning:
		return markWarning
	case ecsv1alpha1.HopPending:
		return markMoving
	case ecsv1alpha1.HopMissing:
		if !wired {
			return markLater
		}
		return markFailed
	case ecsv1alpha1.HopBroken:
		return markFailed
	case ecsv1alpha1.HopUnreached:
		return markAside
	default:
		return markUnknown
	}
}

// serviceMark is the mark of a service.
func serviceMark(s *ecsv1alpha1.ServiceStatus) mark {
	switch s.State {
	case ecsv1alpha1.ServiceInSync:
		if s.Restart {
			return markLater
		}
		return markWell
	case ecsv1alpha1.ServiceDeploying:
		return markMoving
	case ecsv1alpha1.ServiceAwaitingAction:
		return markPerson
	case ecsv1alpha1.ServiceRollingBack, ecsv1alpha1.ServiceRolledBack:
		return markBack
	case ecsv1alpha1.ServiceMissing, ecsv1alpha1.ServiceUnsupported, ecsv1alpha1.ServiceFailed, ecsv1alpha1.ServiceRollbackFailed:
		return markFailed
	case ecsv1alpha1.ServiceOutOfSync:
		return markLater
	default:
		return markUnknown
	}
}

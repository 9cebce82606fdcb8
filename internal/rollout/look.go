package rollout

import (
	"cmp"
	"fmt"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// notLookedAt: there is no look at the service yet. What is remembered stays as long as it is
// about the images that are asked for: a new leader turns nothing upside down.
func notLookedAt(s *situation) *answer {
	if s.View != nil {
		return nil
	}
	if s.sameInputs() && s.memory.State != "" {
		return &answer{keep: true, inFlight: s.flying() != nil || s.memory.Intent != nil}
	}
	return &answer{
		state:   ecsv1alpha1.ServiceUnknown,
		reason:  ecsv1alpha1.ReasonObserving,
		message: "not looked at yet",
	}
}

// notObservable: the look at the service gave a problem instead. What is missing is a fact, a
// denial a message, a delay none of both: a service that was in sync, or had failed, with these
// images still counts as that.
func notObservable(s *situation) *answer {
	if s.View.Problem == nil {
		return nil
	}
	p := s.View.Problem
	if p.Class == ProblemMissing {
		return &answer{
			state:   ecsv1alpha1.ServiceMissing,
			reason:  cmp.Or(p.Reason, ecsv1alpha1.ReasonServiceNotFound),
			message: p.Message,
		}
	}
	if p.Delay() && s.sameInputs() && ended(s.memory.State) {
		return &answer{keep: true, look: p.Rest(s.Timing), inFlight: s.flying() != nil}
	}
	a := s.problematic(p)
	if p.Class == ProblemDenied {
		a.reason = cmp.Or(p.Reason, ecsv1alpha1.ReasonAccessDenied)
	}
	return a
}

// ended says that a service in state has come to an end, one way or the other.
func ended(state ecsv1alpha1.ServiceState) bool {
	switch state {
	case ecsv1alpha1.ServiceInSync, ecsv1alpha1.ServiceFailed, ecsv1alpha1.ServiceRolledBack, ecsv1alpha1.ServiceRollbackFailed:
		return true
	default:
		return false
	}
}

// notActive: the service is on its way out, or gone.
func notActive(s *situation) *answer {
	if s.View.Status == "ACTIVE" {
		return nil
	}
	return &answer{
		state:  ecsv1alpha1.ServiceUnsupported,
		reason: ecsv1alpha1.ReasonServiceNotActive,
		message: fmt.Sprintf("the service is %s, wanted ACTIVE: create it again, or take it out of the release",
			cmp.Or(s.View.Status, "in no state that ECS names")),
	}
}

// notOurKind: something else than ECS's own deployments brings revisions to the service.
func notOurKind(s *situation) *answer {
	unsupported := func(seen string) *answer {
		return &answer{
			state:  ecsv1alpha1.ServiceUnsupported,
			reason: ecsv1alpha1.ReasonServiceUnsupported,
			message: seen + ", wanted the deployment controller ECS: " +
				"move the service to it, or take it out of the release",
		}
	}
	switch {
	case s.View.Express:
		return unsupported("ECS Express Mode manages the service")
	case s.View.Controller != "" && s.View.Controller != "ECS":
		return unsupported("the service's deployment controller is " + s.View.Controller)
	default:
		return nil
	}
}

// noPrimary: ECS shows an active service without a primary deployment. It always has one, so
// this look is not to be trusted.
func noPrimary(s *situation) *answer {
	if s.primary != nil {
		return nil
	}
	if s.sameInputs() && s.memory.State == ecsv1alpha1.ServiceInSync {
		return &answer{keep: true, look: s.Timing.Fast}
	}
	return s.looked(ecsv1alpha1.ServiceUnknown, ecsv1alpha1.ReasonObservationFailed,
		"ECS shows the service without a primary deployment; looking again")
}

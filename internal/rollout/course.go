package rollout

import (
	"slices"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Subject is a service of a release as it is remembered, before a pass has looked at anything.
type Subject struct {
	// Target is the name of its target in the spec, Wave that target's wave.
	Target string
	Wave   int32
	// Inputs is the fingerprint of what is asked of it now; "" while that is not known.
	Inputs string
	// Memory is what is remembered of it. Commands write to it.
	Memory *ecsv1alpha1.ServiceStatus
}

// failing is what is remembered of the failure of what is asked of the service now; nil when it
// did not fail.
func (s Subject) failing() *ecsv1alpha1.FailedContent {
	for i := range s.Memory.Failed {
		if s.failed(s.Memory.Failed[i]) {
			return &s.Memory.Failed[i]
		}
	}
	return nil
}

// failed says that f is about what is asked of the service now: the images for which it failed, or
// the very content.
func (s Subject) failed(f ecsv1alpha1.FailedContent) bool {
	if s.Inputs == "" {
		return false
	}
	return f.Inputs == s.Inputs || s.Memory.Inputs == s.Inputs && s.Memory.Hash != "" && f.Hash == s.Memory.Hash
}

// AnyFailing says that what the release asks for failed somewhere, as its services remember it.
func AnyFailing(services []Subject) bool {
	return slices.ContainsFunc(services, func(s Subject) bool { return s.failing() != nil })
}

// Goals are what a release wants of each of its services for now. While what it asks for failed
// anywhere, the policy says what becomes of the services that it touched; the others stay as
// they are, since Preflight starts nothing and what failed before is not tried again.
func Goals(services []Subject, onFailure ecsv1alpha1.FailurePolicy) []Goal {
	failing := AnyFailing(services)
	goals := make([]Goal, len(services))
	for i, s := range services {
		switch {
		case !failing:
			goals[i] = GoalRelease
		case onFailure == ecsv1alpha1.FailureHold:
			goals[i] = GoalLeave
		case Touched(*s.Memory):
			goals[i] = GoalRollback
		default:
			goals[i] = GoalRelease
		}
	}
	return goals
}

// Condemn writes down that what is asked of a service failed although ECS did not say so: a check
// did not pass, or somebody aborted it. What is on the way is meant where something is, but for the way
// back.
func Condemn(m *ecsv1alpha1.ServiceStatus, inputs string, class ecsv1alpha1.FailureClass, message string, now time.Time) {
	hash := m.Hash
	if d := m.Deployment; d != nil && d.Outcome == "" && d.Purpose != ecsv1alpha1.PurposeRollback {
		hash = d.Hash
	}
	remember(m, ecsv1alpha1.FailedContent{
		Hash: hash, Inputs: inputs, Class: class, Message: shorten(message, maxFailedMessage), At: seconds(now),
	})
}

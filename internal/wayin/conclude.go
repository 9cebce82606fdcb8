package wayin

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// building is the order in which a way in is best built: what leads in comes last.
var building = []ecsv1alpha1.HopName{
	ecsv1alpha1.HopLoadBalancer, ecsv1alpha1.HopCertificate, ecsv1alpha1.HopListener, ecsv1alpha1.HopRule, ecsv1alpha1.HopTargets,
	ecsv1alpha1.HopAccelerator, ecsv1alpha1.HopAcceleratorListener, ecsv1alpha1.HopEndpointGroup, ecsv1alpha1.HopAcceleratorEndpoint,
	ecsv1alpha1.HopRecord, ecsv1alpha1.HopProbe,
}

// Conclude is the status of an endpoint whose hops were judged. problem is why not all is known, as
// Unanswered tells it; nil: all is.
func Conclude(endpoint *ecsv1alpha1.EcsEndpoint, hops []ecsv1alpha1.Hop, now metav1.Time, problem *rollout.Problem) ecsv1alpha1.EcsEndpointStatus {
	status := *endpoint.Status.DeepCopy()
	status.ObservedGeneration = endpoint.Generation
	status.Hops = since(hops, endpoint.Status.Hops, now)
	if endpoint.Status.ObservedGeneration != endpoint.Generation {
		status.Wired = nil // another chain
	}
	v := conclusion(&endpoint.Spec, hops, status.Wired != nil, problem)
	if was := meta.FindStatusCondition(endpoint.Status.Conditions, ecsv1alpha1.ConditionReady); v.ready == metav1.ConditionTrue && problem != nil &&
		(was == nil || was.Status != metav1.ConditionTrue || was.ObservedGeneration != endpoint.Generation) {
		// What was seen last of one hop and what is seen now of another were never seen together.
		v = outcome{metav1.ConditionUnknown, ecsv1alpha1.ReasonObservationFailed, problem.Message, ecsv1alpha1.ConditionReconciling, nil}
	}
	if v.ready == metav1.ConditionTrue && problem == nil && status.Wired == nil {
		status.Wired = &now
	}
	status.Hop = ""
	if v.hop != nil {
		status.Hop = where(v.hop)
	}
	conditions(&status, v, endpoint.Generation, now)
	return status
}

// Refused is the status of an endpoint that cannot be looked at, because of its environment.
func Refused(endpoint *ecsv1alpha1.EcsEndpoint, now metav1.Time, problem *rollout.Problem) ecsv1alpha1.EcsEndpointStatus {
	status := *endpoint.Status.DeepCopy()
	status.ObservedGeneration = endpoint.Generation
	status.Hop, status.Hops = "", nil
	if endpoint.Status.ObservedGeneration != endpoint.Generation {
		status.Wired = nil // another chain
	}
	conditions(&status, outcome{
		ready: metav1.ConditionFalse, reason: problem.Reason, message: problem.Message, also: ecsv1alpha1.ConditionStalled,
	}, endpoint.Generation, now)
	return status
}

// outcome is what Ready says.
type outcome struct {
	ready           metav1.ConditionStatus
	reason, message string
	// also is Reconciling or Stalled, "" for neither.
	also string
	// hop is the hop that it is about; nil: none.
	hop *ecsv1alpha1.Hop
}

func conclusion(spec *ecsv1alpha1.EcsEndpointSpec, hops []ecsv1alpha1.Hop, wired bool, problem *rollout.Problem) outcome {
	is := func(states ...ecsv1alpha1.HopState) func(ecsv1alpha1.Hop) bool {
		return func(h ecsv1alpha1.Hop) bool { return slices.Contains(states, h.State) }
	}
	first := func(states ...ecsv1alpha1.HopState) *ecsv1alpha1.Hop {
		if i := slices.IndexFunc(hops, is(states...)); i >= 0 {
			return &hops[i]
		}
		return nil
	}
	if !wired && first(ecsv1alpha1.HopMissing) != nil {
		next := nextStep(hops)
		message := fmt.Sprintf("%d of %d hops lead on; next: %s: %s (seen: %s)", count(hops, is(ecsv1alpha1.HopWell, ecsv1alpha1.HopWarning)), len(hops), where(next), next.Action, next.Seen)
		if problem != nil && !problem.Delay() {
			message += "; not known: " + problem.Message
		}
		return outcome{metav1.ConditionFalse, ecsv1alpha1.ReasonUnwired, message, ecsv1alpha1.ConditionReconciling, next}
	}
	if broken := first(ecsv1alpha1.HopBroken, ecsv1alpha1.HopMissing, ecsv1alpha1.HopPending); broken != nil {
		message := fmt.Sprintf("%s: %s; wanted: %s; to do: %s", where(broken), broken.Seen, broken.Wanted, broken.Action)
		switch more := count(hops, is(ecsv1alpha1.HopBroken, ecsv1alpha1.HopMissing, ecsv1alpha1.HopPending)) - 1; more {
		case 0:
		case 1:
			message += " (and one more hop)"
		default:
			message += fmt.Sprintf(" (and %d more hops)", more)
		}
		if broken.State == ecsv1alpha1.HopPending {
			return outcome{metav1.ConditionFalse, ecsv1alpha1.ReasonPending, message, ecsv1alpha1.ConditionReconciling, broken}
		}
		return outcome{metav1.ConditionFalse, ecsv1alpha1.ReasonBroken, message, ecsv1alpha1.ConditionStalled, broken}
	}
	if unknown := first(ecsv1alpha1.HopUnknown); unknown != nil {
		v := outcome{metav1.ConditionUnknown, ecsv1alpha1.ReasonObservationFailed, where(unknown) + ": " + unknown.Seen, ecsv1alpha1.ConditionReconciling, unknown}
		if unknown.Action != askedAgain { // by itself nothing will be known of it
			v.message, v.also = v.message+"; to do: "+unknown.Action, ecsv1alpha1.ConditionStalled
		}
		if problem != nil && !problem.Delay() {
			v.reason, v.also = cmp.Or(problem.Reason, v.reason), ecsv1alpha1.ConditionStalled
			if i := slices.IndexFunc(hops, func(h ecsv1alpha1.Hop) bool {
				return h.State == ecsv1alpha1.HopUnknown && h.Seen == clip(problem.Message)
			}); i >= 0 {
				v.hop, v.message = &hops[i], where(&hops[i])+": "+hops[i].Seen
			}
		}
		return v
	}
	if unreached := first(ecsv1alpha1.HopUnreached); unreached != nil {
		// What is in front of it is as it was when it was seen last.
		return outcome{metav1.ConditionUnknown, ecsv1alpha1.ReasonObservationFailed, where(unreached) + ": " + unreached.Seen, ecsv1alpha1.ConditionReconciling, unreached}
	}
	said := fmt.Sprintf("%s leads to its services in %d of %d regions", spec.Hostname, len(spec.Regions), len(spec.Regions))
	if warning := first(ecsv1alpha1.HopWarning); warning != nil {
		return outcome{
			metav1.ConditionTrue, ecsv1alpha1.ReasonReachableWithWarnings,
			fmt.Sprintf("%s; %s: %s; to do: %s", said, where(warning), warning.Seen, warning.Action), "", nil,
		}
	}
	return outcome{metav1.ConditionTrue, ecsv1alpha1.ReasonReachable, said, "", nil}
}

// nextStep is what comes next where a way in is being built.
func nextStep(hops []ecsv1alpha1.Hop) *ecsv1alpha1.Hop {
	for _, name := range building {
		i := slices.IndexFunc(hops, func(h ecsv1alpha1.Hop) bool {
			return h.Name == name && slices.Contains([]ecsv1alpha1.HopState{ecsv1alpha1.HopMissing, ecsv1alpha1.HopBroken, ecsv1alpha1.HopPending}, h.State)
		})
		if i >= 0 {
			return &hops[i]
		}
	}
	return nil
}

// Well says whether the way in leads to a region, and what is in its way if not: as a check of a
// release asks it.
func Well(hops []ecsv1alpha1.Hop, region string) (ok bool, message string) {
	unreached := ""
	for i := range hops {
		h := &hops[i]
		if h.Region != "" && h.Region != region {
			continue
		}
		switch h.State {
		case ecsv1alpha1.HopWell, ecsv1alpha1.HopWarning:
		case ecsv1alpha1.HopUnreached:
			unreached = cmp.Or(unreached, where(h)+": "+h.Seen) // a hop that comes first is not well
		case ecsv1alpha1.HopUnknown:
			return false, fmt.Sprintf("%s: %s", where(h), h.Seen)
		default:
			return false, fmt.Sprintf("%s: %s; wanted: %s", where(h), h.Seen, h.Wanted)
		}
	}
	if unreached != "" {
		return false, unreached
	}
	return true, "every hop leads to " + region
}

// conditions writes the outcome down.
func conditions(status *ecsv1alpha1.EcsEndpointStatus, v outcome, generation int64, now metav1.Time) {
	set := func(kind string, is metav1.ConditionStatus) {
		meta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: kind, Status: is, Reason: v.reason, Message: clipTo(v.message, 1024), ObservedGeneration: generation, LastTransitionTime: now,
		})
	}
	set(ecsv1alpha1.ConditionReady, v.ready)
	for _, kind := range []string{ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ConditionStalled} {
		if kind == v.also {
			set(kind, metav1.ConditionTrue)
		} else {
			meta.RemoveStatusCondition(&status.Conditions, kind)
		}
	}
}

// since takes over since when hops are in the states in which they were before.
func since(hops, before []ecsv1alpha1.Hop, now metav1.Time) []ecsv1alpha1.Hop {
	hops = slices.Clone(hops)
	for i := range hops {
		hops[i].Since = now
		for _, b := range before {
			if b.Name == hops[i].Name && b.Region == hops[i].Region && b.State == hops[i].State {
				hops[i].Since = b.Since
			}
		}
	}
	return hops
}

// where names a hop for people.
func where(h *ecsv1alpha1.Hop) string {
	if h.Region == "" {
		return string(h.Name)
	}
	return string(h.Name) + " in " + h.Region
}

func count(hops []ecsv1alpha1.Hop, is func(ecsv1alpha1.Hop) bool) int {
	n := 0
	for _, h := range hops {
		if is(h) {
			n++
		}
	}
	return n
}

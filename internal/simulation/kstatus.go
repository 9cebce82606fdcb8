package simulation

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// kstatusContract: every status that is written can be relied on as kstatus, Flux and Argo CD do.
func (w *world) kstatusContract(key types.NamespacedName, release *ecsv1alpha1.EcsRelease) {
	for _, broken := range contract(release) {
		w.story.violate("the kstatus contract", "%s at resourceVersion %s: %s", key, release.ResourceVersion, broken)
	}
}

// contract is how a release breaks it.
func contract(release *ecsv1alpha1.EcsRelease) []string {
	status := release.Status
	var broken []string
	must := func(kept bool, format string, args ...any) {
		if !kept {
			broken = append(broken, fmt.Sprintf(format, args...))
		}
	}
	if len(status.Conditions) == 0 {
		must(status.ObservedGeneration == -1, "no conditions although observedGeneration is %d", status.ObservedGeneration)
		return broken
	}
	ready := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReady)
	if ready == nil {
		return append(broken, "no condition Ready")
	}
	reconciling := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReconciling)
	stalled := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionStalled)
	must(status.ObservedGeneration >= 1 && status.ObservedGeneration <= release.Generation,
		"observedGeneration is %d, generation %d", status.ObservedGeneration, release.Generation)
	must(reconciling == nil || stalled == nil, "Reconciling and Stalled at the same time")
	for _, only := range []*metav1.Condition{reconciling, stalled} {
		must(only == nil || only.Status == metav1.ConditionTrue, "Reconciling or Stalled is there without being True")
		must(only == nil || ready.Status != metav1.ConditionTrue, "Reconciling or Stalled although Ready is True")
	}
	must(ready.Status == metav1.ConditionTrue || reconciling != nil || stalled != nil, "Ready is %s, and neither Reconciling nor Stalled says why", ready.Status)
	must(stalled == nil || ready.Status == metav1.ConditionFalse, "Stalled although Ready is %s", ready.Status)
	for _, condition := range status.Conditions {
		must(condition.ObservedGeneration == status.ObservedGeneration, "condition %s is of generation %d, the status of %d", condition.Type, condition.ObservedGeneration, status.ObservedGeneration)
		must(condition.Message != "", "condition %s has no message", condition.Type)
		must(condition.Reason != "", "condition %s has no reason", condition.Type)
		must(!condition.LastTransitionTime.IsZero(), "condition %s has no lastTransitionTime", condition.Type)
	}
	if ready.Status == metav1.ConditionTrue {
		must(status.Services > 0 && status.ReadyServices == status.Services, "Ready with %d of %d services", status.ReadyServices, status.Services)
		must(status.Failure == nil, "Ready with a failure")
		must(meta.IsStatusConditionTrue(status.Conditions, ecsv1alpha1.ConditionDeployed), "Ready without Deployed")
	}
	must(status.ReadyServices <= status.Services, "%d of %d services are ready", status.ReadyServices, status.Services)
	return broken
}

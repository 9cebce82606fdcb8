package controllers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// What waits is not late: an alert goes by this.
func TestWhoWaitsForSomebodyOrForATimeIsToldApart(t *testing.T) {
	const waiting, working = true, false
	for name, c := range map[string]struct {
		status metav1.ConditionStatus
		reason string
		want   bool
	}{
		"for an approval":        {metav1.ConditionFalse, ecsv1alpha1.ReasonAwaitingApproval, waiting},
		"for a decision":         {metav1.ConditionFalse, ecsv1alpha1.ReasonAwaitingAction, waiting},
		"suspended":              {metav1.ConditionFalse, ecsv1alpha1.ReasonSuspended, waiting},
		"held":                   {metav1.ConditionFalse, ecsv1alpha1.ReasonHeld, waiting},
		"for promotion":          {metav1.ConditionFalse, ecsv1alpha1.ReasonAwaitingPromotion, waiting},
		"for a window":           {metav1.ConditionFalse, ecsv1alpha1.ReasonOutsideWindow, waiting},
		"for an image":           {metav1.ConditionFalse, ecsv1alpha1.ReasonImageNotFound, working},
		"on its way":             {metav1.ConditionFalse, ecsv1alpha1.ReasonProgressing, working},
		"can't be observed":      {metav1.ConditionUnknown, ecsv1alpha1.ReasonObservationFailed, working},
		"ready, though held":     {metav1.ConditionTrue, ecsv1alpha1.ReasonHeld, working},
		"failed":                 {metav1.ConditionFalse, ecsv1alpha1.ReasonContainerExited, working},
		"without an environment": {metav1.ConditionFalse, ecsv1alpha1.ReasonNoEnvironment, working},
	} {
		release := &ecsv1alpha1.EcsRelease{}
		release.Status.Conditions = []metav1.Condition{{Type: ecsv1alpha1.ConditionReady, Status: c.status, Reason: c.reason}}
		if got := waits(release); got != c.want {
			t.Errorf("%s: it waits: %v, want %v", name, got, c.want)
		}
	}
	if waits(&ecsv1alpha1.EcsRelease{}) {
		t.Error("a release that nobody has seen waits")
	}
}

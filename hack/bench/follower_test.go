package main

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func TestWhatIsSeenOfAReleaseIsForgottenWithItsSpec(t *testing.T) {
	now := time.Now()
	release := &ecsv1alpha1.EcsRelease{}
	release.Generation = 1
	release.Status.Conditions = []metav1.Condition{{Type: ecsv1alpha1.ConditionReady, Status: metav1.ConditionTrue, ObservedGeneration: 1}}
	seen := sighting{}.then(release, now).then(release, now.Add(time.Second))
	if !seen.ready.Equal(now) {
		t.Errorf("it was ready at %s, want %s", seen.ready, now)
	}
	release.Generation = 2
	if seen = seen.then(release, now.Add(2*time.Second)); !seen.ready.IsZero() {
		t.Error("with another spec it is ready as it was before")
	}
	release.Status.ObservedGeneration = 2
	release.Status.Failure = &ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureContainerExited}
	release.Status.Conditions = []metav1.Condition{{Type: ecsv1alpha1.ConditionStalled, Status: metav1.ConditionTrue, ObservedGeneration: 2, Reason: "ContainerExited"}}
	seen = seen.then(release, now.Add(3*time.Second))
	if seen.class != "ContainerExited" || seen.failed.IsZero() || seen.stuck.IsZero() {
		t.Errorf("it failed as %+v", seen)
	}
}

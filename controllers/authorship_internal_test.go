package controllers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func TestAStatusThatSomebodyElseWroteIsNoticed(t *testing.T) {
	version := func(resourceVersion, progress string) *ecsv1alpha1.EcsRelease {
		return &ecsv1alpha1.EcsRelease{
			ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "backend", ResourceVersion: resourceVersion},
			Status:     ecsv1alpha1.EcsReleaseStatus{Progress: progress},
		}
	}
	var a authorship
	for _, progress := range []string{"1/2 services", "2/2 services"} { // written before the first is shown
		a.sign(version("1", progress))
	}
	for _, c := range []struct {
		name     string
		old, now *ecsv1alpha1.EcsRelease
		noticed  bool
	}{
		{"ours", version("1", "0/2 services"), version("2", "1/2 services"), false},
		{"ours too", version("2", "1/2 services"), version("3", "2/2 services"), false},
		{"what was ours", version("3", "2/2 services"), version("3a", "1/2 services"), true},
		{"somebody else's", version("2", "1/2 services"), version("3", "0/2 services"), true},
		{"a change that leaves it", version("3", "0/2 services"), version("4", "0/2 services"), false},
		{"told again", version("3", "0/2 services"), version("3", "0/2 services"), false},
	} {
		if noticed := a.foreign().Update(event.UpdateEvent{ObjectOld: c.old, ObjectNew: c.now}); noticed != c.noticed {
			t.Errorf("%s: noticed %t, want %t", c.name, noticed, c.noticed)
		}
	}
	a.forget(types.NamespacedName{Namespace: "apps", Name: "backend"})
	if !a.foreign().Update(event.UpdateEvent{ObjectOld: version("1", "0/2 services"), ObjectNew: version("2", "2/2 services")}) {
		t.Error("what was written before a release was forgotten counts as ours")
	}
}

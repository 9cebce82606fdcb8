package controllers

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// A controller that begins goes on with what was on its way before it looks at what has arrived.
func TestAControllerBeginsWithWhatIsUnfinished(t *testing.T) {
	queue := priorityqueue.New[reconcile.Request](t.Name())
	defer queue.ShutDown()
	names := []string{"arrived-1", "on-its-way", "arrived-2", "changed", "new", "arrived-3"}
	for _, name := range names {
		release := &ecsv1alpha1.EcsRelease{ObjectMeta: metav1.ObjectMeta{Namespace: "production", Name: name, Generation: 2}}
		ready := metav1.Condition{Type: ecsv1alpha1.ConditionReady, Status: metav1.ConditionTrue, ObservedGeneration: 2}
		switch name {
		case "on-its-way":
			ready.Status = metav1.ConditionFalse
		case "changed":
			ready.ObservedGeneration = 1
		}
		if name != "new" {
			release.Status.Conditions = []metav1.Condition{ready}
		}
		found := event.CreateEvent{Object: release, IsInInitialList: true}
		new(handler.EnqueueRequestForObject).Create(t.Context(), found, queue)
		unfinishedFirst{}.Create(t.Context(), found, queue)
	}
	var order []string
	for range names {
		request, _ := queue.Get()
		order = append(order, request.Name)
		queue.Done(request)
	}
	want := []string{"changed", "new", "on-its-way", "arrived-1", "arrived-2", "arrived-3"}
	slices.Sort(order[:3])
	slices.Sort(order[3:])
	if !slices.Equal(order, want) {
		t.Errorf("the order is %v, want %v", order, want)
	}
}

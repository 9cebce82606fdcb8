package controllers

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Inbox is where the informer leaves the releases of which it has something new. They go
// straight into the controller's queue, which keeps each of them once.
type Inbox struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// Enqueue asks for a pass over a release. It never blocks. Before the controller runs it does
// nothing: the controller begins with a pass over every release.
func (i *Inbox) Enqueue(release types.NamespacedName) {
	if queue := i.filled(); queue != nil {
		queue.Add(reconcile.Request{NamespacedName: release})
	}
}

// EnqueueLater is as Enqueue, for what can wait until everything else was looked at.
func (i *Inbox) EnqueueLater(release types.NamespacedName) {
	if orderly, ok := i.filled().(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		orderly.AddWithOpts(priorityqueue.AddOpts{Priority: new(handler.LowPriority)}, reconcile.Request{NamespacedName: release})
		return
	}
	i.Enqueue(release)
}

// filled is the queue into which the inbox goes; nil before the controller runs.
func (i *Inbox) filled() workqueue.TypedRateLimitingInterface[reconcile.Request] {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.queue
}

// source hands the controller's queue to the inbox.
func (i *Inbox) source() source.Source {
	return source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.queue = queue
		return nil
	})
}

// unfinishedFirst has a controller begin with the releases that have not arrived. Those that have come
// later, as everything does that a controller finds when it begins.
type unfinishedFirst struct{ handler.Funcs }

// Create implements handler.EventHandler.
func (unfinishedFirst) Create(_ context.Context, e event.CreateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	release, ok := e.Object.(*ecsv1alpha1.EcsRelease)
	if !ok {
		return
	}
	if !hasArrived(release) {
		queue.Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(release)})
	}
}

// hasArrived says whether a release is Ready with what it asks for.
func hasArrived(release *ecsv1alpha1.EcsRelease) bool {
	ready := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == release.Generation
}

// backoff is how long a pass that failed on Kubernetes waits: from a fifth of a second, doubled
// each time, to a minute.
func backoff() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](200*time.Millisecond, time.Minute)
}

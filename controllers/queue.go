package controllers

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
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
	i.mu.Lock()
	queue := i.queue
	i.mu.Unlock()
	if queue != nil {
		queue.Add(reconcile.Request{NamespacedName: release})
	}
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

// backoff is how long a pass that failed on Kubernetes waits: from a fifth of a second, doubled
// each time, to a minute.
func backoff() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](200*time.Millisecond, time.Minute)
}

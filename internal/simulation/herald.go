package simulation

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/reference"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// herald records the events of a process, each as an object of its own. What client-go has for that
// makes calls to the API server while it holds a lock, for which virtual time does not wait: once
// two of its loops came together, no time passed any more.
type herald struct {
	ctx    context.Context
	client client.Client
	scheme *runtime.Scheme
	name   string
	count  atomic.Int64
}

// Eventf implements [events.EventRecorder] of client-go.
func (h *herald) Eventf(regarding, _ runtime.Object, kind, reason, action, note string, args ...any) {
	about, err := reference.GetReference(h.scheme, regarding)
	if err != nil {
		return // there is nothing that it could be about
	}
	namespace := metav1.NamespaceDefault
	if object, err := meta.Accessor(regarding); err == nil && object.GetNamespace() != "" {
		namespace = object.GetNamespace()
	}
	event := &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s.%s.%d", about.Name, h.name, h.count.Add(1))},
		EventTime:  metav1.NewMicroTime(time.Now()), ReportingController: "ecsrelease", ReportingInstance: h.name,
		Regarding: *about, Type: kind, Reason: reason, Action: action, Note: fmt.Sprintf(note, args...),
	}
	go func() {
		_ = h.client.Create(h.ctx, event) // an event that is lost is lost
	}()
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// sight is what an Application said at a time.
type sight struct {
	at       time.Time
	app      string
	revision string // the commit that it was compared with
	sync     string // Synced or OutOfSync
	health   string
	message  string // what Argo CD says of the release
	compared string // when it was compared last
	trouble  string // what Argo CD could not do
}

// timeline is all that the Applications ever said, as a watcher sees it.
type timeline struct {
	mu     sync.Mutex
	sights []sight
	failed error
}

// watchApplications begins to watch them.
func watchApplications(ctx context.Context, from client.WithWatch) (watch.Interface, error) {
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion("argoproj.io/v1alpha1")
	list.SetKind("ApplicationList")
	watcher, err := from.Watch(ctx, list, client.InNamespace(argoNamespace))
	if err != nil {
		return nil, fmt.Errorf("watching the Applications: %w", err)
	}
	return watcher, nil
}

// watchTimeline returns a timeline that is written from now on, until the context ends.
func watchTimeline(ctx context.Context, from client.WithWatch) (*timeline, error) {
	watcher, err := watchApplications(ctx, from)
	if err != nil {
		return nil, err
	}
	t := &timeline{}
	go func() {
		defer watcher.Stop()
		for event := range watcher.ResultChan() {
			if app, ok := event.Object.(*unstructured.Unstructured); ok && event.Type != watch.Deleted {
				t.note(app)
			}
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.failed = errors.New("the watch of the Applications has ended")
	}()
	return t, nil
}

func (t *timeline) note(app *unstructured.Unstructured) {
	text := func(fields ...string) string {
		value, _, err := unstructured.NestedString(app.Object, fields...)
		if err != nil {
			return err.Error()
		}
		return value
	}
	s := sight{
		at: time.Now(), app: app.GetName(), revision: text("status", "sync", "revision"), sync: text("status", "sync", "status"),
		health: text("status", "health", "status"), compared: text("status", "reconciledAt"),
	}
	resources, _, _ := unstructured.NestedSlice(app.Object, "status", "resources") // none: it says nothing of it yet
	for _, resource := range resources {
		if fields, ok := resource.(map[string]any); ok && fields["kind"] == "EcsRelease" {
			s.message, _, _ = unstructured.NestedString(fields, "health", "message") // none: it has none
		}
	}
	conditions, _, _ := unstructured.NestedSlice(app.Object, "status", "conditions") // none: nothing is wrong
	for _, condition := range conditions {
		if fields, ok := condition.(map[string]any); ok {
			s.trouble += fmt.Sprintf("%s: %s. ", fields["type"], fields["message"])
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sights = append(t.sights, s)
}

// last is what an Application said last.
func (t *timeline) last(app string) sight {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range slices.Backward(t.sights) {
		if s.app == app {
			return s
		}
	}
	return sight{}
}

// of are the sights of an Application at a commit, in their order.
func (t *timeline) of(app, revision string) ([]sight, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []sight
	for _, s := range t.sights {
		if s.app == app && s.revision == revision {
			found = append(found, s)
		}
	}
	return found, t.failed
}

// patience is how long each hop may take, on a machine that is busy with something else.
const patience = 3 * time.Minute

// await waits until an Application at a commit is as wanted, and returns what was seen first of that.
// unless ends the waiting with an error, nil: nothing does.
func (w *world) await(ctx context.Context, app, revision, what string, wanted func(sight) bool, unless func(sight) error) (sight, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		sights, err := w.timeline.of(app, revision)
		if err != nil {
			return sight{}, err
		}
		for _, s := range sights {
			if wanted(s) {
				return s, nil
			}
			if unless == nil {
				continue
			}
			if err := unless(s); err != nil {
				return sight{}, fmt.Errorf("waiting for %s to be %s: %w", app, what, err)
			}
		}
		if err := w.Alive(); err != nil {
			return sight{}, err
		}
		select {
		case <-ctx.Done():
			return sight{}, fmt.Errorf("waiting for %s at %s to be %s: %w; seen last: %+v", app, revision, what, ctx.Err(), w.timeline.last(app))
		case <-tick.C:
		}
	}
}

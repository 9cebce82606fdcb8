package memapi_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// events is a watch of releases under way.
type events struct {
	api *api
	watch.Interface
}

// watches begins one. Its options are raw.
func (a *api) watches(t *testing.T, raw metav1.ListOptions, options ...client.ListOption) *events {
	t.Helper()
	in := client.ListOptions{Raw: &raw}
	in.ApplyOptions(options)
	ctx, cancel := context.WithCancel(t.Context())
	w, err := a.Watch(ctx, &ecsv1alpha1.EcsReleaseList{}, &in)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Stop(); cancel() })
	return &events{api: a, Interface: w}
}

// next is what happened next. It is written down with its object.
func (e *events) next(t *testing.T) watch.Event {
	t.Helper()
	select {
	case event, open := <-e.ResultChan():
		if !open {
			t.Fatal("the watch has ended")
		}
		e.api.heard.note(string(event.Type), "event", marked(event.Object))
		return event
	case <-time.After(patience):
		t.Fatal("the watch says nothing")
	}
	return watch.Event{}
}

// says fails the test unless the watch goes on with events, spelled "ADDED name generation".
func (e *events) says(t *testing.T, wanted ...string) (versions []int64) {
	t.Helper()
	for _, want := range wanted {
		event := e.next(t)
		object, err := meta.Accessor(event.Object)
		if err != nil {
			t.Fatalf("%s of %+v, wanted %s", event.Type, event.Object, want)
		}
		if got := fmt.Sprintf("%s %s %d", event.Type, object.GetName(), object.GetGeneration()); got != want {
			t.Fatalf("the watch says %s, wanted %s", got, want)
		}
		versions = append(versions, number(t, object.GetResourceVersion()))
	}
	return versions
}

// quiet fails the test if the watch says anything apart from what happens to a last object.
func (e *events) quiet(t *testing.T, last *ecsv1alpha1.EcsRelease) {
	t.Helper()
	e.api.creates(t, last)
	e.says(t, "ADDED "+last.Name+" 1")
}

// at are the options of a watch from a resourceVersion.
func at(version string) metav1.ListOptions { return metav1.ListOptions{ResourceVersion: version} }

func watchFollowsList(t *testing.T, a *api) {
	a.created(t, "before")
	_, version := a.lists(t, client.InNamespace(a.namespace))
	one := a.created(t, "one")
	two := a.created(t, "two")
	one.Spec.Suspend = true
	must(t, a.Update(t.Context(), one))
	must(t, a.Update(t.Context(), one.DeepCopy())) // but for what is no change
	two.Status.ObservedGeneration = 1
	must(t, a.Status().Update(t.Context(), two))
	must(t, a.Delete(t.Context(), one))
	w := a.watches(t, at(version), client.InNamespace(a.namespace))
	a.created(t, "after")
	versions := w.says(t, "ADDED one 1", "ADDED two 1", "MODIFIED one 2", "MODIFIED two 1", "DELETED one 2", "ADDED after 1")
	last := number(t, version)
	for i, v := range versions {
		if v <= last {
			t.Errorf("event %d is of resourceVersion %d, the one before of %d", i, v, last)
		}
		last = v
	}
}

func watchFromNothing(t *testing.T, a *api) {
	a.created(t, "b")
	a.created(t, "a")
	present := a.watches(t, at(""), client.InNamespace(a.namespace))
	present.says(t, "ADDED a 1", "ADDED b 1")
	present.quiet(t, a.release("c"))
	// From 0 is from some time of the server's choice, but not from before what it has told.
	sometime := a.watches(t, at("0"), client.InNamespace(a.namespace))
	sometime.says(t, "ADDED a 1", "ADDED b 1", "ADDED c 1")
	sometime.quiet(t, a.release("d"))
}

func watchWithInitialEvents(t *testing.T, a *api) {
	a.created(t, "a")
	last := a.created(t, "b")
	w := a.watches(t, metav1.ListOptions{
		SendInitialEvents: new(true), AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	}, client.InNamespace(a.namespace))
	w.says(t, "ADDED a 1", "ADDED b 1")
	// Not written down: it is of the resourceVersion of a server on which others write too.
	event := <-w.ResultChan()
	object, err := meta.Accessor(event.Object)
	must(t, err)
	if event.Type != watch.Bookmark || object.GetAnnotations()[metav1.InitialEventsAnnotationKey] != "true" || object.GetName() != "" {
		t.Errorf("after the initial events came %s of %+v", event.Type, event.Object)
	}
	if _, ok := event.Object.(*ecsv1alpha1.EcsRelease); !ok {
		t.Errorf("the bookmark is a %T", event.Object)
	}
	if number(t, object.GetResourceVersion()) < number(t, last.ResourceVersion) {
		t.Errorf("the bookmark is of resourceVersion %s, the last event of %s", object.GetResourceVersion(), last.ResourceVersion)
	}
	w.quiet(t, a.release("c"))
}

func watchSelected(t *testing.T, a *api) {
	_, version := a.lists(t, client.InNamespace(a.namespace))
	w := a.watches(t, at(version), client.InNamespace(a.namespace), client.MatchingLabels{"is": "x"})
	a.creates(t, a.labelled(a.namespace, "unselected", "y"))
	one := a.labelled(a.namespace, "one", "y")
	a.creates(t, one)
	for _, change := range []struct{ label, said string }{{"x", "ADDED one 1"}, {"x", ""}, {"y", "DELETED one 1"}, {"z", ""}, {"x", "ADDED one 1"}} {
		one.Labels["is"] = change.label
		must(t, a.Update(t.Context(), one))
		if change.said != "" {
			w.says(t, change.said)
		}
	}
	must(t, a.Delete(t.Context(), one))
	w.says(t, "DELETED one 1")
	w.quiet(t, a.labelled(a.namespace, "last", "x"))
}

func watchOfOne(t *testing.T, a *api) {
	other := a.another(t)
	_, version := a.lists(t, client.InNamespace(a.namespace))
	ofNamespace := a.watches(t, at(version), client.InNamespace(a.namespace))
	ofName := a.watches(t, at(version), client.InNamespace(a.namespace), client.MatchingFields{"metadata.name": "one"})
	a.creates(t, a.labelled(other, "one", "x"), a.labelled(a.namespace, "two", "x"), a.labelled(a.namespace, "one", "x"))
	ofNamespace.says(t, "ADDED two 1", "ADDED one 1")
	ofName.says(t, "ADDED one 1")
}

func watchExpired(t *testing.T, a *api) {
	a.created(t, "one")
	a.forget()
	event := a.watches(t, at("1"), client.InNamespace(a.namespace)).next(t)
	if err := apierrors.FromObject(event.Object); event.Type != watch.Error || !apierrors.IsResourceExpired(err) {
		t.Errorf("the watch began with %s of %v", event.Type, err)
	}
	if status, answer := a.do(t, http.MethodGet, a.releases()+"?watch=1&resourceVersion=now", "", ""); status != http.StatusInternalServerError {
		t.Errorf("a watch from now was answered with %d %s", status, answer)
	}
}

func watchTimesOut(t *testing.T, a *api) {
	a.created(t, "one")
	began := time.Now()
	w := a.watches(t, metav1.ListOptions{TimeoutSeconds: new(int64(1))}, client.InNamespace(a.namespace))
	w.says(t, "ADDED one 1")
	select {
	case event, open := <-w.ResultChan():
		if open {
			t.Errorf("it says %s of %+v", event.Type, event.Object)
		}
	case <-time.After(patience):
		t.Error("it has not ended")
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("it ended after %s", took)
	}
}

package memapi_test

import (
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// gone fails the test unless a release is no longer there.
func (a *api) gone(t *testing.T, name string) {
	t.Helper()
	refused(t, a.Get(t.Context(), client.ObjectKey{Namespace: a.namespace, Name: name}, &ecsv1alpha1.EcsRelease{}), apierrors.IsNotFound, "reading what was deleted")
}

func deleted(t *testing.T, a *api) {
	release := a.created(t, "one")
	status, answer := a.do(t, http.MethodDelete, a.releases()+"/one", "application/json", "")
	if status != http.StatusOK || !strings.Contains(string(answer), string(release.UID)) {
		t.Errorf("it was answered with %d %s", status, answer)
	}
	a.gone(t, "one")
	refused(t, a.Delete(t.Context(), release), apierrors.IsNotFound, "deleting it again")
}

func deletePreconditions(t *testing.T, a *api) {
	was, is := a.stale(t)
	other := types.UID("11111111-2222-4333-8444-555555555555")
	refused(t, a.Delete(t.Context(), was.DeepCopy(), client.Preconditions{UID: &other}), apierrors.IsConflict, "deleting another uid")
	refused(t, a.Delete(t.Context(), was.DeepCopy(), client.Preconditions{ResourceVersion: &was.ResourceVersion}), apierrors.IsConflict, "deleting an old resourceVersion")
	both := client.Preconditions{UID: &was.UID, ResourceVersion: &was.ResourceVersion}
	refused(t, a.Delete(t.Context(), was.DeepCopy(), both), apierrors.IsConflict, "deleting an old resourceVersion of the uid")
	a.now(t, "one")
	must(t, a.Delete(t.Context(), was.DeepCopy(), client.Preconditions{UID: &is.UID, ResourceVersion: &is.ResourceVersion}))
	a.gone(t, "one")
}

func finalizers(t *testing.T, a *api) {
	before := a.release("one")
	before.Finalizers = []string{"example.com/first", "example.com/second"}
	a.creates(t, before)
	w := a.watches(t, at(before.ResourceVersion), client.InNamespace(a.namespace))
	must(t, a.Delete(t.Context(), before.DeepCopy()))
	waiting := a.now(t, "one")
	if waiting.DeletionTimestamp == nil || waiting.DeletionGracePeriodSeconds == nil || *waiting.DeletionGracePeriodSeconds != 0 {
		t.Errorf("it has the metadata %+v", waiting.ObjectMeta)
	}
	moved(t, "the deletion", before, waiting, 1, true)
	must(t, a.Delete(t.Context(), before.DeepCopy()))
	again := a.now(t, "one")
	moved(t, "another deletion", waiting, again, 0, false)

	again.Finalizers = []string{"example.com/second"}
	must(t, a.Update(t.Context(), again))
	moved(t, "the first finalizer", waiting, again, 0, true)
	must(t, a.Patch(t.Context(), again, raw(`{"metadata":{"finalizers":null}}`)))
	a.gone(t, "one")
	w.says(t, "MODIFIED one 2", "MODIFIED one 2", "DELETED one 2")
}

func noNewFinalizers(t *testing.T, a *api) {
	release := a.release("one")
	release.Finalizers = []string{"example.com/first"}
	a.creates(t, release)
	must(t, a.Delete(t.Context(), release.DeepCopy()))
	refused(t, a.Patch(t.Context(), release.DeepCopy(), raw(`{"metadata":{"finalizers":["example.com/first","example.com/second"]}}`)), apierrors.IsInvalid, "adding a finalizer")
	must(t, a.Patch(t.Context(), release.DeepCopy(), raw(`{"metadata":{"finalizers":[]}}`)))
	a.gone(t, "one")
}

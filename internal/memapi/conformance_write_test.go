package memapi_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// locked is a merge patch that carries the resourceVersion.
func locked(from client.Object) client.Patch {
	return client.MergeFromWithOptions(from, client.MergeFromWithOptimisticLock{})
}

func raw(patch string) client.Patch { return client.RawPatch(types.MergePatchType, []byte(patch)) }

// moved fails the test unless generation and resourceVersion moved as they should.
func moved(t *testing.T, what string, before, after *ecsv1alpha1.EcsRelease, generations int64, written bool) {
	t.Helper()
	if got := after.Generation - before.Generation; got != generations {
		t.Errorf("%s: generation went from %d to %d", what, before.Generation, after.Generation)
	}
	if newer := number(t, after.ResourceVersion) > number(t, before.ResourceVersion); newer != written {
		t.Errorf("%s: resourceVersion went from %s to %s", what, before.ResourceVersion, after.ResourceVersion)
	}
}

func specRaisesGeneration(t *testing.T, a *api) {
	before := a.created(t, "one")
	after := before.DeepCopy()
	after.Spec.Image = "helium-backend:v129"
	must(t, a.Update(t.Context(), after))
	moved(t, "an update", before, after, 1, true)
	if diff := cmp.Diff(after, a.now(t, "one")); diff != "" {
		t.Errorf("it is not what was answered (-answered +is):\n%s", diff)
	}
	patched := after.DeepCopy()
	must(t, a.Patch(t.Context(), patched, raw(`{"spec":{"suspend":true}}`)))
	moved(t, "a patch", after, patched, 1, true)
	if !patched.Spec.Suspend || patched.Spec.Image != "helium-backend:v129" {
		t.Errorf("the patch made the spec %+v", patched.Spec)
	}
}

func metadataLeavesGeneration(t *testing.T, a *api) {
	before := a.created(t, "one")
	after := before.DeepCopy()
	after.Annotations = map[string]string{ecsv1alpha1.AnnotationRetry: "1"}
	must(t, a.Update(t.Context(), after))
	moved(t, "an annotation", before, after, 0, true)
	labelled := after.DeepCopy()
	labelled.Labels = map[string]string{"team": "platform"}
	must(t, a.Patch(t.Context(), labelled, client.MergeFrom(after)))
	moved(t, "a label", after, labelled, 0, true)
	bare := labelled.DeepCopy()
	bare.Labels, bare.Annotations = nil, nil
	must(t, a.Update(t.Context(), bare))
	moved(t, "without both", labelled, bare, 0, true)
}

func nothingChanges(t *testing.T, a *api) {
	// What is read is what was written only from the first write of status on: until then it is
	// a default.
	before := a.created(t, "one")
	before.Status.ObservedGeneration = 1
	must(t, a.Status().Update(t.Context(), before))
	same := func(what string, write func(*ecsv1alpha1.EcsRelease) error) {
		t.Helper()
		after := before.DeepCopy()
		must(t, write(after))
		moved(t, what, before, after, 0, false)
	}
	ctx := t.Context()
	same("an update", func(r *ecsv1alpha1.EcsRelease) error { return a.Update(ctx, r) })
	same("an update of status", func(r *ecsv1alpha1.EcsRelease) error { return a.Status().Update(ctx, r) })
	same("an empty patch", func(r *ecsv1alpha1.EcsRelease) error { return a.Patch(ctx, r, raw(`{}`)) })
	same("a patch of what is", func(r *ecsv1alpha1.EcsRelease) error {
		return a.Patch(ctx, r, raw(`{"spec":{"image":"helium-backend:v128"}}`))
	})
	same("a patch of status with what is", func(r *ecsv1alpha1.EcsRelease) error {
		return a.Status().Patch(ctx, r, raw(`{"status":{"observedGeneration":1}}`))
	})
	same("a locked patch of nothing", func(r *ecsv1alpha1.EcsRelease) error { return a.Patch(ctx, r, locked(before)) })
	same("a patch of a field that is pruned", func(r *ecsv1alpha1.EcsRelease) error {
		return a.Patch(ctx, r, raw(`{"spec":{"unknown":true}}`))
	})
}

func updateLeavesStatus(t *testing.T, a *api) {
	before := a.created(t, "one")
	before.Status = ecsv1alpha1.EcsReleaseStatus{ObservedGeneration: 1, Progress: "1/1 services"}
	must(t, a.Status().Update(t.Context(), before))
	status := before.Status
	after := before.DeepCopy()
	after.Spec.Suspend = true
	after.Status = ecsv1alpha1.EcsReleaseStatus{ObservedGeneration: 2, Progress: "mine"}
	must(t, a.Update(t.Context(), after))
	moved(t, "an update of both", before, after, 1, true)
	if diff := cmp.Diff(status, after.Status); diff != "" {
		t.Errorf("an update changed status (-before +after):\n%s", diff)
	}
	patched := after.DeepCopy()
	must(t, a.Patch(t.Context(), patched, raw(`{"status":{"progress":"mine"}}`)))
	moved(t, "a patch of status that goes to the object", after, patched, 0, false)
	if diff := cmp.Diff(status, patched.Status); diff != "" {
		t.Errorf("a patch changed status (-before +after):\n%s", diff)
	}
}

func statusUpdateLeavesRest(t *testing.T, a *api) {
	before := a.created(t, "one")
	after := before.DeepCopy()
	after.Spec.Image, after.Labels, after.Annotations = "helium-backend:v129", map[string]string{"a": "b"}, map[string]string{"a": "b"}
	after.Finalizers = []string{"example.com/mine"}
	after.Status = ecsv1alpha1.EcsReleaseStatus{ObservedGeneration: 1, Progress: "1/1 services"}
	must(t, a.Status().Update(t.Context(), after))
	moved(t, "an update of status", before, after, 0, true)
	wanted := before.DeepCopy()
	wanted.ResourceVersion, wanted.ManagedFields = after.ResourceVersion, after.ManagedFields
	wanted.Status = ecsv1alpha1.EcsReleaseStatus{ObservedGeneration: 1, Progress: "1/1 services"}
	if diff := cmp.Diff(wanted, after); diff != "" {
		t.Errorf("an update of status made it (-wanted +is):\n%s", diff)
	}
}

func statusPatchLeavesGeneration(t *testing.T, a *api) {
	before := a.created(t, "one")
	after := before.DeepCopy()
	after.Status.ObservedGeneration = 1
	after.Status.Conditions = []metav1.Condition{{
		Type: "Ready", Status: metav1.ConditionFalse, ObservedGeneration: 1, Reason: "Progressing", Message: "1 of 2 services",
		LastTransitionTime: metav1.NewTime(time.Unix(1.7e9, 0)),
	}}
	after.Status.Targets = []ecsv1alpha1.TargetStatus{{Name: "mumbai", Region: "ap-south-1", Cluster: "helium-mumbai-cluster"}}
	must(t, a.Status().Patch(t.Context(), after, locked(before)))
	moved(t, "a patch of status", before, after, 0, true)
	if diff := cmp.Diff(after, a.now(t, "one")); diff != "" {
		t.Errorf("it is not what was answered (-answered +is):\n%s", diff)
	}
	spec := after.DeepCopy()
	must(t, a.Status().Patch(t.Context(), spec, raw(`{"spec":{"image":"helium-backend:v129"},"metadata":{"labels":{"a":"b"}}}`)))
	moved(t, "a patch of spec that goes to status", after, spec, 0, false)
}

func statusTakenAway(t *testing.T, a *api) {
	release := a.created(t, "one")
	release.Status = ecsv1alpha1.EcsReleaseStatus{ObservedGeneration: 1, Progress: "1/1 services"}
	must(t, a.Status().Update(t.Context(), release))
	must(t, a.Status().Patch(t.Context(), release, raw(`{"status":null}`)))
	if diff := cmp.Diff(ecsv1alpha1.EcsReleaseStatus{ObservedGeneration: -1}, release.Status); diff != "" {
		t.Errorf("(-wanted +is):\n%s", diff)
	}
	again := release.DeepCopy()
	must(t, a.Patch(t.Context(), again, raw(`{}`)))
	moved(t, "the next write", release, again, 0, false)
}

func defaultIsStored(t *testing.T, a *api) {
	created := a.created(t, "one")
	first, second := created.DeepCopy(), created.DeepCopy()
	must(t, a.Patch(t.Context(), first, raw(`{}`)))
	moved(t, "the first write", created, first, 0, true)
	must(t, a.Patch(t.Context(), second, raw(`{}`)))
	moved(t, "the second", first, second, 0, false)
}

// stale is a release as it was before somebody else changed it, and as it is.
func (a *api) stale(t *testing.T) (was, is *ecsv1alpha1.EcsRelease) {
	t.Helper()
	was = a.created(t, "one")
	is = was.DeepCopy()
	is.Annotations = map[string]string{"by": "another"}
	must(t, a.Update(t.Context(), is))
	return was, is
}

func updateConflicts(t *testing.T, a *api) {
	was, is := a.stale(t)
	spec, status := was.DeepCopy(), was.DeepCopy()
	spec.Spec.Suspend = true
	status.Status.ObservedGeneration = 1
	refused(t, a.Update(t.Context(), spec), apierrors.IsConflict, "an update")
	refused(t, a.Update(t.Context(), was.DeepCopy()), apierrors.IsConflict, "an update to what was")
	refused(t, a.Status().Update(t.Context(), status), apierrors.IsConflict, "an update of status")
	if diff := cmp.Diff(is, a.now(t, "one")); diff != "" {
		t.Errorf("it changed (-before +after):\n%s", diff)
	}
}

func patchConflicts(t *testing.T, a *api) {
	was, is := a.stale(t)
	spec, status := was.DeepCopy(), was.DeepCopy()
	spec.Spec.Suspend = true
	status.Status.ObservedGeneration = 1
	refused(t, a.Patch(t.Context(), spec, locked(was)), apierrors.IsConflict, "a patch")
	refused(t, a.Patch(t.Context(), was.DeepCopy(), locked(was)), apierrors.IsConflict, "a patch of nothing")
	refused(t, a.Status().Patch(t.Context(), status, locked(was)), apierrors.IsConflict, "a patch of status")
	future := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"resourceVersion":"%d"},"spec":{"suspend":true}}`, number(t, is.ResourceVersion)+1e6))
	refused(t, a.Patch(t.Context(), was.DeepCopy(), future), apierrors.IsConflict, "a patch from the future")
	if diff := cmp.Diff(is, a.now(t, "one")); diff != "" {
		t.Errorf("it changed (-before +after):\n%s", diff)
	}
	again := is.DeepCopy()
	again.Spec.Suspend = true
	must(t, a.Patch(t.Context(), again, locked(is)))
	moved(t, "a patch of what is", is, again, 1, true)
}

func patchApplies(t *testing.T, a *api) {
	was, is := a.stale(t)
	after := was.DeepCopy()
	after.Spec.Suspend = true
	must(t, a.Patch(t.Context(), after, client.MergeFrom(was)))
	moved(t, "a patch", is, after, 1, true)
	if after.Annotations["by"] != "another" || !after.Spec.Suspend {
		t.Errorf("both changes made it %+v", after)
	}
}

func patchOfNull(t *testing.T, a *api) {
	release := a.release("one")
	release.Labels, release.Spec.Suspend = map[string]string{"a": "b", "c": "d"}, true
	a.creates(t, release)
	must(t, a.Patch(t.Context(), release, raw(`{"metadata":{"labels":{"a":null}},"spec":{"suspend":null,"drift":null}}`)))
	if diff := cmp.Diff(map[string]string{"c": "d"}, release.Labels); diff != "" || release.Spec.Suspend {
		t.Errorf("suspend is %t, labels (-wanted +are):\n%s", release.Spec.Suspend, diff)
	}
	// A list is replaced as a whole, and must then be complete.
	refused(t, a.Patch(t.Context(), release, raw(`{"spec":{"targets":[{"name":"mumbai","wave":1}]}}`)), apierrors.IsInvalid, "a patch of a part of an item")
}

func updateWithoutVersion(t *testing.T, a *api) {
	release := a.created(t, "one")
	release.ResourceVersion = ""
	refused(t, a.Update(t.Context(), release.DeepCopy()), apierrors.IsInvalid, "an update")
	refused(t, a.Status().Update(t.Context(), release.DeepCopy()), apierrors.IsInvalid, "an update of status")
}

func updateOfAnotherUID(t *testing.T, a *api) {
	release := a.created(t, "one")
	other := release.DeepCopy()
	other.UID = "11111111-2222-4333-8444-555555555555"
	refused(t, a.Update(t.Context(), other.DeepCopy()), apierrors.IsConflict, "an update")
	refused(t, a.Status().Update(t.Context(), other.DeepCopy()), apierrors.IsConflict, "an update of status")
	refused(t, a.Patch(t.Context(), release.DeepCopy(), raw(`{"metadata":{"uid":"11111111-2222-4333-8444-555555555555"}}`)), apierrors.IsInvalid, "a patch")
	other.UID = ""
	must(t, a.Update(t.Context(), other))
	if other.UID != release.UID {
		t.Errorf("an update without a uid made it %q, it was %q", other.UID, release.UID)
	}
}

func immutableMetadata(t *testing.T, a *api) {
	before := a.created(t, "one")
	after := before.DeepCopy()
	past := metav1.NewTime(time.Unix(1e9, 0))
	after.Generation, after.CreationTimestamp = 17, past
	after.Annotations = map[string]string{"so": "that something changes"}
	must(t, a.Update(t.Context(), after))
	if after.Generation != 1 || !after.CreationTimestamp.Equal(&before.CreationTimestamp) {
		t.Errorf("an update made it %+v", after.ObjectMeta)
	}
	doomed := after.DeepCopy()
	doomed.DeletionTimestamp = &past
	refused(t, a.Update(t.Context(), doomed), apierrors.IsInvalid, "an update of deletionTimestamp")
	refused(t, a.Patch(t.Context(), after, raw(`{"metadata":{"deletionGracePeriodSeconds":5}}`)), apierrors.IsInvalid, "a patch of deletionGracePeriodSeconds")
	refused(t, a.Patch(t.Context(), after, raw(`{"metadata":{"resourceVersion":"1"}}`)), apierrors.IsConflict, "a patch of resourceVersion")
}

func badPatches(t *testing.T, a *api) {
	a.created(t, "one")
	path := a.releases() + "/one"
	for _, c := range []struct {
		body   string
		status int
	}{
		{`{`, http.StatusBadRequest},
		{`[]`, http.StatusBadRequest},
		{`"text"`, http.StatusBadRequest},
		{`{"metadata":{"name":"two"}}`, http.StatusBadRequest},
		{`{"metadata":{"namespace":"elsewhere"}}`, http.StatusBadRequest},
		{`{"apiVersion":"ecs.heliumai.space/v2"}`, http.StatusUnprocessableEntity},
		{`{"kind":"EcsEnvironment"}`, http.StatusUnprocessableEntity},
	} {
		if status, answer := a.do(t, http.MethodPatch, path, string(types.MergePatchType), c.body); status != c.status {
			t.Errorf("a patch %s was answered with %d %s", c.body, status, answer)
		}
	}
	// The message names the types that there are, and memapi has not all of them.
	a.heard.apart(func() {
		if status, answer := a.do(t, http.MethodPatch, path, string(types.StrategicMergePatchType), `{}`); status != http.StatusUnsupportedMediaType {
			t.Errorf("a strategic merge patch of a custom resource was answered with %d %s", status, answer)
		}
	})
}

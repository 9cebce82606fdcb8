package memapi_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func (a *api) lease(t *testing.T) *coordinationv1.Lease {
	t.Helper()
	at := metav1.NewMicroTime(time.Unix(1.7e9, 123456000))
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.namespace, Name: "leader"},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: new("one"), LeaseDurationSeconds: new(int32(15)), AcquireTime: &at, RenewTime: &at},
	}
	a.creates(t, lease)
	return lease
}

func leaseConflicts(t *testing.T, a *api) {
	was := a.lease(t)
	is := was.DeepCopy()
	is.Spec.HolderIdentity, is.Spec.LeaseTransitions = new("two"), new(int32(1))
	must(t, a.Update(t.Context(), is))
	late := was.DeepCopy()
	late.Spec.HolderIdentity = new("three")
	refused(t, a.Update(t.Context(), late), apierrors.IsConflict, "an update of what was")
	refused(t, a.Patch(t.Context(), was.DeepCopy(), client.MergeFromWithOptions(late, client.MergeFromWithOptimisticLock{})), apierrors.IsConflict, "a patch of what was")
	var now coordinationv1.Lease
	must(t, a.Get(t.Context(), client.ObjectKeyFromObject(was), &now))
	if diff := cmp.Diff(is, &now); diff != "" {
		t.Errorf("(-wanted +is):\n%s", diff)
	}
	renewed := now.DeepCopy()
	at := metav1.NewMicroTime(now.Spec.RenewTime.Add(time.Second))
	renewed.Spec.RenewTime = &at
	must(t, a.Update(t.Context(), renewed))
	if number(t, renewed.ResourceVersion) <= number(t, now.ResourceVersion) || !renewed.Spec.RenewTime.Time.Equal(at.Time) {
		t.Errorf("after it was renewed it is %+v", renewed)
	}
}

func leaseMetadata(t *testing.T, a *api) {
	lease := a.lease(t)
	if lease.Generation != 0 || lease.UID == "" {
		t.Errorf("it was created with %+v", lease.ObjectMeta)
	}
	same := lease.DeepCopy()
	must(t, a.Update(t.Context(), same))
	if same.ResourceVersion != lease.ResourceVersion {
		t.Errorf("an update of nothing went from resourceVersion %s to %s", lease.ResourceVersion, same.ResourceVersion)
	}
	same.ResourceVersion = ""
	refused(t, a.Update(t.Context(), same), apierrors.IsInvalid, "an update without a resourceVersion")
	again := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: a.namespace, Name: "leader"}}
	refused(t, a.Create(t.Context(), again), apierrors.IsAlreadyExists, "another of the name")
	must(t, a.Patch(t.Context(), lease, raw(`{"spec":{"holderIdentity":null}}`)))
	if lease.Spec.HolderIdentity != nil {
		t.Errorf("it is still held by %q", *lease.Spec.HolderIdentity)
	}
	must(t, a.Delete(t.Context(), lease))
	refused(t, a.Delete(t.Context(), lease), apierrors.IsNotFound, "deleting it again")
}

func eventSeries(t *testing.T, a *api) {
	release := a.created(t, "one")
	event := &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.namespace, Name: "one.17a"},
		EventTime:  metav1.NewMicroTime(time.Unix(1.7e9, 1000)),
		Regarding: corev1.ObjectReference{
			APIVersion: "ecs.heliumai.space/v1alpha1", Kind: "EcsRelease", Namespace: a.namespace, Name: "one", FieldPath: "spec",
		},
		ReportingController: "ecsrelease", ReportingInstance: "ecsrelease-1", Type: corev1.EventTypeNormal,
		Action: "Deploy", Reason: "Deploying", Note: "deploying helium-backend:v128 to " + release.Name,
	}
	a.creates(t, event)
	series := event.DeepCopy()
	series.Series = &eventsv1.EventSeries{Count: 2, LastObservedTime: metav1.NewMicroTime(time.Unix(1.7e9+60, 0))}
	must(t, a.Patch(t.Context(), series, client.StrategicMergeFrom(event)))
	if series.Series == nil || series.Series.Count != 2 || series.Note != event.Note {
		t.Errorf("the patch made it %+v", series)
	}
	refused(t, a.Create(t.Context(), event.DeepCopy()), apierrors.IsInternalError, "creating it with a resourceVersion")
	var all eventsv1.EventList
	must(t, a.List(t.Context(), &all, client.InNamespace(a.namespace)))
	if len(all.Items) != 1 {
		t.Errorf("there are %d events", len(all.Items))
	}
}

func namespaces(t *testing.T, a *api) {
	var namespace corev1.Namespace
	must(t, a.Get(t.Context(), types.NamespacedName{Name: a.namespace}, &namespace))
	if namespace.Status.Phase != corev1.NamespaceActive || namespace.Labels[corev1.LabelMetadataName] != a.namespace {
		t.Errorf("it is %+v", namespace)
	}
	namespace.Labels["team"] = "platform"
	namespace.Status.Phase = corev1.NamespaceTerminating
	must(t, a.Update(t.Context(), &namespace))
	if namespace.Status.Phase != corev1.NamespaceActive || namespace.Labels["team"] != "platform" {
		t.Errorf("an update made it %+v", namespace)
	}
	refused(t, a.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: a.namespace}}), apierrors.IsAlreadyExists, "another of the name")
	refused(t, a.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "with.dot"}}), apierrors.IsInvalid, "a name with a dot")
	for _, name := range []string{"default", "kube-system"} {
		must(t, a.Get(t.Context(), types.NamespacedName{Name: name}, &corev1.Namespace{}))
	}
}

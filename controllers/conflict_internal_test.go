package controllers

import (
	"context"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// divided is a shelf that knows which namespace a release is in.
type divided struct{ *shelf }

// List implements [client.Reader].
func (d divided) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	asked := (&client.ListOptions{}).ApplyOptions(options)
	err := d.shelf.List(ctx, list, options...)
	if releases, ok := list.(*ecsv1alpha1.EcsReleaseList); ok && asked.Namespace != "" {
		releases.Items = slices.DeleteFunc(releases.Items, func(r ecsv1alpha1.EcsRelease) bool { return r.Namespace != asked.Namespace })
	}
	return err
}

// Whatever takes a service from the older release may do so elsewhere.
func TestAReleaseThatWaitsForAnotherIsWokenByWhatTakesTheServiceFromThat(t *testing.T) {
	younger, other := aRelease(nil), aRelease(nil)
	younger.Name, other.Name = "younger", "other"
	younger.Status.Conditions = []metav1.Condition{{Type: ecsv1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: ecsv1alpha1.ReasonServiceConflict}}
	r := &ReleaseReconciler{Client: divided{&shelf{
		releases:   []ecsv1alpha1.EcsRelease{*younger, *other},
		namespaces: []corev1.Namespace{{ObjectMeta: metav1.ObjectMeta{Name: "elsewhere"}}},
	}}}
	environment := &ecsv1alpha1.EcsEnvironment{Spec: ecsv1alpha1.EcsEnvironmentSpec{Namespaces: &ecsv1alpha1.NamespaceSelector{Names: []string{"elsewhere"}}}}
	want := []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(younger)}}
	for what, woken := range map[string][]reconcile.Request{
		"an environment that changes": r.governed(t.Context(), environment),
		"a namespace that changes":    r.releasesIn(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "elsewhere"}}),
	} {
		if !slices.Equal(woken, want) {
			t.Errorf("%s wakes %v, want %v", what, woken, want)
		}
	}
}

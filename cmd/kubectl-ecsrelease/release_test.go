package main

import (
	"errors"
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// seen is a release that was read from an API server while the controller worked on it.
func seen(t *testing.T, name string) *ecsv1alpha1.EcsRelease {
	t.Helper()
	raw, err := os.ReadFile("../../internal/screen/testdata/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var release ecsv1alpha1.EcsRelease
	if err := yaml.UnmarshalStrict(raw, &release); err != nil {
		t.Fatal(err)
	}
	return &release
}

// tell creates a release that was seen, with its status, in the namespace that no controller looks at.
func tell(t *testing.T, name, state string) *ecsv1alpha1.EcsRelease {
	t.Helper()
	release := seen(t, state)
	status, behind := release.Status, release.Generation-release.Status.ObservedGeneration
	release.ObjectMeta = metav1.ObjectMeta{Name: name, Namespace: told}
	create(t, release)
	if status.ObservedGeneration >= 0 {
		retell(t, release, status, release.Generation-behind)
	}
	return release
}

// retell writes another status, as of a generation.
func retell(t *testing.T, release *ecsv1alpha1.EcsRelease, status ecsv1alpha1.EcsReleaseStatus, generation int64) {
	t.Helper()
	release.Status = *status.DeepCopy()
	release.Status.ObservedGeneration = generation
	for i := range release.Status.Conditions {
		release.Status.Conditions[i].ObservedGeneration = generation
	}
	if err := shared.client.Status().Update(t.Context(), release); err != nil {
		t.Fatal(err)
	}
}

// create creates a release and removes it when the test is over.
func create(t *testing.T, release *ecsv1alpha1.EcsRelease) {
	t.Helper()
	if err := shared.client.Create(t.Context(), release); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.IgnoreNotFound(shared.client.Delete(t.Context(), release)); err != nil && !errors.Is(err, t.Context().Err()) {
			t.Error(err)
		}
	})
}

// get is a release as it is now.
func get(t *testing.T, namespace, name string) *ecsv1alpha1.EcsRelease {
	t.Helper()
	var release ecsv1alpha1.EcsRelease
	if err := shared.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &release); err != nil {
		t.Fatal(err)
	}
	return &release
}

// releaseOf is a release of the namespace that the controller looks at, of the service of a cluster.
func releaseOf(cluster, image string) *ecsv1alpha1.EcsRelease {
	return &ecsv1alpha1.EcsRelease{
		ObjectMeta: metav1.ObjectMeta{Name: cluster, Namespace: staging},
		Spec: ecsv1alpha1.EcsReleaseSpec{
			Image:    image,
			Services: []ecsv1alpha1.Service{{Name: "backend"}},
			Targets:  []ecsv1alpha1.Target{{Name: "mumbai", Region: home, Cluster: cluster}},
		},
	}
}

// bump has a release ask for another image.
func bump(t *testing.T, release *ecsv1alpha1.EcsRelease, image string) {
	t.Helper()
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"image":"`+image+`"}}`))
	if err := shared.client.Patch(t.Context(), release, patch); err != nil {
		t.Fatal(err)
	}
}

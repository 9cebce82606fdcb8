package memapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func createdByTheServer(t *testing.T, a *api) {
	before := time.Now().Add(-time.Second)
	release := a.created(t, "one")
	if release.UID == "" || release.ResourceVersion == "" || release.Generation != 1 {
		t.Errorf("it has uid %q, resourceVersion %q, generation %d", release.UID, release.ResourceVersion, release.Generation)
	}
	if at := release.CreationTimestamp.Time; at.Before(before.Truncate(time.Second)) || at.After(time.Now()) || at.Nanosecond() != 0 {
		t.Errorf("it was created at %s, asked for after %s", at, before)
	}
	if diff := cmp.Diff(release, a.now(t, "one")); diff != "" {
		t.Errorf("it is not what was answered (-answered +is):\n%s", diff)
	}
	if other := a.created(t, "two"); other.UID == release.UID || other.ResourceVersion == release.ResourceVersion {
		t.Errorf("two objects have uid %s and %s, resourceVersion %s and %s", release.UID, other.UID, release.ResourceVersion, other.ResourceVersion)
	}
}

func creatorsDoNotDecide(t *testing.T, a *api) {
	release := a.release("one")
	release.UID, release.Generation = "mine", 7
	past := metav1.NewTime(time.Unix(1e9, 0))
	release.CreationTimestamp, release.DeletionTimestamp, release.DeletionGracePeriodSeconds = past, &past, new(int64(5))
	a.creates(t, release)
	if release.UID == "mine" || release.Generation != 1 || release.CreationTimestamp.Equal(&past) || release.DeletionTimestamp != nil {
		t.Errorf("it has the metadata %+v", release.ObjectMeta)
	}
}

func statusIsNotCreated(t *testing.T, a *api) {
	release := a.release("one")
	release.Status = ecsv1alpha1.EcsReleaseStatus{ObservedGeneration: 1, Progress: "5/6 services"}
	a.creates(t, release)
	for what, status := range map[string]ecsv1alpha1.EcsReleaseStatus{"answered": release.Status, "read": a.now(t, "one").Status} {
		if diff := cmp.Diff(ecsv1alpha1.EcsReleaseStatus{ObservedGeneration: -1}, status); diff != "" {
			t.Errorf("the status that is %s (-wanted +is):\n%s", what, diff)
		}
	}
}

func takenName(t *testing.T, a *api) {
	first := a.created(t, "one")
	second := a.release("one")
	second.Spec.Image = "helium-backend:v129"
	refused(t, a.Create(t.Context(), second), apierrors.IsAlreadyExists, "creating a taken name")
	if diff := cmp.Diff(first, a.now(t, "one")); diff != "" {
		t.Errorf("it changed (-before +after):\n%s", diff)
	}
}

func recreated(t *testing.T, a *api) {
	first := a.created(t, "one")
	must(t, a.Delete(t.Context(), first.DeepCopy()))
	if second := a.created(t, "one"); second.UID == first.UID || second.ResourceVersion == first.ResourceVersion || second.Generation != 1 {
		t.Errorf("the second has uid %s, resourceVersion %s, generation %d; the first had %s and %s",
			second.UID, second.ResourceVersion, second.Generation, first.UID, first.ResourceVersion)
	}
}

func missingNamespace(t *testing.T, a *api) {
	release := a.release("one")
	release.Namespace = "nowhere"
	refused(t, a.Create(t.Context(), release), apierrors.IsNotFound, "creating a release nowhere")
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "nowhere", Name: "one"}}
	refused(t, a.Create(t.Context(), lease), apierrors.IsNotFound, "creating a lease nowhere")
	// Reading there finds nothing.
	var releases ecsv1alpha1.EcsReleaseList
	must(t, a.List(t.Context(), &releases, client.InNamespace("nowhere")))
	if len(releases.Items) != 0 {
		t.Errorf("there are %d releases nowhere", len(releases.Items))
	}
}

func createdWithVersion(t *testing.T, a *api) {
	release := a.release("one")
	release.ResourceVersion = "1"
	refused(t, a.Create(t.Context(), release), apierrors.IsInternalError, "creating it")
	refused(t, a.Get(t.Context(), types.NamespacedName{Namespace: a.namespace, Name: "one"}, a.release("")), apierrors.IsNotFound, "reading it")
}

func generatedName(t *testing.T, a *api) {
	made := map[string]bool{}
	for i := range 3 {
		release := a.release("")
		release.GenerateName = "generated-"
		must(t, a.Create(t.Context(), release))
		a.heard.hide(release.Name, fmt.Sprintf("<name %d>", i))
		if suffix, ok := strings.CutPrefix(release.Name, "generated-"); !ok || len(suffix) != 5 {
			t.Errorf("it was called %q", release.Name)
		}
		made[release.Name] = true
	}
	if len(made) != 3 {
		t.Errorf("three objects have the names %v", made)
	}
}

func badNames(t *testing.T, a *api) {
	for _, name := range []string{"Upper", "under_score", "-dash", strings.Repeat("n", 254)} {
		refused(t, a.Create(t.Context(), a.release(name)), apierrors.IsInvalid, "creating "+name)
	}
	refused(t, a.Create(t.Context(), a.release("")), apierrors.IsInvalid, "creating without a name")
}

func clusterScoped(t *testing.T, a *api) {
	environment := &ecsv1alpha1.EcsEnvironment{
		ObjectMeta: metav1.ObjectMeta{Name: a.namespace},
		Spec:       ecsv1alpha1.EcsEnvironmentSpec{AWS: ecsv1alpha1.AWSIdentity{AccountID: "111122223333"}},
	}
	a.creates(t, environment)
	must(t, a.Get(t.Context(), types.NamespacedName{Name: a.namespace}, environment))
	if environment.Namespace != "" || environment.Generation != 1 {
		t.Errorf("it has namespace %q, generation %d", environment.Namespace, environment.Generation)
	}
	environment.Spec.AWS.AccountID = "444455556666"
	must(t, a.Update(t.Context(), environment))
	if environment.Generation != 2 {
		t.Errorf("after a change it has generation %d", environment.Generation)
	}
	must(t, a.Delete(t.Context(), environment))
	refused(t, a.Get(t.Context(), types.NamespacedName{Name: a.namespace}, environment), apierrors.IsNotFound, "reading it when it is deleted")
}

func misplacedBodies(t *testing.T, a *api) {
	a.created(t, "one")
	const version = `"apiVersion":"ecs.heliumai.space/v1alpha1"`
	bodies := []struct {
		method, path, body string
		status             int
	}{
		{http.MethodPost, a.releases(), `{` + version + `,"kind":"EcsEnvironment","metadata":{"name":"two"}}`, http.StatusUnprocessableEntity},
		{http.MethodPost, a.releases(), `{"apiVersion":"ecs.heliumai.space/v2","kind":"EcsRelease","metadata":{"name":"two"}}`, http.StatusBadRequest},
		{http.MethodPost, a.releases(), `{` + version + `,"kind":"EcsRelease","metadata":{"name":"two","namespace":"elsewhere"}}`, http.StatusBadRequest},
		{http.MethodPut, a.releases() + "/one", `{` + version + `,"kind":"EcsRelease","metadata":{"name":"two","resourceVersion":"1"}}`, http.StatusBadRequest},
		{http.MethodPut, a.releases() + "/one", `{` + version + `,"kind":"EcsRelease","metadata":{"name":"one","namespace":"elsewhere"}}`, http.StatusBadRequest},
	}
	for _, c := range bodies {
		if status, answer := a.do(t, c.method, c.path, runtime.ContentTypeJSON, c.body); status != c.status {
			t.Errorf("%s of %s was answered with %d %s", c.method, c.body, status, answer)
		}
	}
}

func notFound(t *testing.T, a *api) {
	there := a.created(t, "one")
	absent := func() *ecsv1alpha1.EcsRelease {
		release := there.DeepCopy()
		release.Name, release.UID = "absent", ""
		return release
	}
	ctx := t.Context()
	patch := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"suspend":true}}`))
	for what, err := range map[string]error{
		"get":           a.Get(ctx, client.ObjectKeyFromObject(absent()), &ecsv1alpha1.EcsRelease{}),
		"update":        a.Update(ctx, absent()),
		"update status": a.Status().Update(ctx, absent()),
		"patch":         a.Patch(ctx, absent(), patch),
		"patch status":  a.Status().Patch(ctx, absent(), patch),
		"delete":        a.Delete(ctx, absent()),
	} {
		refused(t, err, apierrors.IsNotFound, what)
	}
}

package memapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// set puts a value into a document. Its path goes by dots; numbers are indices of lists.
func set(t *testing.T, u *unstructured.Unstructured, path string, value any) {
	t.Helper()
	var at any = u.Object
	steps := strings.Split(path, ".")
	for i, step := range steps {
		last := i == len(steps)-1
		switch in := at.(type) {
		case map[string]any:
			switch {
			case last && value == nil:
				delete(in, step)
			case last:
				in[step] = value
			case in[step] == nil:
				in[step] = map[string]any{}
			}
			at = in[step]
		case []any:
			var index int
			if _, err := fmt.Sscan(step, &index); err != nil {
				t.Fatal(err)
			}
			if last {
				in[index] = value
			}
			at = in[index]
		default:
			t.Fatalf("%s of %s is in no document", step, path)
		}
	}
}

func unknownFieldsArePruned(t *testing.T, a *api) {
	u := a.document("one")
	for _, path := range []string{"unknown", "spec.unknown", "spec.strategy.unknown", "spec.targets.0.unknown", "spec.services.0.unknown", "metadata.unknown"} {
		set(t, u, path, map[string]any{"deep": []any{int64(1)}})
	}
	a.creates(t, u)
	known := a.document("one")
	set(t, known, "spec.strategy", map[string]any{})
	set(t, known, "status.observedGeneration", int64(-1))
	pruned := func(what string) {
		t.Helper()
		for _, part := range []string{"spec", "status", "unknown"} {
			if diff := cmp.Diff(known.Object[part], u.Object[part]); diff != "" {
				t.Errorf("%s: %s (-wanted +is):\n%s", what, part, diff)
			}
		}
		if unknown, is, err := unstructured.NestedFieldNoCopy(u.Object, "metadata", "unknown"); is || err != nil {
			t.Errorf("%s: metadata has unknown: %v (%v)", what, unknown, err)
		}
	}
	pruned("a creation")
	set(t, u, "spec.taskDefinition.unknown", "x")
	set(t, known, "spec.taskDefinition", map[string]any{})
	must(t, a.Update(t.Context(), u))
	pruned("an update")
	must(t, a.Status().Patch(t.Context(), u, raw(`{"status":{"observedGeneration":1,"unknown":1,"targets":[{"name":"a","region":"b","cluster":"c","unknown":1}]}}`)))
	set(t, known, "status", map[string]any{
		"observedGeneration": int64(1), "targets": []any{map[string]any{"name": "a", "region": "b", "cluster": "c"}},
	})
	pruned("a patch of status")
}

// edit is a change of a valid document and what is said of it.
type edit struct {
	path  string
	value any // nil: without it
	words []string
}

func (a *api) refuses(t *testing.T, edits []edit) {
	t.Helper()
	for _, e := range edits {
		u := a.document("one")
		set(t, u, e.path, e.value)
		err := a.Create(t.Context(), u)
		refused(t, err, apierrors.IsInvalid, e.path)
		for _, word := range e.words {
			if err != nil && !strings.Contains(err.Error(), word) {
				t.Errorf("%s = %v: the message lacks %q: %v", e.path, e.value, word, err)
			}
		}
	}
}

func many(n int, item func(int) any) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = item(i)
	}
	return list
}

func named(i int) any { return map[string]any{"name": fmt.Sprintf("service-%d", i)} }

func target(i int) any {
	return map[string]any{"name": fmt.Sprintf("target-%d", i), "region": "ap-south-1", "cluster": "helium"}
}

func schemaMessages(t *testing.T, a *api) {
	a.refuses(t, []edit{
		{"spec", nil, []string{"spec: Required value"}},
		{"spec.targets", nil, []string{"spec.targets: Required value"}},
		{"spec.targets.0.region", nil, []string{"spec.targets[0].region: Required value"}},
		{"spec", "text", []string{`must be of type object: "string"`}},
		{"spec.targets", "mumbai", []string{`spec.targets: Invalid value: "string"`, "must be of type array"}},
		{"spec.suspend", "yes", []string{"spec.suspend: Invalid value", "must be of type boolean"}},
		{"spec.targets.0.wave", 1.5, []string{"spec.targets[0].wave: Invalid value", "must be of type integer"}},
		{"spec.drift", "Ignore", []string{`spec.drift: Unsupported value: "Ignore": supported values: "Revert", "Report"`}},
		{"spec.strategy.onFailure", "Panic", []string{`supported values: "Rollback", "Hold"`}},
		{"spec.taskDefinition.pin", "", []string{`supported values: "Digest", "Tag"`}},
		{"spec.image", strings.Repeat("a", 513), []string{"spec.image: Too long: may not be more than 512 bytes"}},
		{"spec.image", "", []string{"spec.image", "at least 1 chars long"}},
		{"spec.targets", []any{}, []string{"spec.targets", "should have at least 1 items"}},
		{"spec.targets", many(65, target), []string{"spec.targets: Too many: 65: must have at most 64 items"}},
		{"spec.targets.0.wave", int64(-1), []string{"spec.targets[0].wave", "should be greater than or equal to 0"}},
		{"spec.targets.0.wave", int64(1001), []string{"spec.targets[0].wave", "should be less than or equal to 1000"}},
		{"spec.targets", []any{target(0), target(1), target(0)}, []string{`spec.targets[2]: Duplicate value: {"name":"target-0"}`}},
		{"spec.services", []any{named(0), named(0)}, []string{`spec.services[1]: Duplicate value: {"name":"service-0"}`}},
		{"spec.services.0.containerNames", []any{"app", "app"}, []string{`spec.services[0].containerNames[1]: Duplicate value: "app"`}},
		{"spec.services.0.containerNames", []any{"app", nil}, nil},
		{"spec.targets.0", nil, nil},
		{"spec.verification", []any{map[string]any{"http": map[string]any{"url": "https://example.com/", "expectStatus": int64(99)}}}, []string{"expectStatus", "greater than or equal to 100"}},
	})
	// Several at once, and together with rules.
	u := a.document("one")
	set(t, u, "spec.drift", "Ignore")
	set(t, u, "spec.image", "no tag")
	set(t, u, "spec.targets", []any{target(0), target(0)})
	refused(t, a.Create(t.Context(), u), apierrors.IsInvalid, "creating what breaks schema and rules")
	set(t, u, "spec.targets.0.region", nil)
	refused(t, a.Create(t.Context(), u), apierrors.IsInvalid, "creating what lacks a field and breaks rules")
}

func ruleMessages(t *testing.T, a *api) {
	image := func(name string) any { return map[string]any{"name": name, "image": "helium-backend:v1"} }
	a.refuses(t, []edit{
		{"spec.image", nil, []string{"spec: Invalid value: exactly one of image and containers must be set: image for one image, containers for several"}},
		{"spec.containers", []any{image("app")}, []string{"exactly one of image and containers must be set"}},
		{"spec.services", nil, []string{"no services: set services for the whole release, or services in every target"}},
		{"spec.image", "helium-backend", []string{`spec.image: Invalid value: "helium-backend": image needs a tag or a digest: there is no default tag`}},
		{"spec.image", "Helium:v1", []string{"image must be [host/]repository:tag"}},
		{"spec.image", strings.Repeat("a", 254) + ":v1", []string{"an image may have at most 255 characters before the digest"}},
		{"spec.targets.0.name", "Mumbai", []string{`spec.targets[0].name: Invalid value: "Mumbai": a target's name consists of lower case letters, digits and hyphens`}},
		{"spec.targets.0.region", "mumbai", []string{"region must be the code of an AWS region, e.g. ap-south-1"}},
		{"spec.targets.0.cluster", "arn:aws:ecs:x", []string{"a cluster is named by its name, not its ARN"}},
		{"spec.services.0.name", "a/b", []string{`spec.services[0].name: Invalid value: "a/b": a service is named by its name, not its ARN`}},
		{"spec.verification", []any{map[string]any{}}, []string{"spec.verification[0]: Invalid value: exactly one of http, targetHealth and endpoint must be set in each check"}},
		{"spec.verification", []any{map[string]any{"http": map[string]any{"url": "ftp://x"}}}, []string{"url must be http:// or https:// with a host"}},
	})
	u := a.document("one")
	set(t, u, "spec.services", many(65, named))
	set(t, u, "spec.targets", []any{target(0), target(1)})
	refused(t, a.Create(t.Context(), u), apierrors.IsInvalid, "creating 130 services")
	u = a.document("one")
	a.creates(t, u)
	set(t, u, "spec.image", "helium-backend")
	err := a.Update(t.Context(), u)
	refused(t, err, apierrors.IsInvalid, "an update against a rule")
	environment := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "ecs.heliumai.space/v1alpha1", "kind": "EcsEnvironment", "metadata": map[string]any{"name": a.namespace},
		"spec": map[string]any{"aws": map[string]any{"accountID": "12345678901x"}},
	}}
	if err := a.Create(t.Context(), environment); err == nil || !strings.Contains(err.Error(), "accountID must be the 12 digits of an AWS account") {
		t.Errorf("an environment of account 12345678901x was answered with %v", err)
	}
}

func statusSchema(t *testing.T, a *api) {
	release := a.created(t, "one")
	condition := func(fields string) string {
		return `{"status":{"conditions":[{"type":"Ready","status":"True","reason":"Done","message":"","lastTransitionTime":"2026-01-02T03:04:05Z"` + fields + `}]}}`
	}
	for _, patch := range []string{
		`{"status":{"observedGeneration":"1"}}`,
		`{"status":{"progress":"` + strings.Repeat("p", 65) + `"}}`,
		`{"status":{"conditions":[{"type":"Ready"}]}}`,
		`{"status":{"targets":[{"name":"a","services":[{"name":"b","state":"Confused"}]}]}}`,
		condition(`,"reason":"not a reason"`),
		condition(`,"status":"Maybe"`),
		condition(`,"lastTransitionTime":"yesterday"`),
		`{"status":[]}`,
	} {
		refused(t, a.Status().Patch(t.Context(), release.DeepCopy(), raw(patch)), apierrors.IsInvalid, patch)
	}
	must(t, a.Status().Patch(t.Context(), release.DeepCopy(), raw(condition(""))))
	// spec is checked where it is written, and not with status.
	must(t, a.Status().Patch(t.Context(), release.DeepCopy(), raw(`{"spec":{"image":""},"status":{"progress":"1/1"}}`)))
}

func invalidChangesNothing(t *testing.T, a *api) {
	before := a.created(t, "one")
	broken := before.DeepCopy()
	broken.Spec.Image = "helium-backend"
	other := a.document("two")
	set(t, other, "spec", map[string]any{})
	for what, err := range map[string]error{
		"an update":         a.Update(t.Context(), broken.DeepCopy()),
		"a patch":           a.Patch(t.Context(), broken.DeepCopy(), client.MergeFrom(before)),
		"a patch of status": a.Status().Patch(t.Context(), before.DeepCopy(), raw(`{"status":{"services":"x"}}`)),
		"a creation":        a.Create(t.Context(), other),
	} {
		refused(t, err, apierrors.IsInvalid, what)
	}
	if diff := cmp.Diff(before, a.now(t, "one")); diff != "" {
		t.Errorf("it changed (-before +after):\n%s", diff)
	}
	if found, _ := a.lists(t, client.InNamespace(a.namespace)); !slices.Equal(found, []string{a.namespace + "/one"}) {
		t.Errorf("there are %v", found)
	}
}

func badMetadata(t *testing.T, a *api) {
	before := a.created(t, "one")
	for _, patch := range []string{
		`{"metadata":{"labels":{"a":"not a label's value"}}}`,
		`{"metadata":{"labels":{"not a key":"a"}}}`,
		`{"metadata":{"annotations":{"not a key":"a"}}}`,
		`{"metadata":{"finalizers":["not one"]}}`,
		`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Namespace","name":"x"}]}}`,
	} {
		refused(t, a.Patch(t.Context(), before.DeepCopy(), raw(patch)), apierrors.IsInvalid, patch)
	}
	// The message cites all of the object.
	a.heard.apart(func() {
		refused(t, a.Patch(t.Context(), before.DeepCopy(), raw(`{"metadata":{"labels":{"a":1}}}`)), apierrors.IsInvalid, "a label that is a number")
	})
}

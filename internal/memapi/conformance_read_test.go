package memapi_test

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// lists are the namespaces and names of what a list says.
func (a *api) lists(t *testing.T, options ...client.ListOption) (found []string, version string) {
	t.Helper()
	var releases ecsv1alpha1.EcsReleaseList
	if err := a.List(t.Context(), &releases, options...); err != nil {
		t.Fatal(err)
	}
	for i := range releases.Items {
		found = append(found, client.ObjectKeyFromObject(&releases.Items[i]).String())
	}
	return found, releases.ResourceVersion
}

// another makes a second namespace, whose name sorts behind the first's.
func (a *api) another(t *testing.T) string {
	t.Helper()
	name := a.namespace + "-b"
	a.creates(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	return name
}

func (a *api) labelled(namespace, name, value string) *ecsv1alpha1.EcsRelease {
	release := a.release(name)
	release.Namespace, release.Labels = namespace, map[string]string{"of": a.namespace, "is": value}
	return release
}

func number(t *testing.T, version string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(version, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func listOfNamespace(t *testing.T, a *api) {
	other := a.another(t)
	a.creates(t, a.labelled(a.namespace, "b", "x"), a.labelled(other, "c", "x"))
	last := a.labelled(a.namespace, "a", "x")
	a.creates(t, last)
	found, version := a.lists(t, client.InNamespace(a.namespace))
	if diff := cmp.Diff([]string{a.namespace + "/a", a.namespace + "/b"}, found); diff != "" {
		t.Errorf("(-wanted +listed):\n%s", diff)
	}
	if number(t, version) < number(t, last.ResourceVersion) {
		t.Errorf("the list is of %s, what is in it of %s", version, last.ResourceVersion)
	}
	must(t, a.Delete(t.Context(), last))
	found, later := a.lists(t, client.InNamespace(a.namespace))
	if diff := cmp.Diff([]string{a.namespace + "/b"}, found); diff != "" {
		t.Errorf("after a deletion (-wanted +listed):\n%s", diff)
	}
	if number(t, later) <= number(t, version) {
		t.Errorf("after a deletion the list is of %s, before of %s", later, version)
	}
}

func listOfAll(t *testing.T, a *api) {
	other := a.another(t)
	a.creates(t, a.labelled(other, "a", "x"), a.labelled(a.namespace, "b", "x"), a.labelled(a.namespace, "a", "x"))
	found, _ := a.lists(t, client.MatchingLabels{"of": a.namespace})
	// "-" is before "/".
	if diff := cmp.Diff([]string{other + "/a", a.namespace + "/a", a.namespace + "/b"}, found); diff != "" {
		t.Errorf("(-wanted +listed):\n%s", diff)
	}
}

func listSelected(t *testing.T, a *api) {
	a.creates(t, a.labelled(a.namespace, "a", "x"), a.labelled(a.namespace, "b", "y"), a.labelled(a.namespace, "c", "x"))
	for _, c := range []struct {
		name   string
		by     client.ListOption
		wanted []string
	}{
		{"a label", client.MatchingLabels{"is": "x"}, []string{a.namespace + "/a", a.namespace + "/c"}},
		{"a label that is", client.HasLabels{"is"}, []string{a.namespace + "/a", a.namespace + "/b", a.namespace + "/c"}},
		{"a label that isn't", client.HasLabels{"absent"}, nil},
		{"a name", client.MatchingFields{"metadata.name": "b"}, []string{a.namespace + "/b"}},
		{"another name", client.MatchingFieldsSelector{Selector: fields.OneTermNotEqualSelector("metadata.name", "b")}, []string{a.namespace + "/a", a.namespace + "/c"}},
		{"another namespace", client.MatchingFields{"metadata.namespace": "default"}, nil},
	} {
		found, _ := a.lists(t, client.InNamespace(a.namespace), c.by)
		if diff := cmp.Diff(c.wanted, found); diff != "" {
			t.Errorf("by %s (-wanted +listed):\n%s", c.name, diff)
		}
	}
}

func badSelectors(t *testing.T, a *api) {
	list := func(raw metav1.ListOptions) error {
		return a.List(t.Context(), &ecsv1alpha1.EcsReleaseList{}, client.InNamespace(a.namespace), &client.ListOptions{Raw: &raw})
	}
	refused(t, list(metav1.ListOptions{FieldSelector: "spec.image=x"}), apierrors.IsBadRequest, "selecting by a field of spec")
	refused(t, list(metav1.ListOptions{LabelSelector: "a b"}), apierrors.IsBadRequest, "selecting by a label that is none")
}

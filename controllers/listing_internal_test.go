package controllers

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// shelf is a cache: who lists from it gets copies, or what is in it where that is asked for.
type shelf struct {
	client.Client
	releases     []ecsv1alpha1.EcsRelease
	endpoints    []ecsv1alpha1.EcsEndpoint
	environments []ecsv1alpha1.EcsEnvironment
	namespaces   []corev1.Namespace
	copied       []string
}

// List implements [client.Reader].
func (s *shelf) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	asked := (&client.ListOptions{}).ApplyOptions(options)
	copies := asked.UnsafeDisableDeepCopy == nil || !*asked.UnsafeDisableDeepCopy
	if copies {
		s.copied = append(s.copied, fmt.Sprintf("%T", list))
	}
	switch list := list.(type) {
	case *ecsv1alpha1.EcsReleaseList:
		list.Items = handed(s.releases, copies, (*ecsv1alpha1.EcsRelease).DeepCopy)
	case *ecsv1alpha1.EcsEndpointList:
		list.Items = handed(s.endpoints, copies, (*ecsv1alpha1.EcsEndpoint).DeepCopy)
	case *ecsv1alpha1.EcsEnvironmentList:
		list.Items = handed(s.environments, copies, (*ecsv1alpha1.EcsEnvironment).DeepCopy)
	case *corev1.NamespaceList:
		list.Items = handed(s.namespaces, copies, (*corev1.Namespace).DeepCopy)
	default:
		return fmt.Errorf("there is no %T", list)
	}
	return nil
}

// Get implements [client.Reader] for namespaces.
func (s *shelf) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	for i := range s.namespaces {
		if namespace, ok := object.(*corev1.Namespace); ok && s.namespaces[i].Name == key.Name {
			s.namespaces[i].DeepCopyInto(namespace)
			return nil
		}
	}
	return fmt.Errorf("there is no %T %s", object, key)
}

func handed[T any](held []T, copies bool, deep func(*T) *T) []T {
	given := slices.Clone(held)
	for i := range given {
		if copies {
			given[i] = *deep(&held[i])
		}
	}
	return given
}

// aShelf has a release and an endpoint in each of the namespaces of two environments.
func aShelf() *shelf {
	s := &shelf{}
	for _, name := range []string{"production", "staging"} {
		meta := metav1.ObjectMeta{Namespace: name, Name: "backend", Generation: 1}
		release := ecsv1alpha1.EcsRelease{ObjectMeta: meta}
		release.Status.Services, release.Status.ReadyServices = 2, 2
		release.Status.Conditions = []metav1.Condition{{Type: ecsv1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: ecsv1alpha1.ReasonReleased}}
		release.Status.History = []ecsv1alpha1.HistoryEntry{{Number: 1, Revisions: []string{"backend:1"}}}
		s.releases = append(s.releases, release)
		s.endpoints = append(s.endpoints, ecsv1alpha1.EcsEndpoint{ObjectMeta: meta})
		s.namespaces = append(s.namespaces, corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
		s.environments = append(s.environments, ecsv1alpha1.EcsEnvironment{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"team": name}},
			Spec:       ecsv1alpha1.EcsEnvironmentSpec{Namespaces: &ecsv1alpha1.NamespaceSelector{Names: []string{name}}},
		})
	}
	return s
}

// A fleet is listed often, by scrapes and by watches, and a copy of it is as large as the fleet.
func TestWhoReadsAFleetDoesNotCopyIt(t *testing.T) {
	ours, err := labels.Parse("team=production")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		read func(t *testing.T, s *shelf) int
		want int
	}{
		"a scrape": {
			read: func(t *testing.T, s *shelf) int { return scraped(t, s, nil) },
			want: 2 * 4,
		},
		"a scrape where managers divide environments": {
			read: func(t *testing.T, s *shelf) int { return scraped(t, s, &Ownership{Selector: ours}) },
			want: 4,
		},
		"a watch that concerns the releases of a namespace": {
			read: func(t *testing.T, s *shelf) int {
				t.Helper()
				return len((&ReleaseReconciler{Client: s}).requests(t.Context(), nil, client.InNamespace("production")))
			},
			want: 2, // the shelf is one for all namespaces
		},
		"a watch that concerns some endpoints": {
			read: func(t *testing.T, s *shelf) int {
				t.Helper()
				wanted := func(endpoint *ecsv1alpha1.EcsEndpoint) bool { return endpoint.Namespace == "staging" }
				return len((&EndpointReconciler{Client: s}).requests(t.Context(), "staging", wanted))
			},
			want: 1,
		},
		"a pass over a release, which finds its environment": {
			read: func(t *testing.T, s *shelf) int {
				t.Helper()
				around, problem, err := surroundingsOf(t.Context(), s, "staging")
				if err != nil || problem != nil || around.own.Name != "staging" {
					t.Fatalf("it found %v: %v, %v", around.own, problem, err)
				}
				return len(around.all)
			},
			want: 2,
		},
		"a look at an environment": {
			read: func(t *testing.T, s *shelf) int {
				t.Helper()
				survey, err := (&EnvironmentReconciler{Client: s}).survey(t.Context(), s.environments[0].DeepCopy())
				if err != nil {
					t.Fatal(err)
				}
				status := survey.status()
				return len(status.Releases) + len(status.Endpoints)
			},
			want: 4, // likewise
		},
		"a watch that concerns an environment": {
			read: func(t *testing.T, s *shelf) int {
				t.Helper()
				return len((&EnvironmentReconciler{Client: s}).naming(t.Context(), "production"))
			},
			want: 1,
		},
		"a watch that concerns the releases of an environment": {
			read: func(t *testing.T, s *shelf) int {
				t.Helper()
				return len((&ReleaseReconciler{Client: s}).releasesOf(t.Context(), &s.environments[0]))
			},
			want: 2, // likewise
		},
		"a watch that concerns what is promoted": {
			read: func(t *testing.T, s *shelf) int {
				t.Helper()
				s.environments[0].Spec.Promotion = &ecsv1alpha1.Promotion{From: "staging"}
				defer func() { s.environments[0].Spec.Promotion = nil }()
				return len((&ReleaseReconciler{Client: s}).promoted(t.Context(), &s.environments[1]))
			},
			want: 2, // likewise
		},
		"a watch that concerns the endpoints of an environment": {
			read: func(t *testing.T, s *shelf) int {
				t.Helper()
				return len((&EndpointReconciler{Client: s}).endpointsOf(t.Context(), &s.environments[0]))
			},
			want: 2, // likewise
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := aShelf()
			if got := c.read(t, s); got != c.want {
				t.Errorf("it came to %d, want %d", got, c.want)
			}
			if len(s.copied) > 0 {
				t.Errorf("it copied %v", s.copied)
			}
			s.copied = nil
			if diff := cmp.Diff(aShelf(), s, cmp.AllowUnexported(shelf{})); diff != "" {
				t.Errorf("it wrote to what is in the cache:\n%s", diff)
			}
		})
	}
}

// scraped is how many series of releases a scrape has.
func scraped(t *testing.T, s *shelf, ownership *Ownership) (series int) {
	t.Helper()
	registry := prometheus.NewRegistry()
	if _, err := NewMetrics(registry, s, ownership); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		series += len(family.GetMetric())
	}
	return series
}

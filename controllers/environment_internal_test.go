package controllers

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
)

const (
	anAccount   = "111122223333"
	twinAccount = "444455556666"
)

// anEnvironment is one for namespace apps, which may do anything in the Mumbai region.
func anEnvironment(change func(*ecsv1alpha1.EcsEnvironmentSpec)) *ecsv1alpha1.EcsEnvironment {
	environment := &ecsv1alpha1.EcsEnvironment{
		ObjectMeta: metav1.ObjectMeta{Name: "mumbai"},
		Spec: ecsv1alpha1.EcsEnvironmentSpec{
			Namespaces:   &ecsv1alpha1.NamespaceSelector{Names: []string{"apps"}},
			AWS:          ecsv1alpha1.AWSIdentity{AccountID: anAccount, RoleARN: "arn:aws:iam::111122223333:role/ecsrelease-mumbai", ExternalID: "secret"},
			Destinations: []ecsv1alpha1.Destination{{Region: "ap-south-1", Clusters: []string{"*"}, Services: []string{"*"}}},
		},
	}
	if change != nil {
		change(&environment.Spec)
	}
	return environment
}

func TestGlobsMatchTheWholeName(t *testing.T) {
	for _, c := range []struct {
		glob, name string
		want       bool
	}{
		{"backend", "backend", true},
		{"backend", "backend2", false},
		{"backend", "abackend", false},
		{"*", "", true},
		{"*", "anything-at-all", true},
		{"**", "anything", true},
		{"helium-*", "helium-backend", true},
		{"helium-*", "helium-", true},
		{"helium-*", "helium", false},
		{"helium-*", "my-helium-backend", false},
		{"*-worker", "mail-worker", true},
		{"*-worker", "mail-worker-2", false},
		{"ap-*-1", "ap-south-1", true},
		{"ap-*-1", "ap-south-2", false},
		{"a*b*c", "abc", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "acb", false},
		{"ab*ba", "aba", false},
		{"ab*ba", "abba", true},
		{"a*a", "a", false},
		{"", "", true},
		{"", "backend", false},
		{"back.nd", "backend", false},
		{"[a-z]*", "backend", false},
		{"backen?", "backend", false},
	} {
		if got := globMatch(c.glob, c.name); got != c.want {
			t.Errorf("%q matches %q: %v, want %v", c.glob, c.name, got, c.want)
		}
	}
}

func TestANamespaceIsSelectedByNameOrByAllLabels(t *testing.T) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "apps", Labels: map[string]string{"team": "red", "stage": "", "kubernetes.io/metadata.name": "apps"}}}
	for name, c := range map[string]struct {
		selector *ecsv1alpha1.NamespaceSelector
		want     bool
	}{
		"nobody by an absent selector":             {nil, false},
		"nobody by an empty selector":              {&ecsv1alpha1.NamespaceSelector{}, false},
		"nobody by an empty map":                   {&ecsv1alpha1.NamespaceSelector{MatchLabels: map[string]string{}}, false},
		"by name":                                  {&ecsv1alpha1.NamespaceSelector{Names: []string{"other", "apps"}}, true},
		"names are no globs":                       {&ecsv1alpha1.NamespaceSelector{Names: []string{"app*", "*"}}, false},
		"by a label":                               {&ecsv1alpha1.NamespaceSelector{MatchLabels: map[string]string{"team": "red"}}, true},
		"by all labels":                            {&ecsv1alpha1.NamespaceSelector{MatchLabels: map[string]string{"team": "red", "stage": ""}}, true},
		"not by one label of two":                  {&ecsv1alpha1.NamespaceSelector{MatchLabels: map[string]string{"team": "red", "stage": "prod"}}, false},
		"not by a label that it lacks":             {&ecsv1alpha1.NamespaceSelector{MatchLabels: map[string]string{"owner": ""}}, false},
		"by name although the labels say no":       {&ecsv1alpha1.NamespaceSelector{Names: []string{"apps"}, MatchLabels: map[string]string{"team": "blue"}}, true},
		"by its labels although names it does not": {&ecsv1alpha1.NamespaceSelector{Names: []string{"other"}, MatchLabels: map[string]string{"team": "red"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := selects(c.selector, namespace); got != c.want {
				t.Errorf("selected: %v, want %v", got, c.want)
			}
		})
	}
}

func TestANamespaceBelongsToExactlyOneEnvironment(t *testing.T) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "apps", Labels: map[string]string{"team": "red"}}}
	named := func(name string, selector ecsv1alpha1.NamespaceSelector) ecsv1alpha1.EcsEnvironment {
		environment := anEnvironment(func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Namespaces = &selector })
		environment.Name = name
		return *environment
	}
	byName := named("by-name", ecsv1alpha1.NamespaceSelector{Names: []string{"apps"}})
	byLabel := named("by-label", ecsv1alpha1.NamespaceSelector{MatchLabels: map[string]string{"team": "red"}})
	another := named("another", ecsv1alpha1.NamespaceSelector{Names: []string{"other"}})

	t.Run("one", func(t *testing.T) {
		found, problem := environmentOf(namespace, []ecsv1alpha1.EcsEnvironment{another, byLabel})
		if problem != nil || found == nil || found.Name != "by-label" {
			t.Errorf("found %v, %v; want by-label", found, problem)
		}
	})
	t.Run("none", func(t *testing.T) {
		found, problem := environmentOf(namespace, []ecsv1alpha1.EcsEnvironment{another})
		if found != nil || problem == nil || problem.Reason != ecsv1alpha1.ReasonNoEnvironment || !strings.Contains(problem.Message, `"apps"`) {
			t.Errorf("found %v, %v; want %s and the namespace named", found, problem, ecsv1alpha1.ReasonNoEnvironment)
		}
		if problem.Delay() {
			t.Error("it would pass by itself, but only an admin can end it")
		}
	})
	t.Run("two, named in the order of the alphabet whatever the order of the list", func(t *testing.T) {
		for _, list := range [][]ecsv1alpha1.EcsEnvironment{{byName, another, byLabel}, {byLabel, byName}} {
			found, problem := environmentOf(namespace, list)
			if found != nil || problem == nil || problem.Reason != ecsv1alpha1.ReasonAmbiguousEnvironment || !strings.Contains(problem.Message, "by-label, by-name") {
				t.Errorf("found %v, %v; want %s and both named", found, problem, ecsv1alpha1.ReasonAmbiguousEnvironment)
			}
		}
	})
}

func TestTheDestinationThatCoversAServiceSaysAsWhom(t *testing.T) {
	target := ecsv1alpha1.Target{Name: "mumbai", Region: "ap-south-1", Cluster: "helium-mumbai-cluster"}
	override := &ecsv1alpha1.AWSIdentity{AccountID: twinAccount, RoleARN: "arn:aws:iam::444455556666:role/twin"}
	own := cloud.Identity{AccountID: anAccount, RoleARN: "arn:aws:iam::111122223333:role/ecsrelease-mumbai", ExternalID: "secret", Environment: "mumbai"}
	twin := cloud.Identity{AccountID: twinAccount, RoleARN: "arn:aws:iam::444455556666:role/twin", Environment: "mumbai"}
	all := ecsv1alpha1.Destination{Region: "*", Clusters: []string{"*"}, Services: []string{"*"}}
	foreign := all
	foreign.AWS = override
	same := all
	same.AWS = &ecsv1alpha1.AWSIdentity{AccountID: own.AccountID, RoleARN: own.RoleARN, ExternalID: own.ExternalID}

	for name, c := range map[string]struct {
		destinations []ecsv1alpha1.Destination
		want         cloud.Identity
		reason       string
	}{
		"nowhere":                             {nil, cloud.Identity{}, ecsv1alpha1.ReasonNotPermitted},
		"another region":                      {[]ecsv1alpha1.Destination{{Region: "us-*", Clusters: []string{"*"}, Services: []string{"*"}}}, cloud.Identity{}, ecsv1alpha1.ReasonNotPermitted},
		"another cluster":                     {[]ecsv1alpha1.Destination{{Region: "*", Clusters: []string{"*-staging-cluster"}, Services: []string{"*"}}}, cloud.Identity{}, ecsv1alpha1.ReasonNotPermitted},
		"another service":                     {[]ecsv1alpha1.Destination{{Region: "*", Clusters: []string{"*"}, Services: []string{"worker", "mail-*"}}}, cloud.Identity{}, ecsv1alpha1.ReasonNotPermitted},
		"no service at all":                   {[]ecsv1alpha1.Destination{{Region: "*", Clusters: []string{"*"}}}, cloud.Identity{}, ecsv1alpha1.ReasonNotPermitted},
		"the environment's":                   {[]ecsv1alpha1.Destination{all}, own, ""},
		"the destination's own, wholly":       {[]ecsv1alpha1.Destination{foreign}, twin, ""},
		"two that agree":                      {[]ecsv1alpha1.Destination{all, same}, own, ""},
		"two that differ":                     {[]ecsv1alpha1.Destination{all, foreign}, cloud.Identity{}, ecsv1alpha1.ReasonIdentityConflict},
		"two that differ, but only one of it": {[]ecsv1alpha1.Destination{{Region: "us-*", Clusters: []string{"*"}, Services: []string{"*"}}, foreign}, twin, ""},
	} {
		t.Run(name, func(t *testing.T) {
			environment := anEnvironment(func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Destinations = c.destinations })
			got, problem := identityFor(environment, target, "backend")
			if got != c.want {
				t.Errorf("the identity is %+v, want %+v", got, c.want)
			}
			reason := ""
			if problem != nil {
				reason = problem.Reason
				for _, part := range []string{"target mumbai", `"mumbai"`, `"backend"`, `"helium-mumbai-cluster"`, "ap-south-1"} {
					if !strings.Contains(problem.Message, part) {
						t.Errorf("the message does not name %s: %s", part, problem.Message)
					}
				}
			}
			if reason != c.reason {
				t.Errorf("the reason is %q, want %q", reason, c.reason)
			}
		})
	}
}

func TestATargetIsInOneAccount(t *testing.T) {
	environment := anEnvironment(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Destinations = []ecsv1alpha1.Destination{
			{Region: "*", Clusters: []string{"*"}, Services: []string{"backend"}},
			{Region: "*", Clusters: []string{"*"}, Services: []string{"worker"}, AWS: &ecsv1alpha1.AWSIdentity{AccountID: twinAccount}},
		}
	})
	release := aRelease(func(spec *ecsv1alpha1.EcsReleaseSpec) {
		spec.Services = []ecsv1alpha1.Service{{Name: "backend"}, {Name: "worker"}}
	})
	p := &pass{release: release, environment: environment, services: place(release, environment)}
	problem := p.admit()
	if problem == nil || problem.Reason != ecsv1alpha1.ReasonIdentityConflict ||
		!strings.Contains(problem.Message, anAccount) || !strings.Contains(problem.Message, twinAccount) || !strings.Contains(problem.Message, "target mumbai") {
		t.Fatalf("the problem is %v, want %s with target and both accounts named", problem, ecsv1alpha1.ReasonIdentityConflict)
	}

	t.Run("split into two targets of one cluster it is well", func(t *testing.T) {
		split := aRelease(func(spec *ecsv1alpha1.EcsReleaseSpec) {
			spec.Services = nil
			spec.Targets = []ecsv1alpha1.Target{
				{Name: "one", Region: "ap-south-1", Cluster: "c", Services: []ecsv1alpha1.Service{{Name: "backend"}}},
				{Name: "two", Region: "ap-south-1", Cluster: "c", Services: []ecsv1alpha1.Service{{Name: "worker"}}},
			}
		})
		p := &pass{release: split, environment: environment, services: place(split, environment)}
		if problem := p.admit(); problem != nil {
			t.Errorf("refused: %v", problem)
		}
	})
}

func TestTwoTargetsMayShareAClusterButNotAService(t *testing.T) {
	environment := anEnvironment(nil)
	release := aRelease(func(spec *ecsv1alpha1.EcsReleaseSpec) {
		spec.Services = []ecsv1alpha1.Service{{Name: "backend"}}
		spec.Targets = []ecsv1alpha1.Target{
			{Name: "one", Region: "ap-south-1", Cluster: "c"},
			{Name: "two", Region: "ap-south-1", Cluster: "c", Services: []ecsv1alpha1.Service{{Name: "worker"}, {Name: "backend"}}},
		}
	})
	p := &pass{release: release, environment: environment, services: place(release, environment)}
	problem := p.admit()
	if problem == nil || problem.Reason != ecsv1alpha1.ReasonDuplicateService || !strings.Contains(problem.Message, "one and two") || !strings.Contains(problem.Message, `"backend"`) {
		t.Errorf("the problem is %v, want %s with targets and service named", problem, ecsv1alpha1.ReasonDuplicateService)
	}
}

func TestAnEnvironmentThatIsNotOursYetIsLookedAtAgain(t *testing.T) {
	ours, err := labels.Parse("team=a")
	if err != nil {
		t.Fatal(err)
	}
	for team, want := range map[string]bool{"a": true, "b": false} {
		environment := anEnvironment(nil)
		environment.Labels = map[string]string{"team": team}
		if got := (&Ownership{Selector: ours}).notYet(environment); (got.RequeueAfter > 0) != want {
			t.Errorf("of team %s it is looked at again after %s", team, got.RequeueAfter)
		}
	}
}

func TestStatusSaysHowFarTheQuotasStretchASweep(t *testing.T) {
	for name, c := range map[string]struct {
		said, now, want time.Duration
	}{
		"in time":                             {0, 0, 0},
		"in time again":                       {10 * time.Minute, 0, 0},
		"for the first time":                  {0, 11*time.Minute + 20*time.Second, 11 * time.Minute},
		"a little more than it was":           {10 * time.Minute, 11*time.Minute + 20*time.Second, 10 * time.Minute},
		"a little less":                       {10 * time.Minute, 8*time.Minute + 30*time.Second, 10 * time.Minute},
		"much more":                           {10 * time.Minute, 20 * time.Minute, 20 * time.Minute},
		"much less":                           {20 * time.Minute, 10 * time.Minute, 10 * time.Minute},
		"with a sweep interval of 10 seconds": {0, 31400 * time.Millisecond, 31 * time.Second},
	} {
		if got := stretched(c.said, c.now); got != c.want {
			t.Errorf("%s: it is %s, wanted %s", name, got, c.want)
		}
	}
	s := &survey{environment: anEnvironment(nil), namespaces: []string{"apps"}, sweep: 11 * time.Minute, every: 5 * time.Minute}
	status := s.status()
	ready := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReady)
	if ready == nil || ready.Status != metav1.ConditionTrue || !strings.Contains(ready.Message, "about every 11m0s, wanted every 5m0s") {
		t.Errorf("Ready is %+v, wanted it to say how often", ready)
	}
	if status.SweepSeconds != 660 || status.InFlightSeconds != 0 {
		t.Errorf("sweepSeconds is %d, inFlightSeconds %d", status.SweepSeconds, status.InFlightSeconds)
	}
}

func TestStatusSaysHowFarTheQuotasStretchLooksAtWhatIsInFlight(t *testing.T) {
	for name, c := range map[string]struct {
		sweep time.Duration
		says  string
	}{
		"nothing else":    {0, "of 1 namespaces are managed; services in flight are looked at about every 50s, less often than --in-flight-interval says: the share"},
		"and sweeps with": {11 * time.Minute, "less often than --in-flight-interval says, and settled services are looked at about every 11m0s, wanted every 5m0s: the share"},
	} {
		s := &survey{environment: anEnvironment(nil), namespaces: []string{"apps"}, flight: 50 * time.Second, sweep: c.sweep, every: 5 * time.Minute}
		status := s.status()
		ready := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReady)
		if ready == nil || ready.Status != metav1.ConditionTrue || !strings.Contains(ready.Message, c.says) {
			t.Errorf("%s: Ready is %+v, wanted it to say %q", name, ready, c.says)
		}
		if status.InFlightSeconds != 50 {
			t.Errorf("%s: inFlightSeconds is %d", name, status.InFlightSeconds)
		}
	}
}

// An environment has room for 128 endpoints, each with whether it leads to its services and, if not, the
// hop that is in the way.
func TestStatusSaysWhichWaysInLeadToTheirServices(t *testing.T) {
	s := &survey{environment: anEnvironment(nil), namespaces: []string{"apps"}, every: 5 * time.Minute}
	for range 130 {
		s.endpoints = append(s.endpoints, &ecsv1alpha1.EcsEndpoint{
			ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "api"}, Spec: ecsv1alpha1.EcsEndpointSpec{Hostname: "api.heliumai.space"},
		})
	}
	s.endpoints[1].Status = ecsv1alpha1.EcsEndpointStatus{Hop: "Certificate in ap-south-1", Conditions: []metav1.Condition{
		{Type: ecsv1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: ecsv1alpha1.ReasonBroken, Message: "it expired"},
	}}
	said := s.status().Endpoints
	if len(said) != 128 {
		t.Fatalf("%d endpoints, want 128", len(said))
	}
	want := []ecsv1alpha1.EndpointSummary{
		{Namespace: "apps", Name: "api", Hostname: "api.heliumai.space"}, // not looked at yet
		{Namespace: "apps", Name: "api", Hostname: "api.heliumai.space", Ready: metav1.ConditionFalse, Reason: ecsv1alpha1.ReasonBroken, Hop: "Certificate in ap-south-1"},
	}
	if diff := cmp.Diff(want, said[:2]); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
}

func TestImagesWithoutAHostComeFromTheEnvironmentsRegistry(t *testing.T) {
	identity := cloud.Identity{AccountID: twinAccount}
	if got := registryOf(anEnvironment(nil), identity); got != twinAccount {
		t.Errorf("by default the registry is %s, want that of the service's own account %s", got, twinAccount)
	}
	shared := anEnvironment(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Images = &ecsv1alpha1.ImagePolicy{RegistryAccountID: "777788889999"}
	})
	if got := registryOf(shared, identity); got != "777788889999" {
		t.Errorf("the registry is %s, want the environment's 777788889999", got)
	}
}

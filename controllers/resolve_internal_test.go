package controllers

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
)

const (
	digestOne = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	digestTwo = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

// aRelease is a release of one service to one target, generation 1, that was seen before.
func aRelease(change func(*ecsv1alpha1.EcsReleaseSpec)) *ecsv1alpha1.EcsRelease {
	release := &ecsv1alpha1.EcsRelease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "backend", UID: "uid-1", Generation: 1, CreationTimestamp: metav1.Unix(1000, 0)},
		Spec: ecsv1alpha1.EcsReleaseSpec{
			Image:    "helium-backend:v1",
			Services: []ecsv1alpha1.Service{{Name: "backend"}},
			Targets:  []ecsv1alpha1.Target{{Name: "mumbai", Region: "ap-south-1", Cluster: "helium-mumbai-cluster"}},
		},
		Status: ecsv1alpha1.EcsReleaseStatus{Conditions: []metav1.Condition{{Type: ecsv1alpha1.ConditionReady}}},
	}
	if change != nil {
		change(&release.Spec)
	}
	return release
}

func TestAReconcileTokenIsActedOnOnce(t *testing.T) {
	for name, c := range map[string]struct {
		token   string
		handled *ecsv1alpha1.HandledCommands
		unseen  bool
		want    bool
	}{
		"none":                          {"", nil, false, false},
		"none any more":                 {"", &ecsv1alpha1.HandledCommands{Reconcile: "1"}, false, false},
		"the first":                     {"1", nil, false, true},
		"another":                       {"2", &ecsv1alpha1.HandledCommands{Reconcile: "1"}, false, true},
		"the same again":                {"1", &ecsv1alpha1.HandledCommands{Reconcile: "1"}, false, false},
		"one of a backup":               {"1", nil, true, false},
		"longer than status can hold":   {strings.Repeat("x", 300), nil, false, true},
		"the same again, as it is held": {strings.Repeat("x", 300), &ecsv1alpha1.HandledCommands{Reconcile: strings.Repeat("x", 256)}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			release := aRelease(nil)
			if c.token != "" {
				release.Annotations = map[string]string{ecsv1alpha1.AnnotationReconcile: c.token}
			}
			release.Status.Handled = c.handled
			if c.unseen {
				release.Status = ecsv1alpha1.EcsReleaseStatus{ObservedGeneration: -1}
			}
			if got := newToken(release); got != c.want {
				t.Errorf("it is new: %v, want %v", got, c.want)
			}
			if c.token == "" {
				return
			}
			release.Status.Handled = handledBy(release)
			release.Status.Conditions = []metav1.Condition{{Type: ecsv1alpha1.ConditionReady}}
			if newToken(release) {
				t.Errorf("after a pass that echoed %q it is new again", release.Status.Handled.Reconcile)
			}
		})
	}
}

// handledBy are the tokens that a pass over the release echoes.
func handledBy(release *ecsv1alpha1.EcsRelease) *ecsv1alpha1.HandledCommands {
	p := &pass{release: release, before: release.Status, ledger: ledgerOf(release.Status)}
	p.obey(nil)
	return p.ledger.Handled
}

func TestAnEchoOutlivesItsAnnotation(t *testing.T) {
	release := aRelease(nil)
	release.Status.Handled = &ecsv1alpha1.HandledCommands{Reconcile: "1"}
	if got := handledBy(release); got == nil || got.Reconcile != "1" {
		t.Errorf("without the annotation status.handled is %+v, want what it was", got)
	}
}

func TestADigestIsFrozenForTheImageThatItWasFoundFor(t *testing.T) {
	missing := metav1.Unix(2000, 0)
	release := aRelease(nil)
	release.Status.Images = []ecsv1alpha1.ResolvedImage{{Image: "helium-backend:v1", Digest: digestOne, MissingSince: &missing}}

	images, problem := wantedImages(release)
	if problem != nil || len(images) != 1 || images[0].digest != digestOne || !images[0].missingSince.Equal(missing.Time) {
		t.Fatalf("found %+v, %v; want the frozen digest", images, problem)
	}
	release.Spec.Image = "helium-backend:v2"
	if images, _ = wantedImages(release); images[0].digest != "" || !images[0].missingSince.IsZero() {
		t.Errorf("another tag has the digest %q and is missing since %s, want nothing of the first", images[0].digest, images[0].missingSince)
	}
	release.Spec.Image = "helium-backend:v1@" + digestTwo
	if images, _ = wantedImages(release); images[0].digest != digestTwo {
		t.Errorf("the digest is %q, want the one that is spelled out", images[0].digest)
	}
}

func TestEveryImageIsReadAndTheFirstMistakeTold(t *testing.T) {
	release := aRelease(func(spec *ecsv1alpha1.EcsReleaseSpec) {
		spec.Image = ""
		spec.Containers = []ecsv1alpha1.ContainerImage{{Name: "app", Image: "app:v1"}, {Name: "bad", Image: "UPPER:v1"}, {Name: "worse", Image: "nothing"}}
	})
	images, problem := wantedImages(release)
	if len(images) != 3 || images[0].container != "app" || images[0].reference.Repository != "app" {
		t.Errorf("images: %+v", images)
	}
	if problem == nil || problem.Reason != ecsv1alpha1.ReasonInvalidImage || !strings.Contains(problem.Message, "UPPER") {
		t.Errorf("the problem is %v, want %s for UPPER:v1", problem, ecsv1alpha1.ReasonInvalidImage)
	}
}

func TestServicesAreInTheOrderOfTheSpec(t *testing.T) {
	release := aRelease(func(spec *ecsv1alpha1.EcsReleaseSpec) {
		spec.Services = []ecsv1alpha1.Service{{Name: "worker"}, {Name: "backend"}}
		spec.Targets = []ecsv1alpha1.Target{
			{Name: "z", Region: "us-east-1", Cluster: "c"},
			{Name: "a", Region: "ap-south-1", Cluster: "c", Services: []ecsv1alpha1.Service{{Name: "mail"}}},
		}
	})
	var got []string
	for _, s := range place(release, nil) {
		got = append(got, s.name())
	}
	if diff := cmp.Diff([]string{"z/worker", "z/backend", "a/mail"}, got); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"us-east-1/c/worker", "us-east-1/c/backend", "ap-south-1/c/mail"}, placesOf(release)); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

// remembered are targets of a status in which every service has its place as its hash.
func remembered(targets ...ecsv1alpha1.TargetStatus) []ecsv1alpha1.TargetStatus {
	for i := range targets {
		for j := range targets[i].Services {
			s := &targets[i].Services[j]
			s.Hash = strings.Join([]string{targets[i].AccountID, targets[i].Region, targets[i].Cluster, s.Name}, "/")
		}
	}
	return targets
}

// recalled are the hashes that the services of a release are given from a status.
func recalled(environment *ecsv1alpha1.EcsEnvironment, release *ecsv1alpha1.EcsRelease, targets []ecsv1alpha1.TargetStatus) []string {
	services := place(release, environment)
	recall(services, targets)
	hashes := make([]string, 0, len(services))
	for _, s := range services {
		hashes = append(hashes, s.memory.Hash)
	}
	return hashes
}

func TestMemoryIsMatchedByWhereAServiceIs(t *testing.T) {
	const here = anAccount + "/ap-south-1/helium-mumbai-cluster/backend"
	status := func(account string) []ecsv1alpha1.TargetStatus {
		return remembered(ecsv1alpha1.TargetStatus{
			Name: "mumbai", AccountID: account, Region: "ap-south-1", Cluster: "helium-mumbai-cluster",
			Services: []ecsv1alpha1.ServiceStatus{{Name: "worker"}, {Name: "backend"}},
		})
	}
	for name, c := range map[string]struct {
		change      func(*ecsv1alpha1.EcsReleaseSpec)
		environment *ecsv1alpha1.EcsEnvironment
		account     string // in status
		want        string
	}{
		"the same":                    {nil, anEnvironment(nil), anAccount, here},
		"the target is renamed":       {func(s *ecsv1alpha1.EcsReleaseSpec) { s.Targets[0].Name = "india" }, anEnvironment(nil), anAccount, here},
		"the target names it itself":  {func(s *ecsv1alpha1.EcsReleaseSpec) { s.Targets[0].Services = s.Services; s.Services = nil }, anEnvironment(nil), anAccount, here},
		"the environment is gone":     {nil, nil, anAccount, here},
		"the account was not known":   {nil, anEnvironment(nil), "", "/ap-south-1/helium-mumbai-cluster/backend"},
		"never was it known":          {nil, nil, "", "/ap-south-1/helium-mumbai-cluster/backend"},
		"another region":              {func(s *ecsv1alpha1.EcsReleaseSpec) { s.Targets[0].Region = "us-east-1" }, nil, anAccount, ""},
		"another cluster":             {func(s *ecsv1alpha1.EcsReleaseSpec) { s.Targets[0].Cluster = "other" }, anEnvironment(nil), anAccount, ""},
		"another service":             {func(s *ecsv1alpha1.EcsReleaseSpec) { s.Services[0].Name = "mail" }, anEnvironment(nil), anAccount, ""},
		"the same names elsewhere":    {nil, anEnvironment(func(s *ecsv1alpha1.EcsEnvironmentSpec) { s.AWS.AccountID = twinAccount }), anAccount, ""},
		"no destination covers it":    {nil, anEnvironment(func(s *ecsv1alpha1.EcsEnvironmentSpec) { s.Destinations = nil }), anAccount, here},
		"another role of the account": {nil, anEnvironment(func(s *ecsv1alpha1.EcsEnvironmentSpec) { s.AWS.RoleARN = "" }), anAccount, here},
	} {
		t.Run(name, func(t *testing.T) {
			got := recalled(c.environment, aRelease(c.change), status(c.account))
			if diff := cmp.Diff([]string{c.want}, got); diff != "" {
				t.Errorf("recalled (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMemoryIsNotSharedWithTheStatusItCameFrom(t *testing.T) {
	targets := remembered(ecsv1alpha1.TargetStatus{
		Name: "mumbai", AccountID: anAccount, Region: "ap-south-1", Cluster: "helium-mumbai-cluster",
		Services: []ecsv1alpha1.ServiceStatus{{Name: "backend", Intent: &ecsv1alpha1.Intent{Hash: "h"}}},
	})
	services := place(aRelease(nil), anEnvironment(nil))
	recall(services, targets)
	services[0].memory.Intent.Hash = "changed"
	if targets[0].Services[0].Intent.Hash != "h" {
		t.Error("changing the memory changes the status that the patch is computed from")
	}
}

func TestAServiceThatIsNotRememberedHasItsName(t *testing.T) {
	services := place(aRelease(nil), anEnvironment(nil))
	recall(services, nil)
	if diff := cmp.Diff(ecsv1alpha1.ServiceStatus{Name: "backend"}, services[0].memory); diff != "" {
		t.Errorf("memory (-want +got):\n%s", diff)
	}
}

func TestTheOlderOfTwoReleasesOwnsAService(t *testing.T) {
	mine := aRelease(nil)
	for name, c := range map[string]struct {
		change func(*ecsv1alpha1.EcsRelease)
		want   bool
	}{
		"an earlier one":                   {func(r *ecsv1alpha1.EcsRelease) { r.CreationTimestamp = metav1.Unix(999, 0) }, true},
		"a later one":                      {func(r *ecsv1alpha1.EcsRelease) { r.CreationTimestamp = metav1.Unix(1001, 0) }, false},
		"one of the same second, before":   {func(r *ecsv1alpha1.EcsRelease) { r.Name = "a" }, true},
		"one of the same second, after":    {func(r *ecsv1alpha1.EcsRelease) { r.Name = "z" }, false},
		"one of a namespace that is first": {func(r *ecsv1alpha1.EcsRelease) { r.Namespace, r.Name = "aaa", "z" }, true},
		"an earlier one that is going": {func(r *ecsv1alpha1.EcsRelease) {
			r.CreationTimestamp = metav1.Unix(999, 0)
			r.DeletionTimestamp = &metav1.Time{Time: time.Unix(1002, 0)}
		}, false},
		"itself": {func(r *ecsv1alpha1.EcsRelease) { r.UID, r.CreationTimestamp = mine.UID, metav1.Unix(1, 0) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			other := aRelease(nil)
			other.UID = types.UID("uid-2")
			c.change(other)
			if got := older(other, mine); got != c.want {
				t.Errorf("it is older: %v, want %v", got, c.want)
			}
			if other.DeletionTimestamp == nil && other.UID != mine.UID && older(mine, other) == c.want {
				t.Error("both, or neither, of the two are the older one")
			}
		})
	}
}

// inputs is the fingerprint of what a release asks of its first service.
func inputs(release *ecsv1alpha1.EcsRelease, environment *ecsv1alpha1.EcsEnvironment, digests ...string) string {
	images, _ := wantedImages(release)
	for i, digest := range digests {
		images[i].digest = digest
	}
	p := &pass{release: release, images: images, services: place(release, environment)}
	return p.inputsOf(p.services[0])
}

func TestTheFingerprintOfWhatIsAskedChangesOnlyWithIt(t *testing.T) {
	base := inputs(aRelease(nil), anEnvironment(nil), digestOne)
	if len(base) != 16 {
		t.Fatalf("the fingerprint is %q, want 16 digits", base)
	}
	containers := func(names ...string) func(*ecsv1alpha1.EcsReleaseSpec) {
		return func(s *ecsv1alpha1.EcsReleaseSpec) { s.Services[0].ContainerNames = names }
	}
	for name, c := range map[string]struct {
		change      func(*ecsv1alpha1.EcsReleaseSpec)
		environment func(*ecsv1alpha1.EcsEnvironmentSpec)
		digest      string
		same        bool
	}{
		"a renamed target": {change: func(s *ecsv1alpha1.EcsReleaseSpec) { s.Targets[0].Name = "india" }, digest: digestOne, same: true},
		"one target more":  {change: func(s *ecsv1alpha1.EcsReleaseSpec) { s.Targets = append(s.Targets, s.Targets[0]) }, digest: digestOne, same: true},
		"a suspended one":  {change: func(s *ecsv1alpha1.EcsReleaseSpec) { s.Suspend = true }, digest: digestOne, same: true},
		"another role":     {environment: func(s *ecsv1alpha1.EcsEnvironmentSpec) { s.AWS.RoleARN = "" }, digest: digestOne, same: true},
		"the default pin": {change: func(s *ecsv1alpha1.EcsReleaseSpec) {
			s.TaskDefinition = &ecsv1alpha1.TaskDefinitionPolicy{Pin: ecsv1alpha1.PinDigest}
		}, digest: digestOne, same: true},
		"another tag of it":  {change: func(s *ecsv1alpha1.EcsReleaseSpec) { s.Image = "helium-backend:latest" }, digest: digestOne, same: true},
		"another digest":     {digest: digestTwo},
		"another repository": {change: func(s *ecsv1alpha1.EcsReleaseSpec) { s.Image = "helium-worker:v1" }, digest: digestOne},
		"another region":     {change: func(s *ecsv1alpha1.EcsReleaseSpec) { s.Targets[0].Region = "us-east-1" }, environment: func(s *ecsv1alpha1.EcsEnvironmentSpec) { s.Destinations[0].Region = "*" }, digest: digestOne},
		"another registry": {environment: func(s *ecsv1alpha1.EcsEnvironmentSpec) {
			s.Images = &ecsv1alpha1.ImagePolicy{RegistryAccountID: twinAccount}
		}, digest: digestOne},
		"named containers": {change: containers("app"), digest: digestOne},
		"the tag pinned": {change: func(s *ecsv1alpha1.EcsReleaseSpec) {
			s.TaskDefinition = &ecsv1alpha1.TaskDefinitionPolicy{Pin: ecsv1alpha1.PinTag}
		}, digest: digestOne},
	} {
		t.Run(name, func(t *testing.T) {
			got := inputs(aRelease(c.change), anEnvironment(c.environment), c.digest)
			if (got == base) != c.same {
				t.Errorf("the fingerprint is %s, before %s; want the same: %v", got, base, c.same)
			}
		})
	}
	one := inputs(aRelease(containers("app", "proxy")), anEnvironment(nil), digestOne)
	two := inputs(aRelease(containers("proxy", "app")), anEnvironment(nil), digestOne)
	if one != two {
		t.Error("the order of containerNames, which is a set, counts")
	}
}

func TestNothingIsAskedWhileADigestIsNotKnown(t *testing.T) {
	if got := inputs(aRelease(nil), anEnvironment(nil)); got != "" {
		t.Errorf("without a digest the fingerprint is %q, want none", got)
	}
	two := aRelease(func(spec *ecsv1alpha1.EcsReleaseSpec) {
		spec.Image = ""
		spec.Containers = []ecsv1alpha1.ContainerImage{{Name: "app", Image: "app:v1"}, {Name: "proxy", Image: "proxy:v1"}}
	})
	if got := inputs(two, anEnvironment(nil), digestOne, ""); got != "" {
		t.Errorf("with one digest of two the fingerprint is %q, want none", got)
	}
	tag := aRelease(func(s *ecsv1alpha1.EcsReleaseSpec) {
		s.TaskDefinition = &ecsv1alpha1.TaskDefinitionPolicy{Pin: ecsv1alpha1.PinTag}
	})
	if got := inputs(tag, anEnvironment(nil)); got == "" {
		t.Error("a tag that is written as it is needs no digest, but there is no fingerprint")
	}
}

func TestImagesAreWrittenAsTheRegionTakesThem(t *testing.T) {
	release := aRelease(func(spec *ecsv1alpha1.EcsReleaseSpec) {
		spec.Image = ""
		spec.Containers = []ecsv1alpha1.ContainerImage{{Name: "app", Image: "team/app:v1"}, {Name: "proxy", Image: "docker.io/library/nginx:1@" + digestTwo}}
	})
	images, _ := wantedImages(release)
	images[0].digest = digestOne
	p := &pass{release: release, images: images}
	s := &service{registry: anAccount, key: cloud.Key{Region: "ap-south-1"}}
	want := map[string]string{
		"app":   anAccount + ".dkr.ecr.ap-south-1.amazonaws.com/team/app@" + digestOne,
		"proxy": "docker.io/library/nginx@" + digestTwo,
	}
	if diff := cmp.Diff(want, p.imagesFor(s)); diff != "" {
		t.Errorf("pinned by digest (-want +got):\n%s", diff)
	}
	release.Spec.TaskDefinition = &ecsv1alpha1.TaskDefinitionPolicy{Pin: ecsv1alpha1.PinTag}
	if got, want := p.imagesFor(s)["app"], anAccount+".dkr.ecr.ap-south-1.amazonaws.com/team/app:v1"; got != want {
		t.Errorf("pinned by tag it is %s, want %s", got, want)
	}
}

func TestThePlaceOfAServiceIsTheSameInEveryRelease(t *testing.T) {
	one := aRelease(nil)
	two := aRelease(func(spec *ecsv1alpha1.EcsReleaseSpec) {
		spec.Targets[0].Name = "another-name"
		spec.Targets[0].Services = []ecsv1alpha1.Service{{Name: "mail"}, {Name: "backend"}}
	})
	if !slices.ContainsFunc(placesOf(two), func(place string) bool { return slices.Contains(placesOf(one), place) }) {
		t.Errorf("the index does not find what the two share: %v, %v", placesOf(one), placesOf(two))
	}
}

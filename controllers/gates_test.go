package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim/seed"
)

const branchLabel = "git.branch"

// govern changes the world's environment, as an admin does.
func (w *world) govern(change func(*ecsv1alpha1.EcsEnvironmentSpec)) {
	w.t.Helper()
	environment := w.governed()
	before := environment.DeepCopy()
	change(&environment.Spec)
	w.must(w.client.Patch(w.t.Context(), environment, client.MergeFrom(before)))
}

// governed is the world's environment as it is.
func (w *world) governed() *ecsv1alpha1.EcsEnvironment {
	w.t.Helper()
	var environment ecsv1alpha1.EcsEnvironment
	w.must(w.client.Get(w.t.Context(), key{Name: w.namespace}, &environment))
	return &environment
}

// awaitEnvironment polls the world's environment until a condition has the reason, with all of these
// words in the message.
func (w *world) awaitEnvironment(kind, reason string, words ...string) *ecsv1alpha1.EcsEnvironment {
	w.t.Helper()
	var environment *ecsv1alpha1.EcsEnvironment
	w.eventually(kind+" of the environment with reason "+reason, func() error {
		environment = w.governed()
		seen := meta.FindStatusCondition(environment.Status.Conditions, kind)
		if seen == nil || seen.Reason != reason || seen.ObservedGeneration != environment.Generation {
			return fmt.Errorf("it is %+v", seen)
		}
		return lacks(seen.Message, words)
	})
	return environment
}

// built puts an image with a label for its branch under a tag of helium-backend.
func (w *world) built(tag, branch string) string {
	w.t.Helper()
	return w.pushImage(repository, tag, seed.Image{
		Platforms: []string{"linux/arm64/v8"}, Attestation: true, Labels: map[string]string{branchLabel: branch},
	})
}

func ofBranch(branches ...string) func(*ecsv1alpha1.EcsEnvironmentSpec) {
	return func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Images = &ecsv1alpha1.ImagePolicy{RequireLabels: map[string]ecsv1alpha1.LabelValues{branchLabel: branches}}
	}
}

func TestAnImageOfAnotherBranchIsRefusedForGood(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.built("v2", "kartik-stg")
	w.push("v3")
	digest := w.built("v4", "migrated-demo2")
	w.serve(desired("backend"))
	w.govern(ofBranch("migrated-demo2"))
	release := w.apply("helium-backend:v2")
	w.stalled(release, ecsv1alpha1.ReasonNotPermitted, `git.branch="kartik-stg"`, "migrated-demo2", "linux/arm64", w.namespace)
	w.bump(release, "helium-backend:v3")
	w.stalled(release, ecsv1alpha1.ReasonNotPermitted, "has no label git.branch")
	w.changed(0, 0)
	w.bump(release, "helium-backend:v4")
	w.ready(release)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	w.changed(1, 1)
}

func TestWhatRunsIsNotJudgedAgain(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	release := w.apply("helium-backend:v1")
	w.ready(release)
	w.govern(ofBranch("migrated-demo2"))
	w.poke(release, "look")
	w.ready(release)
	w.changed(0, 0)
}

func TestAnImageIsPromotedByItselfWhenItHasSoaked(t *testing.T) {
	production := newWorld(t)
	staging := openWorld(t)
	for _, w := range []*world{production, staging} {
		w.push("v1")
		w.push("v2")
		w.serve(desired("backend"))
	}
	soakFor := func(soak time.Duration) {
		production.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Promotion = &ecsv1alpha1.Promotion{From: staging.namespace, SoakSeconds: int32(soak / time.Second)}
		})
	}
	soakFor(time.Hour)
	released := production.apply("helium-backend:v2")
	r := production.says(released, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonAwaitingPromotion, "helium-backend:v2", staging.namespace, "it has not")
	production.check(condition(r, ecsv1alpha1.ConditionStalled).Status == "absent", "it is Stalled")
	production.changed(0, 0)

	begun := time.Now()
	staged := staging.apply("helium-backend:v2")
	staging.ready(staged)
	production.says(released, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonAwaitingPromotion, "starts here by itself at ")
	production.changed(0, 0)
	soak := time.Since(begun).Truncate(time.Second) + 3*time.Second
	soakFor(soak)
	// A newer image in staging does not take the proof away, but what has not soaked does not go on soaking.
	production.ready(released)
	production.changed(1, 1)
	proven := staging.governed().Status.Proven
	staging.check(slices.ContainsFunc(proven, func(p ecsv1alpha1.ProvenDigest) bool {
		return p.Service == "backend" && p.Since != nil && time.Since(p.Since.Time) >= soak
	}), "it went to production before it had soaked: %+v", proven)
}

func TestAReleaseStartsOnlyInsideOfTheWindows(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.push("v2")
	w.push("v3")
	w.serve(desired("backend"))
	release := w.apply("helium-backend:v1")
	w.ready(release)
	w.bump(release, "helium-backend:v2")
	w.ready(release)
	w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Windows = []ecsv1alpha1.Window{{Effect: ecsv1alpha1.WindowDeny, Schedule: "0 0 * * *", DurationSeconds: 2 * 86400, TimeZone: "Asia/Kolkata"}}
	})
	w.bump(release, "helium-backend:v3")
	r := w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonOutsideWindow, `"0 0 * * *"`, "Asia/Kolkata")
	w.check(service(r, "mumbai/backend").Reason == ecsv1alpha1.ReasonOutsideWindow, "the service is %+v", service(r, "mumbai/backend"))
	w.changed(1, 1)

	// What goes back does not wait.
	w.change(release, func(r *ecsv1alpha1.EcsRelease) {
		r.Annotations = map[string]string{ecsv1alpha1.AnnotationHold: "now/1"}
	})
	w.says(release, ecsv1alpha1.ConditionHeld, ecsv1alpha1.ReasonHeld, "release 1")
	w.eventually("the service to be back on v1", func() error {
		if on := service(w.get(release), "mumbai/backend").Revision; on != "helium-backend:1" {
			return fmt.Errorf("it has %s", on)
		}
		return nil
	})
	w.change(release, func(r *ecsv1alpha1.EcsRelease) {
		r.Annotations = map[string]string{ecsv1alpha1.AnnotationReleaseHold: "now"}
	})
	w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonOutsideWindow)
	w.changed(1, 2)

	w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Windows = nil })
	w.ready(release)
}

func TestAnEnvironmentThatCannotBeUnderstoodStartsNothingAndSaysSo(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.push("v2")
	w.serve(desired("backend"))
	w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Promotion = &ecsv1alpha1.Promotion{From: "nowhere-at-all"}
	})
	release := w.apply("helium-backend:v2")
	w.stalled(release, ecsv1alpha1.ReasonInvalidEnvironment, "nowhere-at-all", w.namespace)
	w.awaitEnvironment(ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonInvalidEnvironment, "nowhere-at-all")
	w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Promotion = nil
		spec.Windows = []ecsv1alpha1.Window{{Effect: ecsv1alpha1.WindowAllow, Schedule: "0 9 * * *", DurationSeconds: 3600, TimeZone: "Asia/Atlantis"}}
	})
	w.stalled(release, ecsv1alpha1.ReasonInvalidEnvironment, "Asia/Atlantis")
	w.awaitEnvironment(ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonInvalidEnvironment, "Asia/Atlantis")
	w.changed(0, 0)
}

func TestAPermissionThatIsWithdrawnInTheMiddleOfARolloutEndsIt(t *testing.T) {
	for name, withdraw := range map[string]func(w *world){
		"a destination": func(w *world) {
			w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Destinations[0].Clusters = []string{cluster} })
		},
		"the repository": func(w *world) {
			w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
				spec.Images = &ecsv1alpha1.ImagePolicy{Repositories: []string{"another"}}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.push("v1", home, abroad)
			w.push("v2", home, abroad)
			w.serve(desired("backend"))
			w.serveIn(abroad, "helium-singapore-cluster", desired("backend"))
			release := w.apply("helium-backend:v2", inBoth, func(r *ecsv1alpha1.EcsRelease) {
				r.Spec.Targets[1].Wave = 1
				r.Spec.Strategy = &ecsv1alpha1.Strategy{Approval: ecsv1alpha1.ApprovalEveryWave}
			})
			r := w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonAwaitingApproval)
			approve := func(id string) {
				w.change(release, func(r *ecsv1alpha1.EcsRelease) { r.Annotations = map[string]string{ecsv1alpha1.AnnotationApprove: id} })
			}
			approve(r.Status.Awaiting[0].ID)
			w.eventually("the second wave to wait", func() error {
				r = w.get(release)
				if len(r.Status.Awaiting) != 1 || *r.Status.Awaiting[0].Wave != 1 {
					return fmt.Errorf("it is %+v", r.Status.Awaiting)
				}
				return nil
			})
			withdraw(w)
			approve(r.Status.Awaiting[0].ID)
			w.stalled(release, ecsv1alpha1.ReasonNotPermitted, w.namespace)
			w.changed(1, 1)
			w.arrives(home, cluster, "backend", "helium-backend:2") // what runs is left as it is
		})
	}
}

func TestAnEnvironmentShowsWhatRunsWhere(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	digest := w.push("v2")
	w.serve(desired("backend"))
	release := w.apply("helium-backend:v2")
	w.ready(release)
	environment := w.awaitEnvironment(ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonValid)
	w.eventually("the release in the environment's status", func() error {
		environment = w.governed()
		if environment.Status.Summary != "1/1 Ready" {
			return fmt.Errorf("it is %+v", environment.Status)
		}
		return nil
	})
	status := environment.Status
	w.check(slices.Equal(status.Namespaces, []string{w.namespace}), "its namespaces are %v", status.Namespaces)
	r := status.Releases[0]
	w.check(r.Namespace == w.namespace && r.Name == release.Name && r.Ready == metav1.ConditionTrue && r.Images[0].Digest == digest && r.Images[0].Image == "helium-backend:v2", "the release is %+v", r)
	w.eventually("its identity to be known", func() error {
		environment = w.governed()
		accounts := environment.Status.Accounts
		if len(accounts) != 1 || accounts[0].ActualAccountID != w.account || accounts[0].Message != "" {
			return fmt.Errorf("it is %+v", accounts)
		}
		return nil
	})
	w.awaitEnvironment(ecsv1alpha1.ConditionCredentialsReady, ecsv1alpha1.ReasonVerifiedAccount)

	endpoint := &ecsv1alpha1.EcsEndpoint{ObjectMeta: metav1.ObjectMeta{Name: "api", Namespace: w.namespace}, Spec: ecsv1alpha1.EcsEndpointSpec{
		Hostname: "api.heliumai.space",
		Regions:  []ecsv1alpha1.EndpointRegion{{Region: home, Services: []ecsv1alpha1.EndpointService{{Cluster: cluster, Name: "backend"}}}},
	}}
	w.must(w.client.Create(w.t.Context(), endpoint))
	w.eventually("the way in in the environment's status", func() error {
		ways := w.governed().Status.Endpoints
		if len(ways) != 1 || ways[0].Name != "api" || ways[0].Namespace != w.namespace || ways[0].Hostname != "api.heliumai.space" {
			return fmt.Errorf("it is %+v", ways)
		}
		return nil
	})
	w.must(w.client.Delete(w.t.Context(), endpoint))
	w.eventually("it to be gone again", func() error {
		if ways := w.governed().Status.Endpoints; len(ways) != 0 {
			return fmt.Errorf("it is %+v", ways)
		}
		return nil
	})

	w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.AWS.AccountID = "123412341234" })
	w.awaitEnvironment(ecsv1alpha1.ConditionCredentialsReady, ecsv1alpha1.ReasonAccountMismatch, w.account, "123412341234")
	w.check(w.governed().Status.Accounts[0].ActualAccountID == w.account, "the account is %+v", w.governed().Status.Accounts)
	w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.AWS.AccountID = w.account })
	w.deny("sts:AssumeRole")
	w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.AWS.ExternalID = "another" })
	w.awaitEnvironment(ecsv1alpha1.ConditionCredentialsReady, ecsv1alpha1.ReasonAccessDenied, "sts:AssumeRole")
	w.awaitEnvironment(ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonAccessDenied)
}

func TestAnEnvironmentSaysWhatAnAdminHasToMend(t *testing.T) {
	w := newWorld(t)
	w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Namespaces.Names = []string{"does-not-exist-" + w.namespace}
	})
	w.awaitEnvironment(ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonNoNamespaces)
	w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Namespaces.Names = []string{w.namespace} })
	w.awaitEnvironment(ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonValid)

	second := w.environment()
	second.Name += "-again"
	w.must(w.client.Create(t.Context(), second))
	w.awaitEnvironment(ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonAmbiguousEnvironment, w.namespace)
	w.must(w.client.Delete(t.Context(), second))
	w.awaitEnvironment(ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonValid)

	w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		other := spec.AWS
		other.ExternalID = "another"
		spec.Destinations = append(spec.Destinations, ecsv1alpha1.Destination{Region: home, Clusters: []string{"*-cluster"}, Services: []string{"*"}, AWS: &other})
	})
	w.awaitEnvironment(ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonIdentityConflict, "spec.destinations[0] and [1]")
	w.check(strings.HasSuffix(w.governed().Status.Summary, "0 Ready"), "the summary is %q", w.governed().Status.Summary)
}

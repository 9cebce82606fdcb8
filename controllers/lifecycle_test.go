package controllers_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
)

func TestASuspendedReleaseStartsNothingAndTellsTheTruth(t *testing.T) {
	w, release, _ := released(t)
	w.change(release, func(r *ecsv1alpha1.EcsRelease) { r.Spec.Suspend = true })
	w.ready(release) // it runs v2, suspended or not

	digest := w.push("v3")
	w.bump(release, "helium-backend:v3")
	r := w.says(release, ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonSuspended, "0/1 services run helium-backend:v3", "mumbai/backend")
	w.check(condition(r, ecsv1alpha1.ConditionReady).Status == "False" && condition(r, ecsv1alpha1.ConditionReconciling).Status == "True", "the conditions are %+v", r.Status.Conditions)
	w.check(r.Status.Images[0].Digest == digest, "the image was not looked up")
	w.sweeps(3)
	w.changed(1, 1)

	w.change(release, func(r *ecsv1alpha1.EcsRelease) { r.Spec.Suspend = false })
	w.ready(release)
	w.changed(2, 2)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
}

func TestASuspendedReleaseReportsHowItsDeploymentEnds(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	slow := w.push("v2")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageSlowStart, Image: "*" + slow, Seconds: 200})
	release := w.apply("helium-backend:v2")
	w.await(release, "v2 being deployed", deploying)
	w.change(release, func(r *ecsv1alpha1.EcsRelease) { r.Spec.Suspend = true })
	w.ready(release)
	w.changed(1, 1)
}

func TestDeletingAReleaseLeavesWhatRuns(t *testing.T) {
	w, release, digest := released(t)
	w.must(w.client.Delete(t.Context(), w.get(release)))
	w.eventually("the release gone at once, without a finalizer", func() error {
		if err := w.client.Get(t.Context(), release, &ecsv1alpha1.EcsRelease{}); client.IgnoreNotFound(err) != nil || err == nil {
			return fmt.Errorf("reading it: %w", err)
		}
		return nil
	})
	w.quiet()
	theirs := w.register(home, cluster, "backend", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].Image = aws.String(w.image(home, ":v1"))
	})
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	w.update(home, &ecs.UpdateServiceInput{TaskDefinition: &theirs})
	w.arrives(home, cluster, "backend", theirs)
	w.runs(home, cluster, "backend", w.image(home, ":v1")) // nobody takes it back
	w.changed(1, 1)
}

// quiet waits until the controller has stopped to ask about the world's account: when the
// shared manager has swept elsewhere twice, and here not once.
func (w *world) quiet() {
	w.t.Helper()
	other := newNeighbour(w)
	w.eventually("no more calls", func() error {
		from := w.now()
		other.sweeps(2)
		if calls := w.callsSince(from, ""); len(calls) > 0 {
			return fmt.Errorf("there was %s", calls[0].Operation)
		}
		return nil
	})
}

// newNeighbour is a world beside w with a release in it, for whom the manager keeps sweeping.
func newNeighbour(w *world) *world {
	w.t.Helper()
	n := openWorld(w.t)
	n.push("v1")
	n.serve(desired("backend"))
	n.ready(n.apply("helium-backend:v1"))
	return n
}

func TestTakingATargetOutLeavesWhatRunsThere(t *testing.T) {
	w := newWorld(t)
	w.push("v1", home, abroad)
	w.serve(desired("backend"))
	w.serveIn(abroad, "helium-singapore-cluster", desired("backend"))
	digest := w.push("v2", home, abroad)
	release := w.apply("helium-backend:v2", inBoth)
	w.ready(release)
	w.change(release, func(r *ecsv1alpha1.EcsRelease) { r.Spec.Targets = r.Spec.Targets[:1] })
	w.ready(release)
	w.push("v3", home)
	w.bump(release, "helium-backend:v3")
	r := w.ready(release)
	w.check(len(r.Status.Targets) == 1 && r.Status.Progress == "1/1 services", "status has %d targets, progress %s", len(r.Status.Targets), r.Status.Progress)
	w.changed(3, 3)
	w.runs(abroad, "helium-singapore-cluster", "backend", w.image(abroad, "@"+digest))
}

func TestATargetThatIsRenamedKeepsItsMemory(t *testing.T) {
	w, release, _ := released(t)
	before := service(w.get(release), "mumbai/backend")
	w.change(release, func(r *ecsv1alpha1.EcsRelease) { r.Spec.Targets[0].Name = "india" })
	r := w.ready(release)
	after := service(r, "india/backend")
	w.check(after.Registered == before.Registered && after.Hash == before.Hash && after.Proven != nil && before.Proven != nil && after.Proven.Since.Equal(&before.Proven.Since),
		"the memory became %+v, it was %+v", after, before)
	w.check(len(r.Status.History) == 1, "history is %+v", r.Status.History)
	w.sweeps(3)
	w.changed(1, 1)
}

func TestAFailureIsRememberedUnderAnotherTargetName(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: "*" + w.push("v2")})
	release := w.apply("helium-backend:v2")
	w.stalled(release, ecsv1alpha1.ReasonContainerExited)
	w.change(release, func(r *ecsv1alpha1.EcsRelease) { r.Spec.Targets[0].Name = "india" })
	w.stalled(release, ecsv1alpha1.ReasonContainerExited, "india/backend")
	w.sweeps(3)
	w.changed(1, 1)
}

func TestAReleaseGoesOnWhenItsEnvironmentComesBack(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	slow := w.push("v2")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageSlowStart, Image: "*" + slow, Seconds: 300})
	release := w.apply("helium-backend:v2")
	w.await(release, "v2 being deployed", deploying)
	deployment := service(w.get(release), "mumbai/backend").Deployment

	w.must(w.client.Delete(t.Context(), w.environment()))
	r := w.stalled(release, ecsv1alpha1.ReasonNoEnvironment, w.namespace)
	kept := service(r, "mumbai/backend").Deployment
	w.check(kept != nil && kept.Primary == deployment.Primary, "the deployment was forgotten: %+v", kept)
	w.must(w.client.Create(t.Context(), w.environment()))
	r = w.ready(release)
	w.changed(1, 1)
	w.check(service(r, "mumbai/backend").Source == ecsv1alpha1.SourceReleased, "the service is %+v", service(r, "mumbai/backend"))
	w.check(len(r.Status.History) == 1 && r.Status.History[0].Outcome == ecsv1alpha1.OutcomeReleased, "history is %+v", r.Status.History)
}

func TestANamespaceIsSelectedByItsLabels(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	w.changeEnvironment(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Namespaces = &ecsv1alpha1.NamespaceSelector{MatchLabels: map[string]string{"tests.heliumai.space/tier": w.namespace}}
	})
	release := w.apply("helium-backend:v1")
	w.stalled(release, ecsv1alpha1.ReasonNoEnvironment)
	w.label("tests.heliumai.space/tier", w.namespace)
	w.ready(release)
}

func TestTheYoungerOfTwoReleasesOfAServiceLetsGo(t *testing.T) {
	w, older, digest := released(t)
	w.push("v3")
	younger := w.apply("helium-backend:v3", named("another"))
	w.stalled(younger, ecsv1alpha1.ReasonServiceConflict, `"backend"`, cluster, older.String())
	w.sweeps(3)
	w.changed(1, 1)
	w.check(isReady(w.get(older)) == nil, "the older is %+v", condition(w.get(older), "Ready"))
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))

	w.must(w.client.Delete(context.Background(), w.get(older)))
	w.ready(younger)
	w.changed(2, 2)
	w.check(!slices.Contains(w.changes(), "DeleteService"), "a service was deleted")
}

// A clean-up deregisters our old revision; going back to its image then takes a new one.
func TestGoingBackToADeregisteredRevisionRegistersItsContentOnceMore(t *testing.T) {
	w, release, v2 := released(t)
	registered := service(w.get(release), "mumbai/backend").Registered
	w.push("v3")
	w.bump(release, "helium-backend:v3")
	w.ready(release)
	_, err := w.ecs(home).DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String(registered)})
	w.must(err)
	w.bump(release, "helium-backend:v2")
	w.ready(release)
	w.runs(home, cluster, "backend", w.image(home, "@"+v2))
}

// What was registered but not deployed yet may be deregistered by then.
func TestARevisionThatIsDeregisteredBeforeItsUpdateIsRegisteredOnceMore(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	digest := w.push("v2")
	fault, err := w.sim.AddFault(awssim.Fault{Account: w.account, Operation: "UpdateService", Throttle: true})
	w.must(err)
	release := w.apply("helium-backend:v2")
	var registered string
	w.await(release, "a revision registered", func(r *ecsv1alpha1.EcsRelease) error {
		registered = service(r, "mumbai/backend").Registered
		if registered == "" {
			return fmt.Errorf("none yet")
		}
		return nil
	})
	_, err = w.ecs(home).DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String(registered)})
	w.must(err)
	w.sim.RemoveFault(fault)
	w.ready(release)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
}

// An image and back within seconds: ECS lists the earlier deployment of the revision first.
func TestAnImageAndBackAgainWithinSecondsBecomesReady(t *testing.T) {
	w, release, _ := released(t)
	v3 := w.push("v3")
	w.push("v4")
	w.bump(release, "helium-backend:v3")
	w.await(release, "v3 being deployed", deploying)
	w.bump(release, "helium-backend:v4")
	w.await(release, "v4 being deployed", func(r *ecsv1alpha1.EcsRelease) error {
		if d := service(r, "mumbai/backend").Deployment; d == nil || d.Revision != "helium-backend:4" || d.Outcome != "" {
			return fmt.Errorf("the deployment is %+v", d)
		}
		return nil
	})
	w.bump(release, "helium-backend:v3")
	w.ready(release)
	w.runs(home, cluster, "backend", w.image(home, "@"+v3))
	w.changed(3, 4)
}

func TestAnImageThatNobodyLookedForIsNotSaidToBeThere(t *testing.T) {
	w := newWorld(t)
	w.leave()
	release := w.apply("helium-backend@sha256:0000000000000000000000000000000000000000000000000000000000000000")
	w.stalled(release, ecsv1alpha1.ReasonNoEnvironment)
	if c := condition(w.get(release), ecsv1alpha1.ConditionImageAvailable); c.Status != "Unknown" {
		t.Errorf("ImageAvailable is %+v, want Unknown", c)
	}
}

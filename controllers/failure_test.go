package controllers_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
)

func TestADeploymentIsFollowedAlthoughTheImagesAskedForSinceCannotBe(t *testing.T) {
	w := newWorld(t)
	w.push("v1", home, abroad)
	bad := w.push("v2", home, abroad)
	w.serve(desired("backend"))
	w.serveIn(abroad, "helium-singapore-cluster", desired("backend"))
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: bad, ExitCode: 3, AfterSeconds: 5})
	release := w.apply("helium-backend:v2", inBoth)
	w.await(release, "both to be deployed", func(r *ecsv1alpha1.EcsRelease) error {
		for _, name := range []string{"mumbai/backend", "singapore/backend"} {
			if s := service(r, name); s.State != ecsv1alpha1.ServiceDeploying {
				return fmt.Errorf("%s is %s", name, s.State)
			}
		}
		return nil
	})
	// The same tag is another image in each region.
	w.pushImage(repository, "v3", seed.Image{Platforms: []string{"linux/arm64/v8"}}, home)
	w.pushImage(repository, "v3", seed.Image{Platforms: []string{"linux/arm64/v8"}, Attestation: true}, abroad)
	w.bump(release, "helium-backend:v3")
	w.says(release, ecsv1alpha1.ConditionStalled, ecsv1alpha1.ReasonImageMismatch)
	w.await(release, "what failed meanwhile to be known", func(r *ecsv1alpha1.EcsRelease) error {
		for _, name := range []string{"mumbai/backend", "singapore/backend"} {
			if s := service(r, name); s.Deployment == nil || s.Deployment.Outcome != ecsv1alpha1.DeploymentFailed {
				return fmt.Errorf("%s is %+v", name, s)
			}
		}
		return nil
	})
}

func TestARollbackByECSIsAFailureThatIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	w.alone()
	w.push("v1")
	w.serve(desired("backend"))
	w.serve(desired("worker"))
	bad := w.push("v2")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Service: "worker", Image: bad, ExitCode: 3, AfterSeconds: 1})
	release := w.apply("helium-backend:v2", running("backend", "worker"))

	r := w.stalled(release, ecsv1alpha1.ReasonContainerExited, "mumbai/worker", "helium-worker:2", "exited with code 3", "0/2 services run helium-backend:v2")
	failure := r.Status.Failure
	if failure == nil || failure.Class != ecsv1alpha1.FailureContainerExited || failure.Target != "mumbai" || failure.Service != "worker" {
		t.Fatalf("failure is %+v, wanted ContainerExited of mumbai/worker", failure)
	}
	w.must(lacks(failure.Message, []string{"helium-worker:2", "circuit breaker", "exited with code 3"}))
	if len(failure.Tasks) == 0 || failure.Tasks[0].StopCode != "EssentialContainerExited" || len(failure.Tasks[0].Results) == 0 || aws.ToInt32(failure.Tasks[0].Results[0].ExitCode) != 3 {
		t.Errorf("the evidence is %+v, wanted a task whose container exited with code 3", failure.Tasks)
	}
	w.check(len(failure.Events) > 0 && failure.CircuitBreaker != nil && failure.CircuitBreaker.Failed > 0, "the evidence is %+v", failure)
	w.check(r.Status.History[0].Outcome == ecsv1alpha1.OutcomeRolledBack, "the outcome is %s", r.Status.History[0].Outcome)
	w.event("Warning Failed: service mumbai/worker failed with helium-backend:v2 (ContainerExited)")
	w.event("Warning RollingBack: service mumbai/backend")
	w.event("Normal RolledBack: service mumbai/backend is back on helium-backend:1")
	w.event("Warning Stalled: ")
	w.steady(home, cluster, "worker")
	for _, name := range []string{"backend", "worker"} {
		w.runs(home, cluster, name, w.image(home, ":v1"))
		s := service(r, "mumbai/"+name)
		w.check(s.State == ecsv1alpha1.ServiceRolledBack && s.Revision == s.Proven.Revision, "%s is %+v", name, s)
	}
	w.registered(2)

	made := w.changes()
	still := func() {
		t.Helper()
		if now := w.changes(); !slices.Equal(now, made) {
			t.Errorf("the failed image was tried again: %v after %v", now[len(made):], made)
		}
	}
	w.sweeps(5)
	still()
	w.stays(w.poke(release, "look-again"), ecsv1alpha1.ReasonContainerExited)
	still()
	w.manager.stop()
	w.restart()
	w.sweeps(5)
	w.stays(w.poke(release, "and-again"), ecsv1alpha1.ReasonContainerExited)
	still()

	fixed := w.push("v3")
	w.bump(release, "helium-backend:v3")
	r = w.ready(release)
	w.registered(4)
	w.runs(home, cluster, "backend", w.image(home, "@"+fixed))
	w.runs(home, cluster, "worker", w.image(home, "@"+fixed))
	w.check(r.Status.Failure == nil, "the failure is still there: %+v", r.Status.Failure)
	if remembered := service(r, "mumbai/worker").Failed; len(remembered) != 1 || remembered[0].Class != ecsv1alpha1.FailureContainerExited {
		t.Errorf("what failed before is remembered as %+v", remembered)
	}
}

// What DescribeServices shows lags behind ECS's record of the deployment, which tells of the failure first.
func TestEventsThatAServiceShowsLateComeIntoItsFailure(t *testing.T) {
	w := newWorld(t)
	w.alone()
	w.push("v1")
	w.serve(desired("backend"))
	release := w.apply("helium-backend:v1", running("backend"))
	w.ready(release)
	bad := w.push("v2")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: bad, ExitCode: 3, AfterSeconds: 1})
	fault, err := w.sim.AddFault(awssim.Fault{Account: w.account, Principal: "*:assumed-role/*", Operation: "DescribeServices", Staleness: 15 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	w.bump(release, "helium-backend:v2")
	early := w.await(release, "the failure to be known", func(r *ecsv1alpha1.EcsRelease) error {
		if r.Status.Failure == nil {
			return errors.New("there is none yet")
		}
		return nil
	}).Status.Failure
	w.check(len(early.Events) == 0 && len(early.Tasks) > 0, "the evidence is %+v, wanted what is known at once", early)
	w.sim.RemoveFault(fault)
	late := w.await(release, "the events to be there", func(r *ecsv1alpha1.EcsRelease) error {
		if f := r.Status.Failure; f == nil || len(f.Events) == 0 {
			return fmt.Errorf("the failure is %+v", f)
		}
		return nil
	}).Status.Failure
	early.Events = late.Events
	w.check(equality.Semantic.DeepEqual(early, late), "the failure became %+v, wanted what it was, %+v, with the events", late, early)
}

// registered checks how often the controller registered a task definition.
func (w *world) registered(n int) {
	w.t.Helper()
	if err := w.wantCalls("RegisterTaskDefinition", n); err != nil {
		w.t.Errorf("%v\n%s", err, w.tell())
	}
}

// stays checks that the release is stalled for that reason.
func (w *world) stays(r *ecsv1alpha1.EcsRelease, reason string) {
	w.t.Helper()
	w.check(condition(r, ecsv1alpha1.ConditionStalled).Reason == reason, "Stalled is %+v, wanted %s", condition(r, ecsv1alpha1.ConditionStalled), reason)
}

// strategy is a change of release: its strategy.
func strategy(s ecsv1alpha1.Strategy) func(*ecsv1alpha1.EcsRelease) {
	return func(r *ecsv1alpha1.EcsRelease) { r.Spec.Strategy = &s }
}

func TestWhatFailedIsLeftAsItIsWhereTheReleaseSaysSo(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	w.serve(desired("worker"))
	bad := w.push("v2")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Service: "worker", Image: bad})
	release := w.apply("helium-backend:v2", running("backend", "worker"), strategy(ecsv1alpha1.Strategy{OnFailure: ecsv1alpha1.FailureHold}))
	r := w.stalled(release, ecsv1alpha1.ReasonContainerExited, "mumbai/worker", "not tried again")
	w.check(r.Status.History[0].Outcome == ecsv1alpha1.OutcomeFailed, "the outcome is %s", r.Status.History[0].Outcome)
	w.arrives(home, cluster, "backend", "helium-backend:2")
	w.sweeps(5)
	w.changed(2, 2)
	w.runs(home, cluster, "backend", w.image(home, "@"+bad))
}

func TestADeploymentThatECSStopsWithoutRollingBackIsBroughtBack(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	bad := w.push("v2")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: bad})
	s := w.describe(home, cluster, "backend")
	s.DeploymentConfiguration.DeploymentCircuitBreaker.Rollback = false
	w.update(home, &ecs.UpdateServiceInput{DeploymentConfiguration: s.DeploymentConfiguration})
	release := w.apply("helium-backend:v2")
	w.stalled(release, ecsv1alpha1.ReasonContainerExited, "mumbai/backend")
	w.sweeps(5)
	w.changed(1, 2)
	w.runs(home, cluster, "backend", w.image(home, ":v1"))
}

// Every way in which images fail, with the class that it is told as.
func TestWhyAnImageFailedIsTold(t *testing.T) {
	for reason, behavior := range map[string]awssim.ImageBehavior{
		ecsv1alpha1.ReasonImagePull:    {Kind: awssim.ImagePullFail, Message: "CannotPullContainerError: pull image manifest has been retried 5 time(s)"},
		ecsv1alpha1.ReasonOutOfMemory:  {Kind: awssim.ImageOutOfMemory},
		ecsv1alpha1.ReasonResourceInit: {Kind: awssim.ImagePullFail, Message: "ResourceInitializationError: unable to pull secrets or registry auth"},
		ecsv1alpha1.ReasonPlacement:    {Kind: awssim.ImagePlacementFail},
	} {
		t.Run(reason, func(t *testing.T) {
			w := newWorld(t)
			w.push("v1")
			w.serve(desired("backend"))
			behavior.Image = "*" + w.push("v2")
			w.behave(behavior)
			release := w.apply("helium-backend:v2")
			r := w.stalled(release, reason, "mumbai/backend")
			w.check(r.Status.Failure != nil && string(r.Status.Failure.Class) == reason, "failure is %+v", r.Status.Failure)
			w.runs(home, cluster, "backend", w.image(home, ":v1"))
			w.registered(1)
		})
	}
}

func TestADeploymentWithoutProgressFailsByTheDeadline(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(seed.Service{Name: "backend", Desired: 2, NoBreaker: true})
	stuck := w.push("v2")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageSlowStart, Image: "*@" + stuck, Seconds: 360_000})
	release := w.apply("helium-backend:v2", strategy(ecsv1alpha1.Strategy{ProgressDeadlineSeconds: aws.Int32(60)}))
	w.await(release, "Deploying", func(r *ecsv1alpha1.EcsRelease) error {
		s := service(r, "mumbai/backend")
		if s.State != ecsv1alpha1.ServiceDeploying || s.Deployment == nil || s.Deployment.Desired == 0 {
			return fmt.Errorf("the service is %s, its deployment %+v", s.State, s.Deployment)
		}
		return nil
	})
	// Status is where the controller remembers when there was progress: let that be an hour ago.
	w.eventually("a status from an hour ago", func() error {
		r := w.get(release)
		before := r.DeepCopy()
		r.Status.Targets[0].Services[0].Deployment.Progressed = metav1.NewTime(time.Now().Add(-time.Hour))
		return w.client.Status().Patch(w.t.Context(), r, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	})
	r := w.stalled(release, ecsv1alpha1.ReasonDeadline, "mumbai/backend", "no progress for 1m0s", "0/2 tasks run")
	w.check(r.Status.Failure != nil && r.Status.Failure.Class == ecsv1alpha1.FailureDeadline && r.Status.Failure.Service == "backend", "failure is %+v", r.Status.Failure)
	w.check(len(w.calls("StopServiceDeployment")) == 1, "ECS was told to stop %d times", len(w.calls("StopServiceDeployment")))
	w.arrives(home, cluster, "backend", "helium-backend:1")
	w.registered(1)

	w.push("v3")
	w.bump(release, "helium-backend:v3")
	w.ready(release)
	w.registered(2)
}

// leavesNothing has a service stop what it runs before it starts something else, so that a rollback
// has to start tasks anew.
func (w *world) leavesNothing(service string) {
	w.t.Helper()
	config := w.describe(home, cluster, service).DeploymentConfiguration
	config.MinimumHealthyPercent, config.MaximumPercent = aws.Int32(0), aws.Int32(100)
	w.update(home, &ecs.UpdateServiceInput{Service: &service, DeploymentConfiguration: config})
	w.shows(service, func(s ecstypes.Service) bool { return aws.ToInt32(s.DeploymentConfiguration.MaximumPercent) == 100 })
}

func TestNothingIsStartedWhileECSRollsBack(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	w.leavesNothing("backend")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageSlowStart, Image: "*:v1", Seconds: 2500})
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: "*" + w.push("v2")})
	release := w.apply("helium-backend:v2")
	w.says(release, ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonRollingBack)
	digest := w.push("v3")
	w.bump(release, "helium-backend:v3")
	w.eventually("reason RollbackInProgress", func() error {
		if !w.witness.saw(w.namespace, ecsv1alpha1.ReasonRollbackInProgress) {
			return fmt.Errorf("Ready says %+v", condition(w.get(release), ecsv1alpha1.ConditionReady))
		}
		return nil
	})
	w.ready(release)
	w.changed(2, 2)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	rolledBack := w.serviceDeployment("helium-backend:2")
	w.check(rolledBack.Status == ecstypes.ServiceDeploymentStatusRollbackSuccessful, "the rollback ended as %s", rolledBack.Status)
}

// serviceDeployment is the newest record that ECS keeps of a deployment of a revision of backend.
func (w *world) serviceDeployment(revision string) ecstypes.ServiceDeployment {
	w.t.Helper()
	client := w.ecs(home)
	listed, err := client.ListServiceDeployments(w.t.Context(), &ecs.ListServiceDeploymentsInput{Cluster: aws.String(cluster), Service: aws.String("backend")})
	w.must(err)
	for _, brief := range listed.ServiceDeployments {
		targets, err := client.DescribeServiceRevisions(w.t.Context(), &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{aws.ToString(brief.TargetServiceRevisionArn)}})
		w.must(err)
		if short(aws.ToString(targets.ServiceRevisions[0].TaskDefinition)) != revision {
			continue
		}
		found, err := client.DescribeServiceDeployments(w.t.Context(), &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{aws.ToString(brief.ServiceDeploymentArn)}})
		w.must(err)
		return found.ServiceDeployments[0]
	}
	w.t.Fatalf("ECS records no deployment of %s", revision)
	return ecstypes.ServiceDeployment{}
}

func TestANewImageSupersedesOneThatIsBeingDeployed(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	slow := w.push("v2")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageSlowStart, Image: slow, Seconds: 3600})
	release := w.apply("helium-backend:v2")
	w.await(release, "v2 being deployed", func(r *ecsv1alpha1.EcsRelease) error {
		if s := service(r, "mumbai/backend"); s.State != ecsv1alpha1.ServiceDeploying {
			return fmt.Errorf("the service is %s", s.State)
		}
		return nil
	})
	digest := w.push("v3")
	w.bump(release, "helium-backend:v3")
	r := w.ready(release)
	w.changed(2, 2)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	w.check(r.Status.History[0].Outcome == ecsv1alpha1.OutcomeReleased && r.Status.History[1].Outcome == ecsv1alpha1.OutcomeSuperseded,
		"the outcomes are %s after %s", r.Status.History[0].Outcome, r.Status.History[1].Outcome)
}

// shapes gives a service its deployment configuration and waits until ECS shows it.
func (w *world) shapes(s ecstypes.Service) {
	w.t.Helper()
	w.update(home, &ecs.UpdateServiceInput{Service: s.ServiceName, DeploymentConfiguration: s.DeploymentConfiguration})
	w.shows(aws.ToString(s.ServiceName), func(now ecstypes.Service) bool {
		return now.DeploymentConfiguration.DeploymentCircuitBreaker.Rollback == s.DeploymentConfiguration.DeploymentCircuitBreaker.Rollback
	})
}

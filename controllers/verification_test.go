package controllers_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// verified is a change of release: its checks.
func verified(checks ...ecsv1alpha1.Verification) func(*ecsv1alpha1.EcsRelease) {
	return func(r *ecsv1alpha1.EcsRelease) { r.Spec.Verification = checks }
}

// answers is a check that asks http://app.example.com/healthz of the target's load balancers.
func answers(within int32) ecsv1alpha1.Verification {
	return ecsv1alpha1.Verification{HTTP: &ecsv1alpha1.HTTPCheck{
		URL: "http://app.example.com/healthz?token=" + canary, Successes: aws.Int32(2), WithinSeconds: &within,
	}}
}

// healthyWithin is a check of target groups.
func healthyWithin(within int32) ecsv1alpha1.Verification {
	return ecsv1alpha1.Verification{TargetHealth: &ecsv1alpha1.TargetHealthCheck{WithinSeconds: &within}}
}

// balanced is a world with a service of v1 behind a load balancer.
func balanced(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.push("v1")
	w.serve(seed.Service{Name: "backend", Desired: 2, Balanced: w.balance(seed.Balancer{Name: "helium"})})
	return w
}

func TestAReleaseIsVerifiedThroughItsLoadBalancersBeforeItIsReady(t *testing.T) {
	w := balanced(t)
	w.alone()
	release := w.apply("helium-backend:v1", verified(answers(60), healthyWithin(60)))
	w.ready(release)
	digest := w.push("v2")
	w.bump(release, "helium-backend:v2")
	r := w.ready(release)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	c := condition(r, ecsv1alpha1.ConditionVerified)
	w.check(c.Status == "True" && c.Reason == ecsv1alpha1.ReasonVerified, "Verified is %+v", c)
	target := r.Status.Targets[0]
	w.check(target.Verified != nil && target.Verification == "", "the target is verified at %v: %s", target.Verified, target.Verification)
	w.check(wave(r, 0).Verified != nil, "the wave is %+v", wave(r, 0))
	w.check(w.witness.saw(w.namespace, ecsv1alpha1.ReasonVerifying), "it was never said to be verified")
	w.settles(release)
	before := w.get(release).ResourceVersion
	w.sweeps(3)
	w.check(w.get(release).ResourceVersion == before, "a verified release was written again")
}

func TestAnImageThatAnswersWronglyIsBroughtBack(t *testing.T) {
	w := balanced(t)
	release := w.apply("helium-backend:v1", verified(answers(3)))
	w.ready(release)
	bad := w.push("v2")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageErrors, Image: "*" + bad, HTTPStatus: 503})
	w.bump(release, "helium-backend:v2")
	r := w.stalled(release, ecsv1alpha1.ReasonVerification, "not passed within 3s", "http://app.example.com/healthz", "it answered 503, wanted 200")
	failure := r.Status.Failure
	w.check(failure != nil && failure.Class == ecsv1alpha1.FailureVerification && failure.Target == "mumbai", "failure is %+v", failure)
	w.check(r.Status.History[0].Outcome == ecsv1alpha1.OutcomeRolledBack, "the outcome is %s", r.Status.History[0].Outcome)
	w.event("Warning Failed: service mumbai/backend failed with helium-backend:v2 (Verification)")
	w.runs(home, cluster, "backend", w.image(home, ":v1"))
	w.registered(1)
	w.sweeps(3)
	w.changed(1, 2)
}

func TestACheckThatCannotBeMadeDoesNotPass(t *testing.T) {
	for name, c := range map[string]struct {
		check ecsv1alpha1.Verification
		says  string
	}{
		"a service without a load balancer": {answers(1), "no service of the target has an application load balancer"},
		"a service without a target group":  {healthyWithin(1), "no service of the target has a target group"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.push("v1")
			w.serve(desired("backend"))
			w.push("v2")
			release := w.apply("helium-backend:v2", verified(c.check), strategy(ecsv1alpha1.Strategy{OnFailure: ecsv1alpha1.FailureHold}))
			w.stalled(release, ecsv1alpha1.ReasonVerification, "cannot be made", c.says)
			w.changed(1, 1)
		})
	}
}

// A check that is added to a release which is Ready is made, and fails nothing.
func TestACheckThatIsAddedLaterTakesNothingBack(t *testing.T) {
	w, release, digest := released(t)
	w.change(release, verified(answers(1)))
	w.says(release, ecsv1alpha1.ConditionVerified, ecsv1alpha1.ReasonVerification, "cannot be made")
	w.sweeps(5)
	w.ready(release)
	w.changed(1, 1)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
}

func TestTargetsThatDoNotGetHealthyAreTold(t *testing.T) {
	w := balanced(t)
	release := w.apply("helium-backend:v1", verified(healthyWithin(60)))
	w.ready(release)
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageUnhealthy, Check: "elb", Image: "*" + w.push("v2")})
	w.bump(release, "helium-backend:v2")
	r := w.stalled(release, ecsv1alpha1.ReasonHealthCheck, "mumbai/backend")
	w.check(r.Status.Failure != nil && r.Status.Failure.Class == ecsv1alpha1.FailureHealthCheck, "failure is %+v", r.Status.Failure)
	w.runs(home, cluster, "backend", w.image(home, ":v1"))
	w.registered(1)
}

// paused waits until a deployment hangs at a hook.
func (w *world) paused(name key) ecsv1alpha1.Awaiting {
	w.t.Helper()
	r := w.await(name, "a paused deployment", func(r *ecsv1alpha1.EcsRelease) error {
		if c := condition(r, ecsv1alpha1.ConditionReady); c.Reason != ecsv1alpha1.ReasonAwaitingAction || len(r.Status.Awaiting) != 1 {
			return fmt.Errorf("Ready is %+v, it waits for %+v", c, r.Status.Awaiting)
		}
		return nil
	})
	return r.Status.Awaiting[0]
}

// Tasks that share the address of an EC2 instance are targets by the instance and their port.
func TestTasksOnInstancesAreFoundInTheirTargetGroups(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	group, err := elb.NewFromConfig(w.root(home)).CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
		Name: aws.String("instances"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080),
		TargetType: elbtypes.TargetTypeEnumInstance, VpcId: aws.String("vpc-0a1b2c3d"),
	})
	w.must(err)
	balancer := w.balance(seed.Balancer{Name: "helium"})
	arn := group.TargetGroups[0].TargetGroupArn
	_, err = elb.NewFromConfig(w.root(home)).CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: &balancer.LoadBalancer, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080),
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: arn}},
	})
	w.must(err)
	client := w.ecs(home)
	_, err = client.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String(cluster)})
	w.must(err)
	definition, err := client.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("helium-backend"), NetworkMode: ecstypes.NetworkModeBridge, RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityEc2},
		RuntimePlatform:  &ecstypes.RuntimePlatform{CpuArchitecture: ecstypes.CPUArchitectureArm64},
		TaskRoleArn:      aws.String("arn:aws:iam::" + w.account + ":role/helium-task"),
		ExecutionRoleArn: aws.String("arn:aws:iam::" + w.account + ":role/helium-execution"),
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String("backend"), Image: aws.String(w.image(home, ":v1")), Memory: aws.Int32(256), Essential: aws.Bool(true),
			PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(8080)}},
		}},
	})
	w.must(err)
	_, err = client.CreateService(t.Context(), &ecs.CreateServiceInput{
		Cluster: aws.String(cluster), ServiceName: aws.String("backend"), DesiredCount: aws.Int32(2), LaunchType: ecstypes.LaunchTypeEc2,
		TaskDefinition: definition.TaskDefinition.TaskDefinitionArn,
		LoadBalancers:  []ecstypes.LoadBalancer{{TargetGroupArn: arn, ContainerName: aws.String("backend"), ContainerPort: aws.Int32(8080)}},
	})
	w.must(err)
	w.steady(home, cluster, "backend")
	digest := w.push("v2")
	release := w.apply("helium-backend:v2", verified(healthyWithin(60)))
	w.ready(release)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	w.check(len(w.calls("DescribeContainerInstances")) > 0, "nobody asked which instances the tasks are on")
}

package controllers_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// blueGreen is a world with a service that deploys BLUE_GREEN, and pauses before its traffic moves.
func blueGreen(t *testing.T) (w *world, release key) {
	t.Helper()
	w = newWorld(t)
	w.alone()
	w.push("v1")
	w.serve(seed.Service{Name: "backend", Desired: 2, Balanced: w.balance(seed.Balancer{Name: "helium", Pair: true}), Rollout: seed.Rollout{
		Strategy: ecstypes.DeploymentStrategyBlueGreen, BakeMinutes: 1,
	}})
	// With the hook, the deployment that creates the service would wait for somebody too.
	config := w.describe(home, cluster, "backend").DeploymentConfiguration
	config.LifecycleHooks = []ecstypes.DeploymentLifecycleHook{{
		TargetType:      ecstypes.DeploymentLifecycleHookTargetTypePause,
		LifecycleStages: []ecstypes.DeploymentLifecycleHookStage{ecstypes.DeploymentLifecycleHookStagePreProductionTrafficShift},
	}}
	w.update(home, &ecs.UpdateServiceInput{DeploymentConfiguration: config})
	w.shows("backend", func(s ecstypes.Service) bool { return len(s.DeploymentConfiguration.LifecycleHooks) == 1 })
	release = w.apply("helium-backend:v1")
	w.ready(release)
	return w, release
}

func TestAPausedDeploymentGoesOnWhenItIsApproved(t *testing.T) {
	w, release := blueGreen(t)
	digest := w.push("v2")
	w.bump(release, "helium-backend:v2")
	waiting := w.paused(release)
	w.check(waiting.Target == "mumbai" && waiting.Service == "backend" && waiting.Stage == "PRE_PRODUCTION_TRAFFIC_SHIFT" && waiting.Expires != nil, "it waits for %+v", waiting)
	w.event("Normal Awaiting: the deployment of service mumbai/backend waits at PRE_PRODUCTION_TRAFFIC_SHIFT")
	r := w.get(release)
	w.check(service(r, "mumbai/backend").State == ecsv1alpha1.ServiceAwaitingAction, "the service is %+v", service(r, "mumbai/backend"))
	w.again()
	w.order(release, ecsv1alpha1.AnnotationApprove, waiting.ID)
	w.event("Normal Continued: the deployment of service mumbai/backend goes on")
	r = w.ready(release)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	if made := len(w.calls("ContinueServiceDeployment")); made != 1 {
		t.Errorf("it was let go on %d times", made)
	}
	w.check(len(r.Status.Awaiting) == 0, "it still waits for %+v", r.Status.Awaiting)
	w.again()
}

func TestAPausedDeploymentIsRolledBackByAnAbort(t *testing.T) {
	w, release := blueGreen(t)
	w.push("v2")
	w.bump(release, "helium-backend:v2")
	w.paused(release)
	w.order(release, ecsv1alpha1.AnnotationAbort, "no")
	r := w.stalled(release, ecsv1alpha1.ReasonAborted, "mumbai/backend")
	w.arrives(home, cluster, "backend", "helium-backend:1")
	w.registered(1)
	w.check(len(r.Status.Awaiting) == 0, "it still waits for %+v", r.Status.Awaiting)
	w.check(len(w.calls("UpdateService")) == 1, "the service was updated %d times", len(w.calls("UpdateService")))
	w.again()
}

func TestAnAlarmOfTheDeploymentIsToldByItsName(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	alarms := cloudwatch.NewFromConfig(w.root(home))
	_, err := alarms.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("helium-5xx"), Namespace: aws.String("AWS/ApplicationELB"), MetricName: aws.String("HTTPCode_Target_5XX_Count"),
		Statistic: cwtypes.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
	})
	w.must(err)
	set := func(state cwtypes.StateValue) {
		t.Helper()
		_, err := alarms.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("helium-5xx"), StateValue: state, StateReason: aws.String("a test")})
		w.must(err)
	}
	set(cwtypes.StateValueOk)
	w.serve(seed.Service{Name: "backend", Desired: 2, Rollout: seed.Rollout{Alarms: []string{"helium-5xx"}}})
	slow := w.push("v2")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageSlowStart, Image: "*" + slow, Seconds: 360_000})
	release := w.apply("helium-backend:v2")
	w.await(release, "v2 being deployed", deploying)
	set(cwtypes.StateValueAlarm)
	r := w.stalled(release, ecsv1alpha1.ReasonAlarm, "mumbai/backend", "helium-5xx")
	w.check(r.Status.Failure != nil && len(r.Status.Failure.Alarms) == 1 && r.Status.Failure.Alarms[0] == "helium-5xx", "failure is %+v", r.Status.Failure)
	w.registered(1)
}

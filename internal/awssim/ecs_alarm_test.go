package awssim

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// ring puts the alarms, which are made on their first use, into a state.
func (w *ecsTestWorld) ring(state cloudwatchtypes.StateValue, names ...string) {
	w.Helper()
	client := cloudwatch.NewFromConfig(aws.Config{
		Region:       mumbai,
		Credentials:  credentials.NewStaticCredentialsProvider(ownAccount, rootSecret, ""),
		HTTPClient:   &http.Client{Transport: Conforming(w, w.sim.HTTPClient().Transport)},
		BaseEndpoint: aws.String("http://awssim.test"),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	})
	for _, name := range names {
		if _, err := client.PutMetricAlarm(w.Context(), &cloudwatch.PutMetricAlarmInput{
			AlarmName: &name, ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanThreshold, EvaluationPeriods: aws.Int32(1),
			MetricName: aws.String("HTTPCode_Target_5XX_Count"), Namespace: aws.String("AWS/ApplicationELB"), Period: aws.Int32(60),
			Statistic: cloudwatchtypes.StatisticSum, Threshold: aws.Float64(10),
		}); err != nil {
			w.Fatal(err)
		}
		if _, err := client.SetAlarmState(w.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: &name, StateValue: state, StateReason: aws.String("test")}); err != nil {
			w.Fatal(err)
		}
	}
}

// alarms watches two alarms.
func alarms(rollback bool) func(*types.DeploymentConfiguration) {
	return func(c *types.DeploymentConfiguration) {
		c.Alarms = &types.DeploymentAlarms{AlarmNames: []string{"errors", "latency"}, Enable: true, Rollback: rollback}
	}
}

func TestAnAlarmInTheBakeTimeRollsTheDeploymentBack(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.ring(cloudwatchtypes.StateValueOk, "errors", "latency")
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.blue(b, 1, rollout(types.DeploymentStrategyBlueGreen, alarms(true)))
		if a := w.latest().Alarms; a.Status != types.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete || len(a.AlarmNames) != 2 {
			t.Errorf("after a good deployment: %+v", a)
		}
		w.update(w.register(v2))
		for w.latest().LifecycleStage != types.ServiceDeploymentLifecycleStageBakeTime {
			time.Sleep(time.Second)
		}
		if a := w.latest().Alarms; a.Status != types.ServiceDeploymentRollbackMonitorsStatusMonitoring {
			t.Errorf("in the bake time: %+v", a)
		}
		w.ring(cloudwatchtypes.StateValueAlarm, "latency")
		w.tells("alarm", w.watchStages())
		sd := w.latest()
		if a := sd.Alarms; a.Status != types.ServiceDeploymentRollbackMonitorsStatusTriggered || len(a.TriggeredAlarmNames) != 1 || a.TriggeredAlarmNames[0] != "latency" {
			t.Errorf("%+v", a)
		}
		if sd.Status != types.ServiceDeploymentStatusRollbackSuccessful || !strings.Contains(*sd.StatusReason, "latency") {
			t.Errorf("%s: %s", sd.Status, *sd.StatusReason)
		}
		if _, body := w.get(b); versionIn(body) != "v1" {
			t.Error(body)
		}
	})
}

func TestAnAlarmWithoutRollbackStopsTheDeployment(t *testing.T) {
	for _, strategy := range []types.DeploymentStrategy{types.DeploymentStrategyRolling, types.DeploymentStrategyBlueGreen} {
		t.Run(string(strategy), func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				w.ring(cloudwatchtypes.StateValueOk, "errors", "latency")
				w.create(w.register(v1), 1, rollout(strategy, alarms(false)))
				w.rest()
				w.update(w.register(v2))
				time.Sleep(20 * time.Second)
				w.ring(cloudwatchtypes.StateValueAlarm, "errors")
				time.Sleep(5 * time.Minute)
				sd, p := w.latest(), w.service().Deployments[0]
				if sd.Status != types.ServiceDeploymentStatusStopped || sd.StoppedAt == nil || sd.Rollback != nil {
					t.Errorf("%+v", sd)
				}
				if p.RolloutState != types.DeploymentRolloutStateFailed || revisionOf(p.TaskDefinition) != "web:2" || *p.RolloutStateReason != "ECS deployment failed: alarm detected." {
					t.Errorf("%s %s", p.RolloutState, *p.RolloutStateReason)
				}
				w.ring(cloudwatchtypes.StateValueOk, "errors")
				w.update(w.register(v3))
				if s := w.rest(); revisionOf(s.TaskDefinition) != "web:3" || s.RunningCount != 1 {
					t.Error(line(s, w.brief()))
				}
			})
		})
	}
}

func TestAnAlarmThatRingsAlreadyIsNotWatched(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.ring(cloudwatchtypes.StateValueAlarm, "errors")
		w.create(w.register(v1), 1, rollout(types.DeploymentStrategyRolling, alarms(true)))
		time.Sleep(30 * time.Second)
		w.ring(cloudwatchtypes.StateValueAlarm, "latency")
		w.rest()
		sd := w.latest()
		if sd.Status != types.ServiceDeploymentStatusSuccessful || sd.Alarms.Status != types.ServiceDeploymentRollbackMonitorsStatusDisabled || len(sd.Alarms.TriggeredAlarmNames) != 0 {
			t.Errorf("%s %+v", sd.Status, sd.Alarms)
		}
	})
}

func TestARollingDeploymentWithAlarmsBakesEvenIfNobodySaidSo(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.ring(cloudwatchtypes.StateValueOk, "errors", "latency")
		bake := func(minutes *int32) time.Duration {
			w.create(w.register(v1), 1, func(in *ecs.CreateServiceInput) {
				in.ServiceName = aws.String("web")
				in.DeploymentConfiguration = &types.DeploymentConfiguration{BakeTimeInMinutes: minutes}
				alarms(true)(in.DeploymentConfiguration)
			})
			for w.service().RunningCount == 0 {
				time.Sleep(time.Second)
			}
			began := time.Now()
			w.rest()
			took := time.Since(began)
			if _, err := w.client.DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: aws.String(testCluster), Service: aws.String("web"), Force: aws.Bool(true)}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute)
			return took
		}
		if took := bake(nil); took < 3*time.Minute || took > 4*time.Minute {
			t.Errorf("by default: %v", took)
		}
		if took := bake(aws.Int32(0)); took > time.Minute {
			t.Errorf("none: %v", took)
		}
		if took := bake(aws.Int32(10)); took < 10*time.Minute || took > 11*time.Minute {
			t.Errorf("ten minutes: %v", took)
		}
	})
}

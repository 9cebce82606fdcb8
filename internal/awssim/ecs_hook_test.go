package awssim

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// awaiting waits for a pause and returns its hook.
func (w *ecsTestWorld) awaiting() types.DeploymentLifecycleHookDetail {
	w.Helper()
	for range 3600 {
		for _, hook := range w.latest().LifecycleHookDetails {
			if hook.Status == types.DeploymentLifecycleHookStatusAwaitingAction {
				return hook
			}
		}
		time.Sleep(time.Second)
	}
	w.Fatalf("no pause: %s", w.stageLine())
	panic("unreachable")
}

// goOn answers a pause of the newest service deployment.
func (w *ecsTestWorld) goOn(hook *string, action types.DeploymentLifecycleHookAction) error {
	w.Helper()
	_, err := w.client.ContinueServiceDeployment(w.Context(), &ecs.ContinueServiceDeploymentInput{
		ServiceDeploymentArn: w.brief().ServiceDeploymentArn, HookId: hook, Action: action,
	})
	return err
}

func TestAPausedDeploymentWaitsUntilItIsContinued(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.blue(b, 1, rollout(types.DeploymentStrategyBlueGreen))
		out, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String(testCluster), Service: aws.String("web"), TaskDefinition: aws.String(w.register(v2)),
			DeploymentConfiguration: &types.DeploymentConfiguration{LifecycleHooks: []types.DeploymentLifecycleHook{{
				TargetType:      types.DeploymentLifecycleHookTargetTypePause,
				LifecycleStages: []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStagePostTestTrafficShift},
			}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if hook := out.Service.DeploymentConfiguration.LifecycleHooks[0]; *hook.TimeoutConfiguration.TimeoutInMinutes != 1440 || hook.TimeoutConfiguration.Action != types.DeploymentLifecycleHookActionRollback {
			t.Errorf("%+v", hook)
		}
		hook := w.awaiting()
		if left := time.Until(*hook.ExpiresAt); left < 24*time.Hour-time.Minute || left > 24*time.Hour || hook.TimeoutAction != types.DeploymentLifecycleHookActionRollback || hook.TargetArn != nil {
			t.Errorf("%+v expires in %v", hook, left)
		}
		time.Sleep(20 * time.Hour)
		if got, want := w.stageLine(), "web:2 2/1+0 | PRIMARY web:2 IN_PROGRESS 1/1+0 | ACTIVE web:1 COMPLETED 1/1+0 | IN_PROGRESS | POST_TEST_TRAFFIC_SHIFT 0/100 from 100/0 AWAITING_ACTION"; got != want {
			t.Errorf("paused\ngot  %s\nwant %s", got, want)
		}
		if err := w.goOn(hook.HookId, ""); err != nil {
			t.Fatal(err)
		}
		refused(t, w.goOn(hook.HookId, ""), "InvalidParameterException", "is in the SUCCEEDED state")
		w.rest()
		if got := w.latest(); got.Status != types.ServiceDeploymentStatusSuccessful || got.LifecycleHookDetails[0].Status != types.DeploymentLifecycleHookStatusSucceeded {
			t.Errorf("%+v", got)
		}
	})
}

func TestAPauseEndsAsItsConfigurationOrItsUserSays(t *testing.T) {
	const why = "Service deployment rolled back because POST_SCALE_UP lifecycle hook(s) failed."
	cases := map[string]struct {
		action types.DeploymentLifecycleHookAction // of the timeout
		answer types.DeploymentLifecycleHookAction // of the user
		hook   types.DeploymentLifecycleHookStatus
		end    types.ServiceDeploymentStatus
	}{
		"it times out and rolls back": {"ROLLBACK", "", types.DeploymentLifecycleHookStatusTimedOut, types.ServiceDeploymentStatusRollbackSuccessful},
		"it times out and goes on":    {"CONTINUE", "", types.DeploymentLifecycleHookStatusTimedOut, types.ServiceDeploymentStatusSuccessful},
		"the user rolls back":         {"CONTINUE", "ROLLBACK", types.DeploymentLifecycleHookStatusFailed, types.ServiceDeploymentStatusRollbackSuccessful},
		"the user goes on":            {"ROLLBACK", "CONTINUE", types.DeploymentLifecycleHookStatusSucceeded, types.ServiceDeploymentStatusSuccessful},
	}
	for _, strategy := range []types.DeploymentStrategy{types.DeploymentStrategyRolling, types.DeploymentStrategyBlueGreen} {
		for name, c := range cases {
			t.Run(string(strategy)+": "+name, func(t *testing.T) {
				inECS(t, func(t *testing.T, w *ecsTestWorld) {
					w.create(w.register(v1), 1, rollout(strategy))
					w.rest()
					if _, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
						Cluster: aws.String(testCluster), Service: aws.String("web"), TaskDefinition: aws.String(w.register(v2)),
						DeploymentConfiguration: hooked(pauseAt(5, c.action, types.DeploymentLifecycleHookStagePostScaleUp)),
					}); err != nil {
						t.Fatal(err)
					}
					hook := w.awaiting()
					if c.answer != "" {
						if err := w.goOn(hook.HookId, c.answer); err != nil {
							t.Fatal(err)
						}
					}
					w.rest()
					sd := w.latest()
					if sd.Status != c.end || len(sd.LifecycleHookDetails) != 1 || sd.LifecycleHookDetails[0].Status != c.hook {
						t.Errorf("%s, hooks %+v", sd.Status, sd.LifecycleHookDetails)
					}
					if reason := aws.ToString(sd.StatusReason); c.end == types.ServiceDeploymentStatusRollbackSuccessful && reason[:len(why)] != why {
						t.Error(reason)
					}
				})
			})
		}
	}
}

// hooked is a configuration that changes the hooks only.
func hooked(change ...func(*types.DeploymentConfiguration)) *types.DeploymentConfiguration {
	c := &types.DeploymentConfiguration{}
	for _, f := range change {
		f(c)
	}
	return c
}

func TestALinearDeploymentPausesBeforeEveryStep(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.blue(b, 1, rollout(types.DeploymentStrategyLinear, func(c *types.DeploymentConfiguration) {
			c.LinearConfiguration = &types.LinearConfiguration{StepPercent: aws.Float64(50), StepBakeTimeInMinutes: aws.Int32(0)}
		}))
		if _, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String(testCluster), Service: aws.String("web"), TaskDefinition: aws.String(w.register(v2)),
			DeploymentConfiguration: hooked(pauseAt(60, "ROLLBACK", types.DeploymentLifecycleHookStagePreProductionTrafficShift)),
		}); err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, weight := range []float64{0, 50} {
			hook := w.awaiting()
			ids[*hook.HookId] = true
			sd := w.latest()
			if got := *sd.TargetServiceRevision.RequestedProductionTrafficWeight; got != weight || sd.LifecycleStage != "PRE_PRODUCTION_TRAFFIC_SHIFT" {
				t.Errorf("%s: weight %g, want %g", sd.LifecycleStage, got, weight)
			}
			if err := w.goOn(hook.HookId, types.DeploymentLifecycleHookActionContinue); err != nil {
				t.Fatal(err)
			}
		}
		if w.rest(); len(ids) != 2 || w.latest().Status != types.ServiceDeploymentStatusSuccessful {
			t.Errorf("%v %s", ids, w.stageLine())
		}
	})
}

func TestHooksOfOneStageAllHaveToBeContinued(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1, rollout(types.DeploymentStrategyRolling))
		w.rest()
		if _, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String(testCluster), Service: aws.String("web"), TaskDefinition: aws.String(w.register(v2)),
			DeploymentConfiguration: hooked(
				pauseAt(12, "ROLLBACK", types.DeploymentLifecycleHookStagePreScaleUp),
				pauseAt(15, "CONTINUE", types.DeploymentLifecycleHookStagePreScaleUp, types.DeploymentLifecycleHookStagePostScaleUp),
			),
		}); err != nil {
			t.Fatal(err)
		}
		w.awaiting()
		hooks := w.latest().LifecycleHookDetails
		if err := w.goOn(hooks[0].HookId, "CONTINUE"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if got, want := w.stageLine(), "web:2 1/1+0 | PRIMARY web:2 IN_PROGRESS 0/0+0 | ACTIVE web:1 COMPLETED 1/1+0 | IN_PROGRESS | PRE_SCALE_UP - from - SUCCEEDED AWAITING_ACTION"; got != want {
			t.Errorf("\ngot  %s\nwant %s", got, want)
		}
		if err := w.goOn(hooks[1].HookId, "CONTINUE"); err != nil {
			t.Fatal(err)
		}
		w.tells("rolling-paused", w.watchStages())
	})
}

func TestATaskThatDiesWhileItsSuccessorsArePausedIsReplaced(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v1", Kind: ImageCrash, AfterSeconds: 1800})
		w.create(w.register(v1), 1, rollout(types.DeploymentStrategyRolling, pauseAt(600, "CONTINUE", types.DeploymentLifecycleHookStagePreScaleUp)))
		first := w.awaiting()
		if err := w.goOn(first.HookId, ""); err != nil {
			t.Fatal(err)
		}
		w.rest()
		w.update(w.register(v2))
		w.awaiting()
		time.Sleep(time.Hour)
		running := 0
		for range 600 {
			if w.service().RunningCount == 1 {
				running++
			}
			time.Sleep(time.Second)
		}
		if running < 500 {
			t.Errorf("a task ran for %d of 600 s", running)
		}
	})
}

func TestContinueServiceDeploymentRefusesWhatIsNotThere(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1, rollout(types.DeploymentStrategyRolling))
		w.rest()
		call := func(arn, hook, action string) error {
			_, err := w.client.ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{
				ServiceDeploymentArn: &arn, HookId: &hook, Action: types.DeploymentLifecycleHookAction(action),
			})
			return err
		}
		arn := *w.brief().ServiceDeploymentArn
		refused(t, call(arn, "ecs-pause-1", ""), "InvalidParameterException", "was not found")
		refused(t, call(arn+"x", "ecs-pause-1", ""), "ServiceDeploymentNotFoundException", "")
		refused(t, call("arn:aws:ecs:ap-south-1:111122223333:service/a/b", "ecs-pause-1", ""), "InvalidParameterException", "Invalid identifier")
		refused(t, call(arn, "", ""), "InvalidParameterException", "hookId")
		refused(t, call(arn, "ecs-pause-1", "WAIT"), "InvalidParameterException", "Invalid action")
	})
}

func TestAStopEndsThePause(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1, rollout(types.DeploymentStrategyBlueGreen))
		w.rest()
		if _, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String(testCluster), Service: aws.String("web"), TaskDefinition: aws.String(w.register(v2)),
			DeploymentConfiguration: hooked(pauseAt(60, "CONTINUE", types.DeploymentLifecycleHookStagePreScaleUp)),
		}); err != nil {
			t.Fatal(err)
		}
		hook := w.awaiting()
		if _, err := w.client.StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: w.brief().ServiceDeploymentArn}); err != nil {
			t.Fatal(err)
		}
		refused(t, w.goOn(hook.HookId, ""), "InvalidParameterException", "is in the FAILED state")
		w.rest()
		if got := w.latest().Status; got != types.ServiceDeploymentStatusRollbackSuccessful {
			t.Error(got)
		}
	})
}

package awssim

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// stop stops the newest service deployment.
func (w *ecsTestWorld) stop(kind types.StopServiceDeploymentStopType) error {
	w.Helper()
	_, err := w.client.StopServiceDeployment(w.Context(), &ecs.StopServiceDeploymentInput{
		ServiceDeploymentArn: w.brief().ServiceDeploymentArn, StopType: kind,
	})
	return err
}

func TestAbortIsRefusedUnlessTheWorldIsToldOtherwise(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1)
		refused(t, w.stop(types.StopServiceDeploymentStopTypeAbort), "InvalidParameterException", "Valid values: ROLLBACK")
	})
	options := Options{Seed: 7, ECS: ECSOptions{ServiceLag: -1, ServiceDeploymentLag: -1, AbortStopsDeployment: true}}
	inECSWith(t, options, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1)
		w.settle()
		w.update(w.register(v2))
		time.Sleep(10 * time.Second)
		if err := w.stop(types.StopServiceDeploymentStopTypeAbort); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		sd, p := w.latest(), w.service().Deployments[0]
		if sd.Status != types.ServiceDeploymentStatusStopped || sd.Rollback != nil || p.RolloutState != types.DeploymentRolloutStateFailed || revisionOf(p.TaskDefinition) != "web:2" {
			t.Errorf("%s, primary %s %s", sd.Status, revisionOf(p.TaskDefinition), p.RolloutState)
		}
	})
}

func TestAStopReachesADeploymentThatHasNotBegun(t *testing.T) {
	for _, strategy := range []types.DeploymentStrategy{types.DeploymentStrategyRolling, types.DeploymentStrategyBlueGreen} {
		t.Run(string(strategy), func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				w.create(w.register(v1), 1, rollout(strategy))
				before := w.rest()
				w.update(w.register(v2))
				if got := w.brief().Status; got != types.ServiceDeploymentStatusPending {
					t.Errorf("before the stop: %s", got)
				}
				if err := w.stop(""); err != nil {
					t.Fatal(err)
				}
				after := w.rest()
				if *after.Deployments[0].Id != *before.Deployments[0].Id || w.brief().Status != types.ServiceDeploymentStatusRollbackSuccessful {
					t.Error(line(after, w.brief()))
				}
				if n := len(w.tasks(types.DesiredStatusStopped)); n > 1 {
					t.Errorf("%d tasks were stopped", n)
				}
			})
		})
	}
}

func TestAStopWithNothingToGoBackToFailsTheRollback(t *testing.T) {
	for _, strategy := range []types.DeploymentStrategy{types.DeploymentStrategyRolling, types.DeploymentStrategyBlueGreen} {
		t.Run(string(strategy), func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				w.create(w.register(v1), 1, rollout(strategy))
				time.Sleep(15 * time.Second)
				if err := w.stop(""); err != nil {
					t.Fatal(err)
				}
				if err := w.stop(""); err != nil {
					t.Errorf("once more: %v", err)
				}
				time.Sleep(time.Minute)
				sd, p := w.latest(), w.service().Deployments[0]
				if sd.Status != types.ServiceDeploymentStatusRollbackFailed || *sd.StatusReason != "No rollback candidate was found to run the rollback." || p.RolloutState != types.DeploymentRolloutStateFailed {
					t.Errorf("%s %s, %s", sd.Status, *sd.StatusReason, p.RolloutState)
				}
				refused(t, w.stop(""), "ConflictException", "ROLLBACK_FAILED")
			})
		})
	}
}

func TestAStopInTheCleanUpKeepsTheTrafficUntilTheOldTasksAreBack(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.blue(b, 1, rollout(types.DeploymentStrategyBlueGreen))
		w.update(w.register(v2))
		for w.latest().LifecycleStage != types.ServiceDeploymentLifecycleStageCleanUp {
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Second)
		if err := w.stop(""); err != nil {
			t.Fatal(err)
		}
		last := "v2"
		for w.brief().FinishedAt == nil {
			status, body := w.get(b)
			if now := versionIn(body); status != 200 || now < "v1" || now > last {
				t.Fatalf("%d from %s after %s", status, now, last)
			} else {
				last = now
			}
			time.Sleep(time.Second)
		}
		if got := w.brief().Status; got != types.ServiceDeploymentStatusRollbackSuccessful || last != "v1" {
			t.Errorf("%s, traffic to %s", got, last)
		}
	})
}

func TestAStopOfADeploymentThatIsSupersededChangesNothing(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1)
		w.settle()
		w.update(w.register(v2))
		time.Sleep(10 * time.Second)
		old := w.brief().ServiceDeploymentArn
		w.update(w.register(v3))
		if _, err := w.client.StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: old}); err != nil {
			t.Fatalf("while it stops: %v", err)
		}
		if s := w.rest(); revisionOf(s.TaskDefinition) != "web:3" {
			t.Error(line(s, w.brief()))
		}
		_, err := w.client.StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: old})
		refused(t, err, "ConflictException", "STOPPED")
	})
}

func TestTheSwitchesOfWhatTheDocumentsLeaveOpen(t *testing.T) {
	create := func(options ECSOptions, change ...func(*types.DeploymentConfiguration)) func(t *testing.T) {
		return func(t *testing.T) {
			options.ServiceLag, options.ServiceDeploymentLag = -1, -1
			inECSWith(t, Options{Seed: 7, ECS: options}, func(t *testing.T, w *ecsTestWorld) {
				w.create(w.register(v1), 1, func(in *ecs.CreateServiceInput) { in.DeploymentConfiguration = hooked(change...) })
				seen := map[types.ServiceDeploymentLifecycleStage]bool{}
				for w.brief().FinishedAt == nil {
					seen[w.latest().LifecycleStage] = true
					time.Sleep(3 * time.Second)
				}
				if got := w.brief().Status; got != types.ServiceDeploymentStatusSuccessful {
					t.Error(got)
				}
				if options.HidePreProductionStage && seen["PRE_PRODUCTION_TRAFFIC_SHIFT"] {
					t.Errorf("stages %v", seen)
				}
			})
		}
	}
	strategy := func(s types.DeploymentStrategy) func(*types.DeploymentConfiguration) {
		return func(c *types.DeploymentConfiguration) { c.Strategy = s }
	}
	t.Run("OptionalBakeTime", create(ECSOptions{OptionalBakeTime: true}, strategy(types.DeploymentStrategyBlueGreen)))
	t.Run("HeadlessTrafficShifts", create(ECSOptions{HeadlessTrafficShifts: true, HidePreProductionStage: true}, strategy(types.DeploymentStrategyLinear)))
	t.Run("TrafficHooksOnRolling", create(ECSOptions{TrafficHooksOnRolling: true}, pauseAt(5, "ROLLBACK", types.DeploymentLifecycleHookStagePostTestTrafficShift)))
}

func TestTheSeedMakesServicesOfEveryKind(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		service := seed.Service{
			Cluster: testCluster, Name: "web", Image: v1, Desired: 1, Balanced: b, GraceSeconds: 30,
			Rollout: seed.Rollout{
				Strategy: types.DeploymentStrategyCanary, BakeMinutes: 1, StepPercent: 20, StepBakeMinutes: 2,
				PauseAt: []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStagePostScaleUp}, PauseMinutes: 3, PauseAction: "CONTINUE",
				Alarms: []string{"errors"}, AlarmsOnlyStop: true,
			},
		}
		if _, err := service.Create(t.Context(), w.client); err != nil {
			t.Fatal(err)
		}
		s := w.rest()
		c := s.DeploymentConfiguration
		if c.Strategy != types.DeploymentStrategyCanary || *c.CanaryConfiguration.CanaryPercent != 20 || len(c.LifecycleHooks) != 1 || c.Alarms.Rollback || *s.HealthCheckGracePeriodSeconds != 30 {
			t.Errorf("%+v", c)
		}
		if _, body := w.get(b); versionIn(body) != "v1" {
			t.Error(body)
		}
	})
}

package awssim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// rollout sets the deployment configuration; the circuit breaker is on, with rollback.
func rollout(strategy types.DeploymentStrategy, change ...func(*types.DeploymentConfiguration)) func(*ecs.CreateServiceInput) {
	return func(in *ecs.CreateServiceInput) {
		in.DeploymentConfiguration = &types.DeploymentConfiguration{
			Strategy: strategy, BakeTimeInMinutes: aws.Int32(2),
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true},
		}
		for _, c := range change {
			c(in.DeploymentConfiguration)
		}
	}
}

// pauseAt adds a pause hook for these stages.
func pauseAt(minutes int32, action types.DeploymentLifecycleHookAction, stages ...types.DeploymentLifecycleHookStage) func(*types.DeploymentConfiguration) {
	return func(c *types.DeploymentConfiguration) {
		c.LifecycleHooks = append(c.LifecycleHooks, types.DeploymentLifecycleHook{
			TargetType: types.DeploymentLifecycleHookTargetTypePause, LifecycleStages: stages,
			TimeoutConfiguration: &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: &minutes, Action: action},
		})
	}
}

// blue creates the service with a first deployment that is through.
func (w *ecsTestWorld) blue(b *seed.Balanced, desired int32, change ...func(*ecs.CreateServiceInput)) types.Service {
	w.Helper()
	w.create(w.register(v1), desired, append([]func(*ecs.CreateServiceInput){w.behind(b)}, change...)...)
	return w.rest()
}

// rest waits until the newest service deployment has ended, for at most a day.
func (w *ecsTestWorld) rest() types.Service {
	w.Helper()
	for range 24 * 3600 / 5 {
		if w.brief().FinishedAt != nil {
			return w.settle()
		}
		time.Sleep(5 * time.Second)
	}
	w.Fatalf("the deployment did not end: %s", w.stageLine())
	panic("unreachable")
}

// stageLine is the line of a deployment that goes through stages: its stage, the traffic of
// the new revision and of the old ones in production/test percent, and its hooks.
func (w *ecsTestWorld) stageLine() string {
	w.Helper()
	sd := w.latest()
	var b strings.Builder
	fmt.Fprintf(&b, "%s | %s %s", line(w.service(), types.ServiceDeploymentBrief{Status: sd.Status}), sd.LifecycleStage, weights(sd.TargetServiceRevision))
	for _, source := range sd.SourceServiceRevisions {
		fmt.Fprintf(&b, " from %s", weights(&source))
	}
	for _, hook := range sd.LifecycleHookDetails {
		fmt.Fprintf(&b, " %s", hook.Status)
	}
	return b.String()
}

func weights(r *types.ServiceRevisionSummary) string {
	if r.RequestedProductionTrafficWeight == nil || r.RequestedTestTrafficWeight == nil {
		return "-"
	}
	return fmt.Sprintf("%g/%g", *r.RequestedProductionTrafficWeight, *r.RequestedTestTrafficWeight)
}

// watchStages writes down every stage line that differs from the one before, with the time
// since the beginning, until the deployment has ended and the service has come to rest.
func (w *ecsTestWorld) watchStages() string {
	w.Helper()
	var story strings.Builder
	begin, last, quiet := time.Now(), "", 0
	for quiet < 60 {
		now := w.stageLine()
		if now != last {
			fmt.Fprintf(&story, "%6s %s\n", time.Since(begin).Truncate(time.Second), now)
			last, quiet = now, 0
		} else if w.brief().FinishedAt != nil {
			quiet++
		}
		if time.Since(begin) > 48*time.Hour {
			w.Fatalf("no end:\n%s", story.String())
		}
		time.Sleep(time.Second)
	}
	return story.String()
}

func TestABlueGreenDeploymentGoesThroughItsStages(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.blue(b, 2, rollout(types.DeploymentStrategyBlueGreen))
		w.update(w.register(v2))
		seen := map[string]bool{}
		for range 90 { // while the new tasks come up, only test traffic may reach them
			time.Sleep(time.Second)
			_, production := w.get(b)
			_, test := w.get(b, "X-Test")
			sd := w.latest()
			seen[fmt.Sprintf("%s %s %s", sd.LifecycleStage, versionIn(production), versionIn(test))] = true
		}
		for _, want := range []string{"SCALE_UP v1 v1", "POST_TEST_TRAFFIC_SHIFT v1 v2", "BAKE_TIME v2 v2"} {
			if !seen[want] {
				t.Errorf("never seen: %s in %v", want, seen)
			}
		}
		w.rest()
		revision := w.revision(*w.latest().TargetServiceRevision.Arn)
		if got := *revision.ResolvedConfiguration.LoadBalancers[0].TargetGroupArn; got != b.Alternate {
			t.Errorf("the new revision's target group is %s", got)
		}
		w.update(w.register(v3))
		w.tells("blue-green", w.watchStages())
		if _, body := w.get(b); versionIn(body) != "v3" {
			t.Error(body)
		}
		revision = w.revision(*w.latest().TargetServiceRevision.Arn)
		if got := *revision.ResolvedConfiguration.LoadBalancers[0].TargetGroupArn; got != b.TargetGroup {
			t.Errorf("after two deployments the target group is %s", got)
		}
	})
}

func versionIn(body string) string {
	for _, v := range []string{"v1", "v2", "v3"} {
		if strings.Contains(body, "web:"+v+",") {
			return v
		}
	}
	return "none"
}

func (w *ecsTestWorld) revision(arn string) types.ServiceRevision {
	w.Helper()
	out, err := w.client.DescribeServiceRevisions(w.Context(), &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{arn}})
	if err != nil || len(out.ServiceRevisions) != 1 {
		w.Fatalf("%+v %v", out, err)
	}
	return out.ServiceRevisions[0]
}

func TestCanaryAndLinearShiftTrafficInSteps(t *testing.T) {
	for name, change := range map[string]func(*types.DeploymentConfiguration){
		"canary": func(c *types.DeploymentConfiguration) {
			c.Strategy = types.DeploymentStrategyCanary
			c.CanaryConfiguration = &types.CanaryConfiguration{CanaryPercent: aws.Float64(12.5), CanaryBakeTimeInMinutes: aws.Int32(3)}
		},
		"linear": func(c *types.DeploymentConfiguration) {
			c.Strategy = types.DeploymentStrategyLinear
			c.LinearConfiguration = &types.LinearConfiguration{StepPercent: aws.Float64(40), StepBakeTimeInMinutes: aws.Int32(1)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				b := w.balance(seed.Balancer{Name: "web", Pair: true})
				w.blue(b, 1, rollout("", change))
				w.update(w.register(v2))
				for w.latest().LifecycleStage != types.ServiceDeploymentLifecycleStageProductionTrafficShift {
					time.Sleep(time.Second)
				}
				answers := map[string]int{}
				for range 200 {
					_, body := w.get(b)
					answers[versionIn(body)]++
				}
				want := map[string]int{"canary": 25, "linear": 80}[name]
				if got := answers["v2"]; got < want-2 || got > want+2 || answers["v1"]+got != 200 {
					t.Errorf("%v of 200 answers, want %d of v2", answers, want)
				}
				w.rest()
				w.update(w.register(v3))
				w.tells(name, w.watchStages())
			})
		})
	}
}

func TestAnImageThatNeverGetsHealthyIsRolledBackWithoutAnyTraffic(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.blue(b, 1, rollout(types.DeploymentStrategyBlueGreen))
		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v2", Kind: ImageCrash})
		w.update(w.register(v2))
		w.tells("blue-green-crash", w.watchStages())
		sd := w.latest()
		if sd.Status != types.ServiceDeploymentStatusRollbackSuccessful || *sd.StatusReason != "Service deployment rolled back because the circuit breaker threshold was exceeded." {
			t.Errorf("%s: %s", sd.Status, *sd.StatusReason)
		}
		if _, body := w.get(b); versionIn(body) != "v1" {
			t.Error(body)
		}
	})
}

func TestWithoutABreakerAStageFailsAfterADay(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.blue(b, 1, rollout(types.DeploymentStrategyBlueGreen, func(c *types.DeploymentConfiguration) { c.DeploymentCircuitBreaker = nil }))
		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v2", Kind: ImagePullFail})
		w.update(w.register(v2))
		time.Sleep(23*time.Hour + 55*time.Minute)
		if sd := w.latest(); sd.Status != types.ServiceDeploymentStatusInProgress || sd.LifecycleStage != types.ServiceDeploymentLifecycleStageScaleUp {
			t.Errorf("within the day: %s %s", sd.Status, sd.LifecycleStage)
		}
		time.Sleep(10 * time.Minute)
		if sd := w.latest(); sd.Status != types.ServiceDeploymentStatusRollbackSuccessful || !strings.Contains(*sd.StatusReason, "lifecycle stage SCALE_UP timed out") {
			t.Errorf("after the day: %s %s", sd.Status, *sd.StatusReason)
		}
	})
}

func TestADeploymentThatIsStoppedInItsBakeTimeGivesTheTrafficBack(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.blue(b, 2, rollout(types.DeploymentStrategyBlueGreen))
		w.update(w.register(v2))
		for w.latest().LifecycleStage != types.ServiceDeploymentLifecycleStageBakeTime {
			time.Sleep(time.Second)
		}
		if _, body := w.get(b); versionIn(body) != "v2" {
			t.Error(body)
		}
		sd := *w.latest().ServiceDeploymentArn
		if _, err := w.client.StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: &sd}); err != nil {
			t.Fatal(err)
		}
		w.tells("blue-green-stopped", w.watchStages())
		if _, body := w.get(b); versionIn(body) != "v1" {
			t.Error(body)
		}
		if _, body := w.get(b, "X-Test"); versionIn(body) != "v1" {
			t.Errorf("test traffic: %s", body)
		}
		if latest := w.latest(); latest.StoppedAt == nil || *latest.ServiceDeploymentArn != sd {
			t.Errorf("%+v", latest)
		}
	})
}

func TestANewDeploymentReconcilesTheServiceFirst(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.blue(b, 1, rollout(types.DeploymentStrategyCanary))
		w.update(w.register(v2))
		for aws.ToFloat64(w.latest().TargetServiceRevision.RequestedProductionTrafficWeight) == 0 {
			time.Sleep(time.Second)
		}
		w.update(w.register(v3))
		w.tells("reconcile", w.watchStages())
		if old := w.deployments()[1]; old.Status != types.ServiceDeploymentStatusStopped {
			t.Errorf("the superseded one is %s", old.Status)
		}
		if _, body := w.get(b); versionIn(body) != "v3" {
			t.Error(body)
		}
	})
}

func TestAHeadlessServiceGoesThroughTheStagesWithoutALoadBalancer(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1, rollout(types.DeploymentStrategyBlueGreen))
		w.tells("blue-green-first", w.watchStages())
		w.update(w.register(v2))
		if s := w.rest(); revisionOf(s.TaskDefinition) != "web:2" || s.RunningCount != 1 {
			t.Error(w.stageLine())
		}
	})
}

func TestAFirstDeploymentThatFailsHasNothingToGoBackToUnderEveryStrategy(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v1", Kind: ImageCrash})
		w.create(w.register(v1), 1, w.behind(b), rollout(types.DeploymentStrategyLinear))
		for w.latest().FinishedAt == nil {
			time.Sleep(time.Second)
		}
		if sd := w.latest(); sd.Status != types.ServiceDeploymentStatusRollbackFailed || *sd.StatusReason != "No rollback candidate was found to run the rollback." {
			t.Errorf("%s %s", sd.Status, *sd.StatusReason)
		}
		w.update(w.register(v2))
		if s := w.rest(); revisionOf(s.TaskDefinition) != "web:2" || s.RunningCount != 1 {
			t.Error(w.stageLine())
		}
		if _, body := w.get(b); versionIn(body) != "v2" {
			t.Error(body)
		}
	})
}

func TestAScaleInFlightReachesBothRevisions(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.blue(b, 1, rollout(types.DeploymentStrategyBlueGreen, pauseAt(60, types.DeploymentLifecycleHookActionContinue, types.DeploymentLifecycleHookStagePostScaleUp)))
		w.update(w.register(v2))
		time.Sleep(5 * time.Minute)
		if _, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(testCluster), Service: aws.String("web"), DesiredCount: aws.Int32(3)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		for _, d := range w.service().Deployments {
			if d.RunningCount != 3 {
				t.Errorf("%s %s runs %d tasks", *d.Status, revisionOf(d.TaskDefinition), d.RunningCount)
			}
		}
		if s := w.rest(); s.RunningCount != 3 {
			t.Error(w.stageLine())
		}
	})
}

func TestRulesThatChangedBehindECSFailTheDeployment(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.blue(b, 1, rollout(types.DeploymentStrategyBlueGreen))
		if _, err := w.balancers().DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: &b.TestRule}); err != nil {
			t.Fatal(err)
		}
		w.update(w.register(v2))
		w.rest()
		sd := w.latest()
		if want := "Service deployment rolled back because of invalid networking configuration. One or more rules not found"; *sd.StatusReason != want || sd.Status != types.ServiceDeploymentStatusRollbackSuccessful {
			t.Errorf("%s %s", sd.Status, *sd.StatusReason)
		}
	})
}

func TestADifferentStrategyHoldsForTheNextDeployment(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.blue(b, 1, rollout(types.DeploymentStrategyCanary))
		w.update(w.register(v2))
		w.rest()
		out, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String(testCluster), Service: aws.String("web"), TaskDefinition: aws.String(w.register(v3)),
			DeploymentConfiguration: &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyRolling},
		})
		if err != nil {
			t.Fatal(err)
		}
		if c := out.Service.DeploymentConfiguration; c.CanaryConfiguration != nil || c.Strategy != types.DeploymentStrategyRolling {
			t.Errorf("%+v", c)
		}
		w.rest()
		if sd := w.latest(); sd.LifecycleStage != "" || sd.TargetServiceRevision.RequestedProductionTrafficWeight != nil {
			t.Errorf("%+v", sd)
		}
		if _, body := w.get(b); versionIn(body) != "v3" {
			t.Errorf("the rolling update went into the wrong target group: %s", body)
		}
	})
}

func TestARollbackMayHaveADeploymentOfItsOwn(t *testing.T) {
	options := Options{Seed: 7, ECS: ECSOptions{ServiceLag: -1, ServiceDeploymentLag: -1, FreshRollbackDeployment: true}}
	inECSWith(t, options, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		before := w.blue(b, 1, rollout(types.DeploymentStrategyBlueGreen))
		w.update(w.register(v2))
		for w.latest().LifecycleStage != types.ServiceDeploymentLifecycleStageBakeTime {
			time.Sleep(time.Second)
		}
		if err := w.stop(""); err != nil {
			t.Fatal(err)
		}
		for w.brief().FinishedAt == nil {
			if status, _ := w.get(b); status != 200 {
				t.Fatalf("an answer of %d", status)
			}
			time.Sleep(time.Second)
		}
		after := w.service()
		if *after.Deployments[0].Id == *before.Deployments[0].Id || revisionOf(after.TaskDefinition) != "web:1" || after.RunningCount != 1 {
			t.Error(line(after, w.brief()))
		}
		if _, body := w.get(b); versionIn(body) != "v1" {
			t.Error(body)
		}
	})
}

func TestARollingUpdateInTheMiddleOfAShiftGoesWhereTheTrafficIs(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		w.blue(b, 1, rollout(types.DeploymentStrategyBlueGreen))
		w.update(w.register(v2))
		for w.latest().LifecycleStage != types.ServiceDeploymentLifecycleStageBakeTime {
			time.Sleep(time.Second)
		}
		if _, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String(testCluster), Service: aws.String("web"), TaskDefinition: aws.String(w.register(v3)),
			DeploymentConfiguration: &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyRolling},
		}); err != nil {
			t.Fatal(err)
		}
		for w.brief().FinishedAt == nil {
			if status, _ := w.get(b); status != 200 {
				t.Fatalf("an answer of %d", status)
			}
			time.Sleep(time.Second)
		}
		if _, body := w.get(b); versionIn(body) != "v3" || w.service().RunningCount != 1 {
			t.Errorf("%s %s", body, w.stageLine())
		}
	})
}

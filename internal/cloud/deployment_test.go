package cloud

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/rollout"
)

func TestAServiceDeploymentIsReducedToWhatDecisionsNeed(t *testing.T) {
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		found types.ServiceDeployment
		want  rollout.ServiceDeployment
	}{
		"a rolling one without anything": {want: rollout.ServiceDeployment{Weight: -1, TestWeight: -1}},
		"a stage that the SDK does not know": {
			found: types.ServiceDeployment{LifecycleStage: "PRE_PRODUCTION_TRAFFIC_SHIFT", Status: "STOP_IN_PROGRESS"},
			want:  rollout.ServiceDeployment{Stage: "PRE_PRODUCTION_TRAFFIC_SHIFT", Status: "STOP_IN_PROGRESS", Weight: -1, TestWeight: -1},
		},
		"all of it": {
			found: types.ServiceDeployment{
				ServiceDeploymentArn: aws.String("arn:aws:ecs:r:1:service-deployment/c/s/id"), Status: types.ServiceDeploymentStatusRollbackInProgress,
				StatusReason: aws.String("why"), CreatedAt: &began, FinishedAt: aws.Time(began.Add(time.Hour)), LifecycleStage: types.ServiceDeploymentLifecycleStageBakeTime,
				TargetServiceRevision: &types.ServiceRevisionSummary{RequestedProductionTrafficWeight: aws.Float64(10), RequestedTestTrafficWeight: aws.Float64(100)},
				LifecycleHookDetails: []types.DeploymentLifecycleHookDetail{
					{HookId: aws.String("h1"), TargetType: "PAUSE", Status: "AWAITING_ACTION", ExpiresAt: aws.Time(began.Add(time.Minute))},
					{HookId: aws.String("h2"), TargetType: "BRAND_NEW", Status: "BRAND_NEW"},
				},
				Alarms:                   &types.ServiceDeploymentAlarms{AlarmNames: []string{"errors", "latency"}, TriggeredAlarmNames: []string{"errors"}},
				DeploymentCircuitBreaker: &types.ServiceDeploymentCircuitBreaker{Status: types.ServiceDeploymentRollbackMonitorsStatusTriggered, FailureCount: 3, Threshold: 4},
				Rollback:                 &types.Rollback{Reason: aws.String("back")},
			},
			want: rollout.ServiceDeployment{
				ID: "id", Status: "ROLLBACK_IN_PROGRESS", Reason: "why", Created: began, Finished: began.Add(time.Hour), Stage: "BAKE_TIME", Weight: 10, TestWeight: 100,
				Hooks: []rollout.Hook{
					{ID: "h1", Kind: "PAUSE", Status: "AWAITING_ACTION", Expires: began.Add(time.Minute)},
					{ID: "h2", Kind: "BRAND_NEW", Status: "BRAND_NEW"},
				},
				Alarms: []string{"errors"}, BreakerTriggered: true, FailedTasks: 3, Threshold: 4, RollbackReason: "back",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(&c.want, projectServiceDeployment(&c.found)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAWeightIsAWholePercentage(t *testing.T) {
	for weight, want := range map[float64]int32{0: 0, 0.1: 1, 0.9: 1, 1.4: 1, 33.3: 33, 66.7: 67, 99.1: 99, 99.9: 99, 100: 100, -5: 0, 1000: 100, math.Inf(1): 100} {
		if got := percent(&weight); got != want {
			t.Errorf("%v is %d %%, wanted %d", weight, got, want)
		}
	}
	if nan := math.NaN(); percent(nil) != -1 || percent(&nan) != -1 {
		t.Error("no weight is a percentage")
	}
}

// What ECS shows on the way through a canary comes through, also the stage that the SDK's
// enumeration lacks.
func TestTheStagesAndWeightsOfACanaryAreSeen(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.service(seed.Service{Name: "backend", Desired: 1, Balanced: w.balancer(seed.Balancer{Name: "helium", Pair: true}), Rollout: seed.Rollout{
			Strategy: types.DeploymentStrategyCanary, StepPercent: 10, StepBakeMinutes: 2, BakeMinutes: 2,
		}})
		w.settle()
		w.settle()
		k := w.key("backend")
		id, _ := w.deploy(k, w.next(base, "docker.io/library/nginx:2"))
		stages, weights := map[string]bool{}, map[int32]bool{}
		var d *rollout.ServiceDeployment
		for began := time.Now(); time.Since(began) < time.Hour; {
			d = w.look(k, id)
			stages[d.Stage], weights[d.Weight] = true, true
			if d.Status == "SUCCESSFUL" {
				break
			}
		}
		if d.Status != "SUCCESSFUL" || d.Finished.IsZero() {
			t.Errorf("the deployment is %s, finished at %s", d.Status, d.Finished)
		}
		seen := strings.Join(slices.Sorted(maps.Keys(stages)), " ")
		for _, stage := range []string{"SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME"} {
			if !stages[stage] {
				t.Errorf("the stages were %s, wanted %s among them", seen, stage)
			}
		}
		for _, weight := range []int32{0, 10, 100} {
			if !weights[weight] {
				t.Errorf("the weights were %v, wanted %d among them", slices.Sorted(maps.Keys(weights)), weight)
			}
		}
	})
}

func TestATaskSitsWhereItIsReached(t *testing.T) {
	detail := func(name, value string) types.KeyValuePair { return types.KeyValuePair{Name: &name, Value: &value} }
	binding := func(from, to int32) types.NetworkBinding {
		return types.NetworkBinding{ContainerPort: &from, HostPort: &to}
	}
	ports := []balancedPort{{group: "g", container: "app", port: 8080}}
	hosts := map[string]string{"instance": "i-1"}
	for name, c := range map[string]struct {
		task  types.Task
		ports []balancedPort
		want  []target
	}{
		"at its own address": {
			task: types.Task{Attachments: []types.Attachment{{Details: []types.KeyValuePair{detail("subnetId", "s"), detail("privateIPv4Address", "10.0.0.1")}}}},
			want: []target{{id: "10.0.0.1"}},
		},
		"at its own addresses of both kinds, once each": {
			task: types.Task{
				Attachments: []types.Attachment{{Details: []types.KeyValuePair{detail("privateIPv4Address", "10.0.0.1")}}},
				Containers: []types.Container{{NetworkInterfaces: []types.NetworkInterface{
					{PrivateIpv4Address: aws.String("10.0.0.1"), Ipv6Address: aws.String("2600:1F18:0:0::1")},
				}}},
			},
			want: []target{{id: "10.0.0.1"}, {id: "2600:1f18::1"}},
		},
		"at its instance and the port that leads to the balanced one": {
			task: types.Task{ContainerInstanceArn: aws.String("instance"), Containers: []types.Container{
				{Name: aws.String("proxy"), NetworkBindings: []types.NetworkBinding{binding(8080, 32767)}},
				{Name: aws.String("app"), NetworkBindings: []types.NetworkBinding{binding(9090, 32768), binding(8080, 32769), binding(8080, 32769)}},
			}},
			ports: ports, want: []target{{id: "i-1", port: 32769}},
		},
		"nowhere known": {task: types.Task{ContainerInstanceArn: aws.String("another"), Containers: []types.Container{
			{Name: aws.String("app"), NetworkBindings: []types.NetworkBinding{binding(8080, 32769)}},
		}}, ports: ports},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, seatsOf(&c.task, hosts, c.ports), cmp.AllowUnexported(target{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOfSeveralTargetsTheOneThatCountsIsJudged(t *testing.T) {
	at := func(state string, port int32) target { return target{id: "i-1", port: port, state: state} }
	somewhere := []target{{id: "i-1"}}
	for name, c := range map[string]struct {
		registered []target
		seats      []target
		want       string
	}{
		"the healthy one rather than one that drains": {[]target{at("draining", 1), at("healthy", 2)}, somewhere, "i-1:2 healthy"},
		"the sick one rather than the healthy one":    {[]target{at("healthy", 1), at("unhealthy", 2)}, somewhere, "i-1:2 unhealthy"},
		"the one at the task's port":                  {[]target{at("unhealthy", 1), at("healthy", 2)}, []target{{id: "i-1", port: 2}}, "i-1:2 healthy"},
		"one that drains rather than none":            {[]target{at("unhealthy.draining", 1)}, somewhere, "i-1:1 unhealthy.draining"},
		"none at all":                                 {nil, []target{{id: "i-1", port: 7}}, "i-1:7 unused"},
		"none at the task's port":                     {[]target{at("healthy", 1)}, []target{{id: "i-1", port: 7}}, "i-1:7 unused"},
		"nothing of a task of which nothing is known": {[]target{at("healthy", 1)}, nil, " unused"},
		"an address of IPv6 is told with its port":    {nil, []target{{id: "2600:1f18::1", port: 7}}, "[2600:1f18::1]:7 unused"},
	} {
		t.Run(name, func(t *testing.T) {
			ts := targets{}
			for _, r := range c.registered {
				ts[r.id] = append(ts[r.id], r)
			}
			if got := ts.of(c.seats); got.String()+" "+got.state != c.want {
				t.Errorf("judged is %s %s, wanted %s", got, got.state, c.want)
			}
		})
	}
}

func TestTheTargetGroupsInUseAreThoseThatECSResolved(t *testing.T) {
	configured := []types.LoadBalancer{
		{TargetGroupArn: aws.String("blue"), ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080), AdvancedConfiguration: &types.AdvancedConfiguration{AlternateTargetGroupArn: aws.String("green")}},
		{TargetGroupArn: aws.String("blue"), ContainerName: aws.String("app"), ContainerPort: aws.Int32(9090)},
		{LoadBalancerName: aws.String("classic"), ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080)},
	}
	green := &types.ResolvedConfiguration{LoadBalancers: []types.ServiceRevisionLoadBalancer{{TargetGroupArn: aws.String("green")}, {TargetGroupArn: aws.String("green")}, {}}}
	for name, c := range map[string]struct {
		balancing   balancing
		used, all   string
		settled     bool
		portsOfUsed int
	}{
		"swapped":                 {projectBalancing(configured, green), "green", "blue green", true, 1},
		"not told yet":            {projectBalancing(configured, nil), "blue", "blue green", false, 2},
		"told nothing of it yet":  {projectBalancing(configured, &types.ResolvedConfiguration{}), "blue", "blue green", false, 2},
		"one that is not swapped": {projectBalancing(configured[1:], nil), "blue", "blue", true, 1},
		"a classic one":           {projectBalancing(configured[2:], nil), "", "", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := c.balancing
			used := b.groups()
			if strings.Join(used, " ") != c.used || strings.Join(b.all(), " ") != c.all || b.settled() != c.settled {
				t.Errorf("uses %v of %v, settled %v", used, b.all(), b.settled())
			}
			if len(used) > 0 && len(b.in(used[0])) != c.portsOfUsed {
				t.Errorf("%s has the ports %v", used[0], b.in(used[0]))
			}
		})
	}
	if name := groupName("arn:aws:elasticloadbalancing:r:1:targetgroup/helium/0123"); name != "helium" {
		t.Errorf("name of a target group is %q", name)
	}
}

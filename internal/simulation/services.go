package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// manner is how a service deploys.
type manner struct {
	strategy types.DeploymentStrategy // "": ROLLING
	bake     int32                    // minutes
	pauseAt  []types.DeploymentLifecycleHookStage
	pause    int32 // minutes until the hook decides by itself
	action   types.DeploymentLifecycleHookAction
	breaker  bool
	alarm    string // the name of the CloudWatch alarm that fails it; ""
	balanced *seed.Balanced
}

// shifts says that it goes through stages.
func (m manner) shifts() bool {
	return m.strategy != "" && m.strategy != types.DeploymentStrategyRolling
}

// mannerOf makes up how a place deploys. Strategies that shift traffic in steps need a load balancer.
func mannerOf(r *rand.Rand, p place, balanced bool) manner {
	m := manner{breaker: r.IntN(8) != 0}
	if r.IntN(6) == 0 {
		m.alarm = "errors-" + p.cluster + "-" + p.service
		m.bake = int32(1 + r.IntN(4))
	}
	strategies := []types.DeploymentStrategy{"", "", "", types.DeploymentStrategyBlueGreen}
	if balanced {
		strategies = []types.DeploymentStrategy{"", types.DeploymentStrategyBlueGreen, types.DeploymentStrategyCanary, types.DeploymentStrategyLinear}
	}
	if m.strategy = pick(r, strategies); m.strategy == "" {
		return m
	}
	m.bake = int32(r.IntN(6))
	if r.IntN(2) == 0 {
		m.pauseAt = []types.DeploymentLifecycleHookStage{pick(r, []types.DeploymentLifecycleHookStage{
			types.DeploymentLifecycleHookStagePreScaleUp, types.DeploymentLifecycleHookStagePostScaleUp,
			types.DeploymentLifecycleHookStagePostTestTrafficShift, types.DeploymentLifecycleHookStagePostProductionTrafficShift,
		})}
		m.pause = int32(10 + r.IntN(50))
		m.action = pick(r, []types.DeploymentLifecycleHookAction{types.DeploymentLifecycleHookActionRollback, types.DeploymentLifecycleHookActionContinue})
	}
	return m
}

// configuration is the manner in ECS's words. Hooks are added once the first deployment is through.
func (m manner) configuration(hooks bool) *types.DeploymentConfiguration {
	c := &types.DeploymentConfiguration{
		DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: m.breaker, Rollback: m.breaker},
		MinimumHealthyPercent:    aws.Int32(100), MaximumPercent: aws.Int32(200), Strategy: m.strategy,
	}
	if m.bake > 0 || m.shifts() {
		c.BakeTimeInMinutes = &m.bake
	}
	if m.alarm != "" {
		c.Alarms = &types.DeploymentAlarms{AlarmNames: []string{m.alarm}, Enable: true, Rollback: true}
	}
	if hooks && len(m.pauseAt) > 0 {
		c.LifecycleHooks = []types.DeploymentLifecycleHook{{
			TargetType: types.DeploymentLifecycleHookTargetTypePause, LifecycleStages: m.pauseAt,
			TimeoutConfiguration: &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: &m.pause, Action: m.action},
		}}
	}
	return c
}

// port is what the container listens on in a balanced service.
const port int32 = 8080

// serve creates a service that runs v0.
func (w *world) serve(p place, desired int32) error {
	revision, err := w.register(p, p.ecr()+"/"+repository+":v0", "blue")
	if err != nil {
		return err
	}
	return w.serveRevision(p, revision, desired)
}

// serveRevision creates a service that runs a revision.
func (w *world) serveRevision(p place, revision string, desired int32) error {
	ctx := context.Background()
	client := w.ecs(p.realm.account, p.region)
	if _, err := client.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &p.cluster}); err != nil {
		return fmt.Errorf("making cluster %s: %w", p.cluster, err)
	}
	if p.alarm != "" {
		if err := w.ring(p, cloudwatchtypes.StateValueOk); err != nil {
			return err
		}
	}
	in := &ecs.CreateServiceInput{
		Cluster: &p.cluster, ServiceName: &p.service, TaskDefinition: &revision, DesiredCount: &desired,
		LaunchType:              types.LaunchTypeFargate,
		NetworkConfiguration:    &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-0a1b2c3d"}}},
		DeploymentConfiguration: p.configuration(false),
	}
	if b := p.balanced; b != nil {
		balancer := types.LoadBalancer{TargetGroupArn: &b.TargetGroup, ContainerName: aws.String("app"), ContainerPort: aws.Int32(port)}
		if b.Alternate != "" {
			balancer.AdvancedConfiguration = &types.AdvancedConfiguration{
				AlternateTargetGroupArn: &b.Alternate, ProductionListenerRule: &b.ProductionRule, TestListenerRule: &b.TestRule,
				RoleArn: aws.String("arn:aws:iam::" + p.realm.account + ":role/ecs-infrastructure"),
			}
		}
		in.LoadBalancers = []types.LoadBalancer{balancer}
		in.HealthCheckGracePeriodSeconds = aws.Int32(30)
	}
	if _, err := client.CreateService(ctx, in); err != nil {
		return fmt.Errorf("making service %s: %w", p, err)
	}
	return nil
}

// external is a service of every first target that something else than ECS deploys.
const external = "external"

func (w *world) serveExternal(p place) error {
	_, err := seed.Service{
		Cluster: p.cluster, Name: external, Image: p.ecr() + "/" + repository + ":v0", Controller: types.DeploymentControllerTypeExternal,
		ExecutionRole: "arn:aws:iam::" + p.realm.account + ":role/execution",
	}.Create(context.Background(), w.ecs(p.realm.account, p.region))
	return err
}

// cramp leaves the deployments of a rolling service no task more and no task less than it has.
func (w *world) cramp(s *subject) {
	w.configure(s.places[0], &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(100), MaximumPercent: aws.Int32(100)})
}

func (w *world) uncramp(s *subject) { w.configure(s.places[0], s.places[0].configuration(true)) }

func (w *world) configure(p place, configuration *types.DeploymentConfiguration) {
	_, err := w.ecs(p.realm.account, p.region).UpdateService(context.Background(), &ecs.UpdateServiceInput{
		Cluster: &p.cluster, Service: &p.service, DeploymentConfiguration: configuration,
	})
	if err != nil {
		w.story.violate("the script can be played", "configuring %s: %v", p, err)
	}
}

// hook adds the hooks to a service whose first deployment is through.
func (w *world) hook(p place) error {
	if len(p.pauseAt) == 0 {
		return nil
	}
	_, err := w.ecs(p.realm.account, p.region).UpdateService(context.Background(), &ecs.UpdateServiceInput{
		Cluster: &p.cluster, Service: &p.service, DeploymentConfiguration: p.configuration(true),
	})
	if err != nil {
		return fmt.Errorf("adding hooks to service %s: %w", p, err)
	}
	return nil
}

// balance puts a place behind a load balancer.
func (w *world) balance(p *place) error {
	made, err := seed.Balancer{Name: p.cluster + "-" + p.service, Pair: p.shifts()}.
		Create(context.Background(), elb.NewFromConfig(w.config(p.realm.account, p.region)))
	if err != nil {
		return err
	}
	p.balanced = made
	w.fronts.add(made.DNSName)
	return nil
}

// ring puts the alarm of a place into a state, and makes it if there is none.
func (w *world) ring(p place, state cloudwatchtypes.StateValue) error {
	ctx, client := context.Background(), cloudwatch.NewFromConfig(w.config(p.realm.account, p.region))
	_, err := client.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: &p.alarm, ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanThreshold, EvaluationPeriods: aws.Int32(1),
		MetricName: aws.String("HTTPCode_Target_5XX_Count"), Namespace: aws.String("AWS/ApplicationELB"), Period: aws.Int32(60),
		Statistic: cloudwatchtypes.StatisticSum, Threshold: aws.Float64(10),
	})
	if err == nil {
		_, err = client.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: &p.alarm, StateValue: state, StateReason: aws.String("it was said so")})
	}
	if err != nil {
		return fmt.Errorf("setting alarm %s: %w", p.alarm, err)
	}
	return nil
}

// ecr is the host of the place's registry.
func (p place) ecr() string { return p.realm.account + ".dkr.ecr." + p.region + ".amazonaws.com" }

// register makes a revision of the place's family, as its owners do it: with an image and a
// colour of their own.
func (w *world) register(p place, image, colour string) (string, error) {
	app := types.ContainerDefinition{
		Name: aws.String("app"), Image: &image, Essential: aws.Bool(true),
		Environment: []types.KeyValuePair{
			{Name: aws.String("PASSWORD"), Value: aws.String(canary + "-of-" + colour)},
			{Name: aws.String("EMPTY"), Value: aws.String("")},
		},
		Secrets:      []types.Secret{{Name: aws.String("TOKEN"), ValueFrom: aws.String("arn:aws:ssm:" + p.region + ":" + p.realm.account + ":parameter/" + canary)}},
		PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(port), Protocol: types.TransportProtocolTcp}},
		HealthCheck:  &types.HealthCheck{Command: []string{"CMD-SHELL", "true"}},
	}
	out, err := w.ecs(p.realm.account, p.region).RegisterTaskDefinition(context.Background(), &ecs.RegisterTaskDefinitionInput{
		Family: &p.family,
		ContainerDefinitions: []types.ContainerDefinition{
			app, {Name: aws.String("sidecar"), Image: aws.String("public.ecr.aws/docker/library/envoy:v1"), Essential: aws.Bool(false)},
		},
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		NetworkMode:             types.NetworkModeAwsvpc,
		Cpu:                     aws.String("256"), Memory: aws.String("512"),
		RuntimePlatform:  &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64, OperatingSystemFamily: types.OSFamilyLinux},
		ExecutionRoleArn: aws.String("arn:aws:iam::" + p.realm.account + ":role/execution"),
		Tags:             []types.Tag{{Key: aws.String("colour"), Value: aws.String(colour)}},
	})
	if err != nil {
		return "", fmt.Errorf("registering a revision of %s: %w", p.family, err)
	}
	arn := aws.ToString(out.TaskDefinition.TaskDefinitionArn)
	return arn[strings.LastIndex(arn, "/")+1:], nil
}

// warmUp is how long the first deployments of all strategies take at the most.
const warmUp = 40 * time.Minute

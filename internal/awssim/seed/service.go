package seed

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Service says which Fargate service to create, in a cluster that is created with it.
type Service struct {
	Cluster string
	Name    string
	// Family of its task definition; "" means helium-<name>.
	Family string
	// Image of its only container, which is named like the service.
	Image string
	// Sidecars are further essential containers, by name, with their images.
	Sidecars map[string]string
	// Architecture is ARM64 or X86_64; "" means ARM64.
	Architecture types.CPUArchitecture
	// Desired is how many tasks it wants.
	Desired int32
	// NoBreaker turns the deployment circuit breaker off; it is on, with rollback.
	NoBreaker bool
	// Controller is who deploys it; "" means ECS.
	Controller types.DeploymentControllerType
	// Environment variables of the container.
	Environment map[string]string
	// TaskRole and ExecutionRole are ARNs; "" sets none.
	TaskRole, ExecutionRole string
	// Balanced sends the container traffic through a load balancer; nil for none.
	Balanced *Balanced
	// GraceSeconds is how long a balanced task may fail its health checks after its start.
	GraceSeconds int32
	// Rollout is how it deploys; the zero value is a rolling update.
	Rollout Rollout
}

// Rollout says how a service under the ECS controller deploys.
type Rollout struct {
	// Strategy is ROLLING, BLUE_GREEN, CANARY or LINEAR; "" means ROLLING. Those that shift
	// traffic in a balanced service need a Balanced with an alternate target group.
	Strategy types.DeploymentStrategy
	// BakeMinutes is the quiet time at the end.
	BakeMinutes int32
	// StepPercent and StepBakeMinutes are of CANARY and LINEAR; a StepPercent of 0 leaves
	// both to AWS.
	StepPercent     float64
	StepBakeMinutes int32
	// PauseAt are the stages at which it waits for ContinueServiceDeployment, PauseMinutes how
	// long (0 means a day) before PauseAction, which is to roll back unless it says CONTINUE.
	PauseAt      []types.DeploymentLifecycleHookStage
	PauseMinutes int32
	PauseAction  types.DeploymentLifecycleHookAction
	// Alarms fail it by their names; without a rollback if AlarmsOnlyStop.
	Alarms         []string
	AlarmsOnlyStop bool
}

func (r Rollout) configuration(noBreaker bool) *types.DeploymentConfiguration {
	c := &types.DeploymentConfiguration{
		DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: !noBreaker, Rollback: !noBreaker},
		MinimumHealthyPercent:    aws.Int32(100), MaximumPercent: aws.Int32(200),
	}
	if r.Strategy != "" {
		c.Strategy = r.Strategy
	}
	if r.BakeMinutes > 0 || r.Strategy != "" && r.Strategy != types.DeploymentStrategyRolling {
		c.BakeTimeInMinutes = &r.BakeMinutes
	}
	if r.StepPercent > 0 {
		switch r.Strategy {
		case types.DeploymentStrategyCanary:
			c.CanaryConfiguration = &types.CanaryConfiguration{CanaryPercent: &r.StepPercent, CanaryBakeTimeInMinutes: &r.StepBakeMinutes}
		case types.DeploymentStrategyLinear:
			c.LinearConfiguration = &types.LinearConfiguration{StepPercent: &r.StepPercent, StepBakeTimeInMinutes: &r.StepBakeMinutes}
		}
	}
	if len(r.PauseAt) > 0 {
		hook := types.DeploymentLifecycleHook{TargetType: types.DeploymentLifecycleHookTargetTypePause, LifecycleStages: r.PauseAt}
		if r.PauseMinutes > 0 || r.PauseAction != "" {
			hook.TimeoutConfiguration = &types.DeploymentLifecycleHookTimeoutConfiguration{
				TimeoutInMinutes: aws.Int32(cmp.Or(r.PauseMinutes, 1440)), Action: cmp.Or(r.PauseAction, types.DeploymentLifecycleHookActionRollback),
			}
		}
		c.LifecycleHooks = []types.DeploymentLifecycleHook{hook}
	}
	if len(r.Alarms) > 0 {
		c.Alarms = &types.DeploymentAlarms{AlarmNames: r.Alarms, Enable: true, Rollback: !r.AlarmsOnlyStop}
	}
	return c
}

// Create registers the service's task definition and creates cluster and service by ECS's own
// API. It returns the ARN of the task definition.
func (s Service) Create(ctx context.Context, client *ecs.Client) (revision string, err error) {
	if _, err := client.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &s.Cluster}); err != nil {
		return "", fmt.Errorf("creating cluster %s: %w", s.Cluster, err)
	}
	registered, err := client.RegisterTaskDefinition(ctx, s.taskDefinition())
	if err != nil {
		return "", fmt.Errorf("registering the task definition of service %s: %w", s.Name, err)
	}
	revision = aws.ToString(registered.TaskDefinition.TaskDefinitionArn)
	in := &ecs.CreateServiceInput{
		Cluster: &s.Cluster, ServiceName: &s.Name, TaskDefinition: &revision, DesiredCount: &s.Desired,
		LaunchType:           types.LaunchTypeFargate,
		DeploymentController: &types.DeploymentController{Type: cmp.Or(s.Controller, types.DeploymentControllerTypeEcs)},
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-0a1b2c3d"}}},
	}
	if in.DeploymentController.Type == types.DeploymentControllerTypeEcs {
		in.DeploymentConfiguration = s.Rollout.configuration(s.NoBreaker)
	}
	if s.Balanced != nil {
		in.LoadBalancers = []types.LoadBalancer{s.Balanced.loadBalancer(s.Name)}
		in.HealthCheckGracePeriodSeconds = &s.GraceSeconds
	}
	if in.DeploymentController.Type == types.DeploymentControllerTypeExternal {
		// Its task sets say what it runs, and how.
		in.TaskDefinition, in.LaunchType, in.NetworkConfiguration = nil, "", nil
	}
	if _, err := client.CreateService(ctx, in); err != nil {
		return "", fmt.Errorf("creating service %s in cluster %s: %w", s.Name, s.Cluster, err)
	}
	return revision, nil
}

func (s Service) taskDefinition() *ecs.RegisterTaskDefinitionInput {
	main := types.ContainerDefinition{
		Name: &s.Name, Image: &s.Image, Essential: aws.Bool(true),
		PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(containerPort), Protocol: types.TransportProtocolTcp}},
	}
	for name, value := range s.Environment {
		main.Environment = append(main.Environment, types.KeyValuePair{Name: &name, Value: &value})
	}
	in := &ecs.RegisterTaskDefinitionInput{
		Family:                  aws.String(cmp.Or(s.Family, "helium-"+s.Name)),
		ContainerDefinitions:    []types.ContainerDefinition{main},
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		NetworkMode:             types.NetworkModeAwsvpc,
		Cpu:                     aws.String("256"), Memory: aws.String("512"),
		RuntimePlatform: &types.RuntimePlatform{
			CpuArchitecture:       cmp.Or(s.Architecture, types.CPUArchitectureArm64),
			OperatingSystemFamily: types.OSFamilyLinux,
		},
	}
	for name, image := range s.Sidecars {
		in.ContainerDefinitions = append(in.ContainerDefinitions, types.ContainerDefinition{Name: &name, Image: &image, Essential: aws.Bool(true)})
	}
	if s.TaskRole != "" {
		in.TaskRoleArn = &s.TaskRole
	}
	if s.ExecutionRole != "" {
		in.ExecutionRoleArn = &s.ExecutionRole
	}
	return in
}

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
		in.DeploymentConfiguration = &types.DeploymentConfiguration{
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: !s.NoBreaker, Rollback: !s.NoBreaker},
			MinimumHealthyPercent:    aws.Int32(100), MaximumPercent: aws.Int32(200),
		}
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
		PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(8080), Protocol: types.TransportProtocolTcp}},
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

package awssim

import (
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// must is for steps that prepare or that cannot go wrong.
func must[T any](out T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// wideTaskDefinition has a bit of everything that a task definition can say.
func wideTaskDefinition(image string) *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("backend"), NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("512"), Memory: aws.String("1024"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		RuntimePlatform:         &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64, OperatingSystemFamily: types.OSFamilyLinux},
		ExecutionRoleArn:        aws.String("arn:aws:iam::111122223333:role/execution"),
		TaskRoleArn:             aws.String("arn:aws:iam::111122223333:role/task"),
		EphemeralStorage:        &types.EphemeralStorage{SizeInGiB: 30},
		Tags:                    []types.Tag{{Key: aws.String("team"), Value: aws.String("core")}},
		Volumes: []types.Volume{
			{Name: aws.String("scratch")},
			{Name: aws.String("shared"), EfsVolumeConfiguration: &types.EFSVolumeConfiguration{
				FileSystemId: aws.String("fs-1"), TransitEncryption: types.EFSTransitEncryptionEnabled,
			}},
		},
		ContainerDefinitions: []types.ContainerDefinition{
			{
				Name: aws.String("app"), Image: &image, Essential: aws.Bool(true), Cpu: 256, MemoryReservation: aws.Int32(256),
				PortMappings:     []types.PortMapping{{ContainerPort: aws.Int32(8080), Protocol: types.TransportProtocolTcp, Name: aws.String("http"), AppProtocol: types.ApplicationProtocolHttp}},
				Environment:      []types.KeyValuePair{{Name: aws.String("A"), Value: aws.String("")}},
				Secrets:          []types.Secret{{Name: aws.String("S"), ValueFrom: aws.String("arn:aws:secretsmanager:ap-south-1:111122223333:secret:s")}},
				MountPoints:      []types.MountPoint{{SourceVolume: aws.String("scratch"), ContainerPath: aws.String("/tmp")}},
				DependsOn:        []types.ContainerDependency{{ContainerName: aws.String("proxy"), Condition: types.ContainerConditionStart}},
				LinuxParameters:  &types.LinuxParameters{InitProcessEnabled: aws.Bool(true)},
				DockerLabels:     map[string]string{"a": "b"},
				StopTimeout:      aws.Int32(30),
				LogConfiguration: &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{"awslogs-group": "g", "awslogs-region": mumbai, "awslogs-stream-prefix": "p"}},
				HealthCheck:      &types.HealthCheck{Command: []string{"CMD-SHELL", "true"}, Interval: aws.Int32(5), Retries: aws.Int32(2), Timeout: aws.Int32(2), StartPeriod: aws.Int32(5)},
				Ulimits:          []types.Ulimit{{Name: types.UlimitNameNofile, SoftLimit: 1024, HardLimit: 2048}},
			},
			{Name: aws.String("proxy"), Image: aws.String("public.ecr.aws/proxy:1"), Essential: aws.Bool(false)},
		},
	}
}

func TestTheSDKTakesAServiceThroughItsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Quotas: true})
		config := rootConfig(t, s)
		client, registry, ctx := ecs.NewFromConfig(config), ecr.NewFromConfig(config), t.Context()
		createTestRepository(t, registry, backendName)
		var revisions []string
		for _, tag := range []string{firstTag, secondTag} {
			digest := pushTestImage(t, registry, backendName, tag, seed.Image{Index: true, Attestation: true})
			out := must(client.RegisterTaskDefinition(ctx, wideTaskDefinition(ownECRHost+"/"+backendName+"@"+digest)))(t)
			revisions = append(revisions, *out.TaskDefinition.TaskDefinitionArn)
		}
		cluster := aws.String("live")
		must(client.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: cluster, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}))(t)
		balanced := must(seed.Balancer{Name: "backend"}.Create(ctx, elasticloadbalancingv2.NewFromConfig(config)))(t)
		created := must(client.CreateService(ctx, &ecs.CreateServiceInput{
			Cluster: cluster, ServiceName: aws.String("backend"), TaskDefinition: &revisions[0], DesiredCount: aws.Int32(2),
			LaunchType: types.LaunchTypeFargate, PropagateTags: types.PropagateTagsService, EnableECSManagedTags: true,
			NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
				Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"}, AssignPublicIp: types.AssignPublicIpDisabled,
			}},
			LoadBalancers: []types.LoadBalancer{{
				ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080),
				TargetGroupArn: &balanced.TargetGroup,
			}},
			HealthCheckGracePeriodSeconds: aws.Int32(30),
			DeploymentConfiguration: &types.DeploymentConfiguration{
				MinimumHealthyPercent: aws.Int32(100), MaximumPercent: aws.Int32(200),
				DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true},
			},
			Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("core")}},
		}))(t)
		look := &ecs.DescribeServicesInput{Cluster: cluster, Services: []string{"backend", "absent"}, Include: []types.ServiceField{types.ServiceFieldTags}}
		stable := func() {
			t.Helper()
			look := &ecs.DescribeServicesInput{Cluster: cluster, Services: []string{"backend"}}
			if err := ecs.NewServicesStableWaiter(client).Wait(ctx, look, time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		stable()
		must(client.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: cluster, Service: aws.String("backend"), TaskDefinition: &revisions[1]}))(t)
		for range 20 { // what the answers look like at every stage
			must(client.DescribeServices(ctx, look))(t)
			exploreTasks(t, client, cluster)
			time.Sleep(7 * time.Second)
		}
		stable()
		deployments := must(client.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{Cluster: cluster, Service: aws.String("backend")}))(t)
		if len(deployments.ServiceDeployments) != 2 {
			t.Errorf("%d service deployments, want 2", len(deployments.ServiceDeployments))
		}
		exploreDeployments(t, client, deployments)

		// A broken image, stopped by hand, and again, stopped by the breaker.
		broken := must(client.RegisterTaskDefinition(ctx, wideTaskDefinition(ownECRHost+"/"+backendName+":v9")))(t)
		must(client.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: cluster, Service: aws.String("backend"), TaskDefinition: broken.TaskDefinition.TaskDefinitionArn}))(t)
		time.Sleep(20 * time.Second)
		running := must(client.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{
			Cluster: cluster, Service: aws.String("backend"), Status: []types.ServiceDeploymentStatus{types.ServiceDeploymentStatusInProgress},
		}))(t)
		must(client.StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{
			ServiceDeploymentArn: running.ServiceDeployments[0].ServiceDeploymentArn, StopType: types.StopServiceDeploymentStopTypeRollback,
		}))(t)
		stable()
		must(client.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: cluster, Service: aws.String("backend"), TaskDefinition: broken.TaskDefinition.TaskDefinitionArn}))(t)
		for range 40 {
			must(client.DescribeServices(ctx, look))(t)
			exploreTasks(t, client, cluster)
			exploreDeployments(t, client, must(client.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{Cluster: cluster, Service: aws.String("backend")}))(t))
			time.Sleep(15 * time.Second)
		}
		described := must(client.DescribeServices(ctx, look))(t)
		if got := *described.Services[0].TaskDefinition; got != revisions[1] || len(described.Failures) != 1 {
			t.Errorf("after the rollback the service is on %s, want %s; failures %v", got, revisions[1], described.Failures)
		}
		exploreTaskDefinitions(t, client, revisions)
		exploreClusters(t, client, *created.Service.ServiceArn)

		must(client.DeleteService(ctx, &ecs.DeleteServiceInput{Cluster: cluster, Service: aws.String("backend"), Force: aws.Bool(true)}))(t)
		time.Sleep(10 * time.Minute)
		must(client.DescribeServices(ctx, look))(t)
		must(client.DeregisterTaskDefinition(ctx, &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &revisions[0]}))(t)
		must(client.DeleteCluster(ctx, &ecs.DeleteClusterInput{Cluster: cluster}))(t)
	})
}

func exploreTasks(t *testing.T, client *ecs.Client, cluster *string) {
	t.Helper()
	for _, status := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		list := must(client.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: cluster, ServiceName: aws.String("backend"), DesiredStatus: status}))(t)
		if len(list.TaskArns) > 0 {
			must(client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: cluster, Tasks: list.TaskArns, Include: []types.TaskField{types.TaskFieldTags}}))(t)
		}
	}
}

func exploreDeployments(t *testing.T, client *ecs.Client, list *ecs.ListServiceDeploymentsOutput) {
	t.Helper()
	var deployments, revisions []string
	for _, d := range list.ServiceDeployments {
		deployments = append(deployments, *d.ServiceDeploymentArn)
		revisions = append(revisions, *d.TargetServiceRevisionArn)
	}
	must(client.DescribeServiceDeployments(t.Context(), &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: deployments}))(t)
	slices.Sort(revisions)
	out := must(client.DescribeServiceRevisions(t.Context(), &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: slices.Compact(revisions)}))(t)
	if len(out.ServiceRevisions) == 0 {
		t.Error("no service revisions")
	}
}

func exploreTaskDefinitions(t *testing.T, client *ecs.Client, revisions []string) {
	t.Helper()
	out := must(client.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String("backend"), Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	}))(t)
	if out.TaskDefinition.Revision != 3 || len(out.Tags) != 1 {
		t.Errorf("backend:%d with tags %v", out.TaskDefinition.Revision, out.Tags)
	}
	list := must(client.ListTaskDefinitions(t.Context(), &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("backend"), Sort: types.SortOrderDesc, MaxResults: aws.Int32(2)}))(t)
	if len(list.TaskDefinitionArns) != 2 || list.NextToken == nil || list.TaskDefinitionArns[1] != revisions[1] {
		t.Errorf("%+v", list)
	}
	must(client.ListTaskDefinitionFamilies(t.Context(), &ecs.ListTaskDefinitionFamiliesInput{}))(t)
}

func exploreClusters(t *testing.T, client *ecs.Client, service string) {
	t.Helper()
	ctx := t.Context()
	must(client.DescribeClusters(ctx, &ecs.DescribeClustersInput{
		Clusters: []string{"live", "absent"},
		Include:  []types.ClusterField{types.ClusterFieldTags, types.ClusterFieldStatistics, types.ClusterFieldSettings, types.ClusterFieldConfigurations},
	}))(t)
	must(client.ListClusters(ctx, &ecs.ListClustersInput{}))(t)
	must(client.ListServices(ctx, &ecs.ListServicesInput{Cluster: aws.String("live")}))(t)
	must(client.TagResource(ctx, &ecs.TagResourceInput{ResourceArn: &service, Tags: []types.Tag{{Key: aws.String("x"), Value: aws.String("y")}}}))(t)
	must(client.UntagResource(ctx, &ecs.UntagResourceInput{ResourceArn: &service, TagKeys: []string{"x"}}))(t)
	tags := must(client.ListTagsForResource(ctx, &ecs.ListTagsForResourceInput{ResourceArn: &service}))(t)
	if len(tags.Tags) != 1 {
		t.Errorf("tags %v", tags.Tags)
	}
}

func TestTheSDKAssumesARole(t *testing.T) {
	s := New(Options{})
	role := mustPutRole(t, s, Role{
		Account: otherAccount, Name: "deployer", Unrestricted: true,
		TrustPolicy: json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`),
	})
	client := sts.NewFromConfig(userConfig(t, s, User{Account: ownAccount, Name: "operator", Unrestricted: true}))
	who := must(client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))(t)
	if *who.Arn != "arn:aws:iam::111122223333:user/operator" {
		t.Errorf("%+v", who)
	}
	session := must(client.AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: &role.ARN, RoleSessionName: aws.String("test"), DurationSeconds: aws.Int32(900),
		Tags: []ststypes.Tag{{Key: aws.String("environment"), Value: aws.String("production")}},
	}))(t)
	repository := createTestRepository(t, ecr.NewFromConfig(sessionConfig(t, s, session.Credentials)), backendName)
	if *repository.RegistryId != otherAccount {
		t.Errorf("the repository is in %s", *repository.RegistryId)
	}
}

func TestAUserMayDoInECRWhatItsPolicyAllows(t *testing.T) {
	s := New(Options{})
	createTestRepository(t, ecrClientOf(t, s, ownAccount, mumbai), backendName)
	client := ecr.NewFromConfig(userConfig(t, s, User{Account: ownAccount, Name: "reader", Policies: []json.RawMessage{
		json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:DescribeImages","Resource":"` + backendARN + `"}]}`),
	}}))
	must(client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String(backendName)}))(t)
	_, err := client.ListImages(t.Context(), &ecr.ListImagesInput{RepositoryName: aws.String(backendName)})
	wantCode(t, err, "AccessDeniedException", "User: arn:aws:iam::111122223333:user/reader is not authorized to perform: ecr:ListImages on resource: "+backendARN+
		" because no identity-based policy allows the ecr:ListImages action")
}

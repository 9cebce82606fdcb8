package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// Who is who in the local AWS. All of it exists on this machine only.
const (
	// AccountID is the account that config/samples and config/iam/policy.json name.
	AccountID = "111122223333"
	// Repository is where the images are.
	Repository = "helium-backend"
	// BranchLabel is the label by which CI says from which branch an image was built, Branch the one
	// that goes to production and StagingBranch the one that does not.
	BranchLabel   = "git.branch"
	Branch        = "migrated-demo2"
	StagingBranch = "kartik-stg"
	// Desired is how many tasks each service wants.
	Desired = 2

	// crowd is how many services are so many that they are made side by side. Fewer are made one
	// after the other: a small world is the same each time.
	crowd      = 100
	sideBySide = 16

	managerKey    = "AKIALABMANAGER000001"
	managerSecret = "lab-manager-secret-lab-manager-secret"
)

// Cluster is an ECS cluster with services.
type Cluster struct {
	Region, Name string
	// Prefix begins the names of the services' families.
	Prefix string
	// Services are the names of its services; none means those of Services.
	Services []string
}

// names are the names of the cluster's services.
func (c Cluster) names() []string {
	if len(c.Services) > 0 {
		return c.Services
	}
	return Services()
}

// Account is the account of the operator's users.
type Account struct {
	AWS AWS
	// Home is the region that images are pushed to. They are replicated to the others.
	Home string
	// Clusters is where the services are.
	Clusters []Cluster
	// Environments are the names of the environments; each has a role.
	Environments []string
	// Policy is the policy document of the roles.
	Policy []byte
}

// SampleClusters are the clusters of config/samples.
func SampleClusters() []Cluster {
	return []Cluster{
		{Region: "ap-south-1", Name: "helium-mumbai-staging-cluster", Prefix: "helium-staging-"},
		{Region: "ap-south-1", Name: "helium-mumbai-cluster", Prefix: "helium-"},
		{Region: "ap-southeast-1", Name: "helium-singapore-cluster", Prefix: "helium-"},
		{Region: "us-east-1", Name: "helium-virginia-cluster", Prefix: "helium-"},
	}
}

// SampleAccount is the account of config/samples, with the policy document of its roles, in an AWS that
// is still to be named.
func SampleAccount(policy []byte) Account {
	return Account{Home: "ap-south-1", Clusters: SampleClusters(), Environments: []string{"staging", "production"}, Policy: policy}
}

// Services are the names of the services of a cluster that names none.
func Services() []string { return []string{"backend", "worker"} }

// Role is the ARN of an environment's role.
func Role(environment string) string {
	return "arn:aws:iam::" + AccountID + ":role/ecsrelease-" + environment
}

// ExternalID is what must be known to assume an environment's role.
func ExternalID(environment string) string { return "heliumai/" + environment }

// ManagerEnvironment is how the controller finds the local AWS and who it is there.
func (a *Account) ManagerEnvironment() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + a.AWS.Endpoint,
		"AWS_REGION=" + a.Home,
		"AWS_ACCESS_KEY_ID=" + managerKey,
		"AWS_SECRET_ACCESS_KEY=" + managerSecret,
	}
}

// Furnish makes what the operator's users have before they install it: a repository that
// replicates, clusters with services on v1, and the roles of the environments.
func (a *Account) Furnish(ctx context.Context) error {
	if err := a.identities(ctx); err != nil {
		return err
	}
	if err := a.registry(ctx); err != nil {
		return err
	}
	digest, err := a.Push(ctx, "v1")
	if err != nil {
		return err
	}
	if err := a.Replicated(ctx, digest); err != nil {
		return err
	}
	return a.serve(ctx)
}

// serve makes the services.
func (a *Account) serve(ctx context.Context) error {
	total := 0
	for _, cluster := range a.Clusters {
		total += len(cluster.names())
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(1)
	if total > crowd {
		group.SetLimit(sideBySide)
	}
	for _, cluster := range a.Clusters {
		client := ecs.NewFromConfig(a.root(cluster.Region))
		for _, name := range cluster.names() {
			group.Go(func() error {
				_, err := cluster.service(name).Create(ctx, client)
				return err
			})
		}
	}
	return group.Wait()
}

// service is one of the cluster's.
func (c Cluster) service(name string) seed.Service {
	return seed.Service{
		Cluster: c.Name, Name: name, Family: c.Prefix + name, Desired: Desired,
		Image:         fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s:v1", AccountID, c.Region, Repository),
		Environment:   map[string]string{"REGION": c.Region, "QUEUE": ""},
		TaskRole:      "arn:aws:iam::" + AccountID + ":role/helium-task",
		ExecutionRole: "arn:aws:iam::" + AccountID + ":role/helium-execution",
	}
}

// Settle waits until all services run steadily, as those of users do.
func (a *Account) Settle(ctx context.Context) error {
	const batch = 10 // of which DescribeServices takes no more
	for _, cluster := range a.Clusters {
		for names := range slices.Chunk(cluster.names(), batch) {
			if err := a.settle(ctx, cluster, names); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle waits until some services of a cluster run steadily.
func (a *Account) settle(ctx context.Context, cluster Cluster, names []string) error {
	client := ecs.NewFromConfig(a.root(cluster.Region))
	for {
		out, err := client.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster.Name, Services: names})
		if err != nil {
			return fmt.Errorf("describing the services of %s: %w", cluster.Name, err)
		}
		if !slices.ContainsFunc(out.Services, func(s ecstypes.Service) bool {
			return len(s.Deployments) != 1 || s.Deployments[0].RolloutState != ecstypes.DeploymentRolloutStateCompleted
		}) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the services of %s: %w", cluster.Name, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Push builds an ARM64 image from Branch and pushes it, as CI would, and returns its digest. It does
// not wait for the replication; Replicated does.
func (a *Account) Push(ctx context.Context, tag string) (string, error) {
	return a.PushFrom(ctx, Branch, tag)
}

// PushFrom is Push of what is built from another branch.
func (a *Account) PushFrom(ctx context.Context, branch, tag string) (string, error) {
	return seed.Push(ctx, ecr.NewFromConfig(a.root(a.Home)), Repository, tag, seed.Image{
		Platforms: []string{"linux/arm64/v8"}, Attestation: true, Labels: map[string]string{BranchLabel: branch},
	})
}

// identities makes the controller's user, which may only assume the environments' roles, and
// those roles with the policy that the docs tell users to give them.
func (a *Account) identities(ctx context.Context) error {
	user := map[string]any{
		"account": AccountID, "name": "ecsrelease-manager", "accessKeyId": managerKey, "secretAccessKey": managerSecret,
		"policies": []any{map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Effect": "Allow", "Action": []string{"sts:AssumeRole", "sts:TagSession"}, "Resource": Role("*"),
		}}}},
	}
	if err := a.AWS.Admin(ctx, http.MethodPut, "users", user, nil); err != nil {
		return err
	}
	for _, environment := range a.Environments {
		role := map[string]any{
			"account": AccountID, "name": "ecsrelease-" + environment, "policies": []any{json.RawMessage(a.Policy)},
			"trustPolicy": map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
				"Effect": "Allow", "Action": []string{"sts:AssumeRole", "sts:TagSession"},
				"Principal": map[string]any{"AWS": "arn:aws:iam::" + AccountID + ":user/ecsrelease-manager"},
				"Condition": map[string]any{"StringEquals": map[string]any{"sts:ExternalId": ExternalID(environment)}},
			}}},
		}
		if err := a.AWS.Admin(ctx, http.MethodPut, "roles", role, nil); err != nil {
			return err
		}
	}
	return nil
}

// registry makes the repository in the home region, replicated to the others.
func (a *Account) registry(ctx context.Context) error {
	client := ecr.NewFromConfig(a.root(a.Home))
	if _, err := client.CreateRepository(ctx, &ecr.CreateRepositoryInput{
		RepositoryName: aws.String(Repository), ImageTagMutability: ecrtypes.ImageTagMutabilityImmutable,
	}); err != nil {
		return fmt.Errorf("creating repository %s: %w", Repository, err)
	}
	var destinations []ecrtypes.ReplicationDestination
	for _, region := range a.replicas() {
		destinations = append(destinations, ecrtypes.ReplicationDestination{Region: &region, RegistryId: aws.String(AccountID)})
	}
	if len(destinations) == 0 {
		return nil
	}
	if _, err := client.PutReplicationConfiguration(ctx, &ecr.PutReplicationConfigurationInput{
		ReplicationConfiguration: &ecrtypes.ReplicationConfiguration{Rules: []ecrtypes.ReplicationRule{{Destinations: destinations}}},
	}); err != nil {
		return fmt.Errorf("configuring replication: %w", err)
	}
	return nil
}

// replicas are the regions that ECR replicates to.
func (a *Account) replicas() []string {
	var regions []string
	for _, cluster := range a.Clusters {
		if cluster.Region != a.Home && !slices.Contains(regions, cluster.Region) {
			regions = append(regions, cluster.Region)
		}
	}
	return regions
}

// Replicated waits until every region has the image of a digest.
func (a *Account) Replicated(ctx context.Context, digest string) error {
	for _, region := range a.replicas() {
		client := ecr.NewFromConfig(a.root(region))
		for {
			_, err := client.DescribeImages(ctx, &ecr.DescribeImagesInput{
				RepositoryName: aws.String(Repository), ImageIds: []ecrtypes.ImageIdentifier{{ImageDigest: &digest}},
			})
			if err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("waiting for %s in %s: %w", digest, region, err)
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return nil
}

// root is the account's root user in a region.
func (a *Account) root(region string) aws.Config { return a.AWS.Root(AccountID, region) }

package controllers_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// startAWS makes the AWS of the suite, with the manager's user in it, who may only become the
// roles of environments.
func (s *suite) startAWS() error {
	s.sim = awssim.New(awssim.Options{Speed: speed, JournalEntries: 500_000})
	_, err := s.sim.PutUser(awssim.User{
		Account: managerAccount, Name: "manager", AccessKeyID: managerKey, SecretAccessKey: managerSecret,
		Policies: []json.RawMessage{json.RawMessage(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::*:role/ecsrelease-*"}]}`)},
	})
	if err != nil {
		return fmt.Errorf("adding the manager's user: %w", err)
	}
	return nil
}

// root is the configuration of the account's root user.
func (w *world) root(region string) aws.Config {
	return aws.Config{
		Region:      region,
		HTTPClient:  w.sim.HTTPClient(),
		Credentials: credentials.NewStaticCredentialsProvider(w.account, "awssim", ""),
	}
}

func (w *world) ecs(region string) *ecs.Client { return ecs.NewFromConfig(w.root(region)) }

func (w *world) ecr(region string) *ecr.Client { return ecr.NewFromConfig(w.root(region)) }

// push puts an image, the same one, under the tag of helium-backend into the regions; it returns
// the digest of the tag. Without regions: the home region.
func (w *world) push(tag string, regions ...string) string {
	w.t.Helper()
	return w.pushImage(repository, tag, seed.Image{Platforms: []string{"linux/arm64/v8"}, Attestation: true}, regions...)
}

func (w *world) pushImage(repository, tag string, image seed.Image, regions ...string) (digest string) {
	w.t.Helper()
	if len(regions) == 0 {
		regions = []string{home}
	}
	for _, region := range regions {
		w.makeRepository(region, repository, ecrtypes.ImageTagMutabilityImmutable)
		pushed, err := seed.Push(w.t.Context(), w.ecr(region), repository, tag, image)
		w.must(err)
		digest = pushed
	}
	return digest
}

// makeRepository makes a repository that is not there yet.
func (w *world) makeRepository(region, name string, tags ecrtypes.ImageTagMutability) {
	w.t.Helper()
	_, err := w.ecr(region).CreateRepository(w.t.Context(), &ecr.CreateRepositoryInput{RepositoryName: &name, ImageTagMutability: tags})
	if err != nil && !strings.Contains(err.Error(), "RepositoryAlreadyExistsException") {
		w.t.Fatal(err)
	}
}

// image is the reference of helium-backend with a tag or digest (":v1", "@sha256:…") in a region.
func (w *world) image(region, suffix string) string {
	return w.account + ".dkr.ecr." + region + ".amazonaws.com/" + repository + suffix
}

// serve creates a service in the home region's cluster, with v1 of helium-backend if not said
// otherwise, and waits until it is steady. It returns its revision as family:revision.
func (w *world) serve(s seed.Service) string {
	w.t.Helper()
	return w.serveIn(home, cluster, s)
}

func (w *world) serveIn(region, in string, s seed.Service) string {
	w.t.Helper()
	s.Cluster = cmp.Or(s.Cluster, in)
	s.Name = cmp.Or(s.Name, "backend")
	s.Image = cmp.Or(s.Image, w.image(region, ":v1"))
	s.TaskRole = cmp.Or(s.TaskRole, "arn:aws:iam::"+w.account+":role/helium-task")
	s.ExecutionRole = "arn:aws:iam::" + w.account + ":role/helium-execution"
	if s.Environment == nil {
		s.Environment = map[string]string{"REGION": region, "EMPTY": "", "TOKEN": canary}
	}
	revision, err := s.Create(w.t.Context(), w.ecs(region))
	w.must(err)
	if s.Controller == "" || s.Controller == ecstypes.DeploymentControllerTypeEcs {
		w.steady(region, s.Cluster, s.Name)
	}
	return short(revision)
}

// serveLike creates a service that runs the very revision that another one runs.
func (w *world) serveLike(other, name string) {
	w.t.Helper()
	like := w.describe(home, cluster, other)
	_, err := w.ecs(home).CreateService(w.t.Context(), &ecs.CreateServiceInput{
		Cluster: aws.String(cluster), ServiceName: &name, TaskDefinition: like.TaskDefinition, DesiredCount: aws.Int32(like.DesiredCount),
		LaunchType: ecstypes.LaunchTypeFargate, NetworkConfiguration: like.NetworkConfiguration, DeploymentConfiguration: like.DeploymentConfiguration,
	})
	w.must(err)
	w.steady(home, cluster, name)
}

// desired is a service of two tasks by that name.
func desired(name string) seed.Service { return seed.Service{Name: name, Desired: 2} }

// short is an ARN without what comes before its last slash.
func short(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// steady waits until the service runs all that it should from one deployment.
func (w *world) steady(region, in, name string) {
	w.t.Helper()
	w.eventually("service "+name+" steady", func() error {
		s := w.describe(region, in, name)
		if len(s.Deployments) != 1 || s.Deployments[0].RolloutState != ecstypes.DeploymentRolloutStateCompleted || s.RunningCount != s.DesiredCount {
			return fmt.Errorf("it has %d deployments, the first is %s, and runs %d of %d", len(s.Deployments), s.Deployments[0].RolloutState, s.RunningCount, s.DesiredCount)
		}
		return nil
	})
}

// arrives waits until the service is steady on a revision.
func (w *world) arrives(region, in, name, revision string) {
	w.t.Helper()
	w.eventually(name+" steady on "+short(revision), func() error {
		s := w.describe(region, in, name)
		if short(aws.ToString(s.Deployments[0].TaskDefinition)) != short(revision) || s.Deployments[0].RolloutState != ecstypes.DeploymentRolloutStateCompleted {
			return fmt.Errorf("its deployment of %s is %s", short(aws.ToString(s.Deployments[0].TaskDefinition)), s.Deployments[0].RolloutState)
		}
		return nil
	})
}

// describe is a service as ECS describes it.
func (w *world) describe(region, in, name string) ecstypes.Service {
	w.t.Helper()
	out, err := w.ecs(region).DescribeServices(w.t.Context(), &ecs.DescribeServicesInput{Cluster: &in, Services: []string{name}})
	w.must(err)
	if len(out.Services) != 1 {
		w.t.Fatalf("there is no service %s in %s of %s", name, in, region)
	}
	return out.Services[0]
}

// definition is a task definition, by family:revision or ARN.
func (w *world) definition(region, revision string) *ecs.DescribeTaskDefinitionOutput {
	w.t.Helper()
	out, err := w.ecs(region).DescribeTaskDefinition(w.t.Context(), &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: &revision, Include: []ecstypes.TaskDefinitionField{ecstypes.TaskDefinitionFieldTags},
	})
	w.must(err)
	return out
}

// runs checks that the service's only deployment is completed and brings the image in its first
// container. It returns the task definition.
func (w *world) runs(region, in, name, image string) *ecs.DescribeTaskDefinitionOutput {
	w.t.Helper()
	s := w.describe(region, in, name)
	primary := s.Deployments[0]
	definition := w.definition(region, aws.ToString(primary.TaskDefinition))
	got := aws.ToString(definition.TaskDefinition.ContainerDefinitions[0].Image)
	w.check(aws.ToString(primary.Status) == "PRIMARY" && primary.RolloutState == ecstypes.DeploymentRolloutStateCompleted,
		"service %s: the deployment of %s is %s %s", name, short(aws.ToString(primary.TaskDefinition)), aws.ToString(primary.Status), primary.RolloutState)
	w.check(got == image, "service %s runs %s, wanted %s", name, got, image)
	return definition
}

// register registers a variation of the service's task definition, as its user would, and
// returns its ARN.
func (w *world) register(region, in, name string, vary func(*ecs.RegisterTaskDefinitionInput)) string {
	w.t.Helper()
	s := w.describe(region, in, name)
	d := w.definition(region, aws.ToString(s.TaskDefinition)).TaskDefinition
	input := &ecs.RegisterTaskDefinitionInput{
		Family: d.Family, ContainerDefinitions: d.ContainerDefinitions, Cpu: d.Cpu, Memory: d.Memory,
		NetworkMode: d.NetworkMode, RequiresCompatibilities: d.RequiresCompatibilities,
		RuntimePlatform: d.RuntimePlatform, TaskRoleArn: d.TaskRoleArn, ExecutionRoleArn: d.ExecutionRoleArn,
	}
	vary(input)
	out, err := w.ecs(region).RegisterTaskDefinition(w.t.Context(), input)
	w.must(err)
	return aws.ToString(out.TaskDefinition.TaskDefinitionArn)
}

// update updates the service, as its user would.
func (w *world) update(region string, input *ecs.UpdateServiceInput) {
	w.t.Helper()
	if input.Cluster == nil {
		input.Cluster = aws.String(cluster)
	}
	if input.Service == nil {
		input.Service = aws.String("backend")
	}
	_, err := w.ecs(region).UpdateService(w.t.Context(), input)
	w.must(err)
}

// calls are the calls of the world's role, of one operation or of all.
func (w *world) calls(operation string) []awssim.JournalEntry {
	return w.callsSince(0, operation)
}

func (w *world) callsSince(sequence uint64, operation string) []awssim.JournalEntry {
	return w.sim.Journal(awssim.JournalFilter{
		Principal: "arn:aws:sts::" + w.account + ":assumed-role/" + w.role + "/*", Account: w.account, Operation: operation, After: sequence,
	})
}

// now is a point in the journal.
func (w *world) now() uint64 {
	calls := w.calls("")
	if len(calls) == 0 {
		return 0
	}
	return calls[len(calls)-1].Sequence
}

// changes are the operations with which the controller changed something in AWS, or tried to.
func (w *world) changes() []string {
	var made []string
	for _, call := range w.calls("") {
		if !slices.ContainsFunc([]string{"Describe", "List", "Get", "BatchGet"}, func(verb string) bool { return strings.HasPrefix(call.Operation, verb) }) {
			made = append(made, call.Operation)
		}
	}
	return made
}

// changed checks how often the controller registered and updated since the world began.
func (w *world) changed(registered, updated int) {
	w.t.Helper()
	made := w.changes()
	slices.Sort(made)
	wanted := append(slices.Repeat([]string{"RegisterTaskDefinition"}, registered), slices.Repeat([]string{"UpdateService"}, updated)...)
	if !slices.Equal(made, wanted) {
		w.t.Errorf("the controller made these changes in AWS: %v, wanted %d registrations and %d updates\n%s", made, registered, updated, w.tell())
	}
}

// wantCalls says how often the controller has called an operation, if not n times.
func (w *world) wantCalls(operation string, n int) error {
	if made := len(w.calls(operation)); made != n {
		return fmt.Errorf("%s was called %d times, wanted %d", operation, made, n)
	}
	return nil
}

// sweeps waits until the controller has looked n more times at the services of its region.
func (w *world) sweeps(n int) {
	w.t.Helper()
	from := w.now()
	w.eventually(fmt.Sprintf("%d more looks", n), func() error {
		if seen := len(w.callsSince(from, "DescribeServices")); seen < n {
			return fmt.Errorf("there were %d", seen)
		}
		return nil
	})
}

// behave scripts what images do in this account.
func (w *world) behave(b awssim.ImageBehavior) {
	w.t.Helper()
	b.Account = w.account
	w.must(b.Validate())
	w.sim.SetImageBehavior(b)
}

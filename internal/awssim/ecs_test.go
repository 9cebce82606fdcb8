package awssim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
)

// ecsWorldOf is one account's ECS in Mumbai, with a cluster, seen through the real SDK.
type ecsTestWorld struct {
	*testing.T
	sim    *Simulator
	client *ecs.Client
	start  time.Time
}

const testCluster = "helium-mumbai-cluster"

// inECS runs a test in a bubble of virtual time against a new world that is never behind.
func inECS(t *testing.T, test func(t *testing.T, w *ecsTestWorld)) {
	inECSWith(t, Options{Seed: 7, ECS: ECSOptions{ServiceLag: -1, ServiceDeploymentLag: -1, TaskDefinitionLag: -1}}, test)
}

func inECSWith(t *testing.T, options Options, test func(t *testing.T, w *ecsTestWorld)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := New(options)
		w := &ecsTestWorld{T: t, sim: sim, client: ecsClientOf(t, sim, ownAccount, mumbai), start: time.Now()}
		if _, err := w.client.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String(testCluster)}); err != nil {
			t.Fatal(err)
		}
		test(t, w)
	})
}

// ecsClientOf is a real client that does not retry, as the root of an account.
func ecsClientOf(t *testing.T, s *Simulator, account, region string) *ecs.Client {
	t.Helper()
	return ecs.NewFromConfig(aws.Config{
		Region:       region,
		Credentials:  credentials.NewStaticCredentialsProvider(account, rootSecret, ""),
		HTTPClient:   &http.Client{Transport: Conforming(t, s.HTTPClient().Transport)},
		BaseEndpoint: aws.String("http://awssim.test"),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	})
}

// raw posts a JSON document as it is, signed, and returns the answer's document.
func (w *ecsTestWorld) raw(operation, document string) (status int, answer map[string]any) {
	w.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://awssim.test/", strings.NewReader(document))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
	sum := sha256.Sum256([]byte(document))
	who := aws.Credentials{AccessKeyID: ownAccount, SecretAccessKey: rootSecret}
	if err := v4.NewSigner().SignHTTP(w.Context(), who, r, hex.EncodeToString(sum[:]), "ecs", mumbai, time.Now()); err != nil {
		w.Fatal(err)
	}
	response, err := (&http.Client{Transport: Conforming(w, w.sim.HTTPClient().Transport)}).Do(r)
	if err != nil {
		w.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		w.Fatalf("%s answered %s: %v", operation, body, err)
	}
	return response.StatusCode, answer
}

// definition is a Fargate task definition with one container and a health check.
func definition(family, image string) *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(family), Cpu: aws.String("256"), Memory: aws.String("512"),
		NetworkMode: types.NetworkModeAwsvpc, RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ExecutionRoleArn: aws.String("arn:aws:iam::111122223333:role/exec"),
		RuntimePlatform:  &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64},
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String(image),
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(8080)}},
			HealthCheck:  &types.HealthCheck{Command: []string{"CMD", "true"}},
		}},
	}
}

// register registers an image as the next revision of the family "web" and returns its ARN.
func (w *ecsTestWorld) register(image string) string {
	w.Helper()
	out, err := w.client.RegisterTaskDefinition(w.Context(), definition("web", image))
	if err != nil {
		w.Fatal(err)
	}
	return *out.TaskDefinition.TaskDefinitionArn
}

// create creates the service "web"; change edits the request.
func (w *ecsTestWorld) create(taskDefinition string, desired int32, change ...func(*ecs.CreateServiceInput)) *types.Service {
	w.Helper()
	in := &ecs.CreateServiceInput{
		Cluster: aws.String(testCluster), ServiceName: aws.String("web"), TaskDefinition: aws.String(taskDefinition),
		DesiredCount: aws.Int32(desired), LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
	}
	for _, c := range change {
		c(in)
	}
	out, err := w.client.CreateService(w.Context(), in)
	if err != nil {
		w.Fatal(err)
	}
	return out.Service
}

// breaker turns the circuit breaker on.
func breaker(rollback bool) func(*ecs.CreateServiceInput) {
	return func(in *ecs.CreateServiceInput) {
		in.DeploymentConfiguration = &types.DeploymentConfiguration{
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: rollback},
		}
	}
}

// update deploys a task definition to the service "web".
func (w *ecsTestWorld) update(taskDefinition string) *types.Service {
	w.Helper()
	out, err := w.client.UpdateService(w.Context(), &ecs.UpdateServiceInput{
		Cluster: aws.String(testCluster), Service: aws.String("web"), TaskDefinition: aws.String(taskDefinition),
	})
	if err != nil {
		w.Fatal(err)
	}
	return out.Service
}

func (w *ecsTestWorld) service() types.Service {
	w.Helper()
	out, err := w.client.DescribeServices(w.Context(), &ecs.DescribeServicesInput{Cluster: aws.String(testCluster), Services: []string{"web"}})
	if err != nil {
		w.Fatal(err)
	}
	if len(out.Services) != 1 {
		w.Fatalf("failures: %+v", out.Failures)
	}
	return out.Services[0]
}

// latest is the newest service deployment.
func (w *ecsTestWorld) latest() types.ServiceDeployment {
	w.Helper()
	out, err := w.client.DescribeServiceDeployments(w.Context(), &ecs.DescribeServiceDeploymentsInput{
		ServiceDeploymentArns: []string{*w.brief().ServiceDeploymentArn},
	})
	if err != nil || len(out.ServiceDeployments) != 1 {
		w.Fatalf("%+v %v", out, err)
	}
	return out.ServiceDeployments[0]
}

// deployments are all service deployments, newest first.
func (w *ecsTestWorld) deployments() []types.ServiceDeployment {
	w.Helper()
	list, err := w.client.ListServiceDeployments(w.Context(), &ecs.ListServiceDeploymentsInput{Cluster: aws.String(testCluster), Service: aws.String("web")})
	if err != nil {
		w.Fatal(err)
	}
	var found []types.ServiceDeployment
	for _, brief := range list.ServiceDeployments {
		out, err := w.client.DescribeServiceDeployments(w.Context(), &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{*brief.ServiceDeploymentArn}})
		if err != nil {
			w.Fatal(err)
		}
		found = append(found, out.ServiceDeployments...)
	}
	return found
}

// tasks are the service's tasks of a desired status.
func (w *ecsTestWorld) tasks(status types.DesiredStatus) []types.Task {
	w.Helper()
	list, err := w.client.ListTasks(w.Context(), &ecs.ListTasksInput{Cluster: aws.String(testCluster), ServiceName: aws.String("web"), DesiredStatus: status})
	if err != nil {
		w.Fatal(err)
	}
	if len(list.TaskArns) == 0 {
		return nil
	}
	out, err := w.client.DescribeTasks(w.Context(), &ecs.DescribeTasksInput{Cluster: aws.String(testCluster), Tasks: list.TaskArns})
	if err != nil {
		w.Fatal(err)
	}
	return out.Tasks
}

// settle waits until the primary deployment has ended, for at most ten minutes.
func (w *ecsTestWorld) settle() types.Service {
	w.Helper()
	for range 600 {
		s := w.service()
		if len(s.Deployments) == 1 && s.Deployments[0].RolloutState != types.DeploymentRolloutStateInProgress {
			return s
		}
		time.Sleep(time.Second)
	}
	w.Fatalf("the deployment did not end:\n%s", line(w.service(), w.brief()))
	panic("unreachable")
}

// revisionOf is family:revision of an ARN.
func revisionOf(arn *string) string { return (*arn)[strings.LastIndexByte(*arn, '/')+1:] }

// brief is the newest service deployment as the list has it.
func (w *ecsTestWorld) brief() types.ServiceDeploymentBrief {
	w.Helper()
	list, err := w.client.ListServiceDeployments(w.Context(), &ecs.ListServiceDeploymentsInput{
		Cluster: aws.String(testCluster), Service: aws.String("web"), MaxResults: aws.Int32(1),
	})
	if err != nil {
		w.Fatal(err)
	}
	return list.ServiceDeployments[0]
}

// line is what a service and its newest service deployment look like, in one line.
func line(s types.Service, sd types.ServiceDeploymentBrief) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d/%d+%d", revisionOf(s.TaskDefinition), s.RunningCount, s.DesiredCount, s.PendingCount)
	for _, d := range s.Deployments {
		fmt.Fprintf(&b, " | %s %s %s %d/%d+%d", *d.Status, revisionOf(d.TaskDefinition), d.RolloutState, d.RunningCount, d.DesiredCount, d.PendingCount)
		if d.FailedTasks > 0 {
			fmt.Fprintf(&b, " failed %d", d.FailedTasks)
		}
	}
	return b.String() + " | " + string(sd.Status)
}

// watch writes down what the service looks like, second by second, every time it looks
// different, until its deployment has ended and it has come to rest.
func (w *ecsTestWorld) watch() string {
	w.Helper()
	var story []string
	quiet := 0
	for range 1800 {
		now := line(w.service(), w.brief())
		if len(story) == 0 || story[len(story)-1] != now {
			story, quiet = append(story, now), 0
		} else if quiet++; quiet == 100 {
			break
		}
		time.Sleep(time.Second)
	}
	return strings.Join(story, "\n") + "\n"
}

var groupARN = regexp.MustCompile(`arn:aws:elasticloadbalancing:[^ )]*:targetgroup/([^/]+)/[0-9a-f]+`)

// messages are the service's events, oldest first, with identifiers as <id>.
func (w *ecsTestWorld) messages() string {
	w.Helper()
	var b strings.Builder
	events := w.service().Events
	for i := range events {
		words := strings.Fields(groupARN.ReplaceAllString(*events[len(events)-1-i].Message, "<$1>"))
		for j, word := range words {
			bare := strings.Trim(word, "().")
			if len(bare) == 32 {
				words[j] = strings.Replace(word, bare, "<id>", 1)
			} else if number, ok := strings.CutPrefix(bare, "ecs-svc/"); ok {
				words[j] = strings.Replace(word, number, "<id>", 1)
			}
		}
		b.WriteString(strings.Join(words, " ") + "\n")
	}
	return b.String()
}

// refused checks the code and the text of an error.
func refused(t *testing.T, err error, code, text string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("got %v, want %s", err, code)
	}
	if api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), text) {
		t.Errorf("got %s: %s\nwant %s: …%s…", api.ErrorCode(), api.ErrorMessage(), code, text)
	}
}

func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = "svc-" + strconv.Itoa(i)
	}
	return list
}

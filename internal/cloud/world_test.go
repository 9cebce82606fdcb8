package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/go-logr/logr/testr"
	"k8s.io/apimachinery/pkg/types"

	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/rollout"
)

const (
	account = "111122223333"
	home    = "444455556666" // where the controller itself lives
	region  = "ap-south-1"
	cluster = "helium"
)

var owner = types.NamespacedName{Namespace: "production", Name: "helium-backend"}

// world is a simulated AWS with a fleet in it, in a bubble of virtual time.
type world struct {
	t     *testing.T
	sim   *awssim.Simulator
	fleet *Fleet
	id    Identity
	stop  func() // the fleet, and waits until it has stopped

	mu       sync.Mutex
	enqueued map[types.NamespacedName]int
}

// inWorld runs a test in a bubble with a fleet that has started, as a role that may do all.
func inWorld(t *testing.T, test func(t *testing.T, w *world), adjust ...func(*Options)) {
	t.Helper()
	inWorldOf(t, awssim.Options{}, test, adjust...)
}

func inWorldOf(t *testing.T, o awssim.Options, test func(t *testing.T, w *world), adjust ...func(*Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, sim: awssim.New(o), enqueued: map[types.NamespacedName]int{}}
		w.user()
		w.id = w.role("releases", nil)
		options := Options{
			Config: func(context.Context) (aws.Config, error) {
				return aws.Config{
					Region:      "us-east-1",
					HTTPClient:  w.sim.HTTPClient(),
					Credentials: credentials.NewStaticCredentialsProvider("AKIACONTROLLER000000", "secret", ""),
				}, nil
			},
			Enqueue: func(owner types.NamespacedName) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.enqueued[owner]++
			},
			Log: testr.New(t),
		}
		for _, a := range adjust {
			a(&options)
		}
		fleet, err := New(options)
		if err != nil {
			t.Fatal(err)
		}
		w.fleet = fleet
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			if err := fleet.Start(ctx); err != nil {
				t.Error(err)
			}
		}()
		w.stop = func() { cancel(); <-stopped }
		synctest.Wait()
		test(t, w)
		w.stop()
	})
}

// user is who the controller is without a role.
func (w *world) user() {
	w.t.Helper()
	_, err := w.sim.PutUser(awssim.User{
		Account: home, Name: "controller", AccessKeyID: "AKIACONTROLLER000000", SecretAccessKey: "secret",
		Policies: []json.RawMessage{policy("Allow", "sts:*", "*")},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// role makes a role that trusts the controller; nil policies let it do all.
func (w *world) role(name string, policies []json.RawMessage) Identity {
	w.t.Helper()
	role, err := w.sim.PutRole(awssim.Role{
		Account: account, Name: name, Policies: policies, Unrestricted: policies == nil,
		TrustPolicy: json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + home + `"},` +
			`"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"sts:ExternalId":"helium"}}}]}`),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return Identity{AccountID: account, RoleARN: role.ARN, ExternalID: "helium", Environment: "production"}
}

func policy(effect, action, resource string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":%q,"Resource":%q}]}`, effect, action, resource))
}

func (w *world) root() aws.Config {
	return aws.Config{Region: region, HTTPClient: w.sim.HTTPClient(), Credentials: credentials.NewStaticCredentialsProvider(account, "awssim", "")}
}

func (w *world) ecs() *ecs.Client { return ecs.NewFromConfig(w.root()) }

func (w *world) ecr() *ecr.Client { return ecr.NewFromConfig(w.root()) }

func (w *world) key(service string) Key {
	return Key{Identity: w.id, Region: region, Cluster: cluster, Service: service}
}

// service creates a service that runs an image from elsewhere, and returns its revision.
func (w *world) service(s seed.Service) string {
	w.t.Helper()
	if s.Image == "" {
		s.Image = "docker.io/library/nginx:1"
	}
	if s.Cluster == "" {
		s.Cluster = cluster
	}
	s.ExecutionRole = "arn:aws:iam::" + account + ":role/execution"
	arn, err := s.Create(w.t.Context(), w.ecs())
	if err != nil {
		w.t.Fatal(err)
	}
	return lastElement(arn)
}

// settle lets what is under way in ECS come to its end, and lagging reads catch up.
func (w *world) settle() {
	w.t.Helper()
	time.Sleep(10 * time.Minute)
	synctest.Wait()
}

// track has the owner track services, all settled.
func (w *world) track(services ...string) {
	keys := map[Key]bool{}
	for _, s := range services {
		keys[w.key(s)] = false
	}
	w.fleet.Track(owner, keys)
}

// view waits until a look that begins now is there.
func (w *world) view(k Key) *rollout.View {
	w.t.Helper()
	began := time.Now()
	for time.Since(began) < 5*time.Minute {
		if v, ok := w.fleet.View(k, began); ok {
			return v
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.t.Fatalf("no view of %s within 5 minutes", k.Location())
	return nil
}

// news takes how often owners were enqueued since it was last asked.
func (w *world) news() int {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	sum := 0
	for _, n := range w.enqueued {
		sum += n
	}
	clear(w.enqueued)
	return sum
}

// calls counts the calls of the fleet since the journal was last reset, by operation.
func (w *world) calls() map[string]int {
	synctest.Wait()
	counts := map[string]int{}
	for _, c := range w.sim.Summary().Calls {
		if c.Principal != "root" {
			counts[c.Operation] += int(c.Calls)
		}
	}
	return counts
}

func (w *world) fault(f awssim.Fault) {
	w.t.Helper()
	if _, err := w.sim.AddFault(f); err != nil {
		w.t.Fatal(err)
	}
}

// setDesired does what autoscaling does.
func (w *world) setDesired(service string, n int32) {
	w.t.Helper()
	_, err := w.ecs().UpdateService(w.t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(cluster), Service: &service, DesiredCount: &n})
	if err != nil {
		w.t.Fatal(err)
	}
}

// revise registers a revision of a family with another image, as somebody else would.
func (w *world) revise(family, image string, tags ...ecstypes.Tag) string {
	w.t.Helper()
	out, err := w.ecs().RegisterTaskDefinition(w.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: &family, Tags: tags,
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		ExecutionRoleArn:        aws.String("arn:aws:iam::" + account + ":role/execution"),
		NetworkMode:             ecstypes.NetworkModeAwsvpc,
		Cpu:                     aws.String("256"),
		Memory:                  aws.String("512"),
		RuntimePlatform:         &ecstypes.RuntimePlatform{CpuArchitecture: ecstypes.CPUArchitectureArm64},
		ContainerDefinitions:    []ecstypes.ContainerDefinition{{Name: aws.String("backend"), Image: &image}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return lastElement(*out.TaskDefinition.TaskDefinitionArn)
}

func wantProblem(t *testing.T, p *rollout.Problem, class rollout.ProblemClass, reason string, words ...string) {
	t.Helper()
	if p == nil {
		t.Fatalf("there is no problem, wanted %s %s", class, reason)
	}
	if p.Class != class || p.Reason != reason {
		t.Errorf("problem is %s %s (%s), wanted %s %s", p.Class, p.Reason, p.Message, class, reason)
	}
	for _, word := range words {
		if !strings.Contains(p.Message, word) {
			t.Errorf("message is %q, wanted it to say %q", p.Message, word)
		}
	}
}

func noProblem(t *testing.T, p *rollout.Problem) {
	t.Helper()
	if p != nil {
		t.Fatalf("unexpected problem %s %s: %s", p.Class, p.Reason, p.Message)
	}
}

func spell(counts map[string]int) string {
	var words []string
	for _, operation := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%s %d", operation, counts[operation]))
	}
	return strings.Join(words, ", ")
}

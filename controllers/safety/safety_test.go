// Package safety_test holds the reconciler to what must never happen, each promise by itself: it
// drives single passes against a simulated AWS in this process and a Kubernetes in memory. It has
// a package of its own because it needs no control plane, so that each promise is tested in a
// second.
package safety_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/controllers"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/lab"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/taskdef"
)

const (
	namespace  = "production"
	region     = "ap-south-1"
	cluster    = "helium-mumbai-cluster"
	elsewhere  = "helium-mumbai-staging-cluster"
	longestRun = 300 // passes, of two seconds each
)

// world is a reconciler between a Kubernetes in memory and a simulated AWS, in virtual time.
type world struct {
	t          *testing.T
	client     client.Client
	account    lab.Account
	reconciler *controllers.ReleaseReconciler
	// beforePatch is called before a status is written, with what is to be written.
	beforePatch func(*ecsv1alpha1.EcsRelease)

	mu    sync.Mutex
	calls []call
	// onCall is called before AWS gets a call of the reconciler that changes something.
	onCall func(call)
	// lose says of a call whether it is lost on its way, which the reconciler cannot tell from a
	// call whose answer is lost.
	lose func(call) bool
}

// call is a call of the reconciler to AWS.
type call struct {
	operation string
	body      string
}

func (c call) changes() bool {
	return !slices.ContainsFunc([]string{"Describe", "List", "Get", "BatchGet", "AssumeRole", "GET"}, func(p string) bool { return strings.HasPrefix(c.operation, p) })
}

// inWorld runs a test in a bubble. The account has two clusters with two services each, all on v1,
// and v2 in its registry; the environment covers the one called cluster.
func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	inWorldWithShare(t, 0.5, test)
}

// inWorldWithShare is inWorld with a share of AWS's quotas.
func inWorldWithShare(t *testing.T, share float64, test func(w *world)) {
	t.Helper()
	policy, err := os.ReadFile(filepath.Join("..", "..", "config", "iam", "policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		sim := awssim.New(awssim.Options{})
		w := &world{t: t, beforePatch: func(*ecsv1alpha1.EcsRelease) {}, onCall: func(call) {}, lose: func(call) bool { return false }}
		w.account = lab.Account{
			AWS:  lab.AWS{Endpoint: "http://aws.invalid", Client: sim.HTTPClient()},
			Home: region, Environments: []string{"production"}, Policy: policy,
			Clusters: []lab.Cluster{{Region: region, Name: cluster, Prefix: "helium-"}, {Region: region, Name: elsewhere, Prefix: "staging-"}},
		}
		w.must(w.account.Furnish(t.Context()))
		w.must(w.account.Settle(t.Context()))
		_, err := w.account.Push(t.Context(), "v2")
		w.must(err)
		w.client = w.newClient()
		fleet := w.newFleet(sim, share)
		metrics, err := controllers.NewMetrics(prometheus.NewRegistry(), w.client, nil)
		w.must(err)
		w.reconciler = &controllers.ReleaseReconciler{
			Client: w.client, Reader: w.client, Fleet: fleet, Recorder: events.NewFakeRecorder(10_000), Metrics: metrics, Inbox: &controllers.Inbox{},
			Timing:    rollout.Timing{CallDeadline: 5 * time.Second, Settle: 30 * time.Second, Fast: 5 * time.Second, Slow: 5 * time.Minute},
			Freshness: 5 * time.Second,
		}
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- fleet.Start(ctx) }()
		test(w)
		cancel()
		w.must(<-stopped)
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// newClient makes a Kubernetes with the namespace and its environment.
func (w *world) newClient() client.Client {
	scheme := runtime.NewScheme()
	w.must(clientgoscheme.AddToScheme(scheme))
	w.must(ecsv1alpha1.AddToScheme(scheme))
	places := func(object client.Object) []string {
		var all []string
		spec := object.(*ecsv1alpha1.EcsRelease).Spec
		for _, target := range spec.Targets {
			for _, service := range spec.Services {
				all = append(all, target.Region+"/"+target.Cluster+"/"+service.Name)
			}
		}
		return all
	}
	return fake.NewClientBuilder().WithScheme(scheme).
		WithStatusSubresource(&ecsv1alpha1.EcsRelease{}).
		WithIndex(&ecsv1alpha1.EcsRelease{}, "places", places).
		WithIndex(&ecsv1alpha1.EcsRelease{}, "images", func(object client.Object) []string {
			return []string{object.(*ecsv1alpha1.EcsRelease).Spec.Image}
		}).
		WithObjects(
			&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
			&ecsv1alpha1.EcsEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "production"}, Spec: ecsv1alpha1.EcsEnvironmentSpec{
				Namespaces:   &ecsv1alpha1.NamespaceSelector{Names: []string{namespace}},
				AWS:          ecsv1alpha1.AWSIdentity{AccountID: lab.AccountID, RoleARN: lab.Role("production"), ExternalID: lab.ExternalID("production")},
				Destinations: []ecsv1alpha1.Destination{{Region: region, Clusters: []string{cluster}, Services: []string{"*"}}},
			}},
		).
		WithInterceptorFuncs(interceptor.Funcs{
			SubResourcePatch: func(ctx context.Context, c client.Client, sub string, object client.Object, patch client.Patch, o ...client.SubResourcePatchOption) error {
				w.beforePatch(object.(*ecsv1alpha1.EcsRelease))
				return c.SubResource(sub).Patch(ctx, object, patch, o...)
			},
		}).Build()
}

// newFleet makes a fleet whose calls are taken down.
func (w *world) newFleet(sim *awssim.Simulator, share float64) *cloud.Fleet {
	as := map[string]string{}
	for _, variable := range w.account.ManagerEnvironment() {
		name, value, _ := strings.Cut(variable, "=")
		as[name] = value
	}
	fleet, err := cloud.New(cloud.Options{Share: share, Config: func(context.Context) (aws.Config, error) {
		return aws.Config{
			Region: region, HTTPClient: &http.Client{Transport: spy{w, sim.HTTPClient().Transport}},
			Credentials: credentials.NewStaticCredentialsProvider(as["AWS_ACCESS_KEY_ID"], as["AWS_SECRET_ACCESS_KEY"], ""),
		}, nil
	}})
	w.must(err)
	return fleet
}

// spy takes calls down on their way.
type spy struct {
	w *world
	http.RoundTripper
}

func (s spy) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	c := call{operation: r.Method, body: string(body)}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		c.operation = target[strings.LastIndexByte(target, '.')+1:]
	} else if _, action, found := strings.Cut(c.body, "Action="); found {
		c.operation, _, _ = strings.Cut(action, "&")
	}
	s.w.mu.Lock()
	s.w.calls = append(s.w.calls, c)
	s.w.mu.Unlock()
	if c.changes() {
		s.w.onCall(c)
	}
	if s.w.lose(c) {
		return nil, io.ErrUnexpectedEOF
	}
	return s.RoundTripper.RoundTrip(r)
}

// changes are the calls that were to change something.
func (w *world) changes() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	changes := []string{}
	for _, c := range w.calls {
		if c.changes() {
			changes = append(changes, c.operation)
		}
	}
	return changes
}

// release is an EcsRelease of an image to both services of the clusters.
func (w *world) release(name, image string, clusters ...string) *ecsv1alpha1.EcsRelease {
	w.t.Helper()
	release := &ecsv1alpha1.EcsRelease{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name), Generation: 1, CreationTimestamp: metav1.Now()},
		Spec:       ecsv1alpha1.EcsReleaseSpec{Image: lab.Repository + ":" + image},
	}
	for _, service := range lab.Services() {
		release.Spec.Services = append(release.Spec.Services, ecsv1alpha1.Service{Name: service})
	}
	for i, in := range clusters {
		release.Spec.Targets = append(release.Spec.Targets, ecsv1alpha1.Target{Name: fmt.Sprint("target-", i), Region: region, Cluster: in})
	}
	w.must(w.client.Create(w.t.Context(), release))
	return release
}

// change changes the spec of a release as a user would.
func (w *world) change(name string, how func(*ecsv1alpha1.EcsReleaseSpec)) {
	w.t.Helper()
	release := w.get(name)
	how(&release.Spec)
	release.Generation++
	w.must(w.client.Update(w.t.Context(), release))
}

// govern changes the environment, in one Kubernetes, as an admin would.
func (w *world) govern(in client.Client, how func(*ecsv1alpha1.EcsEnvironmentSpec)) {
	w.t.Helper()
	var environment ecsv1alpha1.EcsEnvironment
	w.must(in.Get(w.t.Context(), types.NamespacedName{Name: "production"}, &environment))
	how(&environment.Spec)
	environment.Generation++
	w.must(in.Update(w.t.Context(), &environment))
}

func (w *world) get(name string) *ecsv1alpha1.EcsRelease {
	w.t.Helper()
	var release ecsv1alpha1.EcsRelease
	w.must(w.client.Get(w.t.Context(), types.NamespacedName{Namespace: namespace, Name: name}, &release))
	return &release
}

// pass makes one pass, and lets two seconds go by. A pass that fails is made again by the next.
func (w *world) pass(name string) {
	_, err := w.reconciler.Reconcile(w.t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}})
	if err != nil {
		w.t.Logf("a pass over %s: %v", name, err)
	}
	time.Sleep(2 * time.Second)
}

// until makes passes over a release until it is Ready on its spec.
func (w *world) untilReady(name string) {
	w.t.Helper()
	for range longestRun {
		w.pass(name)
		release := w.get(name)
		if ready := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionReady); ready != nil &&
			ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == release.Generation {
			return
		}
	}
	w.t.Fatalf("%s does not become Ready: %+v", name, w.get(name).Status.Conditions)
}

// refused makes passes over a release and fails unless it is refused for the reason, with nothing
// changed in AWS.
func (w *world) refused(name, reason string) {
	w.t.Helper()
	for range 30 {
		w.pass(name)
	}
	ready := meta.FindStatusCondition(w.get(name).Status.Conditions, ecsv1alpha1.ConditionReady)
	if ready == nil || ready.Status != metav1.ConditionFalse || ready.Reason != reason {
		w.t.Errorf("%s is %+v, wanted not to be Ready for %s", name, ready, reason)
	}
	if changes := w.changes(); len(changes) > 0 {
		w.t.Errorf("AWS was asked to change something: %v", changes)
	}
}

func TestNothingIsChangedInAWSWithoutAnIntentInStatus(t *testing.T) {
	inWorld(t, func(w *world) {
		announced := map[string]int{}
		w.onCall = func(c call) {
			var request struct {
				Family, Service, TaskDefinition string
				Tags                            []struct{ Key, Value string }
			}
			if err := json.Unmarshal([]byte(c.body), &request); err != nil {
				t.Errorf("%s: %v", c.operation, err)
			}
			of := func(i *ecsv1alpha1.Intent, service string) bool {
				switch c.operation {
				case "RegisterTaskDefinition":
					return i.Action == ecsv1alpha1.IntentRegister && slices.ContainsFunc(request.Tags, func(tag struct{ Key, Value string }) bool {
						return tag.Key == taskdef.TagHash && tag.Value == i.Hash
					})
				case "UpdateService":
					return i.Action == ecsv1alpha1.IntentUpdate && service == request.Service && strings.HasSuffix(request.TaskDefinition, "/"+i.Revision)
				}
				return false
			}
			for _, target := range w.get("backend").Status.Targets {
				for _, s := range target.Services {
					if s.Intent != nil && of(s.Intent, s.Name) {
						announced[c.operation]++
						return
					}
				}
			}
			t.Errorf("%s of %s%s is under way, and no intent for it is in status", c.operation, request.Family, request.Service)
		}
		w.release("backend", "v2", cluster)
		w.untilReady("backend")
		for _, operation := range []string{"RegisterTaskDefinition", "UpdateService"} {
			if announced[operation] != len(lab.Services()) {
				t.Errorf("%s was announced %d times, wanted once for each of %v", operation, announced[operation], lab.Services())
			}
		}
	})
}

// A registration of a family whose last one may have been made waits, and is not announced while
// it does: each announcement is a write to etcd.
func TestOnlyARegistrationThatIsSentIsAnnounced(t *testing.T) {
	inWorld(t, func(w *world) {
		w.govern(w.client, func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Destinations[0].Clusters = []string{cluster, elsewhere}
		})
		w.shareFamily("helium-backend:1", cluster, elsewhere)
		w.release("backend", "v1", cluster, elsewhere)
		w.untilReady("backend")

		announced := map[string]bool{}
		w.beforePatch = func(release *ecsv1alpha1.EcsRelease) {
			for _, target := range release.Status.Targets {
				for _, s := range target.Services {
					if s.Intent != nil && s.Intent.Action == ecsv1alpha1.IntentRegister {
						announced[target.Cluster+"/"+s.Name+s.Intent.Since.String()] = true
					}
				}
			}
		}
		sent := 0
		w.lose = func(c call) bool {
			if c.operation == "RegisterTaskDefinition" {
				sent++
			}
			return c.operation == "RegisterTaskDefinition" && sent == 1
		}
		w.change("backend", func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Image = lab.Repository + ":v2" })
		w.untilReady("backend")
		if len(announced) != 2 || sent != 2 {
			t.Errorf("%d registrations were announced and %d sent, wanted the lost one and another: %v", len(announced), sent, announced)
		}
	})
}

// Registrations that our share of the quota has no room for wait where people see it, and for little: a
// few writes of the status, and no call that is not made.
func TestAReleaseSaysWhereInLineItStands(t *testing.T) {
	inWorldWithShare(t, 0.05, func(w *world) { // a registration at once, and one more every 20 seconds
		w.govern(w.client, func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Destinations[0].Clusters = []string{cluster, elsewhere}
		})
		for _, service := range lab.Services() {
			w.deployCopy("helium-"+service, "helium-other-"+service, elsewhere, service)
		}
		time.Sleep(3 * time.Minute) // reads lag
		w.release("backend", "v1", cluster, elsewhere)
		w.untilReady("backend")
		began, writes := len(w.changes()), 0
		var said []string
		w.beforePatch = func(release *ecsv1alpha1.EcsRelease) {
			writes++
			for _, target := range release.Status.Targets {
				for _, s := range target.Services {
					if _, where, waits := strings.Cut(s.Message, "registering one that does, "); waits {
						said = append(said, where)
					}
				}
			}
		}
		w.change("backend", func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Image = lab.Repository + ":v2" })
		w.untilReady("backend")
		if made := w.changes()[began:]; len(made) != 8 {
			t.Errorf("AWS was asked for %v, wanted a registration and an update of each of 4 services", made)
		}
		for _, want := range []string{"behind 2 registrations in account " + lab.AccountID + " in " + region + ", about a minute", "behind another one in account"} {
			if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, want) }) {
				t.Errorf("no status said %q: %q", want, slices.Compact(said))
			}
		}
		const most = 50
		if writes > most {
			t.Errorf("the status was written %d times, wanted %d at most", writes, most)
		}
	})
}

func TestAReleaseThatChangesUnderAPassHasNothingDoneForIt(t *testing.T) {
	inWorld(t, func(w *world) {
		changed := false
		w.beforePatch = func(release *ecsv1alpha1.EcsRelease) {
			announces := slices.ContainsFunc(release.Status.Targets, func(target ecsv1alpha1.TargetStatus) bool {
				return slices.ContainsFunc(target.Services, func(s ecsv1alpha1.ServiceStatus) bool { return s.Intent != nil })
			})
			if announces && !changed {
				changed = true
				w.change("backend", func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Suspend = true })
			}
		}
		w.release("backend", "v2", cluster)
		for range 60 {
			w.pass("backend")
		}
		if !changed {
			t.Error("no pass announced anything")
		}
		if changes := w.changes(); len(changes) > 0 {
			t.Errorf("the release was suspended under the pass, and AWS asked for %v", changes)
		}
	})
}

func TestAStepIsBasedOnAYoungObservation(t *testing.T) {
	inWorld(t, func(w *world) {
		w.release("backend", "v1", cluster)
		w.untilReady("backend")
		base := w.deployAnother("backend")
		time.Sleep(3 * time.Minute) // less than the slow cadence: what is stored is of before

		bases := []string{}
		w.onCall = func(c call) {
			var request struct {
				Family string
				Tags   []struct{ Key, Value string }
			}
			if err := json.Unmarshal([]byte(c.body), &request); err != nil {
				t.Errorf("%s: %v", c.operation, err)
			}
			for _, tag := range request.Tags {
				if request.Family == "helium-backend" && tag.Key == taskdef.TagBase {
					bases = append(bases, tag.Value)
				}
			}
		}
		w.change("backend", func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Image = lab.Repository + ":v2" })
		w.untilReady("backend")
		if !slices.Equal(bases, []string{base}) {
			t.Errorf("v2 was derived from %v, wanted only %s, which ran when v2 was asked for", bases, base)
		}
	})
}

// shareFamily has somebody else deploy one revision to all services of the clusters.
func (w *world) shareFamily(revision string, clusters ...string) {
	w.t.Helper()
	somebody := ecs.NewFromConfig(w.account.AWS.Root(lab.AccountID, region))
	for _, in := range clusters {
		for _, service := range lab.Services() {
			_, err := somebody.UpdateService(w.t.Context(), &ecs.UpdateServiceInput{Cluster: &in, Service: &service, TaskDefinition: &revision})
			w.must(err)
		}
	}
	time.Sleep(time.Minute) // reads lag
	w.must(w.account.Settle(w.t.Context()))
}

// deployAnother has somebody else deploy the task definition of a service with another CPU share,
// and returns the revision.
func (w *world) deployAnother(service string) string {
	return w.deployCopy("helium-"+service, "helium-"+service, cluster, service)
}

// deployCopy has somebody else register a task definition with another CPU share as one of a family, and
// deploy that to a service. It returns the revision.
func (w *world) deployCopy(of, as, in, service string) string {
	w.t.Helper()
	somebody := ecs.NewFromConfig(w.account.AWS.Root(lab.AccountID, region))
	found, err := somebody.DescribeTaskDefinition(w.t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: &of})
	w.must(err)
	d := found.TaskDefinition
	d.ContainerDefinitions[0].Cpu = 7
	made, err := somebody.RegisterTaskDefinition(w.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: &as, ContainerDefinitions: d.ContainerDefinitions, Cpu: d.Cpu, Memory: d.Memory, NetworkMode: d.NetworkMode,
		RequiresCompatibilities: d.RequiresCompatibilities, RuntimePlatform: d.RuntimePlatform, TaskRoleArn: d.TaskRoleArn, ExecutionRoleArn: d.ExecutionRoleArn,
	})
	w.must(err)
	_, err = somebody.UpdateService(w.t.Context(), &ecs.UpdateServiceInput{
		Cluster: &in, Service: &service, TaskDefinition: made.TaskDefinition.TaskDefinitionArn,
	})
	w.must(err)
	arn := *made.TaskDefinition.TaskDefinitionArn
	return arn[strings.LastIndexByte(arn, '/')+1:]
}

func TestAReleaseWithoutAnEnvironmentTouchesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.govern(w.client, func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Namespaces.Names = []string{"staging"} })

		w.release("backend", "v2", cluster)
		w.refused("backend", ecsv1alpha1.ReasonNoEnvironment)
		if len(w.calls) > 0 {
			t.Errorf("AWS was called: %v", w.calls)
		}
	})
}

func TestATargetOutsideOfTheEnvironmentHoldsTheWholeReleaseUp(t *testing.T) {
	inWorld(t, func(w *world) {
		w.release("backend", "v2", cluster, elsewhere)
		w.refused("backend", ecsv1alpha1.ReasonNotPermitted)
	})
}

func TestAServiceBelongsToTheOlderOfTwoReleases(t *testing.T) {
	inWorld(t, func(w *world) {
		w.release("older", "v1", cluster)
		w.untilReady("older")
		w.release("younger", "v2", cluster)
		w.refused("younger", ecsv1alpha1.ReasonServiceConflict)
	})
}

func TestARevisionThatWasDeregisteredIsNotRestartedForEver(t *testing.T) {
	inWorld(t, func(w *world) {
		w.release("backend", "v2", cluster)
		w.untilReady("backend")
		somebody := ecs.NewFromConfig(w.account.AWS.Root(lab.AccountID, region))
		_, err := somebody.DeregisterTaskDefinition(w.t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("helium-backend:2")})
		w.must(err)
		time.Sleep(15 * time.Minute) // for so long ECS may still deploy it
		before := len(w.changes())

		release := w.get("backend")
		release.Annotations = map[string]string{ecsv1alpha1.AnnotationRestart: "1"}
		w.must(w.client.Update(w.t.Context(), release))
		for range 30 {
			w.pass("backend")
		}
		if changes := w.changes()[before:]; !slices.Equal(changes, []string{"UpdateService", "UpdateService"}) {
			t.Errorf("AWS was asked for %v, wanted one restart of either service", changes)
		}
		w.untilReady("backend")
	})
}

func TestAPermissionThatIsWithdrawnIsMissedByNoStep(t *testing.T) {
	inWorld(t, func(w *world) {
		w.release("backend", "v1", cluster)
		w.untilReady("backend")
		before := len(w.changes())

		late := w.newClient() // what the watches still show
		w.reconciler.Reader = late
		w.govern(late, func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Namespaces.Names = []string{"staging"} })
		w.change("backend", func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Image = lab.Repository + ":v2" })
		for range 30 {
			w.pass("backend")
		}
		if changes := w.changes()[before:]; len(changes) > 0 {
			t.Errorf("the namespace is in no environment any more, and AWS was asked for %v", changes)
		}

		w.reconciler.Reader = w.client
		w.untilReady("backend") // nothing but the permission held it up
	})
}

func TestAnEnvironmentThatIsClosedStartsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.govern(w.client, func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Windows = []ecsv1alpha1.Window{{Effect: ecsv1alpha1.WindowDeny, Schedule: "* * * * *", DurationSeconds: 60}}
		})
		w.release("backend", "v2", cluster)
		w.refused("backend", ecsv1alpha1.ReasonOutsideWindow)
	})
}

func TestAnImageThatTheEnvironmentDoesNotTakeIsNotReleased(t *testing.T) {
	for name, policy := range map[string]ecsv1alpha1.ImagePolicy{
		"its repository":    {Repositories: []string{"another"}},
		"one of its labels": {RequireLabels: map[string]ecsv1alpha1.LabelValues{"branch": {"of-nobody"}}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.govern(w.client, func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Images = &policy })
				w.release("backend", "v2", cluster)
				w.refused("backend", ecsv1alpha1.ReasonNotPermitted)
			})
		})
	}
}

func TestAnImageThatRanNowhereIsNotPromoted(t *testing.T) {
	inWorld(t, func(w *world) {
		w.must(w.client.Create(t.Context(), &ecsv1alpha1.EcsEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "staging"}}))
		w.govern(w.client, func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Promotion = &ecsv1alpha1.Promotion{From: "staging", SoakSeconds: 60}
		})
		w.release("backend", "v2", cluster)
		w.refused("backend", ecsv1alpha1.ReasonAwaitingPromotion)
	})
}

// leavesAlone fails the test unless passes over a release that nobody has seen write and change nothing.
func (w *world) leavesAlone(name string) {
	w.t.Helper()
	for range 10 {
		w.pass(name)
	}
	if status := w.get(name).Status; len(status.Conditions) > 0 {
		w.t.Errorf("it wrote %+v", status.Conditions)
	}
	if changes := w.changes(); len(changes) > 0 {
		w.t.Errorf("AWS was asked for %v", changes)
	}
}

// lost is a lease that another process holds.
type lost struct{}

func (lost) Held() error              { return errors.New("another leads") }
func (lost) Gate(time.Duration) error { return errors.New("another leads") }

func TestWhoHasLostTheLeaseWritesNoStatus(t *testing.T) {
	inWorld(t, func(w *world) {
		w.reconciler.Ownership = &controllers.Ownership{Lead: lost{}}
		w.release("backend", "v2", cluster)
		w.leavesAlone("backend")
		w.reconciler.Ownership = nil
		w.untilReady("backend")
	})
}

// claims are leases of environments, of which one is held or not, or can be entered no more.
type claims struct{ held, shut, leaving bool }

func (c *claims) Want(string, bool) error { return nil }

func (c *claims) Enter(string) (leave func(), ok bool) { return func() {}, c.held && !c.leaving }

func (c *claims) Held(string) error { return c.Gate("", 0) }

func (c *claims) Gate(string, time.Duration) error {
	if !c.held || c.shut {
		return errors.New("another manager owns it")
	}
	return nil
}

func TestTheReleasesOfAnotherManagersEnvironmentAreLeftAlone(t *testing.T) {
	theirs, err := labels.Parse("team=b")
	if err != nil {
		t.Fatal(err)
	}
	for name, ownership := range map[string]*controllers.Ownership{
		"it is not selected":                  {Selector: theirs},
		"its lease is not held":               {Claims: &claims{}},
		"its lease is lost":                   {Claims: &claims{held: true, shut: true}},
		"its lease is about to be given back": {Claims: &claims{held: true, leaving: true}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.reconciler.Ownership = ownership
				w.release("backend", "v2", cluster)
				w.leavesAlone("backend")
				w.reconciler.Ownership = &controllers.Ownership{Claims: &claims{held: true}}
				w.untilReady("backend")
			})
		})
	}
}

func TestTheGateOfAnEnvironmentIsItsOwnersAlone(t *testing.T) {
	for name, c := range map[string]struct {
		ownership *controllers.Ownership
		open      bool
	}{
		"nobody divides them":        {nil, true},
		"it leads, and owns it":      {&controllers.Ownership{Lead: leading{}, Claims: &claims{held: true}}, true},
		"it leads, without claims":   {&controllers.Ownership{Lead: leading{}}, true},
		"it does not lead":           {&controllers.Ownership{Lead: lost{}, Claims: &claims{held: true}}, false},
		"another manager owns it":    {&controllers.Ownership{Lead: leading{}, Claims: &claims{}}, false},
		"it is about to be too late": {&controllers.Ownership{Lead: leading{}, Claims: &claims{held: true, shut: true}}, false},
	} {
		if err := c.ownership.Gate("production", time.Second); (err == nil) != c.open {
			t.Errorf("%s: the gate says %v, wanted it open: %t", name, err, c.open)
		}
	}
}

// leading is a lease that this process holds.
type leading struct{}

func (leading) Held() error              { return nil }
func (leading) Gate(time.Duration) error { return nil }

func TestAHoldIsNoWayRoundAGate(t *testing.T) {
	inWorld(t, func(w *world) {
		w.govern(w.client, func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Windows = []ecsv1alpha1.Window{{Effect: ecsv1alpha1.WindowDeny, Schedule: "* * * * *", DurationSeconds: 60}}
		})
		release := w.release("backend", "v2", cluster)
		w.refused(release.Name, ecsv1alpha1.ReasonOutsideWindow)
		release = w.get(release.Name)
		release.Annotations = map[string]string{ecsv1alpha1.AnnotationHold: fmt.Sprintf("x/%d", release.Status.History[0].Number)}
		w.must(w.client.Update(t.Context(), release))
		w.refused(release.Name, ecsv1alpha1.ReasonOutsideWindow)
	})
}

func TestServicesThatAreAddedToAStartedReleaseAreGatedToo(t *testing.T) {
	inWorld(t, func(w *world) {
		release := w.release("backend", "v2", cluster)
		w.change(release.Name, func(spec *ecsv1alpha1.EcsReleaseSpec) {
			spec.Services = spec.Services[:1]
			spec.Strategy = &ecsv1alpha1.Strategy{BakeSeconds: 3600}
		})
		for range 100 {
			w.pass(release.Name)
		}
		before := len(w.changes())
		if before != 2 {
			t.Errorf("AWS was asked for %v, wanted one service to be released", w.changes())
		}
		w.govern(w.client, func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Windows = []ecsv1alpha1.Window{{Effect: ecsv1alpha1.WindowDeny, Schedule: "* * * * *", DurationSeconds: 60}}
		})
		w.pass(release.Name)
		w.change(release.Name, func(spec *ecsv1alpha1.EcsReleaseSpec) {
			spec.Services = append(spec.Services, ecsv1alpha1.Service{Name: lab.Services()[1]})
		})
		for range 30 {
			w.pass(release.Name)
		}
		if changes := w.changes()[before:]; len(changes) > 0 {
			t.Errorf("AWS was asked for %v outside of all windows", changes)
		}
	})
}

// A tag that moves is looked for when somebody touches the release, or pushes its image, and never
// otherwise.
func TestAPushHasTheTagLookedAtAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.release("backend", "v1", cluster)
		w.untilReady("backend")
		registry := ecr.NewFromConfig(w.account.AWS.Root(lab.AccountID, region))
		_, err := registry.PutImageTagMutability(w.t.Context(), &ecr.PutImageTagMutabilityInput{
			RepositoryName: aws.String(lab.Repository), ImageTagMutability: ecrtypes.ImageTagMutabilityMutable,
		})
		w.must(err)
		_, err = seed.Push(w.t.Context(), registry, lab.Repository, "v1", seed.Image{Content: "another"})
		w.must(err)
		moved := func() string {
			for range 10 {
				w.pass("backend")
			}
			return w.get("backend").Status.Images[0].MovedTo
		}
		if to := moved(); to != "" {
			t.Errorf("the tag was looked at, and found to be %s", to)
		}
		w.reconciler.Pushed(lab.Repository, "v2")
		if to := moved(); to != "" {
			t.Errorf("another tag was pushed, and this one found to be %s", to)
		}
		w.reconciler.Pushed(lab.Repository, "v1")
		if to := moved(); to == "" {
			t.Error("the tag was pushed, and is not known to have moved")
		}
	})
}

// Whether an entry of spec.containers is of use is known when the containers of every service are: a
// release that sees one cluster after the other is not Ready in between.
func TestAReleaseThatIsNotSeenAtOnceIsNotReadyWithAContainerThatIsNowhere(t *testing.T) {
	inWorld(t, func(w *world) {
		w.govern(w.client, func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Destinations[0].Clusters = []string{cluster, elsewhere}
		})
		w.release("backend", "v1", cluster, elsewhere)
		w.untilReady("backend")
		dark := elsewhere
		w.lose = func(c call) bool {
			return c.operation == "DescribeServices" && strings.Contains(c.body, `"cluster":"`+dark+`"`)
		}
		w.change("backend", func(spec *ecsv1alpha1.EcsReleaseSpec) {
			spec.Image, spec.Containers = "", nil
			for _, name := range append(lab.Services(), "nothing") {
				spec.Containers = append(spec.Containers, ecsv1alpha1.ContainerImage{Name: name, Image: lab.Repository + ":v1"})
			}
		})
		seen := map[string]bool{}
		for _, dark = range []string{elsewhere, cluster, elsewhere, ""} {
			time.Sleep(10 * time.Minute)
			for range 60 {
				w.pass("backend")
				ready := meta.FindStatusCondition(w.get("backend").Status.Conditions, ecsv1alpha1.ConditionReady)
				seen[ready.Reason] = true
				if ready.ObservedGeneration == 2 && ready.Status == metav1.ConditionTrue {
					t.Fatalf("it is Ready while %q is not seen", dark)
				}
			}
		}
		ready := meta.FindStatusCondition(w.get("backend").Status.Conditions, ecsv1alpha1.ConditionReady)
		if ready.Reason != ecsv1alpha1.ReasonContainerUnused || !seen[ecsv1alpha1.ReasonObservationFailed] {
			t.Errorf("in the end it is %+v, and was %v", ready, seen)
		}
		w.change("backend", func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Containers = spec.Containers[:len(lab.Services())] })
		w.untilReady("backend")
	})
}

// An image that a registry does not have is missing until it is seen there, also while nobody can look.
func TestAnImageThatIsMissingIsNotForgottenWhileTheRegistryDoesNotAnswer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.release("backend", "v9", cluster)
		missing := func() *metav1.Time {
			t.Helper()
			for range 5 {
				w.pass("backend")
			}
			status := w.get("backend").Status
			if ready := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReady); ready.Reason != ecsv1alpha1.ReasonImageNotFound {
				t.Fatalf("it is %+v", ready)
			}
			return status.Images[0].MissingSince
		}
		since := missing()
		w.lose = func(c call) bool { return c.operation == "DescribeImages" }
		if now := missing(); !now.Equal(since) {
			t.Errorf("it was missing since %s, and is now since %s", since, now)
		}
		w.lose = func(call) bool { return false }
		_, err := w.account.Push(w.t.Context(), "v9")
		w.must(err)
		w.untilReady("backend")
		if images := w.get("backend").Status.Images; images[0].MissingSince != nil {
			t.Errorf("it is there, and missing since %s", images[0].MissingSince)
		}
	})
}

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/lab"
)

const (
	region  = "ap-south-1"
	cluster = "helium-mumbai-cluster"
	prefix  = "helium-"
	// role is the environment whose role the worlds' managers assume.
	role = "production"

	// speed is how many times as fast as AWS's the worlds' time passes. What AWS shows lags
	// behind by as much as it does in the real one, so that a manager sees the world before
	// the call of its predecessor.
	speed = 40
	lag   = time.Second

	// calm is how long no external call means that nothing more comes of a look: each step of a
	// release follows the one before within milliseconds.
	calm = time.Second
)

// world is one release of two services, an AWS and an environment of its own, and a manager that
// is started again whenever it ends, as a kubelet would.
type world struct {
	*suite
	name    string
	dir     string
	sim     *awssim.Simulator
	account lab.Account
	border  *border
	status  ecsv1alpha1.EcsReleaseStatus // in the end

	mu      sync.Mutex
	manager *lab.Process
	starts  int
	broken  error // why no manager could be started
}

// newWorld makes a world whose services run v1.
func newWorld(ctx context.Context, s *suite, name string, m moment, at point) (*world, error) {
	w := &world{suite: s, name: name, dir: filepath.Join(s.dir, name)}
	w.border = newBorder(m, at, w.kill)
	w.sim = awssim.New(awssim.Options{Speed: speed, ECS: awssim.ECSOptions{
		ServiceLag: lag * speed, ServiceDeploymentLag: lag * speed, TaskDefinitionLag: lag * speed,
	}})
	w.account = lab.Account{
		AWS:  lab.AWS{Endpoint: "http://aws.invalid", Client: w.sim.HTTPClient()},
		Home: region, Clusters: []lab.Cluster{{Region: region, Name: cluster, Prefix: prefix}},
		Environments: []string{role}, Policy: s.policy,
	}
	if err := os.Mkdir(w.dir, 0o755); err != nil {
		return nil, err
	}
	if err := w.account.Furnish(ctx); err != nil {
		return nil, err
	}
	if _, err := w.account.Push(ctx, "v2"); err != nil {
		return nil, err
	}
	if err := await(ctx, "the services to be steady on v1", func() (bool, error) { return w.steady(ctx) }); err != nil {
		return nil, err
	}
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}},
		&ecsv1alpha1.EcsEnvironment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: ecsv1alpha1.EcsEnvironmentSpec{
			Namespaces:   &ecsv1alpha1.NamespaceSelector{Names: []string{name}},
			AWS:          ecsv1alpha1.AWSIdentity{AccountID: lab.AccountID, RoleARN: lab.Role(role), ExternalID: lab.ExternalID(role)},
			Destinations: []ecsv1alpha1.Destination{{Region: region, Clusters: []string{cluster}, Services: []string{"*"}}},
		}},
	}
	for _, object := range objects {
		if err := s.client.Create(ctx, object); err != nil {
			return nil, fmt.Errorf("creating %T: %w", object, err)
		}
	}
	return w, nil
}

// steady says whether the services' deployments have all completed.
func (w *world) steady(ctx context.Context) (bool, error) {
	services, err := w.services(ctx)
	if err != nil {
		return false, err
	}
	for _, service := range services {
		if len(service.Deployments) != 1 || service.Deployments[0].RolloutState != ecstypes.DeploymentRolloutStateCompleted {
			return false, nil
		}
	}
	return true, nil
}

func (w *world) services(ctx context.Context) ([]ecstypes.Service, error) {
	out, err := ecs.NewFromConfig(w.account.AWS.Root(lab.AccountID, region)).DescribeServices(ctx,
		&ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: lab.Services()})
	if err != nil {
		return nil, err
	}
	return out.Services, nil
}

// live runs the world until its release is Ready and was looked at once more, and after the
// strike, if that came as late as this, once more again: by then whichever manager is left has
// found that there is nothing to do. It returns an error when that does not come about.
func (w *world) live(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	return w.inhabit(ctx, func() error {
		release := w.release()
		if err := w.client.Create(ctx, release); err != nil {
			return fmt.Errorf("creating the release: %w", err)
		}
		if err := w.untilReady(ctx, release); err != nil {
			return err
		}
		for look := 1; ; look++ {
			last := w.border.moment == never || w.border.hasStruck()
			if err := w.lookAgain(ctx, release, fmt.Sprintf("look-%d", look)); err != nil {
				return err
			}
			if last || !w.border.hasStruck() {
				w.status = release.Status
				return await(ctx, "the services to be steady on v2", func() (bool, error) { return w.steady(ctx) })
			}
		}
	})
}

// inhabit keeps a manager running in the world while something happens there.
func (w *world) inhabit(ctx context.Context, happens func() error) error {
	aws := httptest.NewServer(w.border.guard(w.sim, awsCall))
	defer aws.Close()
	apiServer := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(w.apiServer) },
		Transport: w.transport,
		ErrorHandler: func(rw http.ResponseWriter, _ *http.Request, err error) {
			http.Error(rw, err.Error(), http.StatusBadGateway)
		},
	}
	kubernetes := httptest.NewServer(w.border.guard(confine(apiServer, w.name), kubernetesCall))
	defer kubernetes.Close()
	kubeconfig, err := w.writeKubeconfig(kubernetes.URL)
	if err != nil {
		return err
	}
	w.account.AWS.Endpoint = aws.URL

	running, end := context.WithCancel(ctx)
	var supervisor sync.WaitGroup
	supervisor.Go(func() { w.supervise(running, kubeconfig) })
	defer supervisor.Wait() // before the servers close: they wait for the manager's watches
	defer end()
	return happens()
}

func (w *world) release() *ecsv1alpha1.EcsRelease {
	release := &ecsv1alpha1.EcsRelease{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.name, Name: "helium-backend"},
		Spec: ecsv1alpha1.EcsReleaseSpec{
			Image:   lab.Repository + ":v2",
			Targets: []ecsv1alpha1.Target{{Name: "mumbai", Region: region, Cluster: cluster}},
		},
	}
	for _, name := range lab.Services() {
		release.Spec.Services = append(release.Spec.Services, ecsv1alpha1.Service{Name: name})
	}
	return release
}

// untilReady waits until the release is Ready on its spec.
func (w *world) untilReady(ctx context.Context, release *ecsv1alpha1.EcsRelease) error {
	return w.await(ctx, release, "the release to be Ready", func() bool {
		ready := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionReady)
		return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == release.Generation
	})
}

// lookAgain asks for one more look at everything, and waits until it was made and nothing more
// follows from it.
func (w *world) lookAgain(ctx context.Context, release *ecsv1alpha1.EcsRelease, token string) error {
	const look = "DescribeServices"
	looks := w.border.count(look)
	base := release.DeepCopy()
	release.Annotations = map[string]string{ecsv1alpha1.AnnotationReconcile: token}
	if err := w.client.Patch(ctx, release, client.MergeFrom(base)); err != nil {
		return fmt.Errorf("asking for one more look: %w", err)
	}
	if err := w.await(ctx, release, "the release to be looked at once more", func() bool {
		return release.Status.Handled != nil && release.Status.Handled.Reconcile == token &&
			w.border.count(look) > looks && w.border.quiet(calm)
	}); err != nil {
		return err
	}
	return w.untilReady(ctx, release)
}

// await waits until the release fulfils the condition.
func (w *world) await(ctx context.Context, release *ecsv1alpha1.EcsRelease, what string, fulfilled func() bool) error {
	err := await(ctx, what, func() (bool, error) {
		if err := w.client.Get(ctx, client.ObjectKeyFromObject(release), release); err != nil {
			return false, err
		}
		return fulfilled(), nil
	})
	if err != nil {
		return fmt.Errorf("%w\nits status: %s\nthe calls: %s\nthe manager's log: %s",
			err, asYAML(release.Status), strings.Join(w.border.crossed(), ", "), w.tail())
	}
	return nil
}

// await polls until the condition is fulfilled, an error or the end of ctx.
func await(ctx context.Context, what string, fulfilled func() (bool, error)) error {
	for {
		done, err := fulfilled()
		if done {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// supervise keeps a manager running until ctx ends, and kills the last one.
func (w *world) supervise(ctx context.Context, kubeconfig string) {
	for ctx.Err() == nil {
		manager, err := w.start(kubeconfig)
		if err != nil {
			w.mu.Lock()
			w.broken = err
			w.mu.Unlock()
			return
		}
		select {
		case <-manager.Ended():
		case <-ctx.Done():
			manager.Kill()
		}
	}
}

func (w *world) start(kubeconfig string) (*lab.Process, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.starts++
	log := filepath.Join(w.dir, fmt.Sprintf("manager-%d.log", w.starts))
	environment := append(w.account.ManagerEnvironment(), "KUBECONFIG="+kubeconfig)
	manager, err := lab.Launch("manager", w.program, log, environment,
		"--lease-duration=2s", "--renew-deadline=1500ms", "--retry-period=400ms",
		"--leader-election-namespace="+w.name, "--in-flight-interval=500ms",
		"--metrics-bind-address=0", "--health-probe-bind-address=0", "--cluster-name=crash")
	if err == nil {
		w.manager = manager
	}
	return manager, err
}

// kill ends the manager by SIGKILL.
func (w *world) kill() {
	w.mu.Lock()
	manager := w.manager
	w.mu.Unlock()
	manager.Kill()
}

// tail is the end of the log of the manager that runs now.
func (w *world) tail() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil || w.manager == nil {
		return fmt.Sprint("there is none: ", w.broken)
	}
	return w.manager.Tail()
}

// writeKubeconfig writes a kubeconfig for the API server at the given URL.
func (w *world) writeKubeconfig(server string) (string, error) {
	path := filepath.Join(w.dir, "kubeconfig")
	content := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "world",
"clusters": [{"name": "world", "cluster": {"server": %q}}],
"contexts": [{"name": "world", "context": {"cluster": "world", "user": "nobody"}}],
"users": [{"name": "nobody"}]}`, server)
	return path, os.WriteFile(path, []byte(content), 0o600)
}

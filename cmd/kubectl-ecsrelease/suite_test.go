package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/controllers"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/lab"
	"heliumai.space/ecsrelease/internal/rollout"
)

const (
	// assetsVariable names the directory that holds the control plane's programs.
	assetsVariable = "KUBEBUILDER_ASSETS"
	// asPlugin makes this program the plugin instead of its tests, so that these run it as a process.
	asPlugin = "TEST_AS_KUBECTL_ECSRELEASE"

	// staging is the namespace whose releases a controller brings about, told the one in which tests
	// write statuses themselves.
	staging = "staging"
	told    = "told"
	home    = "ap-south-1"
	// canary is the value of an environment variable and, as part of an ARN, of a secret.
	canary = "canary-5f2c1b"
)

// The clusters of the local AWS. Each has one service, backend, on v1.
var clusters = []string{"commands", "approvals", "diffs", "others"}

// suite is what the tests share: an API server, an AWS, and a controller for the releases of one namespace.
type suite struct {
	dir     string
	assets  string
	client  client.WithWatch
	account lab.Account
	stops   []func()
}

// shared is the suite that TestMain has set up before any test runs.
var shared suite

func TestMain(m *testing.M) {
	if os.Getenv(asPlugin) != "" {
		main()
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	ctrl.SetLogger(logr.Discard())
	ctx, cancel := context.WithCancel(context.Background())
	defer func() {
		cancel()
		for i := len(shared.stops) - 1; i >= 0; i-- {
			shared.stops[i]()
		}
	}()
	if err := shared.start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: setting up the tests of the plugin:", err)
		return 1
	}
	return m.Run()
}

// start brings everything up. What is to be stopped is in stops, also after an error.
func (s *suite) start(ctx context.Context) (err error) {
	if s.assets = os.Getenv(assetsVariable); s.assets == "" {
		return fmt.Errorf("%s is not set: these tests need kube-apiserver, etcd and kubectl; run `make test`, which builds them and sets it", assetsVariable)
	}
	if s.dir, err = os.MkdirTemp("", "ecsrelease-plugin-"); err != nil {
		return fmt.Errorf("making a directory to work in: %w", err)
	}
	s.stops = append(s.stops, func() { _ = os.RemoveAll(s.dir) }) // it is in the way of nobody
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	for _, name := range []string{"kubectl-ecsrelease", completer} {
		if err := os.Symlink(program, filepath.Join(s.dir, name)); err != nil {
			return fmt.Errorf("linking to the plugin: %w", err)
		}
	}
	config, err := s.startControlPlane(ctx)
	if err != nil {
		return err
	}
	if err := s.startAWS(ctx); err != nil {
		return err
	}
	return s.startController(ctx, config)
}

func (s *suite) startControlPlane(ctx context.Context) (*rest.Config, error) {
	plane := &envtest.Environment{
		CRDDirectoryPaths: []string{"../../config/crd/bases"}, ErrorIfCRDPathMissing: true, BinaryAssetsDirectory: s.assets,
	}
	config, err := plane.Start()
	if err != nil {
		return nil, fmt.Errorf("starting the control plane in %s: %w", s.assets, err)
	}
	s.stops = append(s.stops, func() {
		if err := plane.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the control plane:", err)
		}
	})
	if err := os.WriteFile(s.kubeconfig(), plane.KubeConfig, 0o600); err != nil {
		return nil, fmt.Errorf("writing the kubeconfig: %w", err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, ecsv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("building the scheme: %w", err)
		}
	}
	config.QPS = -1
	if s.client, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	for _, name := range []string{staging, told} {
		if err := s.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return nil, fmt.Errorf("creating namespace %s: %w", name, err)
		}
	}
	return config, nil
}

func (s *suite) kubeconfig() string { return filepath.Join(s.dir, "kubeconfig") }

// startAWS furnishes a local AWS, in which time passes fast.
func (s *suite) startAWS(ctx context.Context) error {
	const speed = 100
	server := httptest.NewServer(awssim.New(awssim.Options{Speed: speed}))
	s.stops = append(s.stops, server.Close)
	policy, err := os.ReadFile("../../config/iam/policy.json")
	if err != nil {
		return fmt.Errorf("reading the policy: %w", err)
	}
	s.account = lab.Account{
		AWS: lab.AWS{Endpoint: server.URL}, Home: home, Environments: []string{staging}, Policy: policy,
		Clusters: []lab.Cluster{{Region: home, Name: "furnished", Prefix: "furnished-", Services: []string{"backend"}}},
	}
	if err := s.account.Furnish(ctx); err != nil {
		return err
	}
	client := ecs.NewFromConfig(s.account.AWS.Root(lab.AccountID, home))
	for _, cluster := range clusters {
		service := seed.Service{
			Cluster: cluster, Name: "backend", Family: cluster, Desired: 1,
			Image:       fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s:v1", lab.AccountID, home, lab.Repository),
			Environment: map[string]string{"PASSWORD": canary}, ExecutionRole: "arn:aws:iam::" + lab.AccountID + ":role/helium-execution",
		}
		if _, err := service.Create(ctx, client); err != nil {
			return err
		}
		s.account.Clusters = append(s.account.Clusters, lab.Cluster{Region: home, Name: cluster, Services: []string{"backend"}})
	}
	for _, tag := range []string{"v2", "v3"} {
		if _, err := s.account.Push(ctx, tag); err != nil {
			return err
		}
	}
	return s.account.Settle(ctx)
}

// startController starts the controllers for the releases of one namespace, put together as cmd/manager
// does it.
func (s *suite) startController(ctx context.Context, config *rest.Config) error {
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: s.client.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		Cache: cache.Options{ByObject: map[client.Object]cache.ByObject{
			&ecsv1alpha1.EcsRelease{}: {Namespaces: map[string]cache.Config{staging: {}}},
		}},
	})
	if err != nil {
		return fmt.Errorf("setting up a manager: %w", err)
	}
	const fast, slow = 200 * time.Millisecond, time.Second
	inbox := &controllers.Inbox{}
	fleet, err := cloud.New(cloud.Options{
		Config: func(context.Context) (aws.Config, error) { return s.account.AWS.Root(lab.AccountID, home), nil },
		Share:  1, Fast: fast, Slow: slow, Enqueue: inbox.Enqueue,
	})
	if err != nil {
		return fmt.Errorf("setting up the AWS edge: %w", err)
	}
	counted, err := controllers.NewMetrics(prometheus.NewRegistry(), mgr.GetClient(), nil)
	if err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	releases := &controllers.ReleaseReconciler{
		Client: mgr.GetClient(), Reader: mgr.GetAPIReader(), Fleet: fleet, Recorder: mgr.GetEventRecorder("ecsrelease"), Metrics: counted,
		Timing:    rollout.Timing{CallDeadline: 5 * time.Second, Settle: time.Second, Fast: fast, Slow: slow},
		Freshness: 2 * time.Second, Inbox: inbox, Workers: 4,
	}
	environments := &controllers.EnvironmentReconciler{Client: mgr.GetClient(), Fleet: fleet, Every: slow}
	if err := errors.Join(mgr.Add(fleet), releases.SetupWithManager(ctx, mgr), environments.SetupWithManager(mgr)); err != nil {
		return fmt.Errorf("setting up the controllers: %w", err)
	}
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	go func() { ended <- mgr.Start(ctx) }()
	s.stops = append(s.stops, func() {
		cancel()
		if err := <-ended; err != nil {
			fmt.Fprintln(os.Stderr, "the controllers ended:", err)
		}
	})
	environment := &ecsv1alpha1.EcsEnvironment{
		ObjectMeta: metav1.ObjectMeta{Name: staging},
		Spec: ecsv1alpha1.EcsEnvironmentSpec{
			Namespaces:   &ecsv1alpha1.NamespaceSelector{Names: []string{staging}},
			AWS:          ecsv1alpha1.AWSIdentity{AccountID: lab.AccountID},
			Destinations: []ecsv1alpha1.Destination{{Region: home, Clusters: []string{"*"}, Services: []string{"*"}}},
		},
	}
	if err := s.client.Create(ctx, environment); err != nil {
		return fmt.Errorf("creating the environment: %w", err)
	}
	return nil
}

// outcome is how a process of the plugin ended.
type outcome struct {
	code        int
	out, errors string
}

// all is what was printed.
func (o outcome) all() string { return o.out + o.errors }

// command is a process of the plugin, as kubectl would start it.
func (s *suite) command(ctx context.Context, namespace string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.dir, "kubectl-ecsrelease"), args...)
	if namespace != "" {
		cmd.Args = append(cmd.Args, "-n", namespace)
	}
	cmd.Env = s.environment()
	return cmd
}

// environment is that of somebody who uses the API server and AWS of the suite.
func (s *suite) environment() []string {
	return append(
		lab.CleanEnvironment(), asPlugin+"=yes", "KUBECONFIG="+s.kubeconfig(), "PATH="+s.dir+":"+s.assets+":"+os.Getenv("PATH"),
		"AWS_ENDPOINT_URL="+s.account.AWS.Endpoint, "AWS_REGION="+home,
		"AWS_ACCESS_KEY_ID="+lab.AccountID, "AWS_SECRET_ACCESS_KEY="+lab.RootSecret,
	)
}

// finish runs a process of the plugin to its end.
func finish(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), problems.String()}
}

// ask runs the plugin to its end, in a namespace.
func ask(t *testing.T, namespace string, args ...string) outcome {
	t.Helper()
	return finish(t, shared.command(t.Context(), namespace, args...))
}

// begin starts the plugin, in the namespace of what is told, and hands out what it says line by line.
func begin(t *testing.T, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := shared.command(t.Context(), told, args...)
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(output)
}

// ends fails the test unless a process ended with a code and has said all of some words.
func (o outcome) ends(t *testing.T, code int, says ...string) {
	t.Helper()
	if o.code != code {
		t.Fatalf("it ended with %d, want %d:\n%s", o.code, code, o.all())
	}
	for _, words := range says {
		if !strings.Contains(o.all(), words) {
			t.Errorf("it does not say %q:\n%s", words, o.all())
		}
	}
}

// Package config_test installs what is in this directory on a real API server and looks whether
// it works: whether admission takes it, whether the manager can do its work with exactly the
// permissions that it is given, and whether kustomize does to releases what the docs promise.
package config_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

const (
	// assetsVariable names the directory that holds the control plane's programs.
	assetsVariable = "KUBEBUILDER_ASSETS"
	// system is the namespace that config/default installs into, and account the manager in it.
	system  = "ecsrelease-system"
	account = "ecsrelease-manager"
)

// auditPolicy has the API server write down what the manager asks of it.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: ["system:serviceaccount:` + system + ":" + account + `"]
- level: None
`

// suite is what the tests share: a control plane on which config/default is installed.
type suite struct {
	dir        string // for what lasts as long as the suite
	kustomize  string // the program
	kubectl    string // likewise
	kubeconfig string // an admin's
	audit      string // what the API server writes down
	installed  []byte // config/default as kustomize renders it
	config     *rest.Config
	client     client.Client
}

// shared is the suite that TestMain has set up before any test runs.
var shared suite

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	log.SetLogger(logr.Discard()) // what a client has to say of a test is in its errors
	stop, err := shared.start(context.Background())
	defer stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: setting up the tests of config:", err)
		return 1
	}
	return m.Run()
}

// start brings everything up. What it returns ends all that was started, also after an error.
func (s *suite) start(ctx context.Context) (stop func(), err error) {
	stop = func() {}
	assets, err := controlPlane()
	if err != nil {
		return stop, err
	}
	s.kubectl = filepath.Join(assets, "kubectl")
	if s.dir, err = os.MkdirTemp("", "ecsrelease-config-"); err != nil {
		return stop, fmt.Errorf("making a directory to work in: %w", err)
	}
	stop = func() { _ = os.RemoveAll(s.dir) } // it is in the way of nobody
	if s.kustomize, err = findKustomize(ctx); err != nil {
		return stop, err
	}
	if s.installed, err = s.build(ctx, "default"); err != nil {
		return stop, err
	}
	plane, err := s.startControlPlane(assets)
	if err != nil {
		return stop, err
	}
	stop = func() {
		if err := errors.Join(plane.Stop(), os.RemoveAll(s.dir)); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the control plane:", err)
		}
	}
	return stop, s.install(ctx, plane)
}

// controlPlane is the directory with the control plane's programs. Without them no test can
// say anything, so that is an error and never a reason to skip.
func controlPlane() (string, error) {
	assets := os.Getenv(assetsVariable)
	if assets == "" {
		return "", fmt.Errorf("%s is not set: these tests need kube-apiserver, etcd and kubectl; run `make test`, which builds them and sets it", assetsVariable)
	}
	for _, program := range []string{"kube-apiserver", "etcd", "kubectl"} {
		if _, err := os.Stat(filepath.Join(assets, program)); err != nil {
			return "", fmt.Errorf("%s=%s has no %s (%w); run `make test`, which builds it", assetsVariable, assets, program, err)
		}
	}
	return assets, nil
}

// findKustomize is the kustomize that hack/tools pins. Asked for its path, the go command builds
// it, so that it can be run in directories that belong to no Go module.
func findKustomize(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "-modfile="+filepath.Join("..", "hack", "tools", "go.mod"), "-n", "kustomize")
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("building kustomize: %w%s", err, stderrOf(err))
	}
	return strings.TrimSpace(string(output)), nil
}

func (s *suite) startControlPlane(assets string) (*envtest.Environment, error) {
	policy := filepath.Join(s.dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return nil, fmt.Errorf("writing the audit policy: %w", err)
	}
	s.audit = filepath.Join(s.dir, "audit.log")
	plane := &envtest.Environment{BinaryAssetsDirectory: assets}
	plane.ControlPlane.GetAPIServer().Configure().
		Set("audit-policy-file", policy).
		Set("audit-log-path", s.audit).
		Set("audit-log-mode", "blocking")
	var err error
	if s.config, err = plane.Start(); err != nil {
		return nil, fmt.Errorf("starting the control plane in %s: %w", assets, err)
	}
	return plane, nil
}

// install applies config/default as the README says.
func (s *suite) install(ctx context.Context, plane *envtest.Environment) error {
	s.config.QPS = -1
	s.kubeconfig = filepath.Join(s.dir, "admin.kubeconfig")
	if err := os.WriteFile(s.kubeconfig, plane.KubeConfig, 0o600); err != nil {
		return fmt.Errorf("writing the kubeconfig: %w", err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, ecsv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return fmt.Errorf("building the scheme: %w", err)
		}
	}
	var err error
	if s.client, err = client.New(s.config, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	if _, err := s.apply(ctx, s.installed, "--server-side"); err != nil {
		return fmt.Errorf("installing config/default: %w", err)
	}
	_, err = s.kube(ctx, nil, "wait", "--for=condition=Established", "--timeout=30s", "crd",
		"ecsreleases.ecs.heliumai.space", "ecsenvironments.ecs.heliumai.space", "ecsendpoints.ecs.heliumai.space")
	return err
}

// build renders a directory.
func (s *suite) build(ctx context.Context, dir string) ([]byte, error) {
	output, err := exec.CommandContext(ctx, s.kustomize, "build", dir).Output()
	if err != nil {
		return nil, fmt.Errorf("kustomize build %s: %w%s", dir, err, stderrOf(err))
	}
	return output, nil
}

// apply applies a manifest as an admin.
func (s *suite) apply(ctx context.Context, manifest []byte, flags ...string) (string, error) {
	return s.kube(ctx, manifest, append([]string{"apply", "-f", "-"}, flags...)...)
}

// kube runs kubectl as an admin and returns what it prints. Its warnings count as errors.
func (s *suite) kube(ctx context.Context, stdin []byte, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.kubectl, append([]string{"--warnings-as-errors"}, args...)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig)
	cmd.Stdin = bytes.NewReader(stdin)
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w%s", strings.Join(args, " "), err, stderrOf(err))
	}
	return string(output), nil
}

// deployment is the manager's, as it is installed.
func (s *suite) deployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	var found appsv1.Deployment
	if err := s.client.Get(t.Context(), client.ObjectKey{Namespace: system, Name: account}, &found); err != nil {
		t.Fatal(err)
	}
	return &found
}

// stderrOf is what a program that failed has said.
func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "\n" + string(exit.Stderr)
	}
	return ""
}

// eventually waits until the condition holds. The condition says what is missing.
func eventually(t *testing.T, limit time.Duration, condition func() error) {
	t.Helper()
	err := condition()
	for began := time.Now(); err != nil; err = condition() {
		if time.Since(began) > limit {
			t.Fatalf("not within %s: %v", limit, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

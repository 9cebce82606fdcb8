package controllers_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/zap/zapcore"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
)

// assetsVariable names the directory that holds the control plane's programs.
const assetsVariable = "KUBEBUILDER_ASSETS"

// speed is how many times as fast as AWS's the simulator's world goes: a rollout of a minute
// takes well under a second.
const speed = 100

// suite is what all tests share: one control plane, one AWS, one manager, and those who watch
// what the manager says. A test has its own namespace, environment and AWS account in it.
type suite struct {
	assets     string
	config     *rest.Config // an admin's
	managerAs  *rest.Config // of a user with exactly the permissions of config/rbac/role.yaml
	kubeconfig string       // the admin's, as a file
	scheme     *runtime.Scheme
	client     client.Client
	sim        *awssim.Simulator
	policy     []byte // config/iam/policy.json
	logs       *transcript
	witness    *witness
	manager    *manager
	worlds     atomic.Int64
	restricted accounts // those in which a test took permissions away
}

// shared is the suite that TestMain has set up before any test runs.
var shared suite

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx, cancel := context.WithCancel(context.Background())
	stop, err := shared.start(ctx)
	defer stop()
	defer cancel() // who watches the API server goes first: it waits for them
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: setting up the tests of controllers:", err)
		return 1
	}
	// Nearly all tests wait for somebody else nearly all of the time.
	if err := flag.Set("test.parallel", "24"); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		return 1
	}
	code := m.Run()
	if err := shared.audit(); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: what the tests did as a whole:", err)
		code = max(code, 1)
	}
	return code
}

// start brings everything up. What it returns ends all that was started, also after an error.
func (s *suite) start(ctx context.Context) (stop func(), err error) {
	stop = func() {}
	if s.assets, err = controlPlane(); err != nil {
		return stop, err
	}
	s.logs = &transcript{}
	ctrl.SetLogger(zap.New(zap.WriteTo(s.logs), zap.Level(zapcore.DebugLevel)))
	s.scheme = runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, ecsv1alpha1.AddToScheme} {
		if err := add(s.scheme); err != nil {
			return stop, fmt.Errorf("building the scheme: %w", err)
		}
	}
	if s.policy, err = os.ReadFile(filepath.Join("..", "config", "iam", "policy.json")); err != nil {
		return stop, fmt.Errorf("reading the documented IAM policy: %w", err)
	}

	plane := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
		BinaryAssetsDirectory: s.assets,
	}
	if s.config, err = plane.Start(); err != nil {
		return stop, fmt.Errorf("starting the control plane in %s: %w", s.assets, err)
	}
	stop = func() { s.stop(plane) }
	s.config.QPS = -1
	if s.client, err = client.New(s.config, client.Options{Scheme: s.scheme}); err != nil {
		return stop, fmt.Errorf("making a client: %w", err)
	}
	if err := s.writeKubeconfig(plane.KubeConfig); err != nil {
		return stop, err
	}
	if err := s.addManagerUser(ctx, plane); err != nil {
		return stop, err
	}
	if s.witness, err = newWitness(ctx, s); err != nil {
		return stop, err
	}
	if err := s.startAWS(); err != nil {
		return stop, err
	}
	s.manager, err = s.newManager(ctx, "")
	return stop, err
}

func (s *suite) stop(plane *envtest.Environment) {
	if s.manager != nil {
		s.manager.stop()
	}
	if s.kubeconfig != "" {
		if err := os.RemoveAll(filepath.Dir(s.kubeconfig)); err != nil {
			fmt.Fprintln(os.Stderr, "removing the kubeconfig:", err)
		}
	}
	if err := plane.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping the control plane:", err)
	}
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

func (s *suite) writeKubeconfig(content []byte) error {
	dir, err := os.MkdirTemp("", "ecsrelease-controllers-")
	if err != nil {
		return fmt.Errorf("making a directory for the kubeconfig: %w", err)
	}
	s.kubeconfig = filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(s.kubeconfig, content, 0o600); err != nil {
		return fmt.Errorf("writing the kubeconfig: %w", err)
	}
	return nil
}

// addManagerUser makes a user who may do what the manager's role says, and nothing else.
func (s *suite) addManagerUser(ctx context.Context, plane *envtest.Environment) error {
	document, err := os.ReadFile(filepath.Join("..", "config", "rbac", "role.yaml"))
	if err != nil {
		return fmt.Errorf("reading the manager's role: %w", err)
	}
	var role rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict(document, &role); err != nil {
		return fmt.Errorf("reading the manager's role: %w", err)
	}
	role.Name = "ecsrelease-manager"
	const name = "ecsrelease-manager"
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
	}
	for _, object := range []client.Object{&role, binding} {
		if err := s.client.Create(ctx, object); err != nil {
			return fmt.Errorf("creating the manager's role: %w", err)
		}
	}
	user, err := plane.AddUser(envtest.User{Name: name}, s.config)
	if err != nil {
		return fmt.Errorf("adding the manager's user: %w", err)
	}
	s.managerAs = user.Config()
	s.managerAs.QPS = -1
	return nil
}

// audit is what is wrong with the suite as a whole.
func (s *suite) audit() error {
	var problems []error
	if whole() {
		problems = append(problems, s.auditPolicy(), s.auditReasons())
	}
	return errors.Join(append(problems, s.auditDenials(), s.auditSecrets())...)
}

// whole says whether all tests were asked to run.
func whole() bool {
	return !slices.ContainsFunc([]string{"test.run", "test.skip", "test.list"}, func(name string) bool {
		f := flag.Lookup(name)
		return f != nil && f.Value.String() != ""
	})
}

// auditPolicy compares the actions that AWS authorised for the controller's roles, over all
// tests, with those that the documented policy allows: none may be missing, none superfluous.
// sts:AssumeRole is the manager's own user's; sts:GetCallerIdentity needs no permission.
func (s *suite) auditPolicy() error {
	var document struct {
		Statement []struct{ Action stringOrList }
	}
	if err := json.Unmarshal(s.policy, &document); err != nil {
		return fmt.Errorf("reading config/iam/policy.json: %w", err)
	}
	documented, used := map[string]bool{}, map[string]bool{}
	for _, statement := range document.Statement {
		for _, action := range statement.Action {
			documented[action] = true
		}
	}
	for _, count := range s.sim.Summary().Actions {
		if isOurs(count.Principal) && count.Allowed > 0 {
			used[count.Action] = true
		}
	}
	delete(used, "sts:GetCallerIdentity")
	var problems []error
	for action := range documented {
		if !used[action] {
			problems = append(problems, fmt.Errorf("config/iam/policy.json allows %s, which no test made the controller use", action))
		}
	}
	for action := range used {
		if !documented[action] {
			problems = append(problems, fmt.Errorf("the controller uses %s, which config/iam/policy.json does not allow", action))
		}
	}
	return errors.Join(problems...)
}

// auditDenials finds actions that the documented policy denied where no test took any away.
func (s *suite) auditDenials() error {
	var problems []error
	for _, count := range s.sim.Summary().Actions {
		if isOurs(count.Principal) && count.Denied > 0 && !s.restricted.has(count.Account) {
			problems = append(problems, fmt.Errorf("under the documented policy %s was denied %s %d times (account %s)", count.Principal, count.Action, count.Denied, count.Account))
		}
	}
	return errors.Join(problems...)
}

// isOurs says whether a principal of the journal's summary is one of the controller's roles.
func isOurs(principal string) bool { return strings.HasPrefix(principal, rolePrefix) }

// stringOrList is how IAM policies spell one or several.
type stringOrList []string

func (l *stringOrList) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = stringOrList{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Machine runs the programs of this repository side by side, with a control plane among them.
// Whoever makes one must Close it.
type Machine struct {
	// Dir is where the programs leave what they write.
	Dir string
	// Kubeconfig is an admin's of the control plane, and Client is one as that admin. Both are
	// set by StartControlPlane.
	Kubeconfig string
	Client     client.WithWatch

	bin       string
	processes []*Process
	// kept says that somebody was told where the logs are.
	kept bool
}

// NewMachine makes a machine of the programs in bin, which `make build` puts there.
func NewMachine(bin string) (*Machine, error) {
	absolute, err := filepath.Abs(bin)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", bin, err)
	}
	dir, err := os.MkdirTemp("", "ecsrelease-lab-")
	if err != nil {
		return nil, fmt.Errorf("making a directory to work in: %w", err)
	}
	return &Machine{Dir: dir, bin: absolute}, nil
}

// Path is where a program is.
func (m *Machine) Path(program string) string { return filepath.Join(m.bin, program) }

// Launch starts a program under a name that its log is called by. Nothing of the caller's AWS
// or Kubernetes settings reaches it. It ends at the latest when the machine is closed.
func (m *Machine) Launch(name, program string, env []string, args ...string) (*Process, error) {
	p, err := Launch(name, m.Path(program), filepath.Join(m.Dir, name+".log"), env, args...)
	if err != nil {
		return nil, fmt.Errorf("%w (make build makes it)", err)
	}
	m.processes = append(m.processes, p)
	return p, nil
}

// StartControlPlane returns when the control plane serves.
func (m *Machine) StartControlPlane(ctx context.Context) error {
	kubebox, err := m.Launch("kubebox", "kubebox", nil, "up", "--data-dir", filepath.Join(m.Dir, "kube"), "--port", "0")
	if err != nil {
		return err
	}
	if m.Kubeconfig, err = kubebox.AwaitLine(ctx, "export KUBECONFIG="); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", m.Kubeconfig)
	if err != nil {
		return fmt.Errorf("reading %s: %w", m.Kubeconfig, err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, ecsv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return fmt.Errorf("building the scheme: %w", err)
		}
	}
	config.QPS = -1 // the API server has priorities of its own
	if m.Client, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	return nil
}

// InstallCRDs returns when the control plane knows our kinds. The working directory must be the
// root of the repository.
func (m *Machine) InstallCRDs(ctx context.Context) error {
	if err := m.Kubectl(ctx, "apply", "--server-side", "-k", "config/crd"); err != nil {
		return err
	}
	return m.Kubectl(ctx, "wait", "--for=condition=Established", "--timeout=30s", "crd",
		"ecsreleases.ecs.heliumai.space", "ecsenvironments.ecs.heliumai.space", "ecsendpoints.ecs.heliumai.space")
}

// StartAWS returns a local AWS that serves, a process of this name.
func (m *Machine) StartAWS(ctx context.Context, name string, args ...string) (AWS, error) {
	awssim, err := m.Launch(name, "awssim", nil, append([]string{"--listen", "127.0.0.1:0"}, args...)...)
	if err != nil {
		return AWS{}, err
	}
	endpoint, err := awssim.AwaitLine(ctx, "listening on ")
	return AWS{Endpoint: endpoint}, err
}

// StartManager starts the controller, out of the cluster, as the manager of an account. The local AWS
// passes faster than AWS, so it looks more often than it would.
func (m *Machine) StartManager(account *Account, clusterName string) (*Process, error) {
	return m.Launch("manager", "manager", append(account.ManagerEnvironment(), "KUBECONFIG="+m.Kubeconfig),
		"--in-flight-interval=1s", "--sweep-interval=5s",
		"--metrics-bind-address=127.0.0.1:0", "--metrics-secure=false", "--health-probe-bind-address=127.0.0.1:0",
		"--cluster-name="+clusterName)
}

// FreeAddress is an address of this machine that nobody listens on.
func FreeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it takes no time
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// Command is kubectl, which kubebox has in it, as an admin.
func (m *Machine) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, m.Path("kubebox"), append([]string{"kubectl"}, args...)...)
	cmd.Env = append(CleanEnvironment(), "KUBECONFIG="+m.Kubeconfig)
	return cmd
}

// Kubectl runs kubectl to its end, with its output shown when it fails.
func (m *Machine) Kubectl(ctx context.Context, args ...string) error {
	if output, err := m.Command(ctx, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, output)
	}
	return nil
}

// Alive is nil while all processes run that were not told to end.
func (m *Machine) Alive() error {
	for _, p := range m.processes {
		if err := p.Alive(); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends one of the processes, and the machine goes on without it.
func (m *Machine) Stop(p *Process) error {
	m.processes = slices.DeleteFunc(m.processes, func(other *Process) bool { return other == p })
	return p.Stop()
}

// Kill ends one of the processes by SIGKILL, and the machine goes on without it.
func (m *Machine) Kill(p *Process) {
	m.processes = slices.DeleteFunc(m.processes, func(other *Process) bool { return other == p })
	p.Kill()
}

// Wait returns nil when the context ends, and an error when one of the processes does before.
func (m *Machine) Wait(ctx context.Context) error {
	ended := make(chan error, len(m.processes))
	for _, p := range m.processes {
		go func() {
			<-p.Ended()
			ended <- fmt.Errorf("%w\nits whole log is %s", p.Alive(), p.Log)
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		m.kept = true
		return err
	}
}

// Close ends all processes, the last one first, and removes what they left unless one of them
// would not end, or ended while somebody was waiting for it.
func (m *Machine) Close() error {
	var problems []error
	for _, p := range slices.Backward(m.processes) {
		problems = append(problems, p.Stop())
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	if m.kept {
		return nil
	}
	return os.RemoveAll(m.Dir)
}

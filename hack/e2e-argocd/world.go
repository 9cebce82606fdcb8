package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"heliumai.space/ecsrelease/internal/lab"
)

// world is a control plane with Argo CD and the controller, an AWS, and two Git repositories: the
// one of the application and the one of the manifests.
type world struct {
	*lab.Machine
	options
	account  lab.Account
	source   *repository
	gitops   *repository
	timeline *timeline
	// run is the number of the last run of CI, and tags are what it pushed, by digest.
	run  int
	tags map[string]string
}

// argobox is Argo CD, among the programs.
const argobox = "e2e/argobox"

// argoNamespace is where Argo CD is.
const argoNamespace = "argocd"

func newWorld(o options) (*world, error) {
	policy, err := os.ReadFile("config/iam/policy.json")
	if err != nil {
		return nil, fmt.Errorf("reading the policy (run this from the repository's root): %w", err)
	}
	if o.tools, err = filepath.Abs(o.tools); err != nil {
		return nil, fmt.Errorf("finding the tools: %w", err)
	}
	machine, err := lab.NewMachine(o.bin)
	if err != nil {
		return nil, err
	}
	return &world{Machine: machine, options: o, tags: map[string]string{}, account: lab.SampleAccount(policy)}, nil
}

// start brings everything up, in the order in which it depends on each other.
func (w *world) start(ctx context.Context) (err error) {
	say("starting a control plane, and a local AWS in which time passes %g times as fast:\n   two services in each of four clusters in three regions, all on %s:v1\n   (logs are in %s)", w.speed, lab.Repository, w.Dir)
	if err := w.StartControlPlane(ctx); err != nil {
		return err
	}
	if w.account.AWS, err = w.StartAWS(ctx, "awssim", "--speed", fmt.Sprint(w.speed)); err != nil {
		return err
	}
	if err := w.account.Furnish(ctx); err != nil {
		return err
	}
	if err := w.account.Settle(ctx); err != nil {
		return err
	}
	say("installing the controller, and as the platform's admins the environments staging and production")
	if err := w.InstallCRDs(ctx); err != nil {
		return err
	}
	if _, err := w.StartManager(&w.account, "e2e-argocd"); err != nil {
		return err
	}
	if err := w.Kubectl(ctx, "apply", "--server-side", "-k", "hack/e2e-argocd/platform"); err != nil {
		return err
	}
	say("two Git repositories: the application's, with the branches %s and %s,\n   and the manifests', which is config/samples/gitops", lab.StagingBranch, lab.Branch)
	if err := w.makeRepositories(ctx); err != nil {
		return err
	}
	say("installing Argo CD with config/argocd/argocd-cm.yaml, and the Applications of the manifest repository")
	return w.startArgoCD(ctx)
}

// startArgoCD installs Argo CD as far as it is needed without a user interface, with the
// customizations of config/argocd, and the Applications.
func (w *world) startArgoCD(ctx context.Context) error {
	if err := w.Kubectl(ctx, "create", "namespace", argoNamespace); err != nil {
		return err
	}
	for _, of := range []string{"crds", "base/config"} {
		if err := w.Kubectl(ctx, "-n", argoNamespace, "apply", "--server-side", "-k", filepath.Join(w.options.manifests, of)); err != nil {
			return err
		}
	}
	if err := w.Kubectl(ctx, "wait", "--for=condition=Established", "--timeout=60s", "crd", "applications.argoproj.io", "appprojects.argoproj.io"); err != nil {
		return err
	}
	if err := w.Kubectl(ctx, "-n", argoNamespace, "patch", "configmap", "argocd-cm", "--patch-file", "config/argocd/argocd-cm.yaml"); err != nil {
		return err
	}
	redis, err := w.Launch("redis", argobox, nil, "redis", "--listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	redisAddress, err := redis.AwaitLine(ctx, "listening on ")
	if err != nil {
		return err
	}
	var ports [3]string
	for i := range ports {
		address, err := lab.FreeAddress()
		if err != nil {
			return err
		}
		if _, ports[i], err = net.SplitHostPort(address); err != nil {
			return fmt.Errorf("reading %s: %w", address, err)
		}
	}
	// The repository server runs git and kustomize, and nobody signs commits here. The cluster that
	// the controller is in is the one of this kubeconfig.
	if err := w.homeKubeconfig(); err != nil {
		return err
	}
	environment := []string{
		"PATH=" + w.path(), "TMPDIR=" + w.Dir, "HOME=" + w.Dir, "ARGOCD_GPG_ENABLED=false", "ARGOCD_FAKE_IN_CLUSTER=true",
	}
	repoServer := net.JoinHostPort("127.0.0.1", ports[0])
	if _, err := w.Launch("argocd-repo-server", argobox, environment, "repo-server",
		"--redis", redisAddress, "--disable-tls", "--loglevel", "warn",
		"--address", "127.0.0.1", "--port", ports[0], "--metrics-address", "127.0.0.1", "--metrics-port", ports[1]); err != nil {
		return err
	}
	if _, err := w.Launch("argocd-application-controller", argobox, environment, "application-controller",
		"--kubeconfig", w.Kubeconfig, "--namespace", argoNamespace, "--redis", redisAddress, "--loglevel", "warn",
		"--repo-server", repoServer, "--repo-server-plaintext", "--metrics-port", ports[2],
		// So that what Argo CD says of a release can be read from the Application too.
		"--persist-resource-health"); err != nil {
		return err
	}
	if w.timeline, err = watchTimeline(ctx, w.Client); err != nil {
		return err
	}
	return w.Kubectl(ctx, "apply", "--server-side", "-k", w.gitops.path("argocd"))
}

// homeKubeconfig puts the kubeconfig where Argo CD, with ARGOCD_FAKE_IN_CLUSTER, looks for the
// cluster that it runs in.
func (w *world) homeKubeconfig() error {
	content, err := os.ReadFile(w.Kubeconfig)
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	if err := os.Mkdir(filepath.Join(w.Dir, ".kube"), 0o700); err != nil {
		return fmt.Errorf("making a home for Argo CD: %w", err)
	}
	return os.WriteFile(filepath.Join(w.Dir, ".kube", "config"), content, 0o600)
}

// path is where programs are looked for: the tools first.
func (w *world) path() string {
	return w.tools + string(os.PathListSeparator) + os.Getenv("PATH")
}

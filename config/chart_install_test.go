package config_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// TestTheChartIsInstalledUpgradedAndUninstalled does with helm what docs/install.md says, on a control plane
// of its own: what an API server takes, what an upgrade changes, and what stays in the end.
func TestTheChartIsInstalledUpgradedAndUninstalled(t *testing.T) {
	plane := emptyPlane(t)
	const release, namespace = "ecsrelease", "ecsrelease-system"

	output := plane.helm("install", release, "chart", "--namespace", namespace, "--create-namespace")
	for _, says := range []string{"rollout status deployment ecsrelease-manager", "aws eks create-pod-identity-association", "NoEnvironment"} {
		if !strings.Contains(output, says) {
			t.Errorf("after installing, %q is not said:\n%s", says, output)
		}
	}
	plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "ecsreleases.ecs.heliumai.space", "ecsenvironments.ecs.heliumai.space", "ecsendpoints.ecs.heliumai.space")
	plane.kubectl("create", "namespace", "production")
	plane.apply("apiVersion: ecs.heliumai.space/v1alpha1\nkind: EcsRelease\nmetadata: {name: helium-backend, namespace: production}\n" +
		"spec: {image: 'helium-backend:v1', services: [{name: backend}], targets: [{name: mumbai, region: ap-south-1, cluster: c}]}\n")
	// What stands between a pod of the chart's and a namespace that is as strict as config/default's.
	plane.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
	pod := plane.kubectl("-n", namespace, "get", "deployment", "ecsrelease-manager", "-o", "jsonpath={.spec.template.spec}")
	plane.apply(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "manager", "namespace": "`+namespace+`"}, "spec": `+pod+`}`, "--dry-run=server")

	// Everything on takes the Prometheus operator's CRDs.
	crds := prometheusCRDs(t)
	plane.kubectl("apply", "--server-side", "-f", filepath.Join(crds, "monitoring.coreos.com_servicemonitors.yaml"),
		"-f", filepath.Join(crds, "monitoring.coreos.com_prometheusrules.yaml"))
	plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "servicemonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com")
	plane.helm("upgrade", release, "chart", "--namespace", namespace,
		"--set", "metrics.serviceMonitor.enabled=true,metrics.prometheusRule.enabled=true,metrics.dashboard.enabled=true,manager.workers=8")
	if args := plane.kubectl("-n", namespace, "get", "deployment", "ecsrelease-manager", "-o", "jsonpath={.spec.template.spec.containers[0].args}"); !strings.Contains(args, "--workers=8") {
		t.Errorf("upgraded, the manager's arguments are %s", args)
	}
	if kept := plane.kubectl("-n", namespace, "get", "servicemonitors,prometheusrules,configmaps", "-l", "app.kubernetes.io/managed-by=Helm", "-o", "name"); strings.Count(kept, "\n") != 3 {
		t.Errorf("of what monitors there is\n%s", kept)
	}
	// And what kustomize has for them, beside.
	for _, dir := range []string{"prometheus", "grafana"} {
		built, err := shared.build(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		plane.apply(string(built), "--dry-run=server", "--force-conflicts")
	}

	plane.helm("uninstall", release, "--namespace", namespace)
	if left := plane.kubectl("get", "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings", "-l", "app.kubernetes.io/managed-by=Helm", "-o", "name"); left != "" {
		t.Errorf("uninstalled, there is still\n%s", left)
	}
	if left := plane.kubectl("-n", namespace, "get", "deployments,services,serviceaccounts,roles,rolebindings,networkpolicies,poddisruptionbudgets,servicemonitors,prometheusrules", "-l", "app.kubernetes.io/managed-by=Helm", "-o", "name"); left != "" {
		t.Errorf("uninstalled, there is still\n%s", left)
	}
	if stays := plane.kubectl("get", "ecsreleases", "-A", "-o", "name"); !strings.Contains(stays, "helium-backend") {
		t.Errorf("uninstalled, the releases are gone: %q", stays)
	}
	// The CRDs that stayed are taken over by the next one.
	plane.helm("install", release, "chart", "--namespace", namespace)
}

// TestAnAPIServerTakesWhatTheChartRenders has one judge every object, for each file of values.
func TestAnAPIServerTakesWhatTheChartRenders(t *testing.T) {
	plane := emptyPlane(t)
	crds := prometheusCRDs(t)
	plane.kubectl("apply", "--server-side", "-f", filepath.Join(crds, "monitoring.coreos.com_servicemonitors.yaml"),
		"-f", filepath.Join(crds, "monitoring.coreos.com_prometheusrules.yaml"))
	plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "servicemonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com")
	for _, file := range tried(t) {
		name := "with-" + strings.TrimSuffix(filepath.Base(file), "-values.yaml")
		plane.kubectl("create", "namespace", name)
		manifest, err := helm(t).Run(t.Context(), "template", name, "chart", "--namespace", name, "--values", file)
		if err != nil {
			t.Fatal(err)
		}
		plane.apply(string(manifest), "--force-conflicts")
	}
}

// ownPlane is a control plane of a test's own, with nothing on it.
type ownPlane struct {
	t          *testing.T
	kubeconfig string
}

func emptyPlane(t *testing.T) *ownPlane {
	t.Helper()
	environment := &envtest.Environment{BinaryAssetsDirectory: os.Getenv(assetsVariable)}
	if _, err := environment.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	p := &ownPlane{t: t, kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	if err := os.WriteFile(p.kubeconfig, environment.KubeConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *ownPlane) helm(args ...string) string {
	p.t.Helper()
	output, err := helm(p.t).Run(p.t.Context(), append(args, "--kubeconfig", p.kubeconfig)...)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(output)
}

func (p *ownPlane) kubectl(args ...string) string { p.t.Helper(); return p.run("", args...) }

func (p *ownPlane) apply(manifest string, flags ...string) {
	p.t.Helper()
	p.run(manifest, append([]string{"apply", "--server-side", "-f", "-"}, flags...)...)
}

// run runs kubectl; its warnings count as errors.
func (p *ownPlane) run(stdin string, args ...string) string {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), shared.kubectl, append([]string{"--warnings-as-errors", "--kubeconfig", p.kubeconfig}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	output, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("kubectl %s: %v%s", strings.Join(args, " "), err, stderrOf(err))
	}
	return string(output)
}

// prometheusCRDs is the directory of the Prometheus operator's CRDs, in its Go module.
func prometheusCRDs(t *testing.T) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "go", "-C", filepath.Join("..", "hack", "release"),
		"mod", "download", "-json", "github.com/prometheus-operator/prometheus-operator").Output()
	if err != nil {
		t.Fatalf("finding the Prometheus operator: %v%s", err, stderrOf(err))
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(output, &module); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(module.Dir, "example", "prometheus-operator-crd")
}

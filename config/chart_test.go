package config_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"heliumai.space/ecsrelease/internal/lab"
)

// helm is the helm that hack/release pins; it is built by the first test that asks for it.
func helm(t *testing.T) *lab.Helm {
	t.Helper()
	h, err := builtHelm()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var builtHelm = sync.OnceValues(func() (*lab.Helm, error) {
	return lab.NewHelm(context.Background(), "..", filepath.Join(shared.dir, "helm"))
})

// rendered is what the chart installs as release ecsrelease in the namespace that config/default
// installs into.
func rendered(t *testing.T, args ...string) []*unstructured.Unstructured {
	t.Helper()
	output, err := helm(t).Run(t.Context(), append([]string{"template", "ecsrelease", "chart", "--namespace", system}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return objects(t, output)
}

// tried are the files of values that the chart is tried with.
func tried(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("chart/ci/*-values.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("the files of values are %v, %v: want more", files, err)
	}
	return files
}

func TestTheChartInstallsWhatKustomizeDoes(t *testing.T) {
	chart, kustomize := map[string]any{}, map[string]any{}
	for _, object := range rendered(t) {
		chart[identity(object)] = plain(t, object)
	}
	for _, object := range objects(t, shared.installed) {
		// Helm makes the namespace itself, or somebody else has: --create-namespace.
		if object.GetKind() != "Namespace" {
			kustomize[identity(object)] = plain(t, object)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(kustomize)), slices.Sorted(maps.Keys(chart))); diff != "" {
		t.Fatalf("objects (-kustomize +chart):\n%s", diff)
	}
	for name := range kustomize {
		if diff := cmp.Diff(kustomize[name], chart[name]); diff != "" {
			t.Errorf("%s (-kustomize +chart):\n%s", name, diff)
		}
	}
}

func TestTheChartMonitorsAsKustomizeDoes(t *testing.T) {
	on := []string{"--set", "metrics.serviceMonitor.enabled=true,metrics.prometheusRule.enabled=true,metrics.dashboard.enabled=true"}
	chart := map[string]any{}
	for _, object := range rendered(t, on...) {
		chart[identity(object)] = plain(t, object)
	}
	for _, dir := range []string{"prometheus", "grafana"} {
		built, err := shared.build(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range objects(t, built) {
			name := identity(object)
			if chart[name] == nil {
				t.Errorf("the chart lacks %s of config/%s", name, dir)
			} else if diff := cmp.Diff(plain(t, object), chart[name]); diff != "" {
				t.Errorf("%s (-kustomize +chart):\n%s", name, diff)
			}
			if object.GetKind() == "ConfigMap" && object.GetLabels()["grafana_dashboard"] != "1" {
				t.Errorf("%s has the labels %v: the sidecar would not find it", name, object.GetLabels())
			}
		}
	}
}

func identity(object *unstructured.Unstructured) string {
	return strings.Trim(object.GetKind()+" "+object.GetNamespace()+"/"+object.GetName(), "/")
}

// plain is an object without what Helm adds: labels of its own, the policy to keep, and the label that tells
// two releases of the chart apart. Numbers and strings are as an API server would have them.
func plain(t *testing.T, object *unstructured.Unstructured) any {
	t.Helper()
	object = object.DeepCopy()
	annotations := object.GetAnnotations()
	delete(annotations, "helm.sh/resource-policy")
	object.SetAnnotations(annotations)
	labels := object.GetLabels()
	for label := range labels {
		if strings.HasPrefix(label, "app.kubernetes.io/") || strings.HasPrefix(label, "helm.sh/") {
			delete(labels, label)
		}
	}
	if len(labels) == 0 {
		labels = nil
	}
	object.SetLabels(labels)
	var walk func(value any)
	walk = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			if value["app.kubernetes.io/component"] == "manager" {
				delete(value, "app.kubernetes.io/instance")
			}
			for _, one := range value {
				walk(one)
			}
		case []any:
			for _, one := range value {
				walk(one)
			}
		}
	}
	walk(object.Object)
	if object.GetKind() == "ValidatingAdmissionPolicy" {
		fold(object.Object)
	}
	if object.GetKind() == "Deployment" {
		var deployment appsv1.Deployment
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &deployment, true); err != nil {
			t.Fatal(err)
		}
		return deployment
	}
	encoded, err := json.Marshal(object.Object)
	if err != nil {
		t.Fatal(err)
	}
	var decoded any
	if err := json.Unmarshal(encoded, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

// fold makes all white space in strings alike: the YAML libraries of Helm and kustomize disagree about where the
// lines of a folded expression end, and CEL does not care.
func fold(tree map[string]any) {
	for key, value := range tree {
		switch value := value.(type) {
		case string:
			tree[key] = strings.Join(strings.Fields(value), " ")
		case map[string]any:
			fold(value)
		case []any:
			for _, one := range value {
				if child, ok := one.(map[string]any); ok {
					fold(child)
				}
			}
		}
	}
}

func TestTheChartsFilesAreThoseOfConfig(t *testing.T) {
	sources := map[string]string{"crds": "crd/bases", "rbac": "rbac", "admission": "admission", "prometheus": "prometheus", "grafana": "grafana"}
	err := filepath.WalkDir("chart/files", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		source := filepath.Join(sources[filepath.Base(filepath.Dir(path))], filepath.Base(path))
		want, err := os.ReadFile(source)
		if err != nil {
			return err
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs from %s (%v): run make generate", path, source, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheChartIsTaken renders the chart with each file of values, and has an API server judge what comes of it.
func TestTheChartIsTaken(t *testing.T) {
	for _, file := range tried(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), "-values.yaml"), func(t *testing.T) {
			if output, err := helm(t).Run(t.Context(), "lint", "--strict", "chart", "--values", file); err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			for _, object := range rendered(t, "--values", file) {
				for _, name := range []string{object.GetName(), object.GetLabels()["app.kubernetes.io/instance"]} {
					if name == "" || len(name) > 63 {
						t.Errorf("%s is called %q", identity(object), name)
					}
				}
				if object.GetLabels()["app.kubernetes.io/managed-by"] != "Helm" {
					t.Errorf("%s has the labels %v", identity(object), object.GetLabels())
				}
			}
		})
	}
}

func TestWithoutAnythingElseTheChartIsTheManager(t *testing.T) {
	var got []string
	for _, object := range rendered(t, "--values", "chart/ci/no-crds-values.yaml", "--values", "chart/ci/small-values.yaml", "--set", "serviceAccount.create=false,serviceAccount.name=deployer") {
		got = append(got, identity(object))
	}
	if diff := cmp.Diff([]string{"Deployment " + system + "/" + account}, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

func TestTheCRDsStayUnlessTheyAreNotToBeKept(t *testing.T) {
	kept := func(args ...string) (all []bool) {
		for _, object := range rendered(t, args...) {
			if object.GetKind() == "CustomResourceDefinition" {
				all = append(all, object.GetAnnotations()["helm.sh/resource-policy"] == "keep")
			}
		}
		return all
	}
	if got := kept(); !slices.Equal(got, []bool{true, true, true}) {
		t.Errorf("by default the CRDs are kept: %v", got)
	}
	if got := kept("--set", "crds.keep=false"); !slices.Equal(got, []bool{false, false, false}) {
		t.Errorf("with crds.keep=false the CRDs are kept: %v", got)
	}
	if got := kept("--set", "crds.enabled=false"); got != nil {
		t.Errorf("with crds.enabled=false there are %d CRDs", len(got))
	}
}

func TestNamesFollowTheRelease(t *testing.T) {
	output, err := helm(t).Run(t.Context(), "template", "blue", "chart", "--namespace", "platform")
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects(t, output) {
		if object.GetKind() != "CustomResourceDefinition" && !strings.HasPrefix(object.GetName(), "blue-ecsrelease-") {
			t.Errorf("%s does not tell whose it is", identity(object))
		}
		if namespace := object.GetNamespace(); namespace != "" && namespace != "platform" {
			t.Errorf("%s is in another namespace", identity(object))
		}
	}
	// What refers to the others: bindings, their subjects, policies, and what people are told.
	for _, object := range objects(t, output) {
		for _, path := range [][]string{{"roleRef", "name"}, {"spec", "policyName"}, {"spec", "template", "spec", "serviceAccountName"}} {
			if name, found, _ := unstructured.NestedString(object.Object, path...); found && !strings.HasPrefix(name, "blue-ecsrelease-") {
				t.Errorf("%s has %s %q", identity(object), strings.Join(path, "."), name)
			}
		}
		subjects, _, _ := unstructured.NestedSlice(object.Object, "subjects")
		for _, subject := range subjects {
			if diff := cmp.Diff(map[string]any{"kind": "ServiceAccount", "name": "blue-ecsrelease-manager", "namespace": "platform"}, subject); diff != "" {
				t.Errorf("%s is of somebody else (-want +got):\n%s", identity(object), diff)
			}
		}
	}
	for _, stale := range []string{"namespace: system", system, "ClusterRole ecsrelease-"} {
		if bytes.Contains(output, []byte(stale)) {
			t.Errorf("%q is not of this release", stale)
		}
	}
	if !bytes.Contains(output, []byte("ClusterRole blue-ecsrelease-release-approver")) {
		t.Error("who may not approve is not told the name of the role that may")
	}
}

func TestTheManagersImageIsTheOneThatIsAskedFor(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0123456789abcdef", 4)
	for set, want := range map[string]string{
		"":                                     "ghcr.io/heliumai/ecsrelease:v0.1.0",
		"image.tag=v2":                         "ghcr.io/heliumai/ecsrelease:v2",
		"image.digest=" + digest:               "ghcr.io/heliumai/ecsrelease@" + digest,
		"image.tag=v2,image.digest=" + digest:  "ghcr.io/heliumai/ecsrelease:v2@" + digest,
		"image.repository=registry:5000/a/b.c": "registry:5000/a/b.c:v0.1.0",
	} {
		if got := deploymentOf(t, "--set", set).Spec.Template.Spec.Containers[0].Image; got != want {
			t.Errorf("with %q the image is %s, want %s", set, got, want)
		}
	}
}

// deploymentOf is the manager's, as the chart renders it.
func deploymentOf(t *testing.T, args ...string) *appsv1.Deployment {
	t.Helper()
	for _, object := range rendered(t, args...) {
		if object.GetKind() == "Deployment" {
			var deployment appsv1.Deployment
			if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &deployment, true); err != nil {
				t.Fatal(err)
			}
			return &deployment
		}
	}
	t.Fatal("there is no Deployment")
	return nil
}

// A fleet of the size that the docs tell of takes this much while it is new, all at once, with the collector
// trying to stay below what is shipped: a Pod that is limited to less would be killed.
const peak = 409 << 20

func TestThePodsMemoryLimitIsAboveWhatAFleetTakes(t *testing.T) {
	container := deploymentOf(t).Spec.Template.Spec.Containers[0]
	if limit := container.Resources.Limits.Memory(); limit.Value() < peak*5/4 {
		t.Errorf("the memory is limited to %s, and a fleet takes %d MiB", limit, peak>>20)
	}
	if !slices.Contains(container.Env, corev1.EnvVar{Name: "GOMEMLIMIT", Value: "256MiB"}) {
		t.Errorf("Go's collector is not kept at 256 MiB, by which that was measured: %v", container.Env)
	}
	for _, variable := range deploymentOf(t, "--set", "goMemLimit=").Spec.Template.Spec.Containers[0].Env {
		if variable.Name == "GOMEMLIMIT" {
			t.Errorf("without a value there is a GOMEMLIMIT: %v", variable)
		}
	}
}

func TestMistakesInValuesAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ set, says string }{
		"a value that is none":            {"replica=3", "replica"},
		"a typo within a value":           {"image.pullpolicy=Always", "pullpolicy"},
		"a typo in what is off":           {"metrics.serviceMonitor.enable=true", "enable"},
		"a word for a number":             {"replicas=two", "replicas"},
		"a quantity for Go":               {"goMemLimit=256Mi", "goMemLimit"},
		"a word for a switch":             {"crds.keep=maybe", "crds"},
		"an unknown policy":               {"image.pullPolicy=Sometimes", "pullPolicy"},
		"a digest that is none":           {"image.digest=v1", "digest"},
		"more than the whole quota":       {"manager.quotaShare=1.5", "quotaShare"},
		"no share of the quota":           {"manager.quotaShare=0", "quotaShare"},
		"nobody to work":                  {"manager.workers=0", "workers"},
		"a time without a unit":           {"manager.sweepInterval=300", "sweepInterval"},
		"less time to end than a call":    {"manager.shutdownSeconds=1", "shutdownSeconds"},
		"a range that is none":            {"verification.allowCIDRs={10.0.0.1}", "allowCIDRs"},
		"a role that is none":             {`serviceAccount.annotations.eks\.amazonaws\.com/role-arn=ecsrelease-manager`, "role-arn"},
		"a zone for a region":             {"aws.region=ap-south-1a", "region"},
		"a flag without dashes":           {"extraArgs={leader-elect=false}", "extraArgs"},
		"over the directory for files":    {"extraVolumeMounts[0].name=x,extraVolumeMounts[0].mountPath=/tmp", "mountPath"},
		"somebody who reads from nowhere": {"metrics.readers[0].name=prometheus", "namespace"},
		"metrics for nobody":              {"metrics.enabled=false,metrics.serviceMonitor.enabled=true", "serviceMonitor"},
		"anybody":                         {"networkPolicy.metricsFrom=null", "metricsFrom"},
		"nobody":                          {"serviceAccount.create=false", "serviceAccount.name"},
		"spread in a way that is none":    {"topologySpread.whenUnsatisfiable=Never", "whenUnsatisfiable"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := helm(t).Run(t.Context(), "template", "ecsrelease", "chart", "--set", c.set)
			if err == nil {
				t.Fatalf("%s is taken", c.set)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("for %s the error does not say %q: %v", c.set, c.says, err)
			}
		})
	}
}

func TestEveryValueIsInTheSchema(t *testing.T) {
	schema := map[string]any{}
	content, err := os.ReadFile("chart/values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &schema); err != nil {
		t.Fatal(err)
	}
	var declared []string
	var walk func(path string, node map[string]any)
	walk = func(path string, node map[string]any) {
		properties, _ := node["properties"].(map[string]any)
		if len(properties) == 0 || node["additionalProperties"] != false {
			declared = append(declared, path)
			return
		}
		for name, child := range properties {
			walk(strings.TrimPrefix(path+"."+name, "."), child.(map[string]any))
		}
	}
	walk("", schema)
	// Helm gives each chart the values that are for all charts.
	declared = slices.DeleteFunc(declared, func(path string) bool {
		return path == "global" || strings.HasPrefix(path, "affinity.") || strings.HasPrefix(path, "resources.")
	})
	declared = append(declared, "affinity", "resources")
	slices.Sort(declared)
	if diff := cmp.Diff(declared, values(t)); diff != "" {
		t.Errorf("values (-schema +values.yaml):\n%s", diff)
	}
}

// maps of values.yaml whose keys are the user's.
var freeform = []string{
	"serviceAccount.annotations", "resources", "podAnnotations", "podLabels", "nodeSelector", "affinity",
	"metrics.serviceMonitor.labels", "metrics.prometheusRule.labels", "metrics.prometheusRule.alertLabels",
	"metrics.dashboard.labels", "metrics.dashboard.annotations", "networkPolicy.metricsFrom",
}

// values are the paths of values.yaml, in order.
func values(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile("chart/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.UnmarshalStrict(content, &tree); err != nil {
		t.Fatal(err)
	}
	var paths []string
	var walk func(path string, value any)
	walk = func(path string, value any) {
		children, ok := value.(map[string]any)
		if !ok || slices.Contains(freeform, path) {
			paths = append(paths, path)
			return
		}
		for name, child := range children {
			walk(strings.TrimPrefix(path+"."+name, "."), child)
		}
	}
	walk("", tree)
	slices.Sort(paths)
	return paths
}

// described is a line of values.yaml that says what the value after it does.
var described = regexp.MustCompile(`(?m)^ *# -- `)

func TestEveryValueIsDescribedAndTried(t *testing.T) {
	content, err := os.ReadFile("chart/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(described.FindAll(content, -1)), len(values(t)); got != want {
		t.Errorf("%d values are described, want all %d", got, want)
	}
	// A value that changes nothing does nothing: each one that the files of values try has to.
	changed := map[string]bool{}
	for _, file := range tried(t) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := yaml.UnmarshalStrict(content, &tree); err != nil {
			t.Fatal(err)
		}
		for _, path := range values(t) {
			if _, found := at(tree, path); found {
				changed[path] = true
			}
		}
	}
	untried := []string{"nameOverride", "aws.caBundle.key", "metrics.dashboard.labels"}
	for _, path := range values(t) {
		if !changed[path] && !slices.Contains(untried, path) {
			t.Errorf("no file in chart/ci sets %s", path)
		}
	}
}

func at(tree map[string]any, path string) (any, bool) {
	var node any = tree
	for key := range strings.SplitSeq(path, ".") {
		children, ok := node.(map[string]any)
		if !ok {
			return nil, false
		}
		if node, ok = children[key]; !ok {
			return nil, false
		}
	}
	return node, true
}

func TestEachValueOfEverythingChangesWhatIsInstalled(t *testing.T) {
	const file = "chart/ci/everything-values.yaml"
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := rendered(t, "--values", file)
	for _, path := range values(t) {
		var tree map[string]any
		if err := yaml.UnmarshalStrict(content, &tree); err != nil {
			t.Fatal(err)
		}
		if _, found := at(tree, path); !found {
			continue
		}
		parent, last := tree, path
		if dot := strings.LastIndexByte(path, '.'); dot >= 0 {
			node, _ := at(tree, path[:dot])
			parent, last = node.(map[string]any), path[dot+1:]
		}
		delete(parent, last)
		without, err := yaml.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		short := filepath.Join(t.TempDir(), "values.yaml")
		if err := os.WriteFile(short, without, 0o600); err != nil {
			t.Fatal(err)
		}
		if reflect.DeepEqual(all, rendered(t, "--values", short)) {
			t.Errorf("%s does nothing", path)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

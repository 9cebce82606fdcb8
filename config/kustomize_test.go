package config_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/google/go-cmp/cmp"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// releases are a release with one image and one with several, as a manifest repository has
// them. The lists of names, and the status, are what kustomize's image filter could stumble on.
const releases = `apiVersion: ecs.heliumai.space/v1alpha1
kind: EcsRelease
metadata: {name: one, namespace: apps}
spec:
  image: helium-backend:v1
  services:
  - {name: backend, containerNames: [backend, migrate]}
  targets:
  - {name: mumbai, region: ap-south-1, cluster: helium-mumbai-cluster}
status:
  images: [{image: "helium-backend:v1"}]
  targets:
  - {name: mumbai, region: ap-south-1, cluster: helium-mumbai-cluster, services: [{name: backend, state: InSync}]}
---
apiVersion: ecs.heliumai.space/v1alpha1
kind: EcsRelease
metadata: {name: several, namespace: apps}
spec:
  containers:
  - {name: backend, image: "helium-backend:v1"}
  - {name: proxy, image: "111122223333.dkr.ecr.ap-south-1.amazonaws.com/helium-proxy:v1"}
  - {name: agent, image: "helium-agent:v7"}
  targets:
  - {name: mumbai, region: ap-south-1, cluster: helium-mumbai-cluster, services: [{name: backend}]}
`

// manifestRepository is a directory with the releases and a kustomization.
func manifestRepository(t *testing.T, kustomization string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"releases.yaml": releases, "kustomization.yaml": "resources: [releases.yaml]\n" + kustomization} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// component is a line for a kustomization in dir that uses config/kustomizeconfig.
func component(t *testing.T, dir string) string {
	t.Helper()
	config, err := filepath.Abs("kustomizeconfig")
	if err != nil {
		t.Fatal(err)
	}
	if config, err = filepath.EvalSymlinks(config); err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(dir, config)
	if err != nil {
		t.Fatal(err)
	}
	return "components: [" + relative + "]\n"
}

// setImage is what CI runs to bump a tag.
func setImage(t *testing.T, dir string, images ...string) {
	t.Helper()
	cmd := exec.Command(shared.kustomize, append([]string{"edit", "set", "image"}, images...)...)
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("kustomize edit set image: %v\n%s", err, output)
	}
}

// images are what the releases in dir deploy, by the name of the release.
func images(t *testing.T, dir string) map[string][]string {
	t.Helper()
	built, err := shared.build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, object := range objects(t, built) {
		release := typed(t, object)
		if release.Spec.Image != "" {
			found[release.Name] = append(found[release.Name], release.Spec.Image)
		}
		for _, container := range release.Spec.Containers {
			found[release.Name] = append(found[release.Name], container.Image)
		}
	}
	return found
}

func typed(t *testing.T, object *unstructured.Unstructured) *ecsv1alpha1.EcsRelease {
	t.Helper()
	var release ecsv1alpha1.EcsRelease
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &release, true); err != nil {
		t.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
	}
	return &release
}

func TestKustomizeSetsTheImagesOfReleases(t *testing.T) {
	const proxy = "111122223333.dkr.ecr.ap-south-1.amazonaws.com/helium-proxy"
	t.Run("of spec.containers without any configuration", func(t *testing.T) {
		dir := manifestRepository(t, "")
		setImage(t, dir, "helium-backend:v2", proxy+":v3")
		want := map[string][]string{
			"one":     {"helium-backend:v1"},
			"several": {"helium-backend:v2", proxy + ":v3", "helium-agent:v7"},
		}
		if diff := cmp.Diff(want, images(t, dir)); diff != "" {
			t.Errorf("images (-want +got):\n%s", diff)
		}
	})
	t.Run("of spec.image too with the component", func(t *testing.T) {
		dir := manifestRepository(t, "")
		file := filepath.Join(dir, "kustomization.yaml")
		if err := os.WriteFile(file, []byte("resources: [releases.yaml]\n"+component(t, dir)), 0o600); err != nil {
			t.Fatal(err)
		}
		setImage(t, dir, "helium-backend:v2")
		want := map[string][]string{
			"one":     {"helium-backend:v2"},
			"several": {"helium-backend:v2", proxy + ":v1", "helium-agent:v7"},
		}
		if diff := cmp.Diff(want, images(t, dir)); diff != "" {
			t.Errorf("images (-want +got):\n%s", diff)
		}
	})
	t.Run("by digest", func(t *testing.T) {
		digest := "sha256:" + strings.Repeat("0123456789abcdef", 4)
		dir := manifestRepository(t, "")
		file := filepath.Join(dir, "kustomization.yaml")
		if err := os.WriteFile(file, []byte("resources: [releases.yaml]\n"+component(t, dir)), 0o600); err != nil {
			t.Fatal(err)
		}
		setImage(t, dir, "helium-backend@"+digest)
		got := images(t, dir)
		if got["one"][0] != "helium-backend@"+digest || got["several"][0] != "helium-backend@"+digest {
			t.Errorf("images: %v", got)
		}
	})
}

func TestTheSamplesAreTheEnvironmentsThatTheReadmeNames(t *testing.T) {
	built, err := shared.build(t.Context(), "samples")
	if err != nil {
		t.Fatal(err)
	}
	createNamespaces(t, built)
	if _, err := shared.apply(t.Context(), built, "--server-side", "--dry-run=server"); err != nil {
		t.Fatal(err)
	}
	clusters := map[string][]string{}
	for _, object := range objects(t, built) {
		if object.GetKind() != "EcsRelease" {
			continue
		}
		release := typed(t, object)
		if !regexp.MustCompile(`^helium-backend:v[0-9]+$`).MatchString(release.Spec.Image) {
			t.Errorf("%s releases %s, want a tag v<number> of helium-backend", release.Namespace, release.Spec.Image)
		}
		if diff := cmp.Diff([]ecsv1alpha1.Service{{Name: "backend"}, {Name: "worker"}}, release.Spec.Services); diff != "" {
			t.Errorf("services of %s (-want +got):\n%s", release.Namespace, diff)
		}
		for _, target := range release.Spec.Targets {
			clusters[release.Namespace] = append(clusters[release.Namespace], target.Region+"/"+target.Cluster)
		}
		slices.Sort(clusters[release.Namespace])
	}
	want := map[string][]string{
		"staging":    {"ap-south-1/helium-mumbai-staging-cluster"},
		"production": {"ap-south-1/helium-mumbai-cluster", "ap-southeast-1/helium-singapore-cluster", "us-east-1/helium-virginia-cluster"},
	}
	if diff := cmp.Diff(want, clusters); diff != "" {
		t.Errorf("clusters by namespace (-want +got):\n%s", diff)
	}
}

// fenced are the YAML blocks of a Markdown document.
var fenced = regexp.MustCompile("(?s)```yaml\n(.*?)```")

func TestTheManifestsInTheDocsAreTaken(t *testing.T) {
	documents, err := filepath.Glob(filepath.Join("..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range append(documents, filepath.Join("..", "README.md")) {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range fenced.FindAllSubmatch(content, -1) {
			// A fragment that explains a field is no manifest.
			if !strings.HasPrefix(string(block[1]), "apiVersion: ecs.heliumai.space/") {
				continue
			}
			found++
			createNamespaces(t, block[1])
			if _, err := shared.apply(t.Context(), block[1], "--server-side", "--dry-run=server"); err != nil {
				t.Errorf("%s: %v\nin\n%s", filepath.Base(path), err, block[1])
			}
		}
	}
	if found == 0 {
		t.Error("there is not one manifest in the docs")
	}
}

// createNamespaces makes the namespaces that a manifest has or needs.
func createNamespaces(t *testing.T, manifest []byte) {
	t.Helper()
	for _, object := range objects(t, manifest) {
		name := object.GetNamespace()
		if object.GetKind() == "Namespace" {
			name = object.GetName()
		}
		if name == "" {
			continue
		}
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if err := shared.client.Create(t.Context(), namespace); err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
	}
}

// The component is for an overlay of the samples' manifest repository.
func TestTheJobThatWaitsForAReleaseCanBeAddedToAnOverlay(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS("samples/gitops")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "wait-job"), os.DirFS("argocd/wait-job")); err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlays", "staging")
	file := filepath.Join(overlay, "kustomization.yaml")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(content), "components:\n", "components:\n- ../../wait-job\n", 1)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	built, err := shared.build(t.Context(), overlay)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, object := range objects(t, built) {
		kinds[object.GetKind()] = true
		if object.GetNamespace() != "staging" {
			t.Errorf("%s %s is in namespace %q", object.GetKind(), object.GetName(), object.GetNamespace())
		}
	}
	if !kinds["Job"] || !kinds["ServiceAccount"] || !kinds["RoleBinding"] || !kinds["EcsRelease"] {
		t.Fatalf("the overlay has %v", kinds)
	}
	createNamespaces(t, built)
	if _, err := shared.apply(t.Context(), built, "--server-side", "--dry-run=server"); err != nil {
		t.Error(err)
	}
}

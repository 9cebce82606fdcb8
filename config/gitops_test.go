package config_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/google/go-cmp/cmp"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// everyField is a manifest of testdata, as text and as a release.
func everyField(t *testing.T, name string) ([]byte, *ecsv1alpha1.EcsRelease) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content, typed(t, objects(t, content)[0])
}

// unset are the fields below a value that are zero, by their paths. Of lists, every item counts.
func unset(value reflect.Value, path string) map[string]bool {
	found := map[string]bool{}
	switch value.Kind() {
	case reflect.Pointer:
		if value.IsNil() {
			return map[string]bool{path: true}
		}
		return unset(value.Elem(), path)
	case reflect.Slice:
		if value.Len() == 0 {
			return map[string]bool{path: true}
		}
		// A field is used if an item uses it.
		found = unset(value.Index(0), path+"[]")
		for i := 1; i < value.Len(); i++ {
			found = both(found, unset(value.Index(i), path+"[]"))
		}
		return found
	case reflect.Struct:
		for i := range value.NumField() {
			name, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
			maps.Copy(found, unset(value.Field(i), path+"."+name))
		}
		return found
	}
	if value.IsZero() {
		found[path] = true
	}
	return found
}

// both are the paths that neither of two values uses. What one has unset as a whole, the other may use
// in part.
func both(a, b map[string]bool) map[string]bool {
	found := map[string]bool{}
	covers := func(set map[string]bool, path string) bool {
		for unused := range set {
			if path == unused || strings.HasPrefix(path, unused+".") || strings.HasPrefix(path, unused+"[]") {
				return true
			}
		}
		return false
	}
	for path := range a {
		if covers(b, path) {
			found[path] = true
		}
	}
	for path := range b {
		if covers(a, path) {
			found[path] = true
		}
	}
	return found
}

func TestTheReleasesOfTheTestUseEveryField(t *testing.T) {
	_, one := everyField(t, "every-field-image.yaml")
	_, several := everyField(t, "every-field-containers.yaml")
	missing := both(unset(reflect.ValueOf(one.Spec), "spec"), unset(reflect.ValueOf(several.Spec), "spec"))
	if len(missing) > 0 {
		t.Errorf("config/testdata/every-field-*.yaml do not use %v: what a kustomization does to them is unknown", slices.Sorted(maps.Keys(missing)))
	}
	// The test of the test: it notices what is missing, in lists and behind pointers too.
	several.Spec.Verification[1].TargetHealth.WithinSeconds = nil
	one.Spec.Verification = one.Spec.Verification[:1]
	several.Spec.Targets[0].Wave, one.Spec.Targets[0].Wave = 0, 0
	missing = both(unset(reflect.ValueOf(one.Spec), "spec"), unset(reflect.ValueOf(several.Spec), "spec"))
	if diff := cmp.Diff([]string{"spec.targets[].wave", "spec.verification[].targetHealth.withinSeconds"}, slices.Sorted(maps.Keys(missing))); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}

func TestKustomizeChangesTheImagesOfAReleaseAndNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		change    func(*ecsv1alpha1.EcsRelease)
		component bool
	}{
		"every-field-image.yaml": {func(r *ecsv1alpha1.EcsRelease) { r.Spec.Image = "helium-backend:v2" }, true},
		"every-field-containers.yaml": {func(r *ecsv1alpha1.EcsRelease) {
			r.Spec.Containers[0].Image = "helium-backend:v2"
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			content, want := everyField(t, name)
			c.change(want)
			dir := manifestRepository(t, "")
			kustomization := "resources: [releases.yaml]\n"
			if c.component {
				kustomization += component(t, dir)
			}
			for name, content := range map[string]string{"releases.yaml": string(content), "kustomization.yaml": kustomization} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			setImage(t, dir, "helium-backend=helium-backend:v2")
			built, err := shared.build(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, typed(t, objects(t, built)[0])); diff != "" {
				t.Errorf("the release (-want +got):\n%s", diff)
			}
			createNamespaces(t, built)
			if _, err := shared.apply(t.Context(), built, "--server-side", "--dry-run=server"); err != nil {
				t.Error(err)
			}
		})
	}
}

// imageLists are the lists of a type that kustomize takes for lists of images, wherever they are, by
// the paths and types of their items.
func imageLists(of reflect.Type, path string, seen map[reflect.Type]bool) map[string]reflect.Type {
	found := map[string]reflect.Type{}
	switch of.Kind() {
	case reflect.Pointer, reflect.Map:
		return imageLists(of.Elem(), path, seen)
	case reflect.Slice:
		if strings.HasSuffix(path, ".containers") || strings.HasSuffix(path, ".initContainers") {
			found[path] = of.Elem()
		}
		maps.Copy(found, imageLists(of.Elem(), path+"[]", seen))
	case reflect.Struct:
		if seen[of] {
			return found
		}
		seen[of] = true
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			maps.Copy(found, imageLists(of.Field(i).Type, path+"."+name, seen))
		}
		delete(seen, of)
	}
	return found
}

func TestEveryListCalledContainersIsOneOfImages(t *testing.T) {
	// kustomize visits every list of this name, in the status too, and gives up on items that are none.
	found := imageLists(reflect.TypeFor[ecsv1alpha1.EcsRelease](), "", map[reflect.Type]bool{})
	if found[".spec.containers"] == nil {
		t.Errorf("spec.containers is not among %v", found)
	}
	for path, item := range found {
		if image, ok := item.FieldByName("Image"); item.Kind() != reflect.Struct || !ok || image.Type.Kind() != reflect.String || !strings.HasPrefix(image.Tag.Get("json"), "image") {
			t.Errorf("the items of %s are %s, want structs with an image", path, item)
		}
	}
}

// gitops is the manifest repository for users to copy.
var gitops = filepath.Join("samples", "gitops")

// environments are those that it has an overlay of.
func environments(t *testing.T) []string {
	t.Helper()
	found, err := os.ReadDir(filepath.Join(gitops, "overlays"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	if len(names) != 2 {
		t.Fatalf("overlays: %v, want two", names)
	}
	return names
}

func TestTheManifestRepositoryHasTheReleasesOfTheSamples(t *testing.T) {
	built, err := shared.build(t.Context(), "samples")
	if err != nil {
		t.Fatal(err)
	}
	createNamespaces(t, built)
	want := map[string]*ecsv1alpha1.EcsRelease{}
	for _, object := range objects(t, built) {
		if object.GetKind() == "EcsRelease" {
			want[object.GetNamespace()] = typed(t, object)
		}
	}
	for _, environment := range environments(t) {
		t.Run(environment, func(t *testing.T) {
			built, err := shared.build(t.Context(), filepath.Join(gitops, "overlays", environment))
			if err != nil {
				t.Fatal(err)
			}
			found := objects(t, built)
			if len(found) != 1 {
				t.Fatalf("%d objects, want the release: what is the platform's is not here", len(found))
			}
			release := typed(t, found[0])
			// The last wave: what a release needs is there before, and nothing waits for it.
			if wave := release.Annotations["argocd.argoproj.io/sync-wave"]; wave != "100" {
				t.Errorf("its sync wave is %q", wave)
			}
			release.Annotations = nil
			if diff := cmp.Diff(want[environment], release); diff != "" {
				t.Errorf("the release differs from the one of config/samples (-sample +gitops):\n%s", diff)
			}
			if _, err := shared.apply(t.Context(), built, "--server-side", "--dry-run=server"); err != nil {
				t.Error(err)
			}
		})
	}
}

// copyOf is a copy of the manifest repository, as a user has one.
func copyOf(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(gitops)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTheTagReachesTheReleaseInACopyOfTheManifestRepository(t *testing.T) {
	for _, environment := range environments(t) {
		for _, image := range []string{"helium-backend=helium-backend:v2", "helium-backend:v2", "helium-backend=*:v2"} {
			t.Run(environment+" "+image, func(t *testing.T) {
				overlay := filepath.Join(copyOf(t), "overlays", environment)
				setImage(t, overlay, image)
				if diff := cmp.Diff(map[string][]string{"helium-backend": {"helium-backend:v2"}}, images(t, overlay)); diff != "" {
					t.Errorf("images (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestSettingATagChangesOneLine(t *testing.T) {
	for _, environment := range environments(t) {
		overlay := filepath.Join(copyOf(t), "overlays", environment)
		before := string(read(t, filepath.Join(overlay, "kustomization.yaml")))
		setImage(t, overlay, "helium-backend:v2")
		want := strings.Replace(before, "newTag: v1\n", "newTag: v2\n", 1)
		if diff := cmp.Diff(want, string(read(t, filepath.Join(overlay, "kustomization.yaml")))); diff != "" {
			t.Errorf("kustomize writes %s in another way than it is (-want +got):\n%s", overlay, diff)
		}
	}
}

func TestTheManifestRepositoryHasTheShippedComponent(t *testing.T) {
	for _, name := range []string{"ecsrelease.yaml", "kustomization.yaml"} {
		if diff := cmp.Diff(string(read(t, filepath.Join("kustomizeconfig", name))), string(read(t, filepath.Join(gitops, "kustomizeconfig", name)))); diff != "" {
			t.Errorf("%s differs from the one of config/kustomizeconfig (-shipped +copy):\n%s", name, diff)
		}
	}
}

// project and application are what of Argo CD's kinds the tests look at. Their fields are checked
// against Argo CD's own schema where Argo CD runs.
type project struct {
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     struct {
		SourceRepos                []string            `json:"sourceRepos"`
		Destinations               []destination       `json:"destinations"`
		ClusterResourceWhitelist   *[]metav1.GroupKind `json:"clusterResourceWhitelist"`
		NamespaceResourceWhitelist []metav1.GroupKind  `json:"namespaceResourceWhitelist"`
	} `json:"spec"`
}

type destination struct {
	Server    string `json:"server"`
	Namespace string `json:"namespace"`
}

type application struct {
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     struct {
		Project     string      `json:"project"`
		Destination destination `json:"destination"`
		Source      struct {
			RepoURL        string `json:"repoURL"`
			TargetRevision string `json:"targetRevision"`
			Path           string `json:"path"`
		} `json:"source"`
		SyncPolicy struct {
			Automated struct {
				SelfHeal, Prune, AllowEmpty bool
			} `json:"automated"`
			SyncOptions []string `json:"syncOptions"`
		} `json:"syncPolicy"`
	} `json:"spec"`
}

// as reads an object into a struct.
func as(t *testing.T, object *unstructured.Unstructured, into any) {
	t.Helper()
	content, err := yaml.Marshal(object.Object)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		t.Fatal(err)
	}
}

func TestEachEnvironmentIsConfinedToItsNamespace(t *testing.T) {
	built, err := shared.build(t.Context(), filepath.Join(gitops, "argocd"))
	if err != nil {
		t.Fatal(err)
	}
	projects, applications := map[string]project{}, map[string]application{}
	for _, object := range objects(t, built) {
		switch object.GetKind() {
		case "AppProject":
			var p project
			as(t, object, &p)
			projects[p.Metadata.Name] = p
		case "Application":
			var a application
			as(t, object, &a)
			applications[a.Metadata.Name] = a
		default:
			t.Errorf("there is a %s in argocd/", object.GetKind())
		}
	}
	if len(projects) != 2 || len(applications) != 2 {
		t.Fatalf("%d projects and %d applications, want two of each", len(projects), len(applications))
	}
	const url = "https://github.com/heliumai/helium-manifests.git"
	for _, environment := range environments(t) {
		here := destination{Server: "https://kubernetes.default.svc", Namespace: environment}
		p, a := projects["helium-backend-"+environment], applications["helium-backend-"+environment]
		// Not even the release's own manifest could name another namespace: the project has one.
		if diff := cmp.Diff([]destination{here}, p.Spec.Destinations); diff != "" {
			t.Errorf("destinations of the project of %s (-want +got):\n%s", environment, diff)
		}
		if p.Spec.ClusterResourceWhitelist == nil || len(*p.Spec.ClusterResourceWhitelist) != 0 {
			t.Errorf("the project of %s may make %v in no namespace, want nothing, and said so", environment, p.Spec.ClusterResourceWhitelist)
		}
		if diff := cmp.Diff([]metav1.GroupKind{{Group: ecsv1alpha1.GroupVersion.Group, Kind: "EcsRelease"}, {Group: ecsv1alpha1.GroupVersion.Group, Kind: "EcsEndpoint"}}, p.Spec.NamespaceResourceWhitelist); diff != "" {
			t.Errorf("kinds of the project of %s (-want +got):\n%s", environment, diff)
		}
		if diff := cmp.Diff([]string{url}, p.Spec.SourceRepos); diff != "" {
			t.Errorf("repositories of the project of %s (-want +got):\n%s", environment, diff)
		}
		if a.Spec.Project != p.Metadata.Name || a.Spec.Destination != here {
			t.Errorf("the application of %s is of project %s and goes to %v", environment, a.Spec.Project, a.Spec.Destination)
		}
		if got, want := fmt.Sprint(a.Spec.Source), fmt.Sprintf("{%s main overlays/%s}", url, environment); got != want {
			t.Errorf("the application of %s is from %s, want %s", environment, got, want)
		}
		automated := a.Spec.SyncPolicy.Automated
		if !automated.SelfHeal || !automated.Prune || automated.AllowEmpty || !slices.Contains(a.Spec.SyncPolicy.SyncOptions, "ServerSideApply=true") {
			t.Errorf("the sync policy of %s is %+v", environment, a.Spec.SyncPolicy)
		}
		// The namespace is the platform's, and the project would refuse it.
		if slices.Contains(a.Spec.SyncPolicy.SyncOptions, "CreateNamespace=true") {
			t.Errorf("the application of %s makes its namespace", environment)
		}
		// Whoever deletes the application does not mean the release.
		if len(a.Metadata.Finalizers) != 0 {
			t.Errorf("the application of %s has the finalizers %v", environment, a.Metadata.Finalizers)
		}
	}
}

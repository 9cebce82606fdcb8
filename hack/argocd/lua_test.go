package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// config is the directory with what is tested: the scripts as Argo CD's repository keeps them,
// and the settings that are made of them.
const config = "../../config/argocd"

const (
	kind         = "resource_customizations/ecs.heliumai.space/EcsRelease"
	endpointKind = "resource_customizations/ecs.heliumai.space/EcsEndpoint"
)

// healthTests and actionTests are the test files that Argo CD's repository has beside its scripts.
type healthTests struct {
	Tests []struct {
		InputPath    string              `json:"inputPath"`
		HealthStatus health.HealthStatus `json:"healthStatus"`
	} `json:"tests"`
}

type actionTests struct {
	DiscoveryTests []struct {
		InputPath string                    `json:"inputPath"`
		Result    []v1alpha1.ResourceAction `json:"result"`
	} `json:"discoveryTests"`
	ActionTests []struct {
		Action             string `json:"action"`
		InputPath          string `json:"inputPath"`
		ExpectedOutputPath string `json:"expectedOutputPath"`
	} `json:"actionTests"`
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(config, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func object(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	read := map[string]any{}
	content, err := os.ReadFile(filepath.Join(config, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, &read); err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: read}
}

// machines are Argo CD's Lua machine with what it finds in each form of the settings.
func machines(t *testing.T) map[string]lua.VM {
	t.Helper()
	var patch struct {
		Data map[string]string `json:"data"`
	}
	read(t, "argocd-cm.yaml", &patch)
	var values struct {
		Configs struct {
			CM map[string]string `json:"cm"`
		} `json:"configs"`
	}
	read(t, "helm-values.yaml", &values)
	return map[string]lua.VM{
		"argocd-cm":               {ResourceOverrides: overrides(t, patch.Data)},
		"helm-values":             {ResourceOverrides: overrides(t, values.Configs.CM)},
		"resource_customizations": {ResourceOverrides: overrides(t, sources(t))},
	}
}

// overrides are the settings as Argo CD reads them from its config map.
func overrides(t *testing.T, data map[string]string) map[string]v1alpha1.ResourceOverride {
	t.Helper()
	var release, endpoint v1alpha1.ResourceOverride
	for key, value := range data {
		switch key {
		case "resource.customizations.health.ecs.heliumai.space_EcsRelease":
			release.HealthLua = value
		case "resource.customizations.actions.ecs.heliumai.space_EcsRelease":
			release.Actions = value
		case "resource.customizations.health.ecs.heliumai.space_EcsEndpoint":
			endpoint.HealthLua = value
		default:
			t.Errorf("Argo CD knows no setting %s", key)
		}
	}
	return map[string]v1alpha1.ResourceOverride{"ecs.heliumai.space/EcsRelease": release, "ecs.heliumai.space/EcsEndpoint": endpoint}
}

// sources are settings made of the files as Argo CD's own repository would embed them.
func sources(t *testing.T) map[string]string {
	t.Helper()
	file := func(kind, name string) string {
		content, err := os.ReadFile(filepath.Join(config, kind, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	actions := v1alpha1.ResourceActions{ActionDiscoveryLua: file(kind, "actions/discovery.lua")}
	scripts, err := fs.Glob(os.DirFS(filepath.Join(config, kind)), "actions/*/action.lua")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		actions.Definitions = append(actions.Definitions, v1alpha1.ResourceActionDefinition{
			Name: path.Base(path.Dir(script)), ActionLua: file(kind, script),
		})
	}
	written, err := yaml.Marshal(actions)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"resource.customizations.health.ecs.heliumai.space_EcsRelease":  file(kind, "health.lua"),
		"resource.customizations.actions.ecs.heliumai.space_EcsRelease": string(written),
		"resource.customizations.health.ecs.heliumai.space_EcsEndpoint": file(endpointKind, "health.lua"),
	}
}

func TestArgoCDTellsHowHealthyAReleaseIs(t *testing.T) {
	tellsHowHealthy(t, kind, 10)
}

func TestArgoCDTellsHowHealthyAWayInIs(t *testing.T) {
	tellsHowHealthy(t, endpointKind, 9)
}

// tellsHowHealthy runs the tests that are beside the health script of a kind, and are so many at least.
func tellsHowHealthy(t *testing.T, kind string, least int) {
	t.Helper()
	var tests healthTests
	read(t, kind+"/health_test.yaml", &tests)
	if len(tests.Tests) < least {
		t.Fatalf("there are only %d tests", len(tests.Tests))
	}
	for form, vm := range machines(t) {
		for _, test := range tests.Tests {
			t.Run(form+"/"+test.InputPath, func(t *testing.T) {
				of := object(t, path.Join(kind, test.InputPath))
				script, libraries, err := vm.GetHealthScript(of)
				if err != nil || script == "" || libraries {
					t.Fatalf("the script is %q, all libraries are open: %t, error: %v", script, libraries, err)
				}
				got, err := vm.ExecuteHealthLua(of, script)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(&test.HealthStatus, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestArgoCDOffersTheActionsThatMakeSense(t *testing.T) {
	var tests actionTests
	read(t, kind+"/actions/action_test.yaml", &tests)
	for form, vm := range machines(t) {
		for _, test := range tests.DiscoveryTests {
			t.Run(form+"/"+test.InputPath, func(t *testing.T) {
				release := object(t, path.Join(kind, "actions", test.InputPath))
				scripts, err := vm.GetResourceActionDiscovery(release)
				if err != nil || len(scripts) == 0 {
					t.Fatalf("%d scripts, error: %v", len(scripts), err)
				}
				got, err := vm.ExecuteResourceActionDiscovery(release, scripts)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(named(test.Result), named(got)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

func named(actions []v1alpha1.ResourceAction) map[string]v1alpha1.ResourceAction {
	byName := map[string]v1alpha1.ResourceAction{}
	for _, action := range actions {
		byName[action.Name] = action
	}
	return byName
}

func TestActionsChangeWhatTheySayAndNothingElse(t *testing.T) {
	var tests actionTests
	read(t, kind+"/actions/action_test.yaml", &tests)
	for form, vm := range machines(t) {
		tested := map[string]bool{}
		for _, test := range tests.ActionTests {
			tested[test.Action] = true
			t.Run(form+"/"+test.Action, func(t *testing.T) {
				release := object(t, path.Join(kind, "actions", test.InputPath))
				action, err := vm.GetResourceAction(release, test.Action)
				if err != nil {
					t.Fatal(err)
				}
				changed, err := vm.ExecuteResourceAction(release, action.ActionLua, nil)
				if err != nil {
					t.Fatal(err)
				}
				if len(changed) != 1 || changed[0].K8SOperation != lua.PatchOperation {
					t.Fatalf("it changes %d objects, wanted a patch of one", len(changed))
				}
				want, got := asJSON(t, object(t, path.Join(kind, "actions", test.ExpectedOutputPath))), asJSON(t, changed[0].UnstructuredObj)
				if diff := cmp.Diff(want, withoutTime(got, release)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
		override := vm.ResourceOverrides["ecs.heliumai.space/EcsRelease"]
		actions, err := override.GetActions()
		if err != nil {
			t.Fatal(err)
		}
		for _, action := range actions.Definitions {
			if !tested[action.Name] {
				t.Errorf("%s: no test of action %s", form, action.Name)
			}
		}
		if len(tested) != len(actions.Definitions) {
			t.Errorf("%s: there are %d actions and tests of %d", form, len(actions.Definitions), len(tested))
		}
	}
}

// asJSON is an object as it is sent: numbers have one type there.
func asJSON(t *testing.T, object *unstructured.Unstructured) map[string]any {
	t.Helper()
	text, err := object.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]any{}
	if err := yaml.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// withoutTime puts the zero time into the tokens that carry the time of the action, which are those
// that were not there before.
func withoutTime(release map[string]any, before *unstructured.Unstructured) map[string]any {
	metadata, _ := release["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	for name, value := range annotations {
		token, ok := value.(string)
		when, rest, slashed := strings.Cut(token, "/")
		if !ok || before.GetAnnotations()[name] == token || !isTime(when) {
			continue
		}
		annotations[name] = "0001-01-01T00:00:00Z"
		if slashed {
			annotations[name] = "0001-01-01T00:00:00Z/" + rest
		}
	}
	return release
}

func isTime(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}

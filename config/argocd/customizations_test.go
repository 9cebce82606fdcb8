package argocd_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/config/argocd"
)

var update = flag.Bool("update", false, "write the tests that Argo CD runs on the customizations")

const directory = "resource_customizations/" + argocd.Kind

// document is a YAML document.
type document = map[string]any

// enabled are the actions that make sense for each of the releases in testdata, reconcile aside,
// which always does.
var enabled = map[string]string{
	"awaiting_action":   "suspend approve abort hold-previous",
	"awaiting_approval": "suspend approve abort hold-previous",
	"baking":            "suspend abort hold-previous",
	"failed":            "suspend retry hold-previous",
	"healthy":           "suspend restart hold-previous",
	"healthy_adopted":   "suspend restart",
	"healthy_suspended": "resume",
	"held":              "suspend restart release-hold",
	"image_missing":     "suspend hold-previous",
	"image_not_found":   "suspend hold-previous",
	"new":               "suspend",
	"not_permitted":     "suspend",
	"outdated":          "suspend",
	"outside_window":    "suspend abort hold-previous",
	"progressing":       "suspend abort hold-previous",
	"rolling_back":      "suspend retry",
	"suspended":         "resume",
}

// shown are the actions with what people see of them.
var shown = []struct{ name, title, icon string }{
	{"reconcile", "Reconcile", "sync"},
	{"retry", "Retry", "redo"},
	{"restart", "Restart", "undo"},
	{"suspend", "Suspend", "pause"},
	{"resume", "Resume", "play"},
	{"approve", "Approve", "check"},
	{"abort", "Abort", "stop"},
	{"hold-previous", "Hold the release before", "fast-backward"},
	{"release-hold", "Release the hold", "fast-forward"},
}

// noTime stands for the time in the tokens of actions.
const noTime = "0001-01-01T00:00:00Z"

// annotated is an action's work: a command.
func annotated(command, token string) func(document) {
	return func(release document) {
		metadata := release["metadata"].(document)
		annotations, _ := metadata["annotations"].(document)
		if annotations == nil {
			annotations = document{}
			metadata["annotations"] = annotations
		}
		annotations[command] = token
	}
}

// done is what each action does, on which of the releases in testdata.
var done = []struct {
	action, on string
	work       func(document)
}{
	{"reconcile", "healthy_adopted", annotated(ecsv1alpha1.AnnotationReconcile, noTime)},
	{"retry", "failed", annotated(ecsv1alpha1.AnnotationRetry, noTime)},
	{"restart", "healthy", annotated(ecsv1alpha1.AnnotationRestart, noTime)},
	{"abort", "progressing", annotated(ecsv1alpha1.AnnotationAbort, noTime)},
	{"hold-previous", "healthy", annotated(ecsv1alpha1.AnnotationHold, noTime+"/previous")},
	{"release-hold", "held", annotated(ecsv1alpha1.AnnotationReleaseHold, noTime)},
	{"suspend", "healthy", func(release document) { release["spec"].(document)["suspend"] = true }},
	{"resume", "suspended", func(release document) { delete(release["spec"].(document), "suspend") }},
	{"approve", "awaiting_approval", func(release document) {
		first := release["status"].(document)["awaiting"].([]any)[0].(document)
		annotated(ecsv1alpha1.AnnotationApprove, first["id"].(string))(release)
	}},
}

// read is a YAML file of the customizations.
func read(t *testing.T, name string) document {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(directory, name))
	if err != nil {
		t.Fatal(err)
	}
	read := document{}
	if err := yaml.Unmarshal(content, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// is checks that a file of the customizations holds a document; with -update it makes it so.
func is(t *testing.T, name string, want document) {
	t.Helper()
	path := filepath.Join(directory, name)
	written, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, written, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(content), string(written)); diff != "" {
		t.Errorf("%s is not what it should be; go test ./config/argocd -update makes it so (-is +should be):\n%s", path, diff)
	}
}

// releases are the names of the releases in testdata.
func releases(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(directory, "testdata", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(paths))
	for _, path := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(path), ".yaml"))
	}
	return names
}

// Argo CD runs these tests with its own machine: here it is checked that they ask of every
// release what the tables above say. How healthy each is to be, the controllers' tests know.
func TestTheTestsThatArgoCDRunsAskForAllThatIsWanted(t *testing.T) {
	var healthTests, discoveryTests, actionTests []document
	for _, name := range releases(t) {
		said, err := argocd.HealthOf(read(t, "testdata/"+name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		healthTests = append(healthTests, document{
			"inputPath": "testdata/" + name + ".yaml", "healthStatus": document{"status": said.Status, "message": said.Message},
		})
		sensible, ok := enabled[name]
		if !ok {
			t.Errorf("nobody says which actions make sense for %s", name)
		}
		var result []document
		for _, action := range shown {
			on := action.name == "reconcile" || slices.Contains(strings.Fields(sensible), action.name)
			result = append(result, document{
				"name": action.name, "disabled": !on, "displayName": action.title, "iconClass": "fa fa-fw fa-" + action.icon,
			})
		}
		discoveryTests = append(discoveryTests, document{"inputPath": "../testdata/" + name + ".yaml", "result": result})
	}
	for _, d := range done {
		release := read(t, "testdata/"+d.on+".yaml")
		d.work(release)
		is(t, "actions/testdata/"+d.action+".yaml", release)
		actionTests = append(actionTests, document{
			"action": d.action, "inputPath": "../testdata/" + d.on + ".yaml", "expectedOutputPath": "testdata/" + d.action + ".yaml",
		})
	}
	is(t, "health_test.yaml", document{"tests": healthTests})
	is(t, "actions/action_test.yaml", document{"discoveryTests": discoveryTests, "actionTests": actionTests})
}

func TestBothFormsOfTheSettingsAreWrittenFromTheScripts(t *testing.T) {
	for path, write := range map[string]func() ([]byte, error){"argocd-cm.yaml": argocd.ConfigMap, "helm-values.yaml": argocd.HelmValues} {
		want, err := write()
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Errorf("%s is not what make generate writes", path)
		}
	}
	content, err := os.ReadFile("argocd-cm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var patch corev1.ConfigMap
	if err := yaml.UnmarshalStrict(content, &patch); err != nil {
		t.Fatal(err)
	}
	if got := patch.Data["resource.customizations.health.ecs.heliumai.space_EcsRelease"]; got != argocd.HealthScript() {
		t.Errorf("the patch holds another health script:\n%s", got)
	}
}

// What a Lua machine cannot get right: an object that it has never been given all of.
func TestHealthIsProgressingOfWhatSaysNothing(t *testing.T) {
	for what, object := range map[string]document{
		"no status":        {"metadata": document{"generation": int64(1)}},
		"an empty status":  {"metadata": document{"generation": int64(1)}, "status": document{}},
		"no conditions":    {"metadata": document{"generation": int64(1)}, "status": document{"observedGeneration": int64(1)}},
		"no generation":    {"metadata": document{}, "status": document{"observedGeneration": int64(1), "conditions": []any{}}},
		"no Ready":         {"metadata": document{"generation": int64(1)}, "status": document{"observedGeneration": int64(1), "conditions": []any{}}},
		"a Ready of old":   {"metadata": document{"generation": int64(2)}, "status": document{"observedGeneration": int64(2), "conditions": []any{document{"type": "Ready", "status": "True", "observedGeneration": int64(1)}}}},
		"a Stalled of old": {"metadata": document{"generation": int64(2)}, "status": document{"observedGeneration": int64(2), "conditions": []any{document{"type": "Stalled", "status": "True", "reason": "Aborted", "observedGeneration": int64(1)}}}},
	} {
		said, err := argocd.HealthOf(object)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if said.Status != "Progressing" || said.Message == "" {
			t.Errorf("%s: it is %s (%s), wanted Progressing with a message", what, said.Status, said.Message)
		}
	}
}

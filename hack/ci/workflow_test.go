package ci_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// workflow is what of GitHub's workflow the tests look at.
type workflow struct {
	// On is "true" to a reader of YAML 1.1, to whom on and true are the same.
	On struct {
		Push struct {
			Branches []string `json:"branches"`
		} `json:"push"`
	} `json:"true"`
	Env         map[string]string `json:"env"`
	Permissions map[string]string `json:"permissions"`
	Jobs        map[string]job    `json:"jobs"`
	Concurrency struct {
		Group  string `json:"group"`
		Cancel bool   `json:"cancel-in-progress"`
	} `json:"concurrency"`
}

type job struct {
	Needs       string            `json:"needs"`
	Permissions map[string]string `json:"permissions"`
	Env         map[string]string `json:"env"`
	Steps       []step            `json:"steps"`
}

type step struct {
	Uses string            `json:"uses"`
	Run  string            `json:"run"`
	Env  map[string]string `json:"env"`
	With map[string]string `json:"with"`
}

const workflowPath = "../../config/ci/github/release.yaml"

func readWorkflow(t *testing.T) (workflow, string) {
	t.Helper()
	content, err := os.ReadFile(workflowPath)
	if err != nil {
		t.Fatal(err)
	}
	var w workflow
	if err := yaml.Unmarshal(content, &w); err != nil {
		t.Fatal(err)
	}
	return w, string(content)
}

// ordered are the workflow's jobs in the order in which they run.
func (w workflow) ordered(t *testing.T) []job {
	t.Helper()
	build, ok := w.Jobs["build"]
	bump, too := w.Jobs["bump"]
	if !ok || !too || len(w.Jobs) != 2 || build.Needs != "" || bump.Needs != "build" {
		t.Fatalf("want the jobs build and then bump, got %v", slices.Sorted(maps.Keys(w.Jobs)))
	}
	return []job{build, bump}
}

// known are the variables that a script's usage text names.
var known = regexp.MustCompile(`\b[A-Z][A-Z_]+\b`)

func usage(t *testing.T, script string) map[string]bool {
	t.Helper()
	r := newWorld(t).start(t.Context(), script, []string{"--help"})
	if r.code != 0 {
		t.Fatalf("%s --help: %+v", script, r)
	}
	found := map[string]bool{}
	for _, name := range known.FindAllString(r.stdout, -1) {
		found[name] = true
	}
	return found
}

func TestTheWorkflowOnlyCallsTheScripts(t *testing.T) {
	w, _ := readWorkflow(t)
	var called []string
	told := map[string]bool{}
	for _, job := range w.ordered(t) {
		for _, step := range job.Steps {
			if step.Run == "" {
				continue
			}
			script, ok := strings.CutPrefix(step.Run, "hack/ci/")
			if info, err := os.Stat(script); !ok || err != nil || info.Mode()&0o111 == 0 {
				t.Errorf("a step runs %q, which is no script of hack/ci", step.Run)
				continue
			}
			called = append(called, script)
			knows := usage(t, script)
			for name := range step.Env {
				if !knows[name] {
					t.Errorf("%s does not know %s", script, name)
				}
			}
			maps.Copy(told, knows)
		}
	}
	if diff := cmp.Diff([]string{"environments.sh", "build.sh", "bump.sh"}, called); diff != "" {
		t.Errorf("scripts (-want +got):\n%s", diff)
	}
	for name := range w.Env {
		if !told[name] {
			t.Errorf("no script knows %s", name)
		}
	}
}

func TestTheWorkflowRunsForTheBranchesOfItsTable(t *testing.T) {
	w, _ := readWorkflow(t)
	if w.Env["BRANCH_TABLE"] != table {
		t.Errorf("the table is\n%s", w.Env["BRANCH_TABLE"])
	}
	var branches []string
	for line := range strings.Lines(w.Env["BRANCH_TABLE"]) {
		fields := strings.Fields(line)
		branches = append(branches, fields[0])
		for _, environment := range fields[1:] {
			for _, path := range []string{"overlays/" + environment + "/kustomization.yaml", "argocd/" + environment + ".yaml"} {
				if _, err := os.Stat(filepath.Join("../../config/samples/gitops", path)); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if diff := cmp.Diff(branches, w.On.Push.Branches); diff != "" {
		t.Errorf("branches (-table +push):\n%s", diff)
	}
	if w.Concurrency.Group != "release-${{ github.ref }}" || w.Concurrency.Cancel {
		t.Errorf("concurrency is %+v, want one run of a branch at a time, none of them canceled", w.Concurrency)
	}
}

// A tag of an action can be moved to other code, a commit cannot.
func TestActionsArePinnedByCommit(t *testing.T) {
	ours, err := filepath.Glob("../../.github/workflows/*.yaml")
	if err != nil || len(ours) == 0 {
		t.Fatalf("there are no workflows: %v", err)
	}
	for _, path := range append(ours, workflowPath) {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := string(content)
		if uses, pins := strings.Count(text, "uses:"), len(pinned.FindAllString(text, -1)); uses == 0 || uses != pins {
			t.Errorf("%s: %d of %d actions are pinned by commit, with their version beside it", path, pins, uses)
		}
	}
}

var pinned = regexp.MustCompile(`(?m)^ *- uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+$`)

func TestTheWorkflowHasNoMoreRightsThanItNeeds(t *testing.T) {
	w, _ := readWorkflow(t)
	if w.Permissions == nil || len(w.Permissions) != 0 {
		t.Errorf("the workflow's permissions are %v, want {}", w.Permissions)
	}
	for name, want := range map[string]map[string]string{
		"build": {"contents": "read", "id-token": "write"},
		"bump":  {"contents": "read"},
	} {
		if diff := cmp.Diff(want, w.Jobs[name].Permissions); diff != "" {
			t.Errorf("permissions of %s (-want +got):\n%s", name, diff)
		}
	}
	for _, step := range w.Jobs["build"].Steps {
		if strings.Contains(step.Uses, "github-app-token") || step.Env["MANIFESTS_TOKEN"] != "" {
			t.Error("what builds may write to the manifest repository")
		}
	}
	for _, step := range w.Jobs["bump"].Steps {
		if strings.Contains(step.Uses, "aws-actions") {
			t.Error("what bumps may do something in AWS")
		}
	}
	for name, job := range w.Jobs {
		for _, step := range job.Steps {
			if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != "false" {
				t.Errorf("%s leaves GitHub's token in its checkout", name)
			}
		}
	}
}

// expression is one of GitHub's.
var expression = regexp.MustCompile(`\$\{\{ *([^ ]+) *\}\}`)

func TestAPushGoesThroughTheWorkflow(t *testing.T) {
	t.Parallel()
	flow, _ := readWorkflow(t)
	w := newWorldWithAWS(t)
	w.actAsInTheDocs()
	url := w.serveManifests("a token")
	w.env = append(w.env, "GITHUB_ACTIONS=true")
	push := func(branch, commit, number string) {
		t.Helper()
		github := map[string]string{
			"github.ref_name": branch, "github.sha": commit, "github.run_number": number, "github.run_id": "99" + number,
			"github.server_url": "https://github.com", "github.repository": "heliumai/helium-backend",
			"steps.manifests.outputs.token": "a token",
		}
		evaluate := func(value string) string {
			return expression.ReplaceAllStringFunc(value, func(e string) string {
				value, ok := github[expression.FindStringSubmatch(e)[1]]
				if !ok {
					t.Errorf("nothing is known of %s", e)
				}
				return value
			})
		}
		for _, job := range flow.ordered(t) {
			for _, step := range job.Steps {
				if step.Run == "" {
					continue
				}
				settings := []string{"RETRY_SECONDS=0"}
				w.variables = map[string]string{}
				for _, env := range []map[string]string{flow.Env, job.Env, step.Env} {
					for name, value := range env {
						w.variables[name] = evaluate(value)
					}
				}
				if w.variables["MANIFESTS_REPOSITORY"] == "https://github.com/heliumai/helium-manifests.git" {
					settings = append(settings, "MANIFESTS_REPOSITORY="+url)
				}
				twoAtATime <- struct{}{}
				r := w.script(strings.TrimPrefix(step.Run, "hack/ci/"), settings...)
				<-twoAtATime
				if r.code != 0 {
					t.Fatalf("%s on %s ended with %d:\n%s%s", step.Run, branch, r.code, r.stdout, r.stderr)
				}
			}
		}
	}
	push("kartik-stg", revision("a"), "12")
	if diff := cmp.Diff(map[string]string{"staging": "helium-backend:v12", "production": "helium-backend:v1"}, w.tags()); diff != "" {
		t.Errorf("tags after a push on kartik-stg (-want +got):\n%s", diff)
	}
	push("migrated-demo2", revision("b"), "13")
	if diff := cmp.Diff(map[string]string{"staging": "helium-backend:v13", "production": "helium-backend:v13"}, w.tags()); diff != "" {
		t.Errorf("tags after a push on migrated-demo2 (-want +got):\n%s", diff)
	}
	for tag, want := range map[string]map[string]string{
		"v12": {branchLabel: "kartik-stg", revisionLabel: revision("a")},
		"v13": {branchLabel: "migrated-demo2", revisionLabel: revision("b")},
	} {
		if diff := cmp.Diff(map[string]map[string]string{"arm64": want}, w.image(tag).Labels); diff != "" {
			t.Errorf("labels of %s (-want +got):\n%s", tag, diff)
		}
	}
	if got := w.log("%B"); !strings.Contains(got, "Run: https://github.com/heliumai/helium-backend/actions/runs/9913\n") {
		t.Errorf("messages:\n%s", got)
	}
}

// docs is docs/ci.md.
func docs(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// block is the one of docs/ci.md with this language and tag.
func block(t *testing.T, kind string) string {
	t.Helper()
	found := regexp.MustCompile("(?s)\n```"+kind+"\n(.*?)```").FindAllStringSubmatch(docs(t), -1)
	if len(found) != 1 {
		t.Fatalf("docs/ci.md has %d blocks ```%s, want one", len(found), kind)
	}
	return found[0][1]
}

func TestTheShellOfTheDocsReleases(t *testing.T) {
	t.Parallel()
	w := newWorldWithAWS(t)
	url := w.serveManifests("a token")
	scripts, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(w.app, "hack"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(scripts, filepath.Join(w.app, "hack", "ci")); err != nil {
		t.Fatal(err)
	}
	w.git(w.app, "init", "--quiet")
	w.git(w.app, "-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "commit", "--quiet", "--allow-empty", "--message", "Begin")
	// GitHub is here. The rest is as it stands there.
	w.variables = map[string]string{}
	w.env = append(w.env, "MANIFESTS_TOKEN=a token",
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=url."+url+".insteadOf", "GIT_CONFIG_VALUE_0=https://github.com/heliumai/helium-manifests.git",
		"GIT_CONFIG_KEY_1=credential."+url+".helper", "GIT_CONFIG_VALUE_1=!f() { echo username=x-access-token; echo password=a token; }; f")
	path := filepath.Join(w.dir, "docs.sh")
	w.write(path, "set -euo pipefail\n"+block(t, "sh run"))
	twoAtATime <- struct{}{}
	defer func() { <-twoAtATime }()
	cmd := exec.CommandContext(t.Context(), "bash", path)
	cmd.Dir, cmd.Env = w.app, w.env
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if diff := cmp.Diff(map[string]string{"staging": "helium-backend:v128", "production": "helium-backend:v128"}, w.tags()); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if got, want := w.image("v128").Labels["arm64"][revisionLabel], w.git(w.app, "rev-parse", "HEAD"); got != want {
		t.Errorf("revision %s, want %s", got, want)
	}
}

// called are the scripts that a text calls.
var called = regexp.MustCompile(`hack/ci/([a-z]+\.sh)`)

func TestTheOtherCISystemsSetWhatTheScriptsNeed(t *testing.T) {
	needed := []string{"BRANCH_TABLE", "REGISTRY", "REPOSITORY", "MANIFESTS_REPOSITORY", "BRANCH", "REVISION", "TAG", "RUN_URL"}
	knows := map[string]bool{}
	for _, script := range []string{"environments.sh", "build.sh", "bump.sh"} {
		maps.Copy(knows, usage(t, script))
	}
	for kind, variable := range map[string]string{
		"yaml gitlab":    `(?m)^  ([A-Z_]+): `,
		"groovy jenkins": `(?m)^    ([A-Z_]+) = `,
	} {
		text := block(t, kind)
		var set []string
		for _, found := range regexp.MustCompile(variable).FindAllStringSubmatch(text, -1) {
			if !knows[found[1]] {
				t.Errorf("no script knows %s in %s", found[1], kind)
			}
			set = append(set, found[1])
		}
		if diff := cmp.Diff(needed, set); diff != "" {
			t.Errorf("variables of %s (-want +got):\n%s", kind, diff)
		}
		var scripts []string
		for _, found := range called.FindAllStringSubmatch(text, -1) {
			scripts = append(scripts, found[1])
		}
		if diff := cmp.Diff([]string{"environments.sh", "build.sh", "bump.sh"}, scripts); diff != "" {
			t.Errorf("scripts of %s (-want +got):\n%s", kind, diff)
		}
	}
	var parsed map[string]any
	if err := yaml.Unmarshal([]byte(block(t, "yaml gitlab")), &parsed); err != nil {
		t.Error(err)
	}
}

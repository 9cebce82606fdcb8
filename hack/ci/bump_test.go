package ci_test

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEachBranchBumpsItsEnvironments(t *testing.T) {
	t.Parallel()
	for branch, c := range map[string]struct {
		subjects []string
		tags     map[string]string
	}{
		"kartik-stg": {
			[]string{"Release helium-backend:v12 to staging"},
			map[string]string{"staging": "helium-backend:v12", "production": "helium-backend:v1"},
		},
		"migrated-demo2": {
			[]string{"Release helium-backend:v12 to staging", "Release helium-backend:v12 to production"},
			map[string]string{"staging": "helium-backend:v12", "production": "helium-backend:v12"},
		},
	} {
		t.Run(branch, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			pushes := filepath.Join(w.dir, "pushes")
			w.program(filepath.Join(w.manifests, "hooks", "post-receive"), "cat >>"+pushes+"\n")
			before, output := w.git(w.manifests, "rev-parse", "main"), filepath.Join(w.dir, "output")
			w.ok("bump.sh", "BRANCH="+branch, "GITHUB_OUTPUT="+output)
			if diff := cmp.Diff(c.tags, w.tags()); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.subjects, w.subjects()); diff != "" {
				t.Errorf("subjects (-want +got):\n%s", diff)
			}
			head := w.git(w.manifests, "rev-parse", "main")
			if diff := cmp.Diff(map[string]string{"image": "helium-backend:v12", "commit": head, "changed": "true"}, outputs(t, output)); diff != "" {
				t.Errorf("outputs (-want +got):\n%s", diff)
			}
			if got, want := w.read(pushes), fmt.Sprintf("%s %s refs/heads/main\n", before, head); got != want {
				t.Errorf("pushes: %q, want one, %q", got, want)
			}
			// Nothing else has changed: one line of one file in each commit.
			if got, want := w.git(w.manifests, "diff", "--numstat", before, "main"), len(c.subjects); strings.Count(got, "1\t1\toverlays/") != want || len(strings.Split(got, "\n")) != want {
				t.Errorf("changed lines:\n%s", got)
			}
		})
	}
}

func TestTheMessageSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("bump.sh", "BRANCH=kartik-stg", "GIT_AUTHOR_NAME=CI of helium", "GIT_AUTHOR_EMAIL=ci@helium.example")
	want := `Release helium-backend:v12 to staging

Image: helium-backend:v12
Branch: kartik-stg
Revision: ` + revision("a") + `
Run: https://github.com/heliumai/helium-backend/actions/runs/7
CI of helium <ci@helium.example>`
	if diff := cmp.Diff(want, w.git(w.manifests, "log", "-1", "--format=%B%an <%ae>", "main")); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
	w.ok("bump.sh", "BRANCH=kartik-stg", "TAG=v13", "RUN_URL")
	if got := w.git(w.manifests, "log", "-1", "--format=%B%an", "main"); strings.Contains(got, "Run:") || !strings.HasSuffix(got, "ecsrelease-ci") {
		t.Errorf("message:\n%s", got)
	}
}

func TestEnvironmentsCanBeNamedInsteadOfABranchOfTheTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const branch = "x;touch${IFS}pwned\"$(touch${IFS}pwned)'`touch${IFS}pwned`%s%n"
	r := w.start(t.Context(), "bump.sh", []string{"production"}, "BRANCH="+branch, "BRANCH_TABLE")
	if r.code != 0 {
		t.Fatalf("%+v", r)
	}
	if diff := cmp.Diff(map[string]string{"staging": "helium-backend:v1", "production": "helium-backend:v12"}, w.tags()); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if got := w.log("%B"); !strings.Contains(got, "Branch: "+branch+"\n") {
		t.Errorf("messages:\n%s", got)
	}
	w.unharmed()
	w.fails(1, []string{"main is not in BRANCH_TABLE"}, "bump.sh", "BRANCH=main")
}

func TestNothingToCommitIsSuccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("bump.sh")
	head, output := w.git(w.manifests, "rev-parse", "main"), filepath.Join(w.dir, "output")
	if r := w.ok("bump.sh", "GITHUB_OUTPUT="+output); !strings.Contains(r.stdout, "nothing to commit") {
		t.Errorf("it says %q", r.stdout)
	}
	if diff := cmp.Diff(map[string]string{"image": "helium-backend:v12", "commit": head, "changed": "false"}, outputs(t, output)); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if after := w.git(w.manifests, "rev-parse", "main"); after != head {
		t.Errorf("main moved from %s to %s", head, after)
	}
}

func TestAnOlderRunDoesNotOverwriteANewer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("bump.sh", "BRANCH=kartik-stg", "TAG=v10")
	// By number: v9 is older than v10. Production has v1, and gets it.
	r := w.ok("bump.sh", "TAG=v9", "GITHUB_ACTIONS=true")
	const warning = "staging: left at helium-backend:v10, which is newer than v9"
	if !strings.Contains(r.stderr, warning) || !strings.Contains(r.stdout, "::warning::"+warning) {
		t.Errorf("it says %q and %q", r.stdout, r.stderr)
	}
	if diff := cmp.Diff(map[string]string{"staging": "helium-backend:v10", "production": "helium-backend:v9"}, w.tags()); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	w.ok("bump.sh", "TAG=v9", "FORCE=true")
	if diff := cmp.Diff(map[string]string{"staging": "helium-backend:v9", "production": "helium-backend:v9"}, w.tags()); diff != "" {
		t.Errorf("tags when forced (-want +got):\n%s", diff)
	}
	// Tags that are not of the form v<number> have no order.
	w.ok("bump.sh", "TAG=2026-11-26")
	w.ok("bump.sh", "TAG=v2")
	if diff := cmp.Diff(map[string]string{"staging": "helium-backend:v2", "production": "helium-backend:v2"}, w.tags()); diff != "" {
		t.Errorf("tags in the end (-want +got):\n%s", diff)
	}
}

// competitor has another run push in the middle of the first push to come, before that has moved main.
func (w *world) competitor(environments string, variables ...string) {
	w.t.Helper()
	bump, err := filepath.Abs("bump.sh")
	if err != nil {
		w.t.Fatal(err)
	}
	raced := filepath.Join(w.dir, "raced")
	w.program(filepath.Join(w.manifests, "hooks", "update"), fmt.Sprintf(`
test ! -e %[1]s || exit 0
touch %[1]s
unset GIT_DIR
%[2]s '%[3]s' %[4]s >%[1]s 2>&1 || { cat %[1]s >&2; exit 1; }
`, raced, strings.Join(variables, " "), bump, environments))
}

func TestTwoBranchesAtOnceBothLand(t *testing.T) {
	t.Parallel()
	t.Run("in different overlays", func(t *testing.T) {
		w := newWorld(t)
		w.competitor("production", "TAG=v13")
		r := w.ok("bump.sh", "BRANCH=kartik-stg")
		if !strings.Contains(r.stdout, "was refused; trying again (1 of 10)") {
			t.Errorf("there was no conflict: %q, %q", r.stdout, r.stderr)
		}
		if diff := cmp.Diff([]string{"Release helium-backend:v13 to production", "Release helium-backend:v12 to staging"}, w.subjects()); diff != "" {
			t.Errorf("subjects (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]string{"staging": "helium-backend:v12", "production": "helium-backend:v13"}, w.tags()); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
	})
	t.Run("in the same line, the newer first", func(t *testing.T) {
		w := newWorld(t)
		w.competitor("staging", "TAG=v13")
		w.ok("bump.sh")
		if diff := cmp.Diff([]string{"Release helium-backend:v13 to staging", "Release helium-backend:v12 to production"}, w.subjects()); diff != "" {
			t.Errorf("subjects (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]string{"staging": "helium-backend:v13", "production": "helium-backend:v12"}, w.tags()); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
	})
	t.Run("in the same line, the older first", func(t *testing.T) {
		w := newWorld(t)
		w.competitor("staging", "TAG=v11")
		w.ok("bump.sh")
		if diff := cmp.Diff([]string{"Release helium-backend:v11 to staging", "Release helium-backend:v12 to staging", "Release helium-backend:v12 to production"}, w.subjects()); diff != "" {
			t.Errorf("subjects (-want +got):\n%s", diff)
		}
	})
	t.Run("with the same tag", func(t *testing.T) {
		w := newWorld(t)
		w.competitor("staging production", "TAG=v12")
		if r := w.ok("bump.sh"); !strings.Contains(r.stdout, "nothing to commit") {
			t.Errorf("it says %q", r.stdout)
		}
		if diff := cmp.Diff([]string{"Release helium-backend:v12 to staging", "Release helium-backend:v12 to production"}, w.subjects()); diff != "" {
			t.Errorf("subjects (-want +got):\n%s", diff)
		}
	})
}

func TestManyRunsAtOnceLeaveTheNewest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ended := make(chan result)
	tags := []string{"v12", "v13", "v14"}
	for _, tag := range tags {
		go func() {
			ended <- w.start(t.Context(), "bump.sh", nil, "TAG="+tag, "ATTEMPTS=50")
		}()
	}
	for range tags {
		if r := <-ended; r.code != 0 {
			t.Errorf("a run ended with %d:\n%s%s", r.code, r.stdout, r.stderr)
		}
	}
	if diff := cmp.Diff(map[string]string{"staging": "helium-backend:v14", "production": "helium-backend:v14"}, w.tags()); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if subjects := w.subjects(); !slices.IsSorted(onlyOf(subjects, "staging")) || !slices.IsSorted(onlyOf(subjects, "production")) {
		t.Errorf("a tag went back: %q", subjects)
	}
}

// onlyOf are the subjects about an environment.
func onlyOf(subjects []string, environment string) []string {
	return slices.DeleteFunc(slices.Clone(subjects), func(s string) bool { return !strings.HasSuffix(s, " to "+environment) })
}

func TestAPushWithoutAnAnswerIsLookedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	// The first push arrives, and the connection breaks before that is told.
	dir, lost := t.TempDir(), filepath.Join(w.dir, "lost")
	w.program(filepath.Join(dir, "git"), fmt.Sprintf("'%s' \"$@\" || exit\nif test \"$1\" = push && test ! -e %[2]s; then touch %[2]s; echo 'the remote end hung up' >&2; exit 128; fi\n", git, lost))
	w.env = append(w.env, "PATH="+dir+":"+tools+":/usr/local/bin:/usr/bin:/bin")
	if r := w.ok("bump.sh"); !strings.Contains(r.stdout, "nothing to commit") {
		t.Errorf("it says %q", r.stdout)
	}
	if got := w.subjects(); len(got) != 2 {
		t.Errorf("subjects: %q", got)
	}
}

func TestAPushThatNeverSucceedsEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tries := filepath.Join(w.dir, "tries")
	w.program(filepath.Join(w.manifests, "hooks", "pre-receive"), "echo >>"+tries+"\necho main is protected >&2\nexit 1\n")
	w.fails(1, []string{"main is protected", "the push to main was refused, 3 times in a row"}, "bump.sh", "ATTEMPTS=3")
	if got := len(w.read(tries)); got != 3 {
		t.Errorf("there were %d pushes, want 3", got)
	}
	w.fails(1, []string{"cannot fetch main, 2 times in a row"}, "bump.sh", "ATTEMPTS=2", "MANIFESTS_REPOSITORY=file://"+w.dir+"/absent.git")
	w.fails(1, []string{"cannot fetch trunk"}, "bump.sh", "ATTEMPTS=1", "MANIFESTS_BRANCH=trunk")
}

func TestABumpThatWouldReleaseNothingIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		want     string
		settings []string
	}{
		"an environment without an overlay": {"no directory overlays/qa for environment qa", []string{"BRANCH_TABLE=migrated-demo2 staging qa"}},
		"overlays elsewhere":                {"no directory apps/backend/staging", []string{"OVERLAYS=apps/backend"}},
		"an image that nobody runs":         {"nothing in overlays/staging of the manifest repository runs helium-prox", []string{"REPOSITORY=helium-prox"}},
		"a part of its name":                {"runs backend", []string{"REPOSITORY=backend"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			w.fails(1, []string{c.want}, "bump.sh", c.settings...)
		})
	}
	// kustomize sets the image, and nothing that it renders changes: that is found out.
	w.overlay("production", "components:\n- ../../kustomizeconfig\n", "")
	w.fails(1, []string{"setting helium-backend:v12 in overlays/production changed nothing", "config/kustomizeconfig"}, "bump.sh")
	w.overlay("production", "- path: targets.yaml", "- path: absent.yaml")
	w.fails(1, []string{"overlays/production of the manifest repository does not build", "absent.yaml"}, "bump.sh")
	// Not even staging was bumped: all or nothing.
	if got := w.subjects(); len(got) != 2 {
		t.Errorf("subjects: %q", got)
	}
}

func TestAnImageKeepsItsRegistry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.overlay("staging", "- name: helium-backend\n", "- name: helium-backend\n  newName: "+registry+"/helium-backend\n")
	w.overlay("production", "newTag: v1\n", "newTag: v1\n- name: helium-proxy\n  newTag: v7\n")
	w.ok("bump.sh")
	if diff := cmp.Diff(map[string]string{"staging": registry + "/helium-backend:v12", "production": "helium-backend:v12"}, w.tags()); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if got := w.git(w.manifests, "show", "main:overlays/production/kustomization.yaml"); !strings.Contains(got, "- name: helium-proxy\n  newTag: v7") {
		t.Errorf("production:\n%s", got)
	}
	w.ok("bump.sh", "TAG=v11") // what has a registry has its order too
	if got := w.tags()["staging"]; got != registry+"/helium-backend:v12" {
		t.Errorf("staging went back to %s", got)
	}
}

func TestADigestGivesWayToATag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	digest := "sha256:" + strings.Repeat("0123456789abcdef", 4)
	w.overlay("staging", "newTag: v1\n", "newTag: v11\n  digest: "+digest+"\n")
	w.overlay("production", "newTag: v1\n", "digest: "+digest+"\n")
	w.ok("bump.sh")
	if diff := cmp.Diff(map[string]string{"staging": "helium-backend:v12", "production": "helium-backend:v12"}, w.tags()); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

// serveManifests serves the manifest repository over HTTP to those who know the token.
func (w *world) serveManifests(token string) string {
	w.t.Helper()
	path, err := exec.CommandContext(w.t.Context(), "git", "--exec-path").Output()
	if err != nil {
		w.t.Fatal(err)
	}
	w.git(w.manifests, "config", "http.receivepack", "true")
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + w.dir, "GIT_HTTP_EXPORT_ALL=1"},
	}
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "x-access-token" || password != token {
			answer.Header().Set("WWW-Authenticate", `Basic realm="manifests"`)
			http.Error(answer, "who are you?", http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(answer, r)
	}))
	w.t.Cleanup(server.Close)
	return server.URL + "/manifests.git"
}

func TestATokenGoesToTheManifestRepositoryOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const token = `s3cret"$(touch${IFS}pwned)'`
	url := w.serveManifests(token)
	// As .ci/run of this repository, somebody may configure git by variables already. The helper that
	// is configured must not be asked, nor told.
	told := filepath.Join(w.dir, "told")
	w.env = append(w.env, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=credential.helper", "GIT_CONFIG_VALUE_0=!cat >>"+told+"; true")
	r := w.ok("bump.sh", "MANIFESTS_REPOSITORY="+url, "MANIFESTS_TOKEN="+token)
	if got := w.subjects(); len(got) != 2 {
		t.Errorf("subjects: %q", got)
	}
	if strings.Contains(r.stdout+r.stderr, "s3cret") {
		t.Errorf("it tells the token: %+v", r)
	}
	if _, err := os.Stat(told); err == nil {
		t.Errorf("another helper was told %q", w.read(told))
	}
	w.unharmed()
	for _, settings := range [][]string{{"MANIFESTS_TOKEN=wrong"}, {"MANIFESTS_TOKEN"}} {
		w.env = append(w.env, "GIT_CONFIG_COUNT=0")
		w.fails(1, []string{"cannot fetch main"}, "bump.sh", append(settings, "MANIFESTS_REPOSITORY="+url, "ATTEMPTS=1", "TAG=v13")...)
	}
	w.fails(2, []string{"belongs into MANIFESTS_TOKEN"}, "bump.sh", "MANIFESTS_REPOSITORY=https://x:s3cret@github.com/heliumai/helium-manifests.git")
}

func TestABumpRefusesWhatItCannotMean(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, variable := range []string{"REPOSITORY", "TAG", "BRANCH", "REVISION"} {
		w.refused("bump.sh", variable)
	}
	for _, variable := range []string{"MANIFESTS_BRANCH", "OVERLAYS", "FORCE", "ATTEMPTS", "RETRY_SECONDS"} {
		w.refused("bump.sh", variable, "") // they have defaults
	}
	w.refused("bump.sh", "RUN_URL", "", "*", "../../etc")
	for setting, want := range map[string]string{
		"OVERLAYS=/etc":           "a directory of the manifest repository",
		"OVERLAYS=overlays/../..": "a directory of the manifest repository",
		"ATTEMPTS=0":              "a number from 1 to 99",
		"FORCE=yes":               "true or false",
		"MANIFESTS_REPOSITORY=--upload-pack=touch": "MANIFESTS_REPOSITORY",
	} {
		w.fails(2, []string{want}, "bump.sh", setting)
	}
	for _, environment := range hostile {
		if r := w.start(t.Context(), "bump.sh", []string{environment}); r.code != 2 {
			t.Errorf("bump.sh %q ended with %d: %s", environment, r.code, r.stderr)
		}
	}
	// Git runs no program for a URL.
	w.fails(1, []string{"cannot fetch main"}, "bump.sh", "MANIFESTS_REPOSITORY=ext::touch pwned", "ATTEMPTS=1")
	w.unharmed()
	if got := w.log("%s"); got != "Begin" {
		t.Errorf("main has %q", got)
	}
}

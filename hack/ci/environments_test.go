package ci_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestABranchBumpsItsEnvironmentsInOrder(t *testing.T) {
	w := newWorld(t)
	for branch, want := range map[string]string{"kartik-stg": "staging\n", "migrated-demo2": "staging\nproduction\n"} {
		if got := w.ok("environments.sh", "BRANCH="+branch).stdout; got != want {
			t.Errorf("environments of %s: %q, want %q", branch, got, want)
		}
	}
	if got := w.start(t.Context(), "environments.sh", []string{"kartik-stg"}); got.stdout != "staging\n" {
		t.Errorf("the argument should go before the variable: %+v", got)
	}
}

func TestATableIsReadToTheLetter(t *testing.T) {
	w := newWorld(t)
	const odd = `
# who      where
fix#12	 	staging   production # as long as it is needed
$(touch${IFS}pwned) staging
*          production
  # main   production
`
	for branch, want := range map[string]string{
		"fix#12": "staging\nproduction\n", "$(touch${IFS}pwned)": "staging\n",
	} {
		if got := w.ok("environments.sh", "BRANCH_TABLE="+odd, "BRANCH="+branch).stdout; got != want {
			t.Errorf("environments of %s: %q, want %q", branch, got, want)
		}
	}
	for branch, want := range map[string]string{"main": "is not in BRANCH_TABLE", "fix": "is not in BRANCH_TABLE", "fix#12x": "is not in BRANCH_TABLE"} {
		w.fails(1, []string{branch, want}, "environments.sh", "BRANCH_TABLE="+odd, "BRANCH="+branch)
	}
	w.unharmed()
}

func TestATableThatSaysNothingClearIsRefused(t *testing.T) {
	w := newWorld(t)
	for table, want := range map[string]string{
		"a staging\na production\n": "2 rows for branch a",
		"a\n":                       "no environment for branch a",
		"a # staging\n":             "no environment for branch a",
		"a staging,production\n":    "staging\\,production",
		"a ../production\n":         "../production",
		"a Staging\n":               "Staging",
	} {
		w.fails(2, []string{want}, "environments.sh", "BRANCH_TABLE="+table, "BRANCH=a")
	}
	w.refused("environments.sh", "BRANCH")
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	w := newWorld(t)
	for script, needed := range map[string][]string{
		"environments.sh": {"BRANCH", "BRANCH_TABLE"},
		"build.sh":        {"REGISTRY", "REPOSITORY", "TAG", "BRANCH", "REVISION"},
		"bump.sh":         {"REPOSITORY", "TAG", "BRANCH", "REVISION", "MANIFESTS_REPOSITORY"},
	} {
		for _, variable := range needed {
			w.fails(2, []string{"not set: " + variable, "--help"}, script, variable)
		}
		w.fails(2, []string{"not set: " + strings.Join(needed, " ")}, script, needed...)
	}
	w.fails(2, []string{"not set: BRANCH_TABLE"}, "bump.sh", "BRANCH_TABLE")
}

func TestToolsThatAreMissingAreNamed(t *testing.T) {
	w := newWorld(t)
	// A machine that has next to nothing.
	bare := t.TempDir()
	for _, tool := range []string{"bash", "basename", "dirname", "cat"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bare, tool)); err != nil {
			t.Fatal(err)
		}
	}
	w.env = append(w.env, "PATH="+bare)
	for script, want := range map[string]string{
		"environments.sh": "not on the PATH: git",
		"build.sh":        "not on the PATH: aws curl docker git jq",
		"bump.sh":         "not on the PATH: git kustomize",
	} {
		w.fails(2, []string{want}, script)
		if help := w.start(t.Context(), script, []string{"--help"}); help.code != 0 || !strings.Contains(help.stdout, "Usage: "+script) {
			t.Errorf("%s --help: %+v", script, help)
		}
	}
}

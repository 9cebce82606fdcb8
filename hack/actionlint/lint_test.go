// Package actionlint holds GitHub's workflows to what GitHub takes.
package actionlint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// workflows are the ones for users to copy, and this repository's own.
var workflows = []string{"../../config/ci/github/*.yaml", "../../.github/workflows/*.y*ml"}

// lint is what actionlint finds in a workflow. Neither shellcheck nor pyflakes, which a machine may
// have or not, has a say.
func lint(t *testing.T, path string, content []byte) []*actionlint.Error {
	t.Helper()
	var output strings.Builder
	linter, err := actionlint.NewLinter(&output, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := linter.Lint(path, content, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTheWorkflowsAreFreeOfErrors(t *testing.T) {
	var paths []string
	for _, pattern := range workflows {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) == 0 {
		t.Fatal("there is not one workflow")
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range lint(t, path, content) {
			t.Error(problem)
		}
	}
}

func TestErrorsAreFound(t *testing.T) {
	for name, c := range map[string]struct{ workflow, want string }{
		"a job that needs another which is not there": {
			"on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    needs: b\n    steps:\n    - run: make\n",
			`job "a" needs job "b" which does not exist`,
		},
		"the name of a branch in a command": {
			"on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n    - run: echo ${{ github.head_ref }}\n",
			`"github.head_ref" is potentially untrusted`,
		},
		"a permission that there is not": {
			"on: push\npermissions:\n  id-tokens: write\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n    - run: make\n",
			`unknown permission scope "id-tokens"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := lint(t, "workflow.yaml", []byte(c.workflow))
			if len(found) != 1 || !strings.Contains(found[0].Message, c.want) {
				t.Errorf("found %v, want %q", found, c.want)
			}
		})
	}
}

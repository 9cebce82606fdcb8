package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// asLinter, when set, makes the test binary behave as the program under test.
const asLinter = "GOLANGCI_LINT_TEST_AS_LINTER"

func TestMain(m *testing.M) {
	if os.Getenv(asLinter) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const house = "heliumai.space/ecsrelease"

// elsewhere are the modules that the cases import. In the test they are empty: the rules
// look at the path of an import and not at what is there.
var elsewhere = map[string][]string{
	"github.com/aws/aws-sdk-go-v2":      {"aws"},
	"github.com/aws/smithy-go":          {"."},
	"github.com/stretchr/testify":       {"require"},
	"k8s.io/apimachinery":               {"pkg/types"},
	"k8s.io/client-go":                  {"rest"},
	"sigs.k8s.io/controller-runtime":    {"pkg/client", "pkg/client/fake"},
	"github.com/distribution/reference": {"."},
	"github.com/robfig/cron/v3":         {"."},
}

// arrow is one import, from the package (or test) at a path to another.
type arrow struct {
	from, to string
	allowed  bool
}

var arrows = []arrow{
	{from: "api/v1alpha1", to: "k8s.io/apimachinery/pkg/types", allowed: true},
	{from: "api/v1alpha1", to: "k8s.io/client-go/rest"},
	{from: "api/v1alpha1", to: "sigs.k8s.io/controller-runtime/pkg/client"},
	{from: "api/v1alpha1", to: house + "/internal/rollout"},

	{from: "internal/image", to: "strings", allowed: true},
	{from: "internal/image", to: "github.com/distribution/reference", allowed: true},
	{from: "internal/image", to: "net/http"},
	{from: "internal/image", to: house + "/internal/taskdef"},

	{from: "internal/window", to: "time", allowed: true},
	{from: "internal/window", to: "github.com/robfig/cron/v3", allowed: true},
	{from: "internal/window", to: house + "/api/v1alpha1", allowed: true},
	{from: "internal/window", to: "os"},
	{from: "internal/window", to: "k8s.io/apimachinery/pkg/types"},
	{from: "internal/window", to: house + "/internal/rollout"},

	{from: "internal/taskdef", to: house + "/internal/image", allowed: true},
	{from: "internal/taskdef", to: house + "/internal/rollout"},
	{from: "internal/taskdef", to: house + "/api/v1alpha1"},
	{from: "internal/taskdef", to: "github.com/aws/aws-sdk-go-v2/aws"},
	{from: "internal/taskdef", to: "os"},

	{from: "internal/rollout", to: "time", allowed: true},
	{from: "internal/rollout", to: "net/url", allowed: true},
	{from: "internal/rollout", to: house + "/api/v1alpha1", allowed: true},
	{from: "internal/rollout", to: house + "/internal/taskdef", allowed: true},
	{from: "internal/rollout", to: house + "/internal/image", allowed: true},
	{from: "internal/rollout", to: house + "/internal/window"},
	{from: "internal/rollout", to: "context"},
	{from: "internal/rollout", to: "log/slog"},
	{from: "internal/rollout", to: "math/rand/v2"},
	{from: "internal/rollout", to: "k8s.io/client-go/rest"},
	{from: "internal/rollout", to: "sigs.k8s.io/controller-runtime/pkg/client"},
	{from: "internal/rollout", to: "github.com/aws/smithy-go"},
	{from: "internal/rollout", to: house + "/internal/cloud"},

	{from: "internal/screen", to: "time", allowed: true},
	{from: "internal/screen", to: house + "/internal/rollout", allowed: true},
	{from: "internal/screen", to: house + "/internal/taskdef", allowed: true},
	{from: "internal/screen", to: house + "/internal/cloud"},
	{from: "internal/screen", to: "k8s.io/client-go/rest"},
	{from: "internal/screen", to: "context"},
	{from: "internal/screen", to: "os"},

	{from: "internal/cloud", to: "github.com/aws/aws-sdk-go-v2/aws", allowed: true},
	{from: "internal/cloud", to: "github.com/aws/smithy-go", allowed: true},
	{from: "internal/cloud", to: house + "/internal/taskdef", allowed: true},
	{from: "internal/cloud", to: house + "/controllers"},
	{from: "internal/cloud", to: house + "/internal/awssim"},
	{from: "internal/cloud", to: "k8s.io/client-go/rest"},
	{from: "internal/cloud test", to: house + "/internal/awssim", allowed: true},

	{from: "internal/awssim", to: "net/http", allowed: true},
	{from: "internal/awssim", to: house + "/internal/image"},
	{from: "internal/awssim", to: house + "/internal/cloud"},
	{from: "internal/awssim", to: "github.com/aws/aws-sdk-go-v2/aws"},
	{from: "internal/awssim/seed", to: "github.com/aws/aws-sdk-go-v2/aws", allowed: true},
	{from: "internal/awssim test", to: "github.com/aws/aws-sdk-go-v2/aws", allowed: true},

	{from: "controllers", to: house + "/internal/cloud", allowed: true},
	{from: "controllers", to: house + "/internal/window", allowed: true},
	{from: "controllers", to: "sigs.k8s.io/controller-runtime/pkg/client", allowed: true},
	{from: "controllers", to: "github.com/aws/aws-sdk-go-v2/aws"},
	{from: "controllers", to: "github.com/aws/smithy-go"},
	{from: "controllers", to: house + "/internal/awssim"},
	{from: "controllers test", to: house + "/internal/awssim", allowed: true},
	{from: "controllers test", to: "sigs.k8s.io/controller-runtime/pkg/client/fake"},
	{from: "controllers test", to: "github.com/stretchr/testify/require"},

	{from: "cmd/manager", to: house + "/controllers", allowed: true},
	{from: "cmd/manager", to: house + "/internal/awssim"},
	{from: "cmd/awssim", to: house + "/internal/awssim", allowed: true},
	{from: "hack/lab", to: house + "/internal/awssim", allowed: true},
	{from: "hack/lab", to: house + "/controllers"},
}

func TestTheRulesKeepTheArrowsOfTheHouse(t *testing.T) {
	root := t.TempDir()
	buildHouse(t, root)

	files := make([]string, len(arrows))
	for i, a := range arrows {
		dir, isTest := strings.CutSuffix(a.from, " test")
		name := "room.go"
		if isTest {
			name = "room_test.go"
		}
		files[i] = filepath.Join(dir, fmt.Sprintf("arrow%d", i), name)
		write(t, root, files[i], fmt.Sprintf("package arrow\n\nimport _ %q\n", a.to))
	}

	refused := lint(t, root, "depguard")
	for i, a := range arrows {
		complaint, found := refused[files[i]]
		switch {
		case a.allowed && found:
			t.Errorf("%s may import %s, but: %s", a.from, a.to, complaint)
		case !a.allowed && !found:
			t.Errorf("%s may not import %s, but nothing is said", a.from, a.to)
		}
	}
}

func TestPurePackagesGetTheTimeAsAParameter(t *testing.T) {
	root := t.TempDir()
	buildHouse(t, root)
	const readsClock = "package room\n\nimport \"time\"\n\nvar Now = time.Now\n"
	const sleeps = "package room\n\nimport \"time\"\n\nfunc Nap() { time.Sleep(1) }\n"
	for path, source := range map[string]string{
		"internal/rollout/clock/room.go":       readsClock,
		"internal/taskdef/clock/room.go":       readsClock,
		"internal/image/clock/room.go":         readsClock,
		"internal/window/clock/room.go":        readsClock,
		"controllers/clock/room.go":            readsClock,
		"controllers/nap/room.go":              sleeps,
		"internal/cloud/nap/room.go":           sleeps,
		"internal/cloud/bubble/sleeps_test.go": sleeps,
		"cmd/nap/room.go":                      sleeps,
	} {
		write(t, root, path, source)
	}

	refused := lint(t, root, "forbidigo")
	for path, want := range map[string]bool{
		"internal/rollout/clock/room.go":       true,
		"internal/taskdef/clock/room.go":       true,
		"internal/image/clock/room.go":         true,
		"internal/window/clock/room.go":        true,
		"controllers/clock/room.go":            false,
		"controllers/nap/room.go":              true,
		"internal/cloud/nap/room.go":           true,
		"internal/cloud/bubble/sleeps_test.go": false,
		"cmd/nap/room.go":                      false,
	} {
		if complaint, found := refused[path]; found != want {
			t.Errorf("%s: refused %v, want %v %s", path, found, want, complaint)
		}
	}
}

func TestKubeAPILinterIsInTheProgramAndLooksAtTheAPIOnly(t *testing.T) {
	root := t.TempDir()
	buildHouse(t, root)
	const unbounded = `package kind

// Spec is wanted.
type Spec struct {
	// name names it.
	// +required
	Name string ` + "`json:\"name\"`" + `
}
`
	write(t, root, "api/v1alpha1/kind/kind.go", unbounded)
	write(t, root, "internal/cloud/kind/kind.go", unbounded)

	refused := lint(t, root, "kubeapilinter")
	if complaint := refused["api/v1alpha1/kind/kind.go"]; !strings.Contains(complaint, "maximum length") {
		t.Errorf("an unbounded string in the API: got %q, want a complaint about its maximum length", complaint)
	}
	if complaint, found := refused["internal/cloud/kind/kind.go"]; found {
		t.Errorf("a struct outside of the API: got %q, want nothing", complaint)
	}
}

// buildHouse lays out a module with the house's name, its rules, one empty package per room
// and one empty module for each of those elsewhere.
func buildHouse(t *testing.T, root string) {
	t.Helper()
	rules, err := os.ReadFile(filepath.Join("..", "..", "..", ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, root, ".golangci.yml", string(rules))
	for _, room := range []string{
		"api/v1alpha1", "controllers", "internal/awssim", "internal/cloud",
		"internal/image", "internal/rollout", "internal/screen", "internal/taskdef", "internal/window",
	} {
		write(t, root, filepath.Join(room, "room.go"), "package room\n")
	}

	module := "module " + house + "\n\ngo 1.26.0\n"
	for path, packages := range elsewhere {
		version := "v0.0.0"
		if strings.HasSuffix(path, "/v3") {
			version = "v3.0.0"
		}
		module += fmt.Sprintf("\nrequire %s %s\nreplace %s => ./elsewhere/%s\n", path, version, path, path)
		stub := filepath.Join("elsewhere", path)
		write(t, root, filepath.Join(stub, "go.mod"), "module "+path+"\n")
		for _, name := range packages {
			write(t, root, filepath.Join(stub, name, "stub.go"), "package stub\n")
		}
	}
	write(t, root, "go.mod", module)
}

func write(t *testing.T, root, path, content string) {
	t.Helper()
	path = filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// lint runs one linter of the rules on the module and returns what it says, by file.
func lint(t *testing.T, root, linter string) map[string]string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "run", "--enable-only", linter,
		"--output.json.path", "stdout", "--show-stats=false", "--issues-exit-code", "0", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), asLinter+"=1", "GOLANGCI_LINT_CACHE="+t.TempDir(), "GOFLAGS=-mod=mod", "GOWORK=off")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("golangci-lint run: %v\n%s", err, complaints.String())
	}

	var report struct {
		Issues []struct {
			FromLinter string
			Text       string
			Pos        struct{ Filename string }
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("reading golangci-lint's report: %v\n%s", err, out)
	}
	said := map[string]string{}
	for _, issue := range report.Issues {
		if issue.FromLinter != linter {
			t.Fatalf("%s: %s says %q: the test's house does not stand", issue.Pos.Filename, issue.FromLinter, issue.Text)
		}
		said[issue.Pos.Filename] += issue.Text
	}
	return said
}

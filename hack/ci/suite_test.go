// Package ci_test runs the scripts of this directory as CI does: with bash, git, kustomize, the aws
// command line and a registry that is simulated. Only docker is a stand-in (hack/docker).
package ci_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/lab"
)

const (
	account    = "111122223333"
	mumbai     = "ap-south-1"
	registry   = account + ".dkr.ecr." + mumbai + ".amazonaws.com"
	repository = "helium-backend"

	// table is the one of the workflow; a test compares them.
	table = "kartik-stg      staging\nmigrated-demo2  staging production\n"
)

// revision is the hash of a commit that a digit stands for.
func revision(digit string) string { return strings.Repeat(digit, 40) }

// tools is the directory that is put at the front of PATH: kustomize, docker, aws.
var tools string

// twoAtATime keeps the machine from drowning in Python.
var twoAtATime = make(chan struct{}, 2)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ecsrelease-ci-")
	if err == nil {
		defer os.RemoveAll(dir)
		tools = dir
		err = furnish(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: setting up the tests of hack/ci:", err)
		return 1
	}
	return m.Run()
}

// furnish makes the tools. What users have, and a machine may lack, is an error and no reason to skip.
func furnish(ctx context.Context) error {
	for _, tool := range []string{"aws", "bash", "curl", "git", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("these tests run the scripts of hack/ci, which need %s: %w; .ci/run installs it", tool, err)
		}
	}
	kustomize, err := exec.CommandContext(ctx, "go", "tool", "-modfile="+filepath.Join("..", "tools", "go.mod"), "-n", "kustomize").Output()
	if err != nil {
		return fmt.Errorf("building kustomize: %w", err)
	}
	if err := os.Symlink(strings.TrimSpace(string(kustomize)), filepath.Join(tools, "kustomize")); err != nil {
		return err
	}
	if output, err := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(tools, "docker"), "../docker").CombinedOutput(); err != nil {
		return fmt.Errorf("building the stand-in for docker: %w\n%s", err, output)
	}
	command, err := exec.LookPath("aws")
	if err != nil {
		return err
	}
	// Versions before 1.29 and 2.13 do not know AWS_ENDPOINT_URL.
	return os.WriteFile(filepath.Join(tools, "aws"), []byte("#!/bin/sh\nexec '"+command+"' --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"\n"), 0o700)
}

// world is a company: an application, a manifest repository, and an account in AWS.
type world struct {
	t         *testing.T
	dir       string
	app       string // the checkout of the application
	manifests string // the bare manifest repository
	// variables are what the scripts are configured by, and env the rest of their environment.
	variables map[string]string
	env       []string

	aws lab.AWS
	ecr *ecr.Client
}

// newWorld has an application, and the manifest repository of config/samples/gitops.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), variables: map[string]string{
		"BRANCH_TABLE": table, "BRANCH": "migrated-demo2", "REVISION": revision("a"), "TAG": "v12",
		"REGISTRY": registry, "REPOSITORY": repository, "RETRY_SECONDS": "0",
		"RUN_URL": "https://github.com/heliumai/helium-backend/actions/runs/7",
	}}
	w.app, w.manifests = filepath.Join(w.dir, "app"), filepath.Join(w.dir, "manifests.git")
	w.variables["MANIFESTS_REPOSITORY"] = "file://" + w.manifests
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AWS_") && !strings.HasPrefix(variable, "GIT") {
			w.env = append(w.env, variable)
		}
	}
	w.env = append(w.env, "PATH="+tools+":"+os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1", "DOCKER_CONFIG="+filepath.Join(w.dir, "docker"))
	for _, dir := range []string{w.app, filepath.Join(w.dir, "docker")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.write(filepath.Join(w.app, "Dockerfile"), "FROM scratch\nCOPY app /app\n")
	if err := os.CopyFS(w.manifests, os.DirFS(w.began())); err != nil {
		t.Fatal(err)
	}
	return w
}

// began is a bare manifest repository with one commit, made once: each world has a copy.
func (w *world) began() string {
	w.t.Helper()
	beginning.Lock()
	defer beginning.Unlock()
	dir := filepath.Join(tools, "manifests.git")
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	checkout := w.t.TempDir()
	if err := os.CopyFS(checkout, os.DirFS(filepath.Join("..", "..", "config", "samples", "gitops"))); err != nil {
		w.t.Fatal(err)
	}
	w.git("", "init", "--quiet", "--bare", "--template=", "--initial-branch=main", dir)
	w.git(checkout, "init", "--quiet", "--template=", "--initial-branch=main", ".")
	w.commit(checkout, dir, "Begin")
	return dir
}

var beginning sync.Mutex

// newWorldWithAWS has a registry too.
func newWorldWithAWS(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	server := httptest.NewServer(awssim.New(awssim.Options{}))
	t.Cleanup(server.Close)
	w.aws = lab.AWS{Endpoint: server.URL}
	w.ecr = ecr.NewFromConfig(w.aws.Root(account, mumbai))
	if _, err := w.ecr.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{
		RepositoryName: aws.String(repository), ImageTagMutability: ecrtypes.ImageTagMutabilityImmutable,
	}); err != nil {
		t.Fatal(err)
	}
	w.actAs(account, lab.RootSecret)
	return w
}

// actAs has the scripts find these credentials.
func (w *world) actAs(key, secret string) {
	w.env = append(w.env, "AWS_ENDPOINT_URL="+w.aws.Endpoint, "AWS_ACCESS_KEY_ID="+key, "AWS_SECRET_ACCESS_KEY="+secret,
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
}

func (w *world) write(path, content string) {
	w.t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(path string) string {
	w.t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(content)
}

// program writes a program, such as a hook.
func (w *world) program(path, script string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		w.t.Fatal(err)
	}
}

// git returns what git prints.
func (w *world) git(dir string, args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "git", args...)
	cmd.Dir, cmd.Env = dir, w.env
	output, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return strings.TrimSpace(string(output))
}

// commit pushes what is in a checkout to a repository's main.
func (w *world) commit(checkout, to, message string) {
	w.t.Helper()
	w.git(checkout, "add", "--all")
	w.git(checkout, "-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "commit", "--quiet", "--message", message)
	w.git(checkout, "push", "--quiet", to, "HEAD:refs/heads/main")
}

// overlay changes the kustomization of an environment's overlay, in a commit of its own.
func (w *world) overlay(environment, old, replacement string) {
	w.t.Helper()
	checkout := w.t.TempDir()
	w.git("", "clone", "--quiet", "file://"+w.manifests, checkout)
	path := filepath.Join(checkout, "overlays", environment, "kustomization.yaml")
	content, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	if !strings.Contains(string(content), old) {
		w.t.Fatalf("%s has no %q:\n%s", path, old, content)
	}
	w.write(path, strings.Replace(string(content), old, replacement, 1))
	w.commit(checkout, w.manifests, "Change "+environment)
}

// result is how a script ended.
type result struct {
	stdout, stderr string
	code           int
}

// script runs a script of this directory in the application's checkout. settings are variables as
// NAME=value; one that is NAME alone is not set.
func (w *world) script(name string, settings ...string) result {
	w.t.Helper()
	return w.start(w.t.Context(), name, nil, settings...)
}

func (w *world) start(ctx context.Context, name string, args []string, settings ...string) result {
	w.t.Helper()
	path, err := filepath.Abs(name)
	if err != nil {
		w.t.Fatal(err)
	}
	variables := map[string]string{}
	for name, value := range w.variables {
		variables[name] = value
	}
	env := slices.Clone(w.env)
	for _, setting := range settings {
		name, value, set := strings.Cut(setting, "=")
		if variables[name] = value; !set {
			delete(variables, name)
		}
	}
	for name, value := range variables {
		env = append(env, name+"="+value)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = w.app, env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatalf("%s: %v", name, err)
	}
	return result{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
}

// ok is a script that must succeed.
func (w *world) ok(name string, settings ...string) result {
	w.t.Helper()
	r := w.script(name, settings...)
	if r.code != 0 {
		w.t.Fatalf("%s %q ended with %d:\n%s%s", name, settings, r.code, r.stdout, r.stderr)
	}
	return r
}

// fails is a script that must end with that code and say all that is wanted.
func (w *world) fails(code int, want []string, name string, settings ...string) {
	w.t.Helper()
	r := w.script(name, settings...)
	if r.code != code {
		w.t.Errorf("%s %q ended with %d, want %d:\n%s%s", name, settings, r.code, code, r.stdout, r.stderr)
	}
	for _, text := range want {
		if !strings.Contains(r.stderr, text) {
			w.t.Errorf("%s %q said\n%swant %q", name, settings, r.stderr, text)
		}
	}
}

// tags are what the overlays deploy on the manifest repository's main.
func (w *world) tags() map[string]string {
	w.t.Helper()
	dir := w.t.TempDir()
	w.git("", "clone", "--quiet", "file://"+w.manifests, dir)
	found := map[string]string{}
	for _, environment := range []string{"staging", "production"} {
		output, err := exec.CommandContext(w.t.Context(), filepath.Join(tools, "kustomize"), "build", filepath.Join(dir, "overlays", environment)).Output()
		if err != nil {
			w.t.Fatal(err)
		}
		if image := deployed.FindSubmatch(output); image != nil {
			found[environment] = string(image[1])
		}
	}
	return found
}

// deployed is the line of a release that names its image.
var deployed = regexp.MustCompile(`(?m)^ +(?:- )?image: (.*)$`)

// log is the history of main since the beginning, oldest first, in one of git's formats.
func (w *world) log(format string) string {
	w.t.Helper()
	return w.git(w.manifests, "log", "--reverse", "--format="+format, "main")
}

// subjects are those of the commits since the beginning, oldest first.
func (w *world) subjects() []string {
	w.t.Helper()
	return strings.Split(w.log("%s"), "\n")[1:]
}

// outputs are what a script handed to later steps.
func outputs(t *testing.T, path string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(content)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		found[name] = value
	}
	return found
}

// hostile are values that a shell could take for something to do, or a program for an option. Each
// leaves the file pwned if it can.
var hostile = []string{
	"`touch pwned`$(touch pwned)", "x' \"; touch pwned\ntouch pwned", "--upload-pack=touch pwned", "../../etc", "*", "",
}

// unharmed says that none of them could.
func (w *world) unharmed() {
	w.t.Helper()
	if err := filepath.WalkDir(w.dir, func(path string, _ os.DirEntry, err error) error {
		if filepath.Base(path) == "pwned" {
			w.t.Errorf("there is a file %s", path)
		}
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
}

// refused runs a script with every hostile value of a variable, which must be refused by name before
// anything is done. An empty one counts as not set.
func (w *world) refused(script, variable string, except ...string) {
	w.t.Helper()
	for _, value := range hostile {
		if slices.Contains(except, value) {
			continue
		}
		r := w.script(script, variable+"="+value)
		if r.code != 2 || !strings.Contains(r.stderr, variable) {
			w.t.Errorf("%s with %s=%q ended with %d: %s", script, variable, value, r.code, cmp.Or(r.stderr, r.stdout))
		}
	}
	w.unharmed()
}

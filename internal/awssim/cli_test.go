package awssim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// awsCLI runs the real aws command line as the root of our account in Mumbai, against a
// server of the simulator whose every exchange is checked against the models.
type awsCLI struct {
	path   string
	url    string
	dir    string
	secret string
}

// twoAtATime keeps the machine from drowning in Python.
var twoAtATime = make(chan struct{}, 2)

func newAWSCLI(t *testing.T, s *Simulator) *awsCLI {
	t.Helper()
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Fatal("these tests drive the real aws command line, and there is none: install it (Debian: apt-get install awscli; else pip install awscli)")
	}
	server := httptest.NewServer(conformingHandler(t, s))
	t.Cleanup(server.Close)
	return &awsCLI{path: path, url: server.URL, dir: t.TempDir(), secret: rootSecret}
}

// environment is the caller's without anything that steers AWS programs elsewhere.
func (a *awsCLI) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	return append(env,
		"AWS_ACCESS_KEY_ID="+ownAccount, "AWS_SECRET_ACCESS_KEY="+a.secret, "AWS_DEFAULT_REGION="+mumbai, "AWS_REGION="+mumbai,
		"AWS_CONFIG_FILE="+filepath.Join(a.dir, "config"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(a.dir, "credentials"),
		"AWS_DEFAULT_OUTPUT=json", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1",
	)
}

// run returns what the command wrote and its exit code.
func (a *awsCLI) run(t *testing.T, arguments ...string) (stdout, stderr string, code int) {
	t.Helper()
	twoAtATime <- struct{}{}
	defer func() { <-twoAtATime }()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, a.path, append([]string{"--endpoint-url", a.url}, arguments...)...)
	command.Env = a.environment()
	var out, problem bytes.Buffer
	command.Stdout, command.Stderr = &out, &problem
	err := command.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return out.String(), problem.String(), exit.ExitCode()
	case err != nil:
		t.Fatalf("aws %s: %v", strings.Join(arguments, " "), err)
	}
	return out.String(), problem.String(), 0
}

// ok runs a command that must succeed, and reads its document into out unless that is nil.
func (a *awsCLI) ok(t *testing.T, out any, arguments ...string) {
	t.Helper()
	stdout, stderr, code := a.run(t, arguments...)
	if code != 0 {
		t.Fatalf("aws %s ended with %d: %s", strings.Join(arguments, " "), code, stderr)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(stdout), out); err != nil {
			t.Fatalf("aws %s wrote %q: %v", strings.Join(arguments, " "), stdout, err)
		}
	}
}

// fails runs a command that AWS must refuse with that error.
func (a *awsCLI) fails(t *testing.T, want string, arguments ...string) {
	t.Helper()
	_, stderr, code := a.run(t, arguments...)
	// Both versions of the command line use 254 for errors of the service, older ones 255.
	if code != 254 && code != 255 || !strings.Contains(stderr, want) {
		t.Errorf("aws %s ended with %d and wrote %q, want 254 or 255 and %q", strings.Join(arguments, " "), code, stderr, want)
	}
}

var (
	choice    = regexp.MustCompile(`(?m)[a-z0-9]+(?:-[a-z0-9]+)*`)
	wordStart = regexp.MustCompile(`([a-z0-9])([A-Z])`)
)

// cliName is how the command line spells an operation.
func cliName(operation string) string {
	return strings.ToLower(wordStart.ReplaceAllString(operation, "$1-$2"))
}

// knows asks the command line for its operations of a service: a wrong one makes it list
// those that it has.
func (a *awsCLI) knows(t *testing.T, service string) map[string]bool {
	t.Helper()
	_, stderr, _ := a.run(t, service, "not-an-operation")
	_, list, found := strings.Cut(stderr, "valid choices are:")
	if !found {
		t.Fatalf("aws %s not-an-operation does not list the operations: %q", service, stderr)
	}
	known := map[string]bool{}
	for _, name := range choice.FindAllString(list, -1) {
		known[name] = true
	}
	return known
}

func TestTheCommandLineRollsAServiceOut(t *testing.T) {
	t.Parallel()
	// Fast enough for a rollout to be over when the next command has started.
	s := New(Options{Speed: 2000})
	cli := newAWSCLI(t, s)
	registry := ecrClientOf(t, s, ownAccount, mumbai)
	createTestRepository(t, registry, backendName)
	register := func(tag string) (arn string) {
		pushTestImage(t, registry, backendName, tag, seed.Image{})
		var out struct {
			TaskDefinition struct{ TaskDefinitionArn string }
		}
		cli.ok(t, &out, "ecs", "register-task-definition", "--family", "backend", "--network-mode", "awsvpc",
			"--requires-compatibilities", "FARGATE", "--cpu", "256", "--memory", "512",
			"--execution-role-arn", "arn:aws:iam::111122223333:role/execution", "--runtime-platform", "cpuArchitecture=ARM64",
			"--container-definitions", `[{"name":"app","image":"`+ownECRHost+"/helium-backend:"+tag+`","environment":[{"name":"A","value":""}]}]`,
			"--tags", "key=team,value=core")
		return out.TaskDefinition.TaskDefinitionArn
	}
	cli.ok(t, nil, "ecs", "create-cluster", "--cluster-name", "live")
	one, two := register(firstTag), register(secondTag)
	cli.ok(t, nil, "ecs", "create-service", "--cluster", "live", "--service-name", "backend", "--task-definition", one, "--desired-count", "2",
		"--launch-type", "FARGATE", "--network-configuration", "awsvpcConfiguration={subnets=[subnet-1]}",
		"--deployment-configuration", "deploymentCircuitBreaker={enable=true,rollback=true}")
	cli.ok(t, nil, "ecs", "wait", "services-stable", "--cluster", "live", "--services", "backend")
	var updated struct {
		Service struct{ TaskDefinition string }
	}
	cli.ok(t, &updated, "ecs", "update-service", "--cluster", "live", "--service", "backend", "--task-definition", two)
	if updated.Service.TaskDefinition != two {
		t.Errorf("update-service answers with %s", updated.Service.TaskDefinition)
	}
	cli.ok(t, nil, "ecs", "wait", "services-stable", "--cluster", "live", "--services", "backend")
	var services struct {
		Services []struct {
			TaskDefinition string
			RunningCount   int
			Deployments    []struct{ RolloutState string }
		}
	}
	cli.ok(t, &services, "ecs", "describe-services", "--cluster", "live", "--services", "backend")
	got := services.Services[0]
	if got.TaskDefinition != two || got.RunningCount != 2 || len(got.Deployments) != 1 || got.Deployments[0].RolloutState != "COMPLETED" {
		t.Errorf("the service is %+v", got)
	}
	cli.fails(t, "(ClientException)", "ecs", "update-service", "--cluster", "live", "--service", "backend", "--task-definition", "backend:9")
	cli.fails(t, "(ClusterNotFoundException)", "ecs", "describe-services", "--cluster", "absent", "--services", "backend")
	stdout, stderr, code := cli.run(t, "ecs", "list-service-deployments", "--cluster", "live", "--service", "backend")
	if strings.Contains(stderr, "nvalid choice") {
		t.Log("this aws has no ecs list-service-deployments")
		return
	}
	var deployments struct{ ServiceDeployments []struct{ Status string } }
	if err := json.Unmarshal([]byte(stdout), &deployments); err != nil || code != 0 {
		t.Fatalf("list-service-deployments ended with %d: %s", code, stderr)
	}
	if len(deployments.ServiceDeployments) != 2 || deployments.ServiceDeployments[0].Status != "SUCCESSFUL" {
		t.Errorf("%+v", deployments)
	}
}

func TestTheCommandLineSeesPagesAndErrors(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	cli := newAWSCLI(t, s)
	registry := ecrClientOf(t, s, ownAccount, mumbai)
	var identity struct{ Account, Arn string }
	cli.ok(t, &identity, "sts", "get-caller-identity")
	if identity.Account != ownAccount || identity.Arn != rootARN(ownAccount) {
		t.Errorf("%+v", identity)
	}
	cli.ok(t, nil, "ecr", "create-repository", "--repository-name", backendName, "--image-tag-mutability", "IMMUTABLE")
	digests := map[string]bool{}
	for _, tag := range []string{"v1", "v2", "v3"} {
		digests[pushTestImage(t, registry, backendName, tag, seed.Image{})] = true
	}

	// Three pages of one are put together; with max-items there is a token to go on from.
	type imageIDs struct {
		ImageIDs  []struct{ ImageDigest, ImageTag string }
		NextToken string
	}
	var all, first, rest imageIDs
	list := []string{"ecr", "list-images", "--repository-name", backendName}
	cli.ok(t, &all, append(list, "--page-size", "1")...)
	cli.ok(t, &first, append(list, "--page-size", "1", "--max-items", "2")...)
	if len(all.ImageIDs) != 3 || all.NextToken != "" || len(first.ImageIDs) != 2 || first.NextToken == "" {
		t.Fatalf("all %+v, first two %+v", all, first)
	}
	cli.ok(t, &rest, append(list, "--starting-token", first.NextToken)...)
	for _, id := range slices.Concat(first.ImageIDs, rest.ImageIDs) {
		delete(digests, id.ImageDigest)
	}
	if len(rest.ImageIDs) != 1 || len(digests) != 0 {
		t.Errorf("rest %+v, never listed %v", rest, slices.Collect(maps.Keys(digests)))
	}

	var got struct {
		Images   []struct{ ImageManifestMediaType string }
		Failures []struct{ FailureCode string }
	}
	cli.ok(t, &got, "ecr", "batch-get-image", "--repository-name", backendName, "--image-ids", "imageTag=v1", "imageTag=v9")
	if len(got.Images) != 1 || got.Images[0].ImageManifestMediaType != ociManifestType || len(got.Failures) != 1 || got.Failures[0].FailureCode != "ImageNotFound" {
		t.Errorf("%+v", got)
	}
	cli.fails(t, "(ImageNotFoundException)", "ecr", "describe-images", "--repository-name", backendName, "--image-ids", "imageTag=v9")
	cli.fails(t, "(RepositoryNotFoundException)", "ecr", "describe-images", "--repository-name", "absent")
	cli.fails(t, "(AccessDeniedException)", "ecr", "describe-images", "--registry-id", otherAccount, "--repository-name", backendName)
	wrong := *cli
	wrong.secret = "wrong"
	wrong.fails(t, "(InvalidSignatureException)", "ecs", "list-clusters")
}

func TestWhatTheCommandLineLacksIsNamed(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	cli := newAWSCLI(t, s)
	for _, service := range slices.Sorted(maps.Keys(s.tables)) {
		known := cli.knows(t, modelOf(service))
		for _, operation := range slices.Sorted(maps.Keys(s.tables[service])) {
			// Such an operation is still called with success by a test that uses the SDK,
			// and every exchange of it is checked: TestMain fails the suite otherwise.
			if !known[cliName(operation)] {
				t.Logf("this aws has no %s %s", service, cliName(operation))
			}
		}
	}
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"heliumai.space/ecsrelease/internal/lab"
)

// release is what a push led to: an image, and the commit of the manifest repository that has it.
type release struct {
	branch, tag, commit string
	// environments are those that were bumped.
	environments []string
	// pushed, built and bumped are when git push, the build and the bump had ended.
	pushed, built, bumped time.Time
	// after is the last call in AWS's journal before the push.
	after uint64
}

// push changes the application, pushes that to a branch, and lets CI run. What the image does is
// up to behave, which is called when it is in ECR; nil: it works.
func (w *world) push(ctx context.Context, branch, message string, behave func(context.Context, string) error) (*release, error) {
	after, err := w.lastCall(ctx)
	if err != nil {
		return nil, err
	}
	w.run++
	r := &release{branch: branch, tag: fmt.Sprintf("v%d", w.run+1), after: after}
	if err := os.WriteFile(w.source.path("Dockerfile"), []byte("FROM scratch\n# "+message+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("changing the application: %w", err)
	}
	revision, err := w.source.commit(ctx, branch, message)
	if err != nil {
		return nil, err
	}
	r.pushed = time.Now()
	return r, w.runCI(ctx, r, revision, behave)
}

// runCI does what the steps of config/ci/github/release.yaml do for a push.
func (w *world) runCI(ctx context.Context, r *release, revision string, behave func(context.Context, string) error) error {
	variables, err := workflowVariables("config/ci/github/release.yaml")
	if err != nil {
		return err
	}
	runner := &runner{world: w, environment: append(variables,
		"REGISTRY="+lab.AccountID+".dkr.ecr."+w.account.Home+".amazonaws.com", "REPOSITORY="+lab.Repository,
		"TAG="+r.tag, "BRANCH="+r.branch, "REVISION="+revision, "CONTEXT="+w.source.clone,
		"MANIFESTS_REPOSITORY="+w.gitops.url(), "RUN_URL=https://ci.example/runs/"+fmt.Sprint(w.run), "RETRY_SECONDS=0",
	)}
	listed, err := runner.script(ctx, "environments.sh")
	if err != nil {
		return err
	}
	r.environments = strings.Fields(listed)
	if _, err := runner.script(ctx, "build.sh"); err != nil {
		return err
	}
	r.built = time.Now()
	w.tags[runner.outputs["digest"]] = r.tag
	if behave != nil {
		if err := behave(ctx, runner.outputs["digest"]); err != nil {
			return err
		}
	}
	if _, err := runner.script(ctx, "bump.sh"); err != nil {
		return err
	}
	r.bumped = time.Now()
	if r.commit = runner.outputs["commit"]; r.commit == "" {
		return fmt.Errorf("bump.sh of run %d says no commit: %v", w.run, runner.outputs)
	}
	return w.webhook(ctx)
}

// workflowVariables are the variables that the workflow sets for all of its steps to what is
// written there.
func workflowVariables(path string) ([]string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the workflow: %w", err)
	}
	var workflow struct {
		Env map[string]string `json:"env"`
	}
	if err := yaml.Unmarshal(content, &workflow); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	table := workflow.Env["BRANCH_TABLE"]
	if table == "" {
		return nil, fmt.Errorf("%s has no table of branches", path)
	}
	return []string{"BRANCH_TABLE=" + table}, nil
}

// runner runs the steps of one run of CI.
type runner struct {
	world       *world
	environment []string
	outputs     map[string]string
}

// script runs one of hack/ci and returns what it prints; what it says as its outputs is kept.
func (r *runner) script(ctx context.Context, name string) (string, error) {
	outputs := filepath.Join(r.world.Dir, "github-output")
	if err := os.WriteFile(outputs, nil, 0o600); err != nil {
		return "", fmt.Errorf("making a file for outputs: %w", err)
	}
	cmd := exec.CommandContext(ctx, filepath.Join("hack", "ci", name))
	cmd.Env = append(append(lab.CleanEnvironment(), r.environment...),
		"PATH="+r.world.path(), "GITHUB_OUTPUT="+outputs, "DOCKER_CONFIG="+r.world.Dir,
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
		"AWS_ENDPOINT_URL="+r.world.account.AWS.Endpoint, "AWS_REGION="+r.world.account.Home, "AWS_DEFAULT_REGION="+r.world.account.Home,
		"AWS_ACCESS_KEY_ID="+lab.AccountID, "AWS_SECRET_ACCESS_KEY="+lab.RootSecret,
	)
	var problems strings.Builder
	cmd.Stderr = &problems
	said, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", name, err, said, problems.String())
	}
	written, err := os.ReadFile(outputs)
	if err != nil {
		return "", fmt.Errorf("reading outputs: %w", err)
	}
	r.outputs = map[string]string{}
	for line := range strings.Lines(string(written)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			r.outputs[key] = value
		}
	}
	return string(said), nil
}

// webhook tells Argo CD that the manifest repository has changed, as a webhook of the Git host
// does: it asks for a refresh of the Applications.
func (w *world) webhook(ctx context.Context) error { return w.refresh(ctx, "normal") }

func (w *world) refresh(ctx context.Context, how string) error {
	return w.Kubectl(ctx, "-n", argoNamespace, "annotate", "application", "--all", "--overwrite", "argocd.argoproj.io/refresh="+how)
}

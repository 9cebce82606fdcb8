package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"heliumai.space/ecsrelease/internal/lab"
)

// repository is a bare Git repository on disk and somebody's clone of it.
type repository struct{ bare, clone string }

// url is what programs reach it by.
func (r *repository) url() string { return "file://" + r.bare }

// path is a file of the clone.
func (r *repository) path(name string) string { return filepath.Join(r.clone, name) }

// git runs git in the clone and returns what it prints.
func (r *repository) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.clone
	cmd.Env = append(lab.CleanEnvironment(), identity()...)
	output, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, output)
	}
	return strings.TrimSpace(string(output)), nil
}

// identity is who commits, with none of the settings of whoever runs this.
func identity() []string {
	return []string{
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull,
		"GIT_AUTHOR_NAME=Dev", "GIT_AUTHOR_EMAIL=dev@heliumai.space", "GIT_COMMITTER_NAME=Dev", "GIT_COMMITTER_EMAIL=dev@heliumai.space",
	}
}

// commit commits what was written in the clone to a branch and pushes it. It returns the commit.
func (r *repository) commit(ctx context.Context, branch, message string) (string, error) {
	for _, args := range [][]string{{"add", "--all"}, {"commit", "--quiet", "--message", message}, {"push", "--quiet", "origin", "HEAD:" + branch}} {
		if _, err := r.git(ctx, args...); err != nil {
			return "", err
		}
	}
	return r.git(ctx, "rev-parse", "HEAD")
}

// newRepository makes an empty repository in dir, and a clone of it.
func newRepository(ctx context.Context, dir, name, branch string) (*repository, error) {
	r := &repository{bare: filepath.Join(dir, name+".git"), clone: filepath.Join(dir, name)}
	if err := os.Mkdir(r.clone, 0o700); err != nil {
		return nil, fmt.Errorf("making a clone: %w", err)
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--bare", "--initial-branch", branch, r.bare},
		{"init", "--quiet", "--initial-branch", branch},
		{"remote", "add", "origin", r.url()},
	} {
		if _, err := r.git(ctx, args...); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// manifestURL is where config/samples/gitops says that the manifest repository is.
const manifestURL = "https://github.com/heliumai/helium-manifests.git"

// makeRepositories makes both repositories as users have them before the first push: the
// application with its two branches, and the manifests with v1 in both environments.
func (w *world) makeRepositories(ctx context.Context) (err error) {
	if w.source, err = newRepository(ctx, w.Dir, "helium-backend", lab.Branch); err != nil {
		return err
	}
	if err := os.WriteFile(w.source.path("Dockerfile"), []byte("FROM scratch\n"), 0o600); err != nil {
		return fmt.Errorf("writing the Dockerfile: %w", err)
	}
	if _, err := w.source.commit(ctx, lab.Branch, "Begin"); err != nil {
		return err
	}
	if _, err := w.source.git(ctx, "push", "--quiet", "origin", "HEAD:"+lab.StagingBranch); err != nil {
		return err
	}
	if w.gitops, err = newRepository(ctx, w.Dir, "helium-manifests", "main"); err != nil {
		return err
	}
	if err := os.CopyFS(w.gitops.clone, os.DirFS("config/samples/gitops")); err != nil {
		return fmt.Errorf("copying config/samples/gitops: %w", err)
	}
	for file, change := range map[string][2]string{
		"argocd/staging.yaml":    {manifestURL, w.gitops.url()},
		"argocd/production.yaml": {manifestURL, w.gitops.url()},
		// As with the soak: what takes minutes in production takes seconds here.
		"overlays/production/targets.yaml": {"bakeSeconds: 600", "bakeSeconds: 3"},
	} {
		if err := replace(w.gitops.path(file), change[0], change[1]); err != nil {
			return err
		}
	}
	_, err = w.gitops.commit(ctx, "main", "Begin")
	return err
}

// replace puts a text into a file in the place of another, wherever that is; it has to be there.
func replace(path, old, text string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("changing %s: %w", path, err)
	}
	if !strings.Contains(string(content), old) {
		return fmt.Errorf("changing %s: there is no %q in it", path, old)
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(string(content), old, text)), 0o600)
}

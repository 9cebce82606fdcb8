package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// sources is a Go module with the two programs, as small as they get, in a git repository at a commit that is
// always the same.
func sources(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for path, content := range map[string]string{
		"go.mod":                         "module heliumai.space/ecsrelease\n\ngo 1.26.0\n",
		"cmd/manager/main.go":            "package main\n\nfunc main() { println(\"manager\") }\n",
		"cmd/kubectl-ecsrelease/main.go": "package main\n\nfunc main() { println(\"plugin\") }\n",
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "--quiet"}, {"add", "."}, {"commit", "--quiet", "--message=first"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a",
			"GIT_COMMITTER_EMAIL=a@example.com", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, output)
		}
	}
	return dir
}

// built runs the program and returns the lines that it prints.
func built(t *testing.T, args ...string) []string {
	t.Helper()
	var out bytes.Buffer
	if err := run(context.Background(), args, &out); err != nil {
		t.Fatal(err)
	}
	return strings.Fields(out.String())
}

func TestTheImagesAreForAllArchitecturesAndForNobodyInParticular(t *testing.T) {
	layouts, boms := t.TempDir(), t.TempDir()
	printed := built(t, "--dir", sources(t), "--layout", layouts, "--version", "1.2.3", "--source", "https://example.com/sources", "--sbom", boms)
	if len(printed) != 2 {
		t.Fatalf("these images are built: %v, want two", printed)
	}
	for image, entrypoint := range map[string]string{"ecsrelease": "/ko-app/manager", "kubectl-ecsrelease": "/ko-app/kubectl-ecsrelease"} {
		index := indexOf(t, filepath.Join(layouts, image))
		manifest, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		var platforms []string
		for _, descriptor := range manifest.Manifests {
			platforms = append(platforms, descriptor.Platform.String())
			one, err := index.Image(descriptor.Digest)
			if err != nil {
				t.Fatal(err)
			}
			config, err := one.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			if config.Architecture != descriptor.Platform.Architecture || config.Config.User != "65532:65532" || !slices.Equal(config.Config.Entrypoint, []string{entrypoint}) {
				t.Errorf("%s for %s is of architecture %s, user %s, and begins with %v", image, descriptor.Platform, config.Architecture, config.Config.User, config.Config.Entrypoint)
			}
			if got := config.Created.UTC().Format("2006-01-02T15:04:05Z"); got != "2026-01-02T03:04:05Z" {
				t.Errorf("%s was made at %s, want when its commit was", image, got)
			}
			for label, want := range map[string]string{"version": "1.2.3", "source": "https://example.com/sources", "licenses": "Apache-2.0"} {
				if got := config.Config.Labels["org.opencontainers.image."+label]; got != want {
					t.Errorf("%s has the label %s %q, want %q", image, label, got, want)
				}
			}
			if revision := config.Config.Labels["org.opencontainers.image.revision"]; !regexp.MustCompile("^[0-9a-f]{40}$").MatchString(revision) {
				t.Errorf("%s has the revision %q", image, revision)
			}
		}
		if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, platforms); diff != "" {
			t.Errorf("%s: platforms (-want +got):\n%s", image, diff)
		}
	}
	if written, err := filepath.Glob(filepath.Join(boms, "*linux-arm64*")); err != nil || len(written) != 2 {
		t.Errorf("the bills of materials are %v, %v: want one of each image for each platform", written, err)
	}
}

// indexOf is the index of an OCI layout's only image.
func indexOf(t *testing.T, dir string) v1.ImageIndex {
	t.Helper()
	top, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := top.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 {
		t.Fatalf("%s has %d images, want 1", dir, len(manifest.Manifests))
	}
	index, err := top.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func TestTheSameCommitIsTheSameImageAnywhere(t *testing.T) {
	digests := func() []string {
		layouts := t.TempDir()
		var all []string
		for _, line := range built(t, "--dir", sources(t), "--layout", layouts) {
			_, digest, _ := strings.Cut(line, "@")
			all = append(all, digest)
		}
		return all
	}
	if diff := cmp.Diff(digests(), digests()); diff != "" {
		t.Errorf("digests (-one directory +another):\n%s", diff)
	}
}

func TestBuildingAgainReplacesTheLayout(t *testing.T) {
	from, layouts := sources(t), t.TempDir()
	for range 2 {
		built(t, "--dir", from, "--layout", layouts, "ecsrelease")
	}
	indexOf(t, filepath.Join(layouts, "ecsrelease"))
}

func TestImagesArePushedByTagAndPrintedByDigest(t *testing.T) {
	server := httptest.NewServer(registry.New())
	defer server.Close()
	prefix := strings.TrimPrefix(server.URL, "http://") + "/heliumai"
	printed := built(t, "--dir", sources(t), "--push", prefix, "--version", "1.2.3")
	for i, image := range []string{"ecsrelease", "kubectl-ecsrelease"} {
		reference, err := name.ParseReference(prefix + "/" + image + ":v1.2.3")
		if err != nil {
			t.Fatal(err)
		}
		pushed, err := remote.Index(reference)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := pushed.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if want := regexp.MustCompile("^" + regexp.QuoteMeta(prefix+"/"+image) + "(:v1.2.3)?@" + digest.String() + "$"); !want.MatchString(printed[i]) {
			t.Errorf("it prints %s, want %s", printed[i], want)
		}
	}
}

func TestWrongArgumentsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"nowhere to go":        {nil, "--layout or --push"},
		"two places to go":     {[]string{"--layout=x", "--push=y"}, "--layout or --push"},
		"an image of nobody's": {[]string{"--layout=x", "awssim"}, `no image "awssim"`},
		"no programs":          {[]string{"--layout=x", "--dir=" + t.TempDir()}, "none of the programs"},
	} {
		if err := run(t.Context(), c.args, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: the error is %v, want one that says %q", name, err, c.says)
		}
	}
}

package ci_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/cloud"
)

const (
	branchLabel   = "git.branch"
	revisionLabel = "org.opencontainers.image.revision"
)

// image is what the operator sees in the registry.
func (w *world) image(tag string) cloud.Image {
	w.t.Helper()
	fleet, err := cloud.New(cloud.Options{Config: func(context.Context) (aws.Config, error) { return w.aws.Root(account, mumbai), nil }})
	if err != nil {
		w.t.Fatal(err)
	}
	found, problem := fleet.Image(w.t.Context(), cloud.Identity{AccountID: account}, cloud.ImageQuery{
		Registry: account, Region: mumbai, Repository: repository, Tag: tag, Labels: []string{branchLabel, revisionLabel},
	})
	if problem != nil {
		w.t.Fatalf("the operator does not take %s: %s", tag, problem.Message)
	}
	return found
}

// pushes is how often something was put into the registry.
func (w *world) pushes() int {
	w.t.Helper()
	var journal []awssim.JournalEntry
	if err := w.aws.Admin(w.t.Context(), http.MethodGet, "journal?operation=PutImage", nil, &journal); err != nil {
		w.t.Fatal(err)
	}
	return len(journal)
}

// build is a build that must succeed, two at a time.
func (w *world) build(settings ...string) result {
	w.t.Helper()
	twoAtATime <- struct{}{}
	defer func() { <-twoAtATime }()
	return w.ok("build.sh", settings...)
}

func (w *world) buildFails(code int, want []string, settings ...string) {
	w.t.Helper()
	twoAtATime <- struct{}{}
	defer func() { <-twoAtATime }()
	w.fails(code, want, "build.sh", settings...)
}

func TestTheOperatorTakesWhatIsBuilt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings      []string
		architectures []string
		index         bool
	}{
		"by default":             {nil, []string{"arm64"}, true},
		"without an attestation": {[]string{"PROVENANCE=false"}, []string{"arm64"}, false},
		"for both architectures": {[]string{"PLATFORMS=linux/arm64/v8,linux/amd64", "PROVENANCE=false"}, []string{"arm64", "amd64"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWithAWS(t)
			output := filepath.Join(w.dir, "output")
			w.build(append(c.settings, "GITHUB_OUTPUT="+output)...)
			found := w.image("v12")
			if _, itself := found.Children["arm64"]; !itself || len(found.Children) != len(c.architectures) {
				t.Errorf("architectures: %v, want %v", found.Children, c.architectures)
			}
			if index := found.Children["arm64"] != found.Digest; index != c.index {
				t.Errorf("the tag names an index: %v, want %v", index, c.index)
			}
			want := map[string]map[string]string{}
			for _, architecture := range c.architectures {
				want[architecture] = map[string]string{branchLabel: "migrated-demo2", revisionLabel: revision("a")}
			}
			if diff := cmp.Diff(want, found.Labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]string{"image": registry + "/helium-backend:v12", "digest": found.Digest, "built": "true"}, outputs(t, output)); diff != "" {
				t.Errorf("outputs (-want +got):\n%s", diff)
			}
			if content, err := os.ReadFile(filepath.Join(w.dir, "docker", "config.json")); err != nil || strings.Contains(string(content), registry) {
				t.Errorf("docker is still logged in: %s, %v", content, err)
			}
		})
	}
}

// actAsInTheDocs has the scripts be a user with the policy of docs/ci.md, which is returned.
func (w *world) actAsInTheDocs() string {
	w.t.Helper()
	policy := block(w.t, "json build")
	const key, secret = "AKIACI00000000000001", "ci-secret-ci-secret-ci-secret-ci-secret"
	if err := w.aws.Admin(w.t.Context(), http.MethodPut, "users", map[string]any{
		"account": account, "name": "ci", "accessKeyId": key, "secretAccessKey": secret, "policies": []any{json.RawMessage(policy)},
	}, nil); err != nil {
		w.t.Fatal(err)
	}
	w.actAs(key, secret)
	return policy
}

func TestARunThatIsRepeatedBuildsNothing(t *testing.T) {
	t.Parallel()
	w := newWorldWithAWS(t)
	allowed := w.actAsInTheDocs()
	w.build("PLATFORMS=linux/arm64,linux/amd64")
	before, digest := w.pushes(), w.image("v12").Digest
	if before == 0 {
		t.Fatal("nothing was pushed")
	}
	output := filepath.Join(w.dir, "output")
	// A part of what is there is there too.
	for _, platforms := range []string{"linux/arm64,linux/amd64", "linux/amd64"} {
		if r := w.build("GITHUB_OUTPUT="+output, "PLATFORMS="+platforms); !strings.Contains(r.stdout, "nothing to build") {
			t.Errorf("it says %q", r.stdout)
		}
		if diff := cmp.Diff(map[string]string{"image": registry + "/helium-backend:v12", "digest": digest, "built": "false"}, outputs(t, output)); diff != "" {
			t.Errorf("outputs (-want +got):\n%s", diff)
		}
	}
	if after := w.pushes(); after != before {
		t.Errorf("%d more images were pushed", after-before)
	}

	// All of it was done with the policy of the docs. Is there more in it?
	var summary awssim.JournalSummary
	if err := w.aws.Admin(t.Context(), http.MethodGet, "journal/summary", nil, &summary); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, action := range summary.Actions {
		if action.Principal == "ci" {
			used[action.Action] = true
		}
	}
	for _, action := range regexp.MustCompile(`"([a-z]+:[A-Za-z*]+)"`).FindAllStringSubmatch(allowed, -1) {
		if !used[action[1]] {
			t.Errorf("the policy in docs/ci.md allows %s, which no build needs", action[1])
		}
	}
}

func TestATagStandsForOneBuild(t *testing.T) {
	t.Parallel()
	w := newWorldWithAWS(t)
	for tag, image := range map[string]seed.Image{
		"v12": {Labels: map[string]string{branchLabel: "migrated-demo2", revisionLabel: revision("a")}, Attestation: true},
		"v13": {Labels: map[string]string{branchLabel: "migrated-demo2"}},
		// Half of it is from another commit.
		"v14": {Platforms: []string{"linux/arm64", "linux/amd64"}, PlatformLabels: map[string]map[string]string{
			"linux/arm64": {branchLabel: "migrated-demo2", revisionLabel: revision("a")},
			"linux/amd64": {branchLabel: "migrated-demo2", revisionLabel: revision("b")},
		}},
	} {
		if _, err := seed.Push(t.Context(), w.ecr, repository, tag, image); err != nil {
			t.Fatal(err)
		}
	}
	before := w.pushes()
	for name, c := range map[string]struct {
		settings []string
		want     []string
	}{
		"from another revision": {
			[]string{"REVISION=" + revision("b")},
			[]string{"not from this commit", "it was built from revision " + revision("a") + " of branch migrated-demo2", "this run is of    revision " + revision("b") + " of branch migrated-demo2"},
		},
		"from another branch": {
			[]string{"BRANCH=kartik-stg"},
			[]string{"not from this commit", "of branch migrated-demo2", "of branch kartik-stg"},
		},
		"from nobody knows where": {[]string{"TAG=v13"}, []string{"revision (no label)"}},
		"in part":                 {[]string{"TAG=v14"}, []string{"it was built from revision " + revision("b")}},
		"for another platform":    {[]string{"PLATFORMS=linux/arm64,linux/amd64"}, []string{"not for linux/amd64: it has linux/arm64."}},
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			w.buildFails(1, append(c.want, "A tag stands for one build"), c.settings...)
		})
	}
	if after := w.pushes(); after != before {
		t.Errorf("%d images were pushed", after-before)
	}
}

func TestABuildThatFailsPushesNothing(t *testing.T) {
	t.Parallel()
	w := newWorldWithAWS(t)
	w.write(filepath.Join(w.app, "Dockerfile.broken"), "FROM scratch\nRUN false\n")
	w.buildFails(1, []string{"did not complete successfully", "docker could not build or push"}, "DOCKERFILE=Dockerfile.broken")
	if pushed := w.pushes(); pushed != 0 {
		t.Errorf("%d images were pushed", pushed)
	}
	if content, err := os.ReadFile(filepath.Join(w.dir, "docker", "config.json")); err != nil || strings.Contains(string(content), registry) {
		t.Errorf("docker is still logged in: %s, %v", content, err)
	}
}

func TestNeitherTheBranchNorArgumentsAreRun(t *testing.T) {
	t.Parallel()
	w := newWorldWithAWS(t)
	twoAtATime <- struct{}{}
	defer func() { <-twoAtATime }()
	// Git takes this for the name of a branch.
	const branch = `x;touch${IFS}pwned|"$(touch${IFS}pwned)"'&--push=false`
	r := w.start(t.Context(), "build.sh", []string{"--", "--build-arg", "VERSION=$(touch pwned)"}, "BRANCH="+branch, "PROVENANCE=max")
	if r.code != 0 {
		t.Fatalf("%+v", r)
	}
	if got := w.image("v12").Labels["arm64"][branchLabel]; got != branch {
		t.Errorf("the label is %q, want %q", got, branch)
	}
	if r := w.start(t.Context(), "build.sh", []string{"--", "--cache-from", "type=gha"}, "TAG=v13"); r.code != 1 || !strings.Contains(r.stderr, "-cache-from") {
		t.Errorf("the stand-in does not know --cache-from, and should have been given it: %+v", r)
	}
	if r := w.start(t.Context(), "build.sh", []string{"--build-arg", "VERSION=1"}); r.code != 2 || !strings.Contains(r.stderr, "come after --") {
		t.Errorf("%+v", r)
	}
	w.unharmed()
}

func TestWhatECRRefusesIsNotTakenForAbsence(t *testing.T) {
	t.Parallel()
	w := newWorldWithAWS(t)
	w.buildFails(1, []string{"RepositoryNotFoundException", "cannot ask ECR for helium-proxy:v12"}, "REPOSITORY=helium-proxy")
	w.actAs("AKIANOBODY0000000001", "nobody-nobody-nobody-nobody-nobody-nobody")
	w.buildFails(1, []string{"cannot ask ECR for helium-backend:v12 in ap-south-1"})
	if pushed := w.pushes(); pushed != 0 {
		t.Errorf("%d images were pushed", pushed)
	}
}

func TestABuildRefusesWhatItCannotMean(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // with no AWS: nobody is asked
	for _, variable := range []string{"REGISTRY", "REPOSITORY", "TAG", "BRANCH", "REVISION"} {
		w.refused("build.sh", variable)
	}
	for _, variable := range []string{"PLATFORMS", "PROVENANCE", "CONTEXT", "DOCKERFILE"} {
		w.refused("build.sh", variable, "") // they have defaults
	}
	for setting, want := range map[string]string{
		"REGISTRY=docker.io":                  "the host of a registry of ECR",
		"REGISTRY=" + registry + "/x":         "the host of a registry of ECR",
		"REPOSITORY=helium-backend:v1":        "without a registry or a tag",
		"TAG=v1:2":                            "want a tag",
		"TAG=" + strings.Repeat("v", 129):     "want a tag",
		"REVISION=main":                       "the full hash of a commit",
		"REVISION=" + strings.Repeat("A", 40): "the full hash of a commit",
		"BRANCH=a..b":                         "no Git branch can be called",
		"PLATFORMS=windows/amd64":             "platforms such as",
		"PLATFORMS=linux/arm64, linux/amd64":  "platforms such as",
		"PROVENANCE=true":                     "min, max or false",
		"CONTEXT=absent":                      "no directory CONTEXT absent",
		"DOCKERFILE=absent":                   "no DOCKERFILE absent",
	} {
		w.fails(2, []string{want}, "build.sh", setting)
	}
}

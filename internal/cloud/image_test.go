package cloud

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/rollout"
)

// host is the registry of the account in the region.
func (w *world) host() string { return account + ".dkr.ecr." + region + ".amazonaws.com" }

// image pushes an image, into a repository that is made if need be, and returns its digest.
func (w *world) image(repository, tag string, image seed.Image) string {
	w.t.Helper()
	var exists *ecrtypes.RepositoryAlreadyExistsException
	if _, err := w.ecr().CreateRepository(w.t.Context(), &ecr.CreateRepositoryInput{RepositoryName: &repository}); err != nil && !errors.As(err, &exists) {
		w.t.Fatal(err)
	}
	digest, err := seed.Push(w.t.Context(), w.ecr(), repository, tag, image)
	if err != nil {
		w.t.Fatal(err)
	}
	return digest
}

func tagged(tag string) ImageQuery {
	return ImageQuery{Registry: account, Region: region, Repository: "helium-backend", Tag: tag}
}

func TestWhereATagPointsToIsBelievedForAsLongAsIsAskedFor(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		before := w.image("helium-backend", "v1", seed.Image{})
		points := func(since time.Time, wanted string, calls int, when string) {
			t.Helper()
			w.sim.ResetJournal()
			query := tagged("v1")
			query.Since = since
			image, problem := w.fleet.Image(t.Context(), w.id, query)
			noProblem(t, problem)
			if image.Digest != wanted {
				t.Errorf("%s: it is %s, wanted %s", when, image.Digest, wanted)
			}
			if got := w.calls()["DescribeImages"]; got != calls {
				t.Errorf("%s: it was asked %d times, wanted %d", when, got, calls)
			}
		}
		began := time.Now()
		points(began, before, 1, "at first")
		time.Sleep(time.Second)
		points(began, before, 0, "when an answer of a second ago will do")
		after := w.image("helium-backend", "v1", seed.Image{Content: "another"})
		points(began, before, 0, "when the tag has moved since")
		points(time.Now(), after, 1, "when it must be known now")
		points(began, after, 0, "when that is known")
		points(time.Time{}, after, 1, "when nothing is said")
		w.sim.ResetJournal()
		query := tagged("v1")
		query.Since, query.Asker = began, "another"
		_, problem := w.fleet.Image(t.Context(), w.id, query)
		noProblem(t, problem)
		if got := w.calls()["DescribeImages"]; got != 1 {
			t.Errorf("another was told what somebody else had asked: %d calls, wanted one", got)
		}
	})
}

func TestTheArchitecturesOfASingleManifestAreThoseOfItsConfig(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		digest := w.image("helium-backend", "v1", seed.Image{Platforms: []string{"linux/arm64"}})
		for range 2 {
			image, problem := w.fleet.Image(t.Context(), w.id, tagged("v1"))
			noProblem(t, problem)
			if diff := cmp.Diff(Image{Digest: digest, Children: map[string]string{"arm64": digest}}, image); diff != "" {
				t.Errorf("image (-want +got):\n%s", diff)
			}
		}
		want := "AssumeRole 1, BatchGetImage 1, DescribeImages 2, GetCallerIdentity 1, GetDownloadUrlForLayer 1"
		if got := spell(w.calls()); got != want {
			t.Errorf("calls were: %s, wanted the content to be read once: %s", got, want)
		}
	})
}

func TestTheArchitecturesOfAnIndexAreThoseOfItsImagesNotOfItsAttestations(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		digest := w.image("helium-backend", "v1", seed.Image{Platforms: []string{"linux/amd64", "linux/arm64/v8", "windows/amd64"}, Attestation: true})
		image, problem := w.fleet.Image(t.Context(), w.id, ImageQuery{Registry: account, Region: region, Repository: "helium-backend", Digest: digest})
		noProblem(t, problem)
		if len(image.Children) != 2 || image.Children["arm64"] == "" || image.Children["amd64"] == "" || image.Children["arm64"] == digest {
			t.Errorf("image is %+v, wanted children for linux/amd64 and linux/arm64", image)
		}
		if got := w.calls()["GetDownloadUrlForLayer"] + w.calls()["DescribeRepositories"]; got != 0 {
			t.Errorf("%d calls that an index and a digest don't need", got)
		}
		again, problem := w.fleet.Image(t.Context(), w.id, ImageQuery{Registry: account, Region: region, Repository: "helium-backend", Digest: image.Children["arm64"]})
		noProblem(t, problem)
		if diff := cmp.Diff(map[string]string{"arm64": image.Children["arm64"]}, again.Children); diff != "" {
			t.Errorf("the child by itself (-want +got):\n%s", diff)
		}
	})
}

func TestWhatIsWrongWithAnImageIsToldInItsWords(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		digest := w.image("helium-backend", "v1", seed.Image{})
		other := w.image("helium-backend", "v2", seed.Image{})
		ask := func(change func(q *ImageQuery)) *rollout.Problem {
			t.Helper()
			q := tagged("v1")
			change(&q)
			_, problem := w.fleet.Image(t.Context(), w.id, q)
			return problem
		}
		noProblem(t, ask(func(q *ImageQuery) { q.Digest = digest }))
		wantProblem(t, ask(func(q *ImageQuery) { q.Digest = other }), rollout.ProblemRefused, ecsv1alpha1.ReasonImageMismatch, "v1", digest, other)
		wantProblem(t, ask(func(q *ImageQuery) { q.Tag = "v9" }), rollout.ProblemMissing, ecsv1alpha1.ReasonImageNotFound, "helium-backend:v9", region)
		wantProblem(t, ask(func(q *ImageQuery) { q.Tag, q.Digest = "", "sha256:"+strings.Repeat("0", 64) }), rollout.ProblemMissing, ecsv1alpha1.ReasonImageNotFound)
		wantProblem(t, ask(func(q *ImageQuery) { q.Repository = "helium-bakend" }), rollout.ProblemMissing, ecsv1alpha1.ReasonRepositoryNotFound, "helium-bakend", account)
		wantProblem(t, ask(func(q *ImageQuery) { q.Region = "us-east-1" }), rollout.ProblemMissing, ecsv1alpha1.ReasonRepositoryNotFound, "us-east-1")

		if _, err := w.ecr().UpdateImageStorageClass(t.Context(), &ecr.UpdateImageStorageClassInput{
			RepositoryName: aws.String("helium-backend"), ImageId: &ecrtypes.ImageIdentifier{ImageDigest: &other}, TargetStorageClass: ecrtypes.TargetStorageClassArchive,
		}); err != nil {
			t.Fatal(err)
		}
		wantProblem(t, ask(func(q *ImageQuery) { q.Tag = "v2" }), rollout.ProblemMissing, ecsv1alpha1.ReasonImageNotFound, "ARCHIVED")

		time.Sleep(time.Minute) // our share of the quota fills again
		w.id = w.role("half", []json.RawMessage{policy("Allow", "ecr:DescribeImages", "*")})
		wantProblem(t, ask(func(*ImageQuery) {}), rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "the role half lacks ecr:BatchGetImage")
		w.id = w.role("none", []json.RawMessage{policy("Allow", "ecs:*", "*")})
		wantProblem(t, ask(func(*ImageQuery) {}), rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "the role none lacks ecr:DescribeImages")
	})
}

// Releases of one image that are bumped at once ask for it together. None is told what was so before it asked:
// the image that it names may have been pushed just then.
func TestManyWhoAskForAnImageAtOnceAskTogether(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		before := w.image("helium-backend", "v1", seed.Image{})
		_, problem := w.fleet.Image(t.Context(), w.id, tagged("v1")) // its manifest is known
		noProblem(t, problem)
		w.sim.ResetJournal()
		w.sim.SetLatency(awssim.Latency{Read: 5 * time.Second})
		var all sync.WaitGroup
		ask := func(wanted string) {
			all.Go(func() {
				query := tagged("v1")
				query.Since, query.Asker = time.Now().Add(-10*time.Second), rand.Text()
				image, problem := w.fleet.Image(t.Context(), w.id, query)
				noProblem(t, problem)
				if image.Digest != wanted {
					t.Errorf("it is %s, wanted %s", image.Digest, wanted)
				}
			})
		}
		ask(before)
		time.Sleep(3 * time.Second) // the call has been carried out, and its answer is on the way
		w.sim.SetLatency(awssim.Latency{})
		w.fault(awssim.Fault{Operation: "DescribeImages", Latency: time.Second}) // time enough for all to join
		after := w.image("helium-backend", "v1", seed.Image{Content: "another"})
		for range 30 {
			ask(after)
		}
		synctest.Wait()
		if got := w.calls()["DescribeImages"]; got != 1 {
			t.Fatalf("it was asked %d times, wanted all others to wait for the first answer", got)
		}
		all.Wait()
		if got := w.calls()["DescribeImages"]; got != 2 {
			t.Errorf("it was asked %d times, wanted twice", got)
		}
	})
}

func TestImmutabilityIsAskedOnceInAWhileAndADenialOfItIsNoObstacle(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.image("helium-backend", "v1", seed.Image{})
		if _, err := w.ecr().PutImageTagMutability(t.Context(), &ecr.PutImageTagMutabilityInput{
			RepositoryName: aws.String("helium-backend"), ImageTagMutability: ecrtypes.ImageTagMutabilityImmutable,
		}); err != nil {
			t.Fatal(err)
		}
		query := tagged("v1")
		query.Mutability = true
		for range 3 {
			image, problem := w.fleet.Image(t.Context(), w.id, query)
			noProblem(t, problem)
			if !image.Immutable {
				t.Error("the tag is said to be able to move")
			}
		}
		if got := w.calls()["DescribeRepositories"]; got != 1 {
			t.Errorf("the repository was described %d times, wanted once", got)
		}
		time.Sleep(time.Hour)
		if _, problem := w.fleet.Image(t.Context(), w.id, query); problem != nil {
			t.Fatal(problem)
		}
		if got := w.calls()["DescribeRepositories"]; got != 2 {
			t.Errorf("an hour later the repository was described %d times, wanted twice", got)
		}
		w.id = w.role("images", []json.RawMessage{policy("Allow", "ecr:*Image*", "*"), policy("Allow", "ecr:Get*", "*")})
		image, problem := w.fleet.Image(t.Context(), w.id, query)
		noProblem(t, problem)
		if image.Immutable {
			t.Error("the tag is said to be fixed by somebody who may not know")
		}
	})
}

func TestExclusionsTurnImmutabilityRound(t *testing.T) {
	for _, c := range []struct {
		m    mutability
		tag  string
		want bool
	}{
		{mutability{}, "v1", false},
		{mutability{immutable: true}, "v1", true},
		{mutability{immutable: true, except: []string{"dev-*"}}, "dev-1", false},
		{mutability{immutable: true, except: []string{"dev-*"}}, "v1-dev-1", true},
		{mutability{except: []string{"v*"}}, "v1", true},
		{mutability{except: []string{"v1.0"}}, "v1x0", false},
	} {
		if got := c.m.fixes(c.tag); got != c.want {
			t.Errorf("%+v fixes %s: %v, wanted %v", c.m, c.tag, got, c.want)
		}
	}
}

// layers is an HTTP client that answers for the layer store instead of passing on.
type layers struct {
	next interface {
		Do(*http.Request) (*http.Response, error)
	}
	status int // 0: nobody is there
	body   string
}

func (l layers) Do(r *http.Request) (*http.Response, error) {
	switch {
	case r.Method != http.MethodGet:
		return l.next.Do(r)
	case l.status == 0:
		return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New("refused")}
	}
	body := readCloser{Reader: strings.NewReader(l.body), Closer: http.NoBody}
	return &http.Response{StatusCode: l.status, Header: http.Header{"Location": {"http://169.254.169.254/"}}, Body: body, Request: r}, nil
}

func TestALayerThatDoesNotComeAsPromisedIsNoAnswerAndItsURLStaysSecret(t *testing.T) {
	for name, c := range map[string]struct {
		layers layers
		says   string
	}{
		"other content": {layers{status: 200, body: `{"architecture":"arm64","os":"linux"}`}, "what came is not sha256:"},
		"a redirect":    {layers{status: 307}, "status 307"},
		"a refusal":     {layers{status: 403, body: "expired"}, "status 403"},
		"a flood":       {layers{status: 200, body: strings.Repeat(" ", maxConfig+1)}, "larger than"},
		"no connection": {layers{}, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.image("helium-backend", "v1", seed.Image{})
				s := w.fleet.session(w.id, region)
				c.layers.next = s.http
				s.http = c.layers
				_, problem := w.fleet.Image(t.Context(), w.id, tagged("v1"))
				wantProblem(t, problem, rollout.ProblemTransient, ecsv1alpha1.ReasonImageUnknown, c.says)
				if strings.Contains(problem.Message, "X-Amz") || strings.Contains(problem.Message, "?") {
					t.Errorf("message shows a signed URL: %s", problem.Message)
				}
			})
		})
	}
}

type redirecting struct{}

func (redirecting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "layers.example" {
		return nil, errors.New("followed to " + r.URL.Host)
	}
	return &http.Response{StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {"http://169.254.169.254/"}}, Body: http.NoBody, Request: r}, nil
}

func TestARedirectOfTheLayerStoreIsNotFollowed(t *testing.T) {
	client := withoutRedirects(&http.Client{Transport: redirecting{}})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://layers.example/x", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("status is %d, wanted the redirect itself", response.StatusCode)
	}
}

func TestTheLabelsOfAnImageAreThoseOfEachPlatformThatIsAskedFor(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.image("helium-backend", "v1", seed.Image{
			Platforms: []string{"linux/amd64", "linux/arm64/v8", "linux/riscv64", "windows/amd64"}, Attestation: true,
			Labels: map[string]string{"git.branch": "migrated-demo2", "secret": "not asked for", "long": strings.Repeat("ä", 600)},
			PlatformLabels: map[string]map[string]string{
				"linux/amd64":   {"git.branch": "kartik-stg"},
				"linux/riscv64": {},
			},
		})
		arm64 := map[string]string{"git.branch": "migrated-demo2", "long": strings.Repeat("ä", 510) + "…"}
		ask := func(want map[string]map[string]string, architectures ...string) {
			t.Helper()
			query := tagged("v1")
			query.Labels, query.Architectures = []string{"git.branch", "long", "team", "long"}, architectures
			image, problem := w.fleet.Image(t.Context(), w.id, query)
			noProblem(t, problem)
			if diff := cmp.Diff(want, image.Labels); diff != "" {
				t.Errorf("labels for %v (-want +got):\n%s", architectures, diff)
			}
		}
		ask(map[string]map[string]string{"arm64": arm64}, "arm64", "s390x")
		if calls := w.calls(); calls["GetDownloadUrlForLayer"] != 1 || calls["BatchGetImage"] != 2 {
			t.Errorf("calls were: %s, wanted one config to be read", spell(calls))
		}
		ask(map[string]map[string]string{}, "s390x")
		for range 3 {
			ask(map[string]map[string]string{"amd64": {"git.branch": "kartik-stg"}, "arm64": arm64, "riscv64": {}})
		}
		if calls := w.calls(); calls["GetDownloadUrlForLayer"] != 3 || calls["BatchGetImage"] != 4 {
			t.Errorf("calls were: %s, wanted the three images for Linux to be read, once each", spell(calls))
		}
	})
}

func TestWhatLabelsAnImageHasIsReadOnceWhateverIsAsked(t *testing.T) {
	for name, image := range map[string]seed.Image{
		"an index":                {Labels: map[string]string{"git.branch": "main"}, Attestation: true},
		"a single manifest":       {Labels: map[string]string{"git.branch": "main"}},
		"a config without labels": {},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.image("helium-backend", "v1", image)
				for _, asked := range []string{"", "git.branch", "team", "git.branch"} {
					query := tagged("v1")
					want := map[string]map[string]string(nil)
					if asked != "" {
						query.Labels, want = []string{asked}, map[string]map[string]string{"arm64": {}}
					}
					if value, ok := image.Labels[asked]; ok {
						want["arm64"][asked] = value
					}
					found, problem := w.fleet.Image(t.Context(), w.id, query)
					noProblem(t, problem)
					if diff := cmp.Diff(want, found.Labels); diff != "" {
						t.Errorf("labels %q (-want +got):\n%s", asked, diff)
					}
				}
				if calls := w.calls(); calls["GetDownloadUrlForLayer"] != 1 {
					t.Errorf("calls were: %s, wanted the config to be read once", spell(calls))
				}
			})
		})
	}
}

func TestLabelsAreReadOfSoManyArchitecturesUnlessOnesAreNamed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		image := seed.Image{Labels: map[string]string{"git.branch": "main"}}
		for i := range maxInspected + 2 {
			image.Platforms = append(image.Platforms, fmt.Sprintf("linux/cpu%02d", i))
		}
		w.image("helium-backend", "v1", image)
		query := tagged("v1")
		query.Labels = []string{"git.branch"}
		found, problem := w.fleet.Image(t.Context(), w.id, query)
		noProblem(t, problem)
		if len(found.Children) != maxInspected+2 || len(found.Labels) != maxInspected {
			t.Errorf("of %d architectures labels of %d were read, wanted %d", len(found.Children), len(found.Labels), maxInspected)
		}
		query.Architectures = []string{"cpu09"}
		found, problem = w.fleet.Image(t.Context(), w.id, query)
		noProblem(t, problem)
		if diff := cmp.Diff(map[string]map[string]string{"cpu09": {"git.branch": "main"}}, found.Labels); diff != "" {
			t.Errorf("labels of the last one (-want +got):\n%s", diff)
		}
	})
}

func TestAConfigThatIsTooLargeForItsLabelsIsNotFetched(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.image("helium-backend", "v1", seed.Image{Index: true, Labels: map[string]string{"git.branch": strings.Repeat("x", maxConfig)}})
		query := tagged("v1")
		noProblem(t, second(w.fleet.Image(t.Context(), w.id, query)))
		query.Labels = []string{"git.branch"}
		wantProblem(t, second(w.fleet.Image(t.Context(), w.id, query)), rollout.ProblemRefused, ecsv1alpha1.ReasonInvalidImage, "helium-backend:v1", "larger than")
		if got := w.calls()["GetDownloadUrlForLayer"]; got != 0 {
			t.Errorf("it was fetched %d times", got)
		}
	})
}

func TestAConfigThatIsLargerThanItsManifestSaysIsNoAnswerForLabels(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.image("helium-backend", "v1", seed.Image{Index: true, Labels: map[string]string{"git.branch": "main"}})
		s := w.fleet.session(w.id, region)
		s.http = layers{next: s.http, status: 200, body: strings.Repeat(" ", maxConfig+1)}
		query := tagged("v1")
		query.Labels = []string{"git.branch"}
		wantProblem(t, second(w.fleet.Image(t.Context(), w.id, query)), rollout.ProblemTransient, ecsv1alpha1.ReasonImageUnknown, "larger than")
	})
}

func second(_ Image, problem *rollout.Problem) *rollout.Problem { return problem }

func TestLabelsThatMayNotBeReadAreADenial(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.image("helium-backend", "v1", seed.Image{Platforms: []string{"linux/arm64"}, Attestation: true, Labels: map[string]string{"git.branch": "main"}})
		w.id = w.role("blind", []json.RawMessage{policy("Allow", "*", "*"), policy("Deny", "ecr:GetDownloadUrlForLayer", "*")})
		query := tagged("v1")
		query.Labels, query.Architectures = []string{"git.branch"}, []string{"arm64"}
		_, problem := w.fleet.Image(t.Context(), w.id, query)
		wantProblem(t, problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "ecr:GetDownloadUrlForLayer")
	})
}

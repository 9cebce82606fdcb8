package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim/seed"
)

func TestAServiceThatRunsTheDigestAlreadyIsAdopted(t *testing.T) {
	cases := []struct {
		name string
		// serve creates the service, given the digest of v1, and says what is released.
		serve  func(w *world, digest string) (image string)
		reason string
	}{{
		name: "by the tag, whose digest the service revision tells",
		serve: func(w *world, _ string) string {
			w.serve(desired("backend"))
			return "helium-backend:v1"
		},
	}, {
		name: "by the digest in the task definition",
		serve: func(w *world, digest string) string {
			w.serve(seed.Service{Name: "backend", Desired: 1, Image: w.image(home, "@"+digest)})
			return "helium-backend:v1"
		},
	}, {
		name: "by the digest of a child of the index",
		serve: func(w *world, digest string) string {
			w.serve(seed.Service{Name: "backend", Desired: 1, Image: w.image(home, "@"+w.child(digest))})
			return "helium-backend:v1"
		},
	}, {
		name: "released by digest, running by tag",
		serve: func(w *world, digest string) string {
			w.serve(desired("backend"))
			return "helium-backend@" + digest
		},
	}, {
		name: "released by tag and digest",
		serve: func(w *world, digest string) string {
			w.serve(desired("backend"))
			return "helium-backend:v1@" + digest
		},
	}, {
		name: "by its running tasks, where the service revision tells no digests",
		serve: func(w *world, _ string) string {
			w.serve(desired("backend"))
			inconsistent := w.register(home, cluster, "backend", func(in *ecs.RegisterTaskDefinitionInput) {
				in.ContainerDefinitions[0].VersionConsistency = "disabled"
			})
			w.update(home, &ecs.UpdateServiceInput{TaskDefinition: &inconsistent})
			w.arrives(home, cluster, "backend", inconsistent)
			return "helium-backend:v1"
		},
	}, {
		name: "without tasks, by a tag that cannot move",
		serve: func(w *world, _ string) string {
			w.serve(seed.Service{Name: "backend", Desired: 0})
			return "helium-backend:v1"
		},
		reason: ecsv1alpha1.ReasonScaledToZero,
	}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			digest := w.push("v1")
			release := w.apply(c.serve(w, digest))
			r := w.ready(release)
			w.changed(0, 0)
			s := service(r, "mumbai/backend")
			w.check(s.State == ecsv1alpha1.ServiceInSync && s.Source == ecsv1alpha1.SourceAdopted, "the service is %s, source %q: %s", s.State, s.Source, s.Message)
			w.check(r.Status.Images[0].Digest == digest, "the digest is %s, wanted that of the index %s", r.Status.Images[0].Digest, digest)
			w.check(r.Status.History[0].Outcome == ecsv1alpha1.OutcomeAdopted, "the outcome is %s", r.Status.History[0].Outcome)
			if c.reason != "" {
				w.check(condition(r, "Ready").Reason == c.reason, "Ready says %s", condition(r, "Ready").Reason)
				w.check(s.Proven == nil, "a service without tasks proved %+v", s.Proven)
				return
			}
			w.check(s.Proven != nil && s.Proven.Revision == s.Revision && s.Proven.Source == ecsv1alpha1.SourceAdopted, "proven is %+v", s.Proven)
		})
	}
}

func TestWhatASteadyServiceRanBeforeTheFirstReleaseIsProven(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	before := w.serve(desired("backend"))
	release := w.apply("helium-backend:v9")
	r := w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonImageNotFound)
	proven := service(r, "mumbai/backend").Proven
	if proven == nil || proven.Revision != before || proven.Source != ecsv1alpha1.SourceAdopted {
		t.Errorf("proven is %+v, wanted %s Adopted", proven, before)
	}
}

func TestATagThatMovesAfterItWasResolvedDeploysNothing(t *testing.T) {
	w := newWorld(t)
	w.makeRepository(home, repository, ecrtypes.ImageTagMutabilityMutable)
	w.push("v1")
	w.serve(desired("backend"))
	digest := w.pushImage(repository, "latest", seed.Image{Content: "one"})
	release := w.apply("helium-backend:latest")
	w.ready(release)
	w.changed(1, 1)
	w.pushImage(repository, "latest", seed.Image{Content: "another"})
	r := w.poke(release, "look")
	w.event("Warning TagMoved: the tag of helium-backend:latest has moved to sha256:")
	w.sweeps(3)
	w.changed(1, 1)
	w.check(r.Status.Images[0].Digest == digest, "the digest is %s now, it was %s", r.Status.Images[0].Digest, digest)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
}

func TestAnImageOfASingleManifestIsUnderstood(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	digest := w.pushImage(repository, "single", seed.Image{Platforms: []string{"linux/arm64"}})
	w.ready(w.apply("helium-backend:single"))
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	if len(w.calls("GetDownloadUrlForLayer")) != 1 {
		t.Errorf("the image's config was read %d times, wanted once", len(w.calls("GetDownloadUrlForLayer")))
	}
}

func TestPinTagWritesTheTag(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.push("v2")
	w.serve(desired("backend"))
	release := w.apply("helium-backend:v2", func(r *ecsv1alpha1.EcsRelease) {
		r.Spec.TaskDefinition = &ecsv1alpha1.TaskDefinitionPolicy{Pin: ecsv1alpha1.PinTag}
	})
	w.ready(release)
	w.changed(1, 1)
	w.runs(home, cluster, "backend", w.image(home, ":v2"))
}

func TestSeveralImagesAreReleasedTogether(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(seed.Service{Name: "backend", Desired: 1, Sidecars: map[string]string{"proxy": w.image(home, ":v1")}})
	backend, proxy := w.push("v2"), w.push("v3")
	release := w.apply("", func(r *ecsv1alpha1.EcsRelease) {
		r.Spec.Containers = []ecsv1alpha1.ContainerImage{{Name: "backend", Image: "helium-backend:v2"}, {Name: "proxy", Image: "helium-backend:v3"}}
	})
	r := w.ready(release)
	w.changed(1, 1)
	definition := w.runs(home, cluster, "backend", w.image(home, "@"+backend))
	if got := aws.ToString(definition.TaskDefinition.ContainerDefinitions[1].Image); got != w.image(home, "@"+proxy) {
		t.Errorf("the sidecar runs %s, wanted %s", got, proxy)
	}
	w.check(r.Status.Image == "helium-backend:v2,helium-backend:v3", "status.image is %s", r.Status.Image)
}

// child is the digest of the only platform's manifest in an index.
func (w *world) child(index string) string {
	w.t.Helper()
	out, err := w.ecr(home).BatchGetImage(w.t.Context(), &ecr.BatchGetImageInput{
		RepositoryName: aws.String(repository), ImageIds: []ecrtypes.ImageIdentifier{{ImageDigest: &index}},
	})
	w.must(err)
	manifest := aws.ToString(out.Images[0].ImageManifest)
	at := strings.Index(manifest, "sha256:")
	digest := manifest[at : at+len("sha256:")+64]
	if digest == index {
		w.t.Fatal(fmt.Errorf("%s is no index", index))
	}
	return digest
}

func TestAnImageElsewhereIsReleasedByItsDigest(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	image := "ghcr.io/heliumai/backend@sha256:" + strings.Repeat("ab", 32)
	w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Images = &ecsv1alpha1.ImagePolicy{Repositories: []string{repository, "ghcr.io/heliumai/*"}}
	})
	release := w.apply(image, func(r *ecsv1alpha1.EcsRelease) {
		r.Spec.Services = []ecsv1alpha1.Service{{Name: "backend", ContainerNames: []string{"backend"}}}
	})
	r := w.ready(release)
	w.changed(1, 1)
	w.runs(home, cluster, "backend", image)
	w.check(condition(r, ecsv1alpha1.ConditionImageAvailable).Status == "Unknown", "ImageAvailable is %+v, although nobody can look there", condition(r, ecsv1alpha1.ConditionImageAvailable))
	w.check(!slices.Contains(w.changes(), "PutImage"), "an image was written")
}

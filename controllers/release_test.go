package controllers_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim/seed"
)

func TestAReleaseGoesFromOneImageToTheNextInEveryTarget(t *testing.T) {
	w := newWorld(t)
	w.push("v1", home, abroad)
	for _, name := range []string{"backend", "worker"} {
		w.serve(desired(name))
		w.serveIn(abroad, "helium-singapore-cluster", desired(name))
	}
	release := w.apply("helium-backend:v1", running("backend", "worker"), inBoth)
	adopted := w.ready(release)
	w.changed(0, 0)
	if got := adopted.Status.History; len(got) != 1 || got[0].Outcome != ecsv1alpha1.OutcomeAdopted {
		t.Errorf("history after the first look: %+v, wanted one Adopted", got)
	}

	digest := w.push("v2", home, abroad)
	w.bump(release, "helium-backend:v2")
	r := w.ready(release)
	w.changed(4, 4)
	for _, name := range []string{"backend", "worker"} {
		w.runs(home, cluster, name, w.image(home, "@"+digest))
		w.runs(abroad, "helium-singapore-cluster", name, w.image(abroad, "@"+digest))
	}
	if diff := cmp.Diff([]ecsv1alpha1.ResolvedImage{{Image: "helium-backend:v2", Digest: digest}}, r.Status.Images); diff != "" {
		t.Errorf("status.images (-want +got):\n%s", diff)
	}
	w.check(r.Status.Progress == "4/4 services", "progress is %q", r.Status.Progress)
	w.check(r.Status.Image == "helium-backend:v2", "status.image is %q", r.Status.Image)
	for _, name := range []string{"mumbai/backend", "mumbai/worker", "singapore/backend", "singapore/worker"} {
		s := service(r, name)
		w.check(s.State == ecsv1alpha1.ServiceInSync && s.Source == ecsv1alpha1.SourceReleased && s.Intent == nil, "%s is %+v", name, s)
		w.check(s.Proven != nil && s.Proven.Revision == s.Registered && s.Proven.Source == ecsv1alpha1.SourceReleased, "%s has proven %+v, registered %s", name, s.Proven, s.Registered)
		w.check(strings.HasSuffix(s.Registered, ":2"), "%s: registered is %s", name, s.Registered)
		w.check(s.Deployment != nil && s.Deployment.Outcome == ecsv1alpha1.DeploymentSucceeded, "%s: deployment is %+v", name, s.Deployment)
		w.event("Normal Deploying: service " + name)
		w.event("Normal ServiceInSync: service " + name)
	}
	w.event("Normal Registered: registered helium-backend:2 from helium-backend:1")
	w.event("Normal Released: 4/4 services run helium-backend:v2")

	history := r.Status.History
	if len(history) != 2 || history[0].Number != 2 || history[0].Outcome != ecsv1alpha1.OutcomeReleased || history[1].Number != 1 || history[1].Outcome != ecsv1alpha1.OutcomeAdopted {
		t.Fatalf("history is %+v, wanted number 2 Released before number 1 Adopted", history)
	}
	w.check(slices.Equal(history[0].Revisions, []string{"helium-backend:2", "helium-worker:2"}), "history has the revisions %v", history[0].Revisions)
	w.check(history[0].Images[0].Digest == digest && history[0].Finished != nil, "history has %+v", history[0])
	for _, kind := range []string{ecsv1alpha1.ConditionReady, ecsv1alpha1.ConditionDeployed, ecsv1alpha1.ConditionImageAvailable} {
		w.check(condition(r, kind).Status == "True", "%s is %+v", kind, condition(r, kind))
	}
	w.check(len(r.Status.Conditions) == 3, "a Ready release has %d conditions", len(r.Status.Conditions))
}

func TestServicesThatShareAFamilyShareARevision(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	w.serveLike("backend", "canary")
	digest := w.push("v2")
	release := w.apply("helium-backend:v2", running("backend", "canary"))
	w.ready(release)
	w.changed(1, 2)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	w.runs(home, cluster, "canary", w.image(home, "@"+digest))
}

func TestAReleaseThatGoesBackReusesTheRevisionItRegistered(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.push("v2")
	w.push("v3")
	w.serve(desired("backend"))
	release := w.apply("helium-backend:v2")
	w.ready(release)
	w.bump(release, "helium-backend:v3")
	w.ready(release)
	w.bump(release, "helium-backend:v2")
	r := w.ready(release)
	w.changed(2, 3)
	if got := service(r, "mumbai/backend").Revision; got != "helium-backend:2" {
		t.Errorf("the service runs %s, wanted helium-backend:2 again", got)
	}
}

func TestATaskDefinitionIsKeptButForTheImageAndOurTags(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	before := w.serve(seed.Service{Name: "backend", Desired: 1, Sidecars: map[string]string{"envoy": "public.ecr.aws/appmesh/envoy:v1"}})
	digest := w.push("v2")
	w.ready(w.apply("helium-backend:v2"))
	after := w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	was, is := w.definition(home, before).TaskDefinition, after.TaskDefinition
	was.ContainerDefinitions[0].Image = is.ContainerDefinitions[0].Image
	was.TaskDefinitionArn, was.Revision, was.RegisteredAt, was.RegisteredBy = is.TaskDefinitionArn, is.Revision, is.RegisteredAt, is.RegisteredBy
	if diff := cmp.Diff(document(t, was), document(t, is)); diff != "" {
		t.Errorf("the task definition changed (-before +after):\n%s", diff)
	}
	w.check(len(after.Tags) == 2, "the revision has the tags %+v, wanted ours alone", after.Tags)
}

// document is a value as JSON that people can compare.
func document(t *testing.T, value any) string {
	t.Helper()
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

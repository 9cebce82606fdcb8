package controllers_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/config/argocd"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/rollout"
)

// captured is where the releases are kept that Argo CD's customizations are tested with.
const captured = "../config/argocd/resource_customizations/" + argocd.Kind + "/testdata"

var capture = flag.Bool("capture", false, "write the releases that Argo CD's customizations are tested with")

// portraits are releases as the API server has them, each in a state that Argo CD shows; what
// comes back is the release in that state.
var portraits = map[string]struct {
	health rollout.Health
	sit    func(t *testing.T) (*world, key)
}{
	"new": {rollout.Progressing, func(t *testing.T) (*world, key) {
		w := newWorld(t)
		w.managedBy = "nobody"
		release := w.apply("helium-backend:v1")
		w.await(release, "the status that no controller wrote", func(r *ecsv1alpha1.EcsRelease) error {
			if r.Status.ObservedGeneration != -1 {
				return fmt.Errorf("observedGeneration is %d", r.Status.ObservedGeneration)
			}
			return nil
		})
		return w, release
	}},
	"outdated": {rollout.Progressing, func(t *testing.T) (*world, key) {
		w, release := settled(t)
		w.manager.stop()
		w.bump(release, "helium-backend:v3")
		return w, release
	}},
	"progressing": {rollout.Progressing, func(t *testing.T) (*world, key) {
		w, release := settled(t)
		w.crawls("v3")
		w.bump(release, "helium-backend:v3")
		w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonProgressing, "0/2 tasks run")
		return w, release
	}},
	"baking": {rollout.Progressing, func(t *testing.T) (*world, key) {
		w, release := twoWaves(t, ecsv1alpha1.Strategy{BakeSeconds: 86400})
		w.push("v2", home, abroad)
		w.bump(release, "helium-backend:v2")
		w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonBaking)
		return w, release
	}},
	"image_not_found": {rollout.Progressing, func(t *testing.T) (*world, key) {
		w, release := settled(t)
		w.bump(release, "helium-backend:v3")
		w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonImageNotFound)
		return w, release
	}},
	"outside_window": {rollout.Progressing, func(t *testing.T) (*world, key) {
		w, release := settled(t)
		w.push("v3")
		w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Windows = []ecsv1alpha1.Window{{Effect: ecsv1alpha1.WindowDeny, Schedule: "0 0 * * *", DurationSeconds: 2 * 86400, TimeZone: "Asia/Kolkata"}}
		})
		w.bump(release, "helium-backend:v3")
		w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonOutsideWindow)
		return w, release
	}},
	"rolling_back": {rollout.Progressing, func(t *testing.T) (*world, key) {
		w := newWorld(t)
		w.alone()
		w.push("v1")
		w.serve(desired("backend"))
		w.leavesNothing("backend")
		w.behave(awssim.ImageBehavior{Kind: awssim.ImageSlowStart, Image: "*:v1", Seconds: 360_000})
		w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: "*" + w.push("v2"), ExitCode: 3})
		release := w.apply("helium-backend:v2")
		w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonRollingBack)
		return w, release
	}},
	"awaiting_approval": {rollout.Suspended, func(t *testing.T) (*world, key) {
		w, release := twoWaves(t, ecsv1alpha1.Strategy{Approval: ecsv1alpha1.ApprovalEveryWave})
		w.push("v2", home, abroad)
		w.bump(release, "helium-backend:v2")
		w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonAwaitingApproval)
		return w, release
	}},
	"awaiting_action": {rollout.Suspended, func(t *testing.T) (*world, key) {
		w, release := blueGreen(t)
		w.push("v2")
		w.bump(release, "helium-backend:v2")
		w.paused(release)
		w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonAwaitingAction)
		return w, release
	}},
	"held": {rollout.Suspended, func(t *testing.T) (*world, key) {
		w, release := settled(t)
		w.order(release, ecsv1alpha1.AnnotationHold, "2026-11-23T04:50:38Z/previous")
		w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonHeld, "1/1 services run helium-backend:v1")
		return w, release
	}},
	"suspended": {rollout.Suspended, func(t *testing.T) (*world, key) {
		w, release := settled(t)
		w.push("v3")
		w.change(release, func(r *ecsv1alpha1.EcsRelease) {
			r.Spec.Suspend, r.Spec.Image = true, "helium-backend:v3"
			// An empty object: Lua cannot tell it from an empty list.
			r.Spec.Verification = []ecsv1alpha1.Verification{{TargetHealth: &ecsv1alpha1.TargetHealthCheck{}}}
		})
		w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonSuspended)
		return w, release
	}},
	"healthy_suspended": {rollout.Healthy, func(t *testing.T) (*world, key) {
		w, release := settled(t)
		w.change(release, func(r *ecsv1alpha1.EcsRelease) { r.Spec.Suspend = true })
		w.ready(release)
		return w, release
	}},
	"healthy": {rollout.Healthy, settled},
	"healthy_adopted": {rollout.Healthy, func(t *testing.T) (*world, key) {
		w := newWorld(t)
		w.push("v1")
		w.serve(desired("backend"))
		release := w.apply("helium-backend:v1")
		w.ready(release)
		return w, release
	}},
	"failed": {rollout.Degraded, func(t *testing.T) (*world, key) {
		w, release := settled(t)
		w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: "*" + w.push("v3"), ExitCode: 3, AfterSeconds: 1})
		w.bump(release, "helium-backend:v3")
		w.stalled(release, ecsv1alpha1.ReasonContainerExited)
		return w, release
	}},
	"image_missing": {rollout.Degraded, func(t *testing.T) (*world, key) {
		w, release := settled(t)
		none := int32(0)
		w.change(release, func(r *ecsv1alpha1.EcsRelease) {
			r.Spec.Image = "helium-backend:v3"
			r.Spec.Strategy = &ecsv1alpha1.Strategy{ImageDeadlineSeconds: &none}
		})
		w.stalled(release, ecsv1alpha1.ReasonImageMissing)
		return w, release
	}},
	"not_permitted": {rollout.Degraded, func(t *testing.T) (*world, key) {
		w := newWorld(t)
		release := w.apply("helium-backend:v1", func(r *ecsv1alpha1.EcsRelease) { r.Spec.Targets[0].Cluster = "neptune" })
		w.stalled(release, ecsv1alpha1.ReasonNotPermitted)
		return w, release
	}},
}

// settled is a world with a release that went from v1, adopted, to v2, with a manager of its own.
func settled(t *testing.T) (*world, key) {
	t.Helper()
	w := newWorld(t)
	w.alone()
	w.push("v1")
	w.push("v2")
	w.serve(desired("backend"))
	release := w.apply("helium-backend:v1", func(r *ecsv1alpha1.EcsRelease) {
		r.Annotations = map[string]string{ecsv1alpha1.AnnotationChangeCause: "CHG-4711: new pricing"}
	})
	w.ready(release)
	w.bump(release, "helium-backend:v2")
	w.ready(release)
	return w, release
}

// crawls pushes an image whose tasks take for ever to start.
func (w *world) crawls(tag string) {
	w.t.Helper()
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageSlowStart, Image: "*" + w.push(tag), Seconds: 360_000})
}

// Argo CD's customizations are tested with releases that were captured here, from a real API
// server. What a release is like now must be like what was captured.
func TestTheReleasesThatArgoCDIsTestedWithAreLikeThis(t *testing.T) {
	t.Parallel()
	for name, portrait := range portraits {
		t.Run(name, func(t *testing.T) {
			w, release := portrait.sit(t)
			object := w.portrayed(release)
			shown, err := argocd.HealthOf(object)
			w.must(err)
			if shown.Status != string(portrait.health) {
				t.Errorf("Argo CD shows it as %s (%s), wanted %s", shown.Status, shown.Message, portrait.health)
			}
			path := filepath.Join(captured, name+".yaml")
			if *capture {
				written, err := yaml.Marshal(object)
				w.must(err)
				w.must(os.WriteFile(path, written, 0o600))
				return
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v: go test ./controllers -run %s -capture makes it", err, strings.ReplaceAll(t.Name(), " ", "_"))
			}
			kept := map[string]any{}
			w.must(yaml.Unmarshal(content, &kept))
			if diff := cmp.Diff(w.features(kept), w.features(object)); diff != "" {
				t.Errorf("the release is not like %s any more, capture it anew with -capture (-captured +now):\n%s", path, diff)
			}
		})
	}
}

// portrayed is a release as kubectl get -o yaml shows it, as one of a user's.
func (w *world) portrayed(name key) map[string]any {
	w.t.Helper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(ecsv1alpha1.GroupVersion.WithKind("EcsRelease"))
	w.must(w.client.Get(w.t.Context(), name, object))
	object.SetManagedFields(nil)
	object.SetLabels(nil) // which manager of the suite it belongs to
	text, err := yaml.Marshal(object.Object)
	w.must(err)
	said := strings.NewReplacer(w.namespace, "production", w.account, "111122223333").Replace(string(text))
	portrait := map[string]any{}
	w.must(yaml.Unmarshal([]byte(said), &portrait))
	return portrait
}

// features are what the scripts go by, without times, tokens and texts.
func (w *world) features(object map[string]any) []string {
	w.t.Helper()
	var release ecsv1alpha1.EcsRelease
	w.must(runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, &release, true))
	status := release.Status
	features := []string{
		fmt.Sprintf("seen: %t", status.ObservedGeneration == release.Generation), fmt.Sprintf("phase: %s", rollout.PhaseOf(&release)),
		fmt.Sprintf("suspend: %t", release.Spec.Suspend), fmt.Sprintf("hold: %t", status.Hold != nil), fmt.Sprintf("awaiting: %d", len(status.Awaiting)),
	}
	for _, c := range status.Conditions {
		if c.Type == ecsv1alpha1.ConditionReady || c.Type == ecsv1alpha1.ConditionReconciling || c.Type == ecsv1alpha1.ConditionStalled || c.Type == ecsv1alpha1.ConditionHeld {
			features = append(features, fmt.Sprintf("%s: %s %s", c.Type, c.Status, c.Reason))
		}
	}
	for _, entry := range status.History {
		features = append(features, fmt.Sprintf("history %d: %s", entry.Number, entry.Outcome))
	}
	if status.Failure != nil {
		features = append(features, "failure: "+string(status.Failure.Class))
	}
	return features
}

// Whoever waits for an application to become healthy gives up when it is Degraded once.
func TestARolloutThatGoesWellIsNeverDegraded(t *testing.T) {
	w, release := twoWaves(t, ecsv1alpha1.Strategy{BakeSeconds: 1})
	w.push("v2", home, abroad)
	begun := w.witness.healths(w.namespace)
	w.bump(release, "helium-backend:v2")
	w.ready(release)
	// The witness sees it by a watch of its own.
	w.eventually("Argo CD to show it as Progressing, then as Healthy, and as nothing else", func() error {
		shown := slices.Compact(w.witness.healths(w.namespace)[len(begun):])
		if len(shown) > 0 && shown[0] == "Healthy" {
			shown = shown[1:] // what it was before, seen late
		}
		if diff := cmp.Diff([]string{"Progressing", "Healthy"}, shown); diff != "" {
			return fmt.Errorf("what Argo CD shows, one after the other (-want +got):\n%s", diff)
		}
		return nil
	})
	if meta.IsStatusConditionTrue(w.get(release).Status.Conditions, ecsv1alpha1.ConditionStalled) {
		t.Error("it is Stalled")
	}
}

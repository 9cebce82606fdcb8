package simulation

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/config/argocd"
	"heliumai.space/ecsrelease/internal/memapi"
	"heliumai.space/ecsrelease/internal/rollout"
)

// argoHealth: Argo CD shows of every status what the table of phases says, and tells of a failure
// only where it is final: a release that it has called Degraded for one does not get well without
// anything new being asked for, since whoever waits for it has given up by then. Only ECS itself may
// surprise everybody: what it goes back to from a deployment that failed may have the image too.
func (w *world) argoHealth(key types.NamespacedName, change memapi.Change, old, now *ecsv1alpha1.EcsRelease) {
	shown, err := argocd.HealthOf(change.New)
	if err != nil {
		w.story.violate("the health that Argo CD shows", "%s: %v", key, err)
		return
	}
	if want := rollout.PhaseOf(now).Row().Health; shown.Status != string(want) {
		w.story.violate("the health that Argo CD shows", "%s at resourceVersion %s is %s (%s), wanted %s",
			key, now.ResourceVersion, shown.Status, shown.Message, want)
	}
	if shown.Message == "" {
		w.story.violate("the health that Argo CD shows", "%s at resourceVersion %s is %s without a message", key, now.ResourceVersion, shown.Status)
	}
	if old != nil && failedForGood(old) && meta.IsStatusConditionTrue(now.Status.Conditions, ecsv1alpha1.ConditionReady) && asked(old) == asked(now) && !wentBackToTheImage(old, now) {
		w.story.violate("the health that Argo CD shows", "%s was Degraded (%s) and got well by itself: resourceVersions %s and %s",
			key, old.Status.Failure.Class, old.ResourceVersion, now.ResourceVersion)
	}
}

// failedForGood says that a release failed of something that does not go away by itself, as a
// missing image does.
func failedForGood(release *ecsv1alpha1.EcsRelease) bool {
	f := release.Status.Failure
	return rollout.PhaseOf(release) == rollout.PhaseFailed && f != nil && f.Class != ecsv1alpha1.FailureImageMissing
}

// wentBackToTheImage says that every service that had failed runs the image by a revision which ran
// before what failed, and not by the one that failed.
func wentBackToTheImage(old, now *ecsv1alpha1.EcsRelease) bool {
	failed := 0
	for i := range old.Status.Targets {
		for _, was := range old.Status.Targets[i].Services {
			if was.State != ecsv1alpha1.ServiceFailed {
				continue
			}
			failed++
			is := remembered(now, old.Status.Targets[i].Name, was.Name)
			if is == nil || is.Source != ecsv1alpha1.SourceAdopted || was.Deployment == nil || is.Registered == was.Deployment.Revision {
				return false
			}
		}
	}
	return failed > 0
}

// remembered is what a release remembers of a service; nil: nothing.
func remembered(release *ecsv1alpha1.EcsRelease, target, service string) *ecsv1alpha1.ServiceStatus {
	for i := range release.Status.Targets {
		t := &release.Status.Targets[i]
		for j := range t.Services {
			if t.Name == target && t.Services[j].Name == service {
				return &t.Services[j]
			}
		}
	}
	return nil
}

// asked is all that a release was asked for so far, newer bases included.
func asked(release *ecsv1alpha1.EcsRelease) string {
	handled := ecsv1alpha1.HandledCommands{}
	if release.Status.Handled != nil {
		handled = *release.Status.Handled
	}
	number := int64(0)
	if history := release.Status.History; len(history) > 0 {
		number = history[0].Number
	}
	return fmt.Sprint(release.Status.ObservedGeneration, number, handled)
}

package simulation

import (
	"slices"
	"time"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// failuresAreTold: once the faults have stopped, every failure shows in a message within two sweeps:
// a deployment of ours that ECS rolled back, and a service that failed in whatever way. A process
// has to take the lease first, if need be.
func (w *world) failuresAreTold(calm time.Time) {
	const promise = "every failure shows in a message within two sweeps"
	for _, s := range w.subjects {
		release := w.chronicle.now(s.key)
		if _, denied := w.deniedSince(s.key.Namespace); release == nil || denied {
			continue
		}
		told := release.Spec.Suspend || release.Status.Failure != nil || meta.IsStatusConditionTrue(release.Status.Conditions, ecsv1alpha1.ConditionStalled)
		for _, t := range release.Status.Targets {
			for _, service := range t.Services {
				if service.State == ecsv1alpha1.ServiceFailed && (!told || service.Message == "") {
					w.story.violate(promise, "%s %s/%s failed, and nothing says so", s.key, t.Name, service.Name)
				}
				failed := w.failedLast(release, t, service.Name)
				if failed == nil || !w.followed(s.key, t, service.Name, failed.created) {
					continue
				}
				since := latest(failed.finished, calm.Add(leaseDuration))
				if time.Since(since) > 2*slowCadence && !w.wasTold(s.key, t, service.Name, failed) {
					w.story.violate(promise, "ECS rolled %s of %s %s/%s back at %s (service deployment %s), and nothing says so: it is %s: %s", failed.revision,
						s.key, t.Name, service.Name, sinceBegan(w, failed.finished), failed.id, service.State, service.Message)
				}
			}
		}
	}
}

// failedLast is the newest deployment of a service, if the release as it is made it and ECS has
// rolled it back by itself; else nil.
func (w *world) failedLast(release *ecsv1alpha1.EcsRelease, t ecsv1alpha1.TargetStatus, service string) *deployment {
	deployments := w.serviceDeployments(t.AccountID, t.Region, t.Cluster, service)
	if len(deployments) == 0 || deployments[0].finished.IsZero() {
		return nil
	}
	newest := &deployments[0]
	if newest.outcome != ecstypes.ServiceDeploymentStatusRollbackSuccessful && newest.outcome != ecstypes.ServiceDeploymentStatusRollbackFailed {
		return nil
	}
	asked, stopped := w.ledger.lastUpdate(placeKey(t.AccountID, t.Region, t.Cluster, service), newest.id)
	if stopped || !asked.ours || asked.uid != release.UID || asked.revision != newest.revision {
		return nil
	}
	return newest
}

// followed says that a release has had a service without a break since a time. One that was taken out of
// it meanwhile is forgotten, with whatever was under way there.
func (w *world) followed(key types.NamespacedName, at ecsv1alpha1.TargetStatus, name string, since time.Time) bool {
	for _, v := range slices.Backward(w.chronicle.history(key, time.Now())) {
		if v.at.Before(since) {
			return true
		}
		if v.release == nil || !slices.ContainsFunc(v.release.Status.Targets, func(t ecsv1alpha1.TargetStatus) bool {
			return t.Region == at.Region && t.Cluster == at.Cluster && slices.ContainsFunc(t.Services, func(s ecsv1alpha1.ServiceStatus) bool { return s.Name == name })
		}) {
			return false
		}
	}
	return true
}

// wasTold says that the failure of a deployment shows in a status, or did before something else was
// asked for.
func (w *world) wasTold(key types.NamespacedName, at ecsv1alpha1.TargetStatus, name string, failed *deployment) bool {
	for _, v := range slices.Backward(w.chronicle.history(key, time.Now())) {
		if v.release == nil || v.at.Before(failed.created) {
			return false
		}
		for _, t := range v.release.Status.Targets {
			if t.AccountID != at.AccountID || t.Region != at.Region || t.Cluster != at.Cluster {
				continue
			}
			if slices.ContainsFunc(t.Services, func(s ecsv1alpha1.ServiceStatus) bool { return s.Name == name && tells(s, failed) }) {
				return true
			}
		}
	}
	return false
}

// tells says that what is remembered of a service, and shown, has the failure of a deployment.
func tells(service ecsv1alpha1.ServiceStatus, failed *deployment) bool {
	if d := service.Deployment; d == nil || d.Revision != failed.revision || d.Outcome == "" {
		return false
	}
	switch service.State {
	case ecsv1alpha1.ServiceFailed, ecsv1alpha1.ServiceRollingBack, ecsv1alpha1.ServiceRolledBack, ecsv1alpha1.ServiceRollbackFailed:
		return service.Message != ""
	default:
		return slices.ContainsFunc(service.Failed, func(f ecsv1alpha1.FailedContent) bool { return f.Message != "" })
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

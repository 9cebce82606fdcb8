package simulation

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// inTransit is how long after an intent was written its call may take effect: a slow answer of
// the API server, and the deadline of the call.
const inTransit = 75 * time.Second

// author is the release on whose behalf a change was made, as it was then.
type author struct {
	key     types.NamespacedName
	release *ecsv1alpha1.EcsRelease
	service ecsv1alpha1.ServiceStatus
	// announced is the version in which the intent appeared.
	announced version
}

// changed holds a change of ours against the promises. The ledger's lock is held, and the change
// is not in it yet. It returns on whose behalf it was made; nil: nobody's.
func (w *world) changed(l *ledger, m mutation) *author {
	a := w.intentBeforeMutation(m)
	if m.operation == "RegisterTaskDefinition" {
		w.registeredOnce(l, m)
		w.onlyTheImageDiffers(m)
	}
	if a == nil {
		return nil
	}
	w.permitted(m, a)
	w.startsWhileOpen(m, a)
	w.neverBackwards(m, a)
	if m.operation == "UpdateService" {
		w.failedIsNotRetried(l, m, a)
		w.twoDoNotFight(l, m, a)
	}
	w.bystanderIsNotChanged(m, a)
	return a
}

// intentBeforeMutation: no change is made in AWS that was not announced in a status before.
func (w *world) intentBeforeMutation(m mutation) *author {
	for _, key := range w.chronicle.keys() {
		history := w.chronicle.history(key, m.at)
		if len(history) == 0 {
			continue
		}
		// A release may be deleted while its last call is under way.
		for _, v := range slices.Backward(history) {
			if v.release != nil {
				if s := announces(v.release, m); s != nil {
					a := &author{key: key, release: v.release, service: *s, announced: announcedIn(history, *s)}
					if age := m.at.Sub(s.Intent.Since.Time); age > inTransit {
						w.story.violate("intent before mutation", "%s %s was made %s after it was announced by %s", m.operation, m.brief(), age, key)
					}
					return a
				}
			}
			if m.at.Sub(v.at) > inTransit {
				break
			}
		}
	}
	w.story.violate("intent before mutation", "%s %s was announced by no release", m.operation, m.brief())
	return nil
}

// announces is the service of a release that announces the change; nil: none does.
func announces(release *ecsv1alpha1.EcsRelease, m mutation) *ecsv1alpha1.ServiceStatus {
	for i := range release.Status.Targets {
		t := &release.Status.Targets[i]
		if t.AccountID != m.account || t.Region != m.region {
			continue
		}
		for j := range t.Services {
			s := &t.Services[j]
			if s.Intent == nil {
				continue
			}
			here := t.Cluster == lastElement(m.request.Cluster) && s.Name == lastElement(m.request.Service)
			var matches bool
			switch s.Intent.Action {
			case ecsv1alpha1.IntentRegister:
				matches = m.operation == "RegisterTaskDefinition" && s.Intent.Hash == m.hash
			case ecsv1alpha1.IntentUpdate:
				matches = m.operation == "UpdateService" && here && !m.request.ForceNewDeployment && s.Intent.Revision == lastElement(m.request.TaskDefinition)
			case ecsv1alpha1.IntentRestart:
				matches = m.operation == "UpdateService" && here && m.request.ForceNewDeployment
			case ecsv1alpha1.IntentStop:
				matches = m.operation == "StopServiceDeployment" && s.Intent.ServiceDeployment == lastElement(m.request.ServiceDeploymentARN)
			case ecsv1alpha1.IntentContinue:
				matches = m.operation == "ContinueServiceDeployment" && s.Intent.ServiceDeployment == lastElement(m.request.ServiceDeploymentARN)
			}
			if matches {
				return s
			}
		}
	}
	return nil
}

// announcedIn is the first version that has the intent which the service has.
func announcedIn(history []version, s ecsv1alpha1.ServiceStatus) version {
	first := history[len(history)-1]
	for _, v := range slices.Backward(history) {
		if v.release == nil || !hasIntent(v.release, s) {
			if first.release != nil && hasIntent(first.release, s) {
				break
			}
			continue
		}
		first = v
	}
	return first
}

func hasIntent(release *ecsv1alpha1.EcsRelease, s ecsv1alpha1.ServiceStatus) bool {
	for _, t := range release.Status.Targets {
		for _, other := range t.Services {
			if other.Name == s.Name && other.Intent != nil && other.Intent.Since.Equal(&s.Intent.Since) && other.Intent.Action == s.Intent.Action {
				return true
			}
		}
	}
	return false
}

// goesBack says whether a change brings a revision of the past back on purpose.
func (a *author) goesBack() bool {
	return a.service.Intent.Rollback || a.release.Status.Hold != nil
}

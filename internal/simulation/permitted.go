package simulation

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// hearsay is how long after a change in Kubernetes a process may not know of it, where no
// resourceVersion tells and it does not look past its caches.
const hearsay = 3 * time.Minute

// permitted: suspended, denied, unowned or deleted, nothing changes in ECS.
func (w *world) permitted(m mutation, a *author) {
	release := a.announced.release
	if release == nil {
		return // announces finds releases only
	}
	const promise = "suspended, denied, unowned or deleted: no change in ECS"
	if release.Spec.Suspend {
		w.story.violate(promise, "%s was suspended when it announced %s %s", a.key, m.operation, m.brief())
	}
	if now := w.chronicle.at(a.key, m.at); now == nil && m.at.Sub(w.goneSince(a.key, m.at)) > inTransit {
		w.story.violate(promise, "%s did not exist when %s %s was made", a.key, m.operation, m.brief())
	}
	if since, denied := w.deniedSince(a.key.Namespace); denied && a.announced.at.Sub(since) > inTransit {
		w.story.violate(promise, "the namespace of %s was in no environment when it announced %s %s", a.key, m.operation, m.brief())
	}
	if owner, other := w.olderOwner(m, a); other {
		w.story.violate(promise, "%s announced %s %s although the service belongs to %s", a.key, m.operation, m.brief(), owner)
	}
	if s := w.subject(a.key); s == nil || release.Namespace != a.key.Namespace {
		w.story.violate(promise, "%s is nobody's release", a.key)
	}
}

// startsWhileOpen: while the windows are closed, or the image is not promoted or not permitted, no
// release starts; one that has started goes on, and nothing that goes back waits.
func (w *world) startsWhileOpen(m mutation, a *author) {
	since, shut := w.shutSince(a.key.Namespace)
	release := a.announced.release
	if !shut || a.goesBack() || m.operation != "RegisterTaskDefinition" && m.operation != "UpdateService" || a.announced.at.Sub(since) <= inTransit {
		return
	}
	underWay := len(release.Status.History) > 0 && release.Status.History[0].Outcome == ecsv1alpha1.OutcomeProgressing
	for _, wave := range release.Status.Waves {
		if underWay && wave.Opened != nil && wave.Opened.Sub(since) <= inTransit {
			return
		}
	}
	w.story.violate("no release starts while its environment does not let it", "%s announced %s %s, %s after the gates were closed",
		a.key, m.operation, m.brief(), a.announced.at.Sub(since))
}

// goneSince is when a release that does not exist went.
func (w *world) goneSince(key types.NamespacedName, t time.Time) time.Time {
	history := w.chronicle.history(key, t)
	if len(history) == 0 {
		return time.Time{}
	}
	return history[len(history)-1].at
}

// olderOwner is a release that has named the service of a change for longer than its author has
// existed, and still does.
func (w *world) olderOwner(m mutation, a *author) (types.NamespacedName, bool) {
	if m.operation != "UpdateService" {
		return types.NamespacedName{}, false
	}
	born := a.announced.release.CreationTimestamp
	for _, s := range w.subjects {
		if s.key == a.key || s.realm.account != m.account {
			continue
		}
		before, now := w.chronicle.at(s.key, a.announced.at.Add(-hearsay)), w.chronicle.at(s.key, a.announced.at)
		if before == nil || now == nil || !before.CreationTimestamp.Before(&born) {
			continue
		}
		names := func(cluster, service string) bool {
			for _, t := range before.Spec.Targets {
				services := t.Services
				if len(services) == 0 {
					services = before.Spec.Services
				}
				for _, named := range services {
					if t.Region == m.region && t.Cluster == cluster && named.Name == service {
						return true
					}
				}
			}
			return false
		}
		if names(lastElement(m.request.Cluster), lastElement(m.request.Service)) {
			return s.key, true
		}
	}
	return types.NamespacedName{}, false
}

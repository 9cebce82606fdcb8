package simulation

import (
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

const leftAlone = "a release of another namespace is untouched"

// bystanderIsLeftAlone: once the bystander's release is Ready, nothing is written to its status.
func (w *world) bystanderIsLeftAlone(key types.NamespacedName, release *ecsv1alpha1.EcsRelease) {
	s := w.subject(key)
	if s == nil || !s.bystander {
		return
	}
	if s.settled {
		w.story.violate(leftAlone, "the status of %s was written although nothing had happened to it", key)
	}
	s.settled = meta.IsStatusConditionTrue(release.Status.Conditions, ecsv1alpha1.ConditionReady)
}

// bystanderIsNotChanged: nor is anything changed in its account.
func (w *world) bystanderIsNotChanged(m mutation, a *author) {
	if s := w.subject(a.key); s != nil && s.bystander && s.settled {
		w.story.violate(leftAlone, "%s %s was made for %s although nothing had happened to it", m.operation, m.brief(), a.key)
	}
	for _, other := range w.subjects {
		if other.bystander && other.realm.account == m.account && a.key != other.key {
			w.story.violate(leftAlone, "%s %s was made in its account for %s", m.operation, m.brief(), a.key)
		}
	}
}

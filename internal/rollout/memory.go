package rollout

import (
	"slices"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// maxFailed is how many failed contents are remembered of a service.
const maxFailed = 2

// Prove is m with what it runs recorded as proven, if it is in sync with at least one task; without one
// only that it was released is. It is for the services of a release that is ready as a whole, and may be
// called again.
func Prove(m ecsv1alpha1.ServiceStatus, now time.Time) ecsv1alpha1.ServiceStatus {
	if m.State != ecsv1alpha1.ServiceInSync || m.Registered == "" {
		return m
	}
	m = *m.DeepCopy()
	if idle(m) {
		if d := m.Deployment; d != nil && d.Revision == m.Registered && d.Outcome == ecsv1alpha1.DeploymentSucceeded {
			d.Released = true
		}
		return m
	}
	if m.Proven == nil || m.Proven.Revision != m.Registered {
		m.Proven = &ecsv1alpha1.ProvenRevision{Revision: m.Registered, Since: seconds(now)}
	}
	m.Proven.Source = m.Source
	return m
}

// idle says that a service runs no tasks, whether it wants some or not: nothing is proven by it.
func idle(m ecsv1alpha1.ServiceStatus) bool {
	return m.Reason == ecsv1alpha1.ReasonScaledToZero || m.Reason == ecsv1alpha1.ReasonNoTasks
}

// failed is what is remembered of content that failed; nil when it did not.
func failed(m *ecsv1alpha1.ServiceStatus, hash string) *ecsv1alpha1.FailedContent {
	for i := range m.Failed {
		if m.Failed[i].Hash == hash {
			return &m.Failed[i]
		}
	}
	return nil
}

// remember puts f first among the failed contents, each of which is remembered once.
func remember(m *ecsv1alpha1.ServiceStatus, f ecsv1alpha1.FailedContent) {
	forget(m, func(known ecsv1alpha1.FailedContent) bool { return known.Hash == f.Hash })
	m.Failed = slices.Insert(m.Failed, 0, f)
	m.Failed = m.Failed[:min(len(m.Failed), maxFailed)]
}

// forget drops the failed contents that are to be forgotten.
func forget(m *ecsv1alpha1.ServiceStatus, which func(ecsv1alpha1.FailedContent) bool) {
	m.Failed = slices.DeleteFunc(m.Failed, which)
	if len(m.Failed) == 0 {
		m.Failed = nil
	}
}

package rollout

import (
	"slices"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// maxFailed is how many failed contents are remembered of a service.
const maxFailed = 2

// Announce is m with the intent to take the step. It is to be written down before the step is
// taken; an intent that cannot be written means that the step is not taken.
func Announce(m ecsv1alpha1.ServiceStatus, step Step, now time.Time) ecsv1alpha1.ServiceStatus {
	m = *m.DeepCopy()
	m.Intent = &ecsv1alpha1.Intent{
		Action:          ecsv1alpha1.IntentAction(step.Action),
		Hash:            step.Hash,
		Base:            step.Base,
		Revision:        step.Revision,
		PreviousPrimary: step.PreviousPrimary,
		Since:           micros(now),
	}
	return m
}

// Registered is m after a registration that AWS answered with revision.
func Registered(m ecsv1alpha1.ServiceStatus, step Step, revision string) ecsv1alpha1.ServiceStatus {
	m = *m.DeepCopy()
	m.Intent = nil
	if m.Hash != step.Hash {
		// What is asked for changed meanwhile; the next decision derives it anew.
		m.Hash, m.Inputs = step.Hash, ""
	}
	m.Registered, m.Source = revision, ""
	return m
}

// Updated is m after an update, made at at, that AWS answered with the id of the primary
// deployment.
func Updated(m ecsv1alpha1.ServiceStatus, step Step, primary string, at time.Time) ecsv1alpha1.ServiceStatus {
	m = *m.DeepCopy()
	m.Intent = nil
	m.Deployment = newDeployment(step.Revision, step.Hash, primary, at)
	transition(&m, ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ReasonProgressing,
		"ECS took the update to "+step.Revision+" (deployment "+primary+")", at)
	return m
}

// NotDone is m after a step that definitely was not carried out: it was refused, or never sent.
func NotDone(m ecsv1alpha1.ServiceStatus) ecsv1alpha1.ServiceStatus {
	m = *m.DeepCopy()
	m.Intent = nil
	return m
}

// Withdrawn is m after an update that AWS refused because the revision is not ACTIVE any more:
// one that carries the content is to be looked for again.
func Withdrawn(m ecsv1alpha1.ServiceStatus) ecsv1alpha1.ServiceStatus {
	m = NotDone(m)
	m.Registered = ""
	return m
}

// Prove is m with what it runs recorded as proven, if it is in sync with at least one task. It
// is for the services of a release that is ready as a whole, and may be called again.
func Prove(m ecsv1alpha1.ServiceStatus, now time.Time) ecsv1alpha1.ServiceStatus {
	if m.State != ecsv1alpha1.ServiceInSync || m.Reason == ecsv1alpha1.ReasonScaledToZero || m.Registered == "" {
		return m
	}
	m = *m.DeepCopy()
	if m.Proven == nil || m.Proven.Revision != m.Registered {
		m.Proven = &ecsv1alpha1.ProvenRevision{Revision: m.Registered, Since: seconds(now)}
	}
	m.Proven.Source = m.Source
	return m
}

func newDeployment(revision, hash, primary string, at time.Time) *ecsv1alpha1.DeploymentStatus {
	return &ecsv1alpha1.DeploymentStatus{
		Revision: revision, Hash: hash, Primary: primary, Started: micros(at), Progressed: seconds(at),
	}
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
	forget(m, f.Hash)
	m.Failed = slices.Insert(m.Failed, 0, f)
	m.Failed = m.Failed[:min(len(m.Failed), maxFailed)]
}

// forget drops a content that ran well after all.
func forget(m *ecsv1alpha1.ServiceStatus, hash string) {
	m.Failed = slices.DeleteFunc(m.Failed, func(f ecsv1alpha1.FailedContent) bool { return f.Hash == hash })
	if len(m.Failed) == 0 {
		m.Failed = nil
	}
}

package rollout

import (
	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Touched says that a release which fails has to put the service back: our last deployment brings,
// or has brought, it something else than its proven revision and nobody took that away since; or
// it may have, because the answer to the update was lost; or the service is on its way back, or
// has come back, and nothing was started since. One that never got a deployment of ours, whose
// deployment somebody else replaced, that a release before has brought to its end without a task to prove
// it by, or that ECS brought back from another content than the one that is asked for now is not touched.
//
// It depends on what is remembered alone. Nothing being proven makes no difference: whether there
// is a way back is for Decide to say.
func Touched(m ecsv1alpha1.ServiceStatus) bool {
	if m.Rollback != nil {
		return true
	}
	if i := m.Intent; i != nil && i.Action == ecsv1alpha1.IntentUpdate && !i.Rollback {
		return true
	}
	d := m.Deployment
	if d != nil && restartFailed(m) {
		return true
	}
	if d == nil || d.Purpose == ecsv1alpha1.PurposeRollback || (m.Proven != nil && d.Revision == m.Proven.Revision) {
		return false
	}
	switch d.Outcome {
	case ecsv1alpha1.DeploymentSuperseded:
		return false
	case ecsv1alpha1.DeploymentSucceeded:
		return m.Revision == d.Revision && !d.Released
	case ecsv1alpha1.DeploymentFailed:
		return d.Hash == m.Hash || m.Proven == nil || m.Revision != m.Proven.Revision
	default:
		return true
	}
}

// restartFailed says that our last deployment was a restart that failed, of content that counts as
// failed since.
func restartFailed(m ecsv1alpha1.ServiceStatus) bool {
	d := m.Deployment
	return d != nil && d.Purpose == ecsv1alpha1.PurposeRestart && d.Outcome == ecsv1alpha1.DeploymentFailed && failed(&m, d.Hash) != nil
}

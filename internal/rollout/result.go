package rollout

import (
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Announce is m with the intent to take the step. It is to be written down before the step is
// taken; an intent that cannot be written means that the step is not taken.
func Announce(m ecsv1alpha1.ServiceStatus, step Step, now time.Time) ecsv1alpha1.ServiceStatus {
	m = *m.DeepCopy()
	m.Intent = &ecsv1alpha1.Intent{
		Action:            ecsv1alpha1.IntentAction(step.Action),
		Hash:              step.Hash,
		Base:              step.Base,
		Revision:          step.Revision,
		Rollback:          step.RollBack || step.Purpose == ecsv1alpha1.PurposeRollback,
		ServiceDeployment: step.ServiceDeployment,
		Hook:              step.Hook,
		PreviousPrimary:   step.PreviousPrimary,
		Since:             micros(now),
	}
	return m
}

// Registered is m after a registration that AWS answered with revision.
func Registered(m ecsv1alpha1.ServiceStatus, step Step, revision string) ecsv1alpha1.ServiceStatus {
	m = *m.DeepCopy()
	m.Intent = nil
	if step.Purpose == ecsv1alpha1.PurposeRollback {
		if m.Rollback != nil {
			m.Rollback.To = revision
		}
		return m
	}
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
	started(&m, step, primary, at)
	state, reason := ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ReasonProgressing
	if step.Purpose == ecsv1alpha1.PurposeRollback {
		state, reason = ecsv1alpha1.ServiceRollingBack, ecsv1alpha1.ReasonRollingBack
	}
	transition(&m, state, reason, "ECS took the update to "+step.Revision+" (deployment "+primary+")", at)
	return m
}

// Restarted is m after a restart, made at at, that AWS answered with the id of the primary
// deployment.
func Restarted(m ecsv1alpha1.ServiceStatus, step Step, primary string, at time.Time) ecsv1alpha1.ServiceStatus {
	m = *m.DeepCopy()
	step.Purpose = ecsv1alpha1.PurposeRestart
	started(&m, step, primary, at)
	transition(&m, ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ReasonRestarting,
		"ECS took the restart of "+step.Revision+" (deployment "+primary+")", at)
	return m
}

// Stopped is m after a stop of our deployment that AWS took at at.
func Stopped(m ecsv1alpha1.ServiceStatus, _ Step, at time.Time) ecsv1alpha1.ServiceStatus {
	m = *m.DeepCopy()
	m.Intent = nil
	if m.Rollback != nil {
		m.Rollback.Stopped, m.Rollback.Since = true, seconds(at)
	}
	return m
}

// Continued is m after AWS took what was decided about a hook.
func Continued(m ecsv1alpha1.ServiceStatus, step Step) ecsv1alpha1.ServiceStatus {
	m = *m.DeepCopy()
	m.Intent = nil
	if m.Hook != nil && m.Hook.ID == step.Hook {
		m.Hook = nil
	}
	return m
}

// NotDone is m after a step that definitely was not carried out, and may be asked for again: it was
// never sent, or AWS said not now.
func NotDone(m ecsv1alpha1.ServiceStatus) ecsv1alpha1.ServiceStatus {
	m = *m.DeepCopy()
	m.Intent = nil
	return m
}

// Refused is m after a step that AWS refused, as p says, and would refuse again. A stop is then not
// asked for again, and neither is what was decided about a hook, or a restart; a rollback by an
// update has failed. To bring the content is asked for again, unless Input.Refused forbids it.
func Refused(m ecsv1alpha1.ServiceStatus, step Step, p *Problem, now time.Time) ecsv1alpha1.ServiceStatus {
	m = NotDone(m)
	switch r := m.Rollback; step.Action {
	case ActionStop:
		if r != nil {
			r.Stopped = true
		}
	case ActionContinue:
		if m.Hook != nil && m.Hook.ID == step.Hook {
			m.Hook = nil
		}
	case ActionRestart:
		m.Restart = false
	default:
		if step.Purpose == ecsv1alpha1.PurposeRollback && r != nil && r.Finished == nil {
			at := seconds(now)
			r.Finished, r.Failed = &at, shorten(p.Message, maxFailedMessage)
		}
		if step.Purpose != ecsv1alpha1.PurposeRollback {
			transition(&m, ecsv1alpha1.ServiceOutOfSync, p.Reason, p.Message, now)
		}
	}
	return m
}

// Withdrawn is m after an update that AWS refused because the revision is not ACTIVE any more:
// one that carries the content is to be looked for again. A restart of such a revision is Refused:
// the service runs it, so that looking would find it again.
func Withdrawn(m ecsv1alpha1.ServiceStatus) ecsv1alpha1.ServiceStatus {
	m = NotDone(m)
	m.Registered = ""
	return m
}

// started puts the deployment that the step started, at at, in m, and what that changes. Whatever is
// deployed, the service's tasks are new: a restart that was asked for has been had.
func started(m *ecsv1alpha1.ServiceStatus, step Step, primary string, at time.Time) {
	m.Intent, m.Restart, m.Hook = nil, false, nil
	d := newDeployment(step.Revision, step.Hash, primary, at)
	d.Purpose = step.Purpose
	m.Deployment = d
	if step.Purpose == ecsv1alpha1.PurposeRollback {
		if r := m.Rollback; r != nil {
			r.Updated, r.To, r.Since = true, step.Revision, seconds(at)
		}
		return
	}
	m.Rollback = nil
	if step.Purpose == ecsv1alpha1.PurposeDrift && m.Drift != nil {
		corrected := seconds(at)
		m.Drift.Corrected = &corrected
	}
}

func newDeployment(revision, hash, primary string, at time.Time) *ecsv1alpha1.DeploymentStatus {
	return &ecsv1alpha1.DeploymentStatus{
		Revision: revision, Hash: hash, Primary: primary, Started: micros(at), Progressed: seconds(at),
	}
}

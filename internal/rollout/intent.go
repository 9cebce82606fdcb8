package rollout

import (
	"fmt"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// registrationPending: a registration was announced and its answer is not recorded. Only looking
// tells whether it was made: a revision of that content settles it, and none in a look that
// began late enough settles that it was not.
func registrationPending(s *situation) *answer {
	i := s.memory.Intent
	if i == nil || i.Action != ecsv1alpha1.IntentRegister {
		return nil
	}
	s.content = s.judge()
	revision, looked := s.equal(i.Hash, Family(i.Base))
	switch {
	case looked && revision != "":
		*s.memory = Registered(*s.memory, stepOf(i), revision)
		return nil
	case looked && !s.Facts.EqualAt.Before(s.provenBy(i)):
		s.memory.Intent = nil
		return nil
	default:
		return s.unanswered(i, fmt.Sprintf("the registration of a revision of %s", Family(i.Base)))
	}
}

// updatePending: an update, or a restart, was announced and its answer is not recorded. It was made
// if ECS shows, or lists, a new deployment of that revision; it was not if neither does in looks
// that began late enough.
func updatePending(s *situation) *answer {
	i := s.memory.Intent
	if i == nil || (i.Action != ecsv1alpha1.IntentUpdate && i.Action != ecsv1alpha1.IntentRestart) {
		return nil
	}
	s.content = s.judge()
	ours, looked := s.ours("", i.Revision, i.Since.Time)
	shown := s.View.At.After(i.Since.Time) && s.primary.Revision == i.Revision && s.primary.ID != i.PreviousPrimary
	listed := ours != nil && s.brought(ours, i)
	if shown || listed {
		step := stepOf(i)
		if drift := s.memory.Drift; step.Purpose == "" && drift != nil && drift.Deployment == i.PreviousPrimary {
			step.Purpose = ecsv1alpha1.PurposeDrift
		}
		started(s.memory, step, "", i.Since.Time)
		s.need = Need{Base: s.need.Base}
		d := s.memory.Deployment
		d.Progressed = seconds(s.Now)
		if shown {
			d.Primary = s.primary.ID
		}
		if listed {
			d.ServiceDeployment = ours.ID
		}
		return nil
	}
	proven := s.provenBy(i)
	if looked && !s.Facts.OursAt.Before(proven) && !s.View.At.Before(proven) {
		s.memory.Intent = nil
		return nil
	}
	if i.Action == ecsv1alpha1.IntentRestart {
		return s.unanswered(i, "the restart of "+i.Revision)
	}
	return s.unanswered(i, "the update to "+i.Revision)
}

// stopPending: a stop of our deployment was announced and its answer is not recorded. It was made if
// the deployment is not in progress any more; it was not if a look that began late enough shows that
// it is.
func stopPending(s *situation) *answer {
	i := s.memory.Intent
	if i == nil || i.Action != ecsv1alpha1.IntentStop {
		return nil
	}
	s.content = s.judge()
	ours, looked := s.ours(i.ServiceDeployment, i.Revision, i.Since.Time)
	switch {
	case ours != nil && ours.Status != "PENDING" && ours.Status != "IN_PROGRESS":
		*s.memory = Stopped(*s.memory, stepOf(i), i.Since.Time)
		return nil
	case looked && !s.Facts.OursAt.Before(s.provenBy(i)):
		s.memory.Intent = nil
		return nil
	default:
		return s.unanswered(i, "the stop of service deployment "+i.ServiceDeployment)
	}
}

// continuePending: what was decided about a hook was announced and the answer is not recorded. It
// was made if the hook does not wait any more; it was not if a look that began late enough shows
// that it does.
func continuePending(s *situation) *answer {
	i := s.memory.Intent
	if i == nil || i.Action != ecsv1alpha1.IntentContinue {
		return nil
	}
	s.content = s.judge()
	ours, looked := s.ours(i.ServiceDeployment, i.Revision, i.Since.Time)
	switch {
	case ours != nil && (ours.Awaits() == nil || ours.Awaits().ID != i.Hook):
		*s.memory = Continued(*s.memory, stepOf(i))
		return nil
	case looked && !s.Facts.OursAt.Before(s.provenBy(i)):
		s.memory.Intent = nil
		return nil
	default:
		return s.unanswered(i, "the decision about hook "+i.Hook)
	}
}

// stepOf is the step that i announces, as far as its answer depends on it.
func stepOf(i *ecsv1alpha1.Intent) Step {
	step := Step{
		Action: Action(i.Action), Hash: i.Hash, Base: i.Base, Revision: i.Revision, PreviousPrimary: i.PreviousPrimary,
		ServiceDeployment: i.ServiceDeployment, Hook: i.Hook,
	}
	switch {
	case i.Action == ecsv1alpha1.IntentContinue:
		step.RollBack = i.Rollback
	case i.Action == ecsv1alpha1.IntentRestart:
		step.Purpose = ecsv1alpha1.PurposeRestart
	case i.Rollback:
		step.Purpose = ecsv1alpha1.PurposeRollback
	}
	return step
}

// brought says that sd is what the update that i announces started, and not an earlier
// deployment of ours.
func (s *situation) brought(sd *ServiceDeployment, i *ecsv1alpha1.Intent) bool {
	if d := s.memory.Deployment; d != nil && d.ServiceDeployment == sd.ID {
		return false
	}
	return sd.Revision == i.Revision && !sd.Created.Before(i.Since.Add(-skew))
}

// provenBy is when a look must begin to prove, by finding nothing, that the call which i
// announces was not carried out.
func (s *situation) provenBy(i *ecsv1alpha1.Intent) time.Time {
	return i.Since.Add(s.Timing.CallDeadline + s.Timing.Settle)
}

// unanswered is the answer while it cannot be told whether a call was carried out.
func (s *situation) unanswered(i *ecsv1alpha1.Intent, what string) *answer {
	if p := s.Facts.Problem; p != nil && !p.Delay() {
		return s.problematic(p)
	}
	state, reason := ecsv1alpha1.ServiceOutOfSync, ecsv1alpha1.ReasonProgressing
	switch {
	case i.Action == ecsv1alpha1.IntentRestart:
		state, reason = ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ReasonRestarting
	case i.Action == ecsv1alpha1.IntentContinue:
		state = ecsv1alpha1.ServiceDeploying
	case i.Rollback:
		state, reason = ecsv1alpha1.ServiceRollingBack, ecsv1alpha1.ReasonRollingBack
	}
	return s.looked(state, reason, fmt.Sprintf(
		"the answer to %s was lost, or the controller was restarted meanwhile; "+
			"looking whether it was made, and counting it as not made if nothing of it shows by %s",
		what, s.provenBy(i).UTC().Format(time.RFC3339)))
}

// equal is the newest revision of ours that has the content, "" when there is none; false when
// it was not looked for, which is then noted as a need. One look-up goes to an intent that waits for
// it: what else is to be looked for comes with the next decision.
func (s *situation) equal(hash, family string) (string, bool) {
	f := s.Facts
	if !f.EqualAt.IsZero() && f.EqualHash == hash {
		return f.Equal, true
	}
	if i := s.Memory.Intent; i == nil || f.EqualAt.IsZero() || i.Hash == hash || f.EqualHash != i.Hash {
		s.need.EqualHash, s.need.EqualFamily = hash, family
	}
	return "", false
}

// ours is our service deployment, nil when ECS does not list it; false when it was not looked
// for, which is then noted as a need. As with equal, an intent comes first.
func (s *situation) ours(id, revision string, since time.Time) (*ServiceDeployment, bool) {
	f := s.Facts
	if !f.OursAt.IsZero() && f.OursRevision == revision {
		return f.Ours, true
	}
	if i := s.Memory.Intent; i == nil || f.OursAt.IsZero() || i.Revision == revision || f.OursRevision != i.Revision {
		s.need.Deployment, s.need.ID, s.need.Revision, s.need.Since = true, id, revision, since
	}
	return nil, false
}

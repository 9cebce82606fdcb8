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
		*s.memory = Registered(*s.memory, Step{Action: ActionRegister, Hash: i.Hash, Base: i.Base}, revision)
		return nil
	case looked && !s.Facts.EqualAt.Before(s.provenBy(i)):
		s.memory.Intent = nil
		return nil
	default:
		return s.unanswered(i, fmt.Sprintf("the registration of a revision of %s", Family(i.Base)))
	}
}

// updatePending: an update was announced and its answer is not recorded. It was made if ECS
// shows, or lists, a new deployment of that revision; it was not if neither does in looks that
// began late enough.
func updatePending(s *situation) *answer {
	i := s.memory.Intent
	if i == nil || i.Action != ecsv1alpha1.IntentUpdate {
		return nil
	}
	s.content = s.judge()
	ours, looked := s.ours("", i.Revision, i.Since.Time)
	shown := s.View.At.After(i.Since.Time) && s.primary.Revision == i.Revision && s.primary.ID != i.PreviousPrimary
	listed := ours != nil && s.brought(ours, i)
	if shown || listed {
		d := newDeployment(i.Revision, i.Hash, "", i.Since.Time)
		d.Progressed = seconds(s.Now)
		if shown {
			d.Primary = s.primary.ID
		}
		if listed {
			d.ServiceDeployment = ours.ID
		}
		s.memory.Deployment, s.memory.Intent = d, nil
		return nil
	}
	proven := s.provenBy(i)
	if looked && !s.Facts.OursAt.Before(proven) && !s.View.At.Before(proven) {
		s.memory.Intent = nil
		return nil
	}
	return s.unanswered(i, "the update to "+i.Revision)
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
	return s.looked(ecsv1alpha1.ServiceOutOfSync, ecsv1alpha1.ReasonProgressing, fmt.Sprintf(
		"the answer to %s was lost, or the controller was restarted meanwhile; "+
			"looking whether it was made, and counting it as not made if nothing of it shows by %s",
		what, s.provenBy(i).UTC().Format(time.RFC3339)))
}

// equal is the newest revision of ours that has the content, "" when there is none; false when
// it was not looked for, which is then noted as a need.
func (s *situation) equal(hash, family string) (string, bool) {
	if s.Facts.EqualAt.IsZero() || s.Facts.EqualHash != hash {
		s.need.EqualHash, s.need.EqualFamily = hash, family
		return "", false
	}
	return s.Facts.Equal, true
}

// ours is our service deployment, nil when ECS does not list it; false when it was not looked
// for, which is then noted as a need.
func (s *situation) ours(id, revision string, since time.Time) (*ServiceDeployment, bool) {
	if s.Facts.OursAt.IsZero() || s.Facts.OursRevision != revision {
		s.need.Deployment, s.need.ID, s.need.Revision, s.need.Since = true, id, revision, since
		return nil, false
	}
	return s.Facts.Ours, true
}

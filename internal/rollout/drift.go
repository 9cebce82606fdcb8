package rollout

import (
	"fmt"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// truce is how long after a correction another deployment by somebody else is left standing: two
// controllers must never fight.
const truce = time.Hour

// displacementNoticed: writes down a deployment by somebody else that took the image away, and
// whether it is to stand. It never answers.
func displacementNoticed(s *situation) *answer {
	if s.content.known && !s.content.carried && s.displaced() {
		s.noteDrift()
	}
	return nil
}

// displaced says that the primary deployment is somebody else's and took away what we brought, or
// adopted, for the images that are asked for. What ran at first sight, or when the image changed,
// is where a release begins. What ECS goes back to by itself is nobody's.
func (s *situation) displaced() bool {
	m, before, d := s.memory, &s.Memory, s.memory.Deployment
	if m.Drift != nil && m.Drift.Deployment == s.primary.ID {
		return true
	}
	if s.viewRollsBack() {
		return false
	}
	if d == nil || inputsOf(m, d) != s.Want.Inputs {
		adopted := before.Inputs == s.Want.Inputs && before.Source != "" && before.Registered != ""
		return adopted && before.Registered != s.primary.Revision && !s.recreatedSince(before.Since.Time)
	}
	if d.Revision == s.primary.Revision || s.recreatedSince(d.Started.Time) {
		return false
	}
	switch d.Outcome {
	case ecsv1alpha1.DeploymentFailed:
		return before.Revision != "" && before.Revision != s.primary.Revision && !s.wentBack(d, s.Facts.Ours)
	case "":
		return s.caughtUp(d) && !s.wentBack(d, s.Facts.Ours)
	default:
		return s.caughtUp(d)
	}
}

// recreatedSince says that the service was deleted and created again since t.
func (s *situation) recreatedSince(t time.Time) bool {
	return s.View.Created.After(t.Add(skew))
}

// maxRegisteredBy is the longest principal that the API takes, in bytes.
const maxRegisteredBy = 256

// noteDrift writes the primary deployment down as somebody else's. It stands where policy or a
// failure says so, or where the one before was corrected a short while ago, or stood for that.
func (s *situation) noteDrift() {
	m := s.memory
	if m.Drift == nil || m.Drift.Deployment != s.primary.ID {
		drift := &ecsv1alpha1.DriftStatus{Deployment: shorten(s.primary.ID, 64), Revision: s.primary.Revision, At: seconds(s.Now)}
		if last := m.Drift; last != nil && last.Corrected != nil {
			drift.Corrected, drift.Standing = last.Corrected, last.Standing
		}
		m.Drift = drift
	}
	d := m.Drift
	if d.RegisteredBy == "" && s.Want.Seen == d.Revision && !s.Want.SeenOurs {
		// Of a revision of ours it would name us: somebody only deployed it.
		d.RegisteredBy = shorten(s.Want.SeenBy, maxRegisteredBy)
	}
	fought := d.Corrected != nil && (d.Standing || s.arrived(d).Sub(d.Corrected.Time) < truce)
	d.Standing = fought || s.Policy.Report || s.Policy.Held || s.failing() != nil || m.Rollback != nil
}

// arrived is when somebody deployed what is drift. It may be seen long after, by another leader.
func (s *situation) arrived(d *ecsv1alpha1.DriftStatus) time.Time {
	if created := s.primary.Created; created.After(d.Corrected.Time) && created.Before(d.At.Time) {
		return created
	}
	return d.At.Time
}

// driftStands: somebody else deployed another image, and that is not corrected.
func driftStands(s *situation) *answer {
	d := s.memory.Drift
	if d == nil || !d.Standing || d.Deployment != s.primary.ID {
		return nil
	}
	why := "the deployment before it was corrected less than an hour earlier, and whoever deploys would only do it again: " +
		"find out who, then retry"
	switch {
	case s.Policy.Report:
		why = "reported only, as spec.drift says"
	case s.Policy.Held:
		why = "reported only, since a release of the past is held"
	}
	return &answer{state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonDrifted, message: clauses(s.drifted(), why)}
}

// drifted says who took the image away, if that is what the service has now; else "".
func (s *situation) drifted() string {
	d := s.memory.Drift
	if d == nil || d.Deployment != s.primary.ID {
		return ""
	}
	by := ""
	if d.RegisteredBy != "" {
		by = ", registered by " + d.RegisteredBy
	}
	return fmt.Sprintf("somebody else deployed %s (deployment %s%s), which does not carry the image", d.Revision, d.Deployment, by)
}

package rollout

import (
	"cmp"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// content is what a service should run.
type content struct {
	// known says that hash is.
	known bool
	// hash is the content hash of the task definition that carries the images.
	hash string
	// carried says that what the primary deployment brings is that content, or runs the
	// images already.
	carried bool
	// source is where the revision that carries it came from; "" when it is not carried.
	source ecsv1alpha1.RevisionSource
}

// judge tells the content that the service should run. It depends on what the service runs now,
// which is read unless that is the very revision that is remembered as carrying these images:
// a settled service costs no look-up. Otherwise the reading is noted as a need. Where it was read and
// tells nothing, since the images are not known, there is none.
func (s *situation) judge() content {
	m, w := s.memory, s.Want
	revision := s.primary.Revision
	switch {
	case w.Hash != "" && w.Seen == revision:
		c := content{known: true, hash: w.Hash, carried: w.Hash == w.SeenHash || (w.Running && w.Seen == w.Base)}
		if c.carried {
			c.hash, c.source = w.SeenHash, ecsv1alpha1.SourceAdopted
			if w.SeenOurs || (m.Registered == revision && m.Hash == c.hash && m.Source != ecsv1alpha1.SourceAdopted) {
				c.source = ecsv1alpha1.SourceReleased
			}
		}
		return c
	case s.sameInputs() && m.Hash != "" && m.Registered == revision && !s.newBase():
		c := content{known: true, hash: m.Hash, carried: true, source: m.Source}
		if c.source == "" {
			c.source = ecsv1alpha1.SourceReleased
		}
		return c
	default:
		s.need.Base = w.Seen != revision
		return content{}
	}
}

// newBase says that the family has got another base than the remembered content was derived from.
func (s *situation) newBase() bool {
	return s.Want.Family && s.Want.Base != "" && s.Want.Base != s.memory.Base
}

// presumed is the content's hash, as remembered for these images where it is not known now.
func (s *situation) presumed() string {
	switch {
	case s.content.known:
		return s.content.hash
	case s.sameInputs():
		return s.memory.Hash
	default:
		return ""
	}
}

// worldNoticed: writes down what the service runs, what it ran well when it was first seen, and
// what it should run. It never answers.
func worldNoticed(s *situation) *answer {
	m := s.memory
	m.Revision = s.primary.Revision
	if m.Proven == nil && m.Deployment == nil && s.steady() {
		m.Proven = &ecsv1alpha1.ProvenRevision{
			Revision: m.Revision, Source: ecsv1alpha1.SourceAdopted, Since: seconds(s.Now),
		}
	}
	s.content = s.judge()
	if s.returning() {
		// The way back does not depend on the content.
		s.need.Base = false
	}
	if s.content.known {
		s.noteContent()
	}
	return nil
}

// noteContent writes down what the service should run. What somebody else did to it, and how it
// came back, is forgotten with the images that it was about.
func (s *situation) noteContent() {
	c, m := s.content, s.memory
	if m.Inputs != s.Want.Inputs {
		if d := m.Deployment; d != nil {
			d.Inputs = cmp.Or(inputsOf(m, d), "unknown")
		}
		m.Drift, m.Source = nil, ""
		for i := range m.Failed {
			// Asked for again one day, they are tried with whatever they have not failed with.
			m.Failed[i].Inputs = ""
		}
		if m.Rollback != nil && m.Rollback.Finished != nil {
			m.Rollback = nil
		}
	}
	if m.Hash != c.hash {
		m.Hash, m.Registered, m.Source = c.hash, "", ""
		if d := m.Deployment; d != nil && d.Hash == c.hash {
			m.Registered = d.Revision
		}
	}
	m.Inputs = s.Want.Inputs
	switch {
	case !s.Want.Family:
		m.Base = ""
	case s.Want.Base != "" && s.Want.Seen != "":
		m.Base = s.Want.Base
		s.renew()
	}
}

// inputsOf is the fingerprint of the images that were asked for when d, of m, was started.
func inputsOf(m *ecsv1alpha1.ServiceStatus, d *ecsv1alpha1.DeploymentStatus) string {
	return cmp.Or(d.Inputs, m.Inputs)
}

// renew lets the images that failed with an earlier base be tried with the newest.
func (s *situation) renew() {
	m := s.memory
	if failed(m, m.Hash) != nil {
		return
	}
	for i := range m.Failed {
		if m.Failed[i].Inputs == m.Inputs {
			m.Failed[i].Inputs = ""
			if m.Rollback != nil && m.Rollback.Finished != nil {
				m.Rollback = nil
			}
		}
	}
}

// steady says that the service runs all of its tasks, at least one, from a deployment that is
// completed.
func (s *situation) steady() bool {
	return s.settled() && s.View.Desired > 0 && s.View.Running == s.View.Desired
}

// settled says that the primary deployment is completed. ECS says so itself, except for a
// service behind a Classic Load Balancer, where the counts must.
func (s *situation) settled() bool {
	if s.primary.RolloutState != "" {
		return s.primary.RolloutState == "COMPLETED"
	}
	for _, d := range s.View.Deployments {
		if d.Status != "PRIMARY" && d.Running+d.Pending > 0 {
			return false
		}
	}
	return s.primary.Pending == 0 && s.primary.Running == s.View.Desired && s.View.Running == s.View.Desired
}

// earlierWorldShown: right after a service came in sync with our deployment, a look shows a
// primary deployment that is older than ours. ECS is eventually consistent: such a look says
// nothing. It is believed when it lasts.
func earlierWorldShown(s *situation) *answer {
	m := s.memory
	d := m.Deployment
	if d == nil || d.Outcome != ecsv1alpha1.DeploymentSucceeded || m.State != ecsv1alpha1.ServiceInSync ||
		!s.sameInputs() || s.primary.Revision == d.Revision || s.primary.Created.IsZero() {
		return nil
	}
	if s.primary.Created.After(d.Started.Add(-skew)) || !s.View.At.Before(m.Since.Add(visible)) {
		return nil
	}
	return &answer{keep: true, look: s.Timing.Fast, inFlight: true}
}

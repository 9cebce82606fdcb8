package rollout

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// evidenceWait is how long after a failure its evidence is waited for while AWS, or our own share of
// the quota, says not now.
const evidenceWait = 2 * time.Minute

// eventsLag is how long after a failure the events of its service are looked for.
const eventsLag = 20 * time.Second

// The most that the API takes of a failure.
const (
	maxEvidence = 3
	maxResults  = 10
	maxAlarms   = 10
)

// failing is what is remembered of the failure of what is asked for now; nil when it did not fail.
// Where the content is derived from what the service runs, it failed for these images whatever the
// service runs since; where it is derived from something else, the very content has to have failed.
func (s *situation) failing() *ecsv1alpha1.FailedContent {
	if hash := s.presumed(); hash != "" {
		if f := failed(s.memory, hash); f != nil {
			return f
		}
	}
	if s.Want.Family || s.Want.Inputs == "" {
		return nil
	}
	for i := range s.memory.Failed {
		if f := &s.memory.Failed[i]; f.Inputs == s.Want.Inputs {
			return f
		}
	}
	return nil
}

// condemned says that f is a failure that ECS knows nothing of: a check that did not pass, or
// somebody who aborted the release. However well the content runs, it stays one.
func condemned(f *ecsv1alpha1.FailedContent) bool {
	return f != nil && (f.Class == ecsv1alpha1.FailureVerification || f.Class == ecsv1alpha1.FailureAborted)
}

// fail records the failure of d and of the content it brought, as soon as it is known why, as far
// as that can be found out; until then it is the answer. ours is ECS's record of d; nil where there
// is none. A deployment that we stopped, and one that was condemned already, only ends.
func (s *situation) fail(
	d *ecsv1alpha1.DeploymentStatus, ours *ServiceDeployment, class ecsv1alpha1.FailureClass, message string,
) *answer {
	if s.endedByUs(d, ours) {
		d.Outcome = ecsv1alpha1.DeploymentFailed
		return nil
	}
	evidence, unread, wait := s.evidence(d, ours)
	if wait {
		a := s.deploying(d)
		a.message = clauses(message, "looking up why")
		return a
	}
	class, fact := classify(evidence, ours, class)
	message = clauses(fact, message, unread)
	d.Outcome = ecsv1alpha1.DeploymentFailed
	if d.Purpose == ecsv1alpha1.PurposeRollback {
		if s.memory.Rollback != nil {
			s.endRollback("the rollback failed: " + message)
		}
		return nil
	}
	inputs := inputsOf(s.memory, d)
	if s.Want.Family && s.content.known && s.content.hash != d.Hash {
		// There is a newer base to try the same images with.
		inputs = ""
	}
	remember(s.memory, ecsv1alpha1.FailedContent{
		Hash: d.Hash, Inputs: inputs, Class: class, Message: shorten(message, maxFailedMessage), At: seconds(s.Now),
	})
	s.failure = failureOf(class, message, evidence, ours)
	s.failure.Service, s.failure.At = s.memory.Name, seconds(s.Now)
	return nil
}

// endedByUs says that d ended because we, or somebody through us, wanted it to.
func (s *situation) endedByUs(d *ecsv1alpha1.DeploymentStatus, ours *ServiceDeployment) bool {
	if condemned(failed(s.memory, d.Hash)) {
		return true
	}
	r := s.memory.Rollback
	byItself := ours != nil && (ours.BreakerTriggered || len(ours.Alarms) > 0)
	return r != nil && r.Stopped && !byItself && d.Purpose != ecsv1alpha1.PurposeRollback
}

// evidence is why d failed, nil when that could not be read, and what is to be said about that;
// wait says that it is to be waited for.
func (s *situation) evidence(d *ecsv1alpha1.DeploymentStatus, ours *ServiceDeployment) (e *Evidence, unread string, wait bool) {
	if !s.Facts.EvidenceAt.IsZero() {
		return s.Facts.Evidence, "", false
	}
	s.need.Evidence, s.need.ID, s.need.Revision, s.need.Since = true, d.ServiceDeployment, d.Revision, d.Started.Time
	p := s.Facts.Problem
	switch {
	case p == nil:
		return nil, "", true
	case p.Class == ProblemThrottled && s.Now.Before(s.failedAt(d, ours).Add(evidenceWait)):
		return nil, "", true
	default:
		return nil, "its tasks and events could not be read: " + p.Message, false
	}
}

// failedAt is when d failed, or some time before where that cannot be told.
func (s *situation) failedAt(d *ecsv1alpha1.DeploymentStatus, ours *ServiceDeployment) time.Time {
	switch {
	case ours != nil && !ours.Finished.IsZero():
		return ours.Finished
	case s.primary.Revision != d.Revision && s.primary.Created.After(d.Started.Time):
		return s.primary.Created
	case ours != nil && ours.Status == "IN_PROGRESS":
		return d.Progressed.Add(s.Policy.ProgressDeadline)
	default:
		return d.Progressed.Time
	}
}

// failureOf is a failure with all that is known of it, as long as the API takes it.
func failureOf(class ecsv1alpha1.FailureClass, message string, e *Evidence, ours *ServiceDeployment) *ecsv1alpha1.Failure {
	f := &ecsv1alpha1.Failure{Class: class, Message: shorten(message, maxMessage)}
	if e != nil {
		for _, t := range e.Tasks[:min(len(e.Tasks), maxEvidence)] {
			f.Tasks = append(f.Tasks, boundedTask(t))
		}
		f.Events = boundedEvents(e.Events)
		for _, t := range e.Targets[:min(len(e.Targets), maxEvidence)] {
			t.TargetGroup, t.Target, t.State = shorten(t.TargetGroup, 64), shorten(t.Target, 128), shorten(t.State, 64)
			t.Reason, t.Description = shorten(t.Reason, 64), shorten(t.Description, 256)
			f.UnhealthyTargets = append(f.UnhealthyTargets, t)
		}
	}
	if ours == nil {
		return f
	}
	if ours.BreakerTriggered || ours.FailedTasks > 0 {
		f.CircuitBreaker = &ecsv1alpha1.CircuitBreakerCount{Failed: ours.FailedTasks, Threshold: ours.Threshold}
	}
	for _, alarm := range ours.Alarms[:min(len(ours.Alarms), maxAlarms)] {
		f.Alarms = append(f.Alarms, shorten(alarm, 255))
	}
	return f
}

// boundedEvents are events, as many and as long as the API takes them; nil for none.
func boundedEvents(events []ecsv1alpha1.ServiceEvent) (bounded []ecsv1alpha1.ServiceEvent) {
	for _, event := range events[:min(len(events), maxEvidence)] {
		bounded = append(bounded, ecsv1alpha1.ServiceEvent{At: whole(event.At), Message: shorten(event.Message, 512)})
	}
	return bounded
}

// LacksEvents says that a failure is that of the deployment which is remembered of a service, and was recorded
// without events so lately that the service may not have shown them: what DescribeServices tells lags some seconds
// behind ECS's record of a deployment. Of a deployment that we have stopped since, the events are our own doing.
func LacksEvents(f *ecsv1alpha1.Failure, m *ecsv1alpha1.ServiceStatus, now time.Time) bool {
	d := m.Deployment
	if f == nil || f.Service != m.Name || len(f.Events) > 0 || now.Before(f.At.Time) || !now.Before(f.At.Add(eventsLag)) ||
		d == nil || d.Outcome != ecsv1alpha1.DeploymentFailed || d.Purpose == ecsv1alpha1.PurposeRollback || m.Rollback != nil && m.Rollback.Stopped {
		return false
	}
	known := failed(m, d.Hash)
	return known != nil && !condemned(known) && known.Class == f.Class && known.At.Equal(&f.At)
}

// WithEvents is a failure with the events of its service that have been found since.
func WithEvents(f ecsv1alpha1.Failure, events []ecsv1alpha1.ServiceEvent) ecsv1alpha1.Failure {
	f.Events = boundedEvents(events)
	return f
}

// boundedTask is t, as long as the API takes it.
func boundedTask(t ecsv1alpha1.StoppedTask) ecsv1alpha1.StoppedTask {
	bounded := ecsv1alpha1.StoppedTask{
		ID: shorten(t.ID, 64), StopCode: shorten(t.StopCode, 64), Reason: shorten(t.Reason, 512), StoppedAt: whole(t.StoppedAt),
	}
	for _, r := range t.Results[:min(len(t.Results), maxResults)] {
		r.Container, r.Reason, r.Health = shorten(r.Container, 255), shorten(r.Reason, 512), shorten(r.Health, 32)
		bounded.Results = append(bounded.Results, r)
	}
	return bounded
}

// whole is t as the API stores it.
func whole(t metav1.Time) metav1.Time {
	if t.IsZero() {
		return metav1.Time{}
	}
	return seconds(t.Time)
}

// foundIn says that text holds one of parts, in whatever case.
func foundIn(text string, parts ...string) bool {
	text = strings.ToLower(text)
	for _, p := range parts {
		if strings.Contains(text, strings.ToLower(p)) {
			return true
		}
	}
	return false
}

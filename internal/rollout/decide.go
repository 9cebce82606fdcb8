package rollout

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

const (
	// visible is how long ECS may take to show what was done: an earlier look that shows
	// nothing of it proves nothing.
	visible = time.Minute
	// skew is by how much AWS's clock may be behind ours.
	skew = 10 * time.Second
)

// rules are asked in this order; the first that answers decides. A rule that returns nil may
// have learned something first: it then wrote it to the memory.
var rules = []rule{
	// Can the service be seen, and is it one that we can bring anything to?
	notLookedAt,
	notObservable,
	notActive,
	notOurKind,
	noPrimary,

	// Did the call that was announced last happen?
	registrationPending,
	updatePending,
	stopPending,
	continuePending,

	// What is it that the service should run?
	earlierWorldShown,
	worldNoticed,

	// What became of the deployment that we started last?
	serviceRecreated,
	deploymentCondemned,
	deploymentTriedAgain,
	deploymentNotLookedUp,
	deploymentNotRecorded,
	deploymentSucceeded,
	deploymentRolledBack,
	deploymentStopped,
	deploymentLate,

	// Is it to be ended, or to go on?
	hookDecided,
	comingBack,
	deploymentPaused,
	deploymentInProgress,

	// Is there anything to do?
	displacementNoticed,
	inSync,
	failedBefore,
	failedForOthers,
	deployedByOthers,
	driftStands,

	// May it be done now?
	wantUnfulfillable,
	contentUnknown,
	leftAlone,
	stepRefused,
	cannotProgress,
	startBlocked,
	startSuspended,
	rollbackInProgress,

	start,
}

// Decide says which state the service is in, what the next step is and when to look again. It
// depends on its input alone and may be asked again with the memory that it returned: with the
// same input otherwise it returns that memory unchanged, so a settled service costs no write.
//
// A step is to be announced (Announce) and that written down before it is taken, and its result
// recorded (Registered, Updated, Restarted, Stopped, Continued, or NotDone, Refused, Withdrawn).
// One without a recorded result is resolved here by looking.
func Decide(in Input) Decision {
	s := situate(in)
	a := s.decide()
	if !a.keep {
		transition(s.memory, a.state, a.reason, clauses(a.message, s.note), in.Now)
	}
	if s.awaiting != nil {
		s.awaiting.Since = s.memory.Since
	}
	return Decision{
		Memory: *s.memory, Step: a.step, Look: a.look, InFlight: a.inFlight, Failure: s.failure, Awaiting: s.awaiting,
	}
}

// Needs says which look-ups the decision about in depends on and in does not hold. What else is
// needed may depend on what was found, the base first: make the look-ups, add what they gave to
// in, and ask again until there is none. A look-up that was tried and gave nothing but a problem is
// asked for again: that ends the asking.
func Needs(in Input) Need {
	s := situate(in)
	s.decide()
	return s.need
}

// rule is one line of the decision: an answer, or nil where it does not apply.
type rule func(*situation) *answer

// answer is what a rule says about the service.
type answer struct {
	state    ecsv1alpha1.ServiceState
	reason   string
	message  string
	step     Step
	look     time.Duration
	inFlight bool
	// keep leaves state, reason and message as they are remembered.
	keep bool
}

// situation is an input while it is decided about.
type situation struct {
	Input
	// memory is what is remembered, as the rules rewrite it.
	memory *ecsv1alpha1.ServiceStatus
	// primary is the view's primary deployment; nil when there is none.
	primary *Deployment
	// content is what the service should run.
	content content
	// succeeded says that our deployment was just found to have succeeded.
	succeeded bool
	// returned says that a rollback was just found to have ended.
	returned bool
	// failure is why our deployment failed, if that was just found.
	failure *ecsv1alpha1.Failure
	// awaiting is the hook of our deployment that waits for a person.
	awaiting *ecsv1alpha1.Awaiting
	// note is what is to be said whatever the answer is.
	note string
	// need is what the rules asked for and did not find.
	need Need
}

func situate(in Input) *situation {
	s := &situation{Input: in, memory: in.Memory.DeepCopy()}
	if in.View != nil {
		s.primary = in.View.Primary()
	}
	return s
}

// decide asks the rules in turn. The last one always answers.
func (s *situation) decide() *answer {
	for _, r := range rules {
		if a := r(s); a != nil {
			return a
		}
	}
	return &answer{keep: true}
}

// flying is our deployment while its outcome is open, else nil.
func (s *situation) flying() *ecsv1alpha1.DeploymentStatus {
	if d := s.memory.Deployment; d != nil && d.Outcome == "" {
		return d
	}
	return nil
}

// releasing says that the service is to be brought to the content, and neither back nor nowhere.
func (s *situation) releasing() bool { return s.Goal == "" || s.Goal == GoalRelease }

// sameInputs says that what is remembered is about the images that are asked for now.
func (s *situation) sameInputs() bool {
	return s.Want.Inputs != "" && s.memory.Inputs == s.Want.Inputs
}

// looked is the answer for a service that is to be looked at again at the fast cadence.
func (s *situation) looked(state ecsv1alpha1.ServiceState, reason, message string) *answer {
	return &answer{state: state, reason: reason, message: message, look: s.Timing.Fast, inFlight: true}
}

// unlooked is the answer when a look-up that is needed gave nothing. A denial is for a person;
// what passes by itself is asked again at the fast cadence.
func (s *situation) unlooked(what string) *answer {
	p := s.Facts.Problem
	if p == nil {
		return s.looked(ecsv1alpha1.ServiceUnknown, ecsv1alpha1.ReasonObserving, what)
	}
	return s.problematic(p)
}

// problematic is the answer when something of the service cannot be seen because of p.
func (s *situation) problematic(p *Problem) *answer {
	if !p.Delay() {
		return &answer{state: ecsv1alpha1.ServiceUnknown, reason: p.Reason, message: p.Message}
	}
	a := s.looked(ecsv1alpha1.ServiceUnknown, ecsv1alpha1.ReasonObservationFailed, p.Message)
	a.look = max(a.look, p.RetryAfter)
	a.inFlight = s.memory.Intent != nil || s.flying() != nil
	// A look-up that waits for its share of a quota is no news of a service that can be seen and is
	// not said to be well.
	underWay := s.memory.State == ecsv1alpha1.ServiceOutOfSync || s.memory.State == ecsv1alpha1.ServiceDeploying
	a.keep = p == s.Facts.Problem && p.Class == ProblemThrottled && underWay
	return a
}

// take is a with the step, unless nothing at all may be changed now: a then says why. nil stays nil.
func (s *situation) take(a *answer, step Step) *answer {
	switch {
	case a == nil:
	case s.Barred != nil:
		a.message = clauses(a.message, "waits: "+s.Barred.Message)
	case s.Policy.Suspended:
		a.reason = ecsv1alpha1.ReasonSuspended
		a.message = clauses(a.message, "waits: the release is suspended")
	default:
		a.step = step
	}
	return a
}

// transition puts state, reason and message in m. since moves only with the state.
func transition(m *ecsv1alpha1.ServiceStatus, state ecsv1alpha1.ServiceState, reason, message string, now time.Time) {
	if m.State != state {
		m.State, m.Since = state, seconds(now)
	}
	m.Reason, m.Message = reason, shorten(message, maxMessage)
}

// seconds is t as the API stores it.
func seconds(t time.Time) metav1.Time { return metav1.NewTime(t.Truncate(time.Second)) }

// micros is t as the API stores it where order matters.
func micros(t time.Time) metav1.MicroTime { return metav1.NewMicroTime(t.Truncate(time.Microsecond)) }

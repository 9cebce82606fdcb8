package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Placed is a service with the target that names it.
type Placed struct {
	Target string
	Wave   int32
	Status ecsv1alpha1.ServiceStatus
	// Problem is why what is asked of the service cannot be had; nil where it can. A service in which
	// something older is in flight says so only here.
	Problem *Problem
}

// String is the service as messages spell it: target/service.
func (p Placed) String() string { return p.Target + "/" + p.Status.Name }

// Release is everything that the verdict about a release depends on.
type Release struct {
	Now time.Time
	// Image is what it deploys, for messages.
	Image string
	// Services are all its services, in the order of the spec.
	Services []Placed
	// Blocked is a problem of the release as a whole: its environment, a conflict, an entry of
	// containers without use. Not what Preflight says, which shows in the services.
	Blocked *Problem
	// Undecided is what could not be judged of a release that was not Ready before. It does nothing but
	// keep it from being so.
	Undecided *Problem
	Suspended bool
	// Campaign is how far its waves are, and Checks how far the checks of its targets.
	Campaign Campaign
	Checks   map[string]Check
	// OnFailure is what follows a failure.
	OnFailure ecsv1alpha1.FailurePolicy
	// Hold is the release that is held; nil: none.
	Hold *ecsv1alpha1.Hold
	// Recorded is the failure as it is written down; nil: none.
	Recorded *ecsv1alpha1.Failure
	// ImageProblem is what is wrong with the image somewhere; nil: nothing known. Judge finds
	// one that only a service tells of.
	ImageProblem *Problem
	// ImageTarget is the target where ImageProblem was seen.
	ImageTarget string
	// ImageChecked says that the image was looked for wherever it is needed.
	ImageChecked bool
	// ImageMissingSince is when it was first missing from a region; zero: it is not.
	ImageMissingSince time.Time
	// ImageDeadline is how long it may be missing.
	ImageDeadline time.Duration
}

// Condition is a condition of a release but for its generation and transition time.
type Condition struct {
	Status  metav1.ConditionStatus
	Reason  string
	Message string
}

// Verdict is what is to be said about a release. PhaseRow says which conditions are there;
// Reconciling and Stalled carry the verdict's reason and message too.
type Verdict struct {
	PhaseRow
	// ReadyCondition is the condition Ready.
	ReadyCondition Condition
	// ImageAvailable and Deployed are the conditions of these names.
	ImageAvailable Condition
	Deployed       Condition
	// Verified is the condition of this name; nil where there are no checks.
	Verified *Condition
	// Held and Drifted are the conditions of these names; nil where they are not to be there.
	Held    *Condition
	Drifted *Condition
	// Failure is why the release failed; nil while it has not.
	Failure *ecsv1alpha1.Failure
	// Services and ReadyServices count, Progress says both for people.
	Services      int32
	ReadyServices int32
	Progress      string
	// Adopted says that the release is ready and nothing had to be changed for it.
	Adopted bool
	// Back says that the release failed, that it touched something, and that all of it is back on
	// its proven revisions.
	Back bool
	// Look is when the verdict may change by time alone; 0: it does not.
	Look time.Duration
}

// Judge says how a release is, from how its services are. Nothing is said twice in different
// words: all that the conditions say comes from one phase.
func Judge(r Release) Verdict {
	r = r.completed()
	v := Verdict{Services: int32(len(r.Services))} //nolint:gosec // a release has at most 128 services
	for _, p := range r.Services {
		if stand(p.Status) == standingReady {
			v.ReadyServices++
		}
	}
	v.Progress = fmt.Sprintf("%d/%d services", v.ReadyServices, v.Services)
	phase, reason, seen := r.phase()
	v.PhaseRow = phase.Row()
	v.ReadyCondition = Condition{Status: v.Ready, Reason: cmp.Or(reason, string(phase)), Message: r.message(phase, seen)}
	v.ImageAvailable = r.imageAvailable()
	v.Deployed = r.deployed(v)
	v.Verified, v.Held, v.Drifted = r.verified(), r.held(), r.drifted()
	v.Failure = r.failure(phase)
	v.Back = r.back()
	v.Adopted = len(r.Services) > 0 && r.standing() == standingReady && !slices.ContainsFunc(r.Services, func(p Placed) bool {
		return p.Status.Source != ecsv1alpha1.SourceAdopted
	})
	// An image that is missing for too long is said of a release that is suspended, too.
	if (phase == PhaseWaiting || phase == PhaseSuspended) && !r.ImageMissingSince.IsZero() && !r.imageLate() {
		v.Look = r.ImageMissingSince.Add(r.ImageDeadline).Sub(r.Now)
	}
	// A wave bakes to its end under whatever else is said of the release.
	if waits, _, look := r.Campaign.waits(r.Services, r.Checks, r.Now); (waits == PhaseBaking || waits == phase) && look > 0 && (v.Look == 0 || look < v.Look) {
		v.Look = look
	}
	return v
}

// completed is r with the image's problem taken from a service where only that tells of it, and
// with an image that is missing for too long called that.
func (r Release) completed() Release {
	if r.ImageProblem == nil {
		for _, p := range r.Services {
			if imageReason(p.Status.Reason) && stand(p.Status) != standingReady {
				r.ImageProblem = &Problem{Class: ProblemRefused, Reason: p.Status.Reason, Message: p.Status.Message}
				r.ImageTarget = p.Target
				break
			}
			if p.Problem != nil && imageReason(p.Problem.Reason) && p.Status.State == ecsv1alpha1.ServiceDeploying {
				r.ImageProblem, r.ImageTarget = p.Problem, p.Target
				break
			}
		}
	}
	if p := r.ImageProblem; p != nil && p.Reason == ecsv1alpha1.ReasonImageNotFound && r.imageLate() {
		r.ImageProblem = &Problem{Class: p.Class, Reason: ecsv1alpha1.ReasonImageMissing, Message: clauses(p.Message,
			fmt.Sprintf("missing since %s, longer than the image deadline of %s",
				r.ImageMissingSince.UTC().Format(time.RFC3339), r.ImageDeadline),
			"goes on by itself when it arrives")}
	}
	return r
}

func (r Release) imageLate() bool {
	return !r.ImageMissingSince.IsZero() && !r.Now.Before(r.ImageMissingSince.Add(r.ImageDeadline))
}

// phase is the phase of a completed r, its reason, and what a problem of the release as a whole
// says. Ready comes before what is wrong with an image that runs everywhere already; what needs
// somebody to act comes before what only takes time, suspension included.
func (r Release) phase() (phase Phase, reason, seen string) {
	switch {
	case r.Blocked != nil && r.Blocked.Delay():
		return PhaseObserving, ecsv1alpha1.ReasonObservationFailed, r.Blocked.Message
	case r.Blocked != nil:
		return PhaseBlocked, r.Blocked.Reason, r.Blocked.Message
	case len(r.Services) == 0:
		return PhaseObserving, ecsv1alpha1.ReasonObserving, ""
	case r.standing() == standingReady && r.Undecided != nil:
		return PhaseObserving, ecsv1alpha1.ReasonObservationFailed, r.Undecided.Message
	case r.standing() == standingReady && r.Hold != nil:
		return PhaseHeld, ecsv1alpha1.ReasonHeld, r.held().Message
	case r.standing() == standingReady && r.Campaign.finished():
		return PhaseReady, r.readyReason(), ""
	}
	if phase, reason, seen := r.stalled(); phase != "" {
		return phase, reason, seen
	}
	return r.waiting()
}

// stalled is the phase of a release that somebody has to do something about, else "".
func (r Release) stalled() (phase Phase, reason, seen string) {
	image := r.imageReason()
	switch at := r.standing(); {
	case at == standingFailed && r.goesBack():
		return PhaseRollingBack, ecsv1alpha1.ReasonRollingBack, r.cause()
	case at == standingFailed:
		return PhaseFailed, r.failedReason(), r.cause()
	case image == ecsv1alpha1.ReasonImageMissing:
		return PhaseFailed, image, r.ImageProblem.Message
	case at == standingBlocked:
		return PhaseBlocked, r.worst().Status.Reason, ""
	case reasonStanding(image, standingReady) == standingBlocked:
		return PhaseBlocked, image, r.ImageProblem.Message
	default:
		return "", "", ""
	}
}

// waiting is the phase of a release that is not ready and not stalled.
func (r Release) waiting() (phase Phase, reason, seen string) {
	worst := r.worst().Status.Reason
	switch at := r.standing(); {
	case r.Suspended:
		return PhaseSuspended, ecsv1alpha1.ReasonSuspended, "the release is suspended"
	case r.imageReason() == ecsv1alpha1.ReasonImageNotFound:
		return PhaseWaiting, ecsv1alpha1.ReasonImageNotFound, r.ImageProblem.Message
	case at == standingReady || r.onlyWaves():
		return r.wavesPhase()
	case at == standingAwaiting:
		return PhaseAwaiting, ecsv1alpha1.ReasonAwaitingAction, ""
	case at == standingUnknown:
		return PhaseObserving, cmp.Or(worst, ecsv1alpha1.ReasonObserving), ""
	case worst == ecsv1alpha1.ReasonRollbackInProgress:
		return PhaseProgressing, ecsv1alpha1.ReasonRollbackInProgress, ""
	default:
		return PhaseProgressing, ecsv1alpha1.ReasonProgressing, ""
	}
}

// onlyWaves says that every service that does not run the image waits for its wave to open.
func (r Release) onlyWaves() bool {
	return !slices.ContainsFunc(r.ranked(), func(p Placed) bool {
		return stand(p.Status) != standingProgressing || p.Status.State != ecsv1alpha1.ServiceOutOfSync ||
			r.Campaign.Gate(p.Wave, r.Services) == nil
	})
}

// wavesPhase is the phase of a release that only its waves hold up.
func (r Release) wavesPhase() (phase Phase, reason, seen string) {
	phase, seen, _ = r.Campaign.waits(r.Services, r.Checks, r.Now)
	switch phase {
	case PhaseFailed:
		return phase, string(r.Campaign.Failed), seen
	case PhaseWaiting, PhaseBlocked:
		return phase, r.Campaign.Closed.Reason, seen
	case PhaseAwaiting:
		return phase, ecsv1alpha1.ReasonAwaitingApproval, seen
	case PhaseVerifying:
		return phase, ecsv1alpha1.ReasonVerifying, seen
	case PhaseBaking:
		return phase, ecsv1alpha1.ReasonBaking, seen
	default:
		return PhaseProgressing, ecsv1alpha1.ReasonProgressing, ""
	}
}

// goesBack says that something of a release that failed is, or is about to be, brought back.
func (r Release) goesBack() bool {
	return slices.ContainsFunc(r.Services, func(p Placed) bool {
		switch m := p.Status; m.State {
		case ecsv1alpha1.ServiceRollingBack:
			return !r.Suspended
		case ecsv1alpha1.ServiceRolledBack, ecsv1alpha1.ServiceRollbackFailed:
			return false
		default:
			return r.OnFailure != ecsv1alpha1.FailureHold && !r.Suspended && m.Proven != nil && Touched(m)
		}
	})
}

// toGoBack names the services that run the image still and are to be brought back.
func (r Release) toGoBack() string {
	var names []string
	for _, p := range r.Services {
		if stand(p.Status) != standingFailed && p.Status.Proven != nil && Touched(p.Status) {
			names = append(names, p.String())
		}
	}
	return strings.Join(names, ", ")
}

// back says that something was brought back, and that nothing of the release is left to be.
func (r Release) back() bool {
	var back bool
	for _, p := range r.Services {
		switch p.Status.State {
		case ecsv1alpha1.ServiceRolledBack:
			back = true
		case ecsv1alpha1.ServiceFailed, ecsv1alpha1.ServiceRollbackFailed, ecsv1alpha1.ServiceRollingBack:
			return false
		case ecsv1alpha1.ServiceInSync:
			if Touched(p.Status) {
				return false // it has nothing to go back to
			}
		default:
		}
	}
	return back
}

// failedReason is the reason of a release that failed: a rollback that failed too comes first, and
// then what it failed of.
func (r Release) failedReason() string {
	if r.worst().Status.State == ecsv1alpha1.ServiceRollbackFailed {
		return ecsv1alpha1.ReasonRollbackFailed
	}
	if r.Recorded != nil {
		return string(r.Recorded.Class)
	}
	return r.worst().Status.Reason
}

// cause is what the release failed of, for a message; "" where the services say it.
func (r Release) cause() string {
	f := r.Recorded
	if f == nil {
		return ""
	}
	where := f.Target
	if f.Service != "" {
		where += "/" + f.Service
	}
	return fmt.Sprintf("failed (%s) at %s: %s", f.Class, where, f.Message)
}

// imageReason is the reason of what is known to be wrong with the image; "" when nothing is.
func (r Release) imageReason() string {
	if r.ImageProblem == nil || r.ImageProblem.Delay() {
		return ""
	}
	return r.ImageProblem.Reason
}

// standing is the worst standing among the services.
func (r Release) standing() standing {
	at := standingReady
	for _, p := range r.Services {
		at = max(at, stand(p.Status))
	}
	return at
}

// ranked are the services that are not in sync, the worst first, else in the order of the spec.
func (r Release) ranked() []Placed {
	var bad []Placed
	for _, p := range r.Services {
		if stand(p.Status) != standingReady {
			bad = append(bad, p)
		}
	}
	slices.SortStableFunc(bad, func(a, b Placed) int {
		return cmp.Or(cmp.Compare(stand(b.Status), stand(a.Status)), cmp.Compare(urgency(b.Status), urgency(a.Status)))
	})
	return bad
}

// urgency orders services of the same standing: one that ECS works on tells more than one that
// waits, and one that is in the way of itself more than both.
func urgency(m ecsv1alpha1.ServiceStatus) int {
	switch {
	case m.State == ecsv1alpha1.ServiceRollbackFailed:
		return 4
	case m.State == ecsv1alpha1.ServiceFailed:
		return 3
	case m.Reason == ecsv1alpha1.ReasonRollbackInProgress, m.State == ecsv1alpha1.ServiceRollingBack:
		return 2
	case m.State == ecsv1alpha1.ServiceDeploying:
		return 1
	case m.Reason == ecsv1alpha1.ReasonWaveNotOpen:
		return -1
	default:
		return 0
	}
}

// worst is the service that its release is judged by; zero when all are in sync.
func (r Release) worst() Placed {
	if bad := r.ranked(); len(bad) > 0 {
		return bad[0]
	}
	return Placed{}
}

// readyReason is the reason of a release whose services are all in sync.
func (r Release) readyReason() string {
	for _, p := range r.Services {
		if p.Status.Reason == ecsv1alpha1.ReasonScaledToZero {
			return ecsv1alpha1.ReasonScaledToZero
		}
	}
	return ecsv1alpha1.ReasonReleased
}

// message sums the release up: how many services run the image, what is wrong with the release,
// then the services that do not, the worst first with all that is known of it.
func (r Release) message(phase Phase, seen string) string {
	bad := r.ranked()
	said := fmt.Sprintf("%d/%d services run %s", len(r.Services)-len(bad), len(r.Services), r.Image)
	if seen != "" {
		said = seen + "; " + said
	}
	if phase == PhaseReady {
		return shorten(clauses(said, r.without()), maxMessage)
	}
	if r.Blocked != nil {
		return shorten(said, maxMessage)
	}
	if waits := r.toGoBack(); phase == PhaseRollingBack && waits != "" {
		said += "; still to go back: " + waits
	}
	for i, p := range bad {
		part := "; " + p.String() + ": " + describe(p.Status, i == 0, seen)
		more := fmt.Sprintf("; and %d more", len(bad)-i)
		if i > 0 && len(said)+len(part)+len(more) > maxMessage {
			return shorten(said+more, maxMessage)
		}
		said += part
	}
	return shorten(said, maxMessage)
}

// describe is a service's state for a release's message, wholly without what that has said already.
func describe(m ecsv1alpha1.ServiceStatus, wholly bool, before string) string {
	said := string(cmp.Or(m.State, ecsv1alpha1.ServiceUnknown))
	if m.Reason != "" && m.Reason != said && m.Reason != ecsv1alpha1.ReasonProgressing {
		said += " (" + m.Reason + ")"
	}
	if more := unsaid(m.Message, before); wholly && more != "" {
		said += ", " + more
	}
	return said
}

// unsaid is a message without the clauses that were said before.
func unsaid(message, before string) string {
	var rest []string
	for clause := range strings.SplitSeq(message, "; ") {
		if before == "" || !strings.Contains(before, strings.TrimPrefix(clause, "waits: ")) {
			rest = append(rest, clause)
		}
	}
	return strings.Join(rest, "; ")
}

// without names the services that run no tasks: what they are in place for, they do not do.
func (r Release) without() string {
	var zero, none []string
	for _, p := range r.Services {
		switch p.Status.Reason {
		case ecsv1alpha1.ReasonScaledToZero:
			zero = append(zero, p.String())
		case ecsv1alpha1.ReasonNoTasks:
			none = append(none, p.String())
		}
	}
	said := func(names []string, what string) string {
		if len(names) == 0 {
			return ""
		}
		return what + strings.Join(names, ", ")
	}
	return clauses(said(zero, "scaled to zero, so nothing is proven there: "), said(none, "no task runs, though some are wanted: "))
}

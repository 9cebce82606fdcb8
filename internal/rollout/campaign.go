package rollout

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Campaign is a release on its way through its waves.
type Campaign struct {
	// Number is the number of the release in history. Approvals are for one number only.
	Number int64
	// Waves are the waves as remembered, in their order.
	Waves []ecsv1alpha1.WaveStatus
	// Approval says which waves wait for a person.
	Approval ecsv1alpha1.ApprovalPolicy
	// Bake is how long a wave is left alone before the next opens.
	Bake time.Duration
	// Checked says that targets have checks to pass.
	Checked bool
	// Failed is the class of what the release failed of (Ledger.Ended): no wave opens any more until
	// a retry, whatever became of the targets that it failed at.
	Failed ecsv1alpha1.FailureClass
	// Held says that a release of the past is held: it goes everywhere at once.
	Held bool
	// Closed is why the environment lets no release start now; nil when it does. A release under way,
	// and one that is held, are not bound by it.
	Closed *Problem
	// UnderWay says that history does not know yet how the release ends.
	UnderWay bool
}

// Check is how far a target's checks are.
type Check struct {
	// Passed is when the target passed all of them; nil: it has not.
	Passed *metav1.Time
	// Message is what is missing, for people.
	Message string
	// Late says that they did not pass in time.
	Late bool
}

// status is what is remembered of a wave; the zero wave when nothing is.
func (c Campaign) status(wave int32) ecsv1alpha1.WaveStatus {
	for _, w := range c.Waves {
		if w.Wave == wave {
			return w
		}
	}
	return ecsv1alpha1.WaveStatus{Wave: wave}
}

// started says that a wave of a release that has not come to its end has opened: its other waves, and
// what is left of this one, are no new start.
func (c Campaign) started() bool {
	return c.UnderWay && slices.ContainsFunc(c.Waves, func(w ecsv1alpha1.WaveStatus) bool { return w.Opened != nil })
}

// Gate is why nothing may be started in a wave, nil when it is open. A wave that has opened stays
// open: a region that is down, or a service that is brought back to the image, does not hold up
// the others again. Once the release has come to its end, whatever is corrected is a new start.
func (c Campaign) Gate(wave int32, services []Placed) *Problem {
	switch {
	case c.Held:
		return nil
	case c.Failed != "":
		return &Problem{
			Class: ProblemRefused, Reason: ecsv1alpha1.ReasonWaveNotOpen,
			Message: fmt.Sprintf("release %d failed (%s): nothing more of it is started until another image is asked for, or a retry", c.Number, c.Failed),
		}
	case c.Closed != nil && !c.started():
		return c.Closed
	case c.status(wave).Opened != nil:
		return nil
	}
	for _, earlier := range wavesOf(services) {
		if earlier >= wave {
			break
		}
		if why := c.unfinished(earlier, services); why != "" {
			return &Problem{
				Class: ProblemRefused, Reason: ecsv1alpha1.ReasonWaveNotOpen,
				Message: fmt.Sprintf("wave %d opens after wave %d: %s", wave, earlier, why),
			}
		}
	}
	if c.asks(wave, services) && c.status(wave).Approved == nil {
		said := fmt.Sprintf("wave %d waits for approval", wave)
		if id := c.ID(wave); id != "" {
			said += fmt.Sprintf(": annotate the release with %s=%s", ecsv1alpha1.AnnotationApprove, id)
		}
		return &Problem{Class: ProblemRefused, Reason: ecsv1alpha1.ReasonAwaitingApproval, Message: said}
	}
	return nil
}

// unfinished is why the waves after wave may not open; "" when they may.
func (c Campaign) unfinished(wave int32, services []Placed) string {
	var ready, all int
	for _, p := range services {
		if p.Wave != wave {
			continue
		}
		all++
		if arrived(p) {
			ready++
		}
	}
	status := c.status(wave)
	switch {
	case ready < all:
		return fmt.Sprintf("%d/%d services run the image", ready, all)
	case status.Finished != nil:
		return ""
	case c.Checked && status.Verified == nil:
		return "it is being verified"
	default:
		return "it bakes"
	}
}

// asks says that a wave is to be approved before it opens.
func (c Campaign) asks(wave int32, services []Placed) bool {
	switch c.Approval {
	case ecsv1alpha1.ApprovalEveryWave:
		return true
	case ecsv1alpha1.ApprovalFirstWave:
		return wave == wavesOf(services)[0]
	default:
		return false
	}
}

// ID is what approves a wave of this release and nothing else; "" before it waits for approval. Its
// end comes from when it began to wait, so that it cannot be approved in advance: an annotation
// that somebody left, or restored, never has it already.
func (c Campaign) ID(wave int32) string {
	return waveID(c.Number, c.status(wave))
}

func waveID(release int64, w ecsv1alpha1.WaveStatus) string {
	if w.Asked == nil {
		return ""
	}
	return fmt.Sprintf("r%d-wave-%d-%s", release, w.Wave, strconv.FormatInt(w.Asked.Unix()%(36*36*36*36), 36))
}

// Advance is the waves after a look at services: which have opened, arrived, passed their checks
// and baked. blocked says that something keeps the whole release from starting. With the same
// arguments again it returns the same.
func (c Campaign) Advance(services []Placed, checks map[string]Check, blocked bool, now time.Time) []ecsv1alpha1.WaveStatus {
	var waves []ecsv1alpha1.WaveStatus
	at := seconds(now)
	for _, wave := range wavesOf(services) {
		members := ofWave(services, wave)
		w := c.status(wave)
		synced := !slices.ContainsFunc(members, func(p Placed) bool { return !arrived(p) })
		switch gate := c.Gate(wave, services); {
		case w.Opened != nil || synced || blocked:
		case gate == nil:
			w.Opened = &at
		case gate.Reason == ecsv1alpha1.ReasonAwaitingApproval && w.Asked == nil:
			w.Asked = &at
		}
		switch {
		case synced && w.Synced == nil:
			w.Synced = &at
		case slices.ContainsFunc(members, gone):
			w.Synced, w.Verified, w.Finished = nil, nil, nil
		}
		if w.Synced != nil && c.Checked && w.Verified == nil && passed(members, checks) {
			w.Verified = &at
		}
		if until, ok := c.baked(w); w.Finished == nil && ok && !now.Before(until) {
			w.Finished = &at
		}
		waves = append(waves, w)
		c.Waves = append(slices.Clone(waves), later(c.Waves, wave)...)
	}
	return waves
}

// later are the waves after wave.
func later(waves []ecsv1alpha1.WaveStatus, wave int32) []ecsv1alpha1.WaveStatus {
	return slices.DeleteFunc(slices.Clone(waves), func(w ecsv1alpha1.WaveStatus) bool { return w.Wave <= wave })
}

// baked is until when a wave bakes; false when it is not so far. A wave in which nothing had to be
// started has nothing to bake.
func (c Campaign) baked(w ecsv1alpha1.WaveStatus) (time.Time, bool) {
	if w.Synced == nil || (c.Checked && w.Verified == nil) {
		return time.Time{}, false
	}
	from := w.Synced.Time
	if w.Verified != nil && w.Verified.After(from) {
		from = w.Verified.Time
	}
	if w.Opened == nil {
		return from, true
	}
	return from.Add(c.Bake), true
}

// Due are the targets whose checks are to be made now, each with since when its wave runs the
// image.
func (c Campaign) Due(services []Placed, checks map[string]Check) map[string]time.Time {
	due := map[string]time.Time{}
	if !c.Checked {
		return due
	}
	for _, p := range services {
		w := c.status(p.Wave)
		if w.Synced != nil && w.Verified == nil && arrived(p) && checks[p.Target].Passed == nil {
			due[p.Target] = w.Synced.Time
		}
	}
	for _, p := range services {
		if !arrived(p) {
			delete(due, p.Target)
		}
	}
	return due
}

// finished says that every wave has finished.
func (c Campaign) finished() bool {
	return !slices.ContainsFunc(c.Waves, func(w ecsv1alpha1.WaveStatus) bool { return w.Finished == nil })
}

// Awaiting are the waves that wait for approval now.
func (c Campaign) Awaiting(services []Placed) []ecsv1alpha1.Awaiting {
	var awaiting []ecsv1alpha1.Awaiting
	for _, wave := range wavesOf(services) {
		w, gate := c.status(wave), c.Gate(wave, services)
		if gate == nil || gate.Reason != ecsv1alpha1.ReasonAwaitingApproval || w.Synced != nil || w.Asked == nil {
			continue
		}
		awaiting = append(awaiting, ecsv1alpha1.Awaiting{ID: c.ID(wave), Wave: &wave, Since: *w.Asked})
	}
	return awaiting
}

// waits is the phase of a release that only its waves hold up, and what it waits for; "" when
// something else does.
func (c Campaign) waits(services []Placed, checks map[string]Check, now time.Time) (phase Phase, why string, look time.Duration) {
	for _, wave := range wavesOf(services) {
		w := c.status(wave)
		gate := c.Gate(wave, services)
		until, baking := c.baked(w)
		switch {
		case w.Finished != nil:
			continue
		case c.Failed != "" && gate != nil && w.Synced == nil:
			return PhaseFailed, gate.Message, 0
		case gate != nil && gate == c.Closed && w.Synced == nil && reasonStanding(gate.Reason, standingWaiting) == standingBlocked:
			return PhaseBlocked, gate.Message, 0
		case gate != nil && gate == c.Closed && w.Synced == nil:
			return PhaseWaiting, gate.Message, gate.RetryAfter
		case gate != nil && gate.Reason == ecsv1alpha1.ReasonAwaitingApproval && w.Synced == nil:
			return PhaseAwaiting, gate.Message, 0
		case w.Synced == nil:
			return "", "", 0
		case baking:
			return PhaseBaking, fmt.Sprintf("wave %d bakes until %s", wave, until.UTC().Format(time.RFC3339)), max(until.Sub(now), time.Second)
		default:
			return PhaseVerifying, fmt.Sprintf("wave %d is being verified: %s", wave, unverified(ofWave(services, wave), checks)), 0
		}
	}
	return "", "", 0
}

// unverified says what is missing in a wave, target by target.
func unverified(members []Placed, checks map[string]Check) string {
	var parts []string
	for _, target := range targetsOf(members) {
		if check := checks[target]; check.Passed == nil {
			message := check.Message
			if message == "" {
				message = "not checked yet"
			}
			parts = append(parts, target+": "+message)
		}
	}
	return strings.Join(parts, "; ")
}

// passed says that every target of members passed its checks.
func passed(members []Placed, checks map[string]Check) bool {
	return !slices.ContainsFunc(members, func(p Placed) bool { return checks[p.Target].Passed == nil })
}

// arrived says that a service runs the image and is not to be restarted.
func arrived(p Placed) bool { return stand(p.Status) == standingReady }

// gone says that a service is known not to run the image. One that could not be looked at may well run it.
func gone(p Placed) bool { return !arrived(p) && p.Status.State != ecsv1alpha1.ServiceUnknown }

func ofWave(services []Placed, wave int32) []Placed {
	var members []Placed
	for _, p := range services {
		if p.Wave == wave {
			members = append(members, p)
		}
	}
	return members
}

// wavesOf are the waves of services, each once, the first first.
func wavesOf(services []Placed) []int32 {
	var waves []int32
	for _, p := range services {
		waves = append(waves, p.Wave)
	}
	slices.Sort(waves)
	return slices.Compact(waves)
}

// targetsOf are the targets of services, each once, in their order.
func targetsOf(services []Placed) []string {
	var targets []string
	for _, p := range services {
		if !slices.Contains(targets, p.Target) {
			targets = append(targets, p.Target)
		}
	}
	return targets
}

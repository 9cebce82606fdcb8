package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Ledger is what a release remembers as a whole, beside the memory of its services.
type Ledger struct {
	Waves    []ecsv1alpha1.WaveStatus
	Awaiting []ecsv1alpha1.Awaiting
	Hold     *ecsv1alpha1.Hold
	Failure  *ecsv1alpha1.Failure
	History  []ecsv1alpha1.HistoryEntry
	Handled  *ecsv1alpha1.HandledCommands
}

// Orders are the commands of a release and what they depend on.
type Orders struct {
	Now         time.Time
	Annotations map[string]string
	// First says that no controller has seen the release before: its tokens are written down and
	// not acted on.
	First bool
	// Barred is why the release may change nothing; commands but reconcile are then refused.
	Barred *Problem
	// Images are what the spec asks for, as it spells them.
	Images []ecsv1alpha1.ResolvedImage
	// Report says that what somebody else deploys is reported, and not corrected.
	Report bool
	// Services are its services; commands write to their memory.
	Services []Subject
}

// Notice is what became of a command, for an event.
type Notice struct {
	Command string // the annotation's name
	Done    bool
	Message string
}

// maxToken and maxApprove are the longest tokens that status holds, in bytes.
const (
	maxToken   = 256
	maxApprove = 1024
)

// previous is what a hold says instead of a number.
const previous = "previous"

// commandPrefix is what the names of all commands begin with.
const commandPrefix = "ecs.heliumai.space/"

// ObeyHold acts on hold and release-hold, and ends a hold when the spec asks for other images
// than it did when the hold began. It comes before Obey, since what is held is what is asked of
// the services. Each token is acted on once.
func (l *Ledger) ObeyHold(o Orders) []Notice {
	var notices []Notice
	if l.Hold != nil && !sameSpelling(l.Hold.Against, o.Images) {
		notices = append(notices, Notice{ecsv1alpha1.AnnotationHold, true, fmt.Sprintf(
			"the hold on release %d ended: the spec asks for other images since", l.Hold.Number)})
		l.Hold = nil
	}
	handled := l.handled()
	if token, fresh := o.token(ecsv1alpha1.AnnotationHold, &handled.Hold, maxToken); fresh {
		notices = append(notices, o.carry(ecsv1alpha1.AnnotationHold, func() (bool, string) { return l.hold(o, token) }))
	}
	if _, fresh := o.token(ecsv1alpha1.AnnotationReleaseHold, &handled.ReleaseHold, maxToken); fresh {
		notices = append(notices, o.carry(ecsv1alpha1.AnnotationReleaseHold, l.releaseHold))
	}
	l.write(handled)
	return notices
}

// Obey acts on the other commands, in the order in which they take precedence over each other.
// Each token is acted on once; one that cannot be acted on is refused once, with a notice that
// says why.
func (l *Ledger) Obey(o Orders) []Notice {
	handled := l.handled()
	o.token(ecsv1alpha1.AnnotationReconcile, &handled.Reconcile, maxToken)
	var notices []Notice
	obey := func(command string, last *string, limit int, act func(token string) (bool, string)) {
		if token, fresh := o.token(command, last, limit); fresh {
			notices = append(notices, o.carry(command, func() (bool, string) { return act(token) }))
		}
	}
	obey(ecsv1alpha1.AnnotationAbort, &handled.Abort, maxToken, func(token string) (bool, string) { return l.abort(o, token) })
	if ids, fresh := o.token(ecsv1alpha1.AnnotationApprove, &handled.Approve, maxApprove); fresh {
		notices = append(notices, o.carry(ecsv1alpha1.AnnotationApprove, func() (bool, string) { return l.approve(o, ids) }))
		l.askAnew(ids)
	}
	obey(ecsv1alpha1.AnnotationRetry, &handled.Retry, maxToken, func(string) (bool, string) { return l.retry(o) })
	obey(ecsv1alpha1.AnnotationRestart, &handled.Restart, maxToken, func(string) (bool, string) { return l.restart(o) })
	if unknown := o.unknown(); unknown != handled.Unknown {
		if handled.Unknown = unknown; unknown != "" && !o.First {
			notices = append(notices, Notice{"", false, "no such command: " + unknown})
		}
	}
	l.write(handled)
	return notices
}

// handled is a copy of the tokens that were acted on.
func (l *Ledger) handled() *ecsv1alpha1.HandledCommands {
	if l.Handled == nil {
		return &ecsv1alpha1.HandledCommands{}
	}
	return l.Handled.DeepCopy()
}

func (l *Ledger) write(handled *ecsv1alpha1.HandledCommands) {
	if *handled != (ecsv1alpha1.HandledCommands{}) {
		l.Handled = handled
	}
}

// token is the token of a command, and whether it is to be acted on now. It counts as handled
// from here on.
func (o Orders) token(command string, last *string, limit int) (string, bool) {
	token := cut(o.Annotations[command], limit)
	if token == "" || token == *last {
		return token, false
	}
	*last = token
	return token, !o.First
}

// cut is s in at most limit bytes of valid UTF-8.
func cut(s string, limit int) string { return strings.ToValidUTF8(s[:min(len(s), limit)], "") }

// carry acts on a command unless the release may change nothing.
func (o Orders) carry(command string, act func() (bool, string)) Notice {
	if o.Barred != nil {
		return Notice{command, false, "not done: " + o.Barred.Message}
	}
	done, message := act()
	return Notice{command, done, message}
}

// unknown are the annotations of our group that are no command, each with its value.
func (o Orders) unknown() string {
	var names []string
	for name, token := range o.Annotations {
		switch {
		case !strings.HasPrefix(name, commandPrefix) || token == "":
		case slices.Contains(commands, name):
		default:
			names = append(names, name+"="+cut(token, 64))
		}
	}
	slices.Sort(names)
	return cut(strings.Join(names, ","), maxToken)
}

var commands = []string{
	ecsv1alpha1.AnnotationReconcile, ecsv1alpha1.AnnotationRetry, ecsv1alpha1.AnnotationRestart, ecsv1alpha1.AnnotationAbort,
	ecsv1alpha1.AnnotationApprove, ecsv1alpha1.AnnotationHold, ecsv1alpha1.AnnotationReleaseHold, ecsv1alpha1.AnnotationChangeCause,
}

// hold goes to a release of the past and stays there.
func (l *Ledger) hold(o Orders, value string) (bool, string) {
	slash := strings.LastIndex(value, "/")
	if slash <= 0 {
		return false, fmt.Sprintf("hold is <token>/<number> or <token>/previous, got %q", value)
	}
	if l.Hold != nil && value[slash+1:] == previous {
		return false, fmt.Sprintf("release %d is held already: name another one by its number", l.Hold.Number)
	}
	entry, problem := l.past(value[slash+1:])
	if entry == nil {
		return false, problem
	}
	l.Hold = &ecsv1alpha1.Hold{
		Number: entry.Number, Images: slices.Clone(entry.Images), Against: imagesOf(o.Images),
		Revisions: slices.Clone(entry.Revisions), Since: seconds(o.Now),
	}
	return true, fmt.Sprintf("going to release %d (%s) and staying there until %s or another image",
		entry.Number, spelled(entry.Images), ecsv1alpha1.AnnotationReleaseHold)
}

// past is a release in history by its number, or the previous one.
func (l *Ledger) past(which string) (*ecsv1alpha1.HistoryEntry, string) {
	if which == previous {
		if entry := Previous(l.History); entry != nil {
			return entry, ""
		}
		return nil, "no other release before this one succeeded, as far as history goes"
	}
	number, err := strconv.ParseInt(which, 10, 64)
	if err != nil {
		return nil, fmt.Sprintf("hold is <token>/<number> or <token>/previous, got %q after the slash", which)
	}
	for i := range l.History {
		switch entry := &l.History[i]; {
		case entry.Number != number:
		case !CameToAGoodEnd(*entry):
			return nil, fmt.Sprintf("release %d (%s) is %s: only one that was Released or Adopted can be gone back to", number, spelled(entry.Images), entry.Outcome)
		default:
			return entry, ""
		}
	}
	return nil, fmt.Sprintf("history has no release %d, it has %s", number, l.numbers())
}

// Previous is the last release in history before the newest that came to a good end and brought
// something else: after a failure and its revert the newest is there twice. nil: there is none.
func Previous(history []ecsv1alpha1.HistoryEntry) *ecsv1alpha1.HistoryEntry {
	for i := range history {
		if i > 0 && CameToAGoodEnd(history[i]) && !sameRelease(history[i], history[0]) {
			return &history[i]
		}
	}
	return nil
}

// sameRelease says that two releases brought the same images with the same task definitions. One of them may
// have brought more: it had more services, or was corrected meanwhile.
func sameRelease(a, b ecsv1alpha1.HistoryEntry) bool {
	return sameImages(a.Images, b.Images) && (within(a.Revisions, b.Revisions) || within(b.Revisions, a.Revisions))
}

// within says that all of a is in b.
func within(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}

// CameToAGoodEnd says that a release was Released or Adopted. Any other may be one that was never
// permitted to start: a hold, which nothing gates, must not be the way round what held it up.
func CameToAGoodEnd(entry ecsv1alpha1.HistoryEntry) bool {
	return entry.Outcome == ecsv1alpha1.OutcomeReleased || entry.Outcome == ecsv1alpha1.OutcomeAdopted
}

// numbers are the numbers that history has, for people.
func (l *Ledger) numbers() string {
	if len(l.History) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d to %d", l.History[len(l.History)-1].Number, l.History[0].Number)
}

func (l *Ledger) releaseHold() (bool, string) {
	if l.Hold == nil {
		return false, "no release is held"
	}
	number := l.Hold.Number
	l.Hold = nil
	return true, fmt.Sprintf("release %d is not held any more: going to what the spec asks for", number)
}

// abort makes what is in flight fail: services that are being deployed, else those that the
// release touched, else those that it would go to.
func (l *Ledger) abort(o Orders, token string) (bool, string) {
	if AnyFailing(o.Services) {
		return false, "the release has failed already"
	}
	message := fmt.Sprintf("aborted by %s=%s", ecsv1alpha1.AnnotationAbort, token)
	var first *Subject
	for _, stage := range []func(Subject) bool{underWay, touched, pending} {
		for i, s := range o.Services {
			if !stage(s) {
				continue
			}
			Condemn(s.Memory, s.Inputs, ecsv1alpha1.FailureAborted, message, o.Now)
			if a := l.awaited(s); a != "" {
				s.Memory.Hook = &ecsv1alpha1.HookDecision{ID: a, RollBack: true}
			}
			first = cmp.Or(first, &o.Services[i])
		}
		if first != nil {
			break
		}
	}
	dropped := dropRestarts(o.Services)
	switch {
	case first == nil && dropped:
		return true, "no further service is restarted; one that is being restarted ends by itself, since it has nothing else to go back to"
	case first == nil:
		return false, "nothing is in flight"
	}
	l.Failure = &ecsv1alpha1.Failure{
		Class: ecsv1alpha1.FailureAborted, Target: first.Target, Service: first.Memory.Name, Message: message, At: seconds(o.Now),
	}
	return true, "what was in flight counts as failed"
}

// dropRestarts takes back the restarts that have not begun, and says whether any was, or is under
// way.
func dropRestarts(services []Subject) bool {
	var dropped bool
	for _, s := range services {
		dropped = dropped || s.Memory.Restart || restarting(s)
		s.Memory.Restart = false
	}
	return dropped
}

// restarting says that the service is being restarted.
func restarting(s Subject) bool { return purposeUnderWay(s.Memory) == ecsv1alpha1.PurposeRestart }

// goesBack says that what is on the way to the service brings it back to what is proven.
func goesBack(s Subject) bool { return purposeUnderWay(s.Memory) == ecsv1alpha1.PurposeRollback }

// purposeUnderWay is what the call or the deployment is for that is on the way to a service; "" also where
// nothing is.
func purposeUnderWay(m *ecsv1alpha1.ServiceStatus) ecsv1alpha1.DeploymentPurpose {
	switch i, d := m.Intent, m.Deployment; {
	case i != nil && i.Rollback:
		return ecsv1alpha1.PurposeRollback
	case i != nil && i.Action == ecsv1alpha1.IntentRestart:
		return ecsv1alpha1.PurposeRestart
	case i == nil && d != nil && d.Outcome == "":
		return d.Purpose
	default:
		return ""
	}
}

// underWay says that a deployment of ours to the service has not ended, a restart and the way back aside.
func underWay(s Subject) bool {
	m := s.Memory
	return !restarting(s) && !goesBack(s) && (m.Intent != nil || m.State == ecsv1alpha1.ServiceDeploying || m.State == ecsv1alpha1.ServiceAwaitingAction ||
		m.Deployment != nil && m.Deployment.Outcome == "")
}

func touched(s Subject) bool { return !restarting(s) && Touched(*s.Memory) }

// pending says that the service waits to be brought to what is asked for.
func pending(s Subject) bool {
	return s.Inputs != "" && s.Memory.Inputs == s.Inputs && s.Memory.Hash != "" && s.Memory.State == ecsv1alpha1.ServiceOutOfSync
}

// hookPrefix is what the ids of hooks in status.awaiting begin with.
const hookPrefix = "hook-"

// awaited is the id of the hook that pauses the service's deployment; "" when none does.
func (l *Ledger) awaited(s Subject) string {
	for _, a := range l.Awaiting {
		if a.Wave == nil && a.Target == s.Target && a.Service == s.Memory.Name {
			return strings.TrimPrefix(a.ID, hookPrefix)
		}
	}
	return ""
}

// approve lets what waits go on, by its ids.
func (l *Ledger) approve(o Orders, ids string) (bool, string) {
	var approved, unknown []string
	for id := range strings.SplitSeq(ids, ",") {
		id = strings.TrimSpace(id)
		switch {
		case id == "":
		case l.approveOne(o, id):
			approved = append(approved, id)
		default:
			unknown = append(unknown, id)
		}
	}
	said := "approved " + strings.Join(approved, ", ")
	if len(unknown) == 0 {
		return true, said
	}
	refused := "nothing awaits " + strings.Join(unknown, ", ") + ": approve an id of status.awaiting"
	if len(approved) == 0 {
		return false, refused
	}
	return true, said + "; " + refused
}

// askAnew has waves ask by another id that were not approved by theirs, since it was not their turn: the
// same annotation once more would be no change.
func (l *Ledger) askAnew(ids string) {
	if len(l.History) == 0 {
		return
	}
	waves := slices.Clone(l.Waves)
	for id := range strings.SplitSeq(ids, ",") {
		for i, w := range waves {
			if w.Approved == nil && w.Opened == nil && w.Asked != nil && waveID(l.History[0].Number, w) == strings.TrimSpace(id) {
				waves[i].Asked = nil
			}
		}
	}
	l.Waves = waves
}

func (l *Ledger) approveOne(o Orders, id string) bool {
	i := slices.IndexFunc(l.Awaiting, func(a ecsv1alpha1.Awaiting) bool { return a.ID == id })
	if i < 0 {
		return false
	}
	a := l.Awaiting[i]
	if a.Wave != nil {
		at := seconds(o.Now)
		w := slices.IndexFunc(l.Waves, func(w ecsv1alpha1.WaveStatus) bool { return w.Wave == *a.Wave })
		if w < 0 {
			return false
		}
		l.Waves = slices.Clone(l.Waves)
		l.Waves[w].Approved = &at
		return true
	}
	for _, s := range o.Services {
		if s.Target != a.Target || s.Memory.Name != a.Service {
			continue
		}
		hook := strings.TrimPrefix(id, hookPrefix)
		if decided := s.Memory.Hook; decided != nil && decided.ID == hook && decided.RollBack {
			return false // an abort, which goes first
		}
		s.Memory.Hook = &ecsv1alpha1.HookDecision{ID: hook}
		return true
	}
	return false
}

// retry forgets what failed with what is asked for, and what somebody else deployed since.
func (l *Ledger) retry(o Orders) (bool, string) {
	var failed, drifted int
	var reported bool
	for _, s := range o.Services {
		m := s.Memory
		if s.failing() != nil {
			failed++
			m.Restart = m.Restart || restartFailed(*m)
			m.Failed = slices.DeleteFunc(slices.Clone(m.Failed), s.failed)
			if len(m.Failed) == 0 {
				m.Failed = nil
			}
		}
		switch standing := m.Drift != nil && m.Drift.Standing; {
		case standing && (o.Report || l.Hold != nil):
			reported = true
		case standing:
			drifted++
			m.Drift = nil
		}
	}
	if failed+drifted == 0 && (l.Ended() == "" || l.outgrown(o)) {
		if reported {
			return false, "nothing failed, and what somebody else deployed is only reported: by spec.drift, or since a release of the past is held"
		}
		return false, "nothing failed, and nothing that somebody else deployed is left standing"
	}
	for _, s := range o.Services {
		s.Memory.Rollback = nil
		if stand(*s.Memory) == standingFailed {
			// Until it was looked at again it is not said to have failed.
			transition(s.Memory, ecsv1alpha1.ServiceOutOfSync, ecsv1alpha1.ReasonProgressing, "to be tried once more", o.Now)
		}
	}
	if !l.outgrown(o) {
		l.again()
	}
	return true, fmt.Sprintf("trying once more: %d failed, %d drifted", failed, drifted)
}

// outgrown says that what is asked for is no longer what the newest release in history is of: that one ended
// as it did, and what is asked for has not begun.
func (l *Ledger) outgrown(o Orders) bool {
	asked := o.Images
	if l.Hold != nil {
		asked = l.Hold.Images
	}
	return len(l.History) > 0 && !sameImages(l.History[0].Images, asked)
}

// restart has every service deployed anew, wave by wave.
func (l *Ledger) restart(o Orders) (bool, string) {
	for _, s := range o.Services {
		if s.Memory.State != ecsv1alpha1.ServiceInSync || s.Memory.Restart {
			return false, fmt.Sprintf("service %s/%s is %s: only a release that runs everywhere can be restarted",
				s.Target, s.Memory.Name, cmp.Or(s.Memory.State, ecsv1alpha1.ServiceUnknown))
		}
	}
	for _, s := range o.Services {
		s.Memory.Restart = true
	}
	l.again()
	return true, "restarting every service, wave by wave"
}

// again has the waves open anew, with the approvals that they have.
func (l *Ledger) again() {
	waves := make([]ecsv1alpha1.WaveStatus, 0, len(l.Waves))
	for _, w := range l.Waves {
		waves = append(waves, ecsv1alpha1.WaveStatus{Wave: w.Wave, Asked: w.Asked, Approved: w.Approved})
	}
	l.Waves = waves
	if len(l.History) == 0 {
		return
	}
	l.History = copyHistory(l.History)
	if entry := &l.History[0]; endedBadly(entry.Outcome) {
		entry.Outcome, entry.Finished, entry.Failure = ecsv1alpha1.OutcomeProgressing, nil, ""
	}
}

// sameSpelling says that both are spelled the same, whatever was resolved of them.
func sameSpelling(a, b []ecsv1alpha1.ResolvedImage) bool {
	return slices.EqualFunc(a, b, func(a, b ecsv1alpha1.ResolvedImage) bool {
		return a.Container == b.Container && a.Image == b.Image
	})
}

// spelled are images for people.
func spelled(images []ecsv1alpha1.ResolvedImage) string {
	names := make([]string, 0, len(images))
	for _, image := range images {
		names = append(names, image.Image)
	}
	return strings.Join(names, ", ")
}

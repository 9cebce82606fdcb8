package rollout

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the stories as they are told now")

// teller brings a release to the little world, as a controller would, and writes down what
// happens. A story sets what it is about and lets it run.
type teller struct {
	t     *testing.T
	world *world
	order *rand.Rand
	image string
	// wave are the waves of targets that are not in wave 0.
	wave map[string]int32
	// policy is what the release's spec says; its progress deadline is ten minutes.
	policy    Policy
	onFailure ecsv1alpha1.FailurePolicy
	approval  ecsv1alpha1.ApprovalPolicy
	bake      time.Duration
	// checks are those of the targets; nil: none are asked for.
	checks map[string]Check
	// family says that content is derived from the newest foreign revision.
	family bool
	// annotations are those of the release.
	annotations map[string]string
	// barred is why the release may change nothing.
	barred *Problem

	// lose makes the answers to calls get lost.
	lose bool
	// drop makes calls never arrive, without an answer.
	drop bool
	// lag makes looks at services show the world of that many rounds before.
	lag  int
	past map[string][]*View
	// blind are the services that cannot be looked at now.
	blind map[string]*Problem

	ledger  Ledger
	begun   bool
	memory  map[string]*ecsv1alpha1.ServiceStatus
	verdict string
	story   []string
}

func tell(t *testing.T, w *world, image string) *teller {
	s := &teller{
		t: t, world: w, image: image, order: rand.New(rand.NewPCG(1, 2)), policy: Policy{ProgressDeadline: 10 * time.Minute},
		wave: map[string]int32{}, memory: map[string]*ecsv1alpha1.ServiceStatus{}, annotations: map[string]string{},
		blind: map[string]*Problem{}, past: map[string][]*View{},
	}
	for _, svc := range w.services {
		s.memory[svc.at()] = &ecsv1alpha1.ServiceStatus{Name: svc.name}
	}
	return s
}

// at is the service as stories spell it.
func (s *service) at() string { return s.target + "/" + s.name }

func (s *teller) say(format string, args ...any) {
	s.story = append(s.story, s.world.now.Format("15:04:05 ")+fmt.Sprintf(format, args...))
}

// then lets something happen to the world.
func (s *teller) then(what string, happen func()) {
	s.story = append(s.story, "", "-- "+what)
	happen()
}

// command annotates the release.
func (s *teller) command(name, token string) {
	s.then(name+": "+token, func() { s.annotations["ecs.heliumai.space/"+name] = token })
}

// run goes on for n rounds.
func (s *teller) run(n int) {
	for range n {
		s.round()
		s.world.tick()
	}
}

// settle goes on until nothing changes any more.
func (s *teller) settle() {
	for range 200 {
		before := len(s.story)
		s.run(10)
		if len(s.story) == before {
			return
		}
	}
	s.t.Fatalf("the story does not end:\n%s", strings.Join(s.story, "\n"))
}

// round is one reconcile of the release.
func (s *teller) round() {
	subjects := s.subjects()
	s.obey(subjects)
	newer := s.family && s.ledger.Ended() != "" && !AnyFailing(subjects) // a base that has not failed
	s.ledger.Begin(s.images(), newer, 1, "", s.world.now)
	goals := Goals(subjects, s.onFailure)
	candidates := make([]Candidate, len(s.world.services))
	for i, svc := range s.world.services {
		candidates[i] = Candidate{Target: svc.target, Wave: s.wave[svc.target], Input: s.observe(svc, goals[i])}
	}
	decisions := Plan(candidates, s.barred, s.campaign())
	var lines []string
	for _, i := range s.order.Perm(len(candidates)) {
		svc := s.world.services[i]
		s.check(svc.at(), candidates[i].Input, decisions[i])
		lines = append(lines, s.act(svc, decisions[i])...)
	}
	slices.Sort(lines)
	for _, line := range lines {
		s.say("%s", line)
	}
	s.remember(decisions)
	s.report()
}

// images are what the spec asks for.
func (s *teller) images() []ecsv1alpha1.ResolvedImage {
	return []ecsv1alpha1.ResolvedImage{{Image: s.asked()}}
}

// asked is the image that is asked of the services: the spec's, or the one that is held.
func (s *teller) asked() string {
	if s.ledger.Hold != nil {
		return s.ledger.Hold.Images[0].Image
	}
	return s.image
}

// inputs is the fingerprint of what is asked of the services.
func (s *teller) inputs() string {
	if hold := s.ledger.Hold; hold != nil {
		return fmt.Sprintf("%s as release %d", s.asked(), hold.Number)
	}
	return s.image
}

// subjects are the services as they are remembered.
func (s *teller) subjects() []Subject {
	subjects := make([]Subject, len(s.world.services))
	for i, svc := range s.world.services {
		subjects[i] = Subject{Target: svc.target, Wave: s.wave[svc.target], Inputs: s.inputs(), Memory: s.memory[svc.at()]}
	}
	return subjects
}

// obey acts on the annotations.
func (s *teller) obey(subjects []Subject) {
	orders := Orders{
		Now: s.world.now, Annotations: s.annotations, First: !s.begun, Barred: s.barred,
		Images: []ecsv1alpha1.ResolvedImage{{Image: s.image}}, Report: s.policy.Report, Services: subjects,
	}
	s.begun = true
	notices := s.ledger.ObeyHold(orders)
	for i := range subjects {
		subjects[i].Inputs = s.inputs()
	}
	for _, n := range append(notices, s.ledger.Obey(orders)...) {
		s.say("! %s: %s", strings.TrimPrefix(n.Command, "ecs.heliumai.space/"), n.Message)
	}
}

func (s *teller) campaign() Campaign {
	c := Campaign{
		Waves: s.ledger.Waves, Failed: s.ledger.Ended(), Approval: s.approval, Bake: s.bake, Checked: s.checks != nil,
		Held: s.ledger.Hold != nil,
	}
	if len(s.ledger.History) > 0 {
		c.Number = s.ledger.History[0].Number
	}
	return c
}

// observe looks at a service, and looks up what the decision needs until it needs nothing more.
func (s *teller) observe(svc *service, goal Goal) Input {
	in := Input{
		Now: s.world.now, View: s.world.view(svc), Want: Want{Inputs: s.inputs(), Family: s.family}, Memory: *s.memory[svc.at()],
		Timing: timing, Policy: s.policy, Goal: goal, Barred: s.barred,
	}
	in.Policy.Held = s.ledger.Hold != nil
	s.past[svc.at()] = append(s.past[svc.at()], in.View)
	if seen := s.past[svc.at()]; s.lag > 0 {
		stale := *seen[max(0, len(seen)-1-s.lag)]
		stale.At = s.world.now
		in.View = &stale
	}
	if p := s.blind[svc.at()]; p != nil {
		in.View = &View{At: s.world.now, Problem: p}
	}
	if s.family {
		in.Want.Base = s.world.foreign(svc.family())
	}
	for range 6 {
		need := Needs(in)
		if need.None() {
			return in
		}
		s.lookUp(svc, need, &in)
	}
	s.t.Fatalf("%s: needs never end: %+v", svc.at(), Needs(in))
	return in
}

// lookUp adds what is needed to in.
func (s *teller) lookUp(svc *service, need Need, in *Input) {
	w := s.world
	if need.Base {
		seen := in.View.Primary().Revision
		in.Want.Seen, in.Want.SeenHash, in.Want.SeenOurs = seen, w.definition(seen).hash(), w.definition(seen).ours
		in.Want.SeenBy = "terraform"
		if !s.family {
			in.Want.Base = seen
		}
		in.Want.Carrier = s.carrier(svc)
		if in.Want.Carrier != "" {
			in.Want.Base = in.Want.Carrier
		}
		derived := w.definition(in.Want.Base)
		derived.image = s.asked()
		in.Want.Hash = derived.hash()
		return
	}
	if need.EqualHash != "" {
		in.Facts.EqualAt, in.Facts.EqualHash = w.now, need.EqualHash
		in.Facts.Equal = w.equal(need.EqualFamily, need.EqualHash)
	}
	if need.Proven != "" {
		in.Facts.ProvenAt, in.Facts.ProvenRevision = w.now, need.Proven
		in.Facts.ProvenActive, in.Facts.ProvenHash = !w.inactive[need.Proven], w.definition(need.Proven).hash()
	}
	if need.Evidence {
		in.Facts.EvidenceAt, in.Facts.Evidence = w.now, w.evidence(need.Revision)
	}
	if need.Deployment {
		in.Facts.OursAt, in.Facts.OursRevision = w.now, need.Revision
		for _, r := range svc.records {
			if need.ID == r.ID || (need.ID == "" && r.Revision == need.Revision && !r.Created.Before(need.Since.Add(-skew))) {
				in.Facts.Ours = r // the last is the nearest: a story does not update twice in that time
			}
		}
	}
}

// carrier is the revision that carried what is held; "" when nothing is.
func (s *teller) carrier(svc *service) string {
	if s.ledger.Hold != nil {
		for _, revision := range s.ledger.Hold.Revisions {
			if Family(revision) == svc.family() {
				return revision
			}
		}
	}
	return ""
}

// act takes the step, intent first, and remembers what came of it.
func (s *teller) act(svc *service, d Decision) []string {
	at, m, step := svc.at(), d.Memory, d.Step
	var lines []string
	if old := s.memory[at]; old.State != m.State || old.Reason != m.Reason {
		lines = append(lines, fmt.Sprintf("%s: 1 %s: %s", at, describe(m, false, ""), m.Message))
	}
	lines = append(lines, news(at, s.memory[at], &m)...)
	if step.Action != ActionNone {
		m = Announce(m, step, s.world.now)
	}
	switch {
	case step.Action == ActionNone:
	case s.drop:
		lines = append(lines, fmt.Sprintf("%s: 2 %s never arrives", at, step.Action))
	default:
		what, answer := s.call(svc, m, step)
		lost := ", and the answer is lost"
		if !s.lose {
			m, lost = answer, ""
		}
		lines = append(lines, fmt.Sprintf("%s: 2 %s%s", at, what, lost))
	}
	*s.memory[at] = m
	return lines
}

// news is what else changed in what is remembered of a service: the stage of its deployment, and what
// somebody else deployed.
func news(at string, old, m *ecsv1alpha1.ServiceStatus) []string {
	var lines []string
	stage := func(d *ecsv1alpha1.DeploymentStatus) string {
		if d == nil || d.Stage == "" {
			return ""
		}
		return fmt.Sprintf("%s with %d%% of the traffic", d.Stage, *d.Weight)
	}
	if is := stage(m.Deployment); is != "" && is != stage(old.Deployment) {
		lines = append(lines, fmt.Sprintf("%s: 1 stage %s", at, is))
	}
	drift := func(d *ecsv1alpha1.DriftStatus) string {
		switch {
		case d == nil:
			return "none"
		case d.Standing:
			return "left standing: " + d.Revision + " by " + d.Deployment
		default:
			return d.Revision + " by " + d.Deployment
		}
	}
	if is := drift(m.Drift); is != drift(old.Drift) {
		lines = append(lines, fmt.Sprintf("%s: 1 drift %s", at, is))
	}
	return lines
}

// call makes the call: what it does, and what is remembered when its answer arrives.
func (s *teller) call(svc *service, m ecsv1alpha1.ServiceStatus, step Step) (what string, answer ecsv1alpha1.ServiceStatus) {
	w := s.world
	switch step.Action {
	case ActionRegister:
		definition := w.definition(step.Base)
		definition.ours = true
		if step.Purpose != ecsv1alpha1.PurposeRollback {
			definition.image = s.asked()
		}
		revision := w.register(svc, definition)
		w.registrations++
		return fmt.Sprintf("registers %s as %s", step.Hash, revision), Registered(m, step, revision)
	case ActionUpdate:
		w.updates++
		return "updates to " + step.Revision, Updated(m, step, w.update(svc, step.Revision), w.now)
	case ActionRestart:
		w.updates++
		return "restarts " + step.Revision, Restarted(m, step, w.deploy(svc, step.Revision), w.now)
	case ActionStop:
		w.stop(svc, step.ServiceDeployment)
		return "stops " + step.ServiceDeployment, Stopped(m, step, w.now)
	case ActionContinue:
		w.decide(svc, step.ServiceDeployment, step.RollBack)
		if step.RollBack {
			return "rolls " + step.ServiceDeployment + " back at hook " + step.Hook, Continued(m, step)
		}
		return "lets " + step.ServiceDeployment + " go on after hook " + step.Hook, Continued(m, step)
	default:
		s.t.Fatalf("a step that nobody knows: %+v", step)
		return "", m
	}
}

// remember keeps what the decisions found out about the release as a whole.
func (s *teller) remember(decisions []Decision) {
	c := s.campaign()
	s.ledger.Awaiting = c.Awaiting(s.placed())
	for i, d := range decisions {
		target := s.world.services[i].target
		if d.Failure != nil && s.ledger.Failure == nil {
			s.ledger.Failure = d.Failure
			s.ledger.Failure.Target = target
		}
		if d.Awaiting != nil {
			d.Awaiting.Target = target
			s.ledger.Awaiting = append(s.ledger.Awaiting, *d.Awaiting)
		}
	}
}

func (s *teller) placed() []Placed {
	placed := make([]Placed, len(s.world.services))
	for i, svc := range s.world.services {
		placed[i] = Placed{Target: svc.target, Wave: s.wave[svc.target], Status: *s.memory[svc.at()]}
	}
	return placed
}

// report gives the verdict, and keeps the history.
func (s *teller) report() {
	services := s.placed()
	s.ledger.Waves = s.campaign().Advance(services, s.checks, s.barred != nil, s.world.now)
	r := Release{
		Now: s.world.now, Image: s.asked(), Suspended: s.policy.Suspended, ImageChecked: true, Services: services, Blocked: s.barred,
		Campaign: s.campaign(), Checks: s.checks, OnFailure: s.onFailure, Hold: s.ledger.Hold, Recorded: s.ledger.Failure,
	}
	v := Judge(r)
	checkContract(s.t, v)
	if v.Phase == PhaseReady {
		for at, m := range s.memory {
			*s.memory[at] = Prove(*m, s.world.now)
		}
	}
	s.ledger.Failure = v.Failure
	s.ledger.History = Record(s.ledger.History, s.ledger.Waves, v, Revisions(services), s.world.now)
	if verdict := string(v.Phase) + " " + v.ReadyCondition.Reason; verdict != s.verdict {
		s.verdict = verdict
		s.say("=> Ready=%s %s: %s", v.Ready, v.ReadyCondition.Reason, v.ReadyCondition.Message)
	}
}

// check holds a decision to what is true of all of them.
func (s *teller) check(at string, in Input, d Decision) {
	s.t.Helper()
	again := in
	again.Memory = Decide(in).Memory
	if diff := cmp.Diff(again.Memory, Decide(again).Memory); diff != "" {
		s.t.Errorf("%s: deciding again changes the memory:\n%s", at, diff)
	}
	if d.Step.Action == ActionNone {
		return
	}
	if in.Policy.Suspended || in.Barred != nil || d.Memory.Intent != nil || d.Memory.State == ecsv1alpha1.ServiceFailed {
		s.t.Errorf("%s: %s although it is suspended, barred, failed or waits for an answer", at, d.Step.Action)
	}
	for _, f := range d.Memory.Failed {
		brings := d.Step.Action == ActionRegister || d.Step.Action == ActionUpdate || d.Step.Action == ActionRestart
		if brings && f.Hash == d.Step.Hash && d.Step.Purpose != ecsv1alpha1.PurposeRollback {
			s.t.Errorf("%s: %s of content that failed", at, d.Step.Action)
		}
	}
	if d.Step.Purpose == ecsv1alpha1.PurposeRollback && in.Goal != GoalRollback {
		s.t.Errorf("%s: %s for a rollback that nobody wants", at, d.Step.Action)
	}
}

// end writes the history down and compares the story with the one on file.
func (s *teller) end(name string) {
	s.t.Helper()
	s.story = append(s.story, "", fmt.Sprintf("%d registrations, %d updates", s.world.registrations, s.world.updates))
	for _, e := range s.ledger.History {
		s.story = append(s.story, fmt.Sprintf("history %d: %s %s %s", e.Number, e.Images[0].Image, e.Outcome, strings.Join(e.Revisions, " ")))
	}
	got := strings.Join(s.story, "\n") + "\n"
	file := filepath.Join("testdata", name+".story")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		s.t.Errorf("the story of %s is told differently (-want +got), -update writes it anew:\n%s", name, diff)
	}
}

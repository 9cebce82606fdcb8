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
// happens.
type teller struct {
	t     *testing.T
	world *world
	order *rand.Rand
	image string

	suspended bool
	// lose makes the answers to calls get lost.
	lose bool
	// drop makes calls never arrive, without an answer.
	drop bool
	// lag makes looks at services show the world of that many rounds before.
	lag  int
	past map[string][]*View
	// blind are the services that cannot be looked at now.
	blind map[string]*Problem

	memory  map[string]ecsv1alpha1.ServiceStatus
	history []ecsv1alpha1.HistoryEntry
	verdict string
	story   []string
}

func tell(t *testing.T, w *world, image string) *teller {
	return &teller{
		t: t, world: w, image: image, memory: map[string]ecsv1alpha1.ServiceStatus{}, blind: map[string]*Problem{},
		past: map[string][]*View{}, order: rand.New(rand.NewPCG(1, 2)),
	}
}

func (s *teller) say(format string, args ...any) {
	s.story = append(s.story, s.world.now.Format("15:04:05 ")+fmt.Sprintf(format, args...))
}

// then lets something happen to the world.
func (s *teller) then(what string, happen func()) {
	s.story = append(s.story, "", "-- "+what)
	happen()
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
	var lines []string
	candidates := make([]Candidate, len(s.world.services))
	for i, svc := range s.world.services {
		candidates[i] = Candidate{Target: svc.target, Input: s.observe(svc)}
	}
	decisions := Plan(candidates, nil)
	for _, i := range s.order.Perm(len(candidates)) {
		svc := s.world.services[i]
		at := svc.target + "/" + svc.name
		lines = append(lines, s.act(svc, decisions[i])...)
		s.check(at, candidates[i].Input, decisions[i])
	}
	slices.Sort(lines)
	for _, line := range lines {
		s.say("%s", line)
	}
	s.report()
}

// observe looks at a service, and looks up what the decision needs.
func (s *teller) observe(svc *service) Input {
	at := svc.target + "/" + svc.name
	in := Input{
		Now: s.world.now, View: s.world.view(svc), Want: Want{Inputs: s.image}, Memory: s.memory[at], Timing: timing,
		Policy: Policy{Suspended: s.suspended, ProgressDeadline: 10 * time.Minute},
	}
	in.Memory.Name = svc.name
	s.past[at] = append(s.past[at], in.View)
	if seen := s.past[at]; s.lag > 0 {
		stale := *seen[max(0, len(seen)-1-s.lag)]
		stale.At = s.world.now
		in.View = &stale
	}
	if p := s.blind[at]; p != nil {
		in.View = &View{At: s.world.now, Problem: p}
	}
	if Needs(in).Base {
		base := s.world.definition(in.View.Primary().Revision)
		derived := base
		derived.image = s.image
		in.Want = Want{
			Inputs: s.image, Base: in.View.Primary().Revision, Hash: derived.hash(), BaseHash: base.hash(), BaseOurs: base.ours,
		}
	}
	need := Needs(in)
	if need.EqualHash != "" {
		in.Facts.EqualAt, in.Facts.EqualHash = s.world.now, need.EqualHash
		in.Facts.Equal = s.world.equal(need.EqualFamily, need.EqualHash)
	}
	if need.Deployment {
		in.Facts.OursAt, in.Facts.OursRevision = s.world.now, need.Revision
		for _, r := range svc.records {
			if need.ID == r.ID || (need.ID == "" && r.Revision == need.Revision && !r.Created.Before(need.Since.Add(-skew))) {
				in.Facts.Ours = r // the last is the nearest: a story does not update twice in that time
			}
		}
	}
	return in
}

// act takes the step, intent first, and remembers what came of it.
func (s *teller) act(svc *service, d Decision) []string {
	at := svc.target + "/" + svc.name
	var lines []string
	m := d.Memory
	if old := s.memory[at]; old.State != m.State || old.Reason != m.Reason {
		lines = append(lines, fmt.Sprintf("%s: 1 %s: %s", at, describe(m, false), m.Message))
	}
	if d.Step.Action != ActionNone {
		m = Announce(m, d.Step, s.world.now)
	}
	lost := ""
	if s.lose {
		lost = ", and the answer is lost"
	}
	if s.drop && d.Step.Action != ActionNone {
		s.memory[at] = m
		return append(lines, fmt.Sprintf("%s: 2 %s never arrives", at, d.Step.Action))
	}
	switch d.Step.Action {
	case ActionNone:
	case ActionRegister:
		definition := s.world.definition(d.Step.Base)
		definition.image, definition.ours = s.image, true
		revision := s.world.register(svc, definition)
		s.world.registrations++
		lines = append(lines, fmt.Sprintf("%s: 2 registers %s as %s%s", at, d.Step.Hash, revision, lost))
		if !s.lose {
			m = Registered(m, d.Step, revision)
		}
	case ActionUpdate:
		primary := s.world.update(svc, d.Step.Revision)
		s.world.updates++
		lines = append(lines, fmt.Sprintf("%s: 2 updates to %s%s", at, d.Step.Revision, lost))
		if !s.lose {
			m = Updated(m, d.Step, primary, s.world.now)
		}
	}
	s.memory[at] = m
	return lines
}

// report gives the verdict, and keeps the history.
func (s *teller) report() {
	r := Release{Now: s.world.now, Image: s.image, Suspended: s.suspended, ImageChecked: true}
	for _, svc := range s.world.services {
		r.Services = append(r.Services, Placed{Target: svc.target, Status: s.memory[svc.target+"/"+svc.name]})
	}
	v := Judge(r)
	checkContract(s.t, v)
	if v.Phase == PhaseReady {
		for at, m := range s.memory {
			s.memory[at] = Prove(m, s.world.now)
		}
	}
	images := []ecsv1alpha1.ResolvedImage{{Image: s.image}}
	s.history = Record(s.history, images, v, Revisions(r.Services), s.world.now)
	if verdict := string(v.Phase) + " " + v.ReadyCondition.Reason; verdict != s.verdict {
		s.verdict = verdict
		s.say("=> Ready=%s %s: %s", v.Ready, v.ReadyCondition.Reason, v.ReadyCondition.Message)
	}
}

// check holds a decision to what is true of all of them.
func (s *teller) check(at string, in Input, d Decision) {
	s.t.Helper()
	if d.Step.Action == ActionNone {
		return
	}
	if in.Policy.Suspended || in.Memory.Intent != nil && d.Memory.Intent != nil || d.Memory.State == ecsv1alpha1.ServiceFailed {
		s.t.Errorf("%s: %s although it is suspended, failed or waits for an answer", at, d.Step.Action)
	}
	for _, f := range d.Memory.Failed {
		if f.Hash == d.Step.Hash {
			s.t.Errorf("%s: %s of content that failed", at, d.Step.Action)
		}
	}
}

// end writes the history down and compares the story with the one on file.
func (s *teller) end(name string) {
	s.t.Helper()
	s.story = append(s.story, "", fmt.Sprintf("%d registrations, %d updates", s.world.registrations, s.world.updates))
	for _, e := range s.history {
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

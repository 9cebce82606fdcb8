package rollout

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// inWave is a service of a wave, in sync or not.
func inWave(wave int32, target string, synced bool) Placed {
	p := placed(target, ecsv1alpha1.ServiceOutOfSync, ecsv1alpha1.ReasonOutOfSync, "")
	if synced {
		p = placed(target, ecsv1alpha1.ServiceInSync, "", "")
	}
	p.Wave = wave
	return p
}

// timeline is a campaign that is advanced step by step.
type timeline struct {
	Campaign
	now    time.Time
	checks map[string]Check
}

func (l *timeline) after(d time.Duration, services ...Placed) {
	l.now = l.now.Add(d)
	l.Waves = l.Advance(services, l.checks, false, l.now)
}

// opened are the waves that have opened.
func (l *timeline) opened() []int32 {
	var waves []int32
	for _, w := range l.Waves {
		if w.Opened != nil {
			waves = append(waves, w.Wave)
		}
	}
	return waves
}

func (l *timeline) wantOpen(t *testing.T, when string, want ...int32) {
	t.Helper()
	if diff := cmp.Diff(want, l.opened()); diff != "" {
		t.Errorf("%s: waves open (-want +got):\n%s", when, diff)
	}
}

func TestAWaveOpensWhenTheOnesBeforeItArrivedAreVerifiedAndBaked(t *testing.T) {
	l := timeline{Campaign: Campaign{Number: 7, Bake: time.Minute, Checked: true}, now: now}
	a, b, c := inWave(0, "a", false), inWave(0, "b", false), inWave(5, "c", false)
	l.after(0, a, b, c)
	l.wantOpen(t, "at first", 0)
	a = inWave(0, "a", true)
	l.after(time.Second, a, b, c)
	l.wantOpen(t, "with one target of two in sync", 0)
	b = inWave(0, "b", true)
	l.after(time.Second, a, b, c)
	l.wantOpen(t, "before the checks", 0)
	if due := l.Due([]Placed{a, b, c}, l.checks); len(due) != 2 || !due["c"].IsZero() {
		t.Errorf("checks due %v, want a and b", due)
	}
	at := metav1.NewTime(l.now)
	l.checks = map[string]Check{"a": {Passed: &at}}
	l.after(time.Second, a, b, c)
	l.wantOpen(t, "with one target verified", 0)
	l.checks["b"] = Check{Passed: &at}
	l.after(time.Second, a, b, c)
	l.wantOpen(t, "while it bakes", 0)
	l.after(59*time.Second, a, b, c)
	l.wantOpen(t, "a second before it is baked", 0)
	l.after(time.Second, a, b, c)
	if l.status(0).Finished == nil {
		t.Error("the wave has not finished when it is baked")
	}
	l.after(0, a, b, c)
	l.wantOpen(t, "baked", 0, 5)
}

func TestAWaveThatOpenedStaysOpenAndOneThatDidNotWaitsForARepair(t *testing.T) {
	l := timeline{now: now}
	first, second, third := inWave(0, "a", true), inWave(1, "b", false), inWave(2, "c", false)
	l.after(0, first, second, third)
	l.after(0, first, second, third)
	l.wantOpen(t, "after the first", 1)
	first = inWave(0, "a", false)
	l.after(time.Second, first, second, third)
	if gate := l.Gate(1, []Placed{first, second, third}); gate != nil {
		t.Errorf("the second wave has opened: %s", gate.Message)
	}
	second = inWave(1, "b", true)
	l.after(time.Second, first, second, third)
	gate := l.Gate(2, []Placed{first, second, third})
	if gate == nil || gate.Reason != ecsv1alpha1.ReasonWaveNotOpen || !strings.Contains(gate.Message, "wave 0: 0/1") {
		t.Errorf("the third wave waits for the repair of the first, got %v", gate)
	}
}

func TestAnUnknownServiceKeepsItsWaveFromClosingOnly(t *testing.T) {
	l := timeline{now: now}
	down := placed("a", ecsv1alpha1.ServiceUnknown, ecsv1alpha1.ReasonObservationFailed, "timed out")
	up, later := inWave(0, "b", false), inWave(1, "c", false)
	l.after(0, down, up, later)
	if gate := l.Gate(0, []Placed{down, up, later}); gate != nil {
		t.Errorf("the other target of the wave is held up: %s", gate.Message)
	}
	up = inWave(0, "b", true)
	l.after(time.Hour, down, up, later)
	l.wantOpen(t, "with a target down", 0)
}

func TestAServiceThatCannotBeLookedAtHasNotLeftItsWave(t *testing.T) {
	at := seconds(now)
	l := timeline{Campaign: Campaign{Number: 1, Checked: true}, now: now, checks: map[string]Check{"a": {Passed: &at}}}
	l.after(0, inWave(0, "a", false))
	l.after(time.Minute, inWave(0, "a", true))
	finished := slices.Clone(l.Waves)
	if finished[0].Finished == nil {
		t.Fatalf("the wave is not finished: %+v", finished)
	}
	l.after(time.Minute, placed("a", ecsv1alpha1.ServiceUnknown, ecsv1alpha1.ReasonAccessDenied, ""))
	if diff := cmp.Diff(finished, l.Waves); diff != "" {
		t.Errorf("after a look that was denied (-want +got):\n%s", diff)
	}
	l.after(time.Minute, inWave(0, "a", false))
	if l.Waves[0].Finished != nil {
		t.Error("the wave is finished although its service is seen to run something else")
	}
}

func TestApprovalIsAskedForBeforeAWaveOpens(t *testing.T) {
	services := []Placed{inWave(1, "a", false), inWave(2, "b", false)}
	for policy, asks := range map[ecsv1alpha1.ApprovalPolicy]bool{
		ecsv1alpha1.ApprovalNone: false, "": false, ecsv1alpha1.ApprovalFirstWave: true, ecsv1alpha1.ApprovalEveryWave: true,
	} {
		l := timeline{Campaign: Campaign{Number: 7, Approval: policy}, now: now}
		l.after(0, services...)
		l.after(time.Hour, services...)
		awaiting := l.Awaiting(services)
		if (len(awaiting) == 1) != asks || (len(l.opened()) > 0) == asks {
			t.Errorf("%s: awaiting %+v, open %v", policy, awaiting, l.opened())
		}
		for _, a := range awaiting {
			if !strings.HasPrefix(a.ID, "r7-wave-1-") || !a.Since.Time.Equal(now) {
				t.Errorf("%s: %s waits since %s", policy, a.ID, a.Since)
			}
			if said := l.Gate(1, services).Message; !strings.HasSuffix(said, "ecs.heliumai.space/approve="+a.ID) {
				t.Errorf("%s: said %q", policy, said)
			}
		}
	}
}

func TestAnApprovalCannotBeGivenInAdvance(t *testing.T) {
	services := []Placed{inWave(0, "a", false)}
	ids := map[string]bool{}
	for _, began := range []time.Duration{0, time.Minute, 24 * time.Hour} {
		l := timeline{Campaign: Campaign{Number: 1, Approval: ecsv1alpha1.ApprovalFirstWave}, now: now.Add(began)}
		if id := l.ID(0); id != "" {
			t.Errorf("before it waits it is approved by %q", id)
		}
		l.after(0, services...)
		ids[l.ID(0)] = true
	}
	if len(ids) != 3 {
		t.Errorf("a release that is made anew is approved by what approved the one before: %v", ids)
	}
}

func TestEveryWaveIsApprovedOnItsOwn(t *testing.T) {
	l := timeline{Campaign: Campaign{Number: 7, Approval: ecsv1alpha1.ApprovalEveryWave}, now: now}
	a, b := inWave(0, "a", false), inWave(1, "b", false)
	approve := func(wave int32) {
		at := seconds(l.now)
		l.Waves[slices.IndexFunc(l.Waves, func(w ecsv1alpha1.WaveStatus) bool { return w.Wave == wave })].Approved = &at
	}
	l.after(0, a, b)
	approve(0)
	l.after(0, a, b)
	l.wantOpen(t, "approved", 0)
	a = inWave(0, "a", true)
	l.after(time.Second, a, b)
	l.after(time.Second, a, b)
	l.wantOpen(t, "before the second is approved", 0)
	if got := l.Gate(1, []Placed{a, b}); got == nil || got.Reason != ecsv1alpha1.ReasonAwaitingApproval {
		t.Errorf("gate %+v", got)
	}
	approve(1)
	l.after(0, a, b)
	l.wantOpen(t, "with both approved", 0, 1)
}

func TestAReleaseThatRunsEverywhereAlreadyWaitsForNobody(t *testing.T) {
	l := timeline{Campaign: Campaign{Number: 1, Approval: ecsv1alpha1.ApprovalEveryWave, Bake: time.Hour}, now: now}
	services := []Placed{inWave(0, "a", true), inWave(1, "b", true)}
	l.after(0, services...)
	if !l.finished() || l.opened() != nil || l.Awaiting(services) != nil {
		t.Errorf("waves %+v", l.Waves)
	}
}

func TestARepairIsVerifiedAgain(t *testing.T) {
	at := metav1.NewTime(now)
	l := timeline{Campaign: Campaign{Checked: true}, now: now, checks: map[string]Check{"a": {Passed: &at}}}
	l.after(0, inWave(0, "a", false))
	l.after(time.Second, inWave(0, "a", true))
	if !l.finished() {
		t.Fatalf("waves %+v", l.Waves)
	}
	l.after(time.Second, inWave(0, "a", false))
	l.checks = nil
	l.after(time.Second, inWave(0, "a", true))
	if l.finished() || len(l.Due([]Placed{inWave(0, "a", true)}, nil)) != 1 {
		t.Errorf("waves %+v", l.Waves)
	}
}

func TestWhatIsHeldGoesEverywhereAtOnce(t *testing.T) {
	c := Campaign{Held: true, Approval: ecsv1alpha1.ApprovalEveryWave}
	services := []Placed{inWave(0, "a", false), inWave(1, "b", false)}
	for _, p := range services {
		if gate := c.Gate(p.Wave, services); gate != nil {
			t.Errorf("wave %d: %s", p.Wave, gate.Message)
		}
	}
}

func TestAdvancingAgainChangesNothing(t *testing.T) {
	l := timeline{Campaign: Campaign{Bake: time.Minute}, now: now}
	services := []Placed{inWave(0, "a", true), inWave(1, "b", false)}
	l.after(0, services...)
	l.after(0, services...)
	before := l.Waves
	l.after(time.Hour, services...)
	if diff := cmp.Diff(before, l.Waves); diff != "" {
		t.Errorf("an hour later (-want +got):\n%s", diff)
	}
}

func TestTheVerdictSaysWhatTheWavesWaitFor(t *testing.T) {
	opened := seconds(now)
	wave := func(edit func(*ecsv1alpha1.WaveStatus)) []ecsv1alpha1.WaveStatus {
		w := ecsv1alpha1.WaveStatus{Wave: 0, Opened: &opened}
		edit(&w)
		return []ecsv1alpha1.WaveStatus{w, {Wave: 1}}
	}
	synced := wave(func(w *ecsv1alpha1.WaveStatus) { w.Synced = &opened })
	finished := wave(func(w *ecsv1alpha1.WaveStatus) { w.Synced, w.Finished = &opened, &opened })
	asked := slices.Clone(finished)
	asked[1].Asked = &opened
	id := Campaign{Number: 4, Waves: asked}.ID(1)
	for name, c := range map[string]struct {
		campaign Campaign
		phase    Phase
		reason   string
		says     string
	}{
		"baking":    {Campaign{Waves: synced, Bake: time.Hour}, PhaseBaking, ecsv1alpha1.ReasonBaking, "wave 0 bakes until 2026-"},
		"verifying": {Campaign{Waves: synced, Checked: true}, PhaseVerifying, ecsv1alpha1.ReasonVerifying, "wave 0 is being verified: a: not checked yet"},
		"approval": {
			Campaign{Number: 4, Waves: asked, Approval: ecsv1alpha1.ApprovalEveryWave},
			PhaseAwaiting, ecsv1alpha1.ReasonAwaitingApproval,
			"wave 1 waits for approval: annotate the release with ecs.heliumai.space/approve=" + id,
		},
		"going on": {Campaign{Waves: finished}, PhaseProgressing, ecsv1alpha1.ReasonProgressing, "1/2 services run"},
	} {
		v := Judge(Release{Now: now, Image: "app:v2", Campaign: c.campaign, Services: []Placed{inWave(0, "a", true), inWave(1, "b", false)}})
		if v.Phase != c.phase || v.ReadyCondition.Reason != c.reason || !strings.Contains(v.ReadyCondition.Message, c.says) {
			t.Errorf("%s: %s %s: %s", name, v.Phase, v.ReadyCondition.Reason, v.ReadyCondition.Message)
		}
		checkContract(t, v)
	}
}

func TestWhatFailedItsChecksStaysUnverifiedWhenItIsBroughtBack(t *testing.T) {
	for _, state := range []ecsv1alpha1.ServiceState{ecsv1alpha1.ServiceRollingBack, ecsv1alpha1.ServiceRolledBack} {
		verdict := Judge(Release{
			Now: now, Image: "app:v2", Campaign: Campaign{Checked: true},
			Services: []Placed{{Target: "a", Status: ecsv1alpha1.ServiceStatus{Name: "web", State: state, Reason: ecsv1alpha1.ReasonVerification}}},
			Recorded: &ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureVerification, Target: "a", Message: "it answered 503"},
		})
		want := &Condition{metav1.ConditionFalse, ecsv1alpha1.ReasonVerification, "a: it answered 503"}
		if diff := cmp.Diff(want, verdict.Verified); diff != "" {
			t.Errorf("%s (-want +got):\n%s", state, diff)
		}
	}
}

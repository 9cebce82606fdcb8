package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// subject is a service of which i2 is asked.
func subject(edit func(*ecsv1alpha1.ServiceStatus)) Subject {
	m := &ecsv1alpha1.ServiceStatus{Name: "worker", State: ecsv1alpha1.ServiceInSync, Inputs: "i2", Hash: "h2"}
	edit(m)
	return Subject{Target: "mumbai", Inputs: "i2", Memory: m}
}

func inSyncAlready(*ecsv1alpha1.ServiceStatus) {}

func failedWith(inputs string) func(*ecsv1alpha1.ServiceStatus) {
	return func(m *ecsv1alpha1.ServiceStatus) {
		m.State = ecsv1alpha1.ServiceFailed
		hash := strings.Replace(inputs, "i", "h", 1)
		m.Failed = []ecsv1alpha1.FailedContent{{Hash: hash, Inputs: inputs, Class: ecsv1alpha1.FailureContainerExited}}
		m.Deployment = &ecsv1alpha1.DeploymentStatus{Hash: hash, Revision: "app:9", Outcome: ecsv1alpha1.DeploymentFailed, Started: micros(now)}
	}
}

// order gives one command to a release.
func order(l *Ledger, command, token string, services ...Subject) []Notice {
	o := Orders{
		Now: now, Annotations: map[string]string{command: token}, Services: services,
		Images: []ecsv1alpha1.ResolvedImage{{Image: "app:v3"}},
	}
	return append(l.ObeyHold(o), l.Obey(o)...)
}

// wantNotice is the one notice that a command came to.
func wantNotice(t *testing.T, notices []Notice, done bool, says string) {
	t.Helper()
	if len(notices) != 1 || notices[0].Done != done || !strings.Contains(notices[0].Message, says) {
		t.Errorf("notices %+v, want one, done %t, that says %q", notices, done, says)
	}
}

func TestEachTokenIsActedOnOnce(t *testing.T) {
	l := &Ledger{}
	s := subject(failedWith("i2"))
	wantNotice(t, order(l, ecsv1alpha1.AnnotationRetry, "1", s), true, "trying once more: 1 failed")
	if s.Memory.Failed != nil || s.Memory.State != ecsv1alpha1.ServiceOutOfSync {
		t.Errorf("%s, failed %+v", s.Memory.State, s.Memory.Failed)
	}
	failedWith("i2")(s.Memory)
	if notices := order(l, ecsv1alpha1.AnnotationRetry, "1", s); notices != nil || s.Memory.Failed == nil {
		t.Errorf("the same token again: %+v, failed %+v", notices, s.Memory.Failed)
	}
	wantNotice(t, order(l, ecsv1alpha1.AnnotationRetry, "2", s), true, "trying once more")
}

func TestTokensThatAreThereAtFirstSightAreNotActedOn(t *testing.T) {
	l := &Ledger{}
	s := subject(failedWith("i2"))
	o := Orders{Now: now, First: true, Services: []Subject{s}, Annotations: map[string]string{
		ecsv1alpha1.AnnotationRetry: "1", ecsv1alpha1.AnnotationAbort: "2", ecsv1alpha1.AnnotationHold: "3/previous",
		ecsv1alpha1.AnnotationApprove: "r1-wave-0", ecsv1alpha1.AnnotationRestart: "4", ecsv1alpha1.AnnotationReconcile: "5",
		ecsv1alpha1.AnnotationReleaseHold: "6", "ecs.heliumai.space/rollback": "7",
	}}
	if notices := append(l.ObeyHold(o), l.Obey(o)...); notices != nil || s.Memory.Failed == nil || l.Hold != nil {
		t.Errorf("notices %+v, ledger %+v", notices, l)
	}
	want := &ecsv1alpha1.HandledCommands{
		Reconcile: "5", Retry: "1", Restart: "4", Abort: "2", Approve: "r1-wave-0", Hold: "3/previous", ReleaseHold: "6",
		Unknown: "ecs.heliumai.space/rollback=7",
	}
	if diff := cmp.Diff(want, l.Handled); diff != "" {
		t.Errorf("handled (-want +got):\n%s", diff)
	}
}

func TestACommandThatCannotBeActedOnSaysWhyOnce(t *testing.T) {
	for name, c := range map[string]struct {
		command, token, says string
		service              Subject
	}{
		"nothing to retry":          {ecsv1alpha1.AnnotationRetry, "1", "nothing failed", subject(inSyncAlready)},
		"another image failed":      {ecsv1alpha1.AnnotationRetry, "1", "nothing failed", subject(failedWith("i1"))},
		"nothing in flight":         {ecsv1alpha1.AnnotationAbort, "1", "nothing is in flight", subject(inSyncAlready)},
		"failed already":            {ecsv1alpha1.AnnotationAbort, "1", "failed already", subject(failedWith("i2"))},
		"not running everywhere":    {ecsv1alpha1.AnnotationRestart, "1", "mumbai/worker is Failed", subject(failedWith("i2"))},
		"nothing awaits that":       {ecsv1alpha1.AnnotationApprove, "r1-wave-0", "nothing awaits r1-wave-0", subject(inSyncAlready)},
		"no token":                  {ecsv1alpha1.AnnotationHold, "previous", "<token>/<number> or <token>/previous", subject(inSyncAlready)},
		"no such release":           {ecsv1alpha1.AnnotationHold, "1/7", "history has no release 7, it has none", subject(inSyncAlready)},
		"no number":                 {ecsv1alpha1.AnnotationHold, "1/last", `got "last"`, subject(inSyncAlready)},
		"nothing before":            {ecsv1alpha1.AnnotationHold, "1/previous", "no other release before this one", subject(inSyncAlready)},
		"nothing held":              {ecsv1alpha1.AnnotationReleaseHold, "1", "no release is held", subject(inSyncAlready)},
		"a command that is unknown": {"ecs.heliumai.space/rollback", "1", "no such command: ecs.heliumai.space/rollback=1", subject(inSyncAlready)},
	} {
		l := &Ledger{}
		before := c.service.Memory.DeepCopy()
		wantNotice(t, order(l, c.command, c.token, c.service), false, c.says)
		if notices := order(l, c.command, c.token, c.service); notices != nil {
			t.Errorf("%s: told again: %+v", name, notices)
		}
		if diff := cmp.Diff(before, c.service.Memory); diff != "" {
			t.Errorf("%s: the service's memory changed:\n%s", name, diff)
		}
	}
}

func TestAReleaseThatMayChangeNothingActsOnNoCommand(t *testing.T) {
	l := &Ledger{}
	s := subject(failedWith("i2"))
	o := Orders{
		Now: now, Annotations: map[string]string{ecsv1alpha1.AnnotationRetry: "1"}, Services: []Subject{s},
		Barred: &Problem{Reason: ecsv1alpha1.ReasonNoEnvironment, Message: "no environment"},
	}
	wantNotice(t, l.Obey(o), false, "not done: no environment")
	if s.Memory.Failed == nil {
		t.Error("it was acted on")
	}
}

func TestAbortMakesWhatIsInFlightFail(t *testing.T) {
	flying := subject(func(m *ecsv1alpha1.ServiceStatus) {
		m.State = ecsv1alpha1.ServiceDeploying
		m.Deployment = &ecsv1alpha1.DeploymentStatus{Hash: "h2", Revision: "app:2"}
	})
	waiting := subject(func(m *ecsv1alpha1.ServiceStatus) { m.State = ecsv1alpha1.ServiceOutOfSync })
	l := &Ledger{}
	wantNotice(t, order(l, ecsv1alpha1.AnnotationAbort, "1", waiting, flying), true, "counts as failed")
	if waiting.Memory.Failed != nil || len(flying.Memory.Failed) != 1 || flying.Memory.Failed[0].Class != ecsv1alpha1.FailureAborted {
		t.Errorf("failed %+v and %+v", waiting.Memory.Failed, flying.Memory.Failed)
	}
	if l.Failure == nil || l.Failure.Class != ecsv1alpha1.FailureAborted || l.Failure.Target != "mumbai" {
		t.Errorf("failure %+v", l.Failure)
	}
	if !AnyFailing([]Subject{waiting, flying}) {
		t.Error("the release does not count as failing")
	}
	pending := subject(func(m *ecsv1alpha1.ServiceStatus) { m.State = ecsv1alpha1.ServiceOutOfSync })
	wantNotice(t, order(&Ledger{}, ecsv1alpha1.AnnotationAbort, "1", pending), true, "counts as failed")
}

func TestAnApprovalIsForWhatIsListedAndNothingElse(t *testing.T) {
	first := int32(0)
	l := &Ledger{
		Waves:    []ecsv1alpha1.WaveStatus{{Wave: 0}, {Wave: 1}},
		Awaiting: []ecsv1alpha1.Awaiting{{ID: "r7-wave-0", Wave: &first}, {ID: "hook-abc", Target: "mumbai", Service: "worker"}},
	}
	s := subject(func(m *ecsv1alpha1.ServiceStatus) { m.State = ecsv1alpha1.ServiceAwaitingAction })
	wantNotice(t, order(l, ecsv1alpha1.AnnotationApprove, "r6-wave-0, r7-wave-1", s), false, "nothing awaits r6-wave-0, r7-wave-1")
	wantNotice(t, order(l, ecsv1alpha1.AnnotationApprove, "r7-wave-0,hook-abc,nonsense", s), true, "approved r7-wave-0, hook-abc; nothing awaits nonsense")
	if l.Waves[0].Approved == nil || l.Waves[1].Approved != nil {
		t.Errorf("waves %+v", l.Waves)
	}
	if diff := cmp.Diff(&ecsv1alpha1.HookDecision{ID: "abc"}, s.Memory.Hook); diff != "" {
		t.Errorf("hook (-want +got):\n%s", diff)
	}
	s.Memory.Hook = nil
	order(l, ecsv1alpha1.AnnotationAbort, "1", s)
	if diff := cmp.Diff(&ecsv1alpha1.HookDecision{ID: "abc", RollBack: true}, s.Memory.Hook); diff != "" {
		t.Errorf("hook after abort (-want +got):\n%s", diff)
	}
}

func TestAWaveWhoseApprovalWasRefusedAsksByAnotherID(t *testing.T) {
	first, asked := int32(0), metav1.NewTime(now.Add(-time.Hour))
	waves := []ecsv1alpha1.WaveStatus{{Wave: 0, Asked: &asked}}
	id := Campaign{Number: 7, Waves: waves}.ID(0)
	for name, c := range map[string]struct {
		awaiting []ecsv1alpha1.Awaiting
		barred   *Problem
		done     bool
		says     string
	}{
		"it waits":                     {[]ecsv1alpha1.Awaiting{{ID: id, Wave: &first}}, nil, true, "approved " + id},
		"the release asks for another": {nil, nil, false, "nothing awaits " + id},
		"the release is barred":        {[]ecsv1alpha1.Awaiting{{ID: id, Wave: &first}}, &Problem{Message: "no destination covers it"}, false, "no destination covers it"},
	} {
		l := &Ledger{Waves: waves, Awaiting: c.awaiting, History: []ecsv1alpha1.HistoryEntry{{Number: 7}}}
		notices := l.Obey(Orders{Now: now, Annotations: map[string]string{ecsv1alpha1.AnnotationApprove: "another, " + id}, Barred: c.barred})
		if len(notices) != 1 || notices[0].Done != c.done || !strings.Contains(notices[0].Message, id) && c.barred == nil || !strings.Contains(notices[0].Message, strings.TrimSuffix(c.says, id)) {
			t.Errorf("%s: the notices are %+v, wanted %q", name, notices, c.says)
		}
		if asksAnew := l.Waves[0].Asked == nil; asksAnew == c.done {
			t.Errorf("%s: the wave is %+v", name, l.Waves[0])
		}
	}
	if waves[0].Asked == nil {
		t.Error("the status that the pass began with was changed")
	}
}

func TestAHoldGoesToAReleaseOfThePastUntilItEndsOrAnotherImageIsAskedFor(t *testing.T) {
	history := func() []ecsv1alpha1.HistoryEntry {
		return []ecsv1alpha1.HistoryEntry{
			{Number: 9, Outcome: ecsv1alpha1.OutcomeFailed, Images: image("v3")},
			{Number: 8, Outcome: ecsv1alpha1.OutcomeSuperseded, Images: image("v2")},
			{Number: 7, Outcome: ecsv1alpha1.OutcomeReleased, Images: image("v1"), Revisions: []string{"app:1"}},
		}
	}
	l := &Ledger{History: history()}
	wantNotice(t, order(l, ecsv1alpha1.AnnotationHold, "now/previous"), true, "going to release 7 (app:v1)")
	if l.Hold == nil || l.Hold.Number != 7 || l.Hold.Revisions[0] != "app:1" || l.Hold.Against[0].Image != "app:v3" {
		t.Fatalf("hold %+v", l.Hold)
	}
	if notices := order(l, ecsv1alpha1.AnnotationReconcile, "1"); notices != nil || l.Hold == nil {
		t.Errorf("without the annotation: %+v, hold %+v", notices, l.Hold)
	}
	wantNotice(t, l.ObeyHold(Orders{Now: now, Images: image("v4")}), true, "ended: the spec asks for other images")
	if l.Hold != nil {
		t.Errorf("hold %+v", l.Hold)
	}
	l = &Ledger{History: history()}
	wantNotice(t, order(l, ecsv1alpha1.AnnotationHold, "a/b/7"), true, "going to release 7")
	wantNotice(t, order(l, ecsv1alpha1.AnnotationHold, "c/previous"), false, "release 7 is held already")
	wantNotice(t, order(l, ecsv1alpha1.AnnotationReleaseHold, "1"), true, "release 7 is not held any more")
}

// After a release failed and was reverted, the one before it was released twice.
func TestThePreviousReleaseIsOneThatBroughtSomethingElse(t *testing.T) {
	entry := func(number int64, outcome ecsv1alpha1.Outcome, tag string, revisions ...string) ecsv1alpha1.HistoryEntry {
		return ecsv1alpha1.HistoryEntry{Number: number, Outcome: outcome, Images: image(tag), Revisions: revisions}
	}
	reverted := []ecsv1alpha1.HistoryEntry{
		entry(4, ecsv1alpha1.OutcomeReleased, "v2", "worker:2", "app:2"), entry(3, ecsv1alpha1.OutcomeRolledBack, "v3", "app:3"),
		entry(2, ecsv1alpha1.OutcomeReleased, "v2", "app:2", "worker:2"), entry(1, ecsv1alpha1.OutcomeAdopted, "v1", "app:1", "worker:1"),
	}
	wantNotice(t, order(&Ledger{History: reverted}, ecsv1alpha1.AnnotationHold, "now/previous"), true, "going to release 1 (app:v1)")
	rebased := []ecsv1alpha1.HistoryEntry{
		entry(2, ecsv1alpha1.OutcomeReleased, "v1", "app:3"), entry(1, ecsv1alpha1.OutcomeReleased, "v1", "app:2"),
	}
	wantNotice(t, order(&Ledger{History: rebased}, ecsv1alpha1.AnnotationHold, "now/previous"), true, "going to release 1 (app:v1)")
}

func TestAHoldGoesOnlyToWhatCameToItsGoodEnd(t *testing.T) {
	for _, outcome := range []ecsv1alpha1.Outcome{
		ecsv1alpha1.OutcomeProgressing, ecsv1alpha1.OutcomeSuperseded, ecsv1alpha1.OutcomeFailed, ecsv1alpha1.OutcomeRolledBack,
	} {
		l := &Ledger{History: []ecsv1alpha1.HistoryEntry{{Number: 8, Outcome: outcome, Images: image("v2")}}}
		wantNotice(t, order(l, ecsv1alpha1.AnnotationHold, "a/8"), false, "release 8 (app:v2) is "+string(outcome)+": only one that was Released or Adopted")
		if l.Hold != nil {
			t.Errorf("a release that is %s is held: %+v", outcome, l.Hold)
		}
	}
}

func TestARestartGoesThroughTheWavesAgain(t *testing.T) {
	at := seconds(now)
	l := &Ledger{Waves: []ecsv1alpha1.WaveStatus{{Wave: 0, Approved: &at, Opened: &at, Synced: &at, Finished: &at}}}
	s := subject(inSyncAlready)
	wantNotice(t, order(l, ecsv1alpha1.AnnotationRestart, "1", s), true, "restarting every service")
	if !s.Memory.Restart {
		t.Error("the service is not to be restarted")
	}
	if diff := cmp.Diff([]ecsv1alpha1.WaveStatus{{Wave: 0, Approved: &at}}, l.Waves); diff != "" {
		t.Errorf("waves (-want +got):\n%s", diff)
	}
}

func TestWhatAReleaseWantsOfItsServicesFollowsFromWhatIsRemembered(t *testing.T) {
	touchedOne := subject(func(m *ecsv1alpha1.ServiceStatus) {
		m.Revision, m.Registered = "app:2", "app:2"
		m.Deployment = &ecsv1alpha1.DeploymentStatus{Hash: "h2", Revision: "app:2", Outcome: ecsv1alpha1.DeploymentSucceeded, Started: micros(now)}
		m.Proven = &ecsv1alpha1.ProvenRevision{Revision: "app:1"}
	})
	untouched := subject(func(m *ecsv1alpha1.ServiceStatus) {
		m.State, m.Revision = ecsv1alpha1.ServiceOutOfSync, "app:1"
		m.Proven = &ecsv1alpha1.ProvenRevision{Revision: "app:1"}
	})
	failing := subject(failedWith("i2"))
	old := subject(failedWith("i1"))
	again := subject(func(m *ecsv1alpha1.ServiceStatus) {
		failedWith("i2")(m)
		m.Failed[0].Inputs, m.Deployment = "", nil
	})
	for name, c := range map[string]struct {
		services []Subject
		policy   ecsv1alpha1.FailurePolicy
		want     []Goal
	}{
		"nothing failed":       {[]Subject{touchedOne, untouched, old}, "", []Goal{GoalRelease, GoalRelease, GoalRelease}},
		"one failed":           {[]Subject{touchedOne, untouched, failing}, "", []Goal{GoalRollback, GoalRelease, GoalRollback}},
		"one failed long ago":  {[]Subject{touchedOne, again}, "", []Goal{GoalRollback, GoalRelease}},
		"one failed, and hold": {[]Subject{touchedOne, untouched, failing}, ecsv1alpha1.FailureHold, []Goal{GoalLeave, GoalLeave, GoalLeave}},
	} {
		if diff := cmp.Diff(c.want, Goals(c.services, c.policy)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := Goals([]Subject{{Memory: failing.Memory}}, ""); got[0] != GoalRelease {
		t.Errorf("while it is not known what is asked for: %s", got[0])
	}
}

func TestADriftThatStandsCanBeRetried(t *testing.T) {
	s := subject(func(m *ecsv1alpha1.ServiceStatus) {
		m.Drift = &ecsv1alpha1.DriftStatus{Deployment: "ecs-svc/1", Standing: true, At: seconds(now.Add(-time.Hour))}
	})
	wantNotice(t, order(&Ledger{}, ecsv1alpha1.AnnotationRetry, "1", s), true, "1 drifted")
	if s.Memory.Drift != nil {
		t.Errorf("drift %+v", s.Memory.Drift)
	}
}

func TestAbortingARestartDropsWhatHasNotBegun(t *testing.T) {
	under := subject(func(m *ecsv1alpha1.ServiceStatus) {
		m.State = ecsv1alpha1.ServiceDeploying
		m.Deployment = &ecsv1alpha1.DeploymentStatus{Hash: "h2", Revision: "app:2", Purpose: ecsv1alpha1.PurposeRestart}
	})
	later := subject(func(m *ecsv1alpha1.ServiceStatus) { m.Restart = true })
	l := &Ledger{}
	wantNotice(t, order(l, ecsv1alpha1.AnnotationAbort, "1", under, later), true, "no further service is restarted")
	if under.Memory.Failed != nil || later.Memory.Restart || l.Failure != nil {
		t.Errorf("failed %+v, to be restarted %t, failure %+v", under.Memory.Failed, later.Memory.Restart, l.Failure)
	}
}

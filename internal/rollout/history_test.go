package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func image(tag string) []ecsv1alpha1.ResolvedImage {
	missing := seconds(now)
	return []ecsv1alpha1.ResolvedImage{{Image: "app:" + tag, Digest: "sha256:" + tag, MissingSince: &missing}}
}

func inPhase(p Phase) Verdict { return Verdict{PhaseRow: p.Row()} }

// outcomes are the outcomes of history, the newest first.
func outcomes(history []ecsv1alpha1.HistoryEntry) []ecsv1alpha1.Outcome {
	var all []ecsv1alpha1.Outcome
	for _, e := range history {
		all = append(all, e.Outcome)
	}
	return all
}

func TestHistoryHasAnEntryForEachRelease(t *testing.T) {
	var l Ledger
	then := func(tag string, v Verdict, want ...ecsv1alpha1.Outcome) {
		t.Helper()
		l = released(l, tag, v)
		if diff := cmp.Diff(want, outcomes(l.History)); diff != "" {
			t.Fatalf("outcomes (-want +got):\n%s", diff)
		}
		again := l
		if again.Begin(image(tag), false, 7, "", now.Add(time.Hour)) {
			t.Fatal("the same image begins another release")
		}
		if diff := cmp.Diff(l.History, Record(again.History, nil, v, []string{"app:1"}, now.Add(time.Hour))); diff != "" {
			t.Fatalf("recording again changes history:\n%s", diff)
		}
	}
	adopted := inPhase(PhaseReady)
	adopted.Adopted = true
	const (
		progressing = ecsv1alpha1.OutcomeProgressing
		released    = ecsv1alpha1.OutcomeReleased
		superseded  = ecsv1alpha1.OutcomeSuperseded
		failed      = ecsv1alpha1.OutcomeFailed
	)
	then("v1", adopted, ecsv1alpha1.OutcomeAdopted)
	then("v2", inPhase(PhaseProgressing), progressing, ecsv1alpha1.OutcomeAdopted)
	then("v3", inPhase(PhaseProgressing), progressing, superseded, ecsv1alpha1.OutcomeAdopted)
	then("v3", inPhase(PhaseFailed), failed, superseded, ecsv1alpha1.OutcomeAdopted)
	then("v3", inPhase(PhaseProgressing), failed, superseded, ecsv1alpha1.OutcomeAdopted)
	then("v3", inPhase(PhaseReady), released, superseded, ecsv1alpha1.OutcomeAdopted)
	then("v3", inPhase(PhaseFailed), released, superseded, ecsv1alpha1.OutcomeAdopted)
	then("v2", inPhase(PhaseBlocked), progressing, released, superseded, ecsv1alpha1.OutcomeAdopted)
	h := l.History
	if h[0].Number != 4 || h[0].Images[0].MissingSince != nil || h[0].Finished != nil || h[1].Finished == nil {
		t.Errorf("entries %+v", h[:2])
	}
	if diff := cmp.Diff([]string{"app:1", "app:2"}, h[0].Revisions); diff != "" {
		t.Errorf("revisions (-want +got):\n%s", diff)
	}
}

func TestHistoryKeepsTenReleasesAndCountsOn(t *testing.T) {
	var l Ledger
	for i := range 25 {
		l = released(l, string(rune('a'+i)), inPhase(PhaseReady))
	}
	if h := l.History; len(h) != 10 || h[0].Number != 25 || h[9].Number != 16 {
		t.Errorf("%d entries, %d to %d", len(h), h[0].Number, h[len(h)-1].Number)
	}
}

func TestADigestThatIsResolvedLaterIsNoNewRelease(t *testing.T) {
	unresolved := image("v1")
	unresolved[0].Digest = ""
	var l Ledger
	if !l.Begin(unresolved, false, 1, "", now) || l.Begin(image("v1"), false, 1, "", now) {
		t.Error("want one beginning, of the image whose digest is not known yet")
	}
	if h := l.History; len(h) != 1 || h[0].Images[0].Digest != "sha256:v1" {
		t.Errorf("history %+v", h)
	}
	if l.Begin(nil, false, 1, "", now) || len(l.History) != 1 {
		t.Errorf("without images: history %+v", l.History)
	}
}

func TestANewReleaseOpensItsWavesAnewAndSaysWhy(t *testing.T) {
	opened := seconds(now)
	l := Ledger{Waves: []ecsv1alpha1.WaveStatus{{Opened: &opened}}, Failure: &ecsv1alpha1.Failure{}}
	l.Begin(image("v1"), false, 3, "the first", now)
	if l.Waves != nil || l.Failure != nil || l.History[0].Generation != 3 || l.History[0].Cause != "the first" {
		t.Errorf("ledger %+v", l)
	}
	l.Waves = []ecsv1alpha1.WaveStatus{{Opened: &opened}}
	if !l.Begin(image("v1"), true, 3, "", now) || l.Waves != nil || len(l.History) != 2 {
		t.Errorf("what the image is put into has changed: ledger %+v", l)
	}
}

func TestHistorySaysHowLongEachWaveTook(t *testing.T) {
	opened, finished := seconds(now), seconds(now.Add(90*time.Second))
	l := released(Ledger{}, "v1", inPhase(PhaseProgressing))
	h := Record(l.History, []ecsv1alpha1.WaveStatus{
		{Wave: 0, Opened: &opened, Finished: &finished}, {Wave: 1, Opened: &opened}, {Wave: 2, Finished: &finished},
	}, inPhase(PhaseProgressing), nil, now)
	if diff := cmp.Diff([]ecsv1alpha1.WaveTime{{Wave: 0, Seconds: 90}}, h[0].Waves); diff != "" {
		t.Errorf("waves (-want +got):\n%s", diff)
	}
}

func TestAFailureThatWasRolledBackIsCalledThat(t *testing.T) {
	back := inPhase(PhaseFailed)
	back.Back = true
	l := released(Ledger{}, "v1", inPhase(PhaseRollingBack))
	if got := l.History[0].Outcome; got != ecsv1alpha1.OutcomeProgressing {
		t.Errorf("while it is rolled back: %s", got)
	}
	l = released(l, "v1", back)
	if got := l.History[0].Outcome; got != ecsv1alpha1.OutcomeRolledBack {
		t.Errorf("afterwards: %s", got)
	}
}

// released is l after one pass over the image with the verdict.
func released(l Ledger, tag string, v Verdict) Ledger {
	l.Begin(image(tag), false, 7, "", now)
	l.History = Record(l.History, nil, v, []string{"app:2", "app:1", "app:2"}, now)
	return l
}

func TestRevisionsAreThoseOfServicesInSync(t *testing.T) {
	a, b := placed("t", ecsv1alpha1.ServiceInSync, "", ""), placed("t", ecsv1alpha1.ServiceDeploying, "", "")
	a.Status.Registered, b.Status.Registered = "app:2", "app:3"
	if diff := cmp.Diff([]string{"app:2"}, Revisions([]Placed{a, b, a})); diff != "" {
		t.Errorf("revisions (-want +got):\n%s", diff)
	}
}

func TestAReleaseThatIsSupersededWhileItsFailureIsDealtWithHasFailed(t *testing.T) {
	l := released(Ledger{}, "v1", inPhase(PhaseRollingBack))
	l.Failure = &ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureContainerExited}
	l = released(l, "v2", inPhase(PhaseProgressing))
	if diff := cmp.Diff([]ecsv1alpha1.Outcome{ecsv1alpha1.OutcomeProgressing, ecsv1alpha1.OutcomeFailed}, outcomes(l.History)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestWhatIsCorrectedLaterIsNoPartOfHowLongAWaveTook(t *testing.T) {
	at := func(after time.Duration) *metav1.Time { moment := seconds(now.Add(after)); return &moment }
	l := Ledger{}
	l.Begin(image("v1"), false, 1, "", now)
	waves := []ecsv1alpha1.WaveStatus{{Opened: at(0), Finished: at(45 * time.Second)}}
	l.History = Record(l.History, waves, inPhase(PhaseReady), nil, now.Add(45*time.Second))
	waves[0].Finished = at(24 * time.Hour)
	l.History = Record(l.History, waves, inPhase(PhaseReady), nil, now.Add(24*time.Hour))
	if diff := cmp.Diff([]ecsv1alpha1.WaveTime{{Wave: 0, Seconds: 45}}, l.History[0].Waves); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAHoldAndItsEndAreReleasesOfTheirOwn(t *testing.T) {
	at := seconds(now)
	opened := []ecsv1alpha1.WaveStatus{{Opened: &at, Approved: &at}}
	var l Ledger
	l = released(l, "v1", inPhase(PhaseReady))
	l.Waves = opened
	l.Hold = &ecsv1alpha1.Hold{Number: 1, Images: image("v1")} // in what it was put into then
	if !l.Begin(image("v1"), false, 2, "", now) || l.Waves != nil || l.History[0].Held != 1 {
		t.Errorf("the hold is no release of its own: %+v, waves %+v", l.History[0], l.Waves)
	}
	if l.Begin(image("v1"), false, 2, "", now) {
		t.Error("the hold is begun twice")
	}
	l.Hold, l.Waves = nil, opened
	if !l.Begin(image("v1"), false, 3, "", now) || l.Waves != nil || l.History[0].Held != 0 {
		t.Errorf("the end of the hold is no release of its own: %+v, waves %+v", l.History[0], l.Waves)
	}
}

package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	var h []ecsv1alpha1.HistoryEntry
	then := func(tag string, v Verdict, want ...ecsv1alpha1.Outcome) {
		t.Helper()
		h = Record(h, image(tag), v, []string{"app:2", "app:1", "app:2"}, now)
		if diff := cmp.Diff(want, outcomes(h)); diff != "" {
			t.Fatalf("outcomes (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(h, Record(h, image(tag), v, []string{"app:1"}, now.Add(time.Hour))); diff != "" {
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
	if h[0].Number != 4 || h[0].Images[0].MissingSince != nil || h[0].Finished != nil || h[1].Finished == nil {
		t.Errorf("entries %+v", h[:2])
	}
	if diff := cmp.Diff([]string{"app:1", "app:2"}, h[0].Revisions); diff != "" {
		t.Errorf("revisions (-want +got):\n%s", diff)
	}
}

func TestHistoryKeepsTenReleasesAndCountsOn(t *testing.T) {
	var h []ecsv1alpha1.HistoryEntry
	for i := range 25 {
		h = Record(h, image(string(rune('a'+i))), inPhase(PhaseReady), nil, now)
	}
	if len(h) != 10 || h[0].Number != 25 || h[9].Number != 16 {
		t.Errorf("%d entries, %d to %d", len(h), h[0].Number, h[len(h)-1].Number)
	}
}

func TestADigestThatIsResolvedLaterIsNoNewRelease(t *testing.T) {
	unresolved := image("v1")
	unresolved[0].Digest = ""
	h := Record(nil, unresolved, inPhase(PhaseObserving), nil, now)
	h = Record(h, image("v1"), inPhase(PhaseProgressing), nil, now)
	if len(h) != 1 || h[0].Images[0].Digest != "sha256:v1" {
		t.Errorf("history %+v", h)
	}
	if h := Record(h, nil, inPhase(PhaseBlocked), nil, now); len(h) != 1 {
		t.Errorf("without images: history %+v", h)
	}
}

func TestRevisionsAreThoseOfServicesInSync(t *testing.T) {
	a, b := placed("t", ecsv1alpha1.ServiceInSync, "", ""), placed("t", ecsv1alpha1.ServiceDeploying, "", "")
	a.Status.Registered, b.Status.Registered = "app:2", "app:3"
	if diff := cmp.Diff([]string{"app:2"}, Revisions([]Placed{a, b, a})); diff != "" {
		t.Errorf("revisions (-want +got):\n%s", diff)
	}
}

package rollout

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

const digestA, digestB = "sha256:aaaa", "sha256:bbbb"

// minute is a time so many minutes after a certain one.
func minute(n int) time.Time {
	return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute)
}

// soaking is a release of one service in an environment.
type soaking struct {
	spec   ecsv1alpha1.EcsReleaseSpec
	status ecsv1alpha1.EcsReleaseStatus
}

// each gives every service a reason.
func (s *soaking) each(reason string) *soaking {
	for i := range s.status.Targets[0].Services {
		s.status.Targets[0].Services[i].Reason = reason
	}
	return s
}

// asks begins to release a digest.
func (s *soaking) asks(digest string, at int) *soaking {
	images := []ecsv1alpha1.ResolvedImage{{Image: "app:" + digest, Digest: digest}}
	s.status.Images = images
	s.status.Failure = nil
	s.status.Targets = []ecsv1alpha1.TargetStatus{{Name: "t", Services: []ecsv1alpha1.ServiceStatus{{Name: "backend"}}}}
	s.status.History = append([]ecsv1alpha1.HistoryEntry{{Images: images, Outcome: ecsv1alpha1.OutcomeProgressing, Started: metav1.NewTime(minute(at))}}, s.status.History...)
	return s.is(metav1.ConditionFalse, at)
}

func (s *soaking) is(ready metav1.ConditionStatus, at int) *soaking {
	s.status.Conditions = []metav1.Condition{{Type: ecsv1alpha1.ConditionReady, Status: ready, LastTransitionTime: metav1.NewTime(minute(at))}}
	return s
}

func (s *soaking) ends(outcome ecsv1alpha1.Outcome, at int) *soaking {
	finished := metav1.NewTime(minute(at))
	s.status.History[0].Outcome, s.status.History[0].Finished = outcome, &finished
	return s
}

func (s *soaking) ready(at int) *soaking {
	return s.ends(ecsv1alpha1.OutcomeReleased, at).is(metav1.ConditionTrue, at)
}

func (s *soaking) fails(at int) *soaking {
	return s.ends(ecsv1alpha1.OutcomeRolledBack, at).is(metav1.ConditionFalse, at)
}

func TestWhatRanReadyIsProvenForAsLongAsItDid(t *testing.T) {
	for name, c := range map[string]struct {
		// happens is what happens, each followed by a look, at the minute that it returns. Status has
		// whole seconds: each time that it ran lasted a second less for all that can be told.
		happens []func(*soaking) int
		at      int
		want    map[string]string // by digest: for how long it soaked, and whether it runs
	}{
		"nothing ran": {nil, 10, nil},
		"it runs": {[]func(*soaking) int{
			func(s *soaking) int { s.asks(digestA, 0).ready(5); return 6 },
		}, 35, map[string]string{digestA: "29m59s, runs"}},
		"a look that comes late counts from when it was ready": {[]func(*soaking) int{
			func(s *soaking) int { s.asks(digestA, 0).ready(5); return 30 },
		}, 35, map[string]string{digestA: "29m59s, runs"}},
		"a newer image does not take the proof away": {[]func(*soaking) int{
			func(s *soaking) int { s.asks(digestA, 0).ready(5); return 6 },
			func(s *soaking) int { s.asks(digestB, 25); return 26 },
			func(s *soaking) int { s.ready(30); return 31 },
		}, 40, map[string]string{digestA: "19m59s", digestB: "9m59s, runs"}},
		"a look that comes late, after a newer image, counts until that was asked for": {[]func(*soaking) int{
			func(s *soaking) int { s.asks(digestA, 0).ready(5); return 6 },
			func(s *soaking) int { s.asks(digestB, 25).ready(30); return 90 },
		}, 100, map[string]string{digestA: "19m59s", digestB: "1h9m59s, runs"}},
		"times add up": {[]func(*soaking) int{
			func(s *soaking) int { s.asks(digestA, 0).ready(5); return 6 },
			func(s *soaking) int { s.is(metav1.ConditionFalse, 15); return 16 },
			func(s *soaking) int { s.is(metav1.ConditionTrue, 20); return 21 },
		}, 30, map[string]string{digestA: "19m58s, runs"}},
		"a failure takes what ran before": {[]func(*soaking) int{
			func(s *soaking) int { s.asks(digestA, 0).ready(5); return 6 },
			func(s *soaking) int { s.fails(50); return 51 },
		}, 60, map[string]string{digestA: "0s, unknown"}},
		"what ran after a failure counts": {[]func(*soaking) int{
			func(s *soaking) int { s.asks(digestA, 0).ready(5); return 6 },
			func(s *soaking) int { s.fails(50); return 51 },
			func(s *soaking) int { s.ready(60); return 61 },
		}, 70, map[string]string{digestA: "9m59s, runs"}},
		"one that failed and never ran is not proven": {[]func(*soaking) int{
			func(s *soaking) int { s.asks(digestA, 0).fails(5); return 6 },
		}, 70, nil},
		"a service that is scaled to zero proves nothing": {[]func(*soaking) int{
			func(s *soaking) int {
				s.asks(digestA, 0).ready(5).each(ecsv1alpha1.ReasonScaledToZero)
				return 6
			},
		}, 70, map[string]string{digestA: "0s, unknown"}},
		"what is scaled up again runs from then on": {[]func(*soaking) int{
			func(s *soaking) int { s.asks(digestA, 0).ready(5).each(ecsv1alpha1.ReasonScaledToZero); return 6 },
			func(s *soaking) int { s.each(""); return 60 },
		}, 70, map[string]string{digestA: "9m59s, runs"}},
		"what was scaled down for a while does not count that": {[]func(*soaking) int{
			func(s *soaking) int { s.asks(digestA, 0).ready(5); return 6 },
			func(s *soaking) int { s.each(ecsv1alpha1.ReasonScaledToZero); return 15 },
			func(s *soaking) int { s.each(""); return 60 },
		}, 70, map[string]string{digestA: "19m58s, runs"}},
		"tasks that crash after the rollout do not count": {[]func(*soaking) int{
			func(s *soaking) int { s.asks(digestA, 0).ready(5); return 6 },
			func(s *soaking) int { s.each(ecsv1alpha1.ReasonNoTasks); return 15 },
		}, 70, map[string]string{digestA: "9m59s"}},
		"what is pinned by tag proves nothing": {[]func(*soaking) int{
			func(s *soaking) int {
				s.spec.TaskDefinition = &ecsv1alpha1.TaskDefinitionPolicy{Pin: ecsv1alpha1.PinTag}
				s.asks(digestA, 0).ready(5)
				return 6
			},
		}, 70, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := &soaking{}
			var proven []ecsv1alpha1.ProvenDigest
			for _, happen := range c.happens {
				now := minute(happen(s))
				look := func(now time.Time) []ecsv1alpha1.ProvenDigest {
					return Soak(proven, RunsOf([]*ecsv1alpha1.EcsRelease{{Spec: s.spec, Status: s.status}}, now), now)
				}
				proven = look(now)
				if diff := cmp.Diff(proven, look(now.Add(time.Hour))); diff != "" {
					t.Errorf("a second look changes it (-first +second):\n%s", diff)
				}
			}
			var got map[string]string
			for _, p := range proven {
				soaked, runs, known := Soaked(proven, Run{p.Digest, p.Service}, minute(c.at))
				said := fmt.Sprint(soaked)
				if runs {
					said += ", runs"
				}
				if !known {
					said += ", unknown"
				}
				if got == nil {
					got = map[string]string{}
				}
				got[p.Digest] = said
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("soaked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOfProvenDigestsThoseThatRunAreKept(t *testing.T) {
	var proven []ecsv1alpha1.ProvenDigest
	since := metav1.NewTime(minute(0))
	proven = append(proven, ecsv1alpha1.ProvenDigest{Digest: "sha256:running", Service: "backend", Since: &since})
	for i := range 3 * maxProvenOfService {
		last := metav1.NewTime(minute(i))
		proven = append(proven, ecsv1alpha1.ProvenDigest{Digest: fmt.Sprintf("sha256:%03d", i), Service: "backend", Seconds: 1, Last: &last})
	}
	ready := Runs{Ready: map[Run]time.Time{{"sha256:running", "backend"}: minute(0)}}
	got := Soak(proven, ready, minute(1000))
	if len(got) != maxProvenOfService {
		t.Fatalf("%d are kept, wanted %d", len(got), maxProvenOfService)
	}
	if _, runs, _ := Soaked(got, Run{"sha256:running", "backend"}, minute(1000)); !runs {
		t.Error("the one that runs is gone")
	}
	if got[0].Digest != fmt.Sprintf("sha256:%03d", 3*maxProvenOfService-maxProvenOfService+1) {
		t.Errorf("the oldest that is kept is %s", got[0].Digest)
	}
}

func TestAReleaseThatIsClosedStartsNothingUnlessItHasStarted(t *testing.T) {
	closed := &Problem{Class: ProblemRefused, Reason: ecsv1alpha1.ReasonOutsideWindow, Message: "closed", RetryAfter: time.Hour}
	at := metav1.NewTime(minute(0))
	services := []Placed{
		{Target: "a", Wave: 0, Status: ecsv1alpha1.ServiceStatus{Name: "backend", State: ecsv1alpha1.ServiceInSync}},
		{Target: "b", Wave: 1, Status: ecsv1alpha1.ServiceStatus{Name: "backend", State: ecsv1alpha1.ServiceOutOfSync}},
	}
	finished := []ecsv1alpha1.WaveStatus{{Wave: 0, Opened: &at, Synced: &at, Finished: &at}}
	for name, c := range map[string]struct {
		campaign Campaign
		want     *Problem
	}{
		"a new release":                         {Campaign{Closed: closed, UnderWay: true}, closed},
		"its next wave, once one has opened":    {Campaign{Closed: closed, UnderWay: true, Waves: finished}, nil},
		"a correction after it came to its end": {Campaign{Closed: closed, Waves: append(finished, ecsv1alpha1.WaveStatus{Wave: 1, Opened: &at})}, closed},
		"a release that is held":                {Campaign{Closed: closed, Held: true}, nil},
		"a release that may start":              {Campaign{UnderWay: true, Waves: finished}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.campaign.Gate(1, services); got != c.want {
				t.Errorf("the gate says %v, wanted %v", got, c.want)
			}
		})
	}
}

func TestAReleaseThatIsClosedWaitsAndSaysUntilWhen(t *testing.T) {
	for reason, want := range map[string]Phase{
		ecsv1alpha1.ReasonOutsideWindow: PhaseWaiting, ecsv1alpha1.ReasonAwaitingPromotion: PhaseWaiting, ecsv1alpha1.ReasonInvalidEnvironment: PhaseBlocked,
	} {
		closed := &Problem{Class: ProblemRefused, Reason: reason, Message: "not before ten", RetryAfter: time.Hour}
		in := steadyInput()
		in.Want.Inputs = "i2"
		campaign := Campaign{Number: 1, Closed: closed, UnderWay: true}
		decisions := Plan([]Candidate{{Target: "a", Input: in}}, nil, campaign)
		if step := decisions[0].Step; step.Action != ActionNone {
			t.Errorf("%s: the step is %+v, wanted none", reason, step)
		}
		placed := []Placed{{Target: "a", Status: decisions[0].Memory}}
		campaign.Waves = campaign.Advance(placed, nil, false, now)
		if campaign.Waves[0].Opened != nil {
			t.Errorf("%s: the wave has opened", reason)
		}
		v := Judge(Release{Now: now, Image: "app:2", Services: placed, Campaign: campaign})
		if v.Phase != want || v.ReadyCondition.Reason != reason {
			t.Errorf("the phase is %s (%s), wanted %s (%s): %s", v.Phase, v.ReadyCondition.Reason, want, reason, v.ReadyCondition.Message)
		}
		if want == PhaseWaiting && v.Look != time.Hour {
			t.Errorf("%s: it looks again after %s, wanted an hour", reason, v.Look)
		}
	}
}

package rollout

import (
	"testing"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func TestWhatASteadyServiceRanWhenFirstSeenIsProven(t *testing.T) {
	in := steadyInput()
	got := Decide(in).Memory.Proven
	if got == nil || got.Revision != "app:1" || got.Source != ecsv1alpha1.SourceAdopted {
		t.Errorf("proven %+v, want app:1, adopted", got)
	}
	for name, change := range map[string]func(*Input){
		"no tasks":           func(in *Input) { in.View.Desired, in.View.Running = 0, 0 },
		"too few tasks":      func(in *Input) { in.View.Running = 1 },
		"a deployment":       func(in *Input) { in.View.Deployments[0].RolloutState = "IN_PROGRESS" },
		"a release of ours":  func(in *Input) { flyingSince(in, time.Hour); in.View = steadyView(); in.Memory.Proven = nil },
		"a service draining": func(in *Input) { in.View.Status = "DRAINING" },
	} {
		in := steadyInput()
		change(&in)
		if got := Decide(in).Memory.Proven; got != nil {
			t.Errorf("with %s: proven %+v, want nothing", name, got)
		}
	}
}

func TestOnlyAReadyReleaseProvesWhatItsServicesRun(t *testing.T) {
	in := steadyInput()
	releasedBefore(&in)
	m := Decide(in).Memory
	got := Prove(m, now)
	if got.Proven.Revision != "app:2" || got.Proven.Source != ecsv1alpha1.SourceReleased {
		t.Errorf("proven %+v, want app:2, released", got.Proven)
	}
	if again := Prove(got, now.Add(time.Hour)); !again.Proven.Since.Equal(&got.Proven.Since) {
		t.Errorf("proven again since %s, want still %s", again.Proven.Since, got.Proven.Since)
	}
	in.View.Desired = 0
	if got := Prove(Decide(in).Memory, now); got.Proven.Revision != "app:1" {
		t.Errorf("scaled to zero: proven %+v, want still app:1", got.Proven)
	}
}

package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func TestTheResultOfAStepIsRecorded(t *testing.T) {
	in := steadyInput()
	lookedForEqual(&in, "")
	d := Decide(in)
	announced := Announce(d.Memory, d.Step, now)
	if announced.Intent == nil || announced.Intent.Action != ecsv1alpha1.IntentRegister || d.Memory.Intent != nil {
		t.Fatalf("announced %+v in %+v", announced.Intent, d.Memory.Intent)
	}
	if m := NotDone(announced); m.Intent != nil || m.Registered != "" {
		t.Errorf("not done: %+v", m)
	}
	m := Registered(announced, d.Step, "app:2")
	if m.Intent != nil || m.Registered != "app:2" || m.Hash != "h2" || m.Inputs != "i2" {
		t.Errorf("registered: %+v", m)
	}
	m = Updated(Announce(m, updating, now), updating, "ecs-svc/2", now)
	if m.Intent != nil || m.State != ecsv1alpha1.ServiceDeploying || m.Deployment.Primary != "ecs-svc/2" || m.Deployment.Revision != "app:2" {
		t.Errorf("updated: %+v", m)
	}
	announced.Hash = "h3"
	if m := Registered(announced, d.Step, "app:2"); m.Hash != "h2" || m.Inputs != "" {
		t.Errorf("registered what is not asked for any more: hash %s for inputs %q", m.Hash, m.Inputs)
	}
}

// inRollback is a service on its way back to app:1.
func inRollback() ecsv1alpha1.ServiceStatus {
	in := steadyInput()
	flyingSince(&in, time.Hour)
	m := in.Memory
	m.Rollback = &ecsv1alpha1.RollbackStatus{To: "app:1", Since: seconds(now.Add(-time.Minute))}
	m.Hook = &ecsv1alpha1.HookDecision{ID: "hook1"}
	m.Restart = true
	return m
}

func TestTheStepsOfARollbackAreRecorded(t *testing.T) {
	back := Step{Action: ActionUpdate, Hash: "h1", Revision: "app:9", PreviousPrimary: "ecs-svc/2", Purpose: ecsv1alpha1.PurposeRollback}
	m := inRollback()
	got := Stopped(Announce(m, Step{Action: ActionStop}, now), Step{Action: ActionStop}, now)
	if got.Intent != nil || !got.Rollback.Stopped || !got.Rollback.Since.Time.Equal(now) {
		t.Errorf("stopped: %+v", got.Rollback)
	}
	got = Registered(m, Step{Action: ActionRegister, Hash: "h1", Purpose: ecsv1alpha1.PurposeRollback}, "app:9")
	if got.Rollback.To != "app:9" || got.Hash != "h2" || got.Registered != "app:2" {
		t.Errorf("registered for a rollback: to %s, hash %s in %s", got.Rollback.To, got.Hash, got.Registered)
	}
	got = Updated(m, back, "ecs-svc/3", now)
	if r := got.Rollback; r == nil || !r.Updated || r.To != "app:9" || got.State != ecsv1alpha1.ServiceRollingBack ||
		got.Deployment.Purpose != ecsv1alpha1.PurposeRollback {
		t.Errorf("updated for a rollback: %+v, %+v", got.Rollback, got.Deployment)
	}
	got = Updated(m, updating, "ecs-svc/3", now)
	if got.Rollback != nil || got.Restart || got.Hook != nil {
		t.Errorf("after another update it still rolls back, waits for a restart or a hook: %+v", got)
	}
	if got = Restarted(m, back, "ecs-svc/3", now); got.Deployment.Purpose != ecsv1alpha1.PurposeRestart || got.Restart {
		t.Errorf("restarted: %+v", got.Deployment)
	}
	if got = Continued(m, Step{Action: ActionContinue, Hook: "hook1"}); got.Hook != nil {
		t.Errorf("continued: %+v", got.Hook)
	}
	if got = Continued(m, Step{Action: ActionContinue, Hook: "hook0"}); got.Hook == nil {
		t.Error("what was decided about another hook was forgotten")
	}
}

func TestWhatIsRefusedIsNotAskedForAgain(t *testing.T) {
	denied := &Problem{Class: ProblemDenied, Message: "no"}
	refused := func(step Step) ecsv1alpha1.ServiceStatus {
		m := Refused(Announce(inRollback(), step, now), step, denied, now)
		if m.Intent != nil {
			t.Errorf("%s: the intent is still there", step.Action)
		}
		return m
	}
	if m := refused(Step{Action: ActionStop}); !m.Rollback.Stopped || m.Rollback.Finished != nil {
		t.Errorf("a stop: %+v", m.Rollback)
	}
	if m := refused(Step{Action: ActionContinue, Hook: "hook1"}); m.Hook != nil {
		t.Errorf("a hook: %+v", m.Hook)
	}
	if m := refused(Step{Action: ActionRestart}); m.Restart {
		t.Error("a restart is asked for again")
	}
	if m := refused(Step{Action: ActionUpdate, Purpose: ecsv1alpha1.PurposeRollback}); m.Rollback.Finished == nil || m.Rollback.Failed != "no" {
		t.Errorf("the way back: %+v", m.Rollback)
	}
	if m := refused(updating); m.Rollback.Finished != nil || m.Rollback.Stopped {
		t.Errorf("an update that is no rollback: %+v", m.Rollback)
	}
}

func TestWhatAFailedReleaseTouchedGoesBack(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*ecsv1alpha1.ServiceStatus)
		want   bool
	}{
		"in flight":         {func(*ecsv1alpha1.ServiceStatus) {}, true},
		"brought":           {func(m *ecsv1alpha1.ServiceStatus) { m.Deployment.Outcome = ecsv1alpha1.DeploymentSucceeded }, true},
		"never deployed to": {func(m *ecsv1alpha1.ServiceStatus) { m.Deployment = nil }, false},
		"taken over":        {func(m *ecsv1alpha1.ServiceStatus) { m.Deployment.Outcome = ecsv1alpha1.DeploymentSuperseded }, false},
		"proven":            {func(m *ecsv1alpha1.ServiceStatus) { m.Proven.Revision = "app:2" }, false},
		"deployed over since": {func(m *ecsv1alpha1.ServiceStatus) {
			m.Deployment.Outcome, m.Revision = ecsv1alpha1.DeploymentSucceeded, "app:3"
		}, false},
		"failed": {func(m *ecsv1alpha1.ServiceStatus) {
			m.Deployment.Outcome, m.Revision = ecsv1alpha1.DeploymentFailed, "app:1"
		}, true},
		"back from another": {func(m *ecsv1alpha1.ServiceStatus) {
			m.Deployment.Outcome, m.Revision, m.Hash = ecsv1alpha1.DeploymentFailed, "app:1", "h3"
		}, false},
		"not back from it":     {func(m *ecsv1alpha1.ServiceStatus) { m.Deployment.Outcome, m.Hash = ecsv1alpha1.DeploymentFailed, "h3" }, true},
		"brought back already": {func(m *ecsv1alpha1.ServiceStatus) { m.Deployment.Purpose = ecsv1alpha1.PurposeRollback }, false},
		"on its way back": {func(m *ecsv1alpha1.ServiceStatus) {
			m.Deployment.Purpose, m.Rollback = ecsv1alpha1.PurposeRollback, &ecsv1alpha1.RollbackStatus{}
		}, true},
		"perhaps updated": {func(m *ecsv1alpha1.ServiceStatus) {
			m.Deployment = nil
			*m = Announce(*m, updating, now)
		}, true},
		"perhaps registered": {func(m *ecsv1alpha1.ServiceStatus) {
			m.Deployment = nil
			*m = Announce(*m, registering, now)
		}, false},
		"nothing proven": {func(m *ecsv1alpha1.ServiceStatus) { m.Proven = nil }, true},
	} {
		in := steadyInput()
		flyingSince(&in, time.Hour)
		m := *in.Memory.DeepCopy()
		m.Revision = "app:2"
		c.change(&m)
		before := m.DeepCopy()
		if got := Touched(m); got != c.want {
			t.Errorf("%s: touched %t, want %t", name, got, c.want)
		}
		if diff := cmp.Diff(*before, m); diff != "" {
			t.Errorf("%s: it was written to:\n%s", name, diff)
		}
	}
}

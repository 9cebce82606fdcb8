package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// The generators draw from small sets, so that things that should be equal often are.
var (
	anyHash     = rapid.SampledFrom([]string{"", "h1", "h2", "h3"})
	anyInputs   = rapid.SampledFrom([]string{"", "i1", "i2"})
	anyRevision = rapid.SampledFrom([]string{"app:1", "app:2", "app:3"})
	anyRegister = rapid.SampledFrom([]string{"", "app:1", "app:2", "app:3"})
	anyPrimary  = rapid.SampledFrom([]string{"", "ecs-svc/1", "ecs-svc/2", "ecs-svc/3"})
	anyRollout  = rapid.SampledFrom([]string{"", "IN_PROGRESS", "COMPLETED", "FAILED"})
	anyTime     = rapid.Custom(func(t *rapid.T) time.Time {
		return now.Add(-time.Duration(rapid.IntRange(-20, 4000).Draw(t, "ago")) * time.Second)
	})
	anyCount   = rapid.Int32Range(0, 3)
	anyProblem = rapid.Custom(func(t *rapid.T) *Problem {
		if rapid.IntRange(0, 9).Draw(t, "problem") > 0 {
			return nil
		}
		return &Problem{
			Class: rapid.SampledFrom([]ProblemClass{
				ProblemTransient, ProblemThrottled, ProblemDenied, ProblemMissing, ProblemRefused,
			}).Draw(t, "class"),
			Reason: rapid.SampledFrom([]string{
				"", ecsv1alpha1.ReasonAccessDenied, ecsv1alpha1.ReasonImageNotFound, ecsv1alpha1.ReasonContainerNotFound,
				ecsv1alpha1.ReasonCircuitBreaker, ecsv1alpha1.ReasonUpdateRefused,
			}).Draw(t, "reason"),
		}
	})
)

func anyDeployment(t *rapid.T, status string) Deployment {
	return Deployment{
		ID: anyPrimary.Draw(t, "id"), Status: status, Revision: anyRevision.Draw(t, "revision"),
		RolloutState: anyRollout.Draw(t, "rollout"), Running: anyCount.Draw(t, "running"), Created: anyTime.Draw(t, "created"),
		Reason: rapid.SampledFrom([]string{"", "rolling back to deploymentId ecs-svc/1"}).Draw(t, "why"),
	}
}

var anyView = rapid.Custom(func(t *rapid.T) *View {
	if rapid.IntRange(0, 9).Draw(t, "none") == 0 {
		return nil
	}
	if p := anyProblem.Draw(t, "view problem"); p != nil {
		return &View{At: now, Problem: p}
	}
	v := &View{
		At: anyTime.Draw(t, "at"), Desired: anyCount.Draw(t, "desired"), Running: anyCount.Draw(t, "running"),
		Status:                rapid.SampledFrom([]string{"ACTIVE", "ACTIVE", "ACTIVE", "DRAINING"}).Draw(t, "status"),
		Controller:            rapid.SampledFrom([]string{"", "ECS", "ECS", "EXTERNAL"}).Draw(t, "controller"),
		MinimumHealthyPercent: rapid.SampledFrom([]int32{-1, 50, 100}).Draw(t, "min"), MaximumPercent: 150,
		Deployments: []Deployment{anyDeployment(t, "PRIMARY")},
	}
	for range rapid.IntRange(0, 2).Draw(t, "others") {
		v.Deployments = append(v.Deployments, anyDeployment(t, "ACTIVE"))
	}
	return v
})

var anyMemory = rapid.Custom(func(t *rapid.T) ecsv1alpha1.ServiceStatus {
	m := ecsv1alpha1.ServiceStatus{
		Name: "app", State: rapid.SampledFrom([]ecsv1alpha1.ServiceState{
			"", ecsv1alpha1.ServiceUnknown, ecsv1alpha1.ServiceInSync, ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ServiceFailed,
			ecsv1alpha1.ServiceRollingBack, ecsv1alpha1.ServiceRolledBack, ecsv1alpha1.ServiceRollbackFailed,
		}).Draw(t, "state"),
		Revision: anyRegister.Draw(t, "last seen"), Restart: rapid.IntRange(0, 3).Draw(t, "restart") == 0,
		Since: seconds(anyTime.Draw(t, "since")), Inputs: anyInputs.Draw(t, "inputs"), Hash: anyHash.Draw(t, "hash"),
		Registered: anyRegister.Draw(t, "registered"),
		Source:     rapid.SampledFrom([]ecsv1alpha1.RevisionSource{"", ecsv1alpha1.SourceAdopted}).Draw(t, "source"),
	}
	if rapid.Bool().Draw(t, "deployed") {
		m.Deployment = newDeployment(anyRevision.Draw(t, "brings"), anyHash.Draw(t, "of"), anyPrimary.Draw(t, "as"), anyTime.Draw(t, "started"))
		m.Deployment.Outcome = rapid.SampledFrom([]ecsv1alpha1.DeploymentOutcome{
			"", "", ecsv1alpha1.DeploymentFailed, ecsv1alpha1.DeploymentSucceeded, ecsv1alpha1.DeploymentSuperseded,
		}).Draw(t, "outcome")
		m.Deployment.ServiceDeployment = rapid.SampledFrom([]string{"", "sd1"}).Draw(t, "recorded")
		m.Deployment.Purpose = rapid.SampledFrom([]ecsv1alpha1.DeploymentPurpose{
			"", "", ecsv1alpha1.PurposeDrift, ecsv1alpha1.PurposeRestart, ecsv1alpha1.PurposeRollback,
		}).Draw(t, "purpose")
		m.Deployment.Inputs = anyInputs.Draw(t, "deployed for")
	}
	if rapid.Bool().Draw(t, "failed") {
		m.Failed = []ecsv1alpha1.FailedContent{{
			Hash: anyHash.Draw(t, "failed hash"), Inputs: anyInputs.Draw(t, "failed inputs"),
			Class: rapid.SampledFrom([]ecsv1alpha1.FailureClass{ecsv1alpha1.FailureDeadline, ecsv1alpha1.FailureAborted}).Draw(t, "class"),
		}}
	}
	plight(t, &m)
	if rapid.IntRange(0, 2).Draw(t, "intent") == 0 {
		m = Announce(m, Step{
			Action: rapid.SampledFrom([]Action{
				ActionRegister, ActionUpdate, ActionRestart, ActionStop, ActionContinue,
			}).Draw(t, "action"),
			Hash:              rapid.SampledFrom([]string{"h1", "h2", "h3"}).Draw(t, "intended"),
			Base:              anyRevision.Draw(t, "base"),
			Revision:          anyRevision.Draw(t, "to"),
			ServiceDeployment: "sd1", Hook: "hook1",
			Purpose: rapid.SampledFrom([]ecsv1alpha1.DeploymentPurpose{"", ecsv1alpha1.PurposeRollback}).Draw(t, "intended for"),
		}, anyTime.Draw(t, "announced"))
	}
	return m
})

// plight puts what may have happened to a service in m: what is proven, a rollback, a drift, a hook
// that was decided about.
func plight(t *rapid.T, m *ecsv1alpha1.ServiceStatus) {
	if rapid.Bool().Draw(t, "proven") {
		m.Proven = &ecsv1alpha1.ProvenRevision{Revision: anyRevision.Draw(t, "proven revision")}
	}
	finished := func() *metav1.Time {
		at := seconds(anyTime.Draw(t, "finished"))
		return &at
	}
	if m.Proven != nil && rapid.Bool().Draw(t, "rolled back") {
		m.Rollback = &ecsv1alpha1.RollbackStatus{
			To: m.Proven.Revision, Since: seconds(anyTime.Draw(t, "rolls since")),
			Stopped: rapid.Bool().Draw(t, "stopped"), Updated: rapid.Bool().Draw(t, "updated"),
		}
		if rapid.Bool().Draw(t, "back") {
			m.Rollback.Finished = finished()
			m.Rollback.Failed = rapid.SampledFrom([]string{"", "no way back"}).Draw(t, "why")
		}
	}
	if rapid.Bool().Draw(t, "drifted") {
		m.Drift = &ecsv1alpha1.DriftStatus{
			Deployment: anyPrimary.Draw(t, "theirs"), Revision: anyRevision.Draw(t, "they brought"), At: seconds(anyTime.Draw(t, "drifted at")),
			Standing: rapid.Bool().Draw(t, "standing"),
		}
		if rapid.Bool().Draw(t, "corrected") {
			m.Drift.Corrected = finished()
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "hook") == 0 {
		m.Hook = &ecsv1alpha1.HookDecision{ID: "hook1", RollBack: rapid.Bool().Draw(t, "roll back")}
	}
}

var anyInput = rapid.Custom(func(t *rapid.T) Input {
	in := Input{
		Now: now, View: anyView.Draw(t, "view"), Memory: anyMemory.Draw(t, "memory"), Timing: timing,
		Want: Want{
			Inputs: rapid.SampledFrom([]string{"i1", "i2"}).Draw(t, "wanted"), Seen: anyRevision.Draw(t, "want seen"), Base: anyRevision.Draw(t, "want base"),
			Hash: anyHash.Draw(t, "want hash"), SeenHash: anyHash.Draw(t, "base hash"),
			SeenOurs: rapid.Bool().Draw(t, "ours"), Running: rapid.Bool().Draw(t, "running"),
			Problem: anyProblem.Draw(t, "want problem"),
		},
		Policy: Policy{
			Suspended: rapid.IntRange(0, 4).Draw(t, "suspended") == 0, ProgressDeadline: 10 * time.Minute,
			Report: rapid.IntRange(0, 4).Draw(t, "report") == 0, Held: rapid.IntRange(0, 4).Draw(t, "held") == 0,
		},
		Goal:    rapid.SampledFrom([]Goal{"", GoalRelease, GoalRollback, GoalRollback, GoalLeave}).Draw(t, "goal"),
		Blocked: anyProblem.Draw(t, "blocked"), Refused: anyProblem.Draw(t, "refused"), Barred: anyProblem.Draw(t, "barred"),
	}
	in.Want.Family = rapid.IntRange(0, 3).Draw(t, "family") == 0
	if rapid.IntRange(0, 3).Draw(t, "carrier") == 0 {
		in.Want.Carrier = anyRevision.Draw(t, "carried by")
	}
	in.Facts.Problem = anyProblem.Draw(t, "facts problem")
	if rapid.Bool().Draw(t, "looked for equal") {
		in.Facts.EqualAt, in.Facts.EqualHash, in.Facts.Equal = anyTime.Draw(t, "equal at"), anyHash.Draw(t, "equal hash"), anyRegister.Draw(t, "equal")
	}
	if rapid.Bool().Draw(t, "looked for ours") {
		in.Facts.OursAt, in.Facts.OursRevision = anyTime.Draw(t, "ours at"), anyRevision.Draw(t, "ours for")
		if rapid.Bool().Draw(t, "listed") {
			in.Facts.Ours = &ServiceDeployment{
				ID: "sd1", Revision: anyRevision.Draw(t, "ours brings"), Created: anyTime.Draw(t, "ours created"),
				Status: rapid.SampledFrom([]string{
					"PENDING", "IN_PROGRESS", "SUCCESSFUL", "STOP_REQUESTED", "STOPPED", "ROLLBACK_REQUESTED",
					"ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "UNHEARD_OF",
				}).Draw(t, "ours status"),
				BreakerTriggered: rapid.Bool().Draw(t, "breaker"), Weight: -1, TestWeight: -1,
			}
			shifting(t, in.Facts.Ours)
		}
	}
	if rapid.Bool().Draw(t, "looked at proven") {
		in.Facts.ProvenAt, in.Facts.ProvenRevision = now, anyRevision.Draw(t, "looked at")
		in.Facts.ProvenActive, in.Facts.ProvenHash = rapid.Bool().Draw(t, "active"), anyHash.Draw(t, "proven hash")
	}
	if rapid.Bool().Draw(t, "looked for evidence") {
		in.Facts.EvidenceAt, in.Facts.Evidence = now, &Evidence{}
	}
	if rapid.Bool().Draw(t, "answered") {
		in.Facts.EqualHash, in.Facts.OursRevision = Needs(in).EqualHash, Needs(in).Revision
	}
	return in
})

// shifting has a service deployment shift traffic, and be paused perhaps.
func shifting(t *rapid.T, sd *ServiceDeployment) {
	sd.Stage = rapid.SampledFrom([]string{"", "SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME"}).Draw(t, "stage")
	if sd.Stage == "" {
		return
	}
	sd.Weight = rapid.SampledFrom([]int32{-1, 0, 5, 100}).Draw(t, "weight")
	if rapid.Bool().Draw(t, "paused") {
		sd.Hooks = []Hook{{
			ID: rapid.SampledFrom([]string{"hook1", "hook2"}).Draw(t, "hook"), Kind: "PAUSE",
			Status: rapid.SampledFrom([]string{"AWAITING_ACTION", "SUCCEEDED"}).Draw(t, "hook status"),
		}}
	}
}

// answer makes the look-ups that need asks for, with what in happens to have for them.
func (n Need) answer(t *rapid.T, in *Input) {
	switch {
	case n.Base:
		in.Want.Seen, in.Want.Hash = in.View.Primary().Revision, rapid.SampledFrom([]string{"h1", "h2", "h3"}).Draw(t, "read hash")
		return
	case n.EqualHash != "":
		in.Facts.EqualAt, in.Facts.EqualHash, in.Facts.Equal = now, n.EqualHash, anyRegister.Draw(t, "found equal")
	}
	if n.Deployment {
		in.Facts.OursAt, in.Facts.OursRevision, in.Facts.Ours = now, n.Revision, nil
		if rapid.Bool().Draw(t, "found ours") {
			status := rapid.SampledFrom([]string{"IN_PROGRESS", "SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "STOPPED"}).Draw(t, "found status")
			in.Facts.Ours = &ServiceDeployment{ID: "sd1", Revision: n.Revision, Status: status, Weight: -1}
		}
	}
	if n.Proven != "" {
		in.Facts.ProvenAt, in.Facts.ProvenRevision, in.Facts.ProvenHash = now, n.Proven, "h1"
		in.Facts.ProvenActive = rapid.Bool().Draw(t, "found active")
	}
	if n.Evidence {
		in.Facts.EvidenceAt, in.Facts.Evidence = now, &Evidence{}
	}
}

func TestWhatIsNeededComesToAnEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput.Draw(t, "input")
		in.Facts = Facts{}
		for range 8 {
			need := Needs(in)
			if need.None() {
				return
			}
			need.answer(t, &in)
		}
		t.Fatalf("still needed: %+v", Needs(in))
	})
}

func TestEveryStepIsOneThatMayBeTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput.Draw(t, "input")
		if rapid.Bool().Draw(t, "calmly") {
			in.View = steadyView()
			in.View.Deployments[0].Revision = anyRevision.Draw(t, "runs")
			in.Policy.Suspended, in.Barred, in.Refused, in.Facts.Problem, in.Memory.Intent = false, nil, nil, nil, nil
		}
		d := Decide(in)
		step, m := d.Step, d.Memory
		if step == (Step{}) {
			return
		}
		brings := step.Action == ActionRegister || step.Action == ActionUpdate
		back := step.Purpose == ecsv1alpha1.PurposeRollback
		for reason, is := range map[string]bool{
			"it is suspended":                    in.Policy.Suspended,
			"it is barred":                       in.Barred != nil,
			"a call has no answer yet":           m.Intent != nil,
			"ECS is rolling back":                situate(in).viewRollsBack(),
			"it is blocked and is no rollback":   in.Blocked != nil && brings && !back && !failure(in.Blocked.Reason),
			"the content failed":                 brings && !back && failed(&m, step.Hash) != nil,
			"its images failed":                  brings && !back && !in.Want.Family && failedFor(m, in.Want.Inputs),
			"nobody wants it back":               back && in.Goal != GoalRollback,
			"it is wanted back":                  brings && !back && in.Goal == GoalRollback,
			"it is to be left alone":             in.Goal == GoalLeave && step.Action != ActionContinue,
			"it was tried before":                step.Action == ActionUpdate && back && m.Rollback.Updated,
			"it was stopped before":              step.Action == ActionStop && m.Rollback.Stopped,
			"the rollback has ended":             back && m.Rollback.Finished != nil,
			"it is not what is proven":           step.Action == ActionUpdate && back && step.Revision != m.Rollback.To && in.Facts.ProvenActive,
			"it changes nothing":                 step.Action == ActionUpdate && step.Revision == in.View.Primary().Revision,
			"it is a drift that stands":          step.Purpose == ecsv1alpha1.PurposeDrift && m.Drift.Standing,
			"it was corrected before":            step.Purpose == ecsv1alpha1.PurposeDrift && tooSoon(m.Drift),
			"drift is only to be reported":       step.Purpose == ecsv1alpha1.PurposeDrift && (in.Policy.Report || in.Policy.Held),
			"nobody asked for a restart":         step.Action == ActionRestart && !in.Memory.Restart,
			"it restarts what it does not run":   step.Action == ActionRestart && step.Revision != in.View.Primary().Revision,
			"nobody decided about that hook":     step.Action == ActionContinue && (m.Hook == nil || m.Hook.ID != step.Hook),
			"that hook does not wait":            step.Action == ActionContinue && in.Facts.Ours.Awaits() == nil,
			"the deployment is not in progress":  step.Action == ActionStop && in.Facts.Ours.Status != "IN_PROGRESS" && in.Facts.Ours.Status != "PENDING",
			"look-ups are missing":               brings && !Needs(in).None(),
			"it names neither base nor revision": step.Base == "" && step.Revision == "",
		} {
			if is {
				t.Fatalf("%+v although %s", step, reason)
			}
		}
	})
}

// failedFor says that what was asked for by inputs failed.
func failedFor(m ecsv1alpha1.ServiceStatus, inputs string) bool {
	for _, f := range m.Failed {
		if f.Inputs == inputs {
			return true
		}
	}
	return false
}

// tooSoon says that a drift came within an hour of a correction, or was corrected already.
func tooSoon(d *ecsv1alpha1.DriftStatus) bool {
	return d.Corrected != nil && d.At.Sub(d.Corrected.Time) < time.Hour
}

func TestDecidingAgainChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput.Draw(t, "input")
		before := in.Memory.DeepCopy()
		first := Decide(in)
		if diff := cmp.Diff(*before, in.Memory); diff != "" {
			t.Fatalf("the input was written to:\n%s", diff)
		}
		in.Memory = first.Memory
		if diff := cmp.Diff(first.Memory, Decide(in).Memory); diff != "" {
			t.Fatalf("the second decision (-first +second):\n%s", diff)
		}
	})
}

// anyCalm is an input in which nothing is in the way of a step, so that most lead to one.
var anyCalm = rapid.Custom(func(t *rapid.T) Input {
	in := anyInput.Draw(t, "input")
	in.View = steadyView()
	in.View.Deployments = append(in.View.Deployments, anyDeployment(t, "ACTIVE"))
	in.View.Deployments[0].Revision = anyRevision.Draw(t, "runs")
	in.Want.Seen, in.Want.Hash, in.Want.SeenHash = in.View.Deployments[0].Revision, "h3", "h1"
	in.Want.Running, in.Want.Problem, in.Policy.Suspended = false, nil, false
	in.Blocked, in.Refused, in.Facts.Problem, in.Barred, in.Goal = nil, nil, nil, nil, GoalRelease
	in.Memory.Hook, in.Memory.Restart, in.Want.Family, in.Want.Carrier = nil, false, false, ""
	in.Facts.EqualAt, in.Facts.EqualHash = now, "h3"
	if d := in.Memory.Deployment; d != nil {
		in.Facts.OursAt, in.Facts.OursRevision = now, d.Revision
	}
	return in
})

func TestAStepIsWhatIsAskedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyCalm.Draw(t, "calm")
		d := Decide(in)
		if d.Step == (Step{}) {
			return
		}
		for reason, is := range map[string]bool{
			"a call has no answer yet": d.Memory.Intent != nil,
			"the content failed":       failed(&d.Memory, d.Step.Hash) != nil,
			"ECS is rolling back":      situate(in).viewRollsBack(),
			"it is not out of sync":    d.Memory.State != ecsv1alpha1.ServiceOutOfSync,
			"it has other content":     d.Step.Hash != "h3" || d.Memory.Hash != "h3" || d.Memory.Inputs != in.Want.Inputs,
			"it changes nothing":       d.Step.Revision == in.View.Primary().Revision,
			"look-ups are missing":     !Needs(in).None(),
			"it is of no known kind":   (d.Step.Action == ActionRegister) == (d.Step.Revision != ""),
		} {
			if is {
				t.Fatalf("%+v although %s", d.Step, reason)
			}
		}
	})
}

func TestWhateverIsInTheWayNoStepIsTaken(t *testing.T) {
	no := func(reason string) *Problem { return &Problem{Class: ProblemRefused, Reason: reason} }
	inTheWay := map[string]func(*Input){
		"suspended":       func(in *Input) { in.Policy.Suspended = true },
		"blocked":         func(in *Input) { in.Blocked = no(ecsv1alpha1.ReasonNoEnvironment) },
		"refused":         func(in *Input) { in.Refused = no(ecsv1alpha1.ReasonUpdateRefused) },
		"unfit":           func(in *Input) { in.Want.Problem = no(ecsv1alpha1.ReasonWrongArchitecture) },
		"not looked at":   func(in *Input) { in.View = nil },
		"not visible":     func(in *Input) { in.View = &View{Problem: &Problem{Class: ProblemTransient}} },
		"not active":      func(in *Input) { in.View.Status = "INACTIVE" },
		"not ours":        func(in *Input) { in.View.Controller = "CODE_DEPLOY" },
		"not read":        func(in *Input) { in.Want.Base, in.Want.Hash = "", "" },
		"not looked for":  func(in *Input) { in.Facts, in.Memory.Registered, in.Memory.Deployment = Facts{}, "", nil },
		"in sync already": func(in *Input) { in.Want.SeenHash = "h3" },
		"stuck":           func(in *Input) { in.View.MaximumPercent = 100 },
		"rolling back": func(in *Input) {
			in.View.Deployments[0].RolloutState, in.View.Deployments[0].Reason = "IN_PROGRESS", "rolling back to deploymentId ecs-svc/1"
		},
		"failed": func(in *Input) {
			in.Memory.Failed = []ecsv1alpha1.FailedContent{{Hash: "h3", Class: ecsv1alpha1.FailureDeadline}}
		},
		"unanswered": func(in *Input) {
			in.Memory = Announce(in.Memory, Step{Action: ActionRegister, Hash: "h2", Base: "app:1"}, now)
		},
	}
	for name, happens := range inTheWay {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			in := anyCalm.Draw(t, "calm")
			happens(&in)
			if d := Decide(in); d.Step != (Step{}) {
				t.Fatalf("%+v", d.Step)
			}
		}))
	}
}

func TestEveryVerdictKeepsTheContract(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := Release{
			Now: now, Image: "app:v2", Suspended: rapid.Bool().Draw(rt, "suspended"), Blocked: anyProblem.Draw(rt, "blocked"),
			ImageProblem: anyProblem.Draw(rt, "image"), ImageChecked: rapid.Bool().Draw(rt, "checked"), ImageDeadline: time.Minute,
		}
		if rapid.Bool().Draw(rt, "missing") {
			r.ImageMissingSince = anyTime.Draw(rt, "since")
		}
		if r.Blocked != nil && r.Blocked.Reason == "" {
			r.Blocked.Reason = ecsv1alpha1.ReasonNoEnvironment
		}
		var services []Candidate
		for range rapid.IntRange(0, 4).Draw(rt, "services") {
			services = append(services, Candidate{Target: "t", Input: anyInput.Draw(rt, "input")})
		}
		for _, d := range Plan(services, nil, Campaign{}) {
			r.Services = append(r.Services, Placed{Target: "t", Status: d.Memory})
		}
		v := Judge(r)
		if broken := brokenRules(v); broken != nil {
			rt.Fatalf("%s: %+v", broken, v)
		}
		if v.Ready == metav1.ConditionTrue && r.Blocked != nil {
			rt.Fatalf("ready although %+v", r.Blocked)
		}
	})
}

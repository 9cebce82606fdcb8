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
		}).Draw(t, "state"),
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
	}
	if rapid.IntRange(0, 2).Draw(t, "intent") == 0 {
		m = Announce(m, Step{
			Action:   rapid.SampledFrom([]Action{ActionRegister, ActionUpdate}).Draw(t, "action"),
			Hash:     anyHash.Draw(t, "intended"),
			Base:     anyRevision.Draw(t, "base"),
			Revision: anyRevision.Draw(t, "to"),
		}, anyTime.Draw(t, "announced"))
	}
	if rapid.Bool().Draw(t, "failed") {
		m.Failed = []ecsv1alpha1.FailedContent{{Hash: anyHash.Draw(t, "failed hash"), Class: ecsv1alpha1.FailureDeadline}}
	}
	return m
})

var anyInput = rapid.Custom(func(t *rapid.T) Input {
	in := Input{
		Now: now, View: anyView.Draw(t, "view"), Memory: anyMemory.Draw(t, "memory"), Timing: timing,
		Want: Want{
			Inputs: rapid.SampledFrom([]string{"i1", "i2"}).Draw(t, "wanted"), Base: anyRevision.Draw(t, "want base"),
			Hash: anyHash.Draw(t, "want hash"), BaseHash: anyHash.Draw(t, "base hash"),
			BaseOurs: rapid.Bool().Draw(t, "ours"), Running: rapid.Bool().Draw(t, "running"),
			Problem: anyProblem.Draw(t, "want problem"),
		},
		Policy:  Policy{Suspended: rapid.IntRange(0, 4).Draw(t, "suspended") == 0, ProgressDeadline: 10 * time.Minute},
		Blocked: anyProblem.Draw(t, "blocked"), Refused: anyProblem.Draw(t, "refused"),
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
				BreakerTriggered: rapid.Bool().Draw(t, "breaker"),
			}
		}
	}
	if rapid.Bool().Draw(t, "answered") {
		in.Facts.EqualHash, in.Facts.OursRevision = Needs(in).EqualHash, Needs(in).Revision
	}
	return in
})

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
	in.Want.Base, in.Want.Hash, in.Want.BaseHash = in.View.Deployments[0].Revision, "h3", "h1"
	in.Want.Running, in.Want.Problem, in.Policy.Suspended = false, nil, false
	in.Blocked, in.Refused, in.Facts.Problem = nil, nil, nil
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
		"in sync already": func(in *Input) { in.Want.BaseHash = "h3" },
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
		for _, d := range Plan(services, nil) {
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

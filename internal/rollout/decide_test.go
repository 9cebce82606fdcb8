package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// now is when the decisions of the tables are made.
var now = epoch

// steadyInput is a service that runs app:1, ecs-svc/1, and should run content h2 by the inputs i2;
// nothing of it is remembered. The cases change what they are about.
func steadyInput() Input {
	return Input{
		Now:  now,
		View: steadyView(),
		Want: Want{Inputs: "i2", Seen: "app:1", Base: "app:1", Hash: "h2", SeenHash: "h1"},
		Policy: Policy{
			ProgressDeadline: 30 * time.Minute,
		},
		Timing: timing,
		Memory: ecsv1alpha1.ServiceStatus{Name: "app"},
	}
}

func steadyView() *View {
	return &View{
		At: now, Status: "ACTIVE", Controller: "ECS", Desired: 2, Running: 2, TaskDefinition: "app:1",
		MinimumHealthyPercent: 100, MaximumPercent: 200,
		Deployments: []Deployment{{
			ID: "ecs-svc/1", Status: "PRIMARY", Revision: "app:1", RolloutState: "COMPLETED", Desired: 2, Running: 2,
			Created: now.Add(-time.Hour),
		}},
	}
}

// lookedForEqual has looked for a revision of ours with content h2.
func lookedForEqual(in *Input, found string) {
	in.Facts.EqualAt, in.Facts.EqualHash, in.Facts.Equal = now, "h2", found
}

// flyingSince has our deployment of app:2 in flight, as the primary one, since long ago.
func flyingSince(in *Input, ago time.Duration) {
	started := now.Add(-ago)
	in.Memory.State, in.Memory.Since = ecsv1alpha1.ServiceDeploying, seconds(started)
	in.Memory.Inputs, in.Memory.Hash, in.Memory.Registered = "i2", "h2", "app:2"
	in.Memory.Deployment = newDeployment("app:2", "h2", "ecs-svc/2", started)
	in.Memory.Deployment.ServiceDeployment = "sd2"
	in.Memory.Proven = &ecsv1alpha1.ProvenRevision{Revision: "app:1", Source: ecsv1alpha1.SourceAdopted}
	in.Want = Want{Inputs: "i2", Seen: "app:2", Base: "app:2", Hash: "h2", SeenHash: "h2", SeenOurs: true}
	in.View.Deployments[0].Status = "ACTIVE"
	in.View.Deployments = append([]Deployment{{
		ID: "ecs-svc/2", Status: "PRIMARY", Revision: "app:2", RolloutState: "IN_PROGRESS", Desired: 2, Running: 1, Created: started,
	}}, in.View.Deployments...)
}

// recordedAs has ECS's record of our deployment looked up, and that there is no evidence of a failure.
func recordedAs(in *Input, status string) *ServiceDeployment {
	in.Facts.EvidenceAt, in.Facts.Evidence = now, &Evidence{}
	in.Facts.OursAt, in.Facts.OursRevision = now, "app:2"
	in.Facts.Ours = &ServiceDeployment{ID: "sd2", Status: status, Revision: "app:2", Created: now.Add(-10 * time.Minute)}
	return in.Facts.Ours
}

// releasedBefore has app:2 released and running.
func releasedBefore(in *Input) {
	flyingSince(in, time.Hour)
	in.Memory.State, in.Memory.Since = ecsv1alpha1.ServiceInSync, seconds(now.Add(-30*time.Minute))
	in.Memory.Source = ecsv1alpha1.SourceReleased
	in.Memory.Deployment.Outcome = ecsv1alpha1.DeploymentSucceeded
	in.Want = Want{Inputs: "i2"}
	in.View.Deployments = in.View.Deployments[:1]
	in.View.Deployments[0].RolloutState, in.View.Deployments[0].Running = "COMPLETED", 2
}

// rolledBackBefore has app:2 failed and app:1 running again.
func rolledBackBefore(in *Input) {
	flyingSince(in, time.Hour)
	in.View = steadyView()
	in.Want = Want{Inputs: "i2", Seen: "app:1", Base: "app:1", Hash: "h2", SeenHash: "h1"}
	in.Memory.State = ecsv1alpha1.ServiceFailed
	in.Memory.Deployment.Outcome = ecsv1alpha1.DeploymentFailed
	in.Memory.Failed = []ecsv1alpha1.FailedContent{{Hash: "h2", Class: ecsv1alpha1.FailureCircuitBreaker, At: seconds(now)}}
}

// decisions are the tables, one for each group of rules.
type decision struct {
	name   string
	change func(*Input)
	state  ecsv1alpha1.ServiceState
	reason string
	step   Step
	need   Need
	// also checks what else is true of the memory; "" where it is.
	also func(ecsv1alpha1.ServiceStatus) string
}

func runDecisions(t *testing.T, cases []decision) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := steadyInput()
			c.change(&in)
			before := in.Memory.DeepCopy()
			got := Decide(in)
			if got.Memory.State != c.state || got.Memory.Reason != c.reason {
				t.Errorf("state %s (%s), want %s (%s): %s", got.Memory.State, got.Memory.Reason, c.state, c.reason, got.Memory.Message)
			}
			if diff := cmp.Diff(c.step, got.Step); diff != "" {
				t.Errorf("step (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.need, Needs(in), cmpopts.IgnoreFields(Need{}, "Since")); diff != "" {
				t.Errorf("need (-want +got):\n%s", diff)
			}
			if c.also != nil {
				if wrong := c.also(got.Memory); wrong != "" {
					t.Error(wrong)
				}
			}
			if diff := cmp.Diff(*before, in.Memory); diff != "" {
				t.Errorf("the input was written to:\n%s", diff)
			}
			in.Memory = got.Memory
			if diff := cmp.Diff(got.Memory, Decide(in).Memory); diff != "" {
				t.Errorf("deciding again changes the memory:\n%s", diff)
			}
		})
	}
}

var (
	registering = Step{Action: ActionRegister, Hash: "h2", Base: "app:1"}
	updating    = Step{Action: ActionUpdate, Hash: "h2", Revision: "app:2", PreviousPrimary: "ecs-svc/1"}
	needOurs    = Need{Deployment: true, ID: "sd2", Revision: "app:2"}
	needEqual   = Need{EqualHash: "h2", EqualFamily: "app"}
)

// What is left to wait for when a call is put off may be nanoseconds, and is told with what was seen
// until the next look at AWS: a release that went by it would be passed over without end.
func TestAThrottleThatIsAlmostOverIsNotAskedAboutAgainAtOnce(t *testing.T) {
	almostOver := &Problem{Class: ProblemThrottled, Message: "Rate exceeded", RetryAfter: 3}
	for name, change := range map[string]func(*Input){
		"of one in sync":        func(in *Input) { releasedBefore(in); in.View = &View{Problem: almostOver} },
		"of one in flight":      func(in *Input) { flyingSince(in, time.Minute); in.View = &View{Problem: almostOver} },
		"of what is looked up":  func(in *Input) { flyingSince(in, time.Minute); in.Facts = Facts{Problem: almostOver} },
		"of one that goes back": func(in *Input) { goingBackSince(in, time.Minute); in.Facts = Facts{Problem: almostOver} },
	} {
		t.Run(name, func(t *testing.T) {
			in := steadyInput()
			change(&in)
			if got := Decide(in); got.Look < in.Timing.Fast {
				t.Errorf("it is %s, looked at again after %s, wanted %s at least", got.Memory.State, got.Look, in.Timing.Fast)
			}
		})
	}
}

// What is asked for by each pass, and not kept, is asked for again as soon as there is a token: of a fleet
// that is bumped at once each release reads its task definition.
func TestWhatEachPassAsksForIsAskedForAgainAsSoonAsItMay(t *testing.T) {
	in := steadyInput()
	in.Want.Problem = &Problem{Class: ProblemThrottled, Message: "Rate exceeded", RetryAfter: 300 * time.Millisecond}
	if got := Decide(in); got.Look != 300*time.Millisecond {
		t.Errorf("it is asked for again after %s, wanted 300ms", got.Look)
	}
}

func TestAServiceIsLookedAtBeforeAnythingElse(t *testing.T) {
	throttled := &Problem{Class: ProblemThrottled, Message: "Rate exceeded"}
	runDecisions(t, []decision{
		{
			name:   "one that was never looked at is unknown",
			change: func(in *Input) { in.View = nil },
			state:  ecsv1alpha1.ServiceUnknown, reason: ecsv1alpha1.ReasonObserving,
		},
		{
			name:   "one that was not looked at since a restart stays as it is remembered",
			change: func(in *Input) { releasedBefore(in); in.View = nil },
			state:  ecsv1alpha1.ServiceInSync,
		},
		{
			name:   "what is remembered says nothing about another image",
			change: func(in *Input) { releasedBefore(in); in.View, in.Want.Inputs = nil, "i3" },
			state:  ecsv1alpha1.ServiceUnknown, reason: ecsv1alpha1.ReasonObserving,
		},
		{
			name: "one that does not exist is missing",
			change: func(in *Input) {
				in.View = &View{At: now, Problem: &Problem{Class: ProblemMissing, Reason: ecsv1alpha1.ReasonClusterNotFound}}
			},
			state: ecsv1alpha1.ServiceMissing, reason: ecsv1alpha1.ReasonClusterNotFound,
		},
		{
			name:   "one that may not be looked at is unknown, for a person",
			change: func(in *Input) { releasedBefore(in); in.View = &View{Problem: &Problem{Class: ProblemDenied}} },
			state:  ecsv1alpha1.ServiceUnknown, reason: ecsv1alpha1.ReasonAccessDenied,
		},
		{
			name:   "a throttle says nothing new about one in sync",
			change: func(in *Input) { releasedBefore(in); in.View = &View{Problem: throttled} },
			state:  ecsv1alpha1.ServiceInSync,
		},
		{
			name:   "a throttle says nothing new about one that failed",
			change: func(in *Input) { rolledBackBefore(in); in.View = &View{Problem: throttled} },
			state:  ecsv1alpha1.ServiceFailed,
		},
		{
			name: "a throttle leaves one in flight unknown, with all that is remembered",
			change: func(in *Input) {
				flyingSince(in, time.Minute)
				in.View = &View{Problem: throttled}
			},
			state: ecsv1alpha1.ServiceUnknown, reason: ecsv1alpha1.ReasonObservationFailed,
			also: func(m ecsv1alpha1.ServiceStatus) string {
				if m.Deployment == nil || m.Registered != "app:2" {
					return "the deployment was forgotten"
				}
				return ""
			},
		},
		{
			name:   "one that drains is unsupported",
			change: func(in *Input) { in.View.Status = "DRAINING" },
			state:  ecsv1alpha1.ServiceUnsupported, reason: ecsv1alpha1.ReasonServiceNotActive,
		},
		{
			name:   "one under CodeDeploy is unsupported",
			change: func(in *Input) { in.View.Controller = "CODE_DEPLOY" },
			state:  ecsv1alpha1.ServiceUnsupported, reason: ecsv1alpha1.ReasonServiceUnsupported,
		},
		{
			name:   "one in Express Mode is unsupported",
			change: func(in *Input) { in.View.Express = true },
			state:  ecsv1alpha1.ServiceUnsupported, reason: ecsv1alpha1.ReasonServiceUnsupported,
		},
		{
			name:   "one without a primary deployment is looked at again",
			change: func(in *Input) { in.View.Deployments = nil },
			state:  ecsv1alpha1.ServiceUnknown, reason: ecsv1alpha1.ReasonObservationFailed,
		},
		{
			name:   "one in sync is not doubted for a look without a primary deployment",
			change: func(in *Input) { releasedBefore(in); in.View.Deployments = nil },
			state:  ecsv1alpha1.ServiceInSync,
		},
	})
}

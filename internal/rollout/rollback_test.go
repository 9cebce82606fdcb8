package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// goingBackSince has app:2 failed, and the service on its way back to app:1.
func goingBackSince(in *Input, ago time.Duration) {
	flyingSince(in, time.Hour)
	in.Goal = GoalRollback
	in.Memory.Deployment.Outcome = ecsv1alpha1.DeploymentFailed
	in.Memory.Failed = []ecsv1alpha1.FailedContent{{Hash: "h2", Inputs: "i2", Class: ecsv1alpha1.FailureDeadline, At: seconds(now)}}
	in.Memory.State = ecsv1alpha1.ServiceRollingBack
	in.Memory.Rollback = &ecsv1alpha1.RollbackStatus{To: "app:1", Since: seconds(now.Add(-ago))}
}

// completedWith has the service run revision, completed, as it does after the rollback of app:2.
func completedWith(in *Input, revision string) {
	in.View = steadyView()
	in.View.Deployments[0].ID, in.View.Deployments[0].Revision = "ecs-svc/3", revision
	in.Want.Seen, in.Want.SeenHash, in.Want.SeenOurs = revision, "h of "+revision, false
}

// updatedBack has our update to app:1 in flight.
func updatedBack(in *Input, ago time.Duration) {
	goingBackSince(in, ago)
	in.Memory.Rollback.Updated = true
	d := newDeployment("app:1", "h1", "ecs-svc/3", now.Add(-ago))
	d.Purpose, d.ServiceDeployment = ecsv1alpha1.PurposeRollback, "sd3"
	in.Memory.Deployment = d
	in.View = steadyView()
	p := in.View.Primary()
	p.ID, p.RolloutState, p.Created, p.Running = "ecs-svc/3", "IN_PROGRESS", now.Add(-ago), 1
	in.Facts.OursAt, in.Facts.OursRevision = now, "app:1"
	in.Facts.Ours = &ServiceDeployment{ID: "sd3", Status: "IN_PROGRESS", Revision: "app:1", Created: now.Add(-ago), Weight: -1}
	in.Facts.EvidenceAt, in.Facts.Evidence = now, &Evidence{}
}

// quickly has the deployment of app:2 begun 20 s ago, rolled back by ECS, and the service back on
// the deployment of app:1 that it had before.
func quickly(in *Input) {
	goingBackSince(in, 10*time.Second)
	in.Memory.Deployment.Started = metav1.NewMicroTime(now.Add(-20 * time.Second))
	recordedAs(in, "ROLLBACK_SUCCESSFUL")
	completedWith(in, "app:1")
	in.View.Deployments[0].Created = now.Add(-time.Hour)
}

// provenIs has app:1 looked at.
func provenIs(in *Input, active bool, hash string) {
	in.Facts.ProvenAt, in.Facts.ProvenRevision, in.Facts.ProvenActive, in.Facts.ProvenHash = now, "app:1", active, hash
}

// failedBecause checks that the rollback failed, and why.
func failedBecause(says string) func(ecsv1alpha1.ServiceStatus) string {
	return func(m ecsv1alpha1.ServiceStatus) string {
		if m.Rollback.Finished == nil || !strings.Contains(m.Rollback.Failed, says) {
			return "the rollback ended with " + m.Rollback.Failed + ", want " + says
		}
		return ""
	}
}

// backOn checks that the rollback ended well.
func backOn(revision string) func(ecsv1alpha1.ServiceStatus) string {
	return func(m ecsv1alpha1.ServiceStatus) string {
		r := m.Rollback
		if r == nil || r.Finished == nil || r.Failed != "" || r.To != revision || m.Proven.Revision != revision {
			return "it is not back on " + revision
		}
		return ""
	}
}

func TestTheWayBackIsTakenOnce(t *testing.T) {
	const rolling, back, stuck = ecsv1alpha1.ServiceRollingBack, ecsv1alpha1.ServiceRolledBack, ecsv1alpha1.ServiceRollbackFailed
	const deadline = string(ecsv1alpha1.FailureDeadline)
	pushing := Step{Action: ActionUpdate, Hash: "h1", Revision: "app:1", PreviousPrimary: "ecs-svc/2", Purpose: ecsv1alpha1.PurposeRollback}
	needProven := Need{Proven: "app:1"}
	completed := func(in *Input) {
		goingBackSince(in, time.Minute)
		recordedAs(in, "SUCCESSFUL")
		in.View.Deployments[0].RolloutState = "COMPLETED"
	}
	runDecisions(t, []decision{
		{
			name:   "what became of ours is looked up first",
			change: func(in *Input) { goingBackSince(in, time.Minute) },
			state:  rolling, reason: ecsv1alpha1.ReasonRollingBack, need: needOurs,
		},
		{
			name: "one that is in flight is stopped",
			change: func(in *Input) {
				goingBackSince(in, time.Minute)
				recordedAs(in, "IN_PROGRESS")
			},
			state: rolling, reason: ecsv1alpha1.ReasonRollingBack,
			step: Step{Action: ActionStop, Hash: "h2", Revision: "app:2", ServiceDeployment: "sd2", Purpose: ecsv1alpha1.PurposeRollback},
		},
		{
			name: "one that was stopped is waited for",
			change: func(in *Input) {
				goingBackSince(in, time.Minute)
				in.Memory.Rollback.Stopped = true
				recordedAs(in, "IN_PROGRESS")
			},
			state: rolling, reason: ecsv1alpha1.ReasonRollingBack,
		},
		{
			name: "a rollback by ECS is waited for",
			change: func(in *Input) {
				goingBackSince(in, time.Minute)
				recordedAs(in, "ROLLBACK_REQUESTED")
			},
			state: rolling, reason: ecsv1alpha1.ReasonRollingBack,
		},
		{
			name: "a rollback that ECS has ended is waited for until the service shows it",
			change: func(in *Input) {
				goingBackSince(in, 30*time.Second)
				recordedAs(in, "ROLLBACK_SUCCESSFUL")
			},
			state: rolling, reason: ecsv1alpha1.ReasonRollingBack,
		},
		{
			name: "a rollback that ECS has ended counts from when it did",
			change: func(in *Input) {
				goingBackSince(in, 10*time.Minute)
				recordedAs(in, "ROLLBACK_SUCCESSFUL").Finished = now.Add(-30 * time.Second)
			},
			state: rolling, reason: ecsv1alpha1.ReasonRollingBack,
		},
		{
			name: "the proven revision, completed, is the end of it",
			change: func(in *Input) {
				goingBackSince(in, time.Minute)
				recordedAs(in, "ROLLBACK_SUCCESSFUL")
				completedWith(in, "app:1")
			},
			state: back, reason: deadline, also: backOn("app:1"),
		},
		{
			name: "so is one that ECS recorded, although the deployment began less than a minute ago",
			change: func(in *Input) {
				quickly(in)
				in.Facts.Ours.Finished = now.Add(-5 * time.Second)
			},
			state: back, reason: deadline, also: backOn("app:1"),
		},
		{
			name: "a look from before ECS's record may be of the world before the deployment",
			change: func(in *Input) {
				quickly(in)
				in.Facts.Ours.Finished = in.View.At
			},
			state: rolling, reason: ecsv1alpha1.ReasonRollingBack,
		},
		{
			name: "with no tasks wanted that counts too",
			change: func(in *Input) {
				goingBackSince(in, time.Minute)
				recordedAs(in, "ROLLBACK_SUCCESSFUL")
				completedWith(in, "app:1")
				in.View.Desired, in.View.Running = 0, 0
			},
			state: back, reason: deadline, also: backOn("app:1"),
		},
		{
			name: "ECS could not bring it back, and shows it",
			change: func(in *Input) {
				goingBackSince(in, time.Minute)
				recordedAs(in, "ROLLBACK_FAILED").RollbackReason = "no capacity"
				completedWith(in, "app:1")
				in.View.Deployments[0].RolloutState = "IN_PROGRESS"
			},
			state: stuck, reason: ecsv1alpha1.ReasonRollbackFailed, also: failedBecause("no capacity"),
		},
		{
			name: "the proven revision itself failed",
			change: func(in *Input) {
				goingBackSince(in, time.Minute)
				recordedAs(in, "ROLLBACK_FAILED")
				completedWith(in, "app:1")
				in.View.Deployments[0].RolloutState = "FAILED"
			},
			state: stuck, reason: ecsv1alpha1.ReasonRollbackFailed, also: failedBecause("the rollback to app:1 failed"),
		},
		{
			name:   "after ours completed the proven one is looked at",
			change: completed,
			state:  rolling, reason: ecsv1alpha1.ReasonRollingBack, need: needProven,
		},
		{
			name:   "and updated to",
			change: func(in *Input) { completed(in); provenIs(in, true, "h1") },
			state:  rolling, reason: ecsv1alpha1.ReasonRollingBack, step: pushing,
		},
		{
			name:   "blocked or not",
			change: func(in *Input) { completed(in); provenIs(in, true, "h1"); in.Blocked = &Problem{Class: ProblemRefused} },
			state:  rolling, reason: ecsv1alpha1.ReasonRollingBack, step: pushing,
		},
		{
			name:   "but not while suspended",
			change: func(in *Input) { completed(in); provenIs(in, true, "h1"); in.Policy.Suspended = true },
			state:  rolling, reason: ecsv1alpha1.ReasonSuspended,
		},
		{
			name:   "and not where the release may change nothing",
			change: func(in *Input) { completed(in); provenIs(in, true, "h1"); in.Barred = &Problem{Class: ProblemRefused} },
			state:  rolling, reason: ecsv1alpha1.ReasonRollingBack,
		},
		{
			name: "a look at it that is denied is for a person",
			change: func(in *Input) {
				completed(in)
				in.Facts.Problem = &Problem{Class: ProblemDenied, Reason: ecsv1alpha1.ReasonAccessDenied}
			},
			state: rolling, reason: ecsv1alpha1.ReasonAccessDenied, need: needProven,
		},
		{
			name: "and ends it after the deadline",
			change: func(in *Input) {
				completed(in)
				in.Memory.Rollback.Since = seconds(now.Add(-31 * time.Minute))
				in.Facts.Problem = &Problem{Class: ProblemDenied, Reason: ecsv1alpha1.ReasonAccessDenied}
			},
			state: stuck, reason: ecsv1alpha1.ReasonRollbackFailed, also: failedBecause("was not back on app:1 after 30m0s"),
		},
		{
			name:   "one that cannot be read any more is no way back",
			change: func(in *Input) { completed(in); provenIs(in, false, "") },
			state:  stuck, reason: ecsv1alpha1.ReasonRollbackFailed, also: failedBecause("cannot be read"),
		},
		{
			name:   "for one that is not ACTIVE another is looked for",
			change: func(in *Input) { completed(in); provenIs(in, false, "h1") },
			state:  rolling, reason: ecsv1alpha1.ReasonRollingBack, need: Need{EqualHash: "h1", EqualFamily: "app"},
		},
		{
			name: "and registered where there is none",
			change: func(in *Input) {
				completed(in)
				provenIs(in, false, "h1")
				in.Facts.EqualAt, in.Facts.EqualHash = now, "h1"
			},
			state: rolling, reason: ecsv1alpha1.ReasonRollingBack,
			step: Step{Action: ActionRegister, Hash: "h1", Base: "app:1", Purpose: ecsv1alpha1.PurposeRollback},
		},
		{
			name: "and updated to where there is one",
			change: func(in *Input) {
				completed(in)
				provenIs(in, false, "h1")
				in.Facts.EqualAt, in.Facts.EqualHash, in.Facts.Equal = now, "h1", "app:4"
			},
			state: rolling, reason: ecsv1alpha1.ReasonRollingBack,
			step: Step{Action: ActionUpdate, Hash: "h1", Revision: "app:4", PreviousPrimary: "ecs-svc/2", Purpose: ecsv1alpha1.PurposeRollback},
		},
		{
			name: "and is the end of it where the service runs that already",
			change: func(in *Input) {
				goingBackSince(in, time.Minute)
				recordedAs(in, "ROLLBACK_SUCCESSFUL")
				completedWith(in, "app:4")
				provenIs(in, false, "h1")
				in.Facts.EqualAt, in.Facts.EqualHash, in.Facts.Equal = now, "h1", "app:4"
				in.Facts.Ours.Finished = now
			},
			state: back, reason: deadline, also: backOn("app:4"),
		},
		{
			name: "somebody else's deployment meanwhile is left standing",
			change: func(in *Input) {
				completed(in)
				completedWith(in, "app:9")
				in.View.Deployments[0].Created = now.Add(-time.Minute)
			},
			state: stuck, reason: ecsv1alpha1.ReasonRollbackFailed, also: func(m ecsv1alpha1.ServiceStatus) string {
				if m.Drift == nil || !m.Drift.Standing || m.Drift.Revision != "app:9" {
					return "the drift was not noted"
				}
				return failedBecause("somebody else deployed app:9")(m)
			},
		},
	})
}

func TestOurUpdateToTheProvenRevisionIsFollowed(t *testing.T) {
	const rolling, back, stuck = ecsv1alpha1.ServiceRollingBack, ecsv1alpha1.ServiceRolledBack, ecsv1alpha1.ServiceRollbackFailed
	const deadline = string(ecsv1alpha1.FailureDeadline)
	runDecisions(t, []decision{
		{
			name:   "in progress",
			change: func(in *Input) { updatedBack(in, 5*time.Minute) },
			state:  rolling, reason: ecsv1alpha1.ReasonRollingBack,
		},
		{
			name: "successful",
			change: func(in *Input) {
				updatedBack(in, 5*time.Minute)
				in.Facts.Ours.Status, in.View.Deployments[0].RolloutState = "SUCCESSFUL", "COMPLETED"
			},
			state: back, reason: deadline, also: backOn("app:1"),
		},
		{
			name:   "late",
			change: func(in *Input) { updatedBack(in, 31*time.Minute) },
			state:  stuck, reason: ecsv1alpha1.ReasonRollbackFailed, also: failedBecause("after 30m0s"),
		},
		{
			name: "baking is not late",
			change: func(in *Input) {
				updatedBack(in, 31*time.Minute)
				in.Facts.Ours.Stage = "BAKE_TIME"
			},
			state: rolling, reason: ecsv1alpha1.ReasonRollingBack,
		},
		{
			name:   "suspended is not late",
			change: func(in *Input) { updatedBack(in, 31*time.Minute); in.Policy.Suspended = true },
			state:  rolling, reason: ecsv1alpha1.ReasonRollingBack,
		},
		{
			name: "rolled back by ECS",
			change: func(in *Input) {
				updatedBack(in, 5*time.Minute)
				in.Facts.Ours.Status = "ROLLBACK_IN_PROGRESS"
			},
			state: stuck, reason: ecsv1alpha1.ReasonRollbackFailed, also: failedBecause("the rollback failed: ECS gave the deployment of app:1 up"),
		},
		{
			name: "deployed over by somebody",
			change: func(in *Input) {
				updatedBack(in, 5*time.Minute)
				in.Facts.Ours.Status = "STOPPED"
				completedWith(in, "app:9")
			},
			state: stuck, reason: ecsv1alpha1.ReasonRollbackFailed, also: failedBecause("somebody else deployed app:9"),
		},
		{
			name: "deployed once more by somebody",
			change: func(in *Input) {
				updatedBack(in, 5*time.Minute)
				in.Memory.Deployment.Outcome = ecsv1alpha1.DeploymentSuperseded
				completedWith(in, "app:1")
			},
			state: back, reason: deadline, also: backOn("app:1"),
		},
		{
			name: "failed in a way that was written down before",
			change: func(in *Input) {
				updatedBack(in, 5*time.Minute)
				in.Memory.Deployment.Outcome = ecsv1alpha1.DeploymentFailed
			},
			state: stuck, reason: ecsv1alpha1.ReasonRollbackFailed, also: failedBecause("the rollback to app:1 failed"),
		},
		{
			name: "gone after it had been told to go back once",
			change: func(in *Input) {
				updatedBack(in, 5*time.Minute)
				in.Memory.Deployment = newDeployment("app:2", "h2", "ecs-svc/2", now.Add(-time.Hour))
				in.Memory.Deployment.ServiceDeployment, in.Memory.Deployment.Outcome = "sd2", ecsv1alpha1.DeploymentFailed
				recordedAs(in, "SUCCESSFUL")
				completedWith(in, "app:2")
			},
			state: stuck, reason: ecsv1alpha1.ReasonRollbackFailed, also: failedBecause("was updated to app:1 and has app:2"),
		},
	})
}

func TestAHookThatPausesARollbackIsShown(t *testing.T) {
	in := steadyInput()
	updatedBack(&in, 5*time.Minute)
	in.Facts.Ours.Stage = "POST_SCALE_UP"
	in.Facts.Ours.Hooks = []Hook{{ID: "p1", Kind: "PAUSE", Status: "AWAITING_ACTION", Expires: now.Add(time.Hour)}}
	d := Decide(in)
	if d.Memory.State != ecsv1alpha1.ServiceRollingBack || d.Awaiting == nil || d.Awaiting.ID != "hook-p1" || d.Awaiting.Expires == nil {
		t.Errorf("state %s, awaiting %+v", d.Memory.State, d.Awaiting)
	}
	in.Memory.Hook = &ecsv1alpha1.HookDecision{ID: "p1"}
	want := Step{Action: ActionContinue, Hash: "h1", Revision: "app:1", ServiceDeployment: "sd3", Hook: "p1"}
	if d := Decide(in); d.Step != want || d.Memory.State != ecsv1alpha1.ServiceRollingBack || d.Awaiting != nil {
		t.Errorf("approved: %+v, %s, want it to go on", d.Step, d.Memory.State)
	}
}

func TestARestartWaitsForItsTurn(t *testing.T) {
	for name, change := range map[string]func(*Input){
		"blocked":                    func(in *Input) { in.Blocked = &Problem{Class: ProblemRefused, Message: "wave 1 opens after wave 0"} },
		"left as it is":              func(in *Input) { in.Goal = GoalLeave },
		"somebody else deploys":      func(in *Input) { in.View.Deployments[0].RolloutState = "IN_PROGRESS" },
		"the release may do nothing": func(in *Input) { in.Barred = &Problem{Class: ProblemRefused} },
	} {
		in := steadyInput()
		releasedBefore(&in)
		in.Memory.Restart = true
		want := Step{Action: ActionRestart, Hash: "h2", Revision: "app:2", PreviousPrimary: "ecs-svc/2", Purpose: ecsv1alpha1.PurposeRestart}
		if d := Decide(in); d.Step != want {
			t.Errorf("%+v, want a restart", d.Step)
		}
		change(&in)
		if d := Decide(in); d.Step != (Step{}) || d.Memory.State != ecsv1alpha1.ServiceInSync || !d.Memory.Restart {
			t.Errorf("%s: %+v, %s, want it to wait, in sync", name, d.Step, d.Memory.State)
		}
	}
}

func TestAServiceThatWasCreatedAgainHasNotDrifted(t *testing.T) {
	in := steadyInput()
	releasedBefore(&in)
	completedWith(&in, "app:1")
	in.Want = Want{Inputs: "i2", Seen: "app:1", Base: "app:1", Hash: "h2", SeenHash: "h1"}
	if d := Decide(in); d.Memory.Drift == nil {
		t.Error("the same service with another revision has not drifted, want drift")
	}
	in.View.Created = now.Add(-10 * time.Minute)
	if d := Decide(in); d.Memory.Drift != nil {
		t.Errorf("drift %+v, want none", d.Memory.Drift)
	}
}

// What counts is when somebody deployed again, and not when a leader got to see it.
func TestADeploymentWithinAnHourOfACorrectionStandsWheneverItIsSeen(t *testing.T) {
	for name, c := range map[string]struct {
		corrected, deployed time.Duration // ago
		standing            bool
	}{
		"seen at once":                     {50 * time.Minute, 0, true},
		"seen when the hour is over":       {63 * time.Minute, 14 * time.Minute, true},
		"deployed when the hour is over":   {3 * time.Hour, 90 * time.Minute, false},
		"of before the correction":         {30 * time.Minute, 2 * time.Hour, true},
		"of before one of long ago":        {2 * time.Hour, 3 * time.Hour, false},
		"deployed a day after, seen later": {25 * time.Hour, time.Minute, false},
	} {
		in := steadyInput()
		releasedBefore(&in)
		completedWith(&in, "app:9")
		in.View.Deployments[0].Created = now.Add(-c.deployed)
		in.Want = Want{Inputs: "i2", Seen: "app:9", Base: "app:9", Hash: "h2", SeenHash: "h9"}
		in.Memory.Drift = &ecsv1alpha1.DriftStatus{
			Deployment: "ecs-svc/earlier", Revision: "app:8", At: seconds(now.Add(-c.corrected)), Corrected: new(seconds(now.Add(-c.corrected))),
		}
		for range 2 { // once it is seen it is remembered as that
			d := Decide(in)
			if drift := d.Memory.Drift; drift == nil || drift.Deployment != in.View.Deployments[0].ID || drift.Standing != c.standing {
				t.Errorf("%s: %+v, wanted it to stand: %t", name, drift, c.standing)
			}
			in.Memory = d.Memory
		}
	}
}

func TestAnUpdateToAWithdrawnRevisionLooksForAnother(t *testing.T) {
	in := steadyInput()
	in.Memory.Inputs, in.Memory.Hash, in.Memory.Registered = "i2", "h2", "app:2"
	in.Memory = Withdrawn(Announce(in.Memory, updating, now))
	d := Decide(in)
	if need := Needs(in); d.Step != (Step{}) || need.EqualHash != "h2" {
		t.Errorf("%+v, needs %+v, want it to look for another revision", d.Step, need)
	}
}

func TestTheClockOfARollbackThatIsSuspendedStandsWithoutBeingWritten(t *testing.T) {
	in := steadyInput()
	goingBackSince(&in, time.Minute)
	recordedAs(&in, "SUCCESSFUL")
	in.View.Deployments[0].RolloutState = "COMPLETED"
	provenIs(&in, true, "h1")
	in.Policy.Suspended = true
	first := Decide(in)
	in.Memory = first.Memory
	in.Now = now.Add(5 * time.Hour)
	if diff := cmp.Diff(first.Memory, Decide(in).Memory); diff != "" {
		t.Errorf("five hours later the memory is another (-first +second):\n%s", diff)
	}
	in.Policy.Suspended = false
	if d := Decide(in); d.Memory.Rollback == nil || d.Memory.Rollback.Finished != nil || d.Step.Action != ActionUpdate {
		t.Errorf("after five hours it goes on with %+v, and remembers %+v", d.Step, d.Memory.Rollback)
	}
}

package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func TestOurDeploymentIsFollowedByItsRecord(t *testing.T) {
	outcome := func(want ecsv1alpha1.DeploymentOutcome) func(ecsv1alpha1.ServiceStatus) string {
		return func(m ecsv1alpha1.ServiceStatus) string {
			return cmp.Diff(want, m.Deployment.Outcome)
		}
	}
	const failedOutcome, succeeded, superseded = ecsv1alpha1.DeploymentFailed, ecsv1alpha1.DeploymentSucceeded, ecsv1alpha1.DeploymentSuperseded
	runDecisions(t, []decision{
		{
			name:   "nothing is concluded before the record is looked up",
			change: func(in *Input) { flyingSince(in, 2*time.Hour) },
			state:  ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing, need: needOurs,
		},
		{
			name: "the record is looked up also while the images asked for since are missing, and the base tells no content",
			change: func(in *Input) {
				flyingSince(in, 2*time.Hour)
				in.View = steadyView()
				in.Want = Want{
					Seen: "app:1", SeenHash: "h1", Base: "app:1",
					Problem: &Problem{Class: ProblemMissing, Reason: ecsv1alpha1.ReasonImageNotFound, Message: "it is missing"},
				}
			},
			state: ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing, need: needOurs,
		},
		{
			name: "a record that may not be looked up is for a person",
			change: func(in *Input) {
				flyingSince(in, 10*time.Minute)
				in.Facts.Problem = &Problem{Class: ProblemDenied, Reason: ecsv1alpha1.ReasonAccessDenied}
			},
			state: ecsv1alpha1.ServiceUnknown, reason: ecsv1alpha1.ReasonAccessDenied, need: needOurs,
		},
		{
			name:   "in progress is in progress",
			change: func(in *Input) { flyingSince(in, 10*time.Minute); recordedAs(in, "IN_PROGRESS") },
			state:  ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing,
		},
		{
			name:   "a requested rollback may yet succeed",
			change: func(in *Input) { flyingSince(in, 10*time.Minute); recordedAs(in, "ROLLBACK_REQUESTED") },
			state:  ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing,
		},
		{
			name:   "a status that is not known yet is in progress",
			change: func(in *Input) { flyingSince(in, 10*time.Minute); recordedAs(in, "PONDERING") },
			state:  ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing,
		},
		{
			name:   "successful, and shown, is in sync",
			change: func(in *Input) { flyingSince(in, 10*time.Minute); recordedAs(in, "SUCCESSFUL") },
			state:  ecsv1alpha1.ServiceInSync, also: outcome(succeeded),
		},
		{
			name: "successful with no tasks proves nothing",
			change: func(in *Input) {
				flyingSince(in, 10*time.Minute)
				recordedAs(in, "SUCCESSFUL")
				in.View.Desired = 0
			},
			state: ecsv1alpha1.ServiceInSync, reason: ecsv1alpha1.ReasonScaledToZero,
		},
		{
			name: "successful, but not shown yet, is deploying",
			change: func(in *Input) {
				flyingSince(in, 30*time.Second)
				recordedAs(in, "SUCCESSFUL")
				in.View = steadyView()
				in.Want.Seen, in.Want.SeenHash = "app:1", "h1"
			},
			state: ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing, also: outcome(""),
		},
		{
			name: "successful, and replaced by a later deployment since, is superseded",
			change: func(in *Input) {
				flyingSince(in, 10*time.Minute)
				recordedAs(in, "SUCCESSFUL")
				in.View.Deployments[0].ID, in.View.Deployments[0].Revision = "ecs-svc/3", "app:3"
				in.Want.Seen, in.Want.SeenHash = "app:3", "h3"
				lookedForEqual(in, "app:2")
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, also: outcome(superseded),
			step: Step{Action: ActionUpdate, Hash: "h2", Revision: "app:2", PreviousPrimary: "ecs-svc/3", Purpose: ecsv1alpha1.PurposeDrift},
		},
		{
			name: "successful with another digest is a mismatch",
			change: func(in *Input) {
				flyingSince(in, 10*time.Minute)
				recordedAs(in, "SUCCESSFUL").Digests = map[string]string{"app": "sha256:bad"}
				in.Want.Digests = map[string][]string{"app": {"sha256:index", "sha256:child"}}
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonImageMismatch,
		},
		{
			name: "successful with a child of the index is in sync",
			change: func(in *Input) {
				flyingSince(in, 10*time.Minute)
				recordedAs(in, "SUCCESSFUL").Digests = map[string]string{"app": "sha256:child", "sidecar": "sha256:other"}
				in.Want.Digests = map[string][]string{"app": {"sha256:index", "sha256:child"}}
			},
			state: ecsv1alpha1.ServiceInSync,
		},
		{
			name:   "rolling back is a failure",
			change: func(in *Input) { flyingSince(in, 10*time.Minute); recordedAs(in, "ROLLBACK_IN_PROGRESS") },
			state:  ecsv1alpha1.ServiceFailed, reason: ecsv1alpha1.ReasonCircuitBreaker, also: outcome(failedOutcome),
		},
		{
			name: "rolled back is a failure however well the service runs",
			change: func(in *Input) {
				flyingSince(in, 10*time.Minute)
				recordedAs(in, "ROLLBACK_SUCCESSFUL")
				in.View = steadyView()
				in.Want.Seen, in.Want.SeenHash = "app:1", "h1"
			},
			state: ecsv1alpha1.ServiceFailed, reason: ecsv1alpha1.ReasonCircuitBreaker, also: outcome(failedOutcome),
		},
		{
			name:   "stopped by the circuit breaker is a failure",
			change: func(in *Input) { flyingSince(in, time.Minute); recordedAs(in, "STOPPED").BreakerTriggered = true },
			state:  ecsv1alpha1.ServiceFailed, reason: ecsv1alpha1.ReasonCircuitBreaker, also: outcome(failedOutcome),
		},
		{
			name: "stopped for a later deployment is superseded, and what that brought reverted",
			change: func(in *Input) {
				flyingSince(in, 30*time.Second)
				recordedAs(in, "STOPPED")
				in.View.Deployments[0] = Deployment{
					ID: "ecs-svc/3", Status: "PRIMARY", Revision: "app:3", RolloutState: "IN_PROGRESS", Created: now.Add(-time.Second),
				}
				in.Want.Seen, in.Want.SeenHash = "app:3", "h3"
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, also: outcome(superseded),
			step: Step{Action: ActionUpdate, Hash: "h2", Revision: "app:2", PreviousPrimary: "ecs-svc/3", Purpose: ecsv1alpha1.PurposeDrift},
		},
		{
			name: "stopped, while the service shows the world before, waits",
			change: func(in *Input) {
				flyingSince(in, 30*time.Second)
				recordedAs(in, "STOPPED")
				in.View = steadyView()
				in.Want.Seen, in.Want.SeenHash = "app:1", "h1"
			},
			state: ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing, also: outcome(""),
		},
		{
			name:   "no progress for longer than the deadline is a failure",
			change: func(in *Input) { stuckFor(in, 31*time.Minute) },
			state:  ecsv1alpha1.ServiceFailed, reason: ecsv1alpha1.ReasonDeadline, also: outcome(failedOutcome),
		},
		{
			name:   "the clock stands still while suspended",
			change: func(in *Input) { stuckFor(in, 31*time.Minute); in.Policy.Suspended = true },
			state:  ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing,
		},
		{
			name:   "one more task is progress",
			change: func(in *Input) { stuckFor(in, 31*time.Minute); in.View.Deployments[0].Running++ },
			state:  ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing,
		},
		{
			name:   "one old task less is progress",
			change: func(in *Input) { stuckFor(in, 31*time.Minute); in.View.Deployments[1].Running-- },
			state:  ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing,
		},
	})
}

// stuckFor has our deployment in flight without progress.
func stuckFor(in *Input, ago time.Duration) {
	flyingSince(in, ago)
	recordedAs(in, "IN_PROGRESS")
	in.Memory.Deployment.Running, in.Memory.Deployment.Old, in.Memory.Deployment.Desired = 1, 2, 2
}

func TestWithoutARecordTheServiceItselfTells(t *testing.T) {
	unrecorded := func(in *Input, ago time.Duration) {
		flyingSince(in, ago)
		in.Memory.Deployment.ServiceDeployment = ""
		recordedAs(in, "")
		in.Facts.Ours = nil
	}
	runDecisions(t, []decision{
		{
			name: "for a minute it means nothing",
			change: func(in *Input) {
				unrecorded(in, 59*time.Second)
				in.View = steadyView()
				in.Want.Seen, in.Want.SeenHash = "app:1", "h1"
			},
			state: ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing,
		},
		{
			name:   "ours and in progress is in progress",
			change: func(in *Input) { unrecorded(in, 2*time.Minute) },
			state:  ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing,
		},
		{
			name:   "ours and completed is in sync",
			change: func(in *Input) { unrecorded(in, 2*time.Minute); in.View.Deployments[0].RolloutState = "COMPLETED" },
			state:  ecsv1alpha1.ServiceInSync,
		},
		{
			name:   "ours and failed is a failure",
			change: func(in *Input) { unrecorded(in, 2*time.Minute); in.View.Deployments[0].RolloutState = "FAILED" },
			state:  ecsv1alpha1.ServiceFailed, reason: ecsv1alpha1.ReasonCircuitBreaker,
		},
		{
			name: "the proven revision in its place is a rollback",
			change: func(in *Input) {
				unrecorded(in, 2*time.Minute)
				in.View = steadyView()
				in.View.Deployments[0].Created = now.Add(-time.Minute)
				in.Want.Seen, in.Want.SeenHash = "app:1", "h1"
			},
			state: ecsv1alpha1.ServiceFailed, reason: ecsv1alpha1.ReasonCircuitBreaker,
		},
		{
			name: "the proven revision in a service that was created again since is no rollback",
			change: func(in *Input) {
				unrecorded(in, 2*time.Minute)
				in.View = steadyView()
				in.View.Created = now.Add(-time.Minute)
				in.View.Deployments[0].Created = now.Add(-time.Minute)
				in.Want.Seen, in.Want.SeenHash = "app:1", "h1"
				lookedForEqual(in, "app:2")
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync,
			step: updating,
		},
		{
			name: "a new revision in its place is a later deployment",
			change: func(in *Input) {
				unrecorded(in, 2*time.Minute)
				in.View = steadyView()
				in.View.Deployments[0].Revision, in.View.Deployments[0].Created = "app:9", now.Add(-time.Minute)
				in.Want.Seen, in.Want.SeenHash = "app:9", "h9"
				lookedForEqual(in, "app:2")
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync,
			step: Step{Action: ActionUpdate, Hash: "h2", Revision: "app:2", PreviousPrimary: "ecs-svc/1", Purpose: ecsv1alpha1.PurposeDrift},
		},
	})
}

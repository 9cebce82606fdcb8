package rollout

import (
	"testing"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func TestAStepIsTakenOnlyWhereItMay(t *testing.T) {
	problem := func(reason string) *Problem { return &Problem{Class: ProblemRefused, Reason: reason, Message: reason} }
	runDecisions(t, []decision{
		{
			name:   "what the service runs is read first",
			change: func(in *Input) { in.Want = Want{Inputs: "i2"} },
			state:  ecsv1alpha1.ServiceUnknown, reason: ecsv1alpha1.ReasonObserving, need: Need{Base: true},
		},
		{
			name:   "a base that is not what the service runs now says nothing",
			change: func(in *Input) { in.Want.Seen = "app:0" },
			state:  ecsv1alpha1.ServiceUnknown, reason: ecsv1alpha1.ReasonObserving, need: Need{Base: true},
		},
		{
			name: "a base that cannot be read now is read later",
			change: func(in *Input) {
				in.Want = Want{Inputs: "i2"}
				in.Facts.Problem = &Problem{Class: ProblemTransient}
			},
			state: ecsv1alpha1.ServiceUnknown, reason: ecsv1alpha1.ReasonObservationFailed, need: Need{Base: true},
		},
		{
			name:   "then a revision that carries it is looked for",
			change: func(*Input) {},
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, need: needEqual,
		},
		{
			name: "a look-up that is denied is for a person",
			change: func(in *Input) {
				in.Facts.Problem = &Problem{Class: ProblemDenied, Reason: ecsv1alpha1.ReasonAccessDenied}
			},
			state: ecsv1alpha1.ServiceUnknown, reason: ecsv1alpha1.ReasonAccessDenied, need: needEqual,
		},
		{
			name:   "where there is none it is registered",
			change: func(in *Input) { lookedForEqual(in, "") },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, step: registering,
		},
		{
			name:   "where there is one it is updated to",
			change: func(in *Input) { lookedForEqual(in, "app:2") },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, step: updating,
		},
		{
			name:   "a revision whose tags lie is not updated to",
			change: func(in *Input) { lookedForEqual(in, "app:1") },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, step: registering,
		},
		{
			name: "the one that was just registered is not looked for",
			change: func(in *Input) {
				in.Memory.Inputs, in.Memory.Hash, in.Memory.Registered = "i2", "h2", "app:2"
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, step: updating,
		},
		{
			name: "one that was deployed long ago may be gone, and is looked for",
			change: func(in *Input) {
				releasedBefore(in)
				in.View = steadyView()
				in.Want = Want{Inputs: "i2", Seen: "app:1", Base: "app:1", Hash: "h2", SeenHash: "h1"}
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, need: needEqual,
		},
		{
			name:   "an image that is not there yet is waited for",
			change: func(in *Input) { in.Want = Want{Inputs: "i2", Problem: problem(ecsv1alpha1.ReasonImageNotFound)} },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonImageNotFound, need: Need{Base: true},
		},
		{
			name:   "an image that does not fit is not deployed",
			change: func(in *Input) { in.Want.Problem = problem(ecsv1alpha1.ReasonWrongArchitecture) },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonWrongArchitecture,
		},
		{
			name:   "a container that is missing is missing",
			change: func(in *Input) { in.Want.Problem = problem(ecsv1alpha1.ReasonContainerNotFound) },
			state:  ecsv1alpha1.ServiceMissing, reason: ecsv1alpha1.ReasonContainerNotFound,
		},
		{
			name:   "containers that are ambiguous are not chosen from",
			change: func(in *Input) { in.Want.Problem = problem(ecsv1alpha1.ReasonContainerAmbiguous) },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonContainerAmbiguous,
		},
		{
			name:   "what was refused is not asked for again",
			change: func(in *Input) { in.Refused = problem(ecsv1alpha1.ReasonRegistrationRefused) },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonRegistrationRefused,
		},
		{
			name:   "an update that was refused is not asked for again",
			change: func(in *Input) { in.Refused = problem(ecsv1alpha1.ReasonUpdateRefused) },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonUpdateRefused,
		},
		{
			name:   "100/100 lets no task move",
			change: func(in *Input) { in.View.MaximumPercent = 100 },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonCannotProgress,
		},
		{
			name: "125 percent of three tasks are three",
			change: func(in *Input) {
				in.View.MaximumPercent, in.View.Desired = 125, 3
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonCannotProgress,
		},
		{
			name: "50 percent of two tasks may stop",
			change: func(in *Input) {
				in.View.MaximumPercent, in.View.MinimumHealthyPercent = 100, 50
				lookedForEqual(in, "")
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, step: registering,
		},
		{
			name:   "a daemon is not bound by percentages",
			change: func(in *Input) { in.View.Daemon, in.View.MaximumPercent = true, 100; lookedForEqual(in, "") },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, step: registering,
		},
		{
			name:   "a definite no elsewhere holds it up",
			change: func(in *Input) { in.Blocked = problem(ecsv1alpha1.ReasonServiceNotFound) },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync,
		},
		{
			name: "a failure elsewhere does not hold up what failed and has a new base",
			change: func(in *Input) {
				rolledBackBefore(in)
				in.Memory.Deployment.ServiceDeployment = ""
				in.Memory.Failed[0].Hash = "h0"
				in.Memory.Deployment.Hash = "h0"
				in.Memory.Registered = ""
				in.Blocked = problem(ecsv1alpha1.ReasonCircuitBreaker)
				in.Memory.Hash = "h0"
				lookedForEqual(in, "")
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, step: registering,
		},
		{
			name: "a failure elsewhere does hold up what failed with other images than are asked for now",
			change: func(in *Input) {
				rolledBackBefore(in)
				in.Memory.Deployment.ServiceDeployment = ""
				in.Memory.Failed[0].Hash, in.Memory.Failed[0].Inputs = "h0", "i0"
				in.Memory.Deployment.Hash, in.Memory.Deployment.Inputs = "h0", "i0"
				in.Memory.Registered = ""
				in.Blocked = problem(ecsv1alpha1.ReasonCircuitBreaker)
				in.Memory.Hash = "h0"
				lookedForEqual(in, "")
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync,
		},
		{
			name:   "suspended starts nothing",
			change: func(in *Input) { in.Policy.Suspended = true },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonSuspended,
		},
		{
			name: "a rollback is not disturbed",
			change: func(in *Input) {
				in.View.Deployments[0].RolloutState = "IN_PROGRESS"
				in.View.Deployments[0].Reason = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1."
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonRollbackInProgress,
		},
		{
			name: "a deployment beside one that failed is a rollback",
			change: func(in *Input) {
				in.View.Deployments[0].RolloutState = "IN_PROGRESS"
				in.View.Deployments = append(in.View.Deployments, Deployment{Status: "DRAINING", Revision: "app:8", RolloutState: "FAILED"})
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonRollbackInProgress,
		},
		{
			name: "another content waits until it is known that the rollback ended",
			change: func(in *Input) {
				rolledBackBefore(in)
				in.Want.Inputs, in.Want.Hash = "i3", "h3"
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonRollbackInProgress,
			need: Need{Deployment: true, ID: "sd2", Revision: "app:2", EqualHash: "h3", EqualFamily: "app"},
		},
		{
			name: "another content waits until the rollback ended",
			change: func(in *Input) {
				rolledBackBefore(in)
				in.Want.Inputs, in.Want.Hash = "i3", "h3"
				recordedAs(in, "ROLLBACK_IN_PROGRESS")
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonRollbackInProgress,
		},
		{
			name: "another content supersedes ours in flight",
			change: func(in *Input) {
				flyingSince(in, 5*time.Minute)
				recordedAs(in, "IN_PROGRESS")
				in.Want.Inputs, in.Want.Hash = "i3", "h3"
				in.Facts.EqualAt, in.Facts.EqualHash, in.Facts.Equal = now, "h3", "app:3"
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync,
			step: Step{Action: ActionUpdate, Hash: "h3", Revision: "app:3", PreviousPrimary: "ecs-svc/2"},
		},
		{
			name: "another image that is not there yet lets ours in flight go on",
			change: func(in *Input) {
				flyingSince(in, 5*time.Minute)
				recordedAs(in, "IN_PROGRESS")
				in.Want = Want{Inputs: "i3", Problem: problem(ecsv1alpha1.ReasonImageNotFound)}
			},
			state: ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing, need: Need{Base: true},
		},
		{
			name: "the content that is already in flight is not started again",
			change: func(in *Input) {
				flyingSince(in, 5*time.Minute)
				recordedAs(in, "IN_PROGRESS")
				in.Memory.Inputs, in.Memory.Hash, in.Memory.Registered = "i3", "h3", ""
			},
			state: ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing,
		},
	})
}

package rollout

import (
	"testing"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func TestAnIntentIsResolvedByLooking(t *testing.T) {
	registerSince := func(in *Input, ago time.Duration) {
		in.Memory.Inputs, in.Memory.Hash = "i2", "h2"
		in.Memory = Announce(in.Memory, registering, now.Add(-ago))
	}
	updateSince := func(in *Input, ago time.Duration) {
		in.Memory.Inputs, in.Memory.Hash, in.Memory.Registered = "i2", "h2", "app:2"
		in.Memory = Announce(in.Memory, updating, now.Add(-ago))
	}
	needUpdate := Need{Deployment: true, Revision: "app:2"}
	runDecisions(t, []decision{
		{
			name:   "a registration is looked for",
			change: func(in *Input) { registerSince(in, time.Second) },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonProgressing, need: needEqual,
		},
		{
			name:   "a registration that is found is taken, and updated to",
			change: func(in *Input) { registerSince(in, time.Second); lookedForEqual(in, "app:2") },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, step: updating,
		},
		{
			name:   "a registration that is not found early may yet show",
			change: func(in *Input) { registerSince(in, 44*time.Second); lookedForEqual(in, "") },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonProgressing,
		},
		{
			name:   "a registration that is not found late was not made, and is made",
			change: func(in *Input) { registerSince(in, 45*time.Second); lookedForEqual(in, "") },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, step: registering,
		},
		{
			name: "an intent is resolved before another image is turned to",
			change: func(in *Input) {
				registerSince(in, time.Second)
				in.Want.Inputs, in.Want.Hash = "i3", "h3"
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonProgressing, need: needEqual,
		},
		{
			name: "a denied look-up is for a person",
			change: func(in *Input) {
				registerSince(in, time.Second)
				in.Facts.Problem = &Problem{Class: ProblemDenied, Reason: ecsv1alpha1.ReasonAccessDenied}
			},
			state: ecsv1alpha1.ServiceUnknown, reason: ecsv1alpha1.ReasonAccessDenied, need: needEqual,
		},
		{
			name:   "an update is looked for",
			change: func(in *Input) { updateSince(in, time.Second) },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonProgressing, need: needUpdate,
		},
		{
			name: "an update that the service shows was made",
			change: func(in *Input) {
				flyingSince(in, 20*time.Second)
				in.Memory.Deployment = nil
				updateSince(in, 20*time.Second)
			},
			state: ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing, need: needUpdate,
			also: func(m ecsv1alpha1.ServiceStatus) string {
				if m.Intent != nil || m.Deployment == nil || m.Deployment.Primary != "ecs-svc/2" {
					return "the deployment was not taken for ours"
				}
				return ""
			},
		},
		{
			name: "an update that ECS lists was made",
			change: func(in *Input) {
				updateSince(in, 20*time.Second)
				recordedAs(in, "IN_PROGRESS").Created = now.Add(-19 * time.Second)
			},
			state: ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing,
			also: func(m ecsv1alpha1.ServiceStatus) string {
				if m.Intent != nil || m.Deployment == nil || m.Deployment.ServiceDeployment != "sd2" {
					return "the service deployment was not taken for ours"
				}
				return ""
			},
		},
		{
			name:   "an update that nothing shows early may yet show",
			change: func(in *Input) { updateSince(in, 44*time.Second); recordedAs(in, ""); in.Facts.Ours = nil },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonProgressing,
		},
		{
			name:   "an update that nothing shows late was not made, and is made",
			change: func(in *Input) { updateSince(in, 45*time.Second); recordedAs(in, ""); in.Facts.Ours = nil },
			state:  ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonOutOfSync, step: updating,
		},
		{
			name: "an earlier deployment of that revision is not that update",
			change: func(in *Input) {
				updateSince(in, 20*time.Second)
				recordedAs(in, "SUCCESSFUL")
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonProgressing,
		},
		{
			name: "a late look at the service alone proves nothing",
			change: func(in *Input) {
				updateSince(in, time.Hour)
				in.Facts.Problem = &Problem{Class: ProblemTransient}
			},
			state: ecsv1alpha1.ServiceOutOfSync, reason: ecsv1alpha1.ReasonProgressing, need: needUpdate,
		},
	})
}

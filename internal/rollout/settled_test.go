package rollout

import (
	"testing"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func TestAServiceThatRunsTheContentIsInSync(t *testing.T) {
	source := func(want ecsv1alpha1.RevisionSource) func(ecsv1alpha1.ServiceStatus) string {
		return func(m ecsv1alpha1.ServiceStatus) string {
			if m.Source != want || m.Registered != m.Revision {
				return "source " + string(m.Source) + " of " + m.Registered + ", want " + string(want) + " of " + m.Revision
			}
			return ""
		}
	}
	foreign := func(in *Input) {
		in.Want.SeenHash = "h2"
		in.View.Deployments[0].RolloutState = "IN_PROGRESS"
	}
	runDecisions(t, []decision{
		{
			name:   "a settled service costs no look-up",
			change: releasedBefore,
			state:  ecsv1alpha1.ServiceInSync, also: source(ecsv1alpha1.SourceReleased),
		},
		{
			name: "counts, and a redeployment by somebody, change nothing",
			change: func(in *Input) {
				releasedBefore(in)
				in.View.Desired, in.View.Running = 9, 1
				in.View.Deployments[0].ID, in.View.Deployments[0].RolloutState = "ecs-svc/7", "IN_PROGRESS"
			},
			state: ecsv1alpha1.ServiceInSync,
		},
		{
			name:   "that no task runs is said",
			change: func(in *Input) { releasedBefore(in); in.View.Desired, in.View.Running = 2, 0 },
			state:  ecsv1alpha1.ServiceInSync, reason: ecsv1alpha1.ReasonNoTasks,
		},
		{
			name:   "a redeployment by somebody that failed does",
			change: func(in *Input) { releasedBefore(in); in.View.Deployments[0].RolloutState = "FAILED" },
			state:  ecsv1alpha1.ServiceFailed, reason: ecsv1alpha1.ReasonCircuitBreaker,
		},
		{
			name:   "a service scaled to zero proves nothing",
			change: func(in *Input) { releasedBefore(in); in.View.Desired = 0 },
			state:  ecsv1alpha1.ServiceInSync, reason: ecsv1alpha1.ReasonScaledToZero,
		},
		{
			name:   "what somebody else brought is adopted",
			change: func(in *Input) { in.Want.SeenHash = "h2" },
			state:  ecsv1alpha1.ServiceInSync, also: source(ecsv1alpha1.SourceAdopted),
		},
		{
			name:   "what we registered is released, whatever is remembered",
			change: func(in *Input) { in.Want.SeenHash, in.Want.SeenOurs = "h2", true },
			state:  ecsv1alpha1.ServiceInSync, also: source(ecsv1alpha1.SourceReleased),
		},
		{
			name:   "what runs the digests is adopted though it is spelled otherwise",
			change: func(in *Input) { in.Want.Running = true },
			state:  ecsv1alpha1.ServiceInSync, also: source(ecsv1alpha1.SourceAdopted),
		},
		{
			name: "behind a Classic Load Balancer the counts tell",
			change: func(in *Input) {
				in.Want.SeenHash = "h2"
				in.View.Deployments[0].RolloutState = ""
			},
			state: ecsv1alpha1.ServiceInSync,
		},
		{
			name: "behind a Classic Load Balancer zero tasks of two are not in sync",
			change: func(in *Input) {
				in.Want.SeenHash = "h2"
				in.View.Deployments[0].RolloutState, in.View.Deployments[0].Running = "", 0
			},
			state: ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing,
		},
		{
			name:   "a deployment of it by somebody is waited for",
			change: foreign,
			state:  ecsv1alpha1.ServiceDeploying, reason: ecsv1alpha1.ReasonProgressing,
		},
		{
			name:   "a deployment of it by somebody that failed is a failure, but not ours",
			change: func(in *Input) { foreign(in); in.View.Deployments[0].RolloutState = "FAILED" },
			state:  ecsv1alpha1.ServiceFailed, reason: ecsv1alpha1.ReasonCircuitBreaker,
			also: func(m ecsv1alpha1.ServiceStatus) string {
				if len(m.Failed) > 0 {
					return "the content is remembered as failed"
				}
				return ""
			},
		},
		{
			name:   "what failed is not tried again",
			change: rolledBackBefore,
			state:  ecsv1alpha1.ServiceFailed, reason: ecsv1alpha1.ReasonCircuitBreaker,
		},
		{
			name:   "what failed is remembered though the base cannot be read",
			change: func(in *Input) { rolledBackBefore(in); in.Want = Want{Inputs: "i2"} },
			state:  ecsv1alpha1.ServiceFailed, reason: ecsv1alpha1.ReasonCircuitBreaker, need: Need{Base: true},
		},
		{
			name: "what missed the deadline and completed after all is in sync",
			change: func(in *Input) {
				releasedBefore(in)
				in.Memory.State = ecsv1alpha1.ServiceFailed
				in.Memory.Deployment.Outcome = ecsv1alpha1.DeploymentFailed
				in.Memory.Failed = []ecsv1alpha1.FailedContent{{Hash: "h2", Class: ecsv1alpha1.FailureDeadline}}
			},
			state: ecsv1alpha1.ServiceInSync,
			also: func(m ecsv1alpha1.ServiceStatus) string {
				if len(m.Failed) > 0 || m.Deployment.Outcome != ecsv1alpha1.DeploymentSucceeded {
					return "it still counts as failed"
				}
				return ""
			},
		},
		{
			name: "right after it came in sync a look at the earlier world is not believed",
			change: func(in *Input) {
				releasedBefore(in)
				in.Memory.Since = seconds(now.Add(-10 * time.Second))
				in.Memory.Deployment.Started = micros(now.Add(-time.Minute))
				in.View = steadyView()
			},
			state: ecsv1alpha1.ServiceInSync,
		},
	})
}

package cloud

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"heliumai.space/ecsrelease/internal/rollout"
)

// project reduces a service to what decisions need: a few hundred bytes of what is, with its
// hundred events, about 28 KiB. Nothing of the SDK's is kept alive by it.
func project(s *types.Service, at time.Time) *rollout.View {
	v := &rollout.View{
		At:                    at,
		Created:               aws.ToTime(s.CreatedAt),
		Status:                text(s.Status),
		Controller:            string(types.DeploymentControllerTypeEcs),
		Express:               s.ResourceManagementType == types.ResourceManagementTypeEcs,
		Daemon:                s.SchedulingStrategy == types.SchedulingStrategyDaemon,
		TaskDefinition:        revisionOf(aws.ToString(s.TaskDefinition)),
		Desired:               s.DesiredCount,
		Running:               s.RunningCount,
		Pending:               s.PendingCount,
		MinimumHealthyPercent: -1,
		MaximumPercent:        -1,
	}
	if s.DeploymentController != nil && s.DeploymentController.Type != "" {
		v.Controller = strings.Clone(string(s.DeploymentController.Type))
	}
	if c := s.DeploymentConfiguration; c != nil {
		if c.MinimumHealthyPercent != nil {
			v.MinimumHealthyPercent = *c.MinimumHealthyPercent
		}
		if c.MaximumPercent != nil {
			v.MaximumPercent = *c.MaximumPercent
		}
	}
	for i := range s.Deployments {
		v.Deployments = append(v.Deployments, projectDeployment(&s.Deployments[i]))
	}
	for _, r := range s.CurrentServiceRevisions {
		v.ServiceRevisions = append(v.ServiceRevisions, text(r.Arn))
	}
	return v
}

func projectDeployment(d *types.Deployment) rollout.Deployment {
	return rollout.Deployment{
		ID:           text(d.Id),
		Status:       text(d.Status),
		Revision:     revisionOf(aws.ToString(d.TaskDefinition)),
		RolloutState: strings.Clone(string(d.RolloutState)),
		Reason:       text(d.RolloutStateReason),
		Desired:      d.DesiredCount,
		Running:      d.RunningCount,
		Pending:      d.PendingCount,
		Failed:       d.FailedTasks,
		Created:      aws.ToTime(d.CreatedAt),
	}
}

// revisionOf is a task definition's ARN as family:revision.
func revisionOf(arn string) string { return strings.Clone(lastElement(arn)) }

// text copies a string of the SDK's, so that it does not hold on to the answer it is part of.
func text(s *string) string { return strings.Clone(aws.ToString(s)) }

// changed says whether owners have to know about the difference between two looks. Counts are
// news only of a service in flight: autoscaling moves them all day.
func changed(before, after *rollout.View, inFlight bool) bool {
	if before == nil {
		return true
	}
	if (before.Problem == nil) != (after.Problem == nil) {
		return true
	}
	if after.Problem != nil {
		return before.Problem.Class != after.Problem.Class || before.Problem.Reason != after.Problem.Reason ||
			!after.Problem.Delay() && before.Problem.Message != after.Problem.Message
	}
	counts := before.Desired != after.Desired || before.Running != after.Running || before.Pending != after.Pending
	return before.Status != after.Status ||
		before.Controller != after.Controller ||
		before.Express != after.Express ||
		before.Daemon != after.Daemon ||
		before.TaskDefinition != after.TaskDefinition ||
		before.MinimumHealthyPercent != after.MinimumHealthyPercent ||
		before.MaximumPercent != after.MaximumPercent ||
		(before.Desired == 0) != (after.Desired == 0) || (before.Running == 0) != (after.Running == 0) ||
		inFlight && counts ||
		!slices.Equal(before.ServiceRevisions, after.ServiceRevisions) ||
		!slices.EqualFunc(before.Deployments, after.Deployments, func(a, b rollout.Deployment) bool {
			return sameDeployment(a, b, inFlight)
		})
}

func sameDeployment(a, b rollout.Deployment, inFlight bool) bool {
	if !inFlight {
		a.Desired, a.Running, a.Pending, a.Failed = b.Desired, b.Running, b.Pending, b.Failed
	}
	return a.ID == b.ID && a.Status == b.Status && a.Revision == b.Revision &&
		a.RolloutState == b.RolloutState && a.Reason == b.Reason &&
		a.Desired == b.Desired && a.Running == b.Running && a.Pending == b.Pending && a.Failed == b.Failed
}

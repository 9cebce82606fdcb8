package cloud

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/wayin"
)

// lookAtService finds the target groups that a service's running revision is in, and how they see its
// tasks.
func (f *Fleet) lookAtService(ctx context.Context, k Key) wayin.Service {
	s := wayin.Service{Cluster: k.Cluster, Name: k.Service}
	now := time.Now()
	described, problem := f.describeService(ctx, k)
	if problem != nil {
		s.Groups.Problem, s.Tasks.Unasked = problem, true
		return s
	}
	view := project(described, now)
	if view.Status != "ACTIVE" {
		s.Groups.Problem = because(rollout.ProblemMissing, ecsv1alpha1.ReasonServiceNotActive, "ECS service %s in cluster %s is %s", k.Service, k.Cluster, view.Status)
		s.Tasks.Unasked = true
		return s
	}
	balanced, ok, problem := f.balancingOf(ctx, k, view, "")
	if problem != nil {
		s.Groups.Problem, s.Tasks.Unasked = problem, true
		return s
	}
	if !ok {
		balanced = projectBalancing(described.LoadBalancers, nil)
	}
	primary, before := view.Primary(), beside(view)
	if s.Groups.Answer = slices.Clone(balanced.groups()); before != nil {
		s.Groups.Answer = balanced.all() // the traffic of a blue/green deployment may still go to the other one
	}
	if len(s.Groups.Answer) == 0 {
		s.Tasks.Unasked = true
		return s
	}
	revision := view.TaskDefinition
	if primary != nil {
		revision = primary.Revision
	}
	s.Tasks.Answer = wayin.Tasks{Revision: revision, Idle: view.Desired == 0}
	if view.Desired == 0 {
		return s
	}
	health, problem := f.TargetHealth(ctx, k, revision, now)
	if problem != nil {
		s.Tasks.Problem = problem
		return s
	}
	t := &s.Tasks.Answer
	t.Running, t.Healthy = health.Expected, health.Healthy
	t.Initial = len(health.Unhealthy) > 0
	for i, u := range health.Unhealthy {
		if i == 0 {
			t.First = fmt.Sprintf("%s is %s", u.Target, u.State)
			if why := cmp.Or(u.Description, u.Reason); why != "" {
				t.First += " (" + why + ")"
			}
		}
		// A task that has just started is registered a moment later.
		t.Initial = t.Initial && (u.State == string(elbtypes.TargetHealthStateEnumInitial) || u.State == string(elbtypes.TargetHealthStateEnumUnused))
	}
	if before != nil && t.Healthy == 0 {
		if health, problem := f.TargetHealth(ctx, k, before.Revision, now); problem == nil && health.Healthy > 0 {
			t.Before = before.Revision
		}
	}
	return s
}

// beside is the deployment that a service runs beside its PRIMARY one, while that is under way; nil:
// there is none.
func beside(view *rollout.View) *rollout.Deployment {
	primary := view.Primary()
	if primary == nil || primary.RolloutState != string(ecstypes.DeploymentRolloutStateInProgress) {
		return nil
	}
	for i := range view.Deployments {
		if d := &view.Deployments[i]; d.Status != "PRIMARY" && d.Running > 0 {
			return d
		}
	}
	return nil
}

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
	fresh := primary != nil && (before != nil || now.Sub(primary.Created) < settling)
	if s.Tasks.Answer, s.Tasks.Problem = f.tasksOf(ctx, k, revision, balanced.groups(), now, fresh); s.Tasks.Problem != nil || before == nil {
		return s
	}
	if before.Revision == revision {
		if !balanced.settled() || len(balanced.all()) > len(balanced.groups()) {
			s.Tasks.Answer.Before = revision // whose tasks are whose is not to be told by their revision
		}
		return s
	}
	earlier, ok, problem := f.balancingOf(ctx, k, view, before.Revision)
	switch {
	case problem != nil:
		s.Tasks.Problem = problem
	case ok && !slices.Equal(earlier.groups(), balanced.groups()):
		beside, problem := f.tasksOf(ctx, k, before.Revision, earlier.groups(), now, false)
		s.Tasks.Problem, s.Beside = problem, &beside
	case s.Tasks.Answer.Healthy == 0:
		if health, problem := f.TargetHealth(ctx, k, before.Revision, now); problem == nil && health.Healthy > 0 {
			s.Tasks.Answer.Before = before.Revision
		}
	}
	return s
}

// settling is how long after a deployment a task that is in no target group may be on its way into it.
const settling = 5 * time.Minute

// tasksOf are the tasks of a revision, as its target groups see them. While it is fresh those that are
// in none are on their way.
func (f *Fleet) tasksOf(ctx context.Context, k Key, revision string, groups []string, notBefore time.Time, fresh bool) (wayin.Tasks, *rollout.Problem) {
	t := wayin.Tasks{Revision: revision, Groups: slices.Clone(groups)}
	health, problem := f.TargetHealth(ctx, k, revision, notBefore)
	if problem != nil {
		return t, problem
	}
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
		comes := fresh && u.State == string(elbtypes.TargetHealthStateEnumUnused) && u.Reason == string(elbtypes.TargetHealthReasonEnumNotRegistered)
		t.Initial = t.Initial && (comes || u.State == string(elbtypes.TargetHealthStateEnumInitial))
	}
	return t, nil
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

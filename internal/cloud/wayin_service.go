package cloud

import (
	"cmp"
	"context"
	"fmt"
	"maps"
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
	if s.Groups.Answer = slices.Clone(balanced.groups()); len(before) > 0 {
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
	fresh := primary != nil && (len(before) > 0 || now.Sub(primary.Created) < settling)
	s.Tasks.Answer, s.Tasks.Problem = f.tasksOf(ctx, k, revision, balanced.groups(), now, fresh)
	for i := range before {
		if s.Tasks.Problem == nil {
			s.Tasks.Problem = f.lookBeside(ctx, k, view, balanced, before[i].Revision, &s)
		}
	}
	return s
}

// lookBeside looks at the tasks of a deployment that runs beside the PRIMARY one, of a revision: as ones
// of their own where they are in target groups of their own, or else as what answers while none of the
// new ones does.
func (f *Fleet) lookBeside(ctx context.Context, k Key, view *rollout.View, next balancing, revision string, s *wayin.Service) *rollout.Problem {
	t := &s.Tasks.Answer
	if revision == t.Revision {
		// Whose tasks are whose is not to be told by their revision, but by the target groups that they are in.
		others := slices.DeleteFunc(next.all(), func(g string) bool { return slices.Contains(next.groups(), g) })
		if len(others) == 0 {
			return nil
		}
		tasks, problem := f.registered(ctx, k, revision, next.groups())
		if problem != nil {
			return problem
		}
		earlier, problem := f.registered(ctx, k, revision, others)
		if problem == nil {
			*t = tasks
			s.Beside = append(s.Beside, earlier)
		}
		return problem
	}
	before, ok, problem := f.balancingOf(ctx, k, view, revision)
	if problem != nil {
		return problem
	}
	shared := slices.ContainsFunc(before.groups(), func(g string) bool { return slices.Contains(next.groups(), g) })
	if ok && !shared && len(before.groups()) > 0 {
		earlier, problem := f.tasksOf(ctx, k, revision, before.groups(), time.Now(), false)
		if problem == nil {
			s.Beside = append(s.Beside, earlier)
		}
		return problem
	}
	if t.Healthy == 0 && t.Before == "" {
		if health, problem := f.TargetHealth(ctx, k, revision, time.Now()); problem == nil && health.Healthy > 0 {
			t.Before = revision
		}
	}
	return nil
}

// registered are the tasks of a revision that are in target groups, by what is registered there.
func (f *Fleet) registered(ctx context.Context, k Key, revision string, groups []string) (wayin.Tasks, *rollout.Problem) {
	t := wayin.Tasks{Revision: revision, Groups: slices.Clone(groups), Initial: true}
	for i, group := range groups {
		found, problem := f.targetsOf(ctx, k, group)
		if problem != nil {
			return t, problem
		}
		running, healthy := 0, 0
		for _, id := range slices.Sorted(maps.Keys(found)) {
			for _, target := range found[id] {
				switch {
				case target.draining():
				case target.healthy():
					running, healthy = running+1, healthy+1
				default:
					running++
					t.Initial = t.Initial && target.state == string(elbtypes.TargetHealthStateEnumInitial)
					t.First = cmp.Or(t.First, tellTarget(target.told(groupName(group))))
				}
			}
		}
		if i == 0 {
			t.Running, t.Healthy = running, healthy
		}
		t.Running, t.Healthy = max(t.Running, running), min(t.Healthy, healthy)
	}
	return t, nil
}

// tellTarget says what a target that is not healthy is like.
func tellTarget(u ecsv1alpha1.UnhealthyTarget) string {
	said := fmt.Sprintf("%s is %s", u.Target, u.State)
	if why := cmp.Or(u.Description, u.Reason); why != "" {
		said += " (" + why + ")"
	}
	return said
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
	for _, u := range health.Unhealthy {
		t.First = cmp.Or(t.First, tellTarget(u))
		// A task that has just started is registered a moment later.
		comes := fresh && u.State == string(elbtypes.TargetHealthStateEnumUnused) && u.Reason == string(elbtypes.TargetHealthReasonEnumNotRegistered)
		t.Initial = t.Initial && (comes || u.State == string(elbtypes.TargetHealthStateEnumInitial))
	}
	return t, nil
}

// beside are the deployments of which tasks run beside those of a service's PRIMARY one, while that is
// under way.
func beside(view *rollout.View) []rollout.Deployment {
	primary := view.Primary()
	if primary == nil || primary.RolloutState != string(ecstypes.DeploymentRolloutStateInProgress) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(view.Deployments), func(d rollout.Deployment) bool { return d.Status == "PRIMARY" || d.Running == 0 })
}

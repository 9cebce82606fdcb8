package cloud

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

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
	balanced, ok, problem := f.balancingOf(ctx, k, view, "")
	if problem != nil {
		s.Groups.Problem, s.Tasks.Unasked = problem, true
		return s
	}
	if !ok {
		balanced = projectBalancing(described.LoadBalancers, nil)
	}
	if s.Groups.Answer = slices.Clone(balanced.groups()); len(s.Groups.Answer) == 0 {
		s.Tasks.Unasked = true
		return s
	}
	revision := view.TaskDefinition
	if primary := view.Primary(); primary != nil {
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
		t.Initial = t.Initial && u.State == string(elbtypes.TargetHealthStateEnumInitial)
	}
	return s
}

package cloud

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

const (
	// runningPages is how many pages of running tasks one look goes through at most.
	runningPages = 10
	// unhealthyTold is how many targets that are not healthy one look names at most.
	unhealthyTold = 10
)

// TargetHealth is how target groups see the tasks of a revision. It is about the first thousand
// tasks of a service.
type TargetHealth struct {
	// At is when the look began.
	At time.Time
	// Expected is how many tasks of the revision run; Healthy how many of them are healthy in
	// every target group.
	Expected, Healthy int
	// Unhealthy are targets that are not healthy, whatever their state, the unhealthy first. A
	// task that is not registered has the state that Elastic Load Balancing has for that, unused.
	// At most ten.
	Unhealthy []ecsv1alpha1.UnhealthyTarget
	// Groups are the names of the target groups that the revision uses. When there are none,
	// nothing was asked about the tasks.
	Groups []string
}

// healthKey is the tasks of a revision as somebody may see them.
type healthKey struct {
	key      Key
	revision string
}

// TargetHealth asks the target groups that a revision of a service really uses about its running
// tasks. The revision is spelled family:revision. An answer that began at notBefore or later may
// serve again for four fifths of the fast cadence, for the reason that ServiceDeployment has.
func (f *Fleet) TargetHealth(ctx context.Context, k Key, revision string, notBefore time.Time) (TargetHealth, *rollout.Problem) {
	seen := healthKey{key: k, revision: revision}
	if last, ok := f.healths.get(seen); ok && !last.At.Before(notBefore) && time.Since(last.At) < f.options.Fast*4/5 {
		return last, nil
	}
	health, problem := f.lookAtTargets(ctx, k, revision)
	if problem == nil {
		f.healths.put(seen, health, 1)
	}
	return health, problem
}

func (f *Fleet) lookAtTargets(ctx context.Context, k Key, revision string) (TargetHealth, *rollout.Problem) {
	health := TargetHealth{At: time.Now()}
	balanced, problem := f.balancing(ctx, k, revision)
	if problem != nil || len(balanced.groups()) == 0 {
		return health, problem
	}
	tasks, problem := f.tasks(ctx, k, types.DesiredStatusRunning, runningPages)
	if problem != nil {
		return health, problem
	}
	tasks = slices.DeleteFunc(tasks, func(t types.Task) bool {
		return revisionOf(aws.ToString(t.TaskDefinitionArn)) != revision || !strings.EqualFold(aws.ToString(t.LastStatus), "RUNNING")
	})
	hosts, problem := f.hosts(ctx, k, tasks)
	if problem != nil {
		return health, problem
	}
	sick := map[int]bool{}
	for _, group := range balanced.groups() {
		targets, problem := f.targetsOf(ctx, k, group)
		if problem != nil {
			return health, problem
		}
		health.Groups = append(health.Groups, groupName(group))
		for i := range tasks {
			found := targets.of(seatsOf(&tasks[i], hosts, balanced.in(group)))
			if found.id == "" {
				found.id = "task " + lastElement(aws.ToString(tasks[i].TaskArn))
			}
			if !found.healthy() {
				sick[i] = true
				health.Unhealthy = append(health.Unhealthy, found.told(groupName(group)))
			}
		}
	}
	slices.Sort(health.Groups)
	slices.SortFunc(health.Unhealthy, func(a, b ecsv1alpha1.UnhealthyTarget) int {
		return cmp.Or(cmp.Compare(rankOf(a.State), rankOf(b.State)), strings.Compare(a.TargetGroup, b.TargetGroup), strings.Compare(a.Target, b.Target))
	})
	health.Unhealthy = slices.Clone(health.Unhealthy[:min(len(health.Unhealthy), unhealthyTold)])
	health.Expected, health.Healthy = len(tasks), len(tasks)-len(sick)
	return health, nil
}

// rankOf puts what is found unhealthy before what is not yet, or no longer, healthy.
func rankOf(state string) int {
	if isUnhealthy(state) {
		return 0
	}
	return 1
}

// isUnhealthy says whether checks of a target failed: unhealthy, and unhealthy.draining.
func isUnhealthy(state string) bool {
	return strings.HasPrefix(state, string(elbtypes.TargetHealthStateEnumUnhealthy))
}

// target is a target of a target group.
type target struct {
	id    string // an address or an EC2 instance
	port  int32
	state string
	// reason is Elastic Load Balancing's code, description the same for people.
	reason, description string
}

func (t target) healthy() bool { return t.state == string(elbtypes.TargetHealthStateEnumHealthy) }

func (t target) draining() bool {
	return strings.HasSuffix(t.state, string(elbtypes.TargetHealthStateEnumDraining))
}

func (t target) String() string {
	if t.port == 0 {
		return t.id
	}
	return net.JoinHostPort(t.id, strconv.Itoa(int(t.port)))
}

// told is the target as the API tells of it.
func (t target) told(group string) ecsv1alpha1.UnhealthyTarget {
	return ecsv1alpha1.UnhealthyTarget{
		TargetGroup: shorten(group, 64),
		Target:      shorten(t.String(), 128),
		State:       shorten(t.state, 64),
		Reason:      shorten(t.reason, 64),
		Description: shorten(t.description, 256),
	}
}

// targets are those of a target group by their id.
type targets map[string][]target

// of is the target at one of the seats: of several, one that is not on its way out, and of those
// one that is not healthy. If nobody sits there, it is one at the first seat that is not registered.
func (ts targets) of(seats []target) target {
	var found []target
	for _, seat := range seats {
		for _, t := range ts[seat.id] {
			if seat.port == 0 || t.port == seat.port {
				found = append(found, t)
			}
		}
	}
	if len(found) == 0 {
		missing := target{
			state: string(elbtypes.TargetHealthStateEnumUnused), reason: string(elbtypes.TargetHealthReasonEnumNotRegistered),
			description: "The task is not registered in the target group",
		}
		if len(seats) > 0 {
			missing.id, missing.port = seats[0].id, seats[0].port
		}
		return missing
	}
	return slices.MinFunc(found, func(a, b target) int {
		rank := func(t target) int {
			switch {
			case t.draining():
				return 2
			case t.healthy():
				return 1
			}
			return 0
		}
		return cmp.Compare(rank(a), rank(b))
	})
}

// targetsOf asks a target group about its targets.
func (f *Fleet) targetsOf(ctx context.Context, k Key, group string) (targets, *rollout.Problem) {
	s := f.session(k.Identity, k.Region)
	doing := fmt.Sprintf("asking target group %s about service %s", groupName(group), k.Location())
	out, problem := read(ctx, f, s, describeTargetHealth, doing, func(ctx context.Context) (*elb.DescribeTargetHealthOutput, error) {
		return s.elb.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String(group)})
	})
	if problem != nil {
		return nil, problem
	}
	found := targets{}
	for _, d := range out.TargetHealthDescriptions {
		if d.Target == nil || d.TargetHealth == nil {
			continue
		}
		id := address(aws.ToString(d.Target.Id))
		found[id] = append(found[id], target{
			id: id, port: aws.ToInt32(d.Target.Port), state: strings.Clone(string(d.TargetHealth.State)),
			reason: strings.Clone(string(d.TargetHealth.Reason)), description: said(d.TargetHealth.Description, 256),
		})
	}
	return found, nil
}

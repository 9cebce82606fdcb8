package cloud

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"heliumai.space/ecsrelease/internal/rollout"
)

// balancing is how ECS puts the tasks of a service revision behind target groups.
type balancing struct {
	ports []balancedPort
	// used are the ARNs of the target groups that the revision really uses: where a service has
	// two and swaps them with each deployment, only its revision tells. nil: it does not say.
	used []string
}

// balancedPort is a port of a container that is registered in a target group.
type balancedPort struct {
	group     string // ARN
	alternate string // ARN of the group that it swaps with; "" where none
	container string
	port      int32
}

func projectBalancing(configured []types.LoadBalancer, resolved *types.ResolvedConfiguration) balancing {
	var b balancing
	for _, l := range configured {
		port := balancedPort{group: text(l.TargetGroupArn), container: text(l.ContainerName), port: aws.ToInt32(l.ContainerPort)}
		if port.group == "" {
			continue // a Classic Load Balancer
		}
		if l.AdvancedConfiguration != nil {
			port.alternate = text(l.AdvancedConfiguration.AlternateTargetGroupArn)
		}
		b.ports = append(b.ports, port)
	}
	if resolved == nil {
		return b
	}
	for _, l := range resolved.LoadBalancers {
		if group := text(l.TargetGroupArn); group != "" && !slices.Contains(b.used, group) {
			b.used = append(b.used, group)
		}
	}
	return b
}

// settled says that groups is what is really used, or all that will ever be known.
func (b balancing) settled() bool {
	return len(b.used) > 0 || !slices.ContainsFunc(b.ports, func(p balancedPort) bool { return p.alternate != "" })
}

// groups are the ARNs of the target groups that are used.
func (b balancing) groups() []string {
	if len(b.used) > 0 {
		return b.used
	}
	var groups []string
	for _, p := range b.ports {
		if !slices.Contains(groups, p.group) {
			groups = append(groups, p.group)
		}
	}
	return groups
}

// all are the ARNs of the target groups that are used now, or with another deployment.
func (b balancing) all() []string {
	groups := slices.Clone(b.used)
	for _, p := range b.ports {
		groups = append(groups, p.group)
		if p.alternate != "" {
			groups = append(groups, p.alternate)
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// in are the ports that are registered in a group.
func (b balancing) in(group string) []balancedPort {
	var ports []balancedPort
	for _, p := range b.ports {
		if p.group == group || p.alternate == group {
			ports = append(ports, p)
		}
	}
	return ports
}

// balancing is how the tasks of a revision, spelled family:revision, are balanced: as the newest
// service revision that runs it says, or else as the service itself does. "" is what the PRIMARY
// deployment runs.
func (f *Fleet) balancing(ctx context.Context, k Key, revision string) (balancing, *rollout.Problem) {
	if v := f.stored(k); v != nil {
		if b, ok, problem := f.balancingOf(ctx, k, v, revision); ok || problem != nil {
			return b, problem
		}
	}
	service, problem := f.describeService(ctx, k)
	if problem != nil {
		return balancing{}, problem
	}
	b, ok, problem := f.balancingOf(ctx, k, project(service, time.Now()), revision)
	if ok || problem != nil {
		return b, problem
	}
	return projectBalancing(service.LoadBalancers, nil), nil
}

// balancingOf is what the service revisions of a view say; false if none of them runs the
// revision.
func (f *Fleet) balancingOf(ctx context.Context, k Key, v *rollout.View, revision string) (balancing, bool, *rollout.Problem) {
	primary := v.Primary()
	if revision == "" && primary == nil {
		return balancing{}, false, nil
	}
	revisions, problem := f.serviceRevisions(ctx, k, v.ServiceRevisions, serviceRevision.balanced)
	if problem != nil {
		return balancing{}, false, problem
	}
	if primary != nil && (revision == "" || revision == primary.Revision) {
		if r, ok := revisionOfPrimary(primary, revisions); ok {
			return r.balancers, true, nil
		}
		revision = primary.Revision
	}
	var newest serviceRevision
	for _, r := range revisions {
		if r.taskDefinition == revision && (!newest.told() || r.created.After(newest.created)) {
			newest = r
		}
	}
	return newest.balancers, newest.told(), nil
}

// groupName is the name in the ARN of a target group, targetgroup/name/id.
func groupName(arn string) string {
	_, path, ok := strings.Cut(arn, ":targetgroup/")
	if !ok {
		return lastElement(arn)
	}
	name, _, _ := strings.Cut(path, "/")
	return strings.Clone(name)
}

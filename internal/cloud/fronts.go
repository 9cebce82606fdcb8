package cloud

import (
	"context"
	"fmt"
	"slices"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"heliumai.space/ecsrelease/internal/rollout"
)

const (
	// frontsAge is for how long it is believed which load balancers are in front of a service.
	frontsAge = 5 * time.Minute
	// balancersPerCall is how many load balancers are described in one call.
	balancersPerCall = 20
)

// seenFronts are the load balancers in front of a service as a look at a time saw them.
type seenFronts struct {
	names []string
	at    time.Time
}

// Fronts are the DNS names of the application load balancers that forward to the service's target
// groups, in order; none when there is none. An answer serves again for five minutes. The caller
// must not change it.
func (f *Fleet) Fronts(ctx context.Context, k Key) ([]string, *rollout.Problem) {
	if last, ok := f.fronts.get(k); ok && time.Since(last.at) < frontsAge {
		return last.names, nil
	}
	seen := seenFronts{at: time.Now()}
	balanced, problem := f.balancing(ctx, k, "")
	if problem != nil {
		return nil, problem
	}
	if groups := balanced.all(); len(groups) > 0 {
		balancers, problem := f.balancersOf(ctx, k, groups)
		if problem != nil {
			return nil, problem
		}
		if seen.names, problem = f.namesOf(ctx, k, balancers); problem != nil {
			return nil, problem
		}
	}
	f.fronts.put(k, seen, 1)
	return seen.names, nil
}

// balancersOf are the ARNs of the load balancers that forward to the groups.
func (f *Fleet) balancersOf(ctx context.Context, k Key, groups []string) ([]string, *rollout.Problem) {
	s := f.session(k.Identity, k.Region)
	doing := fmt.Sprintf("describing the target groups of service %s", k.Location())
	out, problem := read(ctx, f, s, describeTargetGroups, doing, func(ctx context.Context) (*elb.DescribeTargetGroupsOutput, error) {
		return s.elb.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{TargetGroupArns: groups})
	})
	if problem != nil {
		return nil, problem
	}
	var balancers []string
	for i := range out.TargetGroups {
		balancers = append(balancers, out.TargetGroups[i].LoadBalancerArns...)
	}
	slices.Sort(balancers)
	return slices.Compact(balancers), nil
}

// namesOf are the DNS names of those load balancers that are application load balancers.
func (f *Fleet) namesOf(ctx context.Context, k Key, balancers []string) ([]string, *rollout.Problem) {
	s := f.session(k.Identity, k.Region)
	doing := fmt.Sprintf("describing the load balancers of service %s", k.Location())
	var names []string
	for chunk := range slices.Chunk(balancers, balancersPerCall) {
		out, problem := read(ctx, f, s, describeLoadBalancers, doing, func(ctx context.Context) (*elb.DescribeLoadBalancersOutput, error) {
			return s.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: chunk})
		})
		if problem != nil {
			return nil, problem
		}
		for i := range out.LoadBalancers {
			if b := &out.LoadBalancers[i]; b.Type == elbtypes.LoadBalancerTypeEnumApplication && b.DNSName != nil {
				names = append(names, text(b.DNSName))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

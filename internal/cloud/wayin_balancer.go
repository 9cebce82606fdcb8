package cloud

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/wayin"
)

// lookAtBalancer describes the load balancer, its listeners, and the certificates and rules of the one
// on the port.
func (f *Fleet) lookAtBalancer(ctx context.Context, id Identity, wanted *ecsv1alpha1.EndpointRegion, seen *wayin.Region) {
	s := f.session(id, wanted.Region)
	seen.Rules.Unasked = true
	var attached []string
	switch {
	case wanted.LoadBalancerARN == "":
		seen.Listeners.Unasked = true
	default:
		seen.Balancer.Answer, seen.Balancer.Problem = f.balancer(ctx, s, wanted.LoadBalancerARN)
		if seen.Balancer.Answer == nil {
			seen.Listeners.Unasked = true
			break
		}
		seen.Listeners.Answer, seen.Listeners.Problem = f.listeners(ctx, s, wanted.LoadBalancerARN)
		listener, ok := seen.Listener()
		if !ok {
			break
		}
		seen.Rules.Unasked = false
		seen.Rules.Answer, seen.Rules.Problem = f.rules(ctx, s, listener.ARN)
		if attached, seen.Certificates.Problem = f.attached(ctx, s, listener.ARN); seen.Certificates.Problem != nil {
			return
		}
	}
	seen.MoreCertificates = len(attached) > certificatesDescribed
	seen.Certificates.Answer, seen.Certificates.Problem = f.certificates(ctx, s, wanted, attached)
}

// balancer describes a load balancer; nil: there is none.
func (f *Fleet) balancer(ctx context.Context, s *session, arn string) (*wayin.Balancer, *rollout.Problem) {
	out, problem := read(ctx, f, s, describeLoadBalancers, "describing load balancer "+arn, func(ctx context.Context) (*elb.DescribeLoadBalancersOutput, error) {
		return s.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{arn}})
	})
	if absent(problem) || problem == nil && len(out.LoadBalancers) == 0 {
		return nil, nil
	}
	if problem != nil {
		return nil, problem
	}
	b := &out.LoadBalancers[0]
	projected := &wayin.Balancer{
		ARN: arn, Name: text(b.LoadBalancerName), DNSName: strings.ToLower(text(b.DNSName)), Internal: b.Scheme == elbtypes.LoadBalancerSchemeEnumInternal,
	}
	if b.State != nil {
		projected.State, projected.Reason = strings.Clone(string(b.State.Code)), said(b.State.Reason, 128)
	}
	return projected, nil
}

func (f *Fleet) listeners(ctx context.Context, s *session, balancer string) ([]wayin.Listener, *rollout.Problem) {
	var listeners []wayin.Listener
	in := &elb.DescribeListenersInput{LoadBalancerArn: aws.String(balancer)}
	for range pages {
		out, problem := read(ctx, f, s, describeListeners, "describing the listeners of "+balancer, func(ctx context.Context) (*elb.DescribeListenersOutput, error) {
			return s.elb.DescribeListeners(ctx, in)
		})
		if problem != nil {
			return nil, problem
		}
		for i := range out.Listeners {
			l := &out.Listeners[i]
			listeners = append(listeners, wayin.Listener{ARN: text(l.ListenerArn), Port: aws.ToInt32(l.Port), Protocol: strings.Clone(string(l.Protocol))})
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	return listeners, nil
}

// rules are those of a listener in the order in which they are tried.
func (f *Fleet) rules(ctx context.Context, s *session, listener string) ([]wayin.Rule, *rollout.Problem) {
	var rules []wayin.Rule
	in := &elb.DescribeRulesInput{ListenerArn: aws.String(listener)}
	for range pages {
		out, problem := read(ctx, f, s, describeRules, "describing the rules of "+listener, func(ctx context.Context) (*elb.DescribeRulesOutput, error) {
			return s.elb.DescribeRules(ctx, in)
		})
		if problem != nil {
			return nil, problem
		}
		for i := range out.Rules {
			rules = append(rules, projectRule(&out.Rules[i]))
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	place := func(r wayin.Rule) int {
		n, err := strconv.Atoi(r.Priority)
		if err != nil {
			return 1 << 30 // the default rule is tried last
		}
		return n
	}
	slices.SortStableFunc(rules, func(a, b wayin.Rule) int { return cmp.Compare(place(a), place(b)) })
	return rules, nil
}

func projectRule(r *elbtypes.Rule) wayin.Rule {
	rule := wayin.Rule{Priority: text(r.Priority)}
	for _, c := range r.Conditions {
		switch {
		case aws.ToString(c.Field) == "host-header" && len(c.RegexValues) == 0:
			rule.Hosts = append(rule.Hosts, hostValues(c)...)
		case aws.ToString(c.Field) == "path-pattern" && len(c.RegexValues) == 0:
			rule.Paths = append(rule.Paths, pathValues(c)...)
		default:
			rule.Other = true
		}
	}
	// The last action is what happens to the request; what may come before is authentication.
	for _, a := range r.Actions {
		rule.Action = strings.Clone(string(a.Type))
		rule.Groups, rule.Weights = nil, nil
		if a.ForwardConfig == nil {
			if a.TargetGroupArn != nil {
				rule.Groups = []string{text(a.TargetGroupArn)}
			}
			continue
		}
		for _, g := range a.ForwardConfig.TargetGroups {
			weight := int32(1)
			if g.Weight != nil && len(a.ForwardConfig.TargetGroups) > 1 {
				weight = *g.Weight
			}
			if weight > 0 {
				rule.Groups, rule.Weights = append(rule.Groups, text(g.TargetGroupArn)), append(rule.Weights, weight)
			}
		}
	}
	return rule
}

// hostValues are the patterns of a condition on the host, which older rules have in a field of all.
func hostValues(c elbtypes.RuleCondition) []string {
	if c.HostHeaderConfig != nil {
		return copies(c.HostHeaderConfig.Values)
	}
	return copies(c.Values)
}

// pathValues are those of a condition on the path.
func pathValues(c elbtypes.RuleCondition) []string {
	if c.PathPatternConfig != nil {
		return copies(c.PathPatternConfig.Values)
	}
	return copies(c.Values)
}

func copies(values []string) []string {
	var copied []string
	for _, v := range values {
		copied = append(copied, strings.Clone(v))
	}
	return copied
}

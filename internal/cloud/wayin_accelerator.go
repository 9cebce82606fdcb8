package cloud

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ga "github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	"github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"

	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/wayin"
)

// lookAtAccelerator describes the accelerator, its listeners, and what is behind those on the port.
func (f *Fleet) lookAtAccelerator(ctx context.Context, w Way, seen *wayin.Seen) {
	s := f.session(w.Global, acceleratorRegion)
	arn := w.Spec.AcceleratorARN
	out, problem := read(ctx, f, s, describeAccelerator, "describing accelerator "+arn, func(ctx context.Context) (*ga.DescribeAcceleratorOutput, error) {
		return s.ga.DescribeAccelerator(ctx, &ga.DescribeAcceleratorInput{AcceleratorArn: aws.String(arn)})
	})
	if problem != nil || out.Accelerator == nil {
		seen.AcceleratorListeners.Unasked = true
		if !absent(problem) {
			seen.Accelerator.Problem = problem
		}
		return
	}
	seen.Accelerator.Answer = projectAccelerator(out.Accelerator)
	seen.AcceleratorListeners.Answer, seen.AcceleratorListeners.Problem = f.acceleratorListeners(ctx, s, arn)
}

func projectAccelerator(a *types.Accelerator) *wayin.Accelerator {
	projected := &wayin.Accelerator{ARN: text(a.AcceleratorArn), Enabled: aws.ToBool(a.Enabled), Status: strings.Clone(string(a.Status))}
	for _, name := range []*string{a.DnsName, a.DualStackDnsName} {
		if name != nil {
			projected.Names = append(projected.Names, text(name))
		}
	}
	for _, set := range a.IpSets {
		for _, address := range set.IpAddresses {
			projected.Addresses = append(projected.Addresses, strings.Clone(address))
		}
	}
	return projected
}

func (f *Fleet) acceleratorListeners(ctx context.Context, s *session, arn string) ([]wayin.AcceleratorListener, *rollout.Problem) {
	var listeners []wayin.AcceleratorListener
	in := &ga.ListListenersInput{AcceleratorArn: aws.String(arn), MaxResults: aws.Int32(100)}
	for range pages {
		out, problem := read(ctx, f, s, listAcceleratorListeners, "listing the listeners of "+arn, func(ctx context.Context) (*ga.ListListenersOutput, error) {
			return s.ga.ListListeners(ctx, in)
		})
		if problem != nil {
			return nil, problem
		}
		for i := range out.Listeners {
			l := &out.Listeners[i]
			projected := wayin.AcceleratorListener{Protocol: strings.Clone(string(l.Protocol))}
			for _, p := range l.PortRanges {
				projected.Ports = append(projected.Ports, wayin.PortRange{From: aws.ToInt32(p.FromPort), To: aws.ToInt32(p.ToPort)})
			}
			if projected.Serves() {
				if projected.Groups, problem = f.endpointGroups(ctx, s, text(l.ListenerArn)); problem != nil {
					return nil, problem
				}
			}
			listeners = append(listeners, projected)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	return listeners, nil
}

func (f *Fleet) endpointGroups(ctx context.Context, s *session, listener string) ([]wayin.EndpointGroup, *rollout.Problem) {
	var groups []wayin.EndpointGroup
	in := &ga.ListEndpointGroupsInput{ListenerArn: aws.String(listener), MaxResults: aws.Int32(100)}
	for range pages {
		out, problem := read(ctx, f, s, listEndpointGroups, "listing the endpoint groups of "+listener, func(ctx context.Context) (*ga.ListEndpointGroupsOutput, error) {
			return s.ga.ListEndpointGroups(ctx, in)
		})
		if problem != nil {
			return nil, problem
		}
		for i := range out.EndpointGroups {
			g := &out.EndpointGroups[i]
			// What is not said is what Global Accelerator begins with: a dial at 100 %, weights of 128.
			group := wayin.EndpointGroup{Region: text(g.EndpointGroupRegion), Dial: 100, Port: wayin.Port}
			if g.TrafficDialPercentage != nil {
				group.Dial = float64(*g.TrafficDialPercentage)
			}
			for _, o := range g.PortOverrides {
				if aws.ToInt32(o.ListenerPort) == wayin.Port {
					group.Port = aws.ToInt32(o.EndpointPort)
				}
			}
			for _, e := range g.EndpointDescriptions {
				endpoint := wayin.AcceleratorEndpoint{ID: text(e.EndpointId), Weight: 128, Health: strings.Clone(string(e.HealthState)), Reason: said(e.HealthReason, 128)}
				if e.Weight != nil {
					endpoint.Weight = *e.Weight
				}
				group.Endpoints = append(group.Endpoints, endpoint)
			}
			groups = append(groups, group)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	return groups, nil
}

package seed

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	gatypes "github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"
)

const securePort = 443

// open makes the listener and the rule of a site.
func (d Domain) open(ctx context.Context, site Site, door *Door) error {
	listener, err := site.secureListener(ctx, door.Certificate)
	if err != nil {
		return err
	}
	door.Listener = listener
	made, err := site.Balancers.CreateRule(ctx, &elb.CreateRuleInput{
		ListenerArn: &listener, Priority: aws.Int32(cmp.Or(d.Priority, 100)), Actions: site.Balanced.forward(),
		Conditions: []types.RuleCondition{{Field: aws.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{d.Host}}}},
	})
	if err != nil {
		return err
	}
	door.Rule = aws.ToString(made.Rules[0].RuleArn)
	return nil
}

// secureListener adds the certificate to the listener on port 443, or makes one that answers
// 404 to whom no rule is for.
func (s Site) secureListener(ctx context.Context, certificate string) (arn string, err error) {
	certificates := []types.Certificate{{CertificateArn: &certificate}}
	described, err := s.Balancers.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: &s.Balanced.LoadBalancer})
	if err != nil {
		return "", err
	}
	for _, listener := range described.Listeners {
		if aws.ToInt32(listener.Port) == securePort {
			_, err := s.Balancers.AddListenerCertificates(ctx, &elb.AddListenerCertificatesInput{ListenerArn: listener.ListenerArn, Certificates: certificates})
			return aws.ToString(listener.ListenerArn), err
		}
	}
	created, err := s.Balancers.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: &s.Balanced.LoadBalancer, Protocol: types.ProtocolEnumHttps, Port: aws.Int32(securePort), Certificates: certificates,
		DefaultActions: []types.Action{notFound()},
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(created.Listeners[0].ListenerArn), nil
}

// active waits for the load balancer, which an accelerator takes only then.
func (s Site) active(ctx context.Context) error {
	return until(ctx, func() (bool, error) {
		described, err := s.Balancers.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{s.Balanced.LoadBalancer}})
		if err != nil {
			return false, err
		}
		return described.LoadBalancers[0].State.Code == types.LoadBalancerStateEnumActive, nil
	})
}

// accelerate makes the accelerator, its listener and the endpoint groups.
func (d Domain) accelerate(ctx context.Context, client *globalaccelerator.Client, way *WayIn, sites []Site) error {
	for _, site := range sites {
		if err := site.active(ctx); err != nil {
			return err
		}
	}
	created, err := client.CreateAccelerator(ctx, &globalaccelerator.CreateAcceleratorInput{Name: &d.Accelerator})
	if err != nil {
		return err
	}
	way.Accelerator, way.AcceleratorDNSName = aws.ToString(created.Accelerator.AcceleratorArn), aws.ToString(created.Accelerator.DnsName)
	listener, err := client.CreateListener(ctx, &globalaccelerator.CreateListenerInput{
		AcceleratorArn: &way.Accelerator, Protocol: gatypes.ProtocolTcp,
		PortRanges: []gatypes.PortRange{{FromPort: aws.Int32(securePort), ToPort: aws.Int32(securePort)}},
	})
	if err != nil {
		return err
	}
	way.AcceleratorListener = aws.ToString(listener.Listener.ListenerArn)
	for _, region := range regions(sites) {
		in := &globalaccelerator.CreateEndpointGroupInput{ListenerArn: &way.AcceleratorListener, EndpointGroupRegion: &region}
		for _, site := range sites {
			if site.region() == region {
				in.EndpointConfigurations = append(in.EndpointConfigurations, gatypes.EndpointConfiguration{EndpointId: &site.Balanced.LoadBalancer})
			}
		}
		group, err := client.CreateEndpointGroup(ctx, in)
		if err != nil {
			return err
		}
		way.EndpointGroups[region] = aws.ToString(group.EndpointGroup.EndpointGroupArn)
	}
	return nil
}

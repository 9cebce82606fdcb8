package seed

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

const containerPort = 8080

// Balancer says which application load balancer to create, with a listener whose traffic
// goes to a target group of IP addresses.
type Balancer struct {
	Name string
	// Port of the listener; 0 means 80, or 443 with TLS.
	Port int32
	// TLS makes it a listener for HTTPS.
	TLS bool
	// Certificate is the ARN of the one that it has then; "" means a server certificate of
	// IAM's, which there need not be.
	Certificate string
	// Pair makes two target groups, Name-blue and Name-green, between which a rule shifts
	// production traffic and a second one the traffic with the header X-Test. Else there is
	// one, Name.
	Pair bool
	// CheckSeconds is the time between health checks; 0 means 10. Two that fail make a target
	// unhealthy.
	CheckSeconds int32
	// DrainSeconds is how long a target drains; 0 means 5.
	DrainSeconds int
}

// Balanced is where a balancer's traffic comes from and goes to. Alternate and the rules are
// "" without a pair.
type Balanced struct {
	DNSName, LoadBalancer, Listener string
	TargetGroup, Alternate          string
	ProductionRule, TestRule        string
}

// Create makes the load balancer by Elastic Load Balancing's own API.
func (b Balancer) Create(ctx context.Context, client *elb.Client) (*Balanced, error) {
	made, err := b.create(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("creating load balancer %s: %w", b.Name, err)
	}
	return made, nil
}

func (b Balancer) create(ctx context.Context, client *elb.Client) (*Balanced, error) {
	out, err := client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: &b.Name, Subnets: []string{"subnet-0a1b2c3d", "subnet-1a2b3c4d"},
	})
	if err != nil {
		return nil, err
	}
	made := &Balanced{DNSName: aws.ToString(out.LoadBalancers[0].DNSName), LoadBalancer: aws.ToString(out.LoadBalancers[0].LoadBalancerArn)}
	first := b.Name
	if b.Pair {
		first += "-blue"
	}
	if made.TargetGroup, err = b.targetGroup(ctx, client, first); err != nil {
		return nil, err
	}
	if b.Pair {
		if made.Alternate, err = b.targetGroup(ctx, client, b.Name+"-green"); err != nil {
			return nil, err
		}
	}
	listener, err := client.CreateListener(ctx, b.listener(made))
	if err != nil {
		return nil, err
	}
	made.Listener = aws.ToString(listener.Listeners[0].ListenerArn)
	if b.Pair {
		err = made.rules(ctx, client)
	}
	return made, err
}

func (b Balancer) listener(made *Balanced) *elb.CreateListenerInput {
	in := &elb.CreateListenerInput{
		LoadBalancerArn: &made.LoadBalancer, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(cmp.Or(b.Port, 80)), DefaultActions: made.fallback(),
	}
	if b.TLS {
		certificate := cmp.Or(b.Certificate, "arn:aws:iam::"+strings.Split(made.LoadBalancer, ":")[4]+":server-certificate/"+b.Name)
		in.Protocol, in.Port = types.ProtocolEnumHttps, aws.Int32(cmp.Or(b.Port, 443))
		in.Certificates = []types.Certificate{{CertificateArn: &certificate}}
	}
	return in
}

func (b Balancer) targetGroup(ctx context.Context, client *elb.Client, name string) (arn string, err error) {
	out, err := client.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: &name, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(containerPort), TargetType: types.TargetTypeEnumIp,
		VpcId: aws.String("vpc-0a1b2c3d"), HealthCheckIntervalSeconds: aws.Int32(cmp.Or(b.CheckSeconds, 10)), UnhealthyThresholdCount: aws.Int32(2),
		HealthCheckTimeoutSeconds: aws.Int32(2),
	})
	if err != nil {
		return "", err
	}
	arn = aws.ToString(out.TargetGroups[0].TargetGroupArn)
	_, err = client.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &arn, Attributes: []types.TargetGroupAttribute{{
			Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String(fmt.Sprint(cmp.Or(b.DrainSeconds, 5))),
		}},
	})
	return arn, err
}

// fallback are the listener's default actions.
func (b *Balanced) fallback() []types.Action {
	if b.Alternate == "" {
		return b.forward()
	}
	return []types.Action{notFound()}
}

func notFound() types.Action {
	return types.Action{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: aws.String("404")}}
}

// forward sends all traffic to TargetGroup, and none yet to the alternate one.
func (b *Balanced) forward() []types.Action {
	if b.Alternate == "" {
		return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &b.TargetGroup}}
	}
	return []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{TargetGroups: []types.TargetGroupTuple{
		{TargetGroupArn: &b.TargetGroup, Weight: aws.Int32(100)},
		{TargetGroupArn: &b.Alternate, Weight: aws.Int32(0)},
	}}}}
}

// rules are the two between which ECS shifts traffic: at first all of it goes to TargetGroup.
func (b *Balanced) rules(ctx context.Context, client *elb.Client) error {
	create := func(priority int32, condition types.RuleCondition) (string, error) {
		out, err := client.CreateRule(ctx, &elb.CreateRuleInput{
			ListenerArn: &b.Listener, Priority: &priority, Actions: b.forward(), Conditions: []types.RuleCondition{condition},
		})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.Rules[0].RuleArn), nil
	}
	var err error
	if b.TestRule, err = create(1, types.RuleCondition{
		Field:            aws.String("http-header"),
		HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: aws.String("X-Test"), Values: []string{"*"}},
	}); err != nil {
		return err
	}
	b.ProductionRule, err = create(2, types.RuleCondition{
		Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: []string{"/*"}},
	})
	return err
}

// loadBalancer is the balancer as a service of ECS names it.
func (b *Balanced) loadBalancer(container string) ecstypes.LoadBalancer {
	lb := ecstypes.LoadBalancer{TargetGroupArn: &b.TargetGroup, ContainerName: &container, ContainerPort: aws.Int32(containerPort)}
	if b.Alternate != "" {
		role := "arn:aws:iam::" + strings.Split(b.TargetGroup, ":")[4] + ":role/ecs-infrastructure"
		lb.AdvancedConfiguration = &ecstypes.AdvancedConfiguration{
			AlternateTargetGroupArn: &b.Alternate, ProductionListenerRule: &b.ProductionRule, TestListenerRule: &b.TestRule,
			RoleArn: &role,
		}
	}
	return lb
}

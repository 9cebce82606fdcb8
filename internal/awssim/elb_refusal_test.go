package awssim

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestBadInputIsRefusedInAWSsWords(t *testing.T) {
	s := New(Options{})
	f := newELBFixture(t, s)
	ctx := t.Context()
	absentGroup := f.group[:len(f.group)-1] + "x"
	subnets := []string{"subnet-1", "subnet-2"}
	group := func(change func(*elb.CreateTargetGroupInput)) error {
		in := &elb.CreateTargetGroupInput{Name: aws.String("bad"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1")}
		change(in)
		_, err := f.client.CreateTargetGroup(ctx, in)
		return err
	}
	listener := func(in elb.CreateListenerInput) error {
		in.LoadBalancerArn = &f.balancer
		if in.DefaultActions == nil {
			in.DefaultActions = forwardTo(f.group)
		}
		_, err := f.client.CreateListener(ctx, &in)
		return err
	}
	rule := func(conditions []types.RuleCondition, action types.Action) error {
		_, err := f.client.CreateRule(ctx, &elb.CreateRuleInput{ListenerArn: &f.listener, Priority: aws.Int32(1), Conditions: conditions, Actions: []types.Action{action}})
		return err
	}
	paths := []types.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/"}}}
	balancer := func(name string, subnets []string, kind types.LoadBalancerTypeEnum) error {
		_, err := f.client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: &name, Subnets: subnets, Type: kind})
		return err
	}
	health := func(arn string, targets ...types.TargetDescription) error {
		_, err := f.client.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &arn, Targets: targets})
		return err
	}
	register := func(id string, port int32) error {
		_, err := f.client.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: &f.group, Targets: []types.TargetDescription{{Id: &id, Port: &port}}})
		return err
	}
	attribute := func(key, value string) error {
		_, err := f.client.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: &f.group, Attributes: []types.TargetGroupAttribute{{Key: &key, Value: &value}}})
		return err
	}
	for _, c := range []struct {
		err        error
		code, text string
	}{
		{balancer("under_score", subnets, ""), "ValidationError", "alphanumeric"},
		{balancer("-dash", subnets, ""), "ValidationError", "begin or end"},
		{balancer("internal-x", subnets, ""), "ValidationError", "internal-"},
		{balancer(strings.Repeat("x", 33), subnets, ""), "ValidationError", "'32'"},
		{balancer("one", subnets[:1], ""), "ValidationError", "At least two subnets"},
		{balancer("none", nil, ""), "ValidationError", "At least one subnet"},
		{balancer("odd", []string{"subnet-1", "net-2"}, ""), "SubnetNotFound", "net-2"},
		{balancer("twice", []string{"subnet-1", "subnet-1"}, ""), "InvalidConfigurationRequest", "same subnet twice"},
		{balancer("nlb", subnets, types.LoadBalancerTypeEnumNetwork), "ValidationError", "awssim does not implement"},
		{balancer("what", subnets, "classic"), "ValidationError", "[application, network, gateway]"},
		{group(func(in *elb.CreateTargetGroupInput) { in.Port = nil }), "ValidationError", "port must be specified"},
		{group(func(in *elb.CreateTargetGroupInput) { in.VpcId = nil }), "ValidationError", "VPC ID must be specified"},
		{group(func(in *elb.CreateTargetGroupInput) { in.HealthCheckIntervalSeconds = aws.Int32(4) }), "ValidationError", "interval '4'"},
		{group(func(in *elb.CreateTargetGroupInput) {
			in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(5), aws.Int32(5)
		}), "ValidationError", "greater than the timeout"},
		{group(func(in *elb.CreateTargetGroupInput) { in.HealthCheckPath = aws.String("healthz") }), "ValidationError", "begin with a '/'"},
		{group(func(in *elb.CreateTargetGroupInput) { in.Matcher = &types.Matcher{HttpCode: aws.String("ok")} }), "ValidationError", "matcher 'ok'"},
		{group(func(in *elb.CreateTargetGroupInput) { in.HealthCheckPort = aws.String("99999") }), "ValidationError", "99999"},
		{group(func(in *elb.CreateTargetGroupInput) { in.Protocol = types.ProtocolEnumTcp }), "ValidationError", "awssim does not implement"},
		{group(func(in *elb.CreateTargetGroupInput) { in.TargetType = types.TargetTypeEnumLambda }), "ValidationError", "awssim does not implement"},
		{group(func(in *elb.CreateTargetGroupInput) {
			in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("")}, {Key: aws.String("a"), Value: aws.String("")}}
		}), "ValidationError", "unique"},
		{listener(elb.CreateListenerInput{Port: aws.Int32(81)}), "ValidationError", "port and protocol"},
		{listener(elb.CreateListenerInput{Port: aws.Int32(81), Protocol: types.ProtocolEnumTcp}), "UnsupportedProtocol", "TCP"},
		{listener(elb.CreateListenerInput{Port: aws.Int32(443), Protocol: types.ProtocolEnumHttps}), "ValidationError", "certificate must be specified"},
		{listener(elb.CreateListenerInput{Port: aws.Int32(443), Protocol: types.ProtocolEnumHttps, Certificates: []types.Certificate{{CertificateArn: aws.String("mine")}}}), "CertificateNotFound", "mine"},
		{listener(elb.CreateListenerInput{Port: aws.Int32(81), Protocol: types.ProtocolEnumHttp, DefaultActions: forwardTo(absentGroup)}), "TargetGroupNotFound", "not found"},
		{listener(elb.CreateListenerInput{Port: aws.Int32(81), Protocol: types.ProtocolEnumHttp, DefaultActions: []types.Action{{Type: types.ActionTypeEnumAuthenticateOidc}}}), "ValidationError", "awssim does not implement"},
		{rule(paths, forwardByWeight(f.group, 1000)), "ValidationError", "between '0' and '999'"},
		{rule(paths, forwardByWeight(f.group, 1, f.group, 2)), "ValidationError", "unique"},
		{rule(paths, types.Action{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: aws.String("302")}}), "ValidationError", "2XX, 4XX or 5XX"},
		{rule(paths, types.Action{Type: types.ActionTypeEnumRedirect, RedirectConfig: &types.RedirectActionConfig{StatusCode: types.RedirectActionStatusCodeEnumHttp301}}), "InvalidLoadBalancerAction", "loop"},
		{rule([]types.RuleCondition{{Field: aws.String("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{Values: []string{"10.0.0.0/8"}}}}, forwardTo(f.group)[0]), "ValidationError", "awssim does not implement"},
		{rule([]types.RuleCondition{{Field: aws.String("colour"), Values: []string{"red"}}}, forwardTo(f.group)[0]), "ValidationError", "'colour' must be one of"},
		{rule(append(paths, paths...), forwardTo(f.group)[0]), "ValidationError", "only have one 'path-pattern'"},
		{health("nonsense"), "ValidationError", "'nonsense' is not a valid target group ARN"},
		{health(absentGroup), "TargetGroupNotFound", "not found"},
		{health(f.group, types.TargetDescription{Id: aws.String("i-1")}), "InvalidTarget", "i-1"},
		{register("i-0abc", 80), "ValidationError", "'ip'"},
		{register("10.0.0.1", 70000), "ValidationError", "70000"},
		{attribute("deregistration_delay.timeout_seconds", "3601"), "ValidationError", "3601"},
		{attribute("deregistration_delay.seconds", "1"), "ValidationError", "not recognized"},
	} {
		wantCode(t, c.err, c.code, c.text)
	}
	left := must(f.client.DescribeTargetGroups(ctx, nil))(t).TargetGroups
	if len(left) != 1 {
		t.Errorf("a refused creation left %d target groups", len(left))
	}
}

package awssim

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

// elbFixture is a load balancer with one listener on port 80 that forwards to one target
// group of IP addresses.
type elbFixture struct {
	client                              *elb.Client
	balancer, group, listener, fallback string
	dnsName                             string
}

func newELBFixture(t *testing.T, s *Simulator) *elbFixture {
	t.Helper()
	f := &elbFixture{client: elb.NewFromConfig(rootConfig(t, s))}
	created := must(f.client.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
		Name: aws.String("web"), Subnets: []string{"subnet-1", "subnet-2"}, SecurityGroups: []string{"sg-1"},
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("core")}},
	}))(t).LoadBalancers[0]
	f.balancer, f.dnsName = *created.LoadBalancerArn, *created.DNSName
	f.group = f.createGroup(t, "web")
	listener := must(f.client.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: &f.balancer, Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp, DefaultActions: forwardTo(f.group),
	}))(t).Listeners[0]
	f.listener = *listener.ListenerArn
	rules := must(f.client.DescribeRules(t.Context(), &elb.DescribeRulesInput{ListenerArn: &f.listener}))(t).Rules
	f.fallback = *rules[0].RuleArn
	return f
}

func (f *elbFixture) createGroup(t *testing.T, name string, change ...func(*elb.CreateTargetGroupInput)) (arn string) {
	t.Helper()
	in := &elb.CreateTargetGroupInput{
		Name: &name, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: aws.String("vpc-1"), TargetType: types.TargetTypeEnumIp,
		HealthCheckPath: aws.String("/healthz"), HealthCheckIntervalSeconds: aws.Int32(10),
	}
	for _, c := range change {
		c(in)
	}
	return *must(f.client.CreateTargetGroup(t.Context(), in))(t).TargetGroups[0].TargetGroupArn
}

func (f *elbFixture) register(t *testing.T, group string, ids ...string) {
	t.Helper()
	in := &elb.RegisterTargetsInput{TargetGroupArn: &group}
	for _, id := range ids {
		in.Targets = append(in.Targets, types.TargetDescription{Id: &id})
	}
	must(f.client.RegisterTargets(t.Context(), in))(t)
}

// createRule makes a rule on host names or paths.
func (f *elbFixture) createRule(t *testing.T, priority int32, field, value string, action types.Action) (arn string) {
	t.Helper()
	return *must(f.client.CreateRule(t.Context(), &elb.CreateRuleInput{
		ListenerArn: &f.listener, Priority: &priority, Actions: []types.Action{action},
		Conditions: []types.RuleCondition{{Field: &field, Values: []string{value}}},
	}))(t).Rules[0].RuleArn
}

func forwardTo(group string) []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &group}}
}

// forwardByWeight alternates groups and weights.
func forwardByWeight(groupsAndWeights ...any) types.Action {
	config := &types.ForwardActionConfig{}
	for i := 0; i < len(groupsAndWeights); i += 2 {
		config.TargetGroups = append(config.TargetGroups, types.TargetGroupTuple{
			TargetGroupArn: aws.String(groupsAndWeights[i].(string)), Weight: aws.Int32(int32(groupsAndWeights[i+1].(int))),
		})
	}
	return types.Action{Type: types.ActionTypeEnumForward, ForwardConfig: config}
}

func TestALoadBalancerIsSpelledAsAWSDoes(t *testing.T) {
	s := New(Options{})
	f := newELBFixture(t, s)
	listenerARN := regexp.MustCompile(`^arn:aws:elasticloadbalancing:ap-south-1:111122223333:listener/app/web/[0-9a-f]{16}/[0-9a-f]{16}$`)
	for arn, pattern := range map[string]*regexp.Regexp{
		f.balancer: regexp.MustCompile(`^arn:aws:elasticloadbalancing:ap-south-1:111122223333:loadbalancer/app/web/[0-9a-f]{16}$`),
		f.group:    regexp.MustCompile(`^arn:aws:elasticloadbalancing:ap-south-1:111122223333:targetgroup/web/[0-9a-f]{16}$`),
		f.listener: listenerARN,
		f.fallback: regexp.MustCompile(`^` + strings.Replace(f.listener, ":listener/", ":listener-rule/", 1) + `/[0-9a-f]{16}$`),
		f.dnsName:  regexp.MustCompile(`^web-\d{9}\.ap-south-1\.elb\.amazonaws\.com$`),
	} {
		if !pattern.MatchString(arn) {
			t.Errorf("%s does not match %s", arn, pattern)
		}
	}
	got := must(f.client.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{Names: []string{"web"}}))(t).LoadBalancers[0]
	if got.State.Code != types.LoadBalancerStateEnumProvisioning || got.Scheme != "internet-facing" || len(got.AvailabilityZones) != 2 || got.CreatedTime == nil {
		t.Errorf("%+v", got)
	}
	rules := must(f.client.DescribeRules(t.Context(), &elb.DescribeRulesInput{RuleArns: []string{f.fallback}}))(t).Rules
	want := types.Action{
		Type: types.ActionTypeEnumForward, TargetGroupArn: &f.group,
		ForwardConfig: &types.ForwardActionConfig{
			TargetGroups:                []types.TargetGroupTuple{{TargetGroupArn: &f.group, Weight: aws.Int32(1)}},
			TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: aws.Bool(false)},
		},
	}
	if len(rules) != 1 || *rules[0].Priority != "default" || !*rules[0].IsDefault || !cmp.Equal(rules[0].Actions[0].ForwardConfig.TargetGroups[0].TargetGroupArn, want.TargetGroupArn) ||
		*rules[0].Actions[0].TargetGroupArn != f.group || *rules[0].Actions[0].ForwardConfig.TargetGroupStickinessConfig.Enabled {
		t.Errorf("%+v", rules)
	}
	tags := must(f.client.DescribeTags(t.Context(), &elb.DescribeTagsInput{ResourceArns: []string{f.balancer, f.group}}))(t).TagDescriptions
	if len(tags) != 2 || len(tags[0].Tags) != 1 || *tags[0].Tags[0].Value != "core" || len(tags[1].Tags) != 0 {
		t.Errorf("tags %+v", tags)
	}
}

func TestCreatingTheSameTwiceIsCreatingItOnce(t *testing.T) {
	s := New(Options{})
	f := newELBFixture(t, s)
	if again := newELBFixture(t, s); again.balancer != f.balancer || again.group != f.group || again.listener != f.listener {
		t.Errorf("%+v is not %+v", again, f)
	}
	_, err := f.client.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: aws.String("web"), Subnets: []string{"subnet-1", "subnet-3"}})
	wantCode(t, err, "DuplicateLoadBalancerName", "'web' exists")
	_, err = f.client.CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(9090), VpcId: aws.String("vpc-1"),
	})
	wantCode(t, err, "DuplicateTargetGroupName", "'web' exists")
	_, err = f.client.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: &f.balancer, Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp, DefaultActions: forwardTo(f.createGroup(t, "other")),
	})
	wantCode(t, err, "DuplicateListener", "already exists on this port")
}

func TestRulesAndListenersAreChangedAndDeleted(t *testing.T) {
	s := New(Options{})
	f := newELBFixture(t, s)
	ctx := t.Context()
	green := f.createGroup(t, "green")
	rule := f.createRule(t, 10, "path-pattern", "/api/*", forwardByWeight(f.group, 100, green, 0))
	_, err := f.client.CreateRule(ctx, &elb.CreateRuleInput{
		ListenerArn: &f.listener, Priority: aws.Int32(10), Actions: forwardTo(green),
		Conditions: []types.RuleCondition{{Field: aws.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{"*.example.com"}}}},
	})
	wantCode(t, err, "PriorityInUse", "Priority '10' is currently in use")
	modified := must(f.client.ModifyRule(ctx, &elb.ModifyRuleInput{RuleArn: &rule, Actions: []types.Action{forwardByWeight(f.group, 0, green, 100)}}))(t).Rules[0]
	if *modified.Priority != "10" || modified.Conditions[0].PathPatternConfig.Values[0] != "/api/*" || *modified.Actions[0].ForwardConfig.TargetGroups[0].Weight+*modified.Actions[0].ForwardConfig.TargetGroups[1].Weight != 100 {
		t.Errorf("%+v", modified)
	}
	_, err = f.client.ModifyRule(ctx, &elb.ModifyRuleInput{RuleArn: &f.fallback, Actions: forwardTo(green)})
	wantCode(t, err, "OperationNotPermitted", "Default rule")
	_, err = f.client.DeleteRule(ctx, &elb.DeleteRuleInput{RuleArn: &f.fallback})
	wantCode(t, err, "OperationNotPermitted", "Default rule")
	_, err = f.client.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &green})
	wantCode(t, err, "ResourceInUse", "currently in use by a listener or a rule")

	changed := must(f.client.ModifyListener(ctx, &elb.ModifyListenerInput{
		ListenerArn: &f.listener, Port: aws.Int32(443), Protocol: types.ProtocolEnumHttps,
		Certificates: []types.Certificate{{CertificateArn: issuedCertificate(t, s, "*.example.com")}},
	}))(t).Listeners[0]
	if *changed.Port != 443 || *changed.SslPolicy == "" || *changed.DefaultActions[0].TargetGroupArn != f.group {
		t.Errorf("%+v", changed)
	}
	inUse := must(f.client.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{LoadBalancerArn: &f.balancer}))(t).TargetGroups
	if len(inUse) != 2 || inUse[0].LoadBalancerArns[0] != f.balancer {
		t.Errorf("%+v", inUse)
	}
	must(f.client.DeleteRule(ctx, &elb.DeleteRuleInput{RuleArn: &rule}))(t)
	must(f.client.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &green}))(t)
	must(f.client.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &green}))(t)
	must(f.client.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: &f.listener}))(t)
	_, err = f.client.DescribeRules(ctx, &elb.DescribeRulesInput{RuleArns: []string{f.fallback}})
	wantCode(t, err, "RuleNotFound", "not found")
	must(f.client.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &f.balancer}))(t)
	must(f.client.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &f.balancer}))(t)
	_, err = f.client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{f.balancer}})
	wantCode(t, err, "LoadBalancerNotFound", f.balancer)
	_, err = f.client.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: &f.balancer})
	wantCode(t, err, "LoadBalancerNotFound", "not found")
}

func TestTheHealthCheckOfATargetGroupIsChanged(t *testing.T) {
	s := New(Options{})
	f := newELBFixture(t, s)
	got := must(f.client.ModifyTargetGroup(t.Context(), &elb.ModifyTargetGroupInput{
		TargetGroupArn: &f.group, HealthCheckIntervalSeconds: aws.Int32(15), HealthyThresholdCount: aws.Int32(2), Matcher: &types.Matcher{HttpCode: aws.String("200-299")},
	}))(t).TargetGroups[0]
	if *got.HealthCheckIntervalSeconds != 15 || *got.HealthCheckTimeoutSeconds != 5 || *got.HealthyThresholdCount != 2 || *got.UnhealthyThresholdCount != 2 ||
		*got.Matcher.HttpCode != "200-299" || *got.HealthCheckPath != "/healthz" {
		t.Errorf("%+v", got)
	}
	attributes := must(f.client.ModifyTargetGroupAttributes(t.Context(), &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &f.group, Attributes: []types.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("30")}},
	}))(t).Attributes
	described := must(f.client.DescribeTargetGroupAttributes(t.Context(), &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: &f.group}))(t).Attributes
	is30 := func(a types.TargetGroupAttribute) bool {
		return *a.Key == "deregistration_delay.timeout_seconds" && *a.Value == "30"
	}
	if !slices.ContainsFunc(attributes, is30) || !slices.ContainsFunc(described, is30) {
		t.Errorf("%+v, %+v", attributes, described)
	}
}

func TestListingsComeInPages(t *testing.T) {
	s := New(Options{})
	f := newELBFixture(t, s)
	for i := range 5 {
		f.createGroup(t, fmt.Sprintf("page-%d", i))
		f.createRule(t, int32(5-i), "path-pattern", fmt.Sprintf("/%d", i), forwardTo(f.group)[0])
	}
	var names, priorities []string
	groups := elb.NewDescribeTargetGroupsPaginator(f.client, &elb.DescribeTargetGroupsInput{PageSize: aws.Int32(2)})
	for groups.HasMorePages() {
		for _, g := range must(groups.NextPage(t.Context()))(t).TargetGroups {
			names = append(names, *g.TargetGroupName)
		}
	}
	rules := elb.NewDescribeRulesPaginator(f.client, &elb.DescribeRulesInput{ListenerArn: &f.listener, PageSize: aws.Int32(4)})
	for rules.HasMorePages() {
		for _, r := range must(rules.NextPage(t.Context()))(t).Rules {
			priorities = append(priorities, *r.Priority)
		}
	}
	must(f.client.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: &f.balancer, Port: aws.Int32(8080), Protocol: types.ProtocolEnumHttp, DefaultActions: forwardTo(f.group),
	}))(t)
	var ports []int32
	listeners := elb.NewDescribeListenersPaginator(f.client, &elb.DescribeListenersInput{LoadBalancerArn: &f.balancer, PageSize: aws.Int32(1)})
	for listeners.HasMorePages() {
		for _, l := range must(listeners.NextPage(t.Context()))(t).Listeners {
			ports = append(ports, *l.Port)
		}
	}
	if diff := cmp.Diff([]int32{80, 8080}, ports); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"page-0", "page-1", "page-2", "page-3", "page-4", "web"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1", "2", "3", "4", "5", "default"}, priorities); diff != "" {
		t.Error(diff)
	}
	_, err := f.client.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{Marker: aws.String("nonsense")})
	wantCode(t, err, "ValidationError", "Invalid marker")
	_, err = f.client.DescribeListeners(t.Context(), &elb.DescribeListenersInput{LoadBalancerArn: &f.balancer, PageSize: aws.Int32(401)})
	wantCode(t, err, "ValidationError", "pageSize")
}

func TestAGroupBelongsToOneLoadBalancer(t *testing.T) {
	s := New(Options{})
	f := newELBFixture(t, s)
	other := must(f.client.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: aws.String("other"), Subnets: []string{"subnet-1", "subnet-2"}, Scheme: types.LoadBalancerSchemeEnumInternal}))(t).LoadBalancers[0]
	if !strings.HasPrefix(*other.DNSName, "internal-other-") {
		t.Errorf("an internal load balancer is called %s", *other.DNSName)
	}
	_, err := f.client.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: other.LoadBalancerArn, Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp, DefaultActions: forwardTo(f.group),
	})
	wantCode(t, err, "TargetGroupAssociationLimit", f.group)
}

func TestIAMDecidesAboutLoadBalancers(t *testing.T) {
	s := New(Options{})
	f := newELBFixture(t, s)
	reader := elb.NewFromConfig(userConfig(t, s, User{Account: ownAccount, Name: "reader", Policies: []json.RawMessage{
		json.RawMessage(`{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":"elasticloadbalancing:Describe*","Resource":"*"},
			{"Effect":"Allow","Action":"elasticloadbalancing:ModifyListener","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"core"}}},
			{"Effect":"Allow","Action":"elasticloadbalancing:RegisterTargets","Resource":"arn:aws:elasticloadbalancing:*:*:targetgroup/web/*"}]}`),
	}}))
	ctx := t.Context()
	must(reader.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &f.group}))(t)
	must(reader.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: &f.group, Targets: []types.TargetDescription{{Id: aws.String("10.0.0.1")}}}))(t)
	_, err := reader.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: &f.group, Targets: []types.TargetDescription{{Id: aws.String("10.0.0.1")}}})
	wantCode(t, err, "AccessDenied", "user/reader is not authorized to perform: elasticloadbalancing:DeregisterTargets on resource: "+f.group)
	_, err = reader.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: &f.listener, Port: aws.Int32(81)})
	wantCode(t, err, "AccessDenied", "elasticloadbalancing:ModifyListener on resource: "+f.listener)
	_, err = reader.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{Name: aws.String("new"), Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp, VpcId: aws.String("vpc-1")})
	wantCode(t, err, "AccessDenied", "on resource: arn:aws:elasticloadbalancing:ap-south-1:111122223333:targetgroup/new/*")

	entries := s.Journal(JournalFilter{Service: "elasticloadbalancing", Operation: "DeregisterTargets"})
	want := []AuthorizedAction{{Action: "elasticloadbalancing:DeregisterTargets", Resource: f.group}}
	if len(entries) != 1 || entries[0].Status != 403 || entries[0].Code != "AccessDenied" || !cmp.Equal(entries[0].Actions, want) ||
		string(entries[0].Request) != `{"TargetGroupArn":"`+f.group+`","Targets":[{"Id":"10.0.0.1"}]}` {
		t.Errorf("the journal has %+v", entries)
	}
}

package awssim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

type groupsOutput struct {
	TargetGroups []groupView
	NextMarker   string `json:",omitempty"`
}

type groupView struct {
	TargetGroupArn             string
	TargetGroupName            string
	Protocol                   string
	Port                       int
	VpcID                      string `json:"VpcId"`
	HealthCheckProtocol        string
	HealthCheckPort            string
	HealthCheckEnabled         bool
	HealthCheckIntervalSeconds int
	HealthCheckTimeoutSeconds  int
	HealthyThresholdCount      int
	UnhealthyThresholdCount    int
	HealthCheckPath            string        `json:",omitempty"`
	Matcher                    *groupMatcher `json:",omitempty"`
	LoadBalancerArns           []string
	TargetType                 string
	ProtocolVersion            string `json:",omitempty"`
	IPAddressType              string `json:"IpAddressType"`
}

type groupMatcher struct {
	HTTPCode string `json:"HttpCode,omitempty"`
	GrpcCode string `json:",omitempty"`
}

func (g *targetGroup) view() groupView {
	v := groupView{
		TargetGroupArn: g.arn, TargetGroupName: g.name, Protocol: g.protocol, Port: g.port, VpcID: g.vpc,
		HealthCheckProtocol: g.check.protocol, HealthCheckPort: g.check.port, HealthCheckEnabled: true,
		HealthCheckIntervalSeconds: int(g.check.interval.Seconds()), HealthCheckTimeoutSeconds: int(g.check.timeout.Seconds()),
		HealthyThresholdCount: g.check.healthy, UnhealthyThresholdCount: g.check.unhealthy, HealthCheckPath: g.check.path,
		LoadBalancerArns: g.balancers, TargetType: g.targetType, ProtocolVersion: g.version, IPAddressType: g.ipType,
	}
	if g.check.matcher != "" {
		v.Matcher = &groupMatcher{HTTPCode: g.check.matcher}
		if g.version == "GRPC" {
			v.Matcher = &groupMatcher{GrpcCode: g.check.matcher}
		}
	}
	return v
}

// createTargetGroup creates a target group, or returns the one of that name if it is the
// same, as AWS does.
func createTargetGroup(c *call, in *createTargetGroupInput) (any, error) {
	tags, err := c.readTags(in.Tags)
	if err == nil {
		err = c.authorizeCreation(c.arn("elasticloadbalancing", groupKind.path+in.Name+"/*"), tags)
	}
	if err == nil {
		err = checkELBName("Target group", in.Name)
	}
	if err != nil {
		return nil, err
	}
	g, err := in.group(c.sim.world)
	if err != nil {
		return nil, err
	}
	g.tags = tags
	st := c.region.elb
	for _, other := range st.groups {
		if other.name != g.name {
			continue
		}
		if other.protocol != g.protocol || other.port != g.port || other.check != g.check || other.targetType != g.targetType || other.vpc != g.vpc {
			return nil, newError(http.StatusBadRequest, "DuplicateTargetGroupName",
				"A target group with the same name '%s' exists, but with different settings", in.Name)
		}
		return groupsOutput{TargetGroups: []groupView{other.view()}}, nil
	}
	g.arn = c.arn("elasticloadbalancing", groupKind.path+in.Name+"/"+c.elbID())
	st.groups[g.arn] = g
	return groupsOutput{TargetGroups: []groupView{g.view()}}, nil
}

type describeTargetGroupsInput struct {
	elbPage
	LoadBalancerArn string
	TargetGroupArns []string
	Names           []string
}

func describeTargetGroups(c *call, in *describeTargetGroupsInput) (any, error) {
	if err := c.authorizeELB(); err != nil {
		return nil, err
	}
	ways := 0
	for _, given := range []bool{in.LoadBalancerArn != "", len(in.TargetGroupArns) > 0, len(in.Names) > 0} {
		if given {
			ways++
		}
	}
	if ways > 1 {
		return nil, elbValidationError("Only one of load balancer ARN, target group ARNs and target group names can be specified")
	}
	for _, arn := range in.TargetGroupArns {
		if err := c.checkELBARN(groupKind, arn); err != nil {
			return nil, err
		}
	}
	st := c.region.elb
	all := slices.SortedFunc(maps.Values(st.groups), func(a, b *targetGroup) int { return strings.Compare(a.name, b.name) })
	if in.LoadBalancerArn != "" {
		if err := c.checkELBARN(balancerKind, in.LoadBalancerArn); err != nil {
			return nil, err
		}
		if st.balancers[in.LoadBalancerArn] == nil {
			return nil, balancerKind.missing(in.LoadBalancerArn)
		}
		all = slices.DeleteFunc(all, func(g *targetGroup) bool { return !slices.Contains(g.balancers, in.LoadBalancerArn) })
	}
	chosen, err := choose(all, in.TargetGroupArns, in.Names, groupKind,
		func(g *targetGroup) string { return g.arn }, func(g *targetGroup) string { return g.name })
	if isCode(err, groupKind.code) {
		err = newError(http.StatusBadRequest, groupKind.code, "One or more target groups not found")
	}
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(in.elbPage, chosen, func(g *targetGroup) string { return g.arn })
	if err != nil {
		return nil, err
	}
	out := groupsOutput{NextMarker: next}
	for _, g := range page {
		out.TargetGroups = append(out.TargetGroups, g.view())
	}
	return out, nil
}

type targetGroupInput struct{ TargetGroupArn string }

func (c *call) targetGroup(arn string) (*targetGroup, error) {
	g, err := lookUp(c, groupKind, c.region.elb.groups, arn, func(g *targetGroup) elbTags { return g.tags })
	if isCode(err, groupKind.code) {
		return nil, targetGroupNotFound(arn)
	}
	return g, err
}

type modifyTargetGroupInput struct {
	targetGroupInput
	healthCheckInput
}

func modifyTargetGroup(c *call, in *modifyTargetGroupInput) (any, error) {
	g, err := c.targetGroup(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	check, err := in.apply(g.check, g.version)
	if err != nil {
		return nil, err
	}
	g.check = check
	return groupsOutput{TargetGroups: []groupView{g.view()}}, nil
}

// deleteTargetGroup deletes a group that nothing forwards to. One that is not there is
// deleted already.
func deleteTargetGroup(c *call, in *targetGroupInput) (any, error) {
	g, err := c.targetGroup(in.TargetGroupArn)
	switch {
	case isCode(err, groupKind.code):
		return struct{}{}, nil
	case err != nil:
		return nil, err
	case len(g.balancers) > 0:
		return nil, resourceInUse("Target group '%s' is currently in use by a listener or a rule", g.arn)
	}
	for _, m := range g.members {
		m.epoch++
	}
	delete(c.region.elb.groups, g.arn)
	return struct{}{}, nil
}

type groupAttribute struct{ Key, Value string }

type attributesOutput struct{ Attributes []groupAttribute }

func (g *targetGroup) viewAttributes() attributesOutput {
	out := attributesOutput{}
	for _, key := range slices.Sorted(maps.Keys(g.attributes)) {
		out.Attributes = append(out.Attributes, groupAttribute{key, g.attributes[key]})
	}
	return out
}

func describeTargetGroupAttributes(c *call, in *targetGroupInput) (any, error) {
	if err := firstError(c.authorizeELB(), c.checkELBARN(groupKind, in.TargetGroupArn)); err != nil {
		return nil, err
	}
	g := c.region.elb.groups[in.TargetGroupArn]
	if g == nil {
		return nil, targetGroupNotFound(in.TargetGroupArn)
	}
	return g.viewAttributes(), nil
}

type modifyTargetGroupAttributesInput struct {
	targetGroupInput
	Attributes []groupAttribute
}

func modifyTargetGroupAttributes(c *call, in *modifyTargetGroupAttributesInput) (any, error) {
	g, err := c.targetGroup(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	if len(in.Attributes) == 0 {
		return nil, elbValidationError("At least one attribute must be specified")
	}
	changed := maps.Clone(g.attributes)
	for _, a := range in.Attributes {
		if _, known := changed[a.Key]; !known {
			return nil, elbValidationError("Target group attribute key '%s' is not recognized", a.Key)
		}
		if err := checkGroupAttribute(a); err != nil {
			return nil, err
		}
		changed[a.Key] = a.Value
	}
	g.attributes = changed
	return g.viewAttributes(), nil
}

func checkGroupAttribute(a groupAttribute) error {
	bad := elbValidationError("Target group attribute '%s' does not accept the value '%s'", a.Key, a.Value)
	inRange := func(least, most int) error {
		if n, err := strconv.Atoi(a.Value); err != nil || n < least || n > most {
			return bad
		}
		return nil
	}
	switch a.Key {
	case "deregistration_delay.timeout_seconds":
		return inRange(0, 3600)
	case "slow_start.duration_seconds":
		if a.Value == "0" {
			return nil
		}
		return inRange(30, 900)
	}
	if a.Value == defaultGroupAttributes[a.Key] {
		return nil
	}
	return unimplemented("another value of the attribute '" + a.Key + "' than '" + defaultGroupAttributes[a.Key] + "'")
}

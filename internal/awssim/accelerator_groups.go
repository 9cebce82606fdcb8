package awssim

import (
	"cmp"
	"regexp"
	"slices"
)

// endpointCheck is how a group would check endpoints that are no load balancers: those tell
// their health themselves.
type endpointCheck struct {
	HealthCheckPort            *int   `json:",omitempty"`
	HealthCheckProtocol        string `json:",omitempty"`
	HealthCheckPath            string `json:",omitempty"`
	HealthCheckIntervalSeconds *int   `json:",omitempty"`
	ThresholdCount             *int   `json:",omitempty"`
}

type portOverride struct{ ListenerPort, EndpointPort *int }

type endpointGroupView struct {
	EndpointGroupArn      string
	EndpointGroupRegion   string
	EndpointDescriptions  []endpointDescription
	TrafficDialPercentage float64
	endpointCheck
	PortOverrides []portOverride
}

type endpointGroupOutput struct{ EndpointGroup endpointGroupView }

func (g *endpointGroup) view(c *call) endpointGroupView {
	return endpointGroupView{
		EndpointGroupArn: g.arn, EndpointGroupRegion: g.region, EndpointDescriptions: g.describe(c.account, c.sim.world, g.endpoints),
		TrafficDialPercentage: g.dial, endpointCheck: g.check, PortOverrides: append([]portOverride{}, g.overrides...),
	}
}

type endpointGroupSettings struct {
	EndpointConfigurations []endpointConfiguration
	TrafficDialPercentage  *float64
	endpointCheck
	PortOverrides []portOverride
}

var healthCheckPath = regexp.MustCompile(`^/[-a-zA-Z0-9@:%_\\+.~#?&/=]*$`)

// apply changes what the parameters say of the group, all of it or nothing.
func (in *endpointGroupSettings) apply(c *call, g *endpointGroup) error {
	if err := in.check(); err != nil {
		return err
	}
	endpoints := g.endpoints
	if in.EndpointConfigurations != nil {
		var err error
		if endpoints, err = c.readEndpoints(g, in.EndpointConfigurations); err != nil {
			return err
		}
	}
	if in.PortOverrides != nil {
		if err := g.checkOverrides(in.PortOverrides); err != nil {
			return err
		}
		g.overrides = in.PortOverrides
	}
	g.endpoints = endpoints
	if in.TrafficDialPercentage != nil {
		g.dial = *in.TrafficDialPercentage
	}
	g.check = endpointCheck{
		HealthCheckPort:            cmp.Or(in.HealthCheckPort, g.check.HealthCheckPort),
		HealthCheckProtocol:        cmp.Or(in.HealthCheckProtocol, g.check.HealthCheckProtocol),
		HealthCheckPath:            cmp.Or(in.HealthCheckPath, g.check.HealthCheckPath),
		HealthCheckIntervalSeconds: cmp.Or(in.HealthCheckIntervalSeconds, g.check.HealthCheckIntervalSeconds),
		ThresholdCount:             cmp.Or(in.ThresholdCount, g.check.ThresholdCount),
	}
	if g.check.HealthCheckProtocol != "TCP" {
		g.check.HealthCheckPath = cmp.Or(g.check.HealthCheckPath, "/")
	}
	return nil
}

func (in *endpointGroupSettings) check() error {
	if in.HealthCheckPath != "" && (len(in.HealthCheckPath) > 255 || !healthCheckPath.MatchString(in.HealthCheckPath)) {
		return acceleratorInvalid("1 validation error detected: Value '%s' at 'healthCheckPath' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", in.HealthCheckPath, healthCheckPath)
	}
	if seconds := in.HealthCheckIntervalSeconds; seconds != nil && *seconds != 10 && *seconds != 30 {
		return acceleratorInvalid("The health check interval must be 10 or 30 seconds.")
	}
	return firstError(
		acceleratorWithin("trafficDialPercentage", in.TrafficDialPercentage, 0, 100),
		acceleratorWithin("healthCheckPort", in.HealthCheckPort, 1, 65535),
		acceleratorWithin("thresholdCount", in.ThresholdCount, 1, 10),
		acceleratorAmong("healthCheckProtocol", in.HealthCheckProtocol, "TCP", "HTTP", "HTTPS"))
}

// checkOverrides refuses ports that the listener does not have, or has twice.
func (g *endpointGroup) checkOverrides(overrides []portOverride) error {
	for i, o := range overrides {
		if o.ListenerPort == nil || o.EndpointPort == nil {
			return acceleratorInvalid("A port override must have a ListenerPort and an EndpointPort.")
		}
		if !slices.ContainsFunc(g.listener.ranges, func(p portRange) bool { return p.has(*o.ListenerPort) }) {
			return acceleratorInvalid("Port %d is not in the port ranges of the listener.", *o.ListenerPort)
		}
		if slices.ContainsFunc(overrides[:i], func(other portOverride) bool { return *other.ListenerPort == *o.ListenerPort }) {
			return acceleratorInvalid("Port %d is overridden twice.", *o.ListenerPort)
		}
		if err := acceleratorWithin("endpointPort", o.EndpointPort, 1, 65535); err != nil {
			return err
		}
	}
	return nil
}

type createEndpointGroupInput struct {
	acceleratorListenerInput
	endpointGroupSettings
	EndpointGroupRegion *string
	IdempotencyToken    *string
}

func createEndpointGroup(c *call, in *createEndpointGroupInput) (any, error) {
	l, err := c.acceleratorListener(in.ListenerArn)
	switch {
	case err != nil:
		return nil, err
	case in.EndpointGroupRegion == nil:
		return nil, acceleratorInvalid("1 validation error detected: Value null at 'endpointGroupRegion' failed to satisfy constraint: Member must not be null")
	case !regionName.MatchString(*in.EndpointGroupRegion):
		return nil, acceleratorInvalid("'%s' is not a Region that endpoint groups can be in.", *in.EndpointGroupRegion)
	}
	return c.once(in.IdempotencyToken, func() (any, error) {
		if slices.ContainsFunc(l.groups, func(g *endpointGroup) bool { return g.region == *in.EndpointGroupRegion }) {
			return nil, acceleratorError("EndpointGroupAlreadyExistsException", "The listener has an endpoint group in %s already.", *in.EndpointGroupRegion)
		}
		seconds, threshold := 30, 3
		g := &endpointGroup{
			arn: l.arn + "/endpoint-group/" + c.sim.randomText(hexDigits, 12), listener: l, region: *in.EndpointGroupRegion, dial: 100,
			check: endpointCheck{HealthCheckPort: l.ranges[0].FromPort, HealthCheckProtocol: "TCP", HealthCheckIntervalSeconds: &seconds, ThresholdCount: &threshold},
		}
		if err := in.apply(c, g); err != nil {
			return nil, err
		}
		l.groups = append(l.groups, g)
		c.region.accelerators.groups[g.arn] = g
		l.accelerator.change(c.sim.world)
		return endpointGroupOutput{g.view(c)}, nil
	})
}

type endpointGroupInput struct{ EndpointGroupArn *string }

func describeEndpointGroup(c *call, in *endpointGroupInput) (any, error) {
	g, err := c.endpointGroup(in.EndpointGroupArn)
	if err != nil {
		return nil, err
	}
	return endpointGroupOutput{g.view(c)}, nil
}

type listEndpointGroupsInput struct {
	acceleratorListenerInput
	acceleratorPaging
}

type listEndpointGroupsOutput struct {
	EndpointGroups []endpointGroupView
	NextToken      string `json:",omitempty"`
}

func listEndpointGroups(c *call, in *listEndpointGroupsInput) (any, error) {
	l, err := c.acceleratorListener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	page, next, err := acceleratorPageOf(in.acceleratorPaging, l.groups, func(g *endpointGroup) string { return g.arn })
	if err != nil {
		return nil, err
	}
	out := listEndpointGroupsOutput{EndpointGroups: []endpointGroupView{}, NextToken: next}
	for _, g := range page {
		out.EndpointGroups = append(out.EndpointGroups, g.view(c))
	}
	return out, nil
}

type updateEndpointGroupInput struct {
	endpointGroupInput
	endpointGroupSettings
}

func updateEndpointGroup(c *call, in *updateEndpointGroupInput) (any, error) {
	g, err := c.endpointGroup(in.EndpointGroupArn)
	if err == nil {
		err = in.apply(c, g)
	}
	if err != nil {
		return nil, err
	}
	g.listener.accelerator.change(c.sim.world)
	return endpointGroupOutput{g.view(c)}, nil
}

func deleteEndpointGroup(c *call, in *endpointGroupInput) (any, error) {
	g, err := c.endpointGroup(in.EndpointGroupArn)
	if err != nil {
		return nil, err
	}
	delete(c.region.accelerators.groups, g.arn)
	g.listener.groups = slices.DeleteFunc(g.listener.groups, func(other *endpointGroup) bool { return other == g })
	g.listener.accelerator.change(c.sim.world)
	return nil, nil
}

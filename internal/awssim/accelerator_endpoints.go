package awssim

import (
	"slices"
	"strings"
)

// groupEndpoints is how many endpoints a group may have.
const groupEndpoints = 10

type endpointConfiguration struct {
	EndpointID                  string `json:"EndpointId"`
	Weight                      *int
	ClientIPPreservationEnabled *bool
	AttachmentArn               string
}

type endpointDescription struct {
	EndpointID                  string `json:"EndpointId"`
	Weight                      int
	HealthState                 string
	HealthReason                string `json:",omitempty"`
	ClientIPPreservationEnabled bool
}

func (g *endpointGroup) describe(a *account, w *world, endpoints []*acceleratorEndpoint) []endpointDescription {
	views := []endpointDescription{}
	for _, e := range endpoints {
		state, reason := g.health(a, w, e)
		views = append(views, endpointDescription{EndpointID: e.id, Weight: e.weight, HealthState: state, HealthReason: reason, ClientIPPreservationEnabled: e.preserved})
	}
	return views
}

// readEndpoints are the endpoints of configurations. Those that the group has already stay
// what they are but for what the configuration says.
func (c *call) readEndpoints(g *endpointGroup, list []endpointConfiguration) ([]*acceleratorEndpoint, error) {
	if len(list) > groupEndpoints {
		return nil, acceleratorError("LimitExceededException", "The number of endpoints of an endpoint group cannot exceed %d.", groupEndpoints)
	}
	var endpoints []*acceleratorEndpoint
	for _, configuration := range list {
		if err := c.checkEndpoint(g, configuration); err != nil {
			return nil, err
		}
		e := &acceleratorEndpoint{id: configuration.EndpointID, weight: 128, preserved: true, added: c.sim.now()}
		if at := g.index(e.id); at >= 0 {
			*e = *g.endpoints[at]
		}
		if slices.ContainsFunc(endpoints, func(other *acceleratorEndpoint) bool { return other.id == e.id }) {
			return nil, acceleratorInvalid("The endpoint %s is specified twice.", e.id)
		}
		if configuration.Weight != nil {
			e.weight = *configuration.Weight
		}
		if configuration.ClientIPPreservationEnabled != nil {
			e.preserved = *configuration.ClientIPPreservationEnabled
		}
		endpoints = append(endpoints, e)
	}
	return endpoints, nil
}

// index is where the group has the endpoint; negative for nowhere.
func (g *endpointGroup) index(id string) int {
	return slices.IndexFunc(g.endpoints, func(e *acceleratorEndpoint) bool { return e.id == id })
}

// checkEndpoint refuses what is no active application load balancer of the account in the
// group's region.
func (c *call) checkEndpoint(g *endpointGroup, in endpointConfiguration) error {
	if err := acceleratorWithin("weight", in.Weight, 0, 255); err != nil {
		return err
	}
	parts := strings.SplitN(in.EndpointID, ":", 6)
	switch {
	case in.AttachmentArn != "":
		return notInAccelerator("cross-account attachments")
	case in.EndpointID == "":
		return acceleratorInvalid("An endpoint ID must be specified.")
	case strings.HasPrefix(in.EndpointID, "eipalloc-") || strings.HasPrefix(in.EndpointID, "i-") || strings.Contains(in.EndpointID, ":loadbalancer/net/"):
		return notInAccelerator("endpoints that are no application load balancers")
	case len(parts) < 6 || parts[2] != "elasticloadbalancing" || parts[3] != g.region || parts[4] != c.account.id || !strings.HasPrefix(parts[5], balancerKind.path):
		return acceleratorInvalid("'%s' is not a valid load balancer ARN", in.EndpointID)
	}
	b := c.account.region(c.sim, g.region).elb.balancers[in.EndpointID]
	switch {
	case b == nil:
		return acceleratorInvalid("Load balancers '[%s]' not found", in.EndpointID)
	case c.sim.now().Before(b.active):
		return acceleratorInvalid("The load balancer %s is not active.", in.EndpointID)
	case g.listener.accelerator.dualStack && b.addressType == "ipv4":
		return acceleratorInvalid("The load balancer %s is not dual-stack, as the accelerator is.", in.EndpointID)
	default:
		return nil
	}
}

type addEndpointsInput struct {
	endpointGroupInput
	EndpointConfigurations []endpointConfiguration
}

type addEndpointsOutput struct {
	EndpointDescriptions []endpointDescription
	EndpointGroupArn     string
}

// addEndpoints leaves the group's other endpoints alone.
func addEndpoints(c *call, in *addEndpointsInput) (any, error) {
	g, err := c.endpointGroup(in.EndpointGroupArn)
	if err != nil {
		return nil, err
	}
	if in.EndpointConfigurations == nil {
		return nil, acceleratorInvalid("1 validation error detected: Value null at 'endpointConfigurations' failed to satisfy constraint: Member must not be null")
	}
	added, err := c.readEndpoints(g, in.EndpointConfigurations)
	if err != nil {
		return nil, err
	}
	endpoints := slices.Clone(g.endpoints)
	for _, e := range added {
		if at := g.index(e.id); at >= 0 {
			endpoints[at] = e
		} else {
			endpoints = append(endpoints, e)
		}
	}
	if len(endpoints) > groupEndpoints {
		return nil, acceleratorError("LimitExceededException", "The number of endpoints of an endpoint group cannot exceed %d.", groupEndpoints)
	}
	g.endpoints = endpoints
	g.listener.accelerator.change(c.sim.world)
	return addEndpointsOutput{EndpointDescriptions: g.describe(c.account, c.sim.world, added), EndpointGroupArn: g.arn}, nil
}

type removeEndpointsInput struct {
	endpointGroupInput
	EndpointIdentifiers []struct {
		EndpointID                  string `json:"EndpointId"`
		ClientIPPreservationEnabled *bool
	}
}

// removeEndpoints leaves out what the group does not have.
func removeEndpoints(c *call, in *removeEndpointsInput) (any, error) {
	g, err := c.endpointGroup(in.EndpointGroupArn)
	if err != nil {
		return nil, err
	}
	if len(in.EndpointIdentifiers) < 1 || len(in.EndpointIdentifiers) > groupEndpoints {
		return nil, acceleratorInvalid("1 validation error detected: Value at 'endpointIdentifiers' failed to satisfy constraint: Member must have length between 1 and 10")
	}
	kept := slices.Clone(g.endpoints)
	for _, removed := range in.EndpointIdentifiers {
		kept = slices.DeleteFunc(kept, func(e *acceleratorEndpoint) bool { return e.id == removed.EndpointID })
	}
	g.endpoints = kept
	g.listener.accelerator.change(c.sim.world)
	return nil, nil
}

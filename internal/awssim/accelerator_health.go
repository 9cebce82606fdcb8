package awssim

import (
	"slices"
	"time"
)

// firstLook is how long nothing is known of a new endpoint.
const firstLook = 30 * time.Second

const (
	endpointInitial   = "INITIAL"
	endpointHealthy   = "HEALTHY"
	endpointUnhealthy = "UNHEALTHY"
)

// health is what Global Accelerator thinks of an endpoint: a load balancer is healthy while
// each target group that it sends traffic of the listener's ports to has a healthy target.
// Only a test's order has a reason: AWS gives none.
func (g *endpointGroup) health(a *account, w *world, e *acceleratorEndpoint) (state, reason string) {
	if e.ordered != nil {
		return e.ordered.State, e.ordered.Reason
	}
	var b *loadBalancer
	if r := a.regions[g.region]; r != nil {
		b = r.elb.balancers[e.id]
	}
	switch {
	case b == nil:
		return endpointUnhealthy, ""
	case w.now().Before(e.added.Add(w.scale(firstLook))):
		return endpointInitial, ""
	case g.serves(b):
		return endpointHealthy, ""
	default:
		return endpointUnhealthy, ""
	}
}

// serves tells whether the load balancer answers on the group's ports, with targets behind
// all that it may forward to.
func (g *endpointGroup) serves(b *loadBalancer) bool {
	listening := false
	for _, l := range b.listeners {
		if !g.leadsTo(l.port) {
			continue
		}
		listening = true
		for _, rule := range append(slices.Clone(l.rules), l.fallback) {
			for group, weight := range rule.forwards() {
				if weight > 0 && !b.state.groups[group].works() {
					return false
				}
			}
		}
	}
	return listening
}

// leadsTo tells whether traffic of the accelerator's listener comes to that port.
func (g *endpointGroup) leadsTo(port int) bool {
	for _, o := range g.overrides {
		if *o.EndpointPort == port {
			return true
		}
		if *o.ListenerPort == port {
			return false
		}
	}
	return slices.ContainsFunc(g.listener.ranges, func(p portRange) bool { return p.has(port) })
}

// works tells whether the target group has a healthy target.
func (g *targetGroup) works() bool {
	if g == nil {
		return false
	}
	for _, m := range g.members {
		if m.state == stateHealthy {
			return true
		}
	}
	return false
}

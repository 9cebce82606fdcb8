package awssim

import (
	"fmt"
	"slices"
	"strings"
)

// EndpointHealth is the health that an endpoint of an accelerator has from now on, whatever
// its load balancer does.
type EndpointHealth struct {
	EndpointGroup string `json:"endpointGroup"`    // ARN
	Endpoint      string `json:"endpoint"`         // ARN of the load balancer
	State         string `json:"state"`            // "INITIAL", "HEALTHY" or "UNHEALTHY"
	Reason        string `json:"reason,omitempty"` // its HealthReason, of which AWS has none
}

// SetEndpointHealth decides what the health of an endpoint is.
func (s *Simulator) SetEndpointHealth(h EndpointHealth) error {
	if !slices.Contains([]string{endpointInitial, endpointHealthy, endpointUnhealthy}, h.State) {
		return fmt.Errorf("state %q is none of %s, %s and %s", h.State, endpointInitial, endpointHealthy, endpointUnhealthy)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	found := false
	s.eachEndpoint(func(_ *account, g *endpointGroup, e *acceleratorEndpoint) {
		if g.arn == h.EndpointGroup && e.id == h.Endpoint {
			e.ordered, found = &h, true
		}
	})
	if !found {
		return fmt.Errorf("endpoint %s is not in an endpoint group %s", h.Endpoint, h.EndpointGroup)
	}
	return nil
}

// ClearEndpointHealth lets the load balancers decide again.
func (s *Simulator) ClearEndpointHealth() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.eachEndpoint(func(_ *account, _ *endpointGroup, e *acceleratorEndpoint) { e.ordered = nil })
}

// Endpoints lists the endpoints of all accounts' accelerators with their health.
func (s *Simulator) Endpoints() []EndpointHealth {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	endpoints := []EndpointHealth{}
	s.eachEndpoint(func(a *account, g *endpointGroup, e *acceleratorEndpoint) {
		state, reason := g.health(a, s.world, e)
		endpoints = append(endpoints, EndpointHealth{EndpointGroup: g.arn, Endpoint: e.id, State: state, Reason: reason})
	})
	slices.SortFunc(endpoints, func(a, b EndpointHealth) int {
		return strings.Compare(a.EndpointGroup+" "+a.Endpoint, b.EndpointGroup+" "+b.Endpoint)
	})
	return endpoints
}

// eachEndpoint calls fn for every endpoint. The caller holds mu.
func (s *Simulator) eachEndpoint(fn func(*account, *endpointGroup, *acceleratorEndpoint)) {
	for _, a := range s.accounts {
		r := a.regions[homeRegions["globalaccelerator"]]
		if r == nil {
			continue
		}
		for _, g := range r.accelerators.groups {
			for _, e := range g.endpoints {
				fn(a, g, e)
			}
		}
	}
}

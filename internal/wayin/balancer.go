package wayin

import (
	"fmt"
	"strings"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// balancer looks at the load balancer itself.
func (j *judge) balancer(wanted *ecsv1alpha1.EndpointRegion, seen *Region) {
	const hop = ecsv1alpha1.HopLoadBalancer
	if wanted.LoadBalancerARN == "" {
		j.note(hop, ecsv1alpha1.HopMissing, "spec.regions names no load balancer in "+j.region, "an application load balancer",
			"create an application load balancer in "+j.region+" and name it in loadBalancerARN")
		return
	}
	if j.unknown(hop, seen.Balancer.Problem) {
		return
	}
	b := seen.Balancer.Answer
	switch {
	case b == nil:
		j.note(hop, ecsv1alpha1.HopMissing, "there is no "+wanted.LoadBalancerARN, "that load balancer", "create it, or correct loadBalancerARN")
	case b.State == "provisioning":
		j.note(hop, ecsv1alpha1.HopPending, b.state(), "active", "nothing: Elastic Load Balancing is at it")
	case b.State == "active_impaired":
		j.note(hop, ecsv1alpha1.HopWarning, b.state(), "active", "look at what the load balancer says of its state: it routes, and cannot scale")
	case b.State != "active":
		j.note(hop, ecsv1alpha1.HopBroken, b.state(), "active", "look at what the load balancer says of its state")
	case b.Internal && j.spec.AcceleratorARN == "":
		j.note(hop, ecsv1alpha1.HopBroken, b.Name+" is internal", "an internet-facing load balancer",
			"use a load balancer that is internet-facing, or put an accelerator before it")
	default:
		j.leads(hop, "%s is active", b.Name)
	}
}

// listener looks for the listener on the port.
func (j *judge) listener(_ *ecsv1alpha1.EndpointRegion, seen *Region) {
	const hop = ecsv1alpha1.HopListener
	if j.beforeBalancer(hop, seen) || j.unknown(hop, seen.Listeners.Problem) {
		return
	}
	port := seen.port()
	if l, ok := seen.Listener(); ok {
		j.leads(hop, "%s %d", l.Protocol, l.Port)
		return
	}
	if j.spec.AcceleratorARN != "" { // to which port it leads may not be known
		for _, problem := range []*rollout.Problem{j.seen.Accelerator.Problem, j.seen.AcceleratorListeners.Problem} {
			if j.unknown(hop, problem) {
				return
			}
		}
	}
	wanted := fmt.Sprint("HTTPS ", port)
	var others []string
	for _, l := range seen.Listeners.Answer {
		if l.Port == port {
			j.note(hop, ecsv1alpha1.HopBroken, fmt.Sprint(l.Protocol, " ", l.Port), wanted, "make it a listener of HTTPS, with a certificate")
			return
		}
		others = append(others, fmt.Sprint(l.Protocol, " ", l.Port))
	}
	said := "the load balancer has no listener"
	if len(others) > 0 {
		said = "it listens on " + list(others) + " only"
	}
	j.note(hop, ecsv1alpha1.HopMissing, said, wanted, fmt.Sprintf("give the load balancer a listener of HTTPS on %d, with a certificate for %s", port, j.spec.Hostname))
}

// beforeBalancer notes that a hop behind the load balancer was not looked at, and says whether that is so.
func (j *judge) beforeBalancer(hop ecsv1alpha1.HopName, seen *Region) bool {
	if seen.Balancer.Answer != nil {
		return false
	}
	j.unreached(hop, ecsv1alpha1.HopLoadBalancer)
	return true
}

// beforeListener does that of a hop behind its listener.
func (j *judge) beforeListener(hop ecsv1alpha1.HopName, seen *Region) bool {
	if j.beforeBalancer(hop, seen) {
		return true
	}
	if _, ok := seen.Listener(); ok {
		return false
	}
	j.unreached(hop, ecsv1alpha1.HopListener)
	return true
}

func (b *Balancer) state() string {
	if b.Reason == "" {
		return b.State
	}
	return b.State + ": " + b.Reason
}

// list is a list for people, of which the first few are told.
func list(items []string) string {
	const told = 5
	if len(items) > told {
		return strings.Join(items[:told], ", ") + fmt.Sprintf(" and %d more", len(items)-told)
	}
	return strings.Join(items, ", ")
}

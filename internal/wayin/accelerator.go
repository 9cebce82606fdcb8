package wayin

import (
	"fmt"
	"slices"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// accelerator looks at the accelerator itself.
func (j *judge) accelerator() {
	const hop = ecsv1alpha1.HopAccelerator
	if j.unknown(hop, j.seen.Accelerator.Problem) {
		return
	}
	a := j.seen.Accelerator.Answer
	switch {
	case a == nil:
		j.note(hop, ecsv1alpha1.HopMissing, "Global Accelerator has no "+j.spec.AcceleratorARN, "that accelerator", "create an accelerator and name it in spec.acceleratorARN")
	case !a.Enabled:
		j.note(hop, ecsv1alpha1.HopBroken, "disabled", "enabled", "enable it: aws globalaccelerator update-accelerator --region us-west-2 --enabled --accelerator-arn "+a.ARN)
	case a.Status != "DEPLOYED":
		j.note(hop, ecsv1alpha1.HopPending, a.Status, "DEPLOYED", "nothing: Global Accelerator is at it")
	default:
		j.leads(hop, "%s, enabled, %s", firstOf(a.Names), a.Status)
	}
}

// acceleratorListener looks for its listener for the port.
func (j *judge) acceleratorListener() {
	const hop = ecsv1alpha1.HopAcceleratorListener
	if j.accelerated(hop) {
		return
	}
	var ports []string
	for _, l := range j.seen.AcceleratorListeners.Answer {
		if l.Serves() {
			j.leads(hop, "%s", l)
			return
		}
		ports = append(ports, l.String())
	}
	state, seen := ecsv1alpha1.HopMissing, "the accelerator has no listener"
	if len(ports) > 0 {
		state, seen = ecsv1alpha1.HopBroken, "it listens on "+list(ports)
	}
	j.note(hop, state, seen, fmt.Sprintf("a listener on TCP %d", Port), fmt.Sprintf("give the accelerator a listener on TCP %d", Port))
}

// endpointGroup looks for the endpoint group of the region.
func (j *judge) endpointGroup(_ *ecsv1alpha1.EndpointRegion, _ *Region) {
	const hop = ecsv1alpha1.HopEndpointGroup
	if j.accelerated(hop) {
		return
	}
	group, ok := j.seen.group(j.region)
	switch {
	case !j.serves():
		j.unreached(hop, ecsv1alpha1.HopAcceleratorListener)
	case !ok:
		j.note(hop, ecsv1alpha1.HopMissing, "the listener has no endpoint group in "+j.region, "an endpoint group in "+j.region,
			"add an endpoint group in "+j.region+" to the accelerator's listener")
	case group.Dial <= 0:
		j.note(hop, ecsv1alpha1.HopBroken, "its traffic dial is at 0 %", "above 0 %", "turn the traffic dial of the endpoint group up, or take the region out of spec.regions")
	case group.Port != 0 && group.Port != Port:
		j.leads(hop, "traffic dial at %g %%, to port %d", group.Dial, group.Port)
	default:
		j.leads(hop, "traffic dial at %g %%", group.Dial)
	}
}

// acceleratorEndpoint looks for the load balancer in that group.
func (j *judge) acceleratorEndpoint(wanted *ecsv1alpha1.EndpointRegion, _ *Region) {
	const hop = ecsv1alpha1.HopAcceleratorEndpoint
	if j.accelerated(hop) {
		return
	}
	group, ok := j.seen.group(j.region)
	switch {
	case !j.serves():
		j.unreached(hop, ecsv1alpha1.HopAcceleratorListener)
		return
	case !ok:
		j.unreached(hop, ecsv1alpha1.HopEndpointGroup)
		return
	case wanted.LoadBalancerARN == "":
		j.unreached(hop, ecsv1alpha1.HopLoadBalancer)
		return
	}
	i := slices.IndexFunc(group.Endpoints, func(e AcceleratorEndpoint) bool { return e.ID == wanted.LoadBalancerARN })
	if i < 0 {
		var others []string
		for _, e := range group.Endpoints {
			others = append(others, e.ID)
		}
		state, seen := ecsv1alpha1.HopMissing, "the endpoint group is empty"
		if len(others) > 0 {
			state, seen = ecsv1alpha1.HopBroken, "the endpoint group has "+list(others)
		}
		j.note(hop, state, seen, wanted.LoadBalancerARN, "add the load balancer to the endpoint group of "+j.region)
		return
	}
	switch e := group.Endpoints[i]; {
	case e.Weight == 0:
		j.note(hop, ecsv1alpha1.HopBroken, "its weight is 0", "a weight above 0", "give the load balancer a weight in the endpoint group of "+j.region)
	case e.Health == "INITIAL":
		j.note(hop, ecsv1alpha1.HopPending, e.health(), "HEALTHY", "nothing: Global Accelerator is looking at it")
	case e.Health != "HEALTHY":
		j.note(hop, ecsv1alpha1.HopBroken, e.health(), "HEALTHY", "look at the load balancer and its targets: Global Accelerator goes by their health")
	default:
		j.leads(hop, "HEALTHY")
	}
}

// accelerated notes that nothing is known of what is behind the accelerator, and says whether that is so.
func (j *judge) accelerated(hop ecsv1alpha1.HopName) bool {
	if j.seen.Accelerator.Answer == nil {
		j.unreached(hop, ecsv1alpha1.HopAccelerator)
		return true
	}
	return j.unknown(hop, j.seen.AcceleratorListeners.Problem)
}

// serves says that the accelerator listens on the port.
func (j *judge) serves() bool {
	return slices.ContainsFunc(j.seen.AcceleratorListeners.Answer, AcceleratorListener.Serves)
}

// Serves says that the listener takes the port.
func (l AcceleratorListener) Serves() bool {
	return l.Protocol == "TCP" && slices.ContainsFunc(l.Ports, func(p PortRange) bool { return p.From <= Port && Port <= p.To })
}

// String is the listener for people.
func (l AcceleratorListener) String() string {
	var ports []string
	for _, p := range l.Ports {
		said := fmt.Sprint(p.From)
		if p.To != p.From {
			said += fmt.Sprint("-", p.To)
		}
		ports = append(ports, said)
	}
	return l.Protocol + " " + list(ports)
}

func (e AcceleratorEndpoint) health() string {
	if e.Reason == "" {
		return e.Health
	}
	return e.Health + ": " + e.Reason
}

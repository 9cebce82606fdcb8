package awssim

import (
	"cmp"
	"slices"
)

// acceleratorListenerQuota is how many listeners an accelerator may have.
const acceleratorListenerQuota = 10

type portRange struct{ FromPort, ToPort *int }

func (p portRange) overlaps(other portRange) bool {
	return *p.FromPort <= *other.ToPort && *other.FromPort <= *p.ToPort
}

func (p portRange) has(port int) bool { return *p.FromPort <= port && port <= *p.ToPort }

type acceleratorListenerView struct {
	ListenerArn    string
	PortRanges     []portRange
	Protocol       string
	ClientAffinity string
}

type acceleratorListenerOutput struct{ Listener acceleratorListenerView }

func (l *acceleratorListener) view() acceleratorListenerView {
	return acceleratorListenerView{ListenerArn: l.arn, PortRanges: l.ranges, Protocol: l.protocol, ClientAffinity: l.affinity}
}

type acceleratorListenerSettings struct {
	PortRanges     []portRange
	Protocol       string
	ClientAffinity string
}

// apply changes what the parameters say of the listener, all of it or nothing.
func (in *acceleratorListenerSettings) apply(l *acceleratorListener) error {
	changed := *l
	changed.protocol, changed.affinity = cmp.Or(in.Protocol, l.protocol), cmp.Or(in.ClientAffinity, l.affinity, "NONE")
	if in.PortRanges != nil {
		changed.ranges = in.PortRanges
	}
	if err := firstError(acceleratorAmong("protocol", in.Protocol, "TCP", "UDP"), acceleratorAmong("clientAffinity", in.ClientAffinity, "NONE", "SOURCE_IP")); err != nil {
		return err
	}
	if len(changed.ranges) < 1 || len(changed.ranges) > 10 {
		return acceleratorInvalid("1 validation error detected: Value at 'portRanges' failed to satisfy constraint: Member must have length between 1 and 10")
	}
	if err := changed.checkPorts(l); err != nil {
		return err
	}
	*l = changed
	return nil
}

// checkPorts refuses ranges that are none, or that overlap each other or those of another
// listener of the protocol. was is the listener itself, as it is now.
func (l *acceleratorListener) checkPorts(was *acceleratorListener) error {
	for i, ports := range l.ranges {
		if ports.FromPort == nil || ports.ToPort == nil {
			return acceleratorError("InvalidPortRangeException", "A port range must have a FromPort and a ToPort.")
		}
		if err := firstError(acceleratorWithin("fromPort", ports.FromPort, 1, 65535), acceleratorWithin("toPort", ports.ToPort, 1, 65535)); err != nil {
			return err
		}
		if *ports.FromPort > *ports.ToPort || slices.ContainsFunc(l.ranges[:i], ports.overlaps) {
			return acceleratorError("InvalidPortRangeException", "The port range from %d to %d is not valid.", *ports.FromPort, *ports.ToPort)
		}
		for _, other := range l.accelerator.listeners {
			if other != was && other.protocol == l.protocol && slices.ContainsFunc(other.ranges, ports.overlaps) {
				return acceleratorError("InvalidPortRangeException", "The port range from %d to %d overlaps one of listener %s.", *ports.FromPort, *ports.ToPort, other.arn)
			}
		}
	}
	return nil
}

type createAcceleratorListenerInput struct {
	acceleratorInput
	acceleratorListenerSettings
	IdempotencyToken *string
}

func createAcceleratorListener(c *call, in *createAcceleratorListenerInput) (any, error) {
	a, err := c.accelerator(in.AcceleratorArn)
	switch {
	case err != nil:
		return nil, err
	case in.PortRanges == nil:
		return nil, acceleratorInvalid("1 validation error detected: Value null at 'portRanges' failed to satisfy constraint: Member must not be null")
	case in.Protocol == "":
		return nil, acceleratorInvalid("1 validation error detected: Value null at 'protocol' failed to satisfy constraint: Member must not be null")
	}
	return c.once(in.IdempotencyToken, func() (any, error) {
		l := &acceleratorListener{arn: a.arn + "/listener/" + c.sim.randomText(hexDigits, 8), accelerator: a}
		if err := in.apply(l); err != nil {
			return nil, err
		}
		if len(a.listeners) >= acceleratorListenerQuota {
			return nil, acceleratorError("LimitExceededException", "The number of listeners of an accelerator cannot exceed %d.", acceleratorListenerQuota)
		}
		a.listeners = append(a.listeners, l)
		c.region.accelerators.listeners[l.arn] = l
		a.change(c.sim.world)
		return acceleratorListenerOutput{l.view()}, nil
	})
}

type acceleratorListenerInput struct{ ListenerArn *string }

func describeAcceleratorListener(c *call, in *acceleratorListenerInput) (any, error) {
	l, err := c.acceleratorListener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	return acceleratorListenerOutput{l.view()}, nil
}

type listAcceleratorListenersInput struct {
	acceleratorInput
	acceleratorPaging
}

type listAcceleratorListenersOutput struct {
	Listeners []acceleratorListenerView
	NextToken string `json:",omitempty"`
}

func listAcceleratorListeners(c *call, in *listAcceleratorListenersInput) (any, error) {
	a, err := c.accelerator(in.AcceleratorArn)
	if err != nil {
		return nil, err
	}
	page, next, err := acceleratorPageOf(in.acceleratorPaging, a.listeners, func(l *acceleratorListener) string { return l.arn })
	if err != nil {
		return nil, err
	}
	out := listAcceleratorListenersOutput{Listeners: []acceleratorListenerView{}, NextToken: next}
	for _, l := range page {
		out.Listeners = append(out.Listeners, l.view())
	}
	return out, nil
}

type updateAcceleratorListenerInput struct {
	acceleratorListenerInput
	acceleratorListenerSettings
}

func updateAcceleratorListener(c *call, in *updateAcceleratorListenerInput) (any, error) {
	l, err := c.acceleratorListener(in.ListenerArn)
	if err == nil {
		err = in.apply(l)
	}
	if err != nil {
		return nil, err
	}
	l.accelerator.change(c.sim.world)
	return acceleratorListenerOutput{l.view()}, nil
}

// deleteAcceleratorListener deletes one without endpoint groups.
func deleteAcceleratorListener(c *call, in *acceleratorListenerInput) (any, error) {
	l, err := c.acceleratorListener(in.ListenerArn)
	switch {
	case err != nil:
		return nil, err
	case len(l.groups) > 0:
		return nil, acceleratorError("AssociatedEndpointGroupFoundException", "The listener has endpoint groups, which must be deleted before it.")
	}
	delete(c.region.accelerators.listeners, l.arn)
	l.accelerator.listeners = slices.DeleteFunc(l.accelerator.listeners, func(other *acceleratorListener) bool { return other == l })
	l.accelerator.change(c.sim.world)
	return nil, nil
}

package awssim

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// target is what stands behind an address of a target group.
type target struct {
	// Healthy is what the next health check finds; it runs under world.mu. nil: it passes.
	Healthy func() bool
	// Serve answers a request that the load balancer forwards; it does not run under
	// world.mu. One that panics with http.ErrAbortHandler stands for a target that is
	// gone: the client gets a 502. nil: the target answers with its address, 200 while it
	// is healthy and 503 else.
	Serve func(http.ResponseWriter, *http.Request)
}

// groupMember is a registered target. A check that was scheduled before the epoch changed is
// void.
type groupMember struct {
	id, zone      string
	port          int
	target        target
	ordered       *TargetHealth // what a test wants the checks to find
	state, reason string
	epoch         int
	passed        int // checks in a row
	failed        int
}

const (
	stateInitial   = "initial"
	stateHealthy   = "healthy"
	stateUnhealthy = "unhealthy"
	stateDraining  = "draining"
	stateUnused    = "unused"
)

// registration is how long a load balancer takes to know of a new target.
const registration = 3 * time.Second

// registerTarget adds a target to a group; port 0 means the group's. A target that is there
// already keeps its state, one that drains comes back.
func (r *region) registerTarget(group, id string, port int, t target) *apiError {
	g := r.elb.groups[group]
	if g == nil {
		return targetGroupNotFound(group)
	}
	g.register(memberKey{id, g.portOr(port)}, "", t)
	return nil
}

// deregisterTarget takes a target out of a group: it drains for the group's deregistration
// delay, and is gone after that; at once where no load balancer forwards to the group. What
// is not registered is left so.
func (r *region) deregisterTarget(group, id string, port int) {
	if g := r.elb.groups[group]; g != nil {
		g.deregister(memberKey{id, g.portOr(port)})
	}
}

// targetHealth is the state of a target as DescribeTargetHealth tells it; unused with the
// reason Target.NotRegistered if the group, or the target in it, is not there.
func (r *region) targetHealth(group, id string, port int) (state, reason string) {
	g := r.elb.groups[group]
	if g == nil {
		return stateUnused, "Target.NotRegistered"
	}
	return g.health(g.members[memberKey{id, g.portOr(port)}])
}

// targetGroupExists tells whether there is a target group of that ARN in the region.
func (r *region) targetGroupExists(arn string) bool { return r.elb.groups[arn] != nil }

// weigh makes a rule forward to these target groups with these weights, as ECS does when it
// shifts traffic. rule is the ARN of a rule, or of a listener, which means its default rule.
func (r *region) weigh(rule string, weights map[string]int) *apiError {
	found := r.elb.rules[rule]
	if l := r.elb.listeners[rule]; l != nil {
		found = l.fallback
	}
	if found == nil {
		return newError(http.StatusBadRequest, "RuleNotFound", "One or more rules not found")
	}
	forward, err := r.elb.forwardTo(weights)
	if err != nil {
		return err
	}
	for i, a := range found.actions {
		if a.Type != "forward" {
			continue
		}
		if a.ForwardConfig != nil {
			forward.TargetGroupStickinessConfig = a.ForwardConfig.TargetGroupStickinessConfig
		}
		found.actions = slices.Clone(found.actions) // answers share it
		found.actions[i], found.credit = forward.action(a.Order), nil
		r.elb.reviewUse()
		return nil
	}
	return elbValidationError("Rule '%s' has no forward action", rule)
}

func (g *targetGroup) portOr(port int) int {
	if port == 0 {
		return g.port
	}
	return port
}

func (g *targetGroup) register(key memberKey, zone string, t target) {
	m := g.members[key]
	if m == nil {
		m = &groupMember{id: key.id, port: key.port, zone: zone}
		g.members[key] = m
	}
	m.target = t
	if m.state == "" || m.state == stateDraining {
		g.begin(m, len(g.balancers) > 0)
	}
}

func (g *targetGroup) deregister(key memberKey) {
	m := g.members[key]
	if m == nil || m.state == stateDraining {
		return
	}
	delay := g.deregistrationDelay()
	if len(g.balancers) == 0 || delay == 0 {
		m.epoch++
		delete(g.members, key)
		return
	}
	m.enter(stateDraining, "Target.DeregistrationInProgress")
	epoch := m.epoch
	g.world.after(delay, func() {
		if m.epoch == epoch {
			m.epoch++
			delete(g.members, key)
		}
	})
}

func (g *targetGroup) deregistrationDelay() time.Duration {
	seconds, err := strconv.Atoi(g.attributes["deregistration_delay.timeout_seconds"])
	if err != nil { // attributes are checked when they are set
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// enter changes the state, which makes every scheduled check void.
func (m *groupMember) enter(state, reason string) {
	m.state, m.reason = state, reason
	m.epoch++
	m.passed, m.failed = 0, 0
}

// begin starts the life of a target whose group gets traffic, or ends it in one that no
// longer does.
func (g *targetGroup) begin(m *groupMember, used bool) {
	switch {
	case !used && m.state == stateDraining:
		m.epoch++
		delete(g.members, memberKey{m.id, m.port})
	case !used:
		m.enter(stateUnused, "Target.NotInUse")
	default:
		m.enter(stateInitial, "Elb.RegistrationInProgress")
		g.later(m, registration, func() {
			m.reason = "Elb.InitialHealthChecking"
			g.examine(m)
		})
	}
}

// later schedules something for a target unless it has entered another state by then.
func (g *targetGroup) later(m *groupMember, d time.Duration, fn func()) {
	epoch := m.epoch
	g.world.after(d, func() {
		if m.epoch == epoch {
			fn()
		}
	})
}

func targetGroupNotFound(arn string) *apiError {
	if arn == "" {
		return elbValidationError("A target group ARN must be specified")
	}
	return newError(http.StatusBadRequest, "TargetGroupNotFound", "One or more target groups not found")
}

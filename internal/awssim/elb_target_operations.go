package awssim

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

type elbTarget struct {
	ID               string `json:"Id"`
	Port             *int   `json:",omitempty"`
	AvailabilityZone string `json:",omitempty"`
}

type targetsInput struct {
	targetGroupInput
	Targets []elbTarget
}

// key is which target of the group is meant.
func (t elbTarget) key(g *targetGroup) memberKey {
	if t.Port == nil {
		return memberKey{t.ID, g.port}
	}
	return memberKey{t.ID, *t.Port}
}

// registerTargets registers addresses behind which there is nothing but a server that
// answers with its address. ECS registers its tasks by itself.
func registerTargets(c *call, in *targetsInput) (any, error) {
	g, err := c.targetGroup(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	if len(in.Targets) == 0 {
		return nil, elbValidationError("At least one target must be specified")
	}
	for _, t := range in.Targets {
		if err := g.checkTarget(t); err != nil {
			return nil, err
		}
	}
	for _, t := range in.Targets {
		key := t.key(g)
		if m := g.members[key]; m == nil || m.state == stateDraining {
			g.register(key, t.AvailabilityZone, target{})
		}
	}
	return struct{}{}, nil
}

// checkTarget refuses what cannot be a target of the group's type.
func (g *targetGroup) checkTarget(t elbTarget) error {
	var bad bool
	switch g.targetType {
	case "ip":
		ip := net.ParseIP(t.ID)
		bad = ip == nil || (ip.To4() != nil) != (g.ipType == "ipv4")
	default:
		bad = !strings.HasPrefix(t.ID, "i-")
	}
	if bad {
		return elbValidationError("The target '%s' is not a valid target for a target group of target type '%s'", t.ID, g.targetType)
	}
	return within("Target port", t.Port, 1, 65535)
}

// deregisterTargets takes targets out of the group: the ones with that port, or without a
// port all with that ID. What is not registered is left so.
func deregisterTargets(c *call, in *targetsInput) (any, error) {
	g, err := c.targetGroup(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	if len(in.Targets) == 0 {
		return nil, elbValidationError("At least one target must be specified")
	}
	for _, t := range in.Targets {
		if err := g.checkTarget(t); err != nil {
			return nil, err
		}
	}
	for _, t := range in.Targets {
		for _, key := range g.matching(t) {
			g.deregister(key)
		}
	}
	return struct{}{}, nil
}

// matching are the targets that a description without a port may mean.
func (g *targetGroup) matching(t elbTarget) []memberKey {
	return slices.DeleteFunc(g.order(), func(key memberKey) bool {
		return key.id != t.ID || t.Port != nil && key.port != *t.Port
	})
}

type targetHealthOutput struct{ TargetHealthDescriptions []targetHealthView }

type targetHealthView struct {
	Target          elbTarget
	HealthCheckPort string `json:",omitempty"`
	TargetHealth    struct {
		State       string
		Reason      string `json:",omitempty"`
		Description string `json:",omitempty"`
	}
	AdministrativeOverride *override `json:",omitempty"`
}

type override struct{ State, Reason, Description string }

type describeTargetHealthInput struct {
	targetsInput
	Include []string
}

func describeTargetHealth(c *call, in *describeTargetHealthInput) (any, error) {
	if err := firstError(c.authorizeELB(), c.checkELBARN(groupKind, in.TargetGroupArn)); err != nil {
		return nil, err
	}
	g := c.region.elb.groups[in.TargetGroupArn]
	if g == nil {
		return nil, targetGroupNotFound(in.TargetGroupArn)
	}
	out := targetHealthOutput{}
	if len(in.Targets) == 0 {
		for _, key := range g.order() {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, g.viewHealth(key, g.members[key]))
		}
		return out, nil
	}
	for _, t := range in.Targets {
		if err := g.checkTarget(t); err != nil {
			return nil, newError(http.StatusBadRequest, "InvalidTarget", "The following targets are not valid: %s", t.ID)
		}
		keys := g.matching(t)
		if len(keys) == 0 {
			keys = []memberKey{t.key(g)}
		}
		for _, key := range keys {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, g.viewHealth(key, g.members[key]))
		}
	}
	return out, nil
}

func (g *targetGroup) viewHealth(key memberKey, m *groupMember) targetHealthView {
	v := targetHealthView{Target: elbTarget{ID: key.id, Port: &key.port}}
	if m != nil {
		v.Target.AvailabilityZone = m.zone
		v.HealthCheckPort = g.check.port
		if v.HealthCheckPort == "traffic-port" {
			v.HealthCheckPort = strconv.Itoa(key.port)
		}
		v.AdministrativeOverride = &override{"no_override", "AdministrativeOverride.NoOverride", "No override is currently active on target"}
	}
	v.TargetHealth.State, v.TargetHealth.Reason = g.health(m)
	v.TargetHealth.Description = describeReason(v.TargetHealth.Reason)
	return v
}

// describeReason is the text that goes with a reason.
func describeReason(reason string) string {
	switch reason {
	case "Elb.RegistrationInProgress":
		return "Target registration is in progress"
	case "Elb.InitialHealthChecking":
		return "Initial health checks in progress"
	case "Target.ResponseCodeMismatch":
		return fmt.Sprintf("Health checks failed with these codes: [%d]", http.StatusServiceUnavailable)
	case "Target.Timeout":
		return "Request timed out"
	case "Target.FailedHealthChecks":
		return "Health checks failed"
	case "Target.NotRegistered":
		return "Target is not registered to the target group"
	case "Target.NotInUse":
		return "Target group is not configured to receive traffic from the load balancer"
	case "Target.DeregistrationInProgress":
		return "Target deregistration is in progress"
	case "Elb.InternalError":
		return "Health checks failed due to an internal error"
	default:
		return ""
	}
}

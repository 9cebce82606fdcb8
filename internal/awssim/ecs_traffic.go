package awssim

import (
	"fmt"
	"math"
	"slices"
)

// bind settles which target groups the tasks of a new revision go into: the ones that the
// revision in production is not in where the strategy shifts traffic, else those to which the
// production rules lead now.
func (s *service) bind() []binding {
	var bound []binding
	for i, b := range s.settings.balancers() {
		made := binding{balancer: i, group: b.TargetGroupARN, container: b.ContainerName, port: b.ContainerPort}
		switch {
		case b.LoadBalancerName != "":
			made.group, made.classic = b.LoadBalancerName, true
		case b.Advanced != nil:
			made.group = s.bindAdvanced(b)
		}
		bound = append(bound, made)
	}
	return bound
}

func (s *service) bindAdvanced(b balancerSettings) string {
	groups := b.groups()
	served := -1 // where the revision in production is
	if s.completed != nil {
		for _, other := range s.completed.revision.bindings {
			served = max(served, slices.Index(groups, other.group))
		}
	}
	live := -1 // where the production rule leads
	weights, _ := s.state.region.ruleWeights(b.Advanced.ProductionListenerRule)
	for i, group := range groups {
		if weights[group] > 0 && weights[groups[1-i]] == 0 {
			live = i
		}
	}
	switch {
	case s.rollout.shifts() && served >= 0:
		return groups[1-served]
	case live >= 0:
		return groups[live]
	default:
		return groups[max(0, served)]
	}
}

// checkNetwork is what is wrong with the rules between which traffic is to be shifted, "" for
// nothing. It is looked at when a deployment begins, because rules change behind ECS's back.
func (s *service) checkNetwork() string {
	for _, b := range s.settings.balancers() {
		if b.Advanced == nil {
			continue
		}
		production, ok := s.state.region.ruleWeights(b.Advanced.ProductionListenerRule)
		if !ok {
			return "One or more rules not found"
		}
		test := map[string]int{}
		if rule := b.Advanced.TestListenerRule; rule != "" {
			if test, ok = s.state.region.ruleWeights(rule); !ok {
				return "One or more rules not found"
			}
		}
		var serving []string
		for group, weight := range production {
			if weight == 0 {
				continue
			}
			if serving = append(serving, group); !slices.Contains(b.groups(), group) {
				return fmt.Sprintf("Production listener rule is forwarding traffic to unexpected target group %s. Expected traffic to be forwarded to either targetGroupArn: %s or alternateTargetGroupArn: %s", group, b.TargetGroupARN, b.Advanced.AlternateTargetGroupARN)
			}
		}
		for _, group := range b.groups() {
			_, inProduction := production[group]
			if _, inTest := test[group]; !inProduction && !inTest {
				return fmt.Sprintf("Target group %s is not associated with either productionListenerRule or testListenerRule.", group)
			}
		}
		if len(serving) != 1 && s.completed != nil {
			return fmt.Sprintf("productionListenerRule %s should have exactly one target group serving traffic but found %d target groups which are serving traffic", b.Advanced.ProductionListenerRule, len(serving))
		}
	}
	return ""
}

// shift sends that percentage of the traffic to the revision and the rest to the other target
// group, and returns why it could not.
func (s *service) shift(to *serviceRevision, percent float64, rule func(*advancedSettings) string) string {
	balancers := to.settings.balancers()
	for _, b := range to.bindings {
		settings := balancers[b.balancer]
		if settings.Advanced == nil || rule(settings.Advanced) == "" {
			continue
		}
		weights := map[string]int{}
		share, rest := wholeWeights(percent)
		for _, group := range settings.groups() {
			if weights[group] = rest; group == b.group {
				weights[group] = share
			}
		}
		if err := s.state.region.weigh(rule(settings.Advanced), weights); err != nil {
			return err.message
		}
	}
	return ""
}

func productionRule(a *advancedSettings) string { return a.ProductionListenerRule }

func testRule(a *advancedSettings) string { return a.TestListenerRule }

// wholeWeights are a percentage and its rest as weights of a rule, which are whole numbers up
// to 999.
func wholeWeights(percent float64) (share, rest int) {
	if whole := math.Round(percent); math.Abs(percent-whole) < 1e-6 {
		return int(whole), 100 - int(whole)
	}
	share = int(math.Round(percent * 10))
	return share, 1000 - share
}

// resolvedBalancer is ServiceRevisionLoadBalancer: where the traffic of a revision really
// comes from.
type resolvedBalancer struct {
	TargetGroupARN         string `json:"targetGroupArn"`
	ProductionListenerRule string `json:"productionListenerRule,omitempty"`
}

// resolved is ResolvedConfiguration, nil for a revision without target group.
func (r *serviceRevision) resolved() any {
	var found []resolvedBalancer
	balancers := r.settings.balancers()
	for _, b := range r.bindings {
		if b.classic {
			continue
		}
		shown := resolvedBalancer{TargetGroupARN: b.group}
		if a := balancers[b.balancer].Advanced; a != nil {
			shown.ProductionListenerRule = a.ProductionListenerRule
		}
		found = append(found, shown)
	}
	if found == nil {
		return nil
	}
	return map[string]any{"loadBalancers": found}
}

package awssim

import (
	"encoding/json"
	"strings"
)

// balancerSettings is LoadBalancer of a service: where its tasks get their traffic from.
type balancerSettings struct {
	TargetGroupARN   string            `json:"targetGroupArn"`
	LoadBalancerName string            `json:"loadBalancerName"` // a classic one, which is not simulated
	ContainerName    string            `json:"containerName"`
	ContainerPort    int               `json:"containerPort"`
	Advanced         *advancedSettings `json:"advancedConfiguration"`
}

// advancedSettings is AdvancedConfiguration: what it takes to shift traffic between the two
// target groups.
type advancedSettings struct {
	AlternateTargetGroupARN string `json:"alternateTargetGroupArn"`
	ProductionListenerRule  string `json:"productionListenerRule"`
	TestListenerRule        string `json:"testListenerRule"`
	RoleARN                 string `json:"roleArn"`
}

// balancers are the load balancers of the settings.
func (s serviceSettings) balancers() []balancerSettings {
	var balancers []balancerSettings
	if json.Unmarshal(s.LoadBalancers, &balancers) != nil {
		return nil
	}
	return balancers
}

// connected tells whether Service Connect sends the tasks traffic.
func (s serviceSettings) connected() bool {
	var connect struct {
		Enabled bool `json:"enabled"`
	}
	return json.Unmarshal(s.ServiceConnectConfiguration, &connect) == nil && connect.Enabled
}

// groups are the target groups of a load balancer of the settings.
func (b balancerSettings) groups() []string {
	if b.Advanced == nil {
		return []string{b.TargetGroupARN}
	}
	return []string{b.TargetGroupARN, b.Advanced.AlternateTargetGroupARN}
}

// checkBalancers refuses load balancers that are not there, or not enough for the strategy, in the
// words of AWS's page "Troubleshooting Amazon ECS blue/green deployments".
func (s serviceSettings) checkBalancers(r *region, rollout deploymentSettings) error {
	balancers := s.balancers()
	if len(balancers) == 0 {
		if s.HealthCheckGracePeriodSeconds != nil && *s.HealthCheckGracePeriodSeconds > 0 {
			return invalidParameter("Health check grace period is only valid for services configured to use load balancers")
		}
		if rollout.shifts() && rollout.strategy != "BLUE_GREEN" && !s.connected() && !r.ecs.world.ecs.options.HeadlessTrafficShifts {
			return invalidParameter("The %s deployment strategy requires a load balancer or Service Connect.", rollout.strategy)
		}
		return nil
	}
	if err := checkBalancerKinds(balancers, rollout.shifts()); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, b := range balancers {
		if b.LoadBalancerName != "" {
			continue
		}
		for _, group := range b.groups() {
			if seen[group] {
				return invalidParameter("Duplicate targetGroupArn found: %s", group)
			}
			seen[group] = true
			if !r.targetGroupExists(group) {
				return invalidParameter("The specified target group does not exist: %s", group)
			}
		}
		if !r.balanced(b.TargetGroupARN) {
			return invalidParameter("The target group with targetGroupArn %s does not have an associated load balancer.", b.TargetGroupARN)
		}
		if b.Advanced != nil {
			if err := r.checkRules(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkBalancerKinds refuses what cannot stand side by side.
func checkBalancerKinds(balancers []balancerSettings, shifts bool) error {
	classic, advanced := 0, 0
	for _, b := range balancers {
		switch {
		case b.LoadBalancerName != "" && b.TargetGroupARN != "":
			return invalidParameter("All loadBalancers must be strictly either ELBv1 (defining loadBalancerName) or ELBv2 (defining targetGroupArn)")
		case b.LoadBalancerName != "":
			classic++
		case b.TargetGroupARN == "":
			return invalidParameter("loadBalancerName and targetGroupArn cannot both be unspecified. You must specify either a loadBalancerName or a targetGroupArn.")
		}
		if b.Advanced != nil {
			advanced++
		}
	}
	switch {
	case classic > 0 && classic < len(balancers):
		return invalidParameter("All loadBalancers must be strictly either ELBv1 (defining loadBalancerName) or ELBv2 (defining targetGroupArn)")
	case classic > 0 && advanced > 0:
		return invalidParameter("advancedConfiguration field is not allowed with ELBv1 loadBalancers")
	case shifts && advanced < len(balancers):
		return invalidParameter("advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy")
	case advanced > 0 && advanced < len(balancers):
		return invalidParameter("Either all or none of the provided loadBalancers must have advancedConfiguration defined")
	}
	return nil
}

// checkRules refuses an advanced configuration that cannot shift traffic.
func (r *region) checkRules(b balancerSettings) error {
	a := b.Advanced
	switch {
	case a.AlternateTargetGroupARN == "":
		return invalidParameter("alternateTargetGroupArn is required in advancedConfiguration.")
	case a.ProductionListenerRule == "":
		return invalidParameter("productionListenerRule is required in advancedConfiguration.")
	case a.RoleARN == "":
		return invalidParameter("roleArn is required in advancedConfiguration.")
	case a.TestListenerRule == a.ProductionListenerRule:
		return invalidParameter("The following rules cannot be used as both production and test listener rules: %s", a.ProductionListenerRule)
	}
	for name, rule := range map[string]string{"productionListenerRule": a.ProductionListenerRule, "testListenerRule": a.TestListenerRule} {
		if rule != "" && !strings.Contains(rule, ":listener-rule/app/") && !strings.Contains(rule, ":listener/net/") {
			return invalidParameter("%s has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: %s", name, rule)
		}
	}
	weights, ok := r.ruleWeights(a.ProductionListenerRule)
	if !ok || a.TestListenerRule != "" {
		return nil // a rule that is not there fails the deployment, not the request
	}
	for _, group := range b.groups() {
		if _, forwards := weights[group]; !forwards {
			return invalidParameter("For Application LoadBalancer, testListenerRule is required when productionListenerRule is not associated with both targetGroup and alternateTargetGroup")
		}
	}
	return nil
}

// fitsTargets refuses target groups whose targets are of a kind that the tasks are not.
func (s serviceSettings) fitsTargets(r *region, awsvpc bool) error {
	for _, b := range s.balancers() {
		for _, arn := range b.groups() {
			group := r.elb.groups[arn]
			if group == nil || awsvpc == (group.targetType == "ip") {
				continue
			}
			mode := "awsvpc"
			if !awsvpc {
				mode = "bridge or host"
			}
			return invalidParameter("The provided target group %s has target type %s, which is incompatible with the %s network mode specified in the task definition.", arn, group.targetType, mode)
		}
	}
	return nil
}

// balanced tells whether a load balancer forwards to the target group.
func (r *region) balanced(group string) bool {
	g := r.elb.groups[group]
	return g != nil && len(g.balancers) > 0
}

// ruleWeights are the target groups that a rule, or the default rule of a listener, forwards
// to, with their weights; false if there is no such rule.
func (r *region) ruleWeights(arn string) (weights map[string]int, ok bool) {
	rule := r.elb.rules[arn]
	if listener := r.elb.listeners[arn]; listener != nil {
		rule = listener.fallback
	}
	if rule == nil {
		return nil, false
	}
	return rule.forwards(), true
}

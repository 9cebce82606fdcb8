package awssim

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

type rulesOutput struct {
	Rules      []ruleView
	NextMarker string `json:",omitempty"`
}

type ruleView struct {
	RuleArn    string
	Priority   string
	Conditions []elbCondition
	Actions    []elbAction
	IsDefault  bool
}

func (r *elbRule) view() ruleView {
	v := ruleView{RuleArn: r.arn, Priority: "default", Conditions: r.conditions, Actions: r.actions, IsDefault: r.priority == 0}
	if r.priority > 0 {
		v.Priority = strconv.Itoa(r.priority)
	}
	return v
}

type ruleInput struct {
	Conditions []elbCondition
	Actions    []elbAction
	Transforms []struct{ Type string }
}

type createRuleInput struct {
	ruleInput
	ListenerArn string
	Priority    *int
	Tags        []elbTag
}

func createRule(c *call, in *createRuleInput) (any, error) {
	l, err := c.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	switch {
	case in.Priority == nil:
		return nil, elbValidationError("A priority must be specified")
	case len(in.Conditions) == 0:
		return nil, elbValidationError("A condition must be specified")
	case len(in.Transforms) > 0:
		return nil, unimplemented("transforms of rules")
	}
	tags, err := c.readTags(in.Tags)
	if err == nil {
		err = within("Priority", in.Priority, 1, 50000)
	}
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(l.rules, func(r *elbRule) bool { return r.priority == *in.Priority }) {
		return nil, newError(http.StatusBadRequest, "PriorityInUse", "Priority '%d' is currently in use", *in.Priority)
	}
	r := &elbRule{listener: l, priority: *in.Priority, tags: tags}
	if err := in.apply(c.region.elb, r); err != nil {
		return nil, err
	}
	_, place, _ := strings.Cut(l.arn, listenerKind.path)
	r.arn = c.arn("elasticloadbalancing", ruleKind.path+place+"/"+c.elbID())
	l.rules = append(l.rules, r)
	slices.SortFunc(l.rules, func(a, b *elbRule) int { return cmp.Compare(a.priority, b.priority) })
	c.region.elb.rules[r.arn] = r
	c.region.elb.reviewUse()
	return rulesOutput{Rules: []ruleView{r.view()}}, nil
}

// apply changes what the parameters say of the rule, all of it or nothing.
func (in *ruleInput) apply(st *elbState, r *elbRule) error {
	conditions, actions := r.conditions, r.actions
	var err error
	if len(in.Conditions) > 0 {
		if conditions, err = readConditions(in.Conditions); err != nil {
			return err
		}
	}
	if len(in.Actions) > 0 || len(actions) == 0 {
		if actions, err = st.readActions(r.listener.balancer, in.Actions); err != nil {
			return err
		}
		r.credit = nil
	}
	r.conditions, r.actions = conditions, actions
	return nil
}

type describeRulesInput struct {
	elbPage
	ListenerArn string
	RuleArns    []string
}

func describeRules(c *call, in *describeRulesInput) (any, error) {
	if err := c.authorizeELB(); err != nil {
		return nil, err
	}
	if (in.ListenerArn == "") == (len(in.RuleArns) == 0) {
		return nil, elbValidationError("You must specify either listener ARNs or rule ARNs")
	}
	var rules []*elbRule
	st := c.region.elb
	if in.ListenerArn != "" {
		l := st.listeners[in.ListenerArn]
		if l == nil {
			return nil, cmp.Or(c.checkELBARN(listenerKind, in.ListenerArn), error(listenerNotFound()))
		}
		rules = append(slices.Clone(l.rules), l.fallback)
	}
	for _, arn := range in.RuleArns {
		r := st.rules[arn]
		if r == nil {
			return nil, cmp.Or(c.checkELBARN(ruleKind, arn), error(ruleNotFound()))
		}
		rules = append(rules, r)
	}
	page, next, err := pageOf(in.elbPage, rules, func(r *elbRule) string { return r.arn })
	if err != nil {
		return nil, err
	}
	out := rulesOutput{NextMarker: next}
	for _, r := range page {
		out.Rules = append(out.Rules, r.view())
	}
	return out, nil
}

type elbRuleInput struct{ RuleArn string }

func ruleNotFound() *apiError {
	return newError(http.StatusBadRequest, ruleKind.code, "One or more rules not found")
}

// ownRule is a rule that may be changed as one: not the default rule.
func (c *call) ownRule(arn, change string) (*elbRule, error) {
	r, err := lookUp(c, ruleKind, c.region.elb.rules, arn, func(r *elbRule) elbTags { return r.tags })
	switch {
	case isCode(err, ruleKind.code):
		return nil, ruleNotFound()
	case err != nil:
		return nil, err
	case r.priority == 0:
		return nil, newError(http.StatusBadRequest, "OperationNotPermitted", "Default rule '%s' cannot be %s", arn, change)
	default:
		return r, nil
	}
}

type modifyRuleInput struct {
	elbRuleInput
	ruleInput
}

func modifyRule(c *call, in *modifyRuleInput) (any, error) {
	r, err := c.ownRule(in.RuleArn, "modified")
	if err != nil {
		return nil, err
	}
	if len(in.Transforms) > 0 {
		return nil, unimplemented("transforms of rules")
	}
	if err := in.apply(c.region.elb, r); err != nil {
		return nil, err
	}
	c.region.elb.reviewUse()
	return rulesOutput{Rules: []ruleView{r.view()}}, nil
}

func deleteRule(c *call, in *elbRuleInput) (any, error) {
	r, err := c.ownRule(in.RuleArn, "deleted")
	if err != nil {
		return nil, err
	}
	delete(c.region.elb.rules, r.arn)
	r.listener.rules = slices.DeleteFunc(r.listener.rules, func(other *elbRule) bool { return other == r })
	c.region.elb.reviewUse()
	return struct{}{}, nil
}

// conditionValues are what all conditions of a rule may hold together.
const conditionValues = 5

// readConditions checks the conditions and completes them as answers show them: in both of
// their forms.
func readConditions(list []elbCondition) ([]elbCondition, error) {
	total := 0
	seen := map[string]bool{}
	conditions := make([]elbCondition, len(list))
	for i, c := range list {
		if seen[c.Field] && c.Field != "http-header" {
			return nil, elbValidationError("A rule can only have one '%s' condition", c.Field)
		}
		seen[c.Field] = true
		values := c.Values
		switch {
		case c.Field == "host-header" && c.HostHeaderConfig != nil:
			values = c.HostHeaderConfig.Values
		case c.Field == "path-pattern" && c.PathPatternConfig != nil:
			values = c.PathPatternConfig.Values
		case c.Field == "http-header" && c.HTTPHeaderConfig != nil:
			values = c.HTTPHeaderConfig.Values
		}
		completed, err := completeCondition(c, values)
		if err != nil {
			return nil, err
		}
		conditions[i] = completed
		total += len(values)
	}
	if total > conditionValues {
		return nil, elbValidationError("A rule can only have '%d' condition values", conditionValues)
	}
	return conditions, nil
}

func completeCondition(c elbCondition, values []string) (elbCondition, error) {
	completed := elbCondition{Field: c.Field}
	switch c.Field {
	case "host-header":
		completed.Values, completed.HostHeaderConfig = values, &elbPatterns{values}
	case "path-pattern":
		completed.Values, completed.PathPatternConfig = values, &elbPatterns{values}
	case "http-header":
		if c.HTTPHeaderConfig == nil || c.HTTPHeaderConfig.HTTPHeaderName == "" {
			return c, elbValidationError("An HTTP header name must be specified")
		}
		completed.HTTPHeaderConfig = c.HTTPHeaderConfig
	case "http-request-method", "query-string", "source-ip":
		return c, unimplemented("conditions on '" + c.Field + "'")
	default:
		return c, elbValidationError("Condition field '%s' must be one of '[http-request-method,path-pattern,host-header,query-string,http-header,source-ip]'", c.Field)
	}
	if len(values) == 0 {
		return c, elbValidationError("A condition value must be specified")
	}
	for _, value := range values {
		if value == "" || len(value) > 128 {
			return c, elbValidationError("Condition value '%s' must be between '1' and '128' characters long", value)
		}
	}
	return completed, nil
}

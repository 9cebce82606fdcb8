package awssim

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// eventRule is a rule: which events go to its targets.
type eventRule struct {
	name        string
	arn         string
	description string
	pattern     *eventPattern
	enabled     bool
	creator     string // account
	targets     map[string]eventTarget
}

type putEventRuleInput struct {
	Name         string
	EventPattern string
	State        string
	Description  string
	EventBusName string

	// What awssim refuses.
	ScheduleExpression string
	RoleArn            string
	Tags               []json.RawMessage
}

// putEventRule creates a rule, or replaces all of the one of that name but its targets.
func putEventRule(c *call, in *putEventRuleInput) (any, error) {
	if err := c.authorizeRule(in.EventBusName, in.Name); err != nil {
		return nil, err
	}
	switch {
	case in.ScheduleExpression != "":
		return nil, notInEvents("schedules: ScheduleExpression")
	case in.RoleArn != "":
		return nil, notInEvents("RoleArn, which queues do not need")
	case len(in.Tags) > 0:
		return nil, notInEvents("tags of rules")
	case in.EventPattern == "":
		return nil, eventsInvalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case len(in.Description) > 512:
		return nil, eventsInvalid("1 validation error detected: Value '%s' at 'description' failed to satisfy constraint: Member must have length less than or equal to 512", in.Description)
	}
	enabled := true
	switch in.State {
	case "", "ENABLED":
	case "DISABLED":
		enabled = false
	default:
		return nil, eventsInvalid("1 validation error detected: Value '%s' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [ENABLED, DISABLED]", in.State)
	}
	pattern, err := parseEventPattern(in.EventPattern)
	if err != nil {
		return nil, err
	}
	rules := c.region.events.rules
	r := rules[in.Name]
	if r == nil {
		if len(rules) >= busRules {
			return nil, tooMany()
		}
		r = &eventRule{name: in.Name, arn: c.ruleARN(in.Name), creator: c.account.id, targets: map[string]eventTarget{}}
		rules[in.Name] = r
	}
	r.pattern, r.description, r.enabled = pattern, in.Description, enabled
	return map[string]string{"RuleArn": r.arn}, nil
}

type eventRuleInput struct {
	Name         string
	EventBusName string
	Force        bool // for rules that AWS manages, of which there are none
}

// deleteEventRule deletes a rule that has no targets; one that does not exist is deleted.
func deleteEventRule(c *call, in *eventRuleInput) (any, error) {
	if err := c.authorizeRule(in.EventBusName, in.Name); err != nil {
		return nil, err
	}
	rules := c.region.events.rules
	if r := rules[in.Name]; r != nil && len(r.targets) > 0 {
		return nil, eventsInvalid("Rule can't be deleted since it has targets.")
	}
	delete(rules, in.Name)
	return nil, nil
}

// eventRuleView is Rule, and DescribeRuleResponse, which has a member more.
type eventRuleView struct {
	Name         string
	Arn          string
	EventPattern string
	State        string
	Description  string `json:",omitempty"`
	EventBusName string
	CreatedBy    string `json:",omitempty"`
}

func (r *eventRule) view() eventRuleView {
	v := eventRuleView{Name: r.name, Arn: r.arn, EventPattern: r.pattern.text, State: "DISABLED", Description: r.description, EventBusName: defaultBus}
	if r.enabled {
		v.State = "ENABLED"
	}
	return v
}

func describeEventRule(c *call, in *eventRuleInput) (any, error) {
	r, err := c.rule(in.EventBusName, in.Name)
	if err != nil {
		return nil, err
	}
	v := r.view()
	v.CreatedBy = r.creator
	return v, nil
}

type listEventRulesInput struct {
	NamePrefix   string
	EventBusName string
	eventsPage
}

type listEventRulesOutput struct {
	Rules     []eventRuleView
	NextToken string `json:",omitempty"`
}

func listEventRules(c *call, in *listEventRulesInput) (any, error) {
	if err := firstError(c.authorize("events:ListRules", c.ruleARN("*"), nil), c.checkBus(in.EventBusName)); err != nil {
		return nil, err
	}
	rules := c.region.events.rules
	names := slices.Sorted(maps.Keys(rules))
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, in.NamePrefix) })
	names, next, err := in.of(names)
	if err != nil {
		return nil, err
	}
	out := listEventRulesOutput{Rules: []eventRuleView{}, NextToken: next}
	for _, name := range names {
		out.Rules = append(out.Rules, rules[name].view())
	}
	return out, nil
}

// eventsPage is what the listing operations have in common.
type eventsPage struct {
	NextToken string
	Limit     *int
}

// of cuts the page out of sorted names: the token is the one that comes next.
func (p eventsPage) of(names []string) (page []string, next string, err error) {
	size := 100
	if p.Limit != nil {
		size = *p.Limit
	}
	from, err := base64.RawURLEncoding.DecodeString(p.NextToken)
	switch {
	case size < 1 || size > 100:
		return nil, "", eventsInvalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and 100", size)
	case err != nil:
		return nil, "", eventsInvalid("The provided token is not valid.")
	}
	at, _ := slices.BinarySearch(names, string(from))
	names = names[at:]
	if len(names) > size {
		return names[:size], base64.RawURLEncoding.EncodeToString([]byte(names[size])), nil
	}
	return names, "", nil
}

func enableEventRule(c *call, in *eventRuleInput) (any, error) { return c.switchRule(in, true) }

func disableEventRule(c *call, in *eventRuleInput) (any, error) { return c.switchRule(in, false) }

func (c *call) switchRule(in *eventRuleInput, enabled bool) (any, error) {
	r, err := c.rule(in.EventBusName, in.Name)
	if err != nil {
		return nil, err
	}
	r.enabled = enabled
	return nil, nil
}

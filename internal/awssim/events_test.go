package awssim

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

const (
	hintsRule    = "release-hints"
	hintsRuleARN = "arn:aws:events:ap-south-1:111122223333:rule/release-hints"
	ecsPattern   = `{"source": ["aws.ecs"]}`
)

func eventsClientOf(t *testing.T, s *Simulator) *eventbridge.Client {
	t.Helper()
	return eventbridge.NewFromConfig(rootConfig(t, s))
}

// putTestRule creates a rule for what ECS tells.
func putTestRule(t *testing.T, client *eventbridge.Client, name string) {
	t.Helper()
	must(client.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: &name, EventPattern: aws.String(ecsPattern)}))(t)
}

func TestARuleIsPutSwitchedAndDeleted(t *testing.T) {
	s := New(Options{})
	client, ctx := eventsClientOf(t, s), t.Context()
	name := aws.String(hintsRule)
	put := must(client.PutRule(ctx, &eventbridge.PutRuleInput{
		Name: name, EventPattern: aws.String(ecsPattern), Description: aws.String("what ECS does"), EventBusName: aws.String("default"),
	}))(t)
	if *put.RuleArn != hintsRuleARN {
		t.Errorf("the rule is %s", *put.RuleArn)
	}
	putTestRule(t, client, "other")
	putTestRule(t, client, "release-other")
	targets := []types.Target{{Id: aws.String("a"), Arn: aws.String(hintsARN)}, {Id: aws.String("b"), Arn: aws.String(hintsARN)}}
	if out := must(client.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: name, Targets: targets}))(t); out.FailedEntryCount != 0 {
		t.Errorf("%+v", out)
	}
	must(client.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: name}))(t)
	rule := must(client.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: name}))(t)
	if rule.State != types.RuleStateDisabled || *rule.EventPattern != ecsPattern || *rule.Description != "what ECS does" || *rule.CreatedBy != ownAccount {
		t.Errorf("%+v", rule)
	}
	must(client.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: name}))(t)
	if rule := must(client.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: name}))(t); rule.State != types.RuleStateEnabled {
		t.Errorf("%+v", rule)
	}
	page := must(client.ListRules(ctx, &eventbridge.ListRulesInput{NamePrefix: aws.String("release"), Limit: aws.Int32(1)}))(t)
	rest := must(client.ListRules(ctx, &eventbridge.ListRulesInput{NamePrefix: aws.String("release"), Limit: aws.Int32(1), NextToken: page.NextToken}))(t)
	if len(page.Rules) != 1 || *page.Rules[0].Name != hintsRule || len(rest.Rules) != 1 || *rest.Rules[0].Name != "release-other" || rest.NextToken != nil {
		t.Errorf("pages %+v and %+v", page.Rules, rest.Rules)
	}
	list := must(client.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: name}))(t)
	if len(list.Targets) != 2 || *list.Targets[1].Id != "b" || *list.Targets[1].Arn != hintsARN {
		t.Errorf("targets %+v", list.Targets)
	}

	_, err := client.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: name})
	wantCode(t, err, "ValidationException", "since it has targets")
	must(client.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: name, Ids: []string{"a", "b", "absent"}}))(t)
	must(client.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: name}))(t)
	must(client.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: name}))(t)
	_, err = client.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: name})
	wantCode(t, err, "ResourceNotFoundException", "Rule release-hints does not exist on EventBus default.")
}

func TestEventBridgeRefusesWhatItCannotDo(t *testing.T) {
	s := New(Options{})
	client, ctx := eventsClientOf(t, s), t.Context()
	putTestRule(t, client, hintsRule)
	rule := func(in eventbridge.PutRuleInput) func() error {
		return func() error {
			_, err := client.PutRule(ctx, &in)
			return err
		}
	}
	target := func(list ...types.Target) func() error {
		return func() error {
			_, err := client.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String(hintsRule), Targets: list})
			return err
		}
	}
	id, queue, pattern := aws.String("a"), aws.String(hintsARN), aws.String(ecsPattern)
	for name, c := range map[string]struct {
		call       func() error
		code, text string
	}{
		"a bus of one's own":           {rule(eventbridge.PutRuleInput{Name: id, EventPattern: pattern, EventBusName: aws.String("mine")}), "ResourceNotFoundException", "Event bus mine does not exist."},
		"a name with a slash":          {rule(eventbridge.PutRuleInput{Name: aws.String("a/b"), EventPattern: pattern}), "ValidationException", "regular expression"},
		"a name that is too long":      {rule(eventbridge.PutRuleInput{Name: aws.String(strings.Repeat("a", 65)), EventPattern: pattern}), "ValidationException", "less than or equal to 64"},
		"neither pattern nor schedule": {rule(eventbridge.PutRuleInput{Name: id}), "ValidationException", "must be specified"},
		"a schedule":                   {rule(eventbridge.PutRuleInput{Name: id, ScheduleExpression: aws.String("rate(1 minute)")}), "ValidationException", "awssim does not implement schedules"},
		"tags":                         {rule(eventbridge.PutRuleInput{Name: id, EventPattern: pattern, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}), "ValidationException", "awssim does not implement tags"},
		"a state that is none":         {rule(eventbridge.PutRuleInput{Name: id, EventPattern: pattern, State: "OFF"}), "ValidationException", "'OFF' at 'state'"},
		"a pattern that is none":       {rule(eventbridge.PutRuleInput{Name: id, EventPattern: aws.String(`{"source": "aws.ecs"}`)}), "InvalidEventPatternException", "must be an object or an array"},
		"no target":                    {target([]types.Target{}...), "ValidationException", "between 1 and 100"},
		"a function":                   {target(types.Target{Id: id, Arn: aws.String("arn:aws:lambda:ap-south-1:111122223333:function:f")}), "ValidationException", "queues only"},
		"a queue of another region":    {target(types.Target{Id: id, Arn: aws.String("arn:aws:sqs:us-east-1:111122223333:q")}), "ValidationException", "not in the region"},
		"a constant for the event":     {target(types.Target{Id: id, Arn: queue, Input: aws.String("{}")}), "ValidationException", "awssim does not implement Input of targets"},
		"the same ID twice":            {target(types.Target{Id: id, Arn: queue}, types.Target{Id: id, Arn: queue}), "ValidationException", "Duplicate Target ID"},
		"six targets": {target(types.Target{Id: aws.String("1"), Arn: queue}, types.Target{Id: aws.String("2"), Arn: queue}, types.Target{Id: aws.String("3"), Arn: queue},
			types.Target{Id: aws.String("4"), Arn: queue}, types.Target{Id: aws.String("5"), Arn: queue}, types.Target{Id: aws.String("6"), Arn: queue}), "LimitExceededException", "maximum number"},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, c.call(), c.code, c.text) })
	}
	if list := must(client.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String(hintsRule)}))(t); len(list.Targets) != 0 {
		t.Errorf("what was refused left %+v", list.Targets)
	}
}

func TestAUserMayDoToRulesWhatItsPolicyAllows(t *testing.T) {
	s := New(Options{})
	client := eventbridge.NewFromConfig(userConfig(t, s, User{Account: ownAccount, Name: "builder", Policies: []json.RawMessage{
		statements(`{"Effect":"Allow","Action":"events:PutRule","Resource":"arn:aws:events:*:*:rule/release-*"}`),
	}}))
	putTestRule(t, client, hintsRule)
	_, err := client.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("other"), EventPattern: aws.String(ecsPattern)})
	wantCode(t, err, "AccessDeniedException", "events:PutRule on resource: arn:aws:events:ap-south-1:111122223333:rule/other")
	_, err = client.ListRules(t.Context(), &eventbridge.ListRulesInput{})
	wantCode(t, err, "AccessDeniedException", "events:ListRules")
}

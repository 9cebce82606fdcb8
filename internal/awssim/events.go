package awssim

import (
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"strings"
)

// eventBus is the default event bus of Amazon EventBridge in one region of one account: it
// carries what AWS's own services announce there to the targets of the rules that match.
type eventBus struct {
	region *region
	random *rand.Rand // of the events' IDs: repeatable from the seed
	rules  map[string]*eventRule
}

func newEventBus(w *world, r *region) *eventBus {
	place := fnv.New64a()
	_, _ = place.Write([]byte("events/" + r.account.id + "/" + r.name))
	return &eventBus{region: r, random: rand.New(rand.NewPCG(w.ecs.seed, place.Sum64())), rules: map[string]*eventRule{}}
}

// eventsOperations is the table of what AWSEvents answers: rules with event patterns on the
// default bus, and queues as their targets. Nobody but AWS's services puts events there.
func (s *Simulator) eventsOperations() map[string]operation {
	return map[string]operation{
		"PutRule":      {"", typed(putEventRule)},
		"DeleteRule":   {"", typed(deleteEventRule)},
		"DescribeRule": {"", typed(describeEventRule)},
		"ListRules":    {"", typed(listEventRules)},
		"EnableRule":   {"", typed(enableEventRule)},
		"DisableRule":  {"", typed(disableEventRule)},

		"PutTargets":        {"", typed(putTargets)},
		"RemoveTargets":     {"", typed(removeTargets)},
		"ListTargetsByRule": {"", typed(listTargetsByRule)},
	}
}

// The quotas of an account and region ("Amazon EventBridge quotas").
const (
	busRules    = 300
	ruleTargets = 5
)

const defaultBus = "default"

func eventsError(code, format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, code, format, args...)
}

// eventsInvalid is a parameter that EventBridge does not take.
func eventsInvalid(format string, args ...any) *apiError {
	return eventsError("ValidationException", format, args...)
}

// notInEvents refuses a parameter, instead of ignoring it.
func notInEvents(what string) *apiError { return eventsInvalid("awssim does not implement %s", what) }

func tooMany() *apiError {
	return eventsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
}

func (c *call) ruleARN(name string) string { return c.arn("events", "rule/"+name) }

// checkBus refuses any bus but the default one, by its name or its ARN; absent means that.
func (c *call) checkBus(bus string) error {
	if bus == "" || bus == defaultBus || bus == c.arn("events", "event-bus/"+defaultBus) {
		return nil
	}
	return eventsError("ResourceNotFoundException", "Event bus %s does not exist.", bus)
}

// authorizeRule asks whether the caller may do the operation to the rule of that name.
func (c *call) authorizeRule(bus, name string) error {
	if err := checkEventName("name", name); err != nil {
		return err
	}
	if err := c.authorize("events:"+c.operation, c.ruleARN(name), nil); err != nil {
		return err
	}
	return c.checkBus(bus)
}

// rule finds the rule that a request is about, once the caller may do the operation to it.
func (c *call) rule(bus, name string) (*eventRule, error) {
	if err := c.authorizeRule(bus, name); err != nil {
		return nil, err
	}
	r := c.region.events.rules[name]
	if r == nil {
		return nil, eventsError("ResourceNotFoundException", "Rule %s does not exist on EventBus default.", name)
	}
	return r, nil
}

// checkEventName is about the names of rules and the IDs of targets, which obey the same law.
func checkEventName(member, name string) error {
	var v violations
	switch {
	case name == "":
		v.add(member, "null", "not be null")
	case len(name) > 64:
		v.add(member, "'"+name+"'", "have length less than or equal to 64")
	case strings.Trim(name, ".-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "":
		v.add(member, "'"+name+"'", `satisfy regular expression pattern: [\.\-_A-Za-z0-9]+`)
	default:
		return nil
	}
	return eventsInvalid("%s", v.message())
}

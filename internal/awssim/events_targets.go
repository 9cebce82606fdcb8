package awssim

import (
	"encoding/json"
	"maps"
	"slices"
)

// eventTarget is a queue that events go to.
type eventTarget struct {
	id    string
	arn   string
	queue queueAddress
}

type targetView struct {
	ID  string `json:"Id"`
	Arn string
}

// putTargetsInput has of the structure Target what queues can have.
type putTargetsInput struct {
	Rule         string
	EventBusName string
	Targets      []map[string]json.RawMessage
}

// putTargetsOutput is also what RemoveTargets answers.
type putTargetsOutput struct {
	FailedEntryCount int
	FailedEntries    []struct{}
}

// putTargets adds queues to a rule, or replaces those of the same IDs. Whether a queue exists
// and lets EventBridge send is found out when an event is on its way there.
func putTargets(c *call, in *putTargetsInput) (any, error) {
	r, err := c.rule(in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	if len(in.Targets) == 0 || len(in.Targets) > 100 {
		return nil, eventsInvalid("1 validation error detected: Value at 'targets' failed to satisfy constraint: Member must have length between 1 and 100")
	}
	targets := maps.Clone(r.targets)
	seen := map[string]bool{}
	for _, written := range in.Targets {
		t, err := c.readTarget(written)
		if err != nil {
			return nil, err
		}
		if seen[t.id] {
			return nil, eventsInvalid("Duplicate Target ID: %s", t.id)
		}
		seen[t.id], targets[t.id] = true, t
	}
	if len(targets) > ruleTargets {
		return nil, tooMany()
	}
	r.targets = targets
	return putTargetsOutput{FailedEntries: []struct{}{}}, nil
}

// targetMembers are those of the structure Target. What they would do to the event, or to its
// delivery, awssim does not.
var targetMembers = []string{
	"RoleArn", "Input", "InputPath", "InputTransformer", "KinesisParameters", "RunCommandParameters", "EcsParameters", "BatchParameters",
	"SqsParameters", "HttpParameters", "RedshiftDataParameters", "SageMakerPipelineParameters", "DeadLetterConfig", "RetryPolicy", "AppSyncParameters",
}

func (c *call) readTarget(written map[string]json.RawMessage) (eventTarget, error) {
	document, err := json.Marshal(written)
	if err != nil {
		return eventTarget{}, err
	}
	var t targetView
	if err := decode(document, &t); err != nil {
		return eventTarget{}, err
	}
	if err := checkEventName("targets.member.id", t.ID); err != nil {
		return eventTarget{}, err
	}
	for _, member := range targetMembers {
		if value, found := written[member]; found && string(value) != "null" {
			return eventTarget{}, notInEvents(member + " of targets")
		}
	}
	at, region, ok := parseQueueARN(t.Arn)
	switch {
	case !ok:
		return eventTarget{}, eventsInvalid("Parameter %s is not valid. Reason: awssim delivers to queues only, and this is not the ARN of one.", t.Arn)
	case region != c.region.name:
		return eventTarget{}, eventsInvalid("Parameter %s is not valid. Reason: Provided Arn is not in the region of the rule.", t.Arn)
	}
	return eventTarget{id: t.ID, arn: t.Arn, queue: at}, nil
}

type removeTargetsInput struct {
	Rule         string
	EventBusName string
	IDs          []string `json:"Ids"`
	Force        bool     // for rules that AWS manages, of which there are none
}

func removeTargets(c *call, in *removeTargetsInput) (any, error) {
	r, err := c.rule(in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	if len(in.IDs) == 0 || len(in.IDs) > 100 {
		return nil, eventsInvalid("1 validation error detected: Value at 'ids' failed to satisfy constraint: Member must have length between 1 and 100")
	}
	for _, id := range in.IDs {
		delete(r.targets, id)
	}
	return putTargetsOutput{FailedEntries: []struct{}{}}, nil
}

type listTargetsInput struct {
	Rule         string
	EventBusName string
	eventsPage
}

type listTargetsOutput struct {
	Targets   []targetView
	NextToken string `json:",omitempty"`
}

func listTargetsByRule(c *call, in *listTargetsInput) (any, error) {
	r, err := c.rule(in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	ids, next, err := in.of(slices.Sorted(maps.Keys(r.targets)))
	if err != nil {
		return nil, err
	}
	out := listTargetsOutput{Targets: []targetView{}, NextToken: next}
	for _, id := range ids {
		out.Targets = append(out.Targets, targetView{id, r.targets[id].arn})
	}
	return out, nil
}

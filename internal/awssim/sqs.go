package awssim

import (
	"strings"
	"time"
)

// sqsState is Amazon SQS in one region of one account. Its clients' clocks are its own: what
// a queue measures in seconds (waiting, visibility, delay, retention) passes on the wall
// clock, whatever the speed of the world.
type sqsState struct {
	queues  map[string]*queue    // by name
	deleted map[string]time.Time // when, by the names of queues that were
}

func newSQSState() *sqsState {
	return &sqsState{queues: map[string]*queue{}, deleted: map[string]time.Time{}}
}

// sqsOperations is the table of what AmazonSQS answers, for standard queues. No quota of
// requests applies to those ("Amazon SQS message quotas").
func (s *Simulator) sqsOperations() map[string]operation {
	return map[string]operation{
		"CreateQueue":        {"", typed(createQueue)},
		"DeleteQueue":        {"", typed(deleteQueue)},
		"GetQueueUrl":        {"", typed(getQueueURL)},
		"ListQueues":         {"", typed(listQueues)},
		"GetQueueAttributes": {"", typed(getQueueAttributes)},
		"SetQueueAttributes": {"", typed(setQueueAttributes)},
		"PurgeQueue":         {"", typed(purgeQueue)},

		"SendMessage":      {"", typed(sendMessage)},
		"SendMessageBatch": {"", typed(sendMessageBatch)},
		"ReceiveMessage":   {"", typed(receiveMessage)},

		"DeleteMessage":                {"", typed(deleteMessage)},
		"DeleteMessageBatch":           {"", typed(deleteMessageBatch)},
		"ChangeMessageVisibility":      {"", typed(changeMessageVisibility)},
		"ChangeMessageVisibilityBatch": {"", typed(changeMessageVisibilityBatch)},

		"TagQueue":      {"", typed(tagQueue)},
		"UntagQueue":    {"", typed(untagQueue)},
		"ListQueueTags": {"", typed(listQueueTags)},
	}
}

// ownersActions are never another account's to do, whatever the queue's policy says ("Using
// Amazon SQS with IAM": cross-account permissions do not apply to them).
var ownersActions = map[string]bool{
	"sqs:CreateQueue": true, "sqs:DeleteQueue": true, "sqs:SetQueueAttributes": true,
	"sqs:ListQueues": true, "sqs:ListQueueTags": true, "sqs:TagQueue": true, "sqs:UntagQueue": true,
}

// authorizeQueue asks whether the caller may do the action to the queue of that address; q is
// nil where there is none. A denial anywhere wins. Within the account, its own policies or
// the queue's are enough; from another account, both must allow it.
func (c *call) authorizeQueue(action string, at queueAddress, q *queue) error {
	arn := at.arn(c.region.name)
	conditions := map[string]string{}
	var resourced decision
	if q != nil {
		for key, value := range q.tags {
			conditions["aws:ResourceTag/"+key] = value
		}
		resourced = q.settings.policy.decideCall(c, action, at.account, arn)
	}
	own := c.principal.decide(action, arn, c.conditionContext(conditions))
	foreign := at.account != c.account.id
	granted := own != explicitlyDenied && resourced != explicitlyDenied
	switch {
	case foreign:
		granted = granted && own == allowed && resourced == allowed && !ownersActions[action]
	default:
		granted = granted && (own == allowed || resourced == allowed)
	}
	c.record(action, arn, granted)
	const refusal = "User: %s is not authorized to perform: %s on resource: %s "
	switch {
	case granted:
		return nil
	case own == explicitlyDenied:
		return c.denied(refusal+"with an explicit deny in an identity-based policy", c.principal.arn, action, arn)
	case resourced == explicitlyDenied:
		return c.denied(refusal+"with an explicit deny in a resource-based policy", c.principal.arn, action, arn)
	case own != allowed:
		return c.denied(refusal+"because no identity-based policy allows the %s action", c.principal.arn, action, arn, action)
	default:
		return c.denied(refusal+"because no resource-based policy allows the %s action", c.principal.arn, action, arn, action)
	}
}

// queueFor finds the queue that a request is about, once the caller may do the action to it.
// What another account does not allow is denied whether the queue exists or not.
func (c *call) queueFor(action, url string) (*queue, error) {
	if url == "" {
		return nil, missingParameter("QueueUrl")
	}
	at, ok := parseQueueURL(url)
	if !ok {
		return nil, newError(404, "InvalidAddress", "The address %s is not valid for this endpoint.", url)
	}
	q := c.sim.findQueue(at, c.region.name)
	if err := c.authorizeQueue("sqs:"+action, at, q); err != nil {
		return nil, err
	}
	if q == nil {
		return nil, queueDoesNotExist()
	}
	q.settle(c.sim.now())
	return q, nil
}

// findQueue looks without creating anything: nil when there is none.
func (w *world) findQueue(at queueAddress, region string) *queue {
	a := w.accounts[at.account]
	if a == nil || a.regions[region] == nil {
		return nil
	}
	return a.regions[region].sqs.queues[at.name]
}

// queueAddress is what the URL and the ARN of a queue have in common.
type queueAddress struct{ account, name string }

func (a queueAddress) arn(region string) string {
	return "arn:aws:sqs:" + region + ":" + a.account + ":" + a.name
}

// url leads back to where the client came from. AWS names its own host; which one a client
// sends to, its endpoint says and not the URL.
func (c *call) queueURL(at queueAddress) string {
	return c.scheme + "://" + c.host + "/" + at.account + "/" + at.name
}

// parseQueueURL reads the account and the name at the end of a URL, whatever its host.
func parseQueueURL(url string) (at queueAddress, ok bool) {
	_, path, found := strings.Cut(url, "://")
	parts := strings.Split(path, "/")
	if !found || len(parts) != 3 || parts[2] == "" {
		return queueAddress{}, false
	}
	return queueAddress{account: parts[1], name: parts[2]}, isAccountID(parts[1])
}

// parseQueueARN reads the ARN of a queue.
func parseQueueARN(arn string) (at queueAddress, region string, ok bool) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[1] != "aws" || parts[2] != "sqs" || !isAccountID(parts[4]) || parts[5] == "" {
		return queueAddress{}, "", false
	}
	return queueAddress{account: parts[4], name: parts[5]}, parts[3], true
}

package seed

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Listener says which queue to create, with a rule of the same name that sends events there.
type Listener struct {
	Name string
	// Pattern selects the events; "" means all of ECS's and ECR's.
	Pattern string
	// Attributes of the queue besides its policy.
	Attributes map[string]string
}

// Listening is where a listener's events arrive.
type Listening struct {
	QueueURL, QueueARN, RuleARN string
}

// Create makes the queue and the rule by the APIs of SQS and EventBridge, both in the region
// and the account of the clients, and lets that rule alone send to the queue.
func (l Listener) Create(ctx context.Context, queues *sqs.Client, events *eventbridge.Client) (*Listening, error) {
	made, err := l.create(ctx, queues, events)
	if err != nil {
		return nil, fmt.Errorf("creating queue and rule %s: %w", l.Name, err)
	}
	return made, nil
}

func (l Listener) create(ctx context.Context, queues *sqs.Client, events *eventbridge.Client) (*Listening, error) {
	queue, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &l.Name, Attributes: l.Attributes})
	if err != nil {
		return nil, err
	}
	attributes, err := queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: queue.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return nil, err
	}
	rule, err := events.PutRule(ctx, &eventbridge.PutRuleInput{
		Name: &l.Name, EventPattern: aws.String(cmp.Or(l.Pattern, `{"source": ["aws.ecs", "aws.ecr"]}`)),
	})
	if err != nil {
		return nil, err
	}
	made := &Listening{QueueURL: *queue.QueueUrl, QueueARN: attributes.Attributes["QueueArn"], RuleARN: *rule.RuleArn}
	policy, err := json.Marshal(made.admission())
	if err != nil {
		return nil, err
	}
	if _, err := queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: queue.QueueUrl, Attributes: map[string]string{"Policy": string(policy)},
	}); err != nil {
		return nil, err
	}
	_, err = events.PutTargets(ctx, &eventbridge.PutTargetsInput{
		Rule: &l.Name, Targets: []eventtypes.Target{{Id: aws.String("queue"), Arn: &made.QueueARN}},
	})
	return made, err
}

// admission is the queue's policy.
func (l *Listening) admission() any {
	return map[string]any{
		"Version": "2012-10-17",
		"Statement": map[string]any{
			"Effect": "Allow", "Principal": map[string]string{"Service": "events.amazonaws.com"},
			"Action": "sqs:SendMessage", "Resource": l.QueueARN,
			"Condition": map[string]any{"ArnEquals": map[string]string{"aws:SourceArn": l.RuleARN}},
		},
	}
}

package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"sigs.k8s.io/yaml"

	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/lab"
)

// template is the template of CloudFormation for events, as far as we have to know. Its functions
// (!Ref Queue, !GetAtt Queue.Arn) are read as what they name.
type template struct {
	Parameters map[string]struct{ Default string }
	Resources  struct {
		Queue struct {
			Type       string
			Properties struct {
				QueueName              string
				MessageRetentionPeriod int
				SqsManagedSseEnabled   bool
			}
		}
		QueuePolicy struct {
			Type       string
			Properties struct {
				Queues         []string
				PolicyDocument map[string]any
			}
		}
		Rule struct {
			Type       string
			Properties struct {
				Name         string
				EventPattern map[string]any
				Targets      []struct{ ID, Arn string }
			}
		}
	}
	Outputs map[string]struct{ Value string }
}

// What the template sets up brings an event of the local AWS into its queue.
func TestTheTemplateOfEventsBringsThem(t *testing.T) {
	content, err := os.ReadFile("events/cloudformation.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var stack template
	if err := yaml.Unmarshal(content, &stack); err != nil {
		t.Fatal(err)
	}
	queue, policy, rule := stack.Resources.Queue, stack.Resources.QueuePolicy, stack.Resources.Rule
	if queue.Type != "AWS::SQS::Queue" || policy.Type != "AWS::SQS::QueuePolicy" || rule.Type != "AWS::Events::Rule" ||
		queue.Properties.QueueName != "Name" || rule.Properties.Name != "Name" || len(policy.Properties.Queues) != 1 || policy.Properties.Queues[0] != "Queue" ||
		len(rule.Properties.Targets) != 1 || rule.Properties.Targets[0].Arn != "Queue.Arn" || stack.Outputs["QueueURL"].Value != "Queue" {
		t.Fatalf("the template is %+v", stack)
	}
	name := stack.Parameters["Name"].Default
	allowed, err := os.ReadFile("iam/policy.json")
	if err != nil || !strings.HasPrefix(name, "ecsrelease-") || !strings.Contains(string(allowed), ":ecsrelease-*") {
		t.Errorf("iam/policy.json does not allow queue %s (%v)", name, err)
	}
	synctest.Test(t, func(t *testing.T) {
		sim := awssim.New(awssim.Options{})
		root := aws.Config{Region: "ap-south-1", HTTPClient: sim.HTTPClient(), Credentials: credentials.NewStaticCredentialsProvider(lab.AccountID, lab.RootSecret, "")}
		queues, events, registry := sqs.NewFromConfig(root), eventbridge.NewFromConfig(root), ecr.NewFromConfig(root)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		made, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{
			"MessageRetentionPeriod": fmt.Sprint(queue.Properties.MessageRetentionPeriod), "SqsManagedSseEnabled": fmt.Sprint(queue.Properties.SqsManagedSseEnabled),
		}})
		must(err)
		pattern, err := json.Marshal(rule.Properties.EventPattern)
		must(err)
		put, err := events.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: &name, EventPattern: aws.String(string(pattern))})
		must(err)
		arn := "arn:aws:sqs:ap-south-1:" + lab.AccountID + ":" + name
		document, err := json.Marshal(policy.Properties.PolicyDocument)
		must(err)
		resolved := strings.NewReplacer("Queue.Arn", arn, "Rule.Arn", *put.RuleArn).Replace(string(document))
		_, err = queues.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: made.QueueUrl, Attributes: map[string]string{"Policy": resolved}})
		must(err)
		_, err = events.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: &name, Targets: []eventtypes.Target{{Id: &rule.Properties.Targets[0].ID, Arn: &arn}}})
		must(err)

		_, err = registry.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String(lab.Repository)})
		must(err)
		_, err = seed.Push(t.Context(), registry, lab.Repository, "v1", seed.Image{})
		must(err)
		time.Sleep(time.Minute)
		out, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: made.QueueUrl, MaxNumberOfMessages: 10})
		must(err)
		if len(out.Messages) != 1 || !strings.Contains(*out.Messages[0].Body, `"ECR Image Action"`) {
			t.Errorf("of a push there came %d messages", len(out.Messages))
		}
	})
}

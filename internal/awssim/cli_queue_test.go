package awssim

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

func TestTheCommandLineUsesAQueue(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	cli := newAWSCLI(t, s)
	var created struct{ QueueURL string }
	cli.ok(t, &created, "sqs", "create-queue", "--queue-name", hintsName, "--attributes", "VisibilityTimeout=43200", "--tags", "team=core")
	url := created.QueueURL
	if url != cli.url+"/111122223333/release-hints" {
		t.Errorf("the queue is at %s, the simulator at %s", url, cli.url)
	}
	cli.ok(t, nil, "sqs", "send-message-batch", "--queue-url", url, "--entries", "Id=a,MessageBody=grüße", "Id=b,MessageBody=two", "Id=c,MessageBody=three,DelaySeconds=900")
	var received struct {
		Messages []struct {
			Body, ReceiptHandle, MD5OfBody string
			Attributes                     map[string]string
		}
	}
	cli.ok(t, &received, "sqs", "receive-message", "--queue-url", url, "--attribute-names", "All", "--max-number-of-messages", "10", "--wait-time-seconds", "20")
	if len(received.Messages) != 2 || received.Messages[0].Body != "grüße" || received.Messages[0].Attributes["ApproximateReceiveCount"] != "1" {
		t.Fatalf("received %+v", received)
	}
	handle := received.Messages[0].ReceiptHandle
	cli.ok(t, nil, "sqs", "delete-message", "--queue-url", url, "--receipt-handle", handle)
	var attributes struct{ Attributes map[string]string }
	cli.ok(t, &attributes, "sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All")
	if a := attributes.Attributes; a["QueueArn"] != hintsARN || a["ApproximateNumberOfMessagesNotVisible"] != "1" || a["ApproximateNumberOfMessagesDelayed"] != "1" {
		t.Errorf("attributes %v", a)
	}
	// There is nothing to receive, and the command writes nothing.
	if stdout, stderr, code := cli.run(t, "sqs", "receive-message", "--queue-url", url); strings.TrimSpace(stdout) != "" || code != 0 {
		t.Errorf("%d %q %s", code, stdout, stderr)
	}
	cli.fails(t, "(AWS.SimpleQueueService.NonExistentQueue)", "sqs", "get-queue-url", "--queue-name", "absent")
}

func TestTheCommandLineHearsOfADeployment(t *testing.T) {
	t.Parallel()
	s := New(Options{Speed: 2000})
	cli := newAWSCLI(t, s)
	var created struct{ QueueURL, RuleArn string }
	cli.ok(t, &created, "sqs", "create-queue", "--queue-name", hintsName)
	cli.ok(t, &created, "events", "put-rule", "--name", hintsRule, "--event-pattern", `{"source": ["aws.ecs"], "detail-type": [{"prefix": "ECS Deployment"}]}`)
	policy, err := json.Marshal(map[string]string{"Policy": letEventsIn(hintsARN, created.RuleArn)})
	if err != nil {
		t.Fatal(err)
	}
	cli.ok(t, nil, "sqs", "set-queue-attributes", "--queue-url", created.QueueURL, "--attributes", string(policy))
	cli.ok(t, nil, "events", "put-targets", "--rule", hintsRule, "--targets", "Id=queue,Arn="+hintsARN)
	var targets struct{ Targets []struct{ ID, Arn string } }
	cli.ok(t, &targets, "events", "list-targets-by-rule", "--rule", hintsRule)
	if len(targets.Targets) != 1 || targets.Targets[0].Arn != hintsARN {
		t.Errorf("%+v", targets)
	}

	client := ecsClientOf(t, s, ownAccount, mumbai)
	must(client.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("live")}))(t)
	must(client.RegisterTaskDefinition(t.Context(), definition("backend", v1)))(t)
	cli.ok(t, nil, "ecs", "create-service", "--cluster", "live", "--service-name", "backend", "--task-definition", "backend", "--desired-count", "1",
		"--launch-type", "FARGATE", "--network-configuration", "awsvpcConfiguration={subnets=[subnet-1]}")
	heard := map[string]bool{}
	for !heard["SERVICE_DEPLOYMENT_COMPLETED"] { // each receive waits until there is something
		var received struct{ Messages []struct{ Body string } }
		cli.ok(t, &received, "sqs", "receive-message", "--queue-url", created.QueueURL, "--wait-time-seconds", "20", "--max-number-of-messages", "10")
		if len(received.Messages) == 0 {
			t.Fatalf("nothing more is heard than %v; deliveries %+v", heard, s.EventDeliveries())
		}
		for _, m := range received.Messages {
			var e heardEvent
			if err := json.Unmarshal([]byte(m.Body), &e); err != nil || e.Resources[0] != "arn:aws:ecs:ap-south-1:111122223333:service/live/backend" {
				t.Errorf("%s: %v", m.Body, err)
			}
			heard[e.Detail["eventName"].(string)] = true
		}
	}
	if !heard["SERVICE_DEPLOYMENT_IN_PROGRESS"] {
		t.Errorf("heard %v", heard)
	}
	cli.fails(t, "(InvalidEventPatternException)", "events", "put-rule", "--name", "a", "--event-pattern", `{"source": "aws.ecs"}`)
}

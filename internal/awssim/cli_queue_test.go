package awssim

import (
	"strings"
	"testing"
)

func TestTheCommandLineUsesAQueue(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	cli := newAWSCLI(t, s)
	var created struct{ QueueURL string }
	cli.ok(t, &created, "sqs", "create-queue", "--queue-name", hintsName, "--attributes", "VisibilityTimeout=60", "--tags", "team=core")
	url := created.QueueURL
	if url != cli.url+"/111122223333/release-hints" {
		t.Errorf("the queue is at %s, the simulator at %s", url, cli.url)
	}
	cli.ok(t, nil, "sqs", "send-message", "--queue-url", url, "--message-body", "grüße")
	cli.ok(t, nil, "sqs", "send-message-batch", "--queue-url", url, "--entries", "Id=a,MessageBody=two", "Id=b,MessageBody=three,DelaySeconds=900")
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
	cli.ok(t, nil, "sqs", "change-message-visibility", "--queue-url", url, "--receipt-handle", handle, "--visibility-timeout", "600")
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
	cli.fails(t, "(InvalidParameterValue)", "sqs", "create-queue", "--queue-name", "a.fifo")
	cli.fails(t, "(InvalidAction)", "sqs", "list-dead-letter-source-queues", "--queue-url", url)
	cli.ok(t, nil, "sqs", "delete-queue", "--queue-url", url)
}

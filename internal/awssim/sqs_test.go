package awssim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	hintsName = "release-hints"
	hintsARN  = "arn:aws:sqs:ap-south-1:111122223333:release-hints"
)

func sqsClientOf(t *testing.T, s *Simulator, account string) *sqs.Client {
	t.Helper()
	return sqs.NewFromConfig(sdkConfig(t, s, mumbai, account, rootSecret, ""))
}

// newTestQueue creates a queue with those attributes and returns its URL.
func newTestQueue(t *testing.T, client *sqs.Client, name string, attributes map[string]string) *string {
	t.Helper()
	return must(client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes}))(t).QueueUrl
}

func sendText(t *testing.T, client *sqs.Client, url *string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		must(client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: &text}))(t)
	}
}

// receiveAll takes up to ten messages with all that is known of them.
func receiveAll(t *testing.T, client *sqs.Client, url *string, wait int32) []types.Message {
	t.Helper()
	return must(client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	}))(t).Messages
}

func bodies(messages []types.Message) string {
	var texts []string
	for _, m := range messages {
		texts = append(texts, *m.Body)
	}
	return strings.Join(texts, " ")
}

// counts are the visible, the invisible and the delayed messages.
func counts(t *testing.T, client *sqs.Client, url *string) string {
	t.Helper()
	a := must(client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"All"}}))(t).Attributes
	return fmt.Sprintf("%s %s %s", a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"], a["ApproximateNumberOfMessagesDelayed"])
}

func TestAQueueIsCreatedFoundChangedAndDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		client, ctx := sqsClientOf(t, s, ownAccount), t.Context()
		create := &sqs.CreateQueueInput{
			QueueName:  aws.String(hintsName),
			Attributes: map[string]string{"VisibilityTimeout": "45", "ReceiveMessageWaitTimeSeconds": "20"},
			Tags:       map[string]string{"team": "core"},
		}
		url := must(client.CreateQueue(ctx, create))(t).QueueUrl
		if want := "http://awssim.local/111122223333/release-hints"; *url != want {
			t.Errorf("the queue is at %s, want %s", *url, want)
		}
		if again := must(client.CreateQueue(ctx, create))(t); *again.QueueUrl != *url {
			t.Errorf("created again it is at %s", *again.QueueUrl)
		}
		_, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(hintsName), Attributes: map[string]string{"VisibilityTimeout": "46"}})
		var exists *types.QueueNameExists
		if !errors.As(err, &exists) {
			t.Errorf("created with another value: %v", err)
		}
		if found := must(client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(hintsName)}))(t); *found.QueueUrl != *url {
			t.Errorf("found at %s", *found.QueueUrl)
		}
		newTestQueue(t, client, "other", nil)
		list := must(client.ListQueues(ctx, &sqs.ListQueuesInput{QueueNamePrefix: aws.String("release-")}))(t)
		if !slices.Equal(list.QueueUrls, []string{*url}) {
			t.Errorf("listed %v", list.QueueUrls)
		}
		page := must(client.ListQueues(ctx, &sqs.ListQueuesInput{MaxResults: aws.Int32(1)}))(t)
		rest := must(client.ListQueues(ctx, &sqs.ListQueuesInput{MaxResults: aws.Int32(1), NextToken: page.NextToken}))(t)
		if len(page.QueueUrls) != 1 || page.NextToken == nil || len(rest.QueueUrls) != 1 || rest.NextToken != nil || page.QueueUrls[0] == rest.QueueUrls[0] {
			t.Errorf("pages %v and %v", page.QueueUrls, rest.QueueUrls)
		}

		must(client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"MaximumMessageSize": "262144"}}))(t)
		attributes := must(client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
			QueueUrl: url, AttributeNames: []types.QueueAttributeName{"QueueArn", "VisibilityTimeout", "MaximumMessageSize", "MessageRetentionPeriod", "Policy"},
		}))(t).Attributes
		want := map[string]string{"QueueArn": hintsARN, "VisibilityTimeout": "45", "MaximumMessageSize": "262144", "MessageRetentionPeriod": "345600"}
		if fmt.Sprint(attributes) != fmt.Sprint(want) {
			t.Errorf("attributes %v, want %v", attributes, want)
		}
		must(client.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: url, Tags: map[string]string{"for": "hints"}}))(t)
		must(client.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: url, TagKeys: []string{"team"}}))(t)
		if tags := must(client.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: url}))(t).Tags; fmt.Sprint(tags) != "map[for:hints]" {
			t.Errorf("tags %v", tags)
		}

		must(client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: url}))(t)
		_, err = client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url})
		var missing *types.QueueDoesNotExist
		if !errors.As(err, &missing) {
			t.Errorf("received from a deleted queue: %v", err)
		}
		_, err = client.CreateQueue(ctx, create)
		var recently *types.QueueDeletedRecently
		if !errors.As(err, &recently) {
			t.Errorf("created at once: %v", err)
		}
		time.Sleep(time.Minute)
		must(client.CreateQueue(ctx, create))(t)
	})
}

func TestAMessageReappearsUntilItIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		client, ctx := sqsClientOf(t, s, ownAccount), t.Context()
		url := newTestQueue(t, client, hintsName, nil)
		began := time.Now()
		sendText(t, client, url, "one")
		first := receiveAll(t, client, url, 0)
		if bodies(first) != "one" || len(receiveAll(t, client, url, 0)) != 0 || counts(t, client, url) != "0 1 0" {
			t.Fatalf("received %q; then %s", bodies(first), counts(t, client, url))
		}
		if got, want := first[0].Attributes["SentTimestamp"], fmt.Sprint(began.UnixMilli()); got != want || *first[0].MD5OfBody != "f97c5d29941bfb1b2fdab0874906ab82" {
			t.Errorf("sent at %s, want %s; MD5 %s", got, want, *first[0].MD5OfBody)
		}
		time.Sleep(5 * time.Second)
		began = time.Now()
		second := receiveAll(t, client, url, 20)
		if waited := time.Since(began); waited != 20*time.Second || len(second) != 0 {
			t.Fatalf("waited %s for %q; the visibility timeout is 30s", waited, bodies(second))
		}
		second = receiveAll(t, client, url, 20)
		if bodies(second) != "one" || second[0].Attributes["ApproximateReceiveCount"] != "2" || *second[0].MessageId != *first[0].MessageId ||
			second[0].Attributes["ApproximateFirstReceiveTimestamp"] != first[0].Attributes["ApproximateFirstReceiveTimestamp"] {
			t.Fatalf("received again %+v", second)
		}

		// The handle of the older receive deletes nothing, and says so nowhere.
		must(client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: first[0].ReceiptHandle}))(t)
		_, err := client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: first[0].ReceiptHandle, VisibilityTimeout: 1})
		wantCode(t, err, "InvalidParameterValue", "is not available for visibility timeout change")
		must(client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: second[0].ReceiptHandle, VisibilityTimeout: 300}))(t)
		time.Sleep(299 * time.Second)
		if early := receiveAll(t, client, url, 0); len(early) != 0 {
			t.Errorf("received %q before its time", bodies(early))
		}
		time.Sleep(time.Second)
		_, err = client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: second[0].ReceiptHandle, VisibilityTimeout: 1})
		var notInFlight *types.MessageNotInflight
		if !errors.As(err, &notInFlight) {
			t.Errorf("hidden although it is not in flight: %v", err)
		}
		must(client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: second[0].ReceiptHandle}))(t)
		must(client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: second[0].ReceiptHandle}))(t)
		if got := counts(t, client, url); got != "0 0 0" {
			t.Errorf("after the deletion %s", got)
		}
	})
}

func TestAReceiveWaitsForAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		client := sqsClientOf(t, s, ownAccount)
		url := newTestQueue(t, client, hintsName, map[string]string{"ReceiveMessageWaitTimeSeconds": "20"})
		began := time.Now()
		received := make(chan []types.Message)
		listen := func() {
			out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url})
			if err != nil {
				t.Error(err)
				out = &sqs.ReceiveMessageOutput{}
			}
			received <- out.Messages
		}
		go listen()
		go listen()
		time.Sleep(7 * time.Second)
		sendText(t, client, url, "news") // one of the two gets it
		if got := <-received; bodies(got) != "news" || time.Since(began) != 7*time.Second {
			t.Errorf("received %q after %s", bodies(got), time.Since(began))
		}
		if got := <-received; len(got) != 0 || time.Since(began) != 20*time.Second {
			t.Errorf("received %q after %s", bodies(got), time.Since(began))
		}

		// It comes back by itself, and a delayed one comes later.
		go listen()
		if got := <-received; bodies(got) != "news" || time.Since(began) != 37*time.Second {
			t.Errorf("received %q after %s", bodies(got), time.Since(began))
		}
		must(client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("later"), DelaySeconds: 5}))(t)
		if got := counts(t, client, url); got != "0 1 1" {
			t.Errorf("counts %s", got)
		}
		go listen()
		if got := <-received; bodies(got) != "later" || time.Since(began) != 42*time.Second {
			t.Errorf("received %q after %s", bodies(got), time.Since(began))
		}
	})
}

func TestAReceiveEndsWithItsClientOrItsQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		client := sqsClientOf(t, s, ownAccount)
		url := newTestQueue(t, client, hintsName, nil)
		wait := &sqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 20}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if _, err := client.ReceiveMessage(ctx, wait); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the client that went away got %v", err)
		}
		sendText(t, client, url, "one")
		if got := receiveAll(t, client, url, 0); bodies(got) != "one" || got[0].Attributes["ApproximateReceiveCount"] != "1" {
			t.Errorf("it took the message with it: %+v", got)
		}
		last := s.Journal(JournalFilter{Operation: "ReceiveMessage"})[0]
		if !last.Executed || !last.Lost {
			t.Errorf("the journal has %+v", last)
		}

		ended := make(chan error)
		go func() {
			_, err := client.ReceiveMessage(t.Context(), wait)
			ended <- err
		}()
		synctest.Wait()
		must(client.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: url}))(t)
		var missing *types.QueueDoesNotExist
		if err := <-ended; !errors.As(err, &missing) {
			t.Errorf("the queue is gone, and the wait ends with %v", err)
		}
	})
}

func TestWhatNobodyCanUseGoesToTheDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		client, ctx := sqsClientOf(t, s, ownAccount), t.Context()
		dead := newTestQueue(t, client, "dead", nil)
		url := newTestQueue(t, client, hintsName, map[string]string{
			"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:ap-south-1:111122223333:dead","maxReceiveCount":"2"}`,
		})
		sent := must(client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("garbage")}))(t)
		for range 2 {
			if got := receiveAll(t, client, url, 0); bodies(got) != "garbage" {
				t.Fatalf("received %q", bodies(got))
			}
			time.Sleep(30 * time.Second)
		}
		if got := receiveAll(t, client, url, 0); len(got) != 0 || counts(t, client, url) != "0 0 0" {
			t.Errorf("a third time received %q", bodies(got))
		}
		got := receiveAll(t, client, dead, 0)
		if bodies(got) != "garbage" || *got[0].MessageId != *sent.MessageId || got[0].Attributes["DeadLetterQueueSourceArn"] != hintsARN {
			t.Fatalf("among the dead letters is %+v", got)
		}
		// Its age goes on: four days after it was sent it is no more.
		time.Sleep(4*24*time.Hour - time.Minute)
		if got := counts(t, client, dead); got != "0 0 0" {
			t.Errorf("after the retention period %s", got)
		}
		must(client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"RedrivePolicy": ""}}))(t)
	})
}

func TestEntriesOfABatchFailByThemselves(t *testing.T) {
	s := New(Options{})
	client, ctx := sqsClientOf(t, s, ownAccount), t.Context()
	url := newTestQueue(t, client, hintsName, nil)
	sent := must(client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("a"), MessageBody: aws.String("one")},
		{Id: aws.String("b"), MessageBody: aws.String("\x01")},
		{Id: aws.String("c"), MessageBody: aws.String("two"), DelaySeconds: 901},
		{Id: aws.String("d"), MessageBody: aws.String("three")},
	}}))(t)
	if len(sent.Successful) != 2 || len(sent.Failed) != 2 || *sent.Failed[0].Code != "InvalidMessageContents" || *sent.Failed[1].Code != "InvalidParameterValue" {
		t.Errorf("sent %+v", sent)
	}
	got := receiveAll(t, client, url, 0)
	if bodies(got) != "one three" {
		t.Fatalf("received %q", bodies(got))
	}
	changed := must(client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: aws.String("a"), ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 0},
		{Id: aws.String("b"), ReceiptHandle: got[1].ReceiptHandle, VisibilityTimeout: 43201},
	}}))(t)
	if len(changed.Successful) != 1 || len(changed.Failed) != 1 || counts(t, client, url) != "1 1 0" {
		t.Errorf("changed %+v, %s", changed, counts(t, client, url))
	}
	deleted := must(client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("a"), ReceiptHandle: got[0].ReceiptHandle},
		{Id: aws.String("b"), ReceiptHandle: aws.String("no handle")},
	}}))(t)
	if len(deleted.Successful) != 1 || len(deleted.Failed) != 1 || *deleted.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("deleted %+v", deleted)
	}
	must(client.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: url}))(t)
	if got := counts(t, client, url); got != "0 0 0" {
		t.Errorf("after the purge %s", got)
	}
	_, err := client.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: url})
	wantCode(t, err, "AWS.SimpleQueueService.PurgeQueueInProgress", "every 60 seconds")
}

func TestSQSRefusesWhatAWSRefuses(t *testing.T) {
	s := New(Options{})
	client, ctx := sqsClientOf(t, s, ownAccount), t.Context()
	url := newTestQueue(t, client, hintsName, map[string]string{"MaximumMessageSize": "1024"})
	create := func(name string, attributes ...string) func() error {
		return func() error {
			in := &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{}}
			for i := 0; i < len(attributes); i += 2 {
				in.Attributes[attributes[i]] = attributes[i+1]
			}
			_, err := client.CreateQueue(ctx, in)
			return err
		}
	}
	receive := func(in sqs.ReceiveMessageInput) func() error {
		return func() error {
			in.QueueUrl = cmpOr(in.QueueUrl, url)
			_, err := client.ReceiveMessage(ctx, &in)
			return err
		}
	}
	send := func(in sqs.SendMessageInput) func() error {
		return func() error {
			in.QueueUrl = url
			_, err := client.SendMessage(ctx, &in)
			return err
		}
	}
	batch := func(ids ...string) func() error {
		return func() error {
			in := &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: []types.DeleteMessageBatchRequestEntry{}}
			for _, id := range ids {
				in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: &id, ReceiptHandle: aws.String("x")})
			}
			_, err := client.DeleteMessageBatch(ctx, in)
			return err
		}
	}
	for name, c := range map[string]struct {
		call       func() error
		code, text string
	}{
		"a FIFO queue":                 {create("a.fifo", "FifoQueue", "true"), "InvalidParameterValue", "standard queues only"},
		"a FIFO attribute":             {create("a", "FifoQueue", "true"), "InvalidAttributeName", "FifoQueue"},
		"a name with a space":          {create("a b"), "InvalidParameterValue", "1 to 80 in length"},
		"an unknown attribute":         {create("a", "Speed", "1"), "InvalidAttributeName", "Unknown Attribute Speed."},
		"a timeout of a day":           {create("a", "VisibilityTimeout", "86400"), "InvalidAttributeValue", "VisibilityTimeout"},
		"a retention of a second":      {create("a", "MessageRetentionPeriod", "1"), "InvalidAttributeValue", "MessageRetentionPeriod"},
		"a size in words":              {create("a", "MaximumMessageSize", "large"), "InvalidAttributeValue", "MaximumMessageSize"},
		"a policy without a Resource":  {create("a", "Policy", `{"Statement":{"Effect":"Allow","Principal":"*","Action":"sqs:*"}}`), "InvalidAttributeValue", "Policy"},
		"a policy that is no JSON":     {create("a", "Policy", "allow"), "InvalidAttributeValue", "Policy"},
		"dead letters to nowhere":      {create("a", "RedrivePolicy", `{"deadLetterTargetArn":"arn:aws:sqs:ap-south-1:111122223333:dead","maxReceiveCount":3}`), "InvalidParameterValue", "Dead letter target does not exist."},
		"dead letters at once":         {create("a", "RedrivePolicy", `{"deadLetterTargetArn":"`+hintsARN+`","maxReceiveCount":0}`), "InvalidParameterValue", "maxReceiveCount"},
		"eleven messages":              {receive(sqs.ReceiveMessageInput{MaxNumberOfMessages: 11}), "InvalidParameterValue", "between 1 and 10"},
		"a wait of 21 seconds":         {receive(sqs.ReceiveMessageInput{WaitTimeSeconds: 21}), "InvalidParameterValue", "Must be >= 0 and <= 20"},
		"an unknown system attribute":  {receive(sqs.ReceiveMessageInput{MessageSystemAttributeNames: []types.MessageSystemAttributeName{"Mood"}}), "InvalidParameterValue", "Mood"},
		"a queue that is not there":    {receive(sqs.ReceiveMessageInput{QueueUrl: aws.String("http://awssim.local/111122223333/absent")}), "AWS.SimpleQueueService.NonExistentQueue", "does not exist"},
		"a URL that is none":           {receive(sqs.ReceiveMessageInput{QueueUrl: aws.String("release-hints")}), "InvalidAddress", "is not valid for this endpoint"},
		"a message of 1025 bytes":      {send(sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 1025))}), "InvalidParameterValue", "must be shorter than 1024 bytes"},
		"a message of nothing":         {send(sqs.SendMessageInput{MessageBody: aws.String("")}), "MissingParameter", "MessageBody"},
		"an attribute of a message":    {send(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String"), StringValue: aws.String("b")}}}), "AWS.SimpleQueueService.UnsupportedOperation", "attributes of messages"},
		"an empty batch":               {batch(), "AWS.SimpleQueueService.EmptyBatchRequest", "at least one entry"},
		"a batch of eleven":            {batch("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"), "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "You have sent 11."},
		"a batch with an ID twice":     {batch("1", "1"), "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id 1 repeated."},
		"a batch with an ID of spaces": {batch("1 1"), "AWS.SimpleQueueService.InvalidBatchEntryId", "alphanumeric"},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, c.call(), c.code, c.text) })
	}
}

func cmpOr[T any](value, otherwise *T) *T {
	if value != nil {
		return value
	}
	return otherwise
}

func TestAQueueIsUsedByWhomPoliciesAllow(t *testing.T) {
	s := New(Options{})
	owner, ctx := sqsClientOf(t, s, ownAccount), t.Context()
	url := newTestQueue(t, owner, hintsName, nil)
	sendText(t, owner, url, "one")
	listener := sqs.NewFromConfig(userConfig(t, s, User{Account: ownAccount, Name: "listener", Policies: []json.RawMessage{
		statements(`{"Effect":"Allow","Action":["sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes"],"Resource":"` + hintsARN + `"}`),
	}}))
	stranger := sqsClientOf(t, s, otherAccount)
	receive := func(client *sqs.Client) error {
		_, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url})
		return err
	}
	send := func(client *sqs.Client) error {
		_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("two")})
		return err
	}
	setPolicy := func(list ...string) {
		t.Helper()
		must(owner.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"Policy": string(statements(list...))}}))(t)
	}

	if err := receive(listener); err != nil {
		t.Error(err)
	}
	wantCode(t, send(listener), "AccessDenied", "because no identity-based policy allows the sqs:SendMessage action")
	wantCode(t, receive(stranger), "AccessDenied", "because no resource-based policy allows the sqs:ReceiveMessage action")
	_, err := stranger.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String("http://awssim.local/111122223333/absent")})
	wantCode(t, err, "AccessDenied", "")

	setPolicy(
		`{"Effect":"Allow","Principal":{"AWS":["`+otherAccount+`","arn:aws:iam::111122223333:user/listener"]},"Action":"SQS:*","Resource":"`+hintsARN+`"}`,
		`{"Effect":"Deny","Principal":"*","Action":"sqs:DeleteMessage","Resource":"`+hintsARN+`"}`,
	)
	if err := errors.Join(send(listener), receive(stranger), send(stranger)); err != nil {
		t.Error(err)
	}
	_, err = listener.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: aws.String("x")})
	wantCode(t, err, "AccessDenied", "with an explicit deny in a resource-based policy")
	_, err = stranger.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: url})
	wantCode(t, err, "AccessDenied", "")
	if found := must(stranger.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(hintsName), QueueOwnerAWSAccountId: aws.String(ownAccount)}))(t); *found.QueueUrl != *url {
		t.Errorf("found at %s", *found.QueueUrl)
	}

	// Naming the queue's own account leaves it to that account's policies.
	setPolicy(`{"Effect":"Allow","Principal":{"AWS":"` + ownAccount + `"},"Action":"sqs:*","Resource":"*"}`)
	wantCode(t, send(listener), "AccessDenied", "")
}

func TestAQueueForgetsTheOldestFirst(t *testing.T) {
	now := time.Now()
	q := newQueue(queueAddress{ownAccount, hintsName}, mumbai, "q", defaultQueueSettings, now)
	for i := range queueMessages + 2 {
		q.put(&queuedMessage{id: fmt.Sprint(i), body: "x", sentAt: now}, 0, now)
	}
	if m := q.receive(nil, time.Minute, now); m.id != "2" || len(q.messages) != queueMessages || q.dropped != 2 {
		t.Errorf("the first is %s of %d, %d dropped", m.id, len(q.messages), q.dropped)
	}
	long := strings.Repeat("x", queueBytes)
	q.put(&queuedMessage{id: "long", body: long, sentAt: now}, 0, now)
	if m := q.receive(nil, time.Minute, now); m == nil || m.id != "long" || len(q.messages) != 1 || len(q.hidden) != 1 {
		t.Errorf("%d messages are left", len(q.messages))
	}
}

package awssim

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

type receiveMessageInput struct {
	QueueURL                    string   `json:"QueueUrl"`
	AttributeNames              []string // the old name of MessageSystemAttributeNames
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string // messages here have none
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
	ReceiveRequestAttemptID     *string `json:"ReceiveRequestAttemptId"`
}

type receiveMessageOutput struct {
	Messages []messageView `json:",omitempty"`
}

type messageView struct {
	MessageID     string `json:"MessageId"`
	ReceiptHandle string
	MD5OfBody     string
	Body          string
	Attributes    map[string]string `json:",omitempty"`
}

// receiveMessage answers with what there is, as soon as there is something, or with nothing
// when the wait is over. A client that goes away while it waits takes nothing with it.
func receiveMessage(c *call, in *receiveMessageInput) (any, error) {
	q, err := c.queueFor("ReceiveMessage", in.QueueURL)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	deadline := c.sim.now().Add(orElse(in.WaitTimeSeconds, q.settings.wait))
	for {
		if out := c.take(q, in); len(out.Messages) > 0 || !c.sim.now().Before(deadline) {
			return out, nil
		}
		if err := c.sim.await(c.ctx, q.nextVisible(deadline)); err != nil {
			return receiveMessageOutput{}, nil //nolint:nilerr // nobody is there to be told
		}
		if c.sim.findQueue(q.queueAddress, q.region) != q {
			return nil, queueDoesNotExist()
		}
		q.settle(c.sim.now())
	}
}

func (in *receiveMessageInput) check() error {
	for _, name := range in.attributeNames() {
		if !systemAttributes[name] {
			return unknownSystemAttribute(name)
		}
	}
	if n := in.WaitTimeSeconds; n != nil && (*n < 0 || *n > 20) {
		return invalidValue("WaitTimeSeconds", strconv.Itoa(*n), "Must be >= 0 and <= 20, if provided.")
	}
	if in.ReceiveRequestAttemptID != nil {
		return notInSQS("FIFO queues: ReceiveRequestAttemptId")
	}
	return firstError(
		bounded("MaxNumberOfMessages", in.MaxNumberOfMessages, 1, 10),
		bounded("VisibilityTimeout", in.VisibilityTimeout, 0, 43200),
	)
}

func (in *receiveMessageInput) attributeNames() []string {
	return append(in.AttributeNames, in.MessageSystemAttributeNames...)
}

// systemAttributes are those that a request may name. Messages of standard queues have no
// sequence numbers, groups and so on.
var systemAttributes = map[string]bool{
	"All": true, "SenderId": true, "SentTimestamp": true, "ApproximateReceiveCount": true, "ApproximateFirstReceiveTimestamp": true,
	"DeadLetterQueueSourceArn": true, "AWSTraceHeader": true, "SequenceNumber": true, "MessageDeduplicationId": true, "MessageGroupId": true,
}

func unknownSystemAttribute(name string) *apiError {
	return sqsError("InvalidParameterValueException", "Unknown Attribute %s.", name)
}

// take receives messages that are there.
func (c *call) take(q *queue, in *receiveMessageInput) receiveMessageOutput {
	now := c.sim.now()
	most := 1
	if in.MaxNumberOfMessages != nil {
		most = *in.MaxNumberOfMessages
	}
	timeout := orElse(in.VisibilityTimeout, q.settings.visibility)
	deadLetters := c.deadLetters(q)
	waiting := 0
	if deadLetters != nil {
		waiting = deadLetters.ready.Len()
	}
	var out receiveMessageOutput
	for len(out.Messages) < most {
		m := q.receive(deadLetters, timeout, now)
		if m == nil {
			break
		}
		out.Messages = append(out.Messages, messageView{
			MessageID: m.id, ReceiptHandle: q.handle(m), MD5OfBody: md5Of(m.body), Body: m.body,
			Attributes: m.attributes(in.attributeNames()),
		})
	}
	if deadLetters != nil && deadLetters.ready.Len() > waiting {
		c.sim.rouse()
	}
	return out
}

// attributes are the system attributes of those names.
func (m *queuedMessage) attributes(names []string) map[string]string {
	all := map[string]string{
		"SenderId":                         m.sender,
		"SentTimestamp":                    millis(m.sentAt),
		"ApproximateReceiveCount":          strconv.Itoa(m.receives),
		"ApproximateFirstReceiveTimestamp": millis(m.received),
	}
	if m.source != "" {
		all["DeadLetterQueueSourceArn"] = m.source
	}
	shown := map[string]string{}
	for _, name := range names {
		if name == "All" {
			return all
		}
		if value, found := all[name]; found {
			shown[name] = value
		}
	}
	return shown
}

// millis is a time as the system attributes carry it.
func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// handle names this receive of the message: the next one has another.
func (q *queue) handle(m *queuedMessage) string {
	return "AQEB" + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s %s %d", q.id, m.id, m.receives))
}

// receipt finds the message of a receipt handle. latest tells whether it was received with
// another one since; m is nil for a message that was deleted or has expired.
func (q *queue) receipt(handle string) (m *queuedMessage, latest bool, err error) {
	text, isOurs := strings.CutPrefix(handle, "AQEB")
	plain, decodeErr := base64.StdEncoding.DecodeString(text)
	parts := strings.Split(string(plain), " ")
	if !isOurs || decodeErr != nil || len(parts) != 3 || parts[0] != q.id {
		return nil, false, newError(404, "ReceiptHandleIsInvalid", "The input receipt handle \"%s\" is not a valid receipt handle.", handle)
	}
	m = q.messages[parts[1]]
	return m, m != nil && strconv.Itoa(m.receives) == parts[2], nil
}

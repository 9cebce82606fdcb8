package awssim

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

type sendMessageInput struct {
	QueueURL     string `json:"QueueUrl"`
	MessageBody  string
	DelaySeconds *int

	// What awssim refuses.
	MessageAttributes       map[string]json.RawMessage
	MessageSystemAttributes map[string]json.RawMessage
	MessageDeduplicationID  *string `json:"MessageDeduplicationId"`
	MessageGroupID          *string `json:"MessageGroupId"`
}

type sendMessageOutput struct {
	MD5OfMessageBody string
	MessageID        string `json:"MessageId"`
}

func sendMessage(c *call, in *sendMessageInput) (any, error) {
	q, err := c.queueFor("SendMessage", in.QueueURL)
	if err != nil {
		return nil, err
	}
	m, err := c.send(q, in)
	if err != nil {
		return nil, err
	}
	return sendMessageOutput{MD5OfMessageBody: md5Of(m.body), MessageID: m.id}, nil
}

// send puts a message of the caller's into the queue, and wakes who waits for it.
func (c *call) send(q *queue, in *sendMessageInput) (*queuedMessage, error) {
	switch {
	case in.MessageBody == "":
		return nil, missingParameter("MessageBody")
	case len(in.MessageBody) > q.settings.maximum:
		return nil, sqsError("InvalidParameterValueException", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.settings.maximum)
	case !sendable(in.MessageBody):
		return nil, sqsError("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.")
	case len(in.MessageAttributes) > 0 || len(in.MessageSystemAttributes) > 0:
		return nil, notInSQS("attributes of messages")
	case in.MessageDeduplicationID != nil || in.MessageGroupID != nil:
		return nil, notInSQS("FIFO and fair queues: MessageDeduplicationId and MessageGroupId")
	}
	if err := bounded("DelaySeconds", in.DelaySeconds, 0, 900); err != nil {
		return nil, err
	}
	now := c.sim.now()
	m := &queuedMessage{id: c.sim.newUUID(), body: in.MessageBody, sender: c.principal.userID, sentAt: now}
	q.put(m, orElse(in.DelaySeconds, q.settings.delay), now)
	c.sim.rouse()
	return m, nil
}

// sendable tells whether a message may consist of that ("SendMessage" in the API reference).
func sendable(body string) bool {
	if !utf8.ValidString(body) {
		return false
	}
	return !strings.ContainsFunc(body, func(r rune) bool {
		return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
	})
}

// md5Of is a checksum of the protocol's, and keeps no secret.
func md5Of(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

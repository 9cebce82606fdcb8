package awssim

import (
	"errors"
	"regexp"
)

// The batch operations: up to ten entries, each of which succeeds or fails by itself.

const batchMost = 10

var batchEntryID = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,80}$`)

type batchOutput struct {
	Successful []any
	Failed     []batchFailure
}

type batchFailure struct {
	ID          string `json:"Id"`
	SenderFault bool
	Code        string
	Message     string `json:",omitempty"`
}

type batchSuccess struct {
	ID string `json:"Id"`
}

type sentSuccess struct {
	batchSuccess
	sendMessageOutput
}

type sendMessageBatchInput struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []struct {
		ID string `json:"Id"`
		sendMessageInput
	}
}

// sendMessageBatch sends messages that together are no longer than the longest one may be.
func sendMessageBatch(c *call, in *sendMessageBatchInput) (any, error) {
	q, err := c.queueFor("SendMessage", in.QueueURL)
	if err != nil {
		return nil, err
	}
	var ids []string
	size := 0
	for _, entry := range in.Entries {
		ids = append(ids, entry.ID)
		size += len(entry.MessageBody)
	}
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	if most := defaultQueueSettings.maximum; size > most {
		return nil, sqsError("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", most, size)
	}
	return eachEntry(ids, func(i int) (any, error) {
		m, err := c.send(q, &in.Entries[i].sendMessageInput)
		if err != nil {
			return nil, err
		}
		return sentSuccess{batchSuccess{ids[i]}, sendMessageOutput{md5Of(m.body), m.id}}, nil
	})
}

type deleteMessageBatchInput struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []struct {
		ID            string `json:"Id"`
		ReceiptHandle string
	}
}

func deleteMessageBatch(c *call, in *deleteMessageBatchInput) (any, error) {
	q, err := c.queueFor("DeleteMessage", in.QueueURL)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, entry := range in.Entries {
		ids = append(ids, entry.ID)
	}
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	return eachEntry(ids, func(i int) (any, error) {
		return batchSuccess{ids[i]}, q.acknowledge(in.Entries[i].ReceiptHandle)
	})
}

type changeMessageVisibilityBatchInput struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []struct {
		ID                string `json:"Id"`
		ReceiptHandle     string
		VisibilityTimeout *int
	}
}

func changeMessageVisibilityBatch(c *call, in *changeMessageVisibilityBatchInput) (any, error) {
	q, err := c.queueFor("ChangeMessageVisibility", in.QueueURL)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, entry := range in.Entries {
		ids = append(ids, entry.ID)
	}
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	return eachEntry(ids, func(i int) (any, error) {
		return batchSuccess{ids[i]}, c.hideAgain(q, in.Entries[i].ReceiptHandle, in.Entries[i].VisibilityTimeout)
	})
}

// checkBatch refuses a batch as a whole for its size or for the IDs of its entries.
func checkBatch(ids []string) error {
	if len(ids) == 0 {
		return sqsError("EmptyBatchRequest", "There should be at least one entry in the request.")
	}
	if len(ids) > batchMost {
		return sqsError("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", batchMost, len(ids))
	}
	seen := map[string]bool{}
	for _, id := range ids {
		switch {
		case !batchEntryID.MatchString(id):
			return sqsError("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		case seen[id]:
			return sqsError("BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}
		seen[id] = true
	}
	return nil
}

// eachEntry does the work of a batch, entry by entry.
func eachEntry(ids []string, do func(i int) (any, error)) (any, error) {
	out := batchOutput{Successful: []any{}, Failed: []batchFailure{}}
	for i, id := range ids {
		done, err := do(i)
		var refusal *apiError
		switch {
		case err == nil:
			out.Successful = append(out.Successful, done)
		case errors.As(err, &refusal):
			code, _ := queryCode(refusal)
			out.Failed = append(out.Failed, batchFailure{ID: id, SenderFault: true, Code: code, Message: refusal.message})
		default:
			return nil, err
		}
	}
	return out, nil
}

package awssim

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What CreateQueue and DeleteQueue take a minute for, in AWS's time.
const (
	queueNameRest  = 60 * time.Second // before a name may be used again
	queuePurgeRest = 60 * time.Second // before a queue may be purged again
)

var queueName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,80}$`)

type createQueueInput struct {
	QueueName  string
	Attributes map[string]string
	Tags       map[string]string `json:"tags"`
}

type queueURLOutput struct {
	QueueURL string `json:"QueueUrl"`
}

// createQueue creates a queue, or finds the one of that name whose attributes have all the
// values that the request names.
func createQueue(c *call, in *createQueueInput) (any, error) {
	at := queueAddress{c.account.id, in.QueueName}
	if in.QueueName == "" {
		return nil, missingParameter("QueueName")
	}
	if err := c.authorizeQueue("sqs:CreateQueue", at, nil); err != nil {
		return nil, err
	}
	if len(in.Tags) > 0 {
		if err := c.authorizeQueue("sqs:TagQueue", at, nil); err != nil {
			return nil, err
		}
	}
	switch {
	case strings.HasSuffix(in.QueueName, ".fifo"):
		return nil, invalidValue("QueueName", in.QueueName, "awssim implements standard queues only.")
	case !queueName.MatchString(in.QueueName):
		return nil, sqsError("InvalidParameterValueException", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	settings := defaultQueueSettings
	if err := settings.apply(c, in.Attributes); err != nil {
		return nil, err
	}
	if err := checkQueueTags(in.Tags); err != nil {
		return nil, err
	}
	st, now := c.region.sqs, c.sim.now()
	if q := st.queues[in.QueueName]; q != nil {
		if name := q.differing(in.Attributes, settings); name != "" {
			return nil, sqsError("QueueNameExists", "A queue already exists with the same name and a different value for attribute %s", name)
		}
		return queueURLOutput{c.queueURL(at)}, nil
	}
	rest := c.sim.scale(queueNameRest)
	if since, was := st.deleted[in.QueueName]; was && now.Sub(since) < rest {
		return nil, sqsError("QueueDeletedRecently", "You must wait 60 seconds after deleting a queue before you can create another with the same name.")
	}
	maps.DeleteFunc(st.deleted, func(_ string, since time.Time) bool { return now.Sub(since) >= rest })
	q := newQueue(at, c.region.name, c.sim.randomText(hexAlphabet, 16), settings, now)
	maps.Copy(q.tags, in.Tags)
	st.queues[in.QueueName] = q
	return queueURLOutput{c.queueURL(at)}, nil
}

type queueInput struct {
	QueueURL string `json:"QueueUrl"`
}

func deleteQueue(c *call, in *queueInput) (any, error) {
	q, err := c.queueFor("DeleteQueue", in.QueueURL)
	if err != nil {
		return nil, err
	}
	delete(c.region.sqs.queues, q.name)
	c.region.sqs.deleted[q.name] = c.sim.now()
	c.sim.rouse() // a receive that waits learns of it
	return nil, nil
}

type getQueueURLInput struct {
	QueueName              string
	QueueOwnerAWSAccountID string `json:"QueueOwnerAWSAccountId"`
}

func getQueueURL(c *call, in *getQueueURLInput) (any, error) {
	if in.QueueName == "" {
		return nil, missingParameter("QueueName")
	}
	at := queueAddress{c.account.id, in.QueueName}
	if in.QueueOwnerAWSAccountID != "" {
		at.account = in.QueueOwnerAWSAccountID
	}
	q := c.sim.findQueue(at, c.region.name)
	if err := c.authorizeQueue("sqs:GetQueueUrl", at, q); err != nil {
		return nil, err
	}
	if q == nil {
		return nil, queueDoesNotExist()
	}
	return queueURLOutput{c.queueURL(at)}, nil
}

type listQueuesInput struct {
	QueueNamePrefix string
	MaxResults      *int
	NextToken       string
}

type listQueuesOutput struct {
	QueueURLs []string `json:"QueueUrls,omitempty"`
	NextToken string   `json:",omitempty"`
}

// listQueues lists a thousand at most; the rest comes in pages only where the request has
// MaxResults.
func listQueues(c *call, in *listQueuesInput) (any, error) {
	if err := c.authorize("sqs:ListQueues", "*", nil); err != nil {
		return nil, err
	}
	if err := bounded("MaxResults", in.MaxResults, 1, 1000); err != nil {
		return nil, err
	}
	from, err := base64.RawURLEncoding.DecodeString(in.NextToken)
	if err != nil {
		return nil, sqsError("InvalidParameterValueException", "Invalid or expired next token.")
	}
	size := 1000
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	var out listQueuesOutput
	for _, name := range slices.Sorted(maps.Keys(c.region.sqs.queues)) {
		if name < string(from) || !strings.HasPrefix(name, in.QueueNamePrefix) {
			continue
		}
		if len(out.QueueURLs) == size {
			if in.MaxResults != nil {
				out.NextToken = base64.RawURLEncoding.EncodeToString([]byte(name))
			}
			break
		}
		out.QueueURLs = append(out.QueueURLs, c.queueURL(queueAddress{c.account.id, name}))
	}
	return out, nil
}

func purgeQueue(c *call, in *queueInput) (any, error) {
	q, err := c.queueFor("PurgeQueue", in.QueueURL)
	if err != nil {
		return nil, err
	}
	now := c.sim.now()
	if !q.purged.IsZero() && now.Sub(q.purged) < c.sim.scale(queuePurgeRest) {
		return nil, sqsError("PurgeQueueInProgress", "Only one PurgeQueue operation on %s is allowed every 60 seconds.", q.name)
	}
	q.clear()
	q.purged = now
	return nil, nil
}

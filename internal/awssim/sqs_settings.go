package awssim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// queueSettings are the attributes of a queue that CreateQueue and SetQueueAttributes set.
type queueSettings struct {
	visibility time.Duration
	maximum    int // bytes of a message
	retention  time.Duration
	delay      time.Duration
	wait       time.Duration // of a receive that does not say
	encrypted  bool          // says SqsManagedSseEnabled
	policy     *queuePolicy
	redrive    *redrive
}

// redrive is a RedrivePolicy: where a message goes that was received so often.
type redrive struct {
	text   string
	target string // ARN
	max    int
}

var defaultQueueSettings = queueSettings{
	visibility: 30 * time.Second, maximum: 1 << 20, retention: 4 * 24 * time.Hour, encrypted: true,
}

// apply reads attributes into the settings ("SetQueueAttributes" in the API reference).
// Attributes that are absent stay as they are; an empty policy is none.
func (s *queueSettings) apply(c *call, attributes map[string]string) error {
	for name, value := range attributes {
		var err error
		switch name {
		case "VisibilityTimeout":
			err = seconds(name, value, 0, 43200, &s.visibility)
		case "MessageRetentionPeriod":
			err = seconds(name, value, 60, 1209600, &s.retention)
		case "DelaySeconds":
			err = seconds(name, value, 0, 900, &s.delay)
		case "ReceiveMessageWaitTimeSeconds":
			err = seconds(name, value, 0, 20, &s.wait)
		case "MaximumMessageSize":
			s.maximum, err = number(name, value, 1024, 1<<20)
		case "SqsManagedSseEnabled":
			s.encrypted, err = strconv.ParseBool(value)
			if err != nil {
				err = invalidAttribute(name, "")
			}
		case "Policy":
			s.policy = nil
			if value != "" {
				s.policy, err = parseQueuePolicy(value)
			}
		case "RedrivePolicy":
			s.redrive = nil
			if value != "" {
				s.redrive, err = c.parseRedrive(value)
			}
		case "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
			"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "RedriveAllowPolicy":
			err = sqsError("InvalidAttributeName", "awssim does not implement the attribute %s.", name)
		default:
			err = unknownAttribute(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func unknownAttribute(name string) *apiError {
	return sqsError("InvalidAttributeName", "Unknown Attribute %s.", name)
}

func number(name, value string, least, most int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		return 0, invalidAttribute(name, "")
	}
	return n, nil
}

func seconds(name, value string, least, most int, into *time.Duration) error {
	n, err := number(name, value, least, most)
	if err == nil {
		*into = time.Duration(n) * time.Second
	}
	return err
}

// parseRedrive reads a redrive policy, whose count may be written as a number or as text. The
// dead-letter queue is one of the same account and region, and must exist.
func (c *call) parseRedrive(text string) (*redrive, error) {
	refused := func(reason string) error { return invalidValue("RedrivePolicy", text, reason) }
	var document struct {
		Target *string     `json:"deadLetterTargetArn"`
		Max    json.Number `json:"maxReceiveCount"` // which takes a number in quotes, too
	}
	if err := decodeStrictly([]byte(text), &document); err != nil || document.Target == nil || document.Max == "" {
		return nil, refused("Redrive policy is not a valid JSON map.")
	}
	times, err := strconv.Atoi(document.Max.String())
	if err != nil || times < 1 || times > 1000 {
		return nil, refused("Invalid value for maxReceiveCount: " + document.Max.String() + ", valid values are from 1 to 1000 both inclusive.")
	}
	at, region, ok := parseQueueARN(*document.Target)
	if !ok {
		return nil, refused("Invalid value for deadLetterTargetArn.")
	}
	if at.account != c.account.id || region != c.region.name || c.region.sqs.queues[at.name] == nil {
		return nil, refused("Dead letter target does not exist.")
	}
	return &redrive{text: text, target: *document.Target, max: times}, nil
}

// differing is an attribute whose value is not the queue's, "" for none.
func (q *queue) differing(attributes map[string]string, wanted queueSettings) string {
	has, wants := q.settings.shown(), wanted.shown()
	for name := range attributes {
		if has[name] != wants[name] {
			return name
		}
	}
	return ""
}

// shown are the settings as attributes.
func (s *queueSettings) shown() map[string]string {
	whole := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	attributes := map[string]string{
		"VisibilityTimeout":             whole(s.visibility),
		"MaximumMessageSize":            strconv.Itoa(s.maximum),
		"MessageRetentionPeriod":        whole(s.retention),
		"DelaySeconds":                  whole(s.delay),
		"ReceiveMessageWaitTimeSeconds": whole(s.wait),
		"SqsManagedSseEnabled":          strconv.FormatBool(s.encrypted),
	}
	if s.policy != nil {
		attributes["Policy"] = s.policy.text
	}
	if s.redrive != nil {
		attributes["RedrivePolicy"] = s.redrive.text
	}
	return attributes
}

// attributes are all that GetQueueAttributes can show of the queue.
func (q *queue) attributes() map[string]string {
	attributes := q.settings.shown()
	attributes["QueueArn"] = q.ownARN()
	attributes["CreatedTimestamp"] = fmt.Sprint(q.created.Unix())
	attributes["LastModifiedTimestamp"] = fmt.Sprint(q.modified.Unix())
	attributes["ApproximateNumberOfMessages"] = strconv.Itoa(q.ready.Len())
	attributes["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(len(q.hidden) - q.delayed)
	attributes["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(q.delayed)
	return attributes
}

// otherAttributes exist, and the queues here never have them.
var otherAttributes = map[string]bool{
	"FifoQueue": true, "ContentBasedDeduplication": true, "DeduplicationScope": true, "FifoThroughputLimit": true,
	"KmsMasterKeyId": true, "KmsDataKeyReusePeriodSeconds": true, "RedriveAllowPolicy": true,
	"Policy": true, "RedrivePolicy": true,
}

type queueAttributesInput struct {
	QueueURL       string `json:"QueueUrl"`
	AttributeNames []string
	Attributes     map[string]string
}

type queueAttributesOutput struct {
	Attributes map[string]string `json:",omitempty"`
}

// getQueueAttributes shows what was asked for by name, or all of it; nothing when nothing was.
func getQueueAttributes(c *call, in *queueAttributesInput) (any, error) {
	q, err := c.queueFor("GetQueueAttributes", in.QueueURL)
	if err != nil {
		return nil, err
	}
	all, shown := q.attributes(), map[string]string{}
	for _, name := range in.AttributeNames {
		value, found := all[name]
		switch {
		case found:
			shown[name] = value
		case name == "All":
			shown = all
		case !otherAttributes[name]:
			return nil, unknownAttribute(name)
		}
	}
	return queueAttributesOutput{shown}, nil
}

// setQueueAttributes takes effect at once; AWS's queues take up to a minute.
func setQueueAttributes(c *call, in *queueAttributesInput) (any, error) {
	q, err := c.queueFor("SetQueueAttributes", in.QueueURL)
	if err != nil {
		return nil, err
	}
	if in.Attributes == nil {
		return nil, missingParameter("Attributes")
	}
	settings := q.settings
	if err := settings.apply(c, in.Attributes); err != nil {
		return nil, err
	}
	q.settings, q.modified = settings, c.sim.now()
	c.sim.rouse() // a receive that waits sees a message expire, or a longer wait end
	return nil, nil
}

// deadLetters is the queue that the redrive policy names, nil for none or one that is gone.
func (c *call) deadLetters(q *queue) *queue {
	if q.settings.redrive == nil {
		return nil
	}
	at, region, _ := parseQueueARN(q.settings.redrive.target)
	return c.sim.findQueue(at, region)
}

// orElse is the number of seconds in a parameter, or the duration where it is absent.
func orElse(parameter *int, otherwise time.Duration) time.Duration {
	if parameter == nil {
		return otherwise
	}
	return time.Duration(*parameter) * time.Second
}

// bounded refuses a parameter out of its range; absent is fine.
func bounded(name string, value *int, least, most int) error {
	if n := *cmp.Or(value, &least); n < least || n > most {
		return invalidValue(name, strconv.Itoa(n), fmt.Sprintf("Must be between %d and %d, if provided.", least, most))
	}
	return nil
}

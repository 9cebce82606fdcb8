package awssim

import (
	"maps"
	"unicode/utf8"
)

const queueTagsMost = 50

type tagQueueInput struct {
	QueueURL string `json:"QueueUrl"`
	Tags     map[string]string
	TagKeys  []string
}

func tagQueue(c *call, in *tagQueueInput) (any, error) {
	q, err := c.queueFor("TagQueue", in.QueueURL)
	if err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, missingParameter("Tags")
	}
	tags := maps.Clone(q.tags)
	maps.Copy(tags, in.Tags)
	if err := checkQueueTags(tags); err != nil {
		return nil, err
	}
	q.tags = tags
	return nil, nil
}

func untagQueue(c *call, in *tagQueueInput) (any, error) {
	q, err := c.queueFor("UntagQueue", in.QueueURL)
	if err != nil {
		return nil, err
	}
	if len(in.TagKeys) == 0 {
		return nil, missingParameter("TagKeys")
	}
	for _, key := range in.TagKeys {
		delete(q.tags, key)
	}
	return nil, nil
}

type listQueueTagsOutput struct {
	Tags map[string]string `json:",omitempty"`
}

func listQueueTags(c *call, in *queueInput) (any, error) {
	q, err := c.queueFor("ListQueueTags", in.QueueURL)
	if err != nil {
		return nil, err
	}
	return listQueueTagsOutput{q.tags}, nil
}

func checkQueueTags(tags map[string]string) error {
	if len(tags) > queueTagsMost {
		return sqsError("InvalidParameterValueException", "Too many tags: a queue has %d at most.", queueTagsMost)
	}
	for key, value := range tags {
		if n := utf8.RuneCountInString(key); n < 1 || n > 128 || utf8.RuneCountInString(value) > 256 {
			return sqsError("InvalidParameterValueException", "Tag keys must be between 1 and 128 characters in length, values at most 256: %s", key)
		}
	}
	return nil
}

package awssim

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// readTags checks the tags of a request.
func (c *call) readTags(list []elbTag) (elbTags, error) {
	tags := elbTags{}
	for _, tag := range list {
		switch _, twice := tags[tag.Key]; {
		case twice:
			failure := elbValidationError("Tag keys must be unique. Duplicate key: '%s'", tag.Key)
			if c.operation == "CreateLoadBalancer" { // the only creation whose model has an error for it
				failure.code = "DuplicateTagKeys"
			}
			return nil, failure
		case !tagKeyPattern.MatchString(tag.Key) || utf8.RuneCountInString(tag.Key) > 128:
			return nil, elbValidationError("Tag key '%s' is not valid", tag.Key)
		case strings.HasPrefix(strings.ToLower(tag.Key), "aws:"):
			return nil, elbValidationError("Tag keys starting with 'aws:' are reserved for system use")
		case !tagValuePattern.MatchString(tag.Value) || utf8.RuneCountInString(tag.Value) > 256:
			return nil, elbValidationError("Tag value '%s' is not valid", tag.Value)
		}
		tags[tag.Key] = tag.Value
	}
	if len(tags) > 50 {
		return nil, newError(http.StatusBadRequest, "TooManyTags", "The maximum number of tags per resource is 50")
	}
	return tags, nil
}

type describeTagsInput struct{ ResourceArns []string }

type describeTagsOutput struct{ TagDescriptions []tagDescription }

type tagDescription struct {
	ResourceArn string
	Tags        []elbTag
}

func describeTags(c *call, in *describeTagsInput) (any, error) {
	if err := c.authorizeELB(); err != nil {
		return nil, err
	}
	if len(in.ResourceArns) == 0 || len(in.ResourceArns) > 20 {
		return nil, elbValidationError("Between 1 and 20 resource ARNs must be specified")
	}
	out := describeTagsOutput{}
	for _, arn := range in.ResourceArns {
		tags, err := c.tagsOf(arn)
		if err != nil {
			return nil, err
		}
		description := tagDescription{ResourceArn: arn}
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			description.Tags = append(description.Tags, elbTag{key, tags[key]})
		}
		out.TagDescriptions = append(out.TagDescriptions, description)
	}
	return out, nil
}

// tagsOf is the tags of a resource of any kind.
func (c *call) tagsOf(arn string) (elbTags, error) {
	st := c.region.elb
	for _, kind := range []elbKind{balancerKind, groupKind, listenerKind, ruleKind} {
		if c.checkELBARN(kind, arn) != nil {
			continue
		}
		if b := st.balancers[arn]; b != nil {
			return b.tags, nil
		}
		if g := st.groups[arn]; g != nil {
			return g.tags, nil
		}
		if l := st.listeners[arn]; l != nil {
			return l.tags, nil
		}
		if r := st.rules[arn]; r != nil {
			return r.tags, nil
		}
		return nil, kind.missing(arn)
	}
	return nil, elbValidationError("'%s' is not a valid resource ARN", arn)
}

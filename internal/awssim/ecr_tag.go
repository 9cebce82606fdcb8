package awssim

import (
	"slices"
	"strings"
)

type ecrTagsInput struct {
	ResourceARN string           `json:"resourceArn"`
	Tags        []ecrResourceTag `json:"tags"`
	TagKeys     []string         `json:"tagKeys"`
}

// ecrResource finds the repository that an ARN names, for the operations on tags.
func (c *call) ecrResource(action, arn string) (*ecrRepository, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "ecr" || !strings.HasPrefix(parts[5], "repository/") {
		return nil, ecrInvalid("resourceArn", "must be the ARN of a repository")
	}
	if parts[3] != c.region.name {
		return nil, ecrInvalid("resourceArn", "must be in the region of the request, %s", c.region.name)
	}
	return c.repository(action, parts[4], strings.TrimPrefix(parts[5], "repository/"))
}

func tagECRResource(c *call, in *ecrTagsInput) (any, error) {
	repository, err := c.ecrResource("TagResource", in.ResourceARN)
	if err != nil {
		return nil, err
	}
	tags, err := mergeResourceTags(repository.tags, in.Tags)
	if err != nil {
		return nil, err
	}
	repository.tags = tags
	return struct{}{}, nil
}

func untagECRResource(c *call, in *ecrTagsInput) (any, error) {
	repository, err := c.ecrResource("UntagResource", in.ResourceARN)
	if err != nil {
		return nil, err
	}
	repository.tags = slices.DeleteFunc(slices.Clone(repository.tags),
		func(t ecrResourceTag) bool { return slices.Contains(in.TagKeys, t.Key) })
	return struct{}{}, nil
}

func listECRTags(c *call, in *ecrTagsInput) (any, error) {
	repository, err := c.ecrResource("ListTagsForResource", in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return map[string]any{"tags": append([]ecrResourceTag{}, repository.tags...)}, nil
}

// mergeResourceTags adds tags to those that a resource has, replacing the values of equal keys.
func mergeResourceTags(have, add []ecrResourceTag) ([]ecrResourceTag, error) {
	merged := slices.Clone(have)
	seen := map[string]bool{}
	for _, tag := range add {
		switch {
		case tag.Key == "" || len(tag.Key) > 128 || len(tag.Value) > 256:
			return nil, newError(400, "InvalidTagParameterException",
				"Invalid parameter at 'tags' failed to satisfy constraint: 'Tag keys must have 1 to 128 characters and values at most 256'")
		case strings.HasPrefix(strings.ToLower(tag.Key), "aws:"):
			return nil, newError(400, "InvalidTagParameterException",
				"Invalid parameter at 'tags' failed to satisfy constraint: 'aws: prefixed tag key names are not allowed for external use'")
		case seen[tag.Key]:
			return nil, newError(400, "InvalidTagParameterException",
				"Invalid parameter at 'tags' failed to satisfy constraint: 'Duplicate tag keys found: %s'", tag.Key)
		}
		seen[tag.Key] = true
		if at := slices.IndexFunc(merged, func(t ecrResourceTag) bool { return t.Key == tag.Key }); at >= 0 {
			merged[at] = tag
		} else {
			merged = append(merged, tag)
		}
	}
	if len(merged) > 50 {
		return nil, newError(400, "TooManyTagsException", "The number of tags per resource must not exceed 50")
	}
	return merged, nil
}

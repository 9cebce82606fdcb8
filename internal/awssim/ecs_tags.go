package awssim

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// ecsTag is a tag of a cluster, a task definition or a service.
type ecsTag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

var tagPattern = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// checkTags is what AWS checks of the tags in a request.
func checkTags(tags []ecsTag) error {
	if len(tags) > 50 {
		return invalidParameter("The number of tags exceeds the limit of 50 tags per resource.")
	}
	seen := map[string]bool{}
	for _, tag := range tags {
		switch {
		case tag.Key == "":
			return invalidParameter("Tag key cannot be null or empty.")
		case utf8.RuneCountInString(tag.Key) > 128 || !tagPattern.MatchString(tag.Key):
			return invalidParameter("Tag key %s is invalid. Tag keys must match %s and have at most 128 characters.", tag.Key, tagPattern)
		case utf8.RuneCountInString(tag.Value) > 256 || !tagPattern.MatchString(tag.Value):
			return invalidParameter("Tag value of key %s is invalid. Tag values must match %s and have at most 256 characters.", tag.Key, tagPattern)
		case strings.HasPrefix(strings.ToLower(tag.Key), "aws:"):
			return invalidParameter("Tag keys cannot start with aws:, this prefix is reserved for AWS use: %s", tag.Key)
		case seen[tag.Key]:
			return invalidParameter("Duplicate tag keys found. Please note that Tag keys are case insensitive: %s", tag.Key)
		}
		seen[tag.Key] = true
	}
	return nil
}

// authorizeTagging checks the ecs:TagResource that creating something with tags takes.
func (c *call) authorizeTagging(resource string, tags []ecsTag) error {
	if len(tags) == 0 {
		return nil
	}
	conditions := requestTags(tags)
	conditions["ecs:CreateAction"] = c.operation
	return c.authorize("ecs:TagResource", resource, conditions)
}

// requestTags are the condition keys of the tags in a request.
func requestTags(tags []ecsTag) map[string]string {
	conditions := map[string]string{}
	for _, tag := range tags {
		conditions["aws:RequestTag/"+tag.Key] = tag.Value
	}
	return conditions
}

// withResourceTags adds the condition keys of the tags that a resource has.
func withResourceTags(conditions map[string]string, tags []ecsTag) map[string]string {
	for _, tag := range tags {
		conditions["aws:ResourceTag/"+tag.Key] = tag.Value
	}
	return conditions
}

// tagged finds the tags of a resource by its ARN; refresh is called after a change.
func (c *call) tagged(arn string) (tags *[]ecsTag, refresh func(), err error) {
	st := c.region.ecs
	unchanged := func() {}
	kind, path, _ := strings.Cut(strings.TrimPrefix(arn, c.arn("ecs", "")), "/")
	if !strings.HasPrefix(arn, c.arn("ecs", "")) || path == "" {
		return nil, nil, invalidParameter("Invalid identifier: %s", arn)
	}
	notFound := newError(400, "ResourceNotFoundException", "The specified resource could not be found: %s", arn)
	switch kind {
	case "cluster":
		if found := st.clusters[path]; found != nil && found.status == "ACTIVE" {
			return &found.tags, unchanged, nil
		}
		return nil, nil, newError(400, "ClusterNotFoundException", "Cluster not found.")
	case "service":
		owner, name, _ := strings.Cut(path, "/")
		if in := st.clusters[owner]; in != nil {
			if found := in.services[name]; found != nil && found.status == "ACTIVE" {
				return &found.tags, found.touch, nil
			}
		}
		return nil, nil, notFound
	case "task-definition":
		if found := st.taskDefinitionAt(path); found != nil {
			return &found.tags, unchanged, nil
		}
		return nil, nil, notFound
	case "task":
		owner, id, _ := strings.Cut(path, "/")
		if in := st.clusters[owner]; in != nil {
			if found := in.tasks[id]; found != nil {
				return &found.tags, unchanged, nil
			}
		}
		return nil, nil, notFound
	default:
		return nil, nil, invalidParameter("Unsupported resource type: %s", kind)
	}
}

func tagResource(c *call, in json.RawMessage) (any, error) {
	var req struct {
		ResourceARN string   `json:"resourceArn"`
		Tags        []ecsTag `json:"tags"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	if err := c.authorize("ecs:TagResource", req.ResourceARN, requestTags(req.Tags)); err != nil {
		return nil, err
	}
	if err := checkTags(req.Tags); err != nil {
		return nil, err
	}
	tags, refresh, err := c.tagged(req.ResourceARN)
	if err != nil {
		return nil, err
	}
	merged := slices.Clone(*tags)
	for _, tag := range req.Tags {
		merged = slices.DeleteFunc(merged, func(t ecsTag) bool { return t.Key == tag.Key })
		merged = append(merged, tag)
	}
	if len(merged) > 50 {
		return nil, invalidParameter("The number of tags exceeds the limit of 50 tags per resource.")
	}
	*tags = merged
	refresh()
	return struct{}{}, nil
}

func untagResource(c *call, in json.RawMessage) (any, error) {
	var req struct {
		ResourceARN string   `json:"resourceArn"`
		TagKeys     []string `json:"tagKeys"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	if err := c.authorize("ecs:UntagResource", req.ResourceARN, nil); err != nil {
		return nil, err
	}
	tags, refresh, err := c.tagged(req.ResourceARN)
	if err != nil {
		return nil, err
	}
	*tags = slices.DeleteFunc(slices.Clone(*tags), func(t ecsTag) bool { return slices.Contains(req.TagKeys, t.Key) })
	refresh()
	return struct{}{}, nil
}

func listTagsForResource(c *call, in json.RawMessage) (any, error) {
	var req struct {
		ResourceARN string `json:"resourceArn"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	if err := c.authorize("ecs:ListTagsForResource", req.ResourceARN, nil); err != nil {
		return nil, err
	}
	tags, _, err := c.tagged(req.ResourceARN)
	if err != nil {
		return nil, err
	}
	return map[string]any{"tags": shownTags(*tags)}, nil
}

// shownTags is a copy of tags that is never null.
func shownTags(tags []ecsTag) []ecsTag { return append([]ecsTag{}, tags...) }

package cloud

import (
	"encoding/json"
	"fmt"
	"strings"
)

// hint is that something may have changed: a service, in cluster if that is known, or the image that a
// tag of a repository names.
type hint struct {
	account, region  string
	cluster, service string
	repository, tag  string
}

// event is what we read of an event of EventBridge ("Amazon ECS events", "Amazon ECR events and
// EventBridge"). Whatever else there is in it is left alone.
type event struct {
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     struct {
		ServiceARN string `json:"serviceArn"`
		ActionType string `json:"action-type"`
		Result     string `json:"result"`
		Repository string `json:"repository-name"`
		Tag        string `json:"image-tag"`
	} `json:"detail"`
}

// The kinds of events, as they are counted.
const (
	kindDeployment = "ECS Deployment State Change"
	kindAction     = "ECS Service Action"
	kindHook       = "ECS Hook State Change"
	kindImage      = "ECR Image Action"
	kindReplica    = "ECR Replication Action"
	kindOther      = "Other"
	kindGarbage    = "Garbage"
)

// hintsOf is what a message of a queue tells to look at, and of which kind it is. A message that is no
// event, or one of something else, tells nothing: whoever may write to the queue can at most make us
// look.
func hintsOf(body []byte) (hints []hint, kind string) {
	var e event
	if err := json.Unmarshal(body, &e); err != nil || e.DetailType == "" {
		return nil, kindGarbage
	}
	switch {
	case e.Source == "aws.ecs" && (e.DetailType == kindDeployment || e.DetailType == kindAction):
		for _, resource := range e.Resources {
			if h, err := serviceHint(resource); err == nil {
				hints = append(hints, h)
			}
		}
	case e.Source == "aws.ecs" && e.DetailType == kindHook:
		if h, err := serviceHint(e.Detail.ServiceARN); err == nil {
			hints = append(hints, h)
		}
	case e.Source == "aws.ecr" && (e.DetailType == kindImage || e.DetailType == kindReplica):
		// Without a tag nobody waits for it.
		if d := e.Detail; (d.ActionType == "PUSH" || d.ActionType == "REPLICATE") && d.Result == "SUCCESS" && d.Repository != "" && d.Tag != "" {
			hints = append(hints, hint{account: e.Account, region: e.Region, repository: d.Repository, tag: d.Tag})
		}
	default:
		return nil, kindOther
	}
	return hints, e.DetailType
}

// serviceHint is the service that an ARN names, in the long form with its cluster or in the short one
// without.
func serviceHint(arn string) (hint, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "ecs" {
		return hint{}, fmt.Errorf("%q is no ARN of ECS", arn)
	}
	names := strings.Split(parts[5], "/")
	h := hint{region: parts[3], account: parts[4], service: names[len(names)-1]}
	switch {
	case names[0] != "service" || h.service == "":
		return hint{}, fmt.Errorf("%q is no ARN of a service", arn)
	case len(names) == 3:
		h.cluster = names[1]
	case len(names) != 2:
		return hint{}, fmt.Errorf("%q is no ARN of a service", arn)
	}
	return h, nil
}

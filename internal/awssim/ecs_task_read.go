package awssim

import (
	"encoding/json"
	"slices"
	"strings"
)

func listTasks(c *call, in json.RawMessage) (any, error) {
	var req struct {
		Cluster           *string `json:"cluster"`
		ContainerInstance *string `json:"containerInstance"`
		Family            *string `json:"family"`
		StartedBy         *string `json:"startedBy"`
		ServiceName       *string `json:"serviceName"`
		DesiredStatus     *string `json:"desiredStatus"`
		LaunchType        *string `json:"launchType"`
		ecsPaging
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	clusterName, err := c.clusterName(req.Cluster)
	if err != nil {
		return nil, err
	}
	if err := c.authorize("ecs:ListTasks", "*", map[string]string{"ecs:cluster": c.arn("ecs", "cluster/"+clusterName)}); err != nil {
		return nil, err
	}
	if err := oneOf("desiredStatus", req.DesiredStatus, "RUNNING", "PENDING", "STOPPED"); err != nil {
		return nil, err
	}
	if err := oneOf("launchType", req.LaunchType, "EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"); err != nil {
		return nil, err
	}
	if req.StartedBy != nil && (req.Family != nil || req.ServiceName != nil) {
		return nil, invalidParameter("Cannot specify startedBy with serviceName or family.")
	}
	if req.ServiceName != nil && req.Family != nil {
		return nil, invalidParameter("Cannot specify both serviceName and family.")
	}
	k, err := c.activeCluster(clusterName)
	if err != nil {
		return nil, err
	}
	var of *service
	if req.ServiceName != nil {
		name, err := c.serviceName(clusterName, *req.ServiceName)
		if err != nil {
			return nil, err
		}
		if of, err = c.findService(clusterName, name); err != nil {
			return nil, err
		}
	}
	desired := "RUNNING"
	if req.DesiredStatus != nil {
		desired = *req.DesiredStatus
	}
	at := c.readTime(0)
	arns := []string{}
	consider := func(t *task) {
		v := t.views.at(at)
		if v == nil || v.DesiredStatus != desired ||
			req.Family != nil && t.revision.definition.family != *req.Family ||
			req.StartedBy != nil && v.StartedBy != *req.StartedBy ||
			req.LaunchType != nil && v.LaunchType != *req.LaunchType ||
			req.ContainerInstance != nil && (t.instance == "" || !strings.HasSuffix(t.instance, *req.ContainerInstance)) {
			return
		}
		arns = append(arns, t.arn)
	}
	if of != nil {
		for _, t := range slices.Concat(of.tasks, of.gone) {
			consider(t)
		}
	} else {
		for _, t := range k.tasks {
			consider(t)
		}
	}
	return pageOfARNs("taskArns", arns, false, req.ecsPaging, 100)
}

func describeTasks(c *call, in json.RawMessage) (any, error) {
	var req struct {
		Cluster *string  `json:"cluster"`
		Tasks   []string `json:"tasks"`
		Include []string `json:"include"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	clusterName, err := c.clusterName(req.Cluster)
	if err != nil {
		return nil, err
	}
	switch {
	case len(req.Tasks) == 0:
		return nil, invalidParameter("Tasks cannot be empty.")
	case len(req.Tasks) > 100:
		return nil, invalidParameter("Tasks cannot have more than 100 elements")
	}
	if err := checkInclude(req.Include, "TAGS"); err != nil {
		return nil, err
	}
	ids, err := c.memberIDs("task", "ecs:DescribeTasks", clusterName, req.Tasks)
	if err != nil {
		return nil, err
	}
	k, err := c.activeCluster(clusterName)
	if err != nil {
		return nil, err
	}
	found, failures := []taskView{}, []ecsFailure{}
	at := c.readTime(0)
	for _, id := range ids {
		var shown *taskView
		t := k.tasks[id]
		if t != nil {
			shown = t.views.at(at)
		}
		if shown == nil {
			failures = append(failures, missing(c.arn("ecs", "task/"+clusterName+"/"+id)))
			continue
		}
		v := *shown
		v.Tags = []ecsTag{}
		if len(req.Include) > 0 {
			v.Tags = shownTags(t.tags)
		}
		found = append(found, v)
	}
	return map[string]any{"tasks": found, "failures": failures}, nil
}

// memberIDs are the ids in a list of tasks or container instances of a cluster, each an id or an
// ARN in the long form or the old short one. Each is authorised on its own.
func (c *call) memberIDs(kind, action, clusterName string, identifiers []string) ([]string, error) {
	conditions := map[string]string{"ecs:cluster": c.arn("ecs", "cluster/"+clusterName)}
	ids := make([]string, len(identifiers))
	for i, identifier := range identifiers {
		id := identifier
		if strings.HasPrefix(id, "arn:") {
			path, ok := c.resourcePath(id, kind)
			if !ok {
				return nil, invalidParameter("Invalid identifier: Unexpected %s identifier %s in region %s", kind, id, c.region.name)
			}
			id = path
			if owner, rest, long := strings.Cut(path, "/"); long {
				if owner != clusterName {
					return nil, invalidParameter("Invalid identifier: Identifier is for cluster %s. Your cluster is %s", owner, clusterName)
				}
				id = rest
			}
		}
		if id == "" {
			return nil, invalidParameter("%sId longer than 36.", kind)
		}
		ids[i] = id
		if err := c.authorize(action, c.arn("ecs", kind+"/"+clusterName+"/"+id), conditions); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

package awssim

import (
	"encoding/json"
	"strings"
	"time"
)

// containerInstanceView is what DescribeContainerInstances shows of one: an instance that has been
// there from the start, with room for whatever is placed on it.
type containerInstanceView struct {
	ARN            string            `json:"containerInstanceArn"`
	EC2InstanceID  string            `json:"ec2InstanceId"`
	Version        int               `json:"version"`
	VersionInfo    map[string]string `json:"versionInfo"`
	Remaining      []ecsResource     `json:"remainingResources"`
	Registered     []ecsResource     `json:"registeredResources"`
	Status         string            `json:"status"`
	AgentConnected bool              `json:"agentConnected"`
	Running        int               `json:"runningTasksCount"`
	Pending        int               `json:"pendingTasksCount"`
	Attributes     []ecsAttribute    `json:"attributes"`
	RegisteredAt   json.Number       `json:"registeredAt"`
	Attachments    []any             `json:"attachments"`
	Tags           []ecsTag          `json:"tags"`
}

// ecsResource is a resource of a container instance.
type ecsResource struct {
	Name    string  `json:"name"`
	Type    string  `json:"type"`
	Double  float64 `json:"doubleValue"`
	Long    int     `json:"longValue"`
	Integer int     `json:"integerValue"`
}

type ecsAttribute struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
}

func describeContainerInstances(c *call, in json.RawMessage) (any, error) {
	var req struct {
		Cluster   *string  `json:"cluster"`
		Instances []string `json:"containerInstances"`
		Include   []string `json:"include"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	clusterName, err := c.clusterName(req.Cluster)
	if err != nil {
		return nil, err
	}
	switch {
	case len(req.Instances) == 0:
		return nil, invalidParameter("Container instances cannot be empty.")
	case len(req.Instances) > 100:
		return nil, invalidParameter("Container instances cannot have more than 100 elements")
	}
	if err := checkInclude(req.Include, "TAGS", "CONTAINER_INSTANCE_HEALTH"); err != nil {
		return nil, err
	}
	ids, err := c.memberIDs("container-instance", "ecs:DescribeContainerInstances", clusterName, req.Instances)
	if err != nil {
		return nil, err
	}
	k, err := c.activeCluster(clusterName)
	if err != nil {
		return nil, err
	}
	found, failures := []containerInstanceView{}, []ecsFailure{}
	at := c.readTime(0)
	for _, id := range ids {
		arn := k.containerInstance(id)
		if arn == "" {
			failures = append(failures, missing(c.arn("ecs", "container-instance/"+clusterName+"/"+id)))
			continue
		}
		found = append(found, k.containerInstanceView(arn, at))
	}
	return map[string]any{"containerInstances": found, "failures": failures}, nil
}

// containerInstance is the ARN of the cluster's container instance of that id, "" when it has none.
func (k *cluster) containerInstance(id string) string {
	for _, arn := range k.instances {
		if strings.HasSuffix(arn, "/"+id) {
			return arn
		}
	}
	return ""
}

// containerInstanceView is a container instance as it was at a time, with the tasks on it.
func (k *cluster) containerInstanceView(arn string, at time.Time) containerInstanceView {
	resources := []ecsResource{
		{Name: "CPU", Type: "INTEGER", Integer: 1 << 20}, {Name: "MEMORY", Type: "INTEGER", Integer: 1 << 20},
	}
	v := containerInstanceView{
		ARN: arn, EC2InstanceID: instanceID(arn), Version: 1, Status: "ACTIVE", AgentConnected: true,
		VersionInfo: map[string]string{"agentVersion": "1.83.0", "agentHash": "0a1b2c3d", "dockerVersion": "DockerVersion: 25.0.6"},
		Remaining:   resources, Registered: resources, Attachments: []any{}, Tags: []ecsTag{},
		Attributes:   []ecsAttribute{{Name: "ecs.os-type", Value: "linux"}, {Name: "ecs.capability.task-eni"}},
		RegisteredAt: epoch(k.equipped),
	}
	for _, t := range k.tasks {
		shown := t.views.at(at)
		if t.instance != arn || shown == nil {
			continue
		}
		switch shown.LastStatus {
		case "RUNNING":
			v.Running++
		case "PROVISIONING", "PENDING", "ACTIVATING":
			v.Pending++
		}
	}
	return v
}

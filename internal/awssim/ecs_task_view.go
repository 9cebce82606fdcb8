package awssim

import (
	"encoding/json"
	"strconv"
)

// taskView is what DescribeTasks shows of a task.
type taskView struct {
	Attachments          []attachmentView    `json:"attachments"`
	Attributes           []map[string]string `json:"attributes"`
	AvailabilityZone     string              `json:"availabilityZone"`
	ClusterARN           string              `json:"clusterArn"`
	Connectivity         string              `json:"connectivity,omitempty"`
	ConnectivityAt       json.Number         `json:"connectivityAt,omitempty"`
	ContainerInstanceARN string              `json:"containerInstanceArn,omitempty"`
	Containers           []containerView     `json:"containers"`
	CPU                  string              `json:"cpu,omitempty"`
	CreatedAt            json.Number         `json:"createdAt"`
	DesiredStatus        string              `json:"desiredStatus"`
	EnableExecuteCommand bool                `json:"enableExecuteCommand"`
	ExecutionStoppedAt   json.Number         `json:"executionStoppedAt,omitempty"`
	Group                string              `json:"group"`
	HealthStatus         string              `json:"healthStatus"`
	LastStatus           string              `json:"lastStatus"`
	LaunchType           string              `json:"launchType"`
	Memory               string              `json:"memory,omitempty"`
	Overrides            map[string]any      `json:"overrides"`
	PlatformVersion      string              `json:"platformVersion,omitempty"`
	PlatformFamily       string              `json:"platformFamily,omitempty"`
	PullStartedAt        json.Number         `json:"pullStartedAt,omitempty"`
	PullStoppedAt        json.Number         `json:"pullStoppedAt,omitempty"`
	StartedAt            json.Number         `json:"startedAt,omitempty"`
	StartedBy            string              `json:"startedBy"`
	StopCode             string              `json:"stopCode,omitempty"`
	StoppedAt            json.Number         `json:"stoppedAt,omitempty"`
	StoppedReason        string              `json:"stoppedReason,omitempty"`
	StoppingAt           json.Number         `json:"stoppingAt,omitempty"`
	Tags                 []ecsTag            `json:"tags"`
	TaskARN              string              `json:"taskArn"`
	TaskDefinitionARN    string              `json:"taskDefinitionArn"`
	Version              int                 `json:"version"`
}

type attachmentView struct {
	ID      string              `json:"id"`
	Type    string              `json:"type"`
	Status  string              `json:"status"`
	Details []map[string]string `json:"details"`
}

type containerView struct {
	ContainerARN      string              `json:"containerArn"`
	TaskARN           string              `json:"taskArn"`
	Name              string              `json:"name"`
	Image             string              `json:"image"`
	ImageDigest       string              `json:"imageDigest,omitempty"`
	RuntimeID         string              `json:"runtimeId,omitempty"`
	LastStatus        string              `json:"lastStatus"`
	ExitCode          *int                `json:"exitCode,omitempty"`
	Reason            string              `json:"reason,omitempty"`
	NetworkBindings   []networkBinding    `json:"networkBindings"`
	NetworkInterfaces []map[string]string `json:"networkInterfaces"`
	HealthStatus      string              `json:"healthStatus"`
	CPU               string              `json:"cpu"`
	Memory            string              `json:"memory,omitempty"`
	MemoryReservation string              `json:"memoryReservation,omitempty"`
}

type networkBinding struct {
	BindIP        string `json:"bindIP"`
	ContainerPort int    `json:"containerPort"`
	HostPort      int    `json:"hostPort"`
	Protocol      string `json:"protocol"`
}

// touch records what the task looks like from now on, and tells of it.
func (t *task) touch() {
	v := t.view()
	t.views.record(t.service.state.world.now(), v)
	t.announce(v)
}

func (t *task) view() taskView {
	spec := t.revision.definition.spec
	settings := t.revision.settings
	v := taskView{
		Attachments: []attachmentView{}, AvailabilityZone: t.zone, ClusterARN: t.service.cluster.arn,
		Attributes:           []map[string]string{{"name": "ecs.cpu-architecture", "value": "x86_64"}},
		ContainerInstanceARN: t.instance, CreatedAt: epoch(t.createdAt), DesiredStatus: t.desired,
		EnableExecuteCommand: settings.EnableExecuteCommand, ExecutionStoppedAt: stamp(t.executionStoppedAt),
		Group: "service:" + t.service.name, HealthStatus: t.health, LastStatus: t.last, LaunchType: "EC2",
		PullStartedAt: stamp(t.pullStartedAt), PullStoppedAt: stamp(t.pullStoppedAt),
		StartedAt: stamp(t.startedAt), StartedBy: t.deployment.id, StopCode: t.stopCode, StoppedAt: stamp(t.stoppedAt),
		StoppedReason: t.stoppedReason, StoppingAt: stamp(t.stoppingAt),
		TaskARN: t.arn, TaskDefinitionARN: t.revision.definition.arn, Version: t.version + 1,
	}
	if spec.architecture() == "arm64" {
		v.Attributes[0]["value"] = "arm64"
	}
	if settings.fargate() {
		v.LaunchType, v.PlatformVersion, v.PlatformFamily = "FARGATE", settings.concretePlatform(), "Linux"
	}
	if !t.connectedAt.IsZero() {
		v.Connectivity, v.ConnectivityAt = "CONNECTED", epoch(t.connectedAt)
	}
	if spec.CPU != nil {
		v.CPU = strconv.Itoa(taskCPU(*spec.CPU))
	}
	if spec.Memory != nil {
		v.Memory = strconv.Itoa(taskMemory(*spec.Memory))
	}
	interfaces := []map[string]string{}
	if e := t.eni; e != nil {
		v.Attachments = append(v.Attachments, attachmentView{ID: e.attachment, Type: "ElasticNetworkInterface", Status: e.status, Details: []map[string]string{
			{"name": "subnetId", "value": e.subnet},
			{"name": "networkInterfaceId", "value": e.id},
			{"name": "macAddress", "value": e.mac},
			{"name": "privateIPv4Address", "value": e.address},
		}})
		interfaces = append(interfaces, map[string]string{"attachmentId": e.attachment, "privateIpv4Address": e.address})
	}
	overrides := []map[string]string{}
	for _, c := range t.containers {
		v.Containers = append(v.Containers, c.view(t, interfaces))
		overrides = append(overrides, map[string]string{"name": *c.spec.Name})
	}
	v.Overrides = map[string]any{"containerOverrides": overrides, "inferenceAcceleratorOverrides": []any{}}
	return v
}

func (c *taskContainer) view(t *task, interfaces []map[string]string) containerView {
	v := containerView{
		ContainerARN: c.arn, TaskARN: t.arn, Name: *c.spec.Name, Image: c.image, ImageDigest: c.digest, RuntimeID: c.runtimeID,
		LastStatus: c.last, ExitCode: c.exitCode, Reason: c.reason, NetworkBindings: []networkBinding{}, NetworkInterfaces: interfaces,
		HealthStatus: "UNKNOWN", CPU: strconv.Itoa(c.spec.CPU),
	}
	if t.eni == nil && c.last == "RUNNING" {
		for _, mapping := range c.spec.PortMappings {
			if mapping.ContainerPort == nil {
				continue
			}
			protocol := "tcp"
			if mapping.Protocol != nil {
				protocol = *mapping.Protocol
			}
			v.NetworkBindings = append(v.NetworkBindings, networkBinding{
				BindIP: "0.0.0.0", ContainerPort: *mapping.ContainerPort, HostPort: t.hostPort(c, *mapping.ContainerPort), Protocol: protocol,
			})
		}
	}
	if c.spec.HealthCheck != nil {
		v.HealthStatus = t.health
	}
	if c.spec.Memory != nil {
		v.Memory = strconv.Itoa(*c.spec.Memory)
	}
	if c.spec.MemoryReservation != nil {
		v.MemoryReservation = strconv.Itoa(*c.spec.MemoryReservation)
	}
	return v
}

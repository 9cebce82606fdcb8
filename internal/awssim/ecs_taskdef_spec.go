package awssim

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// taskSpec are the members of RegisterTaskDefinitionRequest that the simulator checks or
// acts on. The document keeps the others.
type taskSpec struct {
	Family                  string          `json:"family"`
	TaskRoleARN             *string         `json:"taskRoleArn"`
	ExecutionRoleARN        *string         `json:"executionRoleArn"`
	NetworkMode             *string         `json:"networkMode"`
	ContainerDefinitions    []containerSpec `json:"containerDefinitions"`
	Volumes                 []volumeSpec    `json:"volumes"`
	PlacementConstraints    []anyObject     `json:"placementConstraints"`
	RequiresCompatibilities []string        `json:"requiresCompatibilities"`
	CPU                     *string         `json:"cpu"`
	Memory                  *string         `json:"memory"`
	Tags                    []ecsTag        `json:"tags"`
	PIDMode                 *string         `json:"pidMode"`
	IPCMode                 *string         `json:"ipcMode"`
	EphemeralStorage        *struct {
		SizeInGiB int `json:"sizeInGiB"`
	} `json:"ephemeralStorage"`
	RuntimePlatform *struct {
		CPUArchitecture       *string `json:"cpuArchitecture"`
		OperatingSystemFamily *string `json:"operatingSystemFamily"`
	} `json:"runtimePlatform"`
	EnableFaultInjection *bool `json:"enableFaultInjection"`
}

// anyObject is a structure that only has to be one.
type anyObject map[string]any

type volumeSpec struct {
	Name *string `json:"name"`
}

type containerSpec struct {
	Name              *string            `json:"name"`
	Image             *string            `json:"image"`
	CPU               int                `json:"cpu"`
	Memory            *int               `json:"memory"`
	MemoryReservation *int               `json:"memoryReservation"`
	Links             []string           `json:"links"`
	PortMappings      []portSpec         `json:"portMappings"`
	Essential         *bool              `json:"essential"`
	EntryPoint        []string           `json:"entryPoint"`
	Command           []string           `json:"command"`
	Environment       []nameValue        `json:"environment"`
	EnvironmentFiles  []anyObject        `json:"environmentFiles"`
	MountPoints       []mountSpec        `json:"mountPoints"`
	VolumesFrom       []anyObject        `json:"volumesFrom"`
	Secrets           []secretSpec       `json:"secrets"`
	DependsOn         []dependencySpec   `json:"dependsOn"`
	Privileged        bool               `json:"privileged"`
	DockerLabels      map[string]*string `json:"dockerLabels"`
	Ulimits           []anyObject        `json:"ulimits"`
	LogConfiguration  *struct {
		LogDriver string             `json:"logDriver"`
		Options   map[string]*string `json:"options"`
	} `json:"logConfiguration"`
	HealthCheck        *healthCheckSpec `json:"healthCheck"`
	SystemControls     []anyObject      `json:"systemControls"`
	VersionConsistency *string          `json:"versionConsistency"`
}

type portSpec struct {
	ContainerPort *int    `json:"containerPort"`
	HostPort      *int    `json:"hostPort"`
	Protocol      *string `json:"protocol"`
	Name          *string `json:"name"`
}

type nameValue struct {
	Name  *string `json:"name"`
	Value *string `json:"value"`
}

type mountSpec struct {
	SourceVolume *string `json:"sourceVolume"`
}

type secretSpec struct {
	Name      string `json:"name"`
	ValueFrom string `json:"valueFrom"`
}

type dependencySpec struct {
	ContainerName string `json:"containerName"`
	Condition     string `json:"condition"`
}

type healthCheckSpec struct {
	Command     []string `json:"command"`
	Interval    *int     `json:"interval"`
	Timeout     *int     `json:"timeout"`
	Retries     *int     `json:"retries"`
	StartPeriod *int     `json:"startPeriod"`
}

func (c containerSpec) essential() bool { return c.Essential == nil || *c.Essential }

func (s *taskSpec) privileged() bool {
	return slices.ContainsFunc(s.ContainerDefinitions, func(c containerSpec) bool { return c.Privileged })
}

func (s *taskSpec) roles() []string {
	var roles []string
	for _, role := range []*string{s.TaskRoleARN, s.ExecutionRoleARN} {
		if role != nil && *role != "" {
			roles = append(roles, *role)
		}
	}
	return roles
}

func (s *taskSpec) awsvpc() bool { return s.NetworkMode != nil && *s.NetworkMode == "awsvpc" }

// architecture is the platform's, in the words of images: arm64 or amd64.
func (s *taskSpec) architecture() string {
	if s.RuntimePlatform != nil && s.RuntimePlatform.CPUArchitecture != nil && *s.RuntimePlatform.CPUArchitecture == "ARM64" {
		return "arm64"
	}
	return "amd64"
}

// fillDefaults turns the document that was sent into the one that ECS shows: lists that were
// absent are empty, defaults are written out, task sizes are plain numbers. Nothing else
// changes.
func (s *taskSpec) fillDefaults(document map[string]any) {
	dropNulls(document)
	if s.NetworkMode == nil {
		mode := "bridge"
		s.NetworkMode = &mode
		document["networkMode"] = mode
	}
	if s.CPU != nil {
		document["cpu"] = strconv.Itoa(taskCPU(*s.CPU))
	}
	if s.Memory != nil {
		document["memory"] = strconv.Itoa(taskMemory(*s.Memory))
	}
	fillAbsent(document, map[string]any{"volumes": []any{}, "placementConstraints": []any{}})
	for _, item := range members(document, "containerDefinitions") {
		fillAbsent(item, map[string]any{
			"cpu": json.Number("0"), "essential": true, "portMappings": []any{}, "environment": []any{},
			"mountPoints": []any{}, "volumesFrom": []any{}, "systemControls": []any{},
		})
		for _, port := range members(item, "portMappings") {
			fillAbsent(port, map[string]any{"protocol": "tcp"})
			if _, ranged := port["containerPortRange"]; ranged {
				continue
			}
			switch *s.NetworkMode {
			case "awsvpc", "host":
				fillAbsent(port, map[string]any{"hostPort": port["containerPort"]})
			default:
				fillAbsent(port, map[string]any{"hostPort": json.Number("0")})
			}
		}
		if check, ok := item["healthCheck"].(map[string]any); ok {
			fillAbsent(check, map[string]any{
				"interval": json.Number("30"), "timeout": json.Number("5"), "retries": json.Number("3"),
			})
		}
	}
}

// dropNulls removes the members of the document and its containers that say null, which to
// ECS means absent.
func dropNulls(document map[string]any) {
	drop := func(object map[string]any) {
		for name, value := range object {
			if value == nil {
				delete(object, name)
			}
		}
	}
	drop(document)
	for _, item := range members(document, "containerDefinitions") {
		drop(item)
	}
}

func fillAbsent(object, defaults map[string]any) {
	for name, value := range defaults {
		if _, given := object[name]; !given {
			object[name] = value
		}
	}
}

// members are the objects in a list of the document.
func members(object map[string]any, list string) []map[string]any {
	items, _ := object[list].([]any)
	var found []map[string]any
	for _, item := range items {
		if member, ok := item.(map[string]any); ok {
			found = append(found, member)
		}
	}
	return found
}

var ecrImage = regexp.MustCompile(`^\d{12}\.dkr[.-]ecr(-fips)?\.`)

func (s *taskSpec) usesECR() bool {
	return slices.ContainsFunc(s.ContainerDefinitions, func(c containerSpec) bool { return ecrImage.MatchString(*c.Image) })
}

// requiredAttributes are the capabilities that an instance needs to run the task.
func (s *taskSpec) requiredAttributes() []map[string]string {
	const docker, capability = "com.amazonaws.ecs.capability.docker-remote-api.", "com.amazonaws.ecs.capability."
	attributes := []map[string]string{}
	add := func(names ...string) {
		for _, name := range names {
			if !slices.ContainsFunc(attributes, func(a map[string]string) bool { return a["name"] == name }) {
				attributes = append(attributes, map[string]string{"name": name})
			}
		}
	}
	execution := s.ExecutionRoleARN != nil && *s.ExecutionRoleARN != ""
	if s.usesECR() {
		add(capability+"ecr-auth", docker+"1.19")
		if execution {
			add("ecs.capability.execution-role-ecr-pull")
		}
	}
	if s.TaskRoleARN != nil && *s.TaskRoleARN != "" {
		add(capability+"task-iam-role", docker+"1.17")
	}
	for _, c := range s.ContainerDefinitions {
		if c.LogConfiguration != nil {
			add(capability+"logging-driver."+c.LogConfiguration.LogDriver, docker+"1.19")
			if execution && c.LogConfiguration.LogDriver == "awslogs" {
				add("ecs.capability.execution-role-awslogs")
			}
		}
		if c.HealthCheck != nil {
			add("ecs.capability.container-health-check", docker+"1.24")
		}
		if len(c.DependsOn) > 0 {
			add("ecs.capability.container-ordering")
		}
		if c.MemoryReservation != nil {
			add(docker + "1.21")
		}
		if c.Privileged {
			add(capability + "privileged-container")
		}
		for _, secret := range c.Secrets {
			kind := "ssm"
			if strings.HasPrefix(secret.ValueFrom, "arn:") && strings.Contains(secret.ValueFrom, ":secretsmanager:") {
				kind = "asm"
			}
			add("ecs.capability.secrets." + kind + ".environment-variables")
		}
	}
	if s.awsvpc() {
		add("ecs.capability.task-eni")
	}
	add(docker + "1.18")
	return attributes
}

// compatibilities are the launch types that the task could run on.
func (s *taskSpec) compatibilities() []string {
	fits := []string{"EC2"}
	if !s.awsvpc() {
		fits = append(fits, "EXTERNAL")
	}
	if s.checkFargate() == nil {
		fits = append(fits, "FARGATE")
	}
	return fits
}

package awssim

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	imagePattern  = regexp.MustCompile(`^[a-zA-Z0-9\-_.:/#]+$`)
	digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	rolePattern   = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`)
	roleName      = regexp.MustCompile(`^/?[\w+=,.@/-]+$`)
)

// check is what RegisterTaskDefinition refuses, in the order and the words of ECS.
func (s *taskSpec) check(options ECSOptions) error {
	switch {
	case s.Family == "":
		return clientError("Family should not be null or empty.")
	case !ecsNamePattern.MatchString(s.Family):
		return clientError("Family contains invalid characters.")
	case len(s.ContainerDefinitions) == 0:
		return clientError("Container list cannot be empty.")
	}
	for _, role := range s.roles() {
		if strings.HasPrefix(role, "arn:") && !rolePattern.MatchString(role) || !strings.HasPrefix(role, "arn:") && !roleName.MatchString(role) {
			return clientError("Role is not valid")
		}
	}
	if err := s.checkEnumerations(); err != nil {
		return err
	}
	if err := s.checkContainers(options); err != nil {
		return err
	}
	if s.CPU != nil && taskCPU(*s.CPU) <= 0 {
		return clientError("Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
	}
	if s.Memory != nil && taskMemory(*s.Memory) <= 0 {
		return clientError("Invalid 'memory' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
	}
	if err := s.checkSizes(); err != nil {
		return err
	}
	if slices.Contains(s.RequiresCompatibilities, "FARGATE") {
		return s.checkFargate()
	}
	return nil
}

func (s *taskSpec) checkEnumerations() error {
	for _, compatibility := range s.RequiresCompatibilities {
		if err := clientEnum("requiresCompatibilities", &compatibility, "EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"); err != nil {
			return err
		}
	}
	if err := clientEnum("networkMode", s.NetworkMode, "bridge", "host", "awsvpc", "none"); err != nil {
		return err
	}
	if err := clientEnum("pidMode", s.PIDMode, "host", "task"); err != nil {
		return err
	}
	if err := clientEnum("ipcMode", s.IPCMode, "host", "task", "none"); err != nil {
		return err
	}
	if s.EphemeralStorage != nil && (s.EphemeralStorage.SizeInGiB < 21 || s.EphemeralStorage.SizeInGiB > 200) {
		return clientError("Ephemeral storage size must be between 21 and 200 GiB.")
	}
	if s.RuntimePlatform == nil {
		return nil
	}
	if err := clientEnum("cpuArchitecture", s.RuntimePlatform.CPUArchitecture, "X86_64", "ARM64"); err != nil {
		return err
	}
	return clientEnum("operatingSystemFamily", s.RuntimePlatform.OperatingSystemFamily, "LINUX",
		"WINDOWS_SERVER_2025_FULL", "WINDOWS_SERVER_2025_CORE", "WINDOWS_SERVER_2022_FULL", "WINDOWS_SERVER_2022_CORE",
		"WINDOWS_SERVER_2019_FULL", "WINDOWS_SERVER_2019_CORE", "WINDOWS_SERVER_2016_FULL", "WINDOWS_SERVER_2004_CORE", "WINDOWS_SERVER_20H2_CORE")
}

// clientEnum refuses an unknown value of an enumeration as a ClientException.
func clientEnum(name string, value *string, known ...string) error {
	if value == nil || slices.Contains(known, *value) {
		return nil
	}
	return clientError("Invalid value '%s' for %s. Valid values are: [%s].", *value, name, strings.Join(known, ", "))
}

func (s *taskSpec) checkContainers(options ECSOptions) error {
	volumes := map[string]bool{}
	for _, v := range s.Volumes {
		if v.Name != nil {
			if volumes[*v.Name] {
				return clientError("Volume name '%s' is used more than once.", *v.Name)
			}
			volumes[*v.Name] = true
		}
	}
	names := map[string]bool{}
	essential := false
	for _, c := range s.ContainerDefinitions {
		switch {
		case c.Name == nil || *c.Name == "":
			return clientError("Container.name should not be null or empty.")
		case !ecsNamePattern.MatchString(*c.Name):
			return clientError("Container.name contains invalid characters.")
		case names[*c.Name]:
			return clientError("Container name '%s' is used more than once in the task definition.", *c.Name)
		}
		names[*c.Name] = true
		essential = essential || c.essential()
		if err := checkImage(c.Image, options); err != nil {
			return err
		}
		if err := c.check(s, volumes); err != nil {
			return err
		}
	}
	for _, c := range s.ContainerDefinitions {
		for _, d := range c.DependsOn {
			if !names[d.ContainerName] || d.ContainerName == *c.Name {
				return clientError("Container '%s' depends on container '%s', which is not in the task definition.", *c.Name, d.ContainerName)
			}
			if err := clientEnum("condition", &d.Condition, "START", "COMPLETE", "SUCCESS", "HEALTHY"); err != nil {
				return err
			}
		}
	}
	if !essential {
		return clientError("A task definition must have at least one essential container.")
	}
	return nil
}

// checkImage checks a container's image: at most 255 letters, digits and -_.:/#, a digest
// not counted.
func checkImage(image *string, options ECSOptions) error {
	if image == nil || *image == "" {
		return clientError("Container.image should not be null or empty.")
	}
	name, digest, pinned := strings.Cut(*image, "@")
	repository, tag := splitTag(name)
	switch {
	case pinned && !digestPattern.MatchString(digest),
		len(name) > 255, !imagePattern.MatchString(name),
		repository == "", strings.HasSuffix(name, ":"), strings.HasSuffix(repository, "/"):
		return clientError("Container.image contains invalid characters")
	case strings.Contains(repository[strings.LastIndex(repository, "/")+1:], ":"):
		return clientError("Container.image repository contains invalid characters")
	case pinned && tag != "" && options.RefuseTagAndDigest:
		return clientError("Container.image contains invalid characters")
	}
	return nil
}

// splitTag divides host:port/name:tag before the tag.
func splitTag(name string) (repository, tag string) {
	colon := strings.LastIndexByte(name, ':')
	if colon < strings.LastIndexByte(name, '/') || colon < 0 {
		return name, ""
	}
	return name[:colon], name[colon+1:]
}

func (c containerSpec) check(s *taskSpec, volumes map[string]bool) error {
	name := *c.Name
	if c.Memory != nil && *c.Memory < 6 {
		return clientError("Invalid setting for container '%s'. 'memory' must be at least 6 MiB.", name)
	}
	if fargate := slices.Contains(s.RequiresCompatibilities, "FARGATE"); !fargate && c.Memory == nil && c.MemoryReservation == nil && s.Memory == nil {
		return clientError("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", name)
	}
	if c.Memory != nil && c.MemoryReservation != nil && *c.Memory <= *c.MemoryReservation {
		return clientError("Invalid setting for container '%s'. 'memory' must be greater than 'memoryReservation'.", name)
	}
	for _, p := range c.PortMappings {
		if err := clientEnum("protocol", p.Protocol, "tcp", "udp"); err != nil {
			return err
		}
		if p.ContainerPort != nil && (*p.ContainerPort < 1 || *p.ContainerPort > 65535) {
			return clientError("Invalid 'containerPort' setting for container '%s'", name)
		}
		if s.awsvpc() && p.HostPort != nil && p.ContainerPort != nil && *p.HostPort != 0 && *p.HostPort != *p.ContainerPort {
			return clientError("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
		}
	}
	if s.awsvpc() && len(c.Links) > 0 {
		return clientError("Links are not supported when networkMode=awsvpc.")
	}
	for _, e := range c.Environment {
		if e.Name == nil || *e.Name == "" {
			return clientError("Environment variable name in container '%s' should not be null or empty.", name)
		}
	}
	for _, secret := range c.Secrets {
		if secret.Name == "" || secret.ValueFrom == "" {
			return clientError("The Secrets name and valueFrom in container '%s' should not be null or empty.", name)
		}
	}
	for _, m := range c.MountPoints {
		if m.SourceVolume != nil && !volumes[*m.SourceVolume] {
			return clientError("Unknown volume '%s'.", *m.SourceVolume)
		}
	}
	if h := c.HealthCheck; h != nil {
		return h.check(name)
	}
	return clientEnum("versionConsistency", c.VersionConsistency, "enabled", "disabled")
}

func (h *healthCheckSpec) check(name string) error {
	within := func(member string, value *int, low, high int) error {
		if value != nil && (*value < low || *value > high) {
			return clientError("Invalid health check '%s' in container '%s': %d is not between %d and %d.", member, name, *value, low, high)
		}
		return nil
	}
	if len(h.Command) == 0 {
		return clientError("Health check command in container '%s' should not be null or empty.", name)
	}
	for _, err := range []error{
		within("interval", h.Interval, 5, 300), within("timeout", h.Timeout, 2, 120),
		within("retries", h.Retries, 1, 10), within("startPeriod", h.StartPeriod, 0, 300),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkSizes checks that the containers fit into the task.
func (s *taskSpec) checkSizes() error {
	cpu, reserved := 0, 0
	for _, c := range s.ContainerDefinitions {
		cpu += c.CPU
		switch {
		case c.MemoryReservation != nil:
			reserved += *c.MemoryReservation
		case c.Memory != nil:
			reserved += *c.Memory
		}
		if s.Memory != nil && c.Memory != nil && *c.Memory > taskMemory(*s.Memory) {
			return clientError("Invalid setting for container '%s'. 'memory' of %d is larger than the task's memory of %d.", *c.Name, *c.Memory, taskMemory(*s.Memory))
		}
	}
	if s.CPU != nil && cpu > taskCPU(*s.CPU) {
		return clientError("The sum of the 'cpu' of all containers (%d) is larger than the task's cpu of %d.", cpu, taskCPU(*s.CPU))
	}
	if s.Memory != nil && reserved > taskMemory(*s.Memory) {
		return clientError("The sum of the memory of all containers (%d) is larger than the task's memory of %d.", reserved, taskMemory(*s.Memory))
	}
	return nil
}

// fargateSizes are the memory sizes in MiB that go with a CPU size: from, to, step.
var fargateSizes = map[int][3]int{
	256: {512, 2048, 0}, 512: {1024, 4096, 1024}, 1024: {2048, 8192, 1024}, 2048: {4096, 16384, 1024},
	4096: {8192, 30720, 1024}, 8192: {16384, 61440, 4096}, 16384: {32768, 122880, 8192},
}

// checkFargate is what Fargate asks of a task definition.
func (s *taskSpec) checkFargate() error {
	if !s.awsvpc() {
		return clientError("Fargate only supports network mode ‘awsvpc’.")
	}
	if s.CPU == nil {
		return clientError("Fargate requires that 'cpu' be defined at the task level.")
	}
	if s.Memory == nil {
		return clientError("Fargate requires that 'memory' be defined at the task level.")
	}
	cpu, memory := taskCPU(*s.CPU), taskMemory(*s.Memory)
	sizes, known := fargateSizes[cpu]
	fits := known && memory >= sizes[0] && memory <= sizes[1]
	if cpu == 256 {
		fits = memory == 512 || memory == 1024 || memory == 2048
	} else if fits {
		fits = (memory-sizes[0])%sizes[2] == 0
	}
	if !fits {
		return clientError("No Fargate configuration exists for given values: %d CPU, %d memory. See the Amazon ECS documentation for the valid values.", cpu, memory)
	}
	if s.ExecutionRoleARN == nil || *s.ExecutionRoleARN == "" {
		if s.usesECR() {
			return clientError("Fargate requires task definition to have execution role ARN to support ECR images.")
		}
		for _, c := range s.ContainerDefinitions {
			if c.LogConfiguration != nil && c.LogConfiguration.LogDriver == "awslogs" {
				return clientError("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
			}
		}
	}
	if s.privileged() {
		return clientError("Fargate compatible task definitions do not support privileged containers")
	}
	return nil
}

// taskCPU reads "256", ".25 vCPU" or "1 vcpu" as CPU units, 0 when it is none of them.
func taskCPU(value string) int { return taskSize(value, "vcpu") }

// taskMemory reads "512" or "0.5 GB" as MiB, 0 when it is neither.
func taskMemory(value string) int { return taskSize(value, "gb") }

func taskSize(value, unit string) int {
	text := strings.ToLower(strings.TrimSpace(value))
	if number, ok := strings.CutSuffix(text, unit); ok {
		size, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil {
			return 0
		}
		return int(size * 1024)
	}
	size, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return size
}

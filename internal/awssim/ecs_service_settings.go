package awssim

import (
	"bytes"
	"cmp"
	"encoding/json"
)

// serviceSettings is what a service was configured with, as the requests carried it.
type serviceSettings struct {
	LaunchType                    string
	CapacityProviderStrategy      json.RawMessage
	PlatformVersion               string
	LoadBalancers                 json.RawMessage
	ServiceRegistries             json.RawMessage
	NetworkConfiguration          json.RawMessage
	PlacementConstraints          json.RawMessage
	PlacementStrategy             json.RawMessage
	ServiceConnectConfiguration   json.RawMessage
	VolumeConfigurations          json.RawMessage
	VPCLatticeConfigurations      json.RawMessage
	HealthCheckGracePeriodSeconds *int
	PropagateTags                 string
	EnableECSManagedTags          bool
	EnableExecuteCommand          bool
	AvailabilityZoneRebalancing   string
}

// settingsRequest are the members that CreateService and UpdateService share. nil means
// unchanged; an empty list is a list.
type settingsRequest struct {
	CapacityProviderStrategy      []capacityItem     `json:"capacityProviderStrategy"`
	PlatformVersion               *string            `json:"platformVersion"`
	LoadBalancers                 []balancerSettings `json:"loadBalancers"`
	ServiceRegistries             []anyObject        `json:"serviceRegistries"`
	NetworkConfiguration          *networkSetting    `json:"networkConfiguration"`
	PlacementConstraints          []anyObject        `json:"placementConstraints"`
	PlacementStrategy             []anyObject        `json:"placementStrategy"`
	ServiceConnectConfiguration   anyObject          `json:"serviceConnectConfiguration"`
	VolumeConfigurations          []anyObject        `json:"volumeConfigurations"`
	VPCLatticeConfigurations      []anyObject        `json:"vpcLatticeConfigurations"`
	HealthCheckGracePeriodSeconds *int               `json:"healthCheckGracePeriodSeconds"`
	PropagateTags                 *string            `json:"propagateTags"`
	EnableECSManagedTags          *bool              `json:"enableECSManagedTags"`
	EnableExecuteCommand          *bool              `json:"enableExecuteCommand"`
	AvailabilityZoneRebalancing   *string            `json:"availabilityZoneRebalancing"`
	DeploymentConfiguration       *rolloutRequest    `json:"deploymentConfiguration"`
	DeploymentController          *struct {
		Type string `json:"type"`
	} `json:"deploymentController"`
}

type capacityItem struct {
	CapacityProvider string `json:"capacityProvider"`
	Weight           int    `json:"weight"`
	Base             int    `json:"base"`
}

type networkSetting struct {
	AWSVPC *struct {
		Subnets        []string `json:"subnets"`
		SecurityGroups []string `json:"securityGroups"`
		AssignPublicIP string   `json:"assignPublicIp"`
	} `json:"awsvpcConfiguration"`
}

func (r *settingsRequest) check() error {
	if err := oneOf("propagateTags", r.PropagateTags, "TASK_DEFINITION", "SERVICE", "NONE"); err != nil {
		return err
	}
	if err := oneOf("availabilityZoneRebalancing", r.AvailabilityZoneRebalancing, "ENABLED", "DISABLED"); err != nil {
		return err
	}
	if g := r.HealthCheckGracePeriodSeconds; g != nil && *g < 0 {
		return invalidParameter("Health check grace period must be between 0 and 2147483647 seconds.")
	}
	if n := r.NetworkConfiguration; n != nil && n.AWSVPC != nil {
		if len(n.AWSVPC.Subnets) == 0 {
			return invalidParameter("subnets can not be empty.")
		}
		public := n.AWSVPC.AssignPublicIP
		if err := oneOf("assignPublicIp", &public, "ENABLED", "DISABLED", ""); err != nil {
			return err
		}
	}
	for _, item := range r.CapacityProviderStrategy {
		if item.CapacityProvider == "" {
			return invalidParameter("capacityProvider can not be empty.")
		}
	}
	return nil
}

// serviceDocument are the settings of a request as it carried them, byte for byte.
type serviceDocument struct {
	CapacityProviderStrategy    json.RawMessage `json:"capacityProviderStrategy"`
	LoadBalancers               json.RawMessage `json:"loadBalancers"`
	ServiceRegistries           json.RawMessage `json:"serviceRegistries"`
	NetworkConfiguration        json.RawMessage `json:"networkConfiguration"`
	PlacementConstraints        json.RawMessage `json:"placementConstraints"`
	PlacementStrategy           json.RawMessage `json:"placementStrategy"`
	ServiceConnectConfiguration json.RawMessage `json:"serviceConnectConfiguration"`
	VolumeConfigurations        json.RawMessage `json:"volumeConfigurations"`
	VPCLatticeConfigurations    json.RawMessage `json:"vpcLatticeConfigurations"`
}

// merge returns the settings after a request, and whether something changed that only new
// tasks can have, so that a deployment starts.
func (s serviceSettings) merge(r *settingsRequest, in json.RawMessage) (merged serviceSettings, redeploy bool, err error) {
	var raw serviceDocument
	if err := decode(in, &raw); err != nil {
		return s, false, err
	}
	set := func(to *json.RawMessage, value json.RawMessage, starts bool) {
		if value = present(value); value == nil || sameDocument(*to, value) {
			return
		}
		*to = value
		redeploy = redeploy || starts
	}
	if strategy := present(raw.CapacityProviderStrategy); strategy != nil {
		if len(r.CapacityProviderStrategy) == 0 {
			s.CapacityProviderStrategy = nil
			if s.LaunchType == "" {
				s.LaunchType = "EC2"
			}
		} else {
			s.CapacityProviderStrategy, s.LaunchType = strategy, ""
		}
	}
	set(&s.LoadBalancers, raw.LoadBalancers, true)
	set(&s.ServiceRegistries, raw.ServiceRegistries, true)
	set(&s.NetworkConfiguration, raw.NetworkConfiguration, true)
	set(&s.ServiceConnectConfiguration, raw.ServiceConnectConfiguration, true)
	set(&s.VolumeConfigurations, raw.VolumeConfigurations, true)
	set(&s.VPCLatticeConfigurations, raw.VPCLatticeConfigurations, true)
	set(&s.PlacementConstraints, raw.PlacementConstraints, false)
	set(&s.PlacementStrategy, raw.PlacementStrategy, false)
	if r.PlatformVersion != nil && *r.PlatformVersion != s.PlatformVersion {
		s.PlatformVersion, redeploy = *r.PlatformVersion, true
	}
	if r.HealthCheckGracePeriodSeconds != nil {
		s.HealthCheckGracePeriodSeconds = r.HealthCheckGracePeriodSeconds
	}
	if r.PropagateTags != nil {
		s.PropagateTags = *r.PropagateTags
	}
	if r.EnableECSManagedTags != nil {
		s.EnableECSManagedTags = *r.EnableECSManagedTags
	}
	if r.EnableExecuteCommand != nil {
		s.EnableExecuteCommand = *r.EnableExecuteCommand
	}
	if r.AvailabilityZoneRebalancing != nil {
		s.AvailabilityZoneRebalancing = *r.AvailabilityZoneRebalancing
	}
	return s, redeploy, nil
}

func sameDocument(a, b json.RawMessage) bool {
	canonical := func(raw json.RawMessage) []byte {
		var value any
		if json.Unmarshal(raw, &value) != nil {
			return nil
		}
		out, err := json.Marshal(value)
		if err != nil {
			return nil
		}
		return out
	}
	return bytes.Equal(canonical(a), canonical(b))
}

// fargate tells whether the tasks run on Fargate.
func (s serviceSettings) fargate() bool {
	return s.LaunchType == "FARGATE" || bytes.Contains(s.CapacityProviderStrategy, []byte(`"FARGATE`))
}

// balanced tells whether a load balancer sends the tasks traffic.
func (s serviceSettings) balanced() bool { return len(s.targetGroups()) > 0 }

// targetGroups are the load balancers' target groups, or names of classic ones.
func (s serviceSettings) targetGroups() []string {
	var groups []string
	for _, b := range s.balancers() {
		if name := cmp.Or(b.TargetGroupARN, b.LoadBalancerName); name != "" {
			groups = append(groups, name)
		}
	}
	return groups
}

// subnet is where tasks in network mode awsvpc get their interface.
func (s serviceSettings) subnets() []string {
	var n networkSetting
	if json.Unmarshal(s.NetworkConfiguration, &n) != nil || n.AWSVPC == nil {
		return nil
	}
	return n.AWSVPC.Subnets
}

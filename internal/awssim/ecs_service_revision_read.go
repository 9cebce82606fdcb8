package awssim

import "encoding/json"

// serviceRevisionView is what DescribeServiceRevisions shows.
type serviceRevisionView struct {
	ServiceRevisionARN       string           `json:"serviceRevisionArn"`
	ServiceARN               string           `json:"serviceArn"`
	ClusterARN               string           `json:"clusterArn"`
	TaskDefinition           string           `json:"taskDefinition"`
	CapacityProviderStrategy json.RawMessage  `json:"capacityProviderStrategy,omitempty"`
	LaunchType               string           `json:"launchType,omitempty"`
	PlatformVersion          string           `json:"platformVersion,omitempty"`
	PlatformFamily           string           `json:"platformFamily,omitempty"`
	LoadBalancers            json.RawMessage  `json:"loadBalancers"`
	ServiceRegistries        json.RawMessage  `json:"serviceRegistries"`
	NetworkConfiguration     json.RawMessage  `json:"networkConfiguration,omitempty"`
	ContainerImages          []containerImage `json:"containerImages"`
	GuardDutyEnabled         bool             `json:"guardDutyEnabled"`
	ServiceConnect           json.RawMessage  `json:"serviceConnectConfiguration,omitempty"`
	VolumeConfigurations     json.RawMessage  `json:"volumeConfigurations,omitempty"`
	VPCLattice               json.RawMessage  `json:"vpcLatticeConfigurations,omitempty"`
	CreatedAt                json.Number      `json:"createdAt"`
	ResolvedConfiguration    any              `json:"resolvedConfiguration,omitempty"`
}

// containerImage has a digest from the first task of the revision on.
type containerImage struct {
	ContainerName string `json:"containerName"`
	ImageDigest   string `json:"imageDigest,omitempty"`
	Image         string `json:"image"`
}

func describeServiceRevisions(c *call, in json.RawMessage) (any, error) {
	var req struct {
		ARNs []string `json:"serviceRevisionArns"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	switch {
	case len(req.ARNs) == 0:
		return nil, invalidParameter("Service revisions cannot be empty.")
	case len(req.ARNs) > 20:
		return nil, invalidParameter("Service revisions cannot have more than 20 elements")
	}
	found, failures := []serviceRevisionView{}, []ecsFailure{}
	at := c.readTime(0)
	for _, arn := range req.ARNs {
		if err := c.authorizePart("ecs:DescribeServiceRevisions", arn, "service-revision"); err != nil {
			return nil, err
		}
		r := c.region.ecs.revisions[arn]
		if r == nil || r.createdAt.After(at) || r.service.controller != "ECS" {
			failures = append(failures, missing(arn))
			continue
		}
		v := serviceRevisionView{
			ServiceRevisionARN: r.arn, ServiceARN: r.service.arn, ClusterARN: r.service.cluster.arn, TaskDefinition: r.definition.arn,
			CapacityProviderStrategy: r.settings.CapacityProviderStrategy, LaunchType: r.settings.LaunchType,
			LoadBalancers: r.settings.LoadBalancers, ServiceRegistries: r.settings.ServiceRegistries,
			NetworkConfiguration: r.settings.NetworkConfiguration, ContainerImages: []containerImage{},
			ServiceConnect: r.settings.ServiceConnectConfiguration, VolumeConfigurations: r.settings.VolumeConfigurations,
			VPCLattice: r.settings.VPCLatticeConfigurations, CreatedAt: epoch(r.createdAt),
			ResolvedConfiguration: r.resolved(),
		}
		if r.settings.fargate() {
			v.PlatformVersion, v.PlatformFamily = r.settings.concretePlatform(), "Linux"
		}
		for _, container := range r.definition.spec.ContainerDefinitions {
			image := containerImage{ContainerName: *container.Name, Image: *container.Image}
			if resolved, ok := r.images[*container.Name]; ok && !resolved.at.After(at) {
				image.ImageDigest = resolved.shown
			}
			v.ContainerImages = append(v.ContainerImages, image)
		}
		found = append(found, v)
	}
	return map[string]any{"serviceRevisions": found, "failures": failures}, nil
}

package awssim

import (
	"encoding/json"
	"strings"
)

// createRequest is CreateServiceRequest.
type createRequest struct {
	Cluster            *string  `json:"cluster"`
	ServiceName        *string  `json:"serviceName"`
	TaskDefinition     *string  `json:"taskDefinition"`
	DesiredCount       *int     `json:"desiredCount"`
	ClientToken        *string  `json:"clientToken"`
	LaunchType         *string  `json:"launchType"`
	SchedulingStrategy *string  `json:"schedulingStrategy"`
	Role               *string  `json:"role"`
	Tags               []ecsTag `json:"tags"`
	settingsRequest
}

func createService(c *call, in json.RawMessage) (any, error) {
	var req createRequest
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	clusterName, err := c.clusterName(req.Cluster)
	if err != nil {
		return nil, err
	}
	if req.ServiceName == nil || *req.ServiceName == "" {
		return nil, invalidParameter("serviceName can not be blank.")
	}
	name := *req.ServiceName
	if !ecsNamePattern.MatchString(name) {
		return nil, invalidParameter("Invalid service name %s. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.", name)
	}
	definition, err := c.authorizeCreate(clusterName, name, &req)
	if err != nil {
		return nil, err
	}
	k, err := c.activeCluster(clusterName)
	if err != nil {
		return nil, err
	}
	if existing := k.services[name]; existing != nil && existing.status != "INACTIVE" {
		switch {
		case existing.status == "DRAINING":
			return nil, invalidParameter("Unable to Start a service that is still Draining.")
		case req.ClientToken != nil && *req.ClientToken == existing.token && sameDocument(in, json.RawMessage(existing.request)):
			return map[string]any{"service": existing.view().show(true)}, nil
		default:
			return nil, invalidParameter("Creation of service was not idempotent.")
		}
	}
	made, err := c.newService(k, name, &req, definition, in)
	if err != nil {
		return nil, err
	}
	if previous := k.services[name]; previous != nil {
		previous.erase()
	}
	k.services[name] = made
	if definition != nil {
		made.deploy(definition)
	}
	made.touch()
	return map[string]any{"service": made.view().show(len(made.tags) > 0)}, nil
}

// authorizeCreate checks the caller's permissions, and finds the task definition, nil under
// EXTERNAL.
func (c *call) authorizeCreate(clusterName, name string, req *createRequest) (*taskDefinition, error) {
	arn := c.arn("ecs", "service/"+clusterName+"/"+name)
	conditions := requestTags(req.Tags)
	conditions["ecs:cluster"] = c.arn("ecs", "cluster/"+clusterName)
	var definition *taskDefinition
	if req.TaskDefinition != nil {
		definition = c.taskDefinition(*req.TaskDefinition, c.sim.now())
		conditions["ecs:task-definition"] = *req.TaskDefinition
		if definition != nil {
			conditions["ecs:task-definition"] = definition.arn
		}
	}
	if err := c.authorize("ecs:CreateService", arn, conditions); err != nil {
		return nil, err
	}
	if err := c.authorizeTagging(arn, req.Tags); err != nil {
		return nil, err
	}
	if definition != nil {
		if err := c.passRoles(definition.spec.roles()...); err != nil {
			return nil, err
		}
	}
	if err := c.passInfrastructureRoles(req.LoadBalancers); err != nil {
		return nil, err
	}
	return definition, nil
}

// newService checks the request and makes the service, which does nothing yet.
func (c *call) newService(k *cluster, name string, req *createRequest, definition *taskDefinition, in json.RawMessage) (*service, error) {
	if err := oneOf("schedulingStrategy", req.SchedulingStrategy, "REPLICA", "DAEMON"); err != nil {
		return nil, err
	}
	if err := oneOf("launchType", req.LaunchType, "EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"); err != nil {
		return nil, err
	}
	if err := req.check(); err != nil {
		return nil, err
	}
	if err := checkTags(req.Tags); err != nil {
		return nil, err
	}
	made := &service{
		state: c.region.ecs, cluster: k, name: name, arn: c.arn("ecs", "service/"+k.name+"/"+name),
		status: "ACTIVE", createdAt: c.sim.now(), createdBy: c.principal.arn, request: string(in),
		scheduling: "REPLICA", controller: "ECS", tags: req.Tags,
	}
	if req.ClientToken != nil {
		if len(*req.ClientToken) > 36 {
			return nil, invalidParameter("clientToken must not have more than 36 characters.")
		}
		made.token = *req.ClientToken
	}
	if req.SchedulingStrategy != nil {
		made.scheduling = *req.SchedulingStrategy
	}
	if req.DeploymentController != nil {
		made.controller = req.DeploymentController.Type
		if err := oneOf("deployment controller", &made.controller, "ECS", "CODE_DEPLOY", "EXTERNAL"); err != nil {
			return nil, err
		}
	}
	made.settings = serviceSettings{
		LoadBalancers: json.RawMessage(`[]`), ServiceRegistries: json.RawMessage(`[]`),
		PlacementConstraints: json.RawMessage(`[]`), PlacementStrategy: json.RawMessage(`[]`),
		PropagateTags: "NONE", PlatformVersion: "LATEST", AvailabilityZoneRebalancing: "DISABLED",
	}
	var err error
	if made.settings, _, err = made.settings.merge(&req.settingsRequest, in); err != nil {
		return nil, err
	}
	if made.settings.balanced() && made.settings.HealthCheckGracePeriodSeconds == nil {
		none := 0
		made.settings.HealthCheckGracePeriodSeconds = &none
	}
	if made.rollout, err = newDeploymentSettings(made.scheduling).merge(req.DeploymentConfiguration, in, c.sim.ecs.options); err != nil {
		return nil, err
	}
	if err := made.rollout.checkController(made.controller, made.scheduling); err != nil {
		return nil, err
	}
	if err := made.settings.checkBalancers(c.region, made.rollout); err != nil {
		return nil, err
	}
	if err := made.placeOn(req.LaunchType); err != nil {
		return nil, err
	}
	switch {
	case req.DesiredCount != nil && *req.DesiredCount < 0:
		return nil, invalidParameter("desiredCount cannot be less than 0.")
	case req.DesiredCount != nil && made.scheduling == "DAEMON":
		return nil, invalidParameter("The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again.")
	case req.DesiredCount == nil && made.scheduling == "REPLICA" && made.controller != "EXTERNAL":
		return nil, invalidParameter("The replica scheduling strategy requires a desired count for services.")
	case req.DesiredCount != nil:
		made.desired = *req.DesiredCount
	}
	if made.scheduling == "DAEMON" && (made.settings.fargate() || made.controller != "ECS") {
		return nil, invalidParameter("The daemon scheduling strategy is not supported for this launch type or deployment controller.")
	}
	if made.controller == "EXTERNAL" {
		if req.TaskDefinition != nil {
			return nil, invalidParameter("TaskDefinition cannot be specified for a service with an EXTERNAL deployment controller.")
		}
		return made, nil
	}
	if req.TaskDefinition == nil || *req.TaskDefinition == "" {
		return nil, invalidParameter("TaskDefinition can not be blank.")
	}
	if made.controller == "CODE_DEPLOY" {
		made.taskSetID = made.state.deploymentNumber()
	}
	if err := made.fits(definition); err != nil {
		return nil, err
	}
	return made, nil
}

// placeOn settles where the tasks run: the launch type or the strategy of the request, else
// the cluster's strategy, else EC2.
func (s *service) placeOn(launchType *string) error {
	switch {
	case launchType != nil && s.settings.CapacityProviderStrategy != nil:
		return invalidParameter("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	case launchType != nil:
		s.settings.LaunchType = *launchType
	case s.settings.CapacityProviderStrategy != nil:
		s.settings.LaunchType = ""
	case string(s.cluster.strategy) != "[]":
		s.settings.CapacityProviderStrategy = s.cluster.strategy
	default:
		s.settings.LaunchType = "EC2"
	}
	return nil
}

// fits checks that the service can run a task definition, nil being one that does not
// exist.
func (s *service) fits(td *taskDefinition) error {
	switch {
	case td == nil:
		return clientError("TaskDefinition not found.")
	case td.status() != "ACTIVE":
		return clientError("TaskDefinition is inactive")
	case s.settings.fargate() && td.spec.checkFargate() != nil:
		return invalidParameter("Task definition does not support launch_type FARGATE.")
	case td.spec.awsvpc() && s.settings.NetworkConfiguration == nil:
		return invalidParameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	case !td.spec.awsvpc() && s.settings.NetworkConfiguration != nil:
		return invalidParameter("Network Configuration is not valid for the given networkMode of this task definition.")
	}
	if err := s.settings.fitsTargets(s.state.region, td.spec.awsvpc()); err != nil {
		return err
	}
	return s.balances(td)
}

// balances checks that the load balancers lead to containers and ports of the task
// definition.
func (s *service) balances(td *taskDefinition) error {
	for _, b := range s.settings.balancers() {
		found := false
		for _, container := range td.spec.ContainerDefinitions {
			if *container.Name != b.ContainerName {
				continue
			}
			for _, port := range container.PortMappings {
				found = found || port.ContainerPort != nil && *port.ContainerPort == b.ContainerPort
			}
			if !found {
				return invalidParameter("The container %s did not have a container port %d defined.", b.ContainerName, b.ContainerPort)
			}
		}
		if !found {
			return invalidParameter("The container %s does not exist in the task definition.", strings.TrimSpace(b.ContainerName))
		}
	}
	return nil
}

// erase forgets what a deleted service left behind, when its name is used again or it is no
// longer shown. Its deployments and revisions go with it.
func (s *service) erase() {
	for _, sd := range s.history {
		delete(s.state.deployments, sd.arn)
	}
	for arn, revision := range s.state.revisions {
		if revision.service == s {
			delete(s.state.revisions, arn)
		}
	}
	if s.cluster.services[s.name] == s {
		delete(s.cluster.services, s.name)
	}
}

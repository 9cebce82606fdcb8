package awssim

import (
	"encoding/json"
	"time"
)

// updateRequest is UpdateServiceRequest. Absent members stay as they are.
type updateRequest struct {
	Cluster            *string `json:"cluster"`
	Service            *string `json:"service"`
	DesiredCount       *int    `json:"desiredCount"`
	TaskDefinition     *string `json:"taskDefinition"`
	ForceNewDeployment bool    `json:"forceNewDeployment"`
	settingsRequest
}

func updateService(c *call, in json.RawMessage) (any, error) {
	var req updateRequest
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	s, definition, err := c.authorizeUpdate(&req)
	if err != nil {
		return nil, err
	}
	if err := req.check(); err != nil {
		return nil, err
	}
	if req.DesiredCount != nil && *req.DesiredCount < 0 {
		return nil, invalidParameter("desiredCount cannot be less than 0.")
	}
	if req.DesiredCount != nil && s.scheduling == "DAEMON" {
		return nil, invalidParameter("The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again.")
	}
	settings, redeploy, err := s.settings.merge(&req.settingsRequest, in)
	if err != nil {
		return nil, err
	}
	if err := s.checkController(&req, redeploy); err != nil {
		return nil, err
	}
	rollout, err := s.rollout.merge(req.DeploymentConfiguration, in, c.sim.ecs.options)
	if err != nil {
		return nil, err
	}
	if err := rollout.checkController(s.controller, s.scheduling); err != nil {
		return nil, err
	}
	if req.LoadBalancers != nil || req.DeploymentConfiguration != nil || req.HealthCheckGracePeriodSeconds != nil {
		if err := settings.checkBalancers(c.region, rollout); err != nil {
			return nil, err
		}
	}
	if s.primary() == nil { // EXTERNAL: there is nothing to deploy
		s.settings, s.rollout = settings, rollout
		if req.DesiredCount != nil {
			s.desired = *req.DesiredCount
		}
		s.touch()
		return map[string]any{"service": s.view().show(false)}, nil
	}
	current := s.primary().revision.definition
	if req.TaskDefinition == nil {
		definition = current
	}
	redeploy = redeploy || req.ForceNewDeployment || definition != current
	if redeploy {
		if err := (&service{state: s.state, cluster: s.cluster, settings: settings}).fits(definition); err != nil {
			return nil, err
		}
	}
	s.settings, s.rollout = settings, rollout
	if req.DesiredCount != nil {
		s.desired = *req.DesiredCount
		s.steady = false
	}
	if redeploy {
		s.deploy(definition)
	} else {
		s.poke(s.state.between(time.Second, 3*time.Second))
	}
	s.touch()
	return map[string]any{"service": s.view().show(false)}, nil
}

// authorizeUpdate checks the caller's permissions, finds the service, and the task
// definition of the request, nil when it names none.
func (c *call) authorizeUpdate(req *updateRequest) (*service, *taskDefinition, error) {
	clusterName, err := c.clusterName(req.Cluster)
	if err != nil {
		return nil, nil, err
	}
	if req.Service == nil {
		return nil, nil, invalidParameter("Service cannot be empty.")
	}
	name, err := c.serviceName(clusterName, *req.Service)
	if err != nil {
		return nil, nil, err
	}
	conditions := c.serviceConditions(clusterName, name)
	var definition *taskDefinition
	if req.TaskDefinition != nil {
		definition = c.taskDefinition(*req.TaskDefinition, c.sim.now())
		conditions["ecs:task-definition"] = *req.TaskDefinition
		if definition != nil {
			conditions["ecs:task-definition"] = definition.arn
		}
	}
	if err := c.authorize("ecs:UpdateService", c.arn("ecs", "service/"+clusterName+"/"+name), conditions); err != nil {
		return nil, nil, err
	}
	if definition != nil {
		if err := c.passRoles(definition.spec.roles()...); err != nil {
			return nil, nil, err
		}
	}
	if err := c.passInfrastructureRoles(req.LoadBalancers); err != nil {
		return nil, nil, err
	}
	s, err := c.findService(clusterName, name)
	if err != nil {
		return nil, nil, err
	}
	if s.status != "ACTIVE" {
		return nil, nil, newError(400, "ServiceNotActiveException", "Service was not ACTIVE.")
	}
	if req.TaskDefinition != nil && definition == nil {
		return nil, nil, clientError("TaskDefinition not found.")
	}
	if definition != nil && definition.status() != "ACTIVE" {
		return nil, nil, clientError("TaskDefinition is inactive")
	}
	return s, definition, nil
}

// serviceConditions are the condition keys of a service: its cluster, and its tags if it
// exists.
func (c *call) serviceConditions(clusterName, name string) map[string]string {
	conditions := map[string]string{"ecs:cluster": c.arn("ecs", "cluster/"+clusterName)}
	if k := c.region.ecs.clusters[clusterName]; k != nil && k.services[name] != nil {
		return withResourceTags(conditions, k.services[name].tags)
	}
	return conditions
}

// findService is the service of that name.
func (c *call) findService(clusterName, name string) (*service, error) {
	k, err := c.activeCluster(clusterName)
	if err != nil {
		return nil, err
	}
	s := k.services[name]
	if s == nil {
		return nil, newError(400, "ServiceNotFoundException", "Service not found.")
	}
	return s, nil
}

// checkController refuses what only the service's own deployment controller may change.
func (s *service) checkController(req *updateRequest, redeploy bool) error {
	if d := req.DeploymentController; d != nil && d.Type != s.controller {
		if err := oneOf("deployment controller", &d.Type, "ECS", "CODE_DEPLOY", "EXTERNAL"); err != nil {
			return err
		}
		return newError(400, "UnsupportedFeatureException", "Changing the deployment controller from %s to %s is not supported.", s.controller, d.Type)
	}
	switch s.controller {
	case "CODE_DEPLOY":
		if req.TaskDefinition != nil {
			return invalidParameter("Unable to update task definition on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.")
		}
		if req.ForceNewDeployment {
			return invalidParameter("Cannot force a new deployment on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.")
		}
		if redeploy {
			return invalidParameter("Unable to update network parameters on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.")
		}
	case "EXTERNAL":
		if req.TaskDefinition != nil || req.ForceNewDeployment || redeploy {
			return invalidParameter("Invalid request provided: UpdateService on a service with an EXTERNAL deployment controller may change only the desired count and the health check grace period. Use a task set instead.")
		}
	}
	return nil
}

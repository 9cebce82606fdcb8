package awssim

import (
	"encoding/json"
	"time"
)

func describeServices(c *call, in json.RawMessage) (any, error) {
	var req struct {
		Cluster  *string  `json:"cluster"`
		Services []string `json:"services"`
		Include  []string `json:"include"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	clusterName, err := c.clusterName(req.Cluster)
	if err != nil {
		return nil, err
	}
	switch {
	case len(req.Services) == 0:
		return nil, invalidParameter("Services cannot be empty.")
	case len(req.Services) > 10:
		return nil, invalidParameter("Services cannot have more than 10 elements")
	}
	if err := checkInclude(req.Include, "TAGS"); err != nil {
		return nil, err
	}
	names := make([]string, len(req.Services))
	for i, identifier := range req.Services {
		name, err := c.serviceName(clusterName, identifier)
		if err != nil {
			return nil, err
		}
		names[i] = name
		if err := c.authorize("ecs:DescribeServices", c.arn("ecs", "service/"+clusterName+"/"+name), c.serviceConditions(clusterName, name)); err != nil {
			return nil, err
		}
	}
	k, err := c.activeCluster(clusterName)
	if err != nil {
		return nil, err
	}
	found, failures := []json.RawMessage{}, []ecsFailure{}
	for _, name := range names {
		v := c.viewOf(k.services[name])
		if v == nil {
			failures = append(failures, missing(c.arn("ecs", "service/"+clusterName+"/"+name)))
			continue
		}
		written, err := v.write(len(req.Include) > 0)
		if err != nil {
			return nil, err
		}
		found = append(found, written)
	}
	return map[string]any{"services": found, "failures": failures}, nil
}

// viewOf is what a reader sees of a service now, nil for nothing. ECS is a little behind,
// but shows a service as soon as it is created.
func (c *call) viewOf(s *service) *serviceView {
	if s == nil {
		return nil
	}
	v := s.views.at(c.readTime(c.sim.ecs.options.serviceLag()))
	if v == nil && c.staleness == 0 {
		v = s.views.first()
	}
	return v
}

func listServices(c *call, in json.RawMessage) (any, error) {
	var req struct {
		Cluster                *string `json:"cluster"`
		LaunchType             *string `json:"launchType"`
		SchedulingStrategy     *string `json:"schedulingStrategy"`
		ResourceManagementType *string `json:"resourceManagementType"`
		ecsPaging
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	clusterName, err := c.clusterName(req.Cluster)
	if err != nil {
		return nil, err
	}
	if err := c.authorize("ecs:ListServices", "*", map[string]string{"ecs:cluster": c.arn("ecs", "cluster/"+clusterName)}); err != nil {
		return nil, err
	}
	if err := oneOf("launchType", req.LaunchType, "EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"); err != nil {
		return nil, err
	}
	if err := oneOf("schedulingStrategy", req.SchedulingStrategy, "REPLICA", "DAEMON"); err != nil {
		return nil, err
	}
	if err := oneOf("resourceManagementType", req.ResourceManagementType, "CUSTOMER", "ECS"); err != nil {
		return nil, err
	}
	k, err := c.activeCluster(clusterName)
	if err != nil {
		return nil, err
	}
	arns := []string{}
	for _, s := range k.services {
		v := c.viewOf(s)
		if v == nil || v.Status == "INACTIVE" ||
			req.LaunchType != nil && *req.LaunchType != v.LaunchType ||
			req.SchedulingStrategy != nil && *req.SchedulingStrategy != v.SchedulingStrategy ||
			req.ResourceManagementType != nil && *req.ResourceManagementType != v.ResourceManagementType {
			continue
		}
		arns = append(arns, s.arn)
	}
	return pageOfARNs("serviceArns", arns, false, req.ecsPaging, 10)
}

// serviceForgotten is how long a deleted service is shown as INACTIVE.
const serviceForgotten = time.Hour

func deleteService(c *call, in json.RawMessage) (any, error) {
	var req struct {
		Cluster *string `json:"cluster"`
		Service *string `json:"service"`
		Force   bool    `json:"force"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	clusterName, err := c.clusterName(req.Cluster)
	if err != nil {
		return nil, err
	}
	if req.Service == nil {
		return nil, invalidParameter("Service cannot be empty.")
	}
	name, err := c.serviceName(clusterName, *req.Service)
	if err != nil {
		return nil, err
	}
	if err := c.authorize("ecs:DeleteService", c.arn("ecs", "service/"+clusterName+"/"+name), c.serviceConditions(clusterName, name)); err != nil {
		return nil, err
	}
	s, err := c.findService(clusterName, name)
	if err != nil {
		return nil, err
	}
	if s.status == "INACTIVE" {
		return nil, newError(400, "ServiceNotFoundException", "Service not found.")
	}
	if !req.Force && s.scheduling == "REPLICA" && s.desired > 0 {
		return nil, invalidParameter("The service cannot be stopped while it is scaled above 0.")
	}
	if s.status == "ACTIVE" {
		s.status, s.desired = "DRAINING", 0
		if p := s.primary(); p != nil {
			p.serviceDeployment.requestStop("Service was deleted.")
		}
		s.poke(s.state.between(time.Second, 2*time.Second))
		s.touch()
	}
	return map[string]any{"service": s.view().show(false)}, nil
}

// drain stops everything that a deleted service runs; when nothing is left the service is
// INACTIVE, and after a while unknown.
func (s *service) drain() {
	s.stop(s.live(), stopForScaling(s.primary()))
	if len(s.tasks) > 0 {
		return
	}
	s.status = "INACTIVE"
	s.state.world.after(serviceForgotten, func() {
		if s.cluster.services[s.name] == s {
			s.erase()
		}
	})
}

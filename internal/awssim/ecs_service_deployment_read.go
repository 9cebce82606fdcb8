package awssim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

var serviceDeploymentStatuses = []string{
	"PENDING", "SUCCESSFUL", "STOPPED", "STOP_REQUESTED", "IN_PROGRESS",
	"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED",
}

func listServiceDeployments(c *call, in json.RawMessage) (any, error) {
	var req struct {
		Cluster   *string  `json:"cluster"`
		Service   *string  `json:"service"`
		Status    []string `json:"status"`
		CreatedAt *struct {
			Before *float64 `json:"before"`
			After  *float64 `json:"after"`
		} `json:"createdAt"`
		ecsPaging
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
	for _, status := range req.Status {
		if err := oneOf("status", &status, serviceDeploymentStatuses...); err != nil {
			return nil, err
		}
	}
	if err := c.authorize("ecs:ListServiceDeployments", c.arn("ecs", "service/"+clusterName+"/"+name), c.serviceConditions(clusterName, name)); err != nil {
		return nil, err
	}
	s, err := c.findService(clusterName, name)
	if err != nil {
		return nil, err
	}
	if s.controller != "ECS" {
		return nil, newError(400, "UnsupportedFeatureException", "Service deployments are only supported for services with the ECS deployment controller.")
	}
	at := c.readTime(c.sim.ecs.options.serviceDeploymentLag())
	var listed []listedDeployment
	for i, sd := range s.history {
		v := sd.views.at(at)
		if v == nil || len(req.Status) > 0 && !slices.Contains(req.Status, v.Status) {
			continue
		}
		if created := sd.createdAt; req.CreatedAt != nil {
			seconds := float64(created.UnixMilli()) / 1000
			if b := req.CreatedAt.Before; b != nil && seconds >= *b || req.CreatedAt.After != nil && seconds <= *req.CreatedAt.After {
				continue
			}
		}
		// Oldest have the smallest keys; the position from the end tells equal times apart.
		key := fmt.Sprintf("%s/%09d", sd.createdAt.UTC().Format("20060102150405.000000000"), len(s.history)-i)
		listed = append(listed, listedDeployment{key, v.brief()})
	}
	page, next, err := ecsPage(listed, func(l listedDeployment) string { return l.key }, true, req.ecsPaging, 20)
	if err != nil {
		return nil, err
	}
	briefs := []serviceDeploymentBrief{}
	for _, l := range page {
		briefs = append(briefs, l.brief)
	}
	return withToken(map[string]any{"serviceDeployments": briefs}, next), nil
}

type listedDeployment struct {
	key   string
	brief serviceDeploymentBrief
}

// authorizePart checks an action on a service deployment or revision: that takes the
// permission for the service as well as for the part of it.
func (c *call) authorizePart(action, arn, kind string) error {
	path, ok := c.resourcePath(arn, kind)
	parts := strings.Split(path, "/")
	if !ok || len(parts) != 3 {
		return invalidParameter("Invalid identifier: %s is not the ARN of a %s", arn, kind)
	}
	conditions := c.serviceConditions(parts[0], parts[1])
	if err := c.authorize(action, c.arn("ecs", "service/"+parts[0]+"/"+parts[1]), conditions); err != nil {
		return err
	}
	return c.authorize(action, arn, conditions)
}

func describeServiceDeployments(c *call, in json.RawMessage) (any, error) {
	var req struct {
		ARNs []string `json:"serviceDeploymentArns"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	switch {
	case len(req.ARNs) == 0:
		return nil, invalidParameter("Service deployments cannot be empty.")
	case len(req.ARNs) > 20:
		return nil, invalidParameter("Service deployments cannot have more than 20 elements")
	}
	found, failures := []serviceDeploymentView{}, []ecsFailure{}
	at := c.readTime(0)
	for _, arn := range req.ARNs {
		if err := c.authorizePart("ecs:DescribeServiceDeployments", arn, "service-deployment"); err != nil {
			return nil, err
		}
		var v *serviceDeploymentView
		if sd := c.region.ecs.deployments[arn]; sd != nil {
			v = sd.views.at(at)
		}
		if v == nil {
			failures = append(failures, missing(arn))
			continue
		}
		found = append(found, *v)
	}
	return map[string]any{"serviceDeployments": found, "failures": failures}, nil
}

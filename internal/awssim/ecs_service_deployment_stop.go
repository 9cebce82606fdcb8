package awssim

import (
	"encoding/json"
	"time"
)

func stopServiceDeployment(c *call, in json.RawMessage) (any, error) {
	var req struct {
		ARN      string  `json:"serviceDeploymentArn"`
		StopType *string `json:"stopType"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	if err := c.authorizePart("ecs:StopServiceDeployment", req.ARN, "service-deployment"); err != nil {
		return nil, err
	}
	types := []string{"ROLLBACK"}
	if c.sim.ecs.options.AbortStopsDeployment {
		types = append(types, "ABORT")
	}
	if err := oneOf("stopType", req.StopType, types...); err != nil {
		return nil, err
	}
	sd := c.region.ecs.deployments[req.ARN]
	if sd == nil {
		return nil, serviceDeploymentNotFound()
	}
	switch {
	case sd.finished():
		conflict := newError(400, "ConflictException", "The service deployment is in the %s state and cannot be stopped.", sd.status)
		conflict.extra = map[string]any{"resourceIds": []string{sd.arn}}
		return nil, conflict
	case sd.status != "PENDING" && sd.status != "IN_PROGRESS": // it stops already
	case req.StopType != nil && *req.StopType == "ABORT":
		sd.abort()
	default:
		sd.requestRollback()
	}
	return map[string]any{"serviceDeploymentArn": sd.arn}, nil
}

func serviceDeploymentNotFound() *apiError {
	return newError(400, "ServiceDeploymentNotFoundException", "Service deployment not found.")
}

// requestRollback is what StopServiceDeployment asks for: the service goes back, whether or
// not rollback is configured. A rolling deployment may still succeed before that begins.
func (sd *serviceDeployment) requestRollback() {
	s := sd.service
	const reason = "Service deployment rolled back because a user stopped it."
	sd.set("ROLLBACK_REQUESTED", reason)
	s.touch()
	s.state.world.after(s.state.between(time.Second, 3*time.Second), func() {
		if sd.status != "ROLLBACK_REQUESTED" || s.primary() != sd.deployment {
			return
		}
		sd.stoppedAt = s.state.world.now()
		s.abandon(sd.deployment, failure{
			event: "deployment was stopped.", reason: "ECS deployment stopped by user.", detector: "ECS deployment stopped by user", why: reason,
		})
		s.touch()
	})
}

// abort stops the deployment where it is.
func (sd *serviceDeployment) abort() {
	s := sd.service
	s.event("(deployment %s) deployment failed: deployment was stopped.", sd.deployment.id)
	sd.deployment.fail("ECS deployment stopped by user.")
	sd.requestStop("Service deployment stopped by a user.")
	s.poke(s.state.between(time.Second, 3*time.Second))
	s.touch()
}

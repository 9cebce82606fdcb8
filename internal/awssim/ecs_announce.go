package awssim

import "encoding/json"

// What ECS tells EventBridge ("Amazon ECS events"): the deployments of services, some of what
// services do, pauses at hooks and, elsewhere, the states of tasks. Nothing is told about
// container instances.

// announce tells the default bus of the service's account and region.
func (s *service) announce(detailType, resource string, detail func() any) {
	st := s.state
	st.region.events.announce(st.world, announcement{source: "aws.ecs", detailType: detailType, resources: []string{resource}, detail: detail})
}

// deploymentAnnouncement is the detail of "ECS Deployment State Change".
type deploymentAnnouncement struct {
	EventType    string `json:"eventType"`
	EventName    string `json:"eventName"`
	DeploymentID string `json:"deploymentId"`
	UpdatedAt    string `json:"updatedAt"`
	Reason       string `json:"reason"`
}

// announce tells of the state that a deployment, or a rollback to it, has come to. That one has
// failed is told only where something watches for that ("Amazon ECS service deployment state
// change events").
func (d *deployment) announce() {
	s := d.service
	watched := s.rollout.breaker || len(s.rollout.alarmNames) > 0
	if s.controller != "ECS" || d.rollout == "FAILED" && !watched {
		return
	}
	s.announce("ECS Deployment State Change", s.arn, func() any {
		eventType := "INFO"
		if d.rollout == "FAILED" {
			eventType = "ERROR"
		}
		return deploymentAnnouncement{
			EventType: eventType, EventName: "SERVICE_DEPLOYMENT_" + d.rollout, DeploymentID: d.id,
			UpdatedAt: isoSeconds(d.updatedAt), Reason: d.reason,
		}
	})
}

// serviceAction is the detail of "ECS Service Action".
type serviceAction struct {
	EventType            string   `json:"eventType"`
	EventName            string   `json:"eventName"`
	ClusterARN           string   `json:"clusterArn"`
	CapacityProviderARNs []string `json:"capacityProviderArns,omitempty"`
	Reason               string   `json:"reason,omitempty"`
	CreatedAt            string   `json:"createdAt"`
}

// announceAction tells what a service does. A steady state is told once, when it is reached;
// AWS repeats it.
func (s *service) announceAction(eventType, eventName string, action serviceAction) {
	s.announce("ECS Service Action", s.arn, func() any {
		action.EventType, action.EventName, action.ClusterARN = eventType, eventName, s.cluster.arn
		action.CreatedAt = isoMillis(s.state.world.now())
		return action
	})
}

// placementFailure is what there was too little of: Fargate's capacity, or instances.
func (s *service) placementFailure() serviceAction {
	if !s.settings.fargate() {
		return serviceAction{Reason: "RESOURCE:CPU"}
	}
	var strategy []struct{ CapacityProvider string }
	_ = json.Unmarshal(s.settings.CapacityProviderStrategy, &strategy) // absent, or checked when it was set
	action := serviceAction{Reason: "RESOURCE:FARGATE"}
	for _, provider := range strategy {
		action.CapacityProviderARNs = append(action.CapacityProviderARNs, s.state.arn("capacity-provider/"+provider.CapacityProvider))
	}
	if action.CapacityProviderARNs == nil {
		action.CapacityProviderARNs = []string{s.state.arn("capacity-provider/FARGATE")}
	}
	return action
}

// hookAnnouncement is the detail of "ECS Hook State Change".
type hookAnnouncement struct {
	EventType            string `json:"eventType"`
	EventName            string `json:"eventName"`
	HookID               string `json:"hookId"`
	HookType             string `json:"hookType"`
	ExpiresAt            string `json:"expiresAt"`
	LifecycleStage       string `json:"lifecycleStage"`
	ClusterARN           string `json:"clusterArn"`
	ServiceARN           string `json:"serviceArn"`
	ServiceDeploymentARN string `json:"serviceDeploymentArn"`
	UpdatedAt            string `json:"updatedAt"`
}

// announceHook tells of the status that a pause has come to. A pause has none but those that
// wait for somebody or are over: HOOK_IN_PROGRESS is for hooks that run something.
func (sd *serviceDeployment) announceHook(h *hookRun) {
	s := sd.service
	s.announce("ECS Hook State Change", sd.arn, func() any {
		eventType := "INFO"
		if h.status == "FAILED" || h.status == "TIMED_OUT" {
			eventType = "ERROR"
		}
		return hookAnnouncement{
			EventType: eventType, EventName: "HOOK_" + h.status, HookID: h.id, HookType: "PAUSE", ExpiresAt: isoSeconds(h.expires),
			LifecycleStage: h.stage, ClusterARN: s.cluster.arn, ServiceARN: s.arn, ServiceDeploymentARN: sd.arn,
			UpdatedAt: isoSeconds(s.state.world.now()),
		}
	})
}

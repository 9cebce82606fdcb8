package awssim

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// hookRun is one stop of a deployment at a pause hook.
type hookRun struct {
	id      string
	stage   string
	status  string // AWAITING_ACTION, SUCCEEDED, FAILED, TIMED_OUT
	expires time.Time
	action  string // when it expires
}

// hookView is DeploymentLifecycleHookDetail.
type hookView struct {
	HookID        string      `json:"hookId"`
	TargetType    string      `json:"targetType"`
	Status        string      `json:"status"`
	ExpiresAt     json.Number `json:"expiresAt"`
	TimeoutAction string      `json:"timeoutAction"`
}

const awaitingAction = "AWAITING_ACTION"

// paused tells whether a hook waits for somebody. Hooks of the same stage wait side by side.
func (l *lifecycle) paused() bool {
	return slices.ContainsFunc(l.hooks, func(h *hookRun) bool { return h.status == awaitingAction })
}

// cancelPauses ends the pauses of a deployment that ends otherwise.
func (sd *serviceDeployment) cancelPauses() {
	if sd.lifecycle == nil {
		return
	}
	for _, h := range sd.lifecycle.hooks {
		if h.status == awaitingAction {
			sd.setHook(h, "FAILED")
		}
	}
}

// setHook moves a stop at a hook to a status.
func (sd *serviceDeployment) setHook(h *hookRun, status string) {
	h.status = status
	sd.announceHook(h)
}

func (l *lifecycle) showHooks() []hookView {
	if l == nil {
		return nil
	}
	var shown []hookView
	for _, h := range l.hooks {
		shown = append(shown, hookView{HookID: h.id, TargetType: "PAUSE", Status: h.status, ExpiresAt: epoch(h.expires), TimeoutAction: h.action})
	}
	return shown
}

// pause stops the deployment at a hook.
func (s *service) pause(p *deployment, hook pauseHook) {
	w := s.state.world
	sd := p.serviceDeployment
	timeout := time.Duration(hook.timeoutMinutes) * time.Minute
	h := &hookRun{
		id: "ecs-pause-" + s.state.draw(nanoDigits, 43), stage: sd.lifecycle.stage().name,
		expires: w.now().Add(w.scale(timeout)), action: hook.timeoutAction,
	}
	sd.lifecycle.hooks = append(sd.lifecycle.hooks, h)
	sd.setHook(h, awaitingAction)
	w.after(timeout, func() {
		if h.status != awaitingAction {
			return
		}
		sd.setHook(h, "TIMED_OUT")
		if h.action == "ROLLBACK" {
			s.abandon(p, hookFailure(h, "timed out."))
		} else {
			s.resume(p)
		}
		s.touch()
	})
}

func hookFailure(h *hookRun, how string) failure {
	return failure{
		why:      fmt.Sprintf("Service deployment rolled back because %s lifecycle hook(s) failed. Lifecycle hook %s %s", h.stage, h.id, how),
		detector: "ECS deployment lifecycle hook",
	}
}

// resume lets the deployment go on when nothing holds it any more.
func (s *service) resume(p *deployment) {
	sd := p.serviceDeployment
	sd.updatedAt = s.state.world.now()
	if !sd.lifecycle.paused() {
		s.limit(p, stageMost)
		s.poke(s.state.between(time.Second, 3*time.Second))
	}
}

func continueServiceDeployment(c *call, in json.RawMessage) (any, error) {
	var req struct {
		ARN    string  `json:"serviceDeploymentArn"`
		HookID string  `json:"hookId"`
		Action *string `json:"action"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	if err := c.authorizePart("ecs:ContinueServiceDeployment", req.ARN, "service-deployment"); err != nil {
		return nil, err
	}
	if req.HookID == "" {
		return nil, invalidParameter("hookId can not be empty.")
	}
	if err := oneOf("action", req.Action, "CONTINUE", "ROLLBACK"); err != nil {
		return nil, err
	}
	sd := c.region.ecs.deployments[req.ARN]
	if sd == nil {
		return nil, serviceDeploymentNotFound()
	}
	h := sd.lifecycle.hook(req.HookID)
	switch {
	case h == nil:
		return nil, invalidParameter("The lifecycle hook %s was not found in the service deployment.", req.HookID)
	case h.status != awaitingAction:
		return nil, invalidParameter("The lifecycle hook %s is in the %s state. Only hooks in the %s state can be continued.", h.id, h.status, awaitingAction)
	}
	s := sd.service
	if req.Action != nil && *req.Action == "ROLLBACK" {
		sd.setHook(h, "FAILED")
		s.abandon(sd.deployment, hookFailure(h, "was rolled back by a user."))
	} else {
		sd.setHook(h, "SUCCEEDED")
		s.resume(sd.deployment)
	}
	s.touch()
	return map[string]any{"serviceDeploymentArn": sd.arn}, nil
}

func (l *lifecycle) hook(id string) *hookRun {
	if l == nil {
		return nil
	}
	if i := slices.IndexFunc(l.hooks, func(h *hookRun) bool { return h.id == id }); i >= 0 {
		return l.hooks[i]
	}
	return nil
}

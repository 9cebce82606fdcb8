package awssim

import (
	"cmp"
	"time"
)

const (
	breakerReason    = "Service deployment rolled back because the circuit breaker threshold was exceeded."
	noCandidate      = "No rollback candidate was found to run the rollback."
	throttleFirst    = 10 * time.Second
	throttleMost     = 27 * time.Minute
	throttleTolerant = 3 // failures in a row before the throttle begins
)

// failed counts a task of a deployment that did not make it: it could not be placed, did not
// get to RUNNING, or stopped before it was healthy. Those that never ran also hold back the
// next start, for longer each time.
func (s *service) failed(d *deployment, ran bool) {
	if !ran {
		s.unlaunched++
		s.throttle()
	}
	if d.rollout != "IN_PROGRESS" {
		return
	}
	d.failures++
	d.updatedAt = s.state.world.now()
	if d == s.primary() && s.rollout.breaker && d.failures >= s.rollout.threshold(s.wanted()) {
		s.trip(d)
	}
}

// throttle is the service throttle logic: tasks that repeatedly fail to start are started
// ever more rarely.
func (s *service) throttle() {
	w := s.state.world
	now := w.now()
	if s.unlaunched < throttleTolerant || now.Before(s.heldUntil) {
		return
	}
	delay := throttleMost
	if s.holds < 8 {
		delay = min(delay, throttleFirst<<s.holds)
	}
	s.holds++
	s.heldUntil = now.Add(w.scale(delay))
	s.announceAction("WARN", "SERVICE_TASK_START_IMPAIRED", serviceAction{})
	s.event("is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
}

// release ends the throttle: a task got to RUNNING, or there is something new to start.
func (s *service) release() { s.unlaunched, s.holds, s.heldUntil = 0, 0, time.Time{} }

// trip is the deployment circuit breaker. With rollback, the service goes back to the last
// deployment that completed; without, it stays where it is and starts nothing more.
func (s *service) trip(d *deployment) {
	sd := d.serviceDeployment
	s.event("(deployment %s) deployment failed: tasks failed to start.", d.id)
	sd.breaker, sd.tripped = "TRIGGERED", [2]int{d.failures, s.rollout.threshold(s.wanted())}
	const reason = "ECS deployment circuit breaker: tasks failed to start."
	switch {
	case d.rollback:
		d.fail(reason)
		sd.set("ROLLBACK_FAILED", breakerReason)
	case s.rollout.rollback || sd.status == "ROLLBACK_REQUESTED":
		s.rollBack(d, reason, "ECS deployment circuit breaker", breakerReason)
	default:
		d.fail(reason)
		sd.requestStop("Service deployment stopped because the circuit breaker threshold was exceeded.")
	}
	s.poke(s.state.between(time.Second, 3*time.Second))
}

func (d *deployment) fail(reason string) {
	d.rollout, d.reason, d.updatedAt = "FAILED", reason, d.service.state.world.now()
	d.announce()
}

// failure is why a deployment ends badly, in the words of each place that tells it: the
// event, the rollout state of the deployment that failed and of the one that comes back, and
// the service deployment. An empty event or reason is the same as why.
type failure struct {
	event, reason, detector, why string
}

// abandon fails a deployment and rolls it back.
func (s *service) abandon(d *deployment, f failure) {
	s.event("(deployment %s) deployment failed: %s", d.id, cmp.Or(f.event, f.why))
	s.rollBack(d, cmp.Or(f.reason, f.why), f.detector, f.why)
	s.poke(s.state.between(time.Second, 3*time.Second))
}

// rollBack makes the last deployment that completed PRIMARY again, within the service
// deployment of the one that failed. Without one to go back to, the failed one stays PRIMARY
// and the service is stalled.
func (s *service) rollBack(failed *deployment, reason, detector, statusReason string) {
	now := s.state.world.now()
	sd := failed.serviceDeployment
	failed.fail(reason)
	target := s.completed
	if target == nil || target == failed || target.rollout != "COMPLETED" {
		sd.set("ROLLBACK_FAILED", noCandidate)
		return
	}
	if s.state.world.ecs.options.FreshRollbackDeployment {
		number := s.state.deploymentNumber()
		target = &deployment{service: s, id: "ecs-svc/" + number, revision: target.revision, createdAt: now}
	}
	s.event("rolling back to deployment %s.", target.id)
	failed.status = "ACTIVE"
	target.status, target.rollout, target.updatedAt = "PRIMARY", "IN_PROGRESS", now
	target.reason = detector + ": rolling back to deploymentId " + target.id + "."
	target.failures, target.started, target.rollback, target.healthyAt = 0, true, true, time.Time{}
	target.serviceDeployment = sd
	others := []*deployment{target}
	for _, d := range s.deployments {
		if d != target {
			others = append(others, d)
		}
	}
	s.deployments = others
	sd.rollback = &rollbackView{Reason: statusReason, StartedAt: epoch(now), ServiceRevisionARN: target.revision.arn}
	sd.set("ROLLBACK_REQUESTED", statusReason)
	target.announce()
	s.steady = false
	s.release()
}

package awssim

import (
	"slices"
	"time"
)

// exit is a container's process ending by itself. An essential one takes the task with it.
func (t *task) exit(c *taskContainer, code int, reason string) {
	if c.last == "STOPPED" {
		return
	}
	c.last, c.exitCode, c.reason = "STOPPED", &code, reason
	t.version++
	if c.spec.essential() {
		t.fail("EssentialContainerExited", "Essential container in task exited")
	}
}

// checkHealth decides when the task counts as healthy, or is found not to be. Without any
// check it counts when it has run for a little while.
func (t *task) checkHealth() {
	for _, c := range t.containers {
		b := c.behavior
		if b == nil || b.Kind != ImageUnhealthy {
			continue
		}
		after := time.Duration(b.AfterSeconds) * time.Second
		switch check := b.check(t, c); {
		case check == "container":
			wait := max(after+c.spec.HealthCheck.patience(), t.grace())
			t.then(wait, wait+2*time.Second, t.failContainerCheck)
		case t.registered: // the load balancer finds out
			continue
		default:
			wait := after + t.grace() + time.Minute
			t.then(wait, wait+5*time.Second, t.failLoadBalancerCheck)
		}
		if after == 0 {
			return
		}
	}
	t.then(10*time.Second, 20*time.Second, func() {
		if slices.ContainsFunc(t.containers, func(c *taskContainer) bool { return c.spec.HealthCheck != nil }) {
			t.health = "HEALTHY"
			t.version++
		}
		if t.checked = true; t.registered {
			t.lookAtTargets()
			return
		}
		t.becomeReady()
	})
}

// becomeReady counts the task as healthy.
func (t *task) becomeReady() {
	t.ready = true
	if t.service.rollout.resetOnHealthy {
		t.deployment.failures = 0
	}
	t.service.poke(t.service.state.between(time.Second, 2*time.Second))
}

// patience is how long a container health check takes to find a container unhealthy.
func (h *healthCheckSpec) patience() time.Duration {
	interval, retries, start := 30, 3, 0
	if h != nil {
		for to, value := range map[*int]*int{&interval: h.Interval, &retries: h.Retries, &start: h.StartPeriod} {
			if value != nil {
				*to = *value
			}
		}
	}
	return time.Duration(start+interval*retries) * time.Second
}

func (t *task) failContainerCheck() {
	t.health = "UNHEALTHY"
	t.service.event("(task %s) failed container health checks.", t.id)
	t.fail("ServiceSchedulerInitiated", "Task failed container health checks")
}

func (t *task) failLoadBalancerCheck() {
	group := "unknown"
	if groups := t.revision.settings.targetGroups(); len(groups) > 0 {
		group = groups[0]
	}
	t.service.event("(task %s) is unhealthy in (target-group %s) due to (reason Health checks failed).", t.id, group)
	t.fail("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group "+group+")")
}

// fail ends a task that went wrong, and tells the service.
func (t *task) fail(code, reason string) {
	s := t.service
	s.steady = false
	ran, was := !t.startedAt.IsZero(), t.ready
	if code == "ServiceSchedulerInitiated" {
		s.event("has stopped 1 running tasks: %s.", taskList([]*task{t}))
	}
	t.beginStop(code, reason)
	if !was {
		s.failed(t.deployment, ran)
	}
	s.poke(s.state.between(time.Second, 3*time.Second))
}

// beginStop sets the task on its way down. A second call changes nothing.
func (t *task) beginStop(code, reason string) {
	if t.desired == "STOPPED" {
		return
	}
	st := t.service.state
	t.desired, t.stopCode, t.stoppedReason, t.stoppingAt = "STOPPED", code, reason, st.world.now()
	t.ready, t.checked = false, false
	t.version++
	t.touch()
	t.deregister()
	switch {
	case t.last != "RUNNING" || code == "EssentialContainerExited":
		t.down(time.Second, 2*time.Second, t.executionStopped)
	case t.revision.settings.balanced():
		t.down(time.Second, 2*time.Second, func() {
			t.move("DEACTIVATING")
			t.down(15*time.Second, 20*time.Second, func() {
				t.drained(func() {
					t.move("STOPPING")
					t.down(3*time.Second, 6*time.Second, t.executionStopped)
				})
			})
		})
	default:
		t.down(time.Second, 3*time.Second, func() {
			t.move("STOPPING")
			t.down(12*time.Second, 18*time.Second, t.executionStopped)
		})
	}
}

// down continues the way down after a while.
func (t *task) down(from, to time.Duration, next func()) {
	st := t.service.state
	st.world.after(st.between(from, to), func() {
		next()
		t.touch()
		t.service.touch()
	})
}

// drained goes on once no load balancer waits for requests that the task answers.
func (t *task) drained(next func()) {
	if !t.draining() {
		next()
		return
	}
	t.service.state.world.after(targetWatch, func() {
		waiting := t.draining()
		t.drained(next)
		if !waiting {
			t.touch()
			t.service.touch()
		}
	})
}

func (t *task) executionStopped() {
	st := t.service.state
	t.halted.Store(true)
	t.executionStoppedAt = st.world.now()
	for _, c := range t.containers {
		if c.last == "RUNNING" {
			code := 0
			if t.stopCode == "EssentialContainerExited" {
				code = 143 // told to stop because another one exited
			}
			c.exitCode = &code
		}
		c.last = "STOPPED"
	}
	if t.eni == nil {
		t.stopped()
		return
	}
	t.move("DEPROVISIONING")
	t.down(6*time.Second, 10*time.Second, t.stopped)
}

func (t *task) stopped() {
	st := t.service.state
	if t.eni != nil {
		t.eni.status = "DELETED"
		delete(st.addresses, t.eni.address)
	}
	t.stoppedAt = st.world.now()
	t.move("STOPPED")
	t.service.retire(t)
	t.service.poke(st.between(time.Second, 2*time.Second))
}

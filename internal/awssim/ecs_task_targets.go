package awssim

import (
	"hash/fnv"
	"strings"
	"time"
)

// binding is a target group that the tasks of a service revision are registered in. Which of
// the two groups of a load balancer that is, is settled when the revision is made.
type binding struct {
	balancer  int    // its place among the load balancers of the settings
	group     string // a target group's ARN, or the name of a classic load balancer
	classic   bool
	container string
	port      int // of the container
}

const (
	targetWatch = 5 * time.Second  // between looks at targets of a task that is not healthy yet
	targetGuard = 30 * time.Second // and of one that was
)

// register makes a task that runs a target of its service's target groups.
func (t *task) register() {
	region := t.service.state.region
	watched := false
	for _, b := range t.revision.bindings {
		if !b.classic {
			container := t.container(b.container)
			id, port := t.address(container, b.port)
			err := region.registerTarget(b.group, id, port, target{
				Healthy: func() bool { return t.answersChecks(container) },
				Serve:   t.handler(container),
			})
			if err != nil {
				t.service.event("failed to register targets in (target-group %s) with (error %s)", b.group, err.message)
				continue
			}
			watched = true
		}
		t.service.event("registered 1 targets in (target-group %s)", b.group)
	}
	if t.registered = watched; watched {
		t.watchTargets()
	}
}

// deregister takes a task out of the target groups. A second call changes nothing.
func (t *task) deregister() {
	if !t.registered {
		return
	}
	t.registered = false
	for _, b := range t.revision.bindings {
		if !b.classic {
			id, port := t.address(t.container(b.container), b.port)
			t.service.state.region.deregisterTarget(b.group, id, port)
		}
	}
}

// draining tells whether a load balancer still waits for requests that the task answers.
func (t *task) draining() bool {
	for _, b := range t.revision.bindings {
		if b.classic {
			continue
		}
		id, port := t.address(t.container(b.container), b.port)
		if state, _ := t.service.state.region.targetHealth(b.group, id, port); state == stateDraining {
			return true
		}
	}
	return false
}

// container is the task's container of that name, which its task definition has.
func (t *task) container(name string) *taskContainer {
	for _, c := range t.containers {
		if *c.spec.Name == name {
			return c
		}
	}
	return nil
}

// address is where a container's port is reached: at the task's own interface, or at a port
// of its instance.
func (t *task) address(c *taskContainer, port int) (id string, reached int) {
	if t.eni != nil {
		return t.eni.address, port
	}
	return instanceID(t.instance), t.hostPort(c, port)
}

// instanceID is the EC2 instance behind a container instance.
func instanceID(containerInstance string) string {
	return "i-" + containerInstance[strings.LastIndexByte(containerInstance, '/')+1:][:17]
}

const ephemeralFirst, ephemeralCount = 32768, 28232

// hostPort is the port of the instance that leads to the container's: the one that the
// definition asks for, the same in network mode host, else one of the ephemeral range.
func (t *task) hostPort(c *taskContainer, port int) int {
	if mode := t.revision.definition.spec.NetworkMode; mode != nil && *mode == "host" {
		return port
	}
	for _, mapping := range c.spec.PortMappings {
		if mapping.ContainerPort != nil && *mapping.ContainerPort == port && mapping.HostPort != nil && *mapping.HostPort != 0 {
			return *mapping.HostPort
		}
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(t.id + *c.spec.Name))
	return ephemeralFirst + (int(hash.Sum32())+port)%ephemeralCount
}

// answersChecks is what the load balancer's health check of a container finds.
func (t *task) answersChecks(c *taskContainer) bool {
	if c.last != "RUNNING" {
		return false
	}
	return !t.failing(c, "elb")
}

// failing tells whether a container fails that kind of health check by now.
func (t *task) failing(c *taskContainer, check string) bool {
	b := c.behavior
	if b == nil || b.Kind != ImageUnhealthy || b.check(t, c) != check {
		return false
	}
	w := t.service.state.world
	return !w.now().Before(t.startedAt.Add(w.scale(time.Duration(b.AfterSeconds) * time.Second)))
}

// watchTargets looks at the task's targets for as long as it is registered: often until the
// task is healthy, now and then after that.
func (t *task) watchTargets() {
	every := targetWatch
	if t.ready {
		every = targetGuard
	}
	t.service.state.world.after(every, func() {
		if t.registered {
			t.lookAtTargets()
			t.watchTargets()
		}
	})
}

// lookAtTargets stops a task with an unhealthy target once its grace period is over, and
// counts one as healthy whose containers and targets all are.
func (t *task) lookAtTargets() {
	if t.desired != "RUNNING" {
		return
	}
	w := t.service.state.world
	healthy := true
	for _, b := range t.revision.bindings {
		if b.classic {
			continue
		}
		id, port := t.address(t.container(b.container), b.port)
		state, reason := t.service.state.region.targetHealth(b.group, id, port)
		healthy = healthy && state == stateHealthy
		if state == stateUnhealthy && !w.now().Before(t.startedAt.Add(w.scale(t.grace()))) {
			t.failTargetCheck(b, reason)
			t.touch()
			t.service.touch()
			return
		}
	}
	if healthy && t.checked && !t.ready {
		t.becomeReady()
		t.touch()
		t.service.touch()
	}
}

// grace is how long after its start the task's health checks have no consequences.
func (t *task) grace() time.Duration {
	if g := t.revision.settings.HealthCheckGracePeriodSeconds; g != nil {
		return time.Duration(*g) * time.Second
	}
	return 0
}

func (t *task) failTargetCheck(b binding, reason string) {
	t.service.event("(task %s) (port %d) is unhealthy in (target-group %s) due to (reason %s)", t.id, b.port, b.group, unhealthyReason(reason))
	t.fail("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group "+b.group+")")
}

// unhealthyReason is a target's reason in the words of a service event.
func unhealthyReason(reason string) string {
	switch reason {
	case "Target.Timeout":
		return "Request timed out"
	case "Target.ResponseCodeMismatch":
		return "Health checks failed with these codes: [503]"
	default:
		return "Health checks failed"
	}
}

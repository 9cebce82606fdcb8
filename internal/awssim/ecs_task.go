package awssim

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// task is one task of a service. It moves by itself through
// PROVISIONING, PENDING, ACTIVATING, RUNNING, DEACTIVATING, STOPPING, DEPROVISIONING and
// STOPPED, and tells its service what became of it.
type task struct {
	service    *service
	deployment *deployment
	revision   *serviceRevision
	id, arn    string
	tags       []ecsTag

	last, desired string
	health        string // what container health checks say: UNKNOWN, HEALTHY, UNHEALTHY
	checked       bool   // its containers are well, as far as their own checks say
	ready         bool   // counts as healthy for the deployment: its targets are well too
	registered    bool   // is a target of its service's target groups
	halted        atomic.Bool
	containers    []*taskContainer
	version       int
	announced     int    // the version that EventBridge was told of last
	instance      string // ARN of its container instance; "" on Fargate
	zone          string
	eni           *networkInterface
	stopCode      string
	stoppedReason string

	createdAt, connectedAt, pullStartedAt, pullStoppedAt, startedAt time.Time
	stoppingAt, executionStoppedAt, stoppedAt                       time.Time

	views history[taskView]
}

// taskContainer is one container of a task.
type taskContainer struct {
	spec      containerSpec
	arn       string
	last      string
	runtimeID string
	image     string
	digest    string
	exitCode  *int
	reason    string
	behavior  *ImageBehavior // what its image does; nil for what images should do
	foreign   bool           // its image is for another architecture
}

// networkInterface is what a task in network mode awsvpc is attached to the network by.
type networkInterface struct {
	attachment, id, subnet, mac, address string
	status                               string
}

// taskForgotten is how long a stopped task is shown.
const taskForgotten = time.Hour

func newTask(s *service, d *deployment) *task {
	st := s.state
	td := d.revision.definition
	t := &task{
		service: s, deployment: d, revision: d.revision, id: st.draw(hexDigits, 32),
		last: "PROVISIONING", desired: "RUNNING", health: "UNKNOWN", createdAt: st.world.now(), version: 0,
	}
	t.arn = st.arn("task/" + s.cluster.name + "/" + t.id)
	t.zone = st.region.name + string("abc"[st.random.IntN(3)])
	if s.settings.PropagateTags == "SERVICE" {
		t.tags = slices.Clone(s.tags)
	} else if s.settings.PropagateTags == "TASK_DEFINITION" {
		t.tags = slices.Clone(td.tags)
	}
	if s.settings.EnableECSManagedTags {
		t.tags = append(t.tags, ecsTag{"aws:ecs:clusterName", s.cluster.name}, ecsTag{"aws:ecs:serviceName", s.name})
	}
	for _, spec := range td.spec.ContainerDefinitions {
		t.containers = append(t.containers, &taskContainer{
			spec: spec, arn: st.arn("container/" + s.cluster.name + "/" + t.id + "/" + st.uuid()), last: "PENDING", image: *spec.Image,
		})
	}
	if !d.revision.settings.fargate() {
		t.instance = s.cluster.instance(st)
	}
	if td.spec.awsvpc() {
		subnets := d.revision.settings.subnets()
		t.eni = &networkInterface{
			attachment: st.uuid(), id: "eni-" + st.draw(hexDigits, 17), status: "PRECREATED",
			subnet:  subnets[st.random.IntN(len(subnets))],
			mac:     "0a:" + strings.Join([]string{st.draw(hexDigits, 2), st.draw(hexDigits, 2), st.draw(hexDigits, 2), st.draw(hexDigits, 2), st.draw(hexDigits, 2)}, ":"),
			address: st.lease(st.random.IntN(256), 4+st.random.IntN(250)),
		}
	} else {
		t.last = "PENDING"
	}
	s.tasks = append(s.tasks, t)
	s.cluster.tasks[t.id] = t
	return t
}

// lease takes an address out of 10.0.0.0/16, that one or the next free one; when none is free
// two tasks share one. The task gives it back when it has stopped.
func (st *ecsState) lease(third, fourth int) string {
	for tries := 0; ; tries++ {
		address := fmt.Sprintf("10.0.%d.%d", third, fourth)
		if !st.addresses[address] || tries == 256*250 {
			st.addresses[address] = true
			return address
		}
		fourth++
		if fourth > 253 {
			third, fourth = (third+1)%256, 4
		}
	}
}

// instance draws a container instance of the cluster.
func (k *cluster) instance(st *ecsState) string {
	for len(k.instances) < st.world.ecs.options.containerInstances() {
		k.equipped = st.world.now()
		k.instances = append(k.instances, st.arn("container-instance/"+k.name+"/"+st.draw(hexDigits, 32)))
	}
	return k.instances[st.random.IntN(len(k.instances))]
}

// then continues the way up after a while, unless the task is told to stop meanwhile.
func (t *task) then(from, to time.Duration, next func()) {
	st := t.service.state
	st.world.after(st.between(from, to), func() {
		if t.desired == "RUNNING" {
			next()
			t.touch()
			t.service.touch()
		}
	})
}

// move changes the task's status, and its containers' once they follow it.
func (t *task) move(status string) {
	t.last = status
	t.version++
	for _, c := range t.containers {
		if c.last != "STOPPED" && (status == "RUNNING" || status == "STOPPED") {
			c.last = status
		}
	}
}

func (t *task) start() {
	t.touch()
	if t.eni == nil {
		t.then(0, time.Second, t.pullImages)
		return
	}
	t.then(6*time.Second, 9*time.Second, func() {
		t.eni.status = "ATTACHED"
		t.move("PENDING")
		t.connectedAt = t.service.state.world.now()
		t.then(2*time.Second, 3*time.Second, t.pullImages)
	})
}

// pullImages fetches the images. The first task of a service revision settles the digests
// that all later ones get.
func (t *task) pullImages() {
	now := t.service.state.world.now()
	if t.connectedAt.IsZero() {
		t.connectedAt = now
	}
	t.pullStartedAt = now
	t.version++
	slow := time.Duration(0)
	for _, c := range t.containers {
		if why := t.pullImage(c); why != "" {
			t.then(10*time.Second, 15*time.Second, func() { t.failToStart(c, why) })
			return
		}
		if b := c.behavior; b != nil && b.Kind == ImageSlowStart {
			slow = max(slow, time.Duration(b.Seconds)*time.Second)
		}
	}
	t.then(13*time.Second, 20*time.Second, func() {
		t.pullStoppedAt = t.service.state.world.now()
		if t.revision.settings.balanced() {
			t.move("ACTIVATING")
		}
		t.then(4*time.Second+slow, 7*time.Second+slow, t.run)
	})
}

// pullImage fetches one image and returns why it could not.
func (t *task) pullImage(c *taskContainer) string {
	st := t.service.state
	reference := *c.spec.Image
	name, pinned, _ := strings.Cut(reference, "@")
	repository, tag := splitTag(name)
	resolved, known := t.revision.images[*c.spec.Name]
	consistent := c.spec.VersionConsistency == nil || *c.spec.VersionConsistency == "enabled"
	if known && consistent {
		reference = repository + "@" + resolved.digest
	}
	result := st.sim.pull(pullRequest{
		account: st.region.account, region: st.region.name, image: reference, architecture: t.revision.definition.spec.architecture(),
	})
	c.behavior = st.behavior(t.service, *c.spec.Name, *c.spec.Image, result.digest, result.child)
	if b := c.behavior; b != nil && b.Kind == ImagePullFail {
		return b.message(reference)
	}
	if result.err != "" {
		return result.err
	}
	c.foreign = result.wrongArchitecture
	c.digest = result.digest
	if st.world.ecs.options.PlatformDigests && result.child != "" {
		c.digest = result.child
	}
	if !consistent {
		return ""
	}
	if !known {
		resolved = resolvedImage{digest: result.digest, shown: c.digest, at: st.world.now()}
		if pinned != "" {
			resolved.digest = pinned
		}
		t.revision.images[*c.spec.Name] = resolved
	}
	if pinned == "" && (tag != "" || known) {
		c.image = name + "@" + resolved.digest
	}
	return ""
}

// failToStart ends a task whose container could not be created.
func (t *task) failToStart(c *taskContainer, why string) {
	t.pullStoppedAt = t.service.state.world.now()
	c.reason = why
	t.fail("TaskFailedToStart", why)
}

// run is the moment all containers run.
func (t *task) run() {
	st := t.service.state
	t.startedAt = st.world.now()
	t.move("RUNNING")
	for _, c := range t.containers {
		c.runtimeID = st.draw(hexDigits, 64)
		if t.instance == "" {
			c.runtimeID = t.id + "-" + st.draw(decimalDigits, 10)
		}
	}
	t.service.release()
	t.register()
	for _, c := range t.containers {
		switch b := c.behavior; {
		case c.foreign:
			t.then(time.Second, 2*time.Second, func() { t.exit(c, 1, "exec format error") })
		case b == nil:
		case b.Kind == ImageCrash:
			wait := time.Duration(max(1, b.AfterSeconds)) * time.Second
			t.then(wait, wait, func() { t.exit(c, b.exitCode(), b.Message) })
		case b.Kind == ImageOutOfMemory:
			wait := time.Duration(max(1, b.AfterSeconds)) * time.Second
			t.then(wait, wait, func() { t.exit(c, 137, "OutOfMemoryError: Container killed due to memory usage") })
		}
	}
	t.checkHealth()
}

package awssim

import (
	"encoding/json"
	"slices"
	"time"
)

// deployment is an entry of a service's deployments: one service revision on its way in or
// out. The PRIMARY is what the service is to run; others are ACTIVE while they have tasks.
type deployment struct {
	service   *service
	id        string // ecs-svc/<19 digits>, the same digits as its revision's
	revision  *serviceRevision
	status    string // PRIMARY, ACTIVE
	rollout   string // IN_PROGRESS, COMPLETED, FAILED
	reason    string
	failures  int // failedTasks: in a row, without a healthy one between
	createdAt time.Time
	updatedAt time.Time
	started   bool      // the scheduler has seen it; until then it wants no tasks
	rollback  bool      // it is PRIMARY again, or now, because a later one failed
	healthyAt time.Time // all its tasks are healthy and the others gone: the bake starts

	serviceDeployment *serviceDeployment
}

type deploymentView struct {
	ID                       string          `json:"id"`
	Status                   string          `json:"status"`
	TaskDefinition           string          `json:"taskDefinition"`
	DesiredCount             int             `json:"desiredCount"`
	PendingCount             int             `json:"pendingCount"`
	RunningCount             int             `json:"runningCount"`
	FailedTasks              int             `json:"failedTasks"`
	CreatedAt                json.Number     `json:"createdAt"`
	UpdatedAt                json.Number     `json:"updatedAt"`
	CapacityProviderStrategy json.RawMessage `json:"capacityProviderStrategy,omitempty"`
	LaunchType               string          `json:"launchType,omitempty"`
	PlatformVersion          string          `json:"platformVersion,omitempty"`
	PlatformFamily           string          `json:"platformFamily,omitempty"`
	NetworkConfiguration     json.RawMessage `json:"networkConfiguration,omitempty"`
	RolloutState             string          `json:"rolloutState"`
	RolloutStateReason       string          `json:"rolloutStateReason"`
	ServiceConnect           json.RawMessage `json:"serviceConnectConfiguration,omitempty"`
	VolumeConfigurations     json.RawMessage `json:"volumeConfigurations,omitempty"`
	VPCLattice               json.RawMessage `json:"vpcLatticeConfigurations,omitempty"`
}

func (d *deployment) view() deploymentView {
	settings := d.revision.settings
	v := deploymentView{
		ID: d.id, Status: d.status, TaskDefinition: d.revision.definition.arn, FailedTasks: d.failures,
		CreatedAt: epoch(d.createdAt), UpdatedAt: epoch(d.updatedAt),
		CapacityProviderStrategy: settings.CapacityProviderStrategy, LaunchType: settings.LaunchType,
		NetworkConfiguration: settings.NetworkConfiguration, RolloutState: d.rollout, RolloutStateReason: d.reason,
		ServiceConnect: settings.ServiceConnectConfiguration, VolumeConfigurations: settings.VolumeConfigurations,
		VPCLattice: settings.VPCLatticeConfigurations,
	}
	if settings.fargate() {
		v.PlatformVersion, v.PlatformFamily = settings.concretePlatform(), "Linux"
	}
	for _, t := range d.service.tasks {
		if t.deployment != d {
			continue
		}
		if t.desired == "RUNNING" {
			v.DesiredCount++
		}
		switch {
		case t.last == "RUNNING":
			v.RunningCount++
		case t.desired == "RUNNING":
			v.PendingCount++
		}
	}
	switch {
	case d.status == "PRIMARY" && d.started && d.staffed():
		v.DesiredCount = d.service.wanted()
	case d.status == "PRIMARY":
		v.DesiredCount = 0
	}
	return v
}

// staffed tells whether the deployment has come to want tasks.
func (d *deployment) staffed() bool {
	l := d.serviceDeployment.lifecycle
	return l == nil || d.rollback || d.rollout == "COMPLETED" || l.past(stageScaleUp)
}

// concretePlatform is the platform version that LATEST stands for.
func (s serviceSettings) concretePlatform() string {
	if s.PlatformVersion == "LATEST" {
		return "1.4.0"
	}
	return s.PlatformVersion
}

// deploy starts a new deployment of a task definition with the service's settings of now. A
// deployment that is in flight is superseded: it stops, and its tasks are replaced like any
// others.
func (s *service) deploy(definition *taskDefinition) {
	st := s.state
	now := st.world.now()
	number := st.deploymentNumber()
	revision := newServiceRevision(s, number, definition)
	st.revisions[revision.arn] = revision
	d := &deployment{
		service: s, id: "ecs-svc/" + number, revision: revision, status: "PRIMARY",
		rollout: "IN_PROGRESS", reason: "ECS deployment ecs-svc/" + number + " in progress.",
		createdAt: now, updatedAt: now,
	}
	if previous := s.primary(); previous != nil {
		previous.status, previous.updatedAt = "ACTIVE", now
		previous.serviceDeployment.requestStop("A new service deployment was started.")
	}
	d.serviceDeployment = newServiceDeployment(s, d, slices.Clone(s.deployments))
	s.deployments = append([]*deployment{d}, s.deployments...)
	d.announce()
	s.steady = false
	s.release()
	s.poke(st.between(3*time.Second, 6*time.Second))
}

// serviceRevision is what a deployment runs: a task definition, the service's settings, and
// the digests that its images had when its first task was started.
type serviceRevision struct {
	service    *service
	arn        string
	definition *taskDefinition
	settings   serviceSettings
	createdAt  time.Time
	images     map[string]resolvedImage // by container
	bindings   []binding                // the target groups of its tasks
}

// resolvedImage is the digest that an image's tag was resolved to.
type resolvedImage struct {
	digest string // what later tasks pull
	shown  string // what is recorded
	at     time.Time
}

func newServiceRevision(s *service, number string, definition *taskDefinition) *serviceRevision {
	return &serviceRevision{
		service: s, arn: s.state.arn("service-revision/" + s.cluster.name + "/" + s.name + "/" + number),
		definition: definition, settings: s.settings, createdAt: s.state.world.now(), images: map[string]resolvedImage{},
		bindings: s.bind(),
	}
}

// revisionSummary is ServiceCurrentRevisionSummary, and ServiceRevisionSummary, which has
// traffic weights in deployments that shift traffic.
type revisionSummary struct {
	ARN       string `json:"arn"`
	Requested int    `json:"requestedTaskCount"`
	Running   int    `json:"runningTaskCount"`
	Pending   int    `json:"pendingTaskCount"`

	TestWeight       *float64 `json:"requestedTestTrafficWeight,omitempty"`
	ProductionWeight *float64 `json:"requestedProductionTrafficWeight,omitempty"`
}

func (d *deployment) summary() revisionSummary {
	v := d.view()
	return revisionSummary{ARN: d.revision.arn, Requested: v.DesiredCount, Running: v.RunningCount, Pending: v.PendingCount}
}

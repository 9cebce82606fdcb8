package awssim

import (
	"encoding/json"
	"slices"
	"time"
)

// service is an ECS service: what it should run, the deployments that make it so, and the
// tasks they started. ecs_scheduler.go moves it.
type service struct {
	state     *ecsState
	cluster   *cluster
	name, arn string
	status    string // ACTIVE, DRAINING, INACTIVE
	createdAt time.Time
	createdBy string
	token     string // clientToken of its creation, and
	request   string // the request that carried it

	desired    int
	scheduling string // REPLICA, DAEMON
	controller string // ECS, CODE_DEPLOY, EXTERNAL
	settings   serviceSettings
	rollout    deploymentSettings
	tags       []ecsTag

	deployments []*deployment // the PRIMARY first, then older ones
	completed   *deployment   // the most recent that completed: where a rollback goes
	history     []*serviceDeployment
	taskSetID   string // of a service under CODE_DEPLOY

	tasks  []*task        // those that have not stopped
	gone   []*task        // those that stopped within the last hour
	events []serviceEvent // oldest first; never changed in place, so that views share it

	steady     bool      // the steady state was announced and nothing happened since
	wake       time.Time // when the scheduler looks next; zero when it has no reason to
	unlaunched int       // tasks in a row that did not get to RUNNING
	heldUntil  time.Time // no task is started before: the throttle after such failures
	holds      int       // how often in a row the throttle was applied

	views    history[serviceView]
	trimming bool
}

// serviceView is what DescribeServices shows of a service. A view is never changed once
// recorded.
type serviceView struct {
	ServiceARN                    string             `json:"serviceArn"`
	ServiceName                   string             `json:"serviceName"`
	ClusterARN                    string             `json:"clusterArn"`
	LoadBalancers                 json.RawMessage    `json:"loadBalancers"`
	ServiceRegistries             json.RawMessage    `json:"serviceRegistries"`
	Status                        string             `json:"status"`
	DesiredCount                  int                `json:"desiredCount"`
	RunningCount                  int                `json:"runningCount"`
	PendingCount                  int                `json:"pendingCount"`
	LaunchType                    string             `json:"launchType,omitempty"`
	CapacityProviderStrategy      json.RawMessage    `json:"capacityProviderStrategy,omitempty"`
	PlatformVersion               string             `json:"platformVersion,omitempty"`
	PlatformFamily                string             `json:"platformFamily,omitempty"`
	TaskDefinition                string             `json:"taskDefinition,omitempty"`
	DeploymentConfiguration       map[string]any     `json:"deploymentConfiguration"`
	TaskSets                      []taskSetView      `json:"taskSets,omitempty"`
	Deployments                   []deploymentView   `json:"deployments"`
	RoleARN                       string             `json:"roleArn"`
	Events                        []serviceEventView `json:"events"`
	CreatedAt                     json.Number        `json:"createdAt"`
	CurrentServiceDeployment      string             `json:"currentServiceDeployment,omitempty"`
	CurrentServiceRevisions       []revisionSummary  `json:"currentServiceRevisions,omitempty"`
	PlacementConstraints          json.RawMessage    `json:"placementConstraints"`
	PlacementStrategy             json.RawMessage    `json:"placementStrategy"`
	NetworkConfiguration          json.RawMessage    `json:"networkConfiguration,omitempty"`
	HealthCheckGracePeriodSeconds *int               `json:"healthCheckGracePeriodSeconds,omitempty"`
	SchedulingStrategy            string             `json:"schedulingStrategy"`
	DeploymentController          map[string]string  `json:"deploymentController,omitempty"`
	Tags                          any                `json:"tags,omitempty"`
	CreatedBy                     string             `json:"createdBy"`
	EnableECSManagedTags          bool               `json:"enableECSManagedTags"`
	PropagateTags                 string             `json:"propagateTags"`
	EnableExecuteCommand          bool               `json:"enableExecuteCommand"`
	AvailabilityZoneRebalancing   string             `json:"availabilityZoneRebalancing"`
	ResourceManagementType        string             `json:"resourceManagementType"`

	happened []serviceEvent // becomes Events when shown
	tagged   []ecsTag       // becomes Tags when asked for
	written  [2]json.RawMessage
}

// taskSetView is how a service under CODE_DEPLOY shows what it runs.
type taskSetView struct {
	ID                   string         `json:"id"`
	TaskSetARN           string         `json:"taskSetArn"`
	ServiceARN           string         `json:"serviceArn"`
	ClusterARN           string         `json:"clusterArn"`
	Status               string         `json:"status"`
	TaskDefinition       string         `json:"taskDefinition"`
	ComputedDesiredCount int            `json:"computedDesiredCount"`
	PendingCount         int            `json:"pendingCount"`
	RunningCount         int            `json:"runningCount"`
	CreatedAt            json.Number    `json:"createdAt"`
	UpdatedAt            json.Number    `json:"updatedAt"`
	LaunchType           string         `json:"launchType,omitempty"`
	Scale                map[string]any `json:"scale"`
	StabilityStatus      string         `json:"stabilityStatus"`
	StabilityStatusAt    json.Number    `json:"stabilityStatusAt"`
	Tags                 []ecsTag       `json:"tags"`
}

// primary is the deployment that the service is to run, nil under EXTERNAL.
func (s *service) primary() *deployment {
	if len(s.deployments) == 0 {
		return nil
	}
	return s.deployments[0]
}

// counts are the tasks in RUNNING, and those on the way there.
func (s *service) counts() (running, pending int) {
	for _, t := range s.tasks {
		switch {
		case t.last == "RUNNING":
			running++
		case t.desired == "RUNNING":
			pending++
		}
	}
	return running, pending
}

// wanted is how many tasks the service should run: what it was told, or for a DAEMON one
// for every instance.
func (s *service) wanted() int {
	if s.scheduling == "DAEMON" {
		return s.state.world.ecs.options.containerInstances()
	}
	return s.desired
}

// touch records what the service, and the service deployment in flight, look like from now
// on. Everything that changes them ends with it.
func (s *service) touch() {
	now := s.state.world.now()
	s.views.record(now, s.view())
	for _, sd := range s.history {
		if sd.shown {
			break // older ones ended before it
		}
		sd.touch()
	}
	if !s.trimming {
		s.trimming = true
		s.scheduleTrim()
	}
}

// scheduleTrim forgets old views once they are of no use, so that a service at rest keeps
// one.
func (s *service) scheduleTrim() {
	w := s.state.world
	w.afterWall(w.kept(), func() {
		before := w.now().Add(-w.kept())
		done := s.views.forget(before)
		for _, sd := range s.history {
			done = sd.views.forget(before) && done
		}
		for _, tasks := range [][]*task{s.tasks, s.gone} {
			for _, t := range tasks {
				done = t.views.forget(before) && done
			}
		}
		if s.trimming = !done; s.trimming {
			s.scheduleTrim()
		}
	})
}

func (s *service) view() serviceView {
	running, pending := s.counts()
	v := serviceView{
		ServiceARN: s.arn, ServiceName: s.name, ClusterARN: s.cluster.arn, Status: s.status,
		LoadBalancers: s.settings.LoadBalancers, ServiceRegistries: s.settings.ServiceRegistries,
		DesiredCount: s.wanted(), RunningCount: running, PendingCount: pending,
		LaunchType: s.settings.LaunchType, CapacityProviderStrategy: s.settings.CapacityProviderStrategy,
		DeploymentConfiguration: s.rollout.document,
		Deployments:             []deploymentView{},
		RoleARN:                 "arn:aws:iam::" + s.state.region.account.id + ":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
		CreatedAt:               epoch(s.createdAt), CreatedBy: s.createdBy,
		PlacementConstraints: s.settings.PlacementConstraints, PlacementStrategy: s.settings.PlacementStrategy,
		NetworkConfiguration:          s.settings.NetworkConfiguration,
		HealthCheckGracePeriodSeconds: s.settings.HealthCheckGracePeriodSeconds,
		SchedulingStrategy:            s.scheduling,
		EnableECSManagedTags:          s.settings.EnableECSManagedTags, PropagateTags: s.settings.PropagateTags,
		EnableExecuteCommand:        s.settings.EnableExecuteCommand,
		AvailabilityZoneRebalancing: s.settings.AvailabilityZoneRebalancing,
		ResourceManagementType:      "CUSTOMER",
		happened:                    s.events, tagged: s.tags,
	}
	if s.settings.fargate() {
		v.PlatformVersion, v.PlatformFamily = s.settings.PlatformVersion, "Linux"
	}
	v.DeploymentController = map[string]string{"type": s.controller}
	p := s.primary()
	if p == nil {
		return v
	}
	v.TaskDefinition = p.revision.definition.arn
	if s.status == "INACTIVE" {
		return v
	}
	if s.controller != "ECS" {
		v.TaskSets = []taskSetView{s.taskSet(p)}
		return v
	}
	for _, d := range s.deployments {
		shown := d.view()
		v.Deployments = append(v.Deployments, shown)
		v.CurrentServiceRevisions = append(v.CurrentServiceRevisions, revisionSummary{
			ARN: d.revision.arn, Requested: shown.DesiredCount, Running: shown.RunningCount, Pending: shown.PendingCount,
		})
	}
	if s.state.world.ecs.options.CurrentServiceDeployment && !p.serviceDeployment.finished() {
		v.CurrentServiceDeployment = p.serviceDeployment.arn
	}
	return v
}

func (s *service) taskSet(p *deployment) taskSetView {
	shown := p.view()
	stability := "STABILIZING"
	if p.rollout == "COMPLETED" {
		stability = "STEADY_STATE"
	}
	return taskSetView{
		ID: "ecs-svc/" + s.taskSetID, ServiceARN: s.arn, ClusterARN: s.cluster.arn, Status: "PRIMARY",
		TaskSetARN: s.state.arn("task-set/" + s.cluster.name + "/" + s.name + "/ecs-svc/" + s.taskSetID), TaskDefinition: p.revision.definition.arn,
		ComputedDesiredCount: s.wanted(), PendingCount: shown.PendingCount, RunningCount: shown.RunningCount,
		CreatedAt: shown.CreatedAt, UpdatedAt: shown.UpdatedAt, LaunchType: s.settings.LaunchType,
		Scale:           map[string]any{"value": 100.0, "unit": "PERCENT"},
		StabilityStatus: stability, StabilityStatusAt: shown.UpdatedAt, Tags: []ecsTag{},
	}
}

// show is the view as an answer carries it.
func (v serviceView) show(includeTags bool) serviceView {
	v.Events = showEvents(v.happened)
	if includeTags {
		v.Tags = shownTags(v.tagged)
	}
	return v
}

// write is show as a document. Most of what a service is asked is what it was asked a moment ago:
// a view is written once without tags, and once with them. The caller holds the simulator's mu.
func (v *serviceView) write(includeTags bool) (json.RawMessage, error) {
	written := &v.written[0]
	if includeTags {
		written = &v.written[1]
	}
	if *written == nil {
		var err error
		if *written, err = marshalJSON(v.show(includeTags)); err != nil {
			return nil, err
		}
	}
	return *written, nil
}

// arn names a resource of ECS here.
func (st *ecsState) arn(resource string) string {
	return "arn:aws:ecs:" + st.region.name + ":" + st.region.account.id + ":" + resource
}

// of are the tasks of a deployment.
func (s *service) of(d *deployment, keep func(*task) bool) []*task {
	var found []*task
	for _, t := range s.tasks {
		if t.deployment == d && keep(t) {
			found = append(found, t)
		}
	}
	return found
}

// retire moves a task that stopped to those that are still shown for an hour.
func (s *service) retire(t *task) {
	s.tasks = slices.DeleteFunc(s.tasks, func(other *task) bool { return other == t })
	s.gone = append(s.gone, t)
	s.state.world.after(taskForgotten, func() {
		s.gone = slices.DeleteFunc(s.gone, func(other *task) bool { return other == t })
		delete(s.cluster.tasks, t.id)
	})
}

package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// epoch is when the stories begin.
var epoch = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// cadence is how much time passes between two rounds of a story.
const cadence = 15 * time.Second

// timing is what the stories run with.
var timing = Timing{CallDeadline: 15 * time.Second, Settle: 30 * time.Second, Fast: 5 * time.Second, Slow: 5 * time.Minute}

// taskDefinition is a revision in the little world: what it runs and with which settings.
type taskDefinition struct {
	image string
	env   string
	ours  bool
}

// hash is its content.
func (d taskDefinition) hash() string { return d.image + "+" + d.env }

// service is an ECS service in the little world, with the service deployments it had.
type service struct {
	target, name string
	gone         bool
	desired      int32
	breaker      bool
	ids          int
	deployments  []Deployment
	records      []*ServiceDeployment

	// stages are the stages that its deployments go through; none: a rolling one. A PAUSE hook
	// waits at the stages in pauses.
	stages []stage
	pauses map[string]bool
	// deaf says that ECS takes a stop of its deployments and does not act on it.
	deaf bool
	// stuck says that rollbacks of ECS come to no end.
	stuck bool
	// backTo is the revision that ECS rolls back to; "": the one before.
	backTo string
}

// family is the family of its task definitions.
func (s *service) family() string { return s.target + "-" + s.name }

// grow has the service run n tasks, steadily.
func (s *service) grow(n int32) {
	s.desired, s.deployments[0].Desired, s.deployments[0].Running = n, n, n
}

// stage is a stage of a deployment, with the percentage of the traffic that is for the new revision.
type stage struct {
	name   string
	weight int32
}

// world is a little ECS: enough of it to release to.
type world struct {
	now      time.Time
	families map[string][]taskDefinition
	services []*service
	// broken are the images whose tasks crash.
	broken map[string]bool
	// inactive are the revisions that were deregistered.
	inactive map[string]bool

	registrations, updates int
}

func newWorld(image string, services ...string) *world {
	w := &world{now: epoch, families: map[string][]taskDefinition{}, broken: map[string]bool{}, inactive: map[string]bool{}}
	for _, at := range services {
		w.create(at, image)
	}
	return w
}

// create makes a service that has run image for a while.
func (w *world) create(at, image string) *service {
	target, name, _ := strings.Cut(at, "/")
	s := &service{target: target, name: name, desired: 2, breaker: true}
	revision := w.register(s, taskDefinition{image: image, env: "env1"})
	s.ids++
	s.deployments = []Deployment{{
		ID: fmt.Sprintf("ecs-svc/%d", s.ids), Status: "PRIMARY", Revision: revision, RolloutState: "COMPLETED",
		Desired: 2, Running: 2, Created: w.now.Add(-time.Hour),
	}}
	w.services = append(w.services, s)
	return s
}

func (w *world) service(at string) *service {
	i := slices.IndexFunc(w.services, func(s *service) bool { return s.target+"/"+s.name == at })
	return w.services[i]
}

func (w *world) register(s *service, d taskDefinition) string {
	family := s.family()
	w.families[family] = append(w.families[family], d)
	return fmt.Sprintf("%s:%d", family, len(w.families[family]))
}

func (w *world) definition(revision string) taskDefinition {
	return w.families[Family(revision)][Number(revision)-1]
}

// equal is the newest revision of ours with the content.
func (w *world) equal(family, hash string) string {
	for i, d := range slices.Backward(w.families[family]) {
		if revision := fmt.Sprintf("%s:%d", family, i+1); d.ours && d.hash() == hash && !w.inactive[revision] {
			return revision
		}
	}
	return ""
}

// foreign is the newest revision of a family that is not ours.
func (w *world) foreign(family string) string {
	for i, d := range slices.Backward(w.families[family]) {
		if !d.ours {
			return fmt.Sprintf("%s:%d", family, i+1)
		}
	}
	return ""
}

// update is UpdateService: the id of the primary deployment after it.
func (w *world) update(s *service, revision string) string {
	if primary := &s.deployments[0]; primary.Revision == revision {
		return primary.ID
	}
	return w.deploy(s, revision)
}

// deploy starts a deployment of revision, whatever the service has: the id of it.
func (w *world) deploy(s *service, revision string) string {
	s.ids++
	for _, r := range s.records {
		if r.Status == "IN_PROGRESS" {
			r.Status, r.Finished, r.Hooks = "STOPPED", w.now, nil
		}
	}
	s.deployments[0].Status = "ACTIVE"
	s.deployments = slices.Insert(s.deployments, 0, Deployment{
		ID: fmt.Sprintf("ecs-svc/%d", s.ids), Status: "PRIMARY", Revision: revision, RolloutState: "IN_PROGRESS",
		Created: w.now,
	})
	s.records = append(s.records, &ServiceDeployment{
		ID: fmt.Sprintf("sd-%d", s.ids), Status: "IN_PROGRESS", Revision: revision, Created: w.now, Weight: -1, TestWeight: -1,
	})
	return s.deployments[0].ID
}

// record is the record of a service deployment.
func (s *service) record(id string) *ServiceDeployment {
	i := slices.IndexFunc(s.records, func(r *ServiceDeployment) bool { return r.ID == id })
	return s.records[i]
}

// stop is StopServiceDeployment.
func (w *world) stop(s *service, id string) {
	if r := s.record(id); r.Status == "IN_PROGRESS" && !s.deaf {
		w.rollBack(s, r, "Service deployment rolled back because a user stopped it.")
	}
}

// decide is ContinueServiceDeployment.
func (w *world) decide(s *service, id string, rollBack bool) {
	r := s.record(id)
	hook := r.Awaits()
	if hook == nil {
		return
	}
	if rollBack {
		hook.Status = "FAILED"
		w.rollBack(s, r, "Service deployment rolled back because a user decided so.")
		return
	}
	hook.Status = "SUCCEEDED"
}

// evidence is what there is to see of why a deployment failed.
func (w *world) evidence(revision string) *Evidence {
	if !w.broken[w.definition(revision).image] {
		return &Evidence{}
	}
	code := int32(3)
	return &Evidence{Tasks: []ecsv1alpha1.StoppedTask{{
		ID: "7d1f", StopCode: "EssentialContainerExited", Reason: "Essential container in task exited",
		Results: []ecsv1alpha1.ContainerResult{{Container: "app", ExitCode: &code}},
	}}}
}

// tick lets ECS work for a while.
func (w *world) tick() {
	w.now = w.now.Add(cadence)
	for _, s := range w.services {
		primary := &s.deployments[0]
		if primary.RolloutState != "IN_PROGRESS" || w.now.Sub(primary.Created) < cadence {
			continue
		}
		primary.Desired = s.desired
		rollingBack := strings.Contains(primary.Reason, "rolling back")
		switch {
		case rollingBack && s.stuck:
		case w.broken[w.definition(primary.Revision).image]:
			w.crash(s)
		case len(s.stages) > 0 && !rollingBack:
			w.shift(s)
		default:
			w.scale(s)
		}
	}
}

// scale replaces tasks of a rolling deployment.
func (w *world) scale(s *service) {
	primary := &s.deployments[0]
	primary.Running = min(primary.Running+1, s.desired)
	for i := range s.deployments[1:] {
		d := &s.deployments[i+1]
		d.Running = max(0, min(d.Running, s.desired-primary.Running))
	}
	if primary.Running == s.desired {
		w.complete(s)
	}
}

// shift takes a deployment on to its next stage, unless a hook waits.
func (w *world) shift(s *service) {
	r := s.records[len(s.records)-1]
	if r.Awaits() != nil {
		return
	}
	at := slices.IndexFunc(s.stages, func(st stage) bool { return st == stage{r.Stage, r.Weight} }) + 1
	if at == len(s.stages) {
		w.complete(s)
		return
	}
	s.deployments[0].Running = s.desired
	r.Stage, r.Weight = s.stages[at].name, s.stages[at].weight
	if s.pauses[r.Stage] {
		r.Hooks = append(r.Hooks, Hook{
			ID: fmt.Sprintf("pause%d", s.ids), Kind: "PAUSE", Status: "AWAITING_ACTION", Expires: w.now.Add(24 * time.Hour),
		})
	}
}

func (w *world) crash(s *service) {
	primary := &s.deployments[0]
	primary.Failed++
	if !s.breaker || primary.Failed < 3 {
		return
	}
	record := s.records[len(s.records)-1]
	record.BreakerTriggered, record.FailedTasks, record.Threshold = true, primary.Failed, 3
	w.rollBack(s, record, "Service deployment rolled back because the circuit breaker threshold was exceeded.")
}

// rollBack has ECS give the primary deployment up and go back to the one before.
func (w *world) rollBack(s *service, record *ServiceDeployment, why string) {
	record.Status, record.RollbackReason = "ROLLBACK_IN_PROGRESS", why
	failed := s.deployments[0]
	failed.Status, failed.RolloutState = "ACTIVE", "FAILED"
	s.ids++
	back := Deployment{
		ID: fmt.Sprintf("ecs-svc/%d", s.ids), Status: "PRIMARY", Revision: failed.Revision, RolloutState: "IN_PROGRESS", Created: w.now,
	}
	if len(s.deployments) > 1 {
		back.Revision = s.deployments[1].Revision
	}
	if s.backTo != "" {
		back.Revision = s.backTo
	}
	back.Reason = "ECS deployment circuit breaker: rolling back to deploymentId " + back.ID + "."
	s.deployments = []Deployment{back, failed}
}

func (w *world) complete(s *service) {
	primary := s.deployments[0]
	primary.RolloutState, primary.Running = "COMPLETED", s.desired
	primary.Reason = "ECS deployment " + primary.ID + " completed."
	s.deployments = []Deployment{primary}
	for _, r := range s.records {
		switch r.Status {
		case "IN_PROGRESS":
			r.Status, r.Finished = "SUCCESSFUL", w.now
		case "ROLLBACK_IN_PROGRESS":
			r.Status, r.Finished = "ROLLBACK_SUCCESSFUL", w.now
		}
	}
}

// view is one look at the service.
func (w *world) view(s *service) *View {
	if s.gone {
		return &View{At: w.now, Problem: &Problem{
			Class: ProblemMissing, Reason: ecsv1alpha1.ReasonServiceNotFound,
			Message: "there is no service " + s.name + " in " + s.target,
		}}
	}
	v := &View{
		At: w.now, Status: "ACTIVE", Desired: s.desired, MinimumHealthyPercent: 100, MaximumPercent: 200,
		TaskDefinition: s.deployments[0].Revision, Deployments: slices.Clone(s.deployments),
	}
	for _, d := range s.deployments {
		v.Running += d.Running
	}
	return v
}

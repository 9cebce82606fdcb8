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
}

// world is a little ECS: enough of it to release to.
type world struct {
	now      time.Time
	families map[string][]taskDefinition
	services []*service
	// broken are the images whose tasks crash.
	broken map[string]bool

	registrations, updates int
}

func newWorld(image string, services ...string) *world {
	w := &world{now: epoch, families: map[string][]taskDefinition{}, broken: map[string]bool{}}
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
	family := s.target + "-" + s.name
	w.families[family] = append(w.families[family], d)
	return fmt.Sprintf("%s:%d", family, len(w.families[family]))
}

func (w *world) definition(revision string) taskDefinition {
	return w.families[Family(revision)][Number(revision)-1]
}

// equal is the newest revision of ours with the content.
func (w *world) equal(family, hash string) string {
	for i, d := range slices.Backward(w.families[family]) {
		if d.ours && d.hash() == hash {
			return fmt.Sprintf("%s:%d", family, i+1)
		}
	}
	return ""
}

// update is UpdateService: the id of the primary deployment after it.
func (w *world) update(s *service, revision string) string {
	primary := &s.deployments[0]
	if primary.Revision == revision {
		return primary.ID
	}
	s.ids++
	for _, r := range s.records {
		if r.Status == "IN_PROGRESS" {
			r.Status = "STOPPED"
		}
	}
	primary.Status = "ACTIVE"
	s.deployments = slices.Insert(s.deployments, 0, Deployment{
		ID: fmt.Sprintf("ecs-svc/%d", s.ids), Status: "PRIMARY", Revision: revision, RolloutState: "IN_PROGRESS",
		Created: w.now,
	})
	s.records = append(s.records, &ServiceDeployment{
		ID: fmt.Sprintf("sd-%d", s.ids), Status: "IN_PROGRESS", Revision: revision, Created: w.now,
	})
	return s.deployments[0].ID
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
		if w.broken[w.definition(primary.Revision).image] {
			w.crash(s)
			continue
		}
		primary.Running = min(primary.Running+1, s.desired)
		for i := range s.deployments[1:] {
			d := &s.deployments[i+1]
			d.Running = max(0, min(d.Running, s.desired-primary.Running))
		}
		if primary.Running == s.desired {
			w.complete(s)
		}
	}
}

func (w *world) crash(s *service) {
	primary := &s.deployments[0]
	primary.Failed++
	if !s.breaker || primary.Failed < 3 {
		return
	}
	record := s.records[len(s.records)-1]
	record.Status, record.BreakerTriggered, record.FailedTasks, record.Threshold = "ROLLBACK_IN_PROGRESS", true, primary.Failed, 3
	record.RollbackReason = "Service deployment rolled back because the circuit breaker threshold was exceeded."
	primary.Status, primary.RolloutState = "ACTIVE", "FAILED"
	back := s.deployments[1]
	s.ids++
	back.ID, back.Status, back.RolloutState, back.Created = fmt.Sprintf("ecs-svc/%d", s.ids), "PRIMARY", "IN_PROGRESS", w.now
	back.Reason = "ECS deployment circuit breaker: rolling back to deploymentId " + back.ID + "."
	back.Running = 0
	s.deployments = []Deployment{back, *primary}
}

func (w *world) complete(s *service) {
	primary := s.deployments[0]
	primary.RolloutState = "COMPLETED"
	primary.Reason = "ECS deployment " + primary.ID + " completed."
	s.deployments = []Deployment{primary}
	for _, r := range s.records {
		switch r.Status {
		case "IN_PROGRESS":
			r.Status = "SUCCESSFUL"
		case "ROLLBACK_IN_PROGRESS":
			r.Status = "ROLLBACK_SUCCESSFUL"
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

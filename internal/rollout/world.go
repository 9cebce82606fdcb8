package rollout

import (
	"strconv"
	"strings"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Location is where a service is. Memory is matched by it, never by the name of a target.
type Location struct {
	AccountID string
	Region    string
	Cluster   string
	Service   string
}

// String is the location as messages spell it: region/cluster/service.
func (l Location) String() string {
	return l.Region + "/" + l.Cluster + "/" + l.Service
}

// View is one look at a service: what DescribeServices said, reduced to what decisions need.
type View struct {
	// At is when the look began: whatever AWS did before At, ECS's eventual consistency
	// aside, the view shows.
	At time.Time
	// Problem is why the look gave nothing; all that follows is then zero.
	Problem *Problem

	Created        time.Time
	Status         string // ACTIVE, DRAINING, INACTIVE
	Controller     string // ECS, CODE_DEPLOY, EXTERNAL
	Express        bool   // ECS Express Mode manages the service's resources
	Daemon         bool
	TaskDefinition string // family:revision
	Desired        int32
	Running        int32
	Pending        int32
	// MinimumHealthyPercent and MaximumPercent bound a rolling deployment; -1 when absent.
	MinimumHealthyPercent int32
	MaximumPercent        int32
	Deployments           []Deployment
	// ServiceRevisions are the ARNs of the revisions that the service runs now.
	ServiceRevisions []string
}

// Primary is the service's PRIMARY deployment, nil when it has none.
func (v *View) Primary() *Deployment {
	for i := range v.Deployments {
		if v.Deployments[i].Status == "PRIMARY" {
			return &v.Deployments[i]
		}
	}
	return nil
}

// Deployment is an entry of a service's deployments.
type Deployment struct {
	ID           string // ecs-svc/…
	Status       string // PRIMARY, ACTIVE, INACTIVE, and what may come
	Revision     string // family:revision
	RolloutState string // IN_PROGRESS, COMPLETED, FAILED; may be empty
	Reason       string
	Desired      int32
	Running      int32
	Pending      int32
	Failed       int32
	Created      time.Time
}

// ServiceDeployment is what ECS records of one deployment of a service, for 90 days.
type ServiceDeployment struct {
	ID       string // the last element of its ARN
	Status   string // PENDING, IN_PROGRESS, SUCCESSFUL, STOP_REQUESTED, STOPPED, ROLLBACK_…
	Reason   string
	Created  time.Time
	Revision string // family:revision that it brings; "" where not looked up
	// Digests are the image digests, by container, that ECS resolved for the revision it
	// brings; nil where not looked up or not resolved yet.
	Digests map[string]string
	// Finished is when it ended; zero while it has not.
	Finished time.Time
	// Stage is its lifecycle stage (BAKE_TIME, …); "" for a rolling one without hooks. New values
	// may come.
	Stage string
	// Weight and TestWeight are the percentages of production and test traffic that the revision
	// it brings is to get; -1 where its strategy shifts none.
	Weight, TestWeight int32
	// Hooks are its lifecycle hooks that ECS lists now.
	Hooks []Hook
	// Alarms are the CloudWatch alarms that were triggered.
	Alarms []string
	// BreakerTriggered says that the deployment circuit breaker gave it up.
	BreakerTriggered bool
	FailedTasks      int32
	Threshold        int32
	RollbackReason   string
}

// Hook is a lifecycle hook of a service deployment.
type Hook struct {
	ID      string
	Kind    string // PAUSE, AWS_LAMBDA
	Status  string // AWAITING_ACTION, IN_PROGRESS, SUCCEEDED, FAILED, TIMED_OUT
	Expires time.Time
	// Then is what ECS does when it expires: ROLLBACK or CONTINUE; "" where it does not say.
	Then string
}

// Awaits is the hook that pauses the deployment until somebody decides; nil when none does.
func (d *ServiceDeployment) Awaits() *Hook {
	for i := range d.Hooks {
		if d.Hooks[i].Kind == "PAUSE" && d.Hooks[i].Status == "AWAITING_ACTION" {
			return &d.Hooks[i]
		}
	}
	return nil
}

// Evidence is what a person would look up to learn why a deployment failed, each list the most
// telling first and at most three long. It holds no value of an environment variable.
type Evidence struct {
	// Tasks are stopped tasks of the deployment, the last first. A task that the service
	// scheduler stopped to scale or to replace it is not among them.
	Tasks []ecsv1alpha1.StoppedTask
	// Events are those of the service since the deployment began that tell of trouble.
	Events []ecsv1alpha1.ServiceEvent
	// Targets are tasks of the deployment that a target group calls unhealthy.
	Targets []ecsv1alpha1.UnhealthyTarget
}

// ProblemClass is the class of a problem: what to do about it, not what it is.
type ProblemClass string

const (
	// ProblemTransient passes by itself: a time-out, a 5xx, a region that is down.
	ProblemTransient ProblemClass = "Transient"
	// ProblemThrottled passes by itself: AWS, or our own share of the quota, said not now.
	ProblemThrottled ProblemClass = "Throttled"
	// ProblemDenied is a permission that is missing: a message to a person.
	ProblemDenied ProblemClass = "Denied"
	// ProblemMissing is a thing that does not exist.
	ProblemMissing ProblemClass = "Missing"
	// ProblemRefused is a request that AWS will refuse until something changes.
	ProblemRefused ProblemClass = "Refused"
)

// Problem is an error as a value: part of an observation, or of a step's result.
type Problem struct {
	Class   ProblemClass
	Reason  string // one of the reasons of api/v1alpha1
	Message string // names the thing, the value seen, the value wanted
	// RetryAfter is how long to wait at least before asking again, counted from when the problem was
	// met; 0: as always.
	RetryAfter time.Duration
}

// Error makes a Problem usable as an error.
func (p *Problem) Error() string { return p.Message }

// Delay says that the problem passes by itself.
func (p *Problem) Delay() bool {
	return p.Class == ProblemTransient || p.Class == ProblemThrottled
}

// Rest is how long the problem may rest before what met it is tried again; 0: until something changes.
// One that passes by itself rests for the fast cadence at least: it is kept with what was seen until the
// next look, while what it had left to wait for when it was met may have been next to nothing.
func (p *Problem) Rest(t Timing) time.Duration {
	if p.Delay() {
		return max(p.RetryAfter, t.Fast)
	}
	return p.RetryAfter
}

// Family is the family of a revision spelled family:revision.
func Family(revision string) string {
	family, _, _ := strings.Cut(revision, ":")
	return family
}

// Number is the number of a revision spelled family:revision, 0 when it has none.
func Number(revision string) int {
	_, number, _ := strings.Cut(revision, ":")
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	return n
}

package awssim

import (
	"encoding/json"
	"slices"
	"time"
)

// serviceDeployment is the record of one deployment from its request to its end, a rollback
// included: that is no deployment of its own here.
type serviceDeployment struct {
	service    *service
	arn        string
	deployment *deployment   // of the target revision
	sources    []*deployment // what it replaces
	status     string
	reason     string
	served     *serviceRevision // the one in production when this began
	rollback   *rollbackView
	breaker    string // DISABLED, MONITORING, TRIGGERED, MONITORING_COMPLETE
	tripped    [2]int // failures and threshold when the breaker tripped
	alarms     alarmWatch
	lifecycle  *lifecycle // nil for one without stages
	shown      bool       // its end has been recorded: its view changes no more

	createdAt, startedAt, finishedAt, stoppedAt, updatedAt time.Time

	views history[serviceDeploymentView]
}

type rollbackView struct {
	Reason             string      `json:"reason"`
	StartedAt          json.Number `json:"startedAt"`
	ServiceRevisionARN string      `json:"serviceRevisionArn"`
}

type serviceDeploymentView struct {
	ServiceDeploymentARN    string            `json:"serviceDeploymentArn"`
	ServiceARN              string            `json:"serviceArn"`
	ClusterARN              string            `json:"clusterArn"`
	CreatedAt               json.Number       `json:"createdAt"`
	StartedAt               json.Number       `json:"startedAt,omitempty"`
	FinishedAt              json.Number       `json:"finishedAt,omitempty"`
	StoppedAt               json.Number       `json:"stoppedAt,omitempty"`
	UpdatedAt               json.Number       `json:"updatedAt"`
	SourceServiceRevisions  []revisionSummary `json:"sourceServiceRevisions"`
	TargetServiceRevision   revisionSummary   `json:"targetServiceRevision"`
	Status                  string            `json:"status"`
	StatusReason            string            `json:"statusReason,omitempty"`
	DeploymentConfiguration map[string]any    `json:"deploymentConfiguration"`
	Rollback                *rollbackView     `json:"rollback,omitempty"`
	CircuitBreaker          breakerView       `json:"deploymentCircuitBreaker"`
	Alarms                  alarmsView        `json:"alarms"`
	LifecycleStage          string            `json:"lifecycleStage,omitempty"`
	LifecycleHookDetails    []hookView        `json:"lifecycleHookDetails,omitempty"`
}

type breakerView struct {
	Status       string `json:"status"`
	FailureCount int    `json:"failureCount"`
	Threshold    int    `json:"threshold"`
}

type alarmsView struct {
	Status              string   `json:"status"`
	AlarmNames          []string `json:"alarmNames"`
	TriggeredAlarmNames []string `json:"triggeredAlarmNames"`
}

// serviceDeploymentBrief is what ListServiceDeployments shows.
type serviceDeploymentBrief struct {
	ServiceDeploymentARN     string      `json:"serviceDeploymentArn"`
	ServiceARN               string      `json:"serviceArn"`
	ClusterARN               string      `json:"clusterArn"`
	StartedAt                json.Number `json:"startedAt,omitempty"`
	CreatedAt                json.Number `json:"createdAt"`
	FinishedAt               json.Number `json:"finishedAt,omitempty"`
	TargetServiceRevisionARN string      `json:"targetServiceRevisionArn"`
	Status                   string      `json:"status"`
	StatusReason             string      `json:"statusReason,omitempty"`
}

// deploymentHistoryKept is how long ECS shows a service deployment.
const deploymentHistoryKept = 90 * 24 * time.Hour

// newServiceDeployment opens the record of d. Only services under the ECS controller have
// such records; for others it is kept but never shown.
func newServiceDeployment(s *service, d *deployment, sources []*deployment) *serviceDeployment {
	st := s.state
	now := st.world.now()
	sd := &serviceDeployment{
		service: s, deployment: d, sources: sources, status: "PENDING", createdAt: now, updatedAt: now,
		arn:     st.arn("service-deployment/" + s.cluster.name + "/" + s.name + "/" + st.draw(nanoDigits, 21)),
		breaker: "DISABLED",
	}
	if s.rollout.breaker {
		sd.breaker = "MONITORING"
	}
	if s.completed != nil {
		sd.served = s.completed.revision
	}
	sd.alarms = s.newAlarmWatch()
	sd.lifecycle = s.newLifecycle(sd)
	if s.controller != "ECS" {
		return sd
	}
	s.watchAlarms(sd)
	st.deployments[sd.arn] = sd
	old := now.Add(-st.world.scale(deploymentHistoryKept))
	s.history = slices.DeleteFunc(s.history, func(other *serviceDeployment) bool {
		if gone := other.finished() && other.createdAt.Before(old); gone {
			delete(st.deployments, other.arn)
			return true
		}
		return false
	})
	s.history = append([]*serviceDeployment{sd}, s.history...)
	return sd
}

func (sd *serviceDeployment) finished() bool {
	return slices.Contains([]string{"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}, sd.status)
}

// set moves the deployment to a status.
func (sd *serviceDeployment) set(status, reason string) {
	now := sd.service.state.world.now()
	sd.status, sd.updatedAt = status, now
	if reason != "" {
		sd.reason = reason
	}
	if status != "IN_PROGRESS" {
		sd.cancelPauses()
	}
	if sd.finished() {
		sd.finishedAt = now
		if status == "STOPPED" {
			sd.stoppedAt = now
		}
		if sd.breaker == "MONITORING" {
			sd.breaker = "MONITORING_COMPLETE"
		}
		if sd.alarms.status == "MONITORING" {
			sd.alarms.status = "MONITORING_COMPLETE"
		}
	}
}

// requestStop ends a deployment that is in flight, because a newer one replaces it or
// because nothing is left to be done for it. Of one that has ended it changes nothing.
func (sd *serviceDeployment) requestStop(reason string) {
	if sd.finished() || sd.status == "STOP_REQUESTED" {
		return
	}
	sd.set("STOP_REQUESTED", reason)
	st := sd.service.state
	st.world.after(st.between(2*time.Second, 5*time.Second), func() {
		if sd.status == "STOP_REQUESTED" {
			sd.set("STOPPED", "")
			sd.touch()
			sd.service.touch()
		}
	})
}

// touch records what the deployment looks like from now on.
func (sd *serviceDeployment) touch() {
	sd.views.record(sd.service.state.world.now(), sd.view())
	sd.shown = sd.finished()
}

func (sd *serviceDeployment) view() serviceDeploymentView {
	s := sd.service
	v := serviceDeploymentView{
		ServiceDeploymentARN: sd.arn, ServiceARN: s.arn, ClusterARN: s.cluster.arn,
		CreatedAt: epoch(sd.createdAt), StartedAt: stamp(sd.startedAt), FinishedAt: stamp(sd.finishedAt),
		StoppedAt: stamp(sd.stoppedAt), UpdatedAt: epoch(sd.updatedAt),
		SourceServiceRevisions: []revisionSummary{}, TargetServiceRevision: sd.deployment.summary(),
		Status: sd.status, StatusReason: sd.reason, DeploymentConfiguration: s.rollout.document, Rollback: sd.rollback,
		CircuitBreaker: breakerView{Status: sd.breaker, FailureCount: sd.deployment.failures, Threshold: s.rollout.threshold(s.wanted())},
		Alarms:         alarmsView{Status: sd.alarms.status, AlarmNames: []string{}, TriggeredAlarmNames: []string{}},
		LifecycleStage: sd.lifecycle.shown(s.state.world.ecs.options), LifecycleHookDetails: sd.lifecycle.showHooks(),
	}
	switch sd.breaker {
	case "TRIGGERED":
		v.CircuitBreaker.FailureCount, v.CircuitBreaker.Threshold = sd.tripped[0], sd.tripped[1]
	case "DISABLED":
		v.CircuitBreaker.FailureCount, v.CircuitBreaker.Threshold = 0, 0
	}
	v.Alarms.AlarmNames = append(v.Alarms.AlarmNames, sd.alarms.names...)
	v.Alarms.TriggeredAlarmNames = append(v.Alarms.TriggeredAlarmNames, sd.alarms.triggered...)
	for _, source := range sd.sources {
		v.SourceServiceRevisions = append(v.SourceServiceRevisions, source.summary())
	}
	if l := sd.lifecycle; l.shifts() {
		v.TargetServiceRevision.weigh(l.production, l.test)
		for i, source := range sd.sources {
			share := 0.0
			if source.revision == sd.served {
				share = 100 - l.production
			}
			v.SourceServiceRevisions[i].weigh(share, 0)
		}
	}
	return v
}

// weigh notes the percentages of the traffic that the revision is to get.
func (r *revisionSummary) weigh(production, test float64) {
	r.ProductionWeight, r.TestWeight = &production, &test
}

func (v serviceDeploymentView) brief() serviceDeploymentBrief {
	return serviceDeploymentBrief{
		ServiceDeploymentARN: v.ServiceDeploymentARN, ServiceARN: v.ServiceARN, ClusterARN: v.ClusterARN,
		StartedAt: v.StartedAt, CreatedAt: v.CreatedAt, FinishedAt: v.FinishedAt,
		TargetServiceRevisionARN: v.TargetServiceRevision.ARN, Status: v.Status, StatusReason: v.StatusReason,
	}
}

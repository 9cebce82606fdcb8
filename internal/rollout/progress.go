package rollout

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// noteProgress writes down how far d has come. Progress is a new maximum of the tasks that run
// its revision, or a new minimum of those that run others. Only a view that shows d counts.
func (s *situation) noteProgress(d *ecsv1alpha1.DeploymentStatus) {
	if !s.shows(d) {
		return
	}
	running, old := s.running(d)
	first := d.Running == 0 && d.Old == 0 && d.Desired == 0
	if first {
		d.Old = old
	}
	if running > d.Running || old < d.Old || (first && s.View.Desired > 0) {
		d.Progressed = seconds(s.Now)
	}
	d.Running, d.Old, d.Desired = max(d.Running, running), min(d.Old, old), s.View.Desired
}

// maxStages is how many stages are remembered of a deployment.
const maxStages = 32

// noteStage writes down the stage of d and the traffic that it gets. A stage or a weight that is
// reached for the first time is progress.
func (s *situation) noteStage(d *ecsv1alpha1.DeploymentStatus, ours *ServiceDeployment) {
	if ours == nil || ours.Stage == "" {
		return
	}
	stage := shorten(ours.Stage, 64)
	d.Stage = stage
	if !slices.Contains(d.Stages, stage) && len(d.Stages) < maxStages {
		d.Stages = append(d.Stages, stage)
		d.Progressed = seconds(s.Now)
	}
	if ours.Weight < 0 {
		return
	}
	weight := ours.Weight
	d.Weight = &weight
	if weight > d.MaxWeight {
		d.MaxWeight, d.Progressed = weight, seconds(s.Now)
	}
}

// standsStill says that ours is not expected to make progress now: it bakes, between two shifts of
// traffic or at the end, or a hook has paused it.
func standsStill(ours *ServiceDeployment) bool {
	if ours == nil {
		return false
	}
	shifting := ours.Stage == "PRODUCTION_TRAFFIC_SHIFT" && ours.Weight > 0 && ours.Weight < 100
	return ours.Stage == "BAKE_TIME" || shifting || ours.Awaits() != nil
}

// running is how many tasks of d run, and how many others.
func (s *situation) running(d *ecsv1alpha1.DeploymentStatus) (ours, others int32) {
	for _, e := range s.View.Deployments {
		// A restart replaces tasks of the same revision.
		if e.Revision == d.Revision && (d.Primary == "" || d.Purpose != ecsv1alpha1.PurposeRestart || e.ID == d.Primary) {
			ours += e.Running
		} else {
			others += e.Running
		}
	}
	return ours, others
}

// counts says how far d is, for people.
func (s *situation) counts(d *ecsv1alpha1.DeploymentStatus) string {
	id := cmp.Or(d.Primary, d.ServiceDeployment, "id not known yet")
	if !s.shows(d) {
		return fmt.Sprintf("the service does not show it yet (deployment %s)", id)
	}
	running, old := s.running(d)
	said := fmt.Sprintf("%d/%s run (deployment %s)", running, tasks(s.View.Desired), id)
	if old > 0 {
		said += fmt.Sprintf(", %d of other revisions", old)
	}
	if s.primary.Failed > 0 {
		said += fmt.Sprintf(", %d failed", s.primary.Failed)
	}
	if d.Stage != "" {
		said += ", stage " + d.Stage
	}
	if d.Weight != nil {
		said += fmt.Sprintf(", %d%% of the traffic", *d.Weight)
	}
	return said
}

// listedFailed says that the service lists d as failed although it is not its primary deployment
// any more.
func (s *situation) listedFailed(d *ecsv1alpha1.DeploymentStatus) bool {
	return slices.ContainsFunc(s.View.Deployments, func(e Deployment) bool {
		return d.Primary != "" && e.ID == d.Primary && e.RolloutState == "FAILED"
	})
}

// wentBack says that the primary deployment is what ECS went back to from d, and no later deployment
// by somebody: ECS says so, or it is older than d, or it is what a rollback goes back to, or it came
// before ECS ended the rollback of d.
func (s *situation) wentBack(d *ecsv1alpha1.DeploymentStatus, ours *ServiceDeployment) bool {
	p, proven := s.primary, s.memory.Proven
	if strings.Contains(p.Reason, "rolling back") || strings.Contains(p.Reason, "rolled back") ||
		(!p.Created.IsZero() && p.Created.Before(d.Started.Add(-skew))) ||
		(proven != nil && proven.Revision == p.Revision) {
		return true
	}
	return ours != nil && strings.HasPrefix(ours.Status, "ROLLBACK_") &&
		(ours.Finished.IsZero() || !p.Created.After(ours.Finished.Add(skew)))
}

// rollbackMessage says why ECS gave d up.
func rollbackMessage(d *ecsv1alpha1.DeploymentStatus, ours *ServiceDeployment) string {
	what := "ECS gave the deployment of " + d.Revision + " up"
	if strings.HasPrefix(ours.Status, "ROLLBACK_") {
		what = "ECS gave the deployment of " + d.Revision + " up and began to roll it back"
	}
	var counters string
	if ours.BreakerTriggered || ours.FailedTasks > 0 {
		counters = fmt.Sprintf("%s failed, the circuit breaker's threshold is %d", tasks(ours.FailedTasks), ours.Threshold)
	}
	return clauses(fmt.Sprintf("%s (service deployment %s)", what, ours.ID), counters, cmp.Or(ours.RollbackReason, ours.Reason))
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

package rollout

import (
	"testing"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func TestARestartCountsItsOwnTasks(t *testing.T) {
	s := &situation{Input: Input{View: &View{Deployments: []Deployment{
		{ID: "ecs-svc/2", Status: "PRIMARY", Revision: "app:1", Running: 1},
		{ID: "ecs-svc/1", Status: "ACTIVE", Revision: "app:1", Running: 2},
	}}}}
	restart := &ecsv1alpha1.DeploymentStatus{Revision: "app:1", Primary: "ecs-svc/2", Purpose: ecsv1alpha1.PurposeRestart}
	if ours, others := s.running(restart); ours != 1 || others != 2 {
		t.Errorf("%d of ours and %d others, want 1 and 2", ours, others)
	}
}

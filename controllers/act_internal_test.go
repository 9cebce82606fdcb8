package controllers

import (
	"testing"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/rollout"
)

// A release of a hundred services would else stand before all other environments once the first of them
// is in flight.
func TestNothingIsUrgentOnlyBecauseItsReleaseHasBegun(t *testing.T) {
	deploying := ecsv1alpha1.ServiceStatus{State: ecsv1alpha1.ServiceDeploying}
	for name, c := range map[string]struct {
		memory ecsv1alpha1.ServiceStatus
		step   rollout.Step
		want   bool
	}{
		"a registration":                        {ecsv1alpha1.ServiceStatus{}, rollout.Step{Action: rollout.ActionRegister}, false},
		"an update":                             {ecsv1alpha1.ServiceStatus{}, rollout.Step{Action: rollout.ActionUpdate}, false},
		"an update of what is being deployed":   {deploying, rollout.Step{Action: rollout.ActionUpdate}, false},
		"a restart":                             {deploying, rollout.Step{Action: rollout.ActionRestart, Purpose: ecsv1alpha1.PurposeRestart}, false},
		"drift":                                 {ecsv1alpha1.ServiceStatus{}, rollout.Step{Action: rollout.ActionUpdate, Purpose: ecsv1alpha1.PurposeDrift}, false},
		"a stop":                                {deploying, rollout.Step{Action: rollout.ActionStop, Purpose: ecsv1alpha1.PurposeRollback}, true},
		"an update back":                        {deploying, rollout.Step{Action: rollout.ActionUpdate, Purpose: ecsv1alpha1.PurposeRollback}, true},
		"a registration of what was there once": {deploying, rollout.Step{Action: rollout.ActionRegister, Purpose: ecsv1alpha1.PurposeRollback}, true},
		"a deployment that goes on from a hook": {deploying, rollout.Step{Action: rollout.ActionContinue}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &service{key: cloud.Key{Service: "backend"}, memory: c.memory, decision: rollout.Decision{Step: c.step}}
			begun := &service{key: cloud.Key{Service: "worker"}, memory: deploying}
			p := &pass{release: aRelease(nil), environment: anEnvironment(nil), services: []*service{s, begun}}
			if got := p.turn(s).Urgent; got != c.want {
				t.Errorf("urgent is %v, wanted %v", got, c.want)
			}
		})
	}
}

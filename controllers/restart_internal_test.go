package controllers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

func TestWhatWasToldStaysUntilEverythingWasLookedAt(t *testing.T) {
	told := func(observed int64) *ecsv1alpha1.EcsRelease {
		return &ecsv1alpha1.EcsRelease{
			ObjectMeta: metav1.ObjectMeta{Generation: 3},
			Status: ecsv1alpha1.EcsReleaseStatus{
				ObservedGeneration: observed, Conditions: []metav1.Condition{{Type: ecsv1alpha1.ConditionReady, Status: metav1.ConditionFalse}},
			},
		}
	}
	seen := func() *service { return &service{observation: observation{view: &rollout.View{}}} }
	acts := func() *service {
		s := seen()
		s.decision.Step.Action = rollout.ActionUpdate
		return s
	}
	for name, c := range map[string]struct {
		pass *pass
		want bool
	}{
		"one not looked at":               {&pass{release: told(3), services: []*service{seen(), {}}}, true},
		"all looked at":                   {&pass{release: told(3), services: []*service{seen(), seen()}}, false},
		"a spec that nobody told of":      {&pass{release: told(2), services: []*service{{}}}, false},
		"a release that nobody saw":       {&pass{release: &ecsv1alpha1.EcsRelease{}, services: []*service{{}}}, false},
		"somebody asks to look again":     {&pass{release: told(3), look: true, services: []*service{{}}}, false},
		"something was done meanwhile":    {&pass{release: told(3), services: []*service{acts(), {}}}, false},
		"nothing may be looked at":        {&pass{release: told(3), blind: &rollout.Problem{}, services: []*service{{}}}, false},
		"what can't be seen is an answer": {&pass{release: told(3), services: []*service{{observation: observation{problem: &rollout.Problem{}}}}}, false},
	} {
		if got := c.pass.knowsLess(); got != c.want {
			t.Errorf("%s: %t, wanted %t", name, got, c.want)
		}
	}
}

package controllers_test

import (
	"fmt"
	"testing"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func TestMetricsTellOfEachRelease(t *testing.T) {
	w, release, _ := released(t, (*world).alone)
	gauges := func() map[string]float64 {
		families, err := w.manager.registry.Gather()
		w.must(err)
		got := map[string]float64{}
		for _, family := range families {
			for _, metric := range family.Metric {
				name := family.GetName()
				for _, label := range metric.Label {
					if label.GetName() == "state" || label.GetName() == "operation" {
						name += "/" + label.GetValue()
					}
				}
				got[name] += metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
			}
		}
		return got
	}
	want := func(name string, value float64) {
		w.eventually(fmt.Sprintf("%s at %g", name, value), func() error {
			if got := gauges(); got[name] != value {
				return fmt.Errorf("it is %g, all are %v", got[name], got)
			}
			return nil
		})
	}
	want("ecsrelease_ready", 1)
	want("ecsrelease_services", 1)
	want("ecsrelease_services_ready", 1)
	want("ecsrelease_service_transitions_total/InSync", 1)
	want("ecsrelease_aws_api_requests_total/UpdateService", 1)
	want("ecsrelease_taskdefinition_registrations_total", 1)

	w.bump(release, "helium-frontend:v1")
	w.stalled(release, ecsv1alpha1.ReasonRepositoryNotFound)
	want("ecsrelease_ready", -1)
	want("ecsrelease_waiting", 0)
	want("ecsrelease_services_ready", 0)

	w.must(w.client.Delete(t.Context(), w.get(release)))
	want("ecsrelease_services", 0)
}

package controllers

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Metrics are what the controller counts. Labels are bounded: states, classes, and the names of releases.
type Metrics struct {
	reader      client.Reader
	ownership   *Ownership
	transitions *prometheus.CounterVec
	failures    *prometheus.CounterVec
	rollbacks   *prometheus.CounterVec
	ready       *prometheus.Desc
	waiting     *prometheus.Desc
	services    *prometheus.Desc
	readyCount  *prometheus.Desc
}

// NewMetrics registers the metrics; what is said of releases is read from the cache when scraped. The
// releases of environments that are another manager's are left to that one; a nil ownership is of all.
func NewMetrics(registerer prometheus.Registerer, reader client.Reader, ownership *Ownership) (*Metrics, error) {
	labels := []string{"namespace", "name"}
	m := &Metrics{
		reader: reader, ownership: ownership,
		transitions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ecsrelease_service_transitions_total",
			Help: "Services that came into a state, by state.",
		}, []string{"state"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ecsrelease_service_failures_total",
			Help: "Services that failed with an image, by class of the failure.",
		}, []string{"class"}),
		rollbacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ecsrelease_service_rollbacks_total",
			Help: "Services that were brought back to their proven revision, by result: Succeeded or Failed.",
		}, []string{"result"}),
		ready: prometheus.NewDesc("ecsrelease_ready",
			"1 if the release is Ready, 0 if not, -1 if it is Stalled.", labels, nil),
		waiting: prometheus.NewDesc("ecsrelease_waiting",
			"1 if the release waits for a person, for its image's promotion or for a window, 0 if not.", labels, nil),
		services: prometheus.NewDesc("ecsrelease_services",
			"Services that the release names.", labels, nil),
		readyCount: prometheus.NewDesc("ecsrelease_services_ready",
			"Services that run the release's image, successfully.", labels, nil),
	}
	for _, collector := range []prometheus.Collector{m.transitions, m.failures, m.rollbacks, m} {
		if err := registerer.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(descs chan<- *prometheus.Desc) {
	descs <- m.ready
	descs <- m.waiting
	descs <- m.services
	descs <- m.readyCount
}

// Collect implements prometheus.Collector. A cache that can't be read yields no series.
func (m *Metrics) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var releases ecsv1alpha1.EcsReleaseList
	if err := m.reader.List(ctx, &releases, client.UnsafeDisableDeepCopy); err != nil {
		return
	}
	others, err := m.ownership.others(ctx, m.reader)
	if err != nil {
		return
	}
	for i := range releases.Items {
		release := &releases.Items[i]
		if others[release.Namespace] {
			continue
		}
		gauge := func(desc *prometheus.Desc, value float64) {
			metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, release.Namespace, release.Name)
		}
		ready := 0.0
		switch {
		case meta.IsStatusConditionTrue(release.Status.Conditions, ecsv1alpha1.ConditionReady):
			ready = 1
		case meta.IsStatusConditionTrue(release.Status.Conditions, ecsv1alpha1.ConditionStalled):
			ready = -1
		}
		gauge(m.ready, ready)
		waiting := 0.0
		if waits(release) {
			waiting = 1
		}
		gauge(m.waiting, waiting)
		gauge(m.services, float64(release.Status.Services))
		gauge(m.readyCount, float64(release.Status.ReadyServices))
	}
}

// waits says whether it is for somebody, or for a time, and not for the controller, that a release is not Ready.
func waits(release *ecsv1alpha1.EcsRelease) bool {
	ready := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionReady)
	if ready == nil || ready.Status == metav1.ConditionTrue {
		return false
	}
	switch ready.Reason {
	case ecsv1alpha1.ReasonAwaitingApproval, ecsv1alpha1.ReasonAwaitingAction, ecsv1alpha1.ReasonSuspended, ecsv1alpha1.ReasonHeld,
		ecsv1alpha1.ReasonAwaitingPromotion, ecsv1alpha1.ReasonOutsideWindow:
		return true
	default:
		return false
	}
}

func (m *Metrics) transition(state ecsv1alpha1.ServiceState) {
	m.transitions.WithLabelValues(string(state)).Inc()
}

func (m *Metrics) failure(class ecsv1alpha1.FailureClass) {
	m.failures.WithLabelValues(string(class)).Inc()
}

func (m *Metrics) rollback(succeeded bool) {
	result := "Succeeded"
	if !succeeded {
		result = "Failed"
	}
	m.rollbacks.WithLabelValues(result).Inc()
}

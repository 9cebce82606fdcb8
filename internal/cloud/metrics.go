package cloud

import (
	"context"
	"errors"
	"fmt"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what the edge counts. No label is unbounded: services, operations and quotas are
// ours, and codes that are not in the table of errors count as Other.
type metrics struct {
	requests      *prometheus.CounterVec
	throttles     *prometheus.CounterVec
	rejections    *prometheus.CounterVec
	waiting       *prometheus.GaugeVec
	events        *prometheus.CounterVec
	registrations *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ecsrelease_aws_api_requests_total",
			Help: "Requests sent to AWS, attempts counted one by one, by the code of the answer (OK, AWS's error code, or how it failed).",
		}, []string{"service", "operation", "code"}),
		throttles: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ecsrelease_aws_api_throttles_total",
			Help: "Requests that AWS answered with a throttle.",
		}, []string{"service", "operation"}),
		rejections: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ecsrelease_ratelimiter_rejections_total",
			Help: "Calls put off because our share of a quota was used up or the quota was shut after a throttle.",
		}, []string{"bucket"}),
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ecsrelease_ratelimiter_waiting_steps",
			Help: "Steps that wait in line for our share of a quota, in all accounts and regions.",
		}, []string{"bucket"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ecsrelease_events_received_total",
			Help: "Messages received from SQS queues by kind: the detail type of an event that is looked into, Other events, Garbage.",
		}, []string{"kind"}),
		registrations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ecsrelease_taskdefinition_registrations_total",
			Help: "Registrations of task definitions by result: registered, lost (no answer), or the class of the problem.",
		}, []string{"result"}),
	}
	// A rate sees the first of a kind only if there was a 0 before it.
	for _, q := range quotas {
		m.rejections.WithLabelValues(string(q))
		m.waiting.WithLabelValues(string(q))
	}
	for _, kind := range []string{kindDeployment, kindAction, kindHook, kindImage, kindReplica, kindOther, kindGarbage} {
		m.events.WithLabelValues(kind)
	}
	if registerer == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.throttles, m.rejections, m.waiting, m.events, m.registrations} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) rejected(q quota) { m.rejections.WithLabelValues(string(q)).Inc() }

func (m *metrics) registered(result string) { m.registrations.WithLabelValues(result).Inc() }

// countRequests counts every attempt of every operation of the clients that it is given to.
func (m *metrics) countRequests(stack *middleware.Stack) error {
	count := middleware.FinalizeMiddlewareFunc("CountRequests", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleFinalize(ctx, in)
		// A call that stopped at our own gate was no request.
		if gate := (*gateError)(nil); !errors.As(err, &gate) {
			service, operation := awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)
			code := codeLabel(err)
			m.requests.WithLabelValues(service, operation, code).Inc()
			if isThrottleCode(code) {
				m.throttles.WithLabelValues(service, operation).Inc()
			}
		}
		return out, metadata, err
	})
	if err := stack.Finalize.Insert(count, "Retry", middleware.After); err != nil {
		return fmt.Errorf("counting requests: %w", err)
	}
	return nil
}

package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// operation is one call that the package can make.
type operation struct {
	action string // the IAM action that it needs
	quota  quota
	reason string // of a plain refusal
	haste  haste
	// prepaid says that the caller took the token.
	prepaid bool
	// deadline is the longest that a read may take; 0: that of the options.
	deadline time.Duration
	// optional says that a denial is no reason to doubt the credentials.
	optional bool
}

// The operations: this is the whole surface of AWS that is touched.
var (
	describeServices           = operation{action: "ecs:DescribeServices", quota: quotaServiceRead, reason: ecsv1alpha1.ReasonObservationFailed}
	describeTaskDefinition     = operation{action: "ecs:DescribeTaskDefinition", quota: quotaTaskDefRead, reason: ecsv1alpha1.ReasonObservationFailed}
	listTaskDefinitions        = operation{action: "ecs:ListTaskDefinitions", quota: quotaTaskDefRead, reason: ecsv1alpha1.ReasonObservationFailed}
	listServiceDeployments     = operation{action: "ecs:ListServiceDeployments", quota: quotaDeployment, reason: ecsv1alpha1.ReasonObservationFailed}
	describeServiceDeployments = operation{action: "ecs:DescribeServiceDeployments", quota: quotaDeployment, reason: ecsv1alpha1.ReasonObservationFailed}
	describeServiceRevisions   = operation{action: "ecs:DescribeServiceRevisions", quota: quotaRevision, reason: ecsv1alpha1.ReasonObservationFailed}
	listTasks                  = operation{action: "ecs:ListTasks", quota: quotaClusterRead, reason: ecsv1alpha1.ReasonObservationFailed}
	describeTasks              = operation{action: "ecs:DescribeTasks", quota: quotaClusterRead, reason: ecsv1alpha1.ReasonObservationFailed}
	describeContainerInstances = operation{action: "ecs:DescribeContainerInstances", quota: quotaClusterRead, reason: ecsv1alpha1.ReasonObservationFailed}
	describeTargetHealth       = operation{action: "elasticloadbalancing:DescribeTargetHealth", quota: quotaBalancerRead, reason: ecsv1alpha1.ReasonObservationFailed}
	describeTargetGroups       = operation{action: "elasticloadbalancing:DescribeTargetGroups", quota: quotaBalancerRead, reason: ecsv1alpha1.ReasonObservationFailed}
	describeLoadBalancers      = operation{action: "elasticloadbalancing:DescribeLoadBalancers", quota: quotaBalancerRead, reason: ecsv1alpha1.ReasonObservationFailed}
	describeImages             = operation{action: "ecr:DescribeImages", quota: quotaRegistryRead, reason: ecsv1alpha1.ReasonImageUnknown}
	describeRepositories       = operation{action: "ecr:DescribeRepositories", quota: quotaRegistryRead, reason: ecsv1alpha1.ReasonImageUnknown}
	listHostedZonesByName      = operation{action: "route53:ListHostedZonesByName", quota: quotaZoneRead, reason: ecsv1alpha1.ReasonObservationFailed, optional: true}
	listResourceRecordSets     = operation{action: "route53:ListResourceRecordSets", quota: quotaZoneRead, reason: ecsv1alpha1.ReasonObservationFailed, optional: true}
	describeAccelerator        = operation{action: "globalaccelerator:DescribeAccelerator", quota: quotaAcceleratorRead, reason: ecsv1alpha1.ReasonObservationFailed, optional: true}
	listAcceleratorListeners   = operation{action: "globalaccelerator:ListListeners", quota: quotaAcceleratorRead, reason: ecsv1alpha1.ReasonObservationFailed, optional: true}
	listEndpointGroups         = operation{action: "globalaccelerator:ListEndpointGroups", quota: quotaAcceleratorRead, reason: ecsv1alpha1.ReasonObservationFailed, optional: true}
	describeListeners          = operation{action: "elasticloadbalancing:DescribeListeners", quota: quotaBalancerRead, reason: ecsv1alpha1.ReasonObservationFailed, optional: true}
	listenerCertificates       = operation{action: "elasticloadbalancing:DescribeListenerCertificates", quota: quotaBalancerRead, reason: ecsv1alpha1.ReasonObservationFailed, optional: true}
	describeRules              = operation{action: "elasticloadbalancing:DescribeRules", quota: quotaBalancerRead, reason: ecsv1alpha1.ReasonObservationFailed, optional: true}
	describeCertificate        = operation{action: "acm:DescribeCertificate", quota: quotaCertificateRead, reason: ecsv1alpha1.ReasonObservationFailed, optional: true}
	batchGetImage              = operation{action: "ecr:BatchGetImage", quota: quotaRegistryObject, reason: ecsv1alpha1.ReasonImageUnknown}
	getDownloadURLForLayer     = operation{action: "ecr:GetDownloadUrlForLayer", quota: quotaRegistryObject, reason: ecsv1alpha1.ReasonImageUnknown}

	registerTaskDefinition    = operation{action: "ecs:RegisterTaskDefinition", quota: quotaTaskDefModify, reason: ecsv1alpha1.ReasonRegistrationRefused}
	updateService             = operation{action: "ecs:UpdateService", quota: quotaServiceModify, reason: ecsv1alpha1.ReasonUpdateRefused}
	stopServiceDeployment     = operation{action: "ecs:StopServiceDeployment", quota: quotaDeploymentModify, reason: ecsv1alpha1.ReasonUpdateRefused}
	continueServiceDeployment = operation{action: "ecs:ContinueServiceDeployment", quota: quotaDeploymentModify, reason: ecsv1alpha1.ReasonUpdateRefused}
)

// read makes a call that changes nothing: with a token for each attempt, which is waited for only if it comes
// soon, as a verified identity, within the read deadline. doing says for messages what is done to what. When AWS
// finds the credentials expired, it is made a second time with fresh ones.
func read[Out any](
	ctx context.Context, f *Fleet, s *session, op operation, doing string, call func(context.Context) (*Out, error),
) (*Out, *rollout.Problem) {
	if isPatient(ctx) {
		if problem := f.awaitToken(ctx, s, op, doing); problem != nil {
			return nil, problem
		}
		op.prepaid = true
	}
	if !f.flight.begin() {
		return nil, shuttingDown(doing)
	}
	defer f.flight.end()
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(op.deadline, f.options.ReadDeadline))
	defer cancel()
	if problem := s.verify(ctx); problem != nil {
		return nil, problem
	}
	for try := 1; ; try++ {
		if problem := f.tokenSoon(ctx, s, op, doing); problem != nil {
			return nil, problem
		}
		op.prepaid = false
		out, err := attempt(ctx, f, s, op, call)
		if err == nil {
			return out, nil
		}
		problem, renewed := f.judge(err, s, op, doing)
		if try > 1 || !renewed || !isExpiry(err) {
			return nil, problem
		}
		if again := s.verify(ctx); again != nil {
			return nil, again
		}
	}
}

// attempt makes a call for which a token was taken. The SDK makes it again where AWS fails, if there is
// a token for that too; else the error is that of the last attempt.
func attempt[Out any](
	ctx context.Context, f *Fleet, s *session, op operation, call func(context.Context) (*Out, error),
) (*Out, error) {
	var last error
	pay := payer(func(failed error) error {
		if _, ok := f.budget.take(s.bucket(op), urgent); ok {
			return nil
		}
		last = failed
		return errNoToken
	})
	out, err := call(context.WithValue(ctx, payerKey{}, pay))
	if errors.Is(err, errNoToken) {
		return nil, last
	}
	return out, err
}

// errNoToken says that our share of a quota is used up.
var errNoToken = errors.New("no token for another attempt")

// write makes a call that changes something: one attempt, with a token, as a verified
// identity, through the write gate. Once begun it is not called off with ctx, only by its own
// deadline. The middleware that it hands to call must be part of the call's stack.
//
// The string is AWS's id of the request, if it answered. The error is a *rollout.Problem when
// the change was definitely not made, and wraps ErrLost when it may have been.
func write[Out any](
	ctx context.Context, f *Fleet, s *session, op operation, doing string,
	call func(context.Context, func(*middleware.Stack) error) (*Out, error),
) (out *Out, requestID string, err error) {
	if !f.flight.begin() {
		return nil, "", shuttingDown(doing)
	}
	defer f.flight.end()
	exit := exit{fleet: f, environment: s.identity.Environment, deadline: time.Now().Add(f.options.CallDeadline)}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), exit.deadline)
	defer cancel()
	if problem := s.verify(ctx); problem != nil {
		return nil, "", problem
	}
	if problem := f.token(ctx, s, op, doing); problem != nil {
		return nil, "", problem
	}
	out, err = call(ctx, exit.watch)
	if err == nil {
		return out, exit.requestID, nil
	}
	if gate := (*gateError)(nil); errors.As(err, &gate) {
		return nil, "", because(rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "%s: not sent: %v", doing, gate.err)
	}
	if exit.sent && !turnedDown(err) && !neverLeft(err) {
		return nil, exit.requestID, fmt.Errorf("%s: %w (%s)", doing, ErrLost, clip(describe(err, transient, op.action)))
	}
	problem, _ := f.judge(err, s, op, doing)
	return nil, exit.requestID, problem
}

// turnedDown says that AWS looked at a request and would have none of it. Whatever else comes
// back after it was sent, it may have been carried out all the same.
func turnedDown(err error) bool {
	status, code := httpStatus(err), errorCode(err)
	if status < 400 || status >= 500 || code == "" {
		return false
	}
	return kinds[code] != transient || isExpiry(err)
}

// exit is the last thing that a call which changes something passes on its way out.
type exit struct {
	fleet       *Fleet
	environment string
	deadline    time.Time
	sent        bool
	requestID   string
}

// gateError is how the write gate stops a call.
type gateError struct{ err error }

func (e *gateError) Error() string { return e.err.Error() }

// watch asks the write gate when all is signed and the next thing is the wire, and notes that
// the request went out, and AWS's id of it.
func (e *exit) watch(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("WriteGate", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		if ctx.Err() != nil {
			return middleware.DeserializeOutput{}, middleware.Metadata{}, &gateError{err: errors.New("its deadline had passed")}
		}
		if err := e.fleet.options.Gate(e.environment, time.Until(e.deadline)); err != nil {
			return middleware.DeserializeOutput{}, middleware.Metadata{}, &gateError{err: err}
		}
		e.sent = true
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if response, ok := out.RawResponse.(*smithyhttp.Response); ok && response != nil {
			e.requestID = response.Header.Get("X-Amzn-Requestid")
		}
		return out, metadata, err
	}), middleware.After)
}

// token takes a token for op, or says how long to wait.
func (f *Fleet) token(ctx context.Context, s *session, op operation, doing string) *rollout.Problem {
	wait, ok := f.budget.take(s.bucket(op), max(op.haste, hasteOf(ctx)))
	return putOff(s, op, doing, wait, ok)
}

// tokenSoon is token for a read: one that somebody waits for waits for its own if that comes soon.
func (f *Fleet) tokenSoon(ctx context.Context, s *session, op operation, doing string) *rollout.Problem {
	switch {
	case op.prepaid:
		return nil
	case max(op.haste, hasteOf(ctx)) == sweep:
		return f.token(ctx, s, op, doing)
	}
	wait, ok := f.budget.takeSoon(ctx, s.identity.Environment, s.bucket(op))
	return putOff(s, op, doing, wait, ok)
}

// putOff is the problem of a call that has to wait for its token; nil if it has one.
func putOff(s *session, op operation, doing string, wait time.Duration, ok bool) *rollout.Problem {
	if ok {
		return nil
	}
	problem := because(rollout.ProblemThrottled, ecsv1alpha1.ReasonObservationFailed,
		"%s: put off, our share of the AWS quota %s of account %s in %s is used up", doing, op.quota, s.identity.AccountID, s.region)
	problem.RetryAfter = wait
	return problem
}

// awaitToken takes a token, and waits for it as long as the context and patience allow.
func (f *Fleet) awaitToken(ctx context.Context, s *session, op operation, doing string) *rollout.Problem {
	for end := time.Now().Add(patience); ; {
		problem := f.tokenSoon(ctx, s, op, doing)
		if problem == nil || time.Now().Add(problem.RetryAfter).After(end) {
			return problem
		}
		pause(ctx, problem.RetryAfter)
		if ctx.Err() != nil {
			return problem
		}
	}
}

// pause waits until d has passed or ctx is done.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// judge makes err a problem and draws the consequences: a throttle shuts the bucket, credentials
// that it speaks against are forgotten. It says whether the next call is made with fresh ones.
func (f *Fleet) judge(err error, s *session, op operation, doing string) (problem *rollout.Problem, renewed bool) {
	problem = problemOf(err, doing, op.action, op.reason)
	if problem.Class == rollout.ProblemThrottled {
		problem.RetryAfter = f.budget.throttled(s.bucket(op))
	}
	if op.optional && !isExpiry(err) {
		return problem, false
	}
	return problem, s.wallet.doubt(err)
}

func (s *session) bucket(op operation) bucketKey {
	return bucketKey{account: s.identity.AccountID, region: s.region, quota: op.quota}
}

func shuttingDown(doing string) *rollout.Problem {
	return because(rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "%s: not sent: shutting down", doing)
}

func isExpiry(err error) bool {
	return slices.Contains(expiring, errorCode(err))
}

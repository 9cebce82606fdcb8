package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/go-logr/logr"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/taskdef"
)

// Updated is what the answer to an update of a service says.
type Updated struct {
	// Primary is the id (ecs-svc/…) of the PRIMARY deployment, if it is of the revision that
	// was asked for; "" if the answer shows none such.
	Primary   string
	RequestID string
	// At is when the call began.
	At time.Time
}

// Register registers a derived task definition, its document as it stands, and returns the
// revision that it became, as family:revision. It is sent once. A family is registered in one
// at a time, and only if looked, when the look for an equal revision began, is after the last
// registration: whoever comes too early is told to come back, and should look again first.
//
// The error is a *rollout.Problem when nothing was registered, and wraps [ErrLost] when it may
// have been.
func (f *Fleet) Register(ctx context.Context, id Identity, region string, d taskdef.Derived, looked time.Time) (revision, request string, err error) {
	doing := fmt.Sprintf("registering a task definition of family %s in %s", d.Family, region)
	key := familyKey{account: id.AccountID, region: region, family: d.Family}
	defer func() { f.end(id.AccountID, region, registration(key, d.Hash), err) }()
	if wait, ok := f.registrations.begin(key, looked); !ok {
		problem := because(rollout.ProblemThrottled, ecsv1alpha1.ReasonObservationFailed, "%s: put off, another registration in the family may have made it", doing)
		problem.RetryAfter = wait
		return "", "", problem
	}
	defer func() { f.registrations.end(key, err == nil, errors.Is(err, ErrLost)) }()
	f.spend(id.AccountID, region, registration(key, d.Hash))

	s := f.session(id, region)
	began := time.Now()
	out, request, err := write(ctx, f, s, registerTaskDefinition, doing,
		func(ctx context.Context, gate func(*middleware.Stack) error) (*ecs.RegisterTaskDefinitionOutput, error) {
			// The input satisfies the SDK; what is sent is the document.
			input := &ecs.RegisterTaskDefinitionInput{Family: aws.String(d.Family), ContainerDefinitions: []types.ContainerDefinition{}}
			return s.ecs.RegisterTaskDefinition(ctx, input, sentOnce, ecs.WithAPIOptions(sendBody(d.Request), gate))
		})
	if err == nil {
		if out.TaskDefinition != nil {
			revision = revisionOf(aws.ToString(out.TaskDefinition.TaskDefinitionArn))
		}
		if rollout.Number(revision) == 0 {
			err = fmt.Errorf("%s: %w (the answer names no revision)", doing, ErrLost)
		} else {
			f.seen(id, region, revision)
		}
	}
	err = withoutValues(err, d.Request)
	f.metrics.registered(result(err, "registered"))
	f.logger(ctx).Info("RegisterTaskDefinition", outcome(err, began, request,
		"account", id.AccountID, "region", region, "family", d.Family, "base", d.Base, "hash", d.Hash, "revision", revision)...)
	return revision, request, err
}

// Update makes the service run a revision, spelled family:revision, and changes nothing else
// of it. It is sent once; if it has the revision already, ECS does nothing.
//
// The error is a *rollout.Problem when nothing was changed, and wraps [ErrLost] when it may
// have been.
func (f *Fleet) Update(ctx context.Context, k Key, revision string) (Updated, error) {
	return f.update(ctx, k, revision, false, fmt.Sprintf("updating service %s to %s", k.Location(), revision))
}

// Restart deploys a revision, spelled family:revision, anew although the service runs it, and
// changes nothing else. It is sent once: each that ECS takes starts another deployment.
//
// The error is like that of [Fleet.Update].
func (f *Fleet) Restart(ctx context.Context, k Key, revision string) (Updated, error) {
	return f.update(ctx, k, revision, true, fmt.Sprintf("restarting service %s with %s", k.Location(), revision))
}

func (f *Fleet) update(ctx context.Context, k Key, revision string, force bool, doing string) (Updated, error) {
	updated := Updated{At: time.Now()}
	if rollout.Number(revision) == 0 {
		return updated, because(rollout.ProblemRefused, ecsv1alpha1.ReasonUpdateRefused, "%s: it has no revision number", doing)
	}
	s := f.session(k.Identity, k.Region)
	action := rollout.ActionUpdate
	if force {
		action = rollout.ActionRestart
	}
	f.spend(k.Identity.AccountID, k.Region, stepID{action: action, key: k})
	out, request, err := write(ctx, f, s, updateService, doing,
		func(ctx context.Context, gate func(*middleware.Stack) error) (*ecs.UpdateServiceOutput, error) {
			return s.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{
				Cluster:        aws.String(k.Cluster),
				Service:        aws.String(k.Service),
				TaskDefinition: aws.String(s.arn("task-definition/" + revision)),
				// false is not sent.
				ForceNewDeployment: force,
			}, sentOnce, ecs.WithAPIOptions(gate))
		})
	f.end(k.Identity.AccountID, k.Region, stepID{action: action, key: k}, err)
	updated.RequestID = request
	if err == nil && out.Service != nil {
		if primary := project(out.Service, updated.At).Primary(); primary != nil && primary.Revision == revision {
			updated.Primary = primary.ID
		}
	}
	if problem := (*rollout.Problem)(nil); errors.As(err, &problem) && IsInactive(problem) {
		// What was remembered of it is no longer so.
		f.forgetRevision(revisionKey{identity: k.Identity, region: k.Region, revision: revision})
		f.registrations.touch(familyKey{account: k.Identity.AccountID, region: k.Region, family: rollout.Family(revision)})
	}
	f.logger(ctx).Info("UpdateService", outcome(err, updated.At, updated.RequestID,
		"account", k.Identity.AccountID, "region", k.Region, "cluster", k.Cluster, "service", k.Service,
		"revision", revision, "force", force, "deployment", updated.Primary)...)
	return updated, err
}

func sentOnce(o *ecs.Options) { o.Retryer = aws.NopRetryer{} }

// logger is the logger of the request, or else the fleet's own.
func (f *Fleet) logger(ctx context.Context) logr.Logger {
	if log, err := logr.FromContext(ctx); err == nil {
		return log
	}
	return f.options.Log
}

// outcome adds to a log line how the call ended.
func outcome(err error, began time.Time, request string, fields ...any) []any {
	fields = append(fields, "result", result(err, "done"), "took", time.Since(began).Round(time.Millisecond).String())
	if request != "" {
		fields = append(fields, "requestID", request)
	}
	if err != nil {
		fields = append(fields, "why", err.Error())
	}
	return fields
}

// result is the outcome in a word.
func result(err error, done string) string {
	if err == nil {
		return done
	}
	if problem := (*rollout.Problem)(nil); errors.As(err, &problem) {
		return strings.ToLower(string(problem.Class))
	}
	return "lost"
}

// withoutValues takes out of a message of AWS's what it may quote of the values of environment
// variables: they can be secrets. Short ones are words of any message.
func withoutValues(err error, request []byte) error {
	if err == nil {
		return nil
	}
	var document struct {
		ContainerDefinitions []struct {
			Environment []struct {
				Value string `json:"value"`
			} `json:"environment"`
		} `json:"containerDefinitions"`
	}
	if json.Unmarshal(request, &document) != nil {
		return err
	}
	const word = 6
	redacted := err.Error()
	for _, container := range document.ContainerDefinitions {
		for _, variable := range container.Environment {
			if len(variable.Value) >= word {
				redacted = strings.ReplaceAll(redacted, variable.Value, "…")
			}
		}
	}
	if problem := (*rollout.Problem)(nil); errors.As(err, &problem) {
		said := *problem
		said.Message = redacted
		return &said
	}
	return &redactedError{error: err, said: redacted}
}

// redactedError is an error with other words for it.
type redactedError struct {
	error
	said string
}

func (e *redactedError) Error() string { return e.said }

func (e *redactedError) Unwrap() error { return e.error }

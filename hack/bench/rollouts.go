package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"k8s.io/apimachinery/pkg/types"

	"heliumai.space/ecsrelease/internal/lab"
)

const (
	production = "production"
	busy       = "helium-mumbai-cluster"
	// good is an image that works, bad one that exits.
	good, bad = "v2", "v3"
	exitCode  = 3
)

// rollout measures how soon a release knows what ECS knows.
type rollout struct{ *world }

// rollouts is the measurement: of deployments that end well and that do not, and then, since there
// is a manager and something for it to do, of what happens when that one dies.
func rollouts(ctx context.Context, b *bench) (rows []row, err error) {
	cluster := lab.Cluster{Region: region, Name: busy, Prefix: helium}
	for i := range b.size.rollouts + b.size.failures {
		cluster.Services = append(cluster.Services, idle(i))
	}
	say("seeding %d services", len(cluster.Services))
	w, err := newWorld(ctx, b, "rollouts", []lab.Cluster{cluster}, production)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	r := &rollout{w}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	if rows, err = r.toTheEnd(ctx); err != nil {
		return rows, err
	}
	taken, err := r.failovers(ctx)
	return append(rows, taken...), err
}

func (r *rollout) prepare(ctx context.Context) error {
	if err := r.aws.Settle(ctx); err != nil {
		return err
	}
	if _, err := r.aws.Push(ctx, good); err != nil {
		return err
	}
	if err := r.crash(ctx, bad); err != nil {
		return err
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	if err := r.start(); err != nil {
		return err
	}
	for i, service := range r.aws.Clusters[0].Services {
		if err := r.release(ctx, r.key(i), "v1", toCluster(busy), service); err != nil {
			return err
		}
	}
	return r.ready(ctx, len(r.aws.Clusters[0].Services))
}

func (r *rollout) key(i int) types.NamespacedName { return key(production, idle(i)) }

// crash pushes an image whose containers exit soon after their start.
func (w *world) crash(ctx context.Context, tag string) error {
	digest, err := w.aws.Push(ctx, tag)
	if err != nil {
		return err
	}
	behavior := map[string]any{"image": "*" + digest, "kind": "Crash", "exitCode": exitCode, "afterSeconds": 3}
	if err := w.aws.AWS.Admin(ctx, http.MethodPut, "images", behavior, nil); err != nil {
		return err
	}
	return w.aws.Replicated(ctx, digest)
}

// toTheEnd releases to all services, not quite at once, and compares what ECS says of the ends with
// when the releases said so.
func (r *rollout) toTheEnd(ctx context.Context) ([]row, error) {
	all := r.size.rollouts + r.size.failures
	say("releasing to %d services; %d of the deployments fail", all, r.size.failures)
	broken := func(i int) bool { return i < r.size.failures }
	for i := range all {
		tag := good
		if broken(i) {
			tag = bad
		}
		if _, err := r.bump(ctx, r.key(i), tag); err != nil {
			return nil, err
		}
		if err := pause(ctx, r.size.pace/4); err != nil { // no two of the ends at the same distance from a look
			return nil, err
		}
	}
	err := r.await(ctx, "the deployments to end", func() (bool, error) {
		ended, _ := r.releases.count(func(s sighting) bool { return !s.ready.IsZero() || !s.stuck.IsZero() })
		return ended == all, nil
	})
	if err != nil {
		return nil, err
	}
	var told, begun, ended []time.Duration
	var classes []string
	for i := range all {
		record, err := r.record(ctx, idle(i))
		if err != nil {
			return nil, err
		}
		seen, end := r.releases.at(r.key(i)), aws.ToTime(record.FinishedAt)
		switch {
		case !broken(i) && record.Status == ecstypes.ServiceDeploymentStatusSuccessful && !seen.ready.IsZero():
			told = append(told, seen.ready.Sub(end))
		case broken(i) && record.Status == ecstypes.ServiceDeploymentStatusRollbackSuccessful && record.Rollback != nil && !seen.stuck.IsZero():
			begun = append(begun, seen.failed.Sub(aws.ToTime(record.Rollback.StartedAt)))
			ended = append(ended, seen.stuck.Sub(end))
			classes = append(classes, seen.class)
		default:
			return nil, fmt.Errorf("ECS says that the deployment of %s is %s, and its release %+v", idle(i), record.Status, seen)
		}
	}
	slices.Sort(classes)
	together := fmt.Sprintf("%d deployments in one cluster, a small time apart, %d of which fail", all, r.size.failures)
	return []row{{
		measure: "ECS finished to `Ready`, polling",
		how:     together + "; from `finishedAt` of the service deployment that is `SUCCESSFUL` to the write of `Ready`, as a watch sees it; default flags, no events",
		must:    "p99 15s",
		reached: spread(told),
	}, {
		measure: "failure to `Stalled` with its class, polling",
		how:     fmt.Sprintf("the same run; containers that exit with %d, circuit breaker with rollback; from `finishedAt` of the service deployment that is `ROLLBACK_SUCCESSFUL` to the write of `Stalled`; and from `rollback.startedAt` to the write of `status.failure`", exitCode),
		must:    "15s",
		reached: fmt.Sprintf("%s; the failure itself %s after ECS began to roll back; class %s", spread(ended), spread(begun), usual(classes)),
	}}, nil
}

// record is what ECS says of the newest deployment of a service.
func (r *rollout) record(ctx context.Context, service string) (*ecstypes.ServiceDeployment, error) {
	client := ecs.NewFromConfig(r.aws.AWS.Root(lab.AccountID, region))
	list, err := client.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{Cluster: aws.String(busy), Service: &service})
	if err != nil {
		return nil, fmt.Errorf("listing the deployments of %s: %w", service, err)
	}
	if len(list.ServiceDeployments) == 0 {
		return nil, fmt.Errorf("service %s has no deployments", service)
	}
	arn := aws.ToString(list.ServiceDeployments[0].ServiceDeploymentArn)
	out, err := client.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{arn}})
	if err != nil {
		return nil, fmt.Errorf("describing deployment %s: %w", arn, err)
	}
	if len(out.ServiceDeployments) == 0 {
		return nil, fmt.Errorf("there is no deployment %s", arn)
	}
	return &out.ServiceDeployments[0], nil
}

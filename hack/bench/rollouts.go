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
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/lab"
)

const (
	production = "production"
	busy       = "helium-mumbai-cluster"
	// good is an image that works, bad one that exits.
	good, bad = "v2", "v3"
	exitCode  = 3
)

// news is how the manager hears of what happens in ECS, and what is released then: images that
// nobody has seen before.
type news struct {
	how, flags string
	good, bad  string
	// ready and stalled are how soon a release has to be so.
	ready, stalled string
}

var (
	byPolling = news{how: "polling", flags: "default flags, no events", good: good, bad: bad, ready: "p99 15s", stalled: "15s"}
	byEvents  = news{how: "with events", flags: "default flags, EventBridge to an SQS queue", good: "v4", bad: "v5", ready: "p99 3s", stalled: "3s"}
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
	for _, n := range []news{byPolling, byEvents} {
		if n == byEvents {
			if err := r.listen(ctx); err != nil {
				return rows, err
			}
		}
		ended, err := r.toTheEnd(ctx, n)
		if err != nil {
			return rows, err
		}
		rows = append(rows, ended...)
	}
	taken, err := r.failovers(ctx)
	return append(rows, taken...), err
}

// listen has EventBridge send what happens in ECS to a queue, and the environment name it.
func (r *rollout) listen(ctx context.Context) error {
	root := r.aws.AWS.Root(lab.AccountID, region)
	listening, err := seed.Listener{Name: "ecsrelease-events"}.Create(ctx, sqs.NewFromConfig(root), eventbridge.NewFromConfig(root))
	if err != nil {
		return err
	}
	var named ecsv1alpha1.EcsEnvironment
	if err := r.machine.Client.Get(ctx, client.ObjectKey{Name: production}, &named); err != nil {
		return fmt.Errorf("reading environment %s: %w", production, err)
	}
	base := named.DeepCopy()
	named.Spec.EventQueues = []ecsv1alpha1.EventQueue{{URL: listening.QueueURL, Region: region}}
	if err := r.machine.Client.Patch(ctx, &named, client.MergeFrom(base)); err != nil {
		return fmt.Errorf("naming the queue in environment %s: %w", production, err)
	}
	return r.await(ctx, "the manager to listen", func() (bool, error) {
		if err := r.machine.Client.Get(ctx, client.ObjectKey{Name: production}, &named); err != nil {
			return false, fmt.Errorf("reading environment %s: %w", production, err)
		}
		hears := meta.FindStatusCondition(named.Status.Conditions, ecsv1alpha1.ConditionEventsReceived)
		return hears != nil && hears.ObservedGeneration == named.Generation, nil
	})
}

func (r *rollout) prepare(ctx context.Context) error {
	if err := r.aws.Settle(ctx); err != nil {
		return err
	}
	for _, n := range []news{byPolling, byEvents} {
		if _, err := r.aws.Push(ctx, n.good); err != nil {
			return err
		}
		if err := r.crash(ctx, n.bad); err != nil {
			return err
		}
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
func (r *rollout) toTheEnd(ctx context.Context, n news) ([]row, error) {
	all := r.size.rollouts + r.size.failures
	say("releasing to %d services, %s; %d of the deployments fail", all, n.how, r.size.failures)
	broken := func(i int) bool { return i < r.size.failures }
	for i := range all {
		tag := n.good
		if broken(i) {
			tag = n.bad
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
		measure: "ECS finished to `Ready`, " + n.how,
		how:     together + "; from `finishedAt` of the service deployment that is `SUCCESSFUL` to the write of `Ready`, as a watch sees it; " + n.flags,
		must:    n.ready,
		reached: spread(told),
	}, {
		measure: "failure to `Stalled` with its class, " + n.how,
		how:     fmt.Sprintf("the same run; containers that exit with %d, circuit breaker with rollback; from `finishedAt` of the service deployment that is `ROLLBACK_SUCCESSFUL` to the write of `Stalled`; and from `rollback.startedAt` to the write of `status.failure`", exitCode),
		must:    n.stalled,
		reached: fmt.Sprintf("%s; the failure itself %s after ECS began to roll back; class %s", spread(ended), spread(begun), usual(classes)),
	}}, nil
}

// record is what ECS says of the newest deployment of a service.
func (r *rollout) record(ctx context.Context, service string) (*ecstypes.ServiceDeployment, error) {
	asked := ecs.NewFromConfig(r.aws.AWS.Root(lab.AccountID, region))
	list, err := asked.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{Cluster: aws.String(busy), Service: &service})
	if err != nil {
		return nil, fmt.Errorf("listing the deployments of %s: %w", service, err)
	}
	if len(list.ServiceDeployments) == 0 {
		return nil, fmt.Errorf("service %s has no deployments", service)
	}
	arn := aws.ToString(list.ServiceDeployments[0].ServiceDeploymentArn)
	out, err := asked.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{arn}})
	if err != nil {
		return nil, fmt.Errorf("describing deployment %s: %w", arn, err)
	}
	if len(out.ServiceDeployments) == 0 {
		return nil, fmt.Errorf("there is no deployment %s", arn)
	}
	return &out.ServiceDeployments[0], nil
}

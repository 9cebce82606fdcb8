package cloud

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"heliumai.space/ecsrelease/internal/rollout"
)

const (
	// clockSkew is how far AWS's clock may be behind ours, and how coarse a recorded time is.
	clockSkew = 10 * time.Second
	// revisionsPerCall is how many service revisions ECS describes in one call.
	revisionsPerCall = 20
	// deploymentPages is how many pages of service deployments one look goes through at most.
	deploymentPages = 5
)

// serviceRevision is what one revision of a service runs. It never changes, but ECS comes to know
// more of it: the digests once it has started a first task of it, and which target groups it uses.
type serviceRevision struct {
	taskDefinition string // family:revision
	created        time.Time
	images         map[string]RunningImage
	balancers      balancing
}

// targetKey is a service revision as somebody may read it.
type targetKey struct {
	identity Identity
	arn      string
}

// deploymentKey is a service deployment as somebody may read it.
type deploymentKey struct {
	key Key
	id  string
}

// seenDeployment is a service deployment as it was when a look at it began.
type seenDeployment struct {
	deployment *rollout.ServiceDeployment
	at         time.Time
}

// resolved says that every container has its digest.
func (r serviceRevision) resolved() bool {
	for _, i := range r.images {
		if i.Digest == "" {
			return false
		}
	}
	return len(r.images) > 0
}

// told says that ECS has described it: its task definition is known from the beginning.
func (r serviceRevision) told() bool { return r.taskDefinition != "" }

// balanced says that the target groups which it really uses are known.
func (r serviceRevision) balanced() bool { return r.balancers.settled() }

// ServiceDeployment looks up the service deployment that n asks for: by its id, or else the
// first since n.Since that brings n.Revision. nil when ECS does not list it, which after an
// update may be so for some seconds. at is when the look began; one by its id may be as old as
// four fifths of the fast cadence, since whatever happens to a service in flight makes its
// releases ask for all of theirs again.
func (f *Fleet) ServiceDeployment(ctx context.Context, k Key, n rollout.Need) (d *rollout.ServiceDeployment, at time.Time, problem *rollout.Problem) {
	at = time.Now()
	id := n.ID
	if id == "" {
		if id, problem = f.findDeployment(ctx, k, n); id == "" || problem != nil {
			return nil, at, problem
		}
	}
	seen := deploymentKey{key: k, id: id}
	doubtful, _ := f.hinted.get(k)
	if last, ok := f.deployments.get(seen); ok && at.Sub(last.at) < f.options.Fast*4/5 && last.at.After(doubtful) {
		return last.deployment, last.at, nil
	}
	found, problem := f.describeDeployment(ctx, k, id)
	if found == nil || problem != nil {
		return nil, at, problem
	}
	d = projectServiceDeployment(found)
	if target := found.TargetServiceRevision; target != nil && target.Arn != nil {
		revisions, problem := f.serviceRevisions(ctx, k, []string{text(target.Arn)}, serviceRevision.resolved)
		if problem != nil {
			return nil, at, problem
		}
		if r, ok := revisions[*target.Arn]; ok {
			d.Revision = r.taskDefinition
			d.Digests = digests(r.images)
		}
	}
	f.deployments.put(seen, seenDeployment{deployment: d, at: at}, 1)
	return d, at, nil
}

func projectServiceDeployment(found *types.ServiceDeployment) *rollout.ServiceDeployment {
	d := &rollout.ServiceDeployment{
		ID:      strings.Clone(lastElement(aws.ToString(found.ServiceDeploymentArn))),
		Status:  strings.Clone(string(found.Status)),
		Reason:  text(found.StatusReason),
		Created: aws.ToTime(found.CreatedAt),
		// A value that the SDK does not know is the text that AWS sent.
		Stage:      strings.Clone(string(found.LifecycleStage)),
		Finished:   aws.ToTime(found.FinishedAt),
		Weight:     -1,
		TestWeight: -1,
	}
	if t := found.TargetServiceRevision; t != nil {
		d.Weight, d.TestWeight = percent(t.RequestedProductionTrafficWeight), percent(t.RequestedTestTrafficWeight)
	}
	for _, h := range found.LifecycleHookDetails {
		d.Hooks = append(d.Hooks, rollout.Hook{
			ID:      text(h.HookId),
			Kind:    strings.Clone(string(h.TargetType)),
			Status:  strings.Clone(string(h.Status)),
			Expires: aws.ToTime(h.ExpiresAt),
			Then:    strings.Clone(string(h.TimeoutAction)),
		})
	}
	if found.Alarms != nil {
		for _, name := range found.Alarms.TriggeredAlarmNames {
			d.Alarms = append(d.Alarms, strings.Clone(name))
		}
	}
	if b := found.DeploymentCircuitBreaker; b != nil {
		d.BreakerTriggered = b.Status == types.ServiceDeploymentRollbackMonitorsStatusTriggered
		d.FailedTasks, d.Threshold = b.FailureCount, b.Threshold
	}
	if found.Rollback != nil {
		d.RollbackReason = text(found.Rollback.Reason)
	}
	return d
}

// percent is a weight as a whole number, -1 where there is none. Whatever gets some traffic, and
// whatever does not get all, says so.
func percent(weight *float64) int32 {
	switch {
	case weight == nil || math.IsNaN(*weight):
		return -1
	case *weight > 0 && *weight < 1:
		return 1
	case *weight > 99 && *weight < 100:
		return 99
	}
	return int32(math.Round(min(max(*weight, 0), 100)))
}

// digests are the known digests by container, nil when none is known.
func digests(images map[string]RunningImage) map[string]string {
	var known map[string]string
	for container, i := range images {
		if i.Digest == "" {
			continue
		}
		if known == nil {
			known = map[string]string{}
		}
		known[container] = i.Digest
	}
	return known
}

// findDeployment is the id of the first service deployment since n.Since that brings
// n.Revision. Those that AWS's clock puts shortly before come second, the nearest first; one that
// had ended by then is another: the same revision, deployed before.
func (f *Fleet) findDeployment(ctx context.Context, k Key, n rollout.Need) (string, *rollout.Problem) {
	briefs, problem := f.listDeployments(ctx, k, n.Since.Add(-clockSkew))
	if problem != nil {
		return "", problem
	}
	briefs = slices.DeleteFunc(briefs, func(b types.ServiceDeploymentBrief) bool {
		return b.FinishedAt != nil && b.FinishedAt.Before(n.Since)
	})
	distance := func(b types.ServiceDeploymentBrief) time.Duration {
		d := aws.ToTime(b.CreatedAt).Sub(n.Since)
		if d < 0 {
			return 24*365*time.Hour - d
		}
		return d
	}
	slices.SortStableFunc(briefs, func(a, b types.ServiceDeploymentBrief) int { return cmp.Compare(distance(a), distance(b)) })
	var arns []string
	for _, b := range briefs {
		if arn := text(b.TargetServiceRevisionArn); arn != "" {
			arns = append(arns, arn)
		}
	}
	revisions, problem := f.serviceRevisions(ctx, k, arns, serviceRevision.told)
	if problem != nil {
		return "", problem
	}
	for _, b := range briefs {
		if revisions[aws.ToString(b.TargetServiceRevisionArn)].taskDefinition == n.Revision {
			return strings.Clone(lastElement(aws.ToString(b.ServiceDeploymentArn))), nil
		}
	}
	return "", nil
}

// listDeployments are the service deployments created after a time. The SDK has no paginator
// for them.
func (f *Fleet) listDeployments(ctx context.Context, k Key, after time.Time) ([]types.ServiceDeploymentBrief, *rollout.Problem) {
	s := f.session(k.Identity, k.Region)
	var briefs []types.ServiceDeploymentBrief
	var token *string
	for range deploymentPages {
		out, problem := read(ctx, f, s, listServiceDeployments, fmt.Sprintf("listing deployments of service %s", k.Location()),
			func(ctx context.Context) (*ecs.ListServiceDeploymentsOutput, error) {
				return s.ecs.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{
					Cluster:    aws.String(k.Cluster),
					Service:    aws.String(k.Service),
					CreatedAt:  &types.CreatedAt{After: aws.Time(after)},
					MaxResults: aws.Int32(100),
					NextToken:  token,
				})
			})
		if problem != nil {
			return nil, problem
		}
		briefs = append(briefs, out.ServiceDeployments...)
		if token = out.NextToken; token == nil {
			break
		}
	}
	return briefs, nil
}

// describeDeployment is nil when ECS has no such deployment.
func (f *Fleet) describeDeployment(ctx context.Context, k Key, id string) (*types.ServiceDeployment, *rollout.Problem) {
	s := f.session(k.Identity, k.Region)
	out, problem := read(ctx, f, s, describeServiceDeployments, fmt.Sprintf("describing deployment %s of service %s", id, k.Location()),
		func(ctx context.Context) (*ecs.DescribeServiceDeploymentsOutput, error) {
			arn := s.deploymentARN(k, id)
			return s.ecs.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{arn}})
		})
	if problem != nil || len(out.ServiceDeployments) == 0 {
		return nil, problem
	}
	return &out.ServiceDeployments[0], nil
}

// serviceRevisions describes revisions of a service, by their ARNs. Those that ECS does not
// know any more are left out. One that was seen before, but does not say enough yet, is described
// again.
func (f *Fleet) serviceRevisions(ctx context.Context, k Key, arns []string, enough func(serviceRevision) bool) (map[string]serviceRevision, *rollout.Problem) {
	known := map[string]serviceRevision{}
	unknown := map[string]bool{}
	for _, arn := range arns {
		if r, ok := f.targets.get(targetKey{identity: k.Identity, arn: arn}); ok && enough(r) {
			known[arn] = r
		} else {
			unknown[arn] = true
		}
	}
	s := f.session(k.Identity, k.Region)
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(unknown)), revisionsPerCall) {
		out, problem := read(ctx, f, s, describeServiceRevisions, fmt.Sprintf("describing revisions of service %s", k.Location()),
			func(ctx context.Context) (*ecs.DescribeServiceRevisionsOutput, error) {
				return s.ecs.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: chunk})
			})
		if problem != nil {
			return nil, problem
		}
		for i := range out.ServiceRevisions {
			arn := text(out.ServiceRevisions[i].ServiceRevisionArn)
			r := projectServiceRevision(&out.ServiceRevisions[i])
			f.targets.put(targetKey{identity: k.Identity, arn: arn}, r, 1)
			known[arn] = r
		}
	}
	return known, nil
}

func projectServiceRevision(found *types.ServiceRevision) serviceRevision {
	r := serviceRevision{
		taskDefinition: revisionOf(aws.ToString(found.TaskDefinition)),
		created:        aws.ToTime(found.CreatedAt),
		images:         map[string]RunningImage{},
		balancers:      projectBalancing(found.LoadBalancers, found.ResolvedConfiguration),
	}
	for _, i := range found.ContainerImages {
		r.images[text(i.ContainerName)] = RunningImage{Image: text(i.Image), Digest: text(i.ImageDigest)}
	}
	return r
}

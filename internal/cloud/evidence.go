package cloud

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

const (
	// evidencePieces is how long each list of the evidence is at most.
	evidencePieces = 3
	// stoppedPages is how many pages of stopped tasks one look goes through at most.
	stoppedPages = 5
	// containersTold is of how many containers of a task it is told how they ended.
	containersTold = 10
)

// EvidenceQuery names the deployment whose failure is to be explained.
type EvidenceQuery struct {
	// Revision is what it brings, as family:revision.
	Revision string
	// Primary is its id (ecs-svc/…) among the service's deployments; "" where not known.
	Primary string
	// Since is when it began.
	Since time.Time
	// Until is when events are no more of interest that name no deployment; zero: never.
	Until time.Time
}

// Evidence looks up why a deployment of a service failed: its stopped tasks, which ECS forgets
// after an hour, the events of the service since it began, and targets of it that are unhealthy
// now. at is when the look began. What AWS definitely will not tell, for lack of a permission say,
// is left out and logged; there is a problem, and no evidence, only where asking again may help.
func (f *Fleet) Evidence(ctx context.Context, k Key, q EvidenceQuery) (found *rollout.Evidence, at time.Time, problem *rollout.Problem) {
	found, at = &rollout.Evidence{}, time.Now()
	hide := func(text string) string { return text }
	for _, look := range []func() *rollout.Problem{
		func() *rollout.Problem {
			document, problem := f.TaskDefinition(ctx, k.Identity, k.Region, q.Revision)
			if problem == nil {
				hide = document.WithoutValues
			}
			return problem
		},
		func() *rollout.Problem {
			tasks, problem := f.tasks(ctx, k, types.DesiredStatusStopped, stoppedPages)
			found.Tasks = stoppedTasks(tasks, q, hide)
			return problem
		},
		func() *rollout.Problem {
			service, problem := f.describeService(ctx, k)
			if problem == nil {
				found.Events = troubles(service.Events, q, hide)
			}
			return problem
		},
		func() *rollout.Problem {
			health, problem := f.TargetHealth(ctx, k, q.Revision, at)
			found.Targets = slices.DeleteFunc(slices.Clone(health.Unhealthy), func(t ecsv1alpha1.UnhealthyTarget) bool { return !isUnhealthy(t.State) })
			found.Targets = found.Targets[:min(len(found.Targets), evidencePieces)]
			return problem
		},
	} {
		switch problem := look(); {
		case problem == nil:
		case problem.Delay():
			return nil, at, problem
		default:
			f.logger(ctx).Info("A part of the evidence is left out", "account", k.Identity.AccountID, "region", k.Region,
				"cluster", k.Cluster, "service", k.Service, "why", problem.Message)
		}
	}
	return found, at, nil
}

// Events are the events of a service that tell of trouble with a deployment, as Evidence has them. There are none
// without the task definition: the values that it gives its containers are taken out of what events say.
func (f *Fleet) Events(ctx context.Context, k Key, q EvidenceQuery) ([]ecsv1alpha1.ServiceEvent, *rollout.Problem) {
	document, problem := f.TaskDefinition(ctx, k.Identity, k.Region, q.Revision)
	if problem != nil {
		return nil, problem
	}
	service, problem := f.describeService(ctx, k)
	if problem != nil {
		return nil, problem
	}
	return troubles(service.Events, q, document.WithoutValues), nil
}

// stoppedTasks are the tasks of the deployment that stopped of themselves, the last first. Of more
// than there is room for, they are the last of each kind.
func stoppedTasks(tasks []types.Task, q EvidenceQuery, hide func(string) string) []ecsv1alpha1.StoppedTask {
	ours := slices.DeleteFunc(slices.Clone(tasks), func(t types.Task) bool { return !q.started(&t) || isScheduled(&t) })
	slices.SortFunc(ours, func(a, b types.Task) int {
		return cmp.Or(stoppedAt(&b).Compare(stoppedAt(&a)), strings.Compare(aws.ToString(a.TaskArn), aws.ToString(b.TaskArn)))
	})
	var told []ecsv1alpha1.StoppedTask
	for _, i := range telling(len(ours), func(i int) (string, bool) { return ending(&ours[i]), true }) {
		told = append(told, projectStoppedTask(&ours[i], hide))
	}
	return told
}

// started says whether the deployment started the task.
func (q EvidenceQuery) started(t *types.Task) bool {
	if revisionOf(aws.ToString(t.TaskDefinitionArn)) != q.Revision {
		return false
	}
	if by := aws.ToString(t.StartedBy); q.Primary != "" && strings.HasPrefix(by, "ecs-svc/") {
		return by == q.Primary
	}
	return !aws.ToTime(t.CreatedAt).Before(q.Since.Add(-clockSkew))
}

var (
	healthCheck = regexp.MustCompile(`(?i)health ?check`)
	// number is what tells apart two texts that say the same: ids, addresses, digests, counts.
	number = regexp.MustCompile(`[0-9a-fA-F-]{6,}|[0-9]+`)
)

// isScheduled says that ECS stopped the task because it was not needed any more.
func isScheduled(t *types.Task) bool {
	return t.StopCode == types.TaskStopCodeServiceSchedulerInitiated && !healthCheck.MatchString(aws.ToString(t.StoppedReason))
}

// stoppedAt is when the task stopped, or began to.
func stoppedAt(t *types.Task) time.Time {
	for _, at := range []*time.Time{t.StoppedAt, t.ExecutionStoppedAt, t.StoppingAt, t.CreatedAt} {
		if at != nil {
			return *at
		}
	}
	return time.Time{}
}

// ending is how the task ended, the same for tasks that ended the same way.
func ending(t *types.Task) string {
	words := []string{string(t.StopCode), number.ReplaceAllString(aws.ToString(t.StoppedReason), "#")}
	for _, c := range t.Containers {
		code := "-"
		if c.ExitCode != nil {
			code = strconv.Itoa(int(*c.ExitCode))
		}
		words = append(words, aws.ToString(c.Name), code, number.ReplaceAllString(aws.ToString(c.Reason), "#"))
	}
	return strings.Join(words, "\n")
}

// telling chooses, of n pieces that are in order, as many as there is room for: the first of each
// kind, causes before what only follows from them, then others. They stay in order.
func telling(n int, kind func(int) (name string, cause bool)) []int {
	var chosen, consequences, others []int
	kinds := map[string]bool{}
	for i := range n {
		switch name, cause := kind(i); {
		case kinds[name]:
			others = append(others, i)
		case cause:
			kinds[name] = true
			chosen = append(chosen, i)
		default:
			kinds[name] = true
			consequences = append(consequences, i)
		}
	}
	chosen = slices.Concat(chosen, consequences, others)
	chosen = chosen[:min(len(chosen), evidencePieces)]
	slices.Sort(chosen)
	return chosen
}

func projectStoppedTask(t *types.Task, hide func(string) string) ecsv1alpha1.StoppedTask {
	told := ecsv1alpha1.StoppedTask{
		ID:       shorten(lastElement(aws.ToString(t.TaskArn)), 64),
		StopCode: shorten(string(t.StopCode), 64),
		Reason:   hidden(t.StoppedReason, 512, hide),
	}
	if t.StoppedAt != nil {
		told.StoppedAt = metav1.NewTime(*t.StoppedAt)
	}
	containers := slices.Clone(t.Containers)
	// Those that something is wrong with first, if there is no room for all.
	slices.SortStableFunc(containers, func(a, b types.Container) int { return cmp.Compare(wellness(&a), wellness(&b)) })
	for i := range containers[:min(len(containers), containersTold)] {
		c := &containers[i]
		result := ecsv1alpha1.ContainerResult{Container: shorten(aws.ToString(c.Name), 255), Reason: hidden(c.Reason, 512, hide)}
		if c.ExitCode != nil {
			code := *c.ExitCode
			result.ExitCode = &code
		}
		if c.HealthStatus != "" && c.HealthStatus != types.HealthStatusUnknown {
			result.Health = shorten(string(c.HealthStatus), 32)
		}
		told.Results = append(told.Results, result)
	}
	return told
}

// wellness is how well a container of a stopped task was: 0 for one that went wrong.
func wellness(c *types.Container) int {
	switch {
	case aws.ToString(c.Reason) != "", aws.ToInt32(c.ExitCode) != 0, c.HealthStatus == types.HealthStatusUnhealthy:
		return 0
	case c.ExitCode == nil:
		return 1
	}
	return 2
}

// hidden is a text of AWS's on one line, in at most so many bytes, without values of environment
// variables.
func hidden(s *string, most int, hide func(string) string) string {
	text := hide(strings.ToValidUTF8(aws.ToString(s), "\uFFFD"))
	return said(&text, most)
}

// What events say, as far as they follow "Amazon ECS service event messages". Names in them are
// passed over.
var (
	eventNames = regexp.MustCompile(`\((service|target-group|capacity provider) [^)]*\)|^service \S+`)
	business   = regexp.MustCompile(`(?i)has reached a steady state|deployment completed|has (started|stopped) \d+ |has begun draining|registered \d+ targets`)
	trouble    = regexp.MustCompile(`(?i)failed|failure|rolling back|roll back|unable to|could not|can ?not|health check|` +
		`is (un|not )healthy|misconfigured|throttled|unavailable|insufficient|alarm|error|exceeded`)
	// consequence is what ECS says of any deployment that comes to nothing.
	consequence  = regexp.MustCompile(`(?i)rolling back|deployment failed|unable to consistently start`)
	ofDeployment = regexp.MustCompile(`^\W*\(service [^)]*\),? \(deployment (ecs-svc/\d+)\)`)
)

// isTrouble says whether an event tells of trouble.
func isTrouble(message string) bool {
	said := eventNames.ReplaceAllString(message, "")
	return trouble.MatchString(said) && !business.MatchString(said)
}

// troubles are the events since the deployment began that tell of trouble, the last first, less
// those of other deployments. Of more than there is room for, they are the last of each kind, and
// rather those that tell why than those that tell what came of it.
func troubles(events []types.ServiceEvent, q EvidenceQuery, hide func(string) string) []ecsv1alpha1.ServiceEvent {
	ours := slices.DeleteFunc(slices.Clone(events), func(e types.ServiceEvent) bool {
		message := aws.ToString(e.Message)
		of := ofDeployment.FindStringSubmatch(message)
		at := aws.ToTime(e.CreatedAt)
		switch {
		case at.Before(q.Since.Add(-clockSkew)), !isTrouble(message):
			return true
		case of != nil:
			return q.Primary != "" && of[1] != q.Primary
		default:
			return !q.Until.IsZero() && !at.Before(q.Until)
		}
	})
	slices.SortStableFunc(ours, func(a, b types.ServiceEvent) int { return aws.ToTime(b.CreatedAt).Compare(aws.ToTime(a.CreatedAt)) })
	var told []ecsv1alpha1.ServiceEvent
	for _, i := range telling(len(ours), func(i int) (string, bool) {
		message := aws.ToString(ours[i].Message)
		return number.ReplaceAllString(message, "#"), !consequence.MatchString(message)
	}) {
		told = append(told, ecsv1alpha1.ServiceEvent{At: metav1.NewTime(aws.ToTime(ours[i].CreatedAt)), Message: hidden(ours[i].Message, 512, hide)})
	}
	return told
}

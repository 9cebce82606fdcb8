package cloud

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/rollout"
)

const broken = "docker.io/library/nginx:broken"

// failing deploys a broken image over a service that runs, lets time pass, and returns the
// evidence.
func (w *world) failing(s seed.Service, b awssim.ImageBehavior, wait time.Duration) *rollout.Evidence {
	w.t.Helper()
	b.Image = broken
	w.sim.SetImageBehavior(b)
	base := w.service(s)
	w.settle()
	k, revision := w.key(s.Name), w.next(base, broken)
	_, updated := w.deploy(k, revision)
	time.Sleep(wait)
	began := time.Now()
	found, at, problem := w.fleet.Evidence(w.t.Context(), k, EvidenceQuery{Revision: revision, Primary: updated.Primary, Since: updated.At})
	noProblem(w.t, problem)
	if at.Before(began) {
		w.t.Errorf("the look is said to have begun at %s, before %s", at, began)
	}
	return found
}

// spelled is evidence as one reads it.
func spelled(e *rollout.Evidence) string {
	var lines []string
	for _, t := range e.Tasks {
		line := "task " + t.StopCode + ": " + t.Reason
		for _, r := range t.Results {
			code := "-"
			if r.ExitCode != nil {
				code = fmt.Sprint(*r.ExitCode)
			}
			line += strings.TrimRight(fmt.Sprintf(" | %s %s %s %s", r.Container, code, r.Health, r.Reason), " ")
		}
		lines = append(lines, line)
	}
	for _, event := range e.Events {
		lines = append(lines, "event "+event.Message)
	}
	for _, t := range e.Targets {
		lines = append(lines, "target "+t.TargetGroup+" "+t.State+" "+t.Reason)
	}
	return strings.Join(lines, "\n")
}

func TestTheEvidenceIsWhatAPersonWouldLookUp(t *testing.T) {
	for name, c := range map[string]struct {
		behavior awssim.ImageBehavior
		balanced bool
		wait     time.Duration
		says     []string
	}{
		"a container that exits": {
			behavior: awssim.ImageBehavior{Kind: awssim.ImageCrash, ExitCode: 42, AfterSeconds: 5}, wait: 10 * time.Minute,
			says: []string{"task EssentialContainerExited: Essential container in task exited | backend 42", "deployment failed: tasks failed to start"},
		},
		"a container without memory": {
			behavior: awssim.ImageBehavior{Kind: awssim.ImageOutOfMemory, AfterSeconds: 5}, wait: 10 * time.Minute,
			says: []string{"backend 137", "OutOfMemoryError"},
		},
		"an image that cannot be pulled": {
			behavior: awssim.ImageBehavior{Kind: awssim.ImagePullFail}, wait: 10 * time.Minute,
			says: []string{"task TaskFailedToStart: CannotPullContainerError", "| backend -"},
		},
		"a health check that fails": {
			behavior: awssim.ImageBehavior{Kind: awssim.ImageUnhealthy, Check: "container"}, wait: 20 * time.Minute,
			says: []string{"task ServiceSchedulerInitiated: Task failed container health checks", "event (service backend) (task "},
		},
		"a load balancer's health check that fails": {
			behavior: awssim.ImageBehavior{Kind: awssim.ImageUnhealthy, Check: "elb"}, balanced: true, wait: 20 * time.Minute,
			says: []string{"task ServiceSchedulerInitiated: Task failed ELB health checks in (target-group", "is unhealthy in (target-group"},
		},
		"a target that is unhealthy now": {
			behavior: awssim.ImageBehavior{Kind: awssim.ImageUnhealthy, Check: "elb"}, balanced: true, wait: 2 * time.Minute,
			says: []string{"target helium-backend unhealthy Target."},
		},
		"no place": {
			behavior: awssim.ImageBehavior{Kind: awssim.ImagePlacementFail}, wait: 10 * time.Minute,
			says: []string{"was unable to place a task"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				s := seed.Service{Name: "backend", Desired: 2}
				if c.balanced {
					s.Balanced = w.balancer(seed.Balancer{Name: "helium-backend"})
					if c.wait < 5*time.Minute {
						s.GraceSeconds = 3600
					}
				}
				found := w.failing(s, c.behavior, c.wait)
				got := spelled(found)
				for _, words := range c.says {
					if !strings.Contains(got, words) {
						t.Errorf("evidence is\n%s\nwanted it to say %q", got, words)
					}
				}
				for _, words := range []string{"steady state", "deployment completed", "has started", "Scaling activity"} {
					if strings.Contains(got, words) {
						t.Errorf("evidence is\n%s\nwanted nothing of %q", got, words)
					}
				}
				for i := 1; i < len(found.Tasks); i++ {
					if found.Tasks[i-1].StoppedAt.Time.Before(found.Tasks[i].StoppedAt.Time) {
						t.Errorf("task %d stopped before task %d, wanted the last first", i-1, i)
					}
				}
				if len(found.Tasks) > 3 || len(found.Events) > 3 || len(found.Targets) > 3 {
					t.Errorf("there are %d tasks, %d events, %d targets, wanted at most three of each", len(found.Tasks), len(found.Events), len(found.Targets))
				}
			})
		})
	}
}

func TestTasksOfOtherDeploymentsAreNoEvidence(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.sim.SetImageBehavior(awssim.ImageBehavior{Kind: awssim.ImageCrash, ExitCode: 42, AfterSeconds: 5, Image: broken})
		base := w.service(seed.Service{Name: "backend", Desired: 2})
		w.settle()
		k, revision := w.key("backend"), w.next(base, broken)
		_, first := w.deploy(k, revision)
		w.settle()
		since := time.Now()
		for name, q := range map[string]EvidenceQuery{
			"another deployment of the revision":     {Revision: revision, Primary: "ecs-svc/1111111111111111111", Since: first.At},
			"a later one, whose id is not known":     {Revision: revision, Since: since},
			"the revision that was there before":     {Revision: base, Since: first.At},
			"one of a revision that never was":       {Revision: "helium-backend:99", Since: first.At},
			"one of another family with that number": {Revision: "helium:2", Since: first.At},
		} {
			found, _, problem := w.fleet.Evidence(t.Context(), k, q)
			noProblem(t, problem)
			if len(found.Tasks) != 0 {
				t.Errorf("of %s there are tasks:\n%s", name, spelled(found))
			}
		}
		found, _, problem := w.fleet.Evidence(t.Context(), k, EvidenceQuery{Revision: revision, Since: first.At})
		noProblem(t, problem)
		if len(found.Tasks) != 3 {
			t.Errorf("of the deployment itself there are %d tasks, wanted three", len(found.Tasks))
		}
	})
}

func TestEvidenceHoldsNoValueOfAnEnvironmentVariable(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		found := w.failing(
			seed.Service{Name: "backend", Desired: 1, Environment: map[string]string{"PASSWORD": "canary-4711", "REGION": "docker.io"}},
			awssim.ImageBehavior{Kind: awssim.ImagePullFail, Message: "CannotPullContainerError: docker.io says canary-4711\nis wrong"}, 10*time.Minute)
		got := spelled(found)
		if strings.Contains(got, "canary-4711") || !strings.Contains(got, "CannotPullContainerError: docker.io says … is wrong") {
			t.Errorf("evidence is\n%s", got)
		}
	})
}

// What may not be read is left out; what cannot be read now is asked for again.
func TestEvidenceIsWhatCanBeHad(t *testing.T) {
	for name, c := range map[string]struct {
		operation string
		fault     awssim.Fault
		class     rollout.ProblemClass // "": no problem
	}{
		"target groups may not be read": {"DescribeTargetHealth", awssim.Fault{Error: &awssim.FaultError{Status: 403, Code: "AccessDenied", Message: "no"}}, ""},
		"tasks may not be read":         {"ListTasks", awssim.Fault{Error: &awssim.FaultError{Status: 400, Code: "AccessDeniedException", Message: "no"}}, ""},
		"the quota is used up":          {"DescribeTasks", awssim.Fault{Throttle: true}, rollout.ProblemThrottled},
		"ECS is down":                   {"DescribeServices", awssim.Fault{Error: &awssim.FaultError{Status: 500, Code: "ServerException", Message: "oops"}}, rollout.ProblemTransient},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.sim.SetImageBehavior(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: broken})
				base := w.service(seed.Service{Name: "backend", Desired: 1, Balanced: w.balancer(seed.Balancer{Name: "helium-backend"})})
				w.settle()
				k, revision := w.key("backend"), w.next(base, broken)
				_, updated := w.deploy(k, revision)
				w.settle()
				c.fault.Operation = c.operation
				w.fault(c.fault)
				found, _, problem := w.fleet.Evidence(t.Context(), k, EvidenceQuery{Revision: revision, Primary: updated.Primary, Since: updated.At})
				switch {
				case c.class != "" && (problem == nil || problem.Class != c.class || found != nil):
					t.Errorf("problem is %v with evidence %v, wanted %s", problem, found, c.class)
				case c.class == "" && problem != nil:
					t.Errorf("problem is %s, wanted the rest of the evidence", problem.Message)
				case c.class == "" && len(found.Tasks)+len(found.Events) == 0:
					t.Error("there is no evidence, wanted the rest of it")
				}
			})
		})
	}
}

func TestEvidenceKeepsWhatIsTelling(t *testing.T) {
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	task := func(id string, minute int, code types.TaskStopCode, reason string, containers ...types.Container) types.Task {
		return types.Task{
			TaskArn: aws.String("arn:aws:ecs:r:1:task/c/" + id), TaskDefinitionArn: aws.String("arn:aws:ecs:r:1:task-definition/f:2"), StartedBy: aws.String("ecs-svc/7"),
			CreatedAt: aws.Time(began), StoppedAt: aws.Time(began.Add(time.Duration(minute) * time.Minute)), StopCode: code, StoppedReason: &reason, Containers: containers,
		}
	}
	exited := func(name string, code int32) types.Container { return types.Container{Name: &name, ExitCode: &code} }
	ids := func(tasks []ecsv1alpha1.StoppedTask) string {
		var ids []string
		for _, t := range tasks {
			ids = append(ids, t.ID)
		}
		return strings.Join(ids, " ")
	}
	q := EvidenceQuery{Revision: "f:2", Primary: "ecs-svc/7", Since: began}
	same := func(text string) string { return text }
	exit := types.TaskStopCodeEssentialContainerExited
	for name, c := range map[string]struct {
		tasks []types.Task
		want  string
	}{
		"the last of one kind": {
			[]types.Task{task("a", 1, exit, "x", exited("app", 1)), task("b", 3, exit, "x", exited("app", 1)), task("c", 2, exit, "x", exited("app", 1)), task("d", 4, exit, "x", exited("app", 1))},
			"d b c",
		},
		"one of each kind before a second": {
			[]types.Task{task("a", 9, exit, "x", exited("app", 1)), task("b", 8, exit, "x", exited("app", 1)), task("c", 7, exit, "x", exited("app", 1)), task("d", 1, exit, "x", exited("app", 137))},
			"a b d",
		},
		"ids do not make a kind": {
			[]types.Task{task("a", 9, exit, "(task 0123456789abcdef) died"), task("b", 8, exit, "(task fedcba9876543210) died"), task("c", 7, exit, "(task 00000000) died"), task("d", 1, exit, "it was full")},
			"a b d",
		},
		"nothing that was scaled in": {
			[]types.Task{task("a", 1, types.TaskStopCodeServiceSchedulerInitiated, "Scaling activity initiated by (deployment ecs-svc/7)"), task("b", 2, types.TaskStopCodeServiceSchedulerInitiated, "Task failed container health checks"), task("c", 3, types.TaskStopCodeServiceSchedulerInitiated, "Task failed ELB health checks in (target-group x)")},
			"c b",
		},
		"what a person or the capacity ended": {
			[]types.Task{task("a", 1, types.TaskStopCodeUserInitiated, "stopped by hand"), task("b", 2, types.TaskStopCodeSpotInterruption, "spot")},
			"b a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ids(stoppedTasks(c.tasks, q, same)); got != c.want {
				t.Errorf("tasks are %q, wanted %q", got, c.want)
			}
		})
	}

	t.Run("all within the bounds of the API", func(t *testing.T) {
		long := strings.Repeat("ä\xff", 4000)
		var containers []types.Container
		for i := range 30 {
			containers = append(containers, types.Container{Name: aws.String(fmt.Sprintf("%s%d", strings.Repeat("n", 300), i)), Reason: &long, HealthStatus: types.HealthStatus(long)})
		}
		containers = append(containers, exited("sound", 0))
		told := stoppedTasks([]types.Task{task(strings.Repeat("i", 100), 1, types.TaskStopCode(long), long, containers...)}, q, same)[0]
		if len(told.ID) > 64 || len(told.StopCode) > 64 || len(told.Reason) > 512 || len(told.Results) != 10 || !utf8.ValidString(told.Reason) {
			t.Errorf("a task has an id of %d bytes, a reason of %d, %d results", len(told.ID), len(told.Reason), len(told.Results))
		}
		for _, r := range told.Results {
			if len(r.Container) > 255 || len(r.Reason) > 512 || len(r.Health) > 32 || !utf8.ValidString(r.Reason) || r.Container == "sound" {
				t.Errorf("a result has a name of %d bytes, a reason of %d", len(r.Container), len(r.Reason))
			}
		}
		events := troubles([]types.ServiceEvent{{CreatedAt: aws.Time(began), Message: aws.String("unable to " + long)}}, q, same)
		if len(events) != 1 || len(events[0].Message) > 512 || !utf8.ValidString(events[0].Message) {
			t.Errorf("events are %v", events)
		}
	})
}

func TestOnlyEventsOfTroubleAreEvidence(t *testing.T) {
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	q := EvidenceQuery{Primary: "ecs-svc/7", Since: began}
	for message, want := range map[string]bool{
		"(service backend) (deployment ecs-svc/7) deployment failed: tasks failed to start.":                                           true,
		"(service backend) (deployment ecs-svc/8) deployment failed: tasks failed to start.":                                           false,
		"(service backend) rolling back to deployment ecs-svc/6.":                                                                      true,
		"(service backend), rolling back to (deployment ecs-svc/6).":                                                                   true,
		"(service backend) is unable to consistently start tasks successfully. For more information, see the Troubleshooting section.": true,
		"(service backend) was unable to place a task because no container instance met all of its requirements.":                      true,
		"(service backend) was unable to stop or start tasks during a deployment because of the service deployment configuration.":     true,
		"(service backend) (task 0123) (port 8080) is unhealthy in (target-group arn:aws:x) due to (reason Request timed out)":         true,
		"(service backend) (task 0123) failed container health checks.":                                                                true,
		"(service backend) operations are being throttled on elb. Will try again later.":                                               true,
		"service backend could not launch 2 tasks for deployment ecs-svc/7":                                                            true,
		"(service backend) failed to register targets in (target-group x) with (error Target group not found)":                         true,
		"(service backend) has reached a steady state.":                                                                                false,
		"(service failed-unable-error) has reached a steady state.":                                                                    false,
		"(service error-handler) has started 2 tasks: (task 0123) (task 4567).":                                                        false,
		"service error-handler registered 1 targets in (target-group error)":                                                           false,
		"(service error-handler) has begun draining connections on 1 tasks.":                                                           false,
		"(service backend) (deployment ecs-svc/7) deployment completed.":                                                               false,
		"(service backend) has stopped 1 running tasks: (task 0123).":                                                                  false,
	} {
		for at, counts := range map[time.Time]bool{began.Add(time.Minute): true, began.Add(-time.Minute): false} {
			got := len(troubles([]types.ServiceEvent{{CreatedAt: aws.Time(at), Message: &message}}, q, func(s string) string { return s })) > 0
			if got != (want && counts) {
				t.Errorf("%q of %s counts as trouble: %v", message, at.Sub(began), got)
			}
		}
	}
}

func TestLateEventsAreThoseThatNameTheDeployment(t *testing.T) {
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	until := began.Add(time.Minute)
	const named, unnamed = "(service backend) (deployment ecs-svc/7) deployment failed: tasks failed to start.", "(service backend) (task 0123) failed container health checks."
	for _, c := range []struct {
		until   time.Time
		at      time.Time
		message string
		counts  bool
	}{
		{until, until.Add(-time.Millisecond), unnamed, true},
		{until, until, unnamed, false},
		{until, until, named, true},
		{time.Time{}, until, unnamed, true},
	} {
		q := EvidenceQuery{Primary: "ecs-svc/7", Since: began, Until: c.until}
		got := len(troubles([]types.ServiceEvent{{CreatedAt: &c.at, Message: &c.message}}, q, func(s string) string { return s })) > 0
		if got != c.counts {
			t.Errorf("until %s, %q of %s counts: %t, wanted %t", c.until, c.message, c.at, got, c.counts)
		}
	}
}

// The documented policy is enough for all that a person would look up and all that a rollback does.
func TestTheDocumentedPolicyAllowsEvidenceAndRollbacks(t *testing.T) {
	policy, err := os.ReadFile(filepath.Join("..", "..", "config", "iam", "policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	inWorld(t, func(t *testing.T, w *world) {
		s := seed.Service{Cluster: "helium-mumbai-cluster", Name: "backend", Desired: 1, Balanced: w.balancer(seed.Balancer{Name: "helium-backend"})}
		s.Image, s.ExecutionRole = "docker.io/library/nginx:1", "arn:aws:iam::"+account+":role/helium-execution"
		base, err := s.Create(t.Context(), w.ecs())
		if err != nil {
			t.Fatal(err)
		}
		base = lastElement(base)
		w.settle()
		revision := w.next(base, "docker.io/library/nginx:2")
		w.id = w.role("documented", []json.RawMessage{policy})
		k := w.key("backend")
		k.Cluster = s.Cluster
		id, updated := w.deploy(k, revision)
		if problem := asProblem(t, w.fleet.Continue(t.Context(), k, id, "nohook", false)); problem.Class == rollout.ProblemDenied {
			t.Error(problem.Message)
		}
		if err := w.fleet.Stop(t.Context(), k, id); err != nil {
			t.Error(err)
		}
		_, _, problem := w.fleet.Evidence(t.Context(), k, EvidenceQuery{Revision: revision, Primary: updated.Primary, Since: updated.At})
		noProblem(t, problem)
		_, problem = w.fleet.TargetHealth(t.Context(), k, base, time.Now())
		noProblem(t, problem)
		_, problem = w.fleet.Fronts(t.Context(), k)
		noProblem(t, problem)
		allowed := map[string]bool{}
		for _, a := range w.sim.Summary().Actions {
			if strings.Contains(a.Principal, "documented") {
				allowed[a.Action] = allowed[a.Action] || a.Allowed > 0
				if a.Denied > 0 {
					t.Errorf("%s was denied %d times", a.Action, a.Denied)
				}
			}
		}
		for _, action := range []string{
			"ecs:StopServiceDeployment", "ecs:ContinueServiceDeployment", "ecs:ListTasks", "ecs:DescribeTasks", "ecs:DescribeServices",
			"elasticloadbalancing:DescribeTargetHealth", "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeLoadBalancers",
		} {
			if !allowed[action] {
				t.Errorf("%s was not used", action)
			}
		}
	})
}

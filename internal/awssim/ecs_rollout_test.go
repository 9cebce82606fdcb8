package awssim

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

const (
	v1 = "registry.example.com/web:v1"
	v2 = "registry.example.com/web:v2"
	v3 = "registry.example.com/web:v3"
)

var updateStories = flag.Bool("update-stories", false, "write testdata/stories as the simulator tells them")

// tells compares the service's story and events with testdata/stories/<name>.txt.
// A line is: task definition, running/desired+pending of the service | the same of each of
// its deployments | status of the newest service deployment.
func (w *ecsTestWorld) tells(name, story string) {
	w.Helper()
	got := story + "\n" + w.messages()
	path := filepath.Join("testdata", "stories", name+".txt")
	if *updateStories {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			w.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			w.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		w.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		w.Error(diff)
	}
}

func TestAGoodRolloutShowsOldAndNewSideBySide(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 2)
		w.settle()
		w.update(w.register(v2))
		w.tells("good-rollout", w.watch())
		sd := w.latest()
		if sd.Status != types.ServiceDeploymentStatusSuccessful || sd.FinishedAt == nil || sd.TargetServiceRevision.RunningTaskCount != 2 {
			t.Errorf("service deployment: %+v", sd)
		}
	})
}

func TestUpdateServiceAnswersWithZeroCountsWhileTheServiceKeepsItsOwn(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 2)
		w.settle()
		s := w.update(w.register(v2))
		p := s.Deployments[0]
		if *p.Status != "PRIMARY" || p.DesiredCount != 0 || p.RunningCount != 0 || p.PendingCount != 0 {
			t.Errorf("primary: %+v", p)
		}
		if s.RunningCount != 2 || s.DesiredCount != 2 || revisionOf(s.TaskDefinition) != "web:2" {
			t.Errorf("service: %s %d/%d", *s.TaskDefinition, s.RunningCount, s.DesiredCount)
		}
		number := strings.TrimPrefix(*p.Id, "ecs-svc/")
		if len(number) != 19 || !strings.HasSuffix(*s.CurrentServiceRevisions[0].Arn, "/"+number) {
			t.Errorf("deployment %s, revision %s", *p.Id, *s.CurrentServiceRevisions[0].Arn)
		}
		if s.CurrentServiceDeployment != nil {
			t.Errorf("currentServiceDeployment is %s", *s.CurrentServiceDeployment)
		}
	})
}

func TestACrashingImageTripsTheBreakerAndRollsBackOnTheSameServiceDeployment(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 2, breaker(true))
		before := w.settle().Deployments[0]
		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v2", Kind: ImageCrash, ExitCode: 3})
		w.update(w.register(v2))
		ours := *w.latest().ServiceDeploymentArn
		w.tells("rollback", w.watch())
		s, sd := w.service(), w.latest()
		if *sd.ServiceDeploymentArn != ours || len(w.deployments()) != 2 {
			t.Error("the rollback has a service deployment of its own")
		}
		if *s.Deployments[0].Id != *before.Id || *s.TaskDefinition != *before.TaskDefinition {
			t.Errorf("back on %s %s, want %s", *s.Deployments[0].Id, *s.TaskDefinition, *before.Id)
		}
		if sd.Rollback == nil || !strings.HasSuffix(*sd.Rollback.ServiceRevisionArn, strings.TrimPrefix(*before.Id, "ecs-svc")) {
			t.Errorf("rollback: %+v", sd.Rollback)
		}
		if b := sd.DeploymentCircuitBreaker; b.Status != types.ServiceDeploymentRollbackMonitorsStatusTriggered || b.FailureCount != 3 || b.Threshold != 3 {
			t.Errorf("breaker: %+v", b)
		}
		for _, task := range w.tasks(types.DesiredStatusStopped) {
			if revisionOf(task.TaskDefinitionArn) != "web:2" || task.StopCode == types.TaskStopCodeServiceSchedulerInitiated {
				continue
			}
			if task.StopCode != types.TaskStopCodeEssentialContainerExited || aws.ToInt32(task.Containers[0].ExitCode) != 3 {
				t.Errorf("stopped task: %s, exit code %d", task.StopCode, aws.ToInt32(task.Containers[0].ExitCode))
			}
		}
	})
}

func TestWithoutRollbackTheBreakerLeavesTheFailedDeploymentPrimary(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1, breaker(false))
		w.settle()
		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v2", Kind: ImagePullFail})
		w.update(w.register(v2))
		w.tells("breaker-without-rollback", w.watch())
		if sd := w.latest(); sd.StoppedAt == nil || sd.DeploymentCircuitBreaker.Status != types.ServiceDeploymentRollbackMonitorsStatusTriggered {
			t.Errorf("service deployment: %+v", sd)
		}
	})
}

func TestWithNothingToGoBackToAFailedFirstDeploymentIsStalled(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v1", Kind: ImageUnhealthy})
		w.create(w.register(v1), 1, breaker(true))
		w.tells("nothing-to-go-back-to", w.watch())
		sd := w.latest()
		if sd.Status != types.ServiceDeploymentStatusRollbackFailed || *sd.StatusReason != "No rollback candidate was found to run the rollback." {
			t.Errorf("%s: %s", sd.Status, aws.ToString(sd.StatusReason))
		}
		w.sim.ClearImageBehaviors()
		w.update(w.register(v2))
		if s := w.settle(); s.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted {
			t.Error("a fixed image does not free the service")
		}
	})
}

func TestWithoutABreakerADeploymentStaysInProgressForEverAndStartsEverMoreRarely(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1)
		w.settle()
		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v2", Kind: ImagePullFail, Message: "CannotPullContainerError: no"})
		w.update(w.register(v2))
		started := func() int { return strings.Count(w.messages(), "has started") }
		time.Sleep(2 * time.Hour)
		before := started()
		time.Sleep(2 * time.Hour)
		if n := started() - before; n < 3 || n > 8 {
			t.Errorf("%d starts in two hours, want one about every 27 minutes", n)
		}
		s := w.service()
		if d := s.Deployments[0]; d.RolloutState != types.DeploymentRolloutStateInProgress || d.FailedTasks < 10 {
			t.Errorf("primary: %s, %d failed", d.RolloutState, d.FailedTasks)
		}
		if s.RunningCount != 1 || len(s.Deployments) != 2 {
			t.Errorf("the old task does not serve on: %s", line(s, w.brief()))
		}
		if !strings.Contains(w.messages(), "is unable to consistently start tasks successfully.") {
			t.Error(w.messages())
		}
		for _, task := range w.tasks(types.DesiredStatusStopped) {
			if task.StopCode != types.TaskStopCodeTaskFailedToStart || *task.StoppedReason != "CannotPullContainerError: no" || task.Containers[0].ExitCode != nil {
				t.Errorf("stopped task: %s %s", task.StopCode, *task.StoppedReason)
			}
		}
	})
}

func TestANewDeploymentSupersedesTheOneInFlight(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 2, breaker(true))
		w.settle()
		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v2", Kind: ImageSlowStart, Seconds: 300})
		w.update(w.register(v2))
		time.Sleep(30 * time.Second)
		w.update(w.register(v3))
		w.tells("superseded", w.watch())
		old := w.deployments()[1]
		if old.Status != types.ServiceDeploymentStatusStopped || old.StoppedAt == nil || old.FinishedAt == nil {
			t.Errorf("superseded service deployment: %s", old.Status)
		}
	})
}

func TestAFailureAfterASupersededRollbackHasNothingToGoBackTo(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1, breaker(true))
		w.settle()
		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v2", Kind: ImageCrash})
		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v3", Kind: ImageCrash})
		w.update(w.register(v2))
		for w.latest().Status != types.ServiceDeploymentStatusRollbackInProgress {
			time.Sleep(time.Second)
		}
		w.update(w.register(v3))
		w.watch()
		if sd := w.latest(); sd.Status != types.ServiceDeploymentStatusRollbackFailed {
			t.Errorf("the new one is %s", sd.Status)
		}
		if sd := w.deployments()[1]; sd.Status != types.ServiceDeploymentStatusStopped {
			t.Errorf("the superseded rollback is %s", sd.Status)
		}
	})
}

func TestFailedHealthChecksTripTheBreaker(t *testing.T) {
	for _, check := range []string{"container", "elb"} {
		t.Run(check, func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				w.create(w.register(v1), 1, breaker(true), w.behind(w.balance(seed.Balancer{Name: "web"})))
				w.settle()
				w.sim.SetImageBehavior(ImageBehavior{Image: "*:v2", Kind: ImageUnhealthy, Check: check})
				w.update(w.register(v2))
				w.tells("unhealthy-"+check, w.watch())
				reason := map[string]string{"container": "Task failed container health checks", "elb": "Task failed ELB health checks in (target-group arn:"}[check]
				found := false
				for _, task := range w.tasks(types.DesiredStatusStopped) {
					found = found || strings.HasPrefix(*task.StoppedReason, reason)
				}
				if !found {
					t.Errorf("no stopped task says %q", reason)
				}
			})
		})
	}
}

func TestOutOfMemoryKillsWithExitCode137(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.sim.SetImageBehavior(ImageBehavior{Kind: ImageOutOfMemory, AfterSeconds: 5})
		w.create(w.register(v1), 1)
		time.Sleep(2 * time.Minute)
		c := w.tasks(types.DesiredStatusStopped)[0].Containers[0]
		if aws.ToInt32(c.ExitCode) != 137 || !strings.HasPrefix(*c.Reason, "OutOfMemoryError") {
			t.Errorf("container: %d %s", aws.ToInt32(c.ExitCode), *c.Reason)
		}
	})
}

func TestAPlacementFailureIsAnEventAndCountsAsAFailedTask(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1, breaker(true))
		w.settle()
		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v2", Kind: ImagePlacementFail})
		w.update(w.register(v2))
		w.tells("unplaceable", w.watch())
	})
}

func TestTheBreakersThresholdFollowsItsConfiguration(t *testing.T) {
	cases := map[string]struct {
		kind           string
		value, desired int
		want           int
	}{
		"half of four is raised to three":       {"BOUNDED_PERCENT", 50, 4, 3},
		"half of nine is rounded up":            {"BOUNDED_PERCENT", 50, 9, 5},
		"half of a thousand is capped":          {"BOUNDED_PERCENT", 50, 1000, 200},
		"an unbounded percentage is not raised": {"UNBOUNDED_PERCENT", 50, 4, 2},
		"nor capped":                            {"UNBOUNDED_PERCENT", 50, 1000, 500},
		"a count is itself":                     {"COUNT", 7, 100, 7},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := (deploymentSettings{thresholdType: c.kind, thresholdValue: c.value}).threshold(c.desired); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestStopServiceDeploymentRollsBackAlsoWithoutABreaker(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1)
		w.settle()
		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v2", Kind: ImageSlowStart, Seconds: 600})
		w.update(w.register(v2))
		time.Sleep(20 * time.Second)
		sd := *w.latest().ServiceDeploymentArn
		stop := func() error {
			_, err := w.client.StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: &sd})
			return err
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if got := w.latest().Status; got != types.ServiceDeploymentStatusRollbackRequested {
			t.Errorf("after the stop: %s", got)
		}
		if err := stop(); err != nil {
			t.Errorf("stopping twice: %v", err)
		}
		w.tells("stopped-by-user", w.watch())
		refused(t, stop(), "ConflictException", "ROLLBACK_SUCCESSFUL")
	})
}

func TestScalingIsNoDeployment(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1)
		before := *w.settle().Deployments[0].Id
		for _, desired := range []int32{3, 1, 0} {
			if _, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
				Cluster: aws.String(testCluster), Service: aws.String("web"), DesiredCount: aws.Int32(desired),
			}); err != nil {
				t.Fatal(err)
			}
			w.watch()
			s := w.service()
			if s.RunningCount != desired || len(s.Deployments) != 1 || *s.Deployments[0].Id != before {
				t.Errorf("scaled to %d: %s", desired, line(s, w.brief()))
			}
		}
	})
}

func TestADesiredCountThatChangesInFlightIsWhatTheDeploymentReaches(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 2)
		w.settle()
		w.update(w.register(v2))
		time.Sleep(20 * time.Second)
		if _, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String(testCluster), Service: aws.String("web"), DesiredCount: aws.Int32(4),
		}); err != nil {
			t.Fatal(err)
		}
		w.tells("scaled-in-flight", w.watch())
	})
}

func TestADeploymentOfNoTasksSucceedsAndResolvesNothing(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 0)
		s := w.settle()
		if w.latest().Status != types.ServiceDeploymentStatusSuccessful || len(w.tasks(types.DesiredStatusRunning)) != 0 {
			t.Error(line(s, w.brief()))
		}
		if d := w.images(*s.CurrentServiceRevisions[0].Arn)[0].ImageDigest; d != nil {
			t.Errorf("digest %s", *d)
		}
	})
}

func (w *ecsTestWorld) images(revision string) []types.ContainerImage {
	w.Helper()
	out, err := w.client.DescribeServiceRevisions(w.Context(), &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{revision}})
	if err != nil || len(out.ServiceRevisions) != 1 {
		w.Fatalf("%+v %v", out, err)
	}
	return out.ServiceRevisions[0].ContainerImages
}

func TestTasksShowTheImageWithTheDigestThatTheRevisionResolved(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1)
		s := w.settle()
		digest := *w.images(*s.CurrentServiceRevisions[0].Arn)[0].ImageDigest
		task := w.tasks(types.DesiredStatusRunning)[0]
		c := task.Containers[0]
		if *c.Image != v1+"@"+digest || *c.ImageDigest != digest || task.HealthStatus != types.HealthStatusHealthy {
			t.Errorf("container: %s %s %s, want digest %s", *c.Image, *c.ImageDigest, task.HealthStatus, digest)
		}
		if *task.StartedBy != *s.Deployments[0].Id || *task.Group != "service:web" || *task.Attachments[0].Status != "ATTACHED" {
			t.Errorf("task: %+v", task)
		}
	})
}

func TestASteadyServiceReplacesATaskThatCrashes(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.sim.SetImageBehavior(ImageBehavior{Kind: ImageCrash, AfterSeconds: 600})
		w.create(w.register(v1), 1)
		s := w.settle()
		w.sim.ClearImageBehaviors()
		time.Sleep(20 * time.Minute)
		after := w.service()
		if after.RunningCount != 1 || *after.Deployments[0].Id != *s.Deployments[0].Id || after.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted {
			t.Error(line(after, w.brief()))
		}
		if n := strings.Count(w.messages(), "has reached a steady state."); n != 2 {
			t.Errorf("%d steady states:\n%s", n, w.messages())
		}
	})
}

func TestStoppedTasksAreShownForAnHour(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1)
		w.settle()
		w.update(w.register(v2))
		w.settle()
		time.Sleep(55 * time.Minute)
		if len(w.tasks(types.DesiredStatusStopped)) != 1 {
			t.Error("forgotten within the hour")
		}
		time.Sleep(10 * time.Minute)
		if len(w.tasks(types.DesiredStatusStopped)) != 0 {
			t.Error("remembered after the hour")
		}
	})
}

func TestPercentagesThatLeaveNoRoomAreAnEvent(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 3, func(in *ecs.CreateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{MaximumPercent: aws.Int32(125), MinimumHealthyPercent: aws.Int32(100)}
		})
		w.settle()
		w.update(w.register(v2))
		w.tells("no-room", w.watch())
	})
}

func TestStopBeforeStartNeverRunsMoreThanDesired(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 2, func(in *ecs.CreateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{MaximumPercent: aws.Int32(100), MinimumHealthyPercent: aws.Int32(50)}
		})
		w.settle()
		w.update(w.register(v2))
		w.tells("stop-before-start", w.watch())
	})
}

func TestADaemonRunsOneTaskPerInstance(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		in := definition("web", v1)
		in.RequiresCompatibilities, in.NetworkMode = nil, types.NetworkModeBridge
		out, err := w.client.RegisterTaskDefinition(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		w.create(*out.TaskDefinition.TaskDefinitionArn, 0, func(in *ecs.CreateServiceInput) {
			in.DesiredCount, in.LaunchType, in.NetworkConfiguration = nil, types.LaunchTypeEc2, nil
			in.SchedulingStrategy = types.SchedulingStrategyDaemon
		})
		if s := w.settle(); s.DesiredCount != 2 || s.RunningCount != 2 {
			t.Error(line(s, w.brief()))
		}
	})
}

func TestReadsLagBehindAnUpdate(t *testing.T) {
	inECSWith(t, Options{Seed: 7}, func(t *testing.T, w *ecsTestWorld) {
		first := w.register(v1)
		w.create(first, 1)
		time.Sleep(5 * time.Minute)
		second := w.register(v2)
		w.update(second)
		if s := w.service(); *s.TaskDefinition != first || len(s.Deployments) != 1 {
			t.Errorf("DescribeServices shows the update at once: %s", *s.TaskDefinition)
		}
		if n := len(w.deployments()); n != 1 {
			t.Errorf("ListServiceDeployments shows the update at once: %d", n)
		}
		time.Sleep(2500 * time.Millisecond)
		if s := w.service(); *s.TaskDefinition != second {
			t.Error("DescribeServices is still behind after two seconds")
		}
		if n := len(w.deployments()); n != 1 {
			t.Error("ListServiceDeployments is not behind DescribeServices")
		}
		time.Sleep(2 * time.Second)
		if n := len(w.deployments()); n != 2 {
			t.Error("ListServiceDeployments is still behind after four seconds")
		}
	})
}

func TestAServiceAtRestKeepsOneViewAndSchedulesNothing(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 2)
		w.settle()
		time.Sleep(2 * time.Hour)
		w.service()
		w.sim.mu.Lock()
		defer w.sim.mu.Unlock()
		s := w.sim.accountOf(ownAccount).region(w.sim, mumbai).ecs.clusters[testCluster].services["web"]
		if n := len(s.views.versions); n != 1 {
			t.Errorf("%d views", n)
		}
		if n := len(s.tasks[0].views.versions); n != 1 {
			t.Errorf("%d views of a task", n)
		}
		if n := len(w.sim.queue); n != 0 {
			t.Errorf("%d events are due some day", n)
		}
	})
}

func TestAnImageForAnotherArchitectureFailsAsOnAWS(t *testing.T) {
	cases := map[string]struct {
		image    seed.Image
		stopCode types.TaskStopCode
		reason   string
	}{
		"a single manifest exits with an exec format error": {
			seed.Image{Platforms: []string{intelPlatform}}, types.TaskStopCodeEssentialContainerExited, "exec format error",
		},
		"an index has no manifest to pull": {
			seed.Image{Platforms: []string{intelPlatform}, Attestation: true},
			types.TaskStopCodeTaskFailedToStart,
			"image Manifest does not contain descriptor matching platform 'linux/arm64'",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				client := ecrClientOf(t, w.sim, ownAccount, mumbai)
				createTestRepository(t, client, backendName)
				pushTestImage(t, client, backendName, firstTag, c.image)
				w.create(w.register(ownECRHost+"/"+backendName+":"+firstTag), 1)
				time.Sleep(2 * time.Minute)
				task := w.tasks(types.DesiredStatusStopped)[0]
				if task.StopCode != c.stopCode || !strings.Contains(*task.Containers[0].Reason, c.reason) {
					t.Errorf("%s: %s", task.StopCode, *task.Containers[0].Reason)
				}
			})
		})
	}
}

func TestATagThatMovesDoesNotReachADeploymentThatResolvedIt(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		client := ecrClientOf(t, w.sim, ownAccount, mumbai)
		createTestRepository(t, client, backendName)
		first := pushTestImage(t, client, backendName, firstTag, seed.Image{Labels: map[string]string{"n": "1"}})
		w.create(w.register(ownECRHost+"/"+backendName+":"+firstTag), 1)
		w.settle()
		second := pushTestImage(t, client, backendName, firstTag, seed.Image{Labels: map[string]string{"n": "2"}})
		if _, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(testCluster), Service: aws.String("web"), DesiredCount: aws.Int32(2)}); err != nil {
			t.Fatal(err)
		}
		w.watch()
		for _, task := range w.tasks(types.DesiredStatusRunning) {
			if *task.Containers[0].ImageDigest != first {
				t.Errorf("a task runs %s", *task.Containers[0].ImageDigest)
			}
		}
		if _, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(testCluster), Service: aws.String("web"), ForceNewDeployment: true}); err != nil {
			t.Fatal(err)
		}
		s := w.settle()
		if got := *w.images(*s.CurrentServiceRevisions[0].Arn)[0].ImageDigest; got != second {
			t.Errorf("the forced deployment resolved %s, want %s", got, second)
		}
	})
}

func TestAStaleReadShowsTheServiceAsItWas(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		first := w.register(v1)
		w.create(first, 1)
		w.settle()
		time.Sleep(time.Hour)
		w.update(w.register(v2))
		w.settle()
		if _, err := w.sim.AddFault(Fault{Operation: "DescribeServices", Staleness: 2 * time.Minute}); err != nil {
			t.Fatal(err)
		}
		if s := w.service(); *s.TaskDefinition != first || s.RunningCount != 1 {
			t.Error(line(s, w.brief()))
		}
	})
}

func TestARolloutIsFasterByTheSpeedOfTheWorld(t *testing.T) {
	inECSWith(t, Options{Seed: 7, Speed: 60}, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1)
		time.Sleep(4 * time.Second)
		w.update(w.register(v2))
		time.Sleep(4 * time.Second)
		if s := w.service(); len(s.Deployments) != 1 || s.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted {
			t.Error(line(s, w.brief()))
		}
	})
}

package rollout

import (
	"strings"
	"testing"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// What ECS says of a task whose essential container ended.
const (
	exitedCode   = "EssentialContainerExited"
	exitedReason = "Essential container in task exited"
)

// stopped is a stopped task with one container, app.
func stopped(code, reason string, exit int32, containerReason string) *Evidence {
	r := ecsv1alpha1.ContainerResult{Container: "app", Reason: containerReason}
	if exit >= 0 {
		r.ExitCode = &exit
	}
	return &Evidence{Tasks: []ecsv1alpha1.StoppedTask{{
		ID: "7d1f", StopCode: code, Reason: reason, Results: []ecsv1alpha1.ContainerResult{r},
	}}}
}

// event is an event of the service.
func event(message string) *Evidence {
	return &Evidence{Events: []ecsv1alpha1.ServiceEvent{{Message: message}}}
}

// exits is how containers of one task ended, by name in order.
func exits(code string, codes ...int32) *Evidence {
	e := &Evidence{Tasks: []ecsv1alpha1.StoppedTask{{ID: "7d1f", StopCode: code}}}
	for i, exit := range codes {
		e.Tasks[0].Results = append(e.Tasks[0].Results, ecsv1alpha1.ContainerResult{Container: string(rune('a' + i)), ExitCode: &exit})
	}
	return e
}

func TestAFailureIsClassifiedByWhatTellsMost(t *testing.T) {
	const none = -1
	for name, c := range map[string]struct {
		evidence *Evidence
		sd       *ServiceDeployment
		class    ecsv1alpha1.FailureClass
		says     string
	}{
		"nothing is known":         {nil, nil, ecsv1alpha1.FailureCircuitBreaker, ""},
		"nothing is said":          {&Evidence{}, &ServiceDeployment{}, ecsv1alpha1.FailureCircuitBreaker, ""},
		"an exit code":             {stopped(exitedCode, exitedReason, 3, ""), nil, ecsv1alpha1.FailureContainerExited, "container app exited with code 3"},
		"an exit without an error": {stopped(exitedCode, exitedReason, 0, ""), nil, ecsv1alpha1.FailureContainerExited, "container app exited with code 0"},
		"the one that ended first": {exits(exitedCode, 137, 3, 143), nil, ecsv1alpha1.FailureContainerExited, "container b exited with code 3"},
		"killed for its memory": {
			stopped(exitedCode, exitedReason, 137, "OutOfMemoryError: Container killed due to memory usage"),
			nil, ecsv1alpha1.FailureOutOfMemory, "container app exited with code 137: OutOfMemoryError",
		},
		"killed, nobody knows why": {stopped(exitedCode, exitedReason, 137, ""), nil, ecsv1alpha1.FailureContainerExited, "code 137"},
		"an image that is not there": {
			stopped("TaskFailedToStart", "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "+
				"111122223333.dkr.ecr.ap-south-1.amazonaws.com/app@sha256:aa: not found", none, ""),
			nil, ecsv1alpha1.FailureImagePull, "task 7d1f: CannotPullContainerError",
		},
		"an image for another platform": {
			stopped("TaskFailedToStart", "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'", none, ""),
			nil, ecsv1alpha1.FailureWrongArchitecture, "descriptor matching platform",
		},
		"a program for another processor": {
			stopped(exitedCode, exitedReason, 1, "exec /app: exec format error"),
			nil, ecsv1alpha1.FailureWrongArchitecture, "exec format error",
		},
		"a program that is not there": {
			stopped("TaskFailedToStart", "CannotStartContainerError: exec: \"/ap\": stat /ap: no such file or directory", none, ""),
			nil, ecsv1alpha1.FailureContainerExited, "CannotStartContainerError",
		},
		"a load balancer's check": {
			stopped("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group blue)", 143, ""),
			nil, ecsv1alpha1.FailureHealthCheck, "failed ELB health checks",
		},
		"a container's check": {
			stopped("ServiceSchedulerInitiated", "Task failed container health checks", 137, ""), nil, ecsv1alpha1.FailureHealthCheck, "container health",
		},
		"no memory left":      {stopped("TaskFailedToStart", "RESOURCE:MEMORY", none, ""), nil, ecsv1alpha1.FailurePlacement, "RESOURCE:MEMORY"},
		"no agent":            {stopped("TaskFailedToStart", "AGENT", none, ""), nil, ecsv1alpha1.FailurePlacement, "AGENT"},
		"capacity taken away": {stopped("SpotInterruption", "Your Spot Task was interrupted.", 143, ""), nil, ecsv1alpha1.FailurePlacement, "interrupted"},
		"a secret that is not there": {
			stopped("TaskFailedToStart", "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "+
				"ResourceNotFoundException: Secrets Manager can't find the specified secret.", none, ""),
			nil, ecsv1alpha1.FailureResourceInit, "ResourceInitializationError",
		},
		"a task that was scaled away tells nothing": {
			exits("ServiceSchedulerInitiated", 143), nil, ecsv1alpha1.FailureCircuitBreaker, "",
		},
		"a task stopped by hand tells nothing": {exits("UserInitiated", 137), nil, ecsv1alpha1.FailureCircuitBreaker, ""},
		"an alarm": {
			&Evidence{}, &ServiceDeployment{Alarms: []string{"5xx", "latency"}}, ecsv1alpha1.FailureAlarm, "CloudWatch alarm 5xx, latency was triggered",
		},
		"an alarm that came after the circuit breaker": {
			stopped(exitedCode, "", 3, ""), &ServiceDeployment{Alarms: []string{"5xx"}, BreakerTriggered: true},
			ecsv1alpha1.FailureContainerExited, "code 3",
		},
		"an unhealthy target": {
			&Evidence{Targets: []ecsv1alpha1.UnhealthyTarget{{
				TargetGroup: "blue", Target: "10.0.0.1:80", State: "unhealthy", Reason: "Target.ResponseCodeMismatch",
				Description: "Health checks failed with these codes: [503]",
			}}},
			nil, ecsv1alpha1.FailureHealthCheck, "target 10.0.0.1:80 of target group blue is unhealthy: Health checks failed with these codes: [503]",
		},
		"an event about a place": {
			event("(service app) was unable to place a task because no container instance met all of its requirements."),
			nil, ecsv1alpha1.FailurePlacement, "was unable to place a task",
		},
		"an event about capacity": {event("(service app) Capacity is unavailable at this time."), nil, ecsv1alpha1.FailurePlacement, "Capacity"},
		"an event about health": {
			event("(service app) (port 80) is unhealthy in (target-group arn:…) due to (reason Request timed out)."),
			nil, ecsv1alpha1.FailureHealthCheck, "Request timed out",
		},
		"an event that says nothing": {
			event("(service app) is unable to consistently start tasks successfully."), nil, ecsv1alpha1.FailureCircuitBreaker, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			class, fact := classify(c.evidence, c.sd, ecsv1alpha1.FailureCircuitBreaker)
			if class != c.class || !strings.Contains(fact, c.says) || (c.says == "" && fact != "") {
				t.Errorf("%s, %q, want %s, %q", class, fact, c.class, c.says)
			}
		})
	}
}

func TestAFailureIsAsLongAsTheAPITakesIt(t *testing.T) {
	long := strings.Repeat("ö", 4000)
	e := &Evidence{}
	for range 20 {
		task := ecsv1alpha1.StoppedTask{ID: long, StopCode: long, Reason: long}
		for range 20 {
			task.Results = append(task.Results, ecsv1alpha1.ContainerResult{Container: long, Reason: long, Health: long})
		}
		e.Tasks = append(e.Tasks, task)
		e.Events = append(e.Events, ecsv1alpha1.ServiceEvent{Message: long})
		e.Targets = append(e.Targets, ecsv1alpha1.UnhealthyTarget{
			TargetGroup: long, Target: long, State: long, Reason: long, Description: long,
		})
	}
	sd := &ServiceDeployment{BreakerTriggered: true, FailedTasks: 3, Threshold: 2}
	for range 20 {
		sd.Alarms = append(sd.Alarms, long)
	}
	f := failureOf(ecsv1alpha1.FailureAlarm, long, e, sd)
	if len(f.Tasks) != 3 || len(f.Events) != 3 || len(f.UnhealthyTargets) != 3 || len(f.Alarms) != 10 || len(f.Tasks[0].Results) != 10 {
		t.Fatalf("%d tasks, %d events, %d targets, %d alarms", len(f.Tasks), len(f.Events), len(f.UnhealthyTargets), len(f.Alarms))
	}
	target := f.UnhealthyTargets[0]
	for most, s := range map[int][]string{
		maxMessage: {f.Message},
		512:        {f.Tasks[0].Reason, f.Tasks[0].Results[0].Reason, f.Events[0].Message},
		256:        {target.Description},
		255:        {f.Tasks[0].Results[0].Container, f.Alarms[0]},
		128:        {target.Target},
		64:         {f.Tasks[0].ID, f.Tasks[0].StopCode, target.TargetGroup, target.State, target.Reason},
		32:         {f.Tasks[0].Results[0].Health},
	} {
		for _, s := range s {
			if len(s) > most || s == "" {
				t.Errorf("%d bytes, want at most %d and some", len(s), most)
			}
		}
	}
	if f.CircuitBreaker == nil || f.CircuitBreaker.Failed != 3 || f.CircuitBreaker.Threshold != 2 {
		t.Errorf("circuit breaker %+v, want 3 of 2", f.CircuitBreaker)
	}
}

func TestAFailureIsReportedWithItsEvidenceAndRemembered(t *testing.T) {
	in := steadyInput()
	flyingSince(&in, 600e9)
	ours := recordedAs(&in, "ROLLBACK_IN_PROGRESS")
	ours.BreakerTriggered, ours.FailedTasks, ours.Threshold = true, 3, 3
	in.Facts.Evidence = stopped(exitedCode, exitedReason, 3, "")
	d := Decide(in)
	f := d.Failure
	if f == nil || f.Class != ecsv1alpha1.FailureContainerExited || f.Service != "app" || len(f.Tasks) != 1 || f.CircuitBreaker == nil || f.At.IsZero() {
		t.Fatalf("failure %+v, want one with all that is known", f)
	}
	got := d.Memory.Failed[0]
	if got.Hash != "h2" || got.Inputs != "i2" || got.Class != f.Class || !strings.HasPrefix(got.Message, "container app exited with code 3; ") {
		t.Errorf("remembered %+v", got)
	}
	in.Memory = d.Memory
	if again := Decide(in); again.Failure != nil {
		t.Errorf("it is reported again: %+v", again.Failure)
	}
}

package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// maxFact is how long the fact that tells why a deployment failed may be: the rest of the message
// has to have room.
const maxFact = 300

// The words by which ECS tells one kind of failure from another, in the reasons of stopped tasks and
// of their containers and in the events of services. They are no API: a text that says none of them
// leaves the class at what is known otherwise.
var (
	wrongArchitecture = []string{
		"exec format error", "does not contain descriptor matching platform", "no matching manifest for linux/",
		"does not match the specified platform",
	}
	outOfMemory = []string{"OutOfMemory", "container killed due to memory usage", "memory limit exceeded"}
	imagePull   = []string{
		"CannotPull", "pull image manifest has been retried", "failed to resolve ref", "unable to pull image",
		"repository does not exist or may require",
	}
	placement = []string{
		"RESOURCE:", "NO ACTIVE INSTANCES", "EMPTY CAPACITY PROVIDER", "placement constraint unsatisfied", "was unable to place a task",
		"Capacity is unavailable", "no container instance met all of its requirements", "could not launch", "InsufficientCapacity",
	}
	resourceInit = []string{
		"ResourceInitializationError", "CannotCreateVolume", "CannotCreateContainer", "unable to pull secrets",
		"ResourceNotFoundException", "failed to initialize logging driver", "failed to configure ENI", "failed to invoke EFS",
	}
	healthCheck = []string{
		"failed container health checks", "failed ELB health checks", "is unhealthy in", "is not healthy in", "failed to report healthy",
		"failed health checks",
	}
	notStarted = []string{"CannotStartContainer", "ContainerRuntimeError", "CannotInspectContainer", "failed to create task for container"}
)

// finding is a class, and one sentence with the fact that tells it.
type finding struct {
	class ecsv1alpha1.FailureClass
	fact  string
}

// classify tells why a deployment failed, from what a person would have looked up: the class, and
// one sentence with the fact that tells it; otherwise, and no sentence, when nothing does. What a
// triggered alarm or a task of the deployment says comes before what load balancers say, and that
// before the events of the service. e and sd may be nil.
func classify(e *Evidence, sd *ServiceDeployment, otherwise ecsv1alpha1.FailureClass) (ecsv1alpha1.FailureClass, string) {
	if sd != nil && len(sd.Alarms) > 0 && !sd.BreakerTriggered {
		return ecsv1alpha1.FailureAlarm, shorten("CloudWatch alarm "+strings.Join(sd.Alarms, ", ")+" was triggered", maxFact)
	}
	if e == nil {
		return otherwise, ""
	}
	for _, look := range []func(*Evidence) *finding{tasksTell, targetsTell, eventsTell} {
		if f := look(e); f != nil {
			return f.class, shorten(f.fact, maxFact)
		}
	}
	return otherwise, ""
}

// tasksTell is what the first stopped task says that says anything.
func tasksTell(e *Evidence) *finding {
	for i := range e.Tasks {
		if f := taskTells(&e.Tasks[i]); f != nil {
			return f
		}
	}
	return nil
}

// taskTells is what a stopped task says about why it stopped; nil when it says nothing of use. What
// ECS says in words comes before exit codes: a task that ECS stops for its health also has some.
func taskTells(t *ecsv1alpha1.StoppedTask) *finding {
	for _, r := range t.Results {
		if class := spokenOf(r.Reason); class != "" {
			return &finding{class, fmt.Sprintf("container %s%s: %s", r.Container, exited(r), r.Reason)}
		}
	}
	if class := spokenOf(t.Reason); class != "" {
		return &finding{class, fmt.Sprintf("task %s: %s", t.ID, t.Reason)}
	}
	if t.StopCode == "SpotInterruption" || (t.StopCode == "TaskFailedToStart" && unplaced(t.Reason)) {
		return &finding{ecsv1alpha1.FailurePlacement, fmt.Sprintf("task %s: %s", t.ID, cmp.Or(t.Reason, t.StopCode))}
	}
	for _, r := range t.Results {
		if r.Health == "UNHEALTHY" && t.StopCode == "ServiceSchedulerInitiated" {
			return &finding{ecsv1alpha1.FailureHealthCheck, fmt.Sprintf("container %s is UNHEALTHY; %s", r.Container, t.Reason)}
		}
	}
	return exitTells(t)
}

// unplaced says that reason is one of the codes by which ECS names an instance that does not fit.
func unplaced(reason string) bool {
	return slices.Contains([]string{"AGENT", "ATTRIBUTE", "LOCATION", "INACTIVE"}, strings.TrimSuffix(reason, "."))
}

// exitTells is what the exit codes of a task's containers say. A container that ended by itself
// tells more than one that was killed because another had ended.
func exitTells(t *ecsv1alpha1.StoppedTask) *finding {
	var ended *ecsv1alpha1.ContainerResult
	for i := range t.Results {
		r := &t.Results[i]
		if r.ExitCode != nil && (ended == nil || rank(*r.ExitCode) > rank(*ended.ExitCode)) {
			ended = r
		}
	}
	essential := t.StopCode == "EssentialContainerExited" || foundIn(t.Reason, "essential container")
	switch {
	case ended != nil && (essential || (*ended.ExitCode != 0 && t.StopCode != "ServiceSchedulerInitiated" && t.StopCode != "UserInitiated")):
		return &finding{ecsv1alpha1.FailureContainerExited, fmt.Sprintf("container %s%s", ended.Container, exited(*ended))}
	case essential:
		return &finding{ecsv1alpha1.FailureContainerExited, fmt.Sprintf("task %s: %s", t.ID, cmp.Or(t.Reason, t.StopCode))}
	default:
		return nil
	}
}

// rank orders exit codes by how much they tell: an error of the program's own, a signal, success.
func rank(code int32) int {
	switch code {
	case 0:
		return 0
	case 137, 143:
		return 1
	default:
		return 2
	}
}

// exited says how a container ended; "" when it never started.
func exited(r ecsv1alpha1.ContainerResult) string {
	if r.ExitCode == nil {
		return ""
	}
	return fmt.Sprintf(" exited with code %d", *r.ExitCode)
}

// targetsTell is what the load balancers say.
func targetsTell(e *Evidence) *finding {
	if len(e.Targets) == 0 {
		return nil
	}
	t := e.Targets[0]
	return &finding{ecsv1alpha1.FailureHealthCheck, fmt.Sprintf("target %s of target group %s is %s: %s",
		t.Target, t.TargetGroup, t.State, cmp.Or(t.Description, t.Reason, "no reason given"))}
}

// eventsTell is what the service's events say.
func eventsTell(e *Evidence) *finding {
	for _, event := range e.Events {
		if class := spokenOf(event.Message); class != "" {
			return &finding{class, event.Message}
		}
	}
	return nil
}

// spokenOf is the class that a text of ECS speaks of; "" when it speaks of none. The more special
// comes first: a platform that does not match is said where pulling the image failed.
func spokenOf(text string) ecsv1alpha1.FailureClass {
	switch {
	case text == "":
		return ""
	case foundIn(text, wrongArchitecture...):
		return ecsv1alpha1.FailureWrongArchitecture
	case foundIn(text, outOfMemory...):
		return ecsv1alpha1.FailureOutOfMemory
	case foundIn(text, imagePull...):
		return ecsv1alpha1.FailureImagePull
	case foundIn(text, healthCheck...):
		return ecsv1alpha1.FailureHealthCheck
	case foundIn(text, resourceInit...):
		return ecsv1alpha1.FailureResourceInit
	case foundIn(text, placement...):
		return ecsv1alpha1.FailurePlacement
	case foundIn(text, notStarted...):
		return ecsv1alpha1.FailureContainerExited
	default:
		return ""
	}
}

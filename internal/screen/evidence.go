package screen

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// concernsService says that a failure was seen at a service that the status has.
func concernsService(release *ecsv1alpha1.EcsRelease, f *ecsv1alpha1.Failure) bool {
	return slices.ContainsFunc(release.Status.Targets, func(t ecsv1alpha1.TargetStatus) bool {
		return t.Name == f.Target && slices.ContainsFunc(t.Services, func(s ecsv1alpha1.ServiceStatus) bool { return s.Name == f.Service })
	})
}

// evidence is what a failure left behind: why, the tasks that stopped, the targets that are unhealthy,
// and what ECS said.
func evidence(f *ecsv1alpha1.Failure) []node {
	nodes := []node{{mark: markFailed, name: "failure", state: string(f.Class), detail: clean(f.Message)}}
	for i := range f.Tasks {
		nodes = append(nodes, taskNode(&f.Tasks[i]))
	}
	for _, t := range f.UnhealthyTargets {
		said := []string{t.Target + " of " + t.TargetGroup, t.Reason, clean(t.Description)}
		nodes = append(nodes, node{mark: markFailed, name: "target", state: t.State, detail: joined(said)})
	}
	for _, e := range f.Events {
		nodes = append(nodes, node{mark: markAside, name: "event", state: e.At.UTC().Format("15:04:05Z"), detail: clean(e.Message)})
	}
	return nodes
}

// taskNode is a task that stopped, and how its containers ended.
func taskNode(t *ecsv1alpha1.StoppedTask) node {
	var said []string
	for _, r := range t.Results {
		switch {
		case r.ExitCode != nil:
			said = append(said, joined([]string{fmt.Sprintf("%s exited with %d", r.Container, *r.ExitCode), clean(r.Reason)}))
		case r.Reason != "":
			said = append(said, r.Container+" did not start: "+clean(r.Reason))
		}
	}
	said = append(said, clean(t.Reason))
	const most = 8 // enough to tell three tasks apart, and to find one in the console
	return node{mark: markFailed, name: "task " + t.ID[:min(len(t.ID), most)], state: cmp.Or(t.StopCode, "Stopped"), detail: joined(said)}
}

// joined is what there is to say, by commas.
func joined(said []string) string {
	return strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), ", ")
}

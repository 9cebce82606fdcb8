package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// follow shows the releases in a table until each has come to its end.
func follow(ctx context.Context, w *world, ends map[string]ending) error {
	screen := newScreen()
	for {
		var list ecsv1alpha1.EcsReleaseList
		if err := w.Client.List(ctx, &list); err != nil {
			return fmt.Errorf("listing releases: %w", err)
		}
		slices.SortFunc(list.Items, func(a, b ecsv1alpha1.EcsRelease) int { return -strings.Compare(a.Namespace, b.Namespace) })
		var blocks []block
		ended := 0
		var wrong error
		for _, release := range list.Items {
			blocks = append(blocks, blockOf(release))
			switch done, err := ends[release.Namespace](release); {
			case err != nil:
				wrong = err
			case done:
				ended++
			}
		}
		screen.draw(blocks)
		if wrong != nil || ended == len(ends) {
			return wrong
		}
		if err := w.Alive(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the releases: %w; the end of the controller's log:\n%s", ctx.Err(), w.manager.Tail())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// block is what the table shows of a release.
type block struct {
	owner string
	// title is about the release, services are rows of cells about each of its services, and
	// failure is why it failed.
	title    string
	services [][]string
	failure  string
}

// blockOf shows a release. Waves are named where there are several.
func blockOf(release ecsv1alpha1.EcsRelease) block {
	status := release.Status
	ready, reason := "Unknown", "not seen by a controller yet"
	if condition := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReady); condition != nil {
		ready, reason = string(condition.Status), condition.Reason
	}
	shown := block{
		owner: release.Namespace,
		title: strings.TrimRight(strings.Join([]string{"Ready " + ready, reason, status.Image, status.Progress}, "  "), " "),
	}
	waves := slices.ContainsFunc(status.Targets, func(t ecsv1alpha1.TargetStatus) bool { return t.Wave > 0 })
	for _, target := range status.Targets {
		wave := ""
		if waves {
			wave = fmt.Sprintf("wave %d", target.Wave)
		}
		for _, service := range target.Services {
			shown.services = append(shown.services, []string{
				target.Name + "/" + service.Name, wave, string(service.State), reasonOf(service), service.Revision, tasksOf(service),
			})
		}
	}
	if f := status.Failure; f != nil {
		shown.failure = fmt.Sprintf("%s at %s/%s%s: %s", f.Class, f.Target, f.Service, exitCodes(f), f.Message)
	}
	return shown
}

// reasonOf is why the service is in its state, where the state does not say it.
func reasonOf(service ecsv1alpha1.ServiceStatus) string {
	if service.Reason == string(service.State) || service.Reason == ecsv1alpha1.ReasonProgressing {
		return ""
	}
	return service.Reason
}

// tasksOf is how far the service's deployment is.
func tasksOf(service ecsv1alpha1.ServiceStatus) string {
	d := service.Deployment
	if d == nil || d.Outcome != "" || d.Desired == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d new, %d old", d.Running, d.Desired, d.Old)
}

// exitCodes are how containers of the tasks that a failure shows ended.
func exitCodes(f *ecsv1alpha1.Failure) string {
	var codes []string
	for _, task := range f.Tasks {
		for _, result := range task.Results {
			if result.ExitCode != nil {
				codes = append(codes, fmt.Sprintf("%s exited with %d", result.Container, *result.ExitCode))
			}
		}
	}
	if len(codes) == 0 {
		return ""
	}
	return " (" + strings.Join(slices.Compact(codes), ", ") + ")"
}

// lines are the rows of a block, its services in columns.
func (b block) lines() []string {
	lines := []string{fmt.Sprintf("%-10s  %s", b.owner, b.title)}
	for _, line := range align(b.services) {
		lines = append(lines, "  "+line)
	}
	if b.failure != "" {
		lines = append(lines, "  failure: "+b.failure)
	}
	return lines
}

// align puts the cells of a table into columns. A column that is empty takes no room.
func align(table [][]string) []string {
	if len(table) == 0 {
		return nil
	}
	var columns []int
	for i := range table[0] {
		if slices.ContainsFunc(table, func(row []string) bool { return row[i] != "" }) {
			columns = append(columns, i)
		}
	}
	var buffer bytes.Buffer
	writer := tabwriter.NewWriter(&buffer, 0, 0, 2, ' ', 0)
	for _, row := range table {
		cells := make([]string, 0, len(columns))
		for _, i := range columns {
			cells = append(cells, row[i])
		}
		fmt.Fprintln(writer, strings.Join(cells, "\t"))
	}
	if err := writer.Flush(); err != nil {
		return []string{err.Error()}
	}
	return strings.Split(strings.TrimRight(buffer.String(), "\n"), "\n")
}

// show runs kubectl with its output on ours.
func (w *world) show(ctx context.Context, args ...string) error {
	cmd := w.Command(ctx, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kubectl %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

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

	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/api/meta"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// follow shows the releases in a table until all of them run the image. On a terminal the table
// is drawn again in its place; elsewhere each row is printed when it changes.
func follow(ctx context.Context, w *world, image string) error {
	screen := newScreen()
	for {
		var list ecsv1alpha1.EcsReleaseList
		if err := w.Client.List(ctx, &list); err != nil {
			return fmt.Errorf("listing releases: %w", err)
		}
		screen.draw(rows(list.Items))
		done, err := settled(list.Items, image)
		if err != nil || done {
			return err
		}
		if err := w.Alive(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s everywhere: %w; the end of the controller's log:\n%s", image, ctx.Err(), w.manager.Tail())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// rows are the table: a row for each release, and one for each of its services.
func rows(releases []ecsv1alpha1.EcsRelease) [][]string {
	var all [][]string
	slices.SortFunc(releases, func(a, b ecsv1alpha1.EcsRelease) int { return -strings.Compare(a.Namespace, b.Namespace) })
	for _, release := range releases {
		ready, reason := "", "not seen by a controller yet"
		if condition := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionReady); condition != nil {
			ready, reason = string(condition.Status), condition.Reason
		}
		all = append(all, []string{release.Namespace + "/" + release.Name, "READY " + ready, reason, release.Status.Image, release.Status.Progress})
		for _, target := range release.Status.Targets {
			for _, service := range target.Services {
				tasks := ""
				if d := service.Deployment; d != nil && d.Outcome == "" && d.Desired > 0 {
					tasks = fmt.Sprintf("%d/%d new, %d old tasks", d.Running, d.Desired, d.Old)
				}
				reason := service.Reason
				if reason == string(service.State) || reason == ecsv1alpha1.ReasonProgressing {
					reason = ""
				}
				all = append(all, []string{"  " + target.Name + "/" + service.Name, string(service.State), reason, service.Revision, tasks})
			}
		}
	}
	return all
}

// screen shows a table that changes.
type screen struct {
	terminal bool
	began    time.Time
	height   int
	last     map[string]string
}

func newScreen() *screen {
	return &screen{
		terminal: term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("TERM") != "dumb",
		began:    time.Now(),
		last:     map[string]string{},
	}
}

// fits says how wide lines may be for that many of them to be drawn again in their place, and
// whether they can be at all.
func (s *screen) fits(lines int) (width int, ok bool) {
	if !s.terminal {
		return 0, false
	}
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	return width, err == nil && width > 0 && lines < height
}

func (s *screen) draw(table [][]string) {
	lines := align(table)
	if width, ok := s.fits(len(lines)); ok {
		var frame strings.Builder
		if s.height > 0 {
			fmt.Fprintf(&frame, "\x1b[%dA", s.height)
		}
		for _, line := range lines {
			frame.WriteString("\x1b[2K" + line[:min(len(line), width)] + "\n")
		}
		frame.WriteString("\x1b[J")
		fmt.Print(frame.String())
		s.height = len(lines)
		return
	}
	owner := ""
	for i, row := range table {
		if !strings.HasPrefix(row[0], " ") {
			owner = row[0]
		}
		key, shown := owner+row[0], strings.Join(row, " ")
		if s.last[key] != shown {
			s.last[key] = shown
			fmt.Printf("%5.1fs  %-26s %s\n", time.Since(s.began).Seconds(), owner, strings.TrimPrefix(lines[i], owner))
		}
	}
}

// align puts the cells of a table into columns.
func align(table [][]string) []string {
	var buffer bytes.Buffer
	writer := tabwriter.NewWriter(&buffer, 14, 0, 2, ' ', 0)
	for _, row := range table {
		fmt.Fprintln(writer, strings.Join(row, "\t"))
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

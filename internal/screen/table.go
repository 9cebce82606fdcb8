package screen

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/duration"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// table is rows in lines, with their cells below each other. All rows have as many cells as the first.
func table(rows [][]string) []string {
	widths := make([]int, len(rows[0]))
	for _, cells := range rows {
		for i, cell := range cells {
			widths[i] = max(widths[i], length(cell))
		}
	}
	lines := make([]string, 0, len(rows))
	for _, cells := range rows {
		var out strings.Builder
		for i, cell := range cells {
			out.WriteString(pad(cell, widths[i]+gap))
		}
		lines = append(lines, strings.TrimRight(out.String(), " "))
	}
	return lines
}

// History are the releases of the past, the newest first, in a table.
func History(release *ecsv1alpha1.EcsRelease, now time.Time) []string {
	rows := [][]string{{"RELEASE", "OUTCOME", "STARTED", "TOOK", "IMAGE", "CAUSE"}}
	for i := range release.Status.History {
		entry := &release.Status.History[i]
		outcome := string(entry.Outcome)
		if entry.Failure != "" {
			outcome += " (" + string(entry.Failure) + ")"
		}
		if hold := release.Status.Hold; hold != nil && hold.Number == entry.Number {
			outcome += ", held"
		}
		took := ""
		if entry.Finished != nil {
			took = duration.HumanDuration(entry.Finished.Sub(entry.Started.Time))
		}
		rows = append(rows, []string{
			strconv.FormatInt(entry.Number, 10), outcome, age(entry.Started, now) + " ago", took,
			Images(entry.Images), clean(entry.Cause),
		})
	}
	return table(rows)
}

// Environments are what runs where: the releases of each environment in a table, and below it what is
// wrong with an environment; then the ways in to their services.
func Environments(environments []ecsv1alpha1.EcsEnvironment) []string {
	rows := [][]string{{"ENVIRONMENT", "NAMESPACE", "RELEASE", "STATUS", "PROGRESS", "IMAGE", "RUNS"}}
	var wrong []string
	for i := range environments {
		e := &environments[i]
		for j := range e.Status.Releases {
			r := &e.Status.Releases[j]
			runs := r.Released
			if len(runs) == 0 && r.Ready == "True" {
				runs = r.Images
			}
			rows = append(rows, []string{e.Name, r.Namespace, r.Name, cmp.Or(r.Reason, "-"), r.Progress, released(r.Images), cmp.Or(released(runs), "-")})
		}
		if len(e.Status.Releases) == 0 {
			rows = append(rows, []string{e.Name, cmp.Or(joined(append([]string(nil), e.Status.Namespaces...)), "-"), "-", "-", "", "", ""})
		}
		if c := meta.FindStatusCondition(e.Status.Conditions, ecsv1alpha1.ConditionReady); c != nil && c.Status != "True" {
			wrong = append(wrong, fmt.Sprintf("%s is not Ready (%s): %s", e.Name, c.Reason, clean(c.Message)))
		}
	}
	lines := append(table(rows), wrong...)
	if ways := waysIn(environments); len(ways) > 0 {
		lines = append(append(lines, ""), ways...)
	}
	return lines
}

// waysIn are the endpoints of environments in a table; nil where there is none.
func waysIn(environments []ecsv1alpha1.EcsEnvironment) []string {
	rows := [][]string{{"ENVIRONMENT", "NAMESPACE", "ENDPOINT", "HOSTNAME", "READY", "REASON", "HOP"}}
	for i := range environments {
		for _, e := range environments[i].Status.Endpoints {
			rows = append(rows, []string{environments[i].Name, e.Namespace, e.Name, e.Hostname, cmp.Or(string(e.Ready), "-"), cmp.Or(e.Reason, "-"), e.Hop})
		}
	}
	if len(rows) == 1 {
		return nil
	}
	return table(rows)
}

// released are the images of a summary, for people, each with the beginning of its digest.
func released(images []ecsv1alpha1.ReleasedImage) string {
	var said []string
	for _, image := range images {
		name := image.Image
		if digest, ok := strings.CutPrefix(image.Digest, "sha256:"); ok && !strings.Contains(name, "@") {
			const most = 12
			name += " (" + digest[:min(len(digest), most)] + ")"
		}
		said = append(said, name)
	}
	return joined(said)
}

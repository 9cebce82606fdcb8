package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"heliumai.space/ecsrelease/internal/simulation"
)

// bumps has the simulation bump a fleet at once, in virtual time.
func bumps(ctx context.Context, b *bench) ([]row, error) {
	say("bumping %d releases at once, in virtual time", b.size.bumped)
	bumper, err := filepath.Abs(b.bumper)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", b.bumper, err)
	}
	cmd := exec.CommandContext(ctx, bumper, "-test.run=^TestAFleetIsBumpedAtOnce$", "-test.timeout=0")
	cmd.Dir = filepath.Join("internal", "simulation")
	cmd.Env = append(os.Environ(), fmt.Sprintf("RELEASES=%d", b.size.bumped), "REPORT=json")
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running %s (make bench makes it): %w\n%s", b.bumper, err, output)
	}
	reports, err := parseReports(output)
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, report := range reports {
		rows = append(rows, bumped(report))
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s reports nothing:\n%s", b.bumper, output)
	}
	return rows, nil
}

// parseReports reads those lines of a test's output that are reports, by the name of the bump.
func parseReports(output []byte) ([]simulation.NamedReport, error) {
	var reports []simulation.NamedReport
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !bytes.HasPrefix(lines.Bytes(), []byte("{")) {
			continue
		}
		var report simulation.NamedReport
		if err := json.Unmarshal(lines.Bytes(), &report); err != nil {
			return nil, fmt.Errorf("reading a report of the simulation: %w", err)
		}
		reports = append(reports, report)
	}
	slices.SortFunc(reports, func(a, b simulation.NamedReport) int { return compareBool(a.Bump.Shared, b.Bump.Shared) })
	return reports, lines.Err()
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// bumped makes a row of a report.
func bumped(r simulation.NamedReport) row {
	quota := "RegisterTaskDefinition is 1/s"
	families := "each its own family"
	if r.Bump.Shared {
		quota, families = "UpdateService is 5/s", "one family"
	}
	neighbour := "nothing"
	if sorted := slices.Sorted(slices.Values(r.Report.Neighbour)); len(sorted) > 0 {
		neighbour = fmt.Sprintf("p99 **%s** of %d", brief(percentile(sorted, 99)), len(sorted))
	}
	return row{
		measure: fmt.Sprintf("%d releases bumped at once, %s (**virtual**)", r.Bump.Releases, families),
		how: fmt.Sprintf("the simulation, with its API server in memory; half share; %s; from the bump to the last UpdateService, against what the quota alone leaves; and an unrelated environment in the same account and region, from bump to UpdateService meanwhile",
			quota),
		must: "1.1 x the floor; unrelated p99 10s",
		reached: fmt.Sprintf("**%.2f** x the floor of %s (last UpdateService after %s, all Ready after %s); unrelated %s; %d calls, %d throttled, %.1f status writes a release",
			ratio(r.Report.Updated, r.Report.Floor), brief(r.Report.Floor), brief(r.Report.Updated), brief(r.Report.Ready), neighbour, r.Report.Calls, r.Report.Throttled, r.Report.Writes),
	}
}

func ratio(a, b time.Duration) float64 {
	if b == 0 {
		return 0
	}
	return a.Seconds() / b.Seconds()
}

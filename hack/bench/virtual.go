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

// virtual has the simulation bump a fleet at once and weigh a manager over days, in virtual time.
func virtual(ctx context.Context, b *bench) ([]row, error) {
	say("bumping %d releases at once, in virtual time", b.size.bumped)
	bumps, err := simulated[simulation.NamedReport](ctx, b, "TestAFleetIsBumpedAtOnce", fmt.Sprint("RELEASES=", b.size.bumped))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(bumps, func(a, b simulation.NamedReport) int { return compareBool(a.Bump.Shared, b.Bump.Shared) })
	var rows []row
	for _, report := range bumps {
		rows = append(rows, bumped(report))
	}
	say("weighing a manager before and after %d days, in virtual time", b.size.days)
	heaps, err := simulated[simulation.HeapReport](ctx, b, "TestTheHeapDoesNotGrow", fmt.Sprint("DAYS=", b.size.days), fmt.Sprint("RELEASES=", b.size.weighed))
	for _, report := range heaps {
		rows = append(rows, weighed(report))
	}
	return rows, err
}

// simulated are the reports of a test of the simulation.
func simulated[Report any](ctx context.Context, b *bench, test string, env ...string) ([]Report, error) {
	program, err := filepath.Abs(b.bumper)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", b.bumper, err)
	}
	cmd := exec.CommandContext(ctx, program, "-test.run=^"+test+"$", "-test.timeout=0")
	cmd.Dir = filepath.Join("internal", "simulation")
	cmd.Env = append(append(os.Environ(), "REPORT=json"), env...)
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running %s of %s (make bench makes it): %w\n%s", test, b.bumper, err, output)
	}
	reports, err := parseReports[Report](output)
	if err == nil && len(reports) == 0 {
		err = fmt.Errorf("%s reports nothing:\n%s", test, output)
	}
	return reports, err
}

// parseReports reads those lines of a test's output that are reports.
func parseReports[Report any](output []byte) ([]Report, error) {
	var reports []Report
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !bytes.HasPrefix(lines.Bytes(), []byte("{")) {
			continue
		}
		var report Report
		if err := json.Unmarshal(lines.Bytes(), &report); err != nil {
			return nil, fmt.Errorf("reading a report of the simulation: %w", err)
		}
		reports = append(reports, report)
	}
	return reports, lines.Err()
}

// weighed makes a row of a manager that was weighed twice.
func weighed(r simulation.HeapReport) row {
	const kibibyte = 1 << 10
	return row{
		measure: fmt.Sprintf("live heap after collection, %.0f days (**virtual**)", r.Lasted.Hours()/24),
		how: fmt.Sprintf("the simulation; %d releases, each released to once a day; a manager that has released to all of them once, and one that has lived so long, both begun when all that is remembered of them was full; each two hours after its last release, less what is left when it has ended",
			r.Releases),
		must:    "+5 %",
		reached: fmt.Sprintf("**%+.1f %%** (%d KiB, then %d KiB)", 100*r.Growth(), r.Before/kibibyte, r.After/kibibyte),
	}
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

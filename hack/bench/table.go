package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"
)

// row is one line of the table.
type row struct {
	measure, how, must, reached string
}

// write prints the table.
func write(out io.Writer, s size, rows []row) {
	fmt.Fprintf(out, "Measured on %s, %s/%s with %d CPUs (%s), %s. AWS is `awssim` at speed %g, which answers what reads in %s and what\nwrites in %s, with AWS's quotas; the manager has its defaults where nothing else is said, its quota share (%g) among them, and a long lease.\n\n",
		time.Now().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor(), runtime.Version(), s.speed, readLatency, writeLatency, quotaShare)
	fmt.Fprintln(out, "| measure | how | must reach | reached |")
	fmt.Fprintln(out, "|---|---|---|---|")
	for _, row := range rows {
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", row.measure, row.how, row.must, row.reached)
	}
}

// spread is the middle and the tail of durations.
func spread(times []time.Duration) string {
	if len(times) == 0 {
		return "nothing"
	}
	sorted := slices.Sorted(slices.Values(times))
	return fmt.Sprintf("p50 **%s**, p99 **%s**", brief(percentile(sorted, 50)), brief(percentile(sorted, 99)))
}

// percentile is the smallest of the sorted values that p per cent of them do not exceed.
func percentile[T any](sorted []T, p int) T {
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

// brief is a duration as exactly as it matters.
func brief(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// mebibytes is a number of bytes as people read it.
func mebibytes(bytes int64) string { return fmt.Sprintf("%d MiB", (bytes+1<<19)>>20) }

// usual is the value that is there most often, of several the first in the alphabet.
func usual(values []string) string {
	count := map[string]int{}
	most := ""
	for _, value := range values {
		count[value]++
	}
	for value, n := range count {
		if n > count[most] || n == count[most] && value < most {
			most = value
		}
	}
	return most
}

// cell is a text that does not end the cell that it stands in.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// statusWrites is how often the API server has written the status of a release.
func (w *world) statusWrites(ctx context.Context) (float64, error) {
	output, err := w.machine.Command(ctx, "get", "--raw", "/metrics").Output()
	if err != nil {
		return 0, fmt.Errorf("asking for the API server's metrics: %w", err)
	}
	return sum(strings.NewReader(string(output)), "apiserver_request_total",
		`group="ecs.heliumai.space"`, `resource="ecsreleases"`, `subresource="status"`, `verb="PATCH"`)
}

// sum adds up the series of a metric that have all the labels. That there are none is an error:
// when anybody measures, much was counted before.
func sum(text io.Reader, name string, labels ...string) (float64, error) {
	total, found := 0.0, false
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
next:
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, name+"{") {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(line, label) {
				continue next
			}
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		total, found = total+value, true
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	if !found {
		return 0, fmt.Errorf("there is no metric %s with %s", name, strings.Join(labels, ", "))
	}
	return total, nil
}

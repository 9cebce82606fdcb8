package main

import (
	"strings"
	"testing"
)

func TestACounterIsTheSumOfItsSeries(t *testing.T) {
	const text = `# TYPE calls_total counter
calls_total{verb="GET",code="200"} 2
calls_total{verb="PATCH",code="200"} 1e+02
calls_total{verb="PATCH",code="409"} 1
calls_total_other{verb="PATCH"} 1000
`
	got, err := sum(strings.NewReader(text), "calls_total", `verb="PATCH"`)
	if err != nil || got != 101 {
		t.Errorf("the sum is %v, %v; want 101", got, err)
	}
	if got, err := sum(strings.NewReader(text), "calls_total", `verb="POST"`); err == nil {
		t.Errorf("a counter that does not exist is %v", got)
	}
}

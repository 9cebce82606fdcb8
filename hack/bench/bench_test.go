package main

import (
	"strings"
	"testing"
	"time"
)

func TestPercentilesAreValuesThatWereMeasured(t *testing.T) {
	thirty := make([]int, 30)
	for i := range thirty {
		thirty[i] = i + 1
	}
	for _, c := range []struct {
		sorted []int
		p      int
		want   int
	}{
		{thirty, 50, 15},
		{thirty, 99, 30},
		{thirty, 90, 27},
		{[]int{7}, 50, 7},
		{[]int{7}, 99, 7},
		{[]int{1, 2, 3}, 50, 2},
	} {
		if got := percentile(c.sorted, c.p); got != c.want {
			t.Errorf("p%d of %v is %d, want %d", c.p, c.sorted, got, c.want)
		}
	}
}

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

func TestTheRowOfReleasesShowsTheMiddleAndTheTail(t *testing.T) {
	usual := []string{"DescribeServices", "UpdateService"}
	got := tabulate("x", []sample{
		{300 * time.Millisecond, usual},
		{100 * time.Millisecond, usual},
		{200 * time.Millisecond, []string{"A", "B", "UpdateService"}},
	})
	const want = "p50 **200ms**, p99 **300ms**; 2 AWS calls in a row at the median (2 to 3), most often DescribeServices, UpdateService"
	if got.result != want {
		t.Errorf("the row says\n%s, want\n%s", got.result, want)
	}
}

package main

import (
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

func TestDurationsAreAsExactAsTheyMatter(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                     "0s",
		1234567 * time.Nanosecond:             "1ms",
		1500 * time.Millisecond:               "1.5s",
		59960 * time.Millisecond:              "60.0s",
		75*time.Second + 400*time.Millisecond: "1m15s",
	} {
		if got := brief(d); got != want {
			t.Errorf("%s is written %s, want %s", d, got, want)
		}
	}
}

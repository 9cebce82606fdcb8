package main

import (
	"testing"
	"time"
)

func TestLoadIsToldApartByWhetherAnythingWasLookedAt(t *testing.T) {
	got := load([]interval{
		{5 * time.Second, 100 * time.Millisecond, 0},
		{5 * time.Second, 2 * time.Second, 480},
		{10 * time.Second, 100 * time.Millisecond, 0},
	})
	const want = "idle **0.013 core** (15.0s), in a sweep **0.400 core** (5.0s)"
	if got != want {
		t.Errorf("the load is %s, want %s", got, want)
	}
	if got := load(nil); got != "idle **never** (0s), in a sweep **never** (0s)" {
		t.Errorf("nothing is %s", got)
	}
}

package main

import (
	"testing"
)

func TestMeasurementsAreChosenByName(t *testing.T) {
	chosen, err := choose("rollouts,latency")
	if err != nil || len(chosen) != 2 || chosen[0].name != "latency" {
		t.Errorf("chosen are %v, %v", chosen, err)
	}
	if _, err := choose("everything"); err == nil {
		t.Error("what does not exist is chosen")
	}
}

package main

import (
	"slices"
	"testing"
)

func TestCallsAreKnownByWhatTheJournalSaysOfThem(t *testing.T) {
	look := call{Operation: "DescribeServices", Request: []byte(`{"cluster": "helium-fleet-00", "services": ["service-00001"]}`)}
	if cluster, services := look.looked(); cluster != "helium-fleet-00" || !slices.Equal(services, []string{"service-00001"}) {
		t.Errorf("the call is about %s, %v", cluster, services)
	}
	update := call{Service: "ecs", Operation: "UpdateService", Request: []byte(`{"cluster": "c", "service": "s"}`)}
	if _, services := update.looked(); services != nil {
		t.Errorf("an update looks at %v", services)
	}
	if !update.updates("c", "s") || update.updates("c", "t") || look.updates("helium-fleet-00", "service-00001") {
		t.Error("an update is not known by its service")
	}
	if !update.changes() || look.changes() {
		t.Error("what changes something is not told from what looks")
	}
}

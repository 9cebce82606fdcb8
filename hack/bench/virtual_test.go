package main

import (
	"strings"
	"testing"

	"heliumai.space/ecsrelease/internal/simulation"
)

func TestTheReportsOfTheSimulationAreRead(t *testing.T) {
	const output = `{"Bump":{"Releases":40,"Shared":true,"Workers":20},"Report":{"Floor":6000000000,"Updated":6300000000,"Neighbour":[1000000000]}}
{"Bump":{"Releases":40,"Shared":false,"Workers":20},"Report":{"Floor":60000000000,"Updated":63000000000}}
PASS
`
	reports, err := parseReports[simulation.NamedReport]([]byte(output))
	if err != nil || len(reports) != 2 || !reports[0].Bump.Shared || reports[1].Bump.Shared {
		t.Fatalf("the reports are %+v, %v", reports, err)
	}
	got := bumped(reports[0])
	if want := "**1.05** x the floor of 6.0s (last UpdateService after 6.3s, all Ready after 0s); unrelated p99 **1.0s** of 1; "; !strings.HasPrefix(got.reached, want) {
		t.Errorf("the row says %s, want it to begin with %s", got.reached, want)
	}
}

func TestAManagerThatWasWeighedIsARow(t *testing.T) {
	const output = `{"Releases":30,"Lasted":604800000000000,"Before":1024000,"After":1048576}`
	reports, err := parseReports[simulation.HeapReport]([]byte(output))
	if err != nil || len(reports) != 1 {
		t.Fatalf("the reports are %+v, %v", reports, err)
	}
	got := weighed(reports[0])
	if got.measure != "live heap after collection, 7 days (**virtual**)" || got.reached != "**+2.4 %** (1000 KiB, then 1024 KiB)" {
		t.Errorf("the row is %+v", got)
	}
}

package simulation

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// A fleet that is bumped at once goes out as fast as our share of the quotas of AWS lets it, and holds
// nobody else up. With RELEASES=n they are so many, and with REPORT=json the reports are printed, a line
// each.
func TestAFleetIsBumpedAtOnce(t *testing.T) {
	shared, err := setup()
	if err != nil {
		t.Fatal(err)
	}
	releases := int(number(t, "RELEASES", 40))
	for name, b := range map[string]Bump{
		"each its own family": {Releases: releases, Workers: 20},
		"one family":          {Releases: releases, Workers: 20, Shared: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				report, err := RunBump(shared, b)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%+v", *report)
				publish(t, NamedReport{b, *report})
				for _, violation := range report.Violations {
					t.Error(violation)
				}
				if reports() {
					return // what the figures are is for the reader to judge
				}
				const apart = 5 * time.Second // of which nothing depends on how many they are
				if report.Updated > report.Floor*11/10+apart {
					t.Errorf("the last was updated after %s, wanted a tenth above %s at most", report.Updated, report.Floor)
				}
				for _, took := range report.Neighbour {
					if took > 10*time.Second {
						t.Errorf("another environment's release took %s, wanted 10 s at most", took)
					}
				}
				if len(report.Neighbour) == 0 {
					t.Error("there was no release of another environment meanwhile")
				}
				const most = 20 // ten on the way, and one each time that half of the wait is over
				if report.Writes > most {
					t.Errorf("the status of a release was written %.1f times, wanted %d at most", report.Writes, most)
				}
				registrations := releases
				if b.Shared {
					registrations = 1
				}
				if n := report.Registrations - len(report.Neighbour); n > registrations || report.Throttled > 0 {
					t.Errorf("%d registrations, and %d calls that AWS throttled (%v); wanted %d, and none", n, report.Throttled, report.Refused, registrations)
				}
			})
		})
	}
}

// reports says that reports are printed.
func reports() bool { return os.Getenv("REPORT") == "json" }

// publish prints a report for the benchmark, where REPORT=json asks for it.
func publish(t *testing.T, report any) {
	t.Helper()
	if !reports() {
		return
	}
	line, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(string(line))
}

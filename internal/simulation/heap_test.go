package simulation

import (
	"testing"
	"testing/synctest"
)

// What a manager has in memory does not grow as time passes. With DAYS=n that are so many, with RELEASES=n
// there are so many of them, and with REPORT=json the report is printed.
func TestTheHeapDoesNotGrow(t *testing.T) {
	shared, err := setup()
	if err != nil {
		t.Fatal(err)
	}
	releases, days := int(number(t, "RELEASES", 30)), int(number(t, "DAYS", 2))
	synctest.Test(t, func(t *testing.T) {
		report, err := RunHeap(shared, releases, days)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v: %.1f%%", *report, 100*report.Growth())
		publish(t, report)
		for _, violation := range report.Violations {
			t.Error(violation)
		}
		// Of a few releases a tenth is one buffer more or less. How much it is of many is a row of the benchmark.
		if growth := report.Growth(); !reports() && growth > 0.1 || report.Before <= 0 {
			t.Errorf("it grew by %.1f%%, from %d to %d bytes", 100*growth, report.Before, report.After)
		}
	})
}

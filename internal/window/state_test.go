package window

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

type windows = []ecsv1alpha1.Window

func TestAReleaseMayStartWhenTheWindowsSaySo(t *testing.T) {
	office := allow("0 9 * * MON-THU", 8*time.Hour, "Asia/Kolkata")
	always := allow("0 0 * * *", 24*time.Hour, "Asia/Kolkata")
	christmas := deny("0 0 24 12 *", 9*24*time.Hour, "Asia/Kolkata")
	for name, c := range map[string]struct {
		windows windows
		now     string
		open    bool
		next    string // empty: not in sight
	}{
		"it was so before 1970, too":                               {windows{office}, "1960-01-04T08:00:00+05:30", false, "1960-01-04T09:00:00+05:30"},
		"without windows it always may":                            {nil, "2026-03-02T12:00:00Z", true, ""},
		"within the hours":                                         {windows{office}, "2026-03-02T12:00:00+05:30", true, "2026-03-02T17:00:00+05:30"},
		"the start belongs to the window":                          {windows{office}, "2026-03-02T09:00:00+05:30", true, "2026-03-02T17:00:00+05:30"},
		"the end does not":                                         {windows{office}, "2026-03-02T17:00:00+05:30", false, "2026-03-03T09:00:00+05:30"},
		"the last moment before the end does":                      {windows{office}, "2026-03-02T16:59:59.999999999+05:30", true, "2026-03-02T17:00:00+05:30"},
		"the last moment before the start does not":                {windows{office}, "2026-03-02T08:59:59.999999999+05:30", false, "2026-03-02T09:00:00+05:30"},
		"from Thursday to Monday":                                  {windows{office}, "2026-03-05T18:00:00+05:30", false, "2026-03-09T09:00:00+05:30"},
		"without a time zone the clock is that of UTC":             {windows{allow("0 9 * * *", time.Hour, "")}, "2026-03-02T08:00:00Z", false, "2026-03-02T09:00:00Z"},
		"a Deny window wins over an Allow window":                  {windows{always, christmas}, "2026-12-24T12:00:00+05:30", false, "2027-01-02T00:00:00+05:30"},
		"after a Deny window it waits for an Allow window":         {windows{office, christmas}, "2026-12-24T12:00:00+05:30", false, "2027-01-04T09:00:00+05:30"},
		"before an Allow window it waits for no Deny window":       {windows{office, deny("0 9 * * MON", 3*time.Hour, "Asia/Kolkata")}, "2026-03-05T18:00:00+05:30", false, "2026-03-09T12:00:00+05:30"},
		"where a Deny window covers an Allow window it stays shut": {windows{office, deny("0 8 * * MON", 9*time.Hour, "Asia/Kolkata")}, "2026-03-05T18:00:00+05:30", false, "2026-03-10T09:00:00+05:30"},
		"an Allow window ends where a Deny window opens":           {windows{always, christmas}, "2026-12-23T12:00:00+05:30", true, "2026-12-24T00:00:00+05:30"},
		"without an Allow window all but the denied is allowed":    {windows{christmas}, "2026-12-23T12:00:00+05:30", true, "2026-12-24T00:00:00+05:30"},
		"and allowed again at the end of it":                       {windows{christmas}, "2026-12-24T12:00:00+05:30", false, "2027-01-02T00:00:00+05:30"},
		"an Allow window that never fires allows nothing":          {windows{allow("0 0 31 2 *", time.Hour, "")}, "2026-03-02T12:00:00Z", false, ""},
		"a Deny window that never fires denies nothing":            {windows{deny("0 0 31 2 *", time.Hour, "")}, "2026-03-02T12:00:00Z", true, ""},
		"what comes in more than two years is not in sight":        {windows{allow("0 0 29 2 *", time.Hour, "")}, "2026-02-01T00:00:00Z", false, ""},
		"what comes within two years is":                           {windows{allow("0 0 29 2 *", time.Hour, "")}, "2026-03-02T12:00:00Z", false, "2028-02-29T00:00:00Z"},
		"firings that overlap add up":                              {windows{allow("*/30 9-11 * * *", time.Hour, "")}, "2026-03-02T09:45:00Z", true, "2026-03-02T12:30:00Z"},
		"windows that touch add up":                                {windows{allow("0 9 * * *", time.Hour, ""), allow("0 10 * * *", time.Hour, "")}, "2026-03-02T09:45:00Z", true, "2026-03-02T11:00:00Z"},
		"a day that goes on until the next is without an end":      {windows{always}, "2026-03-02T09:45:30Z", true, ""},
		"a window may last into the next month":                    {windows{allow("0 0 1 1 *", 31*24*time.Hour, "")}, "2026-01-31T23:59:59Z", true, "2026-02-01T00:00:00Z"},
		"every minute for a month is without an end":               {windows{allow("* * * * *", 31*24*time.Hour, "Europe/Berlin")}, "2026-03-02T09:45:30Z", true, ""},
	} {
		t.Run(name, func(t *testing.T) { check(t, c.windows, c.now, c.open, c.next) })
	}
}

func TestWindowsGoByTheClockOnTheWall(t *testing.T) {
	in := func(zone, schedule string, d time.Duration) windows { return windows{allow(schedule, d, zone)} }
	for name, c := range map[string]struct {
		windows windows
		now     string
		open    bool
		next    string
	}{
		// In Berlin 2:00 became 3:00 on 29 March 2026, and 3:00 became 2:00 on 25 October.
		"what falls into the hour that is skipped opens when the clock has moved": {in("Europe/Berlin", "30 2 * * *", time.Hour), "2026-03-29T00:59:59Z", false, "2026-03-29T03:00:00+02:00"},
		"and is open as long as ever":                                    {in("Europe/Berlin", "30 2 * * *", time.Hour), "2026-03-29T01:00:00Z", true, "2026-03-29T04:00:00+02:00"},
		"what falls into the hour that comes twice opens the first time": {in("Europe/Berlin", "30 2 * * *", time.Minute), "2026-10-25T00:00:00Z", false, "2026-10-25T02:30:00+02:00"},
		"and not the second time":                                        {in("Europe/Berlin", "30 2 * * *", time.Minute), "2026-10-25T01:30:00Z", false, "2026-10-26T02:30:00+01:00"},
		"the end of the hour that comes twice comes once":                {in("Europe/Berlin", "0 3 * * *", time.Minute), "2026-10-25T00:30:00Z", false, "2026-10-25T03:00:00+01:00"},
		"every minute is not open when the hour comes the second time":   {in("Europe/Berlin", "* * * * *", time.Minute), "2026-10-24T00:00:00Z", true, "2026-10-25T02:00:00+01:00"},
		"but after it": {in("Europe/Berlin", "* * * * *", time.Minute), "2026-10-25T01:00:00Z", false, "2026-10-25T03:00:00+01:00"},
		"nine in the morning stays nine when the clock moves":                        {in("Europe/Berlin", "0 9 * * *", time.Hour), "2026-03-28T12:00:00Z", false, "2026-03-29T09:00:00+02:00"},
		"a duration is time elapsed when the clock moves ahead":                      {in("Europe/Berlin", "0 22 * * *", 8*time.Hour), "2026-03-28T23:00:00Z", true, "2026-03-29T07:00:00+02:00"},
		"and when it moves back":                                                     {in("Europe/Berlin", "0 22 * * *", 8*time.Hour), "2026-10-24T23:00:00Z", true, "2026-10-25T05:00:00+01:00"},
		"a day is too short when the clock moves back":                               {in("Europe/Berlin", "0 0 * * *", 24*time.Hour), "2026-03-29T12:00:00Z", true, "2026-10-25T23:00:00+01:00"},
		"a clock that moves ahead by half an hour":                                   {in("Australia/Lord_Howe", "10 2 * * *", time.Hour), "2026-10-03T12:00:00Z", false, "2026-10-04T02:30:00+11:00"},
		"a clock that moves back by half an hour":                                    {in("Australia/Lord_Howe", "45 1 * * *", time.Minute), "2026-04-04T15:00:00Z", false, "2026-04-06T01:45:00+10:30"},
		"a midnight that is skipped in Egypt":                                        {in("Africa/Cairo", "0 0 * * FRI", time.Hour), "2026-04-23T12:00:00Z", false, "2026-04-24T01:00:00+03:00"},
		"a midnight that is skipped in Brazil":                                       {in("America/Sao_Paulo", "0 0 * * *", time.Hour), "2018-11-03T12:00:00Z", false, "2018-11-04T01:00:00-02:00"},
		"a midnight that is put off in Brazil":                                       {in("America/Sao_Paulo", "30 23 * * *", time.Minute), "2019-02-17T02:00:00Z", false, "2019-02-17T23:30:00-03:00"},
		"a day that Samoa skipped opens what falls into it when the next one begins": {in("Pacific/Apia", "0 12 30 12 *", time.Hour), "2011-12-30T09:00:00Z", false, "2011-12-31T00:00:00+14:00"},
		// Go loses the end of the year there (https://go.dev/issue/81583), beyond 2037 with any database.
		"the last day of a leap year is one like others": {in("Europe/Berlin", "0 9 * * *", time.Hour), "2040-12-31T09:00:00Z", false, "2041-01-01T09:00:00+01:00"},
		"and the years behind it are still in sight":     {in("Europe/Berlin", "0 9 1 7 *", time.Hour), "2040-07-02T00:00:00Z", false, "2041-07-01T09:00:00+02:00"},
	} {
		t.Run(name, func(t *testing.T) { check(t, c.windows, c.now, c.open, c.next) })
	}
}

func check(t *testing.T, windows windows, now string, open bool, next string) {
	t.Helper()
	state := parsed(t, windows...).At(instant(t, now))
	got := ""
	if !state.Next.IsZero() {
		got = state.Next.Format(time.RFC3339)
	}
	if state.Open != open || got != next {
		t.Errorf("at %s open is %t until %q, want %t until %q", now, state.Open, got, open, next)
	}
	if (state.Then == "") != (next == "") {
		t.Errorf("at %s the next is %q and then %q, want both or none", now, next, state.Then)
	}
}

func TestTheMessageNamesTheWindowAndTheTimeToWaitFor(t *testing.T) {
	office := allow("0 9 * * MON-THU", 8*time.Hour, "Asia/Kolkata")
	shutdown := deny("0 0 24 12 *", 9*24*time.Hour, "Europe/Berlin")
	eve := deny("0 0 24 12 *", 24*time.Hour, "")
	const outside, within = "outside of the environment's windows: ", "within the environment's windows: "
	for name, c := range map[string]struct {
		windows   windows
		now, want string
	}{
		"no window": {nil, "2026-03-02T08:00:00Z", within + `no Deny window is open`},
		"none that allows": {
			windows{office, shutdown},
			"2026-03-02T08:00:00+05:30",
			outside + `no Allow window is open; a release may start from 2026-03-02T09:00:00+05:30, when Allow "0 9 * * MON-THU" (Asia/Kolkata) opens`,
		},
		"one that denies, until one allows": {
			windows{office, shutdown},
			"2026-12-24T10:00:00+05:30",
			outside + `Deny "0 0 24 12 *" (Europe/Berlin) is open; a release may start from 2027-01-04T09:00:00+05:30, when Allow "0 9 * * MON-THU" (Asia/Kolkata) opens`,
		},
		"two that deny, until the later one ends": {
			windows{eve, shutdown},
			"2026-12-24T10:00:00+05:30",
			outside + `Deny "0 0 24 12 *" (Europe/Berlin) is open; a release may start from 2027-01-02T00:00:00+01:00, when Deny "0 0 24 12 *" (Europe/Berlin) ends`,
		},
		"one that allows, until it ends": {
			windows{office, shutdown},
			"2026-03-02T10:00:00+05:30",
			within + `Allow "0 9 * * MON-THU" (Asia/Kolkata) is open; a release may start until 2026-03-02T17:00:00+05:30, when Allow "0 9 * * MON-THU" (Asia/Kolkata) ends`,
		},
		"none that denies, until one opens": {
			windows{eve},
			"2026-12-01T10:00:00Z",
			within + `no Deny window is open; a release may start until 2026-12-24T00:00:00Z, when Deny "0 0 24 12 *" (UTC) opens`,
		},
		"two that allow without an end, of which the first is named": {
			windows{allow("0 0 * * *", 48*time.Hour, ""), allow("0 12 * * *", 48*time.Hour, "")},
			"2026-12-01T11:50:00Z",
			within + `Allow "0 0 * * *" (UTC) is open`,
		},
		"none that will ever allow": {
			windows{allow("0 0 31 2 *", time.Hour, "")},
			"2026-12-01T10:00:00Z",
			outside + `no Allow window is open; no time at which a release may start is in sight`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := parsed(t, c.windows...)
			for _, later := range []time.Duration{0, time.Minute, 17 * time.Minute} {
				if diff := cmp.Diff(c.want, w.At(instant(t, c.now).Add(later)).Message()); diff != "" {
					t.Errorf("%s after %s (-want +got):\n%s", later, c.now, diff)
				}
			}
		})
	}
}

package window

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the oracle's zones must not depend on the machine

	"github.com/google/go-cmp/cmp"
	"github.com/robfig/cron/v3"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func allow(schedule string, d time.Duration, zone string) ecsv1alpha1.Window {
	return ecsv1alpha1.Window{Effect: ecsv1alpha1.WindowAllow, Schedule: schedule, DurationSeconds: int32(d / time.Second), TimeZone: zone}
}

func deny(schedule string, d time.Duration, zone string) ecsv1alpha1.Window {
	w := allow(schedule, d, zone)
	w.Effect = ecsv1alpha1.WindowDeny
	return w
}

func parsed(t *testing.T, windows ...ecsv1alpha1.Window) Windows {
	t.Helper()
	w, err := Parse(windows)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// at is a time of some zone.
func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestAReleaseMayStartWhileAWindowSaysSo(t *testing.T) {
	office := allow("0 9 * * MON-THU", 8*time.Hour, "Asia/Kolkata")
	christmas := deny("0 0 24 12 *", 9*24*time.Hour, "Asia/Kolkata")
	for name, c := range map[string]struct {
		windows []ecsv1alpha1.Window
		now     string
		open    bool
		next    string // "": not in sight
	}{
		"without windows it always may":                 {nil, "2026-03-02T12:00:00Z", true, ""},
		"within the hours":                              {[]ecsv1alpha1.Window{office}, "2026-03-02T12:00:00+05:30", true, "2026-03-02T17:00:00+05:30"},
		"at the first second":                           {[]ecsv1alpha1.Window{office}, "2026-03-02T09:00:00+05:30", true, "2026-03-02T17:00:00+05:30"},
		"not any more at the end":                       {[]ecsv1alpha1.Window{office}, "2026-03-02T17:00:00+05:30", false, "2026-03-03T09:00:00+05:30"},
		"a second before":                               {[]ecsv1alpha1.Window{office}, "2026-03-02T08:59:59+05:30", false, "2026-03-02T09:00:00+05:30"},
		"from Thursday to Monday":                       {[]ecsv1alpha1.Window{office}, "2026-03-05T18:00:00+05:30", false, "2026-03-09T09:00:00+05:30"},
		"a window that denies wins":                     {[]ecsv1alpha1.Window{office, christmas}, "2026-12-24T12:00:00+05:30", false, "2027-01-04T09:00:00+05:30"},
		"a window that allows ends where one denies":    {[]ecsv1alpha1.Window{allow("0 0 * * *", 24*time.Hour, "Asia/Kolkata"), christmas}, "2026-12-23T12:00:00+05:30", true, "2026-12-24T00:00:00+05:30"},
		"without one that allows, all but the denied":   {[]ecsv1alpha1.Window{christmas}, "2026-12-23T12:00:00+05:30", true, "2026-12-24T00:00:00+05:30"},
		"one that never fires never allows":             {[]ecsv1alpha1.Window{allow("0 0 31 2 *", time.Hour, "")}, "2026-03-02T12:00:00Z", false, ""},
		"firings that overlap add up":                   {[]ecsv1alpha1.Window{allow("*/30 9-11 * * *", time.Hour, "")}, "2026-03-02T09:45:00Z", true, "2026-03-02T12:30:00Z"},
		"every minute is always":                        {[]ecsv1alpha1.Window{allow("* * * * *", time.Minute, "")}, "2026-03-02T09:45:30Z", true, ""},
		"one longer than the way to the next is always": {[]ecsv1alpha1.Window{allow("0 0 * * *", 48*time.Hour, "Europe/Berlin")}, "2026-03-02T09:45:30Z", true, ""},

		// In Berlin the clock goes from 2:00 to 3:00 on 29 March 2026, and from 3:00 to 2:00 on 25 October.
		"what falls into the hour that is skipped opens when the clock has moved": {
			[]ecsv1alpha1.Window{allow("30 2 * * *", time.Hour, "Europe/Berlin")}, "2026-03-29T00:59:59Z", false, "2026-03-29T03:00:00+02:00",
		},
		"and lasts as long as ever": {
			[]ecsv1alpha1.Window{allow("30 2 * * *", time.Hour, "Europe/Berlin")}, "2026-03-29T01:00:00Z", true, "2026-03-29T04:00:00+02:00",
		},
		"what falls into the hour that comes twice opens the first time": {
			[]ecsv1alpha1.Window{allow("30 2 * * *", 30*time.Minute, "Europe/Berlin")}, "2026-10-25T00:00:00Z", false, "2026-10-25T02:30:00+02:00",
		},
		"and not the second time": {
			[]ecsv1alpha1.Window{allow("30 2 * * *", 30*time.Minute, "Europe/Berlin")}, "2026-10-25T01:30:00Z", false, "2026-10-26T02:30:00+01:00",
		},
		"a duration is time that passes, also when the clock moves": {
			[]ecsv1alpha1.Window{allow("0 22 * * *", 8*time.Hour, "Europe/Berlin")}, "2026-03-28T23:00:00Z", true, "2026-03-29T07:00:00+02:00",
		},
		"a midnight that is skipped": { // Cairo, 24 April 2026: 0:00 becomes 1:00
			[]ecsv1alpha1.Window{allow("0 0 * * FRI", time.Hour, "Africa/Cairo")}, "2026-04-23T21:59:59Z", false, "2026-04-24T01:00:00+03:00",
		},
		"a day that is skipped": { // Samoa had no 30 December 2011
			[]ecsv1alpha1.Window{allow("0 12 30 12 *", time.Hour, "Pacific/Apia")}, "2011-12-30T09:00:00Z", false, "2011-12-31T00:00:00+14:00",
		},
		"a clock that moves by half an hour": { // Lord Howe, 5 April 2026: 2:00 becomes 1:30
			[]ecsv1alpha1.Window{allow("45 1 5 4 *", 20*time.Minute, "Australia/Lord_Howe")}, "2026-04-04T14:00:00Z", false, "2026-04-05T01:45:00+11:00",
		},
	} {
		t.Run(name, func(t *testing.T) {
			state := parsed(t, c.windows...).At(at(t, c.now))
			var next string
			if !state.Next.IsZero() {
				next = state.Next.Format(time.RFC3339)
			}
			if state.Open != c.open || next != c.next {
				t.Errorf("open is %t until %q, wanted %t until %q (%s)", state.Open, next, c.open, c.next, state.Message())
			}
		})
	}
}

func TestAWindowThatCannotBeUnderstoodIsNamed(t *testing.T) {
	good := allow("0 9 * * *", time.Hour, "")
	for name, c := range map[string]struct {
		window ecsv1alpha1.Window
		says   string
	}{
		"an hour that there is not":   {allow("0 25 * * *", time.Hour, ""), "minute and hour"},
		"a day that there is not":     {allow("0 9 * * FOO", time.Hour, ""), "day and month"},
		"four fields":                 {allow("0 9 * *", time.Hour, ""), "4 fields"},
		"six fields":                  {allow("0 0 9 * * *", time.Hour, ""), "6 fields"},
		"a macro":                     {allow("@daily", time.Hour, ""), "1 fields"},
		"a zone in the schedule":      {allow("CRON_TZ=UTC 9 * * *", time.Hour, ""), "minute and hour"},
		"an empty list":               {allow("0 , * * *", time.Hour, ""), "empty list"},
		"a zone that there is not":    {allow("0 9 * * *", time.Hour, "Asia/Atlantis"), "Asia/Atlantis"},
		"the zone of the machine":     {allow("0 9 * * *", time.Hour, "Local"), "depends on the machine"},
		"a way out of the zones":      {allow("0 9 * * *", time.Hour, "../../etc/passwd"), "timeZone"},
		"no time at all":              {allow("0 9 * * *", 0, ""), "durationSeconds"},
		"an effect that there is not": {ecsv1alpha1.Window{Effect: "Maybe", Schedule: "0 9 * * *", DurationSeconds: 60}, "Maybe"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]ecsv1alpha1.Window{good, c.window})
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "windows[1]") {
				t.Errorf("the error is %v, wanted one that names windows[1] and %q", err, c.says)
			}
		})
	}
}

func TestTheMessageSaysWhichWindowAndUntilWhen(t *testing.T) {
	office := allow("0 9 * * MON-THU", 8*time.Hour, "Asia/Kolkata")
	shutdown := deny("0 0 24 12 *", 9*24*time.Hour, "Asia/Kolkata")
	for now, want := range map[string]string{
		"2026-03-02T08:00:00+05:30": `outside of the environment's windows: no Allow window is open; a release may start from 2026-03-02T09:00:00+05:30, when Allow "0 9 * * MON-THU" (Asia/Kolkata) opens`,
		"2026-12-24T10:00:00+05:30": `outside of the environment's windows: Deny "0 0 24 12 *" (Asia/Kolkata) is open; a release may start from 2027-01-04T09:00:00+05:30, when Allow "0 9 * * MON-THU" (Asia/Kolkata) opens`,
		"2026-03-02T10:00:00+05:30": `within the environment's windows: Allow "0 9 * * MON-THU" (Asia/Kolkata) is open; a release may start until 2026-03-02T17:00:00+05:30, when Allow "0 9 * * MON-THU" (Asia/Kolkata) ends`,
	} {
		w := parsed(t, office, shutdown)
		if diff := cmp.Diff(want, w.At(at(t, now)).Message()); diff != "" {
			t.Errorf("at %s (-want +got):\n%s", now, diff)
		}
		if later := w.At(at(t, now).Add(17 * time.Minute)).Message(); later != want {
			t.Errorf("at %s the message changes although the state does not: %s", now, later)
		}
	}
}

// oracle says minute by minute whether windows are open: it lets the wall clock go on and asks of each
// minute that it shows for the first time, or has passed, whether the schedule fires.
func oracle(t *testing.T, windows []ecsv1alpha1.Window, from time.Time, minutes int) []bool {
	t.Helper()
	open := make([]bool, minutes)
	allows := make([]bool, minutes)
	anyAllow := false
	for i := range open {
		open[i] = true
	}
	for _, w := range windows {
		anyAllow = anyAllow || w.Effect == ecsv1alpha1.WindowAllow
		schedule, err := cron.ParseStandard(w.Schedule)
		if err != nil {
			t.Fatal(err)
		}
		zone, err := time.LoadLocation(w.TimeZone)
		if err != nil {
			t.Fatal(err)
		}
		lead := int(w.DurationSeconds)/60 + 60*24
		farthest := time.Time{} // that the wall clock has shown
		for i := -lead; i < minutes; i++ {
			now := from.Add(time.Duration(i) * time.Minute).In(zone)
			_, offset := now.Zone()
			shown := now.UTC().Add(time.Duration(offset) * time.Second)
			if farthest.IsZero() {
				farthest = shown.Add(-time.Minute)
			}
			if !shown.After(farthest) {
				continue
			}
			fires := !schedule.Next(farthest).After(shown)
			farthest = shown
			if !fires {
				continue
			}
			for j := max(i, 0); j < min(i+int(w.DurationSeconds)/60, minutes); j++ {
				if w.Effect == ecsv1alpha1.WindowDeny {
					open[j] = false
				} else {
					allows[j] = true
				}
			}
		}
	}
	for i := range open {
		open[i] = open[i] && (allows[i] || !anyAllow)
	}
	return open
}

func TestAnyWindowsSayWhatTheClockOnTheWallSays(t *testing.T) {
	changes := map[string]time.Time{
		"Europe/Berlin":       time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC),
		"America/New_York":    time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC),
		"Australia/Lord_Howe": time.Date(2026, 4, 4, 15, 0, 0, 0, time.UTC),
		"Africa/Cairo":        time.Date(2026, 4, 23, 22, 0, 0, 0, time.UTC),
		"Asia/Kolkata":        time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC),
		"Pacific/Apia":        time.Date(2011, 12, 30, 10, 0, 0, 0, time.UTC),
	}
	random := rand.New(rand.NewPCG(1, 2))
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kolkata", "Pacific/Apia"}
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	for range 60 {
		zone := pick(zones...)
		var windows []ecsv1alpha1.Window
		for range 1 + random.IntN(3) {
			schedule := fmt.Sprintf("%s %s %s %s %s", pick("0", "30", "*/20", "15,45", "*"), pick("*", "1", "2", "0-3", "*/6", "23"), pick("*", "*", "*", "1", "29-31"), pick("*", "*", "3,4,10-12"), pick("*", "*", "SUN", "MON-FRI"))
			w := allow(schedule, time.Duration(1+random.IntN(600))*time.Minute, zone)
			if random.IntN(3) == 0 {
				w.Effect = ecsv1alpha1.WindowDeny
			}
			windows = append(windows, w)
		}
		const days = 4
		from := changes[zone].Add(-36 * time.Hour)
		want := oracle(t, windows, from, days*24*60)
		w := parsed(t, windows...)
		for i := 0; i < len(want); i += 1 + random.IntN(40) {
			now := from.Add(time.Duration(i) * time.Minute)
			state := w.At(now)
			if state.Open != want[i] {
				t.Fatalf("%v at %s: open is %t, wanted %t", windows, now.In(w[0].zone), state.Open, want[i])
			}
			for j := i + 1; j < len(want); j++ {
				if want[j] != want[i] {
					if next := from.Add(time.Duration(j) * time.Minute); !state.Next.Equal(next) {
						t.Fatalf("%v at %s: next is %s, wanted %s", windows, now.In(w[0].zone), state.Next, next.In(w[0].zone))
					}
					break
				}
			}
		}
	}
}

func TestTheMostOfTheLongestWindowsIsUnderstoodInTime(t *testing.T) {
	var windows []ecsv1alpha1.Window
	for i := range 32 {
		w := allow("* * * * *", 31*24*time.Hour, []string{"Europe/Berlin", "Asia/Kolkata"}[i%2])
		if i%3 == 0 {
			w = deny("*/7 * * * *", time.Minute, "America/New_York")
		}
		windows = append(windows, w)
	}
	w := parsed(t, windows...)
	began := time.Now()
	for i := range 10 {
		w.At(time.Date(2026, 3, 29, 0, i, 0, 0, time.UTC))
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("ten looks took %s", took)
	}
}

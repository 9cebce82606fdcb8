package window

import (
	"strings"
	"testing"
	"time"

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

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAWindowThatCannotBeUnderstoodIsNamed(t *testing.T) {
	good := allow("0 9 * * *", time.Hour, "")
	for name, c := range map[string]struct {
		window ecsv1alpha1.Window
		want   string
	}{
		"an hour that there is not":            {allow("0 25 * * *", time.Hour, ""), `windows[1], Allow "0 25 * * *": minute and hour: end of range (25) above maximum (23)`},
		"a day of the week that there is not":  {deny("0 9 * * FOO", time.Hour, ""), `windows[1], Deny "0 9 * * FOO": day and month: failed to parse int from FOO`},
		"Sunday by the number 7":               {allow("0 9 * * 7", time.Hour, ""), `windows[1], Allow "0 9 * * 7": day and month: end of range (7) above maximum (6)`},
		"a range that goes back":               {allow("0 9 * * FRI-MON", time.Hour, ""), `beyond end of range`},
		"a step of zero":                       {allow("*/0 9 * * *", time.Hour, ""), `step of range should be a positive number`},
		"four fields":                          {allow("0 9 * *", time.Hour, ""), `windows[1], Allow "0 9 * *": a schedule of 4 fields, want 5: minute, hour,`},
		"six fields":                           {allow("0 0 9 * * *", time.Hour, ""), "a schedule of 6 fields, want 5"},
		"no schedule":                          {allow("", time.Hour, ""), "a schedule of 0 fields, want 5"},
		"a macro":                              {allow("@daily", time.Hour, ""), "a schedule of 1 fields, want 5"},
		"a macro in the place of the first":    {allow("@daily 9 * * *", time.Hour, ""), "minute and hour: parser does not accept descriptors"},
		"a macro in the place of the third":    {allow("0 9 @daily * *", time.Hour, ""), "day and month: parser does not accept descriptors"},
		"a time zone before the schedule":      {allow("CRON_TZ=Asia/Kolkata 0 9 * * *", time.Hour, ""), "a schedule of 6 fields, want 5"},
		"a time zone instead of the minute":    {allow("TZ=UTC 9 * * *", time.Hour, ""), "minute and hour: expected exactly 2 fields"},
		"a time zone instead of the day":       {allow("0 9 TZ=UTC * *", time.Hour, ""), "day and month: expected exactly 3 fields"},
		"an empty list, which matches nothing": {allow("0 , * * *", time.Hour, ""), `field "," is an empty list`},
		"a time zone that there is not":        {allow("0 9 * * *", time.Hour, "Asia/Atlantis"), `windows[1], Allow "0 9 * * *": timeZone "Asia/Atlantis": unknown time zone Asia/Atlantis`},
		"the time zone of the machine":         {allow("0 9 * * *", time.Hour, "Local"), "timeZone Local depends on the machine"},
		"a way out of the time zones":          {allow("0 9 * * *", time.Hour, "../../etc/passwd"), `timeZone "../../etc/passwd"`},
		"no time at all":                       {allow("0 9 * * *", 0, ""), "durationSeconds 0, want 1 or more"},
		"an effect that there is not":          {ecsv1alpha1.Window{Effect: "Maybe", Schedule: "0 9 * * *", DurationSeconds: 60}, `effect "Maybe", want Allow or Deny`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse([]ecsv1alpha1.Window{good, c.window, c.window})
			if err == nil || !strings.HasPrefix(err.Error(), "windows[1], ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Parse() = %v, want an error that names windows[1] and says %q", err, c.want)
			}
			if got != nil {
				t.Errorf("Parse() = %v with the error, want nothing", got)
			}
		})
	}
}

func TestWhatACronJobUnderstandsIsUnderstood(t *testing.T) {
	for _, schedule := range []string{
		"0 9 * * MON-THU", "0 9 * * mon,Tue", "*/15 8-18/2 1,15 JAN-MAR ?", "5/20 0 1 * *", "0  9  *  *  0", "0 0 31 2 *",
	} {
		if _, err := Parse([]ecsv1alpha1.Window{allow(schedule, time.Hour, "Europe/Berlin")}); err != nil {
			t.Errorf("Parse(): %v, want no error", err)
		}
	}
}

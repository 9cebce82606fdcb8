// Package window tells when the windows of an environment let a release start.
//
// A window opens when its schedule fires, and is then open for its duration; firings that overlap
// add up. Its start belongs to it, its end does not. A release may start when no Deny window is
// open and either an Allow window is, or there is none of that effect.
//
// Schedules are read by the clock on the wall of the window's time zone: a firing is the first
// instant at which that clock shows the time, or one behind it. What falls into an hour that is
// skipped (or a day, as in Samoa in 2011) thus fires when the clock has moved, and what falls into
// one that comes twice fires the first time. Durations are time elapsed, whatever clocks do.
package window

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Windows are the windows of an environment, understood. Of the zero Windows a release may
// always start. They are not changed by being used.
type Windows []window

// window is one of them. On the wall clock and in seconds: days fires at each midnight that a day
// with firings begins with, and on each of those days the window opens at the same seconds after
// midnight. These come in runs, within which it opens anew before or as it ends.
type window struct {
	effect   ecsv1alpha1.WindowEffect
	name     string
	zone     *time.Location
	duration int64
	days     cron.Schedule
	runs     [][]int64
}

const wantFields = "minute, hour, day of the month, month, day of the week"

// The library reads the fields of cron (https://pkg.go.dev/github.com/robfig/cron/v3, as CronJobs
// do) in two parts, each with its own defaults for the other: any day, and midnight.
var (
	clockFields = cron.NewParser(cron.Minute | cron.Hour)
	dayFields   = cron.NewParser(cron.Dom | cron.Month | cron.Dow)
)

// Parse understands the windows of an environment; none is fine. A schedule has five fields and
// the syntax of a CronJob's, without macros (@daily) and without TZ= or CRON_TZ=. A time zone is
// a name of the IANA database, UTC if empty, and never Local, which depends on the machine. The
// error is that of the first window that cannot be understood, with its index and schedule. A
// schedule that never fires, such as one for 31 February, is none.
func Parse(windows []ecsv1alpha1.Window) (Windows, error) {
	parsed := make(Windows, len(windows))
	for i, w := range windows {
		var err error
		if parsed[i], err = parse(w); err != nil {
			return nil, fmt.Errorf("windows[%d], %s %q: %w", i, w.Effect, w.Schedule, err)
		}
	}
	return parsed, nil
}

func parse(w ecsv1alpha1.Window) (window, error) {
	switch {
	case w.Effect != ecsv1alpha1.WindowAllow && w.Effect != ecsv1alpha1.WindowDeny:
		return window{}, fmt.Errorf("effect %q, want Allow or Deny", w.Effect)
	case w.DurationSeconds < 1:
		return window{}, fmt.Errorf("durationSeconds %d, want 1 or more", w.DurationSeconds)
	case w.TimeZone == "Local":
		return window{}, errors.New("timeZone Local depends on the machine, want the name of a place such as Asia/Kolkata")
	}
	zone, err := time.LoadLocation(w.TimeZone)
	if err != nil {
		return window{}, fmt.Errorf("timeZone %q: %w", w.TimeZone, err)
	}
	firings, days, err := parseSchedule(w.Schedule)
	if err != nil {
		return window{}, err
	}
	duration := int64(w.DurationSeconds)
	return window{
		effect:   w.Effect,
		name:     fmt.Sprintf("%s %q (%s)", w.Effect, w.Schedule, zone),
		zone:     zone,
		duration: duration,
		days:     days,
		runs:     runsOf(firings, duration),
	}, nil
}

// parseSchedule returns the firings of a day in seconds after midnight, and the midnights of the
// days that have them.
func parseSchedule(schedule string) ([]int64, cron.Schedule, error) {
	fields := strings.Fields(schedule)
	if len(fields) != 5 {
		return nil, nil, fmt.Errorf("a schedule of %d fields, want 5: %s", len(fields), wantFields)
	}
	for _, field := range fields {
		// The library takes it for a field that nothing matches.
		if strings.Trim(field, ",") == "" {
			return nil, nil, fmt.Errorf("field %q is an empty list", field)
		}
	}
	clock, err := clockFields.Parse(strings.Join(fields[:2], " "))
	if err != nil {
		return nil, nil, fmt.Errorf("minute and hour: %w", err)
	}
	days, err := dayFields.Parse(strings.Join(fields[2:], " "))
	if err != nil {
		return nil, nil, fmt.Errorf("day and month: %w", err)
	}

	// Any day will do: the wall clock is that of UTC here, where all are alike. The library gets
	// from one second to the next by one, so it is asked from the last second before it matters.
	var firings []int64
	midnight := time.Unix(0, 0).UTC()
	for at := clock.Next(midnight.Add(-time.Second)); at.Before(midnight.Add(wholeDay)); at = clock.Next(at.Add(59 * time.Second)) {
		firings = append(firings, at.Unix())
	}
	return firings, days, nil
}

// runsOf cuts firings where one ends before the next begins.
func runsOf(firings []int64, duration int64) [][]int64 {
	var runs [][]int64
	begin := 0
	for i := range firings {
		if last := i+1 == len(firings); last || firings[i+1]-firings[i] > duration {
			runs = append(runs, firings[begin:i+1])
			begin = i + 1
		}
	}
	return runs
}

package window

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// field is a field of a schedule and what it matches: all when that is nil.
type field struct {
	text    string
	matches []int
}

func (f field) has(i int) bool { return f.matches == nil || slices.Contains(f.matches, i) }

// anyFields are what the fields of the property's schedules may be.
var anyFields = [5][]field{
	{{"*", nil}, {"0", []int{0}}, {"30", []int{30}}, {"*/20", []int{0, 20, 40}}, {"15,45", []int{15, 45}}, {"*/2", evens(60)}, {"55-59", []int{55, 56, 57, 58, 59}}},
	{{"*", nil}, {"0", []int{0}}, {"1", []int{1}}, {"2", []int{2}}, {"0-3", []int{0, 1, 2, 3}}, {"*/2", evens(24)}, {"9,23", []int{9, 23}}},
	{{"*", nil}, {"*", nil}, {"*", nil}, {"1", []int{1}}, {"4,24-31", []int{4, 24, 25, 26, 27, 28, 29, 30, 31}}},
	{{"*", nil}, {"*", nil}, {"*", nil}, {"FEB-APR,10-12", []int{2, 3, 4, 10, 11, 12}}},
	{{"*", nil}, {"*", nil}, {"*", nil}, {"SUN", []int{0}}, {"MON-FRI", []int{1, 2, 3, 4, 5}}},
}

func evens(n int) []int {
	var all []int
	for i := 0; i < n; i += 2 {
		all = append(all, i)
	}
	return all
}

// plan is a window with what its schedule matches.
type plan struct {
	ecsv1alpha1.Window
	fields [5]field
}

func anyPlan(random *rand.Rand, zone string) plan {
	var p plan
	for i, choices := range anyFields {
		p.fields[i] = choices[random.IntN(len(choices))]
	}
	durations := []int32{1, 2, 7, 20, 60, 90, 8 * 60, 23 * 60, 24 * 60, 26 * 60, 4 * 24 * 60, 31 * 24 * 60}
	zones := []string{zone, zone, zone, "", "America/New_York"}
	p.Window = ecsv1alpha1.Window{
		Effect:          []ecsv1alpha1.WindowEffect{ecsv1alpha1.WindowAllow, ecsv1alpha1.WindowAllow, ecsv1alpha1.WindowDeny}[random.IntN(3)],
		Schedule:        fmt.Sprintf("%s %s %s %s %s", p.fields[0].text, p.fields[1].text, p.fields[2].text, p.fields[3].text, p.fields[4].text),
		DurationSeconds: 60 * durations[random.IntN(len(durations))],
		TimeZone:        zones[random.IntN(len(zones))],
	}
	return p
}

// fires tells whether the schedule matches a minute that a clock shows.
func (p plan) fires(shown time.Time) bool {
	f := p.fields
	if !f[0].has(shown.Minute()) || !f[1].has(shown.Hour()) || !f[3].has(int(shown.Month())) {
		return false
	}
	date, weekday := f[2].has(shown.Day()), f[4].has(int(shown.Weekday()))
	if f[2].matches == nil || f[4].matches == nil {
		return date && weekday
	}
	return date || weekday
}

// open tells of each minute from an instant on whether the window is open, by letting the clock
// on the wall go on, minute by minute, and asking of each one that it shows for the first time, or
// has passed, whether the schedule fires.
func (p plan) open(t *testing.T, from time.Time, minutes int) []bool {
	t.Helper()
	zone, err := time.LoadLocation(p.TimeZone)
	if err != nil {
		t.Fatal(err)
	}
	duration := int(p.DurationSeconds) / 60
	lead := duration + 24*60
	farthest, end := int64(0), -lead
	open := make([]bool, minutes)
	for i := -lead; i < minutes; i++ {
		now := from.Add(time.Duration(i) * time.Minute).In(zone)
		_, offset := now.Zone()
		shown := (now.Unix() + int64(offset)) / 60
		if i == -lead {
			farthest = shown - 1
		}
		for ; farthest < shown; farthest++ {
			if p.fires(time.Unix((farthest+1)*60, 0).UTC()) {
				end = i + duration
			}
		}
		if i >= 0 {
			open[i] = i < end
		}
	}
	return open
}

// oracle tells of each minute whether a release may start.
func oracle(t *testing.T, plans []plan, from time.Time, minutes int) []bool {
	t.Helper()
	allowed, denied := make([]bool, minutes), make([]bool, minutes)
	allows := false
	for _, p := range plans {
		into := denied
		if p.Effect == ecsv1alpha1.WindowAllow {
			into, allows = allowed, true
		}
		for i, open := range p.open(t, from, minutes) {
			into[i] = into[i] || open
		}
	}
	for i := range allowed {
		allowed[i] = (allowed[i] || !allows) && !denied[i]
	}
	return allowed
}

func TestAnyWindowsAreOpenWhenAnObserverOfTheClockSaysSo(t *testing.T) {
	for i, c := range []struct{ zone, around string }{
		{"Europe/Berlin", "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-10-25T01:00:00Z"},
		{"Europe/Berlin", "2040-12-31T00:00:00Z"},
		{"America/New_York", "2026-11-01T06:00:00Z"},
		{"Australia/Lord_Howe", "2026-04-04T15:00:00Z"},
		{"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
		{"Africa/Cairo", "2026-04-23T22:00:00Z"},
		{"Africa/Cairo", "2026-10-29T21:00:00Z"},
		{"Africa/Casablanca", "2026-02-15T02:00:00Z"},
		{"America/Sao_Paulo", "2018-11-04T03:00:00Z"},
		{"America/Sao_Paulo", "2019-02-17T02:00:00Z"},
		{"Antarctica/Troll", "2026-10-25T01:00:00Z"}, // by two hours
		{"Pacific/Apia", "2011-12-30T10:00:00Z"},
		{"Asia/Kolkata", "2026-04-01T00:00:00Z"},
	} {
		t.Run(c.zone+" around "+c.around, func(t *testing.T) {
			random := rand.New(rand.NewPCG(2026, uint64(i)))
			for range 12 {
				var plans []plan
				for range 1 + random.IntN(4) {
					plans = append(plans, anyPlan(random, c.zone))
				}
				observe(t, random, plans, instant(t, c.around))
			}
		})
	}
}

// observe compares what At says with the oracle, at moments of three weeks around an instant.
func observe(t *testing.T, random *rand.Rand, plans []plan, around time.Time) {
	t.Helper()
	from := around.AddDate(0, 0, -10)
	want := oracle(t, plans, from, 21*24*60)
	var all windows
	for _, p := range plans {
		all = append(all, p.Window)
	}
	w := parsed(t, all...)
	for range 60 {
		i := random.IntN(len(want))
		if random.IntN(2) == 0 { // near the change
			i = 10*24*60 - 180 + random.IntN(360)
		}
		now := from.Add(time.Duration(i)*time.Minute + time.Duration(random.Int64N(int64(time.Minute))))
		state := w.At(now)
		if state.Open != want[i] {
			t.Fatalf("%v at %s: open is %t, want %t", all, now, state.Open, want[i])
		}
		change := slices.Index(want[i:], !want[i])
		if change < 0 {
			if end := from.Add(time.Duration(len(want)) * time.Minute); !state.Next.IsZero() && state.Next.Before(end) {
				t.Fatalf("%v at %s: next is %s, want none before %s", all, now, state.Next, end)
			}
			continue
		}
		if next := from.Add(time.Duration(i+change) * time.Minute); !state.Next.Equal(next) {
			t.Fatalf("%v at %s: next is %s, want %s", all, now, state.Next, next)
		}
	}
}

// The work for one look is bounded by sightRuns, whatever the windows: these would take minutes
// if their firings were counted one by one.
func TestTheBusiestWindowsAreUnderstoodInNoTime(t *testing.T) {
	now := time.Date(2026, 3, 29, 0, 10, 0, 0, time.UTC)
	for name, c := range map[string]struct{ even, odd ecsv1alpha1.Window }{
		"every minute for a month":     {allow("* * * * *", 31*24*time.Hour, "Europe/Berlin"), deny("* * * * *", 31*24*time.Hour, "Asia/Kolkata")},
		"every minute for a minute":    {allow("* * * * *", time.Minute, "Europe/Berlin"), allow("* * * * *", time.Minute, "America/New_York")},
		"what is allowed is denied":    {allow("*/2 * * * *", time.Minute, "Europe/Berlin"), deny("*/2 * * * *", time.Minute, "Europe/Berlin")},
		"a schedule that never fires":  {allow("* * 31 2 *", time.Minute, "Europe/Berlin"), deny("* * 30 2 *", time.Minute, "Europe/Berlin")},
		"a month, and minutes in it":   {deny("0 0 * * *", 31*24*time.Hour, "Europe/Berlin"), allow("*/2 * * * *", time.Minute, "Europe/Berlin")},
		"in a zone with half an hours": {allow("*/3 * * * *", time.Minute, "Australia/Lord_Howe"), deny("1/3 * * * *", 2*time.Minute, "Australia/Lord_Howe")},
	} {
		t.Run(name, func(t *testing.T) {
			var all windows
			for range 16 {
				all = append(all, c.even, c.odd)
			}
			w := parsed(t, all...)
			for i := range 5 {
				w.At(now.Add(time.Duration(i) * time.Minute))
			}
			v := w.view(now)
			if runs := readToTheEnd(v); runs > 4*sightRuns {
				t.Errorf("there are %d runs in sight, want at most %d", runs, 4*sightRuns)
			}
		})
	}
}

// readToTheEnd counts what the cursors of a view read until there is no more.
func readToTheEnd(v view) int {
	runs := 0
	for _, c := range slices.Concat(v.allow, v.deny) {
		for c.more() {
			runs += len(c.ahead)
			c.ahead = nil
		}
	}
	return runs
}

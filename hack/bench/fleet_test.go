package main

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

func TestLoadIsToldApartByWhetherAnythingWasLookedAt(t *testing.T) {
	got := load([]interval{
		{5 * time.Second, 100 * time.Millisecond, 0},
		{5 * time.Second, 2 * time.Second, 480},
		{10 * time.Second, 100 * time.Millisecond, 0},
	})
	const want = "idle **0.013 core** (15.0s), in a sweep **0.400 core** (5.0s)"
	if got != want {
		t.Errorf("the load is %s, want %s", got, want)
	}
	if got := load(nil); got != "idle **never** (0s), in a sweep **never** (0s)" {
		t.Errorf("nothing is %s", got)
	}
}

// A thousand services that are looked at ten at a time every five minutes, more or less, cost 1.2 calls an
// hour each, wherever in a sweep the watch begins and ends.
func TestCallsOfAServiceAreCountedOverWholeIntervals(t *testing.T) {
	for name, c := range map[string]struct {
		every       time.Duration
		from, until time.Duration
		want        float64
	}{
		"from sweep to sweep":           {5 * time.Minute, 200 * time.Second, 1100 * time.Second, 1.2},
		"from the middle of one":        {5 * time.Minute, 50 * time.Second, 950 * time.Second, 1.2},
		"to the middle of one":          {5 * time.Minute, 200 * time.Second, 1250 * time.Second, 1.2},
		"one that looks twice as often": {150 * time.Second, 200 * time.Second, 1100 * time.Second, 2.4},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
			all := gazes{}
			for at := time.Duration(0); at < 30*time.Minute; at += c.every {
				for i := range 100 { // a sweep lasts a hundred seconds
					request := struct {
						Cluster  string   `json:"cluster"`
						Services []string `json:"services"`
					}{Cluster: "helium-fleet-00"}
					for j := range 10 {
						request.Services = append(request.Services, member(10*i+j))
					}
					body, err := json.Marshal(request)
					if err != nil {
						t.Fatal(err)
					}
					if when := at + time.Duration(i)*time.Second; when >= c.from && when < c.until {
						all.add(&call{Operation: "DescribeServices", Region: region, Time: began.Add(when), Request: body})
					}
				}
			}
			all.add(&call{Operation: "DescribeServices", Region: region, Request: json.RawMessage(`{"cluster":"` + away.Name + `","services":["backend"]}`)})
			if !all.seen(1000, 3) || all.seen(1001, 3) || all.seen(1000, 8) {
				t.Errorf("%d services were seen, which is not noticed", len(all))
			}
			rate, apart := all.rate()
			if math.Abs(rate-c.want) > 1e-9 || apart != c.every {
				t.Errorf("%g calls an hour, one look every %s; want %g, and %s", rate, apart, c.want, c.every)
			}
		})
	}
	if rate, _ := (gazes{}).rate(); rate != 0 {
		t.Errorf("nothing costs %g calls", rate)
	}
}

package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// world is a world by its series: what each is worth now, and by how much it grows in a minute.
type world map[string][2]float64

// The series of one manager that leads, observes a service and is answered.
var calm = world{
	`controller_runtime_reconcile_total{controller="ecsrelease", result="success", pod="a"}`:             {100, 1},
	`ecsrelease_aws_api_requests_total{service="ECS", operation="DescribeServices", code="OK", pod="a"}`: {1000, 10},
	`ecsrelease_services_ready{namespace="production", name="web", pod="a"}`:                             {2, 0},
	`ecsrelease_services_ready{namespace="production", name="web", pod="b"}`:                             {2, 0},
	`ecsrelease_ready{namespace="production", name="web", pod="a"}`:                                      {1, 0},
	`ecsrelease_ready{namespace="production", name="web", pod="b"}`:                                      {1, 0},
	`ecsrelease_waiting{namespace="production", name="web", pod="a"}`:                                    {0, 0},
	`ecsrelease_waiting{namespace="production", name="web", pod="b"}`:                                    {0, 0},
}

// but is the calm world with something else; what is nil is not there.
func but(changes map[string]*[2]float64) world {
	changed := world{}
	for series, value := range calm {
		changed[series] = value
	}
	for series, value := range changes {
		delete(changed, series)
		if value != nil {
			changed[series] = *value
		}
	}
	return changed
}

// is is a series that stays as it is.
func is(value float64) *[2]float64 { return &[2]float64{value, 0} }

// grows is one that grows by so much in a minute.
func grows(perMinute float64) *[2]float64 { return &[2]float64{10000, perMinute} }

const (
	web       = `{namespace="production", name="web", pod="%s"}`
	requests  = `ecsrelease_aws_api_requests_total{service="ECS", operation="DescribeServices", code="OK", pod="a"}`
	throttled = `ecsrelease_aws_api_requests_total{service="ECS", operation="DescribeServices", code="ThrottlingException", pod="a"}`
	throttles = `ecsrelease_aws_api_throttles_total{service="ECS", operation="DescribeServices", pod="a"}`
	passes    = `controller_runtime_reconcile_total{controller="ecsrelease", result="success", pod="a"}`
)

// both is a series of the release that both managers serve, each from its cache.
func both(metric string, value float64) map[string]*[2]float64 {
	return map[string]*[2]float64{metric + fmt.Sprintf(web, "a"): is(value), metric + fmt.Sprintf(web, "b"): is(value)}
}

// and is several changes.
func and(changes ...map[string]*[2]float64) map[string]*[2]float64 {
	all := map[string]*[2]float64{}
	for _, change := range changes {
		for series, value := range change {
			all[series] = value
		}
	}
	return all
}

// TestAlerts asks Prometheus' engine which alerts would be pending. How long they must be is their own for.
func TestAlerts(t *testing.T) {
	for name, c := range map[string]struct {
		world world
		want  []string
	}{
		"all is well":                        {calm, nil},
		"a release is Stalled":               {but(both("ecsrelease_ready", -1)), []string{"EcsReleaseStalled"}},
		"a release is on its way":            {but(both("ecsrelease_ready", 0)), []string{"EcsReleaseOverdue"}},
		"a release waits for an approval":    {but(and(both("ecsrelease_ready", 0), both("ecsrelease_waiting", 1))), nil},
		"only one manager's cache has heard": {but(map[string]*[2]float64{"ecsrelease_ready" + fmt.Sprintf(web, "b"): is(-1)}), []string{"EcsReleaseStalled"}},
		"no manager leads":                   {but(map[string]*[2]float64{passes: nil}), []string{"EcsReleaseNotObserved"}},
		"no manager is there":                {world{}, []string{"EcsReleaseNotObserved"}},
		"AWS does not answer":                {but(map[string]*[2]float64{requests: is(1000)}), []string{"EcsReleaseNotObserved"}},
		"AWS has never answered":             {but(map[string]*[2]float64{requests: nil}), []string{"EcsReleaseNotObserved"}},
		"there is nothing to look at":        {but(and(both("ecsrelease_services_ready", 0), map[string]*[2]float64{requests: nil})), nil},
		"AWS throttles one in ten":           {but(map[string]*[2]float64{throttled: grows(1), throttles: grows(1)}), []string{"EcsReleaseThrottled"}},
		"AWS throttles one in a hundred":     {but(map[string]*[2]float64{throttled: grows(0.1), throttles: grows(0.1)}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			expressions, err := read("../../../config/prometheus/rules.yaml")
			if err != nil {
				t.Fatal(err)
			}
			var pending []string
			for _, e := range expressions {
				found := c.world.query(t, e.text)
				if len(found) > 1 {
					t.Errorf("%s is %d alerts: %v", e.where, len(found), found)
				}
				if len(found) > 0 {
					pending = append(pending, e.where[len("../../../config/prometheus/rules.yaml: "):])
				}
			}
			if !slices.Equal(pending, c.want) {
				t.Errorf("these alerts are pending: %v, want %v", pending, c.want)
			}
		})
	}
}

// query is the answer of Prometheus' engine after half an hour of the world.
func (w world) query(t *testing.T, expr string) promql.Vector {
	t.Helper()
	prometheus := parser.NewParser(parser.Options{})
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 100_000, Timeout: time.Minute, Parser: prometheus})
	now := time.UnixMilli(0).Add(time.Hour)
	var all []storage.Series
	for text, value := range w {
		set, err := prometheus.ParseMetric(text)
		if err != nil {
			t.Fatal(err)
		}
		var samples []chunks.Sample
		for minute := -30; minute <= 0; minute++ {
			samples = append(samples, sample{now.Add(time.Duration(minute) * time.Minute).UnixMilli(), value[0] + float64(minute)*value[1]})
		}
		all = append(all, storage.NewListSeries(set, samples))
	}
	querier := &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		return &seriesSet{left: slices.DeleteFunc(slices.Clone(all), func(s storage.Series) bool {
			return slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.Labels().Get(m.Name)) })
		})}
	}}
	query, err := engine.NewInstantQuery(t.Context(), &storage.MockQueryable{MockQuerier: querier}, nil, expr, now)
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	vector, err := query.Exec(t.Context()).Vector()
	if err != nil {
		t.Fatal(err)
	}
	return vector
}

// seriesSet hands out series one by one.
type seriesSet struct {
	left []storage.Series
	at   storage.Series
}

func (s *seriesSet) Next() bool {
	if len(s.left) == 0 {
		return false
	}
	s.at, s.left = s.left[0], s.left[1:]
	return true
}

func (s *seriesSet) At() storage.Series                { return s.at }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

// sample is a number at a time in milliseconds.
type sample struct {
	at    int64
	value float64
}

func (s sample) T() int64                      { return s.at }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.value }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

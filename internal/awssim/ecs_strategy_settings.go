package awssim

import (
	"math"
	"slices"
)

// rollingStrategy replaces tasks; the others run old and new side by side and shift traffic.
const rollingStrategy = "ROLLING"

// canaryRequest is CanaryConfiguration.
type canaryRequest struct {
	Percent     *float64 `json:"canaryPercent"`
	BakeMinutes *int     `json:"canaryBakeTimeInMinutes"`
}

// linearRequest is LinearConfiguration.
type linearRequest struct {
	Percent     *float64 `json:"stepPercent"`
	BakeMinutes *int     `json:"stepBakeTimeInMinutes"`
}

// trafficStep is how much production traffic moves at once, and how long nothing moves after
// it.
type trafficStep struct {
	percent     float64
	bakeMinutes int
}

var (
	defaultCanary = trafficStep{percent: 5, bakeMinutes: 10}
	defaultLinear = trafficStep{percent: 10, bakeMinutes: 6}
)

// shifts tells whether the strategy shifts traffic between two revisions that both run.
func (d deploymentSettings) shifts() bool { return d.strategy != rollingStrategy }

const bakeMost = 1440 // minutes

func (d *deploymentSettings) mergeStrategy(r *rolloutRequest, options ECSOptions) error {
	if err := oneOf("deployment strategy", r.Strategy, rollingStrategy, "BLUE_GREEN", "LINEAR", "CANARY"); err != nil {
		return err
	}
	if r.Strategy != nil {
		d.strategy = *r.Strategy
	}
	if b := r.BakeTimeInMinutes; b != nil {
		if *b < 0 || *b > bakeMost {
			return invalidParameter("bakeTimeInMinutes should be between 0 and 1440.")
		}
		d.bakeMinutes, d.bakeChosen = *b, true
	}
	switch {
	case r.Canary != nil && d.strategy != "CANARY":
		return invalidParameter("canaryConfiguration is only valid when the deployment strategy is CANARY.")
	case r.Linear != nil && d.strategy != "LINEAR":
		return invalidParameter("linearConfiguration is only valid when the deployment strategy is LINEAR.")
	case d.strategy == "BLUE_GREEN" && !d.bakeChosen && !options.OptionalBakeTime:
		return invalidParameter("bakeTimeInMinutes is required when the deployment strategy is BLUE_GREEN.")
	}
	var err error
	switch d.strategy {
	case "CANARY":
		request := canaryRequest{}
		if r.Canary != nil {
			request = *r.Canary
		}
		d.canary, err = d.canary.merge(defaultCanary, request.Percent, request.BakeMinutes, 0.1, "canaryPercent", "canaryBakeTimeInMinutes")
	case "LINEAR":
		request := linearRequest{}
		if r.Linear != nil {
			request = *r.Linear
		}
		d.linear, err = d.linear.merge(defaultLinear, request.Percent, request.BakeMinutes, 3, "stepPercent", "stepBakeTimeInMinutes")
	}
	return err
}

// merge is the step after a request; the zero step takes the default's values first.
func (s trafficStep) merge(otherwise trafficStep, percent *float64, bake *int, least float64, percentName, bakeName string) (trafficStep, error) {
	if s == (trafficStep{}) {
		s = otherwise
	}
	if percent != nil {
		tenths := *percent * 10
		if *percent < least || *percent > 100 || math.Abs(tenths-math.Round(tenths)) > 1e-6 {
			return s, invalidParameter("%s should be a multiple of 0.1 between %.1f and 100.0.", percentName, least)
		}
		s.percent = math.Round(tenths) / 10
	}
	if bake != nil {
		if *bake < 0 || *bake > bakeMost {
			return s, invalidParameter("%s should be between 0 and 1440.", bakeName)
		}
		s.bakeMinutes = *bake
	}
	return s, nil
}

// weights are the percentages of production traffic that a new revision gets, step by step;
// the last is 100.
func (d deploymentSettings) weights() []float64 {
	switch d.strategy {
	case "CANARY":
		return slices.Compact([]float64{d.canary.percent, 100})
	case "LINEAR":
		var steps []float64
		for n := 1; ; n++ {
			weight := math.Round(float64(n)*d.linear.percent*10) / 10
			if weight >= 100 {
				return append(steps, 100)
			}
			steps = append(steps, weight)
		}
	default:
		return []float64{100}
	}
}

// stepBakeMinutes is how long nothing moves after each step but the last.
func (d deploymentSettings) stepBakeMinutes() int {
	switch d.strategy {
	case "CANARY":
		return d.canary.bakeMinutes
	case "LINEAR":
		return d.linear.bakeMinutes
	default:
		return 0
	}
}

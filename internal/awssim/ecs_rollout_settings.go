package awssim

import (
	"encoding/json"
	"maps"
)

// rolloutRequest is DeploymentConfiguration.
type rolloutRequest struct {
	CircuitBreaker *struct {
		Enable             *bool `json:"enable"`
		Rollback           *bool `json:"rollback"`
		ResetOnHealthyTask *bool `json:"resetOnHealthyTask"`
		Threshold          *struct {
			Type  string `json:"type"`
			Value int    `json:"value"`
		} `json:"thresholdConfiguration"`
	} `json:"deploymentCircuitBreaker"`
	MaximumPercent        *int    `json:"maximumPercent"`
	MinimumHealthyPercent *int    `json:"minimumHealthyPercent"`
	Strategy              *string `json:"strategy"`
	BakeTimeInMinutes     *int    `json:"bakeTimeInMinutes"`
	Alarms                *struct {
		AlarmNames []string `json:"alarmNames"`
		Enable     bool     `json:"enable"`
		Rollback   bool     `json:"rollback"`
	} `json:"alarms"`
	LifecycleHooks []anyObject `json:"lifecycleHooks"`
	EarlySuccess   *struct {
		Enable bool `json:"enable"`
	} `json:"earlySuccessCriteria"`
}

// deploymentSettings is how the service deploys. document is DeploymentConfiguration as
// shown, with members that the simulator does not know; it is replaced, never changed.
type deploymentSettings struct {
	document       map[string]any
	minimum        int // minimumHealthyPercent
	maximum        int // maximumPercent
	bakeMinutes    int
	breaker        bool
	rollback       bool
	resetOnHealthy bool
	thresholdType  string
	thresholdValue int
	alarmNames     []string // empty unless alarms are enabled
}

// merge returns the settings after a request. A member that the request lacks keeps its
// value.
func (d deploymentSettings) merge(r *rolloutRequest, in json.RawMessage) (deploymentSettings, error) {
	if r == nil {
		return d, nil
	}
	if r.Strategy != nil && *r.Strategy != "ROLLING" {
		if err := oneOf("deployment strategy", r.Strategy, "BLUE_GREEN", "LINEAR", "CANARY"); err != nil {
			return d, err
		}
		return d, newError(400, "UnsupportedFeatureException", "The deployment strategy %s is not supported.", *r.Strategy)
	}
	if len(r.LifecycleHooks) > 0 {
		return d, newError(400, "UnsupportedFeatureException", "Deployment lifecycle hooks are not supported.")
	}
	if r.EarlySuccess != nil && r.EarlySuccess.Enable {
		return d, newError(400, "UnsupportedFeatureException", "Early success criteria are not supported.")
	}
	if r.MaximumPercent != nil {
		d.maximum = *r.MaximumPercent
	}
	if r.MinimumHealthyPercent != nil {
		d.minimum = *r.MinimumHealthyPercent
	}
	if d.maximum < 100 {
		return d, invalidParameter("maximumPercent should be greater than or equal to 100.")
	}
	if d.minimum < 0 || d.minimum > 100 {
		return d, invalidParameter("minimumHealthyPercent should be between 0 and 100.")
	}
	if r.BakeTimeInMinutes != nil {
		if *r.BakeTimeInMinutes < 0 || *r.BakeTimeInMinutes > 1440 {
			return d, invalidParameter("bakeTimeInMinutes should be between 0 and 1440.")
		}
		d.bakeMinutes = *r.BakeTimeInMinutes
	}
	if b := r.CircuitBreaker; b != nil {
		if b.Enable == nil || b.Rollback == nil {
			return d, invalidParameter("deploymentCircuitBreaker requires enable and rollback.")
		}
		d.breaker, d.rollback = *b.Enable, *b.Rollback
		if b.ResetOnHealthyTask != nil {
			d.resetOnHealthy = *b.ResetOnHealthyTask
		}
		if t := b.Threshold; t != nil {
			if err := oneOf("threshold type", &t.Type, "BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"); err != nil {
				return d, err
			}
			if t.Value < 1 {
				return d, invalidParameter("The threshold value of the deployment circuit breaker must be positive.")
			}
			d.thresholdType, d.thresholdValue = t.Type, t.Value
		}
	}
	if a := r.Alarms; a != nil {
		d.alarmNames = nil
		if a.Enable {
			d.alarmNames = a.AlarmNames
		}
	}
	var given struct {
		DeploymentConfiguration map[string]any `json:"deploymentConfiguration"`
	}
	if err := decode(in, &given); err != nil {
		return d, err
	}
	document := maps.Clone(d.document)
	for name, value := range given.DeploymentConfiguration {
		if value != nil {
			document[name] = value
		}
	}
	d.document = document
	return d, nil
}

// newDeploymentSettings are the defaults.
func newDeploymentSettings(scheduling string) deploymentSettings {
	d := deploymentSettings{minimum: 100, maximum: 200, resetOnHealthy: true, thresholdType: "BOUNDED_PERCENT", thresholdValue: 50}
	if scheduling == "DAEMON" {
		d.minimum, d.maximum = 0, 100
	}
	d.document = map[string]any{
		"deploymentCircuitBreaker": map[string]any{"enable": false, "rollback": false},
		"maximumPercent":           d.maximum, "minimumHealthyPercent": d.minimum,
		"strategy": "ROLLING", "bakeTimeInMinutes": 0,
	}
	return d
}

// floor and ceiling are how many healthy tasks there must be and how many tasks there may be.
func (d deploymentSettings) floor(desired int) int {
	return percentUp(desired, d.minimum)
}

func (d deploymentSettings) ceiling(desired int) int { return desired * d.maximum / 100 }

// threshold is how many failures in a row trip the circuit breaker.
func (d deploymentSettings) threshold(desired int) int {
	percent := percentUp(desired, d.thresholdValue)
	switch d.thresholdType {
	case "COUNT":
		return d.thresholdValue
	case "UNBOUNDED_PERCENT":
		return max(1, percent)
	default:
		return min(200, max(3, percent))
	}
}

// percentUp is percent of n, rounded up.
func percentUp(n, percent int) int { return (n*percent + 99) / 100 }

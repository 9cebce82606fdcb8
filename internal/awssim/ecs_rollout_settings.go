package awssim

import (
	"encoding/json"
	"maps"
)

// rolloutRequest is DeploymentConfiguration.
type rolloutRequest struct {
	CircuitBreaker        *breakerRequest `json:"deploymentCircuitBreaker"`
	MaximumPercent        *int            `json:"maximumPercent"`
	MinimumHealthyPercent *int            `json:"minimumHealthyPercent"`
	Strategy              *string         `json:"strategy"`
	BakeTimeInMinutes     *int            `json:"bakeTimeInMinutes"`
	Canary                *canaryRequest  `json:"canaryConfiguration"`
	Linear                *linearRequest  `json:"linearConfiguration"`
	Alarms                *alarmsRequest  `json:"alarms"`
	LifecycleHooks        []hookRequest   `json:"lifecycleHooks"`
	EarlySuccess          *struct {
		Enable bool `json:"enable"`
	} `json:"earlySuccessCriteria"`
}

type breakerRequest struct {
	Enable             *bool `json:"enable"`
	Rollback           *bool `json:"rollback"`
	ResetOnHealthyTask *bool `json:"resetOnHealthyTask"`
	Threshold          *struct {
		Type  string `json:"type"`
		Value int    `json:"value"`
	} `json:"thresholdConfiguration"`
}

type alarmsRequest struct {
	AlarmNames []string `json:"alarmNames"`
	Enable     bool     `json:"enable"`
	Rollback   bool     `json:"rollback"`
}

// deploymentSettings is how the service deploys. document is DeploymentConfiguration as
// shown, with members that the simulator does not know; it is replaced, never changed.
type deploymentSettings struct {
	document       map[string]any
	strategy       string // ROLLING, BLUE_GREEN, CANARY, LINEAR
	minimum        int    // minimumHealthyPercent
	maximum        int    // maximumPercent
	bakeMinutes    int
	bakeChosen     bool // by a request
	canary         trafficStep
	linear         trafficStep
	hooks          []pauseHook
	breaker        bool
	rollback       bool
	resetOnHealthy bool
	thresholdType  string
	thresholdValue int
	alarmNames     []string // empty unless alarms are enabled
	alarmRollback  bool
}

// merge returns the settings after a request. A member that the request lacks keeps its
// value.
func (d deploymentSettings) merge(r *rolloutRequest, in json.RawMessage, options ECSOptions) (deploymentSettings, error) {
	if r == nil {
		return d, nil
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
	for _, merge := range []func(*rolloutRequest, ECSOptions) error{d.mergeBreaker, d.mergeAlarms, d.mergeStrategy, d.mergeHooks} {
		if err := merge(r, options); err != nil {
			return d, err
		}
	}
	document, err := d.merged(in)
	d.document = document
	return d, err
}

func (d *deploymentSettings) mergeBreaker(r *rolloutRequest, _ ECSOptions) error {
	b := r.CircuitBreaker
	if b == nil {
		return nil
	}
	if b.Enable == nil || b.Rollback == nil {
		return invalidParameter("deploymentCircuitBreaker requires enable and rollback.")
	}
	d.breaker, d.rollback = *b.Enable, *b.Rollback
	if b.ResetOnHealthyTask != nil {
		d.resetOnHealthy = *b.ResetOnHealthyTask
	}
	if t := b.Threshold; t != nil {
		if err := oneOf("threshold type", &t.Type, "BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"); err != nil {
			return err
		}
		if t.Value < 1 {
			return invalidParameter("The threshold value of the deployment circuit breaker must be positive.")
		}
		d.thresholdType, d.thresholdValue = t.Type, t.Value
	}
	return nil
}

func (d *deploymentSettings) mergeAlarms(r *rolloutRequest, _ ECSOptions) error {
	a := r.Alarms
	if a == nil {
		return nil
	}
	d.alarmNames, d.alarmRollback = nil, a.Rollback
	if a.Enable {
		if len(a.AlarmNames) == 0 {
			return invalidParameter("alarmNames can not be empty when alarms are enabled.")
		}
		d.alarmNames = a.AlarmNames
	}
	return nil
}

// merged is the document after a request: its members in place of the old ones, with the
// defaults of what the strategy reads, and without what another strategy read.
func (d deploymentSettings) merged(in json.RawMessage) (map[string]any, error) {
	var given struct {
		DeploymentConfiguration map[string]any `json:"deploymentConfiguration"`
	}
	if err := decode(in, &given); err != nil {
		return nil, err
	}
	document := maps.Clone(d.document)
	for name, value := range given.DeploymentConfiguration {
		if value != nil {
			document[name] = value
		}
	}
	for _, name := range []string{"canaryConfiguration", "linearConfiguration"} {
		delete(document, name)
	}
	switch d.strategy {
	case "CANARY":
		document["canaryConfiguration"] = map[string]any{"canaryPercent": d.canary.percent, "canaryBakeTimeInMinutes": d.canary.bakeMinutes}
	case "LINEAR":
		document["linearConfiguration"] = map[string]any{"stepPercent": d.linear.percent, "stepBakeTimeInMinutes": d.linear.bakeMinutes}
	}
	if _, ok := document["lifecycleHooks"]; ok {
		document["lifecycleHooks"] = showHooks(d.hooks)
	}
	return document, nil
}

// newDeploymentSettings are the defaults.
func newDeploymentSettings(scheduling string) deploymentSettings {
	d := deploymentSettings{
		strategy: rollingStrategy, minimum: 100, maximum: 200,
		resetOnHealthy: true, thresholdType: "BOUNDED_PERCENT", thresholdValue: 50,
	}
	if scheduling == "DAEMON" {
		d.minimum, d.maximum = 0, 100
	}
	d.document = map[string]any{
		"deploymentCircuitBreaker": map[string]any{"enable": false, "rollback": false},
		"maximumPercent":           d.maximum, "minimumHealthyPercent": d.minimum,
		"strategy": rollingStrategy, "bakeTimeInMinutes": 0,
	}
	return d
}

// checkController refuses what only ECS's own deployments have.
func (d deploymentSettings) checkController(controller, scheduling string) error {
	switch {
	case d.shifts() && scheduling == "DAEMON":
		return invalidParameter("The daemon scheduling strategy is not supported with the %s deployment strategy.", d.strategy)
	case controller == "ECS":
		return nil
	case d.shifts():
		return invalidParameter("The %s deployment strategy is only supported with ECS deployment controller. Update to ECS deployment controller and try again.", d.strategy)
	case len(d.hooks) > 0:
		return invalidParameter("Deployment lifecycle hooks are only supported with ECS deployment controller. Update to ECS deployment controller and try again.")
	case len(d.alarmNames) > 0:
		return invalidParameter("Alarm based rollback feature is only supported with ECS deployment controller. Update to ECS deployment controller and try again.")
	case d.breaker:
		return invalidParameter("Deployment circuit breaker feature is only supported with ECS deployment controller. Update to ECS deployment controller and try again.")
	}
	return nil
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

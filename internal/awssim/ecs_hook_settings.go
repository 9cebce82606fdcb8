package awssim

import "slices"

// hookRequest is DeploymentLifecycleHook.
type hookRequest struct {
	TargetType      *string  `json:"targetType"`
	TargetARN       *string  `json:"hookTargetArn"`
	RoleARN         *string  `json:"roleArn"`
	LifecycleStages []string `json:"lifecycleStages"`
	Timeout         *struct {
		Minutes *int    `json:"timeoutInMinutes"`
		Action  *string `json:"action"`
	} `json:"timeoutConfiguration"`
}

// pauseHook stops deployments at some stages until somebody says how to go on.
type pauseHook struct {
	stages         []string
	timeoutMinutes int
	timeoutAction  string // CONTINUE, ROLLBACK
}

const (
	pauseHooksMost      = 10
	pauseMinutesDefault = 1440
	pauseMinutesMost    = 20160
)

var (
	hookStages = []string{
		"RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
		"PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT",
	}
	// unpausable stages run in rollbacks too.
	unpausable = []string{"TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"}
	// rollingHookStages are those that a deployment which shifts no traffic goes through.
	rollingHookStages = []string{"RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP"}
)

func (d *deploymentSettings) mergeHooks(r *rolloutRequest, options ECSOptions) error {
	if r.LifecycleHooks != nil {
		if len(r.LifecycleHooks) > pauseHooksMost {
			return invalidParameter("A service can have at most %d lifecycle hooks of target type PAUSE.", pauseHooksMost)
		}
		d.hooks = nil
		for _, request := range r.LifecycleHooks {
			hook, err := request.pause()
			if err != nil {
				return err
			}
			d.hooks = append(d.hooks, hook)
		}
	}
	if d.shifts() || options.TrafficHooksOnRolling {
		return nil
	}
	for _, hook := range d.hooks {
		for _, stage := range hook.stages {
			if !slices.Contains(rollingHookStages, stage) {
				return invalidParameter("The lifecycle stage %s is not supported with the ROLLING deployment strategy.", stage)
			}
		}
	}
	return nil
}

// pause is the hook that the request describes. Lambda hooks, the default of the target
// type, are refused: there is nothing here that could run them.
func (r hookRequest) pause() (pauseHook, error) {
	hook := pauseHook{stages: r.LifecycleStages, timeoutMinutes: pauseMinutesDefault, timeoutAction: "ROLLBACK"}
	if err := oneOf("lifecycle hook target type", r.TargetType, "AWS_LAMBDA", "PAUSE"); err != nil {
		return hook, err
	}
	if r.TargetType == nil || *r.TargetType == "AWS_LAMBDA" {
		return hook, newError(400, "UnsupportedFeatureException", "Deployment lifecycle hooks with the target type AWS_LAMBDA are not supported.")
	}
	if r.TargetARN != nil || r.RoleARN != nil {
		return hook, invalidParameter("hookTargetArn and roleArn are not supported for lifecycle hooks with the target type PAUSE.")
	}
	if len(r.LifecycleStages) == 0 {
		return hook, invalidParameter("lifecycleStages can not be empty.")
	}
	for _, stage := range r.LifecycleStages {
		if err := oneOf("lifecycle stage", &stage, hookStages...); err != nil {
			return hook, err
		}
		if slices.Contains(unpausable, stage) {
			return hook, invalidParameter("PAUSE hooks cannot be configured at the %s lifecycle stage.", stage)
		}
	}
	if t := r.Timeout; t != nil {
		if t.Minutes != nil {
			if *t.Minutes < 1 || *t.Minutes > pauseMinutesMost {
				return hook, invalidParameter("timeoutInMinutes should be between 1 and %d.", pauseMinutesMost)
			}
			hook.timeoutMinutes = *t.Minutes
		}
		if err := oneOf("timeout action", t.Action, "CONTINUE", "ROLLBACK"); err != nil {
			return hook, err
		}
		if t.Action != nil {
			hook.timeoutAction = *t.Action
		}
	}
	return hook, nil
}

// showHooks is lifecycleHooks as describing operations show them.
func showHooks(hooks []pauseHook) []any {
	shown := []any{}
	for _, hook := range hooks {
		shown = append(shown, map[string]any{
			"targetType": "PAUSE", "lifecycleStages": hook.stages,
			"timeoutConfiguration": map[string]any{"timeoutInMinutes": hook.timeoutMinutes, "action": hook.timeoutAction},
		})
	}
	return shown
}

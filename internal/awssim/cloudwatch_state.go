package awssim

import "time"

// cloudwatchState is Amazon CloudWatch in one region of one account: its metric alarms.
type cloudwatchState struct {
	alarms map[string]*alarm // by name
}

// alarm is a metric alarm. No metric is collected: its state is what SetAlarmState said.
type alarm struct {
	settings     alarmSettings
	arn          string
	tags         map[string]string
	configured   time.Time // the last PutMetricAlarm
	state        string
	reason       string
	reasonData   string
	stateUpdated time.Time // the last SetAlarmState
	stateChanged time.Time // the last one that brought another state
}

func newCloudWatchState() *cloudwatchState { return &cloudwatchState{alarms: map[string]*alarm{}} }

// alarmState is the state of a metric alarm: OK, ALARM or INSUFFICIENT_DATA.
func (r *region) alarmState(name string) (state string, exists bool) {
	a := r.cloudwatch.alarms[name]
	if a == nil {
		return "", false
	}
	return a.state, true
}

func (a *alarm) view() metricAlarm {
	return metricAlarm{
		alarmSettings: a.settings, AlarmArn: a.arn, AlarmConfigurationUpdatedTimestamp: momentOf(a.configured),
		StateValue: a.state, StateReason: a.reason, StateReasonData: a.reasonData,
		StateUpdatedTimestamp: momentOf(a.stateUpdated), StateTransitionedTimestamp: momentOf(a.stateChanged),
	}
}

package awssim

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

const cloudwatchVersion = "2010-08-01"

// cloudwatchOperations is the table of what GraniteServiceVersion20100801 answers: metric
// alarms. There are no metrics; SetAlarmState says how things are.
func (s *Simulator) cloudwatchOperations() map[string]operation {
	return map[string]operation{
		"PutMetricAlarm": {"alarm-put", typed(putMetricAlarm)},
		"DescribeAlarms": {"alarm-read", typed(describeAlarms)},
		"DeleteAlarms":   {"alarm-delete", typed(deleteAlarms)},
		"SetAlarmState":  {"alarm-set", typed(setAlarmState)},
	}
}

func (c *call) alarmARN(name string) string { return c.arn("cloudwatch", "alarm:"+name) }

// authorizeAlarm asks whether the caller may do the operation to the alarm of that name.
func (c *call) authorizeAlarm(name string) error {
	conditions := map[string]string{}
	if a := c.region.cloudwatch.alarms[name]; a != nil {
		for key, value := range a.tags {
			conditions["aws:ResourceTag/"+key] = value
		}
	}
	return c.authorize("cloudwatch:"+c.operation, c.alarmARN(name), conditions)
}

type putMetricAlarmInput struct {
	alarmSettings
	Tags               []elbTag
	EvaluationCriteria *struct{}
	EvaluationInterval *int
}

// putMetricAlarm creates an alarm, in the state INSUFFICIENT_DATA, or replaces the settings
// of the one of that name, which keeps its state and its tags.
func putMetricAlarm(c *call, in *putMetricAlarmInput) (any, error) {
	if err := c.authorizeAlarm(in.AlarmName); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, tag := range in.Tags {
		tags[tag.Key] = tag.Value
	}
	if len(tags) > 0 {
		conditions := map[string]string{}
		for key, value := range tags {
			conditions["aws:RequestTag/"+key] = value
		}
		if err := c.authorize("cloudwatch:TagResource", c.alarmARN(in.AlarmName), conditions); err != nil {
			return nil, err
		}
	}
	alarms, now := c.region.cloudwatch.alarms, c.sim.now()
	a := alarms[in.AlarmName]
	if a == nil {
		a = &alarm{
			arn: c.alarmARN(in.AlarmName), tags: tags,
			state: "INSUFFICIENT_DATA", reason: "Unchecked: Initial alarm creation", stateUpdated: now, stateChanged: now,
		}
		alarms[in.AlarmName] = a
	}
	a.settings, a.configured = in.complete(), now
	return nil, nil
}

// complete fills in what answers show of settings that were left out.
func (s alarmSettings) complete() alarmSettings {
	if s.ActionsEnabled == nil {
		enabled := true
		s.ActionsEnabled = &enabled
	}
	for _, list := range []*[]string{&s.OKActions, &s.AlarmActions, &s.InsufficientDataActions} {
		if *list == nil {
			*list = []string{}
		}
	}
	if s.Dimensions == nil {
		s.Dimensions = []dimension{}
	}
	return s
}

type describeAlarmsInput struct {
	AlarmNames          []string
	AlarmNamePrefix     string
	AlarmTypes          []string
	ChildrenOfAlarmName string
	ParentsOfAlarmName  string
	StateValue          string
	ActionPrefix        string
	MaxRecords          *int
	NextToken           string
}

func describeAlarms(c *call, in *describeAlarmsInput) (any, error) {
	if err := c.authorize("cloudwatch:DescribeAlarms", c.alarmARN("*"), nil); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	size := 50
	if in.MaxRecords != nil {
		size = *in.MaxRecords
	}
	from, err := base64.RawURLEncoding.DecodeString(in.NextToken)
	if err != nil {
		return nil, newError(http.StatusBadRequest, "InvalidNextToken", "The next token is invalid")
	}
	out := describeAlarmsOutput{CompositeAlarms: []struct{}{}, MetricAlarms: []metricAlarm{}}
	alarms := c.region.cloudwatch.alarms
	for _, name := range slices.Sorted(maps.Keys(alarms)) {
		if name < string(from) || !in.selects(alarms[name]) {
			continue
		}
		if len(out.MetricAlarms) == size {
			out.NextToken = base64.RawURLEncoding.EncodeToString([]byte(name))
			break
		}
		out.MetricAlarms = append(out.MetricAlarms, alarms[name].view())
	}
	return out, nil
}

func (in *describeAlarmsInput) check() error {
	var v violations
	v.require(len(in.AlarmNames) <= 100, "alarmNames", "["+strings.Join(in.AlarmNames, ", ")+"]", "have length less than or equal to %d", 100)
	if in.MaxRecords != nil {
		v.require(*in.MaxRecords >= 1, "maxRecords", "", "have value greater than or equal to %d", 1)
		v.require(*in.MaxRecords <= 100, "maxRecords", "", "have value less than or equal to %d", 100)
	}
	v.enum("stateValue", in.StateValue, alarmStates)
	for _, kind := range in.AlarmTypes {
		v.enum("alarmTypes", kind, []string{"CompositeAlarm", "MetricAlarm"})
	}
	switch {
	case len(v) > 0:
		return alarmError("%s", v.message())
	case len(in.AlarmNames) > 0 && in.AlarmNamePrefix != "":
		return alarmError("AlarmNames and AlarmNamePrefix cannot be specified together")
	case in.ChildrenOfAlarmName != "" || in.ParentsOfAlarmName != "":
		return alarmError("awssim does not implement composite alarms")
	default:
		return nil
	}
}

func (in *describeAlarmsInput) selects(a *alarm) bool {
	if len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, "MetricAlarm") {
		return false
	}
	if len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, a.settings.AlarmName) {
		return false
	}
	if in.StateValue != "" && in.StateValue != a.state || !strings.HasPrefix(a.settings.AlarmName, in.AlarmNamePrefix) {
		return false
	}
	return in.ActionPrefix == "" || slices.ContainsFunc(slices.Concat(a.settings.OKActions, a.settings.AlarmActions, a.settings.InsufficientDataActions),
		func(action string) bool { return strings.HasPrefix(action, in.ActionPrefix) })
}

type deleteAlarmsInput struct{ AlarmNames []string }

// deleteAlarms deletes the alarms that are there, and says so if any is not.
func deleteAlarms(c *call, in *deleteAlarmsInput) (any, error) {
	if len(in.AlarmNames) == 0 || len(in.AlarmNames) > 100 {
		return nil, alarmError("Between 1 and 100 alarm names must be specified")
	}
	for _, name := range in.AlarmNames {
		if err := c.authorizeAlarm(name); err != nil {
			return nil, err
		}
	}
	alarms := c.region.cloudwatch.alarms
	var missing []string
	for _, name := range in.AlarmNames {
		if alarms[name] == nil {
			missing = append(missing, name)
		}
		delete(alarms, name)
	}
	if missing != nil {
		return nil, alarmNotFound(strings.Join(missing, ", "))
	}
	return nil, nil
}

type setAlarmStateInput struct {
	AlarmName       string
	StateValue      string
	StateReason     *string
	StateReasonData string
}

func setAlarmState(c *call, in *setAlarmStateInput) (any, error) {
	if err := c.authorizeAlarm(in.AlarmName); err != nil {
		return nil, err
	}
	var v violations
	v.name("alarmName", in.AlarmName)
	v.enumRequired("stateValue", in.StateValue, alarmStates)
	if in.StateReason == nil {
		v.add("stateReason", "null", "not be null")
	} else {
		v.require(len(*in.StateReason) <= 1023, "stateReason", *in.StateReason, "have length less than or equal to %d", 1023)
	}
	v.require(len(in.StateReasonData) <= 4000, "stateReasonData", in.StateReasonData, "have length less than or equal to %d", 4000)
	if len(v) > 0 {
		return nil, alarmError("%s", v.message())
	}
	if in.StateReasonData != "" && !json.Valid([]byte(in.StateReasonData)) {
		return nil, newError(http.StatusBadRequest, "InvalidFormatFault", "StateReasonData is not valid JSON")
	}
	a := c.region.cloudwatch.alarms[in.AlarmName]
	if a == nil {
		return nil, alarmNotFound(in.AlarmName)
	}
	now := c.sim.now()
	if a.state != in.StateValue {
		a.stateChanged = now
	}
	a.state, a.reason, a.reasonData, a.stateUpdated = in.StateValue, *in.StateReason, in.StateReasonData, now
	return nil, nil
}

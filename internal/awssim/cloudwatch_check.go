package awssim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var (
	alarmStates      = []string{"OK", "ALARM", "INSUFFICIENT_DATA"}
	alarmStatistics  = []string{"SampleCount", "Average", "Sum", "Minimum", "Maximum"}
	alarmComparisons = []string{"GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"}
	alarmBands       = []string{"LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold"}
	alarmMissing     = []string{"breaching", "notBreaching", "ignore", "missing"}

	extendedStatistic = regexp.MustCompile(`^(p(\d{1,2}(\.\d{0,10})?|100)|IQM|(tm|tc|ts|wm|TM|PR|TC|TS|WM)[\d(].*)$`)
	actionARN         = regexp.MustCompile(`^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[a-z0-9]*:.+$`)
)

// alarmError is CloudWatch's refusal of a parameter.
func alarmError(format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, "ValidationException", format, args...)
}

func alarmNotFound(names string) *apiError {
	return newError(http.StatusNotFound, "ResourceNotFound", "Unknown alarm(s): %s", names)
}

func (v *violations) name(member, value string) {
	if value == "" {
		v.add(member, "null", "not be null")
	}
	v.require(len(value) <= 255, member, value, "have length less than or equal to %d", 255)
}

func (v *violations) enum(member, value string, known []string) {
	if value != "" && !slices.Contains(known, value) {
		v.add(member, "'"+value+"'", "satisfy enum value set: ["+strings.Join(known, ", ")+"]")
	}
}

func (v *violations) enumRequired(member, value string, known []string) {
	if value == "" {
		v.add(member, "null", "not be null")
	}
	v.enum(member, value, known)
}

// check refuses what the model or the documentation of PutMetricAlarm forbids.
func (in *putMetricAlarmInput) check() error {
	var v violations
	v.name("alarmName", in.AlarmName)
	v.enumRequired("comparisonOperator", in.ComparisonOperator, slices.Concat(alarmComparisons, alarmBands))
	v.enum("statistic", in.Statistic, alarmStatistics)
	switch n := in.EvaluationPeriods; {
	case n == nil:
		v.add("evaluationPeriods", "null", "not be null")
	default:
		v.require(*n >= 1, "evaluationPeriods", "", "have value greater than or equal to %d", 1)
	}
	v.require(len(in.AlarmDescription) <= 1024, "alarmDescription", in.AlarmDescription, "have length less than or equal to %d", 1024)
	v.require(len(in.Dimensions) <= 30, "dimensions", "", "have length less than or equal to %d", 30)
	for _, list := range [][]string{in.OKActions, in.AlarmActions, in.InsufficientDataActions} {
		v.require(len(list) <= 5, "actions", strings.Join(list, ", "), "have length less than or equal to %d", 5)
	}
	if len(v) > 0 {
		return alarmError("%s", v.message())
	}
	for _, action := range slices.Concat(in.OKActions, in.AlarmActions, in.InsufficientDataActions) {
		if !actionARN.MatchString(action) {
			return alarmError("Invalid arn syntax: %s", action)
		}
	}
	switch {
	case in.EvaluationCriteria != nil || in.EvaluationInterval != nil:
		return alarmError("awssim does not implement alarms on PromQL queries")
	case in.DatapointsToAlarm != nil && (*in.DatapointsToAlarm < 1 || *in.DatapointsToAlarm > *in.EvaluationPeriods):
		return alarmError("DatapointsToAlarm must be between 1 and EvaluationPeriods")
	case in.TreatMissingData != "" && !slices.Contains(alarmMissing, in.TreatMissingData):
		return alarmError("TreatMissingData must be one of [%s]", strings.Join(alarmMissing, ", "))
	case len(in.Metrics) > 0:
		return in.checkMetrics()
	default:
		return in.checkMetric()
	}
}

// checkMetric is about an alarm on one metric.
func (in *putMetricAlarmInput) checkMetric() error {
	switch {
	case in.MetricName == "" || in.Namespace == "":
		return alarmError("MetricName and Namespace must be specified if Metrics is not")
	case strings.HasPrefix(in.Namespace, ":"):
		return alarmError("Invalid namespace: %s", in.Namespace)
	case (in.Statistic == "") == (in.ExtendedStatistic == ""):
		return alarmError("Exactly one of Statistic and ExtendedStatistic must be specified")
	case in.ExtendedStatistic != "" && !extendedStatistic.MatchString(in.ExtendedStatistic):
		return alarmError("The value %s for parameter ExtendedStatistic is not supported.", in.ExtendedStatistic)
	case in.Threshold == nil || in.ThresholdMetricID != "" || slices.Contains(alarmBands, in.ComparisonOperator):
		return alarmError("An alarm on one metric must have a Threshold and a ComparisonOperator that compares with it")
	case in.Period == nil:
		return alarmError("Period must be specified if Metrics is not")
	}
	switch period, span := *in.Period, *in.Period**in.EvaluationPeriods; {
	case period != 10 && period != 20 && period != 30 && (period < 60 || period%60 != 0):
		return alarmError("Period must be 10, 20, 30 or a multiple of 60")
	case period < 3600 && span > 86400:
		return alarmError("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).")
	case span > 604800:
		return alarmError("Metrics cannot be checked across more than seven days (EvaluationPeriods * Period must be <= 604800).")
	default:
		return nil
	}
}

// checkMetrics is about an alarm on a metric math expression.
func (in *putMetricAlarmInput) checkMetrics() error {
	if in.MetricName != "" || in.Namespace != "" || in.Period != nil || in.Statistic != "" || in.ExtendedStatistic != "" || len(in.Dimensions) > 0 {
		return alarmError("Metrics list must not be specified together with MetricName, Namespace, Dimensions, Period, Unit, Statistic or ExtendedStatistic")
	}
	returned := 0
	seen := map[string]bool{}
	for _, q := range in.Metrics {
		switch {
		case q.ID == "" || seen[q.ID]:
			return alarmError("Every entry of Metrics must have an Id of its own")
		case (q.MetricStat == nil) == (q.Expression == ""):
			return alarmError("Every entry of Metrics must have either a MetricStat or an Expression")
		}
		seen[q.ID] = true
		if q.ReturnData == nil || *q.ReturnData {
			returned++
		}
	}
	switch {
	case in.ThresholdMetricID != "" && !seen[in.ThresholdMetricID]:
		return alarmError("ThresholdMetricId %s is not an Id in Metrics", in.ThresholdMetricID)
	case (in.ThresholdMetricID != "") != slices.Contains(alarmBands, in.ComparisonOperator) || (in.ThresholdMetricID != "") == (in.Threshold != nil):
		return alarmError("The comparison with a band needs ThresholdMetricId, any other a Threshold")
	case in.ThresholdMetricID == "" && returned != 1:
		return alarmError("Exactly one element of the metrics list should return data.")
	default:
		return nil
	}
}

package awssim

// The structures of CloudWatch's model that requests and answers have in common.

// alarmSettings are what PutMetricAlarm sets and DescribeAlarms shows.
type alarmSettings struct {
	AlarmName                        string
	AlarmDescription                 string `json:",omitempty"`
	ActionsEnabled                   *bool
	OKActions                        []string
	AlarmActions                     []string
	InsufficientDataActions          []string
	MetricName                       string `json:",omitempty"`
	Namespace                        string `json:",omitempty"`
	Statistic                        string `json:",omitempty"`
	ExtendedStatistic                string `json:",omitempty"`
	Dimensions                       []dimension
	Period                           *int          `json:",omitempty"`
	Unit                             string        `json:",omitempty"`
	EvaluationPeriods                *int          `json:",omitempty"`
	DatapointsToAlarm                *int          `json:",omitempty"`
	Threshold                        *float64      `json:",omitempty"`
	ComparisonOperator               string        `json:",omitempty"`
	TreatMissingData                 string        `json:",omitempty"`
	EvaluateLowSampleCountPercentile string        `json:",omitempty"`
	Metrics                          []metricQuery `json:",omitempty"`
	ThresholdMetricID                string        `json:"ThresholdMetricId,omitempty"`
}

type dimension struct{ Name, Value string }

type metricQuery struct {
	ID         string      `json:"Id"`
	MetricStat *metricStat `json:",omitempty"`
	Expression string      `json:",omitempty"`
	Label      string      `json:",omitempty"`
	ReturnData *bool       `json:",omitempty"`
	Period     *int        `json:",omitempty"`
	AccountID  string      `json:"AccountId,omitempty"`
}

type metricStat struct {
	Metric metric
	Period *int
	Stat   string
	Unit   string `json:",omitempty"`
}

type metric struct {
	Namespace  string
	MetricName string
	Dimensions []dimension
}

// metricAlarm is an alarm in an answer.
type metricAlarm struct {
	alarmSettings
	AlarmArn                           string
	AlarmConfigurationUpdatedTimestamp *moment
	StateValue                         string
	StateReason                        string
	StateReasonData                    string `json:",omitempty"`
	StateUpdatedTimestamp              *moment
	StateTransitionedTimestamp         *moment
}

type describeAlarmsOutput struct {
	CompositeAlarms []struct{}
	MetricAlarms    []metricAlarm
	NextToken       string `json:",omitempty"`
}

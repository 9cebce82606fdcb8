package awssim

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
)

const errorAlarm = "backend-5xx"

// putTestAlarm puts an alarm on one metric, which the changes make another.
func putTestAlarm(t *testing.T, client *cloudwatch.Client, name string, changes ...func(*cloudwatch.PutMetricAlarmInput)) error {
	t.Helper()
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, AlarmDescription: aws.String("too many errors"), MetricName: aws.String("HTTPCode_Target_5XX_Count"), Namespace: aws.String("AWS/ApplicationELB"),
		Statistic: types.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(3), DatapointsToAlarm: aws.Int32(2), Threshold: aws.Float64(10.5),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("notBreaching"),
		Dimensions:   []types.Dimension{{Name: aws.String("LoadBalancer"), Value: aws.String("app/web/0123456789abcdef")}},
		AlarmActions: []string{"arn:aws:sns:ap-south-1:111122223333:ops"},
	}
	for _, change := range changes {
		change(in)
	}
	_, err := client.PutMetricAlarm(t.Context(), in)
	return err
}

func TestAnAlarmGoesThroughItsStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		client := cloudwatch.NewFromConfig(rootConfig(t, s))
		began := time.Now()
		if err := putTestAlarm(t, client, errorAlarm); err != nil {
			t.Fatal(err)
		}
		look := func() types.MetricAlarm {
			t.Helper()
			out := must(client.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{errorAlarm, "absent"}}))(t)
			if len(out.MetricAlarms) != 1 || len(out.CompositeAlarms) != 0 {
				t.Fatalf("%+v", out)
			}
			return out.MetricAlarms[0]
		}
		a := look()
		if a.StateValue != types.StateValueInsufficientData || *a.Threshold != 10.5 || *a.Period != 60 || !*a.ActionsEnabled || *a.Dimensions[0].Name != "LoadBalancer" ||
			*a.AlarmArn != "arn:aws:cloudwatch:ap-south-1:111122223333:alarm:"+errorAlarm || !a.StateUpdatedTimestamp.Equal(began) || a.AlarmActions[0] != "arn:aws:sns:ap-south-1:111122223333:ops" {
			t.Errorf("a new alarm is %+v", a)
		}
		set := func(state types.StateValue) {
			t.Helper()
			must(client.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
				AlarmName: aws.String(errorAlarm), StateValue: state, StateReason: aws.String("because"), StateReasonData: aws.String(`{"a":1}`),
			}))(t)
		}
		set(types.StateValueOk)
		time.Sleep(time.Minute)
		set(types.StateValueAlarm)
		time.Sleep(time.Minute)
		set(types.StateValueAlarm)
		a = look()
		if a.StateValue != types.StateValueAlarm || *a.StateReason != "because" || !a.StateTransitionedTimestamp.Equal(began.Add(time.Minute)) ||
			!a.StateUpdatedTimestamp.Equal(began.Add(2*time.Minute)) {
			t.Errorf("%+v", a)
		}
		if state, exists := s.regionOf(t).alarmState(errorAlarm); state != "ALARM" || !exists {
			t.Errorf("a deployment sees %s, %v", state, exists)
		}
		if err := putTestAlarm(t, client, errorAlarm, func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = aws.Float64(99) }); err != nil {
			t.Fatal(err)
		}
		if a = look(); a.StateValue != types.StateValueAlarm || *a.Threshold != 99 {
			t.Errorf("new settings made it %+v", a)
		}
		must(client.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{errorAlarm}}))(t)
		if _, exists := s.regionOf(t).alarmState(errorAlarm); exists {
			t.Error("a deleted alarm exists")
		}
	})
}

func TestAlarmsAreListedInPagesAndByWhatTheyAre(t *testing.T) {
	s := New(Options{})
	client := cloudwatch.NewFromConfig(rootConfig(t, s))
	for _, name := range []string{"b-1", "a-2", "a-1", "a-3"} {
		if err := putTestAlarm(t, client, name); err != nil {
			t.Fatal(err)
		}
	}
	must(client.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("a-2"), StateValue: types.StateValueAlarm, StateReason: aws.String("")}))(t)
	for want, in := range map[string]*cloudwatch.DescribeAlarmsInput{
		"a-1 a-2 a-3 b-1":  {MaxRecords: aws.Int32(2)},
		"a-1 a-2 a-3":      {AlarmNamePrefix: aws.String("a-"), MaxRecords: aws.Int32(1)},
		"a-2":              {StateValue: types.StateValueAlarm},
		"a-1 b-1":          {AlarmNames: []string{"b-1", "a-1"}, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm}},
		"":                 {AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}},
		"a-1 a-2 a-3 b-1 ": {ActionPrefix: aws.String("arn:aws:sns:")},
	} {
		var got []string
		pages := cloudwatch.NewDescribeAlarmsPaginator(client, in)
		for pages.HasMorePages() {
			for _, a := range must(pages.NextPage(t.Context()))(t).MetricAlarms {
				got = append(got, *a.AlarmName)
			}
		}
		if strings.Join(got, " ") != strings.TrimSpace(want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	_, err := client.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{NextToken: aws.String("?")})
	wantCode(t, err, "InvalidNextToken", "token")
}

func TestBadAlarmsAreRefused(t *testing.T) {
	s := New(Options{})
	client := cloudwatch.NewFromConfig(rootConfig(t, s))
	query := func(in *cloudwatch.PutMetricAlarmInput) {
		in.MetricName, in.Namespace, in.Statistic, in.Period, in.Dimensions = nil, nil, "", nil, nil
		in.Metrics = []types.MetricDataQuery{{Id: aws.String("e1"), Expression: aws.String("SUM(METRICS())")}}
	}
	if err := putTestAlarm(t, client, "math", query); err != nil {
		t.Error(err)
	}
	if err := putTestAlarm(t, client, "percentile", func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic, in.ExtendedStatistic = "", aws.String("p99.9") }); err != nil {
		t.Error(err)
	}
	for text, change := range map[string]func(*cloudwatch.PutMetricAlarmInput){
		"'comparisonOperator'": func(in *cloudwatch.PutMetricAlarmInput) { in.ComparisonOperator = "Above" },
		"'evaluationPeriods'":  func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(0) },
		"Period must be":       func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(45) },
		"more than a day":      func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(1441) },
		"more than seven days": func(in *cloudwatch.PutMetricAlarmInput) {
			in.Period, in.EvaluationPeriods = aws.Int32(86400), aws.Int32(8)
		},
		"MetricName and Namespace":          func(in *cloudwatch.PutMetricAlarmInput) { in.MetricName = nil },
		"Exactly one of Statistic":          func(in *cloudwatch.PutMetricAlarmInput) { in.ExtendedStatistic = aws.String("p99") },
		"must have a Threshold":             func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = nil },
		"DatapointsToAlarm":                 func(in *cloudwatch.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(4) },
		"TreatMissingData":                  func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("panic") },
		"Invalid arn syntax: mail":          func(in *cloudwatch.PutMetricAlarmInput) { in.OKActions = []string{"mail"} },
		"Metrics list must not":             func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics = []types.MetricDataQuery{{Id: aws.String("m")}} },
		"either a MetricStat":               func(in *cloudwatch.PutMetricAlarmInput) { query(in); in.Metrics[0].Expression = nil },
		"Exactly one element":               func(in *cloudwatch.PutMetricAlarmInput) { query(in); in.Metrics[0].ReturnData = aws.Bool(false) },
		"ThresholdMetricId nope":            func(in *cloudwatch.PutMetricAlarmInput) { query(in); in.ThresholdMetricId = aws.String("nope") },
		"parameter ExtendedStatistic":       func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic, in.ExtendedStatistic = "", aws.String("mean") },
		"have length less than or equal to": func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmDescription = aws.String(strings.Repeat("x", 1025)) },
	} {
		wantCode(t, putTestAlarm(t, client, "bad", change), "ValidationError", text)
	}
	_, err := client.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("bad"), StateValue: types.StateValueOk, StateReason: aws.String("")})
	wantCode(t, err, "ResourceNotFound", "bad")
	_, err = client.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("math"), StateValue: "RED", StateReason: aws.String("")})
	wantCode(t, err, "ValidationError", "[OK, ALARM, INSUFFICIENT_DATA]")
	_, err = client.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("math"), StateValue: types.StateValueOk, StateReason: aws.String(""), StateReasonData: aws.String("{")})
	wantCode(t, err, "InvalidFormat", "JSON")
	_, err = client.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"bad", "math"}})
	wantCode(t, err, "ResourceNotFound", "bad")
	left := must(client.DescribeAlarms(t.Context(), nil))(t).MetricAlarms
	if len(left) != 1 || *left[0].AlarmName != "percentile" {
		t.Errorf("%+v", left)
	}
}

func TestIAMDecidesAboutAlarms(t *testing.T) {
	s := New(Options{Quotas: true})
	operator := cloudwatch.NewFromConfig(userConfig(t, s, User{Account: ownAccount, Name: "operator", Policies: []json.RawMessage{
		json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudwatch:PutMetricAlarm","cloudwatch:DeleteAlarms"],"Resource":"arn:aws:cloudwatch:*:111122223333:alarm:backend-*"}]}`),
	}}))
	if err := putTestAlarm(t, operator, errorAlarm); err != nil {
		t.Error(err)
	}
	wantCode(t, putTestAlarm(t, operator, "other"), "AccessDenied", "cloudwatch:PutMetricAlarm on resource: arn:aws:cloudwatch:ap-south-1:111122223333:alarm:other")
	wantCode(t, putTestAlarm(t, operator, errorAlarm, func(in *cloudwatch.PutMetricAlarmInput) {
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("core")}}
	}), "AccessDenied", "cloudwatch:TagResource")
	wantCode(t, putTestAlarm(t, operator, errorAlarm), "Throttling", "Rate exceeded") // the fourth within a second
	_, err := operator.DescribeAlarms(t.Context(), nil)
	wantCode(t, err, "AccessDenied", "cloudwatch:DescribeAlarms on resource: arn:aws:cloudwatch:ap-south-1:111122223333:alarm:*")
	entries := s.Journal(JournalFilter{Service: "cloudwatch", Operation: "DescribeAlarms"})
	want := []AuthorizedAction{{Action: "cloudwatch:DescribeAlarms", Resource: "arn:aws:cloudwatch:ap-south-1:111122223333:alarm:*"}}
	if len(entries) != 1 || entries[0].Code != "AccessDeniedException" || string(entries[0].Request) != "{}" || !cmp.Equal(want, entries[0].Actions) {
		t.Errorf("%+v", entries)
	}
}

// sendSigned sends a request as the root of our account, signed for CloudWatch.
func sendSigned(t *testing.T, s *Simulator, service, path string, header map[string]string, body []byte) (status int, answer []byte, headers http.Header) {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, "http://awssim.local"+path, bytes.NewReader(body)))(t)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	credentials := aws.Credentials{AccessKeyID: ownAccount, SecretAccessKey: rootSecret}
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, fmt.Sprintf("%x", sha256.Sum256(body)), service, mumbai, time.Now()); err != nil {
		t.Fatal(err)
	}
	response := must((&http.Client{Transport: Conforming(t, s.HTTPClient().Transport)}).Do(r))(t)
	answer = must(io.ReadAll(response.Body))(t)
	return response.StatusCode, answer, response.Header
}

func TestCloudWatchSpeaksThreeProtocols(t *testing.T) {
	s := New(Options{})
	if err := putTestAlarm(t, cloudwatch.NewFromConfig(rootConfig(t, s)), errorAlarm); err != nil {
		t.Fatal(err)
	}
	const path = "/service/GraniteServiceVersion20100801/operation/"
	cborHeader := map[string]string{"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "X-Amzn-Query-Mode": "true"}
	jsonHeader := func(operation string) map[string]string {
		return map[string]string{"X-Amz-Target": "GraniteServiceVersion20100801." + operation, "Content-Type": "application/x-amz-json-1.0", "X-Amzn-Query-Mode": "true"}
	}
	formHeader := map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

	status, body, header := sendSigned(t, s, "monitoring", path+"DescribeAlarms", cborHeader, []byte{0xbf, 0xff})
	if status != 200 || header.Get("Smithy-Protocol") != "rpc-v2-cbor" || header.Get("Content-Type") != "application/cbor" || !bytes.Contains(body, []byte(errorAlarm)) {
		t.Errorf("%d %v %q", status, header, body)
	}
	if status, body, header = sendSigned(t, s, "monitoring", "/", jsonHeader("DescribeAlarms"), []byte("{}")); status != 200 ||
		header.Get("Content-Type") != "application/x-amz-json-1.0" || !strings.Contains(string(body), `"Threshold":10.5`) {
		t.Errorf("%d %v %s", status, header, body)
	}
	if status, body, header = sendSigned(t, s, "monitoring", "/", formHeader, []byte("Action=DescribeAlarms&Version=2010-08-01&MaxRecords=5&AlarmNames=")); status != 200 ||
		header.Get("Content-Type") != "text/xml" || !strings.Contains(string(body), "<DescribeAlarmsResult><CompositeAlarms></CompositeAlarms><MetricAlarms><member><AlarmName>"+errorAlarm) ||
		!strings.Contains(string(body), `xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"`) {
		t.Errorf("%d %v %s", status, header, body)
	}

	// The same mistake, told in each of them.
	document := must(cbor.Marshal(map[string]any{"AlarmName": "absent", "StateValue": "OK", "StateReason": "", "StateReasonData": "{"}))(t)
	status, body, header = sendSigned(t, s, "monitoring", path+"SetAlarmState", cborHeader, document)
	var failure map[string]string
	if err := cbor.Unmarshal(body, &failure); err != nil || status != 400 || failure["__type"] != "InvalidFormatFault" || header.Get("X-Amzn-Query-Error") != "InvalidFormat;Sender" {
		t.Errorf("%d %v %q", status, header, body)
	}
	status, body, header = sendSigned(t, s, "monitoring", "/", jsonHeader("SetAlarmState"), []byte(`{"AlarmName":"absent","StateValue":"OK","StateReason":"","StateReasonData":"{"}`))
	if status != 400 || !strings.Contains(string(body), `"__type":"InvalidFormatFault"`) || header.Get("X-Amzn-Query-Error") != "InvalidFormat;Sender" {
		t.Errorf("%d %v %s", status, header, body)
	}
	status, body, _ = sendSigned(t, s, "monitoring", "/", formHeader, []byte("Action=SetAlarmState&Version=2010-08-01&AlarmName=absent&StateValue=OK&StateReason=&StateReasonData={"))
	if status != 400 || !strings.Contains(string(body), "<Code>InvalidFormat</Code>") {
		t.Errorf("%d %s", status, body)
	}

	for name, c := range map[string]struct {
		service, path string
		header        map[string]string
		body          string
		status        int
		text          string
	}{
		"an unknown operation in CBOR":  {"monitoring", path + "GetDashboard", cborHeader, "\xbf\xff", 404, "UnknownOperationException"},
		"an unknown service in CBOR":    {"monitoring", "/service/Other/operation/DescribeAlarms", cborHeader, "\xbf\xff", 404, "UnknownOperationException"},
		"a path that is none":           {"monitoring", "/DescribeAlarms", cborHeader, "\xbf\xff", 404, "UnknownOperationException"},
		"no CBOR":                       {"monitoring", path + "DescribeAlarms", cborHeader, "\xff", 400, "SerializationException"},
		"CBOR that is no structure":     {"monitoring", path + "DescribeAlarms", cborHeader, "\x01", 400, "SerializationException"},
		"a number that is none":         {"monitoring", path + "PutMetricAlarm", cborHeader, "\xa1\x69Threshold\xf9\x7e\x00", 400, "SerializationException"},
		"a text for a number":           {"monitoring", path + "DescribeAlarms", cborHeader, "\xa1\x6aMaxRecords\x61x", 400, "SerializationException"},
		"a signature for another":       {"ecs", path + "DescribeAlarms", cborHeader, "\xbf\xff", 400, "InvalidSignatureException"},
		"an unknown operation in JSON":  {"monitoring", "/", jsonHeader("GetDashboard"), "{}", 400, "UnknownOperationException"},
		"an unknown operation in XML":   {"monitoring", "/", formHeader, "Action=GetDashboard&Version=2010-08-01", 400, "<Code>InvalidAction</Code><Message>Could not find operation GetDashboard for version 2010-08-01"},
		"no version":                    {"monitoring", "/", formHeader, "Action=DescribeAlarms", 400, "Could not find operation DescribeAlarms for version NO_VERSION_SPECIFIED"},
		"another service's version":     {"elasticloadbalancing", "/", formHeader, "Action=DescribeAlarms&Version=2015-12-01", 400, "Could not find operation DescribeAlarms for version 2015-12-01"},
		"a version of nobody's":         {"elasticloadbalancing", "/", formHeader, "Action=DescribeTags&Version=2012-06-01", 400, "<Code>InvalidAction</Code>"},
		"a text for an integer":         {"monitoring", "/", formHeader, "Action=DescribeAlarms&Version=2010-08-01&MaxRecords=many", 400, "<Code>MalformedInput</Code>"},
		"a structure for a text":        {"monitoring", "/", formHeader, "Action=DescribeAlarms&Version=2010-08-01&StateValue.member.1=OK", 400, "<Code>MalformedInput</Code>"},
		"a text for a list":             {"monitoring", "/", formHeader, "Action=DescribeAlarms&Version=2010-08-01&AlarmNames=x", 400, "<Code>MalformedInput</Code>"},
		"a list that counts in letters": {"monitoring", "/", formHeader, "Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.one=x", 400, "<Code>MalformedInput</Code>"},
		"a value that is a structure":   {"monitoring", "/", formHeader, "Action=DescribeAlarms&Version=2010-08-01&A=x&A.B=y", 400, "<Code>MalformedInput</Code>"},
	} {
		status, body, _ := sendSigned(t, s, c.service, c.path, c.header, []byte(c.body))
		if status != c.status || !strings.Contains(string(body), c.text) {
			t.Errorf("%s: %d %q", name, status, body)
		}
	}
	refused := s.Journal(JournalFilter{Service: "cloudwatch"})
	if !slices.ContainsFunc(refused, func(e JournalEntry) bool { return e.Operation == "GetDashboard" && e.Code == "InvalidAction" }) {
		t.Error("the journal lacks the unknown operation")
	}
}

package awssim

import (
	"strings"
	"testing"
)

func TestTheCommandLineRunsALoadBalancer(t *testing.T) {
	t.Parallel()
	s := New(Options{Speed: 2000})
	cli := newAWSCLI(t, s)
	var balancers struct {
		LoadBalancers []struct{ LoadBalancerArn, DNSName string }
	}
	cli.ok(t, &balancers, "elbv2", "create-load-balancer", "--name", "web", "--subnets", "subnet-1", "subnet-2", "--tags", "Key=team,Value=core")
	balancer := balancers.LoadBalancers[0].LoadBalancerArn
	cli.ok(t, nil, "elbv2", "wait", "load-balancer-available", "--load-balancer-arns", balancer)
	var groups struct {
		TargetGroups []struct {
			TargetGroupArn             string
			HealthCheckIntervalSeconds int
		}
	}
	cli.ok(t, &groups, "elbv2", "create-target-group", "--name", "web", "--protocol", "HTTP", "--port", "8080", "--vpc-id", "vpc-1", "--target-type", "ip",
		"--health-check-interval-seconds", "7", "--matcher", "HttpCode=200-299")
	group := groups.TargetGroups[0].TargetGroupArn
	if groups.TargetGroups[0].HealthCheckIntervalSeconds != 7 {
		t.Errorf("%+v", groups)
	}
	cli.ok(t, nil, "elbv2", "create-listener", "--load-balancer-arn", balancer, "--protocol", "HTTP", "--port", "80", "--default-actions", "Type=forward,TargetGroupArn="+group)
	cli.ok(t, nil, "elbv2", "register-targets", "--target-group-arn", group, "--targets", "Id=10.0.0.1", "Id=10.0.0.2,Port=9090")
	cli.ok(t, nil, "elbv2", "wait", "target-in-service", "--target-group-arn", group)
	var health struct {
		TargetHealthDescriptions []struct {
			Target       struct{ ID string }
			TargetHealth struct{ State string }
		}
	}
	cli.ok(t, &health, "elbv2", "describe-target-health", "--target-group-arn", group, "--targets", "Id=10.0.0.2,Port=9090")
	if len(health.TargetHealthDescriptions) != 1 || health.TargetHealthDescriptions[0].TargetHealth.State != "healthy" {
		t.Errorf("%+v", health)
	}
	// Lists that are empty come as such, not as nothing.
	stdout, stderr, code := cli.run(t, "elbv2", "describe-target-health", "--target-group-arn", strings.Replace(group, "/web/", "/none/", 1))
	if code == 0 || !strings.Contains(stderr, "(TargetGroupNotFound)") {
		t.Errorf("%d %s %s", code, stdout, stderr)
	}
	var none struct{ LoadBalancers []any }
	cli.ok(t, &none, "elbv2", "describe-load-balancers", "--region", "ap-southeast-1")
	if none.LoadBalancers == nil || len(none.LoadBalancers) != 0 {
		t.Errorf("%+v", none)
	}
	cli.fails(t, "(LoadBalancerNotFound)", "elbv2", "describe-load-balancers", "--names", "absent")
	cli.fails(t, "(InvalidAction)", "elbv2", "describe-account-limits")
}

func TestTheCommandLineSoundsAnAlarm(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	cli := newAWSCLI(t, s)
	cli.ok(t, nil, "cloudwatch", "put-metric-alarm", "--alarm-name", errorAlarm, "--metric-name", "Errors", "--namespace", "Helium", "--statistic", "Sum", "--period", "60",
		"--evaluation-periods", "1", "--threshold", "1.5", "--comparison-operator", "GreaterThanThreshold", "--dimensions", "Name=service,Value=backend")
	cli.ok(t, nil, "cloudwatch", "set-alarm-state", "--alarm-name", errorAlarm, "--state-value", "ALARM", "--state-reason", "a test")
	var alarms struct {
		MetricAlarms []struct {
			AlarmName, StateValue, StateReason string
			StateUpdatedTimestamp              any // a number or a text, by version
			Threshold                          float64
		}
		CompositeAlarms []any
	}
	cli.ok(t, &alarms, "cloudwatch", "describe-alarms", "--state-value", "ALARM", "--max-items", "10")
	if len(alarms.MetricAlarms) != 1 || alarms.MetricAlarms[0].StateReason != "a test" || alarms.MetricAlarms[0].Threshold != 1.5 ||
		alarms.MetricAlarms[0].StateUpdatedTimestamp == nil || alarms.CompositeAlarms == nil {
		t.Errorf("%+v", alarms)
	}
	cli.fails(t, "(ResourceNotFound)", "cloudwatch", "set-alarm-state", "--alarm-name", "absent", "--state-value", "OK", "--state-reason", "none")
	cli.fails(t, "(ValidationError)", "cloudwatch", "set-alarm-state", "--alarm-name", errorAlarm, "--state-value", "RED", "--state-reason", "none")
	cli.ok(t, nil, "cloudwatch", "delete-alarms", "--alarm-names", errorAlarm)
}

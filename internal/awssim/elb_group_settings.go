package awssim

import (
	"cmp"
	"maps"
	"regexp"
	"strings"
	"time"
)

// defaultGroupAttributes are the attributes of a target group of an application load
// balancer. Slow start is kept, and does not slow the simulator's traffic.
var defaultGroupAttributes = map[string]string{
	"deregistration_delay.timeout_seconds":  "300",
	"load_balancing.algorithm.type":         "round_robin",
	"load_balancing.cross_zone.enabled":     "use_load_balancer_configuration",
	"slow_start.duration_seconds":           "0",
	"stickiness.enabled":                    "false",
	"stickiness.type":                       "lb_cookie",
	"stickiness.lb_cookie.duration_seconds": "86400",
}

// healthCheckInput is the parameters of a health check; absent ones keep what is.
type healthCheckInput struct {
	HealthCheckProtocol        string
	HealthCheckPort            string
	HealthCheckPath            string
	HealthCheckEnabled         *bool
	HealthCheckIntervalSeconds *int
	HealthCheckTimeoutSeconds  *int
	HealthyThresholdCount      *int
	UnhealthyThresholdCount    *int
	Matcher                    *groupMatcher
}

type createTargetGroupInput struct {
	healthCheckInput
	Name            string
	Protocol        string
	ProtocolVersion string
	Port            *int
	VpcID           string `json:"VpcId"`
	TargetType      string
	Tags            []elbTag
	IPAddressType   string `json:"IpAddressType"`
}

// group is the target group that the parameters describe, which has no ARN yet.
func (in *createTargetGroupInput) group(w *world) (*targetGroup, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	g := &targetGroup{
		world: w, name: in.Name, protocol: in.Protocol, version: cmp.Or(in.ProtocolVersion, "HTTP1"), port: *in.Port, vpc: in.VpcID,
		targetType: cmp.Or(in.TargetType, "instance"), ipType: cmp.Or(in.IPAddressType, "ipv4"),
		attributes: maps.Clone(defaultGroupAttributes), members: map[memberKey]*groupMember{},
	}
	standard := healthCheck{
		protocol: "HTTP", port: "traffic-port", path: "/", matcher: "200",
		interval: 30 * time.Second, timeout: 5 * time.Second, healthy: 5, unhealthy: 2,
	}
	if g.version == "GRPC" {
		standard.path, standard.matcher = "/AWS.ALB/healthcheck", "12"
	}
	var err error
	g.check, err = in.apply(standard, g.version)
	return g, err
}

func (in *createTargetGroupInput) check() error {
	if in.TargetType == "lambda" || in.TargetType == "alb" {
		return unimplemented("target groups of type '" + in.TargetType + "'")
	}
	switch in.Protocol {
	case "":
		return elbValidationError("A protocol must be specified")
	case "HTTP", "HTTPS":
	case "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC":
		return unimplemented("target groups of protocol '" + in.Protocol + "'")
	}
	switch {
	case in.Port == nil:
		return elbValidationError("A port must be specified")
	case in.VpcID == "":
		return elbValidationError("A VPC ID must be specified")
	case !strings.HasPrefix(in.VpcID, "vpc-"):
		return elbValidationError("The VPC ID '%s' is not found", in.VpcID)
	}
	return firstError(
		among("targetType", in.TargetType, "instance", "ip", "lambda", "alb"),
		among("protocol", in.Protocol, "HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC"),
		among("protocolVersion", in.ProtocolVersion, "HTTP1", "HTTP2", "GRPC"),
		among("ipAddressType", in.IPAddressType, "ipv4", "ipv6"),
		within("Port", in.Port, 1, 65535))
}

var (
	httpMatcher = regexp.MustCompile(`^[2-4]\d\d(-[2-4]\d\d)?(,[2-4]\d\d(-[2-4]\d\d)?)*$`)
	grpcMatcher = regexp.MustCompile(`^\d{1,2}(-\d{1,2})?(,\d{1,2}(-\d{1,2})?)*$`)
)

// apply is the health check with the parameters' changes.
func (in *healthCheckInput) apply(check healthCheck, version string) (healthCheck, error) {
	err := firstError(
		among("healthCheckProtocol", in.HealthCheckProtocol, "HTTP", "HTTPS"),
		within("Health check interval", in.HealthCheckIntervalSeconds, 5, 300),
		within("Health check timeout", in.HealthCheckTimeoutSeconds, 2, 120),
		within("Healthy threshold count", in.HealthyThresholdCount, 2, 10),
		within("Unhealthy threshold count", in.UnhealthyThresholdCount, 2, 10))
	if err == nil && in.HealthCheckPort != "" && in.HealthCheckPort != "traffic-port" {
		err = checkPort("Health check port", in.HealthCheckPort)
	}
	if err != nil {
		return check, err
	}
	if in.HealthCheckPath != "" && (!strings.HasPrefix(in.HealthCheckPath, "/") || len(in.HealthCheckPath) > 1024) {
		return check, elbValidationError("Health check path '%s' must begin with a '/' character and be at most 1024 characters long", in.HealthCheckPath)
	}
	if in.HealthCheckEnabled != nil && !*in.HealthCheckEnabled {
		return check, elbValidationError("Health check enabled must be true for target groups with target type 'instance' or 'ip'")
	}
	check.protocol = cmp.Or(in.HealthCheckProtocol, check.protocol)
	check.port = cmp.Or(in.HealthCheckPort, check.port)
	check.path = cmp.Or(in.HealthCheckPath, check.path)
	if m := in.Matcher; m != nil {
		matcher, pattern := m.HTTPCode, httpMatcher
		if version == "GRPC" {
			matcher, pattern = m.GrpcCode, grpcMatcher
		}
		if !pattern.MatchString(matcher) {
			return check, elbValidationError("Health check matcher '%s' is not valid", matcher)
		}
		check.matcher = matcher
	}
	setSeconds(&check.interval, in.HealthCheckIntervalSeconds)
	setSeconds(&check.timeout, in.HealthCheckTimeoutSeconds)
	setCount(&check.healthy, in.HealthyThresholdCount)
	setCount(&check.unhealthy, in.UnhealthyThresholdCount)
	if check.timeout >= check.interval {
		return check, elbValidationError("Health check interval must be greater than the timeout.")
	}
	return check, nil
}

func setSeconds(d *time.Duration, seconds *int) {
	if seconds != nil {
		*d = time.Duration(*seconds) * time.Second
	}
}

func setCount(n, count *int) {
	if count != nil {
		*n = *count
	}
}

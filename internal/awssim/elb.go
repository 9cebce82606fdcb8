package awssim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const elbVersion = "2015-12-01"

// elbOperations is the table of what Elastic Load Balancing, version 2, answers.
func (s *Simulator) elbOperations() map[string]operation {
	return map[string]operation{
		"CreateLoadBalancer":    {"", typed(createLoadBalancer)},
		"DescribeLoadBalancers": {"elb-read", typed(describeLoadBalancers)},
		"DeleteLoadBalancer":    {"", typed(deleteLoadBalancer)},

		"CreateTargetGroup":             {"", typed(createTargetGroup)},
		"DescribeTargetGroups":          {"elb-read", typed(describeTargetGroups)},
		"ModifyTargetGroup":             {"", typed(modifyTargetGroup)},
		"DescribeTargetGroupAttributes": {"elb-read", typed(describeTargetGroupAttributes)},
		"ModifyTargetGroupAttributes":   {"", typed(modifyTargetGroupAttributes)},
		"DeleteTargetGroup":             {"", typed(deleteTargetGroup)},

		"CreateListener":    {"", typed(createListener)},
		"DescribeListeners": {"elb-read", typed(describeListeners)},
		"ModifyListener":    {"", typed(modifyListener)},
		"DeleteListener":    {"", typed(deleteListener)},

		"CreateRule":    {"", typed(createRule)},
		"DescribeRules": {"elb-read", typed(describeRules)},
		"ModifyRule":    {"", typed(modifyRule)},
		"DeleteRule":    {"", typed(deleteRule)},

		"RegisterTargets":      {"", typed(registerTargets)},
		"DeregisterTargets":    {"", typed(deregisterTargets)},
		"DescribeTargetHealth": {"elb-read", typed(describeTargetHealth)},

		"AddListenerCertificates":      {"", typed(addListenerCertificates)},
		"DescribeListenerCertificates": {"elb-read", typed(describeListenerCertificates)},
		"RemoveListenerCertificates":   {"", typed(removeListenerCertificates)},

		"DescribeTags": {"elb-read", typed(describeTags)},
	}
}

// The kinds of resources, as their ARNs spell them, with what a listing calls one that is
// not there.
var (
	balancerKind = elbKind{"loadbalancer/app/", "load balancer", "LoadBalancerNotFound", "Load balancers '[%s]' not found"}
	groupKind    = elbKind{"targetgroup/", "target group", "TargetGroupNotFound", "Target groups '%s' not found"}
	listenerKind = elbKind{"listener/app/", "listener", "ListenerNotFound", "Listeners '%s' not found"}
	ruleKind     = elbKind{"listener-rule/app/", "listener rule", "RuleNotFound", "Rules '%s' not found"}
)

type elbKind struct{ path, noun, code, message string }

func (k elbKind) missing(arn string) *apiError {
	return newError(http.StatusBadRequest, k.code, k.message, arn)
}

// lookUp finds a resource by its ARN after it has asked whether the caller may use it.
func lookUp[T any](c *call, kind elbKind, resources map[string]*T, arn string, tags func(*T) elbTags) (*T, error) {
	if err := c.checkELBARN(kind, arn); err != nil {
		return nil, err
	}
	found := resources[arn]
	conditions := map[string]string{}
	if found != nil {
		for key, value := range tags(found) {
			conditions["aws:ResourceTag/"+key] = value
		}
	}
	if err := c.authorize("elasticloadbalancing:"+c.operation, arn, conditions); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, kind.missing(arn)
	}
	return found, nil
}

// checkELBARN refuses what is no ARN of that kind, wherever it may be.
func (c *call) checkELBARN(kind elbKind, arn string) error {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "elasticloadbalancing" || !strings.HasPrefix(parts[5], kind.path) {
		return elbValidationError("'%s' is not a valid %s ARN", arn, kind.noun)
	}
	return nil
}

// authorizeELB asks about an operation that no resource restricts.
func (c *call) authorizeELB() error {
	return c.authorize("elasticloadbalancing:"+c.operation, "*", nil)
}

// authorizeCreation asks whether the caller may create a resource, and tag it so.
func (c *call) authorizeCreation(resource string, tags elbTags) error {
	conditions := map[string]string{}
	for key, value := range tags {
		conditions["aws:RequestTag/"+key] = value
	}
	if err := c.authorize("elasticloadbalancing:"+c.operation, resource, conditions); err != nil || len(tags) == 0 {
		return err
	}
	conditions["elasticloadbalancing:CreateAction"] = c.operation
	return c.authorize("elasticloadbalancing:AddTags", resource, conditions)
}

// elbID is the last part of an ARN of Elastic Load Balancing.
func (c *call) elbID() string { return c.sim.randomText(hexDigits, 16) }

// page is what the listing operations have in common.
type elbPage struct {
	Marker   string
	PageSize *int
}

const elbPageSize = 400

// pageOf cuts the page out of a listing: the marker is the key of the item that comes next.
func pageOf[T any](p elbPage, items []T, key func(T) string) (page []T, next string, err error) {
	size := elbPageSize
	if p.PageSize != nil {
		size = *p.PageSize
	}
	if size < 1 || size > elbPageSize {
		return nil, "", elbValidationError("1 validation error detected: Value '%d' at 'pageSize' failed to satisfy constraint: Member must have value between 1 and %d",
			size, elbPageSize)
	}
	from := 0
	if p.Marker != "" {
		from = slices.IndexFunc(items, func(item T) bool { return key(item) == p.Marker })
		if from < 0 {
			return nil, "", elbValidationError("Invalid marker '%s'", p.Marker)
		}
	}
	rest := items[from:]
	if len(rest) > size {
		return rest[:size], key(rest[size]), nil
	}
	return rest, "", nil
}

// The names of load balancers and target groups obey the same rules.
func checkELBName(noun, name string) error {
	switch {
	case name == "":
		return elbValidationError("%s name cannot be empty", noun)
	case len(name) > 32:
		return elbValidationError("%s name '%s' cannot be longer than '32' characters", noun, name)
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "":
		return elbValidationError("%s name '%s' can only contain characters that are alphanumeric characters and hyphens(-)", noun, name)
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return elbValidationError("%s name '%s' cannot begin or end with '-'", noun, name)
	default:
		return nil
	}
}

// within refuses a number out of its range; absent is fine.
func within(name string, value *int, least, most int) error {
	if value == nil || *value >= least && *value <= most {
		return nil
	}
	return elbValidationError("%s '%d' must be between '%d' and '%d'", name, *value, least, most)
}

// among refuses a value that an enumeration does not have; absent is fine.
func among(name, value string, known ...string) error {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return elbValidationError("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]",
		value, name, strings.Join(known, ", "))
}

func checkPort(name, port string) error {
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return elbValidationError("%s '%s' must be between '1' and '65535'", name, port)
	}
	return nil
}

// unimplemented refuses a parameter, instead of ignoring it.
func unimplemented(what string) error {
	return elbValidationError("awssim does not implement %s", what)
}

// firstError is the first that is one.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

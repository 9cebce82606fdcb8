package awssim

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
)

// forwardTo is the configuration of an action that forwards by weight.
func (st *elbState) forwardTo(weights map[string]int) (*elbForward, *apiError) {
	forward := &elbForward{TargetGroupStickinessConfig: &elbStickiness{Enabled: new(bool)}}
	for _, group := range slices.Sorted(maps.Keys(weights)) {
		weight := weights[group]
		if st.groups[group] == nil {
			return nil, targetGroupNotFound(group)
		}
		if weight < 0 || weight > 999 {
			return nil, elbValidationError("Weight '%d' must be between '0' and '999'", weight)
		}
		forward.TargetGroups = append(forward.TargetGroups, elbGroupWeight{TargetGroupArn: group, Weight: &weight})
	}
	if len(forward.TargetGroups) == 0 || len(forward.TargetGroups) > 5 {
		return nil, elbValidationError("A forward action must have between '1' and '5' target groups")
	}
	return forward, nil
}

// action is the forward action as answers show it: the group's ARN stands beside the
// configuration where there is only one.
func (f *elbForward) action(order *int) elbAction {
	a := elbAction{Type: "forward", Order: order, ForwardConfig: f}
	if len(f.TargetGroups) == 1 {
		a.TargetGroupArn = f.TargetGroups[0].TargetGroupArn
	}
	return a
}

// readActions checks the actions of a rule and completes them as answers show them.
func (st *elbState) readActions(b *loadBalancer, list []elbAction) ([]elbAction, error) {
	if len(list) == 0 {
		return nil, elbValidationError("An action must be specified")
	}
	if len(list) > 1 {
		for _, a := range list {
			if a.Type != "forward" && a.Type != "redirect" && a.Type != "fixed-response" {
				return nil, unimplementedAction(a.Type)
			}
		}
		return nil, newError(http.StatusBadRequest, "InvalidLoadBalancerAction", "The actions must include exactly one forward, redirect or fixed-response action")
	}
	a := list[0]
	var err error
	switch a.Type {
	case "forward":
		a, err = st.readForward(b, a)
	case "redirect":
		a.RedirectConfig, err = readRedirect(a.RedirectConfig)
	case "fixed-response":
		err = checkFixedResponse(a.FixedResponseConfig)
	default:
		err = unimplementedAction(a.Type)
	}
	if err == nil {
		err = within("Action order", a.Order, 1, 50000)
	}
	return []elbAction{a}, err
}

func unimplementedAction(kind string) error {
	err := among("type", kind, "forward", "authenticate-oidc", "authenticate-cognito", "redirect", "fixed-response", "jwt-validation")
	if err != nil || kind == "" {
		return cmp.Or(err, error(elbValidationError("An action type must be specified")))
	}
	return unimplemented("actions of type '" + kind + "'")
}

// readForward reads both forms of a forward action.
func (st *elbState) readForward(b *loadBalancer, a elbAction) (elbAction, error) {
	config := a.ForwardConfig
	switch {
	case config == nil && a.TargetGroupArn == "":
		return a, elbValidationError("A target group must be specified")
	case config == nil:
		config = &elbForward{TargetGroups: []elbGroupWeight{{TargetGroupArn: a.TargetGroupArn}}}
	case a.TargetGroupArn != "" && (len(config.TargetGroups) != 1 || config.TargetGroups[0].TargetGroupArn != a.TargetGroupArn):
		return a, elbValidationError("You can specify both a target group list and a top-level target group ARN only if the ARN matches the single target group in the list")
	}
	weights := map[string]int{}
	for _, g := range config.TargetGroups {
		if _, twice := weights[g.TargetGroupArn]; twice {
			return a, elbValidationError("Target groups must be unique within an action")
		}
		weights[g.TargetGroupArn] = 1
		if g.Weight != nil {
			weights[g.TargetGroupArn] = *g.Weight
		}
	}
	forward, failure := st.forwardTo(weights)
	if failure != nil {
		return a, failure
	}
	for _, g := range forward.TargetGroups {
		if used := st.groups[g.TargetGroupArn].balancers; len(used) > 0 && !slices.Contains(used, b.arn) {
			return a, newError(http.StatusBadRequest, "TargetGroupAssociationLimit",
				"The following target groups cannot be associated with more than one load balancer: %s", g.TargetGroupArn)
		}
	}
	if s := config.TargetGroupStickinessConfig; s != nil && s.Enabled != nil && *s.Enabled {
		return a, unimplemented("stickiness of target groups")
	}
	return forward.action(a.Order), nil
}

var (
	redirectProtocol = regexp.MustCompile(`^(HTTPS?|#\{protocol\})$`)
	fixedStatus      = regexp.MustCompile(`^[245]\d\d$`)
)

// readRedirect fills in the parts that the redirect keeps.
func readRedirect(config *elbRedirect) (*elbRedirect, error) {
	if config == nil {
		return nil, elbValidationError("A redirect configuration must be specified")
	}
	kept := elbRedirect{Protocol: "#{protocol}", Port: "#{port}", Host: "#{host}", Path: "/#{path}", Query: "#{query}", StatusCode: config.StatusCode}
	full := elbRedirect{
		Protocol: cmp.Or(config.Protocol, kept.Protocol), Port: cmp.Or(config.Port, kept.Port), Host: cmp.Or(config.Host, kept.Host),
		Path: cmp.Or(config.Path, kept.Path), Query: cmp.Or(config.Query, kept.Query), StatusCode: config.StatusCode,
	}
	switch {
	case full.StatusCode != "HTTP_301" && full.StatusCode != "HTTP_302":
		return nil, elbValidationError("Redirect status code '%s' must be 'HTTP_301' or 'HTTP_302'", full.StatusCode)
	case !redirectProtocol.MatchString(full.Protocol):
		return nil, elbValidationError("Redirect protocol '%s' must be 'HTTP', 'HTTPS' or '#{protocol}'", full.Protocol)
	case full.Path[0] != '/':
		return nil, elbValidationError("Redirect path '%s' must begin with a '/' character", full.Path)
	case len(full.Host) > 128 || len(full.Path) > 128 || len(full.Query) > 128:
		return nil, elbValidationError("Redirect host, path and query cannot be longer than '128' characters")
	case full == kept:
		return nil, newError(http.StatusBadRequest, "InvalidLoadBalancerAction", "The redirect configuration is not valid because it creates a loop.")
	}
	if full.Port != kept.Port {
		if err := checkPort("Redirect port", full.Port); err != nil {
			return nil, err
		}
	}
	return &full, nil
}

func checkFixedResponse(config *elbFixedResponse) error {
	switch {
	case config == nil:
		return elbValidationError("A fixed response configuration must be specified")
	case !fixedStatus.MatchString(config.StatusCode):
		return elbValidationError("Fixed response status code '%s' must be of the form 2XX, 4XX or 5XX", config.StatusCode)
	case len(config.MessageBody) > 1024:
		return elbValidationError("Fixed response message body cannot be longer than '1024' characters")
	}
	return among("contentType", config.ContentType, "text/plain", "text/css", "text/html", "application/javascript", "application/json")
}

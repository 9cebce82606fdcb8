package awssim

import "net/http"

// authorize checks an action on a resource against the identity-based policies of the
// caller, and writes the decision to the call's journal entry. A denial is AWS's
// AccessDenied error in the wording and the status of the call's protocol. conditions are
// the service's own condition keys with their values ("ecs:cluster", "iam:PassedToService",
// "aws:RequestTag/team"); the global keys of the caller are added here.
//
// Resource-based policies are no part of it: for a resource of another account the service
// decides for itself.
func (c *call) authorize(action, resource string, conditions map[string]string) error {
	return c.authorizeIn(action, resource, c.conditionContext(conditions))
}

// authorizeIn is authorize with condition keys that may have several values.
func (c *call) authorizeIn(action, resource string, context conditionContext) error {
	decision := c.principal.decide(action, resource, context)
	c.record(action, resource, decision == allowed)
	switch decision {
	case allowed:
		return nil
	case explicitlyDenied:
		return c.denied("User: %s is not authorized to perform: %s on resource: %s with an explicit deny in an identity-based policy",
			c.principal.arn, action, resource)
	default:
		return c.denied("User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action",
			c.principal.arn, action, resource, action)
	}
}

// denied is the AccessDenied error of the call's protocol.
func (c *call) denied(format string, args ...any) *apiError {
	if c.protocol == queryProtocol || c.protocol == restProtocol {
		return newError(http.StatusForbidden, "AccessDenied", format, args...)
	}
	return newError(http.StatusBadRequest, "AccessDeniedException", format, args...)
}

// record notes a decision in the call's journal entry.
func (c *call) record(action, resource string, allowed bool) {
	if c.entry != nil {
		c.entry.Actions = append(c.entry.Actions, AuthorizedAction{Action: action, Resource: resource, Allowed: allowed})
	}
}

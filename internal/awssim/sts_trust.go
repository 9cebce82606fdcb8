package awssim

import (
	"strings"
)

// roleByARN finds a role, nil for none.
func (s *Simulator) roleByARN(arn string) *identity {
	account := strings.SplitN(arn, ":", 6)[4]
	a := s.accounts[account]
	if a == nil {
		return nil
	}
	record := a.iam.roles[arn[strings.LastIndex(arn, "/")+1:]]
	if record == nil || record.identity.arn != arn {
		return nil
	}
	return record.identity
}

// mayAssume evaluates sts:AssumeRole, and sts:TagSession where the session has tags. A role
// that does not exist is denied in the same words as one that does not trust the caller.
func (c *call) mayAssume(role *identity, req assumeRoleInput) error {
	conditions := map[string]string{"sts:RoleSessionName": req.sessionName}
	if req.externalID != nil {
		conditions["sts:ExternalId"] = *req.externalID
	}
	for key, value := range req.tags {
		conditions["aws:RequestTag/"+key] = value
	}
	context := c.conditionContext(conditions)
	if len(req.transitive) > 0 {
		context["sts:transitivetagkeys"] = req.transitive
	}
	actions := []string{"sts:AssumeRole"}
	if len(req.tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	for _, action := range actions {
		verdict, source := c.decideTrusted(role, action, req.roleARN, context)
		c.record(action, req.roleARN, verdict == allowed)
		switch verdict {
		case allowed:
		case explicitlyDenied:
			return c.denied("User: %s is not authorized to perform: %s on resource: %s with an explicit deny in %s policy",
				c.principal.arn, action, req.roleARN, source)
		default:
			return c.denied("User: %s is not authorized to perform: %s on resource: %s", c.principal.arn, action, req.roleARN)
		}
	}
	return nil
}

// decideTrusted follows IAM's evaluation logic for roles: a Deny anywhere wins. Within an
// account, a trust policy that names the caller is enough; one that names the account leaves
// it to the caller's own policies. From another account both must allow it.
func (c *call) decideTrusted(role *identity, action, resource string, context conditionContext) (verdict decision, source string) {
	own := c.principal.decide(action, resource, context)
	if own == explicitlyDenied {
		return explicitlyDenied, "an identity-based"
	}
	if role == nil {
		return implicitlyDenied, ""
	}
	trust, named := role.trusts(&c.principal, action, context)
	switch {
	case trust == explicitlyDenied:
		return explicitlyDenied, "a resource-based"
	case trust == allowed && (own == allowed || named && role.account == c.principal.account):
		return allowed, ""
	default:
		return implicitlyDenied, ""
	}
}

// trusts evaluates the trust policy for a caller. named tells whether a statement that
// allows it names the caller, not just the caller's account.
func (role *identity) trusts(p *principal, action string, context conditionContext) (verdict decision, named bool) {
	for i := range role.trust.statements {
		s := &role.trust.statements[i]
		named1, covered := s.coversPrincipal(p)
		if !covered || !s.coversAction(action) || !s.conditionsHold(context) {
			continue
		}
		if !s.allow {
			return explicitlyDenied, false
		}
		verdict, named = allowed, named || named1
	}
	return verdict, named
}

func (s *statement) coversPrincipal(p *principal) (named, covered bool) {
	for _, pattern := range s.principals {
		switch pattern {
		case "*", p.arn, p.ownARN():
			return true, true
		case rootARN(p.account):
			covered = true
		}
	}
	return false, covered
}

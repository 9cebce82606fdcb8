package awssim

// queuePolicy is a queue's policy as it was put, ready to be evaluated. A nil one has no
// opinion.
type queuePolicy struct {
	text string
	resourcePolicy
}

// parseQueuePolicy reads a queue's policy. As with all policies here, what cannot be evaluated
// exactly is refused.
func parseQueuePolicy(text string) (*queuePolicy, error) {
	p, err := parseResourcePolicy(text)
	if err != nil {
		return nil, invalidAttribute("Policy", err.Error())
	}
	for i := range p.statements {
		if len(p.statements[i].resources) == 0 {
			return nil, invalidAttribute("Policy", "a statement of a queue's policy needs a Resource")
		}
	}
	return &queuePolicy{text, *p}, nil
}

// decideCall evaluates the policy for the caller. That it allows the queue's own account
// leaves it to that account's policies, so it allows none of its users and roles by itself.
func (p *queuePolicy) decideCall(c *call, action, owner, arn string) decision {
	if p == nil {
		return implicitlyDenied
	}
	return p.evaluate(func(principal string, s *statement) bool {
		switch principal {
		case "*", c.principal.arn, c.principal.ownARN():
			return true
		case rootARN(c.account.id):
			return !s.allow || c.account.id != owner
		}
		return false
	}, action, arn, c.conditionContext(nil))
}

// decideService evaluates the policy for a service of AWS's ("events.amazonaws.com") that acts
// for a resource: its ARN and its account are the keys aws:SourceArn and aws:SourceAccount.
func (p *queuePolicy) decideService(service, action, arn, source, account string) decision {
	if p == nil {
		return implicitlyDenied
	}
	context := conditionContext{
		"aws:sourcearn": {source}, "aws:sourceaccount": {account}, "aws:principalservicename": {service},
		"aws:principalisawsservice": {"true"}, "aws:securetransport": {"true"},
	}
	return p.evaluate(func(principal string, _ *statement) bool {
		return principal == "*" || principal == service
	}, action, arn, context)
}

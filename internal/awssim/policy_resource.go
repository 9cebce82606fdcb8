package awssim

import "fmt"

// resourcePolicy is a policy that is attached to a resource: its statements say who.
type resourcePolicy struct {
	statements []statement
}

// parseResourcePolicy reads such a policy. A statement may have a Resource or none: which of
// them is right is the resource's to say.
func parseResourcePolicy(text string) (*resourcePolicy, error) {
	var document policyDocument
	if err := decodeStrictly([]byte(text), &document); err != nil {
		return nil, err
	}
	if document.Version != "2012-10-17" && document.Version != "2008-10-17" && document.Version != "" {
		return nil, fmt.Errorf("unknown Version %s", document.Version)
	}
	if len(document.Statement) == 0 {
		return nil, fmt.Errorf("no Statement")
	}
	p := &resourcePolicy{}
	for _, written := range document.Statement {
		resources := written.Resource
		written.Resource = nil
		compiled, err := compileStatement(written, true)
		if err != nil {
			return nil, err
		}
		compiled.resources = resources
		p.statements = append(p.statements, compiled)
	}
	return p, nil
}

// evaluate decides for whoever the function recognises among the principals of a statement.
func (p *resourcePolicy) evaluate(is func(principal string, s *statement) bool, action, resource string, context conditionContext) decision {
	result := implicitlyDenied
	for i := range p.statements {
		s := &p.statements[i]
		if !s.coversAction(action) || !s.coversResource(resource, context) || !s.conditionsHold(context) {
			continue
		}
		named := false
		for _, principal := range s.principals {
			named = named || is(principal, s)
		}
		switch {
		case !named:
		case !s.allow:
			return explicitlyDenied
		default:
			result = allowed
		}
	}
	return result
}

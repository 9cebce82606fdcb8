package awssim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// decision is what a set of policies says about one action on one resource.
type decision int

const (
	implicitlyDenied decision = iota // no statement allows it
	allowed
	explicitlyDenied // a Deny wins over every Allow
)

// policy is one IAM policy document, checked and ready to be evaluated.
type policy struct {
	statements []statement
}

type statement struct {
	allow       bool
	principals  []string // of a policy that is attached to what it is about; "*" is everybody
	notActions  bool
	actions     []string
	notResource bool
	resources   []string // none in a trust policy or in some others of that kind
	conditions  []condition
}

// policyDocument is a policy as it is written.
type policyDocument struct {
	Version   string
	ID        string `json:"Id"`
	Statement oneOrMany[statementDocument]
}

type statementDocument struct {
	Sid          string
	Effect       string
	Principal    json.RawMessage
	NotPrincipal json.RawMessage
	Action       oneOrMany[string]
	NotAction    oneOrMany[string]
	Resource     oneOrMany[string]
	NotResource  oneOrMany[string]
	Condition    map[string]map[string]oneOrMany[conditionValue]
}

// oneOrMany is a list that may be written without its brackets when it has one item.
type oneOrMany[T any] []T

func (l *oneOrMany[T]) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return decodeStrictly(data, (*[]T)(l))
	}
	var one T
	if err := decodeStrictly(data, &one); err != nil {
		return err
	}
	*l = []T{one}
	return nil
}

// conditionValue is a string, or a boolean or number that stands for one.
type conditionValue string

func (v *conditionValue) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte(`"`)) {
		return json.Unmarshal(data, (*string)(v))
	}
	if bytes.ContainsAny(data[:1], "[{n") {
		return fmt.Errorf("%s is no value for a condition", data)
	}
	*v = conditionValue(data)
	return nil
}

// parsePolicy reads an identity-based policy. What this package cannot evaluate exactly is
// refused, never skipped.
func parsePolicy(document json.RawMessage) (*policy, error) { return compilePolicy(document, false) }

// parseTrustPolicy reads a role's trust policy: with principals, without resources.
func parseTrustPolicy(document json.RawMessage) (*policy, error) {
	return compilePolicy(document, true)
}

func compilePolicy(document json.RawMessage, trust bool) (*policy, error) {
	var d policyDocument
	if err := decodeStrictly(document, &d); err != nil {
		return nil, fmt.Errorf("reading the policy: %w", err)
	}
	if d.Version != "2012-10-17" {
		return nil, fmt.Errorf(`the policy's Version is %q; it must be "2012-10-17"`, d.Version)
	}
	if len(d.Statement) == 0 {
		return nil, fmt.Errorf("the policy has no Statement")
	}
	p := &policy{}
	for i, written := range d.Statement {
		s, err := compileStatement(written, trust)
		if err != nil {
			return nil, fmt.Errorf("statement %d (Sid %q): %w", i+1, written.Sid, err)
		}
		p.statements = append(p.statements, s)
	}
	return p, nil
}

func compileStatement(d statementDocument, trust bool) (statement, error) {
	var s statement
	switch d.Effect {
	case "Allow":
		s.allow = true
	case "Deny":
	default:
		return s, fmt.Errorf(`effect is %q; it must be "Allow" or "Deny"`, d.Effect)
	}
	if (len(d.Action) == 0) == (len(d.NotAction) == 0) {
		return s, fmt.Errorf("exactly one of Action and NotAction is needed")
	}
	s.actions, s.notActions = d.Action, len(d.NotAction) > 0
	if s.notActions {
		s.actions = d.NotAction
	}
	for _, action := range s.actions {
		service, name, found := strings.Cut(action, ":")
		if action != "*" && (!found || service == "" || name == "") {
			return s, fmt.Errorf("action %q is not of the form service:Action", action)
		}
	}
	if err := s.compileSubject(d, trust); err != nil {
		return s, err
	}
	for operator, keys := range d.Condition {
		for key, values := range keys {
			c, err := compileCondition(operator, key, values)
			if err != nil {
				return s, err
			}
			s.conditions = append(s.conditions, c)
		}
	}
	return s, nil
}

// compileSubject reads what makes the two kinds of policy different: who, or on what.
func (s *statement) compileSubject(d statementDocument, trust bool) (err error) {
	if d.NotPrincipal != nil {
		return fmt.Errorf("NotPrincipal is not supported")
	}
	if trust {
		if len(d.Resource) > 0 || len(d.NotResource) > 0 {
			return fmt.Errorf("a trust policy has no Resource: it is attached to one")
		}
		s.principals, err = compilePrincipals(d.Principal)
		return err
	}
	if d.Principal != nil {
		return fmt.Errorf("an identity-based policy has no Principal: it is attached to one")
	}
	if (len(d.Resource) == 0) == (len(d.NotResource) == 0) {
		return fmt.Errorf("exactly one of Resource and NotResource is needed")
	}
	s.resources, s.notResource = d.Resource, len(d.NotResource) > 0
	if s.notResource {
		s.resources = d.NotResource
	}
	for _, resource := range s.resources {
		if resource != "*" && strings.Count(resource, ":") < 5 && (!strings.HasPrefix(resource, "arn:") || !strings.HasSuffix(resource, "*")) {
			return fmt.Errorf(`resource %q is neither an ARN nor "*"`, resource)
		}
	}
	return nil
}

// compilePrincipals lists the AWS principals and the services. Identity providers are read and
// match nobody: no caller of this simulator is one. A service is none either, but some act for
// resources of an account.
func compilePrincipals(raw json.RawMessage) ([]string, error) {
	if raw == nil {
		return nil, fmt.Errorf("a statement of a trust policy needs a Principal")
	}
	var everybody string
	if err := json.Unmarshal(raw, &everybody); err == nil {
		if everybody != "*" {
			return nil, fmt.Errorf(`principal %q: only "*" may stand without its type`, everybody)
		}
		return []string{"*"}, nil
	}
	var typed struct {
		AWS           oneOrMany[string]
		Service       oneOrMany[string]
		Federated     oneOrMany[string]
		CanonicalUser oneOrMany[string]
	}
	if err := decodeStrictly(raw, &typed); err != nil {
		return nil, fmt.Errorf("reading the Principal: %w", err)
	}
	principals := []string{}
	for _, p := range typed.AWS {
		switch {
		case isAccountID(p):
			p = rootARN(p)
		case p != "*" && (!strings.HasPrefix(p, "arn:aws:iam::") && !strings.HasPrefix(p, "arn:aws:sts::") || strings.ContainsAny(p, "*?")):
			return nil, fmt.Errorf("principal %q is neither an account nor the ARN of a user, role or session (wildcards are not allowed in it)", p)
		}
		principals = append(principals, p)
	}
	return append(principals, typed.Service...), nil
}

// decide evaluates identity-based policies: an explicit Deny wins, then any Allow.
func decide(policies []*policy, action, resource string, context conditionContext) decision {
	result := implicitlyDenied
	for _, p := range policies {
		for i := range p.statements {
			s := &p.statements[i]
			if !s.coversAction(action) || !s.coversResource(resource, context) || !s.conditionsHold(context) {
				continue
			}
			if !s.allow {
				return explicitlyDenied
			}
			result = allowed
		}
	}
	return result
}

func (s *statement) coversAction(action string) bool {
	for _, pattern := range s.actions {
		if matchFold(pattern, action) {
			return !s.notActions
		}
	}
	return s.notActions
}

func (s *statement) coversResource(resource string, context conditionContext) bool {
	for _, pattern := range s.resources {
		if expanded, known := context.expand(pattern); known && match(expanded, resource) {
			return !s.notResource
		}
	}
	return s.notResource
}

func (s *statement) conditionsHold(context conditionContext) bool {
	for i := range s.conditions {
		if !s.conditions[i].holds(context) {
			return false
		}
	}
	return true
}

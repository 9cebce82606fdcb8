package awssim

import (
	"slices"
	"strings"
	"time"
)

// principal is who signed a call.
type principal struct {
	account  string
	kind     string // the value of aws:PrincipalType: "Account", "User" or "AssumedRole"
	name     string // "root", or the name of the user or role
	arn      string // a session's own ARN for an assumed role
	userID   string
	identity *identity // nil for an account's root
	session  *session  // nil unless a role is assumed
}

// identity is a user or a role: what policies are attached to.
type identity struct {
	account      string
	name         string
	arn          string
	id           string // AIDA... or AROA...
	policies     []*policy
	unrestricted bool // as if the AdministratorAccess policy were attached
	tags         map[string]string
	trust        *policy // of a role
	maxSession   time.Duration
}

// session is what AssumeRole adds to a role.
type session struct {
	name       string
	tags       map[string]string
	transitive []string // keys of tags that a chained session inherits
	policy     *policy  // restricts the role's own policies; nil if none was passed
}

// credential is an access key. Root keys are none of these: they are derived.
type credential struct {
	secret    string
	token     string    // of a session
	expires   time.Time // of a session; zero for a user's key
	principal principal
}

// rootSecret is the secret access key of every account's root, whose access key ID is the
// account's ID.
const rootSecret = "awssim"

func rootCredential(account string) credential {
	return credential{secret: rootSecret, principal: principal{
		account: account,
		kind:    "Account",
		name:    "root",
		arn:     rootARN(account),
		userID:  account,
	}}
}

func rootARN(account string) string { return "arn:aws:iam::" + account + ":root" }

// isAccountID tells whether text is exactly twelve digits.
func isAccountID(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}

// decide evaluates what the principal may do: a root everything, a session what both its
// role's policies and its own session policy allow.
func (p *principal) decide(action, resource string, context conditionContext) decision {
	if p.identity == nil {
		return allowed
	}
	result := decide(p.identity.policies, action, resource, context)
	if result == implicitlyDenied && p.identity.unrestricted {
		result = allowed
	}
	if result == allowed && p.session != nil && p.session.policy != nil {
		return decide([]*policy{p.session.policy}, action, resource, context)
	}
	return result
}

// ownARN is what aws:PrincipalArn holds: the role's ARN for its sessions.
func (p *principal) ownARN() string {
	if p.identity != nil {
		return p.identity.arn
	}
	return p.arn
}

// tags are what aws:PrincipalTag/ sees: session tags hide those of the role.
func (p *principal) tags() map[string]string {
	if p.identity == nil {
		return nil
	}
	if p.session == nil || len(p.session.tags) == 0 {
		return p.identity.tags
	}
	merged := make(map[string]string, len(p.identity.tags)+len(p.session.tags))
	for _, from := range []map[string]string{p.identity.tags, p.session.tags} {
		for key, value := range from {
			merged[key] = value
		}
	}
	return merged
}

// conditionContext is the condition keys of one action: the service's and the global ones.
// aws:TagKeys follows from the aws:RequestTag/ keys.
func (c *call) conditionContext(service map[string]string) conditionContext {
	context := conditionContext{
		"aws:principalarn":     {c.principal.ownARN()},
		"aws:principalaccount": {c.principal.account},
		"aws:principaltype":    {c.principal.kind},
		"aws:userid":           {c.principal.userID},
		"aws:requestedregion":  {c.region.name},
		"aws:securetransport":  {"false"},
	}
	if c.scheme == "https" {
		context["aws:securetransport"] = []string{"true"}
	}
	if c.principal.kind == "User" {
		context["aws:username"] = []string{c.principal.name}
	}
	for key, value := range c.principal.tags() {
		context["aws:principaltag/"+strings.ToLower(key)] = []string{value}
	}
	var tagKeys []string
	for key, value := range service {
		context[strings.ToLower(key)] = []string{value}
		if tag, found := strings.CutPrefix(key, "aws:RequestTag/"); found {
			tagKeys = append(tagKeys, tag)
		}
	}
	if tagKeys != nil {
		slices.Sort(tagKeys)
		context["aws:tagkeys"] = tagKeys
	}
	return context
}

package awssim

import (
	"strings"
)

// Resource-based policies: a repository's says which other accounts may use it, a registry's
// which may replicate into it.

// ecrPolicy is a policy as it was put, ready to be evaluated. A nil one has no opinion.
type ecrPolicy struct {
	text string
	resourcePolicy
}

// parseECRPolicy reads the policy of a repository or of a registry. Only the statements of a
// registry's have a Resource each. As with all policies here, what cannot be evaluated exactly
// is refused.
func parseECRPolicy(text string, registry bool) (*ecrPolicy, error) {
	kind := "repository"
	if registry {
		kind = "registry"
	}
	refused := func(why string) error {
		return ecrInvalid("PolicyText", "Invalid %s policy provided: %s", kind, why)
	}
	if len(text) > 10240 {
		return nil, ecrInvalid("policyText", "must have length between 0 and 10240")
	}
	p, err := parseResourcePolicy(text)
	if err != nil {
		return nil, refused(err.Error())
	}
	for i := range p.statements {
		s := &p.statements[i]
		switch {
		case registry && len(s.resources) == 0:
			return nil, refused("a statement of a registry policy needs a Resource")
		case !registry && len(s.resources) > 0:
			return nil, refused("a statement of a repository policy has no Resource: it is attached to one")
		case !registry:
			s.resources = []string{"*"}
		}
	}
	return &ecrPolicy{text, *p}, nil
}

// decideCall evaluates the policy for the caller: named as everybody, by account, by user or
// role, or as the very session.
func (p *ecrPolicy) decideCall(c *call, action, resource string) decision {
	if p == nil {
		return implicitlyDenied
	}
	return p.evaluate(func(principal string, _ *statement) bool {
		return principal == "*" || principal == rootARN(c.principal.account) ||
			principal == c.principal.arn || principal == c.principal.ownARN()
	}, action, resource, c.conditionContext(nil))
}

// decideAccount evaluates the policy for an account that acts by some principal of its own (a
// task by its execution role, replication by the service). A statement that allows any of the
// account's principals is enough; a denial counts when it meets all of them.
func (p *ecrPolicy) decideAccount(account, action, resource string) decision {
	if p == nil {
		return implicitlyDenied
	}
	context := conditionContext{"aws:principalaccount": {account}, "aws:principalarn": {rootARN(account)}}
	return p.evaluate(func(principal string, s *statement) bool {
		return principal == "*" || principal == rootARN(account) ||
			s.allow && strings.Contains(principal, "::"+account+":")
	}, action, resource, context)
}

type ecrPolicyInput struct {
	RegistryID     string  `json:"registryId"`
	RepositoryName string  `json:"repositoryName"`
	PolicyText     *string `json:"policyText"`
	Force          bool    `json:"force"`
}

type ecrPolicyView struct {
	RegistryID     string `json:"registryId"`
	RepositoryName string `json:"repositoryName,omitempty"`
	PolicyText     string `json:"policyText"`
}

// setRepositoryPolicy stores a policy. One that would lock its own author out of the policy
// needs force.
func setRepositoryPolicy(c *call, in *ecrPolicyInput) (any, error) {
	repository, err := c.repository("SetRepositoryPolicy", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if in.PolicyText == nil {
		return nil, ecrInvalid("policyText", "must not be null")
	}
	policy, err := parseECRPolicy(*in.PolicyText, false)
	if err != nil {
		return nil, err
	}
	if !in.Force && policy.decideCall(c, "ecr:SetRepositoryPolicy", repository.arn()) == explicitlyDenied {
		return nil, ecrInvalid("PolicyText", "The policy would prevent the caller from setting a policy again; use force")
	}
	repository.policy = policy
	return repository.policyView(), nil
}

func (r *ecrRepository) policyView() ecrPolicyView {
	return ecrPolicyView{RegistryID: r.registryID, RepositoryName: r.name, PolicyText: r.policy.text}
}

func (c *call) repositoryPolicy(action string, in *ecrPolicyInput) (*ecrRepository, error) {
	repository, err := c.repository(action, in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if repository.policy == nil {
		return nil, newError(400, "RepositoryPolicyNotFoundException",
			"Repository policy does not exist for the repository with name '%s' in the registry with id '%s'",
			repository.name, repository.registryID)
	}
	return repository, nil
}

func getRepositoryPolicy(c *call, in *ecrPolicyInput) (any, error) {
	repository, err := c.repositoryPolicy("GetRepositoryPolicy", in)
	if err != nil {
		return nil, err
	}
	return repository.policyView(), nil
}

func deleteRepositoryPolicy(c *call, in *ecrPolicyInput) (any, error) {
	repository, err := c.repositoryPolicy("DeleteRepositoryPolicy", in)
	if err != nil {
		return nil, err
	}
	view := repository.policyView()
	repository.policy = nil
	return view, nil
}

func putRegistryPolicy(c *call, in *ecrPolicyInput) (any, error) {
	registry, err := c.ownRegistry("PutRegistryPolicy")
	if err != nil {
		return nil, err
	}
	if in.PolicyText == nil {
		return nil, ecrInvalid("policyText", "must not be null")
	}
	policy, err := parseECRPolicy(*in.PolicyText, true)
	if err != nil {
		return nil, err
	}
	registry.policy = policy
	return ecrPolicyView{RegistryID: c.account.id, PolicyText: policy.text}, nil
}

func (c *call) registryPolicy(action string) (*ecrState, error) {
	registry, err := c.ownRegistry(action)
	if err != nil {
		return nil, err
	}
	if registry.policy == nil {
		return nil, newError(400, "RegistryPolicyNotFoundException",
			"Registry policy does not exist in the registry with id '%s'", c.account.id)
	}
	return registry, nil
}

func getRegistryPolicy(c *call, _ *struct{}) (any, error) {
	registry, err := c.registryPolicy("GetRegistryPolicy")
	if err != nil {
		return nil, err
	}
	return ecrPolicyView{RegistryID: c.account.id, PolicyText: registry.policy.text}, nil
}

func deleteRegistryPolicy(c *call, _ *struct{}) (any, error) {
	registry, err := c.registryPolicy("DeleteRegistryPolicy")
	if err != nil {
		return nil, err
	}
	view := ecrPolicyView{RegistryID: c.account.id, PolicyText: registry.policy.text}
	registry.policy = nil
	return view, nil
}

package awssim

import (
	"fmt"
	"regexp"
	"strings"
)

// The patterns are those of the service's model.
var (
	ecrRepositoryPattern = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	ecrRegistryPattern   = regexp.MustCompile(`^[0-9]{12}$`)
	ecrTagPattern        = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]*$`)
	ecrDigestPattern     = regexp.MustCompile(`^sha256:[a-f0-9]{64}$`)
	ecrLayerPattern      = regexp.MustCompile(`^[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+$`)
	ecrRegionPattern     = regexp.MustCompile(`^[0-9a-z-]{2,25}$`)
)

func ecrInvalid(parameter, format string, args ...any) *apiError {
	return newError(400, "InvalidParameterException", "Invalid parameter at '%s' failed to satisfy constraint: '%s'",
		parameter, fmt.Sprintf(format, args...))
}

// registryID is the registry a request means: the one it names, else the caller's own.
func (c *call) registryID(named string) (string, error) {
	if named == "" {
		return c.account.id, nil
	}
	if !ecrRegistryPattern.MatchString(named) {
		return "", ecrInvalid("registryId", "must satisfy regular expression '[0-9]{12}'")
	}
	return named, nil
}

// ownRegistry is the registry of the caller, for the operations that work on no other.
func (c *call) ownRegistry(action string) (*ecrState, error) {
	if err := c.authorize("ecr:"+action, "*", nil); err != nil {
		return nil, err
	}
	return c.region.ecr, nil
}

// repository finds the repository a request works on, after the identity's policies have
// allowed the action on it and, for a registry of another account, the repository's policy.
// What another account does not allow is denied whether it exists or not.
func (c *call) repository(action, registry, name string) (*ecrRepository, error) {
	id, err := c.registryID(registry)
	if err != nil {
		return nil, err
	}
	if err := validateRepositoryName(name); err != nil {
		return nil, err
	}
	arn := ecrARN(id, c.region.name, name)
	if err := c.authorize("ecr:"+action, arn, nil); err != nil {
		return nil, err
	}
	repository := c.sim.findRepository(id, c.region.name, name)
	var policy *ecrPolicy
	if repository != nil {
		policy = repository.policy
	}
	switch decision := policy.decideCall(c, "ecr:"+action, arn); {
	case decision == explicitlyDenied:
		return nil, c.denied("User: %s is not authorized to perform: ecr:%s on resource: %s with an explicit deny in a resource-based policy",
			c.principal.arn, action, arn)
	case decision == implicitlyDenied && id != c.account.id:
		return nil, c.foreign(action, arn)
	}
	if repository == nil {
		return nil, ecrRepositoryNotFound(name, id)
	}
	return repository, nil
}

func validateRepositoryName(name string) error {
	if len(name) < 2 || len(name) > 256 {
		return ecrInvalid("repositoryName", "must have length between 2 and 256")
	}
	if !ecrRepositoryPattern.MatchString(name) {
		return ecrInvalid("repositoryName", "must satisfy regular expression '%s'",
			strings.Trim(ecrRepositoryPattern.String(), "^$"))
	}
	return nil
}

// foreign is the denial of what another account has not allowed.
func (c *call) foreign(action, resource string) *apiError {
	return c.denied("User: %s is not authorized to perform: ecr:%s on resource: %s because no resource-based policy allows the ecr:%s action",
		c.principal.arn, action, resource, action)
}

func ecrRepositoryNotFound(name, registry string) *apiError {
	return newError(400, "RepositoryNotFoundException",
		"The repository with name '%s' does not exist in the registry with id '%s'", name, registry)
}

// findRepository looks without creating anything: nil when there is none.
func (s *Simulator) findRepository(account, region, name string) *ecrRepository {
	a := s.accounts[account]
	if a == nil || a.regions[region] == nil {
		return nil
	}
	return a.regions[region].ecr.repositories[name]
}

func ecrARN(registry, region, repository string) string {
	return "arn:aws:ecr:" + region + ":" + registry + ":repository/" + repository
}

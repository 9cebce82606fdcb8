package awssim

import (
	"regexp"
	"slices"
	"strings"
)

var ecrExclusionPattern = regexp.MustCompile(`^[0-9a-zA-Z._*-]{1,128}$`)

func validateMutability(mutability string, exclusions []ecrExclusion) error {
	switch mutability {
	case "MUTABLE", "IMMUTABLE":
		if len(exclusions) > 0 {
			return ecrInvalid("imageTagMutabilityExclusionFilters", "must not be present when imageTagMutability is %s", mutability)
		}
	case "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION":
		if len(exclusions) < 1 || len(exclusions) > 5 {
			return ecrInvalid("imageTagMutabilityExclusionFilters", "must have length between 1 and 5 when imageTagMutability is %s", mutability)
		}
	default:
		return ecrInvalid("imageTagMutability",
			"must satisfy enum value set: [MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]")
	}
	for _, exclusion := range exclusions {
		if exclusion.FilterType != "WILDCARD" {
			return ecrInvalid("imageTagMutabilityExclusionFilters.filterType", "must satisfy enum value set: [WILDCARD]")
		}
		// At most two wildcards a filter ("Image tag mutability" in the ECR user guide).
		if !ecrExclusionPattern.MatchString(exclusion.Filter) || strings.Count(exclusion.Filter, "*") > 2 {
			return ecrInvalid("imageTagMutabilityExclusionFilters.filter",
				"must satisfy regular expression '%s' with at most two wildcards", ecrExclusionPattern)
		}
	}
	return nil
}

// immutable says whether a tag, once given, stays with its image.
func (r *ecrRepository) immutable(tag string) bool {
	excluded := slices.ContainsFunc(r.exclusions, func(e ecrExclusion) bool { return match(e.Filter, tag) })
	switch r.mutability {
	case "IMMUTABLE":
		return true
	case "IMMUTABLE_WITH_EXCLUSION":
		return !excluded
	case "MUTABLE_WITH_EXCLUSION":
		return excluded
	}
	return false
}

type putImageTagMutabilityInput struct {
	RegistryID                         string         `json:"registryId"`
	RepositoryName                     string         `json:"repositoryName"`
	ImageTagMutability                 string         `json:"imageTagMutability"`
	ImageTagMutabilityExclusionFilters []ecrExclusion `json:"imageTagMutabilityExclusionFilters"`
}

func putImageTagMutability(c *call, in *putImageTagMutabilityInput) (any, error) {
	repository, err := c.repository("PutImageTagMutability", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := validateMutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters); err != nil {
		return nil, err
	}
	repository.mutability, repository.exclusions = in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters
	out := map[string]any{
		"registryId": repository.registryID, "repositoryName": repository.name, "imageTagMutability": repository.mutability,
	}
	if len(repository.exclusions) > 0 {
		out["imageTagMutabilityExclusionFilters"] = repository.exclusions
	}
	return out, nil
}

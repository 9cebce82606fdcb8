package awssim

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Replication between registries ("Private image replication" in the ECR user guide): what
// is pushed after a rule exists travels, once, one hop, to the regions and accounts of the
// rule. Settings of the repository do not travel, and deletions do not.

type ecrReplicationRule struct {
	Destinations      []ecrDestination      `json:"destinations"`
	RepositoryFilters []ecrRepositoryFilter `json:"repositoryFilters,omitempty"`
}

type ecrDestination struct {
	Region     string `json:"region"`
	RegistryID string `json:"registryId"`
}

type ecrRepositoryFilter struct {
	Filter     string `json:"filter"`
	FilterType string `json:"filterType"`
}

// ecrReplication is the fate of one image at one destination.
type ecrReplication struct {
	destination ecrDestination
	status      string // IN_PROGRESS, COMPLETE or FAILED
	failureCode string
}

// SetReplicationDelay changes how long, in AWS's time, what is pushed to a registry from now
// on takes to arrive at its destinations. The delay of a new registry is 20 s.
func (s *Simulator) SetReplicationDelay(account, region string, delay time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.accountOf(account).region(s, region).ecr.replicationDelay = delay
}

func (r ecrReplicationRule) covers(repository string) bool {
	return len(r.RepositoryFilters) == 0 || slices.ContainsFunc(r.RepositoryFilters,
		func(f ecrRepositoryFilter) bool { return strings.HasPrefix(repository, f.Filter) })
}

// destinations of a repository's images, each once.
func (e *ecrState) destinations(repository string) []ecrDestination {
	var all []ecrDestination
	for _, rule := range e.rules {
		if !rule.covers(repository) {
			continue
		}
		for _, d := range rule.Destinations {
			if !slices.Contains(all, d) {
				all = append(all, d)
			}
		}
	}
	return all
}

// replicate sends what has just been pushed on its way.
func (s *Simulator) replicate(source *ecrRepository, image *storedImage, tag string) {
	registry := s.registryOf(source)
	for _, destination := range registry.destinations(source.name) {
		replication := image.replicationTo(destination)
		replication.status, replication.failureCode = "IN_PROGRESS", ""
		s.after(registry.replicationDelay, func() {
			if failure := s.arrive(source, image, tag, destination); failure != "" {
				replication.status, replication.failureCode = "FAILED", failure
				return
			}
			replication.status = "COMPLETE"
		})
	}
}

func (i *storedImage) replicationTo(d ecrDestination) *ecrReplication {
	for _, r := range i.replications {
		if r.destination == d {
			return r
		}
	}
	r := &ecrReplication{destination: d}
	i.replications = append(i.replications, r)
	return r
}

// arrive copies an image, the images of an index included, into its destination, and returns
// the failure code when the destination does not take it. A tag that the destination holds
// immutable for another image stays there, and this one arrives without.
func (s *Simulator) arrive(source *ecrRepository, image *storedImage, tag string, d ecrDestination) string {
	registry := s.accountOf(d.RegistryID).region(s, d.Region).ecr
	target := registry.repositories[source.name]
	if d.RegistryID != source.registryID {
		arn := ecrARN(d.RegistryID, d.Region, source.name)
		if registry.policy.decideAccount(source.registryID, "ecr:ReplicateImage", arn) != allowed ||
			target == nil && registry.policy.decideAccount(source.registryID, "ecr:CreateRepository", arn) != allowed {
			return "AccessDenied"
		}
	}
	if target == nil {
		target = registry.newRepository(source.name)
	}
	for _, entry := range image.document.Manifests {
		if child := source.images[entry.Digest]; child != nil {
			target.receive(child, source.layers, s.now())
		}
	}
	target.receive(image, source.layers, s.now())
	if tag != "" {
		switch held := target.tagged(tag, time.Time{}); {
		case held == image.digest:
		case held == "" || !target.immutable(tag):
			target.moveTag(tag, image.digest, s.now())
		default:
			tag = ""
		}
	}
	s.announceArrival(source, target, image.digest, tag)
	return ""
}

// receive stores a copy of an image with its layers; one that is there already stays.
func (r *ecrRepository) receive(image *storedImage, layers map[string][]byte, now time.Time) {
	for _, digest := range image.document.layerDigests() {
		if data, ok := layers[digest]; ok {
			r.layers[digest] = data
		}
	}
	if r.images[image.digest] != nil {
		return
	}
	r.images[image.digest] = &storedImage{
		digest: image.digest, manifest: image.manifest, mediaType: image.mediaType, document: image.document,
		size: image.size, pushedAt: now, status: "ACTIVE",
	}
}

type replicationConfiguration struct {
	Rules []ecrReplicationRule `json:"rules"`
}

type putReplicationConfigurationInput struct {
	ReplicationConfiguration *replicationConfiguration `json:"replicationConfiguration"`
}

func putReplicationConfiguration(c *call, in *putReplicationConfigurationInput) (any, error) {
	registry, err := c.ownRegistry("PutReplicationConfiguration")
	if err != nil {
		return nil, err
	}
	if in.ReplicationConfiguration == nil || in.ReplicationConfiguration.Rules == nil {
		return nil, ecrInvalid("replicationConfiguration.rules", "must not be null")
	}
	rules := in.ReplicationConfiguration.Rules
	if err := c.validateRules(rules); err != nil {
		return nil, err
	}
	registry.rules = rules
	return map[string]any{"replicationConfiguration": replicationConfiguration{rules}}, nil
}

func (c *call) validateRules(rules []ecrReplicationRule) error {
	if len(rules) > 10 {
		return ecrInvalid("replicationConfiguration.rules", "must have length between 0 and 10")
	}
	regions := map[string]bool{}
	for i := range rules {
		if rules[i].Destinations == nil {
			return ecrInvalid("replicationConfiguration.rules.destinations", "must not be null")
		}
		for _, d := range rules[i].Destinations {
			switch {
			case !ecrRegionPattern.MatchString(d.Region):
				return ecrInvalid("replicationConfiguration.rules.destinations.region", "must satisfy regular expression '[0-9a-z-]{2,25}'")
			case !ecrRegistryPattern.MatchString(d.RegistryID):
				return ecrInvalid("replicationConfiguration.rules.destinations.registryId", "must satisfy regular expression '[0-9]{12}'")
			case d.Region == c.region.name && d.RegistryID == c.account.id:
				return ecrInvalid("replicationConfiguration", "Replication destination must not be the source registry")
			}
			regions[d.Region+"/"+d.RegistryID] = true
		}
		for _, f := range rules[i].RepositoryFilters {
			if f.FilterType != "PREFIX_MATCH" || len(f.Filter) < 2 || len(f.Filter) > 256 {
				return ecrInvalid("replicationConfiguration.rules.repositoryFilters",
					"must have filterType PREFIX_MATCH and a filter with length between 2 and 256")
			}
		}
	}
	if len(regions) > 25 {
		return ecrInvalid("replicationConfiguration", "must name at most 25 distinct destinations, not %d: %s",
			len(regions), strings.Join(slices.Sorted(maps.Keys(regions)), ", "))
	}
	return nil
}

func describeRegistry(c *call, _ *struct{}) (any, error) {
	registry, err := c.ownRegistry("DescribeRegistry")
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"registryId":               c.account.id,
		"replicationConfiguration": replicationConfiguration{append([]ecrReplicationRule{}, registry.rules...)},
	}, nil
}

type describeImageReplicationStatusInput struct {
	RegistryID     string     `json:"registryId"`
	RepositoryName string     `json:"repositoryName"`
	ImageID        ecrImageID `json:"imageId"`
}

type ecrReplicationView struct {
	Region      string `json:"region"`
	RegistryID  string `json:"registryId"`
	Status      string `json:"status"`
	FailureCode string `json:"failureCode,omitempty"`
}

// describeImageReplicationStatus is answered by the source. No entries mean that no rule has
// matched when the image was pushed, or that the image came here by replication.
func describeImageReplicationStatus(c *call, in *describeImageReplicationStatusInput) (any, error) {
	repository, err := c.repository("DescribeImageReplicationStatus", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := validateImageIDs([]ecrImageID{in.ImageID}); err != nil {
		return nil, err
	}
	image := repository.find(in.ImageID, c.horizon())
	if image == nil {
		return nil, ecrImageNotFound(repository, in.ImageID)
	}
	statuses := []ecrReplicationView{}
	for _, r := range image.replications {
		statuses = append(statuses, ecrReplicationView{r.destination.Region, r.destination.RegistryID, r.status, r.failureCode})
	}
	return map[string]any{
		"repositoryName":      repository.name,
		"imageId":             ecrImageID{ImageDigest: image.digest, ImageTag: in.ImageID.ImageTag},
		"replicationStatuses": statuses,
	}, nil
}

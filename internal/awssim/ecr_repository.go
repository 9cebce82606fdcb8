package awssim

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

type ecrRepositoryView struct {
	RepositoryARN                      string          `json:"repositoryArn"`
	RegistryID                         string          `json:"registryId"`
	RepositoryName                     string          `json:"repositoryName"`
	RepositoryURI                      string          `json:"repositoryUri"`
	CreatedAt                          json.Number     `json:"createdAt"`
	ImageTagMutability                 string          `json:"imageTagMutability"`
	ImageTagMutabilityExclusionFilters []ecrExclusion  `json:"imageTagMutabilityExclusionFilters,omitempty"`
	ImageScanningConfiguration         ecrScanSettings `json:"imageScanningConfiguration"`
	EncryptionConfiguration            ecrEncryption   `json:"encryptionConfiguration"`
}

type ecrScanSettings struct {
	ScanOnPush bool `json:"scanOnPush"`
}

func (r *ecrRepository) view() ecrRepositoryView {
	return ecrRepositoryView{
		RepositoryARN:                      r.arn(),
		RegistryID:                         r.registryID,
		RepositoryName:                     r.name,
		RepositoryURI:                      r.uri(),
		CreatedAt:                          epoch(r.createdAt),
		ImageTagMutability:                 r.mutability,
		ImageTagMutabilityExclusionFilters: r.exclusions,
		ImageScanningConfiguration:         ecrScanSettings{ScanOnPush: r.scanOnPush},
		EncryptionConfiguration:            r.encryption,
	}
}

// newRepository makes an empty repository with ECR's defaults.
func (e *ecrState) newRepository(name string) *ecrRepository {
	repository := &ecrRepository{
		name:       name,
		registryID: e.region.account.id,
		region:     e.region.name,
		createdAt:  e.world.now(),
		mutability: "MUTABLE",
		encryption: ecrEncryption{EncryptionType: "AES256"},
		images:     map[string]*storedImage{},
		layers:     map[string][]byte{},
		imageTags:  map[string][]ecrTagMove{},
	}
	e.repositories[name] = repository
	return repository
}

type createRepositoryInput struct {
	RegistryID                         string           `json:"registryId"`
	RepositoryName                     string           `json:"repositoryName"`
	Tags                               []ecrResourceTag `json:"tags"`
	ImageTagMutability                 string           `json:"imageTagMutability"`
	ImageTagMutabilityExclusionFilters []ecrExclusion   `json:"imageTagMutabilityExclusionFilters"`
	ImageScanningConfiguration         ecrScanSettings  `json:"imageScanningConfiguration"`
	EncryptionConfiguration            *ecrEncryption   `json:"encryptionConfiguration"`
}

func createRepository(c *call, in *createRepositoryInput) (any, error) {
	id, err := c.registryID(in.RegistryID)
	if err != nil {
		return nil, err
	}
	if err := validateRepositoryName(in.RepositoryName); err != nil {
		return nil, err
	}
	arn := ecrARN(id, c.region.name, in.RepositoryName)
	if err := c.authorize("ecr:CreateRepository", arn, nil); err != nil {
		return nil, err
	}
	if len(in.Tags) > 0 {
		if err := c.authorize("ecr:TagResource", arn, nil); err != nil {
			return nil, err
		}
	}
	if id != c.account.id {
		return nil, ecrInvalid("registryId", "must be the registry of the caller, %s", c.account.id)
	}
	if in.ImageTagMutability == "" {
		in.ImageTagMutability = "MUTABLE"
	}
	if err := validateMutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters); err != nil {
		return nil, err
	}
	tags, err := mergeResourceTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	encryption := ecrEncryption{EncryptionType: "AES256"}
	if in.EncryptionConfiguration != nil {
		encryption = *in.EncryptionConfiguration
		if !slices.Contains([]string{"AES256", "KMS", "KMS_DSSE"}, encryption.EncryptionType) {
			return nil, ecrInvalid("encryptionConfiguration.encryptionType", "must satisfy enum value set: [AES256, KMS, KMS_DSSE]")
		}
	}
	if c.region.ecr.repositories[in.RepositoryName] != nil {
		return nil, newError(400, "RepositoryAlreadyExistsException",
			"The repository with name '%s' already exists in the registry with id '%s'", in.RepositoryName, id)
	}
	repository := c.region.ecr.newRepository(in.RepositoryName)
	repository.mutability = in.ImageTagMutability
	repository.exclusions = in.ImageTagMutabilityExclusionFilters
	repository.scanOnPush = in.ImageScanningConfiguration.ScanOnPush
	repository.encryption = encryption
	repository.tags = tags
	return map[string]any{"repository": repository.view()}, nil
}

type describeRepositoriesInput struct {
	RegistryID      string   `json:"registryId"`
	RepositoryNames []string `json:"repositoryNames"`
	NextToken       string   `json:"nextToken"`
	MaxResults      int      `json:"maxResults"`
}

type describeRepositoriesOutput struct {
	Repositories []ecrRepositoryView `json:"repositories"`
	NextToken    string              `json:"nextToken,omitempty"`
}

func describeRepositories(c *call, in *describeRepositoriesInput) (any, error) {
	out := describeRepositoriesOutput{Repositories: []ecrRepositoryView{}}
	if len(in.RepositoryNames) == 0 {
		return describeAllRepositories(c, in, out)
	}
	if len(in.RepositoryNames) > 100 {
		return nil, ecrInvalid("repositoryNames", "must have length between 1 and 100")
	}
	if in.MaxResults != 0 || in.NextToken != "" {
		return nil, ecrInvalid("repositoryNames", "must not be combined with maxResults or nextToken")
	}
	for _, name := range in.RepositoryNames {
		repository, err := c.repository("DescribeRepositories", in.RegistryID, name)
		if err != nil {
			return nil, err
		}
		out.Repositories = append(out.Repositories, repository.view())
	}
	return out, nil
}

func describeAllRepositories(c *call, in *describeRepositoriesInput, out describeRepositoriesOutput) (any, error) {
	id, err := c.registryID(in.RegistryID)
	if err != nil {
		return nil, err
	}
	arn := ecrARN(id, c.region.name, "*")
	if err := c.authorize("ecr:DescribeRepositories", arn, nil); err != nil {
		return nil, err
	}
	if id != c.account.id {
		return nil, c.foreign("DescribeRepositories", arn)
	}
	repositories := c.region.ecr.repositories
	page, next, err := ecrPage(slices.Sorted(maps.Keys(repositories)), in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, err
	}
	for _, name := range page {
		out.Repositories = append(out.Repositories, repositories[name].view())
	}
	out.NextToken = next
	return out, nil
}

type deleteRepositoryInput struct {
	RegistryID     string `json:"registryId"`
	RepositoryName string `json:"repositoryName"`
	Force          bool   `json:"force"`
}

func deleteRepository(c *call, in *deleteRepositoryInput) (any, error) {
	repository, err := c.repository("DeleteRepository", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if len(repository.images) > 0 && !in.Force {
		return nil, newError(400, "RepositoryNotEmptyException",
			"The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images",
			repository.name, repository.registryID)
	}
	delete(c.sim.accounts[repository.registryID].regions[repository.region].ecr.repositories, repository.name)
	return map[string]any{"repository": repository.view()}, nil
}

type getAuthorizationTokenInput struct {
	RegistryIDs []string `json:"registryIds"`
}

// getAuthorizationToken hands out a token of the right form. Nothing here speaks the registry
// protocol of Docker: images go in and out by the ECR API.
func getAuthorizationToken(c *call, in *getAuthorizationTokenInput) (any, error) {
	if err := c.authorize("ecr:GetAuthorizationToken", "*", nil); err != nil {
		return nil, err
	}
	ids := in.RegistryIDs
	if len(ids) == 0 {
		ids = []string{c.account.id}
	}
	if len(ids) > 10 {
		return nil, ecrInvalid("registryIds", "must have length between 1 and 10")
	}
	var tokens []map[string]any
	for _, id := range ids {
		if !ecrRegistryPattern.MatchString(id) {
			return nil, ecrInvalid("registryIds", "must satisfy regular expression '[0-9]{12}'")
		}
		tokens = append(tokens, map[string]any{
			"authorizationToken": base64.StdEncoding.EncodeToString([]byte("AWS:" + rand.Text() + rand.Text())),
			"expiresAt":          epoch(c.sim.now().Add(12 * time.Hour)),
			"proxyEndpoint":      "https://" + ecrHost(id, c.region.name),
		})
	}
	return map[string]any{"authorizationData": tokens}, nil
}

package awssim

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// ecrState is the private registry of one account in one region.
type ecrState struct {
	world            *world
	region           *region
	repositories     map[string]*ecrRepository
	uploads          map[string]*ecrUpload
	rules            []ecrReplicationRule
	policy           *ecrPolicy    // the registry's own policy; nil without one
	replicationDelay time.Duration // what a push needs to arrive elsewhere, in AWS's time
	secret           []byte        // signs the URLs of layers
}

// ecrRepository is one repository with its images, its layers and the story of its tags.
type ecrRepository struct {
	name       string
	registryID string
	region     string
	createdAt  time.Time
	mutability string
	exclusions []ecrExclusion
	scanOnPush bool
	encryption ecrEncryption
	tags       []ecrResourceTag
	policy     *ecrPolicy
	images     map[string]*storedImage // by digest
	layers     map[string][]byte       // by digest
	imageTags  map[string][]ecrTagMove // every digest a tag has named, oldest first
}

// ecrTagMove is one step in the life of a tag. An empty digest says that it was removed.
type ecrTagMove struct {
	at     time.Time
	digest string
}

// storedImage is an image in a repository: a manifest or an index as it was pushed.
type storedImage struct {
	digest       string
	manifest     []byte
	mediaType    string
	document     ecrManifest
	size         int64
	pushedAt     time.Time
	pulledAt     time.Time
	status       string // ACTIVE, ARCHIVED or ACTIVATING
	archivedAt   time.Time
	activatedAt  time.Time
	replications []*ecrReplication
}

type ecrExclusion struct {
	FilterType string `json:"filterType"`
	Filter     string `json:"filter"`
}

type ecrEncryption struct {
	EncryptionType string `json:"encryptionType"`
	KmsKey         string `json:"kmsKey,omitempty"`
}

type ecrResourceTag struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

// ecrImageID names an image by digest, by tag, or by both, which must then agree.
type ecrImageID struct {
	ImageDigest string `json:"imageDigest,omitempty"`
	ImageTag    string `json:"imageTag,omitempty"`
}

func (i ecrImageID) String() string {
	return fmt.Sprintf("{imageDigest:'%s', imageTag:'%s'}", orNull(i.ImageDigest), orNull(i.ImageTag))
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}

func newECRState(w *world, r *region) *ecrState {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails (crypto/rand)
	return &ecrState{
		world:            w,
		region:           r,
		repositories:     map[string]*ecrRepository{},
		uploads:          map[string]*ecrUpload{},
		replicationDelay: 20 * time.Second,
		secret:           secret,
	}
}

// ecrOperations is what the simulated Elastic Container Registry answers to.
func (s *Simulator) ecrOperations() map[string]operation {
	return map[string]operation{
		"BatchCheckLayerAvailability":    ecrOperation(batchCheckLayerAvailability),
		"BatchDeleteImage":               ecrOperation(batchDeleteImage),
		"BatchGetImage":                  ecrOperation(batchGetImage),
		"CompleteLayerUpload":            ecrOperation(completeLayerUpload),
		"CreateRepository":               ecrOperation(createRepository),
		"DeleteRegistryPolicy":           ecrOperation(deleteRegistryPolicy),
		"DeleteRepository":               ecrOperation(deleteRepository),
		"DeleteRepositoryPolicy":         ecrOperation(deleteRepositoryPolicy),
		"DescribeImageReplicationStatus": quoted("ecr-read", ecrOperation(describeImageReplicationStatus)),
		"DescribeImages":                 quoted("ecr-read", ecrOperation(describeImages)),
		"DescribeRegistry":               quoted("ecr-read", ecrOperation(describeRegistry)),
		"DescribeRepositories":           quoted("ecr-read", ecrOperation(describeRepositories)),
		"GetAuthorizationToken":          ecrOperation(getAuthorizationToken),
		"GetDownloadUrlForLayer":         ecrOperation(getDownloadURLForLayer),
		"GetRegistryPolicy":              ecrOperation(getRegistryPolicy),
		"GetRepositoryPolicy":            ecrOperation(getRepositoryPolicy),
		"InitiateLayerUpload":            ecrOperation(initiateLayerUpload),
		"ListImages":                     quoted("ecr-read", ecrOperation(listImages)),
		"ListTagsForResource":            quoted("ecr-read", ecrOperation(listECRTags)),
		"PutImage":                       ecrOperation(putImage),
		"PutImageTagMutability":          ecrOperation(putImageTagMutability),
		"PutRegistryPolicy":              ecrOperation(putRegistryPolicy),
		"PutReplicationConfiguration":    ecrOperation(putReplicationConfiguration),
		"SetRepositoryPolicy":            ecrOperation(setRepositoryPolicy),
		"TagResource":                    ecrOperation(tagECRResource),
		"UntagResource":                  ecrOperation(untagECRResource),
		"UpdateImageStorageClass":        ecrOperation(updateImageStorageClass),
		"UploadLayerPart":                ecrOperation(uploadLayerPart),
	}
}

// ecrOperation decodes the request for a handler that is written on its typed form. It draws
// from no quota: where ECR publishes one it is in the thousands a second.
func ecrOperation[In any](handle func(*call, *In) (any, error)) operation {
	return operation{handle: func(c *call, raw json.RawMessage) (any, error) {
		in := new(In)
		if err := decode(raw, in); err != nil {
			return nil, err
		}
		return handle(c, in)
	}}
}

// quoted makes an operation draw from a bucket.
func quoted(bucket string, o operation) operation {
	o.bucket = bucket
	return o
}

func (r *ecrRepository) arn() string { return ecrARN(r.registryID, r.region, r.name) }

func (r *ecrRepository) uri() string { return ecrHost(r.registryID, r.region) + "/" + r.name }

func ecrHost(registry, region string) string {
	return registry + ".dkr.ecr." + region + ".amazonaws.com"
}

// tagged is the digest that a tag names at a time, "" for none. The zero time is now.
func (r *ecrRepository) tagged(tag string, at time.Time) string {
	digest := ""
	for _, move := range r.imageTags[tag] {
		if !at.IsZero() && move.at.After(at) {
			break
		}
		digest = move.digest
	}
	return digest
}

func (r *ecrRepository) moveTag(tag, digest string, at time.Time) {
	r.imageTags[tag] = append(r.imageTags[tag], ecrTagMove{at: at, digest: digest})
}

// tagsOf are the tags of an image at a time, in order.
func (r *ecrRepository) tagsOf(digest string, at time.Time) []string {
	var tags []string
	for tag := range r.imageTags {
		if r.tagged(tag, at) == digest {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return tags
}

// horizon is the time that a read may see: zero for all there is, earlier than now under a
// stale-read fault.
func (c *call) horizon() time.Time {
	if c.staleness <= 0 {
		return time.Time{}
	}
	return c.sim.now().Add(-c.staleness)
}

func (i *storedImage) visible(at time.Time) bool { return at.IsZero() || !i.pushedAt.After(at) }

// find resolves an image id; nil when nothing (or two different things) is named.
func (r *ecrRepository) find(id ecrImageID, at time.Time) *storedImage {
	digest := id.ImageDigest
	if id.ImageTag != "" {
		named := r.tagged(id.ImageTag, at)
		if named == "" || (digest != "" && digest != named) {
			return nil
		}
		digest = named
	}
	image := r.images[digest]
	if image == nil || !image.visible(at) {
		return nil
	}
	return image
}

// ecrPage cuts the page that follows the token out of keys, which are in order, and returns
// the token of the next one. A token is the last key of the page before it, so pages stay
// right when something is deleted between them.
func ecrPage(keys []string, token string, maxResults, byDefault int) (page []string, next string, err error) {
	if maxResults < 0 || maxResults > 1000 {
		return nil, "", ecrInvalid("maxResults", "must have value between 1 and 1000")
	}
	if maxResults == 0 {
		maxResults = byDefault
	}
	if token != "" {
		after, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || len(after) == 0 {
			return nil, "", ecrInvalid("nextToken", "must be the token of a previous answer")
		}
		start, found := slices.BinarySearch(keys, string(after))
		if found {
			start++
		}
		keys = keys[start:]
	}
	if len(keys) > maxResults {
		return keys[:maxResults], base64.RawURLEncoding.EncodeToString([]byte(keys[maxResults-1])), nil
	}
	return keys, "", nil
}

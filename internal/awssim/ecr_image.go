package awssim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Looking at the images of a repository, and taking them away.

type ecrImageFilter struct {
	TagStatus   string `json:"tagStatus"`
	ImageStatus string `json:"imageStatus"`
}

func (f *ecrImageFilter) validate() error {
	if f == nil {
		return nil
	}
	if !slices.Contains([]string{"", "TAGGED", "UNTAGGED", "ANY"}, f.TagStatus) {
		return ecrInvalid("filter.tagStatus", "must satisfy enum value set: [TAGGED, UNTAGGED, ANY]")
	}
	if !slices.Contains([]string{"", "ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"}, f.ImageStatus) {
		return ecrInvalid("filter.imageStatus", "must satisfy enum value set: [ACTIVE, ARCHIVED, ACTIVATING, ANY]")
	}
	return nil
}

// matches says whether an image passes: with no filter only active images do, tagged or not.
func (f *ecrImageFilter) matches(image *storedImage, tags []string) bool {
	var tagStatus, imageStatus string
	if f != nil {
		tagStatus, imageStatus = f.TagStatus, f.ImageStatus
	}
	if imageStatus == "" {
		imageStatus = "ACTIVE"
	}
	switch {
	case imageStatus != "ANY" && image.status != imageStatus,
		tagStatus == "TAGGED" && len(tags) == 0,
		tagStatus == "UNTAGGED" && len(tags) > 0:
		return false
	}
	return true
}

type describeImagesInput struct {
	RegistryID     string          `json:"registryId"`
	RepositoryName string          `json:"repositoryName"`
	ImageIDs       []ecrImageID    `json:"imageIds"`
	NextToken      string          `json:"nextToken"`
	MaxResults     int             `json:"maxResults"`
	Filter         *ecrImageFilter `json:"filter"`
}

type ecrImageDetail struct {
	RegistryID             string      `json:"registryId"`
	RepositoryName         string      `json:"repositoryName"`
	ImageDigest            string      `json:"imageDigest"`
	ImageTags              []string    `json:"imageTags,omitempty"`
	ImageSizeInBytes       int64       `json:"imageSizeInBytes"`
	ImagePushedAt          json.Number `json:"imagePushedAt"`
	ImageManifestMediaType string      `json:"imageManifestMediaType"`
	ArtifactMediaType      string      `json:"artifactMediaType,omitempty"`
	LastRecordedPullTime   json.Number `json:"lastRecordedPullTime,omitempty"`
	SubjectManifestDigest  string      `json:"subjectManifestDigest,omitempty"`
	ImageStatus            string      `json:"imageStatus"`
	LastArchivedAt         json.Number `json:"lastArchivedAt,omitempty"`
	LastActivatedAt        json.Number `json:"lastActivatedAt,omitempty"`
}

func (r *ecrRepository) detail(image *storedImage, at time.Time) ecrImageDetail {
	detail := ecrImageDetail{
		RegistryID:             r.registryID,
		RepositoryName:         r.name,
		ImageDigest:            image.digest,
		ImageTags:              r.tagsOf(image.digest, at),
		ImageSizeInBytes:       image.size,
		ImagePushedAt:          epoch(image.pushedAt),
		ImageManifestMediaType: image.mediaType,
		ArtifactMediaType:      image.document.artifactType(),
		LastRecordedPullTime:   epochUnlessZero(image.pulledAt),
		ImageStatus:            image.status,
		LastArchivedAt:         epochUnlessZero(image.archivedAt),
		LastActivatedAt:        epochUnlessZero(image.activatedAt),
	}
	if image.document.Subject != nil {
		detail.SubjectManifestDigest = image.document.Subject.Digest
	}
	return detail
}

func epochUnlessZero(t time.Time) json.Number {
	if t.IsZero() {
		return ""
	}
	return epoch(t)
}

type describeImagesOutput struct {
	ImageDetails []ecrImageDetail `json:"imageDetails"`
	NextToken    string           `json:"nextToken,omitempty"`
}

// describeImages answers for the images named, or page by page for all that pass the filter,
// oldest push first. One name without an image fails the whole call.
func describeImages(c *call, in *describeImagesInput) (any, error) {
	repository, err := c.repository("DescribeImages", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := in.Filter.validate(); err != nil {
		return nil, err
	}
	at := c.horizon()
	out := describeImagesOutput{ImageDetails: []ecrImageDetail{}}
	if len(in.ImageIDs) == 0 {
		page, next, err := ecrPage(repository.imageKeys(in.Filter, at), in.NextToken, in.MaxResults, 100)
		if err != nil {
			return nil, err
		}
		for _, key := range page {
			out.ImageDetails = append(out.ImageDetails, repository.detail(repository.images[digestOfKey(key)], at))
		}
		out.NextToken = next
		return out, nil
	}
	if in.NextToken != "" || in.MaxResults != 0 {
		return nil, ecrInvalid("imageIds", "must not be combined with maxResults or nextToken")
	}
	if err := validateImageIDs(in.ImageIDs); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, id := range in.ImageIDs {
		image := repository.find(id, at)
		if image == nil || !in.Filter.matches(image, repository.tagsOf(image.digest, at)) {
			return nil, ecrImageNotFound(repository, id)
		}
		if !seen[image.digest] {
			seen[image.digest] = true
			out.ImageDetails = append(out.ImageDetails, repository.detail(image, at))
		}
	}
	return out, nil
}

func ecrImageNotFound(r *ecrRepository, id ecrImageID) *apiError {
	return newError(400, "ImageNotFoundException",
		"The image with imageId %s does not exist within the repository with name '%s' in the registry with id '%s'",
		id, r.name, r.registryID)
}

// validateImageIDs is for the operations that refuse a malformed id as a whole.
func validateImageIDs(ids []ecrImageID) error {
	if len(ids) > 100 {
		return ecrInvalid("imageIds", "must have length between 1 and 100")
	}
	for _, id := range ids {
		if failure := id.failure(); failure != nil {
			return ecrInvalid("imageIds", "%s", strings.TrimPrefix(failure.FailureReason, "Invalid request parameters: "))
		}
	}
	return nil
}

// imageKeys orders the visible images that pass: by time of push, then digest.
func (r *ecrRepository) imageKeys(filter *ecrImageFilter, at time.Time) []string {
	var keys []string
	for digest, image := range r.images {
		if image.visible(at) && filter.matches(image, r.tagsOf(digest, at)) {
			keys = append(keys, fmt.Sprintf("%020d/%s", image.pushedAt.UnixNano(), digest))
		}
	}
	slices.Sort(keys)
	return keys
}

func digestOfKey(key string) string {
	_, digest, _ := strings.Cut(key, "/")
	return digest
}

type listImagesOutput struct {
	ImageIDs  []ecrImageID `json:"imageIds"`
	NextToken string       `json:"nextToken,omitempty"`
}

// listImages has one entry per tag, and one for an image without any.
func listImages(c *call, in *describeImagesInput) (any, error) {
	repository, err := c.repository("ListImages", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := in.Filter.validate(); err != nil {
		return nil, err
	}
	at := c.horizon()
	var keys []string
	ids := map[string]ecrImageID{}
	for _, key := range repository.imageKeys(in.Filter, at) {
		digest := digestOfKey(key)
		tags := repository.tagsOf(digest, at)
		if len(tags) == 0 {
			tags = []string{""}
		}
		for _, tag := range tags {
			entry := key + "/" + tag
			keys = append(keys, entry)
			ids[entry] = ecrImageID{ImageDigest: digest, ImageTag: tag}
		}
	}
	page, next, err := ecrPage(keys, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, err
	}
	out := listImagesOutput{ImageIDs: []ecrImageID{}, NextToken: next}
	for _, key := range page {
		out.ImageIDs = append(out.ImageIDs, ids[key])
	}
	return out, nil
}

package awssim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

type batchDeleteImageInput struct {
	RegistryID     string       `json:"registryId"`
	RepositoryName string       `json:"repositoryName"`
	ImageIDs       []ecrImageID `json:"imageIds"`
}

type batchDeleteImageOutput struct {
	ImageIDs []ecrImageID      `json:"imageIds"`
	Failures []ecrImageFailure `json:"failures"`
}

// batchDeleteImage removes a tag (and with its last tag the image), or an image by digest
// with all its tags. An image that an index refers to stays as long as the index does.
func batchDeleteImage(c *call, in *batchDeleteImageInput) (any, error) {
	repository, err := c.repository("BatchDeleteImage", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if len(in.ImageIDs) == 0 || len(in.ImageIDs) > 100 {
		return nil, ecrInvalid("imageIds", "must have length between 1 and 100")
	}
	out := batchDeleteImageOutput{ImageIDs: []ecrImageID{}, Failures: []ecrImageFailure{}}
	// Indexes go first, so that one call can delete an index together with its images.
	ids := slices.Clone(in.ImageIDs)
	slices.SortStableFunc(ids, func(a, b ecrImageID) int { return repository.rank(a) - repository.rank(b) })
	for _, id := range ids {
		image, failure := repository.lookup(id, time.Time{})
		if failure != nil {
			out.Failures = append(out.Failures, *failure)
			continue
		}
		removed, failure := repository.remove(id, image, c.sim.now())
		out.ImageIDs = append(out.ImageIDs, removed...)
		for _, r := range removed {
			c.sim.announceImage(repository, imageAction{Action: "DELETE", Digest: r.ImageDigest, Tag: r.ImageTag})
		}
		if failure != nil {
			out.Failures = append(out.Failures, *failure)
		}
	}
	return out, nil
}

func (r *ecrRepository) rank(id ecrImageID) int {
	if image := r.find(id, time.Time{}); image != nil && image.document.index() {
		return 0
	}
	return 1
}

func (r *ecrRepository) remove(id ecrImageID, image *storedImage, now time.Time) ([]ecrImageID, *ecrImageFailure) {
	parents := r.parentsOf(image.digest)
	if id.ImageTag != "" {
		r.moveTag(id.ImageTag, "", now)
		if len(r.tagsOf(image.digest, time.Time{})) == 0 && len(parents) == 0 {
			delete(r.images, image.digest)
		}
		return []ecrImageID{{ImageDigest: image.digest, ImageTag: id.ImageTag}}, nil
	}
	if len(parents) > 0 {
		return nil, &ecrImageFailure{
			ImageID: id, FailureCode: "ImageReferencedByManifestList",
			FailureReason: fmt.Sprintf("Requested image referenced by manifest list: [%s]", strings.Join(parents, ", ")),
		}
	}
	tags := r.tagsOf(image.digest, time.Time{})
	delete(r.images, image.digest)
	if len(tags) == 0 {
		return []ecrImageID{{ImageDigest: image.digest}}, nil
	}
	var removed []ecrImageID
	for _, tag := range tags {
		r.moveTag(tag, "", now)
		removed = append(removed, ecrImageID{ImageDigest: image.digest, ImageTag: tag})
	}
	return removed, nil
}

// parentsOf are the digests of the indexes that refer to an image.
func (r *ecrRepository) parentsOf(digest string) []string {
	var parents []string
	for _, image := range r.images {
		if slices.ContainsFunc(image.document.Manifests, func(d ecrDescriptor) bool { return d.Digest == digest }) {
			parents = append(parents, image.digest)
		}
	}
	slices.Sort(parents)
	return parents
}

package awssim

import "time"

type batchGetImageInput struct {
	RegistryID         string       `json:"registryId"`
	RepositoryName     string       `json:"repositoryName"`
	ImageIDs           []ecrImageID `json:"imageIds"`
	AcceptedMediaTypes []string     `json:"acceptedMediaTypes"`
}

type batchGetImageOutput struct {
	Images   []ecrImageView    `json:"images"`
	Failures []ecrImageFailure `json:"failures"`
}

type ecrImageFailure struct {
	ImageID       ecrImageID `json:"imageId"`
	FailureCode   string     `json:"failureCode"`
	FailureReason string     `json:"failureReason"`
}

// batchGetImage hands out manifests. A missing image is an entry of failures, not an error;
// every manifest handed out counts as a pull.
func batchGetImage(c *call, in *batchGetImageInput) (any, error) {
	repository, err := c.repository("BatchGetImage", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if len(in.ImageIDs) == 0 || len(in.ImageIDs) > 100 {
		return nil, ecrInvalid("imageIds", "must have length between 1 and 100")
	}
	if in.AcceptedMediaTypes != nil && (len(in.AcceptedMediaTypes) == 0 || len(in.AcceptedMediaTypes) > 100) {
		return nil, ecrInvalid("acceptedMediaTypes", "must have length between 1 and 100")
	}
	out := batchGetImageOutput{Images: []ecrImageView{}, Failures: []ecrImageFailure{}}
	for _, id := range in.ImageIDs {
		image, failure := repository.lookup(id, c.horizon())
		if failure == nil && image.status != "ACTIVE" {
			failure = &ecrImageFailure{ImageID: id, FailureCode: "ImageInaccessible", FailureReason: "Requested image is archived"}
		}
		if failure != nil {
			out.Failures = append(out.Failures, *failure)
			continue
		}
		image.pulled(c.sim.now())
		digest, manifest, mediaType := image.digest, image.manifest, image.mediaType
		if id.ImageDigest == "" {
			manifest, mediaType = image.translated(in.AcceptedMediaTypes)
			digest = sha256Digest(manifest)
		}
		out.Images = append(out.Images, ecrImageView{
			RegistryID:             repository.registryID,
			RepositoryName:         repository.name,
			ImageID:                ecrImageID{ImageDigest: digest, ImageTag: id.ImageTag},
			ImageManifest:          string(manifest),
			ImageManifestMediaType: mediaType,
		})
	}
	return out, nil
}

// pulled records a pull. ECR refreshes the time at most once in 24 hours
// (ImageDetail.lastRecordedPullTime).
func (i *storedImage) pulled(now time.Time) {
	if i.pulledAt.IsZero() || now.Sub(i.pulledAt) >= 24*time.Hour {
		i.pulledAt = now
	}
}

// failure is what is wrong with an id whatever the repository holds.
func (i ecrImageID) failure() *ecrImageFailure {
	switch {
	case i.ImageDigest == "" && i.ImageTag == "":
		return &ecrImageFailure{i, "MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"}
	case i.ImageDigest != "" && !ecrLayerPattern.MatchString(i.ImageDigest):
		return &ecrImageFailure{i, "InvalidImageDigest", "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"}
	case i.ImageTag != "" && (len(i.ImageTag) > 300 || !ecrTagPattern.MatchString(i.ImageTag)):
		return &ecrImageFailure{i, "InvalidImageTag", "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9._-]*'"}
	}
	return nil
}

// lookup finds an image or says why not, in the words of failures[].
func (r *ecrRepository) lookup(id ecrImageID, at time.Time) (*storedImage, *ecrImageFailure) {
	if failure := id.failure(); failure != nil {
		return nil, failure
	}
	if image := r.find(id, at); image != nil {
		return image, nil
	}
	if id.ImageDigest != "" && id.ImageTag != "" && r.tagged(id.ImageTag, at) != "" && r.images[id.ImageDigest] != nil {
		return nil, &ecrImageFailure{id, "ImageTagDoesNotMatchDigest", "Requested tag does not match the requested digest"}
	}
	return nil, &ecrImageFailure{id, "ImageNotFound", "Requested image not found"}
}

package awssim

import (
	"slices"
	"strings"
	"time"
)

type putImageInput struct {
	RegistryID             string `json:"registryId"`
	RepositoryName         string `json:"repositoryName"`
	ImageManifest          string `json:"imageManifest"`
	ImageManifestMediaType string `json:"imageManifestMediaType"`
	ImageTag               string `json:"imageTag"`
	ImageDigest            string `json:"imageDigest"`
}

type ecrImageView struct {
	RegistryID             string     `json:"registryId"`
	RepositoryName         string     `json:"repositoryName"`
	ImageID                ecrImageID `json:"imageId"`
	ImageManifest          string     `json:"imageManifest"`
	ImageManifestMediaType string     `json:"imageManifestMediaType"`
}

// putImage stores a manifest under the digest of its bytes as sent, once everything that it
// refers to is in the repository.
func putImage(c *call, in *putImageInput) (any, error) {
	repository, err := c.repository("PutImage", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	image, err := c.parsePush(repository, in)
	if err != nil {
		return nil, err
	}
	if err := repository.admits(image, in.ImageTag); err != nil {
		return nil, err
	}
	now := c.sim.now()
	if existing := repository.images[image.digest]; existing != nil {
		image = existing
		if image.status != "ACTIVE" {
			image.status, image.activatedAt = "ACTIVE", now
		}
	} else {
		image.pushedAt = now
		repository.images[image.digest] = image
	}
	if in.ImageTag != "" && repository.tagged(in.ImageTag, now) != image.digest {
		repository.moveTag(in.ImageTag, image.digest, now)
	}
	c.sim.announceImage(repository, imageAction{Action: "PUSH", Digest: image.digest, Tag: in.ImageTag})
	c.sim.replicate(repository, image, in.ImageTag)
	return map[string]any{"image": ecrImageView{
		RegistryID:             repository.registryID,
		RepositoryName:         repository.name,
		ImageID:                ecrImageID{ImageDigest: image.digest, ImageTag: in.ImageTag},
		ImageManifest:          in.ImageManifest,
		ImageManifestMediaType: image.mediaType,
	}}, nil
}

// parsePush turns the request into an image, or says what is wrong with it alone.
func (c *call) parsePush(repository *ecrRepository, in *putImageInput) (*storedImage, error) {
	if in.ImageManifest == "" || len(in.ImageManifest) > 4<<20 {
		return nil, ecrInvalid("imageManifest", "must have length between 1 and 4194304")
	}
	if in.ImageTag != "" && (len(in.ImageTag) > 300 || !ecrTagPattern.MatchString(in.ImageTag)) {
		return nil, ecrInvalid("imageTag", "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]*' and have at most 300 characters")
	}
	if in.ImageDigest != "" && !ecrDigestPattern.MatchString(in.ImageDigest) {
		return nil, ecrInvalid("imageDigest", "must satisfy regular expression 'sha256:[a-f0-9]{64}'")
	}
	raw := []byte(in.ImageManifest)
	document, err := parseManifest(raw, in.ImageManifestMediaType)
	if err != nil {
		return nil, err
	}
	digest := sha256Digest(raw)
	if in.ImageDigest != "" && in.ImageDigest != digest {
		return nil, newError(400, "ImageDigestDoesNotMatchException",
			"The image digest '%s' does not match the digest of the manifest, '%s'", in.ImageDigest, digest)
	}
	image := &storedImage{digest: digest, manifest: raw, mediaType: document.MediaType, document: document, status: "ACTIVE"}
	image.size = repository.sizeOf(&document)
	return image, nil
}

// sizeOf is what ECR shows as the size: config and layers of an image, the largest image of
// an index (ImageDetail.imageSizeInBytes).
func (r *ecrRepository) sizeOf(m *ecrManifest) int64 {
	var size int64
	if m.Config != nil {
		size = m.Config.Size
	}
	for _, layer := range m.Layers {
		size += layer.Size
	}
	for _, entry := range m.Manifests {
		if child := r.images[entry.Digest]; child != nil {
			size = max(size, child.size)
		}
	}
	return size
}

// admits checks an image against what the repository holds already.
func (r *ecrRepository) admits(image *storedImage, tag string) error {
	var missing []string
	for _, digest := range image.document.layerDigests() {
		if _, ok := r.layers[digest]; !ok {
			missing = append(missing, digest)
		}
	}
	if len(missing) > 0 {
		return newError(400, "LayersNotFoundException",
			"Layers with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist",
			strings.Join(missing, ", "), r.name, r.registryID)
	}
	for _, entry := range image.document.Manifests {
		if r.images[entry.Digest] == nil && !slices.Contains(missing, entry.Digest) {
			missing = append(missing, entry.Digest)
		}
	}
	if len(missing) > 0 {
		return newError(400, "ReferencedImagesNotFoundException",
			"Images with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist",
			strings.Join(missing, ", "), r.name, r.registryID)
	}
	named := ""
	if tag != "" {
		named = r.tagged(tag, time.Time{})
	}
	switch {
	case tag != "" && named == image.digest:
		return newError(400, "ImageAlreadyExistsException",
			"Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'",
			image.digest, tag, r.name, r.registryID)
	case tag == "" && r.images[image.digest] != nil:
		return newError(400, "ImageAlreadyExistsException",
			"Image with digest '%s' already exists in the repository with name '%s' in registry with id '%s'",
			image.digest, r.name, r.registryID)
	case named != "" && r.immutable(tag):
		return newError(400, "ImageTagAlreadyExistsException",
			"The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is immutable.",
			tag, r.name)
	}
	return nil
}

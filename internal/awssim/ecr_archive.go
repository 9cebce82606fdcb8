package awssim

import (
	"strings"
	"time"
)

type updateImageStorageClassInput struct {
	RegistryID         string     `json:"registryId"`
	RepositoryName     string     `json:"repositoryName"`
	ImageID            ecrImageID `json:"imageId"`
	TargetStorageClass string     `json:"targetStorageClass"`
}

// ecrActivation is what an archived image takes to come back: minutes ("up to 20 minutes" in
// the ECR user guide).
const ecrActivation = 10 * time.Minute

// updateImageStorageClass sends an image (an index with all its images) to the archive, or
// fetches it back.
func updateImageStorageClass(c *call, in *updateImageStorageClassInput) (any, error) {
	repository, err := c.repository("UpdateImageStorageClass", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := validateImageIDs([]ecrImageID{in.ImageID}); err != nil {
		return nil, err
	}
	image := repository.find(in.ImageID, time.Time{})
	if image == nil {
		return nil, ecrImageNotFound(repository, in.ImageID)
	}
	if parents := repository.parentsOf(image.digest); len(parents) > 0 {
		return nil, newError(400, "ImageStorageClassUpdateNotSupportedException",
			"The storage class of an image that is referenced by manifest list [%s] cannot be updated", strings.Join(parents, ", "))
	}
	images := []*storedImage{image}
	for _, entry := range image.document.Manifests {
		images = append(images, repository.images[entry.Digest])
	}
	switch in.TargetStorageClass {
	case "ARCHIVE":
		for _, i := range images {
			i.status, i.archivedAt = "ARCHIVED", c.sim.now()
		}
	case "STANDARD":
		if image.status == "ARCHIVED" {
			c.sim.activate(images)
		}
	default:
		return nil, ecrInvalid("targetStorageClass", "must satisfy enum value set: [STANDARD, ARCHIVE]")
	}
	return map[string]any{
		"registryId": repository.registryID, "repositoryName": repository.name,
		"imageId": ecrImageID{ImageDigest: image.digest, ImageTag: in.ImageID.ImageTag}, "imageStatus": image.status,
	}, nil
}

func (s *Simulator) activate(images []*storedImage) {
	for _, i := range images {
		i.status = "ACTIVATING"
	}
	s.after(ecrActivation, func() {
		for _, i := range images {
			if i.status == "ACTIVATING" {
				i.status, i.activatedAt = "ACTIVE", s.now()
			}
		}
	})
}

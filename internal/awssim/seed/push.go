// Package seed puts real images into an ECR repository, services into ECS, and load balancers
// and domains before them, by AWS's own APIs, so that what tests and demonstrations see is what
// a build would have pushed: configs, layers, manifests, indexes and attestations with true
// digests.
package seed

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// Image says what to build. Equal images have equal digests, wherever they are pushed.
type Image struct {
	// Platforms as os/architecture[/variant]; none means linux/arm64.
	Platforms []string
	// Labels of the image's config.
	Labels map[string]string
	// PlatformLabels are the labels of single platforms, spelled as in Platforms, instead of Labels.
	PlatformLabels map[string]map[string]string
	// Index wraps a single platform in an index too. Several platforms always make one.
	Index bool
	// Attestation adds to the index, for each image, the provenance manifest that buildx
	// adds. It implies Index.
	Attestation bool
	// Content is what the only layer holds; "" means repository:tag, so that different tags
	// are different images.
	Content string
}

// Push builds an image and pushes it under the tag, "" for none. It returns the digest that
// the tag names: of the index if there is one, else of the manifest. Pushing the same image
// again changes nothing.
func Push(ctx context.Context, client *ecr.Client, repository, tag string, image Image) (digest string, err error) {
	if image.Content == "" {
		image.Content = repository + ":" + tag
	}
	b, err := build(image)
	if err != nil {
		return "", fmt.Errorf("building image %s:%s: %w", repository, tag, err)
	}
	if err := pushBlobs(ctx, client, repository, b.blobs); err != nil {
		return "", fmt.Errorf("pushing the layers of image %s:%s: %w", repository, tag, err)
	}
	for i, m := range b.manifests {
		digest = digestOf(m.data)
		in := &ecr.PutImageInput{
			RepositoryName: &repository, ImageManifest: aws.String(string(m.data)),
			ImageManifestMediaType: &m.mediaType, ImageDigest: &digest,
		}
		if i == len(b.manifests)-1 && tag != "" {
			in.ImageTag = &tag
		}
		var exists *types.ImageAlreadyExistsException
		if _, err := client.PutImage(ctx, in); err != nil && !errors.As(err, &exists) {
			return "", fmt.Errorf("pushing image %s:%s: %w", repository, tag, err)
		}
	}
	return digest, nil
}

// pushBlobs uploads those that the repository lacks.
func pushBlobs(ctx context.Context, client *ecr.Client, repository string, blobs [][]byte) error {
	missing := map[string][]byte{}
	var digests []string
	for _, blob := range blobs {
		digest := digestOf(blob)
		if missing[digest] == nil {
			digests = append(digests, digest)
		}
		missing[digest] = blob
	}
	found, err := client.BatchCheckLayerAvailability(ctx, &ecr.BatchCheckLayerAvailabilityInput{
		RepositoryName: &repository, LayerDigests: digests,
	})
	if err != nil {
		return err
	}
	for _, layer := range found.Layers {
		if layer.LayerAvailability == types.LayerAvailabilityAvailable {
			delete(missing, aws.ToString(layer.LayerDigest))
		}
	}
	for _, digest := range digests {
		if blob, ok := missing[digest]; ok {
			if err := pushBlob(ctx, client, repository, digest, blob); err != nil {
				return err
			}
		}
	}
	return nil
}

func pushBlob(ctx context.Context, client *ecr.Client, repository, digest string, blob []byte) error {
	upload, err := client.InitiateLayerUpload(ctx, &ecr.InitiateLayerUploadInput{RepositoryName: &repository})
	if err != nil {
		return err
	}
	_, err = client.UploadLayerPart(ctx, &ecr.UploadLayerPartInput{
		RepositoryName: &repository, UploadId: upload.UploadId, LayerPartBlob: blob,
		PartFirstByte: aws.Int64(0), PartLastByte: aws.Int64(int64(len(blob)) - 1),
	})
	if err != nil {
		return err
	}
	_, err = client.CompleteLayerUpload(ctx, &ecr.CompleteLayerUploadInput{
		RepositoryName: &repository, UploadId: upload.UploadId, LayerDigests: []string{digest},
	})
	var exists *types.LayerAlreadyExistsException
	if errors.As(err, &exists) { // another push was faster
		return nil
	}
	return err
}

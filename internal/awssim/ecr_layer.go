package awssim

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
)

// Layers (and configs: to a registry both are blobs): upload in parts, and the URL they are
// fetched from.

const (
	ecrPartSize    = 10 << 20 // what InitiateLayerUpload advises
	ecrMinPartSize = 5 << 20  // of every part but the last
	ecrMaxPartSize = 20 << 20
)

type ecrUpload struct {
	repository *ecrRepository
	parts      [][]byte
	size       int64
}

type layerUploadInput struct {
	RegistryID     string   `json:"registryId"`
	RepositoryName string   `json:"repositoryName"`
	UploadID       string   `json:"uploadId"`
	PartFirstByte  *int64   `json:"partFirstByte"`
	PartLastByte   *int64   `json:"partLastByte"`
	LayerPartBlob  []byte   `json:"layerPartBlob"`
	LayerDigests   []string `json:"layerDigests"`
	LayerDigest    string   `json:"layerDigest"`
}

func initiateLayerUpload(c *call, in *layerUploadInput) (any, error) {
	repository, err := c.repository("InitiateLayerUpload", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	id := ecrUUID()
	c.sim.registryOf(repository).uploads[id] = &ecrUpload{repository: repository}
	return map[string]any{"uploadId": id, "partSize": ecrPartSize}, nil
}

func ecrUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (s *Simulator) registryOf(r *ecrRepository) *ecrState {
	return s.accounts[r.registryID].regions[r.region].ecr
}

func (c *call) upload(r *ecrRepository, id string) (*ecrUpload, error) {
	upload := c.sim.registryOf(r).uploads[id]
	if upload == nil || upload.repository != r {
		return nil, newError(400, "UploadNotFoundException",
			"The upload with id '%s' does not exist within the repository with name '%s' in the registry with id '%s'",
			id, r.name, r.registryID)
	}
	return upload, nil
}

func uploadLayerPart(c *call, in *layerUploadInput) (any, error) {
	repository, err := c.repository("UploadLayerPart", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	upload, err := c.upload(repository, in.UploadID)
	if err != nil {
		return nil, err
	}
	if in.PartFirstByte == nil || in.PartLastByte == nil || *in.PartFirstByte < 0 || *in.PartLastByte < 0 {
		return nil, ecrInvalid("partFirstByte", "must be given with partLastByte, both at least 0")
	}
	first, last := *in.PartFirstByte, *in.PartLastByte
	if len(in.LayerPartBlob) > ecrMaxPartSize {
		return nil, ecrInvalid("layerPartBlob", "must have length between 0 and %d", ecrMaxPartSize)
	}
	if first != upload.size || last-first+1 != int64(len(in.LayerPartBlob)) {
		failure := newError(400, "InvalidLayerPartException",
			"Layer part with first byte %d and last byte %d of %d bytes does not follow the %d bytes of upload '%s'",
			first, last, len(in.LayerPartBlob), upload.size, in.UploadID)
		failure.extra = map[string]any{
			"registryId": repository.registryID, "repositoryName": repository.name, "uploadId": in.UploadID,
			"lastValidByteReceived": max(0, upload.size-1),
		}
		return nil, failure
	}
	upload.parts = append(upload.parts, in.LayerPartBlob)
	upload.size += int64(len(in.LayerPartBlob))
	return map[string]any{
		"registryId": repository.registryID, "repositoryName": repository.name,
		"uploadId": in.UploadID, "lastByteReceived": last,
	}, nil
}

func completeLayerUpload(c *call, in *layerUploadInput) (any, error) {
	repository, err := c.repository("CompleteLayerUpload", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if len(in.LayerDigests) == 0 || len(in.LayerDigests) > 100 {
		return nil, ecrInvalid("layerDigests", "must have length between 1 and 100")
	}
	upload, err := c.upload(repository, in.UploadID)
	if err != nil {
		return nil, err
	}
	if upload.size == 0 {
		return nil, newError(400, "EmptyUploadException", "The upload with id '%s' has no layer parts", in.UploadID)
	}
	for _, part := range upload.parts[:len(upload.parts)-1] {
		if len(part) < ecrMinPartSize {
			return nil, newError(400, "LayerPartTooSmallException", "Layer parts must be at least %d bytes in size", ecrMinPartSize)
		}
	}
	data := bytes.Join(upload.parts, nil)
	digest := sha256Digest(data)
	if !slices.Contains(in.LayerDigests, digest) {
		return nil, newError(400, "InvalidLayerException",
			"Layer digest '%s' does not match the digest of the uploaded layer, '%s'", strings.Join(in.LayerDigests, ", "), digest)
	}
	if _, ok := repository.layers[digest]; ok {
		return nil, newError(400, "LayerAlreadyExistsException",
			"The layer with digest '%s' already exists in the repository with name '%s' in the registry with id '%s'",
			digest, repository.name, repository.registryID)
	}
	repository.layers[digest] = data
	delete(c.sim.registryOf(repository).uploads, in.UploadID)
	return map[string]any{
		"registryId": repository.registryID, "repositoryName": repository.name,
		"uploadId": in.UploadID, "layerDigest": digest,
	}, nil
}

type ecrLayerView struct {
	LayerDigest       string `json:"layerDigest"`
	LayerAvailability string `json:"layerAvailability"`
	LayerSize         int64  `json:"layerSize,omitempty"`
	MediaType         string `json:"mediaType,omitempty"`
}

type ecrLayerFailure struct {
	LayerDigest   string `json:"layerDigest"`
	FailureCode   string `json:"failureCode"`
	FailureReason string `json:"failureReason"`
}

type batchCheckLayerAvailabilityOutput struct {
	Layers   []ecrLayerView    `json:"layers"`
	Failures []ecrLayerFailure `json:"failures"`
}

func batchCheckLayerAvailability(c *call, in *layerUploadInput) (any, error) {
	repository, err := c.repository("BatchCheckLayerAvailability", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if len(in.LayerDigests) == 0 || len(in.LayerDigests) > 100 {
		return nil, ecrInvalid("layerDigests", "must have length between 1 and 100")
	}
	out := batchCheckLayerAvailabilityOutput{Layers: []ecrLayerView{}, Failures: []ecrLayerFailure{}}
	for _, digest := range in.LayerDigests {
		data, ok := repository.layers[digest]
		switch {
		case digest == "":
			out.Failures = append(out.Failures, ecrLayerFailure{digest, "MissingLayerDigest", "Invalid request parameters: layer digest cannot be null"})
		case !ecrLayerPattern.MatchString(digest):
			out.Failures = append(out.Failures, ecrLayerFailure{digest, "InvalidLayerDigest", "Invalid request parameters: layer digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"})
		case !ok:
			out.Layers = append(out.Layers, ecrLayerView{LayerDigest: digest, LayerAvailability: "UNAVAILABLE"})
		case repository.archivedLayer(digest):
			out.Layers = append(out.Layers, ecrLayerView{LayerDigest: digest, LayerAvailability: "ARCHIVED"})
		default:
			mediaType := repository.layerType(digest)
			out.Layers = append(out.Layers, ecrLayerView{digest, "AVAILABLE", int64(len(data)), mediaType})
		}
	}
	return out, nil
}

// layerType is what the images of the repository call a blob.
func (r *ecrRepository) layerType(digest string) string {
	for _, image := range r.images {
		for _, d := range image.document.Layers {
			if d.Digest == digest {
				return d.MediaType
			}
		}
		if image.document.Config != nil && image.document.Config.Digest == digest {
			return image.document.Config.MediaType
		}
	}
	return "application/octet-stream"
}

// archivedLayer says whether all images that use a layer are in the archive.
func (r *ecrRepository) archivedLayer(digest string) bool {
	archived := false
	for _, image := range r.images {
		if !slices.Contains(image.document.layerDigests(), digest) {
			continue
		}
		if image.status == "ACTIVE" {
			return false
		}
		archived = true
	}
	return archived
}

// getDownloadURLForLayer answers with a presigned URL on the host that the client has used.
func getDownloadURLForLayer(c *call, in *layerUploadInput) (any, error) {
	repository, err := c.repository("GetDownloadUrlForLayer", in.RegistryID, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if !ecrLayerPattern.MatchString(in.LayerDigest) {
		return nil, ecrInvalid("layerDigest", "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")
	}
	if _, ok := repository.layers[in.LayerDigest]; !ok {
		return nil, newError(400, "LayersNotFoundException",
			"Layers with digests '[%s]' do not exist in the repository with name '%s' in the registry with id '%s'",
			in.LayerDigest, repository.name, repository.registryID)
	}
	if repository.archivedLayer(in.LayerDigest) {
		return nil, newError(400, "LayerInaccessibleException", "The layer with digest '%s' is archived", in.LayerDigest)
	}
	url := c.sim.registryOf(repository).presign(repository.name, in.LayerDigest, c.sim.now())
	return map[string]any{"downloadUrl": c.scheme + "://" + c.host + url, "layerDigest": in.LayerDigest}, nil
}

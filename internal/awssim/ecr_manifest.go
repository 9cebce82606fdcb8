package awssim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// The manifest formats that a registry holds, and how ECR turns one into its sibling for
// clients that do not take it.

const (
	ociIndexType       = "application/vnd.oci.image.index.v1+json"
	ociManifestType    = "application/vnd.oci.image.manifest.v1+json"
	ociConfigType      = "application/vnd.oci.image.config.v1+json"
	dockerListType     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifestType = "application/vnd.docker.distribution.manifest.v2+json"
	dockerConfigType   = "application/vnd.docker.container.image.v1+json"
)

// ecrManifest is what ECR reads in a manifest: an image (Config, Layers) or an index
// (Manifests).
type ecrManifest struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     string          `json:"mediaType"`
	ArtifactType  string          `json:"artifactType"`
	Config        *ecrDescriptor  `json:"config"`
	Layers        []ecrDescriptor `json:"layers"`
	Manifests     []ecrDescriptor `json:"manifests"`
	Subject       *ecrDescriptor  `json:"subject"`
}

type ecrDescriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	URLs        []string          `json:"urls"`
	Platform    *ecrPlatform      `json:"platform"`
	Annotations map[string]string `json:"annotations"`
}

type ecrPlatform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

// attestation says whether an entry of an index is no image but a statement about one.
func (d ecrDescriptor) attestation() bool {
	return d.Annotations["vnd.docker.reference.type"] == "attestation-manifest" ||
		d.Platform != nil && d.Platform.OS == "unknown"
}

func (m *ecrManifest) index() bool {
	return m.MediaType == ociIndexType || m.MediaType == dockerListType
}

// artifactType is what the thing is, which for a plain image is the type of its config.
func (m *ecrManifest) artifactType() string {
	if m.ArtifactType != "" {
		return m.ArtifactType
	}
	if m.Config != nil {
		return m.Config.MediaType
	}
	return ""
}

// layerDigests are the blobs an image needs in its repository: its config and the layers
// that are not kept elsewhere.
func (m *ecrManifest) layerDigests() []string {
	var digests []string
	if m.Config != nil {
		digests = append(digests, m.Config.Digest)
	}
	for _, layer := range m.Layers {
		foreign := strings.Contains(layer.MediaType, "nondistributable") || strings.Contains(layer.MediaType, ".foreign.")
		if !foreign && len(layer.URLs) == 0 {
			digests = append(digests, layer.Digest)
		}
	}
	slices.Sort(digests)
	return slices.Compact(digests)
}

// parseManifest reads a manifest of the media type that the client states ("" for the one the
// manifest itself states; one of the two is needed and they must agree).
func parseManifest(raw []byte, stated string) (ecrManifest, error) {
	var m ecrManifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, ecrInvalid("ImageManifest", "Invalid JSON syntax")
	}
	switch {
	case m.MediaType == "":
		m.MediaType = stated
	case stated != "" && stated != m.MediaType:
		return m, ecrInvalid("imageManifestMediaType", "must equal the media type of the manifest, %s", m.MediaType)
	}
	switch {
	case m.MediaType == "":
		return m, ecrInvalid("imageManifestMediaType", "must be given for a manifest without a media type")
	case m.SchemaVersion != 2:
		return m, ecrInvalid("ImageManifest", "must have schemaVersion 2")
	}
	var descriptors []ecrDescriptor
	switch m.MediaType {
	case ociManifestType, dockerManifestType:
		if m.Config == nil || m.Manifests != nil {
			return m, ecrInvalid("ImageManifest", "must have a config and no manifests for media type %s", m.MediaType)
		}
		descriptors = append([]ecrDescriptor{*m.Config}, m.Layers...)
	case ociIndexType, dockerListType:
		if m.Config != nil || m.Layers != nil {
			return m, ecrInvalid("ImageManifest", "must have neither config nor layers for media type %s", m.MediaType)
		}
		descriptors = m.Manifests
	default:
		return m, ecrInvalid("imageManifestMediaType", "must be a supported media type, not %s", m.MediaType)
	}
	for _, d := range descriptors {
		if !ecrDigestPattern.MatchString(d.Digest) || d.MediaType == "" || d.Size < 0 {
			return m, ecrInvalid("ImageManifest", "must have descriptors with mediaType, size and a sha256 digest")
		}
	}
	return m, nil
}

func sha256Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ecrSiblings pairs the media types that ECR translates between when an image is asked for by
// tag ("Container image manifest format support" in the ECR user guide).
var ecrSiblings = [][2]string{
	{ociManifestType, dockerManifestType},
	{ociConfigType, dockerConfigType},
	{"application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip"},
	{"application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"},
}

func ecrSibling(mediaType string) (string, bool) {
	for _, pair := range ecrSiblings {
		switch mediaType {
		case pair[0]:
			return pair[1], true
		case pair[1]:
			return pair[0], true
		}
	}
	return "", false
}

// translated is the manifest in a form that the client accepts. By digest, for an index, and
// for an artifact that has no other form, there is no translation: what was pushed comes back.
func (i *storedImage) translated(accepted []string) (manifest []byte, mediaType string) {
	sibling, ok := ecrSibling(i.mediaType)
	if len(accepted) == 0 || slices.Contains(accepted, i.mediaType) || !ok || !slices.Contains(accepted, sibling) {
		return i.manifest, i.mediaType
	}
	for _, d := range append([]ecrDescriptor{*i.document.Config}, i.document.Layers...) {
		if _, ok := ecrSibling(d.MediaType); !ok {
			return i.manifest, i.mediaType
		}
	}
	var document map[string]any
	decoder := json.NewDecoder(bytes.NewReader(i.manifest))
	decoder.UseNumber()
	if decoder.Decode(&document) != nil {
		return i.manifest, i.mediaType
	}
	document["mediaType"] = sibling
	translateDescriptor(document["config"])
	layers, _ := document["layers"].([]any)
	for _, layer := range layers {
		translateDescriptor(layer)
	}
	out, err := json.Marshal(document)
	if err != nil {
		return i.manifest, i.mediaType
	}
	return out, sibling
}

func translateDescriptor(d any) {
	members, _ := d.(map[string]any)
	mediaType, _ := members["mediaType"].(string)
	if sibling, ok := ecrSibling(mediaType); ok {
		members["mediaType"] = sibling
	}
}

package seed

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

const (
	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
	inTotoType   = "application/vnd.in-toto+json"
)

// built is at the fixed time that makes equal images equal.
var built = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// bundle is an image ready to be pushed: blobs first, then the manifests in their order, of
// which the last is what the tag will name.
type bundle struct {
	blobs     [][]byte
	manifests []manifest
}

type manifest struct {
	mediaType string
	data      []byte
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant,omitempty"`
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    *platform         `json:"platform,omitempty"`
}

type imageManifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

type imageIndex struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

type imageConfig struct {
	Created time.Time `json:"created"`
	platform
	Config  runConfig `json:"config"`
	RootFS  rootFS    `json:"rootfs"`
	History []history `json:"history,omitempty"`
}

type runConfig struct {
	Env    []string          `json:"Env,omitempty"`
	Cmd    []string          `json:"Cmd,omitempty"`
	Labels map[string]string `json:"Labels,omitempty"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

type history struct {
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"created_by"`
}

// build makes the documents of an image.
func build(image Image) (bundle, error) {
	var b bundle
	var entries []descriptor
	platforms := image.Platforms
	if len(platforms) == 0 {
		platforms = []string{"linux/arm64"}
	}
	for _, name := range platforms {
		p, err := parsePlatform(name)
		if err != nil {
			return b, err
		}
		entry, err := b.add(image, p, image.labels(name))
		if err != nil {
			return b, err
		}
		entries = append(entries, entry)
	}
	if len(entries) == 1 && !image.Index && !image.Attestation {
		return b, nil
	}
	if image.Attestation {
		for _, entry := range entries {
			attestation, err := b.attest(entry)
			if err != nil {
				return b, err
			}
			entries = append(entries, attestation)
		}
	}
	_, err := b.manifest(indexType, imageIndex{SchemaVersion: 2, MediaType: indexType, Manifests: entries})
	return b, err
}

func parsePlatform(name string) (platform, error) {
	parts := strings.Split(name, "/")
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || parts[1] == "" {
		return platform{}, fmt.Errorf("platform %q is not of the form os/architecture[/variant]", name)
	}
	p := platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	return p, nil
}

// labels are those of the config for a platform.
func (image Image) labels(platform string) map[string]string {
	if own, ok := image.PlatformLabels[platform]; ok {
		return own
	}
	return image.Labels
}

// add makes layer, config and manifest for one platform.
func (b *bundle) add(image Image, p platform, labels map[string]string) (descriptor, error) {
	archive, err := layerArchive(image.Content)
	if err != nil {
		return descriptor{}, err
	}
	compressed, err := compress(archive)
	if err != nil {
		return descriptor{}, err
	}
	config, err := json.Marshal(imageConfig{
		Created:  built,
		platform: p,
		Config:   runConfig{Env: []string{"PATH=/usr/bin:/bin"}, Cmd: []string{"/app"}, Labels: labels},
		RootFS:   rootFS{Type: "layers", DiffIDs: []string{digestOf(archive)}},
		History:  []history{{Created: built, CreatedBy: "COPY app /app"}},
	})
	if err != nil {
		return descriptor{}, err
	}
	d, err := b.manifest(manifestType, imageManifest{
		SchemaVersion: 2, MediaType: manifestType,
		Config: b.blob(configType, config),
		Layers: []descriptor{b.blob(layerType, compressed)},
	})
	d.Platform = &p
	return d, err
}

// attest makes what buildx adds for each image of an index: a manifest for no platform that
// holds the provenance, tied to its subject by annotations.
func (b *bundle) attest(subject descriptor) (descriptor, error) {
	statement, err := json.Marshal(map[string]any{
		"_type":         "https://in-toto.io/Statement/v0.1",
		"predicateType": "https://slsa.dev/provenance/v1",
		"subject":       []any{map[string]any{"digest": map[string]string{"sha256": strings.TrimPrefix(subject.Digest, "sha256:")}}},
		"predicate":     map[string]any{},
	})
	if err != nil {
		return descriptor{}, err
	}
	unknown := platform{Architecture: "unknown", OS: "unknown"}
	config, err := json.Marshal(imageConfig{
		Created: built, platform: unknown, RootFS: rootFS{Type: "layers", DiffIDs: []string{digestOf(statement)}},
	})
	if err != nil {
		return descriptor{}, err
	}
	layer := b.blob(inTotoType, statement)
	layer.Annotations = map[string]string{"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"}
	d, err := b.manifest(manifestType, imageManifest{
		SchemaVersion: 2, MediaType: manifestType, Config: b.blob(configType, config), Layers: []descriptor{layer},
	})
	d.Platform = &unknown
	d.Annotations = map[string]string{
		"vnd.docker.reference.digest": subject.Digest,
		"vnd.docker.reference.type":   "attestation-manifest",
	}
	return d, err
}

func (b *bundle) blob(mediaType string, data []byte) descriptor {
	b.blobs = append(b.blobs, data)
	return descriptor{MediaType: mediaType, Digest: digestOf(data), Size: len(data)}
}

func (b *bundle) manifest(mediaType string, document any) (descriptor, error) {
	data, err := json.Marshal(document)
	if err != nil {
		return descriptor{}, err
	}
	b.manifests = append(b.manifests, manifest{mediaType: mediaType, data: data})
	return descriptor{MediaType: mediaType, Digest: digestOf(data), Size: len(data)}, nil
}

func layerArchive(content string) ([]byte, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	header := &tar.Header{Name: "app", Mode: 0o755, Size: int64(len(content)), ModTime: built, Format: tar.FormatUSTAR}
	if err := w.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(content)); err != nil {
		return nil, err
	}
	err := w.Close()
	return buffer.Bytes(), err
}

// compress stores without compressing, so that the digest does not depend on the release of
// the compressor.
func compress(data []byte) ([]byte, error) {
	var buffer bytes.Buffer
	w, err := gzip.NewWriterLevel(&buffer, gzip.NoCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err = w.Close()
	return buffer.Bytes(), err
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

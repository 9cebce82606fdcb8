package cloud

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// The media types of what an image can be (OCI image specification, Docker image manifest V2,
// schema 2). All are named in every request: what a client does not accept, ECR converts.
const (
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"

	ociConfig    = "application/vnd.oci.image.config.v1+json"
	dockerConfig = "application/vnd.docker.container.image.v1+json"
)

const (
	// maxConfig is the largest image config that is read; usual ones are some KiB.
	maxConfig = 4 << 20
	// maxInspected is how many entries of an index that don't name their platform are looked
	// into.
	maxInspected = 8
)

// manifest is an index or a manifest, as far as platforms go.
type manifest struct {
	MediaType string     `json:"mediaType"`
	Config    descriptor `json:"config"`
	Manifests []struct {
		descriptor
		Platform    *platform         `json:"platform"`
		Annotations map[string]string `json:"annotations"`
	} `json:"manifests"`
}

type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
}

// platform is what a manifest is for, in the words of Go; an image's config begins with it.
type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

func (p platform) linux() bool { return p.OS == "linux" && p.Architecture != "" }

// imageConfig is what of an image's config is read.
type imageConfig struct {
	platform
	Config struct {
		Labels map[string]string `json:"Labels"`
	} `json:"config"`
}

// children are the manifests for Linux of the image with this digest, by architecture.
func (f *Fleet) children(ctx context.Context, id Identity, q ImageQuery, digest string) (map[string]string, *rollout.Problem) {
	key := manifestKey{identity: id, registry: q.Registry, repository: q.Repository, digest: digest}
	if known, ok := f.manifests.get(key); ok {
		return known, nil
	}
	m, problem := f.manifest(ctx, id, q, digest)
	if problem != nil {
		return nil, problem
	}
	children := map[string]string{}
	if m.isIndex() {
		children, problem = f.entries(ctx, id, q, m)
	} else {
		var c imageConfig
		if c, problem = f.config(ctx, id, q, digest, m); problem == nil && c.linux() {
			children[c.Architecture] = digest
		}
	}
	if problem != nil {
		return nil, problem
	}
	f.manifests.put(key, children, 1)
	return children, nil
}

// entries are the images of an index. Attestations are no images; of several variants of an
// architecture the first counts.
func (f *Fleet) entries(ctx context.Context, id Identity, q ImageQuery, index *manifest) (map[string]string, *rollout.Problem) {
	children := map[string]string{}
	inspected := 0
	for _, e := range index.Manifests {
		if e.Annotations["vnd.docker.reference.type"] == "attestation-manifest" {
			continue
		}
		p := e.Platform
		if p == nil || p.Architecture == "" {
			if inspected == maxInspected {
				continue
			}
			inspected++
			child, problem := f.manifest(ctx, id, q, e.Digest)
			if problem != nil {
				return nil, problem
			}
			if child.isIndex() || !child.isImage() {
				continue
			}
			found, problem := f.config(ctx, id, q, e.Digest, child)
			if problem != nil {
				return nil, problem
			}
			p = &found.platform
		}
		if _, taken := children[p.Architecture]; p.linux() && p.Architecture != "unknown" && !taken {
			children[p.Architecture] = strings.Clone(e.Digest)
		}
	}
	return children, nil
}

// isIndex goes by what the document holds: mediaType is optional in OCI documents.
func (m *manifest) isIndex() bool {
	return m.MediaType == ociIndex || m.MediaType == dockerList || m.MediaType == "" && len(m.Manifests) > 0
}

// isImage says that the manifest is of a container image, not of a chart or a signature.
func (m *manifest) isImage() bool {
	return m.Config.MediaType == ociConfig || m.Config.MediaType == dockerConfig
}

// manifest fetches what has this digest, and checks that it has.
func (f *Fleet) manifest(ctx context.Context, id Identity, q ImageQuery, digest string) (*manifest, *rollout.Problem) {
	s := f.session(id, q.Region)
	doing := fmt.Sprintf("reading the manifest of image %s in %s", q, q.where())
	out, problem := read(ctx, f, s, batchGetImage, doing, func(ctx context.Context) (*ecr.BatchGetImageOutput, error) {
		return s.ecr.BatchGetImage(ctx, &ecr.BatchGetImageInput{
			RegistryId:         aws.String(q.Registry),
			RepositoryName:     aws.String(q.Repository),
			ImageIds:           []types.ImageIdentifier{{ImageDigest: aws.String(digest)}},
			AcceptedMediaTypes: []string{ociIndex, dockerList, ociManifest, dockerManifest},
		})
	})
	switch {
	case problem != nil:
		return nil, problem
	case len(out.Failures) > 0:
		return nil, manifestFailure(out.Failures[0], doing)
	case len(out.Images) == 0:
		return nil, because(rollout.ProblemTransient, ecsv1alpha1.ReasonImageUnknown, "%s: the answer has none", doing)
	}
	document := []byte(aws.ToString(out.Images[0].ImageManifest))
	if !isDigestOf(digest, document) {
		return nil, because(rollout.ProblemTransient, ecsv1alpha1.ReasonImageUnknown, "%s: what came is not %s", doing, digest)
	}
	var m manifest
	if err := json.Unmarshal(document, &m); err != nil {
		return nil, because(rollout.ProblemRefused, ecsv1alpha1.ReasonInvalidImage, "%s: it is not JSON: %v", doing, err)
	}
	m.MediaType = cmp.Or(m.MediaType, aws.ToString(out.Images[0].ImageManifestMediaType))
	return &m, nil
}

// manifestFailure is what one of the failures in an answer of BatchGetImage means.
func manifestFailure(failure types.ImageFailure, doing string) *rollout.Problem {
	said := string(failure.FailureCode) + ": " + aws.ToString(failure.FailureReason)
	switch failure.FailureCode {
	case types.ImageFailureCodeImageNotFound, types.ImageFailureCodeImageInaccessible:
		return because(rollout.ProblemMissing, ecsv1alpha1.ReasonImageNotFound, "%s: %s", doing, said)
	case types.ImageFailureCodeUpstreamTooManyRequests, types.ImageFailureCodeUpstreamUnavailable:
		return because(rollout.ProblemTransient, ecsv1alpha1.ReasonImageUnknown, "%s: %s", doing, said)
	case types.ImageFailureCodeKmsError, types.ImageFailureCodeUpstreamAccessDenied:
		return because(rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "%s: %s", doing, said)
	default:
		return because(rollout.ProblemRefused, ecsv1alpha1.ReasonImageUnknown, "%s: %s", doing, said)
	}
}

// config reads the image config of m, a single manifest with this digest.
func (f *Fleet) config(ctx context.Context, id Identity, q ImageQuery, digest string, m *manifest) (imageConfig, *rollout.Problem) {
	doing := fmt.Sprintf("reading the config of image %s in %s", q, q.where())
	if !m.isImage() {
		return imageConfig{}, because(rollout.ProblemRefused, ecsv1alpha1.ReasonInvalidImage,
			"%s in %s is not a container image: its config is of type %q", q, q.where(), m.Config.MediaType)
	}
	if m.Config.Size > maxConfig {
		return imageConfig{}, because(rollout.ProblemRefused, ecsv1alpha1.ReasonInvalidImage,
			"%s: it is larger than %d bytes (%d)", doing, maxConfig, m.Config.Size)
	}
	s := f.session(id, q.Region)
	out, problem := read(ctx, f, s, getDownloadURLForLayer, doing, func(ctx context.Context) (*ecr.GetDownloadUrlForLayerOutput, error) {
		return s.ecr.GetDownloadUrlForLayer(ctx, &ecr.GetDownloadUrlForLayerInput{
			RegistryId:     aws.String(q.Registry),
			RepositoryName: aws.String(q.Repository),
			LayerDigest:    aws.String(m.Config.Digest),
		})
	})
	if problem != nil {
		return imageConfig{}, problem
	}
	blob, err := f.download(ctx, s, aws.ToString(out.DownloadUrl))
	if err != nil {
		return imageConfig{}, because(rollout.ProblemTransient, ecsv1alpha1.ReasonImageUnknown, "%s: %v", doing, err)
	}
	if !isDigestOf(m.Config.Digest, blob) {
		return imageConfig{}, because(rollout.ProblemTransient, ecsv1alpha1.ReasonImageUnknown, "%s: what came is not %s", doing, m.Config.Digest)
	}
	var c imageConfig
	if err := json.Unmarshal(blob, &c); err != nil {
		return imageConfig{}, because(rollout.ProblemRefused, ecsv1alpha1.ReasonInvalidImage, "%s: it is not JSON: %v", doing, err)
	}
	f.keepLabels(id, q, digest, c.Config.Labels)
	return c, nil
}

// download fetches a layer by the URL that ECR signed. The URL is a secret for as long as it is
// valid, so errors do not show it.
func (f *Fleet) download(ctx context.Context, s *session, address string) ([]byte, error) {
	if !f.flight.begin() {
		return nil, errors.New("not sent: shutting down")
	}
	defer f.flight.end()
	ctx, cancel := context.WithTimeout(ctx, f.options.ReadDeadline)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, errors.New("ECR's URL of the layer cannot be read")
	}
	response, err := s.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("downloading the layer from %s: %s", request.URL.Host, describe(withoutURL(err), transient, ""))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("downloading the layer from %s: status %d, wanted 200", request.URL.Host, response.StatusCode)
	}
	blob, err := io.ReadAll(io.LimitReader(response.Body, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("downloading the layer from %s: %w", request.URL.Host, err)
	}
	if len(blob) > maxConfig {
		return nil, fmt.Errorf("downloading the layer from %s: it is larger than %d bytes", request.URL.Host, maxConfig)
	}
	return blob, nil
}

// withoutURL is the cause of an error of net/http, which itself shows the whole URL.
func withoutURL(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// withoutRedirects is the SDK's HTTP client, or a copy of it that takes a redirect as the
// answer. A client that is neither the SDK's nor the standard library's decides for itself.
func withoutRedirects(client aws.HTTPClient) aws.HTTPClient {
	stop := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	switch c := client.(type) {
	case *awshttp.BuildableClient:
		return &http.Client{Transport: c.GetTransport(), Timeout: c.GetTimeout(), CheckRedirect: stop}
	case *http.Client:
		same := *c
		same.CheckRedirect = stop
		return &same
	case nil:
		return withoutRedirects(awshttp.NewBuildableClient())
	}
	return client
}

// isDigestOf says whether digest is that of content.
func isDigestOf(digest string, content []byte) bool {
	sum := sha256.Sum256(content)
	return digest == "sha256:"+hex.EncodeToString(sum[:])
}

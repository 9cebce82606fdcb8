package awssim

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// pullRequest is what a task asks of a registry.
type pullRequest struct {
	account      *account // whose task it is
	region       string   // where it runs; the image may live elsewhere
	image        string   // as the task definition has it
	architecture string   // "arm64" or "amd64"
}

// pullResult is what comes of it. With err empty the image is there; it may still be for
// another architecture, and then its first process fails to start.
type pullResult struct {
	digest            string // of what the reference names: an index or a manifest
	child             string // of the manifest for the platform
	size              int64
	err               string // the stoppedReason of the task, "" when the image is there
	wrongArchitecture bool
}

var ecrHostPattern = regexp.MustCompile(
	`^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-zA-Z0-9][a-zA-Z0-9_-]*)\.(?:amazonaws\.(?:com(?:\.cn)?|eu)|on\.aws)$`)

// pull fetches an image as the container agent does. The registry is the one that the host
// names, in whatever account and region. Images of other hosts are always there.
func (s *Simulator) pull(p pullRequest) pullResult {
	host, repository, tag, digest := splitReference(p.image)
	match := ecrHostPattern.FindStringSubmatch(host)
	if match == nil {
		sum := sha256Digest([]byte(p.image))
		if digest != "" {
			sum = digest
		}
		return pullResult{digest: sum, child: sum}
	}
	registry, region := match[1], match[2]
	reference := tag
	if digest != "" {
		reference = digest
	}
	r := s.findRepository(registry, region, repository)
	if registry != p.account.id && (r == nil || r.policy.decideAccount(p.account.id, "ecr:BatchGetImage", r.arn()) != allowed) {
		return pullFailure(1, "failed to resolve ref %s: pulling from host %s failed with status code [manifests %s]: 403 Forbidden",
			p.image, host, reference)
	}
	if r == nil {
		return pullFailure(1, "failed to resolve ref %s: %s: not found", p.image, p.image)
	}
	id := ecrImageID{ImageTag: tag}
	if digest != "" {
		id = ecrImageID{ImageDigest: digest}
	}
	image := r.find(id, time.Time{})
	if image == nil {
		return pullFailure(1, "failed to resolve ref %s: %s: not found", p.image, p.image)
	}
	if image.status != "ACTIVE" {
		return pullFailure(1, "failed to resolve ref %s: pulling from host %s failed with status code [manifests %s]: 403 Forbidden",
			p.image, host, reference)
	}
	image.pulled(s.now())
	return r.unpack(image, p.architecture)
}

func pullFailure(tries int, format string, args ...any) pullResult {
	return pullResult{err: fmt.Sprintf("CannotPullContainerError: pull image manifest has been retried %d time(s): %s",
		tries, fmt.Sprintf(format, args...))}
}

// splitReference takes a reference apart by Docker's rules: the first component is a host when
// it has a dot or a colon or is localhost. Without tag and digest the tag is latest.
func splitReference(image string) (host, repository, tag, digest string) {
	name, digest, _ := strings.Cut(image, "@")
	if first, rest, ok := strings.Cut(name, "/"); ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		host, name = first, rest
	}
	if at := strings.LastIndex(name, ":"); at > strings.LastIndex(name, "/") {
		name, tag = name[:at], name[at+1:]
	}
	if tag == "" && digest == "" {
		tag = "latest"
	}
	return host, name, tag, digest
}

// unpack chooses the manifest for the platform. An index without one cannot be pulled; a
// single manifest can, whatever it is for.
func (r *ecrRepository) unpack(image *storedImage, architecture string) pullResult {
	if !image.document.index() {
		built := r.architectureOf(image)
		return pullResult{
			digest: image.digest, child: image.digest, size: image.size,
			wrongArchitecture: built != "" && built != architecture,
		}
	}
	at := slices.IndexFunc(image.document.Manifests, func(d ecrDescriptor) bool {
		if d.attestation() || r.images[d.Digest] == nil {
			return false
		}
		if d.Platform == nil {
			return r.architectureOf(r.images[d.Digest]) == architecture
		}
		return d.Platform.OS == "linux" && d.Platform.Architecture == architecture
	})
	if at < 0 {
		result := pullFailure(7, "image Manifest does not contain descriptor matching platform 'linux/%s'", architecture)
		result.digest, result.wrongArchitecture = image.digest, true
		return result
	}
	child := r.images[image.document.Manifests[at].Digest]
	return pullResult{digest: image.digest, child: child.digest, size: child.size}
}

// architectureOf reads the config of an image: "" when it says nothing.
func (r *ecrRepository) architectureOf(image *storedImage) string {
	if image.document.Config == nil {
		return ""
	}
	var config struct {
		Architecture string `json:"architecture"`
	}
	if json.Unmarshal(r.layers[image.document.Config.Digest], &config) != nil {
		return "" // a config of another kind of artifact
	}
	return config.Architecture
}

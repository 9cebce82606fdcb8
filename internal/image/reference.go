// Package image is the grammar of container image references: how people
// write them in a release, how Amazon ECR spells its registries, and how the
// containers of a task definition spell what they run. It only compares and
// rewrites text; what an image is in a registry is asked elsewhere.
package image

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/distribution/reference"
)

// MaxLength is how long an image may be up to its digest. It is the limit of
// the image member of an ECS container definition.
const MaxLength = 255

// Reference is an image as its author wrote it. Nothing is filled in: there is
// no default host, no "library/" and no "latest".
type Reference struct {
	// Host is the registry, with its port if it has one. Empty means the ECR
	// registry of wherever the image is to run; In resolves it.
	//
	// Docker's grammar tells a host from the first part of a repository: it is
	// followed by "/", and it contains "." or ":" or is "localhost".
	Host string
	// Repository is the path within the registry, such as "team/backend".
	Repository string
	// Tag is empty where only a digest is given.
	Tag string
	// Digest is "sha256:" and 64 hexadecimal digits; empty where only a tag is
	// given.
	Digest string
}

var (
	hostPattern       = regexp.MustCompile(`^(?:` + reference.DomainRegexp.String() + `)$`)
	repositoryPattern = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagPattern        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	digestPattern     = regexp.MustCompile(`^sha256:[a-f0-9]{64}$`)
)

// Parse reads "[host/]repository:tag", "[host/]repository@digest" or
// "[host/]repository:tag@digest", the form in which ECS names a running image.
// One of tag and digest is required. String of the result is s again.
//
// The errors are sentences for the person who wrote s.
func Parse(s string) (Reference, error) {
	r, err := split(s)
	if err != nil {
		return Reference{}, err
	}
	if r.Tag == "" && r.Digest == "" {
		return Reference{}, fmt.Errorf("image %s has neither tag nor digest: write %s:v1 or %s@sha256:…", quote(s), clip(s), clip(s))
	}
	return r, nil
}

// split parses s; that tag and digest are both absent is not yet an error.
func split(s string) (Reference, error) {
	if err := screen(s); err != nil {
		return Reference{}, err
	}
	name, digest, hasDigest := strings.Cut(s, "@")
	if hasDigest && !digestPattern.MatchString(digest) {
		return Reference{}, fmt.Errorf("image %s has the digest %s, wanted sha256: and 64 hexadecimal digits in lower case", quote(s), quote(digest))
	}
	if len(name) > MaxLength {
		return Reference{}, fmt.Errorf("image %s has %d characters before the digest, ECS allows %d", quote(s), len(name), MaxLength)
	}
	// The last colon starts the tag, unless a slash follows: then it belongs
	// to the port of the host.
	path, tag := name, ""
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		path, tag = name[:colon], name[colon+1:]
		if !tagPattern.MatchString(tag) {
			return Reference{}, fmt.Errorf("image %s has the tag %s, wanted 1 to 128 letters, digits, '_', '.' or '-', not starting with '.' or '-'", quote(s), quote(tag))
		}
	}
	host, repository := "", path
	if first, rest, ok := strings.Cut(path, "/"); ok && isHost(first) {
		host, repository = first, rest
		if !hostPattern.MatchString(host) {
			return Reference{}, fmt.Errorf("image %s has the host %s, wanted a host name such as registry.example.com:5000", quote(s), quote(host))
		}
	}
	switch {
	case repository == "":
		return Reference{}, fmt.Errorf("image %s names no repository, wanted [host/]repository:tag", quote(s))
	case !repositoryPattern.MatchString(repository):
		return Reference{}, fmt.Errorf("image %s has the repository %s, wanted lower case letters and digits in parts separated by '/', with single '.', '_', '__' or '-' inside a part", quote(s), quote(repository))
	}
	return Reference{Host: host, Repository: repository, Tag: tag, Digest: digest}, nil
}

// screen names the slips that would otherwise surface as a puzzle about hosts
// or repositories.
func screen(s string) error {
	switch {
	case s == "":
		return fmt.Errorf("image is empty, wanted [host/]repository:tag or [host/]repository@digest")
	case strings.ContainsAny(s, " \t\r\n"):
		return fmt.Errorf("image %s contains white space", quote(s))
	case strings.Contains(s, "://"):
		return fmt.Errorf("image %s is a URL, wanted [host/]repository:tag without %q", quote(s), clip(s[:strings.Index(s, "://")+3]))
	}
	return nil
}

func isHost(first string) bool {
	return strings.ContainsAny(first, ".:") || first == "localhost"
}

// String is the text that Parse reads as r.
func (r Reference) String() string {
	s := r.Name()
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest
	}
	return s
}

// Name is "host/repository", or the repository alone where there is no host.
func (r Reference) Name() string {
	if r.Host == "" {
		return r.Repository
	}
	return r.Host + "/" + r.Repository
}

// Pinned is "host/repository@digest": what a container runs if nothing may
// move under it. The tag is left out, because ECS documents either a tag or a
// digest in a container definition and not both.
func (r Reference) Pinned(digest string) string {
	return r.Name() + "@" + digest
}

// Tagged is "host/repository:tag": what a container runs if the tag is to be
// resolved by ECS at each deployment. Without a tag it is the pinned form of
// r's own digest.
func (r Reference) Tagged() string {
	if r.Tag == "" {
		return r.Pinned(r.Digest)
	}
	return r.Name() + ":" + r.Tag
}

// IsDigest tells whether s is a digest as ECS and ECR write it.
func IsDigest(s string) bool { return digestPattern.MatchString(s) }

// quote and clip keep a hostile or mangled image from flooding a condition.
func quote(s string) string { return fmt.Sprintf("%q", clip(s)) }

func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

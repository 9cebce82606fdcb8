package image

import (
	"regexp"
	"strings"
)

// Registry is a private Amazon ECR registry at one of its endpoints.
type Registry struct {
	AccountID string
	Region    string
	// Host is the endpoint as it was written: an account has several names for
	// the same registry (FIPS, dual-stack).
	Host string
}

// registryPattern is that of awslabs/amazon-ecr-credential-helper, which
// container runtimes use to recognise ECR.
var registryPattern = regexp.MustCompile(`^(\d{12})\.dkr[.\-]ecr(?:-fips)?\.([a-zA-Z0-9][a-zA-Z0-9-_]*)\.(?:amazonaws\.(?:com(?:\.cn)?|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$`)

// ParseRegistry reads the host of a private ECR registry. It is false for any
// other host, public.ecr.aws included: that is another service, with other
// calls.
func ParseRegistry(host string) (Registry, bool) {
	m := registryPattern.FindStringSubmatch(host)
	if m == nil {
		return Registry{}, false
	}
	return Registry{AccountID: m[1], Region: m[2], Host: host}, true
}

// Registry is the ECR registry that r names; false where it names none or
// leaves it open.
func (r Reference) Registry() (Registry, bool) { return ParseRegistry(r.Host) }

// In resolves an absent host to the ECR registry of that account in that
// region. A reference with a host is returned as it is, whatever its region:
// its author chose to pull from there.
func (r Reference) In(accountID, region string) Reference {
	if r.Host == "" {
		r.Host = accountID + ".dkr.ecr." + region + "." + dnsSuffix(region)
	}
	return r
}

// dnsSuffix is the domain of a region's partition, as the endpoint rules of
// the AWS SDKs have it.
func dnsSuffix(region string) string {
	for _, partition := range []struct{ prefix, suffix string }{
		{"cn-", "amazonaws.com.cn"},
		{"eusc-", "amazonaws.eu"},
		{"us-iso-", "c2s.ic.gov"},
		{"us-isob-", "sc2s.sgov.gov"},
		{"us-isof-", "csp.hci.ic.gov"},
		{"eu-isoe-", "cloud.adc-e.uk"},
	} {
		if strings.HasPrefix(region, partition.prefix) {
			return partition.suffix
		}
	}
	return "amazonaws.com"
}

// SameRepository tells whether image, the text of a container in a task
// definition or a task, comes from the repository of r, whatever its tag or
// digest.
//
// ECR repositories are the same if account and name are: replication keeps
// both, so the copy in another region, or the same one behind a FIPS or
// dual-stack endpoint, is that repository. In a container an image without a
// host is one of Docker Hub, not of ECR, and is compared with
// "docker.io/library/…" accordingly.
//
// r must have been resolved by In: a reference without a host names a
// repository nowhere in particular, and the answer is then false. It is false,
// too, for an image that is not a reference at all.
func (r Reference) SameRepository(image string) bool {
	other, err := split(image)
	if err != nil || r.Host == "" {
		return false
	}
	if other.Host == "" {
		other.Host = dockerHub
	}
	ours, oursECR := r.Registry()
	theirs, theirsECR := other.Registry()
	if oursECR && theirsECR {
		return ours.AccountID == theirs.AccountID && r.Repository == other.Repository
	}
	return familiar(r) == familiar(other)
}

const dockerHub = "docker.io"

// familiar is the name under which Docker files r: Docker Hub has two hosts
// and an implied "library/".
func familiar(r Reference) string {
	if r.Host == "index.docker.io" {
		r.Host = dockerHub
	}
	if r.Host == dockerHub && !strings.Contains(r.Repository, "/") {
		r.Repository = "library/" + r.Repository
	}
	return r.Name()
}

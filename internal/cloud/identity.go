package cloud

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"heliumai.space/ecsrelease/internal/rollout"
)

// Identity is as whom calls are made. Identities are comparable: equal ones share sessions and
// caches, different ones share nothing but the quotas of their account.
type Identity struct {
	// AccountID is the account that the identity must turn out to be of. Nothing else is asked
	// of AWS before that is verified.
	AccountID string
	// RoleARN is the role to assume; "" is the identity of the process itself.
	RoleARN string
	// ExternalID goes with the assumption of the role; "" sends none.
	ExternalID string
	// Environment names and tags the sessions of a role, for CloudTrail and the conditions of policies.
	Environment string
}

// Key is a service as somebody sees it.
type Key struct {
	Identity Identity
	Region   string
	Cluster  string
	Service  string
}

// Location is where the service is, whoever looks.
func (k Key) Location() rollout.Location {
	return rollout.Location{AccountID: k.Identity.AccountID, Region: k.Region, Cluster: k.Cluster, Service: k.Service}
}

// neighbourhood is the services that one DescribeServices call can name together.
type neighbourhood struct {
	identity Identity
	region   string
	cluster  string
}

func (k Key) neighbourhood() neighbourhood {
	return neighbourhood{identity: k.Identity, region: k.Region, cluster: k.Cluster}
}

func (n neighbourhood) String() string { return n.region + "/" + n.cluster }

// maxSessionName is the longest name that AWS takes for the session of a role.
const maxSessionName = 64

// sessionName is the role session name: what CloudTrail shows and trust policies may match.
// AWS allows 2 to 64 characters of [\w+=,.@-]. One that has to be changed for that ends in a hash of
// what it was, so that no two environments share a name.
func sessionName(environment, cluster string) string {
	full := "ecsrelease-" + cmp.Or(environment, "none")
	if cluster != "" {
		full += "@" + cluster
	}
	name := only("_+=,.@-", '-', full)
	if name == full && len(name) <= maxSessionName {
		return name
	}
	sum := sha256.Sum256([]byte(full))
	hash := "-" + hex.EncodeToString(sum[:])[:8]
	return name[:min(len(name), maxSessionName-len(hash))] + hash
}

// The keys of the tags that sessions carry. They are none of those that EKS Pod Identity sets, which are
// transitive: to set one of these again is refused.
const (
	clusterTag     = "ecsrelease:cluster"
	environmentTag = "ecsrelease:environment"
)

// sessionTags are the tags of a session of a role, for CloudTrail and the conditions of policies. They are
// not transitive.
func sessionTags(environment, cluster string) []types.Tag {
	var tags []types.Tag
	for _, tag := range [][2]string{{clusterTag, cluster}, {environmentTag, environment}} {
		if tag[1] == "" {
			continue
		}
		value := only(" _.:/=+-@", '-', tag[1])
		tags = append(tags, types.Tag{Key: aws.String(tag[0]), Value: aws.String(value[:min(len(value), 256)])})
	}
	return tags
}

// only is text with whatever is no letter, digit or one of more replaced.
func only(more string, otherwise rune, text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(more, r):
			return r
		}
		return otherwise
	}, text)
}

// lastElement is what follows the last slash of an ARN or path, or all of it.
func lastElement(arn string) string {
	return arn[strings.LastIndexByte(arn, '/')+1:]
}

package cloud

import (
	"cmp"
	"strings"

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
	// Environment names the sessions of a role, for CloudTrail.
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

// sessionName is the role session name: what CloudTrail shows and trust policies may match.
// AWS allows 2 to 64 characters of [\w+=,.@-].
func sessionName(environment, cluster string) string {
	name := "ecsrelease-" + cmp.Or(environment, "none")
	if cluster != "" {
		name += "@" + cluster
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_+=,.@-", r):
			return r
		}
		return '-'
	}, name)
	return name[:min(len(name), 64)]
}

// lastElement is what follows the last slash of an ARN or path, or all of it.
func lastElement(arn string) string {
	return arn[strings.LastIndexByte(arn, '/')+1:]
}

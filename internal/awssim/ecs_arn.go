package awssim

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

// ecsFailure is an entry of failures[]: what a describing operation did not find.
type ecsFailure struct {
	ARN    string `json:"arn"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

func missing(arn string) ecsFailure { return ecsFailure{ARN: arn, Reason: "MISSING"} }

// ecsNamePattern is what clusters, services, families and containers may be called.
var ecsNamePattern = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)

// resourcePath returns the part of an ARN of this account and region behind "kind/"; ok is
// false for everything else.
func (c *call) resourcePath(arn, kind string) (path string, ok bool) {
	return strings.CutPrefix(arn, c.arn("ecs", kind+"/"))
}

// clusterName is the name in a cluster parameter: a name, an ARN or nothing, which means the
// cluster called default.
func (c *call) clusterName(parameter *string) (string, error) {
	if parameter == nil || *parameter == "" {
		return "default", nil
	}
	name := *parameter
	if strings.HasPrefix(name, "arn:") {
		path, ok := c.resourcePath(name, "cluster")
		if !ok {
			return "", invalidParameter("Invalid identifier: Unexpected cluster identifier %s in region %s", name, c.region.name)
		}
		name = path
	}
	if !ecsNamePattern.MatchString(name) {
		return "", invalidParameter("Invalid identifier: Identifier is for cluster %s.", name)
	}
	return name, nil
}

// activeCluster is the cluster of that name.
func (c *call) activeCluster(name string) (*cluster, error) {
	found := c.region.ecs.clusters[name]
	if found == nil || found.status != "ACTIVE" {
		return nil, newError(400, "ClusterNotFoundException", "Cluster not found.")
	}
	return found, nil
}

// serviceName is the name in a service parameter: a name or an ARN, in the long form with
// the cluster or in the old short one. An ARN of another cluster names nothing here.
func (c *call) serviceName(cluster, parameter string) (string, error) {
	name := parameter
	if strings.HasPrefix(name, "arn:") {
		path, ok := c.resourcePath(name, "service")
		if !ok {
			return "", invalidParameter("Invalid identifier: Unexpected service identifier %s in region %s", name, c.region.name)
		}
		if owner, rest, long := strings.Cut(path, "/"); long {
			if owner != cluster {
				return "", invalidParameter("Invalid identifier: Identifier is for cluster %s. Your cluster is %s", owner, cluster)
			}
			path = rest
		}
		name = path
	}
	if name == "" {
		return "", invalidParameter("Service cannot be empty.")
	}
	if !ecsNamePattern.MatchString(name) {
		return "", invalidParameter("Invalid identifier: %s", name)
	}
	return name, nil
}

// roleARN is a role as IAM knows it. ECS also takes the short name of one.
func (c *call) roleARN(role string) string {
	if strings.HasPrefix(role, "arn:") {
		return role
	}
	return "arn:aws:iam::" + c.account.id + ":role/" + strings.TrimPrefix(role, "/")
}

// passRoles checks that the caller may hand the roles to ECS's tasks.
func (c *call) passRoles(roles ...string) error {
	return c.passRolesTo("ecs-tasks.amazonaws.com", roles)
}

// passInfrastructureRoles checks that the caller may hand ECS the roles with which it manages
// the load balancers.
func (c *call) passInfrastructureRoles(balancers []balancerSettings) error {
	var roles []string
	for _, b := range balancers {
		if b.Advanced != nil {
			roles = append(roles, b.Advanced.RoleARN)
		}
	}
	return c.passRolesTo("ecs.amazonaws.com", roles)
}

func (c *call) passRolesTo(service string, roles []string) error {
	seen := map[string]bool{"": true}
	for _, role := range roles {
		if seen[role] {
			continue
		}
		seen[role] = true
		err := c.authorize("iam:PassRole", c.roleARN(role), map[string]string{"iam:PassedToService": service})
		if err == nil {
			continue
		}
		if denied := (*apiError)(nil); errors.As(err, &denied) && c.sim.ecs.options.PassRoleClientException {
			return clientError("%s", denied.message)
		}
		return err
	}
	return nil
}

// checkInclude refuses values of an include parameter that the operation does not know.
func checkInclude(include []string, known ...string) error {
	for _, value := range include {
		if !slices.Contains(known, value) {
			return invalidParameter("Invalid include value: %s", value)
		}
	}
	return nil
}

// oneOf refuses a value of an enumeration that ECS does not know; absent is fine.
func oneOf(name string, value *string, known ...string) error {
	if value == nil || slices.Contains(known, *value) {
		return nil
	}
	return invalidParameter("Invalid %s: %s. Valid values: %s", name, *value, strings.Join(known, ", "))
}

package controllers

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/rollout"
)

// environmentOf is the one environment that names the namespace. None, or more than one, is a
// problem: a release never falls back to anything.
func environmentOf(namespace *corev1.Namespace, environments []ecsv1alpha1.EcsEnvironment) (*ecsv1alpha1.EcsEnvironment, *rollout.Problem) {
	var found []*ecsv1alpha1.EcsEnvironment
	for i := range environments {
		if selects(environments[i].Spec.Namespaces, namespace) {
			found = append(found, &environments[i])
		}
	}
	switch len(found) {
	case 0:
		return nil, refused(ecsv1alpha1.ReasonNoEnvironment,
			"no EcsEnvironment names namespace %q: an admin must add it to spec.namespaces of one", namespace.Name)
	case 1:
		return found[0], nil
	}
	names := make([]string, 0, len(found))
	for _, environment := range found {
		names = append(names, environment.Name)
	}
	slices.Sort(names)
	return nil, refused(ecsv1alpha1.ReasonAmbiguousEnvironment,
		"namespace %q is in %d EcsEnvironments (%s): it must be in exactly one", namespace.Name, len(names), strings.Join(names, ", "))
}

// selects says whether the selector names the namespace, by name or by label. An absent or
// empty selector names nobody.
func selects(selector *ecsv1alpha1.NamespaceSelector, namespace *corev1.Namespace) bool {
	if selector == nil {
		return false
	}
	if slices.Contains(selector.Names, namespace.Name) {
		return true
	}
	for key, value := range selector.MatchLabels {
		if got, ok := namespace.Labels[key]; !ok || got != value {
			return false
		}
	}
	return len(selector.MatchLabels) > 0
}

// identityFor is as whom the environment lets a service be released. A service that no
// destination covers, or that several cover with different identities, is a problem.
func identityFor(environment *ecsv1alpha1.EcsEnvironment, target ecsv1alpha1.Target, service string) (cloud.Identity, *rollout.Problem) {
	var found []cloud.Identity
	for _, destination := range environment.Spec.Destinations {
		if !covers(destination, target.Region, target.Cluster, service) {
			continue
		}
		identity := identityOf(environment, awsOf(environment, destination))
		if !slices.Contains(found, identity) {
			found = append(found, identity)
		}
	}
	switch len(found) {
	case 0:
		return cloud.Identity{}, refused(ecsv1alpha1.ReasonNotPermitted,
			"target %s: no destination of EcsEnvironment %q covers service %q of cluster %q in %s", target.Name, environment.Name, service, target.Cluster, target.Region)
	case 1:
		return found[0], nil
	}
	return cloud.Identity{}, refused(ecsv1alpha1.ReasonIdentityConflict,
		"target %s: %d destinations of EcsEnvironment %q cover service %q of cluster %q in %s as different identities", target.Name, len(found), environment.Name, service, target.Cluster, target.Region)
}

// identityOf is an identity of an environment.
func identityOf(environment *ecsv1alpha1.EcsEnvironment, aws ecsv1alpha1.AWSIdentity) cloud.Identity {
	return cloud.Identity{AccountID: aws.AccountID, RoleARN: aws.RoleARN, ExternalID: aws.ExternalID, Environment: environment.Name}
}

// awsOf is as whom a destination is reached: its own identity, or else the environment's.
func awsOf(environment *ecsv1alpha1.EcsEnvironment, destination ecsv1alpha1.Destination) ecsv1alpha1.AWSIdentity {
	if destination.AWS != nil {
		return *destination.AWS
	}
	return environment.Spec.AWS
}

// overlapping names two destinations that may cover the same service as different identities; "" where
// there are none.
func overlapping(environment *ecsv1alpha1.EcsEnvironment) string {
	meet := func(a, b []string) bool {
		return slices.ContainsFunc(a, func(x string) bool {
			return slices.ContainsFunc(b, func(y string) bool { return globsMeet(x, y) })
		})
	}
	destinations := environment.Spec.Destinations
	for i, a := range destinations {
		for j, b := range destinations[:i] {
			if awsOf(environment, a) != awsOf(environment, b) && globsMeet(a.Region, b.Region) && meet(a.Clusters, b.Clusters) && meet(a.Services, b.Services) {
				return fmt.Sprintf("spec.destinations[%d] and [%d] overlap and name different identities", j, i)
			}
		}
	}
	return ""
}

// covers says whether the destination's globs match the region, the cluster and the service.
func covers(destination ecsv1alpha1.Destination, region, cluster, service string) bool {
	matches := func(name string) func(string) bool {
		return func(glob string) bool { return globMatch(glob, name) }
	}
	return globMatch(destination.Region, region) &&
		slices.ContainsFunc(destination.Clusters, matches(cluster)) &&
		slices.ContainsFunc(destination.Services, matches(service))
}

// globMatch matches the whole name; `*` stands for any characters, none included.
func globMatch(glob, name string) bool {
	pieces := strings.Split(glob, "*")
	if len(pieces) == 1 {
		return glob == name
	}
	rest, ok := strings.CutPrefix(name, pieces[0])
	if !ok {
		return false
	}
	last := pieces[len(pieces)-1]
	for _, piece := range pieces[1 : len(pieces)-1] {
		_, after, ok := strings.Cut(rest, piece)
		if !ok {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, last)
}

// globsMeet says whether there is a name that both globs match.
func globsMeet(a, b string) bool {
	i, j := strings.IndexByte(a, '*'), strings.IndexByte(b, '*')
	switch same := min(i, j); {
	case i < 0:
		return globMatch(b, a)
	case j < 0:
		return globMatch(a, b)
	case a[:same] != b[:same]:
		return false
	}
	// meets[j] is whether what is left of a meets what is left of b from j on.
	meets := make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		next := slices.Clone(meets) // of a[i+1:]
		for j := len(b); j >= 0; j-- {
			switch {
			case i == len(a) && j == len(b):
				meets[j] = true
			case i < len(a) && a[i] == '*':
				meets[j] = next[j] || j < len(b) && meets[j+1]
			case j < len(b) && b[j] == '*':
				meets[j] = meets[j+1] || i < len(a) && next[j]
			default:
				meets[j] = i < len(a) && j < len(b) && a[i] == b[j] && next[j+1]
			}
		}
	}
	return meets[0]
}

// refused is a problem that lasts until somebody changes something.
func refused(reason, format string, args ...any) *rollout.Problem {
	return &rollout.Problem{Class: rollout.ProblemRefused, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

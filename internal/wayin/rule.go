package wayin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// rule looks for rules that lead the name to every service of the region. The service for which that is
// worst is told.
func (j *judge) rule(_ *ecsv1alpha1.EndpointRegion, seen *Region) {
	const hop = ecsv1alpha1.HopRule
	if j.beforeListener(hop, seen) || j.unknown(hop, seen.Rules.Problem) {
		return
	}
	var found []verdict
	for _, s := range seen.Services {
		found = append(found, j.leading(seen, s))
	}
	j.worst(hop, found)
}

// leading is whether a rule leads the name to a service.
func (j *judge) leading(seen *Region, s Service) verdict {
	if s.Groups.Problem != nil {
		return unknown(s.Groups.Problem)
	}
	if len(s.Groups.Answer) == 0 {
		return finding(ecsv1alpha1.HopMissing, fmt.Sprintf("service %s is in no target group", s.Name), "a target group of the service",
			"put a target group behind service "+s.Name+", or take it out of the endpoint")
	}
	groups := list(groupNames(s.Groups.Answer))
	wanted := fmt.Sprintf("a rule for %s that forwards to %s", j.spec.Hostname, groups)
	var before []Rule // that take the name's requests
	var conditional *Rule
	var shadowed *verdict
	for _, r := range seen.Rules.Answer {
		if !r.takes(j.spec.Hostname) {
			continue
		}
		i := slices.IndexFunc(before, func(b Rule) bool { return b.shadows(r) })
		switch {
		case !r.leadsTo(s.Groups.Answer):
			if !r.Other {
				before = append(before, r)
			}
		case i >= 0:
			shadowed = cmp.Or(shadowed, new(finding(ecsv1alpha1.HopBroken,
				fmt.Sprintf("rule %s (%s) comes before rule %s, which forwards to %s", before[i].Priority, before[i].does(), r.Priority, groups),
				wanted, fmt.Sprintf("give the rule that forwards to %s a priority before %s", groups, before[i].Priority))))
		case r.Other:
			conditional = cmp.Or(conditional, &r)
		default:
			return j.shared(r, seen, s, wanted)
		}
	}
	if conditional != nil {
		return finding(ecsv1alpha1.HopWarning, fmt.Sprintf("rule %s leads to %s under conditions that are not looked at", conditional.Priority, s.Name), wanted,
			"make sure that requests meet them: they are about more than the host and the path")
	}
	if shadowed != nil {
		return *shadowed
	}
	add := fmt.Sprintf("add a rule to the listener: host %s, forward to %s", j.spec.Hostname, groups)
	if len(before) > 0 {
		return finding(ecsv1alpha1.HopBroken, fmt.Sprintf("rule %s takes %s and does: %s", before[0].Priority, j.spec.Hostname, before[0].does()), wanted, add)
	}
	return finding(ecsv1alpha1.HopMissing, "the listener has no rule for "+j.spec.Hostname, wanted, add)
}

// shared is what a rule is like that leads to a service: it may lead elsewhere too.
func (j *judge) shared(r Rule, seen *Region, s Service, wanted string) verdict {
	var all, stray int64
	var others []string
	for i, g := range r.Groups {
		all += r.weight(i)
		if !slices.ContainsFunc(seen.Services, func(s Service) bool { return slices.Contains(s.Groups.Answer, g) }) {
			stray += r.weight(i)
			others = append(others, g)
		}
	}
	if stray == 0 {
		return well("rule %s leads to %s", r.Priority, s.Name)
	}
	return finding(ecsv1alpha1.HopWarning,
		fmt.Sprintf("rule %s leads to %s, but %d %% of its requests to %s", r.Priority, s.Name, max(1, stray*100/all), list(groupNames(others))), wanted+" alone",
		"give the target groups that are of no service of the endpoint the weight 0")
}

// Leads says whether a rule that takes the host leads to one of the services.
func (r *Region) Leads(host string) bool {
	return slices.ContainsFunc(r.Rules.Answer, func(rule Rule) bool {
		return rule.takes(host) && slices.ContainsFunc(r.Services, func(s Service) bool { return rule.leadsTo(s.Groups.Answer) })
	})
}

// live are the target groups of a service that requests for the host are forwarded to: by rules with
// conditions beside host and path only where no other leads there, since those are for a few requests.
func (r *Region) live(host string, s Service) []string {
	var before []Rule
	var groups, conditional []string
	for _, rule := range r.Rules.Answer {
		if !rule.takes(host) || slices.ContainsFunc(before, func(b Rule) bool { return b.shadows(rule) }) {
			continue
		}
		switch to := rule.leadsTo(s.Groups.Answer); {
		case rule.Other && to:
			conditional = append(conditional, rule.Groups...)
		case to:
			groups = append(groups, rule.Groups...)
		}
		if !rule.Other {
			before = append(before, rule)
		}
	}
	if len(groups) == 0 {
		return conditional
	}
	return groups
}

// takes says whether the rule's host condition lets the name in.
func (r Rule) takes(host string) bool {
	return len(r.Hosts) == 0 || slices.ContainsFunc(r.Hosts, func(pattern string) bool { return matches(strings.ToLower(pattern), host) })
}

// leadsTo says whether the rule forwards to one of the groups.
func (r Rule) leadsTo(groups []string) bool {
	return r.Action == "forward" && slices.ContainsFunc(r.Groups, func(g string) bool { return slices.Contains(groups, g) })
}

// shadows says whether nothing that another rule would take is left to it.
func (r Rule) shadows(other Rule) bool {
	if len(r.Paths) == 0 || slices.ContainsFunc(r.Paths, func(p string) bool { return p == "*" || p == "/*" }) {
		return true
	}
	if len(other.Paths) == 0 {
		return false
	}
	return !slices.ContainsFunc(other.Paths, func(path string) bool {
		return !slices.ContainsFunc(r.Paths, func(p string) bool { return covers(p, path) })
	})
}

// weight is how much of what the rule forwards the group of that index gets, of the sum of all.
func (r Rule) weight(i int) int64 {
	if i >= len(r.Weights) {
		return 1
	}
	return int64(r.Weights[i])
}

// does is what the rule does, for people.
func (r Rule) does() string {
	if r.Action != "forward" {
		return r.Action
	}
	if len(r.Groups) == 0 {
		return "forward to no target group, since all weigh 0"
	}
	return "forward to " + list(groupNames(r.Groups))
}

// matches says whether a pattern of a rule's condition matches a whole text: * stands for any number of
// characters, ? for one.
func matches(pattern, text string) bool {
	return glob(pattern, text, func(byte) bool { return true })
}

// covers says whether a pattern matches whatever another one matches. It may say no although it does.
func covers(pattern, other string) bool {
	return glob(pattern, other, func(c byte) bool { return c != '*' })
}

// glob matches a whole text. one says for which of its characters ? stands.
func glob(pattern, text string, one func(byte) bool) bool {
	star, resume := -1, 0 // the last * and where what it stands for ends so far
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' && one(text[t]) || pattern[p] != '?' && pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			resume++
			p, t = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// groupNames are the names in the ARNs of target groups.
func groupNames(arns []string) []string {
	var names []string
	for _, arn := range arns {
		_, path, _ := strings.Cut(arn, ":targetgroup/")
		name, _, _ := strings.Cut(path, "/")
		names = append(names, name)
	}
	return names
}

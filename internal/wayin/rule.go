package wayin

import (
	"fmt"
	"slices"
	"strings"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// rule looks for rules that lead the name to every service of the region.
func (j *judge) rule(_ *ecsv1alpha1.EndpointRegion, seen *Region) {
	const hop = ecsv1alpha1.HopRule
	if j.beforeListener(hop, seen) || j.unknown(hop, seen.Rules.Problem) {
		return
	}
	var well []string
	for _, s := range seen.Services {
		if j.unknown(hop, s.Groups.Problem) {
			return
		}
		if len(s.Groups.Answer) == 0 {
			j.note(hop, ecsv1alpha1.HopMissing, fmt.Sprintf("service %s is in no target group", s.Name), "a target group of the service",
				"put a target group behind service "+s.Name+", or take it out of the endpoint")
			return
		}
		found, ok := j.leading(hop, seen.Rules.Answer, s)
		if !ok {
			return
		}
		well = append(well, fmt.Sprintf("rule %s leads to %s", found.Priority, s.Name))
	}
	j.leads(hop, "%s", list(well))
}

// leading is the rule that leads the name to a service. It notes why there is none.
func (j *judge) leading(hop ecsv1alpha1.HopName, rules []Rule, s Service) (Rule, bool) {
	wanted := fmt.Sprintf("a rule for %s that forwards to %s", j.spec.Hostname, list(groupNames(s.Groups.Answer)))
	var before []Rule // that take the name's requests
	var conditional *Rule
	for _, r := range rules {
		if !r.takes(j.spec.Hostname) {
			continue
		}
		if r.Other {
			if conditional == nil && r.leadsTo(s.Groups.Answer) {
				conditional = &r
			}
			continue
		}
		switch i := slices.IndexFunc(before, func(b Rule) bool { return b.shadows(r) }); {
		case !r.leadsTo(s.Groups.Answer):
			before = append(before, r)
		case i >= 0:
			j.note(hop, ecsv1alpha1.HopBroken,
				fmt.Sprintf("rule %s (%s) comes before rule %s, which forwards to %s", before[i].Priority, before[i].does(), r.Priority, list(groupNames(s.Groups.Answer))),
				wanted, fmt.Sprintf("give the rule that forwards to %s a priority before %s", list(groupNames(s.Groups.Answer)), before[i].Priority))
			return Rule{}, false
		default:
			return r, true
		}
	}
	if conditional != nil {
		j.note(hop, ecsv1alpha1.HopWarning, fmt.Sprintf("rule %s leads to %s under conditions that are not looked at", conditional.Priority, s.Name), wanted,
			"make sure that requests meet them: they are about more than the host and the path")
		return Rule{}, false
	}
	state, said := ecsv1alpha1.HopMissing, "the listener has no rule for "+j.spec.Hostname
	if len(before) > 0 {
		state, said = ecsv1alpha1.HopBroken, fmt.Sprintf("rule %s takes %s and does: %s", before[0].Priority, j.spec.Hostname, before[0].does())
	}
	j.note(hop, state, said, wanted, fmt.Sprintf("add a rule to the listener: host %s, forward to %s", j.spec.Hostname, list(groupNames(s.Groups.Answer))))
	return Rule{}, false
}

// Leads says whether a rule that takes the host leads to one of the services.
func (r *Region) Leads(host string) bool {
	return slices.ContainsFunc(r.Rules.Answer, func(rule Rule) bool {
		return rule.takes(host) && slices.ContainsFunc(r.Services, func(s Service) bool { return rule.leadsTo(s.Groups.Answer) })
	})
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
	return !slices.ContainsFunc(other.Paths, func(p string) bool { return !slices.Contains(r.Paths, p) })
}

// does is what the rule does, for people.
func (r Rule) does() string {
	if r.Action != "forward" {
		return r.Action
	}
	return "forward to " + list(groupNames(r.Groups))
}

// matches says whether a pattern of a rule's condition matches a whole text: * stands for any number of
// characters, ? for one.
func matches(pattern, text string) bool {
	star, resume := -1, 0 // the last * and where what it stands for ends so far
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
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

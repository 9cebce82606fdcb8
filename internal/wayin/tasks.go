package wayin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// targets looks whether the tasks of every service are what its target groups send requests to. The
// service for which that is worst is told.
func (j *judge) targets(_ *ecsv1alpha1.EndpointRegion, seen *Region) {
	const hop = ecsv1alpha1.HopTargets
	var found []verdict
	for _, s := range seen.Services {
		switch {
		case s.Groups.Problem != nil:
			found = append(found, unknown(s.Groups.Problem))
		case len(s.Groups.Answer) == 0:
		case s.Tasks.Problem != nil:
			found = append(found, unknown(s.Tasks.Problem))
		default:
			found = append(found, j.served(seen, s))
		}
	}
	if len(found) == 0 {
		j.unreached(hop, ecsv1alpha1.HopRule)
		return
	}
	j.worst(hop, found)
}

// served is what the tasks of a service are like that the name's requests go to: while it goes from one
// target group to another, those of the deployments whose groups get them.
func (j *judge) served(seen *Region, s Service) verdict {
	next := healthy(s, s.Tasks.Answer)
	if len(s.Beside) == 0 {
		return next
	}
	live := seen.live(j.spec.Hostname, s)
	gets := func(t Tasks) bool {
		return slices.ContainsFunc(t.Groups, func(g string) bool { return slices.Contains(live, g) })
	}
	var all, getting []verdict
	note := func(t Tasks, v verdict) {
		all = append(all, v)
		if gets(t) {
			getting = append(getting, v)
		}
	}
	note(s.Tasks.Answer, next)
	for _, t := range s.Beside {
		v := healthy(s, t)
		if v.state == ecsv1alpha1.HopWell {
			v = underWay(s, s.Tasks.Answer.Revision, t.Revision)
		}
		note(t, v)
	}
	byRank := func(a, b verdict) int { return cmp.Compare(a.rank(), b.rank()) }
	switch {
	case !seen.Rules.Known(): // whose group gets them is not known
		return slices.MinFunc(all, byRank)
	case len(getting) == 0:
		return next
	}
	return slices.MaxFunc(getting, byRank)
}

func underWay(s Service, next, before string) verdict {
	return finding(ecsv1alpha1.HopWarning, fmt.Sprintf("service %s: the deployment of %s is under way; tasks of %s answer", s.Name, next, before),
		"tasks of "+next, "wait for the deployment")
}

// healthy is what tasks of a service are like.
func healthy(s Service, t Tasks) verdict {
	groups := t.Groups
	if len(groups) == 0 {
		groups = s.Groups.Answer
	}
	said := fmt.Sprintf("service %s: %d of %d tasks of %s are healthy in %s", s.Name, t.Healthy, t.Running, t.Revision, list(groupNames(groups)))
	if t.First != "" {
		said += "; " + t.First
	}
	const wanted = "its running tasks healthy in its target groups"
	switch {
	case t.Idle:
		return finding(ecsv1alpha1.HopBroken, fmt.Sprintf("service %s is scaled to zero", s.Name), "running tasks", "raise the desired count of service "+s.Name)
	case t.Healthy == 0 && t.Before != "" && (t.Running == 0 || t.Initial):
		return underWay(s, t.Revision, t.Before)
	case t.Running == 0:
		return finding(ecsv1alpha1.HopBroken, fmt.Sprintf("service %s: no task of %s runs", s.Name, t.Revision), "running tasks",
			"look at the events of service "+s.Name+": why do its tasks not start?")
	case t.Healthy == 0 && t.Initial:
		return finding(ecsv1alpha1.HopPending, said, wanted, "nothing: the health checks have begun")
	case t.Healthy == 0:
		return finding(ecsv1alpha1.HopBroken, said, wanted,
			"look at the health check of the target group, at what the tasks answer to it, and at whether the load balancer is in the zones in which they run")
	case t.Healthy < t.Running:
		return finding(ecsv1alpha1.HopWarning, said, "all of the running tasks healthy",
			"wait for the deployment, or look at what the tasks that are not healthy answer to the health check")
	default:
		return well("%s: tasks of %s", s.Name, t.Revision)
	}
}

// probe looks at what was answered.
func (j *judge) probe() {
	switch {
	case j.spec.Probe == nil:
	case j.spec.Probe.Via == ecsv1alpha1.ViaPublic:
		j.answer(j.seen.Answer, ecsv1alpha1.HopRecord)
	default:
		j.each(func(_ *ecsv1alpha1.EndpointRegion, seen *Region) { j.answer(seen.Answer, ecsv1alpha1.HopRule) })
	}
}

// answer notes an answer; before is the hop without which nothing is asked.
func (j *judge) answer(a *Answer, before ecsv1alpha1.HopName) {
	const hop = ecsv1alpha1.HopProbe
	switch {
	case a == nil:
		j.unreached(hop, before)
	case a.OK:
		j.leads(hop, "%s", a.Message)
	case a.Refused:
		j.note(hop, ecsv1alpha1.HopUnknown, a.Message, "an answer",
			"let the manager dial it (--verification-allow-cidrs), probe via: Public, or leave the probe out")
	case a.Absent && j.spec.Probe.Via == ecsv1alpha1.ViaPublic:
		j.note(hop, ecsv1alpha1.HopBroken, a.Message, "an address of "+j.spec.Hostname,
			"look whether the domain's registrar names the name servers of the hosted zone, and whether the domain has expired")
	case a.Unasked:
		j.note(hop, ecsv1alpha1.HopUnknown, a.Message, "an answer", askedAgain)
	default:
		status := ecsv1alpha1.DefaultExpectStatus
		if j.spec.Probe.ExpectStatus != nil {
			status = *j.spec.Probe.ExpectStatus
		}
		// A query may hold what is nobody's business.
		path, _, _ := strings.Cut(cmp.Or(j.spec.Probe.Path, ecsv1alpha1.DefaultProbePath), "?")
		j.note(hop, ecsv1alpha1.HopBroken, a.Message, fmt.Sprintf("%d from https://%s%s", status, j.spec.Hostname, path), "look at the hops before, and at what the service says of the request")
	}
}

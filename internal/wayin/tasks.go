package wayin

import (
	"fmt"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// targets looks whether the tasks of every service are what its target groups send requests to. The
// first service of which that is not so is told.
func (j *judge) targets(_ *ecsv1alpha1.EndpointRegion, seen *Region) {
	const hop = ecsv1alpha1.HopTargets
	var well, warnings []string
	for _, s := range seen.Services {
		if j.unknown(hop, s.Groups.Problem) {
			return
		}
		if len(s.Groups.Answer) == 0 {
			j.unreached(hop, ecsv1alpha1.HopRule)
			return
		}
		if j.unknown(hop, s.Tasks.Problem) {
			return
		}
		t := s.Tasks.Answer
		said := fmt.Sprintf("service %s: %d of %d tasks of %s are healthy in %s", s.Name, t.Healthy, t.Running, t.Revision, list(groupNames(s.Groups.Answer)))
		if t.First != "" {
			said += "; " + t.First
		}
		const wanted = "its running tasks healthy in its target groups"
		switch {
		case t.Idle:
			j.note(hop, ecsv1alpha1.HopBroken, fmt.Sprintf("service %s is scaled to zero", s.Name), "running tasks", "raise the desired count of service "+s.Name)
			return
		case t.Healthy == 0 && t.Before != "" && (t.Running == 0 || t.Initial):
			warnings = append(warnings, fmt.Sprintf("service %s: the deployment of %s is under way; tasks of %s answer", s.Name, t.Revision, t.Before))
		case t.Running == 0:
			j.note(hop, ecsv1alpha1.HopBroken, fmt.Sprintf("service %s: no task of %s runs", s.Name, t.Revision), "running tasks", "look at the events of service "+s.Name+": why do its tasks not start?")
			return
		case t.Healthy == 0 && t.Initial:
			j.note(hop, ecsv1alpha1.HopPending, said, wanted, "nothing: the health checks have begun")
			return
		case t.Healthy == 0:
			j.note(hop, ecsv1alpha1.HopBroken, said, wanted, "look at the health check of the target group, and at what the tasks answer to it")
			return
		case t.Healthy < t.Running:
			warnings = append(warnings, said)
		default:
			well = append(well, fmt.Sprintf("%s: tasks of %s", s.Name, t.Revision))
		}
	}
	if len(warnings) > 0 {
		j.note(hop, ecsv1alpha1.HopWarning, list(warnings), "all of the running tasks healthy", "wait for the deployment, or look at what the tasks that are not healthy answer to the health check")
		return
	}
	j.leads(hop, "%s", list(well))
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
	case a.Unasked:
		j.note(hop, ecsv1alpha1.HopUnknown, a.Message, "an answer",
			"let the manager dial it (--verification-allow-cidrs), probe via: Public, or leave the probe out")
	default:
		status := ecsv1alpha1.DefaultExpectStatus
		if j.spec.Probe.ExpectStatus != nil {
			status = *j.spec.Probe.ExpectStatus
		}
		path := j.spec.Probe.Path
		if path == "" {
			path = ecsv1alpha1.DefaultProbePath
		}
		j.note(hop, ecsv1alpha1.HopBroken, a.Message, fmt.Sprintf("%d from https://%s%s", status, j.spec.Hostname, path), "look at the hops before, and at what the service says of the request")
	}
}

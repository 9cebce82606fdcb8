package simulation

import (
	"slices"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// truce is for how long after a correction the next deployment by somebody else is left alone, a
// little less than what is promised.
const truce = 55 * time.Minute

// answers are the commands by which people ask for another deployment.
var answers = []string{"retry", "restart", "hold", "release-hold", "abort", "garbage"}

// twoDoNotFight: what somebody else deploys is corrected once at the most; where drift is only to
// be reported, never; and not at all if the one before was corrected within the hour.
func (w *world) twoDoNotFight(l *ledger, m mutation, a *author) {
	const promise = "at most one correction per foreign deployment"
	s := w.subject(a.key)
	if s == nil || a.goesBack() || m.request.ForceNewDeployment {
		return
	}
	known := l.updates[placeKey(m.account, m.region, lastElement(m.request.Cluster), lastElement(m.request.Service))]
	at := foreign(known)
	if at < 0 {
		return
	}
	// It is a correction if what it took away was of the same generation.
	mine := func(u update) bool {
		return u.ours && !u.back && u.key == a.key && u.uid == a.release.UID && u.generation == a.announced.release.Generation
	}
	before := slices.IndexFunc(known[:at], mine)
	if before < 0 || s.askedForMore(known[before].at, m.at) {
		return
	}
	theirs, spec := known[at], a.announced.release.Spec
	if policy := spec.TaskDefinition; policy != nil && policy.Base == ecsv1alpha1.BaseFamily {
		return // what they registered is a base to start from
	}
	if spec.Drift == ecsv1alpha1.DriftReport {
		w.story.violate(promise, "%s deployed %s over %s, although drift is only to be reported", a.key, lastElement(m.request.TaskDefinition), theirs.revision)
	}
	if slices.ContainsFunc(known[at:], mine) {
		w.story.violate(promise, "%s deployed %s over %s, which it had corrected already", a.key, lastElement(m.request.TaskDefinition), theirs.revision)
	}
	if last := known[at-1]; mine(last) && at > 1 && foreign(known[:at]) == at-2 && slices.ContainsFunc(known[:at-2], mine) &&
		theirs.at.Sub(last.at) < truce && known[at-2].image != last.image {
		w.story.violate(promise, "%s deployed %s over %s, although it had corrected %s only %s before that came",
			a.key, lastElement(m.request.TaskDefinition), theirs.revision, known[at-2].revision, theirs.at.Sub(last.at))
	}
}

// foreign is the place of the last deployment by somebody else, after the first of ours; -1: none.
func foreign(known []update) int {
	for i, u := range slices.Backward(known) {
		if !u.ours {
			return i
		}
	}
	return -1
}

func (s *subject) askedForMore(from, until time.Time) bool {
	return slices.ContainsFunc(answers, func(kind string) bool { return s.asked(kind, from, until) })
}

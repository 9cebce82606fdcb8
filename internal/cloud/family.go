package cloud

import (
	"context"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/taskdef"
)

// revisionsPerPage is how many revisions ECS lists in one call.
const revisionsPerPage = 100

// foreignRevision is the newest revision of a family that is not ours, as a look at a time saw it.
type foreignRevision struct {
	revision string
	at       time.Time
}

// seenStatus is a revision as a look at a time saw it.
type seenStatus struct {
	document *taskdef.Document
	at       time.Time
}

// NewestForeign is the newest ACTIVE revision of exactly this family, as family:revision, that is
// not ours: whose content is not what our tag on it says, if it has one. "" when there is none.
//
// An answer that began at notBefore or later serves again for the slow cadence, and a look for a
// newer one leaves a part of the quota to others. With a notBefore it looks above the list too,
// which lags. It describes a few revisions at most. What it learns is kept, so one that is put off
// goes on where it stopped.
func (f *Fleet) NewestForeign(ctx context.Context, id Identity, region, family string, notBefore time.Time) (string, *rollout.Problem) {
	key := listingKey{identity: id, family: familyKey{account: id.AccountID, region: region, family: family}}
	last, known := f.foreign.get(key)
	if known && !last.at.Before(notBefore) && time.Since(last.at) < f.options.Slow {
		return last.revision, nil
	}
	h := urgent
	if known && notBefore.IsZero() {
		h = sweep
	}
	found := foreignRevision{at: time.Now()}
	var problem *rollout.Problem
	if found.revision, problem = f.searchForeign(ctx, id, region, family, h, !notBefore.IsZero()); problem != nil {
		return "", problem
	}
	f.foreign.put(key, found, 1)
	return found.revision, nil
}

func (f *Fleet) searchForeign(ctx context.Context, id Identity, region, family string, h haste, above bool) (string, *rollout.Problem) {
	var token *string
	described := 0
	for range listedPages {
		revisions, next, problem := f.listPage(ctx, id, region, family, token, h)
		if problem != nil {
			return "", problem
		}
		if above && len(revisions) > 0 {
			above = false
			revision, problem := f.newestAbove(ctx, id, region, family, rollout.Number(revisions[0]), summary.foreign)
			if revision != "" || problem != nil {
				return revision, problem
			}
		}
		for _, revision := range revisions {
			known, ok := f.summaries.get(revisionKey{identity: id, region: region, revision: revision})
			if !ok {
				described++
				if described > unknownRevisions {
					return "", toBeContinued(region, family)
				}
				var active bool
				if known, active, problem = f.summary(ctx, id, region, revision, h); problem != nil {
					return "", problem
				}
				if !active {
					continue
				}
			}
			if known.foreign() {
				return revision, nil
			}
		}
		if next == nil {
			return "", nil
		}
		token = next
	}
	return "", because(rollout.ProblemRefused, ecsv1alpha1.ReasonObservationFailed,
		"looking for a revision of family %s in %s that is not ours: none among the newest %d that ECS lists for that prefix",
		family, region, listedPages*revisionsPerPage)
}

// summary describes a revision that was listed; false if it is not ACTIVE, or gone, since.
func (f *Fleet) summary(ctx context.Context, id Identity, region, revision string, h haste) (summary, bool, *rollout.Problem) {
	document, problem := f.describeDefinition(ctx, id, region, revision, h)
	switch {
	case problem != nil && problem.Class == rollout.ProblemMissing:
		return summary{}, false, nil
	case problem != nil:
		return summary{}, false, problem
	}
	return summarize(document), isActive(document), nil
}

// foreign says that the revision is not ours.
func (s summary) foreign() bool { return s.hash == "" }

// toBeContinued puts off the rest of a search, so that one family does not use up the quota.
func toBeContinued(region, family string) *rollout.Problem {
	problem := because(rollout.ProblemThrottled, ecsv1alpha1.ReasonObservationFailed,
		"looking for a revision of family %s in %s that is not ours: put off, more than %d of its revisions have to be read",
		family, region, unknownRevisions)
	problem.RetryAfter = time.Second
	return problem
}

// Active says whether a revision, spelled family:revision, is ACTIVE, and what it holds, which ECS
// tells of one that was deregistered too. One that ECS does not know, any more, is Missing. A look
// that began at notBefore or later may serve again for four fifths of the fast cadence, for the
// reason that ServiceDeployment has.
func (f *Fleet) Active(
	ctx context.Context, id Identity, region, revision string, notBefore time.Time,
) (active bool, document *taskdef.Document, problem *rollout.Problem) {
	key := revisionKey{identity: id, region: region, revision: revision}
	seen, ok := f.actives.get(key)
	if !ok || seen.at.Before(notBefore) || time.Since(seen.at) >= f.options.Fast*4/5 {
		seen.at = time.Now()
		seen.document, problem = f.describeDefinition(ctx, id, region, revision, urgent)
		if problem != nil && problem.Class == rollout.ProblemMissing {
			problem = because(rollout.ProblemMissing, problem.Reason, "there is no task definition %s in %s of account %s any more", revision, region, id.AccountID)
		}
		if problem != nil {
			return false, nil, problem
		}
		f.actives.put(key, seen, 1)
	}
	return isActive(seen.document), seen.document, nil
}

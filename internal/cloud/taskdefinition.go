package cloud

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/taskdef"
)

const (
	// unknownRevisions is how many revisions one search for an equal one describes at most.
	unknownRevisions = 10
	// listedPages is how many pages of revisions one search goes through at most.
	listedPages = 10
)

// revisionKey is a revision of a task definition as somebody may read it.
type revisionKey struct {
	identity Identity
	region   string
	revision string // family:revision
}

// familyKey is a family in an account and region.
type familyKey struct {
	account string
	region  string
	family  string
}

// summary is what a search for an equal revision has to remember of one it saw.
type summary struct {
	hash string // the content that it verifiably holds, as one of ours; "" for others
}

// TaskDefinition reads a revision, spelled family:revision, with its tags. What a revision
// says never changes, so one that was ACTIVE is not read again while there is room for it.
func (f *Fleet) TaskDefinition(ctx context.Context, id Identity, region, revision string) (*taskdef.Document, *rollout.Problem) {
	key := revisionKey{identity: id, region: region, revision: revision}
	if document, ok := f.documents.get(key); ok {
		return document, nil
	}
	if text, ok := f.texts.get(key); ok {
		if document, err := taskdef.Parse(text); err == nil { // as it was when it was read
			f.documents.put(key, document, 1)
			return document, nil
		}
	}
	return f.describeDefinition(ctx, id, region, revision, urgent)
}

// describeDefinition asks ECS for a revision, whatever is remembered of it.
func (f *Fleet) describeDefinition(ctx context.Context, id Identity, region, revision string, h haste) (*taskdef.Document, *rollout.Problem) {
	doing := fmt.Sprintf("reading task definition %s in %s", revision, region)
	if rollout.Number(revision) == 0 {
		// A family alone would be whatever revision is the newest at the moment.
		return nil, because(rollout.ProblemRefused, ecsv1alpha1.ReasonObservationFailed, "%s: it has no revision number", doing)
	}
	s, op := f.session(id, region), describeTaskDefinition
	op.haste = h
	var raw []byte
	out, problem := read(ctx, f, s, op, doing, func(ctx context.Context) (*ecs.DescribeTaskDefinitionOutput, error) {
		return s.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
			TaskDefinition: aws.String(revision),
			Include:        []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
		}, ecs.WithAPIOptions(captureBody(&raw)))
	})
	if problem != nil {
		if problem.Class == rollout.ProblemMissing {
			f.forgetRevision(revisionKey{identity: id, region: region, revision: revision})
		}
		return nil, problem
	}
	if out.TaskDefinition == nil {
		return nil, because(rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "%s: the answer has none", doing)
	}
	document, err := taskdef.Parse(raw)
	if err != nil {
		return nil, because(rollout.ProblemRefused, ecsv1alpha1.ReasonObservationFailed, "%s: %v", doing, err)
	}
	f.remember(revisionKey{identity: id, region: region, revision: revision}, document, raw)
	return document, nil
}

// remember caches a document that was read, its text, and what a search would want to know of it.
func (f *Fleet) remember(key revisionKey, document *taskdef.Document, text []byte) {
	f.seen(key.identity, key.region, key.revision)
	if !isActive(document) {
		f.forgetRevision(key)
		return
	}
	f.documents.put(key, document, 1)
	f.texts.put(key, bytes.Clone(text), len(text))
	f.summaries.put(key, summarize(document), 1)
}

// forgetRevision forgets that a revision is ACTIVE.
func (f *Fleet) forgetRevision(key revisionKey) {
	f.documents.drop(key)
	f.texts.drop(key)
	f.summaries.drop(key)
	f.actives.drop(key)
}

func isActive(document *taskdef.Document) bool {
	return document.Status() == string(types.TaskDefinitionStatusActive)
}

func summarize(document *taskdef.Document) summary {
	if hash, ours := document.OursHash(); ours {
		return summary{hash: hash}
	}
	return summary{}
}

// seen notes that the family has at least this many revisions. The list of revisions lags,
// so a search begins above the newest that was ever seen.
func (f *Fleet) seen(id Identity, region, revision string) {
	key := familyKey{account: id.AccountID, region: region, family: rollout.Family(revision)}
	if newest, ok := f.newest.get(key); !ok || newest < rollout.Number(revision) {
		f.newest.put(key, rollout.Number(revision), 1)
	}
}

// EqualRevision looks for the newest ACTIVE revision of exactly this family that is ours and
// holds the content with this hash: among the newest that ECS lists, and directly above them,
// because the list lags. "" when there is none. at is when the look began.
//
// It describes a few revisions at most. What it learns is kept, so a search that was throttled
// goes on where it stopped. An answer that began at notBefore or later serves again for a while,
// as long as nothing was registered in the family since.
func (f *Fleet) EqualRevision(ctx context.Context, id Identity, region, family, hash string, notBefore time.Time) (revision string, at time.Time, problem *rollout.Problem) {
	key := familyKey{account: id.AccountID, region: region, family: family}
	asked := searchKey{identity: id, family: key, hash: hash}
	known := func() (search, bool) {
		last, ok := f.searches.get(asked)
		return last, ok && f.registrations.valid(key, last.at, notBefore)
	}
	if last, ok := known(); ok {
		return last.revision, last.at, nil
	}
	// Releases of one content that are bumped together search together.
	for {
		found, err := f.searching.Look(ctx, fmt.Sprintf("%#v", asked), time.Now(), func(ctx context.Context) searched {
			if last, ok := known(); ok {
				return searched{search: last}
			}
			revision, at, problem := f.search(ctx, id, region, family, hash, notBefore)
			if problem == nil {
				f.searches.put(asked, search{revision: revision, at: at}, 1)
			}
			return searched{search{revision: revision, at: at}, problem}
		})
		if err != nil {
			doing := fmt.Sprintf("looking for an equal revision of family %s in %s", family, region)
			return "", time.Now(), problemOf(err, doing, listTaskDefinitions.action, listTaskDefinitions.reason)
		}
		if found.problem != nil || !found.at.Before(notBefore) {
			return found.revision, found.at, found.problem
		} // else whoever searched was content with an older list
	}
}

// searched is what came of a search.
type searched struct {
	search
	problem *rollout.Problem
}

// search is EqualRevision without the memory of its answers.
func (f *Fleet) search(ctx context.Context, id Identity, region, family, hash string, notBefore time.Time) (revision string, at time.Time, problem *rollout.Problem) {
	key := familyKey{account: id.AccountID, region: region, family: family}
	listing := listingKey{identity: id, family: key}
	last, ok := f.listings.get(listing)
	if !ok || !f.registrations.valid(key, last.at, notBefore) {
		last.at = time.Now()
		if last.revisions, problem = f.listRevisions(ctx, id, region, family); problem != nil {
			return "", last.at, problem
		}
		f.listings.put(listing, last, 1)
	}
	listed, at := last.revisions, last.at
	newest := 0
	if len(listed) > 0 {
		newest = rollout.Number(listed[0])
	}
	revision, problem = f.newestAbove(ctx, id, region, family, newest, func(s summary) bool { return s.hash == hash })
	if revision != "" || problem != nil {
		return revision, at, problem
	}
	described := 0
	for _, r := range listed {
		key := revisionKey{identity: id, region: region, revision: r}
		known, ok := f.summaries.get(key)
		if !ok {
			if described == unknownRevisions {
				continue
			}
			described++
			document, problem := f.TaskDefinition(ctx, id, region, r)
			switch {
			case problem != nil && problem.Class == rollout.ProblemMissing:
				continue // deleted since it was listed
			case problem != nil:
				return "", at, problem
			case !isActive(document):
				continue
			}
			known = summarize(document)
		}
		if known.hash == hash {
			return r, at, nil
		}
	}
	return "", at, nil
}

// searchAge is how long an answer about a family may serve again.
const searchAge = 15 * time.Second

// searchKey is a content in a family as somebody may read it, search the answer about it.
type searchKey struct {
	identity Identity
	family   familyKey
	hash     string
}

type search struct {
	revision string
	at       time.Time
}

// listingKey is a family as somebody may read it, listing what ECS listed of it.
type listingKey struct {
	identity Identity
	family   familyKey
}

type listing struct {
	revisions []string
	at        time.Time
}

// newestAbove looks at the revisions above the newest that is listed, one by one until there is
// none, and returns the newest ACTIVE one that is wanted. It looks at a few below the newest that
// was ever seen too: those may be missing from the list for its lag, or for being INACTIVE.
func (f *Fleet) newestAbove(
	ctx context.Context, id Identity, region, family string, listed int, wanted func(summary) bool,
) (string, *rollout.Problem) {
	seen, _ := f.newest.get(familyKey{account: id.AccountID, region: region, family: family})
	seen = max(seen, listed)
	if seen == 0 {
		return "", nil
	}
	newest := ""
	for n := max(listed+1, seen-unknownRevisions+1); n <= seen+unknownRevisions; n++ {
		revision := family + ":" + strconv.Itoa(n)
		// Not from the cache: whether it is there, and ACTIVE, is the question.
		document, problem := f.describeDefinition(ctx, id, region, revision, urgent)
		switch {
		case problem != nil && problem.Class == rollout.ProblemMissing && n > seen:
			return newest, nil
		case problem != nil && problem.Class == rollout.ProblemMissing:
		case problem != nil:
			return "", problem
		case isActive(document) && wanted(summarize(document)):
			newest = revision
		}
	}
	return newest, nil
}

// listRevisions is the newest ACTIVE revisions of the family that ECS lists, the newest first.
// ECS takes the family as a prefix, so others may have to be leafed through.
func (f *Fleet) listRevisions(ctx context.Context, id Identity, region, family string) ([]string, *rollout.Problem) {
	var token *string
	for range listedPages {
		revisions, next, problem := f.listPage(ctx, id, region, family, token, urgent)
		if problem != nil {
			return nil, problem
		}
		if len(revisions) > 0 || next == nil {
			return revisions, nil
		}
		token = next
	}
	return nil, nil
}

// listPage is a page of the ACTIVE revisions of exactly this family, the newest first, and the
// token of the next page; nil when there is none.
func (f *Fleet) listPage(
	ctx context.Context, id Identity, region, family string, token *string, h haste,
) (revisions []string, next *string, problem *rollout.Problem) {
	s, op := f.session(id, region), listTaskDefinitions
	op.haste = h
	doing := fmt.Sprintf("listing task definitions of family %s in %s", family, region)
	out, problem := read(ctx, f, s, op, doing, func(ctx context.Context) (*ecs.ListTaskDefinitionsOutput, error) {
		return s.ecs.ListTaskDefinitions(ctx, &ecs.ListTaskDefinitionsInput{
			FamilyPrefix: aws.String(family),
			Status:       types.TaskDefinitionStatusActive,
			Sort:         types.SortOrderDesc,
			NextToken:    token,
		})
	})
	if problem != nil {
		return nil, nil, problem
	}
	for _, arn := range out.TaskDefinitionArns {
		if revision := revisionOf(arn); rollout.Family(revision) == family {
			revisions = append(revisions, revision)
		}
	}
	return revisions, out.NextToken, nil
}

package cloud

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// mutabilityAge is for how long it is believed whether the tags of a repository can move.
const mutabilityAge = 10 * time.Minute

// ImageQuery names an image in an ECR registry: a tag, a digest, or both, which then must agree.
type ImageQuery struct {
	Registry   string // the account that it belongs to
	Region     string
	Repository string
	Tag        string
	Digest     string
	// Since is how old an answer may be about where the tag points to: one that was asked for earlier,
	// or by another Asker, is not taken. Zero: it is asked for anew.
	Since time.Time
	Asker string
	// Mutability asks whether the tag can move.
	Mutability bool
	// Labels are the names of the labels that are asked for; none: nothing is read for them.
	Labels []string
	// Architectures are those whose labels are asked for, in Go's spelling; none: all.
	Architectures []string
}

// Image is what a registry says of an image.
type Image struct {
	// Digest is that of the index or manifest which the query named.
	Digest string
	// Children are the digests of the manifests for Linux, by architecture in Go's spelling
	// (arm64, amd64). A single manifest is its own and only child.
	Children map[string]string
	// Immutable says that the tag cannot move; false where that was not asked, or the registry
	// would not tell.
	Immutable bool
	// Labels are what the configs of Children have of the labels that were asked for, by
	// architecture; nil where none were. A label that is missing is missing here; a value of more
	// than 1024 bytes is cut and ends in ….
	Labels map[string]map[string]string
}

// repositoryKey is a repository as somebody may read it.
type repositoryKey struct {
	identity   Identity
	registry   string
	region     string
	repository string
}

// presenceAge is how long an image that was there by its digest is taken to be there.
const presenceAge = time.Minute

// presenceKey is an image in a registry of a region, by digest, as somebody may read it.
type presenceKey struct {
	repositoryKey
	digest string
}

// tagKey is a tag in a registry of a region, as somebody may read it who has asked.
type tagKey struct {
	repositoryKey
	tag, asker string
}

// seenTag is where a tag pointed to when that was asked.
type seenTag struct {
	digest string
	at     time.Time
}

// manifestKey is content as somebody may read it; it is the same in every region.
type manifestKey struct {
	identity   Identity
	registry   string
	repository string
	digest     string
}

// mutability is which tags of a repository can move.
type mutability struct {
	immutable bool
	except    []string // wildcards of the tags for which it is the other way round
	until     time.Time
}

func (q ImageQuery) String() string {
	name := q.Repository
	if q.Tag != "" {
		name += ":" + q.Tag
	}
	if q.Digest != "" {
		name += "@" + q.Digest
	}
	return name
}

// where is the registry for messages.
func (q ImageQuery) where() string { return "registry " + q.Registry + " in " + q.Region }

// doing is what is done with the query, for messages.
func (q ImageQuery) doing() string { return fmt.Sprintf("looking up image %s in %s", q, q.where()) }

// repository is where the image is, as somebody may read it.
func (q ImageQuery) repository(id Identity) repositoryKey {
	return repositoryKey{identity: id, registry: q.Registry, region: q.Region, repository: q.Repository}
}

// Image asks ECR in q.Region what an image is. Where a tag points to is asked every time, or as q.Since
// says, that a digest is there once a minute, its architectures and labels once.
func (f *Fleet) Image(ctx context.Context, id Identity, q ImageQuery) (Image, *rollout.Problem) {
	// First, since the answer is kept: where the quota leaves room for one call at a time, the
	// next try begins with the other one.
	found := Image{}
	if q.Mutability && q.Tag != "" {
		var problem *rollout.Problem
		if found.Immutable, problem = f.immutable(ctx, id, q); problem != nil {
			return Image{}, problem
		}
	}
	repository := q.repository(id)
	present, tagged := presenceKey{repository, q.Digest}, tagKey{repository, q.Tag, q.Asker}
	digest := q.Digest
	if told, ok := f.told(q, tagged); ok {
		digest = told
	} else if seen, ok := f.present.get(present); q.Tag != "" || !ok || time.Since(seen) >= presenceAge {
		began := time.Now()
		var problem *rollout.Problem
		if digest, problem = f.resolveTogether(ctx, id, q); problem != nil {
			return Image{}, problem
		}
		present.digest = digest
		f.present.put(present, time.Now(), 1)
		if q.Tag != "" {
			f.tags.put(tagged, seenTag{digest: digest, at: began}, 1)
		}
	}
	if q.Digest != "" && q.Digest != digest {
		return Image{}, because(rollout.ProblemRefused, ecsv1alpha1.ReasonImageMismatch,
			"tag %s of %s in %s is %s, wanted %s", q.Tag, q.Repository, q.where(), digest, q.Digest)
	}
	children, problem := f.children(ctx, id, q, digest)
	if problem != nil {
		return Image{}, problem
	}
	if found.Labels, problem = f.imageLabels(ctx, id, q, children); problem != nil {
		return Image{}, problem
	}
	found.Digest, found.Children = digest, maps.Clone(children)
	return found, nil
}

// told is where the tag of a query points to, if that was asked lately enough.
func (f *Fleet) told(q ImageQuery, key tagKey) (digest string, ok bool) {
	if q.Tag == "" || q.Since.IsZero() {
		return "", false
	}
	seen, ok := f.tags.get(key)
	return seen.digest, ok && !seen.at.Before(q.Since)
}

// resolved is what came of a look at where an image is.
type resolved struct {
	digest  string
	problem *rollout.Problem
}

// imageKey is an image in a registry of a region, by tag or digest or both, as somebody may read it.
type imageKey struct {
	repositoryKey
	tag, digest string
}

// resolveTogether is resolve, made once for all who ask for the same image at the same time, and for none of
// them before they asked: a fleet that is released at once to one image asks for it many thousand times.
func (f *Fleet) resolveTogether(ctx context.Context, id Identity, q ImageQuery) (string, *rollout.Problem) {
	key := imageKey{q.repository(id), q.Tag, q.Digest}
	found, err := f.resolving.Look(ctx, fmt.Sprintf("%#v", key), time.Now(), func(ctx context.Context) resolved {
		digest, problem := f.resolve(ctx, id, q)
		return resolved{digest, problem}
	})
	if err != nil {
		return "", problemOf(err, q.doing(), describeImages.action, describeImages.reason)
	}
	return found.digest, found.problem
}

// resolve is the digest of the image, which is then known to be there and ready to be pulled.
func (f *Fleet) resolve(ctx context.Context, id Identity, q ImageQuery) (string, *rollout.Problem) {
	detail, problem := f.describeImage(ctx, id, q, types.ImageStatusFilterActive)
	if problem != nil && problem.Reason == ecsv1alpha1.ReasonImageNotFound {
		missing := because(rollout.ProblemMissing, ecsv1alpha1.ReasonImageNotFound, "there is no image %s in %s", q, q.where())
		if detail, problem = f.describeImage(ctx, id, q, types.ImageStatusFilterAny); problem != nil {
			// Missing it is in any case. A delay must not hide that: while the quota is short it
			// would come each time, since the first call uses up the token that this one needs.
			return "", missing
		}
	}
	switch {
	case problem != nil:
		return "", problem
	case detail.ImageStatus != "" && detail.ImageStatus != types.ImageStatusActive:
		return "", because(rollout.ProblemMissing, ecsv1alpha1.ReasonImageNotFound,
			"image %s in %s is %s, wanted ACTIVE: restore it from the archive or push it again", q, q.where(), detail.ImageStatus)
	}
	return text(detail.ImageDigest), nil
}

// describeImage describes one image among those with a status. ECR shows archived ones only to
// those who ask for them.
func (f *Fleet) describeImage(ctx context.Context, id Identity, q ImageQuery, status types.ImageStatusFilter) (*types.ImageDetail, *rollout.Problem) {
	image := types.ImageIdentifier{ImageTag: optional(q.Tag)}
	if q.Tag == "" {
		image.ImageDigest = optional(q.Digest)
	}
	input := &ecr.DescribeImagesInput{
		RegistryId:     aws.String(q.Registry),
		RepositoryName: aws.String(q.Repository),
		ImageIds:       []types.ImageIdentifier{image},
	}
	if status != types.ImageStatusFilterActive {
		input.Filter = &types.DescribeImagesFilter{ImageStatus: status}
	}
	s := f.session(id, q.Region)
	out, problem := read(ctx, f, s, describeImages, q.doing(),
		func(ctx context.Context) (*ecr.DescribeImagesOutput, error) { return s.ecr.DescribeImages(ctx, input) })
	if problem != nil && problem.Reason == ecsv1alpha1.ReasonRepositoryNotFound {
		return nil, because(rollout.ProblemMissing, ecsv1alpha1.ReasonRepositoryNotFound, "there is no repository %s in %s", q.Repository, q.where())
	}
	if problem != nil {
		return nil, problem
	}
	if len(out.ImageDetails) == 0 || aws.ToString(out.ImageDetails[0].ImageDigest) == "" {
		return nil, because(rollout.ProblemMissing, ecsv1alpha1.ReasonImageNotFound, "there is no image %s in %s", q, q.where())
	}
	return &out.ImageDetails[0], nil
}

// immutable says whether the tag can never point to anything else. A registry that denies the
// answer leaves it at no: nothing but the recognition of running images is lost by it.
func (f *Fleet) immutable(ctx context.Context, id Identity, q ImageQuery) (bool, *rollout.Problem) {
	key := q.repository(id)
	if known, ok := f.mutabilities.get(key); ok && time.Now().Before(known.until) {
		return known.fixes(q.Tag), nil
	}
	s := f.session(id, q.Region)
	out, problem := read(ctx, f, s, describeRepositories, fmt.Sprintf("describing repository %s in %s", q.Repository, q.where()),
		func(ctx context.Context) (*ecr.DescribeRepositoriesOutput, error) {
			return s.ecr.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{
				RegistryId:      aws.String(q.Registry),
				RepositoryNames: []string{q.Repository},
			})
		})
	if problem != nil && problem.Delay() {
		return false, problem
	}
	known := mutability{until: time.Now().Add(mutabilityAge)}
	if problem != nil {
		f.logger(ctx).Info("Cannot tell whether tags are immutable", "repository", q.Repository, "registry", q.Registry, "region", q.Region, "why", problem.Message)
	} else if len(out.Repositories) > 0 {
		r := out.Repositories[0]
		known.immutable = r.ImageTagMutability == types.ImageTagMutabilityImmutable ||
			r.ImageTagMutability == types.ImageTagMutabilityImmutableWithExclusion
		for _, e := range r.ImageTagMutabilityExclusionFilters {
			known.except = append(known.except, text(e.Filter))
		}
	}
	f.mutabilities.put(key, known, 1)
	return known.fixes(q.Tag), nil
}

// fixes says whether a tag cannot move.
func (m mutability) fixes(tag string) bool {
	for _, wildcard := range m.except {
		if matches(wildcard, tag) {
			return !m.immutable
		}
	}
	return m.immutable
}

// matches says whether the whole tag matches a wildcard in which * is any characters.
func matches(wildcard, tag string) bool {
	parts := strings.Split(wildcard, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	matched, err := regexp.MatchString("^"+strings.Join(parts, ".*")+"$", tag)
	return err == nil && matched
}

// optional is a string for the SDK, absent when empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}

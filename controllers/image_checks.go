package controllers

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/taskdef"
)

// observeImages checks that every image of the service is in its region, with the architecture
// that the task definition wants, and notes the digests that it may show up as.
func (r *ReleaseReconciler) observeImages(ctx context.Context, p *pass, s *service, base *taskdef.Document) {
	accepted := map[string][]string{}
	for _, wanted := range p.images {
		containers := s.containers[wanted.container]
		if len(containers) == 0 {
			continue
		}
		digests, problem := r.observeImage(ctx, p, s, wanted, base)
		if problem != nil {
			s.want.Problem = cmp.Or(s.want.Problem, problem)
			continue
		}
		s.present = append(s.present, wanted)
		for _, container := range containers {
			if len(digests) > 0 {
				accepted[container] = digests
			}
		}
	}
	if s.want.Problem == nil {
		s.want.Digests = accepted
	}
}

// observeImage checks one image for one service: the digests that it may show up as.
func (r *ReleaseReconciler) observeImage(ctx context.Context, p *pass, s *service, wanted *wantedImage, base *taskdef.Document) ([]string, *rollout.Problem) {
	if !inECR(wanted.reference) {
		if wanted.digest == "" {
			return nil, nil // a tag elsewhere: what it is can't be told
		}
		return []string{wanted.digest}, nil
	}
	query := p.imageQuery(s, wanted)
	if wanted.reference.Digest == "" && wanted.digest != "" {
		// The digest was frozen: the tag has no say any more.
		query.Tag, query.Digest = "", wanted.digest
	}
	architecture := goArchitecture(base.Architecture())
	if labels := p.requiredLabels(); len(labels) > 0 {
		query.Labels, query.Architectures = slices.Sorted(maps.Keys(labels)), []string{architecture}
	}
	found, problem := p.lookups.image(ctx, r.Fleet, s.key.Identity, query)
	if problem != nil {
		often := 3 * r.Timing.Fast
		if since := wanted.missingSince; !since.IsZero() && p.started.Sub(since) >= p.imageDeadline() {
			often = r.Timing.Slow // it may never come
		}
		return nil, s.missing(wanted, problem, often)
	}
	child, fits := found.Children[architecture]
	if !fits && len(found.Children) > 0 {
		return nil, refused(ecsv1alpha1.ReasonWrongArchitecture,
			"image %s (%s) has %s, but %s of service %q wants linux/%s (runtimePlatform %s)", wanted.spelled, short(found.Digest), platforms(found.Children), base.Name(), s.spec.Name, architecture, base.Architecture())
	}
	if problem := p.judgeLabels(wanted, found, architecture); problem != nil {
		return nil, problem
	}
	digests := []string{found.Digest}
	if child != "" && child != found.Digest {
		digests = append(digests, child)
	}
	return digests, nil
}

// missing notes that an image is not there, and how often it is worth looking for it again: it
// may be on its way from another region. One that was not there when it was last looked for is not
// there as long as nobody can look.
func (s *service) missing(wanted *wantedImage, problem *rollout.Problem, often time.Duration) *rollout.Problem {
	if problem.Delay() && !wanted.missingSince.IsZero() && s.was.Reason == ecsv1alpha1.ReasonImageNotFound {
		s.absent = append(s.absent, wanted)
		return &rollout.Problem{Class: rollout.ProblemMissing, Reason: s.was.Reason, Message: s.was.Message, RetryAfter: cmp.Or(problem.RetryAfter, often)}
	}
	if problem.Reason != ecsv1alpha1.ReasonImageNotFound {
		return problem
	}
	s.absent = append(s.absent, wanted)
	again := *problem
	again.RetryAfter = often
	return &again
}

// noteMissing records since when each image has been missing anywhere, and forgets it once every
// look found it.
func (p *pass) noteMissing() {
	for _, wanted := range p.images {
		absent := slices.ContainsFunc(p.services, func(s *service) bool { return slices.Contains(s.absent, wanted) })
		present := slices.ContainsFunc(p.services, func(s *service) bool { return slices.Contains(s.present, wanted) })
		switch {
		case absent && wanted.missingSince.IsZero():
			wanted.missingSince = p.started
		case present && !absent:
			wanted.missingSince = time.Time{}
		}
	}
}

// runs says whether the service runs the wanted digests although its task definition spells
// them in another way: by what ECS resolved, else by an immutable tag.
func (r *ReleaseReconciler) runs(ctx context.Context, p *pass, s *service, base *taskdef.Document) (bool, *rollout.Problem) {
	running, problem := r.Fleet.RunningImages(ctx, s.key, s.view)
	if problem != nil {
		return false, problem
	}
	for container, accepted := range s.want.Digests {
		if digest := running[container].Digest; digest != "" {
			if !slices.Contains(accepted, digest) {
				return false, nil
			}
			continue
		}
		same, problem := r.sameImmutableTag(ctx, p, s, container, base)
		if problem != nil || !same {
			return false, problem
		}
	}
	return len(s.want.Digests) > 0, nil
}

// sameImmutableTag says whether the container names the wanted tag of a repository in which
// that tag cannot move.
func (r *ReleaseReconciler) sameImmutableTag(ctx context.Context, p *pass, s *service, container string, base *taskdef.Document) (bool, *rollout.Problem) {
	for _, wanted := range p.images {
		if !slices.Contains(s.containers[wanted.container], container) {
			continue
		}
		tagged := wanted.reference.In(s.registry, s.key.Region).Tagged()
		for _, has := range base.Containers() {
			if has.Name != container || has.Image != tagged || wanted.reference.Tag == "" {
				continue
			}
			query := p.imageQuery(s, wanted)
			query.Digest, query.Mutability = "", true
			found, problem := p.lookups.image(ctx, r.Fleet, s.key.Identity, query)
			return problem == nil && found.Immutable && found.Digest == wanted.digest, problem
		}
	}
	return false, nil
}

// goArchitecture is the architecture of a runtimePlatform in the words of an image's config.
func goArchitecture(cpuArchitecture string) string {
	if cpuArchitecture == "ARM64" {
		return "arm64"
	}
	return "amd64"
}

// platforms lists the architectures of an image, for people.
func platforms(children map[string]string) string {
	names := make([]string, 0, len(children))
	for architecture := range children {
		names = append(names, "linux/"+architecture)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

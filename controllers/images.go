package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/image"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/taskdef"
)

// resolveImages freezes the digest of every tag that has none yet: what the first region that
// has it says, provided that no other region says otherwise.
func (r *ReleaseReconciler) resolveImages(ctx context.Context, p *pass) {
	for _, wanted := range p.images {
		inECR := inECR(wanted.reference)
		switch {
		case wanted.problem != nil:
		case !inECR && wanted.digest == "" && p.pin() == ecsv1alpha1.PinDigest:
			wanted.problem = refused(ecsv1alpha1.ReasonRegistryUnsupported,
				"image %s: %s is not an ECR registry, so its tag cannot be resolved here: name the digest (%s@sha256:…) or set taskDefinition.pin to Tag", wanted.spelled, wanted.reference.Host, wanted.reference.Name())
		case inECR && wanted.digest == "":
			r.freeze(ctx, p, wanted)
		case inECR && p.resolvesAgain() && wanted.reference.Tag != "" && wanted.reference.Digest == "":
			r.checkMoved(ctx, p, wanted)
		}
	}
}

// resolvesAgain says that somebody touched the release, or pushed its image, so that it is worth a look
// where its tags point to by now. No sweep ever looks.
func (p *pass) resolvesAgain() bool {
	return p.look || p.pushed > 0 || p.before.ObservedGeneration != p.release.Generation
}

// inECR says that an image is in ECR: it names no host, or that of an ECR registry.
func inECR(reference image.Reference) bool {
	_, private := reference.Registry()
	return reference.Host == "" || private
}

// freeze asks every region of the release for the tag.
func (r *ReleaseReconciler) freeze(ctx context.Context, p *pass, wanted *wantedImage) {
	if p.unseen() != nil {
		return // what is frozen stays, so every region that can be asked must have a say
	}
	var digest, from string
	for _, s := range p.services {
		if s.view == nil || s.view.Problem != nil {
			continue
		}
		query := p.imageQuery(s, wanted)
		found, problem := p.lookups.image(ctx, r.Fleet, s.key.Identity, query)
		switch {
		case problem != nil && problem.Class == rollout.ProblemThrottled:
			return // it will answer soon, and may say otherwise
		case problem != nil:
			continue // reported, with its region, by the service that needs it
		case digest == "":
			digest, from = found.Digest, query.Region
		case digest != found.Digest:
			wanted.problem = refused(ecsv1alpha1.ReasonImageMismatch,
				"image %s is %s in %s but %s in %s: push one image to all regions, or name the digest", wanted.spelled, short(digest), from, short(found.Digest), query.Region)
			return
		}
	}
	wanted.digest = digest
}

// checkMoved notes when the tag points elsewhere by now. What was frozen stays.
func (r *ReleaseReconciler) checkMoved(ctx context.Context, p *pass, wanted *wantedImage) {
	if len(p.services) == 0 || p.services[0].problem != nil {
		return
	}
	s := p.services[0]
	query := p.imageQuery(s, wanted)
	query.Since = time.Time{}
	found, problem := p.lookups.image(ctx, r.Fleet, s.key.Identity, query)
	switch {
	case problem != nil:
		p.unread(problem)
	case found.Digest == wanted.digest:
		wanted.movedTo = ""
	case found.Digest != wanted.movedTo:
		wanted.movedTo, wanted.moved = found.Digest, true
	}
}

// movedMessage says which tags point elsewhere by now, "" when none does.
func (p *pass) movedMessage() string {
	var moved []string
	for _, wanted := range p.images {
		if wanted.movedTo != "" {
			moved = append(moved, fmt.Sprintf("the tag of %s has moved to %s since; this release stays on %s", wanted.spelled, short(wanted.movedTo), short(wanted.digest)))
		}
	}
	return strings.Join(moved, "; ")
}

// tagAge is for how long a release believes what it was told of where a tag points to, while it is on its
// way to freezing it: all regions have to say so, and where their quotas leave room for one call at a
// time, not all of them do in one pass.
const tagAge = 10 * time.Second

// imageQuery asks for the wanted image as it is spelled, in the registry that the service pulls from.
func (p *pass) imageQuery(s *service, wanted *wantedImage) cloud.ImageQuery {
	query := cloud.ImageQuery{
		Registry:   s.registry,
		Region:     s.key.Region,
		Repository: wanted.reference.Repository,
		Tag:        wanted.reference.Tag,
		Digest:     wanted.reference.Digest,
		Since:      p.started.Add(-tagAge),
		Asker:      fmt.Sprintf("%s/%d", p.release.UID, p.release.Generation),
	}
	if p.look || p.pushed > 0 || wanted.reference.Digest != "" {
		query.Since = p.started
	}
	if registry, ok := wanted.reference.Registry(); ok {
		query.Registry, query.Region = registry.AccountID, registry.Region
	}
	return query
}

// imageProblem is the first thing that is wrong with an image whatever the service.
func (p *pass) imageProblem() *rollout.Problem {
	for _, wanted := range p.images {
		if wanted.problem != nil {
			return wanted.problem
		}
	}
	return nil
}

// imagesChecked says that every image is known to be where it is needed: it was found there in
// this pass, or when what the services run was derived from it.
func (p *pass) imagesChecked() bool {
	for _, wanted := range p.images {
		inECR := inECR(wanted.reference)
		if wanted.problem != nil || inECR && wanted.digest == "" || !inECR {
			return false
		}
	}
	return !slices.ContainsFunc(p.services, func(s *service) bool {
		looked := len(s.present) > 0 || s.want.Inputs != "" && s.memory.Inputs == s.want.Inputs
		return s.want.Problem != nil || !looked
	})
}

// unresolved says that a digest which has to be written is not known.
func (p *pass) unresolved() bool {
	return slices.ContainsFunc(p.images, func(w *wantedImage) bool {
		return w.problem != nil || w.digest == "" && p.pin() == ecsv1alpha1.PinDigest
	})
}

// choose picks, for every image of the release, the containers of the service that take it.
func (p *pass) choose(s *service, base *taskdef.Document) (map[string][]string, *rollout.Problem) {
	if p.single() {
		names, err := taskdef.Choose(base, s.spec.ContainerNames, p.images[0].reference.In(s.registry, s.key.Region))
		if err != nil {
			return nil, choiceProblem(s, err)
		}
		return map[string][]string{"": names}, nil
	}
	chosen := map[string][]string{}
	var have []string
	for _, container := range base.Containers() {
		have = append(have, container.Name)
		if slices.ContainsFunc(p.images, func(w *wantedImage) bool { return w.container == container.Name }) {
			chosen[container.Name] = []string{container.Name}
		}
	}
	if len(chosen) == 0 {
		return nil, refused(ecsv1alpha1.ReasonContainerNotFound,
			"service %q: no entry of spec.containers names one of its containers (%s, in %s)", s.spec.Name, strings.Join(have, ", "), base.Name())
	}
	return chosen, nil
}

// choiceProblem says in the release's words why the containers of a service can't be told.
func choiceProblem(s *service, err error) *rollout.Problem {
	var missing *taskdef.UnknownContainerError
	if errors.As(err, &missing) {
		return refused(ecsv1alpha1.ReasonContainerNotFound, "service %q: %s", s.spec.Name, err)
	}
	return refused(ecsv1alpha1.ReasonContainerAmbiguous, "service %q: %s", s.spec.Name, err)
}

// judgeUse makes an entry of spec.containers that no service has a problem of all of them. Before the
// containers of all are known it cannot be told whether one has it: that holds nothing up, except that
// the release is not Ready.
func (p *pass) judgeUse() {
	if p.single() {
		return
	}
	used := map[string]bool{}
	unknown := ""
	for _, s := range p.services {
		if s.containers == nil {
			unknown = cmp.Or(unknown, s.name())
		}
		for container := range s.containers {
			used[container] = true
		}
	}
	for _, wanted := range p.images {
		if used[wanted.container] {
			continue
		}
		if unknown != "" {
			p.undecided = &rollout.Problem{
				Class: rollout.ProblemTransient, Reason: ecsv1alpha1.ReasonObservationFailed,
				Message: fmt.Sprintf("whether a service has a container named %q is not known yet: %s could not be looked at", wanted.container, unknown),
			}
			return
		}
		problem := refused(ecsv1alpha1.ReasonContainerUnused, "spec.containers: no service of the release has a container named %q", wanted.container)
		for _, s := range p.services {
			s.want = rollout.Want{Problem: problem}
		}
		return
	}
}

// short is a digest as messages show it.
func short(digest string) string {
	if len(digest) > 19 {
		return digest[:19] + "…"
	}
	return digest
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

package controllers

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/image"
	"heliumai.space/ecsrelease/internal/rollout"
)

// wantedImage is one image that the release asks for.
type wantedImage struct {
	container string // "" for spec.image
	spelled   string
	reference image.Reference
	// digest is frozen the first time that it is found; "" until then, and for a tag outside of ECR.
	digest       string
	missingSince time.Time
	problem      *rollout.Problem
	// movedTo is where the tag points since, if that was found to be another digest; moved says
	// that it was found in this pass.
	movedTo string
	moved   bool
}

// wantedImages are the images of the spec, each with what status froze of it. While a release of
// the past is held, status shows the images of that, and the hold remembers those of the spec.
func wantedImages(release *ecsv1alpha1.EcsRelease) ([]*wantedImage, *rollout.Problem) {
	spec := release.Spec.Containers
	if release.Spec.Image != "" {
		spec = []ecsv1alpha1.ContainerImage{{Image: release.Spec.Image}}
	}
	frozen := release.Status.Images
	if hold := release.Status.Hold; hold != nil {
		frozen = slices.Concat(frozen, hold.Against)
	}
	return parsed(spec, frozen)
}

// heldImages are the images of the release that is held.
func heldImages(hold *ecsv1alpha1.Hold, before []ecsv1alpha1.ResolvedImage) ([]*wantedImage, *rollout.Problem) {
	spec := make([]ecsv1alpha1.ContainerImage, 0, len(hold.Images))
	for _, held := range hold.Images {
		spec = append(spec, ecsv1alpha1.ContainerImage{Name: held.Container, Image: held.Image})
	}
	images, problem := parsed(spec, before)
	for i, held := range hold.Images {
		images[i].digest = cmp.Or(held.Digest, images[i].digest)
	}
	return images, problem
}

// parsed are images as they are spelled, each with what was frozen of it.
func parsed(spec []ecsv1alpha1.ContainerImage, frozen []ecsv1alpha1.ResolvedImage) ([]*wantedImage, *rollout.Problem) {
	images := make([]*wantedImage, 0, len(spec))
	var problem *rollout.Problem
	for _, entry := range spec {
		wanted := &wantedImage{container: entry.Name, spelled: entry.Image}
		images = append(images, wanted)
		reference, err := image.Parse(entry.Image)
		if err != nil {
			wanted.problem = refused(ecsv1alpha1.ReasonInvalidImage, "%s", err)
			problem = cmp.Or(problem, wanted.problem)
			continue
		}
		wanted.reference = reference
		wanted.digest = reference.Digest
		for _, known := range frozen {
			if known.Container == entry.Name && known.Image == entry.Image {
				wanted.digest, wanted.movedTo = known.Digest, known.MovedTo
				if known.MissingSince != nil {
					wanted.missingSince = known.MissingSince.Time
				}
			}
		}
	}
	return images, problem
}

// oversized is the first image that is longer than ECS takes where it is written with the host of
// a target's own registry, nil when all fit.
func (p *pass) oversized() *rollout.Problem {
	for _, wanted := range p.images {
		for _, s := range p.services {
			if p.barred != nil || wanted.problem != nil {
				break
			}
			written := p.imagesFor(s)[wanted.container]
			name, _, _ := strings.Cut(written, "@")
			if len(name) > image.MaxLength {
				wanted.problem = refused(ecsv1alpha1.ReasonInvalidImage,
					"image %s is written %s for service %s, which has %d characters before the digest: ECS allows %d", clip(wanted.spelled, 64), clip(written, 64), s.name(), len(name), image.MaxLength)
			}
		}
	}
	return p.imageProblem()
}

// single says that one image goes into containers that are chosen, rather than several into the
// containers that they name.
func (p *pass) single() bool { return len(p.images) == 1 && p.images[0].container == "" }

// fromFamily says that task definitions are derived from the newest of their family that is not
// ours, rather than from what the service runs. What is held is what it was.
func (p *pass) fromFamily() bool {
	policy := p.release.Spec.TaskDefinition
	return policy != nil && policy.Base == ecsv1alpha1.BaseFamily && p.ledger.Hold == nil
}

// pin is how the release writes images into task definitions.
func (p *pass) pin() ecsv1alpha1.PinPolicy {
	if policy := p.release.Spec.TaskDefinition; policy != nil && policy.Pin != "" {
		return policy.Pin
	}
	return ecsv1alpha1.PinDigest
}

// imagesFor are the images of the release as a service of this account and region takes them.
func (p *pass) imagesFor(s *service) map[string]string {
	written := make(map[string]string, len(p.images))
	for _, wanted := range p.images {
		reference := wanted.reference.In(s.registry, s.key.Region)
		if p.pin() == ecsv1alpha1.PinTag {
			written[wanted.container] = reference.Tagged()
			continue
		}
		written[wanted.container] = reference.Pinned(wanted.digest)
	}
	return written
}

// inputsOf is a fingerprint of all that is asked of a service: which images, as written, in
// which containers, as which release of the past, and of what is not taken from the service itself: from
// what. "" while a digest that is needed is not known yet.
func (p *pass) inputsOf(s *service) string {
	digest := sha256.New()
	if p.unresolved() {
		return ""
	}
	for _, wanted := range p.images {
		written := p.imagesFor(s)[wanted.container]
		fmt.Fprintf(digest, "%s=%s@%s\n", wanted.container, written, wanted.digest)
	}
	fmt.Fprintf(digest, "in %s", strings.Join(slices.Sorted(slices.Values(s.spec.ContainerNames)), ","))
	if hold := p.ledger.Hold; hold != nil {
		fmt.Fprintf(digest, "\nas release %d", hold.Number) // the same images may have been put into something else
	}
	if p.fromFamily() {
		fmt.Fprintf(digest, "\nfrom %s", s.memory.Base)
	}
	return hex.EncodeToString(digest.Sum(nil))[:16]
}

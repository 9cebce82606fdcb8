package controllers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/image"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/window"
)

// permitImages makes it a problem of an image that the environment does not take it, before anything
// is asked of its registry. What is held ran here before: only where it comes from is judged again.
func (p *pass) permitImages() {
	if p.environment == nil {
		return
	}
	policy := p.environment.Spec.Images
	for _, wanted := range p.images {
		for _, s := range p.services {
			if wanted.problem != nil || s.problem != nil {
				break
			}
			if !takesRepository(policy, s.registry, wanted.reference) {
				wanted.problem = refused(ecsv1alpha1.ReasonNotPermitted, "image %s: EcsEnvironment %q takes %s: an admin must add %s to spec.images.repositories, or the release name another image",
					clip(wanted.spelled, 256), p.environment.Name, repositoriesOf(policy, s.registry), clip(ownName(s.registry, wanted.reference), 256))
			}
		}
		if gate := p.gated(); gate != "" && wanted.problem == nil && p.ledger.Hold == nil {
			wanted.problem = p.unknowable(wanted, gate)
		}
	}
}

// gated is what of the environment depends on what an image is; "" when nothing does.
func (p *pass) gated() string {
	switch {
	case len(p.requiredLabels()) > 0:
		return "spec.images.requireLabels"
	case p.environment.Spec.Promotion != nil:
		return "spec.promotion"
	default:
		return ""
	}
}

// unknowable is why it cannot be known what an image is that a gate of the environment judges.
func (p *pass) unknowable(wanted *wantedImage, gate string) *rollout.Problem {
	switch {
	case !inECR(wanted.reference):
		return refused(ecsv1alpha1.ReasonNotPermitted, "image %s is not in ECR, so that %s of EcsEnvironment %q cannot judge it: copy it to a repository in ECR",
			clip(wanted.spelled, 256), gate, p.environment.Name)
	case p.pin() == ecsv1alpha1.PinTag:
		return refused(ecsv1alpha1.ReasonNotPermitted, "taskDefinition.pin is Tag, and a tag may move after %s of EcsEnvironment %q has judged image %s: pin by Digest",
			gate, p.environment.Name, clip(wanted.spelled, 256))
	default:
		return nil
	}
}

// takesRepository says whether a policy takes the repository of a reference: of the registry's own
// account by its name, any other as host/repository. Globs match the host and the repository apart.
func takesRepository(policy *ecsv1alpha1.ImagePolicy, registry string, reference image.Reference) bool {
	own := isOwn(registry, reference)
	if policy == nil || len(policy.Repositories) == 0 {
		return own
	}
	return slices.ContainsFunc(policy.Repositories, func(glob string) bool {
		host, repository, elsewhere := splitHost(glob)
		if own || !elsewhere {
			return own && !elsewhere && globMatch(glob, reference.Repository)
		}
		return globMatch(host, reference.Host) && globMatch(repository, reference.Repository)
	})
}

// isOwn says that an image is in the ECR of an account.
func isOwn(registry string, reference image.Reference) bool {
	named, private := reference.Registry()
	return reference.Host == "" || private && named.AccountID == registry
}

// ownName is how spec.images.repositories names the repository of a reference.
func ownName(registry string, reference image.Reference) string {
	if isOwn(registry, reference) {
		return reference.Repository
	}
	return reference.Name()
}

// splitHost takes a glob of host/repository apart; false when it names no host, by Docker's grammar.
func splitHost(glob string) (host, repository string, elsewhere bool) {
	first, rest, slash := strings.Cut(glob, "/")
	if !slash || first != "localhost" && !strings.ContainsAny(first, ".:") {
		return "", glob, false
	}
	return first, rest, true
}

// repositoriesOf is what a policy takes, for people.
func repositoriesOf(policy *ecsv1alpha1.ImagePolicy, registry string) string {
	if policy == nil || len(policy.Repositories) == 0 {
		return "repositories of account " + registry + " in ECR only"
	}
	return clip(strings.Join(policy.Repositories, ", "), 256) + " only (a name without a host is of account " + registry + " in ECR)"
}

// requiredLabels are the labels that images must have, none for what is held: it ran here before.
func (p *pass) requiredLabels() map[string]ecsv1alpha1.LabelValues {
	if p.environment == nil || p.environment.Spec.Images == nil || p.ledger.Hold != nil {
		return nil
	}
	return p.environment.Spec.Images.RequireLabels
}

// judgeLabels is the first label that an image should have and has not, or not with that value, for
// the architecture that a service runs on.
func (p *pass) judgeLabels(wanted *wantedImage, found cloud.Image, architecture string) *rollout.Problem {
	required := p.requiredLabels()
	has := found.Labels[architecture]
	for _, name := range slices.Sorted(maps.Keys(required)) {
		value, ok := has[name]
		if ok && slices.Contains(required[name], value) {
			continue
		}
		said := fmt.Sprintf("has no label %s", name)
		if ok {
			said = fmt.Sprintf("has the label %s=%q", name, clip(value, 128))
		}
		return refused(ecsv1alpha1.ReasonNotPermitted, "image %s (%s, linux/%s) %s: EcsEnvironment %q wants %s to be %s",
			clip(wanted.spelled, 256), short(found.Digest), architecture, said, p.environment.Name, name, clip(strings.Join(required[name], " or "), 256))
	}
	return nil
}

// closed is why the environment lets no release of these images start now; nil when it does. It
// speaks of starts only: what has started goes on, and what goes back is not asked.
func (p *pass) closed() *rollout.Problem {
	if p.environment == nil {
		return nil
	}
	windows, err := window.Parse(p.environment.Spec.Windows)
	if err != nil {
		return refused(ecsv1alpha1.ReasonInvalidEnvironment, "EcsEnvironment %q: %s: nothing starts until an admin has corrected it", p.environment.Name, err)
	}
	problem := p.unpromoted()
	if problem == nil {
		return shut(windows.At(p.started), p.started)
	}
	if problem.RetryAfter > 0 {
		if then := windows.At(p.started.Add(problem.RetryAfter)); !then.Open {
			problem.Message += ", but then " + then.Message()
		}
	}
	return problem
}

// shut is why no release may start while windows are in a state; nil when one may. It is looked at
// again when that changes, and once an hour.
func shut(state window.State, now time.Time) *rollout.Problem {
	if state.Open {
		return nil
	}
	problem := refused(ecsv1alpha1.ReasonOutsideWindow, "%s", state.Message())
	problem.RetryAfter = time.Hour
	if next := state.Next; !next.IsZero() {
		problem.RetryAfter = min(max(next.Sub(now), time.Second), time.Hour)
	}
	return problem
}

// unpromoted is why the images are not to be released here yet: they have not run for long enough in
// the environment that they are promoted from.
func (p *pass) unpromoted() *rollout.Problem {
	promotion := p.environment.Spec.Promotion
	switch {
	case promotion == nil:
		return nil
	case promotion.From == p.environment.Name || p.origin == nil:
		return refused(ecsv1alpha1.ReasonInvalidEnvironment, "EcsEnvironment %q promotes from %q: there is no such other EcsEnvironment, so nothing starts until an admin has corrected it",
			p.environment.Name, promotion.From)
	}
	soak := seconds(promotion.SoakSeconds)
	var waits *rollout.Problem
	for _, wanted := range p.images {
		if wanted.digest == "" {
			return nil // what it is is looked for first
		}
		for _, s := range p.services {
			soaked, running, known := rollout.Soaked(p.origin.Status.Proven, rollout.Run{Digest: wanted.digest, Service: s.spec.Name}, p.started)
			left := max(soak-soaked, 0)
			if known && left == 0 {
				continue
			}
			later := waits == nil || running && left > waits.RetryAfter
			if running && !later {
				continue
			}
			waits = &rollout.Problem{
				Class: rollout.ProblemRefused, Reason: ecsv1alpha1.ReasonAwaitingPromotion,
				Message: p.promotionMessage(wanted, s.spec.Name, soaked, running),
			}
			if !running {
				return waits // the environment tells when it does
			}
			waits.RetryAfter = max(left, time.Second)
		}
	}
	return waits
}

// promotionMessage says what an image lacks to be promoted.
func (p *pass) promotionMessage(wanted *wantedImage, service string, soaked time.Duration, running bool) string {
	promotion := p.environment.Spec.Promotion
	soak := seconds(promotion.SoakSeconds)
	what := fmt.Sprintf("image %s (%s) must have run Ready as service %q in EcsEnvironment %q for %s, since it last failed there",
		clip(wanted.spelled, 256), short(wanted.digest), service, promotion.From, soak)
	switch {
	case running:
		return fmt.Sprintf("%s: it does, and starts here by itself at %s", what, p.started.Add(soak-soaked).UTC().Format(time.RFC3339))
	case soaked > 0:
		return fmt.Sprintf("%s: it did for %s and does not run Ready there now", what, soaked.Truncate(time.Second))
	case rollout.Crowded(p.origin.Status.Proven):
		return fmt.Sprintf("%s: whether it has is not known, since more runs there than its status has room for (%d images of services); divide that environment, or take spec.promotion out of EcsEnvironment %q",
			what, len(p.origin.Status.Proven), p.environment.Name)
	default:
		return what + ": it has not; release it there first, this one goes on by itself afterwards"
	}
}

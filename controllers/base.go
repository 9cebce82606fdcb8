package controllers

import (
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/taskdef"
)

// observeFamilies finds, for a release that takes task definitions from their families, the newest
// of each that is not ours. It says whether one of them is newer than what was known.
func (r *ReleaseReconciler) observeFamilies(ctx context.Context, p *pass) (newer bool) {
	if !p.fromFamily() || p.blocked != nil {
		return false
	}
	var group errgroup.Group
	group.SetLimit(concurrency)
	known := make([]string, len(p.services))
	for i, s := range p.services {
		known[i] = s.memory.Base
		if s.view == nil || s.view.Problem != nil {
			continue
		}
		group.Go(func() error {
			r.observeFamily(ctx, p, s)
			return nil
		})
	}
	_ = group.Wait() // the functions return no errors
	for i, s := range p.services {
		newer = newer || known[i] != "" && known[i] != s.memory.Base
	}
	return newer
}

// observeFamily finds the newest revision of the service's family that is not ours. What was found
// before stays while nothing newer is: a revision that was deregistered starts no rollout.
func (r *ReleaseReconciler) observeFamily(ctx context.Context, p *pass, s *service) {
	family := rollout.Family(s.view.TaskDefinition)
	newest, problem := r.Fleet.NewestForeign(ctx, s.key.Identity, s.key.Region, family, p.notBefore())
	switch {
	case problem != nil && rollout.Family(s.memory.Base) == family:
		return // the next look tells
	case problem != nil && problem.Delay() && s.memory.Inputs != "" && s.memory.Inputs == p.inputsOf(s):
		return // there was none
	case problem != nil:
		s.want.Problem = problem
	case rollout.Family(s.memory.Base) != family || rollout.Number(newest) > rollout.Number(s.memory.Base):
		s.memory.Base = newest
	}
}

// observeBase reads the task definition that the service runs, and the one that ours is derived
// from, and derives ours.
func (r *ReleaseReconciler) observeBase(ctx context.Context, p *pass, s *service) {
	seen, problem := r.Fleet.TaskDefinition(ctx, s.key.Identity, s.key.Region, s.view.TaskDefinition)
	if problem != nil {
		s.facts.Problem = problem
		return
	}
	s.want.Seen, s.want.SeenHash, s.want.SeenBy = seen.Name(), seen.ContentHash(), seen.RegisteredBy()
	hash, tagged := seen.OursHash()
	s.want.SeenOurs = tagged && hash == s.want.SeenHash

	base, problem := r.base(ctx, p, s, seen)
	if problem != nil {
		s.facts.Problem = problem
		return
	}
	s.want.Base = base.Name()
	chosen, problem := p.choose(s, base)
	if problem != nil {
		s.want.Problem = problem
		return
	}
	s.containers = chosen
	r.observeImages(ctx, p, s, base)
	if p.unresolved() {
		return
	}
	r.derive(ctx, p, s, seen, base)
}

// observeContainers finds out which entries of spec.containers a service has a container for, where the
// decision about it depends on nothing of that: all of them together tell which entry is of no use.
func (r *ReleaseReconciler) observeContainers(ctx context.Context, p *pass, s *service) {
	if s.view.Problem != nil {
		return
	}
	seen, problem := r.Fleet.TaskDefinition(ctx, s.key.Identity, s.key.Region, s.view.TaskDefinition)
	if problem != nil {
		p.unread(problem)
		return
	}
	s.containers = map[string][]string{} // of a service that has none of them: it is judged where it is to change
	if chosen, problem := p.choose(s, seen); problem == nil {
		s.containers = chosen
	}
}

// base is the task definition that ours is derived from: what is gone back to, the newest of the
// family that is not ours, or what the service runs.
func (r *ReleaseReconciler) base(ctx context.Context, p *pass, s *service, seen *taskdef.Document) (*taskdef.Document, *rollout.Problem) {
	carrier, problem := r.carrier(ctx, p, s)
	if problem != nil || carrier != nil {
		return carrier, problem
	}
	if name := s.memory.Base; p.fromFamily() && name != "" && name != seen.Name() {
		return r.Fleet.TaskDefinition(ctx, s.key.Identity, s.key.Region, name)
	}
	return seen, nil
}

// carrier is, while a release of the past is held, the newest of its revisions that carries its
// images in the service; nil when there is none.
func (r *ReleaseReconciler) carrier(ctx context.Context, p *pass, s *service) (*taskdef.Document, *rollout.Problem) {
	if p.ledger.Hold == nil || p.unresolved() {
		return nil, nil
	}
	family := rollout.Family(s.view.TaskDefinition)
	revisions := slices.DeleteFunc(slices.Clone(p.ledger.Hold.Revisions), func(revision string) bool { return rollout.Family(revision) != family })
	slices.SortFunc(revisions, func(a, b string) int { return cmp.Compare(rollout.Number(b), rollout.Number(a)) })
	for _, revision := range revisions {
		document, problem := r.Fleet.TaskDefinition(ctx, s.key.Identity, s.key.Region, revision)
		switch {
		case problem != nil && problem.Delay():
			return nil, problem
		case problem == nil && p.carries(s, document):
			s.want.Carrier = document.Name()
			return document, nil
		}
	}
	return nil, nil
}

// carries says that a task definition has the images of the release in the containers that take
// them, however they are pinned.
func (p *pass) carries(s *service, document *taskdef.Document) bool {
	chosen, problem := p.choose(s, document)
	if problem != nil {
		return false
	}
	for _, wanted := range p.images {
		reference := wanted.reference.In(s.registry, s.key.Region)
		spellings := []string{reference.String()}
		if wanted.digest != "" {
			spellings = append(spellings, reference.Pinned(wanted.digest))
		}
		if reference.Tag != "" {
			spellings = append(spellings, reference.Tagged())
		}
		for _, name := range chosen[wanted.container] {
			if container, ok := document.Container(name); !ok || !slices.Contains(spellings, container.Image) {
				return false
			}
		}
	}
	return true
}

// derive makes ours of its base, and finds out whether that is needed at all.
func (r *ReleaseReconciler) derive(ctx context.Context, p *pass, s *service, seen, base *taskdef.Document) {
	images := map[string]string{}
	for entry, written := range p.imagesFor(s) {
		for _, container := range s.containers[entry] {
			images[container] = written
		}
	}
	if s.want.Carrier != "" {
		images = nil // it is gone back to as it stands
	}
	derived, err := taskdef.Derive(base, images)
	if err != nil {
		s.want.Problem = refused(ecsv1alpha1.ReasonRegistrationRefused, "service %q: %s", s.spec.Name, err)
		return
	}
	s.derived = derived
	s.want.Hash = derived.Hash
	// What runs the images on another base than the one that is wanted is not what is wanted.
	if derived.Hash != s.want.SeenHash && s.want.Problem == nil && base.Name() == seen.Name() {
		s.want.Running, s.facts.Problem = r.runs(ctx, p, s, base)
	}
}

// observeProven looks whether the revision to go back to is ACTIVE, and what it holds.
func (r *ReleaseReconciler) observeProven(ctx context.Context, p *pass, s *service, revision string) {
	active, document, problem := r.Fleet.Active(ctx, s.key.Identity, s.key.Region, revision, p.started)
	if problem != nil && problem.Class != rollout.ProblemMissing {
		s.facts.Problem = problem
		return
	}
	s.facts.ProvenAt, s.facts.ProvenRevision, s.facts.ProvenActive = p.started, revision, active
	if problem != nil {
		return // it is gone, and so is what it held
	}
	past, err := taskdef.Derive(document, nil)
	if err != nil {
		s.facts.Problem = refused(ecsv1alpha1.ReasonRegistrationRefused, "service %q: %s: %s", s.spec.Name, revision, err)
		return
	}
	s.past, s.facts.ProvenHash = past, document.ContentHash()
}

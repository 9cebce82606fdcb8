package controllers

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/taskdef"
)

// concurrency is how many services of one release are looked at side by side.
const concurrency = 16

// observation is what was seen of one service in this pass.
type observation struct {
	view  *rollout.View
	want  rollout.Want
	facts rollout.Facts
	// derived is the task definition that carries the image; its Hash is "" unless a base was read.
	derived taskdef.Derived
	// containers are the containers of this service that take an image, by the image's entry.
	containers map[string][]string
	// present and absent are the images that its registry was found to have, and not to have.
	present, absent []*wantedImage
	// problem is why the service may not be looked at, or its want cannot be told.
	problem *rollout.Problem
}

// observe looks at every service of the release. Nothing it finds is an error: what could not
// be seen is a problem of that service.
func (r *ReleaseReconciler) observe(ctx context.Context, p *pass) {
	r.track(p, func(s *service) bool { return inFlight(s.memory) })
	if p.blind != nil {
		return
	}
	for _, s := range p.services {
		if s.problem == nil {
			s.view, _ = r.Fleet.View(s.key, p.notBefore())
		}
	}
	r.resolveImages(ctx, p)
	for _, s := range p.services {
		s.want.Inputs = p.inputsOf(s)
		s.want.Problem = p.imageProblem()
	}
	var group errgroup.Group
	group.SetLimit(concurrency)
	for _, s := range p.services {
		if s.view == nil {
			continue
		}
		group.Go(func() error {
			r.observeService(ctx, p, s)
			return nil
		})
	}
	_ = group.Wait() // the functions return no errors
	p.noteMissing()
	p.judgeUse()
}

// notBefore is how old a view may be: any that is stored, unless a token asks to look again.
func (p *pass) notBefore() time.Time {
	if p.look {
		return p.started
	}
	return time.Time{}
}

// track tells the informer which services to keep looking at, and which of them often.
func (r *ReleaseReconciler) track(p *pass, often func(*service) bool) {
	owner := types.NamespacedName{Namespace: p.release.Namespace, Name: p.release.Name}
	keys := make(map[cloud.Key]bool, len(p.services))
	for _, s := range p.services {
		if p.blind == nil && s.problem == nil {
			keys[s.key] = often(s)
		}
	}
	r.Fleet.Track(owner, keys)
}

// inFlight says whether something of ours was under way when the service was last written.
func inFlight(memory ecsv1alpha1.ServiceStatus) bool {
	return memory.Intent != nil || memory.State == ecsv1alpha1.ServiceDeploying ||
		memory.Deployment != nil && memory.Deployment.Outcome == ""
}

// observeService finds out what the decision about one service depends on, and no more.
func (r *ReleaseReconciler) observeService(ctx context.Context, p *pass, s *service) {
	if s.view.Problem != nil || p.imageProblem() != nil {
		return
	}
	need := r.needs(p, s)
	if need.Base {
		r.observeBase(ctx, p, s)
		if s.facts.Problem != nil {
			return
		}
		need = r.needs(p, s)
	}
	if need.EqualHash != "" {
		revision, at, problem := r.Fleet.EqualRevision(ctx, s.key.Identity, s.key.Region, need.EqualFamily, need.EqualHash, s.searchedSince(p))
		if problem != nil {
			s.facts.Problem = problem
			return
		}
		s.facts.Equal, s.facts.EqualAt, s.facts.EqualHash = revision, at, need.EqualHash
	}
	if need.Deployment {
		deployment, at, problem := r.Fleet.ServiceDeployment(ctx, s.key, need)
		if problem != nil {
			s.facts.Problem = problem
			return
		}
		s.facts.Ours, s.facts.OursAt, s.facts.OursRevision = deployment, at, need.Revision
	}
}

// searchedSince is when a search for a revision must have begun at the earliest: where an answer
// was lost, or a token asks, only a new one tells.
func (s *service) searchedSince(p *pass) time.Time {
	if s.memory.Intent != nil || p.look {
		return p.started
	}
	return time.Time{}
}

func (r *ReleaseReconciler) needs(p *pass, s *service) rollout.Need {
	return rollout.Needs(r.input(p, s))
}

// observeBase reads the task definition that the service runs and derives ours from it.
func (r *ReleaseReconciler) observeBase(ctx context.Context, p *pass, s *service) {
	base, problem := r.Fleet.TaskDefinition(ctx, s.key.Identity, s.key.Region, s.view.TaskDefinition)
	if problem != nil {
		s.facts.Problem = problem
		return
	}
	s.want.Base = base.Name()
	s.want.BaseHash = base.ContentHash()
	hash, tagged := base.OursHash()
	s.want.BaseOurs = tagged && hash == s.want.BaseHash

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
	r.derive(ctx, p, s, base)
}

// derive makes ours of what the service runs, and finds out whether that is needed at all.
func (r *ReleaseReconciler) derive(ctx context.Context, p *pass, s *service, base *taskdef.Document) {
	images := map[string]string{}
	for entry, written := range p.imagesFor(s) {
		for _, container := range s.containers[entry] {
			images[container] = written
		}
	}
	derived, err := taskdef.Derive(base, images)
	if err != nil {
		s.want.Problem = refused(ecsv1alpha1.ReasonRegistrationRefused, "service %q: %s", s.spec.Name, err)
		return
	}
	s.derived = derived
	s.want.Hash = derived.Hash
	if derived.Hash != s.want.BaseHash && s.want.Problem == nil {
		s.want.Running, s.facts.Problem = r.runs(ctx, p, s, base)
	}
}

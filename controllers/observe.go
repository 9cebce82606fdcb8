package controllers

import (
	"cmp"
	"context"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

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
	// derived is the task definition that carries the images; its Hash is "" unless a base was read.
	derived taskdef.Derived
	// past is a revision to go back to, as it stands: what is registered where it is INACTIVE by now.
	past taskdef.Derived
	// containers are the containers of this service that take an image, by the image's entry.
	containers map[string][]string
	// present and absent are the images that its registry was found to have, and not to have.
	present, absent []*wantedImage
	// events are those that the failure on record lacks.
	events []ecsv1alpha1.ServiceEvent
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
	if !p.wasReady() {
		r.Fleet.Hasten(client.ObjectKeyFromObject(p.release))
	}
	for _, s := range p.services {
		if s.problem == nil {
			s.view, _ = r.Fleet.View(s.key, p.notBefore())
		}
	}
	r.resolveImages(ctx, p)
	p.begin(r.observeFamilies(ctx, p))
	for _, s := range p.services {
		s.want.Inputs = p.inputsOf(s)
		s.want.Family = p.fromFamily() && s.memory.Base != ""
		s.want.Problem = cmp.Or(p.imageProblem(), s.want.Problem)
	}
	var group errgroup.Group
	group.SetLimit(concurrency)
	for _, s := range p.services {
		if s.view == nil {
			continue
		}
		group.Go(func() error {
			r.observeService(ctx, p, s)
			r.observeEvents(ctx, p, s)
			if s.containers == nil && s.want.Problem == nil && !p.single() && !p.wasReady() {
				r.observeContainers(ctx, p, s)
			}
			return nil
		})
	}
	_ = group.Wait() // the functions return no errors
	p.complete()
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
	switch memory.State {
	case ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ServiceRollingBack:
		return true
	default:
		return memory.Intent != nil || memory.Deployment != nil && memory.Deployment.Outcome == ""
	}
}

// rounds is how often a decision may ask for something more: what a look shows decides what else
// is needed.
const rounds = 6

// observeService finds out what the decision about one service depends on, and no more. While nobody
// can tell what it should run, what is in flight is followed all the same.
func (r *ReleaseReconciler) observeService(ctx context.Context, p *pass, s *service) {
	if s.view.Problem != nil {
		return
	}
	var last rollout.Need
	for range rounds {
		need := rollout.Needs(r.input(p, s))
		need.Base = need.Base && p.imageProblem() == nil
		if need.None() || need == last {
			return
		}
		last = need
		if need.Base {
			r.observeBase(ctx, p, s)
		} else {
			r.lookUp(ctx, p, s, need)
		}
		if s.facts.Problem != nil {
			return
		}
	}
}

// lookUp makes the look-ups of a need, but for the base.
func (r *ReleaseReconciler) lookUp(ctx context.Context, p *pass, s *service, need rollout.Need) {
	f := &s.facts
	if need.EqualHash != "" {
		if f.Equal, f.EqualAt, f.Problem = r.Fleet.EqualRevision(ctx, s.key.Identity, s.key.Region, need.EqualFamily, need.EqualHash, s.searchedSince(p)); f.Problem != nil {
			return
		}
		f.EqualHash = need.EqualHash
	}
	if need.Deployment {
		if f.Ours, f.OursAt, f.Problem = r.Fleet.ServiceDeployment(ctx, s.key, need); f.Problem != nil {
			return
		}
		f.OursRevision = need.Revision
	}
	if need.Proven != "" {
		r.observeProven(ctx, p, s, need.Proven)
		if f.Problem != nil {
			return
		}
	}
	if need.Evidence {
		query := cloud.EvidenceQuery{Revision: need.Revision, Since: need.Since}
		if d := s.memory.Deployment; d != nil && d.Revision == need.Revision && d.Started.Time.Equal(need.Since) {
			query = failureQuery(d)
		}
		f.Evidence, f.EvidenceAt, f.Problem = r.Fleet.Evidence(ctx, s.key, query)
	}
}

// failureQuery asks why a deployment failed.
func failureQuery(d *ecsv1alpha1.DeploymentStatus) cloud.EvidenceQuery {
	return cloud.EvidenceQuery{Revision: d.Revision, Primary: d.Primary, Since: d.Started.Time}
}

// observeEvents looks for events of a service that the failure on record lacks, because they were not to be seen
// yet when it was recorded.
func (r *ReleaseReconciler) observeEvents(ctx context.Context, p *pass, s *service) {
	if !p.lacksEvents(s) || s.facts.Problem != nil {
		return
	}
	query := failureQuery(s.memory.Deployment)
	query.Until = p.ledger.Failure.At.Add(time.Second) // the API keeps whole seconds
	// A problem is no matter: it is asked again, for as long as there is any use in it.
	s.events, _ = r.Fleet.Events(ctx, s.key, query)
}

// lacksEvents says that the failure on record is that of a service, some events of which may be missing in it.
func (p *pass) lacksEvents(s *service) bool {
	failure := p.ledger.Failure
	return !p.past && failure != nil && failure.Target == s.target.Name && rollout.LacksEvents(failure, &s.memory, p.started)
}

// complete completes the failure on record with the events that were found.
func (p *pass) complete() {
	for _, s := range p.services {
		if len(s.events) > 0 {
			failure := rollout.WithEvents(*p.ledger.Failure, s.events)
			p.ledger.Failure = &failure
		}
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

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/rollout"
)

// pass is one pass over one release: what resolve found, and what the later phases add to it.
type pass struct {
	release *ecsv1alpha1.EcsRelease
	started time.Time
	// before is the status that the pass began with.
	before ecsv1alpha1.EcsReleaseStatus
	// look says that a new token of reconcile or retry asks to look at everything again.
	look bool
	// pushed is the last push of an image which the release asks for; 0: none since it was last looked at.
	pushed uint64

	environment *ecsv1alpha1.EcsEnvironment
	// origin is the environment that images are promoted from; nil: there is none of that name, or
	// none is asked for.
	origin *ecsv1alpha1.EcsEnvironment
	// images are what is to run: those of the spec, or of the release that is held against it.
	images   []*wantedImage
	services []*service
	// ledger is what the release remembers as a whole, as commands and this pass rewrite it.
	ledger rollout.Ledger
	// notices are what became of commands, until they were told.
	notices []rollout.Notice
	// failing says that what is asked for had failed somewhere when the pass began.
	failing bool
	// past says that the failure which is on record is not of what is asked for now.
	past bool
	// campaign is the release on its way through its waves, checks how far those of its targets are.
	campaign rollout.Campaign
	checks   map[string]rollout.Check
	// lookups are the answers of registries in this pass.
	lookups lookups
	// blind is why the release may not even look: it has no environment, or more than one.
	blind *rollout.Problem
	// barred is why the release may change nothing at all: blind, what its environment does not
	// allow, or another release that owns a service. What it may look at is looked at all the same.
	barred *rollout.Problem
	// blocked is why the release as a whole may start nothing: barred, or what its images say. It
	// does not hold up a rollback, except where barred does.
	blocked *rollout.Problem
	// undecided is what of the spec could not be judged in this pass, which keeps a release that was not
	// Ready with it from being so.
	undecided *rollout.Problem

	mu sync.Mutex
	// again is a problem of a look on which nothing hangs but what is said of the release.
	again *rollout.Problem
}

// unread notes that something which is only told of could not be read, so that it is tried again.
func (p *pass) unread(problem *rollout.Problem) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.again = cmp.Or(p.again, problem)
}

// service is one service of the release on its way through the phases.
type service struct {
	target ecsv1alpha1.Target
	spec   ecsv1alpha1.Service
	key    cloud.Key
	// registry is the account whose ECR holds images that are named without a host.
	registry string

	observation
	// was is what was remembered when the pass began; memory is that as the pass rewrites it.
	was    ecsv1alpha1.ServiceStatus
	memory ecsv1alpha1.ServiceStatus
	// verified is when its target had passed the checks, as it was remembered; nil: it had not.
	verified *metav1.Time
	// elsewhere is what is remembered of the place in another account than the environment names now;
	// nil: nothing.
	elsewhere *recollection
	// goal is what the release wants of it for now.
	goal     rollout.Goal
	decision rollout.Decision
	// moved are the events that this pass causes for the service, in order.
	moved []occurrence
	// stale says that its step has to wait for a look.
	stale bool
	// refused is what AWS answered when the step was last tried, while it is too early to try again.
	refused *rollout.Problem
	// retryAfter is how long the step has to wait for its turn; 0: no wait.
	retryAfter time.Duration
}

// name is how messages call the service: target/service.
func (s *service) name() string { return s.target.Name + "/" + s.spec.Name }

// resolve finds the identity of every service in the environment, what people ordered and the images.
func (r *ReleaseReconciler) resolve(ctx context.Context, release *ecsv1alpha1.EcsRelease, environments surroundings, blind *rollout.Problem) (*pass, error) {
	p := &pass{
		release: release, started: time.Now(), before: *release.Status.DeepCopy(),
		look: newToken(release), pushed: r.pushes.of(client.ObjectKeyFromObject(release)), ledger: ledgerOf(release.Status),
	}
	if p.look {
		r.refusals.forget(client.ObjectKeyFromObject(release))
	}
	p.environment, p.origin, p.blind = environments.own, environments.origin(), blind
	p.services = place(release, p.environment)
	recall(p.services, release.Status.Targets)
	if p.barred = p.blind; p.barred == nil {
		p.barred = p.admit()
	}
	if p.barred == nil {
		problem, err := r.conflict(ctx, p)
		if err != nil {
			return nil, err
		}
		p.barred = problem
	}
	p.obey(r.verifier.lateFor(client.ObjectKeyFromObject(release), p.mark))
	return p, nil
}

// surroundings are all environments, with the one that a namespace is in; nil: none, or several. They are to be
// read only.
type surroundings struct {
	own *ecsv1alpha1.EcsEnvironment
	all []ecsv1alpha1.EcsEnvironment
}

// origin is the environment that images are promoted from; nil where there is none.
func (s surroundings) origin() *ecsv1alpha1.EcsEnvironment {
	if s.own == nil || s.own.Spec.Promotion == nil {
		return nil
	}
	for i := range s.all {
		if s.all[i].Name == s.own.Spec.Promotion.From {
			return &s.all[i]
		}
	}
	return nil
}

// surroundingsOf is the environment of a namespace, as a reader has it now, and all others. They are no copies:
// who has them from a cache must not change them.
func surroundingsOf(ctx context.Context, reader client.Reader, name string) (surroundings, *rollout.Problem, error) {
	var namespace corev1.Namespace
	if err := reader.Get(ctx, types.NamespacedName{Name: name}, &namespace); err != nil {
		return surroundings{}, nil, fmt.Errorf("reading namespace %s: %w", name, err)
	}
	var environments ecsv1alpha1.EcsEnvironmentList
	if err := reader.List(ctx, &environments, client.UnsafeDisableDeepCopy); err != nil {
		return surroundings{}, nil, fmt.Errorf("listing environments: %w", err)
	}
	environment, problem := environmentOf(&namespace, environments.Items)
	return surroundings{own: environment, all: environments.Items}, problem, nil
}

// place lists the services of the release in spec order, each with its identity as far as the
// environment is known.
func place(release *ecsv1alpha1.EcsRelease, environment *ecsv1alpha1.EcsEnvironment) []*service {
	var services []*service
	for _, target := range release.Spec.Targets {
		list := target.Services
		if len(list) == 0 {
			list = release.Spec.Services
		}
		for _, spec := range list {
			s := &service{target: target, spec: spec}
			s.key = cloud.Key{Region: target.Region, Cluster: target.Cluster, Service: spec.Name}
			if environment != nil {
				s.key.Identity, s.problem = identityFor(environment, target, spec.Name)
				s.registry = registryOf(environment, s.key.Identity)
			}
			services = append(services, s)
		}
	}
	return services
}

// registryOf is the account whose ECR holds the images that are named without a host.
func registryOf(environment *ecsv1alpha1.EcsEnvironment, identity cloud.Identity) string {
	if environment.Spec.Images != nil && environment.Spec.Images.RegistryAccountID != "" {
		return environment.Spec.Images.RegistryAccountID
	}
	return identity.AccountID
}

// recall gives each service its memory, matched by where it is and never by the target's name.
// A release whose environment is not known keeps what is remembered of the place.
func recall(services []*service, targets []ecsv1alpha1.TargetStatus) {
	remembered := map[rollout.Location]recollection{}
	for _, target := range targets {
		for _, status := range target.Services {
			location := rollout.Location{AccountID: target.AccountID, Region: target.Region, Cluster: target.Cluster, Service: status.Name}
			found := recollection{target.AccountID, status, target.Verified}
			remembered[location] = found
			location.AccountID = ""
			if _, taken := remembered[location]; !taken {
				remembered[location] = found
			}
		}
	}
	for _, s := range services {
		location := s.key.Location()
		found, ok := remembered[location]
		if !ok && location.AccountID != "" {
			found, ok = unaccounted(targets, location)
		}
		if !ok {
			found.memory = ecsv1alpha1.ServiceStatus{Name: s.spec.Name}
			location.AccountID = ""
			if other, known := remembered[location]; known {
				s.elsewhere = &other
				found.memory = inState(found.memory, other.memory)
			}
		}
		s.was, s.memory = *found.memory.DeepCopy(), *found.memory.DeepCopy()
		s.verified = found.verified.DeepCopy()
	}
}

// recollection is what is remembered of a service, in which account, and when its target had passed
// its checks.
type recollection struct {
	account  string
	memory   ecsv1alpha1.ServiceStatus
	verified *metav1.Time
}

// inState is a memory that says of its service's state what another one does.
func inState(memory, other ecsv1alpha1.ServiceStatus) ecsv1alpha1.ServiceStatus {
	memory.State, memory.Since, memory.Reason, memory.Message = other.State, other.Since, other.Reason, other.Message
	return memory
}

// unaccounted is what is remembered of a place whose account was not known when it was written.
func unaccounted(targets []ecsv1alpha1.TargetStatus, location rollout.Location) (recollection, bool) {
	for _, target := range targets {
		if target.AccountID != "" || target.Region != location.Region || target.Cluster != location.Cluster {
			continue
		}
		for _, status := range target.Services {
			if status.Name == location.Service {
				return recollection{memory: status, verified: target.Verified}, true
			}
		}
	}
	return recollection{}, false
}

// admit is the first service that may not be released to, nil when all may. It is for a release
// that has an environment.
func (p *pass) admit() *rollout.Problem {
	seen := map[rollout.Location]string{}
	accounts := map[string]string{}
	for _, s := range p.services {
		if s.problem != nil {
			return s.problem
		}
		account := s.key.Identity.AccountID
		if other, known := accounts[s.target.Name]; known && other != account {
			return refused(ecsv1alpha1.ReasonIdentityConflict,
				"target %s: EcsEnvironment %q puts its services in two accounts, %s and %s: split the target", s.target.Name, p.environment.Name, other, account)
		}
		accounts[s.target.Name] = account
		location := s.key.Location()
		if other, taken := seen[location]; taken {
			return refused(ecsv1alpha1.ReasonDuplicateService,
				"targets %s and %s both name service %q of cluster %q in %s: a service may be in one target only", other, s.target.Name, s.spec.Name, s.target.Cluster, s.target.Region)
		}
		seen[location] = s.target.Name
	}
	return nil
}

// conflict is the first service that an older release names too, nil when there is none.
func (r *ReleaseReconciler) conflict(ctx context.Context, p *pass) (*rollout.Problem, error) {
	checked := map[types.NamespacedName][]*service{}
	for _, s := range p.services {
		var others ecsv1alpha1.EcsReleaseList
		if err := r.Client.List(ctx, &others, client.MatchingFields{indexPlace: placeOf(s.target, s.spec.Name)}, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("listing releases of %s: %w", s.name(), err)
		}
		for i := range others.Items {
			other := &others.Items[i]
			if !older(other, p.release) {
				continue
			}
			key := client.ObjectKeyFromObject(other)
			theirs, known := checked[key]
			if !known {
				environments, problem, err := surroundingsOf(ctx, r.Client, other.Namespace)
				if err != nil {
					return nil, err
				}
				if problem == nil {
					theirs = place(other, environments.own)
				}
				checked[key] = theirs
			}
			if slices.ContainsFunc(theirs, func(o *service) bool { return o.problem == nil && o.key.Location() == s.key.Location() }) {
				return refused(ecsv1alpha1.ReasonServiceConflict,
					"service %q of cluster %q in %s belongs to the older EcsRelease %s: one of the two must let it go", s.spec.Name, s.target.Cluster, s.target.Region, key), nil
			}
		}
	}
	return nil, nil
}

// older says whether a was created before b; the same second is told apart by name.
func older(a, b *ecsv1alpha1.EcsRelease) bool {
	if a.UID == b.UID || !a.DeletionTimestamp.IsZero() {
		return false
	}
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.Namespace+"/"+a.Name < b.Namespace+"/"+b.Name
}

// indexPlace is the cache index of releases by the places they name.
const indexPlace = "places"

// placeOf is the index key of a service: where it is, the account aside.
func placeOf(target ecsv1alpha1.Target, service string) string {
	return target.Region + "/" + target.Cluster + "/" + service
}

// placesOf are the index keys of a release.
func placesOf(release *ecsv1alpha1.EcsRelease) []string {
	services := place(release, nil)
	places := make([]string, 0, len(services))
	for _, s := range services {
		places = append(places, placeOf(s.target, s.spec.Name))
	}
	return places
}

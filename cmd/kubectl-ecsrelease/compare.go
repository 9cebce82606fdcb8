package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/screen"
	"heliumai.space/ecsrelease/internal/taskdef"
)

// comparer compares what the services of a release run with what they should run, as whoever calls.
type comparer struct {
	fleet   *cloud.Fleet
	release *ecsv1alpha1.EcsRelease
	wants   []want
	// registry is the account whose ECR has images without a host; "": each target's own.
	registry string
}

// subject is a service that is compared.
type subject struct {
	key cloud.Key
	// containers are those that the release names for spec.image; none: they are chosen.
	containers []string
	plan       screen.Plan
}

// compare is a plan for each service of a release, in the order of the spec.
func compare(ctx context.Context, release *ecsv1alpha1.EcsRelease, wants []want, registry string) ([]screen.Plan, error) {
	news := make(chan struct{}, 1)
	fleet, err := cloud.New(cloud.Options{Enqueue: func(types.NamespacedName) {
		select {
		case news <- struct{}{}:
		default:
		}
	}})
	if err != nil {
		return nil, fmt.Errorf("finding AWS: %w", err)
	}
	running, stop := context.WithCancel(ctx)
	var loops errgroup.Group
	loops.Go(func() error { return fleet.Start(running) })
	defer func() {
		stop()
		_ = loops.Wait() // it ends because it was told to
	}()

	c := &comparer{fleet: fleet, release: release, wants: wants, registry: registry}
	subjects, err := c.subjects(ctx)
	if err != nil {
		return nil, err
	}
	views, err := c.look(ctx, subjects, news)
	if err != nil {
		return nil, err
	}
	plans := make([]screen.Plan, len(subjects))
	var group errgroup.Group
	const atOnce = 16
	group.SetLimit(atOnce)
	for i, s := range subjects {
		group.Go(func() error {
			plans[i] = c.plan(ctx, s, views[s.key])
			return nil
		})
	}
	return plans, group.Wait()
}

// subjects are the services of the release. Those of a target whose account is known to be another than
// that of the caller's credentials have a problem.
func (c *comparer) subjects(ctx context.Context) ([]subject, error) {
	accounts := map[string]string{}
	var subjects []subject
	for i := range c.release.Spec.Targets {
		target := &c.release.Spec.Targets[i]
		account, known := accounts[target.Region]
		if !known {
			// Nobody says of which account the caller should be: of which one it is, is all there is to learn.
			var problem *rollout.Problem
			account, problem = c.fleet.Verify(ctx, cloud.Identity{}, target.Region)
			if account == "" {
				return nil, fmt.Errorf("asking AWS in %s whose credentials these are: %w", target.Region, problem)
			}
			accounts[target.Region] = account
		}
		services := target.Services
		if len(services) == 0 {
			services = c.release.Spec.Services
		}
		for _, service := range services {
			s := subject{
				key: cloud.Key{
					Identity: cloud.Identity{AccountID: account}, Region: target.Region, Cluster: target.Cluster, Service: service.Name,
				},
				containers: service.ContainerNames,
				plan:       screen.Plan{Target: target.Name, Region: target.Region, Cluster: target.Cluster, Service: service.Name},
			}
			if owner := c.account(target.Name); owner != "" && owner != account {
				s.plan.Problem = fmt.Sprintf("it is in account %s, and your AWS credentials are of account %s: use others (AWS_PROFILE)", owner, account)
			}
			subjects = append(subjects, s)
		}
	}
	return subjects, nil
}

// account is the account that a target was last seen in; "" where that is not known.
func (c *comparer) account(target string) string {
	for i := range c.release.Status.Targets {
		if c.release.Status.Targets[i].Name == target {
			return c.release.Status.Targets[i].AccountID
		}
	}
	return ""
}

// look is a look at each of the services that can be looked at.
func (c *comparer) look(ctx context.Context, subjects []subject, news <-chan struct{}) (map[cloud.Key]*rollout.View, error) {
	tracked := map[cloud.Key]bool{}
	for _, s := range subjects {
		if s.plan.Problem == "" {
			tracked[s.key] = false
		}
	}
	owner := types.NamespacedName{Namespace: c.release.Namespace, Name: c.release.Name}
	c.fleet.Track(owner, tracked)
	c.fleet.Hasten(owner)
	views := map[cloud.Key]*rollout.View{}
	for {
		for key := range tracked {
			if view, ok := c.fleet.View(key, time.Time{}); ok {
				views[key] = view
			}
		}
		if len(views) == len(tracked) {
			return views, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("looking at the services: %w", ctx.Err())
		case <-news:
		}
	}
}

// plan is what would become of a service. Where the share of a quota is short it is asked for again: what
// was learned before stays.
func (c *comparer) plan(ctx context.Context, s subject, view *rollout.View) screen.Plan {
	if s.plan.Problem != "" {
		return s.plan
	}
	for {
		plan, err := c.try(ctx, s, view)
		var problem *rollout.Problem
		if errors.As(err, &problem) && problem.Class == rollout.ProblemThrottled && pause(ctx, problem.RetryAfter) {
			continue
		}
		if err != nil {
			plan.Problem = err.Error()
		}
		return plan
	}
}

// pause waits, unless the context ends before: then it is false.
func pause(ctx context.Context, d time.Duration) bool {
	const least = 100 * time.Millisecond
	select {
	case <-ctx.Done():
		return false
	case <-time.After(max(d, least)):
		return true
	}
}

func (c *comparer) try(ctx context.Context, s subject, view *rollout.View) (screen.Plan, error) {
	if view.Problem != nil {
		return s.plan, view.Problem
	}
	s.plan.Runs = view.TaskDefinition
	seen, problem := c.fleet.TaskDefinition(ctx, s.key.Identity, s.key.Region, view.TaskDefinition)
	if problem != nil {
		return s.plan, problem
	}
	base, err := c.base(ctx, s, seen)
	if err != nil {
		return s.plan, err
	}
	images, same, err := c.images(ctx, s, view, base)
	if err != nil {
		return s.plan, err
	}
	derived, err := taskdef.Derive(base, images)
	if err != nil {
		return s.plan, err
	}
	if derived.Hash == seen.ContentHash() || same && base.Name() == seen.Name() {
		return s.plan, nil // what runs is adopted
	}
	s.plan.Family = derived.Family
	s.plan.Has, _, problem = c.fleet.EqualRevision(ctx, s.key.Identity, s.key.Region, derived.Family, derived.Hash, time.Time{})
	if problem != nil {
		return s.plan, problem
	}
	s.plan.Changes, err = taskdef.Changes(seen, derived)
	if s.plan.Has != "" {
		// What is there has tags of its own.
		s.plan.Changes = slices.DeleteFunc(s.plan.Changes, func(c taskdef.Change) bool { return strings.HasPrefix(c.Path, "tags[") })
	}
	return s.plan, err
}

// base is what the revision would be derived from: what the service runs, or the newest of its family
// that is not ours.
func (c *comparer) base(ctx context.Context, s subject, seen *taskdef.Document) (*taskdef.Document, error) {
	policy := c.release.Spec.TaskDefinition
	if policy == nil || policy.Base != ecsv1alpha1.BaseFamily {
		return seen, nil
	}
	newest, problem := c.fleet.NewestForeign(ctx, s.key.Identity, s.key.Region, seen.Family(), time.Time{})
	if problem != nil {
		return nil, problem
	}
	if newest == "" || newest == seen.Name() {
		return seen, nil
	}
	base, problem := c.fleet.TaskDefinition(ctx, s.key.Identity, s.key.Region, newest)
	if problem != nil {
		return nil, problem
	}
	return base, nil
}

// images are the images that the containers of a service would run, by container; same says that all of
// them run these already, however their task definition spells it.
func (c *comparer) images(ctx context.Context, s subject, view *rollout.View, base *taskdef.Document) (images map[string]string, same bool, err error) {
	running, problem := c.fleet.RunningImages(ctx, s.key, view)
	if problem != nil {
		return nil, false, problem
	}
	images, same = map[string]string{}, true
	for _, want := range c.wants {
		containers, err := c.choose(s, base, want)
		if err != nil {
			return nil, false, err
		}
		if len(containers) == 0 {
			continue
		}
		written, digests, err := c.write(ctx, s, want, base.Architecture())
		if err != nil {
			return nil, false, err
		}
		for _, container := range containers {
			images[container] = written
			runs := slices.Contains(digests, running[container].Digest)
			if running[container].Digest == "" {
				if runs, err = c.fixed(ctx, s, want, base, container); err != nil {
					return nil, false, err
				}
			}
			same = same && runs
		}
	}
	if len(images) == 0 {
		return nil, false, fmt.Errorf("no entry of spec.containers names one of its containers, in %s", base.Name())
	}
	return images, same, nil
}

// fixed says that a container, of which nobody tells what it runs, names the wanted tag of a repository
// in which that tag cannot move.
func (c *comparer) fixed(ctx context.Context, s subject, want want, base *taskdef.Document, container string) (bool, error) {
	reference := want.reference.In(c.registryFor(s), s.key.Region)
	registry, inECR := reference.Registry()
	has, _ := base.Container(container)
	if !inECR || reference.Tag == "" || has.Image != reference.Tagged() {
		return false, nil
	}
	found, problem := c.fleet.Image(ctx, s.key.Identity, cloud.ImageQuery{
		Registry: registry.AccountID, Region: registry.Region, Repository: reference.Repository, Tag: reference.Tag, Mutability: true,
	})
	if problem != nil {
		return false, problem
	}
	return found.Immutable && (want.digest == "" || found.Digest == want.digest), nil
}

// choose are the containers of a service that take an image.
func (c *comparer) choose(s subject, base *taskdef.Document, want want) ([]string, error) {
	if want.container == "" {
		return taskdef.Choose(base, s.containers, want.reference.In(c.registryFor(s), s.key.Region))
	}
	if _, ok := base.Container(want.container); !ok {
		return nil, nil
	}
	return []string{want.container}, nil
}

func (c *comparer) registryFor(s subject) string { return cmp.Or(c.registry, s.key.Identity.AccountID) }

// write is an image as it would be written into the task definition, and the digests by which it is
// known to run.
func (c *comparer) write(ctx context.Context, s subject, want want, architecture string) (written string, digests []string, err error) {
	reference := want.reference.In(c.registryFor(s), s.key.Region)
	byTag := c.release.Spec.TaskDefinition != nil && c.release.Spec.TaskDefinition.Pin == ecsv1alpha1.PinTag
	registry, inECR := reference.Registry()
	switch {
	case inECR:
		query := cloud.ImageQuery{Registry: registry.AccountID, Region: registry.Region, Repository: reference.Repository, Tag: reference.Tag, Digest: reference.Digest}
		if want.digest != "" {
			query.Tag, query.Digest = "", want.digest // the tag has no say any more
		}
		found, problem := c.fleet.Image(ctx, s.key.Identity, query)
		if problem != nil {
			return "", nil, problem
		}
		want.digest, digests = found.Digest, []string{found.Digest}
		if child := found.Children[goArchitecture(architecture)]; child != "" {
			digests = append(digests, child)
		}
	case want.digest != "":
		digests = []string{want.digest}
	case !byTag:
		return "", nil, fmt.Errorf("image %s is not in ECR, so that its tag cannot be resolved: name the digest, or pin by Tag", want.reference)
	}
	if byTag {
		return reference.Tagged(), digests, nil
	}
	return reference.Pinned(want.digest), digests, nil
}

// goArchitecture is the architecture of a task definition in the words of an image's config.
func goArchitecture(cpu string) string {
	if cpu == taskdef.ArchitectureARM {
		return "arm64"
	}
	return "amd64"
}

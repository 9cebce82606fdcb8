package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/lab"
)

const (
	// Each service is released to new images this often, and then as often to those again.
	rounds       = 3
	idleServices = 5
	// latencySpeed lets a rollout be over when the controller looks for the first time.
	latencySpeed = 200
	// stale is longer than the view of a service is good for, so that each release begins with
	// a look, as it does in a cluster where nothing has happened for a while.
	stale = 6 * time.Second
)

// latency measures how long it takes from a change of a release to its UpdateService.
type latency struct {
	*world
	releases []client.ObjectKey
}

// sample is one release.
type sample struct {
	took  time.Duration
	calls []string // the operations up to UpdateService
}

func newLatency(ctx context.Context, machine *lab.Machine) (*latency, error) {
	say("seeding %d idle services", idleServices)
	var clusters []lab.Cluster
	for i := range idleServices {
		name := fmt.Sprintf("helium-bench-%d", i)
		clusters = append(clusters, lab.Cluster{Region: region, Name: name, Prefix: name + "-", Services: []string{"backend"}})
	}
	w, err := newWorld(ctx, machine, "idle", clusters, "--speed", fmt.Sprint(latencySpeed))
	if err != nil {
		return nil, err
	}
	for i := range idleServices * rounds {
		if _, err := w.aws.Push(ctx, tag(i%idleServices, i/idleServices)); err != nil {
			return nil, err
		}
	}
	return &latency{world: w}, nil
}

// tag is of an image that only one service is released to.
func tag(service, round int) string { return fmt.Sprintf("v%d", 2+service*rounds+round) }

func (l *latency) measure(ctx context.Context) ([]row, error) {
	if err := l.start("--metrics-bind-address=0"); err != nil {
		return nil, err
	}
	for _, cluster := range l.aws.Clusters {
		if err := l.release(ctx, cluster.Name, cluster.Name, cluster.Services...); err != nil {
			return nil, err
		}
		l.releases = append(l.releases, client.ObjectKey{Namespace: l.name, Name: cluster.Name})
	}
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	if err := pause(ctx, stale); err != nil {
		return nil, err
	}
	registered, err := l.releaseAll(ctx, "new images")
	if err != nil {
		return nil, err
	}
	reused, err := l.releaseAll(ctx, "images that were released before")
	if err != nil {
		return nil, err
	}
	if err := l.stop(ctx); err != nil {
		return nil, err
	}
	return []row{
		tabulate("a new revision is registered", registered),
		tabulate("a revision of ours is used again", reused),
	}, nil
}

// releaseAll releases to each service the image of each round, one release after the other.
func (l *latency) releaseAll(ctx context.Context, what string) ([]sample, error) {
	say("releasing %d times, one after the other, to %s", idleServices*rounds, what)
	var samples []sample
	for round := range rounds {
		for service, key := range l.releases {
			taken, err := l.sample(ctx, key, tag(service, round))
			if err != nil {
				return nil, err
			}
			samples = append(samples, taken)
			if err := l.ready(ctx); err != nil {
				return nil, err
			}
		}
	}
	return samples, nil
}

// sample changes the image of a release and waits until AWS has executed UpdateService.
func (l *latency) sample(ctx context.Context, key client.ObjectKey, tag string) (sample, error) {
	after, err := l.last(ctx)
	if err != nil {
		return sample{}, err
	}
	release := &ecsv1alpha1.EcsRelease{}
	release.Namespace, release.Name = key.Namespace, key.Name
	patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"spec":{"image":"%s:%s"}}`, lab.Repository, tag))
	began := time.Now()
	if err := l.machine.Client.Patch(ctx, release, patch); err != nil {
		return sample{}, fmt.Errorf("setting the image of %s: %w", key, err)
	}
	var taken sample
	err = l.await(ctx, "UpdateService", func() (bool, error) {
		made, err := l.calls(ctx, after)
		if err != nil {
			return false, err
		}
		end := slices.IndexFunc(made, func(one call) bool { return one.Operation == "UpdateService" })
		if end < 0 {
			return false, nil
		}
		taken.took = made[end].Time.Sub(began)
		for _, one := range made[:end+1] {
			taken.calls = append(taken.calls, one.Operation)
		}
		return true, nil
	})
	return taken, err
}

// tabulate makes a row of samples: the times, and the calls that the most of them made.
func tabulate(what string, samples []sample) row {
	var times []time.Duration
	var lengths []int
	count := map[string]int{}
	for _, one := range samples {
		times = append(times, one.took)
		lengths = append(lengths, len(one.calls))
		count[strings.Join(one.calls, ", ")]++
	}
	slices.Sort(times)
	slices.Sort(lengths)
	usual := ""
	for calls, n := range count {
		if n > count[usual] || n == count[usual] && calls < usual {
			usual = calls
		}
	}
	return row{
		what: "`apply` to UpdateService, where " + what,
		setup: fmt.Sprintf("%d releases of one service each, one after the other, on services idle for more than 5 s; default flags; latency of the simulator 0, its rollouts %d times as fast as AWS's; from the write to the Kubernetes API to the moment that AWS executes UpdateService",
			len(samples), latencySpeed),
		result: fmt.Sprintf("p50 **%s**, p99 **%s**; %d AWS calls in a row at the median (%d to %d), most often %s",
			percentile(times, 50).Round(time.Millisecond), percentile(times, 99).Round(time.Millisecond),
			percentile(lengths, 50), lengths[0], lengths[len(lengths)-1], usual),
	}
}

// percentile is the smallest of the sorted values that p per cent of them do not exceed.
func percentile[T any](sorted []T, p int) T {
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

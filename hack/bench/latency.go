package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/lab"
)

const (
	// stale is longer than the view of a service is good for, so that each release begins with
	// a look, as it does in a cluster where nothing has happened for a while.
	stale = 6 * time.Second

	// The environments: one without gates, one with all of them, and the one that it promotes from.
	openGates, allGates, staging = "open", "gated", "staging"
	// The clusters of an environment have services of the same names and families. What is released in
	// the first is registered for that, and used again in the second.
	first, second = "-first", "-second"
	// helium begins the names of all that the policy of the roles is about.
	helium = "helium-"
)

// environmentOf is the environment of a cluster.
func environmentOf(cluster string) string {
	return strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(cluster, helium), first), second)
}

// latency measures how long it takes from a change of a release to its UpdateService.
type latency struct{ *world }

// sample is one release.
type sample struct {
	took  time.Duration
	calls []string // the operations up to UpdateService
}

// latencies is the measurement.
func latencies(ctx context.Context, b *bench) (rows []row, err error) {
	say("seeding services that are idle, %d of each kind", b.size.samples)
	var services []string
	for i := range b.size.samples {
		services = append(services, idle(i))
	}
	var clusters []lab.Cluster
	for _, name := range []string{openGates + first, openGates + second, allGates + first, allGates + second, staging} {
		clusters = append(clusters, lab.Cluster{Region: region, Name: helium + name, Prefix: helium + environmentOf(name) + "-", Services: services})
	}
	w, err := newWorld(ctx, b, "latency", clusters, openGates, allGates, staging)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	l := &latency{w}
	if err := l.prepare(ctx); err != nil {
		return nil, err
	}
	for _, environment := range []string{openGates, allGates} {
		for _, half := range []string{first, second} {
			samples, err := l.sampleAll(ctx, environment, half)
			if err != nil {
				return nil, err
			}
			rows = append(rows, tabulate(environment, half, samples))
		}
	}
	return rows, nil
}

// idle is the name of a service. None is the beginning of another.
func idle(i int) string { return fmt.Sprintf("service-%03d", i) }

// tag is of an image that only the services of one name are released to.
func tag(environment string, i int) string { return fmt.Sprintf("%s-%03d", environment, i) }

// prepare releases v1 everywhere and to staging what is promoted from there, and waits until nothing happens.
func (l *latency) prepare(ctx context.Context) error {
	if err := l.aws.Settle(ctx); err != nil {
		return err
	}
	for _, environment := range []string{openGates, allGates} {
		for i := range l.size.samples {
			if _, err := l.aws.Push(ctx, tag(environment, i)); err != nil {
				return err
			}
		}
	}
	if err := l.gate(ctx); err != nil {
		return err
	}
	if err := l.begin(ctx); err != nil {
		return err
	}
	if err := l.start(); err != nil {
		return err
	}
	say("releasing to staging what is promoted from there")
	releases := 0
	for _, cluster := range l.aws.Clusters {
		for i, service := range cluster.Services {
			environment := environmentOf(cluster.Name)
			image := "v1"
			if environment == staging {
				image = tag(allGates, i)
			}
			if err := l.release(ctx, key(environment, cluster.Name+"-"+service), image, toCluster(cluster.Name), service); err != nil {
				return err
			}
			releases++
		}
	}
	if err := l.ready(ctx, releases); err != nil {
		return err
	}
	return pause(ctx, stale)
}

// gate puts all gates up that an environment can have. They are open.
func (l *latency) gate(ctx context.Context) error {
	gated := environment(allGates)
	gated.Spec.Images = &ecsv1alpha1.ImagePolicy{RequireLabels: map[string]ecsv1alpha1.LabelValues{lab.BranchLabel: {lab.Branch}}}
	gated.Spec.Promotion = &ecsv1alpha1.Promotion{From: staging}
	gated.Spec.Windows = []ecsv1alpha1.Window{{Effect: ecsv1alpha1.WindowAllow, Schedule: "0 0 * * *", DurationSeconds: 2 * 24 * 60 * 60, TimeZone: "Asia/Kolkata"}}
	if err := l.machine.Client.Delete(ctx, environment(allGates)); err != nil {
		return fmt.Errorf("deleting environment %s: %w", allGates, err)
	}
	if err := l.machine.Client.Create(ctx, gated); err != nil {
		return fmt.Errorf("creating environment %s: %w", allGates, err)
	}
	return nil
}

// sampleAll releases to each service of a cluster, one after the other.
func (l *latency) sampleAll(ctx context.Context, environment, half string) ([]sample, error) {
	say("releasing %d times, one after the other, to %s%s", l.size.samples, environment, half)
	var samples []sample
	for i := range l.size.samples {
		taken, err := l.sample(ctx, environment, helium+environment+half, i)
		if err != nil {
			return nil, err
		}
		samples = append(samples, taken)
		if err := pause(ctx, l.size.pace); err != nil {
			return nil, err
		}
	}
	return samples, nil
}

// sample changes the image of a release and waits until AWS has executed UpdateService. Then it takes the
// release away: nothing more is to happen while the next one is timed.
func (l *latency) sample(ctx context.Context, environment, cluster string, i int) (sample, error) {
	if _, err := l.next(ctx); err != nil {
		return sample{}, err
	}
	name := key(environment, cluster+"-"+idle(i))
	began, err := l.bump(ctx, name, tag(environment, i))
	if err != nil {
		return sample{}, err
	}
	var taken sample
	err = l.await(ctx, "UpdateService", func() (bool, error) {
		made, err := l.next(ctx)
		for _, one := range made {
			if !concerns(one, idle(i)) {
				continue
			}
			taken.calls = append(taken.calls, one.Operation)
			if one.updates(cluster, idle(i)) {
				taken.took = one.Time.Sub(began)
				return true, nil
			}
		}
		return false, err
	})
	if err != nil {
		return sample{}, err
	}
	return taken, l.forget(ctx, name)
}

// services are those that a call names.
var services = regexp.MustCompile(`service-\d{3}`)

// concerns says whether a call may be one for a service: it names that one, or none.
func concerns(made call, service string) bool {
	named := services.FindAllString(string(made.Request), -1)
	return len(named) == 0 || slices.Contains(named, service)
}

// tabulate makes a row of samples: the times, and the calls that the most of them made.
func tabulate(environment, half string, samples []sample) row {
	var times []time.Duration
	var lengths []int
	var calls []string
	for _, one := range samples {
		times = append(times, one.took)
		lengths = append(lengths, len(one.calls))
		calls = append(calls, strings.Join(one.calls, ", "))
	}
	slices.Sort(lengths)
	gates := map[string]string{
		openGates: "no gates",
		allGates:  "the gates `requireLabels`, `promotion` and a window, all open",
	}[environment]
	what := map[string]string{first: "a new revision is registered", second: "a revision of ours is used again"}[half]
	return row{
		measure: fmt.Sprintf("`apply` to UpdateService, idle, %s: %s", map[string]string{openGates: "gates off", allGates: "gates on"}[environment], what),
		how: fmt.Sprintf("%d releases of one service each, one after the other, each to an image of its own, on services last looked at more than 5 s before; %s; from the write to the Kubernetes API to the moment that AWS executes UpdateService",
			len(samples), gates),
		must: "p50 1s, p99 3s",
		reached: fmt.Sprintf("%s; %d AWS calls in a row at the median (%d to %d), most often %s",
			spread(times), percentile(lengths, 50), lengths[0], lengths[len(lengths)-1], usual(calls)),
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/lab"
)

const (
	// dense is how many services a cluster of the fleet has at most.
	dense = 1000
	// slow is an image that takes longer to start than anybody measures.
	slow = "v2"
)

// away is where the release is that is in flight, a cluster in the home region.
var away = lab.Cluster{Region: region, Name: "helium-in-flight", Prefix: "helium-in-flight-", Services: []string{"backend"}}

// regions are where a fleet of several targets is.
var regions = []string{region, "ap-southeast-1", "us-east-1"}

// fleet is many releases of one service each, which runs in some regions.
type fleet struct {
	*world
	targets   int
	sweeps    int                  // that are watched
	slow      types.NamespacedName // the release that is in flight for a while
	profile   string               // where the manager serves profiles; "": nowhere
	profiling errgroup.Group
	scraper   *scraper // of the manager that runs; nil: there is none
}

// narrow is the measurement of a fleet of one target, which is looked at from all sides.
func narrow(ctx context.Context, b *bench) ([]row, error) { return aFleet(ctx, b, 1, memoryLimit) }

// wide is that of a fleet of three targets, which is weighed.
func wide(ctx context.Context, b *bench) ([]row, error) {
	return aFleet(ctx, b, len(regions), "512MiB")
}

func aFleet(ctx context.Context, b *bench, targets int, limit string) (rows []row, err error) {
	say("seeding %d services in each of %d regions", b.size.releases, targets)
	clusters := []lab.Cluster{away}
	for _, region := range regions[:targets] {
		for i := range b.size.releases {
			if i%dense == 0 {
				clusters = append(clusters, lab.Cluster{Region: region, Name: clusterOf(i), Prefix: helium})
			}
			last := &clusters[len(clusters)-1]
			last.Services = append(last.Services, member(i))
		}
	}
	w, err := newWorld(ctx, b, fmt.Sprintf("fleet-%d", targets), clusters, production)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	w.limit = limit
	f := &fleet{world: w, targets: targets, sweeps: b.size.sweeps, slow: key(production, away.Name)}
	defer func() {
		if ended := f.unscraped(); err == nil {
			err = ended
		}
	}()
	if targets > 1 {
		f.sweeps = 1 // enough to have seen everything
	}
	crowded, err := f.converge(ctx)
	if err != nil {
		return nil, err
	}
	again, err := f.restart(ctx)
	if err != nil {
		return nil, err
	}
	calm, err := f.watch(ctx)
	if err != nil {
		return nil, err
	}
	weight, err := f.weigh(crowded)
	if err != nil || targets > 1 {
		return []row{weight}, err
	}
	return append([]row{weight}, append(calm, again...)...), nil
}

// clusterOf and member name the place of a release in the fleet.
func clusterOf(i int) string { return fmt.Sprintf("helium-fleet-%02d", i/dense) }
func member(i int) string    { return fmt.Sprintf("service-%05d", i) }

// converge applies all releases at once and waits until all services are known to run what they ask for. It
// returns what the manager that does it has in memory then. AWS's quotas are off meanwhile; the manager
// holds to all of what they would be.
func (f *fleet) converge(ctx context.Context) (memory, error) {
	if err := f.aws.Settle(ctx); err != nil {
		return memory{}, err
	}
	say("creating %d releases of %d targets, and waiting until all have converged", f.size.releases, f.targets)
	if err := f.begun(ctx, "--quota-share=1"); err != nil {
		return memory{}, err
	}
	if err := f.release(ctx, f.slow, "v1", toCluster(away.Name), away.Services...); err != nil {
		return memory{}, err
	}
	err := each(ctx, f.size.releases, func(ctx context.Context, i int) error {
		var targets []ecsv1alpha1.Target
		for _, region := range regions[:f.targets] {
			targets = append(targets, ecsv1alpha1.Target{Name: region, Region: region, Cluster: clusterOf(i)})
		}
		return f.release(ctx, key(production, member(i)), "v1", targets, member(i))
	})
	if err != nil {
		return memory{}, err
	}
	f.profiled(ctx, "bump")
	if err := f.ready(ctx, f.size.releases+1); err != nil {
		return memory{}, err
	}
	if err := f.profiling.Wait(); err != nil {
		return memory{}, err
	}
	crowded, err := memoryOf(f.manager.PID())
	if err != nil || f.profiles == "" {
		return crowded, err
	}
	return crowded, profile(ctx, f.profile, ofHeap, f.profiles, fmt.Sprintf("heap-%d", f.targets))
}

// begun starts the manager, which serves metrics, and profiles where they are asked for.
func (f *fleet) begun(ctx context.Context, args ...string) error {
	flags, err := f.scraped(ctx)
	if err != nil {
		return err
	}
	args = append(args, flags...)
	if f.profiles != "" {
		if f.profile, err = lab.FreeAddress(); err != nil {
			return err
		}
		args = append(args, "--pprof-bind-address="+f.profile)
	}
	return f.start(args...)
}

// profiled takes a profile of the manager while something goes on, where profiles are asked for.
func (f *fleet) profiled(ctx context.Context, what string) {
	if f.profiles == "" {
		return
	}
	address := f.profile
	f.profiling.Go(func() error {
		return profile(ctx, address, ofCPU(f.size.profiled), f.profiles, fmt.Sprintf("%s-%d", what, f.targets))
	})
}

// restart brings one release on its way, ends the manager in order and starts it with the flags of a user's.
func (f *fleet) restart(ctx context.Context) ([]row, error) {
	digest, err := f.aws.Push(ctx, slow)
	if err != nil {
		return nil, err
	}
	behavior := map[string]any{"image": "*" + digest, "kind": "SlowStart", "seconds": 24 * 60 * 60}
	if err := f.aws.AWS.Admin(ctx, http.MethodPut, "images", behavior, nil); err != nil {
		return nil, err
	}
	if _, err := f.bump(ctx, f.slow, slow); err != nil {
		return nil, err
	}
	err = f.await(ctx, "UpdateService", func() (bool, error) {
		made, err := f.next(ctx)
		for _, one := range made {
			if one.updates(away.Name, away.Services[0]) {
				return true, nil
			}
		}
		return false, err
	})
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, time.Second); err != nil { // it is written down
		return nil, err
	}
	say("starting the manager again")
	if err := errors.Join(f.unscraped(), f.stop()); err != nil {
		return nil, err
	}
	if err := f.begin(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := f.begun(ctx, "--sweep-interval="+f.size.sweep.String()); err != nil {
		return nil, err
	}
	all, flying, err := f.observed(ctx, began)
	if err != nil {
		return nil, err
	}
	how := fmt.Sprintf("%d converged releases in clusters of up to %d, and one in flight; ended by SIGTERM, so that the lease is free; from the start of the process", f.size.releases, dense)
	return []row{
		{measure: fmt.Sprintf("restart at %d: all services observed", f.size.releases), how: how + " to the last service's first DescribeServices in AWS's journal", must: "120s at half share", reached: "**" + brief(all) + "**"},
		{measure: fmt.Sprintf("restart at %d: what was in flight resumed", f.size.releases), how: how + " to the first DescribeServices of what is in flight", must: "15s", reached: "**" + brief(flying) + "**"},
	}, nil
}

// observed waits until every service was looked at, and says how long after a moment the last of them was,
// and the one in flight.
func (f *fleet) observed(ctx context.Context, began time.Time) (all, flying time.Duration, err error) {
	looked := map[string]bool{}
	err = f.await(ctx, "all services to be looked at", func() (bool, error) {
		made, err := f.next(ctx)
		for _, one := range made {
			cluster, services := one.looked()
			for _, service := range services {
				at := strings.Join([]string{one.Region, cluster, service}, "/")
				if looked[at] {
					continue
				}
				looked[at] = true
				all = one.Time.Sub(began)
				if cluster == away.Name {
					flying = all
				}
			}
		}
		return len(looked) == f.size.releases*f.targets+1, err
	})
	return all, flying, err
}

// interval is what happened between two glances at the manager.
type interval struct {
	took, worked time.Duration
	looks        int
}

// gaze is how often and for how long a service was seen to be looked at, and what that cost.
type gaze struct {
	first, last time.Time
	looks       int
	calls       float64 // from the first look, which is not among them, to the last
}

// gazes are those at all services of the fleet. From the first look at a service to its last there are
// whole intervals, wherever the watch begins and ends.
type gazes map[string]*gaze

// add notes a call. One that is about several services is shared out among them. What is in flight is not
// of the fleet.
func (g gazes) add(one *call) {
	cluster, services := one.looked()
	if cluster == away.Name {
		return
	}
	for _, service := range services {
		at := strings.Join([]string{one.Region, cluster, service}, "/")
		if g[at] == nil {
			g[at] = &gaze{first: one.Time, last: one.Time, looks: 1}
			continue
		}
		g[at].looks++
		g[at].last = one.Time
		g[at].calls += 1 / float64(len(services))
	}
}

// seen says whether so many services were looked at so many times.
func (g gazes) seen(services, times int) bool {
	if len(g) < services {
		return false
	}
	for _, one := range g {
		if one.looks < times {
			return false
		}
	}
	return true
}

// rate is how many calls an hour a service costs, and how long it is from one look at it to the next.
func (g gazes) rate() (perHour float64, interval time.Duration) {
	var calls float64
	var lasted time.Duration
	intervals := 0
	for _, one := range g {
		calls += one.calls
		lasted += one.last.Sub(one.first)
		intervals += one.looks - 1
	}
	if lasted == 0 {
		return 0, 0
	}
	return calls / lasted.Hours(), lasted / time.Duration(intervals)
}

// watch counts what happens while all services are looked at some times, and nothing is to be done.
func (f *fleet) watch(ctx context.Context) ([]row, error) {
	if err := f.forget(ctx, f.slow); err != nil {
		return nil, err
	}
	if err := pause(ctx, f.size.sweep/10); err != nil { // what the first looks led to ends
		return nil, err
	}
	say("watching %d sweeps", f.sweeps)
	before, err := f.statusWrites(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := f.next(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	var profiled bool
	var looks, others, changes int
	var intervals []interval
	all := gazes{}
	for !all.seen(f.size.releases*f.targets, f.sweeps+1) {
		worked, err := f.worked(ctx)
		if err != nil {
			return nil, err
		}
		made, err := f.next(ctx)
		if err != nil {
			return nil, err
		}
		for _, one := range made {
			_, services := one.looked()
			looks += len(services)
			worked.looks += len(services)
			all.add(&one)
			if len(services) == 0 {
				others++
			}
			if one.changes() {
				changes++
			}
		}
		if worked.looks > 0 && !profiled { // until now nothing was to be done
			f.profiled(ctx, "sweep")
			profiled = true
		}
		intervals = append(intervals, worked)
		if err := f.machine.Alive(); err != nil {
			return nil, err
		}
	}
	if err := f.profiling.Wait(); err != nil {
		return nil, err
	}
	after, err := f.statusWrites(ctx)
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	perHour, apart := all.rate()
	perHour += float64(others) / float64(len(all)) / took.Hours()
	how := fmt.Sprintf("%d releases of one service each in clusters of up to %d, `--sweep-interval=%s`, %d looks at services in %s; metrics scraped every %s, by HTTP", f.size.releases, dense, f.size.sweep, looks, brief(took), f.size.scrape)
	return []row{{
		measure: "AWS calls per service-hour, converged, dense clusters",
		how:     how + fmt.Sprintf("; calls by services and hours, from the first look at each service to its last: %d whole intervals or more, %s on average, so that the edges of the watch do not count", f.sweeps, brief(apart)),
		must:    "1.5, at an interval of 5m; 0 mutations, 0 status writes",
		reached: fmt.Sprintf("**%.2f**; %d mutations, %.0f status writes", perHour, changes, after-before),
	}, {
		measure: fmt.Sprintf("CPU, %d converged", f.size.releases),
		how:     how + fmt.Sprintf("; utime and stime of the process, read every %s: in those intervals in which nothing was looked at, and in those of a sweep", f.size.glance),
		must:    "0.05 core idle, 0.2 in a sweep",
		reached: load(intervals),
	}}, nil
}

// worked waits for a glance, and says how much the manager worked meanwhile.
func (f *fleet) worked(ctx context.Context) (interval, error) {
	before, err := workOf(f.manager.PID())
	if err != nil {
		return interval{}, err
	}
	began := time.Now()
	if err := pause(ctx, f.size.glance); err != nil {
		return interval{}, err
	}
	after, err := workOf(f.manager.PID())
	return interval{took: time.Since(began), worked: after - before}, err
}

// load is the share of a core that was used while nothing was looked at, and in sweeps.
func load(intervals []interval) string {
	var idle, sweep interval
	for _, one := range intervals {
		sum := &idle
		if one.looks > 0 {
			sum = &sweep
		}
		sum.took += one.took
		sum.worked += one.worked
	}
	return fmt.Sprintf("idle **%s** (%s), in a sweep **%s** (%s)", idle.cores(), brief(idle.took), sweep.cores(), brief(sweep.took))
}

func (i interval) cores() string {
	if i.took == 0 {
		return "never"
	}
	return fmt.Sprintf("%.3f core", i.worked.Seconds()/i.took.Seconds())
}

// weigh says what the managers have in memory: the one that met all releases new, and the one now.
func (f *fleet) weigh(crowded memory) (row, error) {
	now, err := memoryOf(f.manager.PID())
	if err != nil {
		return row{}, err
	}
	must, what := "256 MiB", "1 target"
	if f.targets > 1 {
		must, what = "512 MiB", fmt.Sprintf("%d targets", f.targets)
	}
	return row{
		measure: fmt.Sprintf("resident memory at %d releases of %s", f.size.releases, what),
		how:     fmt.Sprintf("VmRSS (at rest) and VmHWM (the peak) of the process, `GOMEMLIMIT=%s`, metrics scraped every %s, after a restart and %d sweeps; and of the process before it, to which all releases were new at once. A limit of the Pod's memory has to be above the peaks", f.limit, f.size.scrape, f.sweeps),
		must:    must,
		reached: fmt.Sprintf("at rest **%s**, peak **%s**; before the restart %s, peak **%s**", mebibytes(now.resident), mebibytes(now.peak), mebibytes(crowded.resident), mebibytes(crowded.peak)),
	}, nil
}

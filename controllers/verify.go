package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/probe"
)

const (
	// askAgain is how long to wait between two tries of a check, where the fast cadence is no shorter.
	askAgain = 2 * time.Second
	// askAtOnce is how many checks are made side by side.
	askAtOnce = 16
	// tellAgain is how often a release is woken at most because a check fails in another way.
	tellAgain = 10 * time.Second
)

// verifier makes the checks of targets in the background, so that no worker waits for them, and
// wakes the release when there is news. How often a check passed in a row is memory of this process
// only: a restart begins to count anew. The zero value makes none.
type verifier struct {
	fleet      *cloud.Fleet
	prober     *probe.Prober
	endpoints  *EndpointReconciler // nil: no endpoint is known
	enqueue    func(types.NamespacedName)
	fast, slow time.Duration

	mu    sync.Mutex
	run   context.Context // of Start; nil before
	jobs  map[types.NamespacedName]map[string]*job
	loops sync.WaitGroup
	turns chan struct{}
}

// assignment is what to check in one target.
type assignment struct {
	// mark tells apart what is checked: another content, or other checks, are another mark.
	mark string
	// since is since when the wave runs the image: from then on counts what a check may take.
	since time.Time
	// finished says that the wave has finished: that a check does not pass is told, and no failure.
	finished bool
	checks   []ecsv1alpha1.Verification
	services []served
}

// served is a service of a target that is checked.
type served struct {
	key      cloud.Key
	revision string
	// idle says that it is to run no tasks: there is nobody to ask.
	idle bool
}

// progress is how far the checks of a target are.
type progress struct {
	// passed is when all had passed; zero: they have not.
	passed  time.Time
	message string
	late    bool
}

// job is an assignment that is being carried out.
type job struct {
	assignment
	owner  types.NamespacedName
	cancel context.CancelFunc // nil before it was begun
	// progress belongs to the verifier's mu, states to the job's loop.
	progress progress
	told     time.Time
	states   []state
}

// state is how far one check is.
type state struct {
	inARow  int32
	passed  bool
	message string
}

// Start makes the checks that are assigned until ctx is done, and returns when none is being made
// any more. It may be called once.
func (v *verifier) Start(ctx context.Context) error {
	v.mu.Lock()
	v.run, v.turns = ctx, make(chan struct{}, askAtOnce)
	for _, targets := range v.jobs {
		for _, j := range targets {
			v.begin(j)
		}
	}
	v.mu.Unlock()
	<-ctx.Done()
	v.mu.Lock()
	v.run = nil
	v.mu.Unlock()
	v.loops.Wait()
	return nil
}

// NeedLeaderElection says that only the leader makes checks.
func (v *verifier) NeedLeaderElection() bool { return true }

// assign says what is to be checked for a release now, by target. What is being checked already
// goes on; all else ends.
func (v *verifier) assign(owner types.NamespacedName, wanted map[string]assignment) {
	v.mu.Lock()
	defer v.mu.Unlock()
	targets := v.jobs[owner]
	for target, j := range targets {
		if a, ok := wanted[target]; ok && a.mark == j.mark && a.since.Equal(j.since) && a.finished == j.finished {
			continue
		}
		if j.cancel != nil {
			j.cancel()
		}
		delete(targets, target)
	}
	for target, a := range wanted {
		if targets[target] != nil {
			continue
		}
		if targets == nil {
			targets = map[string]*job{}
		}
		targets[target] = &job{assignment: a, owner: owner, states: make([]state, len(a.checks))}
		v.begin(targets[target])
	}
	if v.jobs == nil {
		v.jobs = map[types.NamespacedName]map[string]*job{}
	}
	v.jobs[owner] = targets
	if len(targets) == 0 {
		delete(v.jobs, owner)
	}
}

// of is how far the checks of a target are with what mark stands for; zero where nothing is known.
func (v *verifier) of(owner types.NamespacedName, target, mark string) progress {
	v.mu.Lock()
	defer v.mu.Unlock()
	if j := v.jobs[owner][target]; j != nil && j.mark == mark {
		return j.progress
	}
	return progress{}
}

// lateFor is, by target, why the checks did not pass in time; mark says what each target runs.
func (v *verifier) lateFor(owner types.NamespacedName, mark func(target string) string) map[string]string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var late map[string]string
	for target, j := range v.jobs[owner] {
		if !j.progress.late || j.finished || j.mark != mark(target) {
			continue
		}
		if late == nil {
			late = map[string]string{}
		}
		late[target] = j.progress.message
	}
	return late
}

// begin carries a job out, once Start has been called; the caller holds mu.
func (v *verifier) begin(j *job) {
	if v.run == nil || j.cancel != nil {
		return
	}
	var ctx context.Context
	ctx, j.cancel = context.WithCancel(v.run)
	begun := time.Now()
	v.loops.Go(func() {
		defer j.cancel()
		for pause := time.Duration(0); pause >= 0; {
			timer := time.NewTimer(pause)
			select {
			case <-timer.C:
				pause = v.round(ctx, j, begun)
			case <-ctx.Done():
				timer.Stop()
				return
			}
		}
	})
}

// round tries every check of a job that has not passed yet, and says when to do so again; a
// negative time: never.
func (v *verifier) round(ctx context.Context, j *job, begun time.Time) time.Duration {
	since := j.since
	if j.finished {
		since = begun
	}
	now := progress{}
	var open []string
	for i := range j.states {
		s, within := &j.states[i], withinOf(j.checks[i])
		if s.passed {
			continue
		}
		v.try(ctx, j, i)
		if ctx.Err() != nil {
			return -1
		}
		if s.passed {
			continue
		}
		message := s.message
		if s.inARow == 0 && time.Since(since) > within {
			now.late = true
			message = fmt.Sprintf("not passed within %s: %s", within, message)
		}
		open = append(open, message)
	}
	now.message = clip(strings.Join(open, "; "), 1000) // a failure holds so much
	if len(open) == 0 {
		now.passed = time.Now()
	}
	v.note(j, now)
	switch {
	case len(open) == 0, now.late && !j.finished:
		return -1
	case now.late:
		return v.slow
	default:
		return min(askAgain, v.fast)
	}
}

// note takes down how far a job is, and wakes its release if that is news.
func (v *verifier) note(j *job, now progress) {
	v.mu.Lock()
	was := j.progress
	j.progress = now
	news := now.late != was.late || !now.passed.IsZero() || now.message != was.message && time.Since(j.told) >= tellAgain
	if news {
		j.told = time.Now()
	}
	v.mu.Unlock()
	if news {
		v.enqueue(j.owner)
	}
}

// try makes one check once.
func (v *verifier) try(ctx context.Context, j *job, i int) {
	select {
	case v.turns <- struct{}{}:
		defer func() { <-v.turns }()
	case <-ctx.Done():
		return
	}
	check, s := j.checks[i], &j.states[i]
	var ok bool
	wanted := int32(1)
	switch {
	case check.HTTP != nil:
		ok, s.message = v.ask(ctx, j, check.HTTP)
		wanted = valueOr(check.HTTP.Successes, ecsv1alpha1.DefaultSuccesses)
	case check.TargetHealth != nil:
		ok, s.message = v.healthy(ctx, j)
	case check.Endpoint != "" && v.endpoints != nil:
		ok, s.message = v.reachable(ctx, j, check.Endpoint)
	default:
		s.message = "the check says neither http nor targetHealth nor endpoint"
	}
	if !ok {
		s.inARow = 0
		return
	}
	s.inARow++
	s.passed = s.inARow >= wanted
	s.message += fmt.Sprintf("; wanted %d times in a row", wanted)
}

// ask asks a URL once: by the name that it has, or at every load balancer of the target's services.
func (v *verifier) ask(ctx context.Context, j *job, check *ecsv1alpha1.HTTPCheck) (bool, string) {
	request := probe.Request{URL: check.URL, ExpectStatus: int(valueOr(check.ExpectStatus, ecsv1alpha1.DefaultExpectStatus))}
	if check.Via == ecsv1alpha1.ViaPublic {
		result := v.prober.Check(ctx, request)
		return result.OK, result.Message
	}
	var fronts []string
	idle := true
	for _, s := range j.services {
		if s.idle {
			continue
		}
		idle = false
		names, problem := v.fleet.Fronts(ctx, s.key)
		if problem != nil {
			return false, problem.Message
		}
		fronts = append(fronts, names...)
	}
	switch {
	case idle:
		return true, "scaled to zero: there is nobody to ask"
	case len(fronts) == 0:
		return false, "cannot be made: no service of the target has an application load balancer to ask; check with via: Public, or not at all"
	}
	slices.Sort(fronts)
	var said string
	for _, name := range slices.Compact(fronts) {
		request.Address = name
		result := v.prober.Check(ctx, request)
		if !result.OK {
			return false, result.Message
		}
		said = result.Message
	}
	return true, said
}

// reachable looks whether an endpoint leads to the target.
func (v *verifier) reachable(ctx context.Context, j *job, endpoint string) (bool, string) {
	if len(j.services) == 0 {
		return true, "there is nothing to lead to"
	}
	return v.endpoints.Check(ctx, types.NamespacedName{Namespace: j.owner.Namespace, Name: endpoint}, j.services[0].key.Region, j.services, j.since)
}

// healthy asks the target groups of the target's services about the tasks of their revisions.
func (v *verifier) healthy(ctx context.Context, j *job) (bool, string) {
	var asked, idle int
	for _, s := range j.services {
		if s.idle {
			idle++
			continue
		}
		health, problem := v.fleet.TargetHealth(ctx, s.key, s.revision, j.since)
		switch {
		case problem != nil:
			return false, problem.Message
		case len(health.Groups) == 0:
			continue
		case health.Expected == 0:
			return false, fmt.Sprintf("service %s: no task of %s runs", s.key.Service, s.revision)
		case health.Healthy < health.Expected:
			said := fmt.Sprintf("service %s: %d of %d tasks of %s are healthy in %s",
				s.key.Service, health.Healthy, health.Expected, s.revision, strings.Join(health.Groups, ", "))
			if len(health.Unhealthy) > 0 {
				first := health.Unhealthy[0]
				said += fmt.Sprintf("; %s is %s in %s", first.Target, cmp.Or(first.State, "unknown"), first.TargetGroup)
				if why := cmp.Or(first.Description, first.Reason); why != "" {
					said += " (" + why + ")"
				}
			}
			return false, said
		}
		asked++
	}
	switch {
	case asked > 0:
		return true, "every task is healthy in its target groups"
	case idle == len(j.services):
		return true, "scaled to zero: there is nobody to ask"
	default:
		return false, "cannot be made: no service of the target has a target group to ask; check in another way, or not at all"
	}
}

// withinOf is how long a check may take to pass.
func withinOf(check ecsv1alpha1.Verification) time.Duration {
	var within *int32
	switch {
	case check.HTTP != nil:
		within = check.HTTP.WithinSeconds
	case check.TargetHealth != nil:
		within = check.TargetHealth.WithinSeconds
	}
	return seconds(valueOr(within, ecsv1alpha1.DefaultWithinSeconds))
}

// valueOr is what an optional field says, or what its absence means.
func valueOr(field *int32, absent int32) int32 {
	if field == nil {
		return absent
	}
	return *field
}

package cloud

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// batchSize is how many services DescribeServices takes in one call.
const batchSize = 10

// reflector keeps the views of the services of one neighbourhood up to date. Services in flight go
// first, then looks that somebody waits for, then the sweep over those that have settled, to which
// the first looks at them belong. A sweep is one event for all of them, so that its calls are full
// of ten.
type reflector struct {
	fleet   *Fleet
	at      neighbourhood
	session *session
	wake    chan struct{}

	// The fleet's lock guards what follows.
	services    map[string]*watched
	gone        bool // the last service left
	fastAt      time.Time
	slowAt      time.Time
	pausedUntil time.Time
	failures    int // looks in a row that came to nothing for a passing reason
	pace        pace
}

// loop looks until the fleet stops or the last service has left.
func (r *reflector) loop() {
	ctx := r.fleet.run
	for ctx.Err() == nil {
		next := r.plan(time.Now())
		if next.done {
			return
		}
		if !next.ready {
			r.sleep(ctx, next.wait)
			continue
		}
		began := time.Now()
		if problem := r.fleet.become(ctx, r.session); problem != nil {
			if ctx.Err() == nil {
				r.fail(r.pending(began), began, problem)
			}
			continue
		}
		if wait, ok := r.fleet.budget.takeFor(claimant{environment: r.at.identity.Environment, reflector: r}, r.session.bucket(describeServices), next.haste); !ok {
			r.sleep(ctx, min(wait, next.wait))
			continue
		}
		if names := r.pick(time.Now()); len(names) > 0 {
			r.look(ctx, names)
		}
	}
}

// plan is what a reflector does next.
type plan struct {
	done  bool // nothing ever again
	ready bool // a look
	haste haste
	wait  time.Duration // after which there may be something else to do, or something more urgent
}

// plan says what there is to do.
func (r *reflector) plan(now time.Time) plan {
	f := r.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.gone {
		return plan{done: true}
	}
	inFlight := r.inFlight()
	fast, slow := inFlight && !r.fastAt.After(now), !r.slowAt.After(now)
	if fast {
		r.fastAt = now.Add(f.options.Fast)
	}
	if slow {
		r.slowAt = now.Add(jitter(f.options.Slow))
	}
	next := r.slowAt
	if inFlight && r.fastAt.Before(next) {
		next = r.fastAt
	}
	p, asked := plan{haste: sweep}, 0
	for _, w := range r.services {
		if w.inFlight() {
			w.due = w.due || fast
		} else {
			w.due = w.due || slow
		}
		p.ready = p.ready || w.due
		if w.urgent(now) {
			p.haste = urgent
		}
		if w.asked(now) {
			asked++
		}
		for _, a := range w.asks {
			if !a.from.After(now) {
				p.ready = true
			} else if a.from.Before(next) {
				next = a.from
			}
		}
	}
	p.ready = p.ready || asked >= batchSize
	if r.pausedUntil.After(now) {
		p.ready, next = false, r.pausedUntil
	}
	p.wait = max(next.Sub(now), time.Millisecond)
	return p
}

// rank is what services are looked at first.
type rank int

const (
	rankInFlight rank = iota
	rankAwaited
	rankSettled
)

// candidate is a service that a look is due or asked for. The zero value is none.
type candidate struct {
	name string
	rank rank
	seen time.Time
}

// compare orders candidates by rank, and of one rank by how long ago they were seen.
func (c candidate) compare(other candidate) int {
	return cmp.Or(cmp.Compare(c.rank, other.rank), c.seen.Compare(other.seen), strings.Compare(c.name, other.name))
}

// earlier is the one of two that goes first.
func (c candidate) earlier(other candidate) candidate {
	if other.name == "" || c.name != "" && c.compare(other) < 0 {
		return c
	}
	return other
}

// pick takes the names for the next call: what is in flight, then what somebody waits for, then the
// rest, and of each what was seen longest ago. However much is in flight, there is room for one that
// somebody waits for. One whose look is refused goes alone.
func (r *reflector) pick(now time.Time) []string {
	r.fleet.mu.Lock()
	defer r.fleet.mu.Unlock()
	batch := make([]candidate, 0, batchSize+1) // in order
	var alone, waiting candidate               // the first of those
	for name, w := range r.services {
		if !w.wanted(now) {
			continue
		}
		c := candidate{name, w.rank(now), w.seen()}
		if w.alone {
			alone = alone.earlier(c)
			continue
		}
		if c.rank == rankAwaited {
			waiting = waiting.earlier(c)
		}
		if len(batch) < batchSize || c.compare(batch[batchSize-1]) < 0 {
			at, _ := slices.BinarySearchFunc(batch, c, candidate.compare)
			batch = slices.Insert(batch, at, c)
			batch = batch[:min(len(batch), batchSize)]
		}
	}
	if alone.name != "" && (len(batch) == 0 || alone.compare(batch[0]) < 0) {
		return []string{alone.name}
	}
	if last := len(batch) - 1; last == batchSize-1 && waiting.name != "" && waiting.compare(batch[last]) > 0 {
		batch[last] = waiting
	}
	names := make([]string, 0, len(batch))
	for _, c := range batch {
		names = append(names, c.name)
	}
	return names
}

// pending is every service that a look is due or asked for.
func (r *reflector) pending(now time.Time) []string {
	r.fleet.mu.Lock()
	defer r.fleet.mu.Unlock()
	var names []string
	for name, w := range r.services {
		if w.wanted(now) {
			names = append(names, name)
		}
	}
	return names
}

// look makes one DescribeServices call, for which a token was taken, and publishes what it
// showed of each service.
func (r *reflector) look(ctx context.Context, names []string) {
	began := time.Now()
	op := describeServices
	op.prepaid = true
	out, problem := read(ctx, r.fleet, r.session, op, "describing services of "+r.at.String(),
		func(ctx context.Context) (*ecs.DescribeServicesOutput, error) {
			return r.session.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{
				Cluster:  aws.String(r.at.cluster),
				Services: names,
			})
		})
	switch {
	case ctx.Err() != nil:
		return
	case problem == nil:
		r.succeed(names, r.views(names, out, began))
	case problem.Reason == ecsv1alpha1.ReasonClusterNotFound:
		r.fail(r.all(), began, because(problem.Class, problem.Reason, "there is no ECS cluster %s in %s of account %s",
			r.at.cluster, r.at.region, r.at.identity.AccountID))
	case len(names) > 1 && !problem.Delay():
		r.separate(names)
	default:
		r.fail(names, began, problem)
	}
}

// views are what the answer says of each name.
func (r *reflector) views(names []string, out *ecs.DescribeServicesOutput, began time.Time) map[string]*rollout.View {
	views := make(map[string]*rollout.View, len(names))
	for i := range out.Services {
		views[aws.ToString(out.Services[i].ServiceName)] = project(&out.Services[i], began)
	}
	for _, failure := range out.Failures {
		name := lastElement(aws.ToString(failure.Arn))
		problem := because(rollout.ProblemMissing, ecsv1alpha1.ReasonServiceNotFound,
			"there is no ECS service %s in cluster %s in %s", name, r.at.cluster, r.at.region)
		if reason := aws.ToString(failure.Reason); reason != "MISSING" {
			problem = because(rollout.ProblemRefused, ecsv1alpha1.ReasonObservationFailed,
				"describing service %s/%s: %s %s", r.at, name, reason, aws.ToString(failure.Detail))
		}
		views[name] = &rollout.View{At: began, Problem: problem}
	}
	asked := make(map[string]*rollout.View, len(names))
	for _, name := range names {
		if asked[name] = views[name]; asked[name] == nil {
			asked[name] = &rollout.View{At: began, Problem: because(rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed,
				"describing services of %s: the answer leaves out %s", r.at, name)}
		}
	}
	return asked
}

func (r *reflector) succeed(names []string, views map[string]*rollout.View) {
	r.fleet.mu.Lock()
	r.failures = 0
	for _, name := range names {
		if w := r.services[name]; w != nil {
			w.alone = false
		}
	}
	r.fleet.mu.Unlock()
	r.fleet.publish(r, views)
}

// separate has each of the names looked at alone: one of them had the call refused, and the
// others should not suffer for it.
func (r *reflector) separate(names []string) {
	r.fleet.mu.Lock()
	defer r.fleet.mu.Unlock()
	for _, name := range names {
		if w := r.services[name]; w != nil {
			w.alone, w.due = true, true
		}
	}
}

// fail publishes a problem as the view of the names. One that passes by itself is looked into
// again soon, after a pause that grows while it lasts.
func (r *reflector) fail(names []string, began time.Time, problem *rollout.Problem) {
	views := make(map[string]*rollout.View, len(names))
	for _, name := range names {
		views[name] = &rollout.View{At: began, Problem: problem}
	}
	r.fleet.publish(r, views)
	if !problem.Delay() {
		return
	}
	r.fleet.mu.Lock()
	defer r.fleet.mu.Unlock()
	for _, name := range names {
		if w := r.services[name]; w != nil {
			w.due = true
		}
	}
	rest := min(time.Second<<min(r.failures, 5), 30*time.Second)
	r.failures++
	r.pausedUntil = time.Now().Add(max(jitter(rest), problem.RetryAfter))
}

func (r *reflector) all() []string {
	r.fleet.mu.Lock()
	defer r.fleet.mu.Unlock()
	names := make([]string, 0, len(r.services))
	for name := range r.services {
		names = append(names, name)
	}
	return names
}

// inFlight says whether any service is; the fleet's lock is held.
func (r *reflector) inFlight() bool {
	for _, w := range r.services {
		if w.inFlight() {
			return true
		}
	}
	return false
}

// hurry begins the fast cadence if it does not run yet; the fleet's lock is held.
func (r *reflector) hurry(now time.Time) {
	if !r.fastAt.After(now) {
		r.fastAt = now.Add(r.fleet.options.Fast)
	}
	// The loop may sleep until the next sweep although fastAt is ahead: it had nothing in flight
	// when it lay down.
	r.awake()
}

// awake has the loop think again.
func (r *reflector) awake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// sleep waits until d has passed or something new came in.
func (r *reflector) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.wake:
	case <-ctx.Done():
	}
}

// jitter is d give or take a tenth, so that neighbourhoods don't sweep in step.
func jitter(d time.Duration) time.Duration {
	tenth := int64(d) / 10
	return d - time.Duration(tenth) + time.Duration(rand.Int64N(2*tenth+1)) //nolint:gosec // nobody gains by guessing it
}

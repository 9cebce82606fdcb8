package cloud

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// quota names a bucket that AWS counts calls against, per account and region.
type quota string

const (
	quotaNone             quota = "" // STS publishes none
	quotaServiceRead      quota = "service-read"
	quotaServiceModify    quota = "service-modify"
	quotaDeployment       quota = "service-deployment"
	quotaDeploymentModify quota = "service-deployment-modify"
	quotaRevision         quota = "service-revision"
	quotaTaskDefRead      quota = "task-definition-read"
	quotaTaskDefModify    quota = "task-definition-modify"
	quotaClusterRead      quota = "cluster-resource-read"
	quotaRegistryRead     quota = "registry-read"
	quotaRegistryObject   quota = "registry-object"
	quotaBalancerRead     quota = "load-balancing-read"
	quotaZoneRead         quota = "route53-read"
	quotaAcceleratorRead  quota = "global-accelerator-read"
	quotaCertificateRead  quota = "certificate-read"
)

// quotas are all that calls are counted against.
var quotas = []quota{
	quotaServiceRead, quotaServiceModify, quotaDeployment, quotaDeploymentModify, quotaRevision, quotaTaskDefRead,
	quotaTaskDefModify, quotaClusterRead, quotaRegistryRead, quotaRegistryObject, quotaBalancerRead,
	quotaZoneRead, quotaAcceleratorRead, quotaCertificateRead,
}

// published are the burst and the sustained rate per second that AWS gives an account in a
// region ("Request throttling for the Amazon ECS API", and of the same name for Elastic Load
// Balancing). ECS publishes no rate for StopServiceDeployment and ContinueServiceDeployment, so
// they get that of UpdateService, in a bucket of their own. ECR publishes none for
// DescribeImages and DescribeRepositories, so theirs is a cautious guess; those for manifests
// and layers are in the thousands and cut down to what we could ever need. Route 53 takes five
// requests a second of an account, Certificate Manager ten DescribeCertificate; Global Accelerator
// publishes nothing, so its is a cautious guess.
func (q quota) published() (burst, perSecond float64) {
	switch q {
	case quotaServiceRead, quotaClusterRead:
		return 100, 20
	case quotaServiceModify, quotaDeploymentModify:
		return 50, 5
	case quotaDeployment, quotaRevision, quotaTaskDefRead:
		return 50, 20
	case quotaTaskDefModify:
		return 20, 1
	case quotaBalancerRead:
		return 40, 10
	case quotaCertificateRead:
		return 10, 10
	case quotaZoneRead, quotaAcceleratorRead:
		return 5, 5
	case quotaRegistryRead:
		return 20, 10
	case quotaRegistryObject:
		return 200, 200
	default:
		return 1, 1
	}
}

// haste says how much of a bucket a call may use up.
type haste int

const (
	// urgent is work that somebody waits for.
	urgent haste = iota
	// sweep is looking at what has settled: it leaves a quarter of the bucket to others.
	sweep
)

// AtLeisure has what is asked with the context it returns take its tokens as sweeps do: it leaves a
// part of each quota to work that somebody waits for.
func AtLeisure(ctx context.Context) context.Context {
	return context.WithValue(ctx, leisureKey{}, sweep)
}

type leisureKey struct{}

// soon is how long what looks something up waits for its token instead of being put off.
const soon = 500 * time.Millisecond

// patience is how long a patient call waits for its token at most.
const patience = time.Minute

// patiently has the reads of a context wait for their tokens, instead of being put off: what takes many
// of a small quota in a row would else never come to its end.
func patiently(ctx context.Context) context.Context {
	return context.WithValue(ctx, patienceKey{}, true)
}

func isPatient(ctx context.Context) bool { return ctx.Value(patienceKey{}) != nil }

type patienceKey struct{}

// hasteOf is how much of a bucket the calls of a context may use up.
func hasteOf(ctx context.Context) haste {
	h, _ := ctx.Value(leisureKey{}).(haste)
	return h
}

// After a throttle a bucket stays shut for about the first of these; while throttles go on,
// for about the next.
var shutTimes = []time.Duration{7500 * time.Millisecond, 15 * time.Second, 30 * time.Second}

// calmTime is how long a bucket must stay without a throttle to forget one.
const calmTime = time.Minute

// budget is our share of the quotas: one bucket for each account, region and quota, shared by
// all identities of the account, as AWS's are.
type budget struct {
	share   float64
	metrics *metrics

	mu      sync.Mutex
	buckets map[bucketKey]*bucket
}

type bucketKey struct {
	account string
	region  string
	quota   quota
}

func newBudget(share float64, m *metrics) *budget {
	return &budget{share: share, metrics: m, buckets: map[bucketKey]*bucket{}}
}

// take takes a token without waiting. Otherwise it takes none and says how long to wait
// before it is worth trying again.
func (b *budget) take(key bucketKey, h haste) (wait time.Duration, ok bool) {
	return b.takeFor(claimant{}, key, h)
}

// takeFor is take for somebody who comes again until there is a token: environments get theirs one after
// the other, each in the order in which they came, and those who sweep after those who do not.
func (b *budget) takeFor(who claimant, key bucketKey, h haste) (wait time.Duration, ok bool) {
	return b.from(key, func(found *bucket) (time.Duration, bool) { return found.take(time.Now(), h, who) })
}

// takeSoon is take for what looks something up for an environment: if its turn comes soon, it waits for it.
// Environments get their tokens one after the other, and of each one waits at a time: the others go on to
// something else, and come again.
func (b *budget) takeSoon(ctx context.Context, environment string, key bucketKey) (wait time.Duration, ok bool) {
	return b.from(key, func(found *bucket) (time.Duration, bool) { return found.takeSoon(ctx, environment) })
}

// from takes a token from a bucket, and counts if there was none.
func (b *budget) from(key bucketKey, take func(*bucket) (time.Duration, bool)) (wait time.Duration, ok bool) {
	if key.quota == quotaNone {
		return 0, true
	}
	wait, ok = take(b.bucket(key))
	if !ok {
		b.metrics.rejected(key.quota)
	}
	return wait, ok
}

// throttled shuts a bucket because AWS said that its own is empty, and says for how long.
func (b *budget) throttled(key bucketKey) time.Duration {
	if key.quota == quotaNone {
		return shutTimes[0]
	}
	return b.bucket(key).shut(time.Now())
}

func (b *budget) bucket(key bucketKey) *bucket {
	b.mu.Lock()
	defer b.mu.Unlock()
	found, ok := b.buckets[key]
	if !ok {
		burst, perSecond := key.quota.published()
		found = &bucket{limiter: rate.NewLimiter(rate.Limit(perSecond*b.share), max(1, int(burst*b.share))), seats: map[string]bool{}}
		b.buckets[key] = found
	}
	return found
}

// bucket is our share of one quota.
type bucket struct {
	limiter *rate.Limiter

	mu        sync.Mutex
	shutUntil time.Time
	level     int             // how often it was shut lately; 0: not
	rows      [2]row          // by haste
	seats     map[string]bool // the environments of which something waits for a token that comes soon
}

// take takes a token, or says how long to wait for one.
func (b *bucket) take(now time.Time, h haste, who claimant) (time.Duration, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.takeLocked(now, h, who)
}

// takeSoon takes a token, and waits for it if it comes soon and nobody else of the environment does.
func (b *bucket) takeSoon(ctx context.Context, environment string) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	who := claimant{environment: environment, behind: b.seats[environment]}
	for end := now.Add(soon); ; now = time.Now() {
		wait, ok = b.takeLocked(now, urgent, who)
		if ok || who.behind || now.Add(wait).After(end) || ctx.Err() != nil {
			b.rows[urgent].leave(who)
			return wait, ok
		}
		b.seats[environment] = true
		b.mu.Unlock()
		pause(ctx, wait)
		b.mu.Lock()
		delete(b.seats, environment)
	}
}

// takeLocked is take; the caller holds mu.
func (b *bucket) takeLocked(now time.Time, h haste, who claimant) (time.Duration, bool) {
	if wait := b.shutUntil.Sub(now); wait > 0 {
		for i := range b.rows { // nobody loses a place by that
			b.rows[i].hold(b.shutUntil)
		}
		return wait, false
	}
	burst, perSecond := float64(b.limiter.Burst()), float64(b.limiter.Limit())
	want := 1.0
	if h == sweep {
		want = min(want+burst/4, burst) // a small bucket is never fuller
	}
	want += float64(b.ahead(now, h, who))
	own := &b.rows[h]
	if have := b.limiter.TokensAt(now); have < want {
		// Who is far behind comes again in any case: those ahead may leave.
		wait := time.Duration(min(want-have, burst)/perSecond*float64(time.Second)) + time.Millisecond
		own.tell(who, now.Add(wait))
		return wait, false
	}
	own.serve(who)
	return 0, b.limiter.AllowN(now, 1)
}

// ahead is how many go before who, as far as that is in a row. The caller holds mu.
func (b *bucket) ahead(now time.Time, h haste, who claimant) (n int) {
	own := &b.rows[h]
	own.tell(who, now)
	for i := range b.rows {
		b.rows[i].prune(now)
	}
	if h == sweep {
		b.rows[urgent].leave(who)
		n = len(b.rows[urgent].waiting)
	}
	if who != (claimant{}) {
		n += own.place(who, now)
	}
	return n
}

// stand is how many tokens there are and how fast they come, or for how long the bucket is shut.
func (b *bucket) stand(now time.Time) (tokens, perSecond float64, shut time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limiter.TokensAt(now), float64(b.limiter.Limit()), max(0, b.shutUntil.Sub(now))
}

// shut shuts the bucket. Throttles of calls that were under way when it was shut already say
// nothing new.
func (b *bucket) shut(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if wait := b.shutUntil.Sub(now); wait > 0 {
		return wait
	}
	if b.level > 0 {
		b.level = max(0, b.level-int(now.Sub(b.shutUntil)/calmTime))
	}
	longest := shutTimes[min(b.level, len(shutTimes)-1)]
	b.level = min(b.level+1, len(shutTimes))
	wait := longest - time.Duration(rand.Int64N(int64(longest/3))) //nolint:gosec // nobody gains by guessing it
	b.shutUntil = now.Add(wait)
	return wait
}

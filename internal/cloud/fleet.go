package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"heliumai.space/ecsrelease/internal/joint"
	"heliumai.space/ecsrelease/internal/taskdef"
)

// Options are how a Fleet is set up. The zero value works.
type Options struct {
	// Config loads the configuration of the SDK. Absent: the standard chain of every SDK
	// program (AWS_* variables, AWS_ENDPOINT_URL included, shared files, pod identity).
	Config func(ctx context.Context) (aws.Config, error)
	// Share is the part of each published rate that is ours, above 0 and at most 1; 0: 0.5.
	Share float64
	// CallDeadline is the longest that a call which changes something may take, all included;
	// 0: 5 s.
	CallDeadline time.Duration
	// ReadDeadline is the longest that one read may take, its retries included; 0: 15 s.
	ReadDeadline time.Duration
	// Gate is asked directly before a call that changes something is sent for an environment: nil
	// says that we hold what it takes for at least needed. Absent: always open.
	Gate func(environment string, needed time.Duration) error
	// Fast and Slow are how often services in flight, and settled ones, are looked at;
	// 0: 5 s and 5 min.
	Fast, Slow time.Duration
	// Enqueue is told an owner that should reconcile: a view of one of its services changed,
	// or a look that was asked for is there. It must not block.
	Enqueue func(owner types.NamespacedName)
	// Pushed is told that an image was pushed into a repository of ECR, and the tag that names it.
	// Absent: nobody is told.
	Pushed func(repository, tag string)
	// Registerer takes the metrics. Absent: none are exported.
	Registerer prometheus.Registerer
	// Log takes what concerns no request in particular, and mutations whose context carries
	// no logger.
	Log logr.Logger
	// SessionCluster is added to the names of role sessions, and to their tags, to tell
	// Kubernetes clusters apart in CloudTrail and policies; "" adds nothing.
	SessionCluster string
}

// Fleet is the ECS services that somebody is interested in, and the way to ask about and
// change them. All methods may be called concurrently.
type Fleet struct {
	options Options
	base    aws.Config
	own     *wallet // of the process
	metrics *metrics
	budget  *budget

	mu         sync.Mutex
	run        context.Context // of Start; nil before
	stopped    bool            // no reflector may begin any more
	owners     map[types.NamespacedName][]Key
	reflectors map[neighbourhood]*reflector
	loops      sync.WaitGroup

	sessionsMu sync.Mutex
	sessions   map[sessionKey]*session

	flight flight

	documents    *lru[revisionKey, *taskdef.Document] // of a few: parsed, one takes ten times as much as its text
	texts        *lru[revisionKey, []byte]
	summaries    *lru[revisionKey, summary]
	newest       *lru[familyKey, int]
	targets      *lru[targetKey, serviceRevision]
	manifests    *lru[manifestKey, map[string]string]
	labels       *lru[manifestKey, map[string]string]
	mutabilities *lru[repositoryKey, mutability]
	present      *lru[presenceKey, time.Time]
	tags         *lru[tagKey, seenTag]
	deployments  *lru[deploymentKey, seenDeployment]
	searches     *lru[searchKey, search]
	listings     *lru[listingKey, listing]
	foreign      *lru[listingKey, foreignRevision]
	actives      *lru[revisionKey, seenStatus]
	healths      *lru[healthKey, TargetHealth]
	fronts       *lru[Key, seenFronts]
	instances    *lru[hostKey, string]
	hinted       *lru[Key, time.Time] // until when what is remembered of a service's deployments is doubtful

	// What releases are looking up together.
	resolving joint.Looks[resolved]
	searching joint.Looks[searched]

	earsMu sync.Mutex
	ears   map[ear]*listener

	registrations registrations
	lines         lines
}

// New returns a Fleet that makes no call before it is asked something. It fails when the SDK's
// configuration cannot be loaded, an option makes no sense, or a metric is already registered.
func New(o Options) (*Fleet, error) {
	o.Share = cmp.Or(o.Share, 0.5)
	o.CallDeadline = cmp.Or(o.CallDeadline, 5*time.Second)
	o.ReadDeadline = cmp.Or(o.ReadDeadline, 15*time.Second)
	o.Fast = cmp.Or(o.Fast, 5*time.Second)
	o.Slow = cmp.Or(o.Slow, 5*time.Minute)
	if o.Share < 0 || o.Share > 1 {
		return nil, fmt.Errorf("share of the AWS quotas is %v, wanted more than 0 and at most 1", o.Share)
	}
	if o.CallDeadline < 0 || o.ReadDeadline < 0 || o.Fast < 0 || o.Slow < o.Fast {
		return nil, errors.New("deadlines and cadences must be positive, the slow cadence no faster than the fast one")
	}
	if o.Config == nil {
		o.Config = func(ctx context.Context) (aws.Config, error) { return config.LoadDefaultConfig(ctx) }
	}
	if o.Gate == nil {
		o.Gate = func(string, time.Duration) error { return nil }
	}
	if o.Enqueue == nil {
		o.Enqueue = func(types.NamespacedName) {}
	}
	base, err := o.Config(context.Background())
	if err != nil {
		return nil, fmt.Errorf("loading the configuration of the AWS SDK: %w", err)
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("registering the metrics of AWS calls: %w", err)
	}
	return &Fleet{
		options:      o,
		base:         base,
		own:          &wallet{provider: base.Credentials},
		metrics:      m,
		budget:       newBudget(o.Share, m),
		lines:        lines{metrics: m},
		owners:       map[types.NamespacedName][]Key{},
		reflectors:   map[neighbourhood]*reflector{},
		sessions:     map[sessionKey]*session{},
		documents:    newLRU[revisionKey, *taskdef.Document](200),
		texts:        newLRU[revisionKey, []byte](32 << 20),
		summaries:    newLRU[revisionKey, summary](20_000),
		newest:       newLRU[familyKey, int](20_000),
		targets:      newLRU[targetKey, serviceRevision](10_000),
		manifests:    newLRU[manifestKey, map[string]string](10_000),
		labels:       newLRU[manifestKey, map[string]string](8 << 20),
		mutabilities: newLRU[repositoryKey, mutability](10_000),
		present:      newLRU[presenceKey, time.Time](20_000),
		tags:         newLRU[tagKey, seenTag](10_000),
		deployments:  newLRU[deploymentKey, seenDeployment](10_000),
		searches:     newLRU[searchKey, search](10_000),
		listings:     newLRU[listingKey, listing](10_000),
		foreign:      newLRU[listingKey, foreignRevision](10_000),
		actives:      newLRU[revisionKey, seenStatus](200),
		healths:      newLRU[healthKey, TargetHealth](10_000),
		fronts:       newLRU[Key, seenFronts](10_000),
		instances:    newLRU[hostKey, string](10_000),
		hinted:       newLRU[Key, time.Time](10_000),
		ears:         map[ear]*listener{},
	}, nil
}

// Start runs the reflectors until ctx is done, and returns when no call to AWS is in flight
// any more; none can be made afterwards. It may be called once.
func (f *Fleet) Start(ctx context.Context) error {
	f.mu.Lock()
	if f.run != nil {
		f.mu.Unlock()
		return errors.New("the fleet was started before")
	}
	f.run = ctx
	for _, r := range f.reflectors {
		f.loops.Go(r.loop)
	}
	f.mu.Unlock()
	f.loops.Go(func() { f.tidy(ctx) })
	f.listenAll()

	<-ctx.Done()
	f.mu.Lock()
	f.stopped = true
	f.mu.Unlock()
	f.flight.close()
	f.loops.Wait()
	f.flight.wait()
	return nil
}

// NeedLeaderElection says that only the leader watches and changes ECS.
func (f *Fleet) NeedLeaderElection() bool { return true }

// flight counts the calls that are in flight, and lets no new one begin once it is closed.
type flight struct {
	mu     sync.Mutex
	closed bool
	count  int
	empty  chan struct{} // closed when count reaches zero after close
}

// begin says whether a call may begin; the caller ends it with end.
func (f *flight) begin() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.count++
	return true
}

func (f *flight) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count--
	if f.closed && f.count == 0 {
		close(f.empty)
	}
}

func (f *flight) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed, f.empty = true, make(chan struct{})
	if f.count == 0 {
		close(f.empty)
	}
}

func (f *flight) wait() { <-f.empty }

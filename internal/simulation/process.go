package simulation

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"heliumai.space/ecsrelease/controllers"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/leader"
	"heliumai.space/ecsrelease/internal/rollout"
)

// The timing of a process. The lease is longer than in real life, so that days of virtual time
// are not spent on renewing it, and so are sweeps apart; all else is as the manager has it by default.
const (
	leaseDuration = 10 * time.Minute
	renewDeadline = 8 * time.Minute
	retryPeriod   = 3 * time.Minute
	callDeadline  = 5 * time.Second
	settleTime    = 30 * time.Second
	fastCadence   = 5 * time.Second
	slowCadence   = 15 * time.Minute
	shutdownTime  = 30 * time.Second
	quotaShare    = 0.5
	workerCount   = 4
)

// process is one run of the manager, put together as cmd/manager does it, between the world and
// a border that every call of it passes.
type process struct {
	name     string
	manager  string // which of them it is a process of
	border   *border
	registry *prometheus.Registry
	cancel   context.CancelFunc
	ended    chan struct{}

	mu  sync.Mutex
	err error
}

// startProcess starts a process of a manager. It leads once it has the lease.
func (w *world) startProcess(of string) (*process, error) {
	w.processes++
	p := &process{
		name:     fmt.Sprintf("manager-%d", w.processes),
		manager:  of,
		registry: prometheus.NewRegistry(),
		ended:    make(chan struct{}),
	}
	p.border = newBorder(w, p.name, of)
	kube := w.kube.ConfigThrough(p.name, p.border.kubernetes)
	clients, err := kubernetes.NewForConfig(kube)
	if err != nil {
		return nil, fmt.Errorf("setting up leader election: %w", err)
	}
	lock, err := newLease(clients, leaseOf(of), p.name)
	if err != nil {
		return nil, err
	}
	lead := leader.NewLock(lock, leaseDuration, leaseDuration/10, callDeadline)
	mgr, err := ctrl.NewManager(kube, ctrl.Options{
		Scheme:                              w.scheme,
		MapperProvider:                      func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return w.mapper, nil },
		Metrics:                             metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress:              "0",
		LeaderElection:                      true,
		LeaderElectionReleaseOnCancel:       true,
		LeaderElectionResourceLockInterface: lead,
		LeaseDuration:                       new(leaseDuration),
		RenewDeadline:                       new(renewDeadline),
		RetryPeriod:                         new(retryPeriod),
		GracefulShutdownTimeout:             new(shutdownTime),
		Logger:                              w.log(p.name),
		Controller:                          config.Controller{SkipNameValidation: new(true)},
		Cache:                               cache.Options{DefaultTransform: cache.TransformStripManagedFields()},
	})
	if err != nil {
		return nil, fmt.Errorf("setting up a manager: %w", err)
	}
	ctx, cancel := context.WithCancel(logr.NewContext(context.Background(), w.log(p.name)))
	p.cancel, p.border.die = cancel, cancel
	if err := p.assemble(ctx, w, mgr, clients, lead); err != nil {
		cancel()
		return nil, err
	}
	go func() {
		defer close(p.ended)
		err := mgr.Start(ctx)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.err = err
	}()
	return p, nil
}

// newLease is the lock of a lease, held in a name.
func newLease(clients kubernetes.Interface, name, holder string) (resourcelock.Interface, error) {
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, "kube-system", name,
		clients.CoreV1(), clients.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: holder})
	if err != nil {
		return nil, fmt.Errorf("setting up leader election: %w", err)
	}
	return lock, nil
}

// leaseOf is the lease by which a process leads a manager, and the name in which that holds others.
func leaseOf(name string) string {
	return strings.TrimSuffix("ecsrelease.ecs.heliumai.space."+name, ".")
}

// ownership is which environments are a manager's: all, where there is only one.
func (p *process) ownership(clients kubernetes.Interface, lead *leader.Lock, changed func(environment string)) (*controllers.Ownership, *leader.Claims) {
	timing := leader.Timing{
		Lease: leaseDuration, RenewDeadline: renewDeadline, Retry: retryPeriod, Margin: leaseDuration / 10, Wait: callDeadline,
	}
	claims := leader.NewClaims(timing, func(environment string) (resourcelock.Interface, error) {
		return newLease(clients, controllers.LeaseOf(environment), leaseOf(p.manager))
	}, lead.Held, changed)
	ownership := &controllers.Ownership{Lead: lead, Claims: claims}
	if p.manager != "" {
		ownership.Selector = labels.SelectorFromSet(labels.Set{managerLabel: p.manager})
	}
	return ownership, claims
}

func (p *process) assemble(ctx context.Context, w *world, mgr ctrl.Manager, clients kubernetes.Interface, lead *leader.Lock) error {
	inbox := &controllers.Inbox{}
	reconciler, environments := &controllers.ReleaseReconciler{}, &controllers.EnvironmentReconciler{}
	ownership, claims := p.ownership(clients, lead, func(environment string) {
		environments.Claimed(environment)
		reconciler.Claimed(environment)
	})
	if err := mgr.Add(claims); err != nil {
		return fmt.Errorf("adding the leases of environments: %w", err)
	}
	fleet, err := cloud.New(cloud.Options{
		Config: func(context.Context) (aws.Config, error) {
			return aws.Config{
				Region:      regions[0],
				HTTPClient:  &http.Client{Transport: p.border.aws(w.aws.HTTPClient().Transport)},
				Credentials: credentials.NewStaticCredentialsProvider(managerKey, managerSecret, ""),
			}, nil
		},
		Share:          quotaShare,
		CallDeadline:   callDeadline,
		Gate:           ownership.Gate,
		Fast:           fastCadence,
		Slow:           slowCadence,
		Enqueue:        inbox.Enqueue,
		Pushed:         reconciler.Pushed,
		Registerer:     p.registry,
		Log:            w.log(p.name).WithName("aws"),
		SessionCluster: "simulation",
	})
	if err != nil {
		return fmt.Errorf("setting up the AWS edge: %w", err)
	}
	if err := mgr.Add(fleet); err != nil {
		return fmt.Errorf("adding the informer: %w", err)
	}
	counted, err := controllers.NewMetrics(p.registry, mgr.GetClient(), ownership)
	if err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	*reconciler = controllers.ReleaseReconciler{
		Client:   mgr.GetClient(),
		Reader:   mgr.GetAPIReader(),
		Fleet:    fleet,
		Recorder: &herald{ctx: ctx, client: mgr.GetClient(), scheme: w.scheme, name: p.name},
		Metrics:  counted,
		Timing: rollout.Timing{
			CallDeadline: callDeadline,
			Settle:       settleTime,
			Fast:         fastCadence,
			Slow:         slowCadence,
		},
		Freshness: fastCadence,
		Inbox:     inbox,
		Workers:   w.workers,
		Ownership: ownership,
		Prober:    w.prober(),
	}
	if err := reconciler.SetupWithManager(ctx, &quietManager{Manager: mgr, story: w.story}); err != nil {
		return fmt.Errorf("setting up the controller: %w", err)
	}
	*environments = controllers.EnvironmentReconciler{
		Client: mgr.GetClient(), Fleet: fleet, Every: slowCadence, Ownership: ownership,
	}
	if err := environments.SetupWithManager(&quietManager{Manager: mgr, story: w.story}); err != nil {
		return fmt.Errorf("setting up the controller of environments: %w", err)
	}
	return nil
}

// quietManager gives controllers queues without metrics: those wake up twice in a second to
// measure themselves, which is most of what happens in a quiet day.
type quietManager struct {
	manager.Manager
	story *story
}

// Add implements [manager.Manager].
func (m *quietManager) Add(runnable manager.Runnable) error {
	value := reflect.ValueOf(runnable)
	if value.Kind() == reflect.Pointer && value.Elem().Kind() == reflect.Struct {
		if field := value.Elem().FieldByName("NewQueue"); field.IsValid() && field.CanSet() {
			quiet := func(_ string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
				return &restingQueue{
					TypedRateLimitingInterface: workqueue.NewTypedRateLimitingQueueWithConfig(limiter, workqueue.TypedRateLimitingQueueConfig[reconcile.Request]{}),
					story:                      m.story,
				}
			}
			if reflect.TypeOf(quiet).AssignableTo(field.Type()) {
				field.Set(reflect.ValueOf(quiet))
			}
		}
	}
	return m.Manager.Add(runnable)
}

// restingQueue sees to it that nothing is passed over again and again while no time goes by: in a
// bubble that would never end. What was passed over so often is lost with the promise.
type restingQueue struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	story *story

	mu     sync.Mutex
	since  time.Time
	passes map[reconcile.Request]int
}

// restless is more often than a thing may be passed over in a second. An environment is once for each of
// its releases that tells it something.
const restless = 10000

// Get implements [workqueue.TypedInterface].
func (q *restingQueue) Get() (item reconcile.Request, shutdown bool) {
	for {
		if item, shutdown = q.TypedRateLimitingInterface.Get(); shutdown || q.rests(item) {
			return item, shutdown
		}
		q.Forget(item)
		q.Done(item)
	}
}

func (q *restingQueue) rests(item reconcile.Request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if time.Since(q.since) > time.Second {
		q.since, q.passes = time.Now(), map[reconcile.Request]int{}
	}
	q.passes[item]++
	if q.passes[item] <= restless {
		return true
	}
	q.story.violate("a release rests between two passes", "%s was passed over %d times within a second", item, restless)
	return false
}

// crash ends the process as a power cut does: no call of it has an effect from now on.
func (p *process) crash() {
	p.border.kill()
	p.cancel()
}

// failure is the error with which the process ended, if it has.
func (p *process) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

package controllers_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/controllers"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/rollout"
)

const (
	// managedBy is the label of releases that only the manager of that name sees. Without it
	// a release is the shared manager's.
	managedBy = "tests.heliumai.space/managed-by"

	inFlightInterval = 200 * time.Millisecond
	sweepInterval    = time.Second
	// freshness is longer than the interval, for machines on which a pass waits for its turn.
	freshness = 2 * time.Second
)

// manager is a running manager, put together as cmd/manager does it but for elections.
type manager struct {
	reader   client.Reader // what its caches show
	registry *prometheus.Registry
	passes   tally // reconciles, by release
	writes   tally // patches of status, by release
	cancel   context.CancelFunc
	ended    chan error
}

// newManager starts a manager for the releases and endpoints that carry its name and the environment of
// that name, or for all those that carry none and all environments.
func (s *suite) newManager(ctx context.Context, name string) (*manager, error) {
	requirement := "!" + managedBy
	if name != "" {
		requirement = managedBy + "=" + name
	}
	selector, err := labels.Parse(requirement)
	if err != nil {
		return nil, fmt.Errorf("selecting releases: %w", err)
	}
	objects := map[client.Object]cache.ByObject{&ecsv1alpha1.EcsRelease{}: {Label: selector}, &ecsv1alpha1.EcsEndpoint{}: {Label: selector}}
	if name != "" {
		// Environments that other tests make and remove cause no passes here.
		objects[&ecsv1alpha1.EcsEnvironment{}] = cache.ByObject{Field: fields.OneTermEqualSelector("metadata.name", name)}
	}
	m := &manager{registry: prometheus.NewRegistry(), ended: make(chan error, 1)}
	mgr, err := ctrl.NewManager(s.managerAs, ctrl.Options{
		Scheme:                 s.scheme,
		Metrics:                metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		NewClient:              m.countingClient,
		Controller:             config.Controller{SkipNameValidation: new(true)},
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject:         objects,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("setting up a manager: %w", err)
	}
	m.reader = mgr.GetClient()
	ctx, m.cancel = context.WithCancel(ctx)
	if err := m.assemble(ctx, mgr, s); err != nil {
		m.cancel()
		return nil, err
	}
	go func() { m.ended <- mgr.Start(ctx) }()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		m.cancel()
		return nil, errors.Join(errors.New("the manager's caches did not fill"), <-m.ended)
	}
	return m, nil
}

func (m *manager) assemble(ctx context.Context, mgr ctrl.Manager, s *suite) error {
	inbox := &controllers.Inbox{}
	reconciler, endpoints := &controllers.ReleaseReconciler{}, &controllers.EndpointReconciler{}
	prober, err := s.prober()
	if err != nil {
		return err
	}
	fleet, err := cloud.New(cloud.Options{
		Config: func(context.Context) (aws.Config, error) {
			return aws.Config{
				Region:      home,
				HTTPClient:  s.sim.HTTPClient(),
				Credentials: credentials.NewStaticCredentialsProvider(managerKey, managerSecret, ""),
			}, nil
		},
		Share:          1,
		Fast:           inFlightInterval,
		Slow:           sweepInterval,
		Enqueue:        inbox.Enqueue,
		Pushed:         reconciler.Pushed,
		Registerer:     m.registry,
		Log:            ctrl.Log.WithName("aws"),
		SessionCluster: "tests",
	})
	if err != nil {
		return fmt.Errorf("setting up the AWS edge: %w", err)
	}
	if err := mgr.Add(fleet); err != nil {
		return fmt.Errorf("adding the informer: %w", err)
	}
	counted, err := controllers.NewMetrics(m.registry, mgr.GetClient(), nil)
	if err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	*reconciler = controllers.ReleaseReconciler{
		Client:   mgr.GetClient(),
		Reader:   mgr.GetAPIReader(),
		Fleet:    fleet,
		Recorder: mgr.GetEventRecorder("ecsrelease"),
		Metrics:  counted,
		Timing: rollout.Timing{
			CallDeadline: 5 * time.Second,
			Settle:       30 * time.Second,
			Fast:         inFlightInterval,
			Slow:         sweepInterval,
		},
		Freshness: freshness,
		Inbox:     inbox,
		Workers:   20,
		Prober:    prober,
		Endpoints: endpoints,
	}
	if err := reconciler.SetupWithManager(ctx, mgr); err != nil {
		return fmt.Errorf("setting up the controller: %w", err)
	}
	environments := &controllers.EnvironmentReconciler{Client: mgr.GetClient(), Fleet: fleet, Every: sweepInterval}
	if err := environments.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("setting up the controller of environments: %w", err)
	}
	endpoints.Client, endpoints.Fleet, endpoints.Prober, endpoints.Recorder, endpoints.Every = mgr.GetClient(), fleet, prober, mgr.GetEventRecorder("ecsrelease"), sweepInterval
	if err := endpoints.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("setting up the controller of endpoints: %w", err)
	}
	return nil
}

// stop ends the manager and returns when nothing of it runs any more.
func (m *manager) stop() {
	m.cancel()
	err := <-m.ended
	m.ended <- err
}

// countingClient is the manager's client, which counts the reconciles (each begins by reading
// its release) and the status writes.
func (m *manager) countingClient(config *rest.Config, options client.Options) (client.Client, error) {
	plain, err := client.NewWithWatch(config, options)
	if err != nil {
		return nil, err
	}
	return interceptor.NewClient(plain, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, o ...client.GetOption) error {
			if _, ok := object.(*ecsv1alpha1.EcsRelease); ok {
				m.passes.add(key)
			}
			return c.Get(ctx, key, object, o...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, resource string, object client.Object, patch client.Patch, o ...client.SubResourcePatchOption) error {
			m.writes.add(client.ObjectKeyFromObject(object))
			return c.SubResource(resource).Patch(ctx, object, patch, o...)
		},
	}), nil
}

// tally counts by release.
type tally struct {
	mu     sync.Mutex
	counts map[types.NamespacedName]int
}

func (t *tally) add(key types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[types.NamespacedName]int{}
	}
	t.counts[key]++
}

func (t *tally) of(key types.NamespacedName) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts[key]
}

// accounts is a set of AWS accounts.
type accounts struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (a *accounts) add(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ids == nil {
		a.ids = map[string]bool{}
	}
	a.ids[id] = true
}

func (a *accounts) has(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ids[id]
}

// transcript keeps all that is logged.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(line)
}

// lines are those that contain the word, all for "".
func (t *transcript) lines(word string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []string
	for line := range strings.Lines(t.text.String()) {
		if strings.Contains(line, word) {
			found = append(found, strings.TrimSuffix(line, "\n"))
		}
	}
	return found
}

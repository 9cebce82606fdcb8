package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"

	"heliumai.space/ecsrelease/internal/leader"
)

// podNamespace is where Kubernetes tells a pod its namespace.
const podNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// newLock is the lock of the election, wrapped so that the write gate can ask it.
func newLock(config *rest.Config, o options) (*leader.Lock, error) {
	config = rest.CopyConfig(config)
	config.Timeout = o.renewDeadline / 2 // a renewal that hangs must leave time for another
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("setting up leader election: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("naming this process for leader election: %w", err)
	}
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, leaseNamespace(o), o.leaderID,
		clients.CoreV1(), clients.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID())})
	if err != nil {
		return nil, fmt.Errorf("setting up leader election: %w", err)
	}
	return leader.NewLock(lock, o.leaseDuration, o.margin(), o.callTimeout), nil
}

func leaseNamespace(o options) string {
	if o.leaderNamespace != "" {
		return o.leaderNamespace
	}
	if own, err := os.ReadFile(podNamespace); err == nil {
		if name := strings.TrimSpace(string(own)); name != "" {
			return name
		}
	}
	return "default"
}

// gate is the write gate: open while the lease is ours for long enough, always open without
// leader election.
func gate(lock *leader.Lock) func(time.Duration) error {
	if lock == nil {
		return func(time.Duration) error { return nil }
	}
	return lock.Gate
}

// held says whether the lease is ours; without leader election it always is.
func held(lock *leader.Lock) func() error {
	if lock == nil {
		return func() error { return nil }
	}
	return lock.Held
}

// cachesSynced is ready once the caches are filled: a manager that waits for the lease is ready too.
func cachesSynced(mgr ctrl.Manager) healthz.Checker {
	return func(request *http.Request) error {
		if !mgr.GetCache().WaitForCacheSync(request.Context()) {
			return fmt.Errorf("the caches are not filled yet")
		}
		return nil
	}
}

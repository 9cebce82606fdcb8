package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"

	"heliumai.space/ecsrelease/controllers"
	"heliumai.space/ecsrelease/internal/leader"
)

// podNamespace is where Kubernetes tells a pod its namespace.
const podNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// claimFactor is how much longer the leases of environments last than that of the leader, who holds them
// for its manager and whose failure does not wait for theirs.
const claimFactor = 8

// elections are the lock by which this process leads, and those of environments that its manager claims.
type elections struct {
	clients   kubernetes.Interface
	namespace string
	options   options
	// lead is the lock of the leader election, wrapped so that the write gate can ask it.
	lead *leader.Lock
}

func newElections(config *rest.Config, o options) (*elections, error) {
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
	e := &elections{clients: clients, namespace: leaseNamespace(o), options: o}
	lock, err := e.lock(o.leaderID, host+"_"+string(uuid.NewUUID()))
	if err != nil {
		return nil, err
	}
	e.lead = leader.NewLock(lock, o.leaseDuration, o.margin(), o.retryPeriod+o.callTimeout)
	return e, nil
}

// claims are the leases of environments, held in the name of the manager.
func (e *elections) claims(changed func(environment string)) *leader.Claims {
	lock := func(environment string) (resourcelock.Interface, error) {
		return e.lock(controllers.LeaseOf(environment), e.options.leaderID)
	}
	return leader.NewClaims(e.options.claimTiming(), lock, e.lead.Held, changed)
}

// claimTiming is how the leases of environments are kept.
func (o *options) claimTiming() leader.Timing {
	return leader.Timing{
		Lease: claimFactor * o.leaseDuration, RenewDeadline: claimFactor * o.renewDeadline, Retry: claimFactor * o.retryPeriod,
		Margin: claimFactor * o.margin(), Wait: claimFactor*o.retryPeriod + o.callTimeout,
	}
}

func (e *elections) lock(name, identity string) (resourcelock.Interface, error) {
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, e.namespace, name,
		e.clients.CoreV1(), e.clients.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: identity})
	if err != nil {
		return nil, fmt.Errorf("setting up the lease %s: %w", name, err)
	}
	return lock, nil
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

// cachesSynced is ready once the caches are filled: a manager that waits for the lease is ready too.
func cachesSynced(mgr ctrl.Manager) healthz.Checker {
	return func(request *http.Request) error {
		if !mgr.GetCache().WaitForCacheSync(request.Context()) {
			return fmt.Errorf("the caches are not filled yet")
		}
		return nil
	}
}

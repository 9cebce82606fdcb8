package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Lease is the lease by which a process leads its manager.
type Lease interface {
	// Held is nil while it is ours.
	Held() error
	// Gate is nil while it is ours for at least as long as needed, and no calls of another process can
	// be under way.
	Gate(needed time.Duration) error
}

// Claims are the leases of environments, of which a manager holds those that it owns.
type Claims interface {
	// Want says whether an environment is to be this manager's. One that is not any more is given back
	// when all who entered have left.
	Want(environment string, wanted bool) error
	// Enter begins something for an environment, until leave is called; false: it is not ours.
	Enter(environment string) (leave func(), ok bool)
	// Held is nil while an environment is ours.
	Held(environment string) error
	// Gate is nil while an environment is ours for at least as long as needed, and nobody else's
	// calls for it can be under way.
	Gate(environment string, needed time.Duration) error
}

// Ownership is which environments are this manager's, with their releases, sessions, queues and statuses:
// those that it selects, once it holds their leases. A nil Ownership is of all of them, and so is the zero
// value.
//
// Releases that are in no environment, or in several, are told so by every manager.
type Ownership struct {
	// Lead says whether this process leads its manager. Who was paused and has lost its lease meanwhile
	// would write what it saw before over what its successor has seen since. Absent: it always does.
	Lead Lease
	// Selector selects environments by their labels; nil selects all.
	Selector labels.Selector
	// Claims are their leases; nil: there are none, and nobody else.
	Claims Claims
}

// selects says whether an environment is to be this manager's.
func (o *Ownership) selects(environment *ecsv1alpha1.EcsEnvironment) bool {
	return o == nil || o.Selector == nil || o.Selector.Matches(labels.Set(environment.Labels))
}

// enter begins something for an environment, nil being none in particular, until leave is called; false:
// it is another manager's, or not yet this one's.
func (o *Ownership) enter(environment *ecsv1alpha1.EcsEnvironment) (leave func(), ok bool) {
	switch {
	case o == nil || environment == nil:
		return func() {}, true
	case !o.selects(environment):
		return nil, false
	case o.Claims == nil:
		return func() {}, true
	}
	return o.Claims.Enter(environment.Name)
}

// want has an environment claimed that is to be this manager's, and given back otherwise.
func (o *Ownership) want(name string, wanted bool) error {
	if o == nil || o.Claims == nil {
		return nil
	}
	return o.Claims.Want(name, wanted)
}

// others are the namespaces whose releases are another manager's.
func (o *Ownership) others(ctx context.Context, reader client.Reader) (map[string]bool, error) {
	if o == nil || o.Selector == nil {
		return nil, nil
	}
	var environments ecsv1alpha1.EcsEnvironmentList
	if err := reader.List(ctx, &environments, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing environments: %w", err)
	}
	var namespaces corev1.NamespaceList
	if err := reader.List(ctx, &namespaces, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing namespaces: %w", err)
	}
	others := map[string]bool{}
	for i := range namespaces.Items {
		if own, _ := environmentOf(&namespaces.Items[i], environments.Items); own != nil && !o.selects(own) {
			others[namespaces.Items[i].Name] = true
		}
	}
	return others, nil
}

// unclaimed is how often it is looked whether an environment is this manager's by now, beside what the
// claims tell of: a lease that was renewed late was never lost.
const unclaimed = time.Minute

// notYet is when to come again for an environment that could not be entered; never, if it is another
// manager's.
func (o *Ownership) notYet(environment *ecsv1alpha1.EcsEnvironment) ctrl.Result {
	if o.selects(environment) {
		return ctrl.Result{RequeueAfter: unclaimed}
	}
	return ctrl.Result{}
}

// mayWrite is nil while this process may write statuses in an environment, nil being none in particular.
func (o *Ownership) mayWrite(environment *ecsv1alpha1.EcsEnvironment) error {
	if o == nil {
		return nil
	}
	if o.Lead != nil {
		if err := o.Lead.Held(); err != nil {
			return fmt.Errorf("not written: %w", err)
		}
	}
	if o.Claims != nil && environment != nil {
		if err := o.Claims.Held(environment.Name); err != nil {
			return fmt.Errorf("not written: %w", err)
		}
	}
	return nil
}

// Gate is nil while this process leads its manager, and the environment is that manager's, both for at
// least as long as needed.
func (o *Ownership) Gate(environment string, needed time.Duration) error {
	if o == nil {
		return nil
	}
	if o.Lead != nil {
		if err := o.Lead.Gate(needed); err != nil {
			return err
		}
	}
	if o.Claims == nil {
		return nil
	}
	return o.Claims.Gate(environment, needed)
}

// maxName is the longest name of an object in Kubernetes.
const maxName = 253

// LeaseOf is the name of the lease of an environment.
func LeaseOf(environment string) string {
	name := "ecsenvironment." + environment
	if len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(environment))
	hash := "." + hex.EncodeToString(sum[:])[:16]
	return name[:maxName-len(hash)] + hash
}

// claimer has those environments claimed that are to be this manager's. It asks nobody but the cache, so
// that no claim waits for AWS.
type claimer struct {
	client    client.Client
	ownership *Ownership
}

// Reconcile says of one environment whether it is to be this manager's.
func (c *claimer) Reconcile(ctx context.Context, request reconcile.Request) (ctrl.Result, error) {
	var environment ecsv1alpha1.EcsEnvironment
	err := c.client.Get(ctx, request.NamespacedName, &environment)
	if client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, c.ownership.want(request.Name, err == nil && c.ownership.selects(&environment))
}

// relabelled passes environments whose spec or labels are others: they may be another manager's now.
func relabelled() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{})
}

// Claimed is told that the lease of an environment was taken, lost or given back. Its releases are looked
// at: they are ours from now on, or not any more.
func (r *ReleaseReconciler) Claimed(environment string) {
	ctx := context.Background()
	var found ecsv1alpha1.EcsEnvironment
	if err := r.Client.Get(ctx, client.ObjectKey{Name: environment}, &found); err != nil {
		return // it is gone, which its releases were told
	}
	for _, request := range r.releasesOf(ctx, &found) {
		var release ecsv1alpha1.EcsRelease
		if err := r.Client.Get(ctx, request.NamespacedName, &release, client.UnsafeDisableDeepCopy); err != nil {
			continue // it is gone
		}
		if hasArrived(&release) {
			r.Inbox.EnqueueLater(request.NamespacedName)
			continue
		}
		r.Inbox.Enqueue(request.NamespacedName)
	}
}

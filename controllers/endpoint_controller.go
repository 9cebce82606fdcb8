package controllers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/probe"
	"heliumai.space/ecsrelease/internal/wayin"
)

const (
	// impatient is how often an endpoint is looked at that led on before and does not now, or that is new
	// and may be being built.
	impatient = time.Minute
	// longest is how long one look may take.
	longest = 4 * time.Minute
	// lookAgain is when a look is made again that AWS could not answer now.
	lookAgain = 15 * time.Second
	// believed is for how many of the intervals between two looks a status stands for which there is no
	// new answer.
	believed = 3
)

// EndpointReconciler looks at the hops of EcsEndpoints, and writes what it sees. It changes nothing in
// AWS.
type EndpointReconciler struct {
	Client client.Client
	Fleet  *cloud.Fleet
	// Prober asks host names. Absent: one that dials public addresses only.
	Prober   *probe.Prober
	Recorder events.EventRecorder
	// Every is how often an endpoint is looked at when nothing happens.
	Every time.Duration
	// Ownership is which environments are this process's. Absent: all.
	Ownership *Ownership

	checks endpointChecks

	mu       sync.Mutex
	answered map[types.NamespacedName]time.Time // when a look was last answered
}

// +kubebuilder:rbac:groups=ecs.heliumai.space,resources=ecsendpoints,verbs=get;list;watch
// +kubebuilder:rbac:groups=ecs.heliumai.space,resources=ecsendpoints/status,verbs=patch

// Reconcile makes one look at an endpoint and writes what it saw, if that is news.
func (r *EndpointReconciler) Reconcile(ctx context.Context, request reconcile.Request) (ctrl.Result, error) {
	var endpoint ecsv1alpha1.EcsEndpoint
	if err := r.Client.Get(ctx, request.NamespacedName, &endpoint); err != nil {
		if apierrors.IsNotFound(err) {
			r.forget(request.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !endpoint.DeletionTimestamp.IsZero() {
		r.forget(request.NamespacedName)
		return ctrl.Result{}, nil
	}
	around, problem, err := surroundingsOf(ctx, r.Client, endpoint.Namespace)
	if err != nil {
		return ctrl.Result{}, err
	}
	leave, ours := r.Ownership.enter(around.own)
	if !ours {
		r.forget(request.NamespacedName)
		return r.Ownership.notYet(around.own), nil
	}
	leave() // a look may take a while, and changes nothing: nobody waits for it who wants the environment
	now := metav1.Now().Rfc3339Copy()
	var way cloud.Way
	if problem == nil {
		way, problem = wayOf(around.own, &endpoint)
	}
	if problem != nil {
		r.forget(request.NamespacedName)
		return conflictIsNews(r.write(ctx, &endpoint, around.own, wayin.Refused(&endpoint, now, problem)))
	}
	return r.look(ctx, &endpoint, around.own, way, now)
}

// look looks at an endpoint that may be looked at.
func (r *EndpointReconciler) look(
	ctx context.Context, endpoint *ecsv1alpha1.EcsEndpoint, environment *ecsv1alpha1.EcsEnvironment, way cloud.Way, now metav1.Time,
) (ctrl.Result, error) {
	bounded, cancel := context.WithTimeout(cloud.AtLeisure(ctx), longest)
	seen := r.see(bounded, way)
	cancel()
	if ctx.Err() != nil {
		return ctrl.Result{}, ctx.Err()
	}
	delayed := seen.Delayed()
	hops := wayin.Judge(&endpoint.Spec, seen, now.Time)
	if delayed == nil {
		r.answer(endpoint, now.Time)
	} else if r.stands(endpoint, now.Time) {
		hops = wayin.Recall(&endpoint.Spec, seen, now.Time, endpoint.Status.Hops)
	}
	status := wayin.Conclude(endpoint, hops, now, seen.Unanswered())
	leave, ours := r.Ownership.enter(environment)
	if !ours {
		return r.Ownership.notYet(environment), nil
	}
	err := r.write(ctx, endpoint, environment, status)
	leave()
	if err != nil {
		return conflictIsNews(err)
	}
	every := r.Every
	switch {
	case delayed != nil:
		every = max(lookAgain, delayed.RetryAfter)
	case isNew(endpoint, now.Time) || hasBroken(&status, now.Time):
		every = min(every, impatient)
	}
	return ctrl.Result{RequeueAfter: jittered(every)}, nil
}

// isNew says that an endpoint was made within the last hour.
func isNew(endpoint *ecsv1alpha1.EcsEndpoint, now time.Time) bool {
	return now.Sub(endpoint.CreationTimestamp.Time) < time.Hour
}

// hasBroken says that an endpoint that once led on has ceased to within the last hour. One that stays
// broken is looked at like any other.
func hasBroken(status *ecsv1alpha1.EcsEndpointStatus, now time.Time) bool {
	ready := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReady)
	return status.Wired != nil && ready != nil && ready.Status != metav1.ConditionTrue && now.Sub(ready.LastTransitionTime.Time) < time.Hour
}

// jittered is a time, give or take a tenth of it, so that endpoints are not all looked at at once.
func jittered(d time.Duration) time.Duration {
	return d*9/10 + time.Duration(rand.Int64N(int64(d/5)+1)) //nolint:gosec // nobody gains by guessing it
}

// stands says whether what an endpoint's status says may go on standing although AWS has no answer now.
func (r *EndpointReconciler) stands(endpoint *ecsv1alpha1.EcsEndpoint, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, known := r.answered[client.ObjectKeyFromObject(endpoint)]
	return known && endpoint.Status.ObservedGeneration == endpoint.Generation && now.Sub(last) < believed*r.Every
}

func (r *EndpointReconciler) answer(endpoint *ecsv1alpha1.EcsEndpoint, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answered == nil {
		r.answered = map[types.NamespacedName]time.Time{}
	}
	r.answered[client.ObjectKeyFromObject(endpoint)] = now
}

func (r *EndpointReconciler) forget(endpoint types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.answered, endpoint)
}

// write writes the status if it says something new, and then tells of what Ready says now.
func (r *EndpointReconciler) write(
	ctx context.Context, endpoint *ecsv1alpha1.EcsEndpoint, environment *ecsv1alpha1.EcsEnvironment, status ecsv1alpha1.EcsEndpointStatus,
) error {
	if equality.Semantic.DeepEqual(endpoint.Status, status) {
		return nil
	}
	if err := r.Ownership.mayWrite(environment); err != nil {
		return err
	}
	base := endpoint.DeepCopy()
	endpoint.Status = status
	if err := r.Client.Status().Patch(ctx, endpoint, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("writing the status of endpoint %s: %w", client.ObjectKeyFromObject(endpoint), err)
	}
	before := meta.FindStatusCondition(base.Status.Conditions, ecsv1alpha1.ConditionReady)
	ready := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReady)
	if ready == nil || before != nil && before.Reason == ready.Reason && base.Status.Hop == status.Hop {
		return nil
	}
	kind := corev1.EventTypeWarning
	if ready.Status == metav1.ConditionTrue {
		kind = corev1.EventTypeNormal
	}
	ctrl.LoggerFrom(ctx).Info("the way in is another", "ready", ready.Status, "reason", ready.Reason, "hop", status.Hop)
	r.Recorder.Eventf(endpoint, nil, kind, ready.Reason, "Look", "%s", ready.Message)
	return nil
}

// SetupWithManager registers the reconciler and its watches.
func (r *EndpointReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("ecsendpoint").
		For(&ecsv1alpha1.EcsEndpoint{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, reconcileAsked()))).
		Watches(&ecsv1alpha1.EcsRelease{}, handler.EnqueueRequestsFromMapFunc(r.released), builder.WithPredicates(waveFinished())).
		Watches(&ecsv1alpha1.EcsEnvironment{}, handler.EnqueueRequestsFromMapFunc(r.endpointsOf), builder.WithPredicates(relabelled())).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, namespace client.Object) []reconcile.Request {
			return r.requests(ctx, namespace.GetName(), nil)
		}), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4, RateLimiter: backoff()}).
		Complete(r)
}

// reconcileAsked passes objects whose annotation asks for a look.
func reconcileAsked() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetAnnotations()[ecsv1alpha1.AnnotationReconcile] != e.ObjectNew.GetAnnotations()[ecsv1alpha1.AnnotationReconcile]
	}}
}

// waveFinished passes releases of which one more wave has finished.
func waveFinished() predicate.Predicate {
	finished := func(object client.Object) int {
		release, ok := object.(*ecsv1alpha1.EcsRelease)
		if !ok {
			return 0
		}
		n := 0
		for _, wave := range release.Status.Waves {
			if wave.Finished != nil {
				n++
			}
		}
		return n
	}
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool { return finished(e.ObjectNew) > finished(e.ObjectOld) },
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
}

// released are the endpoints that lead to a service of a release.
func (r *EndpointReconciler) released(ctx context.Context, object client.Object) []reconcile.Request {
	release, ok := object.(*ecsv1alpha1.EcsRelease)
	if !ok {
		return nil
	}
	places := placesOf(release)
	return r.requests(ctx, release.Namespace, func(endpoint *ecsv1alpha1.EcsEndpoint) bool {
		for _, region := range endpoint.Spec.Regions {
			for _, s := range region.Services {
				if slices.Contains(places, placeOf(ecsv1alpha1.Target{Region: region.Region, Cluster: s.Cluster}, s.Name)) {
					return true
				}
			}
		}
		return false
	})
}

// endpointsOf are the endpoints in the namespaces that an environment names. A change of it is told
// twice, as it was and as it is.
func (r *EndpointReconciler) endpointsOf(ctx context.Context, object client.Object) []reconcile.Request {
	environment, ok := object.(*ecsv1alpha1.EcsEnvironment)
	if !ok {
		return nil
	}
	var namespaces corev1.NamespaceList
	if err := r.Client.List(ctx, &namespaces, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing namespaces for a watch")
		return nil
	}
	var requests []reconcile.Request
	for i := range namespaces.Items {
		if selects(environment.Spec.Namespaces, &namespaces.Items[i]) {
			requests = append(requests, r.requests(ctx, namespaces.Items[i].Name, nil)...)
		}
	}
	return requests
}

// requests are the endpoints of a namespace that are wanted; nil: all.
func (r *EndpointReconciler) requests(ctx context.Context, namespace string, wanted func(*ecsv1alpha1.EcsEndpoint) bool) []reconcile.Request {
	var endpoints ecsv1alpha1.EcsEndpointList
	if err := r.Client.List(ctx, &endpoints, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing endpoints for a watch")
		return nil
	}
	var requests []reconcile.Request
	for i := range endpoints.Items {
		if wanted == nil || wanted(&endpoints.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&endpoints.Items[i])})
		}
	}
	return requests
}

package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
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
	"heliumai.space/ecsrelease/internal/rollout"
)

// defaultProgressDeadline is what an absent strategy.progressDeadlineSeconds means.
const defaultProgressDeadline = time.Duration(ecsv1alpha1.DefaultProgressDeadlineSeconds) * time.Second

// ReleaseReconciler brings EcsReleases about.
type ReleaseReconciler struct {
	Client client.Client
	// Reader reads past the caches, what may not be stale.
	Reader   client.Reader
	Fleet    *cloud.Fleet
	Recorder events.EventRecorder
	Metrics  *Metrics
	Timing   rollout.Timing
	// Freshness is how old a view of a service may be for a step to be based on it.
	Freshness time.Duration
	// Inbox brings the releases of which the informer has something new.
	Inbox *Inbox
	// Workers is how many releases are reconciled side by side.
	Workers int
	// Ownership is of which environments the releases are this process's. Absent: of all, always.
	Ownership *Ownership
	// Prober asks the URLs of spec.verification. Absent: one that dials public addresses only.
	Prober *probe.Prober
	// Endpoints looks at the endpoints that spec.verification names. Absent: such a check cannot be made.
	Endpoints *EndpointReconciler

	refusals   refusals
	verifier   verifier
	authorship authorship
	pushes     pushes
}

// +kubebuilder:rbac:groups=ecs.heliumai.space,resources=ecsreleases,verbs=get;list;watch
// +kubebuilder:rbac:groups=ecs.heliumai.space,resources=ecsreleases/status,verbs=patch
// +kubebuilder:rbac:groups=ecs.heliumai.space,resources=ecsenvironments,verbs=get;list;watch
// +kubebuilder:rbac:groups=ecs.heliumai.space,resources=ecsenvironments/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile makes one pass over a release: resolve, observe, decide, act, report. Partial
// failure is normal and no error; an error here means that Kubernetes could not be read or
// written, and the pass is made again.
func (r *ReleaseReconciler) Reconcile(ctx context.Context, request reconcile.Request) (ctrl.Result, error) {
	var release ecsv1alpha1.EcsRelease
	if err := r.Client.Get(ctx, request.NamespacedName, &release); err != nil {
		if apierrors.IsNotFound(err) {
			r.letGo(request.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !release.DeletionTimestamp.IsZero() {
		r.letGo(request.NamespacedName)
		return ctrl.Result{}, nil
	}
	environments, blind, err := surroundingsOf(ctx, r.Client, release.Namespace)
	if err != nil {
		return ctrl.Result{}, err
	}
	leave, ours := r.Ownership.enter(environments.own)
	if !ours {
		r.letGo(request.NamespacedName)
		return r.Ownership.notYet(environments.own), nil
	}
	defer leave()
	p, err := r.resolve(ctx, &release, environments, blind)
	if err != nil {
		return ctrl.Result{}, err
	}
	r.observe(ctx, p)
	r.decide(p)
	if err := r.act(ctx, p); err != nil {
		return conflictIsNews(err)
	}
	result, err := r.report(ctx, p)
	if err != nil {
		return conflictIsNews(err)
	}
	return result, nil
}

// letGo forgets a release that is gone, or another manager's. What runs in its services stays as it is.
func (r *ReleaseReconciler) letGo(release types.NamespacedName) {
	r.Fleet.Track(release, nil)
	r.Fleet.Want(release, nil)
	r.refusals.forget(release)
	r.verifier.assign(release, nil)
	r.authorship.forget(release)
	r.pushes.seen(release, r.pushes.of(release))
}

// conflictIsNews makes a conflict a prompt second look: the release, or its environment, has changed
// under the pass, and the change is on its way through the watch.
func conflictIsNews(err error) (ctrl.Result, error) {
	switch {
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: soon}, nil
	case errors.Is(err, errPermissionMoved):
		return ctrl.Result{RequeueAfter: time.Second}, nil // the watch may be late
	}
	return ctrl.Result{}, err
}

// SetupWithManager registers the reconciler, its indexes and its watches, and what makes its checks.
func (r *ReleaseReconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	r.refusals.slow = r.Timing.Slow
	r.verifier.fleet, r.verifier.prober, r.verifier.endpoints = r.Fleet, cmp.Or(r.Prober, &probe.Prober{}), r.Endpoints
	r.verifier.enqueue, r.verifier.fast, r.verifier.slow = r.Inbox.Enqueue, r.Timing.Fast, r.Timing.Slow
	if err := mgr.Add(&r.verifier); err != nil {
		return fmt.Errorf("adding the verifier: %w", err)
	}
	index := func(object client.Object) []string {
		release, ok := object.(*ecsv1alpha1.EcsRelease)
		if !ok {
			return nil
		}
		return placesOf(release)
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, &ecsv1alpha1.EcsRelease{}, indexPlace, index); err != nil {
		return fmt.Errorf("indexing releases by place: %w", err)
	}
	images := func(object client.Object) []string {
		release, ok := object.(*ecsv1alpha1.EcsRelease)
		if !ok {
			return nil
		}
		return imagesByTag(release)
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, &ecsv1alpha1.EcsRelease{}, indexImage, images); err != nil {
		return fmt.Errorf("indexing releases by image: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("ecsrelease").
		For(&ecsv1alpha1.EcsRelease{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, r.authorship.foreign()))).
		Watches(&ecsv1alpha1.EcsRelease{}, unfinishedFirst{}).
		Watches(&ecsv1alpha1.EcsRelease{}, handler.EnqueueRequestsFromMapFunc(r.neighbours), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&ecsv1alpha1.EcsEnvironment{}, handler.EnqueueRequestsFromMapFunc(r.governed), builder.WithPredicates(relabelled())).
		Watches(&ecsv1alpha1.EcsEnvironment{}, handler.EnqueueRequestsFromMapFunc(r.promoted), builder.WithPredicates(provenChanged())).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.releasesIn), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesRawSource(r.Inbox.source()).
		WithOptions(controller.Options{MaxConcurrentReconciles: max(r.Workers, 1), RateLimiter: backoff()}).
		Complete(r)
}

// neighbours are the other releases that name a service which this one names too.
func (r *ReleaseReconciler) neighbours(ctx context.Context, object client.Object) []reconcile.Request {
	release, ok := object.(*ecsv1alpha1.EcsRelease)
	if !ok {
		return nil
	}
	seen := map[client.ObjectKey]bool{client.ObjectKeyFromObject(release): true}
	var requests []reconcile.Request
	for _, place := range placesOf(release) {
		for _, request := range r.requests(ctx, nil, client.MatchingFields{indexPlace: place}) {
			if !seen[request.NamespacedName] {
				seen[request.NamespacedName] = true
				requests = append(requests, request)
			}
		}
	}
	return requests
}

// governed are the releases to which a change of an environment is news: those in its namespaces, and those
// that wait for another to let go of a service, from which it may be taken by that. A change is told twice, as
// it was and as it is.
func (r *ReleaseReconciler) governed(ctx context.Context, object client.Object) []reconcile.Request {
	return append(r.releasesOf(ctx, object), r.younger(ctx)...)
}

// releasesOf are the releases in the namespaces that an environment names.
func (r *ReleaseReconciler) releasesOf(ctx context.Context, object client.Object) []reconcile.Request {
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
			requests = append(requests, r.requests(ctx, nil, client.InNamespace(namespaces.Items[i].Name))...)
		}
	}
	return requests
}

// younger are the releases that wait for an older one to let go of a service.
func (r *ReleaseReconciler) younger(ctx context.Context) []reconcile.Request {
	return r.requests(ctx, func(release *ecsv1alpha1.EcsRelease) bool {
		ready := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionReady)
		return ready != nil && ready.Reason == ecsv1alpha1.ReasonServiceConflict
	})
}

// promoted are the releases of the environments that promote from one.
func (r *ReleaseReconciler) promoted(ctx context.Context, object client.Object) []reconcile.Request {
	var environments ecsv1alpha1.EcsEnvironmentList
	if err := r.Client.List(ctx, &environments, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing environments for a watch")
		return nil
	}
	var requests []reconcile.Request
	for i := range environments.Items {
		if promotion := environments.Items[i].Spec.Promotion; promotion != nil && promotion.From == object.GetName() {
			requests = append(requests, r.releasesOf(ctx, &environments.Items[i])...)
		}
	}
	return requests
}

// provenChanged passes environments that are new or gone, or in which something else is proven now.
func provenChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, known := e.ObjectOld.(*ecsv1alpha1.EcsEnvironment)
		after, ok := e.ObjectNew.(*ecsv1alpha1.EcsEnvironment)
		return known && ok && !equality.Semantic.DeepEqual(before.Status.Proven, after.Status.Proven)
	}}
}

// releasesIn are the releases in a namespace, and those that wait for another to let go of a service.
func (r *ReleaseReconciler) releasesIn(ctx context.Context, object client.Object) []reconcile.Request {
	return append(r.requests(ctx, nil, client.InNamespace(object.GetName())), r.younger(ctx)...)
}

// requests are those of the releases listed that are wanted; nil: all.
func (r *ReleaseReconciler) requests(ctx context.Context, wanted func(*ecsv1alpha1.EcsRelease) bool, options ...client.ListOption) []reconcile.Request {
	var releases ecsv1alpha1.EcsReleaseList
	if err := r.Client.List(ctx, &releases, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing releases for a watch")
		return nil
	}
	var requests []reconcile.Request
	for i := range releases.Items {
		if wanted == nil || wanted(&releases.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&releases.Items[i])})
		}
	}
	return requests
}

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
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
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/window"
)

// gathering is how long changes of releases and endpoints are collected before the environment that they are in is
// looked at.
const gathering = time.Second

// unanswered is how long an identity rests that could not be asked about now.
const unanswered = 15 * time.Second

// EnvironmentReconciler keeps the status of EcsEnvironments: what runs where, what leads there, what ran
// well for how long, and whether the identities are what they should be. It permits nothing: each pass over a
// release judges for itself.
type EnvironmentReconciler struct {
	Client client.Client
	Fleet  *cloud.Fleet
	// Every is how often the identities are looked at when nothing else happens.
	Every time.Duration
	// Ownership is which environments are this process's. Absent: all.
	Ownership *Ownership

	// inbox and claims bring the environments whose leases were taken, lost or given back, to be looked
	// at and to be claimed.
	inbox, claims Inbox
}

// survey is one look at an environment, of which it has a copy. The others, the releases and the endpoints are those
// in the cache, to be read only.
type survey struct {
	environment *ecsv1alpha1.EcsEnvironment
	now         time.Time
	all         []ecsv1alpha1.EcsEnvironment
	namespaces  []string
	// shared says of those of them that another environment names too which that is.
	shared   []string
	releases []*ecsv1alpha1.EcsRelease
	// endpoints are the ways in to their services.
	endpoints []*ecsv1alpha1.EcsEndpoint
	accounts  []ecsv1alpha1.IdentityStatus
	// unanswered says that AWS could not be asked about one of them now.
	unanswered bool
	// credentials is the condition CredentialsReady.
	credentials metav1.Condition
	// events is the condition EventsReceived; nil: no queue is named.
	events *metav1.Condition
	// sweep is how often settled services are looked at, where that is less often than every, which it
	// is meant to be; 0: it is not.
	sweep, every time.Duration
	// flight is how often services in flight are looked at, where that is less often than it is meant to
	// be; 0: it is not.
	flight time.Duration
}

// Reconcile makes one look at an environment and writes what it found.
func (r *EnvironmentReconciler) Reconcile(ctx context.Context, request reconcile.Request) (ctrl.Result, error) {
	var environment ecsv1alpha1.EcsEnvironment
	if err := r.Client.Get(ctx, request.NamespacedName, &environment); err != nil {
		if apierrors.IsNotFound(err) {
			r.Fleet.Hear(request.Name, nil)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	leave, ours := r.Ownership.enter(&environment)
	if !ours {
		r.Fleet.Hear(environment.Name, nil)
		return r.Ownership.notYet(&environment), nil
	}
	defer leave()
	queues := queuesOf(&environment)
	r.Fleet.Hear(environment.Name, queues)
	s, err := r.survey(ctx, &environment)
	if err != nil {
		return ctrl.Result{}, err
	}
	s.events = r.heard(&environment, queues)
	s.every, s.sweep = r.Every, stretched(seconds(environment.Status.SweepSeconds), r.Fleet.Stretched(environment.Name))
	said := seconds(environment.Status.InFlightSeconds)
	s.flight = stretched(said, r.Fleet.StretchedInFlight(environment.Name, said > 0))
	if s.asked() {
		// What is promoted from here does not wait for AWS to say who we are.
		if err := r.write(ctx, s); err != nil {
			return conflictIsNews(fmt.Errorf("writing what runs in environment %s: %w", environment.Name, err))
		}
	}
	r.identify(ctx, s)
	if err := r.write(ctx, s); err != nil {
		return conflictIsNews(fmt.Errorf("writing the status of environment %s: %w", environment.Name, err))
	}
	if s.unanswered {
		return ctrl.Result{RequeueAfter: min(r.Every, unanswered)}, nil
	}
	if s.events != nil && s.events.Status != metav1.ConditionTrue {
		return ctrl.Result{RequeueAfter: min(r.Every, time.Minute)}, nil
	}
	return ctrl.Result{RequeueAfter: r.Every}, nil
}

// Claimed is told that the lease of an environment was taken, lost or given back: it is ours from now on,
// or not any more, or is to be claimed anew.
func (r *EnvironmentReconciler) Claimed(environment string) {
	r.claims.Enqueue(types.NamespacedName{Name: environment})
	r.inbox.Enqueue(types.NamespacedName{Name: environment})
}

// survey reads what there is in Kubernetes.
func (r *EnvironmentReconciler) survey(ctx context.Context, environment *ecsv1alpha1.EcsEnvironment) (*survey, error) {
	s := &survey{environment: environment, now: time.Now()}
	var environments ecsv1alpha1.EcsEnvironmentList
	if err := r.Client.List(ctx, &environments, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing environments: %w", err)
	}
	s.all = environments.Items
	var namespaces corev1.NamespaceList
	if err := r.Client.List(ctx, &namespaces, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing namespaces: %w", err)
	}
	for i := range namespaces.Items {
		namespace := &namespaces.Items[i]
		if !selects(environment.Spec.Namespaces, namespace) {
			continue
		}
		s.namespaces = append(s.namespaces, namespace.Name)
		if _, problem := environmentOf(namespace, s.all); problem != nil {
			s.shared = append(s.shared, problem.Message)
			continue // its releases belong to nobody
		}
		var releases ecsv1alpha1.EcsReleaseList
		if err := r.Client.List(ctx, &releases, client.InNamespace(namespace.Name), client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("listing releases of namespace %s: %w", namespace.Name, err)
		}
		for i := range releases.Items {
			s.releases = append(s.releases, &releases.Items[i])
		}
		var endpoints ecsv1alpha1.EcsEndpointList
		if err := r.Client.List(ctx, &endpoints, client.InNamespace(namespace.Name), client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("listing endpoints of namespace %s: %w", namespace.Name, err)
		}
		for i := range endpoints.Items {
			s.endpoints = append(s.endpoints, &endpoints.Items[i])
		}
	}
	slices.Sort(s.namespaces)
	slices.Sort(s.shared)
	slices.SortFunc(s.releases, byName)
	slices.SortFunc(s.endpoints, byName)
	return s, nil
}

// byName orders objects by namespace and name.
func byName[T client.Object](a, b T) int {
	return cmp.Or(strings.Compare(a.GetNamespace(), b.GetNamespace()), strings.Compare(a.GetName(), b.GetName()))
}

// asked takes over what was found out about the identities before; false where nothing was, of this spec.
func (s *survey) asked() bool {
	before := meta.FindStatusCondition(s.environment.Status.Conditions, ecsv1alpha1.ConditionCredentialsReady)
	if before == nil || before.ObservedGeneration != s.environment.Generation {
		return false
	}
	s.credentials, s.accounts = *before, s.environment.Status.Accounts
	return true
}

// identify finds out what the identities of the environment really are, each in a region where it is
// used. Where none says which region that is, nothing is asked.
func (r *EnvironmentReconciler) identify(ctx context.Context, s *survey) {
	s.accounts = nil
	var unasked, late, wrong []string
	reason := ecsv1alpha1.ReasonObservationFailed
	for _, used := range s.identities() {
		status := ecsv1alpha1.IdentityStatus{RoleARN: used.identity.RoleARN, AccountID: used.identity.AccountID}
		if used.region == "" {
			unasked = append(unasked, used.identity.String())
			s.accounts = append(s.accounts, status)
			continue
		}
		account, problem := r.Fleet.Verify(ctx, used.identity, used.region)
		status.ActualAccountID = account
		switch {
		case problem == nil:
		case problem.Delay():
			late = append(late, problem.Message)
			status.ActualAccountID = s.accountBefore(status)
		default:
			if len(wrong) == 0 {
				reason = problem.Reason
			}
			wrong = append(wrong, problem.Message)
			status.Message = clip(problem.Message, 512)
		}
		s.accounts = append(s.accounts, status)
	}
	s.unanswered = len(late) > 0
	condition := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return metav1.Condition{Type: ecsv1alpha1.ConditionCredentialsReady, Status: status, Reason: reason, Message: clip(message, 1024)}
	}
	switch before := meta.FindStatusCondition(s.environment.Status.Conditions, ecsv1alpha1.ConditionCredentialsReady); {
	case len(wrong) > 0:
		s.credentials = condition(metav1.ConditionFalse, reason, strings.Join(wrong, "; "))
	case len(late) > 0 && before != nil && before.ObservedGeneration == s.environment.Generation:
		s.credentials = *before // nothing new is known
	case len(late) > 0:
		s.credentials = condition(metav1.ConditionUnknown, ecsv1alpha1.ReasonObservationFailed, strings.Join(late, "; "))
	case len(unasked) > 0:
		s.credentials = condition(metav1.ConditionUnknown, ecsv1alpha1.ReasonObserving,
			"not asked yet, since no release uses it and no destination of it names a region without *: "+strings.Join(unasked, ", "))
	default:
		s.credentials = condition(metav1.ConditionTrue, ecsv1alpha1.ReasonVerifiedAccount, fmt.Sprintf("%d of %d identities are of their accounts", len(s.accounts), len(s.accounts)))
	}
}

// accountBefore is the account that an identity was last seen to be of.
func (s *survey) accountBefore(now ecsv1alpha1.IdentityStatus) string {
	for _, before := range s.environment.Status.Accounts {
		if before.RoleARN == now.RoleARN && before.AccountID == now.AccountID {
			return before.ActualAccountID
		}
	}
	return ""
}

// usedIdentity is an identity and a region where it is used; "" where none is known.
type usedIdentity struct {
	identity cloud.Identity
	region   string
}

// identities are those of the environment, each once: its own, and those of its destinations.
func (s *survey) identities() []usedIdentity {
	var used []usedIdentity
	note := func(aws ecsv1alpha1.AWSIdentity, region string) {
		identity := identityOf(s.environment, aws)
		if strings.Contains(region, "*") {
			region = s.regionOf(identity)
		}
		i := slices.IndexFunc(used, func(u usedIdentity) bool { return u.identity == identity })
		if i < 0 {
			used = append(used, usedIdentity{identity, region})
			return
		}
		used[i].region = cmp.Or(used[i].region, region)
	}
	for _, destination := range s.environment.Spec.Destinations {
		note(awsOf(s.environment, destination), destination.Region)
	}
	if len(used) == 0 {
		note(s.environment.Spec.AWS, "*")
	}
	return used
}

// regionOf is a region in which a release uses an identity; "" where none does.
func (s *survey) regionOf(identity cloud.Identity) string {
	for _, release := range s.releases {
		for _, service := range place(release, s.environment) {
			if service.problem == nil && service.key.Identity == identity {
				return service.key.Region
			}
		}
	}
	return ""
}

// ready is the condition Ready: what an admin has to mend, the most harmful first.
func (s *survey) ready() metav1.Condition {
	condition := func(status metav1.ConditionStatus, reason, format string, args ...any) metav1.Condition {
		return metav1.Condition{Type: ecsv1alpha1.ConditionReady, Status: status, Reason: reason, Message: clip(fmt.Sprintf(format, args...), 1024)}
	}
	spec := &s.environment.Spec
	_, windows := window.Parse(spec.Windows)
	switch overlap := overlapping(s.environment); {
	case windows != nil:
		return condition(metav1.ConditionFalse, ecsv1alpha1.ReasonInvalidEnvironment, "%s: no release starts until that is corrected", windows)
	case spec.Promotion != nil && !s.promotes(spec.Promotion.From):
		return condition(metav1.ConditionFalse, ecsv1alpha1.ReasonInvalidEnvironment, "spec.promotion.from is %q: there is no such other EcsEnvironment, so no release starts", spec.Promotion.From)
	case overlap != "":
		return condition(metav1.ConditionFalse, ecsv1alpha1.ReasonIdentityConflict, "%s: a service that both cover is not managed until they name the same identity or overlap no longer", overlap)
	case len(s.shared) > 0:
		return condition(metav1.ConditionFalse, ecsv1alpha1.ReasonAmbiguousEnvironment, "no release is managed where %s", strings.Join(s.shared, "; "))
	case s.credentials.Status == metav1.ConditionFalse:
		return condition(metav1.ConditionFalse, s.credentials.Reason, "%s", s.credentials.Message)
	case len(s.namespaces) == 0:
		return condition(metav1.ConditionFalse, ecsv1alpha1.ReasonNoNamespaces, "spec.namespaces names no namespace that exists")
	case s.sweep > 0 || s.flight > 0:
		return condition(metav1.ConditionTrue, ecsv1alpha1.ReasonValid,
			"the releases of %d namespaces are managed; %s: the share of AWS's quotas leaves no more; raise --quota-share, or the quota in AWS",
			len(s.namespaces), s.late())
	default:
		return condition(metav1.ConditionTrue, ecsv1alpha1.ReasonValid, "the releases of %d namespaces are managed", len(s.namespaces))
	}
}

// late is what is looked at less often than it is meant to be.
func (s *survey) late() string {
	var late []string
	if s.flight > 0 {
		late = append(late, fmt.Sprintf("services in flight are looked at about every %s, less often than --in-flight-interval says", s.flight))
	}
	if s.sweep > 0 {
		late = append(late, fmt.Sprintf("settled services are looked at about every %s, wanted every %s", s.sweep, s.every))
	}
	return strings.Join(late, ", and ")
}

// stretched is how often services are looked at, as status says it: what it said before, as
// long as that is about so. 0: they are looked at in time.
func stretched(said, now time.Duration) time.Duration {
	switch {
	case said > now*3/4 && said < now*5/4:
		return said
	case now < time.Minute:
		return now.Round(time.Second)
	default:
		return now.Round(time.Minute)
	}
}

// promotes says that there is another environment of that name.
func (s *survey) promotes(from string) bool {
	return from != s.environment.Name && slices.ContainsFunc(s.all, func(e ecsv1alpha1.EcsEnvironment) bool { return e.Name == from })
}

// status is the whole status after this look.
func (s *survey) status() ecsv1alpha1.EcsEnvironmentStatus {
	status := *s.environment.Status.DeepCopy()
	status.ObservedGeneration = s.environment.Generation
	conditions := []metav1.Condition{s.ready(), s.credentials}
	if s.events != nil {
		conditions = append(conditions, *s.events)
	} else {
		meta.RemoveStatusCondition(&status.Conditions, ecsv1alpha1.ConditionEventsReceived)
	}
	for _, condition := range conditions {
		condition.ObservedGeneration, condition.LastTransitionTime = s.environment.Generation, metav1.NewTime(s.now)
		meta.SetStatusCondition(&status.Conditions, condition)
	}
	status.Accounts = s.accounts
	status.SweepSeconds = int32(s.sweep / time.Second)     //nolint:gosec // it is hours at most
	status.InFlightSeconds = int32(s.flight / time.Second) //nolint:gosec // likewise
	status.Namespaces = s.namespaces[:min(len(s.namespaces), 128)]
	status.Releases = nil
	ready := 0
	for _, release := range s.releases {
		summary := summaryOf(release)
		if summary.Ready == metav1.ConditionTrue {
			ready++
		}
		if len(status.Releases) < 256 {
			status.Releases = append(status.Releases, summary)
		}
	}
	status.Endpoints = nil
	for _, endpoint := range s.endpoints[:min(len(s.endpoints), 128)] {
		status.Endpoints = append(status.Endpoints, wayInOf(endpoint))
	}
	status.Summary = fmt.Sprintf("%d/%d Ready", ready, len(s.releases))
	status.Proven = rollout.Soak(status.Proven, rollout.RunsOf(s.releases, s.now), s.now)
	return status
}

// summaryOf is a release as its environment shows it.
func summaryOf(release *ecsv1alpha1.EcsRelease) ecsv1alpha1.ReleaseSummary {
	summary := ecsv1alpha1.ReleaseSummary{Namespace: release.Namespace, Name: release.Name, Progress: release.Status.Progress}
	if ready := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionReady); ready != nil {
		summary.Ready, summary.Reason = ready.Status, ready.Reason
	}
	summary.Images = imagesOf(release.Status.Images)
	if i := slices.IndexFunc(release.Status.History, rollout.CameToAGoodEnd); i >= 0 {
		if released := imagesOf(release.Status.History[i].Images); !slices.Equal(released, summary.Images) {
			summary.Released = released
		}
	}
	return summary
}

// wayInOf is an endpoint as its environment shows it.
func wayInOf(endpoint *ecsv1alpha1.EcsEndpoint) ecsv1alpha1.EndpointSummary {
	summary := ecsv1alpha1.EndpointSummary{
		Namespace: endpoint.Namespace, Name: endpoint.Name, Hostname: endpoint.Spec.Hostname, Hop: endpoint.Status.Hop,
	}
	if ready := meta.FindStatusCondition(endpoint.Status.Conditions, ecsv1alpha1.ConditionReady); ready != nil {
		summary.Ready, summary.Reason = ready.Status, ready.Reason
	}
	return summary
}

func imagesOf(images []ecsv1alpha1.ResolvedImage) []ecsv1alpha1.ReleasedImage {
	var shown []ecsv1alpha1.ReleasedImage
	for _, image := range images[:min(len(images), 4)] {
		shown = append(shown, ecsv1alpha1.ReleasedImage{Image: image.Image, Digest: image.Digest})
	}
	return shown
}

// write writes the status if it says something new.
func (r *EnvironmentReconciler) write(ctx context.Context, s *survey) error {
	status := s.status()
	if equality.Semantic.DeepEqual(s.environment.Status, status) {
		return nil
	}
	if err := r.Ownership.mayWrite(s.environment); err != nil {
		return err
	}
	base := s.environment.DeepCopy()
	s.environment.Status = status
	return r.Client.Status().Patch(ctx, s.environment, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
}

// SetupWithManager registers the reconciler and its watches.
func (r *EnvironmentReconciler) SetupWithManager(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).
		Named("ecsenvironment-claims").
		For(&ecsv1alpha1.EcsEnvironment{}, builder.WithPredicates(relabelled())).
		WatchesRawSource(r.claims.source()).
		WithOptions(controller.Options{RateLimiter: backoff()}).
		Complete(&claimer{client: r.Client, ownership: r.Ownership})
	if err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("ecsenvironment").
		For(&ecsv1alpha1.EcsEnvironment{}, builder.WithPredicates(relabelled())).
		WatchesRawSource(r.inbox.source()).
		Watches(&ecsv1alpha1.EcsEnvironment{}, r.gather(r.others), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&ecsv1alpha1.EcsRelease{}, r.gather(func(ctx context.Context, release client.Object) []string {
			return r.naming(ctx, release.GetNamespace())
		})).
		Watches(&ecsv1alpha1.EcsEndpoint{}, r.gather(func(ctx context.Context, endpoint client.Object) []string {
			return r.naming(ctx, endpoint.GetNamespace())
		})).
		Watches(&corev1.Namespace{}, r.gather(func(ctx context.Context, namespace client.Object) []string { return r.naming(ctx, namespace.GetName()) }), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: 2, RateLimiter: backoff()}).
		Complete(r)
}

// gather enqueues the environments that a change concerns after a while, so that many changes make
// one look.
func (r *EnvironmentReconciler) gather(concerned func(context.Context, client.Object) []string) handler.EventHandler {
	enqueue := func(ctx context.Context, object client.Object, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		for _, name := range concerned(ctx, object) {
			queue.AddAfter(reconcile.Request{NamespacedName: client.ObjectKey{Name: name}}, gathering)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			enqueue(ctx, e.Object, q)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			enqueue(ctx, e.ObjectOld, q) // a namespace may have left an environment
			enqueue(ctx, e.ObjectNew, q)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			enqueue(ctx, e.Object, q)
		},
	}
}

// others are all environments but one: what one says of its namespaces concerns those that say the same.
func (r *EnvironmentReconciler) others(ctx context.Context, object client.Object) []string {
	return r.names(ctx, func(e *ecsv1alpha1.EcsEnvironment) bool { return e.Name != object.GetName() })
}

// naming are the environments that name a namespace, or did when they were last looked at.
func (r *EnvironmentReconciler) naming(ctx context.Context, name string) []string {
	var namespace corev1.Namespace
	if err := r.Client.Get(ctx, client.ObjectKey{Name: name}, &namespace); err != nil {
		namespace.Name = name
	}
	return r.names(ctx, func(e *ecsv1alpha1.EcsEnvironment) bool {
		return selects(e.Spec.Namespaces, &namespace) || slices.Contains(e.Status.Namespaces, name)
	})
}

func (r *EnvironmentReconciler) names(ctx context.Context, concerned func(*ecsv1alpha1.EcsEnvironment) bool) []string {
	var environments ecsv1alpha1.EcsEnvironmentList
	if err := r.Client.List(ctx, &environments, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing environments for a watch")
		return nil
	}
	var names []string
	for i := range environments.Items {
		if concerned(&environments.Items[i]) {
			names = append(names, environments.Items[i].Name)
		}
	}
	return names
}

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// report writes what the pass found and did, then tells of the transitions, and says when to
// look again.
func (r *ReleaseReconciler) report(ctx context.Context, p *pass) (ctrl.Result, error) {
	verdict := rollout.Judge(p.judgement())
	if moved := p.movedMessage(); moved != "" && verdict.ImageAvailable.Status == metav1.ConditionTrue {
		verdict.ImageAvailable.Message += "; " + moved
	}
	status := p.status(verdict)
	if err := r.write(ctx, p, status); err != nil {
		return ctrl.Result{}, fmt.Errorf("writing status: %w", err)
	}
	r.tell(ctx, p, verdict)
	r.track(p, func(s *service) bool { return s.decision.InFlight || inFlight(s.memory) })
	return ctrl.Result{RequeueAfter: p.next(r.Timing, verdict)}, nil
}

// announce writes the intents of this pass, and nothing that is not yet so.
func (r *ReleaseReconciler) announce(ctx context.Context, p *pass) error {
	status := p.release.Status.DeepCopy()
	status.Images = p.resolvedImages()
	status.Targets = p.targets()
	return r.write(ctx, p, *status)
}

// write is the one place that writes status: by a patch that carries the resourceVersion which
// this pass began with, and none when there is nothing to write. A conflict comes back as an error.
func (r *ReleaseReconciler) write(ctx context.Context, p *pass, status ecsv1alpha1.EcsReleaseStatus) error {
	status = rollout.Bound(status)
	if equality.Semantic.DeepEqual(p.release.Status, status) {
		return nil
	}
	base := p.release.DeepCopy()
	p.release.Status = status
	patch := client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
	return r.Client.Status().Patch(ctx, p.release, patch)
}

// judgement is all that the release's conditions depend on.
func (p *pass) judgement() rollout.Release {
	release := rollout.Release{
		Now:           p.started,
		Image:         p.imageLine(),
		Services:      p.placed(),
		Blocked:       p.blocked,
		Suspended:     p.release.Spec.Suspend,
		ImageProblem:  p.imageProblem(),
		ImageChecked:  p.imagesChecked(),
		ImageDeadline: seconds(ecsv1alpha1.DefaultImageDeadlineSeconds),
	}
	if strategy := p.release.Spec.Strategy; strategy != nil && strategy.ImageDeadlineSeconds != nil {
		release.ImageDeadline = seconds(*strategy.ImageDeadlineSeconds)
	}
	for _, wanted := range p.images {
		if since := wanted.missingSince; !since.IsZero() && (release.ImageMissingSince.IsZero() || since.Before(release.ImageMissingSince)) {
			release.ImageMissingSince = since
		}
	}
	return release
}

// placed are the services with what is known of them now.
func (p *pass) placed() []rollout.Placed {
	placed := make([]rollout.Placed, 0, len(p.services))
	for _, s := range p.services {
		placed = append(placed, rollout.Placed{Target: s.target.Name, Status: s.memory})
	}
	return placed
}

// status is the whole status after this pass.
func (p *pass) status(verdict rollout.Verdict) ecsv1alpha1.EcsReleaseStatus {
	status := *p.release.Status.DeepCopy()
	if verdict.Ready == metav1.ConditionTrue {
		for _, s := range p.services {
			s.memory = rollout.Prove(s.memory, p.started)
		}
	}
	status.ObservedGeneration = p.release.Generation
	status.Image = p.imageLine()
	status.Images = p.resolvedImages()
	status.Services = verdict.Services
	status.ReadyServices = verdict.ReadyServices
	status.Progress = verdict.Progress
	status.Targets = p.targets()
	status.Failure = verdict.Failure
	status.Handled = p.handled()
	setConditions(&status, verdict, p.release.Generation, metav1.NewTime(p.started))
	if p.blocked == nil {
		status.History = rollout.Record(status.History, status.Images, verdict, rollout.Revisions(p.placed()), p.started)
	}
	return status
}

// setConditions is the one place that sets conditions.
func setConditions(status *ecsv1alpha1.EcsReleaseStatus, verdict rollout.Verdict, generation int64, now metav1.Time) {
	set := func(kind string, condition rollout.Condition) {
		meta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: kind, Status: condition.Status, Reason: condition.Reason, Message: condition.Message,
			ObservedGeneration: generation, LastTransitionTime: now,
		})
	}
	onlyWhenTrue := func(kind string, value bool) {
		if !value {
			meta.RemoveStatusCondition(&status.Conditions, kind)
			return
		}
		condition := verdict.ReadyCondition
		condition.Status = metav1.ConditionTrue
		set(kind, condition)
	}
	set(ecsv1alpha1.ConditionReady, verdict.ReadyCondition)
	onlyWhenTrue(ecsv1alpha1.ConditionReconciling, verdict.Reconciling)
	onlyWhenTrue(ecsv1alpha1.ConditionStalled, verdict.Stalled)
	set(ecsv1alpha1.ConditionImageAvailable, verdict.ImageAvailable)
	set(ecsv1alpha1.ConditionDeployed, verdict.Deployed)
}

// imageLine is what the release deploys, for people.
func (p *pass) imageLine() string {
	spelled := make([]string, 0, len(p.images))
	for _, wanted := range p.images {
		spelled = append(spelled, wanted.spelled)
	}
	line := strings.Join(spelled, ",")
	if len(line) > 1024 {
		line = line[:1021] + "..."
	}
	return line
}

func (p *pass) resolvedImages() []ecsv1alpha1.ResolvedImage {
	images := make([]ecsv1alpha1.ResolvedImage, 0, len(p.images))
	for _, wanted := range p.images {
		resolved := ecsv1alpha1.ResolvedImage{Container: wanted.container, Image: wanted.spelled, Digest: wanted.digest, MovedTo: wanted.movedTo}
		if !wanted.missingSince.IsZero() {
			since := metav1.NewTime(wanted.missingSince)
			resolved.MissingSince = &since
		}
		images = append(images, resolved)
	}
	return images
}

// targets are the targets of the spec with the memory of their services.
func (p *pass) targets() []ecsv1alpha1.TargetStatus {
	var targets []ecsv1alpha1.TargetStatus
	for _, s := range p.services {
		if len(targets) == 0 || targets[len(targets)-1].Name != s.target.Name {
			targets = append(targets, ecsv1alpha1.TargetStatus{
				Name: s.target.Name, Region: s.target.Region, Cluster: s.target.Cluster,
				AccountID: p.account(s),
			})
		}
		last := &targets[len(targets)-1]
		last.Services = append(last.Services, s.memory)
	}
	return targets
}

// account is the account of a service; while no environment says which, the one it had last.
func (p *pass) account(s *service) string {
	if s.key.Identity.AccountID != "" {
		return s.key.Identity.AccountID
	}
	for _, target := range p.release.Status.Targets {
		named := slices.ContainsFunc(target.Services, func(m ecsv1alpha1.ServiceStatus) bool { return m.Name == s.spec.Name })
		if target.Region == s.target.Region && target.Cluster == s.target.Cluster && named {
			return target.AccountID
		}
	}
	return ""
}

// handled echoes the tokens that were acted on, and those that were there at first sight.
func (p *pass) handled() *ecsv1alpha1.HandledCommands {
	token := commandToken(p.release)
	if token == "" {
		return p.release.Status.Handled
	}
	return &ecsv1alpha1.HandledCommands{Reconcile: token}
}

// next is when to look again at the latest; 0: when something changes. It is the one place
// that picks the requeue.
func (p *pass) next(timing rollout.Timing, verdict rollout.Verdict) time.Duration {
	var next time.Duration
	sooner := func(d time.Duration) {
		if d > 0 && (next == 0 || d < next) {
			next = d
		}
	}
	sooner(verdict.Look)
	for _, s := range p.services {
		sooner(s.decision.Look)
		sooner(s.retryAfter)
		if s.decision.InFlight {
			sooner(timing.Fast)
		}
		for _, problem := range []*rollout.Problem{s.want.Problem, s.facts.Problem, s.refused} {
			if problem != nil {
				sooner(patience(problem, timing))
			}
		}
	}
	return next
}

// patience is how long a problem may rest before it is looked at again, where nothing tells
// that it is gone.
func patience(problem *rollout.Problem, timing rollout.Timing) time.Duration {
	switch {
	case problem.Delay():
		return max(problem.RetryAfter, timing.Fast)
	case problem.RetryAfter > 0:
		return problem.RetryAfter
	default:
		return timing.Slow
	}
}

// tell logs and emits the transitions of this pass, after the status that shows them.
func (r *ReleaseReconciler) tell(ctx context.Context, p *pass, verdict rollout.Verdict) {
	logger := log.FromContext(ctx)
	for _, s := range p.services {
		for _, event := range s.moved {
			r.Recorder.Eventf(p.release, nil, normal, event.reason, actionOn(event.reason, s.name()), "%s", event.note)
		}
		was := stateOf(p.before, s)
		if was == s.memory.State {
			continue
		}
		logger.Info("service changed state", "service", s.name(), "region", s.key.Region, "cluster", s.key.Cluster,
			"from", was, "to", s.memory.State, "reason", s.memory.Reason, "revision", s.memory.Revision)
		r.Metrics.transition(s.memory.State)
		if s.memory.State == ecsv1alpha1.ServiceInSync {
			r.Recorder.Eventf(p.release, nil, normal, ecsv1alpha1.EventServiceInSync, actionOn(ecsv1alpha1.EventServiceInSync, s.name()),
				"service %s runs %s on %s", s.name(), p.imageLine(), s.memory.Registered)
		}
	}
	if slices.ContainsFunc(p.images, func(w *wantedImage) bool { return w.moved }) {
		r.Recorder.Eventf(p.release, nil, warning, ecsv1alpha1.EventTagMoved, ecsv1alpha1.EventTagMoved, "%s", p.movedMessage())
	}
	r.tellVerdict(ctx, p, verdict)
}

// tellVerdict tells of a release that became ready, or stalled for another reason than before.
func (r *ReleaseReconciler) tellVerdict(ctx context.Context, p *pass, verdict rollout.Verdict) {
	was := meta.FindStatusCondition(p.before.Conditions, ecsv1alpha1.ConditionReady)
	if was != nil && was.Status == verdict.Ready && was.Reason == verdict.ReadyCondition.Reason && was.ObservedGeneration == p.release.Generation {
		return
	}
	log.FromContext(ctx).Info("release changed", "ready", verdict.Ready, "reason", verdict.ReadyCondition.Reason, "message", verdict.ReadyCondition.Message, "generation", p.release.Generation)
	switch {
	case verdict.Ready == metav1.ConditionTrue:
		r.Recorder.Eventf(p.release, nil, normal, ecsv1alpha1.EventReleased, ecsv1alpha1.EventReleased, "%s", verdict.ReadyCondition.Message)
	case verdict.Stalled:
		r.Recorder.Eventf(p.release, nil, warning, ecsv1alpha1.EventStalled, verdict.ReadyCondition.Reason, "%s", verdict.ReadyCondition.Message)
	}
}

// stateOf is the state that a service had in a status, "" when it was not in it.
func stateOf(status ecsv1alpha1.EcsReleaseStatus, s *service) ecsv1alpha1.ServiceState {
	for _, target := range status.Targets {
		if target.Name != s.target.Name {
			continue
		}
		for _, service := range target.Services {
			if service.Name == s.spec.Name {
				return service.State
			}
		}
	}
	return ""
}

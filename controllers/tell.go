package controllers

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// tell logs and emits the transitions of this pass, after the status that shows them.
func (r *ReleaseReconciler) tell(ctx context.Context, p *pass, verdict rollout.Verdict) {
	r.tellNotices(ctx, p)
	r.tellFailure(ctx, p)
	for _, s := range p.services {
		for _, event := range s.moved {
			r.emit(p, event.kind, event.reason, s.name(), "%s", event.note)
		}
		r.tellService(ctx, p, s)
	}
	if slices.ContainsFunc(p.images, func(w *wantedImage) bool { return w.moved }) {
		r.emit(p, warning, ecsv1alpha1.EventTagMoved, "", "%s", p.movedMessage())
	}
	r.tellWaves(ctx, p)
	r.tellAwaiting(p)
	r.tellVerdict(ctx, p, verdict)
}

// emit emits an event about the release, or about one thing of it.
func (r *ReleaseReconciler) emit(p *pass, kind, reason, about, note string, args ...any) {
	r.record(p, kind, reason, actionOn(reason, about), fmt.Sprintf(note, args...))
}

// record emits an event with as much of the note as the API takes.
func (r *ReleaseReconciler) record(p *pass, kind, reason, action, note string) {
	const most = 1000
	r.Recorder.Eventf(p.release, nil, kind, reason, action, "%s", clip(note, most))
}

// tellNotices tells what became of commands, once.
func (r *ReleaseReconciler) tellNotices(ctx context.Context, p *pass) {
	for _, notice := range p.notices {
		kind, reason := normal, ecsv1alpha1.EventCommandHandled
		if !notice.Done {
			kind, reason = warning, ecsv1alpha1.EventCommandIgnored
		}
		note := notice.Message
		if notice.Command != "" {
			note = notice.Command + ": " + note
		}
		log.FromContext(ctx).Info("command", "command", notice.Command, "done", notice.Done, "message", notice.Message)
		r.emit(p, kind, reason, notice.Command, "%s", note)
	}
	p.notices = nil
}

// tellFailure tells of what failed in this pass: each service, by its class.
func (r *ReleaseReconciler) tellFailure(ctx context.Context, p *pass) {
	for _, s := range p.services {
		for _, failed := range s.memory.Failed {
			known := slices.ContainsFunc(s.was.Failed, func(f ecsv1alpha1.FailedContent) bool {
				return f.Hash == failed.Hash && f.Inputs == failed.Inputs && f.At.Equal(&failed.At)
			})
			if known {
				continue
			}
			log.FromContext(ctx).Info("service failed", "service", s.name(), "region", s.key.Region, "cluster", s.key.Cluster,
				"class", failed.Class, "message", failed.Message)
			r.Metrics.failure(failed.Class)
			r.emit(p, warning, ecsv1alpha1.EventFailed, s.name(),
				"service %s failed with %s (%s): %s", s.name(), p.imageLine(), failed.Class, failed.Message)
		}
	}
}

// tellService tells of the state that a service came into.
func (r *ReleaseReconciler) tellService(ctx context.Context, p *pass, s *service) {
	if d := s.memory.Drift; d != nil && d.Standing && (s.was.Drift == nil || !s.was.Drift.Standing || s.was.Drift.Deployment != d.Deployment) {
		r.emit(p, warning, ecsv1alpha1.EventDrifted, s.name(),
			"service %s: deployment %s by somebody else brought %s, which is left as it is", s.name(), d.Deployment, d.Revision)
	}
	if s.was.State == s.memory.State {
		return
	}
	log.FromContext(ctx).Info("service changed state", "service", s.name(), "region", s.key.Region, "cluster", s.key.Cluster,
		"from", s.was.State, "to", s.memory.State, "reason", s.memory.Reason, "revision", s.memory.Revision)
	r.Metrics.transition(s.memory.State)
	switch s.memory.State {
	case ecsv1alpha1.ServiceInSync:
		r.emit(p, normal, ecsv1alpha1.EventServiceInSync, s.name(), "service %s runs %s on %s", s.name(), p.imageLine(), s.memory.Registered)
	case ecsv1alpha1.ServiceRollingBack:
		r.emit(p, warning, ecsv1alpha1.EventRollingBack, s.name(), "service %s goes back: %s", s.name(), s.memory.Message)
	case ecsv1alpha1.ServiceRolledBack:
		r.Metrics.rollback(true)
		r.emit(p, normal, ecsv1alpha1.EventRolledBack, s.name(), "service %s is back on %s", s.name(), s.memory.Revision)
	case ecsv1alpha1.ServiceRollbackFailed:
		r.Metrics.rollback(false)
		r.emit(p, warning, ecsv1alpha1.EventRollbackFailed, s.name(), "service %s could not be brought back: %s", s.name(), s.memory.Message)
	default:
	}
}

// tellWaves tells of waves that opened and finished.
func (r *ReleaseReconciler) tellWaves(ctx context.Context, p *pass) {
	var before []ecsv1alpha1.WaveStatus
	if old := p.before.History; len(old) > 0 && old[0].Number == p.campaign.Number {
		before = p.before.Waves
	}
	for _, wave := range p.ledger.Waves {
		var was ecsv1alpha1.WaveStatus
		for _, w := range before {
			if w.Wave == wave.Wave {
				was = w
			}
		}
		about := fmt.Sprintf("wave %d", wave.Wave)
		if wave.Opened != nil && was.Opened == nil {
			log.FromContext(ctx).Info("wave opened", "wave", wave.Wave, "release", p.campaign.Number)
			r.emit(p, normal, ecsv1alpha1.EventWaveOpened, about, "%s of release %d (%s) is open", about, p.campaign.Number, p.imageLine())
		}
		if wave.Opened != nil && wave.Finished != nil && was.Finished == nil {
			log.FromContext(ctx).Info("wave finished", "wave", wave.Wave, "release", p.campaign.Number)
			r.emit(p, normal, ecsv1alpha1.EventWaveFinished, about, "%s runs release %d (%s)", about, p.campaign.Number, p.imageLine())
		}
	}
}

// tellAwaiting tells of what began to wait for a person.
func (r *ReleaseReconciler) tellAwaiting(p *pass) {
	for _, a := range p.ledger.Awaiting {
		if slices.ContainsFunc(p.before.Awaiting, func(b ecsv1alpha1.Awaiting) bool { return b.ID == a.ID }) {
			continue
		}
		what := fmt.Sprintf("the deployment of service %s/%s waits at %s", a.Target, a.Service, a.Stage)
		if a.Wave != nil {
			what = fmt.Sprintf("wave %d waits to open", *a.Wave)
		}
		r.emit(p, normal, ecsv1alpha1.EventAwaiting, a.ID, "%s: let it go on with kubectl -n %s annotate --overwrite ecsrelease %s %s=%s",
			what, p.release.Namespace, p.release.Name, ecsv1alpha1.AnnotationApprove, a.ID)
	}
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
		r.emit(p, normal, ecsv1alpha1.EventReleased, "", "%s", verdict.ReadyCondition.Message)
	case verdict.Stalled:
		r.record(p, warning, ecsv1alpha1.EventStalled, verdict.ReadyCondition.Reason, verdict.ReadyCondition.Message)
	}
}

package controllers

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// ledgerOf is what a status remembers of the release as a whole.
func ledgerOf(status ecsv1alpha1.EcsReleaseStatus) rollout.Ledger {
	status = *status.DeepCopy()
	return rollout.Ledger{
		Waves: status.Waves, Awaiting: status.Awaiting, Hold: status.Hold,
		Failure: status.Failure, History: status.History, Handled: status.Handled,
	}
}

// keep puts what the release remembers as a whole into a status.
func (p *pass) keep(status *ecsv1alpha1.EcsReleaseStatus) {
	ledger := p.ledger
	status.Waves, status.Awaiting, status.Hold = ledger.Waves, ledger.Awaiting, ledger.Hold
	status.History, status.Handled = ledger.History, ledger.Handled
}

// newToken says whether reconcile or retry carries a token that was not acted on yet: both ask to
// look at everything again. A token that is there when a release is first seen (a restored backup)
// is not acted on.
func newToken(release *ecsv1alpha1.EcsRelease) bool {
	var handled ecsv1alpha1.HandledCommands
	if release.Status.Handled != nil {
		handled = *release.Status.Handled
	}
	fresh := func(command, last string) bool {
		token := release.Annotations[command]
		token = strings.ToValidUTF8(token[:min(len(token), 256)], "") // as long as status can hold
		return token != "" && token != last
	}
	return seenBefore(release) &&
		(fresh(ecsv1alpha1.AnnotationReconcile, handled.Reconcile) || fresh(ecsv1alpha1.AnnotationRetry, handled.Retry))
}

// seenBefore says that a controller has made a whole pass over the release.
func seenBefore(release *ecsv1alpha1.EcsRelease) bool { return len(release.Status.Conditions) > 0 }

// obey acts on the commands that the release carries, and finds the images that are to run: what
// is held, or else what the spec says. late are the targets that did not pass their checks in
// time; that fails a release as an abort does.
func (p *pass) obey(late map[string]string) {
	spec, invalid := wantedImages(p.release)
	orders := rollout.Orders{
		Now: p.started, Annotations: p.release.Annotations, First: !seenBefore(p.release),
		Barred: p.barred, Images: resolvedImages(spec), Report: p.reports(),
	}
	p.notices = p.ledger.ObeyHold(orders)
	p.images = spec
	if hold := p.ledger.Hold; hold != nil {
		p.images, invalid = heldImages(hold, p.before.Images)
	}
	p.permitImages()
	p.blocked = cmp.Or(p.barred, invalid, p.oversized())
	orders.Services = p.subjects()
	p.past = p.blind == nil && !rollout.AnyFailing(orders.Services)
	before := p.ledger.Failure
	p.notices = append(p.notices, p.ledger.Obey(orders)...)
	p.past = p.past && p.ledger.Failure == before
	if p.barred == nil {
		p.condemn(late)
	}
}

// subjects are the services as they are remembered; what is written to their memory stays.
func (p *pass) subjects() []rollout.Subject {
	subjects := make([]rollout.Subject, 0, len(p.services))
	for _, s := range p.services {
		subjects = append(subjects, rollout.Subject{
			Target: s.target.Name, Wave: s.target.Wave, Inputs: p.inputsOf(s), Memory: &s.memory,
		})
	}
	return subjects
}

// condemn writes down that targets did not pass their checks in time, each with what was seen. What is
// asked for only now was not what was checked.
func (p *pass) condemn(late map[string]string) {
	for _, s := range p.services {
		message, ok := late[s.target.Name]
		if !ok || s.memory.Inputs != p.inputsOf(s) {
			continue
		}
		rollout.Condemn(&s.memory, p.inputsOf(s), ecsv1alpha1.FailureVerification, message, p.started)
		p.fail(ecsv1alpha1.Failure{
			Class: ecsv1alpha1.FailureVerification, Target: s.target.Name, Message: message, At: metav1.NewTime(p.started),
		})
	}
}

// fail writes down why the release failed. Of several reasons the first stays.
func (p *pass) fail(failure ecsv1alpha1.Failure) {
	if p.ledger.Failure == nil || p.past {
		p.ledger.Failure, p.past = &failure, false
	}
}

// reports says that what somebody else deploys is reported, and not corrected.
func (p *pass) reports() bool { return p.release.Spec.Drift == ecsv1alpha1.DriftReport }

// grown says that the release has got services, in an environment that gates starts, which it did not
// have when it was last looked at. It has to be let start again, then, with those.
func (p *pass) grown() bool {
	if p.environment == nil || p.environment.Spec.Promotion == nil && len(p.environment.Spec.Windows) == 0 {
		return false
	}
	return slices.ContainsFunc(p.services, func(s *service) bool {
		return !slices.ContainsFunc(p.before.Targets, func(t ecsv1alpha1.TargetStatus) bool {
			return t.Region == s.target.Region && t.Cluster == s.target.Cluster &&
				slices.ContainsFunc(t.Services, func(m ecsv1alpha1.ServiceStatus) bool { return m.Name == s.spec.Name })
		})
	})
}

// begin opens an entry of history for what is asked for where that is something new, and finds
// what the release wants of each service for now. Newer bases are something new, unless a failure
// is being dealt with.
func (p *pass) begin(newer bool) {
	if p.grown() {
		p.ledger.Waves = nil
	}
	if p.blocked == nil {
		// With a newer base what failed is tried anew, also where it was noticed while it failed.
		again := (newer || p.fromFamily() && p.ledger.Ended() != "") && !rollout.AnyFailing(p.subjects())
		cause := p.release.Annotations[ecsv1alpha1.AnnotationChangeCause]
		p.ledger.Begin(resolvedImages(p.images), again, p.release.Generation, cause, p.started)
	}
	subjects := p.subjects()
	if p.failing = rollout.AnyFailing(subjects); !p.failing {
		p.ledger.Failure = nil
	}
	for i, goal := range rollout.Goals(subjects, p.onFailure()) {
		p.services[i].goal = goal
	}
}

// onFailure is what follows a failure.
func (p *pass) onFailure() ecsv1alpha1.FailurePolicy {
	if strategy := p.release.Spec.Strategy; strategy != nil {
		return strategy.OnFailure
	}
	return ecsv1alpha1.FailureRollback
}

package controllers

import (
	"cmp"
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

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// report writes what the pass found and did, then tells of the transitions, and says when to
// look again.
func (r *ReleaseReconciler) report(ctx context.Context, p *pass) (ctrl.Result, error) {
	verdict := rollout.Judge(p.judgement())
	if p.knowsLess() {
		return ctrl.Result{RequeueAfter: p.next(r.Timing, verdict)}, nil
	}
	if moved := p.movedMessage(); moved != "" && verdict.ImageAvailable.Status == metav1.ConditionTrue {
		verdict.ImageAvailable.Message += "; " + moved
	}
	status := p.status(verdict)
	if err := r.write(ctx, p, status); err != nil {
		return ctrl.Result{}, fmt.Errorf("writing status: %w", err)
	}
	if p.again == nil {
		r.pushes.seen(client.ObjectKeyFromObject(p.release), p.pushed)
	}
	r.tell(ctx, p, verdict)
	r.track(p, func(s *service) bool { return s.decision.InFlight || inFlight(s.memory) })
	return ctrl.Result{RequeueAfter: p.next(r.Timing, verdict)}, nil
}

// knowsLess says that this pass knows less than the status which it found: not everything was looked
// at since this process began. So a restart turns nothing upside down. The look is on its way, and
// one that comes to nothing is a look. Where somebody asked to look again, that has to be written.
func (p *pass) knowsLess() bool {
	status := &p.release.Status
	told := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReady) != nil && status.ObservedGeneration == p.release.Generation
	acted := slices.ContainsFunc(p.services, func(s *service) bool { return s.decision.Step.Action != rollout.ActionNone })
	return told && !p.look && p.pushed == 0 && p.blind == nil && p.unseen() != nil && !acted
}

// announce writes the intents of this pass, with what commands and decisions changed in what is
// remembered: a command that is acted on is handled by the same patch. It writes nothing that is
// not yet so.
func (r *ReleaseReconciler) announce(ctx context.Context, p *pass) error {
	status := p.release.Status.DeepCopy()
	status.Images = resolvedImages(p.images)
	status.Targets = p.targets()
	p.keep(status)
	if err := r.write(ctx, p, *status); err != nil {
		return err
	}
	r.tellNotices(ctx, p)
	return nil
}

// write is the one place that writes status: by a patch that carries the resourceVersion which
// this pass began with, and none when there is nothing to write. A conflict comes back as an error.
func (r *ReleaseReconciler) write(ctx context.Context, p *pass, status ecsv1alpha1.EcsReleaseStatus) error {
	status = rollout.Bound(status)
	if equality.Semantic.DeepEqual(p.release.Status, status) {
		return nil
	}
	if err := r.Ownership.mayWrite(p.environment); err != nil {
		return err
	}
	base := p.release.DeepCopy()
	p.release.Status = status
	r.authorship.sign(p.release)
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
		Campaign:      p.campaign,
		Checks:        p.checks,
		OnFailure:     p.onFailure(),
		Hold:          p.ledger.Hold,
		Recorded:      p.ledger.Failure,
		ImageProblem:  p.imageProblem(),
		ImageChecked:  p.imagesChecked(),
		ImageDeadline: p.imageDeadline(),
	}
	if release.Blocked == nil && !p.wasReady() {
		release.Undecided = p.undecided
	}
	for _, wanted := range p.images {
		if since := wanted.missingSince; !since.IsZero() && (release.ImageMissingSince.IsZero() || since.Before(release.ImageMissingSince)) {
			release.ImageMissingSince = since
		}
	}
	return release
}

// wasReady says that the release was Ready, with the spec that it has, when the pass began.
func (p *pass) wasReady() bool {
	ready := meta.FindStatusCondition(p.before.Conditions, ecsv1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == p.release.Generation
}

// imageDeadline is how long an image may be missing.
func (p *pass) imageDeadline() time.Duration {
	if strategy := p.release.Spec.Strategy; strategy != nil && strategy.ImageDeadlineSeconds != nil {
		return seconds(*strategy.ImageDeadlineSeconds)
	}
	return seconds(ecsv1alpha1.DefaultImageDeadlineSeconds)
}

// placed are the services with what is known of them now.
func (p *pass) placed() []rollout.Placed {
	placed := make([]rollout.Placed, 0, len(p.services))
	for _, s := range p.services {
		placed = append(placed, rollout.Placed{Target: s.target.Name, Wave: s.target.Wave, Status: s.memory, Problem: s.want.Problem})
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
	status.Images = resolvedImages(p.images)
	status.Services = verdict.Services
	status.ReadyServices = verdict.ReadyServices
	status.Progress = verdict.Progress
	status.Targets = p.targets()
	if p.blocked == nil {
		p.ledger.History = rollout.Record(p.ledger.History, p.ledger.Waves, verdict, rollout.Revisions(p.placed()), p.started)
	}
	p.keep(&status)
	status.Failure = verdict.Failure
	if status.Failure == nil && verdict.Ready == metav1.ConditionFalse && rollout.AnyFailing(p.subjects()) {
		status.Failure = p.ledger.Failure // what failed cannot be seen now
	}
	setConditions(&status, verdict, p.release.Generation, metav1.NewTime(p.started))
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
	for kind, condition := range map[string]*rollout.Condition{
		ecsv1alpha1.ConditionVerified: verdict.Verified,
		ecsv1alpha1.ConditionHeld:     verdict.Held,
		ecsv1alpha1.ConditionDrifted:  verdict.Drifted,
	} {
		if condition == nil {
			meta.RemoveStatusCondition(&status.Conditions, kind)
		} else {
			set(kind, *condition)
		}
	}
}

// imageLine is what the release deploys, for people.
func (p *pass) imageLine() string {
	spelled := make([]string, 0, len(p.images))
	for _, wanted := range p.images {
		spelled = append(spelled, wanted.spelled)
	}
	line := strings.Join(spelled, ",")
	return clip(line, 1024)
}

// resolvedImages are images as status shows them.
func resolvedImages(wanted []*wantedImage) []ecsv1alpha1.ResolvedImage {
	images := make([]ecsv1alpha1.ResolvedImage, 0, len(wanted))
	for _, wanted := range wanted {
		resolved := ecsv1alpha1.ResolvedImage{Container: wanted.container, Image: wanted.spelled, Digest: wanted.digest, MovedTo: wanted.movedTo}
		if !wanted.missingSince.IsZero() {
			since := metav1.NewTime(wanted.missingSince)
			resolved.MissingSince = &since
		}
		images = append(images, resolved)
	}
	return images
}

// targets are the targets of the spec with the memory of their services. While nothing of a target
// was seen in the account that the environment names now, what is remembered of it in another one
// stays, with how it is now: that account may be a mistake.
func (p *pass) targets() []ecsv1alpha1.TargetStatus {
	seen := map[string]bool{}
	for _, s := range p.services {
		if s.elsewhere == nil || s.view != nil && s.view.Problem == nil {
			seen[s.target.Name] = true
		}
	}
	var targets []ecsv1alpha1.TargetStatus
	for _, s := range p.services {
		if len(targets) == 0 || targets[len(targets)-1].Name != s.target.Name {
			target := ecsv1alpha1.TargetStatus{Name: s.target.Name, Region: s.target.Region, Cluster: s.target.Cluster, Wave: s.target.Wave}
			if seen[s.target.Name] {
				target.AccountID, target.Verified, target.Verification = p.account(s), p.checks[s.target.Name].Passed, p.verification(s.target.Name)
			} else {
				target.AccountID, target.Verified = s.elsewhere.account, s.elsewhere.verified
			}
			targets = append(targets, target)
		}
		memory := s.memory
		if !seen[s.target.Name] {
			memory = inState(s.elsewhere.memory, s.memory)
		}
		last := &targets[len(targets)-1]
		last.Services = append(last.Services, memory)
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

// verification says how far the checks of a target are, "" where they have passed, or have not begun.
func (p *pass) verification(target string) string {
	check := p.checks[target]
	if check.Passed != nil {
		return ""
	}
	return clip(check.Message, 512)
}

// next is when to look again at the latest; 0: when something changes. It is the one place
// that picks the requeue, and picks none that is shorter than soon, whatever asks for it.
func (p *pass) next(timing rollout.Timing, verdict rollout.Verdict) time.Duration {
	var next time.Duration
	sooner := func(d time.Duration) {
		if d > 0 && (next == 0 || d < next) {
			next = max(d, soon)
		}
	}
	sooner(verdict.Look)
	if !equality.Semantic.DeepEqual(p.ledger.Waves, p.before.Waves) {
		sooner(soon) // what the next wave waits for has changed
	}
	if p.blind == nil && p.reconsiders() {
		sooner(soon) // what follows a failure begins with what is remembered of it
	}
	if !equality.Semantic.DeepEqual(p.release.Status.Failure, p.before.Failure) {
		sooner(soon) // what is said of the release depends on what is remembered of it
	}
	if p.fromFamily() {
		sooner(timing.Slow)
	}
	if p.again != nil {
		sooner(patience(p.again, timing))
	}
	if p.undecided != nil && !p.wasReady() {
		sooner(patience(p.undecided, timing))
	}
	for _, awaiting := range p.ledger.Awaiting {
		if awaiting.Expires != nil {
			sooner(max(awaiting.Expires.Sub(p.started), timing.Fast))
		}
	}
	for _, s := range p.services {
		sooner(s.decision.Look)
		sooner(s.retryAfter)
		if s.decision.InFlight || p.lacksEvents(s) {
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

// reconsiders says that with what is remembered now the release wants something else of a service
// than the pass went by.
func (p *pass) reconsiders() bool {
	subjects := p.subjects()
	if rollout.AnyFailing(subjects) != p.failing {
		return true
	}
	for i, goal := range rollout.Goals(subjects, p.onFailure()) {
		if was := p.services[i].goal; was != "" && was != goal {
			return true
		}
	}
	return false
}

// patience is how long a problem may rest before it is looked at again, where nothing tells
// that it is gone.
func patience(problem *rollout.Problem, timing rollout.Timing) time.Duration {
	return cmp.Or(problem.Rest(timing), timing.Slow)
}

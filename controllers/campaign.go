package controllers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// enter is the release on its way through its waves, as it is remembered. A release that is held
// goes everywhere at once and is not checked.
func (p *pass) enter() rollout.Campaign {
	campaign := rollout.Campaign{Waves: p.ledger.Waves, Failed: p.ledger.Ended(), Held: p.ledger.Hold != nil}
	campaign.Checked = len(p.release.Spec.Verification) > 0 && !campaign.Held
	if history := p.ledger.History; len(history) > 0 {
		campaign.Number = history[0].Number
		campaign.UnderWay = history[0].Outcome == ecsv1alpha1.OutcomeProgressing
	}
	if !campaign.Held {
		campaign.Closed = p.closed()
	}
	if strategy := p.release.Spec.Strategy; strategy != nil {
		campaign.Approval, campaign.Bake = strategy.Approval, seconds(strategy.BakeSeconds)
	}
	return campaign
}

// advance moves the waves to where the decisions of this pass bring them, and has the checks made
// that are due.
func (r *ReleaseReconciler) advance(p *pass) {
	p.checks = r.checked(p)
	if len(p.ledger.History) == 0 {
		return // nothing was ever asked for that could be done
	}
	for i := range p.campaign.Waves {
		// What a target passed its checks with is gone, though every service of it runs the image.
		if w := &p.campaign.Waves[i]; w.Verified != nil && p.unverified(w.Wave) {
			w.Verified = nil
		}
	}
	services := p.placed()
	stuck := p.blocked != nil || p.unseen() != nil || p.release.Spec.Suspend ||
		rollout.AnyFailing(p.subjects()) || rollout.Preflight(services) != nil
	p.campaign.Waves = p.campaign.Advance(services, p.checks, stuck, p.started)
	p.ledger.Waves = p.campaign.Waves
	p.ledger.Awaiting = p.awaiting(services)
	r.verifier.assign(client.ObjectKeyFromObject(p.release), p.assignments(services))
}

// checked is, by target, how far its checks are: passed, as it is remembered or was just found, for
// as long as every service of it stays in sync with what it ran then.
func (r *ReleaseReconciler) checked(p *pass) map[string]rollout.Check {
	checks := map[string]rollout.Check{}
	if !p.campaign.Checked {
		return checks
	}
	owner := client.ObjectKeyFromObject(p.release)
	for _, target := range p.release.Spec.Targets {
		if at := p.verified(target.Name); at != nil {
			checks[target.Name] = rollout.Check{Passed: at}
			continue
		}
		now := r.verifier.of(owner, target.Name, p.mark(target.Name))
		check := rollout.Check{Message: now.message, Late: now.late}
		if !now.passed.IsZero() {
			at := metav1.NewTime(now.passed.Truncate(time.Second))
			check.Passed = &at
		}
		checks[target.Name] = check
	}
	return checks
}

// verified is when a target passed the checks for what it still runs; nil: it has not.
func (p *pass) verified(target string) *metav1.Time {
	var at *metav1.Time
	for _, s := range p.services {
		if s.target.Name != target {
			continue
		}
		if s.verified == nil || runs(s.was) == "" || runs(s.was) != runs(s.memory) {
			return nil
		}
		if at == nil || at.Before(s.verified) {
			at = s.verified
		}
	}
	return at
}

// unverified says that a target of the wave has not passed its checks.
func (p *pass) unverified(wave int32) bool {
	for _, target := range p.release.Spec.Targets {
		if target.Wave == wave && p.checks[target.Name].Passed == nil {
			return true
		}
	}
	return false
}

// runs is what a service that is in sync runs, "" for one that is not.
func runs(m ecsv1alpha1.ServiceStatus) string {
	if m.State != ecsv1alpha1.ServiceInSync || m.Restart {
		return ""
	}
	var primary string
	if m.Deployment != nil {
		primary = m.Deployment.Primary
	}
	return fmt.Sprintf("%s %s %s", m.Inputs, m.Registered, primary)
}

// mark tells apart what is checked in a target: what its services run, and the checks.
func (p *pass) mark(target string) string {
	checks, err := json.Marshal(p.release.Spec.Verification)
	if err != nil {
		checks = nil // its types have no value that JSON cannot say
	}
	mark := string(checks)
	for _, s := range p.services {
		if s.target.Name == target {
			mark += fmt.Sprintf("\n%s %s idle %t", s.spec.Name, runs(s.memory), idle(s.memory))
		}
	}
	return mark
}

// idle says that a service runs no tasks, and is to run none.
func idle(m ecsv1alpha1.ServiceStatus) bool { return m.Reason == ecsv1alpha1.ReasonScaledToZero }

// assignments are the checks that are due, by target.
func (p *pass) assignments(services []rollout.Placed) map[string]assignment {
	assignments := map[string]assignment{}
	if p.barred != nil {
		return assignments
	}
	due := p.campaign.Due(services, p.checks)
	for _, s := range p.services {
		since, ok := due[s.target.Name]
		if !ok {
			continue
		}
		a, known := assignments[s.target.Name]
		if !known {
			a = assignment{
				mark: p.mark(s.target.Name), since: since,
				finished: p.finished(s.target.Wave), checks: p.release.Spec.Verification,
			}
		}
		a.services = append(a.services, served{key: s.key, revision: cmp.Or(s.memory.Revision, s.memory.Registered), idle: idle(s.memory)})
		assignments[s.target.Name] = a
	}
	return assignments
}

// finished says that a wave has finished.
func (p *pass) finished(wave int32) bool {
	for _, w := range p.campaign.Waves {
		if w.Wave == wave {
			return w.Finished != nil
		}
	}
	return false
}

// awaiting is what waits for a person: waves, and deployments that a hook has paused.
func (p *pass) awaiting(services []rollout.Placed) []ecsv1alpha1.Awaiting {
	before := p.before.Awaiting
	awaiting := p.campaign.Awaiting(services)
	for _, s := range p.services {
		if s.decision.Awaiting == nil {
			continue
		}
		paused := *s.decision.Awaiting
		paused.Target = s.target.Name
		for _, known := range before {
			if known.ID == paused.ID {
				paused.Since = known.Since
			}
		}
		awaiting = append(awaiting, paused)
	}
	return awaiting
}

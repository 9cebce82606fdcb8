package simulation

import (
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Report is how a run went.
type Report struct {
	Seed uint64
	// Story is what happened, line by line.
	Story []string
	// Violations are the promises that were broken; none: all were kept.
	Violations []string
	Coverage   *Coverage
	// Lasted is the virtual time that the run took.
	Lasted time.Duration
}

const (
	// settledAfter is for how long nothing is written to a release that has come to its end.
	settledAfter = 70 * time.Minute
	// settlesWithin is the bound for eventually: the longest of deadlines, for each of the waves,
	// there and back, and for approvals that come late.
	settlesWithin = 14 * time.Hour
)

// Run plays the world of a seed to its end. It is called in a testing/synctest bubble.
func Run(setup *Setup, seed uint64) (*Report, error) {
	w, err := newWorld(setup, seed)
	if err != nil {
		return nil, err
	}
	w.story.tell("world", "seed %d, %d services: %v", seed, len(w.places), w.places)
	for _, s := range w.subjects {
		s.create()
	}
	for _, manager := range w.managers {
		w.mustStart(manager)
	}
	w.play()
	w.calm()
	if !w.story.broken() {
		w.settles()
	}
	if !w.story.broken() {
		w.staysConverged()
	}
	w.finish()
	report := &Report{Seed: seed, Coverage: w.coverage, Lasted: time.Since(w.began)}
	report.Story, report.Violations = w.story.told()
	return report, nil
}

// play plays the script.
func (w *world) play() {
	s := &script{}
	w.script = s
	end := w.write(s)
	w.move(s, end, w.random("moves"))
	w.rareTrouble(s, w.random("rare"))
	for s.bound > 0 && !w.story.broken() {
		next := s.next()
		w.until(next.at)
		next.do()
		w.ledger.audit()
	}
	w.until(end)
}

// until lets time pass, and has processes that ended started again, as a Deployment does.
func (w *world) until(t time.Time) {
	for {
		timer := time.NewTimer(time.Until(t))
		select {
		case p := <-w.ended:
			timer.Stop()
			w.buried(p)
		case <-timer.C:
			return
		}
	}
}

// buried starts a process in the place of one that has ended, if that was the last of its manager,
// after a while.
func (w *world) buried(p *process) {
	w.story.tell("process", "%s has ended: %v", p.name, p.failure())
	for i, other := range w.alive {
		if other == p {
			w.alive = append(w.alive[:i:i], w.alive[i+1:]...)
			break
		}
	}
	w.noSecretsInMetrics(p)
	if w.running(p.manager) == 0 && !w.closing {
		if w.script != nil {
			w.script.add(time.Now().Add(time.Duration(1+w.processes*7%60)*time.Second), func() {
				if w.running(p.manager) == 0 {
					w.mustStart(p.manager)
				}
			})
			return
		}
		w.mustStart(p.manager)
	}
}

func (w *world) mustStart(manager string) {
	p, err := w.startProcess(manager)
	if err != nil {
		w.story.violate("the script can be played", "starting a process: %v", err)
		return
	}
	w.story.tell("process", "%s starts", p.name)
	w.alive = append(w.alive, p)
	go func() {
		<-p.ended
		w.ended <- p
	}()
}

// calm ends all faults and has exactly the processes that there are go on.
func (w *world) calm() {
	w.script = nil
	w.story.tell("world", "the faults stop")
	w.awsFaults.quiet()
	w.kubeFaults.quiet()
	for _, p := range w.alive {
		p.border.thaw()
		p.border.spare()
	}
	for _, manager := range w.managers {
		if w.running(manager) == 0 {
			w.mustStart(manager)
		}
	}
}

// settles: when faults stop, every release reaches its end state within a bound.
func (w *world) settles() {
	began := time.Now()
	bound := began.Add(settlesWithin)
	for time.Now().Before(bound) {
		w.until(time.Now().Add(10 * time.Minute))
		w.failuresAreTold(began)
		if w.story.broken() {
			return
		}
		// Somebody has to lead, to own the environment, and to look.
		restless := time.Since(began) < 2*leaseDuration+settledAfter
		for _, s := range w.subjects {
			restless = s.approve() || restless
			if ended, _ := w.hasEnded(s.key); !ended || !w.isAtIt(s.key) && time.Since(w.chronicle.touched(s.key)) < settledAfter {
				restless = true
			}
		}
		if _, last := w.ledger.changes(); !restless && time.Since(last) > settledAfter {
			return
		}
	}
	for _, s := range w.subjects {
		if ended, why := w.hasEnded(s.key); !ended {
			w.story.violate("every release reaches its end", "%s has not within %s: %s", s.key, settlesWithin, why)
		} else if since := time.Since(w.chronicle.touched(s.key)); since < settledAfter && !w.isAtIt(s.key) {
			w.story.violate("every release reaches its end", "%s was written %s ago, although it has ended (%s)", s.key, since, why)
		}
	}
}

// hasEnded says whether nothing is left to happen to a release by itself, and what it is at.
func (w *world) hasEnded(key types.NamespacedName) (bool, string) {
	release := w.chronicle.now(key)
	if release == nil {
		return true, "deleted"
	}
	ready := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionReady)
	if ready == nil {
		return false, "it has no condition"
	}
	what := fmt.Sprintf("Ready is %s %s: %s (generation %d of %d)", ready.Status, ready.Reason, ready.Message, release.Status.ObservedGeneration, release.Generation)
	if release.Status.ObservedGeneration != release.Generation {
		return false, what
	}
	if ready.Status == "True" || meta.IsStatusConditionTrue(release.Status.Conditions, ecsv1alpha1.ConditionStalled) {
		return true, what
	}
	switch ready.Reason {
	case ecsv1alpha1.ReasonSuspended, ecsv1alpha1.ReasonScaledToZero, ecsv1alpha1.ReasonHeld, ecsv1alpha1.ReasonDrifted:
		return true, what
	}
	return false, what
}

// isAtIt says that ECS goes on trying something in a service of the release for as long as nobody
// stops it, or gives it up after a day: what is written of it changes with it.
func (w *world) isAtIt(key types.NamespacedName) bool {
	release := w.chronicle.now(key)
	if release == nil {
		return false
	}
	for _, t := range release.Status.Targets {
		for _, s := range t.Services {
			if deployments := w.serviceDeployments(t.AccountID, t.Region, t.Cluster, s.Name); len(deployments) > 0 && deployments[0].finished.IsZero() {
				return true
			}
		}
	}
	return false
}

// staysConverged: once converged, there is no change in AWS and no status write for 24 virtual
// hours, and over a restart.
func (w *world) staysConverged() {
	const promise = "converged: no change, no status write"
	before, _ := w.ledger.changes()
	versions := map[types.NamespacedName]version{}
	for _, s := range w.subjects {
		if !w.isAtIt(s.key) {
			versions[s.key] = w.chronicle.latest(s.key)
		}
	}
	check := func(when string) {
		if now, _ := w.ledger.changes(); now != before {
			w.story.violate(promise, "%d changes were made in AWS %s", now-before, when)
		}
		for key, then := range versions {
			if now := w.chronicle.latest(key); !now.at.Equal(then.at) {
				w.story.violate(promise, "%s was written %s: %s", key, when, cmp.Diff(then.release, now.release))
			}
		}
	}
	w.until(time.Now().Add(12 * time.Hour))
	check("in half a day of quiet")
	w.story.tell("process", "is restarted")
	for _, p := range w.alive {
		p.crash()
	}
	w.until(time.Now().Add(12 * time.Hour))
	check("over a restart")
}

// finish ends all processes, so that nothing of the world goes on.
func (w *world) finish() {
	w.closing = true
	w.awsFaults.quiet()
	w.kubeFaults.quiet()
	for _, p := range w.alive {
		p.border.thaw()
		p.border.spare()
		w.noSecretsInMetrics(p)
		p.crash()
	}
	for len(w.alive) > 0 {
		w.buried(<-w.ended)
	}
	w.ledger.audit()
}

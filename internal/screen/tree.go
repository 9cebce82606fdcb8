package screen

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// node is a thing of a release, with the things that it consists of.
type node struct {
	mark mark
	name string
	// state is the one word for how it is, tasks how many run of how many, detail whatever else there
	// is to say; each may be "".
	state, tasks, detail string
	children             []node
}

// teller makes a tree of a release. Services that have the same to say say it once.
type teller struct {
	release *ecsv1alpha1.EcsRelease
	now     time.Time
	told    []string
}

// treeOf is a release: its waves, their targets, their services, and what is under way or went wrong
// there.
func treeOf(release *ecsv1alpha1.EcsRelease, now time.Time) node {
	t := &teller{release: release, now: now, told: []string{message(release)}}
	phase := rollout.PhaseOf(release)
	root := node{mark: phaseMark(phase), name: release.Name, state: string(phase), detail: release.Status.Progress}
	for _, wave := range wavesOf(release) {
		root.children = append(root.children, t.wave(wave))
	}
	if f := release.Status.Failure; f != nil && !concernsService(release, f) {
		root.children = append(root.children, evidence(f)...)
	}
	return root
}

// wavesOf are the waves that the targets of the status are in, in their order.
func wavesOf(release *ecsv1alpha1.EcsRelease) []int32 {
	var waves []int32
	for i := range release.Status.Targets {
		waves = append(waves, release.Status.Targets[i].Wave)
	}
	slices.Sort(waves)
	return slices.Compact(waves)
}

func (t *teller) wave(wave int32) node {
	release := t.release
	n := node{name: fmt.Sprintf("wave %d", wave)}
	var ready, all int
	for i := range release.Status.Targets {
		target := &release.Status.Targets[i]
		if target.Wave != wave {
			continue
		}
		for j := range target.Services {
			all++
			if serviceMark(&target.Services[j]) == markWell {
				ready++
			}
		}
		n.children = append(n.children, t.target(target))
	}
	n.mark = worst(n.children)
	n.detail = fmt.Sprintf("%d/%d services", ready, all)
	for _, status := range release.Status.Waves {
		if status.Wave == wave {
			n.state = waveState(release, status)
			n.detail += waveTime(status, t.now)
		}
	}
	if n.mark == markWell && (n.state == waveBaking || n.state == waveVerifying) {
		n.mark = markMoving
	}
	if slices.ContainsFunc(release.Status.Awaiting, func(a ecsv1alpha1.Awaiting) bool { return a.Wave != nil && *a.Wave == wave }) {
		n.mark, n.state = markPerson, waveAsks
	}
	return n
}

// The states of a wave, as the tree calls them.
const (
	waveLater     = "NotOpen"
	waveAsks      = "AwaitingApproval"
	waveOpen      = "Open"
	waveVerifying = "Verifying"
	waveBaking    = "Baking"
	waveFinished  = "Finished"
)

// waveState is how far a wave is.
func waveState(release *ecsv1alpha1.EcsRelease, w ecsv1alpha1.WaveStatus) string {
	switch {
	case w.Finished != nil:
		return waveFinished
	case w.Synced != nil && w.Verified == nil && len(release.Spec.Verification) > 0:
		return waveVerifying
	case w.Synced != nil:
		return waveBaking
	case w.Opened != nil:
		return waveOpen
	default:
		return waveLater
	}
}

// waveTime is how long a wave took, or is at it; "" for one that never opened.
func waveTime(w ecsv1alpha1.WaveStatus, now time.Time) string {
	switch {
	case w.Opened == nil:
		return ""
	case w.Finished != nil:
		return ", took " + duration.HumanDuration(w.Finished.Sub(w.Opened.Time))
	default:
		return ", open for " + age(*w.Opened, now)
	}
}

// worst is the mark of something that consists of others.
func worst(children []node) mark {
	at := markWell
	order := []mark{markWell, markLater, markUnknown, markMoving, markPerson, markBack, markFailed}
	for i := range children {
		if slices.Index(order, children[i].mark) > slices.Index(order, at) {
			at = children[i].mark
		}
	}
	return at
}

func (t *teller) target(target *ecsv1alpha1.TargetStatus) node {
	n := node{name: target.Name, detail: target.Region + "/" + target.Cluster}
	if target.Verification != "" {
		n.detail += "; " + clean(target.Verification)
	}
	if target.Verified != nil {
		n.state = "Verified"
	}
	for i := range target.Services {
		n.children = append(n.children, t.service(target, &target.Services[i]))
	}
	n.mark = worst(n.children)
	return n
}

func (t *teller) service(target *ecsv1alpha1.TargetStatus, s *ecsv1alpha1.ServiceStatus) node {
	n := node{mark: serviceMark(s), name: s.Name, state: string(cmp.Or(s.State, ecsv1alpha1.ServiceUnknown))}
	var said []string
	if s.Reason != "" && s.Reason != n.state && s.Reason != ecsv1alpha1.ReasonProgressing && s.Reason != ecsv1alpha1.ReasonReleased {
		said = append(said, s.Reason)
	}
	if n.mark == markWell {
		said = append(said, s.Revision)
	}
	if !s.Since.IsZero() {
		said = append(said, age(s.Since, t.now))
	}
	if tells(s) {
		said = append(said, t.news(clean(s.Message)))
	}
	n.detail = joined(said)
	if d := s.Deployment; d != nil && (d.Outcome == "" || d.Outcome == ecsv1alpha1.DeploymentFailed && n.mark != markWell) {
		n.children = append(n.children, deploymentNode(d, t.now))
		if s.State == ecsv1alpha1.ServiceAwaitingAction {
			n.children[0].mark = markPerson
		}
	}
	if f := t.release.Status.Failure; f != nil && f.Target == target.Name && f.Service == s.Name {
		n.children = append(n.children, evidence(f)...)
	}
	return n
}

// news is text unless it was told before.
func (t *teller) news(text string) string {
	if slices.ContainsFunc(t.told, func(told string) bool { return strings.Contains(told, text) }) {
		return ""
	}
	t.told = append(t.told, text)
	return text
}

// tells says that a service's message has something that its state, its deployment and what is said of
// the release do not show.
func tells(s *ecsv1alpha1.ServiceStatus) bool {
	switch s.State {
	case ecsv1alpha1.ServiceInSync, ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ServiceAwaitingAction, ecsv1alpha1.ServiceRolledBack:
		return false
	}
	switch s.Reason {
	case ecsv1alpha1.ReasonWaveNotOpen, ecsv1alpha1.ReasonAwaitingApproval, ecsv1alpha1.ReasonSuspended,
		ecsv1alpha1.ReasonAwaitingPromotion, ecsv1alpha1.ReasonOutsideWindow:
		return false
	}
	return true
}

// deploymentNode is a deployment of ours that is under way, or failed.
func deploymentNode(d *ecsv1alpha1.DeploymentStatus, now time.Time) node {
	n := node{mark: markMoving, name: "deployment", state: cmp.Or(d.Stage, "InProgress")}
	if d.Desired > 0 && d.Outcome == "" {
		n.tasks = fmt.Sprintf("%d/%d", d.Running, d.Desired)
	}
	if d.Purpose == ecsv1alpha1.PurposeRollback {
		n.mark = markBack
	}
	if d.Outcome == ecsv1alpha1.DeploymentFailed {
		n.mark, n.state = markFailed, string(d.Outcome)
	}
	said := []string{d.Revision}
	if d.Purpose != "" {
		said = append(said, strings.ToLower(string(d.Purpose)))
	}
	if d.Weight != nil {
		said = append(said, fmt.Sprintf("%d%% of traffic", *d.Weight))
	}
	if d.Old > 0 && d.Outcome == "" {
		said = append(said, fmt.Sprintf("%d old", d.Old))
	}
	if d.Outcome == "" {
		said = append(said, duration.HumanDuration(now.Sub(d.Started.Time)))
	}
	if id := cmp.Or(d.ServiceDeployment, d.Primary); id != "" {
		said = append(said, id)
	}
	n.detail = strings.Join(said, ", ")
	return n
}

// age is for how long something has been so.
func age(since metav1.Time, now time.Time) string { return duration.HumanDuration(now.Sub(since.Time)) }

// readyOf is the condition Ready; the zero condition while there is none.
func readyOf(release *ecsv1alpha1.EcsRelease) metav1.Condition {
	return readyIn(release.Status.Conditions)
}

// readyIn is the condition Ready of some.
func readyIn(conditions []metav1.Condition) metav1.Condition {
	if c := meta.FindStatusCondition(conditions, ecsv1alpha1.ConditionReady); c != nil {
		return *c
	}
	return metav1.Condition{}
}

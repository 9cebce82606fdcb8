package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
)

const singapore = "helium-singapore-cluster"

// inWaves is a change of release: mumbai in wave 0, singapore in wave 1.
func inWaves(r *ecsv1alpha1.EcsRelease) {
	inBoth(r)
	r.Spec.Targets[1].Wave = 1
}

// twoWaves is a world with a release of v1, adopted everywhere, in two waves.
func twoWaves(t *testing.T, s ecsv1alpha1.Strategy, change ...func(*ecsv1alpha1.EcsRelease)) (w *world, release key) {
	t.Helper()
	w = newWorld(t)
	w.push("v1", home, abroad)
	w.serve(desired("backend"))
	w.serveIn(abroad, singapore, desired("backend"))
	release = w.apply("helium-backend:v1", append([]func(*ecsv1alpha1.EcsRelease){inWaves, strategy(s)}, change...)...)
	w.ready(release)
	return w, release
}

// order gives a command, as kubectl annotate --overwrite does.
func (w *world) order(name key, command, token string) {
	w.t.Helper()
	w.change(name, func(r *ecsv1alpha1.EcsRelease) {
		if r.Annotations == nil {
			r.Annotations = map[string]string{}
		}
		r.Annotations[command] = token
	})
}

// wave is what a release says of a wave.
func wave(r *ecsv1alpha1.EcsRelease, number int32) ecsv1alpha1.WaveStatus {
	for _, w := range r.Status.Waves {
		if w.Wave == number {
			return w
		}
	}
	return ecsv1alpha1.WaveStatus{}
}

func TestAWaveOpensWhenTheOneBeforeHasBaked(t *testing.T) {
	w, release := twoWaves(t, ecsv1alpha1.Strategy{BakeSeconds: 2})
	w.check(len(w.get(release).Status.Awaiting) == 0, "it waits for %+v", w.get(release).Status.Awaiting)
	digest := w.push("v2", home, abroad)
	w.bump(release, "helium-backend:v2")
	w.says(release, ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonBaking, "wave 0 bakes until", "1/2 services run helium-backend:v2")
	if made := w.callsIn(abroad, "UpdateService"); made != 0 {
		t.Errorf("wave 1 was begun while wave 0 baked")
	}
	r := w.ready(release)
	w.changed(2, 2)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	w.runs(abroad, singapore, "backend", w.image(abroad, "@"+digest))
	first, second := wave(r, 0), wave(r, 1)
	if first.Finished == nil || second.Opened == nil || first.Synced == nil || second.Finished == nil {
		t.Fatalf("the waves are %+v", r.Status.Waves)
	}
	w.check(!second.Opened.Before(first.Finished), "wave 1 opened at %s, wave 0 finished at %s", second.Opened, first.Finished)
	w.check(first.Finished.Sub(first.Synced.Time) >= 2*time.Second, "wave 0 finished at %s, synced at %s", first.Finished, first.Synced)
	w.check(second.Finished.Sub(second.Synced.Time) >= 2*time.Second, "the release was Ready before the last wave had baked: %+v", second)
	w.check(r.Status.Targets[1].Wave == 1, "status says that singapore is in wave %d", r.Status.Targets[1].Wave)
	entry := r.Status.History[0]
	w.check(len(entry.Waves) == 2 && entry.Waves[0].Seconds >= 2 && entry.Number == 2, "history is %+v", entry)
	w.check(w.witness.saw(w.namespace, ecsv1alpha1.ReasonWaveNotOpen), "no service was said to wait for its wave")
	for _, begins := range []string{"Normal WaveOpened: wave 0 of release 2", "Normal WaveFinished: wave 0 runs", "Normal WaveOpened: wave 1 of release 2", "Normal WaveFinished: wave 1 runs"} {
		w.event(begins)
	}
}

// callsIn is how often the controller called an operation in a region.
func (w *world) callsIn(region, operation string) int {
	w.t.Helper()
	n := 0
	for _, call := range w.calls(operation) {
		if call.Region == region {
			n++
		}
	}
	return n
}

func TestAWaveThatFailsNeverOpensTheNext(t *testing.T) {
	w, release := twoWaves(t, ecsv1alpha1.Strategy{})
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: "*" + w.push("v2", home, abroad), ExitCode: 7})
	w.bump(release, "helium-backend:v2")
	r := w.stalled(release, ecsv1alpha1.ReasonContainerExited, "mumbai/backend", "exited with code 7")
	w.check(wave(r, 1).Opened == nil, "wave 1 was opened at %s", wave(r, 1).Opened)
	w.check(r.Status.History[0].Outcome == ecsv1alpha1.OutcomeRolledBack, "the outcome is %s", r.Status.History[0].Outcome)
	w.sweeps(5)
	w.registered(1)
	if made := w.callsIn(abroad, "UpdateService") + w.callsIn(abroad, "RegisterTaskDefinition"); made != 0 {
		t.Errorf("%d changes were made in wave 1", made)
	}
	w.runs(home, cluster, "backend", w.image(home, ":v1"))
	w.runs(abroad, singapore, "backend", w.image(abroad, ":v1"))
}

// What an earlier wave got is taken back when a later one fails, without a registration.
func TestAFailureInALaterWaveBringsTheEarlierOnesBack(t *testing.T) {
	w, release := twoWaves(t, ecsv1alpha1.Strategy{})
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Region: abroad, Image: "*" + w.push("v2", home, abroad)})
	w.bump(release, "helium-backend:v2")
	r := w.stalled(release, ecsv1alpha1.ReasonContainerExited, "singapore/backend")
	w.check(wave(r, 0).Opened != nil && wave(r, 1).Opened != nil, "the waves are %+v", r.Status.Waves)
	w.runs(home, cluster, "backend", w.image(home, ":v1"))
	w.arrives(abroad, singapore, "backend", "helium-backend:1")
	w.registered(2)
	w.check(service(r, "mumbai/backend").State == ecsv1alpha1.ServiceRolledBack, "mumbai is %+v", service(r, "mumbai/backend"))
	w.event("Warning RollingBack: service mumbai/backend")
}

func TestAWaveWaitsForItsOwnApproval(t *testing.T) {
	w, release := twoWaves(t, ecsv1alpha1.Strategy{Approval: ecsv1alpha1.ApprovalEveryWave})
	digest := w.push("v2", home, abroad)
	w.bump(release, "helium-backend:v2")
	r := w.says(release, ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonAwaitingApproval, "wave 0 waits for approval", "=r2-wave-0-")
	if len(r.Status.Awaiting) != 1 || !strings.HasPrefix(r.Status.Awaiting[0].ID, "r2-wave-0-") {
		t.Fatalf("it waits for %+v, wanted r2-wave-0-…", r.Status.Awaiting)
	}
	first := r.Status.Awaiting[0].ID
	w.event("Normal Awaiting: wave 0 waits to open")
	since := r.Status.Awaiting[0].Since
	w.order(release, ecsv1alpha1.AnnotationApprove, "r1-wave-0,r2-wave-1")
	w.event("Warning CommandIgnored: ecs.heliumai.space/approve: nothing awaits r1-wave-0, r2-wave-1")
	w.sweeps(3)
	w.changed(0, 0)
	r = w.get(release)
	w.check(len(r.Status.Awaiting) == 1 && r.Status.Awaiting[0].Since.Equal(&since), "it waits for %+v, wanted since %s", r.Status.Awaiting, since)

	w.order(release, ecsv1alpha1.AnnotationApprove, first)
	var second string
	w.await(release, "wave 1 waiting", func(r *ecsv1alpha1.EcsRelease) error {
		if len(r.Status.Awaiting) != 1 || !strings.HasPrefix(r.Status.Awaiting[0].ID, "r2-wave-1-") {
			return fmt.Errorf("it waits for %+v", r.Status.Awaiting)
		}
		second = r.Status.Awaiting[0].ID
		return nil
	})
	w.event("Normal CommandHandled: ecs.heliumai.space/approve: approved " + first)
	w.changed(1, 1)
	w.order(release, ecsv1alpha1.AnnotationApprove, first+","+second)
	r = w.ready(release)
	w.changed(2, 2)
	w.runs(abroad, singapore, "backend", w.image(abroad, "@"+digest))
	w.check(len(r.Status.Awaiting) == 0, "it still waits for %+v", r.Status.Awaiting)
}

// A region that is down keeps its own wave from closing, and holds up nobody else in it.
func TestTargetsOfOneWaveAreIndependent(t *testing.T) {
	w := newWorld(t)
	w.push("v1", home, abroad)
	w.serve(desired("backend"))
	w.serveIn(abroad, singapore, desired("backend"))
	release := w.apply("helium-backend:v1", inBoth)
	w.ready(release)
	digest := w.push("v2", home, abroad)
	fault, err := w.sim.AddFault(awssim.Fault{Account: w.account, Region: abroad, Operation: "UpdateService", Throttle: true})
	w.must(err)
	w.bump(release, "helium-backend:v2")
	w.await(release, "mumbai in sync", func(r *ecsv1alpha1.EcsRelease) error {
		s := service(r, "mumbai/backend")
		if s.State != ecsv1alpha1.ServiceInSync || s.Registered != "helium-backend:2" {
			return fmt.Errorf("it is %s on %s", s.State, s.Registered)
		}
		return nil
	})
	if r := w.get(release); strings.Contains(condition(r, ecsv1alpha1.ConditionReady).Message, "2/2") || wave(r, 0).Synced != nil {
		t.Errorf("the wave has closed without singapore: %+v", r.Status.Waves)
	}
	w.sim.RemoveFault(fault)
	w.ready(release)
	w.runs(abroad, singapore, "backend", w.image(abroad, "@"+digest))
}

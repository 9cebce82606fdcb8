package cloud

import (
	"testing"
	"time"

	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/rollout"
)

// An update whose answer was lost is looked for by its time: what brought the same revision
// earlier says nothing about it.
func TestADeploymentFromBeforeTheUpdateIsNotTakenForIt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		began := time.Now()
		revision := w.service(seed.Service{Name: "web", Desired: 1})
		w.settle()
		found := func(since time.Time) *rollout.ServiceDeployment {
			d, _, problem := w.fleet.ServiceDeployment(t.Context(), w.key("web"), rollout.Need{Deployment: true, Revision: revision, Since: since})
			noProblem(t, problem)
			return d
		}
		if found(began) == nil {
			t.Error("the deployment is not found by a time before it")
		}
		if d := found(time.Now()); d != nil {
			t.Errorf("an update of now is taken to be %+v", d)
		}
	})
}

func TestADeploymentThatWasUnderWayBeforeTheUpdateIsNotTakenForIt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		k := w.key("web")
		base := w.service(seed.Service{Name: "web", Desired: 1})
		w.settle()
		revision := w.next(base, "docker.io/library/nginx:2")
		id, _ := w.deploy(k, revision)
		time.Sleep(clockSkew + time.Second)
		if d, _, problem := w.fleet.ServiceDeployment(t.Context(), k, rollout.Need{ID: id}); problem != nil || d == nil || !d.Finished.IsZero() {
			t.Fatalf("the deployment is %+v (%v), wanted it to be under way", d, problem)
		}
		d, _, problem := w.fleet.ServiceDeployment(t.Context(), k, rollout.Need{Deployment: true, Revision: revision, Since: time.Now()})
		noProblem(t, problem)
		if d != nil {
			t.Errorf("an update of now is taken to be %+v", d)
		}
	})
}

// AWS's clock may be behind ours, so a deployment from shortly before an update may be its. One that
// had ended by then is not: the same revision, deployed, stopped and deployed again.
func TestADeploymentThatEndedBeforeTheUpdateIsNotTakenForIt(t *testing.T) {
	inWorldOf(t, awssim.Options{Speed: 10}, func(t *testing.T, w *world) {
		k := w.key("web")
		base := w.service(seed.Service{Name: "web", Desired: 1})
		w.settle()
		revision := w.next(base, "docker.io/library/nginx:2")
		id, first := w.deploy(k, revision)
		if err := w.fleet.Stop(t.Context(), k, id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Second)
		if d, _, problem := w.fleet.ServiceDeployment(t.Context(), k, rollout.Need{ID: id}); problem != nil || d == nil || d.Finished.IsZero() {
			t.Fatalf("the deployment that was stopped is %+v (%v), wanted it to have ended", d, problem)
		}
		again, err := w.fleet.Update(t.Context(), k, revision)
		if err != nil {
			t.Fatal(err)
		}
		if since := again.At.Sub(first.At); since >= clockSkew {
			t.Fatalf("the second update was %s after the first: that tells nothing", since)
		}
		need := rollout.Need{Deployment: true, Revision: revision, Since: again.At}
		d, _, problem := w.fleet.ServiceDeployment(t.Context(), k, need)
		noProblem(t, problem)
		if d != nil && d.ID == id {
			t.Errorf("the deployment that was stopped, %+v, is taken for the one since", d)
		}
		if d := w.deployment(k, revision, again.At); d.ID == id {
			t.Errorf("the deployment that was stopped, %+v, is taken for the one that ECS lists by now", d)
		}
	})
}

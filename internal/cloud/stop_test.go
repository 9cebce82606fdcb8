package cloud

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/rollout"
)

// next registers a revision with another image in the containers of one.
func (w *world) next(base, image string) string {
	w.t.Helper()
	d := w.derive(base, image)
	time.Sleep(time.Second)
	revision, _, err := w.fleet.Register(w.t.Context(), w.id, region, d, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return revision
}

// deploy makes a service run a revision and returns the id of the service deployment that it
// started, with what was answered.
func (w *world) deploy(k Key, revision string) (string, Updated) {
	w.t.Helper()
	updated, err := w.fleet.Update(w.t.Context(), k, revision)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.deployment(k, revision, updated.At).ID, updated
}

// deployment waits until ECS lists the service deployment that brings a revision.
func (w *world) deployment(k Key, revision string, since time.Time) *rollout.ServiceDeployment {
	w.t.Helper()
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(time.Second) {
		d, _, problem := w.fleet.ServiceDeployment(w.t.Context(), k, rollout.Need{Revision: revision, Since: since})
		noProblem(w.t, problem)
		if d != nil {
			return d
		}
	}
	w.t.Fatalf("ECS lists no deployment of %s", revision)
	return nil
}

// look is the service deployment as it is now.
func (w *world) look(k Key, id string) *rollout.ServiceDeployment {
	w.t.Helper()
	time.Sleep(w.fleet.options.Fast)
	d, _, problem := w.fleet.ServiceDeployment(w.t.Context(), k, rollout.Need{ID: id})
	noProblem(w.t, problem)
	return d
}

func TestADeploymentThatIsStoppedGoesBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.service(seed.Service{Name: "backend", Desired: 1, NoBreaker: true})
		w.settle()
		id, _ := w.deploy(w.key("backend"), w.next(base, "docker.io/library/nginx:2"))
		w.sim.ResetJournal()
		if err := w.fleet.Stop(t.Context(), w.key("backend"), id); err != nil {
			t.Fatal(err)
		}
		for _, e := range w.sim.Journal(awssim.JournalFilter{Operation: "StopServiceDeployment"}) {
			want := `{
 "serviceDeploymentArn": "arn:aws:ecs:ap-south-1:111122223333:service-deployment/helium/backend/` + id + `",
 "stopType": "ROLLBACK"
}`
			if diff := cmp.Diff(want, compact(t, e.Request)); diff != "" {
				t.Errorf("what was sent is not what was wanted (-want +sent):\n%s", diff)
			}
		}
		if got := w.calls()["StopServiceDeployment"]; got != 1 {
			t.Errorf("it was sent %d times, wanted once", got)
		}
		w.settle()
		d := w.look(w.key("backend"), id)
		if d.Status != "ROLLBACK_SUCCESSFUL" || d.Finished.IsZero() {
			t.Errorf("the deployment is %s, finished at %s, wanted it rolled back", d.Status, d.Finished)
		}
		problem := asProblem(t, w.fleet.Stop(t.Context(), w.key("backend"), id))
		wantProblem(t, problem, rollout.ProblemRefused, ecsv1alpha1.ReasonUpdateRefused, "stopping deployment "+id, "backend", "ROLLBACK_SUCCESSFUL")
		problem = asProblem(t, w.fleet.Stop(t.Context(), w.key("backend"), "nosuchdeployment"))
		wantProblem(t, problem, rollout.ProblemMissing, ecsv1alpha1.ReasonUpdateRefused, "nosuchdeployment")
	})
}

// What was seen of a deployment before it was stopped is no answer to what became of it.
func TestALookAfterAStopIsFresh(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		k := w.key("backend")
		id, _ := w.deploy(k, w.next(base, "docker.io/library/nginx:2"))
		before := w.look(k, id)
		if err := w.fleet.Stop(t.Context(), k, id); err != nil {
			t.Fatal(err)
		}
		after, _, problem := w.fleet.ServiceDeployment(t.Context(), k, rollout.Need{ID: id})
		noProblem(t, problem)
		if before.Status != "IN_PROGRESS" || after.Status != "ROLLBACK_REQUESTED" {
			t.Errorf("it was %s, and is %s, wanted IN_PROGRESS and ROLLBACK_REQUESTED", before.Status, after.Status)
		}
	})
}

// paused is a service whose deployment waits at a hook, and the hook.
func (w *world) paused() (k Key, id string, hook rollout.Hook) {
	w.t.Helper()
	base := w.service(seed.Service{Name: "backend", Desired: 1, Rollout: seed.Rollout{
		PauseAt: []ecstypes.DeploymentLifecycleHookStage{ecstypes.DeploymentLifecycleHookStagePostScaleUp}, PauseMinutes: 60,
	}})
	k = w.key("backend")
	w.unpause(k)
	id, _ = w.deploy(k, w.next(base, "docker.io/library/nginx:2"))
	for began := time.Now(); time.Since(began) < 10*time.Minute; {
		if d := w.look(k, id); d.Awaits() != nil {
			if d.Stage != "POST_SCALE_UP" || d.Awaits().Expires.Before(time.Now()) {
				w.t.Errorf("it waits at stage %q until %s", d.Stage, d.Awaits().Expires)
			}
			return k, id, *d.Awaits()
		}
	}
	w.t.Fatal("the deployment does not wait")
	return k, "", rollout.Hook{}
}

// unpause lets whatever of the service waits go on, until it has settled.
func (w *world) unpause(k Key) {
	w.t.Helper()
	for range 5 {
		w.settle()
		out, err := w.ecs().ListServiceDeployments(w.t.Context(), &ecs.ListServiceDeploymentsInput{Cluster: aws.String(k.Cluster), Service: aws.String(k.Service)})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, brief := range out.ServiceDeployments {
			d := w.look(k, lastElement(*brief.ServiceDeploymentArn))
			if d.Awaits() == nil {
				continue
			}
			if err := w.fleet.Continue(w.t.Context(), k, d.ID, d.Awaits().ID, false); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

func TestAPausedDeploymentGoesOnOrBack(t *testing.T) {
	for name, c := range map[string]struct {
		rollBack bool
		action   string
		ends     string
	}{
		"on":   {false, "CONTINUE", "SUCCESSFUL"},
		"back": {true, "ROLLBACK", "ROLLBACK_SUCCESSFUL"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				k, id, hook := w.paused()
				w.sim.ResetJournal()
				if err := w.fleet.Continue(t.Context(), k, id, hook.ID, c.rollBack); err != nil {
					t.Fatal(err)
				}
				for _, e := range w.sim.Journal(awssim.JournalFilter{Operation: "ContinueServiceDeployment"}) {
					want := `{
 "action": "` + c.action + `",
 "hookId": "` + hook.ID + `",
 "serviceDeploymentArn": "arn:aws:ecs:ap-south-1:111122223333:service-deployment/helium/backend/` + id + `"
}`
					if diff := cmp.Diff(want, compact(t, e.Request)); diff != "" {
						t.Errorf("what was sent is not what was wanted (-want +sent):\n%s", diff)
					}
				}
				if got := w.calls()["ContinueServiceDeployment"]; got != 1 {
					t.Errorf("it was sent %d times, wanted once", got)
				}
				w.settle()
				if d := w.look(k, id); d.Status != c.ends || d.Awaits() != nil {
					t.Errorf("the deployment is %s with hooks %v, wanted %s", d.Status, d.Hooks, c.ends)
				}
				problem := asProblem(t, w.fleet.Continue(t.Context(), k, id, hook.ID, c.rollBack))
				if problem.Delay() || problem.Reason != ecsv1alpha1.ReasonUpdateRefused {
					t.Errorf("a hook that waits no more gives %s %s (%s), wanted a refusal", problem.Class, problem.Reason, problem.Message)
				}
			})
		})
	}
}

func TestARestartForcesTheSameRevisionAndSetsNothingElse(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		revision := w.service(seed.Service{Name: "backend", Desired: 2})
		w.settle()
		k := w.key("backend")
		w.track("backend")
		before := w.view(k).Primary()
		w.sim.ResetJournal()
		updated, err := w.fleet.Restart(t.Context(), k, revision)
		if err != nil {
			t.Fatal(err)
		}
		if updated.Primary == "" || updated.Primary == before.ID {
			t.Errorf("primary is %q and was %q, wanted another", updated.Primary, before.ID)
		}
		for _, e := range w.sim.Journal(awssim.JournalFilter{Operation: "UpdateService"}) {
			want := `{
 "cluster": "helium",
 "forceNewDeployment": true,
 "service": "backend",
 "taskDefinition": "arn:aws:ecs:ap-south-1:111122223333:task-definition/` + revision + `"
}`
			if diff := cmp.Diff(want, compact(t, e.Request)); diff != "" {
				t.Errorf("what was sent is not what was wanted (-want +sent):\n%s", diff)
			}
		}
		w.settle()
		after := w.view(k)
		if after.Primary().ID != updated.Primary || after.TaskDefinition != revision || after.Desired != 2 {
			t.Errorf("the service runs %s as %s, %d times", after.TaskDefinition, after.Primary().ID, after.Desired)
		}
	})
}

// Whatever becomes of the answer, what changes a deployment is sent once.
func TestStoppingContinuingAndRestartingAreSentOnce(t *testing.T) {
	for operation, change := range map[string]func(w *world) error{
		"StopServiceDeployment": func(w *world) error { return w.fleet.Stop(w.t.Context(), w.key("backend"), "x") },
		"ContinueServiceDeployment": func(w *world) error {
			return w.fleet.Continue(w.t.Context(), w.key("backend"), "x", "y", false)
		},
		"UpdateService": func(w *world) error {
			_, err := w.fleet.Restart(w.t.Context(), w.key("backend"), "helium-backend:1")
			return err
		},
	} {
		t.Run(operation, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.fault(awssim.Fault{Operation: operation, Error: &awssim.FaultError{Status: 500, Code: "ServerException", Message: "oops"}})
				if err := change(w); !errors.Is(err, ErrLost) {
					t.Errorf("error is %v, wanted it lost", err)
				}
				if got := w.calls()[operation]; got != 1 {
					t.Errorf("it was sent %d times, wanted once", got)
				}
			})
			shut := func(o *Options) {
				o.Gate = func(string, time.Duration) error { return errors.New("the lease is lost") }
			}
			inWorld(t, func(t *testing.T, w *world) {
				problem := asProblem(t, change(w))
				wantProblem(t, problem, rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "not sent", "the lease is lost")
				if got := w.calls()[operation]; got != 0 {
					t.Errorf("it was sent %d times through a shut gate", got)
				}
			}, shut)
		})
	}
}

package cloud

import (
	"fmt"
	"strings"
	"sync"
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
	"heliumai.space/ecsrelease/internal/taskdef"
)

func TestARevisionIsReadOnceWithItsTags(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		revision := w.revise("backend", "docker.io/library/nginx:1", ecstypes.Tag{Key: aws.String("team"), Value: aws.String("a")})
		for range 3 {
			document, problem := w.fleet.TaskDefinition(t.Context(), w.id, region, revision)
			noProblem(t, problem)
			if document.Name() != revision || len(document.Tags()) != 1 {
				t.Errorf("document is %s with tags %v", document.Name(), document.Tags())
			}
		}
		if got := w.calls()["DescribeTaskDefinition"]; got != 1 {
			t.Errorf("it was read %d times, wanted once", got)
		}
	})
}

func TestARevisionThatIsNotThereIsMissingAndAFamilyAloneIsRefused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, problem := w.fleet.TaskDefinition(t.Context(), w.id, region, "backend:7")
		wantProblem(t, problem, rollout.ProblemMissing, ecsv1alpha1.ReasonObservationFailed, "backend:7", region)
		_, problem = w.fleet.TaskDefinition(t.Context(), w.id, region, "backend")
		wantProblem(t, problem, rollout.ProblemRefused, ecsv1alpha1.ReasonObservationFailed, "revision number")
	})
}

// searched is now, and lets time go on: an answer from before is none.
func (w *world) searched() time.Time {
	time.Sleep(time.Millisecond)
	return time.Now()
}

func (w *world) equal(family, hash string) string {
	w.t.Helper()
	revision, at, problem := w.fleet.EqualRevision(w.t.Context(), w.id, region, family, hash, w.searched())
	noProblem(w.t, problem)
	if at.IsZero() {
		w.t.Error("it is not said when the look began")
	}
	return revision
}

// Services that wait for their turn ask in every pass: with a call each time, those of a large
// release would use up the share that the others need to get anywhere.
func TestASearchIsNotMadeAgainUntilSomethingWasRegisteredOrItIsOld(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.revise("backend", "docker.io/library/nginx:1")
		w.settle()
		d := w.derive(base, "docker.io/library/nginx:2")
		search := func(notBefore time.Time) (string, time.Time) {
			t.Helper()
			revision, at, problem := w.fleet.EqualRevision(t.Context(), w.id, region, "backend", d.Hash, notBefore)
			noProblem(t, problem)
			return revision, at
		}
		lists := func(want int, when string) {
			t.Helper()
			if got := w.calls()["ListTaskDefinitions"]; got != want {
				t.Errorf("%s: %d lists, want %d", when, got, want)
			}
		}
		for range 5 {
			search(time.Time{})
			time.Sleep(time.Second)
		}
		lists(1, "asked again and again")
		search(time.Now())
		lists(2, "asked for a new look")

		time.Sleep(time.Millisecond)
		_, looked := search(time.Now())
		registered, _, err := w.fleet.Register(t.Context(), w.id, region, d, looked)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		if got, _ := search(time.Time{}); got != registered {
			t.Errorf("found %q after the registration, want %s", got, registered)
		}
		lists(4, "after a registration")
		time.Sleep(searchAge)
		search(time.Time{})
		lists(5, "when the answer is old")
	})
}

// Services of one content that are released at once search for its revision together.
func TestManyWhoSearchAtOnceSearchTogether(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend"})
		w.settle()
		w.sim.ResetJournal()
		w.sim.SetLatency(awssim.Latency{Read: 100 * time.Millisecond})
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				asked := time.Now()
				revision, at, problem := w.fleet.EqualRevision(t.Context(), w.id, region, "backend", "v1-x", asked)
				noProblem(t, problem)
				if revision != "" || at.Before(asked) {
					t.Errorf("%q is equal by a look at %s, wanted none, by a look since %s", revision, at, asked)
				}
			})
		}
		all.Wait()
		if calls := w.calls(); calls["ListTaskDefinitions"] != 1 {
			t.Errorf("calls were: %s, wanted the family to be listed once", spell(calls))
		}
	})
}

// Some are content with what is remembered of the family, and others, who search with them, want to know how it is
// now.
func TestWhoSearchesWithOthersIsToldNothingOlderThanWhatTheyAskFor(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend"})
		w.settle()
		search := func(hash string, notBefore time.Time) {
			_, at, problem := w.fleet.EqualRevision(t.Context(), w.id, region, "backend", hash, notBefore)
			noProblem(t, problem)
			if at.Before(notBefore) {
				t.Errorf("it is told what was so at %s, wanted nothing from before %s", at, notBefore)
			}
		}
		search("v1-another", time.Time{}) // lists the family
		w.sim.ResetJournal()
		w.sim.SetLatency(awssim.Latency{Read: 4 * time.Second})
		var all sync.WaitGroup
		all.Go(func() { search("v1-x", time.Time{}) }) // goes by that list, and looks above it
		time.Sleep(time.Second)
		for range 20 {
			all.Go(func() { search("v1-x", time.Time{}) })
		}
		all.Go(func() { search("v1-x", time.Now()) })
		all.Wait()
		if calls := w.calls(); calls["ListTaskDefinitions"] != 1 {
			t.Errorf("calls were: %s, wanted the family to be listed once again", spell(calls))
		}
	})
}

func TestAnEqualRevisionIsFoundAlthoughTheListDoesNotShowItYet(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.revise("backend", "docker.io/library/nginx:1")
		w.settle()
		d := w.derive(base, "docker.io/library/nginx:2")
		if got := w.equal("backend", d.Hash); got != "" {
			t.Errorf("found %s before it was registered", got)
		}
		// By somebody who then forgot: the answer was lost.
		if _, err := w.ecs().RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{Family: aws.String("backend"), ContainerDefinitions: []ecstypes.ContainerDefinition{}}, ecs.WithAPIOptions(sendBody(d.Request))); err != nil {
			t.Fatal(err)
		}
		if got := w.equal("backend", d.Hash); got != "backend:2" {
			t.Errorf("found %q at once, wanted backend:2", got)
		}
		w.settle()
		for range 4 {
			w.revise("backend", "docker.io/library/nginx:3")
		}
		if got := w.equal("backend", d.Hash); got != "backend:2" {
			t.Errorf("found %q, wanted backend:2", got)
		}
		w.settle()
		w.sim.ResetJournal()
		if got := w.equal("backend", d.Hash); got != "backend:2" {
			t.Errorf("found %q below newer ones, wanted backend:2", got)
		}
		if got := spell(w.calls()); got != "DescribeTaskDefinition 1, ListTaskDefinitions 1" {
			t.Errorf("calls among known revisions were: %s", got)
		}
	})
}

func TestOnlyARevisionOfExactlyThisFamilyThatHoldsWhatItsTagSaysIsEqual(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.revise("backend", "docker.io/library/nginx:1")
		d := w.derive(base, "docker.io/library/nginx:2")
		copied := ecstypes.Tag{Key: aws.String(taskdef.TagHash), Value: aws.String(d.Hash)}
		w.revise("backend", "docker.io/library/nginx:edited", copied)
		w.revise("backend-2", "docker.io/library/nginx:2", copied)
		w.settle()
		if got := w.equal("backend", d.Hash); got != "" {
			t.Errorf("found %s, wanted none", got)
		}
		ours, _, err := w.fleet.Register(t.Context(), w.id, region, d, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if got := w.equal("backend", d.Hash); got != ours {
			t.Errorf("found %q, wanted %s", got, ours)
		}
		w.settle()
		if _, err := w.ecs().DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &ours}); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if got := w.equal("backend", d.Hash); got != "" {
			t.Errorf("found %s although it is INACTIVE", got)
		}
	})
}

func TestASearchAmongManyUnknownRevisionsIsBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for range 30 {
			w.revise("backend", "docker.io/library/nginx:1")
		}
		w.settle()
		if got := w.equal("backend", "none"); got != "" {
			t.Errorf("found %s", got)
		}
		if got := spell(w.calls()); got != "AssumeRole 1, DescribeTaskDefinition 11, GetCallerIdentity 1, ListTaskDefinitions 1" {
			t.Errorf("calls were: %s", got)
		}
	})
}

func TestAServiceDeploymentIsFoundByWhatItBringsAndFollowedById(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.image("helium-backend", "v1", seed.Image{})
		digest := w.image("helium-backend", "v2", seed.Image{})
		w.service(seed.Service{Name: "backend", Desired: 2, Image: w.host() + "/helium-backend:v1"})
		w.settle()
		revision := w.revise("helium-backend", w.host()+"/helium-backend:v2")
		k := w.key("backend")
		updated, err := w.fleet.Update(t.Context(), k, revision)
		if err != nil {
			t.Fatal(err)
		}
		need := rollout.Need{Deployment: true, Revision: revision, Since: updated.At}
		d, _, problem := w.fleet.ServiceDeployment(t.Context(), k, need)
		noProblem(t, problem)
		if d != nil {
			t.Errorf("found %+v at once, although the list lags", d)
		}
		time.Sleep(10 * time.Second)
		d, _, problem = w.fleet.ServiceDeployment(t.Context(), k, need)
		noProblem(t, problem)
		if d == nil || d.Status != "IN_PROGRESS" && d.Status != "PENDING" || d.Revision != revision || d.Threshold == 0 {
			t.Fatalf("deployment is %+v", d)
		}
		need.ID = d.ID
		w.settle()
		d, _, problem = w.fleet.ServiceDeployment(t.Context(), k, need)
		noProblem(t, problem)
		if d == nil || d.ID != need.ID || d.Status != "SUCCESSFUL" || d.Digests["backend"] != digest {
			t.Errorf("deployment is %+v, wanted %s SUCCESSFUL with %s", d, need.ID, digest)
		}
		need.ID = "doesnotexist000000000"
		d, _, problem = w.fleet.ServiceDeployment(t.Context(), k, need)
		noProblem(t, problem)
		if d != nil {
			t.Errorf("deployment is %+v, wanted none", d)
		}
	})
}

func TestADeploymentThatEcsGaveUpSaysWhy(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 2})
		w.settle()
		w.sim.SetImageBehavior(awssim.ImageBehavior{Image: "*nginx:bad", Kind: awssim.ImageCrash})
		revision := w.revise("helium-backend", "docker.io/library/nginx:bad")
		updated, err := w.fleet.Update(t.Context(), w.key("backend"), revision)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Minute)
		d, _, problem := w.fleet.ServiceDeployment(t.Context(), w.key("backend"), rollout.Need{Deployment: true, Revision: revision, Since: updated.At})
		noProblem(t, problem)
		if d == nil || d.Status != "ROLLBACK_SUCCESSFUL" || !d.BreakerTriggered || d.FailedTasks == 0 || d.Threshold == 0 || d.RollbackReason == "" || d.Revision != revision {
			t.Errorf("deployment is %+v", d)
		}
	})
}

func TestWhatRunsIsToldByTheServiceRevisionOrByTheTasks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		digest := w.image("helium-backend", "v1", seed.Image{})
		image := w.host() + "/helium-backend:v1"
		w.service(seed.Service{Name: "backend", Desired: 2, Image: image})
		w.settle()
		w.track("backend")
		v := w.view(w.key("backend"))
		w.sim.ResetJournal()
		for range 2 {
			got, problem := w.fleet.RunningImages(t.Context(), w.key("backend"), v)
			noProblem(t, problem)
			if diff := cmp.Diff(map[string]RunningImage{"backend": {Image: image, Digest: digest}}, got); diff != "" {
				t.Errorf("what runs (-want +got):\n%s", diff)
			}
		}
		if got := spell(w.calls()); got != "DescribeServiceRevisions 1" {
			t.Errorf("calls were: %s", got)
		}
		old := *v
		old.ServiceRevisions = nil // as of a service older than service revisions
		got, problem := w.fleet.RunningImages(t.Context(), w.key("backend"), &old)
		noProblem(t, problem)
		if got["backend"].Digest != digest || !strings.HasPrefix(got["backend"].Image, image) {
			t.Errorf("by its tasks it runs %+v, wanted %s at %s", got, image, digest)
		}
	})
}

func TestWhatRunsIsUnknownWhereNothingRuns(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.image("helium-backend", "v1", seed.Image{})
		w.service(seed.Service{Name: "backend", Desired: 0, Image: w.host() + "/helium-backend:v1"})
		w.settle()
		w.track("backend")
		got, problem := w.fleet.RunningImages(t.Context(), w.key("backend"), w.view(w.key("backend")))
		noProblem(t, problem)
		if got != nil {
			t.Errorf("it runs %+v, wanted nothing known", got)
		}
	})
}

func TestAReadIsTriedThreeTimesButAThrottleOrALimitOnlyOnce(t *testing.T) {
	for _, c := range []struct {
		fault awssim.Fault
		class rollout.ProblemClass
		sent  int
	}{
		{awssim.Fault{Error: &awssim.FaultError{Status: 500, Code: "ServerException", Message: "oops"}}, rollout.ProblemTransient, 3},
		{awssim.Fault{Drop: true}, rollout.ProblemTransient, 3},
		{awssim.Fault{Throttle: true}, rollout.ProblemThrottled, 1},
		{awssim.Fault{Error: &awssim.FaultError{Code: "LimitExceededException", Message: "enough"}}, rollout.ProblemRefused, 1},
		{awssim.Fault{Error: &awssim.FaultError{Code: "ClientException", Message: "no"}}, rollout.ProblemRefused, 1},
		{awssim.Fault{Hang: true}, rollout.ProblemTransient, 1},
	} {
		t.Run(fmt.Sprint(c.class, " ", c.sent), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				revision := w.revise("backend", "docker.io/library/nginx:1")
				c.fault.Operation = "DescribeTaskDefinition"
				w.fault(c.fault)
				began := time.Now()
				_, problem := w.fleet.TaskDefinition(t.Context(), w.id, region, revision)
				wantProblem(t, problem, c.class, ecsv1alpha1.ReasonObservationFailed, revision)
				if took := time.Since(began); took > 15*time.Second {
					t.Errorf("it took %v, wanted at most 15 s", took)
				}
				if got := w.calls()["DescribeTaskDefinition"]; got != c.sent {
					t.Errorf("it was sent %d times, wanted %d", got, c.sent)
				}
			})
		})
	}
}

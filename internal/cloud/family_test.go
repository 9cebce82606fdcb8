package cloud

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/taskdef"
)

// foreign looks for the newest revision of a family that is not ours, not before now.
func (w *world) foreign(family string) string {
	w.t.Helper()
	revision, problem := w.fleet.NewestForeign(w.t.Context(), w.id, region, family, w.searched())
	noProblem(w.t, problem)
	return revision
}

func (w *world) deregister(revision string) {
	w.t.Helper()
	if _, err := w.ecs().DeregisterTaskDefinition(w.t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &revision}); err != nil {
		w.t.Fatal(err)
	}
}

func TestTheNewestRevisionThatIsNotOursIsFound(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if got := w.foreign("backend"); got != "" {
			t.Errorf("in a family that is not there it found %q", got)
		}
		first := w.revise("backend", "docker.io/library/nginx:1")
		w.revise("backend-worker", "docker.io/library/nginx:9") // the family is no prefix
		ours := w.next(first, "docker.io/library/nginx:2")
		w.settle()
		if got := w.foreign("backend"); got != first {
			t.Errorf("found %q behind our %s, wanted %s", got, ours, first)
		}
		// A console copies tags together with the revision that it edits.
		document, problem := w.fleet.TaskDefinition(t.Context(), w.id, region, ours)
		noProblem(t, problem)
		hash, _ := document.OursHash()
		copied := w.revise("backend", "docker.io/library/nginx:3", ecstypes.Tag{Key: aws.String(taskdef.TagHash), Value: &hash})
		w.settle()
		if got := w.foreign("backend"); got != copied {
			t.Errorf("found %q, wanted %s, whose content is not what the copied tag says", got, copied)
		}
		w.deregister(copied)
		w.settle()
		if got := w.foreign("backend"); got != first {
			t.Errorf("found %q after %s was deregistered, wanted %s", got, copied, first)
		}
		w.deregister(first)
		w.settle()
		if got := w.foreign("backend"); got != "" {
			t.Errorf("found %q in a family that is all ours", got)
		}
	})
}

func TestALookAskedForSeesARevisionThatTheListDoesNotShowYet(t *testing.T) {
	inWorldOf(t, awssim.Options{ECS: awssim.ECSOptions{TaskDefinitionLag: 10 * time.Minute}}, func(t *testing.T, w *world) {
		first := w.revise("backend", "docker.io/library/nginx:1")
		time.Sleep(11 * time.Minute)
		if got := w.foreign("backend"); got != first {
			t.Fatalf("found %q, wanted %s", got, first)
		}
		second := w.revise("backend", "docker.io/library/nginx:2")
		if got := w.foreign("backend"); got != second {
			t.Errorf("found %q, wanted %s, which is not listed yet", got, second)
		}
	})
}

// Looks for a newer base go on for ever: they cost one call in each slow interval, and wait when
// the quota runs low.
func TestTheBaseOfAFamilyIsLookedUpAtTheSlowCadence(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first := w.revise("backend", "docker.io/library/nginx:1")
		w.settle()
		look := func() string {
			t.Helper()
			revision, problem := w.fleet.NewestForeign(t.Context(), w.id, region, "backend", time.Time{})
			noProblem(t, problem)
			return revision
		}
		look()
		w.sim.ResetJournal()
		for range 12 * 60 {
			if got := look(); got != first {
				t.Fatalf("found %q, wanted %s", got, first)
			}
			time.Sleep(5 * time.Second)
		}
		if got := w.calls(); got["ListTaskDefinitions"] > 12 || got["ListTaskDefinitions"] < 11 || got["DescribeTaskDefinition"] != 0 {
			t.Errorf("an hour of it cost %s, wanted one list in five minutes", spell(got))
		}
		second := w.revise("backend", "docker.io/library/nginx:2")
		w.settle()
		if got := look(); got != second {
			t.Errorf("found %q, wanted the newer %s", got, second)
		}

		time.Sleep(w.fleet.options.Slow)
		key := bucketKey{account: account, region: region, quota: quotaTaskDefRead}
		for tokens := w.fleet.budget.bucket(key).limiter.Tokens(); tokens > 5; tokens-- {
			w.fleet.budget.take(key, urgent)
		}
		_, problem := w.fleet.NewestForeign(t.Context(), w.id, region, "backend", time.Time{})
		wantProblem(t, problem, rollout.ProblemThrottled, ecsv1alpha1.ReasonObservationFailed, "backend")
		if got := w.foreign("backend"); got != second {
			t.Errorf("found %q with what is left of the quota, wanted %s", got, second)
		}
	})
}

func TestASearchThroughManyRevisionsOfOursGoesOnWhereItWasPutOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first := w.revise("backend", "docker.io/library/nginx:1")
		for i := range 25 {
			w.next(first, fmt.Sprintf("docker.io/library/nginx:2.%d", i))
			time.Sleep(5 * time.Second)
		}
		w.settle()
		other := w.role("others", nil) // who has seen none of them
		tries := 0
		for ; tries < 10; tries++ {
			revision, problem := w.fleet.NewestForeign(t.Context(), other, region, "backend", time.Time{})
			if problem == nil {
				if revision != first {
					t.Errorf("found %q, wanted %s", revision, first)
				}
				break
			}
			wantProblem(t, problem, rollout.ProblemThrottled, ecsv1alpha1.ReasonObservationFailed, "put off")
			time.Sleep(problem.RetryAfter)
		}
		if tries != 2 {
			t.Errorf("it was put off %d times, wanted 25 revisions to take three goes of ten", tries)
		}
	})
}

func TestWhetherARevisionIsActiveIsAskedAfresh(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		revision := w.revise("backend", "docker.io/library/nginx:1")
		ask := func() bool {
			t.Helper()
			active, document, problem := w.fleet.Active(t.Context(), w.id, region, revision, w.searched())
			noProblem(t, problem)
			if document.Name() != revision || document.ContentHash() == "" || document.RegisteredBy() == "" {
				t.Errorf("document is %s by %q", document.Name(), document.RegisteredBy())
			}
			return active
		}
		if !ask() {
			t.Error("it is not ACTIVE")
		}
		w.deregister(revision)
		if ask() {
			t.Error("it is ACTIVE although it was deregistered")
		}
		// Nobody else believes so either any more.
		document, problem := w.fleet.TaskDefinition(t.Context(), w.id, region, revision)
		noProblem(t, problem)
		if document.Status() != "INACTIVE" {
			t.Errorf("read again, it is %s", document.Status())
		}
		_, _, problem = w.fleet.Active(t.Context(), w.id, region, "backend:9", time.Time{})
		wantProblem(t, problem, rollout.ProblemMissing, ecsv1alpha1.ReasonObservationFailed, "backend:9", region)
	})
}

func TestAnswersAboutARevisionServeAgainForAMoment(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		revision := w.revise("backend", "docker.io/library/nginx:1")
		w.sim.ResetJournal()
		began := time.Now()
		for range 10 {
			if _, _, problem := w.fleet.Active(t.Context(), w.id, region, revision, began); problem != nil {
				t.Fatal(problem.Message)
			}
		}
		synctest.Wait()
		if got := w.calls()["DescribeTaskDefinition"]; got != 1 {
			t.Errorf("it was asked %d times, wanted once", got)
		}
		time.Sleep(w.fleet.options.Fast)
		if _, _, problem := w.fleet.Active(t.Context(), w.id, region, revision, began); problem != nil {
			t.Fatal(problem.Message)
		}
		if got := w.calls()["DescribeTaskDefinition"]; got != 2 {
			t.Errorf("it was asked %d times, wanted twice", got)
		}
	})
}

package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
)

// again lets another manager take over and look, and checks that it changes nothing: what was
// ordered is acted on once.
func (w *world) again() {
	w.t.Helper()
	made := w.changes()
	w.manager.stop()
	w.restart()
	w.sweeps(4)
	if now := w.changes(); !slices.Equal(now, made) {
		w.t.Errorf("a new manager made further changes: %v\n%s", now[len(made):], w.tell())
	}
}

// told is how many events begin so.
func (w *world) told(begins string) int {
	w.t.Helper()
	n := 0
	for _, event := range w.witness.eventsIn(w.namespace) {
		if strings.HasPrefix(event, begins) {
			n++
		}
	}
	return n
}

func TestTokensOfARestoredBackupAreNotActedOn(t *testing.T) {
	w := newWorld(t)
	w.alone()
	w.push("v1")
	w.serve(desired("backend"))
	tokens := map[string]string{}
	for _, command := range []string{ecsv1alpha1.AnnotationAbort, ecsv1alpha1.AnnotationRetry, ecsv1alpha1.AnnotationRestart, ecsv1alpha1.AnnotationHold, ecsv1alpha1.AnnotationReconcile} {
		tokens[command] = "old/previous"
	}
	release := w.apply("helium-backend:v1", func(r *ecsv1alpha1.EcsRelease) { r.Annotations = tokens })
	r := w.ready(release)
	h := r.Status.Handled
	if h == nil || h.Abort != "old/previous" || h.Retry != h.Abort || h.Restart != h.Abort || h.Hold != h.Abort || h.Reconcile != h.Abort {
		t.Errorf("handled is %+v, wanted all tokens echoed", h)
	}
	w.again()
	w.changed(0, 0)
	if n := w.told("Normal Command") + w.told("Warning Command"); n != 0 {
		t.Errorf("there were %d events about commands", n)
	}
	w.order(release, ecsv1alpha1.AnnotationRestart, "new")
	w.event("Normal Restarting: service mumbai/backend")
}

func TestARetryTriesTheSameImageOnceMore(t *testing.T) {
	w := newWorld(t)
	w.alone()
	w.push("v1")
	w.serve(desired("backend"))
	digest := w.push("v2")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: "*" + digest})
	release := w.apply("helium-backend:v2")
	w.stalled(release, ecsv1alpha1.ReasonContainerExited)
	w.again()
	w.order(release, ecsv1alpha1.AnnotationRetry, "still-broken")
	w.eventually("a second failure", func() error {
		if n := w.told("Warning Failed: service mumbai/backend"); n < 2 {
			return fmt.Errorf("there was %d", n)
		}
		return nil
	})
	w.stalled(release, ecsv1alpha1.ReasonContainerExited)
	w.again()

	w.behave(awssim.ImageBehavior{Kind: awssim.ImageHealthy, Image: "*" + digest})
	w.order(release, ecsv1alpha1.AnnotationRetry, "mended")
	r := w.ready(release)
	w.event("Normal CommandHandled: ecs.heliumai.space/retry: trying once more: 1 failed, 0 drifted")
	w.registered(1)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	w.check(len(r.Status.History) == 1 && r.Status.History[0].Outcome == ecsv1alpha1.OutcomeReleased, "history is %+v", r.Status.History)
	w.check(r.Status.Failure == nil && len(service(r, "mumbai/backend").Failed) == 0, "the failure is still remembered: %+v", service(r, "mumbai/backend").Failed)

	w.order(release, ecsv1alpha1.AnnotationRetry, "needless")
	w.event("Warning CommandIgnored: ecs.heliumai.space/retry: nothing failed")
	w.again()
}

func TestAnAbortBringsBackWhatIsInFlight(t *testing.T) {
	w := newWorld(t)
	w.alone()
	w.push("v1")
	w.serve(desired("backend"))
	slow := w.push("v2")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageSlowStart, Image: "*" + slow, Seconds: 360_000})
	release := w.apply("helium-backend:v2")
	w.await(release, "v2 being deployed", deploying)
	w.order(release, ecsv1alpha1.AnnotationAbort, "enough")
	r := w.stalled(release, ecsv1alpha1.ReasonAborted, "aborted by ecs.heliumai.space/abort=enough", "mumbai/backend")
	w.check(r.Status.Failure != nil && r.Status.Failure.Class == ecsv1alpha1.FailureAborted, "failure is %+v", r.Status.Failure)
	w.check(r.Status.Handled.Abort == "enough", "handled is %+v", r.Status.Handled)
	w.check(r.Status.History[0].Outcome == ecsv1alpha1.OutcomeRolledBack, "the outcome is %s", r.Status.History[0].Outcome)
	w.runs(home, cluster, "backend", w.image(home, ":v1"))
	w.registered(1)
	w.again()
	w.order(release, ecsv1alpha1.AnnotationAbort, "once-more")
	w.event("Warning CommandIgnored: ecs.heliumai.space/abort: the release has failed already")
	w.again()
}

func TestARestartDeploysTheSameRevisionOnce(t *testing.T) {
	w, release, _ := released(t, (*world).alone)
	before := aws.ToString(w.describe(home, cluster, "backend").Deployments[0].Id)
	w.order(release, ecsv1alpha1.AnnotationRestart, "monday")
	w.event("Normal Restarting: service mumbai/backend is deployed anew with helium-backend:2")
	r := w.ready(release)
	w.changed(1, 2)
	s := w.describe(home, cluster, "backend")
	w.check(aws.ToString(s.Deployments[0].Id) != before && short(aws.ToString(s.TaskDefinition)) == "helium-backend:2", "it runs %s by deployment %s", short(aws.ToString(s.TaskDefinition)), aws.ToString(s.Deployments[0].Id))
	w.check(w.witness.saw(w.namespace, ecsv1alpha1.ReasonRestarting), "no service was said to be restarted")
	w.check(len(r.Status.History) == 1 && r.Status.Handled.Restart == "monday", "history is %+v, handled %+v", r.Status.History, r.Status.Handled)
	w.again()
	w.changed(1, 2)
}

func TestAHoldGoesBackAndStaysThere(t *testing.T) {
	w := newWorld(t)
	w.alone()
	w.push("v1")
	w.serve(desired("backend"))
	release := w.apply("helium-backend:v1")
	w.ready(release)
	second := w.push("v2")
	w.bump(release, "helium-backend:v2")
	w.ready(release)
	third := w.push("v3")
	w.bump(release, "helium-backend:v3")
	w.ready(release)
	w.changed(2, 2)

	w.order(release, ecsv1alpha1.AnnotationHold, "oops/previous")
	w.says(release, ecsv1alpha1.ConditionHeld, ecsv1alpha1.ReasonHeld, "release 2 (helium-backend:v2) is held")
	r := w.says(release, ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonHeld, "1/1 services run helium-backend:v2")
	w.runs(home, cluster, "backend", w.image(home, "@"+second))
	w.registered(2)
	w.check(r.Status.Image == "helium-backend:v2" && r.Status.Images[0].Digest == second, "status says %s, %+v", r.Status.Image, r.Status.Images)
	w.check(r.Status.Hold != nil && r.Status.Hold.Number == 2 && r.Status.Hold.Against[0].Digest == third, "the hold is %+v", r.Status.Hold)
	w.change(release, func(r *ecsv1alpha1.EcsRelease) { delete(r.Annotations, ecsv1alpha1.AnnotationHold) })
	w.again()
	w.says(release, ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonHeld)

	w.order(release, ecsv1alpha1.AnnotationReleaseHold, "well-again")
	r = w.ready(release)
	w.runs(home, cluster, "backend", w.image(home, "@"+third))
	w.registered(2)
	w.check(r.Status.Hold == nil && condition(r, ecsv1alpha1.ConditionHeld).Status == "absent", "it is still held: %+v", r.Status.Hold)
	w.order(release, ecsv1alpha1.AnnotationReleaseHold, "needless")
	w.event("Warning CommandIgnored: ecs.heliumai.space/release-hold: no release is held")

	w.order(release, ecsv1alpha1.AnnotationHold, "far/1")
	w.says(release, ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonHeld, "1/1 services run helium-backend:v1")
	w.arrives(home, cluster, "backend", "helium-backend:1")
	w.runs(home, cluster, "backend", w.image(home, ":v1"))
	fourth := w.push("v4")
	w.bump(release, "helium-backend:v4")
	w.ready(release)
	w.runs(home, cluster, "backend", w.image(home, "@"+fourth))
	w.event("Normal CommandHandled: ecs.heliumai.space/hold: the hold on release 1 ended")
	w.registered(3)
}

func TestACommandThatThereIsNotIsSaidOnce(t *testing.T) {
	w, release, _ := released(t, (*world).alone)
	w.order(release, "ecs.heliumai.space/redeploy", "now")
	w.event("Warning CommandIgnored: no such command: ecs.heliumai.space/redeploy=now")
	w.again()
	if n := w.told("Warning CommandIgnored"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
}

func TestACommandForAReleaseThatMayDoNothingIsRefused(t *testing.T) {
	w, release, _ := released(t)
	w.must(w.client.Delete(t.Context(), w.environment()))
	w.stalled(release, ecsv1alpha1.ReasonNoEnvironment)
	w.order(release, ecsv1alpha1.AnnotationRestart, "now")
	w.event("Warning CommandIgnored: ecs.heliumai.space/restart: not done: no EcsEnvironment names namespace")
	w.changed(1, 1)
}

func TestAFailureWhileSuspendedIsDealtWithAfterwards(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	s := w.describe(home, cluster, "backend")
	s.DeploymentConfiguration.DeploymentCircuitBreaker.Rollback = false
	w.shapes(s)
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: "*" + w.push("v2"), AfterSeconds: 1})
	release := w.apply("helium-backend:v2")
	w.eventually("the update", func() error { return w.wantCalls("UpdateService", 1) })
	w.change(release, func(r *ecsv1alpha1.EcsRelease) { r.Spec.Suspend = true })
	r := w.stalled(release, ecsv1alpha1.ReasonContainerExited, "suspended")
	w.sweeps(5)
	w.changed(1, 1)
	w.check(service(r, "mumbai/backend").State != ecsv1alpha1.ServiceRolledBack, "it was rolled back")
	w.change(release, func(r *ecsv1alpha1.EcsRelease) { r.Spec.Suspend = false })
	w.await(release, "the rollback", func(r *ecsv1alpha1.EcsRelease) error {
		if s := service(r, "mumbai/backend"); s.State != ecsv1alpha1.ServiceRolledBack {
			return fmt.Errorf("the service is %s: %s", s.State, s.Message)
		}
		return nil
	})
	w.changed(1, 2)
	w.runs(home, cluster, "backend", w.image(home, ":v1"))
}

func TestARollbackThatAWSRefusesIsSaidToHaveFailed(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	s := w.describe(home, cluster, "backend")
	s.DeploymentConfiguration.DeploymentCircuitBreaker.Rollback = false
	w.shapes(s)
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: "*" + w.push("v2"), AfterSeconds: 1})
	release := w.apply("helium-backend:v2")
	w.eventually("the update", func() error { return w.wantCalls("UpdateService", 1) })
	_, err := w.sim.AddFault(awssim.Fault{Account: w.account, Principal: "*:assumed-role/*", Operation: "UpdateService", Error: &awssim.FaultError{Code: "ClientException", Message: "Not on a Sunday."}})
	w.must(err)
	r := w.stalled(release, ecsv1alpha1.ReasonRollbackFailed, "mumbai/backend", "Not on a Sunday")
	w.check(r.Status.History[0].Outcome == ecsv1alpha1.OutcomeFailed, "the outcome is %s", r.Status.History[0].Outcome)
	w.event("Warning RollbackFailed: service mumbai/backend could not be brought back")
	tried := len(w.calls("UpdateService"))
	w.sweeps(5)
	w.check(len(w.calls("UpdateService")) == tried, "it was tried again")
}

// A failure that nobody may look into is told as what ECS said of it.
func TestAFailureWithoutEvidenceIsTheCircuitBreakers(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	w.deny("ecs:ListTasks")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: "*" + w.push("v2")})
	release := w.apply("helium-backend:v2")
	r := w.stalled(release, ecsv1alpha1.ReasonCircuitBreaker, "mumbai/backend")
	w.check(r.Status.Failure != nil && len(r.Status.Failure.Tasks) == 0, "failure is %+v", r.Status.Failure)
	w.registered(1)
}

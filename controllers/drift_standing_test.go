package controllers_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// takeAway deploys v1 to backend, as somebody else, with a task definition of their own.
func (w *world) takeAway(variable string) string {
	w.t.Helper()
	theirs := w.register(home, cluster, "backend", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].Image = aws.String(w.image(home, ":v1"))
		in.ContainerDefinitions[0].Environment = append(in.ContainerDefinitions[0].Environment, ecstypes.KeyValuePair{Name: &variable, Value: aws.String(canary)})
	})
	w.update(home, &ecs.UpdateServiceInput{TaskDefinition: &theirs})
	return short(theirs)
}

func TestTwoControllersDoNotFight(t *testing.T) {
	w, release, _ := released(t)
	w.takeAway("ONE")
	w.event("Normal DriftReverted: service mumbai/backend")
	w.ready(release)
	w.steady(home, cluster, "backend")
	w.changed(2, 2)

	theirs := w.takeAway("TWO")
	r := w.says(release, ecsv1alpha1.ConditionDrifted, ecsv1alpha1.ReasonDrifted, "mumbai/backend", theirs, "registered by arn:aws:iam::"+w.account+":root")
	w.event("Warning Drifted: service mumbai/backend")
	w.steady(home, cluster, "backend")
	w.sweeps(5)
	w.changed(2, 2)
	w.runs(home, cluster, "backend", w.image(home, ":v1"))
	w.check(isReady(r) != nil, "a release whose image was taken away is Ready")
	if drift := service(r, "mumbai/backend").Drift; drift == nil || !drift.Standing || !strings.HasPrefix(drift.Deployment, "ecs-svc/") {
		t.Errorf("the drift is %+v", drift)
	}
	w.order(release, ecsv1alpha1.AnnotationRetry, "take-it-back")
	r = w.ready(release)
	w.check(condition(r, ecsv1alpha1.ConditionDrifted).Status == "absent", "it is still drifted")
	w.changed(3, 3)
}

func TestDriftIsOnlyReportedWhereTheReleaseSaysSo(t *testing.T) {
	w, release, digest := released(t)
	w.change(release, func(r *ecsv1alpha1.EcsRelease) { r.Spec.Drift = ecsv1alpha1.DriftReport })
	w.ready(release)
	theirs := w.takeAway("ONE")
	w.says(release, ecsv1alpha1.ConditionDrifted, ecsv1alpha1.ReasonDrifted, "mumbai/backend", theirs)
	w.steady(home, cluster, "backend")
	w.sweeps(3)
	w.changed(1, 1)
	w.change(release, func(r *ecsv1alpha1.EcsRelease) { r.Spec.Drift = ecsv1alpha1.DriftRevert })
	w.order(release, ecsv1alpha1.AnnotationRetry, "take-it-back")
	w.ready(release)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
}

// Whoever registers in the family starts a rollout of it, with the same image.
func TestANewerBaseOfTheFamilyIsReleasedWithTheSameImage(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	digest := w.push("v2")
	release := w.apply("helium-backend:v2", func(r *ecsv1alpha1.EcsRelease) {
		r.Spec.TaskDefinition = &ecsv1alpha1.TaskDefinitionPolicy{Base: ecsv1alpha1.BaseFamily}
	})
	r := w.ready(release)
	w.changed(1, 1)
	w.check(service(r, "mumbai/backend").Base == "helium-backend:1", "the base is %s", service(r, "mumbai/backend").Base)
	w.sweeps(3)
	w.changed(1, 1)

	theirs := w.register(home, cluster, "backend", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].Image = aws.String(w.image(home, ":v1"))
		in.ContainerDefinitions[0].Environment = append(in.ContainerDefinitions[0].Environment, ecstypes.KeyValuePair{Name: aws.String("TERRAFORM"), Value: aws.String("1")})
	})
	w.eventually("a second update", func() error { return w.wantCalls("UpdateService", 2) })
	r = w.ready(release)
	w.changed(2, 2)
	now := w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	var found bool
	for _, e := range now.TaskDefinition.ContainerDefinitions[0].Environment {
		found = found || aws.ToString(e.Name) == "TERRAFORM"
	}
	w.check(found, "the newer base was not taken")
	w.check(service(r, "mumbai/backend").Base == short(theirs), "the base is %s, wanted %s", service(r, "mumbai/backend").Base, short(theirs))
	w.check(len(r.Status.History) == 2 && r.Status.History[0].Outcome == ecsv1alpha1.OutcomeReleased, "history is %+v", r.Status.History)
	w.sweeps(5)
	w.changed(2, 2)
}

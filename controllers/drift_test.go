package controllers_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
)

// released is a world with a release that is Ready on v2, after one registration and one update.
func released(t *testing.T, prepare ...func(*world)) (w *world, release key, digest string) {
	t.Helper()
	w = newWorld(t)
	for _, p := range prepare {
		p(w)
	}
	w.push("v1")
	digest = w.push("v2")
	w.serve(desired("backend"))
	release = w.apply("helium-backend:v2")
	w.ready(release)
	w.changed(1, 1)
	return w, release, digest
}

func TestAnotherImageIsTakenBackOnTheBasisOfTheirTaskDefinition(t *testing.T) {
	w, release, digest := released(t)
	theirs := w.register(home, cluster, "backend", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].Image = aws.String(w.image(home, ":v1"))
		in.ContainerDefinitions[0].Environment = append(in.ContainerDefinitions[0].Environment, ecstypes.KeyValuePair{Name: aws.String("THEIRS"), Value: aws.String(canary)})
	})
	w.update(home, &ecs.UpdateServiceInput{TaskDefinition: &theirs})
	w.eventually("a second update by the controller", func() error { return w.wantCalls("UpdateService", 2) })
	w.ready(release)
	w.steady(home, cluster, "backend")
	w.changed(2, 2)
	now := w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	if !slices.ContainsFunc(now.TaskDefinition.ContainerDefinitions[0].Environment, func(e ecstypes.KeyValuePair) bool { return aws.ToString(e.Name) == "THEIRS" }) {
		t.Error("their environment variable is gone")
	}
	w.sweeps(3)
	w.changed(2, 2)
	w.check(len(w.get(release).Status.History) == 1, "the correction made an entry of history: %+v", w.get(release).Status.History)
}

func TestAForeignRevisionWithOurImageIsAdopted(t *testing.T) {
	w, release, digest := released(t)
	theirs := w.register(home, cluster, "backend", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].Environment = append(in.ContainerDefinitions[0].Environment, ecstypes.KeyValuePair{Name: aws.String("THEIRS"), Value: aws.String("kept")})
	})
	w.update(home, &ecs.UpdateServiceInput{TaskDefinition: &theirs})
	r := w.await(release, "adoption of "+short(theirs), func(r *ecsv1alpha1.EcsRelease) error {
		s := service(r, "mumbai/backend")
		if s.Registered != short(theirs) || s.Source != ecsv1alpha1.SourceAdopted {
			return lacks(s.Registered+" "+string(s.Source), []string{short(theirs), "Adopted"})
		}
		return isReady(r)
	})
	w.sweeps(3)
	w.changed(1, 1)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	w.check(r.Status.History[0].Outcome == ecsv1alpha1.OutcomeReleased, "the outcome became %s", r.Status.History[0].Outcome)
}

func TestAForeignRedeploymentOfOurRevisionIsNothing(t *testing.T) {
	w, release, _ := released(t)
	before := w.get(release)
	w.update(home, &ecs.UpdateServiceInput{ForceNewDeployment: true})
	primary := aws.ToString(w.describe(home, cluster, "backend").Deployments[0].Id)
	w.eventually("the redeployment", func() error {
		if is := aws.ToString(w.describe(home, cluster, "backend").Deployments[0].Id); is == primary && primary == service(before, "mumbai/backend").Deployment.Primary {
			return lacks(is, []string{"another deployment"})
		}
		return nil
	})
	w.steady(home, cluster, "backend")
	w.sweeps(3)
	w.changed(1, 1)
	w.check(isReady(w.get(release)) == nil, "Ready is %+v", condition(w.get(release), "Ready"))
}

func TestScalingIsNoneOfOurBusiness(t *testing.T) {
	w, release, _ := released(t, (*world).alone)
	w.settles(release)
	before := w.get(release)
	passes := w.manager.passes.of(release)
	w.update(home, &ecs.UpdateServiceInput{DesiredCount: aws.Int32(5)})
	w.eventually("five tasks", func() error {
		if s := w.describe(home, cluster, "backend"); s.RunningCount != 5 {
			return fmt.Errorf("%d run", s.RunningCount)
		}
		return nil
	})
	w.sweeps(3)
	w.changed(1, 1)
	if now := w.get(release); now.ResourceVersion != before.ResourceVersion {
		t.Errorf("scaling made the controller write status: resourceVersion %s, was %s", now.ResourceVersion, before.ResourceVersion)
	}
	if made := w.manager.passes.of(release) - passes; made != 0 {
		t.Errorf("scaling caused %d passes", made)
	}
}

func TestThatNoTaskRunsIsSaid(t *testing.T) {
	w, release, digest := released(t)
	w.update(home, &ecs.UpdateServiceInput{DesiredCount: aws.Int32(0)})
	w.says(release, ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonScaledToZero)
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: "*" + digest})
	w.update(home, &ecs.UpdateServiceInput{DesiredCount: aws.Int32(2)})
	w.eventually("that none of the tasks run", func() error {
		r := w.get(release)
		if s := service(r, "mumbai/backend"); s.State != ecsv1alpha1.ServiceInSync || s.Reason != ecsv1alpha1.ReasonNoTasks {
			return fmt.Errorf("it is %s (%s)", s.State, s.Reason)
		}
		return lacks(condition(r, ecsv1alpha1.ConditionReady).Message, []string{"no task runs", "mumbai/backend"})
	})
}

func TestAServiceScaledToZeroIsReadyAndProvesNothing(t *testing.T) {
	w, release, _ := released(t)
	w.update(home, &ecs.UpdateServiceInput{DesiredCount: aws.Int32(0)})
	r := w.says(release, ecsv1alpha1.ConditionReady, ecsv1alpha1.ReasonScaledToZero, "scaled to zero", "mumbai/backend")
	w.check(isReady(r) == nil, "Ready is %+v", condition(r, "Ready"))

	digest := w.push("v3")
	w.bump(release, "helium-backend:v3")
	r = w.ready(release)
	w.changed(2, 2)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	s := service(r, "mumbai/backend")
	w.check(s.Proven != nil && s.Proven.Revision == "helium-backend:2", "proven is %+v, wanted helium-backend:2 still", s.Proven)
}

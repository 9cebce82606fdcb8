package simulation

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"k8s.io/apimachinery/pkg/api/meta"
	apitypes "k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// readyIsTrue: Ready at a generation only when in every target a deployment with the image, not
// older than our last update of the service, has succeeded, or what the service went back to by
// itself had.
func (w *world) readyIsTrue(key apitypes.NamespacedName, old, now *ecsv1alpha1.EcsRelease) {
	if !meta.IsStatusConditionTrue(now.Status.Conditions, ecsv1alpha1.ConditionReady) {
		return
	}
	if old != nil && old.UID == now.UID && meta.IsStatusConditionTrue(old.Status.Conditions, ecsv1alpha1.ConditionReady) &&
		old.Status.ObservedGeneration == now.Status.ObservedGeneration {
		return // it said so before
	}
	if now.Status.ObservedGeneration != now.Generation {
		return // it speaks of another spec, which is the past
	}
	const promise = "Ready is true"
	s := w.subject(key)
	if s == nil {
		return
	}
	w.ledger.audit()
	tag := tagOf(now.Spec.Image)
	if hold := now.Status.Hold; hold != nil && len(hold.Images) > 0 {
		tag = tagOf(hold.Images[0].Image)
	}
	for _, t := range now.Status.Targets {
		for _, service := range t.Services {
			at := placeKey(t.AccountID, t.Region, t.Cluster, service.Name)
			since := w.ledger.lastOurs(at)
			if !w.ran(t.AccountID, t.Region, t.Cluster, service.Name, tag, since) {
				w.story.violate(promise, "%s is Ready at generation %d, but %s/%s has no successful deployment of %s since our last update at %s",
					key, now.Generation, t.Name, service.Name, tag, sinceBegan(w, since))
			}
		}
	}
}

func sinceBegan(w *world, t time.Time) string {
	if t.IsZero() {
		return "no time"
	}
	return t.Sub(w.began).String()
}

// ran says whether a deployment of an image on a service succeeded, one that was asked for at a
// time or later, or whether a later one was rolled back to it.
func (w *world) ran(account, region, cluster, service, tag string, since time.Time) bool {
	carries := func(revision string) bool {
		r := w.ledger.known(account, region, revision)
		return r != nil && slices.Contains(w.images.namesOf(r.images["app"]), tag)
	}
	const clocks = 2 * time.Second
	deployments := w.serviceDeployments(account, region, cluster, service)
	if len(deployments) > 0 && deployments[0].created.Before(since.Add(-clocks)) {
		// Whoever updated found that revision in place, so that nothing was started: what was counts.
		since = deployments[0].created
	}
	for _, d := range deployments {
		if d.created.Before(since.Add(-clocks)) {
			continue
		}
		switch d.outcome {
		case types.ServiceDeploymentStatusSuccessful:
			if carries(d.revision) {
				return true
			}
		case types.ServiceDeploymentStatusRollbackSuccessful:
			if carries(d.back) {
				return true
			}
		default:
		}
	}
	// What a service began with may have no service deployment that is still listed.
	described, err := w.ecs(account, region).DescribeServices(context.Background(), &ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{service}})
	if err != nil || len(described.Services) == 0 {
		return false
	}
	for _, d := range described.Services[0].Deployments {
		if d.RolloutState == types.DeploymentRolloutStateCompleted && !aws.ToTime(d.UpdatedAt).Before(since) && carries(lastElement(aws.ToString(d.TaskDefinition))) {
			return true
		}
	}
	return false
}

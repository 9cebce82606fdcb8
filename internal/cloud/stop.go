package cloud

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go/middleware"

	"heliumai.space/ecsrelease/internal/rollout"
)

// Stop stops a service deployment, by its id, and has ECS go back to what was there before,
// whether or not the service is set up to roll back by itself. It is sent once; of one that is
// on its way back already, ECS changes nothing; one that has ended is refused.
//
// The error is a *rollout.Problem when nothing was changed, and wraps [ErrLost] when it may
// have been.
func (f *Fleet) Stop(ctx context.Context, k Key, serviceDeploymentID string) error {
	doing := fmt.Sprintf("stopping deployment %s of service %s", serviceDeploymentID, k.Location())
	s, began := f.session(k.Identity, k.Region), time.Now()
	f.spend(k.Identity.AccountID, k.Region, stepID{action: rollout.ActionStop, key: k})
	_, request, err := write(ctx, f, s, stopServiceDeployment, doing,
		func(ctx context.Context, gate func(*middleware.Stack) error) (*ecs.StopServiceDeploymentOutput, error) {
			return s.ecs.StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{
				ServiceDeploymentArn: aws.String(s.deploymentARN(k, serviceDeploymentID)),
				StopType:             types.StopServiceDeploymentStopTypeRollback,
			}, sentOnce, ecs.WithAPIOptions(gate))
		})
	f.end(k.Identity.AccountID, k.Region, stepID{action: rollout.ActionStop, key: k}, err)
	f.deployments.drop(deploymentKey{key: k, id: serviceDeploymentID})
	f.logger(ctx).Info("StopServiceDeployment", outcome(err, began, request,
		"account", k.Identity.AccountID, "region", k.Region, "cluster", k.Cluster, "service", k.Service,
		"serviceDeployment", serviceDeploymentID)...)
	return err
}

// Continue lets a service deployment that a hook paused go on, or has it roll back. It is sent
// once; a hook that does not wait any more is refused.
//
// The error is like that of [Fleet.Stop].
func (f *Fleet) Continue(ctx context.Context, k Key, serviceDeploymentID, hookID string, rollBack bool) error {
	action, doing := types.DeploymentLifecycleHookActionContinue, "continuing"
	if rollBack {
		action, doing = types.DeploymentLifecycleHookActionRollback, "rolling back"
	}
	doing = fmt.Sprintf("%s deployment %s of service %s at hook %s", doing, serviceDeploymentID, k.Location(), hookID)
	s, began := f.session(k.Identity, k.Region), time.Now()
	f.spend(k.Identity.AccountID, k.Region, stepID{action: rollout.ActionContinue, key: k})
	_, request, err := write(ctx, f, s, continueServiceDeployment, doing,
		func(ctx context.Context, gate func(*middleware.Stack) error) (*ecs.ContinueServiceDeploymentOutput, error) {
			return s.ecs.ContinueServiceDeployment(ctx, &ecs.ContinueServiceDeploymentInput{
				ServiceDeploymentArn: aws.String(s.deploymentARN(k, serviceDeploymentID)),
				HookId:               aws.String(hookID),
				Action:               action,
			}, sentOnce, ecs.WithAPIOptions(gate))
		})
	f.end(k.Identity.AccountID, k.Region, stepID{action: rollout.ActionContinue, key: k}, err)
	f.deployments.drop(deploymentKey{key: k, id: serviceDeploymentID})
	f.logger(ctx).Info("ContinueServiceDeployment", outcome(err, began, request,
		"account", k.Identity.AccountID, "region", k.Region, "cluster", k.Cluster, "service", k.Service,
		"serviceDeployment", serviceDeploymentID, "hook", hookID, "action", string(action))...)
	return err
}

// deploymentARN is the ARN of a service deployment. Like every ARN it is built once the session
// is verified.
func (s *session) deploymentARN(k Key, id string) string {
	return s.arn("service-deployment/" + k.Cluster + "/" + k.Service + "/" + id)
}

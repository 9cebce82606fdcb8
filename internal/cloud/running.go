package cloud

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"heliumai.space/ecsrelease/internal/rollout"
)

// RunningImage is what a container runs.
type RunningImage struct {
	// Image is the image as ECS tells it: the text of the task definition, or with the digest
	// that ECS resolved appended.
	Image string
	// Digest is what it was resolved to: of the index or of the manifest for the platform,
	// which differs by the runtime. "" when it is not known.
	Digest string
}

// RunningImages is what the containers of the PRIMARY deployment in v run: as the service
// revision records it, or else as its running tasks show it (the first hundred of them). A
// container whose tasks differ has no digest. nil when neither tells.
func (f *Fleet) RunningImages(ctx context.Context, k Key, v *rollout.View) (map[string]RunningImage, *rollout.Problem) {
	primary := v.Primary()
	if primary == nil {
		return nil, nil
	}
	revisions, problem := f.serviceRevisions(ctx, k, v.ServiceRevisions, serviceRevision.resolved)
	if problem != nil {
		return nil, problem
	}
	if r, ok := revisionOfPrimary(primary, revisions); ok && r.resolved() {
		return r.images, nil
	}
	return f.taskImages(ctx, k, primary)
}

// revisionOfPrimary is the service revision that the PRIMARY deployment brings: the one with
// the number of the deployment's id; else the only one of its task definition.
func revisionOfPrimary(primary *rollout.Deployment, revisions map[string]serviceRevision) (serviceRevision, bool) {
	number := lastElement(primary.ID)
	var same []serviceRevision
	for arn, r := range revisions {
		if r.taskDefinition != primary.Revision {
			continue
		}
		if lastElement(arn) == number {
			return r, true
		}
		same = append(same, r)
	}
	if len(same) != 1 {
		return serviceRevision{}, false
	}
	return same[0], true
}

// taskImages is what the running tasks of a deployment run.
func (f *Fleet) taskImages(ctx context.Context, k Key, primary *rollout.Deployment) (map[string]RunningImage, *rollout.Problem) {
	tasks, problem := f.tasks(ctx, k, types.DesiredStatusRunning, 1)
	if problem != nil {
		return nil, problem
	}
	var images map[string]RunningImage
	for i := range tasks {
		task := &tasks[i]
		if !strings.EqualFold(aws.ToString(task.LastStatus), "RUNNING") || !isOf(task, primary) {
			continue
		}
		for _, c := range task.Containers {
			if aws.ToString(c.Image) == "" {
				continue // injected by ECS or GuardDuty, not of the task definition
			}
			if images == nil {
				images = map[string]RunningImage{}
			}
			name, seen := text(c.Name), RunningImage{Image: text(c.Image), Digest: text(c.ImageDigest)}
			if before, ok := images[name]; ok && before.Digest != seen.Digest {
				seen = RunningImage{Image: before.Image}
			}
			images[name] = seen
		}
	}
	return images, nil
}

// isOf says whether the deployment started the task, or one with its task definition was
// started by nobody who says so.
func isOf(task *types.Task, primary *rollout.Deployment) bool {
	if by := aws.ToString(task.StartedBy); strings.HasPrefix(by, "ecs-svc/") {
		return by == primary.ID
	}
	return revisionOf(aws.ToString(task.TaskDefinitionArn)) == primary.Revision
}

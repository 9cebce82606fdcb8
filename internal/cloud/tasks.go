package cloud

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// tasksPerPage is how many tasks ECS lists, and describes, in one call.
const tasksPerPage = 100

// tasks are the service's tasks that are to run, or that stopped within the last hour or so. Of
// more than pages hundreds of them, they are those that ECS lists first.
func (f *Fleet) tasks(ctx context.Context, k Key, status types.DesiredStatus, pages int) ([]types.Task, *rollout.Problem) {
	s := f.session(k.Identity, k.Region)
	var tasks []types.Task
	var token *string
	for range pages {
		doing := fmt.Sprintf("listing tasks of service %s", k.Location())
		listed, problem := read(ctx, f, s, listTasks, doing, func(ctx context.Context) (*ecs.ListTasksOutput, error) {
			return s.ecs.ListTasks(ctx, &ecs.ListTasksInput{
				Cluster:       aws.String(k.Cluster),
				ServiceName:   aws.String(k.Service),
				DesiredStatus: status,
				MaxResults:    aws.Int32(tasksPerPage),
				NextToken:     token,
			})
		})
		if problem != nil {
			return nil, problem
		}
		if len(listed.TaskArns) > 0 {
			doing = fmt.Sprintf("describing tasks of service %s", k.Location())
			described, problem := read(ctx, f, s, describeTasks, doing, func(ctx context.Context) (*ecs.DescribeTasksOutput, error) {
				return s.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(k.Cluster), Tasks: listed.TaskArns})
			})
			if problem != nil {
				return nil, problem
			}
			tasks = append(tasks, described.Tasks...)
		}
		if token = listed.NextToken; token == nil {
			break
		}
	}
	return tasks, nil
}

// describeService describes one service with all that ECS says of it.
func (f *Fleet) describeService(ctx context.Context, k Key) (*types.Service, *rollout.Problem) {
	s := f.session(k.Identity, k.Region)
	doing := fmt.Sprintf("describing service %s", k.Location())
	out, problem := read(ctx, f, s, describeServices, doing, func(ctx context.Context) (*ecs.DescribeServicesOutput, error) {
		return s.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(k.Cluster), Services: []string{k.Service}})
	})
	if problem != nil {
		return nil, problem
	}
	if len(out.Services) == 0 {
		return nil, because(rollout.ProblemMissing, ecsv1alpha1.ReasonServiceNotFound,
			"there is no ECS service %s in cluster %s in %s", k.Service, k.Cluster, k.Region)
	}
	return &out.Services[0], nil
}

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"heliumai.space/ecsrelease/internal/lab"
)

// place is a service of AWS.
type place struct{ region, cluster, service string }

func (p place) String() string { return p.cluster + "/" + p.service }

// environmentOf is the environment that a cluster of the samples belongs to.
func environmentOf(cluster string) string {
	if strings.Contains(cluster, staging) {
		return staging
	}
	return production
}

// revisions are the task definitions that services run, as ECS says it.
func (w *world) revisions(ctx context.Context) (map[place]string, error) {
	found := map[place]string{}
	for _, cluster := range w.account.Clusters {
		client := ecs.NewFromConfig(w.account.AWS.Root(lab.AccountID, cluster.Region))
		out, err := client.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster.Name, Services: lab.Services()})
		if err != nil {
			return nil, fmt.Errorf("describing the services of %s: %w", cluster.Name, err)
		}
		for i := range out.Services {
			arn := aws.ToString(out.Services[i].TaskDefinition)
			found[place{cluster.Region, cluster.Name, aws.ToString(out.Services[i].ServiceName)}] = arn[strings.LastIndexByte(arn, '/')+1:]
		}
	}
	return found, nil
}

// running prints what the services run and fails unless each runs the tag that its environment
// should, and nothing else. ECS goes on for a moment after it has reported a success, so what is
// not so yet is looked at again.
func (w *world) running(ctx context.Context, want map[string]string) error {
	const patience = 5 * time.Second
	for deadline := time.Now().Add(patience); ; {
		rows, wrong, err := w.look(ctx, want)
		if err != nil {
			return err
		}
		if wrong == "" || time.Now().After(deadline) {
			table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "CLUSTER\tSERVICE\tTASK DEFINITION\tTASKS")
			fmt.Fprint(table, strings.Join(rows, ""))
			if err := table.Flush(); err != nil {
				return fmt.Errorf("printing what runs: %w", err)
			}
			if wrong != "" {
				return fmt.Errorf("AWS does not run what it should: %s", wrong)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("looking at what runs: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// look is a row for each service with what it runs, and which runs something else than wanted.
func (w *world) look(ctx context.Context, want map[string]string) (rows []string, wrong string, err error) {
	revisions, err := w.revisions(ctx)
	if err != nil {
		return nil, "", err
	}
	for _, cluster := range w.account.Clusters {
		for _, service := range lab.Services() {
			at := place{cluster.Region, cluster.Name, service}
			tasks, err := w.tasks(ctx, at)
			if err != nil {
				return nil, "", err
			}
			images := counted(tasks)
			rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\n", cluster.Name, service, revisions[at],
				strings.ReplaceAll(images, lab.Repository+":", "")))
			if expected := fmt.Sprintf("%d of %s:%s", lab.Desired, lab.Repository, want[environmentOf(cluster.Name)]); images != expected {
				wrong = fmt.Sprintf("%s has %s, want %s", at, images, expected)
			}
		}
	}
	return rows, wrong, nil
}

// tasks are the images of the tasks that a service runs, by tag.
func (w *world) tasks(ctx context.Context, at place) (map[string]int, error) {
	client := ecs.NewFromConfig(w.account.AWS.Root(lab.AccountID, at.region))
	listed, err := client.ListTasks(ctx, &ecs.ListTasksInput{
		Cluster: &at.cluster, ServiceName: &at.service, DesiredStatus: ecstypes.DesiredStatusRunning,
	})
	if err != nil {
		return nil, fmt.Errorf("listing the tasks of %s: %w", at, err)
	}
	if len(listed.TaskArns) == 0 {
		return nil, nil
	}
	described, err := client.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &at.cluster, Tasks: listed.TaskArns})
	if err != nil {
		return nil, fmt.Errorf("describing the tasks of %s: %w", at, err)
	}
	images := map[string]int{}
	for i := range described.Tasks {
		for j := range described.Tasks[i].Containers {
			images[w.spelled(aws.ToString(described.Tasks[i].Containers[j].Image))]++
		}
	}
	return images, nil
}

// spelled is an image as people know it: its repository, and the tag that the digest was pushed
// with.
func (w *world) spelled(image string) string {
	image = image[strings.LastIndexByte(image, '/')+1:]
	if repository, digest, ok := strings.Cut(image, "@"); ok && w.digests[digest] != "" {
		repository, _, _ = strings.Cut(repository, ":")
		return repository + ":" + w.digests[digest]
	}
	return image
}

// counted are images with how many tasks run each.
func counted(images map[string]int) string {
	parts := []string{}
	for _, image := range slices.Sorted(maps.Keys(images)) {
		parts = append(parts, fmt.Sprintf("%d of %s", images[image], image))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

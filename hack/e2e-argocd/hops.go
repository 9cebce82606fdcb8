package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// call is an entry of AWS's journal, as far as it is read here.
type call struct {
	Sequence  uint64
	Time      time.Time
	Operation string
	Status    int
	Request   struct{ Cluster, Service string }
}

// calls are the calls to ECS that the controller's roles made after one.
func (w *world) calls(ctx context.Context, after uint64) ([]call, error) {
	var calls []call
	err := w.account.AWS.Journal(ctx, after, &calls)
	return calls, err
}

// lastCall is the number of the last of them; 0: there was none.
func (w *world) lastCall(ctx context.Context) (uint64, error) {
	calls, err := w.calls(ctx, 0)
	if err != nil || len(calls) == 0 {
		return 0, err
	}
	return calls[len(calls)-1].Sequence, nil
}

// clusters are those of an environment.
func (w *world) clusters(environment string) []lab.Cluster {
	return slices.DeleteFunc(slices.Clone(w.account.Clusters), func(c lab.Cluster) bool {
		return strings.Contains(c.Name, staging) != (environment == staging)
	})
}

// updates are the updates of an environment's services after a call, the first one first.
func (w *world) updates(ctx context.Context, environment string, after uint64) ([]call, error) {
	calls, err := w.calls(ctx, after)
	if err != nil {
		return nil, err
	}
	clusters := w.clusters(environment)
	return slices.DeleteFunc(calls, func(c call) bool {
		return c.Operation != "UpdateService" || c.Status != http.StatusOK ||
			!slices.ContainsFunc(clusters, func(known lab.Cluster) bool { return known.Name == c.Request.Cluster })
	}), nil
}

// stable is when the last deployment of the environment's services succeeded. It is an error when
// one has not, or runs another image than the tag's. ECS may show for a moment what was before, so
// what is not so is looked at again.
func (w *world) stable(ctx context.Context, environment, tag string) (last time.Time, err error) {
	for deadline := time.Now().Add(lag); ; {
		last, err = w.lookStable(ctx, environment, tag)
		if err == nil || time.Now().After(deadline) {
			return last, err
		}
		select {
		case <-ctx.Done():
			return last, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// lag is for how long ECS may show what was before.
const lag = 5 * time.Second

func (w *world) lookStable(ctx context.Context, environment, tag string) (last time.Time, err error) {
	for _, cluster := range w.clusters(environment) {
		client := ecs.NewFromConfig(w.account.AWS.Root(lab.AccountID, cluster.Region))
		for _, service := range lab.Services() {
			finished, err := w.succeeded(ctx, client, cluster, service, tag)
			if err != nil {
				return time.Time{}, fmt.Errorf("%s/%s: %w", cluster.Name, service, err)
			}
			if finished.After(last) {
				last = finished
			}
		}
	}
	return last, nil
}

// succeeded is when the newest deployment of a service succeeded.
func (w *world) succeeded(ctx context.Context, client *ecs.Client, cluster lab.Cluster, service, tag string) (time.Time, error) {
	listed, err := client.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{Cluster: &cluster.Name, Service: &service})
	if err != nil {
		return time.Time{}, fmt.Errorf("listing deployments: %w", err)
	}
	if len(listed.ServiceDeployments) == 0 {
		return time.Time{}, errors.New("it has no deployment")
	}
	newest := slices.MaxFunc(listed.ServiceDeployments, func(a, b ecstypes.ServiceDeploymentBrief) int {
		return aws.ToTime(a.CreatedAt).Compare(aws.ToTime(b.CreatedAt))
	})
	if newest.Status != ecstypes.ServiceDeploymentStatusSuccessful || newest.FinishedAt == nil {
		return time.Time{}, fmt.Errorf("its newest deployment is %s", newest.Status)
	}
	revisions, err := client.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{aws.ToString(newest.TargetServiceRevisionArn)}})
	if err != nil {
		return time.Time{}, fmt.Errorf("describing its revision: %w", err)
	}
	for _, revision := range revisions.ServiceRevisions {
		for _, container := range revision.ContainerImages {
			if image := aws.ToString(container.Image); !w.is(image, tag) {
				return time.Time{}, fmt.Errorf("its newest deployment brought %s, want %s", image, tag)
			}
		}
	}
	return *newest.FinishedAt, nil
}

// is says that an image, as a task definition spells it, is that of a tag.
func (w *world) is(image, tag string) bool {
	if _, digest, ok := strings.Cut(image, "@"); ok {
		return w.tags[digest] == tag
	}
	return strings.HasSuffix(image, ":"+tag)
}

// follow follows a release in an environment until Argo CD shows it as Healthy, prints how long
// each hop took, and checks that Argo CD said nothing else on the way, and nothing too early.
func (w *world) follow(ctx context.Context, r *release, environment string) error {
	app := application(environment)
	synced, err := w.await(ctx, app, r.commit, "Synced", func(s sight) bool { return s.sync == "Synced" }, nil)
	if err != nil {
		return err
	}
	healthy, err := w.await(ctx, app, r.commit, "Healthy", isHealthy, func(s sight) error {
		if s.sync == "Synced" && s.health != "Progressing" && s.health != "Healthy" {
			return fmt.Errorf("it is %s: %s", s.health, s.message)
		}
		return nil
	})
	if err != nil {
		return err
	}
	stable, err := w.stable(ctx, environment, r.tag)
	if err != nil {
		return fmt.Errorf("%s is Healthy, but ECS is not stable: %w", app, err)
	}
	if healthy.at.Before(stable) {
		return fmt.Errorf("%s was Healthy at %s, and ECS was stable at %s only", app, healthy.at, stable)
	}
	updates, err := w.updates(ctx, environment, r.after)
	if err != nil {
		return err
	}
	if want := len(w.clusters(environment)) * len(lab.Services()); len(updates) != want {
		return fmt.Errorf("%d services of %s were updated, want %d", len(updates), environment, want)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "AFTER THE PUSH\tTOOK\t  %s of %s in %s\n", r.tag, r.branch, environment)
	before := r.pushed
	for _, hop := range []struct {
		at   time.Time
		what string
	}{
		{r.built, "image in ECR"},
		{r.bumped, "commit " + r.commit[:12] + " in the manifest repository"},
		{synced.at, "synced by Argo CD"},
		{updates[0].Time, "first UpdateService"},
		{updates[len(updates)-1].Time, fmt.Sprintf("last of %d UpdateService", len(updates))},
		{stable, "stable in ECS"},
		{healthy.at, "Healthy in Argo CD"},
	} {
		fmt.Fprintf(table, "%.1f s\t%.1f s\t  %s\n", hop.at.Sub(r.pushed).Seconds(), hop.at.Sub(before).Seconds(), hop.what)
		before = hop.at
	}
	return table.Flush()
}

func isHealthy(s sight) bool { return s.sync == "Synced" && s.health == "Healthy" }

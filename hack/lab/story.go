package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/api/meta"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/lab"
)

// namespaces are those of config/samples.
var namespaces = []string{"staging", "production"}

// tell tells the story: both environments run v1, v2 is pushed, both go to v2, and AWS's journal
// shows that nothing was done twice.
func tell(ctx context.Context, w *world) error {
	if err := follow(ctx, w, "helium-backend:v1"); err != nil {
		return err
	}
	say("CI pushes helium-backend:v2 to ECR in Mumbai, which replicates it, and bumps both releases to it")
	if _, err := w.account.Push(ctx, "v2"); err != nil {
		return err
	}
	for _, namespace := range namespaces {
		if err := w.Kubectl(ctx, "-n", namespace, "patch", "ecsrelease", "helium-backend", "--type=merge", "-p", `{"spec":{"image":"helium-backend:v2"}}`); err != nil {
			return err
		}
	}
	if err := follow(ctx, w, "helium-backend:v2"); err != nil {
		return err
	}
	say("what the controller's roles asked of AWS")
	if err := audit(ctx, w); err != nil {
		return err
	}
	say("kubectl get ecsreleases -A")
	return w.show(ctx, "get", "ecsreleases", "-A")
}

// settled says whether every release runs the image, and is an error when one never will.
func settled(releases []ecsv1alpha1.EcsRelease, image string) (bool, error) {
	done := len(releases) == len(namespaces)
	for _, release := range releases {
		ready := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionReady)
		if stalled := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionStalled); stalled != nil && stalled.ObservedGeneration == release.Generation {
			return false, fmt.Errorf("release %s/%s is stalled: %s: %s", release.Namespace, release.Name, stalled.Reason, stalled.Message)
		}
		done = done && ready != nil && ready.Status == "True" && ready.ObservedGeneration == release.Generation && release.Status.Image == image
	}
	return done, nil
}

// audit prints the calls of the controller's roles and checks that none was made twice.
func audit(ctx context.Context, w *world) error {
	var summary struct {
		Calls []struct {
			Principal, Service, Operation string
			Calls, Succeeded              int
		}
	}
	if err := w.account.AWS.Admin(ctx, "GET", "journal/summary", nil, &summary); err != nil {
		return err
	}
	type operation struct{ principal, name string }
	counts := map[operation]int{}
	for _, call := range summary.Calls {
		if strings.HasPrefix(call.Principal, "ecsrelease-") {
			counts[operation{call.Principal, call.Service + ":" + call.Operation}] += call.Calls
		}
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "PRINCIPAL\tOPERATION\tCALLS")
	for _, key := range slices.SortedFunc(maps.Keys(counts), func(a, b operation) int {
		return strings.Compare(a.principal+a.name, b.principal+b.name)
	}) {
		fmt.Fprintf(table, "%s\t%s\t%d\n", key.principal, key.name, counts[key])
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the journal: %w", err)
	}
	return w.auditMutations(ctx)
}

// auditMutations fails unless each content was registered once in its account, region and
// family, and each service was updated once.
func (w *world) auditMutations(ctx context.Context) error {
	var entries []struct {
		Principal, Account, Region, Operation string
		Request                               struct {
			Family, Cluster, Service string
			Tags                     []struct{ Key, Value string }
		}
	}
	if err := w.account.AWS.Admin(ctx, "GET", "journal?service=ecs&principal=*assumed-role/ecsrelease-*", nil, &entries); err != nil {
		return err
	}
	registered, updated := map[string]int{}, map[string]int{}
	for _, entry := range entries {
		switch entry.Operation {
		case "RegisterTaskDefinition":
			content := "untagged"
			for _, tag := range entry.Request.Tags {
				if tag.Key == "ecs.heliumai.space/hash" {
					content = tag.Value
				}
			}
			registered[strings.Join([]string{entry.Account, entry.Region, entry.Request.Family, content}, "/")]++
		case "UpdateService":
			updated[strings.Join([]string{entry.Account, entry.Region, entry.Request.Cluster, entry.Request.Service}, "/")]++
		}
	}
	fmt.Printf("\n%d contents registered, %d services updated", len(registered), len(updated))
	for _, counts := range []map[string]int{registered, updated} {
		if len(counts) != len(lab.Services())*len(w.account.Clusters) {
			return fmt.Errorf("want %d of each, one per service", len(lab.Services())*len(w.account.Clusters))
		}
		for what, count := range counts {
			if count != 1 {
				return fmt.Errorf("%s: %d calls, want 1", what, count)
			}
		}
	}
	fmt.Println(", each exactly once")
	return nil
}

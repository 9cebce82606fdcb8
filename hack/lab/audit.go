package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"heliumai.space/ecsrelease/internal/lab"
)

// entry is a call in AWS's journal.
type entry struct {
	Sequence                              uint64
	Principal, Account, Region, Operation string
	Status                                int
	Request                               struct {
		Family, Cluster, Service, TaskDefinition string
		ServiceDeploymentARN                     string `json:"serviceDeploymentArn"`
		Tags                                     []struct{ Key, Value string }
		ContainerDefinitions                     []struct{ Image string }
	}
}

// changes are what the controller's roles changed in AWS during an act: how often each thing
// that can be changed was.
type changes struct {
	// registered are contents: account, region, family and hash.
	registered map[string]int
	// images are those that the registered contents name.
	images map[string]int
	// updated and returned are services that were updated to something new, and to what they ran
	// before; stopped are those whose deployment was stopped and rolled back. A stop that came too
	// late, since the deployment succeeded all the same, changed nothing.
	updated, returned, stopped map[place]int
	// early says that production was updated to it before all of staging was.
	early bool
}

// back is how often, and how, services were brought back to what they ran before.
func (c changes) back() string {
	var ways []string
	if n := total(c.returned); n > 0 {
		ways = append(ways, fmt.Sprintf("%d by update", n))
	}
	if n := total(c.stopped); n > 0 {
		ways = append(ways, fmt.Sprintf("%d by stopping", n))
	}
	if len(ways) == 0 {
		return "none"
	}
	return strings.Join(ways, ", ")
}

// lastCall is the number of the last call in AWS's journal.
func (w *world) lastCall(ctx context.Context) (uint64, error) {
	entries, err := w.journal(ctx, 0)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	return entries[len(entries)-1].Sequence, nil
}

// journal are the calls to ECS that the controller's roles made after one.
func (w *world) journal(ctx context.Context, after uint64) ([]entry, error) {
	var entries []entry
	err := w.account.AWS.Journal(ctx, after, &entries)
	return entries, err
}

// audit prints what was changed in each act, and fails unless that is what the act is about: each
// content was registered once, each service updated once, and what was brought back was brought
// back to what it ran before, with nothing registered for it.
func (w *world) audit(ctx context.Context, acts []*act) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "ACT\tREGISTERED\tUPDATED\tBROUGHT BACK\tREGISTERED FOR THAT")
	var problems []error
	for i, a := range acts {
		entries, err := w.journal(ctx, a.after)
		if err != nil {
			return err
		}
		if i+1 < len(acts) {
			entries = slices.DeleteFunc(entries, func(e entry) bool { return e.Sequence > acts[i+1].after })
		}
		// What was refused changed nothing.
		entries = slices.DeleteFunc(entries, func(e entry) bool { return e.Status >= http.StatusBadRequest })
		tooLate, err := w.succeeded(ctx, entries)
		if err != nil {
			return err
		}
		made, problem := w.changes(a, entries, tooLate)
		problems = append(problems, problem, w.judge(a, made))
		others := 0
		for image, count := range made.images {
			if image != a.tag {
				others += count
			}
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\n", a.tag, each(made.registered), each(made.updated), made.back(), others)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the journal: %w", err)
	}
	return errors.Join(problems...)
}

// succeeded are the service deployments that entries asked ECS to stop, and that succeeded: a rolling
// deployment may, until its rollback begins.
func (w *world) succeeded(ctx context.Context, entries []entry) (map[string]bool, error) {
	found := map[string]bool{}
	for _, e := range entries {
		arn := e.Request.ServiceDeploymentARN
		if e.Operation != "StopServiceDeployment" {
			continue
		}
		client := ecs.NewFromConfig(w.account.AWS.Root(e.Account, e.Region))
		out, err := client.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{arn}})
		if err != nil {
			return nil, fmt.Errorf("looking what became of %s: %w", arn, err)
		}
		for i := range out.ServiceDeployments {
			found[arn] = out.ServiceDeployments[i].Status == types.ServiceDeploymentStatusSuccessful
		}
	}
	return found, nil
}

// changes are what entries, all of which were carried out, changed during an act. A stop of a service
// deployment in tooLate changed nothing.
func (w *world) changes(a *act, entries []entry, tooLate map[string]bool) (changes, error) {
	made := changes{map[string]int{}, map[string]int{}, map[place]int{}, map[place]int{}, map[place]int{}, false}
	inProduction := false
	for _, e := range entries {
		at := place{e.Region, e.Request.Cluster, e.Request.Service}
		switch e.Operation {
		case "RegisterTaskDefinition":
			content := "untagged"
			for _, tag := range e.Request.Tags {
				if tag.Key == "ecs.heliumai.space/hash" {
					content = tag.Value
				}
			}
			made.registered[strings.Join([]string{e.Account, e.Region, e.Request.Family, content}, "/")]++
			for _, container := range e.Request.ContainerDefinitions {
				_, tag, _ := strings.Cut(w.spelled(container.Image), ":")
				made.images[tag]++
			}
		case "UpdateService":
			revision := e.Request.TaskDefinition[strings.LastIndexByte(e.Request.TaskDefinition, '/')+1:]
			if revision == a.before[at] {
				made.returned[at]++
				continue
			}
			made.updated[at]++
			here := environmentOf(at.cluster)
			made.early = made.early || here == staging && inProduction
			inProduction = inProduction || here == production
		case "StopServiceDeployment":
			_, resource, _ := strings.Cut(e.Request.ServiceDeploymentARN, "service-deployment/")
			parts := strings.Split(resource, "/")
			if len(parts) != 3 {
				return made, fmt.Errorf("act %s: StopServiceDeployment of %q", a.tag, e.Request.ServiceDeploymentARN)
			}
			if !tooLate[e.Request.ServiceDeploymentARN] {
				made.stopped[place{e.Region, parts[0], parts[1]}]++
			}
		case "ContinueServiceDeployment":
			return made, fmt.Errorf("act %s: ContinueServiceDeployment, and nothing was paused", a.tag)
		}
	}
	return made, nil
}

// judge says what about the changes of an act is not as it should be.
func (w *world) judge(a *act, made changes) error {
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("act %s: "+format, append([]any{a.tag}, args...)...))
	}
	if made.early {
		wrong("production was updated before staging was")
	}
	want := 0
	for _, cluster := range w.account.Clusters {
		if a.goes(cluster) {
			want += len(lab.Services())
		}
		for _, service := range lab.Services() {
			at := place{cluster.Region, cluster.Name, service}
			if updates := made.updated[at]; updates > 0 && !a.goes(cluster) {
				wrong("%s was updated, and its wave should never have opened", at)
			}
			if times := made.returned[at] + made.stopped[at]; times > 1 || times > 0 && !slices.Contains(a.back, cluster.Name) {
				wrong("%s was brought back %d times", at, times)
			}
		}
	}
	if len(made.registered) != want || !once(made.registered) {
		wrong("contents registered: %v, want %d, each once", made.registered, want)
	}
	if len(made.updated) != want || !once(made.updated) {
		wrong("services updated: %v, want %d, each once", made.updated, want)
	}
	if len(a.back) > 0 && total(made.returned)+total(made.stopped) == 0 {
		wrong("nothing was brought back by the controller")
	}
	for image := range made.images {
		if image != a.tag {
			wrong("a content with %s was registered, want %s only", image, a.tag)
		}
	}
	return errors.Join(problems...)
}

// once says that each was counted once.
func once[K comparable](counts map[K]int) bool {
	for _, count := range counts {
		if count != 1 {
			return false
		}
	}
	return true
}

func total[K comparable](counts map[K]int) (sum int) {
	for _, count := range counts {
		sum += count
	}
	return sum
}

// each is how many were counted, and whether each was once.
func each[K comparable](counts map[K]int) string {
	if once(counts) {
		return fmt.Sprintf("%d, each once", len(counts))
	}
	return fmt.Sprintf("%d, %d times", len(counts), total(counts))
}

// summary prints how often the controller's roles made each call.
func (w *world) summary(ctx context.Context) error {
	var summary struct {
		Calls []struct {
			Principal, Service, Operation string
			Calls                         int
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
		return cmp.Or(strings.Compare(a.principal, b.principal), strings.Compare(a.name, b.name))
	}) {
		fmt.Fprintf(table, "%s\t%s\t%d\n", key.principal, key.name, counts[key])
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the journal: %w", err)
	}
	return nil
}

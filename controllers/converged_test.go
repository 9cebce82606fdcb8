package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
)

func TestAHundredConvergedServicesCostTenCallsASweepAndNothingElse(t *testing.T) {
	w := newWorld(t)
	w.alone()
	digest := w.push("v1")
	w.serve(desired("backend-000"))
	like := w.describe(home, cluster, "backend-000")
	var releases []key
	for r := range 4 {
		var names []string
		for n := range 25 {
			name := fmt.Sprintf("backend-%03d", 25*r+n)
			names = append(names, name)
			if name == "backend-000" {
				continue
			}
			_, err := w.ecs(home).CreateService(t.Context(), &ecs.CreateServiceInput{
				Cluster: aws.String(cluster), ServiceName: &name, TaskDefinition: like.TaskDefinition, DesiredCount: aws.Int32(1),
				LaunchType: like.LaunchType, NetworkConfiguration: like.NetworkConfiguration,
			})
			w.must(err)
		}
		releases = append(releases, w.apply("helium-backend@"+digest, running(names...), named(fmt.Sprintf("release-%d", r))))
	}
	versions := map[key]string{}
	for _, release := range releases {
		w.ready(release)
	}
	// The looks of the services in flight come to an end one by one.
	w.eventually("a quiet sweep", func() error {
		before := w.now()
		w.sweeps(10)
		if other := others(w.callsSince(before, "")); len(other) > 0 {
			return fmt.Errorf("there still are %v", other)
		}
		return nil
	})

	from := w.now()
	passes, writes := map[key]int{}, map[key]int{}
	for _, release := range releases {
		versions[release] = w.get(release).ResourceVersion
		passes[release], writes[release] = w.manager.passes.of(release), w.manager.writes.of(release)
	}
	w.sweeps(40)
	for _, release := range releases {
		w.check(w.get(release).ResourceVersion == versions[release], "%s was written to", release)
		w.check(w.manager.writes.of(release) == writes[release], "%s: %d status writes", release, w.manager.writes.of(release)-writes[release])
		w.check(w.manager.passes.of(release) == passes[release], "%s: %d reconciles", release, w.manager.passes.of(release)-passes[release])
	}
	calls := w.callsSince(from, "")
	if other := others(calls); len(other) > 0 {
		t.Errorf("besides DescribeServices the controller called %v", other)
	}
	// Every call asks for ten, and in four sweeps each service is in four calls, more or less
	// the one in which the counting began or ended.
	asked := map[string]int{}
	for _, call := range calls[:40] {
		names := namesIn(call)
		w.check(len(names) == 10, "a call asks for %d services: %s", len(names), call.Request)
		for _, name := range names {
			asked[name]++
		}
	}
	for name, times := range asked {
		w.check(times >= 3 && times <= 5, "%s was looked at %d times in 40 calls, wanted 4", name, times)
	}
	w.check(len(asked) == 100, "%d services were looked at", len(asked))
}

// others are the operations of the calls that are not DescribeServices.
func others(calls []awssim.JournalEntry) []string {
	var other []string
	for _, call := range calls {
		if call.Operation != "DescribeServices" {
			other = append(other, call.Operation)
		}
	}
	return other
}

// namesIn are the services that a DescribeServices call asks for.
func namesIn(call awssim.JournalEntry) []string {
	_, list, _ := strings.Cut(string(call.Request), `"services":[`)
	list, _, _ = strings.Cut(list, "]")
	names := strings.Split(list, ",")
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// settles waits until two sweeps, and the time that they are to take, go by without a pass over the
// release: what the last change had put into the queue, for as much as a sweep later, is done by
// then. Looks alone tell nothing of that, since services in flight are looked at more often.
func (w *world) settles(release key) {
	w.t.Helper()
	w.eventually("two sweeps without a pass", func() error {
		before, since := w.manager.passes.of(release), time.Now()
		for time.Since(since) < 2*sweepInterval {
			w.sweeps(2)
		}
		if made := w.manager.passes.of(release) - before; made > 0 {
			return fmt.Errorf("there were %d", made)
		}
		return nil
	})
}

func TestAStatusThatSomebodyElseWroteIsPutRight(t *testing.T) {
	w, release, _ := released(t, (*world).alone)
	w.settles(release)
	before := w.get(release)
	forged := before.DeepCopy()
	forged.Status.Targets[0].Services[0].Message = "what was seen before"
	w.must(w.client.Status().Patch(t.Context(), forged, client.MergeFrom(before)))
	w.eventually("the status to be put right", func() error {
		if now, was := service(w.get(release), "mumbai/backend").Message, service(before, "mumbai/backend").Message; now != was {
			return fmt.Errorf("the service says %q", now)
		}
		return nil
	})
	w.changed(1, 1)
}

func TestAConvergedReleaseIsNotReconciledAgain(t *testing.T) {
	w, release, _ := released(t, (*world).alone)
	w.settles(release)
	before, passes := w.get(release), w.manager.passes.of(release)
	from := w.now()
	w.sweeps(4)
	w.check(w.get(release).ResourceVersion == before.ResourceVersion, "status was written")
	w.check(w.manager.passes.of(release) == passes, "there were %d passes", w.manager.passes.of(release)-passes)
	if other := others(w.callsSince(from, "")); len(other) > 0 {
		t.Errorf("besides DescribeServices the controller called %v", other)
	}
}

func TestAReconcileTokenIsActedOnOnce(t *testing.T) {
	w, release, _ := released(t, (*world).alone)
	r := w.poke(release, "token-1")
	w.check(isReady(r) == nil, "Ready is %+v", condition(r, ecsv1alpha1.ConditionReady))
	w.settles(release)
	before, passes := w.get(release).ResourceVersion, w.manager.passes.of(release)
	w.sweeps(3)
	w.check(w.get(release).ResourceVersion == before && w.manager.passes.of(release) == passes, "the token was acted on again")
	w.changed(1, 1)
}

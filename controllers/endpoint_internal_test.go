package controllers

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
)

// looker looks for a while at what it was asked for, and counts its looks.
type looker struct {
	mu    sync.Mutex
	looks int
}

func (l *looker) look(ctx context.Context) (bool, string) {
	l.mu.Lock()
	l.looks++
	n := l.looks
	l.mu.Unlock()
	select {
	case <-time.After(4 * time.Second):
		return true, fmt.Sprintf("look %d", n)
	case <-ctx.Done():
		return false, "cut short"
	}
}

func TestAnEndpointIsCheckedOnceForAllWhoAsk(t *testing.T) {
	const first, second = "true look 1", "true look 2"
	for name, c := range map[string]struct {
		// What is asked two seconds after the first, for a look since then or for any.
		after, since time.Duration
		cut          time.Duration // when whoever asked first loses interest; 0: never
		want         []string
		looks        int
	}{
		"while a look is made":                       {after: 2 * time.Second, want: []string{first, first}, looks: 1},
		"soon after one":                             {after: 13 * time.Second, want: []string{first, first}, looks: 1},
		"long after one":                             {after: 15 * time.Second, want: []string{first, second}, looks: 2},
		"for a later look than the one that is made": {after: 2 * time.Second, since: 2 * time.Second, want: []string{first, second}, looks: 2},
		"for a later look than the last":             {after: 5 * time.Second, since: 5 * time.Second, want: []string{first, second}, looks: 2},
		"for one in the future, which is made now":   {after: 5 * time.Second, since: time.Hour, want: []string{first, second}, looks: 2},
		"while one is cut short":                     {after: 2 * time.Second, cut: 3 * time.Second, want: []string{"false context canceled", second}, looks: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var checks endpointChecks
				var l looker
				began := time.Now()
				got := make([]string, 2)
				ask := func(ctx context.Context, i int, notBefore time.Time) {
					ok, message := checks.ask(ctx, endpointCheck{region: "ap-south-1"}, notBefore, l.look)
					got[i] = fmt.Sprint(ok, " ", message)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var all sync.WaitGroup
				all.Go(func() { ask(ctx, 0, began) })
				if c.cut > 0 {
					time.AfterFunc(c.cut, cancel)
				}
				time.Sleep(c.after)
				all.Go(func() { ask(t.Context(), 1, began.Add(c.since)) })
				all.Wait()
				if fmt.Sprint(got) != fmt.Sprint(c.want) || l.looks != c.looks {
					t.Errorf("the answers are %q after %d looks, wanted %q after %d", got, l.looks, c.want, c.looks)
				}
				// Of another region nothing is known.
				if ok, _ := checks.ask(t.Context(), endpointCheck{region: "us-east-1"}, began, l.look); !ok || l.looks != c.looks+1 {
					t.Errorf("another region was looked at %d times, wanted once", l.looks-c.looks)
				}
			})
		})
	}
}

func TestAWayInThatBrokeIsLookedAtMoreOftenForAnHour(t *testing.T) {
	now := time.Now()
	ready := func(is metav1.ConditionStatus, ago time.Duration) []metav1.Condition {
		return []metav1.Condition{{Type: ecsv1alpha1.ConditionReady, Status: is, LastTransitionTime: metav1.NewTime(now.Add(-ago))}}
	}
	wired := new(metav1.NewTime(now.Add(-24 * time.Hour)))
	for name, c := range map[string]struct {
		status ecsv1alpha1.EcsEndpointStatus
		want   bool
	}{
		"just now":             {ecsv1alpha1.EcsEndpointStatus{Wired: wired, Conditions: ready(metav1.ConditionFalse, time.Minute)}, true},
		"and cannot be seen":   {ecsv1alpha1.EcsEndpointStatus{Wired: wired, Conditions: ready(metav1.ConditionUnknown, time.Minute)}, true},
		"two hours ago":        {ecsv1alpha1.EcsEndpointStatus{Wired: wired, Conditions: ready(metav1.ConditionFalse, 2*time.Hour)}, false},
		"and is whole again":   {ecsv1alpha1.EcsEndpointStatus{Wired: wired, Conditions: ready(metav1.ConditionTrue, time.Minute)}, false},
		"that was never whole": {ecsv1alpha1.EcsEndpointStatus{Conditions: ready(metav1.ConditionFalse, time.Minute)}, false},
		"that says nothing":    {ecsv1alpha1.EcsEndpointStatus{Wired: wired}, false},
	} {
		if got := hasBroken(&c.status, now); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

func TestACheckIsOfTheServicesOfTheTarget(t *testing.T) {
	endpoint := &ecsv1alpha1.EcsEndpoint{}
	endpoint.Spec.Regions = []ecsv1alpha1.EndpointRegion{{Region: "ap-south-1", Services: []ecsv1alpha1.EndpointService{
		{Cluster: "helium", Name: "backend"}, {Cluster: "helium", Name: "web"},
	}}}
	of := func(cluster, name string, idle bool) served {
		return served{key: cloud.Key{Region: "ap-south-1", Cluster: cluster, Service: name}, idle: idle}
	}
	for name, c := range map[string]struct {
		region       string
		services     []served
		ok, needless bool
		why          string
	}{
		"one of them":           {"ap-south-1", []served{of("helium", "worker", false), of("helium", "web", false)}, true, false, ""},
		"one of two is idle":    {"ap-south-1", []served{of("helium", "backend", true), of("helium", "web", false)}, true, false, ""},
		"the one of it is idle": {"ap-south-1", []served{of("helium", "worker", false), of("helium", "web", true)}, true, true, "scaled to zero: there is nothing to lead to"},
		"none":                  {"ap-south-1", []served{of("helium", "worker", false)}, false, false, "cannot be made: in ap-south-1 it is about none of the target's services (helium/worker)"},
		"of another cluster":    {"ap-south-1", []served{of("other", "web", false)}, false, false, "cannot be made: in ap-south-1 it is about none of the target's services (other/web)"},
		"another region":        {"us-east-1", []served{of("helium", "web", false)}, false, false, "cannot be made: its spec.regions does not name us-east-1, where the target is"},
	} {
		if ok, needless, why := isAbout(endpoint, c.region, c.services); ok != c.ok || needless != c.needless || why != c.why {
			t.Errorf("%s: %t, %t, %q, wanted %q", name, ok, needless, why, c.why)
		}
	}
}

package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/joint"
	"heliumai.space/ecsrelease/internal/wayin"
)

// checkAge is for how long the answer to a check of an endpoint serves again: it takes some twenty calls.
const checkAge = 10 * time.Second

// endpointCheck is an endpoint as a check of a release asks for it.
type endpointCheck struct {
	endpoint types.NamespacedName
	region   string
}

func (c endpointCheck) String() string { return c.endpoint.String() + " in " + c.region }

// checked is what came of it: of a look that began and ended then.
type checked struct {
	at, end time.Time
	ok      bool
	message string
}

// Check says whether an endpoint is well in a region, of which it must have one of the services, and what
// is in its way if not. It looks itself, and does not go by what status says, which may be of before the
// release: at what is there since notBefore. Those who ask the same at the same time share one look.
func (r *EndpointReconciler) Check(ctx context.Context, endpoint types.NamespacedName, region string, services []served, notBefore time.Time) (ok bool, message string) {
	var found ecsv1alpha1.EcsEndpoint
	switch err := r.Client.Get(ctx, endpoint, &found); {
	case apierrors.IsNotFound(err):
		message = "cannot be made: there is no such EcsEndpoint in namespace " + endpoint.Namespace
	case err != nil:
		message = err.Error()
	default:
		var needless bool
		if ok, needless, message = isAbout(&found, region, services); ok && !needless {
			ok, message = r.checks.ask(ctx, endpointCheck{endpoint, region}, notBefore, func(ctx context.Context) (bool, string) {
				return r.check(ctx, &found, region)
			})
		}
	}
	return ok, fmt.Sprintf("EcsEndpoint %s: %s", endpoint.Name, message)
}

// isAbout says whether an endpoint is about one of the services of a region, and why not; and whether
// there is nothing to look at, since those that it is about run no tasks.
func isAbout(endpoint *ecsv1alpha1.EcsEndpoint, region string, services []served) (ok, needless bool, why string) {
	i := slices.IndexFunc(endpoint.Spec.Regions, func(wanted ecsv1alpha1.EndpointRegion) bool { return wanted.Region == region })
	if i < 0 {
		return false, false, fmt.Sprintf("cannot be made: its spec.regions does not name %s, where the target is", region)
	}
	var names []string
	needless = true
	for _, s := range services {
		names = append(names, s.key.Cluster+"/"+s.key.Service)
		if slices.Contains(endpoint.Spec.Regions[i].Services, ecsv1alpha1.EndpointService{Cluster: s.key.Cluster, Name: s.key.Service}) {
			ok, needless = true, needless && s.idle
		}
	}
	switch {
	case !ok:
		return false, false, fmt.Sprintf("cannot be made: in %s it is about none of the target's services (%s)", region, strings.Join(names, ", "))
	case needless:
		return true, true, "scaled to zero: there is nothing to lead to"
	}
	return true, false, ""
}

// endpointChecks are the checks that are being made, and what came of those that are not old yet. The
// zero value has none.
type endpointChecks struct {
	looks joint.Looks[checked]

	mu    sync.Mutex
	known map[endpointCheck]checked
}

// ask is what comes of look, if it begins at notBefore or later. Those who ask the same at the same
// time, or soon after one another, share a look.
func (c *endpointChecks) ask(ctx context.Context, what endpointCheck, notBefore time.Time, look func(context.Context) (bool, string)) (ok bool, message string) {
	if last, known := c.recent(what); known && !last.at.Before(notBefore) {
		return last.ok, last.message
	}
	got, err := c.looks.Look(ctx, what.String(), notBefore, func(ctx context.Context) checked { return c.make(ctx, what, look) })
	if err != nil {
		return false, err.Error()
	}
	return got.ok, got.message
}

// make makes a check, and remembers what came of it.
func (c *endpointChecks) make(ctx context.Context, what endpointCheck, look func(context.Context) (bool, string)) checked {
	got := checked{at: time.Now()}
	got.ok, got.message = look(ctx)
	got.end = time.Now()
	if ctx.Err() != nil {
		return got // it was cut short
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[endpointCheck]checked{}
	}
	c.known[what] = got
	return got
}

// recent is what came of a check that is not old yet.
func (c *endpointChecks) recent(what endpointCheck) (last checked, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(c.known, func(_ endpointCheck, old checked) bool { return now.Sub(old.end) >= checkAge })
	last, known = c.known[what]
	return last, known
}

func (r *EndpointReconciler) check(ctx context.Context, endpoint *ecsv1alpha1.EcsEndpoint, region string) (ok bool, message string) {
	around, problem, err := surroundingsOf(ctx, r.Client, endpoint.Namespace)
	if err != nil {
		return false, err.Error()
	}
	var way cloud.Way
	if problem == nil {
		way, problem = wayOf(around.own, endpoint)
	}
	if problem != nil {
		return false, problem.Message
	}
	if endpoint.Spec.AcceleratorARN != "" {
		way.Regional = map[string]cloud.Identity{region: way.Regional[region]} // else the record leads to those of the others too
	}
	return wayin.Well(wayin.Judge(&endpoint.Spec, r.see(ctx, way), time.Now()), region)
}

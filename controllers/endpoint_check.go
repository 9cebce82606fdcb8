package controllers

import (
	"context"
	"fmt"
	"maps"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/wayin"
)

// checkAge is for how long the answer to a check of an endpoint serves again: it takes some twenty calls.
const checkAge = 10 * time.Second

// endpointCheck is an endpoint as a check of a release asks for it.
type endpointCheck struct {
	endpoint types.NamespacedName
	region   string
}

// checked is what came of it: of a look that began and ended then.
type checked struct {
	at, end time.Time
	ok      bool
	message string
}

// Check says whether an endpoint is well in a region, and what is in its way if not. It looks itself,
// and does not go by what status says, which may be of before the release: at what is there since
// notBefore.
func (r *EndpointReconciler) Check(ctx context.Context, endpoint types.NamespacedName, region string, notBefore time.Time) (ok bool, message string) {
	asked := endpointCheck{endpoint, region}
	now := time.Now()
	r.mu.Lock()
	maps.DeleteFunc(r.checks, func(_ endpointCheck, c checked) bool { return now.Sub(c.end) >= checkAge })
	last, known := r.checks[asked]
	r.mu.Unlock()
	if known && !last.at.Before(notBefore) {
		return last.ok, last.message
	}
	ok, message = r.check(ctx, endpoint, region)
	message = fmt.Sprintf("EcsEndpoint %s: %s", endpoint.Name, message)
	if ctx.Err() != nil {
		return false, message
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.checks == nil {
		r.checks = map[endpointCheck]checked{}
	}
	r.checks[asked] = checked{now, time.Now(), ok, message}
	return ok, message
}

func (r *EndpointReconciler) check(ctx context.Context, name types.NamespacedName, region string) (ok bool, message string) {
	var endpoint ecsv1alpha1.EcsEndpoint
	if err := r.Client.Get(ctx, name, &endpoint); err != nil {
		if apierrors.IsNotFound(err) {
			return false, "cannot be made: there is no such EcsEndpoint in namespace " + name.Namespace
		}
		return false, err.Error()
	}
	around, problem, err := surroundingsOf(ctx, r.Client, name.Namespace)
	if err != nil {
		return false, err.Error()
	}
	var way cloud.Way
	if problem == nil {
		way, problem = wayOf(around.own, &endpoint)
	}
	if problem != nil {
		return false, problem.Message
	}
	identity, there := way.Regional[region]
	if !there {
		return false, fmt.Sprintf("cannot be made: its spec.regions does not name %s, where the target is", region)
	}
	if endpoint.Spec.AcceleratorARN != "" {
		way.Regional = map[string]cloud.Identity{region: identity} // else the record leads to those of the others too
	}
	return wayin.Well(wayin.Judge(&endpoint.Spec, r.see(ctx, way), time.Now()), region)
}

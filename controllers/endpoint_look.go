package controllers

import (
	"cmp"
	"context"
	"net"
	"strconv"
	"sync"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/probe"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/wayin"
)

// wayOf is as whom an endpoint is looked at: each region as whom the environment lets its services be
// released, and what is not in a region as the environment itself.
func wayOf(environment *ecsv1alpha1.EcsEnvironment, endpoint *ecsv1alpha1.EcsEndpoint) (cloud.Way, *rollout.Problem) {
	way := cloud.Way{Spec: &endpoint.Spec, Global: identityOf(environment, environment.Spec.AWS), Regional: map[string]cloud.Identity{}}
	for _, region := range endpoint.Spec.Regions {
		for i, s := range region.Services {
			identity, problem := identityFor(environment, ecsv1alpha1.Target{Name: region.Region, Region: region.Region, Cluster: s.Cluster}, s.Name)
			switch {
			case problem != nil:
				return way, problem
			case i > 0 && identity != way.Regional[region.Region]:
				return way, refused(ecsv1alpha1.ReasonIdentityConflict,
					"region %s: the destinations of EcsEnvironment %q that cover its services name different identities", region.Region, environment.Name)
			}
			way.Regional[region.Region] = identity
		}
	}
	return way, nil
}

// see looks at a way in from end to end, and asks for answers last.
func (r *EndpointReconciler) see(ctx context.Context, way cloud.Way) *wayin.Seen {
	seen := r.Fleet.WayIn(ctx, way)
	wanted := way.Spec.Probe
	if wanted == nil {
		return seen
	}
	request := probe.Request{URL: "https://" + way.Spec.Hostname + cmp.Or(wanted.Path, ecsv1alpha1.DefaultProbePath)}
	request.ExpectStatus = int(valueOr(wanted.ExpectStatus, ecsv1alpha1.DefaultExpectStatus))
	if wanted.Via == ecsv1alpha1.ViaPublic {
		seen.Answer = r.ask(ctx, request)
		return seen
	}
	var asking sync.WaitGroup
	for _, region := range seen.Regions {
		balancer := region.Balancer.Answer
		if balancer == nil || balancer.DNSName == "" || !region.Leads(way.Spec.Hostname) {
			continue // nobody is asked who has nothing to do with the services
		}
		asking.Go(func() {
			request := request
			request.Address = net.JoinHostPort(balancer.DNSName, strconv.Itoa(int(region.Port)))
			region.Answer = r.ask(ctx, request)
		})
	}
	asking.Wait()
	return seen
}

func (r *EndpointReconciler) ask(ctx context.Context, request probe.Request) *wayin.Answer {
	result := cmp.Or(r.Prober, &probe.Prober{}).Check(ctx, request)
	answer := &wayin.Answer{OK: result.OK, Unasked: result.Unasked, Absent: result.Absent, Refused: result.Refused, Message: result.Seen}
	if result.Status == 0 && !result.Unasked {
		answer.Message = "no answer: " + result.Seen
	}
	return answer
}

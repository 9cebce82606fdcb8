package cloud

import (
	"context"
	"strings"
	"sync"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/wayin"
)

// pages is how many pages of a list a look at a way in reads at most.
const pages = 10

// Way is a way in, and as whom it is looked at.
type Way struct {
	Spec *ecsv1alpha1.EcsEndpointSpec
	// Global is the identity that asks Route 53 and Global Accelerator.
	Global Identity
	// Regional is the identity that asks about each region, by its name. Regions that it does not
	// name are not looked at.
	Regional map[string]Identity
}

// WayIn looks at a way in from end to end, but for its answers: what is there, and why nothing is
// known of the rest. Regions are looked at side by side. It waits for the tokens that it needs, so it
// may take minutes where many are looked at.
func (f *Fleet) WayIn(ctx context.Context, w Way) *wayin.Seen {
	ctx = patiently(ctx)
	seen := &wayin.Seen{Regions: map[string]*wayin.Region{}}
	var looks sync.WaitGroup
	looks.Go(func() { f.lookAtRecords(ctx, w, seen) })
	if w.Spec.AcceleratorARN != "" {
		f.lookAtAccelerator(ctx, w, seen) // it says which port of the load balancers is looked at
	}
	for i := range w.Spec.Regions {
		wanted := &w.Spec.Regions[i]
		if id, ok := w.Regional[wanted.Region]; ok {
			region := &wayin.Region{Port: seen.PortIn(wanted.Region)}
			seen.Regions[wanted.Region] = region
			looks.Go(func() { f.lookAtRegion(ctx, id, wanted, region) })
		}
	}
	looks.Wait()
	return seen
}

func (f *Fleet) lookAtRegion(ctx context.Context, id Identity, wanted *ecsv1alpha1.EndpointRegion, seen *wayin.Region) {
	f.lookAtBalancer(ctx, id, wanted, seen)
	for _, s := range wanted.Services {
		seen.Services = append(seen.Services, f.lookAtService(ctx, Key{Identity: id, Region: wanted.Region, Cluster: s.Cluster, Service: s.Name}))
	}
}

// absent says that a problem is that something is not there, which is an answer.
func absent(problem *rollout.Problem) bool {
	return problem != nil && problem.Class == rollout.ProblemMissing
}

// globalRegion is the region whose API is that of the services that a partition has once: of Route 53.
func globalRegion(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "cn-northwest-1"
	case strings.HasPrefix(region, "us-gov-"):
		return "us-gov-west-1"
	}
	return "us-east-1"
}

// acceleratorRegion is where the API of Global Accelerator is, and nowhere else.
const acceleratorRegion = "us-west-2"

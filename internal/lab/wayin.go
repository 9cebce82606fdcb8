package lab

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// Zone is the domain of config/samples.
const Zone = "heliumai.space"

// Front is a cluster with a load balancer before one of its services.
type Front struct {
	Cluster Cluster
	seed.Site
}

// Balance puts a service of each cluster behind a load balancer of its own, and waits until all are
// steady again.
func (a *Account) Balance(ctx context.Context, service string, clusters ...Cluster) ([]Front, error) {
	var fronts []Front
	for _, cluster := range clusters {
		root := a.root(cluster.Region)
		balancers := elb.NewFromConfig(root)
		name := strings.TrimSuffix(cluster.Name, "-cluster")
		made, err := seed.Balancer{Name: name}.Create(ctx, balancers)
		if err != nil {
			return nil, err
		}
		if err := made.Behind(ctx, ecs.NewFromConfig(root), cluster.Name, service); err != nil {
			return nil, err
		}
		fronts = append(fronts, Front{cluster, seed.Site{Balanced: made, Balancers: balancers, Certificates: acm.NewFromConfig(root)}})
	}
	for _, cluster := range clusters {
		if err := a.settle(ctx, cluster, []string{service}); err != nil {
			return nil, err
		}
	}
	return fronts, nil
}

// Wire has a name of Zone lead to load balancers, through an accelerator where that has a name.
func (a *Account) Wire(ctx context.Context, host, accelerator string, fronts []Front) (*seed.WayIn, error) {
	var sites []seed.Site
	for _, front := range fronts {
		sites = append(sites, front.Site)
	}
	way, err := seed.Domain{Zone: Zone, Host: host, Accelerator: accelerator}.Create(ctx,
		route53.NewFromConfig(a.root("us-east-1")), globalaccelerator.NewFromConfig(a.root("us-west-2")), sites...)
	if err != nil {
		return nil, fmt.Errorf("wiring the way in: %w", err)
	}
	return way, nil
}

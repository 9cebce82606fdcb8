package seed

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Behind puts a service that runs already behind the balancer, with the container that is called like
// it. ECS begins a new deployment for that, of the same task definition.
func (b *Balanced) Behind(ctx context.Context, client *ecs.Client, cluster, service string) error {
	_, err := client.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: &cluster, Service: &service, LoadBalancers: []types.LoadBalancer{b.loadBalancer(service)},
	})
	if err != nil {
		return fmt.Errorf("putting service %s of cluster %s behind a load balancer: %w", service, cluster, err)
	}
	return nil
}

package cloud

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"heliumai.space/ecsrelease/internal/rollout"
)

// seatsOf is where a task sits in a target group: at its own addresses, which no other task has,
// or at the EC2 instance that it runs on and the ports there that lead to its ports.
func seatsOf(task *types.Task, hosts map[string]string, ports []balancedPort) []target {
	seats := addressesOf(task)
	if len(seats) > 0 {
		return seats
	}
	host := hosts[aws.ToString(task.ContainerInstanceArn)]
	if host == "" {
		return nil
	}
	for _, c := range task.Containers {
		for _, b := range c.NetworkBindings {
			leads := len(ports) == 0 || slices.ContainsFunc(ports, func(p balancedPort) bool {
				return p.container == aws.ToString(c.Name) && p.port == aws.ToInt32(b.ContainerPort)
			})
			seat := target{id: host, port: aws.ToInt32(b.HostPort)}
			if leads && seat.port != 0 && !slices.Contains(seats, seat) {
				seats = append(seats, seat)
			}
		}
	}
	return seats
}

// addressesOf are the addresses that a task has for itself.
func addressesOf(task *types.Task) []target {
	var seats []target
	add := func(s *string) {
		if s == nil || *s == "" {
			return
		}
		if seat := (target{id: address(*s)}); !slices.Contains(seats, seat) {
			seats = append(seats, seat)
		}
	}
	for _, a := range task.Attachments {
		for _, detail := range a.Details {
			if name := aws.ToString(detail.Name); name == "privateIPv4Address" || name == "ipv6Address" {
				add(detail.Value)
			}
		}
	}
	for _, c := range task.Containers {
		for _, n := range c.NetworkInterfaces {
			add(n.PrivateIpv4Address)
			add(n.Ipv6Address)
		}
	}
	return seats
}

// address spells an IP address the one way that there is; anything else is left as it is.
func address(s string) string {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.String()
	}
	return strings.Clone(s)
}

// hostKey is a container instance as somebody may read it.
type hostKey struct {
	identity Identity
	arn      string
}

// hosts are the EC2 instances behind the container instances of those tasks that have no address
// of their own. They never change.
func (f *Fleet) hosts(ctx context.Context, k Key, tasks []types.Task) (map[string]string, *rollout.Problem) {
	known := map[string]string{}
	var unknown []string
	for i := range tasks {
		arn := text(tasks[i].ContainerInstanceArn)
		if arn == "" || len(addressesOf(&tasks[i])) > 0 || slices.Contains(unknown, arn) {
			continue
		}
		if host, ok := f.instances.get(hostKey{identity: k.Identity, arn: arn}); ok {
			known[arn] = host
		} else {
			unknown = append(unknown, arn)
		}
	}
	s := f.session(k.Identity, k.Region)
	doing := fmt.Sprintf("describing container instances of cluster %s in %s", k.Cluster, k.Region)
	for chunk := range slices.Chunk(unknown, tasksPerPage) {
		out, problem := read(ctx, f, s, describeContainerInstances, doing, func(ctx context.Context) (*ecs.DescribeContainerInstancesOutput, error) {
			return s.ecs.DescribeContainerInstances(ctx, &ecs.DescribeContainerInstancesInput{Cluster: aws.String(k.Cluster), ContainerInstances: chunk})
		})
		if problem != nil {
			return nil, problem
		}
		for _, instance := range out.ContainerInstances {
			arn, host := text(instance.ContainerInstanceArn), text(instance.Ec2InstanceId)
			f.instances.put(hostKey{identity: k.Identity, arn: arn}, host, 1)
			known[arn] = host
		}
	}
	return known, nil
}

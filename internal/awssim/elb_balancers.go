package awssim

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// provisioning is how long a load balancer is not active after its creation. Its listeners
// answer at once all the same.
const provisioning = 30 * time.Second

type createLoadBalancerInput struct {
	Name           string
	Subnets        []string
	SubnetMappings []struct {
		SubnetID string `json:"SubnetId"`
	}
	SecurityGroups []string
	Scheme         string
	Tags           []elbTag
	Type           string
	IPAddressType  string `json:"IpAddressType"`
}

type balancersOutput struct {
	LoadBalancers []balancerView
	NextMarker    string `json:",omitempty"`
}

type balancerView struct {
	LoadBalancerArn       string
	DNSName               string
	CanonicalHostedZoneID string `json:"CanonicalHostedZoneId"`
	CreatedTime           *moment
	LoadBalancerName      string
	Scheme                string
	VpcID                 string `json:"VpcId"`
	State                 struct{ Code string }
	Type                  string
	AvailabilityZones     []zoneView
	SecurityGroups        []string
	IPAddressType         string `json:"IpAddressType"`
}

type zoneView struct {
	ZoneName string
	SubnetID string `json:"SubnetId"`
}

// createLoadBalancer creates an application load balancer, or returns the one of that name
// if it is the same, as AWS does.
func createLoadBalancer(c *call, in *createLoadBalancerInput) (any, error) {
	tags, err := c.readTags(in.Tags)
	if err == nil {
		err = c.authorizeCreation(c.arn("elasticloadbalancing", balancerKind.path+in.Name+"/*"), tags)
	}
	if err != nil {
		return nil, err
	}
	for _, mapping := range in.SubnetMappings {
		in.Subnets = append(in.Subnets, mapping.SubnetID)
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	st := c.region.elb
	b := &loadBalancer{
		state: st, name: in.Name, scheme: cmp.Or(in.Scheme, "internet-facing"), addressType: cmp.Or(in.IPAddressType, "ipv4"),
		vpc: "vpc-0a1b2c3d4e5f60718", subnets: in.Subnets, securityGroups: in.SecurityGroups, tags: tags,
	}
	for _, other := range st.balancers {
		if other.name != b.name {
			continue
		}
		if other.scheme != b.scheme || !slices.Equal(other.subnets, b.subnets) || !maps.Equal(other.tags, b.tags) {
			return nil, newError(http.StatusBadRequest, "DuplicateLoadBalancerName",
				"A load balancer with the same name '%s' exists, but with different settings", in.Name)
		}
		return balancersOutput{LoadBalancers: []balancerView{c.viewBalancer(other)}}, nil
	}
	b.arn = c.arn("elasticloadbalancing", balancerKind.path+in.Name+"/"+c.elbID())
	b.created = c.sim.now()
	b.active = b.created.Add(c.sim.scale(provisioning))
	b.dnsName = c.sim.elb.nameOf(c, b)
	st.balancers[b.arn] = b
	c.sim.elb.byName[b.dnsName] = b
	return balancersOutput{LoadBalancers: []balancerView{c.viewBalancer(b)}}, nil
}

func (in *createLoadBalancerInput) check() error {
	if err := checkELBName("Load balancer", in.Name); err != nil {
		return err
	}
	if strings.HasPrefix(in.Name, "internal-") {
		return elbValidationError("Load balancer name '%s' cannot begin with 'internal-'", in.Name)
	}
	if in.Type != "" && in.Type != "application" {
		if err := among("type", in.Type, "application", "network", "gateway"); err != nil {
			return err
		}
		return unimplemented("load balancers of type '" + in.Type + "'")
	}
	switch distinct := slices.Compact(slices.Sorted(slices.Values(in.Subnets))); {
	case len(in.Subnets) == 0:
		return elbValidationError("At least one subnet must be specified")
	case len(distinct) < len(in.Subnets):
		return newError(http.StatusBadRequest, "InvalidConfigurationRequest", "A load balancer cannot be attached to the same subnet twice")
	case len(distinct) < 2:
		return elbValidationError("At least two subnets in two different Availability Zones must be specified")
	}
	for _, subnet := range in.Subnets {
		if !strings.HasPrefix(subnet, "subnet-") {
			return newError(http.StatusBadRequest, "SubnetNotFound", "The subnet ID '%s' does not exist", subnet)
		}
	}
	return firstError(
		among("scheme", in.Scheme, "internet-facing", "internal"),
		among("ipAddressType", in.IPAddressType, "ipv4", "dualstack", "dualstack-without-public-ipv4"))
}

func (c *call) viewBalancer(b *loadBalancer) balancerView {
	v := balancerView{
		LoadBalancerArn: b.arn, DNSName: b.dnsName, CanonicalHostedZoneID: elbZone(c.region.name), CreatedTime: momentOf(b.created),
		LoadBalancerName: b.name, Scheme: b.scheme, VpcID: b.vpc, Type: "application", SecurityGroups: b.securityGroups, IPAddressType: b.addressType,
	}
	v.State.Code = "active"
	if c.sim.now().Before(b.active) {
		v.State.Code = "provisioning"
	}
	for i, subnet := range b.subnets {
		v.AvailabilityZones = append(v.AvailabilityZones, zoneView{ZoneName: fmt.Sprintf("%s%c", c.region.name, 'a'+i%3), SubnetID: subnet})
	}
	return v
}

type describeLoadBalancersInput struct {
	elbPage
	LoadBalancerArns []string
	Names            []string
}

func describeLoadBalancers(c *call, in *describeLoadBalancersInput) (any, error) {
	if err := c.authorizeELB(); err != nil {
		return nil, err
	}
	if len(in.LoadBalancerArns) > 0 && len(in.Names) > 0 {
		return nil, elbValidationError("Load balancer names and load balancer ARNs cannot be specified at the same time")
	}
	for _, arn := range in.LoadBalancerArns {
		if err := c.checkELBARN(balancerKind, arn); err != nil {
			return nil, err
		}
	}
	all := slices.SortedFunc(maps.Values(c.region.elb.balancers), func(a, b *loadBalancer) int { return strings.Compare(a.name, b.name) })
	chosen, err := choose(all, in.LoadBalancerArns, in.Names, balancerKind,
		func(b *loadBalancer) string { return b.arn }, func(b *loadBalancer) string { return b.name })
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(in.elbPage, chosen, func(b *loadBalancer) string { return b.arn })
	if err != nil {
		return nil, err
	}
	out := balancersOutput{NextMarker: next}
	for _, b := range page {
		out.LoadBalancers = append(out.LoadBalancers, c.viewBalancer(b))
	}
	return out, nil
}

// choose keeps the named resources, all of which must be there; without names it keeps all.
func choose[T any](all []T, arns, names []string, kind elbKind, arnOf, nameOf func(T) string) ([]T, error) {
	if len(arns) == 0 && len(names) == 0 {
		return all, nil
	}
	var chosen []T
	for _, item := range all {
		if slices.Contains(arns, arnOf(item)) || slices.Contains(names, nameOf(item)) {
			chosen = append(chosen, item)
		}
	}
	for _, wanted := range slices.Concat(arns, names) {
		if !slices.ContainsFunc(chosen, func(item T) bool { return arnOf(item) == wanted || nameOf(item) == wanted }) {
			return nil, kind.missing(wanted)
		}
	}
	return chosen, nil
}

type deleteLoadBalancerInput struct{ LoadBalancerArn string }

// deleteLoadBalancer deletes it with its listeners. One that is not there is deleted
// already.
func deleteLoadBalancer(c *call, in *deleteLoadBalancerInput) (any, error) {
	st := c.region.elb
	b, err := lookUp(c, balancerKind, st.balancers, in.LoadBalancerArn, func(b *loadBalancer) elbTags { return b.tags })
	switch {
	case isCode(err, balancerKind.code):
		return struct{}{}, nil
	case err != nil:
		return nil, err
	}
	for _, l := range slices.Clone(b.listeners) {
		st.removeListener(l)
	}
	delete(st.balancers, b.arn)
	delete(c.sim.elb.byName, b.dnsName)
	st.reviewUse()
	c.sim.elb.notify()
	return struct{}{}, nil
}

package awssim

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// acceleratorQuota is how many accelerators an account may have ("Quotas for AWS Global
// Accelerator").
const acceleratorQuota = 20

type acceleratorView struct {
	AcceleratorArn   string
	Name             string
	IPAddressType    string `json:"IpAddressType"`
	Enabled          bool
	IPSets           []ipSet `json:"IpSets"`
	DNSName          string  `json:"DnsName"`
	Status           string
	CreatedTime      *moment
	LastModifiedTime *moment
	DualStackDNSName string `json:"DualStackDnsName,omitempty"`
}

type ipSet struct {
	IPFamily        string   `json:"IpFamily"`
	IPAddresses     []string `json:"IpAddresses"`
	IPAddressFamily string   `json:"IpAddressFamily"`
}

type acceleratorOutput struct{ Accelerator acceleratorView }

func (a *accelerator) view(w *world) acceleratorView {
	v := acceleratorView{
		AcceleratorArn: a.arn, Name: a.name, IPAddressType: "IPV4", Enabled: a.enabled, IPSets: []ipSet{{"IPv4", a.ipv4, "IPv4"}},
		DNSName: a.dnsName + ".awsglobalaccelerator.com", Status: a.status(w), CreatedTime: momentOf(a.created), LastModifiedTime: momentOf(a.modified),
	}
	if a.dualStack {
		v.IPAddressType, v.DualStackDNSName = "DUAL_STACK", a.dnsName+".dualstack.awsglobalaccelerator.com"
		v.IPSets = append(v.IPSets, ipSet{"IPv6", a.ipv6, "IPv6"})
	}
	return v
}

func (a *accelerator) status(w *world) string {
	if w.now().Before(a.deployed) {
		return "IN_PROGRESS"
	}
	return "DEPLOYED"
}

type acceleratorSettings struct {
	Name          *string
	IPAddressType string   `json:"IpAddressType"`
	IPAddresses   []string `json:"IpAddresses"`
	Enabled       *bool
}

var acceleratorName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$`)

func (in *acceleratorSettings) check() error {
	if in.Name != nil && !acceleratorName.MatchString(*in.Name) {
		return acceleratorInvalid("The name '%s' must have between 1 and 64 characters, which are alphanumeric, periods or hyphens, and cannot begin or end with a period or a hyphen.", *in.Name)
	}
	if len(in.IPAddresses) > 0 {
		return notInAccelerator("addresses of one's own")
	}
	return acceleratorAmong("ipAddressType", in.IPAddressType, "IPV4", "DUAL_STACK")
}

// apply changes what the parameters say.
func (in *acceleratorSettings) apply(c *call, a *accelerator) {
	if in.Name != nil {
		a.name = *in.Name
	}
	if in.IPAddressType != "" {
		a.dualStack = in.IPAddressType == "DUAL_STACK"
	}
	if in.Enabled != nil {
		a.enabled = *in.Enabled
	}
	if a.dualStack && a.ipv6 == nil {
		for range 2 {
			a.ipv6 = append(a.ipv6, "2600:9000:a"+c.sim.randomText(hexDigits, 3)+":"+c.sim.randomText(hexDigits[1:], 4)+"::1")
		}
	}
}

type createAcceleratorInput struct {
	acceleratorSettings
	IdempotencyToken *string
	Tags             []elbTag
}

func createAccelerator(c *call, in *createAcceleratorInput) (any, error) {
	tags := map[string]string{}
	conditions := map[string]string{}
	for _, tag := range in.Tags {
		if !tagKeyPattern.MatchString(tag.Key) || !tagValuePattern.MatchString(tag.Value) {
			return nil, acceleratorInvalid("Tag '%s' is not valid.", tag.Key)
		}
		tags[tag.Key], conditions["aws:RequestTag/"+tag.Key] = tag.Value, tag.Value
	}
	if err := c.authorize("globalaccelerator:CreateAccelerator", "*", conditions); err != nil {
		return nil, err
	}
	if in.Name == nil {
		return nil, acceleratorInvalid("1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null")
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	return c.once(in.IdempotencyToken, func() (any, error) {
		st := c.region.accelerators
		if len(st.accelerators) >= acceleratorQuota {
			return nil, acceleratorError("LimitExceededException", "The number of accelerators cannot exceed %d.", acceleratorQuota)
		}
		a := &accelerator{
			arn: "arn:aws:globalaccelerator::" + c.account.id + ":accelerator/" + c.sim.newUUID(), dnsName: "a" + c.sim.randomText(hexDigits, 16),
			enabled: true, created: c.sim.now(), tags: tags,
			ipv4: []string{c.anycast("75.2"), c.anycast("99.83")},
		}
		in.apply(c, a)
		a.change(c.sim.world)
		st.accelerators[a.arn] = a
		return acceleratorOutput{a.view(c.sim.world)}, nil
	})
}

// anycast draws an address of a network.
func (c *call) anycast(network string) string {
	return fmt.Sprintf("%s.%d.%d", network, c.sim.random.IntN(128), 1+c.sim.random.IntN(254))
}

type acceleratorInput struct{ AcceleratorArn *string }

func describeAccelerator(c *call, in *acceleratorInput) (any, error) {
	a, err := c.accelerator(in.AcceleratorArn)
	if err != nil {
		return nil, err
	}
	return acceleratorOutput{a.view(c.sim.world)}, nil
}

type listAcceleratorsOutput struct {
	Accelerators []acceleratorView
	NextToken    string `json:",omitempty"`
}

func listAccelerators(c *call, in *acceleratorPaging) (any, error) {
	if err := c.authorize("globalaccelerator:ListAccelerators", "*", nil); err != nil {
		return nil, err
	}
	all := slices.SortedFunc(maps.Values(c.region.accelerators.accelerators), func(a, b *accelerator) int {
		return cmp.Or(a.created.Compare(b.created), cmp.Compare(a.arn, b.arn))
	})
	page, next, err := acceleratorPageOf(*in, all, func(a *accelerator) string { return a.arn })
	if err != nil {
		return nil, err
	}
	out := listAcceleratorsOutput{Accelerators: []acceleratorView{}, NextToken: next}
	for _, a := range page {
		out.Accelerators = append(out.Accelerators, a.view(c.sim.world))
	}
	return out, nil
}

type updateAcceleratorInput struct {
	acceleratorInput
	acceleratorSettings
}

func updateAccelerator(c *call, in *updateAcceleratorInput) (any, error) {
	a, err := c.accelerator(in.AcceleratorArn)
	if err == nil {
		err = in.check()
	}
	if err != nil {
		return nil, err
	}
	in.apply(c, a)
	a.change(c.sim.world)
	return acceleratorOutput{a.view(c.sim.world)}, nil
}

// deleteAccelerator deletes one that is disabled, has no listeners and has been deployed so.
func deleteAccelerator(c *call, in *acceleratorInput) (any, error) {
	a, err := c.accelerator(in.AcceleratorArn)
	switch {
	case err != nil:
		return nil, err
	case a.enabled:
		return nil, acceleratorError("AcceleratorNotDisabledException", "The accelerator must be disabled before it can be deleted.")
	case len(a.listeners) > 0:
		return nil, acceleratorError("AssociatedListenerFoundException", "The accelerator has listeners, which must be deleted before it.")
	case a.status(c.sim.world) != "DEPLOYED":
		return nil, acceleratorError("TransactionInProgressException", "The accelerator is being changed. Wait until its status is DEPLOYED.")
	}
	delete(c.region.accelerators.accelerators, a.arn)
	return nil, nil
}

// acceleratorZone is the hosted zone in which accelerators have their names.
const acceleratorZone = "Z2BJ6XQ5FK7U4H"

// acceleratorNamed tells whether an accelerator has that DNS name.
func (w *world) acceleratorNamed(name string) bool {
	for _, a := range w.accounts {
		if r := a.regions[homeRegions["globalaccelerator"]]; r != nil {
			for _, accelerator := range r.accelerators.accelerators {
				if v := accelerator.view(w); v.DNSName == name || v.DualStackDNSName == name {
					return true
				}
			}
		}
	}
	return false
}

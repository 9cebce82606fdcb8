package awssim

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxItems is how many items a page has: as many as the request says, or most.
func maxItems(text string, most int) (int, error) {
	if text == "" {
		return most, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, route53Invalid("1 validation error detected: Value '%s' at 'maxItems' failed to satisfy constraint: Member must be a number of at least 1", text)
	}
	return min(n, most), nil
}

// zonePage and recordPage are how much one answer lists at most.
const (
	zonePage   = 100
	recordPage = 300
)

type listHostedZonesInput struct {
	Marker          string
	MaxItems        string
	DelegationSetID string `json:"DelegationSetId"`
	HostedZoneType  string
}

type listHostedZonesOutput struct {
	HostedZones []hostedZoneView `item:"HostedZone"`
	Marker      string           `json:",omitempty"`
	IsTruncated bool
	NextMarker  string `json:",omitempty"`
	MaxItems    string
}

func listHostedZones(c *call, in *listHostedZonesInput) (any, error) {
	if err := c.authorizeRoute53(); err != nil {
		return nil, err
	}
	size, err := maxItems(in.MaxItems, zonePage)
	switch {
	case err != nil:
		return nil, err
	case in.DelegationSetID != "":
		return nil, newError(400, "NoSuchDelegationSet", "A reusable delegation set with the specified ID does not exist.")
	case in.HostedZoneType != "" && in.HostedZoneType != "PrivateHostedZone":
		return nil, route53Invalid("1 validation error detected: Value '%s' at 'hostedZoneType' failed to satisfy constraint: Member must satisfy enum value set: [PrivateHostedZone]", in.HostedZoneType)
	}
	zones := slices.SortedFunc(maps.Values(c.region.route53.zones), func(a, b *hostedZone) int { return strings.Compare(a.id, b.id) })
	from := strings.TrimPrefix(in.Marker, zonePrefix)
	zones = slices.DeleteFunc(zones, func(z *hostedZone) bool {
		return z.id < from || in.HostedZoneType != "" && len(z.vpcs) == 0
	})
	out := listHostedZonesOutput{Marker: in.Marker, MaxItems: strconv.Itoa(size)}
	if out.IsTruncated = len(zones) > size; out.IsTruncated {
		out.NextMarker, zones = zones[size].id, zones[:size]
	}
	out.HostedZones = viewZones(zones)
	return out, nil
}

func viewZones(zones []*hostedZone) []hostedZoneView {
	views := []hostedZoneView{}
	for _, z := range zones {
		views = append(views, z.view())
	}
	return views
}

type listHostedZonesByNameInput struct {
	DNSName      string
	HostedZoneID string `json:"HostedZoneId"`
	MaxItems     string
}

type listHostedZonesByNameOutput struct {
	HostedZones      []hostedZoneView `item:"HostedZone"`
	DNSName          string           `json:",omitempty"`
	HostedZoneID     string           `json:"HostedZoneId,omitempty"`
	IsTruncated      bool
	NextDNSName      string `json:",omitempty"`
	NextHostedZoneID string `json:"NextHostedZoneId,omitempty"`
	MaxItems         string
}

// listHostedZonesByName lists from a name on: it does not select by it.
func listHostedZonesByName(c *call, in *listHostedZonesByNameInput) (any, error) {
	if err := c.authorizeRoute53(); err != nil {
		return nil, err
	}
	size, err := maxItems(in.MaxItems, zonePage)
	if err != nil {
		return nil, err
	}
	from := &hostedZone{id: strings.TrimPrefix(in.HostedZoneID, zonePrefix)}
	switch {
	case in.DNSName != "":
		if from.name, err = domainName(in.DNSName); err != nil {
			return nil, newError(400, "InvalidDomainName", "%s", err)
		}
	case in.HostedZoneID != "":
		return nil, route53Invalid("The hosted zone ID can only be specified together with a DNS name.")
	}
	order := func(a, b *hostedZone) int {
		return cmp.Or(strings.Compare(reversed(a.name), reversed(b.name)), strings.Compare(a.id, b.id))
	}
	zones := slices.SortedFunc(maps.Values(c.region.route53.zones), order)
	if from.name != "" {
		zones = slices.DeleteFunc(zones, func(z *hostedZone) bool { return order(z, from) < 0 })
	}
	out := listHostedZonesByNameOutput{DNSName: from.name, HostedZoneID: from.id, MaxItems: strconv.Itoa(size)}
	if out.IsTruncated = len(zones) > size; out.IsTruncated {
		out.NextDNSName, out.NextHostedZoneID, zones = zones[size].name, zones[size].id, zones[:size]
	}
	out.HostedZones = viewZones(zones)
	return out, nil
}

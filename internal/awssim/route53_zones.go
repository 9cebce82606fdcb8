package awssim

import (
	"net/http"
	"strconv"
	"strings"
)

type zoneVPC struct {
	VPCRegion string
	VPCID     string `json:"VPCId"`
}

type zoneConfig struct {
	Comment     string `json:",omitempty"`
	PrivateZone bool
}

type hostedZoneView struct {
	ID                     string `json:"Id"`
	Name                   string
	CallerReference        string
	Config                 zoneConfig
	ResourceRecordSetCount int
}

func (z *hostedZone) view() hostedZoneView {
	return hostedZoneView{
		ID: zonePrefix + z.id, Name: z.name, CallerReference: z.reference,
		Config: zoneConfig{Comment: z.comment, PrivateZone: len(z.vpcs) > 0}, ResourceRecordSetCount: len(z.records),
	}
}

type delegationSet struct {
	NameServers []string `item:"NameServer"`
}

type createHostedZoneInput struct {
	Name             string
	VPC              *zoneVPC
	CallerReference  string
	HostedZoneConfig zoneConfig
	DelegationSetID  string `json:"DelegationSetId"`
}

type createHostedZoneOutput struct {
	HostedZone    hostedZoneView
	ChangeInfo    changeInfo
	DelegationSet delegationSet
	VPC           *zoneVPC
}

func (out createHostedZoneOutput) location() string {
	return "https://route53.amazonaws.com/" + route53Version + out.HostedZone.ID
}

func createHostedZone(c *call, in *createHostedZoneInput) (any, error) {
	if err := c.authorizeRoute53(); err != nil {
		return nil, err
	}
	name, err := in.check()
	if err != nil {
		return nil, err
	}
	for _, other := range c.region.route53.zones {
		if other.reference == in.CallerReference {
			return nil, newError(http.StatusConflict, "HostedZoneAlreadyExists", "A hosted zone has already been created with the specified caller reference.")
		}
	}
	z := &hostedZone{id: "Z" + c.zoneID(), name: name, reference: in.CallerReference, comment: in.HostedZoneConfig.Comment, nameServers: c.nameServers()}
	if in.VPC != nil {
		z.vpcs = []zoneVPC{*in.VPC}
		z.nameServers = []string{"ns-0.awsdns-00.com", "ns-512.awsdns-00.net", "ns-1024.awsdns-00.org", "ns-1536.awsdns-00.co.uk"}
	}
	z.records = z.ownRecords()
	c.region.route53.zones[z.id] = z
	return createHostedZoneOutput{HostedZone: z.view(), ChangeInfo: c.submit(""), DelegationSet: delegationSet{z.nameServers}, VPC: in.VPC}, nil
}

// check returns the name of the zone.
func (in *createHostedZoneInput) check() (string, error) {
	switch {
	case in.Name == "":
		return "", incompleteXML("CreateHostedZoneRequest", "Name")
	case in.CallerReference == "":
		return "", incompleteXML("CreateHostedZoneRequest", "CallerReference")
	case len(in.CallerReference) > 128:
		return "", invalidXML("cvc-maxLength-valid: Value '%s' is not facet-valid with respect to maxLength '128' for type 'Nonce'.", in.CallerReference)
	case in.DelegationSetID != "":
		return "", newError(http.StatusBadRequest, "NoSuchDelegationSet", "A reusable delegation set with the specified ID does not exist.")
	case in.VPC == nil && in.HostedZoneConfig.PrivateZone:
		return "", newError(http.StatusBadRequest, "InvalidInput", "When you're creating a private hosted zone (when you specify true for PrivateZone), you must also specify values for VPCId and VPCRegion.")
	case in.VPC != nil && (!strings.HasPrefix(in.VPC.VPCID, "vpc-") || !regionName.MatchString(in.VPC.VPCRegion)):
		return "", newError(http.StatusBadRequest, "InvalidVPCId", "The VPC: %s in region %s that you provided is not authorized to make the association.", in.VPC.VPCID, in.VPC.VPCRegion)
	}
	name, err := domainName(in.Name)
	if err != nil {
		return "", newError(http.StatusBadRequest, "InvalidDomainName", "%s", err)
	}
	if in.VPC == nil && strings.Count(name, ".") < 2 {
		return "", newError(http.StatusBadRequest, "InvalidDomainName", "%s is reserved by AWS!", name)
	}
	return name, nil
}

// nameServers are the four of a public zone, each under another top-level domain.
func (c *call) nameServers() []string {
	servers := make([]string, 4)
	for i, domain := range []string{"com", "net", "org", "co.uk"} {
		n := i*512 + c.sim.random.IntN(512)
		servers[i] = "ns-" + strconv.Itoa(n) + ".awsdns-" + strconv.Itoa(n/8%64/10) + strconv.Itoa(n/8%64%10) + "." + domain
	}
	return servers
}

// ownRecords are those that every zone has.
func (z *hostedZone) ownRecords() []recordSet {
	day, minutes := 172800, 900
	ns := recordSet{Name: z.name, Type: "NS", TTL: &day}
	for _, server := range z.nameServers {
		ns.ResourceRecords = append(ns.ResourceRecords, resourceRecord{server + "."})
	}
	soa := recordSet{Name: z.name, Type: "SOA", TTL: &minutes, ResourceRecords: []resourceRecord{
		{z.nameServers[0] + ". awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"},
	}}
	return []recordSet{ns, soa}
}

type hostedZoneInput struct {
	ID string `json:"Id"`
}

type getHostedZoneOutput struct {
	HostedZone    hostedZoneView
	DelegationSet *delegationSet
	VPCs          []zoneVPC `json:",omitempty" item:"VPC"`
}

func getHostedZone(c *call, in *hostedZoneInput) (any, error) {
	z, err := c.hostedZone(in.ID, nil)
	if err != nil {
		return nil, err
	}
	out := getHostedZoneOutput{HostedZone: z.view(), VPCs: z.vpcs}
	if len(z.vpcs) == 0 {
		out.DelegationSet = &delegationSet{z.nameServers}
	}
	return out, nil
}

func deleteHostedZone(c *call, in *hostedZoneInput) (any, error) {
	z, err := c.hostedZone(in.ID, nil)
	if err != nil {
		return nil, err
	}
	for i := range z.records {
		if !z.records[i].key().own(z) {
			return nil, newError(http.StatusBadRequest, "HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
		}
	}
	delete(c.region.route53.zones, z.id)
	return getChangeOutput{c.submit("")}, nil
}

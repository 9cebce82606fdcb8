package awssim

import (
	"net/http"
	"strings"
	"time"
)

const route53Version = "2013-04-01"

// zonePropagation is how long a change takes to be on all name servers.
const zonePropagation = 30 * time.Second

// route53State is Amazon Route 53 of one account. It is a global service: all of it is in
// us-east-1, which its signatures name.
type route53State struct {
	zones   map[string]*hostedZone // by ID
	changes map[string]*zoneChange // by ID
}

func newRoute53State() *route53State {
	return &route53State{zones: map[string]*hostedZone{}, changes: map[string]*zoneChange{}}
}

// hostedZone is a domain with its records, in the order in which they are listed.
type hostedZone struct {
	id          string // without /hostedzone/
	name        string
	reference   string // its creator's
	comment     string
	vpcs        []zoneVPC // that see a private zone; none: the zone is public
	nameServers []string
	records     []recordSet
}

// zoneChange is a change on its way to the name servers.
type zoneChange struct {
	id        string // without /change/
	comment   string
	submitted time.Time
	inSync    bool
}

// route53Operations is the table of what Amazon Route 53 answers.
func (s *Simulator) route53Operations() map[string]operation {
	return map[string]operation{
		"CreateHostedZone":      {"route53", routed(createHostedZone)},
		"GetHostedZone":         {"route53", routed(getHostedZone)},
		"ListHostedZones":       {"route53", routed(listHostedZones)},
		"ListHostedZonesByName": {"route53", routed(listHostedZonesByName)},
		"DeleteHostedZone":      {"route53", routed(deleteHostedZone)},

		"ChangeResourceRecordSets": {"route53", routed(changeResourceRecordSets)},
		"ListResourceRecordSets":   {"route53", routed(listResourceRecordSets)},
		"GetChange":                {"route53", routed(getChange)},
	}
}

var route53Routes = []restRoute{
	{http.MethodPost, route53Version + "/hostedzone", "CreateHostedZone", true, nil},
	{http.MethodGet, route53Version + "/hostedzone/{Id}", "GetHostedZone", false, nil},
	{http.MethodGet, route53Version + "/hostedzone", "ListHostedZones", false, map[string]string{
		"marker": "Marker", "maxitems": "MaxItems", "delegationsetid": "DelegationSetId", "hostedzonetype": "HostedZoneType",
	}},
	{http.MethodGet, route53Version + "/hostedzonesbyname", "ListHostedZonesByName", false, map[string]string{
		"dnsname": "DNSName", "hostedzoneid": "HostedZoneId", "maxitems": "MaxItems",
	}},
	{http.MethodDelete, route53Version + "/hostedzone/{Id}", "DeleteHostedZone", false, nil},
	{http.MethodPost, route53Version + "/hostedzone/{HostedZoneId}/rrset", "ChangeResourceRecordSets", true, nil},
	{http.MethodGet, route53Version + "/hostedzone/{HostedZoneId}/rrset", "ListResourceRecordSets", false, map[string]string{
		"name": "StartRecordName", "type": "StartRecordType", "identifier": "StartRecordIdentifier", "maxitems": "MaxItems",
	}},
	{http.MethodGet, route53Version + "/change/{Id}", "GetChange", false, nil},
}

const (
	zonePrefix   = "/hostedzone/"
	changePrefix = "/change/"
)

func zoneARN(id string) string { return "arn:aws:route53:::hostedzone/" + id }

// authorizeRoute53 asks about an operation that no resource restricts.
func (c *call) authorizeRoute53() error { return c.authorize("route53:"+c.operation, "*", nil) }

// hostedZone finds a zone by its ID, with or without the prefix, after it has asked whether
// the caller may do the operation to it.
func (c *call) hostedZone(id string, conditions conditionContext) (*hostedZone, error) {
	id = strings.TrimPrefix(id, zonePrefix)
	context := c.conditionContext(nil)
	for key, values := range conditions {
		context[key] = values
	}
	if err := c.authorizeIn("route53:"+c.operation, zoneARN(id), context); err != nil {
		return nil, err
	}
	if z := c.region.route53.zones[id]; z != nil {
		return z, nil
	}
	for _, a := range c.sim.accounts {
		if r := a.regions[c.region.name]; r != nil && r.route53.zones[id] != nil {
			return nil, c.denied("User: %s is not authorized to access this resource", c.principal.arn)
		}
	}
	return nil, newError(http.StatusNotFound, "NoSuchHostedZone", "No hosted zone found with ID: %s", id)
}

// route53Invalid is a parameter that Route 53 does not take.
func route53Invalid(format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, "InvalidInput", format, args...)
}

// notInRoute53 refuses a parameter, instead of ignoring it.
func notInRoute53(what string) *apiError { return route53Invalid("awssim does not implement %s", what) }

type changeInfo struct {
	ID          string `json:"Id"`
	Status      string
	SubmittedAt *moment
	Comment     string `json:",omitempty"`
}

func (g *zoneChange) view() changeInfo {
	v := changeInfo{ID: changePrefix + g.id, Status: "PENDING", SubmittedAt: momentOf(g.submitted), Comment: g.comment}
	if g.inSync {
		v.Status = "INSYNC"
	}
	return v
}

// submit starts a change on its way.
func (c *call) submit(comment string) changeInfo {
	g := &zoneChange{id: "C" + c.zoneID(), comment: comment, submitted: c.sim.now()}
	c.region.route53.changes[g.id] = g
	c.sim.after(zonePropagation, func() {
		g.inSync = true
		c.sim.reviewCertificates()
	})
	return g.view()
}

// zoneID is what follows the first letter of an ID.
func (c *call) zoneID() string {
	return "0" + c.sim.randomText("ABCDEFGHIJKLMNOPQRSTUVWXYZ"+decimalDigits, 19)
}

type getChangeInput struct {
	ID string `json:"Id"`
}

type getChangeOutput struct{ ChangeInfo changeInfo }

func getChange(c *call, in *getChangeInput) (any, error) {
	id := strings.TrimPrefix(in.ID, changePrefix)
	if err := c.authorize("route53:GetChange", "arn:aws:route53:::change/"+id, nil); err != nil {
		return nil, err
	}
	g := c.region.route53.changes[id]
	if g == nil {
		return nil, newError(http.StatusNotFound, "NoSuchChange", "Could not find resource with ID: %s", id)
	}
	return getChangeOutput{g.view()}, nil
}

package awssim

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

var recordTypes = []string{
	"SOA", "A", "TXT", "NS", "CNAME", "MX", "NAPTR", "PTR", "SRV", "SPF", "AAAA", "CAA", "DS", "TLSA", "SSHFP", "SVCB", "HTTPS",
}

// check refuses what is no change, whatever the zone.
func (ch *recordChange) check() error {
	set := ch.ResourceRecordSet
	switch {
	case ch.Action == "":
		return incompleteXML("Change", "Action")
	case !slices.Contains([]string{"CREATE", "DELETE", "UPSERT"}, ch.Action):
		return invalidXML("cvc-enumeration-valid: Value '%s' is not facet-valid with respect to enumeration '[CREATE, DELETE, UPSERT]'.", ch.Action)
	case set == nil:
		return incompleteXML("Change", "ResourceRecordSet")
	case set.Name == "":
		return incompleteXML("ResourceRecordSet", "Name")
	case set.Type == "":
		return incompleteXML("ResourceRecordSet", "Type")
	case !slices.Contains(recordTypes, set.Type):
		return invalidXML("cvc-enumeration-valid: Value '%s' is not facet-valid with respect to enumeration '[%s]'.", set.Type, strings.Join(recordTypes, ", "))
	case set.Weight != nil && (*set.Weight < 0 || *set.Weight > 255):
		return invalidXML("cvc-maxInclusive-valid: Value '%d' is not facet-valid with respect to maxInclusive '255' for type 'ResourceRecordSetWeight'.", *set.Weight)
	case set.TTL != nil && *set.TTL < 0:
		return invalidXML("cvc-minInclusive-valid: Value '%d' is not facet-valid with respect to minInclusive '0' for type 'TTL'.", *set.TTL)
	case set.Region != "" && !regionName.MatchString(set.Region):
		return invalidXML("cvc-enumeration-valid: Value '%s' is not facet-valid with respect to enumeration 'ResourceRecordSetRegion'.", set.Region)
	case set.Failover != "" && set.Failover != "PRIMARY" && set.Failover != "SECONDARY":
		return invalidXML("cvc-enumeration-valid: Value '%s' is not facet-valid with respect to enumeration '[PRIMARY, SECONDARY]'.", set.Failover)
	case len(set.SetIdentifier) > 128:
		return invalidXML("cvc-maxLength-valid: Value '%s' is not facet-valid with respect to maxLength '128' for type 'ResourceRecordSetIdentifier'.", set.SetIdentifier)
	case set.TrafficPolicyInstanceID != "" || set.CidrRoutingConfig != nil || set.GeoProximityLocation != nil:
		return notInRoute53("traffic policies, CIDR routing and geoproximity routing")
	case set.HealthCheckID != "":
		return newError(http.StatusNotFound, "NoSuchHealthCheck", "No health check exists with the specified ID: %s", set.HealthCheckID)
	}
	return ch.checkContent()
}

// checkContent looks at the members that exclude or need each other.
func (ch *recordChange) checkContent() error {
	set := ch.ResourceRecordSet
	refuse := func(format string, args ...any) error {
		return route53Invalid("Invalid request: %s in Change with [Action=%s, Name=%s, Type=%s, SetIdentifier=%s]",
			fmt.Sprintf(format, args...), ch.Action, set.Name, set.Type, textOr(set.SetIdentifier))
	}
	const (
		contents = "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found "
		policies = "Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer, GeoProximityLocation, or CidrRoutingConfig], but found "
	)
	routings := 0
	for _, given := range []bool{set.Weight != nil, set.Region != "", set.Failover != "", set.GeoLocation != nil, set.MultiValueAnswer != nil} {
		if given {
			routings++
		}
	}
	plain := set.TTL != nil || set.ResourceRecords != nil
	switch {
	case plain && set.AliasTarget != nil:
		return refuse(contents + "more than one")
	case !plain && set.AliasTarget == nil:
		return refuse(contents + "none")
	case plain && set.TTL == nil:
		return refuse("Missing field 'TTL'")
	case plain && len(set.ResourceRecords) == 0:
		return refuse("Missing field 'ResourceRecords'")
	case routings > 1:
		return refuse(policies + "more than one")
	case routings == 1 && set.SetIdentifier == "":
		return refuse("Missing field 'SetIdentifier'")
	case routings == 0 && set.SetIdentifier != "":
		return refuse(policies + "none")
	}
	if t := set.AliasTarget; t != nil {
		switch {
		case t.HostedZoneID == "":
			return incompleteXML("AliasTarget", "HostedZoneId")
		case t.EvaluateTargetHealth == nil:
			return incompleteXML("AliasTarget", "EvaluateTargetHealth")
		}
	}
	return nil
}

// complete puts a record set in the form in which it is kept, and tells what is wrong with
// its names and values.
func (e *zoneEdit) complete(set *recordSet) (problems []string) {
	name, err := domainName(set.Name)
	if err != nil {
		return []string{err.Error()}
	}
	set.Name = name
	if !e.zone.within(name) {
		return []string{"RRSet with DNS name " + name + " is not permitted in zone " + e.zone.name}
	}
	if set.Type == "CNAME" && name == e.zone.name {
		return []string{"RRSet of type CNAME with DNS name " + name + " is not permitted at apex in zone " + e.zone.name}
	}
	if t := set.AliasTarget; t != nil {
		target := *t
		target.HostedZoneID = strings.TrimPrefix(t.HostedZoneID, zonePrefix)
		if target.DNSName, err = domainName(t.DNSName); err != nil {
			return []string{err.Error()}
		}
		set.AliasTarget = &target
		return nil
	}
	if set.Type == "CNAME" && len(set.ResourceRecords) > 1 {
		return []string{"RRSet of type CNAME with DNS name " + name + " is not permitted to have more than one resource record"}
	}
	seen := map[string]bool{}
	for _, record := range set.ResourceRecords {
		switch problem := checkValue(set.Type, record.Value); {
		case problem != "":
			problems = append(problems, "Invalid Resource Record: 'FATAL problem: "+problem+" encountered with '"+record.Value+"''")
		case seen[record.Value]:
			problems = append(problems, "Duplicate Resource Record: '"+record.Value+"'")
		}
		seen[record.Value] = true
	}
	return problems
}

// checkValue is what is wrong with a value of a record of that type; "" is nothing.
func checkValue(kind, value string) string {
	fields := strings.Fields(value)
	address, err := netip.ParseAddr(value)
	switch {
	case kind == "A" && (err != nil || !address.Is4()):
		return "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
	case kind == "AAAA" && (err != nil || !address.Is6()):
		return "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
	case (kind == "TXT" || kind == "SPF") && (len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"'):
		return "InvalidCharacterString (Value should be enclosed in quotation marks)"
	case kind == "MX" && len(fields) != 2:
		return "MXRRDATANotTwoFields (MX record doesn't have 2 fields)"
	case kind == "SRV" && len(fields) != 4:
		return "SRVRRDATANotFourFields (SRV record doesn't have 4 fields)"
	case kind == "SOA" && len(fields) != 7:
		return "SOARRDATANotSevenFields (SOA record doesn't have 7 fields)"
	case kind == "CAA" && len(fields) < 3:
		return "CAARRDATANotThreeFields (CAA record doesn't have 3 fields)"
	case len(fields) == 0:
		return "DomainNameEmpty (Domain name is empty)"
	case (kind == "CNAME" || kind == "NS" || kind == "PTR") && len(fields) > 1:
		return "UnsupportedCharacter (Value contains unsupported characters)"
	default:
		return ""
	}
}

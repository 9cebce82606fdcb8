package awssim

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

func TestBadRecordsAreRefusedInAWSsWords(t *testing.T) {
	client := route53ClientOf(rootConfig(t, New(Options{})))
	zone := createTestZone(t, client, shopZone)
	latency := func(identifier string, region types.ResourceRecordSetRegion) types.Change {
		change := aRecord(types.ChangeActionCreate, "near.example.com", "10.0.0.1")
		change.ResourceRecordSet.SetIdentifier, change.ResourceRecordSet.Region = &identifier, region
		return change
	}
	must(changeRecords(t, client, zone, aRecord(types.ChangeActionCreate, "www.example.com", "10.0.0.1"), latency("one", types.ResourceRecordSetRegionApSouth1)))(t)
	set := func(kind types.RRType, values ...string) *types.ResourceRecordSet {
		made := aRecord(types.ChangeActionCreate, "new.example.com", values...).ResourceRecordSet
		made.Type = kind
		return made
	}
	with := func(change func(*types.ResourceRecordSet)) *types.ResourceRecordSet {
		made := set(types.RRTypeA, "10.0.0.1")
		change(made)
		return made
	}
	alias := &types.AliasTarget{HostedZoneId: &zone, DNSName: aws.String("www.example.com")}
	const within = " in Change with [Action=CREATE, Name=new.example.com, Type=A, SetIdentifier="
	for _, c := range []struct {
		set        *types.ResourceRecordSet
		code, want string
	}{
		{with(func(r *types.ResourceRecordSet) { r.AliasTarget = alias }), "InvalidInput", "or TrafficPolicyInstanceId], but found more than one" + within + "null]"},
		{with(func(r *types.ResourceRecordSet) { r.TTL, r.ResourceRecords = nil, nil }), "InvalidInput", "but found none" + within},
		{with(func(r *types.ResourceRecordSet) { r.TTL = nil }), "InvalidInput", "Missing field 'TTL'" + within},
		{with(func(r *types.ResourceRecordSet) { r.ResourceRecords = nil }), "InvalidInput", "Missing field 'ResourceRecords'" + within},
		{with(func(r *types.ResourceRecordSet) { r.Weight = aws.Int64(1) }), "InvalidInput", "Missing field 'SetIdentifier'" + within},
		{with(func(r *types.ResourceRecordSet) { r.SetIdentifier = aws.String("x") }), "InvalidInput", "Expected exactly one of [Weight, Region, Failover,"},
		{with(func(r *types.ResourceRecordSet) {
			r.SetIdentifier, r.Weight, r.Region = aws.String("x"), aws.Int64(1), mumbai
		}), "InvalidInput", "but found more than one" + within + "x]"},
		{with(func(r *types.ResourceRecordSet) { r.SetIdentifier, r.Weight = aws.String("x"), aws.Int64(256) }), "InvalidInput", "Value '256'"},
		{with(func(r *types.ResourceRecordSet) { r.SetIdentifier, r.Failover = aws.String("x"), "THIRD" }), "InvalidInput", "Value 'THIRD'"},
		{with(func(r *types.ResourceRecordSet) { r.HealthCheckId = aws.String("h") }), "NoSuchHealthCheck", "h"},
		{with(func(r *types.ResourceRecordSet) { r.TrafficPolicyInstanceId = aws.String("t") }), "InvalidInput", "awssim does not implement"},
		{with(func(r *types.ResourceRecordSet) { r.Name = aws.String("new.example.org") }), "InvalidChangeBatch", "RRSet with DNS name new.example.org. is not permitted in zone example.com."},
		{with(func(r *types.ResourceRecordSet) { r.Name = aws.String("a..example.com") }), "InvalidChangeBatch", "DomainLabelEmpty"},
		{set(types.RRTypeA, "10.0.0"), "InvalidChangeBatch", "[Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '10.0.0'']"},
		{set(types.RRTypeAaaa, "10.0.0.1"), "InvalidChangeBatch", "AAAARRDATAIllegalIPv6Address"},
		{set(types.RRTypeTxt, "bare"), "InvalidChangeBatch", "enclosed in quotation marks"},
		{set(types.RRTypeMx, "mail.example.com"), "InvalidChangeBatch", "MX record"},
		{set(types.RRTypeA, "10.0.0.1", "10.0.0.1"), "InvalidChangeBatch", "Duplicate Resource Record: '10.0.0.1'"},
		{set(types.RRTypeCname, "a.b", "c.d"), "InvalidChangeBatch", "more than one"},
		{with(func(r *types.ResourceRecordSet) { r.Name, r.Type = aws.String("example.com"), types.RRTypeCname }), "InvalidChangeBatch", "is not permitted at apex"},
		{with(func(r *types.ResourceRecordSet) { r.Name, r.Type = aws.String("www.example.com"), types.RRTypeCname }), "InvalidChangeBatch", "RRSet of type CNAME with DNS name www.example.com. is not permitted as it conflicts"},
		{latency("two", types.ResourceRecordSetRegionApSouth1).ResourceRecordSet, "InvalidChangeBatch", "type A, SetIdentifier two cannot be created as other RRSets exist"},
		{aRecord("", "near.example.com", "10.0.0.1").ResourceRecordSet, "InvalidChangeBatch", "RRSet with DNS name near.example.com., type A cannot be created as other RRSets exist with the same name and type."},
	} {
		_, err := changeRecords(t, client, zone, types.Change{Action: types.ChangeActionCreate, ResourceRecordSet: c.set})
		wantCode(t, err, c.code, c.want)
	}
	must(changeRecords(t, client, zone, latency("two", types.ResourceRecordSetRegionApSoutheast1)))(t)

	own := must(client.ListResourceRecordSets(t.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: &zone}))(t).ResourceRecordSets
	for i, want := range []string{"at least one NS record", "exactly one SOA record"} {
		_, err := changeRecords(t, client, zone, types.Change{Action: types.ChangeActionDelete, ResourceRecordSet: &own[i]})
		wantCode(t, err, "InvalidChangeBatch", want)
	}
	_, err := changeRecords(t, client, zone, aRecord(types.ChangeActionUpsert, "x.example.com", "10.0.0.1"), aRecord(types.ChangeActionUpsert, "X.example.com.", "10.0.0.2"))
	wantCode(t, err, "InvalidChangeBatch", "[The request contains an invalid set of changes for a resource record set 'A x.example.com.']")
	for _, name := range []string{"com", "", "a b.com", "a..com"} {
		_, err := client.CreateHostedZone(t.Context(), &route53.CreateHostedZoneInput{Name: &name, CallerReference: aws.String("x")})
		code := "InvalidDomainName"
		if name == "" {
			code = "InvalidInput"
		}
		wantCode(t, err, code, "")
	}
}

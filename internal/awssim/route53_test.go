package awssim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"
)

const shopZone = "example.com."

// globally is the configuration for a service whose signatures name one region only.
func globally(cfg aws.Config, region string) aws.Config {
	cfg = cfg.Copy()
	cfg.Region = region
	return cfg
}

func route53ClientOf(cfg aws.Config) *route53.Client {
	return route53.NewFromConfig(globally(cfg, "us-east-1"))
}

func createTestZone(t *testing.T, client *route53.Client, name string) (id string) {
	t.Helper()
	out := must(client.CreateHostedZone(t.Context(), &route53.CreateHostedZoneInput{Name: &name, CallerReference: aws.String(name + time.Now().String())}))(t)
	return *out.HostedZone.Id
}

// aRecord is a change of the addresses of a name.
func aRecord(action types.ChangeAction, name string, values ...string) types.Change {
	set := &types.ResourceRecordSet{Name: &name, Type: types.RRTypeA, TTL: aws.Int64(60)}
	for _, value := range values {
		set.ResourceRecords = append(set.ResourceRecords, types.ResourceRecord{Value: &value})
	}
	return types.Change{Action: action, ResourceRecordSet: set}
}

// aliasChange points a name to another one of AWS's.
func aliasChange(name, zone, target string) types.Change {
	return types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: &types.ResourceRecordSet{
		Name: &name, Type: types.RRTypeA, AliasTarget: &types.AliasTarget{HostedZoneId: &zone, DNSName: &target, EvaluateTargetHealth: true},
	}}
}

func changeRecords(t *testing.T, client *route53.Client, zone string, changes ...types.Change) (*types.ChangeInfo, error) {
	t.Helper()
	out, err := client.ChangeResourceRecordSets(t.Context(), &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &zone, ChangeBatch: &types.ChangeBatch{Changes: changes},
	})
	if err != nil {
		return nil, err
	}
	return out.ChangeInfo, nil
}

// recordNames lists a zone: name, type and identifier of every set.
func recordNames(t *testing.T, client *route53.Client, in *route53.ListResourceRecordSetsInput) (names []string) {
	t.Helper()
	for {
		out := must(client.ListResourceRecordSets(t.Context(), in))(t)
		for _, set := range out.ResourceRecordSets {
			names = append(names, strings.TrimSpace(*set.Name+" "+string(set.Type)+" "+aws.ToString(set.SetIdentifier)))
		}
		if !out.IsTruncated {
			return names
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier
	}
}

func TestAHostedZoneIsCreatedFilledAndDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, ctx := route53ClientOf(rootConfig(t, New(Options{}))), t.Context()
		created := must(client.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{
			Name: aws.String("Example.COM"), CallerReference: aws.String("once"), HostedZoneConfig: &types.HostedZoneConfig{Comment: aws.String("the shop")},
		}))(t)
		zone := created.HostedZone
		if !regexp.MustCompile(`^/hostedzone/Z[A-Z0-9]{20}$`).MatchString(*zone.Id) || *zone.Name != shopZone || *zone.ResourceRecordSetCount != 2 ||
			zone.Config.PrivateZone || *zone.Config.Comment != "the shop" || *created.Location != "https://route53.amazonaws.com/2013-04-01"+*zone.Id ||
			len(created.DelegationSet.NameServers) != 4 || created.ChangeInfo.Status != types.ChangeStatusPending {
			t.Errorf("%+v %+v", created, zone)
		}
		_, err := client.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: aws.String("other.org"), CallerReference: aws.String("once")})
		wantCode(t, err, "HostedZoneAlreadyExists", "caller reference")
		change := must(changeRecords(t, client, *zone.Id, aRecord(types.ChangeActionCreate, "WWW.example.com", "10.0.0.1")))(t)
		if change.Status != types.ChangeStatusPending {
			t.Errorf("%+v", change)
		}
		time.Sleep(time.Minute)
		if got := must(client.GetChange(ctx, &route53.GetChangeInput{Id: change.Id}))(t).ChangeInfo; got.Status != types.ChangeStatusInsync || *got.Id != *change.Id {
			t.Errorf("%+v", got)
		}
		bare := strings.TrimPrefix(*zone.Id, "/hostedzone/")
		got := must(client.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: &bare}))(t)
		if *got.HostedZone.ResourceRecordSetCount != 3 || !cmp.Equal(got.DelegationSet.NameServers, created.DelegationSet.NameServers) {
			t.Errorf("%+v", got)
		}
		_, err = client.DeleteHostedZone(ctx, &route53.DeleteHostedZoneInput{Id: &bare})
		wantCode(t, err, "HostedZoneNotEmpty", "non-required resource record sets")
		must(changeRecords(t, client, bare, aRecord(types.ChangeActionDelete, "www.example.com.", "10.0.0.1")))(t)
		must(client.DeleteHostedZone(ctx, &route53.DeleteHostedZoneInput{Id: &bare}))(t)
		_, err = client.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: &bare})
		wantCode(t, err, "NoSuchHostedZone", "No hosted zone found with ID: "+bare)
		_, err = client.GetChange(ctx, &route53.GetChangeInput{Id: aws.String("C1")})
		wantCode(t, err, "NoSuchChange", "C1")
	})
}

func TestAPrivateZoneIsSeenByItsVPC(t *testing.T) {
	client, ctx := route53ClientOf(rootConfig(t, New(Options{}))), t.Context()
	vpc := &types.VPC{VPCId: aws.String("vpc-1"), VPCRegion: types.VPCRegionApSouth1}
	zone := must(client.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: aws.String("internal"), CallerReference: aws.String("1"), VPC: vpc}))(t).HostedZone
	got := must(client.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: zone.Id}))(t)
	if !got.HostedZone.Config.PrivateZone || got.DelegationSet != nil || len(got.VPCs) != 1 || *got.VPCs[0].VPCId != "vpc-1" {
		t.Errorf("%+v", got)
	}
	createTestZone(t, client, shopZone)
	listed := must(client.ListHostedZones(ctx, &route53.ListHostedZonesInput{HostedZoneType: types.HostedZoneTypePrivateHostedZone}))(t)
	if len(listed.HostedZones) != 1 || *listed.HostedZones[0].Name != "internal." {
		t.Errorf("%+v", listed)
	}
	_, err := client.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{
		Name: aws.String("a.internal"), CallerReference: aws.String("2"), HostedZoneConfig: &types.HostedZoneConfig{PrivateZone: true},
	})
	wantCode(t, err, "InvalidInput", "VPCId and VPCRegion")
}

func TestZonesAreListedByIDAndByName(t *testing.T) {
	client, ctx := route53ClientOf(rootConfig(t, New(Options{}))), t.Context()
	for _, name := range []string{"b.org", "example.com", "a.example.com", "example.com", "z.net"} {
		createTestZone(t, client, name)
	}
	seen := map[string]bool{}
	pages := route53.NewListHostedZonesPaginator(client, &route53.ListHostedZonesInput{MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		for _, zone := range must(pages.NextPage(ctx))(t).HostedZones {
			seen[*zone.Id] = true
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d zones on the pages", len(seen))
	}
	var names []string
	in := &route53.ListHostedZonesByNameInput{MaxItems: aws.Int32(2)}
	for more := true; more; {
		out := must(client.ListHostedZonesByName(ctx, in))(t)
		for _, zone := range out.HostedZones {
			names = append(names, *zone.Name)
		}
		in.DNSName, in.HostedZoneId, more = out.NextDNSName, out.NextHostedZoneId, out.IsTruncated
	}
	if want := []string{"example.com.", "example.com.", "a.example.com.", "z.net.", "b.org."}; !cmp.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	// It begins at the name, whether there is a zone of that name or not.
	out := must(client.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: aws.String("shop.example.com"), MaxItems: aws.Int32(1)}))(t)
	if *out.DNSName != "shop.example.com." || len(out.HostedZones) != 1 || *out.HostedZones[0].Name != "z.net." || *out.NextDNSName != "b.org." || *out.MaxItems != 1 {
		t.Errorf("%+v", out)
	}
	_, err := client.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{HostedZoneId: aws.String("Z1")})
	wantCode(t, err, "InvalidInput", "together with a DNS name")
}

func TestRecordsAreListedByTheirReversedNames(t *testing.T) {
	client := route53ClientOf(rootConfig(t, New(Options{})))
	zone := createTestZone(t, client, shopZone)
	weighted := func(identifier string) types.Change {
		change := aRecord(types.ChangeActionUpsert, "api.example.com", "10.0.0.1")
		change.ResourceRecordSet.SetIdentifier, change.ResourceRecordSet.Weight = &identifier, aws.Int64(1)
		return change
	}
	must(changeRecords(t, client, zone,
		aRecord(types.ChangeActionCreate, "www.example.com", "10.0.0.1"), aRecord(types.ChangeActionCreate, "a.www.example.com", "10.0.0.1"),
		aRecord(types.ChangeActionCreate, "*.example.com", "10.0.0.2"), weighted("two"), weighted("one"),
	))(t)
	want := []string{
		"example.com. NS", "example.com. SOA", `\052.example.com. A`, "api.example.com. A one", "api.example.com. A two", "www.example.com. A", "a.www.example.com. A",
	}
	for _, size := range []int32{1, 3, 100} {
		if got := recordNames(t, client, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, MaxItems: &size}); !cmp.Equal(got, want) {
			t.Errorf("in pages of %d: %v, want %v", size, got, want)
		}
	}
	if got := recordNames(t, client, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, StartRecordName: aws.String("b.example.com")}); !cmp.Equal(got, want[5:]) {
		t.Errorf("from b.example.com on: %v", got)
	}
	_, err := client.ListResourceRecordSets(t.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, StartRecordType: types.RRTypeA})
	wantCode(t, err, "InvalidInput", "without a record name")
	_, err = client.ListResourceRecordSets(t.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, MaxItems: aws.Int32(0)})
	wantCode(t, err, "InvalidInput", "'maxItems'")
}

func TestABatchOfChangesIsMadeAsAWholeOrNotAtAll(t *testing.T) {
	client := route53ClientOf(rootConfig(t, New(Options{})))
	zone := createTestZone(t, client, shopZone)
	must(changeRecords(t, client, zone, aRecord(types.ChangeActionCreate, "www.example.com", "10.0.0.1", "10.0.0.2")))(t)
	_, err := changeRecords(t, client, zone,
		aRecord(types.ChangeActionCreate, "new.example.com", "10.0.0.1"),
		aRecord(types.ChangeActionCreate, "www.example.com", "10.0.0.3"),
		aRecord(types.ChangeActionDelete, "old.example.com", "10.0.0.1"),
	)
	wantCode(t, err, "InvalidChangeBatch", "[Tried to create resource record set [name='www.example.com.', type='A'] but it already exists, "+
		"Tried to delete resource record set [name='old.example.com.', type='A'] but it was not found]")
	if got := recordNames(t, client, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone}); len(got) != 3 {
		t.Errorf("a refused batch left %v", got)
	}
	_, err = changeRecords(t, client, zone, aRecord(types.ChangeActionDelete, "www.example.com", "10.0.0.1"))
	wantCode(t, err, "InvalidChangeBatch", "the values provided do not match the current values")
	// The order of the values does not matter, and what is deleted makes room.
	must(changeRecords(t, client, zone, aRecord(types.ChangeActionDelete, "www.example.com", "10.0.0.2", "10.0.0.1"), aRecord(types.ChangeActionCreate, "www.example.com", "10.0.0.3")))(t)
	must(changeRecords(t, client, zone, aRecord(types.ChangeActionUpsert, "www.example.com", "10.0.0.4")))(t)
}

func TestAliasesPointToWhatIsThere(t *testing.T) {
	s := New(Options{})
	client := route53ClientOf(rootConfig(t, s))
	zone := createTestZone(t, client, shopZone)
	f := newELBFixture(t, s)
	b := must(f.client.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{}))(t).LoadBalancers[0]
	alias := func(zone, name string, change ...func(*types.ResourceRecordSet)) types.Change {
		made := aliasChange("shop.example.com", zone, name)
		for _, c := range change {
			c(made.ResourceRecordSet)
		}
		return made
	}
	for name, c := range map[string]struct {
		change types.Change
		want   string
	}{
		"another region's zone":     {alias("Z1LMS91P8CMLE5", f.dnsName), "does not lie within the target zone"},
		"no such load balancer":     {alias(*b.CanonicalHostedZoneId, "web-1.ap-south-1.elb.amazonaws.com"), "Tried to create an alias that targets web-1.ap-south-1.elb.amazonaws.com., type A in zone ZP97RAFLXTNZK, but that target was not found"},
		"a record that is not here": {alias(zone, "other.example.com"), "but that target was not found"},
		"a type it does not have":   {alias(*b.CanonicalHostedZoneId, f.dnsName, func(set *types.ResourceRecordSet) { set.Type = types.RRTypeTxt }), "but that target was not found"},
	} {
		_, err := changeRecords(t, client, zone, c.change)
		if wantCode(t, err, "InvalidChangeBatch", c.want); t.Failed() {
			t.Fatal(name)
		}
	}
	latency := func(set *types.ResourceRecordSet) {
		set.SetIdentifier, set.Region = aws.String("mumbai"), types.ResourceRecordSetRegionApSouth1
	}
	must(changeRecords(t, client, zone, alias(*b.CanonicalHostedZoneId, "dualstack."+strings.ToUpper(f.dnsName), latency)))(t)
	sets := must(client.ListResourceRecordSets(t.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, StartRecordName: aws.String("shop.example.com")}))(t).ResourceRecordSets
	if got := sets[0]; *got.AliasTarget.DNSName != "dualstack."+f.dnsName+"." || *got.AliasTarget.HostedZoneId != "ZP97RAFLXTNZK" || !got.AliasTarget.EvaluateTargetHealth || got.Region != mumbai || got.TTL != nil {
		t.Errorf("%+v %+v", got, got.AliasTarget)
	}
}

func TestARequestToRoute53IsRefusedAsItsSchemaSays(t *testing.T) {
	s := New(Options{})
	cfg := rootConfig(t, s)
	zone := createTestZone(t, route53ClientOf(cfg), shopZone)
	const head = `<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/">`
	const tail = `</ChangeResourceRecordSetsRequest>`
	set := func(inner string) string {
		return head + "<ChangeBatch><Changes><Change><Action>CREATE</Action><ResourceRecordSet>" + inner + "</ResourceRecordSet></Change></Changes></ChangeBatch>" + tail
	}
	for name, c := range map[string]struct {
		body, want string
	}{
		"no XML":                {"{}", "Invalid XML"},
		"another document":      {"<CreateHostedZoneRequest/>", "element 'CreateHostedZoneRequest'"},
		"no namespace":          {"<ChangeResourceRecordSetsRequest/>", "Cannot find the declaration"},
		"nothing in it":         {head + tail, "One of '{ChangeBatch}' is expected"},
		"no changes":            {head + "<ChangeBatch><Changes/></ChangeBatch>" + tail, "One of '{Changes}' is expected"},
		"an unknown element":    {set("<Name>a.example.com</Name><Type>A</Type><Ttl>1</Ttl>"), "starting with element 'Ttl'"},
		"an element twice":      {set("<Name>a</Name><Name>b</Name>"), "starting with element 'Name'"},
		"a list of other items": {set("<ResourceRecords><member/></ResourceRecords>"), "starting with element 'member'"},
		"a text for a number":   {set("<Name>a.example.com</Name><Type>A</Type><TTL>long</TTL>"), "TTL 'long' is not of type Integer"},
		"a type that is none":   {set("<Name>a.example.com</Name><Type>B</Type><TTL>1</TTL>"), "Value 'B' is not facet-valid"},
		"no type":               {set("<Name>a.example.com</Name>"), "One of '{Type}' is expected"},
		"the ID twice":          {head + "<HostedZoneId>Z1</HostedZoneId>" + tail, "starting with element 'HostedZoneId'"},
	} {
		status, body := exchangeRaw(t, s.HTTPClient(), route53Request(t, http.MethodPost, "/2013-04-01"+zone+"/rrset/", c.body))
		if status != http.StatusBadRequest || !strings.Contains(body, "<Code>InvalidInput</Code>") || !strings.Contains(strings.ReplaceAll(body, "&#39;", "'"), c.want) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	status, body := exchangeRaw(t, s.HTTPClient(), route53Request(t, http.MethodGet, "/2013-04-01/healthcheck", ""))
	if status != http.StatusNotFound || !strings.Contains(body, "<Code>InvalidAction</Code>") {
		t.Errorf("%d %s", status, body)
	}
	status, body = exchangeRaw(t, s.HTTPClient(), route53Request(t, http.MethodGet, "/2013-04-01/hostedzone/"+strings.ReplaceAll(zone, "/", "%2F"), ""))
	if status != http.StatusOK {
		t.Errorf("an ID with its prefix: %d %s", status, body)
	}
	_, err := route53.NewFromConfig(cfg).ListHostedZones(t.Context(), &route53.ListHostedZonesInput{})
	wantCode(t, err, "SignatureDoesNotMatch", "Credential should be scoped to a valid region, not 'ap-south-1'.")
}

// jsonRequest is a signed call of an operation of a JSON protocol.
func jsonRequest(t *testing.T, target, body, service, region string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://awssim.local/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", jsonContentType)
	r.Header.Set("X-Amz-Target", target)
	if err := v4.NewSigner().SignHTTP(t.Context(), rootKey, r, sha256Hex(body), service, region, time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

func route53Request(t *testing.T, method, path, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://awssim.local"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := v4.NewSigner().SignHTTP(t.Context(), rootKey, r, sha256Hex(body), "route53", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAUserMayDoInRoute53WhatItsPolicyAllows(t *testing.T) {
	s := New(Options{})
	root := route53ClientOf(rootConfig(t, s))
	zone := createTestZone(t, root, shopZone)
	arn := "arn:aws:route53:::" + strings.TrimPrefix(zone, "/")
	client := route53ClientOf(userConfig(t, s, User{Account: ownAccount, Name: "dns", Policies: policies(
		`{"Effect":"Allow","Action":["route53:ListResourceRecordSets","route53:GetHostedZone"],"Resource":"`+arn+`"}`,
		`{"Effect":"Allow","Action":"route53:ListHostedZonesByName","Resource":"*"}`,
		`{"Effect":"Allow","Action":"route53:ChangeResourceRecordSets","Resource":"`+arn+`","Condition":{
			"ForAllValues:StringEquals":{"route53:ChangeResourceRecordSetsRecordTypes":["A"],"route53:ChangeResourceRecordSetsActions":["UPSERT"]},
			"ForAllValues:StringLike":{"route53:ChangeResourceRecordSetsNormalizedRecordNames":["*.example.com"]}}}`,
	)}))
	recordNames(t, client, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone})
	must(client.ListHostedZonesByName(t.Context(), &route53.ListHostedZonesByNameInput{}))(t)
	must(changeRecords(t, client, zone, aRecord(types.ChangeActionUpsert, "Www.example.com.", "10.0.0.1")))(t)
	for _, change := range []types.Change{aRecord(types.ChangeActionCreate, "a.example.com", "10.0.0.1"), aRecord(types.ChangeActionUpsert, "example.com", "10.0.0.1")} {
		_, err := changeRecords(t, client, zone, change)
		wantCode(t, err, "AccessDenied", "not authorized to perform: route53:ChangeResourceRecordSets on resource: "+arn)
	}
	_, err := client.ListHostedZones(t.Context(), &route53.ListHostedZonesInput{})
	wantCode(t, err, "AccessDenied", "User: arn:aws:iam::111122223333:user/dns is not authorized to perform: route53:ListHostedZones on resource: *")
	_, err = client.GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: aws.String("Z1")})
	wantCode(t, err, "AccessDenied", "hostedzone/Z1")
	other := route53ClientOf(sdkConfig(t, s, mumbai, otherAccount, rootSecret, ""))
	_, err = other.GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: &zone})
	wantCode(t, err, "AccessDenied", "is not authorized to access this resource")
}

func TestRoute53AllowsAnAccountFiveRequestsASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := route53ClientOf(rootConfig(t, New(Options{Quotas: true})))
		var err error
		n := 0
		for ; err == nil && n < 10; n++ {
			_, err = client.ListHostedZones(t.Context(), &route53.ListHostedZonesInput{})
		}
		wantCode(t, err, "Throttling", "Rate exceeded")
		if n != 6 {
			t.Error(fmt.Sprint("throttled at call ", n))
		}
	})
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

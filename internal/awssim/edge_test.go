package awssim

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	ga "github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	gatypes "github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// testSite is a load balancer in a region with one target.
func testSite(t *testing.T, cfg aws.Config, balancer seed.Balancer) seed.Site {
	t.Helper()
	site := seed.Site{Balancers: elb.NewFromConfig(cfg), Certificates: acm.NewFromConfig(cfg)}
	site.Balanced = must(balancer.Create(t.Context(), site.Balancers))(t)
	(&elbFixture{client: site.Balancers}).register(t, site.Balanced.TargetGroup, "10.0.0.1")
	return site
}

func TestADomainLeadsThroughAnAcceleratorToTargetsInTwoRegions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Quotas: true})
		cfg, ctx := rootConfig(t, s), t.Context()
		names, accelerators := route53ClientOf(cfg), acceleratorClientOf(cfg)
		sites := []seed.Site{testSite(t, cfg, seed.Balancer{Name: "shop"}), testSite(t, globally(cfg, singapore), seed.Balancer{Name: "shop", Pair: true})}
		domain := seed.Domain{Zone: "example.com", Host: "shop.example.com", Accelerator: "shop"}
		way := must(domain.Create(ctx, names, accelerators, sites...))(t)
		time.Sleep(time.Hour)

		set := must(names.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &way.HostedZone, StartRecordName: &domain.Host}))(t).ResourceRecordSets[0]
		if *set.AliasTarget.DNSName != way.AcceleratorDNSName+"." {
			t.Errorf("%+v", set)
		}
		if got := must(accelerators.DescribeAccelerator(ctx, &ga.DescribeAcceleratorInput{AcceleratorArn: &way.Accelerator}))(t).Accelerator; got.Status != gatypes.AcceleratorStatusDeployed {
			t.Errorf("%+v", got)
		}
		groups := must(accelerators.ListEndpointGroups(ctx, &ga.ListEndpointGroupsInput{ListenerArn: &way.AcceleratorListener}))(t).EndpointGroups
		for _, group := range groups {
			if endpoint := group.EndpointDescriptions[0]; endpoint.HealthState != gatypes.HealthStateHealthy || way.EndpointGroups[*group.EndpointGroupRegion] != *group.EndpointGroupArn {
				t.Errorf("%+v %+v", group, endpoint)
			}
		}
		if len(groups) != 2 {
			t.Errorf("%d endpoint groups", len(groups))
		}
		for i, site := range sites {
			got := describeACM(t, site.Certificates, way.Doors[i].Certificate)
			if got.Status != acmtypes.CertificateStatusIssued || len(got.InUseBy) != 1 || got.InUseBy[0] != site.Balanced.LoadBalancer {
				t.Errorf("%+v", got)
			}
			client := balancerClient(t, s, site.Balanced.DNSName)
			for host, want := range map[string]string{domain.Host: "10.0.0.1:8080\n", "other.example.com": ""} {
				response, err := client.Get("https://" + host + "/")
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				if err != nil || string(body) != want || (response.StatusCode == http.StatusOK) != (want != "") {
					t.Errorf("https://%s: %d %q %v", host, response.StatusCode, body, err)
				}
				_ = response.Body.Close()
			}
			client.CloseIdleConnections()
		}
		// A second host comes in at the same listener, with a certificate of its own.
		second := seed.Domain{Zone: "example.com", Host: "www.example.com", Priority: 200}
		more := must(second.Create(ctx, names, nil, sites...))(t)
		if more.HostedZone != way.HostedZone || more.Doors[0].Listener != way.Doors[0].Listener || more.Doors[0].Rule == way.Doors[0].Rule {
			t.Errorf("%+v is not beside %+v", more, way)
		}
		listed := recordNames(t, names, &route53.ListResourceRecordSetsInput{HostedZoneId: &way.HostedZone, StartRecordName: &second.Host})
		if got := strings.Join(listed[:2], ", "); got != "www.example.com. A ap-south-1, www.example.com. A ap-southeast-1" {
			t.Error(got)
		}
		if certificates := must(sites[0].Balancers.DescribeListenerCertificates(ctx, &elb.DescribeListenerCertificatesInput{ListenerArn: &more.Doors[0].Listener}))(t).Certificates; len(certificates) != 2 {
			t.Errorf("%+v", certificates)
		}
	})
}

func TestADomainLeadsToOneLoadBalancer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{LoadBalancerAddresses: true})
		cfg := rootConfig(t, s)
		names := route53ClientOf(cfg)
		site := testSite(t, cfg, seed.Balancer{Name: "shop"})
		way := must(seed.Domain{Zone: "example.com", Host: "example.com"}.Create(t.Context(), names, nil, site))(t)
		set := must(names.ListResourceRecordSets(t.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: &way.HostedZone}))(t).ResourceRecordSets[0]
		if *set.AliasTarget.DNSName != site.Balanced.DNSName+"." || set.SetIdentifier != nil || way.Accelerator != "" {
			t.Errorf("%+v %+v", set, way)
		}
	})
}

func TestADomainThatCannotBeWiredSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		cfg := rootConfig(t, s)
		site := testSite(t, cfg, seed.Balancer{Name: "shop"})
		_, err := seed.Domain{Zone: "example.com", Host: "shop.example.org"}.Create(t.Context(), route53ClientOf(cfg), nil, site)
		if err == nil || !strings.HasPrefix(err.Error(), "wiring shop.example.org: ") || !strings.Contains(err.Error(), "is not permitted in zone example.com.") {
			t.Error(fmt.Sprint(err))
		}
	})
}

package seed

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// Domain says by which name users reach what is behind load balancers, and on which way.
type Domain struct {
	// Zone is the hosted zone, "example.com". It is created unless the account has a public
	// one of that name.
	Zone string
	// Host is the name that users know, "shop.example.com": the zone's own or one below.
	Host string
	// Accelerator is the name of the accelerator to create before the load balancers; "" leads
	// users straight to those, by latency where there are several.
	Accelerator string
	// Priority of the listeners' rules for the host; 0 means 100.
	Priority int32
}

// Site is a load balancer that a domain leads to, with clients for its region.
type Site struct {
	Balanced     *Balanced
	Balancers    *elb.Client
	Certificates *acm.Client
}

// region is the one in the load balancer's ARN.
func (s Site) region() string { return strings.Split(s.Balanced.LoadBalancer, ":")[3] }

// WayIn is what a domain consists of: ARNs, but for the first and the DNS name. What an
// accelerator has is "" without one.
type WayIn struct {
	HostedZone          string // "/hostedzone/Z..."
	Accelerator         string
	AcceleratorDNSName  string
	AcceleratorListener string
	EndpointGroups      map[string]string // by region
	Doors               []Door            // in the order of the sites
}

// Door is where users enter one of the sites.
type Door struct{ Certificate, Listener, Rule string }

// Create makes, by AWS's own APIs, the hosted zone; at each site a certificate for the host,
// with the record that validates it, an HTTPS listener on port 443 that has it, unless there
// is one, and a rule that forwards the host's requests to the balancer's target groups; the
// accelerator with a listener on port 443 and an endpoint group in each region; and the alias
// record of the host. It waits for the certificates to be issued, which takes AWS a minute or
// two. names signs for us-east-1 and accelerators for us-west-2; the latter may be nil if there
// is to be no accelerator.
func (d Domain) Create(ctx context.Context, names *route53.Client, accelerators *globalaccelerator.Client, sites ...Site) (*WayIn, error) {
	way, err := d.create(ctx, names, accelerators, sites)
	if err != nil {
		return nil, fmt.Errorf("wiring %s: %w", d.Host, err)
	}
	return way, nil
}

func (d Domain) create(ctx context.Context, names *route53.Client, accelerators *globalaccelerator.Client, sites []Site) (*WayIn, error) {
	way := &WayIn{Doors: make([]Door, len(sites)), EndpointGroups: map[string]string{}}
	var err error
	if way.HostedZone, err = d.hostedZone(ctx, names); err != nil {
		return nil, err
	}
	for i, site := range sites {
		if way.Doors[i].Certificate, err = d.request(ctx, names, way.HostedZone, site); err != nil {
			return nil, err
		}
	}
	for i, site := range sites {
		if err := site.issued(ctx, way.Doors[i].Certificate); err != nil {
			return nil, err
		}
		if err := d.open(ctx, site, &way.Doors[i]); err != nil {
			return nil, err
		}
	}
	if d.Accelerator != "" {
		if err := d.accelerate(ctx, accelerators, way, sites); err != nil {
			return nil, err
		}
	}
	return way, d.point(ctx, names, way, sites)
}

func (d Domain) hostedZone(ctx context.Context, names *route53.Client) (id string, err error) {
	listed, err := names.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: &d.Zone})
	if err != nil {
		return "", err
	}
	for _, zone := range listed.HostedZones {
		if strings.TrimSuffix(*zone.Name, ".") == strings.TrimSuffix(d.Zone, ".") && !zone.Config.PrivateZone {
			return *zone.Id, nil
		}
	}
	created, err := names.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: &d.Zone, CallerReference: aws.String("seed " + d.Zone)})
	if err != nil {
		return "", err
	}
	return *created.HostedZone.Id, nil
}

// request requests the site's certificate and makes the record that validates it.
func (d Domain) request(ctx context.Context, names *route53.Client, zone string, site Site) (arn string, err error) {
	requested, err := site.Certificates.RequestCertificate(ctx, &acm.RequestCertificateInput{DomainName: &d.Host, ValidationMethod: acmtypes.ValidationMethodDns})
	if err != nil {
		return "", err
	}
	var record *acmtypes.ResourceRecord
	err = until(ctx, func() (bool, error) {
		described, err := site.Certificates.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: requested.CertificateArn})
		if err != nil {
			return false, err
		}
		if options := described.Certificate.DomainValidationOptions; len(options) > 0 {
			record = options[0].ResourceRecord
		}
		return record != nil, nil
	})
	if err != nil {
		return "", err
	}
	return *requested.CertificateArn, upsert(ctx, names, zone, types.ResourceRecordSet{
		Name: record.Name, Type: types.RRTypeCname, TTL: aws.Int64(300), ResourceRecords: []types.ResourceRecord{{Value: record.Value}},
	})
}

// issued waits for a certificate.
func (s Site) issued(ctx context.Context, certificate string) error {
	return until(ctx, func() (bool, error) {
		described, err := s.Certificates.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &certificate})
		if err != nil {
			return false, err
		}
		switch status := described.Certificate.Status; status {
		case acmtypes.CertificateStatusIssued:
			return true, nil
		case acmtypes.CertificateStatusPendingValidation:
			return false, nil
		default:
			return false, fmt.Errorf("certificate %s is %s", certificate, status)
		}
	})
}

// point makes the alias records of the host.
func (d Domain) point(ctx context.Context, names *route53.Client, way *WayIn, sites []Site) error {
	if way.AcceleratorDNSName != "" {
		return upsert(ctx, names, way.HostedZone, d.alias("Z2BJ6XQ5FK7U4H", way.AcceleratorDNSName))
	}
	var sets []types.ResourceRecordSet
	for _, site := range sites {
		described, err := site.Balancers.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{site.Balanced.LoadBalancer}})
		if err != nil {
			return err
		}
		set := d.alias(aws.ToString(described.LoadBalancers[0].CanonicalHostedZoneId), aws.ToString(described.LoadBalancers[0].DNSName))
		if len(sites) > 1 {
			set.SetIdentifier, set.Region = aws.String(site.region()), types.ResourceRecordSetRegion(site.region())
		}
		sets = append(sets, set)
	}
	return upsert(ctx, names, way.HostedZone, sets...)
}

func (d Domain) alias(zone, name string) types.ResourceRecordSet {
	return types.ResourceRecordSet{
		Name: &d.Host, Type: types.RRTypeA, AliasTarget: &types.AliasTarget{HostedZoneId: &zone, DNSName: &name, EvaluateTargetHealth: true},
	}
}

func upsert(ctx context.Context, names *route53.Client, zone string, sets ...types.ResourceRecordSet) error {
	batch := &types.ChangeBatch{}
	for _, set := range sets {
		batch.Changes = append(batch.Changes, types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: &set})
	}
	_, err := names.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: &zone, ChangeBatch: batch})
	return err
}

// lookEvery is how often until looks.
const lookEvery = 500 * time.Millisecond

// until waits for something to be so.
func until(ctx context.Context, isSo func() (bool, error)) error {
	for {
		done, err := isSo()
		if err != nil || done {
			return err
		}
		timer := time.NewTimer(lookEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// regions are those of the sites, each once.
func regions(sites []Site) []string {
	var names []string
	for _, site := range sites {
		names = append(names, site.region())
	}
	slices.SortFunc(names, cmp.Compare[string])
	return slices.Compact(names)
}

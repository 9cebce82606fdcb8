package wayin

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

var (
	now     = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	regions = []string{"ap-south-1", "us-east-1"}
)

const (
	host        = "api.heliumai.space"
	accelerator = "arn:aws:globalaccelerator::111122223333:accelerator/0a1b2c3d"
	front       = "a0123456789abcdef.awsglobalaccelerator.com"
	group       = "arn:aws:elasticloadbalancing:ap-south-1:111122223333:targetgroup/backend/0123456789abcdef"
	otherGroup  = "arn:aws:elasticloadbalancing:ap-south-1:111122223333:targetgroup/other/0123456789abcdef"
)

func balancerARN(region string) string {
	return "arn:aws:elasticloadbalancing:" + region + ":111122223333:loadbalancer/app/helium/0123456789abcdef"
}

func certificateARN(region string) string {
	return "arn:aws:acm:" + region + ":111122223333:certificate/0a1b2c3d-0000-0000-0000-000000000000"
}

func balancerName(region string) string { return "helium-1." + region + ".elb.amazonaws.com" }

// chain is a way in, and what is seen of it.
type chain struct {
	spec ecsv1alpha1.EcsEndpointSpec
	seen Seen
}

// whole is a way in through an accelerator of which every hop leads on.
func whole() *chain {
	c := &chain{}
	c.spec = ecsv1alpha1.EcsEndpointSpec{Hostname: host, AcceleratorARN: accelerator, Probe: &ecsv1alpha1.EndpointProbe{Path: "/health"}}
	c.seen = Seen{
		Zone:                 Look[*Zone]{Answer: &Zone{ID: "Z1", Name: "heliumai.space"}},
		Records:              Look[[]Record]{Answer: []Record{{Name: host, Type: "A", Alias: front}, {Name: host, Type: "AAAA", Alias: "dualstack." + strings.ToUpper(front)}}},
		Accelerator:          Look[*Accelerator]{Answer: &Accelerator{ARN: accelerator, Names: []string{front}, Addresses: []string{"192.0.2.1", "192.0.2.2"}, Enabled: true, Status: "DEPLOYED"}},
		AcceleratorListeners: Look[[]AcceleratorListener]{Answer: []AcceleratorListener{{Protocol: "TCP", Ports: []PortRange{{80, 80}, {443, 443}}}}},
		Regions:              map[string]*Region{},
	}
	for _, region := range regions {
		c.spec.Regions = append(c.spec.Regions, ecsv1alpha1.EndpointRegion{
			Region: region, LoadBalancerARN: balancerARN(region), Services: []ecsv1alpha1.EndpointService{{Cluster: "helium", Name: "backend"}},
		})
		l := &c.seen.AcceleratorListeners.Answer[0]
		l.Groups = append(l.Groups, EndpointGroup{Region: region, Dial: 100, Endpoints: []AcceleratorEndpoint{{ID: balancerARN(region), Weight: 128, Health: "HEALTHY"}}})
		c.seen.Regions[region] = &Region{
			Balancer:     Look[*Balancer]{Answer: &Balancer{ARN: balancerARN(region), Name: "helium", DNSName: balancerName(region), State: "active"}},
			Listeners:    Look[[]Listener]{Answer: []Listener{{ARN: "http", Port: 80, Protocol: "HTTP"}, {ARN: "https", Port: 443, Protocol: "HTTPS"}}},
			Certificates: Look[[]Certificate]{Answer: []Certificate{{ARN: certificateARN(region), Attached: true, Names: []string{"heliumai.space", "*.heliumai.space"}, Status: "ISSUED", Type: "AMAZON_ISSUED", Method: "DNS", NotAfter: now.AddDate(1, 0, 0)}}},
			Rules:        Look[[]Rule]{Answer: []Rule{{Priority: "10", Hosts: []string{host}, Action: "forward", Groups: []string{group}}, {Priority: "default", Action: "fixed-response"}}},
			Services: []Service{{
				Cluster: "helium", Name: "backend", Groups: Look[[]string]{Answer: []string{group}},
				Tasks: Look[Tasks]{Answer: Tasks{Revision: "helium-backend:7", Running: 2, Healthy: 2}},
			}},
			Answer: &Answer{OK: true, Message: "GET https://api.heliumai.space/health: it answered 200"},
		}
	}
	return c
}

// direct is a way in without an accelerator, by latency to the load balancer of each region.
func direct() *chain {
	c := whole()
	c.spec.AcceleratorARN = ""
	c.seen.Accelerator, c.seen.AcceleratorListeners, c.seen.Records.Answer = Look[*Accelerator]{}, Look[[]AcceleratorListener]{}, nil
	for _, region := range regions {
		c.seen.Records.Answer = append(c.seen.Records.Answer, Record{Name: host, Type: "A", Alias: "dualstack." + balancerName(region), Identifier: region})
	}
	return c
}

func (c *chain) judged() []ecsv1alpha1.Hop { return Judge(&c.spec, &c.seen, now) }

// mumbai is the first region, and what is asked for there.
func (c *chain) mumbai() (*Region, *ecsv1alpha1.EndpointRegion) {
	return c.seen.Regions[regions[0]], &c.spec.Regions[0]
}

func (c *chain) group() *EndpointGroup { return &c.seen.AcceleratorListeners.Answer[0].Groups[0] }

func (c *chain) certificate() *Certificate { return &c.seen.Regions[regions[0]].Certificates.Answer[0] }

func (c *chain) tasks() *Tasks       { return &c.seen.Regions[regions[0]].Services[0].Tasks.Answer }
func (c *chain) rules(rules ...Rule) { c.seen.Regions[regions[0]].Rules.Answer = rules }

// blueGreen has a deployment of app:8 under way from the group that it is usually in to another one;
// requests go to live.
func (c *chain) blueGreen(live string, before, next Tasks) {
	s := &c.seen.Regions[regions[0]].Services[0]
	before.Revision, before.Groups = "helium-backend:7", []string{group}
	next.Revision, next.Groups = "helium-backend:8", []string{otherGroup}
	s.Groups.Answer, s.Tasks.Answer, s.Beside = []string{group, otherGroup}, next, []Tasks{before}
	c.rules(Rule{Priority: "10", Hosts: []string{host}, Action: "forward", Groups: []string{live}})
}

func (c *chain) records(records ...Record) { c.seen.Records.Answer = records }
func (c *chain) endpoint() *AcceleratorEndpoint {
	return &c.group().Endpoints[0]
}

func TestAWayInThatLeadsFromEndToEndIsWell(t *testing.T) {
	for name, c := range map[string]*chain{"through an accelerator": whole(), "to the load balancers": direct()} {
		t.Run(name, func(t *testing.T) {
			hops := c.judged()
			for _, h := range hops {
				if h.State != ecsv1alpha1.HopWell || h.Seen == "" || h.Wanted != "" || h.Action != "" {
					t.Errorf("%+v", h)
				}
			}
			if ok, message := Well(hops, regions[1]); !ok {
				t.Errorf("%s is not well: %s", regions[1], message)
			}
		})
	}
}

// Every way to break a hop, in the first region where it is one of a region.
func TestABreakIsNamedWithWhatWasSeenAndWanted(t *testing.T) {
	denied := &rollout.Problem{Class: rollout.ProblemDenied, Reason: ecsv1alpha1.ReasonAccessDenied, Message: "asking: denied: the role r lacks acm:DescribeCertificate"}
	throttled := &rollout.Problem{Class: rollout.ProblemThrottled, Message: "asking: AWS says not so fast"}
	weight := func(w int64) *int64 { return &w }
	for name, c := range map[string]struct {
		direct bool
		change func(c *chain)
		hop    ecsv1alpha1.HopName
		state  ecsv1alpha1.HopState
		seen   string
		wanted string
	}{
		"no zone":      {change: func(c *chain) { c.seen.Zone.Answer = nil }, hop: "Record", state: "Missing", seen: "no public hosted zone for api.heliumai.space", wanted: "a hosted zone"},
		"no such zone": {change: func(c *chain) { c.spec.HostedZoneID, c.seen.Zone.Answer = "Z9", nil }, hop: "Record", state: "Missing", seen: "no hosted zone Z9", wanted: "that hosted zone"},
		"the zone of something else": {change: func(c *chain) {
			c.spec.HostedZoneID, c.seen.Zone.Answer = "Z9", &Zone{ID: "Z9", Name: "pi.heliumai.space"}
		}, hop: "Record", state: "Missing", seen: "hosted zone Z9 is that of pi.heliumai.space", wanted: "the hosted zone of api.heliumai.space"},
		"a record for IPv6 alone":               {change: func(c *chain) { c.records(c.seen.Records.Answer[1]) }, hop: "Record", state: "Broken", seen: "api.heliumai.space AAAA: alias of", wanted: "an alias to " + front + ", of type A"},
		"a region with a record for IPv6 alone": {direct: true, change: func(c *chain) { c.seen.Records.Answer[0].Type = "AAAA" }, hop: "Record", state: "Broken", seen: "api.heliumai.space AAAA", wanted: "of type A"},
		"no record":                             {change: func(c *chain) { c.records() }, hop: "Record", state: "Missing", seen: "hosted zone Z1 has no A, AAAA or CNAME record of api.heliumai.space", wanted: "an alias to " + front},
		"a record to somewhere else":            {change: func(c *chain) { c.records(Record{Name: host, Type: "A", Alias: "old.example.com"}) }, hop: "Record", state: "Broken", seen: "api.heliumai.space A: alias of old.example.com", wanted: "an alias to " + front},
		"addresses of something else": {change: func(c *chain) {
			c.records(Record{Name: host, Type: "A", Values: []string{"192.0.2.1", "198.51.100.7"}})
		}, hop: "Record", state: "Broken", seen: "192.0.2.1, 198.51.100.7", wanted: front},
		"a second record elsewhere": {change: func(c *chain) { c.seen.Records.Answer[1].Alias = "old.example.com" }, hop: "Record", state: "Broken", seen: "api.heliumai.space AAAA: alias of old.example.com", wanted: front},
		"a weight for something else": {change: func(c *chain) {
			c.records(Record{Name: host, Type: "A", Alias: front, Weight: weight(90), Identifier: "new"}, Record{Name: host, Type: "A", Alias: "old.example.com", Weight: weight(10), Identifier: "old"})
		}, hop: "Record", state: "Broken", seen: "old.example.com (old)", wanted: front},
		"no record for a region": {direct: true, change: func(c *chain) { c.records(c.seen.Records.Answer[1]) }, hop: "Record", state: "Broken", seen: "us-east-1", wanted: "an alias to helium-1.ap-south-1.elb.amazonaws.com"},
		"a stray load balancer": {direct: true, change: func(c *chain) {
			c.records(append(c.seen.Records.Answer, Record{Name: host, Type: "A", Alias: "old.elb.amazonaws.com", Identifier: "old"})...)
		}, hop: "Record", state: "Broken", seen: "old.elb.amazonaws.com (old)", wanted: "an alias to helium-1.ap-south-1.elb.amazonaws.com"},
		"no accelerator":                {change: func(c *chain) { c.seen.Accelerator.Answer = nil }, hop: "Accelerator", state: "Missing", seen: accelerator, wanted: "that accelerator"},
		"a disabled accelerator":        {change: func(c *chain) { c.seen.Accelerator.Answer.Enabled = false }, hop: "Accelerator", state: "Broken", seen: "disabled", wanted: "enabled"},
		"an accelerator under way":      {change: func(c *chain) { c.seen.Accelerator.Answer.Status = "IN_PROGRESS" }, hop: "Accelerator", state: "Pending", seen: "IN_PROGRESS", wanted: "DEPLOYED"},
		"an accelerator without ports":  {change: func(c *chain) { c.seen.AcceleratorListeners.Answer = nil }, hop: "AcceleratorListener", state: "Missing", seen: "no listener", wanted: "TCP 443"},
		"an accelerator of other ports": {change: func(c *chain) { c.seen.AcceleratorListeners.Answer[0].Ports = []PortRange{{80, 81}} }, hop: "AcceleratorListener", state: "Broken", seen: "TCP 80-81", wanted: "TCP 443"},
		"a listener of UDP":             {change: func(c *chain) { c.seen.AcceleratorListeners.Answer[0].Protocol = "UDP" }, hop: "AcceleratorListener", state: "Broken", seen: "UDP", wanted: "TCP 443"},
		"a port override without a listener": {change: func(c *chain) {
			c.group().Port = 8443
			seen, _ := c.mumbai()
			seen.Port = 8443
		}, hop: "Listener", state: "Missing", seen: "HTTP 80, HTTPS 443 only", wanted: "HTTPS 8443"},
		"no endpoint group":       {change: func(c *chain) { c.group().Region = "eu-west-1" }, hop: "EndpointGroup", state: "Missing", seen: "no endpoint group in ap-south-1", wanted: "an endpoint group in ap-south-1"},
		"a dial at 0":             {change: func(c *chain) { c.group().Dial = 0 }, hop: "EndpointGroup", state: "Broken", seen: "at 0 %", wanted: "above 0 %"},
		"an empty endpoint group": {change: func(c *chain) { c.group().Endpoints = nil }, hop: "AcceleratorEndpoint", state: "Missing", seen: "empty", wanted: balancerARN("ap-south-1")},
		"another load balancer":   {change: func(c *chain) { c.endpoint().ID = "another" }, hop: "AcceleratorEndpoint", state: "Broken", seen: "has another", wanted: balancerARN("ap-south-1")},
		"a weight of 0":           {change: func(c *chain) { c.endpoint().Weight = 0 }, hop: "AcceleratorEndpoint", state: "Broken", seen: "weight is 0", wanted: "above 0"},
		"an unhealthy endpoint":   {change: func(c *chain) { c.endpoint().Health, c.endpoint().Reason = "UNHEALTHY", "Returns a null result" }, hop: "AcceleratorEndpoint", state: "Broken", seen: "UNHEALTHY: Returns a null result", wanted: "HEALTHY"},
		"a new endpoint":          {change: func(c *chain) { c.endpoint().Health = "INITIAL" }, hop: "AcceleratorEndpoint", state: "Pending", seen: "INITIAL", wanted: "HEALTHY"},
		"no load balancer named":  {change: func(c *chain) { _, wanted := c.mumbai(); wanted.LoadBalancerARN = "" }, hop: "LoadBalancer", state: "Missing", seen: "names no load balancer in ap-south-1", wanted: "an application load balancer"},
		"no load balancer":        {direct: true, change: func(c *chain) { seen, _ := c.mumbai(); seen.Balancer.Answer = nil }, hop: "LoadBalancer", state: "Missing", seen: balancerARN("ap-south-1"), wanted: "that load balancer"},
		"a load balancer that failed": {change: func(c *chain) {
			seen, _ := c.mumbai()
			seen.Balancer.Answer.State, seen.Balancer.Answer.Reason = "failed", "no addresses"
		}, hop: "LoadBalancer", state: "Broken", seen: "failed: no addresses", wanted: "active"},
		"a load balancer in the making": {change: func(c *chain) { seen, _ := c.mumbai(); seen.Balancer.Answer.State = "provisioning" }, hop: "LoadBalancer", state: "Pending", seen: "provisioning", wanted: "active"},
		"an internal load balancer":     {direct: true, change: func(c *chain) { seen, _ := c.mumbai(); seen.Balancer.Answer.Internal = true }, hop: "LoadBalancer", state: "Broken", seen: "helium is internal", wanted: "internet-facing"},
		"no listener on 443":            {change: func(c *chain) { seen, _ := c.mumbai(); seen.Listeners.Answer = seen.Listeners.Answer[:1] }, hop: "Listener", state: "Missing", seen: "HTTP 80 only", wanted: "HTTPS 443"},
		"a listener without TLS":        {change: func(c *chain) { seen, _ := c.mumbai(); seen.Listeners.Answer[1].Protocol = "HTTP" }, hop: "Listener", state: "Broken", seen: "HTTP 443", wanted: "HTTPS 443"},
		"a certificate for another":     {change: func(c *chain) { c.certificate().Names = []string{"heliumai.space", "*.api.heliumai.space"} }, hop: "Certificate", state: "Missing", seen: "heliumai.space, *.api.heliumai.space", wanted: "a certificate for api.heliumai.space"},
		"a certificate that waits": {change: func(c *chain) {
			c.certificate().Status = "PENDING_VALIDATION"
			c.certificate().Proof = Proof{"_x.heliumai.space.", "CNAME", "_y.acm-validations.aws."}
		}, hop: "Certificate", state: "Pending", seen: "PENDING_VALIDATION", wanted: "ISSUED"},
		"a certificate that expired":    {change: func(c *chain) { c.certificate().NotAfter = now.AddDate(0, 0, -1) }, hop: "Certificate", state: "Broken", seen: "it expired on 2026-11-25", wanted: "valid"},
		"a certificate that is EXPIRED": {change: func(c *chain) { c.certificate().Status = "EXPIRED" }, hop: "Certificate", state: "Broken", seen: "expired", wanted: "valid"},
		"a certificate that FAILED":     {change: func(c *chain) { c.certificate().Status, c.certificate().Why = "FAILED", "CAA_ERROR" }, hop: "Certificate", state: "Broken", seen: "FAILED: CAA_ERROR", wanted: "ISSUED"},
		"a certificate that is gone": {change: func(c *chain) {
			_, wanted := c.mumbai()
			wanted.CertificateARN = certificateARN("ap-south-1")
			c.certificate().Gone = true
		}, hop: "Certificate", state: "Missing", seen: certificateARN("ap-south-1"), wanted: "that certificate"},
		"a certificate of another region": {change: func(c *chain) { _, wanted := c.mumbai(); wanted.CertificateARN = certificateARN("us-east-1") }, hop: "Certificate", state: "Broken", seen: "the certificate is in us-east-1", wanted: "a certificate in ap-south-1"},
		"a certificate not attached": {change: func(c *chain) {
			_, wanted := c.mumbai()
			wanted.CertificateARN = certificateARN("ap-south-1")
			c.certificate().Attached = false
		}, hop: "Certificate", state: "Missing", seen: "does not have", wanted: "on the listener"},
		"a named one for another host": {change: func(c *chain) {
			_, wanted := c.mumbai()
			wanted.CertificateARN = certificateARN("ap-south-1")
			c.certificate().Names = []string{"heliumai.space"}
		}, hop: "Certificate", state: "Broken", seen: "for heliumai.space", wanted: "for api.heliumai.space"},
		"a certificate of IAM": {change: func(c *chain) {
			*c.certificate() = Certificate{ARN: "arn:aws:iam::111122223333:server-certificate/x", Attached: true, Opaque: true}
		}, hop: "Certificate", state: "Unknown", seen: "server-certificate/x", wanted: "Certificate Manager"},
		"more certificates than are looked at": {change: func(c *chain) {
			seen, _ := c.mumbai()
			seen.MoreCertificates = true
			c.certificate().Names = []string{"other.example.com"}
		}, hop: "Certificate", state: "Unknown", seen: "none of the first 1 certificates", wanted: "a certificate for api.heliumai.space"},
		"a probe that is not dialled": {change: func(c *chain) {
			seen, _ := c.mumbai()
			seen.Answer = &Answer{Unasked: true, Refused: true, Message: "not dialled: it is private"}
		}, hop: "Probe", state: "Unknown", seen: "not dialled", wanted: "an answer"},
		"a load balancer whose name is not found": {change: func(c *chain) {
			seen, _ := c.mumbai()
			seen.Answer = &Answer{Unasked: true, Absent: true, Message: "looking up it: no such host"}
		}, hop: "Probe", state: "Unknown", seen: "no such host", wanted: "an answer"},
		"a name that nobody finds": {change: func(c *chain) {
			c.spec.Probe.Via = ecsv1alpha1.ViaPublic
			c.seen.Answer = &Answer{Unasked: true, Absent: true, Message: "looking up api.heliumai.space: no such host"}
		}, hop: "Probe", state: "Broken", seen: "no such host", wanted: "an address of api.heliumai.space"},
		"a resolver that does not answer": {change: func(c *chain) {
			c.spec.Probe.Via = ecsv1alpha1.ViaPublic
			c.seen.Answer = &Answer{Unasked: true, Message: "looking up api.heliumai.space: server misbehaving"}
		}, hop: "Probe", state: "Unknown", seen: "misbehaving", wanted: "an answer"},
		"the tasks that get the traffic of a blue/green deployment": {change: func(c *chain) {
			c.blueGreen(group, Tasks{Running: 2, First: "10.0.0.1:80 is unhealthy"}, Tasks{Running: 2, Healthy: 2})
		}, hop: "Targets", state: "Broken", seen: "0 of 2 tasks of helium-backend:7 are healthy in backend; 10.0.0.1:80 is unhealthy", wanted: "healthy"},
		"the new tasks that get the traffic of a blue/green deployment": {change: func(c *chain) {
			c.blueGreen(otherGroup, Tasks{Running: 2, Healthy: 2}, Tasks{Running: 2, First: "10.0.0.9:80 is unhealthy"})
		}, hop: "Targets", state: "Broken", seen: "0 of 2 tasks of helium-backend:8 are healthy in other; 10.0.0.9:80 is unhealthy", wanted: "healthy"},
		"the new tasks of a canary": {change: func(c *chain) {
			c.blueGreen(group, Tasks{Running: 2, Healthy: 2}, Tasks{Running: 2, First: "10.0.0.9:80 is unhealthy"})
			c.seen.Regions[regions[0]].Rules.Answer[0].Groups = []string{group, otherGroup}
		}, hop: "Targets", state: "Broken", seen: "0 of 2 tasks of helium-backend:8", wanted: "healthy"},
		"the second of two services": {change: func(c *chain) {
			seen, _ := c.mumbai()
			second := seen.Services[0]
			second.Name, second.Tasks.Answer.Healthy = "web", 0
			seen.Services[0].Tasks.Answer.Healthy = 1
			seen.Services = append(seen.Services, second)
		}, hop: "Targets", state: "Broken", seen: "service web: 0 of 2", wanted: "healthy"},
		"new tasks that are unhealthy": {change: func(c *chain) {
			*c.tasks() = Tasks{Revision: "helium-backend:8", Running: 1, Before: "helium-backend:7", First: "10.0.0.1:80 is unhealthy"}
		}, hop: "Targets", state: "Broken", seen: "0 of 1 tasks of helium-backend:8", wanted: "healthy"},
		"a region of weight 0": {direct: true, change: func(c *chain) {
			c.seen.Records.Answer[0].Weight, c.seen.Records.Answer[1].Weight = weight(0), weight(1)
		}, hop: "Record", state: "Broken", seen: "(ap-south-1) has the weight 0", wanted: "a weight above 0"},
		"no rule":             {change: func(c *chain) { c.rules() }, hop: "Rule", state: "Missing", seen: "no rule for api.heliumai.space", wanted: "a rule for api.heliumai.space that forwards to backend"},
		"only a default rule": {change: func(c *chain) { c.rules(Rule{Priority: "default", Action: "fixed-response"}) }, hop: "Rule", state: "Broken", seen: "rule default takes api.heliumai.space and does: fixed-response", wanted: "forwards to backend"},
		"another target group": {change: func(c *chain) {
			c.rules(Rule{Priority: "10", Hosts: []string{host}, Action: "forward", Groups: []string{otherGroup}})
		}, hop: "Rule", state: "Broken", seen: "forward to other", wanted: "forwards to backend"},
		"a rule that is shadowed": {change: func(c *chain) {
			c.rules(Rule{Priority: "5", Hosts: []string{"*.heliumai.space"}, Action: "redirect"}, Rule{Priority: "10", Hosts: []string{host}, Action: "forward", Groups: []string{group}})
		}, hop: "Rule", state: "Broken", seen: "rule 5 (redirect) comes before rule 10, which forwards to backend", wanted: "forwards to backend"},
		"a rule for another host": {change: func(c *chain) {
			c.rules(Rule{Priority: "10", Hosts: []string{"www.heliumai.space"}, Action: "forward", Groups: []string{group}}, Rule{Priority: "default", Action: "fixed-response"})
		}, hop: "Rule", state: "Broken", seen: "rule default takes api.heliumai.space", wanted: "forwards to backend"},
		"a conditional rule that is shadowed": {change: func(c *chain) {
			c.rules(Rule{Priority: "5", Hosts: []string{host}, Action: "forward", Groups: []string{otherGroup}},
				Rule{Priority: "10", Hosts: []string{host}, Other: true, Action: "forward", Groups: []string{group}}, Rule{Priority: "default", Action: "fixed-response"})
		}, hop: "Rule", state: "Broken", seen: "rule 5 (forward to other) comes before rule 10", wanted: "forwards to backend"},
		"a second service behind a conditional rule": {change: func(c *chain) {
			seen, _ := c.mumbai()
			second := seen.Services[0]
			second.Name, second.Groups.Answer = "web", []string{otherGroup}
			seen.Services = append(seen.Services, second)
			c.rules(Rule{Priority: "10", Hosts: []string{host}, Other: true, Action: "forward", Groups: []string{group}})
		}, hop: "Rule", state: "Missing", seen: "no rule for api.heliumai.space", wanted: "forwards to other"},
		"a path within one before": {change: func(c *chain) {
			c.rules(Rule{Priority: "5", Hosts: []string{host}, Paths: []string{"/api/*"}, Action: "fixed-response"},
				Rule{Priority: "10", Hosts: []string{host}, Paths: []string{"/api/v1/*", "/api/?"}, Action: "forward", Groups: []string{group}})
		}, hop: "Rule", state: "Broken", seen: "rule 5 (fixed-response) comes before rule 10", wanted: "forwards to backend"},
		"groups that all weigh nothing": {change: func(c *chain) {
			c.rules(Rule{Priority: "5", Hosts: []string{host}, Action: "forward"})
		}, hop: "Rule", state: "Broken", seen: "does: forward to no target group, since all weigh 0", wanted: "forwards to backend"},
		"a service without a group": {change: func(c *chain) { seen, _ := c.mumbai(); seen.Services[0].Groups.Answer = nil }, hop: "Rule", state: "Missing", seen: "service backend is in no target group", wanted: "a target group"},
		"no healthy target": {change: func(c *chain) {
			c.tasks().Healthy, c.tasks().First = 0, "10.0.0.1:80 is unhealthy (Health checks failed)"
		}, hop: "Targets", state: "Broken", seen: "0 of 2 tasks of helium-backend:7 are healthy in backend; 10.0.0.1:80 is unhealthy", wanted: "healthy"},
		"targets that are new":    {change: func(c *chain) { c.tasks().Healthy, c.tasks().Initial = 0, true }, hop: "Targets", state: "Pending", seen: "0 of 2", wanted: "healthy"},
		"no task of the revision": {change: func(c *chain) { c.tasks().Running, c.tasks().Healthy = 0, 0 }, hop: "Targets", state: "Broken", seen: "no task of helium-backend:7 runs", wanted: "running tasks"},
		"scaled to zero":          {change: func(c *chain) { c.tasks().Idle = true }, hop: "Targets", state: "Broken", seen: "scaled to zero", wanted: "running tasks"},
		"a probe that gets 503": {change: func(c *chain) {
			seen, _ := c.mumbai()
			seen.Answer = &Answer{Message: "GET https://api.heliumai.space/health: it answered 503, wanted 200"}
		}, hop: "Probe", state: "Broken", seen: "answered 503", wanted: "200 from https://api.heliumai.space/health"},
		"a zone denied":          {change: func(c *chain) { c.seen.Zone = Look[*Zone]{Problem: denied} }, hop: "Record", state: "Unknown", seen: "lacks", wanted: "an answer"},
		"records throttled":      {change: func(c *chain) { c.seen.Records = Look[[]Record]{Problem: throttled} }, hop: "Record", state: "Unknown", seen: "not so fast", wanted: "an answer"},
		"an accelerator denied":  {change: func(c *chain) { c.seen.Accelerator = Look[*Accelerator]{Problem: denied} }, hop: "Accelerator", state: "Unknown", seen: "lacks", wanted: "an answer"},
		"its listeners denied":   {change: func(c *chain) { c.seen.AcceleratorListeners = Look[[]AcceleratorListener]{Problem: denied} }, hop: "AcceleratorListener", state: "Unknown", seen: "lacks", wanted: "an answer"},
		"a load balancer denied": {change: func(c *chain) { seen, _ := c.mumbai(); seen.Balancer = Look[*Balancer]{Problem: denied} }, hop: "LoadBalancer", state: "Unknown", seen: "lacks", wanted: "an answer"},
		"listeners denied":       {change: func(c *chain) { seen, _ := c.mumbai(); seen.Listeners = Look[[]Listener]{Problem: denied} }, hop: "Listener", state: "Unknown", seen: "lacks", wanted: "an answer"},
		"certificates denied":    {change: func(c *chain) { seen, _ := c.mumbai(); seen.Certificates = Look[[]Certificate]{Problem: denied} }, hop: "Certificate", state: "Unknown", seen: "acm:DescribeCertificate", wanted: "an answer"},
		"rules denied":           {change: func(c *chain) { seen, _ := c.mumbai(); seen.Rules = Look[[]Rule]{Problem: denied} }, hop: "Rule", state: "Unknown", seen: "lacks", wanted: "an answer"},
		"tasks denied":           {change: func(c *chain) { seen, _ := c.mumbai(); seen.Services[0].Tasks = Look[Tasks]{Problem: denied} }, hop: "Targets", state: "Unknown", seen: "lacks", wanted: "an answer"},
	} {
		t.Run(name, func(t *testing.T) {
			broken := whole()
			if c.direct {
				broken = direct()
			}
			c.change(broken)
			hops := broken.judged()
			i := slices.IndexFunc(hops, func(h ecsv1alpha1.Hop) bool {
				return h.State != ecsv1alpha1.HopWell && h.State != ecsv1alpha1.HopUnreached
			})
			if i < 0 {
				t.Fatalf("every hop is well: %+v", hops)
			}
			h := hops[i]
			if h.Name != c.hop || h.State != c.state || !strings.Contains(h.Seen, c.seen) || !strings.Contains(h.Wanted, c.wanted) || h.Action == "" {
				t.Errorf("got %+v,\nwanted %s %s, seen %q, wanted %q", h, c.hop, c.state, c.seen, c.wanted)
			}
			if h.Region != "" && h.Region != regions[0] {
				t.Errorf("the region is %s", h.Region)
			}
			// In the other region all is well, but for what is behind a hop that both share.
			for _, h := range hops {
				if h.Region == regions[1] && h.State != ecsv1alpha1.HopWell && h.State != ecsv1alpha1.HopUnreached && h.Name != ecsv1alpha1.HopRecord && !isShared(c.hop) {
					t.Errorf("the other region has %+v", h)
				}
			}
			if ok, message := Well(hops, regions[0]); ok || message == "" {
				t.Errorf("%s is well: %s", regions[0], message)
			}
		})
	}
}

func isShared(hop ecsv1alpha1.HopName) bool {
	return hop == ecsv1alpha1.HopAccelerator || hop == ecsv1alpha1.HopAcceleratorListener
}

// What leads on although it looks otherwise at first sight.
func TestWhatLeadsOnAllTheSame(t *testing.T) {
	weight := func(w int64) *int64 { return &w }
	for name, c := range map[string]struct {
		direct bool
		change func(c *chain)
	}{
		"an address of IPv6, spelled out": {change: func(c *chain) {
			c.seen.Accelerator.Answer.Addresses = append(c.seen.Accelerator.Answer.Addresses, "2600:9000:a51f::1")
			c.records(append(c.seen.Records.Answer, Record{Name: host, Type: "AAAA", Values: []string{"2600:9000:a51f:0:0:0:0:1"}})...)
		}},
		"a final dot and case":        {change: func(c *chain) { c.records(Record{Name: host, Type: "A", Alias: strings.ToUpper(front) + "."}) }},
		"a CNAME":                     {change: func(c *chain) { c.records(Record{Name: host, Type: "CNAME", Values: []string{front + "."}}) }},
		"the accelerator's addresses": {change: func(c *chain) { c.records(Record{Name: host, Type: "A", Values: []string{"192.0.2.2", "192.0.2.1"}}) }},
		"something else of weight 0": {change: func(c *chain) {
			c.records(Record{Name: host, Type: "A", Alias: front, Weight: weight(1)}, Record{Name: host, Type: "A", Alias: "old.example.com", Weight: weight(0)})
		}},
		"something else that stands by": {change: func(c *chain) {
			c.records(append(c.seen.Records.Answer, Record{Name: host, Type: "A", Alias: "sorry.example.com", Secondary: true})...)
		}},
		"a region that stands by":                         {direct: true, change: func(c *chain) { c.seen.Records.Answer[0].Secondary = true }},
		"only one that stands by":                         {change: func(c *chain) { c.records(Record{Name: host, Type: "A", Alias: front, Secondary: true}) }},
		"a range of ports":                                {change: func(c *chain) { c.seen.AcceleratorListeners.Answer[0].Ports = []PortRange{{400, 500}} }},
		"an internal load balancer behind an accelerator": {change: func(c *chain) { seen, _ := c.mumbai(); seen.Balancer.Answer.Internal = true }},
		"a rule of another path before": {change: func(c *chain) {
			c.rules(Rule{Priority: "5", Hosts: []string{host}, Paths: []string{"/old/*"}, Action: "redirect"}, Rule{Priority: "10", Hosts: []string{host}, Action: "forward", Groups: []string{group}})
		}},
		"a rule of a part of the paths before": {change: func(c *chain) {
			c.rules(Rule{Priority: "5", Hosts: []string{host}, Paths: []string{"/api/?"}, Action: "redirect"}, Rule{Priority: "10", Hosts: []string{host}, Paths: []string{"/api/*"}, Action: "forward", Groups: []string{group}})
		}},
		"a blue/green deployment that has the traffic": {change: func(c *chain) {
			c.blueGreen(otherGroup, Tasks{Running: 2}, Tasks{Running: 2, Healthy: 2})
		}},
		"a rule of some paths that is shadowed": {change: func(c *chain) {
			c.rules(Rule{Priority: "5", Hosts: []string{host}, Paths: []string{"/old/*"}, Action: "fixed-response"},
				Rule{Priority: "10", Hosts: []string{host}, Paths: []string{"/old/*"}, Action: "forward", Groups: []string{group}},
				Rule{Priority: "20", Hosts: []string{host}, Action: "forward", Groups: []string{group}})
		}},
		"another port of the load balancer": {change: func(c *chain) {
			c.group().Port = 8443
			seen, _ := c.mumbai()
			seen.Port, seen.Listeners.Answer[1].Port = 8443, 8443
		}},
		"two services behind one rule": {change: func(c *chain) {
			seen, _ := c.mumbai()
			second := seen.Services[0]
			second.Name, second.Groups.Answer = "web", []string{otherGroup}
			seen.Services = append(seen.Services, second)
			c.rules(Rule{Priority: "10", Hosts: []string{host}, Action: "forward", Groups: []string{otherGroup, group}})
		}},
		"a rule of another header before": {change: func(c *chain) {
			c.rules(Rule{Priority: "5", Hosts: []string{host}, Other: true, Action: "redirect"}, Rule{Priority: "10", Hosts: []string{host}, Action: "forward", Groups: []string{group}})
		}},
		"the default rule": {change: func(c *chain) { c.rules(Rule{Priority: "default", Action: "forward", Groups: []string{group}}) }},
		"a wildcard rule": {change: func(c *chain) {
			c.rules(Rule{Priority: "10", Hosts: []string{"*.heliumai.sp?ce"}, Action: "forward", Groups: []string{group}})
		}},
		"another certificate that is bad": {change: func(c *chain) {
			seen, _ := c.mumbai()
			seen.Certificates.Answer = append([]Certificate{{ARN: "bad", Attached: true, Names: []string{host}, Status: "EXPIRED"}}, seen.Certificates.Answer...)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			chain := whole()
			if c.direct {
				chain = direct()
			}
			c.change(chain)
			for _, h := range chain.judged() {
				if h.State != ecsv1alpha1.HopWell {
					t.Errorf("%+v", h)
				}
			}
		})
	}
}

func TestAWarningLeadsOn(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c *chain)
		hop    ecsv1alpha1.HopName
		seen   string
	}{
		"a certificate that expires soon": {func(c *chain) { c.certificate().NotAfter = now.AddDate(0, 0, 29) }, "Certificate", "it expires on 2026-12-25"},
		"an email":                        {func(c *chain) { c.certificate().Method = "EMAIL" }, "Certificate", "EMAIL"},
		"an impaired load balancer":       {func(c *chain) { seen, _ := c.mumbai(); seen.Balancer.Answer.State = "active_impaired" }, "LoadBalancer", "active_impaired"},
		"a deployment under way":          {func(c *chain) { *c.tasks() = Tasks{Revision: "helium-backend:8", Before: "helium-backend:7"} }, "Targets", "the deployment of helium-backend:8 is under way; tasks of helium-backend:7 answer"},
		"new tasks that get test traffic": {func(c *chain) {
			c.blueGreen(group, Tasks{Running: 2, Healthy: 2}, Tasks{Running: 2, First: "10.0.0.9:80 is unhealthy"})
			c.rules(Rule{Priority: "1", Hosts: []string{host}, Other: true, Action: "forward", Groups: []string{otherGroup}},
				Rule{Priority: "2", Hosts: []string{host}, Action: "forward", Groups: []string{group}})
		}, "Targets", "the deployment of helium-backend:8 is under way; tasks of helium-backend:7 answer"},
		"new tasks behind a rule that is shadowed": {func(c *chain) {
			c.blueGreen(group, Tasks{Running: 2, Healthy: 2}, Tasks{})
			c.rules(Rule{Priority: "10", Hosts: []string{host}, Action: "forward", Groups: []string{group}}, Rule{Priority: "default", Action: "forward", Groups: []string{otherGroup}})
		}, "Targets", "tasks of helium-backend:7 answer"},
		"a deployment that took the place of one that was under way": {func(c *chain) {
			c.blueGreen(group, Tasks{Running: 2, Healthy: 2}, Tasks{})
			s := &c.seen.Regions[regions[0]].Services[0]
			s.Beside = append([]Tasks{{Revision: "helium-backend:77", Groups: []string{otherGroup}, Running: 1}}, s.Beside...)
		}, "Targets", "the deployment of helium-backend:8 is under way; tasks of helium-backend:7 answer"},
		"new tasks that get no traffic yet": {func(c *chain) {
			c.blueGreen(group, Tasks{Running: 2, Healthy: 2}, Tasks{Running: 2, First: "10.0.0.9:80 is unhealthy"})
		}, "Targets", "the deployment of helium-backend:8 is under way; tasks of helium-backend:7 answer"},
		"a deployment that registers": {func(c *chain) {
			*c.tasks() = Tasks{Revision: "helium-backend:8", Running: 1, Initial: true, Before: "helium-backend:7"}
		}, "Targets", "tasks of helium-backend:7 answer"},
		"a rule of further conditions": {func(c *chain) {
			c.rules(Rule{Priority: "10", Hosts: []string{host}, Other: true, Action: "forward", Groups: []string{group}})
		}, "Rule", "rule 10 leads to backend under conditions that are not looked at"},
		"a rule that leads elsewhere too": {func(c *chain) {
			c.rules(Rule{Priority: "10", Hosts: []string{host}, Action: "forward", Groups: []string{otherGroup, group}, Weights: []int32{99, 1}})
		}, "Rule", "rule 10 leads to backend, but 99 % of its requests to other"},
		"a rule that leads elsewhere a little": {func(c *chain) {
			c.rules(Rule{Priority: "10", Hosts: []string{host}, Action: "forward", Groups: []string{group, otherGroup}, Weights: []int32{999, 1}})
		}, "Rule", "1 % of its requests to other"},
		"one task of two": {func(c *chain) { c.tasks().Healthy = 1 }, "Targets", "1 of 2 tasks"},
	} {
		t.Run(name, func(t *testing.T) {
			chain := whole()
			c.change(chain)
			hops := chain.judged()
			warned := slices.DeleteFunc(slices.Clone(hops), func(h ecsv1alpha1.Hop) bool { return h.State == ecsv1alpha1.HopWell })
			if len(warned) != 1 || warned[0].Name != c.hop || warned[0].State != ecsv1alpha1.HopWarning || !strings.Contains(warned[0].Seen, c.seen) || warned[0].Action == "" {
				t.Errorf("got %+v", warned)
			}
			if ok, message := Well(hops, regions[0]); !ok {
				t.Errorf("it does not lead on: %s", message)
			}
		})
	}
}

func TestTheBetterTasksCountWhereTheRulesAreNotKnown(t *testing.T) {
	c := whole()
	c.blueGreen(group, Tasks{Running: 2, Healthy: 2}, Tasks{})
	seen, _ := c.mumbai()
	seen.Rules = Look[[]Rule]{Problem: &rollout.Problem{Class: rollout.ProblemThrottled, Message: "AWS says not so fast"}}
	i := slices.IndexFunc(c.judged(), func(h ecsv1alpha1.Hop) bool { return h.Name == ecsv1alpha1.HopTargets && h.Region == regions[0] })
	if h := c.judged()[i]; h.State != ecsv1alpha1.HopWarning {
		t.Errorf("got %+v", h)
	}
}

// What stands behind the question mark of a probe's path may be a password.
func TestAQueryIsNotTold(t *testing.T) {
	c := whole()
	c.spec.Probe.Path = "/health?token=s3cret"
	seen, _ := c.mumbai()
	seen.Answer = &Answer{Message: "it answered 503, wanted 200"}
	for _, h := range c.judged() {
		if strings.Contains(fmt.Sprint(h), "s3cret") {
			t.Errorf("%+v", h)
		}
		if h.Name == ecsv1alpha1.HopProbe && h.Region == regions[0] && h.Wanted != "200 from https://api.heliumai.space/health" {
			t.Errorf("wanted is %q", h.Wanted)
		}
	}
}

// A certificate covers a host by the rule of RFC 6125.
func TestAWildcardStandsForOneLabel(t *testing.T) {
	for name, covered := range map[string]bool{
		"api.heliumai.space": true, "*.heliumai.space": true, "*.HeliumAI.space.": true,
		"heliumai.space": false, "*.space": false, "*.api.heliumai.space": false, "*": false, "a*.heliumai.space": false,
	} {
		if got := (Certificate{Names: []string{name}}).covers(host); got != covered {
			t.Errorf("%s covers %s: %v", name, host, got)
		}
	}
}

func TestPatternsOfRules(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		wanted        bool
	}{
		{"*", "", true},
		{"", "", true},
		{"", "a", false},
		{"a*c", "abbc", true},
		{"a*c", "abbd", false},
		{"*.b", "a.b", true},
		{"?", "", false},
		{"?", "a", true},
		{"a?c*", "abc", true},
		{"**a**", "bab", true},
		{"a*b*c", "axbxbxc", true},
		{strings.Repeat("*a", 30), strings.Repeat("a", 100) + "b", false},
	} {
		if got := matches(c.pattern, c.text); got != c.wanted {
			t.Errorf("%q matches %q: %v", c.pattern, c.text, got)
		}
	}
}

func TestTextsFitIntoAHop(t *testing.T) {
	long := clip(strings.Repeat("ü", 400) + "\xff")
	if len(long) > 512 || !strings.HasSuffix(long, "…") {
		t.Errorf("%d bytes: %q", len(long), long)
	}
	if got := clip("short"); got != "short" {
		t.Errorf("got %q", got)
	}
	if got := list([]string{"1", "2", "3", "4", "5", "6", "7"}); got != "1, 2, 3, 4, 5 and 2 more" {
		t.Errorf("got %q", fmt.Sprint(got))
	}
}

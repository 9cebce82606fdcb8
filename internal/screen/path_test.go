package screen

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/wayin"
)

// looked is about when the ways in were looked at, and shownAt is when they are drawn.
var (
	looked  = metav1.Date(2026, 11, 26, 6, 0, 0, 0, time.UTC)
	shownAt = looked.Add(5 * time.Minute)
)

// production is the way in to three regions through an accelerator, staging that to one without.
func production() *ecsv1alpha1.EcsEndpoint {
	e := &ecsv1alpha1.EcsEndpoint{
		TypeMeta:   metav1.TypeMeta{APIVersion: ecsv1alpha1.GroupVersion.String(), Kind: "EcsEndpoint"},
		ObjectMeta: metav1.ObjectMeta{Name: "api", Namespace: "production", Generation: 1},
		Spec: ecsv1alpha1.EcsEndpointSpec{
			Hostname: "api.heliumai.space", AcceleratorARN: "arn:aws:globalaccelerator::111122223333:accelerator/6b2e4c1a-5d1f-4f0e-9a57-0c9b7d3e8f21",
			Probe: &ecsv1alpha1.EndpointProbe{Path: "/health"},
		},
		Status: ecsv1alpha1.EcsEndpointStatus{ObservedGeneration: -1},
	}
	for _, r := range [][2]string{{"ap-southeast-1", "singapore"}, {"ap-south-1", "mumbai"}, {"us-east-1", "virginia"}} {
		e.Spec.Regions = append(e.Spec.Regions, ecsv1alpha1.EndpointRegion{
			Region: r[0], LoadBalancerARN: "arn:aws:elasticloadbalancing:" + r[0] + ":111122223333:loadbalancer/app/helium-" + r[1] + "/50dc6c495c0c9188",
			Services: []ecsv1alpha1.EndpointService{{Cluster: "helium-" + r[1] + "-cluster", Name: "backend"}},
		})
	}
	return e
}

func staging() *ecsv1alpha1.EcsEndpoint {
	e := production()
	e.Namespace, e.Spec.Hostname, e.Spec.AcceleratorARN = "staging", "staging.heliumai.space", ""
	e.Spec.Regions = e.Spec.Regions[1:2]
	e.Spec.Probe.Via = ecsv1alpha1.ViaPublic
	return e
}

// seenOf is a way in as AWS has it where all is well.
func seenOf(e *ecsv1alpha1.EcsEndpoint) *wayin.Seen {
	seen := &wayin.Seen{Regions: map[string]*wayin.Region{}, Answer: &wayin.Answer{OK: true, Message: "200 in 84ms"}}
	seen.Zone.Answer = &wayin.Zone{ID: "Z0123456789ABCDEFGHIJ", Name: "heliumai.space"}
	listener := wayin.AcceleratorListener{Protocol: "TCP", Ports: []wayin.PortRange{{From: 443, To: 443}}}
	for i := range e.Spec.Regions {
		r := &e.Spec.Regions[i]
		_, name, _ := strings.Cut(r.LoadBalancerARN, "loadbalancer/app/")
		name, _, _ = strings.Cut(name, "/")
		listener.Groups = append(listener.Groups, wayin.EndpointGroup{
			Region: r.Region, Dial: 100, Endpoints: []wayin.AcceleratorEndpoint{{ID: r.LoadBalancerARN, Weight: 128, Health: "HEALTHY"}},
		})
		group := "arn:aws:elasticloadbalancing:" + r.Region + ":111122223333:targetgroup/" + name + "-blue/6d0ecf831eec9f09"
		region := &wayin.Region{Services: []wayin.Service{{Cluster: r.Services[0].Cluster, Name: "backend"}}, Answer: &wayin.Answer{OK: true, Message: "200 in 12ms"}}
		region.Balancer.Answer = &wayin.Balancer{ARN: r.LoadBalancerARN, Name: name, DNSName: name + "-1234567890." + r.Region + ".elb.amazonaws.com", State: "active"}
		region.Listeners.Answer = []wayin.Listener{{Port: 80, Protocol: "HTTP"}, {Port: 443, Protocol: "HTTPS"}}
		region.Certificates.Answer = []wayin.Certificate{{
			ARN: "arn:aws:acm:" + r.Region + ":111122223333:certificate/12345678-1234-1234-1234-123456789012", Attached: true,
			Names: []string{"*.heliumai.space"}, Status: "ISSUED", Type: "AMAZON_ISSUED", Method: "DNS", NotAfter: looked.AddDate(0, 6, 0),
		}}
		region.Rules.Answer = []wayin.Rule{
			{Priority: "10", Hosts: []string{e.Spec.Hostname}, Action: "forward", Groups: []string{group}}, {Priority: "default", Action: "fixed-response"},
		}
		region.Services[0].Groups.Answer = []string{group}
		region.Services[0].Tasks.Answer = wayin.Tasks{Revision: "helium-backend:7", Running: 3, Healthy: 3}
		seen.Regions[r.Region] = region
	}
	record := wayin.Record{Name: e.Spec.Hostname, Type: "A", Alias: "a1b2c3d4e5f6a7b8.awsglobalaccelerator.com"}
	if e.Spec.AcceleratorARN == "" {
		record.Alias = seen.Regions[e.Spec.Regions[0].Region].Balancer.Answer.DNSName
	} else {
		seen.Accelerator.Answer = &wayin.Accelerator{ARN: e.Spec.AcceleratorARN, Names: []string{record.Alias}, Enabled: true, Status: "DEPLOYED"}
		seen.AcceleratorListeners.Answer = []wayin.AcceleratorListener{listener}
	}
	seen.Records.Answer = []wayin.Record{record}
	return seen
}

// way is a way in and, at a time, what is made of what AWS has.
type way struct {
	endpoint *ecsv1alpha1.EcsEndpoint
	seen     *wayin.Seen
}

func newWay(e *ecsv1alpha1.EcsEndpoint) *way { return &way{e, seenOf(e)} }

// look looks at the way in some minutes before it is drawn, after a change.
func (w *way) look(minutes int, change func(*wayin.Seen), problem *rollout.Problem) *way {
	if change != nil {
		change(w.seen)
	}
	at := metav1.NewTime(shownAt.Add(-time.Duration(minutes) * time.Minute))
	w.endpoint.Status = wayin.Conclude(w.endpoint, wayin.Judge(&w.endpoint.Spec, w.seen, at.Time), at, problem)
	return w
}

// ways are a way in in each state that people have to tell from the others.
func ways() map[string]*ecsv1alpha1.EcsEndpoint {
	const mumbai = "ap-south-1"
	broken := newWay(production()).look(600, nil, nil).look(7, func(s *wayin.Seen) {
		s.Regions[mumbai].Certificates.Answer[0].NotAfter = looked.Add(-time.Hour)
		s.Regions[mumbai].Answer = &wayin.Answer{Message: "no answer: tls: failed to verify certificate: it is valid from 2025-10-27T00:00:00Z to 2026-11-26T05:00:00Z"}
		tasks := &s.Regions["us-east-1"].Services[0].Tasks.Answer
		tasks.Healthy, tasks.First = 2, "10.3.0.17:8080 is unhealthy (Health checks failed with these codes: [502])"
	}, nil)

	unwired := newWay(production())
	unwired.endpoint.Spec.AcceleratorARN = ""
	unwired.endpoint.Spec.Regions[1].CertificateARN = unwired.seen.Regions[mumbai].Certificates.Answer[0].ARN
	unwired.endpoint.Spec.Regions[2].LoadBalancerARN = ""
	unwired.look(30, func(s *wayin.Seen) {
		s.Records.Answer = nil
		s.Regions["us-east-1"].Balancer.Answer = nil
		s.Regions[mumbai].Listeners.Answer = s.Regions[mumbai].Listeners.Answer[:1] // HTTP 80
		certificate := &s.Regions[mumbai].Certificates.Answer[0]
		certificate.Attached, certificate.Status = false, "PENDING_VALIDATION"
		certificate.Proof = wayin.Proof{Name: "_3c1f.heliumai.space.", Type: "CNAME", Value: "_9b2d.acm-validations.aws."}
		for _, region := range s.Regions {
			region.Answer = nil
		}
	}, nil)

	pending := newWay(production()).look(600, nil, nil).look(1, func(s *wayin.Seen) { s.Accelerator.Answer.Status = "IN_PROGRESS" }, nil)

	denied := &rollout.Problem{
		Class: rollout.ProblemDenied, Reason: ecsv1alpha1.ReasonAccessDenied,
		Message: "describing accelerator " + production().Spec.AcceleratorARN + ": arn:aws:sts::111122223333:assumed-role/ecsrelease-production/ecsrelease is not authorized to perform globalaccelerator:DescribeAccelerator",
	}
	unpermitted := newWay(production()).look(2, func(s *wayin.Seen) { s.Accelerator = wayin.Look[*wayin.Accelerator]{Problem: denied} }, denied)

	warned := newWay(staging()).look(6000, nil, nil).look(3, func(s *wayin.Seen) {
		s.Regions[mumbai].Certificates.Answer[0].NotAfter = looked.AddDate(0, 0, 12)
	}, nil)

	refused := staging()
	refused.Status = wayin.Refused(refused, looked, &rollout.Problem{
		Class: rollout.ProblemRefused, Reason: ecsv1alpha1.ReasonNoEnvironment, Message: `namespace "staging" belongs to no EcsEnvironment`,
	})

	changed := newWay(staging()).look(600, nil, nil)
	changed.endpoint.Generation = 2

	return map[string]*ecsv1alpha1.EcsEndpoint{
		"reachable": newWay(production()).look(600, nil, nil).endpoint,
		"warned":    warned.endpoint, "broken": broken.endpoint, "unwired": unwired.endpoint, "pending": pending.endpoint,
		"unpermitted": unpermitted.endpoint, "refused": refused, "changed-since": changed.endpoint, "not-seen": production(),
	}
}

// A way in in each state, in a file and in terminals. The plugin's tests go by these endpoints too.
func TestPaths(t *testing.T) {
	for name, endpoint := range ways() {
		t.Run(name, func(t *testing.T) {
			written, err := yaml.Marshal(endpoint)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata/endpoints", name)
			golden(t, file+".yaml", []string{strings.TrimSuffix(string(written), "\n")})
			golden(t, file+".plain", Path(endpoint, shownAt, Terminal{}))
			for width, suffix := range map[int]string{80: ".80", 120: ".120"} {
				lines := Path(endpoint, shownAt, Terminal{Width: width, Color: true})
				golden(t, file+suffix, lines)
				for _, l := range lines {
					if n := length(bare(l)); n > width {
						t.Errorf("a line takes %d columns of %d: %s", n, width, l)
					}
				}
			}
		})
	}
}

// From one look to the next a line per change, and none where nothing changed.
func TestChangesOfAPath(t *testing.T) {
	all := ways()
	var lines []string
	var last *ecsv1alpha1.EcsEndpoint
	for _, name := range []string{"not-seen", "unwired", "reachable", "broken", "pending", "unpermitted"} {
		lines = append(append(lines, "# "+name), PathChanges(last, all[name], shownAt, nil)...)
		if again := PathChanges(all[name], all[name], shownAt, nil); again != nil {
			t.Errorf("%s: nothing has changed, and it says %q", name, again)
		}
		last = all[name]
	}
	golden(t, "testdata/endpoints/changes.log", lines)
}

// Regions that find no room beside each other are drawn below each other, and the break is marked once.
func TestManyRegionsAreDrawnBelowEachOther(t *testing.T) {
	e := production()
	for _, region := range []string{"eu-west-1", "eu-central-1", "ap-northeast-1"} {
		r := *e.Spec.Regions[0].DeepCopy()
		r.Region, r.LoadBalancerARN = region, strings.ReplaceAll(r.LoadBalancerARN, "ap-southeast-1", region)
		e.Spec.Regions = append(e.Spec.Regions, r)
	}
	w := newWay(e).look(600, nil, nil).look(7, func(s *wayin.Seen) { s.Regions["eu-west-1"].Listeners.Answer = nil }, nil)
	lines := Path(w.endpoint, shownAt, Terminal{Width: 80})
	golden(t, "testdata/endpoints/six-regions.80", lines)
	marked := slices.DeleteFunc(lines, func(l string) bool { return !strings.HasPrefix(l, here) })
	if len(marked) != 2 || !strings.HasPrefix(marked[0], here+"Listener ") || !strings.HasPrefix(marked[1], here+"Listener in eu-west-1: Missing") {
		t.Errorf("marked are %q, want the hop and what is said of it", marked)
	}
}

// A low terminal shows what is in the way first, and never scrolls.
func TestALowTerminalLeavesOutTheHopsThatLeadOn(t *testing.T) {
	for name, endpoint := range ways() {
		for height := 1; height <= 40; height++ {
			if lines := Path(endpoint, shownAt, Terminal{Width: 100, Height: height}); len(lines) > height {
				t.Errorf("%s: %d lines in a terminal of %d", name, len(lines), height)
			}
		}
	}
	golden(t, "testdata/endpoints/broken.low", Path(ways()["broken"], shownAt, Terminal{Width: 100, Height: 20}))
}

// What comes from AWS is shown and not obeyed.
func TestATerminalObeysNothingThatAHopSays(t *testing.T) {
	const evil = "\x1b]0;owned\x07 \x1b[2J\r\nsecond line\u009b31m"
	e := ways()["broken"]
	before := e.DeepCopy()
	for i := range e.Status.Hops {
		h := &e.Status.Hops[i]
		h.Seen, h.Wanted, h.Action = evil, evil, evil
		before.Status.Hops[i].State = ecsv1alpha1.HopPending
	}
	for i := range e.Status.Conditions {
		e.Status.Conditions[i].Message = evil
	}
	before.Status.Hop = ""
	all := append(Path(e, shownAt, Terminal{}), PathChanges(before, e, shownAt, nil)...)
	for _, l := range all {
		if strings.ContainsAny(l, "\x1b\x07\r\n\u009b") {
			t.Errorf("a line would be obeyed: %q", l)
		}
	}
	if said := strings.Join(all, "\n"); strings.Count(said, "second line") < 40 {
		t.Errorf("what was said is not shown:\n%s", said)
	}
}

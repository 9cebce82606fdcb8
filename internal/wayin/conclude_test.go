package wayin

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// concluded is the status of an endpoint after a look at a chain.
func (c *chain) concluded(before ecsv1alpha1.EcsEndpointStatus, at time.Time) ecsv1alpha1.EcsEndpointStatus {
	endpoint := &ecsv1alpha1.EcsEndpoint{ObjectMeta: metav1.ObjectMeta{Generation: 3}, Spec: c.spec, Status: before}
	return Conclude(endpoint, c.judged(), metav1.NewTime(at), c.seen.Unanswered())
}

// says checks what the conditions say; also is the one beside Ready, "" for none.
func says(t *testing.T, status ecsv1alpha1.EcsEndpointStatus, ready metav1.ConditionStatus, reason, also string, parts ...string) {
	t.Helper()
	c := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReady)
	if c == nil || c.Status != ready || c.Reason != reason {
		t.Fatalf("Ready is %+v, wanted %s %s", c, ready, reason)
	}
	for _, part := range parts {
		if !strings.Contains(c.Message, part) {
			t.Errorf("Ready says %q, wanted %q in it", c.Message, part)
		}
	}
	var others []string
	for _, condition := range status.Conditions {
		if condition.ObservedGeneration != 3 {
			t.Errorf("%s is of generation %d", condition.Type, condition.ObservedGeneration)
		}
		if condition.Type != ecsv1alpha1.ConditionReady {
			others = append(others, condition.Type)
		}
	}
	if strings.Join(others, " ") != also {
		t.Errorf("beside Ready there are %v, wanted %q", others, also)
	}
}

func TestReadyNamesTheFirstBreakFromTheOutsideIn(t *testing.T) {
	c := whole()
	well := c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now)
	says(t, well, metav1.ConditionTrue, ecsv1alpha1.ReasonReachable, "", "api.heliumai.space leads to its services in 2 of 2 regions")
	if well.Wired == nil || well.Hop != "" || well.ObservedGeneration != 3 {
		t.Errorf("%+v", well)
	}

	// From inside: the probe, the targets, the certificate, the record.
	later := now.Add(time.Hour)
	seen, _ := c.mumbai()
	seen.Answer = &Answer{Message: "it answered 503, wanted 200"}
	status := c.concluded(well, later)
	says(t, status, metav1.ConditionFalse, ecsv1alpha1.ReasonBroken, "Stalled", "Probe in ap-south-1: it answered 503", "to do: ")
	c.tasks().Healthy = 0
	says(t, c.concluded(status, later), metav1.ConditionFalse, ecsv1alpha1.ReasonBroken, "Stalled", "Targets in ap-south-1: ", "(and one more hop)")
	c.certificate().Status = "PENDING_VALIDATION"
	says(t, c.concluded(status, later), metav1.ConditionFalse, ecsv1alpha1.ReasonPending, "Reconciling", "Certificate in ap-south-1: PENDING_VALIDATION; wanted: ISSUED")
	c.records()
	status = c.concluded(status, later)
	says(t, status, metav1.ConditionFalse, ecsv1alpha1.ReasonBroken, "Stalled", "Record: hosted zone Z1 has no A, AAAA or CNAME record", "wanted: an alias to "+front, "create the record")
	if status.Hop != "Record" || status.Wired == nil {
		t.Errorf("%+v", status)
	}
	// What did not change since is told to be so since then.
	for _, h := range status.Hops {
		if changed := h.State != ecsv1alpha1.HopWell; changed != h.Since.Time.Equal(later) {
			t.Errorf("%s is %s since %s", h.Name, h.State, h.Since)
		}
	}
}

// What was never whole is a list of steps, the inner ones first.
func TestAWayInThatIsBuiltSaysWhichStepComesNext(t *testing.T) {
	c := whole()
	c.spec.Regions = c.spec.Regions[:1]
	_, wanted := c.mumbai()
	c.spec.AcceleratorARN = accelerator
	built, arn := c.seen, wanted.LoadBalancerARN
	region := *built.Regions[regions[0]]
	built.AcceleratorListeners.Answer[0].Groups = built.AcceleratorListeners.Answer[0].Groups[:1]
	wanted.LoadBalancerARN = ""
	c.seen = Seen{Zone: built.Zone, Records: Look[[]Record]{}, AcceleratorListeners: Look[[]AcceleratorListener]{Unasked: true}, Regions: map[string]*Region{
		regions[0]: {Services: region.Services},
	}}
	status := c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now)
	says(t, status, metav1.ConditionFalse, ecsv1alpha1.ReasonUnwired, "Reconciling", "1 of 11 hops lead on", "next: LoadBalancer in ap-south-1: create an application load balancer")
	at := c.seen.Regions[regions[0]]
	for _, step := range []struct {
		next  string
		build func()
	}{
		{"Listener in ap-south-1: give the load balancer a listener", func() { wanted.LoadBalancerARN, at.Balancer = arn, region.Balancer }},
		{"Certificate in ap-south-1: add a certificate", func() { at.Listeners = region.Listeners }},
		{"Rule in ap-south-1: add a rule", func() { at.Certificates = region.Certificates }},
		{"Accelerator: create an accelerator", func() { at.Rules = region.Rules }},
		{"AcceleratorListener: give the accelerator a listener", func() {
			c.seen.Accelerator, c.seen.AcceleratorListeners = built.Accelerator, Look[[]AcceleratorListener]{}
		}},
		{"EndpointGroup in ap-south-1: add an endpoint group", func() {
			c.seen.AcceleratorListeners.Answer = []AcceleratorListener{{Protocol: "TCP", Ports: []PortRange{{443, 443}}}}
		}},
		{"AcceleratorEndpoint in ap-south-1: add the load balancer", func() {
			c.seen.AcceleratorListeners.Answer[0].Groups = []EndpointGroup{{Region: regions[0], Dial: 100}}
		}},
		{"Record: create the record", func() { c.seen.AcceleratorListeners = built.AcceleratorListeners }},
	} {
		step.build()
		status = c.concluded(status, now)
		says(t, status, metav1.ConditionFalse, ecsv1alpha1.ReasonUnwired, "Reconciling", "next: "+step.next)
		if hop, _, _ := strings.Cut(step.next, ":"); status.Hop != hop {
			t.Errorf("the hop is %q, wanted %q", status.Hop, hop)
		}
	}
	c.seen.Records, at.Answer = built.Records, region.Answer
	status = c.concluded(status, now)
	says(t, status, metav1.ConditionTrue, ecsv1alpha1.ReasonReachable, "")

	// From now on what is missing is a break.
	at.Rules = Look[[]Rule]{}
	says(t, c.concluded(status, now), metav1.ConditionFalse, ecsv1alpha1.ReasonBroken, "Stalled", "Rule in ap-south-1")
	// But for another spec, which is another chain.
	status.ObservedGeneration = 2
	says(t, c.concluded(status, now), metav1.ConditionFalse, ecsv1alpha1.ReasonUnwired, "Reconciling", "next: Rule in ap-south-1")
}

func TestUnknownIsNeverBroken(t *testing.T) {
	c := whole()
	c.seen.Zone = Look[*Zone]{Problem: &rollout.Problem{Class: rollout.ProblemThrottled, Message: "AWS says not so fast"}}
	says(t, c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now), metav1.ConditionUnknown, ecsv1alpha1.ReasonObservationFailed, "Reconciling", "Record: AWS says not so fast")
	// What is denied is what a person has to know of, before what passes by itself.
	seen, _ := c.mumbai()
	seen.Rules = Look[[]Rule]{Problem: &rollout.Problem{Class: rollout.ProblemDenied, Reason: ecsv1alpha1.ReasonAccessDenied, Message: "denied: the role r lacks elasticloadbalancing:DescribeRules"}}
	says(t, c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now), metav1.ConditionUnknown, ecsv1alpha1.ReasonAccessDenied, "Stalled", "lacks elasticloadbalancing:DescribeRules")
	// A break that is known is told, whatever else is not.
	c.group().Dial = 0
	says(t, c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now), metav1.ConditionFalse, ecsv1alpha1.ReasonBroken, "Stalled", "EndpointGroup in ap-south-1")
}

// A probe that may not be made is not made by waiting.
func TestWhatNobodyMayLookAtIsForAPerson(t *testing.T) {
	c := whole()
	seen, _ := c.mumbai()
	seen.Answer = &Answer{Unasked: true, Refused: true, Message: "not dialled: it is private"}
	says(t, c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now), metav1.ConditionUnknown, ecsv1alpha1.ReasonObservationFailed, "Stalled",
		"Probe in ap-south-1: not dialled: it is private; to do: let the manager dial it")
	seen.Answer = &Answer{Unasked: true, Message: "the resolver does not answer"}
	says(t, c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now), metav1.ConditionUnknown, ecsv1alpha1.ReasonObservationFailed, "Reconciling", "Probe in ap-south-1: the resolver does not answer")
}

func TestAWaveDoesNotPassByAWayInThatIsNotKnown(t *testing.T) {
	c := whole()
	seen, _ := c.mumbai()
	seen.Rules = Look[[]Rule]{Problem: &rollout.Problem{Class: rollout.ProblemThrottled, Message: "AWS says not so fast"}}
	if ok, message := Well(c.judged(), regions[0]); ok || !strings.Contains(message, "AWS says not so fast") {
		t.Errorf("it is well: %t, %q", ok, message)
	}
}

func TestAWarningIsToldAndReady(t *testing.T) {
	c := whole()
	c.certificate().NotAfter = now.AddDate(0, 0, 10)
	says(t, c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now), metav1.ConditionTrue, ecsv1alpha1.ReasonReachableWithWarnings, "", "Certificate in ap-south-1: it expires on 2026-12-06")
}

func TestAnEndpointThatMayNotBeLookedAtSaysWhy(t *testing.T) {
	c := whole()
	endpoint := &ecsv1alpha1.EcsEndpoint{ObjectMeta: metav1.ObjectMeta{Generation: 3}, Spec: c.spec, Status: c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now)}
	status := Refused(endpoint, metav1.NewTime(now), &rollout.Problem{Class: rollout.ProblemRefused, Reason: ecsv1alpha1.ReasonNoEnvironment, Message: "no EcsEnvironment names it"})
	says(t, status, metav1.ConditionFalse, ecsv1alpha1.ReasonNoEnvironment, "Stalled", "no EcsEnvironment names it")
	if len(status.Hops) > 0 || status.Hop != "" {
		t.Errorf("it still tells of hops: %+v", status)
	}
}

// A look that sees the same writes the same, whenever it is made.
func TestASecondLookIsNoNews(t *testing.T) {
	c := whole()
	c.group().Dial = 0
	first := c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now)
	second := c.concluded(first, now.Add(5*time.Minute))
	if !slices.Equal(first.Hops, second.Hops) || !slices.Equal(first.Conditions, second.Conditions) {
		t.Errorf("%+v\n%+v", first, second)
	}
}

// Of two regions with the same trouble it is always the same one that is told of.
func TestTheSameTroubleIsToldTheSameWay(t *testing.T) {
	c := whole()
	for _, region := range regions {
		c.seen.Regions[region].Certificates = Look[[]Certificate]{Problem: &rollout.Problem{
			Class: rollout.ProblemDenied, Reason: ecsv1alpha1.ReasonAccessDenied, Message: "denied: the role r lacks acm:DescribeCertificate on " + certificateARN(region),
		}}
	}
	first := c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now)
	for range 50 {
		if again := c.concluded(first, now.Add(time.Minute)); !slices.Equal(first.Conditions, again.Conditions) {
			t.Fatalf("%+v\n%+v", first.Conditions, again.Conditions)
		}
	}
}

// What AWS does not tell now is what it was, and what it tells is what it is.
func TestAHopThatIsNotKnownNowIsWhatItWas(t *testing.T) {
	c := whole()
	before := c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now)
	c.seen.Zone = Look[*Zone]{Problem: &rollout.Problem{Class: rollout.ProblemThrottled, Message: "AWS says not so fast"}}
	seen, _ := c.mumbai()
	seen.Answer = &Answer{Message: "it answered 503"}
	hops := Recall(&c.spec, &c.seen, now, before.Hops)
	if hops[0].Name != ecsv1alpha1.HopRecord || hops[0].State != ecsv1alpha1.HopWell {
		t.Errorf("the record is %+v", hops[0])
	}
	if ok, message := Well(hops, regions[0]); ok || !strings.Contains(message, "it answered 503") {
		t.Errorf("the probe is well: %s", message)
	}
}

// Behind a hop that is not known nothing can be looked at either: what is broken there stays broken, and
// what was never there does not come into being.
func TestAThrottleHealsNothing(t *testing.T) {
	throttled := &rollout.Problem{Class: rollout.ProblemThrottled, Message: "AWS says not so fast"}
	conclude := func(c *chain, before ecsv1alpha1.EcsEndpointStatus, hops []ecsv1alpha1.Hop) ecsv1alpha1.EcsEndpointStatus {
		endpoint := &ecsv1alpha1.EcsEndpoint{ObjectMeta: metav1.ObjectMeta{Generation: 3}, Spec: c.spec, Status: before}
		return Conclude(endpoint, hops, metav1.NewTime(now), throttled)
	}
	unanswered := func(c *chain) {
		seen, _ := c.mumbai()
		*seen = Region{
			Balancer: Look[*Balancer]{Problem: throttled}, Listeners: Look[[]Listener]{Unasked: true},
			Certificates: Look[[]Certificate]{Unasked: true}, Rules: Look[[]Rule]{Unasked: true}, Services: seen.Services,
		}
	}

	c := whole()
	wired := c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now)
	c.certificate().NotAfter = now.AddDate(0, 0, -1)
	broken := c.concluded(wired, now)
	unanswered(c)
	says(t, conclude(c, broken, Recall(&c.spec, &c.seen, now, broken.Hops)), metav1.ConditionFalse, ecsv1alpha1.ReasonBroken, "Stalled", "Certificate in ap-south-1: it expired")
	says(t, conclude(c, wired, Recall(&c.spec, &c.seen, now, wired.Hops)), metav1.ConditionTrue, ecsv1alpha1.ReasonReachable, "")
	if hops := c.judged(); hops[len(hops)-2].State != ecsv1alpha1.HopUnreached {
		t.Fatalf("the probe was made: %+v", hops[len(hops)-2])
	} else if ok, message := Well(hops, regions[0]); ok || !strings.Contains(message, "not so fast") {
		t.Errorf("a wave passes: %s", message)
	}

	// A load balancer that is gone is gone, whatever else is not known.
	seen, _ := c.mumbai()
	seen.Balancer.Problem, c.seen.Zone.Problem = nil, throttled
	for _, h := range Recall(&c.spec, &c.seen, now, wired.Hops) {
		want := map[ecsv1alpha1.HopName]ecsv1alpha1.HopState{"Record": "Well", "LoadBalancer": "Missing", "Listener": "Unreached", "Probe": "Unreached"}[h.Name]
		if h.Region != regions[1] && want != "" && h.State != want {
			t.Errorf("%s is %s, wanted %s", h.Name, h.State, want)
		}
	}

	// A chain that was never whole does not get whole by what is not known.
	c = whole()
	c.seen.Records.Answer = nil
	built := c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now)
	c.seen.Accelerator, c.seen.AcceleratorListeners = Look[*Accelerator]{Problem: throttled}, Look[[]AcceleratorListener]{Unasked: true}
	says(t, conclude(c, built, Recall(&c.spec, &c.seen, now, built.Hops)), metav1.ConditionFalse, ecsv1alpha1.ReasonUnwired, "Reconciling", "next: Record")
	// One of which nothing was known before is not known now.
	for i := range built.Hops {
		built.Hops[i].State = ecsv1alpha1.HopWell
	}
	built.Hops[0].State = ecsv1alpha1.HopUnreached
	got := conclude(c, ecsv1alpha1.EcsEndpointStatus{ObservedGeneration: 3}, Recall(&c.spec, &c.seen, now, built.Hops))
	says(t, got, metav1.ConditionUnknown, ecsv1alpha1.ReasonObservationFailed, "Reconciling", "Record: not looked at: Accelerator comes first")
	if got.Wired != nil {
		t.Errorf("it counts as wired since %s", got.Wired)
	}
}

// What was never seen well at one time is not called that: the record is there now, and the rules, which
// nobody can look at, may not be.
func TestAThrottleWiresNothing(t *testing.T) {
	throttled := &rollout.Problem{Class: rollout.ProblemThrottled, Message: "AWS says not so fast"}
	c := whole()
	record := c.seen.Records.Answer
	c.seen.Records.Answer = nil
	built := c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now)
	c.seen.Records.Answer = record
	seen, _ := c.mumbai()
	seen.Rules = Look[[]Rule]{Problem: throttled}
	endpoint := &ecsv1alpha1.EcsEndpoint{ObjectMeta: metav1.ObjectMeta{Generation: 3}, Spec: c.spec, Status: built}
	got := Conclude(endpoint, Recall(&c.spec, &c.seen, now, built.Hops), metav1.NewTime(now), c.seen.Unanswered())
	says(t, got, metav1.ConditionUnknown, ecsv1alpha1.ReasonObservationFailed, "Reconciling", "AWS says not so fast")
	if got.Wired != nil {
		t.Errorf("it counts as wired since %s", got.Wired)
	}
}

// A call that is denied for good keeps no throttle from passing over what was seen before.
func TestADenialDoesNotMakeAThrottleForget(t *testing.T) {
	c := whole()
	c.seen.Regions[regions[1]].Certificates = Look[[]Certificate]{Problem: &rollout.Problem{
		Class: rollout.ProblemDenied, Reason: ecsv1alpha1.ReasonAccessDenied, Message: "denied: the role r lacks acm:DescribeCertificate",
	}}
	c.tasks().Healthy = 0
	broken := c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now)
	if c.seen.Delayed() != nil {
		t.Errorf("a denial passes by itself: %+v", c.seen.Delayed())
	}
	c.seen.Regions[regions[0]].Services[0].Tasks = Look[Tasks]{Problem: &rollout.Problem{Class: rollout.ProblemThrottled, Message: "AWS says not so fast"}}
	endpoint := &ecsv1alpha1.EcsEndpoint{ObjectMeta: metav1.ObjectMeta{Generation: 3}, Spec: c.spec, Status: broken}
	if c.seen.Delayed() == nil {
		t.Error("a throttle does not pass by itself")
	}
	hops := Recall(&c.spec, &c.seen, now, broken.Hops)
	says(t, Conclude(endpoint, hops, metav1.NewTime(now), c.seen.Unanswered()), metav1.ConditionFalse, ecsv1alpha1.ReasonBroken, "Stalled", "Targets in ap-south-1: service backend: 0 of 2")
	for _, h := range hops {
		if h.Name == ecsv1alpha1.HopCertificate && h.Region == regions[1] && h.State != ecsv1alpha1.HopUnknown {
			t.Errorf("what is denied is %+v", h)
		}
	}
}

// A chain that was refused before it was looked at is a new one.
func TestARefusedChainIsNotWired(t *testing.T) {
	c := whole()
	endpoint := &ecsv1alpha1.EcsEndpoint{ObjectMeta: metav1.ObjectMeta{Generation: 3}, Spec: c.spec, Status: c.concluded(ecsv1alpha1.EcsEndpointStatus{}, now)}
	endpoint.Generation = 4
	if status := Refused(endpoint, metav1.NewTime(now), &rollout.Problem{Reason: ecsv1alpha1.ReasonNotPermitted}); status.Wired != nil {
		t.Errorf("it was wired at %s", status.Wired)
	}
}

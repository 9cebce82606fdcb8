package controllers_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	ga "github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	gatypes "github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
)

// breakage is something that goes wrong in AWS, or is asked for wrongly, and what is said of it.
type breakage struct {
	name string
	// hop is the one that is named; of one in a region the region is added.
	hop          string
	state        ecsv1alpha1.HopState
	seen, wanted string
	// global is a breakage that is none of a region.
	global bool
	// do breaks it in a region, by the number of its site, and returns what heals it.
	do func(w *wired, site int) (heal func())
}

// breakages are, of every hop, the ways in which it breaks.
var breakages = []breakage{
	{
		name: "no record", hop: "Record", state: ecsv1alpha1.HopMissing, seen: "has no A, AAAA or CNAME record of api.", wanted: ".awsglobalaccelerator.com", global: true,
		do: func(w *wired, _ int) func() {
			set := w.record()
			w.records(r53types.ChangeActionDelete, set)
			return func() { w.records(r53types.ChangeActionCreate, set) }
		},
	},
	{
		name: "a record that leads elsewhere", hop: "Record", state: ecsv1alpha1.HopBroken, seen: "A: 198.51.100.7", wanted: ".awsglobalaccelerator.com", global: true,
		do: func(w *wired, _ int) func() {
			set := w.record()
			elsewhere := r53types.ResourceRecordSet{Name: set.Name, Type: set.Type, TTL: aws.Int64(60), ResourceRecords: []r53types.ResourceRecord{{Value: aws.String("198.51.100.7")}}}
			w.records(r53types.ChangeActionUpsert, elsewhere)
			return func() { w.records(r53types.ChangeActionUpsert, set) }
		},
	},
	{
		name: "another zone", hop: "Record", state: ecsv1alpha1.HopMissing, seen: "no hosted zone Z0NOSUCHZONE", wanted: "that hosted zone", global: true,
		do: func(w *wired, _ int) func() {
			return w.edit(func(spec *ecsv1alpha1.EcsEndpointSpec) { spec.HostedZoneID = "Z0NOSUCHZONE" })
		},
	},
	{
		name: "no such accelerator", hop: "Accelerator", state: ecsv1alpha1.HopMissing, seen: "has no arn:aws:globalaccelerator::", wanted: "that accelerator", global: true,
		do: func(w *wired, _ int) func() {
			return w.edit(func(spec *ecsv1alpha1.EcsEndpointSpec) {
				spec.AcceleratorARN = "arn:aws:globalaccelerator::" + w.account + ":accelerator/00000000-0000-0000-0000-000000000000"
			})
		},
	},
	{
		name: "a disabled accelerator", hop: "Accelerator", state: ecsv1alpha1.HopBroken, seen: "disabled", wanted: "enabled", global: true,
		do: func(w *wired, _ int) func() {
			enable := func(enabled bool) {
				_, err := w.ga().UpdateAccelerator(w.t.Context(), &ga.UpdateAcceleratorInput{AcceleratorArn: &w.way.Accelerator, Enabled: &enabled})
				w.must(err)
			}
			enable(false)
			return func() { enable(true) }
		},
	},
	{
		name: "an accelerator of another port", hop: "AcceleratorListener", state: ecsv1alpha1.HopBroken, seen: "TCP 8443", wanted: "TCP 443", global: true,
		do: func(w *wired, _ int) func() {
			listen := func(port int32) {
				_, err := w.ga().UpdateListener(w.t.Context(), &ga.UpdateListenerInput{
					ListenerArn: &w.way.AcceleratorListener, Protocol: gatypes.ProtocolTcp, PortRanges: []gatypes.PortRange{{FromPort: &port, ToPort: &port}},
				})
				w.must(err)
			}
			listen(8443)
			return func() { listen(443) }
		},
	},
	{
		name: "a dial at 0", hop: "EndpointGroup", state: ecsv1alpha1.HopBroken, seen: "at 0 %", wanted: "above 0 %",
		do: func(w *wired, site int) func() {
			w.endpointGroup(site, 0, 128)
			return func() { w.endpointGroup(site, 100, 128) }
		},
	},
	{
		name: "no endpoint group", hop: "EndpointGroup", state: ecsv1alpha1.HopMissing, seen: "no endpoint group in ", wanted: "an endpoint group in ",
		do: func(w *wired, site int) func() {
			region := places[site].region
			_, err := w.ga().DeleteEndpointGroup(w.t.Context(), &ga.DeleteEndpointGroupInput{EndpointGroupArn: aws.String(w.way.EndpointGroups[region])})
			w.must(err)
			return func() {
				made, err := w.ga().CreateEndpointGroup(w.t.Context(), &ga.CreateEndpointGroupInput{
					ListenerArn: &w.way.AcceleratorListener, EndpointGroupRegion: &region, IdempotencyToken: aws.String(region + time.Now().String()),
					EndpointConfigurations: []gatypes.EndpointConfiguration{{EndpointId: &w.sites[site].Balanced.LoadBalancer}},
				})
				w.must(err)
				w.way.EndpointGroups[region] = *made.EndpointGroup.EndpointGroupArn
			}
		},
	},
	{
		name: "an endpoint that was removed", hop: "AcceleratorEndpoint", state: ecsv1alpha1.HopMissing, seen: "empty", wanted: ":loadbalancer/app/helium/",
		do: func(w *wired, site int) func() {
			group := w.way.EndpointGroups[places[site].region]
			_, err := w.ga().RemoveEndpoints(w.t.Context(), &ga.RemoveEndpointsInput{
				EndpointGroupArn: &group, EndpointIdentifiers: []gatypes.EndpointIdentifier{{EndpointId: &w.sites[site].Balanced.LoadBalancer}},
			})
			w.must(err)
			return func() { w.endpointGroup(site, 100, 128) }
		},
	},
	{
		name: "an endpoint without weight", hop: "AcceleratorEndpoint", state: ecsv1alpha1.HopBroken, seen: "weight is 0", wanted: "above 0",
		do: func(w *wired, site int) func() {
			w.endpointGroup(site, 100, 0)
			return func() { w.endpointGroup(site, 100, 128) }
		},
	},
	{
		name: "no load balancer named", hop: "LoadBalancer", state: ecsv1alpha1.HopMissing, seen: "names no load balancer in ", wanted: "an application load balancer",
		do: func(w *wired, site int) func() {
			return w.edit(func(spec *ecsv1alpha1.EcsEndpointSpec) { spec.Regions[site].LoadBalancerARN = "" })
		},
	},
	{
		name: "a listener that is gone", hop: "Listener", state: ecsv1alpha1.HopMissing, seen: "HTTPS 8443 only", wanted: "HTTPS 443",
		do: func(w *wired, site int) func() {
			listen := func(port int32) {
				_, err := w.sites[site].Balancers.ModifyListener(w.t.Context(), &elb.ModifyListenerInput{ListenerArn: &w.way.Doors[site].Listener, Port: &port})
				w.must(err)
			}
			listen(8443)
			return func() { listen(443) }
		},
	},
	{
		name: "a certificate that waits", hop: "Certificate", state: ecsv1alpha1.HopPending, seen: "PENDING_VALIDATION", wanted: "ISSUED",
		do: func(w *wired, site int) func() { return w.certificate(site, "PENDING_VALIDATION") },
	},
	{
		name: "a certificate that expired", hop: "Certificate", state: ecsv1alpha1.HopBroken, seen: "it expired on ", wanted: "a certificate that is valid",
		do: func(w *wired, site int) func() { return w.certificate(site, "EXPIRED") },
	},
	{
		name: "a certificate that was revoked", hop: "Certificate", state: ecsv1alpha1.HopBroken, seen: "REVOKED", wanted: "ISSUED",
		do: func(w *wired, site int) func() { return w.certificate(site, "REVOKED") },
	},
	{
		name: "a certificate of another region", hop: "Certificate", state: ecsv1alpha1.HopBroken, seen: "the certificate is in ", wanted: "a certificate in ",
		do: func(w *wired, site int) func() {
			return w.edit(func(spec *ecsv1alpha1.EcsEndpointSpec) {
				spec.Regions[site].CertificateARN = w.way.Doors[1-site].Certificate
			})
		},
	},
	{
		name: "no such certificate", hop: "Certificate", state: ecsv1alpha1.HopMissing, seen: "there is no arn:aws:acm:", wanted: "that certificate",
		do: func(w *wired, site int) func() {
			return w.edit(func(spec *ecsv1alpha1.EcsEndpointSpec) {
				spec.Regions[site].CertificateARN = "arn:aws:acm:" + places[site].region + ":" + w.account + ":certificate/00000000-0000-0000-0000-000000000000"
			})
		},
	},
	{
		name: "a rule that is shadowed", hop: "Rule", state: ecsv1alpha1.HopBroken, seen: "rule 1 (fixed-response) comes before rule 100, which forwards to helium", wanted: "that forwards to helium",
		do: func(w *wired, site int) func() {
			made, err := w.sites[site].Balancers.CreateRule(w.t.Context(), &elb.CreateRuleInput{
				ListenerArn: &w.way.Doors[site].Listener, Priority: aws.Int32(1), Actions: []elbtypes.Action{gone()},
				Conditions: []elbtypes.RuleCondition{{Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: []string{"*.example.com"}}}},
			})
			w.must(err)
			return func() {
				_, err := w.sites[site].Balancers.DeleteRule(w.t.Context(), &elb.DeleteRuleInput{RuleArn: made.Rules[0].RuleArn})
				w.must(err)
			}
		},
	},
	{
		name: "a rule that does something else", hop: "Rule", state: ecsv1alpha1.HopBroken, seen: "and does: fixed-response", wanted: "that forwards to helium",
		do: func(w *wired, site int) func() {
			does := func(actions ...elbtypes.Action) {
				_, err := w.sites[site].Balancers.ModifyRule(w.t.Context(), &elb.ModifyRuleInput{RuleArn: &w.way.Doors[site].Rule, Actions: actions})
				w.must(err)
			}
			does(gone())
			return func() {
				does(elbtypes.Action{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &w.sites[site].Balanced.TargetGroup})
			}
		},
	},
	{
		name: "another target group", hop: "Rule", state: ecsv1alpha1.HopBroken, seen: "forward to other", wanted: "that forwards to helium",
		do: func(w *wired, site int) func() {
			balancers := w.sites[site].Balancers
			made, err := balancers.CreateTargetGroup(w.t.Context(), &elb.CreateTargetGroupInput{
				Name: aws.String("other"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), TargetType: elbtypes.TargetTypeEnumIp, VpcId: aws.String("vpc-0a1b2c3d"),
			})
			w.must(err)
			forward := func(group *string) {
				_, err := balancers.ModifyRule(w.t.Context(), &elb.ModifyRuleInput{
					RuleArn: &w.way.Doors[site].Rule, Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: group}},
				})
				w.must(err)
			}
			forward(made.TargetGroups[0].TargetGroupArn)
			return func() {
				forward(&w.sites[site].Balanced.TargetGroup)
				_, err := balancers.DeleteTargetGroup(w.t.Context(), &elb.DeleteTargetGroupInput{TargetGroupArn: made.TargetGroups[0].TargetGroupArn})
				w.must(err)
			}
		},
	},
}

// denials are the calls that a look makes, and the hop that says so when one is denied.
var denials = []struct {
	action, hop string
	global      bool
}{
	{"route53:ListHostedZonesByName", "Record", true},
	{"route53:ListResourceRecordSets", "Record", true},
	{"globalaccelerator:DescribeAccelerator", "Accelerator", true},
	{"globalaccelerator:ListListeners", "AcceleratorListener", true},
	{"globalaccelerator:ListEndpointGroups", "AcceleratorListener", true},
	{"elasticloadbalancing:DescribeLoadBalancers", "LoadBalancer", false},
	{"elasticloadbalancing:DescribeListeners", "Listener", false},
	{"elasticloadbalancing:DescribeListenerCertificates", "Certificate", false},
	{"acm:DescribeCertificate", "Certificate", false},
	{"elasticloadbalancing:DescribeRules", "Rule", false},
	{"ecs:DescribeServices", "Rule", false},
	{"elasticloadbalancing:DescribeTargetHealth", "Targets", false},
	{"ecs:ListTasks", "Targets", false},
}

func TestEveryBreakOfAWayInIsNamedInOneRegion(t *testing.T) { breaks(t, 1) }

func TestEveryBreakOfAWayInIsNamedInAllRegions(t *testing.T) { breaks(t, 0, 1) }

// breaks breaks one hop after the other at some sites, and heals it.
func breaks(t *testing.T, sites ...int) {
	w := wire(t)
	w.leads()
	for _, b := range breakages {
		t.Log(b.name)
		hop, at := b.hop, sites
		if b.global {
			at = sites[:1]
		} else {
			hop += " in " + places[sites[0]].region
		}
		var heals []func()
		for _, site := range at {
			heals = append(heals, b.do(w, site))
		}
		w.stops(hop, b.state, b.seen, b.wanted)
		for i := range heals {
			heals[len(heals)-1-i]()
		}
		w.leads()
	}
}

// What is denied is unknown, never broken, and says which action is missing.
func TestADeniedCallIsUnknownAndNamed(t *testing.T) {
	w := wire(t)
	w.leads()
	for _, d := range denials {
		t.Log(d.action)
		hop := d.hop
		if !d.global {
			hop += " in " + home
		}
		heal := w.denyCall(d.action)
		w.stops(hop, ecsv1alpha1.HopUnknown, "lacks "+d.action, "an answer")
		heal()
		w.leads()
	}
}

// What the tasks do shows in the hops that lead to them.
func TestTasksThatDoNotAnswerBreakTheWayIn(t *testing.T) {
	w := wire(t)
	w.leads()
	was := w.describe(home, cluster, "backend").TaskDefinition
	run := func(revision *string) {
		_, err := w.ecs(home).UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(cluster), Service: aws.String("backend"), TaskDefinition: revision})
		w.must(err)
	}
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageErrors, Image: "*:v2", HTTPStatus: 503})
	w.push("v2")
	run(aws.String(w.register(home, cluster, "backend", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].Image = aws.String(w.image(home, ":v2"))
	})))
	w.stops("Probe in "+home, ecsv1alpha1.HopBroken, "it answered 503, wanted 200", "200 from https://"+w.hostname+"/health")
	run(was)
	w.leads()
	// A revision that does not get healthy, while the tasks of the one before it are.
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageUnhealthy, Check: "elb", Image: "*:v3"})
	w.push("v3")
	run(aws.String(w.register(home, cluster, "backend", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].Image = aws.String(w.image(home, ":v3"))
	})))
	w.stops("Targets in "+home, ecsv1alpha1.HopBroken, "tasks of helium-backend:", "healthy in its target groups")
	run(was)
	w.leads()
	scale := func(desired int32) {
		_, err := w.ecs(home).UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(cluster), Service: aws.String("backend"), DesiredCount: &desired})
		w.must(err)
	}
	scale(0)
	w.stops("AcceleratorEndpoint in "+home, ecsv1alpha1.HopBroken, "UNHEALTHY", "HEALTHY")
	scale(2)
	w.leads()
}

// gone is what a rule does that leads nowhere.
func gone() elbtypes.Action {
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("410")}}
}

// record is the record set of the host name.
func (w *wired) record() r53types.ResourceRecordSet {
	w.t.Helper()
	out, err := w.route53().ListResourceRecordSets(w.t.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: &w.way.HostedZone, StartRecordName: &w.hostname, StartRecordType: r53types.RRTypeA})
	w.must(err)
	return out.ResourceRecordSets[0]
}

func (w *wired) records(action r53types.ChangeAction, set r53types.ResourceRecordSet) {
	w.t.Helper()
	_, err := w.route53().ChangeResourceRecordSets(w.t.Context(), &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &w.way.HostedZone, ChangeBatch: &r53types.ChangeBatch{Changes: []r53types.Change{{Action: action, ResourceRecordSet: &set}}},
	})
	w.must(err)
}

// endpointGroup sets the traffic dial of a site's endpoint group, and the weight of its load balancer there.
func (w *wired) endpointGroup(site int, dial float32, weight int32) {
	w.t.Helper()
	_, err := w.ga().UpdateEndpointGroup(w.t.Context(), &ga.UpdateEndpointGroupInput{
		EndpointGroupArn: aws.String(w.way.EndpointGroups[places[site].region]), TrafficDialPercentage: &dial,
		EndpointConfigurations: []gatypes.EndpointConfiguration{{EndpointId: &w.sites[site].Balanced.LoadBalancer, Weight: &weight}},
	})
	w.must(err)
}

// certificate makes the status of a site's certificate another one.
func (w *wired) certificate(site int, status string) (heal func()) {
	w.t.Helper()
	become := func(status string) {
		_, err := w.sim.SetCertificate(awssim.CertificateState{Certificate: w.way.Doors[site].Certificate, Status: status})
		w.must(err)
	}
	become(status)
	return func() { become("ISSUED") }
}

package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	ga "github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// wired is a world with a domain that leads through an accelerator to the service backend in two regions.
type wired struct {
	*world
	hostname string
	way      *seed.WayIn
	sites    []seed.Site
	name     key // of the endpoint
}

// places are the regions that a wired domain leads to, each with the cluster there.
var places = []struct{ region, cluster string }{{home, cluster}, {abroad, "helium-singapore-cluster"}}

// wire makes all that there is between a domain and the tasks, and an endpoint for it.
func wire(t *testing.T) *wired {
	t.Helper()
	w := &wired{world: newWorld(t)}
	zone := w.namespace + ".example.com"
	w.hostname, w.name = "api."+zone, key{Namespace: w.namespace, Name: "api"}
	w.push("v1", home, abroad)
	endpoint := &ecsv1alpha1.EcsEndpoint{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "api"}}
	endpoint.Spec.Hostname, endpoint.Spec.Probe = w.hostname, &ecsv1alpha1.EndpointProbe{Path: "/health"}
	for _, place := range places {
		balanced, err := seed.Balancer{Name: "helium", CheckSeconds: 5}.Create(t.Context(), elb.NewFromConfig(w.root(place.region)))
		w.must(err)
		// Without the breaker a deployment that does not get healthy goes on until somebody has seen it.
		w.serveIn(place.region, place.cluster, seed.Service{Name: "backend", Desired: 2, Balanced: balanced, NoBreaker: true})
		w.sites = append(w.sites, seed.Site{Balanced: balanced, Balancers: elb.NewFromConfig(w.root(place.region)), Certificates: acm.NewFromConfig(w.root(place.region))})
		endpoint.Spec.Regions = append(endpoint.Spec.Regions, ecsv1alpha1.EndpointRegion{
			Region: place.region, LoadBalancerARN: balanced.LoadBalancer, Services: []ecsv1alpha1.EndpointService{{Cluster: place.cluster, Name: "backend"}},
		})
	}
	var err error
	w.way, err = seed.Domain{Zone: zone, Host: w.hostname, Accelerator: "helium"}.Create(t.Context(), w.route53(), w.ga(), w.sites...)
	w.must(err)
	endpoint.Spec.AcceleratorARN = w.way.Accelerator
	w.must(w.client.Create(t.Context(), endpoint))
	return w
}

func (w *world) route53() *route53.Client { return route53.NewFromConfig(w.root("us-east-1")) }
func (w *world) ga() *ga.Client           { return ga.NewFromConfig(w.root("us-west-2")) }

// endpoint reads the endpoint.
func (w *wired) endpoint() *ecsv1alpha1.EcsEndpoint {
	w.t.Helper()
	var endpoint ecsv1alpha1.EcsEndpoint
	w.must(w.client.Get(w.t.Context(), w.name, &endpoint))
	return &endpoint
}

// edit changes the endpoint as kubectl patch does, and returns what brings it back.
func (w *wired) edit(change func(spec *ecsv1alpha1.EcsEndpointSpec)) (heal func()) {
	w.t.Helper()
	endpoint := w.endpoint()
	before := endpoint.DeepCopy()
	change(&endpoint.Spec)
	w.must(w.client.Patch(w.t.Context(), endpoint, client.MergeFrom(before)))
	return func() { w.edit(func(spec *ecsv1alpha1.EcsEndpointSpec) { *spec = before.Spec }) }
}

// leads waits until every hop leads on.
func (w *wired) leads() *ecsv1alpha1.EcsEndpoint {
	w.t.Helper()
	var endpoint *ecsv1alpha1.EcsEndpoint
	w.eventually("a way in that leads from end to end", func() error {
		endpoint = w.endpoint()
		ready := meta.FindStatusCondition(endpoint.Status.Conditions, ecsv1alpha1.ConditionReady)
		if ready == nil || ready.Status != metav1.ConditionTrue || ready.ObservedGeneration != endpoint.Generation {
			return fmt.Errorf("Ready is %+v", ready)
		}
		for _, h := range endpoint.Status.Hops {
			if h.State != ecsv1alpha1.HopWell {
				return fmt.Errorf("%+v", h)
			}
		}
		return nil
	})
	return endpoint
}

// stops waits until a hop is the one that Ready is about, in the state, with what was seen and wanted. Of a
// hop behind an accelerator Ready may be about what the accelerator makes of it, which comes first from
// the outside in.
func (w *wired) stops(hop string, state ecsv1alpha1.HopState, seen, wanted string) {
	w.t.Helper()
	name, region, _ := strings.Cut(hop, " in ")
	w.eventually("hop "+hop+" "+string(state)+", seen "+seen, func() error {
		endpoint := w.endpoint()
		status := &endpoint.Status
		ready := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReady)
		i := slices.IndexFunc(status.Hops, func(h ecsv1alpha1.Hop) bool { return string(h.Name) == name && h.Region == region })
		switch {
		case status.ObservedGeneration != endpoint.Generation || i < 0 || status.Hop != hop && (region == "" || status.Hop != "AcceleratorEndpoint in "+region):
			return fmt.Errorf("it is about %q: %+v", status.Hop, ready)
		case status.Hops[i].State != state || !strings.Contains(status.Hops[i].Seen, seen) || !strings.Contains(status.Hops[i].Wanted, wanted) || status.Hops[i].Action == "":
			return fmt.Errorf("it is %+v", status.Hops[i])
		case ready.Status == metav1.ConditionTrue || !strings.Contains(ready.Message, status.Hop+": "):
			return fmt.Errorf("Ready is %+v", ready)
		}
		return nil
	})
}

func TestADomainLeadsToItsTasks(t *testing.T) {
	w := wire(t)
	endpoint := w.leads()
	var names []ecsv1alpha1.HopName
	for _, h := range endpoint.Status.Hops {
		if len(names) == 0 || names[len(names)-1] != h.Name {
			names = append(names, h.Name)
		}
	}
	w.check(slices.Equal(names, []ecsv1alpha1.HopName{"Record", "Accelerator", "AcceleratorListener", "EndpointGroup", "AcceleratorEndpoint", "LoadBalancer", "Listener", "Certificate", "Rule", "Targets", "Probe"}),
		"the hops are %v", names)
	w.check(endpoint.Status.Wired != nil && endpoint.Status.Hop == "", "the status is %+v", endpoint.Status)
	w.event("Normal Reachable: " + w.hostname + " leads to its services in 2 of 2 regions")
	// Looking writes nothing, and changes nothing.
	looks := len(w.calls("DescribeRules"))
	w.eventually("further looks", func() error {
		if now := len(w.calls("DescribeRules")); now < looks+6 {
			return fmt.Errorf("%d looks at rules, %d before", now, looks)
		}
		return nil
	})
	if now := w.endpoint(); now.ResourceVersion != endpoint.ResourceVersion {
		t.Errorf("an endpoint of which nothing is new was written again (-before +now):\n%s", cmp.Diff(endpoint.Status, now.Status))
	}
}

// Without an accelerator the record leads to the load balancers, by latency.
func TestADomainLeadsToLoadBalancersByLatency(t *testing.T) {
	w := wire(t)
	direct := "direct." + w.namespace + ".example.com"
	_, err := seed.Domain{Zone: w.namespace + ".example.com", Host: direct, Priority: 200}.Create(t.Context(), w.route53(), nil, w.sites...)
	w.must(err)
	w.edit(func(spec *ecsv1alpha1.EcsEndpointSpec) { spec.Hostname, spec.AcceleratorARN = direct, "" })
	endpoint := w.leads()
	i := slices.IndexFunc(endpoint.Status.Hops, func(h ecsv1alpha1.Hop) bool { return h.Name == "Record" && h.Region == abroad })
	w.check(i >= 0 && strings.Contains(endpoint.Status.Hops[i].Seen, direct+" A: alias of "), "the hops are %+v", endpoint.Status.Hops)
}

// What the endpoint is not allowed to look at is said, and nothing is asked of AWS.
func TestAnEndpointGoesByItsEnvironment(t *testing.T) {
	w := newWorld(t)
	endpoint := &ecsv1alpha1.EcsEndpoint{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "api"}}
	endpoint.Spec.Hostname = "api.example.com"
	endpoint.Spec.Regions = []ecsv1alpha1.EndpointRegion{{Region: home, Services: []ecsv1alpha1.EndpointService{{Cluster: "another-cluster", Name: "backend"}}}}
	w.must(w.client.Create(t.Context(), endpoint))
	w.eventually("NotPermitted", func() error {
		w.must(w.client.Get(t.Context(), client.ObjectKeyFromObject(endpoint), endpoint))
		stalled := meta.FindStatusCondition(endpoint.Status.Conditions, ecsv1alpha1.ConditionStalled)
		if stalled == nil || stalled.Reason != ecsv1alpha1.ReasonNotPermitted || !strings.Contains(stalled.Message, `covers service "backend" of cluster "another-cluster"`) {
			return fmt.Errorf("Stalled is %+v", stalled)
		}
		return nil
	})
	w.check(len(w.calls("ListHostedZonesByName")) == 0, "AWS was asked")
}

// A wave waits for an endpoint, and looks at it itself.
func TestAWaveWaitsForItsEndpoint(t *testing.T) {
	w := wire(t)
	w.leads()
	within := ecsv1alpha1.Verification{Endpoint: "api"}
	release := w.apply("helium-backend:v1", inBoth, verified(within))
	w.ready(release)
	w.push("v2", home, abroad)
	heal := w.denyCall("elasticloadbalancing:DescribeRules")
	w.bump(release, "helium-backend:v2")
	w.await(release, "a wave that waits for the endpoint", func(r *ecsv1alpha1.EcsRelease) error {
		for _, target := range r.Status.Targets {
			if strings.Contains(target.Verification, "EcsEndpoint api: Rule in ") && strings.Contains(target.Verification, "elasticloadbalancing:DescribeRules") {
				return nil
			}
		}
		return fmt.Errorf("the targets are %+v", r.Status.Targets)
	})
	heal()
	r := w.ready(release)
	w.check(wave(r, 0).Verified != nil, "the wave is %+v", wave(r, 0))
}

func TestAnEndpointThatIsNotThereIsSaidToBeMissing(t *testing.T) {
	w, release, _ := released(t)
	w.change(release, verified(ecsv1alpha1.Verification{Endpoint: "another"}))
	w.await(release, "a check that cannot be made", func(r *ecsv1alpha1.EcsRelease) error {
		return lacks(r.Status.Targets[0].Verification, []string{"EcsEndpoint another: cannot be made: there is no such EcsEndpoint in namespace " + w.namespace})
	})
}

// denyCall takes an action away from the role, until heal is called.
func (w *world) denyCall(action string) (heal func()) {
	w.t.Helper()
	w.deny(action)
	return func() { w.grant() }
}

package awssim

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	ga "github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	"github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"
	"github.com/google/go-cmp/cmp"
)

const oregon = "us-west-2"

func acceleratorClientOf(cfg aws.Config) *ga.Client { return ga.NewFromConfig(globally(cfg, oregon)) }

// acceleratorFixture is an accelerator with a listener on port 80 and an endpoint group with
// the load balancer of an elbFixture.
type acceleratorFixture struct {
	*elbFixture
	accelerators                               *ga.Client
	accelerator, listener80, groupARN, dnsName string
}

func newAcceleratorFixture(t *testing.T, s *Simulator) *acceleratorFixture {
	t.Helper()
	f := &acceleratorFixture{elbFixture: newELBFixture(t, s), accelerators: acceleratorClientOf(rootConfig(t, s))}
	time.Sleep(time.Minute) // an endpoint must be active
	created := must(f.accelerators.CreateAccelerator(t.Context(), &ga.CreateAcceleratorInput{Name: aws.String("web")}))(t).Accelerator
	f.accelerator, f.dnsName = *created.AcceleratorArn, *created.DnsName
	f.listener80 = f.listen(t, 80, 80)
	f.groupARN = *must(f.accelerators.CreateEndpointGroup(t.Context(), &ga.CreateEndpointGroupInput{
		ListenerArn: &f.listener80, EndpointGroupRegion: aws.String(mumbai), EndpointConfigurations: []types.EndpointConfiguration{{EndpointId: &f.balancer}},
	}))(t).EndpointGroup.EndpointGroupArn
	return f
}

func ports(ranges ...int32) (list []types.PortRange) {
	for i := 0; i < len(ranges); i += 2 {
		list = append(list, types.PortRange{FromPort: &ranges[i], ToPort: &ranges[i+1]})
	}
	return list
}

func (f *acceleratorFixture) listen(t *testing.T, from, to int32) (arn string) {
	t.Helper()
	return *must(f.accelerators.CreateListener(t.Context(), &ga.CreateListenerInput{AcceleratorArn: &f.accelerator, Protocol: types.ProtocolTcp, PortRanges: ports(from, to)}))(t).Listener.ListenerArn
}

func (f *acceleratorFixture) endpointGroup(t *testing.T) *types.EndpointGroup {
	t.Helper()
	return must(f.accelerators.DescribeEndpointGroup(t.Context(), &ga.DescribeEndpointGroupInput{EndpointGroupArn: &f.groupARN}))(t).EndpointGroup
}

func (f *acceleratorFixture) status(t *testing.T) types.AcceleratorStatus {
	t.Helper()
	return must(f.accelerators.DescribeAccelerator(t.Context(), &ga.DescribeAcceleratorInput{AcceleratorArn: &f.accelerator}))(t).Accelerator.Status
}

func TestAnAcceleratorIsCreatedChangedAndDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newAcceleratorFixture(t, s)
		client, ctx := f.accelerators, t.Context()
		for text, pattern := range map[string]string{
			f.accelerator: `^arn:aws:globalaccelerator::111122223333:accelerator/[0-9a-f-]{36}$`,
			f.listener80:  `^` + f.accelerator + `/listener/[0-9a-f]{8}$`,
			f.groupARN:    `^` + f.listener80 + `/endpoint-group/[0-9a-f]{12}$`,
			f.dnsName:     `^a[0-9a-f]{16}\.awsglobalaccelerator\.com$`,
		} {
			if !regexp.MustCompile(pattern).MatchString(text) {
				t.Errorf("%s does not match %s", text, pattern)
			}
		}
		got := must(client.DescribeAccelerator(ctx, &ga.DescribeAcceleratorInput{AcceleratorArn: &f.accelerator}))(t).Accelerator
		if got.Status != types.AcceleratorStatusInProgress || !*got.Enabled || got.IpAddressType != types.IpAddressTypeIpv4 || len(got.IpSets) != 1 || len(got.IpSets[0].IpAddresses) != 2 {
			t.Errorf("%+v", got)
		}
		time.Sleep(2 * time.Minute)
		if got := f.status(t); got != types.AcceleratorStatusDeployed {
			t.Error(got)
		}
		group := f.endpointGroup(t)
		if *group.TrafficDialPercentage != 100 || *group.HealthCheckPort != 80 || group.HealthCheckProtocol != types.HealthCheckProtocolTcp || *group.HealthCheckIntervalSeconds != 30 ||
			*group.ThresholdCount != 3 || *group.EndpointDescriptions[0].Weight != 128 || !*group.EndpointDescriptions[0].ClientIPPreservationEnabled {
			t.Errorf("%+v", group)
		}
		must(client.UpdateEndpointGroup(ctx, &ga.UpdateEndpointGroupInput{EndpointGroupArn: &f.groupARN, TrafficDialPercentage: aws.Float32(12.5), HealthCheckProtocol: types.HealthCheckProtocolHttp}))(t)
		group = f.endpointGroup(t)
		if *group.TrafficDialPercentage != 12.5 || *group.HealthCheckPath != "/" || len(group.EndpointDescriptions) != 1 || f.status(t) != types.AcceleratorStatusInProgress {
			t.Errorf("%+v", group)
		}
		listener := must(client.UpdateListener(ctx, &ga.UpdateListenerInput{ListenerArn: &f.listener80, ClientAffinity: types.ClientAffinitySourceIp}))(t).Listener
		described := must(client.DescribeListener(ctx, &ga.DescribeListenerInput{ListenerArn: &f.listener80}))(t).Listener
		if listener.ClientAffinity != types.ClientAffinitySourceIp || *described.PortRanges[0].ToPort != 80 || described.Protocol != types.ProtocolTcp {
			t.Errorf("%+v %+v", listener, described)
		}

		removal := &ga.DeleteAcceleratorInput{AcceleratorArn: &f.accelerator}
		_, err := client.DeleteAccelerator(ctx, removal)
		wantCode(t, err, "AcceleratorNotDisabledException", "must be disabled")
		updated := must(client.UpdateAccelerator(ctx, &ga.UpdateAcceleratorInput{AcceleratorArn: &f.accelerator, Enabled: aws.Bool(false), Name: aws.String("old"), IpAddressType: types.IpAddressTypeDualStack}))(t).Accelerator
		if *updated.Enabled || *updated.Name != "old" || !strings.HasSuffix(*updated.DualStackDnsName, ".dualstack.awsglobalaccelerator.com") || len(updated.IpSets) != 2 {
			t.Errorf("%+v", updated)
		}
		_, err = client.DeleteAccelerator(ctx, removal)
		wantCode(t, err, "AssociatedListenerFoundException", "listeners")
		_, err = client.DeleteListener(ctx, &ga.DeleteListenerInput{ListenerArn: &f.listener80})
		wantCode(t, err, "AssociatedEndpointGroupFoundException", "endpoint groups")
		must(client.DeleteEndpointGroup(ctx, &ga.DeleteEndpointGroupInput{EndpointGroupArn: &f.groupARN}))(t)
		must(client.DeleteListener(ctx, &ga.DeleteListenerInput{ListenerArn: &f.listener80}))(t)
		_, err = client.DeleteAccelerator(ctx, removal)
		wantCode(t, err, "TransactionInProgressException", "DEPLOYED")
		time.Sleep(2 * time.Minute)
		must(client.DeleteAccelerator(ctx, removal))(t)
		for _, c := range []struct {
			call func() error
			code string
		}{
			{func() error {
				_, err := client.DescribeAccelerator(ctx, &ga.DescribeAcceleratorInput{AcceleratorArn: &f.accelerator})
				return err
			}, "AcceleratorNotFoundException"},
			{func() error {
				_, err := client.DescribeListener(ctx, &ga.DescribeListenerInput{ListenerArn: &f.listener80})
				return err
			}, "ListenerNotFoundException"},
			{func() error {
				_, err := client.DescribeEndpointGroup(ctx, &ga.DescribeEndpointGroupInput{EndpointGroupArn: &f.groupARN})
				return err
			}, "EndpointGroupNotFoundException"},
		} {
			wantCode(t, c.call(), c.code, "does not exist")
		}
	})
}

func TestAnEndpointIsAsHealthyAsItsLoadBalancer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newAcceleratorFixture(t, s)
		health := func(want types.HealthState, when string) {
			t.Helper()
			if got := f.endpointGroup(t).EndpointDescriptions[0]; got.HealthState != want || got.HealthReason != nil {
				t.Errorf("%s it is %s, %v; want %s", when, got.HealthState, got.HealthReason, want)
			}
		}
		health(types.HealthStateInitial, "at first")
		time.Sleep(time.Minute)
		health(types.HealthStateUnhealthy, "without a target")
		f.register(t, f.group, "10.0.0.1")
		time.Sleep(time.Minute)
		health(types.HealthStateHealthy, "with a target")
		other := f.createGroup(t, "other")
		rule := f.createRule(t, 1, "host-header", "a.example.com", forwardByWeight(f.group, 1, other, 0))
		health(types.HealthStateHealthy, "with a group that gets no traffic")
		must(f.client.ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: &rule, Actions: forwardTo(other)}))(t)
		health(types.HealthStateUnhealthy, "with a group without a target")
		must(f.client.DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: &rule}))(t)
		health(types.HealthStateHealthy, "without that rule")
		if err := s.SetTargetHealth(TargetHealth{TargetGroup: f.group, ID: "10.0.0.1"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		health(types.HealthStateUnhealthy, "with a target that is not healthy")
		s.ClearTargetHealth()
		time.Sleep(time.Minute)
		override := func(listener, endpoint int32) {
			must(f.accelerators.UpdateEndpointGroup(t.Context(), &ga.UpdateEndpointGroupInput{
				EndpointGroupArn: &f.groupARN, PortOverrides: []types.PortOverride{{ListenerPort: &listener, EndpointPort: &endpoint}},
			}))(t)
		}
		override(80, 8443)
		health(types.HealthStateUnhealthy, "on a port that nobody listens on")
		override(80, 80)
		health(types.HealthStateHealthy, "on the port of before")
		must(f.client.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: &f.balancer}))(t)
		health(types.HealthStateUnhealthy, "without its load balancer")
	})
}

func TestTheAdminAPIOverrulesTheHealthOfAnEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newAcceleratorFixture(t, s)
		put := func(endpoint, state string) (int, string) {
			return adminCall(t, s, "PUT", "/endpoints", fmt.Sprintf(`{"endpointGroup": %q, "endpoint": %q, "state": %q, "reason": "a test"}`, f.groupARN, endpoint, state), nil)
		}
		if status, text := put(f.balancer, "ILL"); status != http.StatusBadRequest || !strings.Contains(text, "is none of") {
			t.Error(status, text)
		}
		if status, text := put("arn:x", "HEALTHY"); status != http.StatusBadRequest || !strings.Contains(text, "is not in an endpoint group") {
			t.Error(status, text)
		}
		if status, text := put(f.balancer, "HEALTHY"); status != http.StatusOK {
			t.Error(status, text)
		}
		if got := f.endpointGroup(t).EndpointDescriptions[0]; got.HealthState != types.HealthStateHealthy || *got.HealthReason != "a test" {
			t.Errorf("%+v", got)
		}
		var listed []EndpointHealth
		adminCall(t, s, "GET", "/endpoints", "", &listed)
		if want := []EndpointHealth{{EndpointGroup: f.groupARN, Endpoint: f.balancer, State: "HEALTHY", Reason: "a test"}}; !cmp.Equal(listed, want) {
			t.Errorf("%+v", listed)
		}
		adminCall(t, s, "DELETE", "/endpoints", "", nil)
		if got := s.Endpoints()[0].State; got != "INITIAL" {
			t.Error(got)
		}
	})
}

func TestEndpointsAreAddedAndRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newAcceleratorFixture(t, s)
		second := *must(f.client.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: aws.String("second"), Subnets: []string{"subnet-1", "subnet-2"}}))(t).LoadBalancers[0].LoadBalancerArn
		add := func(change ...func(*types.EndpointConfiguration)) (*ga.AddEndpointsOutput, error) {
			configuration := types.EndpointConfiguration{EndpointId: &second, Weight: aws.Int32(0), ClientIPPreservationEnabled: aws.Bool(false)}
			for _, c := range change {
				c(&configuration)
			}
			return f.accelerators.AddEndpoints(t.Context(), &ga.AddEndpointsInput{EndpointGroupArn: &f.groupARN, EndpointConfigurations: []types.EndpointConfiguration{configuration}})
		}
		_, err := add()
		wantCode(t, err, "InvalidArgumentException", "is not active")
		time.Sleep(time.Minute)
		added := must(add())(t)
		if len(added.EndpointDescriptions) != 1 || *added.EndpointDescriptions[0].Weight != 0 || *added.EndpointDescriptions[0].ClientIPPreservationEnabled {
			t.Errorf("%+v", added)
		}
		must(add(func(c *types.EndpointConfiguration) { c.Weight = aws.Int32(5) }))(t)
		if got := f.endpointGroup(t).EndpointDescriptions; len(got) != 2 || *got[1].Weight != 5 {
			t.Errorf("%+v", got)
		}
		for text, change := range map[string]func(*types.EndpointConfiguration){
			"'256' at 'weight'":              func(c *types.EndpointConfiguration) { c.Weight = aws.Int32(256) },
			"awssim does not implement":      func(c *types.EndpointConfiguration) { c.EndpointId = aws.String("i-0a1b2c3d") },
			"awssim does not implement cros": func(c *types.EndpointConfiguration) { c.AttachmentArn = aws.String("arn:x") },
			"is not a valid load balancer": func(c *types.EndpointConfiguration) {
				c.EndpointId = aws.String(strings.Replace(second, mumbai, singapore, 1))
			},
			"not found": func(c *types.EndpointConfiguration) { c.EndpointId = aws.String(second + "0") },
		} {
			_, err := add(change)
			wantCode(t, err, "InvalidArgumentException", text)
		}
		must(f.accelerators.RemoveEndpoints(t.Context(), &ga.RemoveEndpointsInput{EndpointGroupArn: &f.groupARN, EndpointIdentifiers: []types.EndpointIdentifier{{EndpointId: &f.balancer}, {EndpointId: aws.String("arn:x")}}}))(t)
		if got := f.endpointGroup(t).EndpointDescriptions; len(got) != 1 || *got[0].EndpointId != second {
			t.Errorf("%+v", got)
		}
		must(f.accelerators.UpdateEndpointGroup(t.Context(), &ga.UpdateEndpointGroupInput{EndpointGroupArn: &f.groupARN, EndpointConfigurations: []types.EndpointConfiguration{}}))(t)
		if got := f.endpointGroup(t).EndpointDescriptions; len(got) != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestAcceleratorsAreListedInPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newAcceleratorFixture(t, s)
		ctx := t.Context()
		for i := range 12 {
			must(f.accelerators.CreateAccelerator(ctx, &ga.CreateAcceleratorInput{Name: aws.String(fmt.Sprint("more-", i))}))(t)
			if i < 4 {
				f.listen(t, int32(1000+i), int32(1000+i))
				must(f.accelerators.CreateEndpointGroup(ctx, &ga.CreateEndpointGroupInput{ListenerArn: &f.listener80, EndpointGroupRegion: aws.String(fmt.Sprintf("eu-west-%d", i+1))}))(t)
			}
		}
		var sizes []int
		pages := ga.NewListAcceleratorsPaginator(f.accelerators, &ga.ListAcceleratorsInput{})
		for pages.HasMorePages() {
			sizes = append(sizes, len(must(pages.NextPage(ctx))(t).Accelerators))
		}
		listeners := ga.NewListListenersPaginator(f.accelerators, &ga.ListListenersInput{AcceleratorArn: &f.accelerator, MaxResults: aws.Int32(4)})
		for listeners.HasMorePages() {
			sizes = append(sizes, len(must(listeners.NextPage(ctx))(t).Listeners))
		}
		groups := ga.NewListEndpointGroupsPaginator(f.accelerators, &ga.ListEndpointGroupsInput{ListenerArn: &f.listener80, MaxResults: aws.Int32(2)})
		for groups.HasMorePages() {
			sizes = append(sizes, len(must(groups.NextPage(ctx))(t).EndpointGroups))
		}
		if want := []int{10, 3, 4, 1, 2, 2, 1}; !cmp.Equal(sizes, want) {
			t.Errorf("pages of %v, want %v", sizes, want)
		}
		_, err := f.accelerators.ListAccelerators(ctx, &ga.ListAcceleratorsInput{NextToken: aws.String("next")})
		wantCode(t, err, "InvalidNextTokenException", "")
		_, err = f.accelerators.ListAccelerators(ctx, &ga.ListAcceleratorsInput{MaxResults: aws.Int32(101)})
		wantCode(t, err, "InvalidArgumentException", "'101' at 'maxResults'")
	})
}

func TestGlobalAcceleratorRefusesWhatAWSRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newAcceleratorFixture(t, s)
		ctx := t.Context()
		create := func(change func(*ga.CreateAcceleratorInput)) error {
			in := &ga.CreateAcceleratorInput{Name: aws.String("x")}
			change(in)
			_, err := f.accelerators.CreateAccelerator(ctx, in)
			return err
		}
		listen := func(protocol types.Protocol, ranges ...int32) error {
			_, err := f.accelerators.CreateListener(ctx, &ga.CreateListenerInput{AcceleratorArn: &f.accelerator, Protocol: protocol, PortRanges: ports(ranges...)})
			return err
		}
		group := func(change func(*ga.CreateEndpointGroupInput)) error {
			in := &ga.CreateEndpointGroupInput{ListenerArn: &f.listener80, EndpointGroupRegion: aws.String(singapore)}
			change(in)
			_, err := f.accelerators.CreateEndpointGroup(ctx, in)
			return err
		}
		describe := func(arn string) error {
			_, err := f.accelerators.DescribeAccelerator(ctx, &ga.DescribeAcceleratorInput{AcceleratorArn: &arn})
			return err
		}
		for _, c := range []struct {
			err        error
			code, text string
		}{
			{create(func(in *ga.CreateAcceleratorInput) { in.Name = aws.String("-x") }), "InvalidArgumentException", "'-x'"},
			{create(func(in *ga.CreateAcceleratorInput) { in.IpAddressType = "IPV6" }), "InvalidArgumentException", "'IPV6' at 'ipAddressType'"},
			{create(func(in *ga.CreateAcceleratorInput) { in.IpAddresses = []string{"192.0.2.1"} }), "InvalidArgumentException", "awssim does not implement"},
			{listen(types.ProtocolTcp, 80, 81), "InvalidPortRangeException", "overlaps"},
			{listen(types.ProtocolTcp, 90, 89), "InvalidPortRangeException", "from 90 to 89"},
			{listen(types.ProtocolTcp, 90, 99, 95, 97), "InvalidPortRangeException", "from 95 to 97"},
			{listen(types.ProtocolTcp, 0, 99), "InvalidArgumentException", "'0' at 'fromPort'"},
			{listen("ICMP", 90, 99), "InvalidArgumentException", "'ICMP' at 'protocol'"},
			{listen(types.ProtocolUdp, 80, 81), "", ""},
			{group(func(in *ga.CreateEndpointGroupInput) { in.EndpointGroupRegion = aws.String(mumbai) }), "EndpointGroupAlreadyExistsException", mumbai},
			{group(func(in *ga.CreateEndpointGroupInput) { in.EndpointGroupRegion = aws.String("mars") }), "InvalidArgumentException", "'mars'"},
			{group(func(in *ga.CreateEndpointGroupInput) { in.TrafficDialPercentage = aws.Float32(101) }), "InvalidArgumentException", "'101' at 'trafficDialPercentage'"},
			{group(func(in *ga.CreateEndpointGroupInput) { in.HealthCheckIntervalSeconds = aws.Int32(15) }), "InvalidArgumentException", "10 or 30 seconds"},
			{group(func(in *ga.CreateEndpointGroupInput) { in.HealthCheckPath = aws.String("healthz") }), "InvalidArgumentException", "'healthCheckPath'"},
			{group(func(in *ga.CreateEndpointGroupInput) {
				in.PortOverrides = []types.PortOverride{{ListenerPort: aws.Int32(81), EndpointPort: aws.Int32(8080)}}
			}), "InvalidArgumentException", "Port 81 is not in the port ranges"},
			{describe("nonsense"), "InvalidArgumentException", "'nonsense' is not a valid accelerator ARN"},
			{describe(f.listener80), "InvalidArgumentException", "is not a valid accelerator ARN"},
		} {
			if c.code == "" {
				must(struct{}{}, c.err)(t)
				continue
			}
			wantCode(t, c.err, c.code, c.text)
		}
		token := func() string {
			return *must(f.accelerators.CreateAccelerator(ctx, &ga.CreateAcceleratorInput{Name: aws.String("once"), IdempotencyToken: aws.String("1")}))(t).Accelerator.AcceleratorArn
		}
		if first := token(); token() != first {
			t.Error("a token made two accelerators")
		}
		status, body := exchangeRaw(t, s.HTTPClient(), jsonRequest(t, "GlobalAccelerator_V20180706.CreateAccelerator", `{"Name": "x"}`, "globalaccelerator", oregon))
		if status != http.StatusBadRequest || !strings.Contains(body, `"Message":"1 validation error detected: Value null at 'idempotencyToken'`) {
			t.Error(status, body)
		}
		status, body = exchangeRaw(t, s.HTTPClient(), jsonRequest(t, "GlobalAccelerator_V20180706.ListAccelerators", `{"MaxResults": "ten"}`, "globalaccelerator", oregon))
		if status != http.StatusBadRequest || !strings.Contains(body, "SerializationException") {
			t.Error(status, body)
		}
		_, err := ga.NewFromConfig(rootConfig(t, s)).ListAccelerators(ctx, &ga.ListAcceleratorsInput{})
		wantCode(t, err, "InvalidSignatureException", "Credential should be scoped to a valid region, not 'ap-south-1'.")
	})
}

func TestAUserMayDoToAcceleratorsWhatItsPolicyAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newAcceleratorFixture(t, s)
		client := acceleratorClientOf(userConfig(t, s, User{Account: ownAccount, Name: "reader", Policies: policies(
			`{"Effect":"Allow","Action":["globalaccelerator:DescribeAccelerator","globalaccelerator:ListListeners","globalaccelerator:ListEndpointGroups"],"Resource":["` + f.accelerator + `","` + f.listener80 + `"]}`,
		)}))
		ctx := t.Context()
		must(client.DescribeAccelerator(ctx, &ga.DescribeAcceleratorInput{AcceleratorArn: &f.accelerator}))(t)
		must(client.ListListeners(ctx, &ga.ListListenersInput{AcceleratorArn: &f.accelerator}))(t)
		must(client.ListEndpointGroups(ctx, &ga.ListEndpointGroupsInput{ListenerArn: &f.listener80}))(t)
		_, err := client.ListAccelerators(ctx, &ga.ListAcceleratorsInput{})
		wantCode(t, err, "AccessDeniedException", "User: arn:aws:iam::111122223333:user/reader is not authorized to perform: globalaccelerator:ListAccelerators on resource: *")
		_, err = client.UpdateEndpointGroup(ctx, &ga.UpdateEndpointGroupInput{EndpointGroupArn: &f.groupARN})
		wantCode(t, err, "AccessDeniedException", "globalaccelerator:UpdateEndpointGroup on resource: "+f.groupARN)
		_, err = client.CreateAccelerator(ctx, &ga.CreateAcceleratorInput{Name: aws.String("x")})
		wantCode(t, err, "AccessDeniedException", "globalaccelerator:CreateAccelerator on resource: *")
	})
}

func TestAnAliasPointsToAnAccelerator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newAcceleratorFixture(t, s)
		names := route53ClientOf(rootConfig(t, s))
		zone := createTestZone(t, names, shopZone)
		must(changeRecords(t, names, zone, aliasChange("shop.example.com", acceleratorZone, f.dnsName)))(t)
		_, err := changeRecords(t, names, zone, aliasChange("b.example.com", acceleratorZone, "a0000000000000000.awsglobalaccelerator.com"))
		wantCode(t, err, "InvalidChangeBatch", "but that target was not found")
		_, err = changeRecords(t, names, zone, aliasChange("b.example.com", "Z1LMS91P8CMLE5", f.dnsName))
		wantCode(t, err, "InvalidChangeBatch", "does not lie within the target zone")
	})
}

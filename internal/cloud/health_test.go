package cloud

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/rollout"
)

func (w *world) elb() *elb.Client { return elb.NewFromConfig(w.root()) }

func (w *world) balancer(b seed.Balancer) *seed.Balanced {
	w.t.Helper()
	balanced, err := b.Create(w.t.Context(), w.elb())
	if err != nil {
		w.t.Fatal(err)
	}
	return balanced
}

// health is what target groups say of a revision from now on.
func (w *world) health(k Key, revision string) TargetHealth {
	w.t.Helper()
	health, problem := w.fleet.TargetHealth(w.t.Context(), k, revision, w.searched())
	noProblem(w.t, problem)
	return health
}

// sicken has the health checks of one of a group's targets fail, and returns the target.
func (w *world) sicken(group, reason string) string {
	w.t.Helper()
	for _, s := range w.sim.Targets() {
		if s.TargetGroup != group {
			continue
		}
		if err := w.sim.SetTargetHealth(awssim.TargetHealth{TargetGroup: group, ID: s.ID, Port: s.Port, Reason: reason}); err != nil {
			w.t.Fatal(err)
		}
		return target{id: s.ID, port: int32(s.Port)}.String()
	}
	w.t.Fatalf("%s has no targets", group)
	return ""
}

func TestTheTasksOfARevisionAreHealthyInItsTargetGroups(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		balanced := w.balancer(seed.Balancer{Name: "helium-backend"})
		revision := w.service(seed.Service{Name: "backend", Desired: 3, Balanced: balanced, GraceSeconds: 3600})
		k := w.key("backend")
		w.settle()
		for _, tracked := range []bool{false, true} {
			if tracked {
				w.track("backend")
				w.view(k)
			}
			got := w.health(k, revision)
			if got.Expected != 3 || got.Healthy != 3 || len(got.Unhealthy) != 0 || !slices.Equal(got.Groups, []string{"helium-backend"}) {
				t.Errorf("tracked %v: health is %+v, wanted 3 of 3 in helium-backend", tracked, got)
			}
		}
		if got := w.health(k, "helium-backend:7"); got.Expected != 0 || got.Healthy != 0 {
			t.Errorf("health of a revision that does not run is %+v", got)
		}
		sick := w.sicken(balanced.TargetGroup, "Target.Timeout")
		time.Sleep(time.Minute)
		got := w.health(k, revision)
		want := []ecsv1alpha1.UnhealthyTarget{{TargetGroup: "helium-backend", Target: sick, State: "unhealthy", Reason: "Target.Timeout"}}
		if len(got.Unhealthy) > 0 {
			want[0].Description = got.Unhealthy[0].Description
		}
		if diff := cmp.Diff(want, got.Unhealthy); diff != "" || got.Healthy != 2 || got.Expected != 3 {
			t.Errorf("%d of %d are healthy, wanted 2 of 3; unhealthy (-want +got):\n%s", got.Healthy, got.Expected, diff)
		}
	})
}

func TestAServiceWithoutTargetGroupsHasNoTargetHealth(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		revision := w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		got := w.health(w.key("backend"), revision)
		if len(got.Groups) != 0 || got.Expected != 0 {
			t.Errorf("health is %+v, wanted none", got)
		}
		calls := w.calls()
		if calls["ListTasks"]+calls["DescribeTargetHealth"] != 0 {
			t.Errorf("it cost %s, wanted nothing to be asked about tasks", spell(calls))
		}
		_, problem := w.fleet.TargetHealth(t.Context(), w.key("frontend"), revision, time.Time{})
		wantProblem(t, problem, rollout.ProblemMissing, ecsv1alpha1.ReasonServiceNotFound, "frontend")
	})
}

func TestTasksThatAreNotRegisteredAreNotHealthy(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		balanced := w.balancer(seed.Balancer{Name: "helium-backend"})
		revision := w.service(seed.Service{Name: "backend", Desired: 2, Balanced: balanced, GraceSeconds: 3600})
		w.settle()
		targets := w.sim.Targets()
		_, err := w.elb().DeregisterTargets(t.Context(), &elb.DeregisterTargetsInput{
			TargetGroupArn: &balanced.TargetGroup,
			Targets:        []elbtypes.TargetDescription{{Id: &targets[0].ID, Port: aws.Int32(int32(targets[0].Port))}},
		})
		if err != nil {
			t.Fatal(err)
		}
		states := map[string]bool{}
		for range 10 {
			got := w.health(w.key("backend"), revision)
			if got.Healthy != 1 || got.Expected != 2 || len(got.Unhealthy) != 1 || !strings.HasPrefix(got.Unhealthy[0].Target, targets[0].ID) {
				t.Fatalf("health is %+v, wanted 1 of 2 without %s", got, targets[0].ID)
			}
			states[got.Unhealthy[0].State+" "+got.Unhealthy[0].Reason] = true
			time.Sleep(time.Second)
		}
		if !states["draining Target.DeregistrationInProgress"] || !states["unused Target.NotRegistered"] {
			t.Errorf("the states were %v, wanted it to drain and then be gone", states)
		}
	})
}

// Of the two target groups that a deployment swaps, only one has the revision's tasks.
func TestAfterASwapTheOtherTargetGroupCounts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		balanced := w.balancer(seed.Balancer{Name: "helium", Pair: true})
		base := w.service(seed.Service{Name: "backend", Desired: 2, Balanced: balanced, Rollout: seed.Rollout{Strategy: ecstypes.DeploymentStrategyBlueGreen}})
		k := w.key("backend")
		w.settle()
		blue := w.health(k, base)
		revision := w.next(base, "docker.io/library/nginx:2")
		w.deploy(k, revision)
		w.settle()
		w.settle()
		green := w.health(k, revision)
		if !slices.Equal(blue.Groups, []string{"helium-blue"}) || !slices.Equal(green.Groups, []string{"helium-green"}) {
			t.Errorf("the groups were %v, then %v, wanted helium-blue, then helium-green", blue.Groups, green.Groups)
		}
		for _, h := range []TargetHealth{blue, green} {
			if h.Healthy != 2 || h.Expected != 2 {
				t.Errorf("health is %+v, wanted 2 of 2", h)
			}
		}
	})
}

func TestAnAnswerAboutTargetsServesAgainForAMoment(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		balanced := w.balancer(seed.Balancer{Name: "helium-backend"})
		revision := w.service(seed.Service{Name: "backend", Desired: 1, Balanced: balanced})
		w.settle()
		began := time.Now()
		first, problem := w.fleet.TargetHealth(t.Context(), w.key("backend"), revision, began)
		noProblem(t, problem)
		w.sim.ResetJournal()
		again, problem := w.fleet.TargetHealth(t.Context(), w.key("backend"), revision, began)
		noProblem(t, problem)
		if diff := cmp.Diff(first, again); diff != "" || len(w.calls()) != 0 {
			t.Errorf("asked again at once it cost %s and differs:\n%s", spell(w.calls()), diff)
		}
		time.Sleep(w.fleet.options.Fast)
		if _, problem = w.fleet.TargetHealth(t.Context(), w.key("backend"), revision, began); problem != nil || w.calls()["DescribeTargetHealth"] != 1 {
			t.Errorf("later it cost %s, wanted one more look", spell(w.calls()))
		}
	})
}

// instances answers DescribeContainerInstances, of which each instance is named like the container
// instance.
type instances struct{ http.RoundTripper }

func (i instances) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeContainerInstances") {
		return i.RoundTripper.RoundTrip(r)
	}
	var in struct {
		Cluster            string   `json:"cluster"`
		ContainerInstances []string `json:"containerInstances"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	var found []map[string]string
	for _, arn := range in.ContainerInstances {
		found = append(found, map[string]string{"containerInstanceArn": arn, "ec2InstanceId": "i-" + lastElement(arn)[:17]})
	}
	body, err := json.Marshal(map[string]any{"containerInstances": found})
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(strings.NewReader(string(body))), Request: r,
	}, err
}

// withInstances lets the fleet describe container instances.
func withInstances(o *Options) {
	load := o.Config
	o.Config = func(ctx context.Context) (aws.Config, error) {
		cfg, err := load(ctx)
		client := *cfg.HTTPClient.(*http.Client)
		client.Transport = instances{client.Transport}
		cfg.HTTPClient = &client
		return cfg, err
	}
}

func TestTasksWithoutAddressesAreFoundByInstanceAndPort(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		group, err := w.elb().CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
			Name: aws.String("helium-bridge"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80),
			TargetType: elbtypes.TargetTypeEnumInstance, VpcId: aws.String("vpc-0a1b2c3d"), HealthCheckIntervalSeconds: aws.Int32(10),
			UnhealthyThresholdCount: aws.Int32(2),
		})
		if err != nil {
			t.Fatal(err)
		}
		balanced := w.balancer(seed.Balancer{Name: "helium"})
		if _, err := w.elb().CreateRule(t.Context(), &elb.CreateRuleInput{
			ListenerArn: &balanced.Listener, Priority: aws.Int32(1),
			Conditions: []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/*"}}},
			Actions:    []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: group.TargetGroups[0].TargetGroupArn}},
		}); err != nil {
			t.Fatal(err)
		}
		revision := w.bridged("backend", *group.TargetGroups[0].TargetGroupArn)
		w.settle()
		got := w.health(w.key("backend"), revision)
		if got.Healthy != 3 || got.Expected != 3 || !slices.Equal(got.Groups, []string{"helium-bridge"}) {
			t.Errorf("health is %+v, wanted 3 of 3 in helium-bridge", got)
		}
		sick := w.sicken(*group.TargetGroups[0].TargetGroupArn, "")
		time.Sleep(time.Minute)
		got = w.health(w.key("backend"), revision)
		if got.Healthy != 2 || len(got.Unhealthy) != 1 || got.Unhealthy[0].Target != sick || !strings.HasPrefix(sick, "i-") {
			t.Errorf("health is %+v, wanted %s to be sick", got, sick)
		}
	}, withInstances)
}

// bridged creates a service of three tasks on EC2 in network mode bridge, behind a target group.
func (w *world) bridged(name, group string) string {
	w.t.Helper()
	if _, err := w.ecs().CreateCluster(w.t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String(cluster)}); err != nil {
		w.t.Fatal(err)
	}
	out, err := w.ecs().RegisterTaskDefinition(w.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("helium-" + name), NetworkMode: ecstypes.NetworkModeBridge,
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: &name, Image: aws.String("docker.io/library/nginx:1"), Memory: aws.Int32(128), Essential: aws.Bool(true),
			PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(8080), HostPort: aws.Int32(0)}, {ContainerPort: aws.Int32(9090), HostPort: aws.Int32(0)}},
		}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.ecs().CreateService(w.t.Context(), &ecs.CreateServiceInput{
		Cluster: aws.String(cluster), ServiceName: &name, TaskDefinition: out.TaskDefinition.TaskDefinitionArn, DesiredCount: aws.Int32(3),
		LaunchType: ecstypes.LaunchTypeEc2, HealthCheckGracePeriodSeconds: aws.Int32(3600),
		LoadBalancers: []ecstypes.LoadBalancer{{TargetGroupArn: &group, ContainerName: &name, ContainerPort: aws.Int32(8080)}},
	}); err != nil {
		w.t.Fatal(err)
	}
	return lastElement(*out.TaskDefinition.TaskDefinitionArn)
}

func TestTheFrontsOfAServiceAreTheNamesOfItsLoadBalancers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		pair := w.balancer(seed.Balancer{Name: "pair", Pair: true})
		w.service(seed.Service{Name: "backend", Desired: 1, Balanced: pair, Rollout: seed.Rollout{Strategy: ecstypes.DeploymentStrategyBlueGreen}})
		single := w.balancer(seed.Balancer{Name: "single"})
		w.service(seed.Service{Name: "worker", Desired: 1, Balanced: single})
		w.service(seed.Service{Name: "cron", Desired: 1})
		w.settle()
		w.sim.ResetJournal()
		for service, want := range map[string][]string{"backend": {pair.DNSName}, "worker": {single.DNSName}, "cron": nil} {
			for range 3 {
				got, problem := w.fleet.Fronts(t.Context(), w.key(service))
				noProblem(t, problem)
				if !slices.Equal(got, want) {
					t.Errorf("in front of %s is %v, wanted %v", service, got, want)
				}
			}
		}
		if got := w.calls(); got["DescribeTargetGroups"] != 2 || got["DescribeLoadBalancers"] != 2 {
			t.Errorf("asking each three times cost %s, wanted each to be asked once", spell(got))
		}
		time.Sleep(frontsAge)
		if _, problem := w.fleet.Fronts(t.Context(), w.key("worker")); problem != nil || w.calls()["DescribeLoadBalancers"] != 3 {
			t.Errorf("after a while it cost %s, wanted another look", spell(w.calls()))
		}
		_, problem := w.fleet.Fronts(t.Context(), w.key("frontend"))
		wantProblem(t, problem, rollout.ProblemMissing, ecsv1alpha1.ReasonServiceNotFound, "frontend")
	})
}

func TestProblemsOfLoadBalancingHaveTheirClass(t *testing.T) {
	for name, c := range map[string]struct {
		fault awssim.Fault
		class rollout.ProblemClass
	}{
		"a throttle passes":       {awssim.Fault{Throttle: true}, rollout.ProblemThrottled},
		"no health yet passes":    {awssim.Fault{Error: &awssim.FaultError{Status: 400, Code: "HealthUnavailable", Message: "not now"}}, rollout.ProblemTransient},
		"a group that is gone":    {awssim.Fault{Error: &awssim.FaultError{Status: 400, Code: "TargetGroupNotFound", Message: "gone"}}, rollout.ProblemMissing},
		"a permission that lacks": {awssim.Fault{Error: &awssim.FaultError{Status: 403, Code: "AccessDenied", Message: "User: x is not authorized to perform: elasticloadbalancing:DescribeTargetHealth"}}, rollout.ProblemDenied},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				revision := w.service(seed.Service{Name: "backend", Desired: 1, Balanced: w.balancer(seed.Balancer{Name: "helium-backend"})})
				w.settle()
				c.fault.Operation = "DescribeTargetHealth"
				w.fault(c.fault)
				_, problem := w.fleet.TargetHealth(t.Context(), w.key("backend"), revision, time.Time{})
				if problem == nil || problem.Class != c.class || !strings.Contains(problem.Message, "target group helium-backend") {
					t.Errorf("problem is %+v, wanted %s that names the target group", problem, c.class)
				}
			})
		})
	}
}

package awssim

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// balancers is a real client of Elastic Load Balancing as the root of the account.
func (w *ecsTestWorld) balancers() *elb.Client {
	w.Helper()
	return elb.NewFromConfig(aws.Config{
		Region:       mumbai,
		Credentials:  credentials.NewStaticCredentialsProvider(ownAccount, rootSecret, ""),
		HTTPClient:   &http.Client{Transport: Conforming(w, w.sim.HTTPClient().Transport)},
		BaseEndpoint: aws.String("http://awssim.test"),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	})
}

// balance makes a load balancer.
func (w *ecsTestWorld) balance(b seed.Balancer) *seed.Balanced {
	w.Helper()
	made, err := b.Create(w.Context(), w.balancers())
	if err != nil {
		w.Fatal(err)
	}
	return made
}

// behind puts the service behind a load balancer.
func (w *ecsTestWorld) behind(b *seed.Balanced) func(*ecs.CreateServiceInput) {
	return func(in *ecs.CreateServiceInput) {
		lb := types.LoadBalancer{TargetGroupArn: &b.TargetGroup, ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080)}
		if b.Alternate != "" {
			lb.AdvancedConfiguration = &types.AdvancedConfiguration{
				AlternateTargetGroupArn: &b.Alternate, ProductionListenerRule: &b.ProductionRule, TestListenerRule: &b.TestRule,
				RoleArn: aws.String("arn:aws:iam::111122223333:role/ecs-infrastructure"),
			}
		}
		in.LoadBalancers = []types.LoadBalancer{lb}
	}
}

// targets are the states of a target group's targets, by address.
func (w *ecsTestWorld) targets(group string) map[string]elbtypes.TargetHealthStateEnum {
	w.Helper()
	out, err := w.balancers().DescribeTargetHealth(w.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &group})
	if err != nil {
		w.Fatal(err)
	}
	found := map[string]elbtypes.TargetHealthStateEnum{}
	for _, target := range out.TargetHealthDescriptions {
		found[*target.Target.Id] = target.TargetHealth.State
	}
	return found
}

// get asks the load balancer as its users do, and returns status and body; header asks for
// the rule of test traffic.
func (w *ecsTestWorld) get(b *seed.Balanced, header ...string) (status int, body string) {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), http.MethodGet, "http://"+b.DNSName+"/", nil)
	if err != nil {
		w.Fatal(err)
	}
	for _, name := range header {
		request.Header.Set(name, "yes")
	}
	transport := &http.Transport{DialContext: w.sim.DialLoadBalancer, DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestATaskIsATargetFromItsStartUntilItHasDrained(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", DrainSeconds: 60})
		w.create(w.register(v1), 1, w.behind(b))
		w.settle()
		task := w.tasks(types.DesiredStatusRunning)[0]
		address := privateAddress(task)
		if states := w.targets(b.TargetGroup); states[address] != elbtypes.TargetHealthStateEnumHealthy || len(states) != 1 {
			t.Errorf("targets %v, want %s healthy", states, address)
		}
		if status, body := w.get(b); status != 200 || !strings.Contains(body, "service web, image "+v1+", revision web:1") {
			t.Errorf("%d %s", status, body)
		}
		w.update(w.register(v2))
		drained, status := time.Duration(0), types.DesiredStatusRunning
		for range 300 {
			time.Sleep(time.Second)
			if w.targets(b.TargetGroup)[address] == elbtypes.TargetHealthStateEnumDraining {
				drained += time.Second
			}
			for _, stopped := range w.tasks(types.DesiredStatusStopped) {
				if *stopped.TaskArn == *task.TaskArn && *stopped.LastStatus == "STOPPED" {
					status = types.DesiredStatusStopped
				}
			}
		}
		if drained < 58*time.Second || drained > 62*time.Second || status != types.DesiredStatusStopped {
			t.Errorf("drained for %v, is %s", drained, status)
		}
		if states := w.targets(b.TargetGroup); len(states) != 1 || states[address] != "" {
			t.Errorf("targets %v, want that of the new task", states)
		}
		if _, body := w.get(b); !strings.Contains(body, "revision web:2") {
			t.Error(body)
		}
		w.tells("drained", "")
	})
}

func privateAddress(task types.Task) string {
	for _, detail := range task.Attachments[0].Details {
		if *detail.Name == "privateIPv4Address" {
			return *detail.Value
		}
	}
	return ""
}

func TestATargetThatTurnsUnhealthyCostsTheTaskItsLifeAfterTheGracePeriod(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web"})
		w.sim.SetImageBehavior(ImageBehavior{Kind: ImageUnhealthy, Check: "elb"})
		w.create(w.register(v1), 1, w.behind(b), func(in *ecs.CreateServiceInput) { in.HealthCheckGracePeriodSeconds = aws.Int32(300) })
		time.Sleep(4 * time.Minute)
		if s := w.service(); s.RunningCount != 1 || s.Deployments[0].FailedTasks != 0 {
			t.Errorf("within the grace period: %s", line(s, w.brief()))
		}
		w.sim.ClearImageBehaviors()
		time.Sleep(3 * time.Minute)
		task := w.tasks(types.DesiredStatusStopped)[0]
		if want := "Task failed ELB health checks in (target-group " + b.TargetGroup + ")"; *task.StoppedReason != want {
			t.Errorf("%s, want %s", *task.StoppedReason, want)
		}
		healthy := w.settle()
		if healthy.RunningCount != 1 {
			t.Error(line(healthy, w.brief()))
		}
		time.Sleep(10 * time.Minute)
		address := privateAddress(w.tasks(types.DesiredStatusRunning)[0])
		if err := w.sim.SetTargetHealth(TargetHealth{TargetGroup: b.TargetGroup, ID: address, Reason: "Target.Timeout"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Minute)
		if after := w.service(); *after.Deployments[0].Id != *healthy.Deployments[0].Id || after.RunningCount != 1 || privateAddress(w.tasks(types.DesiredStatusRunning)[0]) == address {
			t.Errorf("the task was not replaced: %s", line(after, w.brief()))
		}
		if !strings.Contains(w.messages(), "(port 8080) is unhealthy in (target-group <web>) due to (reason Request timed out)") {
			t.Error(w.messages())
		}
	})
}

func TestAnImageThatPassesItsChecksMayAnswerItsUsersWithErrors(t *testing.T) {
	for name, c := range map[string]struct {
		behavior ImageBehavior
		want     int
	}{
		"an image that errors":     {ImageBehavior{Kind: ImageErrors}, 500},
		"with a status of its own": {ImageBehavior{Kind: ImageErrors, HTTPStatus: 503}, 503},
		"a slow start":             {ImageBehavior{Kind: ImageSlowStart, Seconds: 5, HTTPStatus: 404}, 404},
		"a healthy one":            {ImageBehavior{Kind: ImageHealthy, HTTPStatus: 418}, 418},
	} {
		t.Run(name, func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				b := w.balance(seed.Balancer{Name: "web"})
				w.sim.SetImageBehavior(c.behavior)
				w.create(w.register(v1), 1, w.behind(b), breaker(true))
				if s := w.settle(); s.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted {
					t.Error(line(s, w.brief()))
				}
				if status, _ := w.get(b); status != c.want {
					t.Errorf("%d, want %d", status, c.want)
				}
			})
		})
	}
}

func TestTasksOnInstancesAreTargetsByInstanceAndHostPort(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		group, err := w.balancers().CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
			Name: aws.String("instances"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80),
			TargetType: elbtypes.TargetTypeEnumInstance, VpcId: aws.String("vpc-1"),
		})
		if err != nil {
			t.Fatal(err)
		}
		b := w.balance(seed.Balancer{Name: "web"})
		arn := group.TargetGroups[0].TargetGroupArn
		if _, err := w.balancers().ModifyListener(t.Context(), &elb.ModifyListenerInput{
			ListenerArn:    &b.Listener,
			DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: arn}},
		}); err != nil {
			t.Fatal(err)
		}
		in := definition("web", v1)
		in.RequiresCompatibilities, in.NetworkMode = nil, types.NetworkModeBridge
		out, err := w.client.RegisterTaskDefinition(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		w.create(*out.TaskDefinition.TaskDefinitionArn, 1, func(in *ecs.CreateServiceInput) {
			in.LaunchType, in.NetworkConfiguration = types.LaunchTypeEc2, nil
			in.LoadBalancers = []types.LoadBalancer{{TargetGroupArn: arn, ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080)}}
		})
		w.settle()
		task := w.tasks(types.DesiredStatusRunning)[0]
		bound := task.Containers[0].NetworkBindings[0]
		health, err := w.balancers().DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: arn})
		if err != nil {
			t.Fatal(err)
		}
		target := health.TargetHealthDescriptions[0].Target
		if !strings.HasPrefix(*target.Id, "i-") || *target.Port != *bound.HostPort || *bound.ContainerPort != 8080 || *bound.HostPort < 32768 {
			t.Errorf("target %s:%d, bound %+v", *target.Id, *target.Port, bound)
		}
		instances, err := w.client.DescribeContainerInstances(t.Context(), &ecs.DescribeContainerInstancesInput{
			Cluster: aws.String(testCluster), ContainerInstances: []string{*task.ContainerInstanceArn, "0123456789abcdef0123456789abcdef"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(instances.ContainerInstances) != 1 || len(instances.Failures) != 1 || *instances.Failures[0].Reason != "MISSING" {
			t.Fatalf("%d instances, failures %+v", len(instances.ContainerInstances), instances.Failures)
		}
		if i := instances.ContainerInstances[0]; *i.Ec2InstanceId != *target.Id || i.RunningTasksCount != 1 || !i.AgentConnected {
			t.Errorf("instance %s runs %d tasks, want %s with one", *i.Ec2InstanceId, i.RunningTasksCount, *target.Id)
		}
	})
}

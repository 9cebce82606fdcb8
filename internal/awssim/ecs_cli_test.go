package awssim

import (
	"slices"
	"testing"
)

func TestTheCommandLineContinuesAPausedDeployment(t *testing.T) {
	t.Parallel()
	s := New(Options{Speed: 1000})
	cli := newAWSCLI(t, s)
	known := cli.knows(t, "ecs")
	needed := []string{"list-service-deployments", "describe-service-deployments", "continue-service-deployment", "stop-service-deployment"}
	if i := slices.IndexFunc(needed, func(name string) bool { return !known[name] }); i >= 0 {
		t.Logf("this aws has no ecs %s", needed[i])
		return
	}
	cli.ok(t, nil, "ecs", "create-cluster", "--cluster-name", "live")
	cli.ok(t, nil, "ecs", "register-task-definition", "--family", "web", "--network-mode", "awsvpc",
		"--requires-compatibilities", "FARGATE", "--cpu", "256", "--memory", "512",
		"--container-definitions", `[{"name":"app","image":"registry.example.com/web:v1"}]`)
	cli.ok(t, nil, "ecs", "create-service", "--cluster", "live", "--service-name", "web", "--task-definition", "web:1", "--desired-count", "1",
		"--launch-type", "FARGATE", "--network-configuration", "awsvpcConfiguration={subnets=[subnet-1]}",
		"--deployment-configuration", `{"strategy":"BLUE_GREEN","bakeTimeInMinutes":1,"lifecycleHooks":[{"targetType":"PAUSE",`+
			`"lifecycleStages":["POST_TEST_TRAFFIC_SHIFT"],"timeoutConfiguration":{"timeoutInMinutes":20160,"action":"ROLLBACK"}}]}`)
	var list struct {
		ServiceDeployments []struct{ ServiceDeploymentArn, Status string }
	}
	cli.ok(t, &list, "ecs", "list-service-deployments", "--cluster", "live", "--service", "web")
	arn := list.ServiceDeployments[0].ServiceDeploymentArn
	type described struct {
		ServiceDeployments []struct {
			Status, LifecycleStage string
			TargetServiceRevision  struct{ RequestedProductionTrafficWeight, RequestedTestTrafficWeight *float64 }
			LifecycleHookDetails   []struct{ HookID, Status, TimeoutAction string }
		}
	}
	var paused, done described
	cli.ok(t, &paused, "ecs", "describe-service-deployments", "--service-deployment-arns", arn)
	got := paused.ServiceDeployments[0]
	if got.LifecycleStage != stagePostTest || len(got.LifecycleHookDetails) != 1 || got.LifecycleHookDetails[0].Status != awaitingAction ||
		*got.TargetServiceRevision.RequestedTestTrafficWeight != 100 || *got.TargetServiceRevision.RequestedProductionTrafficWeight != 0 {
		t.Fatalf("%+v", got)
	}
	cli.fails(t, "(InvalidParameterException)", "ecs", "continue-service-deployment", "--service-deployment-arn", arn, "--hook-id", "ecs-pause-0")
	cli.ok(t, nil, "ecs", "continue-service-deployment", "--service-deployment-arn", arn, "--hook-id", got.LifecycleHookDetails[0].HookID)
	cli.ok(t, &done, "ecs", "describe-service-deployments", "--service-deployment-arns", arn)
	if got := done.ServiceDeployments[0]; got.Status != "SUCCESSFUL" || got.LifecycleHookDetails[0].Status != "SUCCEEDED" {
		t.Errorf("%+v", got)
	}
	cli.fails(t, "(ConflictException)", "ecs", "stop-service-deployment", "--service-deployment-arn", arn)
}

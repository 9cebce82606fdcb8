package awssim

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

func TestADeploymentConfigurationThatMakesNoSenseIsRefused(t *testing.T) {
	pause := func(change func(*types.DeploymentLifecycleHook)) *types.DeploymentConfiguration {
		hook := types.DeploymentLifecycleHook{
			TargetType:      types.DeploymentLifecycleHookTargetTypePause,
			LifecycleStages: []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStagePostScaleUp},
		}
		change(&hook)
		return &types.DeploymentConfiguration{LifecycleHooks: []types.DeploymentLifecycleHook{hook}}
	}
	cases := map[string]struct {
		configuration *types.DeploymentConfiguration
		code, want    string
	}{
		"an unknown strategy":     {&types.DeploymentConfiguration{Strategy: "RAINBOW"}, "InvalidParameterException", "Invalid deployment strategy"},
		"blue/green without bake": {&types.DeploymentConfiguration{Strategy: "BLUE_GREEN"}, "InvalidParameterException", "bakeTimeInMinutes is required"},
		"a bake of two days":      {&types.DeploymentConfiguration{BakeTimeInMinutes: aws.Int32(2880)}, "InvalidParameterException", "between 0 and 1440"},
		"canary without traffic":  {&types.DeploymentConfiguration{Strategy: "CANARY"}, "InvalidParameterException", "requires a load balancer or Service Connect"},
		"canary in blue/green": {
			&types.DeploymentConfiguration{Strategy: "BLUE_GREEN", BakeTimeInMinutes: aws.Int32(0), CanaryConfiguration: &types.CanaryConfiguration{}},
			"InvalidParameterException", "canaryConfiguration is only valid when the deployment strategy is CANARY",
		},
		"linear in a rolling update": {&types.DeploymentConfiguration{LinearConfiguration: &types.LinearConfiguration{}}, "InvalidParameterException", "linearConfiguration is only valid"},
		"a canary of nothing": {
			&types.DeploymentConfiguration{Strategy: "CANARY", CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(0.05)}},
			"InvalidParameterException", "canaryPercent should be a multiple of 0.1 between 0.1 and 100.0",
		},
		"a step that is too small": {
			&types.DeploymentConfiguration{Strategy: "LINEAR", LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(2)}},
			"InvalidParameterException", "stepPercent should be a multiple of 0.1 between 3.0 and 100.0",
		},
		"a step too precise": {
			&types.DeploymentConfiguration{Strategy: "LINEAR", LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(33.33)}},
			"InvalidParameterException", "multiple of 0.1",
		},
		"a step bake of two days": {
			&types.DeploymentConfiguration{Strategy: "LINEAR", LinearConfiguration: &types.LinearConfiguration{StepBakeTimeInMinutes: aws.Int32(2880)}},
			"InvalidParameterException", "stepBakeTimeInMinutes should be between 0 and 1440",
		},
		"alarms without names": {&types.DeploymentConfiguration{Alarms: &types.DeploymentAlarms{AlarmNames: []string{}, Enable: true}}, "InvalidParameterException", "alarmNames can not be empty"},
		"a Lambda hook": {
			pause(func(h *types.DeploymentLifecycleHook) {
				h.TargetType = types.DeploymentLifecycleHookTargetTypeAwsLambda
			}),
			"UnsupportedFeatureException", "target type AWS_LAMBDA are not supported",
		},
		"a hook of the default type": {pause(func(h *types.DeploymentLifecycleHook) { h.TargetType = "" }), "UnsupportedFeatureException", "AWS_LAMBDA"},
		"a hook of another type":     {pause(func(h *types.DeploymentLifecycleHook) { h.TargetType = "SNS" }), "InvalidParameterException", "target type"},
		"a pause with a target": {
			pause(func(h *types.DeploymentLifecycleHook) { h.HookTargetArn = aws.String("arn:aws:lambda:x") }),
			"InvalidParameterException", "hookTargetArn and roleArn are not supported",
		},
		"a hook without stages":   {pause(func(h *types.DeploymentLifecycleHook) { h.LifecycleStages = nil }), "InvalidParameterException", "lifecycleStages can not be empty"},
		"a hook at no hook stage": {pause(stage("BAKE_TIME")), "InvalidParameterException", "Invalid lifecycle stage"},
		"a pause in the shift":    {pause(stage("PRODUCTION_TRAFFIC_SHIFT")), "InvalidParameterException", "PAUSE hooks cannot be configured at the PRODUCTION_TRAFFIC_SHIFT"},
		"a traffic hook on rolling": {
			pause(stage("POST_TEST_TRAFFIC_SHIFT")), "InvalidParameterException", "not supported with the ROLLING deployment strategy",
		},
		"a pause for a month": {
			pause(func(h *types.DeploymentLifecycleHook) {
				h.TimeoutConfiguration = &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(43200)}
			}), "InvalidParameterException", "between 1 and 20160",
		},
		"a timeout that waits on": {
			pause(func(h *types.DeploymentLifecycleHook) {
				h.TimeoutConfiguration = &types.DeploymentLifecycleHookTimeoutConfiguration{Action: "WAIT"}
			}), "InvalidParameterException", "Invalid timeout action",
		},
		"eleven hooks": {
			&types.DeploymentConfiguration{LifecycleHooks: make([]types.DeploymentLifecycleHook, 11)}, "InvalidParameterException", "at most 10",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				w.create(w.register(v1), 1)
				_, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
					Cluster: aws.String(testCluster), Service: aws.String("web"), DeploymentConfiguration: c.configuration,
				})
				refused(t, err, c.code, c.want)
				if got := w.service().DeploymentConfiguration; got.Strategy != types.DeploymentStrategyRolling || len(got.LifecycleHooks) != 0 {
					t.Errorf("refused and kept: %+v", got)
				}
			})
		})
	}
}

func stage(name types.DeploymentLifecycleHookStage) func(*types.DeploymentLifecycleHook) {
	return func(h *types.DeploymentLifecycleHook) { h.LifecycleStages = []types.DeploymentLifecycleHookStage{name} }
}

func TestDefaultsOfAStrategyAreShown(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		b := w.balance(seed.Balancer{Name: "web", Pair: true})
		c := w.create(w.register(v1), 1, w.behind(b), rollout(types.DeploymentStrategyCanary)).DeploymentConfiguration
		if *c.CanaryConfiguration.CanaryPercent != 5 || *c.CanaryConfiguration.CanaryBakeTimeInMinutes != 10 || *c.BakeTimeInMinutes != 2 {
			t.Errorf("%+v", c)
		}
		out, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String(testCluster), Service: aws.String("web"),
			DeploymentConfiguration: &types.DeploymentConfiguration{
				Strategy: types.DeploymentStrategyLinear, LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(25)},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if c := out.Service.DeploymentConfiguration; c.CanaryConfiguration != nil || *c.LinearConfiguration.StepPercent != 25 || *c.LinearConfiguration.StepBakeTimeInMinutes != 6 {
			t.Errorf("%+v", c)
		}
	})
}

func TestLoadBalancersThatCannotWorkAreRefused(t *testing.T) {
	advanced := func(b *seed.Balanced, change func(*types.AdvancedConfiguration)) []types.LoadBalancer {
		a := &types.AdvancedConfiguration{
			AlternateTargetGroupArn: &b.Alternate, ProductionListenerRule: &b.ProductionRule, TestListenerRule: &b.TestRule,
			RoleArn: aws.String("arn:aws:iam::111122223333:role/lb"),
		}
		change(a)
		return []types.LoadBalancer{{TargetGroupArn: &b.TargetGroup, ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080), AdvancedConfiguration: a}}
	}
	plain := func(arn string) types.LoadBalancer {
		return types.LoadBalancer{TargetGroupArn: &arn, ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080)}
	}
	classic := types.LoadBalancer{LoadBalancerName: aws.String("old"), ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080)}
	cases := map[string]struct {
		strategy  types.DeploymentStrategy
		balancers func(w *ecsTestWorld, b *seed.Balanced) []types.LoadBalancer
		want      string
	}{
		"a target group that is not there": {"ROLLING", func(_ *ecsTestWorld, b *seed.Balanced) []types.LoadBalancer {
			return []types.LoadBalancer{plain(b.TargetGroup + "0")}
		}, "The specified target group does not exist"},
		"one that nothing forwards to": {"ROLLING", func(w *ecsTestWorld, _ *seed.Balanced) []types.LoadBalancer {
			return []types.LoadBalancer{plain(w.loneGroup(elbtypes.TargetTypeEnumIp))}
		}, "does not have an associated load balancer."},
		"the same twice": {"ROLLING", func(_ *ecsTestWorld, b *seed.Balanced) []types.LoadBalancer {
			return []types.LoadBalancer{plain(b.TargetGroup), plain(b.TargetGroup)}
		}, "Duplicate targetGroupArn found: "},
		"classic and new": {"ROLLING", func(_ *ecsTestWorld, b *seed.Balanced) []types.LoadBalancer {
			return []types.LoadBalancer{plain(b.TargetGroup), classic}
		}, "All loadBalancers must be strictly either ELBv1"},
		"neither": {"ROLLING", func(*ecsTestWorld, *seed.Balanced) []types.LoadBalancer {
			return []types.LoadBalancer{{ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080)}}
		}, "cannot both be unspecified"},
		"blue/green without a pair": {"BLUE_GREEN", func(_ *ecsTestWorld, b *seed.Balanced) []types.LoadBalancer {
			return []types.LoadBalancer{plain(b.TargetGroup)}
		}, "advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy"},
		"blue/green behind a classic one": {"BLUE_GREEN", func(_ *ecsTestWorld, b *seed.Balanced) []types.LoadBalancer {
			lb := classic
			lb.AdvancedConfiguration = advanced(b, func(*types.AdvancedConfiguration) {})[0].AdvancedConfiguration
			return []types.LoadBalancer{lb}
		}, "advancedConfiguration field is not allowed with ELBv1 loadBalancers"},
		"some advanced, some not": {"ROLLING", func(_ *ecsTestWorld, b *seed.Balanced) []types.LoadBalancer {
			return append(advanced(b, func(*types.AdvancedConfiguration) {}), plain(b.TargetGroup+"1"))
		}, "Either all or none of the provided loadBalancers must have advancedConfiguration defined"},
		"a listener for a rule": {"BLUE_GREEN", func(_ *ecsTestWorld, b *seed.Balanced) []types.LoadBalancer {
			return advanced(b, func(a *types.AdvancedConfiguration) { a.ProductionListenerRule = &b.Listener })
		}, "productionListenerRule has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: "},
		"one rule for both": {"BLUE_GREEN", func(_ *ecsTestWorld, b *seed.Balanced) []types.LoadBalancer {
			return advanced(b, func(a *types.AdvancedConfiguration) { a.TestListenerRule = &b.ProductionRule })
		}, "The following rules cannot be used as both production and test listener rules: "},
		"no alternate": {"BLUE_GREEN", func(_ *ecsTestWorld, b *seed.Balanced) []types.LoadBalancer {
			return advanced(b, func(a *types.AdvancedConfiguration) { a.AlternateTargetGroupArn = aws.String("") })
		}, "The specified target group does not exist"},
		"no role": {"BLUE_GREEN", func(_ *ecsTestWorld, b *seed.Balanced) []types.LoadBalancer {
			return advanced(b, func(a *types.AdvancedConfiguration) { a.RoleArn = nil })
		}, "roleArn is required"},
		"an alternate that no rule forwards to": {"BLUE_GREEN", func(w *ecsTestWorld, b *seed.Balanced) []types.LoadBalancer {
			return advanced(b, func(a *types.AdvancedConfiguration) {
				a.TestListenerRule, a.AlternateTargetGroupArn = nil, aws.String(w.loneGroup(elbtypes.TargetTypeEnumIp))
			})
		}, "testListenerRule is required when productionListenerRule is not associated with both targetGroup and alternateTargetGroup"},
		"targets that are instances": {"ROLLING", func(w *ecsTestWorld, b *seed.Balanced) []types.LoadBalancer {
			group := w.loneGroup(elbtypes.TargetTypeEnumInstance)
			if _, err := w.balancers().ModifyListener(w.Context(), &elb.ModifyListenerInput{
				ListenerArn: &b.Listener, DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &group}},
			}); err != nil {
				w.Fatal(err)
			}
			return []types.LoadBalancer{plain(group)}
		}, "has target type instance, which is incompatible with the awsvpc network mode specified in the task definition."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				b := w.balance(seed.Balancer{Name: "web", Pair: true})
				in := &ecs.CreateServiceInput{
					Cluster: aws.String(testCluster), ServiceName: aws.String("web"), TaskDefinition: aws.String(w.register(v1)),
					DesiredCount: aws.Int32(1), LaunchType: types.LaunchTypeFargate, LoadBalancers: c.balancers(w, b),
					NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
				}
				rollout(c.strategy)(in)
				_, err := w.client.CreateService(t.Context(), in)
				refused(t, err, "InvalidParameterException", c.want)
			})
		})
	}
}

// loneGroup is a target group that no load balancer forwards to.
func (w *ecsTestWorld) loneGroup(kind elbtypes.TargetTypeEnum) string {
	w.Helper()
	out, err := w.balancers().CreateTargetGroup(w.Context(), &elb.CreateTargetGroupInput{
		Name: aws.String("lone"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), TargetType: kind, VpcId: aws.String("vpc-1"),
	})
	if err != nil {
		w.Fatal(err)
	}
	return *out.TargetGroups[0].TargetGroupArn
}

func TestWhatOnlyECSDeploymentsHaveIsRefusedForOtherControllers(t *testing.T) {
	for name, c := range map[string]*types.DeploymentConfiguration{
		"The BLUE_GREEN deployment strategy":  {Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0)},
		"Alarm based rollback feature":        {Alarms: &types.DeploymentAlarms{AlarmNames: []string{"a"}, Enable: true}},
		"Deployment circuit breaker feature":  {DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true}},
		"Deployment lifecycle hooks are only": hooked(pauseAt(5, "CONTINUE", types.DeploymentLifecycleHookStagePreScaleUp)),
	} {
		t.Run(strings.ReplaceAll(name, "/", " "), func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				_, err := w.client.CreateService(t.Context(), &ecs.CreateServiceInput{
					Cluster: aws.String(testCluster), ServiceName: aws.String("web"), TaskDefinition: aws.String(w.register(v1)), DesiredCount: aws.Int32(1),
					LaunchType: types.LaunchTypeFargate, DeploymentConfiguration: c,
					NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
					DeploymentController: &types.DeploymentController{Type: types.DeploymentControllerTypeCodeDeploy},
				})
				refused(t, err, "InvalidParameterException", name)
			})
		})
	}
}

func TestAGracePeriodNeedsALoadBalancer(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1)
		_, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String(testCluster), Service: aws.String("web"), HealthCheckGracePeriodSeconds: aws.Int32(30),
		})
		refused(t, err, "InvalidParameterException", "Health check grace period is only valid for services configured to use load balancers")
	})
}

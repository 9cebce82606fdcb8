package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/lab"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/screen"
)

// diff runs diff, which must not show a value of the service's environment.
func diff(t *testing.T, args ...string) outcome {
	t.Helper()
	ended := ask(t, staging, append([]string{"diff", "diffs"}, args...)...)
	if strings.Contains(ended.all(), canary) {
		t.Errorf("a value of an environment variable is shown:\n%s", ended.all())
	}
	return ended
}

// What diff says would be registered is what the controller then registers.
func TestDiffSaysWhatIsRegisteredThen(t *testing.T) {
	release := releaseOf("diffs", "helium-backend:v1")
	create(t, release)
	ask(t, staging, "wait", release.Name, "--timeout", "60s").ends(t, rollout.ExitReady)
	diff(t).ends(t, rollout.ExitReady, "mumbai/backend (ap-south-1/diffs) runs it already, with diffs:1")
	diff(t, "--image", "helium-backend:v2").ends(t, rollout.ExitFailed,
		"mumbai/backend (ap-south-1/diffs) goes from diffs:1 to a new revision of diffs",
		"containerDefinitions[backend].image", "- 111122223333.dkr.ecr.ap-south-1.amazonaws.com/helium-backend:v1", "+ 111122223333.dkr.ecr.ap-south-1.amazonaws.com/helium-backend@sha256:")
	diff(t, "--image", "helium-backend:v77").ends(t, rollout.ExitUsage, "there is no image helium-backend:v77 in registry 111122223333 in ap-south-1")
	diff(t, "--image", "proxy=helium-backend:v2").ends(t, rollout.ExitUsage, "the release has helium-backend:v1")
	diff(t, "--image", "helium-backend").ends(t, rollout.ExitUsage, "has neither tag nor digest")
	diff(t, "--registry-account", "444455556666").ends(t, rollout.ExitUsage, "registry 444455556666")
	if now := describe(t, "diffs").TaskDefinition; !strings.HasSuffix(aws.ToString(now), "/diffs:1") {
		t.Errorf("asking has changed what runs to %s", aws.ToString(now))
	}

	planned := diff(t, "--image", "helium-backend:v2", "-o", "json")
	var plans []screen.Plan
	if err := json.Unmarshal([]byte(planned.out), &plans); err != nil || len(plans) != 1 {
		t.Fatalf("it prints %v (%v)", plans, err)
	}
	bump(t, release, "helium-backend:v2")
	ask(t, staging, "wait", release.Name, "--timeout", "60s").ends(t, rollout.ExitReady)
	client := ecs.NewFromConfig(shared.account.AWS.Root(lab.AccountID, home))
	registered, err := client.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String("diffs:2"), Include: []ecstypes.TaskDefinitionField{ecstypes.TaskDefinitionFieldTags},
	})
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, change := range plans[0].Changes {
		said[change.Path] = change.After
	}
	if image := aws.ToString(registered.TaskDefinition.ContainerDefinitions[0].Image); said["containerDefinitions[backend].image"] != image {
		t.Errorf("it said %v, and the image registered is %s", said, image)
	}
	for _, tag := range registered.Tags {
		if said["tags["+aws.ToString(tag.Key)+"].value"] != aws.ToString(tag.Value) {
			t.Errorf("it said %v, and the tag %s registered is %s", said, aws.ToString(tag.Key), aws.ToString(tag.Value))
		}
	}
	diff(t).ends(t, rollout.ExitReady, "runs it already, with diffs:2")
	diff(t, "--image", "helium-backend:v1").ends(t, rollout.ExitFailed, "goes from diffs:2 to a new revision of diffs")
}

func describe(t *testing.T, cluster string) ecstypes.Service {
	t.Helper()
	client := ecs.NewFromConfig(shared.account.AWS.Root(lab.AccountID, home))
	out, err := client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{"backend"}})
	if err != nil || len(out.Services) != 1 {
		t.Fatalf("%v: %+v", err, out)
	}
	return out.Services[0]
}

// Whose credentials they are is the caller's business, and said where they are of no use.
func TestDiffIsMadeWithTheCallersCredentials(t *testing.T) {
	release := releaseOf("others", "helium-backend:v1")
	release.Namespace = told
	create(t, release)
	ask(t, told, "diff", release.Name).ends(t, rollout.ExitReady, "runs it already, with others:1", "taking each target's own account for that of the registry")
	for name, c := range map[string]struct{ account, secret, says string }{
		"a wrong secret":  {lab.AccountID, "wrong", "asking AWS in ap-south-1 whose credentials these are"},
		"another account": {"444455556666", lab.RootSecret, "there is no ECS cluster others in ap-south-1 of account 444455556666"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := shared.command(t.Context(), told, "diff", release.Name)
			cmd.Env = append(cmd.Env, "AWS_ACCESS_KEY_ID="+c.account, "AWS_SECRET_ACCESS_KEY="+c.secret)
			finish(t, cmd).ends(t, rollout.ExitUsage, c.says)
		})
	}
	t.Run("none", func(t *testing.T) {
		cmd := shared.command(t.Context(), told, "diff", release.Name)
		cmd.Env = append(cmd.Env, "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_EC2_METADATA_DISABLED=true", "HOME="+t.TempDir())
		said := finish(t, cmd)
		said.ends(t, rollout.ExitUsage, "finding AWS credentials for ap-south-1")
		if strings.Contains(said.all(), "controller") {
			t.Errorf("it speaks of the controller:\n%s", said.all())
		}
	})
	retell(t, release, ecsv1alpha1.EcsReleaseStatus{Targets: []ecsv1alpha1.TargetStatus{
		{Name: "mumbai", Region: home, Cluster: "others", AccountID: "999999999999"},
	}}, release.Generation)
	ask(t, told, "diff", release.Name).ends(t, rollout.ExitUsage, "it is in account 999999999999, and your AWS credentials are of account 111122223333")
}

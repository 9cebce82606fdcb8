package awssim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

const documentWithNews = `{
	"family": "web", "cpu": ".25 vCPU", "memory": "0.5 GB", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
	"futureMember": {"list": [1, 2.50, null, 12345678901234567890], "empty": {}},
	"taskDefinitionArn": "output members are ignored", "revision": 99, "status": "INACTIVE",
	"containerDefinitions": [{
		"name": "app", "image": "registry.example.com/web:v1", "newKnob": [], "portMappings": [{"containerPort": 80, "later": true}],
		"environment": [{"name": "EMPTY", "value": ""}], "healthCheck": {"command": ["CMD", "true"]}
	}]
}`

func TestUnknownMembersOfATaskDefinitionSurviveExactly(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		if status, answer := w.raw("RegisterTaskDefinition", documentWithNews); status != 200 {
			t.Fatal(answer)
		}
		_, answer := w.raw("DescribeTaskDefinition", `{"taskDefinition": "web:1"}`)
		got := answer["taskDefinition"].(map[string]any)
		for _, member := range []string{"registeredAt", "registeredBy", "requiresAttributes", "compatibilities"} {
			if got[member] == nil {
				t.Errorf("%s is missing", member)
			}
			delete(got, member)
		}
		var want map[string]any
		decoder := json.NewDecoder(strings.NewReader(`{
			"taskDefinitionArn": "arn:aws:ecs:ap-south-1:111122223333:task-definition/web:1", "revision": 1, "status": "ACTIVE",
			"family": "web", "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
			"volumes": [], "placementConstraints": [],
			"futureMember": {"list": [1, 2.50, null, 12345678901234567890], "empty": {}},
			"containerDefinitions": [{
				"name": "app", "image": "registry.example.com/web:v1", "newKnob": [], "cpu": 0, "essential": true,
				"portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp", "later": true}],
				"environment": [{"name": "EMPTY", "value": ""}], "mountPoints": [], "volumesFrom": [], "systemControls": [],
				"healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3}
			}]
		}`))
		decoder.UseNumber()
		if err := decoder.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRegisterTaskDefinitionRefusesWhatAWSRefuses(t *testing.T) {
	container := func(change func(*types.ContainerDefinition)) func(*ecs.RegisterTaskDefinitionInput) {
		return func(in *ecs.RegisterTaskDefinitionInput) { change(&in.ContainerDefinitions[0]) }
	}
	image := func(image string) func(*ecs.RegisterTaskDefinitionInput) {
		return container(func(c *types.ContainerDefinition) { c.Image = &image })
	}
	tags := func(tags ...types.Tag) func(*ecs.RegisterTaskDefinitionInput) {
		return func(in *ecs.RegisterTaskDefinitionInput) { in.Tags = tags }
	}
	var many []types.Tag
	for i := range 51 {
		many = append(many, types.Tag{Key: aws.String(fmt.Sprint("k", i)), Value: aws.String("")})
	}
	digest := "sha256:" + strings.Repeat("a", 64)
	cases := map[string]struct {
		change     func(*ecs.RegisterTaskDefinitionInput)
		code, text string
	}{
		"a family with a blank":    {func(in *ecs.RegisterTaskDefinitionInput) { in.Family = aws.String("a b") }, "ClientException", "Family contains invalid characters."},
		"a family that is empty":   {func(in *ecs.RegisterTaskDefinitionInput) { in.Family = aws.String("") }, "ClientException", "Family should not be null or empty."},
		"no containers":            {func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions = []types.ContainerDefinition{} }, "ClientException", "Container list cannot be empty."},
		"no essential container":   {container(func(c *types.ContainerDefinition) { c.Essential = aws.Bool(false) }), "ClientException", "essential"},
		"a container without name": {container(func(c *types.ContainerDefinition) { c.Name = nil }), "ClientException", "Container.name should not be null or empty."},
		"a name used twice": {func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions = append(in.ContainerDefinitions, in.ContainerDefinitions[0])
		}, "ClientException", "app"},
		"an image with a blank":     {image("web: v1"), "ClientException", "Container.image contains invalid characters"},
		"an image without a tag":    {image("web:"), "ClientException", "Container.image contains invalid characters"},
		"an image that is too long": {image(strings.Repeat("a", 256)), "ClientException", "Container.image contains invalid characters"},
		"a short digest":            {image("web@sha256:abc"), "ClientException", "Container.image contains invalid characters"},
		"no image":                  {image(""), "ClientException", "Container.image should not be null or empty."},
		"a size Fargate lacks":      {func(in *ecs.RegisterTaskDefinitionInput) { in.Memory = aws.String("300") }, "ClientException", "No Fargate configuration exists for given values: 256 CPU, 300 memory."},
		"Fargate without memory":    {func(in *ecs.RegisterTaskDefinitionInput) { in.Memory = nil }, "ClientException", "Fargate requires that 'memory' be defined at the task level."},
		"Fargate in bridge mode":    {func(in *ecs.RegisterTaskDefinitionInput) { in.NetworkMode = types.NetworkModeBridge }, "ClientException", "Fargate only supports network mode"},
		"ECR without a role": {func(in *ecs.RegisterTaskDefinitionInput) {
			in.ExecutionRoleArn, in.ContainerDefinitions[0].Image = nil, aws.String(ownECRHost+"/web:v1")
		}, "ClientException", "Fargate requires task definition to have execution role ARN to support ECR images."},
		"a role that is none": {func(in *ecs.RegisterTaskDefinitionInput) { in.TaskRoleArn = aws.String("arn:aws:s3:::bucket") }, "ClientException", "Role is not valid"},
		"a reserved tag":      {tags(types.Tag{Key: aws.String("aws:x"), Value: aws.String("")}), "InvalidParameterException", "aws:"},
		"a tag twice":         {tags(types.Tag{Key: aws.String("x")}, types.Tag{Key: aws.String("x")}), "InvalidParameterException", "Duplicate"},
		"too many tags":       {tags(many...), "InvalidParameterException", "50"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				in := definition("web", v1)
				c.change(in)
				_, err := w.client.RegisterTaskDefinition(t.Context(), in)
				refused(t, err, c.code, c.text)
			})
		})
	}
	for name, good := range map[string]string{"a digest": "web@" + digest, "a port": "host:5000/web:v1", "a tag and a digest": "web:v1@" + digest, "255 characters before a digest": strings.Repeat("a", 255) + "@" + digest} {
		t.Run("but takes "+name, func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) { w.register(good) })
		})
	}
	t.Run("a wrong type is a SerializationException", func(t *testing.T) {
		inECS(t, func(t *testing.T, w *ecsTestWorld) {
			if _, answer := w.raw("RegisterTaskDefinition", `{"family": 5, "containerDefinitions": []}`); !strings.HasSuffix(fmt.Sprint(answer["__type"]), "SerializationException") {
				t.Error(answer)
			}
		})
	})
}

func TestDescribeTaskDefinitionFindsByFamilyRevisionAndARN(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.register(v1)
		second := w.register(v2)
		for _, name := range []string{"web", "web:2", second} {
			out, err := w.client.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: &name, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags}})
			if err != nil || *out.TaskDefinition.TaskDefinitionArn != second || out.Tags == nil {
				t.Errorf("%s: %v %v", name, out, err)
			}
		}
		for _, name := range []string{"web:3", "web:0", "other", strings.Replace(second, mumbai, singapore, 1)} {
			_, err := w.client.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: &name})
			refused(t, err, "ClientException", "Unable to describe task definition.")
		}
		if _, err := w.client.DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &second}); err != nil {
			t.Fatal(err)
		}
		latest, err := w.client.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("web")})
		if err != nil || latest.TaskDefinition.Revision != 1 {
			t.Errorf("the family is at %v, %v", latest, err)
		}
		gone, err := w.client.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: &second})
		if err != nil || gone.TaskDefinition.Status != types.TaskDefinitionStatusInactive || gone.TaskDefinition.DeregisteredAt == nil {
			t.Errorf("the deregistered one: %v, %v", gone, err)
		}
		first := w.create("web:1", 0)
		_, err = w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(testCluster), Service: first.ServiceArn, TaskDefinition: &second})
		refused(t, err, "ClientException", "TaskDefinition is inactive")
	})
}

func TestListTaskDefinitionsSortsPagesAndLags(t *testing.T) {
	inECSWith(t, Options{Seed: 7}, func(t *testing.T, w *ecsTestWorld) {
		for range 12 {
			w.register(v1)
		}
		list := func(in *ecs.ListTaskDefinitionsInput) *ecs.ListTaskDefinitionsOutput {
			out, err := w.client.ListTaskDefinitions(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		if n := len(list(&ecs.ListTaskDefinitionsInput{}).TaskDefinitionArns); n != 0 {
			t.Errorf("%d are listed at once", n)
		}
		if _, err := w.client.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("web:12")}); err != nil {
			t.Errorf("a revision is not described at once: %v", err)
		}
		time.Sleep(4 * time.Second)
		var revisions []string
		in := &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("we"), Sort: types.SortOrderDesc, MaxResults: aws.Int32(5)}
		for pages := 1; ; pages++ {
			out := list(in)
			for _, arn := range out.TaskDefinitionArns {
				revisions = append(revisions, strings.TrimPrefix(revisionOf(&arn), "web:"))
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				if pages != 3 {
					t.Errorf("%d pages", pages)
				}
				break
			}
		}
		if got := strings.Join(revisions, " "); got != "12 11 10 9 8 7 6 5 4 3 2 1" {
			t.Error(got)
		}
		families, err := w.client.ListTaskDefinitionFamilies(t.Context(), &ecs.ListTaskDefinitionFamiliesInput{})
		if err != nil || strings.Join(families.Families, " ") != "web" {
			t.Error(families, err)
		}
		_, err = w.client.ListTaskDefinitions(t.Context(), &ecs.ListTaskDefinitionsInput{NextToken: aws.String("made up")})
		refused(t, err, "InvalidParameterException", "token")
		_, err = w.client.ListTaskDefinitions(t.Context(), &ecs.ListTaskDefinitionsInput{MaxResults: aws.Int32(101)})
		refused(t, err, "InvalidParameterException", "maxResults")
	})
}

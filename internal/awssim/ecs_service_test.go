package awssim

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

func TestDescribeServicesReportsMissingOnesAsFailures(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 0)
		out, err := w.client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String(testCluster), Services: []string{"web", "nope"}})
		if err != nil || len(out.Services) != 1 || len(out.Failures) != 1 || *out.Failures[0].Reason != "MISSING" {
			t.Errorf("%+v %v", out, err)
		}
		_, err = w.client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String(testCluster), Services: names(11)})
		refused(t, err, "InvalidParameterException", "more than 10")
		_, err = w.client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("nope"), Services: names(1)})
		refused(t, err, "ClusterNotFoundException", "Cluster not found.")
	})
}

func TestUpdateToTheSameRevisionIsNoDeploymentUnlessForced(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		first := w.register(v1)
		w.create(first, 1)
		before := *w.settle().Deployments[0].Id
		if s := w.update(first); *s.Deployments[0].Id != before || len(s.Deployments) != 1 {
			t.Error("the same revision started a deployment")
		}
		s := w.service()
		out, err := w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String(testCluster), Service: aws.String("web"), NetworkConfiguration: s.NetworkConfiguration,
			DeploymentConfiguration: &types.DeploymentConfiguration{MaximumPercent: aws.Int32(150)},
		})
		if err != nil || len(out.Service.Deployments) != 1 || *out.Service.DeploymentConfiguration.MaximumPercent != 150 || *out.Service.DeploymentConfiguration.MinimumHealthyPercent != 100 {
			t.Errorf("%+v %v", out, err)
		}
		out, err = w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(testCluster), Service: aws.String("web"), ForceNewDeployment: true})
		if err != nil || len(out.Service.Deployments) != 2 {
			t.Errorf("force started no deployment: %+v %v", out, err)
		}
	})
}

func TestUpdateServiceRefusesWhatAWSRefuses(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		first := w.register(v1)
		update := func(change func(*ecs.UpdateServiceInput)) error {
			in := &ecs.UpdateServiceInput{Cluster: aws.String(testCluster), Service: aws.String("web")}
			change(in)
			_, err := w.client.UpdateService(t.Context(), in)
			return err
		}
		refused(t, update(func(*ecs.UpdateServiceInput) {}), "ServiceNotFoundException", "Service not found.")
		refused(t, update(func(in *ecs.UpdateServiceInput) { in.Cluster = aws.String("nope") }), "ClusterNotFoundException", "")
		w.create(first, 1, func(in *ecs.CreateServiceInput) {
			in.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeCodeDeploy}
		})
		refused(t, update(func(in *ecs.UpdateServiceInput) { in.TaskDefinition = &first }), "InvalidParameterException",
			"Unable to update task definition on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.")
		refused(t, update(func(in *ecs.UpdateServiceInput) { in.TaskDefinition = aws.String("web:9") }), "ClientException", "TaskDefinition not found.")
		s := w.service()
		if len(s.Deployments) != 0 || len(s.TaskSets) != 1 || *s.TaskSets[0].Status != "PRIMARY" {
			t.Errorf("under CODE_DEPLOY: %+v", s)
		}
		_, err := w.client.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Cluster: aws.String(testCluster), Service: aws.String("web")})
		refused(t, err, "UnsupportedFeatureException", "")
	})
}

func TestADeletedServiceDrainsIsInactiveAndIsForgotten(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		first := w.register(v1)
		w.create(first, 1)
		w.settle()
		remove := func(force bool) error {
			_, err := w.client.DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: aws.String(testCluster), Service: aws.String("web"), Force: aws.Bool(force)})
			return err
		}
		refused(t, remove(false), "InvalidParameterException", "The service cannot be stopped while it is scaled above 0.")
		if err := remove(true); err != nil {
			t.Fatal(err)
		}
		if s := w.service(); *s.Status != "DRAINING" {
			t.Errorf("after the deletion: %s", *s.Status)
		}
		_, err := w.client.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String(testCluster)})
		refused(t, err, "ClusterContainsTasksException", "")
		time.Sleep(2 * time.Minute)
		if s := w.service(); *s.Status != "INACTIVE" || *s.TaskDefinition != first || s.RunningCount != 0 {
			t.Errorf("after the tasks: %+v", s)
		}
		_, err = w.client.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(testCluster), Service: aws.String("web"), ForceNewDeployment: true})
		refused(t, err, "ServiceNotActiveException", "Service was not ACTIVE.")
		refused(t, remove(true), "ServiceNotFoundException", "")
		time.Sleep(2 * time.Hour)
		out, err := w.client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String(testCluster), Services: []string{"web"}})
		if err != nil || len(out.Failures) != 1 {
			t.Errorf("%+v %v", out, err)
		}
		if _, err := w.client.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String(testCluster)}); err != nil {
			t.Error(err)
		}
	})
}

func TestCreateServiceIsIdempotentByItsTokenOnly(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		first := w.register(v1)
		token := func(in *ecs.CreateServiceInput) { in.ClientToken = aws.String("once") }
		made := w.create(first, 1, token)
		if again := w.create(first, 1, token); *again.Deployments[0].Id != *made.Deployments[0].Id {
			t.Error("the token made a second service")
		}
		_, err := w.client.CreateService(t.Context(), &ecs.CreateServiceInput{
			Cluster: aws.String(testCluster), ServiceName: aws.String("web"), TaskDefinition: &first, DesiredCount: aws.Int32(1), LaunchType: types.LaunchTypeFargate,
		})
		refused(t, err, "InvalidParameterException", "Creation of service was not idempotent.")
		_, err = w.client.CreateService(t.Context(), &ecs.CreateServiceInput{
			Cluster: aws.String(testCluster), ServiceName: aws.String("other"), TaskDefinition: &first, DesiredCount: aws.Int32(1), LaunchType: types.LaunchTypeFargate,
		})
		refused(t, err, "InvalidParameterException", "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	})
}

func TestListServicesPagesThroughAll(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		first := w.register(v1)
		for _, name := range names(23) {
			w.create(first, 0, func(in *ecs.CreateServiceInput) { in.ServiceName = &name })
		}
		seen := map[string]bool{}
		pages := ecs.NewListServicesPaginator(w.client, &ecs.ListServicesInput{Cluster: aws.String(testCluster)})
		n := 0
		for ; pages.HasMorePages(); n++ {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, arn := range page.ServiceArns {
				seen[arn] = true
			}
		}
		if n != 3 || len(seen) != 23 {
			t.Errorf("%d services on %d pages", len(seen), n)
		}
		clusters, err := w.client.ListClusters(t.Context(), &ecs.ListClustersInput{})
		if err != nil || len(clusters.ClusterArns) != 1 {
			t.Error(clusters, err)
		}
		described, err := w.client.DescribeClusters(t.Context(), &ecs.DescribeClustersInput{Clusters: []string{testCluster, "nope"}})
		if err != nil || described.Clusters[0].ActiveServicesCount != 23 || len(described.Failures) != 1 {
			t.Error(described, err)
		}
	})
}

func TestListServiceDeploymentsFiltersAndPages(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 0)
		w.settle()
		middle := time.Now()
		time.Sleep(time.Second)
		w.update(w.register(v2))
		w.settle()
		w.update(w.register(v3))
		list := func(change func(*ecs.ListServiceDeploymentsInput)) *ecs.ListServiceDeploymentsOutput {
			in := &ecs.ListServiceDeploymentsInput{Cluster: aws.String(testCluster), Service: aws.String("web")}
			change(in)
			out, err := w.client.ListServiceDeployments(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		if out := list(func(in *ecs.ListServiceDeploymentsInput) { in.CreatedAt = &types.CreatedAt{After: &middle} }); len(out.ServiceDeployments) != 2 {
			t.Errorf("%d after the first", len(out.ServiceDeployments))
		}
		pending := list(func(in *ecs.ListServiceDeploymentsInput) {
			in.Status = []types.ServiceDeploymentStatus{types.ServiceDeploymentStatusPending}
		})
		if len(pending.ServiceDeployments) != 1 {
			t.Errorf("%d pending", len(pending.ServiceDeployments))
		}
		one := list(func(in *ecs.ListServiceDeploymentsInput) { in.MaxResults = aws.Int32(1) })
		two := list(func(in *ecs.ListServiceDeploymentsInput) { in.MaxResults, in.NextToken = aws.Int32(2), one.NextToken })
		if *one.ServiceDeployments[0].ServiceDeploymentArn != *pending.ServiceDeployments[0].ServiceDeploymentArn || len(two.ServiceDeployments) != 2 || two.NextToken != nil {
			t.Errorf("pages of %d and %d", len(one.ServiceDeployments), len(two.ServiceDeployments))
		}
		unknown := *one.ServiceDeployments[0].ServiceDeploymentArn + "x"
		out, err := w.client.DescribeServiceDeployments(t.Context(), &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{unknown}})
		if err != nil || len(out.Failures) != 1 {
			t.Error(out, err)
		}
		_, err = w.client.StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: &unknown})
		refused(t, err, "ServiceDeploymentNotFoundException", "")
	})
}

func TestTagsAreKeptChangedAndShownWhenAskedFor(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		in := definition("web", v1)
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}}
		out, err := w.client.RegisterTaskDefinition(t.Context(), in)
		if err != nil || len(out.Tags) != 1 {
			t.Fatal(out, err)
		}
		arn := out.TaskDefinition.TaskDefinitionArn
		if _, err := w.client.TagResource(t.Context(), &ecs.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}, {Key: aws.String("x"), Value: aws.String("")}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.client.UntagResource(t.Context(), &ecs.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"x"}}); err != nil {
			t.Fatal(err)
		}
		tags, err := w.client.ListTagsForResource(t.Context(), &ecs.ListTagsForResourceInput{ResourceArn: arn})
		if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Value != "red" {
			t.Error(tags, err)
		}
		s := w.create(*arn, 0, func(in *ecs.CreateServiceInput) {
			in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
		})
		described, err := w.client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String(testCluster), Services: []string{*s.ServiceArn}, Include: []types.ServiceField{types.ServiceFieldTags}})
		if err != nil || len(described.Services[0].Tags) != 1 {
			t.Error(described, err)
		}
		if w.service().Tags != nil {
			t.Error("tags are shown without being asked for")
		}
		gone := *s.ServiceArn + "x"
		_, err = w.client.TagResource(t.Context(), &ecs.TagResourceInput{ResourceArn: &gone, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
		refused(t, err, "ResourceNotFoundException", "")
	})
}

func TestListTasksRefusesContradictoryFilters(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1)
		s := w.settle()
		out, err := w.client.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String(testCluster), StartedBy: s.Deployments[0].Id})
		if err != nil || len(out.TaskArns) != 1 {
			t.Error(out, err)
		}
		_, err = w.client.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String(testCluster), StartedBy: s.Deployments[0].Id, ServiceName: aws.String("web")})
		refused(t, err, "InvalidParameterException", "startedBy")
		_, err = w.client.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String(testCluster), ServiceName: aws.String("nope")})
		refused(t, err, "ServiceNotFoundException", "")
		tasks, err := w.client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String(testCluster), Tasks: []string{"0123456789abcdef0123456789abcdef"}})
		if err != nil || len(tasks.Failures) != 1 {
			t.Error(tasks, err)
		}
	})
}

func TestARolloutTakesExactlyThePermissionsThatAWSDocuments(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 1)
		w.settle()
		user := func(statements string) *ecs.Client {
			u, err := w.sim.PutUser(User{Account: ownAccount, Name: "deployer", Policies: []json.RawMessage{json.RawMessage(`{"Version":"2012-10-17","Statement":` + statements + `}`)}})
			if err != nil {
				t.Fatal(err)
			}
			return ecs.NewFromConfig(aws.Config{
				Region: mumbai, Credentials: credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, ""),
				HTTPClient: w.sim.HTTPClient(), BaseEndpoint: aws.String("http://awssim.test"), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
			})
		}
		in := definition("web", v2)
		in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
		register := `{"Effect":"Allow","Action":"ecs:RegisterTaskDefinition","Resource":"arn:aws:ecs:*:111122223333:task-definition/web:*"}`
		tag := `{"Effect":"Allow","Action":"ecs:TagResource","Resource":"arn:aws:ecs:*:111122223333:task-definition/web:*","Condition":{"StringEquals":{"ecs:CreateAction":"RegisterTaskDefinition"}}}`
		pass := `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/exec","Condition":{"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}}`
		update := `{"Effect":"Allow","Action":"ecs:UpdateService","Resource":"arn:aws:ecs:*:111122223333:service/` + testCluster + `/*"}`

		_, err := user("["+register+"]").RegisterTaskDefinition(t.Context(), in)
		refused(t, err, "AccessDeniedException", "is not authorized to perform: ecs:TagResource on resource: arn:aws:ecs:ap-south-1:111122223333:task-definition/web:*")
		_, err = user("["+register+","+tag+"]").RegisterTaskDefinition(t.Context(), in)
		refused(t, err, "AccessDeniedException", "is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/exec because no identity-based policy allows the iam:PassRole action")
		_, err = user("["+update+"]").UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(testCluster), Service: aws.String("web"), TaskDefinition: aws.String("web:1")})
		refused(t, err, "AccessDeniedException", "iam:PassRole")

		w.sim.ResetJournal()
		all := user("[" + register + "," + tag + "," + pass + "," + update + "]")
		out, err := all.RegisterTaskDefinition(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := all.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(testCluster), Service: aws.String("web"), TaskDefinition: out.TaskDefinition.TaskDefinitionArn}); err != nil {
			t.Fatal(err)
		}
		var actions []string
		for _, entry := range w.sim.Journal(JournalFilter{}) {
			for _, a := range entry.Actions {
				actions = append(actions, a.Action)
			}
		}
		slices.Sort(actions)
		if diff := cmp.Diff([]string{"ecs:RegisterTaskDefinition", "ecs:TagResource", "ecs:UpdateService", "iam:PassRole", "iam:PassRole"}, actions); diff != "" {
			t.Error(diff)
		}
	})
}

func TestServicePartsTakeThePermissionForTheServiceToo(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.create(w.register(v1), 0)
		w.settle()
		w.sim.ResetJournal()
		w.images(*w.service().CurrentServiceRevisions[0].Arn)
		w.latest()
		var resources []string
		for _, entry := range w.sim.Journal(JournalFilter{}) {
			if entry.Operation != "DescribeServiceRevisions" && entry.Operation != "DescribeServiceDeployments" {
				continue
			}
			for _, a := range entry.Actions {
				resources = append(resources, a.Resource[:len("arn:aws:ecs:ap-south-1:111122223333:service")+4])
			}
		}
		if len(resources) != 4 {
			t.Errorf("authorised %v", resources)
		}
	})
}

func TestAccountsAndRegionsAreWorldsOfTheirOwn(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		w.register(v1)
		for _, other := range []*ecs.Client{ecsClientOf(t, w.sim, otherAccount, mumbai), ecsClientOf(t, w.sim, ownAccount, singapore)} {
			_, err := other.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("web")})
			refused(t, err, "ClientException", "Unable to describe task definition.")
			_, err = other.ListServices(t.Context(), &ecs.ListServicesInput{Cluster: aws.String(testCluster)})
			refused(t, err, "ClusterNotFoundException", "")
		}
	})
}

func TestABrokenImageCanBeScriptedForOneServiceOnly(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		st := w.sim.accountOf(ownAccount).region(w.sim, mumbai).ecs
		s := &service{state: st, name: "web", cluster: &cluster{name: testCluster}}
		digest := "sha256:0123"
		kind := func() ImageKind {
			if b := st.behavior(s, "app", v2, digest); b != nil {
				return b.Kind
			}
			return ""
		}
		w.sim.SetImageBehavior(ImageBehavior{Service: "other", Kind: ImageCrash})
		w.sim.SetImageBehavior(ImageBehavior{Region: singapore, Kind: ImageCrash})
		w.sim.SetImageBehavior(ImageBehavior{Container: "sidecar", Kind: ImageCrash})
		if kind() != "" {
			t.Errorf("another's behaviour matches: %s", kind())
		}
		for _, image := range []string{"*:v2", "registry.example.com/web@" + digest, digest} {
			w.sim.SetImageBehavior(ImageBehavior{Image: image, Kind: ImageOutOfMemory})
			if kind() != ImageOutOfMemory {
				t.Errorf("%s does not match", image)
			}
			w.sim.SetImageBehavior(ImageBehavior{Image: image, Kind: ImageHealthy})
			if kind() != "" {
				t.Errorf("%s was not replaced", image)
			}
		}
	})
}

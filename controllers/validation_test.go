package controllers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func TestTheAPIServerTurnsBadReleasesDownInTheUsersWords(t *testing.T) {
	t.Parallel()
	image := func(spelled string) func(*ecsv1alpha1.EcsReleaseSpec) {
		return func(s *ecsv1alpha1.EcsReleaseSpec) { s.Image = spelled }
	}
	for _, c := range []struct {
		name string
		spec func(*ecsv1alpha1.EcsReleaseSpec)
		says string
	}{
		{"an image without tag and digest", image("helium-backend"), "image needs a tag or a digest: there is no default tag"},
		{"an image in upper case", image("Helium-Backend:v1"), "repositories are in lower case"},
		{"an image with a space", image("helium backend:v1"), "image must be [host/]repository:tag"},
		{"an image with a short digest", image("helium-backend@sha256:abc"), "<64 hex digits>"},
		{"an image with an empty tag", image("helium-backend:"), "image must be [host/]repository:tag"},
		{"neither image nor containers", image(""), "exactly one of image and containers must be set"},
		{"both image and containers", func(s *ecsv1alpha1.EcsReleaseSpec) {
			s.Containers = []ecsv1alpha1.ContainerImage{{Name: "app", Image: "helium-backend:v1"}}
		}, "exactly one of image and containers must be set"},
		{"a container's image without tag", func(s *ecsv1alpha1.EcsReleaseSpec) {
			s.Image, s.Containers = "", []ecsv1alpha1.ContainerImage{{Name: "app", Image: "helium-backend"}}
		}, "image needs a tag or a digest"},
		{"a container twice", func(s *ecsv1alpha1.EcsReleaseSpec) {
			s.Image, s.Containers = "", []ecsv1alpha1.ContainerImage{{Name: "app", Image: "a:1"}, {Name: "app", Image: "a:2"}}
		}, "Duplicate value"},
		{"no services", func(s *ecsv1alpha1.EcsReleaseSpec) { s.Services = nil }, "no services: set services for the whole release, or services in every target"},
		{"a service twice", func(s *ecsv1alpha1.EcsReleaseSpec) { s.Services = services("backend", "backend") }, "Duplicate value"},
		{"a service by its ARN", func(s *ecsv1alpha1.EcsReleaseSpec) {
			s.Services = services("arn:aws:ecs:ap-south-1:111122223333:service/backend")
		}, "a service is named by its name, not its ARN"},
		{"no targets", func(s *ecsv1alpha1.EcsReleaseSpec) { s.Targets = nil }, "spec.targets"},
		{"a check with a user", checking("https://me@heliumai.space/"), "url must be http:// or https://"},
		{"a check with a port that is none", checking("https://heliumai.space:99999/"), "a port from 1 to 65535"},
		{"a check with a broken escape", checking("https://heliumai.space/%zz"), "url must be http:// or https://"},
		{"a check with a space", checking("https://helium ai.space/"), "without user information, fragment or spaces"},
		{"a check of nothing", func(s *ecsv1alpha1.EcsReleaseSpec) { s.Verification = []ecsv1alpha1.Verification{{}} }, "exactly one of http and targetHealth"},
		{"a target twice", func(s *ecsv1alpha1.EcsReleaseSpec) { s.Targets = append(s.Targets, s.Targets[0]) }, "Duplicate value"},
		{"a target in upper case", func(s *ecsv1alpha1.EcsReleaseSpec) { s.Targets[0].Name = "Mumbai" }, "a target's name consists of lower case letters, digits and hyphens"},
		{"no region", func(s *ecsv1alpha1.EcsReleaseSpec) { s.Targets[0].Region = "mumbai" }, "region must be the code of an AWS region, e.g. ap-south-1"},
		{"a cluster by its ARN", func(s *ecsv1alpha1.EcsReleaseSpec) {
			s.Targets[0].Cluster = "arn:aws:ecs:ap-south-1:111122223333:cluster/helium"
		}, "a cluster is named by its name, not its ARN"},
		{"more services than a release may have", func(s *ecsv1alpha1.EcsReleaseSpec) {
			var names []string
			for n := range 65 {
				names = append(names, fmt.Sprintf("service-%d", n))
			}
			s.Services = services(names...)
			s.Targets = append(s.Targets, ecsv1alpha1.Target{Name: "other", Region: abroad, Cluster: cluster})
		}, "a release may name at most 128 services, counted over all of its targets"},
		{"an unknown pin", func(s *ecsv1alpha1.EcsReleaseSpec) {
			s.TaskDefinition = &ecsv1alpha1.TaskDefinitionPolicy{Pin: "Branch"}
		}, `supported values: "Digest", "Tag"`},
		{"a progress deadline of a second", func(s *ecsv1alpha1.EcsReleaseSpec) {
			s.Strategy = &ecsv1alpha1.Strategy{ProgressDeadlineSeconds: aws.Int32(1)}
		}, "greater than or equal to 60"},
		{"a negative image deadline", func(s *ecsv1alpha1.EcsReleaseSpec) {
			s.Strategy = &ecsv1alpha1.Strategy{ImageDeadlineSeconds: aws.Int32(-1)}
		}, "greater than or equal to 0"},
		{"a container's name with a dot", func(s *ecsv1alpha1.EcsReleaseSpec) {
			s.Image, s.Containers = "", []ecsv1alpha1.ContainerImage{{Name: "app.one", Image: "a:1"}}
		}, "a container's name consists of letters, digits, hyphens and underscores"},
	} {
		t.Run(c.name, func(t *testing.T) {
			release := &ecsv1alpha1.EcsRelease{
				ObjectMeta: metav1.ObjectMeta{Name: "bad", Namespace: "default"},
				Spec: ecsv1alpha1.EcsReleaseSpec{
					Image: "helium-backend:v1", Services: services("backend"),
					Targets: []ecsv1alpha1.Target{{Name: "mumbai", Region: home, Cluster: cluster}},
				},
			}
			c.spec(&release.Spec)
			refused(t, release, c.says)
		})
	}
}

func TestTheAPIServerTurnsBadEnvironmentsDownInTheUsersWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		spec func(*ecsv1alpha1.EcsEnvironmentSpec)
		says string
	}{
		{"an account of words", func(s *ecsv1alpha1.EcsEnvironmentSpec) { s.AWS.AccountID = "production-a" }, "accountID must be the 12 digits of an AWS account"},
		{"a role by its name", func(s *ecsv1alpha1.EcsEnvironmentSpec) { s.AWS.RoleARN = "ecsrelease-production-role" }, "roleARN must be the ARN of an IAM role"},
		{"an external id with a space", func(s *ecsv1alpha1.EcsEnvironmentSpec) { s.AWS.ExternalID = "helium ai" }, "externalID consists of letters, digits and"},
		{"a registry of words", func(s *ecsv1alpha1.EcsEnvironmentSpec) {
			s.Images = &ecsv1alpha1.ImagePolicy{RegistryAccountID: "our-registry"}
		}, "registryAccountID must be the 12 digits of an AWS account"},
		{"a destination without clusters", func(s *ecsv1alpha1.EcsEnvironmentSpec) {
			s.Destinations = []ecsv1alpha1.Destination{{Region: "*", Services: []string{"*"}}}
		}, "clusters"},
		{"a destination without services", func(s *ecsv1alpha1.EcsEnvironmentSpec) {
			s.Destinations = []ecsv1alpha1.Destination{{Region: "*", Clusters: []string{"*"}}}
		}, "services"},
	} {
		t.Run(c.name, func(t *testing.T) {
			environment := &ecsv1alpha1.EcsEnvironment{
				ObjectMeta: metav1.ObjectMeta{Name: "bad"},
				Spec:       ecsv1alpha1.EcsEnvironmentSpec{AWS: ecsv1alpha1.AWSIdentity{AccountID: "111122223333"}},
			}
			c.spec(&environment.Spec)
			refused(t, environment, c.says)
		})
	}
}

// refused checks that the API server does not take the object, and says why in these words.
func refused(t *testing.T, object client.Object, says string) {
	t.Helper()
	err := shared.client.Create(t.Context(), object, client.DryRunAll)
	if err == nil {
		t.Fatalf("it was accepted, wanted %q", says)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("it was refused with\n  %s\nwanted %q", err, says)
	}
}

// checking asks a URL.
func checking(url string) func(*ecsv1alpha1.EcsReleaseSpec) {
	return func(s *ecsv1alpha1.EcsReleaseSpec) {
		s.Verification = []ecsv1alpha1.Verification{{HTTP: &ecsv1alpha1.HTTPCheck{URL: url}}}
	}
}

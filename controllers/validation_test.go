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
		{"a check of nothing", func(s *ecsv1alpha1.EcsReleaseSpec) { s.Verification = []ecsv1alpha1.Verification{{}} }, "exactly one of http, targetHealth and endpoint"},
		{"a check of two things", func(s *ecsv1alpha1.EcsReleaseSpec) {
			s.Verification = []ecsv1alpha1.Verification{{Endpoint: "api", TargetHealth: &ecsv1alpha1.TargetHealthCheck{}}}
		}, "exactly one of http, targetHealth and endpoint"},
		{"a check of an endpoint by its host name", func(s *ecsv1alpha1.EcsReleaseSpec) {
			s.Verification = []ecsv1alpha1.Verification{{Endpoint: "https://api"}}
		}, "endpoint is the name of an EcsEndpoint"},
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

func TestTheAPIServerTurnsBadEndpointsDownInTheUsersWords(t *testing.T) {
	t.Parallel()
	const balancer = "arn:aws:elasticloadbalancing:" + home + ":111122223333:loadbalancer/app/helium/50dc6c495c0c9188"
	host := func(name string) func(*ecsv1alpha1.EcsEndpointSpec) {
		return func(s *ecsv1alpha1.EcsEndpointSpec) { s.Hostname = name }
	}
	probe := func(path string, status int32) func(*ecsv1alpha1.EcsEndpointSpec) {
		return func(s *ecsv1alpha1.EcsEndpointSpec) {
			s.Probe = &ecsv1alpha1.EndpointProbe{Path: path, ExpectStatus: &status}
		}
	}
	for _, c := range []struct {
		name string
		spec func(*ecsv1alpha1.EcsEndpointSpec)
		says string
	}{
		{"a host name of one label", host("localhost"), "hostname is a whole DNS name in lower case"},
		{"a host name in upper case", host("API.heliumai.space"), "hostname is a whole DNS name in lower case"},
		{"a host name with a final dot", host("api.heliumai.space."), "without a final dot"},
		{"a URL", host("https://api.heliumai.space"), "hostname is a whole DNS name in lower case"},
		{"a wildcard", host("*.heliumai.space"), "hostname is a whole DNS name in lower case"},
		{"an address", host("192.0.2.1"), "hostname is a whole DNS name in lower case"},
		{"no host name", host(""), "hostname"},
		{"a hosted zone by its name", func(s *ecsv1alpha1.EcsEndpointSpec) { s.HostedZoneID = "heliumai.space" }, "hostedZoneID is the id of a hosted zone"},
		{"a hosted zone by its path", func(s *ecsv1alpha1.EcsEndpointSpec) { s.HostedZoneID = "/hostedzone/Z0123456789" }, "hostedZoneID is the id of a hosted zone"},
		{"an accelerator by its name", func(s *ecsv1alpha1.EcsEndpointSpec) { s.AcceleratorARN = "a1b2c3.awsglobalaccelerator.com" }, "acceleratorARN must be the ARN of an accelerator"},
		{"a listener for an accelerator", func(s *ecsv1alpha1.EcsEndpointSpec) {
			s.AcceleratorARN = "arn:aws:globalaccelerator::111122223333:accelerator/6b2e4c1a/listener/0"
		}, "acceleratorARN must be the ARN of an accelerator"},
		{"no regions", func(s *ecsv1alpha1.EcsEndpointSpec) { s.Regions = nil }, "spec.regions"},
		{"a region twice", func(s *ecsv1alpha1.EcsEndpointSpec) { s.Regions = append(s.Regions, s.Regions[0]) }, "Duplicate value"},
		{"a region by its city", func(s *ecsv1alpha1.EcsEndpointSpec) { s.Regions[0].Region, s.Regions[0].LoadBalancerARN = "mumbai", "" }, "region must be the code of an AWS region, e.g. ap-south-1"},
		{"a load balancer of another region", func(s *ecsv1alpha1.EcsEndpointSpec) { s.Regions[0].Region = abroad }, "a load balancer must be in the region that names it"},
		{"a load balancer by its name", func(s *ecsv1alpha1.EcsEndpointSpec) { s.Regions[0].LoadBalancerARN = "helium" }, "loadBalancerARN must be the ARN of an application load balancer"},
		{"a network load balancer", func(s *ecsv1alpha1.EcsEndpointSpec) {
			s.Regions[0].LoadBalancerARN = strings.Replace(balancer, "/app/", "/net/", 1)
		}, "loadBalancerARN must be the ARN of an application load balancer"},
		{"a certificate of IAM", func(s *ecsv1alpha1.EcsEndpointSpec) {
			s.Regions[0].CertificateARN = "arn:aws:iam::111122223333:server-certificate/helium"
		}, "certificateARN must be the ARN of a certificate"},
		{"no services", func(s *ecsv1alpha1.EcsEndpointSpec) { s.Regions[0].Services = nil }, "services"},
		{"a service by its ARN", func(s *ecsv1alpha1.EcsEndpointSpec) {
			s.Regions[0].Services[0].Name = "arn:aws:ecs:ap-south-1:111122223333:service/backend"
		}, "a service is named by its name, not its ARN"},
		{"a cluster by its ARN", func(s *ecsv1alpha1.EcsEndpointSpec) {
			s.Regions[0].Services[0].Cluster = "arn:aws:ecs:ap-south-1:111122223333:cluster/helium"
		}, "a cluster is named by its name, not its ARN"},
		{"a path that does not begin at the root", probe("health", 200), "path begins with / and has no fragment and no spaces"},
		{"a path with a space", probe("/heal th", 200), "path begins with / and has no fragment and no spaces"},
		{"a path with a fragment", probe("/health#top", 200), "path begins with / and has no fragment and no spaces"},
		{"a path with a broken escape", probe("/%zz", 200), "path begins with / and has no fragment and no spaces"},
		{"a status that is none", probe("/health", 700), "less than or equal to 599"},
		{"another way to ask", func(s *ecsv1alpha1.EcsEndpointSpec) { s.Probe = &ecsv1alpha1.EndpointProbe{Via: "Accelerator"} }, "Unsupported value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			endpoint := &ecsv1alpha1.EcsEndpoint{
				ObjectMeta: metav1.ObjectMeta{Name: "bad", Namespace: "default"},
				Spec: ecsv1alpha1.EcsEndpointSpec{
					Hostname: "api.heliumai.space",
					Regions: []ecsv1alpha1.EndpointRegion{{
						Region: home, LoadBalancerARN: balancer, Services: []ecsv1alpha1.EndpointService{{Cluster: cluster, Name: "backend"}},
					}},
				},
			}
			c.spec(&endpoint.Spec)
			refused(t, endpoint, c.says)
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

package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/image"
)

// admission is a namespace with an environment that names it, for clusters helium-… of Mumbai and some
// repositories, and somebody who may write releases in it.
type admission struct {
	t           *testing.T
	namespace   string
	environment *ecsv1alpha1.EcsEnvironment
	writer      client.Client
}

// admit is an admission whose environment is in force.
func admit(t *testing.T, name string, change func(*ecsv1alpha1.EcsEnvironmentSpec)) *admission {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"team": name}}}
	if err := shared.client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	a := &admission{t: t, namespace: name}
	a.environment = a.environmentNamed(name, change)
	a.writer = a.as("writer", "ecsrelease-release-editor")
	a.untilRefused(a.environment.Name, a.release(func(r *ecsv1alpha1.EcsRelease) { r.Spec.Targets[0].Region = "us-gov-west-1" }))
	return a
}

func (a *admission) environmentNamed(name string, change func(*ecsv1alpha1.EcsEnvironmentSpec)) *ecsv1alpha1.EcsEnvironment {
	a.t.Helper()
	environment := &ecsv1alpha1.EcsEnvironment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: ecsv1alpha1.EcsEnvironmentSpec{
			Namespaces:   &ecsv1alpha1.NamespaceSelector{Names: []string{a.namespace}},
			AWS:          ecsv1alpha1.AWSIdentity{AccountID: "111122223333"},
			Destinations: []ecsv1alpha1.Destination{{Region: "ap-south-1", Clusters: []string{"helium-*"}, Services: []string{"backend", "worker-*"}}},
			Images:       &ecsv1alpha1.ImagePolicy{Repositories: []string{"helium-*", "team/app", "docker.io/library/*", "*.example.com:5000/helium"}},
		},
	}
	if change != nil {
		change(&environment.Spec)
	}
	bind(a.t, environment)
	return environment
}

// as is somebody with a role in the namespace.
func (a *admission) as(name, role string) client.Client {
	a.t.Helper()
	user := name + "-of-" + a.namespace
	bind(a.t, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.namespace, Name: user},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})
	eventually(a.t, patience, func() error {
		if list := object("list", group, "ecsreleases", "", a.namespace, ""); !may(a.t, user, list) {
			return fmt.Errorf("%s may not %s", user, list)
		}
		return nil
	})
	return impersonate(a.t, user)
}

// impersonate is a client of somebody else.
func impersonate(t *testing.T, user string) client.Client {
	t.Helper()
	config := rest.CopyConfig(shared.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user}
	c, err := client.New(config, client.Options{Scheme: shared.client.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (a *admission) release(changes ...func(*ecsv1alpha1.EcsRelease)) *ecsv1alpha1.EcsRelease {
	r := &ecsv1alpha1.EcsRelease{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.namespace, Name: "release"},
		Spec: ecsv1alpha1.EcsReleaseSpec{
			Image: "helium-backend:v1", Services: []ecsv1alpha1.Service{{Name: "backend"}},
			Targets: []ecsv1alpha1.Target{{Name: "mumbai", Region: "ap-south-1", Cluster: "helium-mumbai-cluster"}},
		},
	}
	for _, change := range changes {
		change(r)
	}
	return r
}

// dryRun is what the API server says of a new release.
func (a *admission) dryRun(changes ...func(*ecsv1alpha1.EcsRelease)) error {
	return a.writer.Create(a.t.Context(), a.release(changes...), client.DryRunAll)
}

// untilRefused waits until an environment refuses a release. The API server learns of environments, as of
// policies, a moment later.
func (a *admission) untilRefused(environment string, release *ecsv1alpha1.EcsRelease) {
	a.t.Helper()
	eventually(a.t, patience, func() error {
		err := a.writer.Create(a.t.Context(), release.DeepCopy(), client.DryRunAll)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("EcsEnvironment %q", environment)) {
			return fmt.Errorf("not refused by EcsEnvironment %q: %w", environment, err)
		}
		return nil
	})
}

// judged checks what the API server says; "" is nothing.
func judged(t *testing.T, err error, says string) {
	t.Helper()
	switch {
	case says == "" && err != nil:
		t.Errorf("refused: %v", err)
	case says != "" && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), says)):
		t.Errorf("the API server says %v, want it forbidden and %q", err, says)
	}
}

func targeted(change func(*ecsv1alpha1.Target)) func(*ecsv1alpha1.EcsRelease) {
	return func(r *ecsv1alpha1.EcsRelease) { change(&r.Spec.Targets[len(r.Spec.Targets)-1]) }
}

func serving(names ...string) []ecsv1alpha1.Service {
	var services []ecsv1alpha1.Service
	for _, name := range names {
		services = append(services, ecsv1alpha1.Service{Name: name})
	}
	return services
}

func imaged(name string) func(*ecsv1alpha1.EcsRelease) {
	return func(r *ecsv1alpha1.EcsRelease) { r.Spec.Image = name }
}

func annotated(key, value string) func(*ecsv1alpha1.EcsRelease) {
	return func(r *ecsv1alpha1.EcsRelease) { r.Annotations = map[string]string{key: value} }
}

// contained has a release name images by container, beside those that it has.
func contained(images ...string) func(*ecsv1alpha1.EcsRelease) {
	return func(r *ecsv1alpha1.EcsRelease) {
		r.Spec.Image = ""
		for _, name := range images {
			r.Spec.Containers = append(r.Spec.Containers, ecsv1alpha1.ContainerImage{Name: fmt.Sprintf("c%d", len(r.Spec.Containers)), Image: name})
		}
	}
}

func TestWhatTheEnvironmentDoesNotCoverIsRefusedAtApply(t *testing.T) {
	a := admit(t, "admission-covers", nil)
	const notCovered = `: no destination of EcsEnvironment "admission-covers" covers that`
	const notTaken = `: EcsEnvironment "admission-covers" does not take it`
	digest := "@sha256:" + strings.Repeat("a", 64)
	for name, c := range map[string]struct {
		change func(*ecsv1alpha1.EcsRelease)
		says   string
	}{
		"what it covers": {func(*ecsv1alpha1.EcsRelease) {}, ""},
		"another region": {
			targeted(func(t *ecsv1alpha1.Target) { t.Region = "us-east-1" }),
			"target mumbai (us-east-1/helium-mumbai-cluster/backend)" + notCovered,
		},
		"another cluster": {
			targeted(func(t *ecsv1alpha1.Target) { t.Cluster = "xhelium-mumbai" }),
			"target mumbai (ap-south-1/xhelium-mumbai/backend)" + notCovered,
		},
		"another service": {
			func(r *ecsv1alpha1.EcsRelease) { r.Spec.Services = serving("backend", "frontend", "backend-2") },
			"target mumbai (ap-south-1/helium-mumbai-cluster/frontend,backend-2)" + notCovered,
		},
		"a service by a glob": {func(r *ecsv1alpha1.EcsRelease) { r.Spec.Services = serving("worker-1") }, ""},
		"a service of a target instead of the release's": {
			targeted(func(t *ecsv1alpha1.Target) { t.Services = serving("frontend") }),
			"target mumbai (ap-south-1/helium-mumbai-cluster/frontend)" + notCovered,
		},
		"a service of the release that no target has": {func(r *ecsv1alpha1.EcsRelease) {
			r.Spec.Services, r.Spec.Targets[0].Services = serving("frontend"), serving("backend")
		}, ""},
		"a second and a third target": {func(r *ecsv1alpha1.EcsRelease) {
			r.Spec.Targets = append(r.Spec.Targets,
				ecsv1alpha1.Target{Name: "virginia", Region: "us-east-1", Cluster: "helium-virginia-cluster"},
				ecsv1alpha1.Target{Name: "delhi", Region: "ap-south-1", Cluster: "delhi"})
		}, "target virginia (us-east-1/helium-virginia-cluster/backend), delhi (ap-south-1/delhi/backend)" + notCovered},

		"another repository":                    {imaged("backend:v1"), "image backend" + notTaken},
		"by a digest":                           {imaged("helium-backend" + digest), ""},
		"by a tag and a digest":                 {imaged("helium-backend:v1" + digest), ""},
		"another by a tag and a digest":         {imaged("backend:v1" + digest), "image backend" + notTaken},
		"a repository with a slash":             {imaged("team/app:v1"), ""},
		"one that ends like it":                 {imaged("my/team/app:v1"), "image my/team/app" + notTaken},
		"one that begins like it":               {imaged("team/app/x" + digest), "image team/app/x" + notTaken},
		"its own registry by its host":          {imaged("111122223333.dkr.ecr.ap-south-1.amazonaws.com/helium-backend:v1"), ""},
		"another repository of it":              {imaged("111122223333.dkr.ecr.ap-south-1.amazonaws.com/backend:v1"), "image backend" + notTaken},
		"a repository of it called like a host": {imaged("111122223333.dkr.ecr.ap-south-1.amazonaws.com/docker.io/library/nginx:v1"), notTaken},
		"the registry of another account":       {imaged("444455556666.dkr.ecr.ap-south-1.amazonaws.com/helium-backend:v1"), "image 444455556666.dkr.ecr.ap-south-1.amazonaws.com/helium-backend" + notTaken},
		"another host that it takes":            {imaged("docker.io/library/nginx" + digest), ""},
		"another host by a glob, with a port":   {imaged("registry.example.com:5000/helium:v1"), ""},
		"that host without the port":            {imaged("registry.example.com/helium:v1"), notTaken},
		"another host that it does not take":    {imaged("docker.io/evil/nginx" + digest), "image docker.io/evil/nginx" + notTaken},
		"a host that looks like a repository":   {imaged("helium-backend.evil.example/helium-backend:v1"), notTaken},
		"the machine that the task runs on":     {imaged("localhost/helium-backend:v1"), notTaken},
		"a host that looks like another":        {imaged("dockerXio.example/library/nginx:v1"), notTaken},
		"a repository called like a host":       {imaged("docker/io/library/nginx:v1"), notTaken},
		"one image among several":               {contained("helium-backend:v1", "proxy:v1", "agent"+digest), "image proxy, agent" + notTaken},
		"several that it takes":                 {contained("helium-backend:v1", "team/app"+digest, "docker.io/library/nginx:v1"+digest), ""},
	} {
		t.Run(name, func(t *testing.T) {
			judged(t, a.dryRun(c.change), c.says)
			r := a.release(c.change)
			err := a.writer.Create(t.Context(), r)
			judged(t, err, c.says)
			if err == nil {
				remove(t, r)
			}
		})
	}
}

func TestKubectlSaysWhatIsRefused(t *testing.T) {
	a := admit(t, "admission-kubectl", nil)
	manifest := func(cluster string) []byte {
		return fmt.Appendf(nil, `{apiVersion: ecs.heliumai.space/v1alpha1, kind: EcsRelease, metadata: {name: release, namespace: %s},
			spec: {image: "helium-backend:v1", services: [{name: backend}], targets: [{name: mumbai, region: ap-south-1, cluster: %s}]}}`, a.namespace, cluster)
	}
	const says = `target mumbai (ap-south-1/staging/backend): no destination of EcsEnvironment "admission-kubectl" covers that: ` +
		`an admin must add one to spec.destinations, or the release name another target`
	for _, flags := range [][]string{nil, {"--dry-run=server"}, {"--server-side"}, {"--server-side", "--dry-run=server"}} {
		if _, err := shared.apply(t.Context(), manifest("staging"), flags...); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("a new release, with %v: %v", flags, err)
		}
	}
	if _, err := shared.apply(t.Context(), manifest("helium-mumbai-cluster"), "--server-side"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { remove(t, a.release()) })
	for _, flags := range [][]string{{"--server-side", "--dry-run=server"}, {"--server-side"}} {
		if _, err := shared.apply(t.Context(), manifest("staging"), flags...); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("a change, with %v: %v", flags, err)
		}
	}
}

func TestWithoutRulesForImagesOnlyTheOwnRegistryIsTaken(t *testing.T) {
	const notTaken = "does not take it"
	t.Run("of the account that the environment names for it", func(t *testing.T) {
		a := admit(t, "admission-registry", func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Images = &ecsv1alpha1.ImagePolicy{RegistryAccountID: "444455556666"}
		})
		for name, says := range map[string]string{
			"anything/at/all:v1": "",
			"444455556666.dkr.ecr.us-east-1.amazonaws.com/anything:v1":                "",
			"111122223333.dkr.ecr.us-east-1.amazonaws.com/anything:v1":                notTaken,
			"444455556666.dkr.ecr.us-east-1.amazonaws.com.evil.example/anything:v1":   notTaken,
			"x.444455556666.dkr.ecr.us-east-1.amazonaws.com/anything:v1":              notTaken,
			"evil.example/444455556666.dkr.ecr.us-east-1.amazonaws.com/anything:v1":   notTaken,
			"docker.io/library/nginx:v1":                                              notTaken,
			"public.ecr.aws/docker/library/nginx:v1":                                  notTaken,
			"444455556666.dkr.ecr.us-east-1.amazonaws.com:443/anything:v1":            notTaken,
			"444455556666.dkr.ecr.evil.example/444455556666.dkr.amazonaws.com/any:v1": notTaken,
		} {
			t.Run(name, func(t *testing.T) { judged(t, a.dryRun(imaged(name)), says) })
		}
	})
	t.Run("else of its account", func(t *testing.T) {
		a := admit(t, "admission-account", func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Images = nil })
		judged(t, a.dryRun(imaged("111122223333.dkr.ecr.us-east-1.amazonaws.com/anything:v1")), "")
		judged(t, a.dryRun(imaged("444455556666.dkr.ecr.us-east-1.amazonaws.com/anything:v1")), notTaken)
	})
	t.Run("which of several accounts is for the controller", func(t *testing.T) {
		a := admit(t, "admission-accounts", func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Destinations = append(spec.Destinations, ecsv1alpha1.Destination{
				Region: "eu-west-1", Clusters: []string{"*"}, Services: []string{"*"}, AWS: &ecsv1alpha1.AWSIdentity{AccountID: "444455556666"},
			})
			spec.Images = &ecsv1alpha1.ImagePolicy{Repositories: []string{"helium-*", "111122223333.dkr.ecr.*.amazonaws.com/shared"}}
		})
		for name, says := range map[string]string{
			"helium-backend:v1": "", "shared:v1": notTaken,
			"111122223333.dkr.ecr.us-east-1.amazonaws.com/shared:v1": "",
			"444455556666.dkr.ecr.us-east-1.amazonaws.com/shared:v1": "",
			"777788889999.dkr.ecr.us-east-1.amazonaws.com/shared:v1": notTaken,
		} {
			t.Run(name, func(t *testing.T) { judged(t, a.dryRun(imaged(name)), says) })
		}
	})
}

// TestTheRegistryIsKnownByEachOfItsHosts holds the policy to the pattern that the controller goes by.
func TestTheRegistryIsKnownByEachOfItsHosts(t *testing.T) {
	a := admit(t, "admission-hosts", func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Images = nil })
	for _, endpoint := range []string{
		".dkr.ecr.ap-south-1.amazonaws.com", ".dkr.ecr-fips.us-gov-west-1.amazonaws.com", ".dkr.ecr.cn-north-1.amazonaws.com.cn",
		".dkr.ecr.eusc-de-east-1.amazonaws.eu", ".dkr-ecr.us-west-2.on.aws", ".dkr-ecr-fips.us-east-1.on.aws",
		".dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", ".dkr.ecr.us-iso-east-1.c2s.ic.gov", ".dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
		".dkr.ecr.us-isof-south-1.csp.hci.ic.gov", ".dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
		".dkr.ecr.amazonaws.com", ".dkr.ecr.ap-south-1.amazonaws.org", ".dkr.ecr.ap-south-1.amazonaws.com.example", ".dkrxecr.ap-south-1.amazonaws.com",
		".dkr.ecr.ap-south-1xamazonaws.com", ".dkr.ecr.a.b.amazonaws.com",
	} {
		host := a.environment.Spec.AWS.AccountID + endpoint
		t.Run(host, func(t *testing.T) {
			says := "does not take it"
			if _, ours := image.ParseRegistry(host); ours {
				says = ""
			}
			judged(t, a.dryRun(imaged(host+"/anything:v1")), says)
		})
	}
}

func TestOnlyWhatAChangeAddsIsJudged(t *testing.T) {
	a := admit(t, "admission-changes", nil)
	r := a.release(func(r *ecsv1alpha1.EcsRelease) {
		r.Spec.Targets = append(r.Spec.Targets,
			ecsv1alpha1.Target{Name: "delhi", Region: "ap-south-1", Cluster: "helium-delhi-cluster"},
			ecsv1alpha1.Target{Name: "goa", Region: "ap-south-1", Cluster: "helium-goa-cluster", Services: serving("worker-1", "worker-2")})
	}, contained("helium-backend:v1", "helium-proxy:v1"))
	bind(t, r)
	// The environment takes everything back, but for one service.
	a.environment.Spec.Destinations[0].Services = []string{"worker-3"}
	a.environment.Spec.Images.Repositories = []string{"helium-agent"}
	if err := shared.client.Update(t.Context(), a.environment); err != nil {
		t.Fatal(err)
	}
	a.untilRefused(a.environment.Name, a.release())

	for name, c := range map[string]struct {
		change func(*ecsv1alpha1.EcsRelease)
		says   string
	}{
		"suspending it": {func(r *ecsv1alpha1.EcsRelease) { r.Spec.Suspend = true }, ""},
		"aborting it":   {annotated(ecsv1alpha1.AnnotationAbort, "now"), ""},
		"labelling it":  {func(r *ecsv1alpha1.EcsRelease) { r.Labels = map[string]string{"a": "b"} }, ""},
		"a finalizer":   {func(r *ecsv1alpha1.EcsRelease) { r.Finalizers = []string{"example.com/x"} }, ""},
		"a strategy": {func(r *ecsv1alpha1.EcsRelease) {
			r.Spec.Strategy = &ecsv1alpha1.Strategy{OnFailure: ecsv1alpha1.FailureHold}
		}, ""},
		"another order of targets and images": {func(r *ecsv1alpha1.EcsRelease) {
			slices.Reverse(r.Spec.Targets)
			slices.Reverse(r.Spec.Containers)
		}, ""},
		"another wave":                    {targeted(func(t *ecsv1alpha1.Target) { t.Wave = 1 }), ""},
		"another name for a target":       {targeted(func(t *ecsv1alpha1.Target) { t.Name = "panaji" }), ""},
		"taking a target out":             {func(r *ecsv1alpha1.EcsRelease) { r.Spec.Targets = r.Spec.Targets[:1] }, ""},
		"taking a service out":            {targeted(func(t *ecsv1alpha1.Target) { t.Services = serving("worker-1") }), ""},
		"taking an image out":             {func(r *ecsv1alpha1.EcsRelease) { r.Spec.Containers = r.Spec.Containers[:1] }, ""},
		"one image of those instead":      {func(r *ecsv1alpha1.EcsRelease) { r.Spec.Image, r.Spec.Containers = "helium-proxy:v1", nil }, ""},
		"naming the services by target":   {func(r *ecsv1alpha1.EcsRelease) { r.Spec.Targets[0].Services = r.Spec.Services }, ""},
		"one more service that it covers": {targeted(func(t *ecsv1alpha1.Target) { t.Services = append(t.Services, serving("worker-3")...) }), ""},
		"one more image that it takes":    {contained("helium-agent:v1"), ""},

		"one more service": {
			targeted(func(t *ecsv1alpha1.Target) { t.Services = append(t.Services, serving("worker-4")...) }),
			"target goa (ap-south-1/helium-goa-cluster/worker-4): ",
		},
		"one more of the release's": {
			func(r *ecsv1alpha1.EcsRelease) { r.Spec.Services = append(r.Spec.Services, serving("worker-4")...) },
			"target mumbai (ap-south-1/helium-mumbai-cluster/worker-4), delhi (ap-south-1/helium-delhi-cluster/worker-4): ",
		},
		"the release's services instead of its own": {
			targeted(func(t *ecsv1alpha1.Target) { t.Services = nil }),
			"target goa (ap-south-1/helium-goa-cluster/backend): ",
		},
		"another cluster for a target": {
			func(r *ecsv1alpha1.EcsRelease) { r.Spec.Targets[1].Cluster = "helium-agra-cluster" },
			"target delhi (ap-south-1/helium-agra-cluster/backend): ",
		},
		"another region": {
			func(r *ecsv1alpha1.EcsRelease) { r.Spec.Targets[1].Region = "ap-south-2" },
			"target delhi (ap-south-2/helium-delhi-cluster/backend): ",
		},
		"another tag":    {func(r *ecsv1alpha1.EcsRelease) { r.Spec.Containers[1].Image = "helium-proxy:v2" }, "image helium-proxy: "},
		"one more image": {contained("helium-agent:v1", "helium-other:v1"), "image helium-other: "},
		"suspending and a bump": {func(r *ecsv1alpha1.EcsRelease) {
			r.Spec.Suspend, r.Spec.Containers[0].Image = true, "helium-backend:v2"
		}, "image helium-backend: "},
	} {
		t.Run(name, func(t *testing.T) {
			after := r.DeepCopy()
			c.change(after)
			judged(t, a.writer.Update(t.Context(), after.DeepCopy(), client.DryRunAll), c.says)
			judged(t, a.writer.Patch(t.Context(), after, client.MergeFrom(r), client.DryRunAll), c.says)
		})
	}
}

func TestANamespaceInNoEnvironmentIsForTheControllerToTell(t *testing.T) {
	a := admit(t, "admission-nowhere", nil)
	nowhere := targeted(func(t *ecsv1alpha1.Target) { t.Cluster = "anything" })
	for name, selector := range map[string]*ecsv1alpha1.NamespaceSelector{
		"absent":          nil,
		"another name":    {Names: []string{"admission"}},
		"empty labels":    {MatchLabels: map[string]string{}},
		"another label":   {MatchLabels: map[string]string{"team": a.namespace, "tier": ""}},
		"another's value": {MatchLabels: map[string]string{"team": "admission"}},
	} {
		t.Run(name, func(t *testing.T) {
			// From naming it to not naming it, so that what has not been seen yet does not pass for the answer.
			for _, s := range []*ecsv1alpha1.NamespaceSelector{{Names: []string{a.namespace}}, selector} {
				a.environment.Spec.Namespaces = s
				if err := shared.client.Update(t.Context(), a.environment); err != nil {
					t.Fatal(err)
				}
				if s != selector {
					a.untilRefused(a.environment.Name, a.release(nowhere))
				}
			}
			eventually(t, patience, func() error { return a.dryRun(nowhere, imaged("docker.io/evil/image:v1")) })
		})
	}
}

func TestANamespaceIsNamedByItsLabelsToo(t *testing.T) {
	a := admit(t, "admission-labels", func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Namespaces = &ecsv1alpha1.NamespaceSelector{
			Names:       []string{"admission"},
			MatchLabels: map[string]string{"team": "admission-labels", corev1.LabelMetadataName: "admission-labels"},
		}
	})
	judged(t, a.dryRun(), "")
	judged(t, a.dryRun(imaged("backend:v1")), `EcsEnvironment "admission-labels"`)
}

func TestOfTwoEnvironmentsEachIsAsked(t *testing.T) {
	a := admit(t, "admission-two", nil)
	other := a.environmentNamed("admission-two-other", func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Destinations[0].Clusters = []string{"helium-delhi-cluster"}
	})
	in := func(cluster string) func(*ecsv1alpha1.EcsRelease) {
		return targeted(func(t *ecsv1alpha1.Target) { t.Cluster = cluster })
	}
	a.untilRefused(other.Name, a.release(in("helium-mumbai-cluster")))
	// That there are two is for the controller to say.
	judged(t, a.dryRun(in("helium-delhi-cluster")), "")
}

func TestOnlyWhoHoldsTheVerbApproves(t *testing.T) {
	a := admit(t, "admission-approval", nil)
	const says = "may not set the annotation ecs.heliumai.space/approve: that takes the verb approve on ecsreleases.ecs.heliumai.space in namespace admission-approval"
	approves := func(id string) func(*ecsv1alpha1.EcsRelease) { return annotated(ecsv1alpha1.AnnotationApprove, id) }
	approver := a.as("approver", "ecsrelease-release-approver")
	admin := a.as("admin", "ecsrelease-release-admin")
	eventually(t, patience, func() error {
		if err := a.dryRun(approves("r1-wave-0")); err == nil {
			return fmt.Errorf("a writer approves")
		}
		return nil
	})

	judged(t, a.dryRun(approves("r1-wave-0")), "writer-of-admission-approval "+says)
	judged(t, a.dryRun(approves("r1-wave-0"), func(r *ecsv1alpha1.EcsRelease) { r.Name, r.GenerateName = "", "release-" }), says)
	judged(t, a.dryRun(approves("")), "")
	r := a.release()
	bind(t, r)
	patch := func(c client.Client, change func(*ecsv1alpha1.EcsRelease)) error {
		var now ecsv1alpha1.EcsRelease
		if err := shared.client.Get(t.Context(), client.ObjectKeyFromObject(r), &now); err != nil {
			t.Fatal(err)
		}
		before := now.DeepCopy()
		change(&now)
		return c.Patch(t.Context(), &now, client.MergeFrom(before))
	}
	for _, step := range []struct {
		what   string
		who    client.Client
		change func(*ecsv1alpha1.EcsRelease)
		says   string
	}{
		{"a writer approves", a.writer, approves("r1-wave-0"), says},
		{"an admin of the namespace approves", admin, approves("r1-wave-0"), says},
		{"an approver approves", approver, approves("r1-wave-0"), ""},
		{"a writer suspends what is approved", a.writer, func(r *ecsv1alpha1.EcsRelease) { r.Spec.Suspend = true }, ""},
		{"a writer aborts it", a.writer, func(r *ecsv1alpha1.EcsRelease) { r.Annotations[ecsv1alpha1.AnnotationAbort] = "now" }, ""},
		{"a writer approves something else", a.writer, approves("r1-wave-1"), says},
		{"a writer approves something too", a.writer, approves("r1-wave-0,r1-wave-1"), says},
		{"an approver approves something else", approver, approves("r1-wave-1"), ""},
		{"a writer empties the approval", a.writer, approves(""), ""},
		{"a writer fills it again", a.writer, approves("r1-wave-1"), says},
		{"a writer takes the annotation away", a.writer, func(r *ecsv1alpha1.EcsRelease) { r.Annotations = nil }, ""},
		{"a writer puts it back", a.writer, approves("r1-wave-0"), says},
	} {
		t.Run(step.what, func(t *testing.T) { judged(t, patch(step.who, step.change), step.says) })
	}
	// Who may approve one release approves no other.
	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.namespace, Name: "approves-another"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{group}, Resources: []string{"ecsreleases"}, ResourceNames: []string{"another"}, Verbs: []string{"approve"}}},
	}
	bind(t, role)
	bind(t, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.namespace, Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "writer-of-" + a.namespace}},
	})
	eventually(t, patience, func() error { return a.dryRun(approves("x"), func(r *ecsv1alpha1.EcsRelease) { r.Name = "another" }) })
	judged(t, patch(a.writer, approves("r1-wave-0")), says)
}

// numbered are names that differ in their end.
func numbered(count int, prefix string) []string {
	var names []string
	for i := range count {
		names = append(names, fmt.Sprintf("%s-%02d", prefix, i))
	}
	return names
}

// large has a release name as many targets and services as a release may.
func large(clusters, services []string) func(*ecsv1alpha1.EcsRelease) {
	return func(r *ecsv1alpha1.EcsRelease) {
		r.Spec.Services, r.Spec.Targets = serving(services...), nil
		for i, cluster := range clusters {
			r.Spec.Targets = append(r.Spec.Targets, ecsv1alpha1.Target{Name: fmt.Sprintf("target-%d", i), Region: "ap-south-1", Cluster: cluster})
		}
	}
}

func TestALargeReleaseIsJudged(t *testing.T) {
	clusters, services := numbered(64, "helium-mumbai-production-cluster"), numbered(64, "helium-backend-service")
	a := admit(t, "admission-judged", func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Destinations = nil
		for _, region := range numbered(31, "eu-west") {
			spec.Destinations = append(spec.Destinations, ecsv1alpha1.Destination{Region: region, Clusters: clusters, Services: services})
		}
		spec.Destinations = append(spec.Destinations, ecsv1alpha1.Destination{Region: "ap-*", Clusters: clusters, Services: services})
	})
	judged(t, a.dryRun(large(clusters, services[:2])), "")
	judged(t, a.dryRun(large(clusters, []string{services[0], "other"})), "target target-0 (ap-south-1/"+clusters[0]+"/other), target-1 ")
	judged(t, a.dryRun(large(slices.Concat(clusters[:63], []string{"other"}), services[:2])), "target target-63 (ap-south-1/other/"+services[0]+","+services[1]+"): ")
	// What is wrong with these fits into no message.
	long := strings.Repeat("x", 200)
	judged(t, a.dryRun(large(numbered(64, long), numbered(2, long))), "targets: no destination of the namespace's EcsEnvironment covers them")
}

func TestTheLargestReleaseIsNotRefusedForItsSize(t *testing.T) {
	// As large as an object may be.
	long := strings.Repeat("x", 80)
	globs := func(prefix string) []string {
		var all []string
		for _, name := range numbered(64, prefix+long) {
			all = append(all, "*"+name+"*")
		}
		return all
	}
	a := admit(t, "admission-large", func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
		spec.Destinations = slices.Repeat([]ecsv1alpha1.Destination{{Region: "ap-*", Clusters: globs("cluster"), Services: globs("service")}}, 64)
		spec.Images.Repositories = globs("repository")
	})
	last := func(prefix string, count int) []string {
		var all []string
		for _, name := range numbered(count, prefix+long+"-63") {
			all = append(all, "a"+name+strings.Repeat("b", 150))
		}
		return all
	}
	for name, change := range map[string]func(*ecsv1alpha1.EcsRelease){
		"many targets":  large(last("cluster", 64), last("service", 2)),
		"many services": large(last("cluster", 1), last("service", 128)),
	} {
		t.Run(name, func(t *testing.T) {
			r := a.release(change, imaged("repository"+long+"-63:v1"))
			if err := a.writer.Create(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			defer remove(t, r)
			r.Spec.Targets[0].Cluster += "b"
			r.Spec.Image = "repository" + long + "-63:v2"
			if err := a.writer.Update(t.Context(), r); err != nil {
				t.Error(err)
			}
		})
	}
}

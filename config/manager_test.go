package config_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/google/go-cmp/cmp"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/lab"
)

// How fast the world of these tests passes, and how long anything may take in it.
const (
	speed    = 100
	patience = time.Minute
)

// overlay is samples as the demo applies them: nobody waits for half an hour of soaking, or for office hours.
var overlay = filepath.Join("..", "hack", "lab", "overlay")

// TestTheInstalledManagerReleasesTheSamples runs the program, as the service account and with
// the arguments that it is installed with and as AWS roles with the documented policy, and bumps
// the samples the way that a manifest repository does.
func TestTheInstalledManagerReleasesTheSamples(t *testing.T) {
	aws := furnished(t)
	metrics, err := lab.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	health, err := lab.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	manager := launch(t, aws, metrics, health)

	if _, err := shared.kube(t.Context(), nil, "apply", "--server-side", "-k", overlay); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeSamples(t) })
	t.Run("at the tag that they have", func(t *testing.T) {
		eventually(t, patience, func() error { return ready(t, manager, "helium-backend:v1") })
	})
	t.Run("at the tag that kustomize sets", func(t *testing.T) {
		if _, err := aws.Push(t.Context(), "v2"); err != nil {
			t.Fatal(err)
		}
		bump(t)
		eventually(t, patience, func() error { return ready(t, manager, "helium-backend:v2") })
	})
	t.Run("and serves its metrics to those who may read them", func(t *testing.T) { readMetrics(t, "https://"+metrics) })
	t.Run("and its probes to the kubelet", func(t *testing.T) {
		for _, path := range []string{"/healthz", "/readyz"} {
			if status, body := get(t, "http://"+health+path, ""); status != http.StatusOK {
				t.Errorf("%s answers %d: %s", path, status, body)
			}
		}
	})
	t.Run("and gives its lease back", func(t *testing.T) {
		if err := manager.Stop(); err != nil {
			t.Fatal(err)
		}
		var lease coordinationv1.Lease
		if err := shared.client.Get(t.Context(), client.ObjectKey{Namespace: system, Name: "ecsrelease.ecs.heliumai.space"}, &lease); err != nil {
			t.Fatal(err)
		}
		if holder := lease.Spec.HolderIdentity; holder != nil && *holder != "" {
			t.Errorf("the lease is still held by %s", *holder)
		}
	})
	t.Run("and needs all the permissions that it has, and no others", func(t *testing.T) {
		used, denied := asked(t)
		for _, what := range denied {
			t.Errorf("the manager was denied: %s", what)
		}
		// An event that is repeated within minutes is counted on the one that is there.
		rarely := permission("patch", "events.k8s.io", "events", "")
		given := slices.DeleteFunc(granted(t), func(one string) bool { return one == rarely && !slices.Contains(used, one) })
		if diff := cmp.Diff(given, used); diff != "" {
			t.Errorf("permissions (-granted +used):\n%s", diff)
		}
	})
}

// furnished is a local AWS with what config/samples needs.
func furnished(t *testing.T) *lab.Account {
	t.Helper()
	server := httptest.NewServer(awssim.New(awssim.Options{Speed: speed}))
	t.Cleanup(server.Close)
	return furnishedAt(t, lab.AWS{Endpoint: server.URL})
}

func furnishedAt(t *testing.T, local lab.AWS) *lab.Account {
	t.Helper()
	policy, err := os.ReadFile(filepath.Join("iam", "policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	aws := lab.SampleAccount(policy)
	aws.AWS = local
	if err := aws.Furnish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &aws
}

// launch builds and starts the manager as it is installed, but for what a pod has of its own:
// the ports, the namespace, the directory for temporary files.
func launch(t *testing.T, aws *lab.Account, metrics, health string) *lab.Process {
	t.Helper()
	program := builtManager(t)
	var args []string
	for _, arg := range shared.deployment(t).Spec.Template.Spec.Containers[0].Args {
		switch {
		case strings.HasPrefix(arg, "--metrics-bind-address="):
			arg = "--metrics-bind-address=" + metrics
		case strings.HasPrefix(arg, "--health-probe-bind-address="):
			arg = "--health-probe-bind-address=" + health
		}
		args = append(args, arg)
	}
	args = append(args, "--leader-election-namespace="+system, "--in-flight-interval=200ms", "--sweep-interval=1s")
	env := append(aws.ManagerEnvironment(), "KUBECONFIG="+kubeconfigOf(t, account), "TMPDIR="+t.TempDir())
	manager, err := lab.Launch("manager", program, filepath.Join(t.TempDir(), "manager.log"), env, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := manager.Stop(); err != nil {
			t.Error(err)
		}
	})
	return manager
}

// builtManager is the program.
func builtManager(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "manager")
	if output, err := exec.Command("go", "build", "-o", program, "../cmd/manager").CombinedOutput(); err != nil {
		t.Fatalf("building the manager: %v\n%s", err, output)
	}
	return program
}

// kubeconfigOf is a kubeconfig with a token of a service account.
func kubeconfigOf(t *testing.T, name string) string {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["it"] = &clientcmdapi.Cluster{Server: shared.config.Host, CertificateAuthorityData: shared.config.CAData}
	config.AuthInfos["it"] = &clientcmdapi.AuthInfo{Token: tokenOf(t, name)}
	config.Contexts["it"] = &clientcmdapi.Context{Cluster: "it", AuthInfo: "it"}
	config.CurrentContext = "it"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// tokenOf is a token of a service account, as the kubelet would get it for a pod.
func tokenOf(t *testing.T, name string) string {
	t.Helper()
	request := &authenticationv1.TokenRequest{}
	serviceAccount := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: name}}
	if err := shared.client.SubResource("token").Create(t.Context(), serviceAccount, request); err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// ready is nil when the samples run the image; the manager must be there to bring that about.
func ready(t *testing.T, manager *lab.Process, image string) error {
	t.Helper()
	if err := manager.Alive(); err != nil {
		t.Fatal(err)
	}
	for _, namespace := range []string{"staging", "production"} {
		var release ecsv1alpha1.EcsRelease
		if err := shared.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "helium-backend"}, &release); err != nil {
			return err
		}
		condition := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionReady)
		if condition == nil || condition.Status != metav1.ConditionTrue || condition.ObservedGeneration != release.Generation || release.Status.Image != image {
			return fmt.Errorf("%s runs %q of %s: %+v; the end of the manager's log:\n%s", namespace, release.Status.Image, image, condition, manager.Tail())
		}
	}
	return nil
}

// bump sets the samples' tag to v2 from a manifest repository that has them as its base.
func bump(t *testing.T) {
	t.Helper()
	dir := manifestRepository(t, "")
	samples, err := filepath.Abs(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if samples, err = filepath.EvalSymlinks(samples); err != nil {
		t.Fatal(err)
	}
	if samples, err = filepath.Rel(dir, samples); err != nil {
		t.Fatal(err)
	}
	content := "resources: [" + samples + "]\n" + component(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	setImage(t, dir, "helium-backend:v2")
	built, err := shared.build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shared.apply(t.Context(), built, "--server-side"); err != nil {
		t.Fatal(err)
	}
}

// removeSamples takes the releases, endpoints and environments of the samples away: whoever else releases to
// these services is not to find them taken.
func removeSamples(t *testing.T) {
	t.Helper()
	built, err := shared.build(context.WithoutCancel(t.Context()), "samples")
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects(t, built) {
		if slices.Contains([]string{"EcsRelease", "EcsEndpoint", "EcsEnvironment"}, object.GetKind()) {
			remove(t, object)
		}
	}
}

// readMetrics looks who gets the metrics.
func readMetrics(t *testing.T, url string) {
	t.Helper()
	for _, name := range []string{"prometheus", "stranger"} {
		object := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: name}}
		if err := shared.client.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { remove(t, object) })
	}
	bind(t, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "prometheus"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "ecsrelease-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: system, Name: "prometheus"}},
	})
	eventually(t, patience, func() error {
		if !may(t, "system:serviceaccount:"+system+":prometheus", access{verb: "get", path: "/metrics"}) {
			return errors.New("the role binding has no effect")
		}
		return nil
	})
	status, body := get(t, url+"/metrics", tokenOf(t, "prometheus"))
	if status != http.StatusOK || !strings.Contains(body, `ecsrelease_ready{name="helium-backend",namespace="production"} 1`) {
		t.Errorf("a reader of metrics gets %d: %.500s", status, body)
	}
	if status, _ := get(t, url+"/metrics", tokenOf(t, "stranger")); status != http.StatusForbidden {
		t.Errorf("somebody without the role gets %d, want %d", status, http.StatusForbidden)
	}
	if status, _ := get(t, url+"/metrics", ""); status != http.StatusUnauthorized {
		t.Errorf("somebody without a token gets %d, want %d", status, http.StatusUnauthorized)
	}
}

// get asks the manager, whose certificate is its own.
func get(t *testing.T, url, token string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	unverified := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	response, err := unverified.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

// remove deletes what a test has made.
func remove(t *testing.T, object client.Object) {
	t.Helper()
	if err := shared.client.Delete(context.WithoutCancel(t.Context()), object); err != nil {
		t.Error(err)
	}
}

// sorted is a set in order.
func sorted(set map[string]bool) []string {
	var all []string
	for one := range set {
		all = append(all, one)
	}
	slices.Sort(all)
	return all
}

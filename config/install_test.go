package config_test

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// objects are those of a manifest, in its order.
func objects(t *testing.T, manifest []byte) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		var content map[string]any
		err := decoder.Decode(&content)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("reading a manifest: %v", err)
		}
		if len(content) > 0 {
			all = append(all, &unstructured.Unstructured{Object: content})
		}
	}
}

func TestInstallingAgainChangesNothing(t *testing.T) {
	versions := func() map[string]string {
		all := map[string]string{}
		for _, object := range objects(t, shared.installed) {
			if err := shared.client.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
				t.Fatal(err)
			}
			all[object.GetKind()+" "+object.GetName()] = object.GetResourceVersion()
		}
		return all
	}
	before := versions()
	if _, err := shared.apply(t.Context(), shared.installed, "--server-side"); err != nil {
		t.Fatal(err)
	}
	for name, version := range versions() {
		if before[name] != version {
			t.Errorf("%s has changed", name)
		}
	}
}

// TestInstallYamlNamesTheImageThatIsAskedFor looks at what make install.yaml writes, with IMAGE and without.
func TestInstallYamlNamesTheImageThatIsAskedFor(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0123456789abcdef", 4)
	for asked, want := range map[string]string{
		"":                                "ghcr.io/heliumai/ecsrelease:v0.1.0",
		"registry:5000/team/manager:v2":   "registry:5000/team/manager:v2",
		"registry:5000/manager@" + digest: "registry:5000/manager@" + digest,
		"manager:v2@" + digest:            "manager:v2@" + digest,
		"registry:5000/manager":           "", // neither tag nor digest
	} {
		output, err := exec.CommandContext(t.Context(), "../hack/install-yaml.sh", asked).Output()
		if want == "" {
			if err == nil || !strings.Contains(stderrOf(err), "neither tag nor digest") {
				t.Errorf("IMAGE=%s gets %v%s", asked, err, stderrOf(err))
			}
			continue
		}
		if err != nil {
			t.Fatalf("IMAGE=%s: %v%s", asked, err, stderrOf(err))
		}
		if line := "        image: " + want + "\n"; !strings.Contains(string(output), line) {
			t.Errorf("IMAGE=%s: there is no line %q", asked, line)
		}
		if asked == "" && !bytes.Equal(output, shared.installed) {
			t.Error("without IMAGE it is not config/default")
		}
	}
}

func TestWhatIsInstalledIsInItsNamespaceAndUnderItsName(t *testing.T) {
	clusterWide := []string{"Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
	for _, object := range objects(t, shared.installed) {
		if want := !slices.Contains(clusterWide, object.GetKind()); want != (object.GetNamespace() == system) {
			t.Errorf("%s %s is in namespace %q", object.GetKind(), object.GetName(), object.GetNamespace())
		}
		if object.GetKind() != "CustomResourceDefinition" && !strings.HasPrefix(object.GetName(), "ecsrelease-") {
			t.Errorf("%s %s could be anybody's", object.GetKind(), object.GetName())
		}
	}
}

func TestTheManagersPodMeetsTheRestrictedStandard(t *testing.T) {
	var namespace corev1.Namespace
	if err := shared.client.Get(t.Context(), client.ObjectKey{Name: system}, &namespace); err != nil {
		t.Fatal(err)
	}
	if got := namespace.Labels["pod-security.kubernetes.io/enforce"]; got != "restricted" {
		t.Fatalf("namespace %s enforces %q, want restricted", system, got)
	}
	// Admission only warns of a Deployment; the pods that it makes are what it refuses.
	template := shared.deployment(t).Spec.Template
	create := func(change func(*corev1.PodSpec)) error {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "manager-", Namespace: system, Labels: template.Labels},
			Spec:       *template.Spec.DeepCopy(),
		}
		change(&pod.Spec)
		return shared.client.Create(t.Context(), pod, client.DryRunAll)
	}
	if err := create(func(*corev1.PodSpec) {}); err != nil {
		t.Errorf("the manager's pod is refused: %v", err)
	}
	// Without this, a control plane that judges nothing would pass.
	err := create(func(pod *corev1.PodSpec) { pod.HostNetwork = true })
	if !apierrors.IsForbidden(err) {
		t.Errorf("a pod on the host's network gets %v, want it to be forbidden", err)
	}
}

func TestTheManagerCanWriteNowhereButInItsTemporaryDirectory(t *testing.T) {
	pod := shared.deployment(t).Spec.Template.Spec
	for _, container := range pod.Containers {
		if security := container.SecurityContext; security == nil || security.ReadOnlyRootFilesystem == nil || !*security.ReadOnlyRootFilesystem {
			t.Errorf("the root file system of container %s can be written", container.Name)
		}
		for _, mount := range container.VolumeMounts {
			if mount.MountPath != "/tmp" && !mount.ReadOnly {
				t.Errorf("container %s can write to %s", container.Name, mount.MountPath)
			}
		}
	}
}

func TestThePodOutlivesTheDrain(t *testing.T) {
	pod := shared.deployment(t).Spec.Template.Spec
	if grace := pod.TerminationGracePeriodSeconds; grace == nil || *grace <= 30 {
		t.Errorf("the pod has %v seconds to end, want more than the manager's 30 seconds for its drain", grace)
	}
}

func TestAReleaseThatNobodyHasSeenSaysSo(t *testing.T) {
	release := &ecsv1alpha1.EcsRelease{
		ObjectMeta: metav1.ObjectMeta{Name: "unseen", Namespace: "default"},
		Spec: ecsv1alpha1.EcsReleaseSpec{
			Image:    "helium-backend:v1",
			Services: []ecsv1alpha1.Service{{Name: "backend"}},
			Targets:  []ecsv1alpha1.Target{{Name: "mumbai", Region: "ap-south-1", Cluster: "helium-mumbai-cluster"}},
		},
	}
	if err := shared.client.Create(t.Context(), release, client.DryRunAll); err != nil {
		t.Fatal(err)
	}
	if got := release.Status.ObservedGeneration; got != -1 {
		t.Errorf("status.observedGeneration of a new release is %d, want -1: kstatus would take it for done", got)
	}
	manifest := "apiVersion: ecs.heliumai.space/v1alpha1\nkind: EcsRelease\nmetadata: {name: unseen, namespace: default}\n" +
		"spec: {image: 'helium-backend:v1', services: [{name: backend}], targets: [{name: mumbai, region: ap-south-1, cluster: c}]}\n"
	output, err := shared.apply(t.Context(), []byte(manifest), "--dry-run=server", "-o", "jsonpath={.status}")
	if err != nil {
		t.Fatal(err)
	}
	if output != `{"observedGeneration":-1}` {
		t.Errorf("applied without a status it gets %s, want the default", output)
	}
}

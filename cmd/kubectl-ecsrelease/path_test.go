package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// judged is a way in whose hops were judged.
func judged(t *testing.T, state string) *ecsv1alpha1.EcsEndpoint {
	t.Helper()
	raw, err := os.ReadFile("../../internal/screen/testdata/endpoints/" + state + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var endpoint ecsv1alpha1.EcsEndpoint
	if err := yaml.UnmarshalStrict(raw, &endpoint); err != nil {
		t.Fatal(err)
	}
	return &endpoint
}

// tellWay creates a way in with what was made of it, in the namespace that no controller looks at.
func tellWay(t *testing.T, name, state string) *ecsv1alpha1.EcsEndpoint {
	t.Helper()
	endpoint := judged(t, state)
	status, behind := endpoint.Status, endpoint.Generation-endpoint.Status.ObservedGeneration
	endpoint.ObjectMeta = metav1.ObjectMeta{Name: name, Namespace: told}
	if err := shared.client.Create(t.Context(), endpoint); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.IgnoreNotFound(shared.client.Delete(t.Context(), endpoint)); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	if status.ObservedGeneration >= 0 {
		retellWay(t, endpoint, status, endpoint.Generation-behind)
	}
	return endpoint
}

// retellWay writes another status, as of a generation.
func retellWay(t *testing.T, endpoint *ecsv1alpha1.EcsEndpoint, status ecsv1alpha1.EcsEndpointStatus, generation int64) {
	t.Helper()
	endpoint.Status = *status.DeepCopy()
	endpoint.Status.ObservedGeneration = generation
	for i := range endpoint.Status.Conditions {
		endpoint.Status.Conditions[i].ObservedGeneration = generation
	}
	if err := shared.client.Status().Update(t.Context(), endpoint); err != nil {
		t.Fatal(err)
	}
}

// Whoever asks for the way in, in any of its states, is shown it, and ends as is sensible.
func TestPathEndsAsTheWayInIs(t *testing.T) {
	for state, want := range map[string]struct {
		code int
		says []string
	}{
		"reachable":     {rollout.ExitReady, []string{"✔ True (Reachable)", "  Probe                ✔ 200 in 12ms"}},
		"warned":        {rollout.ExitReady, []string{"! True (ReachableWithWarnings)", "! Certificate in ap-south-1: Warning"}},
		"broken":        {rollout.ExitFailed, []string{"✖ False (Broken)", "▶ Certificate in ap-south-1: Broken", "wanted:   a certificate that is valid"}},
		"unpermitted":   {rollout.ExitFailed, []string{"? Unknown (AccessDenied)", "globalaccelerator:DescribeAccelerator"}},
		"refused":       {rollout.ExitFailed, []string{"✖ False (NoEnvironment)"}},
		"pending":       {rollout.ExitTimeout, []string{"↻ False (Pending)", "▶ Accelerator: Pending"}},
		"unwired":       {rollout.ExitPerson, []string{"‖ False (Unwired)", "▶ next: LoadBalancer in us-east-1", "create an application load balancer in us-east-1"}},
		"not-seen":      {rollout.ExitTimeout, []string{"? not known yet", "no controller has seen this endpoint yet"}},
		"changed-since": {rollout.ExitTimeout, []string{"the spec has changed"}},
	} {
		t.Run(state, func(t *testing.T) {
			endpoint := tellWay(t, "way-"+state, state)
			if state == "changed-since" {
				patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"hostname":"other.heliumai.space"}}`))
				if err := shared.client.Patch(t.Context(), endpoint, patch); err != nil {
					t.Fatal(err)
				}
			}
			said := ask(t, told, "path", endpoint.Name)
			said.ends(t, want.code, append(want.says, endpoint.Spec.Hostname)...)
			if strings.Contains(said.out, "\x1b") {
				t.Errorf("it is in color:\n%s", said.out)
			}
			if said.errors != "" {
				t.Errorf("it complains: %s", said.errors)
			}
			ask(t, told, "path", endpoint.Name, "-o", "yaml").ends(t, want.code, "kind: EcsEndpoint")
		})
	}
}

func TestAPathIsPrintedAsDataToo(t *testing.T) {
	endpoint := tellWay(t, "data", "broken")
	var read ecsv1alpha1.EcsEndpoint
	if err := json.Unmarshal([]byte(ask(t, told, "path", endpoint.Name, "-o", "json").out), &read); err != nil || read.Kind != "EcsEndpoint" || len(read.Status.Hops) != 27 {
		t.Errorf("as JSON it is %+v (%v)", read, err)
	}
	ask(t, told, "path", endpoint.Name, "-w", "-o", "json").ends(t, rollout.ExitUsage, "kubectl get ecsendpoint data -w -o json")
	ask(t, told, "path", "nobody").ends(t, rollout.ExitUsage, "there is no EcsEndpoint nobody in namespace told")
	ask(t, told, "path").ends(t, rollout.ExitUsage, "name one endpoint")
	ask(t, told, "path", endpoint.Name, "--as", "nobody").ends(t, rollout.ExitUsage, "forbidden")
}

// A way in that is followed says what changes, hop by hop, until it is deleted.
func TestAPathIsFollowed(t *testing.T) {
	endpoint := tellWay(t, "followed", "unwired")
	cmd := shared.command(t.Context(), told, "path", endpoint.Name, "-w")
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var problems strings.Builder
	cmd.Stderr = &problems
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	said := func(what string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), what) {
				return
			}
		}
		t.Fatalf("it ended without saying %q: %s", what, problems.String())
	}
	said("Unwired: 8 of 21 hops lead on; next: LoadBalancer in us-east-1")
	for _, state := range []struct{ name, says string }{
		{"reachable", "Ready: api.heliumai.space leads to its services in 3 of 3 regions"},
		{"broken", "Certificate in ap-south-1: Broken, it expired"},
	} {
		retellWay(t, endpoint, judged(t, state.name).Status, endpoint.Generation)
		said(state.says)
	}
	if err := shared.client.Delete(t.Context(), endpoint); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	_ = cmd.Wait() // its code is looked at
	outcome{code: cmd.ProcessState.ExitCode(), errors: problems.String()}.ends(t, rollout.ExitUsage, "EcsEndpoint told/followed: it was deleted")
}

func TestKubectlCompletesEndpoints(t *testing.T) {
	tellWay(t, "completed", "broken")
	cmd := exec.CommandContext(t.Context(), filepath.Join(shared.assets, "kubectl"), "__complete", "ecsrelease", "path", "-n", told, "comp")
	cmd.Env = shared.environment()
	finish(t, cmd).ends(t, rollout.ExitReady, "completed\tBroken at Certificate in ap-south-1")
}

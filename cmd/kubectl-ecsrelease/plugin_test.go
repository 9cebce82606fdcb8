package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// kubectl finds the plugin, passes on what it exits with, and asks it what could come next.
func TestKubectlRunsThePlugin(t *testing.T) {
	release := tell(t, "by-kubectl", "failed")
	kubectl := func(args ...string) outcome {
		cmd := exec.CommandContext(t.Context(), filepath.Join(shared.assets, "kubectl"), args...)
		cmd.Env = shared.environment()
		return finish(t, cmd)
	}
	kubectl("ecsrelease", "wait", release.Name, "-n", told).ends(t, rollout.ExitFailed, "Failed (ContainerExited)", "kubectl ecsrelease retry by-kubectl -n told")
	kubectl("ecsrelease", "--help").ends(t, rollout.ExitReady, "kubectl ecsrelease [command]")
	kubectl("__complete", "ecsrelease", "status", "-n", told, "by-").ends(t, rollout.ExitReady, "by-kubectl\tFailed (ContainerExited)")
	kubectl("__complete", "ecsrelease", "hold", "-n", told, release.Name, "").ends(t, rollout.ExitReady, "previous", "9\thelium-backend:v2")
	waiting := tell(t, "completing", "awaiting-approval")
	kubectl("__complete", "ecsrelease", "approve", "-n", told, waiting.Name, "").ends(t, rollout.ExitReady, waiting.Status.Awaiting[0].ID)
}

// A command that is suggested reaches the cluster that was looked at.
func TestSuggestedCommandsReachTheSameCluster(t *testing.T) {
	release := tell(t, "elsewhere", "failed")
	suggests := " -n told --kubeconfig " + shared.kubeconfig() + " --as admin --as-group system:masters"
	for _, command := range [][]string{{"status"}, {"wait"}} {
		said := ask(t, told, append(command, release.Name, "--kubeconfig", shared.kubeconfig(), "--as=admin", "--as-group=system:masters")...)
		if !strings.Contains(said.all(), "kubectl ecsrelease retry elsewhere"+suggests) {
			t.Errorf("%s does not suggest to retry with%s:\n%s", command, suggests, said.all())
		}
	}
	for word, want := range map[string]string{"arn:aws:eks:ap-south-1:111122223333:cluster/a": "arn:aws:eks:ap-south-1:111122223333:cluster/a", "my kube's": `'my kube'\''s'`} {
		if got := quoted(word); got != want {
			t.Errorf("%s is quoted as %s, want %s", word, got, want)
		}
	}
}

// What could not be written was not done.
func TestOutputThatIsLostIsAnError(t *testing.T) {
	release := tell(t, "unwritten", "ready")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, args := range [][]string{{"status", release.Name}, {"history", release.Name}, {"status", release.Name, "-o", "yaml"}} {
		cmd := shared.command(t.Context(), told, args...)
		var problems strings.Builder
		cmd.Stdout, cmd.Stderr = full, &problems
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != rollout.ExitUsage || !strings.Contains(problems.String(), "no space left") {
			t.Errorf("%v ended with %v and said %q, wanted %d", args, err, problems.String(), rollout.ExitUsage)
		}
	}
}

func TestDataIsPrintedAsData(t *testing.T) {
	release := tell(t, "data", "ready")
	var fromJSON, fromYAML ecsv1alpha1.EcsRelease
	inJSON, inYAML := ask(t, told, "status", release.Name, "-o", "json"), ask(t, told, "status", release.Name, "-o", "yaml")
	if err := json.Unmarshal([]byte(inJSON.out), &fromJSON); err != nil || fromJSON.Kind != "EcsRelease" || fromJSON.Name != release.Name || len(fromJSON.Status.Targets) != 3 {
		t.Errorf("as JSON it is %+v (%v)", fromJSON, err)
	}
	if err := yaml.UnmarshalStrict([]byte(inYAML.out), &fromYAML); err != nil || fromYAML.Kind != "EcsRelease" || len(fromYAML.Status.Targets) != 3 {
		t.Errorf("as YAML it is %+v (%v)", fromYAML, err)
	}
	var history []ecsv1alpha1.HistoryEntry
	if err := json.Unmarshal([]byte(ask(t, told, "history", release.Name, "-o", "json").out), &history); err != nil || len(history) != 3 {
		t.Errorf("history is %+v (%v)", history, err)
	}
	var environments ecsv1alpha1.EcsEnvironmentList
	if err := yaml.Unmarshal([]byte(ask(t, "", "environments", "-o", "yaml").out), &environments); err != nil || len(environments.Items) != 1 || environments.Kind != "EcsEnvironmentList" {
		t.Errorf("environments are %+v (%v)", environments, err)
	}
	var version build
	if err := json.Unmarshal([]byte(ask(t, "", "version", "-o", "json").out), &version); err != nil || version.API != "ecs.heliumai.space/v1alpha1" {
		t.Errorf("version is %+v (%v)", version, err)
	}
	ask(t, told, "status", release.Name, "-w", "-o", "json").ends(t, rollout.ExitUsage, "kubectl get ecsrelease data -w -o json")
}

// Where output is no terminal there is a line per change, and nothing that only a terminal obeys.
func TestALineIsPrintedPerChangeWhereNoTerminalIs(t *testing.T) {
	release := tell(t, "watched", "promotion")
	cmd, lines := begin(t, "status", release.Name, "-w")
	said := func(what string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), "\x1b") {
				t.Errorf("a terminal would obey %q", lines.Text())
			}
			if strings.Contains(lines.Text(), what) {
				return
			}
		}
		t.Fatalf("it ended without saying %q", what)
	}
	said("Waiting (AwaitingPromotion)")
	for _, state := range []struct{ name, says string }{
		{"awaiting-approval", "kubectl ecsrelease approve watched -n told r3-wave-1-"},
		{"progressing", "mumbai/backend: Deploying, helium-backend:3, 1/2 tasks run, 2 old"},
		{"ready", "Ready: 6/6 services run helium-backend:v4"},
	} {
		retell(t, release, seen(t, state.name).Status, release.Generation)
		said(state.says)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed
	plain := ask(t, told, "status", release.Name)
	plain.ends(t, rollout.ExitReady, "└─ ✔ wave 1")
	if strings.Contains(plain.out, "\x1b") {
		t.Errorf("it is in color:\n%s", plain.out)
	}
}

func TestAFrameIsDrawnOverTheLast(t *testing.T) {
	var out strings.Builder
	f := frame{out: &out}
	f.show([]string{"one", "two", "three"})
	f.show([]string{"four"})
	f.show(nil)
	const want = "one\x1b[K\ntwo\x1b[K\nthree\x1b[K\n\x1b[J" + "\r\x1b[3Afour\x1b[K\n\x1b[J" + "\r\x1b[1A\x1b[J"
	if out.String() != want {
		t.Errorf("drawn is %q, want %q", out.String(), want)
	}
}

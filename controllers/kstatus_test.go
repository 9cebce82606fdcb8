package controllers_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
)

// kstatus is what the library of that name, which kubectl-like tools and Flux use, makes of a
// release.
func (w *world) kstatus(name key) (status.Status, string) {
	w.t.Helper()
	var object unstructured.Unstructured
	object.SetGroupVersionKind(ecsv1alpha1.GroupVersion.WithKind("EcsRelease"))
	w.must(w.client.Get(w.t.Context(), name, &object))
	result, err := status.Compute(&object)
	w.must(err)
	return result.Status, result.Message
}

// computes waits until kstatus reads the release as wanted.
func (w *world) computes(name key, wanted status.Status) {
	w.t.Helper()
	w.eventually("kstatus "+string(wanted), func() error {
		if got, message := w.kstatus(name); got != wanted {
			return fmt.Errorf("kstatus says %s: %s", got, message)
		}
		return nil
	})
}

func TestKstatusReadsWhatIsTrue(t *testing.T) {
	w := newWorld(t)
	w.managedBy = w.namespace // nobody, so far
	w.push("v1")
	w.serve(desired("backend"))
	release := w.apply("helium-backend:v1")
	if got, message := w.kstatus(release); got != status.InProgressStatus {
		t.Errorf("a release that no controller has seen is %s: %s", got, message)
	}
	w.check(w.get(release).Status.ObservedGeneration == -1, "observedGeneration of a release that no controller has seen is %d", w.get(release).Status.ObservedGeneration)

	w.alone()
	w.computes(release, status.CurrentStatus)

	slow := w.push("v2")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageSlowStart, Image: "*" + slow, Seconds: 3600})
	w.bump(release, "helium-backend:v2")
	if got, message := w.kstatus(release); got != status.InProgressStatus {
		t.Errorf("a release whose spec has just changed is %s: %s", got, message)
	}
	w.await(release, "v2 being deployed", deploying)
	w.computes(release, status.InProgressStatus)

	crash := w.push("v3")
	w.behave(awssim.ImageBehavior{Kind: awssim.ImageCrash, Image: "*" + crash})
	w.bump(release, "helium-backend:v3")
	w.computes(release, status.FailedStatus)

	w.push("v4")
	w.bump(release, "helium-backend:v4")
	w.computes(release, status.CurrentStatus)
}

// deploying says whether the service backend is being deployed.
func deploying(r *ecsv1alpha1.EcsRelease) error {
	if s := service(r, "mumbai/backend"); s.State != ecsv1alpha1.ServiceDeploying {
		return fmt.Errorf("the service is %s (%s)", s.State, s.Message)
	}
	return nil
}

func TestKubectlWaitReturnsOnlyAfterTheNewDeployment(t *testing.T) {
	for _, c := range []struct {
		name string
		// asleep: no controller sees the change before kubectl has seen the release.
		asleep bool
	}{
		{name: "started in the instant of the change"},
		{name: "started while no controller runs", asleep: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, release, _ := released(t, (*world).alone)
			digest := w.push("v3")
			if c.asleep {
				w.manager.stop()
			}
			wait := w.kubectl("wait", "--for=condition=Ready", "ecsrelease/"+release.Name, "--timeout=60s", "-v=8")
			w.bump(release, "helium-backend:v3")
			w.must(wait.Start())
			if c.asleep {
				w.eventually("kubectl looking at the release", func() error {
					return lacks(wait.Stderr.(*output).String(), []string{"watch=true"})
				})
				w.restart()
			}
			w.must(wait.Wait())
			// This is the instant in which kubectl said Ready.
			primary := w.describe(home, cluster, "backend").Deployments[0]
			revision := short(aws.ToString(primary.TaskDefinition))
			w.check(revision == "helium-backend:3", "kubectl wait returned when the service ran %s", revision)
			w.runs(home, cluster, "backend", w.image(home, "@"+digest))
			w.changed(2, 2)
			w.check(isReady(w.get(release)) == nil, "Ready is %+v", condition(w.get(release), "Ready"))
		})
	}
}

func TestKubectlShowsTheColumnsThatPeopleNeed(t *testing.T) {
	w, _, _ := released(t)
	command := w.kubectl("get", "ecsr")
	w.must(command.Run())
	lines := strings.Split(command.Stdout.(*output).String(), "\n")
	got := strings.Fields(lines[0])
	if wanted := []string{"NAME", "READY", "REASON", "IMAGE", "PROGRESS", "AGE"}; strings.Join(got, " ") != strings.Join(wanted, " ") {
		t.Errorf("the columns are %v, wanted %v", got, wanted)
	}
	w.must(lacks(lines[1], []string{"helium-backend", "True", "Released", "helium-backend:v2", "1/1 services"}))
}

// kubectl is the real one, as an admin in the world's namespace.
func (w *world) kubectl(args ...string) *exec.Cmd {
	args = append([]string{"--kubeconfig", w.kubeconfig, "--namespace", w.namespace}, args...)
	command := exec.CommandContext(w.t.Context(), filepath.Join(w.assets, "kubectl"), args...)
	command.Stdout, command.Stderr = &output{}, &output{}
	return command
}

// output is what a running command has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

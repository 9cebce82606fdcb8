package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"heliumai.space/ecsrelease/internal/lab"
)

// TestTheManagerTakesTheFlagsThatTheChartGivesIt parses what each of the chart's files of values
// makes of the manager's arguments.
func TestTheManagerTakesTheFlagsThatTheChartGivesIt(t *testing.T) {
	helm, err := lab.NewHelm(t.Context(), filepath.Join("..", ".."), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	chart := filepath.Join("..", "..", "config", "chart")
	files, err := filepath.Glob(filepath.Join(chart, "ci", "*-values.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatalf("the files of values are %v, %v: want more", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), "-values.yaml"), func(t *testing.T) {
			rendered, err := helm.Run(t.Context(), "template", "ecsrelease", chart, "--values", file)
			if err != nil {
				t.Fatal(err)
			}
			deployment := deploymentOf(t, rendered)
			container := deployment.Spec.Template.Spec.Containers[0]
			o := taken(t, container.Args)
			if grace := *deployment.Spec.Template.Spec.TerminationGracePeriodSeconds; float64(grace) <= o.shutdownTimeout.Seconds() {
				t.Errorf("the pod has %d s to end, and the manager %s", grace, o.shutdownTimeout)
			}
			if filepath.Base(file) != "everything-values.yaml" {
				return
			}
			if o.clusterName != "eks-1" || o.quotaShare != 0.25 || o.workers != 40 || o.inFlightInterval.String() != "10s" ||
				o.sweepInterval.String() != "10m0s" || o.shutdownTimeout.String() != "1m0s" || o.leaseDuration.String() != "30s" ||
				o.verificationAllow != "10.1.0.0/16,fd00::/8" || o.verificationDeny != "52.0.0.0/8" || o.verificationCAFile == "" {
				t.Errorf("%v is understood as %+v", container.Args, o)
			}
		})
	}
}

// taken are the options that the manager makes of arguments, as main does, with authorities for those that
// a pod mounts.
func taken(t *testing.T, args []string) options {
	t.Helper()
	const mounted = "--verification-ca-file=/etc/ecsrelease/verification/"
	for i, arg := range args {
		if strings.HasPrefix(arg, mounted) {
			args[i] = "--verification-ca-file=" + authority(t)
		}
	}
	o := defaults()
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	o.bind(flags)
	(&zap.Options{}).BindFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatalf("the manager does not take %q: %v", args, err)
	}
	if flags.NArg() > 0 {
		t.Errorf("the manager ignores %q of %q", flags.Args(), args)
	}
	if err := o.complete(); err != nil {
		t.Errorf("the manager refuses %q: %v", args, err)
	}
	return o
}

// deploymentOf is the only Deployment of a manifest.
func deploymentOf(t *testing.T, manifest []byte) *appsv1.Deployment {
	t.Helper()
	var found *appsv1.Deployment
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096); ; {
		var deployment appsv1.Deployment
		err := decoder.Decode(&deployment)
		switch {
		case errors.Is(err, io.EOF):
			if found == nil {
				t.Fatal("there is no Deployment")
			}
			return found
		case err != nil:
			t.Fatal(err)
		case deployment.Kind == "Deployment":
			found = &deployment
		}
	}
}

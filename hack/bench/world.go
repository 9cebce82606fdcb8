package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/lab"
)

const region = "ap-south-1"

// world is a local AWS with an environment for it, whose releases are in a namespace of the
// same name.
type world struct {
	machine *lab.Machine
	name    string
	aws     lab.Account
	manager *lab.Process
}

// newWorld starts an AWS with these clusters, in which everything runs v1.
func newWorld(ctx context.Context, machine *lab.Machine, name string, clusters []lab.Cluster, args ...string) (*world, error) {
	policy, err := os.ReadFile("config/iam/policy.json")
	if err != nil {
		return nil, fmt.Errorf("reading the policy (run this from the repository's root): %w", err)
	}
	w := &world{machine: machine, name: name, aws: lab.Account{Home: region, Clusters: clusters, Environments: []string{name}, Policy: policy}}
	if w.aws.AWS, err = machine.StartAWS(ctx, "awssim-"+name, args...); err != nil {
		return nil, err
	}
	if err := w.aws.Furnish(ctx); err != nil {
		return nil, err
	}
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}},
		&ecsv1alpha1.EcsEnvironment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: ecsv1alpha1.EcsEnvironmentSpec{
			Namespaces:   &ecsv1alpha1.NamespaceSelector{Names: []string{name}},
			AWS:          ecsv1alpha1.AWSIdentity{AccountID: lab.AccountID, RoleARN: lab.Role(name), ExternalID: lab.ExternalID(name)},
			Destinations: []ecsv1alpha1.Destination{{Region: region, Clusters: []string{"*"}, Services: []string{"*"}}},
		}},
	} {
		if err := machine.Client.Create(ctx, object); err != nil {
			return nil, fmt.Errorf("creating %s: %w", object.GetName(), err)
		}
	}
	return w, nil
}

// start starts the manager.
func (w *world) start(args ...string) (err error) {
	env := append(w.aws.ManagerEnvironment(), "KUBECONFIG="+w.machine.Kubeconfig)
	w.manager, err = w.machine.Launch("manager-"+w.name, "manager", env,
		append([]string{"--metrics-secure=false", "--health-probe-bind-address=0"}, args...)...)
	return err
}

// stop ends the manager, and takes the releases away from the next one.
func (w *world) stop(ctx context.Context) error {
	if err := w.machine.Stop(w.manager); err != nil {
		return err
	}
	if err := w.machine.Client.DeleteAllOf(ctx, &ecsv1alpha1.EcsRelease{}, client.InNamespace(w.name)); err != nil {
		return fmt.Errorf("deleting the releases of %s: %w", w.name, err)
	}
	return nil
}

// release applies a release of v1 to services of one cluster.
func (w *world) release(ctx context.Context, name, cluster string, services ...string) error {
	release := &ecsv1alpha1.EcsRelease{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.name, Name: name},
		Spec: ecsv1alpha1.EcsReleaseSpec{
			Image:   lab.Repository + ":v1",
			Targets: []ecsv1alpha1.Target{{Name: "it", Region: region, Cluster: cluster}},
		},
	}
	for _, service := range services {
		release.Spec.Services = append(release.Spec.Services, ecsv1alpha1.Service{Name: service})
	}
	if err := w.machine.Client.Create(ctx, release); err != nil {
		return fmt.Errorf("creating release %s: %w", name, err)
	}
	return nil
}

// ready waits until every release of the world is.
func (w *world) ready(ctx context.Context) error {
	return w.await(ctx, "all releases to be Ready", func() (bool, error) {
		var list ecsv1alpha1.EcsReleaseList
		if err := w.machine.Client.List(ctx, &list, client.InNamespace(w.name)); err != nil {
			return false, fmt.Errorf("listing releases: %w", err)
		}
		for i := range list.Items {
			release := &list.Items[i]
			if stalled := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionStalled); stalled != nil && stalled.ObservedGeneration == release.Generation {
				return false, fmt.Errorf("release %s is stalled: %s: %s", release.Name, stalled.Reason, stalled.Message)
			}
			ready := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionReady)
			if ready == nil || ready.Status != metav1.ConditionTrue || ready.ObservedGeneration != release.Generation {
				return false, nil
			}
		}
		return true, nil
	})
}

// await looks, often, until the condition holds.
func (w *world) await(ctx context.Context, what string, condition func() (bool, error)) error {
	for {
		if ok, err := condition(); ok || err != nil {
			return err
		}
		if err := w.machine.Alive(); err != nil {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("waiting for %s: %w; the end of the controller's log:\n%s", what, err, w.manager.Tail())
		}
	}
}

// pause lets time pass.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// call is what AWS's journal says of one call.
type call struct {
	Sequence           uint64
	Time               time.Time
	Principal          string
	Service, Operation string
	Request            struct{ Services []string }
}

// calls are those that the environment's role made after a sequence number.
func (w *world) calls(ctx context.Context, after uint64) ([]call, error) {
	var all, ours []call
	if err := w.aws.AWS.Admin(ctx, "GET", fmt.Sprintf("journal?after=%d", after), nil, &all); err != nil {
		return nil, err
	}
	for _, one := range all {
		if strings.Contains(one.Principal, "/ecsrelease-") {
			ours = append(ours, one)
		}
	}
	return ours, nil
}

// last is the sequence number of the latest call.
func (w *world) last(ctx context.Context) (uint64, error) {
	all, err := w.calls(ctx, 0)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[len(all)-1].Sequence, nil
}

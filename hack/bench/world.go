package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/lab"
)

const (
	region = "ap-south-1"

	// What AWS's answers take.
	readLatency, writeLatency = 50 * time.Millisecond, 250 * time.Millisecond
	// quotaShare is the manager's default.
	quotaShare = 0.5
	// memoryLimit is what config/manager gives it, as GOMEMLIMIT.
	memoryLimit = "256MiB"
	// journalled is how many calls AWS's journal keeps.
	journalled = 500000
	// sideBySide is how many releases are made at once.
	sideBySide = 8
)

// world is a local AWS with environments for it, whose releases are in namespaces of the same
// names. There is one at a time: a manager sees all releases.
type world struct {
	*bench
	name      string
	aws       lab.Account
	simulator *lab.Process
	manager   *lab.Process
	releases  *follower
	limit     string // of memory
	last      uint64 // the latest call that was read
	end       context.CancelFunc
}

// newWorld starts an AWS with these clusters, in which everything runs v1, and which answers at once and
// anybody. Whoever makes one must close it.
func newWorld(ctx context.Context, b *bench, name string, clusters []lab.Cluster, environments ...string) (*world, error) {
	policy, err := os.ReadFile("config/iam/policy.json")
	if err != nil {
		return nil, fmt.Errorf("reading the policy (run this from the repository's root): %w", err)
	}
	w := &world{
		bench: b, name: name, limit: memoryLimit,
		aws: lab.Account{Home: region, Clusters: clusters, Environments: environments, Policy: policy},
	}
	w.simulator, err = b.machine.Launch("awssim-"+name, "awssim", nil,
		"--listen", "127.0.0.1:0", "--speed", fmt.Sprint(b.size.speed), "--journal", fmt.Sprint(journalled))
	if err != nil {
		return nil, err
	}
	if err := w.furnish(ctx, environments); err != nil {
		return nil, errors.Join(err, w.close(ctx))
	}
	return w, nil
}

func (w *world) furnish(ctx context.Context, environments []string) error {
	endpoint, err := w.simulator.AwaitLine(ctx, "listening on ")
	if err != nil {
		return err
	}
	w.aws.AWS = lab.AWS{Endpoint: endpoint}
	if err := w.aws.Furnish(ctx); err != nil {
		return err
	}
	following, end := context.WithCancel(ctx)
	w.end = end
	if w.releases, err = follow(following, w.machine.Client); err != nil {
		return err
	}
	for _, name := range environments {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if err := w.machine.Client.Create(ctx, namespace); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("creating namespace %s: %w", name, err)
		}
		if err := w.machine.Client.Create(ctx, environment(name)); err != nil {
			return fmt.Errorf("creating environment %s: %w", name, err)
		}
	}
	return nil
}

// environment is one without gates.
func environment(name string) *ecsv1alpha1.EcsEnvironment {
	return &ecsv1alpha1.EcsEnvironment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: ecsv1alpha1.EcsEnvironmentSpec{
		Namespaces:   &ecsv1alpha1.NamespaceSelector{Names: []string{name}},
		AWS:          ecsv1alpha1.AWSIdentity{AccountID: lab.AccountID, RoleARN: lab.Role(name), ExternalID: lab.ExternalID(name)},
		Destinations: []ecsv1alpha1.Destination{{Region: "*", Clusters: []string{"*"}, Services: []string{"*"}}},
	}}
}

// close ends the world's processes and takes its releases away from the next one.
func (w *world) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Minute) // it takes a while to delete many
	defer cancel()
	var problems []error
	if w.manager != nil {
		problems = append(problems, w.machine.Stop(w.manager))
	}
	problems = append(problems, w.machine.Stop(w.simulator))
	if w.end != nil {
		w.end()
	}
	for _, name := range w.aws.Environments {
		problems = append(problems,
			w.clear(ctx, name),
			client.IgnoreNotFound(w.machine.Client.Delete(ctx, environment(name))))
	}
	return errors.Join(problems...)
}

// clear deletes the releases of an environment. The API server gives a request a minute, in which it does
// not get through many: what it has deleted is gone all the same.
func (w *world) clear(ctx context.Context, environment string) error {
	for {
		err := w.machine.Client.DeleteAllOf(ctx, &ecsv1alpha1.EcsRelease{}, client.InNamespace(environment))
		if !apierrors.IsTimeout(err) && !apierrors.IsServerTimeout(err) || ctx.Err() != nil {
			return err
		}
	}
}

// begin ends what was easier than in life: from now on AWS takes its time and holds to its quotas, with
// all buckets full, and its journal is empty.
func (w *world) begin(ctx context.Context) error {
	latency := map[string]string{"read": readLatency.String(), "write": writeLatency.String()}
	if err := w.aws.AWS.Admin(ctx, http.MethodPut, "latency", latency, nil); err != nil {
		return err
	}
	if err := w.aws.AWS.Admin(ctx, http.MethodPut, "quotas", map[string]bool{"enabled": true}, nil); err != nil {
		return err
	}
	return w.aws.AWS.Admin(ctx, http.MethodDelete, "journal", nil, nil)
}

// start starts the manager.
func (w *world) start(args ...string) (err error) {
	w.manager, err = w.launch("manager-"+w.name, args...)
	return err
}

// launch starts a manager with the limit of memory that it is shipped with. Its lease is a long one: it
// shares the machine with an API server and an AWS, and must not lose it when all of them are busy.
func (w *world) launch(name string, args ...string) (*lab.Process, error) {
	env := append(w.aws.ManagerEnvironment(), "KUBECONFIG="+w.machine.Kubeconfig, "GOMEMLIMIT="+w.limit)
	return w.machine.Launch(name, "manager", env, append([]string{
		"--metrics-bind-address=0", "--health-probe-bind-address=0",
		"--lease-duration=2m", "--renew-deadline=90s", "--aws-call-timeout=5s",
	}, args...)...)
}

// theLease are the flags of the default lease, by which a failover is measured.
var theLease = []string{"--lease-duration=15s", "--renew-deadline=10s"}

// stop ends the manager in order, so that it gives up its lease.
func (w *world) stop() error {
	manager := w.manager
	w.manager = nil
	return w.machine.Stop(manager)
}

// key names a release.
func key(environment, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: environment, Name: name}
}

// release applies a release of services of one name to some targets.
func (w *world) release(ctx context.Context, name types.NamespacedName, tag string, targets []ecsv1alpha1.Target, services ...string) error {
	release := &ecsv1alpha1.EcsRelease{
		ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name},
		Spec:       ecsv1alpha1.EcsReleaseSpec{Image: lab.Repository + ":" + tag, Targets: targets},
	}
	for _, service := range services {
		release.Spec.Services = append(release.Spec.Services, ecsv1alpha1.Service{Name: service})
	}
	if err := w.machine.Client.Create(ctx, release); err != nil {
		return fmt.Errorf("creating release %s: %w", name, err)
	}
	return nil
}

// toCluster is the only target of a release.
func toCluster(name string) []ecsv1alpha1.Target {
	return []ecsv1alpha1.Target{{Name: "it", Region: region, Cluster: name}}
}

// each does something for many, some of them at once.
func each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(sideBySide)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// bump changes the image of a release, and returns when that was asked for.
func (w *world) bump(ctx context.Context, name types.NamespacedName, tag string) (time.Time, error) {
	release := &ecsv1alpha1.EcsRelease{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
	patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"image":"%s:%s"}}`, lab.Repository, tag))
	began := time.Now()
	if err := w.machine.Client.Patch(ctx, release, patch); err != nil {
		return began, fmt.Errorf("setting the image of %s: %w", name, err)
	}
	return began, nil
}

// forget deletes a release: nobody follows any more what it has begun.
func (w *world) forget(ctx context.Context, name types.NamespacedName) error {
	release := &ecsv1alpha1.EcsRelease{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
	if err := w.machine.Client.Delete(ctx, release); err != nil {
		return fmt.Errorf("deleting release %s: %w", name, err)
	}
	return nil
}

// ready waits until so many releases are there and all of them are Ready.
func (w *world) ready(ctx context.Context, n int) error {
	told := time.Now()
	return w.await(ctx, "all releases to be Ready", func() (bool, error) {
		ready, all := w.releases.count(func(s sighting) bool { return !s.ready.IsZero() })
		if ready == n && all == n {
			return true, nil
		}
		if stuck, _ := w.releases.count(func(s sighting) bool { return !s.stuck.IsZero() }); stuck > 0 {
			return false, fmt.Errorf("%d releases are stalled: %s", stuck, w.releases.why())
		}
		if time.Since(told) > 30*time.Second {
			told = time.Now()
			say("%d of %d are Ready", ready, n)
		}
		return false, nil
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

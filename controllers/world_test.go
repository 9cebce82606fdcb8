package controllers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
)

const (
	managerAccount = "999900001111"
	managerKey     = "AKIATESTMANAGER00001"
	managerSecret  = "the-secret-of-the-manager-in-tests"
	rolePrefix     = "ecsrelease-"

	home       = "ap-south-1"
	abroad     = "ap-southeast-1"
	cluster    = "helium-mumbai-cluster"
	repository = "helium-backend"

	// patience is for how long a test waits for something that should come. What ECS shows right
	// after a change is not always believed before a minute has passed.
	patience = 75 * time.Second
)

// world is what one test has for itself: a namespace, an environment that is called like it,
// and an AWS account with a role that may do exactly what the documentation says.
type world struct {
	*suite
	t         *testing.T
	account   string
	namespace string
	role      string
	// manager is the one that handles the test's releases.
	manager *manager
	// managedBy is the manager's name, "" for the shared one.
	managedBy string
}

// key names a release.
type key = types.NamespacedName

// newWorld makes a world for a test, which runs beside the others.
func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	return openWorld(t)
}

// openWorld makes a world for a test that has begun to run beside the others already.
func openWorld(t *testing.T) *world {
	t.Helper()
	n := shared.worlds.Add(1)
	w := &world{
		suite:     &shared,
		t:         t,
		account:   fmt.Sprintf("%012d", 200000000000+n),
		namespace: fmt.Sprintf("test-%03d", n),
		manager:   shared.manager,
	}
	w.role = rolePrefix + w.namespace
	w.grant()
	w.must(w.client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}))
	w.must(w.client.Create(t.Context(), w.environment()))
	t.Cleanup(w.leave)
	return w
}

// alone gives the world a manager of its own, which the test may stop and start again.
func (w *world) alone() {
	w.t.Helper()
	w.managedBy = w.namespace
	w.restart()
	w.t.Cleanup(func() { w.manager.stop() })
}

// restart starts the world's own manager anew.
func (w *world) restart() {
	w.t.Helper()
	started, err := w.newManager(w.t.Context(), w.managedBy)
	w.must(err)
	w.manager = started
}

// grant gives the role the documented policy, for this account, and further statements.
func (w *world) grant(further ...json.RawMessage) {
	w.t.Helper()
	w.setRole("Allow", further...)
}

func (w *world) setRole(trust string, further ...json.RawMessage) {
	w.t.Helper()
	documented := bytes.ReplaceAll(w.policy, []byte("111122223333"), []byte(w.account))
	_, err := w.sim.PutRole(awssim.Role{
		Account:  w.account,
		Name:     w.role,
		Policies: append([]json.RawMessage{documented}, further...),
		TrustPolicy: json.RawMessage(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":["sts:AssumeRole","sts:TagSession"],
			"Principal":{"AWS":"arn:aws:iam::%s:user/manager"},
			"Condition":{"StringEquals":{"sts:ExternalId":%q}}}]}`, trust, managerAccount, w.externalID())),
	})
	w.must(err)
}

// deny takes an action away from the role.
func (w *world) deny(action string) {
	w.t.Helper()
	w.restricted.add(w.account)
	if action == "sts:AssumeRole" {
		w.setRole("Deny")
		return
	}
	w.grant(json.RawMessage(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":%q,"Resource":"*"}]}`, action)))
}

func (w *world) externalID() string { return "heliumai/" + w.namespace }

// environment lets the world's namespace release to clusters called helium-…, as the role.
func (w *world) environment() *ecsv1alpha1.EcsEnvironment {
	return &ecsv1alpha1.EcsEnvironment{
		ObjectMeta: metav1.ObjectMeta{Name: w.namespace},
		Spec: ecsv1alpha1.EcsEnvironmentSpec{
			Namespaces: &ecsv1alpha1.NamespaceSelector{Names: []string{w.namespace}},
			AWS: ecsv1alpha1.AWSIdentity{
				AccountID:  w.account,
				RoleARN:    "arn:aws:iam::" + w.account + ":role/" + w.role,
				ExternalID: w.externalID(),
			},
			Destinations: []ecsv1alpha1.Destination{{Region: "*", Clusters: []string{"helium-*"}, Services: []string{"*"}}},
		},
	}
}

// label labels the world's namespace.
func (w *world) label(name, value string) {
	w.t.Helper()
	var namespace corev1.Namespace
	w.must(w.client.Get(w.t.Context(), key{Name: w.namespace}, &namespace))
	before := namespace.DeepCopy()
	namespace.Labels[name] = value
	w.must(w.client.Patch(w.t.Context(), &namespace, client.MergeFrom(before)))
}

// leave ends what the test was about, after having checked what was said meanwhile.
func (w *world) leave() {
	ctx := context.Background() // the test's own has ended
	for _, violation := range w.witness.violationsIn(w.namespace) {
		w.t.Error("a status broke the contract: ", violation)
	}
	if err := w.client.DeleteAllOf(ctx, &ecsv1alpha1.EcsRelease{}, client.InNamespace(w.namespace)); err != nil {
		w.t.Error(err)
	}
	if err := w.client.Delete(ctx, w.environment()); client.IgnoreNotFound(err) != nil {
		w.t.Error(err)
	}
}

// release is one of helium-backend with the image, for the service backend in the home region;
// change says how this one differs.
func (w *world) release(image string, change ...func(*ecsv1alpha1.EcsRelease)) *ecsv1alpha1.EcsRelease {
	release := &ecsv1alpha1.EcsRelease{
		ObjectMeta: metav1.ObjectMeta{Name: "helium-backend", Namespace: w.namespace},
		Spec: ecsv1alpha1.EcsReleaseSpec{
			Image:    image,
			Services: services("backend"),
			Targets:  []ecsv1alpha1.Target{{Name: "mumbai", Region: home, Cluster: cluster}},
		},
	}
	if w.managedBy != "" {
		release.Labels = map[string]string{managedBy: w.managedBy}
	}
	for _, c := range change {
		c(release)
	}
	return release
}

// services are services by name.
func services(names ...string) []ecsv1alpha1.Service {
	list := make([]ecsv1alpha1.Service, 0, len(names))
	for _, name := range names {
		list = append(list, ecsv1alpha1.Service{Name: name})
	}
	return list
}

// running is a change of release: its services.
func running(names ...string) func(*ecsv1alpha1.EcsRelease) {
	return func(r *ecsv1alpha1.EcsRelease) { r.Spec.Services = services(names...) }
}

// inBoth is a change of release: a second target in the region abroad.
func inBoth(r *ecsv1alpha1.EcsRelease) {
	r.Spec.Targets = append(r.Spec.Targets, ecsv1alpha1.Target{Name: "singapore", Region: abroad, Cluster: "helium-singapore-cluster"})
}

// named is a change of release: its name.
func named(name string) func(*ecsv1alpha1.EcsRelease) {
	return func(r *ecsv1alpha1.EcsRelease) { r.Name = name }
}

// apply creates the release.
func (w *world) apply(image string, change ...func(*ecsv1alpha1.EcsRelease)) key {
	w.t.Helper()
	release := w.release(image, change...)
	w.must(w.client.Create(w.t.Context(), release))
	return client.ObjectKeyFromObject(release)
}

// get reads a release.
func (w *world) get(name key) *ecsv1alpha1.EcsRelease {
	w.t.Helper()
	var release ecsv1alpha1.EcsRelease
	w.must(w.client.Get(w.t.Context(), name, &release))
	return &release
}

// change changes a release as kubectl patch does.
func (w *world) change(name key, change func(*ecsv1alpha1.EcsRelease)) {
	w.t.Helper()
	release := w.get(name)
	before := release.DeepCopy()
	change(release)
	w.must(w.client.Patch(w.t.Context(), release, client.MergeFrom(before)))
}

// bump is what CI does.
func (w *world) bump(name key, image string) {
	w.t.Helper()
	w.change(name, func(r *ecsv1alpha1.EcsRelease) { r.Spec.Image = image })
}

// poke asks for a look, and waits until it was taken.
func (w *world) poke(name key, token string) *ecsv1alpha1.EcsRelease {
	w.t.Helper()
	w.change(name, func(r *ecsv1alpha1.EcsRelease) {
		r.Annotations = map[string]string{ecsv1alpha1.AnnotationReconcile: token}
	})
	return w.await(name, "handled token "+token, func(r *ecsv1alpha1.EcsRelease) error {
		if r.Status.Handled == nil || r.Status.Handled.Reconcile != token {
			return fmt.Errorf("status.handled is %+v", r.Status.Handled)
		}
		return nil
	})
}

// await polls a release until it is as wanted. When that does not come it fails the test with
// what is wrong, the release, and what happened last.
func (w *world) await(name key, what string, wanted func(*ecsv1alpha1.EcsRelease) error) *ecsv1alpha1.EcsRelease {
	w.t.Helper()
	var release *ecsv1alpha1.EcsRelease
	w.eventually(what, func() error {
		release = w.get(name)
		return wanted(release)
	})
	return release
}

// eventually polls until there is nothing wrong.
func (w *world) eventually(what string, wrong func() error) {
	w.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for {
		err := wrong()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("waited %s for: %s\nbut: %v\n%s", patience, what, err, w.tell())
		}
		select {
		case <-tick.C:
		case <-w.t.Context().Done():
			w.t.Fatalf("waiting for %s: %v", what, w.t.Context().Err())
		}
	}
}

// ready waits until the release is Ready with the spec that it has now.
func (w *world) ready(name key) *ecsv1alpha1.EcsRelease {
	w.t.Helper()
	return w.await(name, "Ready", isReady)
}

func isReady(r *ecsv1alpha1.EcsRelease) error {
	ready := condition(r, ecsv1alpha1.ConditionReady)
	if ready.Status != metav1.ConditionTrue || ready.ObservedGeneration != r.Generation {
		return fmt.Errorf("Ready is %s (%s: %s)", ready.Status, ready.Reason, ready.Message)
	}
	return nil
}

// stalled waits until the release is Stalled with the spec that it has now, for the reason, and
// with all of these words in the message.
func (w *world) stalled(name key, reason string, words ...string) *ecsv1alpha1.EcsRelease {
	w.t.Helper()
	return w.says(name, ecsv1alpha1.ConditionStalled, reason, words...)
}

// says waits until a condition of the release is there with the reason and words in its message.
func (w *world) says(name key, kind, reason string, words ...string) *ecsv1alpha1.EcsRelease {
	w.t.Helper()
	return w.await(name, kind+" with reason "+reason+" saying "+strings.Join(words, ", "), func(r *ecsv1alpha1.EcsRelease) error {
		seen := condition(r, kind)
		switch {
		case seen.Reason != reason || seen.ObservedGeneration != r.Generation:
			return fmt.Errorf("%s is %s %s (%s)", kind, seen.Status, seen.Reason, seen.Message)
		default:
			return lacks(seen.Message, words)
		}
	})
}

// lacks says which of the words a message does not contain.
func lacks(message string, words []string) error {
	for _, word := range words {
		if !strings.Contains(message, word) {
			return fmt.Errorf("the message does not contain %q: %s", word, message)
		}
	}
	return nil
}

// condition is a condition of a release, zero when it is not there.
func condition(r *ecsv1alpha1.EcsRelease, kind string) metav1.Condition {
	if found := meta.FindStatusCondition(r.Status.Conditions, kind); found != nil {
		return *found
	}
	return metav1.Condition{Type: kind, Status: "absent"}
}

// service is what a release says of a service: target/service.
func service(r *ecsv1alpha1.EcsRelease, name string) ecsv1alpha1.ServiceStatus {
	at, name, _ := strings.Cut(name, "/")
	for _, target := range r.Status.Targets {
		if target.Name != at {
			continue
		}
		for _, s := range target.Services {
			if s.Name == name {
				return s
			}
		}
	}
	return ecsv1alpha1.ServiceStatus{}
}

// event waits for an event that begins so, as "Type Reason: note".
func (w *world) event(begins string) {
	w.t.Helper()
	w.eventually("event "+begins, func() error {
		seen := w.witness.eventsIn(w.namespace)
		if !slices.ContainsFunc(seen, func(e string) bool { return strings.HasPrefix(e, begins) }) {
			return fmt.Errorf("the events are\n  %s", strings.Join(seen, "\n  "))
		}
		return nil
	})
}

// must ends the test for an error that has nothing to do with what it is about.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// check is must with what went wrong in the world.
func (w *world) check(ok bool, format string, args ...any) {
	w.t.Helper()
	if !ok {
		w.t.Errorf(format, args...)
	}
}

// tell is the world in words, for the message of a test that fails.
func (w *world) tell() string {
	var told strings.Builder
	var releases ecsv1alpha1.EcsReleaseList
	if err := w.client.List(context.Background(), &releases, client.InNamespace(w.namespace)); err != nil {
		return err.Error()
	}
	for i := range releases.Items {
		releases.Items[i].ManagedFields = nil
		document, err := yaml.Marshal(&releases.Items[i])
		if err != nil {
			return errors.Join(err).Error()
		}
		fmt.Fprintf(&told, "--- release\n%s", document)
	}
	fmt.Fprintf(&told, "--- the last calls of %s\n", w.role)
	calls := w.calls("")
	for _, call := range calls[max(0, len(calls)-15):] {
		fmt.Fprintf(&told, "%s %s %s %d %s %.200s\n", call.Time.Format("15:04:05.000"), call.Region, call.Operation, call.Status, call.Code, call.Request)
	}
	fmt.Fprintf(&told, "--- the last log lines\n")
	lines := w.logs.lines(w.namespace)
	for _, line := range lines[max(0, len(lines)-10):] {
		fmt.Fprintln(&told, line)
	}
	return told.String()
}

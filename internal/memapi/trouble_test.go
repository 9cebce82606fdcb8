package memapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"heliumai.space/ecsrelease/internal/memapi"
)

// lease is an object that is quickly made.
func lease(name string) *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Spec: coordinationv1.LeaseSpec{HolderIdentity: new("nobody")}}
}

// inBubble runs a test in virtual time against a server with the kinds of the project.
func inBubble(t *testing.T, o memapi.Options, test func(*testing.T, *memapi.Server)) {
	t.Helper()
	o.Kinds = newKinds(t)
	synctest.Test(t, func(t *testing.T) { test(t, memapi.New(o)) })
}

// dial makes a client of a name.
func dial(t *testing.T, s *memapi.Server, name string) client.WithWatch {
	t.Helper()
	c, err := client.NewWithWatch(s.Config(name), client.Options{Scheme: newScheme(t), Mapper: newKinds(t).Mapper()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// status is a failure as Trouble has it.
func status(err *apierrors.StatusError) *metav1.Status { return &err.ErrStatus }

func TestACallSuffersWhatItsTroubleSays(t *testing.T) {
	overloaded := status(apierrors.NewServiceUnavailable("overloaded"))
	none := func(err error) bool { return err == nil }
	gaveUp := func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
	for _, c := range []struct {
		name    string
		trouble memapi.Trouble
		ends    func(error) bool
		done    bool
		took    time.Duration
	}{
		{"nothing", memapi.Trouble{}, none, true, 0},
		{"a delay", memapi.Trouble{Delay: 3 * time.Second}, none, true, 3 * time.Second},
		{"a delay that is longer than the caller's patience", memapi.Trouble{Delay: time.Minute}, gaveUp, false, 10 * time.Second},
		{"an error in place of the work", memapi.Trouble{Status: overloaded}, apierrors.IsServiceUnavailable, false, 0},
		{"an error after the work was done", memapi.Trouble{Status: overloaded, Executed: true}, apierrors.IsServiceUnavailable, true, 0},
		{"a late error after the work was done", memapi.Trouble{Status: overloaded, Executed: true, Delay: time.Second}, apierrors.IsServiceUnavailable, true, time.Second},
		{"a connection that breaks", memapi.Trouble{Drop: true}, utilnet.IsConnectionReset, false, 0},
		{"an answer that is lost", memapi.Trouble{Drop: true, Executed: true}, utilnet.IsConnectionReset, true, 0},
		{"a call that is never answered", memapi.Trouble{Hang: true}, gaveUp, false, 10 * time.Second},
		{"a call that is done and never answered", memapi.Trouble{Hang: true, Executed: true}, gaveUp, true, 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := memapi.Options{Trouble: func(call memapi.Call) memapi.Trouble {
				if call.Client == "troubled" {
					return c.trouble
				}
				return memapi.Trouble{}
			}}
			inBubble(t, o, func(t *testing.T, s *memapi.Server) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				began := time.Now()
				err := dial(t, s, "troubled").Create(ctx, lease("one"))
				if !c.ends(err) {
					t.Errorf("it ended with %v", err)
				}
				if took := time.Since(began); took != c.took {
					t.Errorf("it took %s, wanted %s", took, c.took)
				}
				err = dial(t, s, "other").Get(t.Context(), client.ObjectKeyFromObject(lease("one")), lease(""))
				if (err == nil) != c.done || client.IgnoreNotFound(err) != nil {
					t.Errorf("wanted it done: %t; reading it: %v", c.done, err)
				}
			})
		})
	}
}

func TestTroubleIsAskedOnceForEachCall(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	o := memapi.Options{Trouble: func(call memapi.Call) memapi.Trouble {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, call.Client+": "+call.String())
		return memapi.Trouble{}
	}}
	inBubble(t, o, func(t *testing.T, s *memapi.Server) {
		c, ctx := dial(t, s, "it"), t.Context()
		release := (&api{namespace: "default"}).release("one")
		must(t, c.Create(ctx, release))
		must(t, c.Get(ctx, client.ObjectKeyFromObject(release), release))
		must(t, c.Update(ctx, release))
		must(t, c.Patch(ctx, release, raw(`{}`)))
		must(t, c.Status().Patch(ctx, release, raw(`{}`)))
		must(t, c.List(ctx, &coordinationv1.LeaseList{}))
		w, err := c.Watch(ctx, &coordinationv1.LeaseList{}, client.InNamespace("default"))
		must(t, err)
		w.Stop()
		must(t, c.Delete(ctx, release))
	})
	wanted := []string{
		"it: create ecsreleases", "it: get ecsreleases default/one", "it: update ecsreleases default/one", "it: patch ecsreleases default/one",
		"it: patch ecsreleases/status default/one", "it: list leases", "it: watch leases", "it: delete ecsreleases default/one",
	}
	if diff := cmp.Diff(wanted, asked); diff != "" {
		t.Errorf("(-wanted +asked):\n%s", diff)
	}
}

func TestTheObserverIsToldOfEveryChangeBeforeItIsAnswered(t *testing.T) {
	var told []string
	version := func(object map[string]any) any {
		if object == nil {
			return nil
		}
		return object["metadata"].(map[string]any)["resourceVersion"]
	}
	began := time.Time{}
	o := memapi.Options{Observe: func(c memapi.Change) {
		if c.Call.Client == "it" {
			told = append(told, fmt.Sprintf("%s: %s: %v to %v", c.Time.Sub(began), c.Call.Verb, version(c.Old), version(c.New)))
		}
	}}
	inBubble(t, o, func(t *testing.T, s *memapi.Server) {
		began = time.Now()
		c, ctx := dial(t, s, "it"), t.Context()
		expect := func(wanted ...string) {
			t.Helper()
			if diff := cmp.Diff(wanted, told); diff != "" {
				t.Errorf("(-wanted +told):\n%s", diff)
			}
			told = nil
		}
		one := lease("one")
		must(t, c.Create(ctx, one))
		first := one.ResourceVersion
		expect("0s: create: <nil> to " + first)
		must(t, c.Update(ctx, one))
		refused(t, c.Create(ctx, lease("one")), apierrors.IsAlreadyExists, "creating it again")
		expect()
		time.Sleep(time.Second)
		one.Spec.HolderIdentity = new("somebody")
		must(t, c.Update(ctx, one))
		expect("1s: update: " + first + " to " + one.ResourceVersion)
		must(t, c.Delete(ctx, one))
		expect("1s: delete: " + one.ResourceVersion + " to <nil>")
	})
}

func TestWritersAtTheSameTimeLoseNothing(t *testing.T) {
	const writers, each = 8, 10
	inBubble(t, memapi.Options{}, func(t *testing.T, s *memapi.Server) {
		c := dial(t, s, "it")
		shared := lease("shared")
		shared.Spec.LeaseTransitions = new(int32(0))
		must(t, c.Create(t.Context(), shared))
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				for done := 0; done < each; {
					var now coordinationv1.Lease
					if err := c.Get(t.Context(), client.ObjectKeyFromObject(shared), &now); err != nil {
						t.Error(err)
						return
					}
					*now.Spec.LeaseTransitions++
					switch err := c.Update(t.Context(), &now); {
					case err == nil:
						done++
					case !apierrors.IsConflict(err):
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		must(t, c.Get(t.Context(), client.ObjectKeyFromObject(shared), shared))
		if got := *shared.Spec.LeaseTransitions; got != writers*each {
			t.Errorf("of %d updates %d are left", writers*each, got)
		}
	})
}

func TestWhatIsNotThereIsRefused(t *testing.T) {
	inBubble(t, memapi.Options{}, func(t *testing.T, s *memapi.Server) {
		config := s.Config("it")
		a := &api{endpoint: endpoint{config: config}, http: &http.Client{Transport: config.Transport}, namespace: "default"}
		must(t, dial(t, s, "it").Create(t.Context(), a.release("one")))
		for _, c := range []struct {
			method, path, contentType, body string
			status                          int
		}{
			{http.MethodGet, "/version", "", "", http.StatusNotFound},
			{http.MethodGet, "/apis", "", "", http.StatusNotFound},
			{http.MethodGet, "/api/v1/pods", "", "", http.StatusNotFound},
			{http.MethodGet, a.releases() + "/one/scale", "", "", http.StatusNotFound},
			{http.MethodPost, "/apis/ecs.heliumai.space/v1alpha1/ecsreleases", "application/json", "{}", http.StatusNotFound},
			{http.MethodPost, a.releases() + "?dryRun=All", "application/json", "{}", http.StatusBadRequest},
			{http.MethodPost, a.releases(), "application/json", "{", http.StatusBadRequest},
			{http.MethodPost, a.releases(), "application/json", "null", http.StatusBadRequest},
			{http.MethodPost, a.releases(), "application/vnd.kubernetes.protobuf", "k8s", http.StatusUnsupportedMediaType},
			{http.MethodPatch, a.releases() + "/one", string(types.JSONPatchType), "[]", http.StatusUnsupportedMediaType},
			{http.MethodPatch, a.releases() + "/one", string(types.ApplyYAMLPatchType), "{}", http.StatusUnsupportedMediaType},
			{http.MethodDelete, a.releases(), "", "", http.StatusMethodNotAllowed},
			{http.MethodDelete, "/api/v1/namespaces/default", "", "", http.StatusMethodNotAllowed},
			{http.MethodPost, a.releases() + "/one", "application/json", "{}", http.StatusMethodNotAllowed},
		} {
			if status, answer := a.do(t, c.method, c.path, c.contentType, c.body); status != c.status {
				t.Errorf("%s %s %s was answered with %d %s", c.method, c.path, c.contentType, status, answer)
			}
		}
	})
}

func TestCRDsThatCannotBeReadAreAnError(t *testing.T) {
	if _, err := memapi.ReadCRDs(t.TempDir()); err == nil {
		t.Error("a directory without CRDs was read")
	}
	read, err := memapi.ReadCRDs(crds)
	must(t, err)
	broken := read[0].DeepCopy()
	broken.Spec.Versions[0].Schema = nil
	if _, err := memapi.NewKinds(broken); err == nil {
		t.Error("a CRD without a schema was taken")
	}
}

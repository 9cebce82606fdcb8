package memapi_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/memapi"
)

// diary is when a watch said what.
type diary struct {
	mu    sync.Mutex
	lines []string
	ended bool
}

// keep writes down what a watch says until it ends.
func keep(w watch.Interface) *diary {
	d, began := &diary{}, time.Now()
	go func() {
		for event := range w.ResultChan() {
			name := ""
			if object, err := meta.Accessor(event.Object); err == nil {
				name = " " + object.GetName()
			}
			d.mu.Lock()
			d.lines = append(d.lines, fmt.Sprintf("%s: %s%s", time.Since(began), event.Type, name))
			d.mu.Unlock()
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.ended = true
	}()
	return d
}

// says fails the test unless the diary has these lines once everybody has done what is to do now.
func (d *diary) says(t *testing.T, ended bool, wanted ...string) {
	t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if diff := cmp.Diff(wanted, d.lines); diff != "" {
		t.Errorf("(-wanted +said):\n%s", diff)
	}
	if d.ended != ended {
		t.Errorf("wanted the watch ended: %t; it is: %t", ended, d.ended)
	}
}

func TestEventsLagInTheirOrder(t *testing.T) {
	lags := []time.Duration{10 * time.Second, time.Second, 12 * time.Second}
	o := memapi.Options{Lag: func(call memapi.Call) time.Duration {
		if call.Client != "late" {
			return 0
		}
		lag := lags[0]
		lags = lags[1:]
		return lag
	}}
	inBubble(t, o, func(t *testing.T, s *memapi.Server) {
		late, early := dial(t, s, "late"), dial(t, s, "early")
		open := func(c client.WithWatch) *diary {
			w, err := c.Watch(t.Context(), &coordinationv1.LeaseList{}, client.InNamespace("default"))
			must(t, err)
			t.Cleanup(w.Stop)
			return keep(w)
		}
		itsLate, itsEarly := open(late), open(early)
		for _, name := range []string{"one", "two", "three"} {
			must(t, early.Create(t.Context(), lease(name)))
		}
		itsEarly.says(t, false, "0s: ADDED one", "0s: ADDED two", "0s: ADDED three")
		itsLate.says(t, false)
		// What is not yet seen can be read.
		must(t, late.Get(t.Context(), client.ObjectKeyFromObject(lease("three")), lease("")))
		time.Sleep(9 * time.Second)
		itsLate.says(t, false)
		time.Sleep(time.Minute)
		itsLate.says(t, false, "10s: ADDED one", "10s: ADDED two", "12s: ADDED three")
	})
}

func TestWatchesEnd(t *testing.T) {
	watches := func(t *testing.T, s *memapi.Server, name string, raw metav1.ListOptions) *diary {
		w, err := dial(t, s, name).Watch(t.Context(), &coordinationv1.LeaseList{}, &client.ListOptions{Raw: &raw})
		must(t, err)
		t.Cleanup(w.Stop)
		return keep(w)
	}
	t.Run("when they are cut, and only those of that client", func(t *testing.T) {
		inBubble(t, memapi.Options{}, func(t *testing.T, s *memapi.Server) {
			cut, other := watches(t, s, "cut", metav1.ListOptions{}), watches(t, s, "other", metav1.ListOptions{})
			s.CutWatches("cut")
			must(t, dial(t, s, "it").Create(t.Context(), lease("one")))
			cut.says(t, true)
			other.says(t, false, "0s: ADDED one")
		})
	})
	t.Run("when their time is up, to the second", func(t *testing.T) {
		inBubble(t, memapi.Options{}, func(t *testing.T, s *memapi.Server) {
			d := watches(t, s, "it", metav1.ListOptions{TimeoutSeconds: new(int64(300))})
			time.Sleep(300*time.Second - 1)
			d.says(t, false)
			time.Sleep(time.Nanosecond)
			d.says(t, true)
		})
	})
	t.Run("after a compaction only those that begin before it", func(t *testing.T) {
		inBubble(t, memapi.Options{}, func(t *testing.T, s *memapi.Server) {
			c := dial(t, s, "it")
			var before, after coordinationv1.LeaseList
			must(t, c.List(t.Context(), &before))
			open := watches(t, s, "it", metav1.ListOptions{ResourceVersion: before.ResourceVersion})
			must(t, c.Create(t.Context(), lease("one")))
			s.Compact()
			must(t, c.List(t.Context(), &after))
			late := watches(t, s, "it", metav1.ListOptions{ResourceVersion: before.ResourceVersion})
			fresh := watches(t, s, "it", metav1.ListOptions{ResourceVersion: after.ResourceVersion})
			must(t, c.Create(t.Context(), lease("two")))
			open.says(t, false, "0s: ADDED one", "0s: ADDED two")
			late.says(t, true, "0s: ERROR")
			fresh.says(t, false, "0s: ADDED two")
		})
	})
}

func TestACacheLagsAndItsIndexWithIt(t *testing.T) {
	log.SetLogger(logr.Discard())
	o := memapi.Options{Lag: func(memapi.Call) time.Duration { return 5 * time.Second }}
	inBubble(t, o, func(t *testing.T, s *memapi.Server) {
		ctx, cancel := context.WithCancel(t.Context())
		scheme := newScheme(t)
		cached, err := cache.New(s.Config("cache"), cache.Options{Scheme: scheme, Mapper: newKinds(t).Mapper()})
		must(t, err)
		must(t, cached.IndexField(ctx, &ecsv1alpha1.EcsRelease{}, "image", func(o client.Object) []string {
			return []string{o.(*ecsv1alpha1.EcsRelease).Spec.Image}
		}))
		ended := make(chan error, 1)
		go func() { ended <- cached.Start(ctx) }()
		defer func() {
			cancel()
			must(t, <-ended)
		}()
		if !cached.WaitForCacheSync(ctx) {
			t.Fatal("the cache has not synced")
		}
		finds := func(image string, wanted int) {
			t.Helper()
			synctest.Wait()
			var found ecsv1alpha1.EcsReleaseList
			must(t, cached.List(ctx, &found, client.MatchingFields{"image": image}))
			if len(found.Items) != wanted {
				t.Errorf("the cache has %d releases of %s, wanted %d", len(found.Items), image, wanted)
			}
		}
		c := dial(t, s, "it")
		release := (&api{namespace: "default"}).release("one")
		must(t, c.Create(ctx, release))
		finds("helium-backend:v128", 0)
		time.Sleep(5 * time.Second)
		finds("helium-backend:v128", 1)
		release.Spec.Image = "helium-backend:v129"
		must(t, c.Update(ctx, release))
		finds("helium-backend:v128", 1)
		time.Sleep(5 * time.Second)
		finds("helium-backend:v128", 0)
		finds("helium-backend:v129", 1)
		// It finds what it missed while its watches were cut, and after a compaction.
		must(t, c.Delete(ctx, release))
		must(t, c.Create(ctx, (&api{namespace: "default"}).release("two")))
		s.Compact()
		s.CutWatches("cache")
		time.Sleep(5 * time.Minute)
		finds("helium-backend:v129", 0)
		finds("helium-backend:v128", 1)
	})
}

func TestLeadersAreElectedInVirtualTime(t *testing.T) {
	inBubble(t, memapi.Options{}, func(t *testing.T, s *memapi.Server) {
		var mu sync.Mutex
		var led []string
		began := time.Now()
		campaign := func(name string) (resign func()) {
			set, err := kubernetes.NewForConfig(s.Config(name))
			must(t, err)
			elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
				Lock: &resourcelock.LeaseLock{
					LeaseMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "leader"}, Client: set.CoordinationV1(),
					LockConfig: resourcelock.ResourceLockConfig{Identity: name},
				},
				LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
				Callbacks: leaderelection.LeaderCallbacks{
					OnStartedLeading: func(context.Context) {
						mu.Lock()
						defer mu.Unlock()
						led = append(led, name)
					},
					OnStoppedLeading: func() {},
				},
			})
			must(t, err)
			ctx, cancel := context.WithCancel(logr.NewContext(t.Context(), logr.Discard()))
			ended := make(chan struct{})
			go func() { elector.Run(ctx); close(ended) }()
			return func() { cancel(); <-ended }
		}
		first := campaign("first")
		synctest.Wait()
		second := campaign("second")
		defer second()
		time.Sleep(time.Hour)
		mu.Lock()
		if diff := cmp.Diff([]string{"first"}, led); diff != "" {
			t.Errorf("within an hour (-wanted +led):\n%s", diff)
		}
		mu.Unlock()
		first()
		time.Sleep(time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff([]string{"first", "second"}, led); diff != "" {
			t.Errorf("a minute after the first left (-wanted +led), %s on:\n%s", time.Since(began), diff)
		}
	})
}

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// follower sees all releases as a watch tells of them.
type follower struct {
	mu   sync.Mutex
	seen map[types.NamespacedName]sighting
}

// sighting is when a release was first seen to be something with the spec that it has now; zero for not
// yet.
type sighting struct {
	generation            int64
	ready, failed, stuck  time.Time
	class, reason, detail string // of the failure, and of what it is stuck of
}

// follow begins to follow until ctx ends. A watch that the API server ends, as it does with one that is
// too slow for it, is taken up again.
func follow(ctx context.Context, c client.WithWatch) (*follower, error) {
	f := &follower{seen: map[types.NamespacedName]sighting{}}
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: &cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
				list := &ecsv1alpha1.EcsReleaseList{}
				return list, c.List(ctx, list, &client.ListOptions{Raw: &options})
			},
			WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
				return c.Watch(ctx, &ecsv1alpha1.EcsReleaseList{}, &client.ListOptions{Raw: &options})
			},
		},
		ObjectType: &ecsv1alpha1.EcsRelease{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    f.see,
			UpdateFunc: func(_, now any) { f.see(now) },
			DeleteFunc: f.lose,
		},
	})
	go informer.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return nil, fmt.Errorf("watching releases: %w", ctx.Err())
	}
	return f, nil
}

func (f *follower) see(object any) {
	release, ok := object.(*ecsv1alpha1.EcsRelease)
	if !ok {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := client.ObjectKeyFromObject(release)
	f.seen[key] = f.seen[key].then(release, time.Now())
}

func (f *follower) lose(object any) {
	key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
	if err != nil {
		return
	}
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.seen, types.NamespacedName{Namespace: namespace, Name: name})
}

// then is the sighting after a release was seen again.
func (s sighting) then(release *ecsv1alpha1.EcsRelease, now time.Time) sighting {
	if s.generation != release.Generation {
		s = sighting{generation: release.Generation}
	}
	is := func(condition string) *metav1.Condition {
		c := meta.FindStatusCondition(release.Status.Conditions, condition)
		if c == nil || c.Status != metav1.ConditionTrue || c.ObservedGeneration != release.Generation {
			return nil
		}
		return c
	}
	if is(ecsv1alpha1.ConditionReady) != nil && s.ready.IsZero() {
		s.ready = now
	}
	if failure := release.Status.Failure; failure != nil && release.Status.ObservedGeneration == release.Generation {
		if s.failed.IsZero() {
			s.failed = now
		}
		s.class = string(failure.Class)
	}
	if c := is(ecsv1alpha1.ConditionStalled); c != nil && s.stuck.IsZero() {
		s.stuck, s.reason, s.detail = now, c.Reason, c.Message
	}
	return s
}

// at is when a release was seen.
func (f *follower) at(key types.NamespacedName) sighting {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[key]
}

// why is what one that is stuck is stuck of.
func (f *follower) why() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, s := range f.seen {
		if !s.stuck.IsZero() {
			return fmt.Sprintf("%s: %s: %s", key, s.reason, s.detail)
		}
	}
	return "none is"
}

// count is how many releases are as asked for, of how many.
func (f *follower) count(is func(sighting) bool) (n, all int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.seen {
		if is(s) {
			n++
		}
	}
	return n, len(f.seen)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// again is how long to wait before an API server is asked again that did not answer.
const again = time.Second

// errDeleted says that a release was deleted while it was followed.
var errDeleted = errors.New("it was deleted")

// follow shows each state of a release, from the present one on, to see until that says that it has
// seen enough, or the context ends. An API server that does not answer any more is asked again, and
// trouble is told why; one that does not answer at first, or refuses, is an error.
func (c *cluster) follow(ctx context.Context, name string, see func(*ecsv1alpha1.EcsRelease) bool, trouble func(error)) error {
	release, err := c.release(ctx, name)
	if err != nil {
		return err
	}
	for uid := release.UID; ; {
		switch {
		case err != nil:
		case release.UID != uid:
			err = fmt.Errorf("EcsRelease %s/%s: %w and created again", c.namespace, name, errDeleted)
		case see(release):
			return nil
		default:
			var enough bool
			if enough, err = c.watch(ctx, release, see); enough {
				return nil
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if !passes(err) {
				return err
			}
			trouble(err)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(again):
			}
		}
		release, err = c.release(ctx, name)
	}
}

// watch shows each change of a release to see, until that has seen enough, or the watch ends.
func (c *cluster) watch(ctx context.Context, release *ecsv1alpha1.EcsRelease, see func(*ecsv1alpha1.EcsRelease) bool) (enough bool, err error) {
	watcher, err := c.Watch(ctx, &ecsv1alpha1.EcsReleaseList{}, client.InNamespace(c.namespace),
		client.MatchingFields{"metadata.name": release.Name},
		&client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: release.ResourceVersion}})
	if err != nil {
		return false, fmt.Errorf("watching EcsRelease %s/%s: %w", c.namespace, release.Name, err)
	}
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		changed, ok := event.Object.(*ecsv1alpha1.EcsRelease)
		switch {
		case event.Type == watch.Deleted:
			return false, fmt.Errorf("EcsRelease %s/%s: %w", c.namespace, release.Name, errDeleted)
		case !ok:
			return false, nil // what was watched from is too old: it is read again
		case see(changed):
			return true, nil
		}
	}
	return false, nil
}

// passes says that an error may pass by itself: the API server did not answer, or not now.
func passes(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return !errors.Is(err, errDeleted) && !errors.Is(err, errNoRelease)
	}
	const serverErrors = 500
	return status.Status().Code >= serverErrors || apierrors.IsTooManyRequests(err)
}

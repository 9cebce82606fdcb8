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
)

// again is how long to wait before an API server is asked again that did not answer.
const again = time.Second

// errDeleted says that an object was deleted while it was followed.
var errDeleted = errors.New("it was deleted")

// follow shows each state of an object, from the present one on, to see until that says that it has
// seen enough, or the context ends. An API server that does not answer any more is asked again, and
// trouble is told why; one that does not answer at first, or refuses, is an error.
func (k kind[T]) follow(ctx context.Context, c *cluster, name string, see func(T) bool, trouble func(error)) error {
	object, err := k.get(ctx, c, name)
	if err != nil {
		return err
	}
	for uid := object.GetUID(); ; {
		switch {
		case err != nil:
		case object.GetUID() != uid:
			err = fmt.Errorf("%s %s/%s: %w and created again", k.name, c.namespace, name, errDeleted)
		case see(object):
			return nil
		default:
			var enough bool
			if enough, err = k.watch(ctx, c, object, see); enough {
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
		object, err = k.get(ctx, c, name)
	}
}

// watch shows each change of an object to see, until that has seen enough, or the watch ends.
func (k kind[T]) watch(ctx context.Context, c *cluster, object T, see func(T) bool) (enough bool, err error) {
	watcher, err := c.Watch(ctx, k.list(), client.InNamespace(c.namespace),
		client.MatchingFields{"metadata.name": object.GetName()},
		&client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: object.GetResourceVersion()}})
	if err != nil {
		return false, fmt.Errorf("watching %s %s/%s: %w", k.name, c.namespace, object.GetName(), err)
	}
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		changed, ok := event.Object.(T)
		switch {
		case event.Type == watch.Deleted:
			return false, fmt.Errorf("%s %s/%s: %w", k.name, c.namespace, object.GetName(), errDeleted)
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
		return !errors.Is(err, errDeleted) && !errors.Is(err, errNone)
	}
	const serverErrors = 500
	return status.Status().Code >= serverErrors || apierrors.IsTooManyRequests(err)
}

// trouble prints what is wrong with the API server, once in a row.
func (p *plugin) trouble() func(error) {
	var last string
	return func(err error) {
		if said := err.Error(); said != last {
			fmt.Fprintln(p.problems, "still trying:", said)
			last = said
		}
	}
}

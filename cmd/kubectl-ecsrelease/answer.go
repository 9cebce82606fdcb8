package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/screen"
)

// answer is what the controller says became of an order, in an event.
type answer struct {
	ignored bool
	note    string
}

// answers are the events about an order that a release has had, each with its version.
func (c *cluster) answers(ctx context.Context, release *ecsv1alpha1.EcsRelease, o order) (map[string]corev1.Event, error) {
	var events corev1.EventList
	about := fields.OneTermEqualSelector("involvedObject.uid", string(release.UID))
	if err := c.List(ctx, &events, client.InNamespace(release.Namespace), client.MatchingFieldsSelector{Selector: about}); err != nil {
		return nil, fmt.Errorf("listing events in namespace %s: %w", release.Namespace, err)
	}
	found := map[string]corev1.Event{}
	for i := range events.Items {
		e := &events.Items[i]
		answers := e.Reason == ecsv1alpha1.EventCommandHandled || e.Reason == ecsv1alpha1.EventCommandIgnored
		if answers && strings.HasSuffix(e.Action, " "+o.annotation) {
			found[e.Name] = *e
		}
	}
	return found, nil
}

// note is what an event says about an order.
func note(e *corev1.Event, o order) string {
	return screen.Notice(strings.TrimPrefix(e.Message, o.annotation+": "), screen.Terminal{})
}

// answer is the event about an order that was not there before. Where none comes soon after the status
// that echoes the order it is an error: of many alike the API server is told at times only, and not
// everybody may read events.
func (c *cluster) answer(ctx context.Context, release *ecsv1alpha1.EcsRelease, o order, before map[string]corev1.Event) (*answer, error) {
	const (
		soon  = 5 * time.Second
		often = 200 * time.Millisecond
	)
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	for {
		events, err := c.answers(ctx, release, o)
		if apierrors.IsForbidden(err) {
			return nil, err
		}
		for name, e := range events {
			if known, ok := before[name]; !ok || known.ResourceVersion != e.ResourceVersion {
				return &answer{ignored: e.Reason == ecsv1alpha1.EventCommandIgnored, note: note(&e, o)}, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("no event about it within %s", soon)
		case <-time.After(often):
		}
	}
}

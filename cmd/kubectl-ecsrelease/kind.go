package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/screen"
)

// kind is a namespaced kind of ours that people look at.
type kind[T client.Object] struct {
	name  string
	empty func() T
	list  func() client.ObjectList
	// whole draws one, headline says in few words how it is, and changes what is news from one look to
	// the next.
	whole    func(object T, now time.Time, terminal screen.Terminal) []string
	headline func(object T) string
	changes  func(before, after T, now time.Time, flags screen.Flags) []string
}

// The kinds.
var (
	releases = kind[*ecsv1alpha1.EcsRelease]{
		"EcsRelease",
		func() *ecsv1alpha1.EcsRelease { return &ecsv1alpha1.EcsRelease{} },
		func() client.ObjectList { return &ecsv1alpha1.EcsReleaseList{} },
		screen.Status, screen.Headline, screen.Changes,
	}
	endpoints = kind[*ecsv1alpha1.EcsEndpoint]{
		"EcsEndpoint",
		func() *ecsv1alpha1.EcsEndpoint { return &ecsv1alpha1.EcsEndpoint{} },
		func() client.ObjectList { return &ecsv1alpha1.EcsEndpointList{} },
		screen.Path, screen.PathHeadline, screen.PathChanges,
	}
)

// errNone begins what is said of an object that is not there.
var errNone = errors.New("there is no")

// get is an object as it is now.
func (k kind[T]) get(ctx context.Context, c *cluster, name string) (T, error) {
	object := k.empty()
	err := c.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: name}, object)
	switch {
	case meta.IsNoMatchError(err), apierrors.IsNotFound(err) && !named(err):
		err = fmt.Errorf("the cluster has no %ss: are the CRDs installed? (%w)", k.name, err)
	case apierrors.IsNotFound(err):
		err = fmt.Errorf("%w %s %s in namespace %s", errNone, k.name, name, c.namespace)
	case err != nil:
		err = fmt.Errorf("reading %s %s/%s: %w", k.name, c.namespace, name, err)
	}
	object.GetObjectKind().SetGroupVersionKind(ecsv1alpha1.GroupVersion.WithKind(k.name))
	return object, err
}

// named says that what was not found is an object with a name, rather than a kind.
func named(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && status.Status().Details != nil && status.Status().Details.Name != ""
}

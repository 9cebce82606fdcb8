package controllers

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/image"
)

// indexImage is the cache index of releases by the images they ask for by a tag, repository:tag.
const indexImage = "images"

// imagesByTag are the images that a release asks for by a tag, wherever they are.
func imagesByTag(release *ecsv1alpha1.EcsRelease) []string {
	spelled := []string{release.Spec.Image}
	for _, container := range release.Spec.Containers {
		spelled = append(spelled, container.Image)
	}
	var named []string
	for _, s := range spelled {
		if reference, err := image.Parse(s); err == nil && reference.Tag != "" && reference.Digest == "" {
			named = append(named, reference.Repository+":"+reference.Tag)
		}
	}
	return named
}

// pushes are the releases whose image was pushed since they were last looked at.
type pushes struct {
	mu      sync.Mutex
	waiting map[types.NamespacedName]bool
}

func (p *pushes) add(release types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == nil {
		p.waiting = map[types.NamespacedName]bool{}
	}
	p.waiting[release] = true
}

// take says whether there is one for a release, and forgets it.
func (p *pushes) take(release types.NamespacedName) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	there := p.waiting[release]
	delete(p.waiting, release)
	return there
}

// Pushed is told that an image was pushed into ECR. The releases that ask for the tag, and for no digest,
// are looked at at once: those that wait for it go on, and of the others the tag may have moved.
func (r *ReleaseReconciler) Pushed(repository, tag string) {
	for _, request := range r.requests(context.Background(), client.MatchingFields{indexImage: repository + ":" + tag}) {
		r.pushes.add(request.NamespacedName)
		r.Inbox.Enqueue(request.NamespacedName)
	}
}

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

// pushes are the releases whose image was pushed since a pass over them has looked, each with the number
// of the last push.
type pushes struct {
	mu      sync.Mutex
	count   uint64
	waiting map[types.NamespacedName]uint64
}

func (p *pushes) add(release types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == nil {
		p.waiting = map[types.NamespacedName]uint64{}
	}
	p.count++
	p.waiting[release] = p.count
}

// of is the last push for a release; 0: there is none to be looked at.
func (p *pushes) of(release types.NamespacedName) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting[release]
}

// seen says that a pass which knew of a push has looked.
func (p *pushes) seen(release types.NamespacedName, push uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting[release] == push {
		delete(p.waiting, release)
	}
}

// Pushed is told that an image was pushed into ECR. The releases that ask for the tag, and for no digest,
// are looked at at once: those that wait for it go on, and of the others the tag may have moved.
func (r *ReleaseReconciler) Pushed(repository, tag string) {
	for _, request := range r.requests(context.Background(), nil, client.MatchingFields{indexImage: repository + ":" + tag}) {
		r.pushes.add(request.NamespacedName)
		r.Inbox.Enqueue(request.NamespacedName)
	}
}

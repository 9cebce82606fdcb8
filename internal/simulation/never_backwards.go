package simulation

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"heliumai.space/ecsrelease/internal/image"
)

// neverBackwards: every image that is registered or deployed comes from a generation that is not
// older than the last one acted on, rollback and hold apart.
func (w *world) neverBackwards(m mutation, a *author) {
	if len(m.images) == 0 || m.request.ForceNewDeployment {
		return
	}
	const promise = "never back to an older generation"
	generation := w.generationOf(a, m.images["app"])
	s := w.subject(a.key)
	if s == nil {
		return
	}
	if s.actedUID != a.release.UID {
		s.actedUID, s.acted = a.release.UID, 0
	}
	if a.goesBack() {
		return
	}
	switch {
	case generation == 0:
		w.story.violate(promise, "%s %s: no generation of %s asked for image %s", m.operation, m.brief(), a.key, m.images["app"])
	case generation < s.acted:
		w.story.violate(promise, "%s %s is of generation %d of %s, after one of generation %d", m.operation, m.brief(), generation, a.key, s.acted)
	default:
		s.acted = generation
	}
}

// generationOf is the newest generation of a release, up to what was announced, that asked for
// an image; 0: none did.
func (w *world) generationOf(a *author, written string) int64 {
	names := w.images.namesOf(written)
	newest := int64(0)
	for _, v := range w.chronicle.history(a.key, a.announced.at) {
		if v.release == nil || v.release.UID != a.release.UID || v.release.Generation <= newest {
			continue
		}
		if slices.Contains(names, tagOf(v.release.Spec.Image)) {
			newest = v.release.Generation
		}
	}
	return newest
}

// tagOf is the tag of an image as a release spells it, "" for none.
func tagOf(spelled string) string {
	reference, err := image.Parse(spelled)
	if err != nil {
		return ""
	}
	return reference.Tag
}

func (w *world) subject(key types.NamespacedName) *subject {
	for _, s := range w.subjects {
		if s.key == key {
			return s
		}
	}
	return nil
}

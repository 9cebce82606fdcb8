package cloud

import (
	"context"
	"maps"
	"slices"

	"heliumai.space/ecsrelease/internal/rollout"
)

// maxLabelValue is how many bytes of the value of a label are kept. One that is longer ends in …, so
// that it is never taken for another.
const maxLabelValue = 1024

// imageLabels are the labels that the query asks for, by architecture. An image without any of them has
// an empty map; of more than maxInspected architectures, the rest has none.
func (f *Fleet) imageLabels(ctx context.Context, id Identity, q ImageQuery, children map[string]string) (map[string]map[string]string, *rollout.Problem) {
	if len(q.Labels) == 0 {
		return nil, nil
	}
	found := map[string]map[string]string{}
	for _, architecture := range slices.Sorted(maps.Keys(children)) {
		if len(q.Architectures) > 0 && !slices.Contains(q.Architectures, architecture) || len(found) == maxInspected {
			continue
		}
		all, problem := f.childLabels(ctx, id, q, children[architecture])
		if problem != nil {
			return nil, problem
		}
		found[architecture] = map[string]string{}
		for _, name := range q.Labels {
			if value, ok := all[name]; ok {
				found[architecture][name] = value
			}
		}
	}
	return found, nil
}

// childLabels are all labels of the manifest with this digest, from its config, which is read once.
func (f *Fleet) childLabels(ctx context.Context, id Identity, q ImageQuery, digest string) (map[string]string, *rollout.Problem) {
	if known, ok := f.labels.get(manifestKey{identity: id, registry: q.Registry, repository: q.Repository, digest: digest}); ok {
		return known, nil
	}
	m, problem := f.manifest(ctx, id, q, digest)
	if problem != nil {
		return nil, problem
	}
	c, problem := f.config(ctx, id, q, digest, m)
	return c.Config.Labels, problem
}

// keepLabels remembers the labels of the manifest with this digest.
func (f *Fleet) keepLabels(id Identity, q ImageQuery, digest string, labels map[string]string) {
	weight := 100
	for name, value := range labels {
		labels[name] = shorten(value, maxLabelValue)
		weight += len(name) + len(labels[name])
	}
	f.labels.put(manifestKey{identity: id, registry: q.Registry, repository: q.Repository, digest: digest}, labels, weight)
}

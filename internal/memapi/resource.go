package memapi

import (
	"fmt"
	"os"
	"path/filepath"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// resource is one kind of object that the server keeps.
type resource struct {
	gvr        schema.GroupVersionResource
	kind       string
	namespaced bool
	// status says that there is a status subresource.
	status bool
	// unconditional says that an update needs no resourceVersion.
	unconditional bool
	// custom is what a CRD says of it; nil for the built-in ones, which have a type.
	custom *customSchema
	typed  func() runtime.Object
}

func (r *resource) gvk() schema.GroupVersionKind { return r.gvr.GroupVersion().WithKind(r.kind) }

func builtIn() []*resource {
	return []*resource{
		{gvr: corev1.SchemeGroupVersion.WithResource("namespaces"), kind: "Namespace", unconditional: true, typed: func() runtime.Object { return &corev1.Namespace{} }},
		{gvr: coordinationv1.SchemeGroupVersion.WithResource("leases"), kind: "Lease", namespaced: true, typed: func() runtime.Object { return &coordinationv1.Lease{} }},
		{gvr: eventsv1.SchemeGroupVersion.WithResource("events"), kind: "Event", namespaced: true, unconditional: true, typed: func() runtime.Object { return &eventsv1.Event{} }},
	}
}

// ReadCRDs reads the CRDs in the YAML files of a directory.
func ReadCRDs(dir string) ([]*apiextensionsv1.CustomResourceDefinition, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("looking for CRDs in %s: %w", dir, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there are no CRDs in %s", dir)
	}
	crds := make([]*apiextensionsv1.CustomResourceDefinition, 0, len(files))
	for _, file := range files {
		document, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a CRD: %w", err)
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(document, crd); err != nil {
			return nil, fmt.Errorf("reading the CRD in %s: %w", file, err)
		}
		crds = append(crds, crd)
	}
	return crds, nil
}

// Kinds are the kinds of objects that a server keeps. They hold no objects, and several servers
// may share them: compiling the rules of CRDs takes longer than many a test.
type Kinds struct {
	resources []*resource
}

// NewKinds are the built-in kinds and those of the CRDs.
func NewKinds(crds ...*apiextensionsv1.CustomResourceDefinition) (*Kinds, error) {
	kinds := &Kinds{resources: builtIn()}
	for _, crd := range crds {
		custom, err := customResources(crd)
		if err != nil {
			return nil, err
		}
		kinds.resources = append(kinds.resources, custom...)
	}
	return kinds, nil
}

// Mapper says for clients which resource a kind is, in place of discovery.
func (k *Kinds) Mapper() meta.RESTMapper {
	var versions []schema.GroupVersion
	for _, r := range k.resources {
		versions = append(versions, r.gvr.GroupVersion())
	}
	mapper := meta.NewDefaultRESTMapper(versions)
	for _, r := range k.resources {
		scope := meta.RESTScope(meta.RESTScopeRoot)
		if r.namespaced {
			scope = meta.RESTScopeNamespace
		}
		mapper.AddSpecific(r.gvk(), r.gvr, r.gvr, scope)
	}
	return mapper
}

func (k *Kinds) find(gvr schema.GroupVersionResource) *resource {
	for _, r := range k.resources {
		if r.gvr == gvr {
			return r
		}
	}
	return nil
}

// customResources are the resources of a CRD, one for each version that it serves.
func customResources(crd *apiextensionsv1.CustomResourceDefinition) ([]*resource, error) {
	var resources []*resource
	for i := range crd.Spec.Versions {
		version := &crd.Spec.Versions[i]
		if !version.Served {
			continue
		}
		custom, err := newCustomSchema(version)
		if err != nil {
			return nil, fmt.Errorf("reading the schema of %s/%s: %w", crd.Name, version.Name, err)
		}
		resources = append(resources, &resource{
			gvr:        schema.GroupVersionResource{Group: crd.Spec.Group, Version: version.Name, Resource: crd.Spec.Names.Plural},
			kind:       crd.Spec.Names.Kind,
			namespaced: crd.Spec.Scope == apiextensionsv1.NamespaceScoped,
			status:     version.Subresources != nil && version.Subresources.Status != nil,
			custom:     custom,
		})
	}
	return resources, nil
}

// Package v1alpha1 is the API of the group ecs.heliumai.space: EcsRelease, which says what
// should run where, and EcsEnvironment, which says who may deploy what where, as whom.
//
// +kubebuilder:object:generate=true
// +groupName=ecs.heliumai.space
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is the group and version of every kind in this package.
	GroupVersion = schema.GroupVersion{Group: "ecs.heliumai.space", Version: "v1alpha1"}

	// SchemeBuilder collects the functions that add this package's kinds to a scheme.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme adds this package's kinds to a scheme. It may be called more than once.
	AddToScheme = SchemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&EcsRelease{}, &EcsReleaseList{},
		&EcsEnvironment{}, &EcsEnvironmentList{},
		&EcsEndpoint{}, &EcsEndpointList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

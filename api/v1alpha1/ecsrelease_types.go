package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AnnotationReconcile is the command "look now": a new token in it makes the controller look
// at every target at once. The last token acted on is echoed in status.handled.reconcile.
const AnnotationReconcile = "ecs.heliumai.space/reconcile"

// What an absent field of the strategy means, in seconds.
const (
	DefaultProgressDeadlineSeconds int32 = 1800
	DefaultImageDeadlineSeconds    int32 = 600
)

// EcsRelease names the image that a set of Amazon ECS services should run. The controller
// brings every service of every target to it, keeps it there, and reports in status
// conditions how far it is. Deleting an EcsRelease, or taking a target or service out of it,
// ends the management of that service and changes nothing in AWS.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=ecsr,categories=ecs
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Image",type=string,JSONPath=`.status.image`
// +kubebuilder:printcolumn:name="Progress",type=string,JSONPath=`.status.progress`
// +kubebuilder:printcolumn:name="Digest",type=string,JSONPath=`.status.images[0].digest`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type EcsRelease struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what should run where. The controller never writes it.
	// +required
	Spec EcsReleaseSpec `json:"spec"`

	// status is what the controller saw and did. An observedGeneration of -1 means that no
	// controller has seen this release yet.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status EcsReleaseStatus `json:"status,omitempty"`
}

// EcsReleaseList is a list of EcsReleases.
//
// +kubebuilder:object:root=true
type EcsReleaseList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the releases.
	Items []EcsRelease `json:"items"`
}

// EcsReleaseSpec says which image should run in which services of which clusters.
//
// +kubebuilder:validation:XValidation:rule="has(self.image) != has(self.containers)",message="exactly one of image and containers must be set: image for one image, containers for several"
// +kubebuilder:validation:XValidation:rule="has(self.services) || self.targets.all(t, has(t.services))",message="no services: set services for the whole release, or services in every target"
// +kubebuilder:validation:XValidation:rule="!has(self.containers) || ((!has(self.services) || self.services.all(s, !has(s.containerNames))) && self.targets.all(t, !has(t.services) || t.services.all(s, !has(s.containerNames))))",message="containerNames says which containers take spec.image: with spec.containers, the names there say it"
// +kubebuilder:validation:XValidation:rule="self.targets.map(t, has(t.services) ? size(t.services) : (has(self.services) ? size(self.services) : 0)).sum() <= 128",message="a release may name at most 128 services, counted over all of its targets"
type EcsReleaseSpec struct {
	// image is the image to run, as [host/]repository:tag, [host/]repository@sha256:… or both
	// (the tag must then point at that digest). Without a host it names a repository in ECR in
	// each target's own region, in the environment's registry account; with one it is used as
	// written. Exactly one of image and containers is set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^(((localhost|[a-zA-Z0-9-]+([.][a-zA-Z0-9-]+)+)(:[0-9]+)?|[a-zA-Z0-9-]+:[0-9]+)/)?[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?$')",message="image must be [host/]repository:tag, [host/]repository@sha256:<64 hex digits>, or both; repositories are in lower case"
	// +kubebuilder:validation:XValidation:rule="self.matches('(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[a-f0-9]{64})$')",message="image needs a tag or a digest: there is no default tag"
	Image string `json:"image,omitempty"`

	// containers are several images by container name. Each entry applies in every service
	// that has a container of that name; an entry that matches no service, or a service that
	// matches no entry, is an error. Exactly one of image and containers is set.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Containers []ContainerImage `json:"containers,omitempty"`

	// services are the ECS services that every target runs. May be absent if every target
	// names its own.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	Services []Service `json:"services,omitempty"`

	// targets are the clusters to release to. Two targets may share a cluster but not a
	// service.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Targets []Target `json:"targets"`

	// taskDefinition says how the task definition of a service becomes ours. Absent: pin by
	// digest.
	// +optional
	TaskDefinition *TaskDefinitionPolicy `json:"taskDefinition,omitempty"`

	// strategy bounds how long the release may take. Absent: its fields' defaults.
	// +optional
	Strategy *Strategy `json:"strategy,omitempty"`

	// suspend says, when true, to observe and report but start nothing. Absent: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// ContainerImage is the image of the containers of one name.
type ContainerImage struct {
	// name is the name of the container in the task definition.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9_-]+$')",message="a container's name consists of letters, digits, hyphens and underscores"
	Name string `json:"name"`

	// image is the image to run, spelled as spec.image.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^(((localhost|[a-zA-Z0-9-]+([.][a-zA-Z0-9-]+)+)(:[0-9]+)?|[a-zA-Z0-9-]+:[0-9]+)/)?[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?$')",message="image must be [host/]repository:tag, [host/]repository@sha256:<64 hex digits>, or both; repositories are in lower case"
	// +kubebuilder:validation:XValidation:rule="self.matches('(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[a-f0-9]{64})$')",message="image needs a tag or a digest: there is no default tag"
	Image string `json:"image"`
}

// Service is one ECS service, by name.
type Service struct {
	// name is the name of the ECS service.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9_-]+$')",message="a service is named by its name, not its ARN: letters, digits, hyphens and underscores"
	Name string `json:"name"`

	// containerNames are the containers that take spec.image. Absent: all whose image already
	// comes from that repository, else the only essential one, else the release says which
	// containers it could be. Not used with spec.containers.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	ContainerNames []string `json:"containerNames,omitempty"`
}

// Target is one cluster in one region.
type Target struct {
	// name is what the release calls this target, in its status and messages.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",message="a target's name consists of lower case letters, digits and hyphens"
	Name string `json:"name"`

	// region is the AWS region of the cluster, e.g. ap-south-1.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]{2}(-[a-z]+)+-[0-9]+$')",message="region must be the code of an AWS region, e.g. ap-south-1"
	Region string `json:"region"`

	// cluster is the name of the ECS cluster.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9_-]+$')",message="a cluster is named by its name, not its ARN: letters, digits, hyphens and underscores"
	Cluster string `json:"cluster"`

	// services replaces the release's list of services in this target. Absent: the release's.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	Services []Service `json:"services,omitempty"`
}

// PinPolicy is how an image is written into a task definition.
//
// +kubebuilder:validation:Enum=Digest;Tag
type PinPolicy string

const (
	// PinDigest registers repository@sha256:…, the same content in every region.
	PinDigest PinPolicy = "Digest"
	// PinTag registers repository:tag as the release spells it.
	PinTag PinPolicy = "Tag"
)

// TaskDefinitionPolicy says how the task definition of a service becomes ours.
type TaskDefinitionPolicy struct {
	// pin says how the image is written: Digest registers repository@sha256:…, which is the
	// same everywhere and never moves; Tag registers repository:tag. Absent: Digest. An image
	// on a host that is not ECR needs a digest of its own, or Tag.
	// +optional
	Pin PinPolicy `json:"pin,omitempty"`
}

// Strategy bounds how long a release may take.
type Strategy struct {
	// progressDeadlineSeconds is how long a service may go without progress before its
	// release counts as failed. Progress is a new maximum of the new revision's running tasks
	// or a new minimum of the old ones. Stands still while the release is suspended. Absent:
	// 1800.
	// +optional
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=86400
	ProgressDeadlineSeconds *int32 `json:"progressDeadlineSeconds,omitempty"`

	// imageDeadlineSeconds is how long the image may be missing from a region (replication
	// takes its time) before the release counts as failed. It still goes on by itself when
	// the image arrives later. Absent: 600.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=86400
	ImageDeadlineSeconds *int32 `json:"imageDeadlineSeconds,omitempty"`
}

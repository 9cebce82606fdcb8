package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Commands are annotations whose value is a token of the user's choice, e.g. a time or the
// number of a CI run. A token that was not seen before is acted on once and echoed in
// status.handled. Tokens that are there when a release is first seen (a restored backup) are
// echoed and not acted on. Environment, suspend, hold, abort, approve, retry and restart take
// precedence over each other in this order.
const (
	// AnnotationReconcile looks at every target at once.
	AnnotationReconcile = "ecs.heliumai.space/reconcile"
	// AnnotationRetry tries what failed once more, with the same image.
	AnnotationRetry = "ecs.heliumai.space/retry"
	// AnnotationRestart forces a new deployment of the same revision in every service, wave by
	// wave.
	AnnotationRestart = "ecs.heliumai.space/restart"
	// AnnotationAbort makes what is in flight fail with the class Aborted; strategy.onFailure
	// says what follows.
	AnnotationAbort = "ecs.heliumai.space/abort"
	// AnnotationApprove holds one id of status.awaiting, or several by commas, instead of a
	// token of the user's choice.
	AnnotationApprove = "ecs.heliumai.space/approve"
	// AnnotationHold holds <token>/<number> or <token>/previous: goes to that release of
	// status.history and stays there, whatever spec says, until release-hold or another image.
	AnnotationHold = "ecs.heliumai.space/hold"
	// AnnotationReleaseHold ends a hold.
	AnnotationReleaseHold = "ecs.heliumai.space/release-hold"
	// AnnotationChangeCause is no command: it says why the release was changed, and is kept in
	// status.history.
	AnnotationChangeCause = "ecs.heliumai.space/change-cause"
)

// What an absent field of the strategy or of a check means.
const (
	DefaultProgressDeadlineSeconds int32 = 1800
	DefaultImageDeadlineSeconds    int32 = 600
	DefaultExpectStatus            int32 = 200
	DefaultSuccesses               int32 = 3
	DefaultWithinSeconds           int32 = 300
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
	// +kubebuilder:validation:XValidation:rule="self.matches('^(((localhost|[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)+)(:[0-9]+)?|[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?:[0-9]+)/[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*)*|[a-z0-9]+((_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*)+|[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*)(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?$')",message="image must be [host/]repository:tag, [host/]repository@sha256:<64 hex digits>, or both; repositories are in lower case"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^@]{1,255}(@|$)')",message="an image may have at most 255 characters before the digest: ECS allows no more"
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

	// strategy says how the release goes from wave to wave, how long it may take and what
	// follows a failure. Absent: its fields' defaults.
	// +optional
	Strategy *Strategy `json:"strategy,omitempty"`

	// verification are checks that each target of a wave must pass after its services run the
	// image, before the next wave opens and before the release is ready. Absent: none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Verification []Verification `json:"verification,omitempty"` //nolint:kubeapilinter // a union: its CEL rule asks for exactly one of its fields

	// drift says what happens when somebody else deploys another image to a service: Revert
	// brings the image back, on top of what they changed, once per deployment of theirs; Report
	// only says it. Absent: Revert.
	// +optional
	Drift DriftPolicy `json:"drift,omitempty"`

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
	// +kubebuilder:validation:XValidation:rule="self.matches('^(((localhost|[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)+)(:[0-9]+)?|[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?:[0-9]+)/[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*)*|[a-z0-9]+((_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*)+|[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*)(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?$')",message="image must be [host/]repository:tag, [host/]repository@sha256:<64 hex digits>, or both; repositories are in lower case"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^@]{1,255}(@|$)')",message="an image may have at most 255 characters before the digest: ECS allows no more"
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

	// wave is when this target's turn is: 0 first, equal waves together. A wave opens when all
	// earlier ones run the image, are verified, baked and approved where asked. Absent: 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Wave int32 `json:"wave,omitempty"`

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

// BasePolicy is what our task definitions are derived from.
//
// +kubebuilder:validation:Enum=Service;Family
type BasePolicy string

const (
	// BaseService derives from what the service runs now.
	BaseService BasePolicy = "Service"
	// BaseFamily derives from the newest ACTIVE revision of the service's family that is not
	// ours: Terraform registers, we inject.
	BaseFamily BasePolicy = "Family"
)

// TaskDefinitionPolicy says how the task definition of a service becomes ours.
type TaskDefinitionPolicy struct {
	// base says what ours is derived from: Service, what the service runs now; Family, the
	// newest ACTIVE revision of its family that is not ours, so that whoever registers one
	// there (Terraform) starts a rollout of it with the same image. Absent: Service.
	// +optional
	Base BasePolicy `json:"base,omitempty"`

	// pin says how the image is written: Digest registers repository@sha256:…, which is the
	// same everywhere and never moves; Tag registers repository:tag. Absent: Digest. An image
	// on a host that is not ECR needs a digest of its own, or Tag.
	// +optional
	Pin PinPolicy `json:"pin,omitempty"`
}

// FailurePolicy is what follows a failure.
//
// +kubebuilder:validation:Enum=Rollback;Hold
type FailurePolicy string

const (
	// FailureRollback brings every service that the release touched back to its proven revision.
	FailureRollback FailurePolicy = "Rollback"
	// FailureHold leaves every service as it is.
	FailureHold FailurePolicy = "Hold"
)

// ApprovalPolicy is which waves wait for a person.
//
// +kubebuilder:validation:Enum=None;FirstWave;EveryWave
type ApprovalPolicy string

const (
	// ApprovalNone lets every wave open by itself.
	ApprovalNone ApprovalPolicy = "None"
	// ApprovalFirstWave asks before the first wave opens.
	ApprovalFirstWave ApprovalPolicy = "FirstWave"
	// ApprovalEveryWave asks before each wave opens.
	ApprovalEveryWave ApprovalPolicy = "EveryWave"
)

// DriftPolicy is what happens when somebody else deploys another image.
//
// +kubebuilder:validation:Enum=Revert;Report
type DriftPolicy string

const (
	// DriftRevert brings the image back, once per deployment of theirs.
	DriftRevert DriftPolicy = "Revert"
	// DriftReport only says it.
	DriftReport DriftPolicy = "Report"
)

// Strategy says how a release goes from wave to wave, how long it may take and what follows a
// failure.
type Strategy struct {
	// bakeSeconds is how long a wave is left alone after its services run the image and are
	// verified, before the next wave opens and before the release is ready. Absent: 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=604800
	BakeSeconds int32 `json:"bakeSeconds,omitempty"`

	// progressDeadlineSeconds is how long a service may go without progress before its
	// release counts as failed. Progress is a new maximum of the new revision's running tasks,
	// a new minimum of the old ones, or a stage or traffic weight of the deployment that was
	// reached for the first time. Stands still while ECS bakes the deployment, while one of its
	// hooks waits for somebody and while the release is suspended. A rollback, ours or ECS's,
	// has a deadline of its own of the same length. Absent: 1800.
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

	// onFailure says what follows a failure: Rollback brings every service that the release
	// touched, in all waves, back to its proven revision; Hold leaves them as they are. Either
	// way no further service is started. Absent: Rollback.
	// +optional
	OnFailure FailurePolicy `json:"onFailure,omitempty"`

	// approval says which waves wait for a person before they open: None, FirstWave or
	// EveryWave. What waits is in status.awaiting, and is approved by its id in the annotation
	// ecs.heliumai.space/approve. Absent: None.
	// +optional
	Approval ApprovalPolicy `json:"approval,omitempty"`
}

// Verification is one check; exactly one of its fields is set.
//
// +kubebuilder:validation:XValidation:rule="[has(self.http), has(self.targetHealth), has(self.endpoint)].filter(set, set).size() == 1",message="exactly one of http, targetHealth and endpoint must be set in each check"
type Verification struct {
	// http asks a URL.
	// +optional
	HTTP *HTTPCheck `json:"http,omitempty"`

	// targetHealth asks the service's target groups whether the new revision's tasks are
	// healthy there.
	// +optional
	TargetHealth *TargetHealthCheck `json:"targetHealth,omitempty"`

	// endpoint is the name of an EcsEndpoint of the same namespace, every hop of which must lead on:
	// those that are not of a region, and those of the target's. It may take 300 seconds, from
	// when the wave's services run the image; longer is a failure of class Verification.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')",message="endpoint is the name of an EcsEndpoint: lower case letters, digits, hyphens and dots"
	Endpoint string `json:"endpoint,omitempty"`
}

// HTTPVia is how an HTTP check reaches its URL.
//
// +kubebuilder:validation:Enum=LoadBalancer;Public
type HTTPVia string

const (
	// ViaLoadBalancer dials the load balancers of the target's services, with the URL's host
	// as the Host header and as the server name of TLS.
	ViaLoadBalancer HTTPVia = "LoadBalancer"
	// ViaPublic dials what the URL's host resolves to.
	ViaPublic HTTPVia = "Public"
)

// HTTPCheck asks a URL until it answered well often enough.
type HTTPCheck struct {
	// url is what to ask, with GET: http:// or https://, without user information or fragment.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?|[[][0-9a-fA-F:.]+[]])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?([/?](%[0-9a-fA-F]{2}|[^#% \\\\t\\\\n\\\\r])*)?$')",message="url must be http:// or https:// with a host, maybe a port from 1 to 65535, and a path: without user information, fragment or spaces"
	URL string `json:"url"`

	// via says how to reach it. Behind Global Accelerator or a geographic record a public name
	// answers from the region that is nearest to the controller, so LoadBalancer dials the load
	// balancers of each target's own services; Public dials what the name resolves to. Absent:
	// LoadBalancer.
	// +optional
	Via HTTPVia `json:"via,omitempty"`

	// expectStatus is the HTTP status that counts as well. Absent: 200.
	// +optional
	// +kubebuilder:validation:Minimum=100
	// +kubebuilder:validation:Maximum=599
	ExpectStatus *int32 `json:"expectStatus,omitempty"`

	// successes is how often in a row it must answer well. Absent: 3.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Successes *int32 `json:"successes,omitempty"`

	// withinSeconds is how long it may take for that, from when the wave's services run the
	// image; longer is a failure of class Verification. Absent: 300.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	WithinSeconds *int32 `json:"withinSeconds,omitempty"`
}

// TargetHealthCheck asks whether the new revision's tasks are healthy in their target groups.
type TargetHealthCheck struct {
	// withinSeconds is how long it may take until all are, from when the wave's services run the
	// image; longer is a failure of class Verification. Absent: 300.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	WithinSeconds *int32 `json:"withinSeconds,omitempty"`
}

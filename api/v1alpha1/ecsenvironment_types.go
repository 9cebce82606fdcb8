package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EcsEnvironment says which namespaces may release to which clusters and services, and as
// whom. The platform's admins write it; a release never chooses its own identity. A namespace
// that is in no environment, or in two, can do nothing. Deleting an environment ends the
// management in its namespaces and changes nothing in AWS.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=ecsenv,categories=ecs
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.status.accounts[0].actualAccountID`
// +kubebuilder:printcolumn:name="Releases",type=string,JSONPath=`.status.summary`
// +kubebuilder:printcolumn:name="Role",type=string,JSONPath=`.spec.aws.roleARN`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type EcsEnvironment struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is who may deploy what where, as whom.
	// +required
	Spec EcsEnvironmentSpec `json:"spec"`

	// status is what runs where, and what the environment's identity turned out to be. An
	// observedGeneration of -1 means that no controller has seen this environment yet.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status EcsEnvironmentStatus `json:"status,omitempty"`
}

// EcsEnvironmentList is a list of EcsEnvironments.
//
// +kubebuilder:object:root=true
type EcsEnvironmentList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the environments.
	Items []EcsEnvironment `json:"items"`
}

// EcsEnvironmentSpec is who may deploy what where, as whom.
type EcsEnvironmentSpec struct {
	// namespaces are the namespaces whose releases belong to this environment. Absent: none.
	// +optional
	Namespaces *NamespaceSelector `json:"namespaces,omitempty"`

	// aws is the identity that releases of this environment use.
	// +required
	AWS AWSIdentity `json:"aws"`

	// destinations are where releases of this environment may deploy. Absent: nowhere.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Destinations []Destination `json:"destinations,omitempty"`

	// images says which images this environment takes, and where they come from. Absent: any
	// repository of each target's own account, and no other host.
	// +optional
	Images *ImagePolicy `json:"images,omitempty"`

	// promotion asks that an image has run elsewhere before it is released here. Absent: no.
	// +optional
	Promotion *Promotion `json:"promotion,omitempty"`

	// windows are when releases may start. Without a window of the effect Allow they always
	// may; Deny wins. A release that has started goes on, and nothing that goes back, a rollback
	// or a hold, waits for a window. Absent: always.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Windows []Window `json:"windows,omitempty"`

	// eventQueues are SQS queues into which EventBridge brings the events of ECS and ECR, one for
	// each account and region. An event has the service that it is about looked at at once.
	// Absent: services are looked at at intervals only.
	// +optional
	// +listType=map
	// +listMapKey=url
	// +kubebuilder:validation:MaxItems=32
	EventQueues []EventQueue `json:"eventQueues,omitempty"`
}

// EventQueue is an SQS queue that brings events of an account and region.
type EventQueue struct {
	// url is the URL of the queue. The manager must be the only one that receives from it.
	// +required
	// +kubebuilder:validation:MinLength=12
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^/ ]+/[0-9]{12}/[A-Za-z0-9_-]{1,80}$')",message="url must be the URL of an SQS standard queue, https://sqs.<region>.amazonaws.com/<account>/<name>"
	URL string `json:"url"`

	// region is the region of the queue, and of what its events are about.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9-]+$')",message="region is an AWS region, like ap-south-1"
	Region string `json:"region"`

	// aws replaces the environment's identity for this queue. Absent: the environment's.
	// +optional
	AWS *AWSIdentity `json:"aws,omitempty"`
}

// NamespaceSelector selects namespaces by name, by label, or both; what either selects is
// selected. An empty selector selects nothing.
type NamespaceSelector struct {
	// names are namespaces by name.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Names []string `json:"names,omitempty"`

	// matchLabels selects the namespaces that have all of these labels. Empty: none.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	MatchLabels map[string]string `json:"matchLabels,omitempty"`
}

// AWSIdentity is an AWS account and the role to act as in it.
type AWSIdentity struct {
	// accountID is the account that is acted on. Nothing is read or written if the identity
	// turns out to be of another account.
	// +required
	// +kubebuilder:validation:MinLength=12
	// +kubebuilder:validation:MaxLength=12
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{12}$')",message="accountID must be the 12 digits of an AWS account"
	AccountID string `json:"accountID"`

	// roleARN is the role to assume. Absent: the manager's own identity.
	// +optional
	// +kubebuilder:validation:MinLength=20
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$')",message="roleARN must be the ARN of an IAM role, arn:aws:iam::<account>:role/<name>"
	RoleARN string `json:"roleARN,omitempty"`

	// externalID is sent with AssumeRole; the role's trust policy should ask for it. Absent:
	// none is sent.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=1224
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9_+=,.@:/-]+$')",message="externalID consists of letters, digits and _+=,.@:/-"
	ExternalID string `json:"externalID,omitempty"`
}

// Destination is a set of services in clusters of a region, by globs in which `*` stands for
// any characters. Each glob matches the whole name.
type Destination struct {
	// region is a glob of AWS regions.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9*-]+$')",message="region is a glob of AWS regions: letters in lower case, digits, - and *"
	Region string `json:"region"`

	// clusters are globs of ECS cluster names.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-zA-Z0-9_*-]+$')",message="clusters are globs of ECS names: letters, digits, -, _ and *; no ARNs"
	Clusters []string `json:"clusters"`

	// services are globs of ECS service names.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-zA-Z0-9_*-]+$')",message="services are globs of ECS names: letters, digits, -, _ and *; no ARNs"
	Services []string `json:"services"`

	// aws replaces the environment's identity for this destination. Absent: the environment's.
	// +optional
	AWS *AWSIdentity `json:"aws,omitempty"`
}

// ImagePolicy says which images an environment takes, and where they come from.
type ImagePolicy struct {
	// registryAccountID is the account whose ECR holds the images that a release names without
	// a host. Absent: the account of each target.
	// +optional
	// +kubebuilder:validation:MinLength=12
	// +kubebuilder:validation:MaxLength=12
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{12}$')",message="registryAccountID must be the 12 digits of an AWS account"
	RegistryAccountID string `json:"registryAccountID,omitempty"`

	// repositories are globs of the repositories that releases may name: those of the registry
	// account by their name, any other as host/repository. Absent: any repository of the
	// registry account, and no other host.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-zA-Z0-9._:/*-]+$')",message="repositories are globs of [host/]repository, without tag or digest"
	Repositories []string `json:"repositories,omitempty"`

	// requireLabels are labels of the image's config (LABEL in a Dockerfile), each with the values
	// that it may have, for every platform that a service of the release uses. An image
	// that lacks one, or has another value, is not released here; one in a registry other than
	// ECR, or pinned by tag, isn't either, since its labels cannot be known. A guard-rail against
	// accidents: whoever may push images may label them. Absent: none is asked for.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 128)",message="the name of a label has 1 to 128 characters"
	RequireLabels map[string]LabelValues `json:"requireLabels,omitempty"` //nolint:kubeapilinter // labels are a map everywhere else
}

// LabelValues are the values that a label may have.
//
// +listType=set
// +kubebuilder:validation:MinItems=1
// +kubebuilder:validation:MaxItems=32
// +kubebuilder:validation:items:MinLength=1
// +kubebuilder:validation:items:MaxLength=256
type LabelValues []string

// Promotion asks that an image has run elsewhere first.
type Promotion struct {
	// from is the environment where the same digest must have run, Ready, under the same service
	// names.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	From string `json:"from"`

	// soakSeconds is for how long it must have run there, in sum, since it last failed there. Absent:
	// 0, having been Ready is enough.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2592000
	SoakSeconds int32 `json:"soakSeconds,omitempty"`
}

// WindowEffect is what a window does while it is open.
//
// +kubebuilder:validation:Enum=Allow;Deny
type WindowEffect string

const (
	// WindowAllow lets releases start.
	WindowAllow WindowEffect = "Allow"
	// WindowDeny lets none start, whatever else allows it.
	WindowDeny WindowEffect = "Deny"
)

// Window is a time that comes again and again.
type Window struct {
	// effect is what it does: Allow or Deny.
	// +required
	Effect WindowEffect `json:"effect"`

	// schedule is when it opens, in the five fields of cron: minute, hour, day of the month,
	// month, day of the week. By the clock on the wall: what falls into the hour that
	// is skipped in spring opens when the clock has moved, and what falls into the hour that comes
	// twice opens the first time.
	// +required
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9*,/?-]+( +[0-9A-Za-z*,/?-]+){4}$')",message="schedule has the five fields of cron: minute, hour, day of the month, month, day of the week"
	Schedule string `json:"schedule"`

	// durationSeconds is for how long it is open.
	// +required
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=2678400
	DurationSeconds int32 `json:"durationSeconds"`

	// timeZone is an IANA time zone such as Asia/Kolkata. Absent: UTC.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TimeZone string `json:"timeZone,omitempty"`
}

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
// +kubebuilder:resource:scope=Cluster,shortName=ecsenv,categories=ecs
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.spec.aws.accountID`
// +kubebuilder:printcolumn:name="Role",type=string,JSONPath=`.spec.aws.roleARN`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type EcsEnvironment struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is who may deploy what where, as whom.
	// +required
	Spec EcsEnvironmentSpec `json:"spec"`
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

	// images says where the images of this environment come from.
	// +optional
	Images *ImagePolicy `json:"images,omitempty"`
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
	Region string `json:"region"`

	// clusters are globs of ECS cluster names.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	Clusters []string `json:"clusters"`

	// services are globs of ECS service names.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	Services []string `json:"services"`

	// aws replaces the environment's identity for this destination. Absent: the environment's.
	// +optional
	AWS *AWSIdentity `json:"aws,omitempty"`
}

// ImagePolicy says where images come from.
type ImagePolicy struct {
	// registryAccountID is the account whose ECR holds the images that a release names without
	// a host. Absent: the account of each target.
	// +optional
	// +kubebuilder:validation:MinLength=12
	// +kubebuilder:validation:MaxLength=12
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{12}$')",message="registryAccountID must be the 12 digits of an AWS account"
	RegistryAccountID string `json:"registryAccountID,omitempty"`
}

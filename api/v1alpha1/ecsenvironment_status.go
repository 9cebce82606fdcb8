package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EcsEnvironmentStatus is what runs where in an environment, and what its identity turned out to be.
type EcsEnvironmentStatus struct {
	// observedGeneration is the generation of the spec that this status is about; -1 while no
	// controller has seen it.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready and CredentialsReady.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// accounts are the identities that the environment's releases use, each with the account that
	// it really is.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=65
	Accounts []IdentityStatus `json:"accounts,omitempty"`

	// namespaces are the namespaces that the environment names and that exist, at most 128.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MaxLength=63
	Namespaces []string `json:"namespaces,omitempty"`

	// summary counts the releases, for people: "3/4 Ready".
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Summary string `json:"summary,omitempty"`

	// sweepSeconds is about how often services are looked at that have settled, where our share of the
	// quota of AWS leaves no more and that is less often than it is meant to be. Absent: they are
	// looked at in time.
	// +optional
	// +kubebuilder:validation:Minimum=1
	SweepSeconds int32 `json:"sweepSeconds,omitempty"`

	// inFlightSeconds is about how often services are looked at while they are in flight, on average
	// over the last minutes in which any was, where our share of the quota of AWS leaves no more and
	// that is less often than it is meant to be. Absent: they are looked at in time.
	// +optional
	// +kubebuilder:validation:Minimum=1
	InFlightSeconds int32 `json:"inFlightSeconds,omitempty"`

	// releases are the releases of the namespaces and what each runs, by namespace and name, at
	// most 256.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=256
	Releases []ReleaseSummary `json:"releases,omitempty"`

	// endpoints are the ways in to the services of the namespaces and whether they lead there, by
	// namespace and name, at most 128.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=128
	Endpoints []EndpointSummary `json:"endpoints,omitempty"`

	// proven are the digests that ran Ready here, by service: what promotion to another environment
	// goes by. Written on transitions only. Of each service the last 20 are kept, of all 1000, those
	// that run now first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1000
	Proven []ProvenDigest `json:"proven,omitempty"`
}

// IdentityStatus is what an identity turned out to be.
type IdentityStatus struct {
	// roleARN is the role. Absent: the manager's own identity.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	RoleARN string `json:"roleARN,omitempty"`

	// accountID is the account that the spec says.
	// +required
	// +kubebuilder:validation:MaxLength=12
	AccountID string `json:"accountID"`

	// actualAccountID is the account that sts:GetCallerIdentity says. Absent while that is not known.
	// +optional
	// +kubebuilder:validation:MaxLength=12
	ActualAccountID string `json:"actualAccountID,omitempty"`

	// message is why it cannot be used. Absent where it can.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
}

// ReleaseSummary is a release, what it asks for and what it came to.
type ReleaseSummary struct {
	// namespace is where the release is.
	// +required
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace"`

	// name is the release's name.
	// +required
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// ready is the status of its condition Ready.
	// +optional
	Ready metav1.ConditionStatus `json:"ready,omitempty"`

	// reason is the reason of that.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`

	// progress says how many of its services run the image, for people.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Progress string `json:"progress,omitempty"`

	// images are what it asks for, with digests, at most 4.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4
	Images []ReleasedImage `json:"images,omitempty"`

	// released are the images of its last release that came to a good end, at most 4. Absent while
	// those are images, and where there is none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4
	Released []ReleasedImage `json:"released,omitempty"`
}

// EndpointSummary is a way in and whether it leads to its services.
type EndpointSummary struct {
	// namespace is where the endpoint is.
	// +required
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace"`

	// name is the endpoint's name.
	// +required
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// hostname is the name that people use.
	// +required
	// +kubebuilder:validation:MaxLength=253
	Hostname string `json:"hostname"`

	// ready is the status of its condition Ready.
	// +optional
	Ready metav1.ConditionStatus `json:"ready,omitempty"`

	// reason is the reason of that.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`

	// hop is the hop that it is about, with its region where it has one. Absent while every hop leads on.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Hop string `json:"hop,omitempty"`
}

// ReleasedImage is an image and its digest.
type ReleasedImage struct {
	// image is the image as the release spells it.
	// +required
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image"`

	// digest is what it was resolved to. Absent while it is not.
	// +optional
	// +kubebuilder:validation:MaxLength=71
	Digest string `json:"digest,omitempty"`
}

// ProvenDigest is how long a digest ran Ready in a service.
type ProvenDigest struct {
	// digest is the image, sha256:….
	// +required
	// +kubebuilder:validation:MaxLength=71
	Digest string `json:"digest"`

	// service is the name of the service.
	// +required
	// +kubebuilder:validation:MaxLength=255
	Service string `json:"service"`

	// since is since when it runs Ready. Absent while it does not.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// seconds is for how long it ran Ready before since, summed up since it last failed here.
	// +optional
	Seconds int64 `json:"seconds,omitempty"`

	// last is when it last stopped running Ready. Absent where it never did.
	// +optional
	Last *metav1.Time `json:"last,omitempty"`

	// failed is when it last failed here; only what it ran after that counts. Absent where it
	// never did.
	// +optional
	Failed *metav1.Time `json:"failed,omitempty"`
}

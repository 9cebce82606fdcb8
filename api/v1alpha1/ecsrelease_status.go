package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EcsReleaseStatus is what the controller saw and did. It stores what the world forgets
// (intents, failed contents, proven revisions); all else can be derived again.
type EcsReleaseStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of. -1: no
	// controller has seen the release.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready, always present once seen; Reconciling and Stalled, present only
	// when True and never both; ImageAvailable and Deployed.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// image is what this release deploys, for people: the image, or the images by comma.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Image string `json:"image,omitempty"`

	// images are the images and the digests that their tags had when they were first
	// resolved. A tag that moves afterwards changes nothing.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Images []ResolvedImage `json:"images,omitempty"`

	// services is how many services the release names.
	// +optional
	Services int32 `json:"services,omitempty"`

	// readyServices is how many of them run the image, successfully.
	// +optional
	ReadyServices int32 `json:"readyServices,omitempty"`

	// progress is both, for people: "5/6 services".
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Progress string `json:"progress,omitempty"`

	// targets are the targets of the spec, each service with its state.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Targets []TargetStatus `json:"targets,omitempty"`

	// failure is why the release failed. Absent while it has not.
	// +optional
	Failure *Failure `json:"failure,omitempty"`

	// history are the last releases, the newest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	History []HistoryEntry `json:"history,omitempty"`

	// handled echoes the last token of each command annotation that was acted on.
	// +optional
	Handled *HandledCommands `json:"handled,omitempty"`
}

// ResolvedImage is one image of the release with its digest.
type ResolvedImage struct {
	// container is the container's name, absent for spec.image.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	Container string `json:"container,omitempty"`

	// image is the image as the spec spells it.
	// +required
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image"`

	// digest is what it was resolved to, sha256:…. Absent until then, and for a tag on a host
	// that is not ECR.
	// +optional
	// +kubebuilder:validation:MaxLength=71
	Digest string `json:"digest,omitempty"`

	// movedTo is where the tag pointed when it was last looked at, if that is another digest:
	// the release stays on the first. Absent while the tag has not moved.
	// +optional
	// +kubebuilder:validation:MaxLength=71
	MovedTo string `json:"movedTo,omitempty"`

	// missingSince is when the image was first found missing from a region that needs it.
	// Absent when it is there.
	// +optional
	MissingSince *metav1.Time `json:"missingSince,omitempty"`
}

// TargetStatus is one target with its services.
type TargetStatus struct {
	// name is the target's name in the spec.
	// +required
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// accountID is the AWS account of the target. Absent while no environment says which.
	// +optional
	// +kubebuilder:validation:MaxLength=12
	AccountID string `json:"accountID,omitempty"`

	// region is the AWS region.
	// +required
	// +kubebuilder:validation:MaxLength=32
	Region string `json:"region"`

	// cluster is the ECS cluster's name.
	// +required
	// +kubebuilder:validation:MaxLength=255
	Cluster string `json:"cluster"`

	// services are the target's services.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=128
	Services []ServiceStatus `json:"services,omitempty"`
}

// ServiceState is the one named state of a service.
//
// +kubebuilder:validation:Enum=Unknown;Missing;Unsupported;OutOfSync;Deploying;InSync;Failed
type ServiceState string

const (
	// ServiceUnknown: it cannot be observed now; the last truth is kept.
	ServiceUnknown ServiceState = "Unknown"
	// ServiceMissing: there is no such cluster, service or container.
	ServiceMissing ServiceState = "Missing"
	// ServiceUnsupported: something else than ECS's own deployments rolls it, or it is on its way out.
	ServiceUnsupported ServiceState = "Unsupported"
	// ServiceOutOfSync: it runs another image and nothing of ours is in flight.
	ServiceOutOfSync ServiceState = "OutOfSync"
	// ServiceDeploying: our service deployment is in progress.
	ServiceDeploying ServiceState = "Deploying"
	// ServiceInSync: our image is what its primary deployment runs, successfully.
	ServiceInSync ServiceState = "InSync"
	// ServiceFailed: ECS gave up or rolled back, or the deadline passed.
	ServiceFailed ServiceState = "Failed"
)

// ServiceStatus is one ECS service of a target.
type ServiceStatus struct {
	// name is the service's name.
	// +required
	// +kubebuilder:validation:MaxLength=255
	Name string `json:"name"`

	// state is the one named state the service is in.
	// +required
	State ServiceState `json:"state"`

	// since is when it came into this state.
	// +optional
	Since metav1.Time `json:"since,omitzero"`

	// reason is a constant that says why it is in this state. Absent when the state says all.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`

	// message says what was seen and what was wanted, for people.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// revision is the task definition, as family:revision, that the service's primary
	// deployment ran when last seen.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Revision string `json:"revision,omitempty"`

	// source says whether the revision that carries the image is ours (Released) or was found
	// running and taken as it is (Adopted). Absent until the service is in sync.
	// +optional
	Source RevisionSource `json:"source,omitempty"`

	// inputs is a fingerprint of the images and containers asked for; hash was derived for it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Inputs string `json:"inputs,omitempty"`

	// hash is the content hash of the task definition that carries the image. Absent until
	// it is known.
	// +optional
	// +kubebuilder:validation:MaxLength=80
	Hash string `json:"hash,omitempty"`

	// intent is a call that was about to be made and whose answer is not yet recorded.
	// +optional
	Intent *Intent `json:"intent,omitempty"`

	// registered is the revision of ours, as family:revision, that carries hash. Absent until
	// it is registered or found.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Registered string `json:"registered,omitempty"`

	// deployment is the deployment that we started last. Absent before the first.
	// +optional
	Deployment *DeploymentStatus `json:"deployment,omitempty"`

	// failed are the contents that failed here and are not tried again by themselves, the
	// newest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=2
	Failed []FailedContent `json:"failed,omitempty"`

	// proven is the revision that last ran well here: what a rollback would go back to.
	// +optional
	Proven *ProvenRevision `json:"proven,omitempty"`
}

// RevisionSource says where a revision came from.
//
// +kubebuilder:validation:Enum=Released;Adopted
type RevisionSource string

const (
	// SourceReleased is a revision that this controller registered.
	SourceReleased RevisionSource = "Released"
	// SourceAdopted is a revision that was found running and taken as it is.
	SourceAdopted RevisionSource = "Adopted"
)

// IntentAction is the call that an intent announces.
//
// +kubebuilder:validation:Enum=Register;Update
type IntentAction string

const (
	// IntentRegister announces RegisterTaskDefinition.
	IntentRegister IntentAction = "Register"
	// IntentUpdate announces UpdateService.
	IntentUpdate IntentAction = "Update"
)

// Intent is written before a call that changes something and cleared with its answer. One that
// is found without an answer is resolved by looking, never by asking again blindly.
type Intent struct {
	// action is the call.
	// +required
	Action IntentAction `json:"action"`

	// hash is the content that the call registers or deploys.
	// +required
	// +kubebuilder:validation:MaxLength=80
	Hash string `json:"hash"`

	// base is, for Register, the revision that the content was derived from, and the newest
	// of its family that existed then.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Base string `json:"base,omitempty"`

	// revision is, for Update, the revision to run, as family:revision.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Revision string `json:"revision,omitempty"`

	// previousPrimary is, for Update, the id of the service's primary deployment before.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	PreviousPrimary string `json:"previousPrimary,omitempty"`

	// since is when the intent was written.
	// +required
	Since metav1.MicroTime `json:"since"`
}

// DeploymentStatus is a deployment that we started.
type DeploymentStatus struct {
	// revision is the revision it brings, as family:revision.
	// +required
	// +kubebuilder:validation:MaxLength=300
	Revision string `json:"revision"`

	// hash is the content hash of that revision.
	// +required
	// +kubebuilder:validation:MaxLength=80
	Hash string `json:"hash"`

	// primary is the id of the service's primary deployment that UpdateService answered with
	// (ecs-svc/…). Absent when the answer was lost.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Primary string `json:"primary,omitempty"`

	// serviceDeployment is the id of the ECS service deployment. Absent until ECS lists it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ServiceDeployment string `json:"serviceDeployment,omitempty"`

	// outcome is how it ended. Absent while it has not.
	// +optional
	// +kubebuilder:validation:Enum=Succeeded;Failed;Superseded
	Outcome DeploymentOutcome `json:"outcome,omitempty"`

	// started is when the UpdateService call was made.
	// +required
	Started metav1.MicroTime `json:"started"`

	// progressed is when it last made progress.
	// +required
	Progressed metav1.Time `json:"progressed"`

	// running is the most tasks of the new revision that were seen running.
	// +optional
	Running int32 `json:"running,omitempty"`

	// old is the fewest tasks of other revisions that were seen running.
	// +optional
	Old int32 `json:"old,omitempty"`

	// desired is how many tasks the service should run.
	// +optional
	Desired int32 `json:"desired,omitempty"`
}

// DeploymentOutcome is how a deployment of ours ended.
type DeploymentOutcome string

const (
	// DeploymentSucceeded: ECS reported our service deployment as successful, on our revision.
	DeploymentSucceeded DeploymentOutcome = "Succeeded"
	// DeploymentFailed: ECS gave it up or rolled it back, or our deadline passed.
	DeploymentFailed DeploymentOutcome = "Failed"
	// DeploymentSuperseded: a later deployment replaced it.
	DeploymentSuperseded DeploymentOutcome = "Superseded"
)

// FailedContent is a content that failed on a service.
type FailedContent struct {
	// hash is the content hash.
	// +required
	// +kubebuilder:validation:MaxLength=80
	Hash string `json:"hash"`

	// class is the class of the failure.
	// +required
	Class FailureClass `json:"class"`

	// message is why it failed, for people.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`

	// at is when.
	// +required
	At metav1.Time `json:"at"`
}

// ProvenRevision is a revision that ran well.
type ProvenRevision struct {
	// revision is family:revision.
	// +required
	// +kubebuilder:validation:MaxLength=300
	Revision string `json:"revision"`

	// source says whether we registered it or found it running.
	// +required
	Source RevisionSource `json:"source"`

	// since is when it was found to run well.
	// +required
	Since metav1.Time `json:"since"`
}

// FailureClass is what kind of failure it is.
//
// +kubebuilder:validation:Enum=ImageMissing;CircuitBreaker;Deadline
type FailureClass string

const (
	// FailureImageMissing: the image was not in a region's registry in time.
	FailureImageMissing FailureClass = "ImageMissing"
	// FailureCircuitBreaker: ECS gave the deployment up, or rolled it back.
	FailureCircuitBreaker FailureClass = "CircuitBreaker"
	// FailureDeadline: the deployment made no progress in time.
	FailureDeadline FailureClass = "Deadline"
)

// Failure is why a release failed.
type Failure struct {
	// class is what kind of failure it is.
	// +required
	Class FailureClass `json:"class"`

	// target is the target where it was first seen.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Target string `json:"target,omitempty"`

	// service is the service where it was first seen. Absent when it concerns no single one.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	Service string `json:"service,omitempty"`

	// message says what was seen and what was wanted, for people.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}

// Outcome is how a release went.
//
// +kubebuilder:validation:Enum=Progressing;Released;Adopted;Failed;Superseded
type Outcome string

const (
	// OutcomeProgressing: it is under way.
	OutcomeProgressing Outcome = "Progressing"
	// OutcomeReleased: every service ran it, successfully.
	OutcomeReleased Outcome = "Released"
	// OutcomeAdopted: every service ran it already; nothing was changed.
	OutcomeAdopted Outcome = "Adopted"
	// OutcomeFailed: it failed in at least one service.
	OutcomeFailed Outcome = "Failed"
	// OutcomeSuperseded: another image was asked for before it had ended.
	OutcomeSuperseded Outcome = "Superseded"
)

// HistoryEntry is one release of the past, or the present one.
type HistoryEntry struct {
	// number counts the releases of this object, from 1; it never goes back.
	// +required
	Number int64 `json:"number"`

	// images are what was released, with digests.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Images []ResolvedImage `json:"images,omitempty"`

	// outcome is how it went.
	// +required
	Outcome Outcome `json:"outcome"`

	// started is when it was first seen.
	// +required
	Started metav1.Time `json:"started"`

	// finished is when it reached its outcome. Absent while it is under way.
	// +optional
	Finished *metav1.Time `json:"finished,omitempty"`

	// revisions are the task definitions that carried it, as family:revision, each once.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MaxLength=300
	Revisions []string `json:"revisions,omitempty"`
}

// HandledCommands are the last tokens of command annotations that were acted on.
type HandledCommands struct {
	// reconcile is the last token of ecs.heliumai.space/reconcile.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Reconcile string `json:"reconcile,omitempty"`
}

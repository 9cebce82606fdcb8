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
	// when True and never both; ImageAvailable and Deployed; Verified where the spec asks for
	// checks; Held and Drifted, present only when True.
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

	// waves are the waves of the newest release in history that have opened, or wait to, in
	// their order.
	// +optional
	// +listType=map
	// +listMapKey=wave
	// +kubebuilder:validation:MaxItems=64
	Waves []WaveStatus `json:"waves,omitempty"`

	// awaiting is what waits for a person: waves to be approved, and deployments that a hook of
	// theirs has paused.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=192
	Awaiting []Awaiting `json:"awaiting,omitempty"`

	// hold is the release that is held against the spec. Absent while none is.
	// +optional
	Hold *Hold `json:"hold,omitempty"`

	// failure is why the release failed, with the evidence. Absent while it has not.
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

	// wave is the target's wave.
	// +optional
	Wave int32 `json:"wave,omitempty"`

	// verified is when the target passed the checks for what it runs. Absent until then, and
	// where none are asked for.
	// +optional
	Verified *metav1.Time `json:"verified,omitempty"`

	// verification says how far the checks are, for people. Absent where there is nothing to say.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Verification string `json:"verification,omitempty"`

	// services are the target's services.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=128
	Services []ServiceStatus `json:"services,omitempty"`
}

// WaveStatus is one wave of the release that is under way, or was last.
type WaveStatus struct {
	// wave is its number.
	// +required
	Wave int32 `json:"wave"`

	// asked is since when it waits, or waited, for approval. Absent where nobody has to approve it.
	// +optional
	Asked *metav1.Time `json:"asked,omitempty"`

	// approved is when somebody approved it. Absent until then, and where nobody has to.
	// +optional
	Approved *metav1.Time `json:"approved,omitempty"`

	// opened is when its turn came. Absent until then.
	// +optional
	Opened *metav1.Time `json:"opened,omitempty"`

	// synced is since when all of its services run the image. Absent while one does not.
	// +optional
	Synced *metav1.Time `json:"synced,omitempty"`

	// verified is since when all of its targets have passed their checks. Absent until then, and
	// where none are asked for.
	// +optional
	Verified *metav1.Time `json:"verified,omitempty"`

	// finished is when the next wave might open because of this one: synced, verified and baked.
	// +optional
	Finished *metav1.Time `json:"finished,omitempty"`
}

// Awaiting is something that waits for a person.
type Awaiting struct {
	// id is what the annotation ecs.heliumai.space/approve must hold to approve it. No other
	// wave, image or deployment ever has the same.
	// +required
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id"`

	// wave is the wave that waits to open. Absent for a deployment.
	// +optional
	Wave *int32 `json:"wave,omitempty"`

	// target is the target of the service whose deployment waits. Absent for a wave.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Target string `json:"target,omitempty"`

	// service is that service. Absent for a wave.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	Service string `json:"service,omitempty"`

	// stage is the lifecycle stage that the deployment waits at. Absent for a wave.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Stage string `json:"stage,omitempty"`

	// since is since when it waits.
	// +required
	Since metav1.Time `json:"since"`

	// expires is when ECS decides by itself. Absent where it never does.
	// +optional
	Expires *metav1.Time `json:"expires,omitempty"`
}

// Hold is a release of the past that is kept against the spec.
type Hold struct {
	// number is the release in history that is held.
	// +required
	Number int64 `json:"number"`

	// images are what it consists of.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Images []ResolvedImage `json:"images"`

	// against are the images that the spec asked for when the hold began: others end it.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Against []ResolvedImage `json:"against"`

	// revisions are the task definitions that carried it, as family:revision.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MaxLength=300
	Revisions []string `json:"revisions,omitempty"`

	// since is when the hold began.
	// +required
	Since metav1.Time `json:"since"`
}

// ServiceState is the one named state of a service.
//
// +kubebuilder:validation:Enum=Unknown;Missing;Unsupported;OutOfSync;Deploying;AwaitingAction;InSync;Failed;RollingBack;RolledBack;RollbackFailed
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
	// ServiceAwaitingAction: a hook of our service deployment has paused it until somebody decides.
	ServiceAwaitingAction ServiceState = "AwaitingAction"
	// ServiceInSync: our image is what its primary deployment runs, successfully.
	ServiceInSync ServiceState = "InSync"
	// ServiceFailed: ECS gave up, a deadline passed, a check failed or somebody aborted it.
	ServiceFailed ServiceState = "Failed"
	// ServiceRollingBack: it is on its way back to the proven revision.
	ServiceRollingBack ServiceState = "RollingBack"
	// ServiceRolledBack: it is back on the proven revision, successfully.
	ServiceRolledBack ServiceState = "RolledBack"
	// ServiceRollbackFailed: it could not be brought back to the proven revision.
	ServiceRollbackFailed ServiceState = "RollbackFailed"
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

	// proven is the revision that last ran well here as part of a release that was ready as a
	// whole, or was found running steadily at first sight: what a rollback goes back to.
	// +optional
	Proven *ProvenRevision `json:"proven,omitempty"`

	// base is, with taskDefinition.base Family, the newest ACTIVE revision of the family that is
	// not ours, as far as was looked.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Base string `json:"base,omitempty"`

	// rollback is how the service is being brought back, or was. Absent while nothing failed.
	// +optional
	Rollback *RollbackStatus `json:"rollback,omitempty"`

	// drift is the last deployment by somebody else that took the image away. Absent while there
	// is none since the image was asked for.
	// +optional
	Drift *DriftStatus `json:"drift,omitempty"`

	// hook is what was decided about a hook that pauses our deployment. Absent while nothing is.
	// +optional
	Hook *HookDecision `json:"hook,omitempty"`

	// restart is true while a restart was asked for and has not been started here.
	// +optional
	Restart bool `json:"restart,omitempty"`
}

// RollbackStatus is a service on its way back to its proven revision.
type RollbackStatus struct {
	// to is the revision to go back to, as family:revision.
	// +required
	// +kubebuilder:validation:MaxLength=300
	To string `json:"to"`

	// since is when the rollback began, ours or ECS's, or when we last did something for it. Its
	// deadline counts from here.
	// +required
	Since metav1.Time `json:"since"`

	// stopped says that ECS was told to stop our deployment and roll it back.
	// +optional
	Stopped bool `json:"stopped,omitempty"`

	// updated says that the service was updated to the revision by us: it is not tried twice.
	// +optional
	Updated bool `json:"updated,omitempty"`

	// finished is when it ended, one way or the other. Absent while it goes on.
	// +optional
	Finished *metav1.Time `json:"finished,omitempty"`

	// failed is why the service could not be brought back. Absent unless that is so.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Failed string `json:"failed,omitempty"`
}

// DriftStatus is a deployment by somebody else that took the image away.
type DriftStatus struct {
	// deployment is the id of their primary deployment (ecs-svc/…).
	// +required
	// +kubebuilder:validation:MaxLength=64
	Deployment string `json:"deployment"`

	// revision is what it brought, as family:revision.
	// +required
	// +kubebuilder:validation:MaxLength=300
	Revision string `json:"revision"`

	// registeredBy is the principal that registered that revision. Absent where ECS does not say.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	RegisteredBy string `json:"registeredBy,omitempty"`

	// at is when it was seen.
	// +required
	At metav1.Time `json:"at"`

	// corrected is when the image was last brought back after a deployment of somebody else.
	// Absent while that was not done.
	// +optional
	Corrected *metav1.Time `json:"corrected,omitempty"`

	// standing says that this deployment is not corrected: the policy is Report, the service had
	// failed or was held, or the one before it was corrected less than an hour earlier.
	// +optional
	Standing bool `json:"standing,omitempty"`
}

// HookDecision is what was decided about a hook that pauses our deployment.
type HookDecision struct {
	// id is the hook's id.
	// +required
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id"`

	// rollBack says to roll the deployment back instead of letting it go on.
	// +optional
	RollBack bool `json:"rollBack,omitempty"`
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
// +kubebuilder:validation:Enum=Register;Update;Restart;Stop;Continue
type IntentAction string

const (
	// IntentRegister announces RegisterTaskDefinition.
	IntentRegister IntentAction = "Register"
	// IntentUpdate announces UpdateService.
	IntentUpdate IntentAction = "Update"
	// IntentRestart announces UpdateService with forceNewDeployment.
	IntentRestart IntentAction = "Restart"
	// IntentStop announces StopServiceDeployment, with a rollback.
	IntentStop IntentAction = "Stop"
	// IntentContinue announces ContinueServiceDeployment.
	IntentContinue IntentAction = "Continue"
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

	// revision is, for Update and Restart, the revision to run, as family:revision.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Revision string `json:"revision,omitempty"`

	// rollback says that the call is part of a rollback: it brings the proven revision back.
	// +optional
	Rollback bool `json:"rollback,omitempty"`

	// serviceDeployment is, for Stop and Continue, the id of the ECS service deployment.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ServiceDeployment string `json:"serviceDeployment,omitempty"`

	// hook is, for Continue, the id of the hook.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Hook string `json:"hook,omitempty"`

	// previousPrimary is, for Update and Restart, the id of the service's primary deployment before.
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

	// inputs is the fingerprint of the images that were asked for when it was started. Absent while
	// those are the service's.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Inputs string `json:"inputs,omitempty"`

	// primary is the id of the service's primary deployment that UpdateService answered with
	// (ecs-svc/…). Absent when the answer was lost.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Primary string `json:"primary,omitempty"`

	// serviceDeployment is the id of the ECS service deployment. Absent until ECS lists it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ServiceDeployment string `json:"serviceDeployment,omitempty"`

	// purpose is what it was started for. Absent: to bring the image.
	// +optional
	Purpose DeploymentPurpose `json:"purpose,omitempty"`

	// stage is the lifecycle stage it was last seen in, for the strategies that have them.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Stage string `json:"stage,omitempty"`

	// weight is the percentage of production traffic that it was last seen with. Absent for
	// strategies that shift none.
	// +optional
	Weight *int32 `json:"weight,omitempty"`

	// maxWeight is the most it was seen with.
	// +optional
	MaxWeight int32 `json:"maxWeight,omitempty"`

	// stages are those that it has reached: reaching one for the first time is progress.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=64
	Stages []string `json:"stages,omitempty"`

	// outcome is how it ended. Absent while it has not.
	// +optional
	// +kubebuilder:validation:Enum=Succeeded;Failed;Superseded
	Outcome DeploymentOutcome `json:"outcome,omitempty"`

	// released says that the release was Ready with it although the service ran no tasks, so that
	// nothing is proven by it. Whatever is released next has not touched the service by that.
	// +optional
	Released bool `json:"released,omitempty"`

	// started is when the UpdateService call was made, or somebody else's whose deployment is followed.
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

// DeploymentPurpose is what a deployment of ours was started for.
//
// +kubebuilder:validation:Enum=Rollback;Restart;Drift
type DeploymentPurpose string

const (
	// PurposeRollback brings the proven revision back.
	PurposeRollback DeploymentPurpose = "Rollback"
	// PurposeRestart deploys the same revision again.
	PurposeRestart DeploymentPurpose = "Restart"
	// PurposeDrift brings the image back after a deployment of somebody else.
	PurposeDrift DeploymentPurpose = "Drift"
)

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

	// inputs is the fingerprint of the images that were asked for when it failed.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Inputs string `json:"inputs,omitempty"`

	// at is when. Absent where status had no room for it.
	// +optional
	At metav1.Time `json:"at,omitzero"`
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

	// since is when it was found to run well. Absent where status had no room for it.
	// +optional
	Since metav1.Time `json:"since,omitzero"`
}

// FailureClass is what kind of failure it is.
//
// +kubebuilder:validation:Enum=ImageMissing;ImagePull;WrongArchitecture;ContainerExited;OutOfMemory;HealthCheck;Placement;ResourceInit;CircuitBreaker;Alarm;Deadline;Verification;Aborted
type FailureClass string

const (
	// FailureImageMissing: the image was not in a region's registry in time.
	FailureImageMissing FailureClass = "ImageMissing"
	// FailureImagePull: tasks could not pull an image.
	FailureImagePull FailureClass = "ImagePull"
	// FailureWrongArchitecture: the image is not for the architecture that the tasks run on.
	FailureWrongArchitecture FailureClass = "WrongArchitecture"
	// FailureContainerExited: an essential container ended.
	FailureContainerExited FailureClass = "ContainerExited"
	// FailureOutOfMemory: a container was killed for its memory.
	FailureOutOfMemory FailureClass = "OutOfMemory"
	// FailureHealthCheck: tasks did not get, or stay, healthy.
	FailureHealthCheck FailureClass = "HealthCheck"
	// FailurePlacement: there was no place for the tasks.
	FailurePlacement FailureClass = "Placement"
	// FailureResourceInit: secrets, volumes, logging or the network of a task could not be set up.
	FailureResourceInit FailureClass = "ResourceInit"
	// FailureCircuitBreaker: ECS gave the deployment up, or rolled it back, and nothing says why.
	FailureCircuitBreaker FailureClass = "CircuitBreaker"
	// FailureAlarm: a CloudWatch alarm of the deployment was triggered.
	FailureAlarm FailureClass = "Alarm"
	// FailureDeadline: the deployment made no progress in time, and nothing says why.
	FailureDeadline FailureClass = "Deadline"
	// FailureVerification: a check of the release did not pass in time.
	FailureVerification FailureClass = "Verification"
	// FailureAborted: somebody aborted it.
	FailureAborted FailureClass = "Aborted"
)

// Failure is why a release failed, with the evidence that a person would look up. It holds no
// value of an environment variable or secret.
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

	// at is when it was seen.
	// +optional
	At metav1.Time `json:"at,omitzero"`

	// tasks are tasks of the deployment that stopped, the last first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=3
	Tasks []StoppedTask `json:"tasks,omitempty"`

	// events are what ECS said about the service meanwhile, the last first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=3
	Events []ServiceEvent `json:"events,omitempty"`

	// unhealthyTargets are tasks of the deployment that a target group calls unhealthy.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=3
	UnhealthyTargets []UnhealthyTarget `json:"unhealthyTargets,omitempty"`

	// circuitBreaker are the counters of the deployment circuit breaker, where it was enabled.
	// +optional
	CircuitBreaker *CircuitBreakerCount `json:"circuitBreaker,omitempty"`

	// alarms are the names of the CloudWatch alarms that were triggered.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:items:MaxLength=255
	Alarms []string `json:"alarms,omitempty"`
}

// StoppedTask is a task that stopped.
type StoppedTask struct {
	// id is the task's id.
	// +required
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id"`

	// stopCode is ECS's code, e.g. EssentialContainerExited. Absent where ECS gave none.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	StopCode string `json:"stopCode,omitempty"`

	// reason is what ECS says about it.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Reason string `json:"reason,omitempty"`

	// stoppedAt is when. Absent where ECS does not say.
	// +optional
	StoppedAt metav1.Time `json:"stoppedAt,omitzero"`

	// results are how its containers ended.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	Results []ContainerResult `json:"results,omitempty"`
}

// ContainerResult is how a container of a stopped task ended.
type ContainerResult struct {
	// container is its name.
	// +required
	// +kubebuilder:validation:MaxLength=255
	Container string `json:"container"`

	// exitCode is what it exited with. Absent when it never started.
	// +optional
	ExitCode *int32 `json:"exitCode,omitempty"`

	// reason is what ECS says about it.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Reason string `json:"reason,omitempty"`

	// health is what its health check last said. Absent where it has none.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Health string `json:"health,omitempty"`
}

// ServiceEvent is an event of an ECS service.
type ServiceEvent struct {
	// at is when it was.
	// +required
	At metav1.Time `json:"at"`

	// message is what ECS said.
	// +required
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message"`
}

// UnhealthyTarget is a task that a target group calls unhealthy.
type UnhealthyTarget struct {
	// targetGroup is the name of the target group.
	// +required
	// +kubebuilder:validation:MaxLength=64
	TargetGroup string `json:"targetGroup"`

	// target is what is registered there: an address or an instance, with its port.
	// +required
	// +kubebuilder:validation:MaxLength=128
	Target string `json:"target"`

	// state is the target's state, e.g. unhealthy.
	// +required
	// +kubebuilder:validation:MaxLength=64
	State string `json:"state"`

	// reason is Elastic Load Balancing's code, e.g. Target.ResponseCodeMismatch.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`

	// description says the same for people.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Description string `json:"description,omitempty"`
}

// CircuitBreakerCount is how often tasks failed and how often they might.
type CircuitBreakerCount struct {
	// failed is how many tasks failed.
	// +optional
	Failed int32 `json:"failed,omitempty"`

	// threshold is how many may.
	// +optional
	Threshold int32 `json:"threshold,omitempty"`
}

// Outcome is how a release went.
//
// +kubebuilder:validation:Enum=Progressing;Released;Adopted;Failed;RolledBack;Superseded
type Outcome string

const (
	// OutcomeProgressing: it is under way.
	OutcomeProgressing Outcome = "Progressing"
	// OutcomeReleased: every service ran it, successfully.
	OutcomeReleased Outcome = "Released"
	// OutcomeAdopted: every service ran it already; nothing was changed.
	OutcomeAdopted Outcome = "Adopted"
	// OutcomeFailed: it failed, and what it touched was left as it is, or could not be brought back.
	OutcomeFailed Outcome = "Failed"
	// OutcomeRolledBack: it failed, and every service that it touched is back on its proven revision.
	OutcomeRolledBack Outcome = "RolledBack"
	// OutcomeSuperseded: another image was asked for before it had ended.
	OutcomeSuperseded Outcome = "Superseded"
)

// HistoryEntry is one release of the past, or the present one.
type HistoryEntry struct {
	// number counts the releases of this object, from 1; it never goes back.
	// +required
	Number int64 `json:"number"`

	// generation is the generation of the spec that asked for it.
	// +optional
	Generation int64 `json:"generation,omitempty"`

	// cause is what the annotation ecs.heliumai.space/change-cause said. Absent where it said
	// nothing.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Cause string `json:"cause,omitempty"`

	// waves are how long each wave that finished took, from when it opened.
	// +optional
	// +listType=map
	// +listMapKey=wave
	// +kubebuilder:validation:MaxItems=64
	Waves []WaveTime `json:"waves,omitempty"`

	// images are what was released, with digests.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Images []ResolvedImage `json:"images,omitempty"`

	// held is the number of the release that was gone back to by hold. Absent where it is what the
	// spec asked for.
	// +optional
	Held int64 `json:"held,omitempty"`

	// outcome is how it went.
	// +required
	Outcome Outcome `json:"outcome"`

	// failure is the class of what it failed of. Absent unless it failed.
	// +optional
	Failure FailureClass `json:"failure,omitempty"`

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

// WaveTime is how long a wave took.
type WaveTime struct {
	// wave is its number.
	// +required
	Wave int32 `json:"wave"`

	// seconds is how long it took, bake and verification included.
	// +required
	Seconds int64 `json:"seconds"`
}

// HandledCommands are the last tokens of command annotations that were acted on, or were there
// when the release was first seen.
type HandledCommands struct {
	// reconcile is the last token of ecs.heliumai.space/reconcile.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Reconcile string `json:"reconcile,omitempty"`

	// retry is the last token of ecs.heliumai.space/retry.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Retry string `json:"retry,omitempty"`

	// restart is the last token of ecs.heliumai.space/restart.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Restart string `json:"restart,omitempty"`

	// abort is the last token of ecs.heliumai.space/abort.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Abort string `json:"abort,omitempty"`

	// approve is the last value of ecs.heliumai.space/approve.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Approve string `json:"approve,omitempty"`

	// hold is the last value of ecs.heliumai.space/hold.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Hold string `json:"hold,omitempty"`

	// releaseHold is the last token of ecs.heliumai.space/release-hold.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	ReleaseHold string `json:"releaseHold,omitempty"`

	// unknown are annotations of this group that are no command, as name=value by commas, that
	// an event was given for.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Unknown string `json:"unknown,omitempty"`
}

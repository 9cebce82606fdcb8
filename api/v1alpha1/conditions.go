package v1alpha1

// Condition types of an EcsRelease. Each carries its own observedGeneration.
const (
	// ConditionReady is the summary: True when in every target the primary deployment runs our
	// image, successfully. Always present once a controller has seen the release.
	ConditionReady = "Ready"
	// ConditionReconciling is present, and True, only while something is under way or waited for.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is present, and True, only when nothing will happen until the spec, the
	// environment or AWS changes. Never together with Reconciling.
	ConditionStalled = "Stalled"
	// ConditionImageAvailable says whether the image is in every target's region, with one
	// digest and the architecture that the services want.
	ConditionImageAvailable = "ImageAvailable"
	// ConditionDeployed says whether every service runs the image, successfully.
	ConditionDeployed = "Deployed"
)

// Reasons of the conditions of an EcsRelease, and of its services' states.
const (
	// ReasonReleased: every service runs the image, successfully.
	ReasonReleased = "Released"
	// ReasonScaledToZero: the revision is in place, but a service wants no tasks, so nothing is
	// proven by it.
	ReasonScaledToZero = "ScaledToZero"
	// ReasonProgressing: services are being brought to the image.
	ReasonProgressing = "Progressing"
	// ReasonSuspended: spec.suspend is true and not every service runs the image.
	ReasonSuspended = "Suspended"
	// ReasonObserving: the first look at the services is under way.
	ReasonObserving = "Observing"
	// ReasonObservationFailed: a target cannot be observed now (throttled, timed out, down).
	ReasonObservationFailed = "ObservationFailed"

	// ReasonNoEnvironment: no EcsEnvironment names the release's namespace.
	ReasonNoEnvironment = "NoEnvironment"
	// ReasonAmbiguousEnvironment: more than one EcsEnvironment names the release's namespace.
	ReasonAmbiguousEnvironment = "AmbiguousEnvironment"
	// ReasonDestinationNotAllowed: no destination of the environment covers a target.
	ReasonDestinationNotAllowed = "DestinationNotAllowed"
	// ReasonIdentityConflict: destinations of the environment that cover a target name different identities.
	ReasonIdentityConflict = "IdentityConflict"
	// ReasonDuplicateService: two targets of the release name the same service of the same cluster.
	ReasonDuplicateService = "DuplicateService"
	// ReasonServiceConflict: an older EcsRelease names the same service.
	ReasonServiceConflict = "ServiceConflict"
	// ReasonAccessDenied: AWS denied a call; the message names the action.
	ReasonAccessDenied = "AccessDenied"
	// ReasonAccountMismatch: the identity is of another account than the environment says.
	ReasonAccountMismatch = "AccountMismatch"

	// ReasonClusterNotFound: there is no such ECS cluster.
	ReasonClusterNotFound = "ClusterNotFound"
	// ReasonServiceNotFound: there is no such ECS service.
	ReasonServiceNotFound = "ServiceNotFound"
	// ReasonServiceNotActive: the service is DRAINING or INACTIVE.
	ReasonServiceNotActive = "ServiceNotActive"
	// ReasonServiceUnsupported: the service is rolled by CODE_DEPLOY, EXTERNAL or ECS Express.
	ReasonServiceUnsupported = "ServiceUnsupported"
	// ReasonCannotProgress: the service's deployment configuration lets no task start or stop.
	ReasonCannotProgress = "CannotProgress"
	// ReasonContainerNotFound: the task definition has no container of that name.
	ReasonContainerNotFound = "ContainerNotFound"
	// ReasonContainerAmbiguous: more than one container could take the image.
	ReasonContainerAmbiguous = "ContainerAmbiguous"
	// ReasonContainerUnused: an entry of spec.containers matches no service.
	ReasonContainerUnused = "ContainerUnused"

	// ReasonInvalidImage: the image is not a reference that can be deployed.
	ReasonInvalidImage = "InvalidImage"
	// ReasonRegistryUnsupported: the host is not ECR, and the image has no digest and pin is not Tag.
	ReasonRegistryUnsupported = "RegistryUnsupported"
	// ReasonRepositoryNotFound: there is no such ECR repository.
	ReasonRepositoryNotFound = "RepositoryNotFound"
	// ReasonImageNotFound: the image is not (yet) in a region's registry.
	ReasonImageNotFound = "ImageNotFound"
	// ReasonImageMissing: it was not there by the image deadline.
	ReasonImageMissing = "ImageMissing"
	// ReasonImageMismatch: regions, or the tag and the digest, disagree about what the image is.
	ReasonImageMismatch = "ImageMismatch"
	// ReasonWrongArchitecture: the image does not have the architecture that the task definition wants.
	ReasonWrongArchitecture = "WrongArchitecture"
	// ReasonImageAvailable: the image is where it is needed.
	ReasonImageAvailable = "ImageAvailable"
	// ReasonImageUnknown: whether the image is there cannot be told (yet).
	ReasonImageUnknown = "ImageUnknown"

	// ReasonOutOfSync: the service runs another image and nothing of ours is in flight.
	ReasonOutOfSync = "OutOfSync"
	// ReasonRegistrationRefused: AWS refused the task definition; the message says why.
	ReasonRegistrationRefused = "RegistrationRefused"
	// ReasonUpdateRefused: AWS refused the update of the service; the message says why.
	ReasonUpdateRefused = "UpdateRefused"
	// ReasonCircuitBreaker: ECS gave the deployment up, or rolled it back.
	ReasonCircuitBreaker = "CircuitBreaker"
	// ReasonDeadline: the deployment made no progress within strategy.progressDeadlineSeconds.
	ReasonDeadline = "Deadline"
	// ReasonRollbackInProgress: ECS is rolling a deployment back; nothing is started meanwhile.
	ReasonRollbackInProgress = "RollbackInProgress"
)

// Reasons of events about an EcsRelease. They go out once per transition, after the status
// that shows it was written.
const (
	// EventRegistered: a task definition was registered.
	EventRegistered = "Registered"
	// EventDeploying: a service was updated to a revision.
	EventDeploying = "Deploying"
	// EventDriftReverted: a service that somebody else had changed was updated back to the image.
	EventDriftReverted = "DriftReverted"
	// EventServiceInSync: a service runs the image, successfully.
	EventServiceInSync = "ServiceInSync"
	// EventReleased: every service does.
	EventReleased = "Released"
	// EventStalled: nothing will happen until somebody changes something; the note says what.
	EventStalled = "Stalled"
	// EventTagMoved: the tag points to another image by now; the release stays on the first.
	EventTagMoved = "TagMoved"
)

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
	// ConditionVerified says whether every target passed the checks of spec.verification. Absent
	// where there are none.
	ConditionVerified = "Verified"
	// ConditionHeld is present, and True, only while a release of the past is held.
	ConditionHeld = "Held"
	// ConditionDrifted is present, and True, only while a service runs what somebody else
	// deployed and that is not corrected.
	ConditionDrifted = "Drifted"
)

// Reasons of the conditions of an EcsRelease, and of its services' states.
const (
	// ReasonReleased: every service runs the image, successfully.
	ReasonReleased = "Released"
	// ReasonScaledToZero: the revision is in place, but a service wants no tasks, so nothing is
	// proven by it.
	ReasonScaledToZero = "ScaledToZero"
	// ReasonNoTasks: the revision is in place, but no task of the service runs, though it wants some.
	ReasonNoTasks = "NoTasks"
	// ReasonProgressing: services are being brought to the image.
	ReasonProgressing = "Progressing"
	// ReasonSuspended: spec.suspend is true and not every service runs the image.
	ReasonSuspended = "Suspended"
	// ReasonAwaitingApproval: a wave waits for somebody to approve it.
	ReasonAwaitingApproval = "AwaitingApproval"
	// ReasonAwaitingAction: a hook has paused a deployment until somebody decides.
	ReasonAwaitingAction = "AwaitingAction"
	// ReasonWaveNotOpen: a service waits for the waves before its own.
	ReasonWaveNotOpen = "WaveNotOpen"
	// ReasonVerifying: the checks of a wave have not all passed yet.
	ReasonVerifying = "Verifying"
	// ReasonVerified: every target passed its checks.
	ReasonVerified = "Verified"
	// ReasonBaking: a wave runs the image and is left alone for strategy.bakeSeconds.
	ReasonBaking = "Baking"
	// ReasonHeld: a release of the past is held against the spec.
	ReasonHeld = "Held"
	// ReasonRestarting: a service is, or waits to be, restarted.
	ReasonRestarting = "Restarting"
	// ReasonDrifted: somebody else deployed another image, and that is not corrected.
	ReasonDrifted = "Drifted"
	// ReasonObserving: the first look at the services is under way.
	ReasonObserving = "Observing"
	// ReasonObservationFailed: a target cannot be observed now (throttled, timed out, down).
	ReasonObservationFailed = "ObservationFailed"

	// ReasonNoEnvironment: no EcsEnvironment names the release's namespace.
	ReasonNoEnvironment = "NoEnvironment"
	// ReasonAmbiguousEnvironment: more than one EcsEnvironment names the release's namespace.
	ReasonAmbiguousEnvironment = "AmbiguousEnvironment"
	// ReasonNotPermitted: the environment does not permit what the release asks for: no destination
	// covers a target, or its rules for images refuse the image.
	ReasonNotPermitted = "NotPermitted"
	// ReasonAwaitingPromotion: the image has not run for long enough in the environment that it is
	// promoted from.
	ReasonAwaitingPromotion = "AwaitingPromotion"
	// ReasonOutsideWindow: the environment's windows do not let a release start now.
	ReasonOutsideWindow = "OutsideWindow"
	// ReasonInvalidEnvironment: the environment says something that cannot be understood, such as a
	// time zone that does not exist, so that nothing may start.
	ReasonInvalidEnvironment = "InvalidEnvironment"
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
	// ReasonImagePull: tasks could not pull an image.
	ReasonImagePull = "ImagePull"
	// ReasonContainerExited: an essential container ended.
	ReasonContainerExited = "ContainerExited"
	// ReasonOutOfMemory: a container was killed for its memory.
	ReasonOutOfMemory = "OutOfMemory"
	// ReasonHealthCheck: tasks did not get, or stay, healthy.
	ReasonHealthCheck = "HealthCheck"
	// ReasonPlacement: there was no place for the tasks.
	ReasonPlacement = "Placement"
	// ReasonResourceInit: secrets, volumes, logging or the network of a task could not be set up.
	ReasonResourceInit = "ResourceInit"
	// ReasonCircuitBreaker: ECS gave the deployment up, or rolled it back, and nothing says why.
	ReasonCircuitBreaker = "CircuitBreaker"
	// ReasonAlarm: a CloudWatch alarm of the deployment was triggered.
	ReasonAlarm = "Alarm"
	// ReasonDeadline: the deployment made no progress within strategy.progressDeadlineSeconds.
	ReasonDeadline = "Deadline"
	// ReasonVerification: a check did not pass in time.
	ReasonVerification = "Verification"
	// ReasonAborted: somebody aborted the release.
	ReasonAborted = "Aborted"
	// ReasonRollbackInProgress: ECS is rolling a deployment back; nothing is started meanwhile.
	ReasonRollbackInProgress = "RollbackInProgress"
	// ReasonRollingBack: services are brought back to their proven revisions.
	ReasonRollingBack = "RollingBack"
	// ReasonRollbackFailed: a service could not be brought back to its proven revision.
	ReasonRollbackFailed = "RollbackFailed"
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
	// EventRollingBack: a service goes back to its proven revision.
	EventRollingBack = "RollingBack"
	// EventRolledBack: a service is back on its proven revision.
	EventRolledBack = "RolledBack"
	// EventRollbackFailed: a service could not be brought back.
	EventRollbackFailed = "RollbackFailed"
	// EventFailed: a service failed with the image; the note says why.
	EventFailed = "Failed"
	// EventDrifted: somebody else deployed another image, and that is not corrected.
	EventDrifted = "Drifted"
	// EventWaveOpened: a wave's turn came.
	EventWaveOpened = "WaveOpened"
	// EventWaveFinished: a wave runs the image, verified and baked.
	EventWaveFinished = "WaveFinished"
	// EventAwaiting: something waits for a person; the note says what to do.
	EventAwaiting = "Awaiting"
	// EventCommandHandled: a command was acted on.
	EventCommandHandled = "CommandHandled"
	// EventCommandIgnored: a command could not be acted on; the note says why.
	EventCommandIgnored = "CommandIgnored"
	// EventRestarting: a service is deployed anew, with the same revision.
	EventRestarting = "Restarting"
	// EventContinued: a paused deployment goes on.
	EventContinued = "Continued"
	// EventTagMoved: the tag points to another image by now; the release stays on the first.
	EventTagMoved = "TagMoved"
)

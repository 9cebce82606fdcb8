package v1alpha1

// Condition types of an EcsEnvironment, beside Ready.
const (
	// ConditionCredentialsReady says whether every identity of the environment can be assumed and is
	// of the account that the environment says.
	ConditionCredentialsReady = "CredentialsReady"
	// ConditionEventsReceived says whether events come from every queue of spec.eventQueues. Absent
	// where there is none.
	ConditionEventsReceived = "EventsReceived"
)

// Reasons of the conditions of an EcsEnvironment. [ReasonInvalidEnvironment],
// [ReasonAmbiguousEnvironment], [ReasonIdentityConflict], [ReasonAccountMismatch],
// [ReasonAccessDenied] and [ReasonObservationFailed] are too.
const (
	// ReasonValid: releases of the environment's namespaces are managed.
	ReasonValid = "Valid"
	// ReasonNoNamespaces: no namespace that exists is named by the environment.
	ReasonNoNamespaces = "NoNamespaces"
	// ReasonVerifiedAccount: every identity is of its account.
	ReasonVerifiedAccount = "VerifiedAccount"
	// ReasonReceiving: events come from every queue.
	ReasonReceiving = "Receiving"
	// ReasonSilent: a service has changed and no event of that came.
	ReasonSilent = "Silent"
)

package v1alpha1

// Condition types of an EcsEnvironment, beside Ready.
const (
	// ConditionCredentialsReady says whether every identity of the environment can be assumed and is
	// of the account that the environment says.
	ConditionCredentialsReady = "CredentialsReady"
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
)

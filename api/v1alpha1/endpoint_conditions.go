package v1alpha1

// Reasons of the conditions of an EcsEndpoint. [ReasonObservationFailed], [ReasonAccessDenied],
// [ReasonAccountMismatch], [ReasonNoEnvironment], [ReasonAmbiguousEnvironment], [ReasonIdentityConflict]
// and [ReasonNotPermitted] are too.
const (
	// ReasonReachable: every hop leads on.
	ReasonReachable = "Reachable"
	// ReasonReachableWithWarnings: every hop leads on, and somebody should look at one of them.
	ReasonReachableWithWarnings = "ReachableWithWarnings"
	// ReasonUnwired: the chain was never whole, and the message says which step comes next.
	ReasonUnwired = "Unwired"
	// ReasonPending: AWS is working on a hop.
	ReasonPending = "Pending"
	// ReasonBroken: a hop does not lead on; the message says which, and what to do.
	ReasonBroken = "Broken"
)

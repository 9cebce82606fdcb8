package rollout

import (
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Want is what a release asks of one service.
type Want struct {
	// Inputs is a fingerprint of the images, containers and pin that are asked for. Hash and
	// what follows were derived for it.
	Inputs string
	// Problem is why the want cannot be told or fulfilled: an image that is missing or unfit,
	// containers that cannot be chosen. Observation goes on; nothing is started.
	Problem *Problem
	// Base is the revision that the content is derived from, as family:revision: what the
	// service runs now. "" when it was not read.
	Base string
	// Hash is the content hash of Base with the images set. "" when Base was not read.
	Hash string
	// BaseHash is the content hash of Base as it stands.
	BaseHash string
	// BaseOurs says that Base carries our tags and its content is what they say.
	BaseOurs bool
	// Running says that Base's containers run the wanted digests, or name the wanted images,
	// although Hash and BaseHash differ: it can be adopted.
	Running bool
	// Digests are, by container, the digests that ECS may resolve the wanted image to: the
	// index and its children. nil, or no entry: not known, any will do.
	Digests map[string][]string
}

// Policy is what the release's spec says about how.
type Policy struct {
	Suspended        bool
	ProgressDeadline time.Duration
}

// Timing is how the controller is set up.
type Timing struct {
	// CallDeadline is the longest that a call which changes something may take.
	CallDeadline time.Duration
	// Settle is how long after CallDeadline a look must begin to prove, by finding nothing,
	// that a call without an answer was not carried out.
	Settle time.Duration
	// Fast and Slow are how often to look at a service in flight, and at a settled one.
	Fast time.Duration
	Slow time.Duration
}

// Facts are what was looked up because Needs asked for it.
type Facts struct {
	// EqualAt is when the look for an equal revision began; zero: not looked.
	EqualAt time.Time
	// Equal is the newest ACTIVE revision of ours with the wanted content, as
	// family:revision; "" when there is none.
	Equal string
	// EqualHash is the content that was looked for.
	EqualHash string

	// OursAt is when the look for our service deployment began; zero: not looked.
	OursAt time.Time
	// OursRevision is Need.Revision of the look: what it was looked for.
	OursRevision string
	// Ours is our service deployment; nil when ECS does not list it.
	Ours *ServiceDeployment

	// Problem is why a look-up gave nothing.
	Problem *Problem
}

// Input is everything a decision about one service depends on.
type Input struct {
	Now    time.Time
	View   *View // nil: not looked at yet
	Want   Want
	Facts  Facts
	Memory ecsv1alpha1.ServiceStatus
	Policy Policy
	Timing Timing
	// Blocked is why nothing may be started now although this service could be: a definite
	// no anywhere in the release. nil: open.
	Blocked *Problem
	// Refused is what AWS answered when the step was last tried; nil: not refused lately.
	Refused *Problem
}

// Need is a look-up that a decision depends on.
type Need struct {
	// Base: read the task definition that the service runs, and derive from it.
	Base bool
	// EqualHash: look for a revision of ours with this content in EqualFamily. "" = no need.
	EqualHash   string
	EqualFamily string
	// Deployment: look up our service deployment, by its id where known, else among those
	// created after Since that bring Revision.
	Deployment bool
	ID         string
	Revision   string
	Since      time.Time
}

// None says that nothing needs to be looked up.
func (n Need) None() bool { return n == Need{} }

// Action is a call that changes something.
type Action string

const (
	// ActionNone changes nothing.
	ActionNone Action = ""
	// ActionRegister registers the derived task definition.
	ActionRegister Action = "Register"
	// ActionUpdate updates the service to a revision.
	ActionUpdate Action = "Update"
)

// Step is the next step of one service: at most one.
type Step struct {
	Action Action
	// Hash is the content that the step registers or deploys.
	Hash string
	// Base is, for ActionRegister, the revision derived from.
	Base string
	// Revision is, for ActionUpdate, the revision to run, as family:revision.
	Revision string
	// PreviousPrimary is, for ActionUpdate, the id of the primary deployment before.
	PreviousPrimary string
}

// Decision is what Decide came to.
type Decision struct {
	// Memory is the service's status after the decision: state, reason and message set, and
	// what was learned recorded.
	Memory ecsv1alpha1.ServiceStatus
	Step   Step
	// Look is when to look at the service again at the latest; 0: when something changes.
	Look time.Duration
	// InFlight says that the service is to be observed at the fast cadence.
	InFlight bool
}

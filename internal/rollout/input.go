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
	// Seen is the revision that was read as what the service runs, as family:revision, and what
	// its content is compared with. "" when it was not read; what follows up to Base is then zero.
	Seen string
	// SeenHash is the content hash of Seen.
	SeenHash string
	// SeenOurs says that Seen carries our tags and its content is what they say.
	SeenOurs bool
	// SeenBy is the principal that registered Seen; "" when ECS does not say.
	SeenBy string
	// Running says that Seen's containers run the wanted digests, or name the wanted images,
	// although Hash and SeenHash differ: it can be adopted.
	Running bool
	// Base is the revision that the content is derived from, as family:revision: Seen, or the
	// newest of the family that is not ours, or a revision of the past that is held. "" when it
	// was not read.
	Base string
	// Family says that Base is, or is to be, the newest revision of the family that is not ours.
	// Base may then be known although Seen was not read: it is compared with what is remembered.
	Family bool
	// Hash is the content hash of Base with the images set. "" when Base was not read.
	Hash string
	// Carrier is a revision of the past that carries the content and is to be gone back to while
	// it is ACTIVE; "" where any that carries it will do.
	Carrier string
	// Digests are, by container, the digests that ECS may resolve the wanted image to: the
	// index and its children. nil, or no entry: not known, any will do.
	Digests map[string][]string
}

// Policy is what the release's spec says about how.
type Policy struct {
	Suspended        bool
	ProgressDeadline time.Duration
	// Report says to report what somebody else deploys, and not to correct it.
	Report bool
	// Held says that a release of the past is held: what somebody else deploys is reported.
	Held bool
}

// Goal is what a release wants of a service for now. It follows from what the release remembers
// (Goals), never from what a pass has just seen: a failure is written down first.
type Goal string

const (
	// GoalRelease brings the service to the wanted content.
	GoalRelease Goal = "Release"
	// GoalRollback brings it back to its proven revision.
	GoalRollback Goal = "Rollback"
	// GoalLeave leaves it as it is.
	GoalLeave Goal = "Leave"
)

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

	// ProvenAt is when the look at the revision to go back to began; zero: not looked.
	ProvenAt time.Time
	// ProvenRevision is what was looked at, Need.Proven; ProvenActive says that it is ACTIVE, and
	// ProvenHash is its content hash, ACTIVE or not; "" where it cannot be read any more.
	ProvenRevision string
	ProvenActive   bool
	ProvenHash     string

	// EvidenceAt is when the look for why our deployment failed began; zero: not looked.
	EvidenceAt time.Time
	// Evidence is what was found; its lists may be empty.
	Evidence *Evidence

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
	Goal   Goal // "": GoalRelease
	Policy Policy
	Timing Timing
	// Blocked is why nothing may be started now although this service could be: a definite
	// no anywhere in the release, a wave that is not open, an approval that is missing. nil:
	// open. It does not hold up a rollback, except where Barred says so too.
	Blocked *Problem
	// Barred is why the release may change nothing at all: its environment or its identity does
	// not allow it, or another release owns the service. nil: it may.
	Barred *Problem
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
	// Proven: look whether this revision (family:revision) is ACTIVE, and read its content.
	Proven string
	// Evidence: look why our deployment of Revision failed that was started at Since; ID is its
	// service deployment, "" where that is not known.
	Evidence bool
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
	// ActionRestart deploys the revision that the service runs anew.
	ActionRestart Action = "Restart"
	// ActionStop stops our service deployment and rolls it back.
	ActionStop Action = "Stop"
	// ActionContinue lets a deployment that a hook paused go on, or rolls it back.
	ActionContinue Action = "Continue"
)

// Step is the next step of one service: at most one.
type Step struct {
	Action Action
	// Hash is the content that the step registers or deploys.
	Hash string
	// Base is, for ActionRegister, the revision derived from. In a rollback it is registered
	// once more as it stands.
	Base string
	// Revision is the revision to run, as family:revision; for ActionStop and ActionContinue the one
	// that the deployment brings. "" for ActionRegister.
	Revision string
	// PreviousPrimary is, for ActionUpdate and ActionRestart, the id of the primary deployment
	// before.
	PreviousPrimary string
	// Purpose is what for: "" to bring the content, else PurposeRollback, PurposeDrift or, for
	// ActionRestart, PurposeRestart.
	Purpose ecsv1alpha1.DeploymentPurpose
	// ServiceDeployment is, for ActionStop and ActionContinue, the id of the service deployment.
	ServiceDeployment string
	// Hook is, for ActionContinue, the id of the hook; RollBack says to roll back instead.
	Hook     string
	RollBack bool
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
	// Failure is why the service's deployment failed, with the evidence, if that was found in this
	// decision; its target is not filled in.
	Failure *ecsv1alpha1.Failure
	// Awaiting is the hook of our deployment that waits for a person; its target is not filled in.
	Awaiting *ecsv1alpha1.Awaiting
}

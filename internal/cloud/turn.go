package cloud

import (
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"heliumai.space/ecsrelease/internal/rollout"
)

// shutGate is how soon the write gate may be open again.
const shutGate = time.Second

// Turn is a step that a release wants to make when it is its turn.
type Turn struct {
	// Key is the service, and Action what is to be done about it.
	Key    Key
	Action rollout.Action
	// Owner is the release, Environment the one that it belongs to: environments share what there
	// is, however many steps each wants to make.
	Owner       types.NamespacedName
	Environment string
	// Urgent steps go before all that are not, of whatever environment: what brings back a service, or
	// has it go on.
	Urgent bool
	// Family and Hash are what is registered, if anything is, and Looked when the look for an equal
	// revision began.
	Family, Hash string
	Looked       time.Time
}

// Place is where a step stands. The zero value: it is its turn.
type Place struct {
	// Wait is how long it will be until it is the step's turn, as far as that can be told now.
	Wait time.Duration
	// Ahead is how many others go first.
	Ahead int
	// Again is after which time to ask again. Who is much later loses the place.
	Again time.Duration
}

// Turn says whether a step may be made now: there is room for it in our share of the quota, the write
// gate is open, and no other registration in its family may have made what it is to make. A step that
// has to wait has a place in line from then on. A turn that was given is kept for a few seconds, until
// the call is made: with [Fleet.Register], [Fleet.Update] and so on.
//
// Owners are enqueued when a turn comes sooner than they were told, or what they waited for was made.
func (f *Fleet) Turn(t Turn) Place {
	q := quotaOf(t.Action)
	if q == quotaNone {
		return Place{}
	}
	if f.options.Gate(t.Environment, f.options.CallDeadline) != nil {
		return Place{Wait: shutGate, Again: shutGate}
	}
	now := time.Now()
	at := bucketKey{account: t.Key.Identity.AccountID, region: t.Key.Region, quota: q}
	var blocked time.Duration
	if t.Action == rollout.ActionRegister {
		blocked = f.registrations.wait(familyKey{account: at.account, region: at.region, family: t.Family}, t.Looked)
	}
	place, calls := f.lines.ask(at, f.budget.bucket(at), t, t.id(), blocked, now)
	f.tell(calls)
	return place
}

// Want says which turns an owner still wants: it gives up its place in every other line, so that those
// behind it do not wait for what nobody is going to do.
func (f *Fleet) Want(owner types.NamespacedName, turns []Turn) {
	wanted := make(map[stepID]bool, len(turns))
	for i := range turns {
		wanted[turns[i].id()] = true
	}
	f.tell(f.lines.keep(owner, wanted, f.budget.bucket, time.Now()))
}

func (t Turn) id() stepID {
	if t.Action == rollout.ActionRegister {
		return registration(familyKey{account: t.Key.Identity.AccountID, region: t.Key.Region, family: t.Family}, t.Hash)
	}
	return stepID{action: t.Action, key: t.Key}
}

// registration is the step of registering a content in a family.
func registration(family familyKey, hash string) stepID {
	return stepID{action: rollout.ActionRegister, family: family, hash: hash}
}

// spend says that the call of a step is being made.
func (f *Fleet) spend(account, region string, id stepID) {
	f.lines.spend(bucketKey{account: account, region: region, quota: quotaOf(id.action)}, id)
}

// end ends the turn of a step with what came of its call.
func (f *Fleet) end(account, region string, id stepID, err error) {
	at := bucketKey{account: account, region: region, quota: quotaOf(id.action)}
	problem := (*rollout.Problem)(nil)
	again := errors.As(err, &problem) && problem.Delay()
	f.tell(f.lines.done(at, f.budget.bucket(at), id, again, time.Now()))
}

func (f *Fleet) tell(owners []types.NamespacedName) {
	for _, owner := range owners {
		f.options.Enqueue(owner)
	}
}

// quotaOf is the quota that a step takes a token of.
func quotaOf(action rollout.Action) quota {
	switch action {
	case rollout.ActionRegister:
		return quotaTaskDefModify
	case rollout.ActionUpdate, rollout.ActionRestart:
		return quotaServiceModify
	case rollout.ActionStop, rollout.ActionContinue:
		return quotaDeploymentModify
	case rollout.ActionNone:
	}
	return quotaNone
}

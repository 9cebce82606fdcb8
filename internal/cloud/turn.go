package cloud

import (
	"time"

	"heliumai.space/ecsrelease/internal/rollout"
)

// shutGate is how soon the write gate may be open again.
const shutGate = time.Second

// Wait is how long our share of the quota, or the write gate, makes a step wait for its turn; 0:
// there is room for it now. It takes nothing, so that whoever is told to wait need not announce what is not to be
// done yet.
func (f *Fleet) Wait(k Key, action rollout.Action) time.Duration {
	q := quotaNone
	switch action {
	case rollout.ActionRegister:
		q = quotaTaskDefModify
	case rollout.ActionUpdate, rollout.ActionRestart:
		q = quotaServiceModify
	case rollout.ActionStop, rollout.ActionContinue:
		q = quotaDeploymentModify
	case rollout.ActionNone:
	}
	if q == quotaNone {
		return 0
	}
	if f.options.Gate(f.options.CallDeadline) != nil {
		return shutGate
	}
	return f.budget.bucket(bucketKey{account: k.Identity.AccountID, region: k.Region, quota: q}).wait(time.Now())
}

// FamilyWait is how long a registration in a family has to wait for another one there, whose answer
// may be what is wanted, if looked is when the look for an equal revision began; 0: [Fleet.Register]
// would go ahead. It takes nothing, like [Fleet.Wait].
func (f *Fleet) FamilyWait(k Key, family string, looked time.Time) time.Duration {
	return f.registrations.wait(familyKey{account: k.Identity.AccountID, region: k.Region, family: family}, looked)
}

// wait is how long it will be until a token is there.
func (b *bucket) wait(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if shut := b.shutUntil.Sub(now); shut > 0 {
		return shut
	}
	if have := b.limiter.TokensAt(now); have < 1 {
		return time.Duration((1-have)/float64(b.limiter.Limit())*float64(time.Second)) + time.Millisecond
	}
	return 0
}

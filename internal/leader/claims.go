package leader

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// Timing is how the leases of claims are kept.
type Timing struct {
	// Lease is how long one lasts that is not renewed, RenewDeadline how long its holder tries to
	// renew it before it gives up, Retry how long to wait between two tries.
	Lease, RenewDeadline, Retry time.Duration
	// Margin and Wait are those of [NewLock].
	Margin, Wait time.Duration
}

// Claims are leases beside the one that a leader leads by: one for each of the things that managers
// divide among themselves. Who holds one is a manager and not a process of it: the next leader of the
// same manager goes on with it, and another manager takes it when it was given back or has expired.
//
// What is done under a claim is done between Enter and the function that it returns. A claim is given
// back when nothing is done under it any more.
type Claims struct {
	lock    func(name string) (resourcelock.Interface, error)
	timing  Timing
	leading func() error
	changed func(name string)

	mu     sync.Mutex
	run    context.Context // of Start; nil before
	claims map[string]*claim
	kept   sync.WaitGroup
}

// claim is one of them, until it was given back.
type claim struct {
	name string
	lock *Lock

	// The lock of the claims guards what follows.
	wanted bool
	inside int           // how often it was entered and not left
	empty  chan struct{} // closed when it is not wanted and nobody is inside
}

// NewClaims returns claims that take no lease before Start. lock makes the lock of a name; its identity
// is the manager's. leading is nil while this process leads the manager. changed is told a name when its
// lease was taken, lost or given back; it must not block.
func NewClaims(timing Timing, lock func(name string) (resourcelock.Interface, error), leading func() error, changed func(name string)) *Claims {
	return &Claims{lock: lock, timing: timing, leading: leading, changed: changed, claims: map[string]*claim{}}
}

// led is a lock that only the leader of a manager writes: a process that has lost its lead would give
// away what its successor holds in the same name. And it is not given back while somebody is inside, as
// an election does that could not renew it in time: it expires then, which whoever takes it waits for.
type led struct {
	resourcelock.Interface
	leading func() error
	vacant  func() bool
}

// Create implements [resourcelock.Interface].
func (l *led) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if err := l.leading(); err != nil {
		return err
	}
	return l.Interface.Create(ctx, record)
}

// Update implements [resourcelock.Interface].
func (l *led) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if err := l.leading(); err != nil {
		return err
	}
	if record.HolderIdentity == "" && !l.vacant() {
		return fmt.Errorf("the lease %s is not given back: something is done under it", l.Describe())
	}
	return l.Interface.Update(ctx, record)
}

// Want says whether a name is to be claimed. One that is wanted no more is given back when all who
// entered have left; until then it can't be claimed anew. The error is that its lock can't be made.
func (c *Claims) Want(name string, wanted bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.claims[name]
	switch {
	case known == nil && wanted:
		lock, err := c.lock(name)
		if err != nil {
			return fmt.Errorf("claiming %s: %w", name, err)
		}
		known = &claim{name: name, wanted: true, empty: make(chan struct{})}
		known.lock = NewLock(&led{lock, c.leading, known.vacant}, c.timing.Lease, c.timing.Margin, c.timing.Wait)
		c.claims[name] = known
		c.keep(known)
	case known != nil && known.wanted && !wanted:
		known.end()
		if c.run == nil {
			delete(c.claims, name)
		}
	}
	return nil
}

// end has a claim be given back; the lock of the claims is held.
func (c *claim) end() {
	c.wanted = false
	c.vacate()
}

// vacant says that a claim can be given back.
func (c *claim) vacant() bool {
	select {
	case <-c.empty:
		return true
	default:
		return false
	}
}

// vacate says so when a claim can be given back; the lock of the claims is held.
func (c *claim) vacate() {
	if c.wanted || c.inside > 0 {
		return
	}
	if !c.vacant() {
		close(c.empty)
	}
}

// Start keeps the leases until ctx is done, and gives them back then. It may be called once.
func (c *Claims) Start(ctx context.Context) error {
	c.mu.Lock()
	c.run = ctx
	for _, known := range c.claims {
		c.keep(known)
	}
	c.mu.Unlock()

	<-ctx.Done()
	c.mu.Lock()
	for _, known := range c.claims {
		known.end()
	}
	c.mu.Unlock()
	c.kept.Wait()
	return nil
}

// NeedLeaderElection says that only the leader of a manager claims anything for it.
func (c *Claims) NeedLeaderElection() bool { return true }

// keep holds the lease of a claim, once the claims run; their lock is held.
func (c *Claims) keep(known *claim) {
	if c.run == nil || c.run.Err() != nil {
		return
	}
	c.kept.Go(func() {
		// The lease outlasts what was begun under it, so it is not the context of Start that ends it.
		ctx, release := context.WithCancel(context.WithoutCancel(c.run))
		go func() {
			<-known.empty
			release()
		}()
		for ctx.Err() == nil {
			c.elect(ctx, known)
			c.changed(known.name)
		}
		c.mu.Lock()
		delete(c.claims, known.name)
		c.mu.Unlock()
		c.changed(known.name)
	})
}

// elect waits for the lease and holds it, until ctx is done or it was lost.
func (c *Claims) elect(ctx context.Context, known *claim) {
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            known.lock,
		LeaseDuration:   c.timing.Lease,
		RenewDeadline:   c.timing.RenewDeadline,
		RetryPeriod:     c.timing.Retry,
		ReleaseOnCancel: true,
		Name:            known.lock.Describe(),
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { c.changed(known.name) },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		panic(fmt.Sprintf("leader: the timing %+v makes no sense: %v", c.timing, err))
	}
	elector.Run(ctx)
}

// Enter begins something that is done under a claim. It fails when the lease is not ours, or is about
// to be given back. Whoever entered calls leave once.
func (c *Claims) Enter(name string) (leave func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.claims[name]
	if known == nil || !known.wanted || known.lock.Held() != nil {
		return nil, false
	}
	known.inside++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		known.inside--
		known.vacate()
	}, true
}

// Gate is nil while the lease of a name is ours for at least as long as needed; see [Lock.Gate].
func (c *Claims) Gate(name string, needed time.Duration) error {
	if known := c.claim(name); known != nil {
		return known.lock.Gate(needed)
	}
	return fmt.Errorf("this manager does not claim %s", name)
}

// Held is nil while the lease of a name is ours; see [Lock.Held].
func (c *Claims) Held(name string) error {
	if known := c.claim(name); known != nil {
		return known.lock.Held()
	}
	return fmt.Errorf("this manager does not claim %s", name)
}

func (c *Claims) claim(name string) *claim {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.claims[name]
}

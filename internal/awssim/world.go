package awssim

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// world is everything that exists on the simulated side: accounts, their regions, and the
// queue of things that will happen to them. One lock guards all of it; every handler and
// every scheduled event runs under that lock.
type world struct {
	mu       sync.Mutex
	speed    float64
	clock    time.Time // the time of the event that runs now; zero outside of one
	queue    eventQueue
	sequence uint64
	waiting  chan struct{} // closed when something happens that a call may be waiting for; nil if none waits
	accounts map[string]*account
	ecs      ecsWorld
	elb      elbWorld
	events   eventsWorld
}

// account is one AWS account.
type account struct {
	id      string
	regions map[string]*region
	iam     iamState
}

// region is one region of one account. Each service keeps its own state there.
type region struct {
	account      *account
	name         string
	ecs          *ecsState
	ecr          *ecrState
	elb          *elbState
	cloudwatch   *cloudwatchState
	sqs          *sqsState
	events       *eventBus
	route53      *route53State
	acm          *acmState
	accelerators *acceleratorState
	buckets      map[string]*bucket
}

// call is one authenticated request on its way to a handler. Handlers run under world.mu.
type call struct {
	ctx       context.Context
	sim       *Simulator
	account   *account
	region    *region
	principal principal
	service   string // "ecs", "ecr", "sts", "elasticloadbalancing", "cloudwatch", "sqs", "events", "route53", "acm", "globalaccelerator"
	operation string // "UpdateService"
	requestID string
	protocol  wireProtocol
	staleness time.Duration // a stale-read fault: answer as the world was this long ago
	scheme    string        // "http" or "https", and
	host      string        // the host the client used: URLs handed out lead back to it
	entry     *JournalEntry // where authorize writes what it decided
}

// now is the simulated present: the due time of the event that runs, else the wall clock.
func (w *world) now() time.Time {
	if !w.clock.IsZero() {
		return w.clock
	}
	return time.Now()
}

// after schedules fn for when d of AWS's time has passed (d/speed of ours). fn runs under
// the lock, with now() at exactly its due time, the next time anybody looks at the world.
func (w *world) after(d time.Duration, fn func()) {
	w.sequence++
	heap.Push(&w.queue, event{due: w.now().Add(w.scale(d)), sequence: w.sequence, fn: fn})
	if w.queue[0].sequence == w.sequence {
		w.rouse() // who waits for the next event has to wait for this one
	}
}

// scale turns a duration of AWS's into one of the wall clock.
func (w *world) scale(d time.Duration) time.Duration {
	if w.speed <= 0 || w.speed == 1 {
		return d
	}
	return time.Duration(float64(d) / w.speed)
}

// advance runs, in order, every event that is due. The caller holds mu.
func (w *world) advance() {
	limit := time.Now()
	for len(w.queue) > 0 && !w.queue[0].due.After(limit) {
		next := heap.Pop(&w.queue).(event)
		w.clock = next.due
		next.fn()
	}
	w.clock = time.Time{}
}

type event struct {
	due      time.Time
	sequence uint64
	fn       func()
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	if q[i].due.Equal(q[j].due) {
		return q[i].sequence < q[j].sequence
	}
	return q[i].due.Before(q[j].due)
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

package cloud

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

const (
	// longPoll is how long SQS holds a question for messages open: the longest that it does
	// ("Amazon SQS short and long polling").
	longPoll = 20 * time.Second
	// visibility is how long SQS keeps messages from others that were received and not deleted.
	visibility = 30 * time.Second
	// unheard is how long after a service was seen to have changed the event of that may be on its way.
	unheard = 2 * time.Minute
)

// The operations of queues. SQS has no quota that one question at a time comes near to. A role without
// the right to receive is usual, and says nothing against the credentials that ECS is asked with.
var (
	receiveMessage = operation{action: "sqs:ReceiveMessage", reason: ecsv1alpha1.ReasonObservationFailed, deadline: longPoll + 10*time.Second, optional: true}
	deleteMessage  = operation{action: "sqs:DeleteMessage", reason: ecsv1alpha1.ReasonObservationFailed, optional: true}
)

// Queue is an SQS queue into which EventBridge brings what happens in an account and region.
type Queue struct {
	Identity Identity
	Region   string
	URL      string
}

// Hearing is how it goes with a queue.
type Hearing struct {
	// Began is since when messages are asked for; zero: they are not, as long as nobody leads.
	Began time.Time
	// Heard is when the last event came that told of a service or of an image; zero: none did.
	Heard time.Time
	// Missed is when a service of the queue's account and region was seen to have changed of which
	// no event came; zero: none.
	Missed time.Time
	// Problem is why messages can't be asked for; nil: they can.
	Problem *rollout.Problem
}

// ear is a queue, whoever receives from it.
type ear struct{ region, url string }

func (q Queue) ear() ear { return ear{q.Region, q.URL} }

// listener asks one queue for messages, for as long as anybody wants to hear it.
type listener struct {
	ear  ear
	stop context.CancelFunc // nil before the fleet runs

	// The fleet's earsMu guards what follows.
	users   map[string]Identity // by environment
	able    Identity            // as whom the queue answered last; zero: nobody yet
	told    time.Time           // when the last event came that told of a service that concerns it
	hearing Hearing
}

// concerns says whether events of an account and region are what a queue should bring.
func (l *listener) concerns(account, region string) bool {
	if l.ear.region != region {
		return false
	}
	for _, identity := range l.users {
		if identity.AccountID == account {
			return true
		}
	}
	return false
}

// candidates are the identities of the users, in the order in which they are tried: first the one that
// could the last time.
func (l *listener) candidates() []Identity {
	var identities []Identity
	for _, user := range slices.Sorted(maps.Keys(l.users)) {
		identities = append(identities, l.users[user])
	}
	if last := slices.Index(identities, l.able); last > 0 {
		return slices.Concat(identities[last:], identities[:last])
	}
	return identities
}

// Hear replaces the queues that an environment wants to be heard; none forgets it. Each queue is asked
// by one loop, whoever wants it, while the fleet runs. An event is a hint to look, and nothing more:
// whatever it says is read from ECS or ECR. A queue that does not answer takes nothing away but the time
// until the next look.
func (f *Fleet) Hear(environment string, queues []Queue) {
	f.earsMu.Lock()
	defer f.earsMu.Unlock()
	for _, l := range f.ears {
		if slices.ContainsFunc(queues, func(q Queue) bool { return q.ear() == l.ear }) {
			continue
		}
		delete(l.users, environment)
		if len(l.users) > 0 {
			continue
		}
		delete(f.ears, l.ear)
		if l.stop != nil {
			l.stop()
		}
	}
	for _, queue := range queues {
		l := f.ears[queue.ear()]
		if l == nil {
			l = &listener{ear: queue.ear(), users: map[string]Identity{}}
			f.ears[l.ear] = l
		}
		l.users[environment] = queue.Identity
		if l.stop == nil {
			f.listen(l)
		}
	}
}

// Heard is how it goes with a queue that somebody wants to be heard.
func (f *Fleet) Heard(queue Queue) Hearing {
	f.earsMu.Lock()
	defer f.earsMu.Unlock()
	l := f.ears[queue.ear()]
	if l == nil {
		return Hearing{}
	}
	hearing := l.hearing
	if hearing.Problem != nil || time.Since(hearing.Missed) < unheard {
		hearing.Missed = time.Time{} // the event may be on its way
	}
	return hearing
}

// listen starts the loop of a listener, if the fleet runs. The lock of ears is held.
func (f *Fleet) listen(l *listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.run == nil || f.stopped {
		return
	}
	ctx, stop := context.WithCancel(f.run)
	l.stop, l.hearing.Began = stop, time.Now()
	f.loops.Go(func() { f.hear(ctx, l) })
}

// listenAll starts the loops of all listeners when the fleet begins to run.
func (f *Fleet) listenAll() {
	f.earsMu.Lock()
	defer f.earsMu.Unlock()
	for _, l := range f.ears {
		if l.stop == nil {
			f.listen(l)
		}
	}
}

// hear asks for messages until ctx is done, with growing pauses while that is in vain.
func (f *Fleet) hear(ctx context.Context, l *listener) {
	failures := 0
	for ctx.Err() == nil {
		problem := f.receive(ctx, l)
		if ctx.Err() != nil {
			return
		}
		f.earsMu.Lock()
		l.hearing.Problem = problem
		f.earsMu.Unlock()
		if problem == nil {
			failures = 0
			continue
		}
		pause(ctx, max(jitter(min(time.Second<<min(failures, 6), time.Minute)), problem.RetryAfter))
		failures++
	}
}

// asAny asks a queue as the first of the candidates that can: one that can is enough. Where none can, the
// problem is one that passes by itself, which says nothing against who has it, or else the first.
func asAny[T any](ctx context.Context, f *Fleet, l *listener, ask func(s *session) (T, *rollout.Problem)) (T, *rollout.Problem) {
	f.earsMu.Lock()
	candidates := l.candidates()
	f.earsMu.Unlock()
	var problem *rollout.Problem
	for _, as := range candidates {
		out, failed := ask(f.session(as, l.ear.region))
		if failed == nil {
			f.earsMu.Lock()
			l.able = as
			f.earsMu.Unlock()
			return out, nil
		}
		if problem == nil || failed.Delay() && !problem.Delay() {
			problem = failed
		}
		if ctx.Err() != nil {
			break
		}
	}
	if problem == nil {
		problem = because(rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "nobody is left who asks queue %s", l.ear.url)
	}
	var none T
	return none, problem
}

// receive takes what there is in a queue, has looked at what it concerns, and then deletes it. What is
// no event, or of nothing that we know, is deleted too. What could not be deleted comes again, and is
// looked into again.
func (f *Fleet) receive(ctx context.Context, l *listener) *rollout.Problem {
	url := l.ear.url
	out, problem := asAny(ctx, f, l, func(s *session) (*sqs.ReceiveMessageOutput, *rollout.Problem) {
		return read(ctx, f, s, receiveMessage, "receiving messages of queue "+url, func(ctx context.Context) (*sqs.ReceiveMessageOutput, error) {
			return s.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
				QueueUrl:            &url,
				MaxNumberOfMessages: 10,
				WaitTimeSeconds:     int32(longPoll / time.Second),
				VisibilityTimeout:   int32(visibility / time.Second),
			})
		})
	})
	if problem != nil || len(out.Messages) == 0 {
		return problem
	}
	seen := map[hint]bool{}
	var handles []types.DeleteMessageBatchRequestEntry
	for i := range out.Messages {
		message := &out.Messages[i]
		hints, kind := hintsOf([]byte(aws.ToString(message.Body)))
		f.metrics.events.WithLabelValues(kind).Inc()
		for _, h := range hints {
			seen[h] = true
		}
		handles = append(handles, types.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: message.ReceiptHandle})
	}
	f.noteHints(l, seen)
	for h := range seen {
		f.follow(h)
	}
	deleted, problem := asAny(ctx, f, l, func(s *session) (*sqs.DeleteMessageBatchOutput, *rollout.Problem) {
		return read(ctx, f, s, deleteMessage, "deleting messages of queue "+url, func(ctx context.Context) (*sqs.DeleteMessageBatchOutput, error) {
			return s.sqs.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: handles})
		})
	})
	if problem == nil && len(deleted.Failed) > 0 {
		problem = because(rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "deleting messages of queue %s: %d of %d were not deleted: %s %s",
			url, len(deleted.Failed), len(handles), text(deleted.Failed[0].Code), text(deleted.Failed[0].Message))
	}
	return problem
}

// noteHints notes what a queue told of. Only that says that its events come: anything else may have been
// sent by whoever may send to it, and one of an image does not say that those of services come too.
func (f *Fleet) noteHints(l *listener, hints map[hint]bool) {
	f.earsMu.Lock()
	defer f.earsMu.Unlock()
	now := time.Now()
	for h := range hints {
		l.hearing.Heard = now
		if h.service != "" && l.concerns(h.account, h.region) {
			l.told, l.hearing.Missed = now, time.Time{}
		}
	}
}

// follow looks at what a hint says has changed: at once and, since reads of ECS lag behind its events,
// twice more, so that what is seen at last is seen soon.
func (f *Fleet) follow(h hint) {
	if h.repository != "" {
		if f.options.Pushed != nil {
			f.options.Pushed(h.repository, h.tag)
		}
		return
	}
	const lag = 2 * time.Second
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for at, r := range f.reflectors {
		if at.identity.AccountID != h.account || at.region != h.region || h.cluster != "" && at.cluster != h.cluster {
			continue
		}
		w, ok := r.services[h.service]
		if !ok {
			continue
		}
		f.hinted.put(Key{Identity: at.identity, Region: at.region, Cluster: at.cluster, Service: h.service}, now.Add(lag), 1)
		for _, later := range []time.Duration{0, lag / 2, lag} {
			w.ask(now.Add(later), now)
		}
		r.awake()
	}
}

// noteChange notes that a service was seen to have changed since it was last looked at, for the queues
// that should have told of it.
func (f *Fleet) noteChange(at neighbourhood, since time.Time) {
	f.earsMu.Lock()
	defer f.earsMu.Unlock()
	for _, l := range f.ears {
		told := l.told.After(since.Add(-unheard)) || l.hearing.Began.After(since)
		if l.concerns(at.identity.AccountID, at.region) && !told && l.hearing.Missed.IsZero() {
			l.hearing.Missed = time.Now()
		}
	}
}

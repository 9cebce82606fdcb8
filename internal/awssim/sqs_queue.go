package awssim

import (
	"container/heap"
	"container/list"
	"time"
)

// A queue holds so many messages and so many bytes of them at most; AWS has no such limit.
// Beyond either, the oldest message is dropped.
const (
	queueMessages = 50000
	queueBytes    = 64 << 20
)

// queue is one standard queue. A message is ready, or hidden until a moment: because it was
// received and may yet be deleted, or because it was sent with a delay.
type queue struct {
	queueAddress
	region   string
	id       string // tells its receipt handles from those of a namesake
	settings queueSettings
	tags     map[string]string
	created  time.Time
	modified time.Time
	purged   time.Time

	messages map[string]*queuedMessage // by ID
	order    list.List                 // of all, as they were sent
	ready    list.List                 // of those that the next receive may get, next one first
	hidden   hiddenMessages            // of all others
	delayed  int                       // how many of the hidden were never to be seen yet
	bytes    int
	dropped  int // for want of space
}

// queuedMessage is one message. Its identifier and its time stay when it moves to a
// dead-letter queue.
type queuedMessage struct {
	id       string
	body     string
	sender   string
	source   string // the ARN of the queue that it comes from, in a dead-letter queue
	sentAt   time.Time
	received time.Time // first
	receives int

	inOrder   *list.Element
	inReady   *list.Element // nil while it is hidden
	position  int           // among the hidden
	visibleAt time.Time     // of a hidden one
	delayed   bool
}

// hiddenMessages is a heap, the next one to become visible first.
type hiddenMessages []*queuedMessage

func (h hiddenMessages) Len() int           { return len(h) }
func (h hiddenMessages) Less(i, j int) bool { return h[i].visibleAt.Before(h[j].visibleAt) }
func (h hiddenMessages) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].position, h[j].position = i, j
}

func (h *hiddenMessages) Push(x any) {
	m := x.(*queuedMessage)
	m.position = len(*h)
	*h = append(*h, m)
}

func (h *hiddenMessages) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}

func newQueue(at queueAddress, region, id string, settings queueSettings, now time.Time) *queue {
	return &queue{
		queueAddress: at, region: region, id: id, settings: settings, tags: map[string]string{},
		created: now, modified: now, messages: map[string]*queuedMessage{},
	}
}

func (q *queue) ownARN() string { return q.arn(q.region) }

// put takes a message in, hidden for the delay.
func (q *queue) put(m *queuedMessage, delay time.Duration, now time.Time) {
	q.messages[m.id] = m
	after := q.order.Back() // one from another queue may be older than those that are here
	for after != nil && after.Value.(*queuedMessage).sentAt.After(m.sentAt) {
		after = after.Prev()
	}
	if after == nil {
		m.inOrder = q.order.PushFront(m)
	} else {
		m.inOrder = q.order.InsertAfter(m, after)
	}
	q.bytes += len(m.body)
	if delay > 0 {
		m.delayed = true
		q.delayed++
		q.hide(m, now.Add(delay))
	} else {
		m.inReady = q.ready.PushBack(m)
	}
	for len(q.messages) > queueMessages || q.bytes > queueBytes {
		q.remove(q.order.Front().Value.(*queuedMessage))
		q.dropped++
	}
}

func (q *queue) hide(m *queuedMessage, until time.Time) {
	m.visibleAt = until
	heap.Push(&q.hidden, m)
}

// withdraw takes a message off the ready or the hidden ones.
func (q *queue) withdraw(m *queuedMessage) {
	if m.inReady != nil {
		q.ready.Remove(m.inReady)
		m.inReady = nil
		return
	}
	heap.Remove(&q.hidden, m.position)
	if m.delayed {
		m.delayed = false
		q.delayed--
	}
}

func (q *queue) remove(m *queuedMessage) {
	q.withdraw(m)
	q.order.Remove(m.inOrder)
	q.bytes -= len(m.body)
	delete(q.messages, m.id)
}

func (q *queue) clear() {
	q.messages, q.hidden, q.delayed, q.bytes = map[string]*queuedMessage{}, nil, 0, 0
	q.order.Init()
	q.ready.Init()
}

// settle lets time have passed: hidden messages appear again, old ones are no more.
func (q *queue) settle(now time.Time) {
	for len(q.hidden) > 0 && !q.hidden[0].visibleAt.After(now) {
		m := q.hidden[0]
		q.withdraw(m)
		m.inReady = q.ready.PushBack(m)
	}
	expired := now.Add(-q.settings.retention)
	for front := q.order.Front(); front != nil && !front.Value.(*queuedMessage).sentAt.After(expired); front = q.order.Front() {
		q.remove(front.Value.(*queuedMessage))
	}
}

// nextVisible is when a message appears by itself, limit if none does before.
func (q *queue) nextVisible(limit time.Time) time.Time {
	if len(q.hidden) > 0 && q.hidden[0].visibleAt.Before(limit) {
		return q.hidden[0].visibleAt
	}
	return limit
}

// receive hands out a ready message and hides it for the time; nil when there is none. One
// that was received as often as the redrive policy says goes to the dead-letter queue instead,
// unless that is gone.
func (q *queue) receive(deadLetters *queue, timeout time.Duration, now time.Time) *queuedMessage {
	for front := q.ready.Front(); front != nil; front = q.ready.Front() {
		m := front.Value.(*queuedMessage)
		if deadLetters != nil && m.receives >= q.settings.redrive.max {
			q.remove(m)
			deadLetters.put(&queuedMessage{id: m.id, body: m.body, sender: m.sender, source: q.ownARN(), sentAt: m.sentAt}, 0, now)
			continue
		}
		q.withdraw(m)
		m.receives++
		if m.received.IsZero() {
			m.received = now
		}
		q.hide(m, now.Add(timeout))
		return m
	}
	return nil
}

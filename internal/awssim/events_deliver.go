package awssim

import (
	"slices"
	"time"
)

// eventsWorld is what the buses of all accounts and regions have in common: what was scripted
// for deliveries, and what became of them.
type eventsWorld struct {
	faults     []*armedDeliveryFault
	deliveries []EventDelivery // the newest last
}

const (
	// deliveryTime is how long, in AWS's time, an event is on its way to a queue.
	deliveryTime = time.Second
	// deliveriesKept is how many deliveries are remembered.
	deliveriesKept = 1000

	eventsService = "events.amazonaws.com"
)

// EventDelivery is what became of an event that a rule had for a target. One that was
// duplicated has an entry for each copy.
type EventDelivery struct {
	EventID    string    `json:"eventId"`
	DetailType string    `json:"detailType"`
	Resources  []string  `json:"resources"`
	Published  time.Time `json:"published"`
	Time       time.Time `json:"time"`             // when this became of it
	Rule       string    `json:"rule"`             // ARN
	Target     string    `json:"target"`           // ID
	Queue      string    `json:"queue"`            // ARN
	Outcome    string    `json:"outcome"`          // Delivered, Dropped (as AWS drops it) or Lost (by a fault)
	Reason     string    `json:"reason,omitempty"` // of what was dropped
	Faults     []string  `json:"faults,omitempty"` // IDs of the faults it suffered
}

// EventDeliveries lists the newest thousand deliveries, oldest first. What is still on its way
// is not among them.
func (s *Simulator) EventDeliveries() []EventDelivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	all := s.events.deliveries
	return append([]EventDelivery{}, all[max(0, len(all)-deliveriesKept):]...)
}

// ClearEventDeliveries forgets the deliveries that are over.
func (s *Simulator) ClearEventDeliveries() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.events.deliveries = nil
}

// dispatch sends an event on its way to a target, with what the faults do to it.
func (w *world) dispatch(r *region, rule *eventRule, target eventTarget, e *publishedEvent) {
	d := EventDelivery{
		EventID: e.envelope.ID, DetailType: e.envelope.DetailType, Resources: e.envelope.Resources, Published: e.at,
		Rule: rule.arn, Target: target.id, Queue: target.arn,
	}
	suffered := w.afflictDelivery(rule, target, e)
	d.Faults = suffered.faults
	for _, delay := range suffered.delays {
		w.after(deliveryTime+delay, func() {
			d := d
			switch {
			case suffered.lose:
				d.Outcome = "Lost"
			default:
				d.Outcome, d.Reason = w.deliver(r, rule, target, suffered.bodyOr(e.body))
			}
			w.rememberDelivery(d)
		})
	}
}

// deliver puts an event into the queue that a target names, if the queue takes it. Without a
// dead-letter queue of the target's, EventBridge drops what it may not deliver.
func (w *world) deliver(r *region, rule *eventRule, target eventTarget, body string) (outcome, reason string) {
	q := w.findQueue(target.queue, r.name)
	switch {
	case q == nil:
		return "Dropped", "the queue does not exist"
	case q.settings.policy.decideService(eventsService, "sqs:SendMessage", target.arn, rule.arn, r.account.id) != allowed:
		return "Dropped", "the queue's policy does not allow " + eventsService + " to send for this rule"
	case len(body) > q.settings.maximum:
		return "Dropped", "the event is longer than the queue's messages may be"
	}
	now := w.now()
	q.settle(now)
	q.put(&queuedMessage{id: r.events.uuid(), body: body, sender: eventsService, sentAt: now}, q.settings.delay, now)
	w.rouse()
	return "Delivered", ""
}

func (w *world) rememberDelivery(d EventDelivery) {
	d.Time = w.now()
	if all := w.events.deliveries; len(all) >= 2*deliveriesKept {
		w.events.deliveries = slices.Clone(all[len(all)-deliveriesKept:])
	}
	w.events.deliveries = append(w.events.deliveries, d)
}

package awssim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// DeliveryFault is something that goes wrong with the events it matches on their way to a
// queue, each time a rule has one for a target. The matching fields take * and ?; an empty one
// matches everything. An event that several faults match suffers all of them: it is late by
// all their delays, is copied by each, and has the body of the first that has one.
type DeliveryFault struct {
	ID         string `json:"id"` // output
	Account    string `json:"account,omitempty"`
	Region     string `json:"region,omitempty"`
	Source     string `json:"source,omitempty"`     // "aws.ecs"
	DetailType string `json:"detailType,omitempty"` // "ECS Hook State Change"
	Rule       string `json:"rule,omitempty"`       // its name
	Queue      string `json:"queue,omitempty"`      // its name
	Event      string `json:"event,omitempty"`      // plain text that the event must contain

	Skip        int     `json:"skip,omitempty"`        // let so many matching events pass first
	Times       int     `json:"times,omitempty"`       // then strike so often; 0 means until removed
	Probability float64 `json:"probability,omitempty"` // of each strike; 0 means always
	Seed        uint64  `json:"seed,omitempty"`        // of what is left to chance; 0 takes the simulator's

	Lose      bool          `json:"lose,omitempty"`      // it never arrives
	Duplicate int           `json:"duplicate,omitempty"` // so many copies arrive besides
	Body      *string       `json:"body,omitempty"`      // this arrives in its place
	Delay     time.Duration `json:"-"`                   // it arrives so much later, in AWS's time
	// Jitter is how much later than that it may arrive, in AWS's time, each copy by itself: events
	// lose their order.
	Jitter time.Duration `json:"-"`

	Matched int `json:"matched"` // output: how many events it matched
	Struck  int `json:"struck"`  // output: how many of them it hit
}

// mostCopies of one event are as many as a fault may ask for.
const mostCopies = 100

type deliveryFaultDocument struct {
	*plainDeliveryFault
	Delay  span `json:"delay,omitzero"`
	Jitter span `json:"jitter,omitzero"`
}

type plainDeliveryFault DeliveryFault

// MarshalJSON writes durations as Go spells them.
func (f DeliveryFault) MarshalJSON() ([]byte, error) {
	plain := plainDeliveryFault(f)
	return json.Marshal(deliveryFaultDocument{&plain, span(f.Delay), span(f.Jitter)})
}

// UnmarshalJSON reads durations as Go spells them, and refuses unknown members.
func (f *DeliveryFault) UnmarshalJSON(data []byte) error {
	document := deliveryFaultDocument{plainDeliveryFault: (*plainDeliveryFault)(f)}
	if err := decodeStrictly(data, &document); err != nil {
		return err
	}
	f.Delay, f.Jitter = time.Duration(document.Delay), time.Duration(document.Jitter)
	return nil
}

func (f *DeliveryFault) check() error {
	switch {
	case !f.Lose && f.Duplicate == 0 && f.Body == nil && f.Delay == 0 && f.Jitter == 0:
		return fmt.Errorf("the fault does nothing: give it lose, duplicate, body, delay or jitter")
	case f.Lose && (f.Duplicate != 0 || f.Body != nil || f.Delay != 0 || f.Jitter != 0):
		return fmt.Errorf("lose goes with nothing else: what never arrives has no copies, body or delay")
	case f.Duplicate < 0 || f.Duplicate > mostCopies:
		return fmt.Errorf("duplicate is %d; it must be 0 to %d", f.Duplicate, mostCopies)
	case f.Body != nil && !sendable(*f.Body):
		return fmt.Errorf("the body has characters that no message may have")
	case f.Body != nil && *f.Body == "":
		return fmt.Errorf("the body is empty; no message is")
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("probability is %v; it must be between 0 and 1", f.Probability)
	case f.Skip < 0 || f.Times < 0 || f.Delay < 0 || f.Jitter < 0:
		return fmt.Errorf("skip, times, delay and jitter cannot be negative")
	default:
		return nil
	}
}

// armedDeliveryFault is a fault that is in force.
type armedDeliveryFault struct {
	DeliveryFault
	random *rand.Rand
}

// AddDeliveryFault puts a fault in force for the events that are announced from now on, and
// returns its ID.
func (s *Simulator) AddDeliveryFault(f DeliveryFault) (id string, err error) {
	if err := f.check(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	f.ID, f.Matched, f.Struck = "delivery-fault-"+s.randomText(hexAlphabet, 8), 0, 0
	seed := cmp.Or(f.Seed, s.random.Uint64())
	s.events.faults = append(s.events.faults, &armedDeliveryFault{f, rand.New(rand.NewPCG(seed, seed))})
	return f.ID, nil
}

// DeliveryFaults lists the faults in force, oldest first.
func (s *Simulator) DeliveryFaults() []DeliveryFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	faults := []DeliveryFault{}
	for _, f := range s.events.faults {
		faults = append(faults, f.DeliveryFault)
	}
	return faults
}

// RemoveDeliveryFault ends a fault, and tells whether there was one of that ID. Events that it
// has hit already go on suffering.
func (s *Simulator) RemoveDeliveryFault(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	before := len(s.events.faults)
	s.events.faults = slices.DeleteFunc(s.events.faults, func(f *armedDeliveryFault) bool { return f.ID == id })
	return len(s.events.faults) < before
}

// ClearDeliveryFaults ends all faults of deliveries.
func (s *Simulator) ClearDeliveryFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.events.faults = nil
}

// deliveryFate is what all the faults together do to an event on its way to one target.
type deliveryFate struct {
	lose   bool
	body   *string
	delays []time.Duration // of the event and of each copy
	faults []string
}

func (f *deliveryFate) bodyOr(body string) string {
	if f.body != nil {
		return *f.body
	}
	return body
}

// afflictDelivery finds what goes wrong with a delivery, and uses up the faults that strike.
func (w *world) afflictDelivery(rule *eventRule, target eventTarget, e *publishedEvent) deliveryFate {
	fate := deliveryFate{delays: []time.Duration{0}}
	for _, f := range w.events.faults {
		if !f.matches(rule, target, e) {
			continue
		}
		f.Matched++
		if !strikes(f.Matched, f.Skip, f.Times, f.Struck, f.Probability, f.random) {
			continue
		}
		f.Struck++
		fate.faults = append(fate.faults, f.ID)
		fate.lose = fate.lose || f.Lose
		fate.body = cmp.Or(fate.body, f.Body)
		fate.delays = append(fate.delays, slices.Repeat([]time.Duration{fate.delays[0]}, f.Duplicate)...)
		for i := range fate.delays {
			fate.delays[i] += f.Delay
			if f.Jitter > 0 {
				fate.delays[i] += time.Duration(f.random.Int64N(int64(f.Jitter)))
			}
		}
	}
	if fate.lose {
		fate.delays = fate.delays[:1]
	}
	return fate
}

func (f *armedDeliveryFault) matches(rule *eventRule, target eventTarget, e *publishedEvent) bool {
	return matchOrEmpty(f.Account, e.envelope.Account) && matchOrEmpty(f.Region, e.envelope.Region) &&
		matchOrEmpty(f.Source, e.envelope.Source) && matchOrEmpty(f.DetailType, e.envelope.DetailType) &&
		matchOrEmpty(f.Rule, rule.name) && matchOrEmpty(f.Queue, target.queue.name) &&
		strings.Contains(e.body, f.Event)
}

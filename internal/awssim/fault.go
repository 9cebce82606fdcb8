package awssim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault is something that goes wrong with the calls it matches. The matching fields take *
// and ?; an empty one matches everything. A call that several faults match waits for all of
// them, sees the stalest world, and suffers the first error, throttle, drop or hang; the other
// faults of these four kinds keep their strike for another call.
type Fault struct {
	ID        string `json:"id"`                  // output
	Account   string `json:"account,omitempty"`   // of the caller
	Region    string `json:"region,omitempty"`    //
	Service   string `json:"service,omitempty"`   // "ecs", "ecr", "elasticloadbalancing", "route53" and so on
	Operation string `json:"operation,omitempty"` // "UpdateService"
	Principal string `json:"principal,omitempty"` // the caller's ARN
	Body      string `json:"body,omitempty"`      // plain text that the request must contain

	Skip        int     `json:"skip,omitempty"`        // let so many matching calls pass first
	Times       int     `json:"times,omitempty"`       // then strike so often; 0 means until removed
	Probability float64 `json:"probability,omitempty"` // of each strike; 0 means always
	Seed        uint64  `json:"seed,omitempty"`        // of the probability; 0 takes the simulator's

	// At most one of the next four.
	Error    *FaultError `json:"error,omitempty"`    // answer this
	Throttle bool        `json:"throttle,omitempty"` // answer ThrottlingException
	Drop     bool        `json:"drop,omitempty"`     // close the connection without an answer
	Hang     bool        `json:"hang,omitempty"`     // never answer; ends when the client goes away

	// Executed lets the call do its work before it suffers Error, Drop or Hang: the
	// response is lost, not the request.
	Executed bool `json:"executed,omitempty"`

	Latency   time.Duration `json:"-"` // wait so long, on the wall clock, before anything happens
	Staleness time.Duration `json:"-"` // reads show the world as it was so long ago

	Matched int `json:"matched"` // output: how many calls it matched
	Struck  int `json:"struck"`  // output: how many of them it hit
}

// FaultError is an error answer in the words of AWS.
type FaultError struct {
	Status  int    `json:"status"` // 400 if absent
	Code    string `json:"code"`
	Message string `json:"message"`
}

type faultDocument struct {
	*plainFault
	Latency   span `json:"latency,omitzero"`
	Staleness span `json:"staleness,omitzero"`
}

type plainFault Fault

// MarshalJSON writes durations as Go spells them.
func (f Fault) MarshalJSON() ([]byte, error) {
	plain := plainFault(f)
	return json.Marshal(faultDocument{&plain, span(f.Latency), span(f.Staleness)})
}

// UnmarshalJSON reads durations as Go spells them, and refuses unknown members.
func (f *Fault) UnmarshalJSON(data []byte) error {
	document := faultDocument{plainFault: (*plainFault)(f)}
	if err := decodeStrictly(data, &document); err != nil {
		return err
	}
	f.Latency, f.Staleness = time.Duration(document.Latency), time.Duration(document.Staleness)
	return nil
}

// armedFault is a fault that is in force.
type armedFault struct {
	Fault
	random *rand.Rand
}

// AddFault puts a fault in force and returns its ID.
func (s *Simulator) AddFault(f Fault) (id string, err error) {
	if err := f.check(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Error != nil {
		answer := *f.Error
		answer.Status = cmp.Or(answer.Status, http.StatusBadRequest)
		f.Error = &answer
	}
	f.ID, f.Matched, f.Struck = "fault-"+s.randomText(hexAlphabet, 8), 0, 0
	seed := cmp.Or(f.Seed, s.random.Uint64())
	s.faults = append(s.faults, &armedFault{Fault: f, random: rand.New(rand.NewPCG(seed, seed))})
	return f.ID, nil
}

func (f *Fault) check() error {
	effects := 0
	for _, set := range []bool{f.Error != nil, f.Throttle, f.Drop, f.Hang} {
		if set {
			effects++
		}
	}
	switch {
	case effects > 1:
		return fmt.Errorf("a fault has at most one of error, throttle, drop and hang")
	case effects == 0 && f.Latency <= 0 && f.Staleness <= 0:
		return fmt.Errorf("the fault does nothing: give it error, throttle, drop, hang, latency or staleness")
	case f.Executed && (effects == 0 || f.Throttle):
		return fmt.Errorf("executed goes with error, drop or hang")
	case f.Error != nil && f.Error.Code == "":
		return fmt.Errorf("the error needs a code")
	case f.Error != nil && f.Error.Status != 0 && (f.Error.Status < 400 || f.Error.Status > 599):
		return fmt.Errorf("the error's status is %d; it must be 400 to 599", f.Error.Status)
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("probability is %v; it must be between 0 and 1", f.Probability)
	case f.Skip < 0 || f.Times < 0 || f.Latency < 0 || f.Staleness < 0:
		return fmt.Errorf("skip, times, latency and staleness cannot be negative")
	default:
		return nil
	}
}

// Faults lists the faults in force, oldest first.
func (s *Simulator) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	faults := []Fault{}
	for _, f := range s.faults {
		faults = append(faults, f.Fault)
	}
	return faults
}

// RemoveFault ends a fault, and tells whether there was one of that ID. A call that it has
// hit already goes on suffering.
func (s *Simulator) RemoveFault(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.faults)
	s.faults = slices.DeleteFunc(s.faults, func(f *armedFault) bool { return f.ID == id })
	return len(s.faults) < before
}

// ClearFaults ends all faults.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// affliction is what all the faults together do to one call.
type affliction struct {
	latency   time.Duration
	staleness time.Duration
	effect    *Fault // nil, or the one whose error, throttle, drop or hang it suffers
}

// afflict finds what goes wrong with a call, and uses up the faults that strike. The caller
// holds mu.
func (s *Simulator) afflict(c *call, body []byte) affliction {
	var a affliction
	for _, f := range s.faults {
		if !f.matches(c, body) {
			continue
		}
		f.Matched++
		effective := f.Error != nil || f.Throttle || f.Drop || f.Hang
		if effective && a.effect != nil || !f.strikes() {
			continue // a fault that comes second keeps its strike for another call
		}
		a.latency += f.Latency
		a.staleness = max(a.staleness, f.Staleness)
		if effective {
			effect := f.Fault
			a.effect = &effect
		}
	}
	return a
}

func (f *armedFault) matches(c *call, body []byte) bool {
	return matchOrEmpty(f.Account, c.account.id) && matchOrEmpty(f.Region, c.region.name) &&
		matchOrEmpty(f.Service, c.service) && matchOrEmpty(f.Operation, c.operation) &&
		matchOrEmpty(f.Principal, c.principal.arn) &&
		(f.Body == "" || strings.Contains(string(body), f.Body))
}

func (f *armedFault) strikes() bool {
	if !strikes(f.Matched, f.Skip, f.Times, f.Struck, f.Probability, f.random) {
		return false
	}
	f.Struck++
	return true
}

// strikes tells whether a fault strikes what it has matched just now.
func strikes(matched, skip, times, struck int, probability float64, random *rand.Rand) bool {
	if matched <= skip || times > 0 && struck >= times {
		return false
	}
	return probability <= 0 || random.Float64() < probability
}

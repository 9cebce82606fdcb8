package awssim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// Options of a simulator. The zero value is a quiet world at the speed of the real one.
type Options struct {
	// Speed is how many times as fast the things pass that ECS, ECR and EventBridge take time
	// for, and how many times as fast quotas refill. 0 means 1. Timestamps, signatures, the expiry of
	// sessions and the seconds of queues stay on the wall clock.
	Speed float64
	// Quotas enforces AWS's request quotas from the start.
	Quotas bool
	// ReadLatency and WriteLatency are what every answer takes, of operations that read
	// and of operations that change something.
	ReadLatency, WriteLatency time.Duration
	// Seed makes the generated names and the fault probabilities repeatable; 0 draws one.
	Seed uint64
	// JournalEntries is how many calls the journal keeps; 0 means 20000. The counters of the
	// journal's summary count every call.
	JournalEntries int
	// LoadBalancerAddresses gives each load balancer an address of its own in 127.0.0.0/8,
	// which is its DNS name then, for [Simulator.ListenForLoadBalancers].
	LoadBalancerAddresses bool
	// ECS is how ECS behaves where AWS leaves it open.
	ECS ECSOptions
}

// Simulator is one simulated AWS: all accounts and all regions. It is an http.Handler that
// speaks the wire protocols, and its methods are what the admin API under /_sim/ calls.
// All methods may be called concurrently.
type Simulator struct {
	*world
	random  *rand.Rand
	tables  map[string]map[string]operation // service, operation
	keys    map[string]*credential
	swept   int // how many keys there were after the last sweep of expired sessions
	quotas  bool
	latency Latency
	faults  []*armedFault
	journal journal
	admin   http.Handler
}

// New is a simulator with nothing in it.
func New(options Options) *Simulator {
	seed := options.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	s := &Simulator{
		world: &world{
			speed:    options.Speed,
			accounts: map[string]*account{},
			ecs:      ecsWorld{options: options.ECS, seed: seed},
			elb:      newELBWorld(options.LoadBalancerAddresses),
		},
		random:  rand.New(rand.NewPCG(seed, seed)),
		keys:    map[string]*credential{},
		quotas:  options.Quotas,
		latency: Latency{Read: options.ReadLatency, Write: options.WriteLatency},
		journal: newJournal(options.JournalEntries),
	}
	s.tables = map[string]map[string]operation{
		"ecs": s.ecsOperations(),
		"ecr": s.ecrOperations(),
		"sts": s.stsOperations(),

		"elasticloadbalancing": s.elbOperations(),
		"cloudwatch":           s.cloudwatchOperations(),
		"sqs":                  s.sqsOperations(),
		"events":               s.eventsOperations(),
		"route53":              s.route53Operations(),
		"acm":                  s.acmOperations(),
		"globalaccelerator":    s.acceleratorOperations(),
	}
	s.admin = s.adminRoutes()
	return s
}

// accountOf is the account of that ID, which exists from its first use on.
func (s *Simulator) accountOf(id string) *account {
	a := s.accounts[id]
	if a == nil {
		a = &account{id: id, regions: map[string]*region{}, iam: newIAMState()}
		s.accounts[id] = a
	}
	return a
}

// region is the account's region of that name, which exists from its first use on.
func (a *account) region(s *Simulator, name string) *region {
	r := a.regions[name]
	if r == nil {
		r = &region{account: a, name: name, buckets: map[string]*bucket{}}
		r.ecs = newECSState(s.world, r)
		r.ecr = newECRState(s.world, r)
		r.elb = newELBState(s.world, r)
		r.cloudwatch = newCloudWatchState()
		r.sqs = newSQSState()
		r.events = newEventBus(s.world, r)
		r.route53 = newRoute53State()
		r.acm = newACMState(r)
		r.accelerators = newAcceleratorState()
		a.regions[name] = r
	}
	return r
}

// arn names a resource of the call's account and region.
func (c *call) arn(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, c.region.name, c.account.id, resource)
}

// Latency is what every answer takes.
type Latency struct {
	Read, Write time.Duration
}

// SetLatency changes what every answer takes from now on.
func (s *Simulator) SetLatency(l Latency) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = l
}

// MarshalJSON writes the durations as Go spells them.
func (l Latency) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"read": l.Read.String(), "write": l.Write.String()})
}

// UnmarshalJSON reads the durations as Go spells them; a member that is absent keeps its
// value.
func (l *Latency) UnmarshalJSON(data []byte) error {
	var document struct {
		Read  *span `json:"read"`
		Write *span `json:"write"`
	}
	if err := decodeStrictly(data, &document); err != nil {
		return err
	}
	if document.Read != nil {
		l.Read = time.Duration(*document.Read)
	}
	if document.Write != nil {
		l.Write = time.Duration(*document.Write)
	}
	return nil
}

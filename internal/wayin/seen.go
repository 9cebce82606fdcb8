package wayin

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"heliumai.space/ecsrelease/internal/rollout"
)

// Port is the port that a way in is for: that of HTTPS.
const Port = 443

// Look is what a question to AWS came to: an answer, or why there is none.
type Look[T any] struct {
	Answer T
	// Problem is why nothing is known. nil: Answer is what there is.
	Problem *rollout.Problem
	// Unasked says that there was nothing to ask about, since something before it is not there.
	Unasked bool
}

// Known says that there is an answer.
func (l Look[T]) Known() bool { return l.Problem == nil && !l.Unasked }

// Seen is a way in as it is in AWS.
type Seen struct {
	// Zone is the hosted zone that has the host name's records; nil: there is none.
	Zone Look[*Zone]
	// Records are those of the host name that say where it leads, or of the wildcard that stands for it.
	Records Look[[]Record]
	// Accelerator is nil where there is none. Its listeners, with what is behind them, are those of
	// Global Accelerator.
	Accelerator          Look[*Accelerator]
	AcceleratorListeners Look[[]AcceleratorListener]
	// Regions are by the names of the regions.
	Regions map[string]*Region
	// Answer is what the host name itself answered; nil: it was not asked.
	Answer *Answer
}

// Zone is a hosted zone.
type Zone struct{ ID, Name string }

// Has says whether a name is one of the zone's.
func (z *Zone) Has(name string) bool { return name == z.Name || strings.HasSuffix(name, "."+z.Name) }

// Record is a record set of a name. Names are in lower case and without a final dot.
type Record struct {
	Name string
	Type string // A, AAAA or CNAME
	// Alias is the name that an alias record leads to; "": it has values.
	Alias  string
	Values []string
	// Identifier is what tells apart records of one name and type; "": it is the only one.
	Identifier string
	// Weight is nil where the record has none.
	Weight *int64
	// Secondary says that the record is for when another one fails.
	Secondary bool
}

// Accelerator is an accelerator of AWS Global Accelerator.
type Accelerator struct {
	ARN       string
	Names     []string // DNS names, the dual-stack one included
	Addresses []string
	Enabled   bool
	Status    string // DEPLOYED or IN_PROGRESS
}

// AcceleratorListener is a listener of an accelerator.
type AcceleratorListener struct {
	Protocol string // TCP or UDP
	Ports    []PortRange
	Groups   []EndpointGroup
}

// PortRange is from a port to a port, both included.
type PortRange struct{ From, To int32 }

// EndpointGroup is what an accelerator leads to in a region.
type EndpointGroup struct {
	Region string
	// Dial is how much of the region's traffic it gets, in percent.
	Dial float64
	// Port is the port of the endpoints that requests to [Port] are led to.
	Port      int32
	Endpoints []AcceleratorEndpoint
}

// AcceleratorEndpoint is a load balancer, or something else, in an endpoint group.
type AcceleratorEndpoint struct {
	ID     string
	Weight int32
	Health string // INITIAL, HEALTHY or UNHEALTHY
	Reason string
}

// Region is a way in as it is in one region.
type Region struct {
	// Port is the port of the load balancer that the way in leads through, as PortIn tells it; 0: [Port].
	Port int32
	// Balancer is nil where there is none.
	Balancer  Look[*Balancer]
	Listeners Look[[]Listener]
	// Certificates are those of the listener on the port, and the one that is asked for.
	Certificates Look[[]Certificate]
	// MoreCertificates says that the listener has more of them.
	MoreCertificates bool
	// Rules are those of the listener on the port, in the order in which they are tried, the default
	// rule last.
	Rules    Look[[]Rule]
	Services []Service
	// Answer is what the load balancer answered; nil: it was not asked.
	Answer *Answer
}

// Listener is the listener that the way in leads through; false: there is none.
func (r *Region) Listener() (Listener, bool) {
	i := slices.IndexFunc(r.Listeners.Answer, func(l Listener) bool { return l.Port == r.port() && l.Protocol == "HTTPS" })
	if i < 0 {
		return Listener{}, false
	}
	return r.Listeners.Answer[i], true
}

func (r *Region) port() int32 { return cmp.Or(r.Port, Port) }

// Balancer is a load balancer.
type Balancer struct {
	ARN, Name string
	DNSName   string
	State     string // active, provisioning, active_impaired or failed
	Reason    string
	Internal  bool
}

// Listener is a listener of a load balancer.
type Listener struct {
	ARN      string
	Port     int32
	Protocol string
}

// Certificate is a certificate of AWS Certificate Manager.
type Certificate struct {
	ARN string
	// Attached says that the listener has it.
	Attached bool
	// Gone says that Certificate Manager does not know it; all that follows is then zero.
	Gone bool
	// Opaque says that it is none of Certificate Manager's, so that nothing more is known of it.
	Opaque   bool
	Names    []string // that it is for, wildcards included
	Status   string
	Why      string // it failed
	Type     string // AMAZON_ISSUED, IMPORTED or PRIVATE
	Method   string // by which it is validated: DNS, EMAIL, HTTP; "": it is not
	NotAfter time.Time
	// Proof is a record that has to be there for it to be issued; zero: none, or it is there.
	Proof Proof
}

// Proof is a record by which a certificate is validated.
type Proof struct{ Name, Type, Value string }

// Rule is a rule of a listener.
type Rule struct {
	Priority string // "default" of the last
	// Hosts and Paths are patterns; none: any. Other says that it has conditions beside them.
	Hosts, Paths []string
	Other        bool
	// Action is what it does in the end: forward, redirect or fixed-response.
	Action string
	// Groups are the ARNs of the target groups that get a part of what it forwards.
	Groups []string
	// Weights are how much each of the groups gets; nil: all get the same.
	Weights []int32
}

// Service is an ECS service that answers for the name.
type Service struct {
	Cluster, Name string
	// Groups are the ARNs of the target groups that the running revision is in.
	Groups Look[[]string]
	// Tasks is how they see its tasks.
	Tasks Look[Tasks]
	// Beside are the tasks of deployments before, while another one is under way and they are in target
	// groups of their own, as in blue/green.
	Beside []Tasks
}

// Tasks are the tasks of a service's running revision, as its target groups see them.
type Tasks struct {
	Revision string
	// Groups are the ARNs of its target groups.
	Groups []string
	// Idle says that the service wants none.
	Idle bool
	// Before is the revision whose tasks are healthy while the deployment of this one is under way; "":
	// there is none.
	Before string
	// Running is how many run, Healthy how many of them are healthy in every target group.
	Running, Healthy int
	// First is a target that is not healthy, for people; "": there is none.
	First string
	// Initial says that all that are not healthy were registered a moment ago.
	Initial bool
}

// Answer is what came of asking for the probe's path.
type Answer struct {
	OK bool
	// Unasked says that nobody could be asked: since the name has no address, if Absent says so too, since
	// none that it has may be dialled, if Refused does, or since nobody told its addresses.
	Unasked, Absent, Refused bool
	// Message says what was answered; nothing of it changes from one look to the next.
	Message string
}

// PortIn is the port of a region's load balancer that the way in leads through.
func (s *Seen) PortIn(region string) int32 {
	if group, ok := s.group(region); ok {
		return cmp.Or(group.Port, Port)
	}
	return Port
}

// group is the endpoint group of a region; false: there is none.
func (s *Seen) group(region string) (EndpointGroup, bool) {
	for _, l := range s.AcceleratorListeners.Answer {
		if !l.Serves() {
			continue
		}
		for _, g := range l.Groups {
			if g.Region == region {
				return g, true
			}
		}
	}
	return EndpointGroup{}, false
}

// Unanswered is why not all is known of a way in: of several problems, one that does not pass by itself.
// nil: all is known.
func (s *Seen) Unanswered() *rollout.Problem {
	var found *rollout.Problem
	for _, p := range s.problems() {
		if found == nil || found.Delay() && (!p.Delay() || p.RetryAfter > found.RetryAfter) {
			found = p
		}
	}
	return found
}

// Delayed is the problem of those that pass by themselves which takes longest; nil: there is none.
func (s *Seen) Delayed() *rollout.Problem {
	var found *rollout.Problem
	for _, p := range s.problems() {
		if p.Delay() && (found == nil || p.RetryAfter > found.RetryAfter) {
			found = p
		}
	}
	return found
}

// problems are why not all is known. That something is not there is known.
func (s *Seen) problems() []*rollout.Problem {
	problems := []*rollout.Problem{s.Zone.Problem, s.Records.Problem, s.Accelerator.Problem, s.AcceleratorListeners.Problem}
	for _, name := range slices.Sorted(maps.Keys(s.Regions)) {
		r := s.Regions[name]
		problems = append(problems, r.Balancer.Problem, r.Listeners.Problem, r.Certificates.Problem, r.Rules.Problem)
		for _, service := range r.Services {
			problems = append(problems, service.Groups.Problem, service.Tasks.Problem)
		}
	}
	return slices.DeleteFunc(problems, func(p *rollout.Problem) bool { return p == nil || p.Class == rollout.ProblemMissing })
}

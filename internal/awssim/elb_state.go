package awssim

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// elbState is Elastic Load Balancing (version 2) in one region of one account.
type elbState struct {
	world     *world
	region    *region
	balancers map[string]*loadBalancer // by ARN, like the others
	groups    map[string]*targetGroup
	listeners map[string]*elbListener
	rules     map[string]*elbRule
}

func newELBState(w *world, r *region) *elbState {
	return &elbState{
		world: w, region: r,
		balancers: map[string]*loadBalancer{},
		groups:    map[string]*targetGroup{},
		listeners: map[string]*elbListener{},
		rules:     map[string]*elbRule{},
	}
}

// loadBalancer is an application load balancer.
type loadBalancer struct {
	state          *elbState
	arn            string
	name           string
	dnsName        string
	scheme         string
	addressType    string
	vpc            string
	subnets        []string
	securityGroups []string
	created        time.Time
	active         time.Time // when it stops to be provisioned
	tags           elbTags
	listeners      []*elbListener
}

// elbListener is one port of a load balancer. Its default rule, which has the default
// actions, is not among its rules.
type elbListener struct {
	arn       string
	balancer  *loadBalancer
	protocol  string
	port      int
	sslPolicy string
	certs     []elbCertificate // the default one of HTTPS
	moreCerts []elbCertificate // for clients that ask for other names
	fallback  *elbRule
	rules     []*elbRule // by priority
	tags      elbTags
}

// elbRule is a rule of a listener.
type elbRule struct {
	arn        string
	listener   *elbListener
	priority   int // 0 for the default rule
	conditions []elbCondition
	actions    []elbAction
	tags       elbTags
	credit     map[string]int // what a group has coming to it when traffic is shared out by weight
}

// elbTags are the tags of a resource, by key.
type elbTags map[string]string

// targetGroup is a set of addresses that requests are forwarded to.
type targetGroup struct {
	world      *world
	arn        string
	name       string
	protocol   string
	version    string // of the protocol: "HTTP1"
	port       int
	vpc        string
	targetType string
	ipType     string
	check      healthCheck
	attributes map[string]string
	tags       elbTags
	members    map[memberKey]*groupMember
	balancers  []string // the ARNs of the load balancers whose rules forward to it; none: unused
	turn       uint64   // requests that it has got: targets take turns
}

// healthCheck is how a group finds out which of its targets work.
type healthCheck struct {
	protocol  string
	port      string
	path      string
	matcher   string
	interval  time.Duration
	timeout   time.Duration
	healthy   int
	unhealthy int
}

// forwards lists the target groups of the rule's forward action with their weights.
func (r *elbRule) forwards() map[string]int {
	weights := map[string]int{}
	for _, a := range r.actions {
		if a.Type != "forward" {
			continue
		}
		if a.ForwardConfig == nil {
			weights[a.TargetGroupArn] = 1
			continue
		}
		for _, g := range a.ForwardConfig.TargetGroups {
			weights[g.TargetGroupArn] = 1
			if g.Weight != nil {
				weights[g.TargetGroupArn] = *g.Weight
			}
		}
	}
	return weights
}

// reviewUse finds out anew which groups get traffic. Health checks of a group run only while
// a load balancer forwards to it, be it with weight 0.
func (st *elbState) reviewUse() {
	users := map[string]map[string]bool{}
	for _, rule := range st.rules {
		for group := range rule.forwards() {
			if users[group] == nil {
				users[group] = map[string]bool{}
			}
			users[group][rule.listener.balancer.arn] = true
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(st.groups)) { // sorted, so that checks keep their order
		g := st.groups[arn]
		before := len(g.balancers) > 0
		g.balancers = slices.Sorted(maps.Keys(users[arn]))
		if after := len(g.balancers) > 0; after != before {
			for _, key := range g.order() {
				g.begin(g.members[key], after)
			}
		}
	}
}

// memberKey is what makes a target of a group: the same address may serve on several ports.
type memberKey struct {
	id   string
	port int
}

// order lists the group's targets as answers list them.
func (g *targetGroup) order() []memberKey {
	return slices.SortedFunc(maps.Keys(g.members), func(a, b memberKey) int {
		return cmp.Or(strings.Compare(a.id, b.id), cmp.Compare(a.port, b.port))
	})
}

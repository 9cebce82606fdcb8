package awssim

import (
	"encoding/json"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// ecsWorld is what all accounts' ECS have in common: how the simulator was told to behave
// where AWS leaves a choice, and what the images do when they are started.
type ecsWorld struct {
	options   ECSOptions
	seed      uint64
	behaviors []ImageBehavior
}

// ecsState is Amazon ECS in one region of one account.
type ecsState struct {
	world    *world
	region   *region
	sim      *Simulator // known from the first request on; tasks pull their images through it
	random   *rand.Rand // identifiers and jitter: repeatable from the seed
	clusters map[string]*cluster
	families map[string]*family

	revisions   map[string]*serviceRevision   // by ARN
	deployments map[string]*serviceDeployment // by ARN
	addresses   map[string]bool               // of tasks' network interfaces
}

func newECSState(w *world, r *region) *ecsState {
	place := fnv.New64a()
	_, _ = place.Write([]byte(r.account.id + "/" + r.name))
	return &ecsState{
		world:       w,
		region:      r,
		random:      rand.New(rand.NewPCG(w.ecs.seed, place.Sum64())),
		clusters:    map[string]*cluster{},
		families:    map[string]*family{},
		revisions:   map[string]*serviceRevision{},
		deployments: map[string]*serviceDeployment{},
		addresses:   map[string]bool{},
	}
}

// ecsOperations is the table of what AmazonEC2ContainerServiceV20141113 answers.
func (s *Simulator) ecsOperations() map[string]operation {
	operations := map[string]operation{
		"CreateCluster":    {"cluster-modify", createCluster},
		"DescribeClusters": {"cluster-read", describeClusters},
		"ListClusters":     {"cluster-read", listClusters},
		"DeleteCluster":    {"cluster-modify", deleteCluster},

		"RegisterTaskDefinition":     {"task-definition-modify", registerTaskDefinition},
		"DeregisterTaskDefinition":   {"task-definition-modify", deregisterTaskDefinition},
		"DescribeTaskDefinition":     {"task-definition-read", describeTaskDefinition},
		"ListTaskDefinitions":        {"task-definition-read", listTaskDefinitions},
		"ListTaskDefinitionFamilies": {"task-definition-read", listTaskDefinitionFamilies},

		"CreateService":    {"service-modify", createService},
		"UpdateService":    {"service-modify", updateService},
		"DeleteService":    {"service-modify", deleteService},
		"DescribeServices": {"service-read", describeServices},
		"ListServices":     {"service-read", listServices},

		"ListServiceDeployments":     {"service-deployment", listServiceDeployments},
		"DescribeServiceDeployments": {"service-deployment", describeServiceDeployments},
		"StopServiceDeployment":      {"", stopServiceDeployment},
		"ContinueServiceDeployment":  {"", continueServiceDeployment},
		"DescribeServiceRevisions":   {"service-revision", describeServiceRevisions},

		"ListTasks":                  {"cluster-resource-read", listTasks},
		"DescribeTasks":              {"cluster-resource-read", describeTasks},
		"DescribeContainerInstances": {"cluster-resource-read", describeContainerInstances},

		"TagResource":         {"tag-modify", tagResource},
		"UntagResource":       {"tag-modify", untagResource},
		"ListTagsForResource": {"tag-read", listTagsForResource},
	}
	for name, op := range operations {
		handle := op.handle
		op.handle = func(c *call, in json.RawMessage) (any, error) {
			c.region.ecs.sim = c.sim
			return handle(c, in)
		}
		operations[name] = op
	}
	return operations
}

// readTime is the moment whose state a read shows: lag of AWS's time ago, because ECS is
// eventually consistent, and longer ago where a fault asks for it.
func (c *call) readTime(lag time.Duration) time.Time {
	return c.sim.now().Add(-c.sim.scale(lag)).Add(-c.staleness)
}

// between draws a duration, in AWS's time.
func (st *ecsState) between(from, to time.Duration) time.Duration {
	if to <= from {
		return from
	}
	return from + time.Duration(st.random.Int64N(int64(to-from)))
}

const (
	decimalDigits = "0123456789"
	hexDigits     = "0123456789abcdef"
	nanoDigits    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
)

func (st *ecsState) draw(digits string, n int) string {
	id := make([]byte, n)
	for i := range id {
		id[i] = digits[st.random.IntN(len(digits))]
	}
	return string(id)
}

// deploymentNumber is the number that a deployment (ecs-svc/N) and its service revision
// share: 19 digits.
func (st *ecsState) deploymentNumber() string {
	return st.draw(decimalDigits[1:], 1) + st.draw(decimalDigits, 18)
}

func (st *ecsState) uuid() string {
	return st.draw(hexDigits, 8) + "-" + st.draw(hexDigits, 4) + "-4" + st.draw(hexDigits, 3) + "-" +
		st.draw("89ab", 1) + st.draw(hexDigits, 3) + "-" + st.draw(hexDigits, 12)
}

// stamp is a timestamp that may be unset; unset ones marshal as absent where the member has
// omitempty.
func stamp(t time.Time) json.Number {
	if t.IsZero() {
		return ""
	}
	return epoch(t)
}

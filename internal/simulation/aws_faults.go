package simulation

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"heliumai.space/ecsrelease/internal/awssim"
)

// The kinds of faults of calls to AWS.
var awsKinds = []string{"error", "throttle", "drop", "lost", "hang", "stuck", "stale", "delay", "denied"}

// The operations that the controller uses: those that change something apart, since lost answers
// matter there most, and those that are seldom called, whose faults last until they are.
var (
	awsReads = []string{
		"DescribeServices", "DescribeTaskDefinition", "ListTaskDefinitions", "ListServiceDeployments", "DescribeServiceDeployments",
		"DescribeImages", "AssumeRole", "GetCallerIdentity",
	}
	awsRareReads = []string{
		"DescribeServiceRevisions", "ListTasks", "DescribeTasks", "BatchGetImage", "GetDownloadUrlForLayer", "DescribeRepositories",
		"DescribeTargetGroups", "DescribeLoadBalancers", "DescribeTargetHealth",
	}
	awsWrites     = []string{"RegisterTaskDefinition", "UpdateService"}
	awsRareWrites = []string{"StopServiceDeployment", "ContinueServiceDeployment"}
)

// staleable are the reads that may show the world of earlier.
var staleable = []string{
	"DescribeServices", "ListTaskDefinitions", "ListServiceDeployments", "DescribeServiceDeployments", "ListTasks", "DescribeTasks", "DescribeImages",
}

// awsFaults are the faults of AWS that are in force.
type awsFaults struct {
	world *world

	mu   sync.Mutex
	open map[string]string // by id: kind:operation
}

func newAWSFaults(w *world) *awsFaults { return &awsFaults{world: w, open: map[string]string{}} }

// add puts a fault in force for the first realm's account, and returns its id.
func (f *awsFaults) add(kind, operation string, share float64, times int, seed uint64, length time.Duration) string {
	fault := awssim.Fault{Operation: operation, Probability: share, Times: times, Seed: seed, Account: f.world.realms[0].account, Principal: "*:assumed-role/*"}
	if operation == "AssumeRole" {
		fault.Account, fault.Principal, fault.Body = managerAccount, "", f.world.realms[0].account // the caller's; whose role it is, is in the body
	}
	switch kind {
	case "error":
		fault.Error = &awssim.FaultError{Status: http.StatusInternalServerError, Code: "ServerException", Message: "Service Unavailable. Please try again later."}
	case "throttle":
		fault.Throttle = true
	case "drop":
		fault.Drop = true
	case "lost":
		fault.Drop, fault.Executed = true, true
	case "hang":
		fault.Hang = true
	case "stuck":
		fault.Hang, fault.Executed = true, true
	case "stale":
		fault.Staleness = length
	case "delay":
		fault.Latency = length
	case "denied":
		fault.Error = &awssim.FaultError{Code: "AccessDeniedException", Message: "User is not authorized to perform: " + operation}
	}
	id, err := f.world.aws.AddFault(fault)
	if err != nil {
		f.world.story.violate("the script can be played", "adding the fault %s of %s: %v", kind, operation, err)
		return ""
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open[id] = fmt.Sprintf("%s:%s", kind, operation)
	return id
}

// rareTrouble has the first calls of an operation that few worlds have an occasion for go wrong, in one
// of the ways that there are.
func (w *world) rareTrouble(s *script, r *rand.Rand) {
	var operations []string
	if slices.ContainsFunc(w.places, func(p place) bool { return len(p.pauseAt) > 0 }) {
		operations = append(operations, "ContinueServiceDeployment")
	}
	if slices.ContainsFunc(w.places, func(p place) bool { return p.balanced != nil }) {
		operations = append(operations, "DescribeTargetGroups", "DescribeLoadBalancers", "DescribeTargetHealth")
	}
	operations = append(operations, "DescribeRepositories")
	for _, operation := range operations {
		kind, seed, length := pick(r, awsKinds), r.Uint64(), time.Duration(1+r.IntN(6))*time.Second
		if !afflicts(kind, operation) {
			kind = "error"
		}
		s.offer(time.Now(), func() {
			w.story.tell("fault", "AWS %s of %s, the first time", kind, operation)
			w.awsFaults.add(kind, operation, 1, 1, seed, length)
		})
	}
}

// remove ends a fault and counts whom it hit.
func (f *awsFaults) remove(id string) {
	f.mu.Lock()
	name, known := f.open[id]
	delete(f.open, id)
	f.mu.Unlock()
	if !known {
		return
	}
	for _, fault := range f.world.aws.Faults() {
		if fault.ID == id && fault.Struck > 0 {
			f.world.coverage.add("aws "+name, fault.Struck)
		}
	}
	f.world.aws.RemoveFault(id)
}

// quiet ends all faults.
func (f *awsFaults) quiet() {
	f.mu.Lock()
	var ids []string
	for id := range f.open {
		ids = append(ids, id)
	}
	f.mu.Unlock()
	for _, id := range ids {
		f.remove(id)
	}
}

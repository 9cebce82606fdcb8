package simulation

import (
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"heliumai.space/ecsrelease/internal/memapi"
)

// The kinds of faults of calls to the API server.
var kubeKinds = []string{"error", "conflict", "timeout", "lost", "drop", "delay"}

// The calls of a process that can suffer them, as "verb resource". Caches make no lists: they watch
// from the beginning.
var kubeCalls = []string{
	"patch ecsreleases/status", "watch ecsreleases", "watch ecsenvironments", "watch namespaces",
	"create events", "update leases", "get leases",
	"patch ecsenvironments/status", "get namespaces", "list ecsenvironments",
}

// kubeFaults are the faults of the API server that are in force.
type kubeFaults struct {
	world *world

	mu      sync.Mutex
	windows map[int]kubeFault
	next    int
	counts  map[string]uint64
	slow    time.Duration // how long watches lag
}

type kubeFault struct {
	kind  string
	call  string // as in kubeCalls
	share float64
	delay time.Duration
}

func newKubeFaults(w *world) *kubeFaults {
	return &kubeFaults{world: w, windows: map[int]kubeFault{}, counts: map[string]uint64{}}
}

// open puts a fault in force, until close.
func (f *kubeFaults) open(fault kubeFault) (id int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	f.windows[f.next] = fault
	return f.next
}

func (f *kubeFaults) close(id int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.windows, id)
}

// quiet ends all faults.
func (f *kubeFaults) quiet() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.windows)
	f.slow = 0
}

func (f *kubeFaults) setLag(lag time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.slow = lag
}

// lag is how long an event takes to a process.
func (f *kubeFaults) lag(call memapi.Call) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.slow == 0 || !strings.HasPrefix(call.Client, "manager-") {
		return 20 * time.Millisecond
	}
	return f.slow/2 + time.Duration(f.chance("lag "+call.Resource)*float64(f.slow/2))
}

// chance is a number from 0 to 1 that depends on the seed, on what it is for and on how often it
// was asked for. mu is held.
func (f *kubeFaults) chance(what string) float64 {
	f.counts[what]++
	digest := fnv.New64a()
	_, _ = digest.Write([]byte(what)) // a hash takes everything
	return rand.New(rand.NewPCG(f.world.seed^digest.Sum64(), f.counts[what])).Float64()
}

// trouble is what goes wrong with a call of a process.
func (f *kubeFaults) trouble(call memapi.Call) memapi.Trouble {
	if !strings.HasPrefix(call.Client, "manager-") {
		return memapi.Trouble{}
	}
	name := call.Verb + " " + call.Resource
	if call.Subresource != "" {
		name += "/" + call.Subresource
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := 1; id <= f.next; id++ {
		fault, open := f.windows[id]
		if !open || fault.call != name || f.chance(call.Client+" "+name) >= fault.share {
			continue
		}
		f.world.coverage.count("kube", kubeKey(fault.kind, name))
		return fault.trouble(call)
	}
	return memapi.Trouble{}
}

// kubeKey is how coverage names a fault.
func kubeKey(kind, call string) string { return kind + ":" + strings.ReplaceAll(call, " ", "-") }

func (k kubeFault) trouble(call memapi.Call) memapi.Trouble {
	status := func(err *apierrors.StatusError) *metav1.Status { return &err.ErrStatus }
	resource := schema.GroupResource{Resource: call.Resource}
	switch k.kind {
	case "error":
		return memapi.Trouble{Status: status(apierrors.NewInternalError(errors.New("etcdserver: leader changed")))}
	case "conflict":
		return memapi.Trouble{Status: status(apierrors.NewConflict(resource, call.Name, errors.New("the object has been modified")))}
	case "timeout":
		return memapi.Trouble{Delay: k.delay, Status: status(apierrors.NewGenericServerResponse(http.StatusGatewayTimeout, call.Verb, resource, call.Name, "context deadline exceeded", 0, false)), Executed: true}
	case "lost":
		return memapi.Trouble{Drop: true, Executed: true}
	case "drop":
		return memapi.Trouble{Drop: true}
	default:
		return memapi.Trouble{Delay: k.delay}
	}
}

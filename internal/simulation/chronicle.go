package simulation

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/memapi"
)

// chronicle remembers every version of every release, as the API server had it.
type chronicle struct {
	world *world

	mu       sync.Mutex
	versions map[types.NamespacedName][]version
	leases   map[string]held // by their names
}

// held is a lease as it was last written.
type held struct {
	holder string
	until  time.Time
}

// version is a release from some time on.
type version struct {
	at      time.Time
	release *ecsv1alpha1.EcsRelease // nil: there is none any more
}

func newChronicle(w *world) *chronicle {
	return &chronicle{world: w, versions: map[types.NamespacedName][]version{}, leases: map[string]held{}}
}

// observe is told of every change, while the API server makes it.
func (c *chronicle) observe(change memapi.Change) {
	byManager := strings.HasPrefix(change.Call.Client, "manager-")
	switch change.Call.Resource {
	case "leases":
		c.noteLease(change)
	case "events":
		c.world.noSecretsIn("an event", change.New)
	case "ecsreleases":
		old, now := c.noteRelease(change)
		if now == nil {
			return
		}
		if byManager {
			c.world.statusWritten(change, old, now)
		}
	}
}

func (c *chronicle) noteLease(change memapi.Change) {
	var lease coordinationv1.Lease
	if runtime.DefaultUnstructuredConverter.FromUnstructured(change.New, &lease) != nil || lease.Spec.HolderIdentity == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.leases[lease.Name]
	if holder := *lease.Spec.HolderIdentity; holder != known.holder {
		c.world.story.tell("kube", "the lease %s is held by %q", lease.Name, holder)
		known.holder = holder
	}
	if lease.Spec.RenewTime != nil && lease.Spec.LeaseDurationSeconds != nil {
		known.until = lease.Spec.RenewTime.Add(time.Duration(*lease.Spec.LeaseDurationSeconds) * time.Second)
	}
	c.leases[lease.Name] = known
}

// holds says whether somebody holds a lease now.
func (c *chronicle) holds(lease, holder string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.leases[lease]
	return known.holder == holder && time.Now().Before(known.until)
}

func (c *chronicle) noteRelease(change memapi.Change) (old, now *ecsv1alpha1.EcsRelease) {
	key := types.NamespacedName{Namespace: change.Call.Namespace, Name: change.Call.Name}
	if change.New != nil {
		now = &ecsv1alpha1.EcsRelease{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(change.New, now); err != nil {
			c.world.story.violate("the API is what it says", "release %s can't be read: %v", key, err)
			return nil, nil
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.versions[key]; len(known) > 0 {
		old = known[len(known)-1].release
	}
	c.versions[key] = append(c.versions[key], version{at: change.Time, release: now})
	return old, now
}

// history are the versions of a release up to a time, the oldest first.
func (c *chronicle) history(key types.NamespacedName, until time.Time) []version {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.versions[key]
	n := len(known)
	for n > 0 && known[n-1].at.After(until) {
		n--
	}
	return known[:n:n]
}

// at is a release as it was at a time; nil: there was none.
func (c *chronicle) at(key types.NamespacedName, t time.Time) *ecsv1alpha1.EcsRelease {
	known := c.history(key, t)
	if len(known) == 0 {
		return nil
	}
	return known[len(known)-1].release
}

func (c *chronicle) now(key types.NamespacedName) *ecsv1alpha1.EcsRelease {
	return c.at(key, time.Now())
}

// keys are all releases that there ever were.
func (c *chronicle) keys() []types.NamespacedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	keys := make([]types.NamespacedName, 0, len(c.versions))
	for key := range c.versions {
		keys = append(keys, key)
	}
	return keys
}

// latest is a release as it is, and since when.
func (c *chronicle) latest(key types.NamespacedName) version {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.versions[key]
	if len(known) == 0 {
		return version{}
	}
	return known[len(known)-1]
}

// count is how many versions there were of the releases of subjects.
func (c *chronicle) count(subjects []*subject) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, s := range subjects {
		n += len(c.versions[s.key])
	}
	return n
}

// touched is when a release was last changed, by anybody.
func (c *chronicle) touched(key types.NamespacedName) time.Time { return c.latest(key).at }

// statusWritten looks at a status that a manager has just written, while nobody else has seen it.
func (w *world) statusWritten(change memapi.Change, old, now *ecsv1alpha1.EcsRelease) {
	key := types.NamespacedName{Namespace: now.Namespace, Name: now.Name}
	w.tellTransitions(old, now)
	w.noSecretsIn("the status of "+key.String(), change.New)
	w.kstatusContract(key, now)
	w.argoHealth(key, change, old, now)
	w.readyIsTrue(key, old, now)
	w.bystanderIsLeftAlone(key, now)
	w.isFrugal(key)
}

// isFrugal: whatever goes on in AWS, nobody needs to know it more often than twice a second. Who
// writes more goes round in circles.
func (w *world) isFrugal(key types.NamespacedName) {
	const most = 120
	known := w.chronicle.history(key, time.Now())
	if len(known) > most && time.Since(known[len(known)-1-most].at) < time.Minute {
		w.story.violate("no storms of writes", "the status of %s was written %d times within a minute", key, most)
	}
}

func (w *world) noSecretsIn(where string, object map[string]any) {
	if !mentions(object, canary) {
		return
	}
	text, err := json.Marshal(object)
	if err != nil {
		return // it came from JSON
	}
	w.noSecrets(where, string(text))
}

// mentions says that a word is in a name or a text of a JSON document.
func mentions(document any, word string) bool {
	switch document := document.(type) {
	case map[string]any:
		for name, value := range document {
			if strings.Contains(name, word) || mentions(value, word) {
				return true
			}
		}
	case []any:
		for _, value := range document {
			if mentions(value, word) {
				return true
			}
		}
	case string:
		return strings.Contains(document, word)
	}
	return false
}

// tellTransitions puts into the story what changed in a status, and counts what was reached.
func (w *world) tellTransitions(old, now *ecsv1alpha1.EcsRelease) {
	name := now.Namespace + "/" + now.Name
	before := map[string]ecsv1alpha1.ServiceStatus{}
	if old != nil {
		for _, t := range old.Status.Targets {
			for _, s := range t.Services {
				before[t.Name+"/"+s.Name] = s
			}
		}
	}
	for _, t := range now.Status.Targets {
		for _, s := range t.Services {
			was := before[t.Name+"/"+s.Name]
			w.coverage.count("state", string(s.State))
			if s.Reason != "" {
				w.coverage.count("reason", s.Reason)
			}
			if was.State != s.State || was.Reason != s.Reason {
				w.story.tell("service", "%s %s/%s: %s %s -> %s %s (%s)", name, t.Name, s.Name, was.State, was.Reason, s.State, s.Reason, s.Message)
			}
			if s.Intent != nil && (was.Intent == nil || was.Intent.Since != s.Intent.Since) {
				w.story.tell("intent", "%s %s/%s: %s %s %s (hash %s, base %s)", name, t.Name, s.Name, s.Intent.Action, s.Intent.Revision, s.Intent.ServiceDeployment, s.Intent.Hash, s.Intent.Base)
			}
		}
	}
	for _, condition := range now.Status.Conditions {
		w.coverage.count("reason", condition.Reason)
	}
	if now.Status.Failure != nil {
		w.coverage.count("class", string(now.Status.Failure.Class))
	}
	ready := meta.FindStatusCondition(now.Status.Conditions, ecsv1alpha1.ConditionReady)
	if ready == nil {
		return
	}
	if old != nil {
		was := meta.FindStatusCondition(old.Status.Conditions, ecsv1alpha1.ConditionReady)
		if was != nil && was.Status == ready.Status && was.Reason == ready.Reason && was.Message == ready.Message && was.ObservedGeneration == ready.ObservedGeneration {
			return
		}
	}
	w.story.tell("release", "%s generation %d: Ready %s %s: %s", name, ready.ObservedGeneration, ready.Status, ready.Reason, ready.Message)
}

package simulation

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"heliumai.space/ecsrelease/internal/awssim"
)

// The tags that tell a revision of ours.
const (
	hashTag = "ecs.heliumai.space/hash"
	baseTag = "ecs.heliumai.space/base"
)

// ledger is the harness's own account of what was changed in AWS, from the journal of calls.
type ledger struct {
	world *world

	mu       sync.Mutex
	read     uint64 // of the journal
	families map[familyKey][]*revision
	updates  map[string][]update // by place
	stopped  map[string]bool     // service deployments that we had rolled back, by id
	ours     int                 // changes by the controller
	last     time.Time           // of them
}

type familyKey struct{ account, region, family string }

// revision is a registered revision of a task definition.
type revision struct {
	number     int
	hash, base string
	ours       bool
	active     bool
	images     map[string]string // by container
}

// update is a deployment that somebody asked for; of ours it says for which generation of which
// release, and whether it brought the past back.
type update struct {
	at         time.Time
	revision   string
	ours       bool
	image      string // that the app runs with it
	key        types.NamespacedName
	uid        types.UID
	generation int64
	back       bool
}

// mutation is a change of ours, with all that the checks want to know.
type mutation struct {
	at      time.Time
	account string
	region  string
	// operation is RegisterTaskDefinition, UpdateService, …
	operation string
	request   taskRequest
	document  json.RawMessage
	hash      string // of the content that is registered or deployed
	images    map[string]string
}

// taskRequest is what any of the calls that change something may ask for.
type taskRequest struct {
	Family               string `json:"family"`
	Cluster              string `json:"cluster"`
	Service              string `json:"service"`
	TaskDefinition       string `json:"taskDefinition"`
	ForceNewDeployment   bool   `json:"forceNewDeployment"`
	ServiceDeploymentARN string `json:"serviceDeploymentArn"`
	ContainerDefinitions []struct {
		Name  string `json:"name"`
		Image string `json:"image"`
	} `json:"containerDefinitions"`
	Tags []struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"tags"`
}

func newLedger(w *world) *ledger {
	return &ledger{world: w, families: map[familyKey][]*revision{}, updates: map[string][]update{}, stopped: map[string]bool{}}
}

var mutating = []string{
	"RegisterTaskDefinition", "DeregisterTaskDefinition", "CreateService", "UpdateService", "DeleteService",
	"StopServiceDeployment", "ContinueServiceDeployment",
}

// audit enters what was done since it was last called, and holds each change of ours against
// the promises.
func (l *ledger) audit() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, entry := range l.world.aws.Journal(awssim.JournalFilter{After: l.read, Service: "ecs"}) {
		l.read = entry.Sequence
		if entry.Executed && entry.Status == 200 && slices.Contains(mutating, entry.Operation) {
			l.enter(entry)
		}
	}
}

func (l *ledger) enter(e awssim.JournalEntry) {
	var request taskRequest
	if json.Unmarshal(e.Request, &request) != nil {
		return // AWS took it, so it can't be
	}
	mine := strings.Contains(e.Principal, ":assumed-role/")
	m := mutation{at: e.Time, account: e.Account, region: e.Region, operation: e.Operation, request: request, document: e.Request}
	var made *revision
	var a *author
	switch e.Operation {
	case "RegisterTaskDefinition":
		made = l.revisionOf(request)
		made.ours = mine
		m.hash, m.images = made.hash, made.images
	case "DeregisterTaskDefinition":
		if found := l.find(e.Account, e.Region, request.TaskDefinition); found != nil {
			found.active = false
		}
	case "CreateService", "UpdateService":
		if found := l.find(e.Account, e.Region, request.TaskDefinition); found != nil {
			m.hash, m.images = found.hash, found.images
		}
	}
	if mine {
		if e.Operation == "StopServiceDeployment" {
			l.stopped[lastElement(request.ServiceDeploymentARN)] = true
		}
		l.ours++
		l.last = e.Time
		l.world.coverage.count("change", e.Operation)
		l.world.story.tell("AWS", "%s %s %s", e.Region, e.Operation, m.brief())
		a = l.world.changed(l, m)
	}
	switch {
	case made != nil:
		key := familyKey{e.Account, e.Region, request.Family}
		made.number = len(l.families[key]) + 1
		l.families[key] = append(l.families[key], made)
	case request.TaskDefinition != "" && (e.Operation == "UpdateService" || e.Operation == "CreateService"):
		at := placeKey(e.Account, e.Region, lastElement(request.Cluster), lastElement(request.Service))
		entered := update{at: e.Time, revision: lastElement(request.TaskDefinition), ours: mine, image: m.images["app"]}
		if a != nil {
			entered.key, entered.uid, entered.generation, entered.back = a.key, a.release.UID, a.announced.release.Generation, a.goesBack()
		}
		l.updates[at] = append(l.updates[at], entered)
	}
}

func (l *ledger) revisionOf(request taskRequest) *revision {
	made := &revision{active: true, images: map[string]string{}}
	for _, tag := range request.Tags {
		switch tag.Key {
		case hashTag:
			made.hash = tag.Value
		case baseTag:
			made.base = tag.Value
		}
	}
	for _, container := range request.ContainerDefinitions {
		made.images[container.Name] = container.Image
	}
	return made
}

// find is the revision that a call names by its ARN or as family:revision; nil: unknown. mu is held.
func (l *ledger) find(account, region, name string) *revision {
	family, number, ok := strings.Cut(lastElement(name), ":")
	n, err := strconv.Atoi(number)
	if !ok || err != nil {
		return nil
	}
	revisions := l.families[familyKey{account, region, family}]
	if n < 1 || n > len(revisions) {
		return nil
	}
	return revisions[n-1]
}

// known is find for those who don't hold the lock.
func (l *ledger) known(account, region, name string) *revision {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := l.find(account, region, name)
	if found == nil {
		return nil
	}
	copied := *found
	copied.images = maps.Clone(found.images)
	return &copied
}

// newest is the name of the newest revision of ours that is ACTIVE in a place's family; "": none.
func (l *ledger) newest(p place) string {
	l.audit()
	l.mu.Lock()
	defer l.mu.Unlock()
	revisions := l.families[familyKey{p.realm.account, p.region, p.family}]
	for i, r := range slices.Backward(revisions) {
		if r.ours && r.active {
			return p.family + ":" + strconv.Itoa(i+1)
		}
	}
	return ""
}

// lastOurs is when we last updated a place; zero: never.
func (l *ledger) lastOurs(at string) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range slices.Backward(l.updates[at]) {
		if u.ours {
			return u.at
		}
	}
	return time.Time{}
}

// lastUpdate is the last update of a place, by anybody, and whether we had a service deployment
// rolled back.
func (l *ledger) lastUpdate(at, serviceDeployment string) (last update, stopped bool) {
	l.audit()
	l.mu.Lock()
	defer l.mu.Unlock()
	if updates := l.updates[at]; len(updates) > 0 {
		last = updates[len(updates)-1]
	}
	return last, l.stopped[serviceDeployment]
}

// changes is how many changes of ours there were, and when the last one was.
func (l *ledger) changes() (int, time.Time) {
	l.audit()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ours, l.last
}

func (m mutation) brief() string {
	switch m.operation {
	case "RegisterTaskDefinition":
		return m.request.Family + " " + m.images["app"] + " hash " + m.hash
	case "UpdateService":
		text := lastElement(m.request.Cluster) + "/" + m.request.Service + " " + lastElement(m.request.TaskDefinition)
		if m.request.ForceNewDeployment {
			text += " anew"
		}
		return text
	default:
		return m.request.ServiceDeploymentARN
	}
}

func placeKey(account, region, cluster, service string) string {
	return account + "/" + region + "/" + cluster + "/" + service
}

func lastElement(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

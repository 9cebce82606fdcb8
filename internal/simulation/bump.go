package simulation

import (
	"fmt"
	"math"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Bump is a fleet of releases, of one service each, that all ask for another image at once: in one
// account and region, so that all of them want the same quotas.
type Bump struct {
	Releases int
	// Shared says that all services run the same content of one family, rather than each of its own.
	Shared bool
	// Workers is how many releases the manager works on side by side.
	Workers int
}

// BumpReport is how a bump went. All times are virtual.
type BumpReport struct {
	// Floor is what the quotas leave at the share that is ours: nobody can be quicker.
	Floor time.Duration
	// Updated is from the bump to the last UpdateService, Ready to the last release that was Ready.
	Updated, Ready time.Duration
	// Neighbour is how long one release of another environment, in the same account and region, took
	// from being bumped to its UpdateService, each time that it was, meanwhile.
	Neighbour []time.Duration
	// Registrations and Updates are the calls that were made for the fleet, Calls all calls of the
	// manager from the bump until all were Ready, Throttled those of them that AWS refused.
	Registrations, Updates, Calls, Throttled int
	// Refused are the operations of those that AWS throttled, each with how often.
	Refused map[string]int `json:",omitempty"`
	// Writes is how often the status of a release of the fleet was written, on average.
	Writes float64
	// Violations are the promises that were broken; none: all were kept.
	Violations []string
}

// NamedReport is a report with what it is about, as the benchmark reads it.
type NamedReport struct {
	Bump   Bump
	Report BumpReport
}

// The quotas of ECS that a bump needs, as published: burst, and rate a second.
const (
	registerBurst, registerRate = 20.0, 1.0
	updateBurst, updateRate     = 50.0, 5.0
)

// floor is how long the quotas alone make n releases take at our share of them.
func (b Bump) floor() time.Duration {
	takes := func(n int, burst, rate float64) float64 {
		return max(0, (float64(n)-math.Floor(burst*quotaShare))/(rate*quotaShare))
	}
	registrations := b.Releases
	if b.Shared {
		registrations = 1
	}
	seconds := max(takes(registrations, registerBurst, registerRate), takes(b.Releases, updateBurst, updateRate))
	return time.Duration(seconds * float64(time.Second))
}

// RunBump plays a bump to its end, with the quotas of AWS and without faults. It is called in a
// testing/synctest bubble.
func RunBump(setup *Setup, b Bump) (*BumpReport, error) {
	w, err := bareWorld(setup, 1)
	if err != nil {
		return nil, err
	}
	w.workers = b.Workers
	if err := w.crowd(b); err != nil {
		return nil, err
	}
	fleet, neighbour := w.subjects[:b.Releases], w.subjects[b.Releases]
	for _, s := range w.subjects {
		s.create()
	}
	w.mustStart("")
	if !w.waitReady(w.subjects, time.Hour) {
		w.finish()
		return nil, fmt.Errorf("the fleet does not become Ready in the first place: %v", w.story.violations)
	}
	w.until(time.Now().Add(2 * time.Minute)) // buckets fill up
	w.aws.SetQuotas(true)
	w.ledger.audit()
	w.aws.ResetJournal()

	began, versions := time.Now(), w.chronicle.count(fleet)
	for _, s := range fleet {
		s.bump("v1")
	}
	report := &BumpReport{Floor: b.floor(), Refused: map[string]int{}}
	tag := 1
	for !w.waitReady(fleet, time.Minute) {
		if time.Since(began) > 3*report.Floor+time.Hour {
			w.story.violate("every release reaches its end", "some are not Ready %s after the bump", time.Since(began))
			break
		}
		if tag < neighbourTags && w.isReady(neighbour) {
			tag++
			asked := time.Now()
			neighbour.bump(fmt.Sprint("v", tag))
			at := neighbour.places[0].key()
			w.until(asked.Add(50 * time.Second))
			if last, _ := w.ledger.lastUpdate(at, ""); last.at.After(asked) {
				report.Neighbour = append(report.Neighbour, last.at.Sub(asked))
			} else {
				report.Neighbour = append(report.Neighbour, 50*time.Second)
			}
		}
	}
	slices.Sort(report.Neighbour)
	report.Writes = float64(w.chronicle.count(fleet)-versions-len(fleet)) / float64(len(fleet))
	for _, s := range fleet {
		report.Ready = max(report.Ready, w.chronicle.touched(s.key).Sub(began))
		last, _ := w.ledger.lastUpdate(s.places[0].key(), "")
		report.Updated = max(report.Updated, last.at.Sub(began))
	}
	for _, c := range w.aws.Summary().Calls {
		if c.Principal == "root" {
			continue // the checks
		}
		report.Calls += int(c.Calls)
		report.Throttled += int(c.Throttled)
		if c.Throttled > 0 {
			report.Refused[c.Operation] += int(c.Throttled)
		}
		switch c.Operation {
		case "RegisterTaskDefinition":
			report.Registrations += int(c.Calls)
		case "UpdateService":
			report.Updates += int(c.Calls)
		}
	}
	w.finish()
	_, report.Violations = w.story.told()
	return report, nil
}

// neighbourTags is how many images there are for the neighbour.
const neighbourTags = 20

// crowd makes the fleet, and another environment with one release beside it.
func (w *world) crowd(b Bump) error {
	const account, region = "111122220000", "ap-south-1"
	if err := w.admit(); err != nil {
		return err
	}
	for _, name := range []string{"production", "neighbour"} {
		if err := w.addRealm(name, account); err != nil {
			return err
		}
	}
	for i := range b.Releases {
		p := place{realm: w.realms[0], region: region, cluster: "fleet", service: fmt.Sprintf("service-%04d", i), manner: manner{breaker: true}}
		p.family = p.service
		if b.Shared {
			p.family = "shared"
		}
		w.places = append(w.places, p)
	}
	w.places = append(w.places, place{realm: w.realms[1], region: region, cluster: "beside", service: "backend", family: "backend", manner: manner{breaker: true}})
	if err := w.images.open(); err != nil {
		return err
	}
	for i := range neighbourTags {
		if err := w.images.push(fmt.Sprint("v", i+1), good); err != nil {
			return err
		}
	}
	revision := ""
	for i, p := range w.places {
		var err error
		if !b.Shared || revision == "" || i == len(w.places)-1 {
			if revision, err = w.register(p, p.ecr()+"/"+repository+":v0", "blue"); err != nil {
				return err
			}
		}
		if err := w.serveRevision(p, revision, 1); err != nil {
			return err
		}
		w.ledger.audit() // the journal is short
		s := &subject{world: w, realm: p.realm, places: []place{p}, tags: []string{"v0"}}
		s.key = types.NamespacedName{Namespace: p.realm.name, Name: p.service}
		s.spec = ecsv1alpha1.EcsReleaseSpec{
			Image:    repository + ":v0",
			Services: []ecsv1alpha1.Service{{Name: p.service, ContainerNames: []string{"app"}}},
			Targets:  []ecsv1alpha1.Target{{Name: "mumbai", Region: p.region, Cluster: p.cluster}},
		}
		w.subjects = append(w.subjects, s)
	}
	<-time.After(warmUp)
	return nil
}

// waitReady lets time pass until all subjects are Ready with what they ask for, or for a time. It says
// whether they are.
func (w *world) waitReady(subjects []*subject, limit time.Duration) bool {
	end := time.Now().Add(limit)
	for {
		waiting := slices.ContainsFunc(subjects, func(s *subject) bool { return !w.isReady(s) })
		if !waiting || w.story.broken() || !time.Now().Before(end) {
			return !waiting
		}
		w.until(time.Now().Add(time.Second))
	}
}

// isReady says that a release is Ready with what it asks for.
func (w *world) isReady(s *subject) bool {
	release := w.chronicle.now(s.key)
	if release == nil {
		return false
	}
	ready := meta.FindStatusCondition(release.Status.Conditions, ecsv1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == release.Generation
}

func (p place) key() string { return placeKey(p.realm.account, p.region, p.cluster, p.service) }

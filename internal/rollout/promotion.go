package rollout

import (
	"cmp"
	"slices"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// How much of what ran Ready an environment remembers: of a service, and in all.
const (
	maxProvenOfService = 20
	maxProven          = 1000
)

// Run is an image in a service.
type Run struct {
	Digest, Service string
}

// Runs are what the releases of an environment say of their images.
type Runs struct {
	// Ready are those that run Ready, each with since when.
	Ready map[Run]time.Time
	// Ended are those that do not any more, each with when that ended, where it is known.
	Ended map[Run]time.Time
	// Idle are those of Ended whose release is Ready, while a service runs no tasks.
	Idle map[Run]bool
	// Failed are those that failed, each with when it last did.
	Failed map[Run]time.Time
}

// RunsOf reads them from releases, as of now. A service that runs no tasks proves nothing, and
// neither does a release that is pinned by tag: its tasks may run what the tag was moved to. Of a
// release of several images every image counts in every service.
func RunsOf(releases []*ecsv1alpha1.EcsRelease, now time.Time) Runs {
	runs := Runs{Ready: map[Run]time.Time{}, Ended: map[Run]time.Time{}, Idle: map[Run]bool{}, Failed: map[Run]time.Time{}}
	for _, release := range releases {
		runs.add(release, now)
	}
	return runs
}

func (r Runs) add(release *ecsv1alpha1.EcsRelease, now time.Time) {
	status := &release.Status
	ready, since := readySince(status)
	for _, entry := range status.History {
		if endedBadly(entry.Outcome) && entry.Finished != nil {
			r.fail(status, entry.Images, entry.Finished.Time)
		}
	}
	if f := status.Failure; f != nil && !ready {
		r.fail(status, status.Images, f.At.Time)
	}
	if base := release.Spec.TaskDefinition; base != nil && base.Pin == ecsv1alpha1.PinTag {
		ready, since = false, now
	}
	for run, idle := range runsOf(status, status.Images) {
		switch {
		case !ready:
			r.Ended[run] = since
		case idle:
			r.Ended[run], r.Idle[run] = now, true
		case r.Ready[run].IsZero() || since.Before(r.Ready[run]):
			r.Ready[run] = since
		}
	}
	if len(status.History) == 0 {
		return
	}
	for _, entry := range status.History[1:] {
		for run := range runsOf(status, entry.Images) {
			if r.Ended[run].IsZero() {
				r.Ended[run] = status.History[0].Started.Time
			}
		}
	}
}

func (r Runs) fail(status *ecsv1alpha1.EcsReleaseStatus, images []ecsv1alpha1.ResolvedImage, at time.Time) {
	for run := range runsOf(status, images) {
		if at.After(r.Failed[run]) {
			r.Failed[run] = at
		}
	}
}

// readySince says whether a release is ready, and since when that is so, or is not so. It is no
// longer ready with its newest images than history knows.
func readySince(status *ecsv1alpha1.EcsReleaseStatus) (bool, time.Time) {
	for _, c := range status.Conditions {
		if c.Type != ecsv1alpha1.ConditionReady {
			continue
		}
		since := c.LastTransitionTime.Time
		if c.Status != "True" {
			return false, since
		}
		if len(status.History) > 0 && status.History[0].Finished != nil && status.History[0].Finished.After(since) {
			since = status.History[0].Finished.Time
		}
		return true, since
	}
	return false, time.Time{}
}

// runsOf are images in all services of a release, each with whether that runs no tasks.
func runsOf(status *ecsv1alpha1.EcsReleaseStatus, images []ecsv1alpha1.ResolvedImage) map[Run]bool {
	runs := map[Run]bool{}
	for _, image := range images {
		if image.Digest == "" {
			continue
		}
		for _, target := range status.Targets {
			for _, service := range target.Services {
				run := Run{image.Digest, service.Name}
				runs[run] = runs[run] || idle(service)
			}
		}
	}
	return runs
}

// Soak is proven after a look at what runs. It changes on transitions only: with the same
// arguments, but for the time, again it returns the same.
func Soak(proven []ecsv1alpha1.ProvenDigest, runs Runs, now time.Time) []ecsv1alpha1.ProvenDigest {
	var soaked []ecsv1alpha1.ProvenDigest
	known := map[Run]bool{}
	for _, p := range proven {
		run := Run{p.Digest, p.Service}
		known[run] = true
		soaked = append(soaked, soak(p, run, runs, now))
	}
	for run := range runs.Ready {
		if !known[run] {
			soaked = append(soaked, soak(ecsv1alpha1.ProvenDigest{Digest: run.Digest, Service: run.Service}, run, runs, now))
		}
	}
	for run := range runs.Idle {
		if _, runs := runs.Ready[run]; !known[run] && !runs {
			// What it may run from some time on counts from then.
			last := seconds(now)
			soaked = append(soaked, ecsv1alpha1.ProvenDigest{Digest: run.Digest, Service: run.Service, Last: &last})
		}
	}
	return fewest(soaked)
}

func soak(p ecsv1alpha1.ProvenDigest, run Run, runs Runs, now time.Time) ecsv1alpha1.ProvenDigest {
	since, ready := runs.Ready[run]
	if p.Since != nil && (!ready || since.After(p.Since.Time)) {
		ended := now
		switch {
		case ready:
			ended = p.Since.Time // it ran again since; for how long it did before is not known
		case !runs.Ended[run].IsZero():
			ended = earliest(runs.Ended[run], now)
		}
		p.Seconds += int64(atLeast(p.Since.Time, ended).Seconds())
		last := seconds(ended)
		p.Since, p.Last = nil, &last
	}
	if failed := runs.Failed[run]; !failed.IsZero() && (p.Failed == nil || failed.Truncate(time.Second).After(p.Failed.Time)) {
		at := seconds(failed)
		p.Failed, p.Seconds = &at, 0
		if p.Since != nil && p.Since.Before(&at) {
			p.Since = nil
		}
	}
	if ready && p.Since == nil {
		if p.Last != nil && !since.After(p.Last.Time) {
			since = now // it was Ready all the time, and ran no tasks
		}
		if p.Failed != nil && p.Failed.After(since) {
			since = p.Failed.Time
		}
		at := seconds(since)
		p.Since = &at
	}
	return p
}

// fewest is as much of proven as status has room for: what runs, and what ran last, first. In the
// order of service and digest.
func fewest(proven []ecsv1alpha1.ProvenDigest) []ecsv1alpha1.ProvenDigest {
	slices.SortFunc(proven, func(a, b ecsv1alpha1.ProvenDigest) int {
		if a.Since != nil != (b.Since != nil) {
			if a.Since != nil {
				return -1
			}
			return 1
		}
		return cmp.Or(lastRun(b).Compare(lastRun(a)), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Digest, b.Digest))
	})
	count := map[string]int{}
	proven = slices.DeleteFunc(proven, func(p ecsv1alpha1.ProvenDigest) bool {
		count[p.Service]++
		return count[p.Service] > maxProvenOfService && p.Since == nil
	})
	proven = proven[:min(len(proven), maxProven)]
	slices.SortFunc(proven, func(a, b ecsv1alpha1.ProvenDigest) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Digest, b.Digest))
	})
	return proven
}

// Crowded says that so much runs that there may be more for which proven had no room.
func Crowded(proven []ecsv1alpha1.ProvenDigest) bool {
	return len(proven) >= maxProven && !slices.ContainsFunc(proven, func(p ecsv1alpha1.ProvenDigest) bool { return p.Since == nil })
}

// lastRun is when a digest was last heard of.
func lastRun(p ecsv1alpha1.ProvenDigest) time.Time {
	var last time.Time
	if p.Last != nil {
		last = p.Last.Time
	}
	if p.Failed != nil && p.Failed.After(last) {
		last = p.Failed.Time
	}
	return last
}

// Soaked is for how long at least a digest has run Ready in a service, since it last failed there, and
// whether it does now.
func Soaked(proven []ecsv1alpha1.ProvenDigest, run Run, now time.Time) (soaked time.Duration, runs, known bool) {
	for _, p := range proven {
		if p.Digest != run.Digest || p.Service != run.Service {
			continue
		}
		soaked = time.Duration(p.Seconds) * time.Second
		if p.Since != nil {
			soaked += atLeast(p.Since.Time, now)
		}
		return soaked, p.Since != nil, p.Since != nil || p.Seconds > 0
	}
	return 0, false, false
}

// atLeast is the time from since, which is a whole second of status, until then. What began within that
// second began at its end for all that is known.
func atLeast(since, then time.Time) time.Duration {
	return max(then.Sub(since)-time.Second, 0)
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

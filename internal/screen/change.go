package screen

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Changes are the changes from one look at a release to the next, a line each, for logs. Without a
// look before, it is one line about how the release is.
func Changes(before, after *ecsv1alpha1.EcsRelease, now time.Time, flags Flags) []string {
	var changes []string
	say := func(format string, args ...any) { changes = append(changes, fmt.Sprintf(format, args...)) }
	if before != nil {
		for _, w := range after.Status.Waves {
			was := waveBefore(before, after, w.Wave)
			if w.Opened != nil && was.Opened == nil {
				say("wave %d is open", w.Wave)
			}
			if w.Opened != nil && w.Finished != nil && was.Finished == nil {
				say("wave %d has finished", w.Wave)
			}
		}
		services := servicesOf(before)
		for _, s := range servicesOf(after) {
			i := slices.IndexFunc(services, func(b placed) bool { return b.name == s.name })
			if i < 0 {
				continue
			}
			if was, is := services[i].words(), s.words(); was != is {
				say("%s: %s", s.name, is)
			}
		}
	}
	if before == nil || Headline(before) != Headline(after) {
		say("%s: %s", phrase(after), message(after))
	}
	for i := range after.Status.Awaiting {
		a := &after.Status.Awaiting[i]
		if before == nil || !slices.ContainsFunc(before.Status.Awaiting, func(b ecsv1alpha1.Awaiting) bool { return b.ID == a.ID }) {
			advice := decision(after, a, now, flags)
			say("%s %s", advice.Says, advice.Command)
		}
	}
	return stamped(changes, now)
}

// stamped are lines that begin with the time.
func stamped(lines []string, now time.Time) []string {
	for i := range lines {
		lines[i] = now.UTC().Format(time.RFC3339) + "  " + lines[i]
	}
	return lines
}

// Headline is how a release is in few words: two that have the same are no news.
func Headline(release *ecsv1alpha1.EcsRelease) string {
	said := phrase(release)
	if progress := release.Status.Progress; progress != "" {
		said += ", " + progress
	}
	return said
}

// waveBefore is a wave as it was before, if that was of the same release in history.
func waveBefore(before, after *ecsv1alpha1.EcsRelease, wave int32) ecsv1alpha1.WaveStatus {
	was, is := before.Status.History, after.Status.History
	if len(was) == 0 || len(is) == 0 || was[0].Number != is[0].Number {
		return ecsv1alpha1.WaveStatus{}
	}
	for _, w := range before.Status.Waves {
		if w.Wave == wave {
			return w
		}
	}
	return ecsv1alpha1.WaveStatus{}
}

// placed is a service with its name in the release: target/service.
type placed struct {
	name   string
	status *ecsv1alpha1.ServiceStatus
}

func servicesOf(release *ecsv1alpha1.EcsRelease) []placed {
	var services []placed
	for i := range release.Status.Targets {
		target := &release.Status.Targets[i]
		for j := range target.Services {
			services = append(services, placed{target.Name + "/" + target.Services[j].Name, &target.Services[j]})
		}
	}
	return services
}

// words are how a service is, without what only time changes.
func (p placed) words() string {
	s := p.status
	said := []string{string(cmp.Or(s.State, ecsv1alpha1.ServiceUnknown))}
	if s.Reason != "" && s.Reason != said[0] && s.Reason != ecsv1alpha1.ReasonProgressing && s.Reason != ecsv1alpha1.ReasonReleased {
		said = append(said, s.Reason)
	}
	if d := s.Deployment; d != nil && d.Outcome == "" {
		said = append(said, d.Revision, d.Stage)
		if d.Weight != nil {
			said = append(said, fmt.Sprintf("%d%% of traffic", *d.Weight))
		}
		said = append(said, fmt.Sprintf("%d/%d tasks run", d.Running, d.Desired))
		if d.Old > 0 {
			said = append(said, fmt.Sprintf("%d old", d.Old))
		}
		return joined(said)
	}
	return joined(append(said, s.Revision))
}

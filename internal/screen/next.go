package screen

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// Advice is something that a person may do next.
type Advice struct {
	// Says is what there is to be decided or done.
	Says string
	// Command does it; "" where no command of ours does.
	Command string
}

// Flags are flags of kubectl's, such as --context, as a shell takes them.
type Flags []string

// Command is how a command of ours is given for a release.
func (f Flags) Command(release *ecsv1alpha1.EcsRelease, name string, more ...string) string {
	said := append([]string{"kubectl ecsrelease", name, release.Name, "-n", release.Namespace}, more...)
	return strings.Join(append(said, f...), " ")
}

// Next is what a person may do next about a release; none where it needs nobody.
func Next(release *ecsv1alpha1.EcsRelease, now time.Time, flags Flags) []Advice {
	var advice []Advice
	for i := range release.Status.Awaiting {
		a := &release.Status.Awaiting[i]
		advice = append(advice, decision(release, a, now, flags))
		if a.Wave == nil {
			advice = append(advice, Advice{"or, to have it rolled back:", flags.Command(release, "abort")})
		}
	}
	if hold := release.Status.Hold; hold != nil {
		advice = append(advice, Advice{
			fmt.Sprintf("release %d (%s) is held against %s; to go to what the spec says:", hold.Number, Images(hold.Images), Images(hold.Against)),
			flags.Command(release, "release-hold"),
		})
	}
	if release.Spec.Suspend {
		advice = append(advice, Advice{"it is suspended: nothing is started; to go on:", flags.Command(release, "resume")})
	}
	return append(advice, repair(release, flags)...)
}

// decision is what is to be decided about something that waits for a person.
func decision(release *ecsv1alpha1.EcsRelease, a *ecsv1alpha1.Awaiting, now time.Time, flags Flags) Advice {
	what := fmt.Sprintf("the deployment of %s/%s is paused at %s", a.Target, a.Service, a.Stage)
	if a.Wave != nil {
		what = fmt.Sprintf("wave %d waits for approval", *a.Wave)
	}
	what += " since " + age(a.Since, now)
	if a.Expires != nil {
		what += ", ECS decides by itself in " + duration.HumanDuration(a.Expires.Sub(now))
	}
	return Advice{what + ":", flags.Command(release, "approve", a.ID)}
}

// repair is what may be done about a release that is Stalled.
func repair(release *ecsv1alpha1.EcsRelease, flags Flags) []Advice {
	reason := readyOf(release).Reason
	switch phase := rollout.PhaseOf(release); {
	case phase == rollout.PhaseFailed && reason == ecsv1alpha1.ReasonImageMissing:
		return []Advice{{"it goes on by itself when the image is there", ""}}
	case phase == rollout.PhaseFailed:
		return []Advice{{"release an image that works or, when what it failed of is mended, try the same once more:", flags.Command(release, "retry")}}
	case phase == rollout.PhaseBlocked && reason == ecsv1alpha1.ReasonDrifted:
		return []Advice{{"find out who deploys there; then, to put the image back once more:", flags.Command(release, "retry")}}
	case phase == rollout.PhaseBlocked:
		return []Advice{{"when that is corrected, to have it looked at at once:", flags.Command(release, "reconcile")}}
	default:
		return nil
	}
}

// Images are images for people, by comma.
func Images(images []ecsv1alpha1.ResolvedImage) string {
	var said []string
	for _, image := range images {
		name := image.Image
		if image.Container != "" {
			name = image.Container + "=" + name
		}
		said = append(said, name)
	}
	return joined(said)
}

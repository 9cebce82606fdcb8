package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/screen"
)

// previous is the release that rollout.Previous says.
const previous = "previous"

func (p *plugin) holdCommand() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:     "hold NAME [NUMBER|previous]",
		GroupID: groupOrder,
		Short:   orderHold.short,
		Long: `Go back to a release of history and stay there, whatever the spec says: an emergency rollback that
Argo CD and Flux do not undo. It ends with release-hold, or with another image in the spec. Without a
number it is the last release before the present one that was Released or Adopted and brought something
else.`,
		Example: `  kubectl ecsrelease hold helium-backend -n production
  kubectl ecsrelease hold helium-backend -n production 3`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: p.completeHistory,
		RunE: func(cmd *cobra.Command, args []string) error {
			which := previous
			if len(args) > 1 {
				which = args[1]
			}
			c, release, err := p.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			entry, err := past(release, which, p.flags())
			if err != nil {
				return err
			}
			// By its number, so that it is the one that was found here, whatever is released meanwhile.
			if err := p.give(cmd.Context(), c, release, orderHold, fmt.Sprintf("%s/%d", token(), entry.Number), timeout); err != nil {
				return err
			}
			p.say(permanent(release, entry)...)
			return nil
		},
	}
	orderFlags(cmd, &timeout)
	return cmd
}

// past is the release of history to go back to.
func past(release *ecsv1alpha1.EcsRelease, which string, flags screen.Flags) (*ecsv1alpha1.HistoryEntry, error) {
	history := release.Status.History
	if which == previous {
		if hold := release.Status.Hold; hold != nil {
			return nil, fmt.Errorf("release %d is held already: name another one by its number", hold.Number)
		}
		if entry := rollout.Previous(history); entry != nil {
			return entry, nil
		}
		return nil, fmt.Errorf("no other release before this one was Released or Adopted: %s", flags.Command(release, "history"))
	}
	number, err := strconv.ParseInt(which, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("hold %q: wanted %s or the number of a release in history", which, previous)
	}
	for i := range history {
		switch entry := &history[i]; {
		case entry.Number != number:
		case !rollout.CameToAGoodEnd(*entry):
			return nil, fmt.Errorf("release %d (%s) is %s: only one that was Released or Adopted can be gone back to", number, screen.Images(entry.Images), entry.Outcome)
		default:
			return entry, nil
		}
	}
	return nil, fmt.Errorf("history has no release %d: %s", number, flags.Command(release, "history"))
}

// permanent is how to make in Git what a hold does here.
func permanent(release *ecsv1alpha1.EcsRelease, entry *ecsv1alpha1.HistoryEntry) []string {
	edit := "kustomize edit set image"
	for _, image := range entry.Images {
		edit += " " + image.Image
	}
	said := []string{"The spec stays as it is. To make it permanent, in the overlay in the manifest repository, which ends the hold:", "  " + edit}
	// To revert the last commit goes back by one.
	if history := release.Status.History; len(history) > 1 && history[1].Number == entry.Number {
		said = append(said, "or", "  git revert COMMIT   # the one that brought "+screen.Asked(release))
	}
	return said
}

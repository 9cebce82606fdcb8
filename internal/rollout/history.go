package rollout

import (
	"slices"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

const (
	maxHistory   = 10
	maxRevisions = 128
)

// Record is history, the newest first, after verdict about images. Images that differ from the
// newest entry's open a new one, whose predecessor is Superseded if it was under way; the same
// images never do, whatever is corrected. A release that succeeded stays so in history, one
// that failed may still succeed. revisions are the task definitions that carry the images so
// far. With the same arguments again it returns the same.
func Record(
	history []ecsv1alpha1.HistoryEntry, images []ecsv1alpha1.ResolvedImage,
	verdict Verdict, revisions []string, now time.Time,
) []ecsv1alpha1.HistoryEntry {
	if len(images) == 0 {
		return history
	}
	history = copyHistory(history)
	if len(history) == 0 || !sameImages(history[0].Images, images) {
		history = open(history, now)
	}
	entry := &history[0]
	entry.Images = imagesOf(images)
	entry.Revisions = union(entry.Revisions, revisions)
	if outcome := outcomeOf(entry.Outcome, verdict); outcome != entry.Outcome {
		at := seconds(now)
		entry.Outcome, entry.Finished = outcome, &at
	}
	return history
}

// Revisions are the task definitions that carry the images in the services that are in sync.
func Revisions(services []Placed) []string {
	var revisions []string
	for _, p := range services {
		if p.Status.State == ecsv1alpha1.ServiceInSync && p.Status.Registered != "" {
			revisions = append(revisions, p.Status.Registered)
		}
	}
	return union(nil, revisions)
}

// open puts a new entry before history.
func open(history []ecsv1alpha1.HistoryEntry, now time.Time) []ecsv1alpha1.HistoryEntry {
	entry := ecsv1alpha1.HistoryEntry{Number: 1, Outcome: ecsv1alpha1.OutcomeProgressing, Started: seconds(now)}
	if len(history) > 0 {
		last := &history[0]
		entry.Number = last.Number + 1
		if last.Outcome == ecsv1alpha1.OutcomeProgressing {
			at := seconds(now)
			last.Outcome, last.Finished = ecsv1alpha1.OutcomeSuperseded, &at
		}
	}
	history = slices.Insert(history, 0, entry)
	return history[:min(len(history), maxHistory)]
}

// outcomeOf is the outcome of an entry that had outcome when verdict was given.
func outcomeOf(outcome ecsv1alpha1.Outcome, verdict Verdict) ecsv1alpha1.Outcome {
	switch {
	case outcome == ecsv1alpha1.OutcomeReleased || outcome == ecsv1alpha1.OutcomeAdopted:
		return outcome
	case verdict.Phase == PhaseReady && verdict.Adopted:
		return ecsv1alpha1.OutcomeAdopted
	case verdict.Phase == PhaseReady:
		return ecsv1alpha1.OutcomeReleased
	case verdict.Phase == PhaseFailed:
		return ecsv1alpha1.OutcomeFailed
	default:
		return outcome
	}
}

// sameImages says that both are the same release. A digest that is not resolved yet does not
// make a difference.
func sameImages(a, b []ecsv1alpha1.ResolvedImage) bool {
	return slices.EqualFunc(a, b, func(a, b ecsv1alpha1.ResolvedImage) bool {
		return a.Container == b.Container && a.Image == b.Image &&
			(a.Digest == b.Digest || a.Digest == "" || b.Digest == "")
	})
}

// imagesOf are the images as history keeps them.
func imagesOf(images []ecsv1alpha1.ResolvedImage) []ecsv1alpha1.ResolvedImage {
	kept := slices.Clone(images)
	for i := range kept {
		kept[i].MissingSince, kept[i].MovedTo = nil, ""
	}
	return kept
}

// union is what is in a or b, each once and in order.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) == 0 {
		return nil
	}
	return all[:min(len(all), maxRevisions)]
}

func copyHistory(history []ecsv1alpha1.HistoryEntry) []ecsv1alpha1.HistoryEntry {
	copied := make([]ecsv1alpha1.HistoryEntry, len(history), len(history)+1)
	for i := range history {
		history[i].DeepCopyInto(&copied[i])
	}
	return copied
}

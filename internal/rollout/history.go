package rollout

import (
	"slices"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

const (
	maxHistory   = 10
	maxRevisions = 128
	maxCause     = 256
)

// Begin is about to release images, as generation of the spec asks for them because of cause.
// Images that differ from those of the newest entry in history open a new one, and so do a hold and
// its end, and again: what they are put into has changed. The entry before is Superseded if it was
// under way; the new one has no wave open and nothing approved. The same images never open one
// otherwise, whatever is corrected. It says whether an entry was opened.
func (l *Ledger) Begin(images []ecsv1alpha1.ResolvedImage, again bool, generation int64, cause string, now time.Time) bool {
	if len(images) == 0 {
		return false
	}
	var held int64
	if l.Hold != nil {
		held = l.Hold.Number
	}
	opens := len(l.History) == 0 || !sameImages(l.History[0].Images, images) || l.History[0].Held != held || again
	history := copyHistory(l.History)
	if opens {
		history = open(history, l.Failure, now)
		history[0].Generation, history[0].Cause, history[0].Held = generation, shorten(cause, maxCause), held
		l.Waves, l.Failure = nil, nil
	}
	history[0].Images = imagesOf(images)
	l.History = history
	return opens
}

// Record is history after verdict about its newest entry. A release that succeeded stays so in
// history, one that failed may still succeed. revisions are the task definitions that carry the
// images so far, waves the waves that have finished. With the same arguments again it returns
// the same.
func Record(
	history []ecsv1alpha1.HistoryEntry, waves []ecsv1alpha1.WaveStatus,
	verdict Verdict, revisions []string, now time.Time,
) []ecsv1alpha1.HistoryEntry {
	if len(history) == 0 {
		return history
	}
	history = copyHistory(history)
	entry := &history[0]
	entry.Revisions = union(entry.Revisions, revisions)
	entry.Waves = timed(entry.Waves, waves, CameToAGoodEnd(*entry))
	if outcome := outcomeOf(entry.Outcome, verdict); outcome != entry.Outcome {
		at := seconds(now)
		entry.Outcome, entry.Finished = outcome, &at
		entry.Failure = ""
		if verdict.Failure != nil && endedBadly(outcome) {
			entry.Failure = verdict.Failure.Class
		}
	}
	return history
}

// timed is times with how long each of waves took that finished. Once the release is over what is corrected
// in a wave is no part of that.
func timed(times []ecsv1alpha1.WaveTime, waves []ecsv1alpha1.WaveStatus, over bool) []ecsv1alpha1.WaveTime {
	for _, w := range waves {
		if w.Finished == nil || w.Opened == nil {
			continue
		}
		took := ecsv1alpha1.WaveTime{Wave: w.Wave, Seconds: int64(w.Finished.Sub(w.Opened.Time).Seconds())}
		i := slices.IndexFunc(times, func(t ecsv1alpha1.WaveTime) bool { return t.Wave == w.Wave })
		switch {
		case i < 0:
			times = append(times, took)
		case !over:
			times[i] = took
		}
	}
	return times
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

// open puts a new entry before history. One before that was under way is superseded, or has failed
// where that is known of it.
func open(history []ecsv1alpha1.HistoryEntry, failed *ecsv1alpha1.Failure, now time.Time) []ecsv1alpha1.HistoryEntry {
	entry := ecsv1alpha1.HistoryEntry{Number: 1, Outcome: ecsv1alpha1.OutcomeProgressing, Started: seconds(now)}
	if len(history) > 0 {
		last := &history[0]
		entry.Number = last.Number + 1
		if last.Outcome == ecsv1alpha1.OutcomeProgressing {
			at := seconds(now)
			last.Outcome, last.Finished = ecsv1alpha1.OutcomeSuperseded, &at
			if failed != nil {
				last.Outcome, last.Failure = ecsv1alpha1.OutcomeFailed, failed.Class
			}
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
	case (verdict.Phase == PhaseReady || verdict.Phase == PhaseHeld) && verdict.Adopted:
		return ecsv1alpha1.OutcomeAdopted
	case verdict.Phase == PhaseReady || verdict.Phase == PhaseHeld:
		return ecsv1alpha1.OutcomeReleased
	case verdict.Phase == PhaseFailed && verdict.Back:
		return ecsv1alpha1.OutcomeRolledBack
	case verdict.Phase == PhaseFailed:
		return ecsv1alpha1.OutcomeFailed
	default:
		return outcome
	}
}

// endedBadly says that outcome is one of a release that failed.
func endedBadly(outcome ecsv1alpha1.Outcome) bool {
	return outcome == ecsv1alpha1.OutcomeFailed || outcome == ecsv1alpha1.OutcomeRolledBack
}

// Ended is the class of what the newest release in history failed of, "" while it has not, or where
// it goes on by itself when the image arrives.
func (l *Ledger) Ended() ecsv1alpha1.FailureClass {
	if len(l.History) == 0 || !endedBadly(l.History[0].Outcome) || l.History[0].Failure == ecsv1alpha1.FailureImageMissing {
		return ""
	}
	return l.History[0].Failure
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

package screen

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// Terminal is what a screen is for. The zero value is a file: lines of any length, without color.
type Terminal struct {
	// Width and Height are its columns and rows; 0: as many as it takes.
	Width, Height int
	// Color says that it takes colors.
	Color bool
	// Flags are what commands are given so that they reach the cluster that was looked at.
	Flags Flags
}

// Status is a release at a time: what it is about, the tree of it, and what to do next. In a terminal
// no line is wider and, by leaving out what is well first, the whole is not higher than that.
func Status(release *ecsv1alpha1.EcsRelease, now time.Time, terminal Terminal) []string {
	head, foot := header(release, now, terminal), footer(release, now, terminal)
	root := treeOf(release, now)
	room := 0
	if terminal.Height > 0 {
		const least = 3 // of the header: the name and how it is
		head = head[:max(least, min(len(head), (terminal.Height-len(foot))/2))]
		room = max(1, terminal.Height-len(head)-len(foot)-1)
		fold(&root, room)
	}
	body := drawn(&root)
	if room > 0 && len(body) > room {
		hidden := len(body) - room + 1
		body = append(body[:room-1], words(faint, fmt.Sprintf("… and %d lines more", hidden)))
	}
	var lines []string
	for _, l := range append(append(append(head, line{}), body...), foot...) {
		lines = append(lines, l.render(terminal.Width, terminal.Color))
	}
	if terminal.Height > 0 {
		lines = lines[:min(len(lines), terminal.Height)]
	}
	return lines
}

// header is what a release is about, field by field.
func header(release *ecsv1alpha1.EcsRelease, now time.Time, terminal Terminal) []line {
	status := &release.Status
	m := phaseMark(rollout.PhaseOf(release))
	lines := []line{
		field("Name", words(strong, release.Name)),
		field("Namespace", words(plain, release.Namespace)),
		field("Status", line{{m.sign + " " + phrase(release), m.ink}}),
	}
	lines = append(lines, paragraph("Message", message(release), plain, terminal)...)
	lines = append(lines, field("Image", words(plain, cmp.Or(Images(status.Images), Asked(release)))))
	for _, image := range status.Images {
		digest := joined([]string{image.Container, image.Digest})
		switch {
		case image.Digest == "":
		case terminal.Height > 0: // one line will do: it is there to be compared
			lines = append(lines, field("Digest", words(faint, digest)))
		default:
			lines = append(lines, paragraph("Digest", digest, faint, terminal)...)
		}
	}
	if len(status.History) > 0 {
		entry := &status.History[0]
		said := fmt.Sprintf("%d, %s", entry.Number, entry.Outcome)
		if entry.Finished != nil {
			said += fmt.Sprintf(" %s ago", age(*entry.Finished, now))
		} else {
			said += " since " + age(entry.Started, now)
		}
		if entry.Cause != "" {
			said += ": " + clean(entry.Cause)
		}
		lines = append(lines, field("Release", words(plain, said)))
	}
	return lines
}

// phrase is the phase of a release with its reason, where that says more.
func phrase(release *ecsv1alpha1.EcsRelease) string {
	phase, ready := rollout.PhaseOf(release), readyOf(release)
	switch {
	case ready.ObservedGeneration != release.Generation, ready.Reason == string(phase), ready.Reason == ecsv1alpha1.ReasonReleased:
		return string(phase)
	default:
		return fmt.Sprintf("%s (%s)", phase, ready.Reason)
	}
}

// message is what Ready says, or why it says nothing about what is asked for now.
func message(release *ecsv1alpha1.EcsRelease) string {
	status := &release.Status
	return said("release", release.Generation, status.ObservedGeneration, status.Conditions)
}

// said is what Ready says of a generation of something, or why it says nothing about that.
func said(what string, generation, observed int64, conditions []metav1.Condition) string {
	ready := readyIn(conditions)
	switch {
	case observed < generation && len(conditions) == 0:
		return fmt.Sprintf("no controller has seen this %s yet: is the manager running?", what)
	case observed != generation || ready.ObservedGeneration != generation:
		return fmt.Sprintf("the spec has changed (generation %d), and the controller has not looked at it yet: what follows is of generation %d", generation, observed)
	default:
		return clean(ready.Message)
	}
}

// Asked is the image that the spec asks for, or the images by comma.
func Asked(release *ecsv1alpha1.EcsRelease) string {
	if release.Spec.Image != "" {
		return release.Spec.Image
	}
	var images []ecsv1alpha1.ResolvedImage
	for _, c := range release.Spec.Containers {
		images = append(images, ecsv1alpha1.ResolvedImage{Container: c.Name, Image: c.Image})
	}
	return Images(images)
}

// label is how wide the names of fields are.
const label = 12

func field(name string, value line) line {
	return append(line{{pad(name+":", label), faint}}, value...)
}

// paragraph is a field with a text of any length. A terminal with a height shows a few lines of it.
func paragraph(name, text string, i ink, terminal Terminal) []line {
	const most = 3
	parts := wrapped(text, max(0, terminal.Width-label))
	if terminal.Height > 0 && len(parts) > most {
		parts = append(parts[:most-1], parts[most-1]+"…")
	}
	lines := []line{field(name, words(i, parts[0]))}
	for _, part := range parts[1:] {
		lines = append(lines, append(words(plain, strings.Repeat(" ", label)), words(i, part)...))
	}
	return lines
}

// footer is what to do next. A command is there to be copied: one that is too wide goes on behind a
// backslash.
func footer(release *ecsv1alpha1.EcsRelease, now time.Time, terminal Terminal) []line {
	var lines []line
	for _, a := range Next(release, now, terminal.Flags) {
		lines = append(lines, line{})
		for _, part := range wrapped(clean(a.Says), terminal.Width) {
			lines = append(lines, words(waiting, part))
		}
		if a.Command != "" {
			parts := wrapped(a.Command, max(0, terminal.Width-len("  ")-len(" \\")))
			for i, part := range parts {
				if i < len(parts)-1 {
					part += " \\"
				}
				lines = append(lines, words(strong, "  "+part))
			}
		}
	}
	return lines
}

// Notice is a line that warns, in a terminal.
func Notice(text string, terminal Terminal) string {
	return words(waiting, clean(text)).render(terminal.Width, terminal.Color)
}

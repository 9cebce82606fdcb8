package controllers

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	normal  = corev1.EventTypeNormal
	warning = corev1.EventTypeWarning
)

// occurrence is an event that waits for the status which shows it to be written.
type occurrence struct {
	kind, reason, note string
}

// clip is text of at most limit bytes; dots show that something is missing.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len("...")], "") + "..."
}

// occur notes an event of the ordinary kind.
func (s *service) occur(reason, format string, args ...any) {
	s.moved = append(s.moved, occurrence{kind: normal, reason: reason, note: fmt.Sprintf(format, args...)})
}

// warn notes an event of the other kind.
func (s *service) warn(reason, format string, args ...any) {
	s.moved = append(s.moved, occurrence{kind: warning, reason: reason, note: fmt.Sprintf(format, args...)})
}

// actionOn is the action of an event about one thing of a release. It names the thing, because
// events that differ in nothing but their notes become one series, which shows the first note
// only. The API takes 128 bytes; names differ at their ends.
func actionOn(reason, name string) string {
	if name == "" {
		return reason
	}
	const most = 128
	room := most - len(reason) - len(" ")
	return reason + " " + name[max(0, len(name)-room):]
}

package controllers

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

const (
	normal  = corev1.EventTypeNormal
	warning = corev1.EventTypeWarning
)

// occurrence is an event of the ordinary kind that waits for the status which shows it to be written.
type occurrence struct {
	reason, note string
}

func (s *service) occur(reason, format string, args ...any) {
	s.moved = append(s.moved, occurrence{reason: reason, note: fmt.Sprintf(format, args...)})
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

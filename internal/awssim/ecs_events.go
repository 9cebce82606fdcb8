package awssim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// serviceEvent is a line of a service's events.
type serviceEvent struct {
	id      string
	at      time.Time
	message string
}

type serviceEventView struct {
	ID        string      `json:"id"`
	CreatedAt json.Number `json:"createdAt"`
	Message   string      `json:"message"`
}

const (
	eventsShown = 100
	eventsAgain = 6 * time.Hour // within it, the same message is not repeated
)

// event adds a line. That the service is unable to do something is said once in six hours.
func (s *service) event(format string, args ...any) {
	w := s.state.world
	text := fmt.Sprintf(format, args...)
	message := "(service " + s.name + ") " + text
	if strings.HasPrefix(text, "was unable") || strings.HasPrefix(text, "is unable") {
		since := w.now().Add(-w.scale(eventsAgain))
		for i := len(s.events) - 1; i >= 0 && s.events[i].at.After(since); i-- {
			if s.events[i].message == message {
				return
			}
		}
	}
	if len(s.events) >= 2*eventsShown { // a new array: views share the old one
		s.events = append(make([]serviceEvent, 0, 2*eventsShown), s.events[len(s.events)-eventsShown:]...)
	}
	s.events = append(s.events, serviceEvent{s.state.uuid(), w.now(), message})
}

// showEvents is the newest hundred, newest first.
func showEvents(events []serviceEvent) []serviceEventView {
	shown := []serviceEventView{}
	for i := len(events) - 1; i >= 0 && len(shown) < eventsShown; i-- {
		shown = append(shown, serviceEventView{ID: events[i].id, CreatedAt: epoch(events[i].at), Message: events[i].message})
	}
	return shown
}

// taskList names tasks as events do.
func taskList(tasks []*task) string {
	names := make([]string, len(tasks))
	for i, t := range tasks {
		names[i] = "(task " + t.id + ")"
	}
	return strings.Join(names, " ")
}

package simulation

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// story is what happened, in the order in which it happened.
type story struct {
	began time.Time

	mu         sync.Mutex
	lines      []string
	violations []string
}

// tell adds a line: who, and what.
func (s *story) tell(who, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, s.line(who, fmt.Sprintf(format, args...)))
}

// violate adds a line about a promise that was broken. The same words count once.
func (s *story) violate(promise, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what := promise + ": " + fmt.Sprintf(format, args...)
	for _, known := range s.violations {
		if known == what {
			return
		}
	}
	s.violations = append(s.violations, what)
	s.lines = append(s.lines, s.line("BROKEN", what))
}

func (s *story) line(who, what string) string {
	passed := time.Since(s.began)
	day := int(passed.Hours()) / 24
	passed %= 24 * time.Hour
	clock := time.Time{}.Add(passed).Format("15:04:05.000")
	return fmt.Sprintf("d%d %s  %-10s %s", day, clock, who, strings.ReplaceAll(what, "\n", " "))
}

func (s *story) broken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.violations) > 0
}

// told are the lines and the violations so far.
func (s *story) told() (lines, violations []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.lines...), append([]string(nil), s.violations...)
}

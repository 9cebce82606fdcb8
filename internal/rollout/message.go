package rollout

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The longest messages that the API takes, in bytes: never more than its characters.
const (
	maxMessage       = 1024
	maxFailedMessage = 512
)

// shorten is s in at most limit bytes, cut between characters and marked where it was cut.
func shorten(s string, limit int) string {
	const mark = "…"
	if len(s) <= limit {
		return s
	}
	if limit < len(mark) {
		return ""
	}
	cut := limit - len(mark)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.TrimRight(s[:cut], " ") + mark
}

// tasks is a number of tasks in words.
func tasks(n int32) string {
	if n == 1 {
		return "1 task"
	}
	return fmt.Sprintf("%d tasks", n)
}

// clauses joins what there is to say.
func clauses(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p = strings.TrimRight(p, ". "); p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, "; ")
}

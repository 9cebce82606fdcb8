package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// screen shows a table that changes. On a terminal it is drawn again in its place; elsewhere
// each row is printed when it changes.
type screen struct {
	terminal bool
	began    time.Time
	height   int
	last     map[string]string
}

func newScreen() *screen {
	return &screen{
		terminal: term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("TERM") != "dumb",
		began:    time.Now(),
		last:     map[string]string{},
	}
}

// fits says how wide lines may be for that many of them to be drawn again in their place, and
// whether they can be at all.
func (s *screen) fits(lines int) (width int, ok bool) {
	if !s.terminal {
		return 0, false
	}
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	return width, err == nil && width > 0 && lines < height
}

func (s *screen) draw(blocks []block) {
	var lines []string
	for _, b := range blocks {
		lines = append(lines, b.lines()...)
	}
	if width, ok := s.fits(len(lines)); ok {
		s.redraw(lines, width)
		return
	}
	for _, b := range blocks {
		for i, line := range b.lines() {
			key := fmt.Sprint(b.owner, "/", i)
			if shown := strings.Join(strings.Fields(line), " "); s.last[key] != shown {
				s.last[key] = shown
				fmt.Printf("%5.1fs  %-10s  %s\n", time.Since(s.began).Seconds(), b.owner, strings.TrimSpace(strings.TrimPrefix(line, b.owner)))
			}
		}
	}
}

// redraw puts the lines in the place of those before, each cut to the width.
func (s *screen) redraw(lines []string, width int) {
	var frame strings.Builder
	if s.height > 0 {
		fmt.Fprintf(&frame, "\x1b[%dA", s.height)
	}
	for _, line := range lines {
		if runes := []rune(line); len(runes) > width {
			line = string(runes[:width-1]) + "…"
		}
		frame.WriteString("\x1b[2K" + line + "\n")
	}
	frame.WriteString("\x1b[J")
	fmt.Print(frame.String())
	s.height = len(lines)
}

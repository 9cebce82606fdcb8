package main

import (
	"fmt"
	"io"
	"strings"
)

// frame is a part of a terminal that is drawn anew in place.
type frame struct {
	out io.Writer
	// lines is how many there are above the cursor.
	lines int
}

// What a terminal obeys (ECMA-48): go up, erase to the end of the line, and of the screen.
const (
	up        = "\x1b[%dA"
	eraseLine = "\x1b[K"
	eraseDown = "\x1b[J"
)

// show draws lines over those that were shown before, in one write, so that nothing flickers. None
// may be wider than the terminal.
func (f *frame) show(lines []string) {
	var text strings.Builder
	if f.lines > 0 {
		fmt.Fprintf(&text, "\r"+up, f.lines)
	}
	for _, line := range lines {
		text.WriteString(line + eraseLine + "\n")
	}
	text.WriteString(eraseDown)
	f.lines = len(lines)
	_, _ = io.WriteString(f.out, text.String()) // a terminal that is gone ends the process
}

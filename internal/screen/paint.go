package screen

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ink is how a piece of text is to look.
type ink uint8

// The inks, each by what it says. Terminals give them their colors.
const (
	plain ink = iota
	strong
	faint
	good
	moving
	waiting
	bad
)

// codes are what makes a terminal use an ink (ECMA-48, SGR).
var codes = [...]string{plain: "", strong: "1", faint: "2", good: "32", moving: "36", waiting: "33", bad: "31"}

// span is text in one ink, line what stands beside each other.
type (
	span struct {
		text string
		ink  ink
	}
	line []span
)

// words is a line in one ink.
func words(i ink, text string) line { return line{{text: text, ink: i}} }

// length is how many columns a text takes: what we draw with takes one each.
func length(text string) int { return utf8.RuneCountInString(text) }

// pad is text in at least width columns.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-length(text)))
}

// render is the line in at most width columns (0: any), in color or without. One that was cut ends
// in …; blanks at its end are left out.
func (l line) render(width int, color bool) string {
	if width > 0 {
		l = l.cut(width)
	}
	for len(l) > 0 && strings.TrimRight(l[len(l)-1].text, " ") == "" {
		l = l[:len(l)-1]
	}
	var out strings.Builder
	for i, s := range l {
		if i == len(l)-1 {
			s.text = strings.TrimRight(s.text, " ")
		}
		if code := codes[s.ink]; color && code != "" && s.text != "" {
			out.WriteString("\x1b[" + code + "m" + s.text + "\x1b[0m")
		} else {
			out.WriteString(s.text)
		}
	}
	return out.String()
}

// length is how many columns the line takes.
func (l line) length() int {
	var all int
	for _, s := range l {
		all += length(s.text)
	}
	return all
}

// cut is the line in at most width columns.
func (l line) cut(width int) line {
	if l.length() <= width {
		return l
	}
	var short line
	room := width - 1
	for _, s := range l {
		runes := []rune(s.text)
		if len(runes) > room {
			return append(short, span{string(runes[:room]) + "…", s.ink})
		}
		short, room = append(short, s), room-len(runes)
	}
	return short
}

// wrapped is text in lines of at most width columns (0: one line), broken between words where that is
// possible.
func wrapped(text string, width int) []string {
	if width <= 0 || text == "" || length(text) <= width {
		return []string{text}
	}
	var lines []string
	var now string
	for word := range strings.FieldsSeq(text) {
		for length(word) > width {
			if now != "" {
				lines, now = append(lines, now), ""
			}
			runes := []rune(word)
			lines, word = append(lines, string(runes[:width])), string(runes[width:])
		}
		switch {
		case now == "":
			now = word
		case length(now)+1+length(word) <= width:
			now += " " + word
		default:
			lines, now = append(lines, now), word
		}
	}
	if now != "" {
		lines = append(lines, now)
	}
	return lines
}

// clean is text from elsewhere in one line, and without what a terminal would obey, or show in
// another order than it is in.
func clean(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == ' ' || r == utf8.RuneError
	}), " ")
}

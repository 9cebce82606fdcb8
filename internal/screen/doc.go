// Package screen draws releases, ways in and environments for people: a tree, tables, one line per change,
// and what to do next. It is pure: what is there and the time go in, lines come out.
package screen

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"io"
	"maps"
	"slices"
	"strings"
)

// standardLibrary is how govulncheck calls its module.
const standardLibrary = "stdlib"

// report is what is known to be vulnerable of what is called.
type report struct {
	modules  map[string]string // by vulnerability: what a later version of a module has mended
	library  map[string]string // by vulnerability: what a later Go has mended
	unmended map[string]string // by vulnerability: what nothing has mended
	compiler string            // the earliest Go in which all of library is mended
}

// message is what govulncheck says in JSON, one after the other; of its fields those that are read.
type message struct {
	OSV     *entry   `json:"osv"`
	Finding *finding `json:"finding"`
}

type entry struct {
	ID      string `json:"id"`
	Summary string `json:"summary"`
}

// finding is a vulnerability in a trace of calls that begins in it. It is called only if the first
// frame has a function; else its package is imported, or its module required.
type finding struct {
	OSV   string  `json:"osv"`
	Fixed string  `json:"fixed_version"`
	Trace []frame `json:"trace"`
}

type frame struct {
	Module   string `json:"module"`
	Version  string `json:"version"`
	Function string `json:"function"`
	Position *struct {
		Filename string `json:"filename"`
		Line     int    `json:"line"`
	} `json:"position"`
}

// read makes a report of what govulncheck says.
func read(messages io.Reader) (report, error) {
	r := report{modules: map[string]string{}, library: map[string]string{}, unmended: map[string]string{}}
	summaries := map[string]string{}
	for decoder := json.NewDecoder(messages); ; {
		var m message
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			return r, nil
		} else if err != nil {
			return report{}, err
		}
		if m.OSV != nil {
			summaries[m.OSV.ID] = m.OSV.Summary
		}
		if f := m.Finding; f != nil && len(f.Trace) > 0 && f.Trace[0].Function != "" {
			r.add(f, summaries[f.OSV])
		}
	}
}

func (r *report) add(f *finding, summary string) {
	at := f.Trace[0]
	what := fmt.Sprintf("%s@%s: %s: %s", at.Module, at.Version, f.OSV, summary)
	if caller := f.Trace[len(f.Trace)-1].Position; caller != nil {
		what += fmt.Sprintf("; called from %s:%d", caller.Filename, caller.Line)
	}
	switch {
	case f.Fixed == "":
		r.unmended[f.OSV] = what
	case at.Module == standardLibrary:
		r.library[f.OSV] = what
		if fixed := "go" + strings.TrimPrefix(f.Fixed, "v"); version.Compare(fixed, r.compiler) > 0 {
			r.compiler = fixed
		}
	default:
		r.modules[f.OSV] = what + "; mended in " + f.Fixed
	}
}

// text is the report for people, what there is to do first.
func (r *report) text() string {
	var b strings.Builder
	list := func(title string, found map[string]string) {
		if len(found) == 0 {
			return
		}
		fmt.Fprintln(&b, title)
		for _, id := range slices.Sorted(maps.Keys(found)) {
			fmt.Fprintln(&b, "  "+found[id])
		}
	}
	list("To be mended by a later version of the module:", r.modules)
	list("In the Go that compiles this; compile what you ship with "+r.compiler+" or later:", r.library)
	list("Mended nowhere yet:", r.unmended)
	if b.Len() == 0 {
		return "vulncheck: nothing that is called is known to be vulnerable\n"
	}
	return b.String()
}

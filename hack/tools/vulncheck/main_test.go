package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// said is govulncheck's stream with one vulnerability of each kind.
const said = `
{"config": {"protocol_version": "v1.0.0", "scan_level": "symbol"}}
{"osv": {"id": "GO-1", "summary": "It reads too far"}}
{"osv": {"id": "GO-2", "summary": "It never ends"}}
{"finding": {"osv": "GO-1", "fixed_version": "v1.3.0", "trace": [{"module": "example.com/a", "version": "v1.2.0"}]}}
{"finding": {"osv": "GO-1", "fixed_version": "v1.3.0", "trace": [{"module": "example.com/a", "version": "v1.2.0", "package": "example.com/a"}]}}
CALLED
{"finding": {"osv": "GO-2", "fixed_version": "v1.26.10", "trace": [{"module": "stdlib", "version": "v1.26.8", "package": "net/http", "function": "Serve"}]}}
{"finding": {"osv": "GO-3", "fixed_version": "v1.26.9", "trace": [{"module": "stdlib", "version": "v1.26.8", "package": "net/http", "function": "Do"}]}}
{"finding": {"osv": "GO-4", "trace": [{"module": "example.com/b", "version": "v0.1.0", "package": "example.com/b", "function": "F"}]}}
`

func TestOnlyWhatIsCalledAndMendedIsHeldAgainstUs(t *testing.T) {
	called := `{"finding": {"osv": "GO-1", "fixed_version": "v1.3.0", "trace": [
		{"module": "example.com/a", "version": "v1.2.0", "package": "example.com/a", "function": "Read"},
		{"module": "ours", "package": "ours/cmd", "function": "main", "position": {"filename": "cmd/main.go", "line": 7}}]}}`
	for name, c := range map[string]struct {
		called string
		held   int
	}{"imported only": {"", 0}, "called": {called, 1}} {
		t.Run(name, func(t *testing.T) {
			r, err := read(strings.NewReader(strings.Replace(said, "CALLED", c.called, 1)))
			if err != nil {
				t.Fatal(err)
			}
			if len(r.modules) != c.held || len(r.library) != 2 || len(r.unmended) != 1 {
				t.Errorf("read %+v, wanted %d to be held against us, two of Go and one that is mended nowhere", r, c.held)
			}
			if r.compiler != "go1.26.10" {
				t.Errorf("the Go to compile with is %s, wanted go1.26.10", r.compiler)
			}
			text := r.text()
			if says := strings.Contains(text, "example.com/a@v1.2.0: GO-1: It reads too far; called from cmd/main.go:7; mended in v1.3.0"); says != (c.held > 0) {
				t.Errorf("the text is\n%s", text)
			}
			if !strings.Contains(text, "go1.26.10 or later") || !strings.Contains(text, "stdlib@v1.26.8: GO-2: It never ends") {
				t.Errorf("the text does not say what to compile with:\n%s", text)
			}
		})
	}
}

func TestWhatIsNoStreamOfFindingsIsNotTakenForNone(t *testing.T) {
	if r, err := read(strings.NewReader(`{"finding": {"osv": "GO-1"`)); err == nil {
		t.Errorf("read %+v of half a message", r)
	}
}

func TestADatabaseThatRefusesDoesNotAnswer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	if err := answers(t.Context(), server.URL); err == nil {
		t.Error("404 was taken for a database")
	}
	gone := server.URL
	server.Close()
	if err := answers(t.Context(), gone); err == nil {
		t.Error("a closed port was taken for a database")
	}
}

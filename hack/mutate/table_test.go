package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever changes a safety line learns here, and not only when the mutations are next tried, that
// the table has to follow.
func TestEveryMutationFindsItsLine(t *testing.T) {
	if err := check(filepath.Join("..", ".."), table); err != nil {
		t.Error(err)
	}
}

func TestALineThatIsGoneOrThereTwiceIsTold(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("once\ntwice\ntwice\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	line := func(old string) mutation {
		return mutation{name: old, file: "a.go", old: old, catchers: []catcher{{"./a", "Test"}}, why: "x"}
	}
	if err := check(dir, []mutation{line("once\n")}); err != nil {
		t.Errorf("a line that is there once: %v", err)
	}
	for old, want := range map[string]string{"gone\n": "0 times", "twice\n": "2 times"} {
		if err := check(dir, []mutation{line(old)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a line that is there %s: %v", want, err)
		}
	}
	if err := check(dir, []mutation{line("once\n"), line("once\n")}); err == nil {
		t.Error("two mutations of one name are not told")
	}
}

func TestOnlyATestThatFailsCatches(t *testing.T) {
	for name, c := range map[string]struct {
		events   string
		failed   string
		unbuilt  bool
		numFails int
	}{
		"a test and its subtest fail": {
			events: `{"Action":"fail","Test":"TestA/b"}` + "\n" + `{"Action":"fail","Test":"TestA"}` + "\n" + `{"Action":"fail"}`,
			failed: "TestA", numFails: 2,
		},
		"it does not compile": {events: `{"ImportPath":"x","Action":"build-fail"}` + "\n" + `{"Action":"fail","FailedBuild":"x"}`, unbuilt: true},
		"all pass":            {events: `{"Action":"pass","Test":"TestA"}` + "\n" + `{"Action":"pass"}`},
		"the set-up fails":    {events: `{"Action":"output","Output":"FAIL"}` + "\n" + `{"Action":"fail"}`},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := read([]byte(c.events))
			if err != nil {
				t.Fatal(err)
			}
			if len(o.failed) != c.numFails || o.unbuilt != c.unbuilt {
				t.Errorf("read as %+v", o)
			}
			if c.numFails > 0 && outermost(o.failed) != c.failed {
				t.Errorf("caught by %s, want %s", outermost(o.failed), c.failed)
			}
		})
	}
}

package docs_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// known are the names that things which a page names have here, such as the id of what waits for
// approval: it is another one each time, and the next command names it.
type known map[string]string

// here is a command of a page with the names that are known here.
func (k known) here(command string) string {
	for _, name := range slices.Sorted(maps.Keys(k)) {
		command = strings.ReplaceAll(command, name, k[name])
	}
	return command
}

// volatile are the parts of a screen that are others each time: on a page each stands for any of its kind.
// The last one is a word, which may be volatile too.
var volatile = regexp.MustCompile(strings.Join(append(slices.Clone(kinds), `[A-Za-z0-9_-]+`), "|"))

var kinds = []string{
	`http://127\.0\.0\.1:\d+`,
	`sha256:[0-9a-f]+…?`,
	`ecs-svc/\d+`,
	`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`,
	`\d\d:\d\d:\d\dZ`,
}

// words are the words that are volatile, if they have a digit and a letter in them: people's words have no
// digit, and an account has no letter.
var words = []string{
	`(?:\d+[dhms])+`, // a duration
	`[0-9a-f]{8}|[0-9a-f]{12}|[0-9a-f]{32}`,
	`[A-Za-z0-9_-]{21}`, // a service deployment
}

// names are the words that are known from then on by what was seen.
var names = []string{`r\d+-wave-\d+-[0-9a-z]{4}`, `hook-[A-Za-z0-9_-]{20,}`}

// anything is what stands on a page for what it leaves out.
const anything = "..."

// pattern is what a word of a page, with what is attached to it, matches. What it names is added to named.
func (k known) pattern(token string, named *[]string) string {
	var made strings.Builder
	rest := token
	for _, at := range volatile.FindAllStringIndex(token, -1) {
		part := token[at[0]:at[1]]
		made.WriteString(regexp.QuoteMeta(token[len(token)-len(rest) : at[0]]))
		rest = token[at[1]:]
		made.WriteString(k.part(part, named))
	}
	made.WriteString(regexp.QuoteMeta(rest))
	return made.String()
}

func (k known) part(part string, named *[]string) string {
	if here, ok := k[part]; ok {
		return regexp.QuoteMeta(here)
	}
	for _, name := range names {
		if whole(name, part) {
			*named = append(*named, part)
			return "(" + name + ")"
		}
	}
	for _, kind := range kinds {
		if whole(kind, part) {
			return kind
		}
	}
	for _, word := range words {
		if whole(word, part) && strings.ContainsAny(part, "0123456789") && strings.ContainsFunc(part, unicode.IsLetter) {
			return "(?:" + word + ")"
		}
	}
	return regexp.QuoteMeta(part)
}

func whole(pattern, text string) bool {
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(text)
}

// expression matches words with any space between them.
func (k known) expression(text, space string, named *[]string) string {
	var parts []string
	for _, token := range strings.Fields(text) {
		if token == anything {
			parts = append(parts, ".*")
			continue
		}
		parts = append(parts, k.pattern(token, named))
	}
	return strings.Join(parts, space)
}

// matches is nil when what was seen is what a page shows. A page may break lines and align columns as
// it likes. One that begins with "..." shows some of the lines, in any order; elsewhere "..." is text
// that it leaves out. What it names is known afterwards.
func (k known) matches(shown []string, seen string) error {
	expressions := map[string][]string{}
	if len(shown) > 0 && strings.TrimSpace(shown[0]) == anything {
		for _, line := range shown[1:] {
			var named []string
			if strings.TrimSpace(line) != "" && strings.TrimSpace(line) != anything {
				expressions[`(?m)^\s*`+k.expression(line, `[ \t]+`, &named)+`\s*$`] = named
			}
		}
	} else {
		var named []string
		expressions[`(?s)^\s*`+k.expression(strings.Join(shown, " "), `\s+`, &named)+`\s*$`] = named
	}
	for expression, named := range expressions {
		found := regexp.MustCompile(expression).FindStringSubmatch(seen)
		if found == nil {
			return fmt.Errorf("the page shows\n%s\nand here that is\n%s\n(it does not match %s)", strings.Join(shown, "\n"), seen, expression)
		}
		for i, name := range named {
			k[name] = found[i+1]
		}
	}
	return nil
}

func TestScreensAreComparedByWhatStays(t *testing.T) {
	table := "NAME             READY   REASON     AGE\nhelium-backend   True    Released   32s\n"
	for _, c := range []struct {
		what        string
		shown, seen string
		matches     bool
	}{
		{"another age", table, strings.ReplaceAll(table, "32s", "4m46s"), true},
		{"another reason", table, strings.ReplaceAll(table, "Released", "Failed"), false},
		{"another column", table, strings.ReplaceAll(table, "AGE", "DIGEST"), false},
		{"one row more", table, table + "other            True    Released   32s\n", false},
		{"lines broken elsewhere", "a b\nc d", "a b c\nd\n", true},
		{"a word of as many letters as an id", "helium-staging-backen", "helium-staging-worker", false},
		{"another id", "deployment aPqLB2E4983eGjtHn3XG8;", "deployment 4mCF9o4jloeUoLo0tDJs5;", true},
		{"another account", "111122223333", "444455556666", false},
		{"another task", "task aa6ac072", "task 11112222", true},
		{"another revision", "helium-backend:2", "helium-backend:3", false},
		{"another digest", "sha256:eb9e9…", "sha256:0123a…", true},
		{"text left out", "failed; ...", "failed; and so on\nand on", true},
		{"text left out before what is not there", "failed; ... end", "failed; and so on", false},
		{"lines in another order", "...\n  b 16s\n  a 16s", "head\n a 1s\n b 2s\n", true},
		{"a line that is not there", "...\n  b 16s\n  c 16s", "head\n a 1s\n b 2s\n", false},
		{"half a line", "...\n  a 16s", "head\n a 1s and more\n", false},
		{"nothing", "", "something", false},
	} {
		if err := (known{}).matches(strings.Split(c.shown, "\n"), c.seen); (err == nil) != c.matches {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestWhatAPageNamesIsKnownByWhatWasSeen(t *testing.T) {
	k := known{}
	if err := k.matches([]string{`[{"id":"r2-wave-0-xvma","wave":0}]`}, `[{"id":"r5-wave-0-ab12","wave":0}]`); err != nil {
		t.Fatal(err)
	}
	if got := k.here("annotate approve=r2-wave-0-xvma"); got != "annotate approve=r5-wave-0-ab12" {
		t.Errorf("the next command is %s", got)
	}
	if err := k.matches([]string{"r2-wave-0-xvma"}, "r9-wave-0-9999"); err == nil {
		t.Error("what is known by one name is taken for another")
	}
}

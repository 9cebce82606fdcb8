package taskdef

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// anyJSON is what an API may send and a careless reader would change.
var anyJSON = []string{
	`null`, `true`, `""`, `0`, `-0`, `1e3`, `1E+3`, `1.0`, `0.10`, `-2.50e-3`, `1e400`, `1e-400`, `1e99999999999`, `-1E-99999999999`,
	`9007199254740993`, `123456789012345678901234567890`, `0.1000000000000000055511151231257827`, `5e-324`,
	`{}`, `[]`, `[[],{},null]`, `{"a":{"a":{"a":[1,2.0,{"a":null}]}}}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"":1}`, `{"a":1,"A":2}`,
	`"\ud800"`, `{"\ud800":1,"\ud801":2}`, `"\ud83c\udf88"`, `"\u0000\u001f"`, `"<&>\u2028"`, `"\\\"\/"`, "\"\xff\"", "\"\u2028\"",
	" { \"a\" :\t[ 1 ,\r\n2 ] } ", `[1,]`, `{"a"}`, `[1 2]`, `01`, `+1`, `.5`, `1.`, `NaN`, `'a'`, "{}{}", "\ufeff{}",
	strings.Repeat("[", 100) + strings.Repeat("]", 100), strings.Repeat("[", 101) + strings.Repeat("]", 101),
	strings.Repeat("[", 102) + strings.Repeat("]", 102), strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
	strings.Repeat("[", 20_000), strings.Repeat("9", 400),
}

// Whatever JSON is read comes back byte for byte, white space aside. What could not is refused:
// text that is not UTF-8, objects that say a thing twice, nesting that nobody needs.
func FuzzJSONComesBackAsItCame(f *testing.F) {
	for _, s := range anyJSON {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := parseJSON(raw)
		if want := refusal(raw); (err == nil) != (want == "") {
			t.Fatalf("reading %q: %v, want %q", raw, err, want)
		}
		if err != nil {
			return
		}
		var got, want bytes.Buffer
		n.write(&got, verbatim)
		if err := json.Compact(&want, raw); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%q came back as %q, want %q", raw, got.Bytes(), want.Bytes())
		}
	})
}

// refusal is why JSON cannot be kept as it came, found with encoding/json alone; "": it can.
func refusal(raw []byte) string {
	switch {
	case !utf8.Valid(raw):
		return "not UTF-8"
	case !json.Valid(raw):
		return "not JSON"
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	// level is an object or a list that is being read.
	type level struct {
		object, valueNext bool
		names             map[string]bool
	}
	var levels []level
	for {
		token, err := decoder.Token()
		if err != nil {
			return "" // the end
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			levels = levels[:len(levels)-1]
			continue
		}
		if len(levels) > maxDepth {
			return "too deep"
		}
		if len(levels) > 0 {
			if in := &levels[len(levels)-1]; in.object {
				in.valueNext = !in.valueNext
				if name, ok := token.(string); ok && in.valueNext {
					if in.names[name] {
						return "a name twice"
					}
					in.names[name] = true
					continue
				}
			}
		}
		if delim, ok := token.(json.Delim); ok {
			levels = append(levels, level{object: delim == '{', names: map[string]bool{}})
		}
	}
}

// places are where AWS may add a member one day: by the text at which an object of the sample
// begins.
var places = []string{
	`{
    "taskDefinitionArn"`, `{
        "name": "backend"`, `{"containerPort"`, `{"name": "NODE_ENV"`, `{"sourceVolume"`, `{"initProcessEnabled"`,
	`{"depth"`, `{"name": "API_KEY"`, `{
          "logDriver"`, `{"awslogs-group"`, `{
          "command": ["CMD-SHELL"`, `{"empty"`, `{
        "name": "log-router"`, `{"type": "fluentbit"`,
}

// A member that we never heard of, anywhere in a task definition and whatever its value, is
// registered as it was described, and counts in the hash.
func FuzzUnknownMembersAreKept(f *testing.F) {
	for i, s := range anyJSON {
		f.Add(fmt.Sprint("future", i), []byte(s), uint8(i))
	}
	for i := range places {
		f.Add("future", []byte(`{"a":[1.0,{"b":null}]}`), uint8(i))
		f.Add("tags", []byte(`[{"key":"a"}]`), uint8(i))
		f.Add("image", []byte(`"nginx"`), uint8(i))
		f.Add("registeredAt", []byte(`1758001122.337`), uint8(i))
	}
	sample, err := os.ReadFile("testdata/backend.describe.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, place := range places {
		if strings.Count(string(sample), place) != 1 {
			f.Fatalf("the sample has %d objects that begin with %s, want 1", strings.Count(string(sample), place), place)
		}
	}
	f.Fuzz(func(t *testing.T, name string, value []byte, where uint8) {
		place := places[int(where)%len(places)]
		top := place == places[0]
		if !json.Valid(value) || top && (name == "tags" || slices.Contains(outputOnly, name)) {
			return
		}
		with := func(value []byte) (*Document, error) {
			member := append(encode(t, name), ':')
			return Parse(bytes.Replace(sample, []byte(place), slices.Concat([]byte("{"), member, value, []byte(","), []byte(place[1:])), 1))
		}
		base, err := with(value)
		if err != nil {
			return // a name that is there already, or a value that cannot be kept
		}
		derived, err := Derive(base, map[string]string{"backend": pinned})
		if err != nil {
			t.Fatal(err)
		}
		var kept bytes.Buffer
		if err := json.Compact(&kept, value); err != nil {
			t.Fatal(err)
		}
		if want := slices.Concat(encode(t, name), []byte(":"), kept.Bytes()); !bytes.Contains(derived.Request, want) {
			t.Errorf("%s at %s is not in the request as it stood:\n%s", want, place, derived.Request)
		}
		for _, path := range differences(t, rawDefinition(t, base), derived.Request) {
			if !expected(path) {
				t.Error(path)
			}
		}
		other, err := with(slices.Concat([]byte(`["more",`), value, []byte("]")))
		if err != nil {
			return // one level too deep
		}
		if other.ContentHash() == base.ContentHash() {
			t.Errorf("another value of %q at %s leaves the hash", name, place)
		}
	})
}

// Deriving from what a derived request became changes nothing more, and asks for nothing new.
func FuzzDerivingAgainChangesNothing(f *testing.F) {
	raw, err := os.ReadFile("testdata/backend.describe.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw, "backend", pinned)
	f.Add(raw, "log-router", "public.ecr.aws/x:1")
	for _, s := range anyJSON {
		f.Add([]byte(`{"taskDefinition":{"taskDefinitionArn":"arn:a:b","family":"f","revision":1,"cpu":"1 vCPU","networkMode":"awsvpc",`+
			`"containerDefinitions":[{"name":"c","portMappings":[{"containerPort":1,"hostPort":1}],"x":`+s+`},{"name":"d"}]},"tags":[{"key":"k","value":"v"}]}`), "c", "x:1")
	}
	f.Fuzz(func(t *testing.T, raw []byte, container, image string) {
		base, err := Parse(raw)
		if err != nil {
			return
		}
		images := map[string]string{container: image}
		first, err := Derive(base, images)
		if err != nil {
			return
		}
		found := parse(t, describe(t, first.Request, base.Revision()+1, nil))
		second, err := Derive(found, images)
		if err != nil {
			t.Fatalf("deriving again: %v", err)
		}
		if first.Hash != second.Hash || found.ContentHash() != first.Hash {
			t.Errorf("the hash was %s, is %s once registered, and would be %s again", first.Hash, found.ContentHash(), second.Hash)
		}
		third, err := Derive(parse(t, describe(t, second.Request, base.Revision()+2, nil)), images)
		if err != nil {
			t.Fatalf("deriving a third time: %v", err)
		}
		if diff := cmp.Diff(withoutBase(t, second.Request), withoutBase(t, third.Request)); diff != "" {
			t.Errorf("the request grows (-second +third):\n%s", diff)
		}
	})
}

// withoutBase is a request without the tag that names the revision it was derived from.
func withoutBase(t fatal, request []byte) object {
	t.Helper()
	document := decode(t, request)
	tags, _ := document["tags"].([]any)
	document["tags"] = slices.DeleteFunc(tags, func(tag any) bool { return tag.(object)["key"] == TagBase })
	return document
}

// How a document is spelled means nothing: the order of members, white space, escapes in strings,
// and the several ways to write a number.
func FuzzSpellingMeansNothing(f *testing.F) {
	raw, err := os.ReadFile("testdata/backend.describe.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	for _, s := range anyJSON {
		f.Add([]byte(`{"taskDefinition":{"taskDefinitionArn":"arn:a:b","family":"f","revision":1,"networkMode":"host","memory":"0.5 GB",` +
			`"containerDefinitions":[{"name":"c","cpu":0,"environment":[{"name":"a","value":""},` + s + `],"x":` + s + `}]}}`))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		document, err := Parse(raw)
		if err != nil {
			return
		}
		var spelled bytes.Buffer
		respell(document.input(), &spelled)
		again, err := parseJSON(spelled.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", spelled.Bytes(), err)
		}
		hash, err := hashOf(again)
		if err != nil || hash != document.ContentHash() {
			t.Errorf("spelled otherwise the hash is %s (%v), want %s:\n%s", hash, err, document.ContentHash(), spelled.Bytes())
		}
	})
}

// respell writes n in another way that means the same.
func respell(n node, out *bytes.Buffer) {
	switch n.kind {
	case objectKind:
		out.WriteString("{ ")
		for i, m := range slices.Backward(n.members) {
			escaped(m.name, m.raw, out)
			out.WriteString(" : ")
			respell(m.value, out)
			if i > 0 {
				out.WriteString(" ,\n")
			}
		}
		out.WriteString("}")
	case arrayKind:
		out.WriteString("[")
		for i, e := range n.elements {
			if i > 0 {
				out.WriteString(",\t")
			}
			respell(e, out)
		}
		out.WriteString(" ]")
	case stringKind:
		escaped(n.text, n.raw, out)
	case numberKind:
		out.WriteString(n.raw)
		if !strings.ContainsAny(n.raw, "eE.") {
			out.WriteString(".0")
		}
		if !strings.ContainsAny(n.raw, "eE") {
			out.WriteString("E+00")
		}
	case literalKind:
		out.WriteString(n.raw)
	}
}

// escaped writes a string with an escape for every plain letter; one that has escapes already
// stays as it is.
func escaped(text, raw string, out *bytes.Buffer) {
	if strings.Contains(raw, `\`) {
		out.WriteString(raw)
		return
	}
	out.WriteByte('"')
	for _, r := range text {
		if r < 0x80 {
			fmt.Fprintf(out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}

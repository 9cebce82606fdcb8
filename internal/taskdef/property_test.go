package taskdef

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// anyNumber has the spellings that a careless reader of JSON would change.
var anyNumber = rapid.OneOf(
	rapid.Map(rapid.IntRange(-1<<40, 1<<40), func(i int) any { return json.Number(fmt.Sprint(i)) }),
	rapid.Map(rapid.SampledFrom([]string{
		"0", "-0", "1e3", "1E+3", "1.0", "0.10", "-2.50e-3", "9007199254740993", "123456789012345678901234567890", "1e400", "1e99999999999",
	}), func(s string) any { return json.Number(s) }),
)

var anyText = rapid.Map(rapid.OneOf(
	rapid.String(),
	rapid.SampledFrom([]string{"", "<&>", "\u2028", "🎈", `"\`, "null", "0"}),
), func(s string) any { return strings.ToValidUTF8(s, "?") })

// anyValue is the value of a member that we have never heard of.
func anyValue(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		anyNumber, anyText,
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Just[any](nil),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	return rapid.OneOf(append(leaves,
		rapid.Map(rapid.SliceOfN(anyValue(depth-1), 0, 3), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.StringMatching(`[a-z]{1,3}`), anyValue(depth-1), 0, 3), func(m object) any { return m }),
	)...)
}

// maybe adds the member in most documents.
func maybe(t *rapid.T, o object, name string, g *rapid.Generator[any]) {
	if rapid.IntRange(0, 2).Draw(t, "has "+name) > 0 {
		o[name] = g.Draw(t, name)
	}
}

func future(t *rapid.T, o object) object {
	maybe(t, o, "future", anyValue(3))
	return o
}

func list(from func(t *rapid.T, i int) object) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		l := make([]any, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range l {
			l[i] = future(t, from(t, i))
		}
		return l
	})
}

func number(values ...int) *rapid.Generator[any] {
	return rapid.Map(rapid.SampledFrom(values), func(i int) any { return json.Number(fmt.Sprint(i)) })
}

func container(t *rapid.T, name string) object {
	c := future(t, object{"name": name})
	flag := rapid.Map(rapid.Bool(), func(b bool) any { return b })
	maybe(t, c, "image", rapid.Just[any](ecr+"backend:v1"))
	maybe(t, c, "essential", flag)
	maybe(t, c, "cpu", number(0, 256))
	maybe(t, c, "environment", list(func(t *rapid.T, i int) object {
		return object{"name": fmt.Sprint("E", i), "value": anyText.Draw(t, "value")}
	}))
	maybe(t, c, "secrets", list(func(t *rapid.T, i int) object {
		return object{"name": fmt.Sprint("S", i), "valueFrom": anyText.Draw(t, "from")}
	}))
	maybe(t, c, "portMappings", list(func(t *rapid.T, i int) object {
		m := object{"containerPort": json.Number(fmt.Sprint(8080 + i))}
		maybe(t, m, "hostPort", number(0, 8080+i))
		maybe(t, m, "protocol", rapid.SampledFrom([]any{"tcp", "udp"}))
		return m
	}))
	maybe(t, c, "healthCheck", rapid.Custom(func(t *rapid.T) any {
		h := future(t, object{"command": []any{"CMD", "true"}})
		maybe(t, h, "interval", number(10, 30))
		maybe(t, h, "timeout", number(2, 5))
		return h
	}))
	maybe(t, c, "command", rapid.Just[any]([]any{"b", "a"}))
	return c
}

// anyAnswer is an answer of DescribeTaskDefinition.
var anyAnswer = rapid.Custom(func(t *rapid.T) object {
	d := future(t, object{
		"taskDefinitionArn": "arn:aws:ecs:ap-south-1:111122223333:task-definition/web:7",
		"family":            "web",
		"revision":          7,
		"status":            "ACTIVE",
	})
	for _, name := range outputOnly {
		if _, ok := d[name]; !ok && name != "registeredBy" {
			maybe(t, d, name, anyValue(2))
		}
	}
	containers := make([]any, rapid.IntRange(1, 3).Draw(t, "containers"))
	for i := range containers {
		containers[i] = container(t, fmt.Sprint("c", i))
	}
	d["containerDefinitions"] = containers
	maybe(t, d, "networkMode", rapid.SampledFrom([]any{"awsvpc", "bridge", "host", "none"}))
	maybe(t, d, "cpu", rapid.SampledFrom([]any{"256", "1 vCPU", ""}))
	maybe(t, d, "memory", rapid.SampledFrom([]any{"512", "2 GB"}))
	maybe(t, d, "volumes", list(func(t *rapid.T, i int) object { return object{"name": fmt.Sprint("v", i)} }))
	answer := object{"taskDefinition": d}
	maybe(t, answer, "tags", list(func(t *rapid.T, i int) object {
		key := rapid.SampledFrom([]string{"team", "aws:stack", TagHash, TagBase}).Draw(t, "key")
		return object{"key": fmt.Sprint(key, strings.Repeat("x", i)), "value": anyText.Draw(t, "value")}
	}))
	return answer
})

func anyImages(t *rapid.T, d *Document) map[string]string {
	images := map[string]string{}
	for _, c := range d.Containers() {
		if rapid.Bool().Draw(t, "choose "+c.Name) {
			images[c.Name] = ecr + rapid.SampledFrom([]string{"backend:v1", "backend:v2", "worker:v1"}).Draw(t, "image")
		}
	}
	return images
}

func mustDerive(t *rapid.T, base *Document, images map[string]string) Derived {
	derived, err := Derive(base, images)
	if err != nil {
		t.Fatal(err)
	}
	return derived
}

func shuffle(t *rapid.T) func([]any) {
	return func(l []any) { copy(l, rapid.Permutation(l).Draw(t, "order")) }
}

func TestADerivedRevisionDiffersInTheChosenImagesAndOurTagsOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answer := anyAnswer.Draw(t, "answer")
		base := parse(t, encode(t, answer))
		images := anyImages(t, base)
		derived := mustDerive(t, base, images)

		// The expectation is built from the answer by hand.
		want := decode(t, encode(t, answer["taskDefinition"]))
		for _, name := range outputOnly {
			delete(want, name)
		}
		for _, c := range want["containerDefinitions"].([]any) {
			if image, ok := images[c.(object)["name"].(string)]; ok {
				c.(object)["image"] = image
			}
		}
		tags := []any{}
		given, _ := decode(t, encode(t, answer))["tags"].([]any)
		for _, tag := range given {
			if key := tag.(object)["key"].(string); key != TagHash && key != TagBase && !strings.HasPrefix(key, "aws:") {
				tags = append(tags, tag)
			}
		}
		want["tags"] = append(tags, object{"key": TagHash, "value": derived.Hash}, object{"key": TagBase, "value": "web:7"})
		if diff := cmp.Diff(want, decode(t, derived.Request)); diff != "" {
			t.Fatalf("request (-want +got):\n%s", diff)
		}
	})
}

func TestWhatAWSGivesBackHasTheHashOfWhatWeSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := parse(t, encode(t, anyAnswer.Draw(t, "answer")))
		images := anyImages(t, base)
		derived := mustDerive(t, base, images)
		found := parse(t, describe(t, derived.Request, 8, shuffle(t)))
		if found.ContentHash() != derived.Hash {
			t.Fatalf("content hash = %s, want %s\nsent %s\nfound %s", found.ContentHash(), derived.Hash, derived.Request, rawDefinition(t, found))
		}
		if hash, ours := found.OursHash(); !ours || hash != derived.Hash || found.OursBase() != "web:7" {
			t.Fatalf("OursHash() = %s, %v, OursBase() = %s", hash, ours, found.OursBase())
		}
		again := mustDerive(t, found, images)
		if again.Hash != derived.Hash {
			t.Fatalf("derived from the derived one with the same images: hash %s, want %s", again.Hash, derived.Hash)
		}
	})
}

func TestDerivingTwiceGivesTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := encode(t, anyAnswer.Draw(t, "answer"))
		base := parse(t, raw)
		images := anyImages(t, base)
		first, second := mustDerive(t, base, images), mustDerive(t, parse(t, raw), maps.Clone(images))
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatalf("(-first +second):\n%s", diff)
		}
		if diff := cmp.Diff(parse(t, raw).ContentHash(), base.ContentHash()); diff != "" {
			t.Fatalf("deriving changed the base:\n%s", diff)
		}
	})
}

func TestTheOrderOfMembersMeansNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answer := anyAnswer.Draw(t, "answer")
		ordered := parse(t, encode(t, answer))
		mixed := parse(t, mixedUp(t, answer))
		if ordered.ContentHash() != mixed.ContentHash() {
			t.Fatalf("%s\n%s", ordered.ContentHash(), mixed.ContentHash())
		}
	})
}

// mixedUp encodes v with the members of its objects in any order.
func mixedUp(t *rapid.T, v any) []byte {
	switch v := v.(type) {
	case object:
		if len(v) == 0 {
			return []byte("{}")
		}
		var parts []string
		for _, name := range rapid.Permutation(slices.Sorted(maps.Keys(v))).Draw(t, "members") {
			parts = append(parts, string(encode(t, name))+" : "+string(mixedUp(t, v[name])))
		}
		return []byte("{ " + strings.Join(parts, " ,\n") + " }")
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, string(mixedUp(t, e)))
		}
		return []byte("[\t" + strings.Join(parts, ", ") + " ]")
	}
	return encode(t, v)
}

// A hash that can't tell documents apart would make us run something else than
// the base says.
func TestEveryChangeOfAMeaningfulValueChangesTheHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answer := anyAnswer.Draw(t, "answer")
		before := parse(t, encode(t, answer)).ContentHash()
		definition := answer["taskDefinition"].(object)
		first := definition["containerDefinitions"].([]any)[0].(object)
		change := rapid.SampledFrom([]string{"future", "image", "command", "environment", "number"}).Draw(t, "change")
		switch change {
		case "future":
			first["future"] = object{"was": first["future"], "is": "new"}
		case "image":
			first["image"] = fmt.Sprint(first["image"], "-new")
		case "command":
			first["command"] = []any{"a", "b"}
		case "environment":
			environment, _ := first["environment"].([]any)
			first["environment"] = append(slices.Clone(environment), object{"name": "NEW", "value": ""})
		case "number":
			first["memory"] = json.Number("9007199254740992")
			before = parse(t, encode(t, answer)).ContentHash()
			first["memory"] = json.Number("9007199254740993")
		}
		if after := parse(t, encode(t, answer)).ContentHash(); after == before {
			t.Fatalf("changing %s left the hash", change)
		}
	})
}

package taskdef

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func FuzzDerive(f *testing.F) {
	raw, err := os.ReadFile("testdata/backend.describe.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw, "backend", pinned)
	f.Fuzz(func(t *testing.T, raw []byte, container, image string) {
		base, err := Parse(raw)
		if err != nil {
			return
		}
		hash := base.ContentHash()
		derived, err := Derive(base, map[string]string{container: image})
		if err != nil {
			return
		}
		if !json.Valid(derived.Request) {
			t.Fatalf("request is not JSON: %s", derived.Request)
		}
		found := parse(t, describe(t, derived.Request, 8, nil))
		if found.ContentHash() != derived.Hash {
			t.Errorf("content hash = %s, want %s", found.ContentHash(), derived.Hash)
		}
		if _, ours := found.OursHash(); !ours {
			t.Error("a revision of ours is not ours")
		}
		if c, _ := found.Container(container); c.Image != image {
			t.Errorf("image = %q, want %q", c.Image, image)
		}
		for _, path := range differences(t, rawDefinition(t, base), derived.Request) {
			if !expected(path) {
				t.Errorf("%s", path)
			}
		}
		if base.ContentHash() != hash {
			t.Error("deriving changed the base")
		}
	})
}

var imagePath = regexp.MustCompile(`^containerDefinitions\[\d+\]\.image (changed|added)$`)

// expected are the differences between a base and a request from it.
func expected(difference string) bool {
	member, what, _ := strings.Cut(difference, " ")
	return member == "tags" || what == "removed" && slices.Contains(outputOnly, member) || imagePath.MatchString(difference)
}

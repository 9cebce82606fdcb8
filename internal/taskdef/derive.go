package taskdef

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Derived is a revision to be registered.
type Derived struct {
	// Request is the body of the RegisterTaskDefinition call. It is shared: nobody may write to it.
	Request []byte
	// Family is that of the base.
	Family string
	// Base is the revision it was derived from, as "family:7".
	Base string
	// Hash is what ContentHash says of the revision once it is registered. Equal
	// content has an equal hash, whatever it was derived from; if it is the
	// ContentHash of the base, there is nothing to register.
	Hash string
}

// The limits of AWS on the tags of one resource; keys that begin with "aws:"
// are AWS's own and don't count.
const (
	maxTags     = 50
	maxTagValue = 256
)

// Derive makes a revision from base in which each container that images names
// runs its image. No images are no error: the request then registers the
// content of base once more.
//
// The request holds the members of base in their order, less those that AWS
// only sends; the tags of base, less those of AWS and older ones of ours; and
// our two tags. It is an UnknownContainerError if base lacks a container, and
// an error if an image is empty or the tags are more than AWS allows.
func Derive(base *Document, images map[string]string) (Derived, error) {
	if last := base.derived.Load(); last != nil && maps.Equal(last.images, images) {
		return last.result, nil
	}
	result, err := deriveAnew(base, images)
	if err == nil {
		base.derived.Store(&derivation{images: maps.Clone(images), result: result})
	}
	return result, err
}

// derivation is what was derived with some images.
type derivation struct {
	images map[string]string
	result Derived
}

func deriveAnew(base *Document, images map[string]string) (Derived, error) {
	if err := checkImages(base, images); err != nil {
		return Derived{}, err
	}
	content := base.input().with("containerDefinitions", base.containersWith(images))
	hash, err := hashOf(content)
	if err != nil {
		return Derived{}, fmt.Errorf("deriving from %s: %w", base.Name(), err)
	}
	tags, err := base.tagsWith(hash)
	if err != nil {
		return Derived{}, fmt.Errorf("deriving from %s: %w", base.Name(), err)
	}
	var request bytes.Buffer
	content.with("tags", tags).write(&request, verbatim)
	return Derived{Request: request.Bytes(), Family: base.family, Base: base.Name(), Hash: hash}, nil
}

func checkImages(base *Document, images map[string]string) error {
	if err := mustHave(base, slices.Sorted(maps.Keys(images))); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(images)) {
		if images[name] == "" || !utf8.ValidString(images[name]) {
			return fmt.Errorf("deriving from %s: container %s would run the image %q, wanted a repository with tag or digest", base.Name(), name, images[name])
		}
	}
	return nil
}

func (d *Document) containersWith(images map[string]string) node {
	list, _ := d.definition.get("containerDefinitions")
	containers := slices.Clone(list.elements)
	for i, c := range d.containers {
		if image, ok := images[c.Name]; ok && image != c.Image {
			containers[i] = containers[i].with("image", stringNode(image))
		}
	}
	return node{kind: arrayKind, elements: containers}
}

func (d *Document) tagsWith(hash string) (node, error) {
	list := node{kind: arrayKind}
	for i, t := range d.tags {
		if !reserved(t.Key) && t.Key != TagHash && t.Key != TagBase {
			list.elements = append(list.elements, d.tagNodes[i])
		}
	}
	base := d.Name()
	if utf8.RuneCountInString(base) > maxTagValue {
		base = strconv.Itoa(d.revision)
	}
	list.elements = append(list.elements, tagNode(TagHash, hash), tagNode(TagBase, base))
	if n := len(list.elements); n > maxTags {
		return node{}, fmt.Errorf("it has %d tags and would get 2 more, AWS allows %d", n-2, maxTags)
	}
	return list, nil
}

// reserved says that a tag is AWS's own: it reserves the prefix in any mixture of cases.
func reserved(key string) bool { return len(key) >= 4 && strings.EqualFold(key[:4], "aws:") }

func tagNode(key, value string) node {
	return node{kind: objectKind}.with("key", stringNode(key)).with("value", stringNode(value))
}

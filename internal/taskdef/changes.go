package taskdef

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Change is a value in which two revisions differ.
type Change struct {
	// Path is where it is, things that have a name by that: containerDefinitions[app].image.
	Path string `json:"path"`
	// Before and After are the value in both, absent where there is none. A text that may be a secret
	// is [Hidden], or [HiddenToo] where it comes after one that is.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// What stands for values that are not shown.
const (
	Hidden    = "(hidden)"
	HiddenToo = "(hidden, another)"
)

// Changes are the values in which a revision that is to be registered differs from one that is there,
// tags included, in the order of the document. Nothing is shown of texts but of those that are known to
// be no secrets: images, sizes, roles, names and the like, and our own tags. So what AWS adds after this
// was built is not shown either.
func Changes(from *Document, to Derived) ([]Change, error) {
	request, err := parseJSON(to.Request)
	if err != nil {
		return nil, fmt.Errorf("comparing with %s: %w", from.Name(), err)
	}
	tags := node{kind: arrayKind}
	for i, tag := range from.tags {
		if !reserved(tag.Key) {
			tags.elements = append(tags.elements, from.tagNodes[i])
		}
	}
	var c comparison
	c.compare("", "", from.input().with("tags", tags), request)
	return c.changes, nil
}

// comparison collects changes.
type comparison struct{ changes []Change }

// compare compares two values at a path. place is the path without names: it says what kind of value
// it is. An absent value is the zero node.
func (c *comparison) compare(path, place string, before, after node) {
	switch {
	case before.kind == objectKind || after.kind == objectKind:
		for _, name := range memberNames(before, after) {
			was, is := before.value(name), after.value(name)
			c.compare(strings.TrimPrefix(path+"."+name, "."), strings.TrimPrefix(place+"."+name, "."), was, is)
		}
	case before.kind == arrayKind || after.kind == arrayKind:
		for _, id := range elementIDs(before, after) {
			c.compare(path+"["+id+"]", place+"[]", before.element(id), after.element(id))
		}
	case before.raw == after.raw, before.text == after.text && before.kind == after.kind && before.kind == stringKind:
	default:
		change := Change{Path: path, Before: before.shown(path, place), After: after.shown(path, place)}
		if change.Before == Hidden && change.After == Hidden {
			change.After = HiddenToo
		}
		c.changes = append(c.changes, change)
	}
}

// value is the member of an object; the zero node where there is none, or null.
func (n node) value(name string) node {
	if value, ok := n.get(name); ok {
		return value
	}
	return node{}
}

// memberNames are the members of either object, in the order of the first, then of the second.
func memberNames(a, b node) []string {
	var names []string
	for _, m := range append(slices.Clone(a.members), b.members...) {
		if !slices.Contains(names, m.name) {
			names = append(names, m.name)
		}
	}
	return names
}

// elementIDs are the ids of the elements of either list.
func elementIDs(a, b node) []string {
	var ids []string
	for _, list := range []node{a, b} {
		for i := range list.elements {
			if id := list.id(i); !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// id is what an element of a list is called: the name or key that it has, or else its number. Of several
// with one name, the later ones have their number too.
func (n node) id(i int) string {
	name := n.elements[i].called()
	switch {
	case name == "":
		return strconv.Itoa(i)
	case slices.ContainsFunc(n.elements[:i], func(other node) bool { return other.called() == name }):
		return fmt.Sprintf("%s %d", name, i)
	default:
		return name
	}
}

// called is the name or key of an object; "" where it has none.
func (n node) called() string {
	for _, member := range []string{"name", "key"} {
		if value, ok := n.get(member); ok && value.kind == stringKind {
			return value.text
		}
	}
	return ""
}

// element is the element of that id; the zero node where there is none.
func (n node) element(id string) node {
	for i := range n.elements {
		if n.id(i) == id {
			return n.elements[i]
		}
	}
	return node{}
}

// shown is a scalar for people.
func (n node) shown(path, place string) string {
	switch {
	case n.kind != stringKind, n.text == "":
		return n.raw
	case slices.Contains(harmless, place), path == "tags["+TagHash+"].value", path == "tags["+TagBase+"].value":
		return n.text
	default:
		return Hidden
	}
}

// harmless are the places of texts that hold no secret.
var harmless = []string{
	"family", "networkMode", "cpu", "memory", "pidMode", "ipcMode", "taskRoleArn", "executionRoleArn",
	"requiresCompatibilities[]", "runtimePlatform.cpuArchitecture", "runtimePlatform.operatingSystemFamily",
	"containerDefinitions[].name", "containerDefinitions[].image", "containerDefinitions[].user",
	"containerDefinitions[].versionConsistency", "containerDefinitions[].environment[].name", "containerDefinitions[].secrets[].name",
	"containerDefinitions[].dependsOn[].containerName", "containerDefinitions[].dependsOn[].condition",
	"containerDefinitions[].portMappings[].name", "containerDefinitions[].portMappings[].protocol",
	"containerDefinitions[].portMappings[].appProtocol", "containerDefinitions[].logConfiguration.logDriver",
	"containerDefinitions[].ulimits[].name", "containerDefinitions[].mountPoints[].sourceVolume",
	"containerDefinitions[].mountPoints[].containerPath", "volumes[].name", "tags[].key",
}

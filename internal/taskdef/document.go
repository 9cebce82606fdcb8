// Package taskdef derives task definitions from task definitions. It works on
// the JSON document that Amazon ECS sent, not on the structs of an SDK: those
// drop the members that AWS added after the SDK was built, and registering
// what is left would delete them from the user's service.
//
// A derived revision differs from its base in the chosen images and in two
// tags of ours. Everything else goes back as it came, to the spelling of
// numbers. Where two documents must be compared, a canonical form is hashed;
// it serves the hash alone and never reaches AWS.
package taskdef

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// The tags of a revision of ours. They say nothing about a release, so that
// releases and services which share a family share its revisions.
const (
	// TagHash holds the Hash of the content that was registered.
	TagHash = "ecs.heliumai.space/hash"
	// TagBase holds the revision from which it was derived: "family:7", or "7"
	// where the family is too long for a tag.
	TagBase = "ecs.heliumai.space/base"
)

// MaxSize is the size of the largest answer that Parse reads. ECS limits a
// task definition to 64 KiB.
const MaxSize = 1 << 20

// ArchitectureX86 and ArchitectureARM are the values of
// runtimePlatform.cpuArchitecture.
const (
	ArchitectureX86 = "X86_64"
	ArchitectureARM = "ARM64"
)

// Tag is a tag of a task definition.
type Tag struct{ Key, Value string }

// Container is a container definition, as far as choosing one needs.
type Container struct {
	Name string
	// Image is the text of the image member, empty if there is none.
	Image string
	// Essential: if it stops, the task does. Absent means true.
	Essential bool
}

// Document is one revision of a task definition as AWS described it. It is
// immutable and safe for concurrent use.
type Document struct {
	definition node
	tagNodes   []node

	arn, family, status, registeredBy string
	architecture                      string
	taskRole, executionRole           string
	revision                          int
	containers                        []Container
	tags                              []Tag
	hash                              string

	// derived is what was derived from it last: while a release is under way that is asked for in every
	// pass over it.
	derived atomic.Pointer[derivation]
}

// Parse reads the body of an answer of DescribeTaskDefinition (with
// include=TAGS, or the tags of the revision would be lost in what is derived
// from it) or RegisterTaskDefinition: {"taskDefinition":{…},"tags":[…]}.
//
// It is an error if the body is no valid JSON, says a thing twice or is larger
// than MaxSize, and if it lacks what every task definition has: ARN, family,
// revision, and containers with names of their own. Errors name members and
// never quote values that could be secret.
func Parse(raw []byte) (*Document, error) {
	d, err := parseDocument(raw)
	if err != nil {
		return nil, fmt.Errorf("reading a task definition: %w", err)
	}
	return d, nil
}

func parseDocument(raw []byte) (*Document, error) {
	if len(raw) > MaxSize {
		return nil, fmt.Errorf("it has %d bytes, at most %d are read", len(raw), MaxSize)
	}
	answer, err := parseJSON(raw)
	if err != nil {
		return nil, err
	}
	definition, ok := answer.get("taskDefinition")
	if !ok || definition.kind != objectKind {
		return nil, errors.New("the answer has no object taskDefinition")
	}
	d := &Document{definition: definition}
	return d, errors.Join(d.readIdentity(), d.readContainers(), d.readTags(answer), d.readHash())
}

func (d *Document) readIdentity() error {
	platform, _ := d.definition.get("runtimePlatform")
	var errs []error
	for _, m := range []struct {
		in       node
		name     string
		into     *string
		required bool
	}{
		{d.definition, "taskDefinitionArn", &d.arn, true},
		{d.definition, "family", &d.family, true},
		{d.definition, "status", &d.status, false},
		{d.definition, "registeredBy", &d.registeredBy, false},
		{d.definition, "taskRoleArn", &d.taskRole, false},
		{d.definition, "executionRoleArn", &d.executionRole, false},
		{platform, "cpuArchitecture", &d.architecture, false},
	} {
		text, err := stringMember(m.in, m.name, m.required)
		*m.into, errs = text, append(errs, err)
	}
	if d.architecture == "" {
		d.architecture = ArchitectureX86
	}
	revision, _ := d.definition.get("revision")
	number, err := strconv.ParseInt(revision.raw, 10, 32)
	if revision.kind != numberKind || err != nil || number < 1 {
		errs = append(errs, errors.New("revision is not a positive number"))
	}
	d.revision = int(number)
	return errors.Join(errs...)
}

func (d *Document) readContainers() error {
	list, _ := d.definition.get("containerDefinitions")
	if list.kind != arrayKind || list.empty() {
		return errors.New("containerDefinitions is not a list of containers")
	}
	for i, element := range list.elements {
		c, err := readContainer(element)
		if err != nil {
			return fmt.Errorf("containerDefinitions[%d]: %w", i, err)
		}
		if _, taken := d.Container(c.Name); taken {
			return fmt.Errorf("two containers have the name %q", c.Name)
		}
		d.containers = append(d.containers, c)
	}
	return nil
}

func readContainer(n node) (Container, error) {
	if n.kind != objectKind {
		return Container{}, fmt.Errorf("it is %s, wanted an object", n.kind)
	}
	name, err := stringMember(n, "name", true)
	if err != nil {
		return Container{}, err
	}
	image, err := stringMember(n, "image", false)
	if err != nil {
		return Container{}, err
	}
	essential, _ := n.get("essential")
	return Container{Name: name, Image: image, Essential: essential.raw != "false"}, nil
}

// readTags takes the tags beside the task definition. Should AWS ever send
// them inside of it, those count where there are none beside it.
func (d *Document) readTags(answer node) error {
	list, ok := answer.get("tags")
	if !ok {
		list, ok = d.definition.get("tags")
	}
	if !ok {
		return nil
	}
	if list.kind != arrayKind {
		return fmt.Errorf("tags is %s, wanted a list", list.kind)
	}
	for i, n := range list.elements {
		if n.kind != objectKind {
			return fmt.Errorf("tags[%d] is %s, wanted an object", i, n.kind)
		}
		key, err := stringMember(n, "key", true)
		if err != nil {
			return fmt.Errorf("tags[%d]: %w", i, err)
		}
		value, err := stringMember(n, "value", false)
		if err != nil {
			return fmt.Errorf("tags[%d]: %w", i, err)
		}
		d.tags = append(d.tags, Tag{Key: key, Value: value})
		d.tagNodes = append(d.tagNodes, n)
	}
	return nil
}

func (d *Document) readHash() error {
	hash, err := hashOf(d.input())
	d.hash = hash
	return err
}

func stringMember(n node, name string, required bool) (string, error) {
	value, ok := n.get(name)
	switch {
	case ok && value.kind != stringKind:
		return "", fmt.Errorf("%s is %s, wanted a string", name, value.kind)
	case required && value.text == "":
		return "", fmt.Errorf("%s is missing", name)
	}
	return value.text, nil
}

// ARN is the full name of the revision.
func (d *Document) ARN() string { return d.arn }

// Family is the name that all revisions share.
func (d *Document) Family() string { return d.family }

// Revision counts from 1 within the family.
func (d *Document) Revision() int { return d.revision }

// Name is "family:revision", the short form that ECS takes for the ARN.
func (d *Document) Name() string { return d.family + ":" + strconv.Itoa(d.revision) }

// Status is ACTIVE, INACTIVE or DELETE_IN_PROGRESS.
func (d *Document) Status() string { return d.status }

// RegisteredBy is the ARN of the principal that registered the revision.
func (d *Document) RegisteredBy() string { return d.registeredBy }

// Architecture is the CPU that the tasks run on; absent means X86_64.
func (d *Document) Architecture() string { return d.architecture }

// TaskRoleARN is the role of the containers, empty if there is none.
func (d *Document) TaskRoleARN() string { return d.taskRole }

// ExecutionRoleARN is the role that pulls images and reads secrets, empty if
// there is none.
func (d *Document) ExecutionRoleARN() string { return d.executionRole }

// Containers are the containers in the order of the document.
func (d *Document) Containers() []Container { return slices.Clone(d.containers) }

// Container is the container of that name; false if there is none.
func (d *Document) Container(name string) (Container, bool) {
	i := slices.IndexFunc(d.containers, func(c Container) bool { return c.Name == name })
	if i < 0 {
		return Container{}, false
	}
	return d.containers[i], true
}

// Tags are the tags of the revision, in the order of the answer.
func (d *Document) Tags() []Tag { return slices.Clone(d.tags) }

// ContentHash is the hash of the content as it stands, tags excluded: what
// Derived.Hash was when the revision was registered, if we registered it.
func (d *Document) ContentHash() string { return d.hash }

// OursHash is the hash that our tag claims, and whether the claim holds.
//
// A tag is not enough, because consoles and scripts copy tags together with a
// revision that they then edit: the content must have that hash. Only where
// another version of the hash was claimed, which can't be verified here, the
// tag is believed. Without the tag the hash is empty.
func (d *Document) OursHash() (hash string, ours bool) {
	hash = d.tag(TagHash)
	if !strings.HasPrefix(hash, hashVersion) {
		return hash, hash != ""
	}
	return hash, hash == d.hash
}

// OursBase is the revision, as "family:7", from which our tag says that this
// one was derived; empty without the tag.
func (d *Document) OursBase() string {
	base := d.tag(TagBase)
	if base == "" || strings.Contains(base, ":") {
		return base
	}
	return d.family + ":" + base
}

func (d *Document) tag(key string) string {
	for _, t := range d.tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

// WithoutValues is a text without the values of the document's environment
// variables: they can be secrets. Short ones, which are words of any text,
// stay, and so do those that the revision's name, an image or the name of a
// container contains, which are shown anyway.
func (d *Document) WithoutValues(text string) string {
	const word = 6
	shown := d.arn
	for _, c := range d.containers {
		shown += " " + c.Name + " " + c.Image
	}
	var values []string
	containers, _ := d.definition.get("containerDefinitions")
	for _, container := range containers.elements {
		environment, _ := container.get("environment")
		for _, variable := range environment.elements {
			value, _ := variable.get("value")
			if len(value.text) >= word && !strings.Contains(shown, value.text) {
				values = append(values, value.text)
			}
		}
	}
	// One that contains another goes first, or its remainder would stay.
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	for _, value := range values {
		text = strings.ReplaceAll(text, value, "…")
	}
	return text
}

// outputOnly are the members of a described task definition that
// RegisterTaskDefinition does not take: TaskDefinition in the ECS API
// reference, less the parameters of RegisterTaskDefinition.
var outputOnly = []string{
	"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities",
	"registeredAt", "registeredBy", "deregisteredAt", "deleteRequestedAt",
}

// input is the part of the document that can be registered, without tags.
func (d *Document) input() node {
	return d.definition.without(func(m member) bool {
		return m.name == "tags" || slices.Contains(outputOnly, m.name)
	})
}

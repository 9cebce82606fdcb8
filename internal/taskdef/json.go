package taskdef

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is what a JSON value is.
type kind uint8

const (
	literalKind kind = iota // true, false, null
	numberKind
	stringKind
	arrayKind
	objectKind
)

func (k kind) String() string {
	return [...]string{"a literal", "a number", "a string", "a list", "an object"}[k]
}

// node is one JSON value, immutable and lossless: scalars keep the text in
// which they came, so 1e3 stays 1e3 and integers beyond a double stay exact,
// and objects keep the order of their members. What we don't understand is
// thereby sent back as it was received.
type node struct {
	kind     kind
	raw      string // scalars: the JSON text
	text     string // strings: what the text means
	elements []node
	members  []member
}

type member struct {
	name  string
	raw   string // the name as JSON text
	value node
}

// maxDepth is far beyond the six or so levels of a task definition and keeps
// recursion short.
const maxDepth = 100

// parseJSON reads one JSON value. It is stricter than encoding/json where
// that would lose something: invalid UTF-8 and members that appear twice are
// errors. No error quotes the value of a string.
func parseJSON(raw []byte) (node, error) {
	if !utf8.Valid(raw) {
		return node{}, errors.New("it is not valid UTF-8")
	}
	var valid json.RawMessage
	if err := json.Unmarshal(raw, &valid); err != nil {
		return node{}, err
	}
	p := parser{in: string(raw)}
	return p.value()
}

// parser walks text that encoding/json has found valid, and relies on it.
type parser struct {
	in   string
	at   int
	path []string
}

func (p *parser) value() (node, error) {
	if len(p.path) > maxDepth {
		return node{}, fmt.Errorf("it is nested more than %d levels deep", maxDepth)
	}
	switch p.peek() {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		raw, text, err := p.string()
		return node{kind: stringKind, raw: raw, text: text}, err
	}
	end := strings.IndexAny(p.in[p.at:], ",]} \t\r\n")
	if end < 0 {
		end = len(p.in) - p.at
	}
	raw := p.in[p.at : p.at+end]
	p.at += end
	if raw == "true" || raw == "false" || raw == "null" {
		return node{kind: literalKind, raw: raw}, nil
	}
	return node{kind: numberKind, raw: raw}, nil
}

func (p *parser) object() (node, error) {
	n := node{kind: objectKind}
	seen := map[string]bool{}
	p.at++ // {
	for p.peek() != '}' {
		if p.peek() == ',' {
			p.at++
			p.peek()
		}
		raw, name, err := p.string()
		if err != nil {
			return node{}, err
		}
		p.path = append(p.path, "."+name)
		if seen[name] {
			return node{}, fmt.Errorf("member %s appears twice", p.where())
		}
		seen[name] = true
		p.peek()
		p.at++ // :
		value, err := p.value()
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name: name, raw: raw, value: value})
		p.path = p.path[:len(p.path)-1]
	}
	p.at++ // }
	return n, nil
}

func (p *parser) array() (node, error) {
	n := node{kind: arrayKind}
	p.at++ // [
	for p.peek() != ']' {
		if p.peek() == ',' {
			p.at++
		}
		p.path = append(p.path, "["+strconv.Itoa(len(n.elements))+"]")
		value, err := p.value()
		if err != nil {
			return node{}, err
		}
		n.elements = append(n.elements, value)
		p.path = p.path[:len(p.path)-1]
	}
	p.at++ // ]
	return n, nil
}

func (p *parser) string() (raw, text string, err error) {
	start := p.at
	for p.at++; p.in[p.at] != '"'; p.at++ {
		if p.in[p.at] == '\\' {
			p.at++
		}
	}
	p.at++
	raw = p.in[start:p.at]
	if !strings.Contains(raw, `\`) {
		return raw, raw[1 : len(raw)-1], nil
	}
	if err := json.Unmarshal([]byte(raw), &text); err != nil {
		return "", "", fmt.Errorf("string at %s: %w", p.where(), err)
	}
	return raw, text, nil
}

// peek skips white space and returns the byte after it.
func (p *parser) peek() byte {
	for strings.IndexByte(" \t\r\n", p.in[p.at]) >= 0 {
		p.at++
	}
	return p.in[p.at]
}

func (p *parser) where() string {
	return strings.TrimPrefix(strings.Join(p.path, ""), ".")
}

// get returns the member of an object; false where there is none, or null,
// which AWS's JSON protocol treats alike.
func (n node) get(name string) (node, bool) {
	for _, m := range n.members {
		if m.name == name {
			return m.value, m.value.raw != "null"
		}
	}
	return node{}, false
}

// with returns the object n with the member set, in its old place if it has one.
func (n node) with(name string, value node) node {
	members := make([]member, 0, len(n.members)+1)
	found := false
	for _, m := range n.members {
		if m.name == name {
			m.value, found = value, true
		}
		members = append(members, m)
	}
	if !found {
		members = append(members, member{name: name, raw: jsonText(name), value: value})
	}
	return node{kind: objectKind, members: members}
}

// without returns the object n without the members that drop names.
func (n node) without(drop func(member) bool) node {
	members := make([]member, 0, len(n.members))
	for _, m := range n.members {
		if !drop(m) {
			members = append(members, m)
		}
	}
	return node{kind: objectKind, members: members}
}

func (n node) empty() bool { return len(n.members) == 0 && len(n.elements) == 0 }

// write appends n as JSON; scalar turns a scalar into its text.
func (n node) write(out *bytes.Buffer, scalar func(node) string) {
	switch n.kind {
	case objectKind:
		out.WriteByte('{')
		for i, m := range n.members {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(m.raw)
			out.WriteByte(':')
			m.value.write(out, scalar)
		}
		out.WriteByte('}')
	case arrayKind:
		out.WriteByte('[')
		for i, e := range n.elements {
			if i > 0 {
				out.WriteByte(',')
			}
			e.write(out, scalar)
		}
		out.WriteByte(']')
	default:
		out.WriteString(scalar(n))
	}
}

// verbatim is the scalar function that changes nothing.
func verbatim(n node) string { return n.raw }

func stringNode(s string) node { return node{kind: stringKind, raw: jsonText(s), text: s} }

func literalNode(raw string) node { return node{kind: literalKind, raw: raw} }

func numberNode(raw string) node { return node{kind: numberKind, raw: raw} }

// jsonText is s as a JSON string, without the escapes that encoding/json
// makes for HTML.
func jsonText(s string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	// A string has no way to fail.
	_ = encoder.Encode(s)
	return strings.TrimSuffix(out.String(), "\n")
}

package taskdef

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gowebpki/jcs"
)

// hashVersion is the prefix of every hash that this code makes. The canonical
// form is part of what users have in their tags: whoever changes it, the rules
// in shape.go included, makes a new version and keeps the old one for reading,
// or every revision of ours becomes a stranger's.
const hashVersion = "v1-"

// hashOf is the hash of a task definition that can be registered, without
// tags: the first 96 bits of SHA-256 over its canonical form in RFC 8785
// JSON, since status keeps several for each of many services. It tells nothing
// about single values.
func hashOf(input node) (string, error) {
	canonical, err := canonicalForm(input)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(canonical)
	return hashVersion + hex.EncodeToString(sum[:12]), nil
}

// canonicalForm is the same for two documents if AWS may give back one for the
// other: it fills in defaults, answers with empty lists for absent ones,
// reorders lists that are sets, and spells numbers its own way. Everything
// else, members that we don't know included, tells documents apart.
func canonicalForm(input node) ([]byte, error) {
	normal, err := taskDefinitionShape.normalize(withoutImpliedPorts(withPlainUnits(input)))
	if err != nil {
		return nil, err
	}
	return canonicalJSON(normal)
}

func canonicalJSON(n node) ([]byte, error) {
	var out bytes.Buffer
	n.write(&out, canonicalScalar)
	canonical, err := jcs.Transform(out.Bytes())
	if err != nil {
		// What jcs refuses of valid JSON are surrogates without their half. Its
		// message may quote a value, so it is not passed on.
		return nil, errors.New("it has a string that is not Unicode")
	}
	return canonical, nil
}

// canonicalScalar spells numbers by their value. RFC 8785 knows doubles only;
// a number that is none is written as a string, as the RFC advises, so that
// neighbours beyond 2^53 stay different.
func canonicalScalar(n node) string {
	if n.kind != numberKind {
		return n.raw
	}
	exact := decimal(n.raw)
	if f, err := strconv.ParseFloat(n.raw, 64); err == nil {
		if double := strconv.FormatFloat(f, 'e', -1, 64); decimal(double) == exact {
			return double
		}
	}
	return jsonText(exact)
}

// decimal is the value of a JSON number as "123e-2", the same for all its
// spellings. Exponents that nobody writes keep their spelling.
func decimal(raw string) string {
	sign, rest := "", strings.ToLower(raw)
	if strings.HasPrefix(rest, "-") {
		sign, rest = "-", rest[1:]
	}
	mantissa, power, _ := strings.Cut(rest, "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0"
	}
	exponent := int64(0)
	if power != "" {
		var err error
		if exponent, err = strconv.ParseInt(power, 10, 32); err != nil {
			return sign + rest
		}
	}
	significant := strings.TrimRight(digits, "0")
	exponent += int64(len(digits)-len(significant)) - int64(len(fraction))
	return sign + significant + "e" + strconv.FormatInt(exponent, 10)
}

// same tells whether two scalars mean the same.
func same(a, b node) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case stringKind:
		return a.text == b.text
	case numberKind:
		return decimal(a.raw) == decimal(b.raw)
	case literalKind:
		return a.raw == b.raw
	}
	return false
}

// withoutImpliedPorts drops each hostPort that only says what the network mode
// says: in awsvpc and host a container's port is the host's.
func withoutImpliedPorts(input node) node {
	mode, _ := input.get("networkMode")
	if mode.text != "awsvpc" && mode.text != "host" {
		return input
	}
	return each(input, "containerDefinitions", func(container node) node {
		return each(container, "portMappings", func(mapping node) node {
			port, ok := mapping.get("containerPort")
			return mapping.without(func(m member) bool {
				return ok && m.name == "hostPort" && same(m.value, port)
			})
		})
	})
}

// each returns n with change applied to the objects in its list of that name.
func each(n node, name string, change func(node) node) node {
	list, ok := n.get(name)
	if !ok || list.kind != arrayKind {
		return n
	}
	elements := slices.Clone(list.elements)
	for i, e := range elements {
		if e.kind == objectKind {
			elements[i] = change(e)
		}
	}
	return n.with(name, node{kind: arrayKind, elements: elements})
}

var (
	vCPU = regexp.MustCompile(`(?i)^(\d{0,5}\.?\d{1,5})\s*vcpu$`)
	gib  = regexp.MustCompile(`(?i)^(\d{0,5}\.?\d{1,5})\s*gb$`)
)

// withPlainUnits rewrites a task's cpu "1 vCPU" as "1024" and memory "2 GB" as
// "2048", as AWS does when it registers them.
func withPlainUnits(input node) node {
	for name, unit := range map[string]*regexp.Regexp{"cpu": vCPU, "memory": gib} {
		value, _ := input.get(name)
		m := unit.FindStringSubmatch(strings.TrimSpace(value.text))
		if m == nil {
			continue
		}
		f, err := strconv.ParseFloat(m[1], 64)
		if whole := int64(f * 1024); err == nil && float64(whole) == f*1024 {
			input = input.with(name, stringNode(strconv.FormatInt(whole, 10)))
		}
	}
	return input
}

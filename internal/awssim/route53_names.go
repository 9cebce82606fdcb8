package awssim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// domainName is a name as Route 53 keeps it: in lower case, with a dot at its end, and with
// all characters but letters, digits, hyphens and underscores as three octal digits.
func domainName(text string) (string, error) {
	trimmed := strings.ToLower(strings.TrimSuffix(text, "."))
	if trimmed == "" {
		return "", fmt.Errorf("FATAL problem: DomainNameEmpty (Domain name is empty) encountered with '%s'", text)
	}
	var b strings.Builder
	for label := range strings.SplitSeq(trimmed, ".") {
		escaped, length := escapeLabel(label)
		switch {
		case length == 0:
			return "", fmt.Errorf("FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with '%s'", text)
		case length > 63:
			return "", fmt.Errorf("FATAL problem: DomainLabelTooLong (Domain label is too long) encountered with '%s'", text)
		case strings.ContainsAny(label, " \t\r\n"):
			return "", fmt.Errorf("FATAL problem: UnsupportedCharacter (Value contains unsupported characters) encountered with '%s'", text)
		}
		b.WriteString(escaped + ".")
	}
	if b.Len() > 255 {
		return "", fmt.Errorf("FATAL problem: DomainNameTooLong (Domain name is too long) encountered with '%s'", text)
	}
	return b.String(), nil
}

// escapeLabel leaves alone what is escaped already. length counts characters.
func escapeLabel(label string) (escaped string, length int) {
	var b strings.Builder
	for i := 0; i < len(label); i, length = i+1, length+1 {
		switch ch := label[i]; {
		case ch == '\\' && i+3 < len(label) && strings.Trim(label[i+1:i+4], "01234567") == "":
			b.WriteString(label[i : i+4])
			i += 3
		case ch >= 'a' && ch <= 'z' || ch >= '0' && ch <= '9' || ch == '-' || ch == '_':
			b.WriteByte(ch)
		default:
			fmt.Fprintf(&b, "\\%03o", ch)
		}
	}
	return b.String(), length
}

// reversed is a name with its labels reversed, by which listings are ordered.
func reversed(name string) string {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

// compareRecords orders records as listings do.
func compareRecords(a, b recordKey) int {
	return cmp.Or(strings.Compare(reversed(a.name), reversed(b.name)), strings.Compare(a.kind, b.kind), strings.Compare(a.identifier, b.identifier))
}

// within tells whether the zone has room for a name: its own one or one below.
func (z *hostedZone) within(name string) bool {
	return name == z.name || strings.HasSuffix(name, "."+z.name)
}

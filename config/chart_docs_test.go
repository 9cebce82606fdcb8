package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// key is a line of values.yaml with a value, or with a map of values.
var key = regexp.MustCompile(`^( *)([a-zA-Z]+):`)

// valuesTable are the rows of a table that says of each value what values.yaml says.
func valuesTable(t *testing.T) []string {
	t.Helper()
	content := read(t, "chart/values.yaml")
	var tree map[string]any
	if err := yaml.UnmarshalStrict(content, &tree); err != nil {
		t.Fatal(err)
	}
	var rows, path, comment []string
	for line := range strings.SplitSeq(string(content), "\n") {
		trimmed := strings.TrimSpace(line)
		if first, ok := strings.CutPrefix(trimmed, "# -- "); ok {
			comment = []string{first}
			continue
		}
		if more, ok := strings.CutPrefix(trimmed, "# "); ok && comment != nil {
			comment = append(comment, more)
			continue
		}
		if parts := key.FindStringSubmatch(line); parts != nil {
			path = append(path[:min(len(path), len(parts[1])/2)], parts[2])
			if comment != nil {
				full := strings.Join(path, ".")
				value, found := at(tree, full)
				if !found {
					t.Fatalf("there is no value %s", full)
				}
				shown, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				rows = append(rows, fmt.Sprintf("| `%s` | `%s` | %s |", full, shown, strings.Join(comment, " ")))
			}
		}
		comment = nil
	}
	return rows
}

// TestTheTableOfValuesIsThatOfTheChart prints the table when it is another.
func TestTheTableOfValuesIsThatOfTheChart(t *testing.T) {
	content, err := os.ReadFile("../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(content), "| value | default | what it does |\n|---|---|---|\n")
	if !found {
		t.Fatal("docs/install.md has no table of values")
	}
	table, _, _ := strings.Cut(after, "\n\n")
	want := valuesTable(t)
	if len(want) != len(values(t)) {
		t.Fatalf("%d values are described, want all %d", len(want), len(values(t)))
	}
	if diff := cmp.Diff(want, strings.Split(table, "\n")); diff != "" {
		t.Errorf("rows (-values.yaml +docs/install.md):\n%s\nThe table is:\n%s", diff, strings.Join(want, "\n"))
	}
}

package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const troubleshooting = "docs/troubleshooting.md"

// reasons are those of releases and environments, and the classes of failures, as the API declares them.
func reasons(t *testing.T) []string {
	t.Helper()
	var found []string
	files, err := filepath.Glob(root + "/api/v1alpha1/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			class, _ := spec.Type.(*ast.Ident)
			if !strings.HasPrefix(spec.Names[0].Name, "Reason") && (class == nil || class.Name != "FailureClass") {
				return true
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, value)
			}
			return true
		})
	}
	slices.Sort(found)
	if found = slices.Compact(found); len(found) < 60 {
		t.Fatalf("the API has the reasons %v, too few to be true", found)
	}
	return found
}

// statuses are those of a condition, which a table may be about too.
var statuses = []string{"READY", "True", "False", "Unknown"}

// firstCells are what the rows of a text's tables are about, with the headings that they stand under.
func firstCells(text string) map[string]string {
	cells := map[string]string{}
	heading := ""
	row := regexp.MustCompile("^\\| `([A-Z][A-Za-z]+)` \\|")
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			heading = strings.TrimSpace(title)
		}
		if found := row.FindStringSubmatch(line); found != nil && !slices.Contains(statuses, found[1]) {
			cells[found[1]] = heading
		}
	}
	return cells
}

func TestEveryReasonIsInATableOfThePageOnTrouble(t *testing.T) {
	rows := firstCells(read(t, troubleshooting))
	all := reasons(t)
	for _, reason := range all {
		if rows[reason] == "" {
			t.Errorf("%s has no row for `%s`", troubleshooting, reason)
		}
	}
	for row := range rows {
		if !slices.Contains(all, row) {
			t.Errorf("%s has a row for `%s`, which is no reason", troubleshooting, row)
		}
	}
}

// Where the page says that a release is Stalled, so does the page of the kind, and the other way round.
func TestThePageOnTroubleDoesNotContradictThePageOfTheKind(t *testing.T) {
	rows := firstCells(read(t, troubleshooting))
	where := regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\| ([^|]*) \\|")
	_, section, _ := strings.Cut(read(t, "docs/ecsrelease.md"), "\n## Reasons\n")
	section, _, _ = strings.Cut(section, "\n## Events\n")
	checked := 0
	for _, found := range where.FindAllStringSubmatch(section, -1) {
		reason, shownBy := found[1], found[2]
		checked++
		stalled := rows[reason] == "My release is `Stalled`"
		if want := strings.Contains(shownBy, "`Stalled`"); stalled != want {
			t.Errorf("`%s` is under %q, and docs/ecsrelease.md says that it is shown by %s", reason, rows[reason], shownBy)
		}
	}
	if checked < 60 {
		t.Errorf("%d reasons were compared, too few to be true", checked)
	}
}

// What a page tells somebody to set is there to be set.
func TestTheFlagsOfThePagesAreTheManagers(t *testing.T) {
	options := read(t, "cmd/manager/options.go")
	others := []string{"--zap-log-level", "--status-include-resources", "--platform"} // of its logger, Velero and Docker
	checked := 0
	for _, page := range []string{troubleshooting, "docs/operations.md"} {
		for _, found := range regexp.MustCompile("`(--([a-z-]+))[`=]?").FindAllStringSubmatch(read(t, page), -1) {
			checked++
			if !strings.Contains(options, strconv.Quote(found[2])) && !slices.Contains(others, found[1]) {
				t.Errorf("%s names %s, which the manager does not have", page, found[1])
			}
		}
	}
	if checked < 10 {
		t.Errorf("%d flags were found, too few to be true", checked)
	}
}

// The quotas that the page on operations gives are those that the manager goes by.
func TestTheQuotasOfThePageAreThoseOfTheManager(t *testing.T) {
	budget := read(t, "internal/cloud/budget.go")
	page := read(t, "docs/operations.md")
	for row, rate := range map[string]string{
		"| RegisterTaskDefinition | 1 (20) | 0.5 (10) |":                                     "case quotaTaskDefModify:\n\t\treturn 20, 1\n",
		"| UpdateService | 5 (50) | 2.5 (25) |":                                              "case quotaServiceModify, quotaDeploymentModify:\n\t\treturn 50, 5\n",
		"| reading services | 20 (100) | 10 (50) |":                                          "case quotaServiceRead, quotaClusterRead:\n\t\treturn 100, 20\n",
		"| reading task definitions, deployments, revisions | 20 (50) each | 10 (25) each |": "case quotaDeployment, quotaRevision, quotaTaskDefRead:\n\t\treturn 50, 20\n",
	} {
		if !strings.Contains(page, row) || !strings.Contains(budget, rate) {
			t.Errorf("the page has the row %s: %t; the manager goes by that: %t", row, strings.Contains(page, row), strings.Contains(budget, rate))
		}
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// file is a file with a content.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatAnExpressionAsksFor(t *testing.T) {
	dashboard := file(t, "dashboard.json", `{"panels": [{"title": "row", "panels": [{"title": "Ready", "targets": [
		{"expr": "sum by (state) (rate(moves_total{namespace=~\"$namespace\", code!=\"OK\", kind=~\"a|b\"}[$__rate_interval]))"}]}]}],
		"templating": {"list": [{"name": "namespace", "type": "query", "definition": "label_values(ready, namespace)"}, {"name": "ds", "type": "datasource"}]}}`)
	var out strings.Builder
	if err := run([]string{dashboard}, &out); err != nil {
		t.Fatal(err)
	}
	var got []Use
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].Where, got[i].Selector = strings.TrimPrefix(got[i].Where, dashboard+": "), ""
	}
	want := []Use{
		{
			Where: "Ready", Metric: "moves_total", Labels: []string{"code", "kind", "namespace", "state"},
			Matchers: []Matcher{{Label: "code", Pattern: "OK", Not: true}, {Label: "kind", Pattern: "a|b"}},
		},
		{Where: "$namespace", Metric: "ready", Labels: []string{"namespace"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	rule := func(rule string) string { return "spec: {groups: [{name: g, rules: [" + rule + "]}]}" }
	for name, c := range map[string]struct{ name, content, says string }{
		"an expression that is none":       {"rules.yaml", rule(`{alert: A, expr: "sum by (ready"}`), "A"},
		"an unknown function":              {"rules.yaml", rule(`{alert: A, expr: "most(ready)"}`), "most"},
		"a field that is none":             {"rules.yaml", rule(`{alert: A, expr: ready, fro: 5m}`), "fro"},
		"a template that is none":          {"rules.yaml", rule(`{alert: A, expr: ready, annotations: {summary: "{{ $labels.name"}}`), "summary"},
		"a time that is none":              {"rules.yaml", rule(`{alert: A, expr: ready, for: soon}`), "soon"},
		"no rule":                          {"rules.yaml", "spec: {groups: []}", "no rule"},
		"an expression of a panel":         {"board.json", `{"panels": [{"title": "Ready", "targets": [{"expr": "sum(("}]}]}`, "Ready"},
		"no panel":                         {"board.json", `{"panels": []}`, "no panel"},
		"a variable that asks for nothing": {"board.json", `{"templating": {"list": [{"name": "x", "type": "query", "definition": "up"}]}}`, "variable x"},
		"no JSON":                          {"board.json", `{`, "board.json"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			err := run([]string{file(t, c.name, c.content)}, &out)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error is %v, want one that says %q", err, c.says)
			}
			if out.Len() > 0 {
				t.Errorf("it prints %s", out.String())
			}
		})
	}
	if err := run(nil, nil); err == nil {
		t.Error("without a file it finds no fault")
	}
}

// Command promql reads the alerts and dashboards that it is given as files, with Prometheus' own
// parser, and writes as JSON which metrics they ask for, and by which labels. It fails, naming
// every mistake, if Prometheus would not take one of them.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

// Use is one place where an expression names a metric.
type Use struct {
	// Where is the alert or the panel.
	Where string `json:"where"`
	// Selector is the metric with its matchers.
	Selector string `json:"selector"`
	Metric   string `json:"metric"`
	// Matchers are those that can be told without Grafana: without its variables.
	Matchers []Matcher `json:"matchers,omitempty"`
	// Labels are all labels that the expression asks the metric for: in matchers and in by (...).
	Labels []string `json:"labels,omitempty"`
}

// Matcher is what a label must be.
type Matcher struct {
	Label string `json:"label"`
	// Pattern is a regular expression for the whole value.
	Pattern string `json:"pattern"`
	// Not says that the value must not match.
	Not bool `json:"not,omitempty"`
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "promql:", err)
		os.Exit(1)
	}
}

func run(files []string, out io.Writer) error {
	if len(files) == 0 {
		return errors.New("usage: promql rules.yaml|dashboard.json")
	}
	var uses []Use
	var problems []error
	for _, file := range files {
		expressions, err := read(file)
		problems = append(problems, err)
		for _, e := range expressions {
			found, err := e.uses()
			uses = append(uses, found...)
			problems = append(problems, err)
		}
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(uses)
}

// expression is a piece of PromQL and where it is from.
type expression struct{ where, text string }

// read returns the expressions of a PrometheusRule (.yaml) or of a dashboard of Grafana's (.json).
func read(file string) ([]expression, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if filepath.Ext(file) == ".json" {
		return panels(file, content)
	}
	return alerts(file, content)
}

// alerts are the expressions of a PrometheusRule. Its spec is what Prometheus reads as a file of rules.
func alerts(file string, content []byte) ([]expression, error) {
	var object struct {
		Spec json.RawMessage `json:"spec"`
	}
	if err := yaml.Unmarshal(content, &object); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	groups, problems := rulefmt.Parse(object.Spec, false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var found []expression
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			found = append(found, expression{file + ": " + rule.Alert + rule.Record, rule.Expr})
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: there is no rule in spec.groups", file)
	}
	return found, nil
}

// panel is what there is of a dashboard's panel, or row of panels, to look at.
type panel struct {
	Title   string `json:"title"`
	Panels  []panel
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
}

// labelValues is the query of a variable.
var labelValues = regexp.MustCompile(`^label_values\((.+), *([a-zA-Z_]\w*)\)$`)

// panels are the expressions of a dashboard: its panels' and its variables'.
func panels(file string, content []byte) ([]expression, error) {
	var dashboard struct {
		Panels     []panel `json:"panels"`
		Templating struct {
			List []struct{ Name, Type, Definition string }
		} `json:"templating"`
	}
	if err := json.Unmarshal(content, &dashboard); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	var found []expression
	var walk func([]panel)
	walk = func(panels []panel) {
		for _, panel := range panels {
			for _, target := range panel.Targets {
				found = append(found, expression{file + ": " + panel.Title, target.Expr})
			}
			walk(panel.Panels)
		}
	}
	walk(dashboard.Panels)
	for _, variable := range dashboard.Templating.List {
		if variable.Type != "query" {
			continue
		}
		parts := labelValues.FindStringSubmatch(variable.Definition)
		if parts == nil {
			return nil, fmt.Errorf("%s: variable %s asks for %q, wanted label_values(metric, label)", file, variable.Name, variable.Definition)
		}
		found = append(found, expression{file + ": $" + variable.Name, fmt.Sprintf("count by (%s) (%s)", parts[2], parts[1])})
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: there is no panel with an expression", file)
	}
	return found, nil
}

var (
	// interval and variable are what Grafana replaces before Prometheus sees it.
	interval = regexp.MustCompile(`\$__(rate_interval|interval|range)\b`)
	variable = regexp.MustCompile(`\$\{?[a-zA-Z]\w*\}?`)
)

// anything stands for the value of a variable of Grafana's.
const anything = "__anything__"

// uses are the places of the expression that name metrics.
func (e expression) uses() ([]Use, error) {
	text := variable.ReplaceAllString(interval.ReplaceAllString(e.text, "5m"), anything)
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", e.where, e.text, err)
	}
	var found []Use
	parser.Inspect(parsed, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		use := Use{Where: e.where, Selector: selector.String(), Metric: selector.Name}
		for _, matcher := range selector.LabelMatchers {
			if matcher.Name == model.MetricNameLabel {
				continue
			}
			use.Labels = append(use.Labels, matcher.Name)
			if matcher.Value != anything {
				use.Matchers = append(use.Matchers, matching(matcher.Name, matcher.Type.String(), matcher.Value))
			}
		}
		use.Labels = append(use.Labels, grouped(path)...)
		slices.Sort(use.Labels)
		use.Labels = slices.Compact(use.Labels)
		found = append(found, use)
		return nil
	})
	return found, nil
}

// matching is a matcher by its operator.
func matching(label, operator, value string) Matcher {
	if operator == "=" || operator == "!=" {
		value = regexp.QuoteMeta(value)
	}
	return Matcher{Label: label, Pattern: value, Not: operator[0] == '!'}
}

// grouped are the labels by which the aggregations around a selector group it.
func grouped(path []parser.Node) []string {
	var labels []string
	for _, node := range path {
		if aggregation, ok := node.(*parser.AggregateExpr); ok && !aggregation.Without {
			labels = append(labels, aggregation.Grouping...)
		}
	}
	return labels
}

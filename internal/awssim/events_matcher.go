package awssim

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// valueMatcher is one entry of a pattern's array ("Comparison operators for use in event
// patterns"): a value, or one of the operators prefix, suffix, equals-ignore-case, wildcard,
// anything-but and exists.
type valueMatcher struct {
	test   func(value any) bool // of one of the event's values; nil for exists
	exists bool
}

// matches tells whether one of the values that the event has passes.
func (m valueMatcher) matches(leaves []any) bool {
	if m.test == nil {
		return m.exists == (len(leaves) > 0)
	}
	return slices.ContainsFunc(leaves, m.test)
}

func compileMatcher(name string, item any) (valueMatcher, error) {
	operators, isOperator := item.(map[string]any)
	if !isOperator {
		test, err := exactly(name, item)
		return valueMatcher{test: test}, err
	}
	operator, operand, err := theOnly(operators)
	if err != nil {
		return valueMatcher{}, err
	}
	switch operator {
	case "exists":
		exists, ok := operand.(bool)
		if !ok {
			return valueMatcher{}, badPattern("exists match pattern must be either true or false.")
		}
		return valueMatcher{exists: exists}, nil
	case "anything-but":
		test, err := anythingBut(name, operand)
		return valueMatcher{test: test}, err
	default:
		test, err := textOperator(operator, operand)
		return valueMatcher{test: test}, err
	}
}

// theOnly is the one member of an operator's object.
func theOnly(operators map[string]any) (operator string, operand any, err error) {
	if len(operators) != 1 {
		return "", nil, badPattern("Only one key allowed in match expression")
	}
	for operator, operand = range operators {
	}
	return operator, operand, nil
}

// exactly matches a text, a number as it is written, true, false or null.
func exactly(name string, want any) (func(any) bool, error) {
	switch want.(type) {
	case string, json.Number, bool, nil:
		return func(value any) bool { return value == want }, nil
	default:
		return nil, badPattern("Match value must be String, number, true, false, or null: " + name)
	}
}

// anythingBut matches every value but those; a member that is not there has none.
func anythingBut(name string, operand any) (func(any) bool, error) {
	var tests []func(any) bool
	switch operand := operand.(type) {
	case map[string]any:
		operator, below, err := theOnly(operand)
		if err != nil {
			return nil, err
		}
		list, isList := below.([]any)
		if !isList {
			list = []any{below}
		}
		for _, item := range list {
			test, err := textOperator(operator, item)
			if err != nil {
				return nil, err
			}
			tests = append(tests, test)
		}
	case []any:
		for _, item := range operand {
			test, err := exactly(name, item)
			if err != nil {
				return nil, err
			}
			tests = append(tests, test)
		}
	default:
		test, err := exactly(name, operand)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	if len(tests) == 0 {
		return nil, badPattern("Empty arrays are not allowed")
	}
	return func(value any) bool {
		return !slices.ContainsFunc(tests, func(test func(any) bool) bool { return test(value) })
	}, nil
}

// textOperator is one of the operators that compare with a text.
func textOperator(operator string, operand any) (func(any) bool, error) {
	fold := false
	if below, nested := operand.(map[string]any); nested && (operator == "prefix" || operator == "suffix") {
		inner, text, err := theOnly(below)
		if err != nil {
			return nil, err
		}
		if inner != "equals-ignore-case" {
			return nil, badPattern("Unrecognized match type " + inner)
		}
		operand, fold = text, true
	}
	compare, err := comparison(operator)
	if err != nil {
		return nil, err
	}
	want, ok := operand.(string)
	switch {
	case !ok:
		return nil, badPattern(operator + " match pattern must be a string")
	case operator == "wildcard":
		want = wildcards.Replace(want)
		if at := strings.Index(want, "**"); at >= 0 {
			return nil, badPattern("Consecutive wildcard characters at pos " + strconv.Itoa(at))
		}
	case fold:
		want = strings.ToLower(want)
	}
	return func(value any) bool {
		text, isText := value.(string)
		if fold {
			text = strings.ToLower(text)
		}
		return isText && compare(want, text)
	}, nil
}

func comparison(operator string) (func(want, text string) bool, error) {
	switch operator {
	case "prefix":
		return func(want, text string) bool { return strings.HasPrefix(text, want) }, nil
	case "suffix":
		return func(want, text string) bool { return strings.HasSuffix(text, want) }, nil
	case "equals-ignore-case":
		return strings.EqualFold, nil
	case "wildcard":
		return match, nil
	default:
		return nil, badPattern("Unrecognized match type " + operator)
	}
}

// wildcards turns a wildcard of EventBridge's, in which \* is a star and ? is nothing special,
// into what match takes.
var wildcards = strings.NewReplacer(`\\`, `\`, `\*`, string(rune(anyStar)), `?`, string(rune(anyOne)))

package awssim

import (
	"encoding/json"
	"slices"
	"strings"
)

// eventPattern is the pattern of a rule ("Amazon EventBridge event patterns"): the structure
// of the events that match, with the values that they may have at its leaves.
type eventPattern struct {
	text string
	root *patternNode
}

// patternNode matches a JSON object: each field must match, and one branch of each $or.
type patternNode struct {
	fields  map[string]patternField
	choices [][]*patternNode
}

// patternField has either a structure below it or values.
type patternField struct {
	below  *patternNode
	values []valueMatcher
}

// parseEventPattern reads a pattern. An operator that is not implemented is refused like one
// that does not exist.
func parseEventPattern(text string) (*eventPattern, error) {
	if len(text) > 4096 {
		return nil, eventsInvalid("1 validation error detected: Value at 'eventPattern' failed to satisfy constraint: Member must have length less than or equal to 4096")
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber() // 300 and 3.0e2 are not the same to a pattern
	var document map[string]any
	if err := decoder.Decode(&document); err != nil || decoder.More() {
		return nil, badPattern("not a JSON object")
	}
	root, err := compileNode(document)
	if err != nil {
		return nil, err
	}
	return &eventPattern{text, root}, nil
}

func badPattern(reason string) *apiError {
	return eventsError("InvalidEventPatternException", "Event pattern is not valid. Reason: %s", reason)
}

func compileNode(document map[string]any) (*patternNode, error) {
	if len(document) == 0 {
		return nil, badPattern("Empty objects are not allowed")
	}
	n := &patternNode{fields: map[string]patternField{}}
	for name, value := range document {
		var err error
		switch value := value.(type) {
		case map[string]any:
			var below *patternNode
			below, err = compileNode(value)
			n.fields[name] = patternField{below: below}
		case []any:
			if name == "$or" {
				err = n.addChoice(value)
				break
			}
			var values []valueMatcher
			values, err = compileValues(name, value)
			n.fields[name] = patternField{values: values}
		default:
			err = badPattern(`"` + name + `" must be an object or an array`)
		}
		if err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *patternNode) addChoice(branches []any) error {
	if len(branches) < 2 {
		return badPattern("There must have at least 2 Objects in $or relationship.")
	}
	var choice []*patternNode
	for _, branch := range branches {
		document, ok := branch.(map[string]any)
		if !ok {
			return badPattern("Only objects are allowed in $or relationship.")
		}
		compiled, err := compileNode(document)
		if err != nil {
			return err
		}
		choice = append(choice, compiled)
	}
	n.choices = append(n.choices, choice)
	return nil
}

func compileValues(name string, list []any) ([]valueMatcher, error) {
	if len(list) == 0 {
		return nil, badPattern("Empty arrays are not allowed")
	}
	var values []valueMatcher
	for _, item := range list {
		m, err := compileMatcher(name, item)
		if err != nil {
			return nil, err
		}
		values = append(values, m)
	}
	return values, nil
}

// mayMatch tells from the two members that every pattern has whether an event is worth a
// closer look.
func (p *eventPattern) mayMatch(source, detailType string) bool {
	for name, value := range map[string]string{"source": source, "detail-type": detailType} {
		if field, found := p.root.fields[name]; found && !field.matches(value) {
			return false
		}
	}
	return true
}

func (p *eventPattern) matches(event map[string]any) bool { return p.root.matches(event) }

// matches looks at an object; where the event has none, at one without members.
func (n *patternNode) matches(object map[string]any) bool {
	for name, field := range n.fields {
		value, found := object[name]
		if !found {
			value = absent{}
		}
		if !field.matches(value) {
			return false
		}
	}
	for _, choice := range n.choices {
		if !slices.ContainsFunc(choice, func(branch *patternNode) bool { return branch.matches(object) }) {
			return false
		}
	}
	return true
}

// matches looks at a member, which is absent where the event has none. Of an array, one element has to
// match: all that is below a field of the pattern by the same one.
func (f patternField) matches(value any) bool {
	if f.below != nil {
		switch value := value.(type) {
		case map[string]any:
			return f.below.matches(value)
		case []any:
			return slices.ContainsFunc(value, f.matches)
		default:
			return f.below.matches(nil)
		}
	}
	leaves := leavesOf(value, nil)
	return slices.ContainsFunc(f.values, func(m valueMatcher) bool { return m.matches(leaves) })
}

// absent stands for a member that is not there: a null is a value.
type absent struct{}

// leavesOf are the values of a member that are neither arrays nor objects.
func leavesOf(value any, found []any) []any {
	switch value := value.(type) {
	case absent, map[string]any:
	case []any:
		for _, item := range value {
			found = leavesOf(item, found)
		}
	default:
		found = append(found, value)
	}
	return found
}

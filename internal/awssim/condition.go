package awssim

import (
	"fmt"
	"slices"
	"strings"
)

// conditionContext holds the values of a request's condition keys. Keys are in lower case:
// IAM does not look at theirs. A key with several values is one like aws:TagKeys.
type conditionContext map[string][]string

// condition is one key under one operator.
type condition struct {
	key      string // lower case
	values   []string
	compare  func(want, got string) bool
	negated  bool
	patterns bool // the values hold wildcards: ${*} must stay literal in them
	ifExists bool
	null     bool
	forAll   bool // ForAllValues:
	forAny   bool // ForAnyValue:
}

// operators are the condition operators that policies may use here, without their
// prefixes, suffixes and negations.
var operators = map[string]struct {
	compare  func(want, got string) bool
	patterns bool
}{
	"StringEquals":           {func(want, got string) bool { return want == got }, false},
	"StringEqualsIgnoreCase": {strings.EqualFold, false},
	"StringLike":             {match, true},
	"ArnEquals":              {matchARN, true}, // IAM documents it as identical to ArnLike
	"ArnLike":                {matchARN, true},
	"Bool":                   {strings.EqualFold, false},
}

// negations name the operators that hold when no value matches.
var negations = map[string]string{
	"StringNotEquals":           "StringEquals",
	"StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
	"StringNotLike":             "StringLike",
	"ArnNotEquals":              "ArnEquals",
	"ArnNotLike":                "ArnLike",
}

func compileCondition(operator, key string, values []conditionValue) (condition, error) {
	c := condition{key: strings.ToLower(key)}
	if !strings.Contains(key, ":") {
		return c, fmt.Errorf("condition key %q is not of the form service:key", key)
	}
	if len(values) == 0 {
		return c, fmt.Errorf("condition %s of %s has no value", operator, key)
	}
	for _, v := range values {
		c.values = append(c.values, string(v))
	}
	name := operator
	if rest, found := strings.CutPrefix(name, "ForAllValues:"); found {
		name, c.forAll = rest, true
	} else if rest, found := strings.CutPrefix(name, "ForAnyValue:"); found {
		name, c.forAny = rest, true
	}
	if name == "Null" && !c.forAll && !c.forAny {
		c.null = true
		for _, v := range c.values {
			if v != "true" && v != "false" {
				return c, fmt.Errorf("condition Null of %s is %q; it must be true or false", key, v)
			}
		}
		return c, nil
	}
	name, c.ifExists = strings.CutSuffix(name, "IfExists")
	if positive, found := negations[name]; found {
		name, c.negated = positive, true
	}
	known, found := operators[name]
	if !found {
		return c, fmt.Errorf("condition operator %q is not supported", operator)
	}
	c.compare, c.patterns = known.compare, known.patterns
	return c, nil
}

// holds evaluates the condition. A key that the request lacks fails a condition, except a
// negated one, an ...IfExists, and ForAllValues, which says something about every value of
// none.
func (c *condition) holds(context conditionContext) bool {
	got, present := context[c.key]
	switch {
	case c.null:
		return slices.Contains(c.values, fmt.Sprint(!present))
	case !present && c.forAny:
		return c.ifExists
	case !present:
		return c.ifExists || c.forAll || c.negated
	case c.forAny:
		return slices.ContainsFunc(got, func(v string) bool { return c.valueHolds(v, context) })
	default:
		return !slices.ContainsFunc(got, func(v string) bool { return !c.valueHolds(v, context) })
	}
}

// valueHolds tells whether a value of the request matches one of the policy's, or none of
// them where the operator is negated.
func (c *condition) valueHolds(got string, context conditionContext) bool {
	matched := slices.ContainsFunc(c.values, func(want string) bool {
		expanded, known := context.expand(want)
		if !known {
			return false
		}
		if !c.patterns {
			expanded = unescaped.Replace(expanded)
		}
		return c.compare(expanded, got)
	})
	return matched != c.negated
}

// expand replaces a policy's variables: ${aws:PrincipalTag/team}, and ${*}, ${?} and ${$}
// for the characters themselves. known is false if a variable has no single value, in
// which case the text matches nothing.
func (context conditionContext) expand(text string) (expanded string, known bool) {
	if !strings.Contains(text, "${") {
		return text, true
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("${" + rest)
			return b.String(), true
		}
		switch name {
		case "*":
			b.WriteByte(anyStar)
		case "?":
			b.WriteByte(anyOne)
		case "$":
			b.WriteByte('$')
		default:
			values := context[strings.ToLower(name)]
			if len(values) != 1 {
				return "", false
			}
			// A wildcard in a tag's value is no wildcard of the policy's author.
			b.WriteString(escaped.Replace(values[0]))
		}
		text = after
	}
}

// escaped makes the wildcards in a value literal ones.
var escaped = strings.NewReplacer("*", string(rune(anyStar)), "?", string(rune(anyOne)))

package memapi

import (
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
)

// plain says of a value that nothing is wrong with it by a schema. Of what it does not accept the
// real validator has to say what is wrong, if anything is. It takes a fiftieth of its time.
type plain func(value any) bool

func no(any) bool { return false }

// plainly is the plain of a schema: one that accepts nothing where the schema has more than what it
// knows.
func plainly(s *apiextensions.JSONSchemaProps) plain {
	// What is left of the schema without all that is looked after, or says nothing about a value.
	rest := *s
	rest.Description, rest.Title, rest.Default, rest.Example, rest.ExternalDocs = "", "", nil, nil, nil
	rest.XListType, rest.XListMapKeys, rest.XMapType, rest.XValidations = nil, nil, nil, nil
	rest.Type = ""
	var known plain
	switch s.Type {
	case "object":
		rest.Properties, rest.Required, rest.AdditionalProperties = nil, nil, nil
		known = plainObject(s)
	case "array":
		rest.Items, rest.MinItems, rest.MaxItems = nil, nil, nil
		known = plainList(s)
	case "string":
		rest.Enum, rest.MinLength, rest.MaxLength, rest.Pattern, rest.Format = nil, nil, nil, "", ""
		known = plainString(s)
	case "integer":
		rest.Minimum, rest.Maximum, rest.Format = nil, nil, ""
		known = plainInteger(s)
	case "boolean":
		known = func(value any) bool { _, ok := value.(bool); return ok }
	}
	if known == nil || !reflect.ValueOf(rest).IsZero() {
		return no
	}
	return known
}

func plainObject(s *apiextensions.JSONSchemaProps) plain {
	properties := make(map[string]plain, len(s.Properties))
	for name, property := range s.Properties {
		properties[name] = plainly(&property)
	}
	others := plain(func(any) bool { return true })
	if more := s.AdditionalProperties; more != nil {
		if more.Schema == nil {
			return nil
		}
		others = plainly(more.Schema)
	}
	required := s.Required
	return func(value any) bool {
		object, ok := value.(map[string]any)
		if !ok {
			return false
		}
		for _, name := range required {
			if _, there := object[name]; !there {
				return false
			}
		}
		for name, inner := range object {
			accepts := properties[name]
			if accepts == nil {
				accepts = others
			}
			if !accepts(inner) {
				return false
			}
		}
		return true
	}
}

func plainList(s *apiextensions.JSONSchemaProps) plain {
	if s.Items == nil || s.Items.Schema == nil {
		return nil
	}
	least, most := bounds(s.MinItems, s.MaxItems)
	accepts := plainly(s.Items.Schema)
	return func(value any) bool {
		list, ok := value.([]any)
		return ok && int64(len(list)) >= least && int64(len(list)) <= most &&
			!slices.ContainsFunc(list, func(item any) bool { return !accepts(item) })
	}
}

func plainString(s *apiextensions.JSONSchemaProps) plain {
	var pattern *regexp.Regexp
	if s.Pattern != "" {
		var err error
		if pattern, err = regexp.Compile(s.Pattern); err != nil {
			return nil
		}
	}
	if s.Format != "" && s.Format != "date-time" {
		return nil
	}
	var values []string
	for _, value := range s.Enum {
		text, ok := value.(string)
		if !ok {
			return nil
		}
		values = append(values, text)
	}
	least, most := bounds(s.MinLength, s.MaxLength)
	moment := s.Format != ""
	return func(value any) bool {
		text, ok := value.(string)
		return ok && int64(utf8.RuneCountInString(text)) >= least && int64(len(text)) <= most &&
			(values == nil || slices.Contains(values, text)) && (!moment || isMoment(text)) &&
			(pattern == nil || pattern.MatchString(text))
	}
}

// isMoment says that a text is a time as Kubernetes writes it: in UTC, with or without a fraction of
// a second.
func isMoment(text string) bool {
	const second = len("2006-01-02T15:04:05")
	if len(text) <= second || text[second] != '.' && text[second:] != "Z" || !strings.HasSuffix(text, "Z") {
		return false
	}
	_, err := time.Parse(time.RFC3339Nano, text)
	return err == nil
}

func plainInteger(s *apiextensions.JSONSchemaProps) plain {
	least, most := int64(math.MinInt64), int64(math.MaxInt64)
	switch s.Format {
	case "", "int64":
	case "int32":
		least, most = math.MinInt32, math.MaxInt32
	default:
		return nil
	}
	return func(value any) bool {
		n, ok := value.(int64)
		return ok && n >= least && n <= most &&
			(s.Minimum == nil || float64(n) >= *s.Minimum) && (s.Maximum == nil || float64(n) <= *s.Maximum)
	}
}

// bounds are the limits of a length.
func bounds(least, most *int64) (int64, int64) {
	from, to := int64(0), int64(math.MaxInt64)
	if least != nil {
		from = *least
	}
	if most != nil {
		to = *most
	}
	return from, to
}

// statusHasRules says that a rule looks at status, or that one looks at what it was: all others
// hold whatever a write of status leaves alone to nothing, since what did not change passes.
func statusHasRules(s *structuralschema.Structural) bool {
	rules := func(s *structuralschema.Structural) bool { return len(s.XValidations) > 0 }
	status := s.Properties["status"]
	return rules(s) || has(&status, rules) || has(s, func(s *structuralschema.Structural) bool {
		for _, rule := range s.XValidations {
			if strings.Contains(rule.Rule, "oldSelf") {
				return true
			}
		}
		return false
	})
}

// has says that something is so in a schema or anywhere in it.
func has(s *structuralschema.Structural, is func(*structuralschema.Structural) bool) bool {
	if is(s) || s.Items != nil && has(s.Items, is) ||
		s.AdditionalProperties != nil && s.AdditionalProperties.Structural != nil && has(s.AdditionalProperties.Structural, is) {
		return true
	}
	for _, property := range s.Properties {
		if has(&property, is) {
			return true
		}
	}
	return false
}

package awssim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// The AWS query protocol: parameters in a form. Its answers are in query_answer.go.

// queryVersions are the services of the query protocol by the Version of their API.
var queryVersions = map[string]string{
	stsVersion:        "sts",
	elbVersion:        "elasticloadbalancing",
	cloudwatchVersion: "cloudwatch",
}

// namespaces are those of the services' XML documents.
var namespaces = map[string]string{
	"sts":                  "https://sts.amazonaws.com/doc/" + stsVersion + "/",
	"elasticloadbalancing": "http://elasticloadbalancing.amazonaws.com/doc/" + elbVersion + "/",
	"cloudwatch":           "http://monitoring.amazonaws.com/doc/" + cloudwatchVersion + "/",
	"route53":              "https://route53.amazonaws.com/doc/" + route53Version + "/",
}

// queryService is the service that a form is for: its version says so, or else the scope of
// the signature, which AWS would have found in the host's name.
func queryService(form url.Values, r *http.Request) string {
	if service := queryVersions[form.Get("Version")]; service != "" {
		return service
	}
	for service := range namespaces {
		if strings.Contains(r.Header.Get("Authorization"), "/"+signingName(service)+"/aws4_request") {
			return service
		}
	}
	return "sts"
}

// branch is a parameter that is nested or has nested ones, by the parts of its name.
type branch map[string]any // string or branch

// nestForm turns a form into the document that a JSON protocol would carry, but for scalars,
// which all are strings here: "Targets.member.1.Id=i-1" is {"Targets": [{"Id": "i-1"}]}.
func nestForm(form url.Values) (json.RawMessage, error) {
	root := branch{}
	for name := range form {
		if name == "Action" || name == "Version" {
			continue
		}
		parts := strings.Split(name, ".")
		at := root
		for _, part := range parts[:len(parts)-1] {
			switch next := at[part].(type) {
			case nil:
				below := branch{}
				at[part] = below
				at = below
			case branch:
				at = next
			default:
				return nil, malformedInput("Parameter %s is both a value and a structure", name)
			}
		}
		last := parts[len(parts)-1]
		if _, taken := at[last]; taken {
			return nil, malformedInput("Parameter %s is both a value and a structure", name)
		}
		at[last] = form.Get(name)
	}
	document, err := root.document()
	if err != nil {
		return nil, err
	}
	return json.Marshal(document)
}

// document turns branches that are lists into lists.
func (b branch) document() (any, error) {
	if members, isList := b["member"].(branch); isList && len(b) == 1 {
		return members.list()
	}
	document := make(map[string]any, len(b))
	for name, value := range b {
		below, nested := value.(branch)
		if !nested {
			document[name] = value
			continue
		}
		inner, err := below.document()
		if err != nil {
			return nil, err
		}
		document[name] = inner
	}
	return document, nil
}

// list is the items in the order of their numbers, which may leave some out.
func (b branch) list() (any, error) {
	numbers := make([]int, 0, len(b))
	for name := range b {
		number, err := strconv.Atoi(name)
		if err != nil || number < 1 || strconv.Itoa(number) != name {
			return nil, malformedInput("%s is not the number of a list's member", name)
		}
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	items := make([]any, len(numbers))
	for i, number := range numbers {
		items[i] = b[strconv.Itoa(number)]
		if below, nested := items[i].(branch); nested {
			inner, err := below.document()
			if err != nil {
				return nil, err
			}
			items[i] = inner
		}
	}
	return items, nil
}

// typed makes a handler of a function that gets the parameters of its operation in a struct,
// whichever protocol brought them.
func typed[I any](fn func(c *call, in *I) (any, error)) handler {
	return func(c *call, document json.RawMessage) (any, error) {
		in := new(I)
		if c.protocol == queryProtocol || c.protocol == restProtocol {
			var err error
			if document, err = typeScalars(document, reflect.TypeFor[I]()); err != nil {
				return nil, err
			}
		}
		if err := decode(document, in); err != nil {
			return nil, err
		}
		return fn(c, in)
	}
}

// typeScalars replaces the strings of a nested form by what t has in their place.
func typeScalars(document json.RawMessage, t reflect.Type) (json.RawMessage, error) {
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		return nil, err
	}
	value, err := typeScalar("", value, t)
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

func typeScalar(name string, value any, t reflect.Type) (any, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var err error
	switch value := value.(type) {
	case []any:
		for i := range value {
			if t.Kind() != reflect.Slice {
				return nil, malformedInput("Unexpected list element in %s", name)
			}
			if value[i], err = typeScalar(name, value[i], t.Elem()); err != nil {
				return nil, err
			}
		}
		return value, nil
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return nil, malformedInput("Unexpected complex element in %s", name)
		}
		for member := range value {
			field, exact := memberOf(t, member)
			if !exact {
				continue // decode drops it
			}
			if value[member], err = typeScalar(member, value[member], field); err != nil {
				return nil, err
			}
		}
		return value, nil
	case string:
		return typeText(name, value, t)
	}
	return value, nil
}

func typeText(name, text string, t reflect.Type) (any, error) {
	switch t.Kind() {
	case reflect.Slice:
		if text == "" { // how clients write a list without members
			return []any{}, nil
		}
	case reflect.Struct:
		if strings.TrimSpace(text) == "" { // an element without any
			return map[string]any{}, nil
		}
		return text, nil
	case reflect.Bool:
		if value, err := strconv.ParseBool(strings.ToLower(text)); err == nil {
			return value, nil
		}
	case reflect.Int:
		if value, err := strconv.ParseInt(text, 10, 32); err == nil {
			return value, nil
		}
	case reflect.Float64:
		if value, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(strconv.FormatFloat(value, 'g', -1, 64))) {
			return value, nil
		}
	default:
		return text, nil
	}
	return nil, malformedInput("%s '%s' is not of type %s", name, text, shapeKind(t))
}

func malformedInput(format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, "MalformedInput", format, args...)
}

package awssim

import (
	"encoding/json"
	"reflect"
	"strings"
)

// exactMembers returns the document without the members that encoding/json would take for
// one of the target's although the case of their names differs. Nearly every document has
// none, and is returned as it came.
func exactMembers(in json.RawMessage, into any) (json.RawMessage, error) {
	var document any
	if err := json.Unmarshal(in, &document); err != nil {
		return nil, err
	}
	if !dropMiscased(document, reflect.TypeOf(into)) {
		return in, nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(in)))
	decoder.UseNumber() // the copy that is kept must not round numbers
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	dropMiscased(document, reflect.TypeOf(into))
	return json.Marshal(document)
}

// dropMiscased walks document along t and deletes members of structs that match a field
// only when case is ignored. It tells whether it deleted any.
func dropMiscased(document any, t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	dropped := false
	switch value := document.(type) {
	case []any:
		if t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
			for _, item := range value {
				dropped = dropMiscased(item, t.Elem()) || dropped
			}
		}
	case map[string]any:
		switch t.Kind() {
		case reflect.Map:
			for _, item := range value {
				dropped = dropMiscased(item, t.Elem()) || dropped
			}
		case reflect.Struct:
			for name, item := range value {
				field, exact := memberOf(t, name)
				switch {
				case field == nil:
				case !exact:
					delete(value, name)
					dropped = true
				default:
					dropped = dropMiscased(item, field) || dropped
				}
			}
		}
	}
	return dropped
}

// memberOf is the type of the field that encoding/json would decode the member into, nil
// for none, and whether the names are equal.
func memberOf(t reflect.Type, name string) (field reflect.Type, exact bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		member, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if member == "-" {
			continue
		}
		if f.Anonymous && member == "" {
			embedded := f.Type
			for embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			if embedded.Kind() == reflect.Struct {
				if inner, innerExact := memberOf(embedded, name); inner != nil {
					if innerExact {
						return inner, true
					}
					field = inner
				}
				continue
			}
		}
		if member == "" {
			member = f.Name
		}
		if member == name {
			return f.Type, true
		}
		if strings.EqualFold(member, name) {
			field = f.Type
		}
	}
	return field, false
}

// shapeKind is AWS's name of what a member should have been.
func shapeKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "Boolean"
	case reflect.String:
		return "String"
	case reflect.Float32, reflect.Float64:
		return "Double"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "Integer"
	case reflect.Slice, reflect.Array:
		return "List"
	default:
		return "Structure"
	}
}

package awssim

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// The answers of the AWS query protocol: XML.

// moment is a timestamp in the way of each protocol: ISO 8601 in XML, seconds since 1970 in
// JSON and, tagged as a time, in CBOR.
type moment time.Time

// MarshalJSON writes the seconds.
func (m moment) MarshalJSON() ([]byte, error) { return []byte(epoch(time.Time(m))), nil }

// momentOf is nil for the zero time: the member is absent.
func momentOf(t time.Time) *moment {
	if t.IsZero() {
		return nil
	}
	m := moment(t)
	return &m
}

// appendXML writes a value as the element of that name: lists as elements called item,
// members of structs under their JSON names, none for what JSON would omit.
func appendXML(b *bytes.Buffer, name, item string, value reflect.Value) {
	if value.Kind() == reflect.Pointer || value.Kind() == reflect.Interface {
		if value.IsNil() {
			return
		}
		appendXML(b, name, item, value.Elem())
		return
	}
	b.WriteString("<" + name + ">")
	switch m, isMoment := value.Interface().(moment); {
	case isMoment:
		b.WriteString(time.Time(m).UTC().Format("2006-01-02T15:04:05.000Z"))
	case value.Kind() == reflect.Struct:
		appendMembers(b, value)
	case value.Kind() == reflect.Slice:
		for i := range value.Len() {
			appendXML(b, item, listItem, value.Index(i))
		}
	default:
		_ = xml.EscapeText(b, fmt.Append(nil, value.Interface())) // a buffer takes everything
	}
	b.WriteString("</" + name + ">")
}

// listItem is what an item of a list is called where its field has no tag for that.
const listItem = "member"

func appendMembers(b *bytes.Buffer, value reflect.Value) {
	for i := range value.NumField() {
		field := value.Type().Field(i)
		if field.Anonymous {
			appendMembers(b, value.Field(i))
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		if strings.Contains(options, "omitempty") && (value.Field(i).IsZero() || field.Type.Kind() == reflect.Slice && value.Field(i).Len() == 0) {
			continue
		}
		appendXML(b, name, cmp.Or(field.Tag.Get("item"), listItem), value.Field(i))
	}
}

// marshalQuery is the answer in XML. An operation without a result has no element for it.
func marshalQuery(service, operation, requestID string, result any) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%sResponse xmlns=\"%s\">", operation, namespaces[service])
	switch {
	case service == "sts":
		inner, err := xml.Marshal(result)
		if err != nil {
			return nil, err
		}
		b.Write(inner)
	case result != nil:
		appendXML(&b, operation+"Result", listItem, reflect.ValueOf(result))
	}
	fmt.Fprintf(&b, "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>\n", requestID, operation)
	return b.Bytes(), nil
}

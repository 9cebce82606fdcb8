package awssim

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

// The AWS REST protocol with XML: the path says which operation is meant, and it, the query
// and a document together are the parameters.

// restServices are the services of the REST protocol by how their paths begin: with the
// version of their API.
var restServices = map[string]string{"/" + route53Version + "/": "route53"}

// restRoutes are the operations of the services of the REST protocol.
var restRoutes = map[string][]restRoute{"route53": route53Routes}

// restRoute is one operation.
type restRoute struct {
	method, path string            // a part in braces is the member of that name
	operation    string            //
	document     bool              // the body holds an element named like the operation, with Request
	query        map[string]string // the members of the input by the parameters of the query
}

// restLists are the lists in requests by name, with what their items are called.
var restLists = map[string]string{"Changes": "Change", "ResourceRecords": "ResourceRecord"}

// restService is the service whose path it is; "" is that of another protocol.
func restService(path string) string {
	for root, service := range restServices {
		if strings.HasPrefix(path, root) {
			return service
		}
	}
	return ""
}

// readREST finds the operation, and the members of its input that path and query hold.
func (q *request) readREST(r *http.Request) error {
	for _, route := range restRoutes[q.service] {
		members, ok := route.match(r)
		if !ok {
			continue
		}
		for parameter, member := range route.query {
			if query := r.URL.Query(); query.Has(parameter) {
				members[member] = query.Get(parameter)
			}
		}
		q.operation, q.members, q.hasDocument = route.operation, members, route.document
		return nil
	}
	return newError(http.StatusNotFound, "InvalidAction", "%s %s is no operation of the service.", r.Method, r.URL.Path)
}

// match reads the members that are parts of the path.
func (route *restRoute) match(r *http.Request) (members map[string]any, ok bool) {
	wanted := strings.Split(route.path, "/")
	given := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	if r.Method != route.method || len(wanted) != len(given) {
		return nil, false
	}
	members = map[string]any{}
	for i, part := range wanted {
		text, err := url.PathUnescape(given[i])
		if err != nil {
			return nil, false
		}
		if name, isMember := strings.CutPrefix(part, "{"); isMember {
			members[strings.TrimSuffix(name, "}")] = text
		} else if text != part {
			return nil, false
		}
	}
	return members, true
}

// restDocument is the document that a JSON protocol would carry, but for scalars, which all
// are strings here.
func (q *request) restDocument() (json.RawMessage, error) {
	if q.hasDocument {
		var root xmlElement
		if err := xml.Unmarshal(q.body, &root); err != nil {
			return nil, invalidXML("%s", err)
		}
		if name := q.operation + "Request"; root.XMLName.Local != name || root.XMLName.Space != namespaces[q.service] {
			return nil, invalidXML("cvc-elt.1: Cannot find the declaration of element '%s'.", root.XMLName.Local)
		}
		members, err := root.members()
		if err != nil {
			return nil, err
		}
		for name, value := range members {
			if _, inPath := q.members[name]; inPath {
				return nil, unexpectedElement(name)
			}
			q.members[name] = value
		}
	}
	return json.Marshal(q.members)
}

// xmlElement is an element of a request.
type xmlElement struct {
	XMLName  xml.Name
	Text     string       `xml:",chardata"`
	Children []xmlElement `xml:",any"`
}

func (e *xmlElement) value() (any, error) {
	if item := restLists[e.XMLName.Local]; item != "" {
		items := make([]any, len(e.Children))
		for i := range e.Children {
			if e.Children[i].XMLName.Local != item {
				return nil, unexpectedElement(e.Children[i].XMLName.Local)
			}
			value, err := e.Children[i].value()
			if err != nil {
				return nil, err
			}
			items[i] = value
		}
		return items, nil
	}
	if len(e.Children) == 0 {
		return e.Text, nil
	}
	return e.members()
}

func (e *xmlElement) members() (map[string]any, error) {
	members := map[string]any{}
	for i := range e.Children {
		name := e.Children[i].XMLName.Local
		if _, twice := members[name]; twice {
			return nil, unexpectedElement(name)
		}
		value, err := e.Children[i].value()
		if err != nil {
			return nil, err
		}
		members[name] = value
	}
	return members, nil
}

// routed makes a handler of a function that gets the parameters of an operation of the REST
// protocol in a struct. Documents obey a schema there: an element that it does not have is
// refused, not ignored.
func routed[I any](fn func(c *call, in *I) (any, error)) handler {
	handle := typed(fn)
	return func(c *call, document json.RawMessage) (any, error) {
		var value any
		if err := json.Unmarshal(document, &value); err != nil {
			return nil, err
		}
		if name := unknownMember(value, reflect.TypeFor[I]()); name != "" {
			return nil, unexpectedElement(name)
		}
		return handle(c, document)
	}
}

// unknownMember is the name of a member that t does not have; "" for none.
func unknownMember(value any, t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			if t.Kind() != reflect.Slice {
				break
			}
			if name := unknownMember(item, t.Elem()); name != "" {
				return name
			}
		}
	case map[string]any:
		for member, below := range value {
			if t.Kind() != reflect.Struct {
				break
			}
			field, exact := memberOf(t, member)
			if !exact {
				return member
			}
			if name := unknownMember(below, field); name != "" {
				return name
			}
		}
	}
	return ""
}

// created is a result whose answer says where the new thing is, with status 201.
type created interface{ location() string }

// marshalREST is the answer in XML.
func marshalREST(service, operation string, result any) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<?xml version=\"1.0\"?>\n<%sResponse xmlns=\"%s\">", operation, namespaces[service])
	appendMembers(&b, reflect.ValueOf(result))
	fmt.Fprintf(&b, "</%sResponse>", operation)
	return b.Bytes()
}

// invalidXML is a document that the schema does not allow.
func invalidXML(format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, "InvalidInput", "Invalid XML ; "+format, args...)
}

func unexpectedElement(name string) *apiError {
	return invalidXML("cvc-complex-type.2.4.a: Invalid content was found starting with element '%s'.", name)
}

// incompleteXML is a document without an element that it must have.
func incompleteXML(element, missing string) *apiError {
	return invalidXML("cvc-complex-type.2.4.b: The content of element '%s' is not complete. One of '{%s}' is expected.", element, missing)
}

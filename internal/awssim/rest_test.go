package awssim

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
)

// The REST protocol as the models describe it, for the check of exchanges.

// readREST finds the operation by the method and the path.
func readREST(model *serviceModel, r *http.Request, sent []byte) (e exchange, known bool) {
	for name, operation := range model.Operations {
		inPath, ok := pathMembers(operation.HTTP.RequestURI, r.URL.EscapedPath())
		if !ok || operation.HTTP.Method != r.Method {
			continue
		}
		e = exchange{model: model, operation: operation, service: "route53", name: name, protocol: "rest"}
		members := map[string]any{}
		var root xmlNode
		if len(sent) > 0 && xml.Unmarshal(sent, &root) == nil {
			members, _ = root.as(model, operation.Input.Shape).(map[string]any)
		}
		for member, ref := range model.Shapes[operation.Input.Shape].Members {
			switch ref.Location {
			case "uri":
				members[member] = inPath[ref.LocationName]
			case "querystring":
				if query := r.URL.Query(); query.Has(ref.LocationName) {
					members[member] = query.Get(ref.LocationName)
				}
			}
		}
		e.request = members
		return e, true
	}
	return e, false
}

// pathMembers are the parts of a path that stand where the pattern has {names}.
func pathMembers(pattern, path string) (members map[string]string, ok bool) {
	wanted, given := strings.Split(strings.Trim(pattern, "/"), "/"), strings.Split(strings.Trim(path, "/"), "/")
	if len(wanted) != len(given) {
		return nil, false
	}
	members = map[string]string{}
	for i, part := range wanted {
		text, err := url.PathUnescape(given[i])
		if name, isMember := strings.CutPrefix(part, "{"); isMember && err == nil {
			members[strings.TrimSuffix(name, "}")] = text
		} else if text != part {
			return nil, false
		}
	}
	return members, true
}

// withHeader adds the members of an answer that are headers.
func withHeader(model *serviceModel, shape string, value any, header http.Header) any {
	members, ok := value.(map[string]any)
	if !ok { // a document without elements
		members = map[string]any{}
	}
	for member, ref := range model.Shapes[shape].Members {
		if text := header.Get(ref.LocationName); ref.Location == "header" && text != "" {
			members[member] = text
		}
	}
	return members
}

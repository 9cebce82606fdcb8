package memapi

import (
	"encoding/json"
	"maps"

	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// merged is what patch and parse make of an object of a custom resource and a merge patch, without
// writing either as text: most of what a test does are such patches. It shares with the object what
// the patch leaves. nil: it takes patch and parse to say what comes of it, or what is wrong.
func (q *request) merged(found *object) map[string]any {
	if q.resource.custom == nil || q.contentType != string(types.MergePatchType) || !json.Valid(q.body) {
		return nil
	}
	var fields map[string]any
	if err := utiljson.Unmarshal(q.body, &fields); err != nil || fields == nil {
		return nil
	}
	content := mergePatched(found.content, fields)
	metadata, ok := content["metadata"].(map[string]any)
	if !ok {
		return nil
	}
	if patch, _ := fields["metadata"].(map[string]any); onlyTheVersion(patch) {
		content["metadata"] = maps.Clone(metadata)
		return content
	}
	normal, err := normalMetadata(metadata)
	if err != nil {
		return nil
	}
	content["metadata"] = normal
	return content
}

// onlyTheVersion says that a patch of normal metadata leaves it normal.
func onlyTheVersion(patch map[string]any) bool {
	for field, value := range patch {
		if version, _ := value.(string); field != "resourceVersion" || version == "" {
			return false
		}
	}
	return true
}

// mergePatched is an object with a patch merged into it, as json-patch does it, which takes null
// away from what is new, but not from a list in the place of an object. The patch may end up in it.
func mergePatched(object, patch map[string]any) map[string]any {
	object = maps.Clone(object)
	for key, value := range patch {
		was, wasObject := object[key].(map[string]any)
		fields, isObject := value.(map[string]any)
		switch {
		case value == nil:
			delete(object, key)
		case wasObject && isObject:
			object[key] = mergePatched(was, fields)
		case wasObject:
			object[key] = value
		default:
			pruneNulls(value)
			object[key] = value
		}
	}
	return object
}

// pruneNulls takes null away from the objects in a value, in place.
func pruneNulls(value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			if inner == nil {
				delete(value, key)
				continue
			}
			pruneNulls(inner)
		}
	case []any:
		for _, inner := range value {
			pruneNulls(inner)
		}
	}
}

package awssim

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// decode reads a request's JSON document into a struct. Unknown members are ignored, as AWS
// ignores them; a value of the wrong JSON type is a SerializationException. Members whose
// names differ in case only are unknown ones: AWS's names are exact, encoding/json's are not.
func decode(in json.RawMessage, into any) error {
	exact, err := exactMembers(in, into)
	if err == nil {
		err = json.Unmarshal(exact, into)
	}
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongType):
		return serializationError(jsonKind(wrongType.Value) + " cannot be converted to " + shapeKind(wrongType.Type))
	default:
		return serializationError("")
	}
}

// checkDocument tells whether body is one JSON object, which is all that the JSON protocols
// carry.
func checkDocument(body []byte) error {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '{' || !json.Valid(body) {
		return serializationError("")
	}
	return nil
}

func serializationError(message string) *apiError {
	return newError(http.StatusBadRequest, "SerializationException", "%s", message)
}

// jsonKind is how AWS names the JSON value it did not expect.
func jsonKind(value string) string {
	kind, _, _ := strings.Cut(value, " ") // "number 1.5" for a number that does not fit
	switch kind {
	case "bool":
		return "BOOLEAN_VALUE"
	case "object":
		return "START_OBJECT"
	case "array":
		return "START_ARRAY"
	default:
		return strings.ToUpper(kind) + "_VALUE"
	}
}

// epoch is a timestamp as the JSON protocols carry it: seconds since 1970 with a fraction of
// milliseconds.
func epoch(t time.Time) json.Number {
	return json.Number(strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64))
}
